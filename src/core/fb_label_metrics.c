/*
 * fb_label_metrics.c
 *		Label metrics from counts of (gold, predicted) pairs.
 *
 * By default averages run over the labels that occur as gold labels: an answer
 * outside that set is a miss of the gold label and makes no class of its own.
 * An abstention is a miss and nobody's false positive; for the correlation
 * coefficient it is one more predicted class, as any answer outside the gold
 * labels is.
 */
#include "core/fb_label_metrics.h"

#include <math.h>
#include <string.h>

/* Tells whether a label belongs to the set that averages run over. */
static bool
in_set(const FbLabelOptions *options, size_t label, const FbLabelCount *count)
{
	if (options->average == FB_AVERAGE_BINARY)
		return label == options->pos;
	switch (options->set)
	{
		case FB_LABELS_GOLD:
			return count->gold > 0;
		case FB_LABELS_UNION:
			return count->gold > 0 || count->pred > 0;
		case FB_LABELS_GIVEN:
			return options->given[label];
	}
	return false;
}

/* Divides; 0/0 is what the options say, false if that is undefined. */
static bool
divide(const FbLabelOptions *options, double numerator, double denominator, double *value)
{
	if (denominator > 0.0)
	{
		*value = numerator / denominator;
		return true;
	}
	*value = options->zero_division == FB_ZERO_IS_1 ? 1.0 : 0.0;
	return options->zero_division != FB_ZERO_IS_NULL;
}

/* Computes precision, recall or F from counts; F from counts too, never from the other two. */
static bool
rate(const FbLabelOptions *options, double hit, double pred, double gold, double *value)
{
	double		factor = options->beta * options->beta;

	switch (options->kind)
	{
		case FB_LABEL_PRECISION:
			return divide(options, hit, pred, value);
		case FB_LABEL_RECALL:
			return divide(options, hit, gold, value);
		default:
			/* (1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp) */
			return divide(options, (1.0 + factor) * hit, factor * gold + pred, value);
	}
}

/* Adds (sign = 1) or takes away (sign = -1) the contribution of one label. */
static void
sums_add_label(FbLabelSums *sums, const FbLabelOptions *options, size_t label, bool is_abstention,
			   const FbLabelCount *count, double sign)
{
	double		gold = (double) count->gold;
	double		pred = (double) count->pred;
	double		hit = (double) count->hit;
	double		term;

	sums->n += sign * gold;
	sums->hits += sign * hit;
	sums->gold_sq += sign * gold * gold;
	sums->pred_sq += sign * pred * pred;
	sums->cross += sign * gold * pred;
	if (count->gold > 0)
	{
		sums->gold_labels += sign;
		sums->recall += sign * (hit / gold);
	}
	if (is_abstention || options->kind > FB_LABEL_F || !in_set(options, label, count))
		return;
	sums->set_hit += sign * hit;
	sums->set_pred += sign * pred;
	sums->set_gold += sign * gold;
	if (rate(options, hit, pred, gold, &term))
	{
		sums->terms += sign * term;
		sums->term_count += sign;
		sums->weighted_terms += sign * term * gold;
		sums->weight += sign * gold;
	}
}

/* Returns the disagreement of two places, or with an abstention, for which it is the largest there is. */
static double
disagreement(const FbLabelTable *table, double gold, double pred)
{
	double		distance = pred < 0.0 ? table->places - 1.0 : fabs(gold - pred);

	switch (table->options->weights)
	{
		case FB_WEIGHTS_NONE:
			return distance > 0.0 || pred < 0.0 ? 1.0 : 0.0;
		case FB_WEIGHTS_LINEAR:
			return distance;
		case FB_WEIGHTS_QUADRATIC:
			return distance * distance;
	}
	return 0.0;
}

/*
 * Computes the disagreement of every label with the other margin: for linear
 * weights by running sums, for quadratic ones by moments.
 */
