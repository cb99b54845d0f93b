/*
 * fb_operator.c
 *		What each operator means.
 *
 * An operator sees the attribute's value only: a missing attribute, and a
 * JSON null unless sees_null is set, has been answered with "not met" before.
 * Text and numbers never turn into each other.
 */
#include <string.h>

#include "core/fb_operator_tests.h"

#define ELEMENT_WORK	256		/* what an element counts for */

/* eq: the same scalar. */
static bool
test_eq(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return fb_scalar_equal(context, value, &operand->value);
}

/* ne: anything but the same scalar. */
static bool
test_ne(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return !fb_scalar_equal(context, value, &operand->value);
}

/* Tells whether a string is the operand. */
static bool
string_is(const FbContext *context, FbString string, const FbOperand *operand)
{
	return operand->value.kind == FB_VALUE_STRING && fb_string_equal(string, operand->value.string);
}

/* eq_ci: the same scalar, strings in any case. */
static bool
test_eq_ci(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	if (value->kind != FB_VALUE_STRING)
		return fb_scalar_equal(context, value, &operand->value);
	return fb_test_folded(context, value->string, operand, string_is);
}

/* ne_ci: anything but the same scalar, strings in any case. */
static bool
test_ne_ci(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return !test_eq_ci(context, value, operand, now);
}

/* Finds a number in a sorted list. */
static bool
find_number(const FbContext *context, const FbList *list, const FbValue *value, uint32_t *position)
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
		{
			*position = middle;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Tells whether a string is in a list. */
static bool
list_has_string(const FbContext *context, FbString string, const FbOperand *operand)
{
	return fb_set_has(&operand->list.strings, string);
}

/* Tells whether a scalar is in a list. */
static inline bool
list_has(const FbContext *context, const FbValue *value, const FbOperand *operand, bool folds)
{
	const FbList *list = &operand->list;
	uint32_t	position;

	switch (value->kind)
	{
		case FB_VALUE_STRING:
			return folds ? fb_test_folded(context, value->string, operand, list_has_string) :
				list_has_string(context, value->string, operand);
		case FB_VALUE_NUMBER:
			return find_number(context, list, value, &position);
		case FB_VALUE_BOOLEAN:
			return value->boolean ? list->has_true : list->has_false;
		default:
			return false;
	}
}

/* Tells whether any element of an array is in a list. */
static inline bool
list_has_element(const FbContext *context, const FbValue *array, const FbOperand *operand, bool folds)
{
	uint32_t	work = 0;
	uint32_t	i;

	for (i = 0; i < array->count; i++)
	{
		FbValue		element;

		context->methods->element(context, array, i, &element);
		if (list_has(context, &element, operand, folds))
			return true;
		fb_poll_after(context, &work, ELEMENT_WORK);
	}
	return false;
}

/* one_of: the scalar, or any element of the array, is listed. */
static bool
test_one_of(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_ARRAY ? list_has_element(context, value, operand, false) :
		list_has(context, value, operand, false);
}

/* not_one_of: neither the scalar nor any element of the array is listed. */
static bool
test_not_one_of(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return !test_one_of(context, value, operand, now);
}

/* one_of_ci: as one_of, strings in any case. */
static bool
test_one_of_ci(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_ARRAY ? list_has_element(context, value, operand, true) :
		list_has(context, value, operand, true);
}

/* not_one_of_ci: as not_one_of, strings in any case. */
static bool
test_not_one_of_ci(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return !test_one_of_ci(context, value, operand, now);
}

/* array_contains_any: any element of the array is listed. */
static bool
test_array_contains_any(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_ARRAY && list_has_element(context, value, operand, false);
}

/* array_contains_none: an array, no element of which is listed. */
static bool
test_array_contains_none(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_ARRAY && !list_has_element(context, value, operand, false);
}

/* Marks a bit; tells whether it is new. */
static inline bool
mark(uint64_t *bits, uint32_t position)
{
	uint64_t	bit = UINT64_C(1) << position % 64;
	bool		is_new = (bits[position / 64] & bit) == 0;

	bits[position / 64] |= bit;
	return is_new;
}

/* array_contains_all: everything listed is an element of the array. */
static bool
test_array_contains_all(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	const FbList *list = &operand->list;
	uint64_t	strings[FB_SET_SLOTS(FB_SHORT_LIST) / 64 + 1] = {0};	/* by slot of the set */
	uint64_t	numbers[FB_SHORT_LIST / 64 + 1] = {0};
	bool		missing_true = list->has_true;
	bool		missing_false = list->has_false;
	uint32_t	missing = list->strings.count + list->number_count + missing_true + missing_false;
	uint32_t	work = 0;
	uint32_t	i;

	if (value->kind != FB_VALUE_ARRAY)
		return false;
	for (i = 0; i < value->count && missing > 0; i++)
	{
		FbValue		element;
		uint32_t	position;

		context->methods->element(context, value, i, &element);
		if (element.kind == FB_VALUE_STRING && fb_set_slot(&list->strings, element.string, &position))
			missing -= mark(strings, position);
		else if (element.kind == FB_VALUE_NUMBER && find_number(context, list, &element, &position))
			missing -= mark(numbers, position);
		else if (element.kind == FB_VALUE_BOOLEAN)
		{
			bool	   *wanted = element.boolean ? &missing_true : &missing_false;

			missing -= *wanted;
			*wanted = false;
		}
		fb_poll_after(context, &work, ELEMENT_WORK);
	}
	return missing == 0;
}

/* lt: a smaller number. */
static bool
test_lt(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) < 0;
}

