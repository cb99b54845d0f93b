/*
 * fb_funnel.h
 *		How far a unit came in a funnel of ordered steps.
 */
#ifndef FB_FUNNEL_H
#define FB_FUNNEL_H

#include <stddef.h>
#include <stdint.h>

#define FB_FUNNEL_MAX_STEP 64
#define FB_FUNNEL_NO_END INT64_MAX

typedef struct FbFunnelEvent
{
	int64_t		at;				/* microseconds */
	int64_t		step;			/* from 1 */
} FbFunnelEvent;

extern int	fb_funnel_depth(FbFunnelEvent *events, size_t count, int64_t window);

#endif							/* FB_FUNNEL_H */
