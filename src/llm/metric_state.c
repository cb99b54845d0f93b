/*
 * metric_state.c
 *		Building, merging and loading states of the metric aggregates.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "llm/metric_hash.h"
#include "pg_compat.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Room an entry takes in a table that is between half and nine tenths full. */
#define ENTRY_BYTES(type) (sizeof(type) * 3 / 2)

/* Whether a state keeps the scores of each unit. */
bool
fb_metric_state_keeps_units(const FbMetricState *state)
{
	return state->info->family == FB_FAMILY_PASS ||
		(state->info->family == FB_FAMILY_MEAN && state->unit == FB_UNIT_GIVEN);
}

/* Returns the memory a state may take while it grows. */
Size
fb_metric_state_limit(void)
{
	double		limit = (double) work_mem * 1024.0 * hash_mem_multiplier;

	/* A flat value must stay below a gigabyte. */
	return (Size) Min(limit, (double) (MaxAllocSize / 2));
}

/* Makes the parts that a state needs once it is known whether rows carry a unit. */
static void
state_prepare(FbMetricState *state)
{
	MemoryContext context = state->hdr.eoh_context;

	if (fb_metric_state_keeps_units(state) && state->units == NULL)
		state->units = fbunit_create(context, 14, NULL);
	if (state->info->family == FB_FAMILY_SUMS && state->unit == FB_UNIT_NONE && state->sums == NULL)
	{
		int			size = 2 * state->width + FB_PRODUCTS(state->width);

		state->sums = MemoryContextAllocZero(context, sizeof(double) * size);
		state->means = state->sums + state->width;
		state->products = state->means + state->width;
	}
}

/* Makes an empty state, in a memory context of its own below parent. */
FbMetricState *
fb_metric_state_new(const FbMetricInfo *info, const Jsonb *params, bool paired, FbUnitMode unit,
					Size limit, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "featbit metric state",
												  ALLOCSET_START_SMALL_SIZES);
	FbMetricState *state = MemoryContextAllocZero(context, sizeof(FbMetricState));

	EOH_init_header(&state->hdr, &fb_metric_state_methods, context);
	state->magic = FB_METRIC_STATE_MAGIC;
	state->info = info;
	state->params = fb_metric_params(info, params, context);
	state->paired = paired;
	state->unit = unit;
	state->limit = limit;
	if (info->family == FB_FAMILY_CELLS)
	{
		state->labels = fblabel_create(context, 14, NULL);
		state->cells = fbcell_create(context, 14, NULL);
	}
	state->width = fb_metric_statistics(info, &state->params->options) * (paired ? 2 : 1);
	state_prepare(state);
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
				 state->units ?
				 errdetail("The group has more than " INT64_FORMAT " distinct units.",
						   (int64) state->units->members) :
				 state->labels ?
				 errdetail("The group has %u distinct labels.", state->nlabels) :
				 errdetail("The group has more than " INT64_FORMAT " rows, which this metric must sort.", state->rows),
				 state->labels ?
				 errhint("Increase work_mem or hash_mem_multiplier, or check that the arguments are labels and not free text.") :
				 errhint("Increase work_mem or hash_mem_multiplier.")));
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

	if (state->nlabels >= FB_LABEL_MASK(state->paired))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many distinct labels"),
				 errdetail("A group can have " UINT64_FORMAT ".", FB_LABEL_MASK(state->paired))));
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
state_unit(FbMetricState *state, FbUnitId id, int64 rows, double first, double second)
{
	FbUnitEntry *entry = fbunit_lookup(state->units, id);
	bool		is_new = entry == NULL;
	bool		found;

	if (is_new)
	{
		state_grow(state, ENTRY_BYTES(FbUnitEntry));
		entry = fbunit_insert(state->units, id, &found);
		memset(&entry->counts, 0, sizeof(entry->counts));
	}
	entry->counts.rows += rows;
	entry->counts.sums[0] += first;
	entry->counts.sums[1] += second;
	return is_new;
}

/* Adds sums of rows to a bucket. */
static void
state_bucket(FbMetricState *state, uint32 bucket, int64 rows, const double *sums)
{
	if (state->bucket_sums[bucket] == NULL)
		state->bucket_sums[bucket] = MemoryContextAllocZero(state->hdr.eoh_context, sizeof(double) * state->width);
	state->bucket_rows[bucket] += rows;
	for (int i = 0; i < state->width; i++)
		state->bucket_sums[bucket][i] += sums[i];
}

