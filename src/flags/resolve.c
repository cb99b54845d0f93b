/*
 * resolve.c
 *		Evaluations that return more than a value: resolve in OpenFeature's shape,
 *		and what the recording of exposures needs.
 */
#include "postgres.h"

#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "flags/catalog.h"
#include "flags/context.h"
#include "flags/evaluation.h"
#include "flags/featbit.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_resolve);
PG_FUNCTION_INFO_V1(fb_evaluate_exposure);
PG_FUNCTION_INFO_V1(fb_variation_value);
PG_FUNCTION_INFO_V1(fb_tracking_schema);
PG_FUNCTION_INFO_V1(fb_config_version);

/* Returns OpenFeature's name of a reason. */
const char *
fb_reason_name(FbReason reason)
{
	switch (reason)
	{
		case FB_REASON_STATIC:
			return "STATIC";
		case FB_REASON_DEFAULT:
			return "DEFAULT";
		case FB_REASON_TARGETING_MATCH:
			return "TARGETING_MATCH";
		case FB_REASON_SPLIT:
			return "SPLIT";
		case FB_REASON_DISABLED:
			return "DISABLED";
		case FB_REASON_PREREQUISITE_FAILED:
			return "PREREQUISITE_FAILED";
		case FB_REASON_OVERRIDDEN:
			return "OVERRIDDEN";
		case FB_REASON_ERROR:
			break;
	}
	return "ERROR";
}

/* Returns OpenFeature's name of an error code. */
const char *
fb_error_name(FbErrorCode error)
{
	switch (error)
	{
		case FB_ERROR_PROVIDER_NOT_READY:
			return "PROVIDER_NOT_READY";
		case FB_ERROR_FLAG_NOT_FOUND:
			return "FLAG_NOT_FOUND";
		case FB_ERROR_TARGETING_KEY_MISSING:
			return "TARGETING_KEY_MISSING";
		case FB_ERROR_TYPE_MISMATCH:
			return "TYPE_MISMATCH";
		case FB_ERROR_INVALID_CONTEXT:
			return "INVALID_CONTEXT";
		case FB_ERROR_NONE:
		case FB_ERROR_GENERAL:
			break;
	}
	return "GENERAL";
}

/* Returns text in the server's encoding from a piece of a compiled flag; NULL for none. */
static Datum
string_datum(FbString string, bool *isnull)
{
	*isnull = string.data == NULL;
	if (*isnull)
		return (Datum) 0;
	return PointerGetDatum(cstring_to_text_with_len(string.data, string.length));
}

/* Returns text in the server's encoding from text that was hashed, which is UTF-8. */
static Datum
hashed_datum(FbString string, bool *isnull)
{
	int			encoding = GetDatabaseEncoding();

	if (string.data != NULL && encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
	{
		char	   *converted = pg_any_to_server(string.data, string.length, PG_UTF8);

		if (converted != string.data)
			string = (FbString) {converted, strlen(converted)};
	}
	return string_datum(string, isnull);
}

/*
 * Tells that a flag does not exist, and when the user key names one, that the arguments are
 * in the wrong order.
 */
static const char *
flag_not_found(const FbCompiled *compiled, const FbString *user_key, const char *swapped)
{
	char	   *message = psprintf("flag \"%s\" does not exist in environment \"%s\"",
								   compiled->key, compiled->environment);
	char	   *other;
	FbConfigOids oids;
	FbCatalog	catalog;
	FbFlagRow	row;

	if (compiled->archived)
		return psprintf("flag \"%s\" is archived in environment \"%s\"",
						compiled->key, compiled->environment);
	if (user_key == NULL || user_key->length > FB_MAX_KEY)
		return message;
	other = pnstrdup(user_key->data, user_key->length);
	if (strcmp(other, compiled->key) == 0 || !fb_resolve_config_oids(&oids) ||
		!fb_catalog_open(&catalog, &oids, compiled->environment, false))
		return message;
	if (fb_catalog_flag(&catalog, other, &row))
		message = psprintf("%s; \"%s\", given as %s", message, other, swapped);
	fb_catalog_close(&catalog);
	return message;
}

/* Returns a message for people about an error. */
const char *
fb_error_message(const FbEvaluation *evaluation, const FbString *user_key, const char *swapped)
{
	const FbCompiled *compiled = evaluation->compiled;

	if (evaluation->outcome.error_message != NULL)
		return evaluation->outcome.error_message;
	switch (evaluation->outcome.error)
	{
		case FB_ERROR_PROVIDER_NOT_READY:
			return psprintf("environment \"%s\" does not exist: it is made by the first flag created in it",
							compiled->environment);
		case FB_ERROR_FLAG_NOT_FOUND:
			return flag_not_found(compiled, user_key, swapped);
		case FB_ERROR_TARGETING_KEY_MISSING:
			return "user key is missing";
		default:
			return fb_error_name(evaluation->outcome.error);
	}
}

/* Adds a member to a JSON object. */
static void
push_member(JsonbParseState **state, const char *name, JsonbValue *value)
{
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, value);
}

