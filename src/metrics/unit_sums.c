/*
 * unit_sums.c
 *		The aggregate unit_agg(unit, value): sums per unit in a hash table of
 *		its own, then their moments; and the type of its state.
 *
 * The flat form of a state is the header of a varlena and the binary form:
 * version, kind of units (1 bigint, 2 uuid, 3 text), whether there is a cap,
 * and a zero, one byte each; the number of units in 4 bytes, that of ignored
 * values and the cap in 8 each; per unit, in the order of keys, its key
 * (8 bytes for bigint, else 16) and its sum. All in network byte order.
 */
#include "postgres.h"

#include <math.h>

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/fb_outcomes.h"
#include "core/fb_unit_sums.h"
#include "metrics/stats.h"
#include "metrics/units.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_unit_sum_bigint);
PG_FUNCTION_INFO_V1(fb_unit_sum_uuid);
PG_FUNCTION_INFO_V1(fb_unit_sum_text);
PG_FUNCTION_INFO_V1(fb_unit_sums_combine);
PG_FUNCTION_INFO_V1(fb_unit_sums_stats);
PG_FUNCTION_INFO_V1(fb_unit_sums_in);
PG_FUNCTION_INFO_V1(fb_unit_sums_out);
PG_FUNCTION_INFO_V1(fb_unit_sums_recv);
PG_FUNCTION_INFO_V1(fb_unit_sums_send);

#define TYPE_NAME "featbit.unit_sums"
#define UNIT_SUMS_MAGIC 0x66625553	/* "fbUS" */

/* The tag of every unit: it only tells that the slot is taken. */
#define TAKEN 1

typedef struct SumState
{
	ExpandedObjectHeader hdr;
	int			magic;
	FbUnitMemory memory;
	FbUnitTable table;			/* the payload is the sum */
	int64		n_bad;
	bool		has_cap;
	double		cap;
	int			waiting;
	FbUnitKey	key[FB_UNIT_BATCH];
	double		value[FB_UNIT_BATCH];
} SumState;

static Size flat_size(ExpandedObjectHeader *header);
static void flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods methods = {flat_size, flatten_into};

/* Makes an empty state in a memory context of its own below parent. */
static SumState *
new_state(int kind, MemoryContext parent, bool limited)
{
	MemoryContext context = AllocSetContextCreate(parent, "featbit unit sums", ALLOCSET_START_SMALL_SIZES);
	SumState   *state = MemoryContextAllocZero(context, sizeof(SumState));

	EOH_init_header(&state->hdr, &methods, context);
	state->magic = UNIT_SUMS_MAGIC;
	fb_unit_memory_init(&state->memory, context, "unit_agg", limited);
	fb_unit_table_init(&state->table, kind, fb_unit_resize, &state->memory);
	return state;
}

/* Adds values to the sums of their units; the memory of these has been asked for. */
static void
place(SumState *state, const FbUnitKey *key, const double *value, int count)
{
	FbUnitTable *table = &state->table;
	unsigned	words = table->words;

	if (!fb_unit_table_reserve(table, count))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("unit_agg can take at most %u units", FB_UNIT_MAX)));
	for (int i = 0; i < count; i++)
	{
		bool		found;
		char	   *entry = fb_unit_table_place(table, key[i], &found);

		while (unlikely(entry == NULL))
		{
			fb_unit_table_extend(table);
			entry = fb_unit_table_place(table, key[i], &found);
		}
		if (found)
			fb_unit_set_payload(entry, words, fb_bits_of(fb_double_of(fb_unit_payload(entry, words)) + value[i]));
		else
		{
			fb_unit_set_payload(entry, words, fb_bits_of(value[i]));
			fb_unit_set_tag(entry, words, TAKEN);
		}
	}
}

/* Adds the values that wait. */
static void
place_waiting(SumState *state)
{
	if (state->waiting > 0)
		place(state, state->key, state->value, state->waiting);
	state->waiting = 0;
}

/* Makes the state ready to be read: packed. */
static void
settle(SumState *state)
{
	place_waiting(state);
	fb_unit_table_pack(&state->table);
}

/* Returns the size of the flat form. */
static Size
flat_size(ExpandedObjectHeader *header)
{
	SumState   *state = (SumState *) header;
	Size		size;

	settle(state);
	size = VARHDRSZ + fb_sums_bytes(state->table.kind, state->table.count);
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the sums of %u units are larger than 1 GB", state->table.count),
				 errhint("Take one part of the units at a time, with featbit.unit_partition.")));
	return size;
}

