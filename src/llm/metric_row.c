/*
 * metric_row.c
 *		Reads the arguments pred and refs as each metric means them.
 */
#include "postgres.h"

#include <math.h>

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "llm/metric_row.h"
#include "pg_compat.h"

/* Statistics, labels and texts of the row that is being read; rows are read one at a time. */
static double statistics[2 * FB_MAX_STATISTICS];
static FbLabelText gold_label;
static FbLabelText pred_labels[2];

/* Polls while a regular expression is matched. */
static void
regex_poll(const FbContext *context)
{
	CHECK_FOR_INTERRUPTS();
}

/* Deletes what the patterns of exact match find. */
static FbCodes
delete_matches(FbServerWork *server, const FbMetricParams *params, const char *data, int len)
{
	char	   *subject = pg_server_to_any(data, len, PG_UTF8);
	uint32		length = subject == data ? (uint32) len : (uint32) strlen(subject);

	for (uint32 i = 0; i < params->nregexes; i++)
	{
		char	   *rest = server->work.allocate(&server->work, length + 1);
		uint32		rest_length;

		switch (fb_regex_delete(params->regexes[i], (FbString) {subject, length}, rest, &rest_length, regex_poll, NULL))
		{
			case FB_REGEX_ENCODING:
				ereport(ERROR,
						(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
						 errmsg("a text is not valid UTF-8")));
				break;
			case FB_REGEX_LIMIT:
				ereport(ERROR,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("a regular expression of the parameter \"regexes\" needs too much work"),
						 errhint("Write the pattern so that it decides sooner, without nested repetition.")));
				break;
			default:
				break;
		}
		subject = rest;
		length = rest_length;
	}
	return fb_text_decode(&server->work, subject, length);
}

/* Reads a text of a row. */
FbCodes
fb_metric_read_text(FbServerWork *server, const FbMetricParams *params, const text *value)
{
	if (params != NULL && params->nregexes > 0)
		return delete_matches(server, params, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	return fb_server_codes(server, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* Refuses references in more than one dimension. */
static void
check_refs(ArrayType *refs)
{
	if (ARR_NDIM(refs) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("refs must be a one-dimensional array"),
				 errdetail("The array has %d dimensions.", ARR_NDIM(refs))));
}

/* Reads all references of a row; NULLs are left out. */
FbCodes *
fb_metric_read_refs(FbServerWork *server, const FbMetricParams *params, ArrayType *refs, int *count)
{
	FbCodes    *codes;
	char	   *element;
	bits8	   *nulls;
	int			size;

	*count = 0;
	check_refs(refs);
	if (ARR_NDIM(refs) == 0)
		return NULL;
	size = ARR_DIMS(refs)[0];
	codes = server->work.allocate(&server->work, sizeof(FbCodes) * size);
	element = ARR_DATA_PTR(refs);
	nulls = ARR_NULLBITMAP(refs);
	for (int i = 0; i < size; i++)
	{
		if (nulls != NULL && (nulls[i / 8] & (1 << i % 8)) == 0)
			continue;
		element = (char *) att_align_pointer(element, TYPALIGN_INT, -1, element);
		codes[(*count)++] = fb_metric_read_text(server, params, DatumGetTextPP(PointerGetDatum(element)));
		element = att_addlength_pointer(element, -1, element);
	}
	return codes;
}

/* Reads refs[1]; returns NULL where a row has none. */
static text *
first_ref(ArrayType *refs)
{
	Datum		element;
	bool		isnull;
	int			subscript = 1;

	check_refs(refs);
	if (ARR_NDIM(refs) == 0)
		return NULL;
	element = array_get_element(PointerGetDatum(refs), 1, &subscript, -1, -1, false, TYPALIGN_INT, &isnull);
	return isnull ? NULL : DatumGetTextPP(element);
}

/* Reads a number. */
static double
number_of(const text *value, const FbMetricInfo *info, const char *argument)
{
	char	   *digits = text_to_cstring(value);
	char	   *end;
	double		number;

	errno = 0;
	number = strtod(digits, &end);
	while (*end != '\0' && strchr(" \t\n\r", *end))
		end++;
	if (end == digits || *end != '\0' || (errno == ERANGE && (number > 1.0 || number < -1.0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid number \"%s\"", digits),
				 errdetail("Metric \"%s\" reads %s as a number.", info->name, argument)));
	pfree(digits);
	return number;
}

/* Reads an outcome. */
static bool
outcome_of(const text *value, const FbMetricInfo *info)
{
	bool		outcome;

	if (!parse_bool_with_len(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), &outcome))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid outcome \"%s\"", text_to_cstring(value)),
				 errdetail("Metric \"%s\" reads refs[1] as a boolean.", info->name)));
	return outcome;
}

