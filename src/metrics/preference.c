/*
 * preference.c
 *		mcnemar_test(), win_rate(), interleaving_test(), bradley_terry().
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "core/fb_normal.h"
#include "core/fb_preference.h"
#include "metrics/comparison.h"
#include "metrics/preference_state.h"
#include "pg_compat.h"

#define MCNEMAR_COLUMNS 13
#define WIN_RATE_COLUMNS 8
#define STRENGTH_COLUMNS 12
#define ELO_SCALE 173.71779276130072818 /* 400 / ln 10 */

PG_FUNCTION_INFO_V1(fb_mcnemar_test_sql);
PG_FUNCTION_INFO_V1(fb_win_rate_sql);
PG_FUNCTION_INFO_V1(fb_interleaving_test_sql);
PG_FUNCTION_INFO_V1(fb_elo_expected_sql);
PG_FUNCTION_INFO_V1(fb_bradley_terry_sql);

static const FbChoice methods[] = {
	{"auto", FB_MCNEMAR_AUTO}, {"exact", FB_MCNEMAR_EXACT}, {"midp", FB_MCNEMAR_MIDP}, {"chisq", FB_MCNEMAR_CHISQ},
	{"corrected", FB_MCNEMAR_CORRECTED}, {NULL, 0}
};

/* Lets a long computation be cancelled. */
static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Reads a count; NULL is nothing. */
static double
get_count(FunctionCallInfo fcinfo, int argument, const char *name, bool *any_null)
{
	int64		count;

	if (PG_ARGISNULL(argument))
	{
		*any_null = true;
		return 0.0;
	}
	count = PG_GETARG_INT64(argument);
	if (count < 0 || count > FB_STATS_MAX_N)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 2^53, not " INT64_FORMAT, name, count)));
	return (double) count;
}

/* mcnemar_test(b bigint, c bigint, method, alternative, alpha) returns record */
Datum
fb_mcnemar_test_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[MCNEMAR_COLUMNS];
	bool		nulls[MCNEMAR_COLUMNS] = {false};
	FbMcnemarMethod method;
	FbAlternative alternative;
	double		alpha,
				b,
				c;
	bool		any_null = false;
	FbMcnemar	result = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, FB_MCNEMAR_AUTO, FB_NO_DATA};

	fb_refuse_null(fcinfo, 2, "method");
	method = fb_choose("method", PG_GETARG_TEXT_PP(2), methods);
	fb_refuse_null(fcinfo, 3, "alternative");
	alternative = fb_choose("alternative", PG_GETARG_TEXT_PP(3), fb_alternatives);
	alpha = fb_get_alpha(fcinfo, 4);
	b = get_count(fcinfo, 0, "b", &any_null);
	c = get_count(fcinfo, 1, "c", &any_null);
	if (!any_null)
		fb_mcnemar(b, c, method, alternative, alpha, &result);

	fb_set_number(values, nulls, 0, result.share);
	fb_set_number(values, nulls, 1, result.ci_low);
	fb_set_number(values, nulls, 2, result.ci_high);
	fb_set_number(values, nulls, 3, result.chisq);
	fb_set_number(values, nulls, 4, result.chisq_corrected);
	fb_set_number(values, nulls, 5, result.p_value);
	fb_set_number(values, nulls, 6, result.log10_p);
	fb_set_number(values, nulls, 7, result.p_exact);
	fb_set_number(values, nulls, 8, result.p_midp);
	fb_set_number(values, nulls, 9, result.p_chisq);
	fb_set_number(values, nulls, 10, result.p_corrected);
	nulls[11] = result.used == FB_MCNEMAR_AUTO;
	if (!nulls[11])
		values[11] = CStringGetTextDatum(methods[result.used].name);
	values[12] = fb_status_text(result.status);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Returns the row of win_rate() or of interleaving_test(), which gives the distance from one half. */
static Datum
win_rate_row(FunctionCallInfo fcinfo, const char *const *names, double origin)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[WIN_RATE_COLUMNS];
	bool		nulls[WIN_RATE_COLUMNS] = {false};
	double		alpha = fb_get_alpha(fcinfo, 3);
	bool		any_null = false;
	double		wins = get_count(fcinfo, 0, names[0], &any_null);
	double		second = get_count(fcinfo, 1, names[1], &any_null);
	double		third = get_count(fcinfo, 2, names[2], &any_null);
	FbWinRate	result = {NAN, NAN, NAN, NAN, NAN, NAN, FB_NO_DATA};

	/* win_rate has ties in the middle, interleaving_test at the end. */
	if (!any_null)
		fb_win_rate(wins, origin == 0.0 ? second : third, origin == 0.0 ? third : second, alpha, &result);
	fb_set_number(values, nulls, 0, result.rate - origin);
	fb_set_number(values, nulls, 1, result.se);
	fb_set_number(values, nulls, 2, result.ci_low - origin);
	fb_set_number(values, nulls, 3, result.ci_high - origin);
	fb_set_number(values, nulls, 4, result.p_value);
	fb_set_number(values, nulls, 5, result.log10_p);
	values[6] = Int64GetDatum((int64) (wins + second + third));
	nulls[6] = any_null;
	values[7] = fb_status_text(result.status);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* win_rate(wins bigint, ties bigint, losses bigint, alpha) returns record */
