/*
 * fb_metric.c
 *		The table of metrics, and the score or the statistics of one row.
 */
#include "core/fb_metric.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define AVERAGED	(FB_PARAM_LEVEL | FB_PARAM_LABELS | FB_PARAM_ZERO_DIVISION)
#define BINARY		(FB_PARAM_LEVEL | FB_PARAM_POS | FB_PARAM_ZERO_DIVISION)
#define ROUGE		(FB_PARAM_LEVEL | FB_PARAM_UNICODE | FB_PARAM_SCORE)
#define CHRF		(FB_PARAM_LEVEL | FB_PARAM_CHAR_ORDER | FB_PARAM_WORD_ORDER | FB_PARAM_BETA | \
					 FB_PARAM_LOWERCASE | FB_PARAM_WHITESPACE | FB_PARAM_EPS)

static const FbMetricInfo metric_list[] = {
	{FB_METRIC_ACCURACY, "accuracy", FB_FAMILY_MEAN, FB_INPUT_LABELS, true, true, 0, 1, FB_PARAM_LEVEL,
	"share of right labels"},
	{FB_METRIC_BALANCED_ACCURACY, "balanced_accuracy", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1,
	FB_PARAM_LEVEL | FB_PARAM_ADJUSTED, "mean recall of the gold labels"},
	{FB_METRIC_PRECISION_MACRO, "precision_macro", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED,
	"mean precision of the labels"},
	{FB_METRIC_PRECISION_MICRO, "precision_micro", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED,
	"precision from summed counts"},
	{FB_METRIC_PRECISION_WEIGHTED, "precision_weighted", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED,
	"mean precision of the labels, weighted by their gold rows"},
	{FB_METRIC_PRECISION_BINARY, "precision_binary", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, BINARY,
	"precision of the label pos"},
	{FB_METRIC_RECALL_MACRO, "recall_macro", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED,
	"mean recall of the labels"},
	{FB_METRIC_RECALL_MICRO, "recall_micro", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED,
	"recall from summed counts"},
	{FB_METRIC_RECALL_WEIGHTED, "recall_weighted", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED,
	"mean recall of the labels, weighted by their gold rows"},
	{FB_METRIC_RECALL_BINARY, "recall_binary", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, BINARY,
	"recall of the label pos"},
	{FB_METRIC_F1_MACRO, "f1_macro", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED | FB_PARAM_BETA,
	"mean F of the labels"},
	{FB_METRIC_F1_MICRO, "f1_micro", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED | FB_PARAM_BETA,
	"F from summed counts"},
	{FB_METRIC_F1_WEIGHTED, "f1_weighted", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, AVERAGED | FB_PARAM_BETA,
	"mean F of the labels, weighted by their gold rows"},
	{FB_METRIC_F1_BINARY, "f1_binary", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, 0, 1, BINARY | FB_PARAM_BETA,
	"F of the label pos"},
	{FB_METRIC_MCC, "mcc", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, -1, 1, FB_PARAM_LEVEL,
	"correlation of gold and predicted labels (Matthews, Gorodkin)"},
	{FB_METRIC_COHEN_KAPPA, "cohen_kappa", FB_FAMILY_CELLS, FB_INPUT_LABELS, true, false, -1, 1,
	FB_PARAM_LEVEL | FB_PARAM_LABELS | FB_PARAM_WEIGHTS, "agreement beyond chance"},
	{FB_METRIC_INVALID_RATE, "invalid_rate", FB_FAMILY_MEAN, FB_INPUT_LABELS, false, true, 0, 1,
	FB_PARAM_LEVEL | FB_PARAM_LABELS, "share of answers outside the labels"},
	{FB_METRIC_ABSTAIN_RATE, "abstain_rate", FB_FAMILY_MEAN, FB_INPUT_LABELS, false, true, 0, 1, FB_PARAM_LEVEL,
	"share of rows without an answer"},
	{FB_METRIC_EXACT_MATCH, "exact_match", FB_FAMILY_MEAN, FB_INPUT_TEXTS, true, true, 0, 1,
	FB_PARAM_LEVEL | FB_PARAM_REGEXES | FB_PARAM_IGNORE, "share of texts that equal a reference"},
	{FB_METRIC_SQUAD_EM, "squad_em", FB_FAMILY_MEAN, FB_INPUT_TEXTS, true, true, 0, 1, FB_PARAM_LEVEL,
	"share of answers that equal a reference after SQuAD's normalisation"},
	{FB_METRIC_SQUAD_F1, "squad_f1", FB_FAMILY_MEAN, FB_INPUT_TEXTS, true, false, 0, 1, FB_PARAM_LEVEL | FB_PARAM_EMPTY,
	"mean F1 of the words of answers after SQuAD's normalisation"},
	{FB_METRIC_BLEU, "bleu", FB_FAMILY_SUMS, FB_INPUT_TEXTS, true, false, 0, 100,
		FB_PARAM_LEVEL | FB_PARAM_TOKENIZE | FB_PARAM_SMOOTH | FB_PARAM_SMOOTH_VALUE | FB_PARAM_EFFECTIVE | FB_PARAM_LOWERCASE | FB_PARAM_MAX_ORDER,
	"BLEU of the corpus, as sacreBLEU has it"},
	{FB_METRIC_CHRF, "chrf", FB_FAMILY_SUMS, FB_INPUT_TEXTS, true, false, 0, 100, CHRF,
	"chrF of the corpus, as sacreBLEU has it"},
	{FB_METRIC_CHRF_PLUS, "chrf++", FB_FAMILY_SUMS, FB_INPUT_TEXTS, true, false, 0, 100, CHRF,
	"chrF with words up to order 2"},
	{FB_METRIC_ROUGE_1, "rouge_1", FB_FAMILY_MEAN, FB_INPUT_TEXTS, true, false, 0, 1, ROUGE,
	"mean F1 of the words shared with a reference"},
	{FB_METRIC_ROUGE_2, "rouge_2", FB_FAMILY_MEAN, FB_INPUT_TEXTS, true, false, 0, 1, ROUGE,
	"mean F1 of the pairs of words shared with a reference"},
	{FB_METRIC_ROUGE_L, "rouge_l", FB_FAMILY_MEAN, FB_INPUT_TEXTS, true, false, 0, 1, ROUGE,
	"mean F1 of the longest common subsequence of words"},
	{FB_METRIC_WER, "wer", FB_FAMILY_SUMS, FB_INPUT_TEXTS, false, false, 0, INFINITY, FB_PARAM_LEVEL,
	"edits of words over words of the references"},
	{FB_METRIC_CER, "cer", FB_FAMILY_SUMS, FB_INPUT_TEXTS, false, false, 0, INFINITY, FB_PARAM_LEVEL | FB_PARAM_COLLAPSE,
	"edits of characters over characters of the references"},
	{FB_METRIC_LEVENSHTEIN_SIMILARITY, "levenshtein_similarity", FB_FAMILY_MEAN, FB_INPUT_TEXTS, true, false, 0, 1,
	FB_PARAM_LEVEL, "mean of 1 - edits / length of the longer text"},
	{FB_METRIC_ROC_AUC, "roc_auc", FB_FAMILY_SCORED, FB_INPUT_OUTCOME, true, false, 0, 1, FB_PARAM_LEVEL,
	"area under the ROC curve"},
	{FB_METRIC_AVERAGE_PRECISION, "average_precision", FB_FAMILY_SCORED, FB_INPUT_OUTCOME, true, false, 0, 1, FB_PARAM_LEVEL,
	"average precision"},
	{FB_METRIC_ECE, "ece", FB_FAMILY_SCORED, FB_INPUT_OUTCOME, false, false, 0, 1,
	FB_PARAM_LEVEL | FB_PARAM_BINS | FB_PARAM_NORM | FB_PARAM_STRATEGY, "expected calibration error"},
	{FB_METRIC_BRIER, "brier", FB_FAMILY_MEAN, FB_INPUT_OUTCOME, false, false, 0, 1, FB_PARAM_LEVEL,
	"mean squared distance of probability and outcome"},
	{FB_METRIC_LOG_LOSS, "log_loss", FB_FAMILY_MEAN, FB_INPUT_OUTCOME, false, false, 0, INFINITY, FB_PARAM_LEVEL,
	"mean of minus the logarithm of the probability of what happened"},
	{FB_METRIC_PERPLEXITY, "perplexity", FB_FAMILY_SUMS, FB_INPUT_TOTAL, false, false, 0, INFINITY, FB_PARAM_LEVEL,
	"exp(-sum of logarithms of probabilities / sum of tokens)"},
	{FB_METRIC_BITS_PER_BYTE, "bits_per_byte", FB_FAMILY_SUMS, FB_INPUT_TOTAL, false, false, 0, INFINITY, FB_PARAM_LEVEL,
	"-sum of logarithms of probabilities / (sum of bytes * ln 2)"},
	{FB_METRIC_PASS_AT_K, "pass_at_k", FB_FAMILY_PASS, FB_INPUT_LABELS, true, false, 0, 1, FB_PARAM_LEVEL | FB_PARAM_K,
	"mean over units of the probability that one of k samples is right"},
	{FB_METRIC_PASS_POW_K, "pass_pow_k", FB_FAMILY_PASS, FB_INPUT_LABELS, true, false, 0, 1, FB_PARAM_LEVEL | FB_PARAM_K,
	"mean over units of the probability that all of k samples are right"},
	{FB_METRIC_MEAN, "mean", FB_FAMILY_MEAN, FB_INPUT_SCORE, true, false, -INFINITY, INFINITY, FB_PARAM_LEVEL,
	"mean of the numbers in pred"},
};

