/*
 * evaluation.c
 *		Evaluates a flag for the arguments of an SQL function, and the functions
 *		that return one value: evaluate_flag, flag_variation, flag_bool, flag_text,
 *		flag_int, flag_number, flag_json.
 *
 * Values are prepared when the flag is compiled and returned as they are: the
 * call site keeps the compiled flag alive, and whoever keeps a value copies it.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

#include "core/fb_dotnet.h"
#include "core/fb_flag.h"
#include "fb_suggest.h"
#include "flags/context.h"
#include "flags/evaluation.h"
#include "flags/featbit.h"
#include "flags/reader.h"
#include "pg_compat.h"

/* Returns a user key as UTF-8 text; bigint keys are decimal, uuid keys lower-case with hyphens. */
FbString
fb_user_key(Datum value, FbKeyType type, char *buffer)
{
	FbString	key = {buffer, 0};

	if (type == FB_KEY_BIGINT)
		key.length = pg_lltoa(DatumGetInt64(value), buffer);
	else if (type == FB_KEY_UUID)
	{
		static const char digits[] = "0123456789abcdef";
		const unsigned char *bytes = DatumGetUUIDP(value)->data;

		for (int i = 0; i < UUID_LEN; i++)
		{
			if (i == 4 || i == 6 || i == 8 || i == 10)
				buffer[key.length++] = '-';
			buffer[key.length++] = digits[bytes[i] >> 4];
			buffer[key.length++] = digits[bytes[i] & 15];
		}
	}
	else
	{
		text	   *string = fb_text(value);

		key.data = VARDATA_ANY(string);
		key.length = VARSIZE_ANY_EXHDR(string);
		if (unlikely(fb_must_convert()))
		{
			char	   *converted = pg_server_to_any(key.data, key.length, PG_UTF8);

			if (converted != key.data)
			{
				key.data = converted;
				key.length = strlen(converted);
			}
		}
	}
	return key;
}

/* Makes the outcome an error. */
void
fb_set_error(FbOutcome *outcome, FbErrorCode error, const char *message)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->reason = FB_REASON_ERROR;
	outcome->error = error;
	outcome->error_message = message;
}

/* Tells whether a jsonb is an object, without fetching more of it than its first bytes. */
static bool
is_object(Datum value)
{
	struct varlena *bytes = (struct varlena *) DatumGetPointer(value);
	uint32		header;

	if (VARATT_IS_EXTENDED(bytes) && !VARATT_IS_SHORT(bytes))
		bytes = PG_DETOAST_DATUM_SLICE(value, 0, sizeof(header));
	memcpy(&header, VARDATA_ANY(bytes), sizeof(header));
	return (header & JB_FOBJECT) != 0;
}

/* Returns a user key in the encoding of the server, in which contexts are compared. */
static inline FbString
server_text(const FbString *user_key)
{
	FbString	text = {"", 0};

	if (user_key != NULL)
		text = *user_key;
	if (unlikely(fb_must_convert()))
	{
		const char *converted = pg_any_to_server(text.data, text.length, PG_UTF8);

		if (converted != text.data)
			text = (FbString) {converted, strlen(converted)};
	}
	return text;
}

/* Tells that featbit.override names a variation that the flag does not have. */
static char *
unknown_override(const FbCompiled *compiled, const char *name)
{
	const FbFlag *flag = compiled->flag;
	FbSuggestion suggestion;
	char	   *message = psprintf("featbit.override names unknown variation \"%s\" of flag \"%s\"", name, compiled->key);

	fb_suggest_start(&suggestion, name);
	for (uint32 i = 0; i < flag->variation_count; i++)
		fb_suggest_offer(&suggestion, fb_cstring(flag->variations[i].key));
	if (suggestion.best == NULL)
		return message;
	return psprintf("%s: did you mean \"%s\"?", message, suggestion.best);
}

/* Answers with the variation that featbit.override names. */
static void
override(const FbCompiled *compiled, const char *name, FbOutcome *outcome)
{
	const FbVariation *variation = fb_flag_variation(compiled->flag, (FbString) {name, strlen(name)});

	if (variation == NULL)
	{
		fb_set_error(outcome, FB_ERROR_GENERAL, unknown_override(compiled, name));
		return;
	}
	memset(outcome, 0, sizeof(*outcome));
	outcome->reason = FB_REASON_OVERRIDDEN;
	outcome->variation = variation;
}

/*
 * Evaluates a compiled flag, or the knowledge that there is none; whatever is wrong with it or with the
 * arguments becomes the outcome.  overriding is the variation that featbit.override gives the flag, tracer whoever
 * watches; both may be NULL.
 */
