/*
 * fb_exposures.c
 *		Laying out, reading and checking exposure maps.
 */
#include "core/fb_exposures.h"
#include "core/fb_wire.h"

#define ALIGN8(size) (((size) + 7) & ~(size_t) 7)

/* Orders names by bytes. */
static int
compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int			order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* Orders arms by variation, then by stratum; none comes first. */
int
fb_arm_compare(const FbArm *a, const FbArm *b)
{
	int			order = compare_bytes(a->variation, a->variation_length, b->variation, b->variation_length);

	if (order != 0)
		return order;
	if (a->stratum == NULL || b->stratum == NULL)
		return (a->stratum != NULL) - (b->stratum != NULL);
	return compare_bytes(a->stratum, a->stratum_length, b->stratum, b->stratum_length);
}

/* Tells whether two arms serve the same variation. */
bool
fb_arm_same_variation(const FbArm *a, const FbArm *b)
{
	return a->variation_length == b->variation_length && memcmp(a->variation, b->variation, a->variation_length) == 0;
}

/*
 * Joins two exposures of a unit: the earlier one stays, of two at the same
 * time the one whose arm comes first by name, so that the order in which
 * exposures are read makes no difference. Writes the time and returns the tag.
 */
uint16_t
fb_exposure_join(const FbArm *arms, int64_t *at, uint16_t tag, int64_t other_at, uint16_t other_tag)
{
	uint16_t	mixed = (tag | other_tag) & FB_TAG_MIXED;
	uint32_t	arm = FB_TAG_ARM(tag);
	uint32_t	other = FB_TAG_ARM(other_tag);

	if (arm != other)
	{
		if (!fb_arm_same_variation(&arms[arm], &arms[other]))
			mixed = FB_TAG_MIXED;
		if (other_at < *at || (other_at == *at && fb_arm_compare(&arms[other], &arms[arm]) < 0))
			arm = other;
	}
	if (other_at < *at)
		*at = other_at;
	return (uint16_t) (arm + 1) | mixed;
}

/* Gives the arms of entries other numbers. */
void
fb_exposures_renumber(char *entries, uint32_t units, unsigned words, const uint16_t *place)
{
	unsigned	stride = 8 * words + 10;

	for (uint32_t i = 0; i < units; i++)
	{
		char	   *entry = entries + (size_t) i * stride;
		uint16_t	tag = fb_unit_tag(entry, words);

		fb_unit_set_tag(entry, words, (uint16_t) (place[FB_TAG_ARM(tag)] + 1) | (tag & FB_TAG_MIXED));
	}
}

/* Returns the bytes of all names. */
static size_t
names_size(const FbArm *arms, uint32_t narms)
{
	size_t		size = 0;

	for (uint32_t i = 0; i < narms; i++)
		size += (size_t) arms[i].variation_length + arms[i].stratum_length;
	return size;
}

/* Returns the offset of the index in a map. */
static size_t
index_offset(uint32_t narms, size_t names)
{
	return ALIGN8(sizeof(FbExposures) + (size_t) narms * 8 + names);
}

/* Returns the offset of the entries in a map. */
static size_t
entries_offset(uint32_t narms, size_t names, uint32_t ranges)
{
	return ALIGN8(index_offset(narms, names) + ((size_t) ranges + 1) * sizeof(uint32_t));
}

/* Returns the size of the head of a map. */
size_t
fb_exposures_head_size(const FbArm *arms, uint32_t narms, uint32_t units)
{
	return entries_offset(narms, names_size(arms, narms), FB_EXPOSURE_RANGES(units));
}

/*
 * Completes a head whose names are written: the index of the entries, and the
 * fingerprint, XXH3-128 of the entries seeded by everything else.
 */
static void
finish_head(FbExposures *map, const char *entries)
{
	uint32_t   *index = (uint32_t *) ((char *) map + index_offset(map->arms, map->names));
	unsigned	stride = FB_UNIT_STRIDE(map->kind);
	uint64_t	seed = XXH3_64bits_withSeed(map + 1, (size_t) map->arms * 8 + map->names, map->kind);
	uint32_t	range = 0;
	XXH128_hash_t hash;

	for (uint32_t i = 0; i < map->units; i++)
	{
		uint32_t	own = fb_unit_scale(fb_load64(entries + (size_t) i * stride), map->ranges);

		while (range <= own)
			index[range++] = i;
	}
	while (range <= map->ranges)
		index[range++] = map->units;
	hash = XXH3_128bits_withSeed(map->units > 0 ? entries : "", (size_t) map->units * stride, seed);
	map->fingerprint[0] = hash.high64;
	map->fingerprint[1] = hash.low64;
}

