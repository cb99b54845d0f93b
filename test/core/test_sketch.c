/*
 * test_sketch.c
 *		Sketches and bootstraps without a server: any split and any order of
 *		merging give the same bytes, quantiles keep their accuracy, weights are
 *		those of the Poisson distribution.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_bootstrap.h"
#include "core/fb_power.h"
#include "core/fb_sketch.h"

static int	tests = 0;
static int	failures = 0;

/* Prints the TAP line of one check. */
static void
ok(bool passed, const char *name)
{
	tests++;
	if (!passed)
		failures++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tests, name);
}

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

/* Returns the next number of a fixed random sequence, from 0 to 1 (xorshift64*). */
static double
next_random(void)
{
	static uint64_t x = UINT64_C(88172645463325252);

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return (double) ((x * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
}

/* Returns the stored form of a sketch. */
static FbSketchFlat *
flat_of(const FbSketch *sketch, size_t *size)
{
	FbSketchFlat *flat;

	*size = fb_sketch_size(sketch);
	flat = allocate(NULL, *size);
	memset(flat, 0, *size);
	fb_sketch_flatten(sketch, flat);
	return flat;
}

/* Frees the tables of a sketch. */
static void
done(FbSketch *sketch)
{
	for (int g = 0; g < sketch->groups; g++)
		free(sketch->table[g].slot);
}

/* Returns a value whose distribution depends on the trial: few numbers, a wide range, both signs. */
static double
draw(int trial)
{
	switch (trial % 4)
	{
		case 0:
			return floor(next_random() * 50.0) - 10.0;
		case 1:
			return exp((next_random() - 0.5) * 400.0);
		case 2:
			return (next_random() - 0.3) * 1e6;
		default:
			return exp(2.0 * next_random());
	}
}

/* Checks that 1,000 random splits merge to the bytes of the whole, in both ways of merging. */
static void
test_merge(void)
{
	bool		same = true;
	bool		valid = true;

	for (int trial = 0; trial < 1000; trial++)
	{
		int			groups = trial % 7 == 0 ? FB_SKETCH_GROUPS : 1;
		int			rows = trial % 50 == 1 ? 60000 : trial % 200;
		int			wanted = 4 + trial % 10;
		FbSketch	whole,
					part[3],
					merged;
		FbSketchFlat *a,
				   *b;
		size_t		size_a,
					size_b;

		fb_sketch_init(&whole, groups, wanted, &heap);
		fb_sketch_init(&merged, groups, wanted, &heap);
		for (int p = 0; p < 3; p++)
			fb_sketch_init(&part[p], groups, wanted, &heap);
		for (int i = 0; i < rows; i++)
		{
			double		y = draw(trial);
			int			group = groups == 1 ? 0 : (int) (next_random() * 64.0);

			fb_sketch_add(&whole, group, y);
			fb_sketch_add(&part[(int) (next_random() * 3.0)], group, y);
		}
		for (int p = 0; p < 3; p++)
		{
			FbSketch   *from = &part[(p + trial) % 3];

			if (p == 1)
				fb_sketch_merge_sketch(&merged, from);
			else
			{
				FbSketchFlat *flat = flat_of(from, &size_b);

				valid = valid && fb_sketch_check(flat, size_b) == NULL;
				fb_sketch_merge(&merged, flat);
				free(flat);
			}
		}
		a = flat_of(&whole, &size_a);
		b = flat_of(&merged, &size_b);
		valid = valid && fb_sketch_check(a, size_a) == NULL;
		same = same && size_a == size_b && memcmp(a, b, size_a) == 0;
		free(a);
		free(b);
		done(&whole);
		done(&merged);
		for (int p = 0; p < 3; p++)
			done(&part[p]);
	}
	ok(same, "1,000 random splits merge to the bytes of the whole");
	ok(valid, "every sketch passes the checker");
}

/* Orders numbers. */
static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Checks the accuracy of quantiles, and that memory stays within its limit. */
static void
test_accuracy(void)
{
	bool		close = true;
	bool		small = true;

	for (int trial = 0; trial < 40; trial++)
	{
		int			rows = 20000;
		double	   *y = allocate(NULL, sizeof(double) * (size_t) rows);
		FbSketch	sketch;
		FbSketchFlat *flat;
		FbSketchView view;
		size_t		size;

		fb_sketch_init(&sketch, 1, FB_SKETCH_DEFAULT_BITS, &heap);
		for (int i = 0; i < rows; i++)
		{
			y[i] = draw(trial);
			fb_sketch_add(&sketch, 0, y[i]);
		}
		qsort(y, (size_t) rows, sizeof(double), compare);
		flat = flat_of(&sketch, &size);
		small = small && sketch.used <= FB_SKETCH_MAX_BUCKETS;
		fb_sketch_view(flat, &heap, &view);
		for (int r = 1; r <= rows; r += 97)
			close = close && fabs(fb_sketch_value(&view, r) - y[r - 1]) <=
				(flat->bits == FB_SKETCH_EXACT ? 0.0 : ldexp(1.0, -flat->bits)) * fabs(y[r - 1]);
		free(view.bucket);
		free(view.below);
		free(flat);
		free(y);
		done(&sketch);
	}
	ok(close, "order statistics keep the accuracy of their bucket");
	ok(small, "no sketch exceeds its limit");
}

/* Checks the mean and the variance of weights, and that a merge is the sum. */
static void
test_bootstrap(void)
{
	double		sum = 0.0;
	double		square = 0.0;
	FbStats    *a = allocate(NULL, FB_BOOTSTRAP_SIZE(50, 1));
	FbStats    *b = allocate(NULL, FB_BOOTSTRAP_SIZE(50, 1));
	FbStats    *whole = allocate(NULL, FB_BOOTSTRAP_SIZE(50, 1));
	bool		same = true;

	for (uint64_t unit = 0; unit < 1000; unit++)
		for (uint32_t r = 1; r <= 1000; r++)
		{
			double		weight = fb_bootstrap_weight(unit * UINT64_C(0xD1B54A32D192ED03), r);

			sum += weight;
			square += weight * weight;
		}
	ok(fabs(sum / 1e6 - 1.0) < 0.005 && fabs(square / 1e6 - 2.0) < 0.015, "weights have mean and variance 1");
	fb_bootstrap_init(a, 50, 1);
	fb_bootstrap_init(b, 50, 1);
	fb_bootstrap_init(whole, 50, 1);
	for (uint64_t unit = 0; unit < 5000; unit++)
	{
		double		y = 1e9 + next_random();

		fb_bootstrap_add(next_random() < 0.3 ? a : b, unit, y, 0.0);
		fb_bootstrap_add(whole, unit, y, 0.0);
	}
	fb_bootstrap_merge(a, b);
	for (int r = 0; r <= 50; r++)
		same = same && fabs(fb_bootstrap_estimate(a, r) - fb_bootstrap_estimate(whole, r)) < 1e-6;
	ok(same && a->n == 5000 && fb_bootstrap_check(a, FB_BOOTSTRAP_SIZE(50, 1)) == NULL, "states merge to the whole, also far from zero");
	free(a);
	free(b);
	free(whole);
}

/* Checks the noncentral t and the F distribution against values of R 4.2 (pt, pf). */
static void
test_distributions(void)
{
	ok(fabs(fb_noncentral_t_sf(2.024394163911969, 38.0, 3.16227766016837952) - 0.8689528016924978) < 1e-11, "noncentral t, power of a t test");
	ok(fabs(fb_noncentral_t_sf(2.0, 10.0, 0.0) - 0.03669401738537018) < 1e-14, "noncentral t without noncentrality");
	ok(fb_noncentral_t_sf(1.0, 5.0, 900.0) == 1.0 || fabs(fb_noncentral_t_sf(1.0, 5.0, 900.0) - 1.0) < 1e-9, "noncentral t far out");
	ok(fabs(fb_f_sf(4.0, 1.0, 10.0) - 2.0 * 0.03669401738537018) < 1e-14, "F with one degree of freedom is t squared");
}

int
main(void)
{
	test_merge();
	test_accuracy();
	test_bootstrap();
	test_distributions();
	printf("1..%d\n", tests);
	return failures == 0 ? 0 : 1;
}
