/*
 * variation_quantiles.c
 *		The type featbit.variation_quantiles: the sketches of all variations in
 *		one value, which spares the server the grouping of rows.
 *
 * While rows enter it is an expanded object with a sketch for each variation.
 * The stored form lists the variations in the order of their bytes: length
 * of the name, name, then a state of kind quantile as it is stored by itself.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/expandeddatum.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "core/fb_stats_text.h"
#include "core/fb_stats_wire.h"
#include "metrics/sketch.h"
#include "metrics/state_json.h"
#include "metrics/stats.h"
#include "pg_compat.h"

#define TYPE_NAME "featbit.variation_quantiles"
#define MAGIC 0x5173a903
#define MAX_NAME 1000

/* A variation while rows enter. */
typedef struct Entry
{
	char	   *name;
	uint32		length;
	FbSketch   *sketch;
} Entry;

/* All variations while rows enter. */
typedef struct Object
{
	ExpandedObjectHeader hdr;
	int			magic;
	uint32		count;
	uint32		room;
	uint32		last;			/* the variation of the row before */
	Entry	   *entry;
} Object;

/* The stored form; variations follow, each aligned to 8 bytes. */
typedef struct Flat
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	uint8		version;
	uint8		unused[3];		/* always zero */
	uint32		count;
	uint32		unused_2;		/* always zero */
} Flat;

#define NAME_SIZE(length) MAXALIGN(sizeof(uint32) + (Size) (length))

PG_FUNCTION_INFO_V1(fb_variation_quantiles_in);
PG_FUNCTION_INFO_V1(fb_variation_quantiles_out);
PG_FUNCTION_INFO_V1(fb_variation_quantiles_recv);
PG_FUNCTION_INFO_V1(fb_variation_quantiles_send);
PG_FUNCTION_INFO_V1(fb_variation_quantiles_accum);
PG_FUNCTION_INFO_V1(fb_variation_quantiles_accum_accuracy);
PG_FUNCTION_INFO_V1(fb_variation_quantiles_merge);
PG_FUNCTION_INFO_V1(fb_quantile_variations);

/* Orders variations by the bytes of their names. */
static int
compare_entries(const void *a, const void *b)
{
	const Entry *x = a;
	const Entry *y = b;
	int			result = memcmp(x->name, y->name, Min(x->length, y->length));

	return result != 0 ? result : (x->length > y->length) - (x->length < y->length);
}

/* Returns the size of the stored form. */
static Size
flat_size(ExpandedObjectHeader *hdr)
{
	const Object *object = (Object *) hdr;
	Size		size = sizeof(Flat);

	for (uint32 i = 0; i < object->count; i++)
		size += NAME_SIZE(object->entry[i].length) + fb_sketch_size(object->entry[i].sketch);
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the quantiles of %u variations exceed a gigabyte", object->count),
				 errhint("Give a coarser accuracy, or group by the variation and use quantile_agg.")));
	return size;
}

/* Writes the stored form. */
static void
flatten_into(ExpandedObjectHeader *hdr, void *result, Size size)
{
	Object	   *object = (Object *) hdr;
	Flat	   *flat = result;
	char	   *to = (char *) (flat + 1);
	Entry	   *sorted = palloc(sizeof(Entry) * (object->count + 1));

	memcpy(sorted, object->entry, sizeof(Entry) * object->count);
	qsort(sorted, object->count, sizeof(Entry), compare_entries);
	memset(flat, 0, sizeof(Flat));
	SET_VARSIZE(flat, size);
	flat->version = FB_VARIATION_STATS_VERSION;
	flat->count = object->count;
	for (uint32 i = 0; i < object->count; i++)
	{
		const Entry *entry = &sorted[i];
		Size		sketch_size = fb_sketch_size(entry->sketch);

		memset(to, 0, NAME_SIZE(entry->length));
		memcpy(to, &entry->length, sizeof(uint32));
		memcpy(to + sizeof(uint32), entry->name, entry->length);
		to += NAME_SIZE(entry->length);
		memset(to, 0, offsetof(FbSketchFlat, sizes));
		SET_VARSIZE(to, sketch_size);
		fb_sketch_flatten(entry->sketch, (FbSketchFlat *) to);
		to += sketch_size;
	}
	pfree(sorted);
}

static const ExpandedObjectMethods methods = {flat_size, flatten_into};

/* Makes an empty object in a memory context of its own below parent. */
static Object *
make_object(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "featbit sketches", ALLOCSET_DEFAULT_SIZES);
	Object	   *object = MemoryContextAllocZero(context, sizeof(Object));

	EOH_init_header(&object->hdr, &methods, context);
	object->magic = MAGIC;
	object->room = 4;
	object->entry = MemoryContextAlloc(context, sizeof(Entry) * object->room);
	return object;
}

