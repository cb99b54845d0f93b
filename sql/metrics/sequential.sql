
-- Comparisons that may be looked at early ----------------------------------------------------------

CREATE FUNCTION featbit.effect_sequential(
	control featbit.stats,
	treatment featbit.stats,
	planned_n bigint,
	scale text DEFAULT 'relative',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	null_value float8 DEFAULT 0,
	method text DEFAULT 'auto',
	adjustment text DEFAULT 'auto',
	profile text DEFAULT 'default',
	quantile float8 DEFAULT 0.5,
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
	AS 'MODULE_PATHNAME', 'fb_effect_sequential_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.effect_sequential(featbit.stats, featbit.stats, bigint, text, text, float8, float8, text, text, text, float8) IS
'Compares treatment with control in a way that holds at every look, however many there are: a normal mixture (Robbins 1970, Howard et al. 2021, Waudby-Smith et al. 2024).
Arguments: planned_n: units of both arms at which the interval is to be narrowest, usually the planned size; it must be fixed beforehand; scale, alternative, alpha, null_value, adjustment, quantile: as of effect; method on the relative scale "auto" = "fieller" (the confidence sequence inverts the test for every ratio of the means) or "delta" (as peers; misses the truth too often while counts are small); profile "default", or "growthbook", "posthog", "eppo" (delta method, pooled slopes, one-sided bounds by Waudby-Smith equation 134).
With n = n_c + n_t, z = statistic and rho = planned_n / (log(1 - 2 log alpha) - 2 log alpha): log_e = log(rho / (n + rho)) / 2 + z^2 n / (2 (n + rho)), one-sided plus log(2 Phi(z sqrt(n / (n + rho)))); interval: where log_e < log(1 / alpha).
Returns the row of effect: p_value = min(1, exp(-log_e)) is valid at any look, and so is the smallest so far; log_e is evidence that multiplies over independent experiments; the interval excludes null_value exactly when p_value < alpha; df is NULL. Status and notes as of effect.
Errors: 22023 for planned_n < 1 and those of effect; 22004 for a NULL argument behind the states.';

CREATE FUNCTION featbit.sequential_test(
	estimate float8,
	se float8,
	n float8,
	planned_n bigint DEFAULT NULL,
	alpha float8 DEFAULT 0.05,
	rho float8 DEFAULT NULL,
	df float8 DEFAULT NULL,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT multiplier float8,
	OUT log_e float8,
	OUT p_value float8)
	AS 'MODULE_PATHNAME', 'fb_sequential_test_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.sequential_test(float8, float8, float8, bigint, float8, float8, float8) IS
'The mixture of effect_sequential, two-sided, for any estimate with a standard error, such as that of a regression or of paired differences.
Arguments: estimate, se, n: the number of units behind them; exactly one of planned_n (as of effect_sequential) and rho (the mixture itself; n se^2 / tau^2 is the mixture of the mSPRT with prior N(0, tau^2)); alpha; df: degrees of freedom of se, for the exact t mixture (Lindon et al. 2022) while they are few.
Returns one row: ci_low, ci_high = estimate -+ multiplier se, log_e, p_value = min(1, exp(-log_e)); NULLs for a NULL, infinite or not positive input, and for an interval that is unbounded.
Errors: 22023 for both or none of planned_n and rho, rho or df not positive, alpha outside (0,1).';

CREATE FUNCTION featbit.group_bounds(
	info float8[],
	alpha float8 DEFAULT 0.05,
	sides int DEFAULT 2,
	spending text DEFAULT 'of',
	param float8 DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_group_bounds_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.group_bounds(float8[], float8, int, text, float8) IS
'Bounds of a group sequential design: stop and reject at look k when the z statistic (two-sided its absolute value) exceeds element k.
Arguments: info: share of the planned information at each look, increasing, such as n / n_planned as it really was; a share above 1 (over-running) spends what remains; alpha; sides 1 or 2; spending: error spending function (Lan and DeMets 1983) "of" (O''Brien-Fleming type), "pocock", "power" (Kim and DeMets 1987; param: exponent, default 2), "hsd" (Hwang, Shih and DeCani 1990; param: gamma, default -4), or the designs of fixed shape "classic-of" (O''Brien and Fleming 1979) and "classic-pocock" (1977).
Returns one bound for each look, NULL where nothing is spent. Integration of Jennison and Turnbull (2000), agrees with rpact to 2e-6.
Errors: 22023 for info that does not increase within 1e-6 and 100, an unknown spending, param out of range, sides other than 1 and 2, alpha outside (0,1); 2202E for more than 50 looks; 22004 for NULLs.';

CREATE FUNCTION featbit.alpha_spent(
	info float8[],
	alpha float8 DEFAULT 0.05,
	sides int DEFAULT 2,
	spending text DEFAULT 'of',
	param float8 DEFAULT NULL)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_alpha_spent_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.alpha_spent(float8[], float8, int, text, float8) IS
'Error spent up to each look of a group sequential design, on all sides together. Arguments and errors as of group_bounds.';

CREATE FUNCTION featbit.group_crossing(
	info float8[],
	bounds float8[],
	sides int DEFAULT 2,
	drift float8 DEFAULT 0)
	RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_group_crossing_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.group_crossing(float8[], float8[], int, float8) IS
'Probability of having crossed a bound up to each look, of sides 1 or 2.
Arguments: info: as of group_bounds; bounds: of the z statistic, two-sided of its absolute value; drift: expected z at info 1 (0: false alarms; effect / se at the planned end: power).
Errors: 22023 for bad info, bounds that are no numbers or, two-sided, negative; 2202E for arrays of different length. NULL gives NULL.';

CREATE FUNCTION featbit.effect_group_sequential(
	control featbit.stats,
	treatment featbit.stats,
	info float8[],
	look int,
	spending text DEFAULT 'of',
	param float8 DEFAULT NULL,
	scale text DEFAULT 'relative',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	null_value float8 DEFAULT 0,
	method text DEFAULT 'auto',
	adjustment text DEFAULT 'auto',
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
	OUT notes text[],
	OUT bound float8)
	AS 'MODULE_PATHNAME', 'fb_effect_group_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.effect_group_sequential(featbit.stats, featbit.stats, float8[], int, text, float8, text, text, float8, float8, text, text) IS
'Compares treatment with control at a look of a group sequential design.
Arguments: info, spending, param: as of group_bounds, with the information as it was at the looks so far; look: which of them this is, from 1; scale, alternative (one-sided designs have one side), alpha, null_value, adjustment: as of effect; method: "auto" = "fieller" or "delta".
Returns the row of effect and bound: stop when the statistic exceeds it; the interval is the repeated confidence interval, effect -+ bound se on the absolute scale; p_value the repeated p-value (Jennison and Turnbull 2000, section 9.3), below alpha exactly when the bound is crossed; log_e and df NULL. Status as of effect; unbounded also where the look spends nothing.
Errors: those of group_bounds and effect, 22023 for a look that info does not have.';

CREATE FUNCTION featbit.prop_sequential(
	x bigint,
	n bigint,
	planned_n bigint,
	alpha float8 DEFAULT 0.05,
	null_value float8 DEFAULT NULL,
	OUT estimate float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT log_e float8,
	OUT p_value float8)
	AS 'MODULE_PATHNAME', 'fb_prop_sequential_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.prop_sequential(bigint, bigint, bigint, float8, float8) IS
'One proportion at any number of looks, exactly: the confidence sequence of a beta-binomial mixture (Howard et al. 2021), which holds from the first unit.
Arguments: x, n: successes and units so far; planned_n: where the interval is to be narrowest, fixed beforehand; alpha; null_value: proportion to test, or NULL.
Returns estimate = x / n, ci_low and ci_high: the proportions whose evidence against is below 1 / alpha; log_e and p_value = min(1, exp(-log_e)) against null_value. NULLs without units.
Errors: 22023 for successes outside 0 to n, planned_n < 1, alpha or null_value outside (0,1); 22004 for a NULL planned_n or alpha.';

CREATE FUNCTION featbit.beta_binomial_test(
	s float8,
	v float8,
	planned_v float8,
	g float8,
	h float8,
	alpha float8 DEFAULT 0.05,
	OUT log_e float8,
	OUT p_value float8,
	OUT bound float8)
	AS 'MODULE_PATHNAME', 'fb_beta_binomial_test_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.beta_binomial_test(float8, float8, float8, float8, float8, float8) IS
'The mixture of prop_sequential for a sum of bounded steps: at any number of looks.
Arguments: s: the sum so far of steps between -g and h whose mean is 0 under the null hypothesis; v: its variance, n g h for two-valued steps; planned_v: the v at which the bound is to be tightest; alpha.
Returns log_e, p_value = min(1, exp(-log_e)) and bound: the sum at which log_e reaches log(1 / alpha), NULL where no possible sum does.
Errors: 22023 for an s that steps of this size cannot reach, v, planned_v, g or h not positive, alpha outside (0,1). NULL gives NULLs.';

CREATE FUNCTION featbit.poly_stitching_bound(v float8, v_min float8, alpha float8 DEFAULT 0.05, c float8 DEFAULT 0, s float8 DEFAULT 1.4, eta float8 DEFAULT 2) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_poly_stitching_bound_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.poly_stitching_bound(float8, float8, float8, float8, float8, float8) IS
'Bound that a sub-gamma sum with variance v exceeds at any look with probability at most alpha, of the order sqrt(v log log v) (polynomial stitching: Howard et al. 2021, theorem 1).
Arguments: v; v_min: the v from which it is tight; alpha; c: scale of the sub-gamma tail, 0 for a normal one; s above 1 and eta above 1: shape of the stitching.
Returns NULL beyond double precision. Errors: 22023 for arguments out of range. NULL gives NULL.';

CREATE FUNCTION featbit.flat_sequential_z(
	var_c float8,
	var_t float8,
	n_c bigint,
	n_t bigint,
	alpha float8 DEFAULT 0.05,
	OUT z_star float8,
	OUT tau float8,
	OUT sigma float8)
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	z float8;
	v float8;
BEGIN
	IF NOT (alpha > 0 AND alpha < 1) THEN
		RAISE EXCEPTION 'alpha must be between 0 and 1, both excluded, not %', alpha USING ERRCODE = 'invalid_parameter_value';
	ELSIF NOT (var_c >= 0 AND var_t >= 0 AND var_c <= 1e140 AND var_t <= 1e140 AND n_c > 0 AND n_t > 0) THEN
		RAISE EXCEPTION 'variances must be finite and not negative, and n_c and n_t positive' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	z := -featbit.norm_quantile(alpha / 2);
	v := var_t / n_t + var_c / n_c;
	IF v > 0 THEN
		tau := z ^ 2 * (var_t + var_c) / (n_t::float8 + n_c::float8);
		z_star := sqrt((v + tau) / tau * (-2 * ln(alpha / 2) - ln(v / (v + tau))));
		sigma := z_star / z;
	END IF;
END
$$;

COMMENT ON FUNCTION featbit.flat_sequential_z(float8, float8, bigint, bigint, float8) IS
'The critical value of Statsig''s sequential test, for those who compare: z* = sqrt((v + tau) / tau (-2 log(alpha / 2) - log(v / (v + tau)))), v = var_t / n_t + var_c / n_c, tau = z^2 (var_t + var_c) / (n_t + n_c). For a fixed split it does not depend on n, so it is no bound for ever; effect_sequential has one.
Returns z_star, tau, and sigma = z* / z(1 - alpha / 2), by which the fixed interval widens; NULLs without variance. Errors: 22023 for arguments out of range. NULL gives NULLs.';

CREATE FUNCTION featbit.sprt(
	z float8,
	n_c bigint,
	n_t bigint,
	cohens_d float8,
	alpha float8 DEFAULT 0.05,
	beta float8 DEFAULT 0.2,
	OUT log_lr float8,
	OUT upper_bound float8,
	OUT lower_bound float8,
	OUT decision text)
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	theta float8;
BEGIN
	IF NOT (alpha > 0 AND beta > 0 AND alpha + beta < 1) THEN
		RAISE EXCEPTION 'alpha and beta must be positive and their sum below 1, not % and %', alpha, beta USING ERRCODE = 'invalid_parameter_value';
	ELSIF NOT (abs(cohens_d) > 1e-100 AND abs(cohens_d) <= 1e6 AND n_c > 0 AND n_t > 0 AND abs(z) <= 1e100) THEN
		RAISE EXCEPTION 'z must be finite, cohens_d between 1e-100 and 1e6, and n_c and n_t positive' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	theta := cohens_d * sqrt(n_c::float8 * (n_t::float8 / (n_c::float8 + n_t::float8)));
	log_lr := abs(z * theta) - theta ^ 2 / 2;
	upper_bound := ln((1 - beta) / alpha);
	lower_bound := ln(beta / (1 - alpha));
	decision := CASE WHEN log_lr >= upper_bound THEN 'effect' WHEN log_lr <= lower_bound THEN 'no effect' ELSE 'continue' END;
END
$$;

COMMENT ON FUNCTION featbit.sprt(float8, bigint, bigint, float8, float8, float8) IS
'Sequential probability ratio test (Wald 1945) of a standardised effect, in Statsig''s form.
Arguments: z: statistic of the difference; n_c, n_t: units; cohens_d: the effect to find, in standard deviations; alpha, beta: probabilities of a false alarm and of a miss.
Returns log_lr = |z theta| - theta^2 / 2 with theta = d sqrt(n_c n_t / (n_c + n_t)); upper_bound = log((1 - beta) / alpha), lower_bound = log(beta / (1 - alpha)); decision: "effect", "no effect" or "continue".
Errors: 22023 for arguments out of range. NULL gives NULLs.';
