-- The states of all variations in one.
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;

SELECT featbit.stats_by_variation(v, y) FROM (VALUES ('b', 1::float8), ('a', 2), ('b', 4), (NULL, 9), ('a', NULL), ('ä "quoted"', 3), ('', 5), ('b', 'NaN')) r(v, y);
SELECT featbit.stats_by_variation(v, y) FROM (VALUES ('b', true), ('a', false), ('b', false), (NULL, true), ('a', NULL)) r(v, y);
SELECT featbit.stats_by_variation(v, y) FROM (VALUES ('b', true)) r(v, y) WHERE y IS NULL;
SELECT variation, featbit.n(stats), featbit.mean(stats) FROM featbit.variations((SELECT featbit.stats_by_variation(v, y) FROM (VALUES ('b', 1::float8), ('a', 2), ('b', 4)) r(v, y)));
SELECT count(*) FROM featbit.variations(NULL::featbit.variation_stats);

SELECT featbit.stats_by_variation(v, y, x) FROM (VALUES ('b', 1::float8, 2::float8), ('a', 2, 1), ('b', 4, NULL), (NULL, 9, 1), ('a', NULL, 1), ('a', 1, 'NaN'), ('c', 3, NULL)) r(v, y, x);
SELECT variation, featbit.adjustment(stats, stats) IS NOT NULL AS compares FROM featbit.variations((SELECT featbit.stats_by_variation(v, y, x) FROM (VALUES ('b', 1::float8, 2::float8), ('b', 2, 1), ('b', 5, 4)) r(v, y, x)));

-- What GROUP BY says, for any number of variations, whole, in parts merged in any order, and through text and binary.
CREATE TABLE metrics_variation_value AS SELECT i, 'variation ' || (i * 7919 % 1013 % 37) AS v, (i * 104729 % 10007) / 16.0 - 300 AS y, i * 31 % 97 < 40 AS done, CASE WHEN i * 7919 % 1013 % 37 < 30 OR i % 11 > 0 THEN (i * 104729 % 10007) / 20.0 + i % 17 END AS x, i % 25 AS part FROM generate_series(1::bigint, 20000) i;
ANALYZE metrics_variation_value;
CREATE TEMP TABLE grouped AS SELECT v, featbit.stats_agg(y) AS y, featbit.stats_agg(done) AS done, featbit.stats_agg(y, x) AS pair FROM metrics_variation_value GROUP BY v;
CREATE TEMP TABLE part AS SELECT part, featbit.stats_by_variation(v, y) AS y, featbit.stats_by_variation(v, done) AS done, featbit.stats_by_variation(v, y, x) AS pair FROM metrics_variation_value GROUP BY part;
CREATE FUNCTION pg_temp.agree(a featbit.stats, b featbit.stats) RETURNS boolean LANGUAGE sql AS $$
	SELECT featbit.n(a) = featbit.n(b) AND abs(featbit.mean(a) - featbit.mean(b)) < 1e-12 * (1 + abs(featbit.mean(b))) AND abs(featbit.variance(a) / featbit.variance(b) - 1) < 1e-12
$$;
SELECT way, count(*) AS variations, count(*) FILTER (WHERE pg_temp.agree(w.y, g.y) AND w.done::text = g.done::text) AS agree
FROM (SELECT 'whole' AS way, a.variation, a.stats AS y, b.stats AS done FROM (SELECT featbit.stats_by_variation(v, y) AS y, featbit.stats_by_variation(v, done) AS done FROM metrics_variation_value) s, LATERAL featbit.variations(s.y) a JOIN LATERAL featbit.variations(s.done) b USING (variation)
	UNION ALL SELECT 'merged', a.variation, a.stats, b.stats FROM (SELECT featbit.rollup(y ORDER BY random()) AS y, featbit.rollup(done ORDER BY random()) AS done FROM part) s, LATERAL featbit.variations(s.y) a JOIN LATERAL featbit.variations(s.done) b USING (variation)) w JOIN grouped g ON g.v = w.variation
GROUP BY way ORDER BY way;
CREATE FUNCTION pg_temp.agree_pair(a featbit.stats, b featbit.stats) RETURNS boolean LANGUAGE sql AS $$
	SELECT pg_temp.agree(a, b) AND featbit.n_bad(a) = featbit.n_bad(b) AND (a::text LIKE '%missing%') = (b::text LIKE '%missing%') AND abs(featbit.mean(a, 2) - featbit.mean(b, 2)) < 1e-12 * (1 + abs(featbit.mean(b, 2))) AND abs(featbit.covariance(a, 1, 2) / featbit.covariance(b, 1, 2) - 1) < 1e-11
$$;
SELECT way, count(*) AS variations, count(*) FILTER (WHERE pg_temp.agree_pair(w.stats, g.pair)) AS agree, count(*) FILTER (WHERE w.stats::text LIKE '%missing%') AS missing
FROM (SELECT 'whole' AS way, a.* FROM featbit.variations((SELECT featbit.stats_by_variation(v, y, x) FROM metrics_variation_value)) a
	UNION ALL SELECT 'merged', a.* FROM featbit.variations((SELECT featbit.rollup(pair ORDER BY random()) FROM part)) a) w JOIN grouped g ON g.v = w.variation