/* Returns a stored form of the object. */
static Flat *
flatten(Object *object)
{
	Size		size = flat_size(&object->hdr);
	Flat	   *flat = palloc(size);

	flatten_into(&object->hdr, flat, size);
	return flat;
}

/* Returns the object behind an expanded datum. */
static Object *
object_of(Datum datum)
{
	Object	   *object = (Object *) DatumGetEOHP(datum);

	if (object->magic != MAGIC)
		elog(ERROR, "unexpected expanded object in place of sketches of variations");
	return object;
}

/* Returns the number of a variation, which is added if it is new. */
static uint32
add_variation(Object *object, const char *name, uint32 length, int wanted)
{
	FbSketchMemory memory;
	MemoryContext context = object->hdr.eoh_context;
	Entry	   *entry;

	for (uint32 i = 0; i < object->count; i++)
		if (object->entry[i].length == length && memcmp(object->entry[i].name, name, length) == 0)
			return i;
	if (length > MAX_NAME)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the name of a variation must not exceed %d bytes, but has %u", MAX_NAME, length)));
	if (object->count >= FB_MAX_VARIATIONS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d variations", FB_MAX_VARIATIONS),
				 errhint("Check that the first argument is the variation, or group by it and use quantile_agg.")));
	if (object->count == object->room)
	{
		object->room *= 2;
		object->entry = repalloc(object->entry, sizeof(Entry) * object->room);
	}
	entry = &object->entry[object->count];
	entry->name = MemoryContextAlloc(context, length + 1);
	memcpy(entry->name, name, length);
	entry->length = length;
	entry->sketch = MemoryContextAlloc(context, sizeof(FbSketch));
	fb_sketch_memory(context, &memory);
	fb_sketch_init(entry->sketch, 1, wanted, &memory);
	return object->count++;
}

/* Raises the error for a stored form that is damaged or newer. */
static void
refuse_damage(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("value of type " TYPE_NAME " is corrupt or of a newer version")));
}

/* A walk over the variations of a stored form. */
typedef struct Walk
{
	const char *at;
	const char *end;
	uint32		left;
	const char *name;
	uint32		length;
	const FbSketchFlat *sketch;
} Walk;

/* Begins a walk over a detoasted stored form. */
static void
begin_walk(const Flat *flat, Walk *walk)
{
	if (VARSIZE(flat) < sizeof(Flat) || flat->version != FB_VARIATION_STATS_VERSION || flat->count > FB_MAX_VARIATIONS)
		refuse_damage();
	walk->at = (const char *) (flat + 1);
	walk->end = (const char *) flat + VARSIZE(flat);
	walk->left = flat->count;
}

/* Goes to the next variation; returns false behind the last one. */
static bool
next_variation(Walk *walk)
{
	if (walk->left == 0)
	{
		if (walk->at != walk->end)
			refuse_damage();
		return false;
	}
	if (walk->end - walk->at < sizeof(uint32))
		refuse_damage();
	memcpy(&walk->length, walk->at, sizeof(uint32));
	if (walk->length > MAX_NAME || walk->end - walk->at < NAME_SIZE(walk->length) + FB_SKETCH_SIZE(1, 0))
		refuse_damage();
	walk->name = walk->at + sizeof(uint32);
	walk->at += NAME_SIZE(walk->length);
	walk->sketch = (const FbSketchFlat *) walk->at;
	if (VARATT_IS_EXTENDED(walk->sketch) || VARSIZE(walk->sketch) > walk->end - walk->at ||
		fb_sketch_check(walk->sketch, VARSIZE(walk->sketch)) != NULL || walk->sketch->groups != 1)
		refuse_damage();
	walk->at += VARSIZE(walk->sketch);
	walk->left--;
	return true;
}

/* Merges a stored form into an object. */
static void
merge_flat(Object *object, const Flat *flat)
{
	Walk		walk;

	begin_walk(flat, &walk);
	while (next_variation(&walk))
	{
		uint32		place = add_variation(object, walk.name, walk.length, walk.sketch->wanted);

		if (fb_sketch_merge(object->entry[place].sketch, walk.sketch) != FB_MERGE_OK)
			fb_stats_overflow();
	}
}

/* Merges an object into another. */
static void
merge_object(Object *object, const Object *from)
{
	for (uint32 i = 0; i < from->count; i++)
	{
		const Entry *entry = &from->entry[i];
		uint32		place = add_variation(object, entry->name, entry->length, entry->sketch->wanted);

		if (fb_sketch_merge_sketch(object->entry[place].sketch, entry->sketch) != FB_MERGE_OK)
			fb_stats_overflow();
	}
}

