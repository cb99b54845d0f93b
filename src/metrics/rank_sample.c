/*
 * rank_sample.c
 *		The type featbit.rank_sample and the aggregates that make and merge it.
 *
 * What leaves an aggregate, as text or in binary is sorted, so that equal
 * samples look alike. Transitions keep the rules of stats_agg.c.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "core/fb_moments.h"
#include "metrics/rank_sample.h"
#include "metrics/state_json.h"
#include "pg_compat.h"

#define TYPE_NAME "featbit.rank_sample"
#define FIRST_ROOM 16
#define MAX_VALUES ((MaxAllocSize - offsetof(FbRankSample, value)) / sizeof(double))

PG_FUNCTION_INFO_V1(fb_rank_sample_in);
PG_FUNCTION_INFO_V1(fb_rank_sample_out);
PG_FUNCTION_INFO_V1(fb_rank_sample_recv);
PG_FUNCTION_INFO_V1(fb_rank_sample_send);
PG_FUNCTION_INFO_V1(fb_rank_sample_accum_pair);
PG_FUNCTION_INFO_V1(fb_rank_sample_accum_arm);
PG_FUNCTION_INFO_V1(fb_rank_sample_merge);
PG_FUNCTION_INFO_V1(fb_rank_sample_final);

/* Returns the name of a kind. */
static const char *
kind_name(int kind)
{
	return kind == FB_SAMPLE_PAIRED ? "paired" : "two_samples";
}

/* Returns an empty sample with room for values. */
static FbRankSample *
make_sample(int kind, Size room)
{
	FbRankSample *sample = palloc0(FB_RANK_SAMPLE_SIZE(room));

	SET_VARSIZE(sample, FB_RANK_SAMPLE_SIZE(room));
	sample->version = FB_RANK_SAMPLE_VERSION;
	sample->kind = kind;
	return sample;
}

/* Returns where the values of treatment begin. */
static double *
treatment(const FbRankSample *sample)
{
	return (double *) sample->value + (FB_RANK_SAMPLE_ROOM(sample) - sample->n_t);
}

/* Returns the detoasted sample behind a datum; never modify it in place. */
FbRankSample *
fb_rank_sample_from_datum(Datum datum)
{
	FbRankSample *sample = (FbRankSample *) PG_DETOAST_DATUM(datum);

	/* What is stored was checked on its way in; this notices damage and newer versions. */
	if (VARSIZE(sample) < FB_RANK_SAMPLE_SIZE(0) || sample->version != FB_RANK_SAMPLE_VERSION ||
		(sample->kind != FB_SAMPLE_PAIRED && sample->kind != FB_SAMPLE_TWO) ||
		(uint64) sample->n_c + sample->n_t > FB_RANK_SAMPLE_ROOM(sample) ||
		(sample->kind == FB_SAMPLE_PAIRED && sample->n_t > 0))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type " TYPE_NAME " is corrupt or of a newer version")));
	return sample;
}

/* Raises the error for a sample of another kind. */
void
fb_rank_sample_refuse_kind(const FbRankSample *sample, int wanted)
{
	if (sample->kind != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a " TYPE_NAME " of kind \"%s\" is needed, not \"%s\"", kind_name(wanted), kind_name(sample->kind)),
				 errhint("wilcoxon_agg makes kind \"paired\", mann_whitney_agg kind \"two_samples\".")));
}

/* Orders numbers. */
static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Returns a sorted copy without room to grow. */
FbRankSample *
fb_rank_sample_sorted(const FbRankSample *sample)
{
	FbRankSample *copy = make_sample(sample->kind, (Size) sample->n_c + sample->n_t);

	copy->n_bad = sample->n_bad;
	copy->n_c = sample->n_c;
	copy->n_t = sample->n_t;
	memcpy(copy->value, sample->value, sizeof(double) * sample->n_c);
	memcpy(copy->value + copy->n_c, treatment(sample), sizeof(double) * sample->n_t);
	qsort(copy->value, copy->n_c, sizeof(double), compare_numbers);
	qsort(copy->value + copy->n_c, copy->n_t, sizeof(double), compare_numbers);
	return copy;
}