/* Adds the moments of other rows (Chan, Golub and LeVeque 1979); products NULL stands for one row. */
static void
state_moments(FbMetricState *state, int64 rows, const double *sums, const double *means, const double *products)
{
	double		n = (double) state->rows;
	double		m = (double) rows;
	double		weight = n * (m / (n + m));
	double		delta[2 * FB_MAX_STATISTICS];

	for (int i = 0; i < state->width; i++)
	{
		delta[i] = means[i] - state->means[i];
		state->sums[i] += sums[i];
	}
	for (int i = 0, p = 0; i < state->width; i++)
	{
		double		scaled = weight * delta[i];

		for (int j = 0; j <= i; j++, p++)
			state->products[p] += scaled * delta[j] + (products == NULL ? 0.0 : products[p]);
	}
	for (int i = 0; i < state->width; i++)
		state->means[i] += delta[i] * (m / (n + m));
}

/* Keeps a row to be sorted. */
static void
state_scored(FbMetricState *state, const FbScoredRow *row)
{
	if (state->rows == state->scored_space)
	{
		int64		space = state->scored_space == 0 ? 64 : state->scored_space * 2;

		state_grow(state, sizeof(FbScoredRow) * (space - state->scored_space));
		if (state->scored == NULL)
			state->scored = MemoryContextAllocHuge(state->hdr.eoh_context, sizeof(FbScoredRow) * space);
		else
			state->scored = repalloc_huge(state->scored, sizeof(FbScoredRow) * space);
		state->scored_space = space;
	}
	state->scored[state->rows] = *row;
}

/* Counts the scores of a row without a unit. */
static void
state_score(FbMetricState *state, const double *scores)
{
	double		score = state->paired ? scores[1] - scores[0] : scores[0];

	if (!state->info->binary)
		fb_scores_add(&state->scores, score);
	else if (score > 0.0)
		state->correct++;
	else if (score < 0.0)
		state->losses++;
}

/* Checks that either all rows of a group carry a unit, or none does. */
static void
state_unit_mode(FbMetricState *state, bool has_unit)
{
	FbUnitMode	mode = has_unit ? FB_UNIT_GIVEN : FB_UNIT_NONE;

	if (!has_unit && state->info->family == FB_FAMILY_PASS)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("metric \"%s\" needs a unit: the task that a sample belongs to", state->info->name)));
	if (state->unit == FB_UNIT_UNKNOWN)
	{
		state->unit = mode;
		state_prepare(state);
	}
	else if (state->unit != mode)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the unit of a row must not be NULL"),
				 errhint("Give each row the key of what was sampled, or give none a unit if every row is one of its own.")));
}

/* Adds one row. */
void
fb_metric_state_add(FbMetricState *state, const FbMetricRow *row)
{
	const char *unit = row->unit;
	int			unit_len = row->unit_len;
	char	   *converted = NULL;
	uint32		bucket = 0;

	state_unit_mode(state, row->has_unit);
	/* Units are hashed as UTF-8, so that every database agrees on buckets. */
	if (row->has_unit && GetDatabaseEncoding() != PG_SQL_ASCII)
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
	if (row->has_unit && !fb_metric_state_keeps_units(state))
		bucket = (uint32) (XXH3_64bits(unit, unit_len) & (FB_BUCKETS - 1));

	switch (state->info->family)
	{
		case FB_FAMILY_PASS:
		case FB_FAMILY_MEAN:
			if (row->has_unit)
			{
				XXH128_hash_t hash = XXH3_128bits(unit, unit_len);

				state_unit(state, (FbUnitId) {hash.high64, hash.low64}, 1, row->statistics[0],
						   state->paired ? row->statistics[1] : 0.0);
			}
			else
				state_score(state, row->statistics);
			break;
		case FB_FAMILY_CELLS:
			{
				bool		is_new;
				uint32		gold = state_label(state, row->gold, &is_new);
				uint64		pred[2] = {0, 0};

				for (int s = 0; s <= (int) state->paired; s++)
				{
					const FbLabelText *label = row->pred[s];

					pred[s] = label == NULL ? FB_LABEL_MASK(state->paired) :
						label->len == row->gold->len && memcmp(label->data, row->gold->data, label->len) == 0 ? gold :
						state_label(state, label, &is_new);
				}
				state_cell(state, fb_cell_key(state->paired, bucket, gold, pred[0], pred[1]), 1);
			}
			break;
		case FB_FAMILY_SUMS:
			if (row->has_unit)
				state_bucket(state, bucket, 1, row->statistics);
			else
				state_moments(state, 1, row->statistics, row->statistics, NULL);
			break;
		case FB_FAMILY_SCORED:
			{
				FbScoredRow scored;

				memset(&scored, 0, sizeof(scored));
				scored.scores[0] = row->statistics[0];
				scored.scores[1] = state->paired ? row->statistics[1] : 0.0;
				scored.outcome = row->outcome;
				scored.bucket = (uint8) bucket;
				state_scored(state, &scored);
			}
			break;
	}
	state->rows++;
	if (converted != NULL)
		pfree(converted);
}

