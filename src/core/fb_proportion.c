/*
 * fb_proportion.c
 *		Intervals for a proportion.
 */
#include <math.h>

#include "core/fb_proportion.h"

/*
 * Computes Wilson's score interval (JASA 22, 1927) for x successes in n > 0
 * trials, z being the normal quantile of the level: centre
 * (p + z^2/2n) / (1 + z^2/n), half-width z sqrt(p(1-p)/n + z^2/4n^2) over the
 * same. x need not be whole (weighted or averaged scores).
 */
void
fb_wilson(double x, double n, double z, double *low, double *high)
{
	double		p = x / n;
	double		z2n = z * z / n;
	double		centre = (p + 0.5 * z2n) / (1.0 + z2n);
	double		half = z * sqrt((p * ((n - x) / n) + 0.25 * z2n) / n) / (1.0 + z2n);

	*low = x <= 0.0 ? 0.0 : fmax(centre - half, 0.0);
	*high = x >= n ? 1.0 : fmin(centre + half, 1.0);
}
