/*
 * metric_agg.c
 *		The aggregates featbit.metric and featbit.metric_agg: transition,
 *		combine and final functions.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "llm/metric_state.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_metric_accum);
PG_FUNCTION_INFO_V1(fb_metric_accum_unit);
PG_FUNCTION_INFO_V1(fb_metric_combine);
PG_FUNCTION_INFO_V1(fb_metric_rollup);
PG_FUNCTION_INFO_V1(fb_metric_final);

/* Longest name that is worth a suggestion, and to be shown in full. */
#define MAX_NAME_LENGTH 63

/* Raises the error about an unknown metric, with the nearest name there is. */
static void
unknown_metric(const char *name)
{
	const FbLabelMetricInfo *metrics;
	const FbLabelMetricInfo *nearest = NULL;
	size_t		count;
	int			len = strlen(name);
	int			shown = pg_mbcliplen(name, len, MAX_NAME_LENGTH);
	int			best = 0;
	StringInfoData list;

	metrics = fb_label_metric_list(&count);
	initStringInfo(&list);
	for (size_t i = 0; i < count; i++)
	{
		appendStringInfo(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " and " : ", ",
						 metrics[i].name);
		if (len <= MAX_NAME_LENGTH)
		{
			int			other = strlen(metrics[i].name);
			int			distance = varstr_levenshtein(name, len, metrics[i].name, other,
													  1, 1, 1, true);

			/* Beyond half of the name it is a different word. */
			if (distance <= other / 2 && (nearest == NULL || distance < best))
			{
				nearest = &metrics[i];
				best = distance;
			}
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown metric \"%.*s%s\"", shown, name, shown < len ? "..." : ""),
			 errdetail("The metrics are %s.", list.data),
			 nearest ? errhint("Perhaps you meant \"%s\".", nearest->name) : 0));
}

/* Returns the memory context of the aggregate that calls. */
static MemoryContext
aggregate_context(FunctionCallInfo fcinfo, const char *function)
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
static FbMetricState *
updatable_state(FunctionCallInfo fcinfo, MemoryContext context)
{
	Datum		value = PG_GETARG_DATUM(0);
	FbMetricState *state = fb_metric_state_get(value, context);

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)) &&
		!VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(value)))
	{
		FbMetricState *copy = fb_metric_state_new(state->info, state->has_unit, SIZE_MAX, context);

		fb_metric_state_merge(copy, state);
		state = copy;
	}
	state->limit = fb_metric_state_limit();
	return state;
}

/* Returns the state of the running group, made at its first row. */
static FbMetricState *
group_state(FunctionCallInfo fcinfo, MemoryContext context, bool has_unit)
{
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
	{
		char	   *copy = text_to_cstring(name);
		const FbLabelMetricInfo *info = fb_label_metric_by_name(copy);

		if (info == NULL)
			unknown_metric(copy);
		return fb_metric_state_new(info, has_unit, fb_metric_state_limit(), context);
	}

	state = updatable_state(fcinfo, context);
	if (strlen(state->info->name) != len || memcmp(state->info->name, data, len) != 0)
	{
		char	   *copy = text_to_cstring(name);

		if (fb_label_metric_by_name(copy) == NULL)
			unknown_metric(copy);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a metric must be constant within a group"),
				 errdetail("It is \"%s\" in one row and \"%s\" in another.", state->info->name, copy),
				 errhint("Group by the name too.")));
	}
	if (state->has_unit != has_unit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge states with and without units")));
	return state;
}

/* Reads refs[1]; returns false where a row has no gold label. */
static bool
gold_label(FunctionCallInfo fcinfo, int argument, FbLabelText *gold)
{
	ArrayType  *refs;
	Datum		element;
	bool		isnull;
	int			subscript = 1;
	text	   *label;

	if (PG_ARGISNULL(argument))
		return false;
	refs = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(refs) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("refs must be a one-dimensional array"),
				 errdetail("The array has %d dimensions.", ARR_NDIM(refs))));
	if (ARR_NDIM(refs) == 0)
		return false;
	element = array_get_element(PointerGetDatum(refs), 1, &subscript, -1, -1, false,
								TYPALIGN_INT, &isnull);
	if (isnull)
		return false;
	label = DatumGetTextPP(element);
	gold->data = VARDATA_ANY(label);
	gold->len = VARSIZE_ANY_EXHDR(label);
	return true;
}