static void
margins(FbLabelTable *table)
{
	size_t		k = table->nlabels;
	double		total[2] = {0.0, 0.0};	/* gold, pred */
	double		first[2] = {0.0, 0.0};
	double		second[2] = {0.0, 0.0};
	double		below[2] = {0.0, 0.0};
	double		below_first[2] = {0.0, 0.0};
	double		abstained = (double) table->counts[k].pred;
	double		worst = disagreement(table, 0.0, -1.0);

	for (size_t i = 0; i < k; i++)
	{
		double		place = table->rank[i];
		double		counts[2] = {(double) table->counts[i].gold, (double) table->counts[i].pred};

		for (int s = 0; s < 2 && place >= 0.0; s++)
		{
			total[s] += counts[s];
			first[s] += place * counts[s];
			second[s] += place * place * counts[s];
		}
	}
	table->sums.expected = 0.0;
	for (size_t o = 0; o < k; o++)
	{
		size_t		i = table->options->order[o];
		double		place = table->rank[i];
		double		counts[2] = {(double) table->counts[i].gold, (double) table->counts[i].pred};
		double		sums[2];

		if (place < 0.0)
			continue;
		for (int s = 0; s < 2; s++)
		{
			switch (table->options->weights)
			{
				case FB_WEIGHTS_NONE:
					sums[s] = total[s] - counts[s];
					break;
				case FB_WEIGHTS_LINEAR:
					sums[s] = place * below[s] - below_first[s] +
						(first[s] - below_first[s]) - place * (total[s] - below[s]);
					break;
				default:
					sums[s] = place * place * total[s] - 2.0 * place * first[s] + second[s];
					break;
			}
			below[s] += counts[s];
			below_first[s] += place * counts[s];
		}
		table->from_pred[i] = sums[0];
		table->from_gold[i] = sums[1] + worst * abstained;
		table->sums.expected += counts[0] * table->from_gold[i];
	}
	table->from_pred[k] = worst * total[0];
}

/* Adds up all labels. */
static void
table_sum(FbLabelTable *table)
{
	memset(&table->sums, 0, sizeof(table->sums));
	for (size_t i = 0; i <= table->nlabels; i++)
		sums_add_label(&table->sums, table->options, i, i == table->nlabels, &table->counts[i], 1.0);
	table->sums.observed = table->observed;
	if (table->options->kind == FB_LABEL_KAPPA)
		margins(table);
}

/* Returns the memory that a table needs beside itself. */
size_t
fb_label_table_size(size_t nlabels)
{
	return (nlabels + 1) * (sizeof(FbLabelCount) + 3 * sizeof(double));
}

/* Makes an empty table in memory of the size above. */
void
fb_label_table_init(FbLabelTable *table, const FbLabelOptions *options, size_t nlabels, void *memory)
{
	memset(memory, 0, fb_label_table_size(nlabels));
	memset(table, 0, sizeof(*table));
	table->options = options;
	table->nlabels = nlabels;
	table->counts = memory;
	table->rank = (double *) (table->counts + nlabels + 1);
	table->from_gold = table->rank + nlabels + 1;
	table->from_pred = table->from_gold + nlabels + 1;
	if (options->kind != FB_LABEL_KAPPA)
		return;
	for (size_t i = 0; i < nlabels; i++)
		table->rank[options->order[i]] =
			options->set == FB_LABELS_GIVEN && !options->given[options->order[i]] ? -1.0 : table->places++;
	table->rank[nlabels] = -1.0;
}

/* Tells whether kappa counts a cell: all its labels belong to the set. */
static bool
counts_cell(const FbLabelTable *table, uint32_t gold, uint32_t pred)
{
	return table->rank[gold] >= 0.0 && (pred == table->nlabels || table->rank[pred] >= 0.0);
}

/* Adds (sign = 1) or takes away (sign = -1) one cell; returns the rows that count. */
int64_t
fb_label_table_add(FbLabelTable *table, const FbLabelCell *cell, int system, int64_t sign)
{
	uint32_t	gold = cell->gold;
	uint32_t	pred = cell->pred[system];
	int64_t		count = sign * cell->count;

	if (table->options->kind == FB_LABEL_KAPPA)
	{
		if (!counts_cell(table, gold, pred))
			return 0;
		table->observed += (double) count * disagreement(table, table->rank[gold], table->rank[pred]);
	}
	table->counts[gold].gold += count;
	table->counts[pred].pred += count;
	if (gold == pred)
		table->counts[gold].hit += count;
	return cell->count;
}

