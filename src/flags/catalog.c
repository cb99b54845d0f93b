/*
 * catalog.c
 *		Reads the configuration tables: by index, without SPI.
 *
 * The cache reads under a registered copy of the catalog snapshot, never the
 * active one: under REPEATABLE READ or in a long statement the active snapshot
 * would put old configuration into a cache that no later message corrects.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "fb_suggest.h"
#include "flags/catalog.h"
#include "pg_compat.h"

static const char *const table_names[FB_CONFIG_TABLES] = {
	"environment", "flag", "segment", "flag_revision"
};

/* Looks the configuration tables up by name; false when the extension is not there. */
bool
fb_resolve_config_oids(FbConfigOids *oids)
{
	Oid			namespace = get_namespace_oid("featbit", true);
	bool		all = OidIsValid(namespace);

	for (int i = 0; i < FB_CONFIG_TABLES; i++)
	{
		oids->relation[i] = all ? get_relname_relid(table_names[i], namespace) : InvalidOid;
		all = all && OidIsValid(oids->relation[i]);
	}
	return all;
}

/* Raises that a table is gone. */
static void
report_missing_tables(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("configuration tables of featbit_pg are missing"),
			 errhint("Run CREATE EXTENSION featbit_pg.")));
}

/* Looks the configuration tables up, raising when the extension is not there. */
void
fb_require_config_oids(FbConfigOids *oids)
{
	if (!fb_resolve_config_oids(oids))
		report_missing_tables();
}

/* Raises unless a trigger function is fired on the table, or the other one, that it is made for. */
void
fb_require_config_table(Relation relation, FbConfigTable table, FbConfigTable other,
						const char *function)
{
	FbConfigOids oids;

	fb_require_config_oids(&oids);
	if (RelationGetRelid(relation) != oids.relation[table] &&
		RelationGetRelid(relation) != oids.relation[other])
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"featbit.%s\" serves only table \"featbit.%s\", not \"%s\"",
						function, table_names[table], RelationGetRelationName(relation))));
}

/* Returns the number of a column, raising when the table is not the extension's. */
int
fb_column(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), name) == 0)
			return i + 1;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("configuration table lacks column \"%s\"", name),
			 errhint("Run ALTER EXTENSION featbit_pg UPDATE.")));
	return 0;
}

/* The columns of a copy of a row. */
typedef struct Columns
{
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	int			next;			/* position behind the column found last: where the search begins */
} Columns;

/* Copies a row into the current context and takes it apart. */
static void
take_columns(Columns *columns, HeapTuple tuple, TupleDesc desc)
{
	columns->desc = desc;
	columns->values = palloc((sizeof(Datum) + sizeof(bool)) * desc->natts);
	columns->nulls = (bool *) &columns->values[desc->natts];
	columns->next = 0;
	heap_deform_tuple(heap_copytuple(tuple), desc, columns->values, columns->nulls);
}

/* Returns the position of a column; names that are asked for in the order of the table are found at once. */
static int
find_column(Columns *columns, const char *name)
{
	int			position = columns->next;

	for (; position < columns->desc->natts; position++)
	{
		Form_pg_attribute attribute = TupleDescAttr(columns->desc, position);

		if (strcmp(NameStr(attribute->attname), name) == 0 && !attribute->attisdropped)
			break;
	}
	if (position == columns->desc->natts)
		position = fb_column(columns->desc, name) - 1;
	columns->next = position + 1;
	return position;
}

/* Returns a text column, NULL for NULL. */
static char *
text_column(Columns *columns, const char *name)
{
	int			position = find_column(columns, name);

	return columns->nulls[position] ? NULL : TextDatumGetCString(columns->values[position]);
}

/* Returns a detoasted jsonb column, NULL for NULL. */
static Jsonb *
jsonb_column(Columns *columns, const char *name)
{
	int			position = find_column(columns, name);

	return columns->nulls[position] ? NULL : DatumGetJsonbP(columns->values[position]);
}

/* Returns a detoasted array column, 0 for NULL. */
static Datum
array_column(Columns *columns, const char *name)
{
	int			position = find_column(columns, name);

	return columns->nulls[position] ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM(columns->values[position]));
}

/* Returns a boolean or number column, a default for NULL. */
static Datum
plain_column(Columns *columns, const char *name, Datum value_if_null)
{
	int			position = find_column(columns, name);

	return columns->nulls[position] ? value_if_null : columns->values[position];
}

