/*
 * fb_sketch.c
 *		A sketch of a distribution: counts of values in buckets whose width is
 *		a fixed share of the value.
 *
 * The idea is that of DDSketch (Masson, Rim and Lee, VLDB 2019) with uniform
 * collapse (Epicoco, Melle, Cafaro, Pulimeno and Morleo, 2020). Buckets end at
 * binary fractions, not at powers of some number, so that the bucket of a
 * value is a shift of its bits: the same on every machine. Two neighbours
 * become one when a bit is given up, which happens when the sketch has more
 * buckets than its limit: a condition on the set of values alone. So any split
 * of the rows, merged in any order, gives the same sketch to the bit.
 */
#include <math.h>
#include <stdlib.h>

#include "core/fb_sketch.h"

/* Returns how many bits make buckets no wider than an accuracy. */
int
fb_sketch_bits(double accuracy)
{
	int			exponent;

	/* accuracy is at least 2^(exponent - 1) and less than 2^exponent. */
	frexp(accuracy, &exponent);
	if (1 - exponent < FB_SKETCH_MIN_BITS)
		return FB_SKETCH_MIN_BITS;
	return 1 - exponent > FB_SKETCH_MAX_BITS ? FB_SKETCH_MAX_BITS : 1 - exponent;
}

/* Makes an empty sketch. */
void
fb_sketch_init(FbSketch *sketch, int groups, int wanted, const FbSketchMemory *memory)
{
	memset(sketch, 0, sizeof(*sketch));
	sketch->bits = FB_SKETCH_EXACT;
	sketch->wanted = wanted;
	sketch->groups = groups;
	sketch->min = HUGE_VAL;
	sketch->max = -HUGE_VAL;
	sketch->memory = *memory;
}

/* Returns the most buckets a sketch may have. */
static uint32_t
limit_of(const FbSketch *sketch)
{
	if (sketch->bits == FB_SKETCH_EXACT)
		return sketch->groups == 1 ? FB_SKETCH_MAX_EXACT : 16 * FB_SKETCH_MAX_EXACT;
	return sketch->groups == 1 ? FB_SKETCH_MAX_BUCKETS : FB_SKETCH_MAX_GROUPED;
}

/* Returns the slot of a key, or the free one where it belongs. */
static FbBucket *
find_slot(const FbSketchTable *table, int64_t key)
{
	uint32_t	mask = (UINT32_C(1) << (64 - table->shift)) - 1;
	uint32_t	i = (uint32_t) (((uint64_t) key * UINT64_C(0x9E3779B97F4A7C15)) >> table->shift);

	while (table->slot[i].count > 0 && table->slot[i].key != key)
		i = (i + 1) & mask;
	return &table->slot[i];
}

/* Gives a table room for twice as many buckets. */
static void
grow(FbSketch *sketch, FbSketchTable *table)
{
	FbSketchTable old = *table;
	uint32_t	old_size = old.slot ? UINT32_C(1) << (64 - old.shift) : 0;
	uint32_t	size = old_size ? 2 * old_size : 16;

	table->slot = sketch->memory.alloc(sketch->memory.arg, size * sizeof(FbBucket));
	memset(table->slot, 0, size * sizeof(FbBucket));
	table->shift = old_size ? old.shift - 1 : 60;
	table->room = size / 2;
	for (uint32_t i = 0; i < old_size; i++)
		if (old.slot[i].count > 0)
			*find_slot(table, old.slot[i].key) = old.slot[i];
	if (old.slot)
		sketch->memory.release(sketch->memory.arg, old.slot);
}

/* Adds to a bucket, without a look at the limit. */
static void
add_to_bucket(FbSketch *sketch, int group, int64_t key, int64_t count)
{
	FbSketchTable *table = &sketch->table[group];
	FbBucket   *slot;

	if (table->used >= table->room)
		grow(sketch, table);
	slot = find_slot(table, key);
	if (slot->count == 0)
	{
		slot->key = key;
		table->used++;
		sketch->used++;
	}
	slot->count += count;
}

/* Returns the key at fewer bits. */
static int64_t
coarser(int64_t key, int shift)
{
	return key < 0 ? -((-key) >> shift) : key >> shift;
}

/* Gives up bits. */
static void
coarsen(FbSketch *sketch, int bits)
{
	int			shift = sketch->bits - bits;

	if (shift <= 0)
		return;
	sketch->bits = bits;
	sketch->used = 0;
	for (int g = 0; g < sketch->groups; g++)
	{
		FbSketchTable old = sketch->table[g];
		uint32_t	size = old.slot ? UINT32_C(1) << (64 - old.shift) : 0;

		memset(&sketch->table[g], 0, sizeof(old));
		for (uint32_t i = 0; i < size; i++)
			if (old.slot[i].count > 0)
				add_to_bucket(sketch, g, coarser(old.slot[i].key, shift), old.slot[i].count);
		if (old.slot)
			sketch->memory.release(sketch->memory.arg, old.slot);
	}
}