/* Writes the flat form. */
static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	SumState   *state = (SumState *) header;
	FbUnitSums	sums = {
		.kind = state->table.kind, .units = state->table.count, .n_bad = state->n_bad,
		.has_cap = state->has_cap, .cap = state->cap
	};

	SET_VARSIZE(result, allocated_size);
	fb_sums_write(&sums, state->table.slots, (unsigned char *) VARDATA(result));
}

/* Makes a state from its binary form; returns NULL and the reason for what no events could have made. */
static SumState *
from_bytes(const unsigned char *bytes, Size length, MemoryContext parent, const char **detail)
{
	FbUnitSums	sums;
	SumState   *state;

	if (!fb_sums_measure(bytes, length, &sums, detail))
		return NULL;
	state = new_state(sums.kind, parent, false);
	state->n_bad = sums.n_bad;
	state->has_cap = sums.has_cap;
	state->cap = sums.cap;
	if (sums.units > 0)
	{
		state->table.slots = fb_unit_resize(&state->memory, NULL, 0, (Size) sums.units * state->table.stride);
		state->table.room = state->table.count = sums.units;
		if (!fb_sums_receive(bytes, &sums, state->table.slots, detail))
			return NULL;
	}
	return state;
}

/* Returns the expanded form of a state; one that is expanded already as it is. */
static SumState *
get_state(Datum value, MemoryContext parent)
{
	struct varlena *flat;
	SumState   *state;
	const char *detail;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		state = (SumState *) DatumGetEOHP(value);
		if (state->magic != UNIT_SUMS_MAGIC)
			elog(ERROR, "unexpected expanded object in place of unit sums");
		return state;
	}
	flat = PG_DETOAST_DATUM_PACKED(value);
	state = from_bytes((const unsigned char *) VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), parent, &detail);
	if (state == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type " TYPE_NAME " is corrupt or of a newer version"),
				 errdetail("%s", detail)));
	return state;
}

/* Adds the sums of another state. */
static void
merge(SumState *state, SumState *other)
{
	FbUnitTable *table = &other->table;
	FbUnitKey	key[FB_UNIT_BATCH];
	double		value[FB_UNIT_BATCH];

	if (state->table.kind != table->kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge sums of units of different types")));
	if (state->has_cap != other->has_cap || (state->has_cap && state->cap != other->cap))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge sums with different caps")));
	settle(other);
	place_waiting(state);
	state->n_bad += other->n_bad;
	for (uint32 from = 0; from < table->count; from += FB_UNIT_BATCH)
	{
		int			count = Min(FB_UNIT_BATCH, table->count - from);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < count; i++)
		{
			const char *entry = table->slots + (Size) (from + i) * table->stride;

			key[i] = fb_unit_key(entry, table->words);
			value[i] = fb_double_of(fb_unit_payload(entry, table->words));
		}
		place(state, key, value, count);
	}
}

/* Returns argument 0 as a state that may be changed: the aggregate's own, or a copy in its context. */
static SumState *
updatable(FunctionCallInfo fcinfo, MemoryContext context)
{
	Datum		value = PG_GETARG_DATUM(0);
	SumState   *state = get_state(value, context);

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)) && !VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
	{
		SumState   *copy = new_state(state->table.kind, context, true);

		copy->has_cap = state->has_cap;
		copy->cap = state->cap;
		merge(copy, state);
		state = copy;
	}
	return state;
}

/* Checks the cap, argument 3, which must be the same in all rows. */
static void
take_cap(FunctionCallInfo fcinfo, SumState *state, bool is_new)
{
	bool		has_cap = !PG_ARGISNULL(3);
	double		cap = has_cap ? PG_GETARG_FLOAT8(3) : 0.0;

	if (has_cap && !isfinite(cap))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cap must be finite, not %g", cap)));
	if (is_new)
	{
		state->has_cap = has_cap;
		state->cap = cap;
	}
	else if (state->has_cap != has_cap || state->cap != cap)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cap must be the same in all rows of a group")));
}

/* Adds a value to the sum of its unit. */
static inline Datum
accumulate(FunctionCallInfo fcinfo, int kind)
{
	MemoryContext context = fb_aggregate_context(fcinfo, "unit_sum");
	bool		is_new = PG_ARGISNULL(0);
	SumState   *state = is_new ? new_state(kind, context, true) : updatable(fcinfo, context);
	double		value;
	int			i;

	if (unlikely(state->table.kind != kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the state has units of another type")));
	if (PG_NARGS() > 3)
		take_cap(fcinfo, state, is_new);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return EOHPGetRWDatum(&state->hdr);
	value = PG_GETARG_FLOAT8(2);
	if (unlikely(!fb_stats_usable(value)))
	{
		state->n_bad++;
		return EOHPGetRWDatum(&state->hdr);
	}
	i = state->waiting++;
	state->key[i] = fb_unit_from_datum(PG_GETARG_DATUM(1), kind);
	state->value[i] = value;
	if (!state->table.packed)
		fb_unit_table_prefetch(&state->table, state->key[i]);
	if (state->waiting == FB_UNIT_BATCH)
		place_waiting(state);
	return EOHPGetRWDatum(&state->hdr);
}

/* unit_sum(state, unit bigint, value float8 [, cap float8]) */
Datum
fb_unit_sum_bigint(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_BIGINT);
}

/* unit_sum(state, unit uuid, value float8 [, cap float8]) */
Datum
fb_unit_sum_uuid(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_UUID);
}

