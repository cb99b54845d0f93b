/*
 * fb_proportion.h
 *		Intervals for a proportion.
 */
#ifndef FB_PROPORTION_H
#define FB_PROPORTION_H

extern void fb_wilson(double x, double n, double z, double *low, double *high);

#endif							/* FB_PROPORTION_H */
