/*
 * condition.c
 *		Reads conditions: all, any, not, segment, flag, and attribute with operator.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "fb_suggest.h"
#include "flags/definition.h"

/* Names that other systems use for our operators. */
static const struct
{
	const char *foreign;
	const char *ours;
}			operator_synonyms[] = {
	{"=", "eq"},
	{"==", "eq"},
	{"equals", "eq"},
	{"equal", "eq"},
	{"is", "eq"},
	{"!=", "ne"},
	{"<>", "ne"},
	{"not_equals", "ne"},
	{"neq", "ne"},
	{"is_not", "ne"},
	{"in", "one_of"},
	{"any_of", "one_of"},
	{"not_in", "not_one_of"},
	{"none_of", "not_one_of"},
	{"includes", "contains"},
	{"prefix", "starts_with"},
	{"suffix", "ends_with"},
	{"regex", "matches"},
	{"regexp", "matches"},
	{"~", "matches"},
	{"<", "lt"},
	{"less_than", "lt"},
	{"<=", "le"},
	{"lte", "le"},
	{">", "gt"},
	{"greater_than", "gt"},
	{">=", "ge"},
	{"gte", "ge"},
	{"is_set", "exists"},
	{"present", "exists"},
	{"icontains", "contains_ci"},
	{"equals_ignore_case", "eq_ci"},
	{"date_before", "before"},
	{"is_date_before", "before"},
	{"date_after", "after"},
	{"is_date_after", "after"},
	{"version_eq", "semver_eq"},
	{"semver_equal", "semver_eq"},
	{"semver_neq", "semver_ne"},
	{"version_ne", "semver_ne"},
	{"semver_lte", "semver_le"},
	{"semver_gte", "semver_ge"},
	{"semver", "semver_in"},
	{"semver_range", "semver_in"},
	{"semver_tilde", "semver_in"},
	{"semver_caret", "semver_in"},
	{"semver_wildcard", "semver_in"},
	{"^", "semver_in"},
	{"cidr", "in_cidr"},
	{"ip_in", "in_cidr"},
	{"in_subnet", "in_cidr"},
	{"array_contains", "array_contains_any"},
	{"%", "modulo"},
	{"mod", "modulo"},
	{"true", "is_true"},
	{"false", "is_false"},
	{"null", "is_null"}
};

/* What a condition consists of; the order is that of the fields in read_at. */
enum
{
	FIELD_ALL,
	FIELD_ANY,
	FIELD_NOT,
	FIELD_SEGMENT,
	FIELD_FLAG,
	FIELD_ATTRIBUTE,
	FIELD_OP,
	FIELD_VALUE,
	FIELD_VARIATIONS,
	FIELD_COUNT
};

static FbTree *read_at(FbReader *reader, FbDefinition *definition, const FbPlace *place,
					   const JsonbValue *value, int level);

/* Makes a leaf of the given kind. */
static FbTree *
make_leaf(FbDefinition *definition, FbConditionKind kind)
{
	FbTree	   *tree = palloc0(sizeof(FbTree));

	tree->kind = FB_TREE_LEAF;
	tree->leaf.kind = kind;
	definition->leaf_count++;
	return tree;
}

/* Makes the leaf that stands for a broken condition. */
static FbTree *
broken_leaf(FbReader *reader, FbDefinition *definition)
{
	FbTree	   *tree = make_leaf(definition, FB_CONDITION_ERROR);

	tree->leaf.error = fb_take_defect(reader);
	return tree;
}

/* Reports an operator that does not exist. */
static void
unknown_operator(FbReader *reader, const FbPlace *place, FbString name)
{
	FbSuggestion suggestion;
	StringInfoData legal;
	char	   *text = fb_cstring(name);
	int			i;

	fb_suggest_start(&suggestion, text);
	initStringInfo(&legal);
	appendStringInfoString(&legal, "Operators are ");
	for (i = 0; i < FB_OPERATOR_COUNT; i++)
	{
		fb_suggest_offer(&suggestion, fb_operators[i].name);
		if (i > 0)
			appendStringInfoString(&legal, i == FB_OPERATOR_COUNT - 1 ? " and " : ", ");
		appendStringInfoString(&legal, fb_operators[i].name);
	}
	appendStringInfoChar(&legal, '.');
	for (i = 0; i < FB_OPERATOR_COUNT; i++)
		if (pg_strcasecmp(fb_operators[i].name, text) == 0)
			suggestion.best = fb_operators[i].name;
	for (i = 0; i < (int) lengthof(operator_synonyms); i++)
		if (pg_strcasecmp(operator_synonyms[i].foreign, text) == 0)
			suggestion.best = operator_synonyms[i].ours;
	(void) fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, fb_suggest_hint(&suggestion, legal.data),
					 "invalid operator \"%s\" in %s", text, fb_place_text(place));
}