/* unit_sum(state, unit text, value float8 [, cap float8]) */
Datum
fb_unit_sum_text(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_TEXT);
}

/* unit_sums_combine(state, state): combine function of unit_agg(unit, value) */
Datum
fb_unit_sums_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = fb_aggregate_context(fcinfo, "unit_sums_combine");
	SumState   *state;
	SumState   *other;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&updatable(fcinfo, context)->hdr);
	}
	other = get_state(PG_GETARG_DATUM(1), CurrentMemoryContext);
	if (PG_ARGISNULL(0))
	{
		state = new_state(other->table.kind, context, true);
		state->has_cap = other->has_cap;
		state->cap = other->cap;
	}
	else
		state = updatable(fcinfo, context);
	merge(state, other);
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(PG_GETARG_DATUM(1))))
		DeleteExpandedObject(EOHPGetRWDatum(&other->hdr));
	return EOHPGetRWDatum(&state->hdr);
}

/* unit_sums_stats(state): final function, the moments of the sums */
Datum
fb_unit_sums_stats(PG_FUNCTION_ARGS)
{
	FbStats    *stats = fb_stats_make(FB_STATS_MEAN, 1);
	SumState   *state;
	FbUnitTable *table;

	if (PG_ARGISNULL(0))
		FB_RETURN_STATS(stats);
	state = get_state(PG_GETARG_DATUM(0), CurrentMemoryContext);
	settle(state);
	table = &state->table;
	stats->n_bad = state->n_bad;
	for (uint32 i = 0; i < table->count; i++)
	{
		double		sum = fb_double_of(fb_unit_payload(table->slots + (Size) i * table->stride, table->words));

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (state->has_cap && sum > state->cap)
			sum = state->cap;
		if (!fb_stats_usable(sum))
			stats->n_bad++;
		else if (!fb_stats_add(stats, sum))
			fb_stats_overflow();
	}
	FB_RETURN_STATS(stats);
}

/* unit_sums_in(cstring) returns unit_sums */
Datum
fb_unit_sums_in(PG_FUNCTION_ARGS)
{
	Size		length;
	unsigned char *bytes = fb_unhex(fcinfo, PG_GETARG_CSTRING(0), TYPE_NAME, &length);
	const char *detail;
	SumState   *state;

	if (bytes == NULL)
		PG_RETURN_NULL();
	state = from_bytes(bytes, length, CurrentMemoryContext, &detail);
	if (state == NULL)
		fb_ereturn(fcinfo->context, (Datum) 0,
				   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type " TYPE_NAME),
					errdetail("%s", detail)));
	pfree(bytes);
	return EOHPGetRWDatum(&state->hdr);
}

/* unit_sums_recv(internal) returns unit_sums */
Datum
fb_unit_sums_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	int			length = in->len - in->cursor;
	const char *detail;
	SumState   *state = from_bytes((const unsigned char *) pq_getmsgbytes(in, length), length, CurrentMemoryContext, &detail);

	if (state == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type " TYPE_NAME),
				 errdetail("%s", detail)));
	return EOHPGetRWDatum(&state->hdr);
}

/* Returns the flat form of argument 0. */
static bytea *
flat_argument(FunctionCallInfo fcinfo)
{
	SumState   *state = get_state(PG_GETARG_DATUM(0), CurrentMemoryContext);
	Size		size = EOH_get_flat_size(&state->hdr);
	bytea	   *flat = palloc(size);

	EOH_flatten_into(&state->hdr, flat, size);
	return flat;
}

/* unit_sums_out(unit_sums) returns cstring */
Datum
fb_unit_sums_out(PG_FUNCTION_ARGS)
{
	bytea	   *flat = flat_argument(fcinfo);

	PG_RETURN_CSTRING(fb_hex((const unsigned char *) VARDATA(flat), VARSIZE(flat) - VARHDRSZ, TYPE_NAME));
}

/* unit_sums_send(unit_sums) returns bytea: the flat form is a header and the binary form */
Datum
fb_unit_sums_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(flat_argument(fcinfo));
}
