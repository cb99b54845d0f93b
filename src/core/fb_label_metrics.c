/*
 * fb_label_metrics.c
 *		Label metrics from counts of (gold, predicted) pairs.
 *
 * Macro and weighted averages, and the sums of the micro averages, run over
 * the labels that occur as gold labels: an answer outside that set is a miss
 * of the gold label and makes no class of its own. 0/0 counts as 0. An
 * abstention is a miss and nobody's false positive; for the correlation
 * coefficient it is one more predicted class, as any answer outside the gold
 * labels is.
 */
#include "core/fb_label_metrics.h"

#include <math.h>
#include <string.h>

#include "core/fb_beta.h"

/* Two-sided 95 % point of the normal distribution. */
#define Z_975 1.959963984540054235524594430520551527

static const FbLabelMetricInfo metric_list[] = {
	{FB_METRIC_ACCURACY, "accuracy", 0.0, 1.0},
	{FB_METRIC_PRECISION_MACRO, "precision_macro", 0.0, 1.0},
	{FB_METRIC_PRECISION_MICRO, "precision_micro", 0.0, 1.0},
	{FB_METRIC_PRECISION_WEIGHTED, "precision_weighted", 0.0, 1.0},
	{FB_METRIC_RECALL_MACRO, "recall_macro", 0.0, 1.0},
	{FB_METRIC_RECALL_MICRO, "recall_micro", 0.0, 1.0},
	{FB_METRIC_RECALL_WEIGHTED, "recall_weighted", 0.0, 1.0},
	{FB_METRIC_F1_MACRO, "f1_macro", 0.0, 1.0},
	{FB_METRIC_F1_MICRO, "f1_micro", 0.0, 1.0},
	{FB_METRIC_F1_WEIGHTED, "f1_weighted", 0.0, 1.0},
	{FB_METRIC_MCC, "mcc", -1.0, 1.0},
};

#define METRIC_COUNT (sizeof(metric_list) / sizeof(metric_list[0]))

/* What a metric needs to know about all labels together. */
typedef struct LabelSums
{
	double		n;				/* rows */
	double		hits;			/* rows with pred = gold */
	double		gold_labels;	/* labels that occur as gold */
	double		pred_of_gold;	/* predictions of such labels */
	double		macro;			/* sum of the per-label metric over gold labels */
	double		weighted;		/* the same, times the label's gold rows */
	double		gold_sq;		/* sums over all labels of gold^2, pred^2, gold * pred */
	double		pred_sq;
	double		cross;
} LabelSums;

/* Returns the metric of that name, or NULL. */
const FbLabelMetricInfo *
fb_label_metric_by_name(const char *name)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
	{
		if (strcmp(metric_list[i].name, name) == 0)
			return &metric_list[i];
	}
	return NULL;
}

/* Returns the metric with that stored number, or NULL. */
const FbLabelMetricInfo *
fb_label_metric_by_id(int id)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
	{
		if ((int) metric_list[i].id == id)
			return &metric_list[i];
	}
	return NULL;
}

/* Returns all metrics and their number. */
const FbLabelMetricInfo *
fb_label_metric_list(size_t *count)
{
	*count = METRIC_COUNT;
	return metric_list;
}

/*
 * Computes the 95 % score interval of a share: Wilson (1927), Probable
 * inference, the law of succession, and statistical inference, JASA 22.
 * n may be an effective sample size.
 */
void
fb_wilson_interval(double share, double n, double *lo, double *hi)
{
	double		z2 = Z_975 * Z_975;
	double		scale = 1.0 / (1.0 + z2 / n);
	double		centre = share + z2 / (2.0 * n);
	double		half = Z_975 * sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n));

	*lo = share <= 0.0 ? 0.0 : fmax(0.0, scale * (centre - half));
	*hi = share >= 1.0 ? 1.0 : fmin(1.0, scale * (centre + half));
}

