/*
 * result.h
 *		What the SQL functions of comparisons share: choices, rows, notes.
 */
#ifndef FB_METRICS_RESULT_H
#define FB_METRICS_RESULT_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"

#include "core/fb_effect.h"

/* A named choice of an argument; lists end with a NULL name. */
typedef struct FbChoice
{
	const char *name;
	int			value;
} FbChoice;

extern int	fb_choose(const char *argument, text *given, const FbChoice *choices);
extern TupleDesc fb_result_desc(FunctionCallInfo fcinfo);
extern void *fb_parsed_arguments(FunctionCallInfo fcinfo);
extern void fb_keep_parsed_arguments(FunctionCallInfo fcinfo, int first, const void *parsed, Size size);
extern Datum fb_status_text(FbStatus status);
extern void fb_set_number(Datum *values, bool *nulls, int column, double number);
extern Datum fb_notes(const char *const *notes, int count);

#endif							/* FB_METRICS_RESULT_H */
