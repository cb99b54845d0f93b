/*
 * fb_operator_text.c
 *		Operators that look into strings, with and without case.
 *
 * Each takes any of several strings; only a string meets it, neither another
 * scalar nor an element of an array.
 */
#include <string.h>

#include "core/fb_operator_tests.h"

/* Tells whether a string contains another; needles are short (see the compiler's limits). */
static bool
string_contains(const FbContext *context, FbString string, FbString needle, uint32_t *work)
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
		fb_poll_after(context, work, needle.length);
	}
	return false;
}

/* Tells whether any of the strings occurs in another. */
static bool
any_inside(const FbContext *context, FbString string, const FbOperand *operand)
{
	uint32_t	work = 0;
	uint32_t	i;

	for (i = 0; i < operand->needle_count; i++)
	{
		if (string_contains(context, string, operand->needles[i], &work))
			return true;
		fb_poll_after(context, &work, string.length + 1);
	}
	return false;
}

/* Tells whether any of the strings begins another. */
static bool
any_prefix(const FbContext *context, FbString string, const FbOperand *operand)
{
	uint32_t	work = 0;
	uint32_t	i;

	for (i = 0; i < operand->needle_count; i++)
	{
		FbString	needle = operand->needles[i];

		if (needle.length == 0 ||
			(needle.length <= string.length && memcmp(string.data, needle.data, needle.length) == 0))
			return true;
		fb_poll_after(context, &work, needle.length);
	}
	return false;
}

/* Tells whether any of the strings ends another. */
static bool
any_suffix(const FbContext *context, FbString string, const FbOperand *operand)
{
	uint32_t	work = 0;
	uint32_t	i;

	for (i = 0; i < operand->needle_count; i++)
	{
		FbString	needle = operand->needles[i];

		if (needle.length == 0 ||
			(needle.length <= string.length &&
			 memcmp(string.data + string.length - needle.length, needle.data, needle.length) == 0))
			return true;
		fb_poll_after(context, &work, needle.length);
	}
	return false;
}

/* contains: any of the strings occurs in the attribute. */
bool
fb_test_contains(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_STRING && any_inside(context, value->string, operand);
}

/* contains_ci: the same in any case. */
bool
fb_test_contains_ci(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_STRING && fb_test_folded(context, value->string, operand, any_inside);
}

/* starts_with: any of the strings begins the attribute. */
bool
fb_test_starts_with(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_STRING && any_prefix(context, value->string, operand);
}

/* starts_with_ci: the same in any case. */
bool
fb_test_starts_with_ci(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_STRING && fb_test_folded(context, value->string, operand, any_prefix);
}

/* ends_with: any of the strings ends the attribute. */
bool
fb_test_ends_with(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_STRING && any_suffix(context, value->string, operand);
}

/* ends_with_ci: the same in any case. */
bool
fb_test_ends_with_ci(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
{
	return value->kind == FB_VALUE_STRING && fb_test_folded(context, value->string, operand, any_suffix);
}

/* matches: the pattern is found in the attribute; over its limits it is not. */
bool
fb_test_matches(const FbContext *context, const FbValue *value, const FbOperand *operand, int64_t now)
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
