/*
 * fb_proportion.c
 *		Tests and intervals for proportions that hold with few successes.
 */
#include <math.h>

#include "core/fb_beta.h"
#include "core/fb_gamma.h"
#include "core/fb_normal.h"
#include "core/fb_proportion.h"

#define LOG_2PI 1.83787706640934548356
#define MAX_SUPPORT 1e6			/* tables with more possible outcomes are too long to enumerate */

/* Returns the value in [low, high] at which a decreasing function of it crosses zero. */
static double
bisect(double (*f) (double, const void *), const void *arg, double low, double high)
{
	for (int i = 0; i < 200; i++)
	{
		double		middle = 0.5 * (low + high);

		if (middle <= low || middle >= high)
			break;
		if (f(middle, arg) > 0.0)
			low = middle;
		else
			high = middle;
	}
	return 0.5 * (low + high);
}

/* Returns P(X >= x) of a binomial variable, 0 <= p <= 1. */
double
fb_binomial_tail(double x, double n, double p)
{
	FbTails		tails;

	if (x <= 0.0)
		return 1.0;
	if (x > n)
		return 0.0;
	fb_beta_inc(x, n - x + 1.0, p, &tails);
	return tails.lower;
}

/* Returns log P(X = x) of a binomial variable (Loader 2000), q = 1 - p. */
double
fb_binomial_log_pmf(double x, double n, double p, double q)
{
	if (x == 0.0)
		return p < 0.5 ? n * log1p(-p) : n * log(q);
	if (x == n)
		return p > 0.5 ? n * log1p(-q) : n * log(p);
	return fb_stirling_error(n) - fb_stirling_error(x) - fb_stirling_error(n - x) -
		fb_deviance(x, n * p, n * p - x) - fb_deviance(n - x, n * q, x - n * p) -
		0.5 * (LOG_2PI + log(x) + log1p(-x / n));
}

/* A bound of Clopper and Pearson: where a tail probability equals level. */
typedef struct ExactBound
{
	double		x;
	double		n;
	double		level;
	bool		upper;
} ExactBound;

/* Positive while p lies below the bound. */
static double
exact_bound(double p, const void *arg)
{
	const ExactBound *bound = arg;

	if (bound->upper)
		return 1.0 - fb_binomial_tail(bound->x + 1.0, bound->n, p) - bound->level;
	return bound->level - fb_binomial_tail(bound->x, bound->n, p);
}

/* Computes Wilson's interval (JASA 22, 1927) with critical value z. */
static void
wilson(double x, double n, double z, double *low, double *high)
{
	double		p = x / n;
	double		z2 = z * z / n;
	double		centre = (p + 0.5 * z2) / (1.0 + z2);
	double		half = z * sqrt(p * (1.0 - p) / n + 0.25 * z2 / n) / (1.0 + z2);

	*low = x == 0.0 ? 0.0 : fmax(centre - half, 0.0);
	*high = x == n ? 1.0 : fmin(centre + half, 1.0);
}

/* Computes a two-sided interval for one proportion; n > 0. */
void
fb_prop_interval(double x, double n, double alpha, FbPropInterval method, double *low, double *high)
{
	double		z = -fb_norm_quantile(0.5 * alpha);

	if (method == FB_PROP_EXACT)
	{
		ExactBound	bound = {x, n, 0.5 * alpha, false};

		/* Clopper and Pearson, Biometrika 26, 1934 */
		*low = x == 0.0 ? 0.0 : bisect(exact_bound, &bound, 0.0, 1.0);
		bound.upper = true;
		*high = x == n ? 1.0 : bisect(exact_bound, &bound, 0.0, 1.0);
	}
	else if (method == FB_PROP_AGRESTI_COULL)
	{
		double		m = n + z * z;
		double		p = (x + 0.5 * z * z) / m;
		double		half = z * sqrt(p * (1.0 - p) / m);

		*low = fmax(p - half, 0.0);
		*high = fmin(p + half, 1.0);
	}
	else
		wilson(x, n, z, low, high);
}

