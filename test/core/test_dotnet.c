/*
 * test_dotnet.c
 *		.NET's numbers, booleans, white space and lists, and JSON, without a server.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/fb_dotnet.h"
#include "core/fb_json.h"
#include "tap.h"

/* Checks what double.TryParse accepts, and as which number. */
static void
test_double(void)
{
	static const struct
	{
		const char *text;
		double		number;
	}			good[] = {
		{"0", 0}, {"-0", -0.0}, {"10", 10}, {"+10", 10}, {"-10", -10}, {"007", 7}, {" 10 ", 10}, {"\t\n\v\f\r 1 \r", 1},
		{"1,000", 1000}, {"1,0,0", 100}, {"1,,0", 10}, {"1,", 1}, {"1,.5", 1.5}, {".5", 0.5}, {"5.", 5}, {"-.5", -0.5},
		{"1e3", 1000}, {"1E+3", 1000}, {"1e-3", 0.001}, {"1,000e2", 100000}, {"1.5e1", 15}, {".5e1", 5}, {"5.e1", 50},
		{"0.1", 0.1}, {"0.30000000000000004", 0.30000000000000004}, {"9007199254740993", 9007199254740992.0},
		{"123456789012345678", 123456789012345678.0}, {"1e22", 1e22}, {"1e23", 1e23}, {"8.5e-324", 1e-323},
		{"4.9e-324", 5e-324}, {"2.4e-324", 0}, {"2.5e-324", 5e-324}, {"1.7976931348623157e308", DBL_MAX},
		{"1.7976931348623159e308", INFINITY}, {"1e400", INFINITY}, {"-1e400", -INFINITY}, {"1e-400", 0}, {"1e99999999999999999999", INFINITY},
		{"1e-99999999999999999999", 0}, {"0e99999999999999999999", 0}, {"Infinity", INFINITY}, {"-infinity", -INFINITY},
		{"+INFINITY", INFINITY}, {" Infinity\t", INFINITY}, {"\xC2\xA0Infinity\xE2\x80\x83", INFINITY},
		{"2.22507385850720113605740979670913197593481954635164564e-308", 2.2250738585072011e-308}
	};
	static const char *const bad[] = {"", " ", "ten", "1 0", "1_000", "0x10", "1e", "1e+", "1e 3", "1f", "10%", "- 5", "--5", "+-5", ",1", ".", "-",
		"e3", "1.2.3", "1.2,3", "5-", "(5)", "$5", "NaN", "nan", "-NaN", "Infinit", "InfinityX", "- Infinity", "++Infinity", "\xC2\xA0" "10", "1\xE2\x80\x83",
	"\xE2\x88\x92" "5", "\xD9\xA1", "\xEF\xBC\x91"};
	bool		right = true;
	double		number;
	char		digits[2000];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!fb_dotnet_double(string_of(good[i].text), &number) || number != good[i].number)
		{
			printf("# \"%s\"\n", good[i].text);
			right = false;
		}
	ok(right, "numbers");
	right = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fb_dotnet_double(string_of(bad[i]), &number))
		{
			printf("# \"%s\" is %g\n", bad[i], number);
			right = false;
		}
	ok(right, "what is no number");
	ok(fb_dotnet_double(string_of("-0"), &number) && signbit(number), "the sign of zero");
	/* halfway between two doubles, decided by a digit far behind */
	strcpy(digits, "9007199254740993.");
	memset(digits + 17, '0', 1500);
	strcpy(digits + 1500, "1");
	ok(fb_dotnet_double(string_of(digits), &number) && number == 9007199254740994.0, "a digit behind 1,400 zeros decides");
	memset(digits, '9', 1999);
	digits[1999] = '\0';
	ok(fb_dotnet_double(string_of(digits), &number) && isinf(number), "2,000 digits");
}

/* Compares random numbers with the C library, which reads them correctly rounded. */
static void
test_against_strtod(void)
{
	bool		right = true;

	srand(1);
	for (int i = 0; i < 100000; i++)
	{
		char		text[64];
		double		number;
		int			digits = 1 + rand() % 20;
		int			length = 0;

		for (int j = 0; j < digits; j++)
		{
			text[length++] = (char) ('0' + rand() % 10);
			if (rand() % digits == 0 && memchr(text, '.', length) == NULL)
				text[length++] = '.';
		}
		length += sprintf(text + length, "e%d", rand() % 660 - 330);
		if (!fb_dotnet_double((FbString) {text, (uint32_t) length}, &number) || number != strtod(text, NULL))
		{
			printf("# %s\n", text);
			right = false;
		}
	}
	ok(right, "100,000 random numbers are the nearest doubles");
}

/* Checks whole numbers and booleans. */
static void
test_int_bool(void)
{
	static const char *const bad_ints[] = {"", " ", "1.0", "1,000", "1e3", "2147483648", "-2147483649", "99999999999999999999", "- 1", "1 1", "0x1", "+"};
	static const char *const bad_bools[] = {"", "1", "yes", "t", "tru e", "truee", "0"};
	int32_t		number;
	bool		value;
	bool		right = true;

	for (size_t i = 0; i < sizeof(bad_ints) / sizeof(bad_ints[0]); i++)
		right = right && !fb_dotnet_int(string_of(bad_ints[i]), &number);
	ok(right, "what is no whole number");
	ok(fb_dotnet_int(string_of(" -2147483648\n"), &number) && number == INT32_MIN && fb_dotnet_int(string_of("+2147483647"), &number) &&
	   number == INT32_MAX && fb_dotnet_int(string_of("007"), &number) && number == 7, "whole numbers");
	right = true;
	for (size_t i = 0; i < sizeof(bad_bools) / sizeof(bad_bools[0]); i++)
		right = right && !fb_dotnet_bool(string_of(bad_bools[i]), &value);
	ok(right, "what is no boolean");
	ok(fb_dotnet_bool(string_of(" TRUE\xC2\xA0"), &value) && value && fb_dotnet_bool(string_of("False"), &value) && !value, "booleans");
	ok(fb_dotnet_blank(string_of("")) && fb_dotnet_blank(string_of(" \t\xE3\x80\x80\xE1\x9A\x80\xC2\x85")) &&
	   !fb_dotnet_blank(string_of(" x ")) && !fb_dotnet_blank(string_of("\xE2\x80\x8B")), "blank is white space or nothing");
}

