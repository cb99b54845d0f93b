/*
 * metric_state_io.c
 *		The type featbit.metric_state: text, binary and flat form.
 *
 * The text form is a JSON object. For the label metrics
 *		{"version": 1, "metric": "f1_macro", "unit": true, "labels": ["a", "b"],
 *		 "cells": [[bucket, gold, predicted or null, count], ...]}
 * with labels numbered from 0; for accuracy either "units": [["hash", rows,
 * correct], ...] or "rows" and "correct". All forms list their parts in
 * canonical order, so equal states print equally.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "llm/metric_state.h"
#include "pg_compat.h"

#define TYPE_NAME "featbit.metric_state"

/* The flat form; do not touch directly! */
typedef struct FlatState
{
	int32		vl_len_;
	uint8		version;
	uint8		metric;
	uint8		has_unit;
	uint8		unused;			/* always zero */
	uint32		nlabels;
	uint32		ncells;
	uint32		nunits;
	uint32		label_bytes;
	int64		rows;
	int64		correct;
	/* FlatUnit[nunits], FlatCell[ncells], then per label its length and bytes */
} FlatState;

typedef struct FlatUnit
{
	uint64		high;
	uint64		low;
	int64		rows;
	int64		correct;
} FlatUnit;

typedef struct FlatCell
{
	uint32		bucket;
	uint32		gold;
	uint32		pred;
	uint32		unused;			/* always zero */
	int64		count;
} FlatCell;

PG_FUNCTION_INFO_V1(fb_metric_state_in);
PG_FUNCTION_INFO_V1(fb_metric_state_out);
PG_FUNCTION_INFO_V1(fb_metric_state_recv);
PG_FUNCTION_INFO_V1(fb_metric_state_send);

/*
 * Reads the content of a state into the state's own memory context. The
 * current one may be a sort's, which from PostgreSQL 17 on frees nothing by
 * the piece.
 */
static void
own_content(const FbMetricState *state, FbMetricContent *content)
{
	MemoryContext caller = MemoryContextSwitchTo(state->hdr.eoh_context);

	fb_metric_state_content(state, content);
	MemoryContextSwitchTo(caller);
}

/* Returns the size of the flat form of a state. */
static Size
flat_size(ExpandedObjectHeader *header)
{
	FbMetricState *state = (FbMetricState *) header;
	FbMetricContent content;
	Size		size = sizeof(FlatState);
	Size		label_bytes = 0;

	own_content(state, &content);
	size += sizeof(FlatUnit) * content.nunits + sizeof(FlatCell) * content.ncells;
	for (uint32 i = 0; i < content.nlabels; i++)
		label_bytes += sizeof(uint32) + content.labels[i].len;
	size += label_bytes;
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a metric state of %zu bytes is too large to store", size)));
	if (content.cells)
	{
		pfree(content.cells);
		pfree(content.labels);
	}
	if (content.units)
		pfree(content.units);
	return size;
}

/* Writes the flat form of a state. */
static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	FbMetricState *state = (FbMetricState *) header;
	FbMetricContent content;
	FlatState  *flat = result;
	FlatUnit   *units = (FlatUnit *) (flat + 1);
	FlatCell   *cells;
	char	   *label;

	own_content(state, &content);
	memset(result, 0, allocated_size);
	SET_VARSIZE(flat, allocated_size);
	flat->version = FB_METRIC_STATE_VERSION;
	flat->metric = state->info->id;
	flat->has_unit = state->has_unit;
	flat->nlabels = content.nlabels;
	flat->ncells = content.ncells;
	flat->nunits = content.nunits;
	flat->rows = state->rows;
	flat->correct = state->correct;

	for (uint32 i = 0; i < content.nunits; i++)
	{
		units[i].high = content.units[i].id.high;
		units[i].low = content.units[i].id.low;
		units[i].rows = content.units[i].counts.rows;
		units[i].correct = content.units[i].counts.correct;
	}
	cells = (FlatCell *) (units + content.nunits);
	for (uint32 i = 0; i < content.ncells; i++)
	{
		cells[i].bucket = content.cells[i].bucket;
		cells[i].gold = content.cells[i].gold;
		cells[i].pred = content.cells[i].pred;
		cells[i].count = content.cells[i].count;
	}
	label = (char *) (cells + content.ncells);
	for (uint32 i = 0; i < content.nlabels; i++)
	{
		memcpy(label, &content.labels[i].len, sizeof(uint32));
		memcpy(label + sizeof(uint32), content.labels[i].data, content.labels[i].len);
		label += sizeof(uint32) + content.labels[i].len;
		flat->label_bytes += sizeof(uint32) + content.labels[i].len;
	}
	Assert(label == (char *) result + allocated_size);

	if (content.cells)
	{
		pfree(content.cells);
		pfree(content.labels);
	}
	if (content.units)
		pfree(content.units);
}

