/*
 * test_text_metrics.c
 *		Text metrics against plain algorithms, and their memory.
 */
#include <math.h>
#include <stdio.h>

#include "core/fb_edit.h"
#include "core/fb_metric.h"
#include "core/fb_ngram.h"
#include "plain_work.h"

static int	tests = 0;
static int	failures = 0;

/* Prints the TAP line of one check. */
static void
ok(bool passed, const char *name)
{
	tests++;
	if (!passed)
		failures++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tests, name);
}

static PlainWork plain;
static uint64_t seed = 12345;

/* Returns a random number below a limit. */
static uint32_t
random_below(uint32_t limit)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t) (seed >> 33) % limit;
}

/* Makes a random sequence. */
static FbTokens
random_tokens(size_t count, uint32_t alphabet, uint32_t spread)
{
	FbTokens	tokens = {fb_work_array(&plain.work, uint32_t, count), count};

	for (size_t i = 0; i < count; i++)
		tokens.ids[i] = random_below(alphabet) * spread;
	return tokens;
}

/* Makes a sequence that differs from another in some places. */
static FbTokens
edited(FbTokens from, uint32_t alphabet, uint32_t spread, int edits)
{
	FbTokens	result = {fb_work_array(&plain.work, uint32_t, from.count + (size_t) edits), from.count};

	memcpy(result.ids, from.ids, sizeof(uint32_t) * from.count);
	for (int i = 0; i < edits; i++)
	{
		size_t		place = random_below((uint32_t) result.count + 1);

		switch (random_below(3))
		{
			case 0:
				memmove(&result.ids[place + 1], &result.ids[place], sizeof(uint32_t) * (result.count - place));
				result.ids[place] = random_below(alphabet) * spread;
				result.count++;
				break;
			case 1:
				if (place < result.count)
				{
					memmove(&result.ids[place], &result.ids[place + 1], sizeof(uint32_t) * (result.count - place - 1));
					result.count--;
				}
				break;
			default:
				if (place < result.count)
					result.ids[place] = random_below(alphabet) * spread;
		}
	}
	return result;
}

/* Computes distance and common subsequence by the matrix. */
static void
by_matrix(FbTokens a, FbTokens b, int64_t *distance, int64_t *common)
{
	int64_t    *d = malloc(sizeof(int64_t) * (b.count + 1));
	int64_t    *c = calloc(b.count + 1, sizeof(int64_t));

	for (size_t j = 0; j <= b.count; j++)
		d[j] = (int64_t) j;
	for (size_t i = 1; i <= a.count; i++)
	{
		int64_t		diagonal = d[0];
		int64_t		corner = 0;

		d[0] = (int64_t) i;
		for (size_t j = 1; j <= b.count; j++)
		{
			bool		same = a.ids[i - 1] == b.ids[j - 1];
			int64_t		best = diagonal + !same;
			int64_t		longest = same ? corner + 1 : c[j] > c[j - 1] ? c[j] : c[j - 1];

			if (d[j] + 1 < best)
				best = d[j] + 1;
			if (d[j - 1] + 1 < best)
				best = d[j - 1] + 1;
			diagonal = d[j];
			d[j] = best;
			corner = c[j];
			c[j] = longest;
		}
	}
	*distance = d[b.count];
	*common = c[b.count];
	free(d);
	free(c);
}

/* Checks bit-parallel algorithms on sequences around the sizes of blocks and bands. */
static void
test_edit(void)
{
	static const size_t lengths[] = {0, 1, 2, 31, 63, 64, 65, 127, 128, 129, 200, 257, 700};
	static const uint32_t alphabets[] = {1, 2, 4, 26, 300, 5000};
	static const uint32_t spreads[] = {1, 1000};
	int			wrong[2] = {0, 0};
	int			cases = 0;

	for (size_t x = 0; x < 13; x++)
		for (size_t y = 0; y < 13; y++)
			for (size_t k = 0; k < 6; k++)
			{
				uint32_t	spread = spreads[(x + y + k) % 2];
				FbTokens	a = random_tokens(lengths[x], alphabets[k], spread);
				FbTokens	b = (x + y) % 3 == 0 ? random_tokens(lengths[y], alphabets[k], spread) :
					edited(a, alphabets[k], spread, (int) lengths[y] / 3);
				int64_t		distance;
				int64_t		common;

				by_matrix(a, b, &distance, &common);
				wrong[0] += fb_edit_distance(&plain.work, a, b) != distance || fb_edit_distance(&plain.work, b, a) != distance;
				wrong[1] += fb_common_subsequence(&plain.work, a, b) != common || fb_common_subsequence(&plain.work, b, a) != common;
				cases++;
				plain_work_reset(&plain);
			}
	ok(cases == 1014 && wrong[0] == 0, "edit distance is that of the matrix");
	ok(wrong[1] == 0, "so is the longest common subsequence");
}

