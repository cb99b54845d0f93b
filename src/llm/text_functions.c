/*
 * text_functions.c
 *		Scores of single rows: exact_match, squad_em, token_f1, bleu, chrf,
 *		rouge, wer, cer, levenshtein, pass_at_k and their like. They are
 *		immutable: nothing in them asks a locale.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/fb_edit.h"
#include "llm/metric_row.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_exact_match);
PG_FUNCTION_INFO_V1(fb_squad_em);
PG_FUNCTION_INFO_V1(fb_token_f1);
PG_FUNCTION_INFO_V1(fb_bleu);
PG_FUNCTION_INFO_V1(fb_bleu_stats);
PG_FUNCTION_INFO_V1(fb_bleu_from_stats);
PG_FUNCTION_INFO_V1(fb_chrf);
PG_FUNCTION_INFO_V1(fb_rouge_sql);
PG_FUNCTION_INFO_V1(fb_wer);
PG_FUNCTION_INFO_V1(fb_cer);
PG_FUNCTION_INFO_V1(fb_levenshtein);
PG_FUNCTION_INFO_V1(fb_levenshtein_similarity_sql);
PG_FUNCTION_INFO_V1(fb_pass_at_k_sql);
PG_FUNCTION_INFO_V1(fb_pass_pow_k_sql);

/* The options of a call, kept from call to call. */
typedef struct CallParams
{
	FbMetric	metric;
	FbMetricParams *params;
	MemoryContext context;
} CallParams;

/* Returns the options in an argument, read when they differ from those of the call before. */
static FbMetricParams *
call_params(FunctionCallInfo fcinfo, int argument, FbMetric metric)
{
	CallParams *call = fcinfo->flinfo->fn_extra;
	Jsonb	   *source = argument < PG_NARGS() ? PG_GETARG_JSONB_P(argument) : NULL;

	if (call == NULL)
	{
		call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallParams));
		call->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "featbit metric parameters",
											  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = call;
	}
	if (call->params == NULL || call->metric != metric || !fb_metric_params_same(call->params, source))
	{
		call->params = NULL;
		MemoryContextReset(call->context);
		call->params = fb_metric_params(fb_metric_by_id(metric), source, call->context);
		call->metric = metric;
		/* A single text is its own corpus: orders that it does not have do not count. */
		if (metric == FB_METRIC_BLEU &&
			(source == NULL || getKeyJsonValueFromContainer(&source->root, "effective_order", 15, NULL) == NULL))
			call->params->options.bleu.effective_order = true;
	}
	return call->params;
}

/* Computes the statistics of a row with pred in argument 0 and refs in argument 1; false without a reference. */
static bool
row_statistics(FunctionCallInfo fcinfo, FbMetric metric, const FbMetricParams *params, double *statistics)
{
	FbServerWork server;
	FbCodes    *refs;
	FbCodes		pred;
	int			count;

	fb_server_work_begin(&server);
	refs = fb_metric_read_refs(&server, params, PG_GETARG_ARRAYTYPE_P(1), &count);
	if (count == 0)
		return false;
	pred = fb_metric_read_text(&server, params, PG_GETARG_TEXT_PP(0));
	fb_metric_text_row(&server.work, fb_metric_by_id(metric), &params->options, &pred, refs, count, statistics);
	return true;
}

/* Tells whether a text equals a reference. */
Datum
fb_exact_match(PG_FUNCTION_ARGS)
{
	double		score;

	if (!row_statistics(fcinfo, FB_METRIC_EXACT_MATCH, call_params(fcinfo, 2, FB_METRIC_EXACT_MATCH), &score))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(score > 0.0);
}

/* Tells whether an answer equals a reference after SQuAD's normalisation. */
Datum
fb_squad_em(PG_FUNCTION_ARGS)
{
	double		score;

	if (!row_statistics(fcinfo, FB_METRIC_SQUAD_EM, call_params(fcinfo, 2, FB_METRIC_SQUAD_EM), &score))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(score > 0.0);
}