const ExpandedObjectMethods fb_metric_state_methods = {
	flat_size,
	flatten_into
};

/* Refuses a stored value. */
static void
flat_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored value of type " TYPE_NAME " is corrupt or of an unknown version")));
}

/* Makes the expanded form of a flat value. */
static FbMetricState *
state_from_flat(const FlatState *flat, MemoryContext parent)
{
	const FlatUnit *units = (const FlatUnit *) (flat + 1);
	const FlatCell *cells;
	const char *label;
	const char *end = (const char *) flat + VARSIZE(flat);
	const FbLabelMetricInfo *info;
	FbMetricState *state;
	uint64		size = sizeof(FlatState);

	if (VARSIZE(flat) < sizeof(FlatState))
		flat_error();
	size += (uint64) flat->nunits * sizeof(FlatUnit) + (uint64) flat->ncells * sizeof(FlatCell) +
		flat->label_bytes;
	info = fb_label_metric_by_id(flat->metric);
	if (flat->version != FB_METRIC_STATE_VERSION || info == NULL || flat->has_unit > 1 ||
		flat->unused != 0 || size != VARSIZE(flat))
		flat_error();

	state = fb_metric_state_new(info, flat->has_unit, SIZE_MAX, parent);
	if ((flat->nunits > 0 && !fb_metric_state_keeps_units(state)) ||
		((flat->ncells > 0 || flat->nlabels > 0) && !fb_metric_state_keeps_cells(state)))
		flat_error();

	cells = (const FlatCell *) (units + flat->nunits);
	label = (const char *) (cells + flat->ncells);
	for (uint32 i = 0; i < flat->nlabels; i++)
	{
		uint32		len;

		if (end - label < (ptrdiff_t) sizeof(uint32))
			flat_error();
		memcpy(&len, label, sizeof(uint32));
		label += sizeof(uint32);
		if ((uint64) (end - label) < len)
			flat_error();
		fb_metric_state_load_label(state, label, len, ERRCODE_DATA_CORRUPTED);
		label += len;
	}
	for (uint32 i = 0; i < flat->ncells; i++)
		fb_metric_state_load_cell(state, cells[i].bucket, cells[i].gold, cells[i].pred,
								  cells[i].pred == flat->nlabels, cells[i].count,
								  ERRCODE_DATA_CORRUPTED);
	for (uint32 i = 0; i < flat->nunits; i++)
	{
		FbUnitId	id = {units[i].high, units[i].low};

		fb_metric_state_load_unit(state, id, units[i].rows, units[i].correct,
								  ERRCODE_DATA_CORRUPTED);
	}
	if (!fb_metric_state_keeps_cells(state) && !fb_metric_state_keeps_units(state))
		fb_metric_state_load_totals(state, flat->rows, flat->correct, ERRCODE_DATA_CORRUPTED);
	fb_metric_state_load_end(state, ERRCODE_DATA_CORRUPTED);
	if (state->rows != flat->rows || state->correct != flat->correct || label != end)
		flat_error();
	return state;
}

/*
 * Returns the expanded form of an argument. One that is expanded already is
 * returned as it is and must not be changed, unless the caller knows it as
 * its own; otherwise the result lives below parent.
 */
FbMetricState *
fb_metric_state_get(Datum value, MemoryContext parent)
{
	FlatState  *flat;
	FbMetricState *state;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		state = (FbMetricState *) DatumGetEOHP(value);
		if (state->magic != FB_METRIC_STATE_MAGIC)
			elog(ERROR, "unexpected expanded object in place of a metric state");
		return state;
	}
	flat = (FlatState *) PG_DETOAST_DATUM(value);
	state = state_from_flat(flat, parent);
	if ((Pointer) flat != DatumGetPointer(value))
		pfree(flat);
	return state;
}

