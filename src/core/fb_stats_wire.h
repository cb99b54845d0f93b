/*
 * fb_stats_wire.h
 *		Readers of the binary forms of states.
 */
#ifndef FB_STATS_WIRE_H
#define FB_STATS_WIRE_H

#include "core/fb_bootstrap.h"
#include "core/fb_moments.h"
#include "core/fb_sketch.h"

#define FB_RANK_SAMPLE_VERSION 1
#define FB_PREFERENCE_VERSION 1
#define FB_PREFERENCE_MAX_ITEMS 1000
#define FB_VARIATION_STATS_VERSION 1
#define FB_MAX_VARIATIONS 1000

/* What a rank sample holds. The numbers are stored; never reuse one. */
typedef enum FbRankSampleKind
{
	FB_SAMPLE_PAIRED = 1,		/* differences */
	FB_SAMPLE_TWO = 2			/* values of two arms */
} FbRankSampleKind;

/* Where a reader stands. */
typedef struct FbWireReader
{
	const unsigned char *at;
	const unsigned char *end;
} FbWireReader;

extern const char *fb_stats_wire_measure(const unsigned char *bytes, size_t length, size_t *size);
extern const char *fb_stats_wire_fill(const unsigned char *bytes, size_t length, FbStats *state, size_t size);
extern const char *fb_rank_sample_wire_check(const unsigned char *bytes, size_t length);
extern const char *fb_preference_wire_check(const unsigned char *bytes, size_t length);
extern const char *fb_variation_stats_wire_check(const unsigned char *bytes, size_t length);
extern const char *fb_variation_quantiles_wire_check(const unsigned char *bytes, size_t length);

/* Tells whether a number can be a score of item i against item j. */
static inline bool
fb_preference_score_ok(double score, uint32_t i, uint32_t j)
{
	return score >= 0.0 && score <= (double) FB_STATS_MAX_N && (i != j || score == 0.0);
}

#endif							/* FB_STATS_WIRE_H */
