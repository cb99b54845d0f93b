/*
 * comparison.c
 *		effect() and adjustment(): compare two states.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/fb_bootstrap.h"
#include "core/fb_normal.h"
#include "metrics/comparison.h"
#include "metrics/sketch.h"
#include "metrics/stats.h"
#include "pg_compat.h"

#define SMALL_COUNT 5			/* fewer successes or failures earn a note */
#define ADJUSTMENT_COLUMNS 9

PG_FUNCTION_INFO_V1(fb_effect_sql);
PG_FUNCTION_INFO_V1(fb_adjustment_sql);

const FbChoice fb_scales[] = {
	{"absolute", FB_ABSOLUTE}, {"relative", FB_RELATIVE}, {NULL, 0}
};

const FbChoice fb_alternatives[] = {
	{"two-sided", FB_TWO_SIDED}, {"greater", FB_GREATER}, {"less", FB_LESS}, {NULL, 0}
};

/* A method names the test and, on the relative scale, the interval. */
enum
{
	METHOD_AUTO, METHOD_WELCH, METHOD_STUDENT, METHOD_Z, METHOD_FIELLER, METHOD_DELTA, METHOD_SCALED, METHOD_PERCENTILE
};

static const FbChoice methods[] = {
	{"auto", METHOD_AUTO}, {"welch", METHOD_WELCH}, {"student", METHOD_STUDENT}, {"z", METHOD_Z},
	{"fieller", METHOD_FIELLER}, {"delta", METHOD_DELTA}, {"scaled", METHOD_SCALED}, {"percentile", METHOD_PERCENTILE},
	{NULL, 0}
};

#define ADJUSTMENT_AUTO (-1)

static const FbChoice adjustments[] = {
	{"auto", ADJUSTMENT_AUTO}, {"within", FB_WITHIN}, {"pooled", FB_POOLED}, {"ancova", FB_ANCOVA},
	{"lin", FB_LIN}, {"none", FB_UNADJUSTED}, {NULL, 0}
};

/* A profile is a set of defaults: what "auto" stands for. */
enum
{
	PROFILE_DEFAULT, PROFILE_GROWTHBOOK, PROFILE_POSTHOG, PROFILE_EPPO, PROFILE_FEATBIT, PROFILE_SPOTIFY
};

static const FbChoice profiles[] = {
	{"default", PROFILE_DEFAULT}, {"growthbook", PROFILE_GROWTHBOOK}, {"posthog", PROFILE_POSTHOG},
	{"eppo", PROFILE_EPPO}, {"featbit", PROFILE_FEATBIT}, {"spotify", PROFILE_SPOTIFY}, {NULL, 0}
};

/* Raises the error for an argument that must not be NULL. */
void
fb_refuse_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("Leave the argument out to get its default.")));
}

/* Reads the probability of a false alarm. */
double
fb_get_alpha(FunctionCallInfo fcinfo, int argument)
{
	double		alpha;

	fb_refuse_null(fcinfo, argument, "alpha");
	alpha = PG_GETARG_FLOAT8(argument);
	if (!(alpha > 0.0 && alpha < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("alpha must be between 0 and 1, both excluded, not %g", alpha),
				 errhint("alpha is the probability of a false alarm: 0.05 gives intervals of 95 percent.")));
	return alpha;
}

/* Reads a finite number. */
double
fb_get_finite(FunctionCallInfo fcinfo, int argument, const char *name)
{
	double		value;

	fb_refuse_null(fcinfo, argument, name);
	value = PG_GETARG_FLOAT8(argument);
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number, not %g", name, value)));
	return value;
}

/* Tells whether an arm has too few successes or failures for the normal approximation. */
static bool
small_counts(const FbStats *state)
{
	return state && state->kind == FB_STATS_PROPORTION && state->n > 0 &&
		Min(state->value[0], (double) state->n - state->value[0]) < SMALL_COUNT;
}

/* Tells whether an arm has too few units for a value this skewed (Kohavi et al., KDD 2014). */
static bool
skewed(const FbStats *state)
{
	double		skewness;

	if (!state || state->kind != FB_STATS_SHAPE || state->n < 2)
		return false;
	skewness = fb_stats_skewness(state);
	return isfinite(skewness) && (double) state->n < 355.0 * skewness * skewness;
}

