/*
 * test_evaluate.c
 *		Order of evaluation, reasons, references and their limits, on flags built by hand.
 */
#include <stdlib.h>

#include "core/fb_flag.h"
#include "core/fb_hash.h"
#include "plain_context.h"

#define NUMBER(x) {.kind = FB_VALUE_NUMBER, .number = (x)}
#define STRING(x) {.kind = FB_VALUE_STRING, .string = {(x), sizeof(x) - 1}}

static const FbVariation variations[] = {{.key = {"on", 2}}, {.key = {"off", 3}}, {.key = {"blue", 4}}};
#define ON (&variations[0])
#define OFF (&variations[1])
#define BLUE (&variations[2])

static const PlainAttribute attributes[] = {
	{"plan", STRING("pro")},
	{"age", NUMBER(30)},
	{"org.id", NUMBER(42)},
	{"nothing", {.kind = FB_VALUE_NULL}},
};

/* Evaluates a flag at a time. */
static FbOutcome
evaluate_at(const FbFlag *flag, const char *user, int64_t now)
{
	PlainContext context = plain_context(attributes, 4);
	FbRequest	request = {.user_key_missing = user == NULL,.context = &context.base,.now = now};
	FbOutcome	outcome;

	if (user != NULL)
		request.user_key = request.user_key_text = string_of(user);
	memset(&outcome, 0xEE, sizeof(outcome));
	fb_evaluate(flag, &request, &outcome);
	return outcome;
}

/* Evaluates a flag. */
static FbOutcome
evaluate(const FbFlag *flag, const char *user)
{
	return evaluate_at(flag, user, 0);
}

/* Tells whether an outcome is what is expected. */
static bool
is(FbOutcome outcome, FbReason reason, const FbVariation *variation)
{
	return outcome.reason == reason && outcome.variation == variation && outcome.error == FB_ERROR_NONE &&
		outcome.error_message == NULL;
}

/* Tells whether an outcome is an error with a message that contains a text. */
static bool
is_error(FbOutcome outcome, FbErrorCode code, const char *text)
{
	return outcome.reason == FB_REASON_ERROR && outcome.error == code && outcome.variation == NULL &&
		strstr(outcome.error_message, text) != NULL;
}

/* Makes a path of one or two steps. */
static const FbPath *
path_of(const char *first, const char *second)
{
	FbPath	   *path = calloc(1, sizeof(FbPath) + 2 * sizeof(FbString));

	path->count = second == NULL ? 1 : 2;
	path->steps[0] = string_of(first);
	if (second != NULL)
		path->steps[1] = string_of(second);
	return path;
}

/* Makes a set of one string. */
static FbSet
set_of(const char *text)
{
	FbSet		set;

	fb_set_init(&set, malloc(fb_set_size(1, strlen(text))), 1);
	(void) fb_set_add(&set, string_of(text));
	return set;
}

static const FbArm halves[] = {{50, ON}, {100, OFF}};
static const FbStage half[] = {{INT64_MIN, {halves, 2, 100, true}}};

/* Makes a flag that is on and serves off. */
static FbFlag
plain_flag(void)
{
	FbFlag		flag = {.enabled = true,.variations = variations,.variation_count = 3,.off_variation = BLUE,
	.fallthrough = {FB_SERVE_VARIATION,.variation = OFF}};

	return flag;
}

/* Makes a rule that everyone meets. */
static FbRule
plain_rule(const char *id, const FbVariation *variation)
{
	FbRule		rule = {.id = string_of(id),.start = FB_MET,.gate = FB_GATE_SLOTS,.from = INT64_MIN,.until = INT64_MAX,
	.serve = {FB_SERVE_VARIATION,.variation = variation}};

	return rule;
}

