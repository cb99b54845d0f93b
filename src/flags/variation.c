/*
 * variation.c
 *		Reads variations and prepares their values as the entry points return them.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "flags/definition.h"
#include "pg_compat.h"

#define MAX_VARIATIONS 1000

static const char *const type_names[] = {"boolean", "string", "number", "json"};

/* Makes a text of the arena, with a short header if it can; a byte that is 0 follows. */
void *
fb_keep_text(FbReader *reader, const char *data, Size length)
{
	bool		is_short = length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX;
	Size		header = is_short ? VARHDRSZ_SHORT : VARHDRSZ;
	char	   *copy = is_short ? fb_arena_bytes(reader->arena, header + length + 1) :
		fb_arena_alloc(reader->arena, header + length + 1);

	if (is_short)
		SET_VARSIZE_SHORT(copy, header + length);
	else
		SET_VARSIZE(copy, header + length);
	memcpy(copy + header, data, length);
	copy[header + length] = '\0';
	return copy;
}

/* Reads the type of a flag. */
static bool
read_type(FbReader *reader, const FbFlagRow *row, FbFlagType *type)
{
	int			i;

	for (i = 0; i < (int) lengthof(type_names); i++)
		if (row->type != NULL && strcmp(row->type, type_names[i]) == 0)
		{
			*type = (FbFlagType) i;
			return true;
		}
	return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, "Types are boolean, string, number and json.",
					 "invalid type \"%s\"", row->type == NULL ? "" : row->type);
}

/* Prepares the value of a variation. */
static bool
read_value(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbFlagType type,
		   FbVariation *variation)
{
	Jsonb	   *jsonb;
	void	   *copy;

	switch (type)
	{
		case FB_FLAG_BOOLEAN:
			if (value->type != jbvBool)
				return fb_wrong_type(reader, place, "true or false", value);
			variation->value_text = fb_keep_text(reader, value->val.boolean ? "true" : "false", value->val.boolean ? 4 : 5);
			break;
		case FB_FLAG_STRING:
			if (value->type != jbvString)
				return fb_wrong_type(reader, place, "a string", value);
			if (value->val.string.len == variation->key.length &&
				memcmp(value->val.string.val, variation->key.data, variation->key.length) == 0)
				variation->value_text = variation->key_datum;
			else
				variation->value_text = fb_keep_text(reader, value->val.string.val, value->val.string.len);
			break;
		case FB_FLAG_NUMBER:
			{
				char	   *digits;

				if (value->type != jbvNumeric)
					return fb_wrong_type(reader, place, "a number", value);
				digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
				variation->value_text = fb_keep_text(reader, digits, strlen(digits));
				break;
			}
		case FB_FLAG_JSON:
			if (value->type == jbvNull)
				return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, "Leave off_variation out where the default of the code is to be served.",
								 "%s must not be null", fb_place_text(place));
			break;
		case FB_FLAG_FEATBIT:	/* read elsewhere */
			break;
	}
	jsonb = JsonbValueToJsonb(unconstify(JsonbValue *, value));
	copy = fb_arena_alloc(reader->arena, VARSIZE(jsonb));
	memcpy(copy, jsonb, VARSIZE(jsonb));
	variation->value_json = copy;
	if (type == FB_FLAG_JSON)
	{
		char	   *json = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));

		variation->value_text = fb_keep_text(reader, json, strlen(json));
	}
	return true;
}

/* Reads one variation. */
static bool
read_variation(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag,
			   FbVariation *variation)
{
	FbField		fields[] = {{"key", true}, {"value", true}, {"name"}};
	FbPlace		key_place = {place, "key", 0};
	FbPlace		value_place = {place, "value", 0};
	FbPlace		name_place = {place, "name", 0};
	FbString	key;
	FbString	name;

	if (!fb_read_object(reader, place, value, fields, lengthof(fields)) ||
		!fb_read_name(reader, &key_place, &fields[0].value, &key))
		return false;
	if (fb_flag_variation(flag, key) != NULL)
		return fb_defect(reader, ERRCODE_UNIQUE_VIOLATION, NULL, "duplicate variation \"%s\" in %s",
						 fb_cstring(key), fb_place_text(&key_place));
	if (fields[2].present && !fb_read_string(reader, &name_place, &fields[2].value, &name))
		return false;
	variation->key_datum = fb_keep_text(reader, key.data, key.length);
	variation->key = (FbString) {VARDATA_ANY(variation->key_datum), key.length};
	return read_value(reader, &value_place, &fields[1].value, flag->info.type, variation);
}

/* Reads type and variations of a flag. */
bool
fb_read_variations(FbReader *reader, const FbFlagRow *row, FbFlag *flag)
{
	FbPlace		place = {NULL, "variations", 0};
	FbVariation *variations;
	FbElements	elements;
	JsonbValue	root;
	JsonbValue	item;

	if (!read_type(reader, row, &flag->info.type))
		return false;
	if (row->variations == NULL)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "variations must not be null");
	fb_json_root(row->variations, &root);
	if (!fb_open_array(reader, &place, &root, &elements))
		return false;
	if (elements.count == 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "variations must have at least one element");
	if (elements.count > MAX_VARIATIONS)
		return fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL,
						 "variations has %d elements, at most %d are allowed", elements.count,
						 MAX_VARIATIONS);
	variations = fb_arena_alloc(reader->arena, sizeof(FbVariation) * elements.count);
	flag->variations = variations;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};

		if (!read_variation(reader, &element, &item, flag, &variations[elements.position]))
			return false;
		flag->variation_count++;
	}
	return true;
}
