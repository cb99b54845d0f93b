/*
 * names.c
 *		Near-miss suggestions for error messages of the analysis functions.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "pg_compat.h"

/* varstr_levenshtein refuses longer strings */
#define MAX_NAME_CHARACTERS 255

PG_FUNCTION_INFO_V1(fb_nearest_name);

/* Returns the candidate nearest to a name, or NULL when none is near. */
Datum
fb_nearest_name(PG_FUNCTION_ARGS)
{
	text	   *name;
	Datum	   *candidates;
	bool	   *nulls;
	int			count;
	int			length;
	int			limit;
	text	   *best = NULL;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	name = PG_GETARG_TEXT_PP(0);
	length = pg_mbstrlen_with_len(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	if (length > MAX_NAME_CHARACTERS)
		PG_RETURN_NULL();
	limit = Max(1, (length + 1) / 3);

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &candidates, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		text	   *candidate;
		int			distance;

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			continue;
		candidate = DatumGetTextPP(candidates[i]);
		if (pg_mbstrlen_with_len(VARDATA_ANY(candidate), VARSIZE_ANY_EXHDR(candidate)) > MAX_NAME_CHARACTERS)
			continue;
		distance = varstr_levenshtein_less_equal(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
												 VARDATA_ANY(candidate), VARSIZE_ANY_EXHDR(candidate),
												 1, 1, 1, limit, true);
		if (distance <= limit)
		{
			best = candidate;
			limit = distance - 1;
			if (limit < 0)
				break;
		}
	}
	if (best == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(best);
}
