-- The type featbit.stats, its aggregates and accessors.
SELECT setseed(0.5) IS NOT NULL AS seeded;
SET extra_float_digits = 0;

-- Text forms
SELECT featbit.stats_agg(y) FROM (VALUES (1.5::float8), (2), (NULL), ('NaN'), ('-Infinity'), (4)) v(y);
SELECT featbit.stats_agg(y > 1.5) FROM (VALUES (1.5::float8), (2), (NULL), (4)) v(y);
SELECT featbit.stats_from_counts(1000, 33);
SELECT ' { "n" : 2, "comoments":[0.5 ] ,"kind":"mean", "means" :[-1e-3]}'::featbit.stats;
SELECT '{"kind": "ratio", "n": 3, "means": [1, 2], "comoments": [2, -1, 0.5]}'::featbit.stats;
SELECT '{"kind": "cuped", "n": 3, "means": [1, 2, 3], "comoments": [2, 0, 0.5, 0, 0, 7]}'::featbit.stats;
SELECT '{"kind": "ratio_cuped", "n": 1, "means": [1, 2, 3, 4], "comoments": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}'::featbit.stats;

-- Empty states
SELECT featbit.stats_agg(y), featbit.stats_agg(y > 0), featbit.rollup(NULL::featbit.stats) IS NULL AS no_rollup FROM (SELECT 1::float8 WHERE false) v(y);
SELECT featbit.n(s), featbit.n_bad(s), featbit.mean(s), featbit.variance(s), featbit.stddev(s), featbit.total(s)
FROM (SELECT featbit.stats_agg(NULL::float8) AS s) e;
SELECT featbit.with_zeros(featbit.stats_agg(NULL::float8), 3);

-- Accessors
SELECT featbit.n(s), featbit.n_bad(s), featbit.mean(s), featbit.variance(s), round(featbit.stddev(s)::numeric, 10) AS stddev, featbit.total(s)
FROM (VALUES ((SELECT featbit.stats_agg(y) FROM (VALUES (1::float8), (2), (6), ('Infinity')) v(y))),
	(featbit.stats_from_counts(10, 4)), (featbit.stats_from_counts(1, 1))) t(s);
SELECT i, featbit.mean(s, i), featbit.variance(s, i), featbit.stddev(s, i), featbit.total(s, i),
	featbit.covariance(s, i, 1) AS with_1, featbit.covariance(s, 1, i) AS with_1_too, featbit.covariance(s, i, 3) AS with_3
FROM (SELECT '{"kind": "cuped", "n": 3, "means": [1, 2, 3], "comoments": [2, 1, 8, 0.5, 0.25, 18]}'::featbit.stats) t(s), generate_series(1, 3) i;
SELECT featbit.with_zeros(featbit.stats_agg(y), 4) FROM (VALUES (2::float8), (4)) v(y);
SELECT featbit.with_zeros(featbit.stats_from_counts(10, 4), 20);

-- What is no state: one message for each rule, and every one names the type.
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT pg_temp.complaint(format('SELECT %L::featbit.stats', t))
FROM (VALUES
	(1, ''), (2, '[]'), (3, '{}'), (4, '{"kind"'), (5, '{kind'), (6, '{"kind": "median"}'),
	(7, '{"kind": "mean", "kind": "mean"}'), (8, '{"a": 1}'),
	(9, '{"kind": "mean", "n": -1}'), (10, '{"kind": "mean", "n": 1.5}'), (11, '{"kind": "mean", "n": 9007199254740993}'),
	(12, '{"kind": "mean", "n": 1, "means": 2}'), (13, '{"kind": "mean", "n": 1, "means": [Infinity]}'),
	(14, '{"kind": "mean", "n": 1, "means": [1e999]}'), (15, '{"kind": "mean", "n": 1, "means": [1'),
	(16, '{"kind": "mean", "n": 1, "means": [1,2], "comoments": [0]}'), (17, '{"kind": "mean", "n": 1, "means": [1], "comoments": [0, 0]}'),
	(18, '{"kind": "mean", "n": 1, "means": [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}'),
	(19, '{"kind": "mean", "n": 1, "successes": 1}'), (20, '{"kind": "proportion", "n": 1, "means": [1], "comoments": [0]}'),
	(21, '{"kind": "proportion", "n": 1, "successes": 2}'), (22, '{"kind": "mean", "n": 0, "means": [1], "comoments": [0]}'),
	(23, '{"kind": "mean", "n": 1, "means": [1], "comoments": [1]}'), (24, '{"kind": "mean", "n": 2, "means": [1], "comoments": [-1]}'),
	(25, '{"kind": "ratio", "n": 2, "means": [1, 1], "comoments": [1, 2, 1]}'), (26, '{"version": 2, "kind": "proportion", "n": 1, "successes": 1}'),
	(27, '{"kind": "proportion", "n": 1, "successes": 1} x'), (28, '{"kind": "proportion", "n": 1, "successes": 1'), (29, '{"kind": "proportion", "successes": 1}'),
	(30, '{"kind": "mean", "n": 1, "means": [0x10], "comoments": [0]}'), (31, '{"kind": "mean", "n" 1}')) v(i, t)
