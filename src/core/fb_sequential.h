/*
 * fb_sequential.h
 *		Tests that hold at many looks: mixtures at any time, group sequential
 *		designs at planned ones.
 */
#ifndef FB_SEQUENTIAL_H
#define FB_SEQUENTIAL_H

#include "core/fb_effect.h"

#define FB_MAX_LOOKS 50

/* How a group sequential design spends alpha over the looks. */
typedef enum FbSpending
{
	FB_SPEND_OF,
	FB_SPEND_POCOCK,
	FB_SPEND_POWER,
	FB_SPEND_HSD,
	FB_CLASSIC_OF,
	FB_CLASSIC_POCOCK
} FbSpending;

typedef struct FbDesign
{
	FbSpending	spending;
	double		parameter;		/* exponent of power, gamma of hsd */
	double		alpha;
	bool		two_sided;
	int			looks;
	const double *information;	/* fractions, increasing */
} FbDesign;

extern double fb_mixture_rho(double planned_n, double alpha);
extern double fb_mixture_log_e(double z, double n, double rho, FbAlternative alternative);
extern double fb_mixture_critical(double n, double rho, double alpha, FbAlternative alternative);
extern double fb_mixture_t_log_e(double t, double df, double n, double rho);
extern double fb_mixture_t_critical(double df, double n, double rho, double alpha);
extern double fb_mixture_critical_134(double n, double planned_n, double alpha);

extern void fb_effect_sequential(const FbContrast *contrast, const FbEffectOptions *options, double planned_n,
								 bool eq_134, FbEffect *result);

extern double fb_alpha_spent(const FbDesign *design, double information);
extern void fb_group_bounds(const FbDesign *design, double *bounds);
extern void fb_group_crossing(const double *information, const double *bounds, int looks, bool two_sided,
							  double drift, double *upper, double *lower);
extern double fb_group_p_value(const FbDesign *design, int look, double statistic);
extern void fb_effect_group(const FbContrast *contrast, const FbEffectOptions *options, const FbDesign *design,
							int look, double bound, FbEffect *result);

#endif							/* FB_SEQUENTIAL_H */
