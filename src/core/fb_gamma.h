/*
 * fb_gamma.h
 *		The incomplete gamma function and the pieces it shares with the
 *		incomplete beta function.
 */
#ifndef FB_GAMMA_H
#define FB_GAMMA_H

/* Both tails of a distribution, each with the logarithm that outlives underflow. */
typedef struct FbTails
{
	double		lower;
	double		upper;
	double		log_lower;
	double		log_upper;
} FbTails;

/* Logarithm of the relative density at distance s from the edge of a tail. */
typedef double (*FbTailShape) (double s, const void *arg);

extern double fb_log1p_gap(double u);
extern double fb_deviance(double a, double m, double d);
extern double fb_stirling_error(double a);
extern double fb_tail_integral(FbTailShape shape, const void *arg, double width, double limit);
extern void fb_tails_from_lower(FbTails *tails, double log_lower);
extern void fb_tails_from_upper(FbTails *tails, double log_upper);

extern void fb_gamma_inc(double a, double x, FbTails *tails);
extern double fb_chi2_sf(double x, double df);
extern double fb_chi2_log_sf(double x, double df);

#endif							/* FB_GAMMA_H */