/* Returns the sample, or a larger one if it has no room for more values. */
static FbRankSample *
with_room(FbRankSample *sample, Size more)
{
	Size		used = (Size) sample->n_c + sample->n_t;
	Size		room = FB_RANK_SAMPLE_ROOM(sample);
	Size		limit = Min((Size) ((double) work_mem * 1024.0 * hash_mem_multiplier), MaxAllocSize);
	FbRankSample *larger;

	if (used + more <= room)
		return sample;
	limit = Max(limit, FB_RANK_SAMPLE_SIZE(FIRST_ROOM));
	if (FB_RANK_SAMPLE_SIZE(used + more) > limit)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("a rank test needs more than %zu kB for its values", limit / 1024),
				 errdetail("The group has more than %zu values.", used),
				 errhint("Increase work_mem or hash_mem_multiplier, or test a sample of the rows.")));
	room = Max(Max(2 * room, used + more), FIRST_ROOM);
	if (FB_RANK_SAMPLE_SIZE(room) > limit)
		room = (limit - offsetof(FbRankSample, value)) / sizeof(double);
	larger = make_sample(sample->kind, room);
	larger->n_bad = sample->n_bad;
	larger->n_c = sample->n_c;
	larger->n_t = sample->n_t;
	memcpy(larger->value, sample->value, sizeof(double) * sample->n_c);
	memcpy(treatment(larger), treatment(sample), sizeof(double) * sample->n_t);
	return larger;
}

/* Returns the state of a transition as memory that may be modified: the argument itself inside an aggregate, else a copy. */
static FbRankSample *
transition_state(FunctionCallInfo fcinfo)
{
	Datum		datum = PG_GETARG_DATUM(0);
	MemoryContext aggregate,
				old;
	FbRankSample *sample;

	if (!AggCheckCallContext(fcinfo, &aggregate))
	{
		FbRankSample *original = fb_rank_sample_from_datum(datum);

		sample = palloc(VARSIZE(original));
		memcpy(sample, original, VARSIZE(original));
		return sample;
	}
	if (!VARATT_IS_EXTENDED(DatumGetPointer(datum)))
		return (FbRankSample *) DatumGetPointer(datum);
	old = MemoryContextSwitchTo(aggregate);
	sample = fb_rank_sample_from_datum(datum);
	MemoryContextSwitchTo(old);
	return sample;
}

/* Adds a value, or counts it where it is no usable number. */
static FbRankSample *
add_value(FbRankSample *sample, double value, bool is_treatment)
{
	if (!fb_stats_usable(value))
	{
		sample->n_bad++;
		return sample;
	}
	if (value == 0.0)
		value = 0.0;			/* no negative zero */
	sample = with_room(sample, 1);
	if (is_treatment)
		sample->value[FB_RANK_SAMPLE_ROOM(sample) - ++sample->n_t] = value;
	else
		sample->value[sample->n_c++] = value;
	return sample;
}

/* rank_sample_accum(state, x float8, y float8): transition of wilcoxon(x, y) */
Datum
fb_rank_sample_accum_pair(PG_FUNCTION_ARGS)
{
	FbRankSample *sample = transition_state(fcinfo);

	fb_rank_sample_refuse_kind(sample, FB_SAMPLE_PAIRED);
	PG_RETURN_POINTER(add_value(sample, PG_GETARG_FLOAT8(1) - PG_GETARG_FLOAT8(2), false));
}

/* rank_sample_accum(state, y float8, is_treatment boolean): transition of mann_whitney(y, is_treatment) */
Datum
fb_rank_sample_accum_arm(PG_FUNCTION_ARGS)
{
	FbRankSample *sample = transition_state(fcinfo);

	fb_rank_sample_refuse_kind(sample, FB_SAMPLE_TWO);
	PG_RETURN_POINTER(add_value(sample, PG_GETARG_FLOAT8(1), PG_GETARG_BOOL(2)));
}

/* rank_sample_merge(state, state) returns rank_sample */
Datum
fb_rank_sample_merge(PG_FUNCTION_ARGS)
{
	FbRankSample *sample = transition_state(fcinfo);
	FbRankSample *other = fb_rank_sample_from_datum(PG_GETARG_DATUM(1));

	if (sample->kind != other->kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge " TYPE_NAME " of kind \"%s\" with kind \"%s\"", kind_name(sample->kind),
						kind_name(other->kind))));
	sample = with_room(sample, (Size) other->n_c + other->n_t);
	memcpy(sample->value + sample->n_c, other->value, sizeof(double) * other->n_c);
	sample->n_c += other->n_c;
	sample->n_t += other->n_t;
	memcpy(treatment(sample), treatment(other), sizeof(double) * other->n_t);
	sample->n_bad += other->n_bad;
	PG_RETURN_POINTER(sample);
}

/* rank_sample_final(state) returns rank_sample: sorted and without room */
Datum
fb_rank_sample_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(fb_rank_sample_sorted(fb_rank_sample_from_datum(PG_GETARG_DATUM(0))));
}

/* Appends a member with numbers in square brackets. */
static void
append_values(StringInfo out, const char *name, const double *values, uint32 count)
{
	char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

	appendStringInfo(out, ", \"%s\": [", name);
	for (uint32 i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		double_to_shortest_decimal_buf(values[i], number);
		appendStringInfoString(out, number);
	}
	appendStringInfoChar(out, ']');
}

