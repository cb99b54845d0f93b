/*
 * fb_suggest.h
 *		Near misses: "Did you mean ...?".
 *
 * Include after postgres.h.
 */
#ifndef FB_SUGGEST_H
#define FB_SUGGEST_H

/* The best candidate so far for a name that is unknown. */
typedef struct FbSuggestion
{
	const char *name;
	int			length;
	int			limit;			/* edits up to which a candidate counts as near */
	const char *best;			/* NULL: none yet */
} FbSuggestion;

extern void fb_suggest_start(FbSuggestion *suggestion, const char *name);
extern void fb_suggest_offer(FbSuggestion *suggestion, const char *candidate);
extern char *fb_suggest_hint(const FbSuggestion *suggestion, const char *rest);

#endif							/* FB_SUGGEST_H */
