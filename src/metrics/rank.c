/*
 * rank.c
 *		wilcoxon() and mann_whitney(): rank tests on featbit.rank_sample.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/fb_rank.h"
#include "metrics/comparison.h"
#include "metrics/rank_sample.h"
#include "pg_compat.h"

#define RANK_COLUMNS 13

PG_FUNCTION_INFO_V1(fb_wilcoxon_sql);
PG_FUNCTION_INFO_V1(fb_mann_whitney_sql);

static const FbChoice methods[] = {
	{"auto", FB_RANK_AUTO}, {"exact", FB_RANK_EXACT}, {"normal", FB_RANK_NORMAL}, {"corrected", FB_RANK_CORRECTED}, {NULL, 0}
};

static const FbChoice zeros[] = {
	{"wilcox", FB_ZEROS_WILCOX}, {"pratt", FB_ZEROS_PRATT}, {NULL, 0}
};

/* Lets a long computation be cancelled. */
static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Returns a sorted sample of that kind, or an empty one for NULL. */
static const FbRankSample *
read_sample(FunctionCallInfo fcinfo, int kind)
{
	static const FbRankSample empty = {0};
	const FbRankSample *sample;

	if (PG_ARGISNULL(0))
		return &empty;
	sample = fb_rank_sample_from_datum(PG_GETARG_DATUM(0));
	fb_rank_sample_refuse_kind(sample, kind);
	return fb_rank_sample_sorted(sample);
}

/* Reads what both tests share; the final functions of aggregates have the defaults. */
static void
read_options(FunctionCallInfo fcinfo, int alternative, FbRankOptions *options)
{
	options->method = FB_RANK_AUTO;
	options->zeros = FB_ZEROS_WILCOX;
	options->alternative = FB_TWO_SIDED;
	options->alpha = 0.05;
	options->check = check_interrupts;
	if (PG_NARGS() == 1)
		return;
	fb_refuse_null(fcinfo, 1, "method");
	options->method = fb_choose("method", PG_GETARG_TEXT_PP(1), methods);
	fb_refuse_null(fcinfo, alternative, "alternative");
	options->alternative = fb_choose("alternative", PG_GETARG_TEXT_PP(alternative), fb_alternatives);
	options->alpha = fb_get_alpha(fcinfo, alternative + 1);
}

/* Returns the row of a rank test. */
static Datum
rank_row(FunctionCallInfo fcinfo, const FbRankSample *sample, int64 first, int64 second, const FbRankResult *result)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[RANK_COLUMNS];
	bool		nulls[RANK_COLUMNS] = {false};
	const char *notes[2];
	int			n_notes = 0;

	if (result->ties)
		notes[n_notes++] = "ties";
	if (sample->n_bad > 0)
		notes[n_notes++] = "ignored_values";
	values[0] = Int64GetDatum(first);
	values[1] = Int64GetDatum(second);
	fb_set_number(values, nulls, 2, result->statistic);
	fb_set_number(values, nulls, 3, result->effect);
	fb_set_number(values, nulls, 4, result->shift);
	fb_set_number(values, nulls, 5, result->ci_low);
	fb_set_number(values, nulls, 6, result->ci_high);
	fb_set_number(values, nulls, 7, result->z);
	fb_set_number(values, nulls, 8, result->p_value);
	fb_set_number(values, nulls, 9, result->log10_p);
	nulls[10] = result->used == FB_RANK_AUTO;
	if (!nulls[10])
		values[10] = CStringGetTextDatum(methods[result->used].name);
	values[11] = fb_status_text(result->status);
	values[12] = fb_notes(notes, n_notes);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* Allocates work space, which may exceed a gigabyte no more than the sample does. */
static double *
make_work(size_t doubles)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, sizeof(double) * doubles);
}

/* wilcoxon(state rank_sample [, method, zeros, alternative, alpha]) returns wilcoxon_result */
Datum
fb_wilcoxon_sql(PG_FUNCTION_ARGS)
{
	const FbRankSample *sample = read_sample(fcinfo, FB_SAMPLE_PAIRED);
	FbRankOptions options;
	FbRankResult result;

	read_options(fcinfo, 3, &options);
	if (PG_NARGS() > 1)
	{
		fb_refuse_null(fcinfo, 2, "zeros");
		options.zeros = fb_choose("zeros", PG_GETARG_TEXT_PP(2), zeros);
	}
	fb_wilcoxon(sample->value, sample->n_c, &options, make_work(fb_wilcoxon_work(sample->n_c, &options)), &result);
	PG_RETURN_DATUM(rank_row(fcinfo, sample, sample->n_c, (int64) result.zeros, &result));
}

/* mann_whitney(state rank_sample [, method, alternative, alpha]) returns mann_whitney_result */
Datum
fb_mann_whitney_sql(PG_FUNCTION_ARGS)
{
	const FbRankSample *sample = read_sample(fcinfo, FB_SAMPLE_TWO);
	FbRankOptions options;
	FbRankResult result;

	read_options(fcinfo, 2, &options);
	fb_mann_whitney(sample->value, sample->n_c, sample->value + sample->n_c, sample->n_t, &options,
					make_work(fb_mann_whitney_work(sample->n_c, sample->n_t, &options)), &result);
	PG_RETURN_DATUM(rank_row(fcinfo, sample, sample->n_c, sample->n_t, &result));
}
