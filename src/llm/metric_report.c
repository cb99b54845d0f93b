/*
 * metric_report.c
 *		Rows from the state of a label metric: classification report and
 *		confusion matrix; and the list of metrics.
 */
#include "postgres.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "llm/metric_content.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_confusion_matrix);
PG_FUNCTION_INFO_V1(fb_classification_report);
PG_FUNCTION_INFO_V1(fb_metrics);
PG_FUNCTION_INFO_V1(fb_metric_signature);

/* Prepares a result of many rows. */
static void
materialized_result(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo) || !(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a function that returns rows was called where none are accepted")));
	caller = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &rsinfo->setDesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = tuplestore_begin_heap(true, false, work_mem);
	MemoryContextSwitchTo(caller);
}

/* Returns the state of argument 0, which must be one of a label metric of one system. */
static FbMetricState *
label_state(FunctionCallInfo fcinfo)
{
	FbMetricState *state = fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext);

	if (state->paired)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a state of two systems has no report of its own"),
				 errhint("Make a state of each with metric_agg.")));
	if (state->info->family != FB_FAMILY_CELLS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a state of the metric \"%s\" has no counts of labels", state->info->name),
				 errhint("Make the state with metric_agg and the name \"f1_macro\", or another metric that counts pairs of labels.")));
	return state;
}

/* Returns a label as text. */
static Datum
label_datum(const FbLabelText *label)
{
	return PointerGetDatum(cstring_to_text_with_len(label->data, label->len));
}