/* Merges a datum into an object. */
static void
merge_datum(Object *object, Datum datum)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		merge_object(object, object_of(datum));
	else
	{
		Flat	   *flat = (Flat *) PG_DETOAST_DATUM(datum);

		merge_flat(object, flat);
		if ((Pointer) flat != DatumGetPointer(datum))
			pfree(flat);
	}
}

/* Returns argument 0 as an object that may be changed: the aggregate's own, or a copy; an empty one for NULL. */
static Object *
updatable(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	Object	   *object;
	bool		aggregate = AggCheckCallContext(fcinfo, &context) != 0;

	if (aggregate && likely(!PG_ARGISNULL(0)) && likely(VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(PG_GETARG_DATUM(0)))))
		return object_of(PG_GETARG_DATUM(0));
	object = make_object(aggregate ? context : CurrentMemoryContext);
	if (!PG_ARGISNULL(0))
		merge_datum(object, PG_GETARG_DATUM(0));
	return object;
}

/* Adds a value of a variation, or counts it as bad. */
static Datum
add_value(Object *object, const text *variation, double y, int wanted)
{
	const char *name = VARDATA_ANY(variation);
	uint32		length = VARSIZE_ANY_EXHDR(variation);
	FbSketch   *sketch;

	if (unlikely(object->last >= object->count) || object->entry[object->last].length != length ||
		memcmp(object->entry[object->last].name, name, length) != 0)
		object->last = add_variation(object, name, length, wanted);
	sketch = object->entry[object->last].sketch;
	if (unlikely(sketch->wanted != wanted))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("accuracy must be the same for all rows of a sketch")));
	if (unlikely(!fb_stats_usable(y)))
		sketch->n_bad++;
	else
		fb_sketch_add(sketch, 0, y);
	return EOHPGetRWDatum(&object->hdr);
}

/* variation_quantiles_accum(state, variation text, y float8): transition of quantiles_by_variation(variation, y) */
Datum
fb_variation_quantiles_accum(PG_FUNCTION_ARGS)
{
	return add_value(updatable(fcinfo), PG_GETARG_TEXT_PP(1), PG_GETARG_FLOAT8(2), FB_SKETCH_DEFAULT_BITS);
}

/* variation_quantiles_accum(state, variation text, y float8, accuracy float8) */
Datum
fb_variation_quantiles_accum_accuracy(PG_FUNCTION_ARGS)
{
	int			bits = fb_sketch_bits(fb_get_accuracy(fcinfo, 3));
	Object	   *object = updatable(fcinfo);

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return EOHPGetRWDatum(&object->hdr);
	return add_value(object, PG_GETARG_TEXT_PP(1), PG_GETARG_FLOAT8(2), bits);
}

/* variation_quantiles_merge(state, state) returns variation_quantiles */
Datum
fb_variation_quantiles_merge(PG_FUNCTION_ARGS)
{
	Object	   *object = updatable(fcinfo);

	merge_datum(object, PG_GETARG_DATUM(1));
	return EOHPGetRWDatum(&object->hdr);
}

/* What variations(variation_quantiles) keeps between rows. */
typedef struct Listing
{
	Flat	   *flat;
	Walk		walk;
} Listing;

/* variations(state variation_quantiles) returns setof (variation text, state stats) */
Datum
fb_quantile_variations(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	Listing    *listing;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		context = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		if (get_call_result_type(fcinfo, NULL, &context->tuple_desc) != TYPEFUNC_COMPOSITE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("function returning record called in context that cannot accept type record")));
		context->tuple_desc = BlessTupleDesc(context->tuple_desc);
		listing = palloc(sizeof(Listing));
		listing->flat = (Flat *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(0));
		begin_walk(listing->flat, &listing->walk);
		context->user_fctx = listing;
		MemoryContextSwitchTo(old);
	}
	context = SRF_PERCALL_SETUP();
	listing = context->user_fctx;
	if (next_variation(&listing->walk))
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};

		values[0] = PointerGetDatum(cstring_to_text_with_len(listing->walk.name, listing->walk.length));
		values[1] = PointerGetDatum(listing->walk.sketch);
		SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
	}
	SRF_RETURN_DONE(context);
}

