/*
 * strata.c
 *		post_stratified(): one comparison over strata.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/array.h"

#include "metrics/comparison.h"
#include "metrics/stats.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_post_stratified_sql);

/* Reads an array of states; NULL elements have no data. */
static const FbStats **
read_states(ArrayType *array, const char *name, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	const FbStats **states;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a one-dimensional array, not one of %d dimensions", name, ARR_NDIM(array))));
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &elements, &nulls, count);
	states = palloc(sizeof(FbStats *) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		states[i] = nulls[i] ? NULL : fb_stats_from_datum(elements[i]);
		if (states[i] && states[i]->kind != FB_STATS_MEAN && states[i]->kind != FB_STATS_PROPORTION &&
			states[i]->kind != FB_STATS_SHAPE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("post_stratified does not compare featbit.stats of kind \"%s\"", fb_stats_kind_name(states[i]->kind)),
					 errhint("Compare states of kind \"mean\" or \"proportion\".")));
	}
	return states;
}

/* post_stratified(control stats[], treatment stats[], scale, alpha) returns record */
Datum
fb_post_stratified_sql(PG_FUNCTION_ARGS)
{
	int			strata,
				n_treatment;
	const FbStats **control = read_states(PG_GETARG_ARRAYTYPE_P(0), "control", &strata);
	const FbStats **treatment = read_states(PG_GETARG_ARRAYTYPE_P(1), "treatment", &n_treatment);
	FbEffectOptions options;
	FbStratified result;
	FbContrast	contrast;
	FbEffect	effect;
	FbSides		sides = {{NULL, NULL}, {NULL}, 0};

	if (strata != n_treatment)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("control and treatment must have the same length, not %d and %d", strata, n_treatment),
				 errhint("Give both states of every stratum; null where an arm has nobody.")));
	fb_default_options(&options);
	options.scale = fb_choose("scale", PG_GETARG_TEXT_PP(2), fb_scales);
	options.alpha = fb_get_alpha(fcinfo, 3);
	options.test = FB_Z;

	fb_contrast_begin_strata(&result);
	for (int h = 0; h < strata; h++)
		fb_contrast_add_stratum(&result, control[h], treatment[h]);
	fb_contrast_end_strata(&result, &contrast);
	for (int h = 0; h < strata; h++)
	{
		if (control[h])
			sides.state[0] = control[h];
		if (treatment[h])
			sides.state[1] = treatment[h];
	}
	if (result.skipped)
		sides.notes[sides.n_notes++] = "skipped_strata";
	fb_effect(&contrast, &options, &effect);
	PG_RETURN_DATUM(fb_effect_row(fcinfo, &sides, &contrast, &effect, NULL));
}
