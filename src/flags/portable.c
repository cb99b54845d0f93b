/*
 * portable.c
 *		flag_definition: a flag with everything it reaches, as a value.
 *
 * What belongs to the closure is decided by the compiler itself: the flag is
 * compiled, and each row that the compiler asks for is kept.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "flags/access.h"
#include "flags/catalog.h"
#include "flags/portable.h"
#include "flags/recorded.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_flag_definition);
PG_FUNCTION_INFO_V1(fb_draft_definition);

const FbField fb_portable_fields[FB_PORTABLE_FIELDS] = {
	[FB_PORTABLE_FORMAT_FIELD] = {"format", true},
	[FB_PORTABLE_FLAG] = {"flag", true},
	[FB_PORTABLE_FLAGS] = {"flags", true},
	[FB_PORTABLE_SEGMENTS] = {"segments"}
};

const FbField fb_portable_flag_fields[FB_PORTABLE_FLAG_FIELDS] = {
	[FB_PORTABLE_FLAG_TYPE] = {"type", true},
	[FB_PORTABLE_FLAG_SEMANTICS] = {"semantics"},
	[FB_PORTABLE_FLAG_SALT] = {"salt"},
	[FB_PORTABLE_FLAG_OFF_VARIATION] = {"off_variation"},
	[FB_PORTABLE_FLAG_ENABLED] = {"enabled"},
	[FB_PORTABLE_FLAG_ARCHIVED] = {"archived"},
	[FB_PORTABLE_FLAG_REVISION] = {"revision"},
	[FB_PORTABLE_FLAG_ITERATION] = {"iteration"},
	[FB_PORTABLE_FLAG_VARIATIONS] = {"variations", true},
	[FB_PORTABLE_FLAG_PREREQUISITES] = {"prerequisites"},
	[FB_PORTABLE_FLAG_TARGETS] = {"targets"},
	[FB_PORTABLE_FLAG_RULES] = {"rules"},
	[FB_PORTABLE_FLAG_FALLTHROUGH] = {"fallthrough", true},
	[FB_PORTABLE_FLAG_SOURCE] = {"source"}
};

const FbField fb_portable_segment_fields[FB_PORTABLE_SEGMENT_FIELDS] = {
	[FB_PORTABLE_SEGMENT_INCLUDED] = {"included"},
	[FB_PORTABLE_SEGMENT_EXCLUDED] = {"excluded"},
	[FB_PORTABLE_SEGMENT_CONDITION] = {"condition"},
	[FB_PORTABLE_SEGMENT_SEMANTICS] = {"semantics"},
	[FB_PORTABLE_SEGMENT_ARCHIVED] = {"archived"},
	[FB_PORTABLE_SEGMENT_SOURCE] = {"source"}
};

/* A loader that keeps the rows it gives away. */
typedef struct Recorder
{
	FbLoader	loader;			/* first: the compiler gets a pointer to it */
	FbLoader   *source;
	MemoryContext context;
	List	   *flags;			/* FbFlagRow * */
	List	   *segments;		/* FbSegmentRow * */
} Recorder;

/* FbLoader: reads a flag and keeps it. */
static bool
record_flag(FbLoader *loader, const char *key, FbFlagRow *row)
{
	Recorder   *recorder = (Recorder *) loader;
	MemoryContext old_context = MemoryContextSwitchTo(recorder->context);
	bool		found = recorder->source->load_flag(recorder->source, key, row);

	if (found)
	{
		FbFlagRow  *copy = palloc(sizeof(FbFlagRow));

		*copy = *row;
		recorder->flags = lappend(recorder->flags, copy);
	}
	MemoryContextSwitchTo(old_context);
	return found;
}

/* FbLoader: reads a segment and keeps it. */
static bool
record_segment(FbLoader *loader, const char *key, FbSegmentRow *row)
{
	Recorder   *recorder = (Recorder *) loader;
	MemoryContext old_context = MemoryContextSwitchTo(recorder->context);
	bool		found = recorder->source->load_segment(recorder->source, key, row);

	if (found)
	{
		FbSegmentRow *copy = palloc(sizeof(FbSegmentRow));

		*copy = *row;
		recorder->segments = lappend(recorder->segments, copy);
	}
	MemoryContextSwitchTo(old_context);
	return found;
}