void
fb_evaluate_with(const FbCompiled *compiled, const char *overriding, const FbString *user_key,
				 const FbContext *context, int64 now, FbTracer *tracer, FbOutcome *outcome)
{
	FbRequest	request;

	if (unlikely(compiled->error != FB_ERROR_NONE))
	{
		fb_set_error(outcome, compiled->error, NULL);
		return;
	}
	if (unlikely(overriding != NULL))
	{
		override(compiled, overriding, outcome);
		return;
	}
	request.user_key_missing = user_key == NULL;
	request.user_key_text = server_text(user_key);
	if (user_key != NULL)
		request.user_key = *user_key;
	else
		request.user_key = (FbString) {"", 0};
	request.context = context;
	request.now = now;
	if (tracer != NULL)
		fb_evaluate_traced(compiled->flag, &request, tracer, outcome);
	else
		fb_evaluate(compiled->flag, &request, outcome);
}

/* Evaluates a compiled flag with a context that is a jsonb. */
void
fb_evaluate_compiled(const FbCompiled *compiled, const char *overriding, const FbString *user_key,
					 NullableDatum context, int64 now, FbTracer *tracer, FbOutcome *outcome)
{
	FbJsonbContext jsonb_context;

	if (unlikely(compiled->error == FB_ERROR_NONE && !context.isnull && !is_object(context.value)))
	{
		fb_set_error(outcome, FB_ERROR_INVALID_CONTEXT, "context is not a JSON object");
		return;
	}
	fb_evaluate_with(compiled, overriding, user_key, fb_datum_context(&jsonb_context, context.value, context.isnull),
					 now, tracer, outcome);
}

/* Evaluates the flag that the arguments of a call name. */
void
fb_evaluate_arguments(FbEvaluation *evaluation, FunctionCallInfo fcinfo,
					  const FbString *user_key, const text *flag_key, NullableDatum context,
					  const text *environment)
{
	evaluation->site = fb_call_site(fcinfo);
	evaluation->compiled = NULL;
	if (flag_key == NULL)
	{
		fb_set_error(&evaluation->outcome, FB_ERROR_FLAG_NOT_FOUND, "flag key is null");
		return;
	}
	evaluation->compiled = fb_call_site_flag(evaluation->site, environment, flag_key);
	fb_evaluate_compiled(evaluation->compiled, evaluation->site->override, user_key, context,
						 GetCurrentStatementStartTimestamp(), NULL, &evaluation->outcome);
}

/* Asks the memory for a small context before it is looked at; costs nothing when the address is none. */
static inline void
fetch_ahead(Datum context)
{
	const char *bytes = DatumGetPointer(context);

	__builtin_prefetch(bytes + 64);
	__builtin_prefetch(bytes + 128);
}

/*
 * Evaluates with the arguments (user_key, flag_key, …, context, environment).  A flag that is
 * nothing but a split of the users, the most frequent case, needs no more than a hash.
 */
static inline const FbVariation *
evaluate(FunctionCallInfo fcinfo, FbKeyType key_type, int context_argument, FbEvaluation *evaluation)
{
	FbString	user_key = {NULL, 0};

	if (!PG_ARGISNULL(context_argument))
		fetch_ahead(PG_GETARG_DATUM(context_argument));
	if (!PG_ARGISNULL(0))
		user_key = fb_user_key(PG_GETARG_DATUM(0), key_type, evaluation->key_buffer);
	if (likely(!PG_ARGISNULL(0) && !PG_ARGISNULL(1)))
	{
		FbCallSite *site = fb_call_site(fcinfo);
		const FbCompiled *compiled = fb_call_site_flag(site, FB_TEXT_ARGUMENT(context_argument + 1),
													   fb_text(PG_GETARG_DATUM(1)));

		evaluation->site = site;
		evaluation->compiled = compiled;
		if (compiled->flag != NULL && compiled->flag->plain_split != NULL && site->override == NULL &&
			(PG_ARGISNULL(context_argument) || is_object(PG_GETARG_DATUM(context_argument))))
			return fb_evaluate_plain_split(compiled->flag, user_key);
		fb_evaluate_compiled(compiled, site->override, &user_key, fcinfo->args[context_argument],
							 GetCurrentStatementStartTimestamp(), NULL, &evaluation->outcome);
	}
	else
		fb_evaluate_arguments(evaluation, fcinfo, PG_ARGISNULL(0) ? NULL : &user_key,
							  FB_TEXT_ARGUMENT(1), fcinfo->args[context_argument],
							  FB_TEXT_ARGUMENT(context_argument + 1));
	return evaluation->outcome.variation;
}

/*
 * Evaluates for a typed function: NULL when the flag has another type.  What serves text, as FeatBit's flags do whatever
 * their type, becomes *text.
 */
