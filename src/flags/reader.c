/*
 * reader.c
 *		Reads the parts every definition is made of.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "core/fb_time.h"
#include "fb_suggest.h"
#include "flags/reader.h"
#include "pg_compat.h"

#define SHOWN_VALUE			80	/* bytes of an offending value that a message shows */
#define MAX_PATH_STEPS		64

/* Returns a terminated copy of a string. */
char *
fb_cstring(FbString string)
{
	return pnstrdup(string.data, string.length);
}

/* Wraps a terminated string. */
FbString
fb_string_of(const char *string)
{
	FbString	result = {string, strlen(string)};

	return result;
}

/* Returns a string of the server encoding in UTF-8; SQL_ASCII is taken as it is. */
FbString
fb_utf8(FbString string)
{
	char	   *utf8;

	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return string;
	utf8 = pg_server_to_any(string.data, string.length, PG_UTF8);
	if (utf8 == string.data)
		return string;
	return fb_string_of(utf8);
}

/* Tells whether a key can stand in a path without quotes. */
static bool
is_plain_key(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char) *name) && *name != '_')
			return false;
	return true;
}

/* Appends a place to a message. */
static void
append_place(StringInfo text, const FbPlace *place)
{
	if (place->parent != NULL)
		append_place(text, place->parent);
	if (place->name == NULL)
		appendStringInfo(text, "[%d]", place->position);
	else if (is_plain_key(place->name))
		appendStringInfo(text, "%s%s", place->parent != NULL ? "." : "", place->name);
	else
		appendStringInfo(text, "[\"%s\"]", place->name);
}

/* Returns a place as text, e.g. rules[0].when.all[1].op. */
char *
fb_place_text(const FbPlace *place)
{
	StringInfoData text;

	initStringInfo(&text);
	append_place(&text, place);
	return text.data;
}

/* Raises a defect, or keeps it and returns false. */
bool
fb_defect(FbReader *reader, int sqlstate, const char *hint, const char *format,...)
{
	StringInfoData message;

	if (reader->defect != NULL)
		return false;
	initStringInfo(&message);
	if (!reader->strict && reader->subject != NULL)
		appendStringInfo(&message, "%s: ", reader->subject);
	for (;;)
	{
		va_list		arguments;
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	if (reader->strict)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("%s", message.data),
				 hint != NULL ? errhint("%s", hint) : 0));
	reader->defect = fb_arena_string(reader->arena, fb_string_of(message.data)).data;
	pfree(message.data);
	return false;
}

/* Returns the kept defect and forgets it. */
const char *
fb_take_defect(FbReader *reader)
{
	const char *defect = reader->defect;

	reader->defect = NULL;
	return defect;
}

/* Makes a value of a whole jsonb. */
void
fb_json_root(Jsonb *jsonb, JsonbValue *value)
{
	if (JB_ROOT_IS_SCALAR(jsonb))
		(void) JsonbExtractScalar(&jsonb->root, value);
	else
	{
		value->type = jbvBinary;
		value->val.binary.data = &jsonb->root;
		value->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
	}
}

/* Returns a value as JSON text, cut to what a message can show. */
char *
fb_json_text(const JsonbValue *value)
{
	StringInfoData text;

	initStringInfo(&text);
	switch (value->type)
	{
		case jbvNull:
			appendStringInfoString(&text, "null");
			break;
		case jbvBool:
			appendStringInfoString(&text, value->val.boolean ? "true" : "false");
			break;
		case jbvNumeric:
			appendStringInfoString(&text, DatumGetCString(DirectFunctionCall1(numeric_out,
																			   NumericGetDatum(value->val.numeric))));
			break;
		case jbvString:
			escape_json(&text, pnstrdup(value->val.string.val, value->val.string.len));
			break;
		default:
			(void) JsonbToCString(&text, value->val.binary.data, value->val.binary.len);
			break;
	}
	if (text.len > SHOWN_VALUE)
	{
		text.len = pg_mbcliplen(text.data, text.len, SHOWN_VALUE - 3);
		text.data[text.len] = '\0';
		appendStringInfoString(&text, "...");
	}
	return text.data;
}

