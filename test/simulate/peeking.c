/*
 * peeking.c
 *		Looking every day: how often does a test ever reject without a
 *		difference, or an interval ever miss the truth?
 */
#include <stdio.h>

#include "core/fb_bayes.h"
#include "core/fb_sequential.h"
#include "core/fb_srm.h"
#include "simulate.h"

#define POINTS 200
#define FIRST 10
#define LAST 10000

/*
 * Fills the numbers of units per arm at the looks, evenly on a logarithmic
 * scale, and returns how many there are: of 200 points from 10 to 10,000 the
 * first ones fall together, which leaves 188.
 */
static int
plan_looks(int *at, double first, double last)
{
	int			looks = 0;

	for (int k = 0; k < POINTS; k++)
	{
		int			n = (int) floor(first * pow(last / first, k / (POINTS - 1.0)) * (1.0 + 1e-12));

		if (looks == 0 || n > at[looks - 1])
			at[looks++] = n;
	}
	return looks;
}

typedef double (*Draw) (void);

static double
bernoulli_5(void)
{
	return uniform() < 0.05 ? 1.0 : 0.0;
}

static double
log_normal(void)
{
	return exp(1.5 * normal());
}

/* Looks 188 times at two arms without a difference. */
static void
without_difference(double replications, const char *name, Draw draw, int kind)
{
	int			at[POINTS];
	int			looks;
	double		fixed = 0.0,
				mixture = 0.0,
				relative = 0.0,
				bayes = 0.0,
				of = 0.0,
				pocock = 0.0;
	double		information[5] = {0.2, 0.4, 0.6, 0.8, 1.0};
	double		of_bounds[5],
				pocock_bounds[5];
	FbDesign	design = {FB_SPEND_OF, 0.0, 0.05, true, 5, information};
	FbEffectOptions a,
				r;
	char		what[100];

	looks = plan_looks(at, FIRST, LAST);
	fb_group_bounds(&design, of_bounds);
	design.spending = FB_SPEND_POCOCK;
	fb_group_bounds(&design, pocock_bounds);
	set_options(&a, FB_ABSOLUTE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	set_options(&r, FB_RELATIVE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	for (double i = 0; i < replications; i++)
	{
		FbStatsBuffer arm[2];
		bool		rejected[6] = {false};
		int			look = 0;

		for (int k = 0; k < 2; k++)
			fb_stats_init(&arm[k].state, kind, 1);
		for (int n = 1; n <= LAST; n++)
		{
			FbContrast	contrast;
			FbEffect	e;
			FbPosterior posterior;

			for (int k = 0; k < 2; k++)
			{
				double		y = draw();

				if (kind == FB_STATS_PROPORTION)
				{
					arm[k].state.n++;
					arm[k].state.value[0] += y;
				}
				else
					fb_stats_add(&arm[k].state, y);
			}
			if (look < looks && n == at[look])
			{
				look++;
				fb_contrast(&arm[0].state, &arm[1].state, &a, &contrast);
				fb_effect(&contrast, &a, &e);
				rejected[0] = rejected[0] || e.p_value < 0.05;
				if (e.se > 0.0)
				{
					fb_bayes_normal(e.effect, e.se, 0.0, HUGE_VAL, 0.05, &posterior);
					rejected[3] = rejected[3] || posterior.p_better > 0.975 || posterior.p_better < 0.025;
				}
				fb_effect_sequential(&contrast, &a, 2.0 * LAST, false, &e);
				rejected[1] = rejected[1] || e.p_value < 0.05;
				fb_contrast(&arm[0].state, &arm[1].state, &r, &contrast);
				fb_effect_sequential(&contrast, &r, 2.0 * LAST, false, &e);
				rejected[2] = rejected[2] || e.ci_low > 0.0 || e.ci_high < 0.0;
			}
			if (n % (LAST / 5) == 0)
			{
				int			k = n / (LAST / 5) - 1;

				fb_contrast(&arm[0].state, &arm[1].state, &a, &contrast);
				fb_effect(&contrast, &a, &e);
				rejected[4] = rejected[4] || fabs(e.statistic) > of_bounds[k];
				rejected[5] = rejected[5] || fabs(e.statistic) > pocock_bounds[k];
			}
		}
		fixed += rejected[0];
		mixture += rejected[1];
		relative += rejected[2];
		bayes += rejected[3];
		of += rejected[4];
		pocock += rejected[5];
	}
	snprintf(what, sizeof(what), "%s: effect, p < 0.05 at some look", name);
	report(what, fixed, replications, 44.0, 55.0);
	snprintf(what, sizeof(what), "%s: effect_bayes, flat prior, beyond 97.5 %% at some look", name);
	report(what, bayes, replications, ANY, ANY);
	snprintf(what, sizeof(what), "%s: effect_sequential, p < 0.05 at some look", name);
	report(what, mixture, replications, ANY, 5.0);
	snprintf(what, sizeof(what), "%s: effect_sequential, relative, 0 outside at some look", name);
	report(what, relative, replications, ANY, 5.0);
	snprintf(what, sizeof(what), "%s: effect_group_sequential, 5 looks, of", name);
	report(what, of, replications, 5.0, 5.0);
	snprintf(what, sizeof(what), "%s: effect_group_sequential, 5 looks, pocock", name);
	report(what, pocock, replications, 5.0, 5.0);
}

/* Looks at a lift of one half from the first conversions on: does the confidence sequence ever miss it? */
static void
with_lift(double replications, double p_c, double lift)
{
	int			at[POINTS];
	int			looks;
	double		fieller = 0.0,
				delta = 0.0;
	FbEffectOptions f;
	char		what[100];

	looks = plan_looks(at, 200.0, 20000.0);
	set_options(&f, FB_RELATIVE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	for (double i = 0; i < replications; i++)
	{
		FbStatsBuffer arm[2];
		bool		missed[2] = {false, false};
		int			n = 0;

		for (int k = 0; k < 2; k++)
			fb_stats_init(&arm[k].state, FB_STATS_PROPORTION, 1);
		for (int look = 0; look < looks; look++)
		{
			FbContrast	contrast;
			FbEffect	e;
			double		half;

			for (int k = 0; k < 2; k++)
			{
				arm[k].state.value[0] += binomial(at[look] - n, k ? p_c * (1.0 + lift) : p_c);
				arm[k].state.n = at[look];
			}
			n = at[look];
			fb_contrast(&arm[0].state, &arm[1].state, &f, &contrast);
			fb_effect_sequential(&contrast, &f, 40000.0, false, &e);
			missed[0] = missed[0] || e.ci_low > lift || e.ci_high < lift;
			half = e.se * fb_mixture_critical(2.0 * n, fb_mixture_rho(40000.0, 0.05), 0.05, FB_TWO_SIDED);
			missed[1] = missed[1] || fabs(e.effect - lift) > half;
		}
		fieller += missed[0];
		delta += missed[1];
	}
	snprintf(what, sizeof(what), "rates %g and %g %%: Fieller confidence sequence ever misses", 100.0 * p_c, 100.0 * p_c * (1.0 + lift));
	report(what, fieller, replications, ANY, 5.0);
	report("  mixture around the delta method ever misses", delta, replications, ANY, ANY);
}

/* Looks at the sample ratio every day for a year. */
static void
sample_ratio(double replications)
{
	double		fixed = 0.0,
				sequential = 0.0;
	double		halves[2] = {1.0, 1.0};

	for (double i = 0; i < replications; i++)
	{
		double		counts[2] = {0.0, 0.0};
		bool		rejected[2] = {false, false};

		for (int day = 0; day < 365; day++)
		{
			FbSrm		srm;
			double		first = round(500.0 + sqrt(250.0) * normal());

			counts[0] += first;
			counts[1] += 1000.0 - first;
			fb_srm_test(counts, halves, 1, 2, FB_SRM_CHISQ, 10000.0, &srm);
			rejected[0] = rejected[0] || srm.p_value < 0.01;
			rejected[1] = rejected[1] || srm.p_sequential < 0.01;
		}
		fixed += rejected[0];
		sequential += rejected[1];
	}
	report("srm_test, chisq, p < 0.01 on some day of a year", fixed, replications, ANY, ANY);
	report("srm_test, sequential, p < 0.01 on some day of a year", sequential, replications, ANY, 1.0);
}

/* Runs the looks. */
void
peeking(double replications)
{
	section("Looking 188 times",
			"Arms without a difference, looked at 188 times from 10 to 10,000 units per arm; a lift, looked at 200 times from 200 to 20,000 units per arm.");
	reseed(6);
	without_difference(replications, "normal", normal, FB_STATS_MEAN);
	reseed(7);
	without_difference(replications, "5 %", bernoulli_5, FB_STATS_PROPORTION);
	reseed(8);
	without_difference(replications, "log-normal", log_normal, FB_STATS_MEAN);
	reseed(9);
	with_lift(replications, 0.02, 0.0);
	with_lift(replications, 0.02, 0.5);
	with_lift(replications, 0.01, 0.0);
	reseed(10);
	sample_ratio(replications);
}
