
-- Comparisons ------------------------------------------------------------------------------------

CREATE FUNCTION featbit.effect(
	control featbit.stats,
	treatment featbit.stats,
	scale text DEFAULT 'relative',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	method text DEFAULT 'auto',
	null_value float8 DEFAULT 0,
	adjustment text DEFAULT 'auto',
	theta float8[] DEFAULT NULL,
	profile text DEFAULT 'default',
	quantile float8 DEFAULT 0.5,
	ridge float8 DEFAULT 0,
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
	AS 'MODULE_PATHNAME', 'fb_effect_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.effect(featbit.stats, featbit.stats, text, text, float8, text, float8, text, float8[], text, float8, float8) IS
'Compares treatment with control, two states of the same kind; use it in FROM or LATERAL.
Arguments: scale "relative" (effect = (mean_t - mean_c) / |mean_c|; 0.1 is ten percent more) or "absolute" (mean_t - mean_c); alternative "two-sided", "greater" or "less" (the interval is open on one side then, and that bound NULL); alpha: probability of a false alarm, 0 < alpha < 1; method "auto" (= "welch"), "welch" (Welch 1947), "student" (pooled variance), "z" (normal), and for the relative scale "fieller" (the default with each of these) "delta" (Welch''s degrees of freedom, interval and p-value by the delta method) or "scaled" (the normal test and its interval divided by |mean_c|, as if that were known exactly); null_value: effect under the null hypothesis, on the chosen scale (non-inferiority: minus the margin with "greater").
Covariates of kind cuped: adjustment "auto" (= "within": CUPED, Deng et al. 2013, theta = sum of C_xy over both arms / sum of C_xx), "pooled" (theta from the merged arms, as GrowthBook), "ancova" (least squares with common slopes and one residual variance), "lin" (slopes of each arm, Lin 2013, with the term for random covariates), "none"; of kind ratio_cuped "within" and "pooled" alike weigh the arms by 1/n or equally. theta: slopes to use instead, such as those of all arms of the experiment. ridge: penalty on the slopes of kind cuped (with "within", "pooled" and "lin"), as a share of each covariate''s co-moment (Hoerl and Kennard 1970): with many weak covariates a little, such as 0.01, costs less than it saves. profile: what "auto" stands for: "default", or "growthbook", "posthog", "eppo", "featbit" (delta method, pooled theta), "spotify" (normal test, relative "scaled", pooled theta).
Kind ratio compares sum(num) / sum(den), with the variance (v_N - 2 r c_ND + r^2 v_D) / mean_D^2 per unit (delta method; the same as cluster-robust). A proportion has the variance p (1 - p), the others the sample variance.
Kind quantile compares the quantile given (0.5: medians), with the standard error that order statistics give (quantile_interval); of a sketch of units, with the degrees of freedom of its groups. Kind bootstrap has the variance of its replicates and their number less one as degrees of freedom; method "percentile" gives percentiles of the replicates'' effects as interval, which needs 1000 of them.
Returns one row: effect; se, its standard error (delta method on the relative scale); ci_low and ci_high, the interval of level 1 - alpha, on the relative scale Fieller''s (1954), which leaves out null_value exactly when p_value < alpha; statistic, df and p_value of the test; log10_p, exact where p_value underflows; log_e, NULL because tests with a fixed end have none; n_c, n_t, mean_c, mean_t (not adjusted; the relative effect divides the adjusted difference by |mean_c|); status and notes.
Status: no_data (a state is NULL or empty), insufficient_n (fewer than two units in an arm, or than slopes or the order statistics of a quantile need), zero_denominator (of a ratio), zero_variance (both arms constant: no p_value), zero_control_mean (no relative effect within double precision; the test of equal means is given), covariate_constant (no usable covariate: the unadjusted result), unbounded (mean of control not distinguishable from zero: no interval), resolution (the difference exceeds double precision; the order statistics of a quantile lie in neighbouring buckets or are equal: aggregate with a finer accuracy; percentiles of fewer than 1000 replicates), ok. Notes: small_counts (fewer than 5 successes or failures in an arm), ignored_values (NaN, infinite or huge values were left out), dropped_covariates (constant, or a combination of others), skewed (kind shape: fewer units than 355 skewness^2).
Errors: 22023 for an unknown scale, alternative, method, adjustment or profile, alpha or quantile outside (0,1), a ridge out of range or with "ancova", or states of different kinds or numbers of covariates; 2202E for the wrong number of slopes; 22004 for a NULL argument behind the states.';

CREATE FUNCTION featbit.adjustment(
	control featbit.stats,
	treatment featbit.stats,
	adjustment text DEFAULT 'auto',
	theta float8[] DEFAULT NULL,
	ridge float8 DEFAULT 0,
	OUT theta_c float8[],
	OUT theta_t float8[],
	OUT variance_c float8,
	OUT variance_t float8,
	OUT difference float8,
	OUT variance_reduction float8,
	OUT sample_factor float8,
	OUT status text,
	OUT notes text[])
	AS 'MODULE_PATHNAME', 'fb_adjustment_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.adjustment(featbit.stats, featbit.stats, text, float8[], float8) IS
'What the covariates of two states do to their comparison. Arguments as of effect.
Returns one row: theta_c, theta_t: the slopes, which differ between arms with "lin" only; variance_c, variance_t: variances per unit after adjustment; difference: of the adjusted means; variance_reduction: share of the variance of the difference that the covariates explain; sample_factor: by which factor the sample would have to grow for the same precision without them; status and notes as of effect.
Errors: those of effect.';

CREATE FUNCTION featbit.srm_test(
	counts bigint[],
	weights float8[] DEFAULT NULL,
	method text DEFAULT 'auto',
	concentration float8 DEFAULT 10000,
	OUT chisq float8,
	OUT df int,
	OUT p_value float8,
	OUT log_e float8,
	OUT p_sequential float8,
	OUT max_deviation float8,
	OUT method_used text,
	OUT status text)
	AS 'MODULE_PATHNAME', 'fb_srm_test_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.srm_test(bigint[], float8[], text, float8) IS
'Sample-ratio mismatch: users per arm against the planned weights.
Arguments: counts: users of each arm, or an array of two dimensions, {epoch, arm}, where the plan changed on the way; weights: planned share of each arm on any common scale (percentages, expected counts), by epochs in two dimensions, NULL for equal shares. An arm of weight 0 expects nobody and has no degree of freedom. method: "chisq" (Pearson; over epochs statistics and degrees of freedom add up), "exact" (binomial test, for two arms of positive weight and at most a million users in one epoch, else chisq; all outcomes at most as probable as the observed one), "auto": exact for two such arms with fewer than 1000 users, else chisq. concentration: weight of the prior of the sequential test, in users; smaller finds large deviations sooner.
Returns one row: chisq = sum((observed - expected)^2 / expected), df, p_value (below 0.001 the assignment is broken and results must not be trusted), which holds for one look; log_e and p_sequential = min(1, exp(-log_e)): Bayes factor against the plan with a Dirichlet prior (Lindon and Malek 2022), valid at any number of looks; over epochs e-values multiply; max_deviation = largest |observed / expected - 1|, method_used, status: ok, no_data (no users: all NULL but df), unexpected_arm (users in an arm of weight 0: p_value and p_sequential 0).
Errors: 22023 for negative counts, negative or infinite weights, no positive weight, an unknown method or a concentration outside 0.001 to 1e15; 2202E for arrays of different length or too many dimensions; 22004 for NULL elements.';

CREATE FUNCTION featbit.adjust_p(p float8[], method text DEFAULT 'holm') RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_adjust_p_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.adjust_p(float8[], text) IS
'Adjusts p-values for multiple testing, in the order given.
Arguments: p: p-values from 0 to 1; NULL elements do not belong to the family and stay NULL; method "none"; for the family-wise error rate "bonferroni", "holm" (1979), "hochberg" (1988), "hommel" (1988), "sidak" (1967), "holm-sidak"; for the false discovery rate "BH" (Benjamini and Hochberg 1995) or "BY" (Benjamini and Yekutieli 2001, any dependence).
Returns an array of the same shape; a hypothesis is rejected at level alpha when its element is at most alpha. Costs O(n log n).
Errors: 22023 for an unknown method or a p outside 0 to 1; 2202E for more than one dimension. NULL gives NULL.';

CREATE FUNCTION featbit.adjust_e(e float8[]) RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_adjust_e_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.adjust_e(float8[]) IS
'Adjusts e-values, such as exp(log_e), for multiple testing at the false discovery rate (e-BH: Wang and Ramdas 2022), whatever their dependence and at any stopping time.
Arguments: e: e-values, zero or positive, Infinity allowed; NULL elements do not belong to the family and stay NULL.
Returns an array of adjusted p-values of the same shape: min over j >= k of m / (j e_(j)), at most 1; a hypothesis is rejected at level alpha when its element is at most alpha.
Errors: 22023 for a negative e or NaN; 2202E for more than one dimension. NULL gives NULL.';
