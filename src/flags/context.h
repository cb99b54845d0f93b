/*
 * context.h
 *		A jsonb object as the evaluator's source of attributes.
 */
#ifndef FB_CONTEXT_H
#define FB_CONTEXT_H

#include "utils/jsonb.h"

#include "core/fb_value.h"

/* Keys of an object whose ends are summed up once for all attributes. */
#define FB_INDEXED_KEYS 32

/* Lives on the caller's stack for one evaluation. */
typedef struct FbJsonbContext
{
	FbContext	base;
	Datum		datum;			/* possibly toasted; 0: none */
	JsonbContainer *root;		/* NULL: not yet looked at, or no object */
	bool		opened;			/* root is an object, indexed if it is small */
	uint32		count;			/* its keys, 0: not indexed */
	uint32		ends[FB_INDEXED_KEYS * 2 + 1];	/* of keys and values within its data, each where the next begins */
} FbJsonbContext;

/* Whole numbers up to this are exact in a double. */
#define FB_EXACT_IN_DOUBLE INT64CONST(9007199254740992)

/* Problems that evaluations of this backend met, by FbProblem. */
extern uint64 fb_problem_counts[2];

/* 1: texts of this database have to be converted before they are hashed; 0: not; -1: not known yet. */
extern int	fb_converts;
extern bool fb_find_must_convert(void);
extern void fb_context_methods(FbContextMethods *methods);
extern bool fb_jsonb_path(JsonbContainer *object, const FbPath *path, uint32 step, FbValue *value);
extern void fb_jsonb_value(JsonbContainer *container, FbValue *value);
extern const FbContext *fb_jsonb_context(FbJsonbContext *storage, Jsonb *context);
extern const FbContext *fb_datum_context(FbJsonbContext *storage, Datum context, bool isnull);

/* Tells whether texts of this database have to be converted before they are hashed. */
static inline bool
fb_must_convert(void)
{
	return likely(fb_converts >= 0) ? fb_converts != 0 : fb_find_must_convert();
}

/*
 * Reads a numeric of at most four digits of base 10,000 and no fraction; false for every other.  The
 * layout is that of the disk (NumericShort in utils/adt/numeric.c), which cannot change.
 */
static inline bool
fb_small_integer(const void *numeric, int64 *integer)
{
	const char *data = VARDATA_ANY(numeric);
	int			count = (int) (VARSIZE_ANY_EXHDR(numeric) / sizeof(int16)) - 1;
	uint16		header;
	int64		sum = 0;

	memcpy(&header, data, sizeof(header));
	/* short form, weight 0 to 3, no digit behind the point */
	if ((header & 0xC000) != 0x8000 || (header & 0x007F) > 3 || count > (header & 0x007F) + 1 || count < 0)
		return false;
	for (int i = 0; i <= (header & 0x007F); i++)
	{
		int16		digit = 0;

		if (i < count)
			memcpy(&digit, data + sizeof(header) + i * sizeof(digit), sizeof(digit));
		sum = sum * 10000 + digit;
	}
	*integer = (header & 0x2000) ? -sum : sum;
	return true;
}

#endif							/* FB_CONTEXT_H */