/* Checks what is decided before any rule. */
static void
test_order(void)
{
	FbFlag		flag = plain_flag();
	FbFlag		other = plain_flag();
	const FbVariation *wanted[] = {ON, BLUE};
	FbFlagReference prerequisite = {string_of("other"), &other, wanted, 2, NULL};
	FbTarget	targets[] = {{ON, set_of("alice"), NULL}, {BLUE, set_of(""), NULL}};
	FbRule		rules[] = {plain_rule("r1", BLUE)};

	ok(is(evaluate(&flag, "alice"), FB_REASON_DEFAULT, OFF), "fallthrough of a flag that is not static");
	flag.is_static = true;
	ok(is(evaluate(&flag, "alice"), FB_REASON_STATIC, OFF), "a flag without anything is static");
	flag.is_static = false;
	ok(is_error(evaluate(&flag, NULL), FB_ERROR_TARGETING_KEY_MISSING, "null"), "a null user key");
	flag.enabled = false;
	ok(is_error(evaluate(&flag, NULL), FB_ERROR_TARGETING_KEY_MISSING, "null"), "the key is missing before the flag is off");
	ok(is(evaluate(&flag, "alice"), FB_REASON_DISABLED, BLUE), "off_variation of a disabled flag");
	flag.off_variation = NULL;
	ok(is(evaluate(&flag, "alice"), FB_REASON_DISABLED, NULL), "no off_variation: the code's default");
	flag.off_error = "unknown variation \"x\" in off_variation";
	ok(is_error(evaluate(&flag, "alice"), FB_ERROR_GENERAL, "\"x\""), "an unknown off_variation");
	flag.enabled = true;
	flag.off_error = NULL;
	flag.targets = targets;
	flag.target_count = 2;
	flag.rules = rules;
	flag.rule_count = 1;
	ok(is(evaluate(&flag, "alice"), FB_REASON_TARGETING_MATCH, ON) && evaluate(&flag, "alice").rule_id.data == NULL,
	   "a target comes before the rules");
	ok(is(evaluate(&flag, ""), FB_REASON_TARGETING_MATCH, BLUE), "the empty key is a key");
	ok(is(evaluate(&flag, "bob"), FB_REASON_TARGETING_MATCH, BLUE) &&
	   strcmp(evaluate(&flag, "bob").rule_id.data, "r1") == 0, "a rule names itself");
	flag.prerequisites = &prerequisite;
	flag.prerequisite_count = 1;
	ok(is(evaluate(&flag, "alice"), FB_REASON_PREREQUISITE_FAILED, NULL) &&
	   strcmp(evaluate(&flag, "alice").failed_prerequisite.data, "other") == 0, "a prerequisite comes before the targets");
	other.fallthrough.variation = BLUE;
	ok(is(evaluate(&flag, "alice"), FB_REASON_TARGETING_MATCH, ON), "a prerequisite is met by any listed variation");
	other.enabled = false;
	ok(is(evaluate(&flag, "alice"), FB_REASON_PREREQUISITE_FAILED, NULL), "a disabled flag never meets, whatever it serves");
	other.enabled = true;
	other.archived = true;
	ok(is(evaluate(&flag, "alice"), FB_REASON_PREREQUISITE_FAILED, NULL), "an archived flag never meets");
	other.archived = false;
	other.error = "broken";
	ok(is(evaluate(&flag, "alice"), FB_REASON_PREREQUISITE_FAILED, NULL), "a broken flag never meets");
	prerequisite.flag = NULL;
	ok(is(evaluate(&flag, "alice"), FB_REASON_PREREQUISITE_FAILED, NULL), "an unknown flag never meets");
	prerequisite.error = "prerequisites[0]: unknown variation";
	ok(is_error(evaluate(&flag, "alice"), FB_ERROR_GENERAL, "prerequisites[0]"), "a broken prerequisite is an error");
	flag.error = "variations must not be null";
	ok(is_error(evaluate(&flag, "alice"), FB_ERROR_GENERAL, "variations"), "a flag that cannot be read is an error");
}

