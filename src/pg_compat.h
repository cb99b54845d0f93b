/*
 * pg_compat.h
 *		Every difference between PostgreSQL 14 and 18 that this extension meets.
 *
 * Include after postgres.h. No other file tests PG_VERSION_NUM.
 */
#ifndef FB_PG_COMPAT_H
#define FB_PG_COMPAT_H

#include "fmgr.h"
#include "storage/proc.h"
#include "utils/guc.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM < 140000
#error "featbit_pg needs PostgreSQL 14 or newer"
#endif

/* The local transaction id of this backend, part of a snapshot's identity. */
#if PG_VERSION_NUM >= 170000
#define FB_MY_LXID (MyProc->vxid.lxid)
#else
#define FB_MY_LXID (MyProc->lxid)
#endif

#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* Reports an input error softly where the caller can take it (pg_input_is_valid and friends). */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define fb_ereturn(context, result, ...) ereturn(context, result, __VA_ARGS__)
#else
#define fb_ereturn(context, result, ...) ereport(ERROR, __VA_ARGS__)
#endif

/* Whether a role has the privileges of a relation's owner. */
#if PG_VERSION_NUM >= 160000
#define fb_object_ownercheck(relid, role) object_ownercheck(RelationRelationId, relid, role)
#else
#define fb_object_ownercheck(relid, role) pg_class_ownercheck(relid, role)
#endif

/* The index of a table's primary key. */
#if PG_VERSION_NUM >= 180000
#define RelationGetPrimaryKeyIndex_compat(relation) RelationGetPrimaryKeyIndex(relation, false)
#else
#define RelationGetPrimaryKeyIndex_compat(relation) RelationGetPrimaryKeyIndex(relation)
#endif

#if PG_VERSION_NUM >= 180000
#define FB_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "featbit_pg", .version = "1.0")
#else
#define FB_MODULE_MAGIC PG_MODULE_MAGIC
#endif

#endif							/* FB_PG_COMPAT_H */
