/*
 * fb_robust.c
 *		Heteroskedasticity-consistent variances by a second look at the units.
 *
 * The adjusted effect is a weighted sum of the values of units,
 * effect = sum(a_i y_i), so its variance is estimated by sum((a_i e_i)^2) with
 * residuals e_i (HC0, White, Econometrica 48, 1980), times n / (n - p) (HC1),
 * or with e_i^2 / (1 - h_i) (HC2) or e_i^2 / (1 - h_i)^2 (HC3; MacKinnon and
 * White, Journal of Econometrics 29, 1985), h_i the leverage. The terms a_i e_i
 * are the influence of the units; summed by cluster before they are squared
 * they give the cluster-robust variance (Liang and Zeger 1986).
 *
 * Common slopes (Frisch and Waugh): a_i = d_i / sum(d^2), d the residual of the
 * arm on the covariates. Slopes of each arm: in the arm,
 * a_i = 1/n + (c - m)' S^-1 (x_i - m) with c the mean of the covariates over
 * both arms and m over this one.
 */
#include <math.h>
#include <string.h>

#include "core/fb_robust.h"

/* Decomposes a matrix of co-moments; variates that add nothing are left out, as in fb_contrast.c. */
static void
decompose(FbTriangle *t, double sums[FB_STATS_MAX_K][FB_STATS_MAX_K], int k, double n, const double *mean)
{
	t->k = k;
	t->kept = 0;
	for (int i = 0; i < k; i++)
	{
		double		pivot = 1.0;

		t->root[i] = sqrt(sums[i][i]);
		t->keep[i] = t->root[i] > 1e-7 * sqrt(n) * fabs(mean[i]);
		for (int j = 0; t->keep[i] && j < i; j++)
		{
			double		l;

			if (!t->keep[j])
				continue;
			l = sums[i][j] / t->root[i] / t->root[j];
			for (int m = 0; m < j; m++)
				if (t->keep[m])
					l -= t->l[i][m] * t->l[j][m];
			t->l[i][j] = l / t->l[j][j];
			pivot -= t->l[i][j] * t->l[i][j];
		}
		t->keep[i] = t->keep[i] && pivot > 1e-10;
		if (t->keep[i])
		{
			t->l[i][i] = sqrt(pivot);
			t->kept++;
		}
	}
}

/* Computes z = L^-1 v, so that u' S^-1 v is the product of two such vectors. */
static void
forward(const FbTriangle *t, const double *v, double *z)
{
	for (int i = 0; i < t->k; i++)
	{
		z[i] = 0.0;
		if (!t->keep[i])
			continue;
		z[i] = v[i] / t->root[i];
		for (int j = 0; j < i; j++)
			if (t->keep[j])
				z[i] -= t->l[i][j] * z[j];
		z[i] /= t->l[i][i];
	}
}

/* Computes S^-1 v. */
static void
solve(const FbTriangle *t, const double *v, double *x)
{
	double		z[FB_STATS_MAX_K];

	forward(t, v, z);
	for (int i = t->k - 1; i >= 0; i--)
	{
		x[i] = 0.0;
		if (!t->keep[i])
			continue;
		x[i] = z[i];
		for (int j = i + 1; j < t->k; j++)
			if (t->keep[j])
				x[i] -= t->l[j][i] * x[j];
		x[i] /= t->l[i][i];
	}
	for (int i = 0; i < t->k; i++)
		x[i] = t->keep[i] ? x[i] / t->root[i] : 0.0;
}

