/*
 * fb_large_parse.c
 *		Reads the text form of the states whose size varies: sketches and
 *		bootstraps.
 *
 *		{"version": 1, "kind": "quantile", "n": 2, "n_bad": 0, "bits": 52,
 *		 "wanted": 11, "min": 1, "max": 2, "buckets": [key, count, key, count]}
 *		{"version": 1, "kind": "bootstrap", "n": 2, "n_bad": 0, "shift": 1,
 *		 "weights": [2, 1, ...], "sums": [1, 0, ...]}
 * A sketch of units has 64 arrays in "groups" in place of "buckets"; a
 * bootstrap of a ratio has "denominators" and no "shift". The text is read
 * twice: first for the size of the state, then into it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/fb_stats_text.h"

/* Bits of the members already seen. */
enum
{
	SEEN_VERSION = 1, SEEN_KIND = 2, SEEN_N = 4, SEEN_N_BAD = 8, SEEN_BITS = 16, SEEN_WANTED = 32,
	SEEN_MIN = 64, SEEN_MAX = 128, SEEN_BUCKETS = 256, SEEN_GROUPS = 512, SEEN_SHIFT = 1024,
	SEEN_WEIGHTS = 2048, SEEN_SUMS = 4096, SEEN_DENOMINATORS = 8192
};

#define SKETCH_MEMBERS (SEEN_BITS | SEEN_WANTED | SEEN_MIN | SEEN_MAX)
#define BOOTSTRAP_MEMBERS (SEEN_WEIGHTS | SEEN_SUMS)

static const struct
{
	const char *name;
	int			bit;
}			members[] = {
	{"version", SEEN_VERSION}, {"kind", SEEN_KIND}, {"n", SEEN_N}, {"n_bad", SEEN_N_BAD}, {"bits", SEEN_BITS},
	{"wanted", SEEN_WANTED}, {"min", SEEN_MIN}, {"max", SEEN_MAX}, {"buckets", SEEN_BUCKETS},
	{"groups", SEEN_GROUPS}, {"shift", SEEN_SHIFT}, {"weights", SEEN_WEIGHTS}, {"sums", SEEN_SUMS},
	{"denominators", SEEN_DENOMINATORS}
};

/* Tells whether a text is meant for this parser: no other kind can contain these strings. */
bool
fb_large_recognise(const char *text)
{
	return strstr(text, "\"quantile\"") != NULL || strstr(text, "\"bootstrap\"") != NULL;
}

/* Takes a whole number of either sign that a key can be. */
static bool
parse_key(FbText *parser, int64_t *value)
{
	bool		negative = fb_text_accept(parser, '-');
	const char *end;

	if (!negative)
		fb_text_skip_space(parser);
	*value = 0;
	for (end = parser->at; *end >= '0' && *end <= '9'; end++)
	{
		if (*value > (INT64_MAX - 9) / 10)
			return fb_text_fail(parser, "The key of a bucket is out of range.");
		*value = *value * 10 + (*end - '0');
	}
	if (end == parser->at)
		return fb_text_fail(parser, "A whole number is expected.");
	parser->at = end;
	if (negative)
		*value = -*value;
	return true;
}

/* Takes an array of keys and counts, into buckets unless that is NULL. */
static bool
parse_buckets(FbText *parser, FbBucket *bucket, int32_t *count)
{
	*count = 0;
	if (!fb_text_accept(parser, '['))
		return fb_text_fail(parser, "An array of numbers is expected.");
	if (fb_text_accept(parser, ']'))
		return true;
	do
	{
		FbBucket	next;

		if (*count >= FB_SKETCH_MAX_GROUPED)
			return fb_text_fail(parser, "An array has too many numbers.");
		if (!parse_key(parser, &next.key))
			return false;
		if (!fb_text_accept(parser, ','))
			return fb_text_fail(parser, "The key of a bucket must be followed by its count.");
		if (!fb_text_integer(parser, &next.count))
			return false;
		if (bucket)
			bucket[*count] = next;
		(*count)++;
	} while (fb_text_accept(parser, ','));
	return fb_text_accept(parser, ']') || fb_text_fail(parser, "An array is not closed.");
}

