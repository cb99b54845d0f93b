/*
 * portable.h
 *		A flag as a value: jsonb that holds everything its evaluation needs.
 *
 * {"format": 1, "flag": KEY, "flags": {KEY: FLAG, ...}, "segments": {KEY: SEGMENT, ...}}
 *
 * A FLAG has the columns of featbit.flag that evaluation reads, a SEGMENT those
 * of featbit.segment; a column that is NULL is left out.
 */
#ifndef FB_PORTABLE_H
#define FB_PORTABLE_H

#include "flags/reader.h"

#define FB_PORTABLE_FORMAT	1

enum
{
	FB_PORTABLE_FORMAT_FIELD,
	FB_PORTABLE_FLAG,
	FB_PORTABLE_FLAGS,
	FB_PORTABLE_SEGMENTS,
	FB_PORTABLE_FIELDS
};

enum
{
	FB_PORTABLE_FLAG_TYPE,
	FB_PORTABLE_FLAG_SEMANTICS,
	FB_PORTABLE_FLAG_SALT,
	FB_PORTABLE_FLAG_OFF_VARIATION,
	FB_PORTABLE_FLAG_ENABLED,
	FB_PORTABLE_FLAG_ARCHIVED,
	FB_PORTABLE_FLAG_REVISION,
	FB_PORTABLE_FLAG_ITERATION,
	FB_PORTABLE_FLAG_VARIATIONS,
	FB_PORTABLE_FLAG_PREREQUISITES,
	FB_PORTABLE_FLAG_TARGETS,
	FB_PORTABLE_FLAG_RULES,
	FB_PORTABLE_FLAG_FALLTHROUGH,
	FB_PORTABLE_FLAG_SOURCE,
	FB_PORTABLE_FLAG_FIELDS
};

enum
{
	FB_PORTABLE_SEGMENT_INCLUDED,
	FB_PORTABLE_SEGMENT_EXCLUDED,
	FB_PORTABLE_SEGMENT_CONDITION,
	FB_PORTABLE_SEGMENT_SEMANTICS,
	FB_PORTABLE_SEGMENT_ARCHIVED,
	FB_PORTABLE_SEGMENT_SOURCE,
	FB_PORTABLE_SEGMENT_FIELDS
};

/* Names of the members, and which of them a definition must have. */
extern const FbField fb_portable_fields[FB_PORTABLE_FIELDS];
extern const FbField fb_portable_flag_fields[FB_PORTABLE_FLAG_FIELDS];
extern const FbField fb_portable_segment_fields[FB_PORTABLE_SEGMENT_FIELDS];

#endif							/* FB_PORTABLE_H */
