/*
 * exposure_map.c
 *		The aggregate exposure_map: transition, combine and final functions,
 *		and the expanded form of its type.
 *
 * While exposures are read, units are in an open hash table; a map that is
 * complete is packed, sorted and indexed, and lookups use it in place, be it
 * expanded or flat. Exposures join in a way that does not depend on their
 * order, and what is stored depends on nothing but them.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "metrics/units.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_exposure_accum_bigint);
PG_FUNCTION_INFO_V1(fb_exposure_accum_uuid);
PG_FUNCTION_INFO_V1(fb_exposure_accum_text);
PG_FUNCTION_INFO_V1(fb_exposure_combine);
PG_FUNCTION_INFO_V1(fb_exposure_final);

static Size flat_size(ExpandedObjectHeader *header);
static void flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods methods = {flat_size, flatten_into};

/* Makes an empty map in a memory context of its own below parent. */
FbExposureState *
fb_exposure_state_new(int kind, MemoryContext parent, bool limited)
{
	MemoryContext context = AllocSetContextCreate(parent, "featbit exposure map", ALLOCSET_START_SMALL_SIZES);
	FbExposureState *state = MemoryContextAllocZero(context, sizeof(FbExposureState));

	EOH_init_header(&state->hdr, &methods, context);
	state->magic = FB_EXPOSURE_MAGIC;
	fb_unit_memory_init(&state->memory, context, "the exposure map", limited);
	fb_unit_table_init(&state->table, kind, fb_unit_resize, &state->memory);
	return state;
}

/* Hashes the names of an arm. */
static uint64
hash_arm(const FbArm *arm)
{
	uint64		hash = XXH3_64bits(arm->variation, arm->variation_length);

	return arm->stratum ? XXH3_64bits_withSeed(arm->stratum, arm->stratum_length, hash) : hash;
}

/* Puts all arms into an index of twice their number and more. */
static void
index_arms(FbExposureState *state)
{
	uint32		slots = 16;

	while (slots < 2 * (state->narms + 1))
		slots *= 2;
	if (state->arm_index)
		pfree(state->arm_index);
	state->arm_slots = slots;
	state->arm_index = MemoryContextAllocZero(state->hdr.eoh_context, sizeof(uint16) * slots);
	for (uint32 i = 0; i < state->narms; i++)
	{
		uint32		slot = hash_arm(&state->arms[i]) & (slots - 1);

		while (state->arm_index[slot] != 0)
			slot = (slot + 1) & (slots - 1);
		state->arm_index[slot] = i + 1;
	}
}

/* Copies a name into the state. */
static const char *
copy_name(FbExposureState *state, const char *name, uint32 length)
{
	char	   *copy;

	if (name == NULL)
		return NULL;
	copy = MemoryContextAlloc(state->hdr.eoh_context, length + 1);
	memcpy(copy, name, length);
	return copy;
}

/* Tells whether two arms are the same. */
static inline bool
same_arm(const FbArm *a, const FbArm *b)
{
	return fb_arm_same_variation(a, b) && a->stratum_length == b->stratum_length &&
		(a->stratum == NULL) == (b->stratum == NULL) &&
		(a->stratum == NULL || memcmp(a->stratum, b->stratum, a->stratum_length) == 0);
}

/* Returns the number of an arm, which is stored if it is new. */
static uint32
arm_number(FbExposureState *state, const FbArm *arm)
{
	uint32		slot;
	FbArm	   *added;

	if (state->last_arm < state->narms && same_arm(arm, &state->arms[state->last_arm]))
		return state->last_arm;
	if (state->arm_index == NULL || state->arm_slots < 2 * (state->narms + 1))
		index_arms(state);
	slot = hash_arm(arm) & (state->arm_slots - 1);
	while (state->arm_index[slot] != 0)
	{
		uint32		number = state->arm_index[slot] - 1;

		if (same_arm(arm, &state->arms[number]))
			return state->last_arm = number;
		slot = (slot + 1) & (state->arm_slots - 1);
	}
	if (state->narms == FB_MAX_ARMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an exposure map may have at most %d variations and strata", FB_MAX_ARMS),
				 errhint("Check that the arguments are in the order unit, time, variation, stratum.")));
	if (state->narms == state->arm_space)
	{
		uint32		space = state->arm_space == 0 ? 8 : state->arm_space * 2;

		state->arms = fb_unit_resize(&state->memory, state->arms, state->arm_space * sizeof(FbArm), space * sizeof(FbArm));
		state->arm_space = space;
	}
	state->memory.used += arm->variation_length + arm->stratum_length + 34;
	added = &state->arms[state->narms];
	*added = *arm;
	added->variation = copy_name(state, arm->variation, arm->variation_length);
	added->stratum = copy_name(state, arm->stratum, arm->stratum_length);
	state->arm_index[slot] = ++state->narms;
	return state->last_arm = state->narms - 1;
}

