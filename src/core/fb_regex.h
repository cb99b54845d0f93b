/*
 * fb_regex.h
 *		Regular expressions with bounded work (PCRE2).
 *
 * The same pattern gives the same answer with and without the just-in-time
 * compiler: the compiled code decides only what it decides within a fraction
 * of the limits, everything else is decided by the interpreter.
 */
#ifndef FB_REGEX_H
#define FB_REGEX_H

#include "core/fb_evaluate.h"

typedef struct FbRegex FbRegex;

typedef enum FbRegexResult
{
	FB_REGEX_MATCH,
	FB_REGEX_NO_MATCH,
	FB_REGEX_LIMIT,				/* needs more work than is allowed */
	FB_REGEX_ENCODING			/* subject is not UTF-8 */
} FbRegexResult;

#define FB_REGEX_MAX_PATTERN	8192	/* bytes */
#define FB_REGEX_MAX_SUBJECT	65536	/* bytes; a longer one is over the limit */
#define FB_REGEX_MATCH_LIMIT	200000	/* backtracking points per starting position */
#define FB_REGEX_HEAP_LIMIT		8192	/* KiB */
#define FB_REGEX_MESSAGE_SIZE	160

/* Options of fb_regex_compile. */
#define FB_REGEX_TRUST_UTF8		1	/* subjects are known to be UTF-8 */
#define FB_REGEX_NO_JIT			2	/* for tests: as where executable memory is refused */
#define FB_REGEX_DOTNET			4	/* the pattern is one of .NET; faults that PCRE2 finds have no offset */

extern FbRegex *fb_regex_compile(FbString pattern, int options, char *message, uint32_t *offset);
extern void fb_regex_free(FbRegex *regex);
extern FbRegexResult fb_regex_match(FbRegex *regex, FbString subject, void (*poll)(const FbContext *),
									const FbContext *context);
extern FbRegexResult fb_regex_delete(FbRegex *regex, FbString subject, char *result, uint32_t *length,
									 void (*poll)(const FbContext *), const FbContext *context);

#endif							/* FB_REGEX_H */