/* Estimates the accuracy of independent rows; the interval is Wilson's. */
void
fb_accuracy_estimate(int64_t rows, int64_t correct, FbEstimate *result)
{
	double		n = (double) rows;
	double		share;

	memset(result, 0, sizeof(*result));
	result->n = rows;
	if (rows <= 0)
		return;
	share = (double) correct / n;
	result->has_value = true;
	result->value = share;
	if (rows > 1)
	{
		result->has_se = true;
		result->se = sqrt(share * ((double) (rows - correct) / n) / (n - 1.0));
	}
	result->has_interval = true;
	fb_wilson_interval(share, n, &result->lo, &result->hi);
}

/*
 * Estimates the accuracy of rows that come in clusters: the cluster-robust
 * standard error of a mean (Miller 2024, Adding error bars to evals,
 * arXiv:2411.00640, eq. 4) with the finite factor C/(C-1), and Wilson's
 * interval on the effective number of rows m(1-m)/se^2 that it implies.
 */
void
fb_accuracy_estimate_clustered(const FbUnitCount *units, size_t nunits, FbEstimate *result)
{
	int64_t		rows = 0;
	int64_t		correct = 0;
	double		clusters = (double) nunits;
	double		share;
	double		sum = 0.0;

	for (size_t i = 0; i < nunits; i++)
	{
		rows += units[i].rows;
		correct += units[i].correct;
	}
	/* One row per unit is no clustering. */
	if (rows == (int64_t) nunits)
	{
		fb_accuracy_estimate(rows, correct, result);
		return;
	}

	memset(result, 0, sizeof(*result));
	result->n = rows;
	share = (double) correct / (double) rows;
	result->has_value = true;
	result->value = share;
	if (nunits < 2)
		return;

	for (size_t i = 0; i < nunits; i++)
	{
		double		residual = (double) units[i].correct - share * (double) units[i].rows;

		sum += residual * residual;
	}
	/* The residuals of an all-right or all-wrong sample are exactly zero. */
	result->has_se = true;
	result->se = sqrt(clusters / (clusters - 1.0) * sum) / (double) rows;
	result->has_interval = true;
	if (correct == 0 || correct == rows)
		fb_wilson_interval(share, (double) rows, &result->lo, &result->hi);
	else if (result->se > 0.0)
		fb_wilson_interval(share, share * (1.0 - share) / (result->se * result->se),
						   &result->lo, &result->hi);
	else
	{
		/* Every cluster has the same share: nothing varies between them. */
		result->lo = share;
		result->hi = share;
	}
}

/* Computes the metric of one label with a gold row; 0/0 is 0. */
static double
label_term(FbLabelMetric metric, const FbLabelCount *label)
{
	double		hit = (double) label->hit;

	switch (metric)
	{
		case FB_METRIC_PRECISION_MACRO:
		case FB_METRIC_PRECISION_WEIGHTED:
			return label->pred > 0 ? hit / (double) label->pred : 0.0;
		case FB_METRIC_RECALL_MACRO:
		case FB_METRIC_RECALL_WEIGHTED:
			return hit / (double) label->gold;
		case FB_METRIC_F1_MACRO:
		case FB_METRIC_F1_WEIGHTED:
			/* 2tp / (2tp + fp + fn), never from precision and recall */
			return 2.0 * hit / ((double) label->pred + (double) label->gold);
		default:
			return 0.0;
	}
}

/* Adds (sign = 1) or takes away (sign = -1) the contribution of one label. */
static void
sums_add_label(LabelSums *sums, FbLabelMetric metric, const FbLabelCount *label, double sign)
{
	double		gold = (double) label->gold;
	double		pred = (double) label->pred;

	sums->gold_sq += sign * gold * gold;
	sums->pred_sq += sign * pred * pred;
	sums->cross += sign * gold * pred;
	if (label->gold > 0)
	{
		double		term = label_term(metric, label);

		sums->n += sign * gold;
		sums->hits += sign * (double) label->hit;
		sums->gold_labels += sign;
		sums->pred_of_gold += sign * pred;
		sums->macro += sign * term;
		sums->weighted += sign * term * gold;
	}
}

