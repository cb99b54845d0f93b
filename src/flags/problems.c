#include "postgres.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "core/fb_time.h"
#include "utils/timestamp.h"
PG_FUNCTION_INFO_V1(fb_definition_time);
/* definition_time(value): time of a timestamp of a definition, NULL when it is none */
Datum
fb_definition_time(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	int64		time;

	if (!fb_parse_time((FbString) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}, &time))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(time);
}
