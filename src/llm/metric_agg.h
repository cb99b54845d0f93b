/*
 * metric_agg.h
 *		What aggregates over metric states share.
 */
#ifndef FB_METRIC_AGG_H
#define FB_METRIC_AGG_H

#include "llm/metric_state.h"

extern MemoryContext fb_metric_aggregate_context(FunctionCallInfo fcinfo, const char *function);
extern FbMetricState *fb_metric_updatable(FunctionCallInfo fcinfo, MemoryContext context);
extern Datum fb_metric_estimate_datum(FunctionCallInfo fcinfo, const FbEstimate *result);

#endif							/* FB_METRIC_AGG_H */
