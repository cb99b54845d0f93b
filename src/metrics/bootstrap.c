/*
 * bootstrap.c
 *		The aggregates bootstrap_agg and bootstrap_ratio_agg.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/fb_bootstrap.h"
#include "metrics/comparison.h"
#include "metrics/sketch.h"
#include "metrics/stats.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_bootstrap_accum_text);
PG_FUNCTION_INFO_V1(fb_bootstrap_accum_int8);
PG_FUNCTION_INFO_V1(fb_bootstrap_accum_uuid);
PG_FUNCTION_INFO_V1(fb_bootstrap_ratio_accum_text);
PG_FUNCTION_INFO_V1(fb_bootstrap_ratio_accum_int8);
PG_FUNCTION_INFO_V1(fb_bootstrap_ratio_accum_uuid);
PG_FUNCTION_INFO_V1(fb_bootstrap_weight_sql);
PG_FUNCTION_INFO_V1(fb_poisson_thresholds_sql);
PG_FUNCTION_INFO_V1(fb_replicates_sql);

/* Makes an empty state. */
static FbStats *
make_bootstrap(int replicates, int k)
{
	Size		size = FB_BOOTSTRAP_SIZE(replicates, k);
	FbStats    *state = palloc(size);

	fb_bootstrap_init(state, replicates, k);
	SET_VARSIZE(state, size);
	return state;
}

/*
 * Adds a row of a unit: state, unit, y, for a ratio its denominator, then
 * possibly the number of replicates, which the first row settles.
 */
static Datum
accumulate(FunctionCallInfo fcinfo, int k, uint64 (*hash) (Datum unit))
{
	int			last = 2 + k;
	int			replicates = FB_BOOTSTRAP_DEFAULT;
	FbStats    *state;
	double		y,
				d = 0.0;

	if (PG_NARGS() > last)
	{
		if (PG_ARGISNULL(last))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("replicates must not be null")));
		replicates = PG_GETARG_INT32(last);
		if (replicates < FB_BOOTSTRAP_MIN || replicates > FB_BOOTSTRAP_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("replicates must be between %d and %d, not %d", FB_BOOTSTRAP_MIN, FB_BOOTSTRAP_MAX, replicates),
					 errhint("200 give a standard error, intervals by percentiles need 1000.")));
	}
	if (PG_ARGISNULL(0))
		state = make_bootstrap(replicates, k);
	else
		state = fb_stats_transition(fcinfo);
	if (state->kind != FB_STATS_BOOTSTRAP || state->k != k)
		fb_stats_wrong_kind(state, FB_STATS_BOOTSTRAP);
	if (FB_BOOTSTRAP_REPLICATES(state) != replicates)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("replicates must be the same for all rows, not %d and %d",
						FB_BOOTSTRAP_REPLICATES(state), replicates)));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (k == 2 && PG_ARGISNULL(3)))
		FB_RETURN_STATS(state);
	y = PG_GETARG_FLOAT8(2);
	if (k == 2)
		d = PG_GETARG_FLOAT8(3);
	if (!fb_stats_usable(y) || !fb_stats_usable(d))
		state->n_bad++;
	else if (!fb_bootstrap_add(state, hash(PG_GETARG_DATUM(1)), y, d))
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}

/* bootstrap_accum(state, unit text, y float8 [, replicates int]) */
Datum
fb_bootstrap_accum_text(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, 1, fb_unit_hash_text);
}

/* bootstrap_accum(state, unit bigint, y float8 [, replicates int]) */
Datum
fb_bootstrap_accum_int8(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, 1, fb_unit_hash_int8);
}

/* bootstrap_accum(state, unit uuid, y float8 [, replicates int]) */
Datum
fb_bootstrap_accum_uuid(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, 1, fb_unit_hash_uuid);
}

/* bootstrap_ratio_accum(state, unit text, num float8, den float8 [, replicates int]) */
Datum
fb_bootstrap_ratio_accum_text(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, 2, fb_unit_hash_text);
}

/* bootstrap_ratio_accum(state, unit bigint, num float8, den float8 [, replicates int]) */
Datum
fb_bootstrap_ratio_accum_int8(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, 2, fb_unit_hash_int8);
}

/* bootstrap_ratio_accum(state, unit uuid, num float8, den float8 [, replicates int]) */
Datum
fb_bootstrap_ratio_accum_uuid(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, 2, fb_unit_hash_uuid);
}

/* bootstrap_weight(unit text, replicate int) returns int */
Datum
fb_bootstrap_weight_sql(PG_FUNCTION_ARGS)
{
	int32		replicate = PG_GETARG_INT32(1);

	if (replicate < 1 || replicate > FB_BOOTSTRAP_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("replicate must be between 1 and %d, not %d", FB_BOOTSTRAP_MAX, replicate)));
	PG_RETURN_INT32(fb_bootstrap_weight(fb_unit_hash_text(PG_GETARG_DATUM(0)), (uint32_t) replicate));
}

/* poisson_thresholds() returns bigint[] */
Datum
fb_poisson_thresholds_sql(PG_FUNCTION_ARGS)
{
	Datum		elements[FB_BOOTSTRAP_THRESHOLDS];

	for (int i = 0; i < FB_BOOTSTRAP_THRESHOLDS; i++)
		elements[i] = Int64GetDatum(fb_poisson_thresholds[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, FB_BOOTSTRAP_THRESHOLDS, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* replicates(state stats) returns float8[] */
Datum
fb_replicates_sql(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_STATS(0);
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int			bound = 1;

	if (state->kind != FB_STATS_BOOTSTRAP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("featbit.stats of kind \"%s\" has no replicates", fb_stats_kind_name(state->kind)),
				 errhint("Build the state with bootstrap_agg or bootstrap_ratio_agg.")));
	count = FB_BOOTSTRAP_REPLICATES(state);
	elements = palloc(sizeof(Datum) * count);
	nulls = palloc(sizeof(bool) * count);
	for (int r = 1; r <= count; r++)
	{
		double		estimate = fb_bootstrap_estimate(state, r);

		nulls[r - 1] = !isfinite(estimate);
		elements[r - 1] = Float8GetDatum(estimate);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, nulls, 1, &count, &bound, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
