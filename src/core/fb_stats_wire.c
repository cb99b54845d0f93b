/*
 * fb_stats_wire.c
 *		Reads the binary forms of states: of stats whole; of rank samples,
 *		preferences and variations what does not depend on an encoding.
 *
 * All numbers are in network byte order. A reader that says nothing has seen
 * that every number is there and in range; the server then turns names into
 * its encoding.
 */
#include <math.h>
#include <string.h>

#include "core/fb_stats_wire.h"
#include "core/fb_wire.h"

#define STATS_HEAD 20			/* version, kind, variates, flags; n, n_bad */

/* Returns whether so many bytes follow. */
static bool
has(const FbWireReader *reader, uint64_t bytes)
{
	return bytes <= (uint64_t) (reader->end - reader->at);
}

/* Takes an integer of 1, 4 or 8 bytes that is known to be there. */
static uint64_t
take(FbWireReader *reader, int bytes)
{
	uint64_t	value = fb_get(reader->at, bytes);

	reader->at += bytes;
	return value;
}

/* Takes a double that is known to be there. */
static double
take_double(FbWireReader *reader)
{
	double		value = fb_get_double(reader->at);

	reader->at += 8;
	return value;
}

/* Tells the size of a sketch from its head. */
static const char *
measure_sketch(FbWireReader *reader, size_t *size)
{
	uint64_t	buckets = 0;
	uint32_t	groups;

	if (!has(reader, 24))
		return "The value is too short.";
	reader->at += 20;
	groups = (uint32_t) take(reader, 4);
	if (groups != 1 && groups != FB_SKETCH_GROUPS)
		return "There must be 1 or 64 groups.";
	if (!has(reader, groups * 4))
		return "The value is too short.";
	for (uint32_t g = 0; g < groups; g++)
		buckets += (uint32_t) take(reader, 4);
	if (buckets > FB_SKETCH_MAX_GROUPED || (uint64_t) (reader->end - reader->at) != buckets * 16)
		return "The length does not fit the number of buckets.";
	*size = FB_SKETCH_SIZE(groups, buckets);
	return NULL;
}

/* Tells the size of a bootstrap from its head. */
static const char *
measure_bootstrap(FbWireReader *reader, int k, size_t *size)
{
	int32_t		replicates;

	if (!has(reader, 4))
		return "The value is too short.";
	replicates = (int32_t) take(reader, 4);
	if ((k != 1 && k != 2) || replicates < FB_BOOTSTRAP_MIN || replicates > FB_BOOTSTRAP_MAX)
		return "There must be 20 to 10000 replicates of 1 sum or of 2.";
	if ((uint64_t) (reader->end - reader->at) != (FB_BOOTSTRAP_VALUES(replicates, k) - 1) * 8)
		return "The length does not fit the number of replicates.";
	*size = FB_BOOTSTRAP_SIZE(replicates, k);
	return NULL;
}

/*
 * Tells how many bytes the state needs that a binary form describes; returns
 * NULL or the sentence that says what is wrong.
 */
const char *
fb_stats_wire_measure(const unsigned char *bytes, size_t length, size_t *size)
{
	FbWireReader reader = {bytes, bytes + length};
	int			kind,
				k;

	*size = 0;
	if (length < STATS_HEAD)
		return "The value is too short.";
	kind = bytes[1];
	k = bytes[2];
	if (bytes[0] != FB_STATS_VERSION)
		return "The version is not supported.";
	reader.at += STATS_HEAD;
	if (FB_STATS_IS_LARGE(kind) && bytes[3] != 0)
		return "The flags do not fit the kind.";
	if (kind == FB_STATS_QUANTILE)
		return measure_sketch(&reader, size);
	if (kind == FB_STATS_BOOTSTRAP)
		return measure_bootstrap(&reader, k, size);
	if (!fb_stats_shape_ok(kind, k))
		return "The number of variates does not fit the kind.";
	if (length != STATS_HEAD + (size_t) fb_stats_values(kind, k) * 8)
		return "The length does not fit the kind and the number of variates.";
	*size = FB_STATS_SIZE(fb_stats_values(kind, k));
	return NULL;
}

