/*
 * variation_stats.c
 *		The type featbit.variation_stats: the states of all variations in one
 *		value, which spares the server the grouping of rows.
 *
 * It keeps states of one kind: mean, proportion, or cuped with one covariate. What leaves an aggregate,
 * as text or in binary lists the variations in the order of their bytes.
 * Transitions keep the rules of stats_agg.c.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "core/fb_stats_wire.h"
#include "metrics/state_json.h"
#include "metrics/stats.h"
#include "pg_compat.h"

#define TYPE_NAME "featbit.variation_stats"
#define MAX_NAME 1000
#define MAX_VALUES 9			/* of a state of kind cuped with one covariate and the indicator of missing ones */

/* A variation: where its name is, and its state. */
typedef struct Entry
{
	uint32		offset;
	uint32		length;
	union
	{
		FbStats		stats;
		char		room[FB_STATS_SIZE(MAX_VALUES)];
	}			state;
} Entry;

/* Behind the header, each with room to grow: the entries, the names. */
typedef struct VariationStats
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	uint8		version;
	uint8		kind;
	uint16		unused;			/* always zero */
	uint32		count;
	uint32		room;
	uint32		last;			/* the variation of the row before */
	uint32		name_bytes;
	uint32		room_bytes;
	uint32		unused_2;		/* always zero */
} VariationStats;

#define ENTRIES(s) ((Entry *) ((VariationStats *) (s) + 1))
#define NAMES(s) ((char *) (ENTRIES(s) + (s)->room))

PG_FUNCTION_INFO_V1(fb_variation_stats_in);
PG_FUNCTION_INFO_V1(fb_variation_stats_out);
PG_FUNCTION_INFO_V1(fb_variation_stats_recv);
PG_FUNCTION_INFO_V1(fb_variation_stats_send);
PG_FUNCTION_INFO_V1(fb_variation_stats_accum_float8);
PG_FUNCTION_INFO_V1(fb_variation_stats_accum_bool);
PG_FUNCTION_INFO_V1(fb_variation_stats_accum_pair);
PG_FUNCTION_INFO_V1(fb_variation_stats_merge);
PG_FUNCTION_INFO_V1(fb_variation_stats_final);
PG_FUNCTION_INFO_V1(fb_variations);

/* Tells whether states of a kind can be kept. */
static bool
kind_ok(int kind)
{
	return kind == FB_STATS_MEAN || kind == FB_STATS_PROPORTION || kind == FB_STATS_CUPED;
}

/* Returns the number of variates of a state of a kind with flags. */
static int
variates(int kind, int flags)
{
	return kind != FB_STATS_CUPED ? 1 : flags & FB_STATS_MISSING ? 3 : 2;
}

/* Tells whether flags can occur with a kind. */
static bool
flags_ok(int kind, int flags)
{
	return flags == 0 || (flags == FB_STATS_MISSING && kind == FB_STATS_CUPED);
}

/* Makes the state of a variation empty. */
static void
init_stats(FbStats *stats, int kind, int flags)
{
	fb_stats_init(stats, kind, variates(kind, flags));
	stats->flags = flags;
	SET_VARSIZE(stats, FB_STATS_SIZE(fb_stats_values(kind, stats->k)));
}

/* Gives the state of a variation the indicator of missing covariates; there is room for it. */
static void
widen_stats(FbStats *stats)
{
	FbStatsBuffer narrow;

	if (stats->flags & FB_STATS_MISSING)
		return;
	memcpy(&narrow, stats, VARSIZE(stats));
	init_stats(stats, FB_STATS_CUPED, FB_STATS_MISSING);
	fb_stats_widen(&narrow.state, stats);
}

/* Returns the size of a state with that much room. */
static Size
state_size(Size room, Size room_bytes)
{
	return sizeof(VariationStats) + room * sizeof(Entry) + room_bytes;
}

/* Returns an empty state with room. */
static VariationStats *
make_state(int kind, uint32 room, uint32 room_bytes)
{
	VariationStats *state = palloc0(state_size(room, room_bytes));

	SET_VARSIZE(state, state_size(room, room_bytes));
	state->version = FB_VARIATION_STATS_VERSION;
	state->kind = kind;
	state->room = room;
	state->room_bytes = room_bytes;
	return state;
}

