/*
 * fb_rows.h
 *		Functions that return all their rows at once.
 */
#ifndef FB_ROWS_H
#define FB_ROWS_H

#include "fmgr.h"
#include "funcapi.h"
#include "utils/tuplestore.h"

/* The rows of one call. */
typedef struct FbRows
{
	Tuplestorestate *store;
	TupleDesc	desc;
	MemoryContext row_context;	/* reset after each row */
} FbRows;

extern void fb_rows_begin(FbRows *rows, FunctionCallInfo fcinfo);
extern void fb_rows_put(FbRows *rows, Datum *values, bool *nulls);

#endif							/* FB_ROWS_H */
