/*
 * result.c
 *		What the SQL functions of comparisons share: choices, rows, notes.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
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

/* Returns the row type of the calling function, looked up once per call site. */
TupleDesc
fb_result_desc(FunctionCallInfo fcinfo)
{
	TupleDesc	desc = fcinfo->flinfo->fn_extra;

	if (desc == NULL)
	{
		MemoryContext old;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("function returning record called in context that cannot accept type record")));
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		desc = BlessTupleDesc(CreateTupleDescCopy(desc));
		MemoryContextSwitchTo(old);
		fcinfo->flinfo->fn_extra = desc;
	}
	return desc;
}

/* Sets a column to a number, or to NULL where the number is NaN or infinite. */
void
fb_set_number(Datum *values, bool *nulls, int column, double number)
{
	nulls[column] = !isfinite(number);
	values[column] = nulls[column] ? (Datum) 0 : Float8GetDatum(number == 0.0 ? 0.0 : number);
}

/* Returns notes as text[]. */
Datum
fb_notes(const char *const *notes, int count)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(count, 1));

	if (count == 0)
		return PointerGetDatum(construct_empty_array(TEXTOID));
	for (int i = 0; i < count; i++)
		elements[i] = CStringGetTextDatum(notes[i]);
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}
