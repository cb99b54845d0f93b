
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

COMMENT ON FUNCTION featbit.effect_sequential(featbit.stats, featbit.stats, bigint, text, text, float8, float8, text, text, text) IS
'Compares treatment with control in a way that holds at every look, however many there are: a normal mixture (Robbins 1970, Howard et al. 2021, Waudby-Smith et al. 2024).
Arguments: planned_n: units of both arms at which the interval is to be narrowest, usually the planned size; it must be fixed beforehand; scale, alternative, alpha, null_value, adjustment: as of effect; method on the relative scale "auto" = "fieller" (the confidence sequence inverts the test for every ratio of the means) or "delta" (as peers; misses the truth too often while counts are small); profile "default", or "growthbook", "posthog", "eppo" (delta method, pooled slopes, one-sided bounds by Waudby-Smith equation 134).
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
