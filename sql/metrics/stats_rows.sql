
-- States of several variates ---------------------------------------------------------------------

CREATE FUNCTION featbit.stats_accum(state featbit.stats, y float8, x float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_accum_cuped' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_accum(featbit.stats, float8, float8) IS
'Transition function of stats_agg(float8, float8): the state with one unit more. Errors: 22023 for a state that is not of kind cuped, 22004 for no state.';

CREATE FUNCTION featbit.stats_accum(state featbit.stats, y float8, x float8[]) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_accum_covariates' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_accum(featbit.stats, float8, float8[]) IS
'Transition function of stats_agg(float8, float8[]): the state with one unit more; NULL stands for no unit yet. Errors: 22023 for a state that is not of kind cuped, 2202E for the wrong number of covariates.';

CREATE AGGREGATE featbit.stats_agg(y float8, x float8) (
	SFUNC = featbit.stats_accum,
	STYPE = featbit.stats,
	SSPACE = 72,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "cuped", "n": 0, "means": [0, 0], "comoments": [0, 0, 0]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.stats_agg(float8, float8) IS
'State of kind cuped over one value and one covariate per unit. y: the value; NULL is ignored. x: the covariate, known before the unit was exposed, such as y in the weeks before (CUPED: Deng, Xu, Kohavi and Walker 2013); NULL keeps the unit: it counts as 0, and the state gets an indicator variate of missing covariates, so that such units form a stratum of their own. Units with a y or x that is NaN, infinite or beyond 1e140 are ignored and counted in n_bad. Returns the empty state when there is no value.';

CREATE AGGREGATE featbit.stats_agg(y float8, x float8[]) (
	SFUNC = featbit.stats_accum,
	STYPE = featbit.stats,
	SSPACE = 200,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.stats_agg(float8, float8[]) IS
'State of kind cuped over one value and 1 to 15 covariates per unit. y, x: as of stats_agg(y, x); a unit with a NULL covariate, or a NULL array, keeps 0 in its place and is marked by one indicator variate. Returns NULL when there is no value. Errors: 2202E when the arrays differ in length, are empty or have more than 15 elements or one dimension.';

CREATE FUNCTION featbit.ratio_accum(state featbit.stats, num float8, den float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_accum_ratio' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.ratio_accum(featbit.stats, float8, float8) IS
'Transition function of ratio_agg(float8, float8): the state with one unit more. Errors: 22023 for a state that is not of kind ratio.';

CREATE FUNCTION featbit.ratio_accum(state featbit.stats, num float8, den float8, num_pre float8, den_pre float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_accum_ratio_cuped' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.ratio_accum(featbit.stats, float8, float8, float8, float8) IS
'Transition function of ratio_agg(float8, float8, float8, float8): the state with one unit more. Errors: 22023 for a state that is not of kind ratio_cuped, 22004 for no state.';

CREATE AGGREGATE featbit.ratio_agg(num float8, den float8) (
	SFUNC = featbit.ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 72,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "ratio", "n": 0, "means": [0, 0], "comoments": [0, 0, 0]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.ratio_agg(float8, float8) IS
'State of kind ratio: sum(num) / sum(den) over units, such as clicks per view; the unit is what was randomised, so the same state serves means over clusters (num: sum of the cluster, den: its size). A unit with a NULL is ignored, one with den = 0 counts; one with a NaN, an infinity or a number beyond 1e140 is ignored and counted in n_bad. Returns the empty state when there is no unit.';

CREATE AGGREGATE featbit.ratio_agg(num float8, den float8, num_pre float8, den_pre float8) (
	SFUNC = featbit.ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 144,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "ratio_cuped", "n": 0, "means": [0, 0, 0, 0], "comoments": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.ratio_agg(float8, float8, float8, float8) IS
'State of kind ratio_cuped: a ratio as of ratio_agg(num, den) with the same sums before the unit was exposed. A NULL num_pre or den_pre counts as 0: who was not there before adds nothing to the sums before.';

CREATE FUNCTION featbit.shape_accum(state featbit.stats, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_accum_shape' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.shape_accum(featbit.stats, float8) IS
'Transition function of shape_agg(float8): the state with one value more (Pebay 2008). Errors: 22023 for a state that is not of kind shape.';

CREATE AGGREGATE featbit.shape_agg(y float8) (
	SFUNC = featbit.shape_accum,
	STYPE = featbit.stats,
	SSPACE = 64,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "shape", "n": 0, "means": [0], "comoments": [0, 0, 0]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.shape_agg(float8) IS
'State of kind shape: as stats_agg(y), with the third and fourth central moments, so that skewness and kurtosis can be read; comparisons treat it as a mean and add the note "skewed" where the normal interval needs more units (Kohavi, Deng, Longbotham and Xu 2014: n > 355 skewness^2). Values beyond 1e70 are ignored and counted in n_bad.';

CREATE FUNCTION featbit.stats_replace(state featbit.stats, old_value float8, new_value float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_replace_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_replace(featbit.stats, float8, float8) IS
'The state of kind mean in which one unit''s old value is replaced by its new one: for running totals per unit. Rounding accumulates (after 5,000,000 replacements 1e-13 relative in the variance, 1e-9 when the mean is 1e6 standard deviations), so rebuild the state now and then. Errors: 22023 for an empty state, another kind, or values that are not finite or exceed 1e140. That old_value is in the state cannot be checked.';

CREATE FUNCTION featbit.stats_replace(state featbit.stats, old_value boolean, new_value boolean) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_replace_bool' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_replace(featbit.stats, boolean, boolean) IS
'The state of kind proportion in which one unit''s old value is replaced by its new one. Errors: 22023 for an empty state, another kind, or an old value that no unit has.';

CREATE FUNCTION featbit.stats_replace(state featbit.stats, old_row float8[], new_row float8[]) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_replace_row' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_replace(featbit.stats, float8[], float8[]) IS
'The state of kind mean, cuped, ratio or ratio_cuped in which one unit''s old row is replaced by its new one. Rows: all variates in order; a NULL covariate only where the state has the indicator of missing ones. Errors: 2202E for the wrong number of values, 22004 for a NULL where no unit lacks a covariate, and those of stats_replace(stats, float8, float8).';

CREATE FUNCTION featbit.skewness(state featbit.stats) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_skewness_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.skewness(featbit.stats) IS
'Sample skewness m3 / m2^(3/2) of a state of kind shape (moments with denominator n). NULL for other kinds and when all values are equal.';

CREATE FUNCTION featbit.kurtosis(state featbit.stats) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_kurtosis_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.kurtosis(featbit.stats) IS
'Excess kurtosis m4 / m2^2 - 3 of a state of kind shape (moments with denominator n). NULL for other kinds and when all values are equal.';
