/*
 * families.c
 *		Twenty metrics at once: is anything declared a discovery, and how many
 *		of the discoveries are false?
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/fb_adjust.h"
#include "core/fb_sequential.h"
#include "simulate.h"

#define METRICS 20
#define UNITS 100

typedef struct Tested
{
	double		p;
	double		e;
	bool		real;
} Tested;

static const struct
{
	const char *name;
	FbAdjust	method;
	bool		family;			/* holds the family-wise error rate */
}			methods[] = {
	{"bonferroni", FB_ADJUST_BONFERRONI, true}, {"holm", FB_ADJUST_HOLM, true}, {"hochberg", FB_ADJUST_HOCHBERG, true},
	{"hommel", FB_ADJUST_HOMMEL, true}, {"sidak", FB_ADJUST_SIDAK, true}, {"holm-sidak", FB_ADJUST_HOLM_SIDAK, true},
	{"BH", FB_ADJUST_BH, false}, {"BY", FB_ADJUST_BY, false}
};

#define METHODS ((int) (sizeof(methods) / sizeof(methods[0])))

/* Orders hypotheses by p-value. */
static int
by_p(const void *a, const void *b)
{
	double		x = ((const Tested *) a)->p;
	double		y = ((const Tested *) b)->p;

	return (x > y) - (x < y);
}

/* Orders hypotheses by e-value, largest first. */
static int
by_e(const void *a, const void *b)
{
	double		x = ((const Tested *) a)->e;
	double		y = ((const Tested *) b)->e;

	return (x < y) - (x > y);
}

/* Draws twenty metrics of two arms; the first of them have an effect; shared is their correlation. */
static void
draw(Tested *tested, int real, double shared)
{
	static FbStatsBuffer arm[2][METRICS];
	FbEffectOptions o;

	set_options(&o, FB_ABSOLUTE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	for (int a = 0; a < 2; a++)
	{
		for (int m = 0; m < METRICS; m++)
			fb_stats_init(&arm[a][m].state, FB_STATS_MEAN, 1);
		for (int i = 0; i < UNITS; i++)
		{
			double		common = sqrt(shared) * normal();

			for (int m = 0; m < METRICS; m++)
				fb_stats_add(&arm[a][m].state, common + sqrt(1.0 - shared) * normal() + (a == 1 && m < real ? 0.45 : 0.0));
		}
	}
	for (int m = 0; m < METRICS; m++)
	{
		FbContrast	contrast;
		FbEffect	e;

		fb_contrast(&arm[0][m].state, &arm[1][m].state, &o, &contrast);
		fb_effect(&contrast, &o, &e);
		tested[m].p = e.p_value;
		fb_effect_sequential(&contrast, &o, 2.0 * UNITS, false, &e);
		tested[m].e = exp(e.log_e);
		tested[m].real = m < real;
	}
}

/* Runs one setting. */
static void
setting(double replications, int real, double shared)
{
	double		any[METHODS + 1] = {0},
				rate[METHODS + 1] = {0},
				squares[METHODS + 1] = {0},
				found[METHODS + 1] = {0};
	double		unadjusted = 0.0;
	char		what[100];

	for (double i = 0; i < replications; i++)
	{
		Tested		tested[METRICS];
		bool		alarm = false;

		draw(tested, real, shared);
		for (int k = 0; k <= METHODS; k++)
		{
			double		adjusted[METRICS],
						work[METRICS + 2];
			int			hull[METRICS + 2];
			int			discoveries = 0,
						wrong = 0;

			qsort(tested, METRICS, sizeof(Tested), k < METHODS ? by_p : by_e);
			for (int m = 0; m < METRICS; m++)
				adjusted[m] = k < METHODS ? tested[m].p : tested[m].e;
			if (k < METHODS)
				fb_adjust_sorted(methods[k].method, adjusted, METRICS, work, hull);
			else
				fb_adjust_e_sorted(adjusted, METRICS);
			for (int m = 0; m < METRICS; m++)
			{
				if (k == 0 && !tested[m].real && tested[m].p < 0.05)
					alarm = true;
				if (adjusted[m] <= 0.05)
				{
					discoveries++;
					wrong += !tested[m].real;
				}
			}
			any[k] += wrong > 0;
			found[k] += discoveries - wrong;
			if (discoveries > 0)
			{
				double		share = (double) wrong / discoveries;

				rate[k] += share;
				squares[k] += share * share;
			}
		}
		unadjusted += alarm;
	}
	snprintf(what, sizeof(what), "%d of 20 real, correlation %g: unadjusted, any false discovery", real, shared);
	report(what, unadjusted, replications, ANY, ANY);
	for (int k = 0; k <= METHODS; k++)
	{
		double		mean = rate[k] / replications;
		double		error = sqrt(fmax(squares[k] / replications - mean * mean, 1.0 / replications) / replications);
		const char *name = k < METHODS ? methods[k].name : "e-BH (adjust_e)";

		if (k < METHODS && methods[k].family)
		{
			snprintf(what, sizeof(what), "  adjust_p, %s: any false discovery", name);
			report(what, any[k], replications, ANY, 5.0);
		}
		else
		{
			snprintf(what, sizeof(what), "  %s: false discovery rate", name);
			report_number(what, 100.0 * mean, 100.0 * error, ANY, 5.0);
		}
		if (real > 0)
		{
			snprintf(what, sizeof(what), "  %s: real effects found", name);
			report(what, found[k], replications * real, ANY, ANY);
		}
	}
}

/* Runs the families of metrics. */
void
families(double replications)
{
	section("Twenty metrics",
			"Two arms of 100 units with 20 metrics at level 0.05: the probability of any false discovery, the expected share of false discoveries.");
	reseed(11);
	setting(replications, 0, 0.0);
	setting(replications, 0, 0.5);
	setting(replications, 10, 0.0);
	setting(replications, 10, 0.5);
}
