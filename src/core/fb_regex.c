/*
 * fb_regex.c
 *		Compiles and runs patterns.  All memory is PCRE2's own, from malloc, so
 *		that an error raised elsewhere never unwinds through it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef FB_PCRE2_LIBRARY
#include <dlfcn.h>
#endif

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/fb_dotnet_regex.h"
#include "core/fb_regex.h"

/*
 * PCRE2 counts its limits per starting position.  Long subjects are therefore
 * searched in windows of starting positions, with a poll between them.
 */
#define WINDOW				512

/* Compiled code may use this part of the match limit before the interpreter takes over. */
#define JIT_FRACTION		10

#define JIT_STACK_START		(32 * 1024)
#define JIT_STACK_MAX		(512 * 1024)

struct FbRegex
{
	pcre2_code *code;
	uint32_t	match_options;
	bool		has_machine_code;
	bool		anchored;
};

/*
 * What matching works in.  A process matches one subject at a time, so all
 * patterns share it, and the memory that a hard match has needed is kept once.
 */
static struct
{
	pcre2_match_data *match_data;
	pcre2_match_context *interpreted;
	pcre2_match_context *compiled;	/* NULL: interpreter only */
	pcre2_jit_stack *stack;
	pcre2_compile_context *dotnet;
}			engine;

/* The functions of PCRE2 that are used, name by name. */
#define PCRE2_FUNCTIONS(f) \
	f(code_free) \
	f(compile) \
	f(compile_context_create) \
	f(get_error_message) \
	f(get_ovector_pointer) \
	f(jit_compile) \
	f(jit_stack_assign) \
	f(jit_stack_create) \
	f(match) \
	f(match_context_create) \
	f(match_data_create) \
	f(pattern_info) \
	f(set_heap_limit) \
	f(set_match_limit) \
	f(set_newline) \
	f(set_offset_limit)

#define DECLARE(name) __typeof__(PCRE2_SUFFIX(pcre2_##name##_)) *name;
#define LINK(name) .name = PCRE2_SUFFIX(pcre2_##name##_),

#ifdef FB_PCRE2_LIBRARY

/*
 * To load one more library takes a tenth of the time of the first evaluation in a process, and most
 * processes never see a pattern: so it is loaded when the first pattern is compiled.
 */
static struct
{
	PCRE2_FUNCTIONS(DECLARE)
}			pcre2;

