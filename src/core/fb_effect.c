/*
 * fb_effect.c
 *		Tests and intervals for the difference of two arms: Welch's, Student's
 *		and the normal test, on the absolute and relative scale.
 *
 * On the relative scale the interval is Fieller's by default: it inverts the
 * very test that gives the p-value, so it excludes the null value exactly
 * when p < alpha. The delta method does not have this property and misses
 * the truth on one side only when counts are small.
 */
#include <float.h>
#include <math.h>

#include "core/fb_beta.h"
#include "core/fb_effect.h"
#include "core/fb_normal.h"

#define LN10 2.30258509299404568402
#define LN2 0.69314718055994530942

/* Returns the name of a status as SQL shows it. */
const char *
fb_status_name(FbStatus status)
{
	static const char *const names[] = {
		[FB_OK] = "ok",
		[FB_NO_DATA] = "no_data",
		[FB_INSUFFICIENT_N] = "insufficient_n",
		[FB_ZERO_DENOMINATOR] = "zero_denominator",
		[FB_ZERO_VARIANCE] = "zero_variance",
		[FB_ZERO_CONTROL_MEAN] = "zero_control_mean",
		[FB_COVARIATE_CONSTANT] = "covariate_constant",
		[FB_UNBOUNDED] = "unbounded",
		[FB_UNEXPECTED_ARM] = "unexpected_arm",
		[FB_DISCONNECTED] = "disconnected",
		[FB_RESOLUTION] = "resolution"
	};

	return names[status];
}

/* Returns the upper tail of the test's distribution and its logarithm; df is NaN for the normal one. */
static double
upper_tail(double statistic, double df, double *log_tail)
{
	double		tail;

	if (!isnan(df))
		return fb_t_tail(statistic, df, log_tail);
	tail = fb_norm_sf(statistic);
	*log_tail = statistic >= 0.0 && statistic < 12.0 ? log(tail) : fb_norm_log_sf(statistic);
	return tail;
}

/* Returns the probability of a false alarm in one tail. */
double
fb_one_tail(const FbEffectOptions *options)
{
	return options->alternative == FB_TWO_SIDED ? 0.5 * options->alpha : options->alpha;
}

/* Returns the critical value that the statistic exceeds with the probability of a false alarm in one tail. */
static double
critical_value(const FbEffectOptions *options, double df)
{
	double		z = options->critical != 0.0 ? options->critical : -fb_norm_quantile(fb_one_tail(options));
	double		t;

	if (isnan(df))
		return z;
	if (z > 0.0 && fb_t_quantile_large_df(z, df, &t))
		return t;
	return -fb_t_quantile(fb_one_tail(options), df);
}

/* Fills statistic, degrees of freedom and p-values. */
void
fb_effect_p_value(FbEffect *result, FbAlternative alternative, double statistic, double df)
{
	double		tail;

	if (isnan(statistic))
		return;
	if (isinf(statistic))
		statistic = copysign(DBL_MAX, statistic);
	result->statistic = statistic;
	result->df = df;
	if (alternative == FB_TWO_SIDED)
		tail = fabs(statistic);
	else
		tail = alternative == FB_GREATER ? statistic : -statistic;
	result->p_value = upper_tail(tail, df, &result->log10_p);
	if (alternative == FB_TWO_SIDED)
	{
		result->p_value = fmin(2.0 * result->p_value, 1.0);
		result->log10_p = fmin(result->log10_p + LN2, 0.0);
	}
	result->log10_p /= LN10;
}

/* Returns sqrt(free + base factor^2), without squaring what a square would overflow. */
static double
root_of_variance(double free, double base, double factor)
{
	double		sum = free + base * factor * factor;

	if (sum > 1e-280 && sum < 1e280)
		return sqrt(sum);
	return hypot(sqrt(free), sqrt(base) * factor);
}

/* Returns the standard error of D - R m_c for the relative effect R, and of D itself for R = 0. */
double
fb_effect_se(const FbContrast *contrast, double effect)
{
	return root_of_variance(contrast->free, contrast->base, 1.0 + effect + contrast->shift);
}

/*
 * Fills the estimate and its standard error; returns whether there is
 * anything to test, with the status of a comparison so far.
 */
