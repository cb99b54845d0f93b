/*
 * test_dotnet_regex.c
 *		Regular expressions of .NET, without a server: what they match, what is
 *		refused, and which notes they get.
 */
#include <stdlib.h>

#include "core/fb_dotnet_regex.h"
#include "core/fb_regex.h"
#include "tap.h"

/* Matches with machine code and without: 1, 0, or -1 when the pattern is none. */
static int
match(const char *pattern, const char *subject)
{
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32_t	offset;
	int			result[2];

	for (int i = 0; i < 2; i++)
	{
		FbRegex    *regex = fb_regex_compile(string_of(pattern), FB_REGEX_DOTNET | (i == 0 ? 0 : FB_REGEX_NO_JIT), message, &offset);

		result[i] = -1;
		if (regex != NULL)
			result[i] = fb_regex_match(regex, string_of(subject), NULL, NULL) == FB_REGEX_MATCH;
		else if (i == 0)
			printf("# %s: %s at %u\n", pattern, message, offset);
		fb_regex_free(regex);
	}
	if (result[0] != result[1])
		printf("# %s differs with machine code\n", pattern);
	return result[0] == result[1] ? result[0] : -2;
}

typedef struct Case
{
	const char *pattern;
	const char *subject;
	int			expected;
} Case;

/* Checks cases. */
static void
check(const Case *cases, size_t count, const char *name)
{
	bool		right = true;

	for (size_t i = 0; i < count; i++)
	{
		int			found = match(cases[i].pattern, cases[i].subject);

		if (found != cases[i].expected)
		{
			FbDotnetRegex translated;

			fb_dotnet_regex(string_of(cases[i].pattern), &translated);
			printf("# %s on \"%s\": %d; %.*s\n", cases[i].pattern, cases[i].subject, found,
				   (int) translated.length, translated.pattern == NULL ? "" : translated.pattern);
			free(translated.pattern);
			right = false;
		}
	}
	ok(right, name);
}

#define CHECK(cases, name) check(cases, sizeof(cases) / sizeof(cases[0]), name)

static const Case plain[] = {
	{"", "", 1}, {"", "x", 1}, {"colou?r", "the color", 1}, {"colou?r", "colouur", 0}, {"a.c", "a\nc", 0}, {"(?s)a.c", "a\nc", 1},
	{"a.c", "a\rc", 1}, {"^b", "a\nb", 0}, {"(?m)^b", "a\nb", 1}, {"b$", "b\n", 1}, {"b$", "b\n\n", 0}, {"b$", "b\r\n", 0}, {"b\\z", "b\n", 0},
	{"b\\Z", "b\n", 1}, {"\\Ab", "ab", 0}, {"\\Gb", "ab", 0}, {"\\Gb", "ba", 1}, {"(?m)^$", "a\n", 1}, {"x|y|", "z", 1}, {"^(a|b)+$", "abba", 1},
	{"a{2}", "aa", 1}, {"a{2,}", "a", 0}, {"a{1,2}?b", "aab", 1}, {"a{,2}", "a{,2}", 1}, {"a{,2}", "aa", 0}, {"a{x}", "a{x}", 1}, {"{", "{", 1},
	{"a{1", "a{1", 1}, {"a{ 1}", "a{ 1}", 1}, {"}", "}", 1}, {"]", "]", 1}, {"a#b", "a#b", 1}, {"é", "é", 1}, {"^.$", "é", 1}, {"\\.", ".", 1}, {"\\-\\/\\@", "-/@", 1},
	{"a*?b", "aab", 1}, {"(?i)ÀB", "àb", 1}, {"(?i:a)b", "Ab", 1}, {"(?i:a)b", "AB", 0}, {"a(?i)b|c", "aC", 1}, {"(?-i)a", "A", 0}, {"(?i-s:a.)", "A\n", 0}, {"^*a", "a", 1},
	{"@(corp|internal)\\.example$", "x@corp.example", 1}
};

