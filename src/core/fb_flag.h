/*
 * fb_flag.h
 *		Compiled flags and segments.
 *
 * Built once by the compiler and read by the evaluator; only the memo of a
 * node changes afterwards.  One closure (a flag with everything it reaches)
 * belongs to one evaluation at a time.
 */
#ifndef FB_FLAG_H
#define FB_FLAG_H

#include "core/fb_featbit.h"
#include "core/fb_hash.h"
#include "core/fb_operator.h"

/*
 * Conditions are a program: each tests one thing and names the next to test
 * for either result.  all, any and not are in the order of the jumps, so that
 * evaluation neither recurses nor keeps a stack.
 */
#define FB_MET			UINT32_MAX
#define FB_NOT_MET		(UINT32_MAX - 1)

typedef enum FbConditionKind
{
	FB_CONDITION_ATTRIBUTE,
	FB_CONDITION_SEGMENT,
	FB_CONDITION_FLAG,
	FB_CONDITION_ERROR,
	FB_CONDITION_FEATBIT,		/* a property as FeatBit sees it */
	FB_CONDITION_NEVER			/* not met, because of error, which is no error of the evaluation */
} FbConditionKind;

typedef struct FbSegment FbSegment;

/* A reference to another flag: met when it serves one of the variations. */
typedef struct FbFlagReference
{
	FbString	key;
	FbFlag	   *flag;			/* NULL: there is no such flag, never met */
	const FbVariation *const *variations;
	uint32_t	variation_count;
	const char *error;			/* what is wrong with it, or NULL */
} FbFlagReference;

typedef struct FbCondition
{
	uint8_t		kind;			/* FbConditionKind */
	uint8_t		op;				/* FbOperatorCode, or FbFeatbitOp */
	uint32_t	if_met;			/* next condition, FB_MET or FB_NOT_MET */
	uint32_t	if_not;
	union
	{
		const FbPath *path;
		FbSegment  *segment;
		const FbFlagReference *reference;
		const char *error;
	};
	union
	{
		const FbOperand *operand;
		const FbFeatbitOperand *featbit;
	};
} FbCondition;

/* Result of a segment or flag within one evaluation; stale when the epoch is another. */
typedef struct FbMemo
{
	uint64_t	epoch;
	bool		done;			/* else in progress: meeting it again is a cycle */
	bool		met;			/* segments */
	const char *error;
	const FbVariation *variation;	/* flags: what it serves, NULL if nothing that meets a reference */
} FbMemo;

struct FbSegment
{
	FbString	key;
	FbSet		included;		/* user keys in UTF-8 */
	FbSet		excluded;
	const FbCondition *conditions;
	uint32_t	start;			/* FB_NOT_MET when there is no condition */
	const char *error;
	bool		archived;		/* nobody counts as in it, nor as not in it */
	FbMemo		memo;
};

typedef struct FbArm
{
	uint32_t	upper;			/* cumulative weight, this arm's included */
	const FbVariation *variation;
} FbArm;

typedef struct FbSplit
{
	const FbArm *arms;
	uint32_t	arm_count;
	uint32_t	total_weight;
	bool		randomised;		/* at least two variations have weight */
} FbSplit;

typedef struct FbStage
{
	int64_t		at;
	FbSplit		split;
} FbStage;

/* An entry of FeatBit's rollout. */
typedef struct FbRangeArm
{
	FbRange		range;
	const FbVariation *variation;	/* NULL: the entry cannot be served */
	double		min;			/* as it is written */
	double		max;
	double		expt_rollout;
	const char *error;			/* why it cannot be served; NULL: it can */
	bool		broken;			/* it has no range: where it comes, evaluation ends */
} FbRangeArm;

/* FeatBit's rollout: the first range that has the bucket of the flag's key and the unit together. */
typedef struct FbRanges
{
	FbString	flag_key;		/* in UTF-8 */
	FbString	rule;			/* name of the rule; data NULL: it has none, or these are the default's */
	bool		is_default;
	bool		is_native;		/* of a native flag: FeatBit's words do not apply */
	bool		included_in_expt;
	bool		randomised;		/* at least two variations have a range of some width */
	bool		is_everyone;	/* the first range that has anyone has everyone: no hash is needed */
	uint32_t	arm_count;
	const FbRangeArm *arms;
	const char *gap;			/* what to say when no range has the bucket */
} FbRanges;