/* rank_sample_out(rank_sample) returns cstring */
Datum
fb_rank_sample_out(PG_FUNCTION_ARGS)
{
	FbRankSample *sample = fb_rank_sample_sorted(fb_rank_sample_from_datum(PG_GETARG_DATUM(0)));
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\": %d, \"kind\": \"%s\", \"n_bad\": " INT64_FORMAT,
					 sample->version, kind_name(sample->kind), (int64) sample->n_bad);
	if (sample->kind == FB_SAMPLE_PAIRED)
		append_values(&out, "differences", sample->value, sample->n_c);
	else
	{
		append_values(&out, "control", sample->value, sample->n_c);
		append_values(&out, "treatment", sample->value + sample->n_c, sample->n_t);
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/* Reads an array of numbers. */
static void
read_values(const FbStateJson *json, JsonbContainer *array, double *value)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	element;

	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		*value = fb_state_json_number(json, &element);
		if (!fb_stats_usable(*value))
			fb_state_json_fail(json, "Values must not exceed 1e140.");
		value++;
	}
}

/* rank_sample_in(cstring) returns rank_sample */
Datum
fb_rank_sample_in(PG_FUNCTION_ARGS)
{
	FbStateJson json;
	FbRankSample *sample;
	JsonbValue *kind;
	JsonbContainer *control,
			   *treated = NULL;
	uint32		n_c,
				n_t = 0;
	bool		paired;

	fb_state_json_open(&json, TYPE_NAME, PG_GETARG_CSTRING(0));
	kind = fb_state_json_member(&json, "kind", jbvString, true);
	paired = kind->val.string.len == 6 && memcmp(kind->val.string.val, "paired", 6) == 0;
	if (!paired && !(kind->val.string.len == 11 && memcmp(kind->val.string.val, "two_samples", 11) == 0))
		fb_state_json_fail(&json, "Member \"kind\" must be \"paired\" or \"two_samples\".");
	n_c = fb_state_json_array(&json, fb_state_json_member(&json, paired ? "differences" : "control", jbvArray, true), &control);
	if (!paired)
		n_t = fb_state_json_array(&json, fb_state_json_member(&json, "treatment", jbvArray, true), &treated);
	sample = make_sample(paired ? FB_SAMPLE_PAIRED : FB_SAMPLE_TWO, (Size) n_c + n_t);
	sample->n_bad = fb_state_json_count(&json, "n_bad", 0);
	fb_state_json_close(&json);
	sample->n_c = n_c;
	sample->n_t = n_t;
	read_values(&json, control, sample->value);
	if (treated)
		read_values(&json, treated, sample->value + n_c);
	PG_RETURN_POINTER(fb_rank_sample_sorted(sample));
}

/* rank_sample_send(rank_sample) returns bytea */
Datum
fb_rank_sample_send(PG_FUNCTION_ARGS)
{
	FbRankSample *sample = fb_rank_sample_sorted(fb_rank_sample_from_datum(PG_GETARG_DATUM(0)));
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendint8(&out, sample->version);
	pq_sendint8(&out, sample->kind);
	pq_sendint64(&out, sample->n_bad);
	pq_sendint32(&out, sample->n_c);
	pq_sendint32(&out, sample->n_t);
	for (uint32 i = 0; i < sample->n_c + sample->n_t; i++)
		pq_sendfloat8(&out, sample->value[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Raises the error for a malformed binary value. */
static void
bad_binary(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type " TYPE_NAME),
			 errdetail("%s", detail)));
}

/* rank_sample_recv(internal) returns rank_sample */
Datum
fb_rank_sample_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	FbRankSample *sample;
	const char *detail = fb_rank_sample_wire_check((unsigned char *) in->data + in->cursor, in->len - in->cursor);
	int			kind;
	int64		n_bad;
	uint32		n_c,
				n_t;

	if (detail)
		bad_binary(detail);
	(void) pq_getmsgbyte(in);
	kind = pq_getmsgbyte(in);
	n_bad = pq_getmsgint64(in);
	n_c = pq_getmsgint(in, 4);
	n_t = pq_getmsgint(in, 4);
	sample = make_sample(kind, (Size) n_c + n_t);
	sample->n_bad = n_bad;
	sample->n_c = n_c;
	sample->n_t = n_t;
	for (uint32 i = 0; i < n_c + n_t; i++)
	{
		double		value = pq_getmsgfloat8(in);

		sample->value[i] = value == 0.0 ? 0.0 : value;
	}
	PG_RETURN_POINTER(fb_rank_sample_sorted(sample));
}
