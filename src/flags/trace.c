/*
 * trace.c
 *		Turns what an evaluation notes into readable steps.
 *
 * The evaluator decides; here is only written down what it did.  What it did
 * not look at is derived from what it did: conditions are tested in the order
 * in which they are written, and so are prerequisites, targets and rules.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "flags/evaluation.h"
#include "flags/trace.h"

/* Adds a step at the present depth. */
FbStep *
fb_add_step(FbExplanation *explanation, const char *what, const char *path)
{
	FbStep	   *step = palloc0(sizeof(FbStep));

	step->depth = explanation->depth;
	step->what = what;
	step->path = path;
	explanation->steps = lappend(explanation->steps, step);
	return step;
}

/* Adds a step that was not looked at. */
static FbStep *
add_skipped(FbExplanation *explanation, const char *what, const char *path, const char *reason)
{
	FbStep	   *step = fb_add_step(explanation, what, path);

	step->outcome = "skipped";
	step->reason = reason;
	return step;
}

/* Cuts a text to what a step shows. */
static const char *
clip(const char *text)
{
	int			length = strlen(text);

	if (length <= FB_SHOWN_TEXT)
		return text;
	length = pg_mbcliplen(text, length, FB_SHOWN_TEXT - 3);
	return psprintf("%.*s...", length, text);
}

/* Returns the names of an outcome that is known. */
const char *
fb_met_text(bool met, const char *error)
{
	return error != NULL ? "error" : met ? "met" : "not met";
}

/* Returns a member of a JSON object; false when there is none. */
bool
fb_json_member(const JsonbValue *object, const char *name, JsonbValue *member)
{
	JsonbValue *found = NULL;

	if (object->type == jbvBinary && JsonContainerIsObject(object->val.binary.data))
		found = getKeyJsonValueFromContainer(object->val.binary.data, name, strlen(name), NULL);
	if (found != NULL)
		*member = *found;
	return found != NULL;
}

/* Returns an element of a column that holds a JSON array; false when there is none. */
bool
fb_json_element(Jsonb *column, uint32 position, JsonbValue *element)
{
	JsonbValue *found = NULL;

	if (column != NULL && JB_ROOT_IS_ARRAY(column) && !JB_ROOT_IS_SCALAR(column))
		found = getIthJsonbValueFromContainer(&column->root, position);
	if (found != NULL)
		*element = *found;
	return found != NULL;
}

/* Returns a member of an object as JSON text; NULL when there is none. */
const char *
fb_json_member_text(const JsonbValue *object, const char *name)
{
	JsonbValue	member;

	return fb_json_member(object, name, &member) ? fb_json_text(&member) : NULL;
}

/* Finds the definition of a flag or segment. */
static const FbDefinition *
find_definition(const FbExplanation *explanation, const FbFlag *flag, const FbSegment *segment)
{
	ListCell   *cell;

	foreach(cell, explanation->sources->definitions)
	{
		const FbDefinition *definition = lfirst(cell);

		if (flag != NULL ? definition->flag == flag : definition->segment == segment)
			return definition;
	}
	return NULL;
}

/* Enters a flag or segment. */
static FbFrame *
push_frame(FbExplanation *explanation, const FbFlag *flag, const FbSegment *segment)
{
	FbFrame    *frame = palloc0(sizeof(FbFrame));

	frame->parent = explanation->frame;
	frame->definition = find_definition(explanation, flag, segment);
	explanation->frame = frame;
	return frame;
}

/* Leaves a flag or segment. */
static void
pop_frame(FbExplanation *explanation)
{
	explanation->frame = explanation->frame->parent;
}

/* Enters a flag. */
static void
enter_flag(FbExplanation *explanation, const FbFlag *flag)
{
	static const char *const types[] = {"boolean", "string", "number", "json", "featbit semantics"};
	FbStep	   *step = fb_add_step(explanation, "flag", NULL);
	FbFrame    *frame = push_frame(explanation, flag, NULL);

	explanation->depth++;
	step->description = psprintf("flag \"%s\", %s, revision " INT64_FORMAT,
								 flag->info.key.data == NULL ? "" : flag->info.key.data,
								 types[flag->info.type], flag->info.revision);
	step->expected = "enabled";
	step->actual = flag->archived ? "archived" : flag->enabled ? "enabled" : "disabled";
	step->outcome = fb_met_text(flag->enabled && !flag->archived, flag->error);
	if (flag->error != NULL)
		step->reason = pstrdup(flag->error);
	if (step->outcome[0] != 'm')
		frame->decided = flag->error != NULL ? "the flag is broken" : psprintf("the flag is %s", step->actual);
}