/* Returns the detoasted state behind a datum; never modify it in place. */
static VariationStats *
state_from_datum(Datum datum)
{
	VariationStats *state = (VariationStats *) PG_DETOAST_DATUM(datum);
	bool		sound = VARSIZE(state) >= sizeof(VariationStats) && state->version == FB_VARIATION_STATS_VERSION &&
		kind_ok(state->kind) && state->room <= FB_MAX_VARIATIONS &&
		state->count <= state->room && state->last <= state->count && state->name_bytes <= state->room_bytes &&
		VARSIZE(state) == state_size(state->room, state->room_bytes);

	/* What is stored was checked on its way in; this notices damage and newer versions. */
	for (uint32 i = 0; sound && i < state->count; i++)
	{
		const Entry *entry = &ENTRIES(state)[i];

		sound = (uint64) entry->offset + entry->length <= state->name_bytes &&
			entry->state.stats.kind == state->kind && flags_ok(state->kind, entry->state.stats.flags) &&
			entry->state.stats.k == variates(state->kind, entry->state.stats.flags) && fb_stats_check(&entry->state.stats) == NULL;
	}
	if (!sound)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type " TYPE_NAME " is corrupt or of a newer version")));
	return state;
}

/* Tells whether a variation has that name. */
static inline bool
has_name(const VariationStats *state, const Entry *entry, const char *name, uint32 length)
{
	return entry->length == length && memcmp(NAMES(state) + entry->offset, name, length) == 0;
}

/* Returns the number of a variation, which is added if it is new; may move the state. */
static uint32
add_variation(VariationStats **state_p, const char *name, uint32 length)
{
	VariationStats *state = *state_p;
	Entry	   *entry;

	for (uint32 i = 0; i < state->count; i++)
		if (has_name(state, &ENTRIES(state)[i], name, length))
			return i;
	if (length > MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name of a variation must not exceed %d bytes, but has %u", MAX_NAME, length)));
	if (state->count >= FB_MAX_VARIATIONS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d variations", FB_MAX_VARIATIONS),
				 errhint("Check that the first argument is the variation, or group by it and use stats_agg.")));
	if (state->count == state->room || state->name_bytes + length > state->room_bytes)
	{
		VariationStats *larger = make_state(state->kind,
											state->count < state->room ? state->room : Min(Max(2 * state->room, 4), FB_MAX_VARIATIONS),
											Max(2 * state->room_bytes, state->name_bytes + length + 60));

		larger->count = state->count;
		larger->last = state->last;
		larger->name_bytes = state->name_bytes;
		memcpy(ENTRIES(larger), ENTRIES(state), sizeof(Entry) * state->count);
		memcpy(NAMES(larger), NAMES(state), state->name_bytes);
		*state_p = state = larger;
	}
	entry = &ENTRIES(state)[state->count];
	entry->offset = state->name_bytes;
	entry->length = length;
	init_stats(&entry->state.stats, state->kind, 0);
	memcpy(NAMES(state) + state->name_bytes, name, length);
	state->name_bytes += length;
	return state->count++;
}

/* Returns the statistics of a variation. */
static inline FbStats *
find_variation(VariationStats **state, const text *variation)
{
	const char *name = VARDATA_ANY(variation);
	uint32		length = VARSIZE_ANY_EXHDR(variation);
	uint32		place;

	if (likely((*state)->last < (*state)->count) && has_name(*state, &ENTRIES(*state)[(*state)->last], name, length))
		return &ENTRIES(*state)[(*state)->last].state.stats;
	place = add_variation(state, name, length);
	(*state)->last = place;
	return &ENTRIES(*state)[place].state.stats;
}

