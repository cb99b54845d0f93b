/*
 * exposure_map_type.c
 *		The type featbit.exposure_map: text and binary form, and what can be
 *		read from it.
 *
 * The binary form is version, kind of units (1 bigint, 2 uuid, 3 text), one
 * byte each, the number of arms in 2 and of units in 4 bytes; per arm the
 * length of the variation and one more than that of the stratum (zero: none),
 * 4 bytes each, and the names; per unit its key (8 bytes for bigint, else
 * 16), the time in microseconds and a tag of 2 bytes: its arm counted from 1,
 * the highest bit set where it was seen in several variations. All numbers
 * are in network byte order. The text form is its hexadecimal digits.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "fb_rows.h"
#include "metrics/units.h"
#include "pg_compat.h"

#define TYPE_NAME "featbit.exposure_map"

PG_FUNCTION_INFO_V1(fb_exposure_map_in);
PG_FUNCTION_INFO_V1(fb_exposure_map_out);
PG_FUNCTION_INFO_V1(fb_exposure_map_recv);
PG_FUNCTION_INFO_V1(fb_exposure_map_send);
PG_FUNCTION_INFO_V1(fb_exposures_sql);
PG_FUNCTION_INFO_V1(fb_exposed_units);

/* Reads a binary form; returns NULL and the reason for what no exposures could have made. */
static FbExposures *
map_from_bytes(const unsigned char *bytes, Size length, const char **detail)
{
	Size		size = fb_exposures_measure(bytes, length, detail);
	FbExposures *map;
	FbExposureView view;
	const char *name;

	if (size == 0)
		return NULL;
	if (size > MaxAllocSize)
	{
		*detail = "The map is larger than 1 GB.";
		return NULL;
	}
	map = palloc0(size);
	SET_VARSIZE(map, size);
	if (!fb_exposures_receive(bytes, map, detail))
		return NULL;
	if (!fb_exposures_view(map, size, &view))
		elog(ERROR, "an exposure map that was just read is corrupt");
	name = view.names;
	for (uint32 i = 0; i < 2 * view.arms; i++)
	{
		uint32		length_of = i % 2 == 0 || view.lengths[i] == 0 ? view.lengths[i] : view.lengths[i] - 1;

		if (GetDatabaseEncoding() != PG_SQL_ASCII && !pg_verify_mbstr(PG_UTF8, name, (int) length_of, true))
		{
			*detail = "A name is not valid UTF-8.";
			return NULL;
		}
		name += length_of;
	}
	return map;
}

/* exposure_map_in(cstring) returns exposure_map */
Datum
fb_exposure_map_in(PG_FUNCTION_ARGS)
{
	Size		length;
	unsigned char *bytes = fb_unhex(fcinfo, PG_GETARG_CSTRING(0), TYPE_NAME, &length);
	const char *detail;
	FbExposures *map;

	if (bytes == NULL)
		PG_RETURN_NULL();
	map = map_from_bytes(bytes, length, &detail);
	if (map == NULL)
		fb_ereturn(fcinfo->context, (Datum) 0,
				   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type " TYPE_NAME),
					errdetail("%s", detail)));
	pfree(bytes);
	PG_RETURN_POINTER(map);
}

/* exposure_map_recv(internal) returns exposure_map */
Datum
fb_exposure_map_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	const char *detail;
	int			length = in->len - in->cursor;
	FbExposures *map = map_from_bytes((const unsigned char *) pq_getmsgbytes(in, length), length, &detail);

	if (map == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type " TYPE_NAME),
				 errdetail("%s", detail)));
	PG_RETURN_POINTER(map);
}

