/*
 * unit.c
 *		Hashes of units: XXH3 of the canonical text in UTF-8, so that a unit
 *		is the same whether its key is text, bigint or uuid.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/fb_hash.h"
#include "metrics/sketch.h"
#include "pg_compat.h"

/* Hashes a unit whose key is text. */
uint64
fb_unit_hash_text(Datum unit)
{
	text	   *key = DatumGetTextPP(unit);
	char	   *data = VARDATA_ANY(key);
	int			length = VARSIZE_ANY_EXHDR(key);
	uint64		hash;

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		char	   *converted = pg_server_to_any(data, length, PG_UTF8);

		if (converted != data)
		{
			data = converted;
			length = strlen(converted);
		}
	}
	hash = fb_hash_key(data, length, 0);
	if ((Pointer) key != DatumGetPointer(unit))
		pfree(key);
	return hash;
}

/* Hashes a unit whose key is a bigint. */
uint64
fb_unit_hash_int8(Datum unit)
{
	char		digits[24];
	int			length = pg_lltoa(DatumGetInt64(unit), digits);

	return fb_hash_key(digits, length, 0);
}

/* Hashes a unit whose key is a uuid. */
uint64
fb_unit_hash_uuid(Datum unit)
{
	static const char hex[] = "0123456789abcdef";
	pg_uuid_t  *uuid = DatumGetUUIDP(unit);
	char		digits[36];
	int			length = 0;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			digits[length++] = '-';
		digits[length++] = hex[uuid->data[i] >> 4];
		digits[length++] = hex[uuid->data[i] & 15];
	}
	return fb_hash_key(digits, length, 0);
}
