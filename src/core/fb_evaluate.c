/*
 * fb_evaluate.c
 *		Evaluates a compiled flag.
 *
 * Segments and prerequisite flags are evaluated at most once per evaluation
 * (their memo), so that the work is linear in the size of the closure.
 */
#include <string.h>

#include "core/fb_hash.h"
#include "core/fb_trace.h"

#define POLL_INTERVAL 256		/* conditions between two polls */

/* What one evaluation carries around. */
typedef struct Run
{
	const FbRequest *request;
	uint64_t	epoch;
	uint32_t	conditions;		/* tested so far */
	int			depth;
	const char *fatal;			/* a cycle or too deep a closure: ends the whole evaluation */
	FbTracer   *tracer;			/* whoever watches, when this is compiled to be watched */
} Run;

/*
 * Notes a step for whoever watches; the arguments are designated initializers of FbTraceEvent.  Only fb_trace.c,
 * which compiles this file once more, has any notes.
 */
#ifdef FB_TRACED
#define TRACE(run, ...) \
	do { \
		FbTraceEvent event = {__VA_ARGS__}; \
		(run)->tracer->note((run)->tracer, &event); \
	} while (0)
#else
#define TRACE(run, ...) ((void) 0)
#endif

/* Number of the evaluation: memos of an earlier one are stale. */
extern uint64_t fb_current_epoch;
#ifndef FB_TRACED
uint64_t	fb_current_epoch = 0;
#endif

static const char *const cycle_message = "flags or segments refer to each other in a cycle";
static const char *const depth_message = "flags and segments refer to each other more than 32 levels deep";

static void evaluate_flag(Run *run, const FbFlag *flag, FbOutcome *outcome);

/* Empties an outcome: by its members, because a memset of this size is slower than the rest of a short evaluation. */
static inline void
clear_outcome(FbOutcome *outcome)
{
	static const FbString none = {NULL, 0};

	_Static_assert(offsetof(FbOutcome, arm) + sizeof(outcome->arm) == sizeof(FbOutcome), "a new member is to be emptied here");
	outcome->reason = FB_REASON_STATIC;
	outcome->error = FB_ERROR_NONE;
	outcome->error_message = NULL;
	outcome->variation = NULL;
	outcome->rule_id = none;
	outcome->rule_name = none;
	outcome->failed_prerequisite = none;
	outcome->hashed = false;
	outcome->randomised = false;
	outcome->unit_key = none;
	outcome->bucket = 0;
	outcome->total_weight = 0;
	outcome->ranges = NULL;
	outcome->arm = NULL;
}

/* Ends an evaluation with an error. */
static inline void
fail(FbOutcome *outcome, FbErrorCode code, const char *message)
{
	outcome->reason = FB_REASON_ERROR;
	outcome->error = code;
	outcome->error_message = message;
	outcome->variation = NULL;
}

/* Enters a segment or flag; false when its result is known or it must not be entered. */
static bool
enter_node(Run *run, FbMemo *memo)
{
	if (memo->epoch == run->epoch)
	{
		if (!memo->done)
			run->fatal = cycle_message;
		return false;
	}
	if (run->depth >= FB_MAX_DEPTH)
	{
		run->fatal = depth_message;
		return false;
	}
	memo->epoch = run->epoch;
	memo->done = false;
	memo->met = false;
	memo->error = NULL;
	memo->variation = NULL;
	run->depth++;
	return true;
}

/* Leaves a segment or flag; its memo is final. */
static void
leave_node(Run *run, FbMemo *memo)
{
	run->depth--;
	memo->done = true;
}

static const char *run_conditions(Run *run, const FbCondition *conditions, uint32_t start, bool *met);

