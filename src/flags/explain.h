/*
 * explain.h
 *		The steps of an evaluation, as explain_flag shows them.
 */
#ifndef FB_EXPLAIN_H
#define FB_EXPLAIN_H

#include "core/fb_trace.h"
#include "flags/compile.h"

/* One row.  NULL where there is nothing to say. */
typedef struct FbStep
{
	int			depth;
	const char *what;
	const char *path;
	const char *description;
	const char *expected;
	const char *actual;
	const char *outcome;
	const char *hash_input;
	const char *seed;
	int64		bucket;			/* with a hash_input */
	const char *range;
	const char *reason;
} FbStep;

struct FbFrame;

/* The steps of one evaluation; everything is allocated in one short-lived memory context. */
typedef struct FbExplanation
{
	FbTracer	tracer;			/* first: the evaluator gets a pointer to it */
	const FbSources *sources;
	const char *user_key;		/* in the server's encoding */
	int64		now;
	int			depth;
	List	   *steps;			/* FbStep *, in order */
	struct FbFrame *frame;		/* flag or segment that is being evaluated */
} FbExplanation;

extern void fb_explanation_start(FbExplanation *explanation, const FbSources *sources, const char *user_key,
								 int64 now);
extern FbStep *fb_add_step(FbExplanation *explanation, const char *what, const char *path);
extern void fb_add_result(FbExplanation *explanation, const FbOutcome *outcome, const char *message);

#endif							/* FB_EXPLAIN_H */
