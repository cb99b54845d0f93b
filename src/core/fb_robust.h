/*
 * fb_robust.h
 *		Influence of a unit on a regression-adjusted effect.
 */
#ifndef FB_ROBUST_H
#define FB_ROBUST_H

#include "core/fb_effect.h"

/* Standard errors that hold whatever the variances of units (White 1980, MacKinnon and White 1985). */
typedef enum FbRobust
{
	FB_HC0, FB_HC1, FB_HC2, FB_HC3
} FbRobust;

/* The inverse of a matrix of co-moments, as the triangle of its correlations. */
typedef struct FbTriangle
{
	int			k;
	int			kept;
	bool		keep[FB_STATS_MAX_K];
	double		root[FB_STATS_MAX_K];
	double		l[FB_STATS_MAX_K][FB_STATS_MAX_K];
} FbTriangle;

/* A fitted model: what the residual, leverage and weight of a unit take. */
typedef struct FbFit
{
	FbAdjustment model;			/* unadjusted, ancova or lin */
	FbRobust	robust;
	FbStatus	status;
	int			k;				/* covariates, the indicator of missing ones included */
	int			parameters;
	double		n[2];
	double		mean[2][FB_STATS_MAX_K];	/* of y and the covariates in each arm */
	double		centre[FB_STATS_MAX_K]; /* of the covariates in both */
	double		beta[2][FB_STATS_MAX_K];
	FbTriangle	inner[2];		/* the regression of each arm (lin), or of both within arms (ancova: first) */
	FbTriangle	total;			/* of all units (ancova) */
	double		gap[2][FB_STATS_MAX_K]; /* lin: from the arm's mean to the centre; ancova: slopes of the arm on the covariates */
	double		spread;			/* ancova: squares of the arm that covariates do not explain */
	double		effect;
} FbFit;

extern void fb_fit(const FbStats *control, const FbStats *treatment, FbAdjustment model, FbRobust robust, FbFit *fit);
extern double fb_influence(const FbFit *fit, bool treated, const double *row);

#endif							/* FB_ROBUST_H */