/* Takes the arrays of all groups. */
static bool
parse_groups(FbText *parser, FbBucket *bucket, int32_t *sizes)
{
	if (!fb_text_accept(parser, '['))
		return fb_text_fail(parser, "An array of arrays is expected.");
	for (int g = 0; g < FB_SKETCH_GROUPS; g++)
	{
		if (g > 0 && !fb_text_accept(parser, ','))
			return fb_text_fail(parser, "There must be 64 groups.");
		if (!parse_buckets(parser, bucket, &sizes[g]))
			return false;
		if (bucket)
			bucket += sizes[g];
	}
	return fb_text_accept(parser, ']') || fb_text_fail(parser, "There must be 64 groups.");
}

/* Takes an array of numbers, every stride-th place of values, unless that is NULL. */
static bool
parse_numbers(FbText *parser, double *values, int stride, int *count)
{
	*count = 0;
	if (!fb_text_accept(parser, '['))
		return fb_text_fail(parser, "An array of numbers is expected.");
	do
	{
		double		next;

		if (*count > FB_BOOTSTRAP_MAX)
			return fb_text_fail(parser, "An array has too many numbers.");
		if (!fb_text_double(parser, &next))
			return false;
		if (values)
			values[(size_t) *count * (size_t) stride] = next;
		(*count)++;
	} while (fb_text_accept(parser, ','));
	return fb_text_accept(parser, ']') || fb_text_fail(parser, "An array is not closed.");
}

/* Takes the value of a member. */
static bool
parse_member(FbText *parser, int bit, FbLargeText *found, int64_t *version, int *counts)
{
	const char *name;
	size_t		length;
	int			place = 0;

	switch (bit)
	{
		case SEEN_VERSION:
			return fb_text_integer(parser, version);
		case SEEN_N:
			return fb_text_integer(parser, &found->n);
		case SEEN_N_BAD:
			return fb_text_integer(parser, &found->n_bad);
		case SEEN_BITS:
			return fb_text_integer(parser, &found->bits);
		case SEEN_WANTED:
			return fb_text_integer(parser, &found->wanted);
		case SEEN_MIN:
			return fb_text_double(parser, &found->min);
		case SEEN_MAX:
			return fb_text_double(parser, &found->max);
		case SEEN_SHIFT:
			return fb_text_double(parser, &found->shift);
		case SEEN_BUCKETS:
			found->array[0] = parser->at;
			return parse_buckets(parser, NULL, &found->sizes[0]);
		case SEEN_GROUPS:
			found->array[0] = parser->at;
			return parse_groups(parser, NULL, found->sizes);
		case SEEN_DENOMINATORS:
			place++;
			/* fall through */
		case SEEN_SUMS:
			place++;
			/* fall through */
		case SEEN_WEIGHTS:
			found->array[place] = parser->at;
			return parse_numbers(parser, NULL, 1, &counts[place]);
	}
	if (!fb_text_string(parser, &name, &length))
		return false;
	found->kind = fb_stats_kind_from_name(name, length);
	return FB_STATS_IS_LARGE(found->kind) ||
		fb_text_fail(parser, "Kinds are proportion, mean, cuped, ratio, ratio_cuped, shape, quantile and bootstrap.");
}

/*
 * Reads the text of a large state up to its size. Returns false with the
 * sentence that says what is wrong.
 */
