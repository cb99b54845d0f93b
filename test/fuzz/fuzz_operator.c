/*
 * fuzz_operator.c
 *		Operators, patterns, sets and timestamps on arbitrary bytes.
 *
 *		clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -Isrc test/fuzz/fuzz_operator.c src/core/fb_*.c -lpcre2-8 -lm
 *
 * The first byte chooses the operator, the second the length of the operand;
 * the rest is the attribute.
 */
#include <stdlib.h>

#include "core/fb_operator.h"
#include "core/fb_time.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Never called: the values have no elements and no numbers. */
static bool
no_attribute(const FbContext *context, const FbPath *path, FbValue *value)
{
	abort();
}

static const FbContextMethods methods = {.lookup = no_attribute};
static const FbContext context = {&methods};

/* Matches with and without machine code, which must agree. */
static void
match_both(FbString pattern, FbString subject)
{
	char		message[FB_REGEX_MESSAGE_SIZE];
	uint32_t	offset;
	FbRegex    *compiled = fb_regex_compile(pattern, 0, message, &offset);
	FbRegex    *interpreted = fb_regex_compile(pattern, FB_REGEX_NO_JIT, message, &offset);

	if ((compiled == NULL) != (interpreted == NULL))
		abort();
	if (compiled == NULL)
		return;
	if (fb_regex_match(compiled, subject, NULL, NULL) != fb_regex_match(interpreted, subject, NULL, NULL))
		abort();
	fb_regex_free(compiled);
	fb_regex_free(interpreted);
}

/* Adds the operand's pieces of three bytes to a set; it has these and no others. */
static void
check_set(FbString operand, FbString subject)
{
	uint32_t	count = operand.length / 3;
	FbSet		set;
	void	   *memory = malloc(fb_set_size(count, count * 3));
	bool		listed = false;

	fb_set_init(&set, memory, count);
	for (uint32_t i = 0; i < count; i++)
	{
		FbString	piece = {operand.data + 3 * i, 3 - i % 4};

		(void) fb_set_add(&set, piece);
		if (!fb_set_has(&set, piece))
			abort();
		listed = listed || fb_string_equal(piece, subject);
	}
	if (fb_set_has(&set, subject) != listed)
		abort();
	free(memory);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FbString	operand;
	FbValue		value = {.kind = FB_VALUE_STRING};
	FbOperand	operands = {.needle_count = 1};
	FbString	needle;
	int64_t		time;

	if (size < 2 || size < 2 + (size_t) data[1])
		return 0;
	operand = (FbString) {(const char *) data + 2, data[1]};
	value.string = (FbString) {(const char *) data + 2 + data[1], (uint32_t) (size - 2 - data[1])};
	needle = operand;
	operands.needles = &needle;
	switch (data[0] % 6)
	{
		case 0:
			match_both(operand, value.string);
			break;
		case 1:
			check_set(operand, value.string);
			break;
		case 2:
			(void) fb_parse_time(value.string, &time);
			break;
		case 3:
			if (fb_operators[FB_OP_STARTS_WITH].test(&context, &value, &operands) &&
				!fb_operators[FB_OP_CONTAINS].test(&context, &value, &operands))
				abort();
			break;
		case 4:
			if (fb_operators[FB_OP_ENDS_WITH].test(&context, &value, &operands) &&
				!fb_operators[FB_OP_CONTAINS].test(&context, &value, &operands))
				abort();
			break;
		case 5:
			(void) fb_operator_find(operand.data, operand.length);
			break;
	}
	return 0;
}
