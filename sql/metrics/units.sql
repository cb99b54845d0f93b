-- exposures: who saw what first -----------------------------------------------------------------

CREATE TYPE featbit.exposure_map;

CREATE FUNCTION featbit.exposure_map_in(cstring) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_map_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_map_out(featbit.exposure_map) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_exposure_map_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_map_recv(internal) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_map_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_map_send(featbit.exposure_map) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_exposure_map_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.exposure_map_in(cstring) IS 'reads the text form of an exposure map, \x and hexadecimal digits; anything that no exposures could have made is error 22P02';
COMMENT ON FUNCTION featbit.exposure_map_out(featbit.exposure_map) IS 'writes the text form of an exposure map: equal maps print equally';
COMMENT ON FUNCTION featbit.exposure_map_recv(internal) IS 'reads the binary form of an exposure map; anything that no exposures could have made is error 22P03';
COMMENT ON FUNCTION featbit.exposure_map_send(featbit.exposure_map) IS 'writes the binary form of an exposure map: version, kind of units, variations and strata, then the units in the order of their keys, in network byte order';

CREATE TYPE featbit.exposure_map (
	INPUT = featbit.exposure_map_in,
	OUTPUT = featbit.exposure_map_out,
	RECEIVE = featbit.exposure_map_recv,
	SEND = featbit.exposure_map_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = external
);

COMMENT ON TYPE featbit.exposure_map IS 'for each unit of an experiment the time of its first exposure, its variation (and stratum) then, and whether it was seen in several variations. Made by exposure_map, merged by rollup, read by exposures and exposed_units; unit_agg joins events to it. Takes 27 bytes per unit, 19 for bigint units; text units are known by the XXH3-128 of their UTF-8 bytes';

CREATE FUNCTION featbit.exposure_accum(featbit.exposure_map, unit bigint, at timestamptz, variation text) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_accum_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_accum(featbit.exposure_map, unit uuid, at timestamptz, variation text) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_accum(featbit.exposure_map, unit text, at timestamptz, variation text) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_accum(featbit.exposure_map, unit bigint, at timestamptz, variation text, stratum text) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_accum_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_accum(featbit.exposure_map, unit uuid, at timestamptz, variation text, stratum text) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_accum_uuid' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_accum(featbit.exposure_map, unit text, at timestamptz, variation text, stratum text) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_accum_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_combine(featbit.exposure_map, featbit.exposure_map) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.exposure_final(featbit.exposure_map) RETURNS featbit.exposure_map
	AS 'MODULE_PATHNAME', 'fb_exposure_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.exposure_accum(featbit.exposure_map, bigint, timestamptz, text) IS 'transition function of exposure_map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.exposure_accum(featbit.exposure_map, uuid, timestamptz, text) IS 'transition function of exposure_map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.exposure_accum(featbit.exposure_map, text, timestamptz, text) IS 'transition function of exposure_map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.exposure_accum(featbit.exposure_map, bigint, timestamptz, text, text) IS 'transition function of exposure_map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.exposure_accum(featbit.exposure_map, uuid, timestamptz, text, text) IS 'transition function of exposure_map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.exposure_accum(featbit.exposure_map, text, timestamptz, text, text) IS 'transition function of exposure_map; an error outside an aggregate';
COMMENT ON FUNCTION featbit.exposure_combine(featbit.exposure_map, featbit.exposure_map) IS 'combine function of exposure_map and transition of rollup: a unit in both keeps its first exposure. Errors: 22023 for units of different types, 0A000 outside an aggregate';
COMMENT ON FUNCTION featbit.exposure_final(featbit.exposure_map) IS 'final function of exposure_map: sorts and indexes the map; an error outside an aggregate';

