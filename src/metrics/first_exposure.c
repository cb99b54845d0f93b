/*
 * first_exposure.c
 *		The aggregates first_exposure(variation, at) and funnel_depth(step, at,
 *		window), which run once per unit under GROUP BY.
 *
 * Their states are small values of type bytea. Whoever makes an aggregate of
 * these functions can give them any bytea, so its shape is checked.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/int.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/fb_funnel.h"
#include "metrics/result.h"
#include "metrics/units.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_first_exposure_accum);
PG_FUNCTION_INFO_V1(fb_first_exposure_combine);
PG_FUNCTION_INFO_V1(fb_first_exposure_final);
PG_FUNCTION_INFO_V1(fb_funnel_accum);
PG_FUNCTION_INFO_V1(fb_funnel_combine);
PG_FUNCTION_INFO_V1(fb_funnel_final);

/*
 * A state of first_exposure: the time of the first exposure, then the
 * variations, that of the first exposure in front, each as its length in 4
 * bytes and its name.
 */
typedef struct FirstExposure
{
	TimestampTz at;
	int			count;
	const char **name;
	uint32	   *length;
} FirstExposure;

/* Refuses a state that no transition made. */
static void
bad_state(const char *aggregate)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid state of %s", aggregate)));
}

/* Reads a state. */
static void
read_first(bytea *state, FirstExposure *first)
{
	const char *at = VARDATA_ANY(state);
	const char *end = at + VARSIZE_ANY_EXHDR(state);
	int			space = 4;

	if (end - at < 12)
		bad_state("first_exposure");
	memcpy(&first->at, at, 8);
	at += 8;
	first->count = 0;
	first->name = palloc(sizeof(char *) * space);
	first->length = palloc(sizeof(uint32) * space);
	while (at < end)
	{
		uint32		length;

		if (end - at < 4)
			bad_state("first_exposure");
		memcpy(&length, at, 4);
		at += 4;
		if ((Size) (end - at) < length)
			bad_state("first_exposure");
		if (first->count == space)
		{
			space *= 2;
			first->name = repalloc(first->name, sizeof(char *) * space);
			first->length = repalloc(first->length, sizeof(uint32) * space);
		}
		first->name[first->count] = at;
		first->length[first->count++] = length;
		at += length;
	}
}

/* Returns a state: the variation of number front goes to the front. */
static bytea *
write_first(const FirstExposure *first, int front)
{
	Size		size = VARHDRSZ + 8;
	bytea	   *state;
	char	   *at;

	for (int i = 0; i < first->count; i++)
		size += 4 + (Size) first->length[i];
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the variations of one unit are larger than 1 GB")));
	state = palloc(size);
	SET_VARSIZE(state, size);
	at = VARDATA(state);
	memcpy(at, &first->at, 8);
	at += 8;
	for (int i = -1; i < first->count; i++)
	{
		int			which = i < 0 ? front : i;

		if (i == front)
			continue;
		memcpy(at, &first->length[which], 4);
		memcpy(at + 4, first->name[which], first->length[which]);
		at += 4 + first->length[which];
	}
	return state;
}

/* Adds an exposure to what was read; returns the number of the variation that is first then, or -1 if nothing changes. */
static int
join_first(FirstExposure *first, const char *name, uint32 length, TimestampTz at)
{
	int			which = 0;
	int			front = 0;
	FbArm		mine = {.variation = name, .variation_length = length};
	FbArm		other = {.variation = first->name[0], .variation_length = first->length[0]};
	bool		earlier = at < first->at || (at == first->at && fb_arm_compare(&mine, &other) < 0);

	while (which < first->count &&
		   (first->length[which] != length || memcmp(first->name[which], name, length) != 0))
		which++;
	if (which < first->count && !earlier)
		return -1;
	if (which == first->count)
	{
		first->name = repalloc(first->name, sizeof(char *) * (first->count + 1));
		first->length = repalloc(first->length, sizeof(uint32) * (first->count + 1));
		first->name[which] = name;
		first->length[which] = length;
		first->count++;
	}
	if (earlier)
	{
		first->at = at;
		front = which;
	}
	return front;
}

