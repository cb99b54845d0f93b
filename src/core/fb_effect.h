/*
 * fb_effect.h
 *		Comparison of the means of two independent arms.
 */
#ifndef FB_EFFECT_H
#define FB_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

/* What became of a comparison; every comparison and quality check uses these. */
typedef enum FbStatus
{
	FB_OK,
	FB_NO_DATA,
	FB_INSUFFICIENT_N,
	FB_ZERO_DENOMINATOR,
	FB_ZERO_VARIANCE,
	FB_ZERO_CONTROL_MEAN,
	FB_UNBOUNDED,
	FB_UNEXPECTED_ARM
} FbStatus;

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
	FB_DELTA
} FbInterval;

typedef struct FbEffectOptions
{
	FbScale		scale;
	FbAlternative alternative;
	FbTest		test;
	FbInterval	interval;		/* on the relative scale */
	double		alpha;
	double		null_value;
} FbEffectOptions;

/* One side of a comparison; n = 0 stands for no data. */
typedef struct FbArm
{
	int64_t		n;
	double		mean;
	double		variance;
} FbArm;

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
	FbStatus	status;
} FbEffect;

extern const char *fb_status_name(FbStatus status);
extern void fb_effect(const FbArm *control, const FbArm *treatment,
					  const FbEffectOptions *options, FbEffect *result);

#endif							/* FB_EFFECT_H */
