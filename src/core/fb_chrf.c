/*
 * fb_chrf.c
 *		chrF: Popovic (2015), chrF: character n-gram F-score for automatic MT
 *		evaluation, WMT; chrF++: Popovic (2017), chrF++: words helping character
 *		n-grams, WMT.
 */
#include "core/fb_chrf.h"

#include <string.h>

#include "core/fb_ngram.h"

/*
 * Splits text into words and sets one mark of ASCII apart: that at the end of
 * a word, or else that at its start.
 */
static FbSlices
split_marks(FbWork *work, FbCodes text)
{
	FbSlices	words = fb_text_split(work, text);
	FbSlices	result = {fb_work_array(work, FbSlice, 2 * words.count), 0};

	for (size_t i = 0; i < words.count; i++)
	{
		FbSlice		word = words.items[i];

		if (word.count > 1 && fb_is_ascii_mark(word.codes[word.count - 1]))
		{
			result.items[result.count++] = (FbSlice) {word.codes, word.count - 1};
			result.items[result.count++] = (FbSlice) {word.codes + word.count - 1, 1};
		}
		else if (word.count > 1 && fb_is_ascii_mark(word.codes[0]))
		{
			result.items[result.count++] = (FbSlice) {word.codes, 1};
			result.items[result.count++] = (FbSlice) {word.codes + 1, word.count - 1};
		}
		else
			result.items[result.count++] = word;
	}
	return result;
}

/* Counts one hypothesis against that of its references which gives the best score. */
void
fb_chrf_statistics(FbWork *work, const FbChrfOptions *options, FbCodes pred,
				   const FbCodes *refs, size_t count, double *statistics)
{
	int			orders = options->char_order + options->word_order;
	FbTokens   *chars = fb_work_array(work, FbTokens, count + 1);
	FbTokens   *words = fb_work_array(work, FbTokens, count + 1);
	FbSlices   *slices = fb_work_array(work, FbSlices, count + 1);
	int64_t    *char_hits = fb_work_array(work, int64_t, count * (size_t) options->char_order);
	int64_t    *word_hits = fb_work_array(work, int64_t, count * (size_t) options->word_order);
	size_t		total = 0;
	double		best = -1.0;

	memset(statistics, 0, sizeof(double) * (size_t) FB_CHRF_STATISTICS(orders));
	for (size_t i = 0; i <= count; i++)
	{
		FbCodes		text = i == 0 ? pred : refs[i - 1];
		FbCodes		dense;

		if (options->lowercase)
			text = fb_text_lower(work, text);
		dense = options->whitespace ? text : fb_text_without_space(work, text);
		chars[i] = (FbTokens) {dense.codes, dense.count};
		if (options->word_order > 0)
		{
			slices[i] = split_marks(work, text);
			total += slices[i].count;
		}
	}
	if (options->word_order > 0)
	{
		FbInterner	interner;

		fb_interner_begin(&interner, work, total);
		for (size_t i = 0; i <= count; i++)
			words[i] = fb_intern(&interner, slices[i]);
		fb_ngram_matches(work, words[0], &words[1], count, options->word_order, word_hits, NULL);
	}
	fb_ngram_matches(work, chars[0], &chars[1], count, options->char_order, char_hits, NULL);

	for (size_t i = 0; i < count; i++)
	{
		double		candidate[FB_CHRF_STATISTICS(FB_CHRF_MAX_CHAR_ORDER + FB_CHRF_MAX_WORD_ORDER)];
		double		score;

		for (int k = 0; k < orders; k++)
		{
			bool		is_char = k < options->char_order;
			int			order = is_char ? k + 1 : k - options->char_order + 1;
			const FbTokens *tokens = is_char ? chars : words;
			int64_t		in_ref = fb_ngram_total(tokens[i + 1].count, order);

			/* Orders that the reference lacks do not count against the hypothesis. */
			candidate[3 * k] = in_ref > 0 ? (double) fb_ngram_total(tokens[0].count, order) : 0.0;
			candidate[3 * k + 1] = (double) in_ref;
			candidate[3 * k + 2] = (double) (is_char ?
											 char_hits[i * (size_t) options->char_order + (size_t) order - 1] :
											 word_hits[i * (size_t) options->word_order + (size_t) order - 1]);
		}
		score = fb_chrf_score(options, candidate);
		if (score > best)
		{
			best = score;
			memcpy(statistics, candidate, sizeof(double) * (size_t) FB_CHRF_STATISTICS(orders));
		}
	}
}

/* Computes chrF, 0 to 100, from summed statistics. */
double
fb_chrf_score(const FbChrfOptions *options, const double *statistics)
{
	const double eps = 1e-16;
	double		factor = options->beta * options->beta;
	int			orders = options->char_order + options->word_order;
	int			effective = 0;
	double		mean_precision = 0.0;
	double		mean_recall = 0.0;
	double		score = 0.0;

	for (int i = 0; i < orders; i++)
	{
		double		in_pred = statistics[3 * i];
		double		in_ref = statistics[3 * i + 1];
		double		hits = statistics[3 * i + 2];
		double		precision = in_pred > 0.0 ? hits / in_pred : eps;
		double		recall = in_ref > 0.0 ? hits / in_ref : eps;
		double		denominator = factor * precision + recall;

		score += denominator > 0.0 ? (1.0 + factor) * precision * recall / denominator : eps;
		if (in_pred > 0.0 && in_ref > 0.0)
		{
			mean_precision += precision;
			mean_recall += recall;
			effective++;
		}
	}
	if (options->eps_smoothing)
		return 100.0 * score / orders;
	if (effective == 0 || mean_precision + mean_recall <= 0.0)
		return 0.0;
	mean_precision /= effective;
	mean_recall /= effective;
	return 100.0 * (1.0 + factor) * mean_precision * mean_recall / (factor * mean_precision + mean_recall);
}
