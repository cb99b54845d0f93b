/*
 * featbit_time.c
 *		Reads the times by which FeatBit tells versions of a flag apart.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "core/fb_time.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_featbit_version);
PG_FUNCTION_INFO_V1(fb_featbit_time);

#define LONGEST_TIME	64		/* bytes; longer texts are no timestamps */
#define MILLISECOND		1000	/* microseconds */

/*
 * Reads an ISO 8601 timestamp to a number of digits after the second; what follows them is cut
 * off and not rounded, as FeatBit has seven digits and its SDKs count whole milliseconds.
 */
static bool
read_time(const char *data, int length, int digits, int64 *time)
{
	char		copy[LONGEST_TIME];
	FbString	text = {copy, 0};
	int			behind = -1;	/* digits after the second so far; -1 before them */

	if (length >= LONGEST_TIME)
		return false;
	for (int i = 0; i < length; i++)
	{
		bool		digit = data[i] >= '0' && data[i] <= '9';

		if (behind >= 0 && !digit)
			behind = -1;
		else if (behind >= 0 && ++behind > digits)
			continue;
		if (data[i] == '.' || data[i] == ',')
			behind = 0;
		copy[text.length++] = data[i];
	}
	return fb_parse_time(text, time);
}

/* Divides by milliseconds, down. */
static int64
whole_milliseconds(int64 microseconds)
{
	return microseconds / MILLISECOND - (microseconds % MILLISECOND < 0);
}

/* featbit_version(updated_at jsonb) → milliseconds since 1970 */
Datum
fb_featbit_version(PG_FUNCTION_ARGS)
{
	Jsonb	   *json;
	JsonbValue	value;
	int64		time;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	json = PG_GETARG_JSONB_P(0);
	if (!JB_ROOT_IS_SCALAR(json) || !JsonbExtractScalar(&json->root, &value))
		PG_RETURN_NULL();
	if (value.type == jbvNumeric)
	{
		double		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value.val.numeric)));

		if (!(fabs(number) < 1e15))
			PG_RETURN_NULL();
		PG_RETURN_INT64((int64) floor(number));
	}
	if (value.type != jbvString || !read_time(value.val.string.val, value.val.string.len, 3, &time))
		PG_RETURN_NULL();
	PG_RETURN_INT64(whole_milliseconds(time) +
					(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * MILLISECOND);
}

/* featbit_time(moment text) → the same in UTC, as FeatBit's server writes it */
Datum
fb_featbit_time(PG_FUNCTION_ARGS)
{
	text	   *moment;
	int64		time;
	struct pg_tm parts;
	fsec_t		microseconds;
	char	   *written;
	int			length;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	moment = PG_GETARG_TEXT_PP(0);
	if (!read_time(VARDATA_ANY(moment), VARSIZE_ANY_EXHDR(moment), 6, &time) || !IS_VALID_TIMESTAMP(time) ||
		timestamp2tm(time, NULL, &parts, &microseconds, NULL, NULL) != 0)
		PG_RETURN_TEXT_P(moment);
	written = psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06d", parts.tm_year, parts.tm_mon, parts.tm_mday,
					   parts.tm_hour, parts.tm_min, parts.tm_sec, (int) microseconds);
	for (length = strlen(written); written[length - 1] == '0'; length--)
		written[length - 1] = '\0';
	if (written[length - 1] == '.')
		written[length - 1] = '\0';
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%sZ", written)));
}
