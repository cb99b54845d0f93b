/*
 * fb_strata.c
 *		Post-stratification: the effect as a mean over strata.
 *
 * With w_h the share of a stratum among all units, and d_h and m_h the
 * difference and the mean of control in it, the effect is D = sum w_h d_h and
 * its baseline B = sum w_h m_h. The strata's shares are random: both carry
 * their multinomial variance beside that within the strata (Xie and Aurisset,
 * KDD 2016).
 */
#include <math.h>
#include <string.h>

#include "core/fb_effect.h"

/* Starts a comparison over strata. */
void
fb_contrast_begin_strata(FbStratified *s)
{
	memset(s, 0, sizeof(*s));
}

/* Adds a stratum; one without two units in each arm cannot be compared and is left out. */
void
fb_contrast_add_stratum(FbStratified *s, const FbStats *control, const FbStats *treatment)
{
	double		n_c,
				n_t,
				n,
				base,
				level;

	if (!control || !treatment || control->n < 2 || treatment->n < 2)
	{
		s->skipped = s->skipped || (control && control->n > 0) || (treatment && treatment->n > 0);
		return;
	}
	n_c = (double) control->n;
	n_t = (double) treatment->n;
	n = n_c + n_t;
	base = fb_stats_mean(control, 0);
	level = fb_stats_mean(treatment, 0);

	/* Weights n_h for now; all sums are divided by the total in the end. */
	s->n_c += control->n;
	s->n_t += treatment->n;
	s->base += n * base;
	s->level += n * level;
	s->within_base += n * n * fb_stats_variance(control, 0) / n_c;
	s->within_level += n * n * fb_stats_variance(treatment, 0) / n_t;

	/* Weighted co-moments of the strata's means, by Welford's update. */
	{
		double		total = s->total + n;
		double		db = base - s->mean_base;
		double		dl = level - s->mean_level;

		s->mean_base += db * n / total;
		s->mean_level += dl * n / total;
		s->between_base += n * db * (base - s->mean_base);
		s->between_cross += n * dl * (base - s->mean_base);
		s->between_level += n * dl * (level - s->mean_level);
		s->total = total;
	}
}

/*
 * Ends a comparison over strata. In the terms of a contrast, var(L - r B) for
 * the levels L and B of both arms and all r = 1 + R must be
 * free + base (r + shift)^2.
 */
void
fb_contrast_end_strata(const FbStratified *s, FbContrast *contrast)
{
	double		n = s->total;
	double		v_base = s->within_base / n / n + s->between_base / n / n;
	double		v_level = s->within_level / n / n + s->between_level / n / n;
	double		cross = s->between_cross / n / n;

	memset(contrast, 0, sizeof(*contrast));
	contrast->n_c = s->n_c;
	contrast->n_t = s->n_t;
	contrast->df = NAN;
	contrast->status = FB_OK;
	contrast->mean_c = contrast->mean_t = contrast->difference = NAN;
	contrast->variance_c = contrast->variance_t = contrast->unadjusted_c = contrast->unadjusted_t = NAN;
	if (!(n > 0.0))
	{
		contrast->status = s->skipped ? FB_INSUFFICIENT_N : FB_NO_DATA;
		return;
	}
	contrast->mean_c = s->base / n;
	contrast->mean_t = s->level / n;
	contrast->difference = contrast->mean_t - contrast->mean_c;
	contrast->base = v_base;
	contrast->shift = v_base > 0.0 ? -cross / v_base : 0.0;
	contrast->free = fmax(v_level - (v_base > 0.0 ? cross * (cross / v_base) : 0.0), 0.0);
}
