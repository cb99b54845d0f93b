/*
 * triggers.c
 *		What happens when a row of a configuration table is written.
 *
 * BEFORE triggers (origin only) lock the environment, validate the row and set
 * what the extension owns.  A row inserted with an explicit revision (or
 * config_version) is a restored row: it comes from a dump, in any table
 * order, so that nothing outside the row may be looked at or written.
 */
#include "postgres.h"

#include <ctype.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "flags/access.h"
#include "flags/catalog.h"
#include "flags/owner.h"
#include "flags/restored.h"
#include "flags/transition.h"
#include "flags/usage.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_environment_before_write);
PG_FUNCTION_INFO_V1(fb_flag_before_write);
PG_FUNCTION_INFO_V1(fb_segment_before_write);
PG_FUNCTION_INFO_V1(fb_refuse_truncate);

/* A row on its way into a table, as the BEFORE trigger changes it. */
typedef struct NewRow
{
	Relation	relation;
	TupleDesc	desc;
	HeapTuple	tuple;			/* the new row; the old one for DELETE */
	HeapTuple	old;			/* NULL for INSERT */
	const char *kind;			/* flag or segment, for messages */
} NewRow;

/* Checks the trigger protocol and collects the row. */
static TriggerData *
start_trigger(FunctionCallInfo fcinfo, const char *function, FbConfigTable table,
			  const char *kind, NewRow *row)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"featbit.%s\" must be fired before each row", function)));
	fb_require_config_table(trigger->tg_relation, table, table, function);
	row->relation = trigger->tg_relation;
	row->desc = RelationGetDescr(trigger->tg_relation);
	row->kind = kind;
	row->old = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger->tg_trigtuple;
	row->tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple :
		trigger->tg_trigtuple;
	return trigger;
}

/* Returns a column of a tuple. */
static Datum
get_column(NewRow *row, HeapTuple tuple, const char *name, bool *isnull)
{
	return heap_getattr(tuple, fb_column(row->desc, name), row->desc, isnull);
}

/* Returns a text column of a tuple as a string, NULL for NULL. */
static char *
get_text(NewRow *row, HeapTuple tuple, const char *name)
{
	bool		isnull;
	Datum		value = get_column(row, tuple, name, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Sets a column of the new row. */
static void
set_column(NewRow *row, const char *name, Datum value)
{
	int			column = fb_column(row->desc, name);
	bool		isnull = false;

	row->tuple = heap_modify_tuple_by_cols(row->tuple, row->desc, 1, &column, &value, &isnull);
}

/* Sets a text column of the new row when it is NULL. */
static void
default_text(NewRow *row, const char *name, const char *value)
{
	bool		isnull;

	(void) get_column(row, row->tuple, name, &isnull);
	if (isnull)
		set_column(row, name, CStringGetTextDatum(value));
}

/* Raises unless a key of another dialect, which has rules of its own, can be one here. */
static void
check_foreign_key(const char *what, const char *key)
{
	bool		legal = key[0] != '\0' && strlen(key) <= FB_MAX_KEY;

	for (const char *c = key; legal && *c; c++)
		legal = (unsigned char) *c >= 0x20 && *c != 0x7F;
	if (!legal)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s key \"%s\"", what, key),
				 errdetail("With featbit semantics a key has 1 to %d bytes and no control characters.", FB_MAX_KEY)));
}

/* Raises unless a key can name an environment, flag or segment. */
static void
check_key(const char *what, const char *key)
{
	bool		legal = key[0] != '\0' && strlen(key) <= FB_MAX_KEY && isalnum((unsigned char) key[0]);

	for (const char *c = key; legal && *c; c++)
		legal = !IS_HIGHBIT_SET(*c) && (isalnum((unsigned char) *c) || strchr("._-", *c) != NULL);
	if (!legal)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s key \"%s\"", what, key),
				 errdetail("A key has 1 to %d letters, digits, dots, underscores and hyphens and starts with a letter or digit.", FB_MAX_KEY)));
}

