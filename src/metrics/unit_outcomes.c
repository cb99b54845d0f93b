/*
 * unit_outcomes.c
 *		The aggregate unit_agg over an exposure map: transition, combine and
 *		final functions, and the expanded form of its state.
 *
 * Every call brings the map. It stays where it is, and the state points to it
 * only while a call lasts: events wait until there are enough for a batch,
 * and the last ones until the state is read, which again brings the map.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "metrics/unit_outcomes.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_unit_accum_bigint);
PG_FUNCTION_INFO_V1(fb_unit_accum_uuid);
PG_FUNCTION_INFO_V1(fb_unit_accum_text);
PG_FUNCTION_INFO_V1(fb_unit_accum_event_bigint);
PG_FUNCTION_INFO_V1(fb_unit_accum_event_uuid);
PG_FUNCTION_INFO_V1(fb_unit_accum_event_text);
PG_FUNCTION_INFO_V1(fb_unit_accum_array_bigint);
PG_FUNCTION_INFO_V1(fb_unit_accum_array_uuid);
PG_FUNCTION_INFO_V1(fb_unit_accum_array_text);
PG_FUNCTION_INFO_V1(fb_unit_combine);
PG_FUNCTION_INFO_V1(fb_unit_rollup);
PG_FUNCTION_INFO_V1(fb_unit_final);

#define TYPE_NAME "featbit.unit_outcomes"

static Size flat_size(ExpandedObjectHeader *header);
static void flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size);

static const ExpandedObjectMethods methods = {flat_size, flatten_into};

/* Makes a state without arrays in a memory context of its own below parent. */
static FbOutcomeState *
bare_state(MemoryContext parent, bool limited)
{
	MemoryContext context = AllocSetContextCreate(parent, "featbit unit outcomes", ALLOCSET_START_SMALL_SIZES);
	FbOutcomeState *state = MemoryContextAllocZero(context, sizeof(FbOutcomeState));

	EOH_init_header(&state->hdr, &methods, context);
	state->magic = FB_OUTCOME_MAGIC;
	fb_unit_memory_init(&state->memory, context, "what the exposed units did", limited);
	return state;
}

/* Makes room for events that wait. */
static void
make_space(FbOutcomeState *state, uint32 space)
{
	FbOutcomes *o = &state->outcomes;

	if (space <= o->space)
		return;
	o->key = fb_unit_resize(&state->memory, o->key, o->space * sizeof(FbUnitKey), space * sizeof(FbUnitKey));
	o->at = fb_unit_resize(&state->memory, o->at, o->space * sizeof(int64), space * sizeof(int64));
	o->value = fb_unit_resize(&state->memory, o->value, (Size) o->space * o->values * sizeof(double),
							  (Size) space * o->values * sizeof(double));
	o->event = fb_unit_resize(&state->memory, o->event, o->space, space);
	o->space = space;
}

/* Copies the metrics and the names of their events into the state's memory. */
static void
own_plan(FbOutcomeState *state, const FbOutcomeMetric *metric)
{
	FbOutcomes *o = &state->outcomes;

	o->metric = MemoryContextAlloc(state->hdr.eoh_context, sizeof(FbOutcomeMetric) * o->metrics);
	if (metric)
		memcpy(o->metric, metric, sizeof(FbOutcomeMetric) * o->metrics);
	state->only_named = true;
	for (uint32 i = 0; metric && i < o->metrics; i++)
		state->only_named = state->only_named && metric[i].event != 0;
	state->only_named = state->only_named && metric;
	for (uint32 i = 0; i < o->names; i++)
	{
		char	   *copy = MemoryContextAlloc(state->hdr.eoh_context, o->name_length[i] + 1);

		memcpy(copy, o->name[i], o->name_length[i]);
		o->name[i] = copy;
	}
}

