/*
 * fb_bayes.c
 *		Posterior probabilities by quadrature: the same on every node and every
 *		refresh.
 */
#define _DEFAULT_SOURCE			/* for lgamma_r() */

#include <math.h>

#include "core/fb_bayes.h"
#include "core/fb_beta.h"
#include "core/fb_gamma.h"
#include "core/fb_normal.h"

#define LOG_2PI 1.83787706640934548356

/* Updates a normal prior by an estimate with its standard error; prior_sd infinite stands for a flat prior. */
void
fb_bayes_normal(double effect, double se, double prior_mean, double prior_sd, double alpha, FbPosterior *posterior)
{
	/* The prior's share of the precision, without squaring what may overflow. */
	double		ratio = isinf(prior_sd) ? 0.0 : se / prior_sd;
	double		share = isinf(ratio) ? 1.0 : ratio / (ratio + 1.0 / ratio);
	double		sd = hypot(1.0, ratio);
	double		k,
				z = -fb_norm_quantile(0.5 * alpha);

	if (ratio == 0.0)
		share = 0.0;
	posterior->mean = share * prior_mean + (1.0 - share) * effect;
	posterior->sd = isinf(sd) ? prior_sd : se / sd;
	posterior->ci_low = posterior->mean - z * posterior->sd;
	posterior->ci_high = posterior->mean + z * posterior->sd;
	k = posterior->mean / posterior->sd;
	posterior->p_better = fb_norm_cdf(k);

	/* E max(0, -x) = sd (phi(k) - k Phi(-k)), where far out both terms cancel to sd phi(k) / k^2. */
	for (int side = 0; side < 2; side++)
	{
		double		u = side == 0 ? k : -k;
		double		loss;

		if (u > 12.0)
		{
			double		w = 1.0 / (u * u);

			loss = fb_norm_pdf(u) * w * (1.0 - w * (3.0 - w * (15.0 - w * (105.0 - w * 945.0))));
		}
		else
			loss = fmax(fb_norm_pdf(u) - u * fb_norm_sf(u), 0.0);
		loss *= posterior->sd;
		if (side == 0)
			posterior->loss_treatment = loss;
		else
			posterior->loss_control = loss;
	}
}

/* Returns the probability that a normal variable lies between two numbers. */
double
fb_normal_between(double mean, double sd, double low, double high)
{
	double		a = (low - mean) / sd;
	double		b = (high - mean) / sd;

	/* The difference of the smaller tails keeps its digits. */
	return fmax(a > 0.0 ? fb_norm_sf(a) - fb_norm_sf(b) : fb_norm_cdf(b) - fb_norm_cdf(a), 0.0);
}

/* Returns the logarithm of the density of logit(X) for a beta variable X at logit(x). */
static double
log_logit_density(double a, double b, double x, double y)
{
	double		n = a + b;

	return 0.5 * (log(a) + log(b / n) - LOG_2PI) + fb_stirling_error(n) - fb_stirling_error(a) - fb_stirling_error(b) -
		fb_deviance(a, n * x, b * x - a * y) - fb_deviance(b, n * y, a * y - b * x);
}

/*
 * Returns P(X_t > X_c) for two beta variables: the trapezoidal rule, which
 * converges exponentially here, over the logit of the narrower one. Shapes
 * below one have long tails and get finer steps.
 */
