/*
 * test_rank.c
 *		Rank tests and preferences against enumeration of every arrangement,
 *		without a server.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fb_preference.h"
#include "core/fb_proportion.h"
#include "core/fb_rank.h"

#define MAX_N 12

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

/* Orders numbers. */
static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Whether two numbers agree to a relative 1e-12. */
static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * (1e-9 + fabs(b));
}

/* Returns a value with few or many ties. */
static double
draw(int levels)
{
	return levels == 0 ? next_random() - 0.3 : floor(next_random() * levels) - floor(0.4 * levels);
}

/* Returns the mid-rank of x among values, by counting. */
static double
mid_rank(double x, const double *values, int n)
{
	double		below = 0.0,
				equal = 0.0;

	for (int i = 0; i < n; i++)
	{
		below += values[i] < x;
		equal += values[i] == x;
	}
	return below + 0.5 * (equal + 1.0);
}

/* Signed ranks: statistic, both tails and the shift by the definitions. */
static void
test_wilcoxon(void)
{
	bool		statistic = true,
				lower = true,
				upper = true,
				two = true,
				shift = true,
				bounds = true;

	for (int trial = 0; trial < 1500; trial++)
	{
		int			n = 1 + (int) (next_random() * MAX_N);
		int			levels = trial % 3 == 0 ? 0 : 3 + trial % 7;
		double		d[MAX_N],
					size[MAX_N],
					rank[MAX_N],
					walsh[MAX_N * (MAX_N + 1) / 2],
					work[400];
		int			used = 0,
					pairs = 0,
					below = 0,
					above = 0;
		double		v = 0.0,
					middle;
		FbRankOptions options = {FB_RANK_EXACT, trial % 2 ? FB_ZEROS_PRATT : FB_ZEROS_WILCOX, FB_LESS, 0.05, NULL};
		FbRankResult less,
					greater,
					both;

		for (int i = 0; i < n; i++)
			d[i] = draw(levels);
		qsort(d, n, sizeof(double), compare);
		for (int i = 0; i < n; i++)
			if (d[i] != 0.0 || options.zeros == FB_ZEROS_PRATT)
				size[used++] = fabs(d[i]);
		for (int i = 0, k = 0; i < n; i++)
			if (d[i] != 0.0)
			{
				rank[k] = mid_rank(fabs(d[i]), size, used);
				if (d[i] > 0.0)
					v += rank[k];
				k++;
			}
		used = 0;
		for (int i = 0; i < n; i++)
			used += d[i] != 0.0;
		for (int i = 0; i < n; i++)
			for (int j = i; j < n; j++)
				walsh[pairs++] = 0.5 * (d[i] + d[j]);
		qsort(walsh, pairs, sizeof(double), compare);
		middle = 0.5 * (walsh[(pairs - 1) / 2] + walsh[pairs / 2]);

		if (fb_wilcoxon_work(n, &options) > 400)
			abort();
		fb_wilcoxon(d, n, &options, work, &less);
		options.alternative = FB_GREATER;
		fb_wilcoxon(d, n, &options, work, &greater);
		options.alternative = FB_TWO_SIDED;
		fb_wilcoxon(d, n, &options, work, &both);
		statistic = statistic && less.statistic == v && less.zeros == n - used;
		shift = shift && fabs(both.shift - middle) < 1e-15;
		bounds = bounds && (isnan(both.ci_low) ? n < 6 : both.ci_low <= both.shift && both.shift <= both.ci_high);
		if (used == 0)
		{
			statistic = statistic && less.status == FB_ZERO_VARIANCE && isnan(less.p_value);
			continue;
		}
		for (int signs = 0; signs < 1 << used; signs++)
		{
			double		sum = 0.0;

			for (int k = 0; k < used; k++)
				if (signs >> k & 1)
					sum += rank[k];
			below += sum <= v;
			above += sum >= v;
		}
		lower = lower && near(less.p_value, below * exp2(-used));
		upper = upper && near(greater.p_value, above * exp2(-used));
		two = two && near(both.p_value, fmin(1.0, 2.0 * fmin(less.p_value, greater.p_value)));
	}
	ok(statistic, "signed ranks: statistic and zeros by definition");
	ok(lower, "signed ranks: P(V <= v) over all signs");
	ok(upper, "signed ranks: P(V >= v) over all signs");
	ok(two, "signed ranks: twice the smaller tail");
	ok(shift, "signed ranks: median of the Walsh averages");
	ok(bounds, "signed ranks: the interval holds the estimate, and exists from six pairs on");
}

