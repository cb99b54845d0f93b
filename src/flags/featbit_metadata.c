/*
 * featbit_metadata.c
 *		What FeatBit's evaluation server and its SDKs say about an evaluation, in
 *		their words, and whether they send it to experiments.
 *
 * Only who asks for it pays for the second hash that experiments need.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "core/fb_flag.h"
#include "flags/evaluation.h"
#include "flags/featbit.h"

/* What is said. */
typedef struct Words
{
	const char *match_reason;	/* of the evaluation server; NULL: a rule without name */
	const char *kind;			/* of an SDK */
	const char *reason;
	bool		send_to_experiment;
} Words;

/* Returns a double as the shortest decimal number that stands for it. */
Numeric
fb_double_numeric(double number)
{
	char		decimal[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, decimal);
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(decimal), ObjectIdGetDatum(InvalidOid),
											   Int32GetDatum(-1)));
}

/* Returns the bucket of what FeatBit hashes, whether the evaluation needed it or not. */
double
fb_featbit_outcome_bucket(const FbOutcome *outcome)
{
	return fb_bucket_value(outcome->hashed ? outcome->bucket :
						   fb_featbit_bucket(outcome->ranges->flag_key, outcome->unit_key));
}

/* Tells whether FeatBit sends the user to experiments. */
static bool
send_to_experiment(const FbFlag *flag, const FbOutcome *outcome)
{
	const FbRanges *ranges = outcome->ranges;
	const FbRangeArm *arm = outcome->arm;
	FbRange		range;
	FbString	key;
	double		upper;

	if (flag->info.expt_include_all)
		return true;
	if (arm == NULL || !ranges->included_in_expt ||
		!fb_featbit_upper(arm->min, arm->max, arm->expt_rollout, &upper))
		return false;
	range = fb_featbit_range(0, upper);
	if (fb_range_is_everyone(range))
		return true;
	key = fb_string_of(psprintf("expt%.*s", (int) ranges->flag_key.length, ranges->flag_key.data));
	return fb_range_has(range, fb_featbit_bucket(key, outcome->unit_key));
}

/* Finds the words for an evaluation that came to a rule or the default. */
static Words
words_of_ranges(const FbFlag *flag, const FbOutcome *outcome)
{
	const FbRanges *ranges = outcome->ranges;
	Words		words = {"default", "Fallthrough", "fall through targets and rules"};

	if (!ranges->is_default)
	{
		words.match_reason = ranges->rule.data;
		words.kind = "RuleMatch";
		words.reason = psprintf("match rule %s", ranges->rule.data == NULL ? "" : ranges->rule.data);
	}
	if (outcome->variation == NULL)
	{
		words.kind = "Error";
		words.reason = "malformed flag";
	}
	words.send_to_experiment = send_to_experiment(flag, outcome);
	return words;
}

/* Finds the words for an evaluation. */
static Words
find_words(const FbFlag *flag, const FbOutcome *outcome)
{
	if (flag == NULL)
		return (Words) {"flag archived", "Error", "flag not found", false};
	if (outcome->error == FB_ERROR_TARGETING_KEY_MISSING)
		return (Words) {"", "Error", "user not specified", false};
	if (outcome->ranges != NULL)
		return words_of_ranges(flag, outcome);
	if (outcome->reason == FB_REASON_DISABLED)
		return (Words) {"flag disabled", "Off", "flag off", false};
	if (outcome->reason == FB_REASON_TARGETING_MATCH)
		return (Words) {"targeted", "TargetMatch", "target match", flag->info.expt_include_all};
	return (Words) {flag->error == NULL && !flag->enabled ? "flag disabled" : "", "Error", "malformed flag", false};
}

/* Adds a member; text NULL is null. */
static void
push_text(JsonbParseState **state, const char *name, const char *text)
{
	JsonbValue	key = {.type = jbvString};
	JsonbValue	value = {.type = jbvNull};

	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	if (text != NULL)
	{
		value.type = jbvString;
		value.val.string.val = unconstify(char *, text);
		value.val.string.len = strlen(text);
	}
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* Returns what FeatBit says about an evaluation; NULL when it is not of a flag of FeatBit's. */
Jsonb *
fb_featbit_metadata(const FbEvaluation *evaluation)
{
	const FbCompiled *compiled = evaluation->compiled;
	const FbOutcome *outcome = &evaluation->outcome;
	JsonbParseState *state = NULL;
	JsonbValue	key = {.type = jbvString};
	JsonbValue	send = {.type = jbvBool};
	Words		words;

	if (compiled == NULL || outcome->reason == FB_REASON_OVERRIDDEN ||
		(compiled->flag == NULL ? !compiled->archived_featbit :
		 fb_flag_info(compiled->flag)->type != FB_FLAG_FEATBIT))
		return NULL;
	words = find_words(compiled->flag, outcome);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_text(&state, "matchReason", words.match_reason);
	push_text(&state, "kind", words.kind);
	push_text(&state, "reason", words.reason);
	key.val.string.val = "sendToExperiment";
	key.val.string.len = strlen("sendToExperiment");
	send.val.boolean = words.send_to_experiment;
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, &send);
	push_text(&state, "variationId", outcome->variation == NULL ? NULL :
			  fb_cstring(outcome->variation->key));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
