/*
 * test_moments.c
 *		Moment states: accumulation, merging, checking and parsing, without a
 *		server.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_adjust.h"
#include "core/fb_moments.h"

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

/* Whether two numbers agree to a relative 1e-12, measured against a scale. */
static bool
near(double a, double b, double scale)
{
	return fabs(a - b) <= 1e-12 * fmax(fabs(b), scale);
}

/* Checks that offsets cost no digits: the variance of {4, 7, 13, 16} + offset is 30. */
static void
test_offset(void)
{
	static const double y[] = {4.0, 7.0, 13.0, 16.0};
	bool		exact = true;

	for (double offset = 1.0; offset <= 1e12; offset *= 10.0)
	{
		FbStatsBuffer s;

		fb_stats_init(&s.state, FB_STATS_MEAN, 1);
		for (int i = 0; i < 4; i++)
			exact = fb_stats_add(&s.state, offset + y[i]) && exact;
		exact = exact && near(fb_stats_variance(&s.state, 0), 30.0, 0.0) &&
			near(fb_stats_mean(&s.state, 0), offset + 10.0, 0.0);
	}
	ok(exact, "variance with offsets up to 1e12");
}

/* Checks that random splits of random rows merge to the state of all rows, for every number of variates. */
static void
test_merge(void)
{
	bool		same = true;
	bool		valid = true;

	for (int trial = 0; trial < 3000; trial++)
	{
		int			k = 2 + trial % FB_STATS_MAX_COVARIATES;
		int			rows = trial % 40;
		FbStatsBuffer whole;
		FbStatsBuffer part[3];

		fb_stats_init(&whole.state, FB_STATS_CUPED, k);
		for (int i = 0; i < 3; i++)
			fb_stats_init(&part[i].state, FB_STATS_CUPED, k);
		for (int r = 0; r < rows; r++)
		{
			double		row[FB_STATS_MAX_K];

			for (int i = 0; i < k; i++)
				row[i] = (i > 0 ? row[i - 1] : 0.0) + (next_random() - 0.5) * pow(10.0, i % 5);
			fb_stats_add_row(&whole.state, row);
			fb_stats_add_row(&part[(int) (3.0 * next_random())].state, row);
		}
		if (fb_stats_merge(&part[0].state, &part[1].state) != FB_MERGE_OK ||
			fb_stats_merge(&part[2].state, &part[0].state) != FB_MERGE_OK)
			same = false;
		same = same && part[2].state.n == whole.state.n;
		for (int i = 0; i < fb_stats_values(FB_STATS_CUPED, k); i++)
			same = same && near(part[2].state.value[i], whole.state.value[i], 1e5);
		valid = valid && fb_stats_check(&whole.state) == NULL && fb_stats_check(&part[2].state) == NULL;
	}
	ok(same, "merged parts equal the whole");
	ok(valid, "what was computed passes the checker");
}

/* Checks what merging refuses. */
static void
test_merge_refuses(void)
{
	FbStatsBuffer a,
				b;

	fb_stats_init(&a.state, FB_STATS_MEAN, 1);
	fb_stats_init(&b.state, FB_STATS_PROPORTION, 1);
	ok(fb_stats_merge(&a.state, &b.state) == FB_MERGE_KIND, "kinds do not mix");
	fb_stats_init(&b.state, FB_STATS_MEAN, 1);
	fb_stats_add(&a.state, 1e308);
	fb_stats_add(&b.state, -1e308);
	ok(fb_stats_merge(&a.state, &b.state) == FB_MERGE_OVERFLOW, "overflow of values is noticed");
	fb_stats_init(&a.state, FB_STATS_PROPORTION, 1);
	a.state.n = FB_STATS_MAX_N;
	ok(fb_stats_add_zeros(&a.state, 0) == FB_MERGE_OK && fb_stats_add_zeros(&a.state, 1) == FB_MERGE_OVERFLOW,
	   "overflow of counts is noticed");
}

/* Checks that zeros equal rows of zeros. */
static void
test_zeros(void)
{
	FbStatsBuffer a,
				b;
	double		zero[FB_STATS_MAX_K] = {0.0};
	bool		same;

	fb_stats_init(&a.state, FB_STATS_RATIO, 2);
	fb_stats_add_row(&a.state, (double[]) {3.0, 4.0});
	fb_stats_add_row(&a.state, (double[]) {5.0, 1.0});
	b = a;
	same = fb_stats_add_zeros(&a.state, 7) == FB_MERGE_OK;
	for (int i = 0; i < 7; i++)
		fb_stats_add_row(&b.state, zero);
	for (int i = 0; i < fb_stats_values(FB_STATS_RATIO, 2); i++)
		same = same && near(a.state.value[i], b.state.value[i], 0.0);
	ok(same && a.state.n == 9, "zeros equal rows of zeros");
}

