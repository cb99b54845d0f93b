/*
 * test_semver.c
 *		Versions and ranges, without a server.
 */
#include "core/fb_semver.h"
#include "tap.h"

/* Reads a version that must be one. */
static FbVersion
version_of(const char *text)
{
	FbVersion	version;

	if (!fb_parse_version(string_of(text), &version))
	{
		printf("# %s is no version\n", text);
		failures++;
		memset(&version, 0, sizeof(version));
	}
	return version;
}

/* Compares every pair of an ascending list. */
static void
check_order(const char *const *texts, int count, const char *name)
{
	bool		right = true;

	for (int i = 0; i < count; i++)
		for (int j = 0; j < count; j++)
		{
			FbVersion	a = version_of(texts[i]);
			FbVersion	b = version_of(texts[j]);
			int			order = fb_compare_versions(&a, &b);

			if ((order > 0) - (order < 0) != (i > j) - (i < j))
			{
				printf("# %s against %s: %d\n", texts[i], texts[j], order);
				right = false;
			}
		}
	ok(right, name);
}

/* Checks precedence. */
static void
test_precedence(void)
{
	static const char *const rule_11[] = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
	"1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"};
	static const char *const numbers[] = {"0.0.0", "0.0.1", "0.1.0", "0.9.99", "0.10.0", "1.0.0", "1.0.9", "1.0.10", "2.0.0", "2.1.0", "2.1.1",
		"10.0.0", "18446744073709551615.0.0", "18446744073709551616.0.0", "18446744073709551616.0.1", "99999999999999999999999.999999999999999999.99999999999999999"};
	static const char *const identifiers[] = {"1.0.0-0", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-18446744073709551617", "1.0.0--", "1.0.0--1", "1.0.0-0a",
	"1.0.0-A", "1.0.0-a", "1.0.0-a.0", "1.0.0-a.0.0", "1.0.0-a.a", "1.0.0-a-b", "1.0.0-aa", "1.0.0"};
	static const char *const equal[][2] = {{"1.0.0", "v1.0.0"}, {"V1", "1.0.0"}, {"1.2", "1.2.0"}, {"1.0.0+build", "1.0.0"},
	{"1.0.0-rc.1+5114f85", "1.0.0-rc.1+0.01"}, {"1.0.0+001", "1.0.0+-"}};
	bool		right = true;

	check_order(rule_11, 8, "the example of rule 11.4");
	check_order(numbers, 16, "numbers, also beyond 64 bits");
	check_order(identifiers, 16, "identifiers of pre-releases");
	for (size_t i = 0; i < sizeof(equal) / sizeof(equal[0]); i++)
	{
		FbVersion	a = version_of(equal[i][0]);
		FbVersion	b = version_of(equal[i][1]);

		right = right && fb_compare_versions(&a, &b) == 0;
	}
	ok(right, "a leading v, numbers that are not there and build metadata do not count");
}

/* Checks what is a version: the examples of semver.org's grammar, and the two liberties. */
static void
test_grammar(void)
{
	static const char *const good[] = {"0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease+meta", "1.1.2+meta", "1.1.2+meta-valid", "1.0.0-alpha.beta.1",
		"1.0.0-alpha0.valid", "1.0.0-alpha.0valid", "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay", "2.0.0-rc.1+build.123", "1.2.3-SNAPSHOT-123",
		"2.0.0+build.1848", "1.0.0-alpha+beta", "1.2.3----RC-SNAPSHOT.12.9.1--.12+788", "1.2.3----R-S.12.9.1--.12+meta", "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
	"1.0.0-0A.is.legal", "1", "1.2", "v1.2", "V2.0.0-rc.1", "0"};
	static const char *const bad[] = {"", "v", "1.", "1.2.", "1.2.3.", ".1", "1.2.3.4", "01.1.1", "1.01.1", "1.1.01", "1.2-beta", "1-beta", "1.2+meta", "2026-05-01", "1.2.3-", "1.2.3+",
		"1.2.3-+", "1.2.3-01", "1.2.3-0123.0123", "1.2.3-a..b", "1.2.3-.a", "1.2.3-a.", "1.1.2+.123", "1.2.3+a+b", "+invalid", "-invalid", "alpha", "1.0.0-alpha_beta", " 1.2.3", "1.2.3 ", "1,2",
	"vv1.2.3", "1.2.x", "1.2.*", "^1.2.3", "1.0.0-\303\251", "1.2.-3", "+1.2.3", "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788"};
	FbVersion	version;
	bool		right = true;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		(void) version_of(good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fb_parse_version(string_of(bad[i]), &version))
		{
			printf("# %s\n", bad[i]);
			right = false;
		}
	ok(right, "what is no version is refused");
}

