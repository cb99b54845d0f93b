/*
 * state_json.c
 *		Reading states of rank tests and preferences from JSON, and sending names.
 *
 * The members may come in any order; unknown ones are refused.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "core/fb_moments.h"
#include "metrics/state_json.h"

/* Raises the error for text that is no state, and says why. */
void
fb_state_json_fail(const FbStateJson *json, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.200s\"", json->type, json->text),
			 errdetail("%s", detail)));
}

/* Says which type an error in the JSON syntax belongs to. */
static void
input_context(void *arg)
{
	errcontext("input of type %s", ((const FbStateJson *) arg)->type);
}

/* Parses the text, which must be an object, of version 1 where it names one. */
void
fb_state_json_open(FbStateJson *json, const char *type, const char *text)
{
	ErrorContextCallback callback = {error_context_stack, input_context, json};

	json->type = type;
	json->text = text;
	json->members = 0;
	error_context_stack = &callback;
	json->object = &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)))->root;
	error_context_stack = callback.previous;
	if (!JsonContainerIsObject(json->object))
		fb_state_json_fail(json, "The value must be a JSON object.");
	if (fb_state_json_count(json, "version", 1) != 1)
		fb_state_json_fail(json, "The version is not known.");
}

/* Returns a member of that type, or NULL where it is absent and may be. */
JsonbValue *
fb_state_json_member(FbStateJson *json, const char *key, enum jbvType type, bool required)
{
	JsonbValue *value = getKeyJsonValueFromContainer(json->object, key, strlen(key), NULL);

	if (value == NULL && !required)
		return NULL;
	if (value == NULL ||
		(type == jbvArray ? value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data) :
		 type == jbvObject ? value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data) :
		 value->type != type))
		fb_state_json_fail(json, psprintf("Member \"%s\" is missing or of the wrong type.", key));
	json->members++;
	return value;
}

/* Returns a number as the double nearest to it. */
double
fb_state_json_number(const FbStateJson *json, const JsonbValue *value)
{
	double		number;

	if (value == NULL || value->type != jbvNumeric)
		fb_state_json_fail(json, "A number is expected.");
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	return number == 0.0 ? 0.0 : number;
}

/* Returns a count, or what stands for an absent one. */
int64
fb_state_json_count(FbStateJson *json, const char *key, int64 absent)
{
	JsonbValue *value = fb_state_json_member(json, key, jbvNumeric, false);
	double		count;

	if (value == NULL)
		return absent;
	count = fb_state_json_number(json, value);
	if (!(count >= 0.0 && count <= (double) FB_STATS_MAX_N && count == (double) (int64) count))
		fb_state_json_fail(json, psprintf("Member \"%s\" must be a whole number, zero to 2^53.", key));
	return (int64) count;
}

/* Returns the number of elements of an array. */
uint32
fb_state_json_array(const FbStateJson *json, const JsonbValue *value, JsonbContainer **array)
{
	if (value == NULL || value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		fb_state_json_fail(json, "An array is expected.");
	*array = value->val.binary.data;
	return JsonContainerSize(*array);
}

/* Refuses members that nobody has taken. */
void
fb_state_json_close(const FbStateJson *json)
{
	if (json->members != JsonContainerSize(json->object))
		fb_state_json_fail(json, "The object has a member that does not belong to it.");
}

/* Appends a name in the encoding of the client, its length in front. */
void
fb_state_send_name(StringInfo out, const char *name, int length)
{
	char	   *converted = pg_server_to_client(name, length);

	if (converted != name)
		length = strlen(converted);
	pq_sendint32(out, length);
	pq_sendbytes(out, converted, length);
}
