/*
 * bernoulli.c
 *		prop_sequential(), beta_binomial_test(), poly_stitching_bound(); and
 *		the distributions noncentral_t_sf() and f_sf().
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"

#include "core/fb_bernoulli.h"
#include "core/fb_power.h"
#include "metrics/comparison.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_prop_sequential_sql);
PG_FUNCTION_INFO_V1(fb_beta_binomial_test_sql);
PG_FUNCTION_INFO_V1(fb_poly_stitching_bound_sql);
PG_FUNCTION_INFO_V1(fb_noncentral_t_sf_sql);
PG_FUNCTION_INFO_V1(fb_f_sf_sql);

/* Reads a positive number. */
static double
get_positive(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		value = PG_GETARG_FLOAT8(argument);

	if (!(value > 1e-100 && value < 1e100))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive and finite, not %g", name, value)));
	return value;
}

/* prop_sequential(x bigint, n bigint, planned_n bigint, alpha float8, null_value float8) returns record */
Datum
fb_prop_sequential_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	double		x = NAN,
				n = NAN,
				planned,
				alpha = fb_get_alpha(fcinfo, 3);
	double		low = NAN,
				high = NAN,
				log_e = NAN;
	Datum		values[5];
	bool		nulls[5] = {false};

	fb_refuse_null(fcinfo, 2, "planned_n");
	planned = (double) PG_GETARG_INT64(2);
	if (!(planned >= 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("planned_n must be positive, not " INT64_FORMAT, PG_GETARG_INT64(2))));
	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
	{
		x = (double) PG_GETARG_INT64(0);
		n = (double) PG_GETARG_INT64(1);
		if (!(x >= 0.0 && x <= n && n <= (double) FB_STATS_MAX_N))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("successes must be between 0 and n, and n at most 2^53, not " INT64_FORMAT " of " INT64_FORMAT,
							PG_GETARG_INT64(0), PG_GETARG_INT64(1))));
	}
	if (!PG_ARGISNULL(4))
	{
		double		p = PG_GETARG_FLOAT8(4);

		if (!(p > 0.0 && p < 1.0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("null_value must be between 0 and 1, both excluded, not %g", p)));
		if (n > 0.0)
			log_e = fb_bernoulli_log_e(x, n, p, planned, alpha);
	}
	if (n > 0.0)
		fb_bernoulli_interval(x, n, planned, alpha, &low, &high);
	fb_set_number(values, nulls, 0, x / n);
	fb_set_number(values, nulls, 1, low);
	fb_set_number(values, nulls, 2, high);
	fb_set_number(values, nulls, 3, log_e);
	fb_set_number(values, nulls, 4, log_e > 0.0 ? exp(-log_e) : isnan(log_e) ? NAN : 1.0);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* beta_binomial_test(s float8, v float8, planned_v float8, g float8, h float8, alpha float8) returns record */
Datum
fb_beta_binomial_test_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	double		s = PG_GETARG_FLOAT8(0);
	double		v = get_positive(fcinfo, 1, "v");
	double		planned = get_positive(fcinfo, 2, "planned_v");
	double		g = get_positive(fcinfo, 3, "g");
	double		h = get_positive(fcinfo, 4, "h");
	double		alpha = fb_get_alpha(fcinfo, 5);
	double		log_e;
	Datum		values[3];
	bool		nulls[3] = {false};

	if (!(s >= -v / h * (1.0 + 1e-9) && s <= v / g * (1.0 + 1e-9)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("s must be between -v / h and v / g, not %g", s),
				 errdetail("A sum of steps from -g to h with variance v cannot be further from zero.")));
	log_e = fb_beta_binomial_log_e(s, v, planned, alpha, g, h);
	fb_set_number(values, nulls, 0, log_e);
	fb_set_number(values, nulls, 1, log_e > 0.0 ? exp(-log_e) : isnan(log_e) ? NAN : 1.0);
	fb_set_number(values, nulls, 2, fb_beta_binomial_bound(v, planned, alpha, g, h));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* poly_stitching_bound(v float8, v_min float8, alpha float8, c float8, s float8, eta float8) returns float8 */
Datum
fb_poly_stitching_bound_sql(PG_FUNCTION_ARGS)
{
	double		v = get_positive(fcinfo, 0, "v");
	double		v_min = get_positive(fcinfo, 1, "v_min");
	double		alpha = fb_get_alpha(fcinfo, 2);
	double		c = fb_get_finite(fcinfo, 3, "c");
	double		s = PG_GETARG_FLOAT8(4);
	double		eta = PG_GETARG_FLOAT8(5);
	double		bound;

	if (!(s > 1.0 && s <= 100.0) || !(eta > 1.0 && eta <= 1e6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("s must be above 1 and at most 100, and eta above 1 and at most 1e6, not %g and %g", s, eta)));
	bound = fb_poly_stitching_bound(v, v_min, alpha, c, s, eta);
	if (!isfinite(bound))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(bound);
}

/* noncentral_t_sf(t float8, df float8, delta float8) returns float8 */
Datum
fb_noncentral_t_sf_sql(PG_FUNCTION_ARGS)
{
	double		t = PG_GETARG_FLOAT8(0);
	double		df = get_positive(fcinfo, 1, "df");
	double		delta = fb_get_finite(fcinfo, 2, "delta");
	double		tail;

	/* P(T > t) with delta is P(T < -t) with -delta. */
	tail = t < 0.0 ? 1.0 - fb_noncentral_t_sf(-t, df, -delta) : fb_noncentral_t_sf(t, df, delta);
	if (!isfinite(tail))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(tail);
}

/* f_sf(f float8, df_between float8, df_within float8) returns float8 */
Datum
fb_f_sf_sql(PG_FUNCTION_ARGS)
{
	double		f = PG_GETARG_FLOAT8(0);

	if (isnan(f))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(fb_f_sf(f, get_positive(fcinfo, 1, "df_between"), get_positive(fcinfo, 2, "df_within")));
}
