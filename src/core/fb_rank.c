/*
 * fb_rank.c
 *		Rank tests: Wilcoxon's signed ranks (Biometrics Bulletin 1, 1945) and
 *		the test of Mann and Whitney (Ann. Math. Statist. 18, 1947).
 *
 * Exact tails count arrangements by sums of positive terms, so that small
 * ones keep their digits. Ties keep their mid-ranks there: all ranks are
 * doubled, which makes them whole (Streitberg and Roehmel, Statistical
 * Software Newsletter 12, 1986).
 */
#include <math.h>
#include <string.h>

#include "core/fb_normal.h"
#include "core/fb_rank.h"
#include "core/fb_shift.h"

#define LN2		0.69314718055994530942
#define LN10	2.30258509299404568402

/* Bounds of the exact distributions: counts within double precision, work and memory within reason. */
#define WILCOXON_EXACT_N	1000
#define MW_EXACT_N			1000.0
#define MW_EXACT_CELLS		4e6
#define MW_EXACT_STEPS		1e9

/* Starts a result. */
static void
begin(FbRankResult *result)
{
	result->statistic = result->effect = result->shift = result->ci_low = result->ci_high = NAN;
	result->z = result->p_value = result->log10_p = NAN;
	result->zeros = 0.0;
	result->ties = false;
	result->used = FB_RANK_AUTO;
	result->status = FB_NO_DATA;
}

/* Fills p-values from P(S <= s) and P(S >= s); two-sided is twice the smaller one. */
static void
exact_p_value(FbRankResult *result, FbAlternative alternative, double lower, double upper)
{
	double		p = alternative == FB_GREATER ? upper : alternative == FB_LESS ? lower : 2.0 * fmin(lower, upper);

	result->p_value = fmin(p, 1.0);
	result->log10_p = log10(result->p_value);
}

/* Fills statistic and p-values of the normal approximation; sd > 0. */
static void
normal_p_value(FbRankResult *result, FbAlternative alternative, double distance, double sd, bool corrected)
{
	double		correction = 0.0;
	double		tail;

	if (corrected)
		correction = alternative == FB_GREATER ? 0.5 : alternative == FB_LESS ? -0.5 :
			copysign(fmin(0.5, fabs(distance)), distance);
	result->z = (distance - correction) / sd;
	tail = alternative == FB_TWO_SIDED ? fabs(result->z) : alternative == FB_GREATER ? result->z : -result->z;
	result->p_value = fb_norm_sf(tail);
	result->log10_p = fb_norm_log_sf(tail);
	if (alternative == FB_TWO_SIDED)
	{
		result->p_value = fmin(2.0 * result->p_value, 1.0);
		result->log10_p = fmin(result->log10_p + LN2, 0.0);
	}
	result->log10_p /= LN10;
}

/* Returns the largest rank r with P(S <= r - 1) <= level by the normal approximation. */
static double
normal_rank(double mean, double sd, double level)
{
	return floor(mean + 0.5 + fb_norm_quantile(level) * sd);
}

/* Counts the sets of ranks by their sum up to limit; rank(i) = i + 1 where ranks is NULL. */
static void
count_signed(const double *ranks, size_t n, size_t limit, double *count, void (*check) (void))
{
	memset(count, 0, sizeof(double) * (limit + 1));
	count[0] = 1.0;
	for (size_t i = 0; i < n; i++)
	{
		size_t		r = ranks ? (size_t) ranks[i] : i + 1;

		if (check)
			check();
		for (size_t s = limit + 1; s-- > r;)
			count[s] += count[s - r];
	}
}

/* Returns the share of 2^n arrangements whose sum is at most limit. */
static double
signed_tail(const double *ranks, size_t n, double limit, double *count, void (*check) (void))
{
	double		sum = 0.0;

	if (limit < 0.0)
		return 0.0;
	count_signed(ranks, n, (size_t) limit, count, check);
	for (size_t s = 0; s <= (size_t) limit; s++)
		sum += count[s];
	return ldexp(sum, -(int) n);
}

