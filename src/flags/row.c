/*
 * row.c
 *		The functions that take a row's columns as the attributes:
 *		evaluate_flag_row, flag_variation_row, flag_bool_row, resolve_row.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/builtins.h"

#include "core/fb_dotnet.h"
#include "core/fb_flag.h"
#include "flags/evaluation.h"
#include "flags/row_context.h"
#include "pg_compat.h"

/* Evaluates with the arguments (user_key, flag_key, …, context, environment) and perhaps the columns of context. */
static inline const FbVariation *
evaluate(FunctionCallInfo fcinfo, FbKeyType key_type, int context_argument, const FbCompiled **compiled)
{
	char		key_buffer[FB_KEY_BUFFER];
	FbString	user_key = {NULL, 0};
	FbCallSite *site = fb_call_site(fcinfo);
	FbRowContext row;
	FbOutcome	outcome;

	if (PG_ARGISNULL(1))
		return NULL;
	if (likely(!PG_ARGISNULL(0)))
		user_key = fb_user_key(PG_GETARG_DATUM(0), key_type, key_buffer);
	*compiled = fb_call_site_flag(site, FB_TEXT_ARGUMENT(context_argument + 1), fb_text(PG_GETARG_DATUM(1)));
	if ((*compiled)->flag != NULL && (*compiled)->flag->plain_split != NULL && site->override == NULL &&
		!PG_ARGISNULL(0))
		return fb_evaluate_plain_split((*compiled)->flag, user_key);
	fb_evaluate_with(*compiled, site->override, PG_ARGISNULL(0) ? NULL : &user_key,
					 fb_row_context(&row, site, fcinfo, context_argument),
					 GetCurrentStatementStartTimestamp(), NULL, &outcome);
	return outcome.variation;
}

/* Returns the value of the variation as text. */
static Datum
evaluate_flag_row(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbCompiled *compiled;
	const FbVariation *variation = evaluate(fcinfo, key_type, 2, &compiled);

	if (variation == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(variation->value_text);
}

/* Returns the key of the variation. */
static Datum
flag_variation_row(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbCompiled *compiled;
	const FbVariation *variation = evaluate(fcinfo, key_type, 2, &compiled);

	if (variation == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(variation->key_datum);
}

/* Returns the value of a boolean flag, or the caller's default. */
static Datum
flag_bool_row(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbCompiled *compiled;
	const FbVariation *variation = evaluate(fcinfo, key_type, 3, &compiled);

	bool		value;

	if (variation != NULL && fb_flag_info(compiled->flag)->type == FB_FLAG_BOOLEAN)
		PG_RETURN_BOOL(*VARDATA_ANY(variation->value_text) == 't');
	if (variation != NULL && fb_flag_info(compiled->flag)->type == FB_FLAG_FEATBIT &&
		fb_dotnet_bool((FbString) {VARDATA_ANY(variation->value_text), VARSIZE_ANY_EXHDR(variation->value_text)}, &value))
		PG_RETURN_BOOL(value);
	if (PG_ARGISNULL(2))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(2));
}

/* Returns what resolve does: value, variant, reason, error_code, error_message, metadata. */
static Datum
resolve_row(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbEvaluation evaluation = {.site = fb_call_site(fcinfo)};
	FbString	user_key = {NULL, 0};
	const FbString *given = NULL;
	FbRowContext row;

	if (!PG_ARGISNULL(0))
	{
		user_key = fb_user_key(PG_GETARG_DATUM(0), key_type, evaluation.key_buffer);
		given = &user_key;
	}
	if (PG_ARGISNULL(1))
		fb_set_error(&evaluation.outcome, FB_ERROR_FLAG_NOT_FOUND, "flag key is null");
	else
	{
		evaluation.compiled = fb_call_site_flag(evaluation.site, FB_TEXT_ARGUMENT(3), fb_text(PG_GETARG_DATUM(1)));
		fb_evaluate_with(evaluation.compiled, evaluation.site->override, given,
						 fb_row_context(&row, evaluation.site, fcinfo, 2),
						 GetCurrentStatementStartTimestamp(), NULL, &evaluation.outcome);
	}
	return fb_resolved(fcinfo, &evaluation, given, FB_KEY_ARGUMENT);
}

FB_USER_KEY_FUNCTIONS(evaluate_flag_row)
FB_USER_KEY_FUNCTIONS(flag_variation_row)
FB_USER_KEY_FUNCTIONS(flag_bool_row)
FB_USER_KEY_FUNCTIONS(resolve_row)
