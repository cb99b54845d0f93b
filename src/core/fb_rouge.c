/*
 * fb_rouge.c
 *		ROUGE: Lin (2004), ROUGE: a package for automatic evaluation of
 *		summaries, ACL workshop; without stemming, as Google's rouge_score has
 *		it by default.
 */
#include "core/fb_rouge.h"

#include "core/fb_edit.h"
#include "core/fb_ngram.h"

/* Computes precision, recall and their harmonic mean; without hits all are 0. */
FbOverlap
fb_overlap(int64_t hits, int64_t in_pred, int64_t in_ref)
{
	FbOverlap	result = {0.0, 0.0, 0.0};

	if (hits > 0)
	{
		result.precision = (double) hits / (double) in_pred;
		result.recall = (double) hits / (double) in_ref;
		result.f1 = 2.0 * result.precision * result.recall / (result.precision + result.recall);
	}
	return result;
}

/* Compares two texts by their n-grams of an order, or by their longest common subsequence. */
FbOverlap
fb_rouge(FbWork *work, int order, bool ascii, FbCodes pred, FbCodes ref)
{
	FbSlices	pred_slices = fb_tokenize_letters(work, pred, ascii);
	FbSlices	ref_slices = fb_tokenize_letters(work, ref, ascii);
	FbTokens	pred_tokens;
	FbTokens	ref_tokens;
	FbInterner	interner;
	int64_t		hits[2];

	fb_interner_begin(&interner, work, pred_slices.count + ref_slices.count);
	pred_tokens = fb_intern(&interner, pred_slices);
	ref_tokens = fb_intern(&interner, ref_slices);
	if (order == FB_ROUGE_L)
		return fb_overlap(fb_common_subsequence(work, pred_tokens, ref_tokens),
						  (int64_t) pred_tokens.count, (int64_t) ref_tokens.count);
	fb_ngram_matches(work, pred_tokens, &ref_tokens, 1, order, hits, NULL);
	return fb_overlap(hits[order - 1], fb_ngram_total(pred_tokens.count, order),
					  fb_ngram_total(ref_tokens.count, order));
}
