
-- The states of all variations in one --------------------------------------------------------------

CREATE TYPE featbit.variation_stats;

CREATE FUNCTION featbit.variation_stats_in(cstring) RETURNS featbit.variation_stats
	AS 'MODULE_PATHNAME', 'fb_variation_stats_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_stats_out(featbit.variation_stats) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_variation_stats_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_stats_recv(internal) RETURNS featbit.variation_stats
	AS 'MODULE_PATHNAME', 'fb_variation_stats_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_stats_send(featbit.variation_stats) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_variation_stats_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.variation_stats_in(cstring) IS
'Input function of type featbit.variation_stats. Errors: 22P02 for text that is not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.variation_stats_out(featbit.variation_stats) IS
'Output function of type featbit.variation_stats: a JSON object that restores the state to the bit, its variations in the order of their bytes.';
COMMENT ON FUNCTION featbit.variation_stats_recv(internal) IS
'Binary input function of type featbit.variation_stats. Errors: 22P03 for bytes that are not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.variation_stats_send(featbit.variation_stats) IS
'Binary output function of type featbit.variation_stats, in network byte order: version, kind (one byte each), the number of variations (4 bytes); for each variation the length of its name (4 bytes), the name, flags (one byte: 1 with the indicator of missing covariates), n, n_bad (8 bytes each), then the numbers of the state as in the binary form of featbit.stats, as float8.';

CREATE TYPE featbit.variation_stats (
	INPUT = featbit.variation_stats_in,
	OUTPUT = featbit.variation_stats_out,
	RECEIVE = featbit.variation_stats_recv,
	SEND = featbit.variation_stats_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.variation_stats IS
'Mergeable states of several variations in one value, all of kind mean, all of kind proportion or all of kind cuped with one covariate. Text form: a JSON object with version, kind and variations, an object of states in their own text form. Made by stats_by_variation, merged by rollup over disjoint units, turned into rows by variations.';

CREATE FUNCTION featbit.variation_stats_accum(state featbit.variation_stats, variation text, y float8) RETURNS featbit.variation_stats
	AS 'MODULE_PATHNAME', 'fb_variation_stats_accum_float8' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_stats_accum(state featbit.variation_stats, variation text, y boolean) RETURNS featbit.variation_stats
	AS 'MODULE_PATHNAME', 'fb_variation_stats_accum_bool' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_stats_accum(state featbit.variation_stats, variation text, y float8, x float8) RETURNS featbit.variation_stats
	AS 'MODULE_PATHNAME', 'fb_variation_stats_accum_pair' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.variation_stats_merge(featbit.variation_stats, featbit.variation_stats) RETURNS featbit.variation_stats
	AS 'MODULE_PATHNAME', 'fb_variation_stats_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_stats_final(featbit.variation_stats) RETURNS featbit.variation_stats
	AS 'MODULE_PATHNAME', 'fb_variation_stats_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.variation_stats_accum(featbit.variation_stats, text, float8) IS
'Transition function of stats_by_variation(text, float8): the state with one value more. Errors: 22023 for a state of another kind, 54000 for more than 1000 variations or a name longer than 1000 bytes.';
COMMENT ON FUNCTION featbit.variation_stats_accum(featbit.variation_stats, text, boolean) IS
'Transition function of stats_by_variation(text, boolean): the state with one unit more. Errors: 22023 for a state of another kind, 54000 for more than 1000 variations or a name longer than 1000 bytes.';
COMMENT ON FUNCTION featbit.variation_stats_accum(featbit.variation_stats, text, float8, float8) IS
'Transition function of stats_by_variation(text, float8, float8): the state with one value and its covariate more. Errors: 22004 for a NULL state, 22023 for a state of another kind, 54000 for more than 1000 variations or a name longer than 1000 bytes.';
COMMENT ON FUNCTION featbit.variation_stats_merge(featbit.variation_stats, featbit.variation_stats) IS
'The state of the union of two disjoint sets of units: combine function of stats_by_variation and rollup. Errors: 22023 for states of different kinds, 22003 on overflow, 54000 for more than 1000 variations.';
COMMENT ON FUNCTION featbit.variation_stats_final(featbit.variation_stats) IS
'Final function of stats_by_variation and rollup: the state with its variations in order, without room to grow.';

CREATE AGGREGATE featbit.stats_by_variation(variation text, y float8) (
	SFUNC = featbit.variation_stats_accum,
	STYPE = featbit.variation_stats,
	SSPACE = 512,
	FINALFUNC = featbit.variation_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.variation_stats_merge,
	INITCOND = '{"kind": "mean", "variations": {}}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.stats_by_variation(text, float8) IS
'stats_agg(y) of every variation in one state, faster than GROUP BY because rows need no grouping; variations(state) makes rows of it. variation: compared by its bytes; a row without one is ignored; y: as of stats_agg. Errors: 54000 for more than 1000 variations or a name longer than 1000 bytes.';

CREATE AGGREGATE featbit.stats_by_variation(variation text, y boolean) (
	SFUNC = featbit.variation_stats_accum,
	STYPE = featbit.variation_stats,
	SSPACE = 512,
	FINALFUNC = featbit.variation_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.variation_stats_merge,
	INITCOND = '{"kind": "proportion", "variations": {}}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.stats_by_variation(text, boolean) IS
'stats_agg(y) of every variation in one state, for whether a unit converted; otherwise as stats_by_variation(text, float8).';

CREATE AGGREGATE featbit.stats_by_variation(variation text, y float8, x float8) (
	SFUNC = featbit.variation_stats_accum,
	STYPE = featbit.variation_stats,
	SSPACE = 512,
	FINALFUNC = featbit.variation_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.variation_stats_merge,
	INITCOND = '{"kind": "cuped", "variations": {}}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.stats_by_variation(text, float8, float8) IS
'stats_agg(y, x) of every variation in one state, of kind cuped. x: the covariate, known before the unit was exposed; NULL keeps the unit, as with stats_agg(y, x). For several covariates group by the variation and use stats_agg(y, x[]). Otherwise as stats_by_variation(text, float8).';

CREATE AGGREGATE featbit.rollup(featbit.variation_stats) (
	SFUNC = featbit.variation_stats_merge,
	STYPE = featbit.variation_stats,
	SSPACE = 512,
	FINALFUNC = featbit.variation_stats_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.variation_stats_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.variation_stats) IS
'Merges states of variations over disjoint units. NULL states are ignored; NULL when there is none. Errors: 22023 for states of different kinds, 22003 on overflow, 54000 for more than 1000 variations.';

CREATE FUNCTION featbit.variations(state featbit.variation_stats) RETURNS TABLE (variation text, stats featbit.stats)
	AS 'MODULE_PATHNAME', 'fb_variations' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 3;

COMMENT ON FUNCTION featbit.variations(featbit.variation_stats) IS
'A row for each variation of a state of stats_by_variation, in the order of their bytes: variation and its stats. NULL gives no rows.';