/* first_exposure_accum(state, variation text, at timestamptz) returns bytea */
Datum
fb_first_exposure_accum(PG_FUNCTION_ARGS)
{
	FirstExposure first;
	text	   *variation;
	int			front;

	fb_aggregate_context(fcinfo, "first_exposure_accum");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	variation = PG_GETARG_TEXT_PP(1);
	if (PG_ARGISNULL(0))
	{
		const char *name = VARDATA_ANY(variation);
		uint32		length = VARSIZE_ANY_EXHDR(variation);

		first.at = PG_GETARG_TIMESTAMPTZ(2);
		first.count = 1;
		first.name = &name;
		first.length = &length;
		PG_RETURN_BYTEA_P(write_first(&first, 0));
	}
	read_first(PG_GETARG_BYTEA_PP(0), &first);
	front = join_first(&first, VARDATA_ANY(variation), VARSIZE_ANY_EXHDR(variation), PG_GETARG_TIMESTAMPTZ(2));
	if (front < 0)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	PG_RETURN_BYTEA_P(write_first(&first, front));
}

/* first_exposure_combine(state, state) returns bytea; strict */
Datum
fb_first_exposure_combine(PG_FUNCTION_ARGS)
{
	FirstExposure first;
	FirstExposure other;
	bytea	   *state = PG_GETARG_BYTEA_PP(0);

	fb_aggregate_context(fcinfo, "first_exposure_combine");
	read_first(PG_GETARG_BYTEA_PP(1), &other);
	for (int i = 0; i < other.count; i++)
	{
		int			front;

		/* All but the first variation came later than the first, or not before it by name. */
		read_first(state, &first);
		front = join_first(&first, other.name[i], other.length[i], i == 0 ? other.at : DT_NOEND);
		if (front >= 0)
			state = write_first(&first, front);
	}
	PG_RETURN_BYTEA_P(state);
}

/* first_exposure_final(state) returns first_exposure */
Datum
fb_first_exposure_final(PG_FUNCTION_ARGS)
{
	FirstExposure first;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false};

	fb_aggregate_context(fcinfo, "first_exposure_final");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	read_first(PG_GETARG_BYTEA_PP(0), &first);
	if (!pg_verifymbstr(first.name[0], (int) first.length[0], true))
		bad_state("first_exposure");
	values[0] = PointerGetDatum(cstring_to_text_with_len(first.name[0], (int) first.length[0]));
	values[1] = TimestampTzGetDatum(first.at);
	values[2] = Int32GetDatum(first.count);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * A state of funnel_depth: the window in microseconds, how many events there
 * are, then the events and room for more.
 */
typedef struct Funnel
{
	int32		vl_len_;
	uint32		count;
	int64		window;
	FbFunnelEvent event[FLEXIBLE_ARRAY_MEMBER];
} Funnel;

#define FUNNEL_SIZE(events) (offsetof(Funnel, event) + sizeof(FbFunnelEvent) * (Size) (events))
#define FUNNEL_SPACE(funnel) ((VARSIZE(funnel) - offsetof(Funnel, event)) / sizeof(FbFunnelEvent))

/* Returns a state that was read; it may be in place. */
static Funnel *
read_funnel(Datum value)
{
	Funnel	   *funnel = (Funnel *) PG_DETOAST_DATUM(value);

	/* Inside a tuple a bytea is not aligned as the events are. */
	if ((uintptr_t) funnel != MAXALIGN((uintptr_t) funnel))
		funnel = (Funnel *) PG_DETOAST_DATUM_COPY(value);
	if (VARSIZE(funnel) < FUNNEL_SIZE(0) || funnel->count > FUNNEL_SPACE(funnel) || funnel->window <= 0)
		bad_state("funnel_depth");
	return funnel;
}

