/*
 * assign.c
 *		assign and assign_variation: evaluate a flag that is given as a value.
 *
 * The compiler and the evaluator are those of stored flags; only the rows come
 * out of the definition.  A call site keeps the definitions it has compiled,
 * found again by their bytes.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/fb_flag.h"
#include "core/fb_hash.h"
#include "fb_suggest.h"
#include "flags/compile.h"
#include "flags/evaluation.h"
#include "flags/portable.h"
#include "pg_compat.h"

#define KEPT_DEFINITIONS 64		/* compiled definitions of one call site */

/* A definition, compiled. */
typedef struct Compiled
{
	FbCompiled	compiled;
	MemoryContext context;		/* holds all of this */
	uint64		hash;
	Jsonb	   *definition;		/* copy, for comparison */
} Compiled;

typedef struct AssignSite
{
	MemoryContext context;
	Compiled   *last;			/* used in the call before */
	int			count;
	int			oldest;			/* to be replaced next */
	Compiled   *kept[KEPT_DEFINITIONS];
} AssignSite;

/* A loader that finds rows in a definition. */
typedef struct DefinitionLoader
{
	FbLoader	loader;			/* first: the compiler gets a pointer to it */
	FbReader	reader;			/* strict */
	FbPlace		flags_place;
	FbPlace		segments_place;
	JsonbContainer *flags;
	JsonbContainer *segments;	/* NULL: none */
} DefinitionLoader;

/* Reads a text member; NULL when it is not there. */
static char *
read_text(FbReader *reader, const FbPlace *parent, const FbField *field)
{
	FbPlace		place = {parent, field->name, 0};
	FbString	string;

	if (!field->present)
		return NULL;
	(void) fb_read_string(reader, &place, &field->value, &string);
	return fb_cstring(string);
}

/* Reads a boolean member. */
static bool
read_boolean(FbReader *reader, const FbPlace *parent, const FbField *field, bool value_if_missing)
{
	FbPlace		place = {parent, field->name, 0};

	if (!field->present)
		return value_if_missing;
	if (field->value.type != jbvBool)
		(void) fb_wrong_type(reader, &place, "true or false", &field->value);
	return field->value.val.boolean;
}

/* Reads a whole number; 0 when it is not there. */
static int64
read_integer(FbReader *reader, const FbPlace *parent, const FbField *field, int64 maximum)
{
	FbPlace		place = {parent, field->name, 0};
	int64		number = 0;

	if (field->present)
		(void) fb_read_decimal(reader, &place, &field->value, 0, maximum,
							   psprintf("an integer from 0 to " INT64_FORMAT, maximum), &number);
	return number;
}

/* Reads a member that stays JSON; NULL when it is not there. */
static Jsonb *
read_json(FbField *field)
{
	return field->present ? JsonbValueToJsonb(&field->value) : NULL;
}

/*
 * Reads a list of users; 0 when it is not there.  An array inside it stands for an array of several dimensions, which
 * is as wrong here as it is in a row.
 */
static Datum
read_users(FbReader *reader, const FbPlace *parent, const FbField *field)
{
	FbPlace		place = {parent, field->name, 0};
	FbElements	elements;
	JsonbValue	item;
	Datum	   *users;
	bool	   *nulls;
	int			dimensions = 1;
	int			lengths[2] = {0, 1};
	int			bounds[2] = {1, 1};

	if (!field->present)
		return (Datum) 0;
	(void) fb_open_array(reader, &place, &field->value, &elements);
	users = palloc0(sizeof(Datum) * (elements.count + 1));
	nulls = palloc0(sizeof(bool) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};
		FbString	user;

		if (item.type == jbvBinary && JsonContainerIsArray(item.val.binary.data))
			dimensions = 2;
		nulls[elements.position] = item.type == jbvNull || dimensions == 2;
		if (nulls[elements.position])
			continue;
		(void) fb_read_string(reader, &element, &item, &user);
		users[elements.position] = PointerGetDatum(cstring_to_text_with_len(user.data, user.length));
	}
	lengths[0] = elements.count;
	return PointerGetDatum(construct_md_array(users, nulls, dimensions, lengths, bounds, TEXTOID, -1, false,
											  TYPALIGN_INT));
}