/*
 * Reads the two states in front of the arguments, brings them to a common
 * shape, and notes what is remarkable; a NULL state has no data.
 */
void
fb_read_sides(FunctionCallInfo fcinfo, FbSides *sides)
{
	const FbStats **state = sides->state;
	int			k,
				flags;

	sides->n_notes = 0;
	for (int i = 0; i < 2; i++)
		state[i] = PG_ARGISNULL(i) ? NULL : fb_stats_from_datum_into(PG_GETARG_DATUM(i), &sides->room[i]);
	if (state[0] && state[1])
	{
		if (!fb_stats_common_shape(state[0], state[1], &k, &flags))
		{
			if (state[0]->kind == state[1]->kind)
				fb_stats_mismatch("compare", state[0], state[1]);
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cannot compare featbit.stats of kind \"%s\" with kind \"%s\"",
							fb_stats_kind_name(state[0]->kind), fb_stats_kind_name(state[1]->kind)),
					 errhint("Build both with the same aggregate: boolean values make a proportion, float8 values a mean.")));
		}
		for (int i = 0; i < 2 && state[0]->kind == FB_STATS_CUPED; i++)
			if (state[i]->k != k || state[i]->flags != flags)
				state[i] = fb_stats_widened(state[i], k, flags);
	}
	if (small_counts(state[0]) || small_counts(state[1]))
		sides->notes[sides->n_notes++] = "small_counts";
	if ((state[0] && state[0]->n_bad > 0) || (state[1] && state[1]->n_bad > 0))
		sides->notes[sides->n_notes++] = "ignored_values";
	if (skewed(state[0]) || skewed(state[1]))
		sides->notes[sides->n_notes++] = "skewed";
}

/* Notes what a contrast had to leave out. */
void
fb_note_contrast(FbSides *sides, const FbContrast *contrast)
{
	if (contrast->dropped)
		sides->notes[sides->n_notes++] = "dropped_covariates";
}

/* Sets the options that functions without the arguments use. */
void
fb_default_options(FbEffectOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->scale = FB_RELATIVE;
	options->alternative = FB_TWO_SIDED;
	options->test = FB_WELCH;
	options->interval = FB_FIELLER;
	options->adjustment = FB_WITHIN;
	options->alpha = 0.05;
	options->quantile = 0.5;
	options->memory = &fb_palloc_memory;
}

/* Returns the number of slopes that the caller may give. */
static int
count_slopes(const FbSides *sides)
{
	const FbStats *state = sides->state[0] ? sides->state[0] : sides->state[1];

	if (state == NULL)
		return -1;
	if (state->kind == FB_STATS_CUPED)
		return state->k - 1;
	return state->kind == FB_STATS_RATIO_CUPED ? 1 : 0;
}

/* Reads which quantile is to be compared. */
double
fb_get_quantile(FunctionCallInfo fcinfo, int argument)
{
	double		quantile;

	fb_refuse_null(fcinfo, argument, "quantile");
	quantile = PG_GETARG_FLOAT8(argument);
	if (!(quantile > 0.0 && quantile < 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantile must be between 0 and 1, both excluded, not %g", quantile),
				 errhint("The median is 0.5, the 95th percentile 0.95.")));
	return quantile;
}

/* Reads the ridge penalty. */
static double
get_ridge(FunctionCallInfo fcinfo, int argument, FbAdjustment adjustment)
{
	double		ridge = fb_get_finite(fcinfo, argument, "ridge");

	if (!(ridge >= 0.0 && ridge <= 1e6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ridge must be between 0 and 1e6, not %g", ridge)));
	if (ridge > 0.0 && adjustment == FB_ANCOVA)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("adjustment \"ancova\" has no ridge penalty"),
				 errdetail("Its standard error holds for least squares only."),
				 errhint("Use adjustment \"within\", \"pooled\" or \"lin\".")));
	return ridge;
}

/* Reads how covariates enter; "auto" leaves what the options say. */
static void
read_adjustment(FunctionCallInfo fcinfo, int argument, FbEffectOptions *options)
{
	int			adjustment;

	fb_refuse_null(fcinfo, argument, "adjustment");
	adjustment = fb_choose("adjustment", PG_GETARG_TEXT_PP(argument), adjustments);
	if (adjustment != ADJUSTMENT_AUTO)
		options->adjustment = (FbAdjustment) adjustment;
}

