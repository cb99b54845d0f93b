/*
 * serve.c
 *		Reads what is served: a variation, a split, a ramp.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "core/fb_hash.h"
#include "fb_suggest.h"
#include "flags/definition.h"

#define MAX_WEIGHT		(INT64CONST(1) << 31)
#define SHOWN_VARIATIONS 20

enum
{
	FIELD_VARIATION,
	FIELD_SPLIT,
	FIELD_RAMP,
	FIELD_RANGES,
	FIELD_BY,
	FIELD_SALT,
	FIELD_HASH,
	FIELD_COUNT
};

/* Reports a variation that a flag does not have. */
bool
fb_unknown_variation(FbReader *reader, const char *place, const char *key, const FbFlag *flag,
					 const char *owner)
{
	FbSuggestion suggestion;
	StringInfoData legal;
	uint32		i;

	fb_suggest_start(&suggestion, key);
	initStringInfo(&legal);
	if (owner == NULL)
		appendStringInfoString(&legal, "Variations are ");
	else
		appendStringInfo(&legal, "Variations of flag \"%s\" are ", owner);
	for (i = 0; i < flag->variation_count; i++)
	{
		fb_suggest_offer(&suggestion, flag->variations[i].key.data);
		if (i < SHOWN_VARIATIONS)
			appendStringInfo(&legal, "%s\"%s\"", i == 0 ? "" : ", ", flag->variations[i].key.data);
	}
	appendStringInfoString(&legal, flag->variation_count > SHOWN_VARIATIONS ? " and more." : ".");
	return fb_defect(reader, ERRCODE_FOREIGN_KEY_VIOLATION, fb_suggest_hint(&suggestion, legal.data),
					 "unknown variation \"%s\" in %s", key, place);
}

/* Reads the key of a variation of this flag. */
const FbVariation *
fb_read_variation(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag)
{
	const FbVariation *variation;
	FbString	key;

	if (!fb_read_string(reader, place, value, &key))
		return NULL;
	variation = fb_flag_variation(flag, key);
	if (variation == NULL)
		(void) fb_unknown_variation(reader, fb_place_text(place), fb_cstring(key), flag, NULL);
	return variation;
}

/* Reads the arms of a split. */
static bool
read_split(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag, FbSplit *split)
{
	FbElements	elements;
	JsonbValue	item;
	FbArm	   *arms;
	int64		total = 0;
	const FbVariation *first = NULL;	/* the first arm with weight */
	bool		randomised = false;

	if (!fb_open_array(reader, place, value, &elements))
		return false;
	arms = fb_arena_alloc(reader->arena, sizeof(FbArm) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {place, NULL, elements.position};
		FbPlace		variation_place = {&element, "variation", 0};
		FbPlace		weight_place = {&element, "weight", 0};
		FbField		fields[] = {{"variation", true}, {"weight", true}};
		FbArm	   *arm = &arms[elements.position];
		int64		weight;

		if (!fb_read_object(reader, &element, &item, fields, lengthof(fields)))
			return false;
		arm->variation = fb_read_variation(reader, &variation_place, &fields[0].value, flag);
		if (arm->variation == NULL || !fb_read_decimal(reader, &weight_place, &fields[1].value, 0, MAX_WEIGHT,
													   "an integer from 0 to 2147483648", &weight))
			return false;
		total += weight;
		randomised = randomised || (weight > 0 && first != NULL && arm->variation != first);
		if (weight > 0 && first == NULL)
			first = arm->variation;
		if (total > MAX_WEIGHT)
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
							 "the weights of %s sum to more than 2147483648", fb_place_text(place));
		arm->upper = (uint32) total;
	}
	if (elements.count == 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must have at least one element",
						 fb_place_text(place));
	if (total == 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "the weights of %s sum to 0",
						 fb_place_text(place));
	split->arms = arms;
	split->arm_count = elements.count;
	split->total_weight = (uint32) total;
	split->randomised = randomised;
	return true;
}

/* Reads the stages of a ramp, which must be in order. */
static bool
read_ramp(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag, FbServe *serve)
{
	FbElements	elements;
	JsonbValue	item;
	FbStage    *stages;

	if (!fb_open_array(reader, place, value, &elements))
		return false;
	if (elements.count == 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must have at least one stage",
						 fb_place_text(place));
	stages = fb_arena_alloc(reader->arena, sizeof(FbStage) * elements.count);
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {place, NULL, elements.position};
		FbPlace		at_place = {&element, "at", 0};
		FbPlace		split_place = {&element, "split", 0};
		FbField		fields[] = {{"at", true}, {"split", true}};
		FbStage    *stage = &stages[elements.position];

		if (!fb_read_object(reader, &element, &item, fields, lengthof(fields)) ||
			!fb_read_timestamp(reader, &at_place, &fields[0].value, &stage->at) ||
			!read_split(reader, &split_place, &fields[1].value, flag, &stage->split))
			return false;
		if (elements.position > 0 && stage->at <= stages[elements.position - 1].at)
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
							 "%s must be later than the stage before", fb_place_text(&at_place));
	}
	serve->stages = stages;
	serve->stage_count = elements.count;
	reader->uses_time = reader->uses_time || elements.count > 1;
	return true;
}

