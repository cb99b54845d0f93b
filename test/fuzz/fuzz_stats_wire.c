/*
 * fuzz_stats_wire.c
 *		Feeds arbitrary bytes to the readers of all binary forms: stats of every
 *		kind, rank samples, preferences, states and sketches of variations.
 *
 * The input is copied into memory of its very length, so that a byte read too
 * far is noticed. What is let through is read again by the rules that the
 * server's side relies on.
 */
#include "core/fb_stats_wire.h"
#include "core/fb_wire.h"
#include "use_state.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads stats and uses them. */
static void
read_stats(const unsigned char *bytes, size_t length)
{
	size_t		size;
	FbStats    *state;

	if (fb_stats_wire_measure(bytes, length, &size) != NULL)
		return;
	state = allocate(NULL, size);
	memset(state, 0, size);
	if (fb_stats_wire_fill(bytes, length, state, size) == NULL)
		use(state, size);
	free(state);
}

/* Walks over names as the server does; returns what follows them. */
static const unsigned char *
walk_name(const unsigned char *at, const unsigned char *end)
{
	uint32_t	length;

	if (end - at < 4)
		abort();
	length = (uint32_t) fb_get(at, 4);
	if (length > (size_t) (end - at - 4))
		abort();
	return at + 4 + length;
}

/* Walks over a preference that passed. */
static void
walk_preference(const unsigned char *bytes, size_t length)
{
	const unsigned char *at = bytes + 13;
	uint32_t	count = (uint32_t) fb_get(bytes + 9, 4);

	for (uint32_t i = 0; i < count; i++)
		at = walk_name(at, bytes + length);
	for (uint32_t i = 0; i < count * count; i++, at += 8)
		if (!fb_preference_score_ok(fb_get_double(at), i / count, i % count))
			abort();
	if (at != bytes + length)
		abort();
}

/* Walks over states of variations that passed. */
static void
walk_variation_stats(const unsigned char *bytes, size_t length)
{
	const unsigned char *at = bytes + 6;
	int			kind = bytes[1];

	for (uint32_t i = (uint32_t) fb_get(bytes + 2, 4); i > 0; i--)
	{
		FbStatsBuffer room;

		at = walk_name(at, bytes + length);
		fb_stats_init(&room.state, kind, kind != FB_STATS_CUPED ? 1 : *at ? 3 : 2);
		room.state.flags = *at;
		room.state.n = (int64_t) fb_get(at + 1, 8);
		room.state.n_bad = (int64_t) fb_get(at + 9, 8);
		at += 17;
		for (int k = 0; k < fb_stats_values(kind, room.state.k); k++, at += 8)
			room.state.value[k] = fb_get_double(at);
		use(&room.state, FB_STATS_SIZE(fb_stats_values(kind, room.state.k)));
	}
	if (at != bytes + length)
		abort();
}

/* Walks over sketches of variations that passed. */
static void
walk_variation_quantiles(const unsigned char *bytes, size_t length)
{
	const unsigned char *at = bytes + 5;

	for (uint32_t i = (uint32_t) fb_get(bytes + 1, 4); i > 0; i--)
	{
		uint32_t	size;

		at = walk_name(at, bytes + length);
		size = (uint32_t) fb_get(at, 4);
		read_stats(at + 4, size);
		at += 4 + size;
	}
	if (at != bytes + length)
		abort();
}

/* Gives the bytes a head that fits their length, so that what lies behind it is reached. */
static void
fit_head(unsigned char *bytes, size_t length, int kind)
{
	if (length < 20)
		return;
	bytes[0] = FB_STATS_VERSION;
	bytes[1] = (unsigned char) kind;
	if (kind == FB_STATS_QUANTILE || kind == FB_STATS_BOOTSTRAP)
		bytes[3] = 0;
	if (kind == FB_STATS_QUANTILE && length >= 48)
	{
		fb_put(bytes + 40, 1, 4);
		fb_put(bytes + 44, (length - 48) / 16, 4);
	}
	if (kind == FB_STATS_BOOTSTRAP && length >= 24)
	{
		bytes[2] = 1 + bytes[2] % 2;
		fb_put(bytes + 20, (length - 24 + 8) / 8 < 3 ? 0 : ((length - 24) / 8 - 1) / (bytes[2] + 1) - 1, 4);
	}
}

/* The first byte chooses the type. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes;
	size_t		length;

	if (size < 1)
		return 0;
	length = size - 1;
	bytes = allocate(NULL, length > 0 ? length : 1);
	memcpy(bytes, data + 1, length);
	switch (data[0] % 5)
	{
		case 0:
			if (data[0] & 128)
				fit_head(bytes, length, 1 + data[0] / 5 % 8);
			read_stats(bytes, length);
			break;
		case 1:
			if (fb_rank_sample_wire_check(bytes, length) == NULL &&
				length != 18 + 8 * (fb_get(bytes + 10, 4) + fb_get(bytes + 14, 4)))
				abort();
			break;
		case 2:
			if (fb_preference_wire_check(bytes, length) == NULL)
				walk_preference(bytes, length);
			break;
		case 3:
			if (fb_variation_stats_wire_check(bytes, length) == NULL)
				walk_variation_stats(bytes, length);
			break;
		default:
			if (fb_variation_quantiles_wire_check(bytes, length) == NULL)
				walk_variation_quantiles(bytes, length);
			break;
	}
	free(bytes);
	return 0;
}
