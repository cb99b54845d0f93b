/*
 * featbit_condition.c
 *		Reads FeatBit's conditions: a property, an operator and a text.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "core/fb_dotnet.h"
#include "core/fb_dotnet_regex.h"
#include "flags/featbit.h"

#define IS_IN_SEGMENT		"User is in segment"
#define IS_NOT_IN_SEGMENT	"User is not in segment"

/* A condition that is being read. */
typedef struct Condition
{
	const FbPlace *place;
	const JsonbValue *source;
	FbString	property;
	FbString	op;
	FbString	value;			/* in UTF-8 */
	bool		has_op;
	bool		has_value;
} Condition;

/* Remembers where a part of the tree stands in the definition. */
static void
keep_source(FbReader *reader, const FbPlace *place, const JsonbValue *source, FbTree *tree)
{
	JsonbValue *copy;

	tree->is_featbit = true;
	if (!reader->keep_sources)
		return;
	copy = palloc(sizeof(JsonbValue));
	*copy = *source;
	tree->source = copy;
	tree->path = fb_place_text(place);
}

/* Makes a group of conditions. */
FbTree *
fb_featbit_group(FbReader *reader, const FbPlace *place, const JsonbValue *source, FbTreeKind kind, int children)
{
	FbTree	   *tree = palloc0(sizeof(FbTree));

	tree->kind = kind;
	tree->children = palloc(sizeof(FbTree *) * (children + 1));
	keep_source(reader, place, source, tree);
	return tree;
}

/* Adds a condition to a group. */
void
fb_featbit_add(FbTree *group, FbTree *child)
{
	group->children[group->child_count++] = child;
	child->parent = group;
}

/* Makes a leaf. */
static FbTree *
make_leaf(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *source, FbConditionKind kind)
{
	FbTree	   *tree = palloc0(sizeof(FbTree));

	tree->kind = FB_TREE_LEAF;
	tree->leaf.kind = kind;
	featbit->definition->leaf_count++;
	keep_source(featbit->reader, place, source, tree);
	return tree;
}

/* Makes a leaf that is met by nobody, because of what is wrong with it. */
static FbTree *
never(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *source, const char *why)
{
	FbTree	   *tree = make_leaf(featbit, place, source, FB_CONDITION_NEVER);

	fb_note(featbit->reader, place, "%s", why);
	tree->leaf.error = fb_arena_string(featbit->reader->arena, fb_string_of(why)).data;
	return tree;
}

/* Reads a list of strings into a set. */
static bool
read_list(FbReader *reader, FbString text, FbSet *set)
{
	FbJsonList	list;
	FbJsonItem	item = FB_JSON_NULL;
	FbString	string;
	char	   *buffer = palloc(text.length + 1);
	FbString   *strings = palloc(sizeof(FbString) * (text.length / 2 + 1));
	Size		total = 0;
	uint32		count = 0;
	uint32		i;

	memset(set, 0, sizeof(*set));
	if (!fb_json_list_open(&list, text))
		return false;
	while (item == FB_JSON_NULL || item == FB_JSON_STRING)
	{
		item = fb_json_list_next(&list, buffer, &string);
		if (item != FB_JSON_STRING)
			continue;
		strings[count].data = pnstrdup(string.data, string.length);
		strings[count++].length = string.length;
		total += string.length;
	}
	if (item == FB_JSON_BROKEN || count > FB_MAX_LIST)
		return false;
	if (count == 0)
		return true;
	fb_set_init(set, fb_arena_alloc(reader->arena, fb_set_size(count, total)), count);
	for (i = 0; i < count; i++)
		(void) fb_set_add(set, strings[i]);
	return true;
}

/* Returns how the meaning of a pattern, in UTF-8, may differ from .NET's; NULL: it does not, or it is no pattern. */
const char *
fb_featbit_pattern_note(FbString pattern)
{
	FbDotnetRegex translated;
	const char *note;

	fb_dotnet_regex(pattern, &translated);
	note = translated.error != NULL ? NULL : translated.note;
	free(translated.pattern);
	return note;
}

