/*
 * record.c
 *		Records exposures and events into the tables of the user's tracking
 *		schema, one row per call.
 *
 * The schema is part of the configuration, so it comes from the configuration
 * cache with the evaluation: a role that records needs rights on its own
 * tables, but none on featbit.environment.  The INSERT runs with the rights of
 * the caller through SPI, so that partitions, triggers and row-level security
 * of the user's tables do their work; its plan is kept for the session.
 *
 * Both times default to statement_timestamp().  The start of the transaction
 * may lie long before, so that events of others from in between would count;
 * the wall clock would put an exposure after an event that the same statement
 * records.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "pg_compat.h"

/* Largest value of an event: the squares of its sums stay far from overflow. */
#define MAX_VALUE 1e100

/* Columns of featbit.evaluate_exposure, in order. */
typedef enum EvaluationColumn
{
	EVAL_ENVIRONMENT,
	EVAL_VALUE,
	EVAL_VARIATION,
	EVAL_REASON,
	EVAL_ERROR_CODE,
	EVAL_ERROR_MESSAGE,
	EVAL_RULE_ID,
	EVAL_REVISION,
	EVAL_ITERATION,
	EVAL_UNIT_KEY,
	EVAL_RANDOMISED,
	EVAL_TRACKING_SCHEMA,
	EVAL_COLUMNS
} EvaluationColumn;

typedef struct Evaluation
{
	Datum		values[EVAL_COLUMNS];
	bool		nulls[EVAL_COLUMNS];
} Evaluation;

/* The functions of the flags that one call site uses, looked up when first needed; kept in fn_extra. */
typedef struct CallSite
{
	FmgrInfo	evaluate;		/* featbit.evaluate_exposure */
	FmgrInfo	value;			/* featbit.variation_value */
	FmgrInfo	schema;			/* featbit.tracking_schema */
} CallSite;

/* The statements of this file. */
typedef enum StatementKind
{
	RECORD_EXPOSURE,
	RECORD_EVENT,
	RECORD_KEYED_EVENT
} StatementKind;

typedef struct Statement
{
	const char *sql;			/* %s stands for the quoted schema */
	int			nargs;
	Oid			argtypes[11];
} Statement;

static const Statement statements[] = {
	[RECORD_EXPOSURE] = {
		"INSERT INTO %s.exposure (environment, flag_key, iteration, user_key, variation, exposed_at,"
		" revision, reason, rule_id, unit_key, randomised)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
		" ON CONFLICT (environment, flag_key, iteration, user_key, variation) DO NOTHING",
		11,
		{TEXTOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID,
		INT8OID, TEXTOID, TEXTOID, TEXTOID, BOOLOID}
	},
	[RECORD_EVENT] = {
		"INSERT INTO %s.event (environment, user_key, event_name, value, attributes, occurred_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)",
		6,
		{TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, JSONBOID, TIMESTAMPTZOID}
	},
	[RECORD_KEYED_EVENT] = {
		"INSERT INTO %s.event (environment, user_key, event_name, value, attributes, occurred_at, idempotency_key)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7)"
		" ON CONFLICT (environment, user_key, idempotency_key, occurred_at) DO NOTHING",
		7,
		{TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, JSONBOID, TIMESTAMPTZOID, TEXTOID}
	}
};

/* Plans of this session by schema and statement. */
typedef struct PlanKey
{
	NameData	schema;			/* padded with zeros: hashed as bytes */
	int			kind;
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;
	SPIPlanPtr	plan;			/* NULL until it is prepared */
} PlanEntry;

static HTAB *plans = NULL;

PG_FUNCTION_INFO_V1(fb_expose);
PG_FUNCTION_INFO_V1(fb_expose_bigint);
PG_FUNCTION_INFO_V1(fb_expose_uuid);
PG_FUNCTION_INFO_V1(fb_track);
PG_FUNCTION_INFO_V1(fb_track_bigint);
PG_FUNCTION_INFO_V1(fb_track_uuid);
PG_FUNCTION_INFO_V1(fb_recording_schema);

/* Returns the call site of this function call, making it at the first one. */
static CallSite *
get_call_site(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
	return fcinfo->flinfo->fn_extra;
}

/* Looks up a function of schema featbit, once for a call site. */
static void
find_function(FunctionCallInfo fcinfo, FmgrInfo *function, char *name, int nargs, const Oid *argtypes)
{
	if (OidIsValid(function->fn_oid))
		return;
	fmgr_info_cxt(LookupFuncName(list_make2(makeString("featbit"), makeString(name)), nargs, argtypes, false),
				  function, fcinfo->flinfo->fn_mcxt);
}

