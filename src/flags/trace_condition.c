/*
 * trace_condition.c
 *		The steps of conditions: what was asked for, what was found, and why a
 *		condition was not tested.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/numeric.h"

#include "flags/trace.h"

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
			json.val.numeric = value->exact != NULL ? (Numeric) unconstify(void *, value->exact) :
				int64_to_numeric((int64) value->number);
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
			json.val.binary.len = FB_SHOWN_TEXT;
			break;
	}
	return fb_json_text(&json);
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
			if (up == group && group->is_featbit)
				return psprintf("%s is already %s", group->path, group->kind == FB_TREE_ALL ? "not met" : "met");
			else if (up == group)
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

/* Describes a condition of FeatBit's. */
static void
describe_featbit(const FbTree *tree, FbStep *step)
{
	const char *property = fb_json_member_text(tree->source, "property");
	JsonbValue	op;

	if (tree->reference != NULL)
	{
		step->what = "segment";
		step->description = psprintf("segment \"%s\"", tree->reference->key);
		step->expected = "member";
		return;
	}
	step->description = psprintf("property %s", property == NULL ? "\"\"" : property);
	if (fb_json_member(tree->source, "op", &op) && op.type == jbvString)
		step->description = psprintf("%s %.*s", step->description, op.val.string.len, op.val.string.val);
	step->expected = fb_json_member_text(tree->source, "value");
}

/* Adds the step of a condition, with what it asks for. */
static FbStep *
add_condition(FbExplanation *explanation, const FbTree *tree)
{
	const JsonbValue *source = tree->source;
	FbStep	   *step = fb_add_step(explanation, "condition", tree->path);
	const char *attribute = fb_json_member_text(source, "attribute");
	JsonbValue	op;

	if (tree->is_featbit)
		describe_featbit(tree, step);
	else if (attribute != NULL)
	{
		if (fb_json_member(source, "op", &op) && op.type == jbvString)
			attribute = psprintf("attribute %s %.*s", attribute, op.val.string.len, op.val.string.val);
		step->description = attribute;
		step->expected = fb_json_member_text(source, "value");
	}
	else if (fb_json_member_text(source, "segment") != NULL)
	{
		step->what = "segment";
		step->description = psprintf("segment %s", fb_json_member_text(source, "segment"));
		step->expected = "member";
	}
	else if (fb_json_member_text(source, "flag") != NULL)
	{
		step->what = "flag condition";
		step->description = psprintf("flag %s serves one of", fb_json_member_text(source, "flag"));
		step->expected = fb_json_member_text(source, "variations");
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
void
fb_skip_rest(FbExplanation *explanation, const FbTree *whole)
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
const FbTree *
fb_rule_condition(const FbFrame *frame)
{
	return frame->definition->conditions == NULL ? NULL : frame->definition->conditions[frame->rules - 1];
}

/* Opens the step of a condition. */
FbStep *
fb_open_condition(FbExplanation *explanation, const FbCondition *condition)
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
void
fb_close_reference(FbStep *step, const FbFlagReference *reference, bool met, const char *error, bool known)
{
	step->actual = served_by(reference);
	step->outcome = fb_met_text(met, error);
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
void
fb_note_condition(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	const FbCondition *condition = event->condition;
	FbStep	   *step = frame->condition;

	if (step != NULL)
		explanation->depth--;
	else
		step = fb_open_condition(explanation, condition);
	frame->condition = NULL;
	frame->failed = event->error != NULL;
	step->outcome = fb_met_text(event->met, event->error);
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
	else if (condition->kind == FB_CONDITION_FEATBIT)
	{
		const FbFeatbitOperand *operand = condition->featbit;

		if (event->value != NULL)
			step->actual = value_text(event->value);
		if (event->value != NULL && event->value->kind < FB_VALUE_ARRAY && event->value->kind != FB_VALUE_NULL)
			 /* it has a text */ ;
		else if (operand->property == FB_PROPERTY_NAME)
			step->reason = "the user has no name: nothing is met";
		else if (operand->missing_is_empty || (event->value != NULL && event->value->kind == FB_VALUE_NULL))
			step->reason = "the user does not have it: it is the empty string";
		else
			step->reason = "the user does not have it: nothing is met";
	}
	else if (condition->kind == FB_CONDITION_NEVER)
		step->reason = pstrdup(condition->error);
	else if (condition->kind == FB_CONDITION_SEGMENT && event->error == NULL)
	{
		step->actual = event->met ? "member" : "no member";
		if (frame->known)
			step->reason = "the segment was evaluated before";
	}
	else if (condition->kind == FB_CONDITION_FLAG)
		fb_close_reference(step, condition->reference, event->met, event->error, frame->known);
	frame->known = false;
}