ORDER BY i;

-- Errors of the functions
SELECT pg_temp.complaint(command) FROM (VALUES
	(1, 'SELECT featbit.stats_from_counts(-1, 0)'),
	(2, 'SELECT featbit.stats_from_counts(9007199254740993, 0)'),
	(3, 'SELECT featbit.stats_from_counts(3, 4)'),
	(4, 'SELECT featbit.stats_from_counts(3, -4)'),
	(5, 'SELECT featbit.with_zeros(featbit.stats_from_counts(3, 2), 2)'),
	(6, 'SELECT featbit.with_zeros(featbit.stats_from_counts(3, 2), 9223372036854775807)'),
	(7, 'SELECT featbit.mean(featbit.stats_from_counts(3, 2), 2)'),
	(8, 'SELECT featbit.covariance(featbit.stats_from_counts(3, 2), 1, 0)'),
	(9, 'SELECT featbit.rollup(s) FROM (VALUES (featbit.stats_from_counts(3, 2)), (''{"kind": "mean", "n": 1, "means": [1], "comoments": [0]}'')) v(s)'),
	(15, 'SELECT featbit.stats_merge(''{"kind": "cuped", "n": 0, "means": [0, 0], "comoments": [0, 0, 0]}'', ''{"kind": "cuped", "n": 0, "means": [0, 0, 0], "comoments": [0, 0, 0, 0, 0, 0]}'')'),
	(10, 'SELECT featbit.stats_accum(featbit.stats_from_counts(3, 2), 1.5)'),
	(11, 'SELECT featbit.stats_accum(''{"kind": "mean", "n": 1, "means": [1], "comoments": [0]}'', true)'),
	(12, 'SELECT featbit.stats_agg(y) FROM (VALUES (1e200::float8), (-1e200)) v(y)'),
	(13, 'SELECT featbit.rollup(s) FROM (VALUES (''{"kind": "mean", "n": 1, "means": [1e200], "comoments": [0]}''::featbit.stats), (''{"kind": "mean", "n": 1, "means": [-1e200], "comoments": [0]}'')) v(s)'),
	(14, 'SELECT featbit.rollup(s) FROM (VALUES (featbit.stats_from_counts(9007199254740992, 1)), (featbit.stats_from_counts(1, 1))) v(s)')) v(i, command)
ORDER BY i;

-- Lossless: text at any extra_float_digits, binary by COPY, and jsonb can read the text.
CREATE TEMP TABLE state (id int, s featbit.stats);
INSERT INTO state SELECT g, featbit.stats_agg((random() - 0.3) * 10.0 ^ (g % 40 - 20)) FROM generate_series(1, 1000) g, generate_series(1, 7) GROUP BY g;
INSERT INTO state SELECT 1000 + g, featbit.stats_from_counts(n, floor(n * random())::bigint) FROM (SELECT g, floor(1e15 * random())::bigint AS n FROM generate_series(1, 100) g) v;
INSERT INTO state VALUES (1101, '{"kind": "mean", "n": 2, "n_bad": 7, "means": [-5e-324], "comoments": [1.7976931348623157e308]}'),
	(1102, '{"kind": "cuped", "n": 3, "means": [1, 2, 3], "comoments": [2, 1, 8, 0.5, 0.1, 18]}'), (1103, NULL);
