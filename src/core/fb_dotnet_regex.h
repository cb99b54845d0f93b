/*
 * fb_dotnet_regex.h
 *		Translates regular expressions of .NET into those of PCRE2.
 */
#ifndef FB_DOTNET_REGEX_H
#define FB_DOTNET_REGEX_H

#include <stddef.h>

#include "core/fb_evaluate.h"

/* A translated pattern, or what is wrong with it. */
typedef struct FbDotnetRegex
{
	char	   *pattern;		/* from malloc, freed by the caller; NULL: see error */
	size_t		length;
	const char *error;			/* why it is no pattern of .NET, or none that can be translated */
	uint32_t	offset;			/* of the error, in bytes of the original */
	const char *note;			/* how its meaning may differ from .NET's; NULL: it does not */
} FbDotnetRegex;

extern void fb_dotnet_regex(FbString pattern, FbDotnetRegex *result);

#endif							/* FB_DOTNET_REGEX_H */
