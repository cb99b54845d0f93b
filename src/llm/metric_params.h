/*
 * metric_params.h
 *		The options of a metric as a user gives them: a JSON object.
 */
#ifndef FB_METRIC_PARAMS_H
#define FB_METRIC_PARAMS_H

#include "core/fb_metric.h"
#include "core/fb_regex.h"
#include "utils/array.h"
#include "utils/jsonb.h"

/* A label: bytes in the server encoding, ending in a zero byte. */
typedef struct FbLabelText
{
	const char *data;
	uint32		len;
} FbLabelText;

typedef struct FbMetricParams
{
	const Jsonb *source;		/* as given; NULL: none */
	FbMetricOptions options;
	FbLabelText *labels;		/* FB_LABELS_GIVEN: in the order given, without repetition */
	uint32		nlabels;
	FbLabelText pos;			/* data NULL: none */
	FbRegex   **regexes;		/* exact match: what to delete */
	uint32		nregexes;
} FbMetricParams;

extern FbMetricParams *fb_metric_params(const FbMetricInfo *info, const Jsonb *source, MemoryContext context);
extern bool fb_metric_params_same(const FbMetricParams *params, const Jsonb *source);
extern char *fb_metric_params_text(const FbMetricParams *params);
extern char *fb_metric_params_signature(const FbMetricInfo *info, const FbMetricParams *params);
extern ArrayType *fb_metric_parameter_array(const FbMetricInfo *info);
extern const FbMetricInfo *fb_metric_named(const char *name, int len);

#endif							/* FB_METRIC_PARAMS_H */
