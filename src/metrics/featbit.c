/*
 * featbit.c
 *		t_test_size(): the sample size that FeatBit's decision compares with.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

#include "core/fb_t_power.h"
#include "metrics/comparison.h"

PG_FUNCTION_INFO_V1(fb_t_test_size_sql);

/* Reads a probability between 0 and 1. */
static double
get_probability(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		value = fb_get_finite(fcinfo, argument, name);

	if (!(value > 0.0 && value < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1, both excluded, not %g", name, value)));
	return value;
}

/* t_test_size(effect_size float8, alpha float8, power float8, ratio float8) returns float8 */
Datum
fb_t_test_size_sql(PG_FUNCTION_ARGS)
{
	double		effect_size = fb_get_finite(fcinfo, 0, "effect_size");
	double		alpha = fb_get_alpha(fcinfo, 1);
	double		power = get_probability(fcinfo, 2, "power");
	double		ratio = fb_get_finite(fcinfo, 3, "ratio");
	double		n;

	if (!(ratio >= 1e-6 && ratio <= 1e6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ratio must be between 0.000001 and 1000000, not %g", ratio)));
	n = fb_t_size(effect_size, ratio, alpha, power);
	if (!isfinite(n))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(n);
}