static const Case classes[] = {
	{"\\d", "5", 1}, {"^\\d$", "\xD9\xA1", 1}, {"\\D", "5", 0}, {"^\\w+$", "aé_1\xD9\xA1", 1}, {"\\w", "-", 0}, {"^\\w$", "\xE2\x80\xBF", 1}, {"^\\w$", "\xC2\xB2", 0},
	{"^\\w$", "\xE2\x85\xA0", 0}, {"\\W", "\xC2\xB2", 1}, {"[^\\W_]", "_", 0}, {"[^\\W_]", "a", 1}, {"[\\W]", "a", 0}, {"[\\W]", " ", 1},
	{"^\\s$", "\v", 1}, {"^\\s$", "\xC2\x85", 1}, {"^\\s$", "\xE3\x80\x80", 1}, {"^\\s$", "\xE1\xA0\x8E", 0}, {"\\S", " \t\n", 0}, {"[\\S]", " x", 1}, {"[^\\S ]", " ", 0},
	{"[^\\S ]", "\t", 1}, {"^\\v$", "\v", 1}, {"^\\v$", "\n", 0}, {"[\\b]", "\b", 1}, {"\\e\\a\\f", "\x1B\a\f", 1}, {"\\x41\\u0042\\103\\cA", "ABC\x01", 1}, {"\\ca", "\x01", 1},
	{"\\ud83d\\ude80", "🚀", 1}, {"\\0", "", 0}, {"\\p{Lu}", "a", 0}, {"\\p{Lu}", "É", 1}, {"\\P{L}", "é", 0}, {"\\p{IsCyrillic}", "д", 1}, {"\\P{IsCyrillic}", "д", 0},
	{"[\\P{IsBasicLatin}]", "é", 1}, {"[\\P{IsBasicLatin}]", "e", 0}, {"\\p{IsLatin-1Supplement}", "é", 1},
	{"[]a]+$", "]a", 1}, {"[^]a]", "]", 0}, {"[a-c]", "b", 1}, {"[a-]", "-", 1}, {"[-a]", "-", 1}, {"[\\d-z]", "-", 1}, {"[\\d-z]", "m", 0}, {"[a\\-z]", "m", 0}, {"[[]", "[", 1},
	{"[[a]", "[", 1}, {"[.=:]", ":", 1}, {"[\\]]", "]", 1}, {"[\\x41-\\x43]", "B", 1}, {"[^a]", "\n", 1}, {"[$^.|]", "^", 1}, {"[#]", "#", 1},
	{"^[a-z-[aeiou]]+$", "xyz", 1}, {"^[a-z-[aeiou]]+$", "xaz", 0}, {"[\\w-[\\d]]", "5", 0}, {"[\\w-[\\d]]", "a", 1}, {"^[a-z-[b-y-[m]]]$", "m", 1}, {"^[a-z-[b-y-[m]]]$", "n", 0},
	{"[^a-[b]]", "b", 0}, {"[^a-[b]]", "c", 1}, {"[^a-[b]]", "a", 0}, {"[[:alpha:]]", "a", 0}, {"[[:alpha:]]", "[", 1}, {"(?i)[a-c]", "B", 1}
};

static const Case boundaries[] = {
	{"\\bcat\\b", "a cat!", 1}, {"\\bcat\\b", "concat", 0}, {"\\bé", "é", 1}, {"\\Bt", "cat", 1}, {"\\Bc", "cat", 0}, {"a\\b", "a\xE2\x80\x8D", 0}, {"\\b", "", 0}, {"\\b", "-", 0}, {"\\B", "", 1}
};

static const Case groups[] = {
	{"(a)(b)\\2\\1", "abba", 1}, {"(a)(b)\\2\\1", "abab", 0}, {"(?<x>a)(b)\\1", "abb", 1}, {"(?<x>a)(b)\\1", "aba", 0}, {"(?<x>a)(b)\\2", "aba", 1}, {"(?<x>a)\\k<x>", "aa", 1},
	{"(?'x'a)\\k'x'", "aa", 1}, {"(?<1>a)\\1", "aa", 1}, {"(?<5>a)(b)\\5", "aba", 1}, {"(?<5>a)(b)\\1", "abb", 1}, {"(a)\\10", "aa0", 0}, {"(a)\\10", "a\b", 1},
	{"(?n)(a)(?<x>b)\\1", "abb", 1}, {"(?x) a b # comment (\n c", "abc", 1}, {"(?x)a\\ b", "a b", 1}, {"(?x)[ ]", " ", 1}, {"(?x)a {2}", "aa", 1}, {"(?x: a ) b", "a b", 1},
	{"a(?#comment)b", "ab", 1}, {"a(?#comment)*b", "aab", 1}, {"(?>a+)b", "aab", 1}, {"(?>a+)ab", "aab", 0}, {"(?=ab)a", "ab", 1}, {"(?!b)a", "ab", 1}, {"(?<=a)b", "ab", 1},
	{"(?<!a)b", "ab", 0}, {"(a)?(?(1)b|c)", "ab", 1}, {"^(a)?(?(1)b|c)$", "b", 0}, {"^(?<q>a)?(?(q)b|c)$", "c", 1}, {"(?(?=a)ab|cd)", "cd", 1}, {"(?(?<=x)a|b)", "xa", 1},
	{"\\<", "<", 1}, {"(?<a>x)\\<a>", "xx", 1}, {"(\\1a|b)+", "b", 1}, {"()\\1", "", 1}, {"(?:(a)|b)\\1", "b", 0}, {"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10", "abcdefghijj", 1},
	{"(a)(b)(c)(d)(e)(f)(g)(h)(i)\\10", "abcdefghi\b", 1}, {"(?<n>a)|(?<n>b)", "b", 1}
};

