/*
 * trace.c
 *		Turns what an evaluation notes into readable steps.
 *
 * The evaluator decides; here is only written down what it did.  What it did
 * not look at is derived from what it did: conditions are tested in the order
 * in which they are written, and so are prerequisites, targets and rules.
 */
#include "postgres.h"

#include <inttypes.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "flags/definition.h"
#include "flags/evaluation.h"
#include "flags/explain.h"

#define SHOWN_TEXT 80			/* bytes of a value or list that a step shows */

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

	if (length <= SHOWN_TEXT)
		return text;
	length = pg_mbcliplen(text, length, SHOWN_TEXT - 3);
	return psprintf("%.*s...", length, text);
}

/* Returns a string in the server's encoding from one that was hashed, which is UTF-8. */
static const char *
hashed_text(FbString string)
{
	char	   *text = fb_cstring(string);

	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return text;
	return pg_any_to_server(text, string.length, PG_UTF8);
}

/* Returns a time as a definition writes it, in UTC. */
static const char *
time_text(int64 time)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (timestamp2tm(time, NULL, &tm, &fraction, NULL, NULL) != 0)
		return "a time that is out of range";
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
					tm.tm_sec);
}

/* Returns the names of an outcome that is known. */
static const char *
met_text(bool met, const char *error)
{
	return error != NULL ? "error" : met ? "met" : "not met";
}

/* Returns a member of a JSON object; false when there is none. */
static bool
json_member(const JsonbValue *object, const char *name, JsonbValue *member)
{
	JsonbValue *found = NULL;

	if (object->type == jbvBinary && JsonContainerIsObject(object->val.binary.data))
		found = getKeyJsonValueFromContainer(object->val.binary.data, name, strlen(name), NULL);
	if (found != NULL)
		*member = *found;
	return found != NULL;
}

/* Returns an element of a column that holds a JSON array; false when there is none. */
static bool
json_element(Jsonb *column, uint32 position, JsonbValue *element)
{
	JsonbValue *found = NULL;

	if (column != NULL && JB_ROOT_IS_ARRAY(column) && !JB_ROOT_IS_SCALAR(column))
		found = getIthJsonbValueFromContainer(&column->root, position);
	if (found != NULL)
		*element = *found;
	return found != NULL;
}

/* Returns a member of an object as JSON text; NULL when there is none. */
static const char *
member_text(const JsonbValue *object, const char *name)
{
	JsonbValue	member;

	return json_member(object, name, &member) ? fb_json_text(&member) : NULL;
}

