/*
 * access.c
 *		Which environments the current role may read and change.
 *
 * The row-level security policies of the configuration tables decide.  The
 * executor applies them to rows, but too late for what happens before a row is
 * written (the lock of the environment, the messages of the validation) and not
 * at all for what is read in C.  Here they are asked about an environment as a
 * whole: with every other column unknown, a policy that comes out false lets no row of it pass.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "fb_suggest.h"
#include "flags/access.h"
#include "flags/catalog.h"
#include "flags/usage.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_has_access);
PG_FUNCTION_INFO_V1(fb_known_environment);

/* The last answer of a call site: policies ask for row after row of one environment. */
typedef struct LastAccess
{
	bool		valid;
	bool		answer;
	Oid			user;
	text	   *task;
	text	   *environment;
} LastAccess;

/* Tells whether two texts have the same bytes. */
static bool
same_text(text *a, text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* Looks the task up in featbit.access, as it is committed now and changed by this transaction. */
static bool
look_up_access(text *task, text *environment)
{
	Oid			relid = get_relname_relid("access", get_namespace_oid("featbit", false));
	Relation	relation;
	TupleDesc	desc;
	SysScanDesc scan;
	HeapTuple	tuple;
	text	   *all = cstring_to_text("*");
	bool		found = false;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("configuration table \"featbit.access\" is missing"),
				 errhint("Run CREATE EXTENSION featbit_pg.")));
	relation = table_open(relid, AccessShareLock);
	desc = RelationGetDescr(relation);
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Oid			role = DatumGetObjectId(heap_getattr(tuple, fb_column(desc, "role"), desc, &isnull));
		text	   *granted = DatumGetTextPP(heap_getattr(tuple, fb_column(desc, "task"), desc, &isnull));
		text	   *where = DatumGetTextPP(heap_getattr(tuple, fb_column(desc, "environment"), desc, &isnull));

		found = same_text(granted, task) && (same_text(where, environment) || same_text(where, all)) &&
			(role == ACL_ID_PUBLIC || has_privs_of_role(GetUserId(), role));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return found;
}

/* Tells whether the current role has been given a task in an environment. */
Datum
fb_has_access(PG_FUNCTION_ARGS)
{
	LastAccess *last = (LastAccess *) fcinfo->flinfo->fn_extra;
	text	   *task;
	text	   *environment;
	MemoryContext old_context;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	task = PG_GETARG_TEXT_PP(0);
	environment = PG_GETARG_TEXT_PP(1);
	if (last != NULL && last->valid && last->user == GetUserId() &&
		same_text(last->environment, environment) && same_text(last->task, task))
		PG_RETURN_BOOL(last->answer);
	if (last == NULL)
	{
		last = (LastAccess *) MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(LastAccess));
		fcinfo->flinfo->fn_extra = last;
	}
	else if (last->valid)
	{
		pfree(last->task);
		pfree(last->environment);
	}
	last->valid = false;
	last->answer = look_up_access(task, environment);
	last->user = GetUserId();
	old_context = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	last->task = (text *) DatumGetPointer(datumCopy(PointerGetDatum(task), false, -1));
	last->environment = (text *) DatumGetPointer(datumCopy(PointerGetDatum(environment), false, -1));
	MemoryContextSwitchTo(old_context);
	last->valid = true;
	PG_RETURN_BOOL(last->answer);
}

/* Tells whether a policy is for the current role. */
static bool
is_for_user(RowSecurityPolicy *policy)
{
	Oid		   *roles = (Oid *) ARR_DATA_PTR(policy->roles);

	for (int i = 0; i < ARR_DIMS(policy->roles)[0]; i++)
		if (roles[i] == ACL_ID_PUBLIC || has_privs_of_role(GetUserId(), roles[i]))
			return true;
	return false;
}

/* Tells whether the policy's condition may hold for some row of the environment: it does not come out false. */
static bool
may_hold(RowSecurityPolicy *policy, char command, Relation relation, const char *environment)
{
	Expr	   *condition = command == 'a' && policy->with_check_qual ? policy->with_check_qual : policy->qual;
	int			column = fb_column(RelationGetDescr(relation), "environment") - 1;
	EState	   *estate;
	ExprContext *context;
	TupleTableSlot *slot;
	Datum		value;
	bool		isnull;

	if (condition == NULL || policy->hassublinks)
		return true;
	estate = CreateExecutorState();
	context = GetPerTupleExprContext(estate);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);
	ExecStoreAllNullTuple(slot);
	slot->tts_values[column] = CStringGetTextDatum(environment);
	slot->tts_isnull[column] = false;
	context->ecxt_scantuple = slot;
	value = ExecEvalExprSwitchContext(ExecPrepareExpr(condition, estate), context, &isnull);
	isnull = isnull || DatumGetBool(value);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	return isnull;
}