Datum
fb_win_rate_sql(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"wins", "ties", "losses"};

	PG_RETURN_DATUM(win_rate_row(fcinfo, names, 0.0));
}

/* interleaving_test(wins_a bigint, wins_b bigint, ties bigint, alpha) returns record */
Datum
fb_interleaving_test_sql(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"wins_a", "wins_b", "ties"};

	PG_RETURN_DATUM(win_rate_row(fcinfo, names, 0.5));
}

/* elo_expected(rating_a float8, rating_b float8) returns float8 */
Datum
fb_elo_expected_sql(PG_FUNCTION_ARGS)
{
	double		expected = fb_elo_expected(fb_get_finite(fcinfo, 0, "rating_a"), fb_get_finite(fcinfo, 1, "rating_b"));

	if (!isfinite(expected))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(expected);
}

/* Returns the number of the reference item, -1 without one. */
static int
find_reference(FunctionCallInfo fcinfo, int argument, const FbPreference *state)
{
	text	   *name;

	if (PG_NARGS() <= argument || PG_ARGISNULL(argument))
		return -1;
	name = PG_GETARG_TEXT_PP(argument);
	for (uint32 i = 0; i < state->n_items; i++)
	{
		const FbPreferenceItem *item = &FB_PREFERENCE_ITEMS(state)[i];

		if (item->length == VARSIZE_ANY_EXHDR(name) &&
			memcmp(FB_PREFERENCE_NAMES(state) + item->offset, VARDATA_ANY(name), item->length) == 0)
			return (int) i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("reference \"%s\" is not one of the items", text_to_cstring(name)),
			 errhint("Leave it out to centre the strengths.")));
	return -1;
}

/* bradley_terry(state preference [, alpha, reference, virtual_ties]) returns strength[] */
Datum
fb_bradley_terry_sql(PG_FUNCTION_ARGS)
{
	static const char *const notes[] = {"ignored_values"};
	FbPreference *state = PG_ARGISNULL(0) ? NULL : fb_preference_sorted(fb_preference_from_datum(PG_GETARG_DATUM(0)));
	double		alpha = PG_NARGS() > 1 ? fb_get_alpha(fcinfo, 1) : 0.05;
	FbBradleyTerry model;
	FbStatus	status;
	Oid			element = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	desc;
	Datum	   *rows;
	double		z,
			   *work;
	int			k;

	if (!OidIsValid(element))
		element = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
	memset(&model, 0, sizeof(model));
	if (PG_NARGS() > 3)
	{
		model.virtual_ties = fb_get_finite(fcinfo, 3, "virtual_ties");
		if (model.virtual_ties < 0.0 || model.virtual_ties > 1e6)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("virtual_ties must be between 0 and 1000000, not %g", model.virtual_ties)));
	}
	if (state == NULL)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(element));
	model.k = k = (int) state->n_items;
	model.wins = FB_PREFERENCE_SCORES(state);
	model.reference = find_reference(fcinfo, 2, state);
	model.check = check_interrupts;
	model.log_strength = palloc(sizeof(double) * (k + 1));
	model.se = palloc(sizeof(double) * (k + 1));
	work = palloc(sizeof(double) * (fb_bradley_terry_work(k) + 1));
	status = fb_bradley_terry(&model, work);

	desc = lookup_rowtype_tupdesc(element, -1);
	z = -fb_norm_quantile(0.5 * alpha);
	rows = palloc(sizeof(Datum) * (k + 1));
	for (int i = 0; i < k; i++)
	{
		const FbPreferenceItem *item = &FB_PREFERENCE_ITEMS(state)[i];
		Datum		values[STRENGTH_COLUMNS];
		bool		nulls[STRENGTH_COLUMNS] = {false};
		double		b = model.log_strength[i];
		double		low = b - z * model.se[i];
		double		high = b + z * model.se[i];
		double		wins = 0.0,
					games = 0.0;
		int			rank = 1;

		for (int j = 0; j < k; j++)
		{
			wins += model.wins[(Size) i * k + j];
			games += model.wins[(Size) i * k + j] + model.wins[(Size) j * k + i];
			if (model.log_strength[j] - z * model.se[j] > high)
				rank++;
		}
		values[0] = PointerGetDatum(cstring_to_text_with_len(FB_PREFERENCE_NAMES(state) + item->offset, item->length));
		fb_set_number(values, nulls, 1, exp(b));
		fb_set_number(values, nulls, 2, b);
		fb_set_number(values, nulls, 3, model.se[i]);
		fb_set_number(values, nulls, 4, low);
		fb_set_number(values, nulls, 5, high);
		fb_set_number(values, nulls, 6, ELO_SCALE * b);
		values[7] = Int32GetDatum(rank);
		nulls[7] = status != FB_OK;
		fb_set_number(values, nulls, 8, games);
		fb_set_number(values, nulls, 9, wins);
		values[10] = fb_status_text(status);
		values[11] = fb_notes(notes, state->n_bad > 0 ? 1 : 0);
		rows[i] = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	}
	ReleaseTupleDesc(desc);
	PG_RETURN_ARRAYTYPE_P(construct_array(rows, k, element, -1, false, TYPALIGN_DOUBLE));
}
