/*
 * fb_dotnet_class.c
 *		Translates characters, escapes and classes of regular expressions of .NET.
 */
#include "core/fb_dotnet_translate.h"

/* The complements of \w and \s by the categories that are left, for use within a class. */
#define NO_WORD			"\\p{Mc}\\p{Me}\\p{Nl}\\p{No}\\p{Pd}\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}\\p{Po}\\p{S}\\p{Z}\\p{C}"
#define NO_SPACE		"\\x{00}-\\x{08}\\x{0E}-\\x{1F}\\x{7F}-\\x{84}\\x{86}-\\x{9F}\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Cn}\\p{Co}"

static const char categories[] =
" L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs C Cc Cf Cn Co Cs ";

/* Blocks of Unicode by their names in .NET. */
static const struct
{
	const char *name;
	uint32_t	first;
	uint32_t	last;
}			blocks[] = {
	{"IsBasicLatin", 0x0000, 0x007F},
	{"IsLatin-1Supplement", 0x0080, 0x00FF},
	{"IsLatinExtended-A", 0x0100, 0x017F},
	{"IsLatinExtended-B", 0x0180, 0x024F},
	{"IsIPAExtensions", 0x0250, 0x02AF},
	{"IsSpacingModifierLetters", 0x02B0, 0x02FF},
	{"IsCombiningDiacriticalMarks", 0x0300, 0x036F},
	{"IsGreek", 0x0370, 0x03FF},
	{"IsGreekandCoptic", 0x0370, 0x03FF},
	{"IsCyrillic", 0x0400, 0x04FF},
	{"IsCyrillicSupplement", 0x0500, 0x052F},
	{"IsArmenian", 0x0530, 0x058F},
	{"IsHebrew", 0x0590, 0x05FF},
	{"IsArabic", 0x0600, 0x06FF},
	{"IsSyriac", 0x0700, 0x074F},
	{"IsDevanagari", 0x0900, 0x097F},
	{"IsBengali", 0x0980, 0x09FF},
	{"IsTamil", 0x0B80, 0x0BFF},
	{"IsThai", 0x0E00, 0x0E7F},
	{"IsLao", 0x0E80, 0x0EFF},
	{"IsTibetan", 0x0F00, 0x0FFF},
	{"IsGeorgian", 0x10A0, 0x10FF},
	{"IsHangulJamo", 0x1100, 0x11FF},
	{"IsEthiopic", 0x1200, 0x137F},
	{"IsCherokee", 0x13A0, 0x13FF},
	{"IsKhmer", 0x1780, 0x17FF},
	{"IsMongolian", 0x1800, 0x18AF},
	{"IsLatinExtendedAdditional", 0x1E00, 0x1EFF},
	{"IsGreekExtended", 0x1F00, 0x1FFF},
	{"IsGeneralPunctuation", 0x2000, 0x206F},
	{"IsSuperscriptsandSubscripts", 0x2070, 0x209F},
	{"IsCurrencySymbols", 0x20A0, 0x20CF},
	{"IsLetterlikeSymbols", 0x2100, 0x214F},
	{"IsNumberForms", 0x2150, 0x218F},
	{"IsArrows", 0x2190, 0x21FF},
	{"IsMathematicalOperators", 0x2200, 0x22FF},
	{"IsMiscellaneousTechnical", 0x2300, 0x23FF},
	{"IsEnclosedAlphanumerics", 0x2460, 0x24FF},
	{"IsBoxDrawing", 0x2500, 0x257F},
	{"IsBlockElements", 0x2580, 0x259F},
	{"IsGeometricShapes", 0x25A0, 0x25FF},
	{"IsMiscellaneousSymbols", 0x2600, 0x26FF},
	{"IsDingbats", 0x2700, 0x27BF},
	{"IsCJKSymbolsandPunctuation", 0x3000, 0x303F},
	{"IsHiragana", 0x3040, 0x309F},
	{"IsKatakana", 0x30A0, 0x30FF},
	{"IsBopomofo", 0x3100, 0x312F},
	{"IsCJKUnifiedIdeographsExtensionA", 0x3400, 0x4DBF},
	{"IsCJKUnifiedIdeographs", 0x4E00, 0x9FFF},
	{"IsHangulSyllables", 0xAC00, 0xD7AF},
	{"IsPrivateUse", 0xE000, 0xF8FF},
	{"IsPrivateUseArea", 0xE000, 0xF8FF},
	{"IsCJKCompatibilityIdeographs", 0xF900, 0xFAFF},
	{"IsArabicPresentationForms-A", 0xFB50, 0xFDFF},
	{"IsHalfwidthandFullwidthForms", 0xFF00, 0xFFEF},
	{"IsSpecials", 0xFFF0, 0xFFFF}
};

