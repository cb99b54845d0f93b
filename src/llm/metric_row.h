/*
 * metric_row.h
 *		From the arguments of a row to what a metric makes of it.
 */
#ifndef FB_METRIC_ROW_H
#define FB_METRIC_ROW_H

#include "llm/metric_state.h"
#include "llm/server_work.h"
#include "utils/array.h"

extern bool fb_metric_read_row(FbMetricState *state, text *const *preds, ArrayType *refs, FbMetricRow *row);
extern FbCodes *fb_metric_read_refs(FbServerWork *server, const FbMetricParams *params, ArrayType *refs, int *count);
extern FbCodes fb_metric_read_text(FbServerWork *server, const FbMetricParams *params, const text *value);
extern bool fb_metric_check_score(const FbMetricInfo *info, double score);

#endif							/* FB_METRIC_ROW_H */