/* Raises the error of the text form. */
static void
text_error(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid value of type " TYPE_NAME),
			 errdetail("%s", detail)));
}

/* Says which type an error in the JSON syntax belongs to. */
static void
text_error_context(void *arg)
{
	errcontext("input of type " TYPE_NAME);
}

/* Returns a member of the object; it must be there and of that type. */
static JsonbValue *
text_member(JsonbContainer *object, const char *key, enum jbvType type, int *members)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	if (value == NULL || (value->type != type &&
						  !(type == jbvArray && value->type == jbvBinary &&
							JsonContainerIsArray(value->val.binary.data))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid value of type " TYPE_NAME),
				 errdetail("The member \"%s\" is missing or of the wrong type.", key)));
	(*members)++;
	return value;
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

/* Returns an element of an array that must itself be an array of that size. */
static JsonbContainer *
text_tuple(JsonbContainer *array, uint32 index, uint32 size)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, index);

	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data) ||
		JsonContainerSize(value->val.binary.data) != size)
		text_error("An element of \"cells\" or \"units\" has the wrong shape.");
	return value->val.binary.data;
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
		int			digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else
		{
			text_error("A unit must be given by 32 hexadecimal digits.");
			digit = 0;
		}
		words[i / 16] = (words[i / 16] << 4) | digit;
	}
	return (FbUnitId) {words[0], words[1]};
}

/* Reads the labels and cells of the text form. */
static void
text_cells(FbMetricState *state, JsonbContainer *object, int *members)
{
	const int	sqlstate = ERRCODE_INVALID_TEXT_REPRESENTATION;
	JsonbContainer *labels = text_member(object, "labels", jbvArray, members)->val.binary.data;
	JsonbContainer *cells = text_member(object, "cells", jbvArray, members)->val.binary.data;

	for (uint32 i = 0; i < JsonContainerSize(labels); i++)
	{
		JsonbValue *label = getIthJsonbValueFromContainer(labels, i);

		if (label->type != jbvString)
			text_error("A label is not a string.");
		fb_metric_state_load_label(state, label->val.string.val, label->val.string.len, sqlstate);
	}
	for (uint32 i = 0; i < JsonContainerSize(cells); i++)
	{
		JsonbContainer *cell = text_tuple(cells, i, 4);
		JsonbValue *pred = getIthJsonbValueFromContainer(cell, 2);
		bool		abstained = pred->type == jbvNull;

		fb_metric_state_load_cell(state,
								  text_integer(getIthJsonbValueFromContainer(cell, 0)),
								  text_integer(getIthJsonbValueFromContainer(cell, 1)),
								  abstained ? 0 : text_integer(pred), abstained,
								  text_integer(getIthJsonbValueFromContainer(cell, 3)),
								  sqlstate);
	}
}