/* Checks windows, percentages, splits and ramps. */
static void
test_serving(void)
{
	FbFlag		flag = plain_flag();
	FbRule		rules[] = {plain_rule("first", ON), plain_rule("second", BLUE)};
	const FbArm stage_arms[3][2] = {{{0, ON}, {10, OFF}}, {{5, ON}, {10, OFF}}, {{10, ON}, {10, OFF}}};
	const FbStage ramp[] = {{100, {stage_arms[0], 2, 10, false}}, {200, {stage_arms[1], 2, 10, true}},
	{300, {stage_arms[2], 2, 10, false}}};
	FbServe		split = {FB_SERVE_SPLIT, 1, NULL, {half}, NULL, fb_split_seed("salt", 4, 0), NULL};
	FbOutcome	outcome;
	int			passed = 0;
	int			on = 0;

	flag.rules = rules;
	flag.rule_count = 2;
	rules[0].from = 10;
	rules[0].until = 20;
	ok(is(evaluate_at(&flag, "u", 9), FB_REASON_TARGETING_MATCH, BLUE) && is(evaluate_at(&flag, "u", 10), FB_REASON_TARGETING_MATCH, ON) &&
	   is(evaluate_at(&flag, "u", 19), FB_REASON_TARGETING_MATCH, ON) && is(evaluate_at(&flag, "u", 20), FB_REASON_TARGETING_MATCH, BLUE),
	   "a rule applies from its beginning until before its end, else the next does");
	rules[0].from = INT64_MIN;
	rules[0].gate = 25000;
	rules[0].gate_seed = fb_gate_seed("salt", 4, "first", 5);
	for (int i = 0; i < 10000; i++)
	{
		char		user[16];
		bool		inside;

		snprintf(user, sizeof(user), "user-%d", i);
		inside = fb_mulhi(fb_hash_key(user, strlen(user), rules[0].gate_seed), FB_GATE_SLOTS) < 25000;
		passed += inside;
		if (!is(evaluate(&flag, user), FB_REASON_TARGETING_MATCH, inside ? ON : BLUE))
			passed = -100000;
	}
	ok(passed > 2300 && passed < 2700, "a percentage lets its share in and sends the rest to the next rule");
	outcome = evaluate(&flag, "user-1");
	ok(!outcome.hashed && !outcome.randomised, "a percentage alone is not randomised");
	rules[0].serve.kind = FB_SERVE_ERROR;
	rules[0].serve.error = "unknown variation";
	ok(is_error(evaluate(&flag, "u"), FB_ERROR_GENERAL, "unknown"), "a rule that serves nothing is an error before its percentage");
	rules[0].gate = 0;
	rules[0].serve = rules[1].serve;
	rules[0].serve.variation = ON;
	ok(is(evaluate(&flag, "u"), FB_REASON_TARGETING_MATCH, BLUE), "no one passes zero percent");
	rules[0].error = "rules[0] has no \"id\"";
	ok(is_error(evaluate(&flag, "u"), FB_ERROR_GENERAL, "rules[0]"), "a broken rule is an error when it is reached");

	flag.rule_count = 0;
	flag.fallthrough = split;
	for (int i = 0; i < 10000; i++)
	{
		char		user[16];

		snprintf(user, sizeof(user), "user-%d", i);
		outcome = evaluate(&flag, user);
		if (outcome.reason != FB_REASON_SPLIT || !outcome.hashed || !outcome.randomised || outcome.total_weight != 100 ||
			outcome.variation != (outcome.bucket < 50 ? ON : OFF) || !fb_string_equal(outcome.unit_key, string_of(user)) ||
			outcome.bucket != fb_mulhi(fb_hash_key(user, strlen(user), split.seed), 100))
			on = -100000;
		on += outcome.variation == ON;
	}
	ok(on > 4800 && on < 5200, "a split serves the arm of the bucket and says which");
	flag.fallthrough.by = path_of("org", "id");
	outcome = evaluate(&flag, "u");
	ok(outcome.reason == FB_REASON_SPLIT && fb_string_equal(outcome.unit_key, string_of("42")) &&
	   outcome.variation == evaluate(&flag, "v").variation, "a split by an attribute hashes its text, not the user");
	flag.fallthrough.by = path_of("nothing", NULL);
	flag.fallthrough.error = "attribute \"nothing\" is missing";
	ok(is_error(evaluate(&flag, "u"), FB_ERROR_TARGETING_KEY_MISSING, "nothing"), "a null attribute is no key");
	flag.fallthrough.by = path_of("org", NULL);
	ok(is_error(evaluate(&flag, "u"), FB_ERROR_TARGETING_KEY_MISSING, "nothing"), "nor is a missing one");
	flag.fallthrough = split;
	flag.fallthrough.stages = ramp;
	flag.fallthrough.stage_count = 3;
	ok(is(evaluate_at(&flag, "u", 99), FB_REASON_SPLIT, OFF) && is(evaluate_at(&flag, "u", 100), FB_REASON_SPLIT, OFF) &&
	   !evaluate_at(&flag, "u", 199).randomised, "before its first stage a ramp is in the first");
	ok(evaluate_at(&flag, "u", 200).randomised && evaluate_at(&flag, "u", 299).randomised, "then in the latest that has begun");
	ok(is(evaluate_at(&flag, "u", 300), FB_REASON_SPLIT, ON) && is(evaluate_at(&flag, "u", INT64_MAX), FB_REASON_SPLIT, ON),
	   "at last in the last, where one arm has all the weight");
}