/* Reads slopes. */
static void
read_theta(FunctionCallInfo fcinfo, int argument, const FbSides *sides, FbEffectOptions *options)
{
	if (!PG_ARGISNULL(argument))
	{
		ArrayType  *array = PG_GETARG_ARRAYTYPE_P(argument);
		int			count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		int			slopes = count_slopes(sides);

		if (array_contains_nulls(array) || ARR_NDIM(array) > 1)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("theta must be an array of one dimension without nulls")));
		if (slopes >= 0 && count != slopes)
			ereport(ERROR,
					(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
					 errmsg("theta must have %d elements, not %d", slopes, count),
					 errdetail("There is one slope for each covariate, the indicator of missing ones included; kinds without covariates have none.")));
		options->n_theta = count;
		options->theta = (double *) ARR_DATA_PTR(array);
		for (int i = 0; i < count; i++)
			if (!fb_stats_usable(options->theta[i]))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("theta must be finite and at most 1e140, but element %d is %g",
								i + 1, options->theta[i])));
		if (count == 0)
			options->theta = NULL;
	}
}

/* What the arguments of effect behind the two states say. */
typedef struct EffectArguments
{
	FbEffectOptions options;
	bool		percentiles;	/* the interval is of percentiles */
} EffectArguments;

/* Reads the arguments of effect behind the two states, theta apart. */
static void
read_arguments(FunctionCallInfo fcinfo, EffectArguments *arguments)
{
	FbEffectOptions *options = &arguments->options;
	int			method;
	int			profile;

	fb_default_options(options);
	fb_refuse_null(fcinfo, 2, "scale");
	fb_refuse_null(fcinfo, 3, "alternative");
	fb_refuse_null(fcinfo, 5, "method");
	fb_refuse_null(fcinfo, 9, "profile");
	options->scale = fb_choose("scale", PG_GETARG_TEXT_PP(2), fb_scales);
	options->alternative = fb_choose("alternative", PG_GETARG_TEXT_PP(3), fb_alternatives);
	options->alpha = fb_get_alpha(fcinfo, 4);
	method = fb_choose("method", PG_GETARG_TEXT_PP(5), methods);
	options->null_value = fb_get_finite(fcinfo, 6, "null_value");
	profile = fb_choose("profile", PG_GETARG_TEXT_PP(9), profiles);
	if (profile != PROFILE_DEFAULT)
	{
		options->adjustment = FB_POOLED;
		if (method == METHOD_AUTO && profile == PROFILE_SPOTIFY)
			method = options->scale == FB_RELATIVE ? METHOD_SCALED : METHOD_Z;
		else if (method == METHOD_AUTO && options->scale == FB_RELATIVE)
			method = METHOD_DELTA;
	}
	read_adjustment(fcinfo, 7, options);
	options->quantile = fb_get_quantile(fcinfo, 10);
	options->ridge = get_ridge(fcinfo, 11, options->adjustment);
	if (options->scale == FB_ABSOLUTE && method >= METHOD_FIELLER && method <= METHOD_SCALED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" applies to scale \"relative\" only",
						methods[method].name),
				 errhint("Legal values with scale \"absolute\" are \"auto\", \"welch\", \"student\", \"z\".")));
	options->test = method == METHOD_STUDENT ? FB_STUDENT : method == METHOD_Z || method == METHOD_SCALED ? FB_Z : FB_WELCH;
	options->interval = method == METHOD_DELTA ? FB_DELTA : method == METHOD_SCALED ? FB_SCALED : FB_FIELLER;
	options->critical = -fb_norm_quantile(fb_one_tail(options));
	arguments->percentiles = method == METHOD_PERCENTILE;
}

/* Refuses percentiles of states that have no replicates. */
static void
refuse_percentiles(const FbSides *sides)
{
	for (int i = 0; i < 2; i++)
		if (sides->state[i] && sides->state[i]->kind != FB_STATS_BOOTSTRAP)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("method \"percentile\" does not apply to featbit.stats of kind \"%s\"",
							fb_stats_kind_name(sides->state[i]->kind)),
					 errhint("Build both states with bootstrap_agg or bootstrap_ratio_agg.")));
}

#define N_NUMBERS 13			/* columns in front of status and notes, all of 8 bytes */

