/*
 * test_label_metrics.c
 *		Label metrics from counts, without a server.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/fb_label_metrics.h"

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

/* Checks the table of metrics. */
static void
test_names(void)
{
	size_t		count;
	const FbLabelMetricInfo *list = fb_label_metric_list(&count);
	bool		same = count == 11;

	for (size_t i = 0; i < count; i++)
		same = same && fb_label_metric_by_name(list[i].name) == &list[i] &&
			fb_label_metric_by_id((int) list[i].id) == &list[i];
	ok(same, "every metric is found by name and by number");
	ok(fb_label_metric_by_name("f1") == NULL && fb_label_metric_by_id(0) == NULL &&
	   fb_label_metric_by_id(12) == NULL, "others are not");
	ok(FB_METRIC_ACCURACY == 1 && FB_METRIC_F1_MACRO == 8 && FB_METRIC_MCC == 11, "numbers in stored states stay");
}

/* Checks the interval of a share against published values. */
static void
test_wilson(void)
{
	double		lo;
	double		hi;

	fb_wilson_interval(0.5, 38, &lo, &hi);
	ok(near(lo, 0.348499283643951) && near(hi, 0.651500716356049), "Wilson 19 of 38");
	fb_wilson_interval(0.9, 20, &lo, &hi);
	ok(near(lo, 0.6989663547715127) && near(hi, 0.9721335187862318), "Wilson 18 of 20");
	fb_wilson_interval(0.0, 77, &lo, &hi);
	ok(lo == 0.0 && near(hi, 0.04751842528243411), "Wilson 0 of 77");
	fb_wilson_interval(1.0, 77, &lo, &hi);
	ok(hi == 1.0 && near(lo, 1.0 - 0.04751842528243411), "Wilson 77 of 77");
}

/* Checks accuracy with and without clusters. */
static void
test_accuracy(void)
{
	FbEstimate	a;
	FbEstimate	b;
	FbUnitCount single[4] = {{1, 1}, {1, 0}, {1, 1}, {1, 1}};
	FbUnitCount one[1] = {{3, 2}};
	FbUnitCount right[2] = {{3, 3}, {5, 5}};
	FbUnitCount alike[2] = {{2, 1}, {4, 2}};

	fb_accuracy_estimate(0, 0, &a);
	ok(a.n == 0 && !a.has_value && !a.has_se && !a.has_interval, "no rows, no value");
	fb_accuracy_estimate(1, 1, &a);
	ok(a.has_value && !a.has_se && a.has_interval, "one row has an interval but no error");
	fb_accuracy_estimate(4, 3, &a);
	fb_accuracy_estimate_clustered(single, 4, &b);
	ok(near(a.se, 0.25) && memcmp(&a, &b, sizeof(a)) == 0, "units of one row each are no clusters");
	fb_accuracy_estimate_clustered(one, 1, &a);
	ok(near(a.value, 2.0 / 3.0) && !a.has_se && !a.has_interval, "one unit tells nothing of the variation");
	fb_accuracy_estimate_clustered(right, 2, &a);
	fb_accuracy_estimate(8, 8, &b);
	ok(a.se == 0.0 && a.hi == 1.0 && a.lo == b.lo, "all right keeps Wilson's interval on the rows");
	fb_accuracy_estimate_clustered(alike, 2, &a);
	ok(a.se == 0.0 && a.lo == 0.5 && a.hi == 0.5, "equal shares leave nothing to vary");
}