/* Checks a score: false if it is no number and does not count; errors for what a metric cannot take. */
bool
fb_metric_check_score(const FbMetricInfo *info, double score)
{
	bool		is_rank = info->id == FB_METRIC_ROC_AUC || info->id == FB_METRIC_AVERAGE_PRECISION;

	if (isnan(score))
	{
		if (is_rank)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a score of metric \"%s\" is NaN", info->name),
					 errhint("Leave out rows that were not scored, or give NULL.")));
		return false;
	}
	if (info->input == FB_INPUT_OUTCOME && !is_rank && !(score >= 0.0 && score <= 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("metric \"%s\" takes probabilities from 0 to 1, not %s", info->name,
						float8out_internal(score))));
	if (!is_rank && isinf(score))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a score of metric \"%s\" is infinite", info->name)));
	return true;
}

/* Sets a label from a text. */
static void
set_label(FbLabelText *label, const text *value)
{
	label->data = VARDATA_ANY(value);
	label->len = VARSIZE_ANY_EXHDR(value);
}

/* Tells whether a prediction is among the labels given. */
static bool
is_given(const FbMetricParams *params, const FbLabelText *label)
{
	for (uint32 i = 0; i < params->nlabels; i++)
	{
		if (params->labels[i].len == label->len && memcmp(params->labels[i].data, label->data, label->len) == 0)
			return true;
	}
	return false;
}

/* Scores a row of labels. */
static double
label_score(const FbMetricState *state, const FbLabelText *pred)
{
	switch (state->info->id)
	{
		case FB_METRIC_ABSTAIN_RATE:
			return pred == NULL;
		case FB_METRIC_INVALID_RATE:
			return pred != NULL && !is_given(state->params, pred);
		default:
			return pred != NULL && pred->len == gold_label.len &&
				memcmp(pred->data, gold_label.data, pred->len) == 0;
	}
}

/* Reads a row of labels. */
static bool
read_labels(FbMetricState *state, text *const *preds, ArrayType *refs, FbMetricRow *row)
{
	text	   *gold = refs == NULL ? NULL : first_ref(refs);

	if (gold == NULL)
		return false;
	set_label(&gold_label, gold);
	row->gold = &gold_label;
	for (int s = 0; s <= (int) state->paired; s++)
	{
		row->pred[s] = NULL;
		if (preds[s] != NULL)
		{
			set_label(&pred_labels[s], preds[s]);
			row->pred[s] = &pred_labels[s];
		}
		if (state->info->family != FB_FAMILY_CELLS)
			statistics[s] = label_score(state, row->pred[s]);
	}
	return true;
}

/* Reads a row of texts. */
static bool
read_texts(FbMetricState *state, text *const *preds, ArrayType *refs)
{
	FbServerWork server;
	int			count = 0;
	int			width = state->width / (state->paired ? 2 : 1);
	FbCodes    *codes;

	if (refs == NULL)
		return false;
	fb_server_work_begin(&server);
	codes = fb_metric_read_refs(&server, state->params, refs, &count);
	if (count == 0)
		return false;
	for (int s = 0; s <= (int) state->paired; s++)
	{
		FbCodes		pred;

		if (preds[s] != NULL)
			pred = fb_metric_read_text(&server, state->params, preds[s]);
		fb_metric_text_row(&server.work, state->info, &state->params->options, preds[s] ? &pred : NULL,
						   codes, count, &statistics[s * width]);
	}
	return true;
}

/* Reads a row of numbers; one that is missing in either system is not scored. */
static bool
read_numbers(FbMetricState *state, text *const *preds, ArrayType *refs, FbMetricRow *row)
{
	const FbMetricInfo *info = state->info;
	text	   *ref = NULL;
	double		total = 0.0;

	if (info->input != FB_INPUT_SCORE)
	{
		ref = refs == NULL ? NULL : first_ref(refs);
		if (ref == NULL)
			return false;
	}
	if (info->input == FB_INPUT_OUTCOME)
		row->outcome = outcome_of(ref, info);
	else if (info->input == FB_INPUT_TOTAL)
	{
		total = number_of(ref, info, "refs[1]");
		if (!(total >= 0.0) || isinf(total))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("metric \"%s\" takes a number of units in refs[1] that is not negative, not %s",
							info->name, float8out_internal(total))));
	}
	for (int s = 0; s <= (int) state->paired; s++)
	{
		double		number;

		if (preds[s] == NULL)
			return false;
		number = number_of(preds[s], info, "pred");
		if (!fb_metric_check_score(info, number))
			return false;
		if (info->family == FB_FAMILY_SUMS)
		{
			statistics[2 * s] = number;
			statistics[2 * s + 1] = total;
		}
		else if (info->input == FB_INPUT_OUTCOME && info->family == FB_FAMILY_MEAN)
			statistics[s] = fb_metric_outcome_row(info, number, row->outcome);
		else
			statistics[s] = number;
	}
	return true;
}

/*
 * Reads a row; false if it does not count. preds are one or two predictions,
 * NULL for SQL NULL; refs may be NULL. The result refers to the arguments and
 * to memory of this file until the next row is read.
 */
bool
fb_metric_read_row(FbMetricState *state, text *const *preds, ArrayType *refs, FbMetricRow *row)
{
	row->statistics = statistics;
	switch (state->info->input)
	{
		case FB_INPUT_LABELS:
			return read_labels(state, preds, refs, row);
		case FB_INPUT_TEXTS:
			return read_texts(state, preds, refs);
		default:
			return read_numbers(state, preds, refs, row);
	}
}