/*
 * Finds the root s in [0, limit] of the likelihood equation
 *		(a - n_a s) / (s (1 - s)) + (b - n_b (delta + s)) / ((delta + s) (w - s)) = 0,
 * w = 1 - delta, times its denominators: a cubic that falls through zero
 * there. Newton within a bracket keeps the digits of a tiny s.
 */
static double
likelihood_root(double a, double n_a, double b, double n_b, double delta, double w, double limit)
{
	double		excess = fma(-n_b, delta, b);	/* b - n_b delta */
	double		low = 0.0;
	double		high = limit;
	double		s = 0.5 * limit;

	/* Without successes of its own the factor s divides the cubic, and the root may be 0. */
	if (a == 0.0 && excess <= n_a * delta * w)
		return 0.0;
	for (int i = 0; i < 400; i++)
	{
		double		u = delta + s;
		double		v = w - s;
		double		f,
					slope,
					next;

		if (a == 0.0)
		{
			f = (excess - n_b * s) * (1.0 - s) - n_a * u * v;
			slope = -n_b * (1.0 - s) - (excess - n_b * s) - n_a * (v - u);
		}
		else
		{
			f = (a - n_a * s) * u * v + (excess - n_b * s) * s * (1.0 - s);
			slope = -n_a * u * v + (a - n_a * s) * (v - u) - n_b * s * (1.0 - s) + (excess - n_b * s) * (1.0 - 2.0 * s);
		}
		if (f > 0.0)
			low = s;
		else
			high = s;
		next = s - f / slope;
		if (!(next > low && next < high))
			next = 0.5 * (low + high);
		if (fabs(next - s) <= 1e-16 * s || next <= low || next >= high)
			return next;
		s = next;
	}
	return s;
}

/*
 * Returns the score statistic of a difference delta: its distance from the
 * observed one by its standard deviation under the restricted maximum-likelihood
 * estimates of Farrington and Manning (Statistics in Medicine 9, 1990), whose
 * variance is multiplied by N / (N - 1) (Miettinen and Nurminen, Statistics in
 * Medicine 4, 1985).
 *
 * With the arms exchanged where delta is negative, p_c and 1 - p_t lie between 0
 * and w = 1 - delta and sum to it. The smaller one is solved for: computed as a
 * difference from 1 it would lose the digits that the variance needs when both
 * are tiny. Exchanging arms, or successes and failures, changes no bit.
 */
static double
score(const FbTable *table, double delta)
{
	FbTable		t = *table;
	double		sign = 1.0;
	double		n = t.n_c + t.n_t;
	double		f_c,
				f_t,
				w,
				p_c,
				q_t,
				gap,
				middle,
				variance;

	if (delta < 0.0)
	{
		t = (FbTable) {.x_c = table->x_t, .n_c = table->n_t, .x_t = table->x_c, .n_t = table->n_c};
		delta = -delta;
		sign = -1.0;
	}
	w = 1.0 - delta;
	f_c = t.n_c - t.x_c;
	f_t = t.n_t - t.x_t;
	gap = delta <= 0.5 ? fma(-t.n_t, delta, t.x_t) / t.n_t - t.x_c / t.n_c :
		fma(t.n_t, w, -f_t) / t.n_t - t.x_c / t.n_c;
	if (delta == 0.0)
	{
		p_c = (t.x_c + t.x_t) / n;
		q_t = (f_c + f_t) / n;
	}
	else
	{
		double		s = 0.5 * w;

		/* The sign of the equation in the middle tells which one is smaller. */
		middle = (t.x_c - t.n_c * s) + (fma(-t.n_t, delta, t.x_t) - t.n_t * s) * ((s * (1.0 - s)) / ((delta + s) * (w - s)));
		if (middle < 0.0)
		{
			p_c = likelihood_root(t.x_c, t.n_c, t.x_t, t.n_t, delta, w, s);
			q_t = w - p_c;
		}
		else
		{
			q_t = likelihood_root(f_t, t.n_t, f_c, t.n_c, delta, w, s);
			p_c = w - q_t;
		}
	}
	variance = ((1.0 - q_t) * q_t / t.n_t + p_c * (1.0 - p_c) / t.n_c) * n / (n - 1.0);
	if (variance > 0.0)
		return sign * gap / sqrt(variance);
	return gap == 0.0 ? 0.0 : copysign(HUGE_VAL, sign * gap);
}

