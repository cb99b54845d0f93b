/*
 * sketch.c
 *		The aggregates quantile_agg and cluster_quantile_agg.
 *
 * While rows enter, a state of kind quantile is an expanded object with hash
 * tables of buckets; elsewhere it is the flat value of fb_sketch.h. An
 * aggregate changes its own object in place; called directly, a transition
 * works on a copy.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#include "metrics/sketch.h"
#include "metrics/stats.h"
#include "pg_compat.h"

#define SKETCH_MAGIC 0x5173a902

PG_FUNCTION_INFO_V1(fb_quantile_accum);
PG_FUNCTION_INFO_V1(fb_quantile_accum_accuracy);
PG_FUNCTION_INFO_V1(fb_quantile_accum_text);
PG_FUNCTION_INFO_V1(fb_quantile_accum_int8);
PG_FUNCTION_INFO_V1(fb_quantile_accum_uuid);

/* A sketch while it is built. */
typedef struct SketchObject
{
	ExpandedObjectHeader hdr;
	int			magic;
	FbSketch	sketch;
} SketchObject;

/* Allocates in the current memory context. */
static void *
palloc_current(void *arg, size_t size)
{
	return palloc_extended(size, MCXT_ALLOC_HUGE);
}

/* Frees what any memory context gave. */
static void
release(void *arg, void *memory)
{
	pfree(memory);
}

const FbSketchMemory fb_palloc_memory = {palloc_current, release, NULL};

/* Allocates in the memory context of a sketch. */
static void *
alloc_in_context(void *arg, size_t size)
{
	return MemoryContextAllocHuge((MemoryContext) arg, size);
}

/* Lets sketches take their memory from a context. */
void
fb_sketch_memory(MemoryContext context, FbSketchMemory *memory)
{
	memory->alloc = alloc_in_context;
	memory->release = release;
	memory->arg = context;
}

/* Returns the size of the flat value of a sketch. */
static Size
flat_size(ExpandedObjectHeader *hdr)
{
	return fb_sketch_size(&((SketchObject *) hdr)->sketch);
}

/* Writes the flat value of a sketch. */
static void
flatten_into(ExpandedObjectHeader *hdr, void *result, Size size)
{
	FbSketchFlat *flat = result;

	memset(flat, 0, offsetof(FbSketchFlat, sizes));
	SET_VARSIZE(flat, size);
	fb_sketch_flatten(&((SketchObject *) hdr)->sketch, flat);
}

static const ExpandedObjectMethods sketch_methods = {flat_size, flatten_into};

/* Makes an empty sketch in a memory context of its own below parent. */
static SketchObject *
make_object(MemoryContext parent, int groups, int wanted)
{
	MemoryContext context = AllocSetContextCreate(parent, "featbit sketch", ALLOCSET_SMALL_SIZES);
	SketchObject *object = MemoryContextAlloc(context, sizeof(SketchObject));
	FbSketchMemory memory;

	fb_sketch_memory(context, &memory);
	EOH_init_header(&object->hdr, &sketch_methods, context);
	object->magic = SKETCH_MAGIC;
	fb_sketch_init(&object->sketch, groups, wanted, &memory);
	return object;
}

/* Returns the sketch behind an expanded datum. */
static SketchObject *
object_of(Datum datum)
{
	SketchObject *object = (SketchObject *) DatumGetEOHP(datum);

	if (object->magic != SKETCH_MAGIC)
		elog(ERROR, "unexpected expanded object in place of a sketch");
	return object;
}

/* Raises the error for a merge that cannot be. */
static void
refuse_merge(FbMergeResult result)
{
	if (result == FB_MERGE_KIND)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot merge a sketch of rows with a sketch of units"),
				 errhint("Build both with quantile_agg, or both with cluster_quantile_agg.")));
	if (result != FB_MERGE_OK)
		fb_stats_overflow();
}

/* Tells whether a datum of type featbit.stats is a sketch, expanded or flat. */
bool
fb_sketch_datum(Datum datum)
{
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
		return true;
	if (VARATT_IS_EXTENDED(DatumGetPointer(datum)))
		datum = PointerGetDatum(PG_DETOAST_DATUM_SLICE(datum, 0, sizeof(FbStats) - VARHDRSZ));
	return VARSIZE_ANY(DatumGetPointer(datum)) >= offsetof(FbStats, flags) &&
		((FbStats *) DatumGetPointer(datum))->kind == FB_STATS_QUANTILE;
}

/* Returns argument 0 as a sketch that may be changed: the aggregate's own, or a copy. */
static SketchObject *
updatable(FunctionCallInfo fcinfo)
{
	Datum		datum = PG_GETARG_DATUM(0);
	MemoryContext context;
	SketchObject *object;

	if (AggCheckCallContext(fcinfo, &context))
	{
		if (likely(VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum))))
			return object_of(datum);
	}
	else
		context = CurrentMemoryContext;
	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
	{
		SketchObject *from = object_of(datum);

		object = make_object(context, from->sketch.groups, from->sketch.wanted);
		refuse_merge(fb_sketch_merge_sketch(&object->sketch, &from->sketch));
	}
	else
	{
		FbStats    *flat = fb_stats_from_datum(datum);

		if (flat->kind != FB_STATS_QUANTILE)
			fb_stats_wrong_kind(flat, FB_STATS_QUANTILE);
		object = make_object(context, ((FbSketchFlat *) flat)->groups, ((FbSketchFlat *) flat)->wanted);
		refuse_merge(fb_sketch_merge(&object->sketch, (FbSketchFlat *) flat));
		if ((Pointer) flat != DatumGetPointer(datum))
			pfree(flat);
	}
	return object;
}

