/*
 * simulate.c
 *		Simulates experiments with known truth and compares how often the
 *		statistics of src/core err with how often they may. Prints a table and
 *		fails if a number misses its target by more than Monte-Carlo error.
 *
 * Usage: simulate [factor]: factor times as many replications.
 */
#include <stdio.h>
#include <stdlib.h>

#include "simulate.h"

static uint64_t state[4];
static double spare = NAN;		/* normal number drawn together with the last one */
static int	rows = 0;
static int	misses = 0;

/* Starts the sequence of random numbers anew; every section has a seed of its own (splitmix64). */
void
reseed(uint64_t seed)
{
	spare = NAN;
	for (int i = 0; i < 4; i++)
	{
		uint64_t	z = (seed += UINT64_C(0x9e3779b97f4a7c15));

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		state[i] = z ^ (z >> 31);
	}
}

/* Returns the next 64 random bits (xoshiro256++). */
static uint64_t
next(void)
{
	uint64_t	sum = state[0] + state[3];
	uint64_t	result = ((sum << 23) | (sum >> 41)) + state[0];
	uint64_t	t = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = (state[3] << 45) | (state[3] >> 19);
	return result;
}

/* Returns a number between 0 and 1, neither included. */
double
uniform(void)
{
	return ((double) (next() >> 11) + 0.5) * 0x1p-53;
}

/* Returns a standard normal number (Marsaglia's polar method). */
double
normal(void)
{
	double		u,
				v,
				s;

	if (!isnan(spare))
	{
		u = spare;
		spare = NAN;
		return u;
	}
	do
	{
		u = 2.0 * uniform() - 1.0;
		v = 2.0 * uniform() - 1.0;
		s = u * u + v * v;
	} while (s >= 1.0);
	s = sqrt(-2.0 * log(s) / s);
	spare = v * s;
	return u * s;
}

/* Returns the successes of n trials: by the gaps between them where they are rare. */
int
binomial(int n, double p)
{
	int			successes = 0;

	if (p < 0.1)
	{
		double		scale = 1.0 / log1p(-p);

		for (double at = floor(log(uniform()) * scale); at < n; at += 1.0 + floor(log(uniform()) * scale))
			successes++;
		return successes;
	}
	for (int i = 0; i < n; i++)
		successes += uniform() < p;
	return successes;
}

/* Returns a Poisson number of a small mean. */
int
poisson(double mean)
{
	double		limit = exp(-mean);
	int			k = 0;

	for (double p = uniform(); p > limit; p *= uniform())
		k++;
	return k;
}

/* Starts a part of the table. */
void
section(const char *title, const char *explanation)
{
	printf("\n## %s\n\n%s\n\n", title, explanation);
	printf("| %-66s | %8s | %7s | %-16s | %-7s |\n", "", "measured", "MC s.e.", "target", "verdict");
	printf("|%.68s|%.10s|%.9s|%.18s|%.9s|\n", "--------------------------------------------------------------------",
		   "---------:", "--------:", "------------------", "---------");
}

/* Prints a row of the table: a number and its Monte-Carlo error, in percent. */
void
report_number(const char *what, double value, double error, double low, double high)
{
	char		target[40] = "";
	bool		passed = !(value < low - 3.0 * error) && !(value > high + 3.0 * error);

	if (low == high)
		snprintf(target, sizeof(target), "%g %%", low);
	else if (!isnan(low) && !isnan(high))
		snprintf(target, sizeof(target), "%g to %g %%", low, high);
	else if (!isnan(high))
		snprintf(target, sizeof(target), "at most %g %%", high);
	else if (!isnan(low))
		snprintf(target, sizeof(target), "at least %g %%", low);
	printf("| %-66s | %6.2f %% | %5.2f %% | %-16s | %-7s |\n", what, value, error, target,
		   target[0] == '\0' ? "" : passed ? "pass" : "FAIL");
	fflush(stdout);
	if (target[0] == '\0')
		return;
	rows++;
	misses += !passed;
}

/* The same for a share of the replications. */
void
report(const char *what, double hits, double trials, double low, double high)
{
	double		share = hits / trials;

	report_number(what, 100.0 * share, 100.0 * sqrt(fmax(share * (1.0 - share), 1.0 / trials) / trials), low, high);
}

/* Sets the options of a comparison. */
void
set_options(FbEffectOptions *options, FbScale scale, FbTest test, FbInterval interval, FbAdjustment adjustment)
{
	*options = (FbEffectOptions) {
		.scale = scale, .alternative = FB_TWO_SIDED, .test = test, .interval = interval, .adjustment = adjustment, .alpha = 0.05
	};
}

/* Makes a proportion of n units. */
void
proportion(FbStatsBuffer *buffer, int n, double p)
{
	fb_stats_init(&buffer->state, FB_STATS_PROPORTION, 1);
	buffer->state.n = n;
	buffer->state.value[0] = binomial(n, p);
}

/* Compares two states as effect() does. */
void
compare(const FbStatsBuffer *c, const FbStatsBuffer *t, const FbEffectOptions *options, FbEffect *result)
{
	FbContrast	contrast;

	fb_contrast(&c->state, &t->state, options, &contrast);
	fb_effect(&contrast, options, result);
}

int
main(int argc, char **argv)
{
	double		factor = argc > 1 ? atof(argv[1]) : 1.0;

	if (!(factor > 0.0))
	{
		fprintf(stderr, "usage: simulate [factor]\n");
		return 2;
	}
	printf("# Simulations\n\nExperiments with known truth, seeds fixed. A verdict allows three Monte-Carlo standard errors.\n");
	false_alarms(round(20000.0 * factor));
	ranked_false_alarms(round(20000.0 * factor));
	coverage(round(20000.0 * factor));
	peeking(round(4000.0 * factor));
	families(round(5000.0 * factor));
	resampling(round(2000.0 * factor));
	metrics(round(3000.0 * factor));
	printf("\n%d of %d numbers meet their target.\n", rows - misses, rows);
	return misses == 0 ? 0 : 1;
}
