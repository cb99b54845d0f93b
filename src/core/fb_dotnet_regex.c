/*
 * fb_dotnet_regex.c
 *		Translates regular expressions of .NET into those of PCRE2.
 *
 * Both descend from Perl but differ in what they take literally: classes (\w,
 * \s, \b, blocks, subtraction), escapes (\v, \u), the numbers of groups, and in
 * what they refuse.  The translation takes a pattern apart as .NET's parser
 * does, refuses what it refuses, and writes only what means the same
 * everywhere: characters as \x{...}, groups without names unless something refers to them.
 * It is made twice: the first time counts groups and references.
 *
 * .NET works on UTF-16 and sees a character beyond U+FFFF as two; here it is one.
 */
#include "core/fb_dotnet_translate.h"

/* Tells whether a name is a number, and which. */
static bool
is_number(FbString name, uint32_t *number)
{
	*number = 0;
	for (uint32_t i = 0; i < name.length; i++)
	{
		if (!is_digit(name.data[i]) || *number > MAX_NUMBER / 10 - 1)
			return false;
		*number = *number * 10 + (uint32_t) (name.data[i] - '0');
	}
	return name.length > 0;
}

/* Finds a name among those known so far. */
static Name *
find_name(Translation *t, FbString name)
{
	for (uint32_t i = 0; i < t->name_count; i++)
		if (t->names[i].name.length == name.length && memcmp(t->names[i].name.data, name.data, name.length) == 0)
			return &t->names[i];
	return NULL;
}

/* Tells whether any group has a number: those without name come first, then names in their order. */
static bool
has_group(const Translation *t, uint32_t number)
{
	for (uint32_t i = 0; i < t->name_count; i++)
		if (t->names[i].number == number)
			return true;
	return number <= t->unnamed_total;
}

/* Gives the named groups their numbers, when all groups are known. */
static void
number_names(Translation *t)
{
	uint32_t	next = t->unnamed_total;

	for (uint32_t i = 0; i < t->name_count; i++)
	{
		if (is_number(t->names[i].name, &t->names[i].number))
			continue;
		t->names[i].number = 0;
		do
			next++;
		while (has_group(t, next));
		t->names[i].number = next;
	}
}

/* Writes what begins a group that captures. */
static void
put_capture(Translation *t, uint32_t number)
{
	if (!t->refers)
	{
		fb_dotnet_put(t, "(?:");
		return;
	}
	fb_dotnet_put(t, "(?<g");
	fb_dotnet_put_number(t, number);
	fb_dotnet_put(t, ">");
}

/* Writes a reference to a group. */
static void
put_reference(Translation *t, uint32_t number)
{
	t->refers = true;
	if (t->writing && !has_group(t, number))
	{
		fb_dotnet_fail(t, "reference to a group that does not exist");
		return;
	}
	fb_dotnet_put(t, "\\k<g");
	fb_dotnet_put_number(t, number);
	fb_dotnet_put(t, ">");
	t->quantifiable = true;
}

/* Writes a reference to a group by its name. */
static void
put_named_reference(Translation *t, FbString name)
{
	uint32_t	number;
	const Name *known;

	if (is_number(name, &number))
	{
		put_reference(t, number);
		return;
	}
	known = find_name(t, name);
	if (t->writing && known == NULL)
		fb_dotnet_fail(t, "reference to a group that does not exist");
	else
		put_reference(t, known != NULL ? known->number : 1);
}

/* Moves what has been written from a position on behind a prefix. */
static void
insert_before(Translation *t, size_t position, const char *prefix)
{
	size_t		length = strlen(prefix);

	if (!t->writing || t->error != NULL)
		return;
	fb_dotnet_put(t, prefix);
	if (t->error != NULL)
		return;
	memmove(t->out + position + length, t->out + position, t->used - length - position);
	memcpy(t->out + position, prefix, length);
}

