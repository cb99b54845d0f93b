/*
 * test_operator.c
 *		Operators, sets, patterns and timestamps, without a server.
 */
#include <stdlib.h>

#include "core/fb_operator.h"
#include "core/fb_time.h"
#include "plain_context.h"

#define NUMBER(x) {.kind = FB_VALUE_NUMBER, .number = (x)}
#define STRING(x) {.kind = FB_VALUE_STRING, .string = {(x), sizeof(x) - 1}}
#define BOOLEAN(x) {.kind = FB_VALUE_BOOLEAN, .boolean = (x)}

/* Makes a set in memory that is never freed. */
static FbSet
make_set(const FbString *strings, uint32_t count)
{
	FbSet		set;
	size_t		total = 0;

	for (uint32_t i = 0; i < count; i++)
		total += strings[i].length;
	fb_set_init(&set, malloc(fb_set_size(count, total)), count);
	for (uint32_t i = 0; i < count; i++)
		(void) fb_set_add(&set, strings[i]);
	return set;
}

/* What each operator is asked about; the columns of expectations below. */
static const FbValue nested[] = {NUMBER(5), STRING("abc")};
static const FbValue nested_upper[] = {STRING("ABC"), BOOLEAN(true), {.kind = FB_VALUE_NULL}, NUMBER(5), STRING("ABC")};
static const FbValue attributes[] = {
	{.kind = FB_VALUE_NULL},
	BOOLEAN(true),
	BOOLEAN(false),
	NUMBER(5),
	NUMBER(7.5),
	STRING("abc"),
	STRING("5"),
	STRING(""),
	{.kind = FB_VALUE_ARRAY, .count = 2, .array = nested},
	{.kind = FB_VALUE_ARRAY, .count = 0, .array = nested},
	{.kind = FB_VALUE_OBJECT, .count = 1},
	STRING("ABC"),
	STRING("1.2.3"),
	STRING("2026-05-01"),
	STRING("10.1.2.3"),
	{.kind = FB_VALUE_ARRAY, .count = 5, .array = nested_upper},
};
#define ATTRIBUTES ((int) (sizeof(attributes) / sizeof(attributes[0])))

/* The time of the evaluations: 2026-05-03 00:00 UTC. */
static const int64_t now = INT64_C(831081600) * 1000000;

/* Checks an operator against every kind of attribute. */
static void
check_operator(FbOperatorCode op, const char *what, const FbOperand *operand, const char *expected)
{
	PlainContext context = plain_context(NULL, 0);
	char		name[128];
	char		got[ATTRIBUTES + 1];

	for (int i = 0; i < ATTRIBUTES; i++)
	{
		bool		met = (attributes[i].kind != FB_VALUE_NULL || fb_operators[op].sees_null) &&
			fb_operators[op].test(&context.base, &attributes[i], operand, now);

		got[i] = met ? '1' : '0';
	}
	got[ATTRIBUTES] = '\0';
	snprintf(name, sizeof(name), "%s %s: %s", fb_operators[op].name, what, got);
	ok(strcmp(got, expected) == 0, name);
}

/*
 * Enumerates operator by type of attribute: null, true, false, 5, 7.5, "abc", "5", "", [5, "abc"], [], {}, "ABC",
 * "1.2.3", "2026-05-01", "10.1.2.3", ["ABC", true, null, 5, "ABC"].
 */
