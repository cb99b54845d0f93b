/*
 * fb_outcomes.c
 *		Joining events to exposed units and reading what the units did.
 */
#include <math.h>

#include "core/fb_outcomes.h"

static const struct
{
	const char *name;
	uint8_t		slots;			/* numbers that a unit keeps */
	bool		blank;			/* without events they are no numbers */
}			per_unit[] = {
	[FB_PER_UNIT_SUM] = {"sum", 1, false},
	[FB_PER_UNIT_COUNT] = {"count", 1, false},
	[FB_PER_UNIT_CONVERSION] = {"conversion", 1, false},
	[FB_PER_UNIT_MEAN] = {"mean", 2, false},
	[FB_PER_UNIT_MIN] = {"min", 1, true},
	[FB_PER_UNIT_MAX] = {"max", 1, true},
	[FB_PER_UNIT_LAST] = {"last", 2, true},
	[FB_PER_UNIT_RATIO] = {"ratio", 2, false},
	[FB_PER_UNIT_TIME] = {"time", 1, true}
};

#define N_PER_UNIT ((int) (sizeof(per_unit) / sizeof(per_unit[0])))

/* Distances of times are cut to this. */
#define FAR (INT64_C(1) << 62)

/* Returns the name of an aggregation per unit, NULL if there is none. */
const char *
fb_per_unit_name(int id)
{
	return id > 0 && id < N_PER_UNIT ? per_unit[id].name : NULL;
}

/* Returns the aggregation per unit of a name, 0 if there is none. */
int
fb_per_unit_from_name(const char *name, size_t length)
{
	for (int id = 1; id < N_PER_UNIT; id++)
		if (strlen(per_unit[id].name) == length && memcmp(per_unit[id].name, name, length) == 0)
			return id;
	return 0;
}

/*
 * Checks metrics, gives them their places in the rows of units and tells how
 * wide these are. Returns NULL or the sentence that says what is wrong.
 */
const char *
fb_outcomes_plan(FbOutcomeMetric *metric, uint32_t metrics, uint32_t values, uint32_t names, uint32_t *width)
{
	uint32_t	slot = 0;

	if (metrics < 1 || metrics > FB_MAX_METRICS)
		return "There must be 1 to 64 metrics.";
	if (values < 1 || values > FB_MAX_VALUES)
		return "There must be 1 to 64 values.";
	for (uint32_t i = 0; i < metrics; i++, metric++)
	{
		bool		capped = !isnan(metric->cap) || !isnan(metric->cap_quantile);

		if (metric->per_unit < 1 || metric->per_unit >= N_PER_UNIT)
			return "The aggregation per unit is unknown.";
		if (metric->value >= values || metric->denominator >= values)
			return "A metric reads a value that events do not bring.";
		if (metric->event > names)
			return "A metric reads events of a name that is not there.";
		if (metric->denominator != 0 && metric->per_unit != FB_PER_UNIT_RATIO)
			return "Only a ratio has a denominator.";
		if (metric->from < -FB_MAX_WINDOW || metric->from > FB_MAX_WINDOW ||
			(metric->until != FB_NO_END && metric->until > FB_MAX_WINDOW) ||
			metric->lookback < 0 || metric->lookback > FB_MAX_WINDOW)
			return "A window is too long.";
		if (metric->until <= metric->from)
			return "A window must have a positive length.";
		if (metric->lookback > 0 && metric->per_unit == FB_PER_UNIT_TIME)
			return "The time to the first event has no covariate.";
		if (capped && (metric->per_unit == FB_PER_UNIT_CONVERSION || metric->per_unit == FB_PER_UNIT_RATIO ||
					   metric->per_unit == FB_PER_UNIT_TIME))
			return "Conversions, ratios and times have no cap.";
		if (!isnan(metric->cap) && !isnan(metric->cap_quantile))
			return "A metric has one cap, a number or a quantile.";
		if (isinf(metric->cap) || (!isnan(metric->cap_quantile) && !(metric->cap_quantile > 0 && metric->cap_quantile < 1)))
			return "A cap must be finite, and its quantile between 0 and 1.";
		metric->slot = (uint16_t) slot;
		slot += per_unit[metric->per_unit].slots;
		metric->pre_slot = 0;
		if (metric->lookback > 0)
		{
			metric->pre_slot = (uint16_t) slot;
			slot += per_unit[metric->per_unit].slots;
		}
	}
	*width = slot;
	return NULL;
}

