/*
 * quality.c
 *		srm_test(), adjust_p() and adjust_e(): checks around comparisons.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/fb_adjust.h"
#include "core/fb_srm.h"
#include "metrics/comparison.h"
#include "pg_compat.h"

#define SRM_COLUMNS 8

PG_FUNCTION_INFO_V1(fb_srm_test_sql);
PG_FUNCTION_INFO_V1(fb_adjust_p_sql);
PG_FUNCTION_INFO_V1(fb_adjust_e_sql);

static const FbChoice adjustments[] = {
	{"none", FB_ADJUST_NONE}, {"bonferroni", FB_ADJUST_BONFERRONI}, {"holm", FB_ADJUST_HOLM},
	{"hochberg", FB_ADJUST_HOCHBERG}, {"hommel", FB_ADJUST_HOMMEL}, {"sidak", FB_ADJUST_SIDAK},
	{"holm-sidak", FB_ADJUST_HOLM_SIDAK}, {"BH", FB_ADJUST_BH}, {"BY", FB_ADJUST_BY}, {NULL, 0}
};

/* A p-value and its place in the array. */
typedef struct Ranked
{
	double		p;
	int			place;
} Ranked;

/* Raises the error for an array of more than one dimension. */
static void
check_one_dimension(const char *name, ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array, not one of %d dimensions",
						name, ARR_NDIM(array))));
}

/* Raises the error for a NULL element where every arm needs a number. */
static void
refuse_null_element(const char *name, int place)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s must not contain nulls, but element %d is null", name, place + 1)));
}

/* Reads the counts of srm_test as doubles, by epochs if the array has two dimensions. */
static double *
read_counts(ArrayType *array, int *epochs, int *arms)
{
	Datum	   *elements;
	bool	   *nulls;
	double	   *counts;
	int			count;

	if (ARR_NDIM(array) > 2)
		check_one_dimension("counts", array);
	deconstruct_array(array, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
	*epochs = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[0] : 1;
	*arms = count / *epochs;
	counts = palloc(sizeof(double) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			refuse_null_element("counts", i);
		if (DatumGetInt64(elements[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("counts must not be negative, but element %d is " INT64_FORMAT,
							i + 1, DatumGetInt64(elements[i]))));
		counts[i] = (double) DatumGetInt64(elements[i]);
	}
	return counts;
}

/* Reads the weights of srm_test, one for each arm, the same in all epochs or by epochs; NULL stands for equal ones. */
static double *
read_weights(ArrayType *array, int epochs, int arms)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	double	   *weights = palloc(sizeof(double) * Max((Size) epochs * arms, 1));
	int			given;

	if (array == NULL)
	{
		for (int i = 0; i < epochs * arms; i++)
			weights[i] = 1.0;
		return weights;
	}
	if (ARR_NDIM(array) > 1 && epochs == 1)
		check_one_dimension("weights", array);
	deconstruct_array(array, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
	given = ARR_NDIM(array) > 1 ? ARR_DIMS(array)[0] : 1;
	if (ARR_NDIM(array) > 2 || (given != 1 && given != epochs) || count != given * arms)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("counts and weights must have the same length, not %d and %d", arms, count / Max(given, 1)),
				 errhint("Give every arm a count and a weight; an arm that nobody should reach has weight 0. By epochs, both are arrays of two dimensions.")));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			refuse_null_element("weights", i);
		weights[i] = DatumGetFloat8(elements[i]);
		if (!(weights[i] >= 0.0) || isinf(weights[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("weights must be finite and not negative, but element %d is %g",
							i + 1, weights[i])));
	}
	for (int e = 0; e < given && arms > 0; e++)
	{
		bool		positive = false;

		for (int i = 0; i < arms; i++)
			positive = positive || weights[e * arms + i] > 0.0;
		if (!positive)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("at least one weight must be positive")));
	}
	for (int i = given * arms; i < epochs * arms; i++)
		weights[i] = weights[i - arms];
	return weights;
}

static const FbChoice srm_methods[] = {
	{"auto", FB_SRM_AUTO}, {"chisq", FB_SRM_CHISQ}, {"exact", FB_SRM_EXACT}, {NULL, 0}
};

