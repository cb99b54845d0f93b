/*
 * quantile.c
 *		Reading sketches: quantiles, their intervals, shares, ranks.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/fb_beta.h"
#include "core/fb_normal.h"
#include "metrics/comparison.h"
#include "metrics/sketch.h"
#include "metrics/stats.h"
#include "pg_compat.h"

#define INTERVAL_COLUMNS 9

PG_FUNCTION_INFO_V1(fb_quantile_sql);
PG_FUNCTION_INFO_V1(fb_quantiles_sql);
PG_FUNCTION_INFO_V1(fb_quantile_interval_sql);
PG_FUNCTION_INFO_V1(fb_quantile_ranks_sql);
PG_FUNCTION_INFO_V1(fb_share_below_sql);
PG_FUNCTION_INFO_V1(fb_sketch_accuracy_sql);
PG_FUNCTION_INFO_V1(fb_stats_from_quantile);
PG_FUNCTION_INFO_V1(fb_cap_value_sql);
PG_FUNCTION_INFO_V1(fb_capping_accum);

/* Reads a sketch; other kinds are refused. */
static FbSketchFlat *
get_sketch(FunctionCallInfo fcinfo, int argument)
{
	FbStats    *state = FB_GETARG_STATS(argument);

	if (state->kind != FB_STATS_QUANTILE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("featbit.stats of kind \"%s\" has no quantiles", fb_stats_kind_name(state->kind)),
				 errhint("Build the state with quantile_agg.")));
	return (FbSketchFlat *) state;
}

/* Checks a probability. */
static double
check_probability(double p, const char *name, bool closed)
{
	if (!(closed ? p >= 0.0 && p <= 1.0 : p > 0.0 && p < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1%s, not %g", name, closed ? "" : ", both excluded", p),
				 errhint("The median is 0.5, the 95th percentile 0.95.")));
	return p;
}

/* quantile(state stats, p float8, discrete boolean) returns float8 */
Datum
fb_quantile_sql(PG_FUNCTION_ARGS)
{
	FbSketchFlat *flat = get_sketch(fcinfo, 0);
	double		p = check_probability(PG_GETARG_FLOAT8(1), "p", true);
	FbSketchView view;

	if (flat->n == 0)
		PG_RETURN_NULL();
	fb_sketch_view(flat, &fb_palloc_memory, &view);
	PG_RETURN_FLOAT8(fb_sketch_quantile(&view, p, PG_GETARG_BOOL(2)));
}

