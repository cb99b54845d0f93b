/*
 * fb_set.h
 *		An immutable set of strings in one piece of memory.
 */
#ifndef FB_SET_H
#define FB_SET_H

#include <stddef.h>

#include "core/fb_evaluate.h"

/* A set of count strings has at most so many slots. */
#define FB_SET_SLOTS(count)		((count) * 8 / 3 + 4)

/*
 * Open addressing.  A probe reads one byte of tags; offsets and bytes are
 * touched only where the tag agrees.  An entry is its length (seven bits a
 * byte, lowest first) followed by the string.
 */
typedef struct FbSet
{
	uint32_t	count;
	uint32_t	mask;			/* number of slots - 1 */
	uint8_t    *tags;			/* 0: empty */
	uint32_t   *offsets;
	char	   *bytes;
	uint32_t	used;			/* bytes in use */
} FbSet;

extern size_t fb_set_size(uint32_t count, size_t total_length);
extern void fb_set_init(FbSet *set, void *memory, uint32_t count);
extern bool fb_set_add(FbSet *set, FbString string);
extern bool fb_set_has(const FbSet *set, FbString string);
extern bool fb_set_slot(const FbSet *set, FbString string, uint32_t *slot);

#endif							/* FB_SET_H */