/* Returns the rank of the interval of the exact distribution without ties. */
static double
signed_rank(size_t n, double level, double *count)
{
	size_t		total = n * (n + 1) / 2;
	double		sum = 0.0;
	double		limit = ldexp(level, (int) n);

	count_signed(NULL, n, total, count, NULL);
	for (size_t s = 0; s <= total; s++)
	{
		sum += count[s];
		if (sum > limit * (1.0 + 1e-12))
			return (double) s;
	}
	return 0.0;
}

size_t
fb_wilcoxon_work(size_t n, const FbRankOptions *options)
{
	bool		exact = options->method == FB_RANK_EXACT && n <= WILCOXON_EXACT_N;

	if (n > FB_WILCOXON_AUTO_N && !exact)
		return n;
	return n + n * (n + 1) + 2;
}

/*
 * Tests whether differences are symmetric about zero: V is the sum of the
 * ranks of |d| that belong to positive differences.
 */
void
fb_wilcoxon(const double *d, size_t n, const FbRankOptions *options, double *work, FbRankResult *result)
{
	FbPairs		pairs = {d, n, NULL, 0, options->check, NULL, 0};
	double		all = (double) n;
	double		level = options->alternative == FB_TWO_SIDED ? 0.5 * options->alpha : options->alpha;
	FbRankMethod method = options->method;
	size_t		negative = 0,
				positive = n,
				zeros,
				used,
				k = 0;
	bool		keep_ranks = fb_wilcoxon_work(n, options) > n;
	double		offset,
				v2 = 0.0,
				total2,
				correction = 0.0,
				mean,
				variance,
				rank;

	begin(result);
	if (n == 0)
		return;
	while (negative < n && d[negative] < 0.0)
		negative++;
	while (positive > 0 && d[positive - 1] > 0.0)
		positive--;
	zeros = positive - negative;
	used = n - zeros;
	result->zeros = (double) zeros;
	offset = options->zeros == FB_ZEROS_PRATT ? (double) zeros : 0.0;

	/* Walk up by |d|: negative differences from their end, positive ones from their start. */
	for (size_t i = negative, j = positive; i > 0 || j < n;)
	{
		double		size = i == 0 ? d[j] : j == n ? -d[i - 1] : fmin(-d[i - 1], d[j]);
		size_t		minus = 0,
					plus = 0;
		double		g,
					rank2;

		while (i > 0 && -d[i - 1] == size)
			i--, minus++;
		while (j < n && d[j] == size)
			j++, plus++;
		g = (double) (minus + plus);
		rank2 = 2.0 * offset + g + 1.0;
		offset += g;
		v2 += rank2 * (double) plus;
		if (g > 1.0)
			result->ties = true;
		correction += g * (g * g - 1.0);
		if (keep_ranks)
			for (size_t member = 0; member < minus + plus; member++)
				work[k++] = rank2;
	}
	zeros = (size_t) result->zeros;
	if (options->zeros == FB_ZEROS_PRATT)
	{
		double		z = (double) zeros;

		mean = (all * (all + 1.0) - z * (z + 1.0)) / 4.0;
		variance = (all * (all + 1.0) * (2.0 * all + 1.0) - z * (z + 1.0) * (2.0 * z + 1.0) - 0.5 * correction) / 24.0;
	}
	else
	{
		double		m = (double) used;

		mean = m * (m + 1.0) / 4.0;
		variance = (m * (m + 1.0) * (2.0 * m + 1.0) - 0.5 * correction) / 24.0;
	}
	total2 = 4.0 * mean;
	result->statistic = 0.5 * v2;
	result->effect = used > 0 ? (v2 - (total2 - v2)) / total2 : 0.0;
	result->status = FB_OK;

	if (n <= FB_WILCOXON_AUTO_N)
		rank = signed_rank(n, level, work + n);
	else
		rank = normal_rank(all * (all + 1.0) / 4.0, sqrt(all * (all + 1.0) * (2.0 * all + 1.0) / 24.0), level);
	if (!keep_ranks)
	{
		pairs.room = work;
		pairs.room_size = n;
	}
	fb_shift(&pairs, all * (all + 1.0) / 2.0, rank, 0.5, options->alternative, result);

	if (used == 0)
	{
		result->status = FB_ZERO_VARIANCE;
		return;
	}
	if (method == FB_RANK_AUTO)
		method = n <= FB_WILCOXON_AUTO_N && !result->ties && zeros == 0 ? FB_RANK_EXACT : FB_RANK_CORRECTED;
	result->used = method;
	if (method != FB_RANK_EXACT)
		normal_p_value(result, options->alternative, result->statistic - mean, sqrt(variance), method == FB_RANK_CORRECTED);
	else if (!keep_ranks)
		result->status = FB_RESOLUTION;
	else
	{
		/* Changing all signs mirrors the distribution, so either tail is one from below. */
		bool		below = v2 <= 0.5 * total2;
		double		near = below ? v2 : total2 - v2;
		double		tail,
					other;

		/* Whole ranks without ties need not be doubled. */
		if (!result->ties)
		{
			for (size_t i = 0; i < k; i++)
				work[i] *= 0.5;
			near *= 0.5;
		}
		tail = signed_tail(work, k, near, work + n, options->check);
		other = 1.0 - signed_tail(work, k, near - 1.0, work + n, options->check);
		exact_p_value(result, options->alternative, below ? tail : other, below ? other : tail);
	}
}

