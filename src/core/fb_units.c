/*
 * fb_units.c
 *		Growing and packing a table of units in its own memory.
 */
#include <stdlib.h>

#include "core/fb_units.h"

/* A table starts with so many homes, and has so many slots behind the last one. */
#define FIRST_HOMES 256
#define SPARE_SLOTS 64
#define SMALL_HOMES 200000

/* Makes an empty table, without memory yet. */
void
fb_unit_table_init(FbUnitTable *table, int kind, FbResize resize, void *context)
{
	memset(table, 0, sizeof(*table));
	table->kind = kind;
	table->words = FB_UNIT_WORDS(kind);
	table->stride = FB_UNIT_STRIDE(kind);
	table->packed = true;
	table->resize = resize;
	table->context = context;
}

/* Orders entries of one word. */
static int
compare_short(const void *a, const void *b)
{
	return fb_unit_compare(fb_unit_key(a, 1), fb_unit_key(b, 1));
}

/* Orders entries of two words. */
static int
compare_long(const void *a, const void *b)
{
	return fb_unit_compare(fb_unit_key(a, 2), fb_unit_key(b, 2));
}

/* Sorts a run of entries that stood side by side: mostly few, and nearly in order. */
static void
sort_run(char *run, size_t count, unsigned words, unsigned stride)
{
	char		moved[FB_UNIT_STRIDE(FB_UNITS_TEXT)];

	if (count > 64)
	{
		qsort(run, count, stride, words == 1 ? compare_short : compare_long);
		return;
	}
	for (size_t i = 1; i < count; i++)
	{
		FbUnitKey	key = fb_unit_key(run + i * stride, words);
		size_t		place = i;

		while (place > 0 && fb_unit_compare(key, fb_unit_key(run + (place - 1) * stride, words)) < 0)
			place--;
		if (place == i)
			continue;
		memcpy(moved, run + i * stride, stride);
		memmove(run + (place + 1) * stride, run + place * stride, (i - place) * stride);
		memcpy(run + place * stride, moved, stride);
	}
}

/*
 * Moves all entries to the front, sorted by key. No entry stands before its
 * home or behind an empty slot that follows it, so that runs between empty
 * slots follow each other in order and only their insides need sorting.
 */
void
fb_unit_table_pack(FbUnitTable *table)
{
	unsigned	words = table->words;
	unsigned	stride = table->stride;
	char	   *into = table->slots;
	char	   *run = into;

	if (table->packed)
		return;
	for (size_t i = 0; i < table->room; i++)
	{
		const char *entry = table->slots + i * stride;

		if (fb_unit_tag(entry, words) == 0)
		{
			if (into > run)
				sort_run(run, (size_t) (into - run) / stride, words, stride);
			run = into;
			continue;
		}
		if (into != entry)
			memcpy(into, entry, stride);
		into += stride;
	}
	if (into > run)
		sort_run(run, (size_t) (into - run) / stride, words, stride);
	table->packed = true;
}

/* Returns the slots that the entries of a packed table take when spread over so many homes. */
static size_t
slots_needed(const FbUnitTable *table, uint32_t homes)
{
	size_t		next = 0;

	for (uint32_t i = 0; i < table->count; i++)
	{
		size_t		home = fb_unit_scale(fb_load64(table->slots + (size_t) i * table->stride), homes);

		next = (home > next ? home : next) + 1;
	}
	return (next > homes ? next : homes) + SPARE_SLOTS;
}

/*
 * Spreads a packed table over more homes in its own memory. The entries first
 * move to the end; from there each goes to its home or behind its
 * predecessor. All of them fit, so what is written never overtakes what is
 * still to be read.
 */
static void
spread(FbUnitTable *table, uint32_t homes)
{
	unsigned	stride = table->stride;
	size_t		bytes = (size_t) table->count * stride;
	size_t		room = slots_needed(table, homes);
	size_t		next = 0;
	const char *from;

	if (room > table->room || table->slots == NULL)
	{
		table->slots = table->resize(table->context, table->slots, table->room * stride, room * stride);
		table->room = room;
	}
	room = table->room;
	from = table->slots + room * stride - bytes;
	memmove(table->slots + room * stride - bytes, table->slots, bytes);
	for (uint32_t i = 0; i < table->count; i++, from += stride)
	{
		size_t		home = fb_unit_scale(fb_load64(from), homes);

		if (home > next)
		{
			memset(table->slots + next * stride, 0, (home - next) * stride);
			next = home;
		}
		if (from != table->slots + next * stride)
			memmove(table->slots + next * stride, from, stride);
		next++;
	}
	memset(table->slots + next * stride, 0, (room - next) * stride);
	table->homes = homes;
	table->packed = false;
}

/*
 * Makes room for more entries: at most three of four homes are taken. A small
 * table grows fourfold, which saves copies; a large one by half, which saves
 * memory. Returns false where there would be too many units.
 */
bool
fb_unit_table_reserve(FbUnitTable *table, uint32_t more)
{
	uint64_t	count = (uint64_t) table->count + more;
	uint64_t	homes = table->homes;

	if (homes - homes / 4 >= count && !table->packed)
		return true;
	if (count > FB_UNIT_MAX)
		return false;
	if (homes == 0)
		homes = FIRST_HOMES;
	while (homes - homes / 4 < count)
		homes += homes < SMALL_HOMES ? 3 * homes : homes / 2;
	if (homes > UINT32_MAX)
		homes = UINT32_MAX;
	fb_unit_table_pack(table);
	spread(table, (uint32_t) homes);
	return true;
}

/* Adds slots behind the last home, where fb_unit_table_place found no place. */
void
fb_unit_table_extend(FbUnitTable *table)
{
	size_t		room = table->room + table->room / 4 + SPARE_SLOTS;
	unsigned	stride = table->stride;

	table->slots = table->resize(table->context, table->slots, table->room * stride, room * stride);
	memset(table->slots + table->room * stride, 0, (room - table->room) * stride);
	table->room = room;
}

/* Fills an empty table with entries that are sorted by key. */
void
fb_unit_table_load(FbUnitTable *table, const char *entries, uint32_t count)
{
	if (count == 0)
		return;
	table->slots = table->resize(table->context, table->slots, table->room * table->stride, (size_t) count * table->stride);
	table->room = count;
	table->count = count;
	table->packed = true;
	table->homes = 0;
	memcpy(table->slots, entries, (size_t) count * table->stride);
}

/* Tells whether entries are sorted by key without duplicates, and none is empty. */
bool
fb_units_sorted(const char *entries, uint32_t count, unsigned words)
{
	unsigned	stride = 8 * words + 10;

	for (uint32_t i = 0; i < count; i++)
	{
		const char *entry = entries + (size_t) i * stride;

		if (fb_unit_tag(entry, words) == 0)
			return false;
		if (i > 0 && fb_unit_compare(fb_unit_key(entry - stride, words), fb_unit_key(entry, words)) >= 0)
			return false;
	}
	return true;
}
