/*
 * trace_serve.c
 *		The steps of what is served: windows of time, percentages, ramps and
 *		splits, with what was hashed.
 */
#include "postgres.h"

#include <inttypes.h>

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "flags/trace.h"

/* Returns a string in the server's encoding from one that was hashed, which is UTF-8. */
static const char *
hashed_text(FbString string)
{
	char	   *text = fb_cstring(string);

	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return text;
	return pg_any_to_server(text, string.length, PG_UTF8);
}

/* Returns a time as a definition writes it, in UTC. */
static const char *
time_text(int64 time)
{
	struct pg_tm tm;
	fsec_t		fraction;

	if (timestamp2tm(time, NULL, &tm, &fraction, NULL, NULL) != 0)
		return "a time that is out of range";
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
					tm.tm_sec);
}

/* Notes whether the time is within the window of a rule. */
void
fb_note_window(FbExplanation *explanation, const FbTraceEvent *event)
{
	const FbRule *rule = event->rule;
	FbFrame    *frame = explanation->frame;
	FbStep	   *step;

	if (rule->from == PG_INT64_MIN && rule->until == PG_INT64_MAX)
		return;
	step = fb_add_step(explanation, "window", frame->rule->path);
	step->description = "time of the evaluation";
	if (rule->from == PG_INT64_MIN)
		step->expected = psprintf("until %s", time_text(rule->until));
	else if (rule->until == PG_INT64_MAX)
		step->expected = psprintf("from %s", time_text(rule->from));
	else
		step->expected = psprintf("from %s until %s", time_text(rule->from), time_text(rule->until));
	step->actual = time_text(explanation->now);
	step->outcome = fb_met_text(event->met, NULL);
	if (!event->met)
		frame->decided = psprintf("the time is %s", explanation->now < rule->from ? "before from" : "not before until");
}

/* Describes what is hashed and under which salt. */
static const char *
describe_hash(const FbServe *serve, const JsonbValue *source, const char *salt)
{
	const char *by = NULL;

	if (serve->by != NULL && source != NULL)
		by = fb_json_member_text(source, "by");
	if (by != NULL)
		return psprintf("hash of attribute %s, %s", by, salt);
	return psprintf("hash of the user key, %s", salt);
}

/* Returns the salt of the frame's flag. */
static const char *
flag_salt(const FbFrame *frame)
{
	const FbFlagRow *row = frame->definition->flag_row;

	return row->salt != NULL ? row->salt : row->key;
}

/* Finds the JSON of a serve: that of a rule, or the fallthrough. */
static bool
serve_source(const FbFrame *frame, bool of_rule, JsonbValue *source)
{
	const FbFlagRow *row = frame->definition->flag_row;
	JsonbValue	rule;

	if (of_rule)
		return fb_json_element(row->rules, frame->rules - 1, &rule) && fb_json_member(&rule, "serve", source);
	if (row->fallthrough == NULL)
		return false;
	fb_json_root(row->fallthrough, source);
	return true;
}

/* Notes the percentage of a rule. */
void
fb_note_gate(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	const FbRule *rule = event->rule;
	FbStep	   *step;
	JsonbValue	source;
	bool		found = serve_source(frame, true, &source);

	fb_skip_rest(explanation, fb_rule_condition(frame));
	step = fb_add_step(explanation, "percentage", psprintf("%s.percentage", frame->rule->path));
	step->description = describe_hash(&rule->serve, found ? &source : NULL,
									  psprintf("salt \"%s\" with the id of the rule", flag_salt(frame)));
	step->expected = psprintf("%g %%", rule->gate / (FB_GATE_SLOTS / 100.0));
	step->outcome = fb_met_text(event->met, event->error);
	if (event->error != NULL)
	{
		step->reason = pstrdup(event->error);
		return;
	}
	step->hash_input = hashed_text(event->unit);
	step->seed = psprintf("%016" PRIx64, rule->gate_seed);
	step->bucket = event->bucket;
	step->range = rule->gate == 0 ? psprintf("none of %u", FB_GATE_SLOTS) :
		psprintf("0-%u of %u", rule->gate - 1, FB_GATE_SLOTS);
	step->actual = psprintf("%g %%", event->bucket / (FB_GATE_SLOTS / 100.0));
}

/* Returns the buckets that an arm of a split takes. */
static const char *
arm_range(const FbSplit *split, uint32 bucket)
{
	uint32		lower = 0;
	uint32		arm = 0;

	while (split->arms[arm].upper <= bucket)
		lower = split->arms[arm++].upper;
	return psprintf("%u-%u of %u", lower, split->arms[arm].upper - 1, split->total_weight);
}

