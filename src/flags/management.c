/*
 * management.c
 *		What the management functions cannot do in SQL.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "flags/catalog.h"
#include "flags/owner.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_lock_environment);
PG_FUNCTION_INFO_V1(fb_nearest_key);

/* Returns an environment argument, the setting for NULL. */
static char *
environment_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? pstrdup(fb_environment_setting) :
		text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* Locks the row of an environment until the transaction ends; false when there is none. */
Datum
fb_lock_environment(PG_FUNCTION_ARGS)
{
	const AclMode writing = ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	FbConfigOids oids;
	FbOwnerScope scope;
	Relation	relation;
	bool		found;

	fb_require_config_oids(&oids);
	if (pg_class_aclmask(oids.relation[FB_TABLE_FLAG], GetUserId(), writing, ACLMASK_ANY) == 0 &&
		pg_class_aclmask(oids.relation[FB_TABLE_SEGMENT], GetUserId(), writing, ACLMASK_ANY) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to change the configuration of featbit_pg"),
				 errhint("Ask for the right to write featbit.flag.")));
	values[0] = CStringGetTextDatum(environment_argument(fcinfo, 0));
	relation = relation_open(oids.relation[FB_TABLE_ENVIRONMENT], AccessShareLock);
	fb_owner_begin(&scope, relation);
	if (SPI_execute_with_args("SELECT FROM featbit.environment WHERE key = $1 FOR NO KEY UPDATE",
							  1, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not lock environment");
	found = SPI_processed > 0;
	fb_owner_end(&scope);
	relation_close(relation, AccessShareLock);
	PG_RETURN_BOOL(found);
}

/* Returns the flag or segment key that is spelled most like a given one. */
Datum
fb_nearest_key(PG_FUNCTION_ARGS)
{
	FbConfigOids oids;
	FbCatalog	catalog;
	char	   *kind;
	char	   *key;
	char	   *nearest;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
	key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(kind, "flag") != 0 && strcmp(kind, "segment") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid kind \"%s\"", kind),
				 errhint("Legal are \"flag\" and \"segment\".")));
	fb_require_config_oids(&oids);
	if (!fb_catalog_open(&catalog, &oids, environment_argument(fcinfo, 2), false))
		PG_RETURN_NULL();
	nearest = strcmp(kind, "flag") == 0 ? catalog.loader.suggest_flag(&catalog.loader, key) :
		catalog.loader.suggest_segment(&catalog.loader, key);
	fb_catalog_close(&catalog);
	if (nearest == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(nearest));
}