#define METRIC_COUNT (sizeof(metric_list) / sizeof(metric_list[0]))

/* Returns the metric of that name, or NULL. */
const FbMetricInfo *
fb_metric_by_name(const char *name)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
	{
		if (strcmp(metric_list[i].name, name) == 0)
			return &metric_list[i];
	}
	return NULL;
}

/* Returns the metric with that stored number, or NULL. */
const FbMetricInfo *
fb_metric_by_id(int id)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
	{
		if ((int) metric_list[i].id == id)
			return &metric_list[i];
	}
	return NULL;
}

/* Returns all metrics and their number. */
const FbMetricInfo *
fb_metric_list(size_t *count)
{
	*count = METRIC_COUNT;
	return metric_list;
}

/* Tells what a label metric computes, and over which labels. */
static void
label_defaults(FbMetric id, FbLabelOptions *label)
{
	switch (id)
	{
		case FB_METRIC_PRECISION_MACRO:
		case FB_METRIC_PRECISION_MICRO:
		case FB_METRIC_PRECISION_WEIGHTED:
		case FB_METRIC_PRECISION_BINARY:
			label->kind = FB_LABEL_PRECISION;
			break;
		case FB_METRIC_RECALL_MACRO:
		case FB_METRIC_RECALL_MICRO:
		case FB_METRIC_RECALL_WEIGHTED:
		case FB_METRIC_RECALL_BINARY:
			label->kind = FB_LABEL_RECALL;
			break;
		case FB_METRIC_BALANCED_ACCURACY:
			label->kind = FB_LABEL_BALANCED_ACCURACY;
			break;
		case FB_METRIC_MCC:
			label->kind = FB_LABEL_MCC;
			break;
		case FB_METRIC_COHEN_KAPPA:
			label->kind = FB_LABEL_KAPPA;
			label->set = FB_LABELS_UNION;
			break;
		default:
			label->kind = FB_LABEL_F;
			break;
	}
	switch (id)
	{
		case FB_METRIC_PRECISION_MICRO:
		case FB_METRIC_RECALL_MICRO:
		case FB_METRIC_F1_MICRO:
			label->average = FB_AVERAGE_MICRO;
			break;
		case FB_METRIC_PRECISION_WEIGHTED:
		case FB_METRIC_RECALL_WEIGHTED:
		case FB_METRIC_F1_WEIGHTED:
			label->average = FB_AVERAGE_WEIGHTED;
			break;
		case FB_METRIC_PRECISION_BINARY:
		case FB_METRIC_RECALL_BINARY:
		case FB_METRIC_F1_BINARY:
			label->average = FB_AVERAGE_BINARY;
			break;
		default:
			label->average = FB_AVERAGE_MACRO;
			break;
	}
}