/* Returns the F1 of the words of an answer after SQuAD's normalisation. */
Datum
fb_token_f1(PG_FUNCTION_ARGS)
{
	double		score;

	if (!row_statistics(fcinfo, FB_METRIC_SQUAD_F1, call_params(fcinfo, 2, FB_METRIC_SQUAD_F1), &score))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(score);
}

/* Returns the BLEU of one text. */
Datum
fb_bleu(PG_FUNCTION_ARGS)
{
	FbMetricParams *params = call_params(fcinfo, 2, FB_METRIC_BLEU);
	double		statistics[FB_BLEU_STATISTICS(FB_BLEU_MAX_ORDER)];

	if (!row_statistics(fcinfo, FB_METRIC_BLEU, params, statistics))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(fb_bleu_score(&params->options.bleu, statistics));
}

/* Returns the statistics of BLEU of one text, which add up over a corpus. */
Datum
fb_bleu_stats(PG_FUNCTION_ARGS)
{
	FbMetricParams *params = call_params(fcinfo, 2, FB_METRIC_BLEU);
	double		statistics[FB_BLEU_STATISTICS(FB_BLEU_MAX_ORDER)];
	Datum		elements[FB_BLEU_STATISTICS(FB_BLEU_MAX_ORDER)];
	int			count = FB_BLEU_STATISTICS(params->options.bleu.max_order);

	if (!row_statistics(fcinfo, FB_METRIC_BLEU, params, statistics))
		PG_RETURN_NULL();
	for (int i = 0; i < count; i++)
		elements[i] = Int64GetDatum((int64) statistics[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Returns the BLEU of summed statistics. */
Datum
fb_bleu_from_stats(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	FbMetricParams *params = fb_metric_params(fb_metric_by_id(FB_METRIC_BLEU), PG_GETARG_JSONB_P(1), CurrentMemoryContext);
	double		statistics[FB_BLEU_STATISTICS(FB_BLEU_MAX_ORDER)];
	int			count = FB_BLEU_STATISTICS(params->options.bleu.max_order);
	const int64 *elements = (const int64 *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != count || ARR_HASNULL(array))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("statistics of BLEU up to order %d must be an array of %d numbers",
						params->options.bleu.max_order, count),
				 errdetail("They are the length, the reference length, the hits of each order, and the n-grams of each order.")));
	for (int i = 0; i < count; i++)
	{
		if (elements[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a statistic of BLEU must not be negative")));
		statistics[i] = (double) elements[i];
	}
	PG_RETURN_FLOAT8(fb_bleu_score(&params->options.bleu, statistics));
}

/* Returns the chrF of one text. */
Datum
fb_chrf(PG_FUNCTION_ARGS)
{
	FbMetricParams *params = call_params(fcinfo, 2, FB_METRIC_CHRF);
	double		statistics[FB_MAX_STATISTICS];

	if (!row_statistics(fcinfo, FB_METRIC_CHRF, params, statistics))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(fb_chrf_score(&params->options.chrf, statistics));
}

/* Returns precision, recall and F1 of ROUGE. */
Datum
fb_rouge_sql(PG_FUNCTION_ARGS)
{
	text	   *kind = PG_GETARG_TEXT_PP(2);
	const FbMetricInfo *info = fb_metric_named(VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
	FbMetricParams *params;
	FbServerWork server;
	FbCodes		pred;
	FbCodes		ref;
	FbOverlap	overlap;
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (info->id != FB_METRIC_ROUGE_1 && info->id != FB_METRIC_ROUGE_2 && info->id != FB_METRIC_ROUGE_L)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no kind of ROUGE", info->name),
				 errdetail("The kinds are rouge_1, rouge_2 and rouge_l.")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	params = call_params(fcinfo, 3, info->id);
	fb_server_work_begin(&server);
	pred = fb_metric_read_text(&server, NULL, PG_GETARG_TEXT_PP(0));
	ref = fb_metric_read_text(&server, NULL, PG_GETARG_TEXT_PP(1));
	overlap = fb_rouge(&server.work, info->id == FB_METRIC_ROUGE_1 ? 1 : info->id == FB_METRIC_ROUGE_2 ? 2 : FB_ROUGE_L,
					   params->options.ascii, pred, ref);
	values[0] = Float8GetDatum(overlap.precision);
	values[1] = Float8GetDatum(overlap.recall);
	values[2] = Float8GetDatum(overlap.f1);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* Reads the two texts of a function. */
static void
two_texts(FunctionCallInfo fcinfo, FbServerWork *server, FbCodes *a, FbCodes *b)
{
	fb_server_work_begin(server);
	*a = fb_metric_read_text(server, NULL, PG_GETARG_TEXT_PP(0));
	*b = fb_metric_read_text(server, NULL, PG_GETARG_TEXT_PP(1));
}

/* Returns the word error rate of one text. */
Datum
fb_wer(PG_FUNCTION_ARGS)
{
	FbServerWork server;
	FbCodes		pred;
	FbCodes		ref;
	int64_t		errors;
	int64_t		length;

	two_texts(fcinfo, &server, &pred, &ref);
	errors = fb_word_errors(&server.work, pred, ref, &length);
	PG_RETURN_FLOAT8(fb_error_rate((double) errors, (double) length));
}

/* Returns the character error rate of one text. */
Datum
fb_cer(PG_FUNCTION_ARGS)
{
	FbMetricParams *params = call_params(fcinfo, 2, FB_METRIC_CER);
	FbServerWork server;
	FbCodes		pred;
	FbCodes		ref;
	int64_t		errors;
	int64_t		length;

	two_texts(fcinfo, &server, &pred, &ref);
	errors = fb_character_errors(&server.work, pred, ref, params->options.collapse, &length);
	PG_RETURN_FLOAT8(fb_error_rate((double) errors, (double) length));
}

/* Returns the edit distance of two texts in characters. */
Datum
fb_levenshtein(PG_FUNCTION_ARGS)
{
	FbServerWork server;
	FbCodes		a;
	FbCodes		b;

	two_texts(fcinfo, &server, &a, &b);
	PG_RETURN_INT64(fb_edit_distance(&server.work, (FbTokens) {a.codes, a.count}, (FbTokens) {b.codes, b.count}));
}

/* Returns the similarity of two texts by their edit distance. */
Datum
fb_levenshtein_similarity_sql(PG_FUNCTION_ARGS)
{
	FbServerWork server;
	FbCodes		a;
	FbCodes		b;

	two_texts(fcinfo, &server, &a, &b);
	PG_RETURN_FLOAT8(fb_levenshtein_similarity(&server.work, a, b));
}

/* Returns pass@k or pass^k. */
static Datum
pass(FunctionCallInfo fcinfo, bool (*function) (int64_t, int64_t, int64_t, double *))
{
	int64		n = PG_GETARG_INT32(0);
	int64		c = PG_GETARG_INT32(1);
	int64		k = PG_GETARG_INT32(2);
	double		value;

	if (n < 0 || c < 0 || c > n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the right samples must be between 0 and all %lld samples, not %lld",
						(long long) n, (long long) c)));
	if (k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be at least 1, not %lld", (long long) k)));
	if (!function(n, c, k, &value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

/* Returns the probability that one of k samples is right. */
Datum
fb_pass_at_k_sql(PG_FUNCTION_ARGS)
{
	return pass(fcinfo, fb_pass_at_k);
}

/* Returns the probability that all of k samples are right. */
Datum
fb_pass_pow_k_sql(PG_FUNCTION_ARGS)
{
	return pass(fcinfo, fb_pass_pow_k);
}
