/*
 * fb_featbit.h
 *		What FeatBit's evaluation does its own way: buckets, ranges, experiment
 *		sampling and operators on text.
 */
#ifndef FB_FEATBIT_H
#define FB_FEATBIT_H

#include "core/fb_regex.h"
#include "core/fb_set.h"
#include "core/fb_value.h"

/*
 * Buckets.  FeatBit's is |n| / 2^31 with n the first four bytes of the md5 as
 * a signed number, lowest byte first: an exact multiple of 2^-31 from 0 to 1.
 * Here it is the numerator; so are the bounds of a range, both included.
 */
#define FB_BUCKET_ONE		(UINT32_C(1) << 31)
#define FB_EVERYONE			UINT32_MAX	/* high of a range that consults no hash */

typedef struct FbRange
{
	uint32_t	low;
	uint32_t	high;			/* less than low: nobody */
} FbRange;

extern FbRange fb_featbit_range(double min, double max);
extern bool fb_featbit_upper(double min, double max, double expt_rollout, double *upper);
extern uint32_t fb_featbit_bucket(FbString first, FbString second);

/* Tells whether a range takes everyone, whatever the bucket. */
static inline bool
fb_range_is_everyone(FbRange range)
{
	return range.high == FB_EVERYONE;
}

/* Tells whether a range takes a bucket. */
static inline bool
fb_range_has(FbRange range, uint32_t bucket)
{
	return range.low <= bucket && bucket <= range.high;
}

/* Returns a bucket as FeatBit prints it. */
static inline double
fb_bucket_value(uint32_t bucket)
{
	return bucket / 2147483648.0;
}

/* Operators.  The order of the table in fb_featbit.c. */
typedef enum FbFeatbitOp
{
	FB_FEATBIT_LESS,
	FB_FEATBIT_LESS_EQUAL,
	FB_FEATBIT_BIGGER,
	FB_FEATBIT_BIGGER_EQUAL,
	FB_FEATBIT_EQUAL,
	FB_FEATBIT_NOT_EQUAL,
	FB_FEATBIT_CONTAINS,
	FB_FEATBIT_NOT_CONTAIN,
	FB_FEATBIT_STARTS,
	FB_FEATBIT_ENDS,
	FB_FEATBIT_MATCH,
	FB_FEATBIT_NOT_MATCH,
	FB_FEATBIT_ONE_OF,
	FB_FEATBIT_NOT_ONE_OF,
	FB_FEATBIT_TRUE,
	FB_FEATBIT_FALSE,
	FB_FEATBIT_OPERATORS
} FbFeatbitOp;

/* What an operator compares with. */
typedef enum FbFeatbitShape
{
	FB_FEATBIT_NUMBER,
	FB_FEATBIT_TEXT,
	FB_FEATBIT_PATTERN,
	FB_FEATBIT_LIST,
	FB_FEATBIT_NOTHING
} FbFeatbitShape;

/* Which property of the user a condition reads. */
typedef enum FbProperty
{
	FB_PROPERTY_BLANK,			/* none: the empty string */
	FB_PROPERTY_KEY_ID,
	FB_PROPERTY_NAME,			/* null, which meets nothing, when missing or null */
	FB_PROPERTY_OTHER
} FbProperty;

/* The compiled value of a condition, in UTF-8. */
typedef struct FbFeatbitOperand
{
	uint8_t		property;		/* FbProperty */
	bool		missing_is_empty;	/* else nothing is met by a property that is missing */
	union
	{
		double		number;
		FbString	text;
		FbRegex    *regex;
		FbSet		list;
	};
} FbFeatbitOperand;

extern int	fb_featbit_op_find(FbString name);
extern const char *fb_featbit_op_name(FbFeatbitOp op);
extern FbFeatbitShape fb_featbit_op_shape(FbFeatbitOp op);
extern bool fb_featbit_test(const FbContext *context, FbFeatbitOp op, FbString text, const FbFeatbitOperand *operand);

#endif							/* FB_FEATBIT_H */