/* Passes over comments, and over what option x lets be free. */
static void
skip_blank(Translation *t)
{
	for (;;)
	{
		char		c = peek(t, 0);

		if (t->options.spaced && more(t) && (c == ' ' || (c >= '\t' && c <= '\r')))
			t->position++;
		else if (t->options.spaced && c == '#')
		{
			while (more(t) && peek(t, 0) != '\n')
				t->position++;
		}
		else if (fb_dotnet_skip(t, "(?#"))
		{
			while (more(t) && peek(t, 0) != ')')
				t->position++;
			if (!fb_dotnet_skip(t, ")"))
				fb_dotnet_fail(t, "unterminated (?#...) comment");
		}
		else
			return;
	}
}

/* Tells whether what stands here is {n}, {n,} or {n,m}; every other brace is a character. */
static bool
is_braced_quantifier(const Translation *t)
{
	uint32_t	i = 1;

	while (is_digit(peek(t, i)))
		i++;
	if (i == 1)
		return false;
	if (peek(t, i) == ',')
		for (i++; is_digit(peek(t, i)); i++)
			;
	return peek(t, i) == '}';
}

/* Tells whether a quantifier stands here. */
static bool
is_quantifier(const Translation *t)
{
	char		c = peek(t, 0);

	return c == '*' || c == '+' || c == '?' || (c == '{' && is_braced_quantifier(t));
}

/* Writes an anchor; PCRE2 repeats only a group of it. */
static void
put_anchor(Translation *t, const char *anchor)
{
	bool		repeated;

	t->quantifiable = true;
	skip_blank(t);
	repeated = is_quantifier(t);
	if (repeated)
		fb_dotnet_put(t, "(?:");
	fb_dotnet_put(t, anchor);
	if (repeated)
		fb_dotnet_put(t, ")");
}

/* Translates a backslash and what follows it, outside of a class. */
static void
translate_backslash(Translation *t)
{
	char		c;
	uint32_t	start = ++t->position;
	uint32_t	number;
	FbString	name;
	size_t		written = t->used;

	t->quantifiable = true;
	c = peek(t, 0);
	switch (c)
	{
		case 'b':
			fb_dotnet_put(t, "(?:(?<=" BOUNDARY ")(?!" BOUNDARY ")|(?<!" BOUNDARY ")(?=" BOUNDARY "))");
			t->position++;
			return;
		case 'B':
			fb_dotnet_put(t, "(?:(?<=" BOUNDARY ")(?=" BOUNDARY ")|(?<!" BOUNDARY ")(?!" BOUNDARY "))");
			t->position++;
			return;
		case 'A':
		case 'G':
			t->position++;
			put_anchor(t, "\\A");
			return;
		case 'Z':
			t->position++;
			put_anchor(t, "\\Z");
			return;
		case 'z':
			t->position++;
			put_anchor(t, "\\z");
			return;
		case 'W':
			fb_dotnet_put(t, "[^" WORD "]");
			t->position++;
			return;
		case 'S':
			fb_dotnet_put(t, "[^" SPACE "]");
			t->position++;
			return;
		default:
			break;
	}
	if (fb_dotnet_shorthand(t, c))
	{
		insert_before(t, written, "[");
		fb_dotnet_put(t, "]");
		return;
	}
	if (c >= '1' && c <= '9')
	{
		number = fb_dotnet_read_number(t);
		if (number <= 9 || !t->writing || has_group(t, number))
		{
			put_reference(t, number);
			return;
		}
		t->position = start;
	}
	if (c == 'k' || c == '<' || c == '\'')
	{
		if (c == 'k')
			t->position++;
		if (peek(t, 0) == '<' || peek(t, 0) == '\'')
		{
			char		close[2] = {peek(t, 0) == '<' ? '>' : '\'', '\0'};

			t->position++;
			name = fb_dotnet_read_name(t);
			if (name.length > 0 && fb_dotnet_skip(t, close))
			{
				put_named_reference(t, name);
				return;
			}
		}
		if (c == 'k')
		{
			fb_dotnet_fail(t, "malformed \\k<...> named back reference");
			return;
		}
		t->position = start;
	}
	fb_dotnet_put_character(t, fb_dotnet_read_escape(t));
}

/* Opens a group that something has begun to write. */
static void
open_group(Translation *t)
{
	if (t->depth >= MAX_DEPTH)
	{
		fb_dotnet_fail(t, "too deeply nested");
		return;
	}
	t->outer[t->depth++] = t->options;
	t->quantifiable = false;
}