/* Makes the arrays of a state whose counts are set. */
static void
make_arrays(FbOutcomeState *state)
{
	FbOutcomes *o = &state->outcomes;
	Size		bad = (Size) o->metrics * Max(o->arms, 1) * sizeof(uint64);

	o->rows = fb_unit_resize(&state->memory, NULL, 0, Max((Size) o->units, 1) * o->width * sizeof(double));
	o->bad = fb_unit_resize(&state->memory, NULL, 0, bad);
	memset(o->bad, 0, bad);
}

/* Makes an empty state of a map. */
FbOutcomeState *
fb_outcome_state_new(const FbExposureView *view, const FbUnitPlan *plan, MemoryContext parent, bool limited)
{
	FbOutcomeState *state = bare_state(parent, limited);
	FbOutcomes *o = &state->outcomes;

	*o = plan->outcomes;
	o->units = view->units;
	o->arms = view->arms;
	o->fingerprint[0] = view->fingerprint[0];
	o->fingerprint[1] = view->fingerprint[1];
	own_plan(state, plan->metric);
	make_arrays(state);
	fb_outcomes_blank(o, 0, o->units);
	make_space(state, FB_UNIT_BATCH);
	return state;
}

/* Makes a state from its binary form; returns NULL and the reason for what no events could have made. */
FbOutcomeState *
fb_outcome_state_from_bytes(const unsigned char *bytes, Size length, MemoryContext parent, bool limited, const char **detail)
{
	FbOutcomeState *state = bare_state(parent, limited);
	FbOutcomes *o = &state->outcomes;
	uint32		waiting;

	if (!fb_outcomes_measure(bytes, length, o, detail))
		return NULL;
	waiting = o->waiting;
	o->space = 0;
	own_plan(state, NULL);
	make_arrays(state);
	make_space(state, Max(waiting, FB_UNIT_BATCH));
	if (!fb_outcomes_receive(bytes, o, detail))
		return NULL;
	return state;
}

/*
 * The flat form is the header of a varlena and the binary form, which no
 * function uses in place.
 */
static Size
flat_size(ExpandedObjectHeader *header)
{
	FbOutcomeState *state = (FbOutcomeState *) header;
	Size		size = fb_outcomes_bytes(&state->outcomes) + VARHDRSZ;

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("what %u exposed units did is larger than 1 GB", state->outcomes.units),
				 errhint("Take fewer metrics at a time, or one part of the units, with featbit.unit_partition.")));
	return size;
}

/* Writes the flat form. */
static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	FbOutcomeState *state = (FbOutcomeState *) header;

	SET_VARSIZE(result, allocated_size);
	fb_outcomes_send(&state->outcomes, (unsigned char *) VARDATA(result));
}

/*
 * Returns the expanded form of a state. One that is expanded already is
 * returned as it is; otherwise the result lives below parent.
 */
FbOutcomeState *
fb_outcome_state_get(Datum value, MemoryContext parent)
{
	struct varlena *flat;
	FbOutcomeState *state;
	const char *detail;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		state = (FbOutcomeState *) DatumGetEOHP(value);
		if (state->magic != FB_OUTCOME_MAGIC)
			elog(ERROR, "unexpected expanded object in place of unit outcomes");
		return state;
	}
	flat = PG_DETOAST_DATUM_PACKED(value);
	state = fb_outcome_state_from_bytes((const unsigned char *) VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), parent, false, &detail);
	if (state == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value of type " TYPE_NAME " is corrupt or of a newer version"),
				 errdetail("%s", detail)));
	return state;
}

/* Raises the error for a map that is not the one of a state. */
static void
other_map(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the exposure map is not the one that the state was made with"),
			 errhint("Make the map once, in a common table expression or a sub-select, and use it in all places.")));
}

/* Joins the events that wait. The content of the state stays what it was, so read-only ones are settled too. */
void
fb_outcome_state_settle(FbOutcomeState *state, const FbExposureView *view)
{
	FbOutcomes *o = &state->outcomes;

	if (view->fingerprint[0] != o->fingerprint[0] || view->fingerprint[1] != o->fingerprint[1] ||
		view->units != o->units || view->arms != o->arms)
		other_map();
	fb_outcomes_apply(o, view, 0, o->waiting);
	o->waiting = 0;
}

