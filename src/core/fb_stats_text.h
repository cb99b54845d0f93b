/*
 * fb_stats_text.h
 *		The pieces of the text forms of states: JSON without escapes.
 */
#ifndef FB_STATS_TEXT_H
#define FB_STATS_TEXT_H

#include "core/fb_bootstrap.h"
#include "core/fb_moments.h"
#include "core/fb_sketch.h"

/* Where a parser stands, and what it complained about first. */
typedef struct FbText
{
	const char *at;
	const char *detail;
} FbText;

extern bool fb_text_fail(FbText *parser, const char *detail);
extern void fb_text_skip_space(FbText *parser);
extern bool fb_text_accept(FbText *parser, char c);
extern bool fb_text_string(FbText *parser, const char **start, size_t *length);
extern bool fb_text_double(FbText *parser, double *value);
extern bool fb_text_integer(FbText *parser, int64_t *value);

/* What the text of a large state says, with the places of its arrays. */
typedef struct FbLargeText
{
	int			kind;
	int64_t		n;
	int64_t		n_bad;
	int64_t		bits;
	int64_t		wanted;
	double		min;
	double		max;
	double		shift;
	int			groups;
	int32_t		sizes[FB_SKETCH_GROUPS];
	int			replicates;
	int			k;
	const char *array[3];		/* buckets or groups; or weights, sums, denominators */
	size_t		size;			/* bytes of the state */
} FbLargeText;

extern bool fb_large_recognise(const char *text);
extern bool fb_large_parse(const char *text, FbLargeText *found, const char **detail);
extern const char *fb_large_fill(const FbLargeText *found, FbStats *state);

#endif							/* FB_STATS_TEXT_H */
