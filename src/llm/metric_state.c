/*
 * metric_state.c
 *		Building, merging, loading and reading states of featbit.metric.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "llm/metric_state.h"
#include "pg_compat.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A cell's key: 6 bits of bucket, 29 bits of each label. */
#define LABEL_BITS 29
#define LABEL_MASK ((UINT64CONST(1) << LABEL_BITS) - 1)
#define CELL_KEY(bucket, gold, pred) \
	(((uint64) (bucket) << (2 * LABEL_BITS)) | ((uint64) (gold) << LABEL_BITS) | \
	 ((uint64) (pred) & LABEL_MASK))
#define CELL_BUCKET(key) ((uint32) ((key) >> (2 * LABEL_BITS)))
#define CELL_GOLD(key) ((uint32) (((key) >> LABEL_BITS) & LABEL_MASK))
#define CELL_PRED(key) ((uint32) ((key) & LABEL_MASK))
#define CELL_ABSTAIN ((uint32) LABEL_MASK)

/* Mixes a cell's key into 32 bits (the finalizer of MurmurHash3). */
static inline uint32
cell_hash(uint64 key)
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
#define SH_HASH_KEY(tb, key) cell_hash(key)
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

/* Room an entry takes in a table that is between half and nine tenths full. */
#define ENTRY_BYTES(type) (sizeof(type) * 3 / 2)

/* Whether a state counts pairs of labels. */
bool
fb_metric_state_keeps_cells(const FbMetricState *state)
{
	return state->info->id != FB_METRIC_ACCURACY;
}

/* Whether a state counts rows and right answers per unit. */
bool
fb_metric_state_keeps_units(const FbMetricState *state)
{
	return state->info->id == FB_METRIC_ACCURACY && state->has_unit;
}

/* Returns the memory a state may take while it grows. */
Size
fb_metric_state_limit(void)
{
	double		limit = (double) work_mem * 1024.0 * hash_mem_multiplier;

	/* A flat value must stay below a gigabyte. */
	return (Size) Min(limit, (double) (MaxAllocSize / 2));
}

/* Makes an empty state, in a memory context of its own below parent. */
FbMetricState *
fb_metric_state_new(const FbLabelMetricInfo *info, bool has_unit, Size limit, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "featbit metric state",
												  ALLOCSET_START_SMALL_SIZES);
	FbMetricState *state = MemoryContextAllocZero(context, sizeof(FbMetricState));

	EOH_init_header(&state->hdr, &fb_metric_state_methods, context);
	state->magic = FB_METRIC_STATE_MAGIC;
	state->info = info;
	state->has_unit = has_unit;
	state->limit = limit;
	if (fb_metric_state_keeps_cells(state))
	{
		state->labels = fblabel_create(context, 14, NULL);
		state->cells = fbcell_create(context, 14, NULL);
	}
	else if (fb_metric_state_keeps_units(state))
		state->units = fbunit_create(context, 14, NULL);
	return state;
}

/* Accounts for memory that is about to be taken. */
static void
state_grow(FbMetricState *state, Size bytes)
{
	state->bytes += bytes;
	if (state->bytes > state->limit)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("metric \"%s\" needs more than %zu kB for its counts",
						state->info->name, state->limit / 1024),
				 fb_metric_state_keeps_units(state) ?
				 errdetail("The group has more than " INT64_FORMAT " distinct units.",
						   (int64) state->units->members) :
				 errdetail("The group has %u distinct labels.", state->nlabels),
				 errhint("Increase work_mem or hash_mem_multiplier, or check that the arguments are labels and not free text.")));
}