/* Adds up all labels; the abstentions are the last, extra element. */
static void
sums_of_counts(LabelSums *sums, FbLabelMetric metric, const FbLabelCount *counts, size_t nlabels)
{
	memset(sums, 0, sizeof(*sums));
	for (size_t i = 0; i <= nlabels; i++)
		sums_add_label(sums, metric, &counts[i], 1.0);
}

/*
 * Evaluates the metric; at least one row must be there. The correlation is
 * Gorodkin (2004), Comparing two K-category assignments by a K-category
 * correlation coefficient, eq. 8, in its form for confusion matrices.
 */
static double
sums_evaluate(const LabelSums *sums, FbLabelMetric metric)
{
	switch (metric)
	{
		case FB_METRIC_ACCURACY:
		case FB_METRIC_RECALL_MICRO:
			return sums->hits / sums->n;
		case FB_METRIC_PRECISION_MICRO:
			return sums->pred_of_gold > 0.0 ? sums->hits / sums->pred_of_gold : 0.0;
		case FB_METRIC_F1_MICRO:
			return 2.0 * sums->hits / (sums->pred_of_gold + sums->n);
		case FB_METRIC_PRECISION_MACRO:
		case FB_METRIC_RECALL_MACRO:
		case FB_METRIC_F1_MACRO:
			return sums->macro / sums->gold_labels;
		case FB_METRIC_PRECISION_WEIGHTED:
		case FB_METRIC_RECALL_WEIGHTED:
		case FB_METRIC_F1_WEIGHTED:
			return sums->weighted / sums->n;
		case FB_METRIC_MCC:
			{
				double		gold_var = sums->n * sums->n - sums->gold_sq;
				double		pred_var = sums->n * sums->n - sums->pred_sq;
				double		value;

				if (gold_var <= 0.0 || pred_var <= 0.0)
					return 0.0;
				value = (sums->hits * sums->n - sums->cross) / (sqrt(gold_var) * sqrt(pred_var));
				return fmin(1.0, fmax(-1.0, value));
			}
	}
	return 0.0;
}

/* Adds (sign = 1) or takes away (sign = -1) one cell. */
static void
counts_add_cell(FbLabelCount *counts, const FbLabelCell *cell, int64_t sign)
{
	counts[cell->gold].gold += sign * cell->count;
	counts[cell->pred].pred += sign * cell->count;
	if (cell->gold == cell->pred)
		counts[cell->gold].hit += sign * cell->count;
}

/* Counts all labels and starts the result; returns false without rows. */
static bool
estimate_start(FbLabelMetric metric, const FbLabelCell *cells, size_t ncells,
			   FbLabelCount *counts, size_t nlabels, LabelSums *sums, FbEstimate *result)
{
	memset(result, 0, sizeof(*result));
	memset(counts, 0, sizeof(*counts) * (nlabels + 1));
	for (size_t i = 0; i < ncells; i++)
	{
		counts_add_cell(counts, &cells[i], 1);
		result->n += cells[i].count;
	}
	if (result->n <= 0)
		return false;
	sums_of_counts(sums, metric, counts, nlabels);
	result->has_value = true;
	result->value = sums_evaluate(sums, metric);
	return true;
}

/*
 * Sets the standard error and the interval value +- t(groups - 1) * se, cut
 * to the range of the metric.
 */
static void
estimate_finish(FbLabelMetric metric, double variance, double groups, FbEstimate *result)
{
	const FbLabelMetricInfo *info = fb_label_metric_by_id((int) metric);
	double		half;

	result->has_se = true;
	result->se = sqrt(variance);
	half = fb_t_quantile(0.975, groups - 1.0) * result->se;
	result->has_interval = true;
	result->lo = fmax(info->lowest, result->value - half);
	result->hi = fmin(info->highest, result->value + half);
}

