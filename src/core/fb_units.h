/*
 * fb_units.h
 *		Units of an experiment as fixed-size keys, and a hash table of them.
 *
 * A key starts with a well-mixed 64-bit hash, and tables keep their entries in
 * the order of hashes: growing, packing and merging are then sequential walks
 * that need no second copy. bigint and uuid units are mixed by bijections, so
 * that keys are exact and can be turned back; text units are known by the
 * XXH3-128 of their UTF-8 bytes.
 */
#ifndef FB_UNITS_H
#define FB_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* What units are. The numbers are stored; never reuse one. */
typedef enum FbUnitKind
{
	FB_UNITS_BIGINT = 1,
	FB_UNITS_UUID = 2,
	FB_UNITS_TEXT = 3
} FbUnitKind;

typedef struct FbUnitKey
{
	uint64_t	hash;
	uint64_t	rest;			/* zero for bigint, which the hash determines */
} FbUnitKey;

/*
 * An entry is the hash, the rest of the key where there is one, eight bytes
 * of payload and a tag of two bytes, not aligned. The tag is never zero: that
 * marks an empty slot.
 */
#define FB_UNIT_WORDS(kind) ((kind) == FB_UNITS_BIGINT ? 1u : 2u)
#define FB_UNIT_STRIDE(kind) (8u * FB_UNIT_WORDS(kind) + 10u)

/* Entries are handled in batches, so that the memory of one is fetched while others are worked on. */
#define FB_UNIT_BATCH 64

#define FB_UNIT_MAX UINT32_C(0x7fffffff)	/* units of one table */

/* Gives memory of another size, with its content; may leave by longjmp. Sizes are never zero. */
typedef void *(*FbResize) (void *context, void *memory, size_t old_size, size_t size);

/*
 * Open addressing by linear probing. A unit's home is its hash scaled to the
 * number of homes; slots beyond the last home take what its neighbours push
 * out, so that no probe wraps around. A packed table has its entries at the
 * front, sorted by key, and takes no new ones.
 */
typedef struct FbUnitTable
{
	int			kind;
	unsigned	words;
	unsigned	stride;
	bool		packed;
	uint32_t	count;
	uint32_t	homes;
	size_t		room;			/* slots there are */
	char	   *slots;
	FbResize	resize;
	void	   *context;
} FbUnitTable;

