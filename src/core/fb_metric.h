/*
 * fb_metric.h
 *		The metrics there are, what they take, and what they make of one row.
 */
#ifndef FB_METRIC_H
#define FB_METRIC_H

#include "core/fb_answer.h"
#include "core/fb_bleu.h"
#include "core/fb_chrf.h"
#include "core/fb_label_metrics.h"
#include "core/fb_scored.h"

/* Changes when a metric gives another number for the same rows. */
#define FB_METRIC_RULES "featbit_pg-1"

/* Stored in states: append only, never renumber. */
typedef enum FbMetric
{
	FB_METRIC_ACCURACY = 1,
	FB_METRIC_PRECISION_MACRO,
	FB_METRIC_PRECISION_MICRO,
	FB_METRIC_PRECISION_WEIGHTED,
	FB_METRIC_RECALL_MACRO,
	FB_METRIC_RECALL_MICRO,
	FB_METRIC_RECALL_WEIGHTED,
	FB_METRIC_F1_MACRO,
	FB_METRIC_F1_MICRO,
	FB_METRIC_F1_WEIGHTED,
	FB_METRIC_MCC,
	FB_METRIC_PRECISION_BINARY,
	FB_METRIC_RECALL_BINARY,
	FB_METRIC_F1_BINARY,
	FB_METRIC_BALANCED_ACCURACY,
	FB_METRIC_COHEN_KAPPA,
	FB_METRIC_INVALID_RATE,
	FB_METRIC_ABSTAIN_RATE,
	FB_METRIC_EXACT_MATCH,
	FB_METRIC_SQUAD_EM,
	FB_METRIC_SQUAD_F1,
	FB_METRIC_BLEU,
	FB_METRIC_CHRF,
	FB_METRIC_CHRF_PLUS,
	FB_METRIC_ROUGE_1,
	FB_METRIC_ROUGE_2,
	FB_METRIC_ROUGE_L,
	FB_METRIC_WER,
	FB_METRIC_CER,
	FB_METRIC_LEVENSHTEIN_SIMILARITY,
	FB_METRIC_ROC_AUC,
	FB_METRIC_AVERAGE_PRECISION,
	FB_METRIC_ECE,
	FB_METRIC_BRIER,
	FB_METRIC_LOG_LOSS,
	FB_METRIC_PERPLEXITY,
	FB_METRIC_BITS_PER_BYTE,
	FB_METRIC_PASS_AT_K,
	FB_METRIC_PASS_POW_K,
	FB_METRIC_MEAN
} FbMetric;

/* How rows are summed up. */
typedef enum FbFamily
{
	FB_FAMILY_MEAN,				/* a score of each row, averaged */
	FB_FAMILY_CELLS,			/* counts of pairs of labels */
	FB_FAMILY_SUMS,				/* a function of sums of statistics */
	FB_FAMILY_SCORED,			/* rows are kept and sorted */
	FB_FAMILY_PASS				/* right answers of each unit */
} FbFamily;

/* What pred and refs are. */
typedef enum FbInput
{
	FB_INPUT_LABELS,			/* labels; refs[1] is gold */
	FB_INPUT_TEXTS,				/* texts; every reference counts */
	FB_INPUT_OUTCOME,			/* a number; refs[1] is a boolean */
	FB_INPUT_TOTAL,				/* a number; refs[1] is a positive number */
	FB_INPUT_SCORE				/* a number; refs are not looked at */
} FbInput;