/* Reads the text form. */
Datum
fb_metric_state_in(PG_FUNCTION_ARGS)
{
	const int	sqlstate = ERRCODE_INVALID_TEXT_REPRESENTATION;
	ErrorContextCallback callback = {error_context_stack, text_error_context, NULL};
	const FbLabelMetricInfo *info;
	FbMetricState *state;
	JsonbContainer *object;
	JsonbValue *value;
	int			members = 0;
	char	   *name;

	error_context_stack = &callback;
	object = &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0)))->root;
	if (!JsonContainerIsObject(object))
		text_error("The value must be a JSON object.");
	if (text_integer(text_member(object, "version", jbvNumeric, &members)) != FB_METRIC_STATE_VERSION)
		text_error("The version is unknown.");
	value = text_member(object, "metric", jbvString, &members);
	name = pnstrdup(value->val.string.val, value->val.string.len);
	info = fb_label_metric_by_name(name);
	if (info == NULL)
		text_error("The metric is unknown.");
	value = text_member(object, "unit", jbvBool, &members);

	state = fb_metric_state_new(info, value->val.boolean, SIZE_MAX, CurrentMemoryContext);
	if (fb_metric_state_keeps_cells(state))
		text_cells(state, object, &members);
	else if (fb_metric_state_keeps_units(state))
	{
		JsonbContainer *units = text_member(object, "units", jbvArray, &members)->val.binary.data;

		for (uint32 i = 0; i < JsonContainerSize(units); i++)
		{
			JsonbContainer *unit = text_tuple(units, i, 3);

			fb_metric_state_load_unit(state,
									  text_unit_id(getIthJsonbValueFromContainer(unit, 0)),
									  text_integer(getIthJsonbValueFromContainer(unit, 1)),
									  text_integer(getIthJsonbValueFromContainer(unit, 2)),
									  sqlstate);
		}
	}
	else
	{
		int64		rows = text_integer(text_member(object, "rows", jbvNumeric, &members));

		fb_metric_state_load_totals(state, rows,
									text_integer(text_member(object, "correct", jbvNumeric, &members)),
									sqlstate);
	}
	if (members != JsonContainerSize(object))
		text_error("The object has members that do not belong there.");
	fb_metric_state_load_end(state, sqlstate);
	error_context_stack = callback.previous;

	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
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
	appendStringInfo(&text, "{\"version\": %d, \"metric\": \"%s\", \"unit\": %s",
					 FB_METRIC_STATE_VERSION, state->info->name,
					 state->has_unit ? "true" : "false");
	if (fb_metric_state_keeps_cells(state))
	{
		appendStringInfoString(&text, ", \"labels\": [");
		for (uint32 i = 0; i < content.nlabels; i++)
		{
			if (i > 0)
				appendStringInfoString(&text, ", ");
			escape_json(&text, content.labels[i].data);
		}
		appendStringInfoString(&text, "], \"cells\": [");
		for (uint32 i = 0; i < content.ncells; i++)
		{
			FbLabelCell *cell = &content.cells[i];

			appendStringInfo(&text, "%s[%u, %u, ", i > 0 ? ", " : "", cell->bucket, cell->gold);
			if (cell->pred == content.nlabels)
				appendStringInfoString(&text, "null");
			else
				appendStringInfo(&text, "%u", cell->pred);
			appendStringInfo(&text, ", " INT64_FORMAT "]", cell->count);
		}
		appendStringInfoChar(&text, ']');
	}
	else if (fb_metric_state_keeps_units(state))
	{
		appendStringInfoString(&text, ", \"units\": [");
		for (uint32 i = 0; i < content.nunits; i++)
		{
			FbUnitEntry *unit = &content.units[i];

			appendStringInfo(&text, "%s[\"%08x%08x%08x%08x\", " INT64_FORMAT ", " INT64_FORMAT "]",
							 i > 0 ? ", " : "",
							 (uint32) (unit->id.high >> 32), (uint32) unit->id.high,
							 (uint32) (unit->id.low >> 32), (uint32) unit->id.low,
							 unit->counts.rows, unit->counts.correct);
		}
		appendStringInfoChar(&text, ']');
	}
	else
		appendStringInfo(&text, ", \"rows\": " INT64_FORMAT ", \"correct\": " INT64_FORMAT,
						 state->rows, state->correct);
	appendStringInfoChar(&text, '}');
	PG_RETURN_CSTRING(text.data);
}

/* Raises the error of the binary form. */
static void
binary_error(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid value of type " TYPE_NAME),
			 errdetail("%s", detail)));
}

/*
 * Reads the binary form: version, metric, has_unit (a byte each); then rows
 * and correct, or the number of units and per unit its id, rows and right
 * answers, or the number of labels, the labels, the number of cells and the
 * cells. Numbers of elements have 4 bytes, counts 8.
 */
