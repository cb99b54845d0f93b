/*
 * explain.c
 *		explain_flag and explain_flag_row: why a flag serves a user what it serves.
 *
 * The flag is compiled once more, with its sources, and evaluated by the
 * function that evaluates every flag.
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "flags/access.h"
#include "flags/evaluation.h"
#include "flags/explain.h"
#include "flags/row_context.h"
#include "fb_rows.h"
#include "pg_compat.h"
#include "settings.h"

#define COLUMNS 13

/* What is to be explained. */
typedef struct Question
{
	const char *environment;
	const char *key;			/* NULL: none given */
	const FbString *user_key;	/* NULL: none given */
	const char *user_text;		/* the same in the server's encoding */
	NullableDatum context;		/* a jsonb */
	const FbContext *row;		/* the columns of a row instead; NULL: none */
} Question;

/* Fills a text column. */
static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	if (text != NULL)
		values[column] = CStringGetTextDatum(text);
}

/* Returns the steps as rows. */
static void
put_steps(const FbExplanation *explanation, FbRows *rows)
{
	ListCell   *cell;
	int			number = 0;

	foreach(cell, explanation->steps)
	{
		const FbStep *step = lfirst(cell);
		MemoryContext old_context = MemoryContextSwitchTo(rows->row_context);
		Datum		values[COLUMNS] = {0};
		bool		nulls[COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = Int32GetDatum(++number);
		values[1] = Int32GetDatum(step->depth);
		set_text(values, nulls, 2, step->what);
		set_text(values, nulls, 3, step->path);
		set_text(values, nulls, 4, step->description);
		set_text(values, nulls, 5, step->expected);
		set_text(values, nulls, 6, step->actual);
		set_text(values, nulls, 7, step->outcome);
		set_text(values, nulls, 8, step->hash_input);
		set_text(values, nulls, 9, step->seed);
		values[10] = Int64GetDatum(step->bucket);
		nulls[10] = step->hash_input == NULL;
		set_text(values, nulls, 11, step->range);
		set_text(values, nulls, 12, step->reason);
		fb_rows_put(rows, values, nulls);
		MemoryContextSwitchTo(old_context);
	}
}

/* Adds what is known before the flag is evaluated: environment, whether there is the flag, an override. */
static void
add_head(FbExplanation *explanation, const FbCompiled *compiled, const char *overriding)
{
	FbStep	   *step = fb_add_step(explanation, "environment", NULL);

	step->description = psprintf("environment \"%s\"", compiled->environment);
	step->expected = "exists";
	step->outcome = compiled->error == FB_ERROR_PROVIDER_NOT_READY ? "not met" : "met";
	step->actual = compiled->error == FB_ERROR_PROVIDER_NOT_READY ? "does not exist" :
		psprintf("version " INT64_FORMAT, compiled->config_version);
	if (compiled->error == FB_ERROR_FLAG_NOT_FOUND)
	{
		step = fb_add_step(explanation, "flag", NULL);
		step->description = psprintf("flag \"%s\"", compiled->key);
		step->expected = "exists";
		step->actual = compiled->archived ? "is archived" : "does not exist";
		step->outcome = "not met";
	}
	if (compiled->error == FB_ERROR_NONE && overriding != NULL)
	{
		step = fb_add_step(explanation, "override", NULL);
		step->description = "setting featbit.override";
		step->actual = overriding;
		step->outcome = "met";
		step->reason = "the flag is not looked at";
	}
}

/* Evaluates and collects the steps. */
static void
explain(const Question *question, FbExplanation *explanation)
{
	FbSources	sources = {NIL};
	FbCompiled	compiled = {
		.environment = question->environment,
		.key = question->key,
		.key_length = strlen(question->key)
	};
	FbEvaluation evaluation = {.compiled = &compiled};
	const char *overriding;
	int64		now = GetCurrentStatementStartTimestamp();

	AcceptInvalidationMessages();
	if (!fb_load_with_sources(&compiled, &sources))
		compiled.error = FB_ERROR_PROVIDER_NOT_READY;
	fb_explanation_start(explanation, &sources, question->user_text, now);
	overriding = fb_overriding_variation(question->key);
	add_head(explanation, &compiled, overriding);
	if (question->row != NULL)
		fb_evaluate_with(&compiled, overriding, question->user_key, question->row, now, &explanation->tracer,
						 &evaluation.outcome);
	else
		fb_evaluate_compiled(&compiled, overriding, question->user_key, question->context, now, &explanation->tracer,
							 &evaluation.outcome);
	fb_add_result(explanation, &evaluation.outcome,
				  evaluation.outcome.error == FB_ERROR_NONE ? NULL :
				  fb_error_message(&evaluation, question->user_key,
								   FB_KEY_ARGUMENT ", is a flag: are the two swapped?"));
}

/* Explains with the arguments (user_key, flag_key, context, environment); context is a jsonb or a row. */
static Datum
explain_arguments(FunctionCallInfo fcinfo, FbKeyType key_type, bool with_row)
{
	MemoryContext work;
	MemoryContext old_context;
	Question	question;
	FbExplanation explanation = {0};
	FbRowContext row;
	FbString	user_key;
	char		key_buffer[40];
	FbRows		rows;

	fb_rows_begin(&rows, fcinfo);
	work = AllocSetContextCreate(CurrentMemoryContext, "featbit explanation", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(work);
	question.environment = PG_ARGISNULL(3) ? fb_environment_setting : text_to_cstring(PG_GETARG_TEXT_PP(3));
	question.context = fcinfo->args[2];
	question.row = with_row ? fb_row_context(&row, fb_call_site(fcinfo), fcinfo, 2) : NULL;
	question.user_key = NULL;
	question.user_text = NULL;
	if (!PG_ARGISNULL(0))
	{
		user_key = fb_user_key(PG_GETARG_DATUM(0), key_type, key_buffer);
		question.user_key = &user_key;
		question.user_text = key_type == FB_KEY_TEXT ? text_to_cstring(PG_GETARG_TEXT_PP(0)) :
			pnstrdup(user_key.data, user_key.length);
	}
	fb_require_environment_read(question.environment);
	if (PG_ARGISNULL(1))
	{
		FbOutcome	outcome = {.reason = FB_REASON_ERROR,.error = FB_ERROR_FLAG_NOT_FOUND};

		fb_add_result(&explanation, &outcome, "flag key is null");
	}
	else
	{
		question.key = text_to_cstring(PG_GETARG_TEXT_PP(1));
		explain(&question, &explanation);
	}
	put_steps(&explanation, &rows);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(work);
	return (Datum) 0;
}

/* Explains with a jsonb as context. */
static Datum
explain_flag(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	return explain_arguments(fcinfo, key_type, false);
}

/* Explains with the columns of a row as context. */
static Datum
explain_flag_row(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	return explain_arguments(fcinfo, key_type, true);
}

FB_USER_KEY_FUNCTIONS(explain_flag)
FB_USER_KEY_FUNCTIONS(explain_flag_row)