/*
 * Fills a state of that size, all zero, and checks it; returns NULL or the
 * sentence that says what is wrong.
 */
const char *
fb_stats_wire_fill(const unsigned char *bytes, size_t length, FbStats *state, size_t size)
{
	FbWireReader reader = {bytes + 4, bytes + length};

	state->version = bytes[0];
	state->kind = bytes[1];
	state->k = bytes[2];
	state->flags = bytes[3];
	state->n = (int64_t) take(&reader, 8);
	state->n_bad = (int64_t) take(&reader, 8);
	if (state->kind == FB_STATS_QUANTILE)
	{
		FbSketchFlat *flat = (FbSketchFlat *) state;
		FbBucket   *bucket;

		flat->min = take_double(&reader) + 0.0;	/* no negative zero */
		flat->max = take_double(&reader) + 0.0;
		flat->wanted = (int32_t) take(&reader, 4);
		flat->groups = (int32_t) take(&reader, 4);
		for (int g = 0; g < flat->groups; g++)
			flat->sizes[g] = (int32_t) take(&reader, 4);
		bucket = FB_SKETCH_BUCKETS(flat);
		for (; reader.at < reader.end; bucket++)
		{
			bucket->key = (int64_t) take(&reader, 8);
			bucket->count = (int64_t) take(&reader, 8);
		}
		return fb_sketch_check(flat, size);
	}
	if (state->kind == FB_STATS_BOOTSTRAP)
	{
		int			replicates = (int) take(&reader, 4);

		fb_bootstrap_init(state, replicates, bytes[2]);
		state->n = (int64_t) fb_get(bytes + 4, 8);
		state->n_bad = (int64_t) fb_get(bytes + 12, 8);
		for (size_t i = 1; reader.at < reader.end; i++)
			state->value[i] = take_double(&reader);
		return fb_bootstrap_check(state, size);
	}
	for (size_t i = 0; reader.at < reader.end; i++)
		state->value[i] = take_double(&reader);
	return fb_stats_check(state);
}

/* Takes a name, which the caller must still bring into its encoding; returns false where it exceeds the value. */
static bool
take_name(FbWireReader *reader)
{
	uint32_t	length;

	if (!has(reader, 4))
		return false;
	length = (uint32_t) take(reader, 4);
	if (length > INT32_MAX || !has(reader, length))
		return false;
	reader->at += length;
	return true;
}

/* Checks the binary form of a rank sample; returns NULL or the sentence that says what is wrong. */
const char *
fb_rank_sample_wire_check(const unsigned char *bytes, size_t length)
{
	FbWireReader reader = {bytes, bytes + length};
	int			version,
				kind;
	int64_t		n_bad;
	uint32_t	n_c,
				n_t;

	if (!has(&reader, 18))
		return "The value is too short.";
	version = (int) take(&reader, 1);
	kind = (int) take(&reader, 1);
	n_bad = (int64_t) take(&reader, 8);
	n_c = (uint32_t) take(&reader, 4);
	n_t = (uint32_t) take(&reader, 4);
	if (version != FB_RANK_SAMPLE_VERSION)
		return "The version is not known.";
	if (kind != FB_SAMPLE_PAIRED && kind != FB_SAMPLE_TWO)
		return "The kind is not known.";
	if (n_bad < 0 || n_bad > FB_STATS_MAX_N || (kind == FB_SAMPLE_PAIRED && n_t > 0))
		return "A count is out of range.";
	if (((uint64_t) n_c + n_t) * 8 != (uint64_t) (reader.end - reader.at))
		return "The number of values does not fit the length.";
	while (reader.at < reader.end)
		if (!fb_stats_usable(take_double(&reader)))
			return "Values must be finite and at most 1e140.";
	return NULL;
}

