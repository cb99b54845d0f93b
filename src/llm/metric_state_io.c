/*
 * metric_state_io.c
 *		The type featbit.metric_state: text form.
 *
 * A JSON object: {"version": 1, "metric": "f1_macro", "unit": true, ...}, with
 * "params" where there are any and "paired": true where two systems are
 * compared. The rest depends on the family of the metric:
 *
 * label metrics		"labels": ["a", "b"], "cells": [[bucket, gold, predicted
 *						or null (twice where paired), count], ...]; labels are
 *						numbered from 0
 * means with units		"units": [["hash", rows, sum (twice where paired)], ...]
 * shares without		"rows", "correct"; paired: "rows", "wins", "losses"
 * other means without	"rows", "mean", "m2": squared deviations
 * sums with units		"buckets": [[bucket, rows, sum, ...], ...]
 * sums without			"rows", "sums", "means", "products": of deviations, the
 *						lower triangle by rows
 * scored rows			"rows": [[bucket, outcome, score (twice where paired)], ...]
 *
 * All forms list their parts in canonical order, so equal states print
 * equally. "unit" is null where no row has told yet.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "llm/metric_content.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_metric_state_in);
PG_FUNCTION_INFO_V1(fb_metric_state_out);

#define SQLSTATE ERRCODE_INVALID_TEXT_REPRESENTATION

/* Raises the error of the text form. */
static void
text_error(const char *detail)
{
	fb_metric_load_error(SQLSTATE, detail);
}

/* Says which type an error in the JSON syntax belongs to. */
static void
text_error_context(void *arg)
{
	errcontext("input of type featbit.metric_state");
}

/* Returns a member of the object, or NULL. */
static JsonbValue *
text_find(JsonbContainer *object, const char *key, int *members)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	if (value != NULL)
		(*members)++;
	return value;
}

/* Returns a member of the object; it must be there and of that type. */
static JsonbValue *
text_member(JsonbContainer *object, const char *key, enum jbvType type, int *members)
{
	JsonbValue *value = text_find(object, key, members);

	if (value == NULL || (value->type != type &&
						  !(type == jbvArray && value->type == jbvBinary &&
							JsonContainerIsArray(value->val.binary.data))))
		ereport(ERROR,
				(errcode(SQLSTATE),
				 errmsg("invalid value of type featbit.metric_state"),
				 errdetail("The member \"%s\" is missing or of the wrong type.", key)));
	return value;
}

/* Returns the elements of a member. */
static JsonbContainer *
text_array(JsonbContainer *object, const char *key, int *members)
{
	return text_member(object, key, jbvArray, members)->val.binary.data;
}

/* Returns an integer; other numbers are refused. */
static int64
text_integer(const JsonbValue *value)
{
	char	   *digits;
	int64		result;

	if (value == NULL || value->type != jbvNumeric)
		text_error("A count or position is not a number.");
	digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	if (strlen(digits) > 19 || strspn(digits, "0123456789") != strlen(digits))
		text_error("Counts and positions must be whole numbers within the range of bigint.");
	result = DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(digits)));
	pfree(digits);
	return result;
}

/* Returns a number; infinities, which scores can be, are strings. */
static double
text_number(const JsonbValue *value)
{
	if (value != NULL && value->type == jbvNumeric)
		return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (value != NULL && value->type == jbvString)
	{
		if (value->val.string.len == 8 && memcmp(value->val.string.val, "Infinity", 8) == 0)
			return get_float8_infinity();
		if (value->val.string.len == 9 && memcmp(value->val.string.val, "-Infinity", 9) == 0)
			return -get_float8_infinity();
	}
	text_error("A sum or score is not a number.");
	return 0.0;
}

/* Returns an element of an array that must itself be an array of that size. */
static JsonbContainer *
text_tuple(JsonbContainer *array, uint32 index, uint32 size)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, index);

	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) != size)
		text_error("An element of a list has the wrong shape.");
	return value->val.binary.data;
}

