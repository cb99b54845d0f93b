/*
 * resampling.c
 *		Quantiles and bootstraps: false alarms without a difference, and
 *		intervals of a difference that is known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_bootstrap.h"
#include "core/fb_sketch.h"
#include "simulate.h"

#define UNITS 400
#define ROWS 8					/* of a unit that has several */
#define BOOTSTRAP_UNITS 100
#define REPLICATES 1000

/* Allocates or gives up. */
static void *
allocate(void *arg, size_t size)
{
	void	   *memory = malloc(size);

	if (memory == NULL)
		abort();
	return memory;
}

/* Frees. */
static void
release(void *arg, void *memory)
{
	free(memory);
}

static const FbSketchMemory heap = {allocate, release, NULL};

/* Returns a name for a unit. */
static uint64_t
unit_name(void)
{
	return (uint64_t) (uniform() * 0x1p32) << 32 | (uint64_t) (uniform() * 0x1p32);
}

/* Makes a sketch of log-normal values, times a factor; rows of a unit have half their variance in common. */
static FbStats *
sketch_of(int groups, int rows, double factor)
{
	FbSketch	sketch;
	FbSketchFlat *flat;

	fb_sketch_init(&sketch, groups, FB_SKETCH_DEFAULT_BITS, &heap);
	for (int i = 0; i < UNITS; i++)
	{
		int			group = groups > 1 ? (int) (unit_name() >> 58) : 0;
		double		common = normal();

		for (int j = 0; j < rows; j++)
			fb_sketch_add(&sketch, group, factor * exp(rows > 1 ? sqrt(0.5) * (common + normal()) : common));
	}
	flat = allocate(NULL, fb_sketch_size(&sketch));
	memset(flat, 0, fb_sketch_size(&sketch));
	fb_sketch_flatten(&sketch, flat);
	for (int g = 0; g < groups; g++)
		if (sketch.table[g].slot)
			free(sketch.table[g].slot);
	return (FbStats *) flat;
}

/* Makes a bootstrap of log-normal values, or of a ratio, times a factor. */
static FbStats *
bootstrap_of(int k, double factor)
{
	FbStats    *state = allocate(NULL, FB_BOOTSTRAP_SIZE(REPLICATES, k));

	memset(state, 0, FB_BOOTSTRAP_SIZE(REPLICATES, k));
	fb_bootstrap_init(state, REPLICATES, k);
	for (int i = 0; i < BOOTSTRAP_UNITS; i++)
	{
		double		d = 1.0 + poisson(3.0);

		fb_bootstrap_add(state, unit_name(), k == 2 ? factor * d * exp(0.5 * normal()) : factor * exp(0.5 * normal()), d);
	}
	return state;
}

/* Compares both states and frees them; tells whether the truth lies within the interval. */
static void
judge(FbStats *c, FbStats *t, const FbEffectOptions *options, bool percentiles, double truth, double *alarms, double *covered)
{
	FbContrast	contrast;
	FbEffect	e;

	fb_contrast(c, t, options, &contrast);
	fb_effect(&contrast, options, &e);
	if (percentiles)
		fb_bootstrap_percentiles(c, t, options, &e);
	*alarms += e.p_value < 0.05;
	*covered += e.ci_low <= truth && truth <= e.ci_high;
	free(c);
	free(t);
}

/* Runs quantiles and bootstraps. */
void
resampling(double replications)
{
	static const double lifts[2] = {0.0, 0.3};
	static const double quantiles[2] = {0.5, 0.9};
	FbEffectOptions o;
	char		what[100];

	section("Quantiles and bootstraps",
			"Arms of 400 units with log-normal values, or 100 for bootstraps of 1,000 replicates: share of p < 0.05 without a difference, and of 95 % intervals of the lift that hold it.");
	reseed(11);
	set_options(&o, FB_RELATIVE, FB_WELCH, FB_FIELLER, FB_WITHIN);
	o.memory = &heap;
	for (int q = 0; q < 2; q++)
		for (int l = 0; l < 2; l++)
		{
			double		alarms = 0.0,
						covered = 0.0;

			o.quantile = quantiles[q];
			for (double i = 0; i < replications; i++)
				judge(sketch_of(1, 1, 1.0), sketch_of(1, 1, 1.0 + lifts[l]), &o, false, lifts[l], &alarms, &covered);
			snprintf(what, sizeof(what), "quantile %g, lift %g %%: interval holds it", quantiles[q], 100.0 * lifts[l]);
			report(what, covered, replications, 93.5, 96.5);
			if (l == 0)
				report("  p < 0.05", alarms, replications, 3.5, 6.5);
		}
	for (int groups = 1; groups <= FB_SKETCH_GROUPS; groups += FB_SKETCH_GROUPS - 1)
	{
		double		alarms = 0.0,
					covered = 0.0,
					fewer = ceil(replications / 4.0);

		o.quantile = 0.5;
		for (double i = 0; i < fewer; i++)
			judge(sketch_of(groups, ROWS, 1.0), sketch_of(groups, ROWS, 1.0), &o, false, 0.0, &alarms, &covered);
		report(groups == 1 ? "median, 8 rows of each unit, as if independent: p < 0.05" :
			   "median, 8 rows of each unit, cluster_quantile_agg: p < 0.05", alarms, fewer,
			   groups == 1 ? ANY : 3.5, groups == 1 ? ANY : 6.5);
	}
	for (int k = 1; k <= 2; k++)
		for (int percentiles = 0; percentiles < 2; percentiles++)
		{
			double		alarms = 0.0,
						covered = 0.0,
						fewer = ceil(replications / 4.0);

			for (double i = 0; i < fewer; i++)
				judge(bootstrap_of(k, 1.0), bootstrap_of(k, 1.3), &o, percentiles, 0.3, &alarms, &covered);
			snprintf(what, sizeof(what), "%s, lift 30 %%: %s interval holds it", k == 1 ? "bootstrap_agg" : "bootstrap_ratio_agg",
					 percentiles ? "percentile" : "Fieller's");
			report(what, covered, fewer, 92.5, 96.5);
		}
}
