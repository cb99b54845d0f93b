/*
 * fuzz_text_metrics.c
 *		Tokenisers and text metrics on arbitrary bytes.
 *
 * The input chooses a metric and its options and gives a text and up to three
 * references. Scores stay in their range, a text equals itself, distances are
 * symmetric and those of the matrix, and deleted matches leave a subsequence.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_edit.h"
#include "core/fb_metric.h"
#include "core/fb_regex.h"

#define PIECES 4096
#define TEXTS 4

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *pieces[PIECES];
static int	piece_count;

/* Gives memory of exactly the size that was asked for. */
static void *
fuzz_allocate(FbWork *work, size_t size)
{
	void	   *piece = malloc(size);

	if (piece == NULL || piece_count == PIECES)
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

/* Computes the distance by the matrix. */
static int64_t
matrix_distance(FbTokens a, FbTokens b)
{
	int64_t    *row = fb_work_array(&work, int64_t, b.count + 1);

	for (size_t j = 0; j <= b.count; j++)
		row[j] = (int64_t) j;
	for (size_t i = 1; i <= a.count; i++)
	{
		int64_t		diagonal = row[0];

		row[0] = (int64_t) i;
		for (size_t j = 1; j <= b.count; j++)
		{
			int64_t		best = diagonal + (a.ids[i - 1] != b.ids[j - 1]);

			best = row[j] + 1 < best ? row[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b.count];
}

/* Checks distances between two texts. */
static void
check_distance(FbCodes a, FbCodes b)
{
	FbTokens	x = {a.codes, a.count};
	FbTokens	y = {b.codes, b.count};
	int64_t		distance = fb_edit_distance(&work, x, y);
	int64_t		common = fb_common_subsequence(&work, x, y);

	require(distance == fb_edit_distance(&work, y, x) && common == fb_common_subsequence(&work, y, x));
	require(common >= 0 && common <= (int64_t) (a.count < b.count ? a.count : b.count));
	/* insertions and deletions alone, or one for each substitution */
	require(distance <= (int64_t) (a.count + b.count) - 2 * common);
	require(distance >= (int64_t) (a.count > b.count ? a.count : b.count) - common);
	if (a.count * b.count < 40000)
		require(distance == matrix_distance(x, y));
}

/* Deletes the matches of a pattern, and checks that what is left is a subsequence. */
static void
check_delete(const char *pattern, size_t pattern_length, const char *text, size_t length)
{
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32_t	offset;
	uint32_t	left = 0;
	size_t		at = 0;
	char	   *result = malloc(length + 1);
	FbRegex    *regex = fb_regex_compile((FbString) {pattern, (uint32_t) pattern_length}, 0, message, &offset);

	if (regex != NULL &&
		fb_regex_delete(regex, (FbString) {text, (uint32_t) length}, result, &left, NULL, NULL) == FB_REGEX_MATCH)
	{
		require(left <= length);
		for (uint32_t i = 0; i < left; i++)
		{
			while (at < length && text[at] != result[i])
				at++;
			require(at < length);
			at++;
		}
	}
	fb_regex_free(regex);
	free(result);
}

/* Takes options from bytes. */
static void
choose(const uint8_t *bytes, FbMetricOptions *options)
{
	options->bleu.tokenizer = bytes[0] % 4;
	options->bleu.smoothing = bytes[0] / 4 % 4;
	options->bleu.smooth_value = bytes[1] / (options->bleu.smoothing == FB_SMOOTH_FLOOR ? 255.0 : 64.0);
	options->bleu.effective_order = bytes[0] & 16;
	options->bleu.lowercase = options->chrf.lowercase = bytes[0] & 32;
	options->bleu.max_order = 1 + bytes[1] % FB_BLEU_MAX_ORDER;
	options->chrf.char_order = 1 + bytes[2] % FB_CHRF_MAX_CHAR_ORDER;
	options->chrf.word_order = bytes[2] / 16 % (FB_CHRF_MAX_WORD_ORDER + 1);
	options->chrf.beta = 1.0 + bytes[1] % 3;
	options->chrf.whitespace = bytes[0] & 64;
	options->chrf.eps_smoothing = bytes[0] & 128;
	options->ascii = bytes[3] & 1;
	options->rouge_score = bytes[3] / 2 % 3;
	options->empty_is_right = bytes[3] & 8;
	options->collapse = bytes[3] & 16;
	options->match = (FbMatchOptions) {bytes[3] & 32, bytes[3] & 64, bytes[3] & 128};
}

/* Evaluates a row. */
static double
evaluate(const FbMetricInfo *info, const FbMetricOptions *options, const FbCodes *pred, const FbCodes *refs, size_t count)
{
	double		statistics[FB_MAX_STATISTICS];
	double		value = NAN;

	fb_metric_text_row(&work, info, options, pred, refs, count, statistics);
	if (info->family == FB_FAMILY_MEAN)
		value = statistics[0];
	else
		require(fb_metric_value(info, options, statistics, &value));
	require(value >= info->lowest && value <= info->highest * (1.0 + 1e-12));
	return value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const FbMetricInfo *list;
	const FbMetricInfo *info;
	FbMetricOptions options;
	FbCodes		texts[TEXTS];
	const char *raw[TEXTS];
	size_t		lengths[TEXTS];
	size_t		count;
	size_t		texts_count = 0;
	const uint8_t *at;
	const uint8_t *end = data + size;
	double		value;

	if (size < 6)
		return 0;
	list = fb_metric_list(&count);
	info = &list[data[0] % count];
	if (info->input != FB_INPUT_TEXTS)
		return 0;
	fb_metric_defaults(info, &options);
	choose(data + 1, &options);
	for (at = data + 5; texts_count < TEXTS; at++)
	{
		const uint8_t *stop = at < end ? memchr(at, 0xFF, (size_t) (end - at)) : NULL;

		if (stop == NULL)
			stop = end;
		raw[texts_count] = (const char *) at;
		lengths[texts_count] = (size_t) (stop - at);
		texts[texts_count] = fb_text_decode(&work, (const char *) at, (size_t) (stop - at));
		texts_count++;
		at = stop;
		if (at >= end)
			break;
	}

	if (texts_count > 1)
	{
		value = evaluate(info, &options, &texts[0], &texts[1], texts_count - 1);
		/* more references never make it worse, where the best one counts */
		if (info->id != FB_METRIC_BLEU)
			require(info->higher_is_better ? evaluate(info, &options, &texts[0], &texts[1], 1) <= value :
					evaluate(info, &options, &texts[0], &texts[1], 1) >= value);
		evaluate(info, &options, NULL, &texts[1], texts_count - 1);
		check_distance(texts[0], texts[1]);
		check_delete(raw[0], lengths[0] < 64 ? lengths[0] : 64, raw[1], lengths[1]);
	}
	value = evaluate(info, &options, &texts[0], &texts[0], 1);
	if (!info->higher_is_better)
		require(value == 0.0);
	else if (info->id == FB_METRIC_EXACT_MATCH || info->id == FB_METRIC_SQUAD_EM || info->id == FB_METRIC_LEVENSHTEIN_SIMILARITY)
		require(value == 1.0);
	else
		/* texts without tokens have nothing in common with anything */
		require(value == 0.0 || value >= info->highest * (1.0 - 1e-9) || info->id == FB_METRIC_BLEU || options.chrf.eps_smoothing);
	while (piece_count > 0)
		free(pieces[--piece_count]);
	return 0;
}