/* Those columns that are not NULL, one behind the other, and a bit for each. */
typedef struct Numbers
{
	int			count;
	uint32		present;
	union
	{
		float8		real;
		int64		whole;
	}			value[N_NUMBERS];
} Numbers;

/* Adds a number, NULL where it is NaN or infinite. */
static inline void
add_number(Numbers *numbers, int column, double number)
{
	numbers->value[numbers->count].real = number == 0.0 ? 0.0 : number;	/* no negative zero */
	if (isfinite(number))
	{
		numbers->present |= 1U << column;
		numbers->count++;
	}
}

/*
 * Returns the row that heap_form_tuple would form, in one pass: comparisons of
 * thousands of states spend more time on their rows than on their numbers.
 */
static Datum
form_row(TupleDesc desc, const Numbers *numbers, const text *status, const ArrayType *notes)
{
	Size		status_size = VARATT_CONVERTED_SHORT_SIZE(status);
	Size		number_size = sizeof(numbers->value[0]) * numbers->count;
	bool		short_notes = VARATT_CAN_MAKE_SHORT(notes);
	bool		any_null = numbers->count < N_NUMBERS;
	Size		header_size = MAXALIGN(SizeofHeapTupleHeader + (any_null ? BITMAPLEN(FB_EFFECT_COLUMNS) : 0));
	Size		data_size = number_size + status_size;
	HeapTupleHeader row;
	char	   *to;

	Assert(desc->natts == FB_EFFECT_COLUMNS);
	data_size = short_notes ? data_size + VARATT_CONVERTED_SHORT_SIZE(notes) : INTALIGN(data_size) + VARSIZE(notes);
	row = palloc0(header_size + data_size);
	HeapTupleHeaderSetDatumLength(row, header_size + data_size);
	HeapTupleHeaderSetTypeId(row, desc->tdtypeid);
	HeapTupleHeaderSetTypMod(row, desc->tdtypmod);
	ItemPointerSetInvalid(&row->t_ctid);
	HeapTupleHeaderSetNatts(row, FB_EFFECT_COLUMNS);
	row->t_hoff = header_size;
	row->t_infomask = HEAP_HASVARWIDTH | (any_null ? HEAP_HASNULL : 0);
	if (any_null)
	{
		uint32		present = numbers->present | 3U << N_NUMBERS;

		row->t_bits[0] = present & 0xff;
		row->t_bits[1] = present >> 8;
	}

	to = (char *) row + header_size;
	memcpy(to, numbers->value, number_size);
	to += number_size;
	SET_VARSIZE_SHORT(to, status_size);
	memcpy(to + VARHDRSZ_SHORT, VARDATA(status), status_size - VARHDRSZ_SHORT);
	if (short_notes)
	{
		to += status_size;
		SET_VARSIZE_SHORT(to, VARATT_CONVERTED_SHORT_SIZE(notes));
		memcpy(to + VARHDRSZ_SHORT, VARDATA(notes), VARSIZE(notes) - VARHDRSZ);
	}
	else
		memcpy((char *) row + header_size + INTALIGN(number_size + status_size), notes, VARSIZE(notes));
	return HeapTupleHeaderGetDatum(row);
}

/* Returns the row of a comparison, with one more number behind it if there is an extra one. */
Datum
fb_effect_row(FunctionCallInfo fcinfo, const FbSides *sides, const FbContrast *contrast,
			  const FbEffect *result, const double *extra)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	Datum		status = fb_status_text(result->status);
	Datum		notes = fb_notes(sides->notes, sides->n_notes);
	Datum		values[FB_EFFECT_COLUMNS + 1];
	bool		nulls[FB_EFFECT_COLUMNS + 1] = {false};
	Numbers		numbers;

	numbers.count = 0;
	numbers.present = 0;
	add_number(&numbers, 0, result->effect);
	add_number(&numbers, 1, result->se);
	add_number(&numbers, 2, result->ci_low);
	add_number(&numbers, 3, result->ci_high);
	add_number(&numbers, 4, result->statistic);
	add_number(&numbers, 5, result->df);
	add_number(&numbers, 6, result->p_value);
	add_number(&numbers, 7, result->log10_p);
	add_number(&numbers, 8, result->log_e);
	for (int i = 0; i < 2; i++)
		if (sides->state[i])
		{
			numbers.value[numbers.count++].whole = i == 0 ? contrast->n_c : contrast->n_t;
			numbers.present |= 1U << (9 + i);
		}
	add_number(&numbers, 11, contrast->mean_c);
	add_number(&numbers, 12, contrast->mean_t);
	if (extra == NULL)
		return form_row(desc, &numbers, (text *) DatumGetPointer(status), (ArrayType *) DatumGetPointer(notes));

	for (int i = 0, k = 0; i < N_NUMBERS; i++)
	{
		nulls[i] = (numbers.present & 1U << i) == 0;
		if (nulls[i])
			continue;
		values[i] = i == 9 || i == 10 ? Int64GetDatum(numbers.value[k].whole) : Float8GetDatum(numbers.value[k].real);
		k++;
	}
	values[13] = status;
	values[14] = notes;
	fb_set_number(values, nulls, FB_EFFECT_COLUMNS, *extra);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* effect(control stats, treatment stats, scale, alternative, alpha, method, null_value, adjustment, theta, profile, quantile, ridge) returns record */
