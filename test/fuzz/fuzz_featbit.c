/*
 * fuzz_featbit.c
 *		What reads FeatBit's text: numbers, booleans, lists, JSON, regular
 *		expressions; and md5, buckets and operators, on arbitrary bytes.
 *
 * The first byte chooses the operator, the second the length of the value of
 * the condition; the rest is the property.
 */
#include <math.h>
#include <stdlib.h>

#include "core/fb_dotnet.h"
#include "core/fb_dotnet_regex.h"
#include "core/fb_featbit.h"
#include "core/fb_json.h"
#include "core/fb_md5.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Never called: nothing is looked up. */
static bool
no_attribute(const FbContext *context, const FbPath *path, FbValue *value)
{
	abort();
}

static const FbContextMethods methods = {.lookup = no_attribute};
static const FbContext context = {&methods};

/* A copy of exactly its length, so that a read behind it is found. */
static FbString
exact_copy(const uint8_t *data, size_t length)
{
	char	   *copy = malloc(length);

	if (length > 0)
		memcpy(copy, data, length);
	return (FbString) {copy, (uint32_t) length};
}

/* Numbers: what is one is no NaN; grouping and space around change nothing. */
static void
check_number(FbString text)
{
	double		number = 0;
	double		spaced_number = 1;
	int32_t		whole;
	bool		value;
	char	   *spaced = malloc(text.length + 2);

	spaced[0] = ' ';
	if (text.length > 0)
		memcpy(spaced + 1, text.data, text.length);
	spaced[text.length + 1] = '\t';
	if (fb_dotnet_double(text, &number))
	{
		if (isnan(number) || !fb_dotnet_double((FbString) {spaced, text.length + 2}, &spaced_number) || spaced_number != number)
			abort();
	}
	if (fb_dotnet_int(text, &whole) && (!fb_dotnet_double(text, &number) || number != whole))
		abort();
	if (fb_dotnet_bool(text, &value) && fb_dotnet_blank(text))
		abort();
	free(spaced);
}

/* Lists: the elements fit into the buffer; what is a list is JSON, unless it has a NUL or is too deep. */
static FbSet
check_list(FbString text, bool *good)
{
	FbJsonList	list;
	FbJsonItem	item = FB_JSON_BROKEN;
	FbString	string;
	FbSet		set = {0};
	char	   *buffer = malloc(text.length + 1);
	bool		has_nul = false;

	fb_set_init(&set, calloc(1, fb_set_size(text.length / 2 + 1, text.length)), text.length / 2 + 1);
	if (fb_json_list_open(&list, text))
		while ((item = fb_json_list_next(&list, buffer, &string)) == FB_JSON_STRING || item == FB_JSON_NULL)
		{
			if (item != FB_JSON_STRING)
				continue;
			if (string.length > text.length)
				abort();
			has_nul = has_nul || memchr(string.data, '\0', string.length) != NULL;
			(void) fb_set_add(&set, string);
		}
	*good = item == FB_JSON_END;
	if (*good && !has_nul && !fb_json_valid(text, false))
		abort();
	free(buffer);
	return set;
}

/* Patterns: machine code and interpreter agree; a translation always compiles again to the same. */
static void
check_pattern(FbString pattern, FbString subject)
{
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32_t	offset;
	FbRegex    *compiled = fb_regex_compile(pattern, FB_REGEX_DOTNET, message, &offset);
	FbRegex    *interpreted = fb_regex_compile(pattern, FB_REGEX_DOTNET | FB_REGEX_NO_JIT, message, &offset);
	FbDotnetRegex first;
	FbDotnetRegex second;

	if ((compiled == NULL) != (interpreted == NULL) || (compiled == NULL && offset > pattern.length))
		abort();
	if (compiled != NULL && fb_regex_match(compiled, subject, NULL, NULL) != fb_regex_match(interpreted, subject, NULL, NULL))
		abort();
	fb_regex_free(compiled);
	fb_regex_free(interpreted);
	fb_dotnet_regex(pattern, &first);
	fb_dotnet_regex(pattern, &second);
	if ((first.pattern == NULL) != (first.error != NULL) || first.length != second.length ||
		(first.length > 0 && first.pattern != NULL && memcmp(first.pattern, second.pattern, first.length) != 0))
		abort();
	free(first.pattern);
	free(second.pattern);
}

