/*
 * fb_bernoulli.c
 *		The beta-binomial mixture for sums of bounded steps, the confidence
 *		sequence of a rate that follows from it, and polynomial stitching.
 *
 * Howard, Ramdas, McAuliffe and Sekhon (Annals of Statistics 49, 2021). For a
 * sum s of steps that are -g or h with mean 0 under the null value, and
 * variance v = n g h, the likelihood ratio against another rate p is
 *		(p / p0)^a ((1 - p) / (1 - p0))^b,  p0 = g / (g + h),
 *		a = (v + h s) / (h (g + h)),  b = (v - g s) / (g (g + h)),
 * and its mixture over p ~ Beta(r / (h (g + h)), r / (g (g + h))) an e-value at
 * every look.
 */
#include <math.h>

#include "core/fb_bernoulli.h"
#include "core/fb_gamma.h"
#include "core/fb_sequential.h"

/* Returns log(B(a + x, b + y) / B(a, b)) + x log((a + b) / a) + y log((a + b) / b) for large and small numbers alike. */
static double
log_mixture(double a, double b, double x, double y)
{
	double		n = a + b;

	/* lgamma(z) = (z - 1/2) log z - z + log(2 pi) / 2 + stirling_error(z); the large terms are deviances. */
	return fb_stirling_error(a + x) + fb_stirling_error(b + y) - fb_stirling_error(n + x + y) -
		fb_stirling_error(a) - fb_stirling_error(b) + fb_stirling_error(n) -
		0.5 * log1p(x / a) - 0.5 * log1p(y / b) + 0.5 * log1p((x + y) / n) +
		(a + x) * log1p((x * b - y * a) / (a * (n + x + y))) + (b + y) * log1p((y * a - x * b) / (b * (n + x + y)));
}

/* Returns the logarithm of the mixture's likelihood ratio, two-sided, tuned to be tightest at v_opt. */
double
fb_beta_binomial_log_e(double s, double v, double v_opt, double alpha_opt, double g, double h)
{
	double		r = fmax(fb_mixture_rho(v_opt, alpha_opt) - g * h, 1e-3 * g * h);
	double		a = fmax((v + h * s) / (h * (g + h)), 0.0);
	double		b = fmax((v - g * s) / (g * (g + h)), 0.0);

	return log_mixture(r / (h * (g + h)), r / (g * (g + h)), a, b);
}

/* Returns the sum at which the evidence reaches 1 / alpha; infinite where no possible sum does. */
double
fb_beta_binomial_bound(double v, double v_opt, double alpha, double g, double h)
{
	double		low = 0.0;
	double		high = v / g;
	double		level = -log(alpha);

	if (fb_beta_binomial_log_e(high, v, v_opt, alpha, g, h) < level)
		return HUGE_VAL;
	for (int i = 0; i < 200; i++)
	{
		double		middle = 0.5 * (low + high);

		if (middle <= low || middle >= high)
			break;
		if (fb_beta_binomial_log_e(middle, v, v_opt, alpha, g, h) < level)
			low = middle;
		else
			high = middle;
	}
	return 0.5 * (low + high);
}

/* Returns the logarithm of the evidence of x successes in n against the rate p, 0 < p < 1. */
double
fb_bernoulli_log_e(double x, double n, double p, double planned, double alpha)
{
	double		q = 1.0 - p;
	double		r = fmax(fb_mixture_rho(planned * p * q, alpha) - p * q, 1e-3 * p * q);

	return log_mixture(r / q, r / p, x, n - x);
}

/* Finds the rate at which the evidence reaches 1 / alpha between one that has less, inside, and one outside. */
static double
edge(double x, double n, double planned, double alpha, double inside, double outside)
{
	double		level = -log(alpha);

	for (int i = 0; i < 200; i++)
	{
		double		middle = 0.5 * (inside + outside);

		if (middle == inside || middle == outside)
			break;
		if (fb_bernoulli_log_e(x, n, middle, planned, alpha) < level)
			inside = middle;
		else
			outside = middle;
	}
	return 0.5 * (inside + outside);
}

/* Computes the confidence sequence of a rate after x successes in n; planned is where it is to be tightest. */
void
fb_bernoulli_interval(double x, double n, double planned, double alpha, double *low, double *high)
{
	double		rate = x / n;

	/* The evidence grows from the observed rate to both sides. */
	*low = x > 0.0 ? edge(x, n, planned, alpha, x < n ? rate : 1.0 - 1e-15, 0.0) : 0.0;
	*high = x < n ? edge(x, n, planned, alpha, x > 0.0 ? rate : 1e-15, 1.0) : 1.0;
}

/* Returns Riemann's zeta function for s > 1 (Euler and Maclaurin). */
static double
zeta(double s)
{
	double		sum = 0.0;
	double		n = 20.0;
	double		power;

	for (double i = 1.0; i < n; i++)
		sum += pow(i, -s);
	power = pow(n, -s);
	return sum + n * power / (s - 1.0) + 0.5 * power + s * power / (12.0 * n) -
		s * (s + 1.0) * (s + 2.0) * power / (720.0 * n * n * n) +
		s * (s + 1.0) * (s + 2.0) * (s + 3.0) * (s + 4.0) * power / (30240.0 * n * n * n * n * n);
}

/*
 * Returns the polynomial stitched bound (Howard et al. 2021, theorem 1) of a
 * sub-gamma sum with scale c after variance v.
 */
double
fb_poly_stitching_bound(double v, double v_min, double alpha, double c, double s, double eta)
{
	double		k1 = (pow(eta, 0.25) + pow(eta, -0.25)) / sqrt(2.0);
	double		k2 = 0.5 * (sqrt(eta) + 1.0);
	double		at = fmax(v, v_min);
	double		l = s * log(log(eta * at / v_min)) + log(zeta(s) / (alpha * pow(log(eta), s)));

	return sqrt(k1 * k1 * at * l + k2 * k2 * c * c * l * l) + k2 * c * l;
}
