/*
 * operand.c
 *		Reads the "value" of a condition in the shape its operator needs.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "core/fb_casefold.h"
#include "flags/context.h"
#include "flags/definition.h"
#include "pg_compat.h"

#define MAX_NEEDLE 1024			/* bytes; bounds the work of contains */
#define MAX_DIVISOR 2147483647

static const char divisor_text[] = "a whole number from 1 to 2147483647";

/* Memory that an operand of each shape needs. */
static const Size operand_sizes[] = {
	[FB_OPERAND_NONE] = 1,
	[FB_OPERAND_SCALAR] = sizeof(FbValue),
	[FB_OPERAND_LIST] = sizeof(FbList),
	[FB_OPERAND_SHORT_LIST] = sizeof(FbList),
	[FB_OPERAND_STRINGS] = offsetof(FbOperand, needle_count) + sizeof(uint32_t),
	[FB_OPERAND_PATTERN] = sizeof(FbRegex *),
	[FB_OPERAND_NUMBER] = sizeof(FbValue),
	[FB_OPERAND_RANGE] = 2 * sizeof(FbValue),
	[FB_OPERAND_MODULO] = offsetof(FbOperand, divisor) + sizeof(uint32_t),
	[FB_OPERAND_MOMENT] = sizeof(FbMoment),
	[FB_OPERAND_VERSION] = sizeof(FbVersion),
	[FB_OPERAND_VERSION_RANGE] = offsetof(FbOperand, version_bound_count) + sizeof(uint32_t),
	[FB_OPERAND_NETWORKS] = offsetof(FbOperand, network_count) + sizeof(uint32_t)
};

/* Takes the case out of a string; the result is UTF-8. */
static FbString
without_case(FbString string)
{
	FbString	utf8 = fb_utf8(string);
	char	   *folded = palloc(FB_FOLDED_SIZE(utf8.length));

	string.length = fb_casefold(utf8, folded);
	string.data = folded;
	return string;
}

/* Converts a scalar and copies it into the arena. */
static void
keep_scalar(FbReader *reader, const JsonbValue *json, bool folds, FbValue *value)
{
	memset(value, 0, sizeof(*value));
	switch (json->type)
	{
		case jbvBool:
			value->kind = FB_VALUE_BOOLEAN;
			value->boolean = json->val.boolean;
			break;
		case jbvNumeric:
			{
				int64		integer;
				void	   *copy;

				value->kind = FB_VALUE_NUMBER;
				if (fb_small_integer(json->val.numeric, &integer) &&
					integer <= FB_EXACT_IN_DOUBLE && integer >= -FB_EXACT_IN_DOUBLE)
				{
					value->number = (double) integer;
					break;
				}
				copy = fb_arena_alloc(reader->arena, VARSIZE_ANY(json->val.numeric));
				memcpy(copy, json->val.numeric, VARSIZE_ANY(json->val.numeric));
				value->exact = copy;
				break;
			}
		default:
			{
				FbString	string = {json->val.string.val, json->val.string.len};

				value->kind = FB_VALUE_STRING;
				value->string = fb_arena_string(reader->arena, folds ? without_case(string) : string);
				break;
			}
	}
}

/* Tells whether a value is a string, number or boolean. */
static bool
is_scalar(const JsonbValue *value)
{
	return value->type == jbvString || value->type == jbvNumeric || value->type == jbvBool;
}

/* Orders numbers for qsort. */
static int
compare_numbers(const void *a, const void *b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
											 PointerGetDatum(((const FbNumber *) a)->exact),
											 PointerGetDatum(((const FbNumber *) b)->exact)));
}

/* Copies numbers, one after the other, sorts them, and keeps each once. */
static void
keep_numbers(FbReader *reader, FbNumber *numbers, FbList *list)
{
	FbNumber   *kept = fb_arena_alloc(reader->arena, sizeof(FbNumber) * list->number_count);
	Size		total = 0;
	char	   *memory;
	uint32		last = 0;
	uint32		i;

	for (i = 0; i < list->number_count; i++)
		total += INTALIGN(VARSIZE_ANY(numbers[i].exact));
	memory = fb_arena_alloc(reader->arena, total);
	for (i = 0; i < list->number_count; i++)
	{
		memcpy(memory, numbers[i].exact, VARSIZE_ANY(numbers[i].exact));
		kept[i].exact = memory;
		memory += INTALIGN(VARSIZE_ANY(numbers[i].exact));
	}
	qsort(kept, list->number_count, sizeof(FbNumber), compare_numbers);
	for (i = 1; i < list->number_count; i++)
		if (compare_numbers(&kept[last], &kept[i]) != 0)
			kept[++last] = kept[i];
	list->numbers = kept;
	list->number_count = last + 1;
}