/* Reports a value that is not what its place needs. */
bool
fb_wrong_type(FbReader *reader, const FbPlace *place, const char *expected, const JsonbValue *value)
{
	return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must be %s, not %s",
					 fb_place_text(place), expected, fb_json_text(value));
}

/* Tells whether a value is an object or an array. */
static bool
is_container(const JsonbValue *value, bool object)
{
	if (value->type != jbvBinary)
		return false;
	return object ? JsonContainerIsObject(value->val.binary.data) :
		(JsonContainerIsArray(value->val.binary.data) && !JsonContainerIsScalar(value->val.binary.data));
}

/* Lists the names of fields for a hint. */
static char *
list_fields(const FbField *fields, int count)
{
	StringInfoData text;
	int			i;

	initStringInfo(&text);
	appendStringInfoString(&text, "Legal keys are ");
	for (i = 0; i < count; i++)
		appendStringInfo(&text, "%s\"%s\"", i == 0 ? "" : i == count - 1 ? " and " : ", ", fields[i].name);
	appendStringInfoChar(&text, '.');
	return text.data;
}

/* Reports a key that no field has. */
static bool
unknown_key(FbReader *reader, const FbPlace *place, FbString key, const FbField *fields, int count)
{
	FbSuggestion suggestion;
	char	   *name = fb_cstring(key);
	int			i;

	fb_suggest_start(&suggestion, name);
	for (i = 0; i < count; i++)
		fb_suggest_offer(&suggestion, fields[i].name);
	return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
					 fb_suggest_hint(&suggestion, list_fields(fields, count)),
					 "unknown key \"%s\" in %s", name, fb_place_text(place));
}

/* Returns the field that a key names, NULL for none. */
static inline FbField *
find_field(FbString key, FbField *fields, int count)
{
	int			i;

	for (i = 0; i < count; i++)
		if (key.length > 0 && fields[i].name[0] == key.data[0] && strlen(fields[i].name) == key.length &&
			fb_bytes_equal(fields[i].name, key.data, key.length))
			return &fields[i];
	return NULL;
}

/* Gives an entry of a container as JsonbIteratorNext does that skips nested values: without a copy. */
static inline void
fill_item(const JsonbContainer *container, uint32 index, char *data, uint32 offset, uint32 end, JsonbValue *value)
{
	JEntry		entry = container->children[index];

	if (JBE_ISSTRING(entry))
	{
		value->type = jbvString;
		value->val.string.val = data + offset;
		value->val.string.len = end - offset;
	}
	else if (JBE_ISNUMERIC(entry))
	{
		value->type = jbvNumeric;
		value->val.numeric = (Numeric) (data + INTALIGN(offset));
	}
	else if (JBE_ISCONTAINER(entry))
	{
		value->type = jbvBinary;
		value->val.binary.data = (JsonbContainer *) (data + INTALIGN(offset));
		value->val.binary.len = end - INTALIGN(offset);
	}
	else if (JBE_ISNULL(entry))
		value->type = jbvNull;
	else
	{
		value->type = jbvBool;
		value->val.boolean = JBE_ISBOOL_TRUE(entry);
	}
}

/* Returns where the entry of a container ends that begins at an offset. */
static inline uint32
entry_end(const JsonbContainer *container, uint32 index, uint32 offset)
{
	JEntry		entry = container->children[index];

	return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : offset + JBE_OFFLENFLD(entry);
}

