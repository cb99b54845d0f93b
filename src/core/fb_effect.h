/*
 * fb_effect.h
 *		Comparison of two independent arms.
 */
#ifndef FB_EFFECT_H
#define FB_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fb_moments.h"

/* What became of a comparison; every comparison and quality check uses these. */
typedef enum FbStatus
{
	FB_OK,
	FB_NO_DATA,
	FB_INSUFFICIENT_N,
	FB_ZERO_DENOMINATOR,
	FB_ZERO_VARIANCE,
	FB_ZERO_CONTROL_MEAN,
	FB_COVARIATE_CONSTANT,
	FB_UNBOUNDED,
	FB_UNEXPECTED_ARM,
	FB_DISCONNECTED,
	FB_RESOLUTION
} FbStatus;

#define FB_LAST_STATUS FB_RESOLUTION

typedef enum FbScale
{
	FB_ABSOLUTE,
	FB_RELATIVE
} FbScale;

typedef enum FbAlternative
{
	FB_TWO_SIDED,
	FB_GREATER,
	FB_LESS
} FbAlternative;

typedef enum FbTest
{
	FB_WELCH,
	FB_STUDENT,
	FB_Z
} FbTest;

typedef enum FbInterval
{
	FB_FIELLER,
	FB_DELTA,
	FB_SCALED					/* the absolute one over |mean_c|, as if that were known */
} FbInterval;

/* How covariates enter. */
typedef enum FbAdjustment
{
	FB_WITHIN,					/* CUPED, theta from the co-moments within the arms */
	FB_POOLED,					/* CUPED, theta from the merged arms */
	FB_ANCOVA,					/* least squares with common slopes */
	FB_LIN,						/* least squares with slopes of each arm */
	FB_UNADJUSTED
} FbAdjustment;

typedef struct FbEffectOptions
{
	FbScale		scale;
	FbAlternative alternative;
	FbTest		test;
	FbInterval	interval;		/* on the relative scale */
	FbAdjustment adjustment;
	double		alpha;
	double		critical;		/* the normal quantile of alpha's tail where the caller knows it, else 0 */
	double		null_value;
	bool		sample_variance;	/* of proportions, instead of p (1 - p) */
	const double *theta;		/* slopes given by the caller, or NULL */
	int			n_theta;
	double		ridge;			/* penalty, as a share of each covariate's co-moment */
	double		quantile;		/* which one, of sketches */
	const struct FbSketchMemory *memory;	/* for sketches and bootstraps */
} FbEffectOptions;

/*
 * What every test needs to know of two arms, whatever their kind. The
 * difference D of the adjusted means and the mean m_c of control, by which a
 * relative effect divides, are correlated; for all R
 *		var(D - R m_c) = free + base (1 + R + shift)^2
 * with base = var(m_c). Without adjustment free is the variance of the mean of
 * treatment and shift is 0.
 */
typedef struct FbContrast
{
	int64_t		n_c;
	int64_t		n_t;
	double		mean_c;			/* as observed */
	double		mean_t;
	double		difference;		/* of the adjusted means */
	double		free;
	double		base;
	double		shift;
	double		df;				/* NaN for the normal distribution */
	double		variance_c;		/* per unit, after adjustment */
	double		variance_t;
	double		unadjusted_c;
	double		unadjusted_t;
	int			n_theta;
	bool		observed_ratio; /* delta method at mean_t / mean_c instead of 1 + effect */
	bool		dropped;		/* a covariate added nothing and was left out */
	FbStatus	status;
	double		theta_c[FB_STATS_MAX_K];	/* the n_theta slopes used in each arm */
	double		theta_t[FB_STATS_MAX_K];
} FbContrast;

/* The outcome; numbers that do not apply are NaN and never leave as such. */
typedef struct FbEffect
{
	double		effect;
	double		se;
	double		ci_low;
	double		ci_high;
	double		statistic;
	double		df;
	double		p_value;
	double		log10_p;
	double		log_e;
	FbStatus	status;
} FbEffect;

/* Sums of a comparison over strata; see fb_strata.c. */
typedef struct FbStratified
{
	int64_t		n_c;
	int64_t		n_t;
	double		total;
	double		base;
	double		level;
	double		within_base;
	double		within_level;
	double		mean_base;
	double		mean_level;
	double		between_base;
	double		between_cross;
	double		between_level;
	bool		skipped;		/* a stratum could not be compared */
} FbStratified;

extern const char *fb_status_name(FbStatus status);
extern void fb_contrast(const FbStats *control, const FbStats *treatment,
						const FbEffectOptions *options, FbContrast *contrast);
extern void fb_contrast_set_df(FbContrast *contrast, FbTest test, double s_c, double s_t, double df_c, double df_t);
extern void fb_contrast_quantile(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options,
								 FbContrast *contrast);
extern void fb_contrast_bootstrap(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options,
								  FbContrast *contrast);
extern void fb_contrast_begin_strata(FbStratified *s);
extern void fb_contrast_add_stratum(FbStratified *s, const FbStats *control, const FbStats *treatment);
extern void fb_contrast_end_strata(const FbStratified *s, FbContrast *contrast);
extern bool fb_ratio_variance(const FbStats *state, int numerator, double *ratio, double *variance);

extern double fb_one_tail(const FbEffectOptions *options);
extern bool fb_effect_begin(const FbContrast *contrast, const FbEffectOptions *options, FbEffect *result);
extern double fb_effect_se(const FbContrast *contrast, double effect);
extern double fb_effect_statistic(const FbContrast *contrast, const FbEffectOptions *options, const FbEffect *result);
extern void fb_effect_bounds(const FbContrast *contrast, const FbEffectOptions *options, double q, FbEffect *result);
extern void fb_effect_p_value(FbEffect *result, FbAlternative alternative, double statistic, double df);
extern void fb_effect(const FbContrast *contrast, const FbEffectOptions *options, FbEffect *result);

#endif							/* FB_EFFECT_H */
