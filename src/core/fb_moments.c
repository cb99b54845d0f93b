/*
 * fb_moments.c
 *		Accumulation, merging and checking of moment states.
 *
 * Rows enter by Welford's update and states merge by the pairwise formula of
 * Chan, Golub and LeVeque (1979): sums of squares never appear, so a large
 * common offset costs no digits. Merging is right for any split into
 * disjoint subsets in any order, equal up to rounding.
 */
#include <math.h>
#include <string.h>

#include "core/fb_bootstrap.h"
#include "core/fb_sketch.h"

static const struct
{
	const char *name;
	int			min_k;
	int			max_k;
}			kinds[] = {
	[FB_STATS_PROPORTION] = {"proportion", 1, 1},
	[FB_STATS_MEAN] = {"mean", 1, 1},
	[FB_STATS_CUPED] = {"cuped", 2, FB_STATS_MAX_K},
	[FB_STATS_RATIO] = {"ratio", 2, 2},
	[FB_STATS_RATIO_CUPED] = {"ratio_cuped", 4, 4},
	[FB_STATS_SHAPE] = {"shape", 1, 1},
	[FB_STATS_QUANTILE] = {"quantile", 1, 0},
	[FB_STATS_BOOTSTRAP] = {"bootstrap", 1, 0}
};

#define N_KINDS ((int) (sizeof(kinds) / sizeof(kinds[0])))

/* Returns the name of a kind, NULL if there is none. */
const char *
fb_stats_kind_name(int kind)
{
	return kind > 0 && kind < N_KINDS ? kinds[kind].name : NULL;
}

/* Returns the kind of a name, 0 if there is none. */
int
fb_stats_kind_from_name(const char *name, size_t length)
{
	for (int kind = 1; kind < N_KINDS; kind++)
		if (strlen(kinds[kind].name) == length && memcmp(kinds[kind].name, name, length) == 0)
			return kind;
	return 0;
}

/* Tells whether a kind of moments exists and may have k variates. */
bool
fb_stats_shape_ok(int kind, int k)
{
	return kind > 0 && kind < N_KINDS && k >= kinds[kind].min_k && k <= kinds[kind].max_k;
}

/* Returns how many numbers a state of this legal shape keeps. */
int
fb_stats_values(int kind, int k)
{
	if (kind == FB_STATS_PROPORTION)
		return 1;
	return kind == FB_STATS_SHAPE ? 4 : k + k * (k + 1) / 2;
}

/* Makes an empty state; the memory is large enough and its header the caller's business. */
void
fb_stats_init(FbStats *state, int kind, int k)
{
	state->version = FB_STATS_VERSION;
	state->kind = (uint8_t) kind;
	state->k = (uint8_t) k;
	state->flags = 0;
	state->n = 0;
	state->n_bad = 0;
	memset(state->value, 0, sizeof(double) * (size_t) fb_stats_values(kind, k));
}

/*
 * Checks everything that must hold for a state from outside whose shape is
 * legal; returns NULL or the sentence that says what is wrong.
 */
