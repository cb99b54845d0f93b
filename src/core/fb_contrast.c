/*
 * fb_contrast.c
 *		From two states to a contrast: means, CUPED, regression adjustment,
 *		ratios.
 *
 * All of it comes from means and co-moments; no second pass over the units.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/fb_effect.h"

/* A symmetric system in the covariates. */
typedef struct System
{
	int			k;
	double		a[FB_STATS_MAX_K][FB_STATS_MAX_K];
	double		b[FB_STATS_MAX_K];
} System;

/* Returns co-moment (i, j) of a state. */
static double
comoment(const FbStats *state, int i, int j)
{
	return state->value[FB_COMOMENT_ANY(state->k, i, j)];
}

/*
 * Adds a ridge penalty to a system: a share of each diagonal element, so that
 * the units of a covariate do not matter (Hoerl and Kennard 1970).
 */
static void
add_ridge(System *s, double ridge)
{
	for (int i = 0; i < s->k; i++)
		s->a[i][i] *= 1.0 + ridge;
}

/* Scales a system to unit diagonal; root keeps the scales. */
static void
scale_system(System *s, double *root)
{
	for (int i = 0; i < s->k; i++)
		root[i] = sqrt(s->a[i][i]);
	for (int i = 0; i < s->k; i++)
	{
		for (int j = 0; j <= i; j++)
			s->a[i][j] = root[i] > 0.0 && root[j] > 0.0 ? s->a[i][j] / root[i] / root[j] : 0.0;
		s->b[i] = root[i] > 0.0 ? s->b[i] / root[i] : 0.0;
	}
}

/*
 * Solves A x = b by Cholesky's decomposition of the correlation matrix. A
 * covariate that is constant (flagged by the caller) or, to 1e-10, a
 * combination of those before it gets the solution 0; returns how many were
 * kept. With form, also computes the quadratic form d' A^-1 d.
 */
static int
solve(System *s, const bool *constant, double *x, const double *d, double *form)
{
	double		root[FB_STATS_MAX_K];
	double		z[FB_STATS_MAX_K];
	bool		keep[FB_STATS_MAX_K];
	int			kept = 0;

	scale_system(s, root);
	if (form)
		*form = 0.0;
	for (int i = 0; i < s->k; i++)
	{
		double		pivot = 1.0;
		double		w = form ? d[i] / (root[i] > 0.0 ? root[i] : 1.0) : 0.0;

		keep[i] = !constant[i] && root[i] > 0.0;
		for (int j = 0; keep[i] && j < i; j++)
		{
			double		l = s->a[i][j];

			if (!keep[j])
				continue;
			for (int m = 0; m < j; m++)
				if (keep[m])
					l -= s->a[i][m] * s->a[j][m];
			l /= s->a[j][j];
			s->a[i][j] = l;
			pivot -= l * l;
		}
		keep[i] = keep[i] && pivot > 1e-10;
		if (!keep[i])
			continue;
		kept++;
		s->a[i][i] = sqrt(pivot);
		z[i] = s->b[i];
		for (int j = 0; j < i; j++)
			if (keep[j])
			{
				z[i] -= s->a[i][j] * z[j];
				w -= s->a[i][j] * x[j];
			}
		z[i] /= s->a[i][i];

		/* x is still free: it keeps L^-1 d until the back substitution. */
		x[i] = w / s->a[i][i];
		if (form)
			*form += x[i] * x[i];
	}
	for (int i = s->k - 1; i >= 0; i--)
	{
		x[i] = 0.0;
		if (!keep[i])
			continue;
		x[i] = z[i];
		for (int j = i + 1; j < s->k; j++)
			if (keep[j])
				x[i] -= s->a[j][i] * x[j];
		x[i] /= s->a[i][i];
	}
	for (int i = 0; i < s->k; i++)
		x[i] = keep[i] ? x[i] / root[i] : 0.0;
	return kept;
}

/* Adds the co-moments of a state's covariates to a system. */
static void
add_to_system(System *s, const FbStats *state)
{
	s->k = state->k - 1;
	for (int i = 0; i < s->k; i++)
	{
		s->b[i] += comoment(state, i + 1, 0);
		for (int j = 0; j <= i; j++)
			s->a[i][j] += comoment(state, i + 1, j + 1);
	}
}

