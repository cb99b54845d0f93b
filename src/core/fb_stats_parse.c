/*
 * fb_stats_parse.c
 *		Reads the text form of a moment state.
 *
 * The text is one JSON object:
 *		{"version": 1, "kind": "mean", "n": 3, "n_bad": 0,
 *		 "means": [2.5], "comoments": [4]}
 *		{"version": 1, "kind": "proportion", "n": 10, "n_bad": 0, "successes": 3}
 * with the members in any order; version and n_bad may be left out. Kind
 * shape keeps the sums of powers 2 to 4 as comoments; a cuped state with
 * "missing": true has the indicator of missing covariates last. Numbers
 * are read by strtod, which rounds correctly, so the shortest decimal that
 * identifies a double restores it to the bit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_stats_text.h"

/* Bits of the members already seen. */
enum
{
	SEEN_VERSION = 1, SEEN_KIND = 2, SEEN_N = 4, SEEN_N_BAD = 8,
	SEEN_SUCCESSES = 16, SEEN_MEANS = 32, SEEN_COMOMENTS = 64, SEEN_MISSING = 128
};

/* Notes what is wrong; the first complaint stays. */
bool
fb_text_fail(FbText *parser, const char *detail)
{
	if (parser->detail == NULL)
		parser->detail = detail;
	return false;
}

/* Skips white space. */
void
fb_text_skip_space(FbText *parser)
{
	while (*parser->at == ' ' || *parser->at == '\t' || *parser->at == '\n' || *parser->at == '\r')
		parser->at++;
}

