/*
 * fb_edit.c
 *		Levenshtein's distance and the longest common subsequence, 64 cells of
 *		the matrix at a time.
 *
 * Both take the shorter sequence in blocks of 64 elements and run along the
 * longer one with each; between blocks they keep what crosses the border, so
 * that memory is linear. The distance takes O(d n / 64) steps for a distance
 * of d, the subsequence O(m n / 64).
 */
#include "core/fb_edit.h"

#include <string.h>

#define WORD 64
#define DIRECT 256
#define HASHED 256				/* at most 64 of them are taken */

/* Where each element stands in a block, as a bit mask. */
typedef struct Masks
{
	uint64_t	direct[DIRECT];
	uint32_t	keys[HASHED];
	uint64_t	hashed[HASHED];	/* 0: free */
} Masks;

/* Returns the place of a large element. */
static inline size_t
mask_place(const Masks *masks, uint32_t element)
{
	size_t		place = (element * UINT32_C(0x9E3779B1)) >> 24;

	while (masks->hashed[place] != 0 && masks->keys[place] != element)
		place = (place + 1) % HASHED;
	return place;
}

/* Returns the mask of an element. */
static inline uint64_t
mask_of(const Masks *masks, uint32_t element)
{
	return element < DIRECT ? masks->direct[element] : masks->hashed[mask_place(masks, element)];
}

/* Enters the elements of a block. */
static void
masks_set(Masks *masks, const uint32_t *elements, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		if (elements[i] < DIRECT)
			masks->direct[elements[i]] |= UINT64_C(1) << i;
		else
		{
			size_t		place = mask_place(masks, elements[i]);

			masks->keys[place] = elements[i];
			masks->hashed[place] |= UINT64_C(1) << i;
		}
	}
}

/* Takes them out again. */
static void
masks_clear(Masks *masks, const uint32_t *elements, size_t count)
{
	bool		any = false;

	for (size_t i = 0; i < count; i++)
	{
		if (elements[i] < DIRECT)
			masks->direct[elements[i]] = 0;
		else
			any = true;
	}
	if (any)
		memset(masks->hashed, 0, sizeof(masks->hashed));
}

/* Makes empty masks. */
static Masks *
masks_new(FbWork *work)
{
	Masks	   *masks = work->allocate(work, sizeof(Masks));

	/* keys need no value where nothing is hashed */
	memset(masks->direct, 0, sizeof(masks->direct));
	memset(masks->hashed, 0, sizeof(masks->hashed));
	return masks;
}

/* Drops what both sequences begin and end with. */
static void
trim(FbTokens *a, FbTokens *b)
{
	while (a->count > 0 && b->count > 0 && a->ids[0] == b->ids[0])
	{
		a->ids++;
		b->ids++;
		a->count--;
		b->count--;
	}
	while (a->count > 0 && b->count > 0 && a->ids[a->count - 1] == b->ids[b->count - 1])
	{
		a->count--;
		b->count--;
	}
}

/* Makes a the shorter one. */
static void
order(FbTokens *a, FbTokens *b)
{
	if (a->count > b->count)
	{
		FbTokens	swap = *a;

		*a = *b;
		*b = swap;
	}
}

/*
 * Computes the distance along paths that stay within band of the diagonal:
 * Myers (1999), A fast bit-vector algorithm for approximate string matching,
 * JACM 46, in blocks (Hyyro 2003, A bit-vector algorithm for computing
 * Levenshtein and Damerau edit distances, Nordic J. Computing 10). Beyond the
 * band the matrix is taken to grow by one from cell to cell, which is never
 * too small; so the answer is an upper bound, and exact if it is not above
 * band (Ukkonen 1985, Algorithms for approximate string matching, Inf. Control 64).
 */
