/*
 * stats_rows.c
 *		Transitions of aggregates over rows of several values: covariates,
 *		ratios, shape; and replacing a row in a state.
 *
 * They keep the rules of stats_agg.c. A cuped state grows when it meets the
 * first unit without covariates: it then gets the indicator of missing ones.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "metrics/stats.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_stats_accum_cuped);
PG_FUNCTION_INFO_V1(fb_stats_accum_covariates);
PG_FUNCTION_INFO_V1(fb_stats_accum_ratio);
PG_FUNCTION_INFO_V1(fb_stats_accum_ratio_cuped);
PG_FUNCTION_INFO_V1(fb_stats_accum_shape);
PG_FUNCTION_INFO_V1(fb_stats_replace_float8);
PG_FUNCTION_INFO_V1(fb_stats_replace_bool);
PG_FUNCTION_INFO_V1(fb_stats_replace_row);
PG_FUNCTION_INFO_V1(fb_stats_skewness_sql);
PG_FUNCTION_INFO_V1(fb_stats_kurtosis_sql);

/* Raises the error for a transition without a state, which only a call by hand can cause. */
static void
refuse_null_state(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the state of a transition must not be null")));
}

/*
 * Adds a unit with its covariates; missing tells that one of them was NULL
 * and stands as 0. Returns the state, or a wider one.
 */
static FbStats *
add_unit(FbStats *state, double *row, int covariates, bool missing)
{
	int			has = fb_stats_covariates(state);
	int			flags = state->flags | (missing ? FB_STATS_MISSING : 0);

	if (has != covariates && has != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("every unit must have the same number of covariates, not %d and %d", has, covariates),
				 errhint("Give a covariate that a unit does not have as null.")));
	if (has != covariates || flags != state->flags)
		state = fb_stats_widened(state, 1 + covariates + (flags & FB_STATS_MISSING), flags);
	if (flags & FB_STATS_MISSING)
		row[1 + covariates] = missing ? 1.0 : 0.0;
	if (unlikely(!fb_stats_add_row(state, row)))
		fb_stats_overflow();
	return state;
}

/* stats_accum(state, y float8, x float8): transition of stats_agg(y, x) */
Datum
fb_stats_accum_cuped(PG_FUNCTION_ARGS)
{
	FbStats    *state;
	double		row[3];

	refuse_null_state(fcinfo);
	state = fb_stats_transition(fcinfo);
	if (unlikely(state->kind != FB_STATS_CUPED))
		fb_stats_wrong_kind(state, FB_STATS_CUPED);
	if (PG_ARGISNULL(1))
		FB_RETURN_STATS(state);
	row[0] = PG_GETARG_FLOAT8(1);
	row[1] = PG_ARGISNULL(2) ? 0.0 : PG_GETARG_FLOAT8(2);
	if (unlikely(!(fb_stats_usable(row[0]) && fb_stats_usable(row[1]))))
		state->n_bad++;
	else if (likely(state->flags == 0 && state->k == 2 && !PG_ARGISNULL(2)))
	{
		if (unlikely(!fb_stats_add_pair(state, row[0], row[1])))
			fb_stats_overflow();
	}
	else
		state = add_unit(state, row, 1, PG_ARGISNULL(2));
	FB_RETURN_STATS(state);
}

/* Reads an array of numbers into at most max places; tells how many there are and whether one is NULL. */
static int
read_row(ArrayType *array, const char *name, double *row, int max, bool *has_null)
{
	int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	char	   *at = ARR_DATA_PTR(array);
	bits8	   *bitmap = ARR_NULLBITMAP(array);

	if (ARR_NDIM(array) > 1 || count > max)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension and at most %d elements", name, max)));
	*has_null = false;
	for (int i = 0; i < count; i++)
	{
		if (bitmap && !(bitmap[i / 8] & (1 << (i % 8))))
		{
			row[i] = 0.0;
			*has_null = true;
			continue;
		}
		memcpy(&row[i], at, sizeof(double));
		at += sizeof(double);
	}
	return count;
}

