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

int			fb_converts = -1;

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

/*
 * Notes where the keys and values of a small root object end, once for all its attributes; the sum
 * of the lengths is quick, the search in it for each attribute would not be.
 */
static void
index_root(FbJsonbContext *source)
{
	const JsonbContainer *root = source->root;
	uint32		count = JsonContainerSize(root) * 2;
	uint32		end = 0;

	for (uint32 i = 0; i < count; i++)
	{
		JEntry		entry = root->children[i];

		end = JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : end + JBE_OFFLENFLD(entry);
		source->ends[i + 1] = end;
	}
	source->ends[0] = 0;
	source->count = count / 2;
}

/* Tells whether the key at a place of the indexed root object is the one. */
static inline bool
is_key_at(const FbJsonbContext *source, uint32 place, FbString key)
{
	return source->ends[place + 1] - source->ends[place] == key.length &&
		fb_bytes_equal((const char *) &source->root->children[source->count * 2] + source->ends[place],
					   key.data, key.length);
}

/* Finds the value of the first key of a path in the indexed root object; looks first where it was last time. */
static inline bool
find_indexed(FbJsonbContext *source, const FbPath *path, FbValue *value)
{
	FbString	key = path->steps[0];
	uint32		place = path->hint;
	JsonbContainer *root = source->root;
	JEntry		entry;
	char	   *data;

	if (unlikely(place >= source->count || !is_key_at(source, place, key)))
	{
		for (place = 0; place < source->count; place++)
			if (is_key_at(source, place, key))
				break;
		if (place >= source->count)
			return false;
		((FbPath *) path)->hint = place;
	}
	place += source->count;
	entry = root->children[place];
	data = (char *) &root->children[source->count * 2];
	if (JBE_ISSTRING(entry))
	{
		value->kind = FB_VALUE_STRING;
		value->exact = NULL;
		value->string.data = data + source->ends[place];
		value->string.length = source->ends[place + 1] - source->ends[place];
	}
	else
		fill_value(root, place, data, source->ends[place], value);
	return true;
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

/* Looks at the object, taken out of TOAST when an attribute is first asked for; false when there is none. */
static bool
open_root(FbJsonbContext *source)
{
	if (source->root == NULL && source->datum != (Datum) 0)
	{
		Jsonb	   *jsonb = DatumGetJsonbP(source->datum);

		source->datum = (Datum) 0;
		if (JB_ROOT_IS_OBJECT(jsonb))
			source->root = &jsonb->root;
	}
	if (source->root == NULL)
		return false;
	if (JsonContainerSize(source->root) <= FB_INDEXED_KEYS)
		index_root(source);
	source->opened = true;
	return true;
}

/* Finds what a path names, from one of its steps on. */
bool
fb_jsonb_path(JsonbContainer *object, const FbPath *path, uint32 step, FbValue *value)
{
	for (;; step++)
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

/* Finds an attribute. */
static bool
lookup(const FbContext *context, const FbPath *path, FbValue *value)
{
	FbJsonbContext *source = (FbJsonbContext *) context;

	if (unlikely(!source->opened) && !open_root(source))
		return false;
	if (unlikely(source->count == 0))
		return fb_jsonb_path(source->root, path, 0, value);
	if (!find_indexed(source, path, value))
		return false;
	if (likely(path->count == 1))
		return true;
	return value->kind == FB_VALUE_OBJECT &&
		fb_jsonb_path((JsonbContainer *) value->array, path, 1, value);
}

/* Gives a value of a container, which may be that of a scalar. */
void
fb_jsonb_value(JsonbContainer *container, FbValue *value)
{
	if (JsonContainerIsScalar(container))
		fill_value(container, 0, (char *) &container->children[1], 0, value);
	else
	{
		value->kind = JsonContainerIsObject(container) ? FB_VALUE_OBJECT : FB_VALUE_ARRAY;
		value->count = JsonContainerSize(container);
		value->array = container;
		value->exact = NULL;
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

/* Returns a number as a numeric; one without is a whole number that a double holds. */
static const void *
numeric_of(const FbValue *number)
{
	return number->exact != NULL ? number->exact : int64_to_numeric((int64) number->number);
}

/* Compares two numbers exactly. */
static int
compare_numbers(const FbContext *context, const FbValue *a, const FbValue *b)
{
	int64		x = (int64) a->number;
	int64		y = (int64) b->number;

	if (a->exact == NULL && b->exact == NULL)
		return (a->number > b->number) - (a->number < b->number);
	if (likely((a->exact == NULL || fb_small_integer(a->exact, &x)) &&
			   (b->exact == NULL || fb_small_integer(b->exact, &y))))
		return (x > y) - (x < y);
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, PointerGetDatum(numeric_of(a)),
											 PointerGetDatum(numeric_of(b))));
}

/* Gives a number as trim_scale prints it. */
static bool
number_text(const FbContext *context, const FbValue *number, FbString *text)
{
	text->data = numeric_normalize((Numeric) numeric_of(number));
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

/* Gives memory for one test. */
static void *
allocate(const FbContext *context, size_t size)
{
	return palloc(size);
}

/* Takes it back. */
static void
release(const FbContext *context, void *memory)
{
	pfree(memory);
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

static const FbContextMethods utf8_methods = {
	.lookup = lookup,
	.element = element,
	.compare_numbers = compare_numbers,
	.number_text = number_text,
	.allocate = allocate,
	.release = release,
	.poll = poll,
	.problem = problem
};
static const FbContextMethods converting_methods = {
	.lookup = lookup,
	.element = element,
	.compare_numbers = compare_numbers,
	.number_text = number_text,
	.to_utf8 = to_utf8,
	.allocate = allocate,
	.release = release,
	.poll = poll,
	.problem = problem
};

/* Tells whether texts of this database have to be converted before they are hashed. */
bool
fb_find_must_convert(void)
{
	fb_converts = GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII;
	return fb_converts != 0;
}

/* Fills in the methods of a source of attributes other than jsonb whose values are like those of jsonb. */
void
fb_context_methods(FbContextMethods *methods)
{
	*methods = fb_must_convert() ? converting_methods : utf8_methods;
}

/* Makes a source of attributes of a datum, which is looked at only when needed. */
const FbContext *
fb_datum_context(FbJsonbContext *storage, Datum context, bool isnull)
{
	storage->base.methods = fb_must_convert() ? &converting_methods : &utf8_methods;
	storage->datum = isnull ? (Datum) 0 : context;
	storage->root = NULL;
	storage->count = 0;
	storage->opened = false;
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
