/*
 * fb_operator.c
 *		What each operator means.
 *
 * An operator sees the attribute's value only: a missing attribute, and a
 * JSON null unless sees_null is set, has been answered with "not met" before.
 * Text and numbers never turn into each other.
 */
#include <string.h>

#include "core/fb_operator.h"

#define POLL_INTERVAL 64		/* needles or elements between two polls */

/* Lets the caller interrupt a long loop. */
static inline void
poll_every(const FbContext *context, uint32_t i)
{
	if (i % POLL_INTERVAL == POLL_INTERVAL - 1 && context->methods->poll != NULL)
		context->methods->poll(context);
}

/* eq: the same scalar. */
static bool
test_eq(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return fb_scalar_equal(context, value, &operand->value);
}

/* ne: anything but the same scalar. */
static bool
test_ne(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return !fb_scalar_equal(context, value, &operand->value);
}

/* Searches a sorted list of numbers. */
static bool
list_has_number(const FbContext *context, const FbList *list, const FbValue *value)
{
	uint32_t	low = 0;
	uint32_t	high = list->number_count;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		FbValue		listed = {.kind = FB_VALUE_NUMBER};
		int			order;

		if (context->methods->compare_numbers != NULL)
			listed.exact = list->numbers[middle].exact;
		else
			listed.number = list->numbers[middle].number;
		order = fb_compare_numbers(context, value, &listed);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Tells whether a scalar is in a list. */
static bool
list_has(const FbContext *context, const FbList *list, const FbValue *value)
{
	switch (value->kind)
	{
		case FB_VALUE_STRING:
			return fb_set_has(&list->strings, value->string);
		case FB_VALUE_NUMBER:
			return list_has_number(context, list, value);
		case FB_VALUE_BOOLEAN:
			return value->boolean ? list->has_true : list->has_false;
		default:
			return false;
	}
}

/* one_of: the scalar, or any element of the array, is listed. */
static bool
test_one_of(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	uint32_t	i;

	if (value->kind != FB_VALUE_ARRAY)
		return list_has(context, &operand->list, value);
	for (i = 0; i < value->count; i++)
	{
		FbValue		element;

		context->methods->element(context, value, i, &element);
		if (list_has(context, &operand->list, &element))
			return true;
		poll_every(context, i);
	}
	return false;
}

/* not_one_of: neither the scalar nor any element of the array is listed. */
static bool
test_not_one_of(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return !test_one_of(context, value, operand);
}

/* Tells whether a string contains another; needles are short (see the compiler's limits). */
static bool
string_contains(FbString string, FbString needle)
{
	const char *at = string.data;
	size_t		left = string.length;

	if (needle.length == 0)
		return true;
	while (left >= needle.length)
	{
		const char *found = memchr(at, needle.data[0], left - needle.length + 1);

		if (found == NULL)
			return false;
		if (memcmp(found, needle.data, needle.length) == 0)
			return true;
		left -= (size_t) (found + 1 - at);
		at = found + 1;
	}
	return false;
}

/* contains: any of the strings occurs in the attribute. */
static bool
test_contains(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	uint32_t	i;

	if (value->kind != FB_VALUE_STRING)
		return false;
	for (i = 0; i < operand->needle_count; i++)
	{
		if (string_contains(value->string, operand->needles[i]))
			return true;
		poll_every(context, i);
	}
	return false;
}

/* starts_with: any of the strings begins the attribute. */
static bool
test_starts_with(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	uint32_t	i;

	if (value->kind != FB_VALUE_STRING)
		return false;
	for (i = 0; i < operand->needle_count; i++)
	{
		FbString	needle = operand->needles[i];

		if (needle.length == 0 ||
			(needle.length <= value->string.length && memcmp(value->string.data, needle.data, needle.length) == 0))
			return true;
	}
	return false;
}

/* ends_with: any of the strings ends the attribute. */
static bool
test_ends_with(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	uint32_t	i;

	if (value->kind != FB_VALUE_STRING)
		return false;
	for (i = 0; i < operand->needle_count; i++)
	{
		FbString	needle = operand->needles[i];

		if (needle.length == 0 ||
			(needle.length <= value->string.length &&
			 memcmp(value->string.data + value->string.length - needle.length, needle.data, needle.length) == 0))
			return true;
	}
	return false;
}

/* matches: the pattern is found in the attribute; over its limits it is not. */
static bool
test_matches(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	FbString	subject;
	FbRegexResult result;

	if (value->kind != FB_VALUE_STRING)
		return false;
	if (fb_canonical_text(context, value, &subject))
		result = fb_regex_match(operand->regex, subject, context->methods->poll, context);
	else
		result = FB_REGEX_ENCODING;
	if (result == FB_REGEX_LIMIT && context->methods->problem != NULL)
		context->methods->problem(context, FB_PROBLEM_REGEX_LIMIT);
	if (result == FB_REGEX_ENCODING && context->methods->problem != NULL)
		context->methods->problem(context, FB_PROBLEM_REGEX_ENCODING);
	return result == FB_REGEX_MATCH;
}

/* lt: a smaller number. */
static bool
test_lt(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) < 0;
}