/* Reads an object whose keys are all known. */
bool
fb_read_object(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbField *fields, int count)
{
	const JsonbContainer *object;
	char	   *data;
	uint32		pairs;
	uint32		key_offset = 0;
	uint32		offset;
	uint32		pair;
	int			i;

	for (i = 0; i < count; i++)
		fields[i].present = false;
	if (!is_container(value, true))
		return fb_wrong_type(reader, place, "an object", value);
	object = value->val.binary.data;
	pairs = JsonContainerSize(object);
	data = (char *) &object->children[pairs * 2];
	offset = pairs == 0 ? 0 : getJsonbOffset(object, pairs);
	for (pair = 0; pair < pairs; pair++)
	{
		uint32		key_end = entry_end(object, pair, key_offset);
		uint32		end = entry_end(object, pairs + pair, offset);
		FbString	key = {data + key_offset, key_end - key_offset};
		FbField    *field = find_field(key, fields, count);

		if (field == NULL)
			return unknown_key(reader, place, key, fields, count);
		field->present = true;
		fill_item(object, pairs + pair, data, offset, end, &field->value);
		key_offset = key_end;
		offset = end;
	}
	for (i = 0; i < count; i++)
		if (fields[i].required && !fields[i].present)
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, list_fields(fields, count),
							 "%s has no \"%s\"", fb_place_text(place), fields[i].name);
	return true;
}

/* Opens an array of at most FB_MAX_LIST elements. */
bool
fb_open_array(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbElements *elements)
{
	if (!is_container(value, false))
		return fb_wrong_type(reader, place, "an array", value);
	elements->array = value->val.binary.data;
	elements->count = JsonContainerSize(elements->array);
	elements->position = -1;
	elements->offset = 0;
	if (elements->count > FB_MAX_LIST)
		return fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL, "%s has %d elements, at most %d are allowed",
						 fb_place_text(place), elements->count, FB_MAX_LIST);
	return true;
}

/* Reads the next element of an array; false at the end. */
bool
fb_next_element(FbElements *elements, JsonbValue *value)
{
	uint32		end;

	CHECK_FOR_INTERRUPTS();
	if (elements->position + 1 >= elements->count)
		return false;
	elements->position++;
	end = entry_end(elements->array, elements->position, elements->offset);
	fill_item(elements->array, elements->position, (char *) &elements->array->children[elements->count],
			  elements->offset, end, value);
	elements->offset = end;
	return true;
}

/* Reads a string; it points into the jsonb. */
bool
fb_read_string(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbString *string)
{
	if (value->type != jbvString)
		return fb_wrong_type(reader, place, "a string", value);
	string->data = value->val.string.val;
	string->length = value->val.string.len;
	return true;
}

/* Refuses control characters. */
bool
fb_check_printable(FbReader *reader, const FbPlace *place, FbString string)
{
	uint32		i;

	for (i = 0; i < string.length; i++)
	{
		unsigned char byte = string.data[i];

		if (byte < 0x20 || byte == 0x7F)
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
							 "%s contains the control character \\x%02x", fb_place_text(place), byte);
	}
	return true;
}

/* Reads a key or id: not empty, short, without control characters. */
bool
fb_read_name(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbString *string)
{
	if (!fb_read_string(reader, place, value, string))
		return false;
	if (string->length == 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must not be empty", fb_place_text(place));
	if (string->length > FB_MAX_NAME)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s has %u bytes, at most %d are allowed",
						 fb_place_text(place), string->length, FB_MAX_NAME);
	return fb_check_printable(reader, place, *string);
}

/*
 * Reads a number between 0 and a maximum with at most so many decimals,
 * scaled by them: 20.5 with three decimals is 20500, the maximum likewise.
 */
bool
fb_read_decimal(FbReader *reader, const FbPlace *place, const JsonbValue *value, int decimals, int64 maximum,
				const char *expected, int64 *number)
{
	const char *digit;
	bool		fraction = false;

	*number = 0;
	if (value->type != jbvNumeric)
		return fb_wrong_type(reader, place, expected, value);
	for (digit = numeric_normalize(value->val.numeric); *digit != '\0'; digit++)
	{
		if (*digit == '.')
		{
			fraction = true;
			continue;
		}
		if (*digit < '0' || *digit > '9' || (fraction && decimals == 0))
			return fb_wrong_type(reader, place, expected, value);
		*number = *number * 10 + (*digit - '0');
		if (*number > maximum)
			return fb_wrong_type(reader, place, expected, value);
		if (fraction)
			decimals--;
	}
	for (; decimals > 0; decimals--)
		*number *= 10;
	if (*number > maximum)
		return fb_wrong_type(reader, place, expected, value);
	return true;
}

