/*
 * fb_bradley_terry.c
 *		Strengths from pairwise comparisons: Bradley and Terry (Biometrika 39,
 *		1952), P(i beats j) = s_i / (s_i + s_j).
 *
 * The logarithm of the likelihood is concave in the log strengths b; Newton's
 * method with halved steps finds its only maximum, which exists exactly if
 * the items cannot be parted into two sets of which one never scored against
 * the other (Ford 1957, Hunter 2004).
 */
#include <math.h>
#include <stdbool.h>

#include "core/fb_preference.h"

#define MAX_ITERATIONS	200

/* Returns the number of doubles of work space. */
size_t
fb_bradley_terry_work(int k)
{
	return (size_t) k * (size_t) k + 4 * (size_t) k;
}

/* Tells whether every item is reached from the first along scores, or against them. */
static bool
reaches_all(const FbBradleyTerry *m, bool forward, double *seen, double *queue)
{
	int			head = 0,
				tail = 1;

	for (int i = 0; i < m->k; i++)
		seen[i] = 0.0;
	seen[0] = 1.0;
	queue[0] = 0.0;
	while (head < tail)
	{
		int			i = (int) queue[head++];

		for (int j = 0; j < m->k; j++)
			if (seen[j] == 0.0 && (forward ? m->wins[(size_t) i * m->k + j] : m->wins[(size_t) j * m->k + i]) > 0.0)
			{
				seen[j] = 1.0;
				queue[tail++] = j;
			}
	}
	return tail == m->k;
}

