/*
 * metric_agg.c
 *		The aggregates featbit.metric, featbit.metric_diff and their states:
 *		transition, combine and final functions.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "llm/metric_agg.h"
#include "llm/metric_row.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_metric_accum);
PG_FUNCTION_INFO_V1(fb_metric_diff_accum);
PG_FUNCTION_INFO_V1(fb_metric_combine);
PG_FUNCTION_INFO_V1(fb_metric_rollup);
PG_FUNCTION_INFO_V1(fb_metric_final);
PG_FUNCTION_INFO_V1(fb_metric_final_value);

/* Returns the memory context of the aggregate that calls. */
MemoryContext
fb_metric_aggregate_context(FunctionCallInfo fcinfo, const char *function)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s can only be called by an aggregate", function)));
	return context;
}

/*
 * Returns argument 0 as a state that may be changed: the aggregate's own, or
 * a copy in its context.
 */
FbMetricState *
fb_metric_updatable(FunctionCallInfo fcinfo, MemoryContext context)
{
	Datum		value = PG_GETARG_DATUM(0);
	FbMetricState *state = fb_metric_state_get(value, context);

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)) &&
		!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
	{
		FbMetricState *copy = fb_metric_state_new(state->info, state->params->source, state->paired, state->unit,
												  SIZE_MAX, context);

		fb_metric_state_merge(copy, state);
		state = copy;
	}
	state->limit = fb_metric_state_limit();
	return state;
}

/* Refuses parameters that change inside a group. */
static void
check_params(const FbMetricState *state, FunctionCallInfo fcinfo, int argument)
{
	Jsonb	   *params = argument < 0 || PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument);

	if (!fb_metric_params_same(state->params, params))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the parameters of a metric must be constant within a group"),
				 errhint("Group by the parameters too.")));
	if (params != NULL && argument >= 0)
		PG_FREE_IF_COPY(params, argument);
}

/*
 * Returns the state of the running group, made at its first row. Arguments of
 * fcinfo from 1: name, pred (two where paired), refs, unit, params, of which
 * the last two may be missing.
 */
static FbMetricState *
group_state(FunctionCallInfo fcinfo, MemoryContext context, bool paired)
{
	int			params = PG_NARGS() > (paired ? 6 : 5) ? (paired ? 6 : 5) : -1;
	text	   *name;
	const char *data;
	int			len;
	FbMetricState *state;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name of a metric must not be NULL")));
	name = PG_GETARG_TEXT_PP(1);
	data = VARDATA_ANY(name);
	len = VARSIZE_ANY_EXHDR(name);

	if (PG_ARGISNULL(0))
		return fb_metric_state_new(fb_metric_named(data, len),
								   params < 0 || PG_ARGISNULL(params) ? NULL : PG_GETARG_JSONB_P(params), paired,
								   params >= 0 ? FB_UNIT_UNKNOWN :
								   PG_NARGS() > (paired ? 5 : 4) ? FB_UNIT_GIVEN : FB_UNIT_NONE,
								   fb_metric_state_limit(), context);

	state = fb_metric_updatable(fcinfo, context);
	if (strlen(state->info->name) != len || memcmp(state->info->name, data, len) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a metric must be constant within a group"),
				 errdetail("It is \"%s\" in one row and \"%s\" in another.", state->info->name,
						   fb_metric_named(data, len)->name),
				 errhint("Group by the name too.")));
	check_params(state, fcinfo, params);
	return state;
}