/* Returns the number of the name of an event, or 0 where no metric has it. */
uint8_t
fb_outcomes_event(const FbOutcomes *state, const char *name, size_t length)
{
	for (uint32_t i = 0; i < state->names; i++)
		if (state->name_length[i] == length && memcmp(state->name[i], name, length) == 0)
			return (uint8_t) (i + 1);
	return 0;
}

/* Empties the rows of some units. */
void
fb_outcomes_blank(const FbOutcomes *state, uint32_t from, uint32_t to)
{
	double		row[FB_MAX_METRICS * 4] = {0};
	bool		zero = true;

	for (uint32_t i = 0; i < state->metrics; i++)
	{
		const FbOutcomeMetric *metric = &state->metric[i];

		if (!per_unit[metric->per_unit].blank)
			continue;
		zero = false;
		for (int slot = 0; slot < per_unit[metric->per_unit].slots; slot++)
		{
			row[metric->slot + slot] = fb_double_of(FB_VALUE_NONE);
			if (metric->lookback > 0)
				row[metric->pre_slot + slot] = fb_double_of(FB_VALUE_NONE);
		}
	}
	if (zero)
	{
		memset(state->rows + (size_t) from * state->width, 0, (size_t) (to - from) * state->width * sizeof(double));
		return;
	}
	for (size_t i = from; i < to; i++)
		memcpy(state->rows + i * state->width, row, state->width * sizeof(double));
}

/* Returns the microseconds from an exposure to an event; infinities are far away. */
static inline int64_t
distance(int64_t at, int64_t exposed)
{
	int64_t		result;

	if (exposed == INT64_MIN || exposed == INT64_MAX)
		return at >= exposed ? FAR : -FAR;
	if (__builtin_sub_overflow(at, exposed, &result) || result > FAR || result < -FAR)
		return at > exposed ? FAR : -FAR;
	return result;
}

/* Adds an event to what a unit keeps of a metric. */
static inline void
add_event(double *slot, const FbOutcomeMetric *metric, double y, double denominator, int64_t at, int64_t since)
{
	switch (metric->per_unit)
	{
		case FB_PER_UNIT_SUM:
			slot[0] += y;
			break;
		case FB_PER_UNIT_COUNT:
			slot[0] += 1.0;
			break;
		case FB_PER_UNIT_CONVERSION:
			slot[0] = 1.0;
			break;
		case FB_PER_UNIT_MEAN:
			slot[0] += y;
			slot[1] += 1.0;
			break;
		case FB_PER_UNIT_MIN:
			if (!(slot[0] <= y))
				slot[0] = y;
			break;
		case FB_PER_UNIT_MAX:
			if (!(slot[0] >= y))
				slot[0] = y;
			break;
		case FB_PER_UNIT_LAST:
			{
				int64_t		last;

				memcpy(&last, &slot[1], sizeof(last));
				if (isnan(slot[0]) || at > last || (at == last && y > slot[0]))
				{
					slot[0] = y;
					memcpy(&slot[1], &at, sizeof(at));
				}
				break;
			}
		case FB_PER_UNIT_RATIO:
			if (!isnan(y))
				slot[0] += y;
			if (!isnan(denominator))
				slot[1] += denominator;
			break;
		case FB_PER_UNIT_TIME:
			y = (double) since / 1e6;
			if (!(slot[0] <= y))
				slot[0] = y;
			break;
	}
}