/* Two samples: statistic, both tails and the shift by the definitions. */
static void
test_mann_whitney(void)
{
	bool		statistic = true,
				lower = true,
				upper = true,
				shift = true,
				mirrored = true;

	for (int trial = 0; trial < 1500; trial++)
	{
		int			n = 2 + (int) (next_random() * (MAX_N - 1));
		int			n_t = 1 + (int) (next_random() * (n - 1));
		int			n_c = n - n_t;
		int			levels = trial % 3 == 0 ? 0 : 2 + trial % 7;
		double		all[MAX_N],
					c[MAX_N],
					t[MAX_N],
					difference[MAX_N * MAX_N],
					work[2000];
		int			pairs = 0,
					below = 0,
					above = 0,
					total = 0;
		double		u = 0.0;
		FbRankOptions options = {FB_RANK_EXACT, FB_ZEROS_WILCOX, FB_LESS, 0.05, NULL};
		FbRankResult less,
					greater,
					swapped;

		for (int i = 0; i < n; i++)
			all[i] = i < n_c ? (c[i] = draw(levels)) : (t[i - n_c] = draw(levels));
		qsort(c, n_c, sizeof(double), compare);
		qsort(t, n_t, sizeof(double), compare);
		for (int i = 0; i < n_c; i++)
			for (int j = 0; j < n_t; j++)
			{
				u += t[j] > c[i] ? 1.0 : t[j] == c[i] ? 0.5 : 0.0;
				difference[pairs++] = t[j] - c[i];
			}
		qsort(difference, pairs, sizeof(double), compare);
		if (fb_mann_whitney_work(n_c, n_t, &options) > 2000)
			abort();
		fb_mann_whitney(c, n_c, t, n_t, &options, work, &less);
		options.alternative = FB_GREATER;
		fb_mann_whitney(c, n_c, t, n_t, &options, work, &greater);
		fb_mann_whitney(t, n_t, c, n_c, &options, work, &swapped);
		statistic = statistic && less.statistic == u && near(less.effect, u / pairs);
		shift = shift && fabs(less.shift - 0.5 * (difference[(pairs - 1) / 2] + difference[pairs / 2])) < 1e-15;
		if (less.status == FB_ZERO_VARIANCE)
			continue;
		for (int set = 0; set < 1 << n; set++)
		{
			double		sum = 0.0;

			if (__builtin_popcount(set) != n_t)
				continue;
			for (int i = 0; i < n; i++)
				if (set >> i & 1)
					sum += mid_rank(all[i], all, n);
			sum -= 0.5 * n_t * (n_t + 1);
			total++;
			below += sum <= u;
			above += sum >= u;
		}
		lower = lower && near(less.p_value, (double) below / total);
		upper = upper && near(greater.p_value, (double) above / total);
		mirrored = mirrored && near(swapped.p_value, less.p_value) && swapped.shift == -less.shift;
	}
	ok(statistic, "two samples: statistic and share of pairs by definition");
	ok(lower, "two samples: P(U <= u) over all arrangements");
	ok(upper, "two samples: P(U >= u) over all arrangements");
	ok(shift, "two samples: median of all differences");
	ok(mirrored, "two samples: exchanged arms give the mirror image");
}

