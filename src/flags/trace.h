/*
 * trace.h
 *		What the parts of a trace share.
 */
#ifndef FB_FLAGS_TRACE_H
#define FB_FLAGS_TRACE_H

#include "flags/definition.h"
#include "flags/explain.h"

#define FB_SHOWN_TEXT 80		/* bytes of a value or list that a step shows */

/* A flag or segment that is being evaluated. */
typedef struct FbFrame
{
	struct FbFrame *parent;
	const FbDefinition *definition; /* NULL beyond the depth limit */
	FbStep	   *opened;			/* the prerequisite that is being tested */
	FbStep	   *rule;			/* likewise */
	FbStep	   *condition;		/* on a segment or flag, likewise */
	uint32		prerequisites;	/* looked at so far */
	uint32		targets;
	uint32		rules;
	uint32		leaves;			/* tested or skipped so far */
	const FbTree *last;			/* condition tested last, in this rule */
	bool		failed;			/* it ended in an error */
	bool		known;			/* what it refers to was evaluated before */
	bool		fallthrough;	/* was looked at */
	const char *decided;		/* why nothing further is looked at */
} FbFrame;

/* trace.c */
extern const char *fb_met_text(bool met, const char *error);
extern bool fb_json_member(const JsonbValue *object, const char *name, JsonbValue *member);
extern bool fb_json_element(Jsonb *column, uint32 position, JsonbValue *element);
extern const char *fb_json_member_text(const JsonbValue *object, const char *name);

/* trace_condition.c */
extern FbStep *fb_open_condition(FbExplanation *explanation, const FbCondition *condition);
extern void fb_note_condition(FbExplanation *explanation, const FbTraceEvent *event);
extern void fb_close_reference(FbStep *step, const FbFlagReference *reference, bool met, const char *error,
							   bool known);
extern void fb_skip_rest(FbExplanation *explanation, const FbTree *whole);
extern const FbTree *fb_rule_condition(const FbFrame *frame);

/* trace_serve.c */
extern void fb_note_window(FbExplanation *explanation, const FbTraceEvent *event);
extern void fb_note_gate(FbExplanation *explanation, const FbTraceEvent *event);
extern void fb_note_serve(FbExplanation *explanation, const FbTraceEvent *event);

#endif							/* FB_FLAGS_TRACE_H */