const char *
fb_stats_check(const FbStats *state)
{
	int			k = state->k;
	int			values = fb_stats_values(state->kind, k);
	const double *v = state->value;

	if (state->version != FB_STATS_VERSION)
		return "The version is not supported.";
	if ((state->flags & ~FB_STATS_MISSING) != 0 || (state->flags != 0 && state->kind != FB_STATS_CUPED))
		return "The flags do not fit the kind.";
	if (state->kind == FB_STATS_CUPED && fb_stats_covariates(state) > FB_STATS_MAX_COVARIATES)
		return "There may be at most 15 covariates.";
	if (state->n < 0 || state->n > FB_STATS_MAX_N)
		return "The number of values n must be between 0 and 9007199254740992.";
	if (state->n_bad < 0 || state->n_bad > FB_STATS_MAX_N)
		return "The number of ignored values n_bad must be between 0 and 9007199254740992.";
	for (int i = 0; i < values; i++)
		if (!isfinite(v[i]))
			return "Numbers must be finite.";
	if (state->kind == FB_STATS_PROPORTION)
	{
		if (v[0] != floor(v[0]) || v[0] < 0.0 || v[0] > (double) state->n)
			return "The number of successes must be a whole number between 0 and n.";
		return NULL;
	}
	if (state->n == 0)
	{
		for (int i = 0; i < values; i++)
			if (v[i] != 0.0)
				return "With n = 0 all means and co-moments must be zero.";
		return NULL;
	}
	if (state->kind == FB_STATS_SHAPE)
	{
		if (state->n == 1 && (v[2] != 0.0 || v[3] != 0.0))
			return "With n = 1 all co-moments must be zero.";
		if (v[3] < 0.0 || fabs(v[2]) > sqrt(fmax(v[1], 0.0)) * sqrt(v[3]) * (1.0 + 1e-6))
			return "The third power sum must not exceed the geometric mean of the second and the fourth.";
	}
	for (int i = 0; i < k; i++)
	{
		double		cii = v[FB_COMOMENT(k, i, i)];

		if (cii < 0.0)
			return "The co-moment of a variate with itself must not be negative.";
		if (state->n == 1 && cii != 0.0)
			return "With n = 1 all co-moments must be zero.";
		for (int j = 0; j < i; j++)
		{
			double		cij = v[FB_COMOMENT(k, i, j)];
			double		cjj = v[FB_COMOMENT(k, j, j)];

			/* Cauchy and Schwarz, up to accumulated rounding */
			if (fabs(cij) > sqrt(cii) * sqrt(cjj) * (1.0 + 1e-6))
				return "A co-moment of two variates must not exceed the geometric mean of their own co-moments.";
		}
	}
	return NULL;
}

/* Adds one row of k finite values to a state of any kind but the proportion. */
bool
fb_stats_add_row(FbStats *state, const double *row)
{
	int			k = state->k;
	double	   *mean = state->value;
	double		delta[FB_STATS_MAX_K];
	bool		finite = true;

	state->n++;
	for (int i = 0; i < k; i++)
	{
		delta[i] = row[i] - mean[i];
		mean[i] += delta[i] / (double) state->n;
	}
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
		{
			double	   *c = &state->value[FB_COMOMENT(k, i, j)];

			*c += delta[i] * (row[j] - mean[j]);
			finite = finite && isfinite(*c);
		}
	return finite;
}

/*
 * Adds one usable value to a state of kind shape: the update of Pebay (Sandia
 * report 2008-6212, equations 2.1 for one new value).
 */
bool
fb_stats_add_shape(FbStats *state, double y)
{
	double	   *v = state->value;
	double		before = (double) state->n;
	double		n = (double) ++state->n;
	double		delta = y - v[0];
	double		step = delta / n;
	double		term = delta * step * before;

	v[0] += step;
	v[3] += term * step * step * (n * n - 3.0 * n + 3.0) + 6.0 * step * step * v[1] - 4.0 * step * v[2];
	v[2] += term * step * (n - 2.0) - 3.0 * step * v[1];
	v[1] += term;
	return isfinite(v[1]) && isfinite(v[2]) && isfinite(v[3]);
}

/* Merges the power sums of one state of kind shape into another (Pebay 2008). */
static void
merge_shape(FbStats *into, const FbStats *from)
{
	double	   *a = into->value;
	const double *b = from->value;
	double		na = (double) into->n;
	double		nb = (double) from->n;
	double		n = na + nb;
	double		delta = b[0] - a[0];
	double		share = delta / n;
	double		m2 = a[1] + b[1] + delta * share * na * nb;
	double		m3 = a[2] + b[2] + delta * share * share * na * nb * (na - nb) + 3.0 * share * (na * b[1] - nb * a[1]);
	double		m4 = a[3] + b[3] + delta * share * share * share * na * nb * (na * na - na * nb + nb * nb) +
		6.0 * share * share * (na * na * b[1] + nb * nb * a[1]) + 4.0 * share * (na * b[2] - nb * a[2]);

	a[0] = na >= nb ? a[0] + share * nb : b[0] - share * na;
	a[1] = m2;
	a[2] = m3;
	a[3] = m4;
}

