/*
 * fb_group.c
 *		Group sequential designs: error spending (Lan and DeMets, Biometrika
 *		70, 1983), bounds and crossing probabilities by numerical integration
 *		(Jennison and Turnbull, Group Sequential Methods, 2000, chapter 19).
 */
#include <math.h>

#include "core/fb_normal.h"
#include "core/fb_sequential.h"

#define GRID 24					/* r of Jennison and Turnbull */
#define COARSE (6 * GRID - 1)
#define POINTS (2 * (COARSE + 2))

/* The sub-density of the statistic at a look for those who went on, times weights of Simpson's rule. */
typedef struct Density
{
	int			points;
	double		z[POINTS];
	double		mass[POINTS];
	double		information;
} Density;

/* Fills abscissas and Simpson weights for the region [low, high] around a mean. */
static void
make_grid(Density *d, double mean, double low, double high)
{
	double		coarse[COARSE + 2];
	int			n = 0;

	for (int i = 1; i <= COARSE; i++)
	{
		double		x;

		if (i < GRID)
			x = -3.0 - 4.0 * log((double) GRID / i);
		else if (i <= 5 * GRID)
			x = -3.0 + 3.0 * (i - GRID) / (2.0 * GRID);
		else
			x = 3.0 + 4.0 * log((double) GRID / (6 * GRID - i));
		x += mean;
		if (x <= low)
			x = low;
		if (x >= high)
			x = high;
		if (n == 0 || x > coarse[n - 1])
			coarse[n++] = x;
	}
	d->points = 0;
	if (n < 2)
		return;
	d->points = 2 * n - 1;
	for (int i = 0; i < n; i++)
	{
		double		left = i > 0 ? coarse[i] - coarse[i - 1] : 0.0;
		double		right = i < n - 1 ? coarse[i + 1] - coarse[i] : 0.0;

		d->z[2 * i] = coarse[i];
		d->mass[2 * i] = (left + right) / 6.0;
		if (i < n - 1)
		{
			d->z[2 * i + 1] = coarse[i] + 0.5 * right;
			d->mass[2 * i + 1] = 4.0 * right / 6.0;
		}
	}
}

/* Returns the probability of leaving above a bound at the next look (below, if upper is false). */
static double
exit_probability(const Density *before, double information, double drift, double bound, bool upper)
{
	double		gap;
	double		sum = 0.0;

	if (before->points < 0)
	{
		double		z = bound - drift * sqrt(information);

		return upper ? fb_norm_sf(z) : fb_norm_cdf(z);
	}
	gap = information - before->information;
	for (int i = 0; i < before->points; i++)
	{
		double		z = (bound * sqrt(information) - before->z[i] * sqrt(before->information) - gap * drift) / sqrt(gap);

		sum += before->mass[i] * (upper ? fb_norm_sf(z) : fb_norm_cdf(z));
	}
	return sum;
}

/* Advances the sub-density to the next look with the continuation region (low, high). */
static void
advance(Density *d, double information, double drift, double low, double high)
{
	Density		next;

	next.information = information;
	make_grid(&next, drift * sqrt(information), low, high);
	for (int j = 0; j < next.points; j++)
	{
		double		sum = 0.0;

		if (d->points < 0)
			sum = fb_norm_pdf(next.z[j] - drift * sqrt(information));
		else
		{
			double		gap = information - d->information;
			double		scale = sqrt(information / gap);

			for (int i = 0; i < d->points; i++)
				sum += d->mass[i] * scale *
					fb_norm_pdf((next.z[j] * sqrt(information) - d->z[i] * sqrt(d->information) - gap * drift) / sqrt(gap));
		}
		next.mass[j] *= sum;
	}
	*d = next;
}

/* Returns the error spent up to an information fraction, on both sides together. */
double
fb_alpha_spent(const FbDesign *design, double information)
{
	double		sides = design->two_sided ? 2.0 : 1.0;
	double		a = design->alpha / sides;
	double		t = fmin(information, 1.0);
	double		spent = a;

	switch (design->spending)
	{
		case FB_SPEND_OF:
			spent = 2.0 * fb_norm_sf(-fb_norm_quantile(0.5 * a) / sqrt(t));
			break;
		case FB_SPEND_POCOCK:
			spent = a * log1p((2.71828182845904523536 - 1.0) * t);
			break;
		case FB_SPEND_POWER:
			spent = a * pow(t, design->parameter);
			break;
		case FB_SPEND_HSD:
			/* Hwang, Shih and DeCani, Statistics in Medicine 9, 1990 */
			spent = design->parameter == 0.0 ? a * t : a * expm1(-design->parameter * t) / expm1(-design->parameter);
			break;
		case FB_CLASSIC_OF:
		case FB_CLASSIC_POCOCK:
			break;
	}
	return sides * (t >= 1.0 ? a : spent);
}

