/*
 * fb_srm.c
 *		Sample-ratio mismatch: do the arms have the sizes that were planned?
 */
#include <math.h>

#include "core/fb_gamma.h"
#include "core/fb_srm.h"

/*
 * Pearson's chi-squared test of counts against weights of any common scale.
 * Arms of weight zero expect nobody and have no degree of freedom; a user in
 * one of them is impossible under the plan, whatever the rest looks like.
 * Numbers that do not apply are NaN. The weights are finite, not negative,
 * and at least one is positive.
 */
void
fb_srm_test(const double *counts, const double *weights, int arms, FbSrm *result)
{
	double		largest = 0.0;
	double		sum = 0.0;
	double		n = 0.0;
	double		chisq = 0.0;
	double		deviation = 0.0;
	bool		unexpected = false;

	result->df = -1;
	for (int i = 0; i < arms; i++)
		largest = fmax(largest, weights[i]);
	for (int i = 0; i < arms; i++)
	{
		n += counts[i];
		sum += weights[i] / largest;
		if (weights[i] > 0.0)
			result->df++;
		else if (counts[i] > 0.0)
			unexpected = true;
	}

	result->chisq = result->p_value = result->max_deviation = NAN;
	if (n <= 0.0)
		result->status = FB_NO_DATA;
	else if (unexpected)
	{
		result->status = FB_UNEXPECTED_ARM;
		result->p_value = 0.0;
	}
	else
	{
		for (int i = 0; i < arms; i++)
		{
			double		expected = n * (weights[i] / largest) / sum;
			double		diff = counts[i] - expected;

			if (!(expected > 0.0))
				continue;
			chisq += diff * (diff / expected);
			deviation = fmax(deviation, fabs(diff / expected));
		}
		result->status = FB_OK;
		result->chisq = chisq;
		result->max_deviation = deviation;
		/* A single arm always has the planned share. */
		result->p_value = result->df > 0 ? fb_chi2_sf(chisq, result->df) : 1.0;
	}
}
