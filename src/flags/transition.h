/*
 * transition.h
 *		What a new version of a flag or segment depends on in the old ones.
 */
#ifndef FB_TRANSITION_H
#define FB_TRANSITION_H

#include "utils/rel.h"

#include "flags/compile.h"

extern int64 fb_last_revision(Relation relation, const char *environment, const char *key);
extern void fb_check_transition(Relation relation, const char *environment,
								const FbFlagRow *old, const FbFlagRow *new);
extern List *fb_changed_columns(TupleDesc desc, HeapTuple old, HeapTuple new);

#endif							/* FB_TRANSITION_H */