/* Compiles a pattern; gives why it is none. */
static const char *
read_pattern(FbReader *reader, FbString pattern, FbRegex **regex)
{
	FbRegex   **kept = fb_arena_pattern(reader->arena);
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32		offset;

	*kept = fb_regex_compile(pattern, FB_REGEX_DOTNET |
							 (GetDatabaseEncoding() == PG_SQL_ASCII ? 0 : FB_REGEX_TRUST_UTF8), message, &offset);
	if (*kept == NULL)
		return psprintf("invalid regular expression: %s", message);
	*regex = *kept;
	return NULL;
}

/* Warns of a pattern whose meaning may differ from what it means in FeatBit. */
static void
warn_of_pattern(FbReader *reader, const FbPlace *place, FbString pattern)
{
	const char *note = fb_featbit_pattern_note(pattern);

	if (note == NULL)
		return;
	fb_note(reader, place, "the regular expression may not mean what it means in FeatBit: %s", note);
	((FbNote *) llast(reader->notes))->warning = true;
}

/* Reads the value of a condition, in UTF-8, as its operator needs it; gives why it cannot be met. */
const char *
fb_read_featbit_operand(FbReader *reader, FbFeatbitOp op, FbString value, FbFeatbitOperand *operand)
{
	switch (fb_featbit_op_shape(op))
	{
		case FB_FEATBIT_NUMBER:
			if (!fb_dotnet_double(value, &operand->number))
				return "the value is not a number";
			break;
		case FB_FEATBIT_TEXT:
			operand->text = fb_arena_string(reader->arena, value);
			break;
		case FB_FEATBIT_PATTERN:
			return read_pattern(reader, value, &operand->regex);
		case FB_FEATBIT_LIST:
			if (!read_list(reader, value, &operand->list))
				return "the value is not a JSON array of strings";
			break;
		case FB_FEATBIT_NOTHING:
			break;
	}
	return NULL;
}

/* Reads a condition on a property. */
static FbTree *
read_property(FbFeatbitReader *featbit, const Condition *condition)
{
	FbReader   *reader = featbit->reader;
	int			op = condition->has_op ? fb_featbit_op_find(condition->op) : -1;
	FbFeatbitOperand *operand;
	FbProperty	property;
	const FbPath *path;
	const char *why = NULL;
	FbTree	   *tree;

	if (!condition->has_op)
		why = "the condition has no op";
	else if (op < 0)
		why = psprintf("unknown operator \"%s\"", fb_cstring(condition->op));
	else if (!condition->has_value)
		why = "the condition has no value";
	if (why != NULL)
		return never(featbit, condition->place, condition->source, why);
	operand = fb_arena_alloc(reader->arena, sizeof(FbFeatbitOperand));
	memset(operand, 0, sizeof(FbFeatbitOperand));
	fb_read_property(reader, condition->property, &property, &path);
	operand->property = property;
	operand->missing_is_empty = featbit->missing_is_empty;
	if (!reader->references_only)
		why = fb_read_featbit_operand(reader, op, condition->value, operand);
	if (why != NULL)
		return never(featbit, condition->place, condition->source, why);
	tree = make_leaf(featbit, condition->place, condition->source, FB_CONDITION_FEATBIT);
	if (reader->thorough && fb_featbit_op_shape(op) == FB_FEATBIT_PATTERN)
		warn_of_pattern(reader, condition->place, condition->value);
	tree->leaf.op = op;
	tree->leaf.path = path;
	tree->leaf.featbit = operand;
	return tree;
}

/* Tells whether a segment may have a key, in UTF-8: FeatBit's are GUIDs, and others beyond ASCII would need conversion. */
static bool
is_possible_key(FbString key)
{
	bool		any_character = GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;

	for (uint32 i = 0; i < key.length; i++)
		if ((unsigned char) key.data[i] < 0x20 || (IS_HIGHBIT_SET(key.data[i]) && !any_character))
			return false;
	return key.length > 0 && key.length <= FB_MAX_NAME;
}