/* Returns the number of a label, which is stored if it is new. */
static uint32
state_label(FbMetricState *state, const FbLabelText *text, bool *is_new)
{
	MemoryContext context = state->hdr.eoh_context;
	uint32		hash = hash_bytes((const unsigned char *) text->data, (int) text->len);
	FbLabelEntry *entry = fblabel_lookup_hash(state->labels, *text, hash);
	FbLabelText copy;
	char	   *data;
	bool		found;

	*is_new = entry == NULL;
	if (entry != NULL)
		return entry->id;

	if (state->nlabels >= CELL_ABSTAIN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many distinct labels")));
	state_grow(state, ENTRY_BYTES(FbLabelEntry) + 2 * sizeof(FbLabelText) + text->len + 17);
	data = MemoryContextAlloc(context, (Size) text->len + 1);
	memcpy(data, text->data, text->len);
	data[text->len] = '\0';
	copy.data = data;
	copy.len = text->len;

	if (state->nlabels == state->label_space)
	{
		uint32		space = state->label_space == 0 ? 8 : state->label_space * 2;

		if (state->label_list == NULL)
			state->label_list = MemoryContextAlloc(context, space * sizeof(FbLabelText));
		else
			state->label_list = repalloc_huge(state->label_list, space * sizeof(FbLabelText));
		state->label_space = space;
	}
	state->label_list[state->nlabels] = copy;

	entry = fblabel_insert_hash(state->labels, copy, hash, &found);
	Assert(!found);
	entry->id = state->nlabels;
	return state->nlabels++;
}

/* Adds rows to a cell; returns false if the cell was there before. */
static bool
state_cell(FbMetricState *state, uint64 key, int64 count)
{
	FbCellEntry *entry = fbcell_lookup(state->cells, key);
	bool		found;

	if (entry != NULL)
	{
		entry->count += count;
		return false;
	}
	state_grow(state, ENTRY_BYTES(FbCellEntry));
	entry = fbcell_insert(state->cells, key, &found);
	entry->count = count;
	return true;
}

/* Adds rows to a unit; returns false if the unit was there before. */
static bool
state_unit(FbMetricState *state, FbUnitId id, int64 rows, int64 correct)
{
	FbUnitEntry *entry = fbunit_lookup(state->units, id);
	bool		found;

	if (entry != NULL)
	{
		entry->counts.rows += rows;
		entry->counts.correct += correct;
		return false;
	}
	state_grow(state, ENTRY_BYTES(FbUnitEntry));
	entry = fbunit_insert(state->units, id, &found);
	entry->counts.rows = rows;
	entry->counts.correct = correct;
	return true;
}

/* Adds one row; pred is NULL for an abstention, unit where rows carry none. */
void
fb_metric_state_add(FbMetricState *state, const FbLabelText *gold, const FbLabelText *pred,
					const char *unit, int unit_len)
{
	bool		correct = pred != NULL && pred->len == gold->len &&
		memcmp(pred->data, gold->data, gold->len) == 0;
	char	   *converted = NULL;

	/* Units are hashed as UTF-8, so that every database agrees on buckets. */
	if (state->has_unit && GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		converted = pg_server_to_any(unit, unit_len, PG_UTF8);
		if (converted != unit)
		{
			unit = converted;
			unit_len = strlen(converted);
		}
		else
			converted = NULL;
	}

	if (fb_metric_state_keeps_units(state))
	{
		XXH128_hash_t hash = XXH3_128bits(unit, unit_len);
		FbUnitId	id = {hash.high64, hash.low64};

		state_unit(state, id, 1, correct);
	}
	else if (fb_metric_state_keeps_cells(state))
	{
		uint32		bucket = state->has_unit ?
			(uint32) (XXH3_64bits(unit, unit_len) & (FB_LABEL_BUCKETS - 1)) : 0;
		bool		is_new;
		uint32		gold_id = state_label(state, gold, &is_new);
		uint32		pred_id = pred == NULL ? CELL_ABSTAIN :
			correct ? gold_id : state_label(state, pred, &is_new);

		state_cell(state, CELL_KEY(bucket, gold_id, pred_id), 1);
	}
	state->rows++;
	state->correct += correct;
	if (converted != NULL)
		pfree(converted);
}

/* Adds the rows of another state. */
void
fb_metric_state_merge(FbMetricState *state, const FbMetricState *other)
{
	int64		rows;

	if (state->info != other->info)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge states of the metrics \"%s\" and \"%s\"",
						state->info->name, other->info->name),
				 errhint("Group the states by metric.")));
	if (state->has_unit != other->has_unit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge states with and without units"),
				 errhint("Make all states with a unit, or all without.")));
	if (pg_add_s64_overflow(state->rows, other->rows, &rows))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many rows in a metric state")));

	if (fb_metric_state_keeps_units(state))
	{
		fbunit_iterator iterator;
		FbUnitEntry *entry;

		fbunit_start_iterate(other->units, &iterator);
		while ((entry = fbunit_iterate(other->units, &iterator)) != NULL)
		{
			CHECK_FOR_INTERRUPTS();
			state_unit(state, entry->id, entry->counts.rows, entry->counts.correct);
		}
	}
	else if (fb_metric_state_keeps_cells(state))
	{
		uint32	   *ids = MemoryContextAllocHuge(CurrentMemoryContext,
												 sizeof(uint32) * ((Size) other->nlabels + 1));
		fbcell_iterator iterator;
		FbCellEntry *entry;
		bool		is_new;

		for (uint32 i = 0; i < other->nlabels; i++)
			ids[i] = state_label(state, &other->label_list[i], &is_new);
		fbcell_start_iterate(other->cells, &iterator);
		while ((entry = fbcell_iterate(other->cells, &iterator)) != NULL)
		{
			uint32		pred = CELL_PRED(entry->key);

			CHECK_FOR_INTERRUPTS();
			state_cell(state,
					   CELL_KEY(CELL_BUCKET(entry->key), ids[CELL_GOLD(entry->key)],
								pred == CELL_ABSTAIN ? pred : ids[pred]),
					   entry->count);
		}
		pfree(ids);
	}
	state->rows = rows;
	state->correct += other->correct;
}

