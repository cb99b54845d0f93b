/*
 * fb_rouge.h
 *		ROUGE-1, ROUGE-2 and ROUGE-L.
 */
#ifndef FB_ROUGE_H
#define FB_ROUGE_H

#include "core/fb_tokenize.h"

#define FB_ROUGE_L 0			/* in place of an order */

/* How much of two texts agrees. */
typedef struct FbOverlap
{
	double		precision;
	double		recall;
	double		f1;
} FbOverlap;

extern FbOverlap fb_overlap(int64_t hits, int64_t in_pred, int64_t in_ref);
extern FbOverlap fb_rouge(FbWork *work, int order, bool ascii, FbCodes pred, FbCodes ref);

#endif							/* FB_ROUGE_H */