/* Reads an array of numbers, of which there must be so many. */
static double *
text_numbers(JsonbContainer *object, const char *key, int count, int *members)
{
	JsonbContainer *array = text_array(object, key, members);
	double	   *numbers = palloc(sizeof(double) * count);

	if (JsonContainerSize(array) != count)
		text_error("A list of sums has the wrong length.");
	for (int i = 0; i < count; i++)
		numbers[i] = text_number(getIthJsonbValueFromContainer(array, i));
	return numbers;
}

/* Reads a unit's hash: 32 hexadecimal digits. */
static FbUnitId
text_unit_id(const JsonbValue *value)
{
	uint64		words[2] = {0, 0};

	if (value == NULL || value->type != jbvString || value->val.string.len != 32)
		text_error("A unit must be given by 32 hexadecimal digits.");
	for (int i = 0; i < 32; i++)
	{
		char		c = value->val.string.val[i];
		int			digit = 0;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else
			text_error("A unit must be given by 32 hexadecimal digits.");
		words[i / 16] = (words[i / 16] << 4) | digit;
	}
	return (FbUnitId) {words[0], words[1]};
}

/* Reads the labels and cells of the text form. */
static void
text_cells(FbMetricState *state, JsonbContainer *object, int *members)
{
	JsonbContainer *labels = text_array(object, "labels", members);
	JsonbContainer *cells = text_array(object, "cells", members);
	int			systems = state->paired ? 2 : 1;

	for (uint32 i = 0; i < JsonContainerSize(labels); i++)
	{
		JsonbValue *label = getIthJsonbValueFromContainer(labels, i);

		if (label->type != jbvString)
			text_error("A label is not a string.");
		fb_metric_load_label(state, label->val.string.val, label->val.string.len, SQLSTATE);
	}
	for (uint32 i = 0; i < JsonContainerSize(cells); i++)
	{
		JsonbContainer *cell = text_tuple(cells, i, 3 + systems);
		int64		pred[2] = {0, 0};

		for (int s = 0; s < systems; s++)
		{
			JsonbValue *value = getIthJsonbValueFromContainer(cell, 2 + s);

			pred[s] = value->type == jbvNull ? FB_ABSTENTION : text_integer(value);
		}
		fb_metric_load_cell(state, text_integer(getIthJsonbValueFromContainer(cell, 0)),
							text_integer(getIthJsonbValueFromContainer(cell, 1)), pred,
							text_integer(getIthJsonbValueFromContainer(cell, 2 + systems)), SQLSTATE);
	}
}

/* Reads the units of the text form. */
static void
text_units(FbMetricState *state, JsonbContainer *object, int *members)
{
	JsonbContainer *units = text_array(object, "units", members);
	int			systems = state->paired ? 2 : 1;

	for (uint32 i = 0; i < JsonContainerSize(units); i++)
	{
		JsonbContainer *unit = text_tuple(units, i, 2 + systems);
		double		sums[2] = {0.0, 0.0};

		for (int s = 0; s < systems; s++)
			sums[s] = text_number(getIthJsonbValueFromContainer(unit, 2 + s));
		fb_metric_load_unit(state, text_unit_id(getIthJsonbValueFromContainer(unit, 0)),
							text_integer(getIthJsonbValueFromContainer(unit, 1)), sums, SQLSTATE);
	}
}

/* Reads a mean without units. */
static void
text_mean(FbMetricState *state, JsonbContainer *object, int *members)
{
	int64		rows = text_integer(text_member(object, "rows", jbvNumeric, members));

	if (!state->info->binary)
	{
		FbScores	scores = {rows};

		scores.mean = text_number(text_member(object, "mean", jbvNumeric, members));
		scores.m2 = text_number(text_member(object, "m2", jbvNumeric, members));
		fb_metric_load_scores(state, &scores, SQLSTATE);
	}
	else if (state->paired)
	{
		int64		wins = text_integer(text_member(object, "wins", jbvNumeric, members));

		fb_metric_load_rows(state, rows, wins,
							text_integer(text_member(object, "losses", jbvNumeric, members)), SQLSTATE);
	}
	else
		fb_metric_load_rows(state, rows, text_integer(text_member(object, "correct", jbvNumeric, members)), 0, SQLSTATE);
}