/* Describes a target. */
static void
describe_target(const FbFrame *frame, FbStep *step, uint32 position)
{
	const FbFlag *flag = frame->definition->flag;
	const FbTarget *target = &flag->targets[position];
	JsonbValue	source;

	if (fb_json_element(frame->definition->flag_row->targets, position, &source))
		step->expected = fb_json_member_text(&source, flag->info.type == FB_FLAG_FEATBIT ? "keyIds" : "users");
	if (target->variation != NULL)
		step->description = psprintf("users of variation \"%s\"", target->variation->key.data);
}

/* Describes a rule. */
static void
describe_rule(const FbRule *rule, FbStep *step)
{
	if (rule->id.data != NULL)
		step->description = rule->name.data == NULL ? psprintf("rule \"%s\"", rule->id.data) :
			psprintf("rule \"%s\", %s", rule->id.data, rule->name.data);
	else if (rule->name.data != NULL)
		step->description = psprintf("rule %s", rule->name.data);
}

/* Describes a prerequisite. */
static void
describe_prerequisite(const FbFrame *frame, FbStep *step, uint32 position)
{
	const FbFlagReference *reference = &frame->definition->flag->prerequisites[position];
	JsonbValue	source;

	if (reference->key.data != NULL)
		step->description = psprintf("flag \"%s\" serves one of", reference->key.data);
	if (fb_json_element(frame->definition->flag_row->prerequisites, position, &source))
		step->expected = fb_json_member_text(&source, "variations");
}

/* Adds what the evaluation of a flag did not look at. */
static void
skip_rest_of_flag(FbExplanation *explanation)
{
	FbFrame    *frame = explanation->frame;
	const FbFlag *flag = frame->definition->flag;
	const char *reason = frame->decided;

	for (; frame->prerequisites < flag->prerequisite_count; frame->prerequisites++)
		describe_prerequisite(frame, add_skipped(explanation, "prerequisite",
												 psprintf("prerequisites[%u]", frame->prerequisites), reason),
							  frame->prerequisites);
	for (; frame->targets < flag->target_count; frame->targets++)
		describe_target(frame, add_skipped(explanation, "target", psprintf("targets[%u]", frame->targets), reason),
						frame->targets);
	for (; frame->rules < flag->rule_count; frame->rules++)
		describe_rule(&flag->rules[frame->rules],
					  add_skipped(explanation, "rule", psprintf("rules[%u]", frame->rules), reason));
	if (!frame->fallthrough && flag->error == NULL)
		(void) add_skipped(explanation, "fallthrough", "fallthrough", reason);
}

/* Adds the result of a flag. */
void
fb_add_result(FbExplanation *explanation, const FbOutcome *outcome, const char *message)
{
	FbStep	   *step = fb_add_step(explanation, "result", NULL);

	step->reason = fb_reason_name(outcome->reason);
	step->outcome = "code default";
	if (outcome->reason == FB_REASON_ERROR)
	{
		step->outcome = "error";
		step->description = psprintf("%s: %s", fb_error_name(outcome->error), message);
	}
	else if (outcome->variation != NULL)
	{
		const text *value = outcome->variation->value_text;

		step->outcome = "served";
		step->actual = outcome->variation->key.data;
		step->description = psprintf("value %s",
									 clip(pnstrdup(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value))));
	}
}

/* Leaves a flag: the rest was not looked at, and another flag's result is a step of its own. */
static void
leave_flag(FbExplanation *explanation, const FbOutcome *outcome)
{
	FbFrame    *frame = explanation->frame;

	if (frame->definition != NULL)
	{
		if (frame->decided == NULL)
			frame->decided = "the evaluation ended in an error";
		skip_rest_of_flag(explanation);
	}
	if (frame->parent != NULL && outcome != NULL)
		fb_add_result(explanation, outcome, outcome->error_message);
	explanation->depth--;
	pop_frame(explanation);
}

/* Notes whether the user is in a list of a segment. */
static void
note_list(FbExplanation *explanation, const FbTraceEvent *event, const char *name, const FbSet *set)
{
	FbFrame    *frame = explanation->frame;
	FbStep	   *step;

	if (event->met)
		frame->decided = psprintf("%s of the segment lists the user", name);
	if (set->count == 0)
		return;
	step = fb_add_step(explanation, name, name);
	step->description = psprintf("users %s in segment \"%s\"", name, event->segment->key.data);
	step->expected = psprintf("one of %u user%s", set->count, set->count == 1 ? "" : "s");
	step->actual = clip(explanation->user_key);
	step->outcome = fb_met_text(event->met, NULL);
}

/* Leaves a segment. */
static void
leave_segment(FbExplanation *explanation)
{
	const FbDefinition *definition = explanation->frame->definition;

	if (definition != NULL && definition->condition_count > 0)
		fb_skip_rest(explanation, definition->conditions[0]);
	pop_frame(explanation);
}

