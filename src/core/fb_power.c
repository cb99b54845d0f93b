/*
 * fb_power.c
 *		The noncentral t distribution and Snedecor's F.
 */
#include <math.h>

#include "core/fb_beta.h"
#include "core/fb_normal.h"
#include "core/fb_power.h"

/* Adds the terms of the Poisson mixture from j on in one direction, until they no longer matter. */
static double
mixture_terms(double y, double df, double delta, double start, double step)
{
	double		half = 0.5 * delta * delta;
	double		log_half = log(half);
	double		log_p = start * log_half - half - lgamma(start + 1.0);
	double		ratio = delta / sqrt(2.0) * exp(lgamma(start + 1.0) - lgamma(start + 1.5));
	double		sum = 0.0;
	double		p = exp(log_p);
	double		q = p * ratio;

	for (double j = start; j >= 0.0; j += step)
	{
		FbTails		even,
					odd;
		double		term;

		fb_beta_inc(0.5 * df, j + 0.5, y, &even);
		fb_beta_inc(0.5 * df, j + 1.0, y, &odd);
		term = p * even.lower + q * odd.lower;
		sum += term;
		if (p + fabs(q) < 1e-18 || (fabs(term) < 1e-17 * fabs(sum) && fabs(j - start) > 4.0))
			break;
		if (step > 0.0)
		{
			p *= half / (j + 1.0);
			q *= half / (j + 1.5);
		}
		else
		{
			p *= j / half;
			q *= (j + 0.5) / half;
		}
	}
	return sum;
}

/*
 * Returns P(T > t), t >= 0, for the noncentral t distribution: the mixture
 *		1/2 sum(p_j I_y(df/2, j + 1/2) + q_j I_y(df/2, j + 1))
 * with p_j = exp(-d^2/2) (d^2/2)^j / j!, q_j = d / sqrt(2) exp(-d^2/2)
 * (d^2/2)^j / Gamma(j + 3/2) and y = df / (df + t^2), the complement of AS 243
 * (Lenth, Applied Statistics 38, 1989), summed outwards from its mode.
 */
double
fb_noncentral_t_sf(double t, double df, double delta)
{
	double		y = df / (df + t * t);
	double		mode = floor(0.5 * delta * delta);

	if (isnan(t) || isnan(df) || isnan(delta) || !(t >= 0.0) || !(df > 0.0))
		return NAN;
	if (fabs(delta) > 1000.0)
		return delta > t ? 1.0 : 0.0;
	if (fabs(delta) < 1e-8)
		return fb_t_sf(t, df);
	return fmin(fmax(0.5 * (mixture_terms(y, df, delta, mode, 1.0) +
							(mode > 0.0 ? mixture_terms(y, df, delta, mode - 1.0, -1.0) : 0.0)), 0.0), 1.0);
}

/* Computes the tails of the F distribution. */
static void
f_tails(double f, double df_between, double df_within, FbTails *tails)
{
	/* P(F > f) = I_y(df_within / 2, df_between / 2), y = df_within / (df_within + df_between f) */
	fb_beta_inc(0.5 * df_within, 0.5 * df_between, 1.0 / (1.0 + df_between / df_within * f), tails);
}

/* Returns P(F > f). */
double
fb_f_sf(double f, double df_between, double df_within)
{
	FbTails		tails;

	if (!(f > 0.0))
		return isnan(f) ? NAN : 1.0;
	f_tails(f, df_between, df_within, &tails);
	return tails.lower;
}

/* Returns its natural logarithm. */
double
fb_f_log_sf(double f, double df_between, double df_within)
{
	FbTails		tails;

	if (!(f > 0.0))
		return isnan(f) ? NAN : 0.0;
	f_tails(f, df_between, df_within, &tails);
	return tails.log_lower;
}