static void
test_operators(void)
{
	static const FbString needles[] = {{"xyz", 3}, {"bc", 2}};
	static const FbString prefix[] = {{"ab", 2}};
	static const FbString empty[] = {{"", 0}};
	static const FbNumber numbers[] = {{-1}, {5}, {9}};
	static const uint32_t remainders[] = {3, 5};
	FbString	strings[] = {{"abc", 3}, {"", 0}};
	FbString	upper[] = {{"ABC", 3}};
	FbVersionBound bounds[8];
	uint32_t	count;
	FbNetwork	network;
	FbOperand	operand;
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32_t	offset;

	operand = (FbOperand) {.value = NUMBER(5)};
	check_operator(FB_OP_EQ, "5", &operand, "0001000000000000");
	check_operator(FB_OP_NE, "5", &operand, "0110111111111111");
	check_operator(FB_OP_LT, "5", &operand, "0000000000000000");
	check_operator(FB_OP_LE, "5", &operand, "0001000000000000");
	check_operator(FB_OP_GT, "5", &operand, "0000100000000000");
	check_operator(FB_OP_GE, "5", &operand, "0001100000000000");
	operand = (FbOperand) {.value = STRING("5")};
	check_operator(FB_OP_EQ, "\"5\"", &operand, "0000001000000000");
	operand = (FbOperand) {.value = BOOLEAN(true)};
	check_operator(FB_OP_EQ, "true", &operand, "0100000000000000");
	check_operator(FB_OP_NE, "true", &operand, "0011111111111111");
	operand = (FbOperand) {.list = {.strings = make_set(strings, 2), .numbers = numbers, .number_count = 3, .has_false = true}};
	check_operator(FB_OP_ONE_OF, "[\"abc\", \"\", -1, 5, 9, false]", &operand, "0011010110000001");
	check_operator(FB_OP_NOT_ONE_OF, "[\"abc\", \"\", -1, 5, 9, false]", &operand, "0100101001111110");
	operand = (FbOperand) {.list = {.has_true = false}};
	check_operator(FB_OP_ONE_OF, "[]", &operand, "0000000000000000");
	check_operator(FB_OP_NOT_ONE_OF, "[]", &operand, "0111111111111111");
	operand = (FbOperand) {.needles = needles, .needle_count = 2};
	check_operator(FB_OP_CONTAINS, "xyz or bc", &operand, "0000010000000000");
	check_operator(FB_OP_ENDS_WITH, "xyz or bc", &operand, "0000010000000000");
	check_operator(FB_OP_STARTS_WITH, "xyz or bc", &operand, "0000000000000000");
	operand = (FbOperand) {.needles = prefix, .needle_count = 1};
	check_operator(FB_OP_STARTS_WITH, "ab", &operand, "0000010000000000");
	operand = (FbOperand) {.needles = empty, .needle_count = 1};
	check_operator(FB_OP_CONTAINS, "the empty string", &operand, "0000011100011110");
	check_operator(FB_OP_STARTS_WITH, "the empty string", &operand, "0000011100011110");
	check_operator(FB_OP_ENDS_WITH, "the empty string", &operand, "0000011100011110");
	operand = (FbOperand) {.regex = fb_regex_compile(string_of("^[a-z]"), 0, message, &offset)};
	check_operator(FB_OP_MATCHES, "^[a-z]", &operand, "0000010000000000");
	fb_regex_free(operand.regex);
	operand = (FbOperand) {.bounds = {NUMBER(5), NUMBER(7)}};
	check_operator(FB_OP_BETWEEN, "5 and 7", &operand, "0001000000000000");
	operand = (FbOperand) {.value = STRING("abc")};
	check_operator(FB_OP_EQ_CI, "abc", &operand, "0000010000010000");
	check_operator(FB_OP_NE_CI, "abc", &operand, "0111101111101111");
	operand = (FbOperand) {.value = NUMBER(5)};
	check_operator(FB_OP_EQ_CI, "5", &operand, "0001000000000000");
	operand = (FbOperand) {.list = {.strings = make_set(strings, 2), .numbers = numbers, .number_count = 3, .has_false = true}};
	check_operator(FB_OP_ONE_OF_CI, "[\"abc\", \"\", -1, 5, 9, false]", &operand, "0011010110010001");
	check_operator(FB_OP_NOT_ONE_OF_CI, "[\"abc\", \"\", -1, 5, 9, false]", &operand, "0100101001101110");
	check_operator(FB_OP_ARRAY_CONTAINS_ANY, "[\"abc\", \"\", -1, 5, 9, false]", &operand, "0000000010000001");
	check_operator(FB_OP_ARRAY_CONTAINS_NONE, "[\"abc\", \"\", -1, 5, 9, false]", &operand, "0000000001000000");
	check_operator(FB_OP_ARRAY_CONTAINS_ALL, "[\"abc\", \"\", -1, 5, 9, false]", &operand, "0000000000000000");
	operand = (FbOperand) {.list = {.strings = make_set(upper, 1), .numbers = numbers + 1, .number_count = 1, .has_true = true}};
	check_operator(FB_OP_ARRAY_CONTAINS_ALL, "[\"ABC\", 5, true]", &operand, "0000000000000001");
	check_operator(FB_OP_ARRAY_CONTAINS_NONE, "[\"ABC\", 5, true]", &operand, "0000000001000000");
	operand = (FbOperand) {.list = {.has_true = false}};
	check_operator(FB_OP_ARRAY_CONTAINS_ANY, "[]", &operand, "0000000000000000");
	check_operator(FB_OP_ARRAY_CONTAINS_NONE, "[]", &operand, "0000000011000001");
	check_operator(FB_OP_ARRAY_CONTAINS_ALL, "[]", &operand, "0000000011000001");
	operand = (FbOperand) {.needles = needles, .needle_count = 2};
	check_operator(FB_OP_CONTAINS_CI, "xyz or bc", &operand, "0000010000010000");
	check_operator(FB_OP_ENDS_WITH_CI, "xyz or bc", &operand, "0000010000010000");
	operand = (FbOperand) {.needles = prefix, .needle_count = 1};
	check_operator(FB_OP_STARTS_WITH_CI, "ab", &operand, "0000010000010000");
	operand = (FbOperand) {.remainders = remainders, .remainder_count = 2, .divisor = 10};
	check_operator(FB_OP_MODULO, "10 in 3, 5", &operand, "0001000000000000");
	operand = (FbOperand) {.moment = {false, now}};
	check_operator(FB_OP_BEFORE, "2026-05-03", &operand, "0000000000000100");
	check_operator(FB_OP_AFTER, "2026-05-03", &operand, "0000000000000000");
	operand = (FbOperand) {.moment = {true, INT64_C(-3) * 86400 * 1000000}};
	check_operator(FB_OP_BEFORE, "-3d", &operand, "0000000000000000");
	check_operator(FB_OP_AFTER, "-3d", &operand, "0000000000000100");
	(void) fb_parse_version(string_of("1.2.3"), &operand.version);
	check_operator(FB_OP_SEMVER_EQ, "1.2.3", &operand, "0000000000001000");
	check_operator(FB_OP_SEMVER_NE, "1.2.3", &operand, "0000001000000000");
	check_operator(FB_OP_SEMVER_LT, "1.2.3", &operand, "0000000000000000");
	check_operator(FB_OP_SEMVER_LE, "1.2.3", &operand, "0000000000001000");
	check_operator(FB_OP_SEMVER_GT, "1.2.3", &operand, "0000001000000000");
	check_operator(FB_OP_SEMVER_GE, "1.2.3", &operand, "0000001000001000");
	(void) fb_parse_version_range(string_of("^1.2"), bounds, 8, &count);
	operand = (FbOperand) {.version_bounds = bounds, .version_bound_count = count};
	check_operator(FB_OP_SEMVER_IN, "^1.2", &operand, "0000000000001000");
	(void) fb_parse_network(string_of("10.0.0.0/8"), &network);
	operand = (FbOperand) {.networks = &network, .network_count = 1};
	check_operator(FB_OP_IN_CIDR, "10.0.0.0/8", &operand, "0000000000000010");
	check_operator(FB_OP_EXISTS, "", NULL, "1111111111111111");
	check_operator(FB_OP_IS_NULL, "", NULL, "1000000000000000");
	check_operator(FB_OP_IS_TRUE, "", NULL, "0100000000000000");
	check_operator(FB_OP_IS_FALSE, "", NULL, "0010000000000000");
	ok(fb_operator_find("between", 7) == FB_OP_BETWEEN && fb_operator_find("betwee", 6) < 0 && fb_operator_find("", 0) < 0,
	   "operators are found by their whole name");
}