/* Puts exposures into the table; their memory has been asked for. */
static void
place(FbExposureState *state, const FbUnitKey *key, const int64 *at, const uint16 *tag, int count)
{
	FbUnitTable *table = &state->table;
	unsigned	words = table->words;

	if (!fb_unit_table_reserve(table, count))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an exposure map may have at most %u units", FB_UNIT_MAX)));
	for (int i = 0; i < count; i++)
	{
		bool		found;
		char	   *entry = fb_unit_table_place(table, key[i], &found);

		while (unlikely(entry == NULL))
		{
			fb_unit_table_extend(table);
			entry = fb_unit_table_place(table, key[i], &found);
		}
		if (!found)
		{
			fb_unit_set_payload(entry, words, (uint64) at[i]);
			fb_unit_set_tag(entry, words, tag[i]);
		}
		else
		{
			int64		first = (int64) fb_unit_payload(entry, words);
			uint16		joined = fb_exposure_join(state->arms, &first, fb_unit_tag(entry, words), at[i], tag[i]);

			fb_unit_set_payload(entry, words, (uint64) first);
			fb_unit_set_tag(entry, words, joined);
		}
	}
}

/* Puts the exposures that wait into the table. */
static void
place_waiting(FbExposureState *state)
{
	if (state->waiting > 0)
		place(state, state->key, state->at, state->tag, state->waiting);
	state->waiting = 0;
}

/* Makes a complete map ready for more exposures. */
static void
reopen(FbExposureState *state)
{
	if (state->head == NULL)
		return;
	pfree(state->head);
	state->head = NULL;
}

/* Adds an exposure. */
static inline void
add_exposure(FbExposureState *state, FbUnitKey key, int64 at, uint16 tag)
{
	int			i = state->waiting++;

	if (!state->table.packed)
		fb_unit_table_prefetch(&state->table, key);
	state->key[i] = key;
	state->at[i] = at;
	state->tag[i] = tag;
	if (state->waiting == FB_UNIT_BATCH)
		place_waiting(state);
}

/* Orders numbers of arms by the names behind them. */
static int
compare_arms(const void *a, const void *b, void *arms)
{
	return fb_arm_compare((const FbArm *) arms + *(const uint16 *) a, (const FbArm *) arms + *(const uint16 *) b);
}

/* Puts the arms into the order of their names. */
static void
sort_arms(FbExposureState *state)
{
	MemoryContext context = state->hdr.eoh_context;
	uint16	   *order = MemoryContextAlloc(context, sizeof(uint16) * (state->narms + 1));
	uint16	   *place = MemoryContextAlloc(context, sizeof(uint16) * (state->narms + 1));
	FbArm	   *sorted = MemoryContextAlloc(context, sizeof(FbArm) * (state->narms + 1));
	bool		moved = false;

	for (uint32 i = 0; i < state->narms; i++)
		order[i] = i;
	qsort_arg(order, state->narms, sizeof(uint16), compare_arms, state->arms);
	for (uint32 i = 0; i < state->narms; i++)
	{
		place[order[i]] = i;
		sorted[i] = state->arms[order[i]];
		moved = moved || order[i] != i;
	}
	if (moved)
	{
		fb_exposures_renumber(state->table.slots, state->table.count, state->table.words, place);
		memcpy(state->arms, sorted, sizeof(FbArm) * state->narms);
		pfree(state->arm_index);
		state->arm_index = NULL;
		state->last_arm = 0;
	}
	pfree(order);
	pfree(place);
	pfree(sorted);
}