/* Checks conditions: jumps, segments, flags, errors. */
static void
test_conditions(void)
{
	FbFlag		flag = plain_flag();
	FbFlag		other = plain_flag();
	FbRule		rules[] = {plain_rule("r", ON)};
	FbSegment	segment = {.key = string_of("beta"),.included = set_of("alice"),.excluded = set_of("carol"),.start = FB_NOT_MET};
	const FbVariation *wanted[] = {OFF};
	FbFlagReference reference = {string_of("other"), &other, wanted, 1, NULL};
	FbOperand	pro = {.value = STRING("pro")};
	FbOperand	old = {.value = NUMBER(65)};
	FbOperand	none = {.value = STRING("")};
	FbCondition conditions[] = {
		{FB_CONDITION_ATTRIBUTE, FB_OP_EQ, 1, FB_NOT_MET, {.path = path_of("plan", NULL)}, {&pro}},
		{FB_CONDITION_ATTRIBUTE, FB_OP_LT, FB_MET, 2, {.path = path_of("age", NULL)}, {&old}},
		{FB_CONDITION_SEGMENT, 0, FB_MET, FB_NOT_MET, {.segment = &segment}, {NULL}},
		{FB_CONDITION_FLAG, 0, FB_MET, FB_NOT_MET, {.reference = &reference}, {NULL}},
		{FB_CONDITION_ERROR, 0, FB_MET, FB_NOT_MET, {.error = "rules[0].when: unknown segment \"x\""}, {NULL}},
		{FB_CONDITION_ATTRIBUTE, FB_OP_NE, FB_MET, FB_NOT_MET, {.path = path_of("missing", NULL)}, {&none}},
		{FB_CONDITION_ATTRIBUTE, FB_OP_NE, FB_MET, FB_NOT_MET, {.path = path_of("nothing", NULL)}, {&none}},
		{FB_CONDITION_ATTRIBUTE, FB_OP_EXISTS, FB_MET, FB_NOT_MET, {.path = path_of("nothing", NULL)}, {NULL}},
		{FB_CONDITION_ATTRIBUTE, FB_OP_EXISTS, FB_MET, FB_NOT_MET, {.path = path_of("missing", NULL)}, {NULL}},
	};

	flag.rules = rules;
	flag.rule_count = 1;
	flag.conditions = conditions;
	rules[0].start = 0;
	ok(is(evaluate(&flag, "u"), FB_REASON_TARGETING_MATCH, ON), "conditions jump to the next and to the end");
	old = (FbOperand) {.value = NUMBER(30)};
	ok(is(evaluate(&flag, "u"), FB_REASON_DEFAULT, OFF), "the last alternative is not met");
	ok(is(evaluate(&flag, "alice"), FB_REASON_TARGETING_MATCH, ON), "a segment includes");
	segment.excluded = set_of("alice");
	ok(is(evaluate(&flag, "alice"), FB_REASON_DEFAULT, OFF), "a segment excludes before it includes");
	segment.conditions = conditions;
	segment.start = 0;
	conditions[0].if_met = FB_MET;
	rules[0].start = 2;
	ok(is(evaluate(&flag, "u"), FB_REASON_TARGETING_MATCH, ON), "a segment has a condition");
	ok(is(evaluate(&flag, "alice"), FB_REASON_DEFAULT, OFF), "which does not bring the excluded back");
	segment.error = "segment \"beta\": key must not be null";
	ok(is_error(evaluate(&flag, "u"), FB_ERROR_GENERAL, "beta"), "a broken segment is an error");
	rules[0].start = 3;
	ok(is(evaluate(&flag, "u"), FB_REASON_TARGETING_MATCH, ON), "a flag that serves a listed variation");
	other.fallthrough.variation = ON;
	ok(is(evaluate(&flag, "u"), FB_REASON_DEFAULT, OFF), "a flag that serves another variation");
	rules[0].start = 4;
	ok(is_error(evaluate(&flag, "u"), FB_ERROR_GENERAL, "unknown segment \"x\""), "an unknown segment is an error when it is reached");
	conditions[4].if_not = 4;
	rules[0].start = FB_NOT_MET;
	ok(is(evaluate(&flag, "u"), FB_REASON_DEFAULT, OFF), "the empty any is met by no one");
	rules[0].start = 5;
	ok(is(evaluate(&flag, "u"), FB_REASON_DEFAULT, OFF), "ne on a missing attribute is not met");
	rules[0].start = 6;
	ok(is(evaluate(&flag, "u"), FB_REASON_DEFAULT, OFF), "ne on null is not met");
	rules[0].start = 7;
	ok(is(evaluate(&flag, "u"), FB_REASON_TARGETING_MATCH, ON), "exists on null is met");
	rules[0].start = 8;
	ok(is(evaluate(&flag, "u"), FB_REASON_DEFAULT, OFF), "exists on a missing attribute is not met");
}

