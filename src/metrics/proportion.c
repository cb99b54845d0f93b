/*
 * proportion.c
 *		prop_effect() and prop_interval(): proportions with few successes.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "core/fb_proportion.h"
#include "metrics/comparison.h"
#include "pg_compat.h"

#define PROP_COLUMNS 11

PG_FUNCTION_INFO_V1(fb_prop_effect_sql);
PG_FUNCTION_INFO_V1(fb_prop_interval_sql);

static const FbChoice methods[] = {
	{"newcombe", FB_PROP_NEWCOMBE}, {"mn", FB_PROP_MN}, {"wald", FB_PROP_WALD}, {"pooled", FB_PROP_POOLED},
	{"katz", FB_PROP_KATZ}, {"fisher", FB_PROP_FISHER}, {NULL, 0}
};

static const FbChoice intervals[] = {
	{"wilson", FB_PROP_WILSON}, {"exact", FB_PROP_EXACT}, {"agresti-coull", FB_PROP_AGRESTI_COULL}, {NULL, 0}
};

/* Raises the error for counts that cannot be successes of units. */
static void
check_counts(int64 x, int64 n, const char *x_name, const char *n_name)
{
	if (n < 0 || n > FB_STATS_MAX_N)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 2^53, not " INT64_FORMAT, n_name, n)));
	if (x < 0 || x > n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and %s, not " INT64_FORMAT " of " INT64_FORMAT, x_name, n_name, x, n)));
}

/* prop_effect(x_c, n_c, x_t, n_t, method, alternative, alpha, null_value) returns record */
Datum
fb_prop_effect_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[PROP_COLUMNS];
	bool		nulls[PROP_COLUMNS] = {false};
	FbPropMethod method;
	FbAlternative alternative;
	double		alpha,
				null_value;
	FbTable		table = {0.0, 0.0, 0.0, 0.0};
	FbEffect	result = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, FB_NO_DATA};
	bool		any_null = false;
	const char *notes[1];
	int			n_notes = 0;

	fb_refuse_null(fcinfo, 4, "method");
	fb_refuse_null(fcinfo, 5, "alternative");
	method = (FbPropMethod) fb_choose("method", PG_GETARG_TEXT_PP(4), methods);
	alternative = (FbAlternative) fb_choose("alternative", PG_GETARG_TEXT_PP(5), fb_alternatives);
	alpha = fb_get_alpha(fcinfo, 6);
	null_value = fb_get_finite(fcinfo, 7, "null_value");
	if (method == FB_PROP_FISHER && null_value != 0.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"fisher\" tests null_value 0 only, not %g", null_value),
				 errhint("Use method \"mn\" for other differences.")));
	if (!(null_value > -1.0 && (null_value < 1.0 || method == FB_PROP_KATZ)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("null_value must be between -1 and 1, both excluded, not %g", null_value)));
	for (int i = 0; i < 4; i++)
		any_null = any_null || PG_ARGISNULL(i);
	if (!any_null)
	{
		check_counts(PG_GETARG_INT64(0), PG_GETARG_INT64(1), "x_c", "n_c");
		check_counts(PG_GETARG_INT64(2), PG_GETARG_INT64(3), "x_t", "n_t");
		table.x_c = (double) PG_GETARG_INT64(0);
		table.n_c = (double) PG_GETARG_INT64(1);
		table.x_t = (double) PG_GETARG_INT64(2);
		table.n_t = (double) PG_GETARG_INT64(3);
	}
	if (table.n_c > 0.0 && table.n_t > 0.0)
		fb_prop_effect(&table, method, alternative, alpha, null_value, &result);
	if (result.status != FB_NO_DATA &&
		Min(Min(table.x_c, table.n_c - table.x_c), Min(table.x_t, table.n_t - table.x_t)) < 5.0)
		notes[n_notes++] = "small_counts";

	fb_set_number(values, nulls, 0, result.effect);
	fb_set_number(values, nulls, 1, result.se);
	fb_set_number(values, nulls, 2, result.ci_low);
	fb_set_number(values, nulls, 3, result.ci_high);
	fb_set_number(values, nulls, 4, result.statistic);
	fb_set_number(values, nulls, 5, result.p_value);
	fb_set_number(values, nulls, 6, result.log10_p);
	fb_set_number(values, nulls, 7, table.x_c / table.n_c);
	fb_set_number(values, nulls, 8, table.x_t / table.n_t);
	values[9] = fb_status_text(result.status);
	values[10] = fb_notes(notes, n_notes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* prop_interval(x, n, method, alpha) returns record */
Datum
fb_prop_interval_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[3];
	bool		nulls[3] = {false};
	int64		x = PG_GETARG_INT64(0);
	int64		n = PG_GETARG_INT64(1);
	FbPropInterval method = (FbPropInterval) fb_choose("method", PG_GETARG_TEXT_PP(2), intervals);
	double		alpha = fb_get_alpha(fcinfo, 3);
	double		low = NAN;
	double		high = NAN;

	check_counts(x, n, "x", "n");
	if (n > 0)
		fb_prop_interval((double) x, (double) n, alpha, method, &low, &high);
	fb_set_number(values, nulls, 0, (double) x / (double) n);
	fb_set_number(values, nulls, 1, low);
	fb_set_number(values, nulls, 2, high);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
