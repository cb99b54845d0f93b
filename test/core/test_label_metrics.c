/*
 * test_label_metrics.c
 *		Label metrics from counts, without a server.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/fb_metric.h"

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

/* Whether two numbers agree to 1e-12. */
static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fmax(1.0, fabs(b));
}

static const FbTarget share = {0.95, 0.0, 1.0, false, true};

/* Estimates a label metric. */
static void
estimate(int id, bool paired, const FbLabelCell *cells, size_t ncells, size_t nlabels, bool has_unit, FbEstimate *result)
{
	static char memory[2][4096];
	const FbMetricInfo *info = fb_metric_by_id(id);
	static const uint32_t order[] = {0, 1, 2, 3};
	FbMetricOptions options;
	FbLabelTable tables[2];
	FbTarget	target;

	fb_metric_defaults(info, &options);
	options.label.order = order;
	target = fb_metric_target(info, &options, paired);
	for (int s = 0; s < 2; s++)
		fb_label_table_init(&tables[s], &options.label, nlabels, memory[s]);
	fb_label_estimate(&target, tables, cells, ncells, has_unit, NULL, result);
}

/* Checks the table of metrics. */
static void
test_names(void)
{
	size_t		count;
	const FbMetricInfo *list = fb_metric_list(&count);
	bool		same = count == 40;

	for (size_t i = 0; i < count; i++)
		same = same && fb_metric_by_name(list[i].name) == &list[i] &&
			fb_metric_by_id((int) list[i].id) == &list[i];
	ok(same, "every metric is found by name and by number");
	ok(fb_metric_by_name("f1") == NULL && fb_metric_by_id(0) == NULL &&
	   fb_metric_by_id(41) == NULL, "others are not");
	ok(FB_METRIC_ACCURACY == 1 && FB_METRIC_F1_MACRO == 8 && FB_METRIC_MCC == 11 && FB_METRIC_BLEU == 22 &&
	   FB_METRIC_MEAN == 40, "numbers in stored states stay");
}

/* Checks the interval of a share against published values. */
static void
test_wilson(void)
{
	double		lo;
	double		hi;

	fb_wilson_interval(0.5, 38, 0.95, &lo, &hi);
	ok(near(lo, 0.348499283643951) && near(hi, 0.651500716356049), "Wilson 19 of 38");
	fb_wilson_interval(0.9, 20, 0.95, &lo, &hi);
	ok(near(lo, 0.6989663547715127) && near(hi, 0.9721335187862318), "Wilson 18 of 20");
	fb_wilson_interval(0.0, 77, 0.95, &lo, &hi);
	ok(lo == 0.0 && near(hi, 0.04751842528243411), "Wilson 0 of 77");
	fb_wilson_interval(1.0, 77, 0.95, &lo, &hi);
	ok(hi == 1.0 && near(lo, 1.0 - 0.04751842528243411), "Wilson 77 of 77");
}

/* Checks accuracy with and without clusters. */
static void
test_accuracy(void)
{
	FbEstimate	a;
	FbEstimate	b;
	FbUnit		single[4] = {{1, {1}}, {1, {0}}, {1, {1}}, {1, {1}}};
	FbUnit		one[1] = {{3, {2}}};
	FbUnit		right[2] = {{3, {3}}, {5, {5}}};
	FbUnit		alike[2] = {{2, {1}}, {4, {2}}};

	fb_estimate_share(&share, 0, 0, &a);
	ok(a.n == 0 && !a.has_value && !a.has_se && !a.has_interval, "no rows, no value");
	fb_estimate_share(&share, 1, 1, &a);
	ok(a.has_value && !a.has_se && a.has_interval, "one row has an interval but no error");
	fb_estimate_share(&share, 4, 3, &a);
	fb_estimate_units(&share, single, 4, &b);
	ok(near(a.se, 0.25) && memcmp(&a, &b, sizeof(a)) == 0, "units of one row each are no clusters");
	fb_estimate_units(&share, one, 1, &a);
	ok(near(a.value, 2.0 / 3.0) && !a.has_se && !a.has_interval, "one unit tells nothing of the variation");
	fb_estimate_units(&share, right, 2, &a);
	fb_estimate_share(&share, 8, 8, &b);
	ok(a.se == 0.0 && a.hi == 1.0 && a.lo == b.lo, "all right keeps Wilson's interval on the rows");
	fb_estimate_units(&share, alike, 2, &a);
	ok(a.se == 0.0 && a.lo == 0.5 && a.hi == 0.5, "equal shares leave nothing to vary");
}