/* Checks memos, cycles and depth. */
static void
test_references(void)
{
	static FbFlag chain[40];
	static FbFlagReference links[40][2];
	const FbVariation *wanted[] = {OFF};
	FbOperand	pro = {.value = STRING("pro")};
	FbCondition leaf = {FB_CONDITION_ATTRIBUTE, FB_OP_EQ, FB_MET, FB_NOT_MET, {.path = path_of("plan", NULL)}, {&pro}};
	FbRule		rule = plain_rule("r", OFF);
	PlainContext context = plain_context(attributes, 4);
	FbRequest	request = {.user_key = {"u", 1},.context = &context.base};
	FbOutcome	outcome;
	FbSegment	first = {.key = string_of("a"),.start = 0};
	FbSegment	second = {.key = string_of("b"),.start = 0};
	FbCondition to_second = {FB_CONDITION_SEGMENT, 0, FB_MET, FB_NOT_MET, {.segment = &second}, {NULL}};
	FbCondition to_first = {FB_CONDITION_SEGMENT, 0, FB_MET, FB_NOT_MET, {.segment = &first}, {NULL}};

	rule.start = 0;
	for (int i = 0; i < 40; i++)
	{
		chain[i] = plain_flag();
		chain[i].fallthrough.variation = ON;
		chain[i].rules = &rule;
		chain[i].rule_count = 1;
		chain[i].conditions = &leaf;
		if (i + 1 < 40)
		{
			links[i][0] = links[i][1] = (FbFlagReference) {string_of("next"), &chain[i + 1], wanted, 1, NULL};
			chain[i].prerequisites = links[i];
			chain[i].prerequisite_count = 2;
		}
	}
	fb_evaluate(&chain[8], &request, &outcome);
	ok(is(outcome, FB_REASON_TARGETING_MATCH, OFF), "32 levels of flags are evaluated");
	ok(context.lookups == 32, "each flag once, although each is required twice");
	fb_evaluate(&chain[7], &request, &outcome);
	ok(is_error(outcome, FB_ERROR_GENERAL, "32 levels"), "33 levels are too deep");
	chain[39].prerequisites = links[20];
	chain[39].prerequisite_count = 1;
	fb_evaluate(&chain[21], &request, &outcome);
	ok(is_error(outcome, FB_ERROR_GENERAL, "cycle"), "a cycle is an error");
	links[38][1].flag = links[38][0].flag = &chain[38];
	fb_evaluate(&chain[38], &request, &outcome);
	ok(is_error(outcome, FB_ERROR_GENERAL, "cycle"), "a flag that requires itself is an error");
	chain[38].prerequisite_count = 0;
	fb_evaluate(&chain[37], &request, &outcome);
	ok(is(outcome, FB_REASON_TARGETING_MATCH, OFF), "an evaluation leaves nothing behind for the next");
	first.conditions = &to_second;
	second.conditions = &to_first;
	chain[38].conditions = &to_first;
	fb_evaluate(&chain[37], &request, &outcome);
	ok(is_error(outcome, FB_ERROR_GENERAL, "cycle"), "a cycle of segments in a required flag ends the whole evaluation");
}

/* Checks that long evaluations can be interrupted. */
static void
test_polls(void)
{
	static FbRule rules[10000];
	FbFlag		flag = plain_flag();
	FbOperand	operand = {.value = STRING("free")};
	FbCondition condition = {FB_CONDITION_ATTRIBUTE, FB_OP_EQ, FB_MET, FB_NOT_MET, {.path = path_of("plan", NULL)}, {&operand}};
	PlainContext context = plain_context(attributes, 4);
	FbRequest	request = {.user_key = {"u", 1},.context = &context.base};
	FbOutcome	outcome;

	for (int i = 0; i < 10000; i++)
	{
		rules[i] = plain_rule("r", ON);
		rules[i].start = 0;
	}
	flag.rules = rules;
	flag.rule_count = 10000;
	flag.conditions = &condition;
	fb_evaluate(&flag, &request, &outcome);
	ok(is(outcome, FB_REASON_DEFAULT, OFF) && context.lookups == 10000 && context.polls >= 39, "10,000 rules, with polls between them");
}

int
main(void)
{
	test_order();
	test_serving();
	test_conditions();
	test_references();
	test_polls();
	printf("1..%d\n", tests);
	return failures > 0;
}
