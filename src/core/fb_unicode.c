/*
 * fb_unicode.c
 *		Properties of characters, lower case, and the reading of UTF-8.
 */
#include "core/fb_unicode.h"

#include <string.h>

typedef struct FbLowerRange
{
	uint32_t	first;
	uint32_t	last;
	int32_t		step;			/* 2: every second letter */
	int32_t		delta;
} FbLowerRange;

typedef struct FbPropertyRange
{
	uint32_t	first;
	uint32_t	last;
	uint32_t	flags;
} FbPropertyRange;

#include "core/fb_unicode_table.h"

#define CAPITAL_I_DOT		0x0130
#define CAPITAL_SIGMA		0x03A3
#define SMALL_SIGMA			0x03C3
#define FINAL_SIGMA			0x03C2
#define COMBINING_DOT		0x0307

#define L FB_LETTER | FB_CASED
#define N FB_NUMBER
#define P FB_PUNCTUATION
#define S FB_SYMBOL
#define I FB_CASE_IGNORABLE

const uint8_t fb_ascii_properties[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, P, P, P, S, P, P, P | I, P, P, P, S, P, P, P | I, P,
	N, N, N, N, N, N, N, N, N, N, P | I, P, S, S, S, P,
	P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, P, P, P, S | I, P,
	S | I, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, P, S, P, S, 0
};

/* Names the Unicode that the table is of. */
const char *
fb_unicode_version(void)
{
	return FB_UNICODE_VERSION;
}

/* Returns the properties of a character beyond ASCII. */
unsigned
fb_unicode_beyond_ascii(uint32_t code)
{
	size_t		low = 0;
	size_t		high = sizeof(property_ranges) / sizeof(property_ranges[0]);

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (code < property_ranges[middle].first)
			high = middle;
		else if (code > property_ranges[middle].last)
			low = middle + 1;
		else
			return property_ranges[middle].flags;
	}
	return 0;
}

/* Returns the simple lower case of a character beyond ASCII. */
uint32_t
fb_lower_beyond_ascii(uint32_t code)
{
	size_t		low = 0;
	size_t		high = sizeof(lower_ranges) / sizeof(lower_ranges[0]);

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		const FbLowerRange *range = &lower_ranges[middle];

		if (code < range->first)
			high = middle;
		else if (code > range->last)
			low = middle + 1;
		else
			return (code - range->first) % (uint32_t) range->step == 0 ?
				(uint32_t) ((int32_t) code + range->delta) : code;
	}
	return code;
}

/* Tells whether the sigma at a position ends a word: a cased letter before it, none after it. */
static bool
is_final_sigma(const uint32_t *codes, size_t count, size_t position)
{
	size_t		i = position;
	unsigned	flags = 0;

	while (i > 0 && ((flags = fb_properties(codes[i - 1])) & FB_CASE_IGNORABLE))
		i--;
	if (i == 0 || !(flags & FB_CASED))
		return false;
	for (i = position + 1; i < count && ((flags = fb_properties(codes[i])) & FB_CASE_IGNORABLE); i++)
		;
	return i == count || !(flags & FB_CASED);
}

/*
 * Lowers text; lowered has room for 2 count characters. Simple mapping, but
 * for the two that depend on no language: I with a dot becomes two
 * characters, and a sigma at the end of a word the final one (The Unicode
 * Standard, 3.13, Final_Sigma).
 */
size_t
fb_lower(const uint32_t *codes, size_t count, uint32_t *lowered)
{
	size_t		length = 0;

	for (size_t i = 0; i < count; i++)
	{
		if (codes[i] == CAPITAL_SIGMA)
			lowered[length++] = is_final_sigma(codes, count, i) ? FINAL_SIGMA : SMALL_SIGMA;
		else if (codes[i] == CAPITAL_I_DOT)
		{
			lowered[length++] = 'i';
			lowered[length++] = COMBINING_DOT;
		}
		else
			lowered[length++] = fb_lower_simple(codes[i]);
	}
	return length;
}

/* Reads a character of two bytes or more; its length, or 0 when it is not UTF-8. */
static size_t
decode_long(const unsigned char *at, size_t left, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;

	if (at[0] < 0xC2 || at[0] > 0xF4 || length > left)
		return 0;
	*code = at[0] & (0x7Fu >> length);
	for (size_t i = 1; i < length; i++)
	{
		if ((at[i] & 0xC0) != 0x80)
			return 0;
		*code = (*code << 6) | (at[i] & 0x3F);
	}
	if (*code < smallest[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
		return 0;
	return length;
}

/*
 * Reads UTF-8 into characters; codes has room for as many as there are bytes.
 * A byte that is not UTF-8 becomes a character of its own, 0xDC00 + byte, that
 * equals nothing but itself.
 */
size_t
fb_utf8_decode(const char *data, size_t length, uint32_t *codes)
{
	const unsigned char *at = (const unsigned char *) data;
	const unsigned char *end = at + length;
	size_t		count = 0;

	while (at < end)
	{
		size_t		bytes = 1;

		/* runs of ASCII, eight bytes at a time */
		while (end - at >= 8)
		{
			uint64_t	eight;

			memcpy(&eight, at, 8);
			if (eight & UINT64_C(0x8080808080808080))
				break;
			for (int i = 0; i < 8; i++)
				codes[count + (size_t) i] = at[i];
			count += 8;
			at += 8;
		}
		if (at == end)
			break;
		if (*at < 0x80)
			codes[count] = *at;
		else if ((bytes = decode_long(at, (size_t) (end - at), &codes[count])) == 0)
		{
			codes[count] = 0xDC00u + *at;
			bytes = 1;
		}
		count++;
		at += bytes;
	}
	return count;
}
