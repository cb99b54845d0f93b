/*
 * fb_casefold.h
 *		Case folding that depends on no locale.
 */
#ifndef FB_CASEFOLD_H
#define FB_CASEFOLD_H

#include "core/fb_value.h"

#define FB_FOLDED_BUFFER	256

/* Folded text of length bytes needs at most this memory. */
#define FB_FOLDED_SIZE(length)	((size_t) (length) + (length) / 2 + 1)

/* An attribute's text without case, for as long as a test runs. */
typedef struct FbFolded
{
	FbString	text;
	char	   *allocated;		/* NULL: none */
	char		buffer[FB_FOLDED_BUFFER];
} FbFolded;

extern uint32_t fb_casefold(FbString text, char *folded);
extern bool fb_fold_begin(const FbContext *context, FbString string, FbFolded *folded);
extern void fb_fold_end(const FbContext *context, FbFolded *folded);

#endif							/* FB_CASEFOLD_H */