Datum
fb_effect_sql(PG_FUNCTION_ARGS)
{
	EffectArguments given;
	EffectArguments *arguments = fb_parsed_arguments(fcinfo);
	FbContrast	contrast;
	FbEffect	result;
	FbSides		sides;

	fb_read_sides(fcinfo, &sides);
	if (arguments == NULL)
	{
		arguments = &given;
		read_arguments(fcinfo, arguments);
		read_theta(fcinfo, 8, &sides, &arguments->options);
		if (arguments->options.theta == NULL)
			fb_keep_parsed_arguments(fcinfo, 2, arguments, sizeof(*arguments));
	}
	if (arguments->percentiles)
		refuse_percentiles(&sides);
	fb_contrast(sides.state[0], sides.state[1], &arguments->options, &contrast);
	fb_note_contrast(&sides, &contrast);
	fb_effect(&contrast, &arguments->options, &result);
	if (arguments->percentiles && contrast.status == FB_OK)
		fb_bootstrap_percentiles(sides.state[0], sides.state[1], &arguments->options, &result);
	PG_RETURN_DATUM(fb_effect_row(fcinfo, &sides, &contrast, &result, NULL));
}

/* Returns slopes as float8[]. */
static Datum
slope_array(const double *theta, int count)
{
	Datum		elements[FB_STATS_MAX_K];

	for (int i = 0; i < count; i++)
		elements[i] = Float8GetDatum(theta[i]);
	return PointerGetDatum(construct_array(elements, count, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* adjustment(control stats, treatment stats, adjustment, theta, ridge) returns record */
Datum
fb_adjustment_sql(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = fb_result_desc(fcinfo);
	FbEffectOptions options;
	FbContrast	contrast;
	FbSides		sides;
	Datum		values[ADJUSTMENT_COLUMNS];
	bool		nulls[ADJUSTMENT_COLUMNS] = {false};
	double		before,
				after;

	fb_read_sides(fcinfo, &sides);
	fb_default_options(&options);
	read_adjustment(fcinfo, 2, &options);
	read_theta(fcinfo, 3, &sides, &options);
	options.ridge = get_ridge(fcinfo, 4, options.adjustment);
	fb_contrast(sides.state[0], sides.state[1], &options, &contrast);
	fb_note_contrast(&sides, &contrast);

	before = contrast.unadjusted_c / contrast.n_c + contrast.unadjusted_t / contrast.n_t;
	after = contrast.variance_c / contrast.n_c + contrast.variance_t / contrast.n_t;
	nulls[0] = nulls[1] = !isfinite(contrast.difference);
	if (!nulls[0])
	{
		values[0] = slope_array(contrast.theta_c, contrast.n_theta);
		values[1] = slope_array(contrast.theta_t, contrast.n_theta);
	}
	fb_set_number(values, nulls, 2, contrast.variance_c);
	fb_set_number(values, nulls, 3, contrast.variance_t);
	fb_set_number(values, nulls, 4, contrast.difference);
	fb_set_number(values, nulls, 5, 1.0 - after / before);
	fb_set_number(values, nulls, 6, before / after);
	values[7] = fb_status_text(contrast.status);
	values[8] = fb_notes(sides.notes, sides.n_notes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
