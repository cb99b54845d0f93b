/*
 * stats_type.c
 *		The type featbit.stats: text and binary forms.
 *
 * Both forms are lossless. The text form prints each number with the shortest
 * decimal that identifies it, whatever extra_float_digits says; the binary
 * form is the version byte, kind, number of variates, flags, n, n_bad and the
 * numbers, all in network byte order. Both ways in end in the checker of the
 * kind.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

#include "core/fb_stats_text.h"
#include "core/fb_stats_wire.h"
#include "metrics/stats.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_stats_in);
PG_FUNCTION_INFO_V1(fb_stats_out);
PG_FUNCTION_INFO_V1(fb_stats_recv);
PG_FUNCTION_INFO_V1(fb_stats_send);

/* Returns an empty state with its varlena header. */
FbStats *
fb_stats_make(int kind, int k)
{
	Size		size = FB_STATS_SIZE(fb_stats_values(kind, k));
	FbStats    *state = palloc(size);

	fb_stats_init(state, kind, k);
	SET_VARSIZE(state, size);
	return state;
}

/* Returns a copy of a state. */
FbStats *
fb_stats_copy(const FbStats *state)
{
	FbStats    *copy = palloc(VARSIZE(state));

	memcpy(copy, state, VARSIZE(state));
	return copy;
}

/* Tells whether the length of a stored state fits what its first bytes say. */
static bool
size_fits(const FbStats *state)
{
	Size		size = VARSIZE(state);

	if (size < FB_STATS_SIZE(1) || state->version != FB_STATS_VERSION)
		return false;
	if (state->kind == FB_STATS_BOOTSTRAP)
		return (state->k == 1 || state->k == 2) && state->value[0] >= FB_BOOTSTRAP_MIN &&
			state->value[0] <= FB_BOOTSTRAP_MAX && size == FB_BOOTSTRAP_SIZE(FB_BOOTSTRAP_REPLICATES(state), state->k);
	if (state->kind == FB_STATS_QUANTILE)
	{
		const FbSketchFlat *flat = (const FbSketchFlat *) state;
		uint64		buckets = 0;

		if (size < FB_SKETCH_SIZE(1, 0) || (flat->groups != 1 && flat->groups != FB_SKETCH_GROUPS) ||
			size < FB_SKETCH_SIZE(flat->groups, 0))
			return false;
		for (int g = 0; g < flat->groups; g++)
			buckets += (uint32) flat->sizes[g];
		return buckets <= FB_SKETCH_MAX_GROUPED && size == FB_SKETCH_SIZE(flat->groups, buckets) &&
			(flat->bits == FB_SKETCH_EXACT || flat->bits <= FB_SKETCH_MAX_BITS) && (buckets > 0) == (flat->n > 0);
	}
	return fb_stats_shape_ok(state->kind, state->k) &&
		(state->flags == 0 || (state->flags == FB_STATS_MISSING && state->kind == FB_STATS_CUPED)) &&
		size == FB_STATS_SIZE(fb_stats_values(state->kind, state->k));
}

/* Raises the error for a state whose length does not fit its contents. */
static void
check_size(const FbStats *state)
{
	/* What is stored was checked on its way in; this notices damage and newer versions. */
	if (!size_fits(state))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type featbit.stats is corrupt or of a newer version")));
}

/* Returns the detoasted state behind a datum; never modify it in place. */
FbStats *
fb_stats_from_datum(Datum datum)
{
	FbStats    *state = (FbStats *) PG_DETOAST_DATUM(datum);

	check_size(state);
	return state;
}

/* The same for many calls: a small stored state is copied into the room of the caller, not into memory of its own. */
const FbStats *
fb_stats_from_datum_into(Datum datum, FbStatsBuffer *room)
{
	const char *stored = DatumGetPointer(datum);
	Size		size;

	if (!VARATT_IS_SHORT(stored) || VARATT_IS_EXTERNAL(stored))
		return fb_stats_from_datum(datum);
	size = VARSIZE_SHORT(stored) - VARHDRSZ_SHORT;
	SET_VARSIZE(&room->state, size + VARHDRSZ);
	memcpy((char *) room + VARHDRSZ, stored + VARHDRSZ_SHORT, size);
	check_size(&room->state);
	return &room->state;
}

/* The same for functions that read moments. */
FbStats *
fb_stats_moments_from_datum(Datum datum)
{
	FbStats    *state = fb_stats_from_datum(datum);

	if (FB_STATS_IS_LARGE(state->kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("featbit.stats of kind \"%s\" keeps no moments", fb_stats_kind_name(state->kind)),
				 state->kind == FB_STATS_QUANTILE ?
				 errhint("Read it with quantile, quantile_interval or share_below.") :
				 errhint("Read it with replicates, or compare it with effect.")));
	return state;
}

