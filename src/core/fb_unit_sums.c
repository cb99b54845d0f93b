/*
 * fb_unit_sums.c
 *		The binary form of sums per unit.
 */
#include <math.h>

#include "core/fb_moments.h"
#include "core/fb_unit_sums.h"
#include "core/fb_wire.h"

#define HEAD_BYTES 24

/* Returns the length of the binary form. */
size_t
fb_sums_bytes(int kind, uint32_t units)
{
	return HEAD_BYTES + (size_t) units * 8 * (FB_UNIT_WORDS(kind) + 1);
}

/* Writes the binary form of entries that are sorted by key. */
void
fb_sums_write(const FbUnitSums *sums, const char *entries, unsigned char *to)
{
	unsigned	words = FB_UNIT_WORDS(sums->kind);

	to = fb_put(to, FB_UNIT_SUMS_VERSION, 1);
	to = fb_put(to, (uint64_t) sums->kind, 1);
	to = fb_put(to, sums->has_cap, 1);
	to = fb_put(to, 0, 1);
	to = fb_put(to, sums->units, 4);
	to = fb_put(to, (uint64_t) sums->n_bad, 8);
	to = fb_put_double(to, sums->has_cap ? sums->cap : 0.0);
	for (uint32_t i = 0; i < sums->units; i++, entries += FB_UNIT_STRIDE(sums->kind))
		for (unsigned word = 0; word <= words; word++)
			to = fb_put(to, fb_load64(entries + 8 * word), 8);
}

/* Reads what comes before the entries; returns false and the sentence that says what is wrong. */
bool
fb_sums_measure(const unsigned char *bytes, size_t length, FbUnitSums *sums, const char **detail)
{
	*detail = "The value is too short.";
	if (length < HEAD_BYTES)
		return false;
	*detail = "The version is not supported.";
	if (bytes[0] != FB_UNIT_SUMS_VERSION || bytes[2] > 1 || bytes[3] != 0)
		return false;
	*detail = "The kind of units is unknown.";
	if (bytes[1] < FB_UNITS_BIGINT || bytes[1] > FB_UNITS_TEXT)
		return false;
	sums->kind = bytes[1];
	sums->has_cap = bytes[2] == 1;
	sums->units = (uint32_t) fb_get(bytes + 4, 4);
	sums->n_bad = (int64_t) fb_get(bytes + 8, 8);
	sums->cap = fb_get_double(bytes + 16);
	*detail = "The length does not fit the number of units.";
	if (sums->units > FB_UNIT_MAX || length != fb_sums_bytes(sums->kind, sums->units))
		return false;
	*detail = "The number of ignored values must be between 0 and 9007199254740992, and a cap finite.";
	if (sums->n_bad < 0 || sums->n_bad > FB_STATS_MAX_N || !isfinite(sums->cap) || (!sums->has_cap && fb_get(bytes + 16, 8) != 0))
		return false;
	*detail = NULL;
	return true;
}

/*
 * Reads the entries of a binary form that fb_sums_measure has found good.
 * Returns false and the sentence that says what is wrong for what no events
 * could have made.
 */
bool
fb_sums_receive(const unsigned char *bytes, const FbUnitSums *sums, char *entries, const char **detail)
{
	unsigned	words = FB_UNIT_WORDS(sums->kind);
	char	   *entry = entries;

	bytes += HEAD_BYTES;
	for (uint32_t i = 0; i < sums->units; i++, entry += FB_UNIT_STRIDE(sums->kind))
	{
		for (unsigned word = 0; word <= words; word++, bytes += 8)
			fb_store64(entry + 8 * word, fb_get(bytes, 8));
		fb_unit_set_tag(entry, words, 1);
		if (!isfinite(fb_get_double(bytes - 8)))
		{
			*detail = "Sums must be finite.";
			return false;
		}
	}
	*detail = "The units must be different and in the order of their keys.";
	if (!fb_units_sorted(entries, sums->units, words))
		return false;
	*detail = NULL;
	return true;
}