/* stats_accum(state, y float8, x float8[]): transition of stats_agg(y, x[]), whose first row sets the number of covariates */
Datum
fb_stats_accum_covariates(PG_FUNCTION_ARGS)
{
	FbStats    *state;
	double		row[FB_STATS_MAX_K];
	int			covariates = 0;
	bool		missing = true;
	bool		usable;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		FB_RETURN_STATS(fb_stats_transition(fcinfo));
	}
	row[0] = PG_GETARG_FLOAT8(1);
	if (!PG_ARGISNULL(2))
	{
		covariates = read_row(PG_GETARG_ARRAYTYPE_P(2), "x", row + 1, FB_STATS_MAX_COVARIATES, &missing);
		if (covariates == 0)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("x must have at least one element"),
					 errhint("Give null for a unit without covariates; without any, use stats_agg(y).")));
	}
	if (PG_ARGISNULL(0))
	{
		state = fb_stats_make(FB_STATS_CUPED, 1 + covariates + (missing ? 1 : 0));
		state->flags = missing ? FB_STATS_MISSING : 0;
	}
	else
		state = fb_stats_transition(fcinfo);
	if (unlikely(state->kind != FB_STATS_CUPED))
		fb_stats_wrong_kind(state, FB_STATS_CUPED);

	/* A unit without any covariate has zeros for as many as the others have. */
	if (PG_ARGISNULL(2))
		for (covariates = 0; covariates < fb_stats_covariates(state); covariates++)
			row[1 + covariates] = 0.0;
	usable = true;
	for (int i = 0; i <= covariates; i++)
		usable = usable && fb_stats_usable(row[i]);
	if (unlikely(!usable))
		state->n_bad++;
	else
		state = add_unit(state, row, covariates, missing);
	FB_RETURN_STATS(state);
}

/* ratio_accum(state, num float8, den float8): transition of ratio_agg(num, den) */
Datum
fb_stats_accum_ratio(PG_FUNCTION_ARGS)
{
	FbStats    *state = fb_stats_transition(fcinfo);
	double		num = PG_GETARG_FLOAT8(1);
	double		den = PG_GETARG_FLOAT8(2);

	if (unlikely(state->kind != FB_STATS_RATIO))
		fb_stats_wrong_kind(state, FB_STATS_RATIO);
	if (unlikely(!(fb_stats_usable(num) && fb_stats_usable(den))))
		state->n_bad++;
	else if (unlikely(!fb_stats_add_pair(state, num, den)))
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}

/* ratio_accum(state, num, den, num_pre, den_pre): transition of ratio_agg(num, den, num_pre, den_pre) */
Datum
fb_stats_accum_ratio_cuped(PG_FUNCTION_ARGS)
{
	FbStats    *state;
	double		row[4];
	bool		usable = true;

	refuse_null_state(fcinfo);
	state = fb_stats_transition(fcinfo);
	if (unlikely(state->kind != FB_STATS_RATIO_CUPED))
		fb_stats_wrong_kind(state, FB_STATS_RATIO_CUPED);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		FB_RETURN_STATS(state);

	/* Who was not there before adds nothing to the sums before. */
	for (int i = 0; i < 4; i++)
	{
		row[i] = PG_ARGISNULL(i + 1) ? 0.0 : PG_GETARG_FLOAT8(i + 1);
		usable = usable && fb_stats_usable(row[i]);
	}
	if (unlikely(!usable))
		state->n_bad++;
	else if (unlikely(!fb_stats_add_row(state, row)))
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}

/* shape_accum(state, y float8): transition of shape_agg(y) */
Datum
fb_stats_accum_shape(PG_FUNCTION_ARGS)
{
	FbStats    *state = fb_stats_transition(fcinfo);
	double		y = PG_GETARG_FLOAT8(1);

	if (unlikely(state->kind != FB_STATS_SHAPE))
		fb_stats_wrong_kind(state, FB_STATS_SHAPE);

	/* Fourth powers leave double precision where squares do not. */
	if (unlikely(!(fabs(y) <= 1e70)))
		state->n_bad++;
	else if (unlikely(!fb_stats_add_shape(state, y)))
		fb_stats_overflow();
	FB_RETURN_STATS(state);
}