/* Takes one punctuation character if it comes next. */
bool
fb_text_accept(FbText *parser, char c)
{
	fb_text_skip_space(parser);
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* Takes a string without escapes. */
bool
fb_text_string(FbText *parser, const char **start, size_t *length)
{
	if (!fb_text_accept(parser, '"'))
		return fb_text_fail(parser, "A string in double quotes is expected.");
	*start = parser->at;
	while (*parser->at != '"' && *parser->at != '\\' && (unsigned char) *parser->at >= ' ')
		parser->at++;
	if (*parser->at != '"')
		return fb_text_fail(parser, "A string is not closed.");
	*length = (size_t) (parser->at - *start);
	parser->at++;
	return true;
}

/* Skips a run of at least one digit. */
static bool
skip_digits(const char **at)
{
	const char *start = *at;

	while (**at >= '0' && **at <= '9')
		(*at)++;
	return *at > start;
}

/* Takes a JSON number as a finite double. */
bool
fb_text_double(FbText *parser, double *value)
{
	const char *end;

	fb_text_skip_space(parser);
	end = parser->at;
	if (*end == '-')
		end++;
	if (!skip_digits(&end))
		return fb_text_fail(parser, "A number is expected.");
	if (*end == '.')
	{
		end++;
		if (!skip_digits(&end))
			return fb_text_fail(parser, "A number is expected.");
	}
	if (*end == 'e' || *end == 'E')
	{
		end++;
		if (*end == '+' || *end == '-')
			end++;
		if (!skip_digits(&end))
			return fb_text_fail(parser, "A number is expected.");
	}
	*value = strtod(parser->at, NULL);
	if (!isfinite(*value))
		return fb_text_fail(parser, "A number is out of range.");
	parser->at = end;
	return true;
}

/* Takes a whole number. */
bool
fb_text_integer(FbText *parser, int64_t *value)
{
	const char *end;
	int64_t		result = 0;

	fb_text_skip_space(parser);
	end = parser->at;
	if (!skip_digits(&end) || *end == '.' || *end == 'e' || *end == 'E')
		return fb_text_fail(parser, "A whole number, zero or positive, is expected.");
	for (; parser->at < end; parser->at++)
	{
		result = result * 10 + (*parser->at - '0');
		if (result > FB_STATS_MAX_N)
			return fb_text_fail(parser, "A count must not exceed 9007199254740992.");
	}
	*value = result;
	return true;
}

/* Takes true or false. */
static bool
parse_boolean(FbText *parser, bool *value)
{
	fb_text_skip_space(parser);
	*value = strncmp(parser->at, "true", 4) == 0;
	if (!*value && strncmp(parser->at, "false", 5) != 0)
		return fb_text_fail(parser, "true or false is expected.");
	parser->at += *value ? 4 : 5;
	return true;
}

/* Takes an array of at most max numbers. */
static bool
parse_array(FbText *parser, double *values, int max, int *count)
{
	*count = 0;
	if (!fb_text_accept(parser, '['))
		return fb_text_fail(parser, "An array of numbers is expected.");
	do
	{
		if (*count >= max)
			return fb_text_fail(parser, "An array has too many numbers.");
		if (!fb_text_double(parser, &values[*count]))
			return false;
		(*count)++;
	} while (fb_text_accept(parser, ','));
	if (!fb_text_accept(parser, ']'))
		return fb_text_fail(parser, "An array is not closed.");
	return true;
}

/*
 * Reads a state from its text form into memory large enough for any state.
 * Returns false with the sentence that says what is wrong.
 */
bool
fb_stats_parse(const char *text, FbStats *state, const char **detail)
{
	static const struct
	{
		const char *name;
		int			bit;
	}			members[] = {
		{"version", SEEN_VERSION}, {"kind", SEEN_KIND}, {"n", SEEN_N}, {"n_bad", SEEN_N_BAD},
		{"successes", SEEN_SUCCESSES}, {"means", SEEN_MEANS}, {"comoments", SEEN_COMOMENTS},
		{"missing", SEEN_MISSING}
	};
	FbText		parser = {text, NULL};
	int			seen = 0;
	int			kind = 0;
	int64_t		version = FB_STATS_VERSION;
	int64_t		n = 0;
	int64_t		n_bad = 0;
	int64_t		successes = 0;
	bool		missing = false;
	double		means[FB_STATS_MAX_K];
	double		comoments[FB_STATS_MAX_VALUES - FB_STATS_MAX_K];
	int			n_means = 0;
	int			n_comoments = 0;
	bool		ok = fb_text_accept(&parser, '{') || fb_text_fail(&parser, "An object in curly brackets is expected.");

	while (ok)
	{
		const char *name;
		size_t		length;
		int			bit = 0;

		ok = fb_text_string(&parser, &name, &length);
		if (!ok)
			break;
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			if (strlen(members[i].name) == length && memcmp(members[i].name, name, length) == 0)
				bit = members[i].bit;
		if (bit == 0)
			ok = fb_text_fail(&parser, "Members are version, kind, n, n_bad, missing, successes, means and comoments.");
		else if (seen & bit)
			ok = fb_text_fail(&parser, "A member is given twice.");
		else if (!fb_text_accept(&parser, ':'))
			ok = fb_text_fail(&parser, "A colon is expected behind the name of a member.");
		if (!ok)
			break;
		seen |= bit;
		if (bit == SEEN_VERSION)
			ok = fb_text_integer(&parser, &version);
		else if (bit == SEEN_N)
			ok = fb_text_integer(&parser, &n);
		else if (bit == SEEN_N_BAD)
			ok = fb_text_integer(&parser, &n_bad);
		else if (bit == SEEN_SUCCESSES)
			ok = fb_text_integer(&parser, &successes);
		else if (bit == SEEN_MEANS)
			ok = parse_array(&parser, means, FB_STATS_MAX_K, &n_means);
		else if (bit == SEEN_COMOMENTS)
			ok = parse_array(&parser, comoments, FB_STATS_MAX_VALUES - FB_STATS_MAX_K, &n_comoments);
		else if (bit == SEEN_MISSING)
			ok = parse_boolean(&parser, &missing);
		else if (fb_text_string(&parser, &name, &length))
		{
			kind = fb_stats_kind_from_name(name, length);
			ok = kind != 0 || fb_text_fail(&parser, "Kinds are proportion, mean, cuped, ratio, ratio_cuped, shape, quantile and bootstrap.");
		}
		else
			ok = false;
		if (!ok || !fb_text_accept(&parser, ','))
			break;
	}
	if (ok)
		ok = fb_text_accept(&parser, '}') || fb_text_fail(&parser, "The object is not closed.");
	if (ok)
	{
		fb_text_skip_space(&parser);
		ok = *parser.at == '\0' || fb_text_fail(&parser, "Nothing may follow the object.");
	}
	if (ok && version != FB_STATS_VERSION)
		ok = fb_text_fail(&parser, "The version is not supported.");
	if (ok && (seen & (SEEN_KIND | SEEN_N)) != (SEEN_KIND | SEEN_N))
		ok = fb_text_fail(&parser, "The members kind and n are required.");
	if (ok && kind == FB_STATS_PROPORTION)
	{
		if (!(seen & SEEN_SUCCESSES) || (seen & (SEEN_MEANS | SEEN_COMOMENTS)))
			ok = fb_text_fail(&parser, "A proportion has successes, and neither means nor comoments.");
		n_means = 1;
	}
	else if (ok)
	{
		if ((seen & SEEN_SUCCESSES) || !(seen & SEEN_MEANS) || !(seen & SEEN_COMOMENTS))
			ok = fb_text_fail(&parser, "All kinds but the proportion have means and comoments, and no successes.");
		else if (!fb_stats_shape_ok(kind, n_means))
			ok = fb_text_fail(&parser, "The number of means does not fit the kind.");
		else if (kind == FB_STATS_SHAPE && n_comoments != 3)
			ok = fb_text_fail(&parser, "For kind shape there must be the sums of powers 2, 3 and 4 as comoments.");
		else if (kind != FB_STATS_SHAPE && n_comoments != n_means * (n_means + 1) / 2)
			ok = fb_text_fail(&parser, "For k means there must be k (k + 1) / 2 comoments.");
	}
	if (ok)
	{
		fb_stats_init(state, kind, n_means);
		state->n = n;
		state->n_bad = n_bad;
		state->flags = missing ? FB_STATS_MISSING : 0;
		if (kind == FB_STATS_PROPORTION)
			state->value[0] = (double) successes;
		else
		{
			memcpy(state->value, means, sizeof(double) * (size_t) n_means);
			memcpy(state->value + n_means, comoments, sizeof(double) * (size_t) n_comoments);
		}
		parser.detail = fb_stats_check(state);
	}
	*detail = parser.detail;
	return parser.detail == NULL;
}