/* Copies a row of featbit.flag into the current context. */
void
fb_flag_row_from_tuple(HeapTuple tuple, TupleDesc desc, FbFlagRow *row)
{
	Columns		columns;

	take_columns(&columns, tuple, desc);
	row->key = text_column(&columns, "key");
	row->type = text_column(&columns, "type");
	row->variations = jsonb_column(&columns, "variations");
	row->enabled = DatumGetBool(plain_column(&columns, "enabled", BoolGetDatum(true)));
	row->off_variation = text_column(&columns, "off_variation");
	row->prerequisites = jsonb_column(&columns, "prerequisites");
	row->targets = jsonb_column(&columns, "targets");
	row->rules = jsonb_column(&columns, "rules");
	row->fallthrough = jsonb_column(&columns, "fallthrough");
	row->salt = text_column(&columns, "salt");
	row->semantics = text_column(&columns, "semantics");
	row->archived = DatumGetBool(plain_column(&columns, "archived", BoolGetDatum(false)));
	row->source = jsonb_column(&columns, "source");
	row->revision = DatumGetInt64(plain_column(&columns, "revision", Int64GetDatum(0)));
	row->iteration = DatumGetInt32(plain_column(&columns, "iteration", Int32GetDatum(0)));
}

/* Copies a row of featbit.segment into the current context. */
void
fb_segment_row_from_tuple(HeapTuple tuple, TupleDesc desc, FbSegmentRow *row)
{
	Columns		columns;

	take_columns(&columns, tuple, desc);
	row->key = text_column(&columns, "key");
	row->included = array_column(&columns, "included");
	row->excluded = array_column(&columns, "excluded");
	row->condition = jsonb_column(&columns, "condition");
	row->semantics = text_column(&columns, "semantics");
	row->archived = DatumGetBool(plain_column(&columns, "archived", BoolGetDatum(false)));
	row->source = jsonb_column(&columns, "source");
}

/*
 * Returns a configuration table, opened when it is first asked for: to find the environment and a flag, the
 * others are not needed.
 */
Relation
fb_catalog_relation(FbCatalog *catalog, FbConfigTable table)
{
	if (catalog->relation[table] == NULL)
	{
		catalog->relation[table] = try_relation_open(catalog->oids.relation[table], AccessShareLock);
		if (catalog->relation[table] == NULL)
			report_missing_tables();
	}
	return catalog->relation[table];
}

