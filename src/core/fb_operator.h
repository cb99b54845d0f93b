/*
 * fb_operator.h
 *		Operators of conditions: one row of a table each.
 */
#ifndef FB_OPERATOR_H
#define FB_OPERATOR_H

#include "core/fb_regex.h"
#include "core/fb_set.h"
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
	FB_OP_MATCHES,
	FB_OP_LT,
	FB_OP_LE,
	FB_OP_GT,
	FB_OP_GE,
	FB_OP_BETWEEN,
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
	FB_OPERAND_STRINGS,			/* string or array of strings */
	FB_OPERAND_PATTERN,
	FB_OPERAND_NUMBER,
	FB_OPERAND_RANGE			/* array of two numbers */
} FbOperandShape;

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
	const FbNumber *numbers;	/* ascending */
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
		FbList		list;		/* LIST */
		FbRegex    *regex;		/* PATTERN */
		struct
		{
			const FbString *needles;
			uint32_t	needle_count;
		};						/* STRINGS */
		FbValue		bounds[2];	/* RANGE, both included */
	};
} FbOperand;

typedef bool (*FbOperatorTest) (const FbContext *context, const FbValue *value, const FbOperand *operand);

typedef struct FbOperator
{
	const char *name;
	FbOperandShape shape;
	bool		sees_null;		/* a JSON null is a value, not a missing attribute */
	FbOperatorTest test;
} FbOperator;

extern const FbOperator fb_operators[FB_OPERATOR_COUNT];

extern int	fb_operator_find(const char *name, size_t length);

#endif							/* FB_OPERATOR_H */
