/*
 * fb_rows.c
 *		Functions that return all their rows at once.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "fb_rows.h"

/* Makes the store that the caller reads the rows from. */
void
fb_rows_begin(FbRows *rows, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old_context;
	TupleDesc	desc;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a function that returns a set is called where none can be taken")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rows->row_context = AllocSetContextCreate(CurrentMemoryContext, "featbit row", ALLOCSET_DEFAULT_SIZES);
	old_context = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	rows->desc = CreateTupleDescCopy(desc);
	rows->store = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	MemoryContextSwitchTo(old_context);
	result->returnMode = SFRM_Materialize;
	result->setResult = rows->store;
	result->setDesc = rows->desc;
}

/* Adds a row; what was allocated for it in the row's context is freed. */
void
fb_rows_put(FbRows *rows, Datum *values, bool *nulls)
{
	tuplestore_putvalues(rows->store, rows->desc, values, nulls);
	MemoryContextReset(rows->row_context);
}