\set abs_builddir `echo "$PG_ABS_BUILDDIR"`
\set binary_file :abs_builddir '/results/metrics_stats.copy'
\set text_file :abs_builddir '/results/metrics_stats.text'
CREATE TEMP TABLE binary_copy (LIKE state);
CREATE TEMP TABLE text_copy (LIKE state);
SET extra_float_digits = -15;
\set command '\\copy state TO ' :'text_file'
:command
\set command '\\copy text_copy FROM ' :'text_file'
:command
\set command '\\copy state TO ' :'binary_file' ' (FORMAT binary)'
:command
\set command '\\copy binary_copy FROM ' :'binary_file' ' (FORMAT binary)'
:command
RESET extra_float_digits;
SELECT count(*) AS states, count(b.s) AS binary, count(t.s) AS text,
	count(*) FILTER (WHERE featbit.stats_send(a.s) = featbit.stats_send(b.s) AND featbit.stats_send(a.s) = featbit.stats_send(t.s)) AS same_bits,
	count(*) FILTER (WHERE (a.s::text::jsonb->>'n')::bigint = featbit.n(a.s)) AS readable
FROM state a JOIN binary_copy b USING (id) JOIN text_copy t USING (id);

-- Transitions called directly leave their argument alone.
SELECT count(*) FILTER (WHERE featbit.n(featbit.stats_accum(s, 1.5::float8)) = featbit.n(s) + 1) AS added,
	count(*) FILTER (WHERE featbit.n(featbit.stats_merge(s, s)) = 2 * featbit.n(s)) AS merged FROM state WHERE id <= 1000;
SELECT count(*) AS changed FROM state a JOIN text_copy t USING (id) WHERE featbit.stats_send(a.s) <> featbit.stats_send(t.s);

-- As a window aggregate, growing and moving.
SELECT i, featbit.n(g) AS n, featbit.total(g) AS total, featbit.n(m) AS moving_n, featbit.total(m) AS moving_total, featbit.total(r) AS rolled
FROM (SELECT i, featbit.stats_agg(i::float8) OVER (ORDER BY i) AS g, featbit.stats_agg(i::float8) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS m,
	featbit.rollup(featbit.stats_from_counts(i, i)) OVER (ORDER BY i) AS r FROM generate_series(1, 5) i) w ORDER BY i;

-- Merging equals aggregating, for random splits with parts that are empty or hold one value.
CREATE TEMP TABLE sample AS
SELECT g AS trial, floor(random() * 4)::int AS part, i, CASE WHEN g % 5 = 0 THEN 1e6 ELSE 0 END + random() * 10.0 ^ (g % 7 - 3) AS y
FROM generate_series(1, 1000) g, generate_series(1, 12) i WHERE i <= 2 + g % 11;
SELECT count(*) AS trials, count(*) FILTER (WHERE featbit.n(whole) <> featbit.n(merged)
	OR abs(featbit.mean(whole) - featbit.mean(merged)) > 1e-12 * abs(featbit.mean(whole))
	OR abs(featbit.variance(whole) - featbit.variance(merged)) > 1e-12 * featbit.variance(whole)
		+ 1e-14 * abs(featbit.mean(whole)) * featbit.stddev(whole)) AS violations
FROM (SELECT trial, featbit.stats_agg(y) AS whole FROM sample GROUP BY trial) w
JOIN (SELECT trial, featbit.rollup(s) AS merged FROM (
	SELECT trial, part, featbit.stats_agg(y) AS s FROM sample GROUP BY trial, part
	UNION ALL SELECT trial, 9, featbit.stats_agg(NULL::float8) FROM sample GROUP BY trial) parts GROUP BY trial) m USING (trial);

-- with_zeros equals the outer join; means scale and shift as they should.
SELECT count(*) AS trials,
	count(*) FILTER (WHERE featbit.n(z) <> featbit.n(o) OR abs(featbit.mean(z) - featbit.mean(o)) > 1e-12 * abs(featbit.mean(o))
		OR abs(featbit.variance(z) - featbit.variance(o)) > 1e-12 * featbit.variance(o)) AS zeros,
	count(*) FILTER (WHERE abs(featbit.variance(twice) - 4 * featbit.variance(s)) > 1e-12 * featbit.variance(twice)) AS scale,
	count(*) FILTER (WHERE abs(featbit.mean(shifted) - 100 - featbit.mean(s)) > 1e-12 * abs(featbit.mean(shifted))) AS shift
