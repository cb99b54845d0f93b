/*
 * fb_outcomes_wire.c
 *		The binary form of what exposed units did.
 *
 * Version, number of metrics, of values and of names of events, one byte each;
 * fingerprint of the map; units, arms, waiting events, 4 bytes each; the
 * metrics; the names, each behind its length in 4 bytes; per metric and arm
 * the number of ignored values; the events, each with the number of its name
 * in one byte; a row of numbers per unit.
 */
#include <math.h>

#include "core/fb_outcomes.h"
#include "core/fb_wire.h"

#define HEAD_BYTES 32
#define METRIC_BYTES 44

/* Returns the length of the binary form. */
size_t
fb_outcomes_bytes(const FbOutcomes *state)
{
	size_t		bytes = HEAD_BYTES + (size_t) state->metrics * METRIC_BYTES + (size_t) state->metrics * state->arms * 8 +
		(size_t) state->waiting * (25 + 8 * (size_t) state->values) + (size_t) state->units * state->width * 8;

	for (uint32_t i = 0; i < state->names; i++)
		bytes += 4 + (size_t) state->name_length[i];
	return bytes;
}

/* Writes the binary form. */
void
fb_outcomes_send(const FbOutcomes *state, unsigned char *to)
{
	to = fb_put(to, FB_OUTCOMES_VERSION, 1);
	to = fb_put(to, state->metrics, 1);
	to = fb_put(to, state->values, 1);
	to = fb_put(to, state->names, 1);
	to = fb_put(to, state->fingerprint[0], 8);
	to = fb_put(to, state->fingerprint[1], 8);
	to = fb_put(to, state->units, 4);
	to = fb_put(to, state->arms, 4);
	to = fb_put(to, state->waiting, 4);
	for (uint32_t i = 0; i < state->metrics; i++)
	{
		const FbOutcomeMetric *metric = &state->metric[i];

		to = fb_put(to, metric->per_unit, 1);
		to = fb_put(to, metric->value, 1);
		to = fb_put(to, metric->denominator, 1);
		to = fb_put(to, metric->event, 1);
		to = fb_put(to, (uint64_t) metric->from, 8);
		to = fb_put(to, (uint64_t) metric->until, 8);
		to = fb_put(to, (uint64_t) metric->lookback, 8);
		to = fb_put_double(to, metric->cap);
		to = fb_put_double(to, metric->cap_quantile);
	}
	for (uint32_t i = 0; i < state->names; i++)
	{
		to = fb_put(to, state->name_length[i], 4);
		memcpy(to, state->name[i], state->name_length[i]);
		to += state->name_length[i];
	}
	for (size_t i = 0; i < (size_t) state->metrics * state->arms; i++)
		to = fb_put(to, state->bad[i], 8);
	for (uint32_t i = 0; i < state->waiting; i++)
	{
		to = fb_put(to, state->key[i].hash, 8);
		to = fb_put(to, state->key[i].rest, 8);
		to = fb_put(to, (uint64_t) state->at[i], 8);
		to = fb_put(to, state->names > 0 ? state->event[i] : 0, 1);
		for (uint32_t value = 0; value < state->values; value++)
			to = fb_put_double(to, state->value[(size_t) i * state->values + value]);
	}
	for (size_t i = 0; i < (size_t) state->units * state->width; i++)
		to = fb_put_double(to, state->rows[i]);
}

/* Reads a metric. */
static void
receive_metric(const unsigned char *from, FbOutcomeMetric *metric)
{
	memset(metric, 0, sizeof(*metric));
	metric->per_unit = from[0];
	metric->value = from[1];
	metric->denominator = from[2];
	metric->event = from[3];
	metric->from = (int64_t) fb_get(from + 4, 8);
	metric->until = (int64_t) fb_get(from + 12, 8);
	metric->lookback = (int64_t) fb_get(from + 20, 8);
	metric->cap = fb_get_double(from + 28);
	metric->cap_quantile = fb_get_double(from + 36);
}

/*
 * Reads how large a state is; returns false and the sentence that says what
 * is wrong. The caller then makes its arrays for fb_outcomes_receive.
 */