/* Checks the search for a string in a string. */
static void
test_contains(void)
{
	static const FbString needle[] = {{"aab", 3}};
	static const char *const yes[] = {"aab", "aaaab", "xaab", "aabx", "aaaaaaabaab"};
	static const char *const no[] = {"", "aa", "aaa", "aaxb", "ab", "baa"};
	PlainContext context = plain_context(NULL, 0);
	FbOperand	operand = {.needles = needle, .needle_count = 1};
	bool		right = true;

	for (int i = 0; i < 5; i++)
	{
		FbValue		value = {.kind = FB_VALUE_STRING, .string = string_of(yes[i])};

		right = right && fb_operators[FB_OP_CONTAINS].test(&context.base, &value, &operand, 0);
	}
	for (int i = 0; i < 6; i++)
	{
		FbValue		value = {.kind = FB_VALUE_STRING, .string = string_of(no[i])};

		right = right && !fb_operators[FB_OP_CONTAINS].test(&context.base, &value, &operand, 0);
	}
	ok(right, "contains finds overlapping beginnings");
}

/* Checks sets of many strings of all lengths. */
static void
test_sets(void)
{
	static char text[40000];
	static FbString strings[100000];
	FbSet		set;
	bool		right = true;

	for (int i = 0; i < 100000; i++)
	{
		char	   *copy = malloc(16);

		strings[i].length = (uint32_t) snprintf(copy, 16, "user-%d", i * 7);
		strings[i].data = copy;
	}
	set = make_set(strings, 100000);
	for (int i = 0; i < 700000; i++)
	{
		char		key[16];
		FbString	string = {key, (uint32_t) snprintf(key, sizeof(key), "user-%d", i)};

		right = right && fb_set_has(&set, string) == (i % 7 == 0);
	}
	ok(right && set.count == 100000, "a set of 100,000 strings has these and no others");
	ok(!fb_set_add(&set, strings[5]), "a string is added once");

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 300; i++)
		strings[i] = (FbString) {text, (uint32_t) (i < 260 ? i : i * i / 4)};
	set = make_set(strings, 300);
	for (int i = 0; i < 300; i++)
		right = right && fb_set_has(&set, strings[i]);
	ok(right && !fb_set_has(&set, (FbString) {text, 261}), "strings of length 0 to 22,350 are told apart");
	set = make_set(strings, 0);
	ok(!fb_set_has(&set, string_of("")), "the empty set is empty");
	memset(&set, 0, sizeof(set));
	ok(!fb_set_has(&set, string_of("a")), "a set that was never made is empty");
}

