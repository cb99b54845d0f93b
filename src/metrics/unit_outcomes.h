/*
 * unit_outcomes.h
 *		The state of unit_agg over an exposure map.
 */
#ifndef FB_METRICS_UNIT_OUTCOMES_H
#define FB_METRICS_UNIT_OUTCOMES_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "core/fb_outcomes.h"
#include "metrics/units.h"

typedef struct FbOutcomeState
{
	ExpandedObjectHeader hdr;
	int			magic;
	FbUnitMemory memory;
	FbOutcomes	outcomes;
	bool		only_named;		/* no metric reads events of other names */
	const void *plan_at;		/* where the metrics were in the call before; only compared */
	Jsonb	   *plan;			/* a copy of them; NULL: not given, or not known of a state from outside */
	FbExposures *own_map;		/* copy of a map that calls bring toasted */
	void	   *toast;			/* what pointed to it; NULL: it came inline */
	const void *map_at;			/* where the map was in the call before; only compared */
	FbExposureView view;		/* of it, valid while that call lasts */
} FbOutcomeState;

/* unit_plan.c */
typedef struct FbUnitPlan
{
	FbOutcomes	outcomes;		/* only metrics, values, width and names are set */
	FbOutcomeMetric metric[FB_MAX_METRICS];
} FbUnitPlan;

extern void fb_unit_plan(Jsonb *metrics, uint32 values, bool has_event, FbUnitPlan *plan);

/* unit_outcomes.c */
extern FbOutcomeState *fb_outcome_state_new(const FbExposureView *view, const FbUnitPlan *plan, MemoryContext parent, bool limited);
extern FbOutcomeState *fb_outcome_state_from_bytes(const unsigned char *bytes, Size length, MemoryContext parent,
												   bool limited, const char **detail);
extern FbOutcomeState *fb_outcome_state_get(Datum value, MemoryContext parent);
extern void fb_outcome_state_settle(FbOutcomeState *state, const FbExposureView *view);

#define FB_OUTCOME_MAGIC 0x66624f53 /* "fbOS" */

#endif							/* FB_METRICS_UNIT_OUTCOMES_H */
