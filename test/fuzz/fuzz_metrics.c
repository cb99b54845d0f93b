/*
 * fuzz_metrics.c
 *		Label metrics, metrics that sort, and their uncertainty on arbitrary rows.
 *
 * The input chooses a metric and its options and gives rows. Values and
 * intervals are finite and in their range, a system does not differ from
 * itself, and the order of scored rows does not matter.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_metric.h"

#define LABELS 6
#define ROWS 200

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *pieces[4096];
static int	piece_count;

/* Gives memory. */
static void *
fuzz_allocate(FbWork *work, size_t size)
{
	void	   *piece = malloc(size);

	if (piece == NULL || piece_count == 4096)
		abort();
	pieces[piece_count++] = piece;
	return piece;
}

/* Is never in a hurry. */
static void
fuzz_poll(FbWork *work)
{
}

static FbWork work = {fuzz_allocate, fuzz_poll};

/* Ends the run where something does not hold. */
static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* Checks that an estimate makes sense. */
static void
check(const FbTarget *target, const FbEstimate *e, bool is_same)
{
	double		range = target->highest - target->lowest;
	double		lowest = target->paired ? -range : target->lowest;
	double		highest = target->paired ? range : target->highest;

	require(e->n >= 0);
	if (!e->has_value)
	{
		require(!e->has_se && !e->has_interval && !e->has_p);
		return;
	}
	require(isfinite(e->value) && e->value >= lowest - 1e-9 && e->value <= highest + 1e-9);
	if (e->has_se)
		require(isfinite(e->se) && e->se >= 0.0);
	if (e->has_interval)
		require(isfinite(e->lo) && isfinite(e->hi) && e->lo <= e->value + 1e-9 && e->value <= e->hi + 1e-9);
	if (e->has_p)
		require(e->p >= 0.0 && e->p <= 1.0);
	if (is_same)
		require(e->value == 0.0 && (!e->has_se || (e->se < 1e-9 && e->p == 1.0)));
}

/* Orders cells by bucket. */
static int
by_bucket(const void *left, const void *right)
{
	const FbLabelCell *a = left;
	const FbLabelCell *b = right;

	return a->bucket < b->bucket ? -1 : a->bucket > b->bucket;
}

/* Estimates a label metric. */
static void
run_labels(const FbMetricInfo *info, FbMetricOptions *options, const uint8_t *bytes, const uint8_t *rows, size_t count)
{
	static const uint32_t order[] = {3, 0, 5, 1, 4, 2};
	static const bool given[] = {true, false, true, true, false, true};
	FbLabelCell cells[ROWS];
	void	   *memory[2];

	options->label.order = order;
	options->label.given = given;
	options->label.pos = bytes[0] % LABELS;
	options->label.beta = 0.25 + bytes[1] / 64.0;
	options->label.set = bytes[2] % 3;
	options->label.zero_division = bytes[2] / 4 % 3;
	options->label.weights = bytes[2] / 16 % 3;
	options->label.adjusted = bytes[2] & 128;
	for (int s = 0; s < 2; s++)
		memory[s] = fuzz_allocate(&work, fb_label_table_size(LABELS));
	for (size_t i = 0; i < count; i++)
		cells[i] = (FbLabelCell) {rows[4 * i] % FB_BUCKETS, rows[4 * i + 1] % LABELS,
		{rows[4 * i + 2] % (LABELS + 1), rows[4 * i + 3] % (LABELS + 1)}, 1 + rows[4 * i] / FB_BUCKETS};
	qsort(cells, count, sizeof(FbLabelCell), by_bucket);
	for (int variant = 0; variant < 6; variant++)
	{
		FbTarget	target = fb_metric_target(info, options, variant >= 2);
		FbLabelTable tables[2];
		FbEstimate	result;

		if (variant == 4)
			for (size_t i = 0; i < count; i++)
				cells[i].pred[1] = cells[i].pred[0];
		for (int s = 0; s < 2; s++)
			fb_label_table_init(&tables[s], &options->label, LABELS, memory[s]);
		fb_label_estimate(&target, tables, cells, count, variant % 2 == 1, NULL, &result);
		check(&target, &result, variant >= 4 && result.has_value);
	}
}