/* A bound of Miettinen and Nurminen: where the score statistic equals q. */
typedef struct ScoreBound
{
	const FbTable *table;
	double		q;
} ScoreBound;

/* Positive while the difference lies below the bound. */
static double
score_bound(double delta, const void *arg)
{
	const ScoreBound *bound = arg;

	return score(bound->table, delta) - bound->q;
}

/* Returns log P(X = x) of the successes in treatment given all margins. */
static double
hypergeometric_log_pmf(const FbTable *t, double x)
{
	double		successes = t->x_c + t->x_t;
	double		n = t->n_c + t->n_t;
	double		p = successes / n;
	double		q = (n - successes) / n;

	return fb_binomial_log_pmf(x, t->n_t, p, q) + fb_binomial_log_pmf(successes - x, t->n_c, p, q) -
		fb_binomial_log_pmf(successes, n, p, q);
}

/* Computes Fisher's exact p-value; two-sided it adds all tables at most as probable as the observed one. */
static void
fisher(const FbTable *t, FbAlternative alternative, FbEffect *result)
{
	double		successes = t->x_c + t->x_t;
	double		n = t->n_c + t->n_t;
	double		low = fmax(0.0, successes - t->n_c);
	double		high = fmin(successes, t->n_t);
	double		mode = floor((successes + 1.0) * ((t->n_t + 1.0) / (n + 2.0)));
	double		limit;
	double		sum = 0.0;

	if (successes == 0.0 || successes == n)
	{
		result->p_value = 1.0;
		result->log10_p = 0.0;
		return;
	}
	if (high - low > MAX_SUPPORT)
	{
		result->status = FB_RESOLUTION;
		return;
	}
	mode = fmin(fmax(mode, low), high);
	limit = alternative == FB_TWO_SIDED ? hypergeometric_log_pmf(t, t->x_t) + log1p(1e-7) : HUGE_VAL;

	/* Both directions from the mode: probabilities fall, each from the one before. */
	for (int side = -1; side <= 1; side += 2)
	{
		double		log_p = hypergeometric_log_pmf(t, mode);
		double		compensation = 0.0;

		for (double x = mode; x >= low && x <= high; x += side)
		{
			double		failures_c = t->n_c - successes + x;
			bool		counted = alternative == FB_TWO_SIDED ? log_p <= limit :
				alternative == FB_GREATER ? x >= t->x_t : x <= t->x_t;
			double		step;

			if (counted && (x != mode || side > 0))
				sum += exp(log_p);
			if (log_p < -745.0)
				break;
			if (side > 0)
				step = log((successes - x) / (x + 1.0) * ((t->n_t - x) / (failures_c + 1.0)));
			else
				step = log(x / (successes - x + 1.0) * (failures_c / (t->n_t - x + 1.0)));
			step -= compensation;
			compensation = ((log_p + step) - log_p) - step;
			log_p += step;
		}
	}
	result->p_value = fmin(sum, 1.0);
	result->log10_p = log10(result->p_value);
}

/*
 * Compares two proportions: effect is p_t - p_c, for Katz p_t / p_c - 1. Both
 * arms have n > 0; Newcombe's interval has no test of its own and comes with
 * the pooled one.
 */