/* What .NET refuses, and what cannot be translated. */
static const char *const refused[] = {
	"[", "(", ")", "a)", "(?", "(?<", "(?<x", "*", "+a", "?", "{1}", "a**", "a+*", "a*+", "a++", "a?+", "a{1}{2}", "a{1}+", "a|*", "(*a)", "(?i)*", "a{2,1}", "a{99999999999}",
	"[z-a]", "[a-\\d]", "[a", "[]", "[^]", "\\", "a\\", "\\h", "\\R", "\\K", "\\X", "\\N", "\\Q", "\\E", "\\C", "\\y", "\\_", "\\8", "\\1", "\\k", "\\k<x>", "\\k{x}", "\\g1", "\\u12",
	"\\u{41}", "\\x4", "\\x{41}", "\\c", "\\c1", "\\pL", "\\p{", "\\p{Xx}", "\\p{Greek}", "\\p{lu}", "\\p{^L}", "\\p{IsNowhere}", "[\\B]", "[\\A]", "[\\z]", "(?P<x>a)", "(?P=x)", "(?|a)", "(?R)",
	"(?1)", "(?&x)", "(?C)", "(?<>a)", "(?<0>a)", "(?<1a>a)", "(?<a-b>c)", "(?<-a>c)", "(?'a>b)", "(?j)", "(?#x", "[a-z-[b]c]", "(?(9)a|b)", "(?(zzz)a|b)", "\\ud800", "\\ude80", "(?i", "(?<=a+)b"
};

/* Checks what is refused. */
static void
test_refused(void)
{
	bool		right = true;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
	{
		char		message[FB_REGEX_MESSAGE_SIZE];
		uint32_t	offset;
		FbRegex    *regex = fb_regex_compile(string_of(refused[i]), FB_REGEX_DOTNET, message, &offset);

		if (regex == NULL && message[0] != '\0' && offset <= strlen(refused[i]))
			continue;
		printf("# %s\n", refused[i]);
		fb_regex_free(regex);
		right = false;
	}
	ok(right, "what is no pattern of .NET, or cannot be translated");
}

/* Tells whether a pattern gets a note that has a word. */
static bool
noted(const char *pattern, const char *word)
{
	FbDotnetRegex translated;
	bool		found;

	fb_dotnet_regex(string_of(pattern), &translated);
	found = translated.pattern != NULL && translated.note != NULL && strstr(translated.note, word) != NULL;
	free(translated.pattern);
	return found;
}

/* Tells whether a pattern gets no note. */
static bool
silent(const char *pattern)
{
	FbDotnetRegex translated;
	bool		found;

	fb_dotnet_regex(string_of(pattern), &translated);
	found = translated.pattern != NULL && translated.note == NULL;
	free(translated.pattern);
	return found;
}

/* Checks that long and deep patterns are bounded. */
static void
test_bounds(void)
{
	char		deep[600];
	FbDotnetRegex translated;

	memset(deep, '(', 300);
	memset(deep + 300, ')', 300);
	fb_dotnet_regex((FbString) {deep, 600}, &translated);
	ok(translated.pattern == NULL && strcmp(translated.error, "too deeply nested") == 0, "nesting of groups is bounded");
	memset(deep, 'a', 600);
	for (int i = 0; i < 600; i += 3)
		memcpy(deep + i, "a-[", 3);
	deep[0] = '[';
	fb_dotnet_regex((FbString) {deep, 600}, &translated);
	ok(translated.pattern == NULL, "so is that of classes");
}

int
main(void)
{
	CHECK(plain, "characters, anchors, quantifiers, options");
	CHECK(classes, "classes and escapes");
	CHECK(boundaries, "boundaries of words");
	CHECK(groups, "groups, references, conditions, comments");
	test_refused();
	ok(noted("[[:alpha:]]", "[:name:]") && noted("(?<n>a)|(?<n>b)", "of one name") && noted("🚀", "U+FFFF") && noted("\\ud83d\\ude80", "U+FFFF"),
	   "notes");
	ok(silent("^[\\w.+-]+@(corp|internal)\\.example$") && silent("(?<n>a)\\k<n>") && silent("é"), "no notes");
	test_bounds();
	printf("1..%d\n", tests);
	return failures > 0;
}