/* Returns log(1 + exp(x)). */
static double
log1p_exp(double x)
{
	return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Returns the logarithm of the likelihood. */
static double
log_likelihood(const FbBradleyTerry *m, const double *b)
{
	double		sum = 0.0;

	for (int i = 0; i < m->k; i++)
	{
		for (int j = 0; j < m->k; j++)
			if (i != j && m->wins[(size_t) i * m->k + j] > 0.0)
				sum -= m->wins[(size_t) i * m->k + j] * log1p_exp(b[j] - b[i]);
		if (m->virtual_ties > 0.0)
			sum -= 0.5 * m->virtual_ties * (log1p_exp(b[i]) + log1p_exp(-b[i]));
	}
	return sum;
}

/*
 * Fills the gradient and the lower triangle of the information matrix. Without
 * virtual ties the matrix is singular in the direction of a common shift,
 * where a constant is added: neither steps nor centred variances feel it.
 */
static void
information(const FbBradleyTerry *m, const double *b, double *gradient, double *matrix)
{
	double		trace = 0.0;
	size_t		k = (size_t) m->k;

	for (size_t i = 0; i < k; i++)
	{
		double		share = 1.0 / (1.0 + exp(-b[i]));

		gradient[i] = m->virtual_ties * (0.5 - share);
		matrix[i * k + i] = m->virtual_ties * share / (1.0 + exp(b[i]));
	}
	for (size_t i = 0; i < k; i++)
		for (size_t j = 0; j < i; j++)
		{
			double		w_i = m->wins[i * k + j];
			double		w_j = m->wins[j * k + i];
			double		p = 1.0 / (1.0 + exp(b[j] - b[i]));
			double		q = 1.0 / (1.0 + exp(b[i] - b[j]));
			double		weight = (w_i + w_j) * p * q;
			double		score = w_i * q - w_j * p;

			gradient[i] += score;
			gradient[j] -= score;
			matrix[i * k + i] += weight;
			matrix[j * k + j] += weight;
			matrix[i * k + j] = -weight;
		}
	if (m->virtual_ties > 0.0)
		return;
	for (size_t i = 0; i < k; i++)
		trace += matrix[i * k + i];
	for (size_t i = 0; i < k; i++)
		for (size_t j = 0; j <= i; j++)
			matrix[i * k + j] += trace / (double) k / (double) k;
}

/* Replaces the lower triangle of a positive definite matrix by its Cholesky factor. */
static bool
cholesky(double *a, size_t k, void (*check) (void))
{
	for (size_t i = 0; i < k; i++)
	{
		if (check)
			check();
		for (size_t j = 0; j <= i; j++)
		{
			double		sum = a[i * k + j];

			for (size_t l = 0; l < j; l++)
				sum -= a[i * k + l] * a[j * k + l];
			if (j < i)
				a[i * k + j] = sum / a[j * k + j];
			else if (sum > 0.0 && isfinite(sum))
				a[i * k + i] = sqrt(sum);
			else
				return false;
		}
	}
	return true;
}

/* Solves L L' x = x in place. */
static void
solve(const double *l, size_t k, double *x)
{
	for (size_t i = 0; i < k; i++)
	{
		for (size_t j = 0; j < i; j++)
			x[i] -= l[i * k + j] * x[j];
		x[i] /= l[i * k + i];
	}
	for (size_t i = k; i-- > 0;)
	{
		x[i] /= l[i * k + i];
		for (size_t j = 0; j < i; j++)
			x[j] -= l[i * k + j] * x[i];
	}
}

/* Fills the standard errors of centred log strengths, or of differences from the reference, from the Cholesky factor. */
static void
standard_errors(const FbBradleyTerry *m, const double *l, double *column)
{
	size_t		k = (size_t) m->k;

	for (size_t i = 0; i < k; i++)
	{
		double		variance = 0.0;

		if (m->check)
			m->check();
		for (size_t j = 0; j < k; j++)
			column[j] = (j == i ? 1.0 : 0.0) -
				(m->reference < 0 ? 1.0 / (double) k : j == (size_t) m->reference ? 1.0 : 0.0);

		/* The variance is |L^-1 c|^2 for the contrast c. */
		for (size_t row = 0; row < k; row++)
		{
			for (size_t j = 0; j < row; j++)
				column[row] -= l[row * k + j] * column[j];
			column[row] /= l[row * k + row];
			variance += column[row] * column[row];
		}
		m->se[i] = m->reference == (int) i ? 0.0 : sqrt(variance);
	}
}

/* Estimates the strengths; where there is no answer, the results are NaN. */
FbStatus
fb_bradley_terry(FbBradleyTerry *m, double *work)
{
	size_t		k = (size_t) m->k;
	double	   *matrix = work;
	double	   *gradient = work + k * k;
	double	   *b = gradient + k;
	double	   *trial = b + k;
	double	   *column = trial + k;
	FbStatus	status = FB_RESOLUTION;
	double		likelihood,
				centre = 0.0;

	for (size_t i = 0; i < k; i++)
	{
		m->log_strength[i] = m->se[i] = NAN;
		b[i] = 0.0;
	}
	if (k == 0)
		return FB_NO_DATA;
	if (k == 1)
		return FB_INSUFFICIENT_N;
	if (!(m->virtual_ties > 0.0) && (!reaches_all(m, true, gradient, trial) || !reaches_all(m, false, gradient, trial)))
		return FB_DISCONNECTED;

	likelihood = log_likelihood(m, b);
	for (int iteration = 0; iteration < MAX_ITERATIONS; iteration++)
	{
		double		step = 1.0;
		double		largest = 0.0;
		double		reached = likelihood;

		information(m, b, gradient, matrix);
		if (!cholesky(matrix, k, m->check))
			return FB_RESOLUTION;
		solve(matrix, k, gradient);
		for (int halving = 0; halving < 60; halving++, step *= 0.5)
		{
			for (size_t i = 0; i < k; i++)
				trial[i] = b[i] + step * gradient[i];
			reached = log_likelihood(m, trial);
			if (reached >= likelihood - 1e-13 * fabs(likelihood))
				break;
		}
		for (size_t i = 0; i < k; i++)
		{
			largest = fmax(largest, fabs(trial[i] - b[i]) / (1.0 + fabs(trial[i])));
			b[i] = trial[i];
		}
		likelihood = reached;
		if (!isfinite(largest))
			return FB_RESOLUTION;
		if (largest < 1e-11)
		{
			status = FB_OK;
			break;
		}
	}
	if (status != FB_OK)
		return status;

	information(m, b, gradient, matrix);
	if (!cholesky(matrix, k, m->check))
		return FB_RESOLUTION;
	standard_errors(m, matrix, column);
	if (m->reference >= 0)
		centre = b[m->reference];
	else
	{
		for (size_t i = 0; i < k; i++)
			centre += b[i];
		centre /= (double) k;
	}
	for (size_t i = 0; i < k; i++)
		m->log_strength[i] = b[i] - centre;
	return FB_OK;
}
