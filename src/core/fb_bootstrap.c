/*
 * fb_bootstrap.c
 *		The Poisson bootstrap (Chamandy, Muralidharan, Najmi and Naidu 2012;
 *		Hanley and MacGibbon 2006): in each replicate a unit counts as often as
 *		a Poisson variable says that a hash of its name determines.
 *
 * Weights depend on the unit and the replicate alone, so neither the order of
 * rows nor the plan nor the merging changes a replicate, and all rows of a unit
 * weigh the same: the bootstrap of clusters (Owen 2007).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_beta.h"
#include "core/fb_bootstrap.h"
#include "core/fb_normal.h"
#include "core/fb_sketch.h"

/* floor(2^32 F(k)) of the Poisson distribution with mean 1: the weight of u is the number of thresholds at most u. */
const uint32_t fb_poisson_thresholds[FB_BOOTSTRAP_THRESHOLDS] = {
	UINT32_C(1580030168), UINT32_C(3160060337), UINT32_C(3950075421), UINT32_C(4213413783),
	UINT32_C(4279248373), UINT32_C(4292415291), UINT32_C(4294609777), UINT32_C(4294923276),
	UINT32_C(4294962463), UINT32_C(4294966817), UINT32_C(4294967252), UINT32_C(4294967292)
};

/* Makes an empty state of k = 1 (mean) or 2 (ratio). */
void
fb_bootstrap_init(FbStats *state, int replicates, int k)
{
	memset(state->value, 0, sizeof(double) * FB_BOOTSTRAP_VALUES(replicates, k));
	state->version = FB_STATS_VERSION;
	state->kind = FB_STATS_BOOTSTRAP;
	state->k = (uint8_t) k;
	state->flags = 0;
	state->n = 0;
	state->n_bad = 0;
	state->value[0] = replicates;
}

/* Adds a row of a unit; d is the denominator of a ratio. Returns false if a sum leaves double precision. */
bool
fb_bootstrap_add(FbStats *state, uint64_t unit, double y, double d)
{
	int			replicates = FB_BOOTSTRAP_REPLICATES(state);
	double	   *sum = state->value + 2;
	int			step = state->k + 1;

	/* Sums about the first value keep the digits of data far from zero. */
	if (state->n++ == 0 && state->k == 1)
		state->value[1] = y;
	y -= state->value[1];
	sum[0] += 1.0;
	sum[1] += y;
	if (step == 3)
		sum[2] += d;
	for (int r = 1; r <= replicates; r++)
	{
		double		weight = fb_bootstrap_weight(unit, (uint32_t) r);

		sum += step;
		sum[0] += weight;
		sum[1] += weight * y;
		if (step == 3)
			sum[2] += weight * d;
	}
	return isfinite(state->value[3]);
}

/* Merges one state into another. */
FbMergeResult
fb_bootstrap_merge(FbStats *into, const FbStats *from)
{
	int			step = into->k + 1;
	double		gap;

	if (into->k != from->k || into->value[0] != from->value[0])
		return FB_MERGE_KIND;
	if (from->n > FB_STATS_MAX_N - into->n || from->n_bad > FB_STATS_MAX_N - into->n_bad)
		return FB_MERGE_OVERFLOW;
	into->n_bad += from->n_bad;
	if (from->n == 0)
		return FB_MERGE_OK;
	if (into->n == 0)
		into->value[1] = from->value[1];
	into->n += from->n;
	gap = from->value[1] - into->value[1];
	for (int r = 0; r <= FB_BOOTSTRAP_REPLICATES(into); r++)
	{
		double	   *a = into->value + 2 + step * r;
		const double *b = from->value + 2 + step * r;

		a[0] += b[0];
		a[1] += b[1] + gap * b[0];
		if (step == 3)
			a[2] += b[2];
		if (!isfinite(a[1]) || (step == 3 && !isfinite(a[2])))
			return FB_MERGE_OVERFLOW;
	}
	return FB_MERGE_OK;
}

/* Checks everything that must hold for a stored state of so many bytes; returns NULL or what is wrong. */
const char *
fb_bootstrap_check(const FbStats *state, size_t size)
{
	double		replicates;
	int			step = state->k + 1;

	if (size < FB_STATS_SIZE(2))
		return "The value is too short.";
	if (state->version != FB_STATS_VERSION)
		return "The version is not supported.";
	if (state->flags != 0)
		return "The flags do not fit the kind.";
	if (state->k != 1 && state->k != 2)
		return "A bootstrap is of 1 sum or of 2.";
	replicates = state->value[0];
	if (!(replicates >= FB_BOOTSTRAP_MIN && replicates <= FB_BOOTSTRAP_MAX) || replicates != floor(replicates))
		return "There must be 20 to 10000 replicates.";
	if (size != FB_BOOTSTRAP_SIZE((int) replicates, state->k))
		return "The length does not fit the number of replicates.";
	if (state->n < 0 || state->n > FB_STATS_MAX_N)
		return "The number of values n must be between 0 and 9007199254740992.";
	if (state->n_bad < 0 || state->n_bad > FB_STATS_MAX_N)
		return "The number of ignored values n_bad must be between 0 and 9007199254740992.";
	if (!fb_stats_usable(state->value[1]) || (state->value[1] != 0.0 && (state->k == 2 || state->n == 0)))
		return "The shift must be a number up to 1e140, and zero for a ratio and with n = 0.";
	for (int r = 0; r <= (int) replicates; r++)
	{
		const double *sum = state->value + 2 + step * r;

		if (!(sum[0] >= 0.0 && sum[0] <= 12.0 * (double) state->n) || sum[0] != floor(sum[0]) ||
			(r == 0 && sum[0] != (double) state->n))
			return "Weights must be whole numbers from 0 to 12 n, and n in the sample itself.";
		for (int i = 1; i < step; i++)
			if (!isfinite(sum[i]) || (sum[0] == 0.0 && sum[i] != 0.0))
				return "Sums must be finite, and zero without weight.";
	}
	return NULL;
}