/*
 * Estimates a metric of rows that carry a unit: the delete-a-group jackknife
 * over the non-empty buckets, se^2 = (g-1)/g sum_b (theta_(-b) - mean)^2
 * (Kott 2001, The delete-a-group jackknife, J. Official Statistics 17, eq. 1).
 * Cells must be sorted by bucket; counts has room for nlabels + 1 elements.
 */
void
fb_label_estimate_bucketed(FbLabelMetric metric, FbLabelCell *cells, size_t ncells,
						   FbLabelCount *counts, size_t nlabels, FbEstimate *result)
{
	LabelSums	sums;
	double		theta[FB_LABEL_BUCKETS];
	double		mean = 0.0;
	double		variance = 0.0;
	int			groups = 0;
	size_t		start = 0;

	if (!estimate_start(metric, cells, ncells, counts, nlabels, &sums, result))
		return;
	if (cells[0].bucket == cells[ncells - 1].bucket)
		return;					/* one group shows no variation */

	while (start < ncells && groups < FB_LABEL_BUCKETS)
	{
		size_t		end = start;

		for (; end < ncells && cells[end].bucket == cells[start].bucket; end++)
			counts_add_cell(counts, &cells[end], -1);
		sums_of_counts(&sums, metric, counts, nlabels);
		theta[groups++] = sums_evaluate(&sums, metric);
		for (size_t i = start; i < end; i++)
			counts_add_cell(counts, &cells[i], 1);
		start = end;
	}

	for (int i = 0; i < groups; i++)
		mean += theta[i];
	mean /= groups;
	for (int i = 0; i < groups; i++)
		variance += (theta[i] - mean) * (theta[i] - mean);
	variance *= (groups - 1.0) / groups;
	estimate_finish(metric, variance, groups, result);
}

/* Evaluates the metric without one row of the given cell. */
static double
evaluate_without_row(FbLabelMetric metric, const LabelSums *total, const FbLabelCount *counts,
					 const FbLabelCell *cell)
{
	LabelSums	sums = *total;
	FbLabelCount gold = counts[cell->gold];

	sums_add_label(&sums, metric, &gold, -1.0);
	gold.gold--;
	if (cell->gold == cell->pred)
	{
		gold.pred--;
		gold.hit--;
	}
	else
	{
		FbLabelCount pred = counts[cell->pred];

		sums_add_label(&sums, metric, &pred, -1.0);
		pred.pred--;
		sums_add_label(&sums, metric, &pred, 1.0);
	}
	sums_add_label(&sums, metric, &gold, 1.0);
	return sums_evaluate(&sums, metric);
}

/*
 * Estimates a metric of independent rows: the jackknife that leaves out one
 * row at a time (Efron 1982, The jackknife, the bootstrap and other resampling
 * plans, eq. 3.1). Rows of one cell are alike, so the counts of the cells
 * suffice and no rule has to deal rows out to groups: the answer depends on
 * nothing but the multiset of rows. Buckets are ignored.
 */
void
fb_label_estimate_rows(FbLabelMetric metric, const FbLabelCell *cells, size_t ncells,
					   FbLabelCount *counts, size_t nlabels, FbEstimate *result)
{
	LabelSums	total;
	double		mean = 0.0;
	double		variance = 0.0;
	double		n;

	if (!estimate_start(metric, cells, ncells, counts, nlabels, &total, result))
		return;
	if (result->n < 2)
		return;

	n = (double) result->n;
	/* Distances from the full value are small, so their sums keep precision. */
	for (size_t i = 0; i < ncells; i++)
		mean += (double) cells[i].count *
			(evaluate_without_row(metric, &total, counts, &cells[i]) - result->value);
	mean /= n;
	for (size_t i = 0; i < ncells; i++)
	{
		double		distance = evaluate_without_row(metric, &total, counts, &cells[i]) -
			result->value - mean;

		variance += (double) cells[i].count * distance * distance;
	}
	variance *= (n - 1.0) / n;
	estimate_finish(metric, variance, n, result);
}
