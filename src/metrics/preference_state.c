/*
 * preference_state.c
 *		The type featbit.preference and the aggregates that make and merge it.
 *
 * What leaves an aggregate, as text or in binary lists its items in the order
 * of their bytes. Transitions keep the rules of stats_agg.c.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "metrics/preference_state.h"
#include "metrics/state_json.h"
#include "core/fb_moments.h"
#include "pg_compat.h"

#define TYPE_NAME "featbit.preference"

PG_FUNCTION_INFO_V1(fb_preference_in);
PG_FUNCTION_INFO_V1(fb_preference_out);
PG_FUNCTION_INFO_V1(fb_preference_recv);
PG_FUNCTION_INFO_V1(fb_preference_send);
PG_FUNCTION_INFO_V1(fb_preference_accum);
PG_FUNCTION_INFO_V1(fb_preference_merge);
PG_FUNCTION_INFO_V1(fb_preference_final);

/* Returns the size of a state with that much room. */
static Size
state_size(Size items, Size bytes)
{
	return sizeof(FbPreference) + items * items * sizeof(double) + items * sizeof(FbPreferenceItem) + bytes;
}

/* Returns an empty state with room. */
static FbPreference *
make_state(uint32 items, uint32 bytes)
{
	FbPreference *state = palloc0(state_size(items, bytes));

	SET_VARSIZE(state, state_size(items, bytes));
	state->version = FB_PREFERENCE_VERSION;
	state->room_items = items;
	state->room_bytes = bytes;
	return state;
}

/* Returns the detoasted state behind a datum; never modify it in place. */
FbPreference *
fb_preference_from_datum(Datum datum)
{
	FbPreference *state = (FbPreference *) PG_DETOAST_DATUM(datum);
	bool		sound = VARSIZE(state) >= sizeof(FbPreference) && state->version == FB_PREFERENCE_VERSION &&
		state->room_items <= FB_PREFERENCE_MAX_ITEMS && state->n_items <= state->room_items &&
		state->name_bytes <= state->room_bytes && VARSIZE(state) == state_size(state->room_items, state->room_bytes);

	/* What is stored was checked on its way in; this notices damage and newer versions. */
	for (uint32 i = 0; sound && i < state->n_items; i++)
	{
		FbPreferenceItem *item = &FB_PREFERENCE_ITEMS(state)[i];

		sound = (uint64) item->offset + item->length <= state->name_bytes;
	}
	if (!sound)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type " TYPE_NAME " is corrupt or of a newer version")));
	return state;
}

/* Copies everything of a state into one with at least as much room. */
static void
copy_state(FbPreference *to, const FbPreference *from)
{
	to->n_bad = from->n_bad;
	to->n_items = from->n_items;
	to->name_bytes = from->name_bytes;
	for (uint32 i = 0; i < from->n_items; i++)
		memcpy(FB_PREFERENCE_SCORES(to) + (Size) i * to->room_items,
			   FB_PREFERENCE_SCORES(from) + (Size) i * from->room_items, sizeof(double) * from->n_items);
	memcpy(FB_PREFERENCE_ITEMS(to), FB_PREFERENCE_ITEMS(from), sizeof(FbPreferenceItem) * from->n_items);
	memcpy(FB_PREFERENCE_NAMES(to), FB_PREFERENCE_NAMES(from), from->name_bytes);
}

/* Returns the number of an item, which is added if it is new; may move the state. */
static uint32
find_item(FbPreference **state_p, const char *name, uint32 length)
{
	FbPreference *state = *state_p;
	FbPreferenceItem *items = FB_PREFERENCE_ITEMS(state);
	uint32		hash = hash_bytes((const unsigned char *) name, (int) length);

	for (uint32 i = 0; i < state->n_items; i++)
		if (items[i].hash == hash && items[i].length == length &&
			memcmp(FB_PREFERENCE_NAMES(state) + items[i].offset, name, length) == 0)
			return i;

	if (length > FB_PREFERENCE_MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name of an item must not exceed %d bytes, but has %u", FB_PREFERENCE_MAX_NAME, length)));
	if (state->n_items >= FB_PREFERENCE_MAX_ITEMS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d items are compared", FB_PREFERENCE_MAX_ITEMS),
				 errhint("Check that the first two arguments are items, such as versions, and not the texts that were judged.")));
	if (state->n_items == state->room_items || state->name_bytes + length > state->room_bytes)
	{
		uint32		items_wanted = state->n_items < state->room_items ? state->room_items :
			Min(Max(2 * state->room_items, 4), FB_PREFERENCE_MAX_ITEMS);
		FbPreference *larger = make_state(items_wanted, Max(2 * state->room_bytes, state->name_bytes + length + 64));

		copy_state(larger, state);
		*state_p = state = larger;
		items = FB_PREFERENCE_ITEMS(state);
	}
	items[state->n_items].hash = hash;
	items[state->n_items].offset = state->name_bytes;
	items[state->n_items].length = length;
	memcpy(FB_PREFERENCE_NAMES(state) + state->name_bytes, name, length);
	state->name_bytes += length;
	return state->n_items++;
}