/* Opens a group with a name. */
static void
open_named_group(Translation *t, char close)
{
	FbString	name = fb_dotnet_read_name(t);
	const Name *known = find_name(t, name);
	uint32_t	number;

	if (peek(t, 0) == '-')
	{
		fb_dotnet_fail(t, "balancing groups cannot be translated");
		return;
	}
	if (name.length == 0 || peek(t, 0) != close ||
		(is_digit(name.data[0]) && (!is_number(name, &number) || number == 0)))
	{
		fb_dotnet_fail(t, "invalid group name");
		return;
	}
	t->position++;
	if (!t->writing)
	{
		if (known != NULL)
			fb_dotnet_note(t, "of several groups of one name .NET refers to the one that matched last");
		else if (t->name_count >= MAX_GROUPS)
			fb_dotnet_fail(t, "too many named groups");
		else
			t->names[t->name_count++] = (Name) {.name = name};
	}
	put_capture(t, known != NULL ? known->number : 1);
	open_group(t);
}

/* Translates options behind (?, up to ) or :. */
static void
translate_options(Translation *t)
{
	Options		options = t->options;
	char		on[8] = "";
	char		off[8] = "";
	bool		negative = false;
	size_t		count;

	for (;; t->position++)
	{
		char		c = peek(t, 0);
		char	   *letters = negative ? off : on;

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if (c == '-' || c == '+')
			negative = c == '-';
		else if (c == 'x')
			options.spaced = !negative;
		else if (c == 'n')
			options.explicit_capture = !negative;
		else if (c == 'i' || c == 'm' || c == 's')
		{
			/* the last of several counts, as in .NET */
			if (strchr(on, c) != NULL)
				memmove(strchr(on, c), strchr(on, c) + 1, strlen(strchr(on, c)));
			if (strchr(off, c) != NULL)
				memmove(strchr(off, c), strchr(off, c) + 1, strlen(strchr(off, c)));
			count = strlen(letters);
			letters[count] = c;
			letters[count + 1] = '\0';
		}
		else
			break;
	}
	if (peek(t, 0) != ')' && peek(t, 0) != ':')
	{
		fb_dotnet_fail(t, "unrecognized grouping construct");
		return;
	}
	fb_dotnet_put(t, "(?");
	fb_dotnet_put(t, on);
	if (off[0] != '\0')
		fb_dotnet_put(t, "-");
	fb_dotnet_put(t, off);
	if (fb_dotnet_skip(t, ":"))
	{
		fb_dotnet_put(t, ":");
		open_group(t);
	}
	else
	{
		t->position++;
		fb_dotnet_put(t, ")");
		t->quantifiable = false;
	}
	t->options = options;
}

/* Translates a condition on a group or an assertion behind (?. */
static void
translate_conditional(Translation *t)
{
	uint32_t	start = t->position;
	uint32_t	number;
	FbString	name;
	const Name *known;

	t->position++;
	name = fb_dotnet_read_name(t);
	known = find_name(t, name);
	if (name.length > 0 && peek(t, 0) == ')' && (is_number(name, &number) || known != NULL || !t->writing))
	{
		t->position++;
		if (!is_number(name, &number))
			number = known != NULL ? known->number : 1;
		if (t->writing && !has_group(t, number))
		{
			fb_dotnet_fail(t, "reference to a group that does not exist");
			return;
		}
		t->refers = true;
		fb_dotnet_put(t, "(?(<g");
		fb_dotnet_put_number(t, number);
		fb_dotnet_put(t, ">)");
		open_group(t);
		return;
	}
	t->position = start;
	if (peek(t, 1) == '?' && (peek(t, 2) == '=' || peek(t, 2) == '!' ||
							  (peek(t, 2) == '<' && (peek(t, 3) == '=' || peek(t, 3) == '!'))))
	{
		/* the assertion follows as a group of its own */
		fb_dotnet_put(t, "(?");
		open_group(t);
		return;
	}
	fb_dotnet_fail(t, "a condition that is no group and no assertion cannot be translated");
}

