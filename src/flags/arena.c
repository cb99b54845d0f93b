/*
 * arena.c
 *		Memory of compiled definitions.
 *
 * A store holds the flags of the cache without a context, or even a rounded allocation,
 * for each: a flag begins where the one before it ended.  A block is freed when the last flag with a part
 * in it is.  What an error left unfinished is overwritten by the next flag.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "flags/arena.h"

#define FIRST_CHUNK	1024
#define LAST_CHUNK	(32 * 1024)

#define BLOCK_HEADER MAXALIGN(sizeof(FbBlock))

/* Frees the patterns of a flag in a store unless it was completed. */
typedef struct FbPatternOwner
{
	MemoryContextCallback callback;
	FbPattern  *first;
} FbPatternOwner;

/* Returns the size of the next piece: they double, and what needs more than the last size gets just that. */
static Size
next_chunk(Size chunk, Size needed)
{
	chunk = chunk == 0 ? FIRST_CHUNK : Min(chunk * 2, LAST_CHUNK);
	while (chunk < needed && chunk < LAST_CHUNK)
		chunk *= 2;
	return Max(chunk, needed);
}

/* Makes a block of a store. */
static FbBlock *
new_block(FbStore *store, Size size)
{
	FbBlock    *block = MemoryContextAllocHuge(store->context, size);

	block->next = NULL;
	block->users = 0;
	block->size = size;
	return block;
}

/* Gets a piece of memory that holds at least the given size; what is left of the one before is lost. */
static void
enlarge(FbArena *arena, Size needed)
{
	if (arena->store != NULL)
	{
		arena->block->next = new_block(arena->store, next_chunk(arena->block->size, needed + BLOCK_HEADER));
		arena->block = arena->block->next;
		arena->block_count++;
		arena->low = (char *) arena->block + BLOCK_HEADER;
		arena->high = (char *) arena->block + arena->block->size;
	}
	else
	{
		arena->chunk = next_chunk(arena->chunk, needed);
		arena->low = MemoryContextAllocHuge(arena->context, arena->chunk);
		arena->high = arena->low + arena->chunk;
	}
}

/* Allocates memory for structures. */
void *
fb_arena_alloc(FbArena *arena, Size size)
{
	void	   *memory;

	size = MAXALIGN(size);
	if (unlikely(size > (Size) (arena->high - arena->low)))
		enlarge(arena, size);
	memory = arena->low;
	arena->low += size;
	return memory;
}

/* Allocates memory for bytes, wherever they begin. */
char *
fb_arena_bytes(FbArena *arena, Size size)
{
	if (unlikely(size > (Size) (arena->high - arena->low)))
		enlarge(arena, size);
	arena->high -= size;
	return arena->high;
}

/* Copies a string; the copy is terminated. */
FbString
fb_arena_string(FbArena *arena, FbString string)
{
	char	   *copy = fb_arena_bytes(arena, string.length + 1);

	memcpy(copy, string.data, string.length);
	copy[string.length] = '\0';
	string.data = copy;
	return string;
}

/* Frees patterns. */
static void
free_patterns(FbPattern *pattern)
{
	for (; pattern != NULL; pattern = pattern->next)
		fb_regex_free(pattern->regex);
}

/* Frees patterns with the context that they belong to. */
static void
free_pattern_list(void *first)
{
	free_patterns(first);
}

/* Frees the patterns of a flag that was not completed. */
static void
free_owned_patterns(void *owner)
{
	free_patterns(((FbPatternOwner *) owner)->first);
}

/*
 * Returns where to put a compiled pattern that lives as long as the definition; made before the pattern is, so
 * that no error comes between.
 */
FbRegex **
fb_arena_pattern(FbArena *arena)
{
	FbPattern  *pattern = MemoryContextAllocZero(arena->context, sizeof(FbPattern));

	if (arena->store != NULL)
	{
		pattern->next = arena->patterns->first;
		arena->patterns->first = pattern;
	}
	else
	{
		MemoryContextCallback *callback = MemoryContextAlloc(arena->context, sizeof(MemoryContextCallback));

		callback->func = free_pattern_list;
		callback->arg = pattern;
		MemoryContextRegisterResetCallback(arena->context, callback);
	}
	return &pattern->regex;
}

/*
 * Begins a flag in a store.  It is not there until fb_store_commit; the scratch context must not outlive an
 * error, and its end frees the patterns of a flag that was not completed.
 */
void
fb_store_begin(FbStore *store, FbArena *arena, MemoryContext scratch)
{
	if (store->block == NULL)
		store->block = new_block(store, FIRST_CHUNK);
	while (store->block->next != NULL)
	{
		/* left by an error */
		FbBlock    *block = store->block->next;

		store->block->next = block->next;
		pfree(block);
	}
	if (store->block->users == 0)
	{
		store->low = (char *) store->block + BLOCK_HEADER;
		store->high = (char *) store->block + store->block->size;
	}
	memset(arena, 0, sizeof(*arena));
	arena->context = scratch;
	arena->store = store;
	arena->block = store->block;
	arena->block_count = 1;
	arena->low = store->low;
	arena->high = store->high;
	arena->patterns = MemoryContextAllocZero(scratch, sizeof(FbPatternOwner));
	arena->patterns->callback.func = free_owned_patterns;
	arena->patterns->callback.arg = arena->patterns;
	MemoryContextRegisterResetCallback(scratch, &arena->patterns->callback);
}

/* Keeps a flag in its store: it has to be freed from now on. */
void
fb_store_commit(FbArena *arena, FbStored *stored)
{
	FbStore    *store = arena->store;
	FbBlock    *block = store->block;
	FbPattern **link = &stored->patterns;

	for (FbPattern *pattern = arena->patterns->first; pattern != NULL; pattern = pattern->next)
	{
		*link = fb_arena_alloc(arena, sizeof(FbPattern));
		(*link)->regex = pattern->regex;
		link = &(*link)->next;
	}
	*link = NULL;
	arena->patterns->first = NULL;
	stored->first = block;
	stored->block_count = arena->block_count;
	for (uint32 i = 0; i < arena->block_count; i++, block = block->next)
		block->users++;
	store->block = arena->block;
	store->low = arena->low;
	store->high = arena->high;
}

/* Frees a flag in a store. */
void
fb_store_free(FbStore *store, FbStored stored)
{
	FbBlock    *block = stored.first;

	free_patterns(stored.patterns);
	for (uint32 i = 0; i < stored.block_count; i++)
	{
		FbBlock    *next = block->next;

		Assert(block->users > 0);
		if (--block->users == 0 && block != store->block)
			pfree(block);
		block = next;
	}
}