/* Reads eight bytes that need not be aligned. */
static inline uint64_t
fb_load64(const char *at)
{
	uint64_t	value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* Writes eight bytes. */
static inline void
fb_store64(char *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

/* Reads the tag of an entry. */
static inline uint16_t
fb_unit_tag(const char *entry, unsigned words)
{
	uint16_t	tag;

	memcpy(&tag, entry + 8 * words + 8, sizeof(tag));
	return tag;
}

/* Writes the tag of an entry. */
static inline void
fb_unit_set_tag(char *entry, unsigned words, uint16_t tag)
{
	memcpy(entry + 8 * words + 8, &tag, sizeof(tag));
}

/* Reads the payload of an entry. */
static inline uint64_t
fb_unit_payload(const char *entry, unsigned words)
{
	return fb_load64(entry + 8 * words);
}

/* Writes the payload of an entry. */
static inline void
fb_unit_set_payload(char *entry, unsigned words, uint64_t payload)
{
	fb_store64(entry + 8 * words, payload);
}

/* Reads the key of an entry. */
static inline FbUnitKey
fb_unit_key(const char *entry, unsigned words)
{
	FbUnitKey	key = {fb_load64(entry), words == 2 ? fb_load64(entry + 8) : 0};

	return key;
}

/* Tells whether an entry has a key. */
static inline bool
fb_unit_is(const char *entry, unsigned words, FbUnitKey key)
{
	return fb_load64(entry) == key.hash && (words == 1 || fb_load64(entry + 8) == key.rest);
}

/* Mixes 64 bits by a bijection, the finalizer of MurmurHash3. */
static inline uint64_t
fb_mix64(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	x ^= x >> 33;
	return x;
}

/* Undoes fb_mix64. */
static inline uint64_t
fb_unmix64(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0x9cb4b2f8129337db);
	x ^= x >> 33;
	x *= UINT64_C(0x4f74430c22a54005);
	x ^= x >> 33;
	return x;
}

/* Returns the key of a bigint unit. */
static inline FbUnitKey
fb_unit_from_bigint(int64_t unit)
{
	FbUnitKey	key = {fb_mix64((uint64_t) unit), 0};

	return key;
}

/* Returns the unit of a bigint key. */
static inline int64_t
fb_unit_to_bigint(FbUnitKey key)
{
	return (int64_t) fb_unmix64(key.hash);
}

/* Returns the key of a uuid unit of 16 bytes. */
static inline FbUnitKey
fb_unit_from_uuid(const unsigned char *uuid)
{
	FbUnitKey	key;
	uint64_t	first;

	memcpy(&first, uuid, sizeof(first));
	memcpy(&key.rest, uuid + 8, sizeof(key.rest));
	key.hash = fb_mix64(first ^ fb_mix64(key.rest + UINT64_C(0x9e3779b97f4a7c15)));
	return key;
}

/* Writes the unit of a uuid key, 16 bytes. */
static inline void
fb_unit_to_uuid(FbUnitKey key, unsigned char *uuid)
{
	uint64_t	first = fb_unmix64(key.hash) ^ fb_mix64(key.rest + UINT64_C(0x9e3779b97f4a7c15));

	memcpy(uuid, &first, sizeof(first));
	memcpy(uuid + 8, &key.rest, sizeof(key.rest));
}

/* Returns the key of a text unit. */
static inline FbUnitKey
fb_unit_from_text(const char *unit, size_t length)
{
	XXH128_hash_t hash = XXH3_128bits(unit, length);
	FbUnitKey	key = {hash.high64, hash.low64};

	return key;
}

/* Scales a hash to a number below size, keeping the order of hashes. */
static inline uint32_t
fb_unit_scale(uint64_t hash, uint32_t size)
{
	return (uint32_t) (((hash >> 32) * size) >> 32);
}

/* Returns which of a number of partitions a unit belongs to: by other bits than the order within a table. */
static inline uint32_t
fb_unit_partition(FbUnitKey key, uint32_t partitions)
{
	return (uint32_t) (((key.hash & UINT64_C(0xffffffff)) * partitions) >> 32);
}

/* Orders keys. */
static inline int
fb_unit_compare(FbUnitKey a, FbUnitKey b)
{
	if (a.hash != b.hash)
		return a.hash < b.hash ? -1 : 1;
	return (a.rest > b.rest) - (a.rest < b.rest);
}

/* Asks for the memory where a key belongs. */
static inline void
fb_unit_table_prefetch(const FbUnitTable *table, FbUnitKey key)
{
	const char *home = table->slots + (size_t) fb_unit_scale(key.hash, table->homes) * table->stride;

	__builtin_prefetch(home, 1);
	__builtin_prefetch(home + 64, 1);
}

/*
 * Finds the entry of a key or makes one, whose payload and tag the caller
 * writes at once. The table has room for it: see fb_unit_table_reserve.
 * Returns NULL where the slots behind the last home are full.
 */
static inline char *
fb_unit_table_place(FbUnitTable *table, FbUnitKey key, bool *found)
{
	unsigned	words = table->words;
	unsigned	stride = table->stride;
	char	   *entry = table->slots + (size_t) fb_unit_scale(key.hash, table->homes) * stride;
	const char *end = table->slots + table->room * stride;

	for (; entry < end; entry += stride)
	{
		if (fb_unit_tag(entry, words) == 0)
		{
			fb_store64(entry, key.hash);
			if (words == 2)
				fb_store64(entry + 8, key.rest);
			table->count++;
			*found = false;
			return entry;
		}
		if (fb_unit_is(entry, words, key))
		{
			*found = true;
			return entry;
		}
	}
	return NULL;
}

extern void fb_unit_table_init(FbUnitTable *table, int kind, FbResize resize, void *context);
extern bool fb_unit_table_reserve(FbUnitTable *table, uint32_t more);
extern void fb_unit_table_extend(FbUnitTable *table);
extern void fb_unit_table_pack(FbUnitTable *table);
extern void fb_unit_table_load(FbUnitTable *table, const char *entries, uint32_t count);
extern bool fb_units_sorted(const char *entries, uint32_t count, unsigned words);

#endif							/* FB_UNITS_H */