/*
 * Evaluates the metric; false where it is undefined. The correlation is
 * Gorodkin (2004), Comparing two K-category assignments by a K-category
 * correlation coefficient, eq. 8, in its form for confusion matrices; kappa is
 * Cohen (1968), Weighted kappa, Psychological Bulletin 70, eq. 8.
 */
static bool
sums_evaluate(const FbLabelSums *sums, const FbLabelOptions *options, double *value)
{
	if (sums->n <= 0.0)
		return false;
	switch (options->kind)
	{
		case FB_LABEL_BALANCED_ACCURACY:
			*value = sums->recall / sums->gold_labels;
			if (!options->adjusted)
				return true;
			*value = (*value - 1.0 / sums->gold_labels) / (1.0 - 1.0 / sums->gold_labels);
			return sums->gold_labels > 1.0;
		case FB_LABEL_KAPPA:
			*value = 1.0 - sums->observed * sums->n / sums->expected;
			return sums->expected > 0.0;
		case FB_LABEL_MCC:
			{
				double		gold_var = sums->n * sums->n - sums->gold_sq;
				double		pred_var = sums->n * sums->n - sums->pred_sq;

				*value = 0.0;
				if (gold_var > 0.0 && pred_var > 0.0)
					*value = fmin(1.0, fmax(-1.0, (sums->hits * sums->n - sums->cross) / (sqrt(gold_var) * sqrt(pred_var))));
				return true;
			}
		default:
			break;
	}
	switch (options->average)
	{
		case FB_AVERAGE_MACRO:
			return divide(options, sums->terms, sums->term_count, value);
		case FB_AVERAGE_WEIGHTED:
			return divide(options, sums->weighted_terms, sums->weight, value);
		default:
			return rate(options, sums->set_hit, sums->set_pred, sums->set_gold, value);
	}
}

/* Evaluates what has been added; false where the metric is undefined. */
bool
fb_label_table_value(FbLabelTable *table, double *value)
{
	table_sum(table);
	return sums_evaluate(&table->sums, table->options, value);
}

/* Evaluates the metric without one row of the given cell. */
static bool
value_without_row(const FbLabelTable *table, const FbLabelCell *cell, int system, double *value)
{
	const FbLabelOptions *options = table->options;
	FbLabelSums sums = table->sums;
	size_t		abstained = table->nlabels;
	size_t		gold_label = cell->gold;
	size_t		pred_label = cell->pred[system];
	FbLabelCount gold = table->counts[gold_label];

	if (options->kind == FB_LABEL_KAPPA)
	{
		double		distance;

		if (!counts_cell(table, (uint32_t) gold_label, (uint32_t) pred_label))
			return sums_evaluate(&sums, options, value);
		distance = disagreement(table, table->rank[gold_label], table->rank[pred_label]);
		sums.observed -= distance;
		sums.expected += distance - table->from_gold[gold_label] - table->from_pred[pred_label];
	}
	sums_add_label(&sums, options, gold_label, false, &gold, -1.0);
	gold.gold--;
	if (gold_label == pred_label)
	{
		gold.pred--;
		gold.hit--;
	}
	else
	{
		FbLabelCount pred = table->counts[pred_label];

		sums_add_label(&sums, options, pred_label, pred_label == abstained, &pred, -1.0);
		pred.pred--;
		sums_add_label(&sums, options, pred_label, pred_label == abstained, &pred, 1.0);
	}
	sums_add_label(&sums, options, gold_label, false, &gold, 1.0);
	return sums_evaluate(&sums, options, value);
}

/* Evaluates one system, or the difference of two. */
static bool
tables_value(FbLabelTable *tables, bool paired, double *value)
{
	double		second;

	if (!fb_label_table_value(&tables[0], value))
		return false;
	if (!paired)
		return true;
	if (!fb_label_table_value(&tables[1], &second))
		return false;
	*value = second - *value;
	return true;
}

