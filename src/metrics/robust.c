/*
 * robust.c
 *		influence() and effect_robust(): standard errors that need a second
 *		look at the units. anova(): several means at once.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/fb_power.h"
#include "core/fb_robust.h"
#include "metrics/comparison.h"
#include "metrics/stats.h"
#include "pg_compat.h"

#define ANOVA_COLUMNS 9

PG_FUNCTION_INFO_V1(fb_influence_sql);
PG_FUNCTION_INFO_V1(fb_effect_robust_sql);
PG_FUNCTION_INFO_V1(fb_anova_sql);

static const FbChoice models[] = {
	{"none", FB_UNADJUSTED}, {"ancova", FB_ANCOVA}, {"lin", FB_LIN}, {NULL, 0}
};

static const FbChoice variances[] = {
	{"HC0", FB_HC0}, {"HC1", FB_HC1}, {"HC2", FB_HC2}, {"HC3", FB_HC3}, {NULL, 0}
};

/* The fit of a call site, with what it was made from. */
typedef struct FitCache
{
	FbFit		fit;
	FbAdjustment model;
	FbRobust	robust;
	FbStats    *control;		/* NULL before the first fit */
	FbStats    *treatment;
} FitCache;

/* Reads two states that a regression can be fitted to, in a common shape. */
static void
read_arms(FunctionCallInfo fcinfo, int first, FbAdjustment model, const FbStats **control, const FbStats **treatment)
{
	FbStats    *c = FB_GETARG_MOMENTS(first);
	FbStats    *t = FB_GETARG_MOMENTS(first + 1);
	int			k,
				flags;

	if ((c->kind != FB_STATS_CUPED && (c->kind != FB_STATS_MEAN || model != FB_UNADJUSTED)) || c->kind != t->kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot fit a regression to featbit.stats of kind \"%s\" and \"%s\"",
						fb_stats_kind_name(c->kind), fb_stats_kind_name(t->kind)),
				 errhint("Build both states with stats_agg(y, x[]), or with stats_agg(y) for model \"none\".")));
	if (!fb_stats_common_shape(c, t, &k, &flags))
		fb_stats_mismatch("compare", c, t);
	if (c->kind == FB_STATS_CUPED)
	{
		if (c->k != k || c->flags != flags)
			c = fb_stats_widened(c, k, flags);
		if (t->k != k || t->flags != flags)
			t = fb_stats_widened(t, k, flags);
	}
	*control = c;
	*treatment = t;
}

/* Tells whether a state is the one that a fit was made from. */
static bool
same(const FbStats *a, const FbStats *b)
{
	return a->kind == b->kind && a->k == b->k && memcmp(&a->version, &b->version,
														FB_STATS_SIZE(fb_stats_values(a->kind, a->k)) - offsetof(FbStats, version)) == 0;
}

/* Returns the fit of the states in arguments first and first + 1, made once per call site. */
static FbFit *
get_fit(FunctionCallInfo fcinfo, int first, FbAdjustment model, FbRobust robust, const FbStats **control)
{
	FitCache   *cache = fcinfo->flinfo->fn_extra;
	const FbStats *treatment;

	read_arms(fcinfo, first, model, control, &treatment);
	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(FitCache));
	if (cache->control == NULL || cache->model != model || cache->robust != robust ||
		!same(cache->control, *control) || !same(cache->treatment, treatment))
	{
		if (cache->treatment == NULL)
			cache->treatment = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(FbStatsBuffer));
		if (cache->control == NULL)
			cache->control = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(FbStatsBuffer));
		memcpy(cache->control, *control, VARSIZE(*control));
		memcpy(cache->treatment, treatment, VARSIZE(treatment));
		cache->model = model;
		cache->robust = robust;
		fb_fit(*control, treatment, model, robust, &cache->fit);
	}
	return &cache->fit;
}