/* Reads sums. */
static void
text_sums(FbMetricState *state, JsonbContainer *object, int *members)
{
	if (state->unit == FB_UNIT_GIVEN)
	{
		JsonbContainer *buckets = text_array(object, "buckets", members);

		for (uint32 i = 0; i < JsonContainerSize(buckets); i++)
		{
			JsonbContainer *bucket = text_tuple(buckets, i, 2 + state->width);
			double	   *sums = palloc(sizeof(double) * state->width);

			for (int k = 0; k < state->width; k++)
				sums[k] = text_number(getIthJsonbValueFromContainer(bucket, 2 + k));
			fb_metric_load_bucket(state, text_integer(getIthJsonbValueFromContainer(bucket, 0)),
								  text_integer(getIthJsonbValueFromContainer(bucket, 1)), sums, SQLSTATE);
			pfree(sums);
		}
	}
	else
	{
		int64		rows = text_integer(text_member(object, "rows", jbvNumeric, members));
		double	   *sums = text_numbers(object, "sums", state->width, members);
		double	   *means = text_numbers(object, "means", state->width, members);

		fb_metric_load_sums(state, rows, sums, means,
							text_numbers(object, "products", FB_PRODUCTS(state->width), members), SQLSTATE);
	}
}

/* Reads scored rows. */
static void
text_scored(FbMetricState *state, JsonbContainer *object, int *members)
{
	JsonbContainer *rows = text_array(object, "rows", members);
	int			systems = state->paired ? 2 : 1;

	for (uint32 i = 0; i < JsonContainerSize(rows); i++)
	{
		JsonbContainer *tuple = text_tuple(rows, i, 2 + systems);
		FbScoredRow row = {{0.0, 0.0}};

		for (int s = 0; s < systems; s++)
			row.scores[s] = text_number(getIthJsonbValueFromContainer(tuple, 2 + s));
		fb_metric_load_scored(state, &row, text_integer(getIthJsonbValueFromContainer(tuple, 0)),
							  text_integer(getIthJsonbValueFromContainer(tuple, 1)), SQLSTATE);
	}
}

/* Reads whether rows carry a unit. */
static FbUnitMode
text_unit_mode(const JsonbValue *value)
{
	if (value != NULL && value->type == jbvNull)
		return FB_UNIT_UNKNOWN;
	if (value == NULL || value->type != jbvBool)
		text_error("The member \"unit\" is missing or of the wrong type.");
	return value->val.boolean ? FB_UNIT_GIVEN : FB_UNIT_NONE;
}