/* le: a smaller or equal number. */
static bool
test_le(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) <= 0;
}

/* gt: a greater number. */
static bool
test_gt(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) > 0;
}

/* ge: a greater or equal number. */
static bool
test_ge(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_NUMBER && fb_compare_numbers(context, value, &operand->value) >= 0;
}

/* between: a number from the first to the second bound, both included. */
static bool
test_between(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_NUMBER &&
		fb_compare_numbers(context, value, &operand->bounds[0]) >= 0 &&
		fb_compare_numbers(context, value, &operand->bounds[1]) <= 0;
}

/* modulo: a whole number whose remainder is listed. */
static bool
test_modulo(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	uint32_t	remainder;
	uint32_t	low = 0;
	uint32_t	high = operand->remainder_count;

	if (value->kind != FB_VALUE_NUMBER || !fb_number_modulo(context, value, operand->divisor, &remainder))
		return false;
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (operand->remainders[middle] == remainder)
			return true;
		if (operand->remainders[middle] > remainder)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* before: an earlier timestamp. */
static bool
test_before(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int64_t		time;

	return value->kind == FB_VALUE_STRING && fb_parse_time(value->string, &time) &&
		time < fb_moment_at(&operand->moment, now);
}

/* after: a later timestamp. */
static bool
test_after(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int64_t		time;

	return value->kind == FB_VALUE_STRING && fb_parse_time(value->string, &time) &&
		time > fb_moment_at(&operand->moment, now);
}

/* Compares a version with the operand; false when the attribute is none. */
static inline bool
order_version(const FbValue *value, const FbOperand *operand, int *order)
{
	FbVersion	version;

	if (value->kind != FB_VALUE_STRING || !fb_parse_version(value->string, &version))
		return false;
	*order = fb_compare_versions(&version, &operand->version);
	return true;
}

/* semver_eq: a version of the same precedence. */
static bool
test_semver_eq(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int			order;

	return order_version(value, operand, &order) && order == 0;
}

/* semver_ne: a version of another precedence. */
static bool
test_semver_ne(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int			order;

	return order_version(value, operand, &order) && order != 0;
}

/* semver_lt: a version before the operand. */
static bool
test_semver_lt(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int			order;

	return order_version(value, operand, &order) && order < 0;
}

/* semver_le: a version up to the operand. */
static bool
test_semver_le(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int			order;

	return order_version(value, operand, &order) && order <= 0;
}

/* semver_gt: a version after the operand. */
static bool
test_semver_gt(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int			order;

	return order_version(value, operand, &order) && order > 0;
}

/* semver_ge: a version from the operand on. */
static bool
test_semver_ge(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	int			order;

	return order_version(value, operand, &order) && order >= 0;
}

/* semver_in: a version within the range. */
static bool
test_semver_in(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	FbVersion	version;

	return value->kind == FB_VALUE_STRING && fb_parse_version(value->string, &version) &&
		fb_version_in_range(&version, operand->version_bounds, operand->version_bound_count);
}

/* in_cidr: an IP address within any of the networks. */
static bool
test_in_cidr(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	FbAddress	address;

	return value->kind == FB_VALUE_STRING && fb_parse_address(value->string, &address) &&
		fb_networks_have(operand->networks, operand->network_count, &address);
}

/* exists: the attribute is there, be it null. */
static bool
test_exists(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return true;
}

/* is_null: the attribute is there and null. */
static bool
test_is_null(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_NULL;
}

/* is_true: the boolean true, not the text. */
static bool
test_is_true(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_BOOLEAN && value->boolean;
}

/* is_false: the boolean false, not the text. */
static bool
test_is_false(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_BOOLEAN && !value->boolean;
}

const FbOperator fb_operators[FB_OPERATOR_COUNT] = {
	[FB_OP_EQ] = {"eq", FB_OPERAND_SCALAR, false, false, test_eq},
	[FB_OP_NE] = {"ne", FB_OPERAND_SCALAR, false, false, test_ne},
	[FB_OP_ONE_OF] = {"one_of", FB_OPERAND_LIST, false, false, test_one_of},
	[FB_OP_NOT_ONE_OF] = {"not_one_of", FB_OPERAND_LIST, false, false, test_not_one_of},
	[FB_OP_CONTAINS] = {"contains", FB_OPERAND_STRINGS, false, false, fb_test_contains},
	[FB_OP_STARTS_WITH] = {"starts_with", FB_OPERAND_STRINGS, false, false, fb_test_starts_with},
	[FB_OP_ENDS_WITH] = {"ends_with", FB_OPERAND_STRINGS, false, false, fb_test_ends_with},
	[FB_OP_EQ_CI] = {"eq_ci", FB_OPERAND_SCALAR, false, true, test_eq_ci},
	[FB_OP_NE_CI] = {"ne_ci", FB_OPERAND_SCALAR, false, true, test_ne_ci},
	[FB_OP_ONE_OF_CI] = {"one_of_ci", FB_OPERAND_LIST, false, true, test_one_of_ci},
	[FB_OP_NOT_ONE_OF_CI] = {"not_one_of_ci", FB_OPERAND_LIST, false, true, test_not_one_of_ci},
	[FB_OP_CONTAINS_CI] = {"contains_ci", FB_OPERAND_STRINGS, false, true, fb_test_contains_ci},
	[FB_OP_STARTS_WITH_CI] = {"starts_with_ci", FB_OPERAND_STRINGS, false, true, fb_test_starts_with_ci},
	[FB_OP_ENDS_WITH_CI] = {"ends_with_ci", FB_OPERAND_STRINGS, false, true, fb_test_ends_with_ci},
	[FB_OP_MATCHES] = {"matches", FB_OPERAND_PATTERN, false, false, fb_test_matches},
	[FB_OP_LT] = {"lt", FB_OPERAND_NUMBER, false, false, test_lt},
	[FB_OP_LE] = {"le", FB_OPERAND_NUMBER, false, false, test_le},
	[FB_OP_GT] = {"gt", FB_OPERAND_NUMBER, false, false, test_gt},
	[FB_OP_GE] = {"ge", FB_OPERAND_NUMBER, false, false, test_ge},
	[FB_OP_BETWEEN] = {"between", FB_OPERAND_RANGE, false, false, test_between},
	[FB_OP_MODULO] = {"modulo", FB_OPERAND_MODULO, false, false, test_modulo},
	[FB_OP_BEFORE] = {"before", FB_OPERAND_MOMENT, false, false, test_before},
	[FB_OP_AFTER] = {"after", FB_OPERAND_MOMENT, false, false, test_after},
	[FB_OP_SEMVER_EQ] = {"semver_eq", FB_OPERAND_VERSION, false, false, test_semver_eq},
	[FB_OP_SEMVER_NE] = {"semver_ne", FB_OPERAND_VERSION, false, false, test_semver_ne},
	[FB_OP_SEMVER_LT] = {"semver_lt", FB_OPERAND_VERSION, false, false, test_semver_lt},
	[FB_OP_SEMVER_LE] = {"semver_le", FB_OPERAND_VERSION, false, false, test_semver_le},
	[FB_OP_SEMVER_GT] = {"semver_gt", FB_OPERAND_VERSION, false, false, test_semver_gt},
	[FB_OP_SEMVER_GE] = {"semver_ge", FB_OPERAND_VERSION, false, false, test_semver_ge},
	[FB_OP_SEMVER_IN] = {"semver_in", FB_OPERAND_VERSION_RANGE, false, false, test_semver_in},
	[FB_OP_IN_CIDR] = {"in_cidr", FB_OPERAND_NETWORKS, false, false, test_in_cidr},
	[FB_OP_ARRAY_CONTAINS_ANY] = {"array_contains_any", FB_OPERAND_LIST, false, false, test_array_contains_any},
	[FB_OP_ARRAY_CONTAINS_ALL] = {"array_contains_all", FB_OPERAND_SHORT_LIST, false, false, test_array_contains_all},
	[FB_OP_ARRAY_CONTAINS_NONE] = {"array_contains_none", FB_OPERAND_LIST, false, false, test_array_contains_none},
	[FB_OP_EXISTS] = {"exists", FB_OPERAND_NONE, true, false, test_exists},
	[FB_OP_IS_NULL] = {"is_null", FB_OPERAND_NONE, true, false, test_is_null},
	[FB_OP_IS_TRUE] = {"is_true", FB_OPERAND_NONE, false, false, test_is_true},
	[FB_OP_IS_FALSE] = {"is_false", FB_OPERAND_NONE, false, false, test_is_false},
};

/* Finds an operator by name; -1 when there is none. */
int
fb_operator_find(const char *name, size_t length)
{
	int			i;

	for (i = 0; i < FB_OPERATOR_COUNT && length > 0; i++)
		if (fb_operators[i].name[0] == name[0] && strlen(fb_operators[i].name) == length &&
			memcmp(fb_operators[i].name, name, length) == 0)
			return i;
	return -1;
}
