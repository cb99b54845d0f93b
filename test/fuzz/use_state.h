/*
 * use_state.h
 *		What a state must survive that a reader has let through: being read,
 *		merged and flattened.
 */
#ifndef USE_STATE_H
#define USE_STATE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_stats_text.h"

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

/* Options of a comparison. */
static FbEffectOptions
options_of(FbScale scale)
{
	FbEffectOptions options;

	memset(&options, 0, sizeof(options));
	options.scale = scale;
	options.alpha = 0.05;
	options.quantile = 0.9;
	options.memory = &heap;
	return options;
}

/* Compares a state with itself; numbers that leave must be finite, or none. */
static void
compare(const FbStats *state)
{
	for (int scale = 0; scale < 2; scale++)
	{
		FbEffectOptions options = options_of(scale == 0 ? FB_ABSOLUTE : FB_RELATIVE);
		FbContrast	contrast;
		FbEffect	effect;

		fb_contrast(state, state, &options, &contrast);
		fb_effect(&contrast, &options, &effect);
		if (effect.status == FB_OK && !(effect.p_value >= 0.0 && effect.p_value <= 1.0))
			abort();
	}
}

/* Uses a sketch that passed its checker. */
static void
use_sketch(const FbSketchFlat *flat, size_t size)
{
	FbSketch	sketch;
	FbSketchFlat *copy;
	FbSketchView view;
	double		last = -HUGE_VAL;

	fb_sketch_init(&sketch, flat->groups, flat->wanted, &heap);
	if (fb_sketch_merge(&sketch, flat) != FB_MERGE_OK)
		abort();
	copy = allocate(NULL, fb_sketch_size(&sketch));
	memset(copy, 0, fb_sketch_size(&sketch));
	fb_sketch_flatten(&sketch, copy);
	if (fb_sketch_check(copy, fb_sketch_size(&sketch)) != NULL)
		abort();

	/* Below its limit nothing is lost. */
	if (fb_sketch_size(&sketch) == size && memcmp(&copy->version, &flat->version, size - sizeof(uint32_t)) != 0)
		abort();
	fb_sketch_view(copy, &heap, &view);
	if (copy->n > 0)
		for (int i = 0; i <= 20; i++)
		{
			double		value = fb_sketch_quantile(&view, i / 20.0, i % 2 == 0);

			if (!(value >= copy->min && value <= copy->max) || (i % 2 == 0 && value < last))
				abort();
			if (i % 2 == 0)
				last = value;
			value = fb_sketch_share(&view, value);
			if (!(value >= 0.0 && value <= 1.0))
				abort();
		}
	if (fb_sketch_merge(&sketch, flat) == FB_MERGE_OK && sketch.n != 2 * flat->n)
		abort();
	compare((FbStats *) copy);
	release(NULL, view.bucket);
	release(NULL, view.below);
	for (int g = 0; g < sketch.groups; g++)
		if (sketch.table[g].slot)
			release(NULL, sketch.table[g].slot);
	release(NULL, copy);
}

/* Uses a bootstrap that passed its checker. */
static void
use_bootstrap(const FbStats *state, size_t size)
{
	FbStats    *copy = allocate(NULL, size);
	FbEffectOptions options = options_of(FB_RELATIVE);
	FbContrast	contrast;
	FbEffect	effect;

	memcpy(copy, state, size);
	compare(copy);
	fb_contrast(copy, copy, &options, &contrast);
	fb_effect(&contrast, &options, &effect);
	fb_bootstrap_percentiles(copy, copy, &options, &effect);
	fb_bootstrap_add(copy, 7, 1.0, 2.0);
	fb_bootstrap_merge(copy, state);
	release(NULL, copy);
}

/* Uses a state that passed its checker. */
static void
use(const FbStats *state, size_t size)
{
	if (state->kind == FB_STATS_QUANTILE)
		use_sketch((const FbSketchFlat *) state, size);
	else if (state->kind == FB_STATS_BOOTSTRAP)
		use_bootstrap(state, size);
	else
	{
		FbStatsBuffer copy;

		memcpy(&copy, state, size);
		if (fb_stats_merge(&copy.state, state) == FB_MERGE_KIND)
			abort();
		compare(state);
	}
}

#endif							/* USE_STATE_H */
