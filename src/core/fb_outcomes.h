/*
 * fb_outcomes.h
 *		What exposed units did: events joined to an exposure map and summed up
 *		per unit, for several metrics at once.
 *
 * A state keeps a row of numbers per unit of the map, in the map's order, and
 * nothing of the map but its fingerprint. Events that came since the last
 * batch wait in the state until the map is at hand again, so that it never
 * points into memory that is not its own.
 */
#ifndef FB_OUTCOMES_H
#define FB_OUTCOMES_H

#include "core/fb_exposures.h"
#include "core/fb_moments.h"

#define FB_OUTCOMES_VERSION 1
#define FB_MAX_METRICS 64
#define FB_MAX_VALUES 64

/* How the events of a unit become its value. The numbers are stored; never reuse one. */
typedef enum FbPerUnit
{
	FB_PER_UNIT_SUM = 1,
	FB_PER_UNIT_COUNT = 2,		/* of values that are not null */
	FB_PER_UNIT_CONVERSION = 3, /* 1 with an event, else 0 */
	FB_PER_UNIT_MEAN = 4,
	FB_PER_UNIT_MIN = 5,
	FB_PER_UNIT_MAX = 6,
	FB_PER_UNIT_LAST = 7,		/* value of the last event, of several at that time the largest */
	FB_PER_UNIT_RATIO = 8,		/* two sums */
	FB_PER_UNIT_TIME = 9		/* seconds from the exposure to the first event */
} FbPerUnit;

/* Windows are within this many microseconds, distances of times are cut to twice it. */
#define FB_MAX_WINDOW (INT64_C(1) << 61)
#define FB_NO_END INT64_MAX

/*
 * Events from exposure + from on, before exposure + until, count; those from
 * exposure - lookback on, before exposure, make the covariate.
 */
typedef struct FbOutcomeMetric
{
	uint8_t		per_unit;		/* FbPerUnit */
	uint8_t		value;			/* which of the values, from 0 */
	uint8_t		denominator;	/* of a ratio */
	uint8_t		event;			/* number of the name that events must have, from 1; 0: any */
	uint16_t	slot;			/* place in the row of a unit */
	uint16_t	pre_slot;		/* the same for the covariate */
	int64_t		from;
	int64_t		until;			/* FB_NO_END: no end */
	int64_t		lookback;		/* 0: no covariate */
	double		cap;			/* of a unit's value, NaN: none */
	double		cap_quantile;	/* cap at this quantile over units, NaN: none */
} FbOutcomeMetric;

typedef struct FbOutcomes
{
	uint32_t	metrics;
	uint32_t	values;			/* that an event brings */
	uint32_t	width;			/* numbers per unit */
	uint32_t	units;
	uint32_t	arms;
	uint32_t	names;			/* of events that metrics tell apart */
	const char *name[FB_MAX_METRICS];
	uint32_t	name_length[FB_MAX_METRICS];
	uint64_t	fingerprint[2]; /* of the map */
	FbOutcomeMetric *metric;
	double	   *rows;			/* width per unit */
	uint64_t   *bad;			/* arms per metric: values that were ignored */
	/* events that wait */
	uint32_t	waiting;
	uint32_t	space;
	FbUnitKey  *key;
	int64_t    *at;
	double	   *value;			/* values per event */
	uint8_t    *event;			/* number of its name, 0: no metric has it */
} FbOutcomes;

/* What became of the units of one metric and arm. */
typedef struct FbOutcomeCount
{
	int64_t		units;			/* that count */
	int64_t		mixed;			/* seen in several variations, first in this one */
	int64_t		immature;		/* whose window is still open */
	int64_t		nonzero;		/* whose value is not 0 */
	int64_t		capped;
	double		removed;		/* sum of what caps took off */
} FbOutcomeCount;

/* Which units count. */
typedef struct FbOutcomeChoice
{
	bool		with_mixed;		/* those of several variations count for the first one */
	bool		has_as_of;
	int64_t		as_of;			/* units whose window ends later do not count */
} FbOutcomeChoice;

/* What a unit did. */
typedef struct FbUnitOutcome
{
	bool		has_y;
	bool		has_x;
	double		y;				/* of a ratio the numerator */
	double		x;
	double		y_denominator;
	double		x_denominator;
} FbUnitOutcome;

extern const char *fb_per_unit_name(int per_unit);
extern int	fb_per_unit_from_name(const char *name, size_t length);
extern const char *fb_outcomes_plan(FbOutcomeMetric *metric, uint32_t metrics, uint32_t values, uint32_t names, uint32_t *width);
extern uint8_t fb_outcomes_event(const FbOutcomes *state, const char *name, size_t length);
extern void fb_outcomes_blank(const FbOutcomes *state, uint32_t from, uint32_t to);
extern void fb_outcomes_apply(FbOutcomes *state, const FbExposureView *view, uint32_t from, uint32_t to);
extern void fb_outcomes_merge(FbOutcomes *state, const FbOutcomes *other, uint32_t from, uint32_t to);
extern void fb_outcomes_kind(const FbOutcomeMetric *metric, int *kind, int *k, int *flags);
extern bool fb_outcomes_unit(const FbOutcomes *state, const FbExposureView *view, uint32_t metric, uint32_t unit,
							 const FbOutcomeChoice *choice, const double *caps, FbOutcomeCount *count, FbUnitOutcome *outcome);
extern bool fb_outcomes_add(FbStats *stats, const FbUnitOutcome *outcome);
extern double fb_quantile(double *values, size_t count, double p);

extern size_t fb_outcomes_bytes(const FbOutcomes *state);
extern void fb_outcomes_send(const FbOutcomes *state, unsigned char *to);
extern bool fb_outcomes_measure(const unsigned char *bytes, size_t length, FbOutcomes *state, const char **detail);
extern bool fb_outcomes_receive(const unsigned char *bytes, FbOutcomes *state, const char **detail);

/* Two NaNs stand for values of events: none, and one that cannot be used. */
#define FB_VALUE_NONE UINT64_C(0xffffffffffffffff)
#define FB_VALUE_BAD UINT64_C(0x7ff8000000000000)

/* Returns the value that its bits are. */
static inline double
fb_double_of(uint64_t bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Returns the bits of a value. */
static inline uint64_t
fb_bits_of(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* So many events later the index of an event has arrived, and its unit can be asked for. */
#define FB_OUTCOME_LAG 8

/* Asks for the units that may be an event's; the index is at hand. */
static inline void
fb_outcomes_prefetch_units(const FbExposureView *view, FbUnitKey key)
{
	const char *entry = fb_exposure_entry(view, view->index[fb_unit_scale(key.hash, view->ranges)]);

	__builtin_prefetch(entry);
	__builtin_prefetch(entry + 64);
}

/* Asks for the part of the index for a new event, the last in the state, and for the units of an older one. */
static inline void
fb_outcomes_prefetch(const FbOutcomes *state, const FbExposureView *view, uint32_t event)
{
	__builtin_prefetch(&view->index[fb_unit_scale(state->key[event].hash, view->ranges)]);
	if (event >= FB_OUTCOME_LAG)
		fb_outcomes_prefetch_units(view, state->key[event - FB_OUTCOME_LAG]);
}

#endif							/* FB_OUTCOMES_H */