/* Checks shared n-grams against counting by comparison. */
static void
test_ngrams(void)
{
	int			wrong = 0;

	for (int round = 0; round < 500; round++)
	{
		FbTokens	text = random_tokens(random_below(30), 1 + random_below(4), 1);
		FbTokens	others[3];
		int64_t		each[3 * 4];
		int64_t		best[4];

		for (int o = 0; o < 3; o++)
			others[o] = o == 0 ? edited(text, 4, 1, 3) : random_tokens(random_below(30), 1 + random_below(4), 1);
		fb_ngram_matches(&plain.work, text, others, 3, 4, each, best);
		for (int order = 1; order <= 4; order++)
		{
			int64_t		expected_best = 0;
			int64_t		expected[3] = {0, 0, 0};

			for (size_t i = 0; i + (size_t) order <= text.count; i++)
			{
				int64_t		have = 0;
				int64_t		most = 0;
				bool		first = true;

				for (size_t j = 0; j + (size_t) order <= text.count; j++)
				{
					bool		same = memcmp(&text.ids[i], &text.ids[j], sizeof(uint32_t) * (size_t) order) == 0;

					have += same;
					first = first && !(same && j < i);
				}
				if (!first)
					continue;
				for (int o = 0; o < 3; o++)
				{
					int64_t		there = 0;

					for (size_t j = 0; j + (size_t) order <= others[o].count; j++)
						there += memcmp(&text.ids[i], &others[o].ids[j], sizeof(uint32_t) * (size_t) order) == 0;
					expected[o] += there < have ? there : have;
					most = there > most ? there : most;
				}
				expected_best += most < have ? most : have;
			}
			wrong += best[order - 1] != expected_best;
			for (int o = 0; o < 3; o++)
				wrong += each[o * 4 + order - 1] != expected[o];
		}
		plain_work_reset(&plain);
	}
	ok(wrong == 0, "shared n-grams are those counted by comparison");
}

/* Joins tokens with bars. */
static const char *
joined(FbSlices slices)
{
	static char text[400];
	size_t		length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < slices.count; i++)
	{
		if (i > 0)
			text[length++] = '|';
		for (size_t j = 0; j < slices.items[i].count; j++)
		{
			uint32_t	code = slices.items[i].codes[j];

			length += (size_t) snprintf(text + length, 10, code < 0x80 ? "%c" : "<%X>", code);
		}
	}
	text[length] = '\0';
	return text;
}

/* Checks one tokenisation. */
static void
tokenizes(FbTokenizer tokenizer, const char *text, const char *expected)
{
	const char *found = joined(fb_tokenize(&plain.work, tokenizer, plain_codes(&plain, text)));

	ok(strcmp(found, expected) == 0, expected);
	if (strcmp(found, expected) != 0)
		printf("# %s\n", found);
	plain_work_reset(&plain);
}

/* Checks the passes of the tokenisers. */
static void
test_tokenizers(void)
{
	tokenizes(FB_TOKENIZE_13A, "Price is $1,234.50-5 & up &amp; \"more\".", "Price|is|$|1,234.50|-|5|&|up|&|\"|more|\"|.");
	tokenizes(FB_TOKENIZE_13A, "well-\nknown <skipped>it's\na b.c ...", "wellknown|it's|a|b|.|c|.|.|.");
	tokenizes(FB_TOKENIZE_13A, "&amp;lt; 3.,4 5- x-y", "<|3|.|,|4|5|-|x-y");
	tokenizes(FB_TOKENIZE_13A, "foo-\n", "foo-");
	tokenizes(FB_TOKENIZE_NONE, " a,b \xC2\xA0 c\xE2\x80\x8B""d\t", "a,b|c<200B>d");
	tokenizes(FB_TOKENIZE_CHAR, "a b\xE3\x80\x80\xC3\xA9", "a|b|<E9>");
	tokenizes(FB_TOKENIZE_INTL, "a,b 1,000 \xC2\xABx\xC2\xBB 5\xE2\x82\xAC 9.", "a|,|b|1,000|<AB>|x|<BB>|5|<20AC>|9.");
	tokenizes(FB_TOKENIZE_INTL, "", "");
	ok(strcmp(joined(fb_tokenize_letters(&plain.work, plain_codes(&plain, "It's \xC3\x89" "A-4_5"), false)), "it|s|<E9>a|4|5") == 0,
	   "words of letters and numbers");
	ok(strcmp(joined(fb_tokenize_letters(&plain.work, plain_codes(&plain, "It's \xC3\x89" "A-4_5"), true)), "it|s|a|4|5") == 0,
	   "of ASCII alone");
	ok(strcmp(joined(fb_squad_tokens(&plain.work, plain_codes(&plain, "The a_b an, theory; A\xCC\x81 a"))), "ab|theory|<301>") == 0,
	   "articles go, with a combining mark too");
	plain_work_reset(&plain);
}

