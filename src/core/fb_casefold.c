/*
 * fb_casefold.c
 *		Unicode's simple case folding (CaseFolding.txt, status C and S) of UTF-8.
 *
 * A letter folds to one letter, whatever stands beside it and whatever the
 * locale: I is i, not the dotless one; sharp s stays, and its capital folds
 * to it.  Bytes that are not UTF-8 stay as they are.
 */
#include "core/fb_casefold.h"

typedef struct FbCaseRange
{
	uint32_t	first;
	uint32_t	last;
	int32_t		step;			/* 2: every second letter */
	int32_t		delta;
} FbCaseRange;

#include "core/fb_casefold_table.h"

/* Folds a code point beyond ASCII. */
static uint32_t
fold_code(uint32_t code)
{
	uint32_t	low = 0;
	uint32_t	high = sizeof(case_ranges) / sizeof(case_ranges[0]);

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		const FbCaseRange *range = &case_ranges[middle];

		if (code < range->first)
			high = middle;
		else if (code > range->last)
			low = middle + 1;
		else
		{
			bool		folds = (code - range->first) % (uint32_t) range->step == 0;

			return folds ? (uint32_t) ((int32_t) code + range->delta) : code;
		}
	}
	return code;
}

/* Reads a character of two bytes or more; its length, or 0 when it is not UTF-8. */
static uint32_t
decode(const unsigned char *at, uint32_t left, uint32_t *code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t	length = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
	uint32_t	i;

	if (at[0] < 0xC2 || at[0] > 0xF4 || length > left)
		return 0;
	*code = at[0] & (0x7Fu >> length);
	for (i = 1; i < length; i++)
	{
		if ((at[i] & 0xC0) != 0x80)
			return 0;
		*code = *code << 6 | (at[i] & 0x3F);
	}
	if (*code < smallest[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
		return 0;
	return length;
}

/* Writes a character beyond ASCII; its length. */
static uint32_t
encode(uint32_t code, char *out)
{
	uint32_t	length = code >= 0x10000 ? 4 : code >= 0x800 ? 3 : 2;
	uint32_t	i;

	for (i = length - 1; i > 0; i--)
	{
		out[i] = (char) (0x80 | (code & 0x3F));
		code >>= 6;
	}
	out[0] = (char) ((0xF00u >> length & 0xFF) | code);
	return length;
}

/* Folds text into memory of FB_FOLDED_SIZE; its new length. */
uint32_t
fb_casefold(FbString text, char *folded)
{
	const unsigned char *in = (const unsigned char *) text.data;
	uint32_t	used = 0;
	uint32_t	i = 0;

	while (i < text.length)
	{
		uint32_t	code;
		uint32_t	length = in[i] < 0x80 ? 0 : decode(in + i, text.length - i, &code);

		if (length == 0)
		{
			folded[used++] = (char) (in[i] >= 'A' && in[i] <= 'Z' ? in[i] + ('a' - 'A') : in[i]);
			i++;
			continue;
		}
		i += length;
		code = fold_code(code);
		if (code < 0x80)
			folded[used++] = (char) code;
		else
			used += encode(code, folded + used);
	}
	return used;
}

/* Tells whether text is folded already; text beyond ASCII is not looked at closely. */
static bool
is_folded(FbString text)
{
	uint32_t	upper = 0;
	uint32_t	i;

	for (i = 0; i < text.length; i++)
	{
		unsigned char byte = (unsigned char) text.data[i];

		upper |= (byte & 0x80) | ((unsigned char) (byte - 'A') < 26);
	}
	return upper == 0;
}

/* Converts a string of the context to UTF-8 and folds it; false when it cannot be converted. */
bool
fb_fold_begin(const FbContext *context, FbString string, FbFolded *folded)
{
	size_t		size;
	char	   *memory = folded->buffer;

	folded->allocated = NULL;
	if (is_folded(string))
	{
		folded->text = string;
		return true;
	}
	if (context->methods->to_utf8 != NULL && !context->methods->to_utf8(context, string, &string))
		return false;
	size = FB_FOLDED_SIZE(string.length);
	if (size > FB_FOLDED_BUFFER)
		memory = folded->allocated = context->methods->allocate(context, size);
	folded->text.length = fb_casefold(string, memory);
	folded->text.data = memory;
	return true;
}

/* Gives the memory of a folded string back. */
void
fb_fold_end(const FbContext *context, FbFolded *folded)
{
	if (folded->allocated != NULL)
		context->methods->release(context, folded->allocated);
}