/* Checks both jackknives against each other and against fixed numbers. */
static void
test_labels(void)
{
	/* gold 0: 3 hits; gold 1: 1 abstention, 2 hits, 1 answer outside the gold labels (2) */
	FbLabelCell cells[] = {{0, 0, 0, 3}, {0, 1, 3, 1}, {5, 1, 1, 2}, {63, 1, 2, 1}};
	/* the same rows, each in a bucket of its own */
	FbLabelCell spread[] = {{0, 0, 0, 1}, {1, 0, 0, 1}, {2, 0, 0, 1}, {3, 1, 3, 1}, {4, 1, 1, 1}, {5, 1, 1, 1}, {6, 1, 2, 1}};
	FbLabelCount counts[4];
	FbEstimate	a;
	FbEstimate	b;
	const double expected[] = {0, 5.0 / 7.0, 1.0, 1.0, 1.0, 0.75, 5.0 / 7.0, 5.0 / 7.0,
		(1.0 + 2.0 / 3.0) / 2.0, 10.0 / 12.0, (3.0 + 4.0 * 2.0 / 3.0) / 7.0,
		(5.0 * 7.0 - 9.0 - 8.0) / sqrt((49.0 - 25.0) * (49.0 - 15.0))};

	for (int id = FB_METRIC_PRECISION_MACRO; id <= FB_METRIC_MCC; id++)
	{
		char		name[64];
		const FbLabelMetricInfo *info = fb_label_metric_by_id(id);

		fb_label_estimate_rows(id, cells, 4, counts, 3, &a);
		fb_label_estimate_bucketed(id, spread, 7, counts, 3, &b);
		snprintf(name, sizeof(name), "%s: value", info->name);
		ok(a.n == 7 && near(a.value, expected[id]), name);
		snprintf(name, sizeof(name), "%s: leaving out rows is leaving out groups of one row", info->name);
		ok(near(a.se, b.se) && near(a.lo, b.lo) && near(a.hi, b.hi), name);
		snprintf(name, sizeof(name), "%s: interval stays in range", info->name);
		ok(a.lo >= info->lowest && a.hi <= info->highest && a.lo <= a.value && a.value <= a.hi, name);
	}

	/* theta without bucket 0, 5, 63: 4/5, 1/2, 9/10 */
	fb_label_estimate_bucketed(FB_METRIC_F1_MACRO, cells, 4, counts, 3, &a);
	{
		double		theta[3] = {2.0 * 2.0 / (2.0 + 3.0), (1.0 + 0.0) / 2.0, (1.0 + 2.0 * 2.0 / (2.0 + 3.0)) / 2.0};
		double		mean = (theta[0] + theta[1] + theta[2]) / 3.0;
		double		sum = 0.0;

		for (int i = 0; i < 3; i++)
			sum += (theta[i] - mean) * (theta[i] - mean);
		ok(near(a.se, sqrt(sum * 2.0 / 3.0)), "a label that leaves with its bucket leaves the average");
	}
	fb_label_estimate_bucketed(FB_METRIC_F1_MACRO, cells, 2, counts, 3, &a);
	ok(a.has_value && !a.has_se && !a.has_interval, "one group shows no variation");
	fb_label_estimate_bucketed(FB_METRIC_F1_MACRO, cells, 0, counts, 0, &a);
	ok(!a.has_value && a.n == 0, "no cells, no value");
	fb_label_estimate_rows(FB_METRIC_MCC, cells, 0, counts, 0, &a);
	ok(!a.has_value && a.n == 0, "no rows, no value");
}

/* Checks the quantile in use and counts that exceed 32 bits. */
static void
test_large(void)
{
	FbLabelCell cells[] = {{0, 0, 0, INT64_C(3000000000)}, {0, 0, 1, INT64_C(1000000000)},
	{1, 1, 1, INT64_C(4000000000)}, {1, 1, 0, INT64_C(1000000000)}};
	FbLabelCount counts[3];
	FbEstimate	a;

	fb_label_estimate_rows(FB_METRIC_RECALL_MICRO, cells, 4, counts, 2, &a);
	ok(near(a.value, 7.0 / 9.0), "nine thousand million rows");
	ok(fabs(a.se / sqrt(7.0 / 9.0 * 2.0 / 9.0 / 9e9) - 1.0) < 1e-6, "their error is that of a share");
	ok(fabs((a.hi - a.value) / a.se - 1.959963984540054) < 1e-6, "and their quantile the normal one");
	fb_label_estimate_bucketed(FB_METRIC_RECALL_MICRO, cells, 4, counts, 2, &a);
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
	test_large();
	printf("1..%d\n", tests);
	return failures > 0;
}