/* Translates an opening parenthesis and what belongs to it. */
static void
translate_group(Translation *t)
{
	static const char *const plain[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (fb_dotnet_skip(t, plain[i]))
		{
			fb_dotnet_put(t, plain[i]);
			open_group(t);
			return;
		}
	t->position++;
	if (peek(t, 0) != '?' || peek(t, 1) == ')')
	{
		if (t->options.explicit_capture)
			fb_dotnet_put(t, "(?:");
		else
			put_capture(t, ++t->unnamed);
		open_group(t);
		return;
	}
	t->position++;
	if (fb_dotnet_skip(t, "<"))
		open_named_group(t, '>');
	else if (fb_dotnet_skip(t, "'"))
		open_named_group(t, '\'');
	else if (peek(t, 0) == '(')
		translate_conditional(t);
	else
		translate_options(t);
}

/* Closes a group. */
static void
close_group(Translation *t)
{
	if (t->depth == 0)
	{
		fb_dotnet_fail(t, "too many )'s");
		return;
	}
	t->options = t->outer[--t->depth];
	t->position++;
	fb_dotnet_put(t, ")");
	t->quantifiable = true;
}

/* Translates a quantifier. */
static void
translate_quantifier(Translation *t)
{
	char		c = peek(t, 0);

	if (!t->quantifiable)
	{
		fb_dotnet_fail(t, "quantifier after nothing");
		return;
	}
	t->position++;
	if (c == '{')
	{
		uint32_t	least = fb_dotnet_read_number(t);

		fb_dotnet_put(t, "{");
		fb_dotnet_put_number(t, least);
		if (fb_dotnet_skip(t, ","))
		{
			fb_dotnet_put(t, ",");
			if (is_digit(peek(t, 0)))
			{
				uint32_t	most = fb_dotnet_read_number(t);

				if (most < least)
					fb_dotnet_fail(t, "illegal {x,y} with x > y");
				fb_dotnet_put_number(t, most);
			}
		}
		t->position++;
		fb_dotnet_put(t, "}");
	}
	else
		fb_dotnet_write(t, &c, 1);
	skip_blank(t);
	if (fb_dotnet_skip(t, "?"))
		fb_dotnet_put(t, "?");
	skip_blank(t);
	if (is_quantifier(t))
		fb_dotnet_fail(t, "nested quantifier");
	t->quantifiable = false;
}

/* Translates the pattern, or looks through it. */
static void
translate(Translation *t)
{
	t->position = 0;
	t->options = (Options) {false, false};
	t->unnamed = 0;
	for (skip_blank(t); more(t) && t->error == NULL; skip_blank(t))
	{
		char		c = peek(t, 0);

		if (is_quantifier(t))
			translate_quantifier(t);
		else if (c == '\\')
			translate_backslash(t);
		else if (c == '[')
		{
			fb_dotnet_class(t);
			t->quantifiable = true;
		}
		else if (c == '(')
			translate_group(t);
		else if (c == ')')
			close_group(t);
		else if (c == '|' || c == '.')
		{
			fb_dotnet_write(t, &c, 1);
			t->position++;
			t->quantifiable = c == '.';
		}
		else if (c == '^' || c == '$')
		{
			t->position++;
			put_anchor(t, c == '^' ? "^" : "$");
		}
		else
		{
			fb_dotnet_put_character(t, fb_dotnet_next(t));
			t->quantifiable = true;
		}
	}
	if (t->depth > 0)
		fb_dotnet_fail(t, "not enough )'s");
}

/* Translates a pattern in UTF-8. */
void
fb_dotnet_regex(FbString pattern, FbDotnetRegex *result)
{
	Translation *t = calloc(1, sizeof(Translation));

	memset(result, 0, sizeof(*result));
	if (t == NULL)
	{
		result->error = "out of memory";
		return;
	}
	t->text = pattern;
	translate(t);
	t->unnamed_total = t->unnamed;
	number_names(t);
	t->writing = true;
	t->quantifiable = false;
	if (t->error == NULL)
	{
		t->depth = 0;
		translate(t);
	}
	result->error = t->error;
	result->offset = t->offset;
	result->note = t->note;
	result->length = t->used;
	if (t->error == NULL && t->out == NULL)
		t->out = calloc(1, 1);
	if (t->error == NULL)
		result->pattern = t->out;
	else
		free(t->out);
	free(t);
}
