/*
 * context.c
 *		Reads attributes out of a jsonb without copying them.
 *
 * The layout of a container is that of utils/jsonb.h: the keys of an object are
 * sorted by length, then by bytes, and precede its values.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "flags/context.h"
#include "pg_compat.h"

#define LINEAR_KEYS JB_OFFSET_STRIDE	/* keys up to which a scan beats a binary search */

uint64		fb_problem_counts[2];

/* Fills a value from the entry of a container at an offset of its data. */
static void
fill_value(JsonbContainer *container, uint32 index, char *data, uint32 offset, FbValue *value)
{
	JEntry		entry = container->children[index];

	value->exact = NULL;
	if (JBE_ISSTRING(entry))
	{
		value->kind = FB_VALUE_STRING;
		value->string.data = data + offset;
		value->string.length = getJsonbLength(container, index);
	}
	else if (JBE_ISNUMERIC(entry))
	{
		value->kind = FB_VALUE_NUMBER;
		value->exact = data + INTALIGN(offset);
	}
	else if (JBE_ISBOOL_TRUE(entry) || JBE_ISBOOL_FALSE(entry))
	{
		value->kind = FB_VALUE_BOOLEAN;
		value->boolean = JBE_ISBOOL_TRUE(entry);
	}
	else if (JBE_ISNULL(entry))
		value->kind = FB_VALUE_NULL;
	else
	{
		JsonbContainer *nested = (JsonbContainer *) (data + INTALIGN(offset));

		value->kind = JsonContainerIsObject(nested) ? FB_VALUE_OBJECT : FB_VALUE_ARRAY;
		value->count = JsonContainerSize(nested);
		value->array = nested;
	}
}

/* Finds a key of a small object by one pass over the lengths; -1 when it is not there. */
static int
scan_keys(const JsonbContainer *object, uint32 count, const char *data, FbString key)
{
	uint32		offset = 0;
	uint32		i;

	for (i = 0; i < count; i++)
	{
		JEntry		entry = object->children[i];
		uint32		end = JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : offset + JBE_OFFLENFLD(entry);

		if (end - offset >= key.length)
		{
			if (end - offset > key.length)
				return -1;
			if (fb_bytes_equal(data + offset, key.data, key.length))
				return i;
		}
		offset = end;
	}
	return -1;
}

/* Finds a key of a big object by bisection; -1 when it is not there. */
static int
bisect_keys(const JsonbContainer *object, uint32 count, const char *data, FbString key)
{
	uint32		low = 0;
	uint32		high = count;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		uint32		length = getJsonbLength(object, middle);
		int			order;

		if (length != key.length)
			order = key.length < length ? -1 : 1;
		else
			order = memcmp(key.data, data + getJsonbOffset(object, middle), length);
		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

/* Finds the value of a key. */
static bool
find_key(JsonbContainer *object, FbString key, FbValue *value)
{
	uint32		count = JsonContainerSize(object);
	char	   *data = (char *) &object->children[count * 2];
	int			found;

	found = count <= LINEAR_KEYS ? scan_keys(object, count, data, key) : bisect_keys(object, count, data, key);
	if (found < 0)
		return false;
	fill_value(object, found + count, data, getJsonbOffset(object, found + count), value);
	return true;
}

/* Returns the object, taken out of TOAST when an attribute is first asked for. */
static JsonbContainer *
root_object(FbJsonbContext *source)
{
	if (source->root == NULL && source->datum != (Datum) 0)
	{
		Jsonb	   *jsonb = DatumGetJsonbP(source->datum);

		source->datum = (Datum) 0;
		if (JB_ROOT_IS_OBJECT(jsonb))
			source->root = &jsonb->root;
	}
	return source->root;
}

/* Finds an attribute. */
static bool
lookup(const FbContext *context, const FbPath *path, FbValue *value)
{
	JsonbContainer *object = root_object((FbJsonbContext *) context);
	uint32		step;

	if (object == NULL)
		return false;
	for (step = 0;; step++)
	{
		if (!find_key(object, path->steps[step], value))
			return false;
		if (step + 1 == path->count)
			return true;
		if (value->kind != FB_VALUE_OBJECT)
			return false;
		object = (JsonbContainer *) value->array;
	}
}

/* Reads an element of an array. */
static void
element(const FbContext *context, const FbValue *array, uint32 position, FbValue *value)
{
	JsonbContainer *container = (JsonbContainer *) array->array;
	char	   *data = (char *) &container->children[JsonContainerSize(container)];

	fill_value(container, position, data, getJsonbOffset(container, position), value);
}

/* Compares two numerics. */
static int
compare_numbers(const FbContext *context, const FbValue *a, const FbValue *b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, PointerGetDatum(a->exact), PointerGetDatum(b->exact)));
}

/* Gives a number as trim_scale prints it. */
static bool
number_text(const FbContext *context, const FbValue *number, FbString *text)
{
	text->data = numeric_normalize((Numeric) number->exact);
	text->length = strlen(text->data);
	return true;
}

/* Converts a string of the server encoding. */
static bool
to_utf8(const FbContext *context, FbString string, FbString *utf8)
{
	*utf8 = string;
	utf8->data = pg_server_to_any(string.data, string.length, PG_UTF8);
	if (utf8->data != string.data)
		utf8->length = strlen(utf8->data);
	return true;
}

/* Lets a long evaluation be cancelled. */
static void
poll(const FbContext *context)
{
	CHECK_FOR_INTERRUPTS();
}

/* Counts a problem. */
static void
problem(const FbContext *context, FbProblem kind)
{
	fb_problem_counts[kind]++;
}

static const FbContextMethods utf8_methods = {lookup, element, compare_numbers, number_text, NULL, poll, problem};
static const FbContextMethods converting_methods = {lookup, element, compare_numbers, number_text, to_utf8, poll, problem};

/* Makes a source of attributes of a datum, which is looked at only when needed. */
const FbContext *
fb_datum_context(FbJsonbContext *storage, Datum context, bool isnull)
{
	int			encoding = GetDatabaseEncoding();

	storage->base.methods = encoding == PG_UTF8 || encoding == PG_SQL_ASCII ? &utf8_methods : &converting_methods;
	storage->datum = isnull ? (Datum) 0 : context;
	storage->root = NULL;
	return &storage->base;
}

/* Makes a source of attributes of a jsonb; NULL and what is no object have none. */
const FbContext *
fb_jsonb_context(FbJsonbContext *storage, Jsonb *context)
{
	(void) fb_datum_context(storage, (Datum) 0, true);
	if (context != NULL && JB_ROOT_IS_OBJECT(context))
		storage->root = &context->root;
	return &storage->base;
}