/* Raises unless a key column stays as it was. */
static void
refuse_key_change(NewRow *row, const char *column)
{
	char	   *old = get_text(row, row->old, column);
	char	   *new = get_text(row, row->tuple, column);

	if (new == NULL || strcmp(old, new) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of %s \"%s\" cannot be changed", column, row->kind,
						get_text(row, row->old, "key")),
				 errhint("Create a new %s and delete this one.", row->kind)));
}

/* Raises unless the current role may restore rows of the table. */
static void
require_restorer(NewRow *row, const char *column)
{
	if (!fb_is_owner(row->relation))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of table \"featbit.%s\" to insert a row with its %s",
						RelationGetRelationName(row->relation), column),
				 errhint("Leave \"%s\" out: it is set by the extension.", column)));
}

/* Opens the configuration as the transaction sees it now, with the rows that the command under way has stored before. */
static void
open_for_check(FbCatalog *catalog, const char *environment)
{
	FbConfigOids oids;

	CommandCounterIncrement();
	fb_require_config_oids(&oids);
	if (!fb_catalog_open(catalog, &oids, environment, true))
		elog(ERROR, "could not open the configuration tables");
}

static FbOwnerStatement make_environment = {
	"INSERT INTO featbit.environment (key) VALUES ($1) ON CONFLICT (key) DO NOTHING"
};
static FbOwnerStatement count_change = {
	"UPDATE featbit.environment SET config_version = config_version + 1 WHERE key = $1 RETURNING protected"
};

/*
 * Makes the environment when it is missing, locks it and counts its version, by an update of its
 * row.  Returns whether the environment is protected.
 */
static bool
count_environment(NewRow *row, const char *environment)
{
	FbOwnerScope scope;
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(environment)};
	bool		protected_;
	bool		isnull;

	fb_owner_begin(&scope, row->relation);
	if (fb_owner_execute(&make_environment, 1, types, values, NULL, InvalidOid, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not make environment \"%s\"", environment);
	if (fb_owner_execute(&count_change, 1, types, values, NULL, InvalidOid, 0) != SPI_OK_UPDATE_RETURNING ||
		SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("environment \"%s\" is being deleted", environment),
				 errhint("Try the transaction again.")));
	protected_ = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	fb_owner_end(&scope);
	return protected_;
}

/*
 * Locks the environment, once in a transaction, and refuses an uncommented change when it is
 * protected.  Two writers of one environment meet here.  A row that this transaction has already
 * written is locked and counted: another version of it for each of thousands of flags
 * would make every look-up walk through all of them.
 */
static void
lock_environment(NewRow *row, const char *environment)
{
	FbCatalog	catalog;
	FbEnvironmentRow stored;
	bool		own;

	check_key("environment", environment);
	open_for_check(&catalog, environment);
	own = fb_catalog_environment(&catalog, &stored) && stored.own;
	fb_catalog_close(&catalog);
	if (!own)
		stored.protected_ = count_environment(row, environment);

	if (stored.protected_ && fb_change_comment_setting[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("environment \"%s\" is protected: a change needs a comment", environment),
				 errhint("Give the argument \"comment\" of the management function, or SET LOCAL featbit.change_comment.")));
}

/* Sets who and when; the clock, because the environment's lock may have been waited for. */
static void
stamp(NewRow *row, int64 revision)
{
	set_column(row, "revision", Int64GetDatum(revision));
	set_column(row, "updated_at", TimestampTzGetDatum(GetCurrentTimestamp()));
	set_column(row, "updated_by", CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false)));
}

/* Tells whether the new row is of the featbit dialect. */
static bool
is_featbit(NewRow *row)
{
	return fb_is_featbit(get_text(row, row->tuple, "semantics"));
}

/* What is to be done with a row. */
typedef enum RowKind
{
	ROW_CHANGED,				/* all of it */
	ROW_UNCHANGED,				/* nothing: the old row stays, no revision is made, nobody is locked out */
	ROW_RESTORED				/* only its shape is checked */
} RowKind;

