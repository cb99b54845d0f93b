/*
 * false_alarms.c
 *		Comparisons of two arms without a difference: how often p < 0.05?
 */
#include "core/fb_bayes.h"
#include "core/fb_preference.h"
#include "core/fb_proportion.h"
#include "core/fb_rank.h"
#include "core/fb_sequential.h"
#include "core/fb_srm.h"
#include "simulate.h"

#include <stdio.h>
#include <stdlib.h>

#define MANY 30

/* Counts p < 0.05. */
static void
count(double *hits, double p)
{
	*hits += p < 0.05;
}

/* Proportions. */
static void
proportions(double replications)
{
	static const struct
	{
		const char *name;
		FbPropMethod method;
		double		low;
	}			methods[] = {
		{"prop_effect, mn", FB_PROP_MN, 5.0}, {"prop_effect, pooled", FB_PROP_POOLED, 5.0},
		{"prop_effect, wald", FB_PROP_WALD, 5.0}, {"prop_effect, katz", FB_PROP_KATZ, 5.0},
		{"prop_effect, fisher (exact: conservative)", FB_PROP_FISHER, 3.0}
	};
	double		hits[MANY] = {0};
	double		bayes = 0.0,
				sequential = 0.0,
				newcombe = 0.0;
	FbEffectOptions absolute,
				fieller,
				delta;

	set_options(&absolute, FB_ABSOLUTE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	set_options(&fieller, FB_RELATIVE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	set_options(&delta, FB_RELATIVE, FB_WELCH, FB_DELTA, FB_WITHIN);
	for (double i = 0; i < replications; i++)
	{
		FbStatsBuffer c,
					t;
		FbContrast	contrast;
		FbEffect	e;
		FbPosterior posterior;
		FbTable		table;

		proportion(&c, 1500, 0.2);
		proportion(&t, 2000, 0.2);
		compare(&c, &t, &absolute, &e);
		count(&hits[0], e.p_value);
		fb_bayes_normal(e.effect, e.se, 0.0, HUGE_VAL, 0.05, &posterior);
		bayes += posterior.p_better > 0.975 || posterior.p_better < 0.025;
		compare(&c, &t, &fieller, &e);
		hits[1] += e.ci_low > 0.0 || e.ci_high < 0.0;
		compare(&c, &t, &delta, &e);
		count(&hits[2], e.p_value);
		fb_contrast(&c.state, &t.state, &fieller, &contrast);
		fb_effect_sequential(&contrast, &fieller, 3500.0, false, &e);
		count(&sequential, e.p_value);
		table = (FbTable) {c.state.value[0], 1500.0, t.state.value[0], 2000.0};
		for (int m = 0; m < 5; m++)
		{
			fb_prop_effect(&table, methods[m].method, FB_TWO_SIDED, 0.05, 0.0, &e);
			count(&hits[3 + m], e.p_value);
		}
		fb_prop_effect(&table, FB_PROP_NEWCOMBE, FB_TWO_SIDED, 0.05, 0.0, &e);
		newcombe += e.ci_low > 0.0 || e.ci_high < 0.0;
	}
	report("effect, proportions, absolute", hits[0], replications, 5.0, 5.0);
	report("effect, proportions, relative, Fieller's interval excludes 0", hits[1], replications, 5.0, 5.0);
	report("effect, proportions, relative, delta method", hits[2], replications, 5.0, 5.0);
	for (int m = 0; m < 5; m++)
		report(methods[m].name, hits[3 + m], replications, methods[m].low, 5.0);
	report("prop_effect, newcombe, the interval excludes 0", newcombe, replications, 5.0, 5.0);
	report("effect_bayes, flat prior, p_better beyond 97.5 or 2.5 %, one look", bayes, replications, 5.0, 5.0);
	report("effect_sequential, one look", sequential, replications, ANY, 5.0);
}

/* Means, with covariates and as ratios. */
static void
means(double replications)
{
	static const char *const names[] = {
		"effect, normal values, welch", "effect, normal values, student", "effect, normal values, z (500 per arm)",
		"effect, log-normal values, welch (1000 per arm)", "effect, CUPED within the arms", "effect, CUPED pooled",
		"effect, ANCOVA", "effect, Lin", "effect, CUPED, relative, Fieller", "effect, ratio of sums, relative, Fieller",
		"effect, ratio of sums with CUPED", "paired_effect", "post_stratified, 4 strata"
	};
	static const FbAdjustment adjustments[] = {FB_WITHIN, FB_POOLED, FB_ANCOVA, FB_LIN};
	double		hits[MANY] = {0};
	double		variance[2] = {0.0, 0.0};
	FbEffectOptions o;

	for (double i = 0; i < replications; i++)
	{
		FbStatsBuffer arm[2];
		FbEffect	e;
		FbStratified strata;
		FbContrast	contrast;

		for (int a = 0; a < 2; a++)
		{
			fb_stats_init(&arm[a].state, FB_STATS_MEAN, 1);
			for (int k = 0; k < (a ? 25 : 40); k++)
				fb_stats_add(&arm[a].state, 10.0 + normal());
		}
		set_options(&o, FB_ABSOLUTE, FB_WELCH, FB_FIELLER, FB_WITHIN);
		compare(&arm[0], &arm[1], &o, &e);
		count(&hits[0], e.p_value);
		o.test = FB_STUDENT;
		compare(&arm[0], &arm[1], &o, &e);
		count(&hits[1], e.p_value);
		for (int a = 0; a < 2; a++)
		{
			for (int k = 0; k < 470; k++)
				fb_stats_add(&arm[a].state, 10.0 + normal());
		}
		o.test = FB_Z;
		compare(&arm[0], &arm[1], &o, &e);
		count(&hits[2], e.p_value);
		o.test = FB_WELCH;
		for (int a = 0; a < 2; a++)
		{
			fb_stats_init(&arm[a].state, FB_STATS_MEAN, 1);
			for (int k = 0; k < 1000; k++)
				fb_stats_add(&arm[a].state, exp(normal()));
		}
		compare(&arm[0], &arm[1], &o, &e);
		count(&hits[3], e.p_value);

		/* y and x correlate with 0.8: CUPED keeps 36 % of the variance. */
		for (int a = 0; a < 2; a++)
		{
			fb_stats_init(&arm[a].state, FB_STATS_CUPED, 2);
			for (int k = 0; k < 400; k++)
			{
				double		x = normal();

				fb_stats_add_pair(&arm[a].state, 5.0 + 0.8 * x + 0.6 * normal(), x);
			}
		}
		for (int m = 0; m < 4; m++)
		{
			o.adjustment = adjustments[m];
			compare(&arm[0], &arm[1], &o, &e);
			count(&hits[4 + m], e.p_value);
			if (m == 0)
			{
				fb_contrast(&arm[0].state, &arm[1].state, &o, &contrast);
				variance[0] += contrast.variance_c;
				variance[1] += contrast.unadjusted_c;
			}
		}
		set_options(&o, FB_RELATIVE, FB_WELCH, FB_FIELLER, FB_WITHIN);
		compare(&arm[0], &arm[1], &o, &e);
		hits[8] += e.ci_low > 0.0 || e.ci_high < 0.0;

		/* Sessions of a unit, and what they spend: the unit makes its sessions alike. */
		for (int a = 0; a < 2; a++)
		{
			fb_stats_init(&arm[a].state, FB_STATS_RATIO_CUPED, 4);
			for (int k = 0; k < 1500; k++)
			{
				double		taste = exp(0.3 * normal());
				double		sessions = 1.0 + poisson(2.0);
				double		before = 1.0 + poisson(2.0);
				double		row[4] = {sessions * taste + normal(), sessions, before * taste + normal(), before};

				fb_stats_add_row(&arm[a].state, row);
			}
		}
		compare(&arm[0], &arm[1], &o, &e);
		hits[10] += e.ci_low > 0.0 || e.ci_high < 0.0;
		o.adjustment = FB_UNADJUSTED;
		compare(&arm[0], &arm[1], &o, &e);
		hits[9] += e.ci_low > 0.0 || e.ci_high < 0.0;

		set_options(&o, FB_ABSOLUTE, FB_WELCH, FB_FIELLER, FB_WITHIN);
		fb_stats_init(&arm[0].state, FB_STATS_MEAN, 1);
		arm[0].state.n = 2;
		fb_stats_init(&arm[1].state, FB_STATS_MEAN, 1);
		for (int k = 0; k < 20; k++)
			fb_stats_add(&arm[1].state, normal());
		compare(&arm[0], &arm[1], &o, &e);
		count(&hits[11], e.p_value);

		fb_contrast_begin_strata(&strata);
		for (int s = 0; s < 4; s++)
		{
			for (int a = 0; a < 2; a++)
			{
				fb_stats_init(&arm[a].state, FB_STATS_MEAN, 1);
				for (int k = 0; k < 100 + 40 * s; k++)
					fb_stats_add(&arm[a].state, 2.0 * s + normal());
			}
			fb_contrast_add_stratum(&strata, &arm[0].state, &arm[1].state);
		}
		fb_contrast_end_strata(&strata, &contrast);
		fb_effect(&contrast, &o, &e);
		count(&hits[12], e.p_value);
	}
	for (int m = 0; m < 13; m++)
		report(names[m], hits[m], replications, 5.0, 5.0);
	report_number("variance that CUPED leaves at a correlation of 0.8", 100.0 * variance[0] / variance[1], 0.1, 36.0, 36.0);
}

/* Sample ratios. */
static void
sample_ratios(double replications)
{
	double		hits[4] = {0};

	for (double i = 0; i < replications; i++)
	{
		double		weights[3] = {1.0, 1.0, 2.0};
		double		halves[2] = {1.0, 1.0};
		int			first = binomial(20000, 0.25);
		int			second = binomial(20000 - first, 1.0 / 3.0);
		double		counts[3] = {first, second, 20000 - first - second};
		double		two[2] = {binomial(500, 0.5), 0};
		FbSrm		srm;

		fb_srm_test(counts, weights, 1, 3, FB_SRM_CHISQ, 10000.0, &srm);
		count(&hits[0], srm.p_value);
		count(&hits[1], srm.p_sequential);
		two[1] = 500.0 - two[0];
		fb_srm_test(two, halves, 1, 2, FB_SRM_EXACT, 10000.0, &srm);
		count(&hits[2], srm.p_value);
	}
	report("srm_test, chisq, three arms", hits[0], replications, 5.0, 5.0);
	report("srm_test, exact, 500 users (conservative)", hits[2], replications, 3.5, 5.0);
	report("srm_test, sequential, one look", hits[1], replications, ANY, 5.0);
}

/* Runs the comparisons without a difference. */
void
false_alarms(double replications)
{
	section("False alarms without a difference (A/A)",
			"Share of comparisons of equal arms with p < 0.05.");
	reseed(1);
	proportions(replications);
	reseed(2);
	means(replications);
	reseed(3);
	sample_ratios(replications);
}

/* Orders numbers. */
static int
by_size(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Runs the tests of ranks and preferences without a difference. */
void
ranked_false_alarms(double replications)
{
	double		hits[MANY] = {0};
	static double work[400000];
	FbRankOptions exact = {FB_RANK_EXACT, FB_ZEROS_WILCOX, FB_TWO_SIDED, 0.05, NULL};
	FbRankOptions corrected = {FB_RANK_CORRECTED, FB_ZEROS_WILCOX, FB_TWO_SIDED, 0.05, NULL};
	FbRankOptions pratt = {FB_RANK_CORRECTED, FB_ZEROS_PRATT, FB_TWO_SIDED, 0.05, NULL};
	double		covered = 0.0;

	reseed(4);
	for (double i = 0; i < replications; i++)
	{
		double		c[80],
					t[80];
		FbRankResult r;
		FbMcnemar	m;
		FbWinRate	w;
		int			differ;
		double		b;

		for (int k = 0; k < 20; k++)
			c[k] = normal();
		qsort(c, 20, sizeof(double), by_size);
		fb_wilcoxon(c, 20, &exact, work, &r);
		count(&hits[0], r.p_value);
		for (int k = 0; k < 80; k++)
			c[k] = floor(3.0 * normal() + 0.5);
		qsort(c, 80, sizeof(double), by_size);
		fb_wilcoxon(c, 80, &corrected, work, &r);
		count(&hits[1], r.p_value);
		fb_wilcoxon(c, 80, &pratt, work, &r);
		count(&hits[2], r.p_value);
		for (int k = 0; k < 14; k++)
		{
			c[k] = exp(normal());
			t[k] = exp(normal());
		}
		qsort(c, 12, sizeof(double), by_size);
		qsort(t, 14, sizeof(double), by_size);
		fb_mann_whitney(c, 12, t, 14, &exact, work, &r);
		count(&hits[3], r.p_value);
		covered += r.ci_low < 0.0 && r.ci_high > 0.0;
		for (int k = 0; k < 80; k++)
		{
			c[k] = poisson(3.0);
			t[k] = poisson(3.0);
		}
		qsort(c, 80, sizeof(double), by_size);
		qsort(t, 60, sizeof(double), by_size);
		fb_mann_whitney(c, 80, t, 60, &corrected, work, &r);
		count(&hits[4], r.p_value);

		differ = binomial(200, 0.3);
		b = binomial(differ, 0.5);
		fb_mcnemar(b, differ - b, FB_MCNEMAR_AUTO, FB_TWO_SIDED, 0.05, &m);
		count(&hits[5], m.p_exact);
		count(&hits[6], m.p_midp);
		count(&hits[7], m.p_corrected);
		count(&hits[8], m.p_chisq);
		fb_win_rate(b, 200 - differ, differ - b, 0.05, &w);
		hits[9] += w.ci_low > 0.5 || w.ci_high < 0.5;
	}
	report("wilcoxon, exact, 20 pairs", hits[0], replications, 4.0, 5.0);
	report("wilcoxon, corrected, 80 pairs with ties and zeros", hits[1], replications, 4.5, 5.0);
	report("wilcoxon, corrected, the same with Pratt's zeros", hits[2], replications, 4.5, 5.0);
	report("mann_whitney, exact, 12 and 14 units", hits[3], replications, 4.0, 5.0);
	report("mann_whitney, the interval of the shift holds 0", covered, replications, 95.0, 96.0);
	report("mann_whitney, corrected, 80 and 60 units with ties", hits[4], replications, 4.5, 5.0);
	report("mcnemar_test, exact (conservative)", hits[5], replications, 2.0, 5.0);
	report("mcnemar_test, midp", hits[6], replications, 4.0, 5.5);
	report("mcnemar_test, corrected (conservative)", hits[7], replications, 2.0, 5.0);
	report("mcnemar_test, chisq", hits[8], replications, 4.0, 5.5);
	report("win_rate with ties, the interval excludes one half", hits[9], replications, 4.0, 5.5);
}
