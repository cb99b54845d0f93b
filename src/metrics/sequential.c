/*
 * sequential.c
 *		effect_sequential(), sequential_test(), effect_group_sequential(),
 *		group_bounds() and their like: results that may be looked at early.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/fb_sequential.h"
#include "metrics/comparison.h"
#include "metrics/stats.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_effect_sequential_sql);
PG_FUNCTION_INFO_V1(fb_sequential_test_sql);
PG_FUNCTION_INFO_V1(fb_group_bounds_sql);
PG_FUNCTION_INFO_V1(fb_alpha_spent_sql);
PG_FUNCTION_INFO_V1(fb_group_crossing_sql);
PG_FUNCTION_INFO_V1(fb_effect_group_sql);

static const FbChoice intervals[] = {
	{"auto", FB_FIELLER}, {"fieller", FB_FIELLER}, {"delta", FB_DELTA}, {NULL, 0}
};

static const FbChoice spendings[] = {
	{"of", FB_SPEND_OF}, {"pocock", FB_SPEND_POCOCK}, {"power", FB_SPEND_POWER}, {"hsd", FB_SPEND_HSD},
	{"classic-of", FB_CLASSIC_OF}, {"classic-pocock", FB_CLASSIC_POCOCK}, {NULL, 0}
};

/* Profiles: the interval by the delta method, slopes pooled, one-sided bounds by equation 134. */
static const FbChoice profiles[] = {
	{"default", false}, {"growthbook", true}, {"posthog", true}, {"eppo", true}, {NULL, 0}
};

/* Reads the choices that both comparisons share, in a row from argument first: scale, alternative, alpha, null_value, method, adjustment. */
static void
read_options(FunctionCallInfo fcinfo, int first, bool peer, FbEffectOptions *options)
{
	static const FbChoice adjustments[] = {
		{"auto", -1}, {"within", FB_WITHIN}, {"pooled", FB_POOLED}, {"ancova", FB_ANCOVA},
		{"lin", FB_LIN}, {"none", FB_UNADJUSTED}, {NULL, 0}
	};
	static const char *const names[] = {"scale", "alternative", "alpha", "null_value", "method", "adjustment"};
	int			adjustment;
	char	   *method;

	for (int i = 0; i < 6; i++)
		fb_refuse_null(fcinfo, first + i, names[i]);
	fb_default_options(options);
	options->test = FB_Z;
	options->scale = fb_choose("scale", PG_GETARG_TEXT_PP(first), fb_scales);
	options->alternative = fb_choose("alternative", PG_GETARG_TEXT_PP(first + 1), fb_alternatives);
	options->alpha = fb_get_alpha(fcinfo, first + 2);
	options->null_value = fb_get_finite(fcinfo, first + 3, "null_value");
	options->interval = fb_choose("method", PG_GETARG_TEXT_PP(first + 4), intervals);
	adjustment = fb_choose("adjustment", PG_GETARG_TEXT_PP(first + 5), adjustments);
	if (peer)
	{
		method = text_to_cstring(PG_GETARG_TEXT_PP(first + 4));
		if (pg_strcasecmp(method, "auto") == 0)
			options->interval = FB_DELTA;
		options->adjustment = FB_POOLED;
	}
	if (adjustment >= 0)
		options->adjustment = (FbAdjustment) adjustment;
	if (options->scale == FB_ABSOLUTE)
		options->interval = FB_FIELLER;
}

/* Reads a planned number of units. */
static double
read_planned(FunctionCallInfo fcinfo, int argument)
{
	int64		planned;

	fb_refuse_null(fcinfo, argument, "planned_n");
	planned = PG_GETARG_INT64(argument);
	if (planned < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("planned_n must be positive, not " INT64_FORMAT, planned),
				 errhint("planned_n is the number of units of both arms at which the interval is to be narrowest.")));
	return (double) planned;
}

/* effect_sequential(control, treatment, planned_n, scale, alternative, alpha, null_value, method, adjustment, profile, quantile) returns record */
Datum
fb_effect_sequential_sql(PG_FUNCTION_ARGS)
{
	FbEffectOptions options;
	FbContrast	contrast;
	FbEffect	result;
	FbSides		sides;
	double		planned = read_planned(fcinfo, 2);
	bool		peer;

	fb_refuse_null(fcinfo, 9, "profile");
	peer = fb_choose("profile", PG_GETARG_TEXT_PP(9), profiles);
	fb_read_sides(fcinfo, &sides);
	read_options(fcinfo, 3, peer, &options);
	options.quantile = fb_get_quantile(fcinfo, 10);
	fb_contrast(sides.state[0], sides.state[1], &options, &contrast);
	fb_note_contrast(&sides, &contrast);
	fb_effect_sequential(&contrast, &options, planned, peer, &result);
	PG_RETURN_DATUM(fb_effect_row(fcinfo, &sides, &contrast, &result, NULL));
}

