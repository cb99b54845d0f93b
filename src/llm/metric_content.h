/*
 * metric_content.h
 *		Label metrics of a state: its labels and cells with what they are
 *		evaluated by.
 */
#ifndef FB_METRIC_CONTENT_H
#define FB_METRIC_CONTENT_H

#include "llm/metric_state.h"

typedef struct FbMetricSystem
{
	FbLabelOptions label_options;
	FbLabelText *labels;		/* those that occur by bytes, then others that were given */
	uint32		nlabels;
	FbLabelCell *cells;			/* abstention = nlabels */
	void	   *memory[2];
} FbMetricSystem;

extern int	fb_label_compare(const void *left, const void *right);
extern int	fb_cell_compare(const void *left, const void *right);
extern FbScoredRow *fb_metric_sorted_rows(const FbMetricState *state);
extern void fb_metric_content_free(FbMetricContent *content);
extern void fb_metric_system(const FbMetricState *state, const FbMetricContent *content, FbMetricSystem *system);
extern void fb_metric_system_estimate(const FbMetricState *state, const FbMetricContent *content,
									  const FbMetricSystem *system, const FbTarget *target, FbEstimate *result);

#endif							/* FB_METRIC_CONTENT_H */
