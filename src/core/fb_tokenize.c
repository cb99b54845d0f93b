/*
 * fb_tokenize.c
 *		Tokenisers.
 *
 * Those of BLEU are sequences of replacements by regular expressions, each of
 * which consumes what it has matched: mteval-v13a.pl and mteval-v14.pl of NIST
 * in the form of Post (2018), A call for clarity in reporting BLEU scores,
 * WMT. Each pass below is one of these replacements. All but those of line
 * ends and entities look at one character on either side, so that pieces
 * between white space can be taken one by one.
 */
#include "core/fb_tokenize.h"

#include <string.h>

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

/* Applies what 13a does to the text as a whole: deletions, line ends, entities. */
static FbCodes
prepare_13a(FbWork *work, FbCodes text)
{
	FbCodes		copy;
	bool		has_entity = false;
	bool		has_other = false;

	for (size_t i = 0; i < text.count; i++)
	{
		has_entity = has_entity || text.codes[i] == '&';
		has_other = has_other || text.codes[i] == '\n' || text.codes[i] == '<';
	}
	if (!has_entity && !has_other)
		return text;
	copy = (FbCodes) {fb_work_array(work, uint32_t, text.count), text.count};
	memcpy(copy.codes, text.codes, sizeof(uint32_t) * text.count);
	replace_word(&copy, "<skipped>", 0);
	replace_word(&copy, "-\n", 0);
	replace_word(&copy, "\n", ' ');
	if (has_entity)
	{
		replace_word(&copy, "&quot;", '"');
		replace_word(&copy, "&amp;", '&');
		replace_word(&copy, "&lt;", '<');
		replace_word(&copy, "&gt;", '>');
	}
	return copy;
}

/* Tells whether a replacement of the tokeniser may apply to a character. */
static bool
is_special(FbTokenizer tokenizer, uint32_t code)
{
	if (tokenizer == FB_TOKENIZE_13A)
		return code < 0x80 && (fb_ascii_properties[code] & (FB_PUNCTUATION | FB_SYMBOL)) != 0 && code != '\'';
	return (fb_properties(code) & (FB_PUNCTUATION | FB_SYMBOL)) != 0;
}

/* Memory for the pieces of a text, taken from the caller's in chunks. */
typedef struct Chunks
{
	FbWork		work;
	FbWork	   *outer;
	char	   *chunk;
	size_t		left;
} Chunks;

#define CHUNK_SIZE 65536
#define SCRATCH_SIZE 24576

/* Gives memory from the current chunk. */
static void *
chunk_allocate(FbWork *work, size_t size)
{
	Chunks	   *chunks = (Chunks *) work;
	void	   *result;

	size = (size + 15) & ~(size_t) 15;
	if (size > CHUNK_SIZE / 8)
		return chunks->outer->allocate(chunks->outer, size);
	if (size > chunks->left)
	{
		chunks->chunk = chunks->outer->allocate(chunks->outer, CHUNK_SIZE);
		chunks->left = CHUNK_SIZE;
	}
	result = chunks->chunk;
	chunks->chunk += size;
	chunks->left -= size;
	return result;
}

/* Polls as the caller does. */
static void
chunk_poll(FbWork *work)
{
	FbWork	   *outer = ((Chunks *) work)->outer;

	outer->poll(outer);
}

/*
 * Applies the replacements to a piece of text without white space. A blank
 * before it and after it stands for the white space there: no replacement
 * takes more of it into account, nor takes it from the next piece. The result
 * lies in the scratch memory, its characters in that of work.
 */
static FbSlices
split_piece(FbWork *work, FbWork *scratch, FbTokenizer tokenizer, FbSlice piece, bool blank_before, bool blank_after)
{
	FbCodes		text = {fb_work_array(scratch, uint32_t, piece.count + 2), 0};
	FbCodes		kept;

	if (blank_before)
		text.codes[text.count++] = ' ';
	memcpy(text.codes + text.count, piece.codes, sizeof(uint32_t) * piece.count);
	text.count += piece.count;
	if (blank_after)
		text.codes[text.count++] = ' ';
	if (tokenizer == FB_TOKENIZE_13A)
	{
		text = set_apart(scratch, text, is_apart);
		text = part_pairs(scratch, text, is_no_digit, is_point, false);
		text = part_pairs(scratch, text, is_point, is_no_digit, true);
		text = part_pairs(scratch, text, is_digit, is_hyphen, false);
	}
	else
	{
		text = part_pairs(scratch, text, is_no_number, is_punctuation, false);
		text = part_pairs(scratch, text, is_punctuation, is_no_number, true);
		text = set_apart(scratch, text, is_symbol);
	}
	kept = (FbCodes) {fb_work_array(work, uint32_t, text.count), text.count};
	memcpy(kept.codes, text.codes, sizeof(uint32_t) * text.count);
	return fb_text_split(scratch, kept);
}

