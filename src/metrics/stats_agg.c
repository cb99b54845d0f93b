/*
 * stats_agg.c
 *		Aggregates that make and merge featbit.stats, and the accessors.
 *
 * Transition functions update their state in place, but only when they run
 * inside an aggregate: called directly, their argument may lie in a shared
 * buffer and is copied. They use neither fn_extra nor fn_expr, so that an
 * engine may look them up anew for every row.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "metrics/sketch.h"
#include "metrics/stats.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_stats_accum_float8);
PG_FUNCTION_INFO_V1(fb_stats_accum_bool);
PG_FUNCTION_INFO_V1(fb_stats_merge_sql);
PG_FUNCTION_INFO_V1(fb_stats_from_counts);
PG_FUNCTION_INFO_V1(fb_stats_with_zeros);
PG_FUNCTION_INFO_V1(fb_stats_n);
PG_FUNCTION_INFO_V1(fb_stats_n_bad);
PG_FUNCTION_INFO_V1(fb_stats_mean_sql);
PG_FUNCTION_INFO_V1(fb_stats_variance_sql);
PG_FUNCTION_INFO_V1(fb_stats_stddev_sql);
PG_FUNCTION_INFO_V1(fb_stats_total_sql);
PG_FUNCTION_INFO_V1(fb_stats_covariance_sql);

/*
 * Returns the state of a transition as memory that may be modified: the
 * argument itself inside an aggregate, else a copy. A state that an aggregate
 * took over from a table may still be packed; its copy then lives as long as
 * the aggregate.
 */
FbStats *
fb_stats_transition(FunctionCallInfo fcinfo)
{
	Datum		datum = PG_GETARG_DATUM(0);
	MemoryContext aggregate;
	MemoryContext old;
	FbStats    *state;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		return fb_stats_copy(fb_stats_from_datum(datum));
	if (!VARATT_IS_EXTENDED(DatumGetPointer(datum)))
		return (FbStats *) DatumGetPointer(datum);
	old = MemoryContextSwitchTo(aggregate);
	state = fb_stats_from_datum(datum);
	MemoryContextSwitchTo(old);
	return state;
}

/* Raises the error for a transition on a state of the wrong kind. */
void
fb_stats_wrong_kind(const FbStats *state, int wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot add to featbit.stats of kind \"%s\" a value that needs kind \"%s\"",
					fb_stats_kind_name(state->kind), fb_stats_kind_name(wanted))));
}

/* Adds a value: transition of stats_agg(float8). */
Datum
fb_stats_accum_float8(PG_FUNCTION_ARGS)
{
	FbStats    *state = fb_stats_transition(fcinfo);
	double		y = PG_GETARG_FLOAT8(1);

	if (unlikely(state->kind != FB_STATS_MEAN))
		fb_stats_wrong_kind(state, FB_STATS_MEAN);
	if (unlikely(!fb_stats_usable(y)))
		state->n_bad++;
	else if (unlikely(!fb_stats_add(state, y)))
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}

/* Adds a success or failure: transition of stats_agg(boolean). */
Datum
fb_stats_accum_bool(PG_FUNCTION_ARGS)
{
	FbStats    *state = fb_stats_transition(fcinfo);

	if (unlikely(state->kind != FB_STATS_PROPORTION))
		fb_stats_wrong_kind(state, FB_STATS_PROPORTION);
	state->n++;
	if (PG_GETARG_BOOL(1))
		state->value[0] += 1.0;
	FB_RETURN_STATS(state);
}

/* Merges two states: combine function of all aggregates and transition of rollup. */
Datum
fb_stats_merge_sql(PG_FUNCTION_ARGS)
{
	FbStats    *state;

	if (fb_sketch_datum(PG_GETARG_DATUM(0)) && fb_sketch_datum(PG_GETARG_DATUM(1)))
		return fb_sketch_merge_datum(fcinfo);
	state = fb_stats_transition(fcinfo);
	FB_RETURN_STATS(fb_stats_merge_checked(state, FB_GETARG_STATS(1)));
}