/* Compiles a pattern and matches it with and without machine code. */
static FbRegexResult
match(const char *pattern, FbString subject, bool *agree)
{
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32_t	offset;
	FbRegex    *compiled = fb_regex_compile(string_of(pattern), 0, message, &offset);
	FbRegex    *interpreted = fb_regex_compile(string_of(pattern), FB_REGEX_NO_JIT, message, &offset);
	FbRegexResult result = fb_regex_match(compiled, subject, NULL, NULL);

	*agree = *agree && fb_regex_match(interpreted, subject, NULL, NULL) == result;
	fb_regex_free(compiled);
	fb_regex_free(interpreted);
	return result;
}

/* Checks patterns: dialect, limits, windows, and that both engines agree. */
static void
test_regex(void)
{
	static char text[FB_REGEX_MAX_SUBJECT + 1];
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32_t	offset;
	bool		agree = true;
	bool		right = true;

	ok(match("\\bcat\\b", string_of("a cat!"), &agree) == FB_REGEX_MATCH &&
	   match("\\bcat\\b", string_of("concatenate"), &agree) == FB_REGEX_NO_MATCH, "\\b is a word boundary");
	ok(match("^.$", string_of("\303\251"), &agree) == FB_REGEX_MATCH, "a dot is a character, not a byte");
	ok(match("(?i)^\303\211", string_of("\303\251t\303\251"), &agree) == FB_REGEX_MATCH, "case is ignored beyond ASCII");
	ok(match("", string_of(""), &agree) == FB_REGEX_MATCH && match("^$", string_of(""), &agree) == FB_REGEX_MATCH,
	   "the empty pattern and the empty subject");
	ok(match("a", (FbString) {"\377a", 2}, &agree) == FB_REGEX_ENCODING, "what is not UTF-8 does not match");
	memset(text, 'a', sizeof(text));
	text[40] = '!';
	ok(match("^(a+)+$", (FbString) {text, 41}, &agree) == FB_REGEX_LIMIT, "a catastrophic pattern runs into the limit");
	text[40] = 'a';
	ok(match("(a|b|ab)*c", (FbString) {text, 3000}, &agree) != FB_REGEX_MATCH, "a deep pattern ends");
	ok(match("a", (FbString) {text, FB_REGEX_MAX_SUBJECT + 1}, &agree) == FB_REGEX_LIMIT, "a subject may be too long");
	for (uint32_t at = 0; at < 2100; at += 7)
	{
		text[at] = 'x';
		right = right && match("(?<=a)xa|^x", (FbString) {text, 2200}, &agree) == FB_REGEX_MATCH &&
			match("^x", (FbString) {text, 2200}, &agree) == (at == 0 ? FB_REGEX_MATCH : FB_REGEX_NO_MATCH) &&
			match("x$", (FbString) {text, at + 1}, &agree) == FB_REGEX_MATCH &&
			match("y", (FbString) {text, 2200}, &agree) == FB_REGEX_NO_MATCH;
		text[at] = 'a';
	}
	ok(right, "a match is found wherever it starts");
	for (int i = 0; i < 2001; i++)
		memcpy(text + 3 * i, "\346\227\245", 3);
	ok(match("\346\227\245$", (FbString) {text, 6003}, &agree) == FB_REGEX_MATCH &&
	   match("\346\227\245x", (FbString) {text, 6003}, &agree) == FB_REGEX_NO_MATCH, "windows never cut a character");
	ok(agree, "machine code and interpreter agree");
	ok(fb_regex_compile(string_of("a("), 0, message, &offset) == NULL && offset == 2 &&
	   strcmp(message, "missing closing parenthesis") == 0, "a broken pattern has a message and a place");
	ok(fb_regex_compile(string_of("a\\Cb"), 0, message, &offset) == NULL, "\\C is refused");
	ok(fb_regex_compile(string_of("\\Ga"), 0, message, &offset) == NULL, "\\G is refused");
	ok(match("\\Q\\G\\E\\\\G", string_of("\\G\\G"), &agree) == FB_REGEX_MATCH, "a quoted \\G is text");
	memset(text, 'a', sizeof(text));
	ok(fb_regex_compile((FbString) {text, FB_REGEX_MAX_PATTERN + 1}, 0, message, &offset) == NULL, "a pattern may be too long");
}