/* Returns how often each pair of labels occurs. */
Datum
fb_confusion_matrix(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FbMetricState *state = label_state(fcinfo);
	FbMetricContent content;
	FbLabelCell *cells;

	materialized_result(fcinfo);
	fb_metric_state_content(state, &content);
	cells = content.cells;
	/* Without buckets equal pairs become one. */
	for (uint32 i = 0; i < content.ncells; i++)
		cells[i].bucket = 0;
	qsort(cells, content.ncells, sizeof(FbLabelCell), fb_cell_compare);
	for (uint32 i = 0; i < content.ncells;)
	{
		const FbLabelCell *first = &cells[i];
		Datum		values[3];
		bool		nulls[3] = {false, false, false};
		int64		count = 0;

		CHECK_FOR_INTERRUPTS();
		for (; i < content.ncells && cells[i].gold == first->gold && cells[i].pred[0] == first->pred[0]; i++)
			count += cells[i].count;
		values[0] = label_datum(&content.labels[first->gold]);
		nulls[1] = first->pred[0] == content.nlabels;
		values[1] = nulls[1] ? (Datum) 0 : label_datum(&content.labels[first->pred[0]]);
		values[2] = Int64GetDatum(count);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* Writes one row of the report. */
static void
report_row(ReturnSetInfo *rsinfo, const FbLabelText *label, const char *name, int64 support, const FbEstimate *estimate)
{
	Datum		values[7];
	bool		nulls[7];

	nulls[0] = label == NULL;
	values[0] = label == NULL ? (Datum) 0 : label_datum(label);
	values[1] = CStringGetTextDatum(name);
	values[2] = Int64GetDatum(support);
	values[3] = Float8GetDatum(estimate->value);
	values[4] = Float8GetDatum(estimate->se);
	values[5] = Float8GetDatum(estimate->lo);
	values[6] = Float8GetDatum(estimate->hi);
	nulls[1] = nulls[2] = false;
	nulls[3] = !estimate->has_value;
	nulls[4] = !estimate->has_se;
	nulls[5] = nulls[6] = !estimate->has_interval;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Returns precision, recall and F of every label of the set that averages run
 * over, and their averages, with intervals.
 */
Datum
fb_classification_report(PG_FUNCTION_ARGS)
{
	static const FbLabelKind kinds[] = {FB_LABEL_PRECISION, FB_LABEL_RECALL, FB_LABEL_F};
	static const char *const kind_names[] = {"precision", "recall", "f1"};
	static const FbLabelAverage averages[] = {FB_AVERAGE_MACRO, FB_AVERAGE_MICRO, FB_AVERAGE_WEIGHTED};
	static const char *const average_names[] = {"macro", "micro", "weighted"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FbMetricState *state = label_state(fcinfo);
	FbTarget	target = {state->params->options.level, 0.0, 1.0, false, false};
	FbMetricContent content;
	FbMetricSystem system;
	FbLabelOptions options;
	int64	   *gold;
	int64	   *pred;
	MemoryContext scratch;

	materialized_result(fcinfo);
	fb_metric_state_content(state, &content);
	fb_metric_system(state, &content, &system);
	options = system.label_options;
	if (options.kind > FB_LABEL_F)
		options.beta = 1.0;
	gold = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(int64) * (system.nlabels + 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	pred = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(int64) * (system.nlabels + 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < content.ncells; i++)
	{
		gold[system.cells[i].gold] += system.cells[i].count;
		pred[system.cells[i].pred[0]] += system.cells[i].count;
	}

	scratch = AllocSetContextCreate(CurrentMemoryContext, "featbit report", ALLOCSET_DEFAULT_SIZES);
	for (uint32 i = 0; i < system.nlabels; i++)
	{
		bool		wanted = options.average == FB_AVERAGE_BINARY ? i == options.pos :
			options.set == FB_LABELS_GIVEN ? options.given[i] :
			gold[i] > 0 || (options.set == FB_LABELS_UNION && pred[i] > 0);

		for (int k = 0; k < lengthof(kinds) && wanted; k++)
		{
			MemoryContext caller = MemoryContextSwitchTo(scratch);
			FbEstimate	estimate;

			system.label_options = options;
			system.label_options.kind = kinds[k];
			system.label_options.average = FB_AVERAGE_BINARY;
			system.label_options.pos = i;
			fb_metric_system_estimate(state, &content, &system, &target, &estimate);
			report_row(rsinfo, &system.labels[i], kind_names[k], gold[i], &estimate);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(scratch);
		}
	}
	for (int a = 0; a < lengthof(averages) && options.average != FB_AVERAGE_BINARY; a++)
	{
		for (int k = 0; k < lengthof(kinds); k++)
		{
			char		name[32];
			FbEstimate	estimate;

			system.label_options = options;
			system.label_options.kind = kinds[k];
			system.label_options.average = averages[a];
			fb_metric_system_estimate(state, &content, &system, &target, &estimate);
			snprintf(name, sizeof(name), "%s_%s", kind_names[k], average_names[a]);
			report_row(rsinfo, NULL, name, state->rows, &estimate);
		}
	}
	return (Datum) 0;
}

/* Returns all metrics. */
Datum
fb_metrics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const FbMetricInfo *list;
	size_t		count;

	materialized_result(fcinfo);
	list = fb_metric_list(&count);
	for (size_t i = 0; i < count; i++)
	{
		Datum		values[6];
		bool		nulls[6] = {false, false, false, false, false, false};

		values[0] = CStringGetTextDatum(list[i].name);
		values[1] = CStringGetTextDatum(list[i].summary);
		values[2] = BoolGetDatum(list[i].higher_is_better);
		nulls[3] = isinf(list[i].lowest);
		values[3] = Float8GetDatum(list[i].lowest);
		nulls[4] = isinf(list[i].highest);
		values[4] = Float8GetDatum(list[i].highest);
		values[5] = PointerGetDatum(fb_metric_parameter_array(&list[i]));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* Returns what must be told beside a number of this metric, so that it means something. */
Datum
fb_metric_signature(PG_FUNCTION_ARGS)
{
	text	   *name;
	const FbMetricInfo *info;
	FbMetricParams *params;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	name = PG_GETARG_TEXT_PP(0);
	info = fb_metric_named(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	params = fb_metric_params(info, PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1), CurrentMemoryContext);
	PG_RETURN_TEXT_P(cstring_to_text(fb_metric_params_signature(info, params)));
}
