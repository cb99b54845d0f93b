/*
 * fb_answer.c
 *		Scores of short answers.
 */
#include "core/fb_answer.h"

#include <string.h>

#include "core/fb_edit.h"
#include "core/fb_ngram.h"

/* Tells whether two texts are the same characters. */
bool
fb_codes_equal(FbCodes a, FbCodes b)
{
	return a.count == b.count && memcmp(a.codes, b.codes, sizeof(uint32_t) * a.count) == 0;
}

/* Lowers and deletes what exact match disregards, in this order. */
FbCodes
fb_match_normalize(FbWork *work, const FbMatchOptions *options, FbCodes text)
{
	FbCodes		result = {fb_work_array(work, uint32_t, text.count), 0};

	if (options->ignore_case)
	{
		text = fb_text_lower(work, text);
		result.codes = fb_work_array(work, uint32_t, text.count);
	}
	for (size_t i = 0; i < text.count; i++)
	{
		uint32_t	code = text.codes[i];

		if (options->ignore_punctuation && fb_is_ascii_mark(code))
			continue;
		if (options->ignore_numbers && code >= '0' && code <= '9')
			continue;
		result.codes[result.count++] = code;
	}
	return result;
}

/* Tells whether a word of an answer is an article. */
static bool
is_article(const uint32_t *codes, size_t count)
{
	return (count == 1 && codes[0] == 'a') ||
		(count == 2 && codes[0] == 'a' && codes[1] == 'n') ||
		(count == 3 && codes[0] == 't' && codes[1] == 'h' && codes[2] == 'e');
}

/*
 * Normalises an answer: lower, delete the marks of ASCII, blank out the words
 * a, an and the, split (Rajpurkar et al. 2016, SQuAD, evaluation script). A
 * word of an article begins and ends where letters, numbers and the
 * underscore do.
 */
FbSlices
fb_squad_tokens(FbWork *work, FbCodes text)
{
	const FbMatchOptions options = {.ignore_case = true,.ignore_punctuation = true};
	FbCodes		normal = fb_match_normalize(work, &options, text);
	size_t		i = 0;

	work->poll(work);
	while (i < normal.count)
	{
		size_t		start = i;

		while (i < normal.count && fb_is_word(normal.codes[i]))
			i++;
		if (is_article(&normal.codes[start], i - start))
		{
			for (size_t j = start; j < i; j++)
				normal.codes[j] = ' ';
		}
		if (i == start)
			i++;
	}
	return fb_text_split(work, normal);
}

/* Tells whether two answers are the same after normalisation. */
bool
fb_squad_match(FbWork *work, FbCodes pred, FbCodes ref)
{
	FbSlices	a = fb_squad_tokens(work, pred);
	FbSlices	b = fb_squad_tokens(work, ref);

	if (a.count != b.count)
		return false;
	for (size_t i = 0; i < a.count; i++)
	{
		if (a.items[i].count != b.items[i].count ||
			memcmp(a.items[i].codes, b.items[i].codes, sizeof(uint32_t) * a.items[i].count) != 0)
			return false;
	}
	return true;
}

/* Compares the bags of words of two answers; two empty ones are right in version 2 of SQuAD, wrong in version 1. */
FbOverlap
fb_squad_overlap(FbWork *work, FbCodes pred, FbCodes ref, bool empty_is_right)
{
	FbSlices	a = fb_squad_tokens(work, pred);
	FbSlices	b = fb_squad_tokens(work, ref);
	FbTokens	pred_tokens;
	FbTokens	ref_tokens;
	FbInterner	interner;
	int64_t		hits;

	if (a.count == 0 && b.count == 0)
		return empty_is_right ? (FbOverlap) {1.0, 1.0, 1.0} : (FbOverlap) {0.0, 0.0, 0.0};
	fb_interner_begin(&interner, work, a.count + b.count);
	pred_tokens = fb_intern(&interner, a);
	ref_tokens = fb_intern(&interner, b);
	fb_ngram_matches(work, pred_tokens, &ref_tokens, 1, 1, &hits, NULL);
	return fb_overlap(hits, (int64_t) pred_tokens.count, (int64_t) ref_tokens.count);
}

/* Counts the edits between the words of two texts, and the words of the reference. */
int64_t
fb_word_errors(FbWork *work, FbCodes pred, FbCodes ref, int64_t *words)
{
	FbSlices	a = fb_text_split(work, pred);
	FbSlices	b = fb_text_split(work, ref);
	FbTokens	pred_tokens;
	FbTokens	ref_tokens;
	FbInterner	interner;

	fb_interner_begin(&interner, work, a.count + b.count);
	pred_tokens = fb_intern(&interner, a);
	ref_tokens = fb_intern(&interner, b);
	*words = (int64_t) ref_tokens.count;
	return fb_edit_distance(work, pred_tokens, ref_tokens);
}

/* Counts the edits between the characters of two texts without the white space at their ends. */
int64_t
fb_character_errors(FbWork *work, FbCodes pred, FbCodes ref, bool collapse, int64_t *characters)
{
	pred = collapse ? fb_text_collapse(work, pred) : fb_text_strip(pred);
	ref = collapse ? fb_text_collapse(work, ref) : fb_text_strip(ref);
	*characters = (int64_t) ref.count;
	return fb_edit_distance(work, (FbTokens) {pred.codes, pred.count}, (FbTokens) {ref.codes, ref.count});
}

/* Computes 1 - distance / length of the longer text; two empty texts are the same. */
double
fb_levenshtein_similarity(FbWork *work, FbCodes a, FbCodes b)
{
	size_t		longest = a.count > b.count ? a.count : b.count;
	int64_t		distance = fb_edit_distance(work, (FbTokens) {a.codes, a.count}, (FbTokens) {b.codes, b.count});

	return longest == 0 ? 1.0 : 1.0 - (double) distance / (double) longest;
}

/* Divides errors by the length of the references; without a length every error counts whole. */
double
fb_error_rate(double errors, double length)
{
	return length > 0.0 ? errors / length : errors;
}