/* Copies a state into another context. */
static FbOutcomeState *
copy_state(const FbOutcomeState *from, MemoryContext parent)
{
	FbOutcomeState *state = bare_state(parent, true);
	FbOutcomes *o = &state->outcomes;

	*o = from->outcomes;
	o->space = o->waiting = 0;
	o->key = NULL;
	o->at = NULL;
	o->value = NULL;
	o->event = NULL;
	own_plan(state, from->outcomes.metric);
	make_arrays(state);
	memcpy(o->rows, from->outcomes.rows, (Size) o->units * o->width * sizeof(double));
	memcpy(o->bad, from->outcomes.bad, (Size) o->metrics * o->arms * sizeof(uint64));
	make_space(state, Max(from->outcomes.waiting, FB_UNIT_BATCH));
	o->waiting = from->outcomes.waiting;
	memcpy(o->key, from->outcomes.key, o->waiting * sizeof(FbUnitKey));
	memcpy(o->at, from->outcomes.at, o->waiting * sizeof(int64));
	memcpy(o->value, from->outcomes.value, (Size) o->waiting * o->values * sizeof(double));
	memcpy(o->event, from->outcomes.event, o->waiting);
	return state;
}

/* Returns argument 0 as a state that may be changed: the aggregate's own, or a copy in its context. */
static FbOutcomeState *
updatable(FunctionCallInfo fcinfo, MemoryContext context)
{
	Datum		value = PG_GETARG_DATUM(0);
	FbOutcomeState *state = fb_outcome_state_get(value, context);

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)) && !VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
		state = copy_state(state, context);
	return state;
}

/* Tells whether two sets of metrics are the same. */
static bool
same_metrics(const FbOutcomes *a, const FbOutcomes *b)
{
	if (a->metrics != b->metrics || a->values != b->values || a->names != b->names ||
		memcmp(a->metric, b->metric, sizeof(FbOutcomeMetric) * a->metrics) != 0)
		return false;
	for (uint32 i = 0; i < a->names; i++)
		if (fb_outcomes_event(b, a->name[i], a->name_length[i]) != i + 1)
			return false;
	return true;
}

/* Returns the size of what points to a map that is stored elsewhere, 0 for one that is inline. */
static Size
toast_size(const void *map)
{
	return VARATT_IS_EXTERNAL_ONDISK(map) ? VARHDRSZ_EXTERNAL + sizeof(struct varatt_external) : 0;
}

/*
 * Finds the map of a call for a state, or for none yet. A flat map in memory
 * and an expanded one are used in place; one that comes toasted is copied
 * into the state the first time, and known by what points to it afterwards.
 */
static inline bool
find_map(FbOutcomeState *state, Datum map, FbExposureView *fresh)
{
	struct varlena *pointer = (struct varlena *) DatumGetPointer(map);
	const uint64_t *fingerprint;

	if (VARATT_IS_4B_U(pointer))
	{
		if (state == NULL)
		{
			fb_exposure_flat_view(pointer, fresh);
			return true;
		}
		fingerprint = ((const FbExposures *) pointer)->fingerprint;
		if (unlikely(state->map_at != pointer))
		{
			fb_exposure_flat_view(pointer, &state->view);
			state->map_at = pointer;
		}
	}
	else if (VARATT_IS_EXTERNAL_EXPANDED(pointer))
	{
		FbExposureState *expanded = fb_exposure_state_expanded(map);

		fb_exposure_state_complete(expanded);
		if (state == NULL)
		{
			*fresh = expanded->view;
			return true;
		}
		fingerprint = expanded->view.fingerprint;
		if (unlikely(state->map_at != expanded || state->view.entries != expanded->view.entries))
		{
			state->view = expanded->view;
			state->map_at = expanded;
		}
	}
	else
		return false;
	if (unlikely(fingerprint[0] != state->outcomes.fingerprint[0] || fingerprint[1] != state->outcomes.fingerprint[1]))
		other_map();
	return true;
}

