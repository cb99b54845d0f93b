/*
 * fb_sketch.h
 *		The mergeable sketch behind quantiles: counts of values by bucket, of
 *		one group or of 64 groups of units.
 */
#ifndef FB_SKETCH_H
#define FB_SKETCH_H

#include <float.h>
#include <string.h>

#include "core/fb_effect.h"
#include "core/fb_moments.h"

/*
 * A bucket holds the values whose sign, exponent and first bits of the
 * mantissa agree, so that the relative width of buckets is at most 2^-bits.
 * With 52 bits every bucket is one number.
 */
#define FB_SKETCH_EXACT 52
#define FB_SKETCH_MIN_BITS 1
#define FB_SKETCH_MAX_BITS 20
#define FB_SKETCH_DEFAULT_BITS 11
#define FB_SKETCH_GROUPS 64		/* of units, where several rows belong to one */

/*
 * A sketch stays exact up to so many different numbers in each group, and
 * then loses bits so that it never has more buckets than the next limits.
 * Each limit depends on the values alone: any order and any merging gives
 * the same sketch.
 */
#define FB_SKETCH_MAX_EXACT 4096
#define FB_SKETCH_MAX_BUCKETS 32768
#define FB_SKETCH_MAX_GROUPED 262144

/*
 * The key of a bucket: with the sign of its values, the leading bits of
 * their magnitude's representation; 0 for values below DBL_MIN.
 */
typedef struct FbBucket
{
	int64_t		key;
	int64_t		count;
} FbBucket;

/*
 * The sketch as it is stored, beginning like FbStats. Buckets of each group
 * are sorted by key.
 */
typedef struct FbSketchFlat
{
	uint32_t	vl_len_;		/* the fields of FbStats */
	uint8_t		version;
	uint8_t		kind;
	uint8_t		bits;			/* of a bucket, in place of k */
	uint8_t		flags;
	int64_t		n;				/* the sum of all counts */
	int64_t		n_bad;
	double		min;
	double		max;
	int32_t		wanted;			/* bits when it is not exact */
	int32_t		groups;			/* 1 or FB_SKETCH_GROUPS */
	int32_t		sizes[];		/* buckets of each group, an even number of elements; then the buckets */
} FbSketchFlat;

#define FB_SKETCH_SIZES(groups) ((groups) == 1 ? 2 : FB_SKETCH_GROUPS)
#define FB_SKETCH_SIZE(groups, buckets) \
	(offsetof(FbSketchFlat, sizes) + sizeof(int32_t) * FB_SKETCH_SIZES(groups) + sizeof(FbBucket) * (size_t) (buckets))
#define FB_SKETCH_BUCKETS(flat) ((FbBucket *) ((flat)->sizes + FB_SKETCH_SIZES((flat)->groups)))

/* Where a sketch gets its memory; alloc does not return without. */
typedef struct FbSketchMemory
{
	void	   *(*alloc) (void *arg, size_t size);
	void		(*release) (void *arg, void *memory);
	void	   *arg;
} FbSketchMemory;

/* An open-addressing table of the buckets of a group; a slot without count is free. */
typedef struct FbSketchTable
{
	FbBucket   *slot;
	uint32_t	used;
	uint32_t	room;			/* buckets before the table grows */
	int			shift;			/* of the hash: 64 - log2(size) */
} FbSketchTable;

/* The sketch while values enter. */
typedef struct FbSketch
{
	int			bits;
	int			wanted;
	int			groups;
	int64_t		n;
	int64_t		n_bad;
	double		min;
	double		max;
	uint32_t	used;			/* buckets of all groups */
	FbSketchTable table[FB_SKETCH_GROUPS];
	FbSketchMemory memory;
} FbSketch;

/* The buckets of all groups together, sorted, with what lies below each. */
typedef struct FbSketchView
{
	const FbSketchFlat *flat;
	size_t		count;
	FbBucket   *bucket;
	int64_t    *below;
} FbSketchView;

extern int	fb_sketch_bits(double accuracy);
extern void fb_sketch_init(FbSketch *sketch, int groups, int wanted, const FbSketchMemory *memory);
extern void fb_sketch_insert(FbSketch *sketch, int group, int64_t key, int64_t count);
extern FbMergeResult fb_sketch_merge(FbSketch *sketch, const FbSketchFlat *flat);
extern FbMergeResult fb_sketch_merge_sketch(FbSketch *sketch, const FbSketch *from);
extern size_t fb_sketch_size(const FbSketch *sketch);
extern void fb_sketch_flatten(const FbSketch *sketch, FbSketchFlat *flat);
extern const char *fb_sketch_check(const FbSketchFlat *flat, size_t size);

extern void fb_sketch_view(const FbSketchFlat *flat, const FbSketchMemory *memory, FbSketchView *view);
extern double fb_sketch_value(const FbSketchView *view, double rank);
extern double fb_sketch_quantile(const FbSketchView *view, double p, bool discrete);
extern double fb_sketch_share(const FbSketchView *view, double y);
extern double fb_sketch_width(const FbSketchFlat *flat, double y);

/* A quantile with what a comparison needs. */
typedef struct FbQuantile
{
	double		value;
	double		low;			/* interval by order statistics */
	double		high;
	double		rank_low;
	double		rank_high;
	double		inflation;		/* variance of the rank by that of independent rows */
	double		variance;		/* of the estimate */
	double		df;
	FbStatus	status;
} FbQuantile;

extern void fb_quantile_ranks(double n, double p, double alpha, double inflation, double *low, double *high);
extern void fb_quantile_estimate(const FbSketchView *view, double p, double alpha, FbQuantile *result);

/* Returns the key of a number in buckets of some bits. */
static inline int64_t
fb_sketch_key(double y, int bits)
{
	double		magnitude = fabs(y);
	uint64_t	word;

	if (magnitude < DBL_MIN)
		return 0;
	memcpy(&word, &magnitude, sizeof(word));
	word >>= FB_SKETCH_EXACT - bits;
	return y < 0.0 ? -(int64_t) word : (int64_t) word;
}

/* Adds one usable value. */
static inline void
fb_sketch_add(FbSketch *sketch, int group, double y)
{
	FbSketchTable *table = &sketch->table[group];
	int64_t		key = fb_sketch_key(y, sketch->bits);

	y += 0.0;					/* no negative zero, which would make extremes depend on the order */
	if (y < sketch->min)
		sketch->min = y;
	if (y > sketch->max)
		sketch->max = y;
	sketch->n++;
	if (table->slot)
	{
		FbBucket   *slot = &table->slot[((uint64_t) key * UINT64_C(0x9E3779B97F4A7C15)) >> table->shift];

		if (slot->key == key && slot->count > 0)
		{
			slot->count++;
			return;
		}
	}
	fb_sketch_insert(sketch, group, key, 1);
}

#endif							/* FB_SKETCH_H */