/* Refuses to merge states that do not belong together. */
static void
check_merge(const FbMetricState *state, const FbMetricState *other)
{
	if (state->info != other->info || state->paired != other->paired)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 state->info == other->info ?
				 errmsg("cannot merge a state of the metric \"%s\" and one of a difference in it", state->info->name) :
				 errmsg("cannot merge states of the metrics \"%s\" and \"%s\"",
						state->info->name, other->info->name),
				 errhint("Group the states by metric.")));
	if (!fb_metric_params_same(state->params, other->params->source))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge states of the metric \"%s\" with different parameters", state->info->name),
				 errdetail("They are %s and %s.", fb_metric_params_text(state->params),
						   fb_metric_params_text(other->params)),
				 errhint("Group the states by their parameters.")));
	if (state->unit != other->unit && state->unit != FB_UNIT_UNKNOWN && other->unit != FB_UNIT_UNKNOWN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge states with and without units"),
				 errhint("Make all states with a unit, or all without.")));
}

/* Adds the cells of another state. */
static void
merge_cells(FbMetricState *state, const FbMetricState *other)
{
	uint32	   *ids = MemoryContextAllocHuge(CurrentMemoryContext,
											 sizeof(uint32) * ((Size) other->nlabels + 1));
	int			bits = FB_LABEL_BITS(state->paired);
	uint64		mask = FB_LABEL_MASK(state->paired);
	fbcell_iterator iterator;
	FbCellEntry *entry;
	bool		is_new;

	for (uint32 i = 0; i < other->nlabels; i++)
		ids[i] = state_label(state, &other->label_list[i], &is_new);
	fbcell_start_iterate(other->cells, &iterator);
	while ((entry = fbcell_iterate(other->cells, &iterator)) != NULL)
	{
		uint64		parts[3];
		int			count = state->paired ? 3 : 2;
		uint64		key = entry->key;

		CHECK_FOR_INTERRUPTS();
		for (int i = count - 1; i >= 0; i--)
		{
			parts[i] = key & mask;
			if (parts[i] != mask)
				parts[i] = ids[parts[i]];
			key >>= bits;
		}
		state_cell(state, fb_cell_key(state->paired, (uint32) key, parts[0], parts[1], count > 2 ? parts[2] : 0),
				   entry->count);
	}
	pfree(ids);
}

/* Adds the rows of another state. */
void
fb_metric_state_merge(FbMetricState *state, const FbMetricState *other)
{
	int64		rows;

	check_merge(state, other);
	if (pg_add_s64_overflow(state->rows, other->rows, &rows))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many rows in a metric state")));
	if (other->unit == FB_UNIT_UNKNOWN || other->rows == 0)
	{
		if (state->unit == FB_UNIT_UNKNOWN && other->unit != FB_UNIT_UNKNOWN)
			state_unit_mode(state, other->unit == FB_UNIT_GIVEN);
		return;
	}
	state_unit_mode(state, other->unit == FB_UNIT_GIVEN);

	switch (state->info->family)
	{
		case FB_FAMILY_PASS:
		case FB_FAMILY_MEAN:
			if (fb_metric_state_keeps_units(state))
			{
				fbunit_iterator iterator;
				FbUnitEntry *entry;

				fbunit_start_iterate(other->units, &iterator);
				while ((entry = fbunit_iterate(other->units, &iterator)) != NULL)
				{
					CHECK_FOR_INTERRUPTS();
					state_unit(state, entry->id, entry->counts.rows, entry->counts.sums[0], entry->counts.sums[1]);
				}
			}
			else
			{
				fb_scores_merge(&state->scores, &other->scores);
				state->correct += other->correct;
				state->losses += other->losses;
			}
			break;
		case FB_FAMILY_CELLS:
			merge_cells(state, other);
			break;
		case FB_FAMILY_SUMS:
			if (state->unit == FB_UNIT_NONE)
				state_moments(state, other->rows, other->sums, other->means, other->products);
			for (uint32 b = 0; b < FB_BUCKETS && state->unit == FB_UNIT_GIVEN; b++)
			{
				if (other->bucket_rows[b] > 0)
					state_bucket(state, b, other->bucket_rows[b], other->bucket_sums[b]);
			}
			break;
		case FB_FAMILY_SCORED:
			for (int64 i = 0; i < other->rows; i++)
			{
				state_scored(state, &other->scored[i]);
				state->rows++;
			}
			break;
	}
	state->rows = rows;
}