/* Starts a rule. */
static void
enter_rule(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;

	frame->rule = fb_add_step(explanation, "rule", psprintf("rules[%u]", event->position));
	frame->rules = event->position + 1;
	frame->last = NULL;
	frame->failed = false;
	describe_rule(event->rule, frame->rule);
	explanation->depth++;
}

/* Ends a rule. */
static void
leave_rule(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	FbStep	   *step = frame->rule;

	if (event->rule->error != NULL)
		frame->decided = "the rule is broken";
	fb_skip_rest(explanation, fb_rule_condition(frame));
	explanation->depth--;
	frame->decided = NULL;
	step->outcome = fb_met_text(event->met, event->error);
	if (event->error != NULL)
	{
		step->reason = pstrdup(event->error);
		frame->decided = psprintf("%s ended in an error", step->path);
	}
	else if (!event->met)
		step->reason = "goes on to the next rule, or to the fallthrough";
	else
	{
		step->reason = event->rule->start == FB_MET ? "has no condition: it is met by everyone" :
			"the first rule that is met decides";
		frame->decided = psprintf("%s decides", step->path);
	}
}

/* Notes a target. */
static void
note_target(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	FbStep	   *step = fb_add_step(explanation, "target", psprintf("targets[%u]", event->position));

	describe_target(frame, step, event->position);
	frame->targets = event->position + 1;
	step->actual = clip(explanation->user_key);
	step->outcome = fb_met_text(event->met, event->error);
	if (event->error != NULL)
		step->reason = pstrdup(event->error);
	if (event->met || event->error != NULL)
		frame->decided = psprintf("%s %s", step->path, event->met ? "lists the user" : "ended in an error");
}

/* Starts a prerequisite. */
static void
enter_prerequisite(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;

	frame->opened = fb_add_step(explanation, "prerequisite", psprintf("prerequisites[%u]", event->position));
	frame->prerequisites = event->position + 1;
	describe_prerequisite(frame, frame->opened, event->position);
	explanation->depth++;
}

/* Ends a prerequisite. */
static void
leave_prerequisite(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;

	explanation->depth--;
	fb_close_reference(frame->opened, event->reference, event->met, event->error, frame->known);
	if (!event->met)
		frame->decided = psprintf("%s %s", frame->opened->path,
								  event->error != NULL ? "ended in an error" : "is not met");
	frame->known = false;
}

/* FbTracer: notes a step of the evaluation. */
static void
note(FbTracer *tracer, const FbTraceEvent *event)
{
	FbExplanation *explanation = (FbExplanation *) tracer;

	check_stack_depth();
	switch (event->kind)
	{
		case FB_TRACE_ENTER_FLAG:
			enter_flag(explanation, event->flag);
			break;
		case FB_TRACE_LEAVE_FLAG:
			leave_flag(explanation, event->outcome);
			break;
		case FB_TRACE_ENTER_SEGMENT:
			(void) push_frame(explanation, NULL, event->segment);
			break;
		case FB_TRACE_LEAVE_SEGMENT:
			leave_segment(explanation);
			break;
		case FB_TRACE_KNOWN:
			explanation->frame->known = true;
			break;
		case FB_TRACE_EXCLUDED:
			note_list(explanation, event, "excluded", &event->segment->excluded);
			break;
		case FB_TRACE_INCLUDED:
			note_list(explanation, event, "included", &event->segment->included);
			break;
		case FB_TRACE_PREREQUISITE:
			enter_prerequisite(explanation, event);
			break;
		case FB_TRACE_PREREQUISITE_DONE:
			leave_prerequisite(explanation, event);
			break;
		case FB_TRACE_TARGET:
			note_target(explanation, event);
			break;
		case FB_TRACE_RULE:
			enter_rule(explanation, event);
			break;
		case FB_TRACE_WINDOW:
			fb_note_window(explanation, event);
			break;
		case FB_TRACE_CONDITION:
			explanation->frame->condition = fb_open_condition(explanation, event->condition);
			explanation->depth++;
			break;
		case FB_TRACE_CONDITION_DONE:
			fb_note_condition(explanation, event);
			break;
		case FB_TRACE_GATE:
			fb_note_gate(explanation, event);
			break;
		case FB_TRACE_RULE_DONE:
			leave_rule(explanation, event);
			break;
		case FB_TRACE_SERVE:
			fb_note_serve(explanation, event);
			break;
	}
}

/* Prepares an explanation, without steps so far. */
void
fb_explanation_start(FbExplanation *explanation, const FbSources *sources, const char *user_key, int64 now)
{
	memset(explanation, 0, sizeof(*explanation));
	explanation->tracer.note = note;
	explanation->sources = sources;
	explanation->user_key = user_key;
	explanation->now = now;
}