/* Gives up. */
void
fb_dotnet_fail(Translation *t, const char *error)
{
	if (t->error == NULL)
	{
		t->error = error;
		t->offset = t->position;
	}
	t->position = t->text.length;
}

/* Keeps the first way in which the meaning may differ. */
void
fb_dotnet_note(Translation *t, const char *text)
{
	if (t->note == NULL)
		t->note = text;
}

/* Writes bytes. */
void
fb_dotnet_write(Translation *t, const char *bytes, size_t length)
{
	if (!t->writing || t->error != NULL)
		return;
	if (t->used + length > t->size)
	{
		size_t		size = (t->used + length) * 2;
		char	   *out = realloc(t->out, size);

		if (out == NULL)
		{
			fb_dotnet_fail(t, "out of memory");
			return;
		}
		t->out = out;
		t->size = size;
	}
	memcpy(t->out + t->used, bytes, length);
	t->used += length;
}

/* Writes a string. */
void
fb_dotnet_put(Translation *t, const char *string)
{
	fb_dotnet_write(t, string, strlen(string));
}

/* Writes a number. */
void
fb_dotnet_put_number(Translation *t, uint32_t number)
{
	char		digits[10];
	int			first = sizeof(digits);

	do
		digits[--first] = (char) ('0' + number % 10);
	while ((number /= 10) > 0);
	fb_dotnet_write(t, digits + first, sizeof(digits) - first);
}

/* Writes a character so that it stands for itself, in a class and outside. */
void
fb_dotnet_put_character(Translation *t, uint32_t c)
{
	static const char hex[] = "0123456789ABCDEF";
	char		plain = (char) c;

	if (c > 0xFFFF)
		fb_dotnet_note(t, "characters beyond U+FFFF are two characters for .NET");
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
	{
		fb_dotnet_write(t, &plain, 1);
		return;
	}
	fb_dotnet_put(t, "\\x{");
	for (int shift = c > 0xFFFF ? 20 : c > 0xFF ? 12 : 4; shift >= 0; shift -= 4)
		fb_dotnet_write(t, &hex[c >> shift & 15], 1);
	fb_dotnet_put(t, "}");
}

/* Passes over a word; false when it is not there. */
bool
fb_dotnet_skip(Translation *t, const char *word)
{
	size_t		length = strlen(word);

	if (t->position + length > t->text.length || memcmp(t->text.data + t->position, word, length) != 0)
		return false;
	t->position += (uint32_t) length;
	return true;
}

/* Reads a character of UTF-8; END behind the last. */
uint32_t
fb_dotnet_next(Translation *t)
{
	unsigned char byte;
	uint32_t	c;
	int			following;

	if (!more(t))
		return END;
	byte = (unsigned char) t->text.data[t->position++];
	following = byte < 0xC0 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
	c = following == 0 ? byte : byte & (0x3F >> following);
	for (; following > 0 && more(t); following--)
		c = c << 6 | ((unsigned char) t->text.data[t->position++] & 0x3F);
	return c & 0x1FFFFF;
}

/* Reads a name. */
FbString
fb_dotnet_read_name(Translation *t)
{
	FbString	name = {t->text.data + t->position, 0};

	while (is_word_byte(peek(t, name.length)))
		name.length++;
	t->position += name.length;
	return name;
}

/* Reads a decimal number. */
uint32_t
fb_dotnet_read_number(Translation *t)
{
	uint64_t	number = 0;

	for (; is_digit(peek(t, 0)); t->position++)
	{
		number = number * 10 + (uint64_t) (peek(t, 0) - '0');
		if (number > MAX_NUMBER)
		{
			fb_dotnet_fail(t, "a number is too large");
			return 0;
		}
	}
	return (uint32_t) number;
}