/* Checks both jackknives against each other and against fixed numbers. */
static void
test_labels(void)
{
	/* gold 0: 3 hits; gold 1: 1 abstention, 2 hits, 1 answer outside the gold labels (2) */
	FbLabelCell cells[] = {{0, 0, {0, 0}, 3}, {0, 1, {3, 1}, 1}, {5, 1, {1, 1}, 2}, {63, 1, {2, 0}, 1}};
	/* the same rows, each in a bucket of its own */
	FbLabelCell spread[] = {{0, 0, {0, 0}, 1}, {1, 0, {0, 0}, 1}, {2, 0, {0, 0}, 1}, {3, 1, {3, 1}, 1}, {4, 1, {1, 1}, 1}, {5, 1, {1, 1}, 1}, {6, 1, {2, 0}, 1}};
	FbEstimate	a;
	FbEstimate	b;
	const double expected[] = {0, 5.0 / 7.0, 1.0, 1.0, 1.0, 0.75, 5.0 / 7.0, 5.0 / 7.0,
		(1.0 + 2.0 / 3.0) / 2.0, 10.0 / 12.0, (3.0 + 4.0 * 2.0 / 3.0) / 7.0,
		(5.0 * 7.0 - 9.0 - 8.0) / sqrt((49.0 - 25.0) * (49.0 - 15.0))};

	for (int id = FB_METRIC_PRECISION_MACRO; id <= FB_METRIC_MCC; id++)
	{
		char		name[64];
		const FbMetricInfo *info = fb_metric_by_id(id);

		estimate(id, false, cells, 4, 3, false, &a);
		estimate(id, false, spread, 7, 3, true, &b);
		snprintf(name, sizeof(name), "%s: value", info->name);
		ok(a.n == 7 && near(a.value, expected[id]), name);
		snprintf(name, sizeof(name), "%s: leaving out rows is leaving out groups of one row", info->name);
		ok(near(a.se, b.se) && near(a.lo, b.lo) && near(a.hi, b.hi), name);
		snprintf(name, sizeof(name), "%s: interval stays in range", info->name);
		ok(a.lo >= info->lowest && a.hi <= info->highest && a.lo <= a.value && a.value <= a.hi, name);
	}

	/* theta without bucket 0, 5, 63: 4/5, 1/2, 9/10 */
	estimate(FB_METRIC_F1_MACRO, false, cells, 4, 3, true, &a);
	{
		double		theta[3] = {2.0 * 2.0 / (2.0 + 3.0), (1.0 + 0.0) / 2.0, (1.0 + 2.0 * 2.0 / (2.0 + 3.0)) / 2.0};
		double		mean = (theta[0] + theta[1] + theta[2]) / 3.0;
		double		sum = 0.0;

		for (int i = 0; i < 3; i++)
			sum += (theta[i] - mean) * (theta[i] - mean);
		ok(near(a.se, sqrt(sum * 2.0 / 3.0)), "a label that leaves with its bucket leaves the average");
	}
	estimate(FB_METRIC_F1_MACRO, false, cells, 2, 3, true, &a);
	ok(a.has_value && !a.has_se && !a.has_interval, "one group shows no variation");
	estimate(FB_METRIC_F1_MACRO, false, cells, 0, 0, true, &a);
	ok(!a.has_value && a.n == 0, "no cells, no value");
	estimate(FB_METRIC_MCC, false, cells, 0, 0, false, &a);
	ok(!a.has_value && a.n == 0, "no rows, no value");
}

