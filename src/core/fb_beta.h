/*
 * fb_beta.h
 *		The incomplete beta function and Student's t distribution.
 */
#ifndef FB_BETA_H
#define FB_BETA_H

#include <stdbool.h>

#include "core/fb_gamma.h"

extern void fb_beta_inc(double a, double b, double x, FbTails *tails);
extern double fb_t_tail(double t, double df, double *log_tail);
extern double fb_t_sf(double t, double df);
extern double fb_t_log_sf(double t, double df);
extern double fb_t_quantile(double p, double df);
extern bool fb_t_quantile_large_df(double z, double df, double *t);
extern double fb_t_quantile_upper(double q, double df);

#endif							/* FB_BETA_H */