/* Takes a toasted map into the state's own memory. */
static void
own_toasted_map(FbOutcomeState *state, Datum map)
{
	MemoryContext old;
	Size		size = toast_size(DatumGetPointer(map));

	if (state->own_map != NULL && state->map_at == state->own_map && size > 0 && state->toast != NULL &&
		memcmp(state->toast, DatumGetPointer(map), size) == 0)
		return;
	old = MemoryContextSwitchTo(state->hdr.eoh_context);
	if (state->own_map)
		pfree(state->own_map);
	if (state->toast)
		pfree(state->toast);
	state->toast = NULL;
	state->own_map = (FbExposures *) PG_DETOAST_DATUM_COPY(map);
	state->map_at = state->own_map;
	if (size > 0)
	{
		state->toast = palloc(size);
		memcpy(state->toast, DatumGetPointer(map), size);
	}
	MemoryContextSwitchTo(old);
	fb_exposure_flat_view(state->own_map, &state->view);
	if (state->view.fingerprint[0] != state->outcomes.fingerprint[0] || state->view.fingerprint[1] != state->outcomes.fingerprint[1])
		other_map();
}

/* Returns the metrics, the argument behind the values, or NULL. */
static Jsonb *
plan_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_NARGS() > argument && !PG_ARGISNULL(argument) ? PG_GETARG_JSONB_P(argument) : NULL;
}

/* Makes the state of a call that brings none. */
static FbOutcomeState *
first_state(FunctionCallInfo fcinfo, MemoryContext context, int kind, int plan_at, uint32 values, bool has_event)
{
	FbExposureView view;
	FbUnitPlan	plan;
	Jsonb	   *given = plan_argument(fcinfo, plan_at);
	FbOutcomeState *state;

	if (!find_map(NULL, PG_GETARG_DATUM(1), &view))
		fb_exposure_flat_view(PG_DETOAST_DATUM(PG_GETARG_DATUM(1)), &view);
	if (view.kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the units of the events are of another type than those of the exposure map"),
				 errhint("Cast the unit where exposures or events are read, so that both are bigint, uuid or text.")));
	fb_unit_plan(given, values, has_event, &plan);
	state = fb_outcome_state_new(&view, &plan, context, true);
	if (given)
	{
		state->plan = MemoryContextAlloc(state->hdr.eoh_context, VARSIZE(given));
		memcpy(state->plan, given, VARSIZE(given));
	}
	return state;
}

/* Checks that a call brings the metrics of the state. */
static void
check_plan(FunctionCallInfo fcinfo, FbOutcomeState *state, int plan_at, uint32 values, bool has_event)
{
	Jsonb	   *given = plan_argument(fcinfo, plan_at);

	if (given == NULL || state->plan == NULL || VARSIZE(given) != VARSIZE(state->plan) || memcmp(given, state->plan, VARSIZE(given)) != 0)
	{
		FbUnitPlan	plan;

		fb_unit_plan(given, values, has_event, &plan);
		if (!same_metrics(&state->outcomes, &plan.outcomes))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("metrics must be the same in all rows of a group")));
	}
	state->plan_at = given ? (const void *) DatumGetPointer(PG_GETARG_DATUM(plan_at)) : (const void *) state;
}

/* Returns what stands for the value of an event. */
static inline double
event_value(double value)
{
	return likely(fb_stats_usable(value)) ? value : fb_double_of(FB_VALUE_BAD);
}

/* Reads an array of values; false where all are null. */
static bool
read_values(ArrayType *array, uint32 count, double *values)
{
	const char *at = ARR_DATA_PTR(array);
	const bits8 *bitmap = ARR_NULLBITMAP(array);
	bool		any = false;

	for (uint32 i = 0; i < count; i++)
	{
		double		value;

		if (bitmap && !(bitmap[i / 8] & (1 << (i % 8))))
		{
			values[i] = fb_double_of(FB_VALUE_NONE);
			continue;
		}
		memcpy(&value, at, sizeof(value));
		at += sizeof(value);
		values[i] = event_value(value);
		any = true;
	}
	return any;
}

