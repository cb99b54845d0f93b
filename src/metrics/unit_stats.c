/*
 * unit_stats.c
 *		Reading what exposed units did: unit_stats() as moments per variation,
 *		unit_values() as one row per unit.
 *
 * Both bring the map again: it knows the units without events, and the events
 * that still wait in the state need it. Where no event was aggregated at all
 * there is no state, and every unit has done nothing.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "fb_rows.h"
#include "metrics/result.h"
#include "metrics/stats.h"
#include "metrics/unit_outcomes.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_unit_stats);
PG_FUNCTION_INFO_V1(fb_unit_values);

/* Units between two looks for interrupts. */
#define UNITS_AT_ONCE 65536

static const FbChoice mixed_choices[] = {
	{"exclude", false}, {"first", true}, {NULL, 0}
};

/* What a call reads. */
typedef struct Reading
{
	FbExposureView view;
	FbOutcomeState *state;
	FbOutcomeChoice choice;
	FbArm	   *arms;
} Reading;

/* Reads the arguments map, state and, from position on, metrics, as_of and mixed; false where there is no map. */
static bool
read_arguments(FunctionCallInfo fcinfo, int position, Reading *reading)
{
	memset(reading, 0, sizeof(*reading));
	if (PG_ARGISNULL(0))
		return false;
	fb_exposure_datum_view(PG_GETARG_DATUM(0), &reading->view);
	if (!PG_ARGISNULL(position + 1))
	{
		reading->choice.has_as_of = true;
		reading->choice.as_of = PG_GETARG_TIMESTAMPTZ(position + 1);
	}
	if (!PG_ARGISNULL(position + 2))
		reading->choice.with_mixed = fb_choose("mixed", PG_GETARG_TEXT_PP(position + 2), mixed_choices);
	if (!PG_ARGISNULL(1))
		reading->state = fb_outcome_state_get(PG_GETARG_DATUM(1), CurrentMemoryContext);
	else
	{
		FbUnitPlan	plan;
		bool		given = !PG_ARGISNULL(position);

		/* Nobody knows how many values the events would have brought. */
		fb_unit_plan(given ? PG_GETARG_JSONB_P(position) : NULL, given ? FB_MAX_VALUES : 1, true, &plan);
		reading->state = fb_outcome_state_new(&reading->view, &plan, CurrentMemoryContext, true);
	}
	fb_outcome_state_settle(reading->state, &reading->view);
	reading->arms = palloc(sizeof(FbArm) * (reading->view.arms + 1));
	fb_exposures_arms(&reading->view, reading->arms);
	return true;
}

/* Finds the caps of a metric, of values and of covariates; a quantile is that of all units that count, whatever their arm. */
static void
find_caps(const Reading *reading, uint32 metric, double *caps)
{
	const FbOutcomes *o = &reading->state->outcomes;
	const FbOutcomeMetric *m = &o->metric[metric];
	const double none[2] = {fb_double_of(FB_VALUE_NONE), fb_double_of(FB_VALUE_NONE)};
	double	   *values;

	caps[0] = caps[1] = m->cap;
	if (isnan(m->cap_quantile))
		return;
	values = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * ((Size) o->units + 1));
	for (int side = 0; side < (m->lookback > 0 ? 2 : 1); side++)
	{
		Size		count = 0;

		for (uint32 unit = 0; unit < o->units; unit++)
		{
			FbUnitOutcome outcome;

			if (unit % UNITS_AT_ONCE == 0)
				CHECK_FOR_INTERRUPTS();
			if (!fb_outcomes_unit(o, &reading->view, metric, unit, &reading->choice, none, NULL, &outcome))
				continue;
			if (side == 0 ? outcome.has_y : outcome.has_x)
				values[count++] = side == 0 ? outcome.y : outcome.x;
		}
		caps[side] = count > 0 ? fb_quantile(values, count, m->cap_quantile) : none[0];

		/* A cap of zero would leave nothing of a metric that most units have not. */
		if (!(caps[side] > 0.0))
			caps[side] = none[0];
	}
	pfree(values);
}

/* Sets the columns variation and stratum. */
static void
set_arm(Datum *values, bool *nulls, int column, const FbArm *arm)
{
	values[column] = PointerGetDatum(fb_unit_name_text(arm->variation, arm->variation_length));
	nulls[column] = false;
	nulls[column + 1] = arm->stratum == NULL;
	if (arm->stratum)
		values[column + 1] = PointerGetDatum(fb_unit_name_text(arm->stratum, arm->stratum_length));
}

