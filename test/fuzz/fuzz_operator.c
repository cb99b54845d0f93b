/*
 * fuzz_operator.c
 *		Operators, patterns, sets and timestamps on arbitrary bytes.
 *
 * The first byte chooses the operator, the second the length of the operand;
 * the rest is the attribute.
 */
#include <stdlib.h>

#include "core/fb_casefold.h"
#include "core/fb_operator.h"
#include "core/fb_time.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Never called: the values have no elements and no numbers. */
static bool
no_attribute(const FbContext *context, const FbPath *path, FbValue *value)
{
	abort();
}

/* Gives memory for one test. */
static void *
allocate(const FbContext *context, size_t size)
{
	return malloc(size);
}

/* Takes it back. */
static void
release(const FbContext *context, void *memory)
{
	free(memory);
}

static const FbContextMethods methods = {.lookup = no_attribute,.allocate = allocate,.release = release};
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

/* Orders two versions by the operators. */
static int
order_by_operators(const FbValue *value, const FbOperand *operand)
{
	bool		before = fb_operators[FB_OP_SEMVER_LT].test(&context, value, operand, 0);
	bool		same = fb_operators[FB_OP_SEMVER_EQ].test(&context, value, operand, 0);
	bool		after = fb_operators[FB_OP_SEMVER_GT].test(&context, value, operand, 0);

	if (before + same + after != 1 ||
		fb_operators[FB_OP_SEMVER_LE].test(&context, value, operand, 0) != (before || same) ||
		fb_operators[FB_OP_SEMVER_GE].test(&context, value, operand, 0) != (after || same) ||
		fb_operators[FB_OP_SEMVER_NE].test(&context, value, operand, 0) == same)
		abort();
	return after - before;
}

/* Compares two versions in both directions. */
static void
check_versions(FbString operand, const FbValue *value)
{
	FbValue		other = {.kind = FB_VALUE_STRING,.string = operand};
	FbOperand	right = {.needle_count = 0};
	FbOperand	left = {.needle_count = 0};

	if (!fb_parse_version(operand, &right.version) || !fb_parse_version(value->string, &left.version))
		return;
	if (order_by_operators(value, &right) != -order_by_operators(&other, &left))
		abort();
}

/* A version that is a range by itself is met by itself; bounds never leave their room. */
static void
check_range(FbString operand, const FbValue *value)
{
	FbVersionBound bounds[6];
	FbVersion	version;
	uint32_t	count;

	if (fb_parse_version_range(operand, bounds, 6, &count) == FB_RANGE_GOOD && fb_parse_version(value->string, &version))
		(void) fb_version_in_range(&version, bounds, count);
	if (fb_parse_version(operand, &version) &&
		(fb_parse_version_range(operand, bounds, 6, &count) != FB_RANGE_GOOD || !fb_version_in_range(&version, bounds, count)))
		abort();
}

/* An address is in its own network; sorting changes no answer. */
static void
check_network(FbString operand, const FbValue *value)
{
	FbAddress	address;
	FbNetwork	networks[2];
	bool		either;

	if (!fb_parse_address(value->string, &address))
		return;
	if (fb_parse_network(value->string, &networks[0]) != FB_NETWORK_GOOD || !fb_networks_have(networks, 1, &address))
		abort();
	if (fb_parse_network(operand, &networks[0]) != FB_NETWORK_GOOD)
		return;
	networks[1] = networks[0];
	(void) fb_parse_network(value->string, &networks[0]);
	either = fb_networks_have(networks, 1, &address) || fb_networks_have(networks + 1, 1, &address);
	if (fb_networks_have(networks, fb_sort_networks(networks, 2), &address) != either)
		abort();
}

/* Folding twice is folding once, and fits; what folds alike is found whatever its case. */
static void
check_folding(FbString operand, const FbValue *value)
{
	size_t		size = FB_FOLDED_SIZE(value->string.length);
	char	   *once = malloc(size);
	char	   *twice = malloc(FB_FOLDED_SIZE(size));
	FbString	folded = {once, fb_casefold(value->string, once)};
	FbOperand	operands = {.needles = &folded,.needle_count = 1};

	if (folded.length > size || fb_casefold(folded, twice) != folded.length || memcmp(once, twice, folded.length) != 0)
		abort();
	if (!fb_operators[FB_OP_CONTAINS_CI].test(&context, value, &operands, 0) ||
		!fb_operators[FB_OP_STARTS_WITH_CI].test(&context, value, &operands, 0) ||
		!fb_operators[FB_OP_ENDS_WITH_CI].test(&context, value, &operands, 0))
		abort();
	operands = (FbOperand) {.value = {.kind = FB_VALUE_STRING,.string = folded}};
	if (!fb_operators[FB_OP_EQ_CI].test(&context, value, &operands, 0))
		abort();
	free(once);
	free(twice);
}

/* Before and after exclude each other, and a relative time moves. */
static void
check_moment(FbString operand, const FbValue *value)
{
	FbOperand	operands = {.needle_count = 0};
	int64_t		time;

	if (!fb_parse_moment(operand, &operands.moment))
		return;
	for (int64_t now = -1; now <= 1; now++)
		if (fb_operators[FB_OP_BEFORE].test(&context, value, &operands, now * INT64_MAX) &&
			fb_operators[FB_OP_AFTER].test(&context, value, &operands, now * INT64_MAX))
			abort();
	if (operands.moment.relative != (fb_moment_at(&operands.moment, 0) != fb_moment_at(&operands.moment, 1)))
		abort();
	(void) fb_parse_time(value->string, &time);
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
	switch (data[0] % 11)
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
			if (fb_operators[FB_OP_STARTS_WITH].test(&context, &value, &operands, 0) &&
				!fb_operators[FB_OP_CONTAINS].test(&context, &value, &operands, 0))
				abort();
			break;
		case 4:
			if (fb_operators[FB_OP_ENDS_WITH].test(&context, &value, &operands, 0) &&
				!fb_operators[FB_OP_CONTAINS].test(&context, &value, &operands, 0))
				abort();
			break;
		case 5:
			(void) fb_operator_find(operand.data, operand.length);
			break;
		case 6:
			check_versions(operand, &value);
			break;
		case 7:
			check_range(operand, &value);
			break;
		case 8:
			check_network(operand, &value);
			break;
		case 9:
			check_folding(operand, &value);
			break;
		case 10:
			check_moment(operand, &value);
			break;
	}
	return 0;
}
