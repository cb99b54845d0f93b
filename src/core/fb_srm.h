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
	double		max_deviation;	/* largest |observed / expected - 1| */
	FbStatus	status;
} FbSrm;

extern void fb_srm_test(const double *counts, const double *weights, int arms, FbSrm *result);

#endif							/* FB_SRM_H */
