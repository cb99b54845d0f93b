/*
 * fb_bleu.c
 *		BLEU: Papineni et al. (2002), BLEU: a method for automatic evaluation of
 *		machine translation, ACL; smoothing by Chen and Cherry (2014), WMT.
 */
#include "core/fb_bleu.h"

#include <math.h>
#include <stdlib.h>

#include "core/fb_ngram.h"

/*
 * Counts one hypothesis against its references. The reference length is that
 * of the closest reference, the shorter one of two as close.
 */
void
fb_bleu_statistics(FbWork *work, const FbBleuOptions *options, FbCodes pred,
				   const FbCodes *refs, size_t count, double *statistics)
{
	FbSlices   *slices = fb_work_array(work, FbSlices, count + 1);
	FbTokens   *tokens = fb_work_array(work, FbTokens, count + 1);
	int64_t		matches[FB_BLEU_MAX_ORDER];
	int64_t		reference_length = -1;
	int64_t		nearest = 0;
	size_t		total = 0;
	FbInterner	interner;

	for (size_t i = 0; i <= count; i++)
	{
		FbCodes		text = i == 0 ? pred : refs[i - 1];

		if (options->lowercase)
			text = fb_text_lower(work, text);
		slices[i] = fb_tokenize(work, options->tokenizer, text);
		total += slices[i].count;
	}
	fb_interner_begin(&interner, work, total);
	for (size_t i = 0; i <= count; i++)
	{
		tokens[i] = fb_intern(&interner, slices[i]);
		if (i > 0)
		{
			int64_t		length = (int64_t) tokens[i].count;
			int64_t		distance = llabs(length - (int64_t) tokens[0].count);

			if (reference_length < 0 || distance < nearest ||
				(distance == nearest && length < reference_length))
			{
				nearest = distance;
				reference_length = length;
			}
		}
	}
	fb_ngram_matches(work, tokens[0], &tokens[1], count, options->max_order, NULL, matches);
	statistics[0] = (double) tokens[0].count;
	statistics[1] = reference_length > 0 ? (double) reference_length : 0.0;
	for (int i = 0; i < options->max_order; i++)
	{
		statistics[2 + i] = (double) matches[i];
		statistics[2 + options->max_order + i] = (double) fb_ngram_total(tokens[0].count, i + 1);
	}
}

/* Computes BLEU, 0 to 100, from summed statistics. */
double
fb_bleu_score(const FbBleuOptions *options, const double *statistics)
{
	double		length = statistics[0];
	double		reference_length = statistics[1];
	double		halving = 1.0;
	double		sum = 0.0;
	double		penalty = 0.0;
	int			order = options->max_order;
	int			counted = 0;
	bool		any = false;

	for (int i = 0; i < options->max_order; i++)
		any = any || statistics[2 + i] > 0.0;
	if (!any || length <= 0.0)
		return 0.0;
	if (length < reference_length)
		penalty = 1.0 - reference_length / length;

	for (int i = 0; i < options->max_order; i++)
	{
		double		hits = statistics[2 + i];
		double		grams = statistics[2 + options->max_order + i];
		double		precision = 0.0;

		if (options->smoothing == FB_SMOOTH_ADD_K && i > 0)
		{
			hits += options->smooth_value;
			grams += options->smooth_value;
		}
		if (grams <= 0.0)
			break;
		if (options->effective_order)
			order = i + 1;
		if (hits > 0.0)
			precision = hits / grams;
		else if (options->smoothing == FB_SMOOTH_EXP)
		{
			halving *= 2.0;
			precision = 1.0 / (halving * grams);
		}
		else if (options->smoothing == FB_SMOOTH_FLOOR)
			precision = options->smooth_value / grams;
		if (precision <= 0.0)
			return 0.0;
		sum += log(precision);
		counted++;
	}
	/* An order without n-grams has precision 0. */
	return counted < order ? 0.0 : 100.0 * exp(penalty + sum / order);
}