/* Adds one event of a unit to all metrics. */
static void
add_to_metrics(FbOutcomes *state, double *row, uint32_t arm, const double *values, uint8_t event, int64_t at, int64_t since)
{
	for (uint32_t i = 0; i < state->metrics; i++)
	{
		const FbOutcomeMetric *metric = &state->metric[i];
		double		y = values[metric->value];
		double		denominator = 0.0;
		uint16_t	slot;
		uint64_t	span;

		if (metric->event != 0 && metric->event != event)
			continue;
		span = metric->until == FB_NO_END ? (uint64_t) INT64_MAX : (uint64_t) metric->until - (uint64_t) metric->from;
		if ((uint64_t) since - (uint64_t) metric->from < span)
			slot = metric->slot;
		else if ((uint64_t) since + (uint64_t) metric->lookback < (uint64_t) metric->lookback)
			slot = metric->pre_slot;
		else
			continue;
		if (isnan(y))
		{
			if (fb_bits_of(y) != FB_VALUE_NONE)
				state->bad[(size_t) i * state->arms + arm]++;
			if (metric->per_unit != FB_PER_UNIT_RATIO)
				continue;
		}
		if (metric->per_unit == FB_PER_UNIT_RATIO)
		{
			denominator = values[metric->denominator];
			if (isnan(denominator) && fb_bits_of(denominator) != FB_VALUE_NONE)
				state->bad[(size_t) i * state->arms + arm]++;
		}
		add_event(row + slot, metric, y, denominator, at, since);
	}
}

/*
 * Joins waiting events to the map. In batches: the index was asked for when
 * the event came, its units a few events later, and the rows of all units are
 * asked for before the first is added to.
 */
void
fb_outcomes_apply(FbOutcomes *state, const FbExposureView *view, uint32_t from, uint32_t to)
{
	uint32_t	unit[FB_UNIT_BATCH],
				event[FB_UNIT_BATCH];
	uint16_t	arm[FB_UNIT_BATCH];
	int64_t		since[FB_UNIT_BATCH];
	bool		plain = state->metrics == 1 && state->metric->per_unit == FB_PER_UNIT_SUM && state->width == 1 &&
		state->metric->from == 0 && state->metric->until == FB_NO_END && state->names == 0;
	int64_t		earliest = 0;

	/* Events before this cannot count for any metric. */
	for (uint32_t i = 0; i < state->metrics; i++)
	{
		if (state->metric[i].from < earliest)
			earliest = state->metric[i].from;
		if (-state->metric[i].lookback < earliest)
			earliest = -state->metric[i].lookback;
	}
	while (from < to)
	{
		uint32_t	count = to - from < FB_UNIT_BATCH ? to - from : FB_UNIT_BATCH;
		uint32_t	found = 0;

		for (uint32_t i = count > FB_OUTCOME_LAG ? count - FB_OUTCOME_LAG : 0; i < count; i++)
			fb_outcomes_prefetch_units(view, state->key[from + i]);
		for (uint32_t i = 0; i < count; i++)
		{
			int64_t		position = fb_exposure_lookup(view, state->key[from + i]);
			const char *entry;
			int64_t		elapsed;

			if (position < 0)
				continue;
			entry = fb_exposure_entry(view, (uint32_t) position);
			elapsed = distance(state->at[from + i], fb_exposure_at(entry, view->words));
			if (elapsed < earliest)
				continue;
			__builtin_prefetch(&state->rows[(size_t) position * state->width], 1);
			if (state->width > 1)
				__builtin_prefetch(&state->rows[(size_t) (position + 1) * state->width - 1], 1);
			unit[found] = (uint32_t) position;
			event[found] = from + i;
			since[found] = elapsed;
			arm[found++] = FB_TAG_ARM(fb_unit_tag(entry, view->words));
		}
		for (uint32_t i = 0; i < found; i++)
		{
			double	   *row = &state->rows[(size_t) unit[i] * state->width];
			const double *values = &state->value[(size_t) event[i] * state->values];

			/* The most frequent case by itself: a sum of all events from the exposure on. */
			if (plain && !isnan(values[state->metric->value]))
				row[0] += values[state->metric->value];
			else
				add_to_metrics(state, row, arm[i], values, state->names > 0 ? state->event[event[i]] : 0,
							   state->at[event[i]], since[i]);
		}
		from += count;
	}
}