/* Adds an event. is_array: it brings several values; has_event: its name stands before them. */
static inline Datum
accumulate(FunctionCallInfo fcinfo, int kind, bool is_array, bool has_event)
{
	MemoryContext context = fb_aggregate_context(fcinfo, "unit_accum");
	const int	value_at = has_event ? 5 : 4;
	const int	plan_at = value_at + 1;
	FbOutcomeState *state;
	FbOutcomes *o;
	ArrayType  *array = NULL;
	uint32		values = 1;
	uint32		event;
	uint8		name = 0;

	if (unlikely(PG_ARGISNULL(1)))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&updatable(fcinfo, context)->hdr);
	}
	if (is_array && !PG_ARGISNULL(value_at))
	{
		array = PG_GETARG_ARRAYTYPE_P(value_at);
		values = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		if (ARR_NDIM(array) > 1)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("values must be an array of one dimension")));
	}
	if (unlikely(PG_ARGISNULL(0)))
	{
		if (is_array && array == NULL)
			PG_RETURN_NULL();
		state = first_state(fcinfo, context, kind, plan_at, values, has_event);
	}
	else
		state = updatable(fcinfo, context);
	o = &state->outcomes;
	if (unlikely(!find_map(state, PG_GETARG_DATUM(1), NULL)))
		own_toasted_map(state, PG_GETARG_DATUM(1));
	if (PG_NARGS() > plan_at &&
		unlikely(state->plan_at != (PG_ARGISNULL(plan_at) ? (void *) state : DatumGetPointer(PG_GETARG_DATUM(plan_at)))))
		check_plan(fcinfo, state, plan_at, o->values, has_event);
	if (unlikely(state->view.kind != kind))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the units of the events are of another type than those of the exposure map")));
	if (PG_ARGISNULL(2) || PG_ARGISNULL(3) || PG_ARGISNULL(value_at))
		return EOHPGetRWDatum(&state->hdr);
	if (unlikely(values != o->values))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("values must have the same number of elements in all rows, not %u and %u", o->values, values)));
	if (has_event && o->names > 0 && !PG_ARGISNULL(4))
	{
		text	   *given = fb_text_in_line(PG_GETARG_DATUM(4));

		name = fb_outcomes_event(o, VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given));
		if (name == 0 && state->only_named)
			return EOHPGetRWDatum(&state->hdr);
	}

	event = o->waiting;
	if (unlikely(event >= o->space))
		make_space(state, event + FB_UNIT_BATCH);
	if (is_array)
	{
		if (!read_values(array, values, &o->value[(Size) event * values]))
			return EOHPGetRWDatum(&state->hdr);
	}
	else
		o->value[event] = event_value(PG_GETARG_FLOAT8(value_at));
	o->key[event] = fb_unit_from_datum(PG_GETARG_DATUM(2), kind);
	o->at[event] = PG_GETARG_TIMESTAMPTZ(3);
	o->event[event] = name;
	fb_outcomes_prefetch(o, &state->view, event);
	if (unlikely(++o->waiting >= FB_UNIT_BATCH))
	{
		fb_outcomes_apply(o, &state->view, 0, o->waiting);
		o->waiting = 0;
	}
	return EOHPGetRWDatum(&state->hdr);
}

/* unit_accum(state, map, unit bigint, at, value float8 [, metrics]) */
Datum
fb_unit_accum_bigint(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_BIGINT, false, false);
}

/* unit_accum(state, map, unit uuid, at, value float8 [, metrics]) */
Datum
fb_unit_accum_uuid(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_UUID, false, false);
}

/* unit_accum(state, map, unit text, at, value float8 [, metrics]) */
Datum
fb_unit_accum_text(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_TEXT, false, false);
}

/* unit_accum(state, map, unit bigint, at, values float8[], metrics) */
Datum
fb_unit_accum_array_bigint(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_BIGINT, true, false);
}

