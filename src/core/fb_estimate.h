/*
 * fb_estimate.h
 *		A value with its sampling uncertainty: the jackknife over groups of
 *		units, and the closed forms for means.
 */
#ifndef FB_ESTIMATE_H
#define FB_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number of groups of the delete-a-group jackknife. */
#define FB_BUCKETS 64

/* A value with its uncertainty; the has_ flags stand for SQL NULLs. */
typedef struct FbEstimate
{
	int64_t		n;
	bool		has_value;
	bool		has_se;
	bool		has_interval;
	bool		has_p;
	double		value;
	double		se;
	double		lo;
	double		hi;
	double		p;
} FbEstimate;

/* What an estimate is made for. */
typedef struct FbTarget
{
	double		level;			/* of the interval */
	double		lowest;			/* range of the metric; intervals are cut to it */
	double		highest;
	bool		paired;			/* the value is a difference of two systems */
	bool		binary;			/* scores are 0 or 1 */
} FbTarget;

/* Scores of one unit (cluster), of one system or of two. */
typedef struct FbUnit
{
	int64_t		rows;
	double		sums[2];
} FbUnit;

/* Scores of independent rows: number, mean and squared deviations (of differences where paired). */
typedef struct FbScores
{
	int64_t		rows;
	double		mean;
	double		m2;
} FbScores;

extern void fb_estimate_interval(const FbTarget *target, double variance, double df, FbEstimate *result);
extern double fb_group_variance(const double *theta, int groups);
extern void fb_wilson_interval(double share, double n, double level, double *lo, double *hi);
extern double fb_mcnemar_exact(int64_t wins, int64_t losses);
extern void fb_estimate_share(const FbTarget *target, int64_t rows, int64_t correct, FbEstimate *result);
extern void fb_estimate_pairs(const FbTarget *target, int64_t rows, int64_t wins, int64_t losses, FbEstimate *result);
extern void fb_estimate_scores(const FbTarget *target, const FbScores *scores, FbEstimate *result);
extern void fb_estimate_units(const FbTarget *target, const FbUnit *units, size_t count, FbEstimate *result);
extern void fb_estimate_pass(const FbTarget *target, int64_t k, bool all, const FbUnit *units, size_t count,
							 FbEstimate *result);

extern void fb_scores_add(FbScores *scores, double score);
extern void fb_scores_merge(FbScores *scores, const FbScores *other);

extern bool fb_pass_at_k(int64_t n, int64_t c, int64_t k, double *value);
extern bool fb_pass_pow_k(int64_t n, int64_t c, int64_t k, double *value);

#endif							/* FB_ESTIMATE_H */
