/*
 * references.c
 *		Lists what a row refers to, however broken the rest of it is.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "flags/definition.h"
#include "flags/recorded.h"
#include "fb_rows.h"

PG_FUNCTION_INFO_V1(fb_definition_references);

/* Copies references into the current memory context. */
List *
fb_copy_references(List *references)
{
	List	   *copies = NIL;
	ListCell   *cell;
	ListCell   *name;

	foreach(cell, references)
	{
		const FbReference *reference = lfirst(cell);
		FbReference *copy = palloc0(sizeof(FbReference));

		copy->to_segment = reference->to_segment;
		copy->lenient = reference->lenient;
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
	references = fb_copy_references(definition->references);
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

/* Makes a set for the names of references, each after a letter for its kind. */
static void
start_names(FbSet *names, List *references)
{
	Size		length = 0;
	ListCell   *cell;

	foreach(cell, references)
		length += strlen(((FbReference *) lfirst(cell))->key) + 1;
	fb_set_init(names, palloc(fb_set_size(list_length(references), length)), list_length(references));
}

/* definition_references(definition) → rows (kind, key): what a recorded flag or segment refers to, each once */
Datum
fb_definition_references(PG_FUNCTION_ARGS)
{
	Jsonb	   *definition = PG_GETARG_JSONB_P(0);
	FbRows		rows;
	FbSet		names;
	List	   *references = NIL;
	ListCell   *cell;

	fb_rows_begin(&rows, fcinfo);
	if (JB_ROOT_IS_OBJECT(definition) &&
		getKeyJsonValueFromContainer(&definition->root, "variations", strlen("variations"), NULL) != NULL)
	{
		FbFlagRow	row;

		fb_flag_row_from_definition(definition, &row);
		references = fb_flag_references(&row);
	}
	else if (JB_ROOT_IS_OBJECT(definition))
	{
		FbSegmentRow row;

		fb_segment_row_from_definition(definition, &row);
		references = fb_segment_references(&row);
	}
	start_names(&names, references);
	foreach(cell, references)
	{
		const FbReference *reference = lfirst(cell);
		Datum		values[2] = {
			CStringGetTextDatum(reference->to_segment ? "segment" : "flag"), CStringGetTextDatum(reference->key)
		};
		bool		nulls[2] = {false, false};

		CHECK_FOR_INTERRUPTS();
		if (fb_set_add(&names, fb_string_of(psprintf("%c%s", reference->to_segment ? 's' : 'f', reference->key))))
			fb_rows_put(&rows, values, nulls);
	}
	return (Datum) 0;
}