/* Reads whom split, ramp and ranges hash. */
static bool
read_hashing(FbReader *reader, const FbPlace *place, FbField *fields, const FbFlag *flag, FbString salt,
			 FbServe *serve)
{
	FbPlace		by_place = {place, "by", 0};

	salt = fb_utf8(salt);
	serve->seed = fb_split_seed(salt.data, salt.length, flag->info.iteration);
	if (fields[FIELD_BY].present)
	{
		serve->by = fb_read_path(reader, &by_place, &fields[FIELD_BY].value);
		if (serve->by == NULL)
			return false;
		serve->error = fb_arena_string(reader->arena,
									   fb_string_of(psprintf("attribute %s is missing, or is no string, number or boolean",
															 fb_json_text(&fields[FIELD_BY].value)))).data;
	}
	return true;
}

/* Reads the body of a serve. */
static bool
read_serve(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag, FbString salt,
		   FbServe *serve)
{
	FbField		fields[FIELD_COUNT] = {
		[FIELD_VARIATION] = {"variation"},
		[FIELD_SPLIT] = {"split"},
		[FIELD_RAMP] = {"ramp"},
		[FIELD_RANGES] = {"ranges"},
		[FIELD_BY] = {"by"},
		[FIELD_SALT] = {"salt"},
		[FIELD_HASH] = {"hash"}
	};
	FbPlace		salt_place = {place, "salt", 0};
	int			i;

	if (!fb_read_object(reader, place, value, fields, FIELD_COUNT))
		return false;
	if (fields[FIELD_VARIATION].present + fields[FIELD_SPLIT].present + fields[FIELD_RAMP].present +
		fields[FIELD_RANGES].present != 1)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
						 "%s must have exactly one of \"variation\", \"split\", \"ramp\" and \"ranges\"", fb_place_text(place));
	if (fields[FIELD_VARIATION].present)
	{
		FbPlace		variation_place = {place, "variation", 0};

		for (i = FIELD_BY; i < FIELD_COUNT; i++)
			if (fields[i].present)
				return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
								 "\"%s\" does not belong beside \"variation\" in %s", fields[i].name, fb_place_text(place));
		serve->kind = FB_SERVE_VARIATION;
		serve->variation = fb_read_variation(reader, &variation_place, &fields[FIELD_VARIATION].value, flag);
		return serve->variation != NULL;
	}
	if (fields[FIELD_HASH].present && !fields[FIELD_RANGES].present)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
						 "\"hash\" does not belong beside \"%s\" in %s",
						 fields[FIELD_SPLIT].present ? "split" : "ramp", fb_place_text(place));
	if (fields[FIELD_SALT].present &&
		(!fb_read_string(reader, &salt_place, &fields[FIELD_SALT].value, &salt) ||
		 !fb_check_printable(reader, &salt_place, salt)))
		return false;
	serve->kind = FB_SERVE_SPLIT;
	if (fields[FIELD_RANGES].present)
	{
		if (!fb_read_ranges(reader, place, &fields[FIELD_RANGES], &fields[FIELD_HASH], flag, salt, serve))
			return false;
	}
	else if (fields[FIELD_RAMP].present)
	{
		FbPlace		ramp_place = {place, "ramp", 0};

		if (!read_ramp(reader, &ramp_place, &fields[FIELD_RAMP].value, flag, serve))
			return false;
	}
	else
	{
		FbPlace		split_place = {place, "split", 0};
		FbStage    *stage = fb_arena_alloc(reader->arena, sizeof(FbStage));

		stage->at = PG_INT64_MIN;
		if (!read_split(reader, &split_place, &fields[FIELD_SPLIT].value, flag, &stage->split))
			return false;
		serve->stages = stage;
		serve->stage_count = 1;
	}
	return read_hashing(reader, place, fields, flag, salt, serve);
}

/* Reads a serve; a broken one evaluates to an error. */
void
fb_read_serve(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag,
			  FbString salt, FbServe *serve)
{
	if (read_serve(reader, place, value, flag, salt, serve))
		return;
	serve->kind = FB_SERVE_ERROR;
	serve->error = fb_take_defect(reader);
}