/* Tells whether the user belongs to a segment: excluded, then included, then the condition. */
static const char *
test_segment(Run *run, FbSegment *segment, bool *met)
{
	FbMemo	   *memo = &segment->memo;

	if (enter_node(run, memo))
	{
		TRACE(run, .kind = FB_TRACE_ENTER_SEGMENT, .segment = segment);
		memo->error = segment->error;
		if (memo->error == NULL)
		{
			bool		excluded = fb_set_has(&segment->excluded, run->request->user_key);

			TRACE(run, .kind = FB_TRACE_EXCLUDED, .segment = segment, .met = excluded);
			if (!excluded)
			{
				memo->met = fb_set_has(&segment->included, run->request->user_key);
				TRACE(run, .kind = FB_TRACE_INCLUDED, .segment = segment, .met = memo->met);
				if (!memo->met)
					memo->error = run_conditions(run, segment->conditions, segment->start, &memo->met);
			}
		}
		leave_node(run, memo);
		TRACE(run, .kind = FB_TRACE_LEAVE_SEGMENT, .segment = segment, .met = memo->met, .error = memo->error);
	}
	else
		TRACE(run, .kind = FB_TRACE_KNOWN, .segment = segment);
	*met = memo->met;
	return memo->error;
}

/* Tells whether another flag serves one of the listed variations. */
static const char *
test_flag(Run *run, const FbFlagReference *reference, bool *met)
{
	FbMemo	   *memo;
	uint32_t	i;

	*met = false;
	if (reference->error != NULL)
		return reference->error;
	if (reference->flag == NULL)
		return NULL;
	memo = &reference->flag->memo;
	if (enter_node(run, memo))
	{
		TRACE(run, .kind = FB_TRACE_ENTER_FLAG, .flag = reference->flag);
		if (reference->flag->enabled && !reference->flag->archived)
		{
			FbOutcome	outcome;

			evaluate_flag(run, reference->flag, &outcome);
			TRACE(run, .kind = FB_TRACE_LEAVE_FLAG, .flag = reference->flag, .outcome = &outcome);
			if (outcome.reason != FB_REASON_ERROR && outcome.reason != FB_REASON_PREREQUISITE_FAILED)
				memo->variation = outcome.variation;
		}
		else
			TRACE(run, .kind = FB_TRACE_LEAVE_FLAG, .flag = reference->flag);
		leave_node(run, memo);
	}
	else
		TRACE(run, .kind = FB_TRACE_KNOWN, .flag = reference->flag);
	if (memo->variation != NULL)
		for (i = 0; i < reference->variation_count && !*met; i++)
			*met = reference->variations[i] == memo->variation;
	return NULL;
}

/* Finds an attribute; the user key is one. */
static inline bool
find_attribute(const Run *run, const FbPath *path, FbValue *value)
{
	const FbContext *context = run->request->context;

	if (path->user_key)
	{
		value->kind = FB_VALUE_STRING;
		value->string = run->request->user_key_text;
		value->exact = NULL;
		return true;
	}
	return context->methods->lookup(context, path, value);
}

/* Finds the text that a user's property has for FeatBit, in UTF-8; false where it has none, which meets nothing. */
static inline bool
find_property(const Run *run, const FbCondition *condition, FbValue *value, bool *found, FbString *text)
{
	const FbContext *context = run->request->context;
	const FbFeatbitOperand *operand = condition->featbit;

	*found = false;
	*text = (FbString) {"", 0};
	switch ((FbProperty) operand->property)
	{
		case FB_PROPERTY_KEY_ID:
			*found = true;
			value->kind = FB_VALUE_STRING;
			value->string = run->request->user_key_text;
			value->exact = NULL;
			*text = run->request->user_key;
			return true;
		case FB_PROPERTY_BLANK:
			return operand->missing_is_empty;
		case FB_PROPERTY_NAME:
		case FB_PROPERTY_OTHER:
			break;
	}
	*found = context->methods->lookup(context, condition->path, value);
	if (*found && fb_canonical_text(context, value, text))
		return true;
	if (operand->property == FB_PROPERTY_NAME)
		return false;
	/* a property that is there and null is the empty string */
	*text = (FbString) {"", 0};
	return operand->missing_is_empty || (*found && value->kind == FB_VALUE_NULL);
}