/* Finds the covariates that are constant over the states of a system. */
static void
find_constant(const System *s, double n, const FbStats *state, bool *constant)
{
	for (int i = 0; i < s->k; i++)
	{
		double		mean = state->value[i + 1];

		constant[i] = !(sqrt(s->a[i][i]) > 1e-7 * sqrt(n) * fabs(mean));
	}
}

/* Covariances with slopes theta: of y and x theta, and of x theta with itself, summed over units. */
static void
quadratic(const FbStats *state, const double *theta, double *cross, double *square)
{
	*cross = *square = 0.0;
	for (int i = 1; i < state->k; i++)
	{
		*cross += theta[i - 1] * comoment(state, i, 0);
		for (int j = 1; j < state->k; j++)
			*square += theta[i - 1] * theta[j - 1] * comoment(state, i, j);
	}
}

/*
 * Sets the variance of control's side, (1 + R)^2 a + 2 (1 + R) b + c, from
 * that of m_c, its covariance with the subtracted adjustment, and that of the
 * adjustment.
 */
static void
set_control_side(FbContrast *contrast, double a, double b, double c)
{
	contrast->base = a;
	contrast->shift = a > 0.0 ? b / a : 0.0;
	contrast->free += fmax(a > 0.0 ? c - b * contrast->shift : c, 0.0);
}

/* Sets the degrees of freedom from the variances of both means (Welch 1947, Satterthwaite 1946). */
void
fb_contrast_set_df(FbContrast *contrast, FbTest test, double s_c, double s_t, double df_c, double df_t)
{
	double		w = s_c / (s_c + s_t);

	contrast->df = NAN;
	if (test == FB_WELCH && s_c + s_t > 0.0)
		contrast->df = 1.0 / (w * w / df_c + (1.0 - w) * (1.0 - w) / df_t);
	else if (test == FB_STUDENT)
		contrast->df = df_c + df_t;
}

/* Fills the contrast of two means or proportions. */
static void
contrast_means(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options, FbContrast *contrast)
{
	double		n_c = (double) control->n;
	double		n_t = (double) treatment->n;
	double		v_c = fb_stats_variance(control, 0);
	double		v_t = fb_stats_variance(treatment, 0);

	if (options->sample_variance && control->kind == FB_STATS_PROPORTION)
	{
		v_c *= n_c / (n_c - 1.0);
		v_t *= n_t / (n_t - 1.0);
	}
	contrast->unadjusted_c = contrast->variance_c = v_c;
	contrast->unadjusted_t = contrast->variance_t = v_t;
	if (options->test == FB_STUDENT)
		v_c = v_t = (v_c * (n_c - 1.0) + v_t * (n_t - 1.0)) / (n_c + n_t - 2.0);
	contrast->difference = contrast->mean_t - contrast->mean_c;
	contrast->free = v_t / n_t;
	contrast->base = v_c / n_c;
	fb_contrast_set_df(contrast, options->test, v_c / n_c, v_t / n_t, n_c - 1.0, n_t - 1.0);
}

/* Computes the slopes of a cuped contrast; returns how many covariates were kept, and with ancova d' A^-1 d. */
static int
find_slopes(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options,
			FbContrast *contrast, double *form)
{
	const FbStats *arm[2] = {control, treatment};
	FbStatsBuffer merged;
	System		s;
	bool		constant[FB_STATS_MAX_K];
	double		d[FB_STATS_MAX_K];
	double		n = (double) control->n + (double) treatment->n;
	int			kept = 0;
	int			possible = control->k - 1;

	contrast->n_theta = control->k - 1;
	memset(contrast->theta_c, 0, sizeof(contrast->theta_c));
	memset(contrast->theta_t, 0, sizeof(contrast->theta_t));
	if (options->theta)
	{
		for (int i = 0; i < contrast->n_theta; i++)
			contrast->theta_c[i] = contrast->theta_t[i] = i < options->n_theta ? options->theta[i] : 0.0;
		return contrast->n_theta;
	}
	memcpy(&merged, control, FB_STATS_SIZE(fb_stats_values(control->kind, control->k)));
	if (fb_stats_merge(&merged.state, treatment) != FB_MERGE_OK)
		return 0;
	for (int i = 0; i < contrast->n_theta; i++)
		d[i] = treatment->value[i + 1] - control->value[i + 1];

	if (options->adjustment == FB_LIN)
	{
		kept = contrast->n_theta;
		for (int a = 0; a < 2; a++)
		{
			int			here;

			memset(&s, 0, sizeof(s));
			add_to_system(&s, arm[a]);
			find_constant(&s, (double) arm[a]->n, arm[a], constant);
			add_ridge(&s, options->ridge);
			here = solve(&s, constant, a == 0 ? contrast->theta_c : contrast->theta_t, NULL, NULL);
			if (here < kept)
				kept = here;
		}
	}
	else
	{
		memset(&s, 0, sizeof(s));
		if (options->adjustment == FB_POOLED)
			add_to_system(&s, &merged.state);
		else
		{
			add_to_system(&s, control);
			add_to_system(&s, treatment);
		}
		find_constant(&s, n, &merged.state, constant);
		add_ridge(&s, options->ridge);
		kept = solve(&s, constant, contrast->theta_c, d, form);
		memcpy(contrast->theta_t, contrast->theta_c, sizeof(contrast->theta_t));
	}

	/* An indicator that nobody needs is no covariate. */
	if ((merged.state.flags & FB_STATS_MISSING) && !(comoment(&merged.state, control->k - 1, control->k - 1) > 0.0))
		possible--;
	contrast->dropped = kept < possible;
	if (kept == 0)
		contrast->status = FB_COVARIATE_CONSTANT;
	return kept;
}