/* Checks timestamps; NULL is one that is refused. */
static void
test_times(void)
{
	static const struct
	{
		const char *text;
		int64_t		seconds;
	}			good[] = {
		{"2000-01-01", 0},
		{"2000-01-01T00:00:00Z", 0},
		{"2000-01-01 00:00", 0},
		{"2000-01-01T02:00:00+02:00", 0},
		{"1999-12-31T18:30:00-0530", 0},
		{"1970-01-01T00:00:00Z", -946684800},
		{"2000-02-29", 59 * 86400},
		{"2000-03-01", 60 * 86400},
		{"2024-02-29T12:00:00z", 762523200},
		{"0001-01-01", INT64_C(-63082281600)},
		{"2016-12-31T23:59:60Z", 536544000},
		{"2026-05-01T24:00:00Z", 830995200}
	};
	static const char *const bad[] = {"", "now", "tomorrow", "infinity", "2026", "2026-05", "2026-5-1", "2026-13-01",
	"2023-02-29", "1900-02-29", "2026-05-01T", "2026-05-01T05+05", "2026-05-01T9:00", "2026-05-01T25:00", "2026-05-01T09:60", "2026-05-01T09:00:61",
	"2026-05-01T09:00:00 UTC", "2026-05-01T09:00:00+", "2026-05-01T09:00:00+2", "2026-05-01T09:00:00+16", "2026-05-01T24:00:01",
	"2026-05-01T09:00:00.", "2026-05-01Z", "0000-01-01", "05/01/2026", "2026-05-01T09:00:00Zx"};
	int64_t		time;
	bool		right = true;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!fb_parse_time(string_of(good[i].text), &time) || time != good[i].seconds * 1000000)
		{
			printf("# %s\n", good[i].text);
			right = false;
		}
	ok(right, "timestamps with and without offset");
	right = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fb_parse_time(string_of(bad[i]), &time))
		{
			printf("# %s\n", bad[i]);
			right = false;
		}
	ok(right, "what is no timestamp is refused");
	ok(fb_parse_time(string_of("2000-01-01T00:00:00.1234565"), &time) && time == 123457 &&
	   fb_parse_time(string_of("2000-01-01T00:00:00,5Z"), &time) && time == 500000, "fractions of a second");
}