/* Sets the options of a metric that is given none. */
void
fb_metric_defaults(const FbMetricInfo *info, FbMetricOptions *options)
{
	memset(options, 0, sizeof(*options));
	options->level = 0.95;
	options->label.beta = 1.0;
	label_defaults(info->id, &options->label);
	options->bleu = (FbBleuOptions) {.tokenizer = FB_TOKENIZE_13A,.smoothing = FB_SMOOTH_EXP,.max_order = 4};
	options->chrf = (FbChrfOptions) {.char_order = 6,.word_order = info->id == FB_METRIC_CHRF_PLUS ? 2 : 0,.beta = 2.0};
	options->scored.kind = info->id == FB_METRIC_ROC_AUC ? FB_SCORED_ROC_AUC :
		info->id == FB_METRIC_AVERAGE_PRECISION ? FB_SCORED_AVERAGE_PRECISION : FB_SCORED_ECE;
	options->scored.bins = 15;
	options->empty_is_right = true;
	options->k = 1;
}

/* Tells what an estimate of the metric is made for. */
FbTarget
fb_metric_target(const FbMetricInfo *info, const FbMetricOptions *options, bool paired)
{
	FbTarget	target = {options->level, info->lowest, info->highest, paired, info->binary};

	/* What chance gives is 0 then, and less is possible. */
	if (info->id == FB_METRIC_BALANCED_ACCURACY && options->label.adjusted)
		target.lowest = -1.0;
	return target;
}

