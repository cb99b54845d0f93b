/*
 * metric_hash.h
 *		The hash tables inside a metric state: labels, cells and units.
 */
#ifndef FB_METRIC_HASH_H
#define FB_METRIC_HASH_H

#include "common/hashfn.h"

#include "llm/metric_state.h"

/*
 * A cell's key: 6 bits of bucket, then the labels: 29 bits each of gold and
 * predicted one, or, for two systems, 19 bits each of gold and predicted ones.
 */
#define FB_LABEL_BITS(paired) ((paired) ? 19 : 29)
#define FB_LABEL_MASK(paired) ((UINT64CONST(1) << FB_LABEL_BITS(paired)) - 1)

/* Makes a key; an abstention has the largest number of a label. */
static inline uint64
fb_cell_key(bool paired, uint32 bucket, uint64 gold, uint64 pred, uint64 second)
{
	int			bits = FB_LABEL_BITS(paired);
	uint64		key = ((uint64) bucket << bits | gold) << bits | pred;

	return paired ? key << bits | second : key;
}

/* Mixes a cell's key into 32 bits (the finalizer of MurmurHash3). */
static inline uint32
fb_cell_hash(uint64 key)
{
	key ^= key >> 33;
	key *= UINT64CONST(0xff51afd7ed558ccd);
	key ^= key >> 33;
	key *= UINT64CONST(0xc4ceb9fe1a85ec53);
	key ^= key >> 33;
	return (uint32) key;
}

#define SH_PREFIX fblabel
#define SH_ELEMENT_TYPE FbLabelEntry
#define SH_KEY_TYPE FbLabelText
#define SH_KEY text
#define SH_HASH_KEY(tb, key) hash_bytes((const unsigned char *) (key).data, (int) (key).len)
#define SH_EQUAL(tb, a, b) ((a).len == (b).len && memcmp((a).data, (b).data, (a).len) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define SH_PREFIX fbcell
#define SH_ELEMENT_TYPE FbCellEntry
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, key) fb_cell_hash(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define SH_PREFIX fbunit
#define SH_ELEMENT_TYPE FbUnitEntry
#define SH_KEY_TYPE FbUnitId
#define SH_KEY id
#define SH_HASH_KEY(tb, key) ((uint32) (key).low)
#define SH_EQUAL(tb, a, b) ((a).low == (b).low && (a).high == (b).high)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#endif							/* FB_METRIC_HASH_H */
