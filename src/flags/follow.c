/*
 * follow.c
 *		What happens when a row of FeatBit's own tables is written that an
 *		environment follows.
 *
 * FeatBit's writer must not notice: everything runs in a subtransaction,
 * and what goes wrong is noted or warned of.  The keys of the changed rows are collected with
 * the rights of the writer; the configuration is written with those of the extension's owner.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "flags/catalog.h"
#include "flags/owner.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_follow_featbit_table);

#define COLLECT "SELECT pg_catalog.array_agg(r.env_id), pg_catalog.array_agg(r.key) FROM ("
#define COLLECT_NEW "SELECT n.env_id::pg_catalog.text, n.key::pg_catalog.text FROM new_rows AS n"
#define COLLECT_OLD "SELECT o.env_id::pg_catalog.text, o.key::pg_catalog.text FROM old_rows AS o"
#define COLLECTED ") AS r (env_id, key)"

static FbOwnerStatement follow_change = {
	"SELECT featbit.follow_change($1, $2, $3)"
};

/* The environments and keys of the flags that a statement changed; nulls: all may have changed. */
typedef struct Changed
{
	bool		any;
	Datum		values[3];
	char		nulls[4];
} Changed;

/* Collects the keys of the changed flags, as whoever changed them. */
static void
collect_keys(TriggerData *trigger, MemoryContext context, Changed *changed)
{
	const char *query = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? COLLECT COLLECT_NEW COLLECTED :
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? COLLECT COLLECT_OLD COLLECTED :
		COLLECT COLLECT_OLD " UNION ALL " COLLECT_NEW COLLECTED;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_register_trigger_data(trigger) != SPI_OK_TD_REGISTER ||
		SPI_execute(query, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the changed rows of \"%s\"", RelationGetRelationName(trigger->tg_relation));
	changed->any = true;
	for (int i = 1; i < 3; i++)
	{
		bool		isnull;
		Datum		array = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i, &isnull);

		if (isnull)
			changed->any = false;
		else
		{
			MemoryContext old_context = MemoryContextSwitchTo(context);

			changed->values[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(array));
			changed->nulls[i] = ' ';
			MemoryContextSwitchTo(old_context);
		}
	}
	SPI_finish();
}

/* Takes over what a statement changed. */
static void
take_over(TriggerData *trigger, MemoryContext context)
{
	FbConfigOids oids;
	Changed		changed = {true, {ObjectIdGetDatum(RelationGetRelid(trigger->tg_relation))}, " nn"};
	Oid			types[3] = {REGCLASSOID, TEXTARRAYOID, TEXTARRAYOID};
	Relation	flags;
	FbOwnerScope scope;

	if (!TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event) &&
		strcmp(RelationGetRelationName(trigger->tg_relation), "feature_flags") == 0)
		collect_keys(trigger, context, &changed);
	if (!changed.any)
		return;
	fb_require_config_oids(&oids);
	flags = table_open(oids.relation[FB_TABLE_FLAG], AccessShareLock);
	fb_owner_begin(&scope, flags);
	if (fb_owner_execute(&follow_change, 3, types, changed.values, changed.nulls, InvalidOid, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not take over the changes of \"%s\"", RelationGetRelationName(trigger->tg_relation));
	fb_owner_end(&scope);
	table_close(flags, AccessShareLock);
}

/* Trigger of FeatBit's tables: takes the changes of a statement over. */
Datum
fb_follow_featbit_table(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"featbit.follow_featbit_table\" must be fired after each statement")));

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		take_over(trigger, context);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		/* whoever cancels the statement means it */
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED || error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN)
			ReThrowError(error);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("what follows table \"%s\" did not get its changes: %s",
						RelationGetRelationName(trigger->tg_relation), error->message),
				 errhint("Run SELECT * FROM featbit.sync_featbit() when it is mended.")));
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return PointerGetDatum(NULL);
}
