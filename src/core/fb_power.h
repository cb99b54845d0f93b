/*
 * fb_power.h
 *		Distributions that power and analysis of variance need.
 */
#ifndef FB_POWER_H
#define FB_POWER_H

extern double fb_noncentral_t_sf(double t, double df, double delta);
extern double fb_f_sf(double f, double df_between, double df_within);
extern double fb_f_log_sf(double f, double df_between, double df_within);

#endif							/* FB_POWER_H */
