/*
 * fb_tokenize.c
 *		Tokenisers.
 *
 * Those of BLEU are sequences of replacements by regular expressions, each of
 * which consumes what it has matched: mteval-v13a.pl and mteval-v14.pl of NIST
 * in the form of Post (2018), A call for clarity in reporting BLEU scores,
 * WMT. Each pass below is one of these replacements.
 */
#include "core/fb_tokenize.h"

/* Deletes every occurrence of an ASCII word, or puts a character in its place. */
static void
replace_word(FbCodes *text, const char *word, uint32_t replacement)
{
	size_t		length = 0;
	size_t		out = 0;

	while (word[length] != '\0')
		length++;
	for (size_t i = 0; i < text->count;)
	{
		size_t		j = 0;

		while (j < length && i + j < text->count && text->codes[i + j] == (unsigned char) word[j])
			j++;
		if (j == length)
		{
			if (replacement != 0)
				text->codes[out++] = replacement;
			i += length;
		}
		else
			text->codes[out++] = text->codes[i++];
	}
	text->count = out;
}

/* Tells whether 13a sets a character apart wherever it stands. */
static bool
is_apart(uint32_t code)
{
	return (code >= 0x20 && code <= 0x26) || (code >= 0x28 && code <= 0x2B) || code == 0x2F ||
		(code >= 0x3A && code <= 0x40) || (code >= 0x5B && code <= 0x60) || (code >= 0x7B && code <= 0x7E);
}

/* Tells whether a character is a digit of ASCII. */
static bool
is_digit(uint32_t code)
{
	return code >= '0' && code <= '9';
}

/* Tells whether a character is a full stop or a comma. */
static bool
is_point(uint32_t code)
{
	return code == '.' || code == ',';
}

/* Texts up to this length get the room that the worst text would need. */
#define SMALL 16384

/* Puts blanks around all characters of a kind. */
static FbCodes
set_apart(FbWork *work, FbCodes text, bool (*kind) (uint32_t))
{
	FbCodes		result = {NULL, 0};
	size_t		room = 3 * text.count;

	if (text.count > SMALL)
	{
		room = text.count;
		for (size_t i = 0; i < text.count; i++)
			room += kind(text.codes[i]) ? 2 : 0;
	}
	result.codes = fb_work_array(work, uint32_t, room);
	for (size_t i = 0; i < text.count; i++)
	{
		if (kind(text.codes[i]))
		{
			result.codes[result.count++] = ' ';
			result.codes[result.count++] = text.codes[i];
			result.codes[result.count++] = ' ';
		}
		else
			result.codes[result.count++] = text.codes[i];
	}
	return result;
}

/*
 * Puts blanks into pairs of neighbours, the first of one kind and the second
 * of another: x, blank, y, blank; or blank, x, blank, y.
 */
static FbCodes
part_pairs(FbWork *work, FbCodes text, bool (*first) (uint32_t), bool (*second) (uint32_t), bool blank_first)
{
	FbCodes		result = {NULL, 0};
	size_t		room = 2 * text.count;
	size_t		i;

	if (text.count > SMALL)
	{
		room = text.count;
		for (i = 0; i + 1 < text.count; i++)
			room += first(text.codes[i]) && second(text.codes[i + 1]) ? 2 : 0;
	}
	result.codes = fb_work_array(work, uint32_t, room);
	i = 0;
	while (i < text.count)
	{
		if (i + 1 < text.count && first(text.codes[i]) && second(text.codes[i + 1]))
		{
			if (blank_first)
				result.codes[result.count++] = ' ';
			result.codes[result.count++] = text.codes[i];
			result.codes[result.count++] = ' ';
			result.codes[result.count++] = text.codes[i + 1];
			if (!blank_first)
				result.codes[result.count++] = ' ';
			i += 2;
		}
		else
			result.codes[result.count++] = text.codes[i++];
	}
	return result;
}

