/*
 * score_agg.c
 *		Aggregates over numbers: mean_ci, paired_ci, roc_auc, average_precision,
 *		ece, brier, log_loss, perplexity. Their states are those of featbit.metric.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/float.h"

#include "llm/metric_agg.h"
#include "llm/metric_row.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_mean_accum);
PG_FUNCTION_INFO_V1(fb_paired_accum);
PG_FUNCTION_INFO_V1(fb_roc_auc_accum);
PG_FUNCTION_INFO_V1(fb_average_precision_accum);
PG_FUNCTION_INFO_V1(fb_ece_accum);
PG_FUNCTION_INFO_V1(fb_brier_accum);
PG_FUNCTION_INFO_V1(fb_log_loss_accum);
PG_FUNCTION_INFO_V1(fb_perplexity_accum);

/* Returns one option as JSON. */
static Jsonb *
one_param(const char *name, const char *value)
{
	char	   *text = psprintf("{\"%s\": %s}", name, value);

	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* Returns the state of the running group, made at its first row with the option that is given. */
static FbMetricState *
number_state(FunctionCallInfo fcinfo, const char *function, FbMetric metric, bool paired, FbUnitMode unit,
			 const char *option, const char *value)
{
	MemoryContext context = fb_metric_aggregate_context(fcinfo, function);
	Jsonb	   *params = NULL;
	FbMetricState *state;

	if (PG_ARGISNULL(0))
	{
		if (option != NULL)
			params = one_param(option, value);
		return fb_metric_state_new(fb_metric_by_id(metric), params, paired, unit, fb_metric_state_limit(), context);
	}
	state = fb_metric_updatable(fcinfo, context);
	return state;
}

/* Sets the unit of a row from an argument. */
static void
set_unit(FunctionCallInfo fcinfo, int argument, FbMetricRow *row)
{
	text	   *key;

	row->has_unit = PG_NARGS() > argument;
	if (!row->has_unit)
		return;
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the unit of a row must not be NULL"),
				 errhint("Give each row the key of what was sampled, or leave the argument out if every row is a unit of its own.")));
	key = PG_GETARG_TEXT_PP(argument);
	row->unit = VARDATA_ANY(key);
	row->unit_len = VARSIZE_ANY_EXHDR(key);
}

