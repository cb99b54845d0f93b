/*
 * owner.h
 *		Runs SQL under the identity of a configuration table's owner, as
 *		referential-integrity triggers do.
 */
#ifndef FB_OWNER_H
#define FB_OWNER_H

#include "utils/rel.h"

/* What fb_owner_begin changed and fb_owner_end puts back; an error puts it back too. */
typedef struct FbOwnerScope
{
	Oid			user;
	int			security_context;
	int			guc_nest_level;
} FbOwnerScope;

extern void fb_owner_begin(FbOwnerScope *scope, Relation relation);
extern void fb_owner_end(FbOwnerScope *scope);
extern bool fb_is_owner(Relation relation);

#endif							/* FB_OWNER_H */
