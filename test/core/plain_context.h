/*
 * plain_context.h
 *		Attributes for tests of the evaluator: an array of names and values.
 */
#ifndef PLAIN_CONTEXT_H
#define PLAIN_CONTEXT_H

#include <stdio.h>
#include <string.h>

#include "core/fb_value.h"

typedef struct PlainAttribute
{
	const char *name;			/* steps of a path joined by dots */
	FbValue		value;
} PlainAttribute;

typedef struct PlainContext
{
	FbContext	base;
	const PlainAttribute *attributes;
	int			count;
	int			lookups;
	int			polls;
	int			problems;
} PlainContext;

static int	tests = 0;
static int	failures = 0;

/* Prints the TAP line of one check. */
static void
ok(bool passed, const char *name)
{
	tests++;
	if (!passed)
		failures++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tests, name);
}

/* Wraps a terminated string. */
static FbString
string_of(const char *text)
{
	FbString	string = {text, (uint32_t) strlen(text)};

	return string;
}

/* Finds an attribute by its joined path. */
static bool
plain_lookup(const FbContext *context, const FbPath *path, FbValue *value)
{
	PlainContext *plain = (PlainContext *) context;
	char		name[256] = "";

	plain->lookups++;
	for (uint32_t i = 0; i < path->count; i++)
	{
		strcat(name, i > 0 ? "." : "");
		strncat(name, path->steps[i].data, path->steps[i].length);
	}
	for (int i = 0; i < plain->count; i++)
		if (strcmp(plain->attributes[i].name, name) == 0)
		{
			*value = plain->attributes[i].value;
			return true;
		}
	return false;
}

/* Reads an element of an array of values. */
static void
plain_element(const FbContext *context, const FbValue *array, uint32_t position, FbValue *element)
{
	*element = ((const FbValue *) array->array)[position];
}

/* Prints a number as the shortest of a few lengths. */
static bool
plain_number_text(const FbContext *context, const FbValue *number, FbString *text)
{
	static char digits[64];

	snprintf(digits, sizeof(digits), "%.15g", number->number);
	*text = string_of(digits);
	return true;
}

/* Counts a poll. */
static void
plain_poll(const FbContext *context)
{
	((PlainContext *) context)->polls++;
}

/* Counts a problem. */
static void
plain_problem(const FbContext *context, FbProblem problem)
{
	((PlainContext *) context)->problems++;
}

static const FbContextMethods plain_methods = {plain_lookup, plain_element, NULL, plain_number_text, NULL, plain_poll, plain_problem};

/* Makes a context of attributes. */
static PlainContext
plain_context(const PlainAttribute *attributes, int count)
{
	PlainContext context = {{&plain_methods}, attributes, count, 0, 0, 0};

	return context;
}

#endif							/* PLAIN_CONTEXT_H */