/* Starts a scan of the primary key for an environment and, when given, a key. */
static SysScanDesc
begin_scan(FbCatalog *catalog, FbConfigTable table, const char *key)
{
	Relation	relation = fb_catalog_relation(catalog, table);
	ScanKeyData scankeys[2];
	int			nkeys = 1;

	ScanKeyInit(&scankeys[0],
				fb_column(RelationGetDescr(relation),
						  table == FB_TABLE_ENVIRONMENT ? "key" : "environment"),
				BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(catalog->environment));
	if (key != NULL)
	{
		ScanKeyInit(&scankeys[1], fb_column(RelationGetDescr(relation), "key"),
					BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
		nkeys = 2;
	}
	return systable_beginscan(relation, RelationGetPrimaryKeyIndex_compat(relation), true,
							  catalog->snapshot, nkeys, scankeys);
}

/* Reads the row of the environment; false when there is none. */
bool
fb_catalog_environment(FbCatalog *catalog, FbEnvironmentRow *row)
{
	SysScanDesc scan = begin_scan(catalog, FB_TABLE_ENVIRONMENT, NULL);
	HeapTuple	tuple = systable_getnext(scan);

	if (HeapTupleIsValid(tuple))
	{
		Columns		columns;

		take_columns(&columns, tuple, RelationGetDescr(fb_catalog_relation(catalog, FB_TABLE_ENVIRONMENT)));
		row->name = text_column(&columns, "name");
		row->config_version = DatumGetInt64(plain_column(&columns, "config_version", Int64GetDatum(0)));
		row->tracking_schema = text_column(&columns, "tracking_schema");
		row->protected_ = DatumGetBool(plain_column(&columns, "protected", BoolGetDatum(false)));
		row->own = TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data));
	}
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/* Reads one flag of the environment; false when there is none. */
bool
fb_catalog_flag(FbCatalog *catalog, const char *key, FbFlagRow *row)
{
	SysScanDesc scan;
	HeapTuple	tuple;

	if (catalog->own_flag != NULL && strcmp(catalog->own_key, key) == 0)
	{
		*row = *catalog->own_flag;
		return true;
	}
	scan = begin_scan(catalog, FB_TABLE_FLAG, key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		fb_flag_row_from_tuple(tuple, RelationGetDescr(fb_catalog_relation(catalog, FB_TABLE_FLAG)), row);
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/* Reads one segment of the environment; false when there is none. */
static bool
catalog_segment(FbCatalog *catalog, const char *key, FbSegmentRow *row)
{
	SysScanDesc scan;
	HeapTuple	tuple;

	if (catalog->own_segment != NULL && strcmp(catalog->own_key, key) == 0)
	{
		*row = *catalog->own_segment;
		return true;
	}
	scan = begin_scan(catalog, FB_TABLE_SEGMENT, key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		fb_segment_row_from_tuple(tuple, RelationGetDescr(fb_catalog_relation(catalog, FB_TABLE_SEGMENT)), row);
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/* Tells whether a column holds the bytes of a name. */
static bool
column_mentions(HeapTuple tuple, TupleDesc desc, int column, const char *name)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, column, desc, &isnull);
	struct varlena *bytes;

	if (isnull)
		return false;
	bytes = PG_DETOAST_DATUM_PACKED(value);
	return memmem(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), name, strlen(name)) != NULL;
}

/*
 * Calls visit for each row of a table in the environment, in a context that is reset in between.
 * With a name, rows whose references do not hold its bytes are passed over unread.
 */
static void
each_row(FbCatalog *catalog, FbConfigTable table, const char *name, FbVisitFlag visit_flag,
		 FbVisitSegment visit_segment, void *arg)
{
	bool		flags = table == FB_TABLE_FLAG;
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "featbit configuration row",
													  ALLOCSET_SMALL_SIZES);
	TupleDesc	desc = RelationGetDescr(fb_catalog_relation(catalog, table));
	int			references[2] = {
		fb_column(desc, flags ? "rules" : "condition"), fb_column(desc, flags ? "prerequisites" : "condition")
	};
	SysScanDesc scan = begin_scan(catalog, table, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		MemoryContext old_context = MemoryContextSwitchTo(row_context);

		CHECK_FOR_INTERRUPTS();
		if (name != NULL && !column_mentions(tuple, desc, references[0], name) &&
			!column_mentions(tuple, desc, references[1], name))
			 /* passed over */ ;
		else if (visit_flag != NULL)
		{
			FbFlagRow	row;

			fb_flag_row_from_tuple(tuple, desc, &row);
			visit_flag(arg, &row);
		}
		else
		{
			FbSegmentRow row;

			fb_segment_row_from_tuple(tuple, desc, &row);
			visit_segment(arg, &row);
		}
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
	}
	systable_endscan(scan);
	MemoryContextDelete(row_context);
}

/* Calls visit for every flag of the environment. */
void
fb_catalog_each_flag(FbCatalog *catalog, FbVisitFlag visit, void *arg)
{
	each_row(catalog, FB_TABLE_FLAG, NULL, visit, NULL, arg);
}

/* Calls visit for every flag of the environment whose rules or prerequisites may name a key. */
void
fb_catalog_each_flag_naming(FbCatalog *catalog, const char *key, FbVisitFlag visit, void *arg)
{
	each_row(catalog, FB_TABLE_FLAG, key, visit, NULL, arg);
}

/* Calls visit for every segment of the environment. */
void
fb_catalog_each_segment(FbCatalog *catalog, FbVisitSegment visit, void *arg)
{
	each_row(catalog, FB_TABLE_SEGMENT, NULL, NULL, visit, arg);
}

/* Calls visit for every segment of the environment whose condition may name a key. */
void
fb_catalog_each_segment_naming(FbCatalog *catalog, const char *key, FbVisitSegment visit, void *arg)
{
	each_row(catalog, FB_TABLE_SEGMENT, key, NULL, visit, arg);
}

/* Calls visit for every flag of the environment with its key, whether it is archived, and its tags. */
void
fb_catalog_each_name(FbCatalog *catalog, FbVisitName visit, void *arg)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "featbit configuration row",
													  ALLOCSET_SMALL_SIZES);
	TupleDesc	desc = RelationGetDescr(fb_catalog_relation(catalog, FB_TABLE_FLAG));
	int			key = fb_column(desc, "key");
	int			archived = fb_column(desc, "archived");
	int			tags = fb_column(desc, "tags");
	SysScanDesc scan = begin_scan(catalog, FB_TABLE_FLAG, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		MemoryContext old_context = MemoryContextSwitchTo(row_context);
		bool		isnull[3];
		Datum		values[3];

		CHECK_FOR_INTERRUPTS();
		values[0] = heap_getattr(tuple, key, desc, &isnull[0]);
		values[1] = heap_getattr(tuple, archived, desc, &isnull[1]);
		values[2] = heap_getattr(tuple, tags, desc, &isnull[2]);
		visit(arg, TextDatumGetCString(values[0]), !isnull[1] && DatumGetBool(values[1]),
			  isnull[2] ? (Datum) 0 : values[2]);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(row_context);
	}
	systable_endscan(scan);
	MemoryContextDelete(row_context);
}