/*
 * Fills the contrast of two cuped states of the same shape. CUPED: Deng, Xu,
 * Kohavi and Walker (WSDM 2013); within-arm slopes make its estimate the
 * coefficient of ANCOVA. Lin: Annals of Applied Statistics 7, 2013, with the
 * term for covariates that are random themselves.
 */
static void
contrast_cuped(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options, FbContrast *contrast)
{
	const FbStats *arm[2] = {control, treatment};
	double		n[2] = {(double) control->n, (double) treatment->n};
	double		n_all = n[0] + n[1];
	double		cross[2],
				square[2],
				adjusted[2],
				dof[2];
	double		form = 0.0;
	double		slopes = 0.0;	/* of the difference between the arms' slopes */
	int			kept = find_slopes(control, treatment, options, contrast, &form);

	contrast->observed_ratio = true;
	contrast->difference = contrast->mean_t - contrast->mean_c;
	for (int i = 0; i < contrast->n_theta; i++)
	{
		double		gap = treatment->value[i + 1] - control->value[i + 1];

		/* The slope of each arm carries it to the common mean of the covariate. */
		contrast->difference -= gap * (contrast->theta_t[i] * (n[0] / n_all) + contrast->theta_c[i] * (n[1] / n_all));
	}
	for (int a = 0; a < 2; a++)
	{
		double		yy = comoment(arm[a], 0, 0);

		quadratic(arm[a], a == 0 ? contrast->theta_c : contrast->theta_t, &cross[a], &square[a]);
		dof[a] = n[a] - 1.0 - (options->adjustment == FB_LIN ? kept : 0);
		adjusted[a] = fmax(yy - 2.0 * cross[a] + square[a], 0.0);
		if (adjusted[a] < 1e-15 * yy)
			adjusted[a] = 0.0;
		if (!(dof[a] > 0.0))
		{
			contrast->status = FB_INSUFFICIENT_N;
			return;
		}
	}
	contrast->unadjusted_c = comoment(control, 0, 0) / (n[0] - 1.0);
	contrast->unadjusted_t = comoment(treatment, 0, 0) / (n[1] - 1.0);
	contrast->variance_c = adjusted[0] / dof[0];
	contrast->variance_t = adjusted[1] / dof[1];

	if (options->adjustment == FB_ANCOVA || options->test == FB_STUDENT)
	{
		/* One residual variance; in ANCOVA the slopes are estimated with it. */
		double		df = n_all - 2.0 - (options->adjustment == FB_ANCOVA ? kept : 0);
		double		sigma2 = (adjusted[0] + adjusted[1]) / df;
		double		yy = (comoment(control, 0, 0) + comoment(treatment, 0, 0)) / df;
		double		b = -(cross[0] + cross[1]) / df;
		double		c = (square[0] + square[1]) / df;

		if (!(df > 0.0))
		{
			contrast->status = FB_INSUFFICIENT_N;
			return;
		}
		contrast->free = sigma2 / n[1] + (options->adjustment == FB_ANCOVA ? sigma2 * form : 0.0);
		set_control_side(contrast, yy / n[0], b / n[0], c / n[0]);
		contrast->df = options->test == FB_Z ? NAN : df;
		return;
	}
	if (options->adjustment == FB_LIN)
	{
		FbStatsBuffer merged;
		double		gap[FB_STATS_MAX_K];
		double		unused;

		memcpy(&merged, control, FB_STATS_SIZE(fb_stats_values(control->kind, control->k)));
		fb_stats_merge(&merged.state, treatment);
		for (int i = 0; i < contrast->n_theta; i++)
			gap[i] = contrast->theta_t[i] - contrast->theta_c[i];
		quadratic(&merged.state, gap, &unused, &slopes);
		slopes /= (n_all - 1.0) * n_all;
	}
	contrast->free = contrast->variance_t / n[1] + slopes;
	set_control_side(contrast, comoment(control, 0, 0) / dof[0] / n[0], -cross[0] / dof[0] / n[0], square[0] / dof[0] / n[0]);
	fb_contrast_set_df(contrast, options->test, contrast->variance_c / n[0], contrast->variance_t / n[1], dof[0], dof[1]);
}

