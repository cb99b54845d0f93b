/*
 * fb_beta.c
 *		The incomplete beta function and Student's t distribution.
 *
 * Both tails are carried as x and y = 1 - x together with
 * lambda = a y - b x, the signed distance from the mean, because computing
 * any of them from the others would lose the digits that matter when a or b
 * is large (DiDonato and Morris, ACM TOMS 18, 1992, algorithm 708).
 */
#define _DEFAULT_SOURCE			/* for lgamma_r() */

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/fb_beta.h"
#include "core/fb_normal.h"

#define LOG_2PI 1.83787706640934548356
#define LOG_PI 1.14472988584940017414
#define LARGE_SHAPE 3000.0
#define MAX_TERMS 20000
#define SQRT_2PI_INV 0.39894228040143267794
#define LARGE_DF 100.0

/* The edge from which the lower tail of a beta distribution is integrated. */
typedef struct BetaEdge
{
	double		a;
	double		b;
	double		odds;			/* x / y */
	double		slope;			/* (a - 1) - (b - 1) x / y */
} BetaEdge;

/* Log density of the beta distribution at x (1 - u), relative to that at x. */
static double
beta_shape(double u, const void *arg)
{
	const BetaEdge *edge = arg;

	return -u * edge->slope -
		(edge->a - 1.0) * fb_log1p_gap(-u) -
		(edge->b - 1.0) * fb_log1p_gap(u * edge->odds);
}

/*
 * Evaluates the even part of the continued fraction DLMF 8.17.22 for
 * I_x(a, b) / (x^a y^b / B(a, b)), in the form of DiDonato and Morris:
 * 1 / (beta_0 + alpha_1 / (beta_1 + alpha_2 / (beta_2 + ...))).
 */
static double
beta_fraction(double a, double b, double x, double y, double lambda)
{
	double		c,
				d,
				h;

	h = a * (1.0 + lambda) / (a + 1.0);
	if (h == 0.0)
		h = DBL_MIN;
	c = h;
	d = 0.0;
	for (int n = 1; n < MAX_TERMS; n++)
	{
		double		s = a + 2.0 * n;
		double		e = n * (b - n) * x;
		double		alpha = (a + n - 1.0) / (s - 1.0) * ((a + b + n - 1.0) / (s - 1.0)) * e * x;
		double		beta = n + e / (s - 1.0) + (a + n) / (s + 1.0) * (lambda + 1.0 + n * (1.0 + y));
		double		delta;

		if (alpha == 0.0)
			break;
		d = beta + alpha * d;
		if (d == 0.0)
			d = DBL_MIN;
		c = beta + alpha / c;
		if (c == 0.0)
			c = DBL_MIN;
		d = 1.0 / d;
		delta = c * d;
		h *= delta;
		if (fabs(delta - 1.0) <= DBL_EPSILON)
			break;
	}
	return 1.0 / h;
}

/* Returns the logarithm of I_x(a, b) for x on the left of the mean. */
static double
beta_log_lower(double a, double b, double x, double y, double lambda, double log_prefactor)
{
	if (a > LARGE_SHAPE && b > LARGE_SHAPE)
	{
		BetaEdge	edge;
		double		width;

		edge.a = a;
		edge.b = b;
		edge.odds = x / y;
		edge.slope = (lambda - y + x) / y;
		width = fmin(1.0 / fmax(edge.slope, 0.0),
					 1.0 / hypot(sqrt(a - 1.0), sqrt(b - 1.0) * edge.odds));
		return log_prefactor + log(fb_tail_integral(beta_shape, &edge, width, 1.0) / y);
	}
	return log_prefactor + log(beta_fraction(a, b, x, y, lambda));
}

/* Computes both tails of the beta distribution at x, given y = 1 - x and lambda = a y - b x. */
static void
beta_tails(double a, double b, double x, double y, double lambda, FbTails *tails)
{
	double		log_prefactor;
	double		n = a + b;

	/*
	 * log(x^a y^b / B(a, b)), Loader's form: the means are n x = a - lambda
	 * and n y = b + lambda.
	 */
	log_prefactor = 0.5 * (log(a < b ? a : b) + log((a < b ? b : a) / n) - LOG_2PI) -
		fb_deviance(a, n * x, -lambda) - fb_deviance(b, n * y, lambda) +
		fb_stirling_error(n) - fb_stirling_error(a) - fb_stirling_error(b);

	/* x <= (a + 1) / (a + b + 2) */
	if (lambda >= 2.0 * x - 1.0)
		fb_tails_from_lower(tails, beta_log_lower(a, b, x, y, lambda, log_prefactor));
	else
		fb_tails_from_upper(tails, beta_log_lower(b, a, y, x, -lambda, log_prefactor));
}

