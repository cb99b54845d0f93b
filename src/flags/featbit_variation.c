/*
 * featbit_variation.c
 *		Reads FeatBit's variations, whose values are text, and gives the text as
 *		what a caller asks for.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "core/fb_dotnet.h"
#include "core/fb_json.h"
#include "flags/featbit.h"
#include "pg_compat.h"

#define MAX_VARIATIONS 1000
#define MAX_PLAIN_NUMBER 100	/* characters of a number that is taken digit by digit */

static const char *const type_names[] = {"boolean", "string", "number", "json"};

/* Makes a jsonb of one value. */
static Jsonb *
scalar_json(JsonbValue value)
{
	return JsonbValueToJsonb(&value);
}

/* Returns a string as JSON. */
static Jsonb *
string_json(FbString text)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, text.data);
	value.val.string.len = text.length;
	return scalar_json(value);
}

/* Returns text that is JSON as such, NULL when it is none. */
Jsonb *
fb_featbit_json(FbString text)
{
	int			encoding = GetDatabaseEncoding();

	if (!fb_json_valid(text, encoding != PG_UTF8))
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(fb_cstring(text))));
}

/* Tells whether text is digits with at most a sign before and a point between. */
static bool
is_plain_number(FbString text)
{
	uint32		digits = 0;
	uint32		points = 0;

	for (uint32 i = 0; i < text.length; i++)
	{
		char		c = text.data[i];

		if (c >= '0' && c <= '9')
			digits++;
		else if (c == '.')
			points++;
		else if (i > 0 || c != '-')
			return false;
	}
	return digits > 0 && points <= 1 && text.length <= MAX_PLAIN_NUMBER;
}

/* Returns text that is a number as JSON, NULL when it is none or not finite. */
static Jsonb *
number_json(FbString text)
{
	JsonbValue	value = {.type = jbvNumeric};
	double		number;

	if (!fb_dotnet_double(text, &number) || isinf(number))
		return NULL;
	if (is_plain_number(text))
		value.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(fb_cstring(text)),
																ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	else
		value.val.numeric = fb_double_numeric(number);
	return scalar_json(value);
}

/* Returns a value as JSON of the flag's type, or as a string when it is not of it. */
Jsonb *
fb_featbit_value(FbString text, FbFlagType type)
{
	JsonbValue	boolean = {.type = jbvBool};
	Jsonb	   *json = NULL;

	if (type == FB_FLAG_BOOLEAN && fb_dotnet_bool(text, &boolean.val.boolean))
		json = scalar_json(boolean);
	else if (type == FB_FLAG_NUMBER)
		json = number_json(text);
	else if (type == FB_FLAG_JSON)
		json = fb_featbit_json(text);
	return json != NULL ? json : string_json(text);
}

/* Reads variationType. */
static FbFlagType
read_type(FbReader *reader, const FbFlagRow *row)
{
	FbPlace		place = {NULL, "type", 0};

	for (int i = 0; i < (int) lengthof(type_names); i++)
		if (row->type != NULL && strcmp(row->type, type_names[i]) == 0)
			return (FbFlagType) i;
	fb_note(reader, &place, "unknown type \"%s\": values are strings", row->type == NULL ? "" : row->type);
	return FB_FLAG_STRING;
}

/* Reads one variation; false when it cannot be served. */
static bool
read_variation(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag, FbFlagType type,
			   FbVariation *variation)
{
	FbPlace		id_place = {place, "id", 0};
	FbPlace		value_place = {place, "value", 0};
	JsonbValue	member;
	FbString	id;
	FbString	text;
	Jsonb	   *json;
	void	   *copy;

	if (!fb_json_string(fb_json_find(value, "id", &member), &id))
	{
		fb_note(reader, &id_place, "%s must be a string", fb_place_text(&id_place));
		return false;
	}
	if (!fb_json_string(fb_json_find(value, "value", &member), &text))
	{
		fb_note(reader, &value_place, "%s must be a string", fb_place_text(&value_place));
		return false;
	}
	if (fb_flag_variation(flag, id) != NULL)
	{
		fb_note(reader, &id_place, "duplicate variation \"%s\": the first counts", fb_cstring(id));
		return false;
	}
	variation->key_datum = fb_keep_text(reader, id.data, id.length);
	variation->key = (FbString) {VARDATA_ANY(variation->key_datum), id.length};
	variation->value_text = fb_keep_text(reader, text.data, text.length);
	json = fb_featbit_value(text, type);
	if (type != FB_FLAG_STRING && JB_ROOT_IS_SCALAR(json))
	{
		JsonbValue	converted;

		(void) JsonbExtractScalar(&json->root, &converted);
		if (converted.type == jbvString && !(type == FB_FLAG_JSON && text.length > 0 && fb_featbit_json(text) != NULL))
			fb_note(reader, &value_place, "%s is no %s: %s", fb_place_text(&value_place), type_names[type],
					fb_json_text(&member));
	}
	copy = fb_arena_alloc(reader->arena, VARSIZE(json));
	memcpy(copy, json, VARSIZE(json));
	variation->value_json = copy;
	return true;
}

/* Reads type and variations of a flag; false when the flag cannot be evaluated at all. */
bool
fb_read_featbit_variations(FbReader *reader, const FbFlagRow *row, FbFlag *flag)
{
	FbPlace		place = {NULL, "variations", 0};
	FbFlagType	type = read_type(reader, row);
	FbVariation *variations;
	FbElements	elements;
	JsonbValue	root = {.type = jbvNull};
	JsonbValue	item;

	if (row->variations != NULL)
		fb_json_root(row->variations, &root);
	flag->info.type = FB_FLAG_FEATBIT;
	if (!fb_json_array(reader, &place, &root, &elements) || elements.count > MAX_VARIATIONS)
		return false;
	if (elements.count == 0)
		return true;
	variations = fb_arena_alloc(reader->arena, sizeof(FbVariation) * elements.count);
	flag->variations = variations;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};

		if (read_variation(reader, &element, &item, flag, type, &variations[flag->variation_count]))
			flag->variation_count++;
	}
	return true;
}