Datum
fb_metric_state_recv(PG_FUNCTION_ARGS)
{
	const int	sqlstate = ERRCODE_INVALID_BINARY_REPRESENTATION;
	StringInfo	buffer = (StringInfo) PG_GETARG_POINTER(0);
	const FbLabelMetricInfo *info;
	FbMetricState *state;
	int			has_unit;

	if (pq_getmsgbyte(buffer) != FB_METRIC_STATE_VERSION)
		binary_error("The version is unknown.");
	info = fb_label_metric_by_id(pq_getmsgbyte(buffer));
	if (info == NULL)
		binary_error("The metric is unknown.");
	has_unit = pq_getmsgbyte(buffer);
	if (has_unit > 1)
		binary_error("A flag is neither 0 nor 1.");

	state = fb_metric_state_new(info, has_unit != 0, SIZE_MAX, CurrentMemoryContext);
	if (fb_metric_state_keeps_cells(state))
	{
		uint32		nlabels = pq_getmsgint(buffer, 4);
		uint32		ncells;

		for (uint32 i = 0; i < nlabels; i++)
		{
			uint32		sent = pq_getmsgint(buffer, 4);
			int			len;
			char	   *label;

			if (sent > (uint32) (buffer->len - buffer->cursor))
				binary_error("A label is longer than the value.");
			label = pq_getmsgtext(buffer, (int) sent, &len);
			fb_metric_state_load_label(state, label, len, sqlstate);
			pfree(label);
		}
		ncells = pq_getmsgint(buffer, 4);
		for (uint32 i = 0; i < ncells; i++)
		{
			uint32		bucket = pq_getmsgbyte(buffer);
			uint32		gold = pq_getmsgint(buffer, 4);
			uint32		pred = pq_getmsgint(buffer, 4);

			fb_metric_state_load_cell(state, bucket, gold, pred, pred == nlabels,
									  pq_getmsgint64(buffer), sqlstate);
		}
	}
	else if (fb_metric_state_keeps_units(state))
	{
		uint32		nunits = pq_getmsgint(buffer, 4);

		for (uint32 i = 0; i < nunits; i++)
		{
			FbUnitId	id;
			int64		rows;

			id.high = pq_getmsgint64(buffer);
			id.low = pq_getmsgint64(buffer);
			rows = pq_getmsgint64(buffer);
			fb_metric_state_load_unit(state, id, rows, pq_getmsgint64(buffer), sqlstate);
		}
	}
	else
	{
		int64		rows = pq_getmsgint64(buffer);

		fb_metric_state_load_totals(state, rows, pq_getmsgint64(buffer), sqlstate);
	}
	pq_getmsgend(buffer);
	fb_metric_state_load_end(state, sqlstate);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

/* Sends a label in the client's encoding, with its length before it. */
static void
send_label(StringInfo buffer, const FbLabelText *label)
{
	char	   *converted = pg_server_to_client(label->data, label->len);
	int			len = converted == label->data ? (int) label->len : (int) strlen(converted);

	pq_sendint32(buffer, len);
	pq_sendbytes(buffer, converted, len);
	if (converted != label->data)
		pfree(converted);
}

/* Writes the binary form. */
Datum
fb_metric_state_send(PG_FUNCTION_ARGS)
{
	FbMetricState *state = fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext);
	FbMetricContent content;
	StringInfoData buffer;

	fb_metric_state_content(state, &content);
	pq_begintypsend(&buffer);
	pq_sendbyte(&buffer, FB_METRIC_STATE_VERSION);
	pq_sendbyte(&buffer, state->info->id);
	pq_sendbyte(&buffer, state->has_unit);
	if (fb_metric_state_keeps_cells(state))
	{
		pq_sendint32(&buffer, content.nlabels);
		for (uint32 i = 0; i < content.nlabels; i++)
			send_label(&buffer, &content.labels[i]);
		pq_sendint32(&buffer, content.ncells);
		for (uint32 i = 0; i < content.ncells; i++)
		{
			pq_sendbyte(&buffer, content.cells[i].bucket);
			pq_sendint32(&buffer, content.cells[i].gold);
			pq_sendint32(&buffer, content.cells[i].pred);
			pq_sendint64(&buffer, content.cells[i].count);
		}
	}
	else if (fb_metric_state_keeps_units(state))
	{
		pq_sendint32(&buffer, content.nunits);
		for (uint32 i = 0; i < content.nunits; i++)
		{
			pq_sendint64(&buffer, content.units[i].id.high);
			pq_sendint64(&buffer, content.units[i].id.low);
			pq_sendint64(&buffer, content.units[i].counts.rows);
			pq_sendint64(&buffer, content.units[i].counts.correct);
		}
	}
	else
	{
		pq_sendint64(&buffer, state->rows);
		pq_sendint64(&buffer, state->correct);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}