/* Computes I_x(a, b) and its complement for a, b > 0 and 0 <= x <= 1. */
void
fb_beta_inc(double a, double b, double x, FbTails *tails)
{
	double		y = 1.0 - x;
	double		y_rest = (1.0 - y) - x;
	double		p,
				q,
				lambda;

	if (x <= 0.0)
	{
		fb_tails_from_lower(tails, -HUGE_VAL);
		return;
	}
	if (y <= 0.0)
	{
		fb_tails_from_upper(tails, -HUGE_VAL);
		return;
	}
	p = a * y;
	q = b * x;
	lambda = (p - q) + (fma(a, y, -p) - fma(b, x, -q) + a * y_rest);
	beta_tails(a, b, x, y, lambda, tails);
}

/*
 * Computes log P(T > t) for t > 0, and P(|T| < t) if central is not null:
 * P(|T| > t) = I_x(df/2, 1/2) with x = df / (df + t^2), y = t^2 / (df + t^2).
 */
static double
t_log_tail(double t, double df, double *central)
{
	double		square = t * t;
	double		sum = df + square;
	FbTails		tails;

	if (df > 1e20)
	{
		if (central)
			*central = 1.0 - 2.0 * fb_norm_sf(t);
		return fb_norm_log_sf(t);
	}

	/* Far out the density is a power of t: 1 + df / t^2 = 1 to the last digit. */
	if (t > 1e10 * fmax(1.0, df))
	{
		int			sign;
		double		log_tail = lgamma_r(0.5 * (df + 1.0), &sign) - lgamma_r(0.5 * df + 1.0, &sign) -
			0.5 * LOG_PI - M_LN2 + df * (0.5 * log(df) - log(t));

		/* With a tiny df even that far out much of the probability is still to come. */
		if (central)
			*central = -expm1(log_tail + M_LN2);
		return log_tail;
	}
	beta_tails(0.5 * df, 0.5, df / sum, square / sum, 0.5 * df * ((square - 1.0) / sum), &tails);
	if (central)
		*central = tails.upper;
	return tails.log_lower - M_LN2;
}

/*
 * Computes P(T > t) for t > 0 with many degrees of freedom, where t is not far
 * out; returns false where it is.
 *
 * With w^2 = df log(1 + t^2 / df) the density of T becomes that of the normal
 * distribution times h(w^2 / df) and a constant, h(y) = sqrt(y / (1 - e^-y));
 * the power series of h, integrated by parts term by term, gives
 *		P(T > t) = Q(w) + phi(w) sum_k h_k P_k(w) / df^k / sum_k h_k (2k - 1)!! / df^k,
 *		P_k = w^(2k - 1) + (2k - 1) P_(k-1)
 * (the uniform expansion of Temme, SIAM J. Math. Anal. 13, 1982, for I_x(a, 1/2)).
 * The first term left out is below the last digit.
 */
static bool
t_tail_large_df(double t, double df, double *tail)
{
	static const double h[8] = {
		1.0 / 4, 1.0 / 96, -1.0 / 384, -1.0 / 10240, 19.0 / 368640, 79.0 / 61931520.0, -55.0 / 49545216.0,
		-2339.0 / 118908518400.0
	};
	double		r = 1.0 / df;
	double		square,
				w,
				power,
				polynomial,
				scale = 1.0,
				odd = 1.0,
				sum = 0.0,
				whole = 1.0;

	if (!(df >= LARGE_DF && t <= 8.0))
		return false;
	square = df * log1p(t * t / df);
	if (square > 0.125 * df)
		return false;
	w = power = polynomial = sqrt(square);
	for (int k = 1; k <= 8; k++)
	{
		scale *= r;
		sum += h[k - 1] * scale * polynomial;
		whole += h[k - 1] * scale * odd;
		power *= square;
		odd *= 2 * k + 1;
		polynomial = power + (2 * k + 1) * polynomial;
	}
	*tail = fb_norm_sf(w) + SQRT_2PI_INV * exp(-0.5 * square) * sum / whole;
	return true;
}

/* Returns P(T > t) for Student's t with df > 0 degrees of freedom, and its logarithm. */
double
fb_t_tail(double t, double df, double *log_tail)
{
	double		tail;

	if (t > 0.0 && t_tail_large_df(t, df, &tail))
		*log_tail = log(tail);
	else if (t > 0.0 && !isinf(t))
	{
		*log_tail = t_log_tail(t, df, NULL);
		tail = exp(*log_tail);
	}
	else
	{
		tail = fb_t_sf(t, df);
		*log_tail = fb_t_log_sf(t, df);
	}
	return tail;
}

/* Returns P(T > t) for Student's t with df > 0 degrees of freedom. */
double
fb_t_sf(double t, double df)
{
	double		tail;

	if (t == 0.0)
		return 0.5;
	if (isinf(t))
		return t > 0 ? 0.0 : 1.0;
	if (t_tail_large_df(fabs(t), df, &tail))
		return t > 0.0 ? tail : 1.0 - tail;
	if (t > 0.0)
		return exp(t_log_tail(t, df, NULL));
	return -expm1(t_log_tail(-t, df, NULL));
}

/* Returns the natural logarithm of P(T > t). */
double
fb_t_log_sf(double t, double df)
{
	if (t == 0.0)
		return -M_LN2;
	if (isinf(t))
		return t > 0 ? -HUGE_VAL : 0.0;
	if (t > 0.0)
		return t_log_tail(t, df, NULL);
	return log1p(-exp(t_log_tail(-t, df, 0)));
}