/* Returns the lower case of a text. */
static const char *
lowered(const char *text)
{
	FbCodes		codes = fb_text_lower(&plain.work, plain_codes(&plain, text));
	FbSlice		slice = {codes.codes, codes.count};

	return joined((FbSlices) {&slice, 1});
}

/* Checks properties and lower case of characters. */
static void
test_characters(void)
{
	int			spaces = 0;
	bool		same = true;
	uint32_t	codes[16];

	ok(strcmp(lowered("A\xCE\x9F\xCE\x94\xCE\x9F\xCE\xA3"), "a<3BF><3B4><3BF><3C2>") == 0, "a sigma at the end of a word is final");
	ok(strcmp(lowered("\xCE\xA3 \xCE\x91\xCE\xA3\xCE\x91 \xCE\x91\xCE\xA3.\xCC\x81"), "<3C3> <3B1><3C3><3B1> <3B1><3C2>.<301>") == 0,
	   "alone, inside and before what is ignored");
	ok(strcmp(lowered("\xC4\xB0I"), "i<307>i") == 0, "I with a dot is two characters");
	for (uint32_t code = 0; code < 0x110000; code++)
		spaces += fb_is_space(code);
	ok(spaces == 29, "29 characters are white space");
	for (uint32_t code = 0; code < 0x80; code++)
	{
		bool		letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
		bool		digit = code >= '0' && code <= '9';
		unsigned	kinds = fb_properties(code) & (FB_PUNCTUATION | FB_SYMBOL);

		same = same && fb_is_word(code) == (letter || digit || code == '_') && (kinds != 0) == fb_is_ascii_mark(code) &&
			((fb_properties(code) & FB_CASED) != 0) == letter;
	}
	ok(same, "ASCII is what it is");
	ok(fb_is_word(0xB2) && fb_is_word(0x4E00) && fb_is_word(0x2167) && !fb_is_word(0x301) && !fb_is_word(0x200B), "others are, too");
	ok(fb_utf8_decode("a\xFF\xC3", 3, codes) == 3 && codes[1] == 0xDCFF && codes[2] == 0xDCC3, "bytes that are no text stand alone");
	ok(fb_utf8_decode("\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80", 9, codes) == 9, "overlong forms, surrogates and beyond are no text");
	ok(fb_utf8_decode("\xF4\x8F\xBF\xBF\xEF\xBF\xBF", 7, codes) == 2 && codes[0] == 0x10FFFF && codes[1] == 0xFFFF, "the last ones are");
	plain_work_reset(&plain);
}

/* Runs every text metric over long texts. */
static void
test_long(void)
{
	const size_t length = 1 << 20;
	char	   *text = malloc(length);
	char	   *other = malloc(length);
	size_t		count;
	const FbMetricInfo *list = fb_metric_list(&count);
	bool		bounded = true;

	for (size_t i = 0; i < length; i++)
	{
		text[i] = "ab,.- &1\n"[random_below(9)];
		other[i] = i % 1000 == 0 ? 'x' : text[i];
	}
	for (size_t i = 0; i < count; i++)
	{
		FbMetricOptions options;
		double		statistics[FB_MAX_STATISTICS];
		FbCodes		pred;
		FbCodes		ref;

		if (list[i].input != FB_INPUT_TEXTS)
			continue;
		fb_metric_defaults(&list[i], &options);
		plain.polls = 0;
		plain.most = 0;
		/* a tenth where the time is quadratic */
		pred = fb_text_decode(&plain.work, text, list[i].id == FB_METRIC_ROUGE_L || list[i].id == FB_METRIC_WER ? length / 10 : length);
		ref = fb_text_decode(&plain.work, other, pred.count);
		fb_metric_text_row(&plain.work, &list[i], &options, &pred, &ref, 1, statistics);
		bounded = bounded && plain.most / pred.count < 250;
		printf("# %s: %zu bytes of memory for a byte of text, %d polls\n", list[i].name, plain.most / pred.count, plain.polls);
		plain_work_reset(&plain);
	}
	ok(bounded, "memory is a small multiple of the texts");
	free(text);
	free(other);
}

int
main(void)
{
	plain_work_reset(&plain);
	test_edit();
	test_ngrams();
	test_tokenizers();
	test_characters();
	test_long();
	printf("1..%d\n", tests);
	return failures > 0;
}
