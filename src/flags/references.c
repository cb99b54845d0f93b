/*
 * references.c
 *		Lists what a row refers to, however broken the rest of it is.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "flags/definition.h"

/* Copies references into the current memory context. */
static List *
copy_references(List *references)
{
	List	   *copies = NIL;
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, references)
	{
		const FbReference *reference = lfirst(cell);
		FbReference *copy = palloc0(sizeof(FbReference));

		copy->to_segment = reference->to_segment;
		copy->key = pstrdup(reference->key);
		copy->path = pstrdup(reference->path);
		foreach(name, reference->variations)
			copy->variations = lappend(copy->variations, pstrdup(lfirst(name)));
		copies = lappend(copies, copy);
	}
	return copies;
}

/* Reads one of the two kinds of rows and gives its references. */
static List *
read_references(const FbFlagRow *flag, const FbSegmentRow *segment)
{
	MemoryContext keep = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(keep, "featbit references", ALLOCSET_DEFAULT_SIZES);
	FbArena		arena = {work};
	FbReader	reader = {.references_only = true,.arena = &arena};
	FbDefinition *definition;
	List	   *references;

	MemoryContextSwitchTo(work);
	definition = flag != NULL ? fb_read_flag(&reader, flag) : fb_read_segment(&reader, segment);
	MemoryContextSwitchTo(keep);
	references = copy_references(definition->references);
	MemoryContextDelete(work);
	return references;
}

/* Lists the references of a flag, in the order of its definition. */
List *
fb_flag_references(const FbFlagRow *row)
{
	return read_references(row, NULL);
}

/* Lists the references of a segment. */
List *
fb_segment_references(const FbSegmentRow *row)
{
	return read_references(NULL, row);
}
