/*
 * catalog.h
 *		Reads the configuration tables: by index, without SPI.
 */
#ifndef FB_CATALOG_H
#define FB_CATALOG_H

#include "access/htup.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#include "flags/compile.h"

/* Longest key of an environment, flag or segment, in bytes. */
#define FB_MAX_KEY 128

typedef enum FbConfigTable
{
	FB_TABLE_ENVIRONMENT,
	FB_TABLE_FLAG,
	FB_TABLE_SEGMENT,
	FB_TABLE_REVISION
} FbConfigTable;

#define FB_CONFIG_TABLES 4

/* Relation of each configuration table; InvalidOid where it is not known. */
typedef struct FbConfigOids
{
	Oid			relation[FB_CONFIG_TABLES];
} FbConfigOids;

/* An opened configuration, read under one registered snapshot. */
typedef struct FbCatalog
{
	FbLoader	loader;			/* first: the compiler gets a pointer to it */
	const char *environment;
	FbConfigOids oids;
	Relation	relation[FB_CONFIG_TABLES]; /* see fb_catalog_relation; NULL: not opened yet */
	Snapshot	snapshot;
	bool		behind;			/* writes of this transaction are hidden: not for later statements */
	/* the row that stands for (own_kind, own_key), e.g. the one a trigger is about to store */
	const char *own_key;
	const FbFlagRow *own_flag;
	const FbSegmentRow *own_segment;
} FbCatalog;

typedef struct FbEnvironmentRow
{
	char	   *name;
	char	   *tracking_schema;	/* NULL: none */
	int64		config_version;
	bool		protected_;
	bool		own;			/* written by this transaction */
} FbEnvironmentRow;

extern bool fb_resolve_config_oids(FbConfigOids *oids);
extern void fb_require_config_oids(FbConfigOids *oids);
extern void fb_require_config_table(Relation relation, FbConfigTable table, FbConfigTable other,
									const char *function);
extern bool fb_catalog_open(FbCatalog *catalog, const FbConfigOids *oids,
							const char *environment, bool for_check);
extern void fb_catalog_close(FbCatalog *catalog);
extern Relation fb_catalog_relation(FbCatalog *catalog, FbConfigTable table);
extern bool fb_catalog_environment(FbCatalog *catalog, FbEnvironmentRow *row);
extern bool fb_catalog_flag(FbCatalog *catalog, const char *key, FbFlagRow *row);

/* Calls the visitor for every flag or segment of the environment. */
typedef void (*FbVisitFlag) (void *arg, const FbFlagRow *row);
typedef void (*FbVisitSegment) (void *arg, const FbSegmentRow *row);
extern void fb_catalog_each_flag(FbCatalog *catalog, FbVisitFlag visit, void *arg);
extern void fb_catalog_each_segment(FbCatalog *catalog, FbVisitSegment visit, void *arg);
extern void fb_catalog_each_flag_naming(FbCatalog *catalog, const char *key, FbVisitFlag visit,
										void *arg);
extern void fb_catalog_each_segment_naming(FbCatalog *catalog, const char *key,
										   FbVisitSegment visit, void *arg);

/* Calls the visitor for every flag of the environment with what finds it; tags is a text[], 0 when NULL. */
typedef void (*FbVisitName) (void *arg, const char *key, bool archived, Datum tags);
extern void fb_catalog_each_name(FbCatalog *catalog, FbVisitName visit, void *arg);

extern void fb_flag_row_from_tuple(HeapTuple tuple, TupleDesc desc, FbFlagRow *row);
extern void fb_segment_row_from_tuple(HeapTuple tuple, TupleDesc desc, FbSegmentRow *row);
extern int	fb_column(TupleDesc desc, const char *name);

#endif							/* FB_CATALOG_H */