/* Reads the text form. */
Datum
fb_metric_state_in(PG_FUNCTION_ARGS)
{
	ErrorContextCallback callback = {error_context_stack, text_error_context, NULL};
	const FbMetricInfo *info;
	FbMetricState *state;
	JsonbContainer *object;
	JsonbValue *value;
	Jsonb	   *params = NULL;
	int			members = 0;
	bool		paired = false;
	FbUnitMode	unit;

	error_context_stack = &callback;
	object = &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0)))->root;
	if (!JsonContainerIsObject(object))
		text_error("The value must be a JSON object.");
	if (text_integer(text_member(object, "version", jbvNumeric, &members)) != FB_METRIC_STATE_VERSION)
		text_error("The version is unknown.");
	value = text_member(object, "metric", jbvString, &members);
	info = fb_metric_by_name(pnstrdup(value->val.string.val, value->val.string.len));
	if (info == NULL)
		text_error("The metric is unknown.");
	value = text_find(object, "params", &members);
	if (value != NULL)
		params = JsonbValueToJsonb(value);
	value = text_find(object, "paired", &members);
	if (value != NULL)
	{
		if (value->type != jbvBool)
			text_error("The member \"paired\" is missing or of the wrong type.");
		paired = value->val.boolean;
	}
	unit = text_unit_mode(text_find(object, "unit", &members));
	if (info->family == FB_FAMILY_PASS && unit == FB_UNIT_NONE)
		text_error("The metric needs units.");

	state = fb_metric_state_new(info, params, paired, unit, SIZE_MAX, CurrentMemoryContext);
	if (info->family == FB_FAMILY_CELLS)
		text_cells(state, object, &members);
	else if (info->family == FB_FAMILY_SCORED)
		text_scored(state, object, &members);
	else if (unit == FB_UNIT_UNKNOWN)
		(void) 0;
	else if (fb_metric_state_keeps_units(state))
		text_units(state, object, &members);
	else if (info->family == FB_FAMILY_MEAN)
		text_mean(state, object, &members);
	else
		text_sums(state, object, &members);
	if (members != JsonContainerSize(object))
		text_error("The object has members that do not belong there.");
	fb_metric_load_end(state, SQLSTATE);
	error_context_stack = callback.previous;

	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

/* Writes a number so that it reads back as it is. */
static void
write_number(StringInfo text, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isinf(number))
		appendStringInfoString(text, number > 0.0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
	{
		double_to_shortest_decimal_buf(number, digits);
		appendStringInfoString(text, digits);
	}
}

/* Writes an array of numbers as a member. */
static void
write_numbers(StringInfo text, const char *key, const double *numbers, int count)
{
	appendStringInfo(text, ", \"%s\": [", key);
	for (int i = 0; i < count; i++)
	{
		appendStringInfoString(text, i > 0 ? ", " : "");
		write_number(text, numbers[i]);
	}
	appendStringInfoChar(text, ']');
}

/* Writes labels and cells. */
static void
write_cells(StringInfo text, const FbMetricState *state, const FbMetricContent *content)
{
	appendStringInfoString(text, ", \"labels\": [");
	for (uint32 i = 0; i < content->nlabels; i++)
	{
		appendStringInfoString(text, i > 0 ? ", " : "");
		escape_json(text, content->labels[i].data);
	}
	appendStringInfoString(text, "], \"cells\": [");
	for (uint32 i = 0; i < content->ncells; i++)
	{
		FbLabelCell *cell = &content->cells[i];

		appendStringInfo(text, "%s[%u, %u, ", i > 0 ? ", " : "", cell->bucket, cell->gold);
		for (int s = 0; s <= (int) state->paired; s++)
		{
			if (cell->pred[s] == content->nlabels)
				appendStringInfoString(text, "null, ");
			else
				appendStringInfo(text, "%u, ", cell->pred[s]);
		}
		appendStringInfo(text, INT64_FORMAT "]", cell->count);
	}
	appendStringInfoChar(text, ']');
}

/* Writes units. */
static void
write_units(StringInfo text, const FbMetricState *state, const FbMetricContent *content)
{
	appendStringInfoString(text, ", \"units\": [");
	for (uint32 i = 0; i < content->nunits; i++)
	{
		const FbUnitEntry *unit = &content->units[i];

		appendStringInfo(text, "%s[\"%016llx%016llx\", " INT64_FORMAT, i > 0 ? ", " : "",
						 (unsigned long long) unit->id.high, (unsigned long long) unit->id.low, unit->counts.rows);
		for (int s = 0; s <= (int) state->paired; s++)
		{
			appendStringInfoString(text, ", ");
			write_number(text, unit->counts.sums[s]);
		}
		appendStringInfoChar(text, ']');
	}
	appendStringInfoChar(text, ']');
}