/* Adds one row. */
static Datum
accumulate(FunctionCallInfo fcinfo, bool paired)
{
	int			refs = paired ? 4 : 3;
	int			unit = refs + 1;
	bool		has_params = PG_NARGS() > unit + 1;
	MemoryContext context = fb_metric_aggregate_context(fcinfo, paired ? "metric_diff_accum" : "metric_accum");
	FbMetricState *state = group_state(fcinfo, context, paired);
	FbMetricRow row;
	text	   *preds[2] = {NULL, NULL};

	for (int s = 0; s <= (int) paired; s++)
	{
		if (!PG_ARGISNULL(2 + s))
			preds[s] = PG_GETARG_TEXT_PP(2 + s);
	}
	if (fb_metric_read_row(state, preds, PG_ARGISNULL(refs) ? NULL : PG_GETARG_ARRAYTYPE_P(refs), &row))
	{
		row.has_unit = PG_NARGS() > unit && !PG_ARGISNULL(unit);
		if (PG_NARGS() > unit && !row.has_unit && !has_params)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the unit of a row must not be NULL"),
					 errhint("Give each row the key of what was sampled, or leave the argument out if every row is a unit of its own.")));
		if (row.has_unit)
		{
			text	   *key = PG_GETARG_TEXT_PP(unit);

			row.unit = VARDATA_ANY(key);
			row.unit_len = VARSIZE_ANY_EXHDR(key);
		}
		fb_metric_state_add(state, &row);
	}
	return EOHPGetRWDatum(&state->hdr);
}

/* Adds a row of one system. */
Datum
fb_metric_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, false);
}

/* Adds a row of two systems. */
Datum
fb_metric_diff_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, true);
}

/* Adds argument 1, a state, to argument 0. */
static Datum
merge_states(FunctionCallInfo fcinfo, const char *function)
{
	MemoryContext context = fb_metric_aggregate_context(fcinfo, function);
	FbMetricState *state;
	FbMetricState *other;
	bool		flat;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&fb_metric_updatable(fcinfo, context)->hdr);
	}
	flat = !VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(PG_GETARG_DATUM(1)));
	other = fb_metric_state_get(PG_GETARG_DATUM(1), CurrentMemoryContext);
	if (PG_ARGISNULL(0))
		state = fb_metric_state_new(other->info, other->params->source, other->paired, other->unit,
									fb_metric_state_limit(), context);
	else
		state = fb_metric_updatable(fcinfo, context);
	fb_metric_state_merge(state, other);
	if (flat)
		DeleteExpandedObject(EOHPGetRWDatum(&other->hdr));
	return EOHPGetRWDatum(&state->hdr);
}

/* Merges two states of one group, as parallel plans make them. */
Datum
fb_metric_combine(PG_FUNCTION_ARGS)
{
	return merge_states(fcinfo, "metric_combine");
}

/* Adds a stored state. */
Datum
fb_metric_rollup(PG_FUNCTION_ARGS)
{
	return merge_states(fcinfo, "metric_rollup");
}

/* Makes a row of type featbit.estimate. */
Datum
fb_metric_estimate_datum(FunctionCallInfo fcinfo, const FbEstimate *result)
{
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum(result->n);
	values[1] = Float8GetDatum(result->value);
	values[2] = Float8GetDatum(result->se);
	values[3] = Float8GetDatum(result->lo);
	values[4] = Float8GetDatum(result->hi);
	values[5] = Float8GetDatum(result->p);
	nulls[0] = false;
	nulls[1] = !result->has_value;
	nulls[2] = !result->has_se;
	nulls[3] = nulls[4] = !result->has_interval;
	nulls[5] = !result->has_p;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* Returns the estimate that a state stands for. */
Datum
fb_metric_final(PG_FUNCTION_ARGS)
{
	FbEstimate	result = {0};

	if (!PG_ARGISNULL(0))
		fb_metric_state_evaluate(fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext), &result);
	PG_RETURN_DATUM(fb_metric_estimate_datum(fcinfo, &result));
}

/* Returns the value alone; NULL where it is undefined. */
Datum
fb_metric_final_value(PG_FUNCTION_ARGS)
{
	FbEstimate	result = {0};

	if (!PG_ARGISNULL(0))
		fb_metric_state_evaluate(fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext), &result);
	if (!result.has_value)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result.value);
}
