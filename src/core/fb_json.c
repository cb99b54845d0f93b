/*
 * fb_json.c
 *		Checks JSON (RFC 8259) by one pass, without recursion.
 */
#include <string.h>

#include "core/fb_json.h"

typedef struct Parser
{
	FbString	text;
	uint32_t	position;
	bool		ascii_escapes;	/* \u may only stand for ASCII */
} Parser;

/* Returns the next character, 0 at the end. */
static inline char
peek(const Parser *parser)
{
	return parser->position < parser->text.length ? parser->text.data[parser->position] : '\0';
}

/* Passes over white space. */
static void
skip_space(Parser *parser)
{
	while (peek(parser) == ' ' || peek(parser) == '\t' || peek(parser) == '\n' || peek(parser) == '\r')
		parser->position++;
}

/* Passes over a character; false when another one is there. */
static bool
skip(Parser *parser, char c)
{
	if (peek(parser) != c)
		return false;
	parser->position++;
	return true;
}

/* Passes over a word. */
static bool
skip_word(Parser *parser, const char *word)
{
	size_t		length = strlen(word);

	if (parser->text.length - parser->position < length ||
		memcmp(parser->text.data + parser->position, word, length) != 0)
		return false;
	parser->position += (uint32_t) length;
	return true;
}

/* Passes over digits; false when there is none. */
static bool
skip_digits(Parser *parser)
{
	uint32_t	start = parser->position;

	while (peek(parser) >= '0' && peek(parser) <= '9')
		parser->position++;
	return parser->position > start;
}

/* Passes over an exponent, whose value must not be too large. */
static bool
skip_exponent(Parser *parser)
{
	uint32_t	value = 0;
	uint32_t	start;

	if (!skip(parser, '+'))
		(void) skip(parser, '-');
	start = parser->position;
	if (!skip_digits(parser))
		return false;
	for (; start < parser->position && value <= FB_JSON_MAX_NUMBER; start++)
		value = value * 10 + (uint32_t) (parser->text.data[start] - '0');
	return value <= FB_JSON_MAX_NUMBER;
}

/* Passes over a number. */
static bool
skip_number(Parser *parser)
{
	uint32_t	start = parser->position;

	(void) skip(parser, '-');
	if (!skip(parser, '0') && !skip_digits(parser))
		return false;
	if (skip(parser, '.') && !skip_digits(parser))
		return false;
	if ((skip(parser, 'e') || skip(parser, 'E')) && !skip_exponent(parser))
		return false;
	return parser->position - start <= FB_JSON_MAX_NUMBER;
}

/* Reads four hexadecimal digits; 0, which the server does not take, when they are none. */
static uint32_t
read_hex(Parser *parser)
{
	uint32_t	code = 0;

	for (int i = 0; i < 4; i++, parser->position++)
	{
		char		c = peek(parser);

		if (c >= '0' && c <= '9')
			code = code << 4 | (uint32_t) (c - '0');
		else if (c >= 'a' && c <= 'f')
			code = code << 4 | (uint32_t) (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			code = code << 4 | (uint32_t) (c - 'A' + 10);
		else
			return 0;
	}
	return code;
}

/* Passes over what follows \u. */
static bool
skip_unicode(Parser *parser)
{
	uint32_t	code = read_hex(parser);

	if (code == 0 || (parser->ascii_escapes && code > 0x7F))
		return false;
	if (code < 0xD800 || code > 0xDFFF)
		return true;
	if (code > 0xDBFF || !skip_word(parser, "\\u"))
		return false;
	code = read_hex(parser);
	return code >= 0xDC00 && code <= 0xDFFF;
}

/* Passes over a string. */
static bool
skip_string(Parser *parser)
{
	if (!skip(parser, '"'))
		return false;
	while (parser->position < parser->text.length)
	{
		char		c = parser->text.data[parser->position++];

		if (c == '"')
			return true;
		if ((unsigned char) c < 0x20)
			return false;
		if (c != '\\')
			continue;
		c = peek(parser);
		if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
			return false;
		parser->position++;
		if (c == 'u' && !skip_unicode(parser))
			return false;
	}
	return false;
}

/* Passes over a scalar. */
static bool
skip_scalar(Parser *parser)
{
	switch (peek(parser))
	{
		case '"':
			return skip_string(parser);
		case 't':
			return skip_word(parser, "true");
		case 'f':
			return skip_word(parser, "false");
		case 'n':
			return skip_word(parser, "null");
		default:
			return skip_number(parser);
	}
}

/* Passes over the key of a member and its colon. */
static bool
skip_key(Parser *parser)
{
	skip_space(parser);
	if (!skip_string(parser))
		return false;
	skip_space(parser);
	return skip(parser, ':');
}

/* Tells whether text is one JSON value that the server can take. */
bool
fb_json_valid(FbString text, bool ascii_escapes)
{
	Parser		parser = {text, 0, ascii_escapes};
	bool		in_object[FB_JSON_MAX_DEPTH];
	uint32_t	depth = 0;

	for (;;)
	{
		bool		opened = false;

		skip_space(&parser);
		if (peek(&parser) == '{' || peek(&parser) == '[')
		{
			bool		object = text.data[parser.position++] == '{';

			if (depth == FB_JSON_MAX_DEPTH)
				return false;
			in_object[depth++] = object;
			skip_space(&parser);
			opened = peek(&parser) != (object ? '}' : ']');
			if (opened && object && !skip_key(&parser))
				return false;
		}
		else if (!skip_scalar(&parser))
			return false;
		if (opened)
			continue;
		/* behind a value: what it is in ends, or goes on */
		for (;; depth--)
		{
			skip_space(&parser);
			if (depth == 0)
				return parser.position == text.length;
			if (skip(&parser, ','))
				break;
			if (!skip(&parser, in_object[depth - 1] ? '}' : ']'))
				return false;
		}
		if (in_object[depth - 1] && !skip_key(&parser))
			return false;
	}
}