/*
 * Finds the shape that the union of two states has. States of kind cuped
 * agree if they have the same covariates; the indicator of missing ones may
 * be in one alone, and a state whose units lack all covariates fits any.
 */
bool
fb_stats_common_shape(const FbStats *a, const FbStats *b, int *k, int *flags)
{
	int			xa,
				xb;

	*k = a->k;
	*flags = a->flags;
	if (a->kind != b->kind)
		return false;
	if (a->kind == FB_STATS_QUANTILE)
		return ((const FbSketchFlat *) a)->groups == ((const FbSketchFlat *) b)->groups;
	if (a->kind == FB_STATS_BOOTSTRAP)
		return a->k == b->k && a->value[0] == b->value[0];
	if (a->kind != FB_STATS_CUPED)
		return a->k == b->k;
	xa = fb_stats_covariates(a);
	xb = fb_stats_covariates(b);
	if (xa != xb && xa != 0 && xb != 0)
		return false;
	*flags = a->flags | b->flags;
	*k = 1 + (xa > xb ? xa : xb) + (*flags & FB_STATS_MISSING);
	return true;
}

/*
 * Copies a cuped state into one of a common shape whose header and kind are
 * set. Variates that the narrower state lacks have been zero in all its rows.
 */
void
fb_stats_widen(const FbStats *from, FbStats *into)
{
	int			place[FB_STATS_MAX_K];
	int			covariates = fb_stats_covariates(from);

	for (int i = 0; i <= covariates; i++)
		place[i] = i;
	if (from->flags & FB_STATS_MISSING)
		place[from->k - 1] = into->k - 1;
	into->n = from->n;
	into->n_bad = from->n_bad;
	for (int i = 0; i < from->k; i++)
	{
		into->value[place[i]] = from->value[i];
		for (int j = 0; j <= i; j++)
			into->value[FB_COMOMENT(into->k, place[i], place[j])] = from->value[FB_COMOMENT(from->k, i, j)];
	}
}

/* Merges one state into another of the same shape (Chan, Golub and LeVeque). */
FbMergeResult
fb_stats_merge(FbStats *into, const FbStats *from)
{
	int			k = into->k;
	int			values = fb_stats_values(into->kind, k);
	double		na = (double) into->n;
	double		nb = (double) from->n;
	double		n = na + nb;
	double		delta[FB_STATS_MAX_K];

	if (into->kind != from->kind || into->k != from->k || into->flags != from->flags)
		return FB_MERGE_KIND;
	if (from->n > FB_STATS_MAX_N - into->n || from->n_bad > FB_STATS_MAX_N - into->n_bad)
		return FB_MERGE_OVERFLOW;
	into->n_bad += from->n_bad;
	if (from->n == 0)
		return FB_MERGE_OK;
	into->n += from->n;
	if (into->kind == FB_STATS_PROPORTION)
	{
		into->value[0] += from->value[0];
		return FB_MERGE_OK;
	}
	if (na == 0.0)
	{
		memcpy(into->value, from->value, sizeof(double) * (size_t) values);
		return FB_MERGE_OK;
	}
	if (into->kind == FB_STATS_SHAPE)
	{
		into->n -= from->n;
		merge_shape(into, from);
		into->n += from->n;
		for (int i = 0; i < values; i++)
			if (!isfinite(into->value[i]))
				return FB_MERGE_OVERFLOW;
		return FB_MERGE_OK;
	}
	for (int i = 0; i < k; i++)
	{
		delta[i] = from->value[i] - into->value[i];

		/* Start from the mean of the larger side: the smaller correction rounds less. */
		if (na >= nb)
			into->value[i] += delta[i] * (nb / n);
		else
			into->value[i] = from->value[i] - delta[i] * (na / n);
	}
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
			into->value[FB_COMOMENT(k, i, j)] += from->value[FB_COMOMENT(k, i, j)] +
				delta[i] * (delta[j] * (na / n) * nb);
	for (int i = 0; i < values; i++)
		if (!isfinite(into->value[i]))
			return FB_MERGE_OVERFLOW;
	return FB_MERGE_OK;
}