/* Returns the number of statistics that a row gives. */
int
fb_metric_statistics(const FbMetricInfo *info, const FbMetricOptions *options)
{
	switch (info->id)
	{
		case FB_METRIC_BLEU:
			return FB_BLEU_STATISTICS(options->bleu.max_order);
		case FB_METRIC_CHRF:
		case FB_METRIC_CHRF_PLUS:
			return FB_CHRF_STATISTICS(options->chrf.char_order + options->chrf.word_order);
		default:
			return info->family == FB_FAMILY_SUMS ? 2 : 1;
	}
}

/* Evaluates a metric from sums of statistics; false where it is undefined. */
bool
fb_metric_value(const FbMetricInfo *info, const FbMetricOptions *options, const double *sums, double *value)
{
	switch (info->id)
	{
		case FB_METRIC_BLEU:
			*value = fb_bleu_score(&options->bleu, sums);
			return true;
		case FB_METRIC_CHRF:
		case FB_METRIC_CHRF_PLUS:
			*value = fb_chrf_score(&options->chrf, sums);
			return true;
		case FB_METRIC_WER:
		case FB_METRIC_CER:
			*value = fb_error_rate(sums[0], sums[1]);
			return true;
		case FB_METRIC_PERPLEXITY:
			*value = exp(-sums[0] / sums[1]);
			return sums[1] > 0.0 && isfinite(*value);
		case FB_METRIC_BITS_PER_BYTE:
			*value = -sums[0] / (sums[1] * 0.693147180559945309417232121458176568);
			return sums[1] > 0.0 && isfinite(*value);
		default:
			return false;
	}
}

