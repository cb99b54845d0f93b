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

#include "access/htup_details.h"
#include "access/table.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rls.h"

#include "flags/access.h"
#include "flags/catalog.h"
#include "pg_compat.h"

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
				 errhint("Ask the owner of the extension to grant_access(%s, 'analyse', %s).",
						 quote_literal_cstr(GetUserNameFromId(GetUserId(), false)),
						 quote_literal_cstr(environment))));
}

/* Raises when no policy lets the current role insert a row of the environment. */
void
fb_require_environment_insert(Relation relation, const char *environment)
{
	if (!fb_environment_permitted(relation, environment, FB_ACCESS_INSERT))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for environment \"%s\"", environment),
				 errhint("Ask the owner of the extension to grant_access(%s, 'manage', %s).",
						 quote_literal_cstr(GetUserNameFromId(GetUserId(), false)),
						 quote_literal_cstr(environment))));
}