/* Finds a member of an object by its name; NULL when there is none. */
static JsonbValue *
find_member(JsonbContainer *object, const char *name)
{
	return object == NULL ? NULL : getKeyJsonValueFromContainer(object, name, strlen(name), NULL);
}

/* FbLoader: finds a flag in the definition. */
static bool
load_flag(FbLoader *loader, const char *key, FbFlagRow *row)
{
	DefinitionLoader *source = (DefinitionLoader *) loader;
	FbReader   *reader = &source->reader;
	FbPlace		place = {&source->flags_place, key, 0};
	FbField		fields[FB_PORTABLE_FLAG_FIELDS];
	JsonbValue *value = find_member(source->flags, key);

	if (value == NULL)
		return false;
	memcpy(fields, fb_portable_flag_fields, sizeof(fields));
	(void) fb_read_object(reader, &place, value, fields, FB_PORTABLE_FLAG_FIELDS);
	row->key = pstrdup(key);
	row->type = read_text(reader, &place, &fields[FB_PORTABLE_FLAG_TYPE]);
	row->semantics = fields[FB_PORTABLE_FLAG_SEMANTICS].present ?
		read_text(reader, &place, &fields[FB_PORTABLE_FLAG_SEMANTICS]) : pstrdup("native");
	row->salt = read_text(reader, &place, &fields[FB_PORTABLE_FLAG_SALT]);
	row->off_variation = read_text(reader, &place, &fields[FB_PORTABLE_FLAG_OFF_VARIATION]);
	row->enabled = read_boolean(reader, &place, &fields[FB_PORTABLE_FLAG_ENABLED], true);
	row->archived = read_boolean(reader, &place, &fields[FB_PORTABLE_FLAG_ARCHIVED], false);
	row->revision = read_integer(reader, &place, &fields[FB_PORTABLE_FLAG_REVISION], PG_INT64_MAX / 10);
	row->iteration = (int32) read_integer(reader, &place, &fields[FB_PORTABLE_FLAG_ITERATION], PG_INT32_MAX);
	row->variations = read_json(&fields[FB_PORTABLE_FLAG_VARIATIONS]);
	row->prerequisites = read_json(&fields[FB_PORTABLE_FLAG_PREREQUISITES]);
	row->targets = read_json(&fields[FB_PORTABLE_FLAG_TARGETS]);
	row->rules = read_json(&fields[FB_PORTABLE_FLAG_RULES]);
	row->fallthrough = read_json(&fields[FB_PORTABLE_FLAG_FALLTHROUGH]);
	row->source = read_json(&fields[FB_PORTABLE_FLAG_SOURCE]);
	return true;
}

/* FbLoader: finds a segment in the definition. */
static bool
load_segment(FbLoader *loader, const char *key, FbSegmentRow *row)
{
	DefinitionLoader *source = (DefinitionLoader *) loader;
	FbReader   *reader = &source->reader;
	FbPlace		place = {&source->segments_place, key, 0};
	FbField		fields[FB_PORTABLE_SEGMENT_FIELDS];
	JsonbValue *value = find_member(source->segments, key);

	if (value == NULL)
		return false;
	memcpy(fields, fb_portable_segment_fields, sizeof(fields));
	(void) fb_read_object(reader, &place, value, fields, FB_PORTABLE_SEGMENT_FIELDS);
	row->key = pstrdup(key);
	row->included = read_users(reader, &place, &fields[FB_PORTABLE_SEGMENT_INCLUDED]);
	row->excluded = read_users(reader, &place, &fields[FB_PORTABLE_SEGMENT_EXCLUDED]);
	row->condition = read_json(&fields[FB_PORTABLE_SEGMENT_CONDITION]);
	row->semantics = read_text(reader, &place, &fields[FB_PORTABLE_SEGMENT_SEMANTICS]);
	row->archived = read_boolean(reader, &place, &fields[FB_PORTABLE_SEGMENT_ARCHIVED], false);
	row->source = read_json(&fields[FB_PORTABLE_SEGMENT_SOURCE]);
	return true;
}