void
fb_prop_effect(const FbTable *t, FbPropMethod method, FbAlternative alternative, double alpha,
			   double null_value, FbEffect *result)
{
	double		p_c = t->x_c / t->n_c;
	double		p_t = t->x_t / t->n_t;
	double		d = p_t - p_c;
	double		pooled = (t->x_c + t->x_t) / (t->n_c + t->n_t);
	double		wald = sqrt(p_c * (1.0 - p_c) / t->n_c + p_t * (1.0 - p_t) / t->n_t);
	double		pooled_se = sqrt(pooled * (1.0 - pooled) * (1.0 / t->n_c + 1.0 / t->n_t));
	double		q = -fb_norm_quantile(alternative == FB_TWO_SIDED ? 0.5 * alpha : alpha);
	double		low = NAN;
	double		high = NAN;

	result->effect = d;
	result->se = wald;
	result->ci_low = result->ci_high = result->statistic = result->df = result->p_value = NAN;
	result->log10_p = result->log_e = NAN;
	result->status = FB_OK;
	switch (method)
	{
		case FB_PROP_WALD:
			if (!(wald > 0.0))
				result->status = FB_ZERO_VARIANCE;
			else
				fb_effect_p_value(result, alternative, (d - null_value) / wald, NAN);
			low = d - q * wald;
			high = d + q * wald;
			break;
		case FB_PROP_POOLED:
		case FB_PROP_NEWCOMBE:
			if (!(pooled_se > 0.0))
				result->status = FB_ZERO_VARIANCE;
			else
				fb_effect_p_value(result, alternative, (d - null_value) / (null_value == 0.0 ? pooled_se : wald), NAN);
			if (method == FB_PROP_POOLED)
			{
				low = d - q * wald;
				high = d + q * wald;
			}
			else
			{
				double		low_c,
							high_c,
							low_t,
							high_t;

				/* Newcombe, Statistics in Medicine 17, 1998, method 10; a negative q has the bounds exchanged */
				wilson(t->x_c, t->n_c, q, &low_c, &high_c);
				wilson(t->x_t, t->n_t, q, &low_t, &high_t);
				low = d - copysign(hypot(p_t - low_t, high_c - p_c), q);
				high = d + copysign(hypot(high_t - p_t, p_c - low_c), q);
				if (result->status == FB_ZERO_VARIANCE)
				{
					/* Both proportions are 0, or both 1: nothing speaks against no difference. */
					result->status = FB_OK;
					result->p_value = 1.0;
					result->log10_p = 0.0;
				}
			}
			break;
		case FB_PROP_MN:
			{
				ScoreBound	bound = {t, q};

				fb_effect_p_value(result, alternative, score(t, null_value), NAN);
				low = bisect(score_bound, &bound, -1.0, 1.0);
				bound.q = -q;
				high = bisect(score_bound, &bound, -1.0, 1.0);
			}
			break;
		case FB_PROP_KATZ:
			/* Katz, Baptista, Azen and Pike, Biometrics 34, 1978 */
			result->effect = p_t / p_c - 1.0;
			result->se = NAN;
			if (!(p_c > 0.0))
				result->status = FB_ZERO_CONTROL_MEAN;
			else if (!(p_t > 0.0) || (p_c == 1.0 && p_t == 1.0))
				result->status = FB_ZERO_VARIANCE;
			else
			{
				double		se_log = sqrt((1.0 - p_c) / t->x_c + (1.0 - p_t) / t->x_t);
				double		log_ratio = log(p_t / p_c);

				result->se = se_log * (p_t / p_c);
				fb_effect_p_value(result, alternative, (log_ratio - log1p(null_value)) / se_log, NAN);
				low = expm1(log_ratio - q * se_log);
				high = expm1(log_ratio + q * se_log);
			}
			break;
		case FB_PROP_FISHER:
			fisher(t, alternative, result);
			break;
	}
	if (alternative != FB_LESS)
		result->ci_low = low;
	if (alternative != FB_GREATER)
		result->ci_high = high;
}