/*
 * Counts the arrangements of two arms by U of the first, of size m, in
 * units of 1 / unit. groups: sizes of groups of tied values in ascending
 * order, or NULL for n values without ties. count[k * width + u] is the
 * number of ways in which the values so far hold k of the first arm.
 */
static void
count_arrangements(const double *groups, size_t n_groups, size_t m, size_t width, int unit, double *count,
				   void (*check) (void))
{
	size_t		before = 0;

	memset(count, 0, sizeof(double) * (m + 1) * width);
	count[0] = 1.0;
	for (size_t i = 0; i < n_groups; i++)
	{
		size_t		g = groups ? (size_t) groups[i] : 1;

		if (check)
			check();
		for (size_t k = before + g < m ? before + g : m; k > 0; k--)
		{
			double		ways = 1.0;

			for (size_t j = 1; j <= g && j <= k; j++)
			{
				const double *from = count + (k - j) * width;
				double	   *to = count + k * width;
				size_t		step;

				ways = ways * (double) (g - j + 1) / (double) j;
				if (before + j < k)
					continue;
				step = j * (size_t) unit * (before + j - k) + (unit == 2 ? j * (g - j) : 0);
				for (size_t u = step; u < width; u++)
					to[u] += ways * from[u - step];
			}
		}
		before += g;
	}
}

/* Tells whether the exact distribution is within reach, and how many doubles its table takes. */
static bool
arrangements_fit(double n_c, double n_t, int unit, double *cells)
{
	double		m = fmin(n_c, n_t);

	*cells = (m + 1.0) * (n_c * n_t * unit + 1.0);
	return n_c + n_t <= MW_EXACT_N && *cells <= MW_EXACT_CELLS && *cells * (n_c + n_t) <= MW_EXACT_STEPS;
}

size_t
fb_mann_whitney_work(size_t n_c, size_t n_t, const FbRankOptions *options)
{
	double		cells;

	/* Ties are not known here: make room for doubled ranks. */
	if ((double) n_c * (double) n_t > FB_MANN_WHITNEY_AUTO_NM &&
		(options->method != FB_RANK_EXACT || !arrangements_fit((double) n_c, (double) n_t, 1, &cells)))
		return n_c + n_t;
	arrangements_fit((double) n_c, (double) n_t, 2, &cells);
	return n_c + n_t + (size_t) cells;
}

/* Returns the rank of the interval of the exact distribution without ties. */
static double
arrangement_rank(size_t m, size_t n, double level, double *count)
{
	size_t		width = m * n + 1;
	const double *last = count + m * width;
	double		total = 0.0,
				sum = 0.0;

	count_arrangements(NULL, m + n, m, width, 1, count, NULL);
	for (size_t u = 0; u < width; u++)
		total += last[u];
	for (size_t u = 0; u < width; u++)
	{
		sum += last[u];
		if (sum > level * total * (1.0 + 1e-12))
			return (double) u;
	}
	return 0.0;
}

