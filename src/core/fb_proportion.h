/*
 * fb_proportion.h
 *		Tests and intervals for proportions that hold with few successes.
 */
#ifndef FB_PROPORTION_H
#define FB_PROPORTION_H

#include "core/fb_effect.h"

typedef enum FbPropMethod
{
	FB_PROP_NEWCOMBE,
	FB_PROP_MN,
	FB_PROP_WALD,
	FB_PROP_POOLED,
	FB_PROP_KATZ,
	FB_PROP_FISHER
} FbPropMethod;

typedef enum FbPropInterval
{
	FB_PROP_WILSON,
	FB_PROP_EXACT,
	FB_PROP_AGRESTI_COULL
} FbPropInterval;

/* Two proportions. */
typedef struct FbTable
{
	double		x_c;
	double		n_c;
	double		x_t;
	double		n_t;
} FbTable;

extern void fb_prop_interval(double x, double n, double alpha, FbPropInterval method, double *low, double *high);
extern void fb_prop_effect(const FbTable *table, FbPropMethod method, FbAlternative alternative,
						   double alpha, double null_value, FbEffect *result);
extern double fb_binomial_tail(double x, double n, double p);
extern double fb_binomial_log_pmf(double x, double n, double p, double q);

#endif							/* FB_PROPORTION_H */