/* unit_accum(state, map, unit uuid, at, values float8[], metrics) */
Datum
fb_unit_accum_array_uuid(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_UUID, true, false);
}

/* unit_accum(state, map, unit text, at, values float8[], metrics) */
Datum
fb_unit_accum_array_text(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_TEXT, true, false);
}

/* unit_accum(state, map, unit bigint, at, event text, value float8, metrics) */
Datum
fb_unit_accum_event_bigint(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_BIGINT, false, true);
}

/* unit_accum(state, map, unit uuid, at, event text, value float8, metrics) */
Datum
fb_unit_accum_event_uuid(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_UUID, false, true);
}

/* unit_accum(state, map, unit text, at, event text, value float8, metrics) */
Datum
fb_unit_accum_event_text(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, FB_UNITS_TEXT, false, true);
}

/* Adds the events of another state. */
static void
merge(FbOutcomeState *state, const FbOutcomeState *other)
{
	FbOutcomes *o = &state->outcomes;
	const FbOutcomes *p = &other->outcomes;

	if (o->fingerprint[0] != p->fingerprint[0] || o->fingerprint[1] != p->fingerprint[1] || o->units != p->units || o->arms != p->arms)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge what units of different exposure maps did"),
				 errhint("Read each state with its map by unit_stats, and merge the stats of disjoint units.")));
	if (!same_metrics(o, p))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge states of different metrics")));
	for (uint32 from = 0; from < o->units; from += 65536)
	{
		CHECK_FOR_INTERRUPTS();
		fb_outcomes_merge(o, p, from, Min(from + 65536, o->units));
	}
	for (Size i = 0; i < (Size) o->metrics * o->arms; i++)
		o->bad[i] += p->bad[i];
	if (p->waiting > 0)
	{
		make_space(state, o->waiting + p->waiting);
		memcpy(o->key + o->waiting, p->key, p->waiting * sizeof(FbUnitKey));
		memcpy(o->at + o->waiting, p->at, p->waiting * sizeof(int64));
		memcpy(o->event + o->waiting, p->event, p->waiting);
		memcpy(o->value + (Size) o->waiting * o->values, p->value, (Size) p->waiting * p->values * sizeof(double));
		o->waiting += p->waiting;
	}
}

/* Adds argument 1, a state, to argument 0. */
static Datum
merge_states(FunctionCallInfo fcinfo, const char *function)
{
	MemoryContext context = fb_aggregate_context(fcinfo, function);
	FbOutcomeState *state;
	FbOutcomeState *other;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&updatable(fcinfo, context)->hdr);
	}
	if (PG_ARGISNULL(0))
	{
		/* A flat state becomes the aggregate's own at once. */
		bool		flat = !VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(PG_GETARG_DATUM(1)));

		other = fb_outcome_state_get(PG_GETARG_DATUM(1), context);
		return EOHPGetRWDatum(&(flat ? other : copy_state(other, context))->hdr);
	}
	state = updatable(fcinfo, context);
	other = fb_outcome_state_get(PG_GETARG_DATUM(1), CurrentMemoryContext);
	merge(state, other);
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(PG_GETARG_DATUM(1))))
		DeleteExpandedObject(EOHPGetRWDatum(&other->hdr));
	return EOHPGetRWDatum(&state->hdr);
}

/* unit_combine(state, state): combine function of unit_agg over a map */
Datum
fb_unit_combine(PG_FUNCTION_ARGS)
{
	return merge_states(fcinfo, "unit_combine");
}

/* unit_rollup(state, state): transition of rollup(unit_outcomes) */
Datum
fb_unit_rollup(PG_FUNCTION_ARGS)
{
	return merge_states(fcinfo, "unit_rollup");
}

/* unit_final(state): hands the state on */
Datum
fb_unit_final(PG_FUNCTION_ARGS)
{
	fb_aggregate_context(fcinfo, "unit_final");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(PG_GETARG_DATUM(0))))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	return fb_expanded_result(fcinfo, &fb_outcome_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext)->hdr);
}
