/*
 * fb_exposures.h
 *		The exposure map: for each unit when it was first exposed, to which
 *		variation, and whether it was seen in several.
 *
 * A map that is complete is one piece of memory and is read in place: arms by
 * name, an index over ranges of hashes, and the units in the order of their
 * keys. Equal maps are equal byte by byte, and a fingerprint tells which map a
 * state belongs to.
 */
#ifndef FB_EXPOSURES_H
#define FB_EXPOSURES_H

#include "core/fb_units.h"

#define FB_EXPOSURES_VERSION 1
#define FB_MAX_ARMS 32766

/* The tag of a unit: its arm counted from one, and whether it was seen in several variations. */
#define FB_TAG_MIXED 0x8000u
#define FB_TAG_ARM(tag) (((tag) & 0x7fffu) - 1)

/* An arm is a variation, within a stratum where units have one. */
typedef struct FbArm
{
	const char *variation;
	const char *stratum;		/* NULL: none */
	uint32_t	variation_length;
	uint32_t	stratum_length;
} FbArm;

/* A complete map as it is stored: a PostgreSQL varlena, whose header word belongs to the server. */
typedef struct FbExposures
{
	uint32_t	vl_len_;
	uint8_t		version;
	uint8_t		kind;			/* FbUnitKind */
	uint16_t	arms;
	uint32_t	units;
	uint32_t	ranges;			/* of hashes */
	uint32_t	names;			/* bytes of all names */
	uint32_t	unused;			/* zero */
	uint64_t	fingerprint[2];

	/*
	 * Per arm the lengths of variation and stratum (one more than the length,
	 * zero for none), the names, zeros up to a multiple of 8; then the
	 * position of the first unit of each range and one more, zeros up to a
	 * multiple of 8; then the entries, whose payload is the time in
	 * microseconds. What comes before the entries is the head.
	 */
} FbExposures;

/* Where the parts of a map are. */
typedef struct FbExposureView
{
	int			kind;
	unsigned	words;
	unsigned	stride;
	uint32_t	arms;
	uint32_t	units;
	uint32_t	ranges;
	uint64_t	fingerprint[2];
	const uint32_t *index;
	const char *entries;
	const uint32_t *lengths;
	const char *names;
} FbExposureView;

/* Most ranges hold a few units each. */
#define FB_EXPOSURE_RANGES(units) ((units) / 4 + 1)

extern size_t fb_exposures_head_size(const FbArm *arms, uint32_t narms, uint32_t units);
extern void fb_exposures_write_head(FbExposures *map, int kind, const FbArm *arms, uint32_t narms,
									const char *entries, uint32_t units);
extern bool fb_exposures_view(const void *map, size_t size, FbExposureView *view);
extern void fb_exposures_view_head(const FbExposures *map, const char *entries, FbExposureView *view);
extern uint32_t fb_exposures_arms(const FbExposureView *view, FbArm *arms);
extern int	fb_arm_compare(const FbArm *a, const FbArm *b);
extern bool fb_arm_same_variation(const FbArm *a, const FbArm *b);
extern uint16_t fb_exposure_join(const FbArm *arms, int64_t *at, uint16_t tag, int64_t other_at, uint16_t other_tag);
extern void fb_exposures_renumber(char *entries, uint32_t units, unsigned words, const uint16_t *place);

extern size_t fb_exposures_bytes(const FbExposureView *view);
extern void fb_exposures_send(const FbExposureView *view, unsigned char *bytes);
extern size_t fb_exposures_measure(const unsigned char *bytes, size_t length, const char **detail);
extern bool fb_exposures_receive(const unsigned char *bytes, FbExposures *map, const char **detail);

/* Finds a unit: its position in the map, or -1. */
static inline int64_t
fb_exposure_find(const FbExposureView *view, FbUnitKey key, uint32_t begin, uint32_t end)
{
	const char *entry = view->entries + (size_t) begin * view->stride;

	for (uint32_t i = begin; i < end; i++, entry += view->stride)
	{
		uint64_t	hash = fb_load64(entry);

		if (hash < key.hash)
			continue;
		if (hash > key.hash)
			return -1;
		if (view->words == 1 || fb_load64(entry + 8) == key.rest)
			return i;
	}
	return -1;
}

/* Finds a unit: its position in the map, or -1. */
static inline int64_t
fb_exposure_lookup(const FbExposureView *view, FbUnitKey key)
{
	uint32_t	range = fb_unit_scale(key.hash, view->ranges);

	return fb_exposure_find(view, key, view->index[range], view->index[range + 1]);
}

/* Returns the entry at a position. */
static inline const char *
fb_exposure_entry(const FbExposureView *view, uint32_t position)
{
	return view->entries + (size_t) position * view->stride;
}

/* Returns the time of first exposure of an entry. */
static inline int64_t
fb_exposure_at(const char *entry, unsigned words)
{
	return (int64_t) fb_unit_payload(entry, words);
}

#endif							/* FB_EXPOSURES_H */