/*
 * Tests whether values of two arms come from one distribution: U counts the
 * pairs in which treatment exceeds control, ties as one half.
 */
void
fb_mann_whitney(const double *c, size_t n_c, const double *t, size_t n_t, const FbRankOptions *options, double *work,
				FbRankResult *result)
{
	FbPairs		pairs = {c, n_c, t, n_t, options->check, NULL, 0};
	double		nm = (double) n_c * (double) n_t;
	double		all = (double) n_c + (double) n_t;
	double		level = options->alternative == FB_TWO_SIDED ? 0.5 * options->alpha : options->alpha;
	FbRankMethod method = options->method;
	bool		small = nm <= FB_MANN_WHITNEY_AUTO_NM;
	bool		has_work = fb_mann_whitney_work(n_c, n_t, options) > n_c + n_t;
	double	   *groups = work;
	double	   *count = work + n_c + n_t;
	size_t		n_groups = 0;
	double		u2 = 0.0,
				correction = 0.0,
				variance,
				rank;

	begin(result);
	if (n_c == 0 || n_t == 0)
		return;
	for (size_t i = 0, j = 0; i < n_c || j < n_t;)
	{
		double		value = i == n_c ? t[j] : j == n_t ? c[i] : fmin(c[i], t[j]);
		double		below = (double) i;
		size_t		first_i = i,
					first_j = j;
		double		g;

		while (i < n_c && c[i] == value)
			i++;
		while (j < n_t && t[j] == value)
			j++;
		u2 += (double) (j - first_j) * (2.0 * below + (double) (i - first_i));
		g = (double) (i - first_i + j - first_j);
		if (g > 1.0)
			result->ties = true;
		correction += g * (g * g - 1.0);
		if (has_work)
			groups[n_groups++] = g;
	}
	result->statistic = 0.5 * u2;
	result->effect = 0.5 * u2 / nm;
	result->status = FB_OK;
	variance = all > 1.0 ? nm / 12.0 * (all + 1.0 - correction / (all * (all - 1.0))) : 0.0;

	if (small)
		rank = arrangement_rank(n_c < n_t ? n_c : n_t, n_c < n_t ? n_t : n_c, level, count);
	else
		rank = normal_rank(0.5 * nm, sqrt(nm * (all + 1.0) / 12.0), level);
	if (!has_work)
	{
		pairs.room = work;
		pairs.room_size = n_c + n_t;
	}
	fb_shift(&pairs, nm, rank, 1.0, options->alternative, result);

	if (c[0] == c[n_c - 1] && t[0] == t[n_t - 1] && c[0] == t[0])
	{
		result->status = FB_ZERO_VARIANCE;
		return;
	}
	if (method == FB_RANK_AUTO)
		method = small && !result->ties ? FB_RANK_EXACT : FB_RANK_CORRECTED;
	result->used = method;
	if (method != FB_RANK_EXACT)
		normal_p_value(result, options->alternative, result->statistic - 0.5 * nm, sqrt(variance),
					   method == FB_RANK_CORRECTED);
	else
	{
		/* The table is kept by the smaller arm; U of control is n_c n_t - U. */
		int			unit = result->ties ? 2 : 1;
		size_t		m = n_c < n_t ? n_c : n_t;
		double		u = n_t <= n_c ? u2 : 2.0 * nm - u2;
		double		cells,
					total = 0.0,
					lower = 0.0,
					upper = 0.0;
		size_t		width = (size_t) nm * (size_t) unit + 1;
		const double *last = count + m * width;

		if (!has_work || (!small && !arrangements_fit((double) n_c, (double) n_t, unit, &cells)))
		{
			result->status = FB_RESOLUTION;
			return;
		}
		if (unit == 1)
			u *= 0.5;
		count_arrangements(groups, n_groups, m, width, unit, count, options->check);
		for (size_t i = 0; i < width; i++)
		{
			total += last[i];
			if ((double) i <= u)
				lower += last[i];
			if ((double) i >= u)
				upper += last[i];
		}
		lower /= total;
		upper /= total;
		exact_p_value(result, options->alternative, n_t <= n_c ? lower : upper, n_t <= n_c ? upper : lower);
	}
}