/* Covariance per unit of two ratios of means, linearised: numerators i and j, their denominators behind them. */
static double
ratio_covariance(const FbStats *state, int i, int j)
{
	double		ri = state->value[i] / state->value[i + 1];
	double		rj = state->value[j] / state->value[j + 1];
	double		sum = comoment(state, i, j) - rj * comoment(state, i, j + 1) -
		ri * comoment(state, i + 1, j) + ri * rj * comoment(state, i + 1, j + 1);

	return sum / state->value[i + 1] / state->value[j + 1] / ((double) state->n - 1.0);
}

/*
 * Computes a ratio of means and its variance per unit by the delta method,
 * which equals the cluster-robust variance of the mean over events (Deng,
 * Knoblich and Lu 2018). Returns false where the denominator is zero.
 */
bool
fb_ratio_variance(const FbStats *state, int numerator, double *ratio, double *variance)
{
	*ratio = state->value[numerator] / state->value[numerator + 1];
	*variance = NAN;
	if (state->value[numerator + 1] == 0.0 || !isfinite(*ratio))
		return false;
	*variance = fmax(ratio_covariance(state, numerator, numerator), 0.0);
	return true;
}

/* Fills the contrast of two ratios, adjusted by those before the experiment if there are any. */
static void
contrast_ratio(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options, FbContrast *contrast)
{
	const FbStats *arm[2] = {control, treatment};
	double		n[2] = {(double) control->n, (double) treatment->n};
	double		ratio[2],
				pre[2],
				v[2],
				v_pre[2],
				cross[2];
	bool		adjust = control->kind == FB_STATS_RATIO_CUPED && options->adjustment != FB_UNADJUSTED;
	double		theta = 0.0;

	for (int a = 0; a < 2; a++)
		if (!fb_ratio_variance(arm[a], 0, &ratio[a], &v[a]))
		{
			contrast->status = FB_ZERO_DENOMINATOR;
			contrast->mean_c = control->value[1] != 0.0 ? control->value[0] / control->value[1] : NAN;
			contrast->mean_t = treatment->value[1] != 0.0 ? treatment->value[0] / treatment->value[1] : NAN;
			return;
		}
	contrast->mean_c = ratio[0];
	contrast->mean_t = ratio[1];
	contrast->unadjusted_c = v[0];
	contrast->unadjusted_t = v[1];
	for (int a = 0; a < 2; a++)
	{
		pre[a] = v_pre[a] = cross[a] = 0.0;
		if (adjust && !fb_ratio_variance(arm[a], 2, &pre[a], &v_pre[a]))
		{
			/* Nobody was there before: nothing to adjust by. */
			adjust = false;
			contrast->status = FB_COVARIATE_CONSTANT;
		}
	}
	if (adjust)
	{
		double		top = 0.0;
		double		bottom = 0.0;

		for (int a = 0; a < 2; a++)
		{
			/* The variance of the effect is least when each arm weighs 1 / n; gbstats weighs them equally. */
			double		weight = options->adjustment == FB_POOLED ? 1.0 : 1.0 / n[a];

			cross[a] = ratio_covariance(arm[a], 0, 2);
			top += weight * cross[a];
			bottom += weight * v_pre[a];
		}
		if (options->theta)
			theta = options->theta[0];
		else if (bottom > 0.0 && isfinite(top / bottom))
			theta = top / bottom;
		else
			contrast->status = FB_COVARIATE_CONSTANT;
		contrast->n_theta = 1;
		contrast->theta_c[0] = contrast->theta_t[0] = theta;
	}
	else
		pre[0] = pre[1] = v_pre[0] = v_pre[1] = 0.0;
	contrast->difference = ratio[1] - ratio[0] - theta * (pre[1] - pre[0]);
	contrast->variance_c = fmax(v[0] - 2.0 * theta * cross[0] + theta * theta * v_pre[0], 0.0);
	contrast->variance_t = fmax(v[1] - 2.0 * theta * cross[1] + theta * theta * v_pre[1], 0.0);
	if (options->test == FB_STUDENT)
	{
		double		pooled[3] = {v[0], cross[0], v_pre[0]};
		double		other[3] = {v[1], cross[1], v_pre[1]};

		for (int i = 0; i < 3; i++)
			pooled[i] = (pooled[i] * (n[0] - 1.0) + other[i] * (n[1] - 1.0)) / (n[0] + n[1] - 2.0);
		contrast->free = fmax(pooled[0] - 2.0 * theta * pooled[1] + theta * theta * pooled[2], 0.0) / n[1];
		set_control_side(contrast, pooled[0] / n[0], -theta * pooled[1] / n[0], theta * theta * pooled[2] / n[0]);
	}
	else
	{
		contrast->free = contrast->variance_t / n[1];
		set_control_side(contrast, v[0] / n[0], -theta * cross[0] / n[0], theta * theta * v_pre[0] / n[0]);
	}
	fb_contrast_set_df(contrast, options->test, contrast->variance_c / n[0], contrast->variance_t / n[1], n[0] - 1.0, n[1] - 1.0);
}

