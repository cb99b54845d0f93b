/*
 * context.h
 *		A jsonb object as the evaluator's source of attributes.
 */
#ifndef FB_CONTEXT_H
#define FB_CONTEXT_H

#include "utils/jsonb.h"

#include "core/fb_value.h"

/* Keys of an object whose ends are summed up once for all attributes. */
#define FB_INDEXED_KEYS 32

/* Lives on the caller's stack for one evaluation. */
typedef struct FbJsonbContext
{
	FbContext	base;
	Datum		datum;			/* possibly toasted; 0: none */
	JsonbContainer *root;		/* NULL: not yet looked at, or no object */
	bool		opened;			/* root is an object, indexed if it is small */
	uint32		count;			/* its keys, 0: not indexed */
	uint32		ends[FB_INDEXED_KEYS * 2 + 1];	/* of keys and values within its data, each where the next begins */
} FbJsonbContext;

/* Problems that evaluations of this backend met, by FbProblem. */
extern uint64 fb_problem_counts[2];

extern bool fb_must_convert(void);
extern void fb_context_methods(FbContextMethods *methods);
extern bool fb_jsonb_path(JsonbContainer *object, const FbPath *path, uint32 step, FbValue *value);
extern void fb_jsonb_value(JsonbContainer *container, FbValue *value);
extern const FbContext *fb_jsonb_context(FbJsonbContext *storage, Jsonb *context);
extern const FbContext *fb_datum_context(FbJsonbContext *storage, Datum context, bool isnull);

#endif							/* FB_CONTEXT_H */
