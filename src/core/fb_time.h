/*
 * fb_time.h
 *		ISO 8601 timestamps, independent of any session setting.
 */
#ifndef FB_TIME_H
#define FB_TIME_H

#include "core/fb_evaluate.h"

/* A point in time, or one that moves along with the evaluation's time. */
typedef struct FbMoment
{
	bool		relative;
	int64_t		time;			/* microseconds since 2000-01-01 00:00 UTC, or to add to the evaluation's time */
} FbMoment;

extern bool fb_parse_time(FbString text, int64_t *time);
extern bool fb_parse_moment(FbString text, FbMoment *moment);
extern int64_t fb_moment_at(const FbMoment *moment, int64_t now);

#endif							/* FB_TIME_H */