/* unit_stats(map, state, metrics, as_of, mixed) returns setof record */
Datum
fb_unit_stats(PG_FUNCTION_ARGS)
{
	FbRows		rows;
	Reading		reading;
	const FbOutcomes *o;
	uint32		arms;

	fb_rows_begin(&rows, fcinfo);
	if (!read_arguments(fcinfo, 2, &reading))
		return (Datum) 0;
	o = &reading.state->outcomes;
	arms = reading.view.arms;
	for (uint32 metric = 0; metric < o->metrics; metric++)
	{
		FbStats   **stats = palloc(sizeof(FbStats *) * (arms + 1));
		FbOutcomeCount *counts = palloc0(sizeof(FbOutcomeCount) * (arms + 1));
		double		caps[2];
		int			kind,
					k,
					flags;

		find_caps(&reading, metric, caps);
		fb_outcomes_kind(&o->metric[metric], &kind, &k, &flags);
		for (uint32 arm = 0; arm < arms; arm++)
		{
			stats[arm] = fb_stats_make(kind, k);
			stats[arm]->flags = flags;
			stats[arm]->n_bad = (int64) o->bad[(Size) metric * arms + arm];
		}
		for (uint32 unit = 0; unit < o->units; unit++)
		{
			uint32		arm = FB_TAG_ARM(fb_unit_tag(fb_exposure_entry(&reading.view, unit), reading.view.words));
			FbUnitOutcome outcome;

			if (unit % UNITS_AT_ONCE == 0)
				CHECK_FOR_INTERRUPTS();
			if (fb_outcomes_unit(o, &reading.view, metric, unit, &reading.choice, caps, &counts[arm], &outcome) &&
				!fb_outcomes_add(stats[arm], &outcome))
				fb_stats_overflow();
		}
		for (uint32 arm = 0; arm < arms; arm++)
		{
			MemoryContext old = MemoryContextSwitchTo(rows.row_context);
			Datum		values[11];
			bool		nulls[11] = {0};

			values[0] = Int32GetDatum(metric + 1);
			set_arm(values, nulls, 1, &reading.arms[arm]);
			values[3] = Int64GetDatum(counts[arm].units);
			values[4] = Int64GetDatum(counts[arm].mixed);
			values[5] = Int64GetDatum(counts[arm].immature);
			values[6] = Int64GetDatum(counts[arm].nonzero);
			fb_set_number(values, nulls, 7, caps[0]);
			values[8] = Int64GetDatum(counts[arm].capped);
			fb_set_number(values, nulls, 9, counts[arm].removed);
			values[10] = PointerGetDatum(stats[arm]);
			MemoryContextSwitchTo(old);
			fb_rows_put(&rows, values, nulls);
			pfree(stats[arm]);
		}
		pfree(stats);
		pfree(counts);
	}
	return (Datum) 0;
}

/* unit_values(map, state, metric, metrics, as_of, mixed) returns setof record */
Datum
fb_unit_values(PG_FUNCTION_ARGS)
{
	FbRows		rows;
	Reading		reading;
	const FbOutcomes *o;
	int32		metric = PG_ARGISNULL(2) ? 1 : PG_GETARG_INT32(2);
	double		caps[2];

	fb_rows_begin(&rows, fcinfo);
	if (!read_arguments(fcinfo, 3, &reading))
		return (Datum) 0;
	o = &reading.state->outcomes;
	if (metric < 1 || metric > o->metrics)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric must be between 1 and %u, not %d", o->metrics, metric)));
	find_caps(&reading, metric - 1, caps);
	for (uint32 unit = 0; unit < o->units; unit++)
	{
		const char *entry = fb_exposure_entry(&reading.view, unit);
		uint16		tag = fb_unit_tag(entry, reading.view.words);
		bool		ratio = o->metric[metric - 1].per_unit == FB_PER_UNIT_RATIO;
		FbUnitOutcome outcome;
		MemoryContext old;
		Datum		values[9];
		bool		nulls[9] = {0};

		CHECK_FOR_INTERRUPTS();
		if (!fb_outcomes_unit(o, &reading.view, metric - 1, unit, &reading.choice, caps, NULL, &outcome))
			continue;
		old = MemoryContextSwitchTo(rows.row_context);
		values[0] = CStringGetTextDatum(fb_unit_text(fb_unit_key(entry, reading.view.words), reading.view.kind));
		set_arm(values, nulls, 1, &reading.arms[FB_TAG_ARM(tag)]);
		values[3] = BoolGetDatum((tag & FB_TAG_MIXED) != 0);
		values[4] = TimestampTzGetDatum(fb_exposure_at(entry, reading.view.words));
		fb_set_number(values, nulls, 5, outcome.has_y ? outcome.y : NAN);
		fb_set_number(values, nulls, 6, ratio ? outcome.y_denominator : NAN);
		fb_set_number(values, nulls, 7, outcome.has_x ? outcome.x : NAN);
		fb_set_number(values, nulls, 8, ratio && outcome.has_x ? outcome.x_denominator : NAN);
		MemoryContextSwitchTo(old);
		fb_rows_put(&rows, values, nulls);
	}
	return (Datum) 0;
}
