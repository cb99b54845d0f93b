/*
 * fb_text.h
 *		Text as characters, and its division into tokens.
 */
#ifndef FB_TEXT_H
#define FB_TEXT_H

#include "core/fb_unicode.h"

/*
 * What a text metric works with. Memory belongs to the caller, who takes all
 * of it back at once; allocate never returns NULL. Both may leave by a long
 * jump. poll is called at least once for every FB_POLL_STEPS steps.
 */
typedef struct FbWork
{
	void	   *(*allocate) (struct FbWork *work, size_t size);
	void		(*poll) (struct FbWork *work);
} FbWork;

#define FB_POLL_STEPS	(1 << 20)

typedef struct FbCodes
{
	uint32_t   *codes;
	size_t		count;
} FbCodes;

/* A piece of text. */
typedef struct FbSlice
{
	const uint32_t *codes;
	size_t		count;
} FbSlice;

typedef struct FbSlices
{
	FbSlice    *items;
	size_t		count;
} FbSlices;

/* Tokens as numbers: equal tokens have equal numbers. */
typedef struct FbTokens
{
	uint32_t   *ids;
	size_t		count;
} FbTokens;

/* Numbers tokens from 0 in the order of their first occurrence. */
typedef struct FbInterner
{
	FbWork	   *work;
	FbSlice    *slices;			/* by number */
	uint32_t   *hashes;
	uint32_t   *table;			/* number + 1; 0: free */
	uint32_t	count;
	uint32_t	size;			/* of the table, a power of two */
} FbInterner;

extern FbCodes fb_text_decode(FbWork *work, const char *data, size_t length);
extern FbCodes fb_text_lower(FbWork *work, FbCodes text);
extern FbCodes fb_text_strip(FbCodes text);
extern FbCodes fb_text_collapse(FbWork *work, FbCodes text);
extern FbCodes fb_text_without_space(FbWork *work, FbCodes text);
extern FbSlices fb_text_split(FbWork *work, FbCodes text);
extern void fb_interner_begin(FbInterner *interner, FbWork *work, size_t tokens);
extern FbTokens fb_intern(FbInterner *interner, FbSlices slices);

/* Allocates an array. */
#define fb_work_array(work, type, count) \
	((type *) (work)->allocate(work, sizeof(type) * ((count) + 1)))

#endif							/* FB_TEXT_H */
