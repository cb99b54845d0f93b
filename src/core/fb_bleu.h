/*
 * fb_bleu.h
 *		BLEU, as sacreBLEU computes it.
 */
#ifndef FB_BLEU_H
#define FB_BLEU_H

#include "core/fb_tokenize.h"

#define FB_BLEU_MAX_ORDER 8

typedef enum FbBleuSmoothing
{
	FB_SMOOTH_EXP,				/* NIST: 1 / 2^i of a hit for the i-th order without one */
	FB_SMOOTH_FLOOR,			/* value in place of 0 hits */
	FB_SMOOTH_ADD_K,			/* value more hits and n-grams from order 2 on */
	FB_SMOOTH_NONE
} FbBleuSmoothing;

typedef struct FbBleuOptions
{
	FbTokenizer tokenizer;
	FbBleuSmoothing smoothing;
	double		smooth_value;	/* of floor and add-k */
	bool		effective_order;	/* only orders that the hypothesis has */
	bool		lowercase;
	int			max_order;
} FbBleuOptions;

/* Statistics: length, reference length, hits by order, n-grams by order. */
#define FB_BLEU_STATISTICS(max_order) (2 + 2 * (max_order))

extern void fb_bleu_statistics(FbWork *work, const FbBleuOptions *options, FbCodes pred,
							   const FbCodes *refs, size_t count, double *statistics);
extern double fb_bleu_score(const FbBleuOptions *options, const double *statistics);

#endif							/* FB_BLEU_H */