/* Raises the error of a reader. */
void
fb_metric_load_error(int sqlstate, const char *detail)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("invalid value of type featbit.metric_state"),
			 errdetail("%s", detail)));
}

/* Checks that there is a number. */
static void
load_check_number(double number, int sqlstate)
{
	if (isnan(number) || isinf(number))
		fb_metric_load_error(sqlstate, "A number is not finite.");
}

/* Adds rows to the totals of a state that is being loaded. */
void
fb_metric_load_rows(FbMetricState *state, int64 rows, int64 correct, int64 losses, int sqlstate)
{
	if (rows < 0 || correct < 0 || losses < 0 || correct > rows || losses > rows - correct)
		fb_metric_load_error(sqlstate, "Counts must not be negative, and right answers not exceed rows.");
	if (pg_add_s64_overflow(state->rows, rows, &state->rows))
		fb_metric_load_error(sqlstate, "The number of rows exceeds the range of bigint.");
	if (rows > 0 && state->unit == FB_UNIT_UNKNOWN)
		fb_metric_load_error(sqlstate, "Rows must be with or without units.");
	state->correct += correct;
	state->losses += losses;
}

/* Adds scores of rows without units to a state that is being loaded. */
void
fb_metric_load_scores(FbMetricState *state, const FbScores *scores, int sqlstate)
{
	load_check_number(scores->mean, sqlstate);
	load_check_number(scores->m2, sqlstate);
	if (scores->m2 < 0.0 || (scores->rows <= 1 && scores->m2 != 0.0) || (scores->rows == 0 && scores->mean != 0.0))
		fb_metric_load_error(sqlstate, "Squared deviations contradict the number of rows.");
	fb_metric_load_rows(state, scores->rows, 0, 0, sqlstate);
	state->scores = *scores;
}

/* Adds the next label to a state that is being loaded. */
void
fb_metric_load_label(FbMetricState *state, const char *data, uint32 len, int sqlstate)
{
	FbLabelText text = {data, len};
	bool		is_new;

	state_label(state, &text, &is_new);
	if (!is_new)
		fb_metric_load_error(sqlstate, "A label occurs twice.");
}

/* Adds a cell to a state that is being loaded, after its labels. */
void
fb_metric_load_cell(FbMetricState *state, int64 bucket, int64 gold, const int64 *pred, int64 count, int sqlstate)
{
	uint64		parts[2] = {0, 0};

	if (bucket < 0 || bucket >= (state->unit == FB_UNIT_GIVEN ? FB_BUCKETS : 1))
		fb_metric_load_error(sqlstate, "A bucket is out of range.");
	if (gold < 0 || gold >= state->nlabels)
		fb_metric_load_error(sqlstate, "A cell refers to a label that does not exist.");
	for (int s = 0; s <= (int) state->paired; s++)
	{
		if (pred[s] != FB_ABSTENTION && (pred[s] < 0 || pred[s] >= state->nlabels))
			fb_metric_load_error(sqlstate, "A cell refers to a label that does not exist.");
		parts[s] = pred[s] == FB_ABSTENTION ? FB_LABEL_MASK(state->paired) : (uint64) pred[s];
	}
	if (count < 1)
		fb_metric_load_error(sqlstate, "The count of a cell must be positive.");
	fb_metric_load_rows(state, count, 0, 0, sqlstate);
	if (!state_cell(state, fb_cell_key(state->paired, (uint32) bucket, gold, parts[0], parts[1]), count))
		fb_metric_load_error(sqlstate, "A cell occurs twice.");
}

/* Adds a unit to a state that is being loaded. */
void
fb_metric_load_unit(FbMetricState *state, FbUnitId id, int64 rows, const double *sums, int sqlstate)
{
	if (rows < 1)
		fb_metric_load_error(sqlstate, "A unit must have rows.");
	for (int s = 0; s <= (int) state->paired; s++)
	{
		load_check_number(sums[s], sqlstate);
		if ((state->info->binary || state->info->family == FB_FAMILY_PASS) &&
			(sums[s] < 0.0 || sums[s] > (double) rows || sums[s] != floor(sums[s])))
			fb_metric_load_error(sqlstate, "Counts must not be negative, and right answers not exceed rows.");
	}
	fb_metric_load_rows(state, rows, 0, 0, sqlstate);
	if (!state_unit(state, id, rows, sums[0], state->paired ? sums[1] : 0.0))
		fb_metric_load_error(sqlstate, "A unit occurs twice.");
}

