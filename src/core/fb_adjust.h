/*
 * fb_adjust.h
 *		Adjustment of p-values for multiple testing.
 */
#ifndef FB_ADJUST_H
#define FB_ADJUST_H

typedef enum FbAdjust
{
	FB_ADJUST_NONE,
	FB_ADJUST_BONFERRONI,
	FB_ADJUST_HOLM,
	FB_ADJUST_HOCHBERG,
	FB_ADJUST_HOMMEL,
	FB_ADJUST_SIDAK,
	FB_ADJUST_HOLM_SIDAK,
	FB_ADJUST_BH,
	FB_ADJUST_BY
} FbAdjust;

extern void fb_adjust_e_sorted(double *e, int n);
extern void fb_adjust_sorted(FbAdjust method, double *p, int n, double *work, int *hull);

#endif							/* FB_ADJUST_H */