static int64_t
distance_within(FbWork *work, Masks *masks, FbTokens a, FbTokens b, size_t band, int8_t *border)
{
	size_t		m = a.count;
	size_t		n = b.count;
	size_t		ended = n;		/* up to here border is known; above the first block it grows everywhere */
	int64_t		corner = 0;		/* distance at the lower left of the block above, inside the band */
	int64_t		score = 0;

	memset(border, 1, n);
	for (size_t top = 0; top < m; top += WORD)
	{
		size_t		rows = m - top < WORD ? m - top : WORD;
		size_t		first = top > band ? top - band : 0;
		size_t		end = top + WORD + band < n ? top + WORD + band : n;
		size_t		next_first = top + WORD > band ? top + WORD - band : 0;
		uint64_t	last_row = UINT64_C(1) << (rows - 1);
		uint64_t	plus = ~UINT64_C(0);
		uint64_t	minus = 0;

		masks_set(masks, &a.ids[top], rows);
		score = (first == 0 ? (int64_t) top : corner) + (int64_t) rows;
		if (next_first == first)
			corner = score;
		for (size_t j = first; j < end; j++)
		{
			uint64_t	match = mask_of(masks, b.ids[j]);
			int			in = j < ended ? border[j] : 1;
			int			out;
			uint64_t	vertical = match | minus;
			uint64_t	horizontal;
			uint64_t	up;
			uint64_t	down;

			match |= (uint64_t) (in < 0);
			horizontal = (((match & plus) + plus) ^ plus) | match;
			up = minus | ~(horizontal | plus);
			down = plus & horizontal;
			out = (int) ((up & last_row) != 0) - (int) ((down & last_row) != 0);
			up = (up << 1) | (uint64_t) (in > 0);
			down = (down << 1) | (uint64_t) (in < 0);
			plus = down | ~(vertical | up);
			minus = up & vertical;
			border[j] = (int8_t) out;
			score += out;
			if (j + 1 == next_first)
				corner = score;
		}
		ended = end;
		masks_clear(masks, &a.ids[top], rows);
		work->poll(work);
	}
	return score;
}

/* Computes Levenshtein's distance: insertions, deletions and substitutions. */
int64_t
fb_edit_distance(FbWork *work, FbTokens a, FbTokens b)
{
	size_t		band;
	Masks	   *masks;
	int8_t	   *border;

	trim(&a, &b);
	order(&a, &b);
	if (a.count == 0)
		return (int64_t) b.count;

	masks = masks_new(work);
	border = fb_work_array(work, int8_t, b.count);
	band = b.count - a.count + WORD;
	for (;;)
	{
		int64_t		distance = distance_within(work, masks, a, b, band, border);

		if ((size_t) distance <= band || band >= b.count)
			return distance;
		band = 2 * band < (size_t) distance ? 2 * band : (size_t) distance;
	}
}

/*
 * Computes the length of the longest common subsequence: Hyyro (2004),
 * Bit-parallel LCS-length computation revisited, AWOCA; a zero bit of the
 * vector is a row in which the length grows.
 */
int64_t
fb_common_subsequence(FbWork *work, FbTokens a, FbTokens b)
{
	int64_t		length;
	Masks	   *masks;
	uint8_t    *carries;

	length = (int64_t) a.count;
	trim(&a, &b);
	length -= (int64_t) a.count;
	order(&a, &b);
	if (a.count == 0)
		return length;

	masks = masks_new(work);
	carries = fb_work_array(work, uint8_t, b.count);
	memset(carries, 0, b.count);
	for (size_t top = 0; top < a.count; top += WORD)
	{
		size_t		rows = a.count - top < WORD ? a.count - top : WORD;
		uint64_t	vector = ~UINT64_C(0);

		masks_set(masks, &a.ids[top], rows);
		for (size_t j = 0; j < b.count; j++)
		{
			uint64_t	match = mask_of(masks, b.ids[j]);
			uint64_t	sum = vector + (vector & match);
			uint8_t		carry = sum < vector;

			sum += carries[j];
			carry |= sum < carries[j];
			carries[j] = carry;
			vector = sum | (vector & ~match);
		}
		for (size_t i = 0; i < rows; i++)
			length += (vector >> i & 1) == 0;
		masks_clear(masks, &a.ids[top], rows);
		work->poll(work);
	}
	return length;
}
