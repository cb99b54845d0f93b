/*
 * fb_trace.h
 *		What an evaluation tells whoever wants to watch it.
 *
 * There is one evaluator: a watched evaluation takes the same decisions as
 * any other and notes them as it takes them, so that a trace cannot differ
 * from what is served.  It is compiled twice, with the notes and without.
 */
#ifndef FB_TRACE_H
#define FB_TRACE_H

#include "core/fb_flag.h"

typedef enum FbTraceKind
{
	FB_TRACE_ENTER_FLAG,		/* flag */
	FB_TRACE_LEAVE_FLAG,		/* flag, outcome */
	FB_TRACE_ENTER_SEGMENT,		/* segment */
	FB_TRACE_LEAVE_SEGMENT,		/* segment, met, error */
	FB_TRACE_KNOWN,				/* flag or segment: entered before in this evaluation */
	FB_TRACE_EXCLUDED,			/* segment, met: the user is in its list */
	FB_TRACE_INCLUDED,			/* segment, met */
	FB_TRACE_PREREQUISITE,		/* reference, position: is tested next */
	FB_TRACE_PREREQUISITE_DONE, /* reference, met, error */
	FB_TRACE_TARGET,			/* target, position, met, error */
	FB_TRACE_RULE,				/* rule, position: is looked at next */
	FB_TRACE_WINDOW,			/* rule, met: the time is within it */
	FB_TRACE_CONDITION,			/* condition: a segment or flag that is tested next */
	FB_TRACE_CONDITION_DONE,	/* condition, value, met, error */
	FB_TRACE_GATE,				/* rule, unit, bucket, met, error */
	FB_TRACE_RULE_DONE,			/* rule, met, error */
	FB_TRACE_SERVE				/* serve, rule or NULL, stage, outcome */
} FbTraceKind;

/* Members that the kind does not name are zero. */
typedef struct FbTraceEvent
{
	FbTraceKind kind;
	bool		met;
	uint32_t	position;
	uint32_t	stage;
	uint32_t	bucket;
	const char *error;			/* NULL: none */
	const FbFlag *flag;
	const FbSegment *segment;
	const FbFlagReference *reference;
	const FbTarget *target;
	const FbRule *rule;
	const FbCondition *condition;
	const FbValue *value;		/* of the attribute; NULL: it is missing */
	const FbServe *serve;
	FbString	unit;			/* what was hashed; data NULL: nothing */
	const FbOutcome *outcome;
} FbTraceEvent;

typedef struct FbTracer FbTracer;

/* Whoever watches puts this at the start of a struct of its own; what an event points to lives only during the call. */
struct FbTracer
{
	void		(*note) (FbTracer *tracer, const FbTraceEvent *event);
};

extern void fb_evaluate_traced(const FbFlag *flag, const FbRequest *request, FbTracer *tracer, FbOutcome *outcome);

#endif							/* FB_TRACE_H */
