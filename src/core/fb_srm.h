/*
 * fb_srm.h
 *		Sample-ratio mismatch: do the arms have the sizes that were planned?
 */
#ifndef FB_SRM_H
#define FB_SRM_H

#include "core/fb_effect.h"

typedef struct FbSrm
{
	double		chisq;
	int			df;
	double		p_value;
	bool		exact;			/* p_value is that of the binomial test */
	double		log_e;			/* of the sequential test */
	double		p_sequential;
	double		max_deviation;	/* largest |observed / expected - 1| */
	FbStatus	status;
} FbSrm;

typedef enum FbSrmMethod
{
	FB_SRM_AUTO,
	FB_SRM_CHISQ,
	FB_SRM_EXACT
} FbSrmMethod;

extern void fb_srm_test(const double *counts, const double *weights, int epochs, int arms,
						FbSrmMethod method, double concentration, FbSrm *result);

#endif							/* FB_SRM_H */
