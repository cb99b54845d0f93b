/*
 * fb_moments.h
 *		The mergeable state behind every statistic: counts, means and
 *		co-moments of up to 16 variates.
 */
#ifndef FB_MOMENTS_H
#define FB_MOMENTS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FB_STATS_VERSION 1
#define FB_STATS_MAX_K 16
#define FB_STATS_MAX_N (INT64_C(1) << 53)	/* counts stay exact in a double */

/* What the variates of a state are. The numbers are stored; never reuse one. */
typedef enum FbStatsKind
{
	FB_STATS_PROPORTION = 1,	/* value[0]: number of successes, exact */
	FB_STATS_MEAN = 2,			/* y */
	FB_STATS_CUPED = 3,			/* y, then 1 to 15 covariates */
	FB_STATS_RATIO = 4,			/* numerator, denominator */
	FB_STATS_RATIO_CUPED = 5	/* numerator, denominator, the same before the experiment */
} FbStatsKind;

/*
 * The state as it is stored: a PostgreSQL varlena. The header word belongs to
 * the server. All kinds but the proportion keep k means, then the lower
 * triangle of the matrix of co-moments sum((v_i - mean_i) (v_j - mean_j)) by
 * rows.
 */
typedef struct FbStats
{
	uint32_t	vl_len_;		/* varlena header, do not touch directly */
	uint8_t		version;
	uint8_t		kind;
	uint8_t		k;				/* number of variates */
	uint8_t		flags;			/* always zero in version 1 */
	int64_t		n;				/* values aggregated */
	int64_t		n_bad;			/* values ignored because they were NaN or infinite */
	double		value[];
} FbStats;

#define FB_STATS_MAX_VALUES (FB_STATS_MAX_K + FB_STATS_MAX_K * (FB_STATS_MAX_K + 1) / 2)
#define FB_STATS_SIZE(values) (offsetof(FbStats, value) + sizeof(double) * (values))

/* Room for any state. */
typedef union FbStatsBuffer
{
	FbStats		state;
	char		room[FB_STATS_SIZE(FB_STATS_MAX_VALUES)];
} FbStatsBuffer;

/* Index of co-moment (i, j), j <= i, behind the means. */
#define FB_COMOMENT(k, i, j) ((k) + (i) * ((i) + 1) / 2 + (j))

typedef enum FbMergeResult
{
	FB_MERGE_OK,
	FB_MERGE_KIND,				/* the states are of different kinds */
	FB_MERGE_OVERFLOW			/* the result exceeds double precision or the largest count */
} FbMergeResult;

extern const char *fb_stats_kind_name(int kind);
extern int	fb_stats_kind_from_name(const char *name, size_t length);
extern bool fb_stats_shape_ok(int kind, int k);
extern int	fb_stats_values(int kind, int k);
extern void fb_stats_init(FbStats *state, int kind, int k);
extern const char *fb_stats_check(const FbStats *state);
extern bool fb_stats_parse(const char *text, FbStats *state, const char **detail);

extern bool fb_stats_add_row(FbStats *state, const double *row);
extern FbMergeResult fb_stats_merge(FbStats *into, const FbStats *from);
extern FbMergeResult fb_stats_add_zeros(FbStats *state, int64_t zeros);

extern double fb_stats_mean(const FbStats *state, int i);
extern double fb_stats_variance(const FbStats *state, int i);
extern double fb_stats_total(const FbStats *state, int i);

/*
 * Adds one finite value to a mean state (Welford, Technometrics 4, 1962).
 * Returns false if the sum of squares leaves double precision.
 */
static inline bool
fb_stats_add(FbStats *state, double y)
{
	double		delta = y - state->value[0];

	/* A reciprocal does not wait for the mean of the row before, a quotient would. */
	state->value[0] += delta * (1.0 / (double) ++state->n);
	state->value[1] += delta * (y - state->value[0]);
	return isfinite(state->value[1]);
}

#endif							/* FB_MOMENTS_H */