/* Gives up bits until the sketch keeps its limit. */
static void
keep_limit(FbSketch *sketch)
{
	while (sketch->used > limit_of(sketch) && sketch->bits > FB_SKETCH_MIN_BITS)
		coarsen(sketch, sketch->bits == FB_SKETCH_EXACT ? sketch->wanted : sketch->bits - 1);
}

/* Adds a count to the bucket of a key; n, min and max are the caller's business. */
void
fb_sketch_insert(FbSketch *sketch, int group, int64_t key, int64_t count)
{
	add_to_bucket(sketch, group, key, count);
	keep_limit(sketch);
}

/* Prepares a merge: bits, extremes and counts of the union; returns the shift of the other side's keys. */
static FbMergeResult
begin_merge(FbSketch *sketch, int groups, int wanted, int bits, int64_t n, int64_t n_bad, double min, double max, int *shift)
{
	if (sketch->groups != groups)
		return FB_MERGE_KIND;
	if (n > FB_STATS_MAX_N - sketch->n || n_bad > FB_STATS_MAX_N - sketch->n_bad)
		return FB_MERGE_OVERFLOW;

	/* The coarser wish wins, whichever side has it. */
	if (wanted < sketch->wanted)
		sketch->wanted = wanted;
	if (sketch->bits < FB_SKETCH_EXACT && sketch->bits > sketch->wanted)
		coarsen(sketch, sketch->wanted);
	if (bits < FB_SKETCH_EXACT && bits > sketch->wanted)
		coarsen(sketch, sketch->wanted);
	else
		coarsen(sketch, bits);
	*shift = bits - sketch->bits;
	sketch->n += n;
	sketch->n_bad += n_bad;
	if (n > 0)
	{
		sketch->min = fmin(sketch->min, min);
		sketch->max = fmax(sketch->max, max);
	}
	return FB_MERGE_OK;
}

/* Merges a stored sketch into another. */
FbMergeResult
fb_sketch_merge(FbSketch *sketch, const FbSketchFlat *flat)
{
	const FbBucket *bucket = FB_SKETCH_BUCKETS(flat);
	int			shift;
	int			bits = flat->bits;
	FbMergeResult result = begin_merge(sketch, flat->groups, flat->wanted, bits, flat->n,
									   flat->n_bad, flat->min, flat->max, &shift);

	if (result != FB_MERGE_OK)
		return result;
	for (int g = 0; g < flat->groups; g++)
		for (int32_t i = 0; i < flat->sizes[g]; i++, bucket++)
			fb_sketch_insert(sketch, g, coarser(bucket->key, bits - sketch->bits), bucket->count);
	return FB_MERGE_OK;
}

/* Merges a sketch into another. */
FbMergeResult
fb_sketch_merge_sketch(FbSketch *sketch, const FbSketch *from)
{
	int			shift;
	FbMergeResult result = begin_merge(sketch, from->groups, from->wanted, from->bits, from->n, from->n_bad,
									   from->min, from->max, &shift);

	if (result != FB_MERGE_OK)
		return result;
	for (int g = 0; g < from->groups; g++)
	{
		const FbSketchTable *table = &from->table[g];
		uint32_t	size = table->slot ? UINT32_C(1) << (64 - table->shift) : 0;

		for (uint32_t i = 0; i < size; i++)
			if (table->slot[i].count > 0)
				fb_sketch_insert(sketch, g, coarser(table->slot[i].key, from->bits - sketch->bits), table->slot[i].count);
	}
	return FB_MERGE_OK;
}

/* Returns the size of the stored form. */
size_t
fb_sketch_size(const FbSketch *sketch)
{
	return FB_SKETCH_SIZE(sketch->groups, sketch->used);
}

/* Orders buckets by key. */
static int
compare_buckets(const void *a, const void *b)
{
	int64_t		x = ((const FbBucket *) a)->key;
	int64_t		y = ((const FbBucket *) b)->key;

	return (x > y) - (x < y);
}

