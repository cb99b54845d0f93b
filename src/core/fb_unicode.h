/*
 * fb_unicode.h
 *		Characters: what they are and their lower case, whatever the locale.
 */
#ifndef FB_UNICODE_H
#define FB_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General categories L, N, P and S, and what the rule of the final sigma asks. */
#define FB_LETTER			1
#define FB_NUMBER			2
#define FB_PUNCTUATION		4
#define FB_SYMBOL			8
#define FB_CASED			16
#define FB_CASE_IGNORABLE	32

extern const char *fb_unicode_version(void);
extern unsigned fb_unicode_beyond_ascii(uint32_t code);
extern uint32_t fb_lower_beyond_ascii(uint32_t code);
extern const uint8_t fb_ascii_properties[128];

/* Returns the properties of a character. */
static inline unsigned
fb_properties(uint32_t code)
{
	return code < 0x80 ? fb_ascii_properties[code] : fb_unicode_beyond_ascii(code);
}

/* Tells whether a character is white space: the characters of Python's str.isspace(). */
static inline bool
fb_is_space(uint32_t code)
{
	if (code < 0x80)
		return code == 0x20 || (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x1F);
	return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
		code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Tells whether a character is a letter, a number or the underscore: \w of Python's re. */
static inline bool
fb_is_word(uint32_t code)
{
	return code == '_' || (fb_properties(code) & (FB_LETTER | FB_NUMBER)) != 0;
}

/* Tells whether a character is one of the 32 marks of ASCII. */
static inline bool
fb_is_ascii_mark(uint32_t code)
{
	return (code >= 0x21 && code <= 0x2F) || (code >= 0x3A && code <= 0x40) ||
		(code >= 0x5B && code <= 0x60) || (code >= 0x7B && code <= 0x7E);
}

/* Returns the simple lower case of a character. */
static inline uint32_t
fb_lower_simple(uint32_t code)
{
	if (code < 0x80)
		return code >= 'A' && code <= 'Z' ? code + 32 : code;
	return fb_lower_beyond_ascii(code);
}

extern size_t fb_utf8_decode(const char *data, size_t length, uint32_t *codes);
extern size_t fb_lower(const uint32_t *codes, size_t count, uint32_t *lowered);

#endif							/* FB_UNICODE_H */