/* variation_quantiles_out(variation_quantiles) returns cstring */
Datum
fb_variation_quantiles_out(PG_FUNCTION_ARGS)
{
	Walk		walk;
	StringInfoData out;
	const char *comma = "";

	begin_walk((Flat *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0)), &walk);
	initStringInfo(&out);
	appendStringInfo(&out, "{\"version\": %d, \"variations\": {", FB_VARIATION_STATS_VERSION);
	for (; next_variation(&walk); comma = ", ")
	{
		appendStringInfoString(&out, comma);
		escape_json(&out, pnstrdup(walk.name, walk.length));
		appendStringInfo(&out, ": %s", DatumGetCString(DirectFunctionCall1(fb_stats_out, PointerGetDatum(walk.sketch))));
	}
	appendStringInfoString(&out, "}}");
	PG_RETURN_CSTRING(out.data);
}

/* variation_quantiles_in(cstring) returns variation_quantiles */
Datum
fb_variation_quantiles_in(PG_FUNCTION_ARGS)
{
	FbStateJson json;
	Object	   *object = make_object(CurrentMemoryContext);
	JsonbValue *variations;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;

	fb_state_json_open(&json, TYPE_NAME, PG_GETARG_CSTRING(0));
	variations = fb_state_json_member(&json, "variations", jbvObject, true);
	fb_state_json_close(&json);
	iterator = JsonbIteratorInit(variations->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		FbLargeText found;
		FbSketchFlat *flat;
		const char *detail;
		const char *name = element.val.string.val;
		int			length = element.val.string.len;
		char	   *text;
		uint32		place;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&iterator, &element, true);
		if (element.type != jbvBinary || !JsonContainerIsObject(element.val.binary.data))
			fb_state_json_fail(&json, "The state of a variation must be an object.");
		text = JsonbToCString(NULL, element.val.binary.data, element.val.binary.len);
		detail = NULL;
		if (fb_large_recognise(text) && !fb_large_parse(text, &found, &detail))
			fb_state_json_fail(&json, detail);
		if (!fb_large_recognise(text) || found.kind != FB_STATS_QUANTILE || found.groups != 1)
			fb_state_json_fail(&json, "The states of all variations must be of kind quantile, of rows.");
		flat = palloc0(found.size);
		SET_VARSIZE(flat, found.size);
		if ((detail = fb_large_fill(&found, (FbStats *) flat)) != NULL)
			fb_state_json_fail(&json, detail);
		place = add_variation(object, name, length, flat->wanted);
		if (fb_sketch_merge(object->entry[place].sketch, flat) != FB_MERGE_OK)
			fb_stats_overflow();
	}
	PG_RETURN_POINTER(flatten(object));
}

/* variation_quantiles_send(variation_quantiles) returns bytea */
Datum
fb_variation_quantiles_send(PG_FUNCTION_ARGS)
{
	Flat	   *flat = (Flat *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
	Walk		walk;
	StringInfoData out;

	begin_walk(flat, &walk);
	pq_begintypsend(&out);
	pq_sendint8(&out, flat->version);
	pq_sendint32(&out, flat->count);
	while (next_variation(&walk))
	{
		bytea	   *sketch = DatumGetByteaPP(DirectFunctionCall1(fb_stats_send, PointerGetDatum(walk.sketch)));

		fb_state_send_name(&out, walk.name, walk.length);
		pq_sendint32(&out, VARSIZE_ANY_EXHDR(sketch));
		pq_sendbytes(&out, VARDATA_ANY(sketch), VARSIZE_ANY_EXHDR(sketch));
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Raises the error for a malformed binary value. */
static void
bad_binary(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary representation of type " TYPE_NAME),
			 errdetail("%s", detail)));
}

/* variation_quantiles_recv(internal) returns variation_quantiles */
Datum
fb_variation_quantiles_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	Object	   *object = make_object(CurrentMemoryContext);
	const char *detail = fb_variation_quantiles_wire_check((unsigned char *) in->data + in->cursor, in->len - in->cursor);
	uint32		count;

	if (detail)
		bad_binary(detail);
	(void) pq_getmsgbyte(in);
	count = pq_getmsgint(in, 4);
	for (uint32 i = 0; i < count; i++)
	{
		int			raw = pq_getmsgint(in, 4);
		int			length,
					size;
		char	   *name;
		StringInfoData part;
		FbSketchFlat *flat;

		name = pq_getmsgtext(in, raw, &length);
		size = pq_getmsgint(in, 4);
		initStringInfo(&part);
		appendBinaryStringInfo(&part, pq_getmsgbytes(in, size), size);
		flat = (FbSketchFlat *) DatumGetPointer(DirectFunctionCall1(fb_stats_recv, PointerGetDatum(&part)));
		if (add_variation(object, name, length, flat->wanted) != i)
			bad_binary("A variation occurs twice.");
		if (fb_sketch_merge(object->entry[i].sketch, flat) != FB_MERGE_OK)
			fb_stats_overflow();
	}
	PG_RETURN_POINTER(flatten(object));
}