/* Returns the container of a member that must be an object. */
static JsonbContainer *
read_members(FbReader *reader, const FbPlace *place, const FbField *field)
{
	if (!field->present)
		return NULL;
	if (field->value.type != jbvBinary || !JsonContainerIsObject(field->value.val.binary.data))
		(void) fb_wrong_type(reader, place, "an object", &field->value);
	return field->value.val.binary.data;
}

/* Raises the error of a definition that lacks the flag it is of. */
static void
report_no_flag(const DefinitionLoader *loader, const char *key)
{
	JsonbIterator *iterator = JsonbIteratorInit(loader->flags);
	JsonbIteratorToken token;
	JsonbValue	item;
	FbSuggestion suggestion;

	fb_suggest_start(&suggestion, key);
	(void) JsonbIteratorNext(&iterator, &item, false);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_END_OBJECT)
		if (token == WJB_KEY)
			fb_suggest_offer(&suggestion, pnstrdup(item.val.string.val, item.val.string.len));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("definition.flags has no flag \"%s\", which definition.flag names", key),
			 errhint("%s", fb_suggest_hint(&suggestion, "flag_definition writes complete definitions."))));
}

/*
 * Compiles a definition into the current memory context.  Raises 22023 for what is no definition; what is wrong
 * inside the parts of a flag becomes an outcome, as it does when the flag is stored.
 */
static void
compile_definition(Jsonb *definition, FbCompiled *compiled)
{
	MemoryContext keep = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(keep, "featbit definition", ALLOCSET_DEFAULT_SIZES);
	FbArena		arena = {work};
	FbPlace		root_place = {NULL, "definition", 0};
	FbPlace		format_place = {&root_place, "format", 0};
	FbPlace		flag_place = {&root_place, "flag", 0};
	DefinitionLoader loader = {
		.loader = {load_flag, load_segment},
		.reader = {.strict = true,.arena = &arena},
		.flags_place = {&root_place, "flags", 0},
		.segments_place = {&root_place, "segments", 0}
	};
	FbField		fields[FB_PORTABLE_FIELDS];
	JsonbValue	root;
	FbString	key;
	FbFlagRow	row;
	int64		format;

	MemoryContextSwitchTo(work);
	memcpy(fields, fb_portable_fields, sizeof(fields));
	fb_json_root(definition, &root);
	(void) fb_read_object(&loader.reader, &root_place, &root, fields, FB_PORTABLE_FIELDS);
	(void) fb_read_decimal(&loader.reader, &format_place, &fields[FB_PORTABLE_FORMAT_FIELD].value, 0, PG_INT32_MAX,
						   "a whole number", &format);
	if (format != FB_PORTABLE_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("definition has format " INT64_FORMAT ", but this version reads format %d", format,
						FB_PORTABLE_FORMAT),
				 errhint("Use the flag_definition of the same version.")));
	(void) fb_read_string(&loader.reader, &flag_place, &fields[FB_PORTABLE_FLAG].value, &key);
	loader.flags = read_members(&loader.reader, &loader.flags_place, &fields[FB_PORTABLE_FLAGS]);
	loader.segments = read_members(&loader.reader, &loader.segments_place, &fields[FB_PORTABLE_SEGMENTS]);
	if (!load_flag(&loader.loader, fb_cstring(key), &row))
		report_no_flag(&loader, fb_cstring(key));
	compiled->key = MemoryContextStrdup(keep, row.key);
	if (row.archived)
		compiled->error = FB_ERROR_FLAG_NOT_FOUND;
	else
	{
		MemoryContextSwitchTo(keep);
		compiled->flag = fb_compile_flag(&row, &loader.loader);
	}
	MemoryContextSwitchTo(keep);
	MemoryContextDelete(work);
}

