/*
 * fb_value.h
 *		JSON values as the evaluator sees them, and where attributes come from.
 */
#ifndef FB_VALUE_H
#define FB_VALUE_H

#include <stddef.h>
#include <string.h>

#include "core/fb_evaluate.h"

typedef enum FbValueKind
{
	FB_VALUE_NULL,
	FB_VALUE_BOOLEAN,
	FB_VALUE_NUMBER,
	FB_VALUE_STRING,
	FB_VALUE_ARRAY,
	FB_VALUE_OBJECT
} FbValueKind;

/*
 * A value of the context or of a condition.  Numbers are doubles, unless
 * the adapter keeps them exactly: then exact points to its number, and only
 * its method compare_numbers reads it.
 */
typedef struct FbValue
{
	FbValueKind kind;
	uint32_t	count;			/* elements of an array */
	union
	{
		bool		boolean;
		double		number;
		FbString	string;
		const void *array;
	};
	const void *exact;
} FbValue;

/* Where an attribute lies: the keys to follow from the root of the context. */
typedef struct FbPath
{
	uint8_t		count;
	bool		user_key;		/* "targetingKey": the user key itself, whatever the context holds */
	uint16_t	hint;			/* where a context found the first key last time: a guess, changed during evaluations */
	FbString	steps[];
} FbPath;

/* What the evaluator wants noted beside its answer. */
typedef enum FbProblem
{
	FB_PROBLEM_REGEX_LIMIT,		/* a pattern ran into its limits: not met */
	FB_PROBLEM_REGEX_ENCODING	/* the attribute is not UTF-8: not met */
} FbProblem;

typedef struct FbContextMethods
{
	/* Finds an attribute; false when there is none. */
	bool		(*lookup) (const FbContext *context, const FbPath *path, FbValue *value);

	/* Reads an element of an array, by position. */
	void		(*element) (const FbContext *context, const FbValue *array, uint32_t position, FbValue *element);

	/* Compares two numbers exactly; NULL: their doubles are exact. */
	int			(*compare_numbers) (const FbContext *context, const FbValue *a, const FbValue *b);

	/* Gives the shortest decimal text of a number. */
	bool		(*number_text) (const FbContext *context, const FbValue *number, FbString *text);

	/* Converts a string to UTF-8; NULL: strings are UTF-8 already. */
	bool		(*to_utf8) (const FbContext *context, FbString string, FbString *utf8);

	/* Gives memory for one test, and takes it back. */
	void	   *(*allocate) (const FbContext *context, size_t size);
	void		(*release) (const FbContext *context, void *memory);

	/* Called now and then during long evaluations, may leave by longjmp; may be NULL. */
	void		(*poll) (const FbContext *context);

	/* Notes a problem; may be NULL. */
	void		(*problem) (const FbContext *context, FbProblem problem);
} FbContextMethods;

struct FbContext
{
	const FbContextMethods *methods;
};

/* Tells whether two pieces of memory are equal, without a call; the last words may overlap. */
static inline bool
fb_bytes_equal(const char *a, const char *b, uint32_t length)
{
	uint64_t	x;
	uint64_t	y;
	uint32_t	u;
	uint32_t	v;

	if (length >= 8)
	{
		const char *a_last = a + length - 8;
		const char *b_last = b + length - 8;

		for (; a < a_last; a += 8, b += 8)
		{
			memcpy(&x, a, 8);
			memcpy(&y, b, 8);
			if (x != y)
				return false;
		}
		memcpy(&x, a_last, 8);
		memcpy(&y, b_last, 8);
		return x == y;
	}
	if (length >= 4)
	{
		memcpy(&u, a, 4);
		memcpy(&v, b, 4);
		if (u != v)
			return false;
		memcpy(&u, a + length - 4, 4);
		memcpy(&v, b + length - 4, 4);
		return u == v;
	}
	for (; length > 0; length--)
		if (*a++ != *b++)
			return false;
	return true;
}

/* Tells whether two strings have the same bytes. */
static inline bool
fb_string_equal(FbString a, FbString b)
{
	return a.length == b.length && fb_bytes_equal(a.data, b.data, a.length);
}

/* Compares two numbers: negative, zero or positive. */
static inline int
fb_compare_numbers(const FbContext *context, const FbValue *a, const FbValue *b)
{
	if (context->methods->compare_numbers != NULL)
		return context->methods->compare_numbers(context, a, b);
	return (a->number > b->number) - (a->number < b->number);
}

/* Tells whether two values are equal scalars of the same type. */
static inline bool
fb_scalar_equal(const FbContext *context, const FbValue *a, const FbValue *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind)
	{
		case FB_VALUE_STRING:
			return fb_string_equal(a->string, b->string);
		case FB_VALUE_NUMBER:
			return fb_compare_numbers(context, a, b) == 0;
		case FB_VALUE_BOOLEAN:
			return a->boolean == b->boolean;
		default:
			return false;
	}
}

extern bool fb_number_modulo(const FbContext *context, const FbValue *number, uint32_t divisor,
							 uint32_t *remainder);
extern bool fb_canonical_text(const FbContext *context, const FbValue *value, FbString *text);

#endif							/* FB_VALUE_H */