/* stats_from_counts(n bigint, successes bigint) returns stats */
Datum
fb_stats_from_counts(PG_FUNCTION_ARGS)
{
	int64		n = PG_GETARG_INT64(0);
	int64		successes = PG_GETARG_INT64(1);
	FbStats    *state;

	if (n < 0 || n > FB_STATS_MAX_N)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must be between 0 and 2^53, not " INT64_FORMAT, n)));
	if (successes < 0 || successes > n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("successes must be between 0 and n, not " INT64_FORMAT " of " INT64_FORMAT,
						successes, n),
				 errhint("Events per unit beyond one are not a proportion; aggregate them with stats_agg(float8).")));
	state = fb_stats_make(FB_STATS_PROPORTION, 1);
	state->n = n;
	state->value[0] = (double) successes;
	FB_RETURN_STATS(state);
}

/* with_zeros(state stats, n_total bigint) returns stats */
Datum
fb_stats_with_zeros(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_STATS(0);
	int64		n_total = PG_GETARG_INT64(1);

	if (n_total < state->n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n_total must not be less than the " INT64_FORMAT " units of the state, not " INT64_FORMAT,
						(int64) state->n, n_total),
				 errhint("n_total counts all units, those in the state included.")));
	if (state->kind == FB_STATS_QUANTILE)
		return fb_sketch_with_zeros(state, n_total - state->n);
	state = fb_stats_copy(FB_GETARG_MOMENTS(0));
	if (fb_stats_add_zeros(state, n_total - state->n) != FB_MERGE_OK)
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}

/* n(state stats) returns bigint */
Datum
fb_stats_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(FB_GETARG_STATS(0)->n);
}

/* n_bad(state stats) returns bigint */
Datum
fb_stats_n_bad(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(FB_GETARG_STATS(0)->n_bad);
}

/* Returns the variate that argument arg names, counted from zero. */
static int
variate_arg(FunctionCallInfo fcinfo, int arg, const FbStats *state)
{
	int			i = PG_NARGS() > arg ? PG_GETARG_INT32(arg) : 1;

	if (i < 1 || i > state->k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("variate must be between 1 and %d, not %d", state->k, i),
				 errdetail_plural("The state of kind \"%s\" has %d variate.",
								  "The state of kind \"%s\" has %d variates.",
								  state->k, fb_stats_kind_name(state->kind), state->k)));
	return i - 1;
}

/* Returns a number, or NULL where it is not finite. */
static Datum
return_finite(FunctionCallInfo fcinfo, double value)
{
	if (!isfinite(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* mean(state stats [, variate int]) returns float8 */
Datum
fb_stats_mean_sql(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	int			i = variate_arg(fcinfo, 1, state);

	if (state->n < 1)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(fb_stats_mean(state, i));
}

/* variance(state stats [, variate int]) returns float8 */
Datum
fb_stats_variance_sql(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	int			i = variate_arg(fcinfo, 1, state);

	if (state->n < 2)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(fb_stats_variance(state, i));
}

/* stddev(state stats [, variate int]) returns float8 */
Datum
fb_stats_stddev_sql(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	int			i = variate_arg(fcinfo, 1, state);

	if (state->n < 2)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sqrt(fb_stats_variance(state, i)));
}

/* total(state stats [, variate int]) returns float8 */
Datum
fb_stats_total_sql(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	int			i = variate_arg(fcinfo, 1, state);

	return return_finite(fcinfo, fb_stats_total(state, i));
}

/* covariance(state stats, i int, j int) returns float8 */
Datum
fb_stats_covariance_sql(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	int			i = variate_arg(fcinfo, 1, state);
	int			j = variate_arg(fcinfo, 2, state);

	if (state->n < 2)
		PG_RETURN_NULL();
	if (i == j)
		PG_RETURN_FLOAT8(fb_stats_variance(state, i));
	PG_RETURN_FLOAT8(state->value[FB_COMOMENT(state->k, Max(i, j), Min(i, j))] /
					 ((double) state->n - 1.0));
}
