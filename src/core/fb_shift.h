/*
 * fb_shift.h
 *		The estimate of a shift from all pairs of values.
 */
#ifndef FB_SHIFT_H
#define FB_SHIFT_H

#include <stddef.h>

#include "core/fb_rank.h"

/* The sums or differences of pairs, in order. */
typedef struct FbPairs
{
	const double *c;
	size_t		n_c;
	const double *t;			/* NULL for sums of c with itself */
	size_t		n_t;
	void		(*check) (void);
	double	   *room;			/* for room_size pairs, or NULL */
	size_t		room_size;
} FbPairs;

extern void fb_shift(const FbPairs *pairs, double total, double rank, double scale, FbAlternative alternative,
					 FbRankResult *result);

#endif							/* FB_SHIFT_H */
