/*
 * fb_label_metrics.h
 *		Label metrics (accuracy, precision, recall, F1, MCC) from counts of
 *		(gold, predicted) pairs, with their sampling uncertainty.
 *
 * Plain C without PostgreSQL.
 */
#ifndef FB_LABEL_METRICS_H
#define FB_LABEL_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number of groups of the delete-a-group jackknife. */
#define FB_LABEL_BUCKETS 64

/* Stored in states: append only, never renumber. */
typedef enum FbLabelMetric
{
	FB_METRIC_ACCURACY = 1,
	FB_METRIC_PRECISION_MACRO = 2,
	FB_METRIC_PRECISION_MICRO = 3,
	FB_METRIC_PRECISION_WEIGHTED = 4,
	FB_METRIC_RECALL_MACRO = 5,
	FB_METRIC_RECALL_MICRO = 6,
	FB_METRIC_RECALL_WEIGHTED = 7,
	FB_METRIC_F1_MACRO = 8,
	FB_METRIC_F1_MICRO = 9,
	FB_METRIC_F1_WEIGHTED = 10,
	FB_METRIC_MCC = 11
} FbLabelMetric;

typedef struct FbLabelMetricInfo
{
	FbLabelMetric id;
	const char *name;
	double		lowest;			/* range of the metric; intervals are cut to it */
	double		highest;
} FbLabelMetricInfo;

/*
 * How often one pair of labels occurs in one bucket. Labels are numbered from
 * 0; an abstention has pred = number of labels.
 */
typedef struct FbLabelCell
{
	uint32_t	bucket;
	uint32_t	gold;
	uint32_t	pred;
	int64_t		count;
} FbLabelCell;

/* Counts of one label. */
typedef struct FbLabelCount
{
	int64_t		gold;			/* rows whose gold label it is */
	int64_t		pred;			/* rows where it was predicted */
	int64_t		hit;			/* rows where both hold */
} FbLabelCount;

/* Counts of one unit (cluster) of 0/1 scores. */
typedef struct FbUnitCount
{
	int64_t		rows;
	int64_t		correct;
} FbUnitCount;

/* A value with its uncertainty; the has_ flags stand for SQL NULLs. */
typedef struct FbEstimate
{
	int64_t		n;
	bool		has_value;
	bool		has_se;
	bool		has_interval;
	double		value;
	double		se;
	double		lo;
	double		hi;
} FbEstimate;

extern const FbLabelMetricInfo *fb_label_metric_by_name(const char *name);
extern const FbLabelMetricInfo *fb_label_metric_by_id(int id);
extern const FbLabelMetricInfo *fb_label_metric_list(size_t *count);

extern void fb_wilson_interval(double share, double n, double *lo, double *hi);
extern void fb_accuracy_estimate(int64_t rows, int64_t correct, FbEstimate *result);
extern void fb_accuracy_estimate_clustered(const FbUnitCount *units, size_t nunits,
										   FbEstimate *result);
extern void fb_label_estimate_bucketed(FbLabelMetric metric, FbLabelCell *cells, size_t ncells,
									   FbLabelCount *counts, size_t nlabels, FbEstimate *result);
extern void fb_label_estimate_rows(FbLabelMetric metric, const FbLabelCell *cells, size_t ncells,
								   FbLabelCount *counts, size_t nlabels, FbEstimate *result);

#endif							/* FB_LABEL_METRICS_H */