/* Adds one row. */
static Datum
accumulate(FunctionCallInfo fcinfo, bool has_unit)
{
	MemoryContext context = aggregate_context(fcinfo, has_unit ? "metric_accum_unit" : "metric_accum");
	FbMetricState *state = group_state(fcinfo, context, has_unit);
	FbLabelText gold;
	FbLabelText pred;
	text	   *unit = NULL;
	bool		abstained = PG_ARGISNULL(2);

	if (!gold_label(fcinfo, 3, &gold))
		return EOHPGetRWDatum(&state->hdr);
	if (!abstained)
	{
		text	   *label = PG_GETARG_TEXT_PP(2);

		pred.data = VARDATA_ANY(label);
		pred.len = VARSIZE_ANY_EXHDR(label);
	}
	if (has_unit)
	{
		if (PG_ARGISNULL(4))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the unit of a row must not be NULL"),
					 errhint("Give each row the key of what was sampled, or leave the argument out if every row is a unit of its own.")));
		unit = PG_GETARG_TEXT_PP(4);
	}
	fb_metric_state_add(state, &gold, abstained ? NULL : &pred,
						unit ? VARDATA_ANY(unit) : NULL,
						unit ? (int) VARSIZE_ANY_EXHDR(unit) : 0);
	return EOHPGetRWDatum(&state->hdr);
}

/* Adds a row without a unit. */
Datum
fb_metric_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, false);
}

/* Adds a row of a unit. */
Datum
fb_metric_accum_unit(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, true);
}

/* Adds argument 1, a state, to argument 0. */
static Datum
merge_states(FunctionCallInfo fcinfo, const char *function)
{
	MemoryContext context = aggregate_context(fcinfo, function);
	FbMetricState *state;
	FbMetricState *other;
	bool		flat;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return EOHPGetRWDatum(&updatable_state(fcinfo, context)->hdr);
	}
	flat = !VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(PG_GETARG_DATUM(1)));
	other = fb_metric_state_get(PG_GETARG_DATUM(1), CurrentMemoryContext);
	if (PG_ARGISNULL(0))
		state = fb_metric_state_new(other->info, other->has_unit, fb_metric_state_limit(), context);
	else
		state = updatable_state(fcinfo, context);
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

/* Evaluates a state. */
static void
evaluate_state(const FbMetricState *state, FbEstimate *result)
{
	FbMetricContent content;

	fb_metric_state_content(state, &content);
	if (fb_metric_state_keeps_cells(state))
	{
		FbLabelCount *counts = MemoryContextAllocHuge(CurrentMemoryContext,
													  sizeof(FbLabelCount) * ((Size) content.nlabels + 1));

		if (state->has_unit)
			fb_label_estimate_bucketed(state->info->id, content.cells, content.ncells,
									   counts, content.nlabels, result);
		else
			fb_label_estimate_rows(state->info->id, content.cells, content.ncells,
								   counts, content.nlabels, result);
		pfree(counts);
		pfree(content.cells);
		pfree(content.labels);
	}
	else if (fb_metric_state_keeps_units(state))
	{
		FbUnitCount *units = MemoryContextAllocHuge(CurrentMemoryContext,
													sizeof(FbUnitCount) * ((Size) content.nunits + 1));

		for (uint32 i = 0; i < content.nunits; i++)
			units[i] = content.units[i].counts;
		fb_accuracy_estimate_clustered(units, content.nunits, result);
		pfree(units);
		pfree(content.units);
	}
	else
		fb_accuracy_estimate(state->rows, state->correct, result);
}

/* Returns the estimate that a state stands for. */
Datum
fb_metric_final(PG_FUNCTION_ARGS)
{
	FbEstimate	result = {0};
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!PG_ARGISNULL(0))
		evaluate_state(fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext), &result);

	values[0] = Int64GetDatum(result.n);
	values[1] = Float8GetDatum(result.value);
	values[2] = Float8GetDatum(result.se);
	values[3] = Float8GetDatum(result.lo);
	values[4] = Float8GetDatum(result.hi);
	values[5] = (Datum) 0;
	nulls[0] = false;
	nulls[1] = !result.has_value;
	nulls[2] = !result.has_se;
	nulls[3] = nulls[4] = !result.has_interval;
	nulls[5] = true;			/* only a difference has a p */
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
