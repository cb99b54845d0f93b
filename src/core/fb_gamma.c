/*
 * fb_gamma.c
 *		The incomplete gamma function, the chi-squared distribution, and the
 *		numerical pieces that the incomplete beta function shares with them.
 *
 * Prefactors are Loader's saddle point form ("Fast and accurate computation
 * of binomial probabilities", 2000): Stirling errors and deviances, so that
 * no large logarithms cancel. Far from the transition, the series and the
 * continued fraction converge fast; close to it with large parameters, where
 * both need O(sqrt(a)) terms, the tail is integrated by Gauss-Legendre
 * quadrature of the density relative to its value at the edge, which costs
 * the same whatever the parameters.
 */
#define _DEFAULT_SOURCE			/* for lgamma_r() */

#include <float.h>
#include <math.h>

#include "core/fb_gamma.h"

#define LOG_SQRT_2PI 0.91893853320467274178
#define INV_SQRT_2PI 0.39894228040143267794
#define LARGE_SHAPE 3000.0
#define MAX_TERMS 20000

/* Abscissas and weights of the 16-point Gauss-Legendre rule on [-1, 1], positive half. */
static const double gl_node[8] = {
	0.0950125098376374402, 0.2816035507792589132,
	0.4580167776572273863, 0.6178762444026437484,
	0.7554044083550030339, 0.8656312023878317439,
	0.9445750230732325761, 0.9894009349916499326
};
static const double gl_weight[8] = {
	0.1894506104550684963, 0.1826034150449235889,
	0.1691565193950025382, 0.1495959888165767321,
	0.1246289712555338721, 0.0951585116824927848,
	0.0622535239386478929, 0.0271524594117540949
};

/*
 * Returns u - log(1 + u), to full relative accuracy for all u > -1. With
 * s = u / (2 + u), log(1 + u) = 2 atanh(s) and u - 2s = u s.
 */
double
fb_log1p_gap(double u)
{
	double		s,
				s2,
				power,
				sum = 0.0;

	if (u > 1.2 || u < -0.55)
		return u - log1p(u);
	s = u / (2.0 + u);
	s2 = s * s;
	power = s * s2;
	for (int k = 3; k < 100; k += 2)
	{
		double		term = power / k;

		sum += term;
		if (fabs(term) <= fabs(sum) * (DBL_EPSILON / 4))
			break;
		power *= s2;
	}
	return u * s - 2.0 * sum;
}

/*
 * Returns Loader's deviance a log(a / m) + m - a for the difference d = m - a,
 * which the caller knows more exactly than m - a would round to.
 */
double
fb_deviance(double a, double m, double d)
{
	double		e = d / a;

	if (isinf(e))
		return a * (log(a) - log(m)) + d;
	if (e < -0.5)
		return a * (e - log(m / a));
	return a * fb_log1p_gap(e);
}

/*
 * Returns log Gamma(a + 1) - (a + 1/2) log a + a - log sqrt(2 pi), the error of
 * Stirling's formula, for a > 0.
 */
double
fb_stirling_error(double a)
{
	double		r;

	if (a < 10.0)
	{
		int			sign;

		return lgamma_r(a + 1.0, &sign) - (a + 0.5) * log(a) + a - LOG_SQRT_2PI;
	}
	r = 1.0 / (a * a);
	return (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 -
			r * (1.0 / 1188.0 - r * (691.0 / 360360.0 - r / 156.0)))))) / a;
}

/*
 * Integrates exp(shape(s)) over 0 <= s <= limit for a log-concave shape with
 * shape(0) = 0 that falls off on the scale of width.
 */
double
fb_tail_integral(FbTailShape shape, const void *arg, double width, double limit)
{
	double		sum = 0.0;
	double		left = 0.0;

	for (int segment = 0; segment < 200 && left < limit; segment++)
	{
		double		right = fmin(left + 2.0 * width, limit);
		double		half = 0.5 * (right - left);
		double		middle = 0.5 * (right + left);
		double		part = 0.0;

		for (int i = 0; i < 8; i++)
			part += gl_weight[i] * (exp(shape(middle - half * gl_node[i], arg)) +
									exp(shape(middle + half * gl_node[i], arg)));
		part *= half;
		sum += part;
		if (part <= sum * 1e-18)
			break;
		left = right;
	}
	return sum;
}

/* Fills both tails from the logarithm of the lower one. */
void
fb_tails_from_lower(FbTails *tails, double log_lower)
{
	if (log_lower > 0.0)
		log_lower = 0.0;
	tails->log_lower = log_lower;
	tails->lower = exp(log_lower);
	tails->upper = 0.0 - expm1(log_lower);	/* never -0 */
	tails->log_upper = tails->upper > 0.5 ? log1p(-tails->lower) : log(tails->upper);
}