/* influence(y float8, treated boolean, x float8[], control stats, treatment stats, model text, variance text) returns float8 */
Datum
fb_influence_sql(PG_FUNCTION_ARGS)
{
	const FbStats *control;
	FbAdjustment model;
	FbRobust	robust;
	FbFit	   *fit;
	double		row[FB_STATS_MAX_K] = {0};
	double		value;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3) || PG_ARGISNULL(4))
		PG_RETURN_NULL();
	fb_refuse_null(fcinfo, 5, "model");
	fb_refuse_null(fcinfo, 6, "variance");
	model = fb_choose("model", PG_GETARG_TEXT_PP(5), models);
	robust = fb_choose("variance", PG_GETARG_TEXT_PP(6), variances);
	fit = get_fit(fcinfo, 3, model, robust, &control);
	if (fit->status != FB_OK)
		PG_RETURN_NULL();
	row[0] = PG_GETARG_FLOAT8(0);
	if (fit->k > 0)
	{
		int			covariates = fb_stats_covariates(control);
		bool		missing = PG_ARGISNULL(2);
		Datum	   *elements;
		bool	   *nulls;
		int			count = 0;

		if (!missing)
		{
			ArrayType  *array = PG_GETARG_ARRAYTYPE_P(2);

			deconstruct_array(array, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
			if (ARR_NDIM(array) > 1 || count != covariates)
				ereport(ERROR,
						(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						 errmsg("x must have the %d covariates of the states in one dimension, not %d", covariates, count)));
		}
		for (int i = 0; i < count; i++)
		{
			missing = missing || nulls[i];
			if (!nulls[i])
				row[i + 1] = DatumGetFloat8(elements[i]);
		}
		if (missing && !(control->flags & FB_STATS_MISSING))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("x must not contain nulls: no unit of the states lacks a covariate")));
		if (control->flags & FB_STATS_MISSING)
			row[covariates + 1] = missing ? 1.0 : 0.0;
	}
	for (int i = 0; i <= fit->k; i++)
		if (!fb_stats_usable(row[i]))
			PG_RETURN_NULL();
	value = fb_influence(fit, PG_GETARG_BOOL(1), row);
	if (!isfinite(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* effect_robust(control stats, treatment stats, influences stats, model, alternative, alpha, null_value) returns record */
Datum
fb_effect_robust_sql(PG_FUNCTION_ARGS)
{
	const FbStats *control;
	const FbStats *treatment;
	FbStats    *influences;
	FbEffectOptions options;
	FbContrast	contrast;
	FbEffect	result;
	FbSides		sides;
	FbFit		fit;
	FbAdjustment model;
	double		n;

	for (int i = 0; i < 3; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", i == 0 ? "control" : i == 1 ? "treatment" : "influences")));
	fb_refuse_null(fcinfo, 3, "model");
	fb_refuse_null(fcinfo, 4, "alternative");
	model = fb_choose("model", PG_GETARG_TEXT_PP(3), models);
	read_arms(fcinfo, 0, model, &control, &treatment);
	influences = FB_GETARG_MOMENTS(2);
	if (influences->kind != FB_STATS_MEAN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("influences must be featbit.stats of kind \"mean\", not \"%s\"", fb_stats_kind_name(influences->kind)),
				 errhint("Aggregate them by stats_agg(influence(...)).")));
	fb_default_options(&options);
	options.scale = FB_ABSOLUTE;
	options.alternative = fb_choose("alternative", PG_GETARG_TEXT_PP(4), fb_alternatives);
	options.alpha = fb_get_alpha(fcinfo, 5);
	options.null_value = fb_get_finite(fcinfo, 6, "null_value");
	memset(&sides, 0, sizeof(sides));
	sides.state[0] = control;
	sides.state[1] = treatment;
	fb_fit(control, treatment, model, FB_HC0, &fit);
	n = (double) influences->n;
	if (n > fit.n[0] + fit.n[1])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("influences must not be of more units than the states, " INT64_FORMAT " and " INT64_FORMAT,
						(int64) influences->n, (int64) (control->n + treatment->n))));
	memset(&contrast, 0, sizeof(contrast));
	contrast.n_c = control->n;
	contrast.n_t = treatment->n;
	contrast.mean_c = control->n > 0 ? fb_stats_mean(control, 0) : NAN;
	contrast.mean_t = treatment->n > 0 ? fb_stats_mean(treatment, 0) : NAN;
	contrast.difference = fit.effect;
	contrast.status = fit.status;
	if (fit.status == FB_OK && n < 2.0)
		contrast.status = FB_INSUFFICIENT_N;
	if (contrast.status == FB_OK)
	{
		bool		clustered = n < fit.n[0] + fit.n[1];

		/* The influences sum to zero but for the leverages: their second moment is about zero, not about their mean. */
		contrast.free = influences->value[1] + n * influences->value[0] * influences->value[0];
		if (clustered)
			contrast.free *= n / (n - 1.0);
		contrast.df = clustered ? n - 1.0 : n - fit.parameters;
	}
	fb_effect(&contrast, &options, &result);
	PG_RETURN_DATUM(fb_effect_row(fcinfo, &sides, &contrast, &result, NULL));
}