/* Reads a list and joins its strings; "!" when it is broken, "null" for a null list, - for a null element. */
static const char *
joined(const char *text)
{
	static char result[200];
	char	   *buffer = malloc(strlen(text) + 1);
	FbJsonList	list;
	FbJsonItem	item;
	FbString	string;

	strcpy(result, "");
	if (!fb_json_list_open(&list, string_of(text)))
		strcpy(result, "!");
	else if (list.is_null)
		strcpy(result, "null");
	else
	{
		while ((item = fb_json_list_next(&list, buffer, &string)) == FB_JSON_STRING || item == FB_JSON_NULL)
		{
			strcat(result, "|");
			strncat(result, item == FB_JSON_NULL ? "-" : string.data, item == FB_JSON_NULL ? 1 : string.length);
		}
		if (item == FB_JSON_BROKEN)
			strcpy(result, "!");
	}
	free(buffer);
	return result;
}

/* Checks lists. */
static void
test_list(void)
{
	static const char *const good[][2] = {{"[]", ""}, {" [ ] ", ""}, {"null", "null"}, {" null\n", "null"}, {"[\"a\"]", "|a"}, {"[\"a\" ,\t\"b\"]", "|a|b"},
	{"[\"\"]", "|"}, {"[null,\"a\"]", "|-|a"}, {"[\"\\\"\\\\\\/\\t\"]", "|\"\\/\t"}, {"[\"\\u0041\\u00e9\\u20AC\"]", "|A\xC3\xA9\xE2\x82\xAC"},
	{"[\"\\ud83d\\ude80\"]", "|\xF0\x9F\x9A\x80"}, {"[\"a,]b\"]", "|a,]b"}};
	static const char *const bad[] = {"", " ", "not-json", "[", "]", "[,]", "[\"a\",]", "[\"a\" \"b\"]", "[1]", "[true]", "[\"a\",1]", "[[\"a\"]]", "{}", "{\"a\":1}",
		"\"a\"", "[\"a]", "[\"\\x\"]", "[\"\\u12\"]", "[\"\\ud83d\"]", "[\"\\ude80\"]", "[\"\\ud83dx\"]", "[\"a\"] x", "[\"\n\"]", "nullx", "null x", "NULL", "['a']",
	"[\"a\"]]", "[\"\\", "[\"\\u", "[nul]"};
	bool		right = true;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(joined(good[i][0]), good[i][1]) != 0)
		{
			printf("# %s: %s\n", good[i][0], joined(good[i][0]));
			right = false;
		}
	ok(right, "lists");
	right = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(joined(bad[i]), "!") != 0)
		{
			printf("# %s: %s\n", bad[i], joined(bad[i]));
			right = false;
		}
	ok(right, "what is no list");
}

/* Checks JSON. */
static void
test_json(void)
{
	static const char *const good[] = {"1", "-0.5e+10", "\"x\"", "true", "null", "[]", "{}", "[1,[2,{\"a\":[]}],\"b\"]", " { \"a\" : 1 , \"b\" : { } } ",
	"\"\\u00e9\"", "\"\\ud83d\\ude80\"", "[[],[],{}]"};
	static const char *const bad[] = {"", " ", "x", "01", "1.", ".5", "+1", "1e", "1e1001", "-", "tru", "[1,]", "[,1]", "[1 2]", "{a:1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
	"[", "]", "[}", "{]", "1 1", "\"", "\"\\x\"", "\"\\u0000\"", "\"\\ud83d\"", "\"\t\"", "{\"a\":1 \"b\":2}", "[1]]", "{{}}", "nan"};
	char		deep[2 * FB_JSON_MAX_DEPTH + 3];
	bool		right = true;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		right = right && fb_json_valid(string_of(good[i]), false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fb_json_valid(string_of(bad[i]), false))
		{
			printf("# %s\n", bad[i]);
			right = false;
		}
	ok(right, "JSON, and what is none");
	ok(fb_json_valid(string_of("\"\\u0041\""), true) && !fb_json_valid(string_of("\"\\u00e9\""), true), "escapes beyond ASCII");
	memset(deep, '[', FB_JSON_MAX_DEPTH);
	memset(deep + FB_JSON_MAX_DEPTH, ']', FB_JSON_MAX_DEPTH);
	ok(fb_json_valid((FbString) {deep, 2 * FB_JSON_MAX_DEPTH}, false), "the greatest depth");
	memset(deep, '[', FB_JSON_MAX_DEPTH + 1);
	memset(deep + FB_JSON_MAX_DEPTH + 1, ']', FB_JSON_MAX_DEPTH + 1);
	ok(!fb_json_valid((FbString) {deep, 2 * FB_JSON_MAX_DEPTH + 2}, false), "one more");
}

int
main(void)
{
	test_double();
	test_against_strtod();
	test_int_bool();
	test_list();
	test_json();
	printf("1..%d\n", tests);
	return failures > 0;
}