/* Tests a condition on an attribute. */
static inline bool
test_attribute(Run *run, const FbCondition *condition)
{
	const FbContext *context = run->request->context;
	const FbOperator *op = &fb_operators[condition->op];
	FbValue		value;
	bool		found = find_attribute(run, condition->path, &value);
	bool		met = found && (value.kind != FB_VALUE_NULL || op->sees_null) &&
		op->test(context, &value, condition->operand, run->request->now);

	TRACE(run, .kind = FB_TRACE_CONDITION_DONE, .condition = condition, .value = found ? &value : NULL, .met = met);
	return met;
}

/* Tests a condition on a user's property as FeatBit does. */
static inline bool
test_property(Run *run, const FbCondition *condition)
{
	FbValue		value;
	FbString	text;
	bool		found;
	bool		met = find_property(run, condition, &value, &found, &text) &&
		fb_featbit_test(run->request->context, condition->op, text, condition->featbit);

	TRACE(run, .kind = FB_TRACE_CONDITION_DONE, .condition = condition, .value = found ? &value : NULL, .met = met);
	return met;
}

/* Tests a condition on something else; returns what is wrong, or NULL and the result. */
static const char *
test_other(Run *run, const FbCondition *condition, bool *met)
{
	const char *error = NULL;

	*met = false;
	switch ((FbConditionKind) condition->kind)
	{
		case FB_CONDITION_SEGMENT:
			TRACE(run, .kind = FB_TRACE_CONDITION, .condition = condition);
			error = test_segment(run, condition->segment, met);
			break;
		case FB_CONDITION_FLAG:
			TRACE(run, .kind = FB_TRACE_CONDITION, .condition = condition);
			error = test_flag(run, condition->reference, met);
			break;
		case FB_CONDITION_ERROR:
			error = condition->error;
			break;
		default:
			/* FB_CONDITION_NEVER */
			break;
	}
	if (run->fatal != NULL)
		error = run->fatal;
	TRACE(run, .kind = FB_TRACE_CONDITION_DONE, .condition = condition, .met = *met, .error = error);
	return error;
}

/* Runs a program of conditions; returns what is wrong, or NULL and the result. */
static const char *
run_conditions(Run *run, const FbCondition *conditions, uint32_t start, bool *met)
{
	uint32_t	next = start;

	*met = false;
	while (next < FB_NOT_MET)
	{
		const FbCondition *condition = &conditions[next];
		bool		result;

		if (condition->kind == FB_CONDITION_ATTRIBUTE)
			result = test_attribute(run, condition);
		else if (condition->kind == FB_CONDITION_FEATBIT)
			result = test_property(run, condition);
		else
		{
			const char *error = test_other(run, condition, &result);

			if (error != NULL)
				return error;
		}
		next = result ? condition->if_met : condition->if_not;
		if (++run->conditions % POLL_INTERVAL == 0 && run->request->context->methods->poll != NULL)
			run->request->context->methods->poll(run->request->context);
	}
	*met = next == FB_MET;
	return NULL;
}

/* Finds the text that a serve hashes: an attribute's, or the user key. */
static inline bool
unit_of(const Run *run, const FbServe *serve, FbString *unit)
{
	const FbContext *context = run->request->context;
	FbValue		value;

	if (serve->by == NULL)
	{
		*unit = run->request->user_key;
		return true;
	}
	return find_attribute(run, serve->by, &value) && fb_canonical_text(context, &value, unit);
}