/* anova(states stats[]) returns record */
Datum
fb_anova_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	Datum		values[ANOVA_COLUMNS];
	bool		is_null[ANOVA_COLUMNS] = {false};
	FbStatsBuffer between;
	double		within = 0.0;
	double		f = NAN,
				df_between = -1.0,
				df_within = 0.0,
				log_p = NAN;
	FbStatus	status = FB_OK;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("states must be an array of one dimension")));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls, &count);
	fb_stats_init(&between.state, FB_STATS_MEAN, 1);
	for (int i = 0; i < count; i++)
	{
		FbStats    *state;
		FbStatsBuffer mean;

		if (nulls[i])
			continue;
		state = fb_stats_moments_from_datum(elements[i]);
		if (state->kind != FB_STATS_MEAN && state->kind != FB_STATS_SHAPE && state->kind != FB_STATS_CUPED &&
			state->kind != FB_STATS_PROPORTION)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("anova does not compare featbit.stats of kind \"%s\"", fb_stats_kind_name(state->kind))));
		if (state->n == 0)
			continue;
		df_between++;
		df_within += (double) state->n - 1.0;
		within += state->kind == FB_STATS_PROPORTION ? fb_stats_variance(state, 0) * (double) state->n :
			state->value[FB_COMOMENT(state->k, 0, 0)];

		/* Group means merge like states without variation within. */
		fb_stats_init(&mean.state, FB_STATS_MEAN, 1);
		mean.state.n = state->n;
		mean.state.value[0] = fb_stats_mean(state, 0);
		if (fb_stats_merge(&between.state, &mean.state) != FB_MERGE_OK)
			status = FB_RESOLUTION;
	}
	if (df_between < 0.0)
		status = FB_NO_DATA;
	else if (df_between < 1.0 || df_within < 1.0)
		status = FB_INSUFFICIENT_N;
	else if (status == FB_OK && !(within > 0.0))
		status = FB_ZERO_VARIANCE;
	else if (status == FB_OK)
	{
		f = between.state.value[1] / df_between / (within / df_within);
		log_p = fb_f_log_sf(f, df_between, df_within);
		if (!isfinite(f))
			status = FB_RESOLUTION;
	}
	fb_set_number(values, is_null, 0, f);
	is_null[1] = df_between < 0.0;
	values[1] = Int32GetDatum((int32) df_between);
	fb_set_number(values, is_null, 2, df_between < 0.0 ? NAN : df_within);
	fb_set_number(values, is_null, 3, exp(log_p));
	fb_set_number(values, is_null, 4, log_p / 2.30258509299404568402);
	fb_set_number(values, is_null, 5, df_between < 1.0 ? NAN : between.state.value[1] / df_between);
	fb_set_number(values, is_null, 6, df_within < 1.0 ? NAN : within / df_within);
	fb_set_number(values, is_null, 7, status == FB_OK ? between.state.value[1] / (between.state.value[1] + within) : NAN);
	values[8] = fb_status_text(status);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, is_null)));
}