/* Checks that every prefix and every one-character change of a state is read or refused with a reason. */
static void
test_parse(void)
{
	static const char *const states[] = {
		"{\"version\": 1, \"kind\": \"mean\", \"n\": 3, \"n_bad\": 1, \"means\": [2.5], \"comoments\": [3.5e-1]}",
		"{\"n\":10,\"kind\":\"proportion\",\"successes\":3}",
		"{\"kind\": \"cuped\", \"n\": 3, \"means\": [1, 2], \"comoments\": [2, 1, 8]}"
	};
	static const char change[] = "{}[]\",: 019-.eEx\\\001";
	bool		reasoned = true;
	bool		read = true;
	FbStatsBuffer s;
	const char *detail;

	for (int i = 0; i < 3; i++)
	{
		char		text[200];
		size_t		length = strlen(states[i]);

		read = read && fb_stats_parse(states[i], &s.state, &detail) && detail == NULL;
		for (size_t cut = 0; cut < length; cut++)
		{
			memcpy(text, states[i], cut);
			text[cut] = '\0';
			reasoned = reasoned && !fb_stats_parse(text, &s.state, &detail) && detail != NULL;
		}
		for (size_t at = 0; at < length; at++)
			for (const char *c = change; *c; c++)
			{
				strcpy(text, states[i]);
				text[at] = *c;
				if (fb_stats_parse(text, &s.state, &detail))
					reasoned = reasoned && fb_stats_check(&s.state) == NULL;
				else
					reasoned = reasoned && detail != NULL;
			}
	}
	ok(read, "states are read");
	ok(reasoned, "damaged states are refused with a reason");
	ok(fb_stats_parse(states[1], &s.state, &detail) && s.state.kind == FB_STATS_PROPORTION && s.state.n == 10 &&
	   s.state.n_bad == 0 && s.state.value[0] == 3.0 && fb_stats_mean(&s.state, 0) == 0.3, "a proportion is what it says");
}

/* Checks the numbers that are stored. */
static void
test_format(void)
{
	ok(FB_STATS_PROPORTION == 1 && FB_STATS_MEAN == 2 && FB_STATS_CUPED == 3 && FB_STATS_RATIO == 4 &&
	   FB_STATS_RATIO_CUPED == 5 && FB_STATS_VERSION == 1, "numbers in stored states stay");
	ok(offsetof(FbStats, n) == 8 && offsetof(FbStats, n_bad) == 16 && offsetof(FbStats, value) == 24,
	   "the layout of stored states stays");
}

/* Orders numbers. */
static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Checks Hommel's method against its definition in quadratic time (Wright, Biometrics 48, 1992). */
static void
test_hommel(void)
{
	bool		same = true;

	for (int trial = 0; trial < 2000; trial++)
	{
		int			n = 1 + trial % 60;
		double		p[60],
					fast[60],
					slow[60],
					work[62];
		int			hull[60];

		for (int i = 0; i < n; i++)
			p[i] = next_random() < 0.2 ? floor(4.0 * next_random()) / 4.0 : pow(next_random(), 1 + trial % 5);
		qsort(p, (size_t) n, sizeof(double), compare);
		memcpy(fast, p, sizeof(double) * (size_t) n);
		fb_adjust_sorted(FB_ADJUST_HOMMEL, fast, n, work, hull);
		memcpy(slow, p, sizeof(double) * (size_t) n);
		for (int m = n; m > 1; m--)
		{
			double		cim = HUGE_VAL;

			for (int i = n - m + 1; i < n; i++)
				cim = fmin(cim, m * p[i] / (m + i - n + 1));
			for (int i = n - m + 1; i < n; i++)
				slow[i] = fmax(slow[i], cim);
			for (int i = 0; i <= n - m; i++)
				slow[i] = fmax(slow[i], fmin(cim, m * p[i]));
		}
		for (int i = 0; i < n; i++)
			same = same && near(fast[i], slow[i], 0.0);
	}
	ok(same, "Hommel's method equals its definition");
}

/* Runs all checks. */
int
main(void)
{
	test_offset();
	test_merge();
	test_merge_refuses();
	test_zeros();
	test_parse();
	test_format();
	test_hommel();
	printf("1..%d\n", tests);
	return failures != 0;
}
