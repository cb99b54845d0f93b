/*
 * fb_quantile.c
 *		Quantiles with intervals from a sketch, and the contrast of two.
 *
 * The interval is given by order statistics, the outer ones of
 *		n (p -+ z sqrt(p (1 - p) / n))
 * and the standard error by its width: se = sqrt((n - 1) / n) (U - L) / (2 z)
 * (Deng, Knoblich and Lu, KDD 2018, section 4; Yao, Li and Lu 2024). Where
 * several rows belong to a unit, the variance of the share of rows at or below
 * the quantile replaces p (1 - p) / n. It comes from 64 random groups of
 * units, D_g rows of which N_g at or below (the method of random groups, Wolter
 * 2007, chapter 2):
 *		v = G / (G - 1) sum((N_g - F D_g)^2) / (sum D_g)^2, F = sum N_g / sum D_g
 * with G - 1 degrees of freedom.
 */
#include <math.h>

#include "core/fb_normal.h"
#include "core/fb_sketch.h"

/* Computes the real ranks of the interval of a quantile; inflation is 1 for independent rows. */
void
fb_quantile_ranks(double n, double p, double alpha, double inflation, double *low, double *high)
{
	double		half = -fb_norm_quantile(0.5 * alpha) * sqrt(inflation * p * (1.0 - p) / n);

	*low = n * (p - half);
	*high = n * (p + half);
}

/* Returns the variance of the share of rows at or below a number by random groups of units. */
static double
grouped_variance(const FbSketchFlat *flat, double y, int *groups)
{
	const FbBucket *bucket = FB_SKETCH_BUCKETS(flat);
	int			bits = flat->bits;
	int64_t		key = fb_sketch_key(y, bits);
	double		at[FB_SKETCH_GROUPS];
	double		rows[FB_SKETCH_GROUPS];
	double		sum_at = 0.0;
	double		n = (double) flat->n;
	double		spread = fb_sketch_width(flat, y);
	double		share = spread > 0.0 ? 0.5 : 1.0;
	double		sum = 0.0;

	*groups = 0;
	for (int g = 0; g < flat->groups; g++)
	{
		double		below = 0.0;
		double		all = 0.0;

		for (int32_t i = 0; i < flat->sizes[g]; i++, bucket++)
		{
			all += (double) bucket->count;
			if (bucket->key < key)
				below += (double) bucket->count;
			else if (bucket->key == key)
				below += share * (double) bucket->count;
		}
		if (all == 0.0)
			continue;
		at[*groups] = below;
		rows[(*groups)++] = all;
		sum_at += below;
	}
	for (int g = 0; g < *groups; g++)
	{
		double		residual = at[g] - sum_at / n * rows[g];

		sum += residual * residual;
	}
	return *groups > 1 ? (double) *groups / (*groups - 1.0) * sum / n / n : 0.0;
}

/* Estimates a quantile with its interval and variance. */
void
fb_quantile_estimate(const FbSketchView *view, double p, double alpha, FbQuantile *result)
{
	double		n = (double) view->flat->n;
	double		z = -fb_norm_quantile(0.5 * alpha);
	double		gap;

	result->value = result->low = result->high = result->rank_low = result->rank_high = NAN;
	result->variance = result->df = NAN;
	result->inflation = 1.0;
	result->status = FB_NO_DATA;
	if (n < 1.0)
		return;
	result->value = fb_sketch_quantile(view, p, false);
	result->status = FB_INSUFFICIENT_N;
	if (n < 2.0)
		return;
	result->df = n - 1.0;
	if (view->flat->groups > 1)
	{
		int			groups;
		double		variance = grouped_variance(view->flat, result->value, &groups);

		if (groups < 2)
			return;
		result->df = groups - 1.0;
		result->inflation = variance / (p * (1.0 - p) / n);
	}
	fb_quantile_ranks(n, p, alpha, result->inflation, &result->rank_low, &result->rank_high);
	if (!(result->rank_low >= 1.0 && result->rank_high <= n))
		return;
	result->low = fb_sketch_value(view, floor(result->rank_low));
	result->high = fb_sketch_value(view, ceil(result->rank_high));
	gap = result->high - result->low;
	result->variance = (n - 1.0) / n * (gap / (2.0 * z)) * (gap / (2.0 * z));
	result->status = FB_OK;
	if (!(gap > 0.0))
		result->status = view->flat->min == view->flat->max ? FB_ZERO_VARIANCE : FB_RESOLUTION;
	else if (gap <= 2.0 * fb_sketch_width(view->flat, result->value))
		result->status = FB_RESOLUTION;
}

/* Fills the contrast of a quantile of two sketches. */
void
fb_contrast_quantile(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options, FbContrast *contrast)
{
	const FbStats *arm[2] = {control, treatment};
	double		n[2] = {(double) control->n, (double) treatment->n};
	FbQuantile	q[2];

	for (int a = 0; a < 2; a++)
	{
		FbSketchView view;

		fb_sketch_view((const FbSketchFlat *) arm[a], options->memory, &view);
		fb_quantile_estimate(&view, options->quantile, options->alpha, &q[a]);
		options->memory->release(options->memory->arg, view.bucket);
		options->memory->release(options->memory->arg, view.below);
	}
	contrast->mean_c = q[0].value;
	contrast->mean_t = q[1].value;
	for (int a = 0; a < 2; a++)
		if (q[a].status == FB_NO_DATA || q[a].status == FB_INSUFFICIENT_N || q[a].status == FB_RESOLUTION)
		{
			contrast->status = q[a].status;
			return;
		}
	contrast->difference = q[1].value - q[0].value;
	contrast->unadjusted_c = contrast->variance_c = q[0].variance * n[0];
	contrast->unadjusted_t = contrast->variance_t = q[1].variance * n[1];
	if (options->test == FB_STUDENT)
	{
		double		pooled = (q[0].df * contrast->variance_c + q[1].df * contrast->variance_t) / (q[0].df + q[1].df);

		q[0].variance = pooled / n[0];
		q[1].variance = pooled / n[1];
	}
	contrast->base = q[0].variance;
	contrast->free = q[1].variance;
	fb_contrast_set_df(contrast, options->test, q[0].variance, q[1].variance, q[0].df, q[1].df);
}