FROM (SELECT trial, featbit.stats_agg(y) AS s, featbit.with_zeros(featbit.stats_agg(y), count(*) + trial % 50) AS z,
	featbit.stats_agg(2 * y) AS twice, featbit.stats_agg(100 + y) AS shifted FROM sample GROUP BY trial) a
JOIN (SELECT trial, featbit.stats_agg(y) AS o FROM (
	SELECT trial, y FROM sample UNION ALL SELECT g, 0 FROM generate_series(1, 1000) g, generate_series(1, 49) z WHERE z <= g % 50) u GROUP BY trial) b USING (trial);

-- A parallel plan gives what the serial one does.
CREATE TABLE metrics_stats_rows AS SELECT i % 3 AS variant, (i * 7919 % 10007)::float8 AS y, i % 11 = 0 AS converted FROM generate_series(1, 60000) i;
ANALYZE metrics_stats_rows;
CREATE TEMP TABLE serial AS SELECT variant, featbit.stats_agg(y) AS y, featbit.stats_agg(converted) AS converted FROM metrics_stats_rows GROUP BY variant;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TEMP TABLE plan (line text);
DO $$
DECLARE
	l text;
BEGIN
	FOR l IN EXPLAIN (COSTS OFF) SELECT variant, featbit.stats_agg(y), featbit.stats_agg(converted) FROM metrics_stats_rows GROUP BY variant LOOP
		INSERT INTO plan VALUES (l);
	END LOOP;
END
$$;
SELECT bool_or(line LIKE '%Partial%Aggregate%') AS partial, bool_or(line LIKE '%Gather%') AS gather FROM plan;
SELECT s.variant, featbit.n(s.y) = featbit.n(p.y) AS n, round(featbit.mean(p.y)::numeric, 8) = round(featbit.mean(s.y)::numeric, 8) AS mean,
	round(featbit.variance(p.y)::numeric, 5) = round(featbit.variance(s.y)::numeric, 5) AS variance,
	s.converted::text = p.converted::text AS converted
FROM serial s JOIN (SELECT variant, featbit.stats_agg(y) AS y, featbit.stats_agg(converted) AS converted FROM metrics_stats_rows GROUP BY variant) p USING (variant) ORDER BY variant;
RESET max_parallel_workers_per_gather;
DROP TABLE metrics_stats_rows;

-- States of users travel through tables, packed and toasted.
CREATE TABLE metrics_stats_packed (s featbit.stats);
INSERT INTO metrics_stats_packed SELECT featbit.stats_from_counts(i, i / 2) FROM generate_series(1, 100) i;
SELECT featbit.rollup(s), pg_column_size((SELECT p.s FROM metrics_stats_packed p LIMIT 1)) AS bytes FROM metrics_stats_packed;
SELECT count(*) AS changed FROM metrics_stats_packed p, LATERAL (SELECT featbit.rollup(q.s) FROM metrics_stats_packed q) r WHERE featbit.n(p.s) > 100;
DROP TABLE metrics_stats_packed;

-- Binary values that are no states: length, version, shape, flags, content.
SELECT encode(featbit.stats_send(featbit.stats_from_counts(3, 2)), 'hex');
\set file :abs_builddir '/results/metrics_stats.bad'
CREATE TEMP TABLE bad_binary (i int, body bytea);
INSERT INTO bad_binary VALUES
	(1, '\x0101'), (2, '\x02010100000000000000000300000000000000004000000000000000'), (3, '\x01060100000000000000000300000000000000004000000000000000'),
	(4, '\x01010200000000000000000300000000000000004000000000000000'), (5, '\x01010101000000000000000300000000000000004000000000000000'),
	(6, '\x0101010000000000000000030000000000000000400000000000000000'), (7, '\x01010100ffffffffffffffff00000000000000004000000000000000'),
	(8, '\x01010100000000000000000300000000000000007ff0000000000000');
-- a file in the binary format of COPY with one row of one column
CREATE FUNCTION pg_temp.binary_file(number int) RETURNS oid LANGUAGE sql AS $$
	SELECT lo_from_bytea(0, '\x5047434f50590aff0d0a0000000000000000000001' || int4send(length(body)) || body || '\xffff')
	FROM bad_binary WHERE i = number
$$;
\set receive '\\copy binary_copy (s) FROM ' :'file' ' (FORMAT binary)'
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
