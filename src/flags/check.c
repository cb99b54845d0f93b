/*
 * check.c
 *		Decides whether a row may be stored: its shape, its references, and the
 *		graph it becomes part of.
 *
 * Codes: 22023 malformed, 22004 and 23502 null, 22007 timestamp, 2201B
 * regular expression, 0A000 unsupported, 23505 duplicate, 23503 reference to
 * what does not exist, 23514 cycle or archived flag, 54000 a limit.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "fb_suggest.h"
#include "flags/featbit.h"

/* Identity of a flag or segment; zeroed before it is filled, for hashing. */
typedef struct VisitKey
{
	bool		is_segment;
	char		name[FB_MAX_NAME + 1];
} VisitKey;

/* A flag or segment that the walk has met. */
typedef struct Visit
{
	VisitKey	key;
	bool		done;
	bool		missing;		/* there is no such row */
	int			height;			/* levels below and including it */
} Visit;

typedef struct Walk
{
	FbLoader   *loader;
	HTAB	   *visits;
	Visit	   *path[FB_MAX_DEPTH + 1];	/* from the checked row to here */
	int			depth;
} Walk;

/* Names a kind of node. */
static const char *
kind_name(bool is_segment)
{
	return is_segment ? "segment" : "flag";
}

/* Finds or makes the visit of a node. */
static Visit *
get_visit(Walk *walk, bool is_segment, const char *name, bool *found)
{
	VisitKey	key;
	Visit	   *visit;

	memset(&key, 0, sizeof(key));
	key.is_segment = is_segment;
	strlcpy(key.name, name, sizeof(key.name));
	visit = hash_search(walk->visits, &key, HASH_ENTER, found);
	if (!*found)
	{
		visit->done = false;
		visit->missing = false;
		visit->height = 0;
	}
	return visit;
}

/* Raises the error of a cycle, with the way around. */
static void
report_cycle(const Walk *walk, const Visit *again, const FbReference *reference)
{
	const Visit *last = walk->path[walk->depth - 1];
	StringInfoData way;
	int			i;
	bool		inside = false;

	initStringInfo(&way);
	for (i = 0; i < walk->depth; i++)
	{
		inside = inside || walk->path[i] == again;
		if (inside)
			appendStringInfo(&way, "%s \"%s\" -> ", kind_name(walk->path[i]->key.is_segment), walk->path[i]->key.name);
	}
	appendStringInfo(&way, "%s \"%s\"", kind_name(again->key.is_segment), again->key.name);
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("%s \"%s\" would close a cycle", kind_name(walk->path[0]->key.is_segment), walk->path[0]->key.name),
			 errdetail("The cycle is %s, closed by %s of %s \"%s\".", way.data, reference->path,
					   kind_name(last->key.is_segment), last->key.name)));
}

/* Raises the error of a reference to what does not exist. */
static void
report_dangling(const Walk *walk, const FbReference *reference)
{
	FbLoader   *loader = walk->loader;
	char	   *near = NULL;

	if (reference->to_segment && loader->suggest_segment != NULL)
		near = loader->suggest_segment(loader, reference->key);
	else if (!reference->to_segment && loader->suggest_flag != NULL)
		near = loader->suggest_flag(loader, reference->key);
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("unknown %s \"%s\" in %s", kind_name(reference->to_segment), reference->key, reference->path),
			 near != NULL ? errhint("Did you mean \"%s\"?", near) :
			 errhint("Create the %s first; it must be in the same environment.", kind_name(reference->to_segment))));
}

/* Checks what a direct reference says about the other flag. */
static void
check_other_flag(const FbReference *reference, const FbFlagRow *row)
{
	FbArena		arena = {CurrentMemoryContext};
	FbReader	lenient = {.arena = &arena};
	FbReader	strict = {.strict = true,.arena = &arena};
	FbFlag		flag;
	ListCell   *cell;

	memset(&flag, 0, sizeof(flag));
	if (row->archived)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("flag \"%s\" in %s is archived", reference->key, reference->path),
				 errhint("Restore the flag first, or refer to another one.")));
	if (!(fb_is_featbit(row->semantics) ? fb_read_featbit_variations(&lenient, row, &flag) :
		  fb_read_variations(&lenient, row, &flag)))
		return;					/* it is broken itself, and listed as such */
	foreach(cell, reference->variations)
	{
		char	   *key = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (fb_flag_variation(&flag, fb_string_of(key)) == NULL)
			(void) fb_unknown_variation(&strict, psprintf("%s.variations", reference->path), key, &flag, reference->key);
	}
}