/* exposure_map_send(exposure_map) returns bytea */
Datum
fb_exposure_map_send(PG_FUNCTION_ARGS)
{
	FbExposureView view;
	Size		size;
	bytea	   *result;

	fb_exposure_datum_view(PG_GETARG_DATUM(0), &view);
	size = fb_exposures_bytes(&view) + VARHDRSZ;
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value of type " TYPE_NAME " is too large for its binary form")));
	result = palloc(size);
	SET_VARSIZE(result, size);
	fb_exposures_send(&view, (unsigned char *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

/* exposure_map_out(exposure_map) returns cstring */
Datum
fb_exposure_map_out(PG_FUNCTION_ARGS)
{
	FbExposureView view;
	Size		size;
	unsigned char *bytes;
	char	   *text;

	fb_exposure_datum_view(PG_GETARG_DATUM(0), &view);
	size = fb_exposures_bytes(&view);
	bytes = MemoryContextAllocHuge(CurrentMemoryContext, size);
	fb_exposures_send(&view, bytes);
	text = fb_hex(bytes, size, TYPE_NAME);
	pfree(bytes);
	PG_RETURN_CSTRING(text);
}

/* Sets the columns variation and stratum. */
static void
set_arm(Datum *values, bool *nulls, int column, const FbArm *arm)
{
	values[column] = PointerGetDatum(fb_unit_name_text(arm->variation, arm->variation_length));
	nulls[column] = false;
	nulls[column + 1] = arm->stratum == NULL;
	if (arm->stratum)
		values[column + 1] = PointerGetDatum(fb_unit_name_text(arm->stratum, arm->stratum_length));
}

/* exposures(map exposure_map) returns setof record */
Datum
fb_exposures_sql(PG_FUNCTION_ARGS)
{
	FbRows		rows;
	FbExposureView view;
	FbArm	   *arms;
	int64	   *units;
	int64	   *mixed;
	TimestampTz *first;
	TimestampTz *last;

	fb_rows_begin(&rows, fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	fb_exposure_datum_view(PG_GETARG_DATUM(0), &view);
	arms = palloc(sizeof(FbArm) * (view.arms + 1));
	units = palloc0(sizeof(int64) * (view.arms + 1));
	mixed = palloc0(sizeof(int64) * (view.arms + 1));
	first = palloc(sizeof(TimestampTz) * (view.arms + 1));
	last = palloc(sizeof(TimestampTz) * (view.arms + 1));
	fb_exposures_arms(&view, arms);
	for (uint32 i = 0; i < view.units; i++)
	{
		const char *entry = fb_exposure_entry(&view, i);
		uint16		tag = fb_unit_tag(entry, view.words);
		uint32		arm = FB_TAG_ARM(tag);
		TimestampTz at = fb_exposure_at(entry, view.words);

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (units[arm] == 0 || at < first[arm])
			first[arm] = at;
		if (units[arm] == 0 || at > last[arm])
			last[arm] = at;
		units[arm]++;
		if (tag & FB_TAG_MIXED)
			mixed[arm]++;
	}
	for (uint32 i = 0; i < view.arms; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(rows.row_context);
		Datum		values[6];
		bool		nulls[6] = {0};

		set_arm(values, nulls, 0, &arms[i]);
		values[2] = Int64GetDatum(units[i]);
		values[3] = Int64GetDatum(mixed[i]);
		values[4] = TimestampTzGetDatum(first[i]);
		values[5] = TimestampTzGetDatum(last[i]);
		nulls[4] = nulls[5] = units[i] == 0;
		MemoryContextSwitchTo(old);
		fb_rows_put(&rows, values, nulls);
	}
	return (Datum) 0;
}

/* exposed_units(map exposure_map) returns setof record */
Datum
fb_exposed_units(PG_FUNCTION_ARGS)
{
	FbRows		rows;
	FbExposureView view;
	FbArm	   *arms;

	fb_rows_begin(&rows, fcinfo);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	fb_exposure_datum_view(PG_GETARG_DATUM(0), &view);
	arms = palloc(sizeof(FbArm) * (view.arms + 1));
	fb_exposures_arms(&view, arms);
	for (uint32 i = 0; i < view.units; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(rows.row_context);
		const char *entry = fb_exposure_entry(&view, i);
		uint16		tag = fb_unit_tag(entry, view.words);
		Datum		values[5];
		bool		nulls[5] = {0};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(fb_unit_text(fb_unit_key(entry, view.words), view.kind));
		values[1] = TimestampTzGetDatum(fb_exposure_at(entry, view.words));
		set_arm(values, nulls, 2, &arms[FB_TAG_ARM(tag)]);
		values[4] = BoolGetDatum((tag & FB_TAG_MIXED) != 0);
		MemoryContextSwitchTo(old);
		fb_rows_put(&rows, values, nulls);
	}
	return (Datum) 0;
}
