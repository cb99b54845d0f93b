/*
 * fb_estimate.c
 *		Standard errors, intervals and p-values of metrics.
 */
#include "core/fb_estimate.h"

#include <math.h>
#include <string.h>

#include "core/fb_beta.h"
#include "core/fb_normal.h"

/*
 * Sets standard error, interval value +- t(df) * se, cut to the range of the
 * metric, and for a difference the two-sided p-value. Where nothing varies the
 * interval is the value; the p-value is then 1 for no difference and otherwise
 * unknown.
 */
void
fb_estimate_interval(const FbTarget *target, double variance, double df, FbEstimate *result)
{
	double		range = target->highest - target->lowest;
	double		half;

	if (!(variance >= 0.0) || isinf(variance) || df < 1.0)
		return;
	result->has_se = true;
	result->se = sqrt(variance);
	half = fb_t_quantile_upper(0.5 * (1.0 - target->level), df) * result->se;
	result->has_interval = true;
	result->lo = fmax(target->paired ? -range : target->lowest, result->value - half);
	result->hi = fmin(target->paired ? range : target->highest, result->value + half);
	if (isinf(result->lo) || isinf(result->hi))
		result->has_interval = false;
	if (target->paired)
	{
		result->has_p = result->se > 0.0 || result->value == 0.0;
		result->p = result->se > 0.0 ? fmin(1.0, 2.0 * fb_t_sf(fabs(result->value) / result->se, df)) : 1.0;
	}
}

/*
 * Computes the variance of the delete-a-group jackknife,
 * (g-1)/g sum_b (theta_(-b) - mean)^2 (Kott 2001, The delete-a-group jackknife,
 * J. Official Statistics 17, eq. 1).
 */
double
fb_group_variance(const double *theta, int groups)
{
	double		mean = 0.0;
	double		variance = 0.0;

	for (int i = 0; i < groups; i++)
		mean += theta[i] - theta[0];
	mean = theta[0] + mean / groups;
	for (int i = 0; i < groups; i++)
		variance += (theta[i] - mean) * (theta[i] - mean);
	return variance * (groups - 1.0) / groups;
}

/*
 * Computes the score interval of a share: Wilson (1927), Probable inference,
 * the law of succession, and statistical inference, JASA 22. n may be an
 * effective sample size.
 */
void
fb_wilson_interval(double share, double n, double level, double *lo, double *hi)
{
	double		z = -fb_norm_quantile(0.5 * (1.0 - level));
	double		z2 = z * z;
	double		scale = 1.0 / (1.0 + z2 / n);
	double		centre = share + z2 / (2.0 * n);
	double		half = z * sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n));

	*lo = share <= 0.0 ? 0.0 : fmax(0.0, scale * (centre - half));
	*hi = share >= 1.0 ? 1.0 : fmin(1.0, scale * (centre + half));
}

/* Computes the exact p-value of McNemar's test: a two-sided sign test of the discordant pairs. */
double
fb_mcnemar_exact(int64_t wins, int64_t losses)
{
	double		fewer = (double) (wins < losses ? wins : losses);
	double		more = (double) (wins < losses ? losses : wins);
	FbTails		tails;

	if (wins == losses)
		return 1.0;
	/* P(X <= fewer), X binomial of fewer + more and one half */
	fb_beta_inc(more, fewer + 1.0, 0.5, &tails);
	return fmin(1.0, 2.0 * tails.lower);
}

/* Estimates the share of right answers of independent rows; the interval is Wilson's. */
void
fb_estimate_share(const FbTarget *target, int64_t rows, int64_t correct, FbEstimate *result)
{
	double		n = (double) rows;
	double		share;

	memset(result, 0, sizeof(*result));
	result->n = rows;
	if (rows <= 0)
		return;
	share = (double) correct / n;
	result->has_value = true;
	result->value = share;
	if (rows > 1)
	{
		result->has_se = true;
		result->se = sqrt(share * ((double) (rows - correct) / n) / (n - 1.0));
	}
	result->has_interval = true;
	fb_wilson_interval(share, n, target->level, &result->lo, &result->hi);
}