/* Writes the head of a map of entries sorted by key and arms sorted by name; the header word is the caller's business. */
void
fb_exposures_write_head(FbExposures *map, int kind, const FbArm *arms, uint32_t narms,
						const char *entries, uint32_t units)
{
	uint32_t   *lengths = (uint32_t *) (map + 1);
	char	   *name = (char *) (lengths + 2 * (size_t) narms);
	uint32_t	vl_len = map->vl_len_;

	memset(map, 0, fb_exposures_head_size(arms, narms, units));
	map->vl_len_ = vl_len;
	map->version = FB_EXPOSURES_VERSION;
	map->kind = (uint8_t) kind;
	map->arms = (uint16_t) narms;
	map->units = units;
	map->ranges = FB_EXPOSURE_RANGES(units);
	map->names = (uint32_t) names_size(arms, narms);
	for (uint32_t i = 0; i < narms; i++)
	{
		lengths[2 * i] = arms[i].variation_length;
		lengths[2 * i + 1] = arms[i].stratum ? arms[i].stratum_length + 1 : 0;
		memcpy(name, arms[i].variation, arms[i].variation_length);
		name += arms[i].variation_length;
		if (arms[i].stratum_length > 0)
			memcpy(name, arms[i].stratum, arms[i].stratum_length);
		name += arms[i].stratum_length;
	}
	finish_head(map, entries);
}

/* Finds the parts of a map whose entries are elsewhere. */
void
fb_exposures_view_head(const FbExposures *map, const char *entries, FbExposureView *view)
{
	view->kind = map->kind;
	view->words = FB_UNIT_WORDS(map->kind);
	view->stride = FB_UNIT_STRIDE(map->kind);
	view->arms = map->arms;
	view->units = map->units;
	view->ranges = map->ranges;
	view->fingerprint[0] = map->fingerprint[0];
	view->fingerprint[1] = map->fingerprint[1];
	view->index = (const uint32_t *) ((const char *) map + index_offset(map->arms, map->names));
	view->entries = entries;
	view->lengths = (const uint32_t *) (map + 1);
	view->names = (const char *) (view->lengths + 2 * (size_t) map->arms);
}

/*
 * Finds the parts of a map of so many bytes. What is stored was checked on its
 * way in; this notices damage of the frame and newer versions.
 */
bool
fb_exposures_view(const void *memory, size_t size, FbExposureView *view)
{
	const FbExposures *map = memory;
	const uint32_t *index;

	if (size < sizeof(FbExposures) || map->version != FB_EXPOSURES_VERSION || map->unused != 0 ||
		map->kind < FB_UNITS_BIGINT || map->kind > FB_UNITS_TEXT || map->arms > FB_MAX_ARMS ||
		map->units > FB_UNIT_MAX || map->ranges != FB_EXPOSURE_RANGES(map->units) ||
		size != entries_offset(map->arms, map->names, map->ranges) + (size_t) map->units * FB_UNIT_STRIDE(map->kind))
		return false;
	index = (const uint32_t *) ((const char *) memory + index_offset(map->arms, map->names));
	if (index[0] != 0 || index[map->ranges] != map->units)
		return false;
	fb_exposures_view_head(map, (const char *) memory + entries_offset(map->arms, map->names, map->ranges), view);
	return true;
}

/* Lists the arms of a map, whose names stay where they are; returns how many there are. */
uint32_t
fb_exposures_arms(const FbExposureView *view, FbArm *arms)
{
	const char *name = view->names;

	for (uint32_t i = 0; i < view->arms; i++)
	{
		uint32_t	stratum = view->lengths[2 * i + 1];

		arms[i].variation_length = view->lengths[2 * i];
		arms[i].variation = name;
		name += arms[i].variation_length;
		arms[i].stratum_length = stratum > 0 ? stratum - 1 : 0;
		arms[i].stratum = stratum > 0 ? name : NULL;
		name += arms[i].stratum_length;
	}
	return view->arms;
}

/* The binary form starts with version, kind, arms and units. */
#define HEAD_BYTES 8

/* Returns the length of the binary form. */
size_t
fb_exposures_bytes(const FbExposureView *view)
{
	size_t		names = 0;

	for (uint32_t i = 0; i < view->arms; i++)
		names += view->lengths[2 * i] + (view->lengths[2 * i + 1] > 0 ? view->lengths[2 * i + 1] - 1 : 0);
	return HEAD_BYTES + (size_t) view->arms * 8 + names + (size_t) view->units * view->stride;
}

/* Writes the binary form. */
void
fb_exposures_send(const FbExposureView *view, unsigned char *to)
{
	const char *name = view->names;

	to = fb_put(to, FB_EXPOSURES_VERSION, 1);
	to = fb_put(to, (uint64_t) view->kind, 1);
	to = fb_put(to, view->arms, 2);
	to = fb_put(to, view->units, 4);
	for (uint32_t i = 0; i < view->arms; i++)
	{
		uint32_t	length = view->lengths[2 * i] + (view->lengths[2 * i + 1] > 0 ? view->lengths[2 * i + 1] - 1 : 0);

		to = fb_put(to, view->lengths[2 * i], 4);
		to = fb_put(to, view->lengths[2 * i + 1], 4);
		memcpy(to, name, length);
		to += length;
		name += length;
	}
	for (uint32_t i = 0; i < view->units; i++)
	{
		const char *entry = fb_exposure_entry(view, i);

		for (unsigned word = 0; word < view->words; word++)
			to = fb_put(to, fb_load64(entry + 8 * word), 8);
		to = fb_put(to, fb_unit_payload(entry, view->words), 8);
		to = fb_put(to, fb_unit_tag(entry, view->words), 2);
	}
}