/* Completes a map: packs and sorts it and makes its head. */
void
fb_exposure_state_complete(FbExposureState *state)
{
	FbUnitTable *table = &state->table;
	Size		size;

	if (state->head != NULL)
		return;
	place_waiting(state);
	fb_unit_table_pack(table);
	sort_arms(state);
	size = Max((Size) table->count, 1) * table->stride;
	if (table->room * table->stride > size + size / 16)
	{
		table->slots = fb_unit_resize(&state->memory, table->slots, table->room * table->stride, size);
		table->room = Max(table->count, 1);
	}
	size = fb_exposures_head_size(state->arms, state->narms, table->count);
	state->head = MemoryContextAllocHuge(state->hdr.eoh_context, size);
	fb_exposures_write_head(state->head, table->kind, state->arms, state->narms, table->slots, table->count);
	fb_exposures_view_head(state->head, table->slots, &state->view);
}

/* Fills an empty state with a complete map. */
void
fb_exposure_state_load(FbExposureState *state, const FbExposureView *view)
{
	FbArm	   *arms = palloc(sizeof(FbArm) * (view->arms + 1));

	fb_exposures_arms(view, arms);
	for (uint32 i = 0; i < view->arms; i++)
		arm_number(state, &arms[i]);
	fb_unit_table_load(&state->table, view->entries, view->units);
	pfree(arms);
}

/* Adds the exposures of another map. */
static void
merge(FbExposureState *state, const FbExposureView *view)
{
	FbArm	   *arms;
	uint16	   *number;
	FbUnitKey	key[FB_UNIT_BATCH];
	int64		at[FB_UNIT_BATCH];
	uint16		tag[FB_UNIT_BATCH];

	place_waiting(state);
	if (state->table.count == 0 && state->narms == 0)
	{
		fb_exposure_state_load(state, view);
		return;
	}
	arms = palloc(sizeof(FbArm) * (view->arms + 1));
	number = palloc(sizeof(uint16) * (view->arms + 1));
	fb_exposures_arms(view, arms);
	for (uint32 i = 0; i < view->arms; i++)
		number[i] = arm_number(state, &arms[i]);
	for (uint32 from = 0; from < view->units; from += FB_UNIT_BATCH)
	{
		int			count = Min(FB_UNIT_BATCH, view->units - from);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count; i++)
		{
			const char *entry = fb_exposure_entry(view, from + i);
			uint16		other = fb_unit_tag(entry, view->words);

			key[i] = fb_unit_key(entry, view->words);
			at[i] = fb_exposure_at(entry, view->words);
			tag[i] = (number[FB_TAG_ARM(other)] + 1) | (other & FB_TAG_MIXED);
		}
		place(state, key, at, tag, count);
	}
	pfree(arms);
	pfree(number);
}

/* Returns the size of the flat form. */
static Size
flat_size(ExpandedObjectHeader *header)
{
	FbExposureState *state = (FbExposureState *) header;
	Size		size;

	fb_exposure_state_complete(state);
	size = fb_exposures_head_size(state->arms, state->narms, state->table.count) +
		(Size) state->table.count * state->table.stride;
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an exposure map of %u units is larger than 1 GB", state->table.count),
				 errhint("Take one part of the units at a time: read only rows with featbit.unit_partition(unit, 8) = 0, then with 1 to 7, and merge the stats with rollup.")));
	return size;
}

/* Writes the flat form. */
static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	FbExposureState *state = (FbExposureState *) header;
	Size		head = fb_exposures_head_size(state->arms, state->narms, state->table.count);

	memcpy(result, state->head, head);
	if (state->table.count > 0)
		memcpy((char *) result + head, state->table.slots, (Size) state->table.count * state->table.stride);
	SET_VARSIZE(result, allocated_size);
}

/* Finds the parts of a flat map that is neither compressed nor elsewhere. */
void
fb_exposure_flat_view(const void *flat, FbExposureView *view)
{
	if (!fb_exposures_view(flat, VARSIZE(flat), view))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type featbit.exposure_map is corrupt or of a newer version")));
}

