/*
 * comparison.h
 *		What the SQL functions share that compare two states.
 */
#ifndef FB_METRICS_COMPARISON_H
#define FB_METRICS_COMPARISON_H

#include "postgres.h"

#include "fmgr.h"

#include "core/fb_effect.h"
#include "metrics/result.h"

#define FB_EFFECT_COLUMNS 15
#define FB_MAX_NOTES 8

/* The two states of a comparison and what there is to say about them. */
typedef struct FbSides
{
	const FbStats *state[2];	/* control, treatment; NULL where there is no data */
	const char *notes[FB_MAX_NOTES];
	int			n_notes;
	FbStatsBuffer room[2];		/* for small states */
} FbSides;

extern const FbChoice fb_scales[];
extern const FbChoice fb_alternatives[];

extern void fb_refuse_null(FunctionCallInfo fcinfo, int argument, const char *name);
extern double fb_get_alpha(FunctionCallInfo fcinfo, int argument);
extern double fb_get_finite(FunctionCallInfo fcinfo, int argument, const char *name);
extern double fb_get_quantile(FunctionCallInfo fcinfo, int argument);
extern void fb_read_sides(FunctionCallInfo fcinfo, FbSides *sides);
extern void fb_default_options(FbEffectOptions *options);
extern void fb_note_contrast(FbSides *sides, const FbContrast *contrast);
extern Datum fb_effect_row(FunctionCallInfo fcinfo, const FbSides *sides, const FbContrast *contrast,
						   const FbEffect *result, const double *extra);

#endif							/* FB_METRICS_COMPARISON_H */
