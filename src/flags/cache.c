/*
 * cache.c
 *		Each backend's compiled flags.
 *
 * Every change of the configuration invalidates the relation cache entry of one
 * table (see history.c).  The callback only moves the generation on and forgets
 * the tables' OIDs: it may run inside any lock acquisition, so it must not
 * allocate, free, or read a catalog.  A flag is compiled when it is first asked
 * for, from rows read under one fresh snapshot; when the generation moved during the
 * build, what was built may already be stale and is built again, because no
 * further message would correct it.  Old sets stay alive while a call site has them pinned.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "core/fb_flag.h"
#include "flags/cache.h"
#include "flags/catalog.h"
#include "flags/reader.h"

/* Attempts at building a flag while the configuration keeps changing. */
#define BUILD_ATTEMPTS 16

/* Most entries, so that keys nobody defined cannot fill the memory. */
#define MAX_ENTRIES 100000

/* A flag of the cache. */
typedef struct CachedFlag
{
	FbCompiled	compiled;		/* first */
	FbCompiled *home;			/* the environment's own entry, which has the empty key and no flag; pinned */
	FbStored	stored;
} CachedFlag;

typedef struct CacheEntry
{
	FbCompiled *compiled;
	uint32		hash;
	char		status;
} CacheEntry;

/* Hashes the name of a flag. */
static inline uint32
hash_name(const FbCompiled *name)
{
	return hash_combine(hash_bytes((const unsigned char *) name->key, name->key_length),
						hash_bytes((const unsigned char *) name->environment, strlen(name->environment)));
}

/* Tells whether two flags have the same name. */
static inline bool
same_name(const FbCompiled *a, const FbCompiled *b)
{
	return a->key_length == b->key_length && memcmp(a->key, b->key, a->key_length) == 0 &&
		strcmp(a->environment, b->environment) == 0;
}

#define SH_PREFIX fb_entries
#define SH_ELEMENT_TYPE CacheEntry
#define SH_KEY_TYPE FbCompiled *
#define SH_KEY compiled
#define SH_HASH_KEY(tb, key) hash_name(key)
#define SH_EQUAL(tb, a, b) same_name(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static uint64 generation = 1;
static FbConfigOids config_oids;	/* InvalidOid: not known */

static fb_entries_hash *entries = NULL;
static uint64 entries_generation = 0;
static FbStore store;

/* Notices that the configuration, or anything, has changed. */
static void
invalidate(Datum arg, Oid relation)
{
	bool		ours = !OidIsValid(relation);

	for (int i = 0; i < FB_CONFIG_TABLES && !ours; i++)
		ours = config_oids.relation[i] == relation;
	if (ours)
	{
		generation++;
		memset(&config_oids, 0, sizeof(config_oids));
	}
}

/* Registers the one invalidation callback of the extension. */
void
fb_cache_init(void)
{
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
}

/* Tells whether a compiled flag is of the newest configuration that this backend knows of. */
bool
fb_cache_is_current(const FbCompiled *compiled)
{
	return compiled->generation == generation && !compiled->behind;
}

/* Makes the callback watch these tables from now on; returns the number of the newest configuration. */
uint64
fb_cache_watch(const FbConfigOids *oids)
{
	config_oids = *oids;
	return generation;
}

/* Tells whether this backend has read nothing of the configuration since it last changed. */
bool
fb_cache_is_blank(void)
{
	return !OidIsValid(config_oids.relation[0]);
}

/* Returns the number of the newest configuration that this backend knows of. */
uint64
fb_cache_generation(void)
{
	return generation;
}

/* Frees a compiled flag that nobody holds. */
static void
free_if_unused(FbCompiled *compiled)
{
	while (compiled != NULL && !compiled->cached && compiled->pins == 0)
	{
		CachedFlag	flag = *(CachedFlag *) compiled;

		fb_store_free(&store, flag.stored);
		compiled = flag.home;
		if (compiled != NULL)
			compiled->pins--;
	}
}

/* Gives a pin back. */
void
fb_cache_unpin(FbCompiled *compiled)
{
	Assert(compiled->pins > 0);
	compiled->pins--;
	free_if_unused(compiled);
}

