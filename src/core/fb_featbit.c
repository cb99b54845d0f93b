/*
 * fb_featbit.c
 *		FeatBit's buckets, ranges and operators.
 */
#include <math.h>

#include "core/fb_dotnet.h"
#include "core/fb_featbit.h"
#include "core/fb_md5.h"
#include "core/fb_operator_tests.h"

/* A range that ends closer to 1 than this takes everyone. */
#define EVERYONE_GAP 1e-5

#define NOBODY ((FbRange) {1, 0})

static const struct
{
	const char *name;
	FbFeatbitShape shape;
}			operators[FB_FEATBIT_OPERATORS] = {
	[FB_FEATBIT_LESS] = {"LessThan", FB_FEATBIT_NUMBER},
	[FB_FEATBIT_LESS_EQUAL] = {"LessEqualThan", FB_FEATBIT_NUMBER},
	[FB_FEATBIT_BIGGER] = {"BiggerThan", FB_FEATBIT_NUMBER},
	[FB_FEATBIT_BIGGER_EQUAL] = {"BiggerEqualThan", FB_FEATBIT_NUMBER},
	[FB_FEATBIT_EQUAL] = {"Equal", FB_FEATBIT_TEXT},
	[FB_FEATBIT_NOT_EQUAL] = {"NotEqual", FB_FEATBIT_TEXT},
	[FB_FEATBIT_CONTAINS] = {"Contains", FB_FEATBIT_TEXT},
	[FB_FEATBIT_NOT_CONTAIN] = {"NotContain", FB_FEATBIT_TEXT},
	[FB_FEATBIT_STARTS] = {"StartsWith", FB_FEATBIT_TEXT},
	[FB_FEATBIT_ENDS] = {"EndsWith", FB_FEATBIT_TEXT},
	[FB_FEATBIT_MATCH] = {"MatchRegex", FB_FEATBIT_PATTERN},
	[FB_FEATBIT_NOT_MATCH] = {"NotMatchRegex", FB_FEATBIT_PATTERN},
	[FB_FEATBIT_ONE_OF] = {"IsOneOf", FB_FEATBIT_LIST},
	[FB_FEATBIT_NOT_ONE_OF] = {"NotOneOf", FB_FEATBIT_LIST},
	[FB_FEATBIT_TRUE] = {"IsTrue", FB_FEATBIT_NOTHING},
	[FB_FEATBIT_FALSE] = {"IsFalse", FB_FEATBIT_NOTHING}
};

/*
 * Returns the buckets of a range.  Its ends are doubles of any value, and
 * multiplying by 2^31 is exact, so that comparing numerators gives what comparing
 * doubles gives.
 */
FbRange
fb_featbit_range(double min, double max)
{
	FbRange		range;
	double		low;
	double		high;

	if (min == 0 && 1 - max < EVERYONE_GAP)
		return (FbRange) {0, FB_EVERYONE};
	if (min == 0 && max == 0)
		return NOBODY;
	/* also what is not a number compares as false */
	if (!(min <= 1) || !(max >= 0) || !(min <= max))
		return NOBODY;
	low = ceil(min * FB_BUCKET_ONE);
	high = floor(max * FB_BUCKET_ONE);
	range.low = low <= 0 ? 0 : (uint32_t) low;
	range.high = high >= FB_BUCKET_ONE ? FB_BUCKET_ONE : (uint32_t) high;
	return range;
}

/*
 * Gives the upper end of the range [0, upper] of users of a range who are sent to
 * experiments: the share of all traffic, over the width.  False when nobody is.
 */
bool
fb_featbit_upper(double min, double max, double expt_rollout, double *upper)
{
	double		width = max - min;

	if (expt_rollout == 0 || width == 0)
		return false;
	*upper = expt_rollout / width;
	/* as .NET's Math.Min: what is not a number stays so */
	if (*upper > 1)
		*upper = 1;
	return true;
}

/* Returns the bucket of two strings together. */
uint32_t
fb_featbit_bucket(FbString first, FbString second)
{
	uint32_t	word = fb_md5_word(first, second);

	return word > FB_BUCKET_ONE ? -word : word;
}

/* Returns the operator of a name, compared exactly; -1: there is none. */
int
fb_featbit_op_find(FbString name)
{
	for (int op = 0; op < FB_FEATBIT_OPERATORS; op++)
		if (strlen(operators[op].name) == name.length &&
			memcmp(operators[op].name, name.data, name.length) == 0)
			return op;
	return -1;
}