double
fb_beta_prob_greater(double a_c, double b_c, double a_t, double b_t)
{
	bool		swap = 1.0 / a_c + 1.0 / b_c > 1.0 / a_t + 1.0 / b_t;
	double		a = swap ? a_t : a_c;	/* narrower */
	double		b = swap ? b_t : b_c;
	double		a2 = swap ? a_c : a_t;
	double		b2 = swap ? b_c : b_t;
	double		smallest = fmin(a, b);
	double		sd = sqrt(1.0 / a + 1.0 / b);
	double		step = sd * (smallest < 2.0 ? 0.05 : 0.25);
	double		reach = fmax(12.0 * sd, 40.0 / smallest);
	double		mode = log(a / b);
	double		sum = 0.0;
	double		mass = 0.0;

	if (step < reach / 20000.0)
		step = reach / 20000.0;
	for (double u = -reach; u <= reach; u += step)
	{
		double		logit = mode + u;
		double		x = logit < 0.0 ? exp(logit) / (1.0 + exp(logit)) : 1.0 / (1.0 + exp(-logit));
		double		y = logit < 0.0 ? 1.0 / (1.0 + exp(logit)) : exp(-logit) / (1.0 + exp(-logit));
		double		density;
		FbTails		tails;

		if (!(x > 0.0 && y > 0.0))
			continue;
		density = exp(log_logit_density(a, b, x, y));
		if (!(density > 0.0))
			continue;

		/* The tail on the side where x is exact. */
		if (x < 0.5)
			fb_beta_inc(a2, b2, x, &tails);
		else
		{
			double		lower;

			fb_beta_inc(b2, a2, y, &tails);
			lower = tails.lower;
			tails.lower = tails.upper;
			tails.upper = lower;
		}
		sum += density * (swap ? tails.lower : tails.upper);
		mass += density;
	}
	/* swap: x is treatment, below it lies control; else x is control, above it lies treatment. */
	return mass > 0.0 ? fmin(sum / mass, 1.0) : NAN;
}

/* Returns P(X_t > X_c) for two gamma variables: the ratio of one to the sum of both is a beta variable. */
double
fb_gamma_prob_greater(double shape_c, double rate_c, double shape_t, double rate_t)
{
	FbTails		tails;

	/* X_t > X_c if the share of rate_c X_c in the sum of the unit gammas is below rate_c / (rate_c + rate_t). */
	fb_beta_inc(shape_c, shape_t, 1.0 / (1.0 + rate_t / rate_c), &tails);
	return tails.lower;
}

/*
 * Computes for each of several normal variables the probability to be the
 * largest: composite Simpson rule over each one's own scale. The sds are
 * positive.
 */
void
fb_prob_best(const double *mean, const double *sd, int arms, double *probability)
{
	const double reach = 10.0;
	double		total = 0.0;
	double		narrowest = HUGE_VAL;

	for (int k = 0; k < arms; k++)
		narrowest = fmin(narrowest, sd[k]);
	for (int k = 0; k < arms; k++)
	{
		/* A much narrower rival is a step, which needs a finer rule; many arms bound what it may cost. */
		double		most = fmax(1.0, fmin(50.0, 1.6e4 / ((double) arms * arms)));
		int			intervals = 1200 * (int) ceil(fmin(fmax(sd[k] / narrowest / 10.0, 1.0), most));
		double		sum = 0.0;
		double		h = 2.0 * reach / intervals;

		for (int i = 0; i <= intervals; i++)
		{
			double		z = -reach + i * h;
			double		product = fb_norm_pdf(z) * (i == 0 || i == intervals ? 1.0 : i % 2 ? 4.0 : 2.0);

			for (int j = 0; j < arms && product > 0.0; j++)
				if (j != k)
					product *= fb_norm_cdf((mean[k] - mean[j] + sd[k] * z) / sd[j]);
			sum += product;
		}
		probability[k] = sum * h / 3.0;
		total += probability[k];
	}
	for (int k = 0; k < arms; k++)
		probability[k] /= total;
}

/*
 * Computes the weights of top-two Thompson sampling with beta = 1/2 (Russo,
 * Operations Research 68, 2020) from the probabilities to be best: draw until
 * a second arm differs from the first, and take either.
 */
void
fb_top_two(const double *probability, int arms, double *weight)
{
	for (int k = 0; k < arms; k++)
	{
		weight[k] = probability[k];
		for (int j = 0; j < arms; j++)
		{
			double		others = 0.0;

			if (j == k)
				continue;
			for (int m = 0; m < arms; m++)
				if (m != j)
					others += probability[m];
			weight[k] += probability[j] * (others > 0.0 ? probability[k] / others : 1.0 / (arms - 1.0));
		}
		weight[k] *= arms > 1 ? 0.5 : 1.0;
	}
}
