/*
 * fb_dotnet.c
 *		Reads numbers, booleans and lists as .NET does in the invariant culture.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_dotnet.h"

/*
 * Digits that decide the nearest double: of the digits after so many only
 * matters whether one of them is not zero.
 */
#define MAX_DIGITS 770

/* Beyond this power of ten every double is zero or infinite, whatever its digits (there are fewer than 2^32). */
#define MAX_EXPONENT INT64_C(10000000000)

/* Numbers of so many digits, and powers of ten up to this one, are exact doubles. */
#define EXACT_DIGITS 15
#define EXACT_POWER 22

static const double powers[EXACT_POWER + 1] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
	1e21, 1e22
};

/* A decimal number: 0.digits times ten to the power of scale. */
typedef struct Decimal
{
	bool		negative;
	bool		any_digit;		/* also a zero */
	uint32_t	count;
	int64_t		scale;
	char		digits[MAX_DIGITS + 1];	/* without leading zeros */
} Decimal;

/* Returns the character at a position, a line's end of 0 behind the last. */
static inline char
at(FbString text, uint32_t position)
{
	return position < text.length ? text.data[position] : '\0';
}

/* Tells whether a character is a decimal digit. */
static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Tells whether a character may surround a number. */
static inline bool
is_number_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Keeps a digit. */
static inline void
keep_digit(Decimal *decimal, char digit, bool fraction)
{
	decimal->any_digit = true;
	if (digit == '0' && decimal->count == 0)
	{
		if (fraction)
			decimal->scale--;
		return;
	}
	if (!fraction)
		decimal->scale++;
	if (decimal->count < MAX_DIGITS)
		decimal->digits[decimal->count++] = digit;
	else if (digit != '0')
		decimal->digits[MAX_DIGITS - 1] = '1';	/* stands for all that follow */
}

/* Reads an exponent behind its e; returns the position after it, or that of the e when it is none. */
static uint32_t
read_exponent(FbString text, uint32_t e, Decimal *decimal)
{
	uint32_t	position = e + 1;
	bool		negative = at(text, position) == '-';
	int64_t		exponent = 0;

	if (negative || at(text, position) == '+')
		position++;
	if (!is_digit(at(text, position)))
		return e;
	for (; is_digit(at(text, position)); position++)
		if (exponent < MAX_EXPONENT)
			exponent = exponent * 10 + (text.data[position] - '0');
	decimal->scale += negative ? -exponent : exponent;
	return position;
}

/*
 * Reads NumberStyles.Float with AllowThousands: white space around, one sign
 * before, digits with "," anywhere after the first of the whole part, ".", exponent.
 */
static bool
read_decimal(FbString text, Decimal *decimal)
{
	uint32_t	position = 0;
	bool		fraction = false;

	while (is_number_space(at(text, position)))
		position++;
	if (at(text, position) == '-' || at(text, position) == '+')
		decimal->negative = text.data[position++] == '-';
	for (;; position++)
	{
		char		c = at(text, position);

		if (is_digit(c))
			keep_digit(decimal, c, fraction);
		else if (c == '.' && !fraction)
			fraction = true;
		else if (c != ',' || fraction || !decimal->any_digit)
			break;
	}
	if (!decimal->any_digit)
		return false;
	if (at(text, position) == 'e' || at(text, position) == 'E')
		position = read_exponent(text, position, decimal);
	while (is_number_space(at(text, position)))
		position++;
	return position >= text.length;
}

/* Returns the double nearest to a decimal number. */
static double
nearest_double(Decimal *decimal)
{
	int64_t		power = decimal->scale - decimal->count;
	char		buffer[MAX_DIGITS + 16];
	char	   *next = buffer;

	if (decimal->count == 0)
		return 0;
	if (decimal->count <= EXACT_DIGITS && power >= -EXACT_POWER && power <= EXACT_POWER)
	{
		int64_t		whole = 0;

		for (uint32_t i = 0; i < decimal->count; i++)
			whole = whole * 10 + (decimal->digits[i] - '0');
		return power < 0 ? (double) whole / powers[-power] : (double) whole * powers[power];
	}
	if (decimal->scale > 400)
		return INFINITY;
	if (decimal->scale < -400)
		return 0;
	/* without a point, which is the locale's affair */
	memcpy(next, decimal->digits, decimal->count);
	next += decimal->count;
	*next++ = 'e';
	if (power < 0)
		*next++ = '-';
	power = power < 0 ? -power : power;
	for (int64_t unit = 1000; unit > 0; unit /= 10)
		*next++ = (char) ('0' + power / unit % 10);
	*next = '\0';
	return strtod(buffer, NULL);
}

