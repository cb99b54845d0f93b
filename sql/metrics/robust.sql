
-- Regression with robust standard errors, analysis of variance ----------------------------------------

CREATE FUNCTION featbit.influence(y float8, treated boolean, x float8[], control featbit.stats, treatment featbit.stats, model text DEFAULT 'ancova', variance text DEFAULT 'HC2') RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_influence_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.influence(float8, boolean, float8[], featbit.stats, featbit.stats, text, text) IS
'Influence of a unit on the adjusted effect of a fitted regression, in a second look at the units: its sum of squares is the heteroskedasticity-consistent variance, and summed by cluster first the cluster-robust one.
Arguments: y, x: value and covariates of the unit, as they went into the states; treated: whether it belongs to treatment; control, treatment: states of both arms, the same for all rows (kind cuped, or mean for model "none"); model "none", "ancova" (common slopes) or "lin" (slopes of each arm, Lin 2013); variance "HC0" (White 1980), "HC1", "HC2", "HC3" (MacKinnon and White 1985).
Returns a_i e_i, the weight of the unit times its residual, by HC2 divided by sqrt(1 - leverage), by HC3 by 1 - leverage; aggregate it with stats_agg and give that to effect_robust. NULL where y, treated or a state is NULL, y or x is no usable number, or the model cannot be fitted; 0 for a unit whose leverage is 1.
Errors: 22023 for states of other kinds or shapes, an unknown model or variance; 2202E for the wrong number of covariates; 22004 for a NULL covariate where no unit of the states lacks one.';

CREATE FUNCTION featbit.effect_robust(
	control featbit.stats,
	treatment featbit.stats,
	influences featbit.stats,
	model text DEFAULT 'ancova',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	null_value float8 DEFAULT 0,
	OUT effect float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT statistic float8,
	OUT df float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT log_e float8,
	OUT n_c bigint,
	OUT n_t bigint,
	OUT mean_c float8,
	OUT mean_t float8,
	OUT status text,
	OUT notes text[])
	AS 'MODULE_PATHNAME', 'fb_effect_robust_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.effect_robust(featbit.stats, featbit.stats, featbit.stats, text, text, float8, float8) IS
'The regression-adjusted absolute effect with a robust standard error.
Arguments: control, treatment, model: as of influence; influences: stats_agg(influence(...)) over all units of both arms, or over the sums of influence(..., variance => ''HC0'') by cluster; alternative, alpha, null_value: as of effect.
Returns the row of effect on the absolute scale: se = sqrt(sum of squared influences), df = units - parameters; with fewer influences than units they are taken for clusters: se gets the factor sqrt(G / (G - 1)) and df = G - 1.
Errors: 22023 for states of other kinds, more influences than units, an unknown model or alternative, alpha outside (0,1); 22004 for a NULL.';

CREATE FUNCTION featbit.anova(
	states featbit.stats[],
	OUT f float8,
	OUT df_between int,
	OUT df_within float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT ms_between float8,
	OUT pooled_variance float8,
	OUT eta_squared float8,
	OUT status text)
	AS 'MODULE_PATHNAME', 'fb_anova_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.anova(featbit.stats[]) IS
'Do the means of several arms or slices differ? One-way analysis of variance (Fisher 1925) from their states.
Arguments: states of kind mean, shape, cuped (its first variate) or proportion, of disjoint units; NULL and empty states are left out.
Returns one row: f = ms_between / pooled_variance, df_between = groups - 1, df_within = units - groups, p_value, log10_p (exact where p_value underflows), ms_between, pooled_variance: mean squares between and within; eta_squared: share of the variation that lies between; status: no_data, insufficient_n, zero_variance (no variation within), resolution, ok.
Errors: 22023 for states of other kinds; 2202E for more than one dimension. NULL gives NULLs.';
