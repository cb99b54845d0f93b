/*
 * test_casefold.c
 *		Case folding and the operators that use it, without a server.
 */
#include "core/fb_casefold.h"
#include "core/fb_operator.h"
#include "plain_context.h"

/* Tells whether text folds to the expected text. */
static bool
folds_to(FbString text, FbString expected)
{
	char		folded[512];
	FbString	got = {folded, fb_casefold(text, folded)};

	return fb_string_equal(got, expected);
}

/* Checks letters of many scripts. */
static void
test_letters(void)
{
	static const char *const pairs[][2] = {
		{"", ""}, {"abc XYZ 09@[`{", "abc xyz 09@[`{"},
		{"\303\204\303\226\303\234\303\237", "\303\244\303\266\303\274\303\237"},	/* ÄÖÜß */
		{"\341\272\236", "\303\237"},	/* capital sharp s: one byte less */
		{"\342\204\252elvin", "kelvin"},	/* Kelvin sign: two bytes less */
		{"\304\260", "\304\260"},	/* I with dot above has no simple folding */
		{"I", "i"}, {"\304\261", "\304\261"},	/* dotless i */
		{"\316\243\317\202\317\203", "\317\203\317\203\317\203"},	/* all three sigmas */
		{"\320\226\320\225\320\233\320\220\320\235\320\230\320\225", "\320\266\320\265\320\273\320\260\320\275\320\270\320\265"},
		{"\310\272", "\342\261\245"},	/* A with stroke: one byte more */
		{"\306\235\307\204\307\205", "\311\262\307\206\307\206"},
		{"\360\220\220\200\360\236\244\200", "\360\220\220\250\360\236\244\242"},	/* Deseret, Adlam */
		{"\341\217\270\352\255\260", "\341\217\260\341\216\240"},	/* Cherokee folds to capitals */
		{"\341\262\220", "\341\203\220"},	/* Georgian */
		{"\357\274\241", "\357\275\201"},	/* full width */
		{"\305\277\342\204\246\342\204\253", "s\317\211\303\245"},	/* long s, ohm, angstrom */
		{"\346\227\245\346\234\254", "\346\227\245\346\234\254"}
	};
	static const char *const broken[][2] = {{"A\377B", "a\377b"}, {"\303", "\303"}, {"\303A", "\303a"}, {"\300\201Z", "\300\201z"}, {"\340\200\201", "\340\200\201"},
	{"\355\240\200", "\355\240\200"}, {"\364\220\200\200X", "\364\220\200\200x"}, {"\204\304", "\204\304"}, {"\360\220\220", "\360\220\220"}, {"\303\303\204", "\303\303\244"}};
	bool		right = true;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!folds_to(string_of(pairs[i][0]), string_of(pairs[i][1])))
		{
			printf("# %s\n", pairs[i][0]);
			right = false;
		}
	ok(right, "letters of many scripts");
	right = true;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		right = right && folds_to(string_of(broken[i][0]), string_of(broken[i][1]));
	ok(right, "bytes that are not UTF-8 stay, ASCII beside them folds");
	ok(folds_to((FbString) {"A\0B", 3}, (FbString) {"a\0b", 3}), "a zero byte is a byte");
}

/* Writes a code point. */
static uint32_t
put(uint32_t code, char *out)
{
	if (code < 0x80)
	{
		out[0] = (char) code;
		return 1;
	}
	if (code < 0x800)
	{
		out[0] = (char) (0xC0 | code >> 6);
		out[1] = (char) (0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000)
	{
		out[0] = (char) (0xE0 | code >> 12);
		out[1] = (char) (0x80 | (code >> 6 & 0x3F));
		out[2] = (char) (0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | code >> 18);
	out[1] = (char) (0x80 | (code >> 12 & 0x3F));
	out[2] = (char) (0x80 | (code >> 6 & 0x3F));
	out[3] = (char) (0x80 | (code & 0x3F));
	return 4;
}

/* Checks every code point: folding twice is folding once, and fits the memory. */
static void
test_all(void)
{
	bool		stable = true;
	bool		fits = true;
	int			changed = 0;

	for (uint32_t code = 0; code <= 0x10FFFF; code++)
	{
		char		text[4];
		char		once[16];
		char		twice[16];
		FbString	string = {text, put(code, text)};
		FbString	folded = {once, fb_casefold(string, once)};
		FbString	again = {twice, fb_casefold(folded, twice)};

		stable = stable && fb_string_equal(folded, again);
		fits = fits && folded.length <= FB_FOLDED_SIZE(string.length) - 1;
		changed += !fb_string_equal(string, folded);
	}
	ok(stable, "folding twice is folding once");
	ok(fits, "folded text fits the memory that is asked for");
	ok(changed == 1454, "CaseFolding.txt 14.0.0 has 1,454 foldings of status C and S");
}

/* Checks operators on texts that are longer than the buffer, and that memory is given back. */
static void
test_operators(void)
{
	static char text[5000];
	static const FbString needle[] = {{"\303\244x", 3}};
	PlainContext context = plain_context(NULL, 0);
	FbValue		value = {.kind = FB_VALUE_STRING, .string = {text, 0}};
	FbOperand	operand = {.needles = needle, .needle_count = 1};
	bool		right = true;

	for (int i = 0; i < 2499; i++)
		memcpy(text + 2 * i, "\303\204", 2);
	text[4998] = 'X';
	for (uint32_t length = 1; length <= 4999; length += length < 600 ? 2 : 200)
	{
		value.string.data = text + 4999 - length;
		value.string.length = length;
		right = right && fb_operators[FB_OP_CONTAINS_CI].test(&context.base, &value, &operand, 0) == (length >= 3) &&
			fb_operators[FB_OP_ENDS_WITH_CI].test(&context.base, &value, &operand, 0) == (length >= 3) &&
			fb_operators[FB_OP_STARTS_WITH_CI].test(&context.base, &value, &operand, 0) == (length == 3);
	}
	ok(right && context.allocations == 0, "long texts are folded, too, and their memory is given back");
	value.string = string_of("x\303\204X");
	ok(!fb_operators[FB_OP_CONTAINS].test(&context.base, &value, &operand, 0), "without _ci case counts");
}

int
main(void)
{
	test_letters();
	test_all();
	test_operators();
	printf("1..%d\n", tests);
	return failures > 0;
}