/*
 * Computes cumulative probabilities of having crossed the upper bounds and,
 * two-sided, the lower ones up to each look, when the statistic at
 * information t has mean drift sqrt(t). lower may be NULL.
 */
void
fb_group_crossing(const double *information, const double *bounds, int looks, bool two_sided,
				  double drift, double *upper, double *lower)
{
	Density		d;

	d.points = -1;
	for (int k = 0; k < looks; k++)
	{
		upper[k] = (k > 0 ? upper[k - 1] : 0.0) + exit_probability(&d, information[k], drift, bounds[k], true);
		if (lower)
			lower[k] = (k > 0 ? lower[k - 1] : 0.0) +
				(two_sided ? exit_probability(&d, information[k], drift, -bounds[k], false) : 0.0);
		if (k < looks - 1)
			advance(&d, information[k], drift, two_sided ? -bounds[k] : -HUGE_VAL, bounds[k]);
	}
}

/* A function of one variable that falls through zero. */
typedef double (*Falling) (double x, const void *arg);

/* Returns the root between low and high by the Illinois form of the secant rule. */
static double
find_root(Falling f, const void *arg, double low, double high)
{
	double		f_low = f(low, arg);
	double		f_high = f(high, arg);
	int			side = 0;

	if (!(f_low > 0.0))
		return low;
	if (!(f_high < 0.0))
		return high;
	for (int i = 0; i < 100 && high - low > 1e-12 * (1.0 + fabs(high)); i++)
	{
		double		x = (low * f_high - high * f_low) / (f_high - f_low);
		double		fx;

		if (!(x > low && x < high))
			x = 0.5 * (low + high);
		fx = f(x, arg);
		if (fx == 0.0 || !isfinite(fx))
			return x;
		if (fx > 0.0)
		{
			low = x;
			f_low = fx;
			if (side > 0)
				f_high *= 0.5;
			side = 1;
		}
		else
		{
			high = x;
			f_high = fx;
			if (side < 0)
				f_low *= 0.5;
			side = -1;
		}
	}
	return 0.5 * (low + high);
}

/* Fills the bounds of fixed shape whose last one is a constant: O'Brien and Fleming 1979, Pocock 1977. */
static void
shape_bounds(const FbDesign *design, double constant, double *bounds)
{
	double		last = design->information[design->looks - 1];

	for (int k = 0; k < design->looks; k++)
		bounds[k] = design->spending == FB_CLASSIC_POCOCK ? constant : constant * sqrt(last / design->information[k]);
}

/* Returns by how much the logarithm of a fixed shape's error exceeds that of the design, each side. */
static double
shape_excess(double constant, const void *arg)
{
	const FbDesign *design = arg;
	double		bounds[FB_MAX_LOOKS];
	double		upper[FB_MAX_LOOKS];

	shape_bounds(design, constant, bounds);
	fb_group_crossing(design->information, bounds, design->looks, design->two_sided, 0.0, upper, NULL);
	return log(upper[design->looks - 1] / (design->alpha / (design->two_sided ? 2.0 : 1.0)));
}

/* Computes the bounds of a design of fixed shape. */
static void
classic_bounds(const FbDesign *design, double *bounds)
{
	double		level = design->alpha / (design->two_sided ? 2.0 : 1.0);
	double		low = -fb_norm_quantile(level);

	/* One look with all of alpha, and every look with its share, bracket the constant. */
	shape_bounds(design, find_root(shape_excess, design, design->two_sided ? fmax(low, 0.0) : low,
								   -fb_norm_quantile(level / design->looks) + 1e-9), bounds);
}

