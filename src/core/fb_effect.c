/*
 * fb_effect.c
 *		Comparison of the means of two independent arms: Welch's, Student's and
 *		the normal test, with intervals on the absolute and relative scale.
 *
 * On the relative scale the interval is Fieller's by default: it inverts the
 * very test that gives the p-value, so it excludes the null value exactly
 * when p < alpha. The delta method does not have this property and misses
 * the truth on one side only when counts are small.
 */
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
		[FB_UNBOUNDED] = "unbounded",
		[FB_UNEXPECTED_ARM] = "unexpected_arm"
	};

	return names[status];
}

/* Returns the upper tail of the test's distribution; df is NaN for the normal one. */
static double
upper_tail(double statistic, double df)
{
	return isnan(df) ? fb_norm_sf(statistic) : fb_t_sf(statistic, df);
}

/* Returns the natural logarithm of the upper tail. */
static double
log_upper_tail(double statistic, double df)
{
	return isnan(df) ? fb_norm_log_sf(statistic) : fb_t_log_sf(statistic, df);
}

/* Returns the critical value that the statistic exceeds with probability q < 1/2 or more. */
static double
critical_value(double q, double df)
{
	return isnan(df) ? -fb_norm_quantile(q) : -fb_t_quantile(q, df);
}

/* Fills statistic and p-values. */
static void
set_test(FbEffect *result, FbAlternative alternative, double statistic)
{
	double		tail;

	if (!isfinite(statistic))
		return;
	result->statistic = statistic;
	if (alternative == FB_TWO_SIDED)
		tail = fabs(statistic);
	else
		tail = alternative == FB_GREATER ? statistic : -statistic;
	result->p_value = upper_tail(tail, result->df);
	result->log10_p = log_upper_tail(tail, result->df);
	if (alternative == FB_TWO_SIDED)
	{
		result->p_value = fmin(2.0 * result->p_value, 1.0);
		result->log10_p = fmin(result->log10_p + LN2, 0.0);
	}
	result->log10_p /= LN10;
}

/* Fills the bounds of the interval, leaving out its open side. */
static void
set_interval(FbEffect *result, FbAlternative alternative, double low, double high)
{
	if (alternative != FB_LESS)
		result->ci_low = low;
	if (alternative != FB_GREATER)
		result->ci_high = high;
}

/*
 * Computes Fieller's interval for (m_t - m_c) / |m_c| (Fieller, JRSS B 16,
 * 1954): the values of r for which |m_t - r m_c| <= q sqrt(s_t + r^2 s_c).
 * rel_t and rel_c are the squared standard errors over m_c^2; q is negative for
 * a one-sided test with alpha > 1/2, whose bound lies beyond the estimate. Returns
 * false where that set is not an interval (g >= 1).
 */
static bool
fieller_interval(double rel_t, double rel_c, double ratio_minus_1, bool negative, double q,
				 double *low, double *high)
{
	double		g = q * q * rel_c;
	double		ratio = 1.0 + ratio_minus_1;
	double		half;

	if (!(g < 1.0))
		return false;
	half = q * sqrt((1.0 - g) * rel_t + ratio * ratio * rel_c);
	*low = (ratio_minus_1 + g - half) / (1.0 - g);
	*high = (ratio_minus_1 + g + half) / (1.0 - g);
	if (negative)
	{
		double		swap = *low;

		*low = -*high;
		*high = -swap;
	}
	return true;
}

/* Compares two arms. */
void
fb_effect(const FbArm *control, const FbArm *treatment,
		  const FbEffectOptions *options, FbEffect *result)
{
	double		n_c = (double) control->n;
	double		n_t = (double) treatment->n;
	double		m_c = control->mean;
	double		m_t = treatment->mean;
	bool		relative = options->scale == FB_RELATIVE;
	FbAlternative alternative = options->alternative;
	double		s_c,
				s_t,			/* squared standard errors of the means */
				se,
				q,
				scale,
				rel_c,
				rel_t;

	result->effect = result->se = result->ci_low = result->ci_high = NAN;
	result->statistic = result->df = result->p_value = result->log10_p = NAN;
	if (control->n < 1 || treatment->n < 1)
	{
		result->status = FB_NO_DATA;
		return;
	}
	if (control->n < 2 || treatment->n < 2)
	{
		result->status = FB_INSUFFICIENT_N;
		return;
	}

	scale = relative ? fabs(m_c) : 1.0;
	result->effect = (m_t - m_c) / scale;
	if (options->test == FB_STUDENT)
	{
		double		pooled = ((n_c - 1.0) * control->variance + (n_t - 1.0) * treatment->variance) /
			(n_c + n_t - 2.0);

		s_c = pooled / n_c;
		s_t = pooled / n_t;
	}
	else
	{
		s_c = control->variance / n_c;
		s_t = treatment->variance / n_t;
	}
	se = sqrt(s_c + s_t);
	if (!(se > 0.0))
	{
		result->status = FB_ZERO_VARIANCE;
		if (isfinite(result->effect))
			result->se = 0.0;
		return;
	}

	/* Welch, Biometrika 34, 1947; Satterthwaite 1946 */
	if (options->test == FB_STUDENT)
		result->df = n_c + n_t - 2.0;
	else if (options->test == FB_WELCH)
	{
		double		w = s_c / (s_c + s_t);

		result->df = 1.0 / (w * w / (n_c - 1.0) + (1.0 - w) * (1.0 - w) / (n_t - 1.0));
	}
	q = critical_value(alternative == FB_TWO_SIDED ? 0.5 * options->alpha : options->alpha, result->df);

	if (!relative)
	{
		result->status = FB_OK;
		result->se = se;
		set_test(result, alternative, (result->effect - options->null_value) / se);
		set_interval(result, alternative, result->effect - q * se, result->effect + q * se);
		return;
	}

	/* The test of "no difference" needs no control mean to divide by. */
	if (!isfinite(result->effect))
	{
		result->status = FB_ZERO_CONTROL_MEAN;
		if (options->interval == FB_FIELLER && options->null_value == 0.0)
			set_test(result, alternative, (m_t - m_c) / se);
		return;
	}

	rel_c = (sqrt(s_c) / scale) * (sqrt(s_c) / scale);
	rel_t = (sqrt(s_t) / scale) * (sqrt(s_t) / scale);
	result->se = sqrt(rel_t + rel_c * (m_t / scale) * (m_t / scale));
	if (options->interval == FB_DELTA)
	{
		if (!(result->se > 0.0))
		{
			result->status = FB_ZERO_VARIANCE;
			result->df = NAN;
			return;
		}
		result->status = FB_OK;
		set_test(result, alternative, (result->effect - options->null_value) / result->se);
		set_interval(result, alternative, result->effect - q * result->se, result->effect + q * result->se);
	}
	else
	{
		/* Under the null value, m_t = ratio m_c; at 0 this is the absolute test. */
		double		ratio = m_c < 0.0 ? 1.0 - options->null_value : 1.0 + options->null_value;
		double		low,
					high;

		set_test(result, alternative, (m_t - ratio * m_c) / sqrt(s_t + ratio * ratio * s_c));
		if (fieller_interval(rel_t, rel_c, (m_t - m_c) / m_c, m_c < 0.0, q, &low, &high))
		{
			result->status = FB_OK;
			set_interval(result, alternative, low, high);
		}
		else
			result->status = FB_UNBOUNDED;
	}
}
