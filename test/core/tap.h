/*
 * tap.h
 *		What every test program needs: a check that prints its TAP line.
 */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>
#include <string.h>

#include "core/fb_evaluate.h"

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

#endif							/* TAP_H */