/* Does the same without one row of a cell. */
static bool
tables_without_row(const FbLabelTable *tables, bool paired, const FbLabelCell *cell, double *value)
{
	double		second;

	if (!value_without_row(&tables[0], cell, 0, value))
		return false;
	if (!paired)
		return true;
	if (!value_without_row(&tables[1], cell, 1, &second))
		return false;
	*value = second - *value;
	return true;
}

/* Estimates by the jackknife over the non-empty buckets. */
static void
estimate_buckets(const FbTarget *target, FbLabelTable *tables, const FbLabelCell *cells, size_t ncells,
				 void (*poll) (void), FbEstimate *result)
{
	double		theta[FB_BUCKETS];
	int			groups = 0;
	size_t		start = 0;

	if (cells[0].bucket == cells[ncells - 1].bucket)
		return;					/* one group shows no variation */
	while (start < ncells && groups < FB_BUCKETS)
	{
		size_t		end = start;
		bool		defined;

		for (; end < ncells && cells[end].bucket == cells[start].bucket; end++)
			for (int s = 0; s <= (int) target->paired; s++)
				fb_label_table_add(&tables[s], &cells[end], s, -1);
		defined = tables_value(tables, target->paired, &theta[groups++]);
		for (size_t i = start; i < end; i++)
			for (int s = 0; s <= (int) target->paired; s++)
				fb_label_table_add(&tables[s], &cells[i], s, 1);
		if (!defined)
			return;				/* undefined without one group: no standard error */
		start = end;
		if (poll != NULL)
			poll();
	}
	fb_estimate_interval(target, fb_group_variance(theta, groups), groups - 1.0, result);
}

/*
 * Estimates by the jackknife that leaves out one row at a time (Efron 1982,
 * The jackknife, the bootstrap and other resampling plans, eq. 3.1). Rows of
 * one cell are alike, so the counts of the cells suffice and no rule has to
 * deal rows out to groups: the answer depends on nothing but the multiset of
 * rows.
 */
static void
estimate_rows(const FbTarget *target, const FbLabelTable *tables, const FbLabelCell *cells, size_t ncells,
			  int64_t rows, void (*poll) (void), FbEstimate *result)
{
	double		n = (double) rows;
	double		mean = 0.0;
	double		variance = 0.0;

	if (rows < 2)
		return;
	/* Distances from the full value are small, so their sums keep precision. */
	for (int pass = 0; pass < 2; pass++)
	{
		for (size_t i = 0; i < ncells; i++)
		{
			double		value;

			if (!tables_without_row(tables, target->paired, &cells[i], &value))
				return;
			value -= result->value;
			if (pass == 0)
				mean += (double) cells[i].count * value / n;
			else
				variance += (double) cells[i].count * (value - mean) * (value - mean);
			if (poll != NULL && i % 65536 == 65535)
				poll();
		}
	}
	fb_estimate_interval(target, variance * (n - 1.0) / n, n - 1.0, result);
}

/*
 * Estimates a metric, or the difference of two systems in it, from cells
 * sorted by bucket. tables are one or two empty ones; poll may be NULL.
 */
void
fb_label_estimate(const FbTarget *target, FbLabelTable *tables, const FbLabelCell *cells, size_t ncells,
				  bool has_unit, void (*poll) (void), FbEstimate *result)
{
	int64_t		rows = 0;

	memset(result, 0, sizeof(*result));
	for (size_t i = 0; i < ncells; i++)
	{
		rows += cells[i].count;
		result->n += fb_label_table_add(&tables[0], &cells[i], 0, 1);
		if (target->paired)
			fb_label_table_add(&tables[1], &cells[i], 1, 1);
	}
	if (ncells == 0 || !tables_value(tables, target->paired, &result->value))
		return;
	result->has_value = true;
	if (has_unit)
		estimate_buckets(target, tables, cells, ncells, poll, result);
	else
		estimate_rows(target, tables, cells, ncells, rows, poll, result);
}