/* Shifts and bounds of many values are order statistics of all pairs, whatever the ties and the scale. */
static void
test_shift(void)
{
	enum
	{
		N = 400
	};
	static double c[N],
				t[N],
				all[N * N],
				work[8 * N];
	bool		two = true,
				one = true;
	FbRankOptions options = {FB_RANK_NORMAL, FB_ZEROS_WILCOX, FB_TWO_SIDED, 0.05, NULL};

	for (int trial = 0; trial < 60; trial++)
	{
		int			n_c = 30 + (int) (next_random() * (N - 30));
		int			n_t = 30 + (int) (next_random() * (N - 30));
		int			pairs = 0;
		double		scale = pow(10.0, 20.0 * next_random() - 10.0);
		FbRankResult r;

		for (int i = 0; i < N; i++)
		{
			c[i] = trial % 3 == 0 ? floor(6.0 * next_random()) : scale * pow(next_random(), trial % 7 + 1.0);
			t[i] = trial % 3 == 0 ? floor(6.0 * next_random()) : scale * pow(next_random(), trial % 7 + 1.0) - 0.1 * scale;
		}
		qsort(c, n_c, sizeof(double), compare);
		qsort(t, n_t, sizeof(double), compare);
		for (int i = 0; i < n_c; i++)
			for (int j = 0; j < n_t; j++)
				all[pairs++] = t[j] - c[i];
		qsort(all, pairs, sizeof(double), compare);
		fb_mann_whitney(c, n_c, t, n_t, &options, work, &r);
		two = two && r.shift == 0.5 * all[(pairs - 1) / 2] + 0.5 * all[pairs / 2] &&
			bsearch(&r.ci_low, all, pairs, sizeof(double), compare) && bsearch(&r.ci_high, all, pairs, sizeof(double), compare) &&
			r.ci_low <= r.shift && r.shift <= r.ci_high;
		pairs = 0;
		for (int i = 0; i < n_t; i++)
			for (int j = i; j < n_t; j++)
				all[pairs++] = 0.5 * (t[i] + t[j]);
		qsort(all, pairs, sizeof(double), compare);
		fb_wilcoxon(t, n_t, &options, work, &r);
		one = one && (n_t <= 50 || (r.shift == 0.5 * (all[(pairs - 1) / 2] + all[pairs / 2]) &&
									bsearch(&r.ci_low, all, pairs, sizeof(double), compare) &&
									bsearch(&r.ci_high, all, pairs, sizeof(double), compare)));
	}
	ok(two, "two samples of hundreds: shift and bounds among all differences");
	ok(one, "hundreds of pairs: shift and bounds among all Walsh averages");
}

/* The normal approximation and the exact distribution come near each other, and large samples have bounds. */
static void
test_large(void)
{
	enum
	{
		N = 100
	};
	static double c[N],
				t[N],
				d[N];
	bool		paired = true,
				two = true,
				refused = true;
	FbRankOptions exact = {FB_RANK_EXACT, FB_ZEROS_WILCOX, FB_TWO_SIDED, 0.05, NULL};
	FbRankOptions corrected = {FB_RANK_CORRECTED, FB_ZEROS_WILCOX, FB_TWO_SIDED, 0.05, NULL};
	double	   *work = malloc(sizeof(double) * fb_mann_whitney_work(N, N, &exact));
	FbRankResult a,
				b;
	static double many[1200];

	for (int trial = 0; trial < 5; trial++)
	{
		for (int i = 0; i < N; i++)
		{
			c[i] = next_random();
			t[i] = next_random() + 0.05;
			d[i] = next_random() - 0.45;
		}
		qsort(c, N, sizeof(double), compare);
		qsort(t, N, sizeof(double), compare);
		qsort(d, N, sizeof(double), compare);
		fb_mann_whitney(c, N, t, N, &exact, work, &a);
		fb_mann_whitney(c, N, t, N, &corrected, work, &b);
		two = two && fabs(a.p_value - b.p_value) < 1e-3 && a.ci_low < a.shift && a.shift < a.ci_high &&
			((a.p_value < 0.045) <= (a.ci_low > 0.0 || a.ci_high < 0.0));
		fb_wilcoxon(d, N, &exact, work, &a);
		fb_wilcoxon(d, N, &corrected, work, &b);
		paired = paired && fabs(a.p_value - b.p_value) < 3e-3 && a.ci_low < a.shift && a.shift < a.ci_high;
	}
	ok(two, "two samples of 100: exact and approximate agree to 0.001");
	ok(paired, "100 pairs: exact and approximate agree to 0.003");
	test_shift();
	for (int i = 0; i < 1200; i++)
		many[i] = i + 1;
	work = realloc(work, sizeof(double) * fb_wilcoxon_work(1000, &exact));
	fb_wilcoxon(many, 1000, &exact, work, &a);
	ok(near(a.p_value, exp2(-999.0)) && fabs(a.log10_p + 999.0 * log10(2.0)) < 1e-9, "1000 positive pairs: p is 2^-999");
	fb_wilcoxon(many, 1200, &exact, work = realloc(work, sizeof(double) * 1200), &a);
	refused = a.status == FB_RESOLUTION && isnan(a.p_value) && a.shift == 600.5;
	fb_mann_whitney(many, 600, many + 600, 600, &exact, work, &a);
	ok(refused && a.status == FB_RESOLUTION && a.effect == 1.0, "the exact distributions have bounds");
}

