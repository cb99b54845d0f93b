/*
 * independent_bucketing.h
 *		Bucketing once more, straight from its definition: concatenated salts,
 *		multiplication bit by bit, ranges walked one after the other.
 *
 * Shares nothing with src/core, so that an error in one is seen by the other.
 */
#ifndef INDEPENDENT_BUCKETING_H
#define INDEPENDENT_BUCKETING_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

/* Computes floor(h * w / 2^64) by shifting and adding, w below 2^32. */
static uint64_t
independent_share(uint64_t h, uint64_t w)
{
	uint64_t	low = 0;
	uint64_t	high = 0;
	int			bit;

	for (bit = 63; bit >= 0; bit--)
	{
		high = (high << 1) | (low >> 63);
		low <<= 1;
		if ((h >> bit) & 1)
		{
			low += w;
			high += low < w;
		}
	}
	return high;
}

/* Hashes a key under a salt, for split (iteration >= 0) and for gates (rule not NULL). */
static uint64_t
independent_hash(const char *key, const char *salt, int iteration, const char *rule)
{
	char		text[4096];

	if (rule != NULL)
		snprintf(text, sizeof(text), "%s\034%s", salt, rule);
	else if (iteration > 0)
		snprintf(text, sizeof(text), "%s\037%d", salt, iteration);
	else
		snprintf(text, sizeof(text), "%s", salt);
	return XXH3_64bits_withSeed(key, strlen(key), XXH3_64bits(text, strlen(text)));
}

#endif							/* INDEPENDENT_BUCKETING_H */
