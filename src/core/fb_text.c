/*
 * fb_text.c
 *		Reading, lowering, stripping and splitting text; numbering of tokens.
 */
#include "core/fb_text.h"

#include <string.h>

/* Reads UTF-8. */
FbCodes
fb_text_decode(FbWork *work, const char *data, size_t length)
{
	FbCodes		text;

	text.codes = fb_work_array(work, uint32_t, length);
	text.count = fb_utf8_decode(data, length, text.codes);
	return text;
}

/* Lowers text. */
FbCodes
fb_text_lower(FbWork *work, FbCodes text)
{
	FbCodes		lowered;

	lowered.codes = fb_work_array(work, uint32_t, 2 * text.count);
	lowered.count = fb_lower(text.codes, text.count, lowered.codes);
	return lowered;
}

/* Cuts white space off both ends. */
FbCodes
fb_text_strip(FbCodes text)
{
	while (text.count > 0 && fb_is_space(text.codes[text.count - 1]))
		text.count--;
	while (text.count > 0 && fb_is_space(text.codes[0]))
	{
		text.codes++;
		text.count--;
	}
	return text;
}

/* Makes one blank of every run of white space inside, and none at the ends. */
FbCodes
fb_text_collapse(FbWork *work, FbCodes text)
{
	FbCodes		result = {fb_work_array(work, uint32_t, text.count), 0};

	text = fb_text_strip(text);
	for (size_t i = 0; i < text.count; i++)
	{
		if (!fb_is_space(text.codes[i]))
			result.codes[result.count++] = text.codes[i];
		else if (!fb_is_space(text.codes[i + 1]))
			result.codes[result.count++] = ' ';
	}
	return result;
}

/* Leaves white space out. */
FbCodes
fb_text_without_space(FbWork *work, FbCodes text)
{
	FbCodes		result = {fb_work_array(work, uint32_t, text.count), 0};

	for (size_t i = 0; i < text.count; i++)
	{
		if (!fb_is_space(text.codes[i]))
			result.codes[result.count++] = text.codes[i];
	}
	return result;
}

/* Splits text at white space. */
FbSlices
fb_text_split(FbWork *work, FbCodes text)
{
	FbSlices	words = {fb_work_array(work, FbSlice, text.count / 2 + 1), 0};
	size_t		i = 0;

	while (i < text.count)
	{
		size_t		start;

		while (i < text.count && fb_is_space(text.codes[i]))
			i++;
		start = i;
		while (i < text.count && !fb_is_space(text.codes[i]))
			i++;
		if (i > start)
			words.items[words.count++] = (FbSlice) {&text.codes[start], i - start};
	}
	return words;
}

/* Prepares numbers for up to so many tokens in all. */
void
fb_interner_begin(FbInterner *interner, FbWork *work, size_t tokens)
{
	uint32_t	size = 16;

	while (size < 2 * tokens)
		size *= 2;
	interner->work = work;
	interner->slices = fb_work_array(work, FbSlice, tokens);
	interner->hashes = fb_work_array(work, uint32_t, tokens);
	interner->table = fb_work_array(work, uint32_t, size);
	memset(interner->table, 0, sizeof(uint32_t) * size);
	interner->count = 0;
	interner->size = size;
}

/* Hashes the characters of a token. */
static uint32_t
slice_hash(FbSlice slice)
{
	uint64_t	hash = slice.count;

	for (size_t i = 0; i < slice.count; i++)
		hash = (hash ^ slice.codes[i]) * UINT64_C(0x9E3779B97F4A7C15);
	return (uint32_t) (hash >> 32);
}

/* Numbers tokens. */
FbTokens
fb_intern(FbInterner *interner, FbSlices slices)
{
	FbTokens	tokens = {fb_work_array(interner->work, uint32_t, slices.count), slices.count};

	for (size_t i = 0; i < slices.count; i++)
	{
		FbSlice		slice = slices.items[i];
		uint32_t	hash = slice_hash(slice);
		uint32_t	place = hash & (interner->size - 1);
		uint32_t	id;

		for (;; place = (place + 1) & (interner->size - 1))
		{
			id = interner->table[place];
			if (id == 0)
			{
				id = ++interner->count;
				interner->table[place] = id;
				interner->slices[id - 1] = slice;
				interner->hashes[id - 1] = hash;
				break;
			}
			if (interner->hashes[id - 1] == hash && interner->slices[id - 1].count == slice.count &&
				memcmp(interner->slices[id - 1].codes, slice.codes, sizeof(uint32_t) * slice.count) == 0)
				break;
		}
		tokens.ids[i] = id - 1;
	}
	return tokens;
}