/* Raises the error for results beyond the range of the type. */
void
fb_stats_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value out of range: overflow in featbit.stats"),
			 errdetail("Squares of the values exceed double precision, or the counts exceed 2^53."),
			 errhint("Scale the values down before aggregating them.")));
}

/* Returns a state widened to a common shape. */
FbStats *
fb_stats_widened(const FbStats *state, int k, int flags)
{
	FbStats    *wide = fb_stats_make(state->kind, k);

	wide->flags = flags;
	fb_stats_widen(state, wide);
	return wide;
}

/* Raises the error for two states of one kind that do not fit together. */
void
fb_stats_mismatch(const char *what, const FbStats *a, const FbStats *b)
{
	if (a->kind == FB_STATS_QUANTILE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot %s a sketch of rows with a sketch of units", what),
				 errhint("Build both with quantile_agg, or both with cluster_quantile_agg.")));
	if (a->kind == FB_STATS_BOOTSTRAP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 a->k != b->k ? errmsg("cannot %s the bootstrap of a mean with that of a ratio", what) :
				 errmsg("cannot %s bootstraps of %d and of %d replicates", what,
						FB_BOOTSTRAP_REPLICATES(a), FB_BOOTSTRAP_REPLICATES(b))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot %s featbit.stats of %d and of %d covariates", what,
					fb_stats_covariates(a), fb_stats_covariates(b))));
}

/*
 * Merges one state into another, raising the error when they do not fit
 * together. Returns the result: the first state, or a wider one.
 */
FbStats *
fb_stats_merge_checked(FbStats *into, const FbStats *from)
{
	int			k,
				flags;

	if (!fb_stats_common_shape(into, from, &k, &flags))
	{
		if (into->kind == from->kind)
			fb_stats_mismatch("merge", into, from);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge featbit.stats of kind \"%s\" with kind \"%s\"",
						fb_stats_kind_name(into->kind), fb_stats_kind_name(from->kind)),
				 errhint("Build both with the same aggregate: boolean values make a proportion, float8 values a mean; cast the boolean with y::int to get a mean.")));
	}
	if (into->kind == FB_STATS_BOOTSTRAP)
	{
		if (fb_bootstrap_merge(into, from) != FB_MERGE_OK)
			fb_stats_overflow();
		return into;
	}
	if (into->k != k || into->flags != flags)
		into = fb_stats_widened(into, k, flags);
	if (from->k != k || from->flags != flags)
		from = fb_stats_widened(from, k, flags);
	if (fb_stats_merge(into, from) != FB_MERGE_OK)
		fb_stats_overflow();
	return into;
}

/* stats_in(cstring) returns stats */
Datum
fb_stats_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	FbStatsBuffer buffer;
	FbStats    *state;
	const char *detail;

	if (fb_large_recognise(text))
	{
		FbLargeText found;

		state = NULL;
		if (fb_large_parse(text, &found, &detail))
		{
			state = palloc0(found.size);
			SET_VARSIZE(state, found.size);
			detail = fb_large_fill(&found, state);
		}
		if (detail)
			fb_ereturn(fcinfo->context, (Datum) 0,
					   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid input syntax for type featbit.stats: \"%.100s%s\"", text, strlen(text) > 100 ? "..." : ""),
						errdetail("%s", detail)));
		FB_RETURN_STATS(state);
	}
	if (!fb_stats_parse(text, &buffer.state, &detail))
		fb_ereturn(fcinfo->context, (Datum) 0,
				   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type featbit.stats: \"%s\"", text),
					errdetail("%s", detail)));
	state = fb_stats_make(buffer.state.kind, buffer.state.k);
	memcpy(&state->version, &buffer.state.version,
		   VARSIZE(state) - offsetof(FbStats, version));
	FB_RETURN_STATS(state);
}

/* Appends a number. */
static void
append_number(StringInfo out, double value)
{
	char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, number);
	appendStringInfoString(out, number);
}

/* Appends every stride-th number in square brackets. */
static void
append_strided(StringInfo out, const char *name, const double *values, int stride, int count)
{
	appendStringInfo(out, ", \"%s\": ", name);
	for (int i = 0; i < count; i++)
	{
		appendStringInfoString(out, i > 0 ? ", " : "[");
		append_number(out, values[(Size) i * stride]);
	}
	appendStringInfoChar(out, ']');
}

/* Appends the members of a bootstrap. */
static void
append_bootstrap(StringInfo out, const FbStats *state)
{
	int			count = FB_BOOTSTRAP_REPLICATES(state) + 1;

	if (state->k == 1)
	{
		appendStringInfoString(out, ", \"shift\": ");
		append_number(out, state->value[1]);
	}
	append_strided(out, "weights", state->value + 2, state->k + 1, count);
	append_strided(out, "sums", state->value + 3, state->k + 1, count);
	if (state->k == 2)
		append_strided(out, "denominators", state->value + 4, 3, count);
}