/* Replaces one row of a copy of a state by another, or raises the error why not. */
static Datum
replaced(FbStats *state, const double *old_row, const double *new_row)
{
	FbStats    *copy = fb_stats_copy(state);

	if (state->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot replace a value in an empty state")));
	for (int i = 0; i < state->k; i++)
		if (!fb_stats_usable(old_row[i]) || !fb_stats_usable(new_row[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("values must be finite and at most 1e140, not %g and %g", old_row[i], new_row[i])));
	if (!fb_stats_replace(copy, old_row, new_row))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot replace a value that the state does not contain")));
	FB_RETURN_STATS(copy);
}

/* Raises the error for a replacement that does not fit the kind of the state. */
static void
wrong_replacement(const FbStats *state)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot replace this in featbit.stats of kind \"%s\"", fb_stats_kind_name(state->kind)),
			 errhint("Kind proportion takes booleans, mean numbers, and cuped, ratio and ratio_cuped arrays of all their variates; kind shape has no replacement.")));
}

/* stats_replace(state stats, old_value float8, new_value float8) returns stats */
Datum
fb_stats_replace_float8(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	double		old_row = PG_GETARG_FLOAT8(1);
	double		new_row = PG_GETARG_FLOAT8(2);

	if (state->kind != FB_STATS_MEAN)
		wrong_replacement(state);
	return replaced(state, &old_row, &new_row);
}

/* stats_replace(state stats, old_value boolean, new_value boolean) returns stats */
Datum
fb_stats_replace_bool(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	double		old_row = PG_GETARG_BOOL(1) ? 1.0 : 0.0;
	double		new_row = PG_GETARG_BOOL(2) ? 1.0 : 0.0;

	if (state->kind != FB_STATS_PROPORTION)
		wrong_replacement(state);
	return replaced(state, &old_row, &new_row);
}

/* Reads a row of all variates of a state, computing the indicator of missing covariates. */
static void
read_variates(FbStats *state, ArrayType *array, const char *name, double *row)
{
	bool		has_null;
	int			given = state->k - (state->flags & FB_STATS_MISSING);
	int			count = read_row(array, name, row, FB_STATS_MAX_K - 1, &has_null);

	if (count != given)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must have the %d values of the state, not %d", name, given, count)));
	if (has_null && !(state->flags & FB_STATS_MISSING))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not contain nulls: no unit of the state lacks a covariate", name)));
	if (state->flags & FB_STATS_MISSING)
		row[given] = has_null ? 1.0 : 0.0;
}

/* stats_replace(state stats, old_row float8[], new_row float8[]) returns stats */
Datum
fb_stats_replace_row(PG_FUNCTION_ARGS)
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	double		old_row[FB_STATS_MAX_K],
				new_row[FB_STATS_MAX_K];

	if (state->kind == FB_STATS_PROPORTION || state->kind == FB_STATS_SHAPE)
		wrong_replacement(state);
	read_variates(state, PG_GETARG_ARRAYTYPE_P(1), "old_row", old_row);
	read_variates(state, PG_GETARG_ARRAYTYPE_P(2), "new_row", new_row);
	return replaced(state, old_row, new_row);
}

/* Returns a shape statistic, NULL for other kinds and where all values are equal. */
static Datum
shape_statistic(FunctionCallInfo fcinfo, double (*statistic) (const FbStats *))
{
	FbStats    *state = FB_GETARG_MOMENTS(0);
	double		value;

	if (state->kind != FB_STATS_SHAPE)
		PG_RETURN_NULL();
	value = statistic(state);
	if (!isfinite(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* skewness(state stats) returns float8 */
Datum
fb_stats_skewness_sql(PG_FUNCTION_ARGS)
{
	return shape_statistic(fcinfo, fb_stats_skewness);
}

/* kurtosis(state stats) returns float8 */
Datum
fb_stats_kurtosis_sql(PG_FUNCTION_ARGS)
{
	return shape_statistic(fcinfo, fb_stats_kurtosis);
}
