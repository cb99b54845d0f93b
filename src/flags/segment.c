/*
 * segment.c
 *		Reads a segment row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "flags/featbit.h"
#include "pg_compat.h"

/* Reads a list of user keys; they are compared in UTF-8. */
static bool
read_users(FbReader *reader, const char *column, Datum datum, FbSet *set)
{
	ArrayType  *array;
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	FbString   *users;
	Size		total = 0;
	int			i;

	if (datum == (Datum) 0 || reader->references_only)
		return true;
	array = DatumGetArrayTypeP(datum);
	if (ARR_NDIM(array) > 1)
		return fb_defect(reader, ERRCODE_ARRAY_SUBSCRIPT_ERROR, NULL, "%s must be a one-dimensional array", column);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count > FB_MAX_LIST)
		return fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL, "%s has %d elements, at most %d are allowed",
						 column, count, FB_MAX_LIST);
	if (count == 0)
		return true;
	users = palloc(sizeof(FbString) * count);
	for (i = 0; i < count; i++)
	{
		text	   *user;

		if (nulls[i])
			return fb_defect(reader, ERRCODE_NULL_VALUE_NOT_ALLOWED, NULL, "%s[%d] must not be null", column, i + 1);
		user = DatumGetTextPP(elements[i]);
		users[i].data = VARDATA_ANY(user);
		users[i].length = VARSIZE_ANY_EXHDR(user);
		users[i] = fb_utf8(users[i]);
		total += users[i].length;
	}
	fb_set_init(set, fb_arena_alloc(reader->arena, fb_set_size(count, total)), count);
	for (i = 0; i < count; i++)
		(void) fb_set_add(set, users[i]);
	return true;
}

/* Reads the two lists of user keys. */
static bool
read_lists(FbReader *reader, const FbSegmentRow *row, FbSegment *segment)
{
	return read_users(reader, "included", row->included, &segment->included) &&
		read_users(reader, "excluded", row->excluded, &segment->excluded);
}

/* Checks key, dialect and what only featbit segments have. */
static bool
read_identity(FbReader *reader, const FbSegmentRow *row)
{
	if (fb_is_featbit(row->semantics))
		return fb_check_foreign_key(reader, row->key);
	if (!fb_check_key(reader, row->key))
		return false;
	if (row->semantics != NULL && strcmp(row->semantics, "native") != 0)
		return fb_defect(reader, ERRCODE_FEATURE_NOT_SUPPORTED, "Semantics are \"native\" and \"featbit\".",
						 "unsupported semantics \"%s\"", row->semantics);
	if (row->archived)
		return fb_defect(reader, ERRCODE_FEATURE_NOT_SUPPORTED, "Delete it with featbit.delete_segment: its history stays.",
						 "a native segment cannot be archived");
	return row->source == NULL ||
		fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, "Set it to NULL, or semantics to \"featbit\".",
				  "a native segment must not have a source");
}

/* Reads a segment; what it refers to is not looked at. */
FbDefinition *
fb_read_segment(FbReader *reader, const FbSegmentRow *row)
{
	FbPlace		place = {NULL, "condition", 0};
	FbDefinition *definition = palloc0(sizeof(FbDefinition));
	FbSegment  *segment = fb_arena_alloc(reader->arena, sizeof(FbSegment));
	JsonbValue	root;

	memset(segment, 0, sizeof(FbSegment));
	segment->start = FB_NOT_MET;
	definition->segment = segment;
	definition->segment_row = row;
	if (!read_identity(reader, row))
	{
		segment->error = fb_take_defect(reader);
		return definition;
	}
	segment->key = fb_arena_string(reader->arena, fb_string_of(row->key));
	if (!read_lists(reader, row, segment))
	{
		segment->error = fb_take_defect(reader);
		return definition;
	}
	if (fb_is_featbit(row->semantics))
		fb_read_featbit_segment(reader, row, definition);
	else if (row->condition != NULL)
	{
		definition->conditions = palloc(sizeof(FbTree *));
		fb_json_root(row->condition, &root);
		definition->conditions[0] = fb_read_condition(reader, definition, &place, &root);
		definition->condition_count = 1;
	}
	return definition;
}
