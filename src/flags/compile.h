/*
 * compile.h
 *		Turns flag and segment rows into compiled flags, and is the only place
 *		that knows what a legal definition is.
 */
#ifndef FB_COMPILE_H
#define FB_COMPILE_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "core/fb_evaluate.h"
#include "flags/arena.h"

/* A row of featbit.flag, or its definition in history.  NULL where the column is NULL. */
typedef struct FbFlagRow
{
	char	   *key;
	char	   *type;			/* boolean, string, number, json */
	char	   *semantics;		/* native, featbit */
	char	   *salt;
	char	   *off_variation;
	bool		enabled;
	bool		archived;
	int64		revision;
	int32		iteration;
	Jsonb	   *variations;
	Jsonb	   *prerequisites;
	Jsonb	   *targets;
	Jsonb	   *rules;
	Jsonb	   *fallthrough;
	Jsonb	   *source;			/* featbit: what FeatBit has and we have no column for */
} FbFlagRow;

/* A row of featbit.segment. */
typedef struct FbSegmentRow
{
	char	   *key;
	char	   *semantics;		/* native, featbit; NULL is native */
	bool		archived;		/* featbit only */
	Datum		included;		/* text[], 0 when NULL */
	Datum		excluded;
	Jsonb	   *condition;
	Jsonb	   *source;
} FbSegmentRow;

/* Tells whether a row is written in FeatBit's own terms. */
static inline bool
fb_is_featbit(const char *semantics)
{
	return semantics != NULL && strcmp(semantics, "featbit") == 0;
}

/*
 * Where the compiler finds what a flag refers to, all in one environment.
 * Each callback fills *row (allocated in the current context) and returns
 * true, or returns false when there is no such row.
 */
typedef struct FbLoader
{
	bool		(*load_flag) (struct FbLoader *loader, const char *key, FbFlagRow *row);
	bool		(*load_segment) (struct FbLoader *loader, const char *key, FbSegmentRow *row);
	/* for near-miss suggestions: key nearest to the given one, or NULL; may itself be NULL */
	char	   *(*suggest_flag) (struct FbLoader *loader, const char *key);
	char	   *(*suggest_segment) (struct FbLoader *loader, const char *key);
} FbLoader;

typedef enum FbCheck
{
	FB_CHECK_SHAPE,				/* raise on a malformed row; references are not followed */
	FB_CHECK_ALL				/* raise on a malformed row, a dangling reference and a cycle */
} FbCheck;

/* Where the parts of a compiled flag stand in the definitions of its closure: for explaining. */
typedef struct FbSources
{
	List	   *definitions;	/* struct FbDefinition * (see definition.h), the flag's own first */
} FbSources;

/*
 * Compiles a flag with its whole closure (segments, prerequisite flags) into
 * the current memory context.  Never raises for what is wrong in a row: the broken part
 * evaluates to ERROR/GENERAL.  Temporary allocations may go to the current context's child.
 */
extern FbFlag *fb_compile_flag(const FbFlagRow *row, FbLoader *loader);

/*
 * The same into an arena; what else it allocates stays in the current memory context.  With sources (else
 * NULL), row must live as long as they do.
 */
extern FbFlag *fb_compile_flag_into(FbArena *arena, const FbFlagRow *row, FbLoader *loader, FbSources *sources);

/* Raises when the row must not be stored.  loader may be NULL for FB_CHECK_SHAPE. */
extern void fb_check_flag(const FbFlagRow *row, FbLoader *loader, FbCheck check);
extern void fb_check_segment(const FbSegmentRow *row, FbLoader *loader, FbCheck check);

/* One reference a row makes to another: for refusing to delete what is in use. */
typedef struct FbReference
{
	bool		to_segment;		/* else to a flag */
	bool		lenient;		/* what it refers to may be missing, or go away */
	char	   *key;
	List	   *variations;		/* char *: variations of the referred flag that are named */
	char	   *path;			/* JSON path of the reference, e.g. rules[2].when.all[0] */
} FbReference;

extern List *fb_flag_references(const FbFlagRow *row);
extern List *fb_segment_references(const FbSegmentRow *row);
extern List *fb_copy_references(List *references);

#endif							/* FB_COMPILE_H */