static inline const FbVariation *
evaluate_typed(FunctionCallInfo fcinfo, FbKeyType key_type, FbFlagType type, FbString *text)
{
	FbEvaluation evaluation;
	const FbVariation *variation = evaluate(fcinfo, key_type, 3, &evaluation);

	text->data = NULL;
	if (likely(variation != NULL && fb_flag_info(evaluation.compiled->flag)->type == type))
		return variation;
	if (variation != NULL && fb_flag_info(evaluation.compiled->flag)->type == FB_FLAG_FEATBIT)
		*text = (FbString) {VARDATA_ANY(variation->value_text), VARSIZE_ANY_EXHDR(variation->value_text)};
	return NULL;
}

/* Returns the caller's default. */
static Datum
default_value(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	return PG_GETARG_DATUM(2);
}

/* Returns the number that a variation of a number flag has. */
static Numeric
variation_number(const FbVariation *variation)
{
	JsonbValue	value;

	JsonbExtractScalar(&((Jsonb *) variation->value_json)->root, &value);
	return value.val.numeric;
}

/* Returns the value of the variation as text. */
static Datum
evaluate_flag(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbEvaluation evaluation;
	const FbVariation *variation = evaluate(fcinfo, key_type, 2, &evaluation);

	if (variation == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(variation->value_text);
}

/* Returns the key of the variation. */
static Datum
flag_variation(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbEvaluation evaluation;
	const FbVariation *variation = evaluate(fcinfo, key_type, 2, &evaluation);

	if (variation == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(variation->key_datum);
}

/* Returns the value of a boolean flag. */
static Datum
flag_bool(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbString	text;
	const FbVariation *variation = evaluate_typed(fcinfo, key_type, FB_FLAG_BOOLEAN, &text);
	bool		value;

	if (likely(variation != NULL))
		PG_RETURN_BOOL(*VARDATA_ANY(variation->value_text) == 't');
	if (text.data != NULL && fb_dotnet_bool(text, &value))
		PG_RETURN_BOOL(value);
	return default_value(fcinfo);
}

/* Returns the value of a string flag. */
static Datum
flag_text(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbString	text;
	const FbVariation *variation = evaluate_typed(fcinfo, key_type, FB_FLAG_STRING, &text);

	if (likely(variation != NULL))
		PG_RETURN_TEXT_P(variation->value_text);
	if (text.data != NULL)
		PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.length));
	return default_value(fcinfo);
}

/* Returns the value of a number flag that is a whole number. */
static Datum
flag_int(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbString	text;
	const FbVariation *variation = evaluate_typed(fcinfo, key_type, FB_FLAG_NUMBER, &text);
	Numeric		number;
	int32		value;
	bool		out_of_range = false;

	if (variation == NULL)
	{
		if (text.data != NULL && fb_dotnet_int(text, &value))
			PG_RETURN_INT32(value);
		return default_value(fcinfo);
	}
	number = variation_number(variation);
	value = numeric_int4_opt_error(number, &out_of_range);
	if (out_of_range ||
		!DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(number),
										  NumericGetDatum(int64_to_numeric(value)))))
		return default_value(fcinfo);
	PG_RETURN_INT32(value);
}

/* Returns the value of a number flag. */
static Datum
flag_number(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbString	text;
	const FbVariation *variation = evaluate_typed(fcinfo, key_type, FB_FLAG_NUMBER, &text);
	float8		value;

	if (variation != NULL)
		value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												   NumericGetDatum(variation_number(variation))));
	else if (text.data == NULL || !fb_dotnet_double(text, &value))
		return default_value(fcinfo);
	if (isinf(value))
		return default_value(fcinfo);
	PG_RETURN_FLOAT8(value);
}

/* Returns the value of a json flag. */
static Datum
flag_json(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbString	text;
	const FbVariation *variation = evaluate_typed(fcinfo, key_type, FB_FLAG_JSON, &text);
	Jsonb	   *json;

	if (likely(variation != NULL))
		PG_RETURN_JSONB_P(variation->value_json);
	json = text.data == NULL ? NULL : fb_featbit_json(text);
	if (json != NULL)
		PG_RETURN_JSONB_P(json);
	return default_value(fcinfo);
}

FB_USER_KEY_FUNCTIONS(evaluate_flag)
FB_USER_KEY_FUNCTIONS(flag_variation)
FB_USER_KEY_FUNCTIONS(flag_bool)
FB_USER_KEY_FUNCTIONS(flag_text)
FB_USER_KEY_FUNCTIONS(flag_int)
FB_USER_KEY_FUNCTIONS(flag_number)
FB_USER_KEY_FUNCTIONS(flag_json)