/* Checks times relative to that of the evaluation. */
static void
test_moments(void)
{
	static const struct
	{
		const char *text;
		int64_t		seconds;
	}			good[] = {{"-7d", -7 * 86400}, {"+2h", 7200}, {"-0s", 0}, {"+90m", 5400}, {"-1w", -7 * 86400}, {"+9999999w", INT64_C(9999999) * 604800}, {"-0000012s", -12}};
	static const char *const bad[] = {"7d", "-7", "-d", "-7D", "-7y", "-7 d", "- 7d", "-7dd", "-1h30m", "--7d", "-+7d", "+-7d", "-1.5d", "-12345678d", "-7d ", " -7d", "now", "now-7d", "-", "+", "-7Ã¤"};
	FbMoment	moment;
	FbMoment	ahead = {true, 5};
	FbMoment	back = {true, -5};
	bool		right = true;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!fb_parse_moment(string_of(good[i].text), &moment) || !moment.relative || moment.time != good[i].seconds * 1000000)
		{
			printf("# %s\n", good[i].text);
			right = false;
		}
	ok(right, "relative times");
	right = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fb_parse_moment(string_of(bad[i]), &moment))
		{
			printf("# %s\n", bad[i]);
			right = false;
		}
	ok(right, "what is no time is refused");
	ok(fb_parse_moment(string_of("2000-01-01T01:00+01:00"), &moment) && !moment.relative && fb_moment_at(&moment, 77) == 0,
	   "an absolute time does not move");
	ok(fb_moment_at(&ahead, 100) == 105 && fb_moment_at(&back, 100) == 95 && fb_moment_at(&ahead, INT64_MAX) == INT64_MAX &&
	   fb_moment_at(&ahead, INT64_MAX - 4) == INT64_MAX && fb_moment_at(&back, INT64_MIN) == INT64_MIN && fb_moment_at(&back, INT64_MIN + 5) == INT64_MIN,
	   "a relative time moves along and stops at the ends of the calendar");
}

/* Checks before and after at the instant itself, and with attributes in all forms. */
static void
test_instants(void)
{
	static const struct
	{
		const char *text;
		int			order;		/* against 2026-03-29T01:00:00Z */
	}			cases[] = {
		{"2026-03-29T01:00:00Z", 0}, {"2026-03-29 01:00", 0}, {"2026-03-29T03:00:00+02:00", 0}, {"2026-03-29T02:00:00+01:00", 0}, {"2026-03-28T20:00-05", 0}, {"2026-03-29T06:30:00.000+0530", 0},
		{"2026-03-29T00:59:60Z", 0}, {"2026-03-29T01:00:00.000001Z", 1}, {"2026-03-29T00:59:59.999999Z", -1}, {"2026-03-29T00:59:59.9999999Z", 0}, {"2026-03-29", -1}, {"2026-03-30", 1}, {"9999-12-31", 1}, {"0001-01-01", -1}
	};
	PlainContext context = plain_context(NULL, 0);
	FbOperand	operand = {.value = {0}};
	bool		right = fb_parse_moment(string_of("2026-03-29T01:00:00Z"), &operand.moment);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		FbValue		value = {.kind = FB_VALUE_STRING, .string = string_of(cases[i].text)};

		if (fb_operators[FB_OP_BEFORE].test(&context.base, &value, &operand, now) != (cases[i].order < 0) ||
			fb_operators[FB_OP_AFTER].test(&context.base, &value, &operand, now) != (cases[i].order > 0))
		{
			printf("# %s\n", cases[i].text);
			right = false;
		}
	}
	ok(right, "before and after, in every form and through a change of clocks");
}