/* Buckets: two pieces have the bucket of the whole, as the long way computes it. */
static void
check_bucket(FbString text, uint32_t cut)
{
	FbMd5		md5;
	uint8_t		digest[FB_MD5_SIZE];
	uint32_t	word;
	uint32_t	bucket = fb_featbit_bucket((FbString) {text.data, cut}, (FbString) {text.data + cut, text.length - cut});

	fb_md5_init(&md5);
	for (uint32_t i = 0; i < text.length; i++)
		fb_md5_update(&md5, (FbString) {text.data + i, 1});
	fb_md5_final(&md5, digest);
	memcpy(&word, digest, sizeof(word));
	if (bucket > FB_BUCKET_ONE || bucket != (uint32_t) llabs((long long) (int32_t) word))
		abort();
}

/* Ranges: eight bytes each are any two doubles. */
static void
check_range(const uint8_t *data, size_t size, uint32_t bucket)
{
	double		ends[2] = {0, 1};
	FbRange		range;
	bool		everyone;
	double		value = fb_bucket_value(bucket % (FB_BUCKET_ONE + 1));

	memcpy(ends, data, size < sizeof(ends) ? size : sizeof(ends));
	range = fb_featbit_range(ends[0], ends[1]);
	everyone = ends[0] == 0 && 1 - ends[1] < 1e-5;
	if (fb_range_has(range, bucket % (FB_BUCKET_ONE + 1)) !=
		(everyone || (!(ends[0] == 0 && ends[1] == 0) && ends[0] <= value && value <= ends[1])))
		abort();
}

/* Operators: the positive and the negative one of a pair never agree. */
static void
check_operator(FbFeatbitOp op, FbString operand, FbString text)
{
	FbFeatbitOperand value = {.text = operand};
	bool		good;

	if (fb_featbit_op_shape(op) == FB_FEATBIT_NUMBER && !fb_dotnet_double(operand, &value.number))
		return;
	if (fb_featbit_op_shape(op) == FB_FEATBIT_PATTERN)
		return;
	if (fb_featbit_op_shape(op) == FB_FEATBIT_LIST)
	{
		FbSet		set = check_list(operand, &good);

		value.list = set;
		if (good && fb_featbit_test(&context, FB_FEATBIT_ONE_OF, text, &value) ==
			fb_featbit_test(&context, FB_FEATBIT_NOT_ONE_OF, text, &value))
			abort();
		free(set.offsets);
		return;
	}
	if (fb_featbit_test(&context, op, text, &value) && fb_featbit_op_shape(op) == FB_FEATBIT_TEXT &&
		(op == FB_FEATBIT_EQUAL || op == FB_FEATBIT_CONTAINS) && fb_featbit_test(&context, op + 1, text, &value))
		abort();
}

/* Tries one input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FbString	operand;
	FbString	text;
	size_t		length;

	if (size < 2)
		return 0;
	length = data[1] < size - 2 ? data[1] : size - 2;
	operand = exact_copy(data + 2, length);
	text = exact_copy(data + 2 + length, size - 2 - length);
	check_number(operand);
	(void) fb_json_valid(operand, data[0] & 1);
	check_pattern(operand, text);
	check_bucket(text, text.length / 2);
	check_range(data + 2, size - 2, (uint32_t) data[0] << 24 | (uint32_t) data[1] << 16);
	check_operator((FbFeatbitOp) (data[0] % FB_FEATBIT_OPERATORS), operand, text);
	free((void *) operand.data);
	free((void *) text.data);
	return 0;
}