/* Writes sums. */
static void
write_sums(StringInfo text, const FbMetricState *state)
{
	bool		first = true;

	if (state->unit == FB_UNIT_NONE)
	{
		appendStringInfo(text, ", \"rows\": " INT64_FORMAT, state->rows);
		write_numbers(text, "sums", state->sums, state->width);
		write_numbers(text, "means", state->means, state->width);
		write_numbers(text, "products", state->products, FB_PRODUCTS(state->width));
		return;
	}
	appendStringInfoString(text, ", \"buckets\": [");
	for (int b = 0; b < FB_BUCKETS; b++)
	{
		if (state->bucket_rows[b] == 0)
			continue;
		appendStringInfo(text, "%s[%d, " INT64_FORMAT, first ? "" : ", ", b, state->bucket_rows[b]);
		for (int i = 0; i < state->width; i++)
		{
			appendStringInfoString(text, ", ");
			write_number(text, state->bucket_sums[b][i]);
		}
		appendStringInfoChar(text, ']');
		first = false;
	}
	appendStringInfoChar(text, ']');
}

/* Writes scored rows in the order of their content. */
static void
write_scored(StringInfo text, const FbMetricState *state)
{
	FbScoredRow *rows = fb_metric_sorted_rows(state);

	appendStringInfoString(text, ", \"rows\": [");
	for (int64 i = 0; i < state->rows; i++)
	{
		appendStringInfo(text, "%s[%u, %u", i > 0 ? ", " : "", rows[i].bucket, rows[i].outcome);
		for (int s = 0; s <= (int) state->paired; s++)
		{
			appendStringInfoString(text, ", ");
			write_number(text, rows[i].scores[s]);
		}
		appendStringInfoChar(text, ']');
	}
	appendStringInfoChar(text, ']');
	pfree(rows);
}

/* Writes the text form. */
Datum
fb_metric_state_out(PG_FUNCTION_ARGS)
{
	FbMetricState *state = fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext);
	FbMetricContent content;
	StringInfoData text;

	fb_metric_state_content(state, &content);
	initStringInfo(&text);
	appendStringInfo(&text, "{\"version\": %d, \"metric\": \"%s\"", FB_METRIC_STATE_VERSION, state->info->name);
	if (state->params->source != NULL)
		appendStringInfo(&text, ", \"params\": %s", fb_metric_params_text(state->params));
	if (state->paired)
		appendStringInfoString(&text, ", \"paired\": true");
	appendStringInfo(&text, ", \"unit\": %s", state->unit == FB_UNIT_UNKNOWN ? "null" :
					 state->unit == FB_UNIT_GIVEN ? "true" : "false");
	if (state->info->family == FB_FAMILY_CELLS)
		write_cells(&text, state, &content);
	else if (state->info->family == FB_FAMILY_SCORED)
		write_scored(&text, state);
	else if (state->unit == FB_UNIT_UNKNOWN)
		(void) 0;
	else if (fb_metric_state_keeps_units(state))
		write_units(&text, state, &content);
	else if (state->info->family == FB_FAMILY_SUMS)
		write_sums(&text, state);
	else if (!state->info->binary)
	{
		appendStringInfo(&text, ", \"rows\": " INT64_FORMAT ", \"mean\": ", state->rows);
		write_number(&text, state->scores.mean);
		appendStringInfoString(&text, ", \"m2\": ");
		write_number(&text, state->scores.m2);
	}
	else if (state->paired)
		appendStringInfo(&text, ", \"rows\": " INT64_FORMAT ", \"wins\": " INT64_FORMAT ", \"losses\": " INT64_FORMAT,
						 state->rows, state->correct, state->losses);
	else
		appendStringInfo(&text, ", \"rows\": " INT64_FORMAT ", \"correct\": " INT64_FORMAT, state->rows, state->correct);
	appendStringInfoChar(&text, '}');
	PG_RETURN_CSTRING(text.data);
}
