/*
 * fb_tokenize.h
 *		The tokenisers of machine translation and summarisation.
 */
#ifndef FB_TOKENIZE_H
#define FB_TOKENIZE_H

#include "core/fb_text.h"

typedef enum FbTokenizer
{
	FB_TOKENIZE_13A,			/* mteval-v13a.pl, as sacreBLEU has it */
	FB_TOKENIZE_NONE,			/* split at white space */
	FB_TOKENIZE_CHAR,			/* every character but white space */
	FB_TOKENIZE_INTL			/* mteval-v14.pl: punctuation and symbols of Unicode */
} FbTokenizer;

extern FbSlices fb_tokenize(FbWork *work, FbTokenizer tokenizer, FbCodes text);
extern FbSlices fb_tokenize_letters(FbWork *work, FbCodes text, bool ascii);

#endif							/* FB_TOKENIZE_H */