/* Fills the contrast of two states of the same kind and shape; NULL stands for no data. */
void
fb_contrast(const FbStats *control, const FbStats *treatment, const FbEffectOptions *options, FbContrast *contrast)
{
	memset(contrast, 0, offsetof(FbContrast, theta_c));
	contrast->n_c = control ? control->n : 0;
	contrast->n_t = treatment ? treatment->n : 0;
	contrast->mean_c = contrast->n_c > 0 && !FB_STATS_IS_LARGE(control->kind) ? fb_stats_mean(control, 0) : NAN;
	contrast->mean_t = contrast->n_t > 0 && !FB_STATS_IS_LARGE(treatment->kind) ? fb_stats_mean(treatment, 0) : NAN;
	contrast->variance_c = contrast->variance_t = contrast->unadjusted_c = contrast->unadjusted_t = NAN;
	contrast->difference = contrast->df = NAN;
	contrast->status = FB_OK;
	if (contrast->n_c < 2 || contrast->n_t < 2)
	{
		contrast->status = contrast->n_c < 1 || contrast->n_t < 1 ? FB_NO_DATA : FB_INSUFFICIENT_N;
		if ((control && control->kind >= FB_STATS_RATIO && control->kind <= FB_STATS_RATIO_CUPED) ||
			(treatment && treatment->kind >= FB_STATS_RATIO && treatment->kind <= FB_STATS_RATIO_CUPED))
		{
			contrast->mean_c = contrast->n_c > 0 ? control->value[0] / control->value[1] : NAN;
			contrast->mean_t = contrast->n_t > 0 ? treatment->value[0] / treatment->value[1] : NAN;
		}
		return;
	}
	switch ((FbStatsKind) control->kind)
	{
		case FB_STATS_PROPORTION:
		case FB_STATS_MEAN:
		case FB_STATS_SHAPE:
			contrast_means(control, treatment, options, contrast);
			break;
		case FB_STATS_CUPED:
			if (options->adjustment == FB_UNADJUSTED)
				contrast_means(control, treatment, options, contrast);
			else
				contrast_cuped(control, treatment, options, contrast);
			break;
		case FB_STATS_RATIO:
		case FB_STATS_RATIO_CUPED:
			contrast_ratio(control, treatment, options, contrast);
			break;
		case FB_STATS_QUANTILE:
			fb_contrast_quantile(control, treatment, options, contrast);
			break;
		case FB_STATS_BOOTSTRAP:
			fb_contrast_bootstrap(control, treatment, options, contrast);
			break;
	}
}