/* Appends the members of a sketch. */
static void
append_sketch(StringInfo out, const FbSketchFlat *flat)
{
	const FbBucket *bucket = FB_SKETCH_BUCKETS(flat);

	appendStringInfo(out, ", \"bits\": %d, \"wanted\": %d, \"min\": ", flat->bits, flat->wanted);
	append_number(out, flat->min);
	appendStringInfoString(out, ", \"max\": ");
	append_number(out, flat->max);
	appendStringInfoString(out, flat->groups == 1 ? ", \"buckets\": " : ", \"groups\": [");
	for (int g = 0; g < flat->groups; g++)
	{
		appendStringInfoString(out, g > 0 ? ", [" : "[");
		for (int i = 0; i < flat->sizes[g]; i++, bucket++)
			appendStringInfo(out, "%s" INT64_FORMAT ", " INT64_FORMAT, i > 0 ? ", " : "",
							 (int64) bucket->key, (int64) bucket->count);
		appendStringInfoChar(out, ']');
	}
	if (flat->groups > 1)
		appendStringInfoChar(out, ']');
}

/* Appends numbers in square brackets. */
static void
append_array(StringInfo out, const double *values, int count)
{
	char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

	appendStringInfoChar(out, '[');
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		double_to_shortest_decimal_buf(values[i], number);
		appendStringInfoString(out, number);
	}
	appendStringInfoChar(out, ']');
}

/* stats_out(stats) returns cstring */
Datum
fb_stats_out(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_STATS(0);
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\": %d, \"kind\": \"%s\", \"n\": " INT64_FORMAT ", \"n_bad\": " INT64_FORMAT,
					 state->version, fb_stats_kind_name(state->kind), (int64) state->n, (int64) state->n_bad);
	if (state->flags & FB_STATS_MISSING)
		appendStringInfoString(&out, ", \"missing\": true");
	if (state->kind == FB_STATS_QUANTILE)
		append_sketch(&out, (FbSketchFlat *) state);
	else if (state->kind == FB_STATS_BOOTSTRAP)
		append_bootstrap(&out, state);
	else if (state->kind == FB_STATS_PROPORTION)
		appendStringInfo(&out, ", \"successes\": " INT64_FORMAT, (int64) state->value[0]);
	else
	{
		appendStringInfoString(&out, ", \"means\": ");
		append_array(&out, state->value, state->k);
		appendStringInfoString(&out, ", \"comoments\": ");
		append_array(&out, state->value + state->k, fb_stats_values(state->kind, state->k) - state->k);
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/* Raises the error for a malformed binary value. */
static void
bad_binary(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type featbit.stats"),
			 errdetail("%s", detail)));
}

/* stats_recv(internal) returns stats */
Datum
fb_stats_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	int			length = in->len - in->cursor;
	const unsigned char *bytes = (const unsigned char *) pq_getmsgbytes(in, length);
	FbStats    *state;
	Size		size;
	const char *detail = fb_stats_wire_measure(bytes, length, &size);

	if (detail)
		bad_binary(detail);
	state = palloc0(size);
	SET_VARSIZE(state, size);
	detail = fb_stats_wire_fill(bytes, length, state, size);
	if (detail)
		bad_binary(detail);
	FB_RETURN_STATS(state);
}

/* stats_send(stats) returns bytea */
Datum
fb_stats_send(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_STATS(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, state->version);
	pq_sendbyte(&out, state->kind);
	pq_sendbyte(&out, state->k);
	pq_sendbyte(&out, state->flags);
	pq_sendint64(&out, state->n);
	pq_sendint64(&out, state->n_bad);
	if (state->kind == FB_STATS_QUANTILE)
	{
		const FbSketchFlat *flat = (FbSketchFlat *) state;
		const FbBucket *bucket = FB_SKETCH_BUCKETS(flat);
		int			buckets = 0;

		pq_sendfloat8(&out, flat->min);
		pq_sendfloat8(&out, flat->max);
		pq_sendint32(&out, flat->wanted);
		pq_sendint32(&out, flat->groups);
		for (int g = 0; g < flat->groups; g++)
		{
			pq_sendint32(&out, flat->sizes[g]);
			buckets += flat->sizes[g];
		}
		for (int i = 0; i < buckets; i++, bucket++)
		{
			pq_sendint64(&out, bucket->key);
			pq_sendint64(&out, bucket->count);
		}
	}
	else if (state->kind == FB_STATS_BOOTSTRAP)
	{
		int			replicates = FB_BOOTSTRAP_REPLICATES(state);

		pq_sendint32(&out, replicates);
		for (Size i = 1; i < FB_BOOTSTRAP_VALUES(replicates, state->k); i++)
			pq_sendfloat8(&out, state->value[i]);
	}
	else
		for (int i = 0; i < fb_stats_values(state->kind, state->k); i++)
			pq_sendfloat8(&out, state->value[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}
