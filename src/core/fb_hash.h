/*
 * fb_hash.h
 *		Bucketing: seeds and the exact share of a 64-bit hash.
 *
 * These few lines are fixed for ever: a change moves users between variations.
 * Any language with xxHash reproduces them; test/cases/bucketing.json holds
 * vectors.
 */
#ifndef FB_HASH_H
#define FB_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Separators inside a salt; control characters are refused in salts and ids. */
#define FB_SALT_GATE		0x1C
#define FB_SALT_HOLDOUT		0x1D
#define FB_SALT_LAYER		0x1E
#define FB_SALT_ITERATION	0x1F

/* A gate, a layer and a holdout divide their users into this many slots. */
#define FB_GATE_SLOTS		100000u

extern uint64_t fb_split_seed(const char *salt, size_t length, int32_t iteration);
extern uint64_t fb_gate_seed(const char *salt, size_t salt_length, const char *rule_id, size_t rule_id_length);

/* Hashes a key under a seed. */
static inline uint64_t
fb_hash_key(const char *key, size_t length, uint64_t seed)
{
	return XXH3_64bits_withSeed(key, length, seed);
}

/* Computes floor(h * w / 2^64) exactly for w up to 2^31, in 64 bits. */
static inline uint32_t
fb_mulhi(uint64_t h, uint32_t w)
{
	return (uint32_t) (((h >> 32) * w + (((h & UINT64_C(0xffffffff)) * w) >> 32)) >> 32);
}

#endif							/* FB_HASH_H */