#define NAME_OF(symbol) NAME_OF_EXPANDED(symbol)
#define NAME_OF_EXPANDED(symbol) #symbol
#define FIND(name) \
	if ((*(void **) &pcre2.name = dlsym(library, NAME_OF(PCRE2_SUFFIX(pcre2_##name##_)))) == NULL) \
		return false;

/* Loads PCRE2 once; false when that is impossible. */
static bool
load_pcre2(void)
{
	static bool loaded = false;
	void	   *library;

	if (loaded)
		return true;
	library = dlopen(FB_PCRE2_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return false;
	PCRE2_FUNCTIONS(FIND)
	loaded = true;
	return true;
}

#else

static const struct
{
	PCRE2_FUNCTIONS(DECLARE)
}			pcre2 = {PCRE2_FUNCTIONS(LINK)};

#endif

/* Finds \G, which has no meaning in a search by windows. */
static bool
find_backslash_g(FbString pattern, uint32_t *offset)
{
	bool		literal = false;
	uint32_t	i;

	for (i = 0; i + 1 < pattern.length; i++)
	{
		if (pattern.data[i] != '\\')
			continue;
		i++;
		if (literal)
		{
			if (pattern.data[i] == 'E')
				literal = false;
			else
				i--;			/* a backslash is an ordinary character here */
		}
		else if (pattern.data[i] == 'Q')
			literal = true;
		else if (pattern.data[i] == 'G')
		{
			*offset = i + 1;
			return true;
		}
	}
	return false;
}

/* Prepares the engine for the interpreter; false without memory. */
static bool
prepare_engine(void)
{
	if (engine.match_data == NULL)
		engine.match_data = pcre2.match_data_create(1, NULL);
	if (engine.interpreted == NULL)
	{
		engine.interpreted = pcre2.match_context_create(NULL);
		if (engine.interpreted != NULL)
		{
			(void) pcre2.set_match_limit(engine.interpreted, FB_REGEX_MATCH_LIMIT);
			(void) pcre2.set_heap_limit(engine.interpreted, FB_REGEX_HEAP_LIMIT);
		}
	}
	return engine.match_data != NULL && engine.interpreted != NULL;
}

/* Makes machine code; false where that is impossible, which leaves the interpreter. */
static bool
make_machine_code(pcre2_code *code)
{
	if (pcre2.jit_compile(code, PCRE2_JIT_COMPLETE) != 0)
		return false;
	if (engine.stack == NULL)
		engine.stack = pcre2.jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
	if (engine.stack != NULL && engine.compiled == NULL)
	{
		engine.compiled = pcre2.match_context_create(NULL);
		if (engine.compiled != NULL)
		{
			(void) pcre2.set_match_limit(engine.compiled, FB_REGEX_MATCH_LIMIT / JIT_FRACTION);
			(void) pcre2.set_heap_limit(engine.compiled, FB_REGEX_HEAP_LIMIT);
			pcre2.jit_stack_assign(engine.compiled, NULL, engine.stack);
		}
	}
	return engine.compiled != NULL;
}

/* Compiles a pattern of PCRE2; NULL with PCRE2's code and the byte offset of the fault. */
static pcre2_code *
compile_pattern(FbString pattern, int *code, PCRE2_SIZE *position)
{
	return pcre2.compile((PCRE2_SPTR) (pattern.length > 0 ? pattern.data : ""), pattern.length,
						 PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT, code, position, NULL);
}

/*
 * Compiles a translated pattern of .NET.  For .NET lines end with \n only, ^ with option m also matches behind the last
 * of them, and groups may share a name.
 */
static pcre2_code *
compile_dotnet(const FbDotnetRegex *translated, int *code, PCRE2_SIZE *position)
{
	if (engine.dotnet == NULL)
	{
		engine.dotnet = pcre2.compile_context_create(NULL);
		if (engine.dotnet == NULL)
		{
			*code = PCRE2_ERROR_NOMEMORY;
			return NULL;
		}
		(void) pcre2.set_newline(engine.dotnet, PCRE2_NEWLINE_LF);
	}
	return pcre2.compile((PCRE2_SPTR) translated->pattern, translated->length,
						 PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT | PCRE2_ALT_CIRCUMFLEX |
						 PCRE2_DUPNAMES, code, position, engine.dotnet);
}

/* Compiles a pattern; NULL with a message and the byte offset of the fault. */
FbRegex *
fb_regex_compile(FbString pattern, int options, char *message, uint32_t *offset)
{
	int			code;
	PCRE2_SIZE	position = 0;
	uint32_t	all_options = 0;
	FbRegex    *regex;
	FbDotnetRegex translated = {NULL};

	*offset = 0;
	if (pattern.length > FB_REGEX_MAX_PATTERN)
	{
		snprintf(message, FB_REGEX_MESSAGE_SIZE, "pattern is longer than %d bytes", FB_REGEX_MAX_PATTERN);
		return NULL;
	}
#ifdef FB_PCRE2_LIBRARY
	if (!load_pcre2())
	{
		snprintf(message, FB_REGEX_MESSAGE_SIZE, "the library %s cannot be loaded", FB_PCRE2_LIBRARY);
		return NULL;
	}
#endif
	if (options & FB_REGEX_DOTNET)
	{
		fb_dotnet_regex(pattern, &translated);
		if (translated.pattern == NULL)
		{
			snprintf(message, FB_REGEX_MESSAGE_SIZE, "%s", translated.error);
			*offset = translated.offset;
			return NULL;
		}
	}
	else if (find_backslash_g(pattern, offset))
	{
		snprintf(message, FB_REGEX_MESSAGE_SIZE, "\\G is not supported");
		return NULL;
	}
	regex = calloc(1, sizeof(FbRegex));
	if (regex == NULL || !prepare_engine())
	{
		free(regex);
		free(translated.pattern);
		snprintf(message, FB_REGEX_MESSAGE_SIZE, "out of memory");
		return NULL;
	}
	regex->code = options & FB_REGEX_DOTNET ? compile_dotnet(&translated, &code, &position) :
		compile_pattern(pattern, &code, &position);
	free(translated.pattern);
	if (regex->code == NULL)
	{
		(void) pcre2.get_error_message(code, (PCRE2_UCHAR *) message, FB_REGEX_MESSAGE_SIZE);
		if (!(options & FB_REGEX_DOTNET))
			*offset = (uint32_t) position;
		free(regex);
		return NULL;
	}
	(void) pcre2.pattern_info(regex->code, PCRE2_INFO_ALLOPTIONS, &all_options);
	regex->anchored = (all_options & PCRE2_ANCHORED) != 0;
	if (options & FB_REGEX_TRUST_UTF8)
		regex->match_options = PCRE2_NO_UTF_CHECK;
	if (!(options & FB_REGEX_NO_JIT))
		regex->has_machine_code = make_machine_code(regex->code);
	return regex;
}

/* Frees a pattern. */
void
fb_regex_free(FbRegex *regex)
{
	if (regex == NULL)
		return;
	pcre2.code_free(regex->code);
	free(regex);
}

/* Searches from one starting position up to another; gives PCRE2's code. */
static int
search_window(FbRegex *regex, FbString subject, PCRE2_SIZE start, PCRE2_SIZE last, uint32_t options)
{
	int			code;

	if (regex->has_machine_code)
	{
		(void) pcre2.set_offset_limit(engine.compiled, last);
		code = pcre2.match(regex->code, (PCRE2_SPTR) subject.data, subject.length, start, options,
						   engine.match_data, engine.compiled);
		if (code != PCRE2_ERROR_MATCHLIMIT && code != PCRE2_ERROR_JIT_STACKLIMIT)
			return code;
	}
	(void) pcre2.set_offset_limit(engine.interpreted, last);
	return pcre2.match(regex->code, (PCRE2_SPTR) subject.data, subject.length, start, options | PCRE2_NO_JIT,
					   engine.match_data, engine.interpreted);
}

/* Returns the last starting position of the window that begins at start; PCRE2_UNSET for one without end. */
static PCRE2_SIZE
window_end(const FbRegex *regex, FbString subject, PCRE2_SIZE start)
{
	PCRE2_SIZE	last = start + WINDOW - 1;

	/* A window ends before a character, never inside one. */
	while (last + 1 < subject.length && ((unsigned char) subject.data[last + 1] & 0xC0) == 0x80)
		last++;
	return regex->anchored || last >= subject.length ? PCRE2_UNSET : last;
}

/* Tells whether the pattern is found in the subject. */
FbRegexResult
fb_regex_match(FbRegex *regex, FbString subject, void (*poll) (const FbContext *), const FbContext *context)
{
	PCRE2_SIZE	start = 0;
	uint32_t	options = regex->match_options;

	if (subject.length > FB_REGEX_MAX_SUBJECT)
		return FB_REGEX_LIMIT;
	if (subject.data == NULL)
		subject.data = "";
	for (;;)
	{
		PCRE2_SIZE	last = window_end(regex, subject, start);
		int			code;

		code = search_window(regex, subject, start, last, options);
		if (code >= 0)
			return FB_REGEX_MATCH;
		/* A failing search may take milliseconds, and a flag may have thousands of patterns. */
		if (poll != NULL)
			poll(context);
		if (code != PCRE2_ERROR_NOMATCH)
			return code <= PCRE2_ERROR_UTF8_ERR1 && code >= PCRE2_ERROR_UTF8_ERR21 ? FB_REGEX_ENCODING : FB_REGEX_LIMIT;
		if (last == PCRE2_UNSET)
			return FB_REGEX_NO_MATCH;
		start = last + 1;
		options |= PCRE2_NO_UTF_CHECK;	/* the first window has checked the whole subject */
	}
}

/*
 * Copies the subject without what the pattern matches; result has room for the
 * whole subject, which may be of any length. Matches do not overlap, and after
 * an empty one the next is longer or begins later.
 */
FbRegexResult
fb_regex_delete(FbRegex *regex, FbString subject, char *result, uint32_t *length,
				void (*poll) (const FbContext *), const FbContext *context)
{
	PCRE2_SIZE	start = 0;		/* where the next match may begin */
	PCRE2_SIZE	copied = 0;		/* up to here the subject has been dealt with */
	uint32_t	options = regex->match_options;

	*length = 0;
	if (subject.data == NULL)
		subject.data = "";
	for (;;)
	{
		PCRE2_SIZE	last = window_end(regex, subject, start);
		int			code = search_window(regex, subject, start, last, options);
		PCRE2_SIZE *found;

		if (poll != NULL)
			poll(context);
		options = regex->match_options | PCRE2_NO_UTF_CHECK;
		if (code == PCRE2_ERROR_NOMATCH)
		{
			if (last == PCRE2_UNSET)
				break;
			start = last + 1;
			continue;
		}
		if (code < 0)
			return code <= PCRE2_ERROR_UTF8_ERR1 && code >= PCRE2_ERROR_UTF8_ERR21 ? FB_REGEX_ENCODING : FB_REGEX_LIMIT;
		found = pcre2.get_ovector_pointer(engine.match_data);
		/* \K can set the start of a match behind its end or before the end of the one before it */
		if (found[0] > found[1] || found[0] < copied)
			return FB_REGEX_LIMIT;
		memcpy(result + *length, subject.data + copied, found[0] - copied);
		*length += (uint32_t) (found[0] - copied);
		copied = start = found[1];
		if (found[0] == found[1])
			options |= PCRE2_NOTEMPTY_ATSTART;
	}
	memcpy(result + *length, subject.data + copied, subject.length - copied);
	*length += (uint32_t) (subject.length - copied);
	return FB_REGEX_MATCH;
}
