/*
 * metric_state_flat.c
 *		The type featbit.metric_state: stored and binary form, which are the
 *		same but for the encoding of labels and parameters.
 *
 * A byte each of version, metric, paired (0, 1) and unit (0 unknown, 1 none, 2
 * given), the parameters as JSON (length and text; 0: none), then by family
 * what the text form has: a number of elements has 4 bytes, or 8 for scored
 * rows; counts 8, labels and buckets 4 and 1, sums and scores are float8.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "llm/metric_content.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_metric_state_recv);
PG_FUNCTION_INFO_V1(fb_metric_state_send);

/* Writes text with its length before it, for a client in its encoding. */
static void
put_text(StringInfo buffer, const char *data, int len, bool to_client)
{
	char	   *converted = to_client ? pg_server_to_client(data, len) : (char *) data;

	if (converted != data)
		len = strlen(converted);
	pq_sendint32(buffer, len);
	pq_sendbytes(buffer, converted, len);
	if (converted != data)
		pfree(converted);
}

/* Writes numbers. */
static void
put_numbers(StringInfo buffer, const double *numbers, int count)
{
	for (int i = 0; i < count; i++)
		pq_sendfloat8(buffer, numbers[i]);
}

/* Writes labels and cells. */
static void
put_cells(StringInfo buffer, const FbMetricState *state, const FbMetricContent *content, bool to_client)
{
	pq_sendint32(buffer, content->nlabels);
	for (uint32 i = 0; i < content->nlabels; i++)
		put_text(buffer, content->labels[i].data, content->labels[i].len, to_client);
	pq_sendint32(buffer, content->ncells);
	for (uint32 i = 0; i < content->ncells; i++)
	{
		pq_sendbyte(buffer, content->cells[i].bucket);
		pq_sendint32(buffer, content->cells[i].gold);
		for (int s = 0; s <= (int) state->paired; s++)
			pq_sendint32(buffer, content->cells[i].pred[s]);
		pq_sendint64(buffer, content->cells[i].count);
	}
}

/* Writes sums. */
static void
put_sums(StringInfo buffer, const FbMetricState *state)
{
	int			buckets = 0;

	if (state->unit == FB_UNIT_NONE)
	{
		pq_sendint64(buffer, state->rows);
		put_numbers(buffer, state->sums, 2 * state->width + FB_PRODUCTS(state->width));
		return;
	}
	for (int b = 0; b < FB_BUCKETS; b++)
		buckets += state->bucket_rows[b] > 0;
	pq_sendint32(buffer, buckets);
	for (int b = 0; b < FB_BUCKETS; b++)
	{
		if (state->bucket_rows[b] == 0)
			continue;
		pq_sendbyte(buffer, b);
		pq_sendint64(buffer, state->bucket_rows[b]);
		put_numbers(buffer, state->bucket_sums[b], state->width);
	}
}

/* Writes a state. */
static void
put_state(StringInfo buffer, const FbMetricState *state, bool to_client)
{
	FbMetricContent content;
	int			systems = state->paired ? 2 : 1;

	pq_sendbyte(buffer, FB_METRIC_STATE_VERSION);
	pq_sendbyte(buffer, state->info->id);
	pq_sendbyte(buffer, state->paired);
	pq_sendbyte(buffer, state->unit);
	if (state->params->source == NULL)
		pq_sendint32(buffer, 0);
	else
	{
		char	   *params = fb_metric_params_text(state->params);

		put_text(buffer, params, strlen(params), to_client);
		pfree(params);
	}
	fb_metric_state_content(state, &content);
	if (state->info->family == FB_FAMILY_CELLS)
		put_cells(buffer, state, &content, to_client);
	else if (state->info->family == FB_FAMILY_SCORED)
	{
		FbScoredRow *rows = fb_metric_sorted_rows(state);

		pq_sendint64(buffer, state->rows);
		for (int64 i = 0; i < state->rows; i++)
		{
			pq_sendbyte(buffer, rows[i].bucket);
			pq_sendbyte(buffer, rows[i].outcome);
			put_numbers(buffer, rows[i].scores, systems);
		}
		pfree(rows);
	}
	else if (state->unit == FB_UNIT_UNKNOWN)
		(void) 0;
	else if (fb_metric_state_keeps_units(state))
	{
		pq_sendint32(buffer, content.nunits);
		for (uint32 i = 0; i < content.nunits; i++)
		{
			pq_sendint64(buffer, content.units[i].id.high);
			pq_sendint64(buffer, content.units[i].id.low);
			pq_sendint64(buffer, content.units[i].counts.rows);
			put_numbers(buffer, content.units[i].counts.sums, systems);
		}
	}
	else if (state->info->family == FB_FAMILY_SUMS)
		put_sums(buffer, state);
	else if (!state->info->binary)
	{
		pq_sendint64(buffer, state->rows);
		put_numbers(buffer, &state->scores.mean, 1);
		put_numbers(buffer, &state->scores.m2, 1);
	}
	else
	{
		pq_sendint64(buffer, state->rows);
		pq_sendint64(buffer, state->correct);
		if (state->paired)
			pq_sendint64(buffer, state->losses);
	}
	fb_metric_content_free(&content);
}