/* Returns an attribute as JSON text. */
static const char *
value_text(const FbValue *value)
{
	JsonbValue	json;

	switch (value->kind)
	{
		case FB_VALUE_NULL:
			json.type = jbvNull;
			break;
		case FB_VALUE_BOOLEAN:
			json.type = jbvBool;
			json.val.boolean = value->boolean;
			break;
		case FB_VALUE_NUMBER:
			json.type = jbvNumeric;
			json.val.numeric = (Numeric) unconstify(void *, value->exact);
			break;
		case FB_VALUE_STRING:
			json.type = jbvString;
			json.val.string.val = unconstify(char *, value->string.data);
			json.val.string.len = value->string.length;
			break;
		case FB_VALUE_ARRAY:
		case FB_VALUE_OBJECT:
			json.type = jbvBinary;
			json.val.binary.data = unconstify(void *, value->array);
			json.val.binary.len = SHOWN_TEXT;
			break;
	}
	return fb_json_text(&json);
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

/* Returns the whole condition that a part belongs to. */
static const FbTree *
whole_condition(const FbTree *tree)
{
	while (tree->parent != NULL)
		tree = tree->parent;
	return tree;
}

/* Tells why a condition was not tested after another one of the same whole. */
static const char *
skipped_because(const FbTree *tested, const FbTree *skipped)
{
	const FbTree *group;
	const FbTree *up;

	for (group = skipped->parent; group != NULL; group = group->parent)
		for (up = tested->parent; up != NULL; up = up->parent)
			if (up == group)
				return psprintf("%s.%s is already %s", group->path, group->kind == FB_TREE_ALL ? "all" : "any",
								group->kind == FB_TREE_ALL ? "not met" : "met");
	return NULL;
}

/* Tells whether a condition counts the other way round because it stands in an odd number of nots. */
static bool
is_inverted(const FbTree *tree)
{
	bool		inverted = false;

	for (; tree != NULL; tree = tree->parent)
		inverted ^= tree->kind == FB_TREE_NOT;
	return inverted;
}

/* Adds the step of a condition, with what it asks for. */
static FbStep *
add_condition(FbExplanation *explanation, const FbTree *tree)
{
	const JsonbValue *source = tree->source;
	FbStep	   *step = fb_add_step(explanation, "condition", tree->path);
	const char *attribute = member_text(source, "attribute");
	JsonbValue	op;

	if (attribute != NULL)
	{
		if (json_member(source, "op", &op) && op.type == jbvString)
			attribute = psprintf("attribute %s %.*s", attribute, op.val.string.len, op.val.string.val);
		step->description = attribute;
		step->expected = member_text(source, "value");
	}
	else if (member_text(source, "segment") != NULL)
	{
		step->what = "segment";
		step->description = psprintf("segment %s", member_text(source, "segment"));
		step->expected = "member";
	}
	else if (member_text(source, "flag") != NULL)
	{
		step->what = "flag condition";
		step->description = psprintf("flag %s serves one of", member_text(source, "flag"));
		step->expected = member_text(source, "variations");
	}
	else
		step->description = fb_json_text(source);
	if (is_inverted(tree))
		step->description = psprintf("not: %s", step->description);
	return step;
}

/* Adds the conditions up to a position, which were skipped. */
static void
skip_leaves(FbExplanation *explanation, uint32 until)
{
	FbFrame    *frame = explanation->frame;

	for (; frame->leaves < until; frame->leaves++)
	{
		const FbTree *tree = frame->definition->leaves[frame->leaves];
		FbStep	   *step = add_condition(explanation, tree);

		CHECK_FOR_INTERRUPTS();
		step->outcome = "skipped";
		if (frame->failed)
			step->reason = "the condition before ended in an error";
		else if (frame->last != NULL)
			step->reason = skipped_because(frame->last, tree);
		else
			step->reason = frame->decided;
	}
}

/* Adds what is left of the conditions of a whole. */
static void
skip_rest(FbExplanation *explanation, const FbTree *whole)
{
	const FbFrame *frame = explanation->frame;
	const FbDefinition *definition = frame->definition;
	uint32		until = frame->leaves;

	if (whole == NULL || definition->leaves == NULL)
		return;
	while (until < definition->leaf_count && whole_condition(definition->leaves[until]) == whole)
		until++;
	skip_leaves(explanation, until);
}

/* Returns the condition of the rule that is being looked at; NULL for none. */
static const FbTree *
rule_condition(const FbFrame *frame)
{
	return frame->definition->conditions == NULL ? NULL : frame->definition->conditions[frame->rules - 1];
}

/* Opens the step of a condition. */
static FbStep *
open_condition(FbExplanation *explanation, const FbCondition *condition)
{
	FbFrame    *frame = explanation->frame;
	const FbDefinition *definition = frame->definition;
	const FbCondition *all = definition->flag != NULL ? definition->flag->conditions : definition->segment->conditions;

	skip_leaves(explanation, condition - all);
	frame->last = definition->leaves[frame->leaves++];
	return add_condition(explanation, frame->last);
}

/* Returns the key of the variation that a flag was found to serve; NULL for none. */
static const char *
served_by(const FbFlagReference *reference)
{
	const FbFlag *flag = reference->flag;

	if (flag == NULL || flag->memo.variation == NULL)
		return NULL;
	return flag->memo.variation->key.data;
}

/* Explains a reference to another flag. */
static void
close_reference(FbStep *step, const FbFlagReference *reference, bool met, const char *error, bool known)
{
	step->actual = served_by(reference);
	step->outcome = met_text(met, error);
	if (error != NULL)
		step->reason = pstrdup(error);
	else if (reference->flag == NULL)
		step->reason = "there is no such flag";
	else if (known)
		step->reason = "the flag was evaluated before";
	else if (step->actual == NULL)
		step->reason = reference->flag->archived ? "the flag is archived" : !reference->flag->enabled ?
			"the flag is disabled" : "the flag serves nothing that can meet a reference";
}

/* Notes the result of a condition. */
static void
note_condition(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	const FbCondition *condition = event->condition;
	FbStep	   *step = frame->condition;

	if (step != NULL)
		explanation->depth--;
	else
		step = open_condition(explanation, condition);
	frame->condition = NULL;
	frame->failed = event->error != NULL;
	step->outcome = met_text(event->met, event->error);
	if (event->error != NULL)
		step->reason = pstrdup(event->error);
	if (condition->kind == FB_CONDITION_ATTRIBUTE)
	{
		if (event->value == NULL)
			step->reason = "the attribute is missing";
		else
			step->actual = value_text(event->value);
		if (event->value != NULL && event->value->kind == FB_VALUE_NULL && !fb_operators[condition->op].sees_null)
			step->reason = "null counts as missing";
	}
	else if (condition->kind == FB_CONDITION_SEGMENT && event->error == NULL)
	{
		step->actual = event->met ? "member" : "no member";
		if (frame->known)
			step->reason = "the segment was evaluated before";
	}
	else if (condition->kind == FB_CONDITION_FLAG)
		close_reference(step, condition->reference, event->met, event->error, frame->known);
	frame->known = false;
}

/* Enters a flag. */
static void
enter_flag(FbExplanation *explanation, const FbFlag *flag)
{
	static const char *const types[] = {"boolean", "string", "number", "json"};
	FbStep	   *step = fb_add_step(explanation, "flag", NULL);
	FbFrame    *frame = push_frame(explanation, flag, NULL);

	explanation->depth++;
	step->description = psprintf("flag \"%s\", %s, revision " INT64_FORMAT,
								 flag->info.key.data == NULL ? "" : flag->info.key.data,
								 types[flag->info.type], flag->info.revision);
	step->expected = "enabled";
	step->actual = flag->archived ? "archived" : flag->enabled ? "enabled" : "disabled";
	step->outcome = met_text(flag->enabled && !flag->archived, flag->error);
	if (flag->error != NULL)
		step->reason = pstrdup(flag->error);
	if (step->outcome[0] != 'm')
		frame->decided = flag->error != NULL ? "the flag is broken" : psprintf("the flag is %s", step->actual);
}

/* Describes a target. */
static void
describe_target(const FbFrame *frame, FbStep *step, uint32 position)
{
	const FbTarget *target = &frame->definition->flag->targets[position];
	JsonbValue	source;

	if (json_element(frame->definition->flag_row->targets, position, &source))
		step->expected = member_text(&source, "users");
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
}

/* Describes a prerequisite. */
static void
describe_prerequisite(const FbFrame *frame, FbStep *step, uint32 position)
{
	const FbFlagReference *reference = &frame->definition->flag->prerequisites[position];
	JsonbValue	source;

	if (reference->key.data != NULL)
		step->description = psprintf("flag \"%s\" serves one of", reference->key.data);
	if (json_element(frame->definition->flag_row->prerequisites, position, &source))
		step->expected = member_text(&source, "variations");
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
	step->outcome = met_text(event->met, NULL);
}

/* Leaves a segment. */
static void
leave_segment(FbExplanation *explanation)
{
	const FbDefinition *definition = explanation->frame->definition;

	if (definition != NULL && definition->condition_count > 0)
		skip_rest(explanation, definition->conditions[0]);
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
	skip_rest(explanation, rule_condition(frame));
	explanation->depth--;
	frame->decided = NULL;
	step->outcome = met_text(event->met, event->error);
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

/* Notes whether the time is within the window of a rule. */
static void
note_window(FbExplanation *explanation, const FbTraceEvent *event)
{
	const FbRule *rule = event->rule;
	FbFrame    *frame = explanation->frame;
	FbStep	   *step;

	if (rule->from == PG_INT64_MIN && rule->until == PG_INT64_MAX)
		return;
	step = fb_add_step(explanation, "window", frame->rule->path);
	step->description = "time of the evaluation";
	if (rule->from == PG_INT64_MIN)
		step->expected = psprintf("until %s", time_text(rule->until));
	else if (rule->until == PG_INT64_MAX)
		step->expected = psprintf("from %s", time_text(rule->from));
	else
		step->expected = psprintf("from %s until %s", time_text(rule->from), time_text(rule->until));
	step->actual = time_text(explanation->now);
	step->outcome = met_text(event->met, NULL);
	if (!event->met)
		frame->decided = psprintf("the time is %s", explanation->now < rule->from ? "before from" : "not before until");
}

/* Describes what is hashed and under which salt. */
static const char *
describe_hash(const FbServe *serve, const JsonbValue *source, const char *salt)
{
	const char *by = NULL;

	if (serve->by != NULL && source != NULL)
		by = member_text(source, "by");
	if (by != NULL)
		return psprintf("hash of attribute %s, %s", by, salt);
	return psprintf("hash of the user key, %s", salt);
}

/* Returns the salt of the frame's flag. */
static const char *
flag_salt(const FbFrame *frame)
{
	const FbFlagRow *row = frame->definition->flag_row;

	return row->salt != NULL ? row->salt : row->key;
}

/* Finds the JSON of a serve: that of a rule, or the fallthrough. */
static bool
serve_source(const FbFrame *frame, bool of_rule, JsonbValue *source)
{
	const FbFlagRow *row = frame->definition->flag_row;
	JsonbValue	rule;

	if (of_rule)
		return json_element(row->rules, frame->rules - 1, &rule) && json_member(&rule, "serve", source);
	if (row->fallthrough == NULL)
		return false;
	fb_json_root(row->fallthrough, source);
	return true;
}

/* Notes the percentage of a rule. */
static void
note_gate(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	const FbRule *rule = event->rule;
	FbStep	   *step;
	JsonbValue	source;
	bool		found = serve_source(frame, true, &source);

	skip_rest(explanation, rule_condition(frame));
	step = fb_add_step(explanation, "percentage", psprintf("%s.percentage", frame->rule->path));
	step->description = describe_hash(&rule->serve, found ? &source : NULL,
									  psprintf("salt \"%s\" with the id of the rule", flag_salt(frame)));
	step->expected = psprintf("%g %%", rule->gate / (FB_GATE_SLOTS / 100.0));
	step->outcome = met_text(event->met, event->error);
	if (event->error != NULL)
	{
		step->reason = pstrdup(event->error);
		return;
	}
	step->hash_input = hashed_text(event->unit);
	step->seed = psprintf("%016" PRIx64, rule->gate_seed);
	step->bucket = event->bucket;
	step->range = rule->gate == 0 ? psprintf("none of %u", FB_GATE_SLOTS) :
		psprintf("0-%u of %u", rule->gate - 1, FB_GATE_SLOTS);
	step->actual = psprintf("%g %%", event->bucket / (FB_GATE_SLOTS / 100.0));
}

/* Returns the buckets that an arm of a split takes. */
static const char *
arm_range(const FbSplit *split, uint32 bucket)
{
	uint32		lower = 0;
	uint32		arm = 0;

	while (split->arms[arm].upper <= bucket)
		lower = split->arms[arm++].upper;
	return psprintf("%u-%u of %u", lower, split->arms[arm].upper - 1, split->total_weight);
}

/* Notes which stage of a ramp is in force. */
static void
note_stage(FbExplanation *explanation, const FbServe *serve, const char *path, uint32 stage)
{
	FbStep	   *step = fb_add_step(explanation, "stage", psprintf("%s.ramp[%u]", path, stage));
	int64		at = serve->stages[stage].at;

	step->description = "latest stage that has begun";
	step->expected = psprintf("from %s", time_text(at));
	step->actual = time_text(explanation->now);
	step->outcome = "met";
	if (explanation->now < at)
		step->reason = "none has begun: the first is in force";
}

/* Notes what is served. */
static void
note_serve(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	const FbServe *serve = event->serve;
	const FbOutcome *outcome = event->outcome;
	bool		of_rule = event->rule != NULL;
	const char *path = of_rule ? psprintf("%s.serve", frame->rule->path) : "fallthrough";
	bool		ramp;
	JsonbValue	source = {.type = jbvNull};
	JsonbValue	member;
	const char *salt;
	FbStep	   *step;

	(void) serve_source(frame, of_rule, &source);
	ramp = json_member(&source, "ramp", &member);
	explanation->depth += of_rule;
	if (!of_rule)
		frame->fallthrough = true;
	if (serve->kind == FB_SERVE_SPLIT && ramp)
		note_stage(explanation, serve, path, event->stage);
	step = fb_add_step(explanation, serve->kind == FB_SERVE_VARIATION ? "variation" : "split", path);
	explanation->depth -= of_rule;
	step->outcome = "served";
	if (outcome->reason == FB_REASON_ERROR)
	{
		step->outcome = "error";
		step->reason = pstrdup(outcome->error_message);
		return;
	}
	step->actual = outcome->variation->key.data;
	if (serve->kind == FB_SERVE_VARIATION)
	{
		step->path = psprintf("%s.variation", path);
		return;
	}
	step->path = ramp ? psprintf("%s.ramp[%u].split", path, event->stage) : psprintf("%s.split", path);
	salt = member_text(&source, "salt");
	salt = salt != NULL ? psprintf("salt %s", salt) : psprintf("salt \"%s\"", flag_salt(frame));
	if (frame->definition->flag->info.iteration > 0)
		salt = psprintf("%s, iteration %d", salt, frame->definition->flag->info.iteration);
	step->description = describe_hash(serve, &source, salt);
	step->hash_input = hashed_text(outcome->unit_key);
	step->seed = psprintf("%016" PRIx64, serve->seed);
	step->bucket = outcome->bucket;
	step->range = arm_range(&serve->stages[event->stage].split, outcome->bucket);
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
	step->outcome = met_text(event->met, event->error);
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
	close_reference(frame->opened, event->reference, event->met, event->error, frame->known);
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
			note_window(explanation, event);
			break;
		case FB_TRACE_CONDITION:
			explanation->frame->condition = open_condition(explanation, event->condition);
			explanation->depth++;
			break;
		case FB_TRACE_CONDITION_DONE:
			note_condition(explanation, event);
			break;
		case FB_TRACE_GATE:
			note_gate(explanation, event);
			break;
		case FB_TRACE_RULE_DONE:
			leave_rule(explanation, event);
			break;
		case FB_TRACE_SERVE:
			note_serve(explanation, event);
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
