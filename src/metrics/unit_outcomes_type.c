/*
 * unit_outcomes_type.c
 *		The type featbit.unit_outcomes: text and binary form.
 *
 * The binary form is described in core/fb_outcomes_wire.c; the text form is
 * its hexadecimal digits.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "metrics/unit_outcomes.h"
#include "pg_compat.h"

#define TYPE_NAME "featbit.unit_outcomes"

PG_FUNCTION_INFO_V1(fb_unit_outcomes_in);
PG_FUNCTION_INFO_V1(fb_unit_outcomes_out);
PG_FUNCTION_INFO_V1(fb_unit_outcomes_recv);
PG_FUNCTION_INFO_V1(fb_unit_outcomes_send);

/* unit_outcomes_in(cstring) returns unit_outcomes */
Datum
fb_unit_outcomes_in(PG_FUNCTION_ARGS)
{
	Size		length;
	unsigned char *bytes = fb_unhex(fcinfo, PG_GETARG_CSTRING(0), TYPE_NAME, &length);
	const char *detail;
	FbOutcomeState *state;

	if (bytes == NULL)
		PG_RETURN_NULL();
	state = fb_outcome_state_from_bytes(bytes, length, CurrentMemoryContext, false, &detail);
	if (state == NULL)
		fb_ereturn(fcinfo->context, (Datum) 0,
				   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type " TYPE_NAME),
					errdetail("%s", detail)));
	pfree(bytes);
	return EOHPGetRWDatum(&state->hdr);
}

/* unit_outcomes_recv(internal) returns unit_outcomes */
Datum
fb_unit_outcomes_recv(PG_FUNCTION_ARGS)
{
	StringInfo	in = (StringInfo) PG_GETARG_POINTER(0);
	int			length = in->len - in->cursor;
	const char *detail;
	FbOutcomeState *state = fb_outcome_state_from_bytes((const unsigned char *) pq_getmsgbytes(in, length), length,
														CurrentMemoryContext, false, &detail);

	if (state == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary representation of type " TYPE_NAME),
				 errdetail("%s", detail)));
	return EOHPGetRWDatum(&state->hdr);
}

/* unit_outcomes_send(unit_outcomes) returns bytea */
Datum
fb_unit_outcomes_send(PG_FUNCTION_ARGS)
{
	FbOutcomeState *state = fb_outcome_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext);
	Size		size = EOH_get_flat_size(&state->hdr);
	bytea	   *result = palloc(size);

	/* The flat form is a header and the binary form. */
	EOH_flatten_into(&state->hdr, result, size);
	PG_RETURN_BYTEA_P(result);
}

/* unit_outcomes_out(unit_outcomes) returns cstring */
Datum
fb_unit_outcomes_out(PG_FUNCTION_ARGS)
{
	FbOutcomeState *state = fb_outcome_state_get(PG_GETARG_DATUM(0), CurrentMemoryContext);
	Size		size = fb_outcomes_bytes(&state->outcomes);
	unsigned char *bytes = MemoryContextAllocHuge(CurrentMemoryContext, size);
	char	   *text;

	fb_outcomes_send(&state->outcomes, bytes);
	text = fb_hex(bytes, size, TYPE_NAME);
	pfree(bytes);
	PG_RETURN_CSTRING(text);
}