/* Sets the sums of a state without units that is being loaded. */
void
fb_metric_load_sums(FbMetricState *state, int64 rows, const double *sums, const double *means,
					const double *products, int sqlstate)
{
	for (int i = 0; i < 2 * state->width + FB_PRODUCTS(state->width); i++)
		load_check_number(i < state->width ? sums[i] :
						  i < 2 * state->width ? means[i - state->width] : products[i - 2 * state->width], sqlstate);
	for (int i = 0; i < state->width; i++)
	{
		if (products[FB_PRODUCTS(i) + i] < 0.0)
			fb_metric_load_error(sqlstate, "Squared deviations must not be negative.");
	}
	fb_metric_load_rows(state, rows, 0, 0, sqlstate);
	if (rows == 0)
		return;
	memcpy(state->sums, sums, sizeof(double) * state->width);
	memcpy(state->means, means, sizeof(double) * state->width);
	memcpy(state->products, products, sizeof(double) * FB_PRODUCTS(state->width));
}

/* Adds a bucket to a state with units that is being loaded. */
void
fb_metric_load_bucket(FbMetricState *state, int64 bucket, int64 rows, const double *sums, int sqlstate)
{
	if (bucket < 0 || bucket >= FB_BUCKETS)
		fb_metric_load_error(sqlstate, "A bucket is out of range.");
	if (rows < 1)
		fb_metric_load_error(sqlstate, "A bucket must have rows.");
	if (state->bucket_rows[bucket] > 0)
		fb_metric_load_error(sqlstate, "A bucket occurs twice.");
	for (int i = 0; i < state->width; i++)
		load_check_number(sums[i], sqlstate);
	fb_metric_load_rows(state, rows, 0, 0, sqlstate);
	state_bucket(state, (uint32) bucket, rows, sums);
}

/* Adds a row with its scores to a state that is being loaded. */
void
fb_metric_load_scored(FbMetricState *state, const FbScoredRow *row, int64 bucket, int64 outcome, int sqlstate)
{
	FbScoredRow copy;

	if (bucket < 0 || bucket >= (state->unit == FB_UNIT_GIVEN ? FB_BUCKETS : 1))
		fb_metric_load_error(sqlstate, "A bucket is out of range.");
	if (outcome < 0 || outcome > 1)
		fb_metric_load_error(sqlstate, "An outcome is neither 0 nor 1.");
	memset(&copy, 0, sizeof(copy));
	for (int s = 0; s <= (int) state->paired; s++)
	{
		copy.scores[s] = row->scores[s];
		if (isnan(copy.scores[s]) ||
			(state->info->id == FB_METRIC_ECE && !(copy.scores[s] >= 0.0 && copy.scores[s] <= 1.0)))
			fb_metric_load_error(sqlstate, "A score is out of range.");
	}
	copy.bucket = (uint8) bucket;
	copy.outcome = (uint8) outcome;
	if (state->unit == FB_UNIT_UNKNOWN)
		fb_metric_load_error(sqlstate, "Rows must be with or without units.");
	state_scored(state, &copy);
	state->rows++;
}

/* Checks what can only be checked when a state is complete. */
void
fb_metric_load_end(FbMetricState *state, int sqlstate)
{
	if (state->info->family == FB_FAMILY_CELLS)
	{
		bool	   *used = MemoryContextAllocExtended(CurrentMemoryContext,
													  (Size) state->nlabels + 1,
													  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		uint64		mask = FB_LABEL_MASK(state->paired);
		fbcell_iterator iterator;
		FbCellEntry *entry;

		fbcell_start_iterate(state->cells, &iterator);
		while ((entry = fbcell_iterate(state->cells, &iterator)) != NULL)
		{
			uint64		key = entry->key;

			for (int i = 0; i < (state->paired ? 3 : 2); i++)
			{
				if ((key & mask) != mask)
					used[key & mask] = true;
				key >>= FB_LABEL_BITS(state->paired);
			}
		}
		for (uint32 i = 0; i < state->nlabels; i++)
		{
			if (!used[i])
				fb_metric_load_error(sqlstate, "A label occurs in no cell.");
		}
		pfree(used);
	}
}