bool
fb_outcomes_measure(const unsigned char *bytes, size_t length, FbOutcomes *state, const char **detail)
{
	FbOutcomeMetric metric[FB_MAX_METRICS];
	size_t		at;

	memset(state, 0, sizeof(*state));
	*detail = "The value is too short.";
	if (length < HEAD_BYTES)
		return false;
	*detail = "The version is not supported.";
	if (bytes[0] != FB_OUTCOMES_VERSION)
		return false;
	state->metrics = bytes[1];
	state->values = bytes[2];
	state->names = bytes[3];
	state->fingerprint[0] = fb_get(bytes + 4, 8);
	state->fingerprint[1] = fb_get(bytes + 12, 8);
	state->units = (uint32_t) fb_get(bytes + 20, 4);
	state->arms = (uint32_t) fb_get(bytes + 24, 4);
	state->waiting = state->space = (uint32_t) fb_get(bytes + 28, 4);
	*detail = "There are too many metrics, arms, units or events.";
	if (state->metrics > FB_MAX_METRICS || state->names > FB_MAX_METRICS || state->arms > FB_MAX_ARMS || state->units > FB_UNIT_MAX || state->waiting > FB_UNIT_MAX)
		return false;
	*detail = "The length does not fit the metrics, units and events.";
	if (length < HEAD_BYTES + (size_t) state->metrics * METRIC_BYTES)
		return false;
	for (uint32_t i = 0; i < state->metrics; i++)
		receive_metric(bytes + HEAD_BYTES + (size_t) i * METRIC_BYTES, &metric[i]);
	at = HEAD_BYTES + (size_t) state->metrics * METRIC_BYTES;
	for (uint32_t i = 0; i < state->names; i++)
	{
		if (length - at < 4)
			return false;
		state->name_length[i] = (uint32_t) fb_get(bytes + at, 4);
		at += 4;
		if (length - at < state->name_length[i])
			return false;
		state->name[i] = (const char *) bytes + at;
		at += state->name_length[i];
	}
	*detail = fb_outcomes_plan(metric, state->metrics, state->values, state->names, &state->width);
	if (*detail)
		return false;
	*detail = "The length does not fit the metrics, units and events.";
	if (length != fb_outcomes_bytes(state))
		return false;
	*detail = NULL;
	return true;
}

/* Tells whether what a unit keeps of a metric can have come from events. */
static bool
slots_ok(const FbOutcomeMetric *metric, const double *slot)
{
	switch (metric->per_unit)
	{
		case FB_PER_UNIT_COUNT:
			return slot[0] >= 0.0 && slot[0] == floor(slot[0]) && slot[0] <= (double) FB_STATS_MAX_N;
		case FB_PER_UNIT_CONVERSION:
			return slot[0] == 0.0 || slot[0] == 1.0;
		case FB_PER_UNIT_MEAN:
			return isfinite(slot[0]) && slot[1] >= 0.0 && slot[1] == floor(slot[1]) &&
				slot[1] <= (double) FB_STATS_MAX_N && (slot[1] > 0.0 || slot[0] == 0.0);
		case FB_PER_UNIT_SUM:
			return isfinite(slot[0]);
		case FB_PER_UNIT_RATIO:
			return isfinite(slot[0]) && isfinite(slot[1]);
		default:
			return isfinite(slot[0]) || fb_bits_of(slot[0]) == FB_VALUE_NONE;
	}
}

/*
 * Reads a state that fb_outcomes_measure has found good into its arrays.
 * Returns false and the sentence that says what is wrong for what no events
 * could have made.
 */
bool
fb_outcomes_receive(const unsigned char *bytes, FbOutcomes *state, const char **detail)
{
	const unsigned char *from = bytes + HEAD_BYTES;

	for (uint32_t i = 0; i < state->metrics; i++, from += METRIC_BYTES)
		receive_metric(from, &state->metric[i]);
	(void) fb_outcomes_plan(state->metric, state->metrics, state->values, state->names, &state->width);
	for (uint32_t i = 0; i < state->names; i++)
		from += 4 + (size_t) state->name_length[i];
	for (size_t i = 0; i < (size_t) state->metrics * state->arms; i++, from += 8)
	{
		state->bad[i] = fb_get(from, 8);
		if (state->bad[i] > (uint64_t) FB_STATS_MAX_N)
		{
			*detail = "The number of ignored values must be between 0 and 9007199254740992.";
			return false;
		}
	}
	for (uint32_t i = 0; i < state->waiting; i++)
	{
		state->key[i].hash = fb_get(from, 8);
		state->key[i].rest = fb_get(from + 8, 8);
		state->at[i] = (int64_t) fb_get(from + 16, 8);
		state->event[i] = from[24];
		if (state->event[i] > state->names)
		{
			*detail = "An event has a name that is not there.";
			return false;
		}
		from += 25;
		for (uint32_t value = 0; value < state->values; value++, from += 8)
		{
			double		number = fb_get_double(from);

			if (!fb_stats_usable(number) && fb_bits_of(number) != FB_VALUE_NONE && fb_bits_of(number) != FB_VALUE_BAD)
			{
				*detail = "A value of an event is not a usable number.";
				return false;
			}
			state->value[(size_t) i * state->values + value] = number;
		}
	}
	for (size_t i = 0; i < (size_t) state->units * state->width; i++, from += 8)
		state->rows[i] = fb_get_double(from);
	for (uint32_t unit = 0; unit < state->units; unit++)
		for (uint32_t i = 0; i < state->metrics; i++)
		{
			const FbOutcomeMetric *metric = &state->metric[i];
			const double *row = state->rows + (size_t) unit * state->width;

			if (!slots_ok(metric, row + metric->slot) ||
				(metric->lookback > 0 && !slots_ok(metric, row + metric->pre_slot)))
			{
				*detail = "What a unit has of a metric cannot have come from events.";
				return false;
			}
		}
	*detail = NULL;
	return true;
}
