/*
 * fb_t_power.c
 *		Power and size of Student's two-sided test of two arms.
 */
#include <math.h>

#include "core/fb_beta.h"
#include "core/fb_gamma.h"
#include "core/fb_normal.h"
#include "core/fb_t_power.h"

#define INTERVALS 400
#define LOG_2PI 1.83787706640934548356
#define MAX_SIZE 1e15

/*
 * Returns the probability that the test rejects, with n_c units of control,
 * ratio as many of treatment and a difference of effect_size standard
 * deviations. The statistic is (Z + d) / S, where Z is standard normal,
 * d = effect_size sqrt(n_c ratio / (1 + ratio)) and S^2 a chi-squared variable
 * over its degrees of freedom, so that the power is the mean over S of
 * P(Z > t S - d) + P(Z < -t S - d). Simpson's rule over 14 standard deviations
 * of S on either side; the logarithm of S's density at s is
 *		log 2 + h log h - log Gamma(h) + (2 h - 1) log s - h s^2,	h = df / 2
 * of which the first terms are combined by Stirling's error.
 */
double
fb_t_power(double effect_size, double n_c, double ratio, double alpha)
{
	double		df = n_c * (1.0 + ratio) - 2.0;
	double		d = fabs(effect_size) * sqrt(n_c * ratio / (1.0 + ratio));
	double		t = fb_t_quantile_upper(0.5 * alpha, df);
	double		h = 0.5 * df;
	double		width = 14.0 / sqrt(2.0 * df);
	double		low = fmax(0.0, 1.0 - width);
	double		high = 1.0 + width;
	double		step = (high - low) / INTERVALS;
	double		constant = log(2.0) + h + 0.5 * (log(h) - LOG_2PI) - fb_stirling_error(h);
	double		power = 0.0,
				total = 0.0;

	for (int i = 0; i <= INTERVALS; i++)
	{
		double		s = low + i * step;
		double		weight = i == 0 || i == INTERVALS ? 1.0 : i % 2 == 1 ? 4.0 : 2.0;
		double		density = s > 0.0 ? exp(constant + (df - 1.0) * log(s) - h * s * s) : 0.0;

		total += weight * density;
		power += weight * density * (fb_norm_sf(t * s - d) + fb_norm_sf(t * s + d));
	}

	/* The sum of the densities stands for 1 and takes most of the rule's error with it. */
	return total > 0.0 ? fmin(power / total, 1.0) : NAN;
}

/* Returns the units of control, a fraction, at which the test has that power; NaN beyond 1e15. */
double
fb_t_size(double effect_size, double ratio, double alpha, double power)
{
	double		low = 2.0 / (1.0 + ratio);	/* no degree of freedom */
	double		high = 2.0 * low + 2.0;

	if (!(fabs(effect_size) > 0.0))
		return NAN;
	while (fb_t_power(effect_size, high, ratio, alpha) < power)
	{
		low = high;
		high *= 2.0;
		if (high > MAX_SIZE)
			return NAN;
	}
	for (int i = 0; i < 100 && high - low > 1e-12 * high; i++)
	{
		double		middle = 0.5 * (low + high);

		if (fb_t_power(effect_size, middle, ratio, alpha) < power)
			low = middle;
		else
			high = middle;
	}
	return 0.5 * (low + high);
}
