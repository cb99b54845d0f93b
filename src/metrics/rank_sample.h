/*
 * rank_sample.h
 *		The type featbit.rank_sample: the values that a rank test orders.
 *
 * Differences of pairs, or the values of two arms, of which control grows
 * from the front and treatment from the back. A state that is still growing
 * has room between them.
 */
#ifndef FB_METRICS_RANK_SAMPLE_H
#define FB_METRICS_RANK_SAMPLE_H

#include "postgres.h"

#include "fmgr.h"

#include "core/fb_stats_wire.h"

typedef struct FbRankSample
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	uint8		version;
	uint8		kind;
	uint16		unused;			/* always zero */
	int64		n_bad;
	uint32		n_c;			/* differences, or values of control */
	uint32		n_t;
	double		value[FLEXIBLE_ARRAY_MEMBER];
} FbRankSample;

#define FB_RANK_SAMPLE_SIZE(n) (offsetof(FbRankSample, value) + sizeof(double) * (Size) (n))
#define FB_RANK_SAMPLE_ROOM(s) ((uint32) ((VARSIZE(s) - offsetof(FbRankSample, value)) / sizeof(double)))

extern FbRankSample *fb_rank_sample_from_datum(Datum datum);
extern void fb_rank_sample_refuse_kind(const FbRankSample *sample, int wanted);
extern FbRankSample *fb_rank_sample_sorted(const FbRankSample *sample);

#endif							/* FB_METRICS_RANK_SAMPLE_H */