/* Adds rows of zeros: the units that did nothing. */
FbMergeResult
fb_stats_add_zeros(FbStats *state, int64_t zeros)
{
	FbStatsBuffer empty;

	memset(&empty, 0, sizeof(empty));
	empty.state.kind = state->kind;
	empty.state.k = state->k;
	empty.state.flags = state->flags;
	empty.state.n = zeros;
	return fb_stats_merge(state, &empty.state);
}

/*
 * Replaces one row by another in a state that is not empty: with a and b the
 * distances of the new and old row from the mean, the mean moves by
 * (a - b) / n and C by a a' - b b' - (a - b) (a - b)' / n. Of a proportion the
 * rows are 0 or 1. Returns false if the result cannot belong to real rows or
 * leaves double precision; the state is then undefined.
 */
bool
fb_stats_replace(FbStats *state, const double *old_row, const double *new_row)
{
	int			k = state->k;
	double		n = (double) state->n;
	double		a[FB_STATS_MAX_K],
				b[FB_STATS_MAX_K];

	if (state->kind == FB_STATS_PROPORTION)
	{
		state->value[0] += new_row[0] - old_row[0];
		return state->value[0] >= 0.0 && state->value[0] <= n;
	}
	if (state->n == 1)
	{
		for (int i = 0; i < k; i++)
			state->value[i] = new_row[i];
		return true;
	}
	for (int i = 0; i < k; i++)
	{
		a[i] = new_row[i] - state->value[i];
		b[i] = old_row[i] - state->value[i];
		state->value[i] += (a[i] - b[i]) / n;
	}
	for (int i = 0; i < k; i++)
		for (int j = 0; j <= i; j++)
		{
			double	   *c = &state->value[FB_COMOMENT(k, i, j)];

			*c += a[i] * a[j] - b[i] * b[j] - (a[i] - b[i]) * ((a[j] - b[j]) / n);
			if (!isfinite(*c))
				return false;
			/* Only rounding makes a sum of squares negative. */
			if (i == j && *c < 0.0)
				*c = 0.0;
		}
	return true;
}

/* Returns the sample skewness m3 / m2^(3/2) of a state of kind shape, NaN where it has none. */
double
fb_stats_skewness(const FbStats *state)
{
	double		root = sqrt(state->value[1]);

	return sqrt((double) state->n) * (state->value[2] / root / state->value[1]);
}

/* Returns the sample kurtosis m4 / m2^2 - 3 of a state of kind shape, NaN where it has none. */
double
fb_stats_kurtosis(const FbStats *state)
{
	return (double) state->n * (state->value[3] / state->value[1] / state->value[1]) - 3.0;
}

/* Returns the mean of variate i; n > 0. */
double
fb_stats_mean(const FbStats *state, int i)
{
	if (state->kind == FB_STATS_PROPORTION)
		return state->value[0] / (double) state->n;
	return state->value[i];
}

/*
 * Returns the variance of variate i that tests use; n > 1: p (1 - p) of a
 * proportion, else the sample variance with denominator n - 1.
 */
double
fb_stats_variance(const FbStats *state, int i)
{
	double		n = (double) state->n;

	if (state->kind == FB_STATS_PROPORTION)
		return (state->value[0] / n) * ((n - state->value[0]) / n);
	return state->value[FB_COMOMENT(state->k, i, i)] / (n - 1.0);
}

/* Returns the sum of variate i. */
double
fb_stats_total(const FbStats *state, int i)
{
	if (state->kind == FB_STATS_PROPORTION)
		return state->value[0];
	return state->value[i] * (double) state->n;
}
