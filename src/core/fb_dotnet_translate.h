/*
 * fb_dotnet_translate.h
 *		What the two files that translate regular expressions of .NET share;
 *		nobody else includes it.
 */
#ifndef FB_DOTNET_TRANSLATE_H
#define FB_DOTNET_TRANSLATE_H

#include <stdlib.h>
#include <string.h>

#include "core/fb_dotnet_regex.h"

#define MAX_GROUPS	500
#define MAX_DEPTH	200
#define END			UINT32_MAX	/* in place of a character */
#define MAX_NUMBER	UINT32_C(2147483647)

/* \w, what counts beside it at \b, and \s; without the brackets of a class. */
#define WORD			"\\p{L}\\p{Mn}\\p{Nd}\\p{Pc}"
#define BOUNDARY		"[" WORD "\\x{200C}\\x{200D}]"
#define SPACE			"\\x{09}-\\x{0D}\\x{85}\\p{Z}"

/* Options that the translation itself has to know, as they are within a group. */
typedef struct Options
{
	bool		explicit_capture;	/* n: groups without name capture nothing */
	bool		spaced;			/* x: white space and # comments do not count */
} Options;

/* A group that has a name, which may be a number. */
typedef struct Name
{
	FbString	name;
	uint32_t	number;
} Name;

typedef struct Translation
{
	FbString	text;
	uint32_t	position;
	Options		options;
	Options		outer[MAX_DEPTH];	/* of the groups that are open */
	uint32_t	depth;
	bool		quantifiable;	/* what was written last may be repeated */
	bool		writing;		/* the second time */
	bool		refers;			/* something refers to a group */
	uint32_t	unnamed;		/* groups without a name so far */
	uint32_t	unnamed_total;	/* known the second time */
	uint32_t	name_count;
	Name		names[MAX_GROUPS];
	char	   *out;
	size_t		used;
	size_t		size;
	const char *error;
	uint32_t	offset;
	const char *note;
} Translation;

/* Returns the byte at a distance, 0 behind the end; after a failure the position may lie behind it, too. */
static inline char
peek(const Translation *t, uint32_t distance)
{
	return (uint64_t) t->position + distance < t->text.length ? t->text.data[t->position + distance] : '\0';
}

/* Tells whether there is more. */
static inline bool
more(const Translation *t)
{
	return t->position < t->text.length;
}

/* Tells whether a byte may be part of a name; beyond ASCII all may. */
static inline bool
is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
		((unsigned char) c & 0x80) != 0;
}

/* Tells whether a byte is a decimal digit. */
static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* fb_dotnet_class.c */
extern void fb_dotnet_fail(Translation *t, const char *error);
extern void fb_dotnet_note(Translation *t, const char *text);
extern void fb_dotnet_write(Translation *t, const char *bytes, size_t length);
extern void fb_dotnet_put(Translation *t, const char *string);
extern void fb_dotnet_put_number(Translation *t, uint32_t number);
extern void fb_dotnet_put_character(Translation *t, uint32_t c);
extern bool fb_dotnet_skip(Translation *t, const char *word);
extern uint32_t fb_dotnet_next(Translation *t);
extern FbString fb_dotnet_read_name(Translation *t);
extern uint32_t fb_dotnet_read_number(Translation *t);
extern uint32_t fb_dotnet_read_escape(Translation *t);
extern bool fb_dotnet_shorthand(Translation *t, char c);
extern void fb_dotnet_class(Translation *t);

#endif							/* FB_DOTNET_TRANSLATE_H */
