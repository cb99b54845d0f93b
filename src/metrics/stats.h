/*
 * stats.h
 *		The type featbit.stats for the functions that take and return it.
 */
#ifndef FB_METRICS_STATS_H
#define FB_METRICS_STATS_H

#include "postgres.h"

#include "fmgr.h"

#include "core/fb_moments.h"

extern FbStats *fb_stats_from_datum(Datum datum);
extern const FbStats *fb_stats_from_datum_into(Datum datum, FbStatsBuffer *room);
extern FbStats *fb_stats_moments_from_datum(Datum datum);
extern FbStats *fb_stats_make(int kind, int k);
extern FbStats *fb_stats_copy(const FbStats *state);
extern FbStats *fb_stats_widened(const FbStats *state, int k, int flags);
extern FbStats *fb_stats_merge_checked(FbStats *into, const FbStats *from);
extern FbStats *fb_stats_transition(FunctionCallInfo fcinfo);
extern void fb_stats_mismatch(const char *what, const FbStats *a, const FbStats *b);
extern void fb_stats_wrong_kind(const FbStats *state, int wanted);
extern void fb_stats_overflow(void);
extern Datum fb_stats_out(PG_FUNCTION_ARGS);
extern Datum fb_stats_recv(PG_FUNCTION_ARGS);
extern Datum fb_stats_send(PG_FUNCTION_ARGS);

#define FB_GETARG_STATS(n) fb_stats_from_datum(PG_GETARG_DATUM(n))
#define FB_GETARG_MOMENTS(n) fb_stats_moments_from_datum(PG_GETARG_DATUM(n))
#define FB_RETURN_STATS(state) PG_RETURN_POINTER(state)

#endif							/* FB_METRICS_STATS_H */