/* Orders labels by bytes. */
static int
compare_labels(const void *left, const void *right)
{
	const FbLabelText *a = left;
	const FbLabelText *b = right;
	int			result = memcmp(a->data, b->data, Min(a->len, b->len));

	if (result == 0)
		result = (a->len > b->len) - (a->len < b->len);
	return result;
}

/* Orders cells by bucket, gold label, predicted label. */
static int
compare_cells(const void *left, const void *right)
{
	const FbLabelCell *a = left;
	const FbLabelCell *b = right;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	if (a->gold != b->gold)
		return a->gold < b->gold ? -1 : 1;
	if (a->pred != b->pred)
		return a->pred < b->pred ? -1 : 1;
	return 0;
}

/* Orders units by id. */
static int
compare_units(const void *left, const void *right)
{
	const FbUnitId *a = &((const FbUnitEntry *) left)->id;
	const FbUnitId *b = &((const FbUnitEntry *) right)->id;

	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return 0;
}

/* Reads the labels and cells of a state in canonical order. */
static void
content_cells(const FbMetricState *state, FbMetricContent *content)
{
	uint32	   *ids;
	fbcell_iterator iterator;
	FbCellEntry *entry;

	content->nlabels = state->nlabels;
	content->labels = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(FbLabelText) * ((Size) state->nlabels + 1));
	if (state->nlabels > 0)
		memcpy(content->labels, state->label_list, sizeof(FbLabelText) * state->nlabels);
	qsort(content->labels, content->nlabels, sizeof(FbLabelText), compare_labels);

	ids = MemoryContextAllocHuge(CurrentMemoryContext,
								 sizeof(uint32) * ((Size) state->nlabels + 1));
	for (uint32 i = 0; i < content->nlabels; i++)
		ids[fblabel_lookup(state->labels, content->labels[i])->id] = i;

	content->cells = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(FbLabelCell) * ((Size) state->cells->members + 1));
	fbcell_start_iterate(state->cells, &iterator);
	while ((entry = fbcell_iterate(state->cells, &iterator)) != NULL)
	{
		FbLabelCell *cell = &content->cells[content->ncells++];
		uint32		pred = CELL_PRED(entry->key);

		cell->bucket = CELL_BUCKET(entry->key);
		cell->gold = ids[CELL_GOLD(entry->key)];
		cell->pred = pred == CELL_ABSTAIN ? content->nlabels : ids[pred];
		cell->count = entry->count;
	}
	qsort(content->cells, content->ncells, sizeof(FbLabelCell), compare_cells);
	pfree(ids);
}

