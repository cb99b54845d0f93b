/*
 * bayes.c
 *		effect_bayes(), prop_bayes(), beta_prob_greater(), gamma_prob_greater(),
 *		prob_best(), bandit_weights().
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

#include "core/fb_bayes.h"
#include "metrics/comparison.h"
#include "pg_compat.h"

#define BAYES_COLUMNS 14

PG_FUNCTION_INFO_V1(fb_effect_bayes_sql);
PG_FUNCTION_INFO_V1(fb_prop_bayes_sql);
PG_FUNCTION_INFO_V1(fb_beta_prob_greater_sql);
PG_FUNCTION_INFO_V1(fb_gamma_prob_greater_sql);
PG_FUNCTION_INFO_V1(fb_prob_best_sql);
PG_FUNCTION_INFO_V1(fb_bandit_weights_sql);

static const FbChoice algorithms[] = {
	{"thompson", 0}, {"top-two", 1}, {NULL, 0}
};

/* effect_bayes(control, treatment, prior_mean, prior_sd, scale, alpha, rope, quantile) returns record */
Datum
fb_effect_bayes_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[BAYES_COLUMNS];
	bool		nulls[BAYES_COLUMNS] = {false};
	FbEffectOptions options;
	FbContrast	contrast;
	FbEffect	effect;
	FbSides		sides;
	FbPosterior posterior = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	double		prior_mean = fb_get_finite(fcinfo, 2, "prior_mean");
	double		prior_sd = PG_ARGISNULL(3) ? HUGE_VAL : PG_GETARG_FLOAT8(3);
	double		rope = NAN;
	double	   *range = NULL;

	fb_read_sides(fcinfo, &sides);
	fb_default_options(&options);
	fb_refuse_null(fcinfo, 4, "scale");
	options.scale = fb_choose("scale", PG_GETARG_TEXT_PP(4), fb_scales);
	options.alpha = fb_get_alpha(fcinfo, 5);
	options.quantile = fb_get_quantile(fcinfo, 7);
	options.test = FB_Z;
	options.interval = FB_DELTA;
	if (!(prior_sd > 0.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("prior_sd must be positive, not %g", prior_sd),
				 errhint("Give null for a flat prior.")));
	if (!PG_ARGISNULL(6))
	{
		ArrayType  *array = PG_GETARG_ARRAYTYPE_P(6);

		if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != 2 || array_contains_nulls(array))
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("rope must have two elements, the lower and the upper bound")));
		range = (double *) ARR_DATA_PTR(array);
		if (!(range[0] < range[1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("rope must have a lower bound below the upper one, not %g and %g", range[0], range[1])));
	}
	fb_contrast(sides.state[0], sides.state[1], &options, &contrast);
	fb_note_contrast(&sides, &contrast);
	if (fb_effect_begin(&contrast, &options, &effect) && effect.status != FB_ZERO_CONTROL_MEAN)
	{
		fb_bayes_normal(effect.effect, effect.se, prior_mean, prior_sd, options.alpha, &posterior);
		if (range)
			rope = fb_normal_between(posterior.mean, posterior.sd, range[0], range[1]);
	}
	fb_set_number(values, nulls, 0, posterior.mean);
	fb_set_number(values, nulls, 1, posterior.sd);
	fb_set_number(values, nulls, 2, posterior.ci_low);
	fb_set_number(values, nulls, 3, posterior.ci_high);
	fb_set_number(values, nulls, 4, posterior.p_better);
	fb_set_number(values, nulls, 5, posterior.loss_treatment);
	fb_set_number(values, nulls, 6, posterior.loss_control);
	fb_set_number(values, nulls, 7, rope);
	for (int i = 0; i < 2; i++)
	{
		values[8 + i] = Int64GetDatum(i == 0 ? contrast.n_c : contrast.n_t);
		nulls[8 + i] = sides.state[i] == NULL;
	}
	fb_set_number(values, nulls, 10, contrast.mean_c);
	fb_set_number(values, nulls, 11, contrast.mean_t);
	values[12] = fb_status_text(effect.status);
	values[13] = fb_notes(sides.notes, sides.n_notes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Reads a positive parameter of a distribution. */
static double
positive(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		value = PG_GETARG_FLOAT8(argument);

	if (!(value >= 1e-6 && value <= 1e15))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 1e-6 and 1e15, not %g", name, value)));
	return value;
}

/* Reads x_c, n_c, x_t, n_t, a, b into the shapes of both posteriors. */
static void
read_beta(FunctionCallInfo fcinfo, double *shape)
{
	double		a = positive(fcinfo, 4, "a");
	double		b = positive(fcinfo, 5, "b");

	for (int i = 0; i < 2; i++)
	{
		int64		x = PG_GETARG_INT64(2 * i);
		int64		n = PG_GETARG_INT64(2 * i + 1);

		if (x < 0 || x > n || n > INT64CONST(1000000000000000))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("successes must be between 0 and n, and n at most 1e15, not " INT64_FORMAT " of " INT64_FORMAT, x, n)));
		shape[2 * i] = a + (double) x;
		shape[2 * i + 1] = b + (double) (n - x);
	}
}