bool
fb_effect_begin(const FbContrast *contrast, const FbEffectOptions *options, FbEffect *result)
{
	bool		relative = options->scale == FB_RELATIVE;
	double		scale = relative ? fabs(contrast->mean_c) : 1.0;
	double		se;

	result->effect = result->se = result->ci_low = result->ci_high = NAN;
	result->statistic = result->df = result->p_value = result->log10_p = result->log_e = NAN;
	result->status = contrast->status;
	if (contrast->status != FB_OK && contrast->status != FB_COVARIATE_CONSTANT)
		return false;

	result->effect = contrast->difference / scale;
	se = fb_effect_se(contrast, 0.0);
	if (!(se > 0.0))
	{
		result->status = FB_ZERO_VARIANCE;
		if (isfinite(result->effect))
			result->se = 0.0;
		return false;
	}
	if (!relative)
	{
		result->se = se;
		if (!isfinite(result->effect) || !isfinite(se))
		{
			result->effect = result->se = NAN;
			result->status = FB_RESOLUTION;
			return false;
		}
		return true;
	}

	/*
	 * The delta method's standard error. For CUPED, GrowthBook puts the ratio
	 * of the observed means in place of 1 + effect; so does method "delta".
	 */
	result->se = fb_effect_se(contrast, options->interval == FB_SCALED ? 0.0 :
							  options->interval == FB_DELTA && contrast->observed_ratio ?
							  contrast->mean_t / contrast->mean_c - 1.0 :
							  contrast->difference / contrast->mean_c) / scale;
	if (!isfinite(result->effect) || !isfinite(result->se))
	{
		/* Control is too close to zero to divide by it; that the means are equal can still be tested. */
		result->effect = result->se = NAN;
		result->status = FB_ZERO_CONTROL_MEAN;
	}
	else if (options->interval != FB_FIELLER && !(result->se > 0.0))
	{
		result->status = FB_ZERO_VARIANCE;
		return false;
	}
	return true;
}

/* Returns the statistic of the null value; NaN where it has none. */
double
fb_effect_statistic(const FbContrast *contrast, const FbEffectOptions *options, const FbEffect *result)
{
	double		r = options->null_value;
	double		m_c = contrast->mean_c;

	if (options->scale == FB_ABSOLUTE)
		return (result->effect - r) / result->se;
	if (result->status == FB_ZERO_CONTROL_MEAN)
		return options->interval != FB_DELTA && r == 0.0 ? contrast->difference / fb_effect_se(contrast, 0.0) : NAN;
	if (options->interval != FB_FIELLER)
		return (result->effect - r) / result->se;

	/* Under the null value, D = R m_c with R = r sign(m_c); at 0 this is the absolute test. */
	if (m_c < 0.0)
		r = -r;
	if (fabs(r) <= 1.0)
		return (contrast->difference - r * m_c) / fb_effect_se(contrast, r);

	/* The same divided by |R|, which may be huge. */
	return (contrast->difference / fabs(r) - copysign(m_c, m_c * r)) /
		hypot(sqrt(contrast->free) / r, sqrt(contrast->base) * (1.0 + (1.0 + contrast->shift) / r));
}

/*
 * Computes Fieller's interval for R = D / |m_c| (Fieller, JRSS B 16, 1954):
 * the values with |D - R m_c| <= q sd(D - R m_c). q is negative for a
 * one-sided test with alpha > 1/2, whose bound lies beyond the estimate.
 * Returns false where that set is not an interval (g >= 1).
 */
static bool
fieller_interval(const FbContrast *contrast, double q, double *low, double *high)
{
	double		m_c = contrast->mean_c;
	double		d = contrast->difference / m_c;
	double		root_base = sqrt(contrast->base);
	double		root_g = q * root_base / m_c;
	double		g = root_g * root_g;
	double		shift = 1.0 + contrast->shift;
	double		centre,
				half;

	if (!(g < 1.0))
		return false;
	half = q / fabs(m_c) * root_of_variance((1.0 - g) * contrast->free, contrast->base, d + shift);
	centre = d + g * shift;
	*low = (centre - half) / (1.0 - g);
	*high = (centre + half) / (1.0 - g);
	if (m_c < 0.0)
	{
		double		swap = *low;

		*low = -*high;
		*high = -swap;
	}
	return isfinite(*low) && isfinite(*high);
}

/*
 * Fills the interval of effects whose statistic does not exceed q, leaving
 * out its open side, and sets the status unbounded where there is none.
 */
void
fb_effect_bounds(const FbContrast *contrast, const FbEffectOptions *options, double q, FbEffect *result)
{
	double		low = result->effect - q * result->se;
	double		high = result->effect + q * result->se;

	if (result->status == FB_ZERO_CONTROL_MEAN)
		return;
	if ((options->scale == FB_RELATIVE && options->interval == FB_FIELLER &&
		 !fieller_interval(contrast, q, &low, &high)) || !isfinite(low) || !isfinite(high))
	{
		result->status = FB_UNBOUNDED;
		return;
	}
	if (options->alternative != FB_LESS)
		result->ci_low = low;
	if (options->alternative != FB_GREATER)
		result->ci_high = high;
}

/* Compares two arms by a test with a fixed end. */
void
fb_effect(const FbContrast *contrast, const FbEffectOptions *options, FbEffect *result)
{
	double		q;

	if (!fb_effect_begin(contrast, options, result))
		return;
	result->df = contrast->df;
	fb_effect_p_value(result, options->alternative, fb_effect_statistic(contrast, options, result), contrast->df);
	q = critical_value(options, contrast->df);
	fb_effect_bounds(contrast, options, q, result);
}
