/*
 * fb_srm.c
 *		Sample-ratio mismatch: do the arms have the sizes that were planned?
 */
#include <math.h>

#include "core/fb_gamma.h"
#include "core/fb_proportion.h"
#include "core/fb_srm.h"

#define LARGE_SAMPLE 1e6			/* beyond it the binomial test takes too long */
#define SMALL_SAMPLE 1000.0		/* below it two arms get the binomial test */

/* What an epoch adds to the test. */
typedef struct Epoch
{
	double		n;
	double		sum;			/* of the weights, over the largest one */
	double		largest;
	int			arms;			/* of positive weight */
} Epoch;

/* Sums up an epoch; returns whether somebody is in an arm that nobody should reach. */
static bool
read_epoch(const double *counts, const double *weights, int arms, Epoch *epoch)
{
	bool		unexpected = false;

	epoch->n = epoch->sum = epoch->largest = 0.0;
	epoch->arms = 0;
	for (int i = 0; i < arms; i++)
		epoch->largest = fmax(epoch->largest, weights[i]);
	for (int i = 0; i < arms; i++)
	{
		epoch->n += counts[i];
		epoch->sum += weights[i] / epoch->largest;
		if (weights[i] > 0.0)
			epoch->arms++;
		else if (counts[i] > 0.0)
			unexpected = true;
	}
	return unexpected;
}

/*
 * Returns the logarithm of the Bayes factor against the planned shares, with
 * the Dirichlet prior of the given concentration around them (Lindon and
 * Malek, NeurIPS 2022). It is an e-value: under the plan its expectation is 1
 * at any time, so that it may be looked at after every user. With
 * a_i = concentration share_i and A + N = concentration + n it is
 *		sum(D(a_i + n_i, m_i)) - sum(log r_i) / 2 - (k - 1) / 2 log((A + N) / A)
 * and Stirling errors, where m_i = share_i (A + N), r_i = (a_i + n_i) / m_i
 * and D is Loader's deviance: differences of log-gamma functions would lose
 * everything but four digits with a million users.
 */
static double
log_bayes_factor(const double *counts, const double *weights, int arms, const Epoch *epoch, double concentration)
{
	double		total = concentration + epoch->n;
	double		result = fb_stirling_error(concentration) - fb_stirling_error(total) -
		0.5 * (epoch->arms - 1.0) * log1p(epoch->n / concentration);

	for (int i = 0; i < arms; i++)
	{
		double		share = weights[i] / epoch->largest / epoch->sum;
		double		before = concentration * share;
		double		after = before + counts[i];
		double		mean = share * total;
		double		gap = share * epoch->n - counts[i];

		if (!(before > 0.0))
			continue;
		result += fb_deviance(after, mean, gap) - 0.5 * log1p(-gap / mean) +
			fb_stirling_error(after) - fb_stirling_error(before);
	}
	return result;
}

/* Returns the exact two-sided p-value: all outcomes at most as probable as the observed one. */
static double
binomial_p(double x, double n, double p, double q)
{
	double		limit = fb_binomial_log_pmf(x, n, p, q) + log1p(1e-7);
	double		sum = 0.0;

	for (double k = 0.0; k <= n; k++)
	{
		double		log_pmf = fb_binomial_log_pmf(k, n, p, q);

		if (log_pmf <= limit)
			sum += exp(log_pmf);
	}
	return fmin(sum, 1.0);
}

/*
 * Tests counts against weights of any common scale, both by epochs of equal
 * plan and, within them, arms: Pearson's chi-squared test, the sum of it over
 * epochs with as many degrees of freedom, or for two arms of one small epoch
 * the binomial test; and the sequential test, whose e-values multiply over
 * epochs. Arms of weight zero expect nobody and have no degree of freedom; a
 * user in one of them is impossible under the plan, whatever the rest looks
 * like. Numbers that do not apply are NaN. The weights are finite, not
 * negative, and in each epoch at least one is positive.
 */
void
fb_srm_test(const double *counts, const double *weights, int epochs, int arms,
			FbSrmMethod method, double concentration, FbSrm *result)
{
	double		n = 0.0;
	double		chisq = 0.0;
	double		log_e = 0.0;
	double		exact_p = NAN;
	bool		unexpected = false;

	result->df = arms > 0 && epochs > 0 ? 0 : -1;
	result->chisq = result->p_value = result->max_deviation = result->log_e = result->p_sequential = NAN;
	result->exact = false;
	for (int e = 0; e < epochs; e++)
	{
		const double *c = counts + (size_t) e * arms;
		const double *w = weights + (size_t) e * arms;
		Epoch		epoch;

		if (arms == 0)
			break;
		unexpected = read_epoch(c, w, arms, &epoch) || unexpected;
		n += epoch.n;

		/* An epoch without users says nothing, unless it is the only one. */
		if (epoch.n <= 0.0 && epochs > 1)
			continue;
		result->df += epoch.arms - 1;
		if (epoch.n <= 0.0 || unexpected)
			continue;
		log_e += log_bayes_factor(c, w, arms, &epoch, concentration);
		for (int i = 0, first = -1; i < arms; i++)
		{
			double		share = w[i] / epoch.largest / epoch.sum;
			double		expected = epoch.n * share;
			double		diff = c[i] - expected;

			if (!(expected > 0.0))
				continue;
			chisq += diff * (diff / expected);
			if (first < 0)
				first = i;
			else if (epochs == 1 && epoch.arms == 2 &&
					 epoch.n <= LARGE_SAMPLE && (method == FB_SRM_EXACT || (method == FB_SRM_AUTO && epoch.n < SMALL_SAMPLE)))
				exact_p = binomial_p(c[first], epoch.n, 1.0 - share, share);
		}
	}
	if (n <= 0.0)
	{
		result->status = FB_NO_DATA;
		return;
	}
	if (unexpected)
	{
		result->status = FB_UNEXPECTED_ARM;
		result->p_value = result->p_sequential = 0.0;
		return;
	}
	result->status = FB_OK;
	result->chisq = chisq;
	result->log_e = log_e;
	result->p_sequential = fmin(1.0, exp(-log_e));
	result->exact = !isnan(exact_p);
	/* A single arm always has the planned share. */
	if (result->exact)
		result->p_value = exact_p;
	else
		result->p_value = result->df > 0 ? fb_chi2_sf(chisq, result->df) : 1.0;

	/* Deviations are those of the arms over all epochs. */
	result->max_deviation = 0.0;
	for (int i = 0; i < arms; i++)
	{
		double		expected = 0.0;
		double		observed = 0.0;

		for (int e = 0; e < epochs; e++)
		{
			const double *w = weights + (size_t) e * arms;
			Epoch		epoch;

			read_epoch(counts + (size_t) e * arms, w, arms, &epoch);
			expected += epoch.n * (w[i] / epoch.largest / epoch.sum);
			observed += counts[(size_t) e * arms + i];
		}
		if (expected > 0.0)
			result->max_deviation = fmax(result->max_deviation, fabs(observed - expected) / expected);
	}
}