/* Writes the stored form, all but the header word. */
void
fb_sketch_flatten(const FbSketch *sketch, FbSketchFlat *flat)
{
	FbBucket   *bucket;

	flat->version = FB_STATS_VERSION;
	flat->kind = FB_STATS_QUANTILE;
	flat->bits = (uint8_t) sketch->bits;
	flat->flags = 0;
	flat->n = sketch->n;
	flat->n_bad = sketch->n_bad;
	flat->min = sketch->n > 0 ? sketch->min : 0.0;
	flat->max = sketch->n > 0 ? sketch->max : 0.0;
	flat->wanted = sketch->wanted;
	flat->groups = sketch->groups;
	flat->sizes[1] = 0;
	bucket = FB_SKETCH_BUCKETS(flat);
	for (int g = 0; g < sketch->groups; g++)
	{
		const FbSketchTable *table = &sketch->table[g];
		uint32_t	size = table->slot ? UINT32_C(1) << (64 - table->shift) : 0;
		FbBucket   *first = bucket;

		for (uint32_t i = 0; i < size; i++)
			if (table->slot[i].count > 0)
				*bucket++ = table->slot[i];
		flat->sizes[g] = (int32_t) table->used;
		if (table->used > 1)
			qsort(first, table->used, sizeof(FbBucket), compare_buckets);
	}
}

/*
 * Checks everything that must hold for a stored sketch of so many bytes;
 * returns NULL or the sentence that says what is wrong.
 */
const char *
fb_sketch_check(const FbSketchFlat *flat, size_t size)
{
	const FbBucket *bucket;
	int64_t		total = 0;
	uint64_t	buckets = 0;
	int			bits = flat->bits;
	int64_t		lowest,
				highest;

	if (size < offsetof(FbSketchFlat, sizes))
		return "The value is too short.";
	if (flat->version != FB_STATS_VERSION)
		return "The version is not supported.";
	if (flat->flags != 0)
		return "The flags do not fit the kind.";
	if (flat->groups != 1 && flat->groups != FB_SKETCH_GROUPS)
		return "There must be 1 or 64 groups.";
	if (flat->wanted < FB_SKETCH_MIN_BITS || flat->wanted > FB_SKETCH_MAX_BITS ||
		(bits != FB_SKETCH_EXACT && (bits < FB_SKETCH_MIN_BITS || bits > flat->wanted)))
		return "The bits of buckets must be 52, or from 1 to those wanted, which are at most 20.";
	if (size < FB_SKETCH_SIZE(flat->groups, 0))
		return "The value is too short.";
	for (int g = 0; g < FB_SKETCH_SIZES(flat->groups); g++)
	{
		if (flat->sizes[g] < 0 || flat->sizes[g] > FB_SKETCH_MAX_GROUPED || (g >= flat->groups && flat->sizes[g] != 0))
			return "The number of buckets is out of range.";
		buckets += (uint64_t) flat->sizes[g];
	}
	if (buckets > FB_SKETCH_MAX_GROUPED || size != FB_SKETCH_SIZE(flat->groups, buckets))
		return "The length does not fit the number of buckets.";
	if (flat->n < 0 || flat->n > FB_STATS_MAX_N)
		return "The number of values n must be between 0 and 9007199254740992.";
	if (flat->n_bad < 0 || flat->n_bad > FB_STATS_MAX_N)
		return "The number of ignored values n_bad must be between 0 and 9007199254740992.";
	if (!fb_stats_usable(flat->min) || !fb_stats_usable(flat->max) || flat->min > flat->max ||
		(flat->min == 0.0 && signbit(flat->min)) || (flat->max == 0.0 && signbit(flat->max)) ||
		(flat->n == 0 && (flat->min != 0.0 || flat->max != 0.0)))
		return "The extremes min and max must be numbers up to 1e140 in order, and zero with n = 0.";
	lowest = highest = 0;
	bucket = FB_SKETCH_BUCKETS(flat);
	for (int g = 0; g < flat->groups; g++)
		for (int32_t i = 0; i < flat->sizes[g]; i++, bucket++)
		{
			if (bucket->count < 1 || bucket->count > FB_STATS_MAX_N - total)
				return "Counts of buckets must be positive, and their sum at most 9007199254740992.";
			if (bucket->key < -INT64_MAX || (bucket->key != 0 && llabs(bucket->key) < (INT64_C(1) << bits)))
				return "The key of a bucket is out of range.";
			if (i > 0 && bucket->key <= bucket[-1].key)
				return "Buckets of a group must be in increasing order of their keys.";
			if (total == 0 || bucket->key < lowest)
				lowest = bucket->key;
			if (total == 0 || bucket->key > highest)
				highest = bucket->key;
			total += bucket->count;
		}
	if (total != flat->n)
		return "The counts of buckets must sum to n.";
	if (total > 0 && (lowest != fb_sketch_key(flat->min, bits) || highest != fb_sketch_key(flat->max, bits)))
		return "The extremes min and max must lie in the first and the last bucket.";
	return NULL;
}