/* Checks differences of two systems, and every label metric's jackknife over rows against its definition. */
static void
test_pairs(void)
{
	static const int ids[] = {FB_METRIC_PRECISION_MACRO, FB_METRIC_RECALL_WEIGHTED, FB_METRIC_F1_MACRO, FB_METRIC_F1_MICRO,
		FB_METRIC_BALANCED_ACCURACY, FB_METRIC_MCC, FB_METRIC_COHEN_KAPPA};
	FbLabelCell cells[40];
	FbLabelCell rest[40];
	FbEstimate	a;
	FbEstimate	b;
	FbEstimate	difference;
	char		name[80];

	/* single rows of three labels, pred 3 is an abstention */
	for (uint32_t i = 0; i < 40; i++)
		cells[i] = (FbLabelCell) {i, i % 3, {i * 7 % 4, i % 5 == 0 ? i % 4 : i % 3}, 1};
	for (size_t k = 0; k < sizeof(ids) / sizeof(ids[0]); k++)
	{
		const char *metric = fb_metric_by_id(ids[k])->name;
		double		mean = 0.0;
		double		sum = 0.0;
		double		theta[40];
		FbLabelCell second[40];

		for (int i = 0; i < 40; i++)
		{
			second[i] = cells[i];
			second[i].pred[0] = cells[i].pred[1];
		}
		estimate(ids[k], false, cells, 40, 3, false, &a);
		estimate(ids[k], false, second, 40, 3, false, &b);
		estimate(ids[k], true, cells, 40, 3, false, &difference);
		snprintf(name, sizeof(name), "%s: the difference is that of the values", metric);
		ok(near(difference.value, b.value - a.value), name);
		for (int i = 0; i < 40; i++)
		{
			FbEstimate	without;

			memcpy(rest, cells, sizeof(cells));
			rest[i] = rest[39];
			estimate(ids[k], true, rest, 39, 3, false, &without);
			theta[i] = without.value;
			mean += theta[i] / 40.0;
		}
		for (int i = 0; i < 40; i++)
			sum += (theta[i] - mean) * (theta[i] - mean);
		snprintf(name, sizeof(name), "%s: its error is the jackknife over rows", metric);
		ok(fabs(difference.se - sqrt(sum * 39.0 / 40.0)) < 1e-12, name);
		estimate(ids[k], true, cells, 40, 3, true, &b);
		snprintf(name, sizeof(name), "%s: as are groups of one row", metric);
		ok(near(difference.se, b.se) && near(difference.p, b.p), name);
		for (int i = 0; i < 40; i++)
			second[i].pred[1] = second[i].pred[0];
		estimate(ids[k], true, second, 40, 3, true, &b);
		snprintf(name, sizeof(name), "%s: a system does not differ from itself", metric);
		ok(b.value == 0.0 && b.se == 0.0 && b.has_p && b.p == 1.0, name);
	}
	ok(near(fb_mcnemar_exact(59, 70), 0.378688370909) || fabs(fb_mcnemar_exact(59, 70) - 0.378688) < 6e-7, "McNemar's exact test");
	ok(fb_mcnemar_exact(10, 10) == 1.0 && fb_mcnemar_exact(0, 0) == 1.0 && near(fb_mcnemar_exact(0, 3), 0.25), "of few pairs");
}

/* Checks pass@k and pass^k. */
static void
test_pass(void)
{
	double		value;
	FbUnit		tasks[3] = {{4, {2, 4}}, {4, {0, 0}}, {1, {1, 1}}};
	FbTarget	target = {0.95, 0.0, 1.0, false, false};
	FbEstimate	a;

	ok(fb_pass_at_k(5, 2, 2, &value) && near(value, 0.7), "pass@2 of 2 in 5");
	ok(fb_pass_at_k(5, 0, 2, &value) && value == 0.0 && fb_pass_at_k(5, 5, 5, &value) && value == 1.0, "none and all");
	ok(fb_pass_pow_k(5, 3, 2, &value) && near(value, 0.3), "pass^2 of 3 in 5");
	ok(!fb_pass_at_k(2, 1, 3, &value) && !fb_pass_pow_k(2, 1, 3, &value), "undefined for more than there are");
	ok(fb_pass_at_k(2000000000, 1000000000, 1000000000, &value) && value == 1.0, "thousands of millions of samples end");
	fb_estimate_pass(&target, 2, false, tasks, 3, &a);
	ok(a.n == 8 && near(a.value, (5.0 / 6.0 + 0.0) / 2.0) && near(a.se, 5.0 / 12.0), "mean over tasks of two samples and more");
	target.paired = true;
	fb_estimate_pass(&target, 2, false, tasks, 3, &a);
	ok(near(a.value, (1.0 / 6.0) / 2.0) && a.has_p, "difference of two systems");
}

/* Checks the quantile in use and counts that exceed 32 bits. */
static void
test_large(void)
{
	FbLabelCell cells[] = {{0, 0, {0}, INT64_C(3000000000)}, {0, 0, {1}, INT64_C(1000000000)},
	{1, 1, {1}, INT64_C(4000000000)}, {1, 1, {0}, INT64_C(1000000000)}};
	FbEstimate	a;

	estimate(FB_METRIC_RECALL_MICRO, false, cells, 4, 2, false, &a);
	ok(near(a.value, 7.0 / 9.0), "nine thousand million rows");
	ok(fabs(a.se / sqrt(7.0 / 9.0 * 2.0 / 9.0 / 9e9) - 1.0) < 1e-6, "their error is that of a share");
	ok(fabs((a.hi - a.value) / a.se - 1.959963984540054) < 1e-6, "and their quantile the normal one");
	estimate(FB_METRIC_RECALL_MICRO, false, cells, 4, 2, true, &a);
	ok(near(a.se, sqrt(0.5 * (0.75 - 0.8) * (0.75 - 0.8) / 2.0)), "two groups");
	ok(fabs((a.value - fmax(0.0, a.value - 12.706204736174705 * a.se)) - (a.value - a.lo)) < 1e-9, "t quantile of one degree");
}

int
main(void)
{
	test_names();
	test_wilson();
	test_accuracy();
	test_labels();
	test_pairs();
	test_pass();
	test_large();
	printf("1..%d\n", tests);
	return failures > 0;
}