static int	walk_references(Walk *walk, Visit *from, List *references);

/* Follows one reference; returns the height of what it leads to. */
static int
walk_reference(Walk *walk, const FbReference *reference)
{
	bool		direct = walk->depth == 1 && !reference->lenient;
	bool		found;
	Visit	   *visit = get_visit(walk, reference->to_segment, reference->key, &found);
	FbFlagRow	flag;
	FbSegmentRow segment;
	List	   *references;

	if (found && !visit->done)
		report_cycle(walk, visit, reference);
	if (found && visit->missing && direct)
		report_dangling(walk, reference);
	if (found && !(direct && !reference->to_segment))
		return visit->height;

	memset(&flag, 0, sizeof(flag));
	memset(&segment, 0, sizeof(segment));
	if (reference->to_segment ? !walk->loader->load_segment(walk->loader, reference->key, &segment) :
		!walk->loader->load_flag(walk->loader, reference->key, &flag))
	{
		if (direct)
			report_dangling(walk, reference);
		visit->done = true;
		visit->missing = true;
		return 0;
	}
	if (direct && !reference->to_segment)
		check_other_flag(reference, &flag);
	if (found)
		return visit->height;
	references = reference->to_segment ? fb_segment_references(&segment) : fb_flag_references(&flag);
	return walk_references(walk, visit, references);
}

/* Follows the references of a node; returns its height. */
static int
walk_references(Walk *walk, Visit *from, List *references)
{
	ListCell   *cell;
	int			below = 0;

	walk->path[walk->depth++] = from;
	foreach(cell, references)
	{
		const FbReference *reference = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (walk->depth < FB_MAX_DEPTH)
			below = Max(below, walk_reference(walk, reference));
		else
			below = Max(below, 1);
		if (walk->depth + below > FB_MAX_DEPTH)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("%s \"%s\" refers to flags and segments more than %d levels deep",
							kind_name(walk->path[0]->key.is_segment), walk->path[0]->key.name, FB_MAX_DEPTH)));
	}
	walk->depth--;
	from->done = true;
	from->height = below + 1;
	return from->height;
}

/* Checks references and graph of a row. */
static void
check_graph(FbLoader *loader, bool is_segment, const char *key, List *references)
{
	Walk		walk;
	HASHCTL		control;
	bool		found;

	memset(&walk, 0, sizeof(walk));
	walk.loader = loader;
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(VisitKey);
	control.entrysize = sizeof(Visit);
	control.hcxt = CurrentMemoryContext;
	walk.visits = hash_create("featbit references", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	(void) walk_references(&walk, get_visit(&walk, is_segment, key, &found), references);
}

/* Checks one of the two kinds of rows. */
static void
check_row(const FbFlagRow *flag, const FbSegmentRow *segment, FbLoader *loader, FbCheck check)
{
	MemoryContext keep = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(keep, "featbit check", ALLOCSET_DEFAULT_SIZES);
	FbArena		arena = {work};
	FbReader	reader = {.strict = true,.arena = &arena};
	FbDefinition *definition;

	MemoryContextSwitchTo(work);
	definition = flag != NULL ? fb_read_flag(&reader, flag) : fb_read_segment(&reader, segment);
	if (check == FB_CHECK_ALL)
		check_graph(loader, flag == NULL, flag != NULL ? flag->key : segment->key, definition->references);
	MemoryContextSwitchTo(keep);
	MemoryContextDelete(work);
}

/* Raises when a flag must not be stored. */
void
fb_check_flag(const FbFlagRow *row, FbLoader *loader, FbCheck check)
{
	check_row(row, NULL, loader, check);
}

/* Raises when a segment must not be stored. */
void
fb_check_segment(const FbSegmentRow *row, FbLoader *loader, FbCheck check)
{
	check_row(NULL, row, loader, check);
}
