/*
 * units.c
 *		What the aggregates over units share: memory, keys, expanded results.
 */
#include "postgres.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "metrics/units.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_unit_partition_bigint);
PG_FUNCTION_INFO_V1(fb_unit_partition_uuid);
PG_FUNCTION_INFO_V1(fb_unit_partition_text);

/* Memory from this size on is worth a large page where the system has them. */
#define LARGE_BYTES (4 * 1024 * 1024)
#define LARGE_PAGE (2 * 1024 * 1024)

/* Returns the memory that a state may take while it grows. */
Size
fb_unit_limit(void)
{
	double		limit = (double) work_mem * 1024.0 * hash_mem_multiplier;

	return (Size) Min(limit, (double) (SIZE_MAX / 2));
}

/* Starts to count memory in a context. */
void
fb_unit_memory_init(FbUnitMemory *memory, MemoryContext context, const char *what, bool limited)
{
	memory->context = context;
	memory->used = 0;
	memory->limit = limited ? fb_unit_limit() : SIZE_MAX;
	memory->what = what;
}

/* Gives a block another size; the error names what hits the limit. Old and new block never exist side by side if the allocator can help it. */
void *
fb_unit_resize(void *context, void *block, size_t old_size, size_t size)
{
	FbUnitMemory *memory = context;

	if (size > old_size && (size - old_size > memory->limit || memory->used > memory->limit - (size - old_size)))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("%s needs more than %zu kB", memory->what, memory->limit / 1024),
				 errdetail("It may take work_mem times hash_mem_multiplier."),
				 errhint("Increase work_mem, or take one part of the units at a time: read only rows with featbit.unit_partition(unit, 8) = 0, then with 1 to 7, and merge the stats with rollup.")));
	memory->used += size - old_size;
	if (block == NULL)
		block = MemoryContextAllocHuge(memory->context, size);
	else
		block = repalloc_huge(block, size);
#ifdef MADV_HUGEPAGE
	if (size >= LARGE_BYTES)
	{
		uintptr_t	start = TYPEALIGN(LARGE_PAGE, (uintptr_t) block);
		uintptr_t	end = TYPEALIGN_DOWN(LARGE_PAGE, (uintptr_t) block + size);

		/* Advice: where it is refused, small pages do. */
		if (start < end)
			(void) madvise((void *) start, end - start, MADV_HUGEPAGE);
	}
#endif
	return block;
}

int			fb_text_is_utf8 = -1;

/* Finds out whether text is hashed and stored as it is. */
int
fb_look_at_encoding(void)
{
	fb_text_is_utf8 = GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII;
	return fb_text_is_utf8;
}

/* Returns a name in UTF-8, in which names and units are stored and hashed whatever the encoding of the database. */
char *
fb_unit_utf8(const char *name, uint32 *length)
{
	char	   *converted;

	if (fb_text_is_utf8 >= 0 ? fb_text_is_utf8 : fb_look_at_encoding())
		return (char *) name;
	converted = pg_server_to_any(name, (int) *length, PG_UTF8);
	if (converted != name)
		*length = (uint32) strlen(converted);
	return converted;
}

/* Returns a stored name as text. */
text *
fb_unit_name_text(const char *name, uint32 length)
{
	char	   *converted = (char *) name;

	if (!(fb_text_is_utf8 >= 0 ? fb_text_is_utf8 : fb_look_at_encoding()))
	{
		converted = pg_any_to_server(name, (int) length, PG_UTF8);
		if (converted != name)
			length = (uint32) strlen(converted);
	}
	return cstring_to_text_with_len(converted, (int) length);
}

/* Returns the key of a text unit in another encoding. */
FbUnitKey
fb_unit_from_foreign_text(const char *unit, uint32 length)
{
	char	   *bytes = fb_unit_utf8(unit, &length);
	FbUnitKey	key = fb_unit_from_text(bytes, length);

	if (bytes != unit)
		pfree(bytes);
	return key;
}