/* The key nearest to one that is not there. */
typedef struct Nearest
{
	FbSuggestion *suggestion;
	MemoryContext context;
} Nearest;

/* Considers one existing key as the nearest. */
static void
consider_key(Nearest *nearest, const char *key)
{
	fb_suggest_offer(nearest->suggestion, key);
	if (nearest->suggestion->best == key)
		nearest->suggestion->best = MemoryContextStrdup(nearest->context, key);
}

/* FbVisitName: considers a flag's key. */
static void
consider_flag(void *arg, const char *key, bool archived, Datum tags)
{
	consider_key((Nearest *) arg, key);
}

/* FbVisitSegment: considers a segment's key. */
static void
consider_segment(void *arg, const FbSegmentRow *row)
{
	consider_key((Nearest *) arg, row->key);
}

/* FbLoader: returns the flag key nearest to the given one, or NULL. */
static char *
suggest_flag(FbLoader *loader, const char *key)
{
	FbSuggestion suggestion;
	Nearest		nearest = {&suggestion, CurrentMemoryContext};

	fb_suggest_start(&suggestion, key);
	fb_catalog_each_name((FbCatalog *) loader, consider_flag, &nearest);
	return unconstify(char *, suggestion.best);
}

/* FbLoader: returns the segment key nearest to the given one, or NULL. */
static char *
suggest_segment(FbLoader *loader, const char *key)
{
	FbSuggestion suggestion;
	Nearest		nearest = {&suggestion, CurrentMemoryContext};

	fb_suggest_start(&suggestion, key);
	fb_catalog_each_segment((FbCatalog *) loader, consider_segment, &nearest);
	return unconstify(char *, suggestion.best);
}

/* FbLoader: reads a flag. */
static bool
load_flag(FbLoader *loader, const char *key, FbFlagRow *row)
{
	return fb_catalog_flag((FbCatalog *) loader, key, row);
}

/* FbLoader: reads a segment. */
static bool
load_segment(FbLoader *loader, const char *key, FbSegmentRow *row)
{
	return catalog_segment((FbCatalog *) loader, key, row);
}

/*
 * Hides from the snapshot what later commands of this transaction have written than the
 * statement that is running may see; returns whether there may be any.
 */
static bool
hide_later_commands(Snapshot snapshot)
{
	CommandId	seen = ActiveSnapshotSet() ? GetActiveSnapshot()->curcid : snapshot->curcid;

	if (seen >= snapshot->curcid)
		return false;
	snapshot->curcid = seen;
	return true;
}

/*
 * Takes the snapshot under which all is read, and opens the table of flags.  For a check
 * inside a trigger it is the latest one, which also sees what this command has
 * already stored; for the cache a copy of the catalog snapshot, which may be taken in parallel workers too.  Returns
 * false, with nothing open, when a table is gone.
 */
bool
fb_catalog_open(FbCatalog *catalog, const FbConfigOids *oids, const char *environment,
				bool for_check)
{
	memset(catalog, 0, sizeof(*catalog));
	catalog->loader.load_flag = load_flag;
	catalog->loader.load_segment = load_segment;
	catalog->loader.suggest_flag = suggest_flag;
	catalog->loader.suggest_segment = suggest_segment;
	catalog->environment = environment;
	catalog->oids = *oids;
	catalog->relation[FB_TABLE_FLAG] = try_relation_open(oids->relation[FB_TABLE_FLAG], AccessShareLock);
	if (catalog->relation[FB_TABLE_FLAG] == NULL)
		return false;
	catalog->snapshot = RegisterSnapshot(for_check ? GetLatestSnapshot() :
										 GetCatalogSnapshot(oids->relation[FB_TABLE_FLAG]));
	catalog->behind = !for_check && hide_later_commands(catalog->snapshot);
	return true;
}

/* Gives the snapshot back and closes the tables. */
void
fb_catalog_close(FbCatalog *catalog)
{
	UnregisterSnapshot(catalog->snapshot);
	for (int i = 0; i < FB_CONFIG_TABLES; i++)
		if (catalog->relation[i] != NULL)
			relation_close(catalog->relation[i], AccessShareLock);
}