CREATE AGGREGATE featbit.exposure_map(unit bigint, at timestamptz, variation text) (
	SFUNC = featbit.exposure_accum,
	STYPE = featbit.exposure_map,
	SSPACE = 65536,
	FINALFUNC = featbit.exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.exposure_combine,
	INITCOND = '\x0101000000000000',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.exposure_map(bigint, timestamptz, text) IS 'the exposure map of exposures in any order; build it once in a statement, in a sub-select or common table expression, and give it to unit_agg and unit_stats.

unit: what was randomised. at: when it was exposed. variation: what it got. Rows with a NULL in one of them are ignored. The first exposure counts; of several at the same moment the variation that sorts first by bytes. A unit that was seen in more than one variation is marked as mixed.
Without rows the map is empty. Errors: 53200 when it needs more than work_mem * hash_mem_multiplier (see unit_partition), 54000 for more than 32766 variations and strata or more than 1 GB.';

CREATE AGGREGATE featbit.exposure_map(unit uuid, at timestamptz, variation text) (
	SFUNC = featbit.exposure_accum,
	STYPE = featbit.exposure_map,
	SSPACE = 65536,
	FINALFUNC = featbit.exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.exposure_combine,
	INITCOND = '\x0102000000000000',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.exposure_map(uuid, timestamptz, text) IS 'the exposure map of uuid units; arguments, value and errors as those of exposure_map(bigint, timestamptz, text)';

CREATE AGGREGATE featbit.exposure_map(unit text, at timestamptz, variation text) (
	SFUNC = featbit.exposure_accum,
	STYPE = featbit.exposure_map,
	SSPACE = 65536,
	FINALFUNC = featbit.exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.exposure_combine,
	INITCOND = '\x0103000000000000',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.exposure_map(text, timestamptz, text) IS 'the exposure map of text units; arguments, value and errors as those of exposure_map(bigint, timestamptz, text)';

CREATE AGGREGATE featbit.exposure_map(unit bigint, at timestamptz, variation text, stratum text) (
	SFUNC = featbit.exposure_accum,
	STYPE = featbit.exposure_map,
	SSPACE = 65536,
	FINALFUNC = featbit.exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.exposure_combine,
	INITCOND = '\x0101000000000000',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.exposure_map(bigint, timestamptz, text, text) IS 'the exposure map in which each unit also has the stratum of its first exposure, so that unit_stats gives one row per variation and stratum. stratum: a property that was fixed before the exposure, such as the country or the rule that served the variation; NULL is a stratum of its own. A unit in one variation and several strata is not mixed. Else as exposure_map(bigint, timestamptz, text)';

CREATE AGGREGATE featbit.exposure_map(unit uuid, at timestamptz, variation text, stratum text) (
	SFUNC = featbit.exposure_accum,
	STYPE = featbit.exposure_map,
	SSPACE = 65536,
	FINALFUNC = featbit.exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.exposure_combine,
	INITCOND = '\x0102000000000000',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.exposure_map(uuid, timestamptz, text, text) IS 'the exposure map in which each unit also has the stratum of its first exposure, so that unit_stats gives one row per variation and stratum. stratum: a property that was fixed before the exposure, such as the country or the rule that served the variation; NULL is a stratum of its own. A unit in one variation and several strata is not mixed. Else as exposure_map(uuid, timestamptz, text)';

CREATE AGGREGATE featbit.exposure_map(unit text, at timestamptz, variation text, stratum text) (
	SFUNC = featbit.exposure_accum,
	STYPE = featbit.exposure_map,
	SSPACE = 65536,
	FINALFUNC = featbit.exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.exposure_combine,
	INITCOND = '\x0103000000000000',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.exposure_map(text, timestamptz, text, text) IS 'the exposure map in which each unit also has the stratum of its first exposure, so that unit_stats gives one row per variation and stratum. stratum: a property that was fixed before the exposure, such as the country or the rule that served the variation; NULL is a stratum of its own. A unit in one variation and several strata is not mixed. Else as exposure_map(text, timestamptz, text)';

CREATE AGGREGATE featbit.rollup(map featbit.exposure_map) (
	SFUNC = featbit.exposure_combine,
	STYPE = featbit.exposure_map,
	SSPACE = 65536,
	FINALFUNC = featbit.exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.exposure_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.exposure_map) IS 'merges exposure maps, such as those of single days, to the map of all their exposures; NULLs are ignored. Errors: 22023 for units of different types, 53200 and 54000 as exposure_map';

CREATE FUNCTION featbit.exposures(map featbit.exposure_map, OUT variation text, OUT stratum text, OUT units bigint, OUT mixed_units bigint,
		OUT first_at timestamptz, OUT last_at timestamptz) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fb_exposures_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;

COMMENT ON FUNCTION featbit.exposures(featbit.exposure_map) IS 'how many units were exposed: one row per variation and stratum of the first exposure, in the order of their names. units: all, the mixed ones included. mixed_units: those seen in several variations. first_at, last_at: earliest and latest first exposure. A variation that was nobody''s first has a row with zeros';

CREATE FUNCTION featbit.exposed_units(map featbit.exposure_map, OUT unit text, OUT at timestamptz, OUT variation text, OUT stratum text, OUT mixed boolean) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fb_exposed_units' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100000;

COMMENT ON FUNCTION featbit.exposed_units(featbit.exposure_map) IS 'the units of an exposure map, one row each. unit: a number or uuid as text; of a text unit the hexadecimal digits of its XXH3-128, by which alone it is known. at, variation, stratum: of the first exposure. mixed: seen in several variations';

CREATE FUNCTION featbit.unit_partition(unit bigint, partitions integer) RETURNS integer
	AS 'MODULE_PATHNAME', 'fb_unit_partition_bigint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.unit_partition(bigint, integer) IS 'the part, from 0 to partitions - 1, that a unit belongs to. Where the exposure map of all units is larger than memory, take one part at a time: WHERE featbit.unit_partition(unit, 8) = 0 on the exposures is enough, as events of other units find no exposure; then merge the stats of the parts with rollup. Errors: 22023 for partitions below 1';

CREATE FUNCTION featbit.unit_partition(unit uuid, partitions integer) RETURNS integer
	AS 'MODULE_PATHNAME', 'fb_unit_partition_uuid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.unit_partition(uuid, integer) IS 'the part that a uuid unit belongs to; as unit_partition(bigint, integer)';

CREATE FUNCTION featbit.unit_partition(unit text, partitions integer) RETURNS integer
	AS 'MODULE_PATHNAME', 'fb_unit_partition_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.unit_partition(text, integer) IS 'the part that a text unit belongs to; as unit_partition(bigint, integer)';

CREATE TYPE featbit.first_exposure AS (variation text, at timestamptz, n_variations integer);

COMMENT ON TYPE featbit.first_exposure IS 'first exposure of a unit, as the aggregate first_exposure returns it';
COMMENT ON COLUMN featbit.first_exposure.variation IS 'variation of the first exposure';
COMMENT ON COLUMN featbit.first_exposure.at IS 'time of the first exposure';
COMMENT ON COLUMN featbit.first_exposure.n_variations IS 'number of different variations over all exposures; more than 1 is a mixed unit';

CREATE FUNCTION featbit.first_exposure_accum(bytea, variation text, at timestamptz) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_first_exposure_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.first_exposure_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_first_exposure_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.first_exposure_final(bytea) RETURNS featbit.first_exposure
	AS 'MODULE_PATHNAME', 'fb_first_exposure_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.first_exposure_accum(bytea, text, timestamptz) IS 'transition function of first_exposure; an error outside an aggregate';
COMMENT ON FUNCTION featbit.first_exposure_combine(bytea, bytea) IS 'combine function of first_exposure; an error outside an aggregate';
COMMENT ON FUNCTION featbit.first_exposure_final(bytea) IS 'final function of first_exposure; an error outside an aggregate';

CREATE AGGREGATE featbit.first_exposure(variation text, at timestamptz) (
	SFUNC = featbit.first_exposure_accum,
	STYPE = bytea,
	SSPACE = 48,
	FINALFUNC = featbit.first_exposure_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.first_exposure_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.first_exposure(text, timestamptz) IS 'first exposure of a unit, for use with GROUP BY unit; read it with (featbit.first_exposure(…)).*. variation: what the unit got, at: when; rows with a NULL are ignored. Returns variation and time of the first exposure (of several at the same moment the variation that sorts first by bytes) and the number of different variations; NULL without rows. For whole experiments exposure_map and unit_agg are many times faster';

CREATE FUNCTION featbit.funnel_accum(bytea, step integer, at timestamptz, "window" interval) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_funnel_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.funnel_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_funnel_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.funnel_final(bytea) RETURNS integer
	AS 'MODULE_PATHNAME', 'fb_funnel_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.funnel_accum(bytea, integer, timestamptz, interval) IS 'transition function of funnel_depth; an error outside an aggregate';
COMMENT ON FUNCTION featbit.funnel_combine(bytea, bytea) IS 'combine function of funnel_depth; an error outside an aggregate';
COMMENT ON FUNCTION featbit.funnel_final(bytea) IS 'final function of funnel_depth; an error outside an aggregate';

CREATE AGGREGATE featbit.funnel_depth(step integer, at timestamptz, "window" interval) (
	SFUNC = featbit.funnel_accum,
	STYPE = bytea,
	SSPACE = 160,
	FINALFUNC = featbit.funnel_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.funnel_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.funnel_depth(integer, timestamptz, interval) IS 'how far a unit came in a funnel, for use with GROUP BY unit: the largest n such that steps 1 to n happened in this order, all of them less than window after a step 1; 0 without step 1.

step: number of the step that the event is, 1 to 64; NULL is ignored. at: when; events come in any order, and those of the same moment count in the order of their steps. window: NULL is no limit; a day is 24 hours.
Conversion of step n is a proportion: stats_agg(depth >= n). Errors: 22023 for other steps, a window that is not positive, has months, or is not the same in all rows; 53200 when the events of one unit need more than work_mem * hash_mem_multiplier';