/* Returns the estimate of a replicate, of the sample itself for 0; NaN where it has none. */
double
fb_bootstrap_estimate(const FbStats *state, int replicate)
{
	const double *sum = state->value + 2 + (state->k + 1) * replicate;

	return state->k == 2 ? sum[1] / sum[2] : state->value[1] + sum[1] / sum[0];
}

/* Returns the variance of the replicates and how many have an estimate. */
double
fb_bootstrap_variance(const FbStats *state, int *used)
{
	double		mean = 0.0;
	double		square = 0.0;

	*used = 0;
	for (int r = 1; r <= FB_BOOTSTRAP_REPLICATES(state); r++)
	{
		double		estimate = fb_bootstrap_estimate(state, r);
		double		delta = estimate - mean;

		if (!isfinite(estimate))
			continue;
		mean += delta / ++*used;
		square += delta * (estimate - mean);
	}
	return square / (*used - 1.0);
}

/* Fills the contrast of two states of kind bootstrap. */
void
fb_contrast_bootstrap(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options, FbContrast *contrast)
{
	int			used_c,
				used_t;
	double		s_c = fb_bootstrap_variance(control, &used_c);
	double		s_t = fb_bootstrap_variance(treatment, &used_t);

	contrast->mean_c = fb_bootstrap_estimate(control, 0);
	contrast->mean_t = fb_bootstrap_estimate(treatment, 0);
	if (!isfinite(contrast->mean_c) || !isfinite(contrast->mean_t))
	{
		contrast->status = FB_ZERO_DENOMINATOR;
		return;
	}
	if (used_c < 2 || used_t < 2)
	{
		contrast->status = FB_INSUFFICIENT_N;
		return;
	}

	/* Rounding is no variance. */
	if (sqrt(s_c) <= 1e-14 * fabs(contrast->mean_c))
		s_c = 0.0;
	if (sqrt(s_t) <= 1e-14 * fabs(contrast->mean_t))
		s_t = 0.0;
	contrast->difference = contrast->mean_t - contrast->mean_c;
	contrast->unadjusted_c = contrast->variance_c = s_c * (double) contrast->n_c;
	contrast->unadjusted_t = contrast->variance_t = s_t * (double) contrast->n_t;
	contrast->base = s_c;
	contrast->free = s_t;
	fb_contrast_set_df(contrast, options->test, s_c, s_t, used_c - 1.0, used_t - 1.0);
}

/* Orders numbers. */
static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/*
 * Replaces the interval by percentiles of the replicates' effects; with fewer
 * than 1000 of them there is none, and the status says resolution.
 */
void
fb_bootstrap_percentiles(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options, FbEffect *result)
{
	int			replicates = FB_BOOTSTRAP_REPLICATES(control);
	double	   *effect;
	int			used = 0;
	double		tail = options->alternative == FB_TWO_SIDED ? 0.5 * options->alpha : options->alpha;
	double		bound[2];

	if (result->status != FB_OK && result->status != FB_UNBOUNDED)
		return;
	result->ci_low = result->ci_high = NAN;
	result->status = FB_RESOLUTION;
	if (replicates < FB_BOOTSTRAP_PERCENTILES)
		return;
	effect = options->memory->alloc(options->memory->arg, sizeof(double) * (size_t) replicates);
	for (int r = 1; r <= replicates; r++)
	{
		double		c = fb_bootstrap_estimate(control, r);
		double		e = fb_bootstrap_estimate(treatment, r) - c;

		if (options->scale == FB_RELATIVE)
			e /= fabs(c);
		if (isfinite(e))
			effect[used++] = e;
	}
	qsort(effect, (size_t) used, sizeof(double), compare_numbers);
	if (used >= FB_BOOTSTRAP_PERCENTILES)
	{
		for (int side = 0; side < 2; side++)
		{
			double		h = (used - 1.0) * (side == 0 ? tail : 1.0 - tail);
			int			i = (int) h;

			bound[side] = effect[i] + (i + 1 < used ? (effect[i + 1] - effect[i]) * (h - i) : 0.0);
		}
		if (options->alternative != FB_LESS)
			result->ci_low = bound[0];
		if (options->alternative != FB_GREATER)
			result->ci_high = bound[1];
		result->status = FB_OK;
	}
	options->memory->release(options->memory->arg, effect);
}
