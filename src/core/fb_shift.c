/*
 * fb_shift.c
 *		The estimate of a shift and its interval: order statistics of all sums
 *		or differences of pairs, which are counted, but not made.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/fb_shift.h"

/* Maps a double to an integer of the same order, and back. */
static int64_t
order_key(double x)
{
	int64_t		bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits < 0 ? INT64_MIN - bits : bits;
}

static double
from_order_key(int64_t key)
{
	int64_t		bits = key < 0 ? INT64_MIN - key : key;
	double		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* Counts the pairs i <= j with d_i + d_j <= v, or those with t_j - c_i <= v; rounding keeps the order. */
static double
count_pairs(const FbPairs *pairs, double v)
{
	double		count = 0.0;

	if (pairs->t == NULL)
	{
		size_t		j = pairs->n_c;

		for (size_t i = 0; i < j; i++)
		{
			while (j > i && pairs->c[i] + pairs->c[j - 1] > v)
				j--;
			count += (double) (j - i);
		}
	}
	else
	{
		size_t		i = 0;

		for (size_t j = 0; j < pairs->n_t; j++)
		{
			while (i < pairs->n_c && pairs->t[j] - pairs->c[i] > v)
				i++;
			count += (double) (pairs->n_c - i);
		}
	}
	return count;
}

/* Collects the pairs above low and up to high. */
static size_t
collect_pairs(const FbPairs *pairs, double low, double high)
{
	size_t		count = 0;
	size_t		rows = pairs->t ? pairs->n_t : pairs->n_c;
	size_t		from = pairs->t ? 0 : pairs->n_c,
				to = from;

	/* In each row the pairs in question lie side by side, and move the same way from row to row. */
	for (size_t row = 0; row < rows; row++)
	{
		if (pairs->t)
		{
			while (from < pairs->n_c && pairs->t[row] - pairs->c[from] > high)
				from++;
			while (to < pairs->n_c && pairs->t[row] - pairs->c[to] > low)
				to++;
			for (size_t i = from; i < to; i++)
				pairs->room[count++] = pairs->t[row] - pairs->c[i];
		}
		else
		{
			while (from > 0 && pairs->c[row] + pairs->c[from - 1] > low)
				from--;
			while (to > 0 && pairs->c[row] + pairs->c[to - 1] > high)
				to--;
			for (size_t j = from > row ? from : row; j < to; j++)
				pairs->room[count++] = pairs->c[row] + pairs->c[j];
		}
	}
	return count;
}

/* Returns the k-th smallest of n numbers, k from 0 (Hoare 1961). */
static double
select_number(double *x, size_t n, size_t k)
{
	size_t		first = 0,
				last = n - 1;

	while (first < last)
	{
		double		pivot = x[first + (last - first) / 2];
		size_t		i = first,
					j = last;

		for (;;)
		{
			double		swap;

			while (x[i] < pivot)
				i++;
			while (x[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap = x[i];
			x[i++] = x[j];
			x[j--] = swap;
		}

		/* Up to j nothing exceeds the pivot, from i on nothing is less. */
		if (i == j && x[i] == pivot)
		{
			if (k == i)
				return pivot;
			if (k < i)
				last = i - 1;
			else
				first = i + 1;
		}
		else if (k <= j)
			last = j;
		else
			first = j + 1;
	}
	return x[first];
}

/*
 * Returns the k-th smallest of the pairs, k from 1. Between bounds that hold
 * it, the count of pairs is interpolated a little below and above k in turn,
 * or bisected over the doubles, until those left have room and are selected
 * from; without room the bisection ends at the answer.
 */
static double
select_pair(const FbPairs *pairs, double k)
{
	double		low = pairs->t ? pairs->t[0] - pairs->c[pairs->n_c - 1] : 2.0 * pairs->c[0];
	double		high = pairs->t ? pairs->t[pairs->n_t - 1] - pairs->c[0] : 2.0 * pairs->c[pairs->n_c - 1];
	double		below = 0.0;
	double		up_to = pairs->t ? (double) pairs->n_c * (double) pairs->n_t :
		0.5 * (double) pairs->n_c * ((double) pairs->n_c + 1.0);

	/* The k-th pair lies above low and not above high. */
	low = from_order_key(order_key(low) - 1);
	for (int step = 0; order_key(low) + 1 < order_key(high); step++)
	{
		int64_t		key_low = order_key(low);
		int64_t		key_high = order_key(high);
		double		v = NAN,
					count;

		if (pairs->check)
			pairs->check();
		if (up_to - below <= (double) pairs->room_size)
			return select_number(pairs->room, collect_pairs(pairs, low, high), (size_t) (k - below) - 1) + 0.0;
		if (pairs->room && step % 3 != 2)
			v = low + ((k - below) / (up_to - below) + (step % 3 == 0 ? -0.02 : 0.02)) * (high - low);
		if (!(v > low && v < high))
			v = from_order_key((key_low >> 1) + (key_high >> 1) + (key_low & key_high & 1));
		count = count_pairs(pairs, v);
		if (count >= k)
		{
			high = v;
			up_to = count;
		}
		else
		{
			low = v;
			below = count;
		}
	}
	return high + 0.0;
}

/*
 * Fills the estimate of the shift, the median of all pairs, and its interval
 * from the rank-th smallest to the rank-th largest (Hodges and Lehmann, Ann.
 * Math. Statist. 34, 1963; Moses 1953). A rank below 1 means that there are
 * too few values for that level.
 */
void
fb_shift(const FbPairs *pairs, double total, double rank, double scale, FbAlternative alternative,
		 FbRankResult *result)
{
	double		middle = floor(0.5 * (total + 1.0));

	result->shift = select_pair(pairs, middle);
	if (2.0 * middle == total)
		result->shift = 0.5 * result->shift + 0.5 * select_pair(pairs, middle + 1.0);
	result->shift *= scale;
	if (rank >= 1.0 && alternative != FB_LESS)
		result->ci_low = scale * select_pair(pairs, rank);
	if (rank >= 1.0 && alternative != FB_GREATER)
		result->ci_high = scale * select_pair(pairs, total + 1.0 - rank);
}