/* Reads the units of a state in canonical order. */
static void
content_units(const FbMetricState *state, FbMetricContent *content)
{
	fbunit_iterator iterator;
	FbUnitEntry *entry;

	content->units = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(FbUnitEntry) * ((Size) state->units->members + 1));
	fbunit_start_iterate(state->units, &iterator);
	while ((entry = fbunit_iterate(state->units, &iterator)) != NULL)
		content->units[content->nunits++] = *entry;
	qsort(content->units, content->nunits, sizeof(FbUnitEntry), compare_units);
}

/*
 * Reads the content of a state in canonical order into the current memory
 * context; label texts stay where the state has them.
 */
void
fb_metric_state_content(const FbMetricState *state, FbMetricContent *content)
{
	memset(content, 0, sizeof(*content));
	if (fb_metric_state_keeps_cells(state))
		content_cells(state, content);
	else if (fb_metric_state_keeps_units(state))
		content_units(state, content);
}

/* Raises the error of a reader. */
static void
load_error(int sqlstate, const char *detail)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("invalid value of type featbit.metric_state"),
			 errdetail("%s", detail)));
}

/* Adds rows to the totals of a state that is being loaded. */
void
fb_metric_state_load_totals(FbMetricState *state, int64 rows, int64 correct, int sqlstate)
{
	if (rows < 0 || correct < 0 || correct > rows)
		load_error(sqlstate, "Counts must not be negative, and right answers not exceed rows.");
	if (pg_add_s64_overflow(state->rows, rows, &state->rows))
		load_error(sqlstate, "The number of rows exceeds the range of bigint.");
	state->correct += correct;
}

/* Adds the next label to a state that is being loaded. */
void
fb_metric_state_load_label(FbMetricState *state, const char *data, uint32 len, int sqlstate)
{
	FbLabelText text = {data, len};
	bool		is_new;

	state_label(state, &text, &is_new);
	if (!is_new)
		load_error(sqlstate, "A label occurs twice.");
}

/* Adds a cell to a state that is being loaded, after its labels. */
void
fb_metric_state_load_cell(FbMetricState *state, int64 bucket, int64 gold, int64 pred,
						  bool abstained, int64 count, int sqlstate)
{
	if (bucket < 0 || bucket >= (state->has_unit ? FB_LABEL_BUCKETS : 1))
		load_error(sqlstate, "A bucket is out of range.");
	if (gold < 0 || gold >= state->nlabels ||
		(!abstained && (pred < 0 || pred >= state->nlabels)))
		load_error(sqlstate, "A cell refers to a label that does not exist.");
	if (count < 1)
		load_error(sqlstate, "The count of a cell must be positive.");
	fb_metric_state_load_totals(state, count, !abstained && gold == pred ? count : 0, sqlstate);
	if (!state_cell(state, CELL_KEY(bucket, gold, abstained ? CELL_ABSTAIN : pred), count))
		load_error(sqlstate, "A cell occurs twice.");
}

/* Adds a unit to a state that is being loaded. */
void
fb_metric_state_load_unit(FbMetricState *state, FbUnitId id, int64 rows, int64 correct, int sqlstate)
{
	if (rows < 1)
		load_error(sqlstate, "A unit must have rows.");
	fb_metric_state_load_totals(state, rows, correct, sqlstate);
	if (!state_unit(state, id, rows, correct))
		load_error(sqlstate, "A unit occurs twice.");
}

/* Checks what can only be checked when a state is complete. */
void
fb_metric_state_load_end(FbMetricState *state, int sqlstate)
{
	if (fb_metric_state_keeps_cells(state))
	{
		bool	   *used = MemoryContextAllocExtended(CurrentMemoryContext,
													  (Size) state->nlabels + 1,
													  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		fbcell_iterator iterator;
		FbCellEntry *entry;

		fbcell_start_iterate(state->cells, &iterator);
		while ((entry = fbcell_iterate(state->cells, &iterator)) != NULL)
		{
			used[CELL_GOLD(entry->key)] = true;
			if (CELL_PRED(entry->key) != CELL_ABSTAIN)
				used[CELL_PRED(entry->key)] = true;
		}
		for (uint32 i = 0; i < state->nlabels; i++)
		{
			if (!used[i])
				load_error(sqlstate, "A label occurs in no cell.");
		}
		pfree(used);
	}
}