/* Checks remainders of whole numbers. */
static void
test_modulo(void)
{
	static const struct
	{
		double		number;
		uint32_t	divisor;
		int			remainder;	/* -1: none */
	}			cases[] = {{0, 10, 0}, {-0.0, 10, 0}, {7, 10, 7}, {10, 10, 0}, {-1, 10, 9}, {-10, 10, 0}, {-13, 10, 7}, {1e15, 7, 6}, {9007199254740992.0, 1000, 992}, {5, 1, 0}, {2147483646, 2147483647, 2147483646},
	{-1, 2147483647, 2147483646}, {1.5, 10, -1}, {-0.5, 10, -1}, {1e300, 10, -2}};
	PlainContext context = plain_context(NULL, 0);
	bool		right = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		FbValue		number = {.kind = FB_VALUE_NUMBER, .number = cases[i].number};
		uint32_t	remainder = 0;
		bool		whole = fb_number_modulo(&context.base, &number, cases[i].divisor, &remainder);

		if (whole != (cases[i].remainder != -1) || (cases[i].remainder >= 0 && remainder != (uint32_t) cases[i].remainder) || remainder >= cases[i].divisor)
		{
			printf("# %g\n", cases[i].number);
			right = false;
		}
	}
	ok(right, "remainders are from 0 to the divisor - 1, of whole numbers only");
}

/* Checks lists of 10,000 values against arrays. */
static void
test_long_lists(void)
{
	static FbNumber numbers[10000];
	static FbValue elements[20000];
	static FbString strings[FB_SHORT_LIST];
	PlainContext context = plain_context(NULL, 0);
	FbValue		array = {.kind = FB_VALUE_ARRAY, .array = elements};
	FbOperand	operand = {.list = {.numbers = numbers, .number_count = 10000}};
	bool		right = true;

	for (int i = 0; i < 10000; i++)
		numbers[i].number = 3 * i;
	for (int i = 0; i < 30000; i++)
	{
		FbValue		value = {.kind = FB_VALUE_NUMBER, .number = i};

		right = right && fb_operators[FB_OP_ONE_OF].test(&context.base, &value, &operand, 0) == (i % 3 == 0);
	}
	ok(right, "a list of 10,000 numbers has these and no others");
	for (int i = 0; i < 20000; i++)
		elements[i] = (FbValue) {.kind = FB_VALUE_NUMBER, .number = 3 * i + 1};
	array.count = 20000;
	right = !fb_operators[FB_OP_ARRAY_CONTAINS_ANY].test(&context.base, &array, &operand, 0) && context.polls > 10;
	elements[19999].number = 0;
	ok(right && fb_operators[FB_OP_ARRAY_CONTAINS_ANY].test(&context.base, &array, &operand, 0), "a long array is searched to its end, with polls");

	for (int i = 0; i < FB_SHORT_LIST; i++)
	{
		char	   *text = malloc(16);

		strings[i] = (FbString) {text, (uint32_t) snprintf(text, 16, "item-%d", i)};
		elements[2 * i] = (FbValue) {.kind = FB_VALUE_STRING, .string = strings[i]};
		elements[2 * i + 1] = (FbValue) {.kind = FB_VALUE_NUMBER, .number = i};
	}
	operand = (FbOperand) {.list = {.strings = make_set(strings, FB_SHORT_LIST)}};
	array.count = 2 * FB_SHORT_LIST;
	right = fb_operators[FB_OP_ARRAY_CONTAINS_ALL].test(&context.base, &array, &operand, 0);
	elements[777 * 2] = elements[778 * 2];
	right = right && !fb_operators[FB_OP_ARRAY_CONTAINS_ALL].test(&context.base, &array, &operand, 0);
	for (int i = 0; i < FB_SHORT_LIST; i++)
		numbers[i].number = i;
	operand = (FbOperand) {.list = {.numbers = numbers, .number_count = FB_SHORT_LIST}};
	right = right && fb_operators[FB_OP_ARRAY_CONTAINS_ALL].test(&context.base, &array, &operand, 0);
	elements[777 * 2 + 1].number = 778;
	ok(right && !fb_operators[FB_OP_ARRAY_CONTAINS_ALL].test(&context.base, &array, &operand, 0), "array_contains_all counts each value once");
}

int
main(void)
{
	test_operators();
	test_contains();
	test_sets();
	test_regex();
	test_times();
	test_moments();
	test_instants();
	test_modulo();
	test_long_lists();
	printf("1..%d\n", tests);
	return failures > 0;
}
