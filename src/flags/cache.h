/*
 * cache.h
 *		Each backend's compiled flags.
 */
#ifndef FB_CACHE_H
#define FB_CACHE_H

#include "core/fb_evaluate.h"
#include "flags/catalog.h"

/*
 * One compiled flag with its closure, or the knowledge that there is none.
 * Immutable; in the cache freed when it is out of it and the last pin is gone.
 */
typedef struct FbCompiled
{
	const FbFlag *flag;
	const char *key;
	uint32		key_length;
	FbErrorCode error;			/* PROVIDER_NOT_READY or FLAG_NOT_FOUND: no flag */
	const char *environment;
	const char *tracking_schema;	/* of the environment; NULL: none */
	int64		config_version; /* of the environment; 0: there is none */
	uint64		generation;		/* configuration it was built from */
	int			pins;
	bool		cached;			/* the cache refers to it */
	bool		behind;			/* built for a statement that may not see this transaction's later writes */
	bool		archived;		/* why there is no flag */
	bool		archived_featbit;	/* it is one with featbit semantics */
} FbCompiled;

extern void fb_cache_init(void);
extern FbCompiled *fb_cache_pin(const char *environment, const char *key);
extern void fb_cache_unpin(FbCompiled *compiled);
extern bool fb_cache_is_current(const FbCompiled *compiled);
extern uint64 fb_cache_watch(const FbConfigOids *oids);
extern bool fb_cache_is_blank(void);
extern uint64 fb_cache_generation(void);
extern bool fb_load_with_sources(FbCompiled *compiled, FbSources *sources);

#endif							/* FB_CACHE_H */
