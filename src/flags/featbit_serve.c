/*
 * featbit_serve.c
 *		Reads FeatBit's rollouts: ranges of buckets.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "flags/featbit.h"

/* Reads a number as the nearest double; what is too large is infinite, as in .NET. */
bool
fb_json_double(const JsonbValue *value, double *number)
{
	if (value == NULL || value->type != jbvNumeric)
		return false;
	*number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	return true;
}

/* Reads [min, max]. */
static bool
read_range(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbRangeArm *arm)
{
	FbElements	elements;
	JsonbValue	item;
	double	   *ends[] = {&arm->min, &arm->max};

	if (!fb_json_array(reader, place, value, &elements))
		return false;
	if (elements.count != 2)
		fb_note(reader, place, "%s must have two numbers, not %d", fb_place_text(place), elements.count);
	if (elements.count < 2)
		return false;
	while (fb_next_element(&elements, &item))
		if (elements.position < 2 && !fb_json_double(&item, ends[elements.position]))
		{
			fb_note(reader, place, "%s must have two numbers, not %s", fb_place_text(place), fb_json_text(&item));
			return false;
		}
	arm->range = fb_featbit_range(arm->min, arm->max);
	return true;
}

/* Names the place of an entry in a message that is kept. */
static const char *
keep_message(FbReader *reader, const FbPlace *place, const char *what)
{
	return fb_arena_string(reader->arena,
						   fb_string_of(psprintf("%s%smalformed flag: %s in %s", reader->subject == NULL ? "" : reader->subject,
												 reader->subject == NULL ? "" : ": ", what, fb_place_text(place)))).data;
}

/* Reads an entry of a rollout. */
static void
read_arm(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag, FbRangeArm *arm)
{
	FbPlace		range_place = {place, "rollout", 0};
	FbPlace		expt_place = {place, "exptRollout", 0};
	FbPlace		id_place = {place, "id", 0};
	JsonbValue	member;
	const JsonbValue *expt;
	FbString	id = {"", 0};

	memset(arm, 0, sizeof(*arm));
	if (!read_range(reader, &range_place, fb_json_find(value, "rollout", &member), arm))
	{
		arm->broken = true;
		arm->error = keep_message(reader, place, "no range of two numbers");
		return;
	}
	if (fb_json_string(fb_json_find(value, "id", &member), &id))
		arm->variation = fb_flag_variation(flag, id);
	if (arm->variation == NULL)
	{
		fb_note(reader, &id_place, "unknown variation \"%s\"", fb_cstring(id));
		arm->error = keep_message(reader, &id_place, psprintf("unknown variation \"%s\"", fb_cstring(id)));
	}
	expt = fb_json_find(value, "exptRollout", &member);
	if (expt != NULL && !fb_json_double(expt, &arm->expt_rollout))
		fb_note(reader, &expt_place, "%s must be a number, not %s", fb_place_text(&expt_place), fb_json_text(expt));
}

/* Orders ranges for qsort. */
static int
compare_ranges(const void *a, const void *b)
{
	uint32		left = ((const FbRange *) a)->low;
	uint32		right = ((const FbRange *) b)->low;

	return (left > right) - (left < right);
}

/* Tells whether some bucket is in no range. */
bool
fb_ranges_have_gap(const FbRanges *ranges)
{
	FbRange    *sorted = palloc(sizeof(FbRange) * (ranges->arm_count + 1));
	uint64		next = 0;		/* the lowest bucket that no range has so far */
	uint32		count = 0;

	for (uint32 i = 0; i < ranges->arm_count; i++)
		if (!ranges->arms[i].broken && ranges->arms[i].range.low <= ranges->arms[i].range.high)
			sorted[count++] = ranges->arms[i].range;
	qsort(sorted, count, sizeof(FbRange), compare_ranges);
	for (uint32 i = 0; i < count && sorted[i].low <= next; i++)
		next = Max(next, (uint64) sorted[i].high + 1);
	pfree(sorted);
	return next <= FB_BUCKET_ONE;
}

