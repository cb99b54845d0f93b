/*
 * notify.c
 *		Tells listeners that the configuration of an environment has changed.
 *
 * A deferred constraint trigger on featbit.environment: every change of the configuration
 * counts config_version there, and when the transaction commits the trigger reads
 * the version that is committed, so that all its notifications of an environment
 * are equal and PostgreSQL sends one.  It fires on the origin only: an apply worker
 * of logical replication notifies nobody.
 *
 * The trigger also fires when a transaction is prepared, which PostgreSQL refuses once it has
 * notified: what it has to say waits until the transaction is known to commit.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/async.h"
#include "commands/trigger.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "flags/catalog.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_notify_configuration);

#define CHANNEL "featbit"

/*
 * The notification sent last.  At commit there is one event for each change, and no command runs
 * in between: what the first one read, the others need not read again.
 */
typedef struct Sent
{
	LocalTransactionId lxid;
	SubTransactionId subxid;
	CommandId	command;
	char		environment[FB_MAX_KEY + 1];
} Sent;

/* Tells whether this environment was notified already and nothing has happened since; notes it. */
static bool
is_sent(const char *environment)
{
	static Sent last;
	Sent		now;

	memset(&now, 0, sizeof(now));
	now.lxid = FB_MY_LXID;
	now.subxid = GetCurrentSubTransactionId();
	now.command = GetCurrentCommandId(false);
	strlcpy(now.environment, environment, sizeof(now.environment));
	if (memcmp(&now, &last, sizeof(now)) == 0)
		return true;
	last = now;
	return false;
}

/*
 * What is to be said of an environment when the transaction commits.  An event that SET CONSTRAINTS
 * fires early may belong to a subtransaction that is undone, and is then queued again.
 */
typedef struct Payload
{
	SubTransactionId subxid;
	char		environment[FB_MAX_KEY + 1];
	char	   *text;
} Payload;

static List *pending = NIL;		/* Payload *, oldest first, of this transaction */

/* Tells whether a later entry speaks of the same environment. */
static bool
is_outdated(int index)
{
	const Payload *payload = (const Payload *) list_nth(pending, index);

	for (int i = index + 1; i < list_length(pending); i++)
		if (strcmp(((const Payload *) list_nth(pending, i))->environment, payload->environment) == 0)
			return true;
	return false;
}

/* Sends what the triggers had to say last when the transaction commits; forgets it when it ends otherwise. */
static void
send_pending(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
		for (int i = 0; i < list_length(pending); i++)
			if (!is_outdated(i))
				Async_Notify(CHANNEL, ((const Payload *) list_nth(pending, i))->text);
	pending = NIL;
}

/* Tells whether this subtransaction has something to say of an environment. */
static bool
has_payload(SubTransactionId subxid, const char *environment)
{
	ListCell   *lc;

	foreach(lc, pending)
	{
		const Payload *payload = (const Payload *) lfirst(lc);

		if (payload->subxid == subxid && strcmp(payload->environment, environment) == 0)
			return true;
	}
	return false;
}

/* Forgets what an undone subtransaction had to say; hands what a released one had to its parent, in place of the parent's own. */
static void
end_subtransaction(SubXactEvent event, SubTransactionId subxid, SubTransactionId parent, void *arg)
{
	ListCell   *lc;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	foreach(lc, pending)
	{
		const Payload *payload = (const Payload *) lfirst(lc);

		if (event == SUBXACT_EVENT_ABORT_SUB ? payload->subxid == subxid :
			payload->subxid == parent && has_payload(subxid, payload->environment))
			pending = foreach_delete_current(pending, lc);
	}
	foreach(lc, pending)
	{
		Payload    *payload = (Payload *) lfirst(lc);

		if (payload->subxid == subxid)
			payload->subxid = parent;
	}
}

/* Keeps a payload until the transaction commits, in place of the one that this subtransaction had for the environment. */
static void
keep_payload(const char *environment, const char *text)
{
	static bool registered = false;
	SubTransactionId subxid = GetCurrentSubTransactionId();
	MemoryContext old_context;
	Payload    *payload;
	ListCell   *lc;

	if (!registered)
	{
		RegisterXactCallback(send_pending, NULL);
		RegisterSubXactCallback(end_subtransaction, NULL);
	}
	registered = true;
	foreach(lc, pending)
	{
		payload = (Payload *) lfirst(lc);
		if (payload->subxid == subxid && strcmp(payload->environment, environment) == 0)
		{
			pending = foreach_delete_current(pending, lc);
			pfree(payload->text);
			pfree(payload);
			break;
		}
	}
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	payload = (Payload *) palloc(sizeof(Payload));
	payload->subxid = subxid;
	strlcpy(payload->environment, environment, sizeof(payload->environment));
	payload->text = pstrdup(text);
	pending = lappend(pending, payload);
	MemoryContextSwitchTo(old_context);
}

/* Sends {"environment", "version"}; the version is null when the environment was deleted. */
Datum
fb_notify_configuration(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	FbConfigOids oids;
	FbCatalog	catalog;
	FbEnvironmentRow row;
	StringInfoData payload;
	char	   *environment;
	bool		found;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"featbit.notify_configuration\" must be fired after each row")));
	if (!fb_notify_setting)
		return PointerGetDatum(NULL);
	fb_require_config_table(trigger->tg_relation, FB_TABLE_ENVIRONMENT, FB_TABLE_ENVIRONMENT,
							"notify_configuration");
	desc = RelationGetDescr(trigger->tg_relation);
	environment = TextDatumGetCString(heap_getattr(trigger->tg_trigtuple, fb_column(desc, "key"),
												   desc, &isnull));
	/* the last statement's own changes are to be seen, too */
	CommandCounterIncrement();
	if (is_sent(environment))
		return PointerGetDatum(NULL);
	fb_require_config_oids(&oids);
	if (!fb_catalog_open(&catalog, &oids, environment, true))
		return PointerGetDatum(NULL);
	found = fb_catalog_environment(&catalog, &row);
	fb_catalog_close(&catalog);

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"environment\": ");
	escape_json(&payload, environment);
	if (found)
		appendStringInfo(&payload, ", \"version\": %lld}", (long long) row.config_version);
	else
		appendStringInfoString(&payload, ", \"version\": null}");
	keep_payload(environment, payload.data);
	return PointerGetDatum(NULL);
}