/* Estimates a metric that sorts. */
static void
run_scored(const FbMetricInfo *info, FbMetricOptions *options, const uint8_t *bytes, const uint8_t *rows, size_t count)
{
	FbScoredRow scored[ROWS];
	FbEstimate	forward;
	FbEstimate	backward;

	options->scored.bins = 1 + bytes[0] % 40;
	options->scored.norm = bytes[1] % 3;
	options->scored.equal_mass = bytes[1] & 4;
	for (int variant = 0; variant < 4; variant++)
	{
		FbTarget	target = fb_metric_target(info, options, variant >= 2);

		for (int turn = 0; turn < 2; turn++)
		{
			memset(scored, 0, sizeof(scored));
			for (size_t i = 0; i < count; i++)
			{
				const uint8_t *row = &rows[4 * (turn == 0 ? i : count - 1 - i)];

				scored[i].bucket = row[0] % FB_BUCKETS;
				scored[i].outcome = row[1] % 2;
				scored[i].scores[0] = row[2] / 255.0;
				scored[i].scores[1] = row[3] / 255.0;
				if (info->id != FB_METRIC_ECE && row[2] == 255)
					scored[i].scores[0] = INFINITY;
				if (variant < 2)
					scored[i].scores[1] = 0.0;
			}
			fb_scored_estimate(&work, &target, &options->scored, scored, count, variant % 2 == 1,
							   turn == 0 ? &forward : &backward);
		}
		check(&target, &forward, false);
		require(forward.has_value == backward.has_value && forward.has_se == backward.has_se);
		require(!forward.has_se || fabs(forward.se - backward.se) <= 1e-9);
		require(!forward.has_value || fabs(forward.value - backward.value) <= 1e-9);
	}
}

/* Estimates a metric of sums. */
static void
run_sums(const FbMetricInfo *info, FbMetricOptions *options, const uint8_t *rows, size_t count)
{
	double		buckets[FB_BUCKETS][4];
	const double *pointers[FB_BUCKETS];
	int64_t		bucket_rows[FB_BUCKETS] = {0};

	if (fb_metric_statistics(info, options) != 2)
		return;
	for (int variant = 0; variant < 2; variant++)
	{
		FbTarget	target = fb_metric_target(info, options, variant == 1);
		double		sums[4] = {0};
		double		products[10] = {0};
		double		values[ROWS][4];
		FbEstimate	result;

		memset(buckets, 0, sizeof(buckets));
		memset(bucket_rows, 0, sizeof(bucket_rows));
		for (size_t i = 0; i < count; i++)
		{
			int			b = rows[4 * i] % FB_BUCKETS;
			double		sign = info->input == FB_INPUT_TOTAL ? -0.01 : 1.0;

			values[i][0] = sign * rows[4 * i + 1];
			values[i][1] = values[i][3] = rows[4 * i + 2];
			values[i][2] = sign * rows[4 * i + 3];
			bucket_rows[b]++;
			for (int k = 0; k < 4; k++)
			{
				buckets[b][k] += values[i][k];
				sums[k] += values[i][k];
			}
		}
		for (size_t i = 0; i < count; i++)
			for (int j = 0, p = 0; j < 4; j++)
				for (int k = 0; k <= j; k++, p++)
					products[p] += (values[i][j] - sums[j] / (double) count) * (values[i][k] - sums[k] / (double) count);
		for (int b = 0; b < FB_BUCKETS; b++)
			pointers[b] = buckets[b];
		fb_sums_estimate_buckets(&target, info, options, bucket_rows, pointers, &result);
		check(&target, &result, false);
		fb_sums_estimate_rows(&target, info, options, (int64_t) count, sums, products, &result);
		check(&target, &result, false);
	}
}

/* Estimates means, shares and passes. */
static void
run_units(const FbMetricInfo *info, FbMetricOptions *options, const uint8_t *bytes, const uint8_t *rows, size_t count)
{
	FbUnit		units[ROWS];
	FbEstimate	result;

	for (int variant = 0; variant < 2; variant++)
	{
		FbTarget	target = fb_metric_target(info, options, variant == 1);

		for (size_t i = 0; i < count; i++)
		{
			units[i].rows = 1 + rows[4 * i] % 8;
			for (int s = 0; s < 2; s++)
				units[i].sums[s] = rows[4 * i + 1 + (size_t) s] % (units[i].rows + 1);
		}
		if (info->family == FB_FAMILY_PASS)
			fb_estimate_pass(&target, 1 + bytes[0] % 10, info->id == FB_METRIC_PASS_POW_K, units, count, &result);
		else
			fb_estimate_units(&target, units, count, &result);
		check(&target, &result, false);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const FbMetricInfo *list;
	const FbMetricInfo *info;
	FbMetricOptions options;
	size_t		metrics;
	size_t		count;

	if (size < 5)
		return 0;
	list = fb_metric_list(&metrics);
	info = &list[data[0] % metrics];
	fb_metric_defaults(info, &options);
	options.level = 0.5 + data[1] / 600.0;
	count = (size - 5) / 4 < ROWS ? (size - 5) / 4 : ROWS;
	switch (info->family)
	{
		case FB_FAMILY_CELLS:
			run_labels(info, &options, data + 2, data + 5, count);
			break;
		case FB_FAMILY_SCORED:
			run_scored(info, &options, data + 2, data + 5, count);
			break;
		case FB_FAMILY_SUMS:
			run_sums(info, &options, data + 5, count);
			break;
		default:
			run_units(info, &options, data + 2, data + 5, count);
			break;
	}
	while (piece_count > 0)
		free(pieces[--piece_count]);
	return 0;
}
