/*
 * stats_type.c
 *		The type featbit.stats: text and binary forms.
 *
 * Both forms are lossless. The text form prints each number with the shortest
 * decimal that identifies it, whatever extra_float_digits says; the binary
 * form is the version byte, kind, number of variates, flags, n, n_bad and the
 * numbers, all in network byte order. Both ways in end in fb_stats_check.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

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

/* Returns the detoasted state behind a datum; never modify it in place. */
FbStats *
fb_stats_from_datum(Datum datum)
{
	FbStats    *state = (FbStats *) PG_DETOAST_DATUM(datum);

	/* What is stored was checked on its way in; this notices damage and newer versions. */
	if (VARSIZE(state) < FB_STATS_SIZE(1) || state->version != FB_STATS_VERSION ||
		!fb_stats_shape_ok(state->kind, state->k) ||
		(state->flags != 0 && (state->flags != FB_STATS_MISSING || state->kind != FB_STATS_CUPED)) ||
		VARSIZE(state) != FB_STATS_SIZE(fb_stats_values(state->kind, state->k)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type featbit.stats is corrupt or of a newer version")));
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
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cannot merge featbit.stats of %d and of %d covariates",
							fb_stats_covariates(into), fb_stats_covariates(from))));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge featbit.stats of kind \"%s\" with kind \"%s\"",
						fb_stats_kind_name(into->kind), fb_stats_kind_name(from->kind)),
				 errhint("Build both with the same aggregate: boolean values make a proportion, float8 values a mean; cast the boolean with y::int to get a mean.")));
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
	if (state->kind == FB_STATS_PROPORTION)
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
	FbStats    *state;
	const char *detail;
	int			version,
				kind,
				k,
				flags,
				values;

	if (in->len - in->cursor < 20)
		bad_binary("The value is too short.");
	version = pq_getmsgbyte(in);
	kind = pq_getmsgbyte(in);
	k = pq_getmsgbyte(in);
	flags = pq_getmsgbyte(in);
	if (version != FB_STATS_VERSION)
		bad_binary("The version is not supported.");
	if (!fb_stats_shape_ok(kind, k))
		bad_binary("The number of variates does not fit the kind.");
	values = fb_stats_values(kind, k);
	if (in->len - in->cursor != 16 + values * 8)
		bad_binary("The length does not fit the kind and the number of variates.");
	state = fb_stats_make(kind, k);
	state->flags = flags;
	state->n = pq_getmsgint64(in);
	state->n_bad = pq_getmsgint64(in);
	for (int i = 0; i < values; i++)
		state->value[i] = pq_getmsgfloat8(in);
	pq_getmsgend(in);
	detail = fb_stats_check(state);
	if (detail)
		bad_binary(detail);
	FB_RETURN_STATS(state);
}

/* stats_send(stats) returns bytea */
Datum
fb_stats_send(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_STATS(0);
	int			values = fb_stats_values(state->kind, state->k);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, state->version);
	pq_sendbyte(&out, state->kind);
	pq_sendbyte(&out, state->k);
	pq_sendbyte(&out, state->flags);
	pq_sendint64(&out, state->n);
	pq_sendint64(&out, state->n_bad);
	for (int i = 0; i < values; i++)
		pq_sendfloat8(&out, state->value[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}
