/*
 * fb_bernoulli.h
 *		Confidence sequences for rates, and bounds of peers.
 */
#ifndef FB_BERNOULLI_H
#define FB_BERNOULLI_H

extern double fb_beta_binomial_log_e(double s, double v, double v_opt, double alpha_opt, double g, double h);
extern double fb_beta_binomial_bound(double v, double v_opt, double alpha, double g, double h);
extern double fb_bernoulli_log_e(double x, double n, double p, double planned, double alpha);
extern void fb_bernoulli_interval(double x, double n, double planned, double alpha, double *low, double *high);
extern double fb_poly_stitching_bound(double v, double v_min, double alpha, double c, double s, double eta);

#endif							/* FB_BERNOULLI_H */
