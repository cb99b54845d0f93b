/*
 * row_context.h
 *		The columns of a row as the evaluator's source of attributes.
 */
#ifndef FB_ROW_CONTEXT_H
#define FB_ROW_CONTEXT_H

#include "access/tupdesc.h"

#include "core/fb_value.h"
#include "flags/callsite.h"

/* A column: how its values become those of the evaluator. */
typedef struct FbRowColumn
{
	FbString	name;
	Oid			type;			/* base type of a domain */
	FmgrInfo   *to_jsonb;		/* for types without a reading of their own, once it was needed */
} FbRowColumn;

/* The columns that a call site gets, found out once. */
typedef struct FbRowShape
{
	int			count;
	FbRowColumn *columns;
	FbContextMethods methods;
	MemoryContext context;		/* holds all of this */

	/* of rows that come as one value */
	Oid			type;
	int32		typmod;
	uint64		identifier;		/* changes when a named type does */
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
} FbRowShape;

/* Lives on the caller's stack for one evaluation. */
typedef struct FbRowContext
{
	FbContext	base;
	FbRowShape *shape;
	const NullableDatum *arguments; /* the columns, NULL: they lie in tuple */
	HeapTupleHeader tuple;
	bool		deformed;		/* the columns of tuple are in the values of the shape */
} FbRowContext;

extern const FbContext *fb_row_context(FbRowContext *storage, FbCallSite *site, FunctionCallInfo fcinfo, int argument);

#endif							/* FB_ROW_CONTEXT_H */