/* Returns the name of an operator. */
const char *
fb_featbit_op_name(FbFeatbitOp op)
{
	return operators[op].name;
}

/* Returns what an operator compares with. */
FbFeatbitShape
fb_featbit_op_shape(FbFeatbitOp op)
{
	return operators[op].shape;
}

/* Tells whether one string begins another. */
static inline bool
starts_with(FbString text, FbString prefix)
{
	return text.length >= prefix.length && fb_bytes_equal(text.data, prefix.data, prefix.length);
}

/* Tells whether one string ends another. */
static inline bool
ends_with(FbString text, FbString suffix)
{
	return text.length >= suffix.length &&
		fb_bytes_equal(text.data + (text.length - suffix.length), suffix.data, suffix.length);
}

/* Tells whether one string is part of another. */
static bool
contains(const FbContext *context, FbString text, FbString needle)
{
	uint32_t	work = 0;

	if (needle.length == 0)
		return true;
	while (text.length >= needle.length)
	{
		const char *found = memchr(text.data, needle.data[0], text.length - needle.length + 1);

		if (found == NULL)
			return false;
		text.length -= found - text.data;
		text.data = found;
		if (fb_bytes_equal(text.data, needle.data, needle.length))
			return true;
		text.data++;
		text.length--;
		fb_poll_after(context, &work, needle.length);
	}
	return false;
}

/* Tells whether a string is an upper-case ASCII word, whatever its own case. */
static inline bool
is_word(FbString text, const char *word, uint32_t length)
{
	if (text.length != length)
		return false;
	for (uint32_t i = 0; i < length; i++)
		if ((text.data[i] >= 'a' && text.data[i] <= 'z' ? text.data[i] - ('a' - 'A') : text.data[i]) != word[i])
			return false;
	return true;
}

/* Searches for a pattern; false where no answer can be given, which is then no match for either operator. */
static bool
search(const FbContext *context, FbString text, FbRegex *regex, bool *found)
{
	FbRegexResult result = fb_regex_match(regex, text, context->methods->poll, context);

	*found = result == FB_REGEX_MATCH;
	if (result == FB_REGEX_MATCH || result == FB_REGEX_NO_MATCH)
		return true;
	if (context->methods->problem != NULL)
		context->methods->problem(context, result == FB_REGEX_LIMIT ? FB_PROBLEM_REGEX_LIMIT : FB_PROBLEM_REGEX_ENCODING);
	return false;
}

/* Tests a property, which is not null and in UTF-8, against the value of a condition. */
bool
fb_featbit_test(const FbContext *context, FbFeatbitOp op, FbString text, const FbFeatbitOperand *operand)
{
	double		number;
	bool		found;

	switch (op)
	{
		case FB_FEATBIT_LESS:
			return fb_dotnet_double(text, &number) && number < operand->number;
		case FB_FEATBIT_LESS_EQUAL:
			return fb_dotnet_double(text, &number) && number <= operand->number;
		case FB_FEATBIT_BIGGER:
			return fb_dotnet_double(text, &number) && number > operand->number;
		case FB_FEATBIT_BIGGER_EQUAL:
			return fb_dotnet_double(text, &number) && number >= operand->number;
		case FB_FEATBIT_EQUAL:
			return fb_string_equal(text, operand->text);
		case FB_FEATBIT_NOT_EQUAL:
			return !fb_string_equal(text, operand->text);
		case FB_FEATBIT_CONTAINS:
			return contains(context, text, operand->text);
		case FB_FEATBIT_NOT_CONTAIN:
			return !contains(context, text, operand->text);
		case FB_FEATBIT_STARTS:
			return starts_with(text, operand->text);
		case FB_FEATBIT_ENDS:
			return ends_with(text, operand->text);
		case FB_FEATBIT_MATCH:
			return search(context, text, operand->regex, &found) && found;
		case FB_FEATBIT_NOT_MATCH:
			return search(context, text, operand->regex, &found) && !found;
		case FB_FEATBIT_ONE_OF:
			return fb_set_has(&operand->list, text);
		case FB_FEATBIT_NOT_ONE_OF:
			return !fb_set_has(&operand->list, text);
		case FB_FEATBIT_TRUE:
			return is_word(text, "TRUE", 4);
		case FB_FEATBIT_FALSE:
			return is_word(text, "FALSE", 5);
		case FB_FEATBIT_OPERATORS:
			break;
	}
	return false;
}