/* Does what flags and segments have in common, before the row is validated. */
static RowKind
prepare_row(NewRow *row, TriggerData *trigger)
{
	char	   *environment;
	char	   *key;
	bool		isnull;
	Datum		revision;

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		default_text(row, "environment", fb_environment_setting);
		environment = get_text(row, row->tuple, "environment");
		key = get_text(row, row->tuple, "key");
		if (key == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("a %s needs a key", row->kind)));
		if (is_featbit(row))
			check_foreign_key(row->kind, key);
		else
			check_key(row->kind, key);
		revision = get_column(row, row->tuple, "revision", &isnull);
		if (!isnull)
		{
			require_restorer(row, "revision");
			fb_mark_restored(RelationGetRelid(row->relation), environment, key,
							 DatumGetInt64(revision), true);
			return ROW_RESTORED;
		}
		fb_require_environment_insert(row->relation, environment);
		lock_environment(row, environment);
		stamp(row, fb_last_revision(row->relation, environment, key) + 1);
	}
	else
	{
		int64		old_revision = DatumGetInt64(get_column(row, row->old, "revision", &isnull));

		environment = get_text(row, row->old, "environment");
		key = get_text(row, row->old, "key");
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		{
			refuse_key_change(row, "environment");
			refuse_key_change(row, "key");
			revision = get_column(row, row->tuple, "revision", &isnull);
			if (isnull || DatumGetInt64(revision) != old_revision)
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("%s \"%s\" was changed in the meantime", row->kind, key),
						 isnull ? errdetail("Expected no revision, found %lld.", (long long) old_revision) :
						 errdetail("Expected revision %lld, found %lld.",
								   (long long) DatumGetInt64(revision), (long long) old_revision),
						 errhint("Read the %s again and repeat the change.", row->kind)));
			if (fb_changed_columns(row->desc, row->old, row->tuple) == NIL)
				return ROW_UNCHANGED;
		}
		lock_environment(row, environment);
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			stamp(row, Max(old_revision, fb_last_revision(row->relation, environment, key)) + 1);
	}
	fb_mark_restored(RelationGetRelid(row->relation), environment, key,
					 DatumGetInt64(get_column(row, row->tuple, "revision", &isnull)), false);
	return ROW_CHANGED;
}

/* Raises when a tag is NULL. */
static void
check_tags(NewRow *row)
{
	bool		isnull;
	Datum		tags = get_column(row, row->tuple, "tags", &isnull);

	if (!isnull && array_contains_nulls(DatumGetArrayTypeP(tags)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a tag of flag \"%s\" is null", get_text(row, row->tuple, "key"))));
}

/* Fills in the columns of a flag that an INSERT may leave out. */
static void
default_flag_columns(NewRow *row)
{
	bool		isnull;
	Datum		variations = get_column(row, row->tuple, "variations", &isnull);
	char	   *key = get_text(row, row->tuple, "key");

	default_text(row, "salt", key);
	default_text(row, "semantics", "native");
	if (is_featbit(row))
		default_text(row, "type", "string");
	else if (isnull)
		default_text(row, "type", "json");
	else
	{
		Jsonb	   *json = DatumGetJsonbP(variations);
		Jsonb	   *fallthrough = fb_serve_first(json);

		default_text(row, "type", fb_infer_type(json));
		(void) get_column(row, row->tuple, "fallthrough", &isnull);
		if (isnull && fallthrough != NULL)
			set_column(row, "fallthrough", JsonbPGetDatum(fallthrough));
	}
}

/* Validates, locks and stamps a row of featbit.flag before it is written. */
Datum
fb_flag_before_write(PG_FUNCTION_ARGS)
{
	NewRow		row;
	TriggerData *trigger = start_trigger(fcinfo, "flag_before_write", FB_TABLE_FLAG, "flag", &row);
	FbCatalog	catalog;
	FbFlagRow	flag;

	switch (prepare_row(&row, trigger))
	{
		case ROW_UNCHANGED:
			return PointerGetDatum(row.old);
		case ROW_RESTORED:
			fb_flag_row_from_tuple(row.tuple, row.desc, &flag);
			fb_check_flag(&flag, NULL, FB_CHECK_SHAPE);
			return PointerGetDatum(row.tuple);
		case ROW_CHANGED:
			break;
	}
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		default_flag_columns(&row);
	check_tags(&row);
	open_for_check(&catalog, get_text(&row, row.tuple, "environment"));
	fb_flag_row_from_tuple(row.tuple, row.desc, &flag);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		fb_refuse_used_flag(&catalog, &flag, NULL);
	else
	{
		catalog.own_key = flag.key;
		catalog.own_flag = &flag;
		fb_check_flag(&flag, &catalog.loader, FB_CHECK_ALL);
		if (row.old != NULL)
		{
			FbFlagRow	old;

			fb_flag_row_from_tuple(row.old, row.desc, &old);
			fb_check_transition(row.relation, get_text(&row, row.old, "environment"), &old, &flag);
			if (!old.archived && flag.archived)
				fb_refuse_used_flag(&catalog, &old, NULL);
			else
				fb_refuse_used_flag(&catalog, &old, &flag);
		}
	}
	fb_catalog_close(&catalog);
	return PointerGetDatum(row.tuple);
}

