/*
 * history.c
 *		What happens after a row of a configuration table was written: its version
 *		is recorded, and every backend learns that its compiled flags are old.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "flags/cache.h"
#include "flags/catalog.h"
#include "flags/owner.h"
#include "flags/restored.h"
#include "flags/transition.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_record_revision);
PG_FUNCTION_INFO_V1(fb_invalidate_configuration);

#define INSERT_REVISION \
"INSERT INTO featbit.flag_revision (environment, kind, key, revision, change, definition, changed," \
" comment, changed_at, changed_by, transaction_id) " \
"VALUES ($1, $2, $3, $4, $5, to_jsonb($6), $7, nullif($8, ''), $9, $10, pg_current_xact_id())"

/* one for flags, one for segments: their rows have different types */
static FbOwnerStatement insert_revision[] = {{INSERT_REVISION}, {INSERT_REVISION}};

/* Makes a text[] of names. */
static Datum
name_array(const List *names)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(names), 1));
	ListCell   *cell;

	foreach(cell, names)
		values[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(values, list_length(names), TEXTOID, -1, false, TYPALIGN_INT));
}

/* Records the version that was just written, under the identity of the table's owner. */
Datum
fb_record_revision(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	relation;
	TupleDesc	desc;
	HeapTuple	tuple;
	HeapTuple	old = NULL;
	FbOwnerScope scope;
	Datum		values[10];
	Oid			types[10];
	bool		isnull;
	char	   *environment;
	char	   *key;
	int64		revision;
	const char *change;
	bool		is_segment;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"featbit.record_revision\" must be fired after each row")));
	fb_require_config_table(trigger->tg_relation, FB_TABLE_FLAG, FB_TABLE_SEGMENT, "record_revision");
	relation = trigger->tg_relation;
	desc = RelationGetDescr(relation);
	tuple = trigger->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		old = tuple;
		tuple = trigger->tg_newtuple;
	}
	environment = TextDatumGetCString(heap_getattr(tuple, fb_column(desc, "environment"), desc, &isnull));
	key = TextDatumGetCString(heap_getattr(tuple, fb_column(desc, "key"), desc, &isnull));
	revision = DatumGetInt64(heap_getattr(tuple, fb_column(desc, "revision"), desc, &isnull));
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		fb_is_restored(RelationGetRelid(relation), environment, key, revision))
		return PointerGetDatum(NULL);
	/* an UPDATE that changes nothing leaves the version as it is */
	if (old != NULL && DatumGetInt64(heap_getattr(old, fb_column(desc, "revision"), desc, &isnull)) == revision)
	{
		if (fb_changed_columns(desc, old, tuple) == NIL)
			return PointerGetDatum(NULL);
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("%s \"%s\" was changed without being checked", RelationGetRelationName(relation), key),
				 errhint("Triggers fire in the order of their names: one that changes rows must come before \"%s_before_write\", which must be enabled.",
						 RelationGetRelationName(relation))));
	}
	change = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "insert" :
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "update" : "delete";
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		revision = Max(revision, fb_last_revision(relation, environment, key)) + 1;

	for (int i = 0; i < 10; i++)
		types[i] = TEXTOID;
	types[3] = INT8OID;
	types[5] = relation->rd_rel->reltype;
	types[6] = TEXTARRAYOID;
	types[8] = TIMESTAMPTZOID;
	values[0] = CStringGetTextDatum(environment);
	values[1] = CStringGetTextDatum(RelationGetRelationName(relation));
	values[2] = CStringGetTextDatum(key);
	values[3] = Int64GetDatum(revision);
	values[4] = CStringGetTextDatum(change);
	values[5] = heap_copy_tuple_as_datum(tuple, desc);
	values[6] = old != NULL ? name_array(fb_changed_columns(desc, old, tuple)) :
		PointerGetDatum(construct_empty_array(TEXTOID));
	values[7] = CStringGetTextDatum(fb_change_comment_setting);
	values[8] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[9] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));

	is_segment = strcmp(RelationGetRelationName(relation), "segment") == 0;
	fb_owner_begin(&scope, relation);
	if (fb_owner_execute(&insert_revision[is_segment], 10, types, values, NULL, relation->rd_rel->reltype, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not record revision of \"%s\"", key);
	fb_owner_end(&scope);
	return PointerGetDatum(NULL);
}

/* Tells whether two versions of a row are stored as the same bytes. */
static bool
same_bytes(HeapTuple old, HeapTuple new)
{
	const size_t start = offsetof(HeapTupleHeaderData, t_bits);

	return old->t_len == new->t_len &&
		HeapTupleHeaderGetNatts(old->t_data) == HeapTupleHeaderGetNatts(new->t_data) &&
		HeapTupleHasNulls(old) == HeapTupleHasNulls(new) &&
		memcmp((char *) old->t_data + start, (char *) new->t_data + start, old->t_len - start) == 0;
}

/* Where the last message was registered. */
static TransactionId registered_transaction = InvalidTransactionId;
static SubTransactionId registered_subtransaction = InvalidSubTransactionId;

/*
 * Invalidates the relation cache entry of featbit.flag, the signal all backends
 * listen to.  It fires on logical-replication subscribers too and never raises:
 * an error would stop the apply worker.
 *
 * One message tells the other backends of all that its subtransaction changes.  This backend
 * needs another only when it has read the configuration since the last one: where thousands of rows are
 * written, building the entry again for each of them would take a fifth of the time.
 */
Datum
fb_invalidate_configuration(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TransactionId transaction = GetTopTransactionIdIfAny();
	SubTransactionId subtransaction = GetCurrentSubTransactionId();
	FbConfigOids oids;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
		 same_bytes(trigger->tg_trigtuple, trigger->tg_newtuple)))
		return PointerGetDatum(NULL);
	if (TransactionIdIsValid(transaction) && transaction == registered_transaction &&
		subtransaction == registered_subtransaction && fb_cache_is_blank())
		return PointerGetDatum(NULL);
	if (fb_resolve_config_oids(&oids))
	{
		HeapTuple	class_tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(oids.relation[FB_TABLE_FLAG]));

		if (HeapTupleIsValid(class_tuple))
		{
			CacheInvalidateRelcacheByTuple(class_tuple);
			ReleaseSysCache(class_tuple);
			registered_transaction = transaction;
			registered_subtransaction = subtransaction;
		}
	}
	return PointerGetDatum(NULL);
}