/* Makes room for so many more slices. */
static void
grow(FbWork *work, FbSlices *slices, size_t *room, size_t more)
{
	FbSlice    *larger;

	if (slices->count + more <= *room)
		return;
	*room = 2 * *room + more;
	larger = fb_work_array(work, FbSlice, *room);
	memcpy(larger, slices->items, sizeof(FbSlice) * slices->count);
	slices->items = larger;
}

/*
 * Divides text by the replacements of 13a or intl: at white space, and those
 * pieces that a replacement may apply to further.
 */
static FbSlices
tokenize_pieces(FbWork *work, FbTokenizer tokenizer, FbCodes text)
{
	bool		is_13a = tokenizer == FB_TOKENIZE_13A;
	size_t		room = text.count / 4 + 16;
	FbSlices	tokens = {fb_work_array(work, FbSlice, room), 0};
	Chunks		chunks = {{chunk_allocate, chunk_poll}, work, NULL, 0};
	FbWork	   *kept = text.count > SMALL ? &chunks.work : work;
	uint64_t	buffer[SCRATCH_SIZE / sizeof(uint64_t)];
	size_t		i = 0;

	if (is_13a)
		text = prepare_13a(work, text);
	while (i < text.count)
	{
		bool		special = false;
		size_t		start;
		FbSlice		piece;

		while (i < text.count && fb_is_space(text.codes[i]))
			i++;
		for (start = i; i < text.count && !fb_is_space(text.codes[i]); i++)
			special = special || is_special(tokenizer, text.codes[i]);
		if (i == start)
			break;
		piece = (FbSlice) {&text.codes[start], i - start};
		if (special)
		{
			/* a piece of up to a hundred characters leaves nothing but its tokens */
			Chunks		scratch = {{chunk_allocate, chunk_poll}, work, (char *) buffer, SCRATCH_SIZE};
			FbSlices	parts = split_piece(kept, &scratch.work, tokenizer, piece, is_13a || start > 0,
											is_13a || i < text.count);

			grow(work, &tokens, &room, parts.count);
			memcpy(tokens.items + tokens.count, parts.items, sizeof(FbSlice) * parts.count);
			tokens.count += parts.count;
		}
		else
		{
			grow(work, &tokens, &room, 1);
			tokens.items[tokens.count++] = piece;
		}
	}
	return tokens;
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
		case FB_TOKENIZE_INTL:
			return tokenize_pieces(work, tokenizer, text);
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

/* The lower case of letters and digits of ASCII; 0 for all others. */
static const uint8_t ascii_word[128] = {
	['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
	['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
	'w', 'x', 'y', 'z',
	['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
	'w', 'x', 'y', 'z'
};

/* Does what fb_tokenize_letters does to a text of ASCII. */
static FbSlices
tokenize_ascii(FbWork *work, FbCodes text)
{
	uint32_t   *lowered = fb_work_array(work, uint32_t, text.count);
	FbSlices	tokens = {fb_work_array(work, FbSlice, text.count / 2 + 1), 0};
	size_t		start = 0;

	for (size_t i = 0; i < text.count; i++)
	{
		lowered[i] = ascii_word[text.codes[i]];
		if (lowered[i] != 0)
			continue;
		if (i > start)
			tokens.items[tokens.count++] = (FbSlice) {&lowered[start], i - start};
		start = i + 1;
	}
	if (text.count > start)
		tokens.items[tokens.count++] = (FbSlice) {&lowered[start], text.count - start};
	return tokens;
}

/*
 * Divides text into runs of letters and numbers, lowered: of a to z and 0 to 9
 * alone, as Google's rouge_score has it, or of the categories L and N.
 */
FbSlices
fb_tokenize_letters(FbWork *work, FbCodes text, bool ascii)
{
	FbCodes		lowered;
	FbSlices	tokens;
	size_t		start = 0;
	uint32_t	all = 0;

	work->poll(work);
	for (size_t i = 0; i < text.count; i++)
		all |= text.codes[i];
	if (all < 0x80)
		return tokenize_ascii(work, text);
	lowered = fb_text_lower(work, text);
	tokens = (FbSlices) {fb_work_array(work, FbSlice, lowered.count / 2 + 1), 0};
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
