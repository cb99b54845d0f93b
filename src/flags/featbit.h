/*
 * featbit.h
 *		Reads rows that are written in FeatBit's own terms.
 *
 * Nothing that FeatBit may have stored is refused.  What is malformed, or refers to
 * what is not there, evaluates as follows; FeatBit's evaluation server and SDKs raise in most of these
 * cases, and what an SDK then answers is the caller's default.
 *
 *	the flag's variations are no array		the flag is an error
 *	a variation without id or text value	as if it were not there; of two with one id the first counts
 *	variationType is unknown				values are strings
 *	disabledVariationId is unknown			error while disabled
 *	targetUsers, or an entry, malformed		as if it were not there
 *	target of an unknown variation			error for its users
 *	rules no array							as if there were none
 *	a rule that is no object, or its conditions are no array: the rule is never met
 *	a condition that is no object, or has an unknown op, a null op or value, a list that is no JSON array
 *	of strings, a pattern that is none, a number that is none: not met (also where op is negative)
 *	segment missing or archived				nobody is in it, and "is not in" is not met either
 *	the variations of a rollout no array	error
 *	an entry of a rollout without a range	error for those who come to it
 *	more than two numbers in a range		the first two count
 *	an entry of an unknown variation		error for those whom its range has
 *	no range has the bucket					error
 *	exptRollout, includedInExpt missing		0, false
 *
 * An error is ERROR/GENERAL with a message, value and variant are NULL.  All of them are listed by
 * flag_problems(), each at its place.
 */
#ifndef FB_FEATBIT_ROWS_H
#define FB_FEATBIT_ROWS_H

#include "utils/numeric.h"

#include "flags/definition.h"

/* What the readers of one row share. */
typedef struct FbFeatbitReader
{
	FbReader   *reader;
	FbDefinition *definition;
	bool		missing_is_empty;
} FbFeatbitReader;

/* featbit_flag.c */
extern void fb_read_featbit_flag(FbReader *reader, const FbFlagRow *row, FbDefinition *definition);

/* featbit_source.c */
extern bool fb_read_featbit_source(FbReader *reader, Jsonb *source, bool *missing_is_empty, bool *expt_include_all);
extern void fb_note(FbReader *reader, const FbPlace *place, const char *format,...) pg_attribute_printf(3, 4);
extern const JsonbValue *fb_json_find(const JsonbValue *object, const char *name, JsonbValue *value);
extern bool fb_json_is_object(const JsonbValue *value);
extern bool fb_json_string(const JsonbValue *value, FbString *string);
extern bool fb_json_array(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbElements *elements);
extern void fb_read_property(FbReader *reader, FbString property, FbProperty *kind, const FbPath **path);

/* featbit_variation.c */
extern bool fb_read_featbit_variations(FbReader *reader, const FbFlagRow *row, FbFlag *flag);
extern Jsonb *fb_featbit_json(FbString text);
extern Jsonb *fb_featbit_value(FbString text, FbFlagType type);

/* featbit_metadata.c */
extern Numeric fb_double_numeric(double number);

/* featbit_condition.c */
extern FbTree *fb_read_featbit_conditions(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *value);
extern FbTree *fb_featbit_group(FbReader *reader, const FbPlace *place, const JsonbValue *source, FbTreeKind kind,
								int children);
extern void fb_featbit_add(FbTree *group, FbTree *child);
extern const char *fb_read_featbit_operand(FbReader *reader, FbFeatbitOp op, FbString value, FbFeatbitOperand *operand);
extern const char *fb_featbit_pattern_note(FbString pattern);

/* featbit_serve.c */
extern bool fb_json_double(const JsonbValue *value, double *number);
extern bool fb_ranges_have_gap(const FbRanges *ranges);
extern void fb_weigh_ranges(FbRanges *ranges);
extern void fb_read_featbit_serve(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *value,
								  const FbRule *rule, FbServe *serve);

/* featbit_segment.c */
extern void fb_read_featbit_segment(FbReader *reader, const FbSegmentRow *row, FbDefinition *definition);

#endif							/* FB_FEATBIT_ROWS_H */