/* Adds what a unit keeps of a metric in another state. */
static void
merge_slots(const FbOutcomeMetric *metric, double *slot, const double *other)
{
	int64_t		at;

	switch (metric->per_unit)
	{
		case FB_PER_UNIT_CONVERSION:
			if (other[0] != 0.0)
				slot[0] = 1.0;
			break;
		case FB_PER_UNIT_MIN:
		case FB_PER_UNIT_TIME:
			if (!isnan(other[0]) && !(slot[0] <= other[0]))
				slot[0] = other[0];
			break;
		case FB_PER_UNIT_MAX:
			if (!isnan(other[0]) && !(slot[0] >= other[0]))
				slot[0] = other[0];
			break;
		case FB_PER_UNIT_LAST:
			memcpy(&at, &other[1], sizeof(at));
			if (!isnan(other[0]))
				add_event(slot, metric, other[0], 0.0, at, 0);
			break;
		default:
			for (int i = 0; i < per_unit[metric->per_unit].slots; i++)
				slot[i] += other[i];
	}
}

/* Adds some units of another state of the same map and metrics. */
void
fb_outcomes_merge(FbOutcomes *state, const FbOutcomes *other, uint32_t from, uint32_t to)
{
	for (uint32_t unit = from; unit < to; unit++)
	{
		double	   *row = state->rows + (size_t) unit * state->width;
		const double *own = other->rows + (size_t) unit * state->width;

		for (uint32_t i = 0; i < state->metrics; i++)
		{
			const FbOutcomeMetric *metric = &state->metric[i];

			merge_slots(metric, row + metric->slot, own + metric->slot);
			if (metric->lookback > 0)
				merge_slots(metric, row + metric->pre_slot, own + metric->pre_slot);
		}
	}
}

/* Tells the kind of the moments of a metric. */
void
fb_outcomes_kind(const FbOutcomeMetric *metric, int *kind, int *k, int *flags)
{
	bool		ratio = metric->per_unit == FB_PER_UNIT_RATIO;

	*flags = 0;
	*k = ratio ? 2 : 1;
	if (metric->lookback == 0)
	{
		*kind = ratio ? FB_STATS_RATIO : metric->per_unit == FB_PER_UNIT_CONVERSION ? FB_STATS_PROPORTION : FB_STATS_MEAN;
		return;
	}
	*kind = ratio ? FB_STATS_RATIO_CUPED : FB_STATS_CUPED;
	*k *= 2;

	/* Who had no event before has no mean of them: such units are marked. */
	if (metric->per_unit == FB_PER_UNIT_MEAN || per_unit[metric->per_unit].blank)
	{
		*flags = FB_STATS_MISSING;
		(*k)++;
	}
}

/* Reads the value that a unit has from its numbers; false: it has none. */
static bool
unit_value(const FbOutcomeMetric *metric, const double *slot, double *value, double *denominator)
{
	*denominator = 0.0;
	*value = slot[0];
	if (metric->per_unit == FB_PER_UNIT_MEAN)
	{
		if (slot[1] == 0.0)
			return false;
		*value = slot[0] / slot[1];
	}
	else if (metric->per_unit == FB_PER_UNIT_RATIO)
		*denominator = slot[1];
	return !isnan(*value);
}

/*
 * Reads what a unit did. Returns false where it does not count for the
 * metric. caps: of the value and of the covariate, NaN for none. count, where
 * it is not NULL, is that of the unit's arm.
 */