/* Evaluates a flag for a user. */
static void
evaluate(FunctionCallInfo fcinfo, NullableDatum user_key, NullableDatum flag_key, NullableDatum context,
		 NullableDatum environment, Evaluation *evaluation)
{
	const Oid	argtypes[] = {TEXTOID, TEXTOID, JSONBOID, TEXTOID};
	CallSite   *site = get_call_site(fcinfo);
	LOCAL_FCINFO(call, 4);
	Datum		result;
	HeapTupleHeader header;
	HeapTupleData tuple;
	TupleDesc	desc;

	find_function(fcinfo, &site->evaluate, "evaluate_exposure", lengthof(argtypes), argtypes);
	InitFunctionCallInfoData(*call, &site->evaluate, lengthof(argtypes), InvalidOid, NULL, NULL);
	call->args[0] = user_key;
	call->args[1] = flag_key;
	call->args[2] = context;
	call->args[3] = environment;
	result = FunctionCallInvoke(call);
	if (call->isnull)
		elog(ERROR, "featbit.evaluate_exposure returned null");

	header = DatumGetHeapTupleHeader(result);
	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	if (desc->natts != EVAL_COLUMNS)
		elog(ERROR, "featbit.evaluate_exposure returned %d columns instead of %d", desc->natts, EVAL_COLUMNS);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, desc, evaluation->values, evaluation->nulls);
	ReleaseTupleDesc(desc);
}

/* Returns the value of a named variation of a flag; NULL when the flag has no such variation. */
static text *
variation_value(FunctionCallInfo fcinfo, Datum flag_key, Datum variation, Datum environment)
{
	const Oid	argtypes[] = {TEXTOID, TEXTOID, TEXTOID};
	CallSite   *site = get_call_site(fcinfo);
	LOCAL_FCINFO(call, 3);
	Datum		result;

	find_function(fcinfo, &site->value, "variation_value", lengthof(argtypes), argtypes);
	InitFunctionCallInfoData(*call, &site->value, lengthof(argtypes), InvalidOid, NULL, NULL);
	call->args[0] = (NullableDatum) {flag_key, false};
	call->args[1] = (NullableDatum) {variation, false};
	call->args[2] = (NullableDatum) {environment, false};
	result = FunctionCallInvoke(call);
	return call->isnull ? NULL : DatumGetTextPP(result);
}

/* Returns the environment that an argument means: by default the setting. */
static Datum
resolve_environment(NullableDatum environment)
{
	const char *setting;

	if (!environment.isnull)
		return environment.value;
	setting = GetConfigOption("featbit.environment", true, false);
	return CStringGetTextDatum(setting != NULL && setting[0] != '\0' ? setting : "default");
}

/* Raises for an environment into which nothing can be recorded. */
static void
refuse_without_schema(Datum environment)
{
	char	   *name = TextDatumGetCString(environment);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("environment \"%s\" has no tracking schema", name),
			 errhint("Run SELECT featbit.create_tracking('tracking', %s), with any schema name you like.",
					 quote_literal_cstr(name))));
}

/* Returns the tracking schema of an environment; raises when it has none. */
static text *
tracking_schema(FunctionCallInfo fcinfo, Datum environment)
{
	const Oid	argtypes[] = {TEXTOID};
	CallSite   *site = get_call_site(fcinfo);
	LOCAL_FCINFO(call, 1);
	Datum		result;

	find_function(fcinfo, &site->schema, "tracking_schema", lengthof(argtypes), argtypes);
	InitFunctionCallInfoData(*call, &site->schema, lengthof(argtypes), InvalidOid, NULL, NULL);
	call->args[0] = (NullableDatum) {environment, false};
	result = FunctionCallInvoke(call);
	if (call->isnull)
		refuse_without_schema(environment);
	return DatumGetTextPP(result);
}

/* Raises where nothing can be written, before anything is evaluated: whether it fails does not depend on the flag. */
static void
check_writable(const char *what)
{
	if (!XactReadOnly)
		return;
	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot record %s on a standby server", what),
				 errhint("Evaluate with evaluate_flag here, and queue what is to be recorded for the primary, "
						 "for example with expose_batch and track_batch.")));
	ereport(ERROR,
			(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
			 errmsg("cannot record %s in a read-only transaction", what),
			 errhint("Evaluate with evaluate_flag here, and queue what is to be recorded for a transaction that may write, "
					 "for example with expose_batch and track_batch.")));
}