GROUP BY way ORDER BY way;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) AS variations, count(*) FILTER (WHERE pg_temp.agree(a.stats, g.y)) AS agree FROM (SELECT featbit.stats_by_variation(v, y) AS s FROM metrics_variation_value OFFSET 0) p, LATERAL featbit.variations(s) a JOIN grouped g ON g.v = a.variation;
SELECT count(*) AS variations, count(*) FILTER (WHERE pg_temp.agree_pair(a.stats, g.pair)) AS agree FROM (SELECT featbit.stats_by_variation(v, y, x) AS s FROM metrics_variation_value OFFSET 0) p, LATERAL featbit.variations(s) a JOIN grouped g ON g.v = a.variation;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE metrics_variation_value;
SELECT count(*) AS states, count(*) FILTER (WHERE y::text::featbit.variation_stats::text = y::text AND done::text::featbit.variation_stats::text = done::text AND pair::text::featbit.variation_stats::text = pair::text) AS same_text FROM part;
\set abs_builddir `echo "$PG_ABS_BUILDDIR"`
\set file :abs_builddir '/results/metrics_variation_stats.copy'
CREATE TEMP TABLE copied (LIKE part);
\set command '\\copy part TO ' :'file' ' (FORMAT binary)'
:command
\set command '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:command
SELECT count(*) AS states, count(*) FILTER (WHERE a.y::text = b.y::text AND a.done::text = b.done::text AND a.pair::text = b.pair::text) AS same_binary FROM part a JOIN copied b USING (part);
SELECT encode(featbit.variation_stats_send(featbit.stats_by_variation('b', true)), 'hex');
CREATE TEMP TABLE bad_binary (i int, body bytea);
INSERT INTO bad_binary VALUES (1, '\x020100000000'), (2, '\x010400000000'), (3, '\x0101ffffffff'), (4, '\x010100000001ffffffff'), (5, '\x0101000000010000000162 00 0000000000000001 0000000000000000 4000000000000000'),
	(6, '\x0101000000020000000162 00 0000000000000001 0000000000000000 3ff0000000000000 0000000162 00 0000000000000001 0000000000000000 3ff0000000000000'), (7, '\x0101000000010000000162 00 0000000000000001'), (8, '\x0102000000010000000162 01 0000000000000001 0000000000000000');
CREATE FUNCTION pg_temp.binary_file(number int) RETURNS oid LANGUAGE sql AS $$
	SELECT lo_from_bytea(0, '\x5047434f50590aff0d0a0000000000000000000001' || int4send(length(body)) || body || '\xffff') FROM bad_binary WHERE i = number
$$;
\set receive '\\copy copied (y) FROM ' :'file' ' (FORMAT binary)'
SELECT pg_temp.binary_file(1) AS large \gset
\lo_export :large :file
:receive
SELECT pg_temp.binary_file(2) AS large \gset
\lo_export :large :file
:receive
SELECT pg_temp.binary_file(3) AS large \gset
\lo_export :large :file
:receive
SELECT pg_temp.binary_file(4) AS large \gset
\lo_export :large :file
:receive
SELECT pg_temp.binary_file(5) AS large \gset
\lo_export :large :file
:receive
SELECT pg_temp.binary_file(6) AS large \gset
\lo_export :large :file
:receive
SELECT pg_temp.binary_file(7) AS large \gset
\lo_export :large :file
:receive
SELECT pg_temp.binary_file(8) AS large \gset
\lo_export :large :file
:receive
SELECT count(lo_unlink(oid)) AS files FROM pg_largeobject_metadata;

SELECT pg_temp.complaint(command) FROM unnest(ARRAY[
	'SELECT ''{"kind": "mean"}''::featbit.variation_stats',
	'SELECT ''{"kind": "ratio", "variations": {}}''::featbit.variation_stats',
	'SELECT ''{"kind": "mean", "variations": []}''::featbit.variation_stats',
	'SELECT ''{"kind": "mean", "variations": {"a": 1}}''::featbit.variation_stats',
	'SELECT ''{"kind": "mean", "variations": {"a": {"kind": "proportion", "n": 2, "successes": 1}}}''::featbit.variation_stats',
	'SELECT ''{"kind": "proportion", "variations": {"a": {"kind": "proportion", "n": 2, "successes": 3}}}''::featbit.variation_stats',
	'SELECT ''{"kind": "cuped", "variations": {"a": {"kind": "cuped", "n": 1, "means": [1, 2, 3], "comoments": [0, 0, 0, 0, 0, 0]}}}''::featbit.variation_stats',
	'SELECT ''{"kind": "mean", "variations": {}, "n": 1}''::featbit.variation_stats',
	'SELECT ''{"kind": "mean", "variations": {}''::featbit.variation_stats',
	'SELECT featbit.rollup(s) FROM (SELECT y AS s FROM part UNION ALL SELECT done FROM part) u',
	'SELECT featbit.variation_stats_accum((SELECT y FROM part LIMIT 1), ''a'', true)',
	'SELECT featbit.variation_stats_accum((SELECT y FROM part LIMIT 1), ''a'', 1, 2)',
	'SELECT featbit.variation_stats_accum(NULL, ''a'', 1, 2)',
	'SELECT featbit.variation_stats_accum((SELECT done FROM part LIMIT 1), ''a'', 1)',
	'SELECT featbit.stats_by_variation(i::text, 1) FROM generate_series(1, 1001) i',
	'SELECT featbit.stats_by_variation(repeat(''x'', 1001), 1)']) WITH ORDINALITY c(command, i) ORDER BY i;
