/*
 * fb_operator.h
 *		Operators of conditions: one row of a table each.
 */
#ifndef FB_OPERATOR_H
#define FB_OPERATOR_H

#include "core/fb_network.h"
#include "core/fb_regex.h"
#include "core/fb_semver.h"
#include "core/fb_set.h"
#include "core/fb_time.h"
#include "core/fb_value.h"

typedef enum FbOperatorCode
{
	FB_OP_EQ,
	FB_OP_NE,
	FB_OP_ONE_OF,
	FB_OP_NOT_ONE_OF,
	FB_OP_CONTAINS,
	FB_OP_STARTS_WITH,
	FB_OP_ENDS_WITH,
	FB_OP_EQ_CI,
	FB_OP_NE_CI,
	FB_OP_ONE_OF_CI,
	FB_OP_NOT_ONE_OF_CI,
	FB_OP_CONTAINS_CI,
	FB_OP_STARTS_WITH_CI,
	FB_OP_ENDS_WITH_CI,
	FB_OP_MATCHES,
	FB_OP_LT,
	FB_OP_LE,
	FB_OP_GT,
	FB_OP_GE,
	FB_OP_BETWEEN,
	FB_OP_MODULO,
	FB_OP_BEFORE,
	FB_OP_AFTER,
	FB_OP_SEMVER_EQ,
	FB_OP_SEMVER_NE,
	FB_OP_SEMVER_LT,
	FB_OP_SEMVER_LE,
	FB_OP_SEMVER_GT,
	FB_OP_SEMVER_GE,
	FB_OP_SEMVER_IN,
	FB_OP_IN_CIDR,
	FB_OP_ARRAY_CONTAINS_ANY,
	FB_OP_ARRAY_CONTAINS_ALL,
	FB_OP_ARRAY_CONTAINS_NONE,
	FB_OP_EXISTS,
	FB_OP_IS_NULL,
	FB_OP_IS_TRUE,
	FB_OP_IS_FALSE,
	FB_OPERATOR_COUNT
} FbOperatorCode;

/* What a condition must give as "value". */
typedef enum FbOperandShape
{
	FB_OPERAND_NONE,
	FB_OPERAND_SCALAR,			/* string, number or boolean */
	FB_OPERAND_LIST,			/* array of scalars */
	FB_OPERAND_SHORT_LIST,		/* array of at most FB_SHORT_LIST scalars */
	FB_OPERAND_STRINGS,			/* string or array of strings */
	FB_OPERAND_PATTERN,
	FB_OPERAND_NUMBER,
	FB_OPERAND_RANGE,			/* array of two numbers */
	FB_OPERAND_MODULO,			/* {"divisor": number, "remainders": [number, ...]} */
	FB_OPERAND_MOMENT,			/* timestamp, or time relative to the evaluation's */
	FB_OPERAND_VERSION,
	FB_OPERAND_VERSION_RANGE,	/* string or array of strings */
	FB_OPERAND_NETWORKS			/* string or array of strings */
} FbOperandShape;

#define FB_SHORT_LIST		1000	/* values, so that what was found fits on the stack */

/* A number of a list: as in FbValue either a double or the adapter's own. */
typedef union FbNumber
{
	double		number;
	const void *exact;
} FbNumber;

/* The scalars of a list, by type. */
typedef struct FbList
{
	FbSet		strings;
	const FbNumber *numbers;	/* ascending, each once */
	uint32_t	number_count;
	bool		has_true;
	bool		has_false;
} FbList;

/* The compiler allocates only the member that the operator's shape uses. */
typedef struct FbOperand
{
	union
	{
		FbValue		value;		/* SCALAR, NUMBER */
		FbList		list;		/* LIST, SHORT_LIST */
		FbRegex    *regex;		/* PATTERN */
		struct
		{
			const FbString *needles;
			uint32_t	needle_count;
		};						/* STRINGS */
		FbValue		bounds[2];	/* RANGE, both included */
		struct
		{
			const uint32_t *remainders; /* ascending */
			uint32_t	remainder_count;
			uint32_t	divisor;
		};						/* MODULO */
		FbMoment	moment;		/* MOMENT */
		FbVersion	version;	/* VERSION */
		struct
		{
			const FbVersionBound *version_bounds;
			uint32_t	version_bound_count;
		};						/* VERSION_RANGE */
		struct
		{
			const FbNetwork *networks;	/* sorted, none within another */
			uint32_t	network_count;
		};						/* NETWORKS */
	};
} FbOperand;

/* now is the time of the evaluation in microseconds since 2000-01-01 00:00 UTC. */
typedef bool (*FbOperatorTest) (const FbContext *context, const FbValue *value, const FbOperand *operand,
								int64_t now);

typedef struct FbOperator
{
	const char *name;
	FbOperandShape shape;
	bool		sees_null;		/* a JSON null is a value, not a missing attribute */
	bool		folds;			/* strings of the operand are UTF-8 without case */
	FbOperatorTest test;
} FbOperator;

extern const FbOperator fb_operators[FB_OPERATOR_COUNT];

extern int	fb_operator_find(const char *name, size_t length);

#endif							/* FB_OPERATOR_H */
