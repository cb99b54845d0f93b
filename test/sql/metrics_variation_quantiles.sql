-- The sketches of all variations in one.
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

SELECT featbit.quantiles_by_variation(v, y) FROM (VALUES ('b', 1::float8), ('a', 2), ('b', 4), (NULL, 9), ('a', NULL), ('ä "quoted"', 3), ('', 5), ('b', 'NaN')) r(v, y);
SELECT featbit.quantiles_by_variation(v, y) FROM (VALUES ('b', 1::float8)) r(v, y) WHERE y IS NULL;
SELECT featbit.quantiles_by_variation(v, y, 0.01) FROM (VALUES ('b', 1::float8)) r(v, y) WHERE y IS NULL;
SELECT featbit.quantiles_by_variation(v, y, 0.01) FROM (VALUES ('b', 1::float8), (NULL, 1), ('b', NULL)) r(v, y);
SELECT variation, featbit.n(stats), featbit.quantile(stats, 0.5) FROM featbit.variations((SELECT featbit.quantiles_by_variation(v, y) FROM (VALUES ('b', 1::float8), ('a', 2), ('b', 4)) r(v, y)));
SELECT count(*) FROM featbit.variations(NULL::featbit.variation_quantiles);

-- What GROUP BY says, to the bit: whole, in parts merged in any order, by parallel workers, and through text and binary.
CREATE TABLE metrics_variation_quantile AS SELECT i, 'variation ' || (i * 7919 % 1013 % 37) AS v, (i * 104729 % 100003) / 16.0 - 300 AS y, i % 25 AS part FROM generate_series(1::bigint, 40000) i
	UNION ALL SELECT i, 'large', exp((i * 7919 % 10007) / 400.0), i % 25 FROM generate_series(1::bigint, 10000) i;
ANALYZE metrics_variation_quantile;
CREATE TEMP TABLE grouped AS SELECT v, featbit.quantile_agg(y) AS y, featbit.quantile_agg(y, 0.005) AS coarse FROM metrics_variation_quantile GROUP BY v;
CREATE TEMP TABLE part AS SELECT part, featbit.quantiles_by_variation(v, y) AS y, featbit.quantiles_by_variation(v, y, 0.005) AS coarse FROM metrics_variation_quantile GROUP BY part;
SELECT way, count(*) AS variations, count(*) FILTER (WHERE w.y::text = g.y::text AND w.coarse::text = g.coarse::text) AS same
FROM (SELECT 'whole' AS way, a.variation, a.stats AS y, b.stats AS coarse FROM (SELECT featbit.quantiles_by_variation(v, y) AS y, featbit.quantiles_by_variation(v, y, 0.005) AS coarse FROM metrics_variation_quantile) s, LATERAL featbit.variations(s.y) a JOIN LATERAL featbit.variations(s.coarse) b USING (variation)
	UNION ALL SELECT 'merged', a.variation, a.stats, b.stats FROM (SELECT featbit.rollup(y ORDER BY random()) AS y, featbit.rollup(coarse ORDER BY random()) AS coarse FROM part) s, LATERAL featbit.variations(s.y) a JOIN LATERAL featbit.variations(s.coarse) b USING (variation)) w JOIN grouped g ON g.v = w.variation
GROUP BY way ORDER BY way;
SELECT max(featbit.sketch_accuracy(y)) > 0 AS some_are_not_exact, count(*) AS variations FROM grouped;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) AS variations, count(*) FILTER (WHERE a.stats::text = g.y::text) AS same FROM (SELECT featbit.quantiles_by_variation(v, y) AS s FROM metrics_variation_quantile OFFSET 0) p, LATERAL featbit.variations(s) a JOIN grouped g ON g.v = a.variation;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT part.y::text = (SELECT featbit.quantiles_by_variation(v, y) FROM metrics_variation_quantile WHERE part = 3)::text AS any_order FROM part WHERE part = 3;
DROP TABLE metrics_variation_quantile;
SELECT count(*) AS states, count(*) FILTER (WHERE y::text::featbit.variation_quantiles::text = y::text AND coarse::text::featbit.variation_quantiles::text = coarse::text) AS same_text FROM part;
\set abs_builddir `echo "$PG_ABS_BUILDDIR"`
\set file :abs_builddir '/results/metrics_variation_quantiles.copy'
CREATE TEMP TABLE copied (LIKE part);
\set command '\\copy part TO ' :'file' ' (FORMAT binary)'
:command
\set command '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:command
SELECT count(*) AS states, count(*) FILTER (WHERE a.y::text = b.y::text AND a.coarse::text = b.coarse::text) AS same_binary FROM part a JOIN copied b USING (part);
SELECT encode(featbit.variation_quantiles_send(featbit.quantiles_by_variation('b', 1)), 'hex');
CREATE TEMP TABLE bad_binary (i int, body bytea);
INSERT INTO bad_binary VALUES (1, '\x0200000000'), (2, '\x01ffffffff'), (3, '\x0100000001ffffffff'), (4, '\x01000000010000000162ffffffff'), (5, '\x01000000010000000162000000020107'),
	(6, (SELECT '\x01000000010000000162'::bytea || int4send(length(b)) || b FROM (SELECT featbit.stats_send(featbit.stats_agg(1)) AS b) m)),
	(7, (SELECT '\x01000000020000000162'::bytea || int4send(length(b)) || b || '\x0000000162'::bytea || int4send(length(b)) || b FROM (SELECT featbit.stats_send(featbit.quantile_agg(1)) AS b) m));
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
SELECT count(lo_unlink(oid)) AS files FROM pg_largeobject_metadata;

SELECT pg_temp.complaint(command) FROM unnest(ARRAY[
	'SELECT ''{"kind": "mean"}''::featbit.variation_quantiles',
	'SELECT ''{"variations": []}''::featbit.variation_quantiles',
	'SELECT ''{"variations": {"a": 1}}''::featbit.variation_quantiles',
	'SELECT ''{"variations": {"a": {"kind": "proportion", "n": 2, "successes": 1}}}''::featbit.variation_quantiles',
	'SELECT ''{"variations": {"a": {"kind": "quantile", "n": 2, "bits": 52, "wanted": 11, "min": 1, "max": 1, "buckets": [4607182418800017408, 1]}}}''::featbit.variation_quantiles',
	'SELECT ''{"variations": {}, "n": 1}''::featbit.variation_quantiles',
	'SELECT ''{"variations": {}''::featbit.variation_quantiles',
	'SELECT featbit.quantiles_by_variation(''a'', 1, 0.7)',
	'SELECT featbit.quantiles_by_variation(''a'', 1, NULL)',
	'SELECT featbit.quantiles_by_variation(''a'', 1, a) FROM unnest(ARRAY[0.1, 0.01]) a',
	'SELECT featbit.quantiles_by_variation(i::text, 1) FROM generate_series(1, 1001) i',
	'SELECT featbit.quantiles_by_variation(repeat(''x'', 1001), 1)']) WITH ORDINALITY c(command, i) ORDER BY i;