/* Checks the binary form of a preference, but for the encoding of names and whether they differ. */
const char *
fb_preference_wire_check(const unsigned char *bytes, size_t length)
{
	FbWireReader reader = {bytes, bytes + length};
	int64_t		n_bad;
	uint32_t	count;

	if (!has(&reader, 13))
		return "The value is too short.";
	if (take(&reader, 1) != FB_PREFERENCE_VERSION)
		return "The version is not known.";
	n_bad = (int64_t) take(&reader, 8);
	count = (uint32_t) take(&reader, 4);
	if (n_bad < 0 || n_bad > FB_STATS_MAX_N || count > FB_PREFERENCE_MAX_ITEMS)
		return "A count is out of range.";
	for (uint32_t i = 0; i < count; i++)
		if (!take_name(&reader))
			return "A name exceeds the value.";
	if ((uint64_t) (reader.end - reader.at) != (uint64_t) count * count * 8)
		return "The number of scores does not fit the length.";
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < count; j++)
			if (!fb_preference_score_ok(take_double(&reader), i, j))
				return "A score is out of range.";
	return NULL;
}

/* Checks the binary form of states by variation, but for the encoding of names and whether they differ. */
const char *
fb_variation_stats_wire_check(const unsigned char *bytes, size_t length)
{
	FbWireReader reader = {bytes, bytes + length};
	int			kind;
	uint32_t	count;

	if (!has(&reader, 6))
		return "The value is too short.";
	if (take(&reader, 1) != FB_VARIATION_STATS_VERSION)
		return "The version is not known.";
	kind = (int) take(&reader, 1);
	count = (uint32_t) take(&reader, 4);
	if (kind != FB_STATS_MEAN && kind != FB_STATS_PROPORTION && kind != FB_STATS_CUPED)
		return "The kind is not known.";
	if (count > FB_MAX_VARIATIONS)
		return "There are too many variations.";
	for (uint32_t i = 0; i < count; i++)
	{
		FbStatsBuffer room;
		FbStats    *stats = &room.state;
		const char *detail;
		int			flags;

		if (!take_name(&reader))
			return "A name exceeds the value.";
		if (!has(&reader, 17))
			return "The value is too short.";
		flags = (int) take(&reader, 1);
		if (flags != 0 && (flags != FB_STATS_MISSING || kind != FB_STATS_CUPED))
			return "The flags do not fit the kind.";
		fb_stats_init(stats, kind, kind != FB_STATS_CUPED ? 1 : flags ? 3 : 2);
		stats->flags = (uint8_t) flags;
		stats->n = (int64_t) take(&reader, 8);
		stats->n_bad = (int64_t) take(&reader, 8);
		if (!has(&reader, (uint64_t) fb_stats_values(kind, stats->k) * 8))
			return "The value is too short.";
		for (int k = 0; k < fb_stats_values(kind, stats->k); k++)
			stats->value[k] = take_double(&reader);
		if ((detail = fb_stats_check(stats)) != NULL)
			return detail;
	}
	return reader.at == reader.end ? NULL : "Nothing may follow the last variation.";
}

/* Checks the binary form of sketches by variation, but for the encoding of names and whether they differ. */
const char *
fb_variation_quantiles_wire_check(const unsigned char *bytes, size_t length)
{
	FbWireReader reader = {bytes, bytes + length};
	uint32_t	count;

	if (!has(&reader, 5))
		return "The value is too short.";
	if (take(&reader, 1) != FB_VARIATION_STATS_VERSION)
		return "The version is not known.";
	count = (uint32_t) take(&reader, 4);
	if (count > FB_MAX_VARIATIONS)
		return "There are too many variations.";
	for (uint32_t i = 0; i < count; i++)
	{
		const char *detail;
		uint32_t	bytes_here;
		size_t		size;

		if (!take_name(&reader))
			return "A name exceeds the value.";
		bytes_here = has(&reader, 4) ? (uint32_t) take(&reader, 4) : UINT32_MAX;
		if (!has(&reader, bytes_here))
			return "A sketch exceeds the value.";
		if ((detail = fb_stats_wire_measure(reader.at, bytes_here, &size)) != NULL)
			return detail;
		if (reader.at[1] != FB_STATS_QUANTILE || fb_get(reader.at + STATS_HEAD + 20, 4) != 1)
			return "The states of all variations must be of kind quantile, of rows.";
		reader.at += bytes_here;
	}
	return reader.at == reader.end ? NULL : "Nothing may follow the last variation.";
}
