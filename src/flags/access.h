/*
 * access.h
 *		Which environments the current role may read and change.
 */
#ifndef FB_ACCESS_H
#define FB_ACCESS_H

#include "utils/rel.h"

/* What a role wants to do with the rows of an environment: the letters of pg_policy.polcmd. */
#define FB_ACCESS_READ "r"
#define FB_ACCESS_INSERT "a"
#define FB_ACCESS_WRITE "awd"

extern bool fb_environment_permitted(Relation relation, const char *environment, const char *commands);
extern void fb_require_environment_read(const char *environment);
extern void fb_require_environment(const char *environment);
extern char *fb_environment_hint(const char *environment, const char *rest);
extern void fb_require_environment_insert(Relation relation, const char *environment);

#endif							/* FB_ACCESS_H */