/* Returns the state of a transition as memory that may be modified: the argument itself inside an aggregate, else a copy. */
static VariationStats *
transition_state(FunctionCallInfo fcinfo, int kind)
{
	Datum		datum = PG_GETARG_DATUM(0);
	VariationStats *state;
	MemoryContext aggregate,
				old;

	if (!AggCheckCallContext(fcinfo, &aggregate))
	{
		VariationStats *original = state_from_datum(datum);

		state = palloc(VARSIZE(original));
		memcpy(state, original, VARSIZE(original));
	}
	else if (likely(!VARATT_IS_EXTENDED(DatumGetPointer(datum))))
		state = (VariationStats *) DatumGetPointer(datum);
	else
	{
		old = MemoryContextSwitchTo(aggregate);
		state = state_from_datum(datum);
		MemoryContextSwitchTo(old);
	}
	if (unlikely(kind != 0 && state->kind != kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot add to " TYPE_NAME " of kind \"%s\" a value that needs kind \"%s\"",
						fb_stats_kind_name(state->kind), fb_stats_kind_name(kind))));
	return state;
}

/* variation_stats_accum(state, variation text, y float8): transition of stats_by_variation(variation, y) */
Datum
fb_variation_stats_accum_float8(PG_FUNCTION_ARGS)
{
	VariationStats *state = transition_state(fcinfo, FB_STATS_MEAN);
	FbStats    *stats = find_variation(&state, PG_GETARG_TEXT_PP(1));
	double		y = PG_GETARG_FLOAT8(2);

	if (unlikely(!fb_stats_usable(y)))
		stats->n_bad++;
	else if (unlikely(!fb_stats_add(stats, y)))
		fb_stats_overflow();
	PG_RETURN_POINTER(state);
}

/* variation_stats_accum(state, variation text, y boolean): transition of stats_by_variation(variation, y) */
Datum
fb_variation_stats_accum_bool(PG_FUNCTION_ARGS)
{
	VariationStats *state = transition_state(fcinfo, FB_STATS_PROPORTION);
	FbStats    *stats = find_variation(&state, PG_GETARG_TEXT_PP(1));

	stats->n++;
	stats->value[0] += PG_GETARG_BOOL(2) ? 1.0 : 0.0;
	PG_RETURN_POINTER(state);
}

/* variation_stats_accum(state, variation text, y float8, x float8): transition of stats_by_variation(variation, y, x) */
Datum
fb_variation_stats_accum_pair(PG_FUNCTION_ARGS)
{
	VariationStats *state;
	FbStats    *stats;
	double		row[3];

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the state of a transition must not be null")));
	state = transition_state(fcinfo, FB_STATS_CUPED);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	stats = find_variation(&state, PG_GETARG_TEXT_PP(1));
	row[0] = PG_GETARG_FLOAT8(2);
	row[1] = PG_ARGISNULL(3) ? 0.0 : PG_GETARG_FLOAT8(3);
	row[2] = PG_ARGISNULL(3) ? 1.0 : 0.0;
	if (unlikely(!(fb_stats_usable(row[0]) && fb_stats_usable(row[1]))))
	{
		stats->n_bad++;
		PG_RETURN_POINTER(state);
	}
	if (unlikely(PG_ARGISNULL(3)))
		widen_stats(stats);
	if (unlikely(!(stats->flags == 0 ? fb_stats_add_pair(stats, row[0], row[1]) : fb_stats_add_row(stats, row))))
		fb_stats_overflow();
	PG_RETURN_POINTER(state);
}

/* variation_stats_merge(state, state) returns variation_stats */
Datum
fb_variation_stats_merge(PG_FUNCTION_ARGS)
{
	VariationStats *state = transition_state(fcinfo, 0);
	VariationStats *other = state_from_datum(PG_GETARG_DATUM(1));

	if (state->kind != other->kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge " TYPE_NAME " of kind \"%s\" with kind \"%s\"", fb_stats_kind_name(state->kind),
						fb_stats_kind_name(other->kind))));
	for (uint32 i = 0; i < other->count; i++)
	{
		const Entry *entry = &ENTRIES(other)[i];
		uint32		place = add_variation(&state, NAMES(other) + entry->offset, entry->length);
		FbStats    *into = &ENTRIES(state)[place].state.stats;
		Entry		from = *entry;

		if (into->flags != from.state.stats.flags)
		{
			widen_stats(into);
			widen_stats(&from.state.stats);
		}
		if (fb_stats_merge(into, &from.state.stats) != FB_MERGE_OK)
			fb_stats_overflow();
	}
	PG_RETURN_POINTER(state);
}