/* le: a smaller or equal number. */
static bool
test_le(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) <= 0;
}

/* gt: a greater number. */
static bool
test_gt(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) > 0;
}

/* ge: a greater or equal number. */
static bool
test_ge(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) >= 0;
}

/* between: a number from the first to the second bound, both included. */
static bool
test_between(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_NUMBER &&
		fb_compare_numbers(context, value, &operand->bounds[0]) >= 0 &&
		fb_compare_numbers(context, value, &operand->bounds[1]) <= 0;
}

/* exists: the attribute is there, be it null. */
static bool
test_exists(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return true;
}

/* is_null: the attribute is there and null. */
static bool
test_is_null(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_NULL;
}

/* is_true: the boolean true, not the text. */
static bool
test_is_true(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_BOOLEAN && value->boolean;
}

/* is_false: the boolean false, not the text. */
static bool
test_is_false(const FbContext *context, const FbValue *value, const FbOperand *operand)
{
	return value->kind == FB_VALUE_BOOLEAN && !value->boolean;
}

const FbOperator fb_operators[FB_OPERATOR_COUNT] = {
	[FB_OP_EQ] = {"eq", FB_OPERAND_SCALAR, false, test_eq},
	[FB_OP_NE] = {"ne", FB_OPERAND_SCALAR, false, test_ne},
	[FB_OP_ONE_OF] = {"one_of", FB_OPERAND_LIST, false, test_one_of},
	[FB_OP_NOT_ONE_OF] = {"not_one_of", FB_OPERAND_LIST, false, test_not_one_of},
	[FB_OP_CONTAINS] = {"contains", FB_OPERAND_STRINGS, false, test_contains},
	[FB_OP_STARTS_WITH] = {"starts_with", FB_OPERAND_STRINGS, false, test_starts_with},
	[FB_OP_ENDS_WITH] = {"ends_with", FB_OPERAND_STRINGS, false, test_ends_with},
	[FB_OP_MATCHES] = {"matches", FB_OPERAND_PATTERN, false, test_matches},
	[FB_OP_LT] = {"lt", FB_OPERAND_NUMBER, false, test_lt},
	[FB_OP_LE] = {"le", FB_OPERAND_NUMBER, false, test_le},
	[FB_OP_GT] = {"gt", FB_OPERAND_NUMBER, false, test_gt},
	[FB_OP_GE] = {"ge", FB_OPERAND_NUMBER, false, test_ge},
	[FB_OP_BETWEEN] = {"between", FB_OPERAND_RANGE, false, test_between},
	[FB_OP_EXISTS] = {"exists", FB_OPERAND_NONE, true, test_exists},
	[FB_OP_IS_NULL] = {"is_null", FB_OPERAND_NONE, true, test_is_null},
	[FB_OP_IS_TRUE] = {"is_true", FB_OPERAND_NONE, false, test_is_true},
	[FB_OP_IS_FALSE] = {"is_false", FB_OPERAND_NONE, false, test_is_false},
};

/* Finds an operator by name; -1 when there is none. */
int
fb_operator_find(const char *name, size_t length)
{
	int			i;

	for (i = 0; i < FB_OPERATOR_COUNT; i++)
		if (strlen(fb_operators[i].name) == length && memcmp(fb_operators[i].name, name, length) == 0)
			return i;
	return -1;
}