/* Reads text that has its length before it, from a client in its encoding. */
static char *
get_text(StringInfo buffer, int *len, bool from_client, int sqlstate)
{
	uint32		sent = pq_getmsgint(buffer, 4);
	char	   *result;

	if (sent > (uint32) (buffer->len - buffer->cursor))
		fb_metric_load_error(sqlstate, "A text is longer than the value.");
	if (from_client)
		return pq_getmsgtext(buffer, (int) sent, len);
	result = palloc((Size) sent + 1);
	pq_copymsgbytes(buffer, result, (int) sent);
	result[sent] = '\0';
	*len = (int) sent;
	return result;
}

/* Reads numbers. */
static void
get_numbers(StringInfo buffer, double *numbers, int count)
{
	for (int i = 0; i < count; i++)
		numbers[i] = pq_getmsgfloat8(buffer);
}

/* Reads labels and cells. */
static void
get_cells(StringInfo buffer, FbMetricState *state, bool from_client, int sqlstate)
{
	uint32		nlabels = pq_getmsgint(buffer, 4);
	uint32		ncells;

	for (uint32 i = 0; i < nlabels; i++)
	{
		int			len;
		char	   *label = get_text(buffer, &len, from_client, sqlstate);

		fb_metric_load_label(state, label, len, sqlstate);
		pfree(label);
	}
	ncells = pq_getmsgint(buffer, 4);
	for (uint32 i = 0; i < ncells; i++)
	{
		uint32		bucket = pq_getmsgbyte(buffer);
		uint32		gold = pq_getmsgint(buffer, 4);
		int64		preds[2] = {0, 0};

		for (int s = 0; s <= (int) state->paired; s++)
		{
			uint32		pred = pq_getmsgint(buffer, 4);

			preds[s] = pred == nlabels ? FB_ABSTENTION : (int64) pred;
		}
		fb_metric_load_cell(state, bucket, gold, preds, pq_getmsgint64(buffer), sqlstate);
	}
}

/* Reads sums. */
static void
get_sums(StringInfo buffer, FbMetricState *state, int sqlstate)
{
	int			size = 2 * state->width + FB_PRODUCTS(state->width);
	double	   *numbers = palloc(sizeof(double) * size);

	if (state->unit == FB_UNIT_NONE)
	{
		int64		rows = pq_getmsgint64(buffer);

		get_numbers(buffer, numbers, size);
		fb_metric_load_sums(state, rows, numbers, numbers + state->width, numbers + 2 * state->width, sqlstate);
	}
	else
	{
		uint32		buckets = pq_getmsgint(buffer, 4);

		for (uint32 i = 0; i < buckets; i++)
		{
			int			bucket = pq_getmsgbyte(buffer);
			int64		rows = pq_getmsgint64(buffer);

			get_numbers(buffer, numbers, state->width);
			fb_metric_load_bucket(state, bucket, rows, numbers, sqlstate);
		}
	}
	pfree(numbers);
}

/* Reads what means keep. */
static void
get_mean(StringInfo buffer, FbMetricState *state, int sqlstate)
{
	int64		rows;

	if (fb_metric_state_keeps_units(state))
	{
		uint32		nunits = pq_getmsgint(buffer, 4);

		for (uint32 i = 0; i < nunits; i++)
		{
			FbUnitId	id;
			double		sums[2] = {0.0, 0.0};

			id.high = pq_getmsgint64(buffer);
			id.low = pq_getmsgint64(buffer);
			rows = pq_getmsgint64(buffer);
			get_numbers(buffer, sums, state->paired ? 2 : 1);
			fb_metric_load_unit(state, id, rows, sums, sqlstate);
		}
		return;
	}
	rows = pq_getmsgint64(buffer);
	if (!state->info->binary)
	{
		FbScores	scores = {rows};

		get_numbers(buffer, &scores.mean, 1);
		get_numbers(buffer, &scores.m2, 1);
		fb_metric_load_scores(state, &scores, sqlstate);
	}
	else
	{
		int64		correct = pq_getmsgint64(buffer);

		fb_metric_load_rows(state, rows, correct, state->paired ? pq_getmsgint64(buffer) : 0, sqlstate);
	}
}