/* Reads a condition on an attribute. */
static FbTree *
read_attribute(FbReader *reader, FbDefinition *definition, const FbPlace *place, FbField *fields)
{
	FbPlace		path_place = {place, "attribute", 0};
	FbPlace		op_place = {place, "op", 0};
	const FbPath *path = fb_read_path(reader, &path_place, &fields[FIELD_ATTRIBUTE].value);
	const FbOperand *operand;
	FbString	name;
	FbTree	   *tree;
	int			op;

	if (path == NULL || !fb_read_string(reader, &op_place, &fields[FIELD_OP].value, &name))
		return NULL;
	op = fb_operator_find(name.data, name.length);
	if (op < 0)
	{
		unknown_operator(reader, &op_place, name);
		return NULL;
	}
	operand = fb_read_operand(reader, place, op, &fields[FIELD_VALUE]);
	if (operand == NULL)
		return NULL;
	tree = make_leaf(definition, FB_CONDITION_ATTRIBUTE);
	tree->leaf.op = op;
	tree->leaf.path = path;
	tree->leaf.operand = operand;
	return tree;
}

/* Reads a condition on a segment. */
static FbTree *
read_segment(FbReader *reader, FbDefinition *definition, const FbPlace *place, FbField *field)
{
	FbPlace		key_place = {place, "segment", 0};
	FbString	key;
	FbTree	   *tree;

	if (!fb_read_name(reader, &key_place, &field->value, &key))
		return NULL;
	tree = make_leaf(definition, FB_CONDITION_SEGMENT);
	tree->reference = palloc0(sizeof(FbReference));
	tree->reference->to_segment = true;
	tree->reference->key = fb_cstring(key);
	tree->reference->path = fb_place_text(place);
	definition->references = lappend(definition->references, tree->reference);
	return tree;
}

/* Reads {"flag": ..., "variations": [...]}; NULL when it is broken. */
FbReference *
fb_read_flag_reference(FbReader *reader, const FbPlace *place, FbField *flag, FbField *variations)
{
	FbPlace		key_place = {place, "flag", 0};
	FbPlace		list_place = {place, "variations", 0};
	FbReference *reference;
	FbElements	elements;
	JsonbValue	item;
	FbString	key;

	if (!fb_read_name(reader, &key_place, &flag->value, &key) ||
		!fb_open_array(reader, &list_place, &variations->value, &elements))
		return NULL;
	if (elements.count == 0)
	{
		(void) fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must name at least one variation",
						 fb_place_text(&list_place));
		return NULL;
	}
	reference = palloc0(sizeof(FbReference));
	reference->key = fb_cstring(key);
	reference->path = fb_place_text(place);
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&list_place, NULL, elements.position};
		FbString	variation;

		if (!fb_read_name(reader, &element, &item, &variation))
			return NULL;
		reference->variations = lappend(reference->variations, fb_cstring(variation));
	}
	return reference;
}

/* Reads a condition on another flag; segments must not have one. */
static FbTree *
read_flag(FbReader *reader, FbDefinition *definition, const FbPlace *place, FbField *fields)
{
	FbReference *reference;
	FbTree	   *tree;

	if (definition->segment != NULL)
	{
		(void) fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
						 "Put the condition on the flag into the rule that uses the segment.",
						 "a segment must not refer to a flag, but %s does", fb_place_text(place));
		return NULL;
	}
	reference = fb_read_flag_reference(reader, place, &fields[FIELD_FLAG], &fields[FIELD_VARIATIONS]);
	if (reference == NULL)
		return NULL;
	tree = make_leaf(definition, FB_CONDITION_FLAG);
	tree->reference = reference;
	definition->references = lappend(definition->references, reference);
	return tree;
}