/* Returns how a unit reads: a number, a uuid, or the hash that a text is known by. */
char *
fb_unit_text(FbUnitKey key, int kind)
{
	if (kind == FB_UNITS_BIGINT)
		return psprintf(INT64_FORMAT, fb_unit_to_bigint(key));
	if (kind == FB_UNITS_UUID)
	{
		pg_uuid_t	uuid;

		fb_unit_to_uuid(key, uuid.data);
		return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&uuid)));
	}
	return psprintf("%016llx%016llx", (unsigned long long) key.hash, (unsigned long long) key.rest);
}

/* Returns the memory context of the aggregate that calls. */
MemoryContext
fb_aggregate_context(FunctionCallInfo fcinfo, const char *function)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s can only be called by an aggregate", function)));
	return context;
}

/*
 * Returns an expanded object as the result of an aggregate, without a copy:
 * before PostgreSQL 16 results that are not in the current memory context are
 * copied flat, so the pointer is. A window moves on and changes its state, and
 * gets a copy.
 */
Datum
fb_expanded_result(FunctionCallInfo fcinfo, ExpandedObjectHeader *header)
{
	char	   *pointer;

	if (AggCheckCallContext(fcinfo, NULL) != AGG_CONTEXT_AGGREGATE)
	{
		Size		size = EOH_get_flat_size(header);

		pointer = palloc(size);
		EOH_flatten_into(header, pointer, size);
		return PointerGetDatum(pointer);
	}
	pointer = palloc(EXPANDED_POINTER_SIZE);
	memcpy(pointer, DatumGetPointer(EOHPGetRODatum(header)), EXPANDED_POINTER_SIZE);
	return PointerGetDatum(pointer);
}

/* Reads the text form of a state, hexadecimal digits behind \x. */
unsigned char *
fb_unhex(FunctionCallInfo fcinfo, const char *text, const char *type, Size *length)
{
	Size		digits = strlen(text);
	unsigned char *bytes;

	if (digits < 2 || text[0] != '\\' || text[1] != 'x' || digits % 2 != 0 ||
		strspn(text + 2, "0123456789abcdefABCDEF") != digits - 2)
		fb_ereturn(fcinfo->context, NULL,
				   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type %s", type),
					errdetail("The text form is \\x and the hexadecimal digits of the binary form.")));
	*length = (digits - 2) / 2;
	bytes = MemoryContextAllocHuge(CurrentMemoryContext, *length + 1);
	hex_decode(text + 2, digits - 2, (char *) bytes);
	return bytes;
}

/* Writes the text form of a state. */
char *
fb_hex(const unsigned char *bytes, Size length, const char *type)
{
	char	   *text;

	if (length * 2 + 3 > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value of type %s is too large for its text form", type),
				 errhint("Move it in binary form.")));
	text = palloc(length * 2 + 3);
	text[0] = '\\';
	text[1] = 'x';
	hex_encode((const char *) bytes, length, text + 2);
	text[length * 2 + 2] = '\0';
	return text;
}

/* Returns the partition of the unit, argument 0. */
static Datum
partition(FunctionCallInfo fcinfo, int kind)
{
	int32		partitions = PG_GETARG_INT32(1);

	if (partitions < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("partitions must be at least 1, not %d", partitions)));
	PG_RETURN_INT32((int32) fb_unit_partition(fb_unit_from_datum(PG_GETARG_DATUM(0), kind), (uint32) partitions));
}

/* unit_partition(unit bigint, partitions int) returns int */
Datum
fb_unit_partition_bigint(PG_FUNCTION_ARGS)
{
	return partition(fcinfo, FB_UNITS_BIGINT);
}

/* unit_partition(unit uuid, partitions int) returns int */
Datum
fb_unit_partition_uuid(PG_FUNCTION_ARGS)
{
	return partition(fcinfo, FB_UNITS_UUID);
}

/* unit_partition(unit text, partitions int) returns int */
Datum
fb_unit_partition_text(PG_FUNCTION_ARGS)
{
	return partition(fcinfo, FB_UNITS_TEXT);
}