/* Runs one of the statements in a tracking schema, with the caller's rights; returns the number of rows written. */
static uint64
run_statement(StatementKind kind, text *schema, Datum *values, const bool *nulls)
{
	const Statement *statement = &statements[kind];
	char		nullflags[11];
	PlanKey		key;
	PlanEntry  *entry;
	bool		found;
	int			result;
	uint64		processed;

	memset(&key, 0, sizeof(key));
	key.kind = kind;
	if (VARSIZE_ANY_EXHDR(schema) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("tracking schema name \"%s\" is too long", text_to_cstring(schema))));
	memcpy(NameStr(key.schema), VARDATA_ANY(schema), VARSIZE_ANY_EXHDR(schema));

	if (plans == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(PlanKey);
		ctl.entrysize = sizeof(PlanEntry);
		plans = hash_create("featbit_pg recording plans", 16, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (entry->plan == NULL)
	{
		SPIPlanPtr	plan;

		if (!OidIsValid(get_namespace_oid(NameStr(key.schema), true)))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_SCHEMA),
					 errmsg("tracking schema \"%s\" does not exist", NameStr(key.schema)),
					 errhint("Make it again with featbit.create_tracking.")));
		plan = SPI_prepare_cursor(psprintf(statement->sql, quote_identifier(NameStr(key.schema))),
								  statement->nargs, unconstify(Oid *, &statement->argtypes[0]),
								  CURSOR_OPT_GENERIC_PLAN);
		if (plan == NULL)
			elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		entry->plan = plan;
	}
	for (int i = 0; i < statement->nargs; i++)
		nullflags[i] = nulls[i] ? 'n' : ' ';
	result = SPI_execute_plan(entry->plan, values, nullflags, false, 0);
	if (result != SPI_OK_INSERT && result != SPI_OK_REWRITTEN)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	processed = SPI_processed;
	SPI_finish();
	return processed;
}

/* Says whether two text datums have the same bytes. */
static bool
same_text(Datum a, Datum b)
{
	text	   *x = DatumGetTextPP(a);
	text	   *y = DatumGetTextPP(b);

	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

/* Evaluates a flag for the user key and records the exposure; the other arguments are those of the call. */
static Datum
expose(FunctionCallInfo fcinfo, NullableDatum user_key)
{
	NullableDatum flag_key = fcinfo->args[1];
	NullableDatum given = fcinfo->args[4];
	NullableDatum value;
	Evaluation	evaluation;
	text	   *schema;
	Datum		values[11];
	bool		nulls[11] = {0};
	bool		agrees;

	check_writable("an exposure");
	evaluate(fcinfo, user_key, flag_key, fcinfo->args[2], fcinfo->args[3], &evaluation);
	if (!evaluation.nulls[EVAL_TRACKING_SCHEMA])
		schema = DatumGetTextPP(evaluation.values[EVAL_TRACKING_SCHEMA]);
	else						/* no flag key at all, or no schema */
		schema = tracking_schema(fcinfo, evaluation.values[EVAL_ENVIRONMENT]);
	value = (NullableDatum) {evaluation.values[EVAL_VALUE], evaluation.nulls[EVAL_VALUE]};

	agrees = given.isnull ||
		(evaluation.nulls[EVAL_ERROR_CODE] && !evaluation.nulls[EVAL_VARIATION] &&
		 same_text(given.value, evaluation.values[EVAL_VARIATION]));
	if (agrees)
	{
		if (!evaluation.nulls[EVAL_ERROR_CODE] || evaluation.nulls[EVAL_VARIATION])
			goto done;
	}
	else
	{
		text	   *overridden;

		/* of a flag that does not exist nothing is known, without a user there is nobody to record */
		if (user_key.isnull || evaluation.nulls[EVAL_REVISION])
			goto done;
		overridden = variation_value(fcinfo, flag_key.value, given.value, evaluation.values[EVAL_ENVIRONMENT]);
		if (overridden == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("flag \"%s\" has no variation \"%s\"",
							TextDatumGetCString(flag_key.value), TextDatumGetCString(given.value)),
					 evaluation.nulls[EVAL_VARIATION] ? 0 :
					 errdetail("The flag serves \"%s\" to this user.",
							   TextDatumGetCString(evaluation.values[EVAL_VARIATION])),
					 errhint("Give the key of the variation that the application served, or leave the argument out to record what the flag serves.")));
		value = (NullableDatum) {PointerGetDatum(overridden), false};
	}

	values[0] = evaluation.values[EVAL_ENVIRONMENT];
	values[1] = flag_key.value;
	values[2] = evaluation.values[EVAL_ITERATION];
	values[3] = user_key.value;
	values[4] = given.isnull ? evaluation.values[EVAL_VARIATION] : given.value;
	values[5] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp());
	values[6] = evaluation.values[EVAL_REVISION];
	values[7] = agrees ? evaluation.values[EVAL_REASON] : CStringGetTextDatum("OVERRIDDEN");
	values[8] = evaluation.values[EVAL_RULE_ID];
	nulls[8] = !agrees || evaluation.nulls[EVAL_RULE_ID];
	values[9] = agrees && !evaluation.nulls[EVAL_UNIT_KEY] ? evaluation.values[EVAL_UNIT_KEY] : user_key.value;
	values[10] = BoolGetDatum(agrees && DatumGetBool(evaluation.values[EVAL_RANDOMISED]));
	run_statement(RECORD_EXPOSURE, schema, values, nulls);

