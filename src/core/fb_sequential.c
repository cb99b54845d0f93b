/*
 * fb_sequential.c
 *		Anytime-valid tests by normal mixtures.
 *
 * Under the null value the mixture's likelihood ratio is an e-value at every
 * look, however many there are: Robbins (Annals of Mathematical Statistics 41,
 * 1970), Howard, Ramdas, McAuliffe and Sekhon (Annals of Statistics 49, 2021),
 * Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Annals of Statistics 52,
 * 2024). On the relative scale the confidence sequence inverts the test of
 * m_t = R m_c for each R, as Fieller's interval does for one look, so that it
 * excludes the null value exactly when log_e > log(1 / alpha).
 */
#include <math.h>

#include "core/fb_normal.h"
#include "core/fb_sequential.h"

#define LN10 2.30258509299404568402

/* Returns the mixture's parameter for which the interval is narrowest at planned_n units. */
double
fb_mixture_rho(double planned_n, double alpha)
{
	double		l = -2.0 * log(alpha);

	return planned_n / (l + log1p(l));
}

/*
 * Returns the logarithm of the mixture's likelihood ratio at z after n units;
 * one-sided, of the half-normal mixture (Howard et al. 2021).
 */
double
fb_mixture_log_e(double z, double n, double rho, FbAlternative alternative)
{
	double		weight = n / (n + rho);
	double		both = 0.5 * log(rho / (n + rho)) + 0.5 * z * z * weight;

	if (alternative == FB_TWO_SIDED)
		return both;
	if (alternative == FB_LESS)
		z = -z;
	return both + log(2.0) + fb_norm_log_sf(-z * sqrt(weight));
}

/* Returns the z at which the evidence reaches 1 / alpha. */
double
fb_mixture_critical(double n, double rho, double alpha, FbAlternative alternative)
{
	double		level = -log(alpha);
	double		low = 0.0;
	double		high;

	if (alternative == FB_TWO_SIDED)
		return sqrt((n + rho) / n * (log((n + rho) / rho) + 2.0 * level));

	/* The logarithm increases with z; twice the evidence of both sides bounds it. */
	high = sqrt((n + rho) / n * (log((n + rho) / rho) + 2.0 * level)) + 1.0;
	for (int i = 0; i < 200; i++)
	{
		double		middle = 0.5 * (low + high);

		if (middle <= low || middle >= high)
			break;
		if (fb_mixture_log_e(middle, n, rho, FB_GREATER) < level)
			low = middle;
		else
			high = middle;
	}
	return 0.5 * (low + high);
}

/* Returns the logarithm of the t mixture (Lindon, Ham, Tingley and Bojinov 2022): exact with few degrees of freedom. */
double
fb_mixture_t_log_e(double t, double df, double n, double rho)
{
	double		r = rho / (rho + n);
	double		square = t * t / df;

	return 0.5 * log(r) + 0.5 * (df + 1.0) * (log1p(square) - log1p(r * square));
}

/* Returns the t at which the evidence reaches 1 / alpha; infinite where no t does. */
double
fb_mixture_t_critical(double df, double n, double rho, double alpha)
{
	double		r = rho / (rho + n);
	double		power = exp(2.0 / (df + 1.0) * (0.5 * log(r) + log(alpha)));

	return power > r ? sqrt(df * (1.0 - power) / (power - r)) : HUGE_VAL;
}

/* Returns the one-sided multiplier of Waudby-Smith et al., equation 134, as GrowthBook uses it. */
double
fb_mixture_critical_134(double n, double planned_n, double alpha)
{
	double		rho2 = 1.0 / fb_mixture_rho(planned_n, 2.0 * alpha);
	double		v = n * rho2 + 1.0;

	return sqrt(2.0 * v / (n * rho2) * log1p(sqrt(v) / (2.0 * alpha)));
}

/*
 * Compares two arms at any number of looks. n is the number of units of both
 * arms; equation 134 replaces the exact one-sided boundary if asked for.
 */
void
fb_effect_sequential(const FbContrast *contrast, const FbEffectOptions *options, double planned_n,
					 bool eq_134, FbEffect *result)
{
	double		n = (double) contrast->n_c + (double) contrast->n_t;
	double		rho = fb_mixture_rho(planned_n, options->alpha);
	double		statistic;
	double		critical;

	if (!fb_effect_begin(contrast, options, result))
		return;
	statistic = fb_effect_statistic(contrast, options, result);
	if (!isnan(statistic))
	{
		if (isinf(statistic) || fabs(statistic) > 1e150)
			statistic = copysign(1e150, statistic);
		result->statistic = statistic;
		result->log_e = fb_mixture_log_e(statistic, n, rho, options->alternative);
		result->p_value = result->log_e > 0.0 ? exp(-result->log_e) : 1.0;
		result->log10_p = fmin(-result->log_e / LN10, 0.0);
	}
	if (eq_134 && options->alternative != FB_TWO_SIDED && options->alpha < 0.5)
		critical = fb_mixture_critical_134(n, planned_n, options->alpha);
	else
		critical = fb_mixture_critical(n, rho, options->alpha, options->alternative);
	fb_effect_bounds(contrast, options, critical, result);
}
