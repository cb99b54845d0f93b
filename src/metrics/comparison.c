/*
 * comparison.c
 *		effect(): compares two states.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "core/fb_effect.h"
#include "metrics/result.h"
#include "metrics/stats.h"
#include "pg_compat.h"

#define SMALL_COUNT 5			/* fewer successes or failures earn a note */
#define EFFECT_COLUMNS 15

PG_FUNCTION_INFO_V1(fb_effect_sql);

static const FbChoice scales[] = {
	{"absolute", FB_ABSOLUTE}, {"relative", FB_RELATIVE}, {NULL, 0}
};

static const FbChoice alternatives[] = {
	{"two-sided", FB_TWO_SIDED}, {"greater", FB_GREATER}, {"less", FB_LESS}, {NULL, 0}
};

/* A method names the test and, on the relative scale, the interval. */
enum
{
	METHOD_AUTO, METHOD_WELCH, METHOD_STUDENT, METHOD_Z, METHOD_FIELLER, METHOD_DELTA
};

static const FbChoice methods[] = {
	{"auto", METHOD_AUTO}, {"welch", METHOD_WELCH}, {"student", METHOD_STUDENT}, {"z", METHOD_Z},
	{"fieller", METHOD_FIELLER}, {"delta", METHOD_DELTA}, {NULL, 0}
};

/* Raises the error for an argument that must not be NULL. */
static void
refuse_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Leave the argument out to get its default.")));
}

/* Reads the arguments behind the two states. */
static void
read_options(FunctionCallInfo fcinfo, FbEffectOptions *options)
{
	int			method;

	refuse_null(fcinfo, 2, "scale");
	refuse_null(fcinfo, 3, "alternative");
	refuse_null(fcinfo, 4, "alpha");
	refuse_null(fcinfo, 5, "method");
	refuse_null(fcinfo, 6, "null_value");
	options->scale = fb_choose("scale", PG_GETARG_TEXT_PP(2), scales);
	options->alternative = fb_choose("alternative", PG_GETARG_TEXT_PP(3), alternatives);
	options->alpha = PG_GETARG_FLOAT8(4);
	method = fb_choose("method", PG_GETARG_TEXT_PP(5), methods);
	options->null_value = PG_GETARG_FLOAT8(6);
	if (!(options->alpha > 0.0 && options->alpha < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("alpha must be between 0 and 1, both excluded, not %g", options->alpha),
				 errhint("alpha is the probability of a false alarm: 0.05 gives intervals of 95 percent.")));
	if (!isfinite(options->null_value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("null_value must be a finite number, not %g", options->null_value)));
	if (options->scale == FB_ABSOLUTE && (method == METHOD_FIELLER || method == METHOD_DELTA))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" applies to scale \"relative\" only",
						method == METHOD_FIELLER ? "fieller" : "delta"),
				 errhint("Legal values with scale \"absolute\" are \"auto\", \"welch\", \"student\", \"z\".")));
	options->test = method == METHOD_STUDENT ? FB_STUDENT : method == METHOD_Z ? FB_Z : FB_WELCH;
	options->interval = method == METHOD_DELTA ? FB_DELTA : FB_FIELLER;
}

/* Reads one side of a comparison; a NULL state has no data. */
static const FbStats *
read_arm(FunctionCallInfo fcinfo, int argument, FbArm *arm)
{
	FbStats    *state;

	arm->n = 0;
	arm->mean = arm->variance = NAN;
	if (PG_ARGISNULL(argument))
		return NULL;
	state = FB_GETARG_STATS(argument);
	if (state->kind != FB_STATS_PROPORTION && state->kind != FB_STATS_MEAN)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("effect does not compare featbit.stats of kind \"%s\"", fb_stats_kind_name(state->kind)),
				 errhint("Compare states of kind \"mean\" or \"proportion\".")));
	arm->n = state->n;
	if (state->n > 0)
		arm->mean = fb_stats_mean(state, 0);
	if (state->n > 1)
		arm->variance = fb_stats_variance(state, 0);
	return state;
}

/* Tells whether an arm has too few successes or failures for the normal approximation. */
static bool
small_counts(const FbStats *state)
{
	return state && state->kind == FB_STATS_PROPORTION && state->n > 0 &&
		Min(state->value[0], (double) state->n - state->value[0]) < SMALL_COUNT;
}

/* effect(control stats, treatment stats, scale, alternative, alpha, method, null_value) returns record */
Datum
fb_effect_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	FbEffectOptions options;
	FbEffect	result;
	FbArm		arm[2];
	const FbStats *state[2];
	Datum		values[EFFECT_COLUMNS];
	bool		nulls[EFFECT_COLUMNS] = {false};
	const char *notes[2];
	int			n_notes = 0;

	read_options(fcinfo, &options);
	for (int i = 0; i < 2; i++)
		state[i] = read_arm(fcinfo, i, &arm[i]);
	if (state[0] && state[1] && state[0]->kind != state[1]->kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot compare featbit.stats of kind \"%s\" with kind \"%s\"",
						fb_stats_kind_name(state[0]->kind), fb_stats_kind_name(state[1]->kind)),
				 errhint("Build both with the same aggregate: boolean values make a proportion, float8 values a mean.")));

	fb_effect(&arm[0], &arm[1], &options, &result);

	if (small_counts(state[0]) || small_counts(state[1]))
		notes[n_notes++] = "small_counts";
	if ((state[0] && state[0]->n_bad > 0) || (state[1] && state[1]->n_bad > 0))
		notes[n_notes++] = "ignored_values";

	fb_set_number(values, nulls, 0, result.effect);
	fb_set_number(values, nulls, 1, result.se);
	fb_set_number(values, nulls, 2, result.ci_low);
	fb_set_number(values, nulls, 3, result.ci_high);
	fb_set_number(values, nulls, 4, result.statistic);
	fb_set_number(values, nulls, 5, result.df);
	fb_set_number(values, nulls, 6, result.p_value);
	fb_set_number(values, nulls, 7, result.log10_p);
	fb_set_number(values, nulls, 8, NAN);	/* log_e: fixed-horizon tests have none */
	for (int i = 0; i < 2; i++)
	{
		values[9 + i] = Int64GetDatum(arm[i].n);
		nulls[9 + i] = state[i] == NULL;
		fb_set_number(values, nulls, 11 + i, arm[i].mean);
	}
	values[13] = CStringGetTextDatum(fb_status_name(result.status));
	values[14] = fb_notes(notes, n_notes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