/*
 * Estimates the difference of two shares over the same independent rows, of
 * which the second system wins some and loses some; p is McNemar's exact one.
 */
void
fb_estimate_pairs(const FbTarget *target, int64_t rows, int64_t wins, int64_t losses, FbEstimate *result)
{
	double		n = (double) rows;
	double		mean;

	memset(result, 0, sizeof(*result));
	result->n = rows;
	if (rows <= 0)
		return;
	mean = ((double) wins - (double) losses) / n;
	result->has_value = true;
	result->value = mean;
	if (rows > 1)
	{
		/* sum (d - mean)^2 over rows with d = 1, -1 and 0, without cancellation */
		double		m2 = (double) wins * (1.0 - mean) * (1.0 - mean) +
			(double) losses * (1.0 + mean) * (1.0 + mean) + (double) (rows - wins - losses) * mean * mean;

		fb_estimate_interval(target, m2 / (n - 1.0) / n, n - 1.0, result);
	}
	result->has_p = true;
	result->p = fb_mcnemar_exact(wins, losses);
}

/* Estimates the mean of independent rows. */
void
fb_estimate_scores(const FbTarget *target, const FbScores *scores, FbEstimate *result)
{
	double		n = (double) scores->rows;

	memset(result, 0, sizeof(*result));
	result->n = scores->rows;
	if (scores->rows <= 0)
		return;
	result->has_value = true;
	result->value = scores->mean;
	if (scores->rows > 1)
		fb_estimate_interval(target, scores->m2 / (n - 1.0) / n, n - 1.0, result);
}

/* Adds a number to a compensated sum (Neumaier 1974). */
static void
sum_add(double *sum, double *compensation, double x)
{
	double		total = *sum + x;

	*compensation += fabs(*sum) >= fabs(x) ? (*sum - total) + x : (x - total) + *sum;
	*sum = total;
}

/*
 * Estimates the mean of rows that come in clusters: the cluster-robust
 * standard error of a mean (Miller 2024, Adding error bars to evals,
 * arXiv:2411.00640, eq. 4) with the finite factor C/(C-1) and t(C-1). A share
 * has Wilson's interval on the effective number of rows m(1-m)/se^2 that it
 * implies.
 */
void
fb_estimate_units(const FbTarget *target, const FbUnit *units, size_t count, FbEstimate *result)
{
	double		clusters = (double) count;
	double		total = 0.0;
	double		compensation = 0.0;
	double		squares = 0.0;
	double		mean;
	int64_t		rows = 0;
	int64_t		wins = 0;
	int64_t		losses = 0;

	memset(result, 0, sizeof(*result));
	for (size_t i = 0; i < count; i++)
	{
		double		sum = target->paired ? units[i].sums[1] - units[i].sums[0] : units[i].sums[0];

		sum_add(&total, &compensation, sum);
		rows += units[i].rows;
		wins += sum > 0.0;
		losses += sum < 0.0;
	}
	if (rows <= 0)
		return;
	total += compensation;
	/* One row per unit is no clustering. */
	if (target->binary && rows == (int64_t) count)
	{
		if (target->paired)
			fb_estimate_pairs(target, rows, wins, losses, result);
		else
			fb_estimate_share(target, rows, wins, result);
		return;
	}

	result->n = rows;
	mean = total / (double) rows;
	result->has_value = true;
	result->value = mean;
	if (count < 2)
		return;
	for (size_t i = 0; i < count; i++)
	{
		double		sum = target->paired ? units[i].sums[1] - units[i].sums[0] : units[i].sums[0];
		double		residual = sum - mean * (double) units[i].rows;

		squares += residual * residual;
	}
	fb_estimate_interval(target, clusters / (clusters - 1.0) * squares / (double) rows / (double) rows,
						 clusters - 1.0, result);
	if (target->binary && !target->paired)
	{
		if (mean <= 0.0 || mean >= 1.0)
			fb_wilson_interval(mean, (double) rows, target->level, &result->lo, &result->hi);
		else if (result->se > 0.0)
			fb_wilson_interval(mean, mean * (1.0 - mean) / (result->se * result->se), target->level,
							   &result->lo, &result->hi);
	}
}

