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

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "flags/cache.h"
#include "flags/catalog.h"

/* Attempts at building a flag while the configuration keeps changing. */
#define BUILD_ATTEMPTS 16

/* Most entries, so that keys nobody defined cannot fill the memory. */
#define MAX_ENTRIES 100000

typedef struct CacheKey
{
	char		environment[FB_MAX_KEY + 1];
	char		key[FB_MAX_KEY + 1];
} CacheKey;

typedef struct CacheEntry
{
	CacheKey	name;
	FbCompiled *compiled;
} CacheEntry;

static uint64 generation = 1;
static FbConfigOids config_oids;

static HTAB *entries = NULL;
static uint64 entries_generation = 0;
static MemoryContext cache_context = NULL;

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
	if (!compiled->cached && compiled->pins == 0)
		MemoryContextDelete(compiled->context);
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
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	if (entries == NULL)
		return;
	hash_seq_init(&scan, entries);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		entry->compiled->cached = false;
		free_if_unused(entry->compiled);
	}
	hash_destroy(entries);
	entries = NULL;
}

/* Makes an empty table of entries of the current generation. */
static void
start_entries(void)
{
	HASHCTL		control;

	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(CacheMemoryContext, "featbit flags",
											  ALLOCSET_DEFAULT_SIZES);
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(CacheKey);
	control.entrysize = sizeof(CacheEntry);
	control.hcxt = cache_context;
	entries = hash_create("featbit flags", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	entries_generation = generation;
}

/*
 * Reads and compiles the flag that compiled names, into compiled->context; keeps its sources there unless sources
 * is NULL.  Returns false when the tables could not be opened, as while the extension is dropped or created.
 */
bool
fb_load_compiled(FbCompiled *compiled, FbSources *sources)
{
	FbCatalog	catalog;
	FbConfigOids oids;
	FbEnvironmentRow environment;
	FbFlagRow	row;

	/* a message during the look-up may clear config_oids: resolve aside, then publish */
	if (!fb_resolve_config_oids(&oids))
		return false;
	config_oids = oids;
	compiled->generation = generation;
	if (!fb_catalog_open(&catalog, &oids, compiled->environment, false))
		return false;
	if (!fb_catalog_environment(&catalog, &environment))
		compiled->error = FB_ERROR_PROVIDER_NOT_READY;
	else
	{
		compiled->config_version = environment.config_version;
		if (environment.tracking_schema != NULL)
			compiled->tracking_schema = MemoryContextStrdup(compiled->context,
															environment.tracking_schema);
		if (strlen(compiled->key) > FB_MAX_KEY || !fb_catalog_flag(&catalog, compiled->key, &row))
			compiled->error = FB_ERROR_FLAG_NOT_FOUND;
		else if (row.archived)
		{
			compiled->error = FB_ERROR_FLAG_NOT_FOUND;
			compiled->archived = true;
		}
		else
		{
			MemoryContext old_context = MemoryContextSwitchTo(compiled->context);

			compiled->flag = sources == NULL ? fb_compile_flag(&row, &catalog.loader) :
				fb_compile_flag_with_sources(&row, &catalog.loader, sources);
			MemoryContextSwitchTo(old_context);
		}
	}
	compiled->behind = catalog.behind;
	fb_catalog_close(&catalog);
	return true;
}

/*
 * Builds a compiled flag in a context of its own, a child of the current one
 * until it is complete: an error leaves nothing behind.
 */
static FbCompiled *
build(const char *environment, const char *key)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "featbit flag scratch",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(scratch);
	FbCompiled *compiled = NULL;

	for (int attempt = 0; attempt < BUILD_ATTEMPTS; attempt++)
	{
		MemoryContext context;

		CHECK_FOR_INTERRUPTS();
		if (compiled != NULL)
			MemoryContextDelete(compiled->context);
		context = AllocSetContextCreate(scratch, "featbit flag", ALLOCSET_SMALL_SIZES);
		compiled = MemoryContextAllocZero(context, sizeof(FbCompiled));
		compiled->context = context;
		compiled->environment = MemoryContextStrdup(context, environment);
		compiled->key = MemoryContextStrdup(context, key);
		compiled->key_length = strlen(key);
		if (!fb_load_compiled(compiled, NULL))
		{
			compiled->generation = 0;
			compiled->error = FB_ERROR_PROVIDER_NOT_READY;
		}
		else if (compiled->generation == generation)
			break;
	}
	MemoryContextSetIdentifier(compiled->context, compiled->key);
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(compiled->context, CacheMemoryContext);
	MemoryContextDelete(scratch);
	return compiled;
}

/* Fills a hash key; false when a name is too long to be one of ours. */
static bool
make_key(CacheKey *name, const char *environment, const char *key)
{
	size_t		environment_length = strlen(environment);
	size_t		key_length = strlen(key);

	if (environment_length > FB_MAX_KEY || key_length > FB_MAX_KEY)
		return false;
	memset(name, 0, sizeof(*name));
	memcpy(name->environment, environment, environment_length);
	memcpy(name->key, key, key_length);
	return true;
}

/*
 * Returns the compiled flag of the newest configuration, pinned.  An empty key asks for
 * the environment only.
 */
FbCompiled *
fb_cache_pin(const char *environment, const char *key)
{
	CacheKey	name;
	CacheEntry *entry;
	FbCompiled *compiled;
	bool		cacheable = make_key(&name, environment, key);

	AcceptInvalidationMessages();
	if (entries != NULL && (entries_generation != generation ||
							hash_get_num_entries(entries) >= MAX_ENTRIES))
		retire_entries();
	if (entries != NULL && cacheable &&
		(entry = hash_search(entries, &name, HASH_FIND, NULL)) != NULL)
	{
		entry->compiled->pins++;
		return entry->compiled;
	}

	compiled = build(environment, key);
	compiled->pins = 1;
	/* what the configuration outran, or hides own writes, serves this call and nobody else */
	if (!cacheable || compiled->behind || compiled->generation != generation)
		return compiled;
	if (entries != NULL && entries_generation != generation)
		retire_entries();
	if (entries == NULL)
		start_entries();
	entry = hash_search(entries, &name, HASH_ENTER, NULL);
	entry->compiled = compiled;
	compiled->cached = true;
	return compiled;
}