/* Makes the leaf of one segment. */
static FbTree *
segment_leaf(FbFeatbitReader *featbit, const Condition *condition, FbString id, bool negated)
{
	FbTree	   *tree;
	char	   *path;

	if (!is_possible_key(id))
	{
		tree = never(featbit, condition->place, condition->source, "unknown segment");
		tree->leaf.op = negated;
		return tree;
	}
	tree = make_leaf(featbit, condition->place, condition->source, FB_CONDITION_SEGMENT);
	tree->leaf.op = negated;
	path = fb_place_text(condition->place);
	tree->reference = palloc0(sizeof(FbReference));
	tree->reference->to_segment = true;
	tree->reference->lenient = true;
	tree->reference->key = fb_cstring(id);
	tree->reference->path = path;
	featbit->definition->references = lappend(featbit->definition->references, tree->reference);
	return tree;
}

/* Reads a condition on segments: the user is in any of them, or in none. */
static FbTree *
read_segments(FbFeatbitReader *featbit, const Condition *condition, bool negated)
{
	FbTree	   *any;
	FbTree	   *not;
	FbJsonList	list;
	FbJsonItem	item = FB_JSON_NULL;
	FbString	id;
	char	   *buffer;

	if (!condition->has_value)
		return never(featbit, condition->place, condition->source, "the condition has no value");
	buffer = palloc(condition->value.length + 1);
	/* read to its end first: a broken list is no list */
	if (fb_json_list_open(&list, condition->value))
		while (item == FB_JSON_NULL || item == FB_JSON_STRING)
			item = fb_json_list_next(&list, buffer, &id);
	if (item != FB_JSON_END)
		return never(featbit, condition->place, condition->source, "the value is not a JSON array of strings");
	any = fb_featbit_group(featbit->reader, condition->place, condition->source, FB_TREE_ANY,
						   condition->value.length / 2 + 1);
	(void) fb_json_list_open(&list, condition->value);
	while ((item = fb_json_list_next(&list, buffer, &id)) != FB_JSON_END)
		if (item == FB_JSON_STRING)
			fb_featbit_add(any, segment_leaf(featbit, condition, id, negated));
	if (!negated)
		return any;
	not = fb_featbit_group(featbit->reader, condition->place, condition->source, FB_TREE_NOT, 1);
	fb_featbit_add(not, any);
	return not;
}

/* Reads one condition. */
static FbTree *
read_condition(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *source)
{
	Condition	condition = {place, source};
	JsonbValue	member;
	FbString	text;

	if (!fb_json_is_object(source))
		return never(featbit, place, source, psprintf("%s must be an object, not %s", fb_place_text(place),
													  fb_json_text(source)));
	condition.property = (FbString) {"", 0};
	(void) fb_json_string(fb_json_find(source, "property", &member), &condition.property);
	condition.has_op = fb_json_string(fb_json_find(source, "op", &member), &condition.op);
	condition.has_value = fb_json_string(fb_json_find(source, "value", &member), &text);
	if (condition.has_value)
		condition.value = fb_utf8(text);
	if (featbit->definition->flag != NULL && fb_string_equal(condition.property, fb_string_of(IS_IN_SEGMENT)))
		return read_segments(featbit, &condition, false);
	if (featbit->definition->flag != NULL && fb_string_equal(condition.property, fb_string_of(IS_NOT_IN_SEGMENT)))
		return read_segments(featbit, &condition, true);
	return read_property(featbit, &condition);
}

/* Reads the conditions of a rule, which must all be met; where they are no array, it is met by nobody. */
FbTree *
fb_read_featbit_conditions(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *value)
{
	FbElements	elements;
	JsonbValue	null = {.type = jbvNull};
	JsonbValue	item;
	FbTree	   *all;

	if (value == NULL)
		value = &null;
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		!fb_json_array(featbit->reader, place, value, &elements))
		return never(featbit, place, value, psprintf("%s must be an array, not %s", fb_place_text(place),
													 fb_json_text(value)));
	all = fb_featbit_group(featbit->reader, place, value, FB_TREE_ALL, elements.count);
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {place, NULL, elements.position};

		fb_featbit_add(all, read_condition(featbit, &element, &item));
	}
	return all;
}