/* Returns the length of the white space (in .NET's sense, Unicode) at the start of UTF-8, 0: there is none. */
static uint32_t
space_at(FbString text)
{
	const unsigned char *c = (const unsigned char *) text.data;

	if (text.length == 0)
		return 0;
	if (is_number_space((char) c[0]))
		return 1;
	if (text.length >= 2 && c[0] == 0xC2 && (c[1] == 0x85 || c[1] == 0xA0))
		return 2;
	if (text.length < 3)
		return 0;
	if ((c[0] == 0xE1 && c[1] == 0x9A && c[2] == 0x80) ||	/* U+1680 */
		(c[0] == 0xE2 && c[1] == 0x80 && (c[2] <= 0x8A || c[2] == 0xA8 || c[2] == 0xA9 || c[2] == 0xAF)) ||
		(c[0] == 0xE2 && c[1] == 0x81 && c[2] == 0x9F) ||	/* U+205F */
		(c[0] == 0xE3 && c[1] == 0x80 && c[2] == 0x80)) /* U+3000 */
		return 3;
	return 0;
}

/* Takes white space off both ends. */
static FbString
trim(FbString text)
{
	uint32_t	space;
	uint32_t	end = 0;
	FbString	rest;

	while ((space = space_at(text)) > 0)
	{
		text.data += space;
		text.length -= space;
	}
	/* the end of the last character that is no white space */
	rest = text;
	while (rest.length > 0)
	{
		space = space_at(rest);
		if (space == 0)
		{
			space = 1;
			end = (uint32_t) (rest.data - text.data) + 1;
		}
		rest.data += space;
		rest.length -= space;
	}
	text.length = end;
	return text;
}

/* Tells whether text is a lower-case ASCII word, whatever its own case. */
static bool
is_word(FbString text, const char *word)
{
	if (text.length != strlen(word))
		return false;
	for (uint32_t i = 0; i < text.length; i++)
		if ((text.data[i] >= 'A' && text.data[i] <= 'Z' ? text.data[i] + ('a' - 'A') : text.data[i]) != word[i])
			return false;
	return true;
}

/* Reads a number as double.TryParse does; what is not a number counts as none, too: nothing compares with it. */
bool
fb_dotnet_double(FbString text, double *number)
{
	Decimal		decimal;
	bool		negative;

	decimal.negative = false;
	decimal.any_digit = false;
	decimal.count = 0;
	decimal.scale = 0;
	if (read_decimal(text, &decimal))
	{
		*number = nearest_double(&decimal);
		if (decimal.negative)
			*number = -*number;
		return true;
	}
	text = trim(text);
	negative = at(text, 0) == '-';
	if (negative || at(text, 0) == '+')
	{
		text.data++;
		text.length--;
	}
	*number = negative ? -INFINITY : INFINITY;
	return is_word(text, "infinity");
}

/* Reads a whole number as int.TryParse does: white space around, a sign, digits. */
bool
fb_dotnet_int(FbString text, int32_t *number)
{
	uint32_t	position = 0;
	bool		negative;
	bool		any_digit = false;
	int64_t		value = 0;

	while (is_number_space(at(text, position)))
		position++;
	negative = at(text, position) == '-';
	if (negative || at(text, position) == '+')
		position++;
	for (; is_digit(at(text, position)); position++)
	{
		any_digit = true;
		if (value <= INT32_MAX)
			value = value * 10 + (text.data[position] - '0');
	}
	while (is_number_space(at(text, position)))
		position++;
	if (!any_digit || position < text.length || value > (int64_t) INT32_MAX + negative)
		return false;
	*number = (int32_t) (negative ? -value : value);
	return true;
}

/* Reads a boolean as bool.TryParse does. */
bool
fb_dotnet_bool(FbString text, bool *value)
{
	text = trim(text);
	*value = is_word(text, "true");
	return *value || is_word(text, "false");
}

/* Tells whether text is white space or nothing. */
bool
fb_dotnet_blank(FbString text)
{
	return trim(text).length == 0;
}