/* Reads so many hexadecimal digits. */
static uint32_t
read_hex(Translation *t, int digits)
{
	uint32_t	number = 0;

	for (; digits > 0; digits--)
	{
		char		c = peek(t, 0);

		if (is_digit(c))
			number = number << 4 | (uint32_t) (c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint32_t) (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			number = number << 4 | (uint32_t) (c - 'A' + 10);
		else
		{
			fb_dotnet_fail(t, "insufficient hexadecimal digits");
			return 0;
		}
		t->position++;
	}
	return number;
}

/* Reads \uXXXX behind its u; two of them that are a pair are one character. */
static uint32_t
read_unicode(Translation *t)
{
	uint32_t	c = read_hex(t, 4);

	if (c < 0xD800 || c > 0xDFFF)
		return c;
	if (c <= 0xDBFF && fb_dotnet_skip(t, "\\u"))
	{
		uint32_t	low = read_hex(t, 4);

		if (low >= 0xDC00 && low <= 0xDFFF)
			return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
	}
	fb_dotnet_fail(t, "half a surrogate pair cannot be translated");
	return 0;
}

/* Reads an octal number of up to three digits, of which one byte counts. */
static uint32_t
read_octal(Translation *t)
{
	uint32_t	number = 0;

	for (int i = 0; i < 3 && peek(t, 0) >= '0' && peek(t, 0) <= '7'; i++)
		number = number * 8 + (uint32_t) (t->text.data[t->position++] - '0');
	return number & 0xFF;
}

/* Reads an escape that stands for one character, behind its backslash. */
uint32_t
fb_dotnet_read_escape(Translation *t)
{
	char		c = peek(t, 0);

	if (c >= '0' && c <= '7')
		return read_octal(t);
	if (!is_word_byte(c) || ((unsigned char) c & 0x80) != 0)
	{
		uint32_t	literal = fb_dotnet_next(t);

		if (literal == END)
			fb_dotnet_fail(t, "\\ at the end of the pattern");
		return literal;
	}
	t->position++;
	switch (c)
	{
		case 'x':
			return read_hex(t, 2);
		case 'u':
			return read_unicode(t);
		case 'a':
			return '\a';
		case 'b':
			return '\b';
		case 'e':
			return 0x1B;
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		case 'v':
			return '\v';
		case 'c':
			c = peek(t, 0);
			if (c >= 'a' && c <= 'z')
				c -= 'a' - 'A';
			t->position++;
			if (c >= '@' && c < '@' + 0x20)
				return (uint32_t) (c - '@');
			t->position--;
			fb_dotnet_fail(t, "unrecognized control character");
			return 0;
		default:
			fb_dotnet_fail(t, "unrecognized escape sequence");
			return 0;
	}
}

/* Writes the range of a block, or what is left of it. */
static void
put_block(Translation *t, uint32_t first, uint32_t last, bool negated)
{
	if (!negated)
	{
		fb_dotnet_put_character(t, first);
		fb_dotnet_put(t, "-");
		fb_dotnet_put_character(t, last);
		return;
	}
	if (first > 0)
	{
		fb_dotnet_put(t, "\\x{00}-");
		fb_dotnet_put_character(t, first - 1);
	}
	fb_dotnet_put_character(t, last + 1);
	fb_dotnet_put(t, "-\\x{10FFFF}");
}

/* Translates \p{name} behind its p, as it stands in a class. */
static void
translate_category(Translation *t, bool negated)
{
	FbString	name;
	char		padded[8];

	if (!fb_dotnet_skip(t, "{"))
	{
		fb_dotnet_fail(t, "malformed \\p{X} character escape");
		return;
	}
	name.data = t->text.data + t->position;
	for (name.length = 0; is_word_byte(peek(t, name.length)) || peek(t, name.length) == '-'; name.length++)
		;
	t->position += name.length;
	if (!fb_dotnet_skip(t, "}"))
	{
		fb_dotnet_fail(t, "incomplete \\p{X} character escape");
		return;
	}
	if (name.length >= 1 && name.length <= 2)
	{
		padded[0] = padded[name.length + 1] = ' ';
		memcpy(padded + 1, name.data, name.length);
		padded[name.length + 2] = '\0';
		if (strstr(categories, padded) != NULL)
		{
			fb_dotnet_put(t, negated ? "\\P{" : "\\p{");
			fb_dotnet_write(t, name.data, name.length);
			fb_dotnet_put(t, "}");
			return;
		}
	}
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (strlen(blocks[i].name) == name.length && memcmp(blocks[i].name, name.data, name.length) == 0)
		{
			put_block(t, blocks[i].first, blocks[i].last, negated);
			return;
		}
	fb_dotnet_fail(t, "unknown property in \\p{X}");
}

/* Translates \d, \w, \s, \p and their complements, as they stand in a class; false when it is none of them. */
bool
fb_dotnet_shorthand(Translation *t, char c)
{
	switch (c)
	{
		case 'd':
			fb_dotnet_put(t, "\\p{Nd}");
			break;
		case 'D':
			fb_dotnet_put(t, "\\P{Nd}");
			break;
		case 'w':
			fb_dotnet_put(t, WORD);
			break;
		case 'W':
			fb_dotnet_put(t, NO_WORD);
			break;
		case 's':
			fb_dotnet_put(t, SPACE);
			break;
		case 'S':
			fb_dotnet_put(t, NO_SPACE);
			break;
		case 'p':
		case 'P':
			t->position++;
			translate_category(t, c == 'P');
			return true;
		default:
			return false;
	}
	t->position++;
	return true;
}

/* Passes over [:name:] behind its [, which .NET reads as nothing but the [. */
static void
skip_posix_class(Translation *t)
{
	uint32_t	start = t->position;

	t->position++;
	(void) fb_dotnet_read_name(t);
	if (fb_dotnet_skip(t, ":]"))
		fb_dotnet_note(t, "[:name:] means the character [ for .NET");
	else
		t->position = start;
}

/* Reads one character of a class, which is no shorthand; false at the end. */
static bool
read_class_character(Translation *t, uint32_t *c, bool *escaped)
{
	*escaped = false;
	if (peek(t, 0) == '\\' && t->position + UINT64_C(1) < t->text.length)
	{
		t->position++;
		*escaped = true;
		*c = fb_dotnet_read_escape(t);
	}
	else
		*c = fb_dotnet_next(t);
	return *c != END && t->error == NULL;
}

/*
 * Translates what is taken away from a class, from its [ on: x-[y] is not y, then x.  The class that is written
 * already goes behind the new one.
 */
static void
translate_subtraction(Translation *t, size_t start)
{
	size_t		base = t->used;
	char	   *copy;

	fb_dotnet_put(t, "]");
	if (!t->writing || t->error != NULL)
	{
		fb_dotnet_class(t);
		return;
	}
	base = t->used - start;
	copy = malloc(base);
	if (copy == NULL)
	{
		fb_dotnet_fail(t, "out of memory");
		return;
	}
	memcpy(copy, t->out + start, base);
	t->used = start;
	fb_dotnet_put(t, "(?:(?!");
	fb_dotnet_class(t);
	fb_dotnet_put(t, ")");
	fb_dotnet_write(t, copy, base);
	fb_dotnet_put(t, ")");
	free(copy);
}

/* Translates a class, from its [ on. */
void
fb_dotnet_class(Translation *t)
{
	size_t		start = t->used;
	bool		first = true;
	bool		subtracted = false;

	if (t->depth >= MAX_DEPTH)
	{
		fb_dotnet_fail(t, "too deeply nested");
		return;
	}
	t->depth++;
	t->position++;
	fb_dotnet_put(t, "[");
	if (fb_dotnet_skip(t, "^"))
		fb_dotnet_put(t, "^");
	for (;; first = false)
	{
		uint32_t	c;
		uint32_t	last;
		bool		escaped;

		if (!more(t))
		{
			fb_dotnet_fail(t, "unterminated [] set");
			break;
		}
		if (peek(t, 0) == ']' && !first)
		{
			t->position++;
			if (!subtracted)
				fb_dotnet_put(t, "]");
			break;
		}
		if (subtracted)
		{
			fb_dotnet_fail(t, "a subtraction must be the last element in a character class");
			break;
		}
		if (peek(t, 0) == '\\')
		{
			t->position++;
			if (fb_dotnet_shorthand(t, peek(t, 0)))
				continue;
			if (fb_dotnet_skip(t, "-"))
			{
				fb_dotnet_put(t, "\\x{2D}");
				continue;
			}
			t->position--;
		}
		if (peek(t, 0) == '-' && peek(t, 1) == '[' && !first)
		{
			t->position++;
			translate_subtraction(t, start);
			subtracted = true;
			continue;
		}
		if (!read_class_character(t, &c, &escaped))
			break;
		if (c == '[' && !escaped && peek(t, 0) == ':')
			skip_posix_class(t);
		if (peek(t, 0) != '-' || t->position + UINT64_C(2) > t->text.length || peek(t, 1) == ']')
		{
			fb_dotnet_put_character(t, c);
			continue;
		}
		t->position++;
		if (peek(t, 0) == '[')
		{
			fb_dotnet_put_character(t, c);
			translate_subtraction(t, start);
			subtracted = true;
			continue;
		}
		if (peek(t, 0) == '\\' && peek(t, 1) != '\0' && strchr("dDwWsSpP", peek(t, 1)) != NULL)
		{
			fb_dotnet_fail(t, "a class of characters cannot end a range");
			break;
		}
		if (!read_class_character(t, &last, &escaped))
			break;
		if (c > last)
		{
			fb_dotnet_fail(t, "[x-y] range in reverse order");
			break;
		}
		fb_dotnet_put_character(t, c);
		fb_dotnet_put(t, "-");
		fb_dotnet_put_character(t, last);
	}
	t->depth--;
}
