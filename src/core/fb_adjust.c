/*
 * fb_adjust.c
 *		Adjustment of p-values for multiple testing.
 *
 * All methods work on the p-values in ascending order and cost O(n), Hommel's
 * O(n log n).
 */
#include <math.h>

#include "core/fb_adjust.h"

/* Returns min(v, 1). */
static double
at_most_1(double v)
{
	return v < 1.0 ? v : 1.0;
}

/* Returns 1 - (1 - p)^k without losing small p. */
static double
sidak(double p, double k)
{
	return p < 1.0 ? -expm1(k * log1p(-p)) : 1.0;
}

/*
 * Hommel's method (Biometrika 75, 1988) in the form of Meijer, Krebs and
 * Goeman (Biometrical J. 61, 2019). For the m largest p-values let
 * s_m = min_j m p_(n-m+j) / j be Simes' p-value, and S_m = max(s_m .. s_n).
 * At level a, the largest set that Simes' test does not reject has h members
 * with S_(h+1) <= a < S_h, and p_i is rejected if h p_i <= a, so
 *		adjusted p_i = min over m of max(S_(m+1), m p_i).
 * s_m is m times the smallest slope from the point (n - m, 0) to the points
 * (k, p_(k)) on its right, so it touches their lower convex hull, which grows
 * by one point on the left as m grows.
 *
 * work: room for n + 2 numbers; hull: room for n indexes.
 */
static void
adjust_hommel(double *p, int n, double *work, int *hull)
{
	double	   *simes = work;	/* S_1 .. S_n, S_(n+1) = 0 */
	int			top = 0;		/* hull[top - 1] is the leftmost point */

	for (int m = 1; m <= n; m++)
	{
		int			origin = n - m; /* points are (i + 1, p[i]) for i >= origin */
		int			low,
					high;

		/* Drop points that lie above the line from the new one to their neighbour. */
		while (top >= 2)
		{
			int			b = hull[top - 1];
			int			c = hull[top - 2];

			if ((p[b] - p[origin]) * (c - origin) < (p[c] - p[origin]) * (b - origin))
				break;
			top--;
		}
		hull[top++] = origin;

		/* The slope from the origin falls, then rises, along the hull. */
		low = 0;
		high = top - 1;
		while (low < high)
		{
			int			middle = (low + high) / 2;
			int			right = hull[middle];
			int			left = hull[middle + 1];

			if (p[left] * (right + 1 - origin) <= p[right] * (left + 1 - origin))
				low = middle + 1;
			else
				high = middle;
		}
		simes[m] = m * p[hull[low]] / (hull[low] + 1 - origin);
	}
	simes[n + 1] = 0.0;
	for (int m = n - 1; m >= 1; m--)
		simes[m] = fmax(simes[m], simes[m + 1]);

	for (int i = 0; i < n; i++)
	{
		int			low = 1;
		int			high = n;

		/* Find the first m with S_(m+1) <= m p_i; m = n always is one. */
		while (low < high)
		{
			int			m = (low + high) / 2;

			if (simes[m + 1] <= m * p[i])
				high = m;
			else
				low = m + 1;
		}
		/* The minimum lies there or one step before, where S_(m+1) decides. */
		p[i] = at_most_1(fmin(low * p[i], simes[low]));
	}
}

/*
 * Replaces n ascending p-values by adjusted ones. work (room for n + 2
 * numbers) and hull (room for n) are used by Hommel's method alone.
 */
void
fb_adjust_sorted(FbAdjust method, double *p, int n, double *work, int *hull)
{
	double		harmonic = 1.0;

	switch (method)
	{
		case FB_ADJUST_NONE:
			break;
		case FB_ADJUST_BONFERRONI:
			for (int i = 0; i < n; i++)
				p[i] = at_most_1(n * p[i]);
			break;
		case FB_ADJUST_SIDAK:
			for (int i = 0; i < n; i++)
				p[i] = sidak(p[i], n);
			break;
		case FB_ADJUST_HOLM:	/* Scand. J. Stat. 6, 1979 */
		case FB_ADJUST_HOLM_SIDAK:
			for (int i = 0; i < n; i++)
			{
				p[i] = method == FB_ADJUST_HOLM ? at_most_1((n - i) * p[i]) : sidak(p[i], n - i);
				if (i > 0 && p[i] < p[i - 1])
					p[i] = p[i - 1];
			}
			break;
		case FB_ADJUST_BY:		/* Ann. Stat. 29, 2001 */
			for (int i = 2; i <= n; i++)
				harmonic += 1.0 / i;
			/* FALLTHROUGH */
		case FB_ADJUST_BH:		/* JRSS B 57, 1995 */
		case FB_ADJUST_HOCHBERG:	/* Biometrika 75, 1988 */
			for (int i = n - 1; i >= 0; i--)
			{
				p[i] = at_most_1(method == FB_ADJUST_HOCHBERG ?
								 (n - i) * p[i] : harmonic * n / (i + 1) * p[i]);
				if (i < n - 1 && p[i] > p[i + 1])
					p[i] = p[i + 1];
			}
			break;
		case FB_ADJUST_HOMMEL:
			adjust_hommel(p, n, work, hull);
			break;
	}
}

/*
 * Replaces n descending e-values by adjusted p-values: the procedure of Wang
 * and Ramdas (JRSS B 84, 2022) rejects the k largest with e_(k) >= n / (k
 * alpha), under any dependence.
 */
void
fb_adjust_e_sorted(double *e, int n)
{
	for (int i = n - 1; i >= 0; i--)
	{
		e[i] = at_most_1(n / ((i + 1) * e[i]));
		if (i < n - 1 && e[i] > e[i + 1])
			e[i] = e[i + 1];
	}
}