/* Takes all entries out of the cache, as they are of an older generation. */
static void
retire_entries(void)
{
	fb_entries_hash *old = entries;
	fb_entries_iterator scan;
	CacheEntry *entry;

	if (old == NULL)
		return;
	entries = NULL;
	fb_entries_start_iterate(old, &scan);
	while ((entry = fb_entries_iterate(old, &scan)) != NULL)
	{
		entry->compiled->cached = false;
		free_if_unused(entry->compiled);
	}
	fb_entries_destroy(old);
}

/* Finds an entry that is of the newest configuration that this backend knows of; NULL when there is none. */
static FbCompiled *
find_entry(const char *environment, const char *key)
{
	FbCompiled	name = {.environment = environment,.key = key,.key_length = strlen(key)};
	CacheEntry *entry;

	if (entries != NULL && (entries_generation != generation || entries->members >= MAX_ENTRIES))
		retire_entries();
	entry = entries == NULL ? NULL : fb_entries_lookup(entries, &name);
	return entry == NULL ? NULL : entry->compiled;
}

/* Puts what was built into the cache, unless the configuration outran it or it hides own writes. */
static void
add_entry(FbCompiled *compiled)
{
	bool		found;

	if (compiled->behind || compiled->generation != generation || compiled->key_length > FB_MAX_KEY ||
		strlen(compiled->environment) > FB_MAX_KEY)
		return;
	if (entries != NULL && entries_generation != generation)
		retire_entries();
	if (entries == NULL)
	{
		entries = fb_entries_create(store.context, 64, NULL);
		entries_generation = generation;
	}
	(void) fb_entries_insert(entries, compiled, &found);
	Assert(!found);
	compiled->cached = true;
}

/* Returns the tables' OIDs; false when the extension is not there. */
static bool
find_config_oids(void)
{
	FbConfigOids oids;

	if (OidIsValid(config_oids.relation[0]))
		return true;
	/* a message during the look-up may clear config_oids: resolve aside, then publish */
	if (!fb_resolve_config_oids(&oids))
		return false;
	config_oids = oids;
	return true;
}

/* Fills in what a compiled flag says about its environment. */
static void
fill_environment(FbCatalog *catalog, FbArena *arena, FbCompiled *compiled)
{
	FbEnvironmentRow row;

	if (!fb_catalog_environment(catalog, &row))
	{
		compiled->error = FB_ERROR_PROVIDER_NOT_READY;
		return;
	}
	compiled->config_version = row.config_version;
	if (row.tracking_schema != NULL)
		compiled->tracking_schema = fb_arena_string(arena, fb_string_of(row.tracking_schema)).data;
}

/* Reads and compiles the flag of an environment that is there. */
static void
fill_flag(FbCatalog *catalog, FbArena *arena, FbCompiled *compiled, const char *key, FbSources *sources)
{
	/* sources refer to it */
	FbFlagRow  *row = palloc(sizeof(FbFlagRow));

	if (*key == '\0' || strlen(key) > FB_MAX_KEY || !fb_catalog_flag(catalog, key, row))
		compiled->error = FB_ERROR_FLAG_NOT_FOUND;
	else if (row->archived)
	{
		compiled->error = FB_ERROR_FLAG_NOT_FOUND;
		compiled->archived = true;
		compiled->archived_featbit = fb_is_featbit(row->semantics);
	}
	else
		compiled->flag = fb_compile_flag_into(arena, row, &catalog->loader, sources);
}

/*
 * Reads and compiles the flag that compiled names, outside of the cache, and keeps its sources; all in the current
 * memory context.  Returns false when the tables could not be opened, as while the extension is dropped or created.
 */
bool
fb_load_with_sources(FbCompiled *compiled, FbSources *sources)
{
	FbArena		arena = {CurrentMemoryContext};
	FbCatalog	catalog;
	FbConfigOids oids;

	sources->definitions = NIL;
	if (!find_config_oids())
		return false;
	oids = config_oids;
	compiled->generation = generation;
	if (!fb_catalog_open(&catalog, &oids, compiled->environment, false))
		return false;
	fill_environment(&catalog, &arena, compiled);
	if (compiled->error == FB_ERROR_NONE)
		fill_flag(&catalog, &arena, compiled, compiled->key, sources);
	compiled->behind = catalog.behind;
	fb_catalog_close(&catalog);
	return true;
}

