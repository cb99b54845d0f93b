/*
 * plain_context.h
 *		Attributes for tests of the evaluator: an array of names and values.
 */
#ifndef PLAIN_CONTEXT_H
#define PLAIN_CONTEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_value.h"
#include "tap.h"

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
	int			allocations;	/* not given back */
	int			problems;
} PlainContext;

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

/* Gives memory for one test. */
static void *
plain_allocate(const FbContext *context, size_t size)
{
	((PlainContext *) context)->allocations++;
	return malloc(size);
}

/* Takes it back. */
static void
plain_release(const FbContext *context, void *memory)
{
	((PlainContext *) context)->allocations--;
	free(memory);
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

static const FbContextMethods plain_methods = {plain_lookup, plain_element, NULL, plain_number_text, NULL, plain_allocate, plain_release, plain_poll, plain_problem};

/* Makes a context of attributes. */
static PlainContext
plain_context(const PlainAttribute *attributes, int count)
{
	PlainContext context = {{&plain_methods}, attributes, count, 0, 0, 0, 0};

	return context;
}

#endif							/* PLAIN_CONTEXT_H */
