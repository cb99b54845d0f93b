/*
 * recorded.c
 *		Rows of the configuration tables as jsonb, as history records them.
 *
 * A member that is missing or of another type is NULL, or what the column's default is: a
 * definition may have been written before the column existed.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "core/fb_time.h"
#include "flags/recorded.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_definition_time);

/* Returns a member, NULL when it is missing or null. */
static JsonbValue *
get_member(Jsonb *definition, const char *name)
{
	JsonbValue *value;

	if (!JB_ROOT_IS_OBJECT(definition))
		return NULL;
	value = getKeyJsonValueFromContainer(&definition->root, name, strlen(name), NULL);
	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* Returns a text column. */
static char *
get_text(Jsonb *definition, const char *name)
{
	JsonbValue *value = get_member(definition, name);

	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Returns a boolean column. */
static bool
get_bool(Jsonb *definition, const char *name, bool value_if_null)
{
	JsonbValue *value = get_member(definition, name);

	return value == NULL || value->type != jbvBool ? value_if_null : value->val.boolean;
}

/* Returns a column of whole numbers, 0 for what is none. */
static int64
get_integer(Jsonb *definition, const char *name)
{
	JsonbValue *value = get_member(definition, name);
	char	   *digits;

	if (value == NULL || value->type != jbvNumeric)
		return 0;
	digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	return strtoll(digits, NULL, 10);
}

/* Returns a jsonb column; JSON null in it cannot be told from a NULL. */
static Jsonb *
get_jsonb(Jsonb *definition, const char *name)
{
	JsonbValue *value = get_member(definition, name);

	return value == NULL ? NULL : JsonbValueToJsonb(value);
}

/* Returns a column of texts as an array, 0 for NULL. */
static Datum
get_texts(Jsonb *definition, const char *name)
{
	JsonbValue *value = get_member(definition, name);
	Datum	   *elements;
	bool	   *nulls;
	int			dimensions[1];
	int			lower_bounds[1] = {1};
	uint32		count;

	if (value == NULL || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return (Datum) 0;
	count = JsonContainerSize(value->val.binary.data);
	elements = palloc(sizeof(Datum) * (count + 1));
	nulls = palloc(sizeof(bool) * (count + 1));
	for (uint32 i = 0; i < count; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(value->val.binary.data, i);

		nulls[i] = element->type != jbvString;
		if (!nulls[i])
			elements[i] = PointerGetDatum(cstring_to_text_with_len(element->val.string.val,
																	element->val.string.len));
	}
	dimensions[0] = count;
	return PointerGetDatum(construct_md_array(elements, nulls, count == 0 ? 0 : 1, dimensions, lower_bounds,
											  TEXTOID, -1, false, TYPALIGN_INT));
}

/* Makes a flag row of a recorded definition, in the current context. */
void
fb_flag_row_from_definition(Jsonb *definition, FbFlagRow *row)
{
	row->key = get_text(definition, "key");
	row->type = get_text(definition, "type");
	row->semantics = get_text(definition, "semantics");
	row->salt = get_text(definition, "salt");
	row->off_variation = get_text(definition, "off_variation");
	row->enabled = get_bool(definition, "enabled", true);
	row->archived = get_bool(definition, "archived", false);
	row->revision = get_integer(definition, "revision");
	row->iteration = (int32) get_integer(definition, "iteration");
	row->variations = get_jsonb(definition, "variations");
	row->prerequisites = get_jsonb(definition, "prerequisites");
	row->targets = get_jsonb(definition, "targets");
	row->rules = get_jsonb(definition, "rules");
	row->fallthrough = get_jsonb(definition, "fallthrough");
	row->source = get_jsonb(definition, "source");
}

/* Makes a segment row of a recorded definition, in the current context. */
void
fb_segment_row_from_definition(Jsonb *definition, FbSegmentRow *row)
{
	row->key = get_text(definition, "key");
	row->included = get_texts(definition, "included");
	row->excluded = get_texts(definition, "excluded");
	row->condition = get_jsonb(definition, "condition");
	row->semantics = get_text(definition, "semantics");
	row->archived = get_bool(definition, "archived", false);
	row->source = get_jsonb(definition, "source");
}

/* definition_time(value): time of a timestamp of a definition, NULL when it is none */
Datum
fb_definition_time(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	int64		time;

	if (!fb_parse_time((FbString) {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}, &time))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(time);
}