/* Returns the bound at the next look that is exceeded with the given probability, by Newton's rule inside a bracket. */
static double
solve_bound(const Density *before, double information, double probability, double low, double high)
{
	double		bound = fmin(fmax(-fb_norm_quantile(fmin(probability, 0.999)), low), high);

	for (int i = 0; i < 100 && high - low > 1e-13 * (1.0 + fabs(high)); i++)
	{
		double		p = exit_probability(before, information, 0.0, bound, true);
		double		slope = (exit_probability(before, information, 0.0, bound + 1e-5, true) - p) / 1e-5;
		double		next = bound - p / slope * log(p / probability);

		if (p > probability)
			low = bound;
		else
			high = bound;
		if (fabs(next - bound) <= 1e-12)
			return next;
		bound = next > low && next < high ? next : 0.5 * (low + high);
	}
	return bound;
}

/* Computes the bounds of a design; infinite where nothing is spent. */
void
fb_group_bounds(const FbDesign *design, double *bounds)
{
	Density		d;
	double		before = 0.0;

	if (design->spending >= FB_CLASSIC_OF)
	{
		classic_bounds(design, bounds);
		return;
	}
	d.points = -1;
	for (int k = 0; k < design->looks; k++)
	{
		double		t = design->information[k];
		double		spent = fb_alpha_spent(design, t) / (design->two_sided ? 2.0 : 1.0);
		double		low = design->two_sided ? 0.0 : -40.0;
		double		high = 40.0;

		bounds[k] = HUGE_VAL;
		if (spent - before >= 1e-15)
		{
			bounds[k] = solve_bound(&d, t, spent - before, low, high);
			before = spent;
		}
		if (k < design->looks - 1)
			advance(&d, t, 0.0, design->two_sided ? -bounds[k] : -HUGE_VAL, bounds[k]);
	}
}

/* A statistic at a look of a design. */
typedef struct LookStatistic
{
	const FbDesign *design;
	int			look;
	double		statistic;
} LookStatistic;

/* Returns by how much the bound of the design with a logarithm of alpha exceeds the statistic. */
static double
bound_excess(double log_alpha, const void *arg)
{
	const LookStatistic *s = arg;
	FbDesign	trial = *s->design;
	double		bounds[FB_MAX_LOOKS];

	trial.alpha = exp(log_alpha);
	fb_group_bounds(&trial, bounds);
	return fmin(bounds[s->look - 1], 40.0) - s->statistic;
}

/*
 * Returns the repeated p-value of a statistic at a look of a design (Jennison
 * and Turnbull, section 9.3): the smallest alpha whose design rejects there.
 * For bounds of fixed shape it is the error of the shape through the
 * statistic; spending functions grow with alpha, and so do bounds fall.
 */
double
fb_group_p_value(const FbDesign *design, int look, double statistic)
{
	LookStatistic s = {design, look, statistic};

	if (design->spending >= FB_CLASSIC_OF)
	{
		double		last = design->information[design->looks - 1];
		double		constant = design->spending == FB_CLASSIC_POCOCK ? statistic :
			statistic / sqrt(last / design->information[look - 1]);
		FbDesign	whole = *design;

		if (design->two_sided && statistic <= 0.0)
			return 1.0;
		whole.alpha = design->two_sided ? 2.0 : 1.0;
		return fmin(exp(shape_excess(constant, &whole)) * whole.alpha, 1.0);
	}
	return exp(find_root(bound_excess, &s, log(1e-12), log(design->two_sided ? 0.9999 : 0.5)));
}

/* Compares two arms at a planned look whose bound is known: the repeated confidence interval and its p-value. */
void
fb_effect_group(const FbContrast *contrast, const FbEffectOptions *options, const FbDesign *design,
				int look, double bound, FbEffect *result)
{
	double		statistic;

	if (!fb_effect_begin(contrast, options, result))
		return;
	statistic = fb_effect_statistic(contrast, options, result);
	if (!isnan(statistic))
	{
		double		z = options->alternative == FB_TWO_SIDED ? fabs(statistic) :
			options->alternative == FB_LESS ? -statistic : statistic;

		result->statistic = isinf(statistic) ? copysign(1e150, statistic) : statistic;
		result->p_value = fb_group_p_value(design, look, z);

		/* The p-value comes from a root search; it must not contradict the bound it stands for. */
		if (z > bound)
			result->p_value = fmin(result->p_value, design->alpha * (1.0 - 1e-9));
		else
			result->p_value = fmax(result->p_value, design->alpha);
		result->log10_p = log10(result->p_value);
	}
	if (isinf(bound))
		result->status = result->status == FB_OK ? FB_UNBOUNDED : result->status;
	else
		fb_effect_bounds(contrast, options, bound, result);
}
