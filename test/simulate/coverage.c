/*
 * coverage.c
 *		Intervals of relative effects at few conversions: how often do they
 *		miss the true lift, and on which side?
 */
#include <stdio.h>

#include "core/fb_proportion.h"
#include "simulate.h"

/* Counts on which side an interval misses the truth; an open side misses nothing. */
static void
miss(const FbEffect *e, double truth, double *misses)
{
	misses[0] += e->ci_low > truth;
	misses[1] += e->ci_high < truth;
	misses[2] += e->status == FB_UNBOUNDED;
}

/* Runs one setting: conversions of control on average, units per arm, the true lift. */
static void
setting(double replications, double conversions, int n, double lift)
{
	double		p_c = conversions / n;
	double		fieller[3] = {0},
				delta[3] = {0},
				katz[3] = {0};
	FbEffectOptions f,
				d;
	char		what[100];

	set_options(&f, FB_RELATIVE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	set_options(&d, FB_RELATIVE, FB_WELCH, FB_DELTA, FB_WITHIN);
	for (double i = 0; i < replications; i++)
	{
		FbStatsBuffer c,
					t;
		FbEffect	e;

		proportion(&c, n, p_c);
		proportion(&t, n, p_c * (1.0 + lift));
		compare(&c, &t, &f, &e);
		miss(&e, lift, fieller);
		compare(&c, &t, &d, &e);
		miss(&e, lift, delta);
		fb_prop_effect(&(FbTable) {c.state.value[0], n, t.state.value[0], n}, FB_PROP_KATZ, FB_TWO_SIDED, 0.05, 0.0, &e);
		miss(&e, lift, katz);
	}
	snprintf(what, sizeof(what), "%g conversions of %d, lift %g %%: Fieller covers", conversions, n, 100.0 * lift);
	report(what, replications - fieller[0] - fieller[1], replications, 94.5, 99.0);
	report("  Fieller lies above the truth", fieller[0], replications, ANY, 4.0);
	report("  Fieller lies below the truth", fieller[1], replications, ANY, 4.0);
	report("  Fieller has no bounds (status unbounded)", fieller[2], replications, ANY, ANY);
	report("  logarithm (prop_effect, katz) covers", replications - katz[0] - katz[1], replications, 94.5, ANY);
	report("  delta method covers", replications - delta[0] - delta[1], replications, ANY, ANY);
	report("  delta method lies above the truth", delta[0], replications, ANY, ANY);
	report("  delta method lies below the truth", delta[1], replications, ANY, ANY);
}

/* Runs the intervals of relative effects. */
void
coverage(double replications)
{
	section("Relative intervals at few conversions",
			"Share of nominal 95 % intervals of the lift that hold the true lift, and of those that miss it on either side.");
	reseed(5);
	setting(replications, 5.0, 500, 0.0);
	setting(replications, 5.0, 500, 1.0);
	setting(replications, 20.0, 1000, 0.0);
	setting(replications, 20.0, 1000, 0.5);
	setting(replications, 100.0, 2000, 0.0);
	setting(replications, 100.0, 2000, 0.2);
}