/* McNemar's test by summing the binomial distribution. */
static void
test_mcnemar(void)
{
	bool		exact = true,
				mid = true,
				dual = true;

	for (int n = 1; n <= 60; n++)
		for (int c = 0; c <= n; c++)
		{
			FbMcnemar	r;
			double		p = 0.0,
						q = 0.0;

			for (int x = 0; x <= n; x++)
			{
				double		f = exp(fb_binomial_log_pmf(x, n, 0.5, 0.5));
				int			far = abs(2 * x - n);

				if (far >= abs(2 * c - n))
					p += f;
				q += far > abs(2 * c - n) ? f : far == abs(2 * c - n) ? 0.5 * f : 0.0;
			}
			fb_mcnemar(n - c, c, FB_MCNEMAR_AUTO, FB_TWO_SIDED, 0.05, &r);
			exact = exact && fabs(r.p_exact - p) < 1e-13 && r.p_value == r.p_exact &&
				fabs(r.log10_p - log10(p)) < 1e-12;
			mid = mid && fabs(r.p_midp - q) < 1e-13;
			dual = dual && (r.p_exact < 0.05) == (r.ci_low > 0.5 || r.ci_high < 0.5);
		}
	ok(exact, "McNemar: the exact p-value adds what is at least as far");
	ok(mid, "McNemar: the mid p-value counts what is as far half");
	ok(dual, "McNemar: the interval excludes one half exactly when p < alpha");
}

/* Strengths of Bradley and Terry: fixed points of Hunter's iteration, and standard errors by differences. */
static void
test_bradley_terry(void)
{
	bool		equations = true,
				reference = true,
				disconnected = true;

	for (int trial = 0; trial < 300; trial++)
	{
		int			k = 2 + (int) (next_random() * 7);
		double		wins[64] = {0},
					b[8],
					se[8],
					b0[8],
					se0[8],
					work[200];
		FbBradleyTerry model = {k, wins, 0.0, -1, NULL, b, se};
		FbStatus	status;

		for (int i = 0; i < k; i++)
			for (int j = 0; j < k; j++)
				if (i != j && next_random() < 0.6)
					wins[i * k + j] = floor(10.0 * next_random()) * 0.5;
		status = fb_bradley_terry(&model, work);
		if (status == FB_DISCONNECTED)
		{
			/* Some set of items never scored against the others. */
			bool		found = false;

			for (int set = 1; set < (1 << k) - 1; set++)
			{
				double		score = 0.0;

				for (int i = 0; i < k; i++)
					for (int j = 0; j < k; j++)
						if ((set >> i & 1) && !(set >> j & 1))
							score += wins[i * k + j];
				found = found || score == 0.0;
			}
			disconnected = disconnected && found && isnan(b[0]);
			continue;
		}
		disconnected = disconnected && status == FB_OK;
		for (int i = 0; i < k; i++)
		{
			double		score = 0.0,
						expected = 0.0;

			for (int j = 0; j < k; j++)
			{
				score += wins[i * k + j];
				expected += (wins[i * k + j] + wins[j * k + i]) / (1.0 + exp(b[j] - b[i]));
			}
			equations = equations && fabs(score - expected) < 1e-9 * (1.0 + score);
		}
		model.reference = 0;
		model.log_strength = b0;
		model.se = se0;
		fb_bradley_terry(&model, work);
		reference = reference && b0[0] == 0.0 && se0[0] == 0.0 && fabs(b0[k - 1] - (b[k - 1] - b[0])) < 1e-9 && se0[1] > 0.0;
		if (k == 2)
			reference = reference && near(se0[1], sqrt(1.0 / wins[1] + 1.0 / wins[2])) && near(se[0], 0.5 * se0[1]);
	}
	ok(equations, "Bradley-Terry: every item scores what is expected of it");
	ok(reference, "Bradley-Terry: strengths and errors against a reference");
	ok(disconnected, "Bradley-Terry: disconnected exactly where a set never scored against the rest");
}

int
main(void)
{
	test_wilcoxon();
	test_mann_whitney();
	test_large();
	test_mcnemar();
	test_bradley_terry();
	printf("1..%d\n", tests);
	return failures == 0 ? 0 : 1;
}