/* quantiles(state stats, p float8[]) returns float8[] */
Datum
fb_quantiles_sql(PG_FUNCTION_ARGS)
{
	FbSketchFlat *flat = get_sketch(fcinfo, 0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	FbSketchView view;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("p must be an array of one dimension")));
	deconstruct_array(array, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
	if (count == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(FLOAT8OID));
	fb_sketch_view(flat, &fb_palloc_memory, &view);
	for (int i = 0; i < count; i++)
	{
		if (!nulls[i])
			check_probability(DatumGetFloat8(elements[i]), "p", true);
		nulls[i] = nulls[i] || flat->n == 0;
		if (!nulls[i])
			elements[i] = Float8GetDatum(fb_sketch_quantile(&view, DatumGetFloat8(elements[i]), false));
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, nulls, 1, &count, ARR_LBOUND(array), FLOAT8OID, 8,
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* quantile_interval(state stats, p float8, alpha float8) returns record */
Datum
fb_quantile_interval_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	FbSketchFlat *flat = get_sketch(fcinfo, 0);
	double		p = check_probability(PG_GETARG_FLOAT8(1), "p", false);
	double		alpha = fb_get_alpha(fcinfo, 2);
	FbSketchView view;
	FbQuantile	result;
	Datum		values[INTERVAL_COLUMNS];
	bool		nulls[INTERVAL_COLUMNS] = {false};

	fb_sketch_view(flat, &fb_palloc_memory, &view);
	fb_quantile_estimate(&view, p, alpha, &result);
	fb_set_number(values, nulls, 0, result.value);
	fb_set_number(values, nulls, 1, sqrt(result.variance));
	fb_set_number(values, nulls, 2, result.low);
	fb_set_number(values, nulls, 3, result.high);
	fb_set_number(values, nulls, 4, result.rank_low);
	fb_set_number(values, nulls, 5, result.rank_high);
	fb_set_number(values, nulls, 6, flat->groups > 1 && isfinite(result.df) ? result.inflation : NAN);
	values[7] = Int64GetDatum(flat->n);
	values[8] = fb_status_text(result.status);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Returns the least x with P(X <= x) >= q for a binomial X. */
static double
binomial_quantile(double q, double n, double p)
{
	double		low = -1.0;
	double		high = n;

	while (high - low > 1.0)
	{
		double		middle = floor(0.5 * (low + high));
		FbTails		tails;

		/* P(X <= m) = 1 - I_p(m + 1, n - m) */
		fb_beta_inc(middle + 1.0, n - middle, p, &tails);
		if (tails.upper >= q)
			high = middle;
		else
			low = middle;
	}
	return high;
}

/* quantile_ranks(n bigint, p float8, alpha float8, method text) returns record */
Datum
fb_quantile_ranks_sql(PG_FUNCTION_ARGS)
{
	static const FbChoice methods[] = {{"normal", 0}, {"exact", 1}, {NULL, 0}};
	TupleDesc	desc = fb_result_desc(fcinfo);
	int64		n = PG_GETARG_INT64(0);
	double		p = check_probability(PG_GETARG_FLOAT8(1), "p", false);
	double		alpha = fb_get_alpha(fcinfo, 2);
	double		low,
				high;
	Datum		values[4];
	bool		nulls[4] = {false};

	if (n < 1 || n > FB_STATS_MAX_N)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n must be between 1 and 2^53, not " INT64_FORMAT, n)));
	if (fb_choose("method", PG_GETARG_TEXT_PP(3), methods) == 0)
		fb_quantile_ranks((double) n, p, alpha, 1.0, &low, &high);
	else
	{
		low = binomial_quantile(0.5 * alpha, (double) n, p);
		high = binomial_quantile(1.0 - 0.5 * alpha, (double) n, p) + 1.0;
	}
	fb_set_number(values, nulls, 0, low);
	fb_set_number(values, nulls, 1, high);
	nulls[2] = !(low >= 1.0);
	values[2] = Int64GetDatum((int64) floor(low));
	nulls[3] = !(high <= (double) n);
	values[3] = Int64GetDatum((int64) ceil(high));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* share_below(state stats, y float8) returns float8 */
Datum
fb_share_below_sql(PG_FUNCTION_ARGS)
{
	FbSketchFlat *flat = get_sketch(fcinfo, 0);
	double		y = PG_GETARG_FLOAT8(1);
	FbSketchView view;

	if (flat->n == 0 || isnan(y))
		PG_RETURN_NULL();
	fb_sketch_view(flat, &fb_palloc_memory, &view);
	PG_RETURN_FLOAT8(fb_sketch_share(&view, y));
}

/* sketch_accuracy(state stats) returns float8 */
Datum
fb_sketch_accuracy_sql(PG_FUNCTION_ARGS)
{
	FbSketchFlat *flat = get_sketch(fcinfo, 0);

	PG_RETURN_FLOAT8(flat->bits == FB_SKETCH_EXACT ? 0.0 : ldexp(1.0, -flat->bits));
}

/* cap_value(pooled stats, p float8, ignore_zeros boolean) returns float8 */
Datum
fb_cap_value_sql(PG_FUNCTION_ARGS)
{
	FbSketchFlat *flat = get_sketch(fcinfo, 0);
	double		p = check_probability(PG_GETARG_FLOAT8(1), "p", false);
	FbSketchView view;
	double		n = (double) flat->n;
	double		zeros = 0.0;
	double		below = 0.0;	/* values less than zero */
	double		cap;
	double		rank;

	if (n == 0.0)
		PG_RETURN_NULL();
	fb_sketch_view(flat, &fb_palloc_memory, &view);
	if (PG_GETARG_BOOL(2))
		for (size_t i = 0; i < view.count; i++)
			if (view.bucket[i].key == 0)
			{
				zeros = (double) view.bucket[i].count;
				below = (double) view.below[i];
			}
	if (zeros >= n)
		PG_RETURN_NULL();
	rank = 1.0 + (n - zeros - 1.0) * p;

	/* Ranks among the values other than zero, those above it moved up by the zeros. */
	if (zeros > 0.0)
	{
		double		whole = floor(rank);
		double		here = fb_sketch_value(&view, whole > below ? whole + zeros : whole);
		double		next = rank == whole ? here : fb_sketch_value(&view, whole + 1.0 > below ? whole + 1.0 + zeros : whole + 1.0);

		cap = here + (next - here) * (rank - whole);
	}
	else
		cap = fb_sketch_value(&view, rank);
	if (!(cap > 0.0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(cap);
}

/* stats_from_quantile(n bigint, value float8, ci_low float8, ci_high float8, alpha float8, n_ranks bigint) returns stats */
Datum
fb_stats_from_quantile(PG_FUNCTION_ARGS)
{
	int64		n = PG_GETARG_INT64(0);
	double		value = PG_GETARG_FLOAT8(1);
	double		low = PG_GETARG_FLOAT8(2);
	double		high = PG_GETARG_FLOAT8(3);
	double		alpha = fb_get_alpha(fcinfo, 4);
	int64		n_ranks = PG_ARGISNULL(5) ? n : PG_GETARG_INT64(5);
	double		root;
	FbStats    *state;

	if (n < 2 || n > FB_STATS_MAX_N || n_ranks < 2 || n_ranks > FB_STATS_MAX_N)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("n and n_ranks must be between 2 and 2^53, not " INT64_FORMAT " and " INT64_FORMAT, n, n_ranks)));
	if (!fb_stats_usable(value) || !fb_stats_usable(low) || !fb_stats_usable(high) || low > value || value > high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must be a finite number between ci_low and ci_high, not %g between %g and %g", value, low, high)));
	root = (high - low) / (-2.0 * fb_norm_quantile(0.5 * alpha));
	state = fb_stats_make(FB_STATS_MEAN, 1);
	state->n = n;
	state->value[0] = value;
	state->value[1] = (double) n_ranks / (double) n * ((double) n - 1.0) * root * root * ((double) n - 1.0);
	if (!isfinite(state->value[1]))
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}

/* capping_accum(state, y float8, cap float8): transition of capping */
Datum
fb_capping_accum(PG_FUNCTION_ARGS)
{
	FbStats    *state;
	double		row[3];

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the state of a transition must not be null")));
	state = fb_stats_transition(fcinfo);
	if (state->kind != FB_STATS_CUPED || state->k != 3 || state->flags != 0)
		fb_stats_wrong_kind(state, FB_STATS_CUPED);
	if (PG_ARGISNULL(1))
		FB_RETURN_STATS(state);
	row[0] = row[1] = PG_GETARG_FLOAT8(1);
	row[2] = 0.0;
	if (!PG_ARGISNULL(2) && row[1] > PG_GETARG_FLOAT8(2))
	{
		row[0] = PG_GETARG_FLOAT8(2);
		row[2] = 1.0;
	}
	if (!fb_stats_usable(row[0]) || !fb_stats_usable(row[1]))
		state->n_bad++;
	else if (!fb_stats_add_row(state, row))
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}
