/*
 * fb_preference.h
 *		Paired yes/no answers, pairwise preferences and rankings from them.
 */
#ifndef FB_PREFERENCE_H
#define FB_PREFERENCE_H

#include <stddef.h>

#include "core/fb_effect.h"

/* Up to here McNemar's test is exact by default. */
#define FB_MCNEMAR_EXACT_N	1000.0

typedef enum FbMcnemarMethod
{
	FB_MCNEMAR_AUTO,
	FB_MCNEMAR_EXACT,
	FB_MCNEMAR_MIDP,
	FB_MCNEMAR_CHISQ,
	FB_MCNEMAR_CORRECTED
} FbMcnemarMethod;

/* Numbers that do not apply are NaN. */
typedef struct FbMcnemar
{
	double		share;			/* of the pairs that differ, those for treatment */
	double		ci_low;
	double		ci_high;
	double		chisq;
	double		chisq_corrected;
	double		p_exact;
	double		p_midp;
	double		p_chisq;
	double		p_corrected;
	double		p_value;		/* by the method used */
	double		log10_p;
	FbMcnemarMethod used;
	FbStatus	status;
} FbMcnemar;

/* A share of wins, ties counting half. */
typedef struct FbWinRate
{
	double		rate;
	double		se;
	double		ci_low;
	double		ci_high;
	double		p_value;		/* of the sign test, without the ties */
	double		log10_p;
	FbStatus	status;
} FbWinRate;

extern void fb_mcnemar(double b, double c, FbMcnemarMethod method, FbAlternative alternative, double alpha,
					   FbMcnemar *result);
extern void fb_win_rate(double wins, double ties, double losses, double alpha, FbWinRate *result);
extern double fb_elo_expected(double rating_a, double rating_b);

/*
 * The model of Bradley and Terry over k items: wins[i * k + j] is the score
 * of i against j. Results are centred, or relative to a reference item.
 */
typedef struct FbBradleyTerry
{
	int			k;
	const double *wins;
	double		virtual_ties;	/* of every item against an average one */
	int			reference;		/* or -1 */
	void		(*check) (void);
	double	   *log_strength;	/* results, k each */
	double	   *se;
} FbBradleyTerry;

extern size_t fb_bradley_terry_work(int k);
extern FbStatus fb_bradley_terry(FbBradleyTerry *model, double *work);

#endif							/* FB_PREFERENCE_H */