/* Returns what this call remembers, making it in the first call. */
static AssignSite *
assign_site(FunctionCallInfo fcinfo)
{
	AssignSite *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(AssignSite));
		site->context = fcinfo->flinfo->fn_mcxt;
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/* Tells whether two definitions have the same bytes. */
static inline bool
same_definition(const Jsonb *a, const Jsonb *b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

/* Makes room for one more definition; that of the call before stays, because its value may still be in use. */
static int
free_slot(AssignSite *site)
{
	int			slot;

	if (site->count < KEPT_DEFINITIONS)
		return site->count;
	if (site->kept[site->oldest] == site->last)
		site->oldest = (site->oldest + 1) % KEPT_DEFINITIONS;
	slot = site->oldest;
	site->oldest = (site->oldest + 1) % KEPT_DEFINITIONS;
	return slot;
}

/* Compiles a definition that the call site does not have. */
static Compiled *
add_definition(AssignSite *site, Jsonb *definition, uint64 hash)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "featbit definition",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Compiled   *compiled = palloc0(sizeof(Compiled));
	int			slot;

	compiled->context = context;
	compiled->hash = hash;
	compiled->definition = palloc(VARSIZE(definition));
	memcpy(compiled->definition, definition, VARSIZE(definition));
	compile_definition(compiled->definition, &compiled->compiled);
	MemoryContextSwitchTo(old_context);
	slot = free_slot(site);
	if (slot < site->count)
		MemoryContextDelete(site->kept[slot]->context);
	else
		site->count++;
	MemoryContextSetParent(context, site->context);
	site->kept[slot] = compiled;
	return compiled;
}

/* Returns the compiled definition, compiling it when this call site has not seen it lately. */
static const FbCompiled *
find_definition(AssignSite *site, Jsonb *definition)
{
	uint64		hash;

	if (likely(site->last != NULL && same_definition(site->last->definition, definition)))
		return &site->last->compiled;
	hash = fb_hash_key((const char *) definition, VARSIZE(definition), 0);
	for (int i = 0; i < site->count; i++)
		if (site->kept[i]->hash == hash && same_definition(site->kept[i]->definition, definition))
		{
			site->last = site->kept[i];
			return &site->last->compiled;
		}
	site->last = add_definition(site, definition, hash);
	return &site->last->compiled;
}

/* Returns the time of the evaluation; NULL is right for a definition that does not depend on it. */
static int64
evaluation_time(FunctionCallInfo fcinfo, const FbCompiled *compiled)
{
	TimestampTz at;

	if (PG_ARGISNULL(3))
	{
		if (compiled->flag != NULL && compiled->flag->uses_time)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the definition of flag \"%s\" depends on the time, but at is null", compiled->key),
					 errhint("Pass the time to evaluate for, such as statement_timestamp().")));
		return 0;
	}
	at = PG_GETARG_TIMESTAMPTZ(3);
	/* the end of time is still before the end of what has no end */
	if (TIMESTAMP_IS_NOEND(at))
		return PG_INT64_MAX - 1;
	return at;
}

/* Evaluates with the arguments (definition, user_key, context, at). */
static const FbVariation *
evaluate(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbCompiled *compiled;
	char		key_buffer[40];
	FbString	user_key;
	FbOutcome	outcome;
	int64		now;

	if (PG_ARGISNULL(0))
		return NULL;
	compiled = find_definition(assign_site(fcinfo), PG_GETARG_JSONB_P(0));
	now = evaluation_time(fcinfo, compiled);
	if (!PG_ARGISNULL(1))
		user_key = fb_user_key(PG_GETARG_DATUM(1), key_type, key_buffer);
	fb_evaluate_compiled(compiled, NULL, PG_ARGISNULL(1) ? NULL : &user_key, fcinfo->args[2], now, NULL, &outcome);
	return outcome.variation;
}

/* Returns the value of the variation as text. */
static Datum
assign(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbVariation *variation = evaluate(fcinfo, key_type);

	if (variation == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(variation->value_text);
}

/* Returns the key of the variation. */
static Datum
assign_variation(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbVariation *variation = evaluate(fcinfo, key_type);

	if (variation == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(variation->key_datum);
}

FB_USER_KEY_FUNCTIONS(assign)
FB_USER_KEY_FUNCTIONS(assign_variation)
