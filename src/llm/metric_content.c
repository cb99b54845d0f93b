/*
 * metric_content.c
 *		Reading states of the metric aggregates: their content in canonical
 *		order, and their estimates.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "llm/metric_content.h"
#include "llm/metric_hash.h"
#include "llm/server_work.h"
#include "pg_compat.h"

/* Orders labels by bytes. */
int
fb_label_compare(const void *left, const void *right)
{
	const FbLabelText *a = left;
	const FbLabelText *b = right;
	int			result = memcmp(a->data, b->data, Min(a->len, b->len));

	if (result == 0)
		result = (a->len > b->len) - (a->len < b->len);
	return result;
}

/* Orders cells by bucket, gold label, predicted labels. */
int
fb_cell_compare(const void *left, const void *right)
{
	const FbLabelCell *a = left;
	const FbLabelCell *b = right;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	if (a->gold != b->gold)
		return a->gold < b->gold ? -1 : 1;
	for (int i = 0; i < 2; i++)
	{
		if (a->pred[i] != b->pred[i])
			return a->pred[i] < b->pred[i] ? -1 : 1;
	}
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
	uint64		mask = FB_LABEL_MASK(state->paired);
	uint32	   *ids;
	fbcell_iterator iterator;
	FbCellEntry *entry;

	content->nlabels = state->nlabels;
	content->labels = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(FbLabelText) * ((Size) state->nlabels + 1));
	if (state->nlabels > 0)
		memcpy(content->labels, state->label_list, sizeof(FbLabelText) * state->nlabels);
	qsort(content->labels, content->nlabels, sizeof(FbLabelText), fb_label_compare);

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
		uint64		key = entry->key;

		cell->pred[1] = 0;
		for (int s = state->paired; s >= 0; s--)
		{
			cell->pred[s] = (key & mask) == mask ? content->nlabels : ids[key & mask];
			key >>= FB_LABEL_BITS(state->paired);
		}
		cell->gold = ids[key & mask];
		cell->bucket = (uint32) (key >> FB_LABEL_BITS(state->paired));
		cell->count = entry->count;
	}
	qsort(content->cells, content->ncells, sizeof(FbLabelCell), fb_cell_compare);
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
	if (state->info->family == FB_FAMILY_CELLS)
		content_cells(state, content);
	else if (state->units != NULL)
		content_units(state, content);
}

/* Frees what was read. */
void
fb_metric_content_free(FbMetricContent *content)
{
	if (content->cells)
	{
		pfree(content->cells);
		pfree(content->labels);
	}
	if (content->units)
		pfree(content->units);
}

/* Returns a copy of the scored rows of a state in the order of their content. */
FbScoredRow *
fb_metric_sorted_rows(const FbMetricState *state)
{
	FbScoredRow *rows = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(FbScoredRow) * (state->rows + 1));

	if (state->rows > 0)
		memcpy(rows, state->scored, sizeof(FbScoredRow) * state->rows);
	qsort(rows, state->rows, sizeof(FbScoredRow), fb_scored_row_compare);
	return rows;
}

/* Finds a label among the first count sorted ones; count if it is none of them. */
static uint32
find_label(const FbLabelText *labels, uint32 count, const FbLabelText *label)
{
	const FbLabelText *found = bsearch(label, labels, count, sizeof(FbLabelText), fb_label_compare);

	return found == NULL ? count : (uint32) (found - labels);
}

/* Reads a label as a number. */
static bool
label_number(const FbLabelText *label, double *number)
{
	char	   *end;

	if (label->len == 0 || strspn(label->data, "+-0123456789.eE") != label->len)
		return false;
	*number = strtod(label->data, &end);
	return end == label->data + label->len;
}

typedef struct NumberedLabel
{
	double		number;
	uint32		label;
} NumberedLabel;

/* Orders labels by number. */
static int
compare_numbers(const void *left, const void *right)
{
	const NumberedLabel *a = left;
	const NumberedLabel *b = right;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return a->label < b->label ? -1 : 1;
}

/* Orders all labels for weighted agreement: as given, or by number where all are numbers, else by bytes. */
static uint32 *
label_order(const FbMetricSystem *system, const FbMetricParams *params, const uint32 *given)
{
	uint32	   *order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (system->nlabels + 1));
	NumberedLabel *numbered = MemoryContextAllocHuge(CurrentMemoryContext,
													 sizeof(NumberedLabel) * (system->nlabels + 1));
	bool		all = true;
	uint32		count = 0;

	for (uint32 i = 0; i < params->nlabels; i++)
		order[count++] = given[i];
	for (uint32 i = 0; i < system->nlabels; i++)
	{
		numbered[i].label = i;
		all = all && label_number(&system->labels[i], &numbered[i].number);
	}
	if (all)
		qsort(numbered, system->nlabels, sizeof(NumberedLabel), compare_numbers);
	for (uint32 i = 0; i < system->nlabels; i++)
	{
		if (!(params->nlabels > 0 && system->label_options.given[numbered[i].label]))
			order[count++] = numbered[i].label;
	}
	return order;
}

