/*
 * owner.h
 *		Runs SQL under the identity of a configuration table's owner, as
 *		referential-integrity triggers do.
 */
#ifndef FB_OWNER_H
#define FB_OWNER_H

#include "executor/spi.h"
#include "utils/rel.h"

/* What fb_owner_begin changed and fb_owner_end puts back; an error puts it back too. */
typedef struct FbOwnerScope
{
	Oid			user;
	int			security_context;
	int			guc_nest_level;
} FbOwnerScope;

/* A statement whose plan is kept for the session. */
typedef struct FbOwnerStatement
{
	const char *sql;
	SPIPlanPtr	plan;			/* NULL until first run */
	Oid			row_type;		/* of the row arguments the plan was made for */
} FbOwnerStatement;

extern int	fb_owner_execute(FbOwnerStatement *statement, int nargs, Oid *types, Datum *values,
							 const char *nulls, Oid row_type, long limit);
extern void fb_owner_begin(FbOwnerScope *scope, Relation relation);
extern void fb_owner_end(FbOwnerScope *scope);
extern bool fb_is_owner(Relation relation);

#endif							/* FB_OWNER_H */