/* Makes a state with room for some events, and those of another one. The aggregate copies it into its own memory. */
static Funnel *
make_funnel(Size space, int64 window, const Funnel *from)
{
	Size		size = FUNNEL_SIZE(space);
	Funnel	   *funnel;

	if (size > Min(fb_unit_limit(), MaxAllocSize))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("funnel_depth needs more than %zu kB for the events of one unit", (Size) Min(fb_unit_limit(), MaxAllocSize) / 1024),
				 errhint("Group by the unit, leave out events that are no step, or increase work_mem.")));
	funnel = palloc0(size);
	SET_VARSIZE(funnel, size);
	funnel->window = window;
	if (from)
	{
		funnel->count = from->count;
		memcpy(funnel->event, from->event, sizeof(FbFunnelEvent) * from->count);
	}
	return funnel;
}

/* Returns the window, argument 3, in microseconds. */
static int64
funnel_window(FunctionCallInfo fcinfo)
{
	Interval   *window;
	int64		length;

	if (PG_ARGISNULL(3))
		return FB_FUNNEL_NO_END;
	window = PG_GETARG_INTERVAL_P(3);
	if (window->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the window of a funnel must not have months or years, whose length differs"),
				 errhint("Give days; a day is 24 hours.")));
	if (pg_mul_s64_overflow(window->day, USECS_PER_DAY, &length) ||
		pg_add_s64_overflow(length, window->time, &length) || length <= 0 || length == FB_FUNNEL_NO_END)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the window of a funnel must be longer than zero, and null for none")));
	return length;
}

/* funnel_accum(state, step int, at timestamptz, window interval) returns bytea */
Datum
fb_funnel_accum(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel;
	int64		window;
	int32		step;

	fb_aggregate_context(fcinfo, "funnel_accum");
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	window = funnel_window(fcinfo);
	step = PG_GETARG_INT32(1);
	if (step < 1 || step > FB_FUNNEL_MAX_STEP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step must be between 1 and %d, not %d", FB_FUNNEL_MAX_STEP, step),
				 errhint("Give null for what is no step.")));
	if (PG_ARGISNULL(0))
		funnel = make_funnel(4, window, NULL);
	else
		funnel = read_funnel(PG_GETARG_DATUM(0));
	if (funnel->window != window)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the window of a funnel must be the same in all rows of a group")));
	if (funnel->count == FUNNEL_SPACE(funnel))
		funnel = make_funnel(Max(4, (Size) funnel->count * 2), window, funnel);
	funnel->event[funnel->count].at = PG_GETARG_TIMESTAMPTZ(2);
	funnel->event[funnel->count++].step = step;
	PG_RETURN_POINTER(funnel);
}

/* funnel_combine(state, state) returns bytea; strict */
Datum
fb_funnel_combine(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel = read_funnel(PG_GETARG_DATUM(0));
	Funnel	   *other = read_funnel(PG_GETARG_DATUM(1));

	fb_aggregate_context(fcinfo, "funnel_combine");
	if (funnel->window != other->window)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the window of a funnel must be the same in all rows of a group")));
	if (FUNNEL_SPACE(funnel) - funnel->count < other->count)
		funnel = make_funnel((Size) funnel->count + other->count, funnel->window, funnel);
	memcpy(funnel->event + funnel->count, other->event, sizeof(FbFunnelEvent) * other->count);
	funnel->count += other->count;
	PG_RETURN_POINTER(funnel);
}

/* funnel_final(state) returns int */
Datum
fb_funnel_final(PG_FUNCTION_ARGS)
{
	Funnel	   *funnel;
	FbFunnelEvent *events;

	fb_aggregate_context(fcinfo, "funnel_final");
	if (PG_ARGISNULL(0))
		PG_RETURN_INT32(0);
	funnel = read_funnel(PG_GETARG_DATUM(0));
	events = palloc(sizeof(FbFunnelEvent) * ((Size) funnel->count + 1));
	memcpy(events, funnel->event, sizeof(FbFunnelEvent) * funnel->count);
	for (uint32 i = 0; i < funnel->count; i++)
		if (events[i].step < 1 || events[i].step > FB_FUNNEL_MAX_STEP)
			bad_state("funnel_depth");
	PG_RETURN_INT32(fb_funnel_depth(events, funnel->count, funnel->window));
}