/*
 * Prepares the labels of a state, those that were given and do not occur among
 * them, and the options that depend on them.
 */
void
fb_metric_system(const FbMetricState *state, const FbMetricContent *content, FbMetricSystem *system)
{
	const FbMetricParams *params = state->params;
	uint32		room = content->nlabels + params->nlabels + 1;
	uint32	   *given_ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (params->nlabels + 1));
	bool	   *given = MemoryContextAllocExtended(CurrentMemoryContext, room + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	system->label_options = params->options.label;
	system->labels = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(FbLabelText) * (Size) room);
	system->nlabels = content->nlabels;
	if (content->nlabels > 0)
		memcpy(system->labels, content->labels, sizeof(FbLabelText) * content->nlabels);
	for (uint32 i = 0; i < params->nlabels; i++)
	{
		given_ids[i] = find_label(content->labels, content->nlabels, &params->labels[i]);
		if (given_ids[i] == content->nlabels)
		{
			given_ids[i] = system->nlabels;
			system->labels[system->nlabels++] = params->labels[i];
		}
		given[given_ids[i]] = true;
	}
	if (params->pos.data != NULL)
	{
		system->label_options.pos = find_label(content->labels, content->nlabels, &params->pos);
		if (system->label_options.pos == content->nlabels)
		{
			system->label_options.pos = system->nlabels;
			system->labels[system->nlabels++] = params->pos;
		}
	}
	system->label_options.given = given;
	system->label_options.order = NULL;
	if (system->label_options.kind == FB_LABEL_KAPPA)
		system->label_options.order = label_order(system, params, given_ids);

	/* Abstentions come behind the labels that were added. */
	system->cells = content->cells;
	for (uint32 i = 0; i < content->ncells && system->nlabels > content->nlabels; i++)
	{
		for (int s = 0; s < 2; s++)
		{
			if (content->cells[i].pred[s] == content->nlabels && (s == 0 || state->paired))
				system->cells[i].pred[s] = system->nlabels;
		}
	}
	for (int s = 0; s < 2; s++)
		system->memory[s] = MemoryContextAllocHuge(CurrentMemoryContext, fb_label_table_size(system->nlabels));
}

/* Estimates a label metric with the options of the system. */
void
fb_metric_system_estimate(const FbMetricState *state, const FbMetricContent *content,
						  const FbMetricSystem *system, const FbTarget *target, FbEstimate *result)
{
	FbLabelTable tables[2];

	for (int s = 0; s < 2; s++)
		fb_label_table_init(&tables[s], &system->label_options, system->nlabels, system->memory[s]);
	fb_label_estimate(target, tables, system->cells, content->ncells, state->unit == FB_UNIT_GIVEN,
					  fb_server_poll, result);
}

/* Computes the estimate that a state stands for; n is 0 without rows. */
void
fb_metric_state_evaluate(const FbMetricState *state, FbEstimate *result)
{
	const FbMetricInfo *info = state->info;
	const FbMetricOptions *options = &state->params->options;
	FbTarget	target = fb_metric_target(info, options, state->paired);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "featbit estimate", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	FbMetricContent content;

	memset(result, 0, sizeof(*result));
	fb_metric_state_content(state, &content);
	switch (info->family)
	{
		case FB_FAMILY_CELLS:
			{
				FbMetricSystem system;

				fb_metric_system(state, &content, &system);
				fb_metric_system_estimate(state, &content, &system, &target, result);
				break;
			}
		case FB_FAMILY_PASS:
		case FB_FAMILY_MEAN:
			if (state->units != NULL)
			{
				FbUnit	   *units = MemoryContextAllocHuge(scratch, sizeof(FbUnit) * ((Size) content.nunits + 1));

				for (uint32 i = 0; i < content.nunits; i++)
					units[i] = content.units[i].counts;
				if (info->family == FB_FAMILY_MEAN)
					fb_estimate_units(&target, units, content.nunits, result);
				else
					fb_estimate_pass(&target, options->k, info->id == FB_METRIC_PASS_POW_K, units,
									 content.nunits, result);
			}
			else if (!info->binary)
				fb_estimate_scores(&target, &state->scores, result);
			else if (state->paired)
				fb_estimate_pairs(&target, state->rows, state->correct, state->losses, result);
			else
				fb_estimate_share(&target, state->rows, state->correct, result);
			break;
		case FB_FAMILY_SUMS:
			if (state->unit == FB_UNIT_GIVEN)
				fb_sums_estimate_buckets(&target, info, options, state->bucket_rows,
										 (const double *const *) state->bucket_sums, result);
			else if (state->rows > 0)
				fb_sums_estimate_rows(&target, info, options, state->rows, state->sums, state->products, result);
			break;
		case FB_FAMILY_SCORED:
			{
				FbServerWork server;

				fb_server_work_begin(&server);
				fb_scored_estimate(&server.work, &target, &options->scored, fb_metric_sorted_rows(state), state->rows,
								   state->unit == FB_UNIT_GIVEN, result);
				break;
			}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}
