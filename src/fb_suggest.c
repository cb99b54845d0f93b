/*
 * fb_suggest.c
 *		Finds the candidate with the fewest edits.
 */
#include "postgres.h"

#include "utils/varlena.h"

#include "fb_suggest.h"

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

	if (suggestion->limit < 0 || suggestion->length > MAX_SUGGEST_LENGTH || length > MAX_SUGGEST_LENGTH)
		return;
	edits = varstr_levenshtein_less_equal(suggestion->name, suggestion->length, candidate, length,
										  1, 1, 1, suggestion->limit, true);
	if (edits > suggestion->limit)
		return;
	suggestion->best = candidate;
	suggestion->limit = edits - 1;	/* only a nearer one replaces it */
}

/* Returns the text of a hint: the suggestion, if there is one, then the rest, which may be NULL. */
char *
fb_suggest_hint(const FbSuggestion *suggestion, const char *rest)
{
	if (suggestion->best == NULL)
		return rest == NULL ? NULL : pstrdup(rest);
	return psprintf("Did you mean \"%s\"?%s%s", suggestion->best, rest == NULL ? "" : " ", rest == NULL ? "" : rest);
}