/* Checks ranges: those in, then those out. */
static void
test_ranges(void)
{
	static const struct
	{
		const char *range;
		const char *in;			/* with blanks between them */
		const char *out;
	}			cases[] = {
		{"1.2.3", "1.2.3 1.2.3+x v1.2.3", "1.2.4 1.2.3-a 1.2.2"},
		{"=1.2.3", "1.2.3", "1.2.4"},
		{"1.2", "1.2 1.2.0 1.2.9 1.2.0-a 1.2.9-rc", "1.3.0 1.3.0-a 1.1.9"},
		{"1.2.x", "1.2.0 1.2.99", "1.3.0 2.2.0"},
		{"1.x", "1 1.0.0-a 1.99.1", "0.9.9 2.0.0-a 2"},
		{"v1.X.x", "1.5.0", "2.0.0"},
		{"1.*", "1.5.0", "2.0.0"},
		{"*", "0 0.0.0-a 99999999999999999999.0.0", ""},
		{"^1.2.3", "1.2.3 1.2.4 1.9.9 1.3.0-beta", "1.2.3-beta 1.2.2 2.0.0-alpha 2.0.0 0.2.3"},
		{"^1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.11 1.2.3 1.2.4-alpha 1.9.0", "1.2.3-beta.1 1.2.3-alpha 2.0.0-alpha"},
		{"^0.2.3", "0.2.3 0.2.9 0.2.4-a", "0.3.0 0.3.0-a 0.2.2 1.2.3"},
		{"^0.0.3", "0.0.3 0.0.3+x", "0.0.4 0.0.4-a 0.0.2 0.0.3-a"},
		{"^0.0", "0.0.0 0.0.9 0.0.0-a", "0.1.0 0.1.0-a"},
		{"^0", "0.0.0 0.9.9", "1.0.0 1.0.0-a"},
		{"^0.x", "0.0.0 0.9.9", "1.0.0"},
		{"^1.2", "1.2.0 1.9.0", "1.1.9 2.0.0"},
		{"^0.0.0", "0.0.0", "0.0.1 0.0.1-a"},
		{"~1.2.3", "1.2.3 1.2.9 1.2.4-a", "1.3.0 1.3.0-a 1.2.2 1.2.3-a"},
		{"~1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"},
		{"~1", "1.0.0 1.9.9", "2.0.0 0.9.9"},
		{"~0.2.3", "0.2.3 0.2.9", "0.3.0"},
		{">1.2.3", "1.2.4 1.2.4-a 2", "1.2.3 1.2.3-a"},
		{">1.2", "1.3.0 1.3.0-a 2", "1.2.0 1.2.9"},
		{">=1.2", "1.2.0 1.2.0-a 2", "1.1.9"},
		{"<1.2", "1.1.9 0", "1.2.0 1.2.0-a 1.2.1"},
		{"<=1.2", "1.2.9 1.2.0", "1.3.0 1.3.0-a"},
		{"<2.0.0", "1.9.9 2.0.0-rc", "2.0.0"},
		{"<2.0.0-0", "1.9.9", "2.0.0-rc 2.0.0"},
		{">=1.0.0 <2.0.0", "1.0.0 1.9.9", "0.9.9 2.0.0"},
		{">= 1.0.0   < 2.0.0", "1.0.0", "2.0.0"},
		{"  1.2.3  ", "1.2.3", "1.2.4"},
		{">1.0.0 <3 >=1.5 <=2.5", "1.5.0 2.5.9", "1.4.0 2.6.0"},
		{"1.2.3 - 2.3.4", "1.2.3 2.3.4 2.0.0", "1.2.2 2.3.5"},
		{"1.2 - 2.3", "1.2.0 2.3.9", "1.1.9 2.4.0"},
		{"1 - 2 || 4 - 5", "1.0.0 2.9.9 4.0.0 5.5.5", "3.0.0 6.0.0 0.9.0"},
		{"^1.2||~3.1||5.0.0", "1.3.0 3.1.4 5.0.0", "2.0.0 3.2.0 5.0.1"},
		{"1.2.3-beta - 1.2.3", "1.2.3-beta 1.2.3-rc 1.2.3", "1.2.3-alpha 1.2.4"},
		{"^18446744073709551616.0.0", "18446744073709551616.5.0", "18446744073709551617.0.0 0.0.0"},
	};
	static const struct
	{
		const char *range;
		FbRangeFault fault;
	}			bad[] = {
		{"", FB_RANGE_SYNTAX}, {" ", FB_RANGE_SYNTAX}, {"||", FB_RANGE_SYNTAX}, {"1 ||", FB_RANGE_SYNTAX}, {"|| 1", FB_RANGE_SYNTAX}, {"1 | 2", FB_RANGE_SYNTAX},
		{"1 |", FB_RANGE_SYNTAX}, {"1 ||| 2", FB_RANGE_SYNTAX}, {"!=1", FB_RANGE_SYNTAX}, {">", FB_RANGE_SYNTAX}, {"=>1", FB_RANGE_SYNTAX}, {"1.2.3.4", FB_RANGE_SYNTAX}, {"01", FB_RANGE_SYNTAX},
		{"1.x.3", FB_RANGE_SYNTAX}, {"1.2-beta", FB_RANGE_SYNTAX}, {"1.x-beta", FB_RANGE_SYNTAX}, {">=1.0.0, <2.0.0", FB_RANGE_SYNTAX}, {"1 - ", FB_RANGE_SYNTAX}, {"1 -2", FB_RANGE_SYNTAX}, {"1- 2", FB_RANGE_SYNTAX},
		{"1 - 2 - 3", FB_RANGE_SYNTAX}, {"1 - 2 3", FB_RANGE_SYNTAX}, {"[1,2)", FB_RANGE_SYNTAX}, {"latest", FB_RANGE_SYNTAX}, {"^^1", FB_RANGE_SYNTAX}, {">=1.0.0<2.0.0", FB_RANGE_SYNTAX},
		{">2 <1", FB_RANGE_EMPTY}, {">1.2.3 <1.2.3", FB_RANGE_EMPTY}, {">=1.2.3 <1.2.3", FB_RANGE_EMPTY}, {">1.2 <1.2.5", FB_RANGE_EMPTY}, {">1.2.5 <1.2", FB_RANGE_EMPTY},
		{"1.0.0 || >2 <=1", FB_RANGE_EMPTY}, {"1.2.3 1.2.4", FB_RANGE_EMPTY}, {"2 - 1", FB_RANGE_EMPTY}, {">*", FB_RANGE_EMPTY}, {"<*", FB_RANGE_EMPTY},
		{"1||2||3||4||5", FB_RANGE_TOO_LONG}, {">1 >1 >1 >1 >1 >1 >1 >1 >1", FB_RANGE_TOO_LONG}, {"1-2", FB_RANGE_SYNTAX}
	};
	FbVersionBound bounds[8];
	uint32_t	count;
	bool		right = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char		name[200];

		right = fb_parse_version_range(string_of(cases[i].range), bounds, 8, &count) == FB_RANGE_GOOD;
		for (int in = 1; right && in >= 0; in--)
		{
			char		texts[200];

			snprintf(texts, sizeof(texts), "%s", in ? cases[i].in : cases[i].out);
			for (char *text = strtok(texts, " "); text != NULL; text = strtok(NULL, " "))
			{
				FbVersion	version = version_of(text);

				if (fb_version_in_range(&version, bounds, count) != (in == 1))
				{
					printf("# %s\n", text);
					right = false;
				}
			}
		}
		snprintf(name, sizeof(name), "range %s", cases[i].range);
		ok(right, name);
	}
	right = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		FbRangeFault fault = fb_parse_version_range(string_of(bad[i].range), bounds, 8, &count);

		if (fault != bad[i].fault)
		{
			printf("# %s: %d\n", bad[i].range, fault);
			right = false;
		}
	}
	ok(right, "broken, empty and too long ranges are told apart");
}

int
main(void)
{
	test_precedence();
	test_grammar();
	test_ranges();
	printf("1..%d\n", tests);
	return failures > 0;
}
