/*
 * mathematics.c
 *		The special functions of core as SQL functions.
 *
 * Arguments outside the domain are errors, so that a result is never NaN or
 * infinite. Infinite abscissas are legal where the function has a limit.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "core/fb_beta.h"
#include "core/fb_normal.h"

PG_FUNCTION_INFO_V1(fb_sql_norm_cdf);
PG_FUNCTION_INFO_V1(fb_sql_norm_quantile);
PG_FUNCTION_INFO_V1(fb_sql_t_sf);
PG_FUNCTION_INFO_V1(fb_sql_t_quantile);
PG_FUNCTION_INFO_V1(fb_sql_chi2_sf);
PG_FUNCTION_INFO_V1(fb_sql_beta_inc);
PG_FUNCTION_INFO_V1(fb_sql_gamma_inc);

/* Raises the error for an argument outside the domain of a function. */
static void
domain_error(const char *name, double value, const char *domain)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be %s, not %g", name, domain, value)));
}

/* Checks that a shape parameter or number of degrees of freedom is positive and not extreme. */
static double
check_positive(const char *name, double value)
{
	/* Beyond these the formulas would leave the range of float8. */
	if (!(value >= 1e-300 && value <= 1e300))
		domain_error(name, value, "positive, from 1e-300 to 1e300");
	return value;
}

/* Checks that an abscissa is a number. */
static double
check_number(const char *name, double value)
{
	if (isnan(value))
		domain_error(name, value, "a number");
	return value;
}

/* Checks that an abscissa is a number that is not negative. */
static double
check_not_negative(const char *name, double value)
{
	if (!(value >= 0.0))
		domain_error(name, value, "zero or positive");
	return value;
}

/* Checks that a probability lies strictly between zero and one. */
static double
check_probability(const char *name, double value)
{
	if (!(value > 0.0 && value < 1.0))
		domain_error(name, value, "between 0 and 1, both excluded");
	return value;
}

/* norm_cdf(z float8) returns float8 */
Datum
fb_sql_norm_cdf(PG_FUNCTION_ARGS)
{
	double		z = check_number("z", PG_GETARG_FLOAT8(0));

	PG_RETURN_FLOAT8(fb_norm_cdf(z));
}

/* norm_quantile(p float8) returns float8 */
Datum
fb_sql_norm_quantile(PG_FUNCTION_ARGS)
{
	double		p = check_probability("p", PG_GETARG_FLOAT8(0));

	PG_RETURN_FLOAT8(fb_norm_quantile(p));
}

/* t_sf(t float8, df float8) returns float8 */
Datum
fb_sql_t_sf(PG_FUNCTION_ARGS)
{
	double		t = check_number("t", PG_GETARG_FLOAT8(0));
	double		df = check_positive("df", PG_GETARG_FLOAT8(1));

	PG_RETURN_FLOAT8(fb_t_sf(t, df));
}

/* t_quantile(p float8, df float8) returns float8 */
Datum
fb_sql_t_quantile(PG_FUNCTION_ARGS)
{
	double		p = check_probability("p", PG_GETARG_FLOAT8(0));
	double		df = check_positive("df", PG_GETARG_FLOAT8(1));
	double		t = fb_t_quantile(p, df);

	/* With a tiny df the quantile itself can leave the range of float8. */
	if (!isfinite(t))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value out of range: the t quantile of %g with %g degrees of freedom exceeds double precision",
						p, df)));
	PG_RETURN_FLOAT8(t);
}

/* chi2_sf(x float8, df float8) returns float8 */
Datum
fb_sql_chi2_sf(PG_FUNCTION_ARGS)
{
	double		x = check_not_negative("x", PG_GETARG_FLOAT8(0));
	double		df = check_positive("df", PG_GETARG_FLOAT8(1));

	PG_RETURN_FLOAT8(fb_chi2_sf(x, df));
}

/* beta_inc(a float8, b float8, x float8) returns float8 */
Datum
fb_sql_beta_inc(PG_FUNCTION_ARGS)
{
	double		a = check_positive("a", PG_GETARG_FLOAT8(0));
	double		b = check_positive("b", PG_GETARG_FLOAT8(1));
	double		x = PG_GETARG_FLOAT8(2);
	FbTails		tails;

	if (!(x >= 0.0 && x <= 1.0))
		domain_error("x", x, "between 0 and 1");
	fb_beta_inc(a, b, x, &tails);
	PG_RETURN_FLOAT8(tails.lower);
}

/* gamma_inc(a float8, x float8) returns float8 */
Datum
fb_sql_gamma_inc(PG_FUNCTION_ARGS)
{
	double		a = check_positive("a", PG_GETARG_FLOAT8(0));
	double		x = check_not_negative("x", PG_GETARG_FLOAT8(1));
	FbTails		tails;

	fb_gamma_inc(a, x, &tails);
	PG_RETURN_FLOAT8(tails.lower);
}