/* Reads an ISO 8601 timestamp; without offset it is UTC. */
bool
fb_read_timestamp(FbReader *reader, const FbPlace *place, const JsonbValue *value, int64 *time)
{
	FbString	text;

	if (!fb_read_string(reader, place, value, &text))
		return false;
	if (!fb_parse_time(text, time))
		return fb_defect(reader, ERRCODE_INVALID_DATETIME_FORMAT,
						 "Write it like \"2026-05-01T09:00:00Z\" or \"2026-05-01T09:00:00+02:00\"; without an offset it is UTC.",
						 "invalid timestamp %s in %s", fb_json_text(value), fb_place_text(place));
	return true;
}

/* Splits a dotted string into a path. */
static FbPath *
split_path(FbReader *reader, const FbPlace *place, FbString text)
{
	FbString	copy = fb_arena_string(reader->arena, text);
	uint32		count = 1;
	uint32		start = 0;
	uint32		i;
	FbPath	   *path;

	for (i = 0; i < text.length; i++)
		count += text.data[i] == '.';
	if (count > MAX_PATH_STEPS)
	{
		(void) fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL, "%s has %u steps, at most %d are allowed",
						 fb_place_text(place), count, MAX_PATH_STEPS);
		return NULL;
	}
	path = fb_arena_alloc(reader->arena, offsetof(FbPath, steps) + count * sizeof(FbString));
	path->count = 0;
	for (i = 0; i <= text.length; i++)
	{
		if (i < text.length && text.data[i] != '.')
			continue;
		if (i == start)
		{
			(void) fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
							 "A dotted string is a path; write [\"a.b\"] for a key that contains dots.",
							 "%s has an empty step in the path \"%s\"", fb_place_text(place), copy.data);
			return NULL;
		}
		path->steps[path->count].data = copy.data + start;
		path->steps[path->count].length = i - start;
		path->count++;
		start = i + 1;
	}
	return path;
}

/* Reads a path of literal keys or a dotted one. */
static FbPath *
read_steps(FbReader *reader, const FbPlace *place, const JsonbValue *value)
{
	FbElements	elements;
	JsonbValue	item;
	FbPath	   *path;

	if (value->type == jbvString)
	{
		FbString	text = {value->val.string.val, value->val.string.len};

		return split_path(reader, place, text);
	}
	if (!is_container(value, false))
	{
		(void) fb_wrong_type(reader, place, "a string or an array of keys", value);
		return NULL;
	}
	if (!fb_open_array(reader, place, value, &elements))
		return NULL;
	if (elements.count == 0 || elements.count > MAX_PATH_STEPS)
	{
		(void) fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must have 1 to %d steps, not %d",
						 fb_place_text(place), MAX_PATH_STEPS, elements.count);
		return NULL;
	}
	path = fb_arena_alloc(reader->arena, offsetof(FbPath, steps) + elements.count * sizeof(FbString));
	path->count = 0;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		step = {place, NULL, elements.position};
		FbString	key;

		if (!fb_read_string(reader, &step, &item, &key))
			return NULL;
		path->steps[path->count++] = fb_arena_string(reader->arena, key);
	}
	return path;
}

/* Reads the path of an attribute: a dotted string, or an array of literal keys. */
const FbPath *
fb_read_path(FbReader *reader, const FbPlace *place, const JsonbValue *value)
{
	FbPath	   *path = read_steps(reader, place, value);

	if (path != NULL)
		path->user_key = path->count == 1 &&
			fb_string_equal(path->steps[0], fb_string_of("targetingKey"));
	return path;
}