/* Scores a text against one reference. */
static double
text_score(FbWork *work, const FbMetricInfo *info, const FbMetricOptions *options, FbCodes pred, FbCodes ref)
{
	FbOverlap	overlap;

	switch (info->id)
	{
		case FB_METRIC_EXACT_MATCH:
			return fb_codes_equal(pred, fb_match_normalize(work, &options->match, ref));
		case FB_METRIC_SQUAD_EM:
			return fb_squad_match(work, pred, ref);
		case FB_METRIC_SQUAD_F1:
			return fb_squad_overlap(work, pred, ref, options->empty_is_right).f1;
		case FB_METRIC_LEVENSHTEIN_SIMILARITY:
			return fb_levenshtein_similarity(work, pred, ref);
		default:
			overlap = fb_rouge(work, info->id == FB_METRIC_ROUGE_1 ? 1 : info->id == FB_METRIC_ROUGE_2 ? 2 : FB_ROUGE_L,
							   options->ascii, pred, ref);
			return options->rouge_score == FB_ROUGE_PRECISION ? overlap.precision :
				options->rouge_score == FB_ROUGE_RECALL ? overlap.recall : overlap.f1;
	}
}

/* Counts errors against the reference with the lowest rate of them. */
static void
count_errors(FbWork *work, const FbMetricInfo *info, const FbMetricOptions *options, FbCodes pred,
			 const FbCodes *refs, size_t count, double *statistics)
{
	for (size_t i = 0; i < count; i++)
	{
		int64_t		length;
		int64_t		errors = info->id == FB_METRIC_WER ? fb_word_errors(work, pred, refs[i], &length) :
			fb_character_errors(work, pred, refs[i], options->collapse, &length);

		if (i == 0 || fb_error_rate((double) errors, (double) length) < fb_error_rate(statistics[0], statistics[1]))
		{
			statistics[0] = (double) errors;
			statistics[1] = (double) length;
		}
	}
}

/*
 * Computes the score or the statistics of a row of texts; with several
 * references the best one counts. pred is NULL for an abstention, which scores
 * 0 and is an empty text to the metrics that count. Regular expressions of
 * exact match have been applied before.
 */
void
fb_metric_text_row(FbWork *work, const FbMetricInfo *info, const FbMetricOptions *options,
				   const FbCodes *pred, const FbCodes *refs, size_t count, double *statistics)
{
	FbCodes		text = {NULL, 0};

	if (pred != NULL)
		text = *pred;
	switch (info->id)
	{
		case FB_METRIC_BLEU:
			fb_bleu_statistics(work, &options->bleu, text, refs, count, statistics);
			return;
		case FB_METRIC_CHRF:
		case FB_METRIC_CHRF_PLUS:
			fb_chrf_statistics(work, &options->chrf, text, refs, count, statistics);
			return;
		case FB_METRIC_WER:
		case FB_METRIC_CER:
			count_errors(work, info, options, text, refs, count, statistics);
			return;
		default:
			break;
	}
	statistics[0] = 0.0;
	if (pred == NULL)
		return;
	if (info->id == FB_METRIC_EXACT_MATCH)
		text = fb_match_normalize(work, &options->match, text);
	for (size_t i = 0; i < count; i++)
		statistics[0] = fmax(statistics[0], text_score(work, info, options, text, refs[i]));
}

/* Scores a probability: Brier (1950), or the logarithm of what happened, cut at the distance of 1 to the next number. */
double
fb_metric_outcome_row(const FbMetricInfo *info, double p, bool outcome)
{
	double		truth = outcome ? p : 1.0 - p;

	if (info->id == FB_METRIC_LOG_LOSS)
		return -log(fmin(1.0 - DBL_EPSILON, fmax(DBL_EPSILON, truth)));
	return (1.0 - truth) * (1.0 - truth);
}
