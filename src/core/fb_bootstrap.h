/*
 * fb_bootstrap.h
 *		Replicates of a mean or ratio under Poisson weights of the units.
 */
#ifndef FB_BOOTSTRAP_H
#define FB_BOOTSTRAP_H

#include "core/fb_effect.h"
#include "core/fb_moments.h"

#define FB_BOOTSTRAP_DEFAULT 200
#define FB_BOOTSTRAP_MIN 20
#define FB_BOOTSTRAP_MAX 10000
#define FB_BOOTSTRAP_PERCENTILES 1000	/* replicates that intervals by percentiles need */
#define FB_BOOTSTRAP_THRESHOLDS 12

/*
 * The numbers of a state of kind bootstrap: how many replicates, the shift
 * of y and, for each replicate behind the sample itself, which is the first,
 * the sum of weights, of weighted y minus the shift, and of a ratio's
 * denominator (k = 2; its numerator has no shift).
 */
#define FB_BOOTSTRAP_VALUES(replicates, k) (2 + ((size_t) (replicates) + 1) * ((size_t) (k) + 1))
#define FB_BOOTSTRAP_SIZE(replicates, k) FB_STATS_SIZE(FB_BOOTSTRAP_VALUES(replicates, k))
#define FB_BOOTSTRAP_REPLICATES(state) ((int) (state)->value[0])

extern const uint32_t fb_poisson_thresholds[FB_BOOTSTRAP_THRESHOLDS];

extern void fb_bootstrap_init(FbStats *state, int replicates, int k);
extern bool fb_bootstrap_add(FbStats *state, uint64_t unit, double y, double d);
extern FbMergeResult fb_bootstrap_merge(FbStats *into, const FbStats *from);
extern const char *fb_bootstrap_check(const FbStats *state, size_t size);
extern double fb_bootstrap_estimate(const FbStats *state, int replicate);
extern double fb_bootstrap_variance(const FbStats *state, int *used);
extern void fb_bootstrap_percentiles(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options,
									 FbEffect *result);

/* Returns the Poisson(1) weight of a unit in a replicate, counted from 1. */
static inline unsigned
fb_bootstrap_weight(uint64_t unit, uint32_t replicate)
{
	uint64_t	h = unit + replicate * UINT64_C(0x9E3779B97F4A7C15);
	uint32_t	u;
	unsigned	weight;

	/* The finalizer of SplitMix64 (Steele, Lea and Flood 2014) */
	h = (h ^ (h >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94D049BB133111EB);
	h ^= h >> 31;
	u = (uint32_t) (h >> 32);
	weight = (u >= fb_poisson_thresholds[0]) + (u >= fb_poisson_thresholds[1]) +
		(u >= fb_poisson_thresholds[2]) + (u >= fb_poisson_thresholds[3]);
	if (weight == 4)
		while (weight < FB_BOOTSTRAP_THRESHOLDS && u >= fb_poisson_thresholds[weight])
			weight++;
	return weight;
}

#endif							/* FB_BOOTSTRAP_H */