/* sequential_test(estimate, se, n, planned_n, alpha, rho, df) returns record */
Datum
fb_sequential_test_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[5];
	bool		nulls[5] = {false};
	double		estimate = NAN,
				se = NAN,
				n = NAN;
	double		alpha = fb_get_alpha(fcinfo, 4);
	double		df = PG_ARGISNULL(6) ? NAN : PG_GETARG_FLOAT8(6);
	double		rho = NAN;
	double		log_e = NAN;
	double		critical = NAN;

	if (!PG_ARGISNULL(3) && PG_ARGISNULL(5))
		rho = fb_mixture_rho(read_planned(fcinfo, 3), alpha);
	else if (!PG_ARGISNULL(5))
		rho = PG_GETARG_FLOAT8(5);
	if (!(rho > 0.0 && isfinite(rho)) || (!PG_ARGISNULL(3) && !PG_ARGISNULL(5)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("exactly one of planned_n and rho must be given, and be positive")));
	if (!PG_ARGISNULL(6) && !(df > 0.0 && isfinite(df)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("df must be positive, not %g", df)));
	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		estimate = PG_GETARG_FLOAT8(0);
		se = PG_GETARG_FLOAT8(1);
		n = PG_GETARG_FLOAT8(2);
	}
	if (isfinite(estimate) && se > 0.0 && isfinite(se) && n > 0.0 && isfinite(n))
	{
		double		z = fmin(fabs(estimate / se), 1e150);

		log_e = isnan(df) ? fb_mixture_log_e(z, n, rho, FB_TWO_SIDED) : fb_mixture_t_log_e(z, df, n, rho);
		critical = isnan(df) ? fb_mixture_critical(n, rho, alpha, FB_TWO_SIDED) : fb_mixture_t_critical(df, n, rho, alpha);
	}
	fb_set_number(values, nulls, 0, estimate - critical * se);
	fb_set_number(values, nulls, 1, estimate + critical * se);
	fb_set_number(values, nulls, 2, critical);
	fb_set_number(values, nulls, 3, log_e);
	fb_set_number(values, nulls, 4, fmin(1.0, exp(-log_e)));
	if (isnan(log_e))
		nulls[4] = true;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Reads an array of numbers without NULLs, of 1 to FB_MAX_LOOKS elements. */
static double *
read_looks(ArrayType *array, const char *name, int *looks)
{
	*looks = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) != 1 || *looks > FB_MAX_LOOKS || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be an array of one dimension and 1 to %d elements without nulls", name, FB_MAX_LOOKS)));
	return (double *) ARR_DATA_PTR(array);
}

/* Reads the information fractions of the looks. */
static const double *
read_information(ArrayType *array, int *looks)
{
	double	   *information = read_looks(array, "info", looks);

	for (int k = 0; k < *looks; k++)
		if (!(information[k] >= 1e-6 && information[k] <= 100.0) ||
			(k > 0 && !(information[k] >= information[k - 1] + 1e-9)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("info must increase from look to look, within 1e-6 and 100, but element %d is %g",
							k + 1, information[k]),
					 errhint("info holds the share of the planned information that each look has seen, such as n / n_planned.")));
	return information;
}

/* Reads spending function and parameter. */
static void
read_spending(FunctionCallInfo fcinfo, int argument, FbDesign *design)
{
	double		least = -50.0;
	double		most = 50.0;

	fb_refuse_null(fcinfo, argument, "spending");
	design->spending = fb_choose("spending", PG_GETARG_TEXT_PP(argument), spendings);
	if (design->spending == FB_SPEND_POWER)
		least = 0.01;
	design->parameter = PG_ARGISNULL(argument + 1) ? (design->spending == FB_SPEND_HSD ? -4.0 : 2.0) : PG_GETARG_FLOAT8(argument + 1);
	if (!(design->parameter >= least && design->parameter <= most))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("param must be between %g and %g, not %g", least, most, design->parameter)));
}