/* Orders the numbers of variations by their names. */
static int
compare_variations(const void *a, const void *b, void *arg)
{
	const VariationStats *state = arg;
	const Entry *x = &ENTRIES(state)[*(const uint32 *) a];
	const Entry *y = &ENTRIES(state)[*(const uint32 *) b];
	int			result = memcmp(NAMES(state) + x->offset, NAMES(state) + y->offset, Min(x->length, y->length));

	return result != 0 ? result : (x->length > y->length) - (x->length < y->length);
}

/* Returns a copy without room to grow, its variations in the order of their bytes. */
static VariationStats *
sorted(const VariationStats *state)
{
	VariationStats *copy = make_state(state->kind, state->count, state->name_bytes);
	uint32	   *order = palloc(sizeof(uint32) * (state->count + 1));

	for (uint32 i = 0; i < state->count; i++)
		order[i] = i;
	qsort_arg(order, state->count, sizeof(uint32), compare_variations, (void *) state);
	copy->count = state->count;
	for (uint32 i = 0; i < state->count; i++)
	{
		const Entry *from = &ENTRIES(state)[order[i]];
		Entry	   *to = &ENTRIES(copy)[i];

		*to = *from;
		to->offset = copy->name_bytes;
		memcpy(NAMES(copy) + to->offset, NAMES(state) + from->offset, to->length);
		copy->name_bytes += to->length;
	}
	return copy;
}

/* variation_stats_final(state) returns variation_stats: in order and without room */
Datum
fb_variation_stats_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(sorted(state_from_datum(PG_GETARG_DATUM(0))));
}

/* variations(state) returns setof (variation text, state stats) */
Datum
fb_variations(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	const VariationStats *state;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("function returning record called in context that cannot accept type record")));
		context->tuple_desc = BlessTupleDesc(context->tuple_desc);
		context->user_fctx = sorted(state_from_datum(PG_GETARG_DATUM(0)));
		MemoryContextSwitchTo(old);
	}
	context = SRF_PERCALL_SETUP();
	state = context->user_fctx;
	if (context->call_cntr < state->count)
	{
		const Entry *entry = &ENTRIES(state)[context->call_cntr];
		Datum		values[2];
		bool		nulls[2] = {false, false};

		values[0] = PointerGetDatum(cstring_to_text_with_len(NAMES(state) + entry->offset, entry->length));
		values[1] = PointerGetDatum(fb_stats_copy(&entry->state.stats));
		SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
	}
	SRF_RETURN_DONE(context);
}

/* variation_stats_out(variation_stats) returns cstring */
Datum
fb_variation_stats_out(PG_FUNCTION_ARGS)
{
	VariationStats *state = sorted(state_from_datum(PG_GETARG_DATUM(0)));
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\": %d, \"kind\": \"%s\", \"variations\": {", state->version, fb_stats_kind_name(state->kind));
	for (uint32 i = 0; i < state->count; i++)
	{
		Entry	   *entry = &ENTRIES(state)[i];

		if (i > 0)
			appendStringInfoString(&out, ", ");
		escape_json(&out, pnstrdup(NAMES(state) + entry->offset, entry->length));
		appendStringInfo(&out, ": %s", DatumGetCString(DirectFunctionCall1(fb_stats_out, PointerGetDatum(fb_stats_copy(&entry->state.stats)))));
	}
	appendStringInfoString(&out, "}}");
	PG_RETURN_CSTRING(out.data);
}