/* Begins an entry in the store. */
static CachedFlag *
begin_entry(FbArena *arena, uint64 of_generation)
{
	CachedFlag *flag;

	if (store.context == NULL)
		store.context = AllocSetContextCreate(CacheMemoryContext, "featbit flags", ALLOCSET_SMALL_SIZES);
	fb_store_begin(&store, arena, CurrentMemoryContext);
	flag = fb_arena_alloc(arena, sizeof(CachedFlag));
	memset(flag, 0, sizeof(CachedFlag));
	flag->compiled.generation = of_generation;
	return flag;
}

/* Ends an entry; nothing refers to it yet. */
static FbCompiled *
end_entry(FbArena *arena, CachedFlag *flag, FbCompiled *home, const char *environment, const char *key)
{
	FbCompiled *compiled = &flag->compiled;

	compiled->environment = home != NULL ? home->environment :
		fb_arena_string(arena, fb_string_of(environment)).data;
	if (compiled->flag != NULL && fb_flag_info(compiled->flag)->key.data != NULL)
		compiled->key = fb_flag_info(compiled->flag)->key.data;
	else
		compiled->key = fb_arena_string(arena, fb_string_of(key)).data;
	compiled->key_length = strlen(key);
	fb_store_commit(arena, &flag->stored);
	flag->home = home;
	if (home != NULL)
		home->pins++;
	return compiled;
}

/*
 * Returns the entry of an environment itself, read when it is not there; NULL when it cannot be shared.  It is as
 * old as the flags that share it or older, never newer.
 */
static FbCompiled *
find_home(FbCatalog *catalog, uint64 of_generation)
{
	FbCompiled *home = catalog->behind ? NULL : find_entry(catalog->environment, "");
	CachedFlag *flag;
	FbArena		arena;

	if (home != NULL || catalog->behind)
		return home;
	flag = begin_entry(&arena, of_generation);
	fill_environment(catalog, &arena, &flag->compiled);
	if (flag->compiled.error == FB_ERROR_NONE)
		flag->compiled.error = FB_ERROR_FLAG_NOT_FOUND;
	home = end_entry(&arena, flag, NULL, catalog->environment, "");
	add_entry(home);
	if (home->cached)
		return home;
	free_if_unused(home);
	return NULL;
}

/* Builds an entry once; its generation is 0 when the tables could not be opened, as while the extension is dropped. */
static FbCompiled *
build_once(const char *environment, const char *key)
{
	FbCatalog	catalog;
	FbArena		arena;
	CachedFlag *flag;
	FbCompiled *home = NULL;
	FbConfigOids oids;
	uint64		of_generation;
	bool		opened = find_config_oids();

	oids = config_oids;
	of_generation = generation;
	opened = opened && fb_catalog_open(&catalog, &oids, environment, false);
	if (opened && *key != '\0')
		home = find_home(&catalog, of_generation);
	flag = begin_entry(&arena, opened ? of_generation : 0);
	if (home != NULL)
	{
		if (home->error == FB_ERROR_PROVIDER_NOT_READY)
			flag->compiled.error = home->error;
		flag->compiled.config_version = home->config_version;
		flag->compiled.tracking_schema = home->tracking_schema;
	}
	else if (opened)
		fill_environment(&catalog, &arena, &flag->compiled);
	else
		flag->compiled.error = FB_ERROR_PROVIDER_NOT_READY;
	if (flag->compiled.error == FB_ERROR_NONE)
		fill_flag(&catalog, &arena, &flag->compiled, key, NULL);
	if (opened)
	{
		flag->compiled.behind = catalog.behind;
		fb_catalog_close(&catalog);
	}
	return end_entry(&arena, flag, home, environment, key);
}

/* Builds an entry, again while the configuration changes meanwhile; an error leaves nothing behind. */
static FbCompiled *
build(const char *environment, const char *key)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "featbit flag scratch",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(scratch);
	FbCompiled *compiled = build_once(environment, key);

	for (int attempt = 1; attempt < BUILD_ATTEMPTS && compiled->generation != generation; attempt++)
	{
		free_if_unused(compiled);
		CHECK_FOR_INTERRUPTS();
		compiled = build_once(environment, key);
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(scratch);
	return compiled;
}

/*
 * Returns the compiled flag of the newest configuration, pinned.  An empty key asks for
 * the environment only.
 */
FbCompiled *
fb_cache_pin(const char *environment, const char *key)
{
	FbCompiled *compiled;

	AcceptInvalidationMessages();
	compiled = find_entry(environment, key);
	if (compiled == NULL)
	{
		compiled = build(environment, key);
		add_entry(compiled);
	}
	compiled->pins++;
	return compiled;
}