/*
 * Computes the quantile of t from that of the normal distribution, z > 0, by
 * the expansion of Fisher and Cornish (Technometrics 2, 1960; Abramowitz and
 * Stegun 26.7.5). Returns whether its next term would not show in the result.
 */
bool
fb_t_quantile_large_df(double z, double df, double *t)
{
	double		w = z * z;
	double		r = 1.0 / df;
	double		term[5] = {
		(w + 1.0) * (1.0 / 4.0),
		((5.0 * w + 16.0) * w + 3.0) * (1.0 / 96.0),
		(((3.0 * w + 19.0) * w + 17.0) * w - 15.0) * (1.0 / 384.0),
		((((79.0 * w + 776.0) * w + 1482.0) * w - 1920.0) * w - 945.0) * (1.0 / 92160.0),
		(((((27.0 * w + 339.0) * w + 930.0) * w - 1782.0) * w - 765.0) * w + 17955.0) * (1.0 / 368640.0)
	};
	double		r5 = r * r * r * r * r;

	*t = z * (1.0 + r * (term[0] + r * term[1]));
	if (w < df)
		*t = z * (1.0 + r * (term[0] + r * (term[1] + r * (term[2] + r * (term[3] + r * term[4])))));
	return df >= LARGE_DF && (fabs(term[4]) + w + 1.0) * r5 * (w + 4.0) * r < 2e-15 && w < 0.1 * df;
}

/*
 * Returns the t > 0 with P(T > t) = q, 0 < q < 1/2; infinity if it exceeds double precision.
 *
 * Newton's method on the logarithm of a probability as a function of log t,
 * kept inside a bracket. Both log P(T > t) and log P(|T| < t) are concave in
 * log t, so the iteration converges from any start; the latter keeps relative
 * accuracy close to the median, the former far out. Where rounding of the
 * slope, or a tail that is flat over hundreds of decades, spoils a step, the
 * bracket is halved instead.
 */
double
fb_t_quantile_upper(double q, double df)
{
	bool		central = q > 0.25;
	double		half = 0.5 * df;
	double		log_q;
	double		log_c;			/* logarithm of the density's constant */
	double		low = log(DBL_MIN);
	double		high = log(DBL_MAX);
	double		t,
				z;

	if (q >= 0.5)
		return 0.0;
	z = -fb_norm_quantile(q);
	if (fb_t_quantile_large_df(z, df, &t))
		return t;
	log_q = central ? log1p(-2.0 * q) : log(q);
	/* With two degrees of freedom or more no q leaves double precision. */
	if (df < 2.0 && t_log_tail(DBL_MAX, df, NULL) > log(q))
		return HUGE_VAL;

	/* Gamma(half + 1/2) / Gamma(half) / sqrt(pi df), good enough for a slope */
	if (half > 1e6)
		log_c = -0.5 * (LOG_2PI + 0.25 / half);
	else
	{
		int			sign;

		log_c = lgamma_r(half + 0.5, &sign) - lgamma_r(half, &sign) - 0.5 * (LOG_PI + log(df));
	}

	/* Start: the expansion, or the power law of the tail where df is small. */
	if (df < 30.0 && !central)
	{
		double		power = exp((log_c - log_q + (half - 0.5) * log(df)) / df);

		if (power < t || z * z > df)
			t = power;
	}
	if (central && df < 1.0)
		t = (0.5 - q) * exp(-log_c);
	t = fmin(fmax(t, DBL_MIN), 1e300);

	for (int i = 0; i < 200; i++)
	{
		double		middle;
		double		log_sf = t_log_tail(t, df, &middle);
		double		ratio = t / df * t;
		double		log_pdf = log_c - (half + 0.5) *
			(ratio < 1e300 ? log1p(ratio) : 2.0 * log(t) - log(df));
		double		log_t = log(t);
		double		gap = central ? log(middle) - log_q : log_q - log_sf;	/* negative: t is too small */
		double		step;

		/* d log P(T > t) / d log t = -t f(t) / P(T > t) */
		if (central)
			step = -gap / (2.0 * t * exp(log_pdf - log(middle)));
		else
			step = -gap / (t * exp(log_pdf - log_sf));
		if (gap < 0.0)
			low = log_t;
		else
			high = log_t;

		/* The error of a step is of the order of its square. */
		if (fabs(step) <= 1e-9)
			return t * exp(step);
		if (!(log_t + step > low && log_t + step < high))
		{
			step = 0.5 * (low + high) - log_t;
			if (fabs(step) <= 4.0 * DBL_EPSILON * fabs(log_t))
				break;
		}
		t *= exp(step);
	}
	return t;
}

/* Returns the t with P(T <= t) = p, 0 < p < 1. */
double
fb_t_quantile(double p, double df)
{
	if (p < 0.5)
		return -fb_t_quantile_upper(p, df);
	return fb_t_quantile_upper(1.0 - p, df);
}
