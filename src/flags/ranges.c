/*
 * ranges.c
 *		Reads what a native flag serves by FeatBit's buckets: a flag that came from
 *		there keeps its users where they are.
 */
#include "postgres.h"

#include "flags/featbit.h"

#define HASH_NAME	"featbit-md5"
#define ITERATION_MARK "\037"	/* as behind the salt of a split */

/* Reads an end of a range. */
static bool
read_end(FbReader *reader, const FbPlace *place, const JsonbValue *value, double *end)
{
	if (!fb_json_double(value, end) || *end < 0 || *end > 1)
		return fb_wrong_type(reader, place, "a number from 0 to 1", value);
	return true;
}

/* Reads an entry. */
static bool
read_arm(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag, FbRangeArm *arm)
{
	FbPlace		variation_place = {place, "variation", 0};
	FbPlace		from_place = {place, "from", 0};
	FbPlace		to_place = {place, "to", 0};
	FbField		fields[] = {{"variation", true}, {"from", true}, {"to", true}};

	memset(arm, 0, sizeof(*arm));
	if (!fb_read_object(reader, place, value, fields, lengthof(fields)))
		return false;
	arm->variation = fb_read_variation(reader, &variation_place, &fields[0].value, flag);
	if (arm->variation == NULL || !read_end(reader, &from_place, &fields[1].value, &arm->min) ||
		!read_end(reader, &to_place, &fields[2].value, &arm->max))
		return false;
	if (arm->min > arm->max)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must not be less than %s",
						 fb_place_text(&to_place), fb_place_text(&from_place));
	arm->range = fb_featbit_range(arm->min, arm->max);
	return true;
}

/* Checks the name of the hash, which says whose buckets these are. */
static bool
check_hash(FbReader *reader, const FbPlace *place, FbField *hash)
{
	FbPlace		hash_place = {place, "hash", 0};
	FbString	name;

	if (!hash->present)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, "Write \"hash\": \"" HASH_NAME "\".",
						 "%s has no \"hash\"", fb_place_text(place));
	if (!fb_read_string(reader, &hash_place, &hash->value, &name))
		return false;
	if (!fb_string_equal(name, fb_string_of(HASH_NAME)))
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, "Ranges have the hash \"" HASH_NAME "\".",
						 "unknown hash \"%s\" in %s", fb_cstring(name), fb_place_text(&hash_place));
	return true;
}

/* Reads ranges: the first that has the bucket of salt and unit decides, and every bucket must be in one. */
bool
fb_read_ranges(FbReader *reader, const FbPlace *place, FbField *field, FbField *hash, const FbFlag *flag,
			   FbString salt, FbServe *serve)
{
	FbPlace		list_place = {place, field->name, 0};
	FbRanges   *ranges = fb_arena_alloc(reader->arena, sizeof(FbRanges));
	FbRangeArm *arms;
	FbElements	elements;
	JsonbValue	item;

	memset(ranges, 0, sizeof(*ranges));
	if (!check_hash(reader, place, hash) || !fb_open_array(reader, &list_place, &field->value, &elements))
		return false;
	arms = fb_arena_alloc(reader->arena, sizeof(FbRangeArm) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&list_place, NULL, elements.position};

		if (!read_arm(reader, &element, &item, flag, &arms[elements.position]))
			return false;
	}
	ranges->arms = arms;
	ranges->arm_count = elements.count;
	if (fb_ranges_have_gap(ranges))
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, "Let the ranges reach from 0 to 1 without a gap.",
						 "some users are in no range of %s", fb_place_text(&list_place));
	fb_weigh_ranges(ranges);
	salt = fb_utf8(salt);
	if (flag->info.iteration > 0)
		salt = fb_string_of(psprintf("%.*s" ITERATION_MARK "%d", (int) salt.length, salt.data, flag->info.iteration));
	ranges->flag_key = fb_arena_string(reader->arena, salt);
	ranges->is_default = place->parent == NULL;
	ranges->is_native = true;
	ranges->gap = "no range has the bucket of the user";
	serve->kind = FB_SERVE_RANGES;
	serve->ranges = ranges;
	return true;
}
