/*
 * fb_moments.h
 *		The mergeable state behind every statistic: counts, means and
 *		co-moments of up to 16 variates, and an indicator of missing covariates.
 */
#ifndef FB_MOMENTS_H
#define FB_MOMENTS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FB_STATS_VERSION 1
#define FB_STATS_MAX_K 17		/* y, 15 covariates, the indicator of missing ones */
#define FB_STATS_MAX_COVARIATES 15
#define FB_STATS_MAX_N (INT64_C(1) << 53)	/* counts stay exact in a double */

/* What the variates of a state are. The numbers are stored; never reuse one. */
typedef enum FbStatsKind
{
	FB_STATS_PROPORTION = 1,	/* value[0]: number of successes, exact */
	FB_STATS_MEAN = 2,			/* y */
	FB_STATS_CUPED = 3,			/* y, then 1 to 15 covariates */
	FB_STATS_RATIO = 4,			/* numerator, denominator */
	FB_STATS_RATIO_CUPED = 5,	/* numerator, denominator, the same before the experiment */
	FB_STATS_SHAPE = 6,			/* y; value: mean and the sums of powers 2 to 4 about it */
	FB_STATS_QUANTILE = 7,		/* a sketch; see fb_sketch.h */
	FB_STATS_BOOTSTRAP = 8		/* replicates of a mean or ratio; see fb_bootstrap.h */
} FbStatsKind;

/*
 * Flags of a state. Missing: the last variate of a cuped state is 1 for units
 * whose covariates were missing (and count as 0), else 0. A state may have
 * the indicator and no covariate yet, because all its units lack them.
 */
#define FB_STATS_MISSING 1

/*
 * Values beyond this are ignored and counted as bad: with it no sum of
 * squares of 2^53 values can leave double precision.
 */
#define FB_STATS_MAX_VALUE 1e140

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
	uint8_t		flags;
	int64_t		n;				/* values aggregated */
	int64_t		n_bad;			/* values ignored: NaN, infinite or beyond FB_STATS_MAX_VALUE */
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

/* The same for i and j in any order. */
#define FB_COMOMENT_ANY(k, i, j) ((i) >= (j) ? FB_COMOMENT(k, i, j) : FB_COMOMENT(k, j, i))

typedef enum FbMergeResult
{
	FB_MERGE_OK,
	FB_MERGE_KIND,				/* the states are of different kinds or shapes */
	FB_MERGE_OVERFLOW			/* the result exceeds double precision or the largest count */
} FbMergeResult;

/* Kinds whose size depends on more than their variates; what reads moments must refuse them. */
#define FB_STATS_IS_LARGE(kind) ((kind) == FB_STATS_QUANTILE || (kind) == FB_STATS_BOOTSTRAP)

extern const char *fb_stats_kind_name(int kind);
extern int	fb_stats_kind_from_name(const char *name, size_t length);
extern bool fb_stats_shape_ok(int kind, int k);
extern int	fb_stats_values(int kind, int k);
extern void fb_stats_init(FbStats *state, int kind, int k);
extern const char *fb_stats_check(const FbStats *state);
extern bool fb_stats_parse(const char *text, FbStats *state, const char **detail);

extern bool fb_stats_add_row(FbStats *state, const double *row);
extern bool fb_stats_add_shape(FbStats *state, double y);
extern bool fb_stats_common_shape(const FbStats *a, const FbStats *b, int *k, int *flags);
extern void fb_stats_widen(const FbStats *from, FbStats *into);
extern FbMergeResult fb_stats_merge(FbStats *into, const FbStats *from);
extern FbMergeResult fb_stats_add_zeros(FbStats *state, int64_t zeros);

extern bool fb_stats_replace(FbStats *state, const double *old_row, const double *new_row);
extern double fb_stats_skewness(const FbStats *state);
extern double fb_stats_kurtosis(const FbStats *state);

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

/* Tells whether a value can enter a state. */
static inline bool
fb_stats_usable(double y)
{
	return fabs(y) <= FB_STATS_MAX_VALUE;
}

/* Returns the number of covariates of a cuped state, without the indicator. */
static inline int
fb_stats_covariates(const FbStats *state)
{
	return state->k - 1 - (state->flags & FB_STATS_MISSING);
}

/* Adds one row of two usable values (Welford), as fb_stats_add. */
static inline bool
fb_stats_add_pair(FbStats *state, double y, double x)
{
	double	   *v = state->value;
	double		share = 1.0 / (double) ++state->n;
	double		dy = y - v[0];
	double		dx = x - v[1];
	double		ey,
				ex;

	v[0] += dy * share;
	v[1] += dx * share;
	ey = y - v[0];
	ex = x - v[1];
	v[2] += dy * ey;
	v[3] += dx * ey;
	v[4] += dx * ex;
	return isfinite(v[2]) && isfinite(v[3]) && isfinite(v[4]);
}

#endif							/* FB_MOMENTS_H */