/* Reads an array of scalars into a set and a sorted list. */
static bool
read_list(FbReader *reader, const FbPlace *place, const JsonbValue *value, bool folds, int limit, FbList *list)
{
	FbElements	elements;
	JsonbValue	item;
	FbNumber   *numbers;
	FbString   *strings;
	uint32		string_count = 0;
	Size		total = 0;
	uint32		i;

	if (!fb_open_array(reader, place, value, &elements))
		return false;
	if (elements.count > limit)
		return fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL, "%s has %d elements, at most %d are allowed",
						 fb_place_text(place), elements.count, limit);
	strings = palloc(sizeof(FbString) * (elements.count + 1));
	numbers = palloc(sizeof(FbNumber) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		if (!is_scalar(&item))
		{
			FbPlace		element = {place, NULL, elements.position};

			return fb_wrong_type(reader, &element, "a string, a number or a boolean", &item);
		}
		if (item.type == jbvString)
		{
			strings[string_count].data = item.val.string.val;
			strings[string_count].length = item.val.string.len;
			if (folds)
				strings[string_count] = without_case(strings[string_count]);
			total += strings[string_count++].length;
		}
		else if (item.type == jbvNumeric)
			numbers[list->number_count++].exact = item.val.numeric;
		else if (item.val.boolean)
			list->has_true = true;
		else
			list->has_false = true;
	}
	if (string_count > 0)
	{
		fb_set_init(&list->strings, fb_arena_alloc(reader->arena, fb_set_size(string_count, total)), string_count);
		for (i = 0; i < string_count; i++)
			(void) fb_set_add(&list->strings, strings[i]);
	}
	if (list->number_count > 0)
		keep_numbers(reader, numbers, list);
	return true;
}

/* Opens a string, or an array of strings. */
bool
fb_open_texts(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbTexts *texts)
{
	memset(texts, 0, sizeof(*texts));
	texts->place = *place;
	if (value->type == jbvString)
	{
		texts->single = value;
		texts->count = 1;
		return true;
	}
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return fb_wrong_type(reader, place, "a string or an array of strings", value);
	texts->array = *place;
	texts->place.parent = &texts->array;
	texts->place.name = NULL;
	if (!fb_open_array(reader, place, value, &texts->elements))
		return false;
	texts->count = texts->elements.count;
	return true;
}

/* Reads the next of the strings, whose place is texts->place; false at the end, or when it is none. */
bool
fb_next_text(FbReader *reader, FbTexts *texts, JsonbValue *value, FbString *text)
{
	if (texts->array.name == NULL)
	{
		if (texts->single == NULL)
			return false;
		*value = *texts->single;
		texts->single = NULL;
	}
	else if (!fb_next_element(&texts->elements, value))
		return false;
	texts->place.position = texts->elements.position;
	texts->broken = !fb_read_string(reader, &texts->place, value, text);
	return !texts->broken;
}

/* Reads the strings to search for. */
static bool
read_needles(FbReader *reader, const FbPlace *place, const JsonbValue *value, bool folds, FbOperand *operand)
{
	FbTexts		texts;
	JsonbValue	item;
	FbString	needle;
	FbString   *needles;

	if (!fb_open_texts(reader, place, value, &texts))
		return false;
	needles = fb_arena_alloc(reader->arena, sizeof(FbString) * (texts.count + 1));
	operand->needles = needles;
	while (fb_next_text(reader, &texts, &item, &needle))
	{
		if (needle.length > MAX_NEEDLE)
			return fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL, "%s has %u bytes, at most %d are allowed",
							 fb_place_text(&texts.place), needle.length, MAX_NEEDLE);
		needles[operand->needle_count++] = fb_arena_string(reader->arena, folds ? without_case(needle) : needle);
	}
	return !texts.broken;
}

/* Reads and compiles a pattern. */
static bool
read_pattern(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbOperand *operand)
{
	FbRegex   **kept;
	FbString	pattern;
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32		offset;

	if (!fb_read_string(reader, place, value, &pattern))
		return false;
	pattern = fb_utf8(pattern);
	kept = fb_arena_pattern(reader->arena);
	*kept = fb_regex_compile(pattern, GetDatabaseEncoding() == PG_SQL_ASCII ? 0 : FB_REGEX_TRUST_UTF8, message,
							 &offset);
	if (*kept == NULL)
		return fb_defect(
			reader, ERRCODE_INVALID_REGULAR_EXPRESSION,
			psprintf("The pattern is a Perl-compatible regular expression (PCRE2); the fault is at byte %u.",
					 offset),
			"invalid regular expression %s in %s: %s", fb_json_text(value), fb_place_text(place), message);
	operand->regex = *kept;
	return true;
}