/*
 * Returns the size of the map that a binary form stands for, or 0 and the
 * sentence that says what is wrong. All lengths are right then.
 */
size_t
fb_exposures_measure(const unsigned char *bytes, size_t length, const char **detail)
{
	uint64_t	names = 0;
	uint64_t	units;
	uint32_t	arms;
	size_t		at = HEAD_BYTES;

	*detail = "The value is too short.";
	if (length < HEAD_BYTES)
		return 0;
	if (bytes[0] != FB_EXPOSURES_VERSION)
	{
		*detail = "The version is not supported.";
		return 0;
	}
	if (bytes[1] < FB_UNITS_BIGINT || bytes[1] > FB_UNITS_TEXT)
	{
		*detail = "The kind of units is unknown.";
		return 0;
	}
	arms = (uint32_t) fb_get(bytes + 2, 2);
	units = fb_get(bytes + 4, 4);
	if (arms > FB_MAX_ARMS || units > FB_UNIT_MAX)
	{
		*detail = "There are too many arms or units.";
		return 0;
	}
	for (uint32_t i = 0; i < arms; i++)
	{
		uint64_t	own;

		if (length - at < 8)
			return 0;
		own = fb_get(bytes + at, 4) + fb_get(bytes + at + 4, 4);
		if (fb_get(bytes + at + 4, 4) > 0)
			own--;
		at += 8;
		if (own > length - at)
			return 0;
		at += (size_t) own;
		names += own;
	}
	if (length - at != units * FB_UNIT_STRIDE(bytes[1]))
	{
		*detail = "The length does not fit the number of units.";
		return 0;
	}
	return entries_offset(arms, names, FB_EXPOSURE_RANGES((uint32_t) units)) + (size_t) units * FB_UNIT_STRIDE(bytes[1]);
}

/*
 * Writes the map of a binary form that fb_exposures_measure has found good
 * into memory of the size that it told, all zero. Returns false and the sentence that says
 * what is wrong for what no exposures could have made.
 */
bool
fb_exposures_receive(const unsigned char *bytes, FbExposures *map, const char **detail)
{
	uint32_t   *lengths = (uint32_t *) (map + 1);
	char	   *names;
	char	   *entry;
	FbArm		arm = {0};
	FbArm		previous = {0};
	unsigned	words;
	const unsigned char *at = bytes + HEAD_BYTES;

	map->version = FB_EXPOSURES_VERSION;
	map->kind = bytes[1];
	map->arms = (uint16_t) fb_get(bytes + 2, 2);
	map->units = (uint32_t) fb_get(bytes + 4, 4);
	map->ranges = FB_EXPOSURE_RANGES(map->units);
	words = FB_UNIT_WORDS(map->kind);
	names = (char *) (lengths + 2 * (size_t) map->arms);
	for (uint32_t i = 0; i < map->arms; i++)
	{
		arm.variation_length = lengths[2 * i] = (uint32_t) fb_get(at, 4);
		lengths[2 * i + 1] = (uint32_t) fb_get(at + 4, 4);
		arm.stratum_length = lengths[2 * i + 1] > 0 ? lengths[2 * i + 1] - 1 : 0;
		at += 8;
		arm.variation = names + map->names;
		arm.stratum = lengths[2 * i + 1] > 0 ? arm.variation + arm.variation_length : NULL;
		memcpy(names + map->names, at, arm.variation_length + (size_t) arm.stratum_length);
		at += arm.variation_length + (size_t) arm.stratum_length;
		map->names += arm.variation_length + arm.stratum_length;
		if (i > 0 && fb_arm_compare(&previous, &arm) >= 0)
		{
			*detail = "The arms must be different and in the order of their names.";
			return false;
		}
		previous = arm;
	}
	entry = (char *) map + entries_offset(map->arms, map->names, map->ranges);
	for (uint32_t i = 0; i < map->units; i++, entry += FB_UNIT_STRIDE(map->kind))
	{
		uint32_t	tag;

		for (unsigned word = 0; word < words; word++, at += 8)
			fb_store64(entry + 8 * word, fb_get(at, 8));
		fb_unit_set_payload(entry, words, fb_get(at, 8));
		tag = (uint32_t) fb_get(at + 8, 2);
		at += 10;
		if ((tag & 0x7fff) < 1 || (tag & 0x7fff) > map->arms)
		{
			*detail = "A unit refers to an arm that does not exist.";
			return false;
		}
		fb_unit_set_tag(entry, words, (uint16_t) tag);
	}
	entry = (char *) map + entries_offset(map->arms, map->names, map->ranges);
	if (!fb_units_sorted(entry, map->units, words))
	{
		*detail = "The units must be different and in the order of their keys.";
		return false;
	}
	finish_head(map, entry);
	*detail = NULL;
	return true;
}