typedef enum FbServeKind
{
	FB_SERVE_VARIATION,
	FB_SERVE_SPLIT,
	FB_SERVE_ERROR,
	FB_SERVE_RANGES
} FbServeKind;

typedef struct FbServe
{
	FbServeKind kind;
	uint32_t	stage_count;	/* 1 for a plain split, more for a ramp */
	const FbVariation *variation;
	union
	{
		const FbStage *stages;	/* ascending */
		const FbRanges *ranges; /* FB_SERVE_RANGES */
	};
	const FbPath *by;			/* NULL: the user key */
	uint64_t	seed;
	const char *error;			/* FB_SERVE_ERROR: what is wrong; else what to say when by is missing */
} FbServe;

struct FbRule
{
	FbString	id;
	FbString	name;			/* data NULL: none */
	uint32_t	start;
	uint32_t	gate;			/* slots of FB_GATE_SLOTS that pass */
	uint64_t	gate_seed;
	int64_t		from;			/* INT64_MIN: always */
	int64_t		until;			/* excluded; INT64_MAX: for ever */
	const char *error;			/* what is wrong with the rule itself, or NULL */
	FbServe		serve;
};

typedef struct FbTarget
{
	const FbVariation *variation;	/* NULL: FeatBit's target of a variation that does not exist */
	FbSet		users;			/* user keys in UTF-8 */
	const char *error;
} FbTarget;

struct FbFlag
{
	FbFlagInfo	info;
	bool		enabled;
	bool		archived;
	bool		is_static;		/* serves everyone the same, whatever the context */
	bool		uses_time;		/* it, or something that it reaches, depends on the time; set in the root of a closure */
	const FbSplit *plain_split; /* all that decides, by the user key; NULL: there is more */
	uint32_t	prerequisite_count;
	uint32_t	target_count;
	uint32_t	rule_count;
	uint32_t	variation_count;
	const FbVariation *variations;
	const FbVariation *off_variation;	/* NULL: the code's default */
	const char *off_error;
	const FbFlagReference *prerequisites;
	const FbTarget *targets;
	const FbRule *rules;
	const FbCondition *conditions;	/* of all rules */
	FbServe		fallthrough;
	const char *error;			/* the flag cannot be evaluated at all */
	FbMemo		memo;
};

#define FB_COUNTED_ARMS 8		/* up to so many arms after the first are counted, more are searched */

/* Returns the first arm whose cumulative weight exceeds pick. */
static inline const FbVariation *
fb_pick_arm(const FbSplit *split, uint32_t pick)
{
	uint32_t	low = 0;
	uint32_t	high = split->arm_count - 1;

	if (high < FB_COUNTED_ARMS)
	{
		/* Counting does not branch, and the branches could not be foreseen. */
		uint32_t	arm = 0;

		for (; low < high; low++)
			arm += split->arms[low].upper <= pick;
		return split->arms[arm].variation;
	}
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (split->arms[middle].upper > pick)
			high = middle;
		else
			low = middle + 1;
	}
	return split->arms[low].variation;
}

/* Stands as plain_split of a flag that is nothing but FeatBit's ranges: a split without arms, which no other flag has. */
extern const FbSplit fb_plain_ranges;

extern const FbVariation *fb_evaluate_plain_ranges(const FbRanges *ranges, FbString user_key);

/* Evaluates a flag that is nothing but a split of the user keys. */
static inline const FbVariation *
fb_evaluate_plain_split(const FbFlag *flag, FbString user_key)
{
	const FbSplit *split = flag->plain_split;

	if (__builtin_expect(split->arm_count - 1 >= FB_COUNTED_ARMS, 0) && split == &fb_plain_ranges)
		return fb_evaluate_plain_ranges(flag->fallthrough.ranges, user_key);
	return fb_pick_arm(split, fb_mulhi(fb_hash_key(user_key.data, user_key.length, flag->fallthrough.seed),
									   split->total_weight));
}

#define FB_MAX_DEPTH			32	/* flags and segments that refer to each other */
#define FB_MAX_NESTING			64	/* conditions within conditions */

#endif							/* FB_FLAG_H */
