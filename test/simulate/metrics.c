/*
 * metrics.c
 *		Metrics of predictions with known truth: how often do the intervals of
 *		the jackknife cover it, and how often do two equal models differ?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_metric.h"
#include "simulate.h"

#define CLASSES 5

/* A population: how often labels occur, and how often a model gives the right one. */
typedef struct Population
{
	int			classes;
	double		share[CLASSES];
	double		right[CLASSES];
} Population;

static const Population two = {2, {0.8, 0.2}, {0.9, 0.65}};
static const Population five = {5, {0.45, 0.25, 0.15, 0.1, 0.05}, {0.85, 0.8, 0.75, 0.7, 0.6}};

/* Memory of the text metrics, which here only sort. */
static char *pieces[64];
static int	piece_count = 0;

/* Gives memory. */
static void *
work_allocate(FbWork *work, size_t size)
{
	char	   *piece = malloc(size);

	if (piece == NULL || piece_count == 64)
		abort();
	pieces[piece_count++] = piece;
	return piece;
}

/* Is never in a hurry. */
static void
work_poll(FbWork *work)
{
}

static FbWork work = {work_allocate, work_poll};

/* Takes memory back. */
static void
work_reset(void)
{
	while (piece_count > 0)
		free(pieces[--piece_count]);
}

/* Draws from shares that sum to 1. */
static int
draw(const double *share, int count)
{
	double		u = uniform();
	int			i = 0;

	while (i < count - 1 && u >= share[i])
		u -= share[i++];
	return i;
}

/* Draws an answer: the right label, or another one. */
static int
answer(const Population *population, int gold, double right)
{
	int			other;

	if (uniform() < right)
		return gold;
	other = (int) (uniform() * (population->classes - 1));
	return other >= gold ? other + 1 : other;
}

/* Estimates a label metric from cells. */
static void
estimate(FbMetric id, bool paired, const FbLabelCell *cells, size_t count, int classes, bool has_unit, FbEstimate *result)
{
	static char memory[2][4096];
	const FbMetricInfo *info = fb_metric_by_id(id);
	FbMetricOptions options;
	FbLabelTable tables[2];
	FbTarget	target;

	fb_metric_defaults(info, &options);
	target = fb_metric_target(info, &options, paired);
	for (int s = 0; s < 2; s++)
		fb_label_table_init(&tables[s], &options.label, (size_t) classes, memory[s]);
	fb_label_estimate(&target, tables, cells, count, has_unit, NULL, result);
}

/* Computes the metric of a population, from its cells in thousandths of a thousandth. */
static double
truth_of(FbMetric id, const Population *population)
{
	FbLabelCell cells[CLASSES * CLASSES];
	size_t		count = 0;
	FbEstimate	result;

	for (uint32_t g = 0; g < (uint32_t) population->classes; g++)
		for (uint32_t p = 0; p < (uint32_t) population->classes; p++)
		{
			double		share = population->share[g] * (g == p ? population->right[g] :
														(1.0 - population->right[g]) / (population->classes - 1));

			cells[count++] = (FbLabelCell) {0, g, {p, 0}, (int64_t) round(1e12 * share)};
		}
	estimate(id, false, cells, count, population->classes, false, &result);
	return result.value;
}

/* Orders cells by bucket. */
static int
by_bucket(const void *left, const void *right)
{
	const FbLabelCell *a = left;
	const FbLabelCell *b = right;

	return a->bucket < b->bucket ? -1 : a->bucket > b->bucket;
}