/* Fills both tails from the logarithm of the upper one. */
void
fb_tails_from_upper(FbTails *tails, double log_upper)
{
	FbTails		mirror;

	fb_tails_from_lower(&mirror, log_upper);
	tails->lower = mirror.upper;
	tails->upper = mirror.lower;
	tails->log_lower = mirror.log_upper;
	tails->log_upper = mirror.log_lower;
}

/* The edge from which a tail of the gamma distribution is integrated. */
typedef struct GammaEdge
{
	double		a;
	double		x;
	double		slope;			/* (a - 1 - x) / x */
	double		direction;		/* 1 for the upper tail, -1 for the lower */
} GammaEdge;

/* Log density of the gamma distribution at distance s from x, relative to that at x. */
static double
gamma_shape(double s, const void *arg)
{
	const GammaEdge *edge = arg;

	s *= edge->direction;
	return s * edge->slope - (edge->a - 1.0) * fb_log1p_gap(s / edge->x);
}

/* Sums the power series of P(a, x) / prefactor, DLMF 8.7.1; all terms are positive. */
static double
gamma_series(double a, double x)
{
	double		term = 1.0;
	double		sum = 1.0;

	for (int k = 1; k < MAX_TERMS; k++)
	{
		term *= x / (a + k);
		sum += term;
		if (term <= sum * (DBL_EPSILON / 8))
			break;
	}
	return sum;
}

/* Evaluates the continued fraction of Q(a, x) / (a prefactor), DLMF 8.9.2, by Lentz's method. */
static double
gamma_fraction(double a, double x)
{
	double		b = x + 1.0 - a;
	double		c = HUGE_VAL;
	double		d = 1.0 / b;
	double		h = d;

	for (int k = 1; k < MAX_TERMS; k++)
	{
		double		an = k * (a - k);
		double		delta;

		b += 2.0;
		d = b + an * d;
		c = b + an / c;
		if (d == 0.0)
			d = DBL_MIN;
		if (c == 0.0)
			c = DBL_MIN;
		d = 1.0 / d;
		delta = c * d;
		h *= delta;
		if (fabs(delta - 1.0) <= DBL_EPSILON)
			break;
	}
	return h;
}

/* Computes the regularised incomplete gamma functions P(a, x) and Q(a, x) for a > 0, x >= 0. */
void
fb_gamma_inc(double a, double x, FbTails *tails)
{
	double		log_prefactor;

	if (x <= 0.0)
	{
		fb_tails_from_lower(tails, -HUGE_VAL);
		return;
	}
	if (isinf(x))
	{
		fb_tails_from_upper(tails, -HUGE_VAL);
		return;
	}

	/* x^a e^-x / Gamma(a + 1) */
	log_prefactor = -fb_deviance(a, x, x - a) - fb_stirling_error(a) -
		LOG_SQRT_2PI - 0.5 * log(a);

	if (a > LARGE_SHAPE && fabs(x - a) < 0.5 * a)
	{
		GammaEdge	edge;
		double		slope = a - 1.0 - x;
		double		width;
		double		area;

		edge.a = a;
		edge.x = x;
		edge.slope = slope / x;
		edge.direction = slope > 0.0 ? -1.0 : 1.0;
		width = x / fmax(fabs(slope), sqrt(a - 1.0));
		area = fb_tail_integral(gamma_shape, &edge, width, slope > 0.0 ? x : HUGE_VAL);
		if (slope > 0.0)
			fb_tails_from_lower(tails, log_prefactor + log(area * (a / x)));
		else
			fb_tails_from_upper(tails, log_prefactor + log(area * (a / x)));
	}
	else if (x < a + 1.0)
		fb_tails_from_lower(tails, log_prefactor + log(gamma_series(a, x)));
	else
		fb_tails_from_upper(tails, log_prefactor + log(a * gamma_fraction(a, x)));
}

/* Returns P(X > x) for a chi-squared variate with df degrees of freedom. */
double
fb_chi2_sf(double x, double df)
{
	FbTails		tails;

	fb_gamma_inc(0.5 * df, 0.5 * x, &tails);
	return tails.upper;
}

/* Returns the natural logarithm of P(X > x) for a chi-squared variate. */
double
fb_chi2_log_sf(double x, double df)
{
	FbTails		tails;

	fb_gamma_inc(0.5 * df, 0.5 * x, &tails);
	return tails.log_upper;
}