/* Options, as bits of what a metric takes; see parameter_list. */
#define FB_PARAM_LEVEL			(1 << 0)
#define FB_PARAM_LABELS			(1 << 1)
#define FB_PARAM_POS			(1 << 2)
#define FB_PARAM_BETA			(1 << 3)
#define FB_PARAM_ZERO_DIVISION	(1 << 4)
#define FB_PARAM_WEIGHTS		(1 << 5)
#define FB_PARAM_ADJUSTED		(1 << 6)
#define FB_PARAM_TOKENIZE		(1 << 7)
#define FB_PARAM_SMOOTH			(1 << 8)
#define FB_PARAM_SMOOTH_VALUE	(1 << 9)
#define FB_PARAM_EFFECTIVE		(1 << 10)
#define FB_PARAM_LOWERCASE		(1 << 11)
#define FB_PARAM_MAX_ORDER		(1 << 12)
#define FB_PARAM_CHAR_ORDER		(1 << 13)
#define FB_PARAM_WORD_ORDER		(1 << 14)
#define FB_PARAM_WHITESPACE		(1 << 15)
#define FB_PARAM_EPS			(1 << 16)
#define FB_PARAM_UNICODE		(1 << 17)
#define FB_PARAM_SCORE			(1 << 18)
#define FB_PARAM_REGEXES		(1 << 19)
#define FB_PARAM_IGNORE			(1 << 20)
#define FB_PARAM_EMPTY			(1 << 21)
#define FB_PARAM_COLLAPSE		(1 << 22)
#define FB_PARAM_BINS			(1 << 23)
#define FB_PARAM_NORM			(1 << 24)
#define FB_PARAM_STRATEGY		(1 << 25)
#define FB_PARAM_K				(1 << 26)

typedef struct FbMetricInfo
{
	FbMetric	id;
	const char *name;
	FbFamily	family;
	FbInput		input;
	bool		higher_is_better;
	bool		binary;			/* scores of rows are 0 or 1 */
	double		lowest;			/* range of the metric; intervals are cut to it */
	double		highest;
	uint32_t	params;
	const char *summary;
} FbMetricInfo;

typedef enum FbRougeScore
{
	FB_ROUGE_F1,
	FB_ROUGE_PRECISION,
	FB_ROUGE_RECALL
} FbRougeScore;

typedef struct FbMetricOptions
{
	double		level;
	FbLabelOptions label;		/* without what depends on the labels of the data */
	FbBleuOptions bleu;
	FbChrfOptions chrf;
	FbMatchOptions match;
	FbScoredOptions scored;
	FbRougeScore rouge_score;
	bool		ascii;			/* ROUGE: letters of ASCII alone */
	bool		empty_is_right; /* SQuAD version 2 */
	bool		collapse;		/* CER: runs of white space are one blank */
	int64_t		k;
} FbMetricOptions;

/* The largest number of statistics of one system. */
#define FB_MAX_STATISTICS FB_CHRF_STATISTICS(FB_CHRF_MAX_CHAR_ORDER + FB_CHRF_MAX_WORD_ORDER)

extern const FbMetricInfo *fb_metric_by_name(const char *name);
extern const FbMetricInfo *fb_metric_by_id(int id);
extern const FbMetricInfo *fb_metric_list(size_t *count);

extern void fb_metric_defaults(const FbMetricInfo *info, FbMetricOptions *options);
extern FbTarget fb_metric_target(const FbMetricInfo *info, const FbMetricOptions *options, bool paired);
extern int	fb_metric_statistics(const FbMetricInfo *info, const FbMetricOptions *options);
extern bool fb_metric_value(const FbMetricInfo *info, const FbMetricOptions *options, const double *sums, double *value);
extern void fb_metric_text_row(FbWork *work, const FbMetricInfo *info, const FbMetricOptions *options,
							   const FbCodes *pred, const FbCodes *refs, size_t count, double *statistics);
extern double fb_metric_outcome_row(const FbMetricInfo *info, double p, bool outcome);

extern void fb_sums_estimate_buckets(const FbTarget *target, const FbMetricInfo *info, const FbMetricOptions *options,
									 const int64_t *rows, const double *const *sums, FbEstimate *result);
extern void fb_sums_estimate_rows(const FbTarget *target, const FbMetricInfo *info, const FbMetricOptions *options,
								  int64_t rows, const double *sums, const double *products, FbEstimate *result);

#endif							/* FB_METRIC_H */