/* Returns the state of a transition as memory that may be modified: the argument itself inside an aggregate, else a copy. */
static FbPreference *
transition_state(FunctionCallInfo fcinfo)
{
	Datum		datum = PG_GETARG_DATUM(0);
	MemoryContext aggregate,
				old;
	FbPreference *state;

	if (!AggCheckCallContext(fcinfo, &aggregate))
	{
		FbPreference *original = fb_preference_from_datum(datum);

		state = palloc(VARSIZE(original));
		memcpy(state, original, VARSIZE(original));
		return state;
	}
	if (!VARATT_IS_EXTENDED(DatumGetPointer(datum)))
		return (FbPreference *) DatumGetPointer(datum);
	old = MemoryContextSwitchTo(aggregate);
	state = fb_preference_from_datum(datum);
	MemoryContextSwitchTo(old);
	return state;
}

/* preference_accum(state, a text, b text, outcome float8): transition of bradley_terry(a, b, outcome) */
Datum
fb_preference_accum(PG_FUNCTION_ARGS)
{
	FbPreference *state = transition_state(fcinfo);
	text	   *a = PG_GETARG_TEXT_PP(1);
	text	   *b = PG_GETARG_TEXT_PP(2);
	double		outcome = PG_GETARG_FLOAT8(3);
	uint32		i,
				j;

	i = find_item(&state, VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));
	j = find_item(&state, VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));
	if (i == j || !(outcome >= 0.0 && outcome <= 1.0))
		state->n_bad++;
	else
	{
		FB_PREFERENCE_SCORES(state)[(Size) i * state->room_items + j] += outcome;
		FB_PREFERENCE_SCORES(state)[(Size) j * state->room_items + i] += 1.0 - outcome;
	}
	PG_RETURN_POINTER(state);
}

/* preference_merge(state, state) returns preference */
Datum
fb_preference_merge(PG_FUNCTION_ARGS)
{
	FbPreference *state = transition_state(fcinfo);
	const FbPreference *other = fb_preference_from_datum(PG_GETARG_DATUM(1));
	uint32	   *place = palloc(sizeof(uint32) * (other->n_items + 1));

	for (uint32 i = 0; i < other->n_items; i++)
	{
		const FbPreferenceItem *item = &FB_PREFERENCE_ITEMS(other)[i];

		place[i] = find_item(&state, FB_PREFERENCE_NAMES(other) + item->offset, item->length);
	}
	for (uint32 i = 0; i < other->n_items; i++)
		for (uint32 j = 0; j < other->n_items; j++)
			FB_PREFERENCE_SCORES(state)[(Size) place[i] * state->room_items + place[j]] +=
				FB_PREFERENCE_SCORES(other)[(Size) i * other->room_items + j];
	state->n_bad += other->n_bad;
	PG_RETURN_POINTER(state);
}

/* Orders the numbers of items by their names. */
static int
compare_items(const void *a, const void *b, void *arg)
{
	const FbPreference *state = arg;
	const FbPreferenceItem *x = &FB_PREFERENCE_ITEMS(state)[*(const uint32 *) a];
	const FbPreferenceItem *y = &FB_PREFERENCE_ITEMS(state)[*(const uint32 *) b];
	int			result = memcmp(FB_PREFERENCE_NAMES(state) + x->offset, FB_PREFERENCE_NAMES(state) + y->offset,
								Min(x->length, y->length));

	return result != 0 ? result : (x->length > y->length) - (x->length < y->length);
}

/* Returns a copy without room to grow, its items in the order of their bytes. */
FbPreference *
fb_preference_sorted(const FbPreference *state)
{
	FbPreference *copy = make_state(state->n_items, state->name_bytes);
	uint32	   *order = palloc(sizeof(uint32) * (state->n_items + 1));

	for (uint32 i = 0; i < state->n_items; i++)
		order[i] = i;
	qsort_arg(order, state->n_items, sizeof(uint32), compare_items, (void *) state);
	copy->n_bad = state->n_bad;
	copy->n_items = state->n_items;
	for (uint32 i = 0; i < state->n_items; i++)
	{
		const FbPreferenceItem *from = &FB_PREFERENCE_ITEMS(state)[order[i]];
		FbPreferenceItem *to = &FB_PREFERENCE_ITEMS(copy)[i];

		*to = *from;
		to->offset = copy->name_bytes;
		memcpy(FB_PREFERENCE_NAMES(copy) + to->offset, FB_PREFERENCE_NAMES(state) + from->offset, to->length);
		copy->name_bytes += to->length;
		for (uint32 j = 0; j < state->n_items; j++)
			FB_PREFERENCE_SCORES(copy)[(Size) i * copy->room_items + j] =
				FB_PREFERENCE_SCORES(state)[(Size) order[i] * state->room_items + order[j]];
	}
	return copy;
}

/* preference_final(state) returns preference: in order and without room */
Datum
fb_preference_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(fb_preference_sorted(fb_preference_from_datum(PG_GETARG_DATUM(0))));
}

