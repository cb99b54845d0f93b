/*
 * context.h
 *		A jsonb object as the evaluator's source of attributes.
 */
#ifndef FB_CONTEXT_H
#define FB_CONTEXT_H

#include "utils/jsonb.h"

#include "core/fb_value.h"

/* Lives on the caller's stack for one evaluation. */
typedef struct FbJsonbContext
{
	FbContext	base;
	Datum		datum;			/* possibly toasted; 0: none */
	JsonbContainer *root;		/* NULL: not yet looked at, or no object */
} FbJsonbContext;

/* Problems that evaluations of this backend met, by FbProblem. */
extern uint64 fb_problem_counts[2];

extern const FbContext *fb_jsonb_context(FbJsonbContext *storage, Jsonb *context);
extern const FbContext *fb_datum_context(FbJsonbContext *storage, Datum context, bool isnull);

#endif							/* FB_CONTEXT_H */
