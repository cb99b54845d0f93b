/*
 * owner.c
 *		Runs SQL under the identity of a configuration table's owner, as
 *		referential-integrity triggers do.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "flags/owner.h"
#include "pg_compat.h"

/*
 * Connects to SPI as the owner of the relation, with a search_path that holds
 * nothing but pg_catalog: the caller's path must not choose what runs as the owner.
 */
void
fb_owner_begin(FbOwnerScope *scope, Relation relation)
{
	GetUserIdAndSecContext(&scope->user, &scope->security_context);
	SetUserIdAndSecContext(relation->rd_rel->relowner,
						   scope->security_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	scope->guc_nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

/*
 * Runs a statement within a scope.  Its plan is kept, and made again when the row type that it
 * depends on is another one, as after the extension was dropped and created.
 */
int
fb_owner_execute(FbOwnerStatement *statement, int nargs, Oid *types, Datum *values,
				 const char *nulls, Oid row_type, long limit)
{
	if (statement->plan != NULL && statement->row_type != row_type)
	{
		SPI_freeplan(statement->plan);
		statement->plan = NULL;
	}
	if (statement->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(statement->sql, nargs, types);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		statement->plan = plan;
		statement->row_type = row_type;
	}
	return SPI_execute_plan(statement->plan, values, nulls, false, limit);
}

/* Leaves SPI and takes the caller's identity and search_path again. */
void
fb_owner_end(FbOwnerScope *scope)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(true, scope->guc_nest_level);
	SetUserIdAndSecContext(scope->user, scope->security_context);
}

/* Tells whether the current role has the privileges of the relation's owner. */
bool
fb_is_owner(Relation relation)
{
	return fb_object_ownercheck(RelationGetRelid(relation), GetUserId());
}
