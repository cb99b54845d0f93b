/*
 * fb_semver.c
 *		Reads and compares versions and ranges.
 *
 * Semantic Versioning 2.0.0 with two liberties that the applications' texts
 * need: a leading v, and a minor or patch number that is not there is zero
 * (then without pre-release and build metadata).
 * Build metadata is checked and has no meaning (rule 10).
 */
#include <string.h>

#include "core/fb_semver.h"

typedef struct Cursor
{
	const char *at;
	const char *end;
} Cursor;

/* Tells whether a character is a decimal digit. */
static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Tells whether a character may stand in an identifier. */
static inline bool
is_identifier_character(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

/* Skips one character if it is the given one. */
static inline bool
skip(Cursor *cursor, char wanted)
{
	if (cursor->at == cursor->end || *cursor->at != wanted)
		return false;
	cursor->at++;
	return true;
}

/* Skips blanks; false when there was none. */
static bool
skip_blanks(Cursor *cursor)
{
	const char *start = cursor->at;

	while (skip(cursor, ' '))
		;
	return cursor->at > start;
}

/* Reads a number without leading zeros. */
static bool
read_number(Cursor *cursor, FbString *number)
{
	number->data = cursor->at;
	while (cursor->at < cursor->end && is_digit(*cursor->at))
		cursor->at++;
	number->length = (uint32_t) (cursor->at - number->data);
	return number->length == 1 || (number->length > 1 && number->data[0] != '0');
}

/* Reads identifiers with dots between them; those of a pre-release that are numbers have no leading zeros. */
static bool
read_identifiers(Cursor *cursor, bool zeros_allowed, FbString *identifiers)
{
	const char *begin = cursor->at;

	do
	{
		const char *start = cursor->at;
		bool		numeric = true;

		while (cursor->at < cursor->end && is_identifier_character(*cursor->at))
			numeric = is_digit(*cursor->at++) && numeric;
		if (cursor->at == start || (numeric && !zeros_allowed && *start == '0' && cursor->at - start > 1))
			return false;
	} while (skip(cursor, '.'));
	identifiers->data = begin;
	identifiers->length = (uint32_t) (cursor->at - begin);
	return true;
}

/* Reads the wildcard that may stand for a number of a range. */
static bool
skip_wildcard(Cursor *cursor)
{
	return skip(cursor, 'x') || skip(cursor, 'X') || skip(cursor, '*');
}

/*
 * Reads a version.  parts says how many numbers there are before the first
 * wildcard; 4 stands for all three with the pre-release that may follow.
 */
static bool
read_version(Cursor *cursor, bool wildcards, FbVersion *version, int *parts)
{
	static const FbString zero = {"0", 1};
	FbString	ignored;
	bool		wild = false;
	int			i;

	memset(version, 0, sizeof(*version));
	version->numbers[0] = version->numbers[1] = version->numbers[2] = zero;
	*parts = 0;
	if (!skip(cursor, 'v'))
		(void) skip(cursor, 'V');
	for (i = 0; i < 3; i++)
	{
		if (i > 0 && !skip(cursor, '.'))
			break;
		if (wildcards && skip_wildcard(cursor))
			wild = true;
		else if (wild || !read_number(cursor, &version->numbers[i]))
			return false;
		else
			*parts = i + 1;
	}
	if (*parts == 3)
		*parts = 4;
	/* Without the three numbers, 2026-05-01 would be a pre-release. */
	if (*parts < 4)
		return true;
	return (!skip(cursor, '-') || read_identifiers(cursor, false, &version->prerelease)) &&
		(!skip(cursor, '+') || read_identifiers(cursor, true, &ignored));
}

/* Reads a version that is the whole text. */
bool
fb_parse_version(FbString text, FbVersion *version)
{
	Cursor		cursor = {text.data, text.data + text.length};
	int			parts;

	return text.length > 0 && read_version(&cursor, false, version, &parts) && cursor.at == cursor.end;
}

/* Compares two decimal numbers without leading zeros. */
static int
compare_decimals(FbString a, FbString b)
{
	if (a.length != b.length)
		return a.length < b.length ? -1 : 1;
	return memcmp(a.data, b.data, a.length);
}

/* Takes the first identifier of a pre-release off; tells whether it is a number. */
static bool
take_identifier(FbString *prerelease, FbString *identifier)
{
	const char *dot = memchr(prerelease->data, '.', prerelease->length);
	uint32_t	taken = dot == NULL ? prerelease->length : (uint32_t) (dot - prerelease->data);
	uint32_t	i;

	identifier->data = prerelease->data;
	identifier->length = taken;
	taken += dot != NULL;
	prerelease->data += taken;
	prerelease->length -= taken;
	for (i = 0; i < identifier->length; i++)
		if (!is_digit(identifier->data[i]))
			return false;
	return true;
}

/* Compares two pre-releases (rule 11.3 and 11.4). */
static int
compare_prereleases(FbString a, FbString b)
{
	if (a.length == 0 || b.length == 0)
		return (a.length == 0) - (b.length == 0);
	while (a.length > 0 && b.length > 0)
	{
		FbString	left;
		FbString	right;
		bool		left_number = take_identifier(&a, &left);
		bool		right_number = take_identifier(&b, &right);
		int			order;

		if (left_number != right_number)
			return left_number ? -1 : 1;
		if (left_number)
			order = compare_decimals(left, right);
		else
		{
			order = memcmp(left.data, right.data, left.length < right.length ? left.length : right.length);
			if (order == 0)
				order = (left.length > right.length) - (left.length < right.length);
		}
		if (order != 0)
			return order;
	}
	return (a.length > 0) - (b.length > 0);
}

/* Compares the first parts of two versions; the fourth is the pre-release. */
static int
compare_parts(const FbVersion *a, const FbVersion *b, int parts)
{
	int			i;

	for (i = 0; i < 3 && i < parts; i++)
	{
		int			order = compare_decimals(a->numbers[i], b->numbers[i]);

		if (order != 0)
			return order;
	}
	return parts > 3 ? compare_prereleases(a->prerelease, b->prerelease) : 0;
}

/* Compares two versions by precedence (rule 11): negative, zero or positive. */
int
fb_compare_versions(const FbVersion *a, const FbVersion *b)
{
	return compare_parts(a, b, 4);
}

/* The bounds that are being collected. */
typedef struct Range
{
	FbVersionBound *bounds;
	uint32_t	room;
	uint32_t	count;
	uint32_t	first;			/* of the current alternative */
	FbRangeFault fault;
} Range;

/* Adds a bound; false when there is no room. */
static bool
add_bound(Range *range, const FbVersion *version, int parts, bool upper, bool inclusive)
{
	FbVersionBound *bound;

	if (range->count == range->room)
	{
		range->fault = FB_RANGE_TOO_LONG;
		return false;
	}
	bound = &range->bounds[range->count++];
	bound->version = *version;
	bound->parts = (uint8_t) parts;
	bound->upper = upper;
	bound->inclusive = inclusive;
	bound->last = false;
	return true;
}

/* Returns the parts that a caret keeps: up to the first number that is not zero. */
static int
caret_parts(const FbVersion *version, int parts)
{
	int			i;

	for (i = 0; i < 3 && i < parts; i++)
		if (version->numbers[i].data[0] != '0')
			return i + 1;
	return i;
}

/* Reads an operator with its version. */
static bool
read_comparator(Cursor *cursor, Range *range)
{
	char		op = '=';
	bool		inclusive = true;
	FbVersion	version;
	int			parts;

	if (cursor->at < cursor->end && strchr("<>=~^", *cursor->at) != NULL && *cursor->at != '\0')
		op = *cursor->at++;
	if (op == '<' || op == '>')
		inclusive = skip(cursor, '=');
	(void) skip_blanks(cursor);
	if (!read_version(cursor, true, &version, &parts))
		return false;
	switch (op)
	{
		case '<':
			return add_bound(range, &version, parts, true, inclusive);
		case '>':
			return add_bound(range, &version, parts, false, inclusive);
		case '~':
			return add_bound(range, &version, parts, false, true) &&
				add_bound(range, &version, parts < 2 ? parts : 2, true, true);
		case '^':
			return add_bound(range, &version, parts, false, true) &&
				add_bound(range, &version, caret_parts(&version, parts), true, true);
		default:
			return add_bound(range, &version, parts, false, true) && add_bound(range, &version, parts, true, true);
	}
}

/* Reads "1.2 - 2.3" if it is one; false leaves the cursor where it was. */
static bool
read_hyphen(Cursor *cursor, Range *range)
{
	Cursor		ahead = *cursor;
	FbVersion	lower;
	FbVersion	upper;
	int			lower_parts;
	int			upper_parts;

	if (!read_version(&ahead, true, &lower, &lower_parts) || !skip_blanks(&ahead) || !skip(&ahead, '-') ||
		!skip_blanks(&ahead) || !read_version(&ahead, true, &upper, &upper_parts))
		return false;
	*cursor = ahead;
	return add_bound(range, &lower, lower_parts, false, true) && add_bound(range, &upper, upper_parts, true, true);
}

/* Tells whether no version can be above one bound and below another. */
static bool
excludes(const FbVersionBound *lower, const FbVersionBound *upper)
{
	int			order = compare_parts(&lower->version, &upper->version,
									  lower->parts < upper->parts ? lower->parts : upper->parts);

	if (order != 0)
		return order > 0;
	return (lower->parts <= upper->parts && !lower->inclusive) || (upper->parts <= lower->parts && !upper->inclusive);
}

/* Closes an alternative; false when nothing meets it. */
static bool
end_alternative(Range *range)
{
	uint32_t	i;
	uint32_t	j;

	for (i = range->first; i < range->count; i++)
		for (j = range->first; j < range->count; j++)
		{
			const FbVersionBound *lower = &range->bounds[i];
			const FbVersionBound *upper = &range->bounds[j];

			if ((lower->parts == 0 && !lower->inclusive) ||
				(!lower->upper && upper->upper && excludes(lower, upper)))
			{
				range->fault = FB_RANGE_EMPTY;
				return false;
			}
		}
	range->bounds[range->count - 1].last = true;
	range->first = range->count;
	return true;
}

/*
 * Reads a range: alternatives with || between them, each one or more of
 * "1.2.3", "1.2.x", "<2.0", ">=1.0.0", "~1.2", "^1.2.3" with blanks between
 * them, or "1.2.3 - 2.0".  The bounds point into the text.
 */
FbRangeFault
fb_parse_version_range(FbString text, FbVersionBound *bounds, uint32_t room, uint32_t *count)
{
	Cursor		cursor = {text.data, text.data + text.length};
	Range		range = {bounds, room, 0, 0, FB_RANGE_SYNTAX};

	do
	{
		(void) skip_blanks(&cursor);
		if (!read_hyphen(&cursor, &range))
		{
			if (range.fault == FB_RANGE_TOO_LONG || !read_comparator(&cursor, &range))
				return range.fault;
			while (skip_blanks(&cursor) && cursor.at < cursor.end && *cursor.at != '|')
				if (!read_comparator(&cursor, &range))
					return range.fault;
		}
		(void) skip_blanks(&cursor);
		if (!end_alternative(&range))
			return range.fault;
	} while (skip(&cursor, '|') && skip(&cursor, '|'));
	*count = range.count;
	return cursor.at == cursor.end && cursor.at[-1] != '|' ? FB_RANGE_GOOD : FB_RANGE_SYNTAX;
}

/* Tells whether a version meets all bounds of any alternative. */
bool
fb_version_in_range(const FbVersion *version, const FbVersionBound *bounds, uint32_t count)
{
	bool		met = true;
	uint32_t	i;

	for (i = 0; i < count; i++)
	{
		const FbVersionBound *bound = &bounds[i];

		if (met)
		{
			int			order = compare_parts(version, &bound->version, bound->parts);

			met = order == 0 ? bound->inclusive : bound->upper ? order < 0 : order > 0;
		}
		if (bound->last)
		{
			if (met)
				return true;
			met = true;
		}
	}
	return false;
}
