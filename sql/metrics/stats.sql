
-- The state of every statistic ---------------------------------------------------------------------

CREATE TYPE featbit.stats;

CREATE FUNCTION featbit.stats_in(cstring) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_in(cstring) IS
'Input function of type featbit.stats. Errors: 22P02 for text that is not a valid state; the detail says why.';

CREATE FUNCTION featbit.stats_out(featbit.stats) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_stats_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_out(featbit.stats) IS
'Output function of type featbit.stats: a JSON object that restores the state to the bit.';

CREATE FUNCTION featbit.stats_recv(internal) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_recv(internal) IS
'Binary input function of type featbit.stats. Errors: 22P03 for bytes that are not a valid state; the detail says why.';

CREATE FUNCTION featbit.stats_send(featbit.stats) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_stats_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_send(featbit.stats) IS
'Binary output function of type featbit.stats, in network byte order: version, kind, number of variates, flags (one byte each), n, n_bad (8 bytes each), then successes, or means and co-moments, as float8; of kind quantile (whose number of variates is the bits of a bucket) min and max as float8, wanted bits and number of groups, 4 bytes each, the number of buckets of each group, 4 bytes, and key and count of each bucket, 8 bytes each; of kind bootstrap the number of replicates, 4 bytes, the shift, and for the sample and each replicate weight, sum and, of a ratio, denominator as float8.';

