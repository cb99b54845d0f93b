/*
 * arena.h
 *		Memory of compiled definitions.
 *
 * Parts of a definition are allocated one after the other and freed together.  Structures
 * grow from one end of a piece of memory and bytes from the other, so that nothing is lost between them.
 */
#ifndef FB_ARENA_H
#define FB_ARENA_H

#include "core/fb_regex.h"

/* A piece of memory that several flags may share. */
typedef struct FbBlock
{
	struct FbBlock *next;		/* the one that was begun after it */
	uint32		users;			/* flags with a part in it */
	Size		size;			/* this header included */
} FbBlock;

/* Memory in which the cache lays flag behind flag. */
typedef struct FbStore
{
	MemoryContext context;
	FbBlock    *block;			/* where the next flag begins */
	char	   *low;			/* what is free in it */
	char	   *high;
} FbStore;

/* A compiled pattern in a store. */
typedef struct FbPattern
{
	FbRegex    *regex;
	struct FbPattern *next;
} FbPattern;

/* What a flag in a store consists of. */
typedef struct FbStored
{
	FbBlock    *first;			/* it lies in this block and those that follow it */
	uint32		block_count;
	FbPattern  *patterns;
} FbStored;

struct FbPatternOwner;

/* Initialised by its context alone: then memory and patterns are freed with the context. */
typedef struct FbArena
{
	MemoryContext context;
	char	   *low;			/* what is free */
	char	   *high;
	Size		chunk;			/* size of the piece allocated last */
	FbStore    *store;			/* the memory comes from there; NULL: from the context */
	FbBlock    *block;			/* of the store: in use now */
	uint32		block_count;
	struct FbPatternOwner *patterns;
} FbArena;

extern void *fb_arena_alloc(FbArena *arena, Size size);
extern char *fb_arena_bytes(FbArena *arena, Size size);
extern FbString fb_arena_string(FbArena *arena, FbString string);
extern FbRegex **fb_arena_pattern(FbArena *arena);

extern void fb_store_begin(FbStore *store, FbArena *arena, MemoryContext scratch);
extern void fb_store_commit(FbArena *arena, FbStored *stored);
extern void fb_store_free(FbStore *store, FbStored stored);

#endif							/* FB_ARENA_H */