/* Adds the name of a member. */
static void
push_name(JsonbParseState **state, const char *name)
{
	JsonbValue	key;

	key.type = jbvString;
	key.val.string.val = unconstify(char *, name);
	key.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_KEY, &key);
}

/* Makes a JSON string. */
static JsonbValue
string_value(const char *text, int length)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = length;
	return value;
}

/* Adds a text member unless it is NULL. */
static void
push_text(JsonbParseState **state, FbField field, const char *text)
{
	JsonbValue	value;

	if (text == NULL)
		return;
	push_name(state, field.name);
	value = string_value(text, strlen(text));
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* Adds a boolean member. */
static void
push_boolean(JsonbParseState **state, FbField field, bool boolean)
{
	JsonbValue	value;

	push_name(state, field.name);
	value.type = jbvBool;
	value.val.boolean = boolean;
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* Adds a whole number. */
static void
push_integer(JsonbParseState **state, FbField field, int64 integer)
{
	JsonbValue	value;

	push_name(state, field.name);
	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(integer);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* Adds a member that is JSON already, unless it is NULL. */
static void
push_json(JsonbParseState **state, FbField field, Jsonb *jsonb)
{
	JsonbValue	value;

	if (jsonb == NULL)
		return;
	push_name(state, field.name);
	fb_json_root(jsonb, &value);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/*
 * Adds a list of users.  One that only a row past the validation can have, with several
 * dimensions, becomes an array in an array, which assign reads as such again.
 */
static void
push_users(JsonbParseState **state, FbField field, Datum datum)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (datum == (Datum) 0)
		return;
	array = DatumGetArrayTypeP(datum);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	push_name(state, field.name);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (ARR_NDIM(array) > 1)
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		JsonbValue	value = {.type = jbvNull};

		if (!nulls[i])
		{
			text	   *user = DatumGetTextPP(elements[i]);

			value = string_value(VARDATA_ANY(user), VARSIZE_ANY_EXHDR(user));
		}
		pushJsonbValue(state, WJB_ELEM, &value);
	}
	if (ARR_NDIM(array) > 1)
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Adds a flag. */
static void
push_flag(JsonbParseState **state, const FbFlagRow *row)
{
	const FbField *fields = fb_portable_flag_fields;

	push_name(state, row->key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, fields[FB_PORTABLE_FLAG_TYPE], row->type);
	push_text(state, fields[FB_PORTABLE_FLAG_SEMANTICS], row->semantics);
	push_text(state, fields[FB_PORTABLE_FLAG_SALT], row->salt);
	push_text(state, fields[FB_PORTABLE_FLAG_OFF_VARIATION], row->off_variation);
	push_boolean(state, fields[FB_PORTABLE_FLAG_ENABLED], row->enabled);
	push_boolean(state, fields[FB_PORTABLE_FLAG_ARCHIVED], row->archived);
	push_integer(state, fields[FB_PORTABLE_FLAG_REVISION], row->revision);
	push_integer(state, fields[FB_PORTABLE_FLAG_ITERATION], row->iteration);
	push_json(state, fields[FB_PORTABLE_FLAG_VARIATIONS], row->variations);
	push_json(state, fields[FB_PORTABLE_FLAG_PREREQUISITES], row->prerequisites);
	push_json(state, fields[FB_PORTABLE_FLAG_TARGETS], row->targets);
	push_json(state, fields[FB_PORTABLE_FLAG_RULES], row->rules);
	push_json(state, fields[FB_PORTABLE_FLAG_FALLTHROUGH], row->fallthrough);
	push_json(state, fields[FB_PORTABLE_FLAG_SOURCE], row->source);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Adds a segment. */
static void
push_segment(JsonbParseState **state, const FbSegmentRow *row)
{
	const FbField *fields = fb_portable_segment_fields;

	push_name(state, row->key);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_users(state, fields[FB_PORTABLE_SEGMENT_INCLUDED], row->included);
	push_users(state, fields[FB_PORTABLE_SEGMENT_EXCLUDED], row->excluded);
	push_json(state, fields[FB_PORTABLE_SEGMENT_CONDITION], row->condition);
	if (row->semantics != NULL && strcmp(row->semantics, "native") != 0)
	{
		push_text(state, fields[FB_PORTABLE_SEGMENT_SEMANTICS], row->semantics);
		push_boolean(state, fields[FB_PORTABLE_SEGMENT_ARCHIVED], row->archived);
		push_json(state, fields[FB_PORTABLE_SEGMENT_SOURCE], row->source);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Writes the definition of a flag from the rows of its closure. */
static Jsonb *
write_definition(const char *key, const Recorder *recorder)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_integer(&state, fb_portable_fields[FB_PORTABLE_FORMAT_FIELD], FB_PORTABLE_FORMAT);
	push_text(&state, fb_portable_fields[FB_PORTABLE_FLAG], key);
	push_name(&state, fb_portable_fields[FB_PORTABLE_FLAGS].name);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, recorder->flags)
		push_flag(&state, lfirst(cell));
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	push_name(&state, fb_portable_fields[FB_PORTABLE_SEGMENTS].name);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, recorder->segments)
		push_segment(&state, lfirst(cell));
	pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Reads a flag with its closure under one snapshot; NULL when there is no such flag.  A draft
 * stands for the stored row, and raises when it could not be stored.
 */
static Jsonb *
read_definition(const char *environment, const char *key, const FbFlagRow *draft)
{
	Recorder	recorder = {{record_flag, record_segment}, NULL, CurrentMemoryContext};
	FbConfigOids oids;
	FbCatalog	catalog;
	FbFlagRow	row;
	bool		found;

	AcceptInvalidationMessages();
	fb_require_config_oids(&oids);
	if (!fb_catalog_open(&catalog, &oids, environment, false))
		return NULL;
	recorder.source = &catalog.loader;
	if (draft != NULL)
	{
		catalog.own_key = key;
		catalog.own_flag = draft;
		fb_check_flag(draft, &catalog.loader, FB_CHECK_ALL);
	}
	found = record_flag(&recorder.loader, key, &row);
	if (found)
	{
		MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "featbit flag closure",
												   ALLOCSET_DEFAULT_SIZES);
		MemoryContext old_context = MemoryContextSwitchTo(work);

		(void) fb_compile_flag(&row, &recorder.loader);
		MemoryContextSwitchTo(old_context);
		MemoryContextDelete(work);
	}
	fb_catalog_close(&catalog);
	return found ? write_definition(key, &recorder) : NULL;
}

/* flag_definition(flag_key, environment) → jsonb */
Datum
fb_flag_definition(PG_FUNCTION_ARGS)
{
	char	   *environment = PG_ARGISNULL(1) ? fb_environment_setting : text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *key;
	Jsonb	   *definition = NULL;

	fb_require_environment_read(environment);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	key = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (strlen(key) <= FB_MAX_KEY)
		definition = read_definition(environment, key, NULL);
	if (definition == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(definition);
}

/* draft_definition(draft, environment) → jsonb: as flag_definition, of a flag whose row is given as jsonb */
Datum
fb_draft_definition(PG_FUNCTION_ARGS)
{
	char	   *environment = PG_ARGISNULL(1) ? fb_environment_setting : text_to_cstring(PG_GETARG_TEXT_PP(1));
	FbFlagRow	draft;
	Jsonb	   *definition;

	fb_require_environment_read(environment);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	fb_flag_row_from_definition(PG_GETARG_JSONB_P(0), &draft);
	fb_check_flag(&draft, NULL, FB_CHECK_SHAPE);
	definition = read_definition(environment, draft.key, &draft);
	if (definition == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(definition);
}