/* Merges argument 1 into argument 0; both are sketches. */
Datum
fb_sketch_merge_datum(FunctionCallInfo fcinfo)
{
	SketchObject *object = updatable(fcinfo);
	Datum		other = PG_GETARG_DATUM(1);

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(other)))
		refuse_merge(fb_sketch_merge_sketch(&object->sketch, &object_of(other)->sketch));
	else
	{
		FbStats    *flat = fb_stats_from_datum(other);

		refuse_merge(fb_sketch_merge(&object->sketch, (FbSketchFlat *) flat));
		if ((Pointer) flat != DatumGetPointer(other))
			pfree(flat);
	}
	return EOHPGetRWDatum(&object->hdr);
}

/* Adds units with the value zero to a copy of a sketch of rows. */
Datum
fb_sketch_with_zeros(FbStats *state, int64 zeros)
{
	FbSketchFlat *flat = (FbSketchFlat *) state;
	SketchObject *object;
	Size		size;
	void	   *result;

	if (flat->groups != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot add units without rows to a sketch of units")));
	if (zeros > FB_STATS_MAX_N - flat->n)
		fb_stats_overflow();
	object = make_object(CurrentMemoryContext, 1, flat->wanted);
	refuse_merge(fb_sketch_merge(&object->sketch, flat));
	if (zeros > 0)
	{
		object->sketch.n += zeros;
		object->sketch.min = Min(object->sketch.min, 0.0);
		object->sketch.max = Max(object->sketch.max, 0.0);
		fb_sketch_insert(&object->sketch, 0, 0, zeros);
	}
	size = flat_size(&object->hdr);
	result = palloc(size);
	flatten_into(&object->hdr, result, size);
	MemoryContextDelete(object->hdr.eoh_context);
	return PointerGetDatum(result);
}

/* Adds a value of a group, or counts it as bad. */
static inline Datum
add_value(SketchObject *object, int group, double y)
{
	if (unlikely(!fb_stats_usable(y)))
		object->sketch.n_bad++;
	else
		fb_sketch_add(&object->sketch, group, y);
	return EOHPGetRWDatum(&object->hdr);
}

/* Raises the error for rows that do not belong into the same sketch. */
static void
refuse_groups(int groups)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 groups == 1 ? errmsg("cannot add a unit to a sketch of rows") :
			 errmsg("cannot add a row without its unit to a sketch of units")));
}

/* quantile_accum(state, y float8): transition of quantile_agg(y) */
Datum
fb_quantile_accum(PG_FUNCTION_ARGS)
{
	SketchObject *object = updatable(fcinfo);

	if (unlikely(object->sketch.groups != 1))
		refuse_groups(object->sketch.groups);
	return add_value(object, 0, PG_GETARG_FLOAT8(1));
}

/* Reads the largest relative error of a quantile. */
double
fb_get_accuracy(FunctionCallInfo fcinfo, int argument)
{
	double		accuracy;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("accuracy must not be null")));
	accuracy = PG_GETARG_FLOAT8(argument);
	if (unlikely(!(accuracy >= 1e-6 && accuracy <= 0.5)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("accuracy must be between 1e-6 and 0.5, not %g", accuracy),
				 errhint("accuracy is the largest relative error of a quantile: 0.001 is a tenth of a percent.")));
	return accuracy;
}

/* quantile_accum(state, y float8, accuracy float8): transition of quantile_agg(y, accuracy) */
Datum
fb_quantile_accum_accuracy(PG_FUNCTION_ARGS)
{
	SketchObject *object;
	int			bits = fb_sketch_bits(fb_get_accuracy(fcinfo, 2));

	if (PG_ARGISNULL(0))
	{
		MemoryContext context;

		if (!AggCheckCallContext(fcinfo, &context))
			context = CurrentMemoryContext;
		object = make_object(context, 1, bits);
	}
	else
		object = updatable(fcinfo);
	if (unlikely(object->sketch.groups != 1))
		refuse_groups(object->sketch.groups);
	if (unlikely(object->sketch.wanted != bits))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("accuracy must be the same for all rows of a sketch")));
	if (PG_ARGISNULL(1))
		return EOHPGetRWDatum(&object->hdr);
	return add_value(object, 0, PG_GETARG_FLOAT8(1));
}

/* Adds a row of a unit. */
static Datum
add_of_unit(FunctionCallInfo fcinfo, uint64 hash)
{
	SketchObject *object = updatable(fcinfo);

	if (unlikely(object->sketch.groups == 1))
		refuse_groups(object->sketch.groups);
	return add_value(object, (int) (hash >> 58), PG_GETARG_FLOAT8(2));
}

/* cluster_quantile_accum(state, unit text, y float8): transition of cluster_quantile_agg(unit, y) */
Datum
fb_quantile_accum_text(PG_FUNCTION_ARGS)
{
	return add_of_unit(fcinfo, fb_unit_hash_text(PG_GETARG_DATUM(1)));
}

/* cluster_quantile_accum(state, unit bigint, y float8) */
Datum
fb_quantile_accum_int8(PG_FUNCTION_ARGS)
{
	return add_of_unit(fcinfo, fb_unit_hash_int8(PG_GETARG_DATUM(1)));
}

/* cluster_quantile_accum(state, unit uuid, y float8) */
Datum
fb_quantile_accum_uuid(PG_FUNCTION_ARGS)
{
	return add_of_unit(fcinfo, fb_unit_hash_uuid(PG_GETARG_DATUM(1)));
}