/* beta_prob_greater(x_c, n_c, x_t, n_t, a, b) returns float8 */
Datum
fb_beta_prob_greater_sql(PG_FUNCTION_ARGS)
{
	double		s[4];

	read_beta(fcinfo, s);
	PG_RETURN_FLOAT8(fb_beta_prob_greater(s[0], s[1], s[2], s[3]));
}

/* prop_bayes(x_c, n_c, x_t, n_t, a, b) returns record */
Datum
fb_prop_bayes_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		values[5];
	bool		nulls[5] = {false};
	double		s[4];
	double		m_c,
				m_t;

	read_beta(fcinfo, s);
	m_c = s[0] / (s[0] + s[1]);
	m_t = s[2] / (s[2] + s[3]);

	/* E max(X - Y, 0) = E X P(X' > Y) - E Y P(X > Y'), where a prime has one success more. */
	fb_set_number(values, nulls, 0, fb_beta_prob_greater(s[0], s[1], s[2], s[3]));
	fb_set_number(values, nulls, 1, fmax(m_c * fb_beta_prob_greater(s[2], s[3], s[0] + 1.0, s[1]) -
										 m_t * fb_beta_prob_greater(s[2] + 1.0, s[3], s[0], s[1]), 0.0));
	fb_set_number(values, nulls, 2, fmax(m_t * fb_beta_prob_greater(s[0], s[1], s[2] + 1.0, s[3]) -
										 m_c * fb_beta_prob_greater(s[0] + 1.0, s[1], s[2], s[3]), 0.0));
	fb_set_number(values, nulls, 3, m_c);
	fb_set_number(values, nulls, 4, m_t);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* gamma_prob_greater(shape_c, rate_c, shape_t, rate_t) returns float8 */
Datum
fb_gamma_prob_greater_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(fb_gamma_prob_greater(positive(fcinfo, 0, "shape_c"), positive(fcinfo, 1, "rate_c"),
										   positive(fcinfo, 2, "shape_t"), positive(fcinfo, 3, "rate_t")));
}

/* Reads means and standard deviations of arms; returns how many there are. */
static int
read_arms(FunctionCallInfo fcinfo, const double **mean, const double **sd)
{
	ArrayType  *means = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *sds = PG_GETARG_ARRAYTYPE_P(1);
	int			arms = ArrayGetNItems(ARR_NDIM(means), ARR_DIMS(means));

	if (arms != ArrayGetNItems(ARR_NDIM(sds), ARR_DIMS(sds)) || arms < 1 || arms > FB_MAX_ARMS ||
		ARR_NDIM(means) != 1 || ARR_NDIM(sds) != 1 || array_contains_nulls(means) || array_contains_nulls(sds))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("means and sds must be arrays of one dimension, the same length from 1 to %d, and without nulls", FB_MAX_ARMS)));
	*mean = (double *) ARR_DATA_PTR(means);
	*sd = (double *) ARR_DATA_PTR(sds);
	for (int k = 0; k < arms; k++)
		if (!(fabs((*mean)[k]) <= 1e140) || !((*sd)[k] >= 1e-140 && (*sd)[k] <= 1e140))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("means must be finite and sds positive, but element %d is %g and %g", k + 1, (*mean)[k], (*sd)[k])));
	return arms;
}

/* Returns probabilities as float8[]. */
static Datum
probability_array(const double *probability, int arms)
{
	Datum		elements[FB_MAX_ARMS];

	for (int k = 0; k < arms; k++)
		elements[k] = Float8GetDatum(probability[k]);
	return PointerGetDatum(construct_array(elements, arms, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* prob_best(means float8[], sds float8[]) returns float8[] */
Datum
fb_prob_best_sql(PG_FUNCTION_ARGS)
{
	const double *mean,
			   *sd;
	int			arms = read_arms(fcinfo, &mean, &sd);
	double		probability[FB_MAX_ARMS];

	fb_prob_best(mean, sd, arms, probability);
	PG_RETURN_DATUM(probability_array(probability, arms));
}

/* bandit_weights(means float8[], sds float8[], floor float8, algorithm text) returns float8[] */
Datum
fb_bandit_weights_sql(PG_FUNCTION_ARGS)
{
	const double *mean,
			   *sd;
	int			arms = read_arms(fcinfo, &mean, &sd);
	double		floor_weight = PG_GETARG_FLOAT8(2);
	int			algorithm = fb_choose("algorithm", PG_GETARG_TEXT_PP(3), algorithms);
	double		probability[FB_MAX_ARMS];
	double		weight[FB_MAX_ARMS];

	if (!(floor_weight >= 0.0 && floor_weight * arms <= 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("floor must be between 0 and 1 / %d, not %g", arms, floor_weight)));
	fb_prob_best(mean, sd, arms, probability);
	memcpy(weight, probability, sizeof(double) * arms);
	if (algorithm == 1)
		fb_top_two(probability, arms, weight);
	for (int k = 0; k < arms; k++)
		weight[k] = floor_weight + (1.0 - arms * floor_weight) * weight[k];
	PG_RETURN_DATUM(probability_array(weight, arms));
}