/* Counts how often the interval of a label metric covers the truth, with buckets and without. */
static void
label_coverage(FbMetric id, const char *name, const Population *population, int n, double replications, double expected)
{
	FbLabelCell *cells = malloc(sizeof(FbLabelCell) * (size_t) n);
	double		truth = truth_of(id, population);
	double		covered[2] = {0.0, 0.0};
	char		what[100];

	for (double r = 0; r < replications; r++)
	{
		FbEstimate	e;

		for (int i = 0; i < n; i++)
		{
			int			gold = draw(population->share, population->classes);
			int			pred = answer(population, gold, population->right[gold]);

			cells[i] = (FbLabelCell) {(uint32_t) (uniform() * FB_BUCKETS), (uint32_t) gold, {(uint32_t) pred, 0}, 1};
		}
		qsort(cells, (size_t) n, sizeof(FbLabelCell), by_bucket);
		for (int unit = 0; unit < 2; unit++)
		{
			estimate(id, false, cells, (size_t) n, population->classes, unit == 1, &e);
			covered[unit] += e.has_interval && e.lo <= truth && truth <= e.hi;
		}
	}
	/* the expected share was itself measured over 1,500 replications */
	snprintf(what, sizeof(what), "%s, %d classes, %d rows, units in 64 groups", name, population->classes, n);
	report(what, covered[1], replications, 100.0 * expected - 1.2, fmin(100.0 * expected + 1.2, 96.5));
	snprintf(what, sizeof(what), "%s, %d classes, %d rows, leaving out rows", name, population->classes, n);
	report(what, covered[0], replications, n < 100 ? 90.0 : 93.0, 97.0);
	free(cells);
}

/* Counts how often two equal models that find the same items hard differ, paired and as if they were apart. */
static void
equal_models(int n, double replications)
{
	FbLabelCell *cells = malloc(sizeof(FbLabelCell) * (size_t) n);
	double		alarms[3] = {0.0, 0.0, 0.0};
	char		what[100];

	for (double r = 0; r < replications; r++)
	{
		FbEstimate	e;
		FbEstimate	single[2];

		for (int i = 0; i < n; i++)
		{
			int			gold = draw(five.share, five.classes);
			double		right = uniform() < 0.7 ? 0.99 : 0.3;

			cells[i] = (FbLabelCell) {(uint32_t) (uniform() * FB_BUCKETS), (uint32_t) gold,
			{(uint32_t) answer(&five, gold, right), (uint32_t) answer(&five, gold, right)}, 1};
		}
		qsort(cells, (size_t) n, sizeof(FbLabelCell), by_bucket);
		for (int unit = 0; unit < 2; unit++)
		{
			estimate(FB_METRIC_F1_MACRO, true, cells, (size_t) n, five.classes, unit == 1, &e);
			alarms[unit] += e.has_p && e.p < 0.05;
		}
		for (int s = 0; s < 2; s++)
		{
			estimate(FB_METRIC_F1_MACRO, false, cells, (size_t) n, five.classes, true, &single[s]);
			for (int i = 0; i < n; i++)
				cells[i].pred[0] = cells[i].pred[1];
		}
		alarms[2] += fabs(single[0].value - single[1].value) > 1.96 * hypot(single[0].se, single[1].se);
	}
	snprintf(what, sizeof(what), "metric_diff, macro F1, %d rows, units in 64 groups", n);
	report(what, alarms[1], replications, 4.2, 5.0);
	snprintf(what, sizeof(what), "metric_diff, macro F1, %d rows, leaving out rows", n);
	report(what, alarms[0], replications, 3.5, 5.0);
	snprintf(what, sizeof(what), "the same as if the models answered other items (z)");
	report(what, alarms[2], replications, ANY, 1.5);
	free(cells);
}

