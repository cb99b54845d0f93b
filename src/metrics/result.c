/*
 * result.c
 *		What the SQL functions of comparisons share: choices, rows, notes.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "metrics/result.h"

/* Returns the value of a named choice, whatever its case; an unknown name is an error that lists them. */
int
fb_choose(const char *argument, text *given, const FbChoice *choices)
{
	const char *name = VARDATA_ANY(given);
	size_t		length = VARSIZE_ANY_EXHDR(given);
	StringInfoData legal;

	for (const FbChoice *choice = choices; choice->name; choice++)
		if (strlen(choice->name) == length && pg_strncasecmp(choice->name, name, length) == 0)
			return choice->value;

	initStringInfo(&legal);
	for (const FbChoice *choice = choices; choice->name; choice++)
		appendStringInfo(&legal, "%s\"%s\"", choice == choices ? "" : ", ", choice->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized %s \"%s\"", argument, text_to_cstring(given)),
			 errhint("Legal values are %s.", legal.data)));
	return 0;
}

/* What a call site keeps from call to call. */
typedef struct CallSite
{
	TupleDesc	desc;			/* the row type, or NULL */
	void	   *parsed;			/* what constant arguments say, or NULL */
} CallSite;

/* Returns what the call site keeps. */
static CallSite *
call_site(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
	return fcinfo->flinfo->fn_extra;
}

/* Returns the row type of the calling function, looked up once per call site. */
TupleDesc
fb_result_desc(FunctionCallInfo fcinfo)
{
	CallSite   *site = call_site(fcinfo);

	if (site->desc == NULL)
	{
		TupleDesc	desc;
		MemoryContext old;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("function returning record called in context that cannot accept type record")));
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		site->desc = BlessTupleDesc(CreateTupleDescCopy(desc));
		MemoryContextSwitchTo(old);
	}
	return site->desc;
}

/* Returns what fb_keep_parsed_arguments has kept at this call site, or NULL. */
void *
fb_parsed_arguments(FunctionCallInfo fcinfo)
{
	return call_site(fcinfo)->parsed;
}

/*
 * Keeps what the arguments from the first on say, if all of them are
 * constants of the expression: only those never change at a call site, which
 * in PL/pgSQL outlives a statement with its parameters.
 */
void
fb_keep_parsed_arguments(FunctionCallInfo fcinfo, int first, const void *parsed, Size size)
{
	Node	   *expr = fcinfo->flinfo->fn_expr;
	List	   *arguments = expr && IsA(expr, FuncExpr) ? ((FuncExpr *) expr)->args : NIL;
	CallSite   *site = call_site(fcinfo);

	if (list_length(arguments) != fcinfo->nargs)
		return;
	for (int i = first; i < fcinfo->nargs; i++)
		if (!IsA(list_nth(arguments, i), Const))
			return;
	site->parsed = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, size);
	memcpy(site->parsed, parsed, size);
}

/* Returns the name of a status as text that lives as long as the process: forming a row copies it. */
Datum
fb_status_text(FbStatus status)
{
	static text *names[FB_LAST_STATUS + 1];

	if (names[status] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		names[status] = cstring_to_text(fb_status_name(status));
		MemoryContextSwitchTo(old);
	}
	return PointerGetDatum(names[status]);
}

/* Sets a column to a number, or to NULL where the number is NaN or infinite. */
void
fb_set_number(Datum *values, bool *nulls, int column, double number)
{
	nulls[column] = !isfinite(number);
	values[column] = nulls[column] ? (Datum) 0 : Float8GetDatum(number == 0.0 ? 0.0 : number);
}

/* Returns notes as text[]; no notes are an array that lives as long as the process. */
Datum
fb_notes(const char *const *notes, int count)
{
	static ArrayType *none = NULL;
	Datum	   *elements;

	if (count == 0)
	{
		if (none == NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

			none = construct_empty_array(TEXTOID);
			MemoryContextSwitchTo(old);
		}
		return PointerGetDatum(none);
	}
	elements = palloc(sizeof(Datum) * count);
	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(notes[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}
