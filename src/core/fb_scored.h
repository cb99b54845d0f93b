/*
 * fb_scored.h
 *		Metrics of scores beside outcomes that must be sorted: area under the
 *		ROC curve, average precision, calibration error.
 */
#ifndef FB_SCORED_H
#define FB_SCORED_H

#include "core/fb_estimate.h"
#include "core/fb_text.h"

typedef enum FbScoredKind
{
	FB_SCORED_ROC_AUC,
	FB_SCORED_AVERAGE_PRECISION,
	FB_SCORED_ECE
} FbScoredKind;

typedef enum FbEceNorm
{
	FB_ECE_L1,
	FB_ECE_L2,
	FB_ECE_MAX
} FbEceNorm;

typedef struct FbScoredOptions
{
	FbScoredKind	kind;
	int			bins;			/* ECE */
	FbEceNorm	norm;
	bool		equal_mass;		/* bins of as many rows instead of the same width */
} FbScoredOptions;

#define FB_ECE_MAX_BINS 1000

/* One row: an outcome and the scores of one system, or of two. */
typedef struct FbScoredRow
{
	double		scores[2];
	uint8_t		outcome;
	uint8_t		bucket;
} FbScoredRow;

extern int fb_scored_row_compare(const void *left, const void *right);
extern void fb_scored_estimate(FbWork *work, const FbTarget *target, const FbScoredOptions *options, FbScoredRow *rows,
							 size_t count, bool has_unit, FbEstimate *result);

#endif							/* FB_SCORED_H */