/* Counts how often metrics that are functions of sums, and those that sort, cover the truth. */
static void
other_coverage(double replications)
{
	enum {ROWS = 200};
	FbMetricOptions options[2];
	const FbMetricInfo *wer = fb_metric_by_id(FB_METRIC_WER);
	const FbMetricInfo *auc = fb_metric_by_id(FB_METRIC_ROC_AUC);
	double		covered[4] = {0.0, 0.0, 0.0, 0.0};
	/* P(N(1, 1) > N(0, 1)) */
	const double area = 0.5 * erfc(-0.5);

	fb_metric_defaults(wer, &options[0]);
	fb_metric_defaults(auc, &options[1]);
	for (double r = 0; r < replications; r++)
	{
		FbTarget	target = fb_metric_target(wer, &options[0], false);
		double		sums[2] = {0.0, 0.0};
		double		products[3] = {0.0, 0.0, 0.0};
		double		bucket_sums[FB_BUCKETS][2];
		const double *bucket[FB_BUCKETS];
		int64_t		bucket_rows[FB_BUCKETS] = {0};
		double		rows[ROWS][2];
		FbScoredRow scored[ROWS];
		FbEstimate	e;

		memset(bucket_sums, 0, sizeof(bucket_sums));
		for (int i = 0; i < ROWS; i++)
		{
			int			b = (int) (uniform() * FB_BUCKETS);

			/* words are wrong in a tenth of the cases, in one text more than in another */
			rows[i][1] = 5 + poisson(10.0);
			rows[i][0] = binomial((int) rows[i][1], uniform() < 0.5 ? 0.04 : 0.16);
			bucket_rows[b]++;
			for (int k = 0; k < 2; k++)
			{
				sums[k] += rows[i][k];
				bucket_sums[b][k] += rows[i][k];
			}
			memset(&scored[i], 0, sizeof(scored[i]));
			scored[i].outcome = uniform() < 0.3;
			scored[i].scores[0] = normal() + scored[i].outcome;
			scored[i].bucket = (uint8_t) (uniform() * FB_BUCKETS);
		}
		for (int i = 0; i < ROWS; i++)
			for (int j = 0, p = 0; j < 2; j++)
				for (int k = 0; k <= j; k++, p++)
					products[p] += (rows[i][j] - sums[j] / ROWS) * (rows[i][k] - sums[k] / ROWS);
		for (int b = 0; b < FB_BUCKETS; b++)
			bucket[b] = bucket_sums[b];
		fb_sums_estimate_rows(&target, wer, &options[0], ROWS, sums, products, &e);
		covered[0] += e.lo <= 0.1 && 0.1 <= e.hi;
		fb_sums_estimate_buckets(&target, wer, &options[0], bucket_rows, bucket, &e);
		covered[1] += e.lo <= 0.1 && 0.1 <= e.hi;
		target = fb_metric_target(auc, &options[1], false);
		for (int unit = 1; unit >= 0; unit--)
		{
			fb_scored_estimate(&work, &target, &options[1].scored, scored, ROWS, unit == 1, &e);
			covered[2 + unit] += e.has_interval && e.lo <= area && area <= e.hi;
			work_reset();
		}
	}
	report("wer, 200 rows, to first order", covered[0], replications, 94.0, 95.5);
	report("wer, 200 rows, units in 64 groups", covered[1], replications, 94.0, 95.5);
	report("roc_auc, 200 rows, dealt out to 64 groups", covered[2], replications, 94.0, 96.0);
	report("roc_auc, 200 rows, units in 64 groups", covered[3], replications, 94.0, 96.0);
}

/* Runs metrics of predictions. */
void
metrics(double replications)
{
	static const int sizes[] = {60, 200, 1000};
	static const double f1_two[] = {0.940, 0.949, 0.950};
	static const double mcc_two[] = {0.931, 0.946, 0.952};
	static const double f1_five[] = {0.916, 0.953, 0.950};
	static const double mcc_five[] = {0.939, 0.950, 0.953};
	static const int pairs[] = {100, 300, 1000};

	section("Metrics of predictions",
			"How often the 95 % interval of metric covers the truth, and how often metric_diff gives p < 0.05 for two equal models that find the same items hard.");
	reseed(7);
	for (int i = 0; i < 3; i++)
	{
		label_coverage(FB_METRIC_F1_MACRO, "f1_macro", &two, sizes[i], replications, f1_two[i]);
		label_coverage(FB_METRIC_MCC, "mcc", &two, sizes[i], replications, mcc_two[i]);
		label_coverage(FB_METRIC_F1_MACRO, "f1_macro", &five, sizes[i], replications, f1_five[i]);
		label_coverage(FB_METRIC_MCC, "mcc", &five, sizes[i], replications, mcc_five[i]);
	}
	for (int i = 0; i < 3; i++)
		equal_models(pairs[i], replications);
	other_coverage(replications);
}
