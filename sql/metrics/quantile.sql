
-- Quantiles ---------------------------------------------------------------------------------------

CREATE FUNCTION featbit.quantile_accum(state featbit.stats, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_quantile_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.quantile_accum(featbit.stats, float8) IS
'Transition function of quantile_agg(float8): the sketch with one value more. Errors: 22023 for a state that is not of kind quantile, or of units.';

CREATE FUNCTION featbit.quantile_accum(state featbit.stats, y float8, accuracy float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_quantile_accum_accuracy' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.quantile_accum(featbit.stats, float8, float8) IS
'Transition function of quantile_agg(float8, float8): the sketch with one value more; NULL stands for no value yet. Errors: 22023 for an accuracy outside 1e-6 to 0.5 or that is not the same for all rows, 22004 for a NULL accuracy, and those of quantile_accum(stats, float8).';

CREATE FUNCTION featbit.cluster_quantile_accum(state featbit.stats, unit text, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_quantile_accum_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.cluster_quantile_accum(featbit.stats, text, float8) IS
'Transition function of cluster_quantile_agg(text, float8): the sketch with one row of a unit more. Errors: 22023 for a state that is not of kind quantile and of units.';

CREATE FUNCTION featbit.cluster_quantile_accum(state featbit.stats, unit bigint, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_quantile_accum_int8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.cluster_quantile_accum(featbit.stats, bigint, float8) IS
'Transition function of cluster_quantile_agg(bigint, float8), as that of text.';

CREATE FUNCTION featbit.cluster_quantile_accum(state featbit.stats, unit uuid, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_quantile_accum_uuid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.cluster_quantile_accum(featbit.stats, uuid, float8) IS
'Transition function of cluster_quantile_agg(uuid, float8), as that of text.';

CREATE AGGREGATE featbit.quantile_agg(y float8) (
	SFUNC = featbit.quantile_accum,
	STYPE = featbit.stats,
	SSPACE = 65536,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "quantile", "n": 0, "bits": 52, "wanted": 11, "min": 0, "max": 0, "buckets": []}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.quantile_agg(float8) IS
'State of kind quantile over one value per unit: a sketch that merges, whose quantiles are exact up to 4096 different numbers and else have a relative error of at most 2^-11 (0.05 percent), so long as the values do not occupy more than 32768 buckets (16 powers of two, filled); then each bit less doubles it (sketch_accuracy tells). At most a megabyte, whatever the number of rows; the same to the bit for any order of rows and any merging.
y: the value; NULL is ignored; NaN, infinities and numbers beyond 1e140 are ignored and counted in n_bad. Returns the empty state when there is no value.';

CREATE AGGREGATE featbit.quantile_agg(y float8, accuracy float8) (
	SFUNC = featbit.quantile_accum,
	STYPE = featbit.stats,
	SSPACE = 65536,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.quantile_agg(float8, float8) IS
'As quantile_agg(y), with another accuracy: the largest relative error of a quantile, 1e-6 to 0.5, rounded down to a power of two; the same for all rows. A finer one takes more buckets; the limit of 32768 stays. Returns NULL when there is no row. Errors: 22023 for an accuracy out of range or that differs between rows, 22004 for a NULL one.';

CREATE AGGREGATE featbit.cluster_quantile_agg(unit text, y float8) (
	SFUNC = featbit.cluster_quantile_accum,
	STYPE = featbit.stats,
	SSPACE = 262144,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "quantile", "n": 0, "bits": 52, "wanted": 11, "min": 0, "max": 0, "groups": [[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.cluster_quantile_agg(text, float8) IS
'State of kind quantile over rows of units, such as the latency of every request of a user: as quantile_agg(y), with the rows kept apart by 64 groups of units (a hash of the unit), whose differences give the variance that rows of the same unit have in common. Exact up to 65536 different numbers in the groups, then at most 262144 buckets, at most eight megabytes.
unit: what was randomised; y: the value of the row. A row with a NULL is ignored. Returns the empty state when there is no row.';

CREATE AGGREGATE featbit.cluster_quantile_agg(unit bigint, y float8) (
	SFUNC = featbit.cluster_quantile_accum,
	STYPE = featbit.stats,
	SSPACE = 262144,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "quantile", "n": 0, "bits": 52, "wanted": 11, "min": 0, "max": 0, "groups": [[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.cluster_quantile_agg(bigint, float8) IS
'As cluster_quantile_agg(text, float8), for units with a bigint key: the state is that of its decimal text.';

CREATE AGGREGATE featbit.cluster_quantile_agg(unit uuid, y float8) (
	SFUNC = featbit.cluster_quantile_accum,
	STYPE = featbit.stats,
	SSPACE = 262144,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "quantile", "n": 0, "bits": 52, "wanted": 11, "min": 0, "max": 0, "groups": [[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.cluster_quantile_agg(uuid, float8) IS
'As cluster_quantile_agg(text, float8), for units with a uuid key: the state is that of its text in lower case with hyphens.';

CREATE FUNCTION featbit.quantile(state featbit.stats, p float8, discrete boolean DEFAULT false) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_quantile_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.quantile(featbit.stats, float8, boolean) IS
'A quantile of a state of kind quantile. p: 0 to 1 (0.5: the median; 0 and 1 give the exact extremes); discrete: false for percentile_cont''s definition, which interpolates between the two nearest values, true for percentile_disc''s. The error is at most sketch_accuracy(state) times the value. NULL for an empty state. Errors: 22023 for p out of range or a state of another kind.';

CREATE FUNCTION featbit.quantiles(state featbit.stats, p float8[]) RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_quantiles_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.quantiles(featbit.stats, float8[]) IS
'Several quantiles at once, as quantile(state, p). NULL elements give NULLs, and so does an empty state. Errors: those of quantile, 2202E for more than one dimension.';

CREATE FUNCTION featbit.quantile_interval(
	state featbit.stats,
	p float8,
	alpha float8 DEFAULT 0.05,
	OUT value float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT rank_low float8,
	OUT rank_high float8,
	OUT inflation float8,
	OUT n bigint,
	OUT status text)
	AS 'MODULE_PATHNAME', 'fb_quantile_interval_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.quantile_interval(featbit.stats, float8, float8) IS
'A quantile of a state of kind quantile with its interval by order statistics (Deng, Knoblich and Lu 2018, section 4).
Arguments: state; p: 0 to 1, both excluded; alpha.
Returns one row: value; se = sqrt((n - 1) / n) (ci_high - ci_low) / (2 z); ci_low and ci_high: the order statistics of the ranks n (p -+ z sqrt(inflation p (1 - p) / n)), rounded outwards; rank_low, rank_high before rounding; inflation, of a sketch of units: variance of the share of rows at or below the value, from the 64 groups, by that of independent rows (NULL for a sketch of rows); n; status: no_data, insufficient_n (a rank is outside 1 to n: too few values for this p and alpha), zero_variance (all values are equal), resolution (the order statistics are equal or lie in neighbouring buckets), ok.
Errors: 22023 for p or alpha outside (0,1), or a state of another kind. NULL gives NULLs.';

CREATE FUNCTION featbit.quantile_ranks(
	n bigint,
	p float8,
	alpha float8 DEFAULT 0.05,
	method text DEFAULT 'normal',
	OUT rank_low float8,
	OUT rank_high float8,
	OUT lower_index bigint,
	OUT upper_index bigint)
	AS 'MODULE_PATHNAME', 'fb_quantile_ranks_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.quantile_ranks(bigint, float8, float8, text) IS
'Which order statistics of n independent values bound a quantile: for those who have the values sorted.
Arguments: n: number of values; p, alpha: as of quantile_interval; method "normal": n (p -+ z sqrt(p (1 - p) / n)), or "exact": binomial quantiles of alpha / 2 and 1 - alpha / 2, the upper one plus 1, so that the order statistics cover at least 1 - alpha.
Returns rank_low and rank_high before rounding, lower_index and upper_index rounded outwards, NULL where outside 1 to n: that side has no bound.
Errors: 22023 for n < 1, p or alpha outside (0,1), an unknown method. NULL gives NULLs.';

CREATE FUNCTION featbit.share_below(state featbit.stats, y float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_share_below_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.share_below(featbit.stats, float8) IS
'Share of the values of a state of kind quantile at or below y: the distribution function. Within a bucket it is interpolated. NULL for an empty state or NaN. Errors: 22023 for a state of another kind.';

CREATE FUNCTION featbit.sketch_accuracy(state featbit.stats) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sketch_accuracy_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.sketch_accuracy(featbit.stats) IS
'Largest relative error of a quantile of the state: 0 while it is exact, else the width of its buckets. Values nearer to zero than 2.3e-308 count as zero. Errors: 22023 for a state of another kind.';

CREATE FUNCTION featbit.stats_from_quantile(n bigint, value float8, ci_low float8, ci_high float8, alpha float8 DEFAULT 0.05, n_ranks bigint DEFAULT NULL) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_from_quantile' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_from_quantile(bigint, float8, float8, float8, float8, bigint) IS
'A state that compares like a quantile, from one that was computed elsewhere with its order statistics: kind mean with mean = value and variance (n_ranks / n) (n - 1) ((ci_high - ci_low) / (2 z))^2, as GrowthBook has it. Compare such states, but do not merge them.
Arguments: n: values; value: the quantile; ci_low, ci_high: order statistics at the ranks of quantile_ranks; alpha of those ranks; n_ranks: how many values there were where the ranks were taken, NULL for n.
Errors: 22023 for n < 2, a value outside its interval, numbers that are not finite, alpha outside (0,1); 22003 on overflow.';

-- Capping -------------------------------------------------------------------------------------------

CREATE FUNCTION featbit.cap_value(pooled featbit.stats, p float8 DEFAULT 0.999, ignore_zeros boolean DEFAULT false) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_cap_value_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.cap_value(featbit.stats, float8, boolean) IS
'The percentile at which to cap a metric. One value for all arms: pool their sketches with rollup first.
Arguments: pooled: state of kind quantile; p: 0 to 1, both excluded; ignore_zeros: take the percentile among values other than zero.
Returns percentile_cont(p), exact or within sketch_accuracy; NULL where it is not positive, as with sparse metrics: then do not cap (winsorize with a NULL cap does not). Errors: 22023 for p outside (0,1) or a state of another kind.';

CREATE FUNCTION featbit.winsorize(y float8, cap float8, floor float8 DEFAULT NULL) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$ SELECT CASE WHEN y IS NOT NULL THEN greatest(least(y, cap), floor) END $$;

COMMENT ON FUNCTION featbit.winsorize(float8, float8, float8) IS
'The value y, at most cap and at least floor: stats_agg(winsorize(y, cap)). A NULL bound does not bound; a NULL y stays NULL. Give a covariate its own cap.';

CREATE FUNCTION featbit.capping_accum(state featbit.stats, y float8, cap float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_capping_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.capping_accum(featbit.stats, float8, float8) IS
'Transition function of capping: a state of three variates, the capped value, the value, whether they differ. Errors: 22023 for another state, 22004 for none.';

CREATE TYPE featbit.capping_result AS (
	n bigint,
	n_capped bigint,
	share_capped float8,
	total float8,
	total_capped float8,
	share_removed float8
);

COMMENT ON TYPE featbit.capping_result IS
'What a cap did to an arm: n units, n_capped of them capped, share_capped = n_capped / n; total of the values before and total_capped after, share_removed = 1 - total_capped / total.';

CREATE FUNCTION featbit.capping_final(state featbit.stats) RETURNS featbit.capping_result
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ROW(featbit.n(state), round(featbit.total(state, 3))::bigint, round(featbit.total(state, 3)) / nullif(featbit.n(state), 0), featbit.total(state, 2), featbit.total(state, 1),
		CASE WHEN featbit.mean(state, 2) <> 0 THEN 1 - featbit.mean(state, 1) / featbit.mean(state, 2) END)::featbit.capping_result
$$;

COMMENT ON FUNCTION featbit.capping_final(featbit.stats) IS
'Final function of capping.';

CREATE AGGREGATE featbit.capping(y float8, cap float8) (
	SFUNC = featbit.capping_accum,
	STYPE = featbit.stats,
	SSPACE = 120,
	COMBINEFUNC = featbit.stats_merge,
	FINALFUNC = featbit.capping_final,
	INITCOND = '{"kind": "cuped", "n": 0, "means": [0, 0, 0], "comoments": [0, 0, 0, 0, 0, 0]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.capping(float8, float8) IS
'What a cap does to an arm, to be shown beside its result: arms that differ in it differ in their tails. y: the value of a unit, NULL ignored; cap: as of winsorize. Returns featbit.capping_result; read it with .*';

-- Bootstrap -----------------------------------------------------------------------------------------

CREATE FUNCTION featbit.bootstrap_accum(state featbit.stats, unit text, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_accum(featbit.stats, text, float8) IS
'Transition function of bootstrap_agg(text, float8): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_agg(unit text, y float8) (
	SFUNC = featbit.bootstrap_accum,
	STYPE = featbit.stats,
	SSPACE = 4096,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_agg(text, float8) IS
'State of kind bootstrap: the mean of y in the sample and in 200 replicates of the Poisson bootstrap (Chamandy et al. 2012). In a replicate a unit weighs as often as bootstrap_weight(unit, replicate) says, a Poisson variable that a hash of the unit and the number of the replicate settle: neither the order of rows nor the plan nor merging changes it, and metrics over the same units have the same weights. All rows of a unit weigh alike, so that with several rows per unit this is the bootstrap of clusters: the mean over rows with the variance between units.
unit: what was randomised; y: the value. A row with a NULL is ignored; values that are NaN, infinite or beyond 1e140 are ignored and counted in n_bad. Returns NULL when there is no row. Costs about a nanosecond and a half for each row and replicate.';

CREATE FUNCTION featbit.bootstrap_accum(state featbit.stats, unit text, y float8, replicates int) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_accum(featbit.stats, text, float8, int) IS
'Transition function of bootstrap_agg(text, float8, int): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_agg(unit text, y float8, replicates int) (
	SFUNC = featbit.bootstrap_accum,
	STYPE = featbit.stats,
	SSPACE = 4096,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_agg(text, float8, int) IS
'As bootstrap_agg(text, float8) with another number of replicates, 20 to 10000, the same for all rows: 200 give a standard error with three percent accuracy, intervals by percentiles need 1000. Errors: 22023 for replicates out of range or that differ between rows, 22004 for NULL.';

CREATE FUNCTION featbit.bootstrap_accum(state featbit.stats, unit bigint, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_accum_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_accum(featbit.stats, bigint, float8) IS
'Transition function of bootstrap_agg(bigint, float8): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_agg(unit bigint, y float8) (
	SFUNC = featbit.bootstrap_accum,
	STYPE = featbit.stats,
	SSPACE = 4096,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_agg(bigint, float8) IS
'As bootstrap_agg(text, float8), for units with a bigint key: the weights are those of its text.';

CREATE FUNCTION featbit.bootstrap_accum(state featbit.stats, unit bigint, y float8, replicates int) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_accum_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_accum(featbit.stats, bigint, float8, int) IS
'Transition function of bootstrap_agg(bigint, float8, int): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_agg(unit bigint, y float8, replicates int) (
	SFUNC = featbit.bootstrap_accum,
	STYPE = featbit.stats,
	SSPACE = 4096,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_agg(bigint, float8, int) IS
'As bootstrap_agg(bigint, float8) with another number of replicates, 20 to 10000, the same for all rows: 200 give a standard error with three percent accuracy, intervals by percentiles need 1000. Errors: 22023 for replicates out of range or that differ between rows, 22004 for NULL.';

CREATE FUNCTION featbit.bootstrap_accum(state featbit.stats, unit uuid, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_accum(featbit.stats, uuid, float8) IS
'Transition function of bootstrap_agg(uuid, float8): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_agg(unit uuid, y float8) (
	SFUNC = featbit.bootstrap_accum,
	STYPE = featbit.stats,
	SSPACE = 4096,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_agg(uuid, float8) IS
'As bootstrap_agg(text, float8), for units with a uuid key: the weights are those of its text.';

CREATE FUNCTION featbit.bootstrap_accum(state featbit.stats, unit uuid, y float8, replicates int) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_accum(featbit.stats, uuid, float8, int) IS
'Transition function of bootstrap_agg(uuid, float8, int): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_agg(unit uuid, y float8, replicates int) (
	SFUNC = featbit.bootstrap_accum,
	STYPE = featbit.stats,
	SSPACE = 4096,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_agg(uuid, float8, int) IS
'As bootstrap_agg(uuid, float8) with another number of replicates, 20 to 10000, the same for all rows: 200 give a standard error with three percent accuracy, intervals by percentiles need 1000. Errors: 22023 for replicates out of range or that differ between rows, 22004 for NULL.';

CREATE FUNCTION featbit.bootstrap_ratio_accum(state featbit.stats, unit text, num float8, den float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_ratio_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_ratio_accum(featbit.stats, text, float8, float8) IS
'Transition function of bootstrap_ratio_agg(text, float8, float8): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_ratio_agg(unit text, num float8, den float8) (
	SFUNC = featbit.bootstrap_ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 6144,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_ratio_agg(text, float8, float8) IS
'State of kind bootstrap of the ratio sum(num) / sum(den), as bootstrap_agg(unit, y): for ratios whose normal approximation is in doubt. unit: what was randomised; num, den: sums of the unit, or of each of its rows.';

CREATE FUNCTION featbit.bootstrap_ratio_accum(state featbit.stats, unit text, num float8, den float8, replicates int) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_ratio_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_ratio_accum(featbit.stats, text, float8, float8, int) IS
'Transition function of bootstrap_ratio_agg(text, float8, float8, int): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_ratio_agg(unit text, num float8, den float8, replicates int) (
	SFUNC = featbit.bootstrap_ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 6144,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_ratio_agg(text, float8, float8, int) IS
'As bootstrap_ratio_agg(text, float8, float8) with another number of replicates, 20 to 10000, the same for all rows: 200 give a standard error with three percent accuracy, intervals by percentiles need 1000. Errors: 22023 for replicates out of range or that differ between rows, 22004 for NULL.';

CREATE FUNCTION featbit.bootstrap_ratio_accum(state featbit.stats, unit bigint, num float8, den float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_ratio_accum_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_ratio_accum(featbit.stats, bigint, float8, float8) IS
'Transition function of bootstrap_ratio_agg(bigint, float8, float8): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_ratio_agg(unit bigint, num float8, den float8) (
	SFUNC = featbit.bootstrap_ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 6144,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_ratio_agg(bigint, float8, float8) IS
'As bootstrap_ratio_agg(text, float8, float8), for units with a bigint key: the weights are those of its text.';

CREATE FUNCTION featbit.bootstrap_ratio_accum(state featbit.stats, unit bigint, num float8, den float8, replicates int) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_ratio_accum_int8' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_ratio_accum(featbit.stats, bigint, float8, float8, int) IS
'Transition function of bootstrap_ratio_agg(bigint, float8, float8, int): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_ratio_agg(unit bigint, num float8, den float8, replicates int) (
	SFUNC = featbit.bootstrap_ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 6144,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_ratio_agg(bigint, float8, float8, int) IS
'As bootstrap_ratio_agg(bigint, float8, float8) with another number of replicates, 20 to 10000, the same for all rows: 200 give a standard error with three percent accuracy, intervals by percentiles need 1000. Errors: 22023 for replicates out of range or that differ between rows, 22004 for NULL.';

CREATE FUNCTION featbit.bootstrap_ratio_accum(state featbit.stats, unit uuid, num float8, den float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_ratio_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_ratio_accum(featbit.stats, uuid, float8, float8) IS
'Transition function of bootstrap_ratio_agg(uuid, float8, float8): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_ratio_agg(unit uuid, num float8, den float8) (
	SFUNC = featbit.bootstrap_ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 6144,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_ratio_agg(uuid, float8, float8) IS
'As bootstrap_ratio_agg(text, float8, float8), for units with a uuid key: the weights are those of its text.';

CREATE FUNCTION featbit.bootstrap_ratio_accum(state featbit.stats, unit uuid, num float8, den float8, replicates int) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_bootstrap_ratio_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_ratio_accum(featbit.stats, uuid, float8, float8, int) IS
'Transition function of bootstrap_ratio_agg(uuid, float8, float8, int): the state with one row of a unit more; NULL stands for no row yet. Errors: those of the aggregate, 22023 for a state of another kind.';

CREATE AGGREGATE featbit.bootstrap_ratio_agg(unit uuid, num float8, den float8, replicates int) (
	SFUNC = featbit.bootstrap_ratio_accum,
	STYPE = featbit.stats,
	SSPACE = 6144,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bootstrap_ratio_agg(uuid, float8, float8, int) IS
'As bootstrap_ratio_agg(uuid, float8, float8) with another number of replicates, 20 to 10000, the same for all rows: 200 give a standard error with three percent accuracy, intervals by percentiles need 1000. Errors: 22023 for replicates out of range or that differ between rows, 22004 for NULL.';

CREATE FUNCTION featbit.replicates(state featbit.stats) RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_replicates_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.replicates(featbit.stats) IS
'The estimates of the replicates of a state of kind bootstrap, NULL where one has no weight: for statistics of your own over several states of the same units, replicate by replicate. Errors: 22023 for a state of another kind.';

CREATE FUNCTION featbit.bootstrap_weight(unit text, replicate int) RETURNS int
	AS 'MODULE_PATHNAME', 'fb_bootstrap_weight_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bootstrap_weight(text, int) IS
'How often a unit counts in a replicate of the Poisson bootstrap, for engines that compute replicates elsewhere: with h = XXH3_64(unit in UTF-8) + replicate * 0x9E3779B97F4A7C15, through the finalizer of SplitMix64, the number of poisson_thresholds() that do not exceed its upper 32 bits. unit: key as text (bigint in decimal, uuid in lower case); replicate: 1 to 10000. Errors: 22023 for a replicate out of range.';

CREATE FUNCTION featbit.poisson_thresholds() RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'fb_poisson_thresholds_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.poisson_thresholds() IS
'floor(2^32 F(k)) for k = 0, 1, ... of the Poisson distribution with mean 1.';