/* Returns a product. */
static double
product(const double *a, const double *b, int k)
{
	double		sum = 0.0;

	for (int i = 0; i < k; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Adds the co-moments of the covariates of a state, and of y with them. */
static void
add_sums(const FbStats *state, double sums[FB_STATS_MAX_K][FB_STATS_MAX_K], double *cross)
{
	for (int i = 0; i < state->k - 1; i++)
	{
		cross[i] += state->value[FB_COMOMENT(state->k, i + 1, 0)];
		for (int j = 0; j < state->k - 1; j++)
			sums[i][j] += state->value[FB_COMOMENT_ANY(state->k, i + 1, j + 1)];
	}
}

/* Fits a model to two states of kind mean or cuped and of the same shape. */
void
fb_fit(const FbStats *control, const FbStats *treatment, FbAdjustment model, FbRobust robust, FbFit *fit)
{
	const FbStats *arm[2] = {control, treatment};
	double		sums[FB_STATS_MAX_K][FB_STATS_MAX_K];
	double		cross[FB_STATS_MAX_K];
	double		all;

	memset(fit, 0, sizeof(*fit));
	fit->model = model;
	fit->robust = robust;
	fit->k = model == FB_UNADJUSTED ? 0 : control->k - 1;
	fit->status = FB_OK;
	for (int a = 0; a < 2; a++)
	{
		fit->n[a] = (double) arm[a]->n;
		if (arm[a]->n < 2)
			fit->status = arm[a]->n < 1 ? FB_NO_DATA : FB_INSUFFICIENT_N;
		for (int i = 0; i <= fit->k; i++)
			fit->mean[a][i] = fb_stats_mean(arm[a], i);
	}
	if (control->n < 1)
		fit->status = FB_NO_DATA;
	if (fit->status != FB_OK)
		return;
	all = fit->n[0] + fit->n[1];
	for (int i = 0; i < fit->k; i++)
		fit->centre[i] = fit->mean[0][i + 1] * (fit->n[0] / all) + fit->mean[1][i + 1] * (fit->n[1] / all);
	fit->parameters = 2;
	fit->effect = fit->mean[1][0] - fit->mean[0][0];
	if (model == FB_LIN)
	{
		for (int a = 0; a < 2; a++)
		{
			double		gap[FB_STATS_MAX_K] = {0};

			memset(sums, 0, sizeof(sums));
			memset(cross, 0, sizeof(cross));
			add_sums(arm[a], sums, cross);
			decompose(&fit->inner[a], sums, fit->k, fit->n[a], &fit->mean[a][1]);
			solve(&fit->inner[a], cross, fit->beta[a]);
			for (int i = 0; i < fit->k; i++)
				gap[i] = fit->centre[i] - fit->mean[a][i + 1];
			forward(&fit->inner[a], gap, fit->gap[a]);
			fit->effect += (a == 0 ? -1.0 : 1.0) * product(fit->beta[a], gap, fit->k);
			fit->parameters += fit->inner[a].kept;
		}
	}
	else if (model == FB_ANCOVA)
	{
		double		share = fit->n[0] * (fit->n[1] / all);
		double		gap[FB_STATS_MAX_K] = {0};
		double		with_arm[FB_STATS_MAX_K] = {0};

		memset(sums, 0, sizeof(sums));
		memset(cross, 0, sizeof(cross));
		add_sums(control, sums, cross);
		add_sums(treatment, sums, cross);
		decompose(&fit->inner[0], sums, fit->k, all, fit->centre);
		solve(&fit->inner[0], cross, fit->beta[0]);
		memcpy(fit->beta[1], fit->beta[0], sizeof(fit->beta[0]));
		for (int i = 0; i < fit->k; i++)
		{
			gap[i] = fit->mean[1][i + 1] - fit->mean[0][i + 1];
			with_arm[i] = share * gap[i];
		}
		for (int i = 0; i < fit->k; i++)
			for (int j = 0; j < fit->k; j++)
				sums[i][j] += share * gap[i] * gap[j];

		/* A covariate that the arms alone make vary stays out of both. */
		for (int i = 0; i < fit->k; i++)
			if (!fit->inner[0].keep[i])
				for (int j = 0; j < fit->k; j++)
					sums[i][j] = sums[j][i] = 0.0;
		decompose(&fit->total, sums, fit->k, all, fit->centre);
		forward(&fit->total, with_arm, fit->gap[0]);
		fit->spread = share - product(fit->gap[0], fit->gap[0], fit->k);
		fit->effect -= product(fit->beta[0], gap, fit->k);
		fit->parameters += fit->inner[0].kept;
	}
	if (all <= fit->parameters)
		fit->status = FB_INSUFFICIENT_N;
}

/* Returns the influence of a unit, given as y and its covariates, on the effect; the sum of squares is its variance. */
double
fb_influence(const FbFit *fit, bool treated, const double *row)
{
	int			a = treated ? 1 : 0;
	double		all = fit->n[0] + fit->n[1];
	double		residual = row[0] - fit->mean[a][0];
	double		weight = 1.0 / fit->n[a];
	double		leverage = 1.0 / fit->n[a];
	double		from[FB_STATS_MAX_K] = {0};
	double		z[FB_STATS_MAX_K];
	double		rest;

	for (int i = 0; i < fit->k; i++)
	{
		from[i] = row[i + 1] - fit->mean[a][i + 1];
		residual -= fit->beta[a][i] * from[i];
	}
	if (fit->model == FB_LIN)
	{
		forward(&fit->inner[a], from, z);
		weight += product(fit->gap[a], z, fit->k);
		leverage += product(z, z, fit->k);
	}
	if (fit->model == FB_ANCOVA)
	{
		double		d;

		for (int i = 0; i < fit->k; i++)
			from[i] = row[i + 1] - fit->centre[i];
		forward(&fit->total, from, z);

		/* the arm, centred, less what the covariates tell of it */
		d = (treated ? fit->n[0] : -fit->n[1]) / all - product(fit->gap[0], z, fit->k);
		weight = fabs(fit->spread) > 0.0 ? d / fit->spread : 0.0;
		leverage = 1.0 / all + d * weight + product(z, z, fit->k);
	}
	else if (!treated)
		weight = -weight;
	rest = 1.0 - leverage;
	if (fit->robust >= FB_HC2 && !(rest > 1e-12))
		return 0.0;				/* the unit determines a parameter: its residual is zero */
	switch (fit->robust)
	{
		case FB_HC0:
			break;
		case FB_HC1:
			residual *= sqrt(all / (all - fit->parameters));
			break;
		case FB_HC2:
			residual /= sqrt(rest);
			break;
		case FB_HC3:
			residual /= rest;
			break;
	}
	return weight * residual;
}
