/*
 * fuzz_evaluate.c
 *		The evaluator on arbitrary graphs of flags, segments and conditions.
 *
 * The input wires eight flags and eight segments to each other, cycles
 * included.  An evaluation ends, is consistent, and says the same when it is
 * repeated.
 */
#include <stdlib.h>

#include "core/fb_flag.h"

#define NODES 8
#define CONDITIONS 16

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Input
{
	const uint8_t *at;
	const uint8_t *end;
} Input;

static int	lookups = 0;

/* Takes the next byte; zeros follow the end. */
static uint8_t
take(Input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

/* Every attribute is there for even keys and holds the key's first byte. */
static bool
lookup(const FbContext *context, const FbPath *path, FbValue *value)
{
	if (++lookups > NODES * 2 * CONDITIONS * 10)
		abort();
	value->kind = FB_VALUE_NUMBER;
	value->number = path->steps[0].data[0];
	return path->steps[0].data[0] % 2 == 0;
}

/* Gives a number as one letter. */
static bool
number_text(const FbContext *context, const FbValue *number, FbString *text)
{
	static const char letters[] = "abcdefghijklmnop";

	*text = (FbString) {&letters[(int) number->number % 16], 1};
	return true;
}

static const FbContextMethods methods = {.lookup = lookup,.number_text = number_text};
static const FbContext context = {&methods};

typedef struct World
{
	FbFlag		flags[NODES];
	FbSegment	segments[NODES];
	FbVariation variations[4];
	const FbVariation *wanted[4];
	FbFlagReference references[NODES][2];
	FbCondition conditions[NODES * 2][CONDITIONS];
	FbOperand	operands[NODES * 2][CONDITIONS];
	FbRule		rules[NODES][3];
	FbArm		arms[NODES][3];
	FbStage		stages[NODES];
} World;

/* Builds conditions that only jump forward, as the compiler makes them. */
static void
build_conditions(Input *input, World *world, int program, const FbPath *path)
{
	for (int i = 0; i < CONDITIONS; i++)
	{
		FbCondition *condition = &world->conditions[program][i];
		uint8_t		kind = take(input);
		uint32_t	met = (uint32_t) i + 1 + take(input) % 4;
		uint32_t	not = (uint32_t) i + 1 + take(input) % 4;
		int			which = take(input) % NODES;

		condition->kind = kind % 4;
		condition->op = FB_OP_EQ;
		condition->if_met = met < CONDITIONS ? met : FB_MET;
		condition->if_not = not < CONDITIONS ? not : FB_NOT_MET;
		world->operands[program][i].value = (FbValue) {.kind = FB_VALUE_NUMBER,.number = which};
		condition->operand = &world->operands[program][i];
		if (condition->kind == FB_CONDITION_ATTRIBUTE)
			condition->path = path;
		else if (condition->kind == FB_CONDITION_SEGMENT)
			condition->segment = &world->segments[which];
		else if (condition->kind == FB_CONDITION_FLAG)
			condition->reference = &world->references[which][0];
		else
			condition->error = "broken";
	}
}

/* Builds a serve: a variation, a split or an error. */
static FbServe
build_serve(Input *input, World *world, int flag, const FbPath *path)
{
	uint8_t		choice = take(input);
	FbServe		serve = {.kind = choice % 3,.variation = &world->variations[choice / 3 % 4],.error = "broken"};

	if (serve.kind == FB_SERVE_SPLIT)
	{
		serve.stages = &world->stages[flag];
		serve.stage_count = 1;
		serve.seed = choice;
		serve.by = choice & 0x80 ? path : NULL;
	}
	return serve;
}

/* Builds one flag. */
static void
build_flag(Input *input, World *world, int i, const FbPath *path)
{
	FbFlag	   *flag = &world->flags[i];
	uint8_t		bits = take(input);
	uint32_t	total = 1;

	for (int arm = 0; arm < 3; arm++)
	{
		total += take(input);
		world->arms[i][arm] = (FbArm) {total, &world->variations[arm]};
	}
	world->stages[i] = (FbStage) {0, {world->arms[i], 3, total, true}};
	flag->enabled = bits & 1;
	flag->archived = bits & 2;
	flag->off_variation = bits & 4 ? &world->variations[0] : NULL;
	flag->off_error = bits & 8 ? "broken" : NULL;
	flag->error = (bits & 0x30) == 0x30 ? "broken" : NULL;
	flag->prerequisites = world->references[i];
	flag->prerequisite_count = (bits >> 6) % 3;
	for (int reference = 0; reference < 2; reference++)
	{
		uint8_t		which = take(input);

		world->references[i][reference] = (FbFlagReference) {{"f", 1}, which & 0x40 ? NULL : &world->flags[which % NODES],
			world->wanted, which / NODES % 4, which == 0xFF ? "broken" : NULL};
	}
	flag->rules = world->rules[i];
	flag->rule_count = take(input) % 4;
	flag->conditions = world->conditions[i];
	for (int rule = 0; rule < 3; rule++)
	{
		uint8_t		start = take(input);

		world->rules[i][rule] = (FbRule) {.id = {"r", 1},.start = start % (CONDITIONS + 2) < CONDITIONS ? start % (CONDITIONS + 2) :
			start % 2 ? FB_MET : FB_NOT_MET,.gate = take(input) * 500u,.from = take(input) % 4 - 2,.until = take(input),
		.serve = build_serve(input, world, i, path)};
	}
	flag->fallthrough = build_serve(input, world, i, path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static World world;
	static FbPath *path = NULL;
	Input		input = {data, data + size};
	char		key[4] = {'k', 0, 0, 0};
	FbRequest	request = {.user_key = {key, 1},.user_key_text = {key, 1},.context = &context,.now = 1};
	FbOutcome	outcome;
	FbOutcome	again;

	if (path == NULL)
	{
		path = calloc(1, sizeof(FbPath) + sizeof(FbString));
		path->count = 1;
	}
	memset(&world, 0, sizeof(world));
	path->steps[0] = (FbString) {key, 1};
	key[0] = (char) ('a' + take(&input) % 16);
	for (int i = 0; i < 4; i++)
		world.wanted[i] = &world.variations[i];
	for (int i = 0; i < NODES; i++)
	{
		build_flag(&input, &world, i, path);
		build_conditions(&input, &world, i, path);
		build_conditions(&input, &world, NODES + i, path);
		world.segments[i] = (FbSegment) {.conditions = world.conditions[NODES + i],.start = take(&input) % CONDITIONS,
		.error = take(&input) > 250 ? "broken" : NULL};
	}
	/* the two are compared with the gaps between their members, which an evaluation leaves alone */
	memset(&outcome, 0, sizeof(outcome));
	memset(&again, 0, sizeof(again));
	lookups = 0;
	fb_evaluate(&world.flags[0], &request, &outcome);
	lookups = 0;
	fb_evaluate(&world.flags[0], &request, &again);
	if (memcmp(&outcome, &again, sizeof(outcome)) != 0)
		abort();
	if ((outcome.reason == FB_REASON_ERROR) != (outcome.error != FB_ERROR_NONE) ||
		(outcome.reason == FB_REASON_ERROR) != (outcome.error_message != NULL) ||
		(outcome.reason == FB_REASON_ERROR && outcome.variation != NULL) ||
		(outcome.hashed && outcome.bucket >= outcome.total_weight))
		abort();
	return 0;
}