/* Returns the expanded object behind a datum, or NULL for a flat one. */
FbExposureState *
fb_exposure_state_expanded(Datum map)
{
	FbExposureState *state;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(map)))
		return NULL;
	state = (FbExposureState *) DatumGetEOHP(map);
	if (state->magic != FB_EXPOSURE_MAGIC)
		elog(ERROR, "unexpected expanded object in place of an exposure map");
	return state;
}

/* Finds the parts of a map, which stay valid as long as the datum and the current memory context. */
void
fb_exposure_datum_view(Datum map, FbExposureView *view)
{
	FbExposureState *state = fb_exposure_state_expanded(map);

	if (state == NULL)
		fb_exposure_flat_view(PG_DETOAST_DATUM(map), view);
	else
	{
		fb_exposure_state_complete(state);
		*view = state->view;
	}
}

/* Returns argument 0 as a map that may be changed: the aggregate's own, or a copy in its context. */
static FbExposureState *
updatable(FunctionCallInfo fcinfo, MemoryContext context)
{
	Datum		value = PG_GETARG_DATUM(0);
	FbExposureState *state;
	FbExposureView view;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
	{
		state = fb_exposure_state_expanded(value);
		reopen(state);
		return state;
	}
	fb_exposure_datum_view(value, &view);
	state = fb_exposure_state_new(view.kind, context, true);
	fb_exposure_state_load(state, &view);
	return state;
}

/* Reads a name of an arm. */
static const char *
name_argument(FunctionCallInfo fcinfo, int argument, uint32 *length)
{
	text	   *name;

	*length = 0;
	if (PG_NARGS() <= argument || PG_ARGISNULL(argument))
		return NULL;
	name = fb_text_in_line(PG_GETARG_DATUM(argument));
	*length = VARSIZE_ANY_EXHDR(name);
	return fb_unit_utf8(VARDATA_ANY(name), length);
}

/* Adds an exposure. */
static inline Datum
accumulate(FunctionCallInfo fcinfo, int kind)
{
	MemoryContext context = fb_aggregate_context(fcinfo, "exposure_accum");
	FbExposureState *state;
	FbArm		arm;

	if (PG_ARGISNULL(0))
		state = fb_exposure_state_new(kind, context, true);
	else
		state = updatable(fcinfo, context);
	if (unlikely(state->table.kind != kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the exposure map has units of another type")));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return EOHPGetRWDatum(&state->hdr);
	arm.variation = name_argument(fcinfo, 3, &arm.variation_length);
	arm.stratum = name_argument(fcinfo, 4, &arm.stratum_length);
	add_exposure(state, fb_unit_from_datum(PG_GETARG_DATUM(1), kind), PG_GETARG_TIMESTAMPTZ(2),
				 arm_number(state, &arm) + 1);
	return EOHPGetRWDatum(&state->hdr);
}

/* exposure_accum(state, unit bigint, at, variation [, stratum]) */
Datum
fb_exposure_accum_bigint(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_BIGINT);
}

/* exposure_accum(state, unit uuid, at, variation [, stratum]) */
Datum
fb_exposure_accum_uuid(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_UUID);
}

/* exposure_accum(state, unit text, at, variation [, stratum]) */
Datum
fb_exposure_accum_text(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_TEXT);
}

/* exposure_combine(map, map): combine function, and transition of rollup */
Datum
fb_exposure_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = fb_aggregate_context(fcinfo, "exposure_combine");
	FbExposureState *state;
	FbExposureView view;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&updatable(fcinfo, context)->hdr);
	}
	fb_exposure_datum_view(PG_GETARG_DATUM(1), &view);
	if (PG_ARGISNULL(0))
		state = fb_exposure_state_new(view.kind, context, true);
	else
		state = updatable(fcinfo, context);
	if (state->table.kind != view.kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge exposure maps of units of different types")));
	merge(state, &view);
	return EOHPGetRWDatum(&state->hdr);
}

/* exposure_final(map): completes the map */
Datum
fb_exposure_final(PG_FUNCTION_ARGS)
{
	FbExposureState *state;

	fb_aggregate_context(fcinfo, "exposure_final");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = fb_exposure_state_expanded(PG_GETARG_DATUM(0));
	if (state == NULL)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	fb_exposure_state_complete(state);
	return fb_expanded_result(fcinfo, &state->hdr);
}
