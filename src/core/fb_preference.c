/*
 * fb_preference.c
 *		Paired yes/no answers and pairwise preferences.
 */
#include <math.h>

#include "core/fb_normal.h"
#include "core/fb_beta.h"
#include "core/fb_preference.h"
#include "core/fb_proportion.h"

#define LN2		0.69314718055994530942
#define LN10	2.30258509299404568402

/* Computes log10 P(X >= x) for a fair coin thrown n times. */
static double
log10_fair_tail(double x, double n)
{
	FbTails		tails;

	if (x <= 0.0)
		return 0.0;
	fb_beta_inc(x, n - x + 1.0, 0.5, &tails);
	return tails.log_lower / LN10;
}

/* Computes the exact p-value of x heads of n, and its decimal logarithm. */
static double
fair_p_value(double x, double n, FbAlternative alternative, double *log10_p)
{
	double		extreme = alternative == FB_TWO_SIDED ? fmax(x, n - x) : alternative == FB_GREATER ? x : n - x;
	double		p = fb_binomial_tail(extreme, n, 0.5);

	*log10_p = log10_fair_tail(extreme, n);
	if (alternative == FB_TWO_SIDED)
	{
		p = fmin(2.0 * p, 1.0);
		*log10_p = p < 1.0 ? *log10_p + LN2 / LN10 : 0.0;
	}
	return p;
}

/*
 * Computes the p-value in which outcomes as extreme as the observed one count
 * half (Lancaster, JASA 56, 1961; Fagerland, Lydersen and Laake, BMC Medical
 * Research Methodology 13:91, 2013).
 */
static double
fair_mid_p_value(double x, double n, FbAlternative alternative)
{
	double		log10_p;
	double		p = fair_p_value(x, n, alternative, &log10_p);
	double		as_extreme = exp(fb_binomial_log_pmf(x, n, 0.5, 0.5));

	if (alternative == FB_TWO_SIDED && 2.0 * x != n)
		as_extreme *= 2.0;
	return fmax(p - 0.5 * as_extreme, 0.0);
}

/*
 * McNemar's test (Psychometrika 12, 1947) of b pairs that speak for control
 * and c that speak for treatment; the correction is Edwards' (1948).
 */
void
fb_mcnemar(double b, double c, FbMcnemarMethod method, FbAlternative alternative, double alpha, FbMcnemar *result)
{
	double		n = b + c;
	double		difference = c - b;
	double		corrected = copysign(fmax(fabs(difference) - 1.0, 0.0), difference);
	double		log10_exact;
	FbEffect	chisq,
				chisq_corrected;

	if (method == FB_MCNEMAR_AUTO)
		method = n < FB_MCNEMAR_EXACT_N ? FB_MCNEMAR_EXACT : FB_MCNEMAR_CORRECTED;
	result->used = method;
	result->share = result->ci_low = result->ci_high = result->chisq = result->chisq_corrected = NAN;
	result->p_chisq = result->p_corrected = NAN;
	result->p_exact = result->p_midp = 1.0;
	result->p_value = result->log10_p = NAN;
	result->status = FB_ZERO_VARIANCE;
	if (n == 0.0)
	{
		/* All pairs agree: nothing speaks against the null hypothesis. */
		if (method == FB_MCNEMAR_EXACT || method == FB_MCNEMAR_MIDP)
		{
			result->p_value = 1.0;
			result->log10_p = 0.0;
		}
		return;
	}
	result->status = FB_OK;
	result->share = c / n;
	fb_prop_interval(c, n, alternative == FB_TWO_SIDED ? alpha : fmin(2.0 * alpha, 1.0), FB_PROP_EXACT,
					 &result->ci_low, &result->ci_high);
	if (alternative == FB_GREATER)
		result->ci_high = NAN;
	else if (alternative == FB_LESS)
		result->ci_low = NAN;
	result->chisq = difference / n * difference;
	result->chisq_corrected = corrected / n * corrected;

	/* One-sided, the correction goes against the alternative, whatever the sign. */
	if (alternative != FB_TWO_SIDED)
		corrected = difference + (alternative == FB_GREATER ? -1.0 : 1.0);
	fb_effect_p_value(&chisq, alternative, difference / sqrt(n), NAN);
	fb_effect_p_value(&chisq_corrected, alternative, corrected / sqrt(n), NAN);
	result->p_chisq = chisq.p_value;
	result->p_corrected = chisq_corrected.p_value;
	result->p_exact = fair_p_value(c, n, alternative, &log10_exact);
	result->p_midp = fair_mid_p_value(c, n, alternative);
	switch (method)
	{
		case FB_MCNEMAR_CHISQ:
			result->p_value = chisq.p_value;
			result->log10_p = chisq.log10_p;
			break;
		case FB_MCNEMAR_CORRECTED:
			result->p_value = chisq_corrected.p_value;
			result->log10_p = chisq_corrected.log10_p;
			break;
		case FB_MCNEMAR_MIDP:
			result->p_value = result->p_midp;
			result->log10_p = log10(result->p_midp);
			break;
		default:
			result->p_value = result->p_exact;
			result->log10_p = log10_exact;
			break;
	}
}

/*
 * Estimates a share of wins from comparisons that may tie, a tie being half a
 * win. The interval is Wilson's on the number of comparisons that the
 * variance stands for; the test is the sign test, without the ties.
 */
void
fb_win_rate(double wins, double ties, double losses, double alpha, FbWinRate *result)
{
	double		n = wins + ties + losses;
	double		effective = n;
	double		rate;

	result->rate = result->se = result->ci_low = result->ci_high = result->p_value = result->log10_p = NAN;
	result->status = FB_NO_DATA;
	if (n == 0.0)
		return;
	rate = (wins + 0.5 * ties) / n;
	result->rate = rate;
	result->status = n < 2.0 ? FB_INSUFFICIENT_N : FB_OK;
	if (n >= 2.0)
	{
		double		rest = (losses + 0.5 * ties) / n;	/* 1 - rate, without rounding it */
		double		tie = 0.5 - rate;

		result->se = sqrt((wins * rest * rest + ties * tie * tie + losses * rate * rate) / (n - 1.0) / n);
		if (!(result->se > 0.0))
			result->status = FB_ZERO_VARIANCE;
		else
			effective = rate * rest / (result->se * result->se);
	}
	if (result->status != FB_ZERO_VARIANCE || ties == 0.0)
		fb_prop_interval(rate * effective, effective, alpha, FB_PROP_WILSON, &result->ci_low, &result->ci_high);
	result->p_value = 1.0;
	result->log10_p = 0.0;
	if (wins + losses > 0.0)
		result->p_value = fair_p_value(wins, wins + losses, FB_TWO_SIDED, &result->log10_p);
}

/* Returns the score that Elo's rating system expects of a against b. */
double
fb_elo_expected(double rating_a, double rating_b)
{
	return 1.0 / (1.0 + pow(10.0, (rating_b - rating_a) / 400.0));
}