/* Notes which stage of a ramp is in force. */
static void
note_stage(FbExplanation *explanation, const FbServe *serve, const char *path, uint32 stage)
{
	FbStep	   *step = fb_add_step(explanation, "stage", psprintf("%s.ramp[%u]", path, stage));
	int64		at = serve->stages[stage].at;

	step->description = "latest stage that has begun";
	step->expected = psprintf("from %s", time_text(at));
	step->actual = time_text(explanation->now);
	step->outcome = "met";
	if (explanation->now < at)
		step->reason = "none has begun: the first is in force";
}

/* Returns a double as the shortest decimal number that stands for it. */
static const char *
double_text(double number)
{
	char	   *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(number, text);
	return text;
}

/* Notes which of FeatBit's ranges serves. */
static void
note_ranges(FbExplanation *explanation, const FbTraceEvent *event, FbStep *step, const char *path)
{
	const FbOutcome *outcome = event->outcome;
	const FbRanges *ranges = event->serve->ranges;
	const FbPath *by = event->serve->by;

	step->path = psprintf("%s.%s", path, ranges->is_native ? "ranges" : "variations");
	if (by == NULL)
		step->description = ranges->is_native ? "md5 of the salt and the user key" : "md5 of the flag key and the user key";
	else
		step->description = psprintf("md5 of the %s \"%s\"", ranges->is_native ? "salt and attribute" : "flag key and property",
									 by->steps[by->count - 1].data);
	if (outcome->hashed)
	{
		step->hash_input = hashed_text(fb_string_of(psprintf("%.*s%.*s", (int) ranges->flag_key.length,
															 ranges->flag_key.data, (int) outcome->unit_key.length,
															 outcome->unit_key.data)));
		step->bucket = outcome->bucket;
	}
	if (outcome->arm == NULL)
		step->range = outcome->hashed ? psprintf("%s is in none", double_text(fb_bucket_value(outcome->bucket))) : NULL;
	else
	{
		const char *range = psprintf("[%s, %s]", double_text(outcome->arm->min), double_text(outcome->arm->max));

		step->path = psprintf("%s[%u]", step->path, (uint32) (outcome->arm - ranges->arms));
		step->range = outcome->hashed ? psprintf("%s in %s", double_text(fb_bucket_value(outcome->bucket)), range) :
			psprintf("%s has everyone, without a hash", range);
	}
}

/* Notes what is served. */
void
fb_note_serve(FbExplanation *explanation, const FbTraceEvent *event)
{
	FbFrame    *frame = explanation->frame;
	const FbServe *serve = event->serve;
	const FbOutcome *outcome = event->outcome;
	bool		of_rule = event->rule != NULL;
	const char *path = of_rule ? psprintf("%s.serve", frame->rule->path) : "fallthrough";
	bool		ramp;
	JsonbValue	source = {.type = jbvNull};
	JsonbValue	member;
	const char *salt;
	FbStep	   *step;

	(void) serve_source(frame, of_rule, &source);
	ramp = fb_json_member(&source, "ramp", &member);
	explanation->depth += of_rule;
	if (!of_rule)
		frame->fallthrough = true;
	if (serve->kind == FB_SERVE_SPLIT && ramp)
		note_stage(explanation, serve, path, event->stage);
	step = fb_add_step(explanation, serve->kind == FB_SERVE_VARIATION ? "variation" : "split", path);
	explanation->depth -= of_rule;
	step->outcome = "served";
	if (serve->kind == FB_SERVE_RANGES)
		note_ranges(explanation, event, step, of_rule && !serve->ranges->is_native ? frame->rule->path : path);
	if (outcome->reason == FB_REASON_ERROR)
	{
		step->outcome = "error";
		step->reason = pstrdup(outcome->error_message);
		return;
	}
	step->actual = outcome->variation->key.data;
	if (serve->kind == FB_SERVE_RANGES)
		return;
	if (serve->kind == FB_SERVE_VARIATION)
	{
		step->path = psprintf("%s.variation", path);
		return;
	}
	step->path = ramp ? psprintf("%s.ramp[%u].split", path, event->stage) : psprintf("%s.split", path);
	salt = fb_json_member_text(&source, "salt");
	salt = salt != NULL ? psprintf("salt %s", salt) : psprintf("salt \"%s\"", flag_salt(frame));
	if (frame->definition->flag->info.iteration > 0)
		salt = psprintf("%s, iteration %d", salt, frame->definition->flag->info.iteration);
	step->description = describe_hash(serve, &source, salt);
	step->hash_input = hashed_text(outcome->unit_key);
	step->seed = psprintf("%016" PRIx64, serve->seed);
	step->bucket = outcome->bucket;
	step->range = arm_range(&serve->stages[event->stage].split, outcome->bucket);
}