bool
fb_large_parse(const char *text, FbLargeText *found, const char **detail)
{
	FbText		parser = {text, NULL};
	int			seen = 0;
	int64_t		version = FB_STATS_VERSION;
	int			counts[3] = {0, 0, 0};
	bool		ok = fb_text_accept(&parser, '{') || fb_text_fail(&parser, "An object in curly brackets is expected.");

	memset(found, 0, sizeof(*found));
	while (ok)
	{
		const char *name;
		size_t		length;
		int			bit = 0;

		ok = fb_text_string(&parser, &name, &length);
		for (size_t i = 0; ok && i < sizeof(members) / sizeof(members[0]); i++)
			if (strlen(members[i].name) == length && memcmp(members[i].name, name, length) == 0)
				bit = members[i].bit;
		if (!ok)
			break;
		if (bit == 0)
			ok = fb_text_fail(&parser, "Members are version, kind, n, n_bad and of kind quantile bits, wanted, min, max and buckets or groups, of kind bootstrap shift, weights, sums and denominators.");
		else if (seen & bit)
			ok = fb_text_fail(&parser, "A member is given twice.");
		else if (!fb_text_accept(&parser, ':'))
			ok = fb_text_fail(&parser, "A colon is expected behind the name of a member.");
		seen |= bit;
		ok = ok && parse_member(&parser, bit, found, &version, counts);
		if (!ok || !fb_text_accept(&parser, ','))
			break;
	}
	ok = ok && (fb_text_accept(&parser, '}') || fb_text_fail(&parser, "The object is not closed."));
	if (ok)
	{
		fb_text_skip_space(&parser);
		ok = *parser.at == '\0' || fb_text_fail(&parser, "Nothing may follow the object.");
	}
	if (ok && version != FB_STATS_VERSION)
		ok = fb_text_fail(&parser, "The version is not supported.");
	if (ok && (seen & (SEEN_KIND | SEEN_N)) != (SEEN_KIND | SEEN_N))
		ok = fb_text_fail(&parser, "The members kind and n are required.");
	seen &= ~(SEEN_VERSION | SEEN_KIND | SEEN_N | SEEN_N_BAD);
	if (ok && found->kind == FB_STATS_QUANTILE)
	{
		size_t		buckets = 0;

		if (seen != (SKETCH_MEMBERS | SEEN_BUCKETS) && seen != (SKETCH_MEMBERS | SEEN_GROUPS))
			ok = fb_text_fail(&parser, "Kind quantile has bits, wanted, min, max and buckets or groups.");
		else if (found->bits > FB_SKETCH_EXACT || found->wanted > FB_SKETCH_EXACT)
			ok = fb_text_fail(&parser, "The bits of buckets must be 52, or from 1 to those wanted, which are at most 20.");
		found->groups = seen & SEEN_GROUPS ? FB_SKETCH_GROUPS : 1;
		for (int g = 0; g < found->groups; g++)
			buckets += (size_t) found->sizes[g];
		found->size = FB_SKETCH_SIZE(found->groups, buckets);
	}
	else if (ok)
	{
		found->k = seen & SEEN_DENOMINATORS ? 2 : 1;
		found->replicates = counts[0] - 1;
		if ((seen & ~(SEEN_SHIFT | SEEN_DENOMINATORS)) != BOOTSTRAP_MEMBERS ||
			((seen & SEEN_SHIFT) != 0) == ((seen & SEEN_DENOMINATORS) != 0))
			ok = fb_text_fail(&parser, "Kind bootstrap has weights, sums and either shift or denominators.");
		else if (counts[1] != counts[0] || (found->k == 2 && counts[2] != counts[0]))
			ok = fb_text_fail(&parser, "There must be as many weights as sums and denominators.");
		else if (found->replicates < FB_BOOTSTRAP_MIN || found->replicates > FB_BOOTSTRAP_MAX)
			ok = fb_text_fail(&parser, "There must be 20 to 10000 replicates.");
		else
			found->size = FB_BOOTSTRAP_SIZE(found->replicates, found->k);
	}
	*detail = parser.detail;
	return ok;
}

/* Reads the state of a text that fb_large_parse has read; returns NULL or the sentence that says what is wrong. */
const char *
fb_large_fill(const FbLargeText *found, FbStats *state)
{
	FbText		parser = {found->array[0], NULL};

	if (found->kind == FB_STATS_QUANTILE)
	{
		FbSketchFlat *flat = (FbSketchFlat *) state;
		int32_t		ignored[FB_SKETCH_GROUPS];

		flat->version = FB_STATS_VERSION;
		flat->kind = FB_STATS_QUANTILE;
		flat->bits = (uint8_t) found->bits;
		flat->flags = 0;
		flat->n = found->n;
		flat->n_bad = found->n_bad;
		flat->min = found->min + 0.0;	/* no negative zero */
		flat->max = found->max + 0.0;
		flat->wanted = (int32_t) found->wanted;
		flat->groups = found->groups;
		memcpy(flat->sizes, found->sizes, sizeof(int32_t) * FB_SKETCH_SIZES(found->groups));
		if (found->groups == 1)
			parse_buckets(&parser, FB_SKETCH_BUCKETS(flat), ignored);
		else
			parse_groups(&parser, FB_SKETCH_BUCKETS(flat), ignored);
		return fb_sketch_check(flat, found->size);
	}
	fb_bootstrap_init(state, found->replicates, found->k);
	state->n = found->n;
	state->n_bad = found->n_bad;
	state->value[1] = found->shift;
	for (int i = 0; i <= found->k; i++)
	{
		int			ignored;

		parser.at = found->array[i];
		parse_numbers(&parser, state->value + 2 + i, found->k + 1, &ignored);
	}
	return fb_bootstrap_check(state, found->size);
}
