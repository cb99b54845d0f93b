/*
 * metric_state.h
 *		The state of the aggregates featbit.metric and featbit.metric_diff.
 *
 * In memory a state is an expanded object, so that a transition costs little;
 * on disk and between processes it is a flat value in canonical order. What it
 * keeps depends on the family of its metric (core/fb_metric.h) and on whether
 * rows carry a unit.
 */
#ifndef FB_METRIC_STATE_H
#define FB_METRIC_STATE_H

#include "utils/expandeddatum.h"

#include "llm/metric_params.h"

#define FB_METRIC_STATE_VERSION 1

typedef struct FbLabelEntry
{
	FbLabelText text;
	uint32		hash;
	uint32		id;
	char		status;
} FbLabelEntry;

typedef struct FbCellEntry
{
	uint64		key;			/* bucket, gold label, predicted labels */
	int64		count;
	char		status;
} FbCellEntry;

/* A unit is known by the XXH3-128 of its UTF-8 bytes. */
typedef struct FbUnitId
{
	uint64		high;
	uint64		low;
} FbUnitId;

typedef struct FbUnitEntry
{
	FbUnitId	id;
	FbUnit		counts;
	char		status;
} FbUnitEntry;

struct fblabel_hash;
struct fbcell_hash;
struct fbunit_hash;

/* Whether rows carry a unit; with params, the first row tells. */
typedef enum FbUnitMode
{
	FB_UNIT_UNKNOWN,
	FB_UNIT_NONE,
	FB_UNIT_GIVEN
} FbUnitMode;

typedef struct FbMetricState
{
	ExpandedObjectHeader hdr;
	int			magic;
	const FbMetricInfo *info;
	FbMetricParams *params;
	bool		paired;			/* two systems are compared */
	FbUnitMode	unit;
	int64		rows;

	/* means and passes */
	int64		correct;		/* binary without units: right answers; paired: rows that the second system wins */
	int64		losses;			/* paired: rows that it loses */
	FbScores	scores;			/* not binary, without units */
	struct fbunit_hash *units;	/* with units */

	/* cells */
	struct fblabel_hash *labels;
	struct fbcell_hash *cells;
	FbLabelText *label_list;	/* label texts by id */
	uint32		nlabels;
	uint32		label_space;

	/* sums */
	int			width;			/* statistics of a row, of both systems */
	double	   *sums;			/* without units */
	double	   *means;
	double	   *products;		/* of deviations: a lower triangle by rows */
	int64		bucket_rows[FB_BUCKETS];	/* with units */
	double	   *bucket_sums[FB_BUCKETS];

	/* scored rows */
	FbScoredRow *scored;
	int64		scored_space;

	Size		bytes;			/* estimate of the memory in use */
	Size		limit;			/* bound of it */
	StringInfo	flat;			/* between the two calls of flattening */
} FbMetricState;

/* The content of a state in an order that depends on nothing but the content. */
typedef struct FbMetricContent
{
	uint32		nlabels;
	FbLabelText *labels;		/* by bytes */
	uint32		ncells;
	FbLabelCell *cells;			/* by bucket, gold, pred; abstention = nlabels */
	uint32		nunits;
	FbUnitEntry *units;			/* by id */
} FbMetricContent;

/* What a row gives. */
typedef struct FbMetricRow
{
	bool		has_unit;
	const char *unit;			/* in the server encoding */
	int			unit_len;
	const FbLabelText *gold;	/* cells */
	const FbLabelText *pred[2]; /* NULL: abstention */
	const double *statistics;	/* others: of both systems */
	bool		outcome;		/* scored rows */
} FbMetricRow;

extern FbMetricState *fb_metric_state_new(const FbMetricInfo *info, const Jsonb *params, bool paired,
										  FbUnitMode unit, Size limit, MemoryContext parent);
extern Size fb_metric_state_limit(void);
extern bool fb_metric_state_keeps_units(const FbMetricState *state);
extern void fb_metric_state_add(FbMetricState *state, const FbMetricRow *row);
extern void fb_metric_state_merge(FbMetricState *state, const FbMetricState *other);

/* metric_content.c */
extern void fb_metric_state_content(const FbMetricState *state, FbMetricContent *content);
extern void fb_metric_state_evaluate(const FbMetricState *state, FbEstimate *result);

/*
 * Loading a state from outside: every reader goes through these, which check
 * all that can be wrong and raise sqlstate.
 */
extern void fb_metric_load_error(int sqlstate, const char *detail);
extern void fb_metric_load_rows(FbMetricState *state, int64 rows, int64 correct, int64 losses, int sqlstate);
extern void fb_metric_load_scores(FbMetricState *state, const FbScores *scores, int sqlstate);
extern void fb_metric_load_label(FbMetricState *state, const char *data, uint32 len, int sqlstate);
extern void fb_metric_load_cell(FbMetricState *state, int64 bucket, int64 gold, const int64 *pred, int64 count,
								int sqlstate);
extern void fb_metric_load_unit(FbMetricState *state, FbUnitId id, int64 rows, const double *sums, int sqlstate);
extern void fb_metric_load_sums(FbMetricState *state, int64 rows, const double *sums, const double *means,
								const double *products, int sqlstate);
extern void fb_metric_load_bucket(FbMetricState *state, int64 bucket, int64 rows, const double *sums, int sqlstate);
extern void fb_metric_load_scored(FbMetricState *state, const FbScoredRow *row, int64 bucket, int64 outcome,
								  int sqlstate);
extern void fb_metric_load_end(FbMetricState *state, int sqlstate);

/* Returns the number of statistics of a triangle of products. */
#define FB_PRODUCTS(width) ((width) * ((width) + 1) / 2)

/* The number that stands for an abstention where cells are loaded. */
#define FB_ABSTENTION (-1)

/* metric_state_io.c */
extern const ExpandedObjectMethods fb_metric_state_methods;
extern FbMetricState *fb_metric_state_get(Datum value, MemoryContext parent);

#define FB_METRIC_STATE_MAGIC 0x66624d53	/* "fbMS" */


#endif							/* FB_METRIC_STATE_H */
