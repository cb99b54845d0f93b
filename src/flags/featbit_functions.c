/*
 * featbit_functions.c
 *		FeatBit's arithmetic as functions: what a bucket is, whom a range has, what
 *		a condition says.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/fb_dotnet_regex.h"
#include "flags/context.h"
#include "flags/featbit.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_featbit_bucket_of);
PG_FUNCTION_INFO_V1(fb_featbit_in_rollout);
PG_FUNCTION_INFO_V1(fb_featbit_send_to_experiment);
PG_FUNCTION_INFO_V1(fb_featbit_condition);
PG_FUNCTION_INFO_V1(fb_featbit_pattern_problem);

/* Returns a text argument in UTF-8. */
static FbString
utf8_argument(FunctionCallInfo fcinfo, int argument)
{
	text	   *value = PG_GETARG_TEXT_PP(argument);

	return fb_utf8((FbString) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)});
}

/* Returns the bucket of a text argument behind a prefix. */
static uint32
bucket_of(FunctionCallInfo fcinfo, const char *prefix)
{
	return fb_featbit_bucket(fb_string_of(prefix), utf8_argument(fcinfo, 0));
}

/* featbit_bucket(input) → double precision */
Datum
fb_featbit_bucket_of(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(fb_bucket_value(bucket_of(fcinfo, "")));
}

/* featbit_in_rollout(input, min, max) → boolean */
Datum
fb_featbit_in_rollout(PG_FUNCTION_ARGS)
{
	FbRange		range = fb_featbit_range(PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2));

	PG_RETURN_BOOL(fb_range_is_everyone(range) || fb_range_has(range, bucket_of(fcinfo, "")));
}

/* featbit_send_to_experiment(input, min, max, expt_rollout, expt_include_all, included_in_expt) → boolean */
Datum
fb_featbit_send_to_experiment(PG_FUNCTION_ARGS)
{
	FbRange		range;
	double		upper;

	if (PG_GETARG_BOOL(4))
		PG_RETURN_BOOL(true);
	if (!PG_GETARG_BOOL(5) ||
		!fb_featbit_upper(PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3), &upper))
		PG_RETURN_BOOL(false);
	range = fb_featbit_range(0, upper);
	PG_RETURN_BOOL(fb_range_is_everyone(range) || fb_range_has(range, bucket_of(fcinfo, "expt")));
}

/* featbit_condition(user_value, op, condition_value) → boolean: NULL is null, which meets nothing */
Datum
fb_featbit_condition(PG_FUNCTION_ARGS)
{
	MemoryContext work;
	MemoryContext old_context;
	FbJsonbContext context;
	FbArena		arena;
	FbReader	reader = {.arena = &arena};
	FbFeatbitOperand operand;
	int			op;
	bool		met;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_BOOL(false);
	op = fb_featbit_op_find(utf8_argument(fcinfo, 1));
	if (op < 0)
		PG_RETURN_BOOL(false);
	/* the context owns the pattern */
	work = AllocSetContextCreate(CurrentMemoryContext, "featbit condition", ALLOCSET_SMALL_SIZES);
	old_context = MemoryContextSwitchTo(work);
	arena = (FbArena) {work};
	memset(&operand, 0, sizeof(operand));
	met = fb_read_featbit_operand(&reader, op, utf8_argument(fcinfo, 2), &operand) == NULL &&
		fb_featbit_test(fb_jsonb_context(&context, NULL), op, utf8_argument(fcinfo, 0), &operand);
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(work);
	PG_RETURN_BOOL(met);
}

/* featbit_pattern_problem(pattern) → text: why a pattern is none, or how it may differ from .NET; NULL: it does not */
Datum
fb_featbit_pattern_problem(PG_FUNCTION_ARGS)
{
	FbString	pattern = utf8_argument(fcinfo, 0);
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32		offset;
	FbRegex    *regex = fb_regex_compile(pattern, FB_REGEX_DOTNET | FB_REGEX_NO_JIT, message, &offset);
	const char *note;

	if (regex == NULL)
		PG_RETURN_TEXT_P(cstring_to_text(psprintf("invalid: %s", message)));
	fb_regex_free(regex);
	note = fb_featbit_pattern_note(pattern);
	if (note == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(note));
}
