/*
 * evaluation.h
 *		Evaluates a flag for the arguments of an SQL function.
 */
#ifndef FB_EVALUATION_H
#define FB_EVALUATION_H

#include "utils/jsonb.h"

#include "core/fb_trace.h"
#include "flags/callsite.h"

/* The overloads of every function whose first argument is user_key. */
typedef enum FbKeyType
{
	FB_KEY_TEXT,
	FB_KEY_BIGINT,
	FB_KEY_UUID
} FbKeyType;

#define FB_KEY_BUFFER 40			/* bytes of the text of a bigint or uuid key, and some */

typedef struct FbEvaluation
{
	FbCallSite *site;
	const FbCompiled *compiled; /* NULL when the flag key is NULL */
	FbOutcome	outcome;
	char		key_buffer[FB_KEY_BUFFER];	/* text of a bigint or uuid key */
} FbEvaluation;

extern void fb_set_error(FbOutcome *outcome, FbErrorCode error, const char *message);
extern FbString fb_user_key(Datum value, FbKeyType type, char *buffer);
extern void fb_evaluate_compiled(const FbCompiled *compiled, const char *overriding, const FbString *user_key,
								 NullableDatum context, int64 now, FbTracer *tracer, FbOutcome *outcome);
extern void fb_evaluate_with(const FbCompiled *compiled, const char *overriding, const FbString *user_key,
							 const FbContext *context, int64 now, FbTracer *tracer, FbOutcome *outcome);
extern void fb_evaluate_arguments(FbEvaluation *evaluation, FunctionCallInfo fcinfo,
								  const FbString *user_key, const text *flag_key,
								  NullableDatum context, const text *environment);
extern Datum fb_resolved(FunctionCallInfo fcinfo, FbEvaluation *evaluation, const FbString *user_key,
						 const char *key_argument);
extern const char *fb_reason_name(FbReason reason);
extern const char *fb_error_name(FbErrorCode error);
extern const char *fb_error_message(const FbEvaluation *evaluation, const FbString *user_key, const char *swapped);
extern bool fb_targeting_key(Jsonb *context, FbString *key, char *buffer);
extern Jsonb *fb_featbit_metadata(const FbEvaluation *evaluation);
extern double fb_featbit_outcome_bucket(const FbOutcome *outcome);
extern void fb_resolution(FbEvaluation *evaluation, const FbString *user_key, const char *key_argument, Datum *values,
						  bool *nulls);

#define FB_RESOLUTION_COLUMNS 6

/* Where the user key comes from, for messages: a member of the context, or an argument. */
#define FB_KEY_IN_CONTEXT "targetingKey"
#define FB_KEY_ARGUMENT "user_key"

/* Defines the three SQL functions of one name, one for each type of user_key. */
#define FB_USER_KEY_FUNCTIONS(name) \
	PG_FUNCTION_INFO_V1(fb_##name##_text); \
	PG_FUNCTION_INFO_V1(fb_##name##_bigint); \
	PG_FUNCTION_INFO_V1(fb_##name##_uuid); \
	Datum fb_##name##_text(PG_FUNCTION_ARGS) { return name(fcinfo, FB_KEY_TEXT); } \
	Datum fb_##name##_bigint(PG_FUNCTION_ARGS) { return name(fcinfo, FB_KEY_BIGINT); } \
	Datum fb_##name##_uuid(PG_FUNCTION_ARGS) { return name(fcinfo, FB_KEY_UUID); }

/* An argument, NULL for SQL NULL. */
#define FB_TEXT_ARGUMENT(i) (PG_ARGISNULL(i) ? NULL : fb_text(PG_GETARG_DATUM(i)))

#endif							/* FB_EVALUATION_H */
