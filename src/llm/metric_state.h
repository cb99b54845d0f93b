/*
 * metric_state.h
 *		The state of the aggregate featbit.metric: counts of (gold, predicted)
 *		pairs per bucket, or of right answers per unit.
 *
 * In memory a state is an expanded object, so that a transition costs a hash
 * probe; on disk and between processes it is a flat value in canonical order.
 */
#ifndef FB_METRIC_STATE_H
#define FB_METRIC_STATE_H

#include "utils/expandeddatum.h"

#include "core/fb_label_metrics.h"

#define FB_METRIC_STATE_VERSION 1


/* A label: bytes in the server encoding, ending in a zero byte. */
typedef struct FbLabelText
{
	const char *data;
	uint32		len;
} FbLabelText;

typedef struct FbLabelEntry
{
	FbLabelText text;
	uint32		hash;
	uint32		id;
	char		status;
} FbLabelEntry;

typedef struct FbCellEntry
{
	uint64		key;			/* bucket, gold label, predicted label */
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
	FbUnitCount counts;
	char		status;
} FbUnitEntry;

struct fblabel_hash;
struct fbcell_hash;
struct fbunit_hash;

typedef struct FbMetricState
{
	ExpandedObjectHeader hdr;
	int			magic;
	const FbLabelMetricInfo *info;
	bool		has_unit;		/* rows carry a unit */
	int64		rows;
	int64		correct;
	struct fblabel_hash *labels;	/* these two for all but accuracy */
	struct fbcell_hash *cells;
	struct fbunit_hash *units;	/* for accuracy with units */
	FbLabelText *label_list;	/* label texts by id */
	uint32		nlabels;
	uint32		label_space;
	Size		bytes;			/* estimate of the memory in use */
	Size		limit;			/* bound of it */
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

extern FbMetricState *fb_metric_state_new(const FbLabelMetricInfo *info, bool has_unit,
										  Size limit, MemoryContext parent);
extern Size fb_metric_state_limit(void);
extern bool fb_metric_state_keeps_cells(const FbMetricState *state);
extern bool fb_metric_state_keeps_units(const FbMetricState *state);
extern void fb_metric_state_add(FbMetricState *state, const FbLabelText *gold,
								const FbLabelText *pred, const char *unit, int unit_len);
extern void fb_metric_state_merge(FbMetricState *state, const FbMetricState *other);
extern void fb_metric_state_content(const FbMetricState *state, FbMetricContent *content);

/*
 * Loading a state from outside: every reader goes through these, which check
 * all that can be wrong and raise sqlstate.
 */
extern void fb_metric_state_load_totals(FbMetricState *state, int64 rows, int64 correct, int sqlstate);
extern void fb_metric_state_load_label(FbMetricState *state, const char *data, uint32 len, int sqlstate);
extern void fb_metric_state_load_cell(FbMetricState *state, int64 bucket, int64 gold, int64 pred,
									  bool abstained, int64 count, int sqlstate);
extern void fb_metric_state_load_unit(FbMetricState *state, FbUnitId id, int64 rows, int64 correct,
									  int sqlstate);
extern void fb_metric_state_load_end(FbMetricState *state, int sqlstate);

/* metric_state_io.c */
extern const ExpandedObjectMethods fb_metric_state_methods;
extern FbMetricState *fb_metric_state_get(Datum value, MemoryContext parent);

#define FB_METRIC_STATE_MAGIC 0x66624d53	/* "fbMS" */

#endif							/* FB_METRIC_STATE_H */
