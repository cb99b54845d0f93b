-- unit_agg: from events to units ----------------------------------------------------------------

CREATE TYPE featbit.unit_sums;

CREATE FUNCTION featbit.unit_sums_in(cstring) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sums_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sums_out(featbit.unit_sums) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_unit_sums_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sums_recv(internal) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sums_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sums_send(featbit.unit_sums) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_unit_sums_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.unit_sums_in(cstring) IS 'reads the text form of a state of unit_agg, \x and hexadecimal digits; anything that no events could have made is error 22P02';
COMMENT ON FUNCTION featbit.unit_sums_out(featbit.unit_sums) IS 'writes the text form of a state of unit_agg';
COMMENT ON FUNCTION featbit.unit_sums_recv(internal) IS 'reads the binary form of a state of unit_agg; anything that no events could have made is error 22P03';
COMMENT ON FUNCTION featbit.unit_sums_send(featbit.unit_sums) IS 'writes the binary form of a state of unit_agg, in network byte order';

CREATE TYPE featbit.unit_sums (
	INPUT = featbit.unit_sums_in,
	OUTPUT = featbit.unit_sums_out,
	RECEIVE = featbit.unit_sums_recv,
	SEND = featbit.unit_sums_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.unit_sums IS 'sums of values per unit: the state of unit_agg(unit, value) while it is made';

CREATE FUNCTION featbit.unit_sum(featbit.unit_sums, unit bigint, value float8) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sum_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sum(featbit.unit_sums, unit uuid, value float8) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sum(featbit.unit_sums, unit text, value float8) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sum(featbit.unit_sums, unit bigint, value float8, cap float8) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sum_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sum(featbit.unit_sums, unit uuid, value float8, cap float8) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sum(featbit.unit_sums, unit text, value float8, cap float8) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sums_combine(featbit.unit_sums, featbit.unit_sums) RETURNS featbit.unit_sums
	AS 'MODULE_PATHNAME', 'fb_unit_sums_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_sums_stats(featbit.unit_sums) RETURNS featbit.stats
	AS 'MODULE_PATHNAME', 'fb_unit_sums_stats' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.unit_sum(featbit.unit_sums, bigint, float8) IS 'transition function of unit_agg(unit, value); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_sum(featbit.unit_sums, uuid, float8) IS 'transition function of unit_agg(unit, value); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_sum(featbit.unit_sums, text, float8) IS 'transition function of unit_agg(unit, value); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_sum(featbit.unit_sums, bigint, float8, float8) IS 'transition function of unit_agg(unit, value); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_sum(featbit.unit_sums, uuid, float8, float8) IS 'transition function of unit_agg(unit, value); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_sum(featbit.unit_sums, text, float8, float8) IS 'transition function of unit_agg(unit, value); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_sums_combine(featbit.unit_sums, featbit.unit_sums) IS 'combine function of unit_agg(unit, value); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_sums_stats(featbit.unit_sums) IS 'final function of unit_agg(unit, value): the moments of the sums';

CREATE AGGREGATE featbit.unit_agg(unit bigint, value float8) (
	SFUNC = featbit.unit_sum,
	STYPE = featbit.unit_sums,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_sums_stats,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_sums_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(bigint, float8) IS 'stats of kind mean over units whose events come in any order: values are summed per unit, then the moments of the sums are taken, in one pass. unit: NULL is ignored. value: NULL is ignored; NaN, infinite and beyond 1e140 is ignored and counted in n_bad. Only units with events are there; with_zeros(stats, n_total) adds the others. Returns the empty state without rows. Errors: 53200 when the units need more than work_mem * hash_mem_multiplier; the hint says how to take a part of them at a time';

CREATE AGGREGATE featbit.unit_agg(unit uuid, value float8) (
	SFUNC = featbit.unit_sum,
	STYPE = featbit.unit_sums,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_sums_stats,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_sums_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(uuid, float8) IS 'stats over uuid units; as unit_agg(bigint, float8)';

CREATE AGGREGATE featbit.unit_agg(unit text, value float8) (
	SFUNC = featbit.unit_sum,
	STYPE = featbit.unit_sums,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_sums_stats,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_sums_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(text, float8) IS 'stats over text units; as unit_agg(bigint, float8)';

CREATE AGGREGATE featbit.unit_agg(unit bigint, value float8, cap float8) (
	SFUNC = featbit.unit_sum,
	STYPE = featbit.unit_sums,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_sums_stats,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_sums_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(bigint, float8, float8) IS 'stats of the sums per unit, each at most cap (not its events); cap is finite, NULL for none, and the same in all rows (22023). Else as unit_agg(bigint, float8)';

CREATE AGGREGATE featbit.unit_agg(unit uuid, value float8, cap float8) (
	SFUNC = featbit.unit_sum,
	STYPE = featbit.unit_sums,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_sums_stats,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_sums_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(uuid, float8, float8) IS 'stats of capped sums over uuid units; as unit_agg(bigint, float8, float8)';

CREATE AGGREGATE featbit.unit_agg(unit text, value float8, cap float8) (
	SFUNC = featbit.unit_sum,
	STYPE = featbit.unit_sums,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_sums_stats,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_sums_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(text, float8, float8) IS 'stats of capped sums over text units; as unit_agg(bigint, float8, float8)';

CREATE TYPE featbit.unit_outcomes;

CREATE FUNCTION featbit.unit_outcomes_in(cstring) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_outcomes_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.unit_outcomes_out(featbit.unit_outcomes) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_unit_outcomes_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.unit_outcomes_recv(internal) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_outcomes_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.unit_outcomes_send(featbit.unit_outcomes) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_unit_outcomes_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.unit_outcomes_in(cstring) IS 'reads the text form of a state of unit_agg, \x and hexadecimal digits; anything that no events could have made is error 22P02';
COMMENT ON FUNCTION featbit.unit_outcomes_out(featbit.unit_outcomes) IS 'writes the text form of a state of unit_agg';
COMMENT ON FUNCTION featbit.unit_outcomes_recv(internal) IS 'reads the binary form of a state of unit_agg; anything that no events could have made is error 22P03';
COMMENT ON FUNCTION featbit.unit_outcomes_send(featbit.unit_outcomes) IS 'writes the binary form of a state of unit_agg, in network byte order';

CREATE TYPE featbit.unit_outcomes (
	INPUT = featbit.unit_outcomes_in,
	OUTPUT = featbit.unit_outcomes_out,
	RECEIVE = featbit.unit_outcomes_recv,
	SEND = featbit.unit_outcomes_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.unit_outcomes IS 'what the units of an exposure map did, for one or more metrics: the state of unit_agg(map, unit, at, value). It holds a row of numbers per unit and the fingerprint of its map; read it with that map by unit_stats or unit_values, merge states of one map and the same metrics with rollup';

CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit bigint, at timestamptz, value float8) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit uuid, at timestamptz, value float8) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit text, at timestamptz, value float8) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit bigint, at timestamptz, value float8, metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit uuid, at timestamptz, value float8, metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit text, at timestamptz, value float8, metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit bigint, at timestamptz, "values" float8[], metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_array_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit uuid, at timestamptz, "values" float8[], metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_array_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit text, at timestamptz, "values" float8[], metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_array_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit bigint, at timestamptz, event text, value float8, metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_event_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit uuid, at timestamptz, event text, value float8, metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_event_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_accum(featbit.unit_outcomes, map featbit.exposure_map, unit text, at timestamptz, event text, value float8, metrics jsonb) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_accum_event_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_combine(featbit.unit_outcomes, featbit.unit_outcomes) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_rollup(featbit.unit_outcomes, featbit.unit_outcomes) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.unit_final(featbit.unit_outcomes) RETURNS featbit.unit_outcomes
	AS 'MODULE_PATHNAME', 'fb_unit_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, bigint, timestamptz, float8) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, uuid, timestamptz, float8) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, text, timestamptz, float8) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, bigint, timestamptz, float8, jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, uuid, timestamptz, float8, jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, text, timestamptz, float8, jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, bigint, timestamptz, float8[], jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, uuid, timestamptz, float8[], jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, text, timestamptz, float8[], jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, bigint, timestamptz, text, float8, jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, uuid, timestamptz, text, float8, jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_accum(featbit.unit_outcomes, featbit.exposure_map, text, timestamptz, text, float8, jsonb) IS 'transition function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_combine(featbit.unit_outcomes, featbit.unit_outcomes) IS 'combine function of unit_agg over an exposure map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_rollup(featbit.unit_outcomes, featbit.unit_outcomes) IS 'transition function of rollup(unit_outcomes); an error outside an aggregate';
COMMENT ON FUNCTION featbit.unit_final(featbit.unit_outcomes) IS 'final function of unit_agg over an exposure map; an error outside an aggregate';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit bigint, at timestamptz, value float8) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, bigint, timestamptz, float8) IS 'what exposed units did: the sum of value over the events of each unit of the map at or after its first exposure. Read it with unit_stats(map, state).

map: from exposure_map, the same in all rows; a sub-select or common table expression makes it once. unit, at, value: of the event, in any order; rows with a NULL, and events of units that were not exposed or before their exposure, do not count. A value that is NaN, infinite or beyond 1e140 is ignored and counted in n_bad of the stats. Returns NULL without rows, which unit_stats reads as no events.
Errors: 22023 for a map that changes or has units of another type, 53200 when the units need more than work_mem * hash_mem_multiplier; the hint says how to take a part of them at a time.';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit uuid, at timestamptz, value float8) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, uuid, timestamptz, float8) IS 'what exposed uuid units did; as unit_agg(exposure_map, bigint, timestamptz, float8)';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit text, at timestamptz, value float8) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, text, timestamptz, float8) IS 'what exposed text units did; as unit_agg(exposure_map, bigint, timestamptz, float8)';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit bigint, at timestamptz, value float8, metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, bigint, timestamptz, float8, jsonb) IS 'what exposed units did, for one or more metrics of the same value in one pass.

metrics: a jsonb array, the same in all rows; unit_stats numbers the metrics as they stand. A metric is an object with
  aggregate     per unit: sum (default), count (of values that are not NULL), conversion (1 with a value, else 0), mean, min, max, last (by time), ratio (sum of value / sum of denominator), time (seconds from exposure to first event)
  window        an interval such as "14 days": only events less than this after the start of the window; default no end
  from          start of the window after the exposure, default "0": {"from": "7 days", "window": "7 days"} is retention in the second week; may be negative
  lookback      an interval: the same aggregate over events up to this long before the exposure becomes the covariate, and the stats are of kind cuped or ratio_cuped
  cap           largest value of a unit; cap_quantile: the same as a quantile of the values of all units, the covariate by its own
  value, denominator   which of several values, from 1
A day is 24 hours in every time zone; months are refused. Units without events have sum, count and conversion 0, and no mean, min, max, last and time. Else as unit_agg(exposure_map, bigint, timestamptz, float8); errors: 22023 for metrics that cannot be computed.';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit uuid, at timestamptz, value float8, metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, uuid, timestamptz, float8, jsonb) IS 'what exposed uuid units did; as unit_agg(exposure_map, bigint, timestamptz, float8, jsonb)';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit text, at timestamptz, value float8, metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, text, timestamptz, float8, jsonb) IS 'what exposed text units did; as unit_agg(exposure_map, bigint, timestamptz, float8, jsonb)';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit bigint, at timestamptz, "values" float8[], metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, bigint, timestamptz, float8[], jsonb) IS 'what exposed units did, for metrics of several values in one pass: ARRAY[amount, CASE WHEN refunded THEN amount END] with [{"value": 1}, {"value": 2}]. A NULL element adds nothing to its metrics. metrics: as of unit_agg(exposure_map, bigint, timestamptz, float8, jsonb); NULL is the sum of each value. Where the filters of metrics exclude each other, several calls with FILTER that share the map are faster than an array. Errors: as there, and 2202E for arrays of different lengths, more than 64 elements or more than one dimension';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit uuid, at timestamptz, "values" float8[], metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, uuid, timestamptz, float8[], jsonb) IS 'what exposed uuid units did; as unit_agg(exposure_map, bigint, timestamptz, float8[], jsonb)';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit text, at timestamptz, "values" float8[], metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, text, timestamptz, float8[], jsonb) IS 'what exposed text units did; as unit_agg(exposure_map, bigint, timestamptz, float8[], jsonb)';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit bigint, at timestamptz, event text, value float8, metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, bigint, timestamptz, text, float8, jsonb) IS 'what exposed units did, for metrics of events with different names in one pass, which costs a fraction of one call with FILTER per name. event: the name of the event. metrics: as of unit_agg(exposure_map, bigint, timestamptz, float8, jsonb); a metric with "event": "buy" reads only events of that name, one without reads all, also those whose name is NULL';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit uuid, at timestamptz, event text, value float8, metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, uuid, timestamptz, text, float8, jsonb) IS 'what exposed uuid units did; as unit_agg(exposure_map, bigint, timestamptz, text, float8, jsonb)';

CREATE AGGREGATE featbit.unit_agg(map featbit.exposure_map, unit text, at timestamptz, event text, value float8, metrics jsonb) (
	SFUNC = featbit.unit_accum,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.unit_agg(featbit.exposure_map, text, timestamptz, text, float8, jsonb) IS 'what exposed text units did; as unit_agg(exposure_map, bigint, timestamptz, text, float8, jsonb)';

CREATE AGGREGATE featbit.rollup(state featbit.unit_outcomes) (
	SFUNC = featbit.unit_rollup,
	STYPE = featbit.unit_outcomes,
	SSPACE = 65536,
	FINALFUNC = featbit.unit_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.unit_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.unit_outcomes) IS 'merges states of disjoint events of the units of one map, such as those of single days; NULLs are ignored. Errors: 22023 for states of different maps or metrics, 53200 as unit_agg';

CREATE FUNCTION featbit.unit_stats(map featbit.exposure_map, state featbit.unit_outcomes, metrics jsonb DEFAULT NULL, as_of timestamptz DEFAULT NULL, mixed text DEFAULT 'exclude',
		OUT metric integer, OUT variation text, OUT stratum text, OUT units bigint, OUT mixed_units bigint, OUT immature_units bigint, OUT nonzero_units bigint,
		OUT cap float8, OUT capped_units bigint, OUT removed float8, OUT stats featbit.stats) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fb_unit_stats' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;

COMMENT ON FUNCTION featbit.unit_stats(featbit.exposure_map, featbit.unit_outcomes, jsonb, timestamptz, text) IS 'moments of what exposed units did: one row per metric, variation and stratum of the first exposure; units without events are in them.

map, state: the map and what unit_agg made with it; a NULL state is no events. metrics: as given to unit_agg, only read where the state is NULL. as_of: units whose window ends later do not count. mixed: exclude (default) leaves units out that were seen in several variations, first counts them for the first one.
units: that count. mixed_units: seen in several variations, left out or not. immature_units: left out by as_of. nonzero_units: whose value is not 0. cap: that was applied, NULL for none (a quantile that is not above 0 is not applied). capped_units: above it, removed: the sum of what it took off. stats: kind proportion for conversions, ratio for ratios, cuped and ratio_cuped with a lookback, else mean; n is less than units where units without events have no value.
Errors: 22023 for a map that is not the one of the state';

CREATE FUNCTION featbit.unit_values(map featbit.exposure_map, state featbit.unit_outcomes, metric integer DEFAULT 1, metrics jsonb DEFAULT NULL, as_of timestamptz DEFAULT NULL, mixed text DEFAULT 'exclude',
		OUT unit text, OUT variation text, OUT stratum text, OUT is_mixed boolean, OUT exposed_at timestamptz, OUT value float8, OUT denominator float8,
		OUT covariate float8, OUT covariate_denominator float8) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fb_unit_values' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100000;

COMMENT ON FUNCTION featbit.unit_values(featbit.exposure_map, featbit.unit_outcomes, integer, jsonb, timestamptz, text) IS 'what each exposed unit did, one row per unit that counts, for aggregates that unit_stats does not have, such as quantiles. metric: number of the metric; the other arguments as those of unit_stats. unit: as in exposed_units. value: capped; NULL where a unit without events has none. denominator: of a ratio. covariate, covariate_denominator: from the lookback. Errors: 22023 for a metric that is not there, or a map that is not the one of the state';