done:
	if (value.isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value.value);
}

/* Records an event of the user key; the other arguments are those of the call. */
static Datum
track(FunctionCallInfo fcinfo, NullableDatum user_key)
{
	NullableDatum event_name = fcinfo->args[1];
	NullableDatum value = fcinfo->args[2];
	NullableDatum attributes = fcinfo->args[3];
	NullableDatum occurred_at = fcinfo->args[4];
	NullableDatum idempotency_key = fcinfo->args[6];
	text	   *schema;
	Datum		values[7];
	bool		nulls[7] = {0};

	if (user_key.isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an event needs a user key")));
	if (event_name.isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an event needs a name")));
	if (VARSIZE_ANY_EXHDR(DatumGetTextPP(event_name.value)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of an event must not be empty")));
	if (!value.isnull && !(fabs(DatumGetFloat8(value.value)) <= MAX_VALUE))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value of event \"%s\" is out of range: %s", TextDatumGetCString(event_name.value),
						DatumGetCString(DirectFunctionCall1(float8out, value.value))),
				 errhint("Values lie between -1e100 and 1e100. Record NULL for an event without a measure.")));
	if (!attributes.isnull && !JB_ROOT_IS_OBJECT(DatumGetJsonbP(attributes.value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("attributes of event \"%s\" are not a JSON object", TextDatumGetCString(event_name.value))));
	if (!occurred_at.isnull && TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(occurred_at.value)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("time of event \"%s\" is not finite", TextDatumGetCString(event_name.value))));
	if (!idempotency_key.isnull && occurred_at.isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an idempotency key needs occurred_at"),
				 errdetail("A repeated delivery is recognised by user, key and time of the event."),
				 errhint("Give the time at which the event happened, the same in every delivery.")));

	check_writable("an event");
	values[0] = resolve_environment(fcinfo->args[5]);
	schema = tracking_schema(fcinfo, values[0]);
	values[1] = user_key.value;
	values[2] = event_name.value;
	values[3] = value.value;
	nulls[3] = value.isnull;
	values[4] = attributes.isnull ? DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")) : attributes.value;
	values[5] = occurred_at.isnull ? TimestampTzGetDatum(GetCurrentStatementStartTimestamp()) : occurred_at.value;
	values[6] = idempotency_key.value;
	PG_RETURN_BOOL(run_statement(idempotency_key.isnull ? RECORD_EVENT : RECORD_KEYED_EVENT, schema, values, nulls) > 0);
}

/* Returns the canonical text of a bigint user key: decimal. */
static NullableDatum
bigint_key(NullableDatum key)
{
	if (!key.isnull)
		key.value = CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(int8out, key.value)));
	return key;
}

/* Returns the canonical text of a uuid user key: lower case, with hyphens. */
static NullableDatum
uuid_key(NullableDatum key)
{
	if (!key.isnull)
		key.value = CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(uuid_out, key.value)));
	return key;
}

/* Evaluates a flag for a user and records the exposure. */
Datum
fb_expose(PG_FUNCTION_ARGS)
{
	return expose(fcinfo, fcinfo->args[0]);
}

/* Evaluates a flag for a user with a bigint key and records the exposure. */
Datum
fb_expose_bigint(PG_FUNCTION_ARGS)
{
	return expose(fcinfo, bigint_key(fcinfo->args[0]));
}

/* Evaluates a flag for a user with a uuid key and records the exposure. */
Datum
fb_expose_uuid(PG_FUNCTION_ARGS)
{
	return expose(fcinfo, uuid_key(fcinfo->args[0]));
}

/* Records an event of a user; false when it is recorded already. */
Datum
fb_track(PG_FUNCTION_ARGS)
{
	return track(fcinfo, fcinfo->args[0]);
}

/* Records an event of a user with a bigint key. */
Datum
fb_track_bigint(PG_FUNCTION_ARGS)
{
	return track(fcinfo, bigint_key(fcinfo->args[0]));
}

/* Records an event of a user with a uuid key. */
Datum
fb_track_uuid(PG_FUNCTION_ARGS)
{
	return track(fcinfo, uuid_key(fcinfo->args[0]));
}

/* Returns the schema into which an environment's facts can be recorded here and now, or raises. */
Datum
fb_recording_schema(PG_FUNCTION_ARGS)
{
	check_writable(PG_ARGISNULL(1) ? "facts" : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_TEXT_P(tracking_schema(fcinfo, resolve_environment(fcinfo->args[0])));
}
