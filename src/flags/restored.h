/*
 * restored.h
 *		Remembers within a transaction which rows were restored from a dump.
 */
#ifndef FB_RESTORED_H
#define FB_RESTORED_H

extern void fb_mark_restored(Oid relation, const char *environment, const char *key,
							 int64 revision, bool restored);
extern bool fb_is_restored(Oid relation, const char *environment, const char *key,
						   int64 revision);

#endif							/* FB_RESTORED_H */