/* Returns the stage that is in force: the latest that has begun, before the first the first. */
static inline uint32_t
current_stage(const Run *run, const FbServe *serve)
{
	uint32_t	low = 0;
	uint32_t	high = serve->stage_count;

	while (high - low > 1)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (serve->stages[middle].at <= run->request->now)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Finds the text that FeatBit hashes behind the flag's key: a property's, where it has none nothing, or the user key. */
static inline FbString
featbit_unit(const Run *run, const FbServe *serve)
{
	const FbContext *context = run->request->context;
	FbString	unit = run->request->user_key;
	FbValue		value;

	if (serve->by != NULL && !(context->methods->lookup(context, serve->by, &value) &&
							   fb_canonical_text(context, &value, &unit)))
		unit = (FbString) {"", 0};
	return unit;
}

/* Serves FeatBit's ranges: the first that has the bucket. */
static void
pick_range(const Run *run, const FbServe *serve, FbReason plain_reason, FbOutcome *outcome)
{
	const FbRanges *ranges = serve->ranges;
	const FbRangeArm *arm = ranges->arms;
	const FbRangeArm *end = arm + ranges->arm_count;

	outcome->ranges = ranges;
	outcome->unit_key = featbit_unit(run, serve);
	outcome->reason = plain_reason;
	if (!ranges->is_everyone)
	{
		outcome->reason = FB_REASON_SPLIT;
		outcome->hashed = true;
		outcome->randomised = ranges->randomised;
		outcome->total_weight = FB_BUCKET_ONE;
		outcome->bucket = fb_featbit_bucket(ranges->flag_key, outcome->unit_key);
	}
	while (arm < end && !arm->broken && !fb_range_has(arm->range, outcome->bucket))
		arm++;
	if (arm == end)
		fail(outcome, FB_ERROR_GENERAL, ranges->gap);
	else if (arm->error != NULL)
		fail(outcome, FB_ERROR_GENERAL, arm->error);
	else
	{
		outcome->arm = arm;
		outcome->variation = arm->variation;
	}
}

/* Serves: one variation, or the arm of a split. */
static inline void
pick_variation(const Run *run, const FbServe *serve, FbReason plain_reason, FbOutcome *outcome)
{
	const FbSplit *split;

	if (serve->kind == FB_SERVE_VARIATION)
	{
		outcome->reason = plain_reason;
		outcome->variation = serve->variation;
		return;
	}
	if (serve->kind != FB_SERVE_SPLIT)
	{
		if (serve->kind == FB_SERVE_RANGES)
			pick_range(run, serve, plain_reason, outcome);
		else
			fail(outcome, FB_ERROR_GENERAL, serve->error);
		return;
	}
	if (!unit_of(run, serve, &outcome->unit_key))
	{
		fail(outcome, FB_ERROR_TARGETING_KEY_MISSING, serve->error);
		return;
	}
	split = &serve->stages[current_stage(run, serve)].split;
	outcome->reason = FB_REASON_SPLIT;
	outcome->hashed = true;
	outcome->randomised = split->randomised;
	outcome->total_weight = split->total_weight;
	outcome->bucket = fb_mulhi(fb_hash_key(outcome->unit_key.data, outcome->unit_key.length, serve->seed),
							   split->total_weight);
	outcome->variation = fb_pick_arm(split, outcome->bucket);
}

/* Serves on behalf of a rule, or of none: the fallthrough. */
static inline void
serve_variation(const Run *run, const FbServe *serve, const FbRule *rule, FbReason plain_reason, FbOutcome *outcome)
{
	pick_variation(run, serve, plain_reason, outcome);
	TRACE(run, .kind = FB_TRACE_SERVE, .serve = serve, .rule = rule, .outcome = outcome,
		  .stage = serve->kind == FB_SERVE_SPLIT ? current_stage(run, serve) : 0);
}

/* Tests the percentage of a rule; false when the outcome is decided, *met tells whether the unit passes. */
static bool
pass_gate(const Run *run, const FbRule *rule, bool *met, FbOutcome *outcome)
{
	FbString	unit;
	uint32_t	slot;

	*met = false;
	if (rule->serve.kind == FB_SERVE_ERROR)
	{
		fail(outcome, FB_ERROR_GENERAL, rule->serve.error);
		TRACE(run, .kind = FB_TRACE_GATE, .rule = rule, .error = outcome->error_message);
		return false;
	}
	if (!unit_of(run, &rule->serve, &unit))
	{
		fail(outcome, FB_ERROR_TARGETING_KEY_MISSING, rule->serve.error);
		TRACE(run, .kind = FB_TRACE_GATE, .rule = rule, .error = outcome->error_message);
		return false;
	}
	slot = fb_mulhi(fb_hash_key(unit.data, unit.length, rule->gate_seed), FB_GATE_SLOTS);
	*met = slot < rule->gate;
	TRACE(run, .kind = FB_TRACE_GATE, .rule = rule, .unit = unit, .bucket = slot, .met = *met);
	return true;
}

/* Tests a rule: its window, its condition, its percentage; false when the outcome is decided, an error. */
static bool
test_rule(Run *run, const FbFlag *flag, const FbRule *rule, bool *met, FbOutcome *outcome)
{
	const char *error = rule->error;

	*met = false;
	if (error == NULL)
	{
		bool		within = run->request->now >= rule->from && run->request->now < rule->until;

		TRACE(run, .kind = FB_TRACE_WINDOW, .rule = rule, .met = within);
		if (!within)
			return true;
		error = run_conditions(run, flag->conditions, rule->start, met);
	}
	if (error != NULL)
	{
		fail(outcome, FB_ERROR_GENERAL, error);
		return false;
	}
	return !*met || rule->gate >= FB_GATE_SLOTS || pass_gate(run, rule, met, outcome);
}

/* Applies one rule; false when it goes on to the next. */
static bool
apply_rule(Run *run, const FbFlag *flag, const FbRule *rule, FbOutcome *outcome)
{
	bool		met;

	TRACE(run, .kind = FB_TRACE_RULE, .rule = rule, .position = (uint32_t) (rule - flag->rules));
	if (!test_rule(run, flag, rule, &met, outcome))
	{
		TRACE(run, .kind = FB_TRACE_RULE_DONE, .rule = rule, .error = outcome->error_message);
		return true;
	}
	TRACE(run, .kind = FB_TRACE_RULE_DONE, .rule = rule, .met = met);
	if (!met)
		return false;
	outcome->rule_id = rule->id;
	outcome->rule_name = rule->name;
	serve_variation(run, &rule->serve, rule, FB_REASON_TARGETING_MATCH, outcome);
	return true;
}

/* Tests the prerequisites; false when the outcome is decided. */
static bool
pass_prerequisites(Run *run, const FbFlag *flag, FbOutcome *outcome)
{
	uint32_t	i;

	for (i = 0; i < flag->prerequisite_count; i++)
	{
		const FbFlagReference *reference = &flag->prerequisites[i];
		bool		met;
		const char *error;

		TRACE(run, .kind = FB_TRACE_PREREQUISITE, .reference = reference, .position = i);
		error = test_flag(run, reference, &met);
		if (run->fatal != NULL)
			error = run->fatal;
		TRACE(run, .kind = FB_TRACE_PREREQUISITE_DONE, .reference = reference, .position = i, .met = met, .error = error);
		if (error != NULL)
		{
			fail(outcome, FB_ERROR_GENERAL, error);
			return false;
		}
		if (!met)
		{
			outcome->failed_prerequisite = reference->key;
			if (flag->off_error != NULL)
				fail(outcome, FB_ERROR_GENERAL, flag->off_error);
			else
			{
				outcome->reason = FB_REASON_PREREQUISITE_FAILED;
				outcome->variation = flag->off_variation;
			}
			return false;
		}
	}
	return true;
}

/* Looks the user up in the targets; true when the outcome is decided. */
static bool
apply_targets(const Run *run, const FbFlag *flag, FbOutcome *outcome)
{
	uint32_t	i;

	for (i = 0; i < flag->target_count; i++)
	{
		const FbTarget *target = &flag->targets[i];
		bool		met = target->error == NULL && fb_set_has(&target->users, run->request->user_key);

		TRACE(run, .kind = FB_TRACE_TARGET, .target = target, .position = i, .met = met, .error = target->error);
		if (target->error != NULL)
		{
			fail(outcome, FB_ERROR_GENERAL, target->error);
			return true;
		}
		if (met)
		{
			outcome->reason = FB_REASON_TARGETING_MATCH;
			outcome->variation = target->variation;
			if (target->variation == NULL)
				fail(outcome, FB_ERROR_GENERAL, "malformed flag: the individual target names an unknown variation");
			return true;
		}
	}
	return false;
}

/* Evaluates one flag of a closure. */
static void
evaluate_flag(Run *run, const FbFlag *flag, FbOutcome *outcome)
{
	uint32_t	i;

	clear_outcome(outcome);
	if (flag->error != NULL)
	{
		fail(outcome, FB_ERROR_GENERAL, flag->error);
		return;
	}
	if (!flag->enabled)
	{
		if (flag->off_error != NULL)
			fail(outcome, FB_ERROR_GENERAL, flag->off_error);
		else
		{
			outcome->reason = FB_REASON_DISABLED;
			outcome->variation = flag->off_variation;
		}
		return;
	}
	if (flag->prerequisite_count > 0 && !pass_prerequisites(run, flag, outcome))
		return;
	if (flag->target_count > 0 && apply_targets(run, flag, outcome))
		return;
	for (i = 0; i < flag->rule_count; i++)
	{
		if (apply_rule(run, flag, &flag->rules[i], outcome))
			return;
		if (i % POLL_INTERVAL == POLL_INTERVAL - 1 && run->request->context->methods->poll != NULL)
			run->request->context->methods->poll(run->request->context);
	}
	serve_variation(run, &flag->fallthrough, NULL, flag->is_static ? FB_REASON_STATIC : FB_REASON_DEFAULT, outcome);
}

/* Evaluates a flag for one user, who may be watched. */
static inline void
evaluate(const FbFlag *flag, const FbRequest *request, FbTracer *tracer, FbOutcome *outcome)
{
	/* The closure's memos are the one thing in a compiled flag that changes. */
	FbFlag	   *root = (FbFlag *) flag;
	Run			run = {.request = request, .depth = 1, .tracer = tracer};

	if (request->user_key_missing)
	{
		clear_outcome(outcome);
		fail(outcome, FB_ERROR_TARGETING_KEY_MISSING, "user key is null");
		return;
	}
	run.epoch = ++fb_current_epoch;
	root->memo.epoch = run.epoch;
	root->memo.done = false;
	TRACE(&run, .kind = FB_TRACE_ENTER_FLAG, .flag = flag);
	evaluate_flag(&run, flag, outcome);
	if (run.fatal != NULL)
	{
		clear_outcome(outcome);
		fail(outcome, FB_ERROR_GENERAL, run.fatal);
	}
	TRACE(&run, .kind = FB_TRACE_LEAVE_FLAG, .flag = flag, .outcome = outcome);
}

#ifdef FB_TRACED

/* Evaluates a flag for one user and notes each step. */
void
fb_evaluate_traced(const FbFlag *flag, const FbRequest *request, FbTracer *tracer, FbOutcome *outcome)
{
	evaluate(flag, request, tracer, outcome);
}

#else

/* Evaluates a flag for one user. */
void
fb_evaluate(const FbFlag *flag, const FbRequest *request, FbOutcome *outcome)
{
	evaluate(flag, request, NULL, outcome);
}

const FbSplit fb_plain_ranges = {NULL, 0, 0, false};

/* Evaluates a flag that is nothing but FeatBit's ranges of the user keys; NULL where it serves nothing. */
const FbVariation *
fb_evaluate_plain_ranges(const FbRanges *ranges, FbString user_key)
{
	const FbRangeArm *arm = ranges->arms;
	const FbRangeArm *end = arm + ranges->arm_count;
	uint32_t	bucket = ranges->is_everyone ? 0 : fb_featbit_bucket(ranges->flag_key, user_key);

	while (arm < end && !arm->broken && !fb_range_has(arm->range, bucket))
		arm++;
	return arm < end ? arm->variation : NULL;
}

/* Returns the identity of a compiled flag. */
const FbFlagInfo *
fb_flag_info(const FbFlag *flag)
{
	return &flag->info;
}

/* Returns the variation with a key, or NULL when the flag has none. */
const FbVariation *
fb_flag_variation(const FbFlag *flag, FbString key)
{
	for (uint32_t i = 0; i < flag->variation_count; i++)
		if (fb_string_equal(flag->variations[i].key, key))
			return &flag->variations[i];
	return NULL;
}

#endif							/* FB_TRACED */