bool
fb_outcomes_unit(const FbOutcomes *state, const FbExposureView *view, uint32_t number, uint32_t unit,
				 const FbOutcomeChoice *choice, const double *caps, FbOutcomeCount *count, FbUnitOutcome *outcome)
{
	const FbOutcomeMetric *metric = &state->metric[number];
	const char *entry = fb_exposure_entry(view, unit);
	const double *row = state->rows + (size_t) unit * state->width;

	if (fb_unit_tag(entry, view->words) & FB_TAG_MIXED)
	{
		if (count)
			count->mixed++;
		if (!choice->with_mixed)
			return false;
	}
	if (choice->has_as_of && metric->until != FB_NO_END &&
		distance(choice->as_of, fb_exposure_at(entry, view->words)) < metric->until)
	{
		if (count)
			count->immature++;
		return false;
	}
	outcome->has_y = unit_value(metric, row + metric->slot, &outcome->y, &outcome->y_denominator);
	outcome->has_x = metric->lookback > 0 && unit_value(metric, row + metric->pre_slot, &outcome->x, &outcome->x_denominator);
	if (count)
	{
		count->units++;
		if (outcome->has_y && outcome->y > caps[0])
		{
			count->capped++;
			count->removed += outcome->y - caps[0];
		}
	}
	if (outcome->has_y && outcome->y > caps[0])
		outcome->y = caps[0];
	if (count && outcome->has_y && outcome->y != 0.0)
		count->nonzero++;
	if (outcome->has_x && outcome->x > caps[1])
		outcome->x = caps[1];
	if (!outcome->has_x)
		outcome->x = outcome->x_denominator = 0.0;
	return true;
}

/* Adds what a unit did to moments of the kind that fb_outcomes_kind tells; false on overflow. */
bool
fb_outcomes_add(FbStats *stats, const FbUnitOutcome *outcome)
{
	double		row[4] = {outcome->y, outcome->x, 0.0, 0.0};
	bool		usable = fb_stats_usable(outcome->y) && fb_stats_usable(outcome->x) &&
		fb_stats_usable(outcome->y_denominator) && fb_stats_usable(outcome->x_denominator);

	if (!outcome->has_y)
		return true;
	if (!usable)
	{
		stats->n_bad++;
		return true;
	}
	switch (stats->kind)
	{
		case FB_STATS_PROPORTION:
			stats->n++;
			stats->value[0] += outcome->y;
			return true;
		case FB_STATS_MEAN:
			return fb_stats_add(stats, outcome->y);
		case FB_STATS_RATIO:
			return fb_stats_add_pair(stats, outcome->y, outcome->y_denominator);
		case FB_STATS_RATIO_CUPED:
			row[1] = outcome->y_denominator;
			row[2] = outcome->x;
			row[3] = outcome->x_denominator;
			return fb_stats_add_row(stats, row);
		default:
			if (stats->k == 2)
				return fb_stats_add_pair(stats, outcome->y, outcome->x);
			row[2] = outcome->has_x ? 0.0 : 1.0;
			return fb_stats_add_row(stats, row);
	}
}

/* Moves the value of a rank, from 0, to its place, with no larger ones before it and no smaller ones behind (Hoare's find). */
static double
select_rank(double *values, size_t count, size_t rank)
{
	size_t		low = 0;
	size_t		high = count - 1;

	while (low < high)
	{
		double		pivot = values[rank];
		size_t		i = low;
		size_t		j = high;

		while (i <= j)
		{
			while (values[i] < pivot)
				i++;
			while (pivot < values[j])
				j--;
			if (i <= j)
			{
				double		held = values[i];

				values[i++] = values[j];
				values[j] = held;
				if (j == 0)
					break;
				j--;
			}
		}
		if (j < rank)
			low = i;
		if (rank < i)
			high = j;
	}
	return values[rank];
}

/* Returns the quantile that percentile_cont defines; reorders the values. */
double
fb_quantile(double *values, size_t count, double p)
{
	double		position = p * (double) (count - 1);
	size_t		rank = (size_t) floor(position);
	double		low = select_rank(values, count, rank);
	double		high = low;

	if (rank + 1 < count && position > (double) rank)
	{
		high = values[rank + 1];
		for (size_t i = rank + 2; i < count; i++)
			if (values[i] < high)
				high = values[i];
	}
	return low + (high - low) * (position - (double) rank);
}
