/*
 * fb_normal.h
 *		The standard normal distribution.
 */
#ifndef FB_NORMAL_H
#define FB_NORMAL_H

extern double fb_norm_pdf(double z);
extern double fb_norm_cdf(double z);
extern double fb_norm_sf(double z);
extern double fb_norm_log_sf(double z);
extern double fb_norm_quantile(double p);

#endif							/* FB_NORMAL_H */
