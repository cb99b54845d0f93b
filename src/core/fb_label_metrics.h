/*
 * fb_label_metrics.h
 *		Label metrics (precision, recall, F, MCC, kappa ...) from counts of
 *		(gold, predicted) pairs, with their sampling uncertainty.
 *
 * Plain C without PostgreSQL.
 */
#ifndef FB_LABEL_METRICS_H
#define FB_LABEL_METRICS_H

#include "core/fb_estimate.h"

typedef enum FbLabelKind
{
	FB_LABEL_PRECISION,
	FB_LABEL_RECALL,
	FB_LABEL_F,
	FB_LABEL_BALANCED_ACCURACY,
	FB_LABEL_MCC,
	FB_LABEL_KAPPA
} FbLabelKind;

typedef enum FbLabelAverage
{
	FB_AVERAGE_MACRO,
	FB_AVERAGE_MICRO,
	FB_AVERAGE_WEIGHTED,
	FB_AVERAGE_BINARY			/* of one label */
} FbLabelAverage;

/* The labels that averages run over. */
typedef enum FbLabelSet
{
	FB_LABELS_GOLD,				/* those that occur as gold labels */
	FB_LABELS_UNION,			/* those that occur at all */
	FB_LABELS_GIVEN
} FbLabelSet;

/* What 0/0 is. */
typedef enum FbZeroDivision
{
	FB_ZERO_IS_0,
	FB_ZERO_IS_1,
	FB_ZERO_IS_NULL				/* undefined, and left out of averages */
} FbZeroDivision;

typedef enum FbKappaWeights
{
	FB_WEIGHTS_NONE,
	FB_WEIGHTS_LINEAR,
	FB_WEIGHTS_QUADRATIC
} FbKappaWeights;

typedef struct FbLabelOptions
{
	FbLabelKind kind;
	FbLabelAverage average;
	FbLabelSet	set;
	FbZeroDivision zero_division;
	FbKappaWeights weights;
	double		beta;
	bool		adjusted;		/* balanced accuracy: 0 for chance */
	const bool *given;			/* by label: FB_LABELS_GIVEN */
	uint32_t	pos;			/* FB_AVERAGE_BINARY: the label; one that never occurs has counts of 0 */
	const uint32_t *order;		/* kappa: labels in their order */
} FbLabelOptions;

/*
 * How often one pair of labels occurs in one bucket; of two systems where
 * paired. Labels are numbered from 0; an abstention has pred = number of labels.
 */
typedef struct FbLabelCell
{
	uint32_t	bucket;
	uint32_t	gold;
	uint32_t	pred[2];
	int64_t		count;
} FbLabelCell;

/* Counts of one label. */
typedef struct FbLabelCount
{
	int64_t		gold;			/* rows whose gold label it is */
	int64_t		pred;			/* rows where it was predicted */
	int64_t		hit;			/* rows where both hold */
} FbLabelCount;

/* What a metric needs to know about all labels together. */
typedef struct FbLabelSums
{
	double		n;				/* rows */
	double		hits;			/* rows with pred = gold */
	double		terms;			/* sum of the per-label metric over the label set, and of what it adds up */
	double		term_count;
	double		weighted_terms;
	double		weight;
	double		set_hit;		/* counts of the label set */
	double		set_pred;
	double		set_gold;
	double		gold_labels;	/* labels that occur as gold, and the sum of their recall */
	double		recall;
	double		gold_sq;		/* sums over all labels of gold^2, pred^2, gold * pred */
	double		pred_sq;
	double		cross;
	double		observed;		/* kappa: disagreement, and that of the margins times n */
	double		expected;
} FbLabelSums;

/* The counts of one system; see fb_label_table_init. */
typedef struct FbLabelTable
{
	const FbLabelOptions *options;
	size_t		nlabels;
	FbLabelCount *counts;		/* by label, the last of abstentions */
	FbLabelSums sums;
	double		observed;		/* kappa, kept with the counts */
	double	   *rank;			/* kappa: place of a label, negative outside of the set */
	double	   *from_gold;		/* kappa: sum_j w(label, j) pred_j */
	double	   *from_pred;		/* kappa: sum_i w(i, label) gold_i */
	double		places;
} FbLabelTable;

extern size_t fb_label_table_size(size_t nlabels);
extern void fb_label_table_init(FbLabelTable *table, const FbLabelOptions *options, size_t nlabels, void *memory);
extern int64_t fb_label_table_add(FbLabelTable *table, const FbLabelCell *cell, int system, int64_t sign);
extern bool fb_label_table_value(FbLabelTable *table, double *value);
extern void fb_label_estimate(const FbTarget *target, FbLabelTable *tables, const FbLabelCell *cells, size_t ncells,
							  bool has_unit, void (*poll) (void), FbEstimate *result);

#endif							/* FB_LABEL_METRICS_H */