/* The kinds of characters that pairs are made of. */
static bool
is_no_digit(uint32_t code)
{
	return !is_digit(code);
}

static bool
is_hyphen(uint32_t code)
{
	return code == '-';
}

static bool
is_number(uint32_t code)
{
	return (fb_properties(code) & FB_NUMBER) != 0;
}

static bool
is_no_number(uint32_t code)
{
	return !is_number(code);
}

static bool
is_punctuation(uint32_t code)
{
	return (fb_properties(code) & FB_PUNCTUATION) != 0;
}

static bool
is_symbol(uint32_t code)
{
	return (fb_properties(code) & FB_SYMBOL) != 0;
}

/* Applies the replacements of 13a. */
static FbCodes
apply_13a(FbWork *work, FbCodes text)
{
	FbCodes		padded = {fb_work_array(work, uint32_t, text.count + 2), 1};
	bool		has_entity = false;

	padded.codes[0] = ' ';
	for (size_t i = 0; i < text.count; i++)
	{
		padded.codes[padded.count++] = text.codes[i];
		has_entity = has_entity || text.codes[i] == '&';
	}
	replace_word(&padded, "<skipped>", 0);
	replace_word(&padded, "-\n", 0);
	replace_word(&padded, "\n", ' ');
	if (has_entity)
	{
		replace_word(&padded, "&quot;", '"');
		replace_word(&padded, "&amp;", '&');
		replace_word(&padded, "&lt;", '<');
		replace_word(&padded, "&gt;", '>');
	}
	padded.codes[padded.count++] = ' ';

	padded = set_apart(work, padded, is_apart);
	padded = part_pairs(work, padded, is_no_digit, is_point, false);
	padded = part_pairs(work, padded, is_point, is_no_digit, true);
	return part_pairs(work, padded, is_digit, is_hyphen, false);
}

/* Divides text into the tokens of BLEU. */
FbSlices
fb_tokenize(FbWork *work, FbTokenizer tokenizer, FbCodes text)
{
	FbSlices	tokens;

	while (text.count > 0 && fb_is_space(text.codes[text.count - 1]))
		text.count--;
	work->poll(work);
	switch (tokenizer)
	{
		case FB_TOKENIZE_13A:
			text = apply_13a(work, text);
			break;
		case FB_TOKENIZE_INTL:
			text = part_pairs(work, text, is_no_number, is_punctuation, false);
			text = part_pairs(work, text, is_punctuation, is_no_number, true);
			text = set_apart(work, text, is_symbol);
			break;
		case FB_TOKENIZE_CHAR:
			tokens.items = fb_work_array(work, FbSlice, text.count);
			tokens.count = 0;
			for (size_t i = 0; i < text.count; i++)
			{
				if (!fb_is_space(text.codes[i]))
					tokens.items[tokens.count++] = (FbSlice) {&text.codes[i], 1};
			}
			return tokens;
		case FB_TOKENIZE_NONE:
			break;
	}
	return fb_text_split(work, text);
}

/*
 * Divides text into runs of letters and numbers, lowered: of a to z and 0 to 9
 * alone, as Google's rouge_score has it, or of the categories L and N.
 */
FbSlices
fb_tokenize_letters(FbWork *work, FbCodes text, bool ascii)
{
	FbCodes		lowered = fb_text_lower(work, text);
	FbSlices	tokens = {fb_work_array(work, FbSlice, lowered.count / 2 + 1), 0};
	size_t		start = 0;

	work->poll(work);
	for (size_t i = 0; i <= lowered.count; i++)
	{
		uint32_t	code = i < lowered.count ? lowered.codes[i] : ' ';
		bool		inside = ascii ? (code >= 'a' && code <= 'z') || is_digit(code) :
			(fb_properties(code) & (FB_LETTER | FB_NUMBER)) != 0;

		if (inside)
			continue;
		if (i > start)
			tokens.items[tokens.count++] = (FbSlice) {&lowered.codes[start], i - start};
		start = i + 1;
	}
	return tokens;
}