/* Reads a state. */
static FbMetricState *
get_state(StringInfo buffer, bool from_client, int sqlstate, MemoryContext parent)
{
	const FbMetricInfo *info;
	FbMetricState *state;
	Jsonb	   *params = NULL;
	char	   *text;
	int			paired;
	int			unit;
	int			len;

	if (pq_getmsgbyte(buffer) != FB_METRIC_STATE_VERSION)
		fb_metric_load_error(sqlstate, "The version is unknown.");
	info = fb_metric_by_id(pq_getmsgbyte(buffer));
	if (info == NULL)
		fb_metric_load_error(sqlstate, "The metric is unknown.");
	paired = pq_getmsgbyte(buffer);
	unit = pq_getmsgbyte(buffer);
	if (paired > 1 || unit > FB_UNIT_GIVEN || (unit == FB_UNIT_NONE && info->family == FB_FAMILY_PASS))
		fb_metric_load_error(sqlstate, "A flag is out of range.");
	text = get_text(buffer, &len, from_client, sqlstate);
	if (len > 0)
		params = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));

	state = fb_metric_state_new(info, params, paired == 1, (FbUnitMode) unit, SIZE_MAX, parent);
	if (info->family == FB_FAMILY_CELLS)
		get_cells(buffer, state, from_client, sqlstate);
	else if (info->family == FB_FAMILY_SCORED)
	{
		int64		rows = pq_getmsgint64(buffer);

		for (int64 i = 0; i < rows; i++)
		{
			int			bucket = pq_getmsgbyte(buffer);
			int			outcome = pq_getmsgbyte(buffer);
			FbScoredRow row = {{0.0, 0.0}};

			get_numbers(buffer, row.scores, paired + 1);
			fb_metric_load_scored(state, &row, bucket, outcome, sqlstate);
		}
	}
	else if (unit == FB_UNIT_UNKNOWN)
		(void) 0;
	else if (info->family == FB_FAMILY_SUMS)
		get_sums(buffer, state, sqlstate);
	else
		get_mean(buffer, state, sqlstate);
	pq_getmsgend(buffer);
	fb_metric_load_end(state, sqlstate);
	return state;
}

/*
 * Returns the size of the stored form of a state, and keeps that form for the
 * call that follows. It is made in the state's own memory: the current context
 * may be a sort's, which from PostgreSQL 17 on frees nothing by the piece.
 */
static Size
flat_size(ExpandedObjectHeader *header)
{
	FbMetricState *state = (FbMetricState *) header;
	MemoryContext caller = MemoryContextSwitchTo(state->hdr.eoh_context);

	if (state->flat != NULL)
	{
		pfree(state->flat->data);
		pfree(state->flat);
	}
	state->flat = makeStringInfo();
	put_state(state->flat, state, false);
	MemoryContextSwitchTo(caller);
	return VARHDRSZ + (Size) state->flat->len;
}

/* Writes the stored form of a state. */
static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated_size)
{
	FbMetricState *state = (FbMetricState *) header;

	if (state->flat == NULL)
		(void) flat_size(header);
	Assert(allocated_size == VARHDRSZ + state->flat->len);
	SET_VARSIZE(result, allocated_size);
	memcpy(VARDATA(result), state->flat->data, state->flat->len);
	pfree(state->flat->data);
	pfree(state->flat);
	state->flat = NULL;
}

const ExpandedObjectMethods fb_metric_state_methods = {
	flat_size,
	flatten_into
};

/*
 * Returns the expanded form of an argument. One that is expanded already is
 * returned as it is and must not be changed, unless the caller knows it as
 * its own; otherwise the result lives below parent.
 */
FbMetricState *
fb_metric_state_get(Datum value, MemoryContext parent)
{
	struct varlena *flat;
	FbMetricState *state;
	StringInfoData buffer;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		state = (FbMetricState *) DatumGetEOHP(value);
		if (state->magic != FB_METRIC_STATE_MAGIC)
			elog(ERROR, "unexpected expanded object in place of a metric state");
		return state;
	}
	flat = PG_DETOAST_DATUM_PACKED(value);
	buffer.data = VARDATA_ANY(flat);
	buffer.len = VARSIZE_ANY_EXHDR(flat);
	buffer.maxlen = buffer.len;
	buffer.cursor = 0;
	state = get_state(&buffer, false, ERRCODE_DATA_CORRUPTED, parent);
	if ((Pointer) flat != DatumGetPointer(value))
		pfree(flat);
	return state;
}

/* Reads the binary form. */
Datum
fb_metric_state_recv(PG_FUNCTION_ARGS)
{
	FbMetricState *state = get_state((StringInfo) PG_GETARG_POINTER(0), true,
									 ERRCODE_INVALID_BINARY_REPRESENTATION, CurrentMemoryContext);

	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

/* Writes the binary form. */
Datum
fb_metric_state_send(PG_FUNCTION_ARGS)
{
	FbMetricState *state = fb_metric_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	put_state(&buffer, state, true);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}