/* Reads two numbers, the lower first. */
static bool
read_range(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbOperand *operand)
{
	FbElements	elements;
	JsonbValue	item;
	FbNumber	bounds[2];

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) != 2)
		return fb_wrong_type(reader, place, "an array of two numbers", value);
	if (!fb_open_array(reader, place, value, &elements))
		return false;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {place, NULL, elements.position};

		if (item.type != jbvNumeric)
			return fb_wrong_type(reader, &element, "a number", &item);
		keep_scalar(reader, &item, false, &operand->bounds[elements.position]);
		bounds[elements.position].exact = item.val.numeric;
	}
	if (compare_numbers(&bounds[0], &bounds[1]) > 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
						 "%s is an empty range: the first number is greater than the second", fb_place_text(place));
	return true;
}

/* Orders remainders for qsort. */
static int
compare_remainders(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return (left > right) - (left < right);
}

/* Reads {"divisor": ..., "remainders": [...]}. */
static bool
read_modulo(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbOperand *operand)
{
	FbField		fields[] = {{"divisor", true}, {"remainders", true}};
	FbPlace		divisor_place = {place, "divisor", 0};
	FbPlace		list_place = {place, "remainders", 0};
	FbElements	elements;
	JsonbValue	item;
	uint32	   *remainders;
	char	   *expected;
	int64		number;

	if (!fb_read_object(reader, place, value, fields, lengthof(fields)) ||
		!fb_read_decimal(reader, &divisor_place, &fields[0].value, 0, MAX_DIVISOR, divisor_text, &number))
		return false;
	if (number == 0)
		return fb_wrong_type(reader, &divisor_place, divisor_text, &fields[0].value);
	operand->divisor = number;
	if (!fb_open_array(reader, &list_place, &fields[1].value, &elements))
		return false;
	expected = psprintf("a whole number from 0 to %u", operand->divisor - 1);
	remainders = fb_arena_alloc(reader->arena, sizeof(uint32) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&list_place, NULL, elements.position};

		if (!fb_read_decimal(reader, &element, &item, 0, operand->divisor - 1, expected, &number))
			return false;
		remainders[operand->remainder_count++] = number;
	}
	qsort(remainders, operand->remainder_count, sizeof(uint32), compare_remainders);
	operand->remainders = remainders;
	return true;
}

/* Reads the operand of an operator; NULL when it is broken. */
FbOperand *
fb_read_operand(FbReader *reader, const FbPlace *place, int op, FbField *field)
{
	FbPlace		value_place = {place, "value", 0};
	JsonbValue *value = &field->value;
	FbOperandShape shape = fb_operators[op].shape;
	bool		folds = fb_operators[op].folds;
	FbOperand  *operand;
	bool		good = true;

	if (field->present != (shape != FB_OPERAND_NONE))
	{
		(void) fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
						 field->present ? "%s must not have a \"value\": operator \"%s\" takes none" :
						 "%s has no \"value\" for operator \"%s\"",
						 fb_place_text(place), fb_operators[op].name);
		return NULL;
	}
	operand = fb_arena_alloc(reader->arena, operand_sizes[shape]);
	memset(operand, 0, operand_sizes[shape]);
	if (reader->references_only)
		return operand;
	switch (shape)
	{
		case FB_OPERAND_NONE:
			break;
		case FB_OPERAND_SCALAR:
			good = is_scalar(value) || fb_wrong_type(reader, &value_place, "a string, a number or a boolean", value);
			if (good)
				keep_scalar(reader, value, folds, &operand->value);
			break;
		case FB_OPERAND_LIST:
			good = read_list(reader, &value_place, value, folds, FB_MAX_LIST, &operand->list);
			break;
		case FB_OPERAND_SHORT_LIST:
			good = read_list(reader, &value_place, value, folds, FB_SHORT_LIST, &operand->list);
			break;
		case FB_OPERAND_STRINGS:
			good = read_needles(reader, &value_place, value, folds, operand);
			break;
		case FB_OPERAND_PATTERN:
			good = read_pattern(reader, &value_place, value, operand);
			break;
		case FB_OPERAND_NUMBER:
			good = value->type == jbvNumeric || fb_wrong_type(reader, &value_place, "a number", value);
			if (good)
				keep_scalar(reader, value, false, &operand->value);
			break;
		case FB_OPERAND_RANGE:
			good = read_range(reader, &value_place, value, operand);
			break;
		case FB_OPERAND_MODULO:
			good = read_modulo(reader, &value_place, value, operand);
			break;
		case FB_OPERAND_MOMENT:
			good = fb_read_moment(reader, &value_place, value, &operand->moment);
			break;
		case FB_OPERAND_VERSION:
			good = fb_read_version(reader, &value_place, value, &operand->version);
			break;
		case FB_OPERAND_VERSION_RANGE:
			good = fb_read_version_range(reader, &value_place, value, operand);
			break;
		case FB_OPERAND_NETWORKS:
			good = fb_read_networks(reader, &value_place, value, operand);
			break;
	}
	return good ? operand : NULL;
}