/* Returns where a bucket begins and ends. */
static void
bucket_range(int64_t key, int bits, double *from, double *to)
{
	uint64_t	word = (uint64_t) llabs(key);
	uint64_t	next = word + 1;
	double		near,
				far;

	if (key == 0)
	{
		*from = *to = 0.0;
		return;
	}
	word <<= FB_SKETCH_EXACT - bits;
	next <<= FB_SKETCH_EXACT - bits;
	memcpy(&near, &word, sizeof(near));
	memcpy(&far, &next, sizeof(far));
	if (bits == FB_SKETCH_EXACT)
		far = near;
	*from = key < 0 ? -far : near;
	*to = key < 0 ? -near : far;
}

/* Returns the width of the bucket that a number falls into. */
double
fb_sketch_width(const FbSketchFlat *flat, double y)
{
	double		from,
				to;

	bucket_range(fb_sketch_key(y, flat->bits), flat->bits, &from, &to);
	return to - from;
}

/* Puts the buckets of all groups in order. */
void
fb_sketch_view(const FbSketchFlat *flat, const FbSketchMemory *memory, FbSketchView *view)
{
	const FbBucket *bucket = FB_SKETCH_BUCKETS(flat);
	size_t		total = 0;
	int64_t		below = 0;

	for (int g = 0; g < flat->groups; g++)
		total += (size_t) flat->sizes[g];
	view->flat = flat;
	view->bucket = memory->alloc(memory->arg, (total + 1) * sizeof(FbBucket));
	view->below = memory->alloc(memory->arg, (total + 1) * sizeof(int64_t));
	memcpy(view->bucket, bucket, total * sizeof(FbBucket));
	view->count = total;
	if (flat->groups > 1 && total > 0)
	{
		qsort(view->bucket, total, sizeof(FbBucket), compare_buckets);
		view->count = 1;
		for (size_t i = 1; i < total; i++)
		{
			FbBucket   *last = &view->bucket[view->count - 1];

			if (view->bucket[i].key == last->key)
				last->count += view->bucket[i].count;
			else
				view->bucket[view->count++] = view->bucket[i];
		}
	}
	for (size_t i = 0; i < view->count; i++)
	{
		view->below[i] = below;
		below += view->bucket[i].count;
	}
}

/* Returns the bucket of a rank from 1 to n. */
static size_t
find_rank(const FbSketchView *view, double rank)
{
	size_t		low = 0;
	size_t		high = view->count - 1;

	while (low < high)
	{
		size_t		middle = low + (high - low + 1) / 2;

		if ((double) view->below[middle] < rank)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Returns the value of a whole rank from 1 to n, spreading the values of a bucket evenly over it. */
static double
order_statistic(const FbSketchView *view, double rank)
{
	size_t		i = find_rank(view, rank);
	double		from,
				to,
				value;

	bucket_range(view->bucket[i].key, view->flat->bits, &from, &to);
	if (from == to)
		return from;
	value = from + (to - from) * ((rank - (double) view->below[i] - 0.5) / (double) view->bucket[i].count);
	return fmin(fmax(value, view->flat->min), view->flat->max);
}

/* Returns the value of a rank from 1 to n, between order statistics by interpolation. */
double
fb_sketch_value(const FbSketchView *view, double rank)
{
	double		n = (double) view->flat->n;
	double		whole = floor(rank);
	double		here,
				next;

	if (rank <= 1.0)
		return view->flat->min;
	if (rank >= n)
		return view->flat->max;
	here = order_statistic(view, whole);
	if (rank == whole)
		return here;
	next = order_statistic(view, whole + 1.0);
	return here + (next - here) * (rank - whole);
}

/* Returns a quantile as percentile_cont or percentile_disc define it; n > 0. */
double
fb_sketch_quantile(const FbSketchView *view, double p, bool discrete)
{
	double		n = (double) view->flat->n;

	return fb_sketch_value(view, discrete ? fmax(ceil(p * n), 1.0) : 1.0 + (n - 1.0) * p);
}

/* Returns how much of a bucket lies at or below a number. */
static double
part_below(int64_t key, int bits, double y)
{
	double		from,
				to;

	bucket_range(key, bits, &from, &to);
	if (y >= to)
		return 1.0;
	return y < from ? 0.0 : (y - from) / (to - from);
}

/* Returns the share of values at or below a number; n > 0. */
double
fb_sketch_share(const FbSketchView *view, double y)
{
	double		n = (double) view->flat->n;
	double		sum = 0.0;
	int			bits = view->flat->bits;
	int64_t		key = fb_sketch_key(y, bits);

	if (y >= view->flat->max)
		return 1.0;
	for (size_t i = 0; i < view->count && view->bucket[i].key <= key; i++)
		sum = (double) view->below[i] + (double) view->bucket[i].count * part_below(view->bucket[i].key, bits, y);
	return sum / n;
}
