/*
 * reader.h
 *		Reads definitions from jsonb, with places for messages.
 *
 * A reader is either strict (the first defect is raised) or lenient (it is
 * kept as text, the function that met it returns false, and the part of the
 * definition becomes an error node).
 */
#ifndef FB_READER_H
#define FB_READER_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "core/fb_flag.h"
#include "flags/arena.h"

#define FB_MAX_LIST		100000	/* elements of a list in a definition */
#define FB_MAX_NAME		128		/* bytes of keys and rule ids */

/* A place in a definition: a column, then keys and positions. */
typedef struct FbPlace
{
	const struct FbPlace *parent;
	const char *name;			/* NULL: a position */
	int			position;
} FbPlace;

/* What is worth knowing of a definition beside its defects. */
typedef struct FbNote
{
	char	   *path;
	char	   *text;
	bool		warning;		/* legal, but perhaps not what is meant */
} FbNote;

typedef struct FbReader
{
	bool		strict;
	bool		thorough;		/* lenient, but with the checks of a strict reader that evaluation can do without */
	bool		references_only;	/* operands and lists of users are not wanted */
	bool		keep_sources;	/* conditions remember where they stand in the definition */
	bool		uses_time;		/* something that was read depends on the time of the evaluation */
	const char *subject;		/* prefix of a kept defect, e.g. segment "beta" */
	FbArena    *arena;
	const char *defect;			/* lenient: the first defect since it was last taken */
	List	   *notes;			/* FbNote *, kept by a thorough reader */
} FbReader;

typedef struct FbField
{
	const char *name;
	bool		required;
	bool		present;
	JsonbValue	value;
} FbField;

typedef struct FbElements
{
	const JsonbContainer *array;
	int			count;
	int			position;		/* of the element read last */
	uint32		offset;			/* where the next one begins in the data of the array */
} FbElements;

extern char *fb_place_text(const FbPlace *place);
extern bool fb_defect(FbReader *reader, int sqlstate, const char *hint, const char *format,...) pg_attribute_printf(4, 5);
extern const char *fb_take_defect(FbReader *reader);

extern void fb_json_root(Jsonb *jsonb, JsonbValue *value);
extern char *fb_json_text(const JsonbValue *value);
extern bool fb_wrong_type(FbReader *reader, const FbPlace *place, const char *expected, const JsonbValue *value);
extern bool fb_read_object(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbField *fields, int count);
extern bool fb_open_array(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbElements *elements);
extern bool fb_next_element(FbElements *elements, JsonbValue *value);
extern bool fb_read_string(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbString *string);
extern bool fb_read_name(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbString *string);
extern bool fb_check_printable(FbReader *reader, const FbPlace *place, FbString string);
extern bool fb_read_decimal(FbReader *reader, const FbPlace *place, const JsonbValue *value, int decimals, int64 maximum,
							const char *expected, int64 *number);
extern bool fb_read_timestamp(FbReader *reader, const FbPlace *place, const JsonbValue *value, int64 *time);
extern const FbPath *fb_read_path(FbReader *reader, const FbPlace *place, const JsonbValue *value);

extern char *fb_cstring(FbString string);
extern FbString fb_string_of(const char *string);
extern FbString fb_utf8(FbString string);

#endif							/* FB_READER_H */