/* Passes over the white space of JSON. */
static void
skip_json_space(FbJsonList *list)
{
	for (;; list->position++)
	{
		char		c = at(list->text, list->position);

		if (list->position >= list->text.length || (c != ' ' && c != '\t' && c != '\n' && c != '\r'))
			return;
	}
}

/* Passes over a word; false when it is not there. */
static bool
skip_word(FbJsonList *list, const char *word)
{
	size_t		length = strlen(word);

	if (list->text.length - list->position < length ||
		memcmp(list->text.data + list->position, word, length) != 0)
		return false;
	list->position += (uint32_t) length;
	return true;
}

/* Opens a list; false when the text is neither an array nor null. */
bool
fb_json_list_open(FbJsonList *list, FbString text)
{
	list->text = text;
	list->position = 0;
	list->started = false;
	skip_json_space(list);
	list->is_null = skip_word(list, "null");
	if (!list->is_null)
		return skip_word(list, "[");
	skip_json_space(list);
	return list->position == text.length;
}

/* Reads four hexadecimal digits. */
static bool
read_hex(FbJsonList *list, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++)
	{
		char		c = at(list->text, list->position);

		if (is_digit(c))
			*code = *code << 4 | (uint32_t) (c - '0');
		else if (c >= 'a' && c <= 'f')
			*code = *code << 4 | (uint32_t) (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			*code = *code << 4 | (uint32_t) (c - 'A' + 10);
		else
			return false;
		list->position++;
	}
	return true;
}

/* Writes a character as UTF-8; returns its length. */
static uint32_t
write_utf8(uint32_t code, char *buffer)
{
	if (code < 0x80)
	{
		buffer[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		buffer[0] = (char) (0xC0 | code >> 6);
		buffer[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		buffer[0] = (char) (0xE0 | code >> 12);
		buffer[1] = (char) (0x80 | (code >> 6 & 0x3F));
		buffer[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	buffer[0] = (char) (0xF0 | code >> 18);
	buffer[1] = (char) (0x80 | (code >> 12 & 0x3F));
	buffer[2] = (char) (0x80 | (code >> 6 & 0x3F));
	buffer[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

/* Reads \uXXXX behind its u; two that are a pair are one character, half a pair is none. */
static bool
read_unicode_escape(FbJsonList *list, uint32_t *code)
{
	uint32_t	low;

	if (!read_hex(list, code))
		return false;
	if (*code < 0xD800 || *code > 0xDFFF)
		return true;
	if (*code > 0xDBFF || !skip_word(list, "\\u") || !read_hex(list, &low) || low < 0xDC00 || low > 0xDFFF)
		return false;
	*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
	return true;
}

/* Reads a string behind its first quote into a buffer that is as long as the text; false when it is broken. */
static bool
read_json_string(FbJsonList *list, char *buffer, FbString *item)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";

	item->data = buffer;
	item->length = 0;
	while (list->position < list->text.length)
	{
		char		c = list->text.data[list->position++];
		uint32_t	code;

		if (c == '"')
			return true;
		if ((unsigned char) c < 0x20)
			return false;
		if (c != '\\')
		{
			buffer[item->length++] = c;
			continue;
		}
		if (list->position >= list->text.length)
			return false;
		c = list->text.data[list->position++];
		if (c == 'u')
		{
			if (!read_unicode_escape(list, &code))
				return false;
			item->length += write_utf8(code, buffer + item->length);
		}
		else
		{
			const char *escape = c == '\0' ? NULL : strchr(escapes, c);

			if (escape == NULL)
				return false;
			buffer[item->length++] = meanings[escape - escapes];
		}
	}
	return false;
}

/*
 * Reads the next element of a list: a string, which stands in a buffer of at
 * least the text's length, or null.  After the end the text must end, too.
 */
FbJsonItem
fb_json_list_next(FbJsonList *list, char *buffer, FbString *item)
{
	if (list->is_null)
		return FB_JSON_END;
	skip_json_space(list);
	if (skip_word(list, "]"))
	{
		skip_json_space(list);
		return list->position == list->text.length ? FB_JSON_END : FB_JSON_BROKEN;
	}
	if (list->started)
	{
		if (!skip_word(list, ","))
			return FB_JSON_BROKEN;
		skip_json_space(list);
	}
	list->started = true;
	if (skip_word(list, "null"))
		return FB_JSON_NULL;
	if (!skip_word(list, "\"") || !read_json_string(list, buffer, item))
		return FB_JSON_BROKEN;
	return FB_JSON_STRING;
}