/* Returns the level of an interval as text; NULL where the argument is missing. */
static char *
level_text(FunctionCallInfo fcinfo, int argument, const FbMetricState *state)
{
	double		level;

	if (PG_NARGS() <= argument)
		return NULL;
	level = PG_ARGISNULL(argument) ? -1.0 : PG_GETARG_FLOAT8(argument);
	if (!(level > 0.0 && level < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the level of an interval must be between 0 and 1, both excluded")));
	if (state != NULL && state->params->options.level != level)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the level of an interval must be constant within a group")));
	return float8out_internal(level);
}

/* Adds scores, of which systems are given, then perhaps unit and level. */
static Datum
mean_accum(FunctionCallInfo fcinfo, bool paired)
{
	int			unit = paired ? 3 : 2;
	FbMetricRow row = {0};
	double		scores[2] = {0.0, 0.0};
	bool		counts = true;
	FbMetricState *state = number_state(fcinfo, paired ? "paired_accum" : "mean_accum", FB_METRIC_MEAN, paired,
										PG_NARGS() > unit ? FB_UNIT_GIVEN : FB_UNIT_NONE,
										PG_NARGS() > unit + 1 ? "level" : NULL,
										PG_ARGISNULL(0) ? level_text(fcinfo, unit + 1, NULL) : NULL);

	(void) level_text(fcinfo, unit + 1, state);
	for (int s = 0; s <= (int) paired && counts; s++)
	{
		counts = !PG_ARGISNULL(1 + s);
		if (counts)
		{
			scores[s] = PG_GETARG_FLOAT8(1 + s);
			counts = fb_metric_check_score(state->info, scores[s]);
		}
	}
	if (counts)
	{
		set_unit(fcinfo, unit, &row);
		row.statistics = scores;
		fb_metric_state_add(state, &row);
	}
	return EOHPGetRWDatum(&state->hdr);
}

/* Adds a score. */
Datum
fb_mean_accum(PG_FUNCTION_ARGS)
{
	return mean_accum(fcinfo, false);
}

/* Adds the scores of two systems. */
Datum
fb_paired_accum(PG_FUNCTION_ARGS)
{
	return mean_accum(fcinfo, true);
}

/* Adds an outcome and a number. */
static Datum
outcome_accum(FunctionCallInfo fcinfo, const char *function, FbMetric metric, const char *option, const char *value)
{
	FbMetricState *state = number_state(fcinfo, function, metric, false, FB_UNIT_NONE, option, value);
	FbMetricRow row = {0};
	double		score;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return EOHPGetRWDatum(&state->hdr);
	score = PG_GETARG_FLOAT8(2);
	row.outcome = PG_GETARG_BOOL(1);
	row.statistics = &score;
	if (fb_metric_check_score(state->info, score))
	{
		if (state->info->family == FB_FAMILY_MEAN)
			score = fb_metric_outcome_row(state->info, score, row.outcome);
		fb_metric_state_add(state, &row);
	}
	return EOHPGetRWDatum(&state->hdr);
}

/* Adds a row of roc_auc. */
Datum
fb_roc_auc_accum(PG_FUNCTION_ARGS)
{
	return outcome_accum(fcinfo, "roc_auc_accum", FB_METRIC_ROC_AUC, NULL, NULL);
}

/* Adds a row of average_precision. */
Datum
fb_average_precision_accum(PG_FUNCTION_ARGS)
{
	return outcome_accum(fcinfo, "average_precision_accum", FB_METRIC_AVERAGE_PRECISION, NULL, NULL);
}

/* Adds a row of ece, with a number of bins or without. */
Datum
fb_ece_accum(PG_FUNCTION_ARGS)
{
	char	   *bins = NULL;

	if (PG_NARGS() > 3)
	{
		if (PG_ARGISNULL(3))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the number of bins must not be NULL")));
		bins = psprintf("%d", PG_GETARG_INT32(3));
		if (!PG_ARGISNULL(0))
		{
			FbMetricState *state = fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext);

			if (state->params->options.scored.bins != PG_GETARG_INT32(3))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("the number of bins must be constant within a group")));
		}
	}
	return outcome_accum(fcinfo, "ece_accum", FB_METRIC_ECE, bins ? "bins" : NULL, bins);
}

/* Adds a row of brier. */
Datum
fb_brier_accum(PG_FUNCTION_ARGS)
{
	return outcome_accum(fcinfo, "brier_accum", FB_METRIC_BRIER, NULL, NULL);
}

/* Adds the probability of what happened. */
Datum
fb_log_loss_accum(PG_FUNCTION_ARGS)
{
	FbMetricState *state = number_state(fcinfo, "log_loss_accum", FB_METRIC_LOG_LOSS, false, FB_UNIT_NONE, NULL, NULL);
	FbMetricRow row = {0};
	double		score;

	if (!PG_ARGISNULL(1) && fb_metric_check_score(state->info, PG_GETARG_FLOAT8(1)))
	{
		score = fb_metric_outcome_row(state->info, PG_GETARG_FLOAT8(1), true);
		row.statistics = &score;
		fb_metric_state_add(state, &row);
	}
	return EOHPGetRWDatum(&state->hdr);
}

/* Adds the logarithm of a probability and its number of tokens. */
Datum
fb_perplexity_accum(PG_FUNCTION_ARGS)
{
	FbMetricState *state = number_state(fcinfo, "perplexity_accum", FB_METRIC_PERPLEXITY, false, FB_UNIT_NONE, NULL, NULL);
	FbMetricRow row = {0};
	double		statistics[2];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || !fb_metric_check_score(state->info, PG_GETARG_FLOAT8(1)))
		return EOHPGetRWDatum(&state->hdr);
	statistics[0] = PG_GETARG_FLOAT8(1);
	statistics[1] = (double) PG_GETARG_INT64(2);
	if (statistics[1] < 0.0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a number of tokens must not be negative")));
	row.statistics = statistics;
	fb_metric_state_add(state, &row);
	return EOHPGetRWDatum(&state->hdr);
}
