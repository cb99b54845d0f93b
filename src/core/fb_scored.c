/*
 * fb_scored.c
 *		Metrics that must sort rows by their scores.
 *
 * Rows are sorted once; the value without one bucket of the jackknife is found
 * by a pass that skips it.
 */
#include "core/fb_scored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY 255				/* no bucket */

/* Orders rows by their content. */
int
fb_scored_row_compare(const void *left, const void *right)
{
	const FbScoredRow *a = left;
	const FbScoredRow *b = right;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	if (a->outcome != b->outcome)
		return a->outcome < b->outcome ? -1 : 1;
	for (int i = 0; i < 2; i++)
	{
		if (a->scores[i] != b->scores[i])
			return a->scores[i] < b->scores[i] ? -1 : 1;
	}
	return 0;
}

/* A row in the order of its score. */
typedef struct Ranked
{
	double		score;
	uint8_t		outcome;
	uint8_t		bucket;
} Ranked;

/* Orders by score. */
static int
compare_scores(const void *left, const void *right)
{
	const Ranked *a = left;
	const Ranked *b = right;

	return (a->score > b->score) - (a->score < b->score);
}

/*
 * Computes the area under the ROC curve: the probability that a positive row
 * scores above a negative one, ties counting half (Hanley and McNeil 1982,
 * Radiology 143). False with one class.
 */
static bool
roc_auc(const Ranked *rows, size_t count, uint8_t skip, double *value)
{
	double		above = 0.0;	/* positives above negatives, in halves of a pair */
	double		positives = 0.0;
	double		negatives = 0.0;

	for (size_t i = 0; i < count;)
	{
		double		tied[2] = {0.0, 0.0};
		double		score = rows[i].score;

		for (; i < count && rows[i].score == score; i++)
		{
			if (rows[i].bucket != skip)
				tied[rows[i].outcome]++;
		}
		above += tied[1] * (2.0 * negatives + tied[0]);
		negatives += tied[0];
		positives += tied[1];
	}
	if (positives <= 0.0 || negatives <= 0.0)
		return false;
	*value = above / (2.0 * positives * negatives);
	return true;
}

/*
 * Computes the average precision: sum (R_k - R_(k-1)) P_k over the distinct
 * thresholds from the highest, without interpolation. 0 without positives.
 */
static bool
average_precision(const Ranked *rows, size_t count, uint8_t skip, double *value)
{
	double		sum = 0.0;
	double		positives = 0.0;
	double		all = 0.0;

	for (size_t i = count; i > 0;)
	{
		double		tied = 0.0;
		double		score = rows[i - 1].score;

		for (; i > 0 && rows[i - 1].score == score; i--)
		{
			if (rows[i - 1].bucket == skip)
				continue;
			tied += rows[i - 1].outcome;
			all++;
		}
		positives += tied;
		if (tied > 0.0)
			sum += tied * (positives / all);
	}
	if (all <= 0.0)
		return false;
	*value = positives > 0.0 ? sum / positives : 0.0;
	return true;
}

/*
 * Computes the calibration error (Naeini, Cooper and Hauskrecht 2015, AAAI;
 * Guo et al. 2017, ICML): the distance between accuracy and mean confidence
 * over bins [i/B, (i+1)/B), the last one closed, or over bins of as many rows,
 * where equal confidences share the bin of the first of them.
 */
static bool
calibration_error(const FbScoredOptions *options, const Ranked *rows, size_t count, uint8_t skip,
				  size_t remaining, double *sums, double *value)
{
	size_t		position = 0;
	double		error = 0.0;
	double		bins = (double) options->bins;

	if (remaining == 0)
		return false;
	memset(sums, 0, sizeof(double) * 3 * (size_t) options->bins);
	for (size_t i = 0; i < count;)
	{
		double		score = rows[i].score;
		size_t		bin;
		size_t		first = position;

		if (options->equal_mass)
		{
			/* the bin with floor(bin n / B) <= first < floor((bin + 1) n / B) */
			bin = (size_t) ((double) first * bins / (double) remaining);
			while (bin + 1 < (size_t) options->bins &&
				   (bin + 1) * remaining / (size_t) options->bins <= first)
				bin++;
		}
		else
		{
			bin = (size_t) (score * bins);
			/* i/B as a double decides, not the product */
			if (bin > 0 && score < (double) bin / bins)
				bin--;
			else if (score >= (double) (bin + 1) / bins)
				bin++;
		}
		if (bin >= (size_t) options->bins)
			bin = (size_t) options->bins - 1;
		for (; i < count && rows[i].score == score; i++)
		{
			if (rows[i].bucket == skip)
				continue;
			sums[3 * bin]++;
			sums[3 * bin + 1] += rows[i].outcome;
			sums[3 * bin + 2] += score;
			position++;
		}
	}
	for (size_t bin = 0; bin < (size_t) options->bins; bin++)
	{
		double		gap;

		if (sums[3 * bin] <= 0.0)
			continue;
		gap = fabs(sums[3 * bin + 1] - sums[3 * bin + 2]) / sums[3 * bin];
		if (options->norm == FB_ECE_MAX)
			error = fmax(error, gap);
		else
			error += sums[3 * bin] / (double) remaining * (options->norm == FB_ECE_L2 ? gap * gap : gap);
	}
	*value = options->norm == FB_ECE_L2 ? sqrt(error) : error;
	return true;
}

