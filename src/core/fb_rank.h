/*
 * fb_rank.h
 *		Rank tests: Wilcoxon's signed ranks and the test of Mann and Whitney.
 */
#ifndef FB_RANK_H
#define FB_RANK_H

#include <stddef.h>

#include "core/fb_effect.h"

/* Up to here "auto" takes the exact distribution, where there are no ties. */
#define FB_WILCOXON_AUTO_N		50
#define FB_MANN_WHITNEY_AUTO_NM	400

typedef enum FbRankMethod
{
	FB_RANK_AUTO,
	FB_RANK_EXACT,				/* the permutation distribution, given the ties */
	FB_RANK_NORMAL,
	FB_RANK_CORRECTED			/* normal with continuity correction */
} FbRankMethod;

/* What differences of zero do to signed ranks. */
typedef enum FbZeros
{
	FB_ZEROS_WILCOX,			/* left out before ranking (Wilcoxon 1945) */
	FB_ZEROS_PRATT				/* ranked, and their ranks left out (Pratt 1959) */
} FbZeros;

typedef struct FbRankOptions
{
	FbRankMethod method;
	FbZeros		zeros;
	FbAlternative alternative;
	double		alpha;
	void		(*check) (void);	/* called now and then in long loops */
} FbRankOptions;

/* Numbers that do not apply are NaN. */
typedef struct FbRankResult
{
	double		statistic;		/* V or U */
	double		effect;			/* rank-biserial correlation, or P(T > C) + P(T = C) / 2 */
	double		shift;			/* Hodges-Lehmann */
	double		ci_low;
	double		ci_high;
	double		z;
	double		p_value;
	double		log10_p;
	double		zeros;			/* differences of zero */
	bool		ties;
	FbRankMethod used;
	FbStatus	status;
} FbRankResult;

/* Doubles of work space that a call may need. */
extern size_t fb_wilcoxon_work(size_t n, const FbRankOptions *options);
extern size_t fb_mann_whitney_work(size_t n_c, size_t n_t, const FbRankOptions *options);

/* Values in ascending order, all within 1e140. */
extern void fb_wilcoxon(const double *d, size_t n, const FbRankOptions *options, double *work, FbRankResult *result);
extern void fb_mann_whitney(const double *c, size_t n_c, const double *t, size_t n_t,
							const FbRankOptions *options, double *work, FbRankResult *result);

#endif							/* FB_RANK_H */
