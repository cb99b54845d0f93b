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
#include "utils/builtins.h"

#include "flags/access.h"
#include "flags/catalog.h"
#include "flags/owner.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_lock_environment);
PG_FUNCTION_INFO_V1(fb_nearest_key);
PG_FUNCTION_INFO_V1(fb_refuse_unknown);

/* Returns an environment argument, the setting for NULL. */
static char *
environment_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? pstrdup(fb_environment_setting) :
		text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* Tells whether the current role may run one of the commands on rows of the environment in a table. */
static bool
table_permitted(FbConfigOids *oids, FbConfigTable table, const char *environment, const char *commands)
{
	Relation	relation = relation_open(oids->relation[table], AccessShareLock);
	bool		permitted = fb_environment_permitted(relation, environment, commands);

	relation_close(relation, AccessShareLock);
	return permitted;
}

/* Locks the row of an environment until the transaction ends; false when there is none. */
Datum
fb_lock_environment(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	FbConfigOids oids;
	FbOwnerScope scope;
	Relation	relation;
	char	   *environment;
	bool		found;

	fb_require_config_oids(&oids);
	environment = environment_argument(fcinfo, 0);
	if (!table_permitted(&oids, FB_TABLE_FLAG, environment, FB_ACCESS_WRITE) &&
		!table_permitted(&oids, FB_TABLE_SEGMENT, environment, FB_ACCESS_WRITE))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to change environment \"%s\"", environment),
				 errhint("%s", fb_environment_hint(environment,
												   psprintf("Ask the owner of the extension for featbit.grant_access(%s, 'manage', %s).",
															quote_literal_cstr(GetUserNameFromId(GetUserId(), false)),
															quote_literal_cstr(environment))))));
	values[0] = CStringGetTextDatum(environment);
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

/* Returns which table holds what a kind names. */
static FbConfigTable
kind_table(const char *kind)
{
	if (strcmp(kind, "flag") != 0 && strcmp(kind, "segment") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid kind \"%s\"", kind),
				 errhint("Legal are \"flag\" and \"segment\".")));
	return strcmp(kind, "flag") == 0 ? FB_TABLE_FLAG : FB_TABLE_SEGMENT;
}

/* Finds the key that is spelled most like a given one; NULL when none is near or the role may not read them. */
static char *
nearest_key(FbConfigTable table, const char *key, const char *environment)
{
	FbConfigOids oids;
	FbCatalog	catalog;
	char	   *nearest;

	fb_require_config_oids(&oids);
	if (!table_permitted(&oids, table, environment, FB_ACCESS_READ) ||
		!fb_catalog_open(&catalog, &oids, environment, false))
		return NULL;
	nearest = table == FB_TABLE_FLAG ? catalog.loader.suggest_flag(&catalog.loader, key) :
		catalog.loader.suggest_segment(&catalog.loader, key);
	fb_catalog_close(&catalog);
	return nearest;
}

/* nearest_key(kind, key, environment) → the key that is spelled most like it */
Datum
fb_nearest_key(PG_FUNCTION_ARGS)
{
	char	   *nearest;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	nearest = nearest_key(kind_table(text_to_cstring(PG_GETARG_TEXT_PP(0))),
						  text_to_cstring(PG_GETARG_TEXT_PP(1)), environment_argument(fcinfo, 2));
	if (nearest == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(nearest));
}

/* refuse_unknown(kind, key, environment): raises, with the key that is spelled most like it */
Datum
fb_refuse_unknown(PG_FUNCTION_ARGS)
{
	char	   *kind = PG_ARGISNULL(0) ? pstrdup("") : text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *environment = environment_argument(fcinfo, 2);
	FbConfigTable table = kind_table(kind);
	char	   *key;
	char	   *nearest;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s key is null", kind)));
	key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	fb_require_environment(environment);
	nearest = nearest_key(table, key, environment);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("%s \"%s\" does not exist in environment \"%s\"", kind, key, environment),
			 nearest != NULL ? errhint("Did you mean \"%s\"?", nearest) :
			 errhint("Create it with featbit.create_%s, or name another environment.", kind)));
	PG_RETURN_NULL();
}