/* Reads all, any or not. */
static FbTree *
read_group(FbReader *reader, FbDefinition *definition, const FbPlace *place, FbField *field, FbTreeKind kind,
		   int level)
{
	FbPlace		list_place = {place, field->name, 0};
	FbTree	   *tree = palloc0(sizeof(FbTree));
	FbElements	elements;
	JsonbValue	item;

	tree->kind = kind;
	if (kind == FB_TREE_NOT)
	{
		tree->children = palloc(sizeof(FbTree *));
		tree->children[tree->child_count++] = read_at(reader, definition, &list_place, &field->value, level + 1);
		tree->children[0]->parent = tree;
		return tree;
	}
	if (!fb_open_array(reader, &list_place, &field->value, &elements))
		return NULL;
	tree->children = palloc(sizeof(FbTree *) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&list_place, NULL, elements.position};

		tree->children[tree->child_count] = read_at(reader, definition, &element, &item, level + 1);
		tree->children[tree->child_count++]->parent = tree;
	}
	return tree;
}

/* Checks that a condition is one thing, with the keys that belong to it. */
static bool
check_fields(FbReader *reader, const FbPlace *place, const FbField *fields, int *kind)
{
	int			i;
	int			kinds = 0;
	bool		attribute;

	for (i = FIELD_ALL; i <= FIELD_ATTRIBUTE; i++)
		if (fields[i].present)
		{
			*kind = i;
			kinds++;
		}
	if (kinds != 1)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
						 "%s must have exactly one of \"all\", \"any\", \"not\", \"segment\", \"flag\" and \"attribute\", not %s",
						 fb_place_text(place), kinds == 0 ? "none" : "several");
	attribute = *kind == FIELD_ATTRIBUTE;
	if (attribute && !fields[FIELD_OP].present)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s has no \"op\"", fb_place_text(place));
	if (*kind == FIELD_FLAG && !fields[FIELD_VARIATIONS].present)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s has no \"variations\"",
						 fb_place_text(place));
	for (i = FIELD_OP; i < FIELD_COUNT; i++)
		if (fields[i].present && !(attribute && i != FIELD_VARIATIONS) &&
			!(*kind == FIELD_FLAG && i == FIELD_VARIATIONS))
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "\"%s\" does not belong beside \"%s\" in %s",
							 fields[i].name, fields[*kind].name, fb_place_text(place));
	return true;
}

/* Reports conditions that are nested too deep, at the rule that they belong to. */
static void
too_deep(FbReader *reader, const FbPlace *place)
{
	while (place->parent != NULL && place->parent->parent != NULL)
		place = place->parent;
	(void) fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL,
					 "conditions are nested more than %d levels deep in %s", FB_MAX_NESTING,
					 fb_place_text(place));
}

/* Reads a condition at a level of nesting. */
static FbTree *
read_at(FbReader *reader, FbDefinition *definition, const FbPlace *place, const JsonbValue *value, int level)
{
	FbField		fields[FIELD_COUNT] = {
		[FIELD_ALL] = {"all"},
		[FIELD_ANY] = {"any"},
		[FIELD_NOT] = {"not"},
		[FIELD_SEGMENT] = {"segment"},
		[FIELD_FLAG] = {"flag"},
		[FIELD_ATTRIBUTE] = {"attribute"},
		[FIELD_OP] = {"op"},
		[FIELD_VALUE] = {"value"},
		[FIELD_VARIATIONS] = {"variations"}
	};
	FbTree	   *tree = NULL;
	int			kind = FIELD_ALL;

	if (level > FB_MAX_NESTING)
		too_deep(reader, place);
	else if (fb_read_object(reader, place, value, fields, FIELD_COUNT) &&
			 check_fields(reader, place, fields, &kind))
	{
		if (kind == FIELD_SEGMENT)
			tree = read_segment(reader, definition, place, &fields[kind]);
		else if (kind == FIELD_FLAG)
			tree = read_flag(reader, definition, place, fields);
		else if (kind == FIELD_ATTRIBUTE)
			tree = read_attribute(reader, definition, place, fields);
		else
			tree = read_group(reader, definition, place, &fields[kind],
							  kind == FIELD_ALL ? FB_TREE_ALL : kind == FIELD_ANY ? FB_TREE_ANY : FB_TREE_NOT, level);
	}
	if (tree == NULL)
		tree = broken_leaf(reader, definition);
	if (reader->keep_sources)
	{
		JsonbValue *source = palloc(sizeof(JsonbValue));

		*source = *value;
		tree->source = source;
		tree->path = fb_place_text(place);
	}
	return tree;
}

/* Reads a condition; a broken part is a leaf that evaluates to an error. */
FbTree *
fb_read_condition(FbReader *reader, FbDefinition *definition, const FbPlace *place, const JsonbValue *value)
{
	return read_at(reader, definition, place, value, 1);
}