/* Validates, locks and stamps a row of featbit.segment before it is written. */
Datum
fb_segment_before_write(PG_FUNCTION_ARGS)
{
	NewRow		row;
	TriggerData *trigger = start_trigger(fcinfo, "segment_before_write", FB_TABLE_SEGMENT, "segment", &row);
	FbCatalog	catalog;
	FbSegmentRow segment;

	switch (prepare_row(&row, trigger))
	{
		case ROW_UNCHANGED:
			return PointerGetDatum(row.old);
		case ROW_RESTORED:
			fb_segment_row_from_tuple(row.tuple, row.desc, &segment);
			fb_check_segment(&segment, NULL, FB_CHECK_SHAPE);
			return PointerGetDatum(row.tuple);
		case ROW_CHANGED:
			break;
	}
	open_for_check(&catalog, get_text(&row, row.tuple, "environment"));
	fb_segment_row_from_tuple(row.tuple, row.desc, &segment);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		fb_refuse_used_segment(&catalog, segment.key);
	else
	{
		catalog.own_key = segment.key;
		catalog.own_segment = &segment;
		fb_check_segment(&segment, &catalog.loader, FB_CHECK_ALL);
		if (row.old != NULL && segment.archived)
			fb_refuse_used_segment(&catalog, segment.key);
	}
	fb_catalog_close(&catalog);
	return PointerGetDatum(row.tuple);
}

/* Raises when the environment still has a flag or segment. */
static void
refuse_used_environment(const char *environment)
{
	FbCatalog	catalog;
	int			used;

	open_for_check(&catalog, environment);
	used = fb_count_rows(&catalog);
	fb_catalog_close(&catalog);
	if (used > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("environment \"%s\" is in use", environment),
				 errdetail("It has %d flags and segments.", used),
				 errhint("Delete its flags and segments first.")));
}

/* Checks and counts a row of featbit.environment before it is written. */
Datum
fb_environment_before_write(PG_FUNCTION_ARGS)
{
	NewRow		row;
	TriggerData *trigger = start_trigger(fcinfo, "environment_before_write", FB_TABLE_ENVIRONMENT,
										 "environment", &row);
	bool		isnull;

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		char	   *key = get_text(&row, row.tuple, "key");

		if (key == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("an environment needs a key")));
		check_key("environment", key);
		(void) get_column(&row, row.tuple, "config_version", &isnull);
		if (isnull)
			set_column(&row, "config_version", Int64GetDatum(1));
		else
			require_restorer(&row, "config_version");
	}
	else if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		refuse_key_change(&row, "key");
		set_column(&row, "config_version",
				   Int64GetDatum(DatumGetInt64(get_column(&row, row.old, "config_version", &isnull)) + 1));
	}
	else
	{
		char	   *key = get_text(&row, row.old, "key");

		if (DatumGetBool(get_column(&row, row.old, "protected", &isnull)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("environment \"%s\" is protected and cannot be deleted", key),
					 errhint("UPDATE featbit.environment SET protected = false first.")));
		refuse_used_environment(key);
	}
	return PointerGetDatum(row.tuple);
}

/* Refuses TRUNCATE of a configuration table. */
Datum
fb_refuse_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"featbit.refuse_truncate\" must be fired by TRUNCATE")));
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate configuration table \"featbit.%s\"",
					RelationGetRelationName(trigger->tg_relation)),
			 errhint("Use DELETE, which checks references and keeps the history.")));
	return PointerGetDatum(NULL);
}