/* variation_stats_in(cstring) returns variation_stats */
Datum
fb_variation_stats_in(PG_FUNCTION_ARGS)
{
	FbStateJson json;
	VariationStats *state;
	JsonbValue *kind,
			   *variations;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	int			kind_number;

	fb_state_json_open(&json, TYPE_NAME, PG_GETARG_CSTRING(0));
	kind = fb_state_json_member(&json, "kind", jbvString, true);
	variations = fb_state_json_member(&json, "variations", jbvObject, true);
	fb_state_json_close(&json);
	kind_number = fb_stats_kind_from_name(kind->val.string.val, kind->val.string.len);
	if (!kind_ok(kind_number))
		fb_state_json_fail(&json, "Member \"kind\" must be \"mean\", \"proportion\" or \"cuped\".");
	state = make_state(kind_number, 4, 60);
	iterator = JsonbIteratorInit(variations->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		FbStatsBuffer buffer;
		const char *detail;
		uint32		place;

		if (token != WJB_KEY)
			continue;
		place = add_variation(&state, element.val.string.val, element.val.string.len);
		(void) JsonbIteratorNext(&iterator, &element, true);
		if (element.type != jbvBinary || !JsonContainerIsObject(element.val.binary.data))
			fb_state_json_fail(&json, "The state of a variation must be an object.");
		if (!fb_stats_parse(JsonbToCString(NULL, element.val.binary.data, element.val.binary.len), &buffer.state, &detail))
			fb_state_json_fail(&json, detail);
		if (buffer.state.kind != kind_number)
			fb_state_json_fail(&json, "The states of all variations must be of the kind that the value names.");
		if (buffer.state.k != variates(kind_number, buffer.state.flags))
			fb_state_json_fail(&json, "States of kind cuped must have one covariate.");
		init_stats(&ENTRIES(state)[place].state.stats, kind_number, buffer.state.flags);
		memcpy(&ENTRIES(state)[place].state.stats.version, &buffer.state.version,
			   FB_STATS_SIZE(fb_stats_values(kind_number, buffer.state.k)) - offsetof(FbStats, version));
	}
	PG_RETURN_POINTER(sorted(state));
}

/* variation_stats_send(variation_stats) returns bytea */
Datum
fb_variation_stats_send(PG_FUNCTION_ARGS)
{
	VariationStats *state = sorted(state_from_datum(PG_GETARG_DATUM(0)));
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendint8(&out, state->version);
	pq_sendint8(&out, state->kind);
	pq_sendint32(&out, state->count);
	for (uint32 i = 0; i < state->count; i++)
	{
		const Entry *entry = &ENTRIES(state)[i];

		fb_state_send_name(&out, NAMES(state) + entry->offset, entry->length);
		pq_sendint8(&out, entry->state.stats.flags);
		pq_sendint64(&out, entry->state.stats.n);
		pq_sendint64(&out, entry->state.stats.n_bad);
		for (int k = 0; k < fb_stats_values(state->kind, entry->state.stats.k); k++)
			pq_sendfloat8(&out, entry->state.stats.value[k]);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Raises the error for a malformed binary value. */
static void
bad_binary(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type " TYPE_NAME),
			 errdetail("%s", detail)));
}

/* variation_stats_recv(internal) returns variation_stats */
Datum
fb_variation_stats_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	VariationStats *state;
	const char *detail = fb_variation_stats_wire_check((unsigned char *) in->data + in->cursor, in->len - in->cursor);
	int			kind;
	uint32		count;

	if (detail)
		bad_binary(detail);
	(void) pq_getmsgbyte(in);
	kind = pq_getmsgbyte(in);
	count = pq_getmsgint(in, 4);
	state = make_state(kind, 4, 60);
	for (uint32 i = 0; i < count; i++)
	{
		int			raw = pq_getmsgint(in, 4);
		int			length,
					flags;
		char	   *name;
		FbStats    *stats;

		name = pq_getmsgtext(in, raw, &length);
		if (add_variation(&state, name, length) != i)
			bad_binary("A variation occurs twice.");
		stats = &ENTRIES(state)[i].state.stats;
		flags = pq_getmsgbyte(in);
		init_stats(stats, kind, flags);
		stats->n = pq_getmsgint64(in);
		stats->n_bad = pq_getmsgint64(in);
		for (int k = 0; k < fb_stats_values(kind, stats->k); k++)
			stats->value[k] = pq_getmsgfloat8(in);
	}
	PG_RETURN_POINTER(sorted(state));
}