CREATE TYPE featbit.stats (
	INPUT = featbit.stats_in,
	OUTPUT = featbit.stats_out,
	RECEIVE = featbit.stats_recv,
	SEND = featbit.stats_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.stats IS
'Mergeable state of a statistic over units: count, means and co-moments (sums of squares and products about the means) of up to 16 variates, or a sketch, or replicates. Kinds: proportion, mean, cuped, ratio, ratio_cuped, shape, quantile, bootstrap. Text form: a JSON object with version, kind, n, n_bad and successes, or means and comoments (lower triangle by rows; of kind shape the sums of powers 2 to 4), of a cuped state with missing covariates also "missing": true; of kind quantile bits, wanted, min, max and buckets or groups (key and count in turn), of kind bootstrap shift or denominators, weights and sums. Made by stats_agg, ratio_agg, shape_agg, quantile_agg, cluster_quantile_agg, bootstrap_agg, bootstrap_ratio_agg and stats_from_counts, merged by rollup (over disjoint units), read by n, mean, variance, stddev, total, covariance and compared by effect.';

CREATE FUNCTION featbit.stats_accum(state featbit.stats, y float8) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_accum_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_accum(featbit.stats, float8) IS
'Transition function of stats_agg(float8): the state with one value more (Welford 1962); what is NaN, infinite or beyond 1e140 is only counted in n_bad. Errors: 22023 for a state that is not of kind mean.';

CREATE FUNCTION featbit.stats_accum(state featbit.stats, y boolean) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_accum_bool' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_accum(featbit.stats, boolean) IS
'Transition function of stats_agg(boolean): the state with one unit more. Errors: 22023 for a state that is not of kind proportion.';

CREATE FUNCTION featbit.stats_merge(featbit.stats, featbit.stats) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_merge_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_merge(featbit.stats, featbit.stats) IS
'The state of the union of two disjoint sets of units (Chan, Golub and LeVeque 1979; sketches and replicates add up): combine function of stats_agg and rollup. Errors: 22023 for states of different kinds, 22003 on overflow.';

CREATE AGGREGATE featbit.stats_agg(y float8) (
	SFUNC = featbit.stats_accum,
	STYPE = featbit.stats,
	SSPACE = 48,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "mean", "n": 0, "means": [0], "comoments": [0]}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.stats_agg(float8) IS
'State of kind mean over one value per unit (sum events per unit first). y: the value; NULL is ignored (it is no zero), NaN, infinities and numbers beyond 1e140, whose squares could leave double precision, are ignored and counted in n_bad. Returns the empty state when there is no value.';

CREATE AGGREGATE featbit.stats_agg(y boolean) (
	SFUNC = featbit.stats_accum,
	STYPE = featbit.stats,
	SSPACE = 40,
	COMBINEFUNC = featbit.stats_merge,
	INITCOND = '{"kind": "proportion", "n": 0, "successes": 0}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.stats_agg(boolean) IS
'State of kind proportion over one truth value per unit, with exact counts. y: whether the unit converted; NULL is ignored. Returns the empty state when there is no value.';

CREATE AGGREGATE featbit.rollup(featbit.stats) (
	SFUNC = featbit.stats_merge,
	STYPE = featbit.stats,
	SSPACE = 48,
	COMBINEFUNC = featbit.stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.stats) IS
'Merges states of one kind over disjoint units: states of the same units, such as those of two days, must not be merged. NULL states are ignored; NULL when there is none. Errors: 22023 for states of different kinds, 22003 on overflow.';

CREATE FUNCTION featbit.stats_from_counts(n bigint, successes bigint) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_from_counts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stats_from_counts(bigint, bigint) IS
'State of kind proportion from counts that are already aggregated. n: units, 0 to 2^53; successes: how many of them converted. Errors: 22023 for successes outside 0 to n. NULL gives NULL.';

CREATE FUNCTION featbit.with_zeros(state featbit.stats, n_total bigint) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_stats_with_zeros' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.with_zeros(featbit.stats, bigint) IS
'Adds the units that did nothing without reading them: the state merged with zeros up to n_total units, equal to aggregating an outer join with coalesce(y, 0). state: of the units with events; n_total: all units. Errors: 22023 when n_total is less than n(state), or for a sketch of units or a bootstrap, which would have to know them. NULL gives NULL.';

CREATE FUNCTION featbit.n(state featbit.stats) RETURNS bigint
	AS 'MODULE_PATHNAME', 'fb_stats_n' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.n(featbit.stats) IS
'Number of units in the state, without those ignored. NULL gives NULL.';

CREATE FUNCTION featbit.n_bad(state featbit.stats) RETURNS bigint
	AS 'MODULE_PATHNAME', 'fb_stats_n_bad' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.n_bad(featbit.stats) IS
'Number of values that were ignored because they were NaN, infinite or beyond 1e140. NULL gives NULL.';

CREATE FUNCTION featbit.mean(state featbit.stats) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_mean_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.mean(featbit.stats) IS
'Mean of the first variate; for a proportion successes / n. NULL for an empty state. Errors: 22023 for a sketch or bootstrap, as for all accessors of moments.';

CREATE FUNCTION featbit.mean(state featbit.stats, variate int) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_mean_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.mean(featbit.stats, int) IS
'Mean of a variate, counted from 1. NULL for an empty state. Errors: 22023 for a variate that the state does not have.';

CREATE FUNCTION featbit.variance(state featbit.stats) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_variance_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.variance(featbit.stats) IS
'Variance of the first variate as comparisons use it: sample variance with denominator n - 1; for a proportion p (1 - p). NULL with fewer than two units.';

CREATE FUNCTION featbit.variance(state featbit.stats, variate int) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_variance_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.variance(featbit.stats, int) IS
'Variance of a variate, counted from 1, as variance(stats). Errors: 22023 for a variate that the state does not have.';

CREATE FUNCTION featbit.stddev(state featbit.stats) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_stddev_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stddev(featbit.stats) IS
'Standard deviation of the first variate, the square root of variance(stats). NULL with fewer than two units.';

CREATE FUNCTION featbit.stddev(state featbit.stats, variate int) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_stddev_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.stddev(featbit.stats, int) IS
'Standard deviation of a variate, counted from 1. NULL with fewer than two units. Errors: 22023 for a variate that the state does not have.';

CREATE FUNCTION featbit.total(state featbit.stats) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_total_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.total(featbit.stats) IS
'Sum of the first variate; for a proportion the exact number of successes, else n times mean. NULL when it exceeds double precision.';

CREATE FUNCTION featbit.total(state featbit.stats, variate int) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_total_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.total(featbit.stats, int) IS
'Sum of a variate, counted from 1. Errors: 22023 for a variate that the state does not have.';

CREATE FUNCTION featbit.covariance(state featbit.stats, i int, j int) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_stats_covariance_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.covariance(featbit.stats, int, int) IS
'Sample covariance (denominator n - 1) of two variates, counted from 1; of one with itself its variance. NULL with fewer than two units. Errors: 22023 for a variate that the state does not have.';
