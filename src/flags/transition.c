/*
 * transition.c
 *		What a new version of a flag or segment depends on in the old ones.
 *
 * Recorded exposures name the revision, the iteration and the rule that dealt
 * them: none of these may come to mean something else.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/datum.h"

#include "flags/catalog.h"
#include "flags/owner.h"
#include "flags/transition.h"
#include "pg_compat.h"

/*
 * Returns the highest revision that a key of the table ever had, 0 for a new key.  It is read from
 * the index and not by a query, whose plan would have been made when the history was short.
 */
int64
fb_last_revision(Relation relation, const char *environment, const char *key)
{
	FbConfigOids oids;
	Relation	revisions;
	Relation	index;
	TupleDesc	desc;
	ScanKeyData keys[3];
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan;
	HeapTuple	tuple;
	int64		revision = 0;
	bool		isnull;

	fb_require_config_oids(&oids);
	revisions = table_open(oids.relation[FB_TABLE_REVISION], AccessShareLock);
	index = index_open(RelationGetPrimaryKeyIndex_compat(revisions), AccessShareLock);
	desc = RelationGetDescr(revisions);
	ScanKeyInit(&keys[0], fb_column(desc, "environment"), BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(environment));
	ScanKeyInit(&keys[1], fb_column(desc, "kind"), BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(RelationGetRelationName(relation)));
	ScanKeyInit(&keys[2], fb_column(desc, "key"), BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
	scan = systable_beginscan_ordered(revisions, index, snapshot, 3, keys);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	if (HeapTupleIsValid(tuple))
		revision = DatumGetInt64(heap_getattr(tuple, fb_column(desc, "revision"), desc, &isnull));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(revisions, AccessShareLock);
	UnregisterSnapshot(snapshot);
	return revision;
}

/*
 * A rule that the old version lacks, but an earlier one of the same flag had with other content
 * than its name; giving an earlier rule back is not reuse.  NOT IN makes the planner hash, also
 * for ten thousand rules of which it knows nothing.
 */
static FbOwnerStatement reused_rule = {
	"WITH fresh AS MATERIALIZED ("
	" SELECT rule FROM jsonb_array_elements($4) AS rule"
	" WHERE rule -> 'id' NOT IN (SELECT kept -> 'id' FROM jsonb_array_elements($3) AS kept)), "
	"earlier AS MATERIALIZED ("
	" SELECT rule FROM featbit.flag_revision AS r, jsonb_array_elements(r.definition -> 'rules') AS rule"
	" WHERE r.environment = $1 AND r.kind = 'flag' AND r.key = $2 AND EXISTS (SELECT FROM fresh)"
	" AND r.revision >= (SELECT coalesce(max(i.revision), 0) FROM featbit.flag_revision AS i"
	"                    WHERE i.environment = $1 AND i.kind = 'flag' AND i.key = $2 AND i.change = 'insert')"
	" AND NOT (rule -> 'id' NOT IN (SELECT fresh.rule -> 'id' FROM fresh))) "
	"SELECT rule ->> 'id' FROM fresh"
	" WHERE NOT (rule -> 'id' NOT IN (SELECT earlier.rule -> 'id' FROM earlier))"
	" AND rule - 'name' NOT IN (SELECT earlier.rule - 'name' FROM earlier)"
	" LIMIT 1"
};

/* Raises when a new rule takes the id of an earlier one. */
static void
refuse_reused_rule_id(Relation relation, const char *environment, const FbFlagRow *old,
					  const FbFlagRow *new)
{
	FbOwnerScope scope;
	Oid			types[4] = {TEXTOID, TEXTOID, JSONBOID, JSONBOID};
	Datum		values[4] = {
		CStringGetTextDatum(environment), CStringGetTextDatum(new->key),
		JsonbPGetDatum(old->rules), JsonbPGetDatum(new->rules)
	};
	char	   *id = NULL;

	/* FeatBit edits a rule under its id, and what it did in between is not known here */
	if (fb_is_featbit(new->semantics))
		return;
	if (!JB_ROOT_IS_ARRAY(old->rules) || !JB_ROOT_IS_ARRAY(new->rules) ||
		JB_ROOT_COUNT(new->rules) == 0 ||
		(VARSIZE(old->rules) == VARSIZE(new->rules) &&
		 memcmp(old->rules, new->rules, VARSIZE(old->rules)) == 0))
		return;
	fb_owner_begin(&scope, relation);
	if (fb_owner_execute(&reused_rule, 4, types, values, NULL, InvalidOid, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the history of \"%s\"", new->key);
	if (SPI_processed > 0)
	{
		id = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("rule id \"%s\" of flag \"%s\" has been used before", id, new->key),
				 errdetail("An earlier revision has another rule of this id."),
				 errhint("Choose another id, or let featbit.add_rule make one: results are kept by rule id, so an id is never given to another rule.")));
	}
	fb_owner_end(&scope);
}

/* Orders names by their bytes. */
static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* Lists the names of the columns in which two versions of a row differ, but for those that the extension sets. */
List *
fb_changed_columns(TupleDesc desc, HeapTuple old, HeapTuple new)
{
	List	   *changed = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		const char *name = NameStr(column->attname);
		Datum		old_value;
		Datum		new_value;
		bool		old_isnull;
		bool		new_isnull;

		if (column->attisdropped || strcmp(name, "revision") == 0 || strcmp(name, "updated_at") == 0 ||
			strcmp(name, "updated_by") == 0)
			continue;
		old_value = heap_getattr(old, i + 1, desc, &old_isnull);
		new_value = heap_getattr(new, i + 1, desc, &new_isnull);
		if (old_isnull != new_isnull ||
			(!old_isnull && !datum_image_eq(old_value, new_value, column->attbyval, column->attlen)))
			changed = lappend(changed, pstrdup(name));
	}
	list_sort(changed, compare_names);
	return changed;
}

/* Raises when the new version of a flag must not follow the old one. */
void
fb_check_transition(Relation relation, const char *environment, const FbFlagRow *old,
					const FbFlagRow *new)
{
	refuse_reused_rule_id(relation, environment, old, new);
}