/* Adds a string member unless there is none. */
static void
push_string(JsonbParseState **state, const char *name, FbString string)
{
	JsonbValue	value;

	if (string.data == NULL)
		return;
	value.type = jbvString;
	value.val.string.val = unconstify(char *, string.data);
	value.val.string.len = string.length;
	push_member(state, name, &value);
}

/* Adds a whole number. */
static void
push_integer(JsonbParseState **state, const char *name, int64 integer)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(integer);
	push_member(state, name, &value);
}

/* Returns what is known about an evaluation beside its value. */
static Jsonb *
evaluation_metadata(const FbEvaluation *evaluation)
{
	const FbOutcome *outcome = &evaluation->outcome;
	JsonbParseState *state = NULL;
	Jsonb	   *featbit;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (evaluation->compiled != NULL && evaluation->compiled->flag != NULL)
	{
		const FbFlagInfo *info = fb_flag_info(evaluation->compiled->flag);
		JsonbValue	randomised;

		push_integer(&state, "revision", info->revision);
		push_string(&state, "rule_id", outcome->rule_id);
		push_string(&state, "rule_name", outcome->rule_name);
		push_string(&state, "prerequisite", outcome->failed_prerequisite);
		if (outcome->ranges != NULL)
		{
			JsonbValue	bucket = {.type = jbvNumeric};

			bucket.val.numeric = fb_double_numeric(fb_featbit_outcome_bucket(outcome));
			push_member(&state, "bucket", &bucket);
		}
		else if (outcome->hashed)
		{
			push_integer(&state, "bucket", outcome->bucket);
			push_integer(&state, "total_weight", outcome->total_weight);
			push_integer(&state, "iteration", info->iteration);
		}
		randomised.type = jbvBool;
		randomised.val.boolean = outcome->randomised;
		push_member(&state, "randomised", &randomised);
	}
	featbit = fb_featbit_metadata(evaluation);
	if (featbit != NULL)
	{
		JsonbValue	value;

		fb_json_root(featbit, &value);
		push_member(&state, "featbit", &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Returns the row type of the function's result, looked up once in each call site. */
static TupleDesc
result_type(FunctionCallInfo fcinfo)
{
	FbCallSite *site = fb_call_site(fcinfo);

	if (site->tupdesc == NULL)
	{
		TupleDesc	desc;
		MemoryContext old_context;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		old_context = MemoryContextSwitchTo(site->context);
		site->tupdesc = BlessTupleDesc(CreateTupleDescCopy(desc));
		MemoryContextSwitchTo(old_context);
	}
	return site->tupdesc;
}

/* Reads the user key from the member targetingKey of a context; false when it is missing. */
bool
fb_targeting_key(Jsonb *context, FbString *key, char *buffer)
{
	JsonbValue *value;

	if (context == NULL || !JB_ROOT_IS_OBJECT(context))
		return false;
	value = getKeyJsonValueFromContainer(&context->root, "targetingKey", strlen("targetingKey"), NULL);
	if (value == NULL || value->type != jbvString)
		return false;
	*key = fb_user_key(PointerGetDatum(cstring_to_text_with_len(value->val.string.val,
																value->val.string.len)),
					   FB_KEY_TEXT, buffer);
	return true;
}

/*
 * Fills the columns of a resolution: value, variant, reason, error_code, error_message, metadata.
 * key_argument names what the user key was given as.
 */
void
fb_resolution(FbEvaluation *evaluation, const FbString *user_key, const char *key_argument, Datum *values,
			  bool *nulls)
{
	FbOutcome  *outcome = &evaluation->outcome;

	nulls[0] = nulls[1] = outcome->variation == NULL;
	if (outcome->variation != NULL)
	{
		values[0] = JsonbPGetDatum(outcome->variation->value_json);
		values[1] = PointerGetDatum(outcome->variation->key_datum);
	}
	values[2] = CStringGetTextDatum(fb_reason_name(outcome->reason));
	nulls[2] = false;
	if (outcome->error == FB_ERROR_TARGETING_KEY_MISSING && user_key == NULL &&
		strcmp(key_argument, FB_KEY_IN_CONTEXT) == 0)
		outcome->error_message = "context has no string \"targetingKey\"";
	nulls[3] = nulls[4] = outcome->error == FB_ERROR_NONE;
	if (outcome->error != FB_ERROR_NONE)
	{
		values[3] = CStringGetTextDatum(fb_error_name(outcome->error));
		values[4] = CStringGetTextDatum(fb_error_message(evaluation, user_key,
														 psprintf("%s, is a flag: are the two swapped?",
																  key_argument)));
	}
	values[5] = JsonbPGetDatum(evaluation_metadata(evaluation));
	nulls[5] = false;
}

/* Returns an evaluation as the row of a resolution. */
Datum
fb_resolved(FunctionCallInfo fcinfo, FbEvaluation *evaluation, const FbString *user_key, const char *key_argument)
{
	Datum		values[FB_RESOLUTION_COLUMNS] = {0};
	bool		nulls[FB_RESOLUTION_COLUMNS];

	fb_resolution(evaluation, user_key, key_argument, values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(result_type(fcinfo), values, nulls));
}

/* resolve(flag_key, context, environment) → (value, variant, reason, error_code, error_message, metadata) */
Datum
fb_resolve(PG_FUNCTION_ARGS)
{
	FbEvaluation evaluation;
	FbString	user_key;
	Jsonb	   *context = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	NullableDatum context_datum = {JsonbPGetDatum(context), context == NULL};
	bool		has_key = fb_targeting_key(context, &user_key, evaluation.key_buffer);

	fb_evaluate_arguments(&evaluation, fcinfo, has_key ? &user_key : NULL,
						  FB_TEXT_ARGUMENT(0), context_datum, FB_TEXT_ARGUMENT(2));
	return fb_resolved(fcinfo, &evaluation, has_key ? &user_key : NULL, FB_KEY_IN_CONTEXT);
}

/*
 * evaluate_exposure(user_key, flag_key, context, environment) → (resolved_environment, value, variation,
 * reason, error_code, error_message, rule_id, revision, iteration, unit_key, randomised, tracking_schema)
 */
Datum
fb_evaluate_exposure(PG_FUNCTION_ARGS)
{
	FbEvaluation evaluation;
	const FbOutcome *outcome = &evaluation.outcome;
	FbString	user_key = {NULL, 0};
	TupleDesc	desc = result_type(fcinfo);
	Datum		values[12] = {0};
	bool		nulls[12];
	text	   *environment = FB_TEXT_ARGUMENT(3);

	memset(nulls, true, sizeof(nulls));
	if (!PG_ARGISNULL(0))
		user_key = fb_user_key(PG_GETARG_DATUM(0), FB_KEY_TEXT, evaluation.key_buffer);
	fb_evaluate_arguments(&evaluation, fcinfo, PG_ARGISNULL(0) ? NULL : &user_key,
						  FB_TEXT_ARGUMENT(1), fcinfo->args[2], environment);
	values[0] = environment ? PointerGetDatum(environment) : CStringGetTextDatum(fb_environment_setting);
	nulls[0] = false;
	if (outcome->variation != NULL)
	{
		values[1] = PointerGetDatum(outcome->variation->value_text);
		values[2] = PointerGetDatum(outcome->variation->key_datum);
		nulls[1] = nulls[2] = false;
	}
	values[3] = CStringGetTextDatum(fb_reason_name(outcome->reason));
	nulls[3] = false;
	if (outcome->error != FB_ERROR_NONE)
	{
		values[4] = CStringGetTextDatum(fb_error_name(outcome->error));
		values[5] = CStringGetTextDatum(fb_error_message(&evaluation, PG_ARGISNULL(0) ? NULL : &user_key,
													  "user key, is a flag: the user key comes first"));
		nulls[4] = nulls[5] = false;
	}
	values[6] = string_datum(outcome->rule_id, &nulls[6]);
	if (evaluation.compiled != NULL && evaluation.compiled->flag != NULL)
	{
		const FbFlagInfo *info = fb_flag_info(evaluation.compiled->flag);

		values[7] = Int64GetDatum(info->revision);
		values[8] = Int32GetDatum(info->iteration);
		nulls[7] = nulls[8] = false;
	}
	/* the unit is what was hashed; where nothing was hashed it is the user */
	if (outcome->hashed)
		values[9] = hashed_datum(outcome->unit_key, &nulls[9]);
	else if (!PG_ARGISNULL(0))
	{
		values[9] = PG_GETARG_DATUM(0);
		nulls[9] = false;
	}
	values[10] = BoolGetDatum(outcome->randomised);
	nulls[10] = false;
	if (evaluation.compiled != NULL && evaluation.compiled->tracking_schema != NULL)
	{
		values[11] = CStringGetTextDatum(evaluation.compiled->tracking_schema);
		nulls[11] = false;
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/* variation_value(flag_key, variation, environment): the value of a variation, as evaluate_flag returns it */
Datum
fb_variation_value(PG_FUNCTION_ARGS)
{
	const FbCompiled *compiled;
	const FbVariation *variation;
	FbString	key;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	compiled = fb_call_site_flag(fb_call_site(fcinfo), FB_TEXT_ARGUMENT(2), PG_GETARG_TEXT_PP(0));
	if (compiled->flag == NULL)
		PG_RETURN_NULL();
	key.data = VARDATA_ANY(PG_GETARG_TEXT_PP(1));
	key.length = VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1));
	variation = fb_flag_variation(compiled->flag, key);
	if (variation == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(variation->value_text);
}

/* tracking_schema(environment): the schema of the environment's fact tables, NULL when there is none */
Datum
fb_tracking_schema(PG_FUNCTION_ARGS)
{
	text	   *no_flag = cstring_to_text("");
	const FbCompiled *compiled = fb_call_site_flag(fb_call_site(fcinfo), FB_TEXT_ARGUMENT(0), no_flag);

	if (compiled->tracking_schema == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(compiled->tracking_schema));
}

/* config_version(environment): number of the newest configuration, NULL where there is no environment */
Datum
fb_config_version(PG_FUNCTION_ARGS)
{
	text	   *no_flag = cstring_to_text("");
	const FbCompiled *compiled = fb_call_site_flag(fb_call_site(fcinfo), FB_TEXT_ARGUMENT(0), no_flag);

	if (compiled->config_version == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(compiled->config_version);
}
