/*
 * fb_set.c
 *		Builds and probes sets of strings.
 */
#include <string.h>

#include "core/fb_hash.h"
#include "core/fb_set.h"
#include "core/fb_value.h"

/* A set within both limits is searched without a hash; the lengths of its entries have one byte. */
#define SCANNED_ENTRIES	8
#define SCANNED_BYTES	64

/* Returns the number of slots for count strings: a power of two, at most 3/4 full. */
static uint32_t
slots_for(uint32_t count)
{
	uint64_t	slots = 4;

	while (slots * 3 < (uint64_t) count * 4)
		slots *= 2;
	return (uint32_t) slots;
}

/* Returns the memory that a set of count strings of total_length bytes needs at most. */
size_t
fb_set_size(uint32_t count, size_t total_length)
{
	size_t		slots = slots_for(count);
	size_t		length_bytes = total_length < 128 ? count : (size_t) count + total_length / 128 * 4;

	return slots * (sizeof(uint32_t) + 1) + length_bytes + total_length;
}

/* Lays an empty set out in memory of fb_set_size, aligned for uint32_t. */
void
fb_set_init(FbSet *set, void *memory, uint32_t count)
{
	uint32_t	slots = slots_for(count);

	set->count = 0;
	set->mask = slots - 1;
	set->used = 0;
	set->offsets = memory;
	set->tags = (uint8_t *) (set->offsets + slots);
	set->bytes = (char *) (set->tags + slots);
	memset(set->tags, 0, slots);
}

/* Tells whether the entry at an offset is the string. */
static inline bool
entry_equals(const FbSet *set, uint32_t offset, FbString string)
{
	const unsigned char *entry = (const unsigned char *) set->bytes + offset;
	uint32_t	length = *entry & 0x7f;
	int			shift = 7;

	while (*entry++ & 0x80)
	{
		length |= (uint32_t) (*entry & 0x7f) << shift;
		shift += 7;
	}
	return length == string.length && fb_bytes_equal((const char *) entry, string.data, length);
}

/* Finds the slot of a string, or the empty slot where it belongs. */
static inline uint32_t
find_slot(const FbSet *set, FbString string, uint8_t *tag)
{
	uint64_t	hash = XXH3_64bits(string.data, string.length);
	uint32_t	slot = (uint32_t) hash & set->mask;

	*tag = (uint8_t) (hash >> 56) | 1;
	while (set->tags[slot] != 0)
	{
		if (set->tags[slot] == *tag && entry_equals(set, set->offsets[slot], string))
			break;
		slot = (slot + 1) & set->mask;
	}
	return slot;
}

/* Adds a string; false when it is there already. */
bool
fb_set_add(FbSet *set, FbString string)
{
	uint8_t		tag;
	uint32_t	slot = find_slot(set, string, &tag);
	uint32_t	length = string.length;

	if (set->tags[slot] != 0)
		return false;
	set->tags[slot] = tag;
	set->offsets[slot] = set->used;
	while (length >= 0x80)
	{
		set->bytes[set->used++] = (char) (length | 0x80);
		length >>= 7;
	}
	set->bytes[set->used++] = (char) length;
	if (string.length > 0)
		memcpy(set->bytes + set->used, string.data, string.length);
	set->used += string.length;
	set->count++;
	return true;
}

/* Searches the entries of a small set one after the other: cheaper than a hash. */
static inline bool
scan_entries(const FbSet *set, FbString string)
{
	const char *entry = set->bytes;
	uint32_t	i;

	for (i = 0; i < set->count; i++)
	{
		uint32_t	length = (unsigned char) *entry++;

		if (length == string.length && fb_bytes_equal(entry, string.data, length))
			return true;
		entry += length;
	}
	return false;
}

/* Tells whether a string is in the set. */
bool
fb_set_has(const FbSet *set, FbString string)
{
	uint8_t		tag;

	if (set->count <= SCANNED_ENTRIES && set->used <= SCANNED_BYTES)
		return scan_entries(set, string);
	return set->tags[find_slot(set, string, &tag)] != 0;
}

/* Finds the slot of a member, a number below the mask + 1; false when the string is no member. */
bool
fb_set_slot(const FbSet *set, FbString string, uint32_t *slot)
{
	uint8_t		tag;

	if (set->count == 0)
		return false;
	*slot = find_slot(set, string, &tag);
	return set->tags[*slot] != 0;
}
