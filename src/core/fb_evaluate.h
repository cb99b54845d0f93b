/*
 * fb_evaluate.h
 *		Evaluates a compiled flag for one user: no server, no allocation, no query.
 *
 * A compiled flag (FbFlag) is immutable and holds everything an evaluation
 * needs: its segments and prerequisite flags are reached by pointer.
 */
#ifndef FB_EVALUATE_H
#define FB_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes with a length; not terminated. */
typedef struct FbString
{
	const char *data;
	uint32_t	length;
} FbString;

typedef enum FbReason
{
	FB_REASON_STATIC,
	FB_REASON_DEFAULT,
	FB_REASON_TARGETING_MATCH,
	FB_REASON_SPLIT,
	FB_REASON_DISABLED,
	FB_REASON_PREREQUISITE_FAILED,
	FB_REASON_OVERRIDDEN,		/* by the caller, not by the flag */
	FB_REASON_ERROR
} FbReason;

typedef enum FbErrorCode
{
	FB_ERROR_NONE,
	FB_ERROR_PROVIDER_NOT_READY,
	FB_ERROR_FLAG_NOT_FOUND,
	FB_ERROR_TARGETING_KEY_MISSING,
	FB_ERROR_TYPE_MISMATCH,
	FB_ERROR_INVALID_CONTEXT,
	FB_ERROR_GENERAL
} FbErrorCode;

typedef enum FbFlagType
{
	FB_FLAG_BOOLEAN,
	FB_FLAG_STRING,
	FB_FLAG_NUMBER,
	FB_FLAG_JSON,
	FB_FLAG_FEATBIT				/* values are text, which the caller converts to what it asks for */
} FbFlagType;

/*
 * One variation.  The value is prepared by the adapter that compiles the
 * flag: value_text is what evaluate_flag returns (in the server: text *), value_json
 * the value as JSON (in the server: Jsonb *).
 */
typedef struct FbVariation
{
	FbString	key;
	void	   *key_datum;		/* the key as the adapter returns it (text *) */
	void	   *value_text;
	void	   *value_json;
} FbVariation;

typedef struct FbRule FbRule;
typedef struct FbFlag FbFlag;
typedef struct FbContext FbContext; /* source of attributes, see fb_value.h */

typedef struct FbRequest
{
	FbString	user_key;		/* in UTF-8 */
	FbString	user_key_text;	/* the same in the encoding of the context's strings */
	bool		user_key_missing;
	const FbContext *context;
	int64_t		now;			/* microseconds since 2000-01-01 00:00 UTC */
} FbRequest;

typedef struct FbOutcome
{
	FbReason	reason;
	FbErrorCode error;
	const char *error_message;	/* lives as long as the flag; NULL without error */
	const FbVariation *variation;	/* NULL: the code's default */
	FbString	rule_id;		/* data NULL: no rule decided */
	FbString	rule_name;
	FbString	failed_prerequisite;	/* data NULL: none */
	bool		hashed;			/* a split picked the variation: unit_key, bucket, total_weight are set */
	bool		randomised;		/* hashed with at least two positive weights */
	FbString	unit_key;		/* the text that was hashed */
	uint32_t	bucket;			/* 0 .. total_weight - 1 */
	uint32_t	total_weight;
	const struct FbRanges *ranges;	/* FeatBit's ranges that decided, also when none had the bucket; NULL: none */
	const struct FbRangeArm *arm;	/* the one that served; unit_key is what FeatBit hashes, whether it did or not */
} FbOutcome;

/* Identity of a compiled flag, for metadata. */
typedef struct FbFlagInfo
{
	FbString	key;
	FbFlagType	type;
	int64_t		revision;
	int32_t		iteration;
	bool		expt_include_all;	/* FeatBit: every user takes part in experiments */
} FbFlagInfo;

extern void fb_evaluate(const FbFlag *flag, const FbRequest *request, FbOutcome *outcome);
extern const FbFlagInfo *fb_flag_info(const FbFlag *flag);
extern const FbVariation *fb_flag_variation(const FbFlag *flag, FbString key);

#endif							/* FB_EVALUATE_H */