/* Adds a score (Welford 1962). */
void
fb_scores_add(FbScores *scores, double score)
{
	double		delta = score - scores->mean;

	scores->rows++;
	scores->mean += delta / (double) scores->rows;
	scores->m2 += delta * (score - scores->mean);
}

/* Adds the scores of other rows (Chan, Golub and LeVeque 1979). */
void
fb_scores_merge(FbScores *scores, const FbScores *other)
{
	double		n = (double) scores->rows;
	double		m = (double) other->rows;
	double		delta = other->mean - scores->mean;

	if (other->rows == 0)
		return;
	if (scores->rows == 0)
	{
		*scores = *other;
		return;
	}
	scores->rows += other->rows;
	scores->mean += delta * (m / (n + m));
	scores->m2 += other->m2 + delta * delta * (n * (m / (n + m)));
}

/*
 * Computes the probability that at least one of k samples is right, of n of
 * which c are: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, Evaluating large
 * language models trained on code, arXiv:2107.03374, eq. 1), as a product that
 * stays in range. False where k samples cannot be had.
 */
bool
fb_pass_at_k(int64_t n, int64_t c, int64_t k, double *value)
{
	double		none = 1.0;

	if (k > n)
		return false;
	if (n - c < k)
		none = 0.0;
	/* C(n-c, k) / C(n, k) has as many factors either way; take the shorter product */
	else if (c <= k)
	{
		for (int64_t i = n - c + 1; i <= n && none > 0.0; i++)
			none *= 1.0 - (double) k / (double) i;
	}
	else
	{
		for (int64_t i = 0; i < k && none > 0.0; i++)
			none *= (double) (n - c - i) / (double) (n - i);
	}
	*value = 1.0 - none;
	return true;
}

/* Computes the probability that all of k samples are right: C(c, k) / C(n, k). */
bool
fb_pass_pow_k(int64_t n, int64_t c, int64_t k, double *value)
{
	double		all = 1.0;

	if (k > n)
		return false;
	if (c < k)
		all = 0.0;
	else if (n - c <= k)
	{
		for (int64_t i = c + 1; i <= n && all > 0.0; i++)
			all *= 1.0 - (double) k / (double) i;
	}
	else
	{
		for (int64_t i = 0; i < k && all > 0.0; i++)
			all *= (double) (c - i) / (double) (n - i);
	}
	*value = all;
	return true;
}

/* Estimates the mean of pass@k (or of pass^k) over tasks, which are the units; tasks of fewer than k samples do not count. */
void
fb_estimate_pass(const FbTarget *target, int64_t k, bool all, const FbUnit *units, size_t count,
				 FbEstimate *result)
{
	FbScores	scores = {0, 0.0, 0.0};
	int64_t		rows = 0;

	for (size_t i = 0; i < count; i++)
	{
		double		values[2] = {0.0, 0.0};
		bool		defined = true;

		for (int s = 0; s < (target->paired ? 2 : 1); s++)
			defined = defined &&
				(all ? fb_pass_pow_k : fb_pass_at_k) (units[i].rows, (int64_t) units[i].sums[s], k, &values[s]);
		if (!defined)
			continue;
		rows += units[i].rows;
		fb_scores_add(&scores, target->paired ? values[1] - values[0] : values[0]);
	}
	fb_estimate_scores(target, &scores, result);
	result->n = rows;
}