/* Mixes a number (the finalizer of SplitMix64). */
static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9E3779B97F4A7C15);
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

typedef struct Dealt
{
	uint64_t	hash;
	size_t		row;
} Dealt;

/* Orders by hash, which are all different. */
static int
compare_dealt(const void *left, const void *right)
{
	const Dealt *a = left;
	const Dealt *b = right;

	return (a->hash > b->hash) - (a->hash < b->hash);
}

/*
 * Deals rows without a unit out to buckets: a shuffle of their places in the
 * order of their content, so that the answer depends on nothing but the rows.
 */
static void
deal(FbWork *work, FbScoredRow *rows, size_t count)
{
	Dealt	   *dealt = fb_work_array(work, Dealt, count);

	qsort(rows, count, sizeof(FbScoredRow), fb_scored_row_compare);
	work->poll(work);
	for (size_t i = 0; i < count; i++)
		dealt[i] = (Dealt) {mix(i), i};
	qsort(dealt, count, sizeof(Dealt), compare_dealt);
	for (size_t i = 0; i < count; i++)
		rows[dealt[i].row].bucket = (uint8_t) (i % FB_BUCKETS);
	work->poll(work);
}

/* Evaluates a metric without a bucket. */
static bool
evaluate(const FbScoredOptions *options, const Ranked *rows, size_t count, uint8_t skip, size_t remaining,
		 double *sums, double *value)
{
	switch (options->kind)
	{
		case FB_SCORED_ROC_AUC:
			return roc_auc(rows, count, skip, value);
		case FB_SCORED_AVERAGE_PRECISION:
			return average_precision(rows, count, skip, value);
		case FB_SCORED_ECE:
			return calibration_error(options, rows, count, skip, remaining, sums, value);
	}
	return false;
}

/*
 * Estimates a metric, or the difference of two systems in it. Rows without a
 * unit are given buckets here. Scores must not be NaN, and confidences be 0 to 1.
 */
void
fb_scored_estimate(FbWork *work, const FbTarget *target, const FbScoredOptions *options, FbScoredRow *rows,
				 size_t count, bool has_unit, FbEstimate *result)
{
	Ranked	   *ranked[2] = {NULL, NULL};
	size_t		sizes[FB_BUCKETS] = {0};
	double	   *sums = fb_work_array(work, double, 3 * (size_t) options->bins);
	double		theta[FB_BUCKETS];
	int			groups = 0;

	memset(result, 0, sizeof(*result));
	result->n = (int64_t) count;
	if (count == 0)
		return;
	if (!has_unit)
		deal(work, rows, count);
	for (int s = 0; s <= (int) target->paired; s++)
	{
		ranked[s] = fb_work_array(work, Ranked, count);
		for (size_t i = 0; i < count; i++)
			ranked[s][i] = (Ranked) {rows[i].scores[s], rows[i].outcome, rows[i].bucket};
		qsort(ranked[s], count, sizeof(Ranked), compare_scores);
		work->poll(work);
	}
	for (size_t i = 0; i < count; i++)
		sizes[rows[i].bucket]++;

	/* the last turn leaves nothing out */
	for (int bucket = 0; bucket <= FB_BUCKETS; bucket++)
	{
		bool		is_whole = bucket == FB_BUCKETS;
		uint8_t		skip = is_whole ? NOBODY : (uint8_t) bucket;
		size_t		remaining = is_whole ? count : count - sizes[bucket];
		double		values[2] = {0.0, 0.0};
		bool		defined = true;

		if (!is_whole && sizes[bucket] == 0)
			continue;
		for (int s = 0; s <= (int) target->paired; s++)
			defined = defined && evaluate(options, ranked[s], count, skip, remaining, sums, &values[s]);
		work->poll(work);
		if (target->paired)
			values[0] = values[1] - values[0];
		if (is_whole)
		{
			result->has_value = defined;
			result->value = values[0];
		}
		else if (!defined || groups < 0)
			groups = -1;		/* undefined without one group: no standard error */
		else
			theta[groups++] = values[0];
	}
	if (result->has_value && groups > 1)
		fb_estimate_interval(target, fb_group_variance(theta, groups), groups - 1.0, result);
}