/* Reads the arguments of a design: info, alpha, sides, spending, param. */
static void
read_design(FunctionCallInfo fcinfo, FbDesign *design)
{
	int			sides;

	fb_refuse_null(fcinfo, 0, "info");
	fb_refuse_null(fcinfo, 2, "sides");
	design->information = read_information(PG_GETARG_ARRAYTYPE_P(0), &design->looks);
	design->alpha = fb_get_alpha(fcinfo, 1);
	sides = PG_GETARG_INT32(2);
	if (sides != 1 && sides != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sides must be 1 or 2, not %d", sides)));
	design->two_sided = sides == 2;
	read_spending(fcinfo, 3, design);
}

/* Returns numbers as float8[], infinite ones as NULL. */
static Datum
number_array(const double *numbers, int count)
{
	Datum		elements[FB_MAX_LOOKS];
	bool		nulls[FB_MAX_LOOKS];
	int			lower = 1;

	for (int i = 0; i < count; i++)
		fb_set_number(elements, nulls, i, numbers[i]);
	return PointerGetDatum(construct_md_array(elements, nulls, 1, &count, &lower, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* group_bounds(info float8[], alpha, sides, spending, param) returns float8[] */
Datum
fb_group_bounds_sql(PG_FUNCTION_ARGS)
{
	FbDesign	design;
	double		bounds[FB_MAX_LOOKS];

	read_design(fcinfo, &design);
	fb_group_bounds(&design, bounds);
	PG_RETURN_DATUM(number_array(bounds, design.looks));
}

/* alpha_spent(info float8[], alpha, sides, spending, param) returns float8[] */
Datum
fb_alpha_spent_sql(PG_FUNCTION_ARGS)
{
	FbDesign	design;
	double		spent[FB_MAX_LOOKS];

	read_design(fcinfo, &design);
	if (design.spending >= FB_CLASSIC_OF)
	{
		double		bounds[FB_MAX_LOOKS];
		double		lower[FB_MAX_LOOKS];

		fb_group_bounds(&design, bounds);
		fb_group_crossing(design.information, bounds, design.looks, design.two_sided, 0.0, spent, lower);
		for (int k = 0; k < design.looks; k++)
			spent[k] += lower[k];
	}
	else
		for (int k = 0; k < design.looks; k++)
			spent[k] = fb_alpha_spent(&design, design.information[k]);
	PG_RETURN_DATUM(number_array(spent, design.looks));
}

/* group_crossing(info float8[], bounds float8[], sides, drift) returns float8[] */
Datum
fb_group_crossing_sql(PG_FUNCTION_ARGS)
{
	int			looks,
				n_bounds;
	const double *information = read_information(PG_GETARG_ARRAYTYPE_P(0), &looks);
	const double *bounds = read_looks(PG_GETARG_ARRAYTYPE_P(1), "bounds", &n_bounds);
	int			sides = PG_GETARG_INT32(2);
	double		drift = fb_get_finite(fcinfo, 3, "drift");
	double		upper[FB_MAX_LOOKS],
				lower[FB_MAX_LOOKS];

	if (n_bounds != looks)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("info and bounds must have the same length, not %d and %d", looks, n_bounds)));
	if (sides != 1 && sides != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sides must be 1 or 2, not %d", sides)));
	for (int k = 0; k < looks; k++)
		if (isnan(bounds[k]) || (sides == 2 && bounds[k] < 0.0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds must be numbers, with two sides not negative, but element %d is %g", k + 1, bounds[k])));
	fb_group_crossing(information, bounds, looks, sides == 2, fmax(fmin(drift, 1e6), -1e6), upper, lower);
	for (int k = 0; k < looks; k++)
		upper[k] = fmin(upper[k] + lower[k], 1.0);
	PG_RETURN_DATUM(number_array(upper, looks));
}

/* effect_group_sequential(control, treatment, info, look, spending, param, scale, alternative, alpha, null_value, method, adjustment) returns record */
Datum
fb_effect_group_sql(PG_FUNCTION_ARGS)
{
	FbEffectOptions options;
	FbContrast	contrast;
	FbEffect	result;
	FbSides		sides;
	FbDesign	design;
	double		bounds[FB_MAX_LOOKS];
	int			look;

	fb_read_sides(fcinfo, &sides);
	fb_refuse_null(fcinfo, 2, "info");
	fb_refuse_null(fcinfo, 3, "look");
	design.information = read_information(PG_GETARG_ARRAYTYPE_P(2), &design.looks);
	look = PG_GETARG_INT32(3);
	if (look < 1 || look > design.looks)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("look must be between 1 and %d, the number of elements of info, not %d", design.looks, look)));
	read_spending(fcinfo, 4, &design);
	read_options(fcinfo, 6, false, &options);
	design.alpha = options.alpha;
	design.two_sided = options.alternative == FB_TWO_SIDED;

	/* Spending needs no later looks; a classic shape is that of the whole design. */
	if (design.spending < FB_CLASSIC_OF)
		design.looks = look;
	fb_group_bounds(&design, bounds);
	fb_contrast(sides.state[0], sides.state[1], &options, &contrast);
	fb_note_contrast(&sides, &contrast);
	fb_effect_group(&contrast, &options, &design, look, bounds[look - 1], &result);
	PG_RETURN_DATUM(fb_effect_row(fcinfo, &sides, &contrast, &result, &bounds[look - 1]));
}