/* srm_test(counts bigint[], weights float8[], method text, concentration float8) returns record */
Datum
fb_srm_test_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[SRM_COLUMNS];
	bool		nulls[SRM_COLUMNS] = {false};
	int			epochs = 1;
	int			arms = 0;
	double	   *counts = NULL;
	double	   *weights;
	FbSrmMethod method;
	double		concentration;
	FbSrm		result;

	fb_refuse_null(fcinfo, 2, "method");
	method = (FbSrmMethod) fb_choose("method", PG_GETARG_TEXT_PP(2), srm_methods);
	concentration = fb_get_finite(fcinfo, 3, "concentration");
	if (!(concentration >= 1e-3 && concentration <= 1e15))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("concentration must be between 0.001 and 1e15, not %g", concentration)));
	if (!PG_ARGISNULL(0))
		counts = read_counts(PG_GETARG_ARRAYTYPE_P(0), &epochs, &arms);
	weights = read_weights(PG_ARGISNULL(0) || PG_ARGISNULL(1) ? NULL : PG_GETARG_ARRAYTYPE_P(1), epochs, arms);

	fb_srm_test(counts, weights, epochs, arms, method, concentration, &result);

	fb_set_number(values, nulls, 0, result.chisq);
	values[1] = Int32GetDatum(result.df);
	nulls[1] = result.df < 0;
	fb_set_number(values, nulls, 2, result.p_value);
	fb_set_number(values, nulls, 3, result.log_e);
	fb_set_number(values, nulls, 4, result.p_sequential);
	fb_set_number(values, nulls, 5, result.max_deviation);
	values[6] = CStringGetTextDatum(result.exact ? "exact" : "chisq");
	values[7] = fb_status_text(result.status);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Compares by p-value, equal ones by their place. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *left = a;
	const Ranked *right = b;

	if (left->p != right->p)
		return left->p < right->p ? -1 : 1;
	return left->place < right->place ? -1 : 1;
}

/* adjust_p(p float8[], method text) returns float8[] */
Datum
fb_adjust_p_sql(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	FbAdjust	method = (FbAdjust) fb_choose("method", PG_GETARG_TEXT_PP(1), adjustments);
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int			n = 0;
	Ranked	   *ranked;
	double	   *sorted;

	check_one_dimension("p", array);
	deconstruct_array(array, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
	ranked = palloc(sizeof(Ranked) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		double		p;

		if (nulls[i])
			continue;
		p = DatumGetFloat8(elements[i]);
		if (!(p >= 0.0 && p <= 1.0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("p must be between 0 and 1, but element %d is %g", i + 1, p)));
		ranked[n].p = p;
		ranked[n].place = i;
		n++;
	}
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(array);

	qsort(ranked, n, sizeof(Ranked), compare_ranked);
	sorted = palloc(sizeof(double) * n);
	for (int i = 0; i < n; i++)
		sorted[i] = ranked[i].p;
	fb_adjust_sorted(method, sorted, n, palloc(sizeof(double) * ((Size) n + 2)), palloc(sizeof(int) * n));
	for (int i = 0; i < n; i++)
		elements[ranked[i].place] = Float8GetDatum(sorted[i]);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, nulls, 1, ARR_DIMS(array), ARR_LBOUND(array),
											 FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* adjust_e(e float8[]) returns float8[] */
Datum
fb_adjust_e_sql(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int			n = 0;
	Ranked	   *ranked;
	double	   *sorted;

	check_one_dimension("e", array);
	deconstruct_array(array, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &elements, &nulls, &count);
	ranked = palloc(sizeof(Ranked) * Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		double		e;

		if (nulls[i])
			continue;
		e = DatumGetFloat8(elements[i]);
		if (!(e >= 0.0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("e must not be negative, but element %d is %g", i + 1, e)));
		ranked[n].p = -e;
		ranked[n].place = i;
		n++;
	}
	if (n == 0)
		PG_RETURN_ARRAYTYPE_P(array);
	qsort(ranked, n, sizeof(Ranked), compare_ranked);
	sorted = palloc(sizeof(double) * n);
	for (int i = 0; i < n; i++)
		sorted[i] = -ranked[i].p;
	fb_adjust_e_sorted(sorted, n);
	for (int i = 0; i < n; i++)
		elements[ranked[i].place] = Float8GetDatum(sorted[i]);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, nulls, 1, ARR_DIMS(array), ARR_LBOUND(array),
											 FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
