/*
 * definition.h
 *		A definition after reading and before linking.
 *
 * Reading checks a row by itself.  Linking replaces each reference by what
 * it names; by then the whole closure has been read.
 */
#ifndef FB_DEFINITION_H
#define FB_DEFINITION_H

#include "flags/compile.h"
#include "flags/reader.h"

typedef enum FbTreeKind
{
	FB_TREE_ALL,
	FB_TREE_ANY,
	FB_TREE_NOT,
	FB_TREE_LEAF
} FbTreeKind;

/* A condition as it is written. */
typedef struct FbTree
{
	FbTreeKind	kind;
	int			child_count;
	struct FbTree **children;
	struct FbTree *parent;		/* NULL: the whole condition */
	const char *path;			/* e.g. rules[0].when.all[1]; NULL unless sources are kept */
	bool		is_featbit;		/* FeatBit's: the path of a group names the group itself */
	const JsonbValue *source;	/* the condition as JSON; likewise */
	FbCondition leaf;			/* without its jumps */
	FbReference *reference;		/* of a leaf on a segment or flag */
} FbTree;

/* A flag or a segment. */
typedef struct FbDefinition
{
	FbFlag	   *flag;			/* one of the two */
	FbSegment  *segment;
	FbRule	   *rules;			/* flag->rules, writable */
	FbTree	  **conditions;		/* of the rules, or the one of the segment; NULL: none */
	int			condition_count;
	int			leaf_count;
	List	   *prerequisites;	/* FbReference *, a NULL pointer for a broken one */
	const char **prerequisite_defects;	/* of the broken ones, by position */
	List	   *references;		/* FbReference *: all, in order */
	const FbFlagRow *flag_row;	/* what was read: one of the two */
	const FbSegmentRow *segment_row;
	const FbTree **leaves;		/* of the conditions, by their position; NULL unless sources are kept */
} FbDefinition;

/* A string, or an array of strings, that is being read. */
typedef struct FbTexts
{
	FbPlace		array;			/* of an array: its own place */
	FbPlace		place;			/* of the string read last */
	const JsonbValue *single;
	FbElements	elements;
	int			count;
	bool		broken;			/* an element is no string */
} FbTexts;

/* condition.c */
extern FbTree	   *fb_read_condition(FbReader *reader, FbDefinition *definition, const FbPlace *place,
									  const JsonbValue *value);
extern FbReference *fb_read_flag_reference(FbReader *reader, const FbPlace *place, FbField *flag,
										   FbField *variations);

/* operand.c */
extern FbOperand *fb_read_operand(FbReader *reader, const FbPlace *place, int op, FbField *field);
extern bool fb_open_texts(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbTexts *texts);
extern bool fb_next_text(FbReader *reader, FbTexts *texts, JsonbValue *value, FbString *text);

/* operand_formats.c */
extern bool fb_read_moment(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbMoment *moment);
extern bool fb_read_version(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbVersion *version);
extern bool fb_read_version_range(FbReader *reader, const FbPlace *place, const JsonbValue *value,
								  FbOperand *operand);
extern bool fb_read_networks(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbOperand *operand);

/* serve.c */
extern void fb_read_serve(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag,
						  FbString salt, FbServe *serve);
extern const FbVariation *fb_read_variation(FbReader *reader, const FbPlace *place, const JsonbValue *value,
											const FbFlag *flag);
extern bool fb_unknown_variation(FbReader *reader, const char *place, const char *key, const FbFlag *flag,
								 const char *owner);

/* ranges.c */
extern bool fb_read_ranges(FbReader *reader, const FbPlace *place, FbField *ranges, FbField *hash, const FbFlag *flag,
						   FbString salt, FbServe *serve);

/* variation.c */
extern void *fb_keep_text(FbReader *reader, const char *data, Size length);
extern bool fb_read_variations(FbReader *reader, const FbFlagRow *row, FbFlag *flag);

/* flag.c */
extern bool fb_check_key(FbReader *reader, const char *key);
extern bool fb_check_foreign_key(FbReader *reader, const char *key);
extern FbDefinition *fb_read_flag(FbReader *reader, const FbFlagRow *row);

/* segment.c */
extern FbDefinition *fb_read_segment(FbReader *reader, const FbSegmentRow *row);

#endif							/* FB_DEFINITION_H */
