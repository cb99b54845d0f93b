/*
 * fb_chrf.h
 *		chrF and chrF++, as sacreBLEU computes them.
 */
#ifndef FB_CHRF_H
#define FB_CHRF_H

#include "core/fb_text.h"

#define FB_CHRF_MAX_CHAR_ORDER 10
#define FB_CHRF_MAX_WORD_ORDER 4

typedef struct FbChrfOptions
{
	int			char_order;
	int			word_order;		/* 0: chrF, 2: chrF++ */
	double		beta;
	bool		lowercase;
	bool		whitespace;		/* count white space too */
	bool		eps_smoothing;	/* mean of the F of all orders, as chrF++.py has it */
} FbChrfOptions;

/* Statistics: for each order n-grams of the hypothesis, of the reference, hits. */
#define FB_CHRF_STATISTICS(orders) (3 * (orders))

extern void fb_chrf_statistics(FbWork *work, const FbChrfOptions *options, FbCodes pred,
							   const FbCodes *refs, size_t count, double *statistics);
extern double fb_chrf_score(const FbChrfOptions *options, const double *statistics);

#endif							/* FB_CHRF_H */
