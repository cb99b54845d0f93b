/*
 * fb_suggest.c
 *		Finds the candidate with the fewest edits, whatever the case of letters.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "fb_suggest.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_nearest_name);

#define MAX_SUGGEST_LENGTH 128	/* bytes; longer names get no suggestion */
#define MAX_SUGGEST_EDITS 3

/* Starts looking for names near to an unknown one. */
void
fb_suggest_start(FbSuggestion *suggestion, const char *name)
{
	suggestion->name = name;
	suggestion->length = strlen(name);
	suggestion->limit = Min(MAX_SUGGEST_EDITS, suggestion->length / 2);
	suggestion->best = NULL;
}

/* Offers a candidate, which must live as long as the suggestion. */
void
fb_suggest_offer(FbSuggestion *suggestion, const char *candidate)
{
	int			length = strlen(candidate);
	int			edits;

	if (suggestion->length > MAX_SUGGEST_LENGTH || length > MAX_SUGGEST_LENGTH)
		return;
	/* nothing is nearer than what differs in case alone; of equals the first by its bytes counts, whatever their order */
	if (pg_strcasecmp(suggestion->name, candidate) == 0)
	{
		if (suggestion->limit >= 0 || strcmp(candidate, suggestion->best) < 0)
			suggestion->best = candidate;
		suggestion->limit = -1;
		return;
	}
	if (suggestion->limit < 0)
		return;
	edits = varstr_levenshtein_less_equal(suggestion->name, suggestion->length, candidate, length,
										  1, 1, 1, suggestion->limit, true);
	if (edits > suggestion->limit)
		return;
	if (suggestion->best == NULL || edits < suggestion->limit || strcmp(candidate, suggestion->best) < 0)
		suggestion->best = candidate;
	suggestion->limit = edits;
}

/* Returns the text of a hint: the suggestion, if there is one, then the rest, which may be NULL. */
char *
fb_suggest_hint(const FbSuggestion *suggestion, const char *rest)
{
	if (suggestion->best == NULL)
		return rest == NULL ? NULL : pstrdup(rest);
	return psprintf("Did you mean \"%s\"?%s%s", suggestion->best, rest == NULL ? "" : " ", rest == NULL ? "" : rest);
}

/* nearest_name(name, candidates): the candidate nearest to a name, NULL when none is near */
Datum
fb_nearest_name(PG_FUNCTION_ARGS)
{
	FbSuggestion suggestion;
	Datum	   *candidates;
	bool	   *nulls;
	int			count;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	fb_suggest_start(&suggestion, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &candidates, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!nulls[i])
			fb_suggest_offer(&suggestion, TextDatumGetCString(candidates[i]));
	}
	if (suggestion.best == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(suggestion.best));
}