/* preference_out(preference) returns cstring */
Datum
fb_preference_out(PG_FUNCTION_ARGS)
{
	FbPreference *state = fb_preference_sorted(fb_preference_from_datum(PG_GETARG_DATUM(0)));
	char		number[DOUBLE_SHORTEST_DECIMAL_LEN];
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\": %d, \"n_bad\": " INT64_FORMAT ", \"items\": [", state->version, (int64) state->n_bad);
	for (uint32 i = 0; i < state->n_items; i++)
	{
		const FbPreferenceItem *item = &FB_PREFERENCE_ITEMS(state)[i];

		if (i > 0)
			appendStringInfoString(&out, ", ");
		escape_json(&out, pnstrdup(FB_PREFERENCE_NAMES(state) + item->offset, item->length));
	}
	appendStringInfoString(&out, "], \"scores\": [");
	for (uint32 i = 0; i < state->n_items; i++)
	{
		appendStringInfoString(&out, i > 0 ? ", [" : "[");
		for (uint32 j = 0; j < state->n_items; j++)
		{
			if (j > 0)
				appendStringInfoString(&out, ", ");
			double_to_shortest_decimal_buf(FB_PREFERENCE_SCORES(state)[(Size) i * state->room_items + j], number);
			appendStringInfoString(&out, number);
		}
		appendStringInfoChar(&out, ']');
	}
	appendStringInfoString(&out, "]}");
	PG_RETURN_CSTRING(out.data);
}

/* preference_in(cstring) returns preference */
Datum
fb_preference_in(PG_FUNCTION_ARGS)
{
	FbStateJson json;
	FbPreference *state = make_state(4, 64);
	JsonbContainer *items,
			   *scores;
	uint32		count;

	fb_state_json_open(&json, TYPE_NAME, PG_GETARG_CSTRING(0));
	count = fb_state_json_array(&json, fb_state_json_member(&json, "items", jbvArray, true), &items);
	if (fb_state_json_array(&json, fb_state_json_member(&json, "scores", jbvArray, true), &scores) != count)
		fb_state_json_fail(&json, "Member \"scores\" must have a row for each item.");
	state->n_bad = fb_state_json_count(&json, "n_bad", 0);
	fb_state_json_close(&json);
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *name = getIthJsonbValueFromContainer(items, i);

		if (name->type != jbvString)
			fb_state_json_fail(&json, "An item must be a string.");
		if (find_item(&state, name->val.string.val, name->val.string.len) != i)
			fb_state_json_fail(&json, "An item occurs twice.");
	}
	for (uint32 i = 0; i < count; i++)
	{
		JsonbContainer *row;

		if (fb_state_json_array(&json, getIthJsonbValueFromContainer(scores, i), &row) != count)
			fb_state_json_fail(&json, "A row of scores must have a number for each item.");
		for (uint32 j = 0; j < count; j++)
		{
			double		score = fb_state_json_number(&json, getIthJsonbValueFromContainer(row, j));

			if (!fb_preference_score_ok(score, i, j))
				fb_state_json_fail(&json, "A score must be between 0 and 2^53, and 0 against the item itself.");
			FB_PREFERENCE_SCORES(state)[(Size) i * state->room_items + j] = score;
		}
	}
	PG_RETURN_POINTER(fb_preference_sorted(state));
}

/* preference_send(preference) returns bytea */
Datum
fb_preference_send(PG_FUNCTION_ARGS)
{
	FbPreference *state = fb_preference_sorted(fb_preference_from_datum(PG_GETARG_DATUM(0)));
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendint8(&out, state->version);
	pq_sendint64(&out, state->n_bad);
	pq_sendint32(&out, state->n_items);
	for (uint32 i = 0; i < state->n_items; i++)
	{
		const FbPreferenceItem *item = &FB_PREFERENCE_ITEMS(state)[i];

		fb_state_send_name(&out, FB_PREFERENCE_NAMES(state) + item->offset, item->length);
	}
	for (Size i = 0; i < (Size) state->n_items * state->n_items; i++)
		pq_sendfloat8(&out, FB_PREFERENCE_SCORES(state)[i]);
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

/* preference_recv(internal) returns preference */
Datum
fb_preference_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	FbPreference *state = make_state(4, 64);
	const char *detail = fb_preference_wire_check((unsigned char *) in->data + in->cursor, in->len - in->cursor);
	uint32		count;

	if (detail)
		bad_binary(detail);
	(void) pq_getmsgbyte(in);
	state->n_bad = pq_getmsgint64(in);
	count = pq_getmsgint(in, 4);
	for (uint32 i = 0; i < count; i++)
	{
		int			raw = pq_getmsgint(in, 4);
		int			length;
		char	   *name;

		name = pq_getmsgtext(in, raw, &length);
		if (find_item(&state, name, length) != i)
			bad_binary("An item occurs twice.");
	}
	for (uint32 i = 0; i < count; i++)
		for (uint32 j = 0; j < count; j++)
		{
			double		score = pq_getmsgfloat8(in);

			FB_PREFERENCE_SCORES(state)[(Size) i * state->room_items + j] = score == 0.0 ? 0.0 : score;
		}
	PG_RETURN_POINTER(fb_preference_sorted(state));
}