/* Finds out what the arms together mean: whether a hash is needed, and deals between variations. */
void
fb_weigh_ranges(FbRanges *ranges)
{
	const FbVariation *first = NULL;
	bool		decided = false;

	for (uint32 i = 0; i < ranges->arm_count; i++)
	{
		const FbRangeArm *arm = &ranges->arms[i];

		if (arm->broken)
			decided = true;
		if (arm->broken || arm->range.low > arm->range.high)
			continue;
		if (!decided)
			ranges->is_everyone = fb_range_is_everyone(arm->range);
		decided = true;
		if (arm->range.low < arm->range.high)
		{
			ranges->randomised = ranges->randomised || (first != NULL && arm->variation != first);
			if (first == NULL)
				first = arm->variation;
		}
	}
}

/* Reads dispatchKey: the property that is hashed instead of the user's key. */
static const FbPath *
read_dispatch_key(FbReader *reader, const FbPlace *place, const JsonbValue *value)
{
	FbPlace		key_place = {place, "dispatchKey", 0};
	JsonbValue	member;
	const JsonbValue *key = fb_json_find(value, "dispatchKey", &member);
	FbString	name;
	FbProperty	property;
	const FbPath *path;

	if (key == NULL)
		return NULL;
	if (!fb_json_string(key, &name))
	{
		fb_note(reader, &key_place, "%s must be a string, not %s", fb_place_text(&key_place), fb_json_text(key));
		return NULL;
	}
	/* blank is the user's key, too; so is its own name */
	fb_read_property(reader, name, &property, &path);
	return path;
}

/* Reads a rollout; false when it cannot serve anybody. */
static bool
read_rollout(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag, FbRanges *ranges)
{
	FbPlace		list_place = {place, "variations", 0};
	JsonbValue	member;
	JsonbValue	item;
	FbElements	elements;
	FbRangeArm *arms;

	if (!fb_json_array(reader, &list_place, fb_json_find(value, "variations", &member), &elements))
		return false;
	arms = fb_arena_alloc(reader->arena, sizeof(FbRangeArm) * (elements.count + 1));
	ranges->arms = arms;
	ranges->arm_count = elements.count;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&list_place, NULL, elements.position};

		read_arm(reader, &element, &item, flag, &arms[elements.position]);
	}
	fb_weigh_ranges(ranges);
	if (reader->thorough && fb_ranges_have_gap(ranges))
		fb_note(reader, &list_place, "some users are in no range of %s: they get nothing", fb_place_text(&list_place));
	return true;
}

/* Says what it means that no range has a bucket. */
static const char *
gap_message(FbReader *reader, const FbRule *rule)
{
	const char *subject = reader->subject == NULL ? "" : psprintf("%s: ", reader->subject);
	const char *text;

	if (rule == NULL)
		text = psprintf("%smalformed flag: no range of the default has the bucket of the user", subject);
	else if (rule->name.data != NULL)
		text = psprintf("%smalformed flag: no range of rule \"%s\" has the bucket of the user", subject, rule->name.data);
	else
		text = psprintf("%smalformed flag: no range of a rule without name has the bucket of the user", subject);
	return fb_arena_string(reader->arena, fb_string_of(text)).data;
}

/* Reads what a rule, or the default (rule NULL), serves. */
void
fb_read_featbit_serve(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *value, const FbRule *rule,
					  FbServe *serve)
{
	FbReader   *reader = featbit->reader;
	const FbFlag *flag = featbit->definition->flag;
	FbPlace		included_place = {place, "includedInExpt", 0};
	FbRanges   *ranges = fb_arena_alloc(reader->arena, sizeof(FbRanges));
	FbString	key = fb_utf8(flag->info.key);
	JsonbValue	member;
	const JsonbValue *included = fb_json_find(value, "includedInExpt", &member);

	memset(ranges, 0, sizeof(*ranges));
	memset(serve, 0, sizeof(*serve));
	ranges->is_default = rule == NULL;
	if (rule != NULL)
		ranges->rule = rule->name;
	ranges->flag_key = key.data == flag->info.key.data ? key : fb_arena_string(reader->arena, key);
	if (included != NULL && included->type == jbvBool)
		ranges->included_in_expt = included->val.boolean;
	else if (included != NULL)
		fb_note(reader, &included_place, "%s must be true or false, not %s", fb_place_text(&included_place),
				fb_json_text(included));
	ranges->gap = gap_message(reader, rule);
	serve->by = read_dispatch_key(reader, place, value);
	if (read_rollout(reader, place, value, flag, ranges))
	{
		serve->kind = FB_SERVE_RANGES;
		serve->ranges = ranges;
		return;
	}
	serve->kind = FB_SERVE_ERROR;
	serve->error = keep_message(reader, place, "no array of variations");
}