/* Tells whether the policies may let the current role run one command on rows of the environment. */
static bool
command_permitted(Relation relation, const char *environment, char command)
{
	bool		permitted = false;
	ListCell   *lc;

	foreach(lc, relation->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = (RowSecurityPolicy *) lfirst(lc);
		bool		holds;

		if ((policy->polcmd != '*' && policy->polcmd != command) || !is_for_user(policy))
			continue;
		if (policy->permissive && permitted)
			continue;
		holds = may_hold(policy, command, relation, environment);
		if (policy->permissive)
			permitted = holds;
		else if (!holds)
			return false;
	}
	return permitted;
}

/*
 * Tells whether the current role has the right to run one of the commands on the
 * table and no policy keeps it from every row of the environment.  Superusers, the owner and roles with BYPASSRLS pass all policies.
 */
bool
fb_environment_permitted(Relation relation, const char *environment, const char *commands)
{
	Oid			relid = RelationGetRelid(relation);
	bool		policies = check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED;

	for (const char *command = commands; *command; command++)
	{
		AclMode		mode = *command == 'r' ? ACL_SELECT : *command == 'a' ? ACL_INSERT :
			*command == 'w' ? ACL_UPDATE : ACL_DELETE;

		if (pg_class_aclcheck(relid, GetUserId(), mode) != ACLCHECK_OK &&
			(mode == ACL_DELETE ||
			 pg_attribute_aclcheck_all(relid, GetUserId(), mode, ACLMASK_ANY) != ACLCHECK_OK))
			continue;
		if (!policies || command_permitted(relation, environment, *command))
			return true;
	}
	return false;
}

/* Offers the environments that the current role may read to a suggestion. */
static void
suggest_environments(FbSuggestion *suggestion, const FbConfigOids *oids)
{
	Relation	relation = table_open(oids->relation[FB_TABLE_ENVIRONMENT], AccessShareLock);
	Relation	flags = table_open(oids->relation[FB_TABLE_FLAG], AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		char	   *key = TextDatumGetCString(heap_getattr(tuple, fb_column(desc, "key"), desc, &isnull));
		FbSuggestion with_key = *suggestion;

		CHECK_FOR_INTERRUPTS();
		fb_suggest_offer(&with_key, key);
		if (with_key.best == key && fb_environment_permitted(flags, key, FB_ACCESS_READ))
			*suggestion = with_key;
	}
	systable_endscan(scan);
	table_close(flags, AccessShareLock);
	table_close(relation, AccessShareLock);
}

/* Returns a hint about an environment that the caller cannot use: the nearest that it may read, then the rest. */
char *
fb_environment_hint(const char *environment, const char *rest)
{
	FbConfigOids oids;
	FbSuggestion suggestion;

	fb_require_config_oids(&oids);
	fb_suggest_start(&suggestion, environment);
	suggest_environments(&suggestion, &oids);
	return fb_suggest_hint(&suggestion, rest);
}

/* Raises when the current role may read no flag of the environment. */
void
fb_require_environment_read(const char *environment)
{
	FbConfigOids oids;
	Relation	relation;
	bool		permitted;

	fb_require_config_oids(&oids);
	relation = table_open(oids.relation[FB_TABLE_FLAG], AccessShareLock);
	permitted = fb_environment_permitted(relation, environment, FB_ACCESS_READ);
	table_close(relation, AccessShareLock);
	if (!permitted)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for environment \"%s\"", environment),
				 errhint("%s", fb_environment_hint(environment,
												   psprintf("Ask the owner of the extension for featbit.grant_access(%s, 'analyse', %s) to read, or for task 'manage' to change.",
															quote_literal_cstr(GetUserNameFromId(GetUserId(), false)),
															quote_literal_cstr(environment))))));
}

/* Raises unless the current role may read flags of the environment, and there is such an environment. */
void
fb_require_environment(const char *environment)
{
	FbConfigOids oids;
	FbCatalog	catalog;
	FbEnvironmentRow row;
	bool		exists = false;

	fb_require_environment_read(environment);
	fb_require_config_oids(&oids);
	if (fb_catalog_open(&catalog, &oids, environment, false))
	{
		/* rows that were replicated or restored may come before that of their environment */
		exists = fb_catalog_environment(&catalog, &row) || fb_count_rows(&catalog) > 0;
		fb_catalog_close(&catalog);
	}
	if (exists)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("environment \"%s\" does not exist", environment),
			 errhint("%s", fb_environment_hint(environment,
											   "An environment is made by the first flag or segment that is created in it."))));
}

/* known_environment(environment): the environment, the setting for NULL, after the checks */
Datum
fb_known_environment(PG_FUNCTION_ARGS)
{
	char	   *environment = PG_ARGISNULL(0) ? fb_environment_setting : text_to_cstring(PG_GETARG_TEXT_PP(0));

	fb_require_environment(environment);
	PG_RETURN_TEXT_P(cstring_to_text(environment));
}

/* Raises when no policy lets the current role insert a row of the environment. */
void
fb_require_environment_insert(Relation relation, const char *environment)
{
	if (!fb_environment_permitted(relation, environment, FB_ACCESS_INSERT))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for environment \"%s\"", environment),
				 errhint("Ask the owner of the extension for featbit.grant_access(%s, 'manage', %s).",
						 quote_literal_cstr(GetUserNameFromId(GetUserId(), false)),
						 quote_literal_cstr(environment))));
}
