/*
 * fb_answer.h
 *		Scores of short answers: exact match, SQuAD, error rates, similarity.
 */
#ifndef FB_ANSWER_H
#define FB_ANSWER_H

#include "core/fb_rouge.h"

/* What exact match disregards. */
typedef struct FbMatchOptions
{
	bool		ignore_case;
	bool		ignore_punctuation; /* the marks of ASCII */
	bool		ignore_numbers; /* the digits of ASCII */
} FbMatchOptions;

extern bool fb_codes_equal(FbCodes a, FbCodes b);
extern FbCodes fb_match_normalize(FbWork *work, const FbMatchOptions *options, FbCodes text);
extern FbSlices fb_squad_tokens(FbWork *work, FbCodes text);
extern bool fb_squad_match(FbWork *work, FbCodes pred, FbCodes ref);
extern FbOverlap fb_squad_overlap(FbWork *work, FbCodes pred, FbCodes ref, bool empty_is_right);
extern int64_t fb_word_errors(FbWork *work, FbCodes pred, FbCodes ref, int64_t *words);
extern int64_t fb_character_errors(FbWork *work, FbCodes pred, FbCodes ref, bool collapse, int64_t *characters);
extern double fb_levenshtein_similarity(FbWork *work, FbCodes a, FbCodes b);
extern double fb_error_rate(double errors, double length);

#endif							/* FB_ANSWER_H */
