/*
 * fb_bayes.h
 *		Posterior probabilities by quadrature: the same on every node and every
 *		refresh.
 */
#ifndef FB_BAYES_H
#define FB_BAYES_H

#include <stdbool.h>

#define FB_MAX_ARMS 100

/* The posterior of a normal effect with a normal prior. */
typedef struct FbPosterior
{
	double		mean;
	double		sd;
	double		ci_low;
	double		ci_high;
	double		p_better;		/* P(effect > 0) */
	double		loss_treatment; /* E max(0, -effect): what choosing treatment may cost */
	double		loss_control;	/* E max(0, effect) */
} FbPosterior;

extern void fb_bayes_normal(double effect, double se, double prior_mean, double prior_sd, double alpha,
							FbPosterior *posterior);
extern double fb_normal_between(double mean, double sd, double low, double high);
extern double fb_beta_prob_greater(double a_c, double b_c, double a_t, double b_t);
extern double fb_gamma_prob_greater(double shape_c, double rate_c, double shape_t, double rate_t);
extern void fb_prob_best(const double *mean, const double *sd, int arms, double *probability);
extern void fb_top_two(const double *probability, int arms, double *weight);

#endif							/* FB_BAYES_H */
