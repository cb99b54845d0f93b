/*
 * test_special.c
 *		Special functions against values of arbitrary precision, without a
 *		server.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/fb_beta.h"
#include "core/fb_normal.h"

typedef enum Function
{
	NORM_SF, NORM_Q, T_SF, GAMMA_P, GAMMA_Q, BETA_I, N_FUNCTIONS
} Function;

#include "special_points.h"

#define N_POINTS ((int) (sizeof(points) / sizeof(points[0])))

static const char *const names[N_FUNCTIONS] = {
	"normal tail", "normal quantile", "t tail", "lower incomplete gamma", "upper incomplete gamma", "incomplete beta"
};

static int	tests = 0;
static int	failures = 0;

/* Prints the TAP line of one check. */
static void
ok(bool passed, const char *name)
{
	tests++;
	if (!passed)
		failures++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tests, name);
}

/* Returns the relative error of a result; NaN counts as infinite. */
static double
error(double got, double wanted)
{
	double		e = wanted == 0.0 ? fabs(got) : fabs(got / wanted - 1.0);

	return isnan(e) ? HUGE_VAL : e;
}

/* Checks every point: values to 1e-12 down to 1e-290, logarithms to 1e-12 everywhere. */
static void
test_points(void)
{
	double		worst[N_FUNCTIONS] = {0.0};
	double		worst_log[N_FUNCTIONS] = {0.0};
	int			count[N_FUNCTIONS] = {0};

	for (int i = 0; i < N_POINTS; i++)
	{
		Function	f = points[i].function;
		double		a = points[i].a;
		double		x = points[i].x;
		double		value = NAN;
		double		log_value = points[i].log_value;
		FbTails		tails;

		count[f]++;
		switch (f)
		{
			case NORM_SF:
				value = fb_norm_sf(x);
				log_value = fb_norm_log_sf(x);
				break;
			case NORM_Q:
				value = fb_norm_quantile(x);
				break;
			case T_SF:
				value = fb_t_sf(x, a);
				log_value = fb_t_log_sf(x, a);
				break;
			case GAMMA_P:
				fb_gamma_inc(a, x, &tails);
				value = tails.lower;
				log_value = tails.log_lower;
				break;
			case GAMMA_Q:
				fb_gamma_inc(a, x, &tails);
				value = tails.upper;
				log_value = tails.log_upper;
				break;
			default:
				fb_beta_inc(a, points[i].b, x, &tails);
				value = tails.lower;
				log_value = tails.log_lower;
		}
		if (fabs(points[i].value) > 1e-290)
			worst[f] = fmax(worst[f], error(value, points[i].value));
		if (points[i].log_value < -1e-3)
			worst_log[f] = fmax(worst_log[f], error(log_value, points[i].log_value));
	}
	for (int f = 0; f < N_FUNCTIONS; f++)
	{
		printf("# %s: %d points, relative error at most %.1e, of the logarithm %.1e\n",
			   names[f], count[f], worst[f], worst_log[f]);
		ok(count[f] > 0 && worst[f] <= 1e-12 && worst_log[f] <= 1e-12, names[f]);
	}
}

/* Checks that t quantiles invert the tail from the median to the far tail, for small and large df. */
static void
test_t_quantile(void)
{
	double		worst = 0.0;
	double		worst_centre = 0.0;

	for (double df = 0.3; df < 1e9; df *= 2.7)
	{
		for (double log_q = -0.8; log_q > -660.0; log_q *= 1.3)
		{
			double		t = fb_t_quantile_upper(exp(log_q), df);

			if (t < 1e250)
				worst = fmax(worst, error(fb_t_log_sf(t, df), log_q));
		}
		/* Close to the median P(T > t) = 1/2 - t f(0). */
		worst_centre = fmax(worst_centre,
							error(fb_t_quantile_upper(0.5 - 0x1p-40, df) * 2.0,
								  fb_t_quantile_upper(0.5 - 0x1p-39, df)));
	}
	ok(worst < 1e-12, "t quantiles invert the tail");
	ok(worst_centre < 1e-12, "t quantiles stay accurate close to the median");
	ok(fb_t_quantile_upper(0.5, 3.0) == 0.0 && fb_t_quantile(0.25, 7.0) == -fb_t_quantile(0.75, 7.0), "t quantiles are odd");
}

/* Checks that the results of extreme arguments are numbers in range. */
static void
test_extremes(void)
{
	static const double shape[] = {1e-300, 1e-8, 0.5, 1.0, 2999.0, 3001.0, 1e9, 1e15, 1e100, 1e300};
	static const double x[] = {0.0, 5e-324, 1e-300, 1e-10, 0.25, 0.5, 0.75, 1.0 - 0x1p-53, 1.0};
	bool		in_range = true;
	FbTails		t;

	for (int i = 0; i < 10; i++)
	{
		for (int k = 0; k < 10; k++)
			for (int j = 0; j < 9; j++)
			{
				fb_beta_inc(shape[i], shape[k], x[j], &t);
				in_range = in_range && t.lower >= 0.0 && t.lower <= 1.0 && t.upper >= 0.0 && t.upper <= 1.0 &&
					fabs(t.lower + t.upper - 1.0) < 1e-15 && t.log_lower <= 0.0 && t.log_upper <= 0.0;
			}
		for (int j = 0; j < 10; j++)
		{
			fb_gamma_inc(shape[i], shape[j], &t);
			in_range = in_range && t.lower >= 0.0 && t.lower <= 1.0 && t.upper >= 0.0 && t.upper <= 1.0 &&
				fabs(t.lower + t.upper - 1.0) < 1e-15 && t.log_lower <= 0.0 && t.log_upper <= 0.0;
			in_range = in_range && fb_t_sf(shape[j], shape[i]) >= 0.0 && fb_t_sf(shape[j], shape[i]) <= 0.5 &&
				fb_t_log_sf(-shape[j], shape[i]) <= 0.0;
		}
	}
	ok(in_range, "extreme arguments give probabilities");
}

/* Checks that the t quantile is found for every df, also where the tail is flat over hundreds of decades. */
static void
test_flat_t_quantile(void)
{
	static const double p[] = {1e-300, 1e-50, 1e-5, 0.01, 0.1, 0.25, 0.2500001, 0.3, 0.4, 0.49, 0.4999999};
	static const double df[] = {1e-300, 1e-6, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 10.0, 100.0, 1e4, 1e8, 1e15, 1e22};
	double		worst = 0.0;
	bool		overflow = true;

	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++)
		for (size_t j = 0; j < sizeof(df) / sizeof(df[0]); j++)
		{
			double		t = fb_t_quantile_upper(p[i], df[j]);

			if (isinf(t))
				overflow = overflow && fb_t_sf(1.7e308, df[j]) > p[i];
			else
				worst = fmax(worst, error(fb_t_sf(t, df[j]), p[i]));
		}
	ok(worst < 1e-12, "t quantile and tail are inverse for df from 1e-300 to 1e22");
	ok(overflow, "t quantile is infinite only where it exceeds double precision");
}

/* Runs all checks. */
int
main(void)
{
	test_points();
	test_t_quantile();
	test_flat_t_quantile();
	test_extremes();
	printf("1..%d\n", tests);
	return failures != 0;
}
