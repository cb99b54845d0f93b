/*
 * fb_ngram.h
 *		Counting the n-grams that texts share.
 */
#ifndef FB_NGRAM_H
#define FB_NGRAM_H

#include "core/fb_text.h"

extern void fb_ngram_matches(FbWork *work, FbTokens text, const FbTokens *others, size_t count, int orders,
							 int64_t *each, int64_t *best);

/* Returns the number of n-grams of a text. */
static inline int64_t
fb_ngram_total(size_t count, int order)
{
	return count >= (size_t) order ? (int64_t) count - order + 1 : 0;
}

#endif							/* FB_NGRAM_H */
