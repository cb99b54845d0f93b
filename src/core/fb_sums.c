/*
 * fb_sums.c
 *		Uncertainty of metrics that are functions of sums.
 */
#include <math.h>
#include <string.h>

#include "core/fb_metric.h"

/* Evaluates one system, or the difference of two, whose sums stand one after the other. */
static bool
evaluate(const FbTarget *target, const FbMetricInfo *info, const FbMetricOptions *options, int k,
		 const double *sums, double *value)
{
	double		second;

	if (!fb_metric_value(info, options, sums, value))
		return false;
	if (!target->paired)
		return true;
	if (!fb_metric_value(info, options, sums + k, &second))
		return false;
	*value = second - *value;
	return true;
}

/*
 * Estimates from sums of each bucket by the jackknife over the non-empty ones.
 * sums[b] may be NULL where rows[b] is 0.
 */
void
fb_sums_estimate_buckets(const FbTarget *target, const FbMetricInfo *info, const FbMetricOptions *options,
						 const int64_t *rows, const double *const *sums, FbEstimate *result)
{
	int			k = fb_metric_statistics(info, options);
	int			size = target->paired ? 2 * k : k;
	double		total[2 * FB_MAX_STATISTICS] = {0.0};
	double		theta[FB_BUCKETS];
	int			groups = 0;

	memset(result, 0, sizeof(*result));
	for (int b = 0; b < FB_BUCKETS; b++)
	{
		for (int i = 0; i < size && rows[b] > 0; i++)
			total[i] += sums[b][i];
		result->n += rows[b];
	}
	if (result->n == 0 || !evaluate(target, info, options, k, total, &result->value))
		return;
	result->has_value = true;
	for (int b = 0; b < FB_BUCKETS; b++)
	{
		double		rest[2 * FB_MAX_STATISTICS] = {0.0};

		if (rows[b] == 0)
			continue;
		/* Added up anew, so that sums of numbers that are not whole lose nothing. */
		for (int other = 0; other < FB_BUCKETS; other++)
		{
			for (int i = 0; i < size && other != b && rows[other] > 0; i++)
				rest[i] += sums[other][i];
		}
		if (rows[b] == result->n || !evaluate(target, info, options, k, rest, &theta[groups++]))
			return;
	}
	fb_estimate_interval(target, fb_group_variance(theta, groups), groups - 1.0, result);
}

/*
 * Estimates from rows that are units of their own, given their sums and the
 * sums of products of deviations (a lower triangle by rows): the infinitesimal
 * jackknife, n/(n-1) g' M g with g the gradient of the metric in the sums
 * (Jaeckel 1972; Efron 1982, The jackknife, the bootstrap and other resampling
 * plans, eq. 6.18), which is what leaving out single rows comes to. Gradients
 * are central differences.
 */
void
fb_sums_estimate_rows(const FbTarget *target, const FbMetricInfo *info, const FbMetricOptions *options,
					  int64_t rows, const double *sums, const double *products, FbEstimate *result)
{
	int			k = fb_metric_statistics(info, options);
	int			size = target->paired ? 2 * k : k;
	double		n = (double) rows;
	double		gradient[2 * FB_MAX_STATISTICS];
	double		shifted[2 * FB_MAX_STATISTICS];
	double		variance = 0.0;
	double		apart = 0.0;	/* variances of the two systems */

	memset(result, 0, sizeof(*result));
	result->n = rows;
	if (rows == 0 || !evaluate(target, info, options, k, sums, &result->value))
		return;
	result->has_value = true;
	if (rows < 2)
		return;
	memcpy(shifted, sums, sizeof(double) * (size_t) size);
	for (int i = 0; i < size; i++)
	{
		double		step = 1e-5 * fabs(sums[i]);
		double		above;
		double		below;

		gradient[i] = 0.0;
		/* A statistic that is 0 in the sum is 0 in every row. */
		if (step == 0.0)
			continue;
		shifted[i] = sums[i] + step;
		if (!evaluate(target, info, options, k, shifted, &above))
			return;
		shifted[i] = sums[i] - step;
		if (!evaluate(target, info, options, k, shifted, &below))
			return;
		shifted[i] = sums[i];
		gradient[i] = (above - below) / (2.0 * step);
	}
	for (int i = 0, p = 0; i < size; i++)
	{
		for (int j = 0; j <= i; j++, p++)
		{
			double		term = (i == j ? 1.0 : 2.0) * gradient[i] * gradient[j] * products[p];

			variance += term;
			if ((i < k) == (j < k))
				apart += term;
		}
	}
	/* What is left of two systems that do not differ is rounding. */
	if (target->paired && variance < 1e-12 * apart)
		variance = 0.0;
	fb_estimate_interval(target, fmax(0.0, variance) * n / (n - 1.0), n - 1.0, result);
}
