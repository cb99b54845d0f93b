
-- The sketches of all variations in one -------------------------------------------------------------

CREATE TYPE featbit.variation_quantiles;

CREATE FUNCTION featbit.variation_quantiles_in(cstring) RETURNS featbit.variation_quantiles
	AS 'MODULE_PATHNAME', 'fb_variation_quantiles_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_quantiles_out(featbit.variation_quantiles) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_variation_quantiles_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_quantiles_recv(internal) RETURNS featbit.variation_quantiles
	AS 'MODULE_PATHNAME', 'fb_variation_quantiles_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_quantiles_send(featbit.variation_quantiles) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_variation_quantiles_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.variation_quantiles_in(cstring) IS
'Input function of type featbit.variation_quantiles. Errors: 22P02 for text that is not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.variation_quantiles_out(featbit.variation_quantiles) IS
'Output function of type featbit.variation_quantiles: a JSON object that restores the state to the bit, its variations in the order of their bytes.';
COMMENT ON FUNCTION featbit.variation_quantiles_recv(internal) IS
'Binary input function of type featbit.variation_quantiles. Errors: 22P03 for bytes that are not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.variation_quantiles_send(featbit.variation_quantiles) IS
'Binary output function of type featbit.variation_quantiles, in network byte order: version (one byte), the number of variations (4 bytes); for each variation the length of its name (4 bytes), the name, the length of its state (4 bytes) and the state in the binary form of featbit.stats.';

CREATE TYPE featbit.variation_quantiles (
	INPUT = featbit.variation_quantiles_in,
	OUTPUT = featbit.variation_quantiles_out,
	RECEIVE = featbit.variation_quantiles_recv,
	SEND = featbit.variation_quantiles_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.variation_quantiles IS
'Mergeable sketches of several variations in one value, all of kind quantile. Text form: a JSON object with version and variations, an object of states in their own text form. Made by quantiles_by_variation, merged by rollup over disjoint units, turned into rows by variations.';

CREATE FUNCTION featbit.variation_quantiles_accum(state featbit.variation_quantiles, variation text, y float8) RETURNS featbit.variation_quantiles
	AS 'MODULE_PATHNAME', 'fb_variation_quantiles_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.variation_quantiles_accum(state featbit.variation_quantiles, variation text, y float8, accuracy float8) RETURNS featbit.variation_quantiles
	AS 'MODULE_PATHNAME', 'fb_variation_quantiles_accum_accuracy' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.variation_quantiles_merge(featbit.variation_quantiles, featbit.variation_quantiles) RETURNS featbit.variation_quantiles
	AS 'MODULE_PATHNAME', 'fb_variation_quantiles_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.variation_quantiles_accum(featbit.variation_quantiles, text, float8) IS
'Transition function of quantiles_by_variation(text, float8): the state with one value more. Errors: 54000 for more than 1000 variations or a name longer than 1000 bytes, 22023 for a state of another accuracy.';
COMMENT ON FUNCTION featbit.variation_quantiles_accum(featbit.variation_quantiles, text, float8, float8) IS
'Transition function of quantiles_by_variation(text, float8, float8): the state with one value more; NULL stands for no value yet. Errors: 22023 for an accuracy outside 1e-6 to 0.5 or that is not the same for all rows, 22004 for a NULL one, 54000 for more than 1000 variations or a name longer than 1000 bytes.';
COMMENT ON FUNCTION featbit.variation_quantiles_merge(featbit.variation_quantiles, featbit.variation_quantiles) IS
'The state of the union of two disjoint sets of units: combine function of quantiles_by_variation and rollup. Errors: 54000 for more than 1000 variations, 22003 on overflow.';

CREATE AGGREGATE featbit.quantiles_by_variation(variation text, y float8) (
	SFUNC = featbit.variation_quantiles_accum,
	STYPE = featbit.variation_quantiles,
	SSPACE = 131072,
	COMBINEFUNC = featbit.variation_quantiles_merge,
	INITCOND = '{"variations": {}}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.quantiles_by_variation(text, float8) IS
'quantile_agg(y) of every variation in one state, faster than GROUP BY because rows need no grouping; variations(state) makes rows of it. variation: compared by its bytes; a row without one is ignored; y: as of quantile_agg. Errors: 54000 for more than 1000 variations, a name longer than 1000 bytes or a state beyond a gigabyte.';

CREATE AGGREGATE featbit.quantiles_by_variation(variation text, y float8, accuracy float8) (
	SFUNC = featbit.variation_quantiles_accum,
	STYPE = featbit.variation_quantiles,
	SSPACE = 131072,
	COMBINEFUNC = featbit.variation_quantiles_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.quantiles_by_variation(text, float8, float8) IS
'As quantiles_by_variation(variation, y), with another accuracy: the largest relative error of a quantile, 1e-6 to 0.5, rounded down to a power of two; the same for all rows. Returns NULL when there is no row. Errors: also 22023 for an accuracy out of range or that differs between rows, 22004 for a NULL one.';

CREATE AGGREGATE featbit.rollup(featbit.variation_quantiles) (
	SFUNC = featbit.variation_quantiles_merge,
	STYPE = featbit.variation_quantiles,
	SSPACE = 131072,
	COMBINEFUNC = featbit.variation_quantiles_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.variation_quantiles) IS
'Merges sketches of variations over disjoint units. NULL states are ignored; NULL when there is none. Errors: 22003 on overflow, 54000 for more than 1000 variations.';

CREATE FUNCTION featbit.variations(state featbit.variation_quantiles) RETURNS TABLE (variation text, stats featbit.stats)
	AS 'MODULE_PATHNAME', 'fb_quantile_variations' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 3;

COMMENT ON FUNCTION featbit.variations(featbit.variation_quantiles) IS
'A row for each variation of a state of quantiles_by_variation, in the order of their bytes: variation and its stats of kind quantile. NULL gives no rows.';
