/*
 * fb_operator_tests.h
 *		What the files that implement operators share; nobody else includes it.
 */
#ifndef FB_OPERATOR_TESTS_H
#define FB_OPERATOR_TESTS_H

#include "core/fb_casefold.h"
#include "core/fb_operator.h"

#define FB_POLL_WORK		(64 * 1024) /* bytes looked at between two polls */

/* Lets the caller interrupt a long loop. */
static inline void
fb_poll_after(const FbContext *context, uint32_t *work, uint32_t amount)
{
	*work += amount;
	if (*work >= FB_POLL_WORK && context->methods->poll != NULL)
	{
		*work = 0;
		context->methods->poll(context);
	}
}

/* A test of a string that works with and without case. */
typedef bool (*FbStringTest) (const FbContext *context, FbString string, const FbOperand *operand);

/* Tests a string without its case, against an operand without case; what is not UTF-8 is not met. */
static inline bool
fb_test_folded(const FbContext *context, FbString string, const FbOperand *operand, FbStringTest test)
{
	FbFolded	folded;
	bool		met;

	if (!fb_fold_begin(context, string, &folded))
		return false;
	met = test(context, folded.text, operand);
	fb_fold_end(context, &folded);
	return met;
}

/* fb_operator_text.c */
extern bool fb_test_contains(const FbContext *context, const FbValue *value, const FbOperand *operand,
							 int64_t now);
extern bool fb_test_contains_ci(const FbContext *context, const FbValue *value, const FbOperand *operand,
								int64_t now);
extern bool fb_test_starts_with(const FbContext *context, const FbValue *value, const FbOperand *operand,
								int64_t now);
extern bool fb_test_starts_with_ci(const FbContext *context, const FbValue *value, const FbOperand *operand,
								   int64_t now);
extern bool fb_test_ends_with(const FbContext *context, const FbValue *value, const FbOperand *operand,
							  int64_t now);
extern bool fb_test_ends_with_ci(const FbContext *context, const FbValue *value, const FbOperand *operand,
								 int64_t now);
extern bool fb_test_matches(const FbContext *context, const FbValue *value, const FbOperand *operand,
							int64_t now);

#endif							/* FB_OPERATOR_TESTS_H */
