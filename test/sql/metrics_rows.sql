-- States of several variates: covariates, ratios, shape, replacement.
SET extra_float_digits = 0;
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''));
END
$$;
-- The largest difference of two states of the same shape, relative to the scale of their numbers.
CREATE FUNCTION pg_temp.distance(a featbit.stats, b featbit.stats) RETURNS float8 LANGUAGE sql AS $$
	SELECT CASE WHEN (a::text::jsonb - 'means' - 'comoments') = (b::text::jsonb - 'means' - 'comoments') THEN max(abs(x - y)) / greatest(max(abs(x)), 1e-300) ELSE 9 END
	FROM (SELECT 1 AS part, u.* FROM unnest((SELECT array_agg(v::float8) FROM jsonb_array_elements_text(a::text::jsonb->'means') v), (SELECT array_agg(v::float8) FROM jsonb_array_elements_text(b::text::jsonb->'means') v)) u(x, y)
		UNION ALL SELECT 2, u.* FROM unnest((SELECT array_agg(v::float8) FROM jsonb_array_elements_text(a::text::jsonb->'comoments') v), (SELECT array_agg(v::float8) FROM jsonb_array_elements_text(b::text::jsonb->'comoments') v)) u(x, y)) n
$$;

-- A covariate that is missing keeps the unit and marks it; the array form says the same.
SELECT featbit.stats_agg(y, x) FROM (VALUES (1::float8, 2::float8), (3, 4), (5, 9)) v(y, x);
SELECT featbit.stats_agg(y, x) FROM (VALUES (1::float8, 2::float8), (3, NULL), (5, 9), (NULL, 4), (6, 'NaN'), ('Infinity', 1), (1e141, 1), (2, -1e141)) v(y, x);
SELECT featbit.stats_agg(y, ARRAY[x]) FROM (VALUES (1::float8, 2::float8), (3, NULL), (5, 9), (NULL, 4), (6, 'NaN'), ('Infinity', 1), (1e141, 1), (2, -1e141)) v(y, x);
SELECT featbit.stats_agg(y, x) FROM (VALUES (1::float8, NULL::float8[]), (3, NULL)) v(y, x);
SELECT featbit.stats_agg(y, x) FROM (VALUES (1::float8, NULL::float8[]), (3, '{1,2}'), (4, '{3,NULL}'), (4, '{3,1}')) v(y, x);
SELECT featbit.stats_agg(y, x), featbit.stats_agg(y, ARRAY[x]) IS NULL AS unknown_shape, featbit.ratio_agg(y, x), featbit.shape_agg(y) FROM (SELECT 1::float8, 1::float8 WHERE false) v(y, x);
SELECT featbit.ratio_agg(n, d) FROM (VALUES (1::float8, 2::float8), (0, 0), (5, NULL), (NULL, 1), ('NaN', 1), (3, 4)) v(n, d);
SELECT featbit.ratio_agg(n, d, m, e) FROM (VALUES (1::float8, 2::float8, 1::float8, 1::float8), (3, 4, NULL, NULL), (5, NULL, 1, 1), (1, 1, 'NaN', 1)) v(n, d, m, e);
SELECT featbit.shape_agg(y) FROM (VALUES (1::float8), (2), (2), (7), ('NaN'), (1e71)) v(y);
SELECT round(featbit.skewness(s)::numeric, 12) AS skewness, round(featbit.kurtosis(s)::numeric, 12) AS kurtosis, featbit.mean(s), featbit.variance(s)
FROM (SELECT featbit.shape_agg(y) AS s FROM (VALUES (1::float8), (2), (2), (7)) v(y)) a;
SELECT featbit.skewness(featbit.stats_agg(1)), featbit.skewness(featbit.shape_agg(3)), featbit.kurtosis(featbit.shape_agg(NULL::float8));

-- 1,500 random tables of up to 15 covariates: merged parts equal the whole, whatever the split, with missing covariates in some parts only.
SELECT setseed(0.25) IS NULL AS seeded;
CREATE TEMP TABLE unit AS
SELECT trial, u, floor(3 * random())::int AS part, 1000 + 10 * random() - 3 * (u % 5) AS y,
	CASE WHEN trial % 3 = 0 AND random() < 0.1 THEN NULL ELSE ARRAY(SELECT CASE WHEN trial % 3 = 1 AND u = 3 AND k = 2 THEN NULL ELSE random() * k + u % 5 END FROM generate_series(1, 1 + trial % 15) k) END AS x
FROM generate_series(1, 1500) trial, generate_series(1, trial % 40) u;
SELECT count(*) AS trials, count(*) FILTER (WHERE pg_temp.distance(whole, merged) > 1e-12 OR pg_temp.distance(whole, reversed) > 1e-12) AS merge,
	count(*) FILTER (WHERE pg_temp.distance(shape, shapes) > 1e-11) AS shape,
	count(*) FILTER (WHERE whole::text::featbit.stats::text <> whole::text OR shape::text::featbit.stats::text <> shape::text) AS text
FROM (SELECT trial, featbit.stats_agg(y, x ORDER BY u) AS whole, featbit.shape_agg(y - 1000) AS shape FROM unit GROUP BY trial) w
JOIN (SELECT trial, featbit.rollup(s ORDER BY part) AS merged, featbit.rollup(s ORDER BY part DESC) AS reversed, featbit.rollup(h) AS shapes
	FROM (SELECT trial, part, featbit.stats_agg(y, x) AS s, featbit.shape_agg(y - 1000) AS h FROM unit GROUP BY trial, part) p GROUP BY trial) m USING (trial);
-- Co-moments are those of PostgreSQL's own aggregates.
SELECT count(*) > 1000 AS enough, count(*) FILTER (WHERE abs(featbit.covariance(s, 1, 2) - c) > 1e-10 * abs(c) OR abs(featbit.variance(s, 2) - v) > 1e-10 * v OR featbit.n(s) <> n) AS differ
FROM (SELECT trial, featbit.stats_agg(y, x[1]) AS s, covar_samp(y, x[1]) AS c, var_samp(x[1]) AS v, count(*) AS n
	FROM unit WHERE x[1] IS NOT NULL GROUP BY trial HAVING count(*) > 2) a;
-- Zeros equal an outer join; a replaced row equals the state of the rows after it.
SELECT count(*) AS trials,
	count(*) FILTER (WHERE pg_temp.distance(featbit.with_zeros(few, n), zeros) > 1e-12) AS with_zeros,
	count(*) FILTER (WHERE pg_temp.distance(featbit.stats_replace(before, old_row, new_row), after) > 1e-10) AS row,
	count(*) FILTER (WHERE pg_temp.distance(featbit.stats_replace(y_before, old_row[1], new_row[1]), y_after) > 1e-10) AS value,
	count(*) FILTER (WHERE featbit.stats_replace(p_before, old_row[1] > 1005, new_row[1] > 1005)::text <> p_after::text) AS proportion
FROM (SELECT trial, featbit.ratio_agg(y, x[1]) FILTER (WHERE u % 3 > 0) AS few, featbit.ratio_agg(CASE WHEN u % 3 > 0 THEN y ELSE 0 END, CASE WHEN u % 3 > 0 THEN x[1] ELSE 0 END) AS zeros, count(*) AS n,
		featbit.stats_agg(y, x) AS before, featbit.stats_agg(CASE u WHEN 1 THEN 1003.5 ELSE y END, CASE u WHEN 1 THEN x[2:] || 7::float8 ELSE x END) AS after,
		(array_agg(y || x) FILTER (WHERE u = 1))[1:1] AS rows, featbit.stats_agg(y) AS y_before, featbit.stats_agg(CASE u WHEN 1 THEN 1003.5 ELSE y END) AS y_after,
		featbit.stats_agg(y > 1005) AS p_before, featbit.stats_agg(CASE u WHEN 1 THEN 1003.5 ELSE y END > 1005) AS p_after,
		(SELECT y || x FROM unit o WHERE o.trial = unit.trial AND o.u = 1) AS old_row, (SELECT 1003.5::float8 || x[2:] || 7::float8 FROM unit o WHERE o.trial = unit.trial AND o.u = 1) AS new_row
	FROM unit WHERE trial % 3 = 2 GROUP BY trial) t;

-- The parallel plan makes the same states as the serial one.
CREATE TABLE metrics_rows AS SELECT (i % 3)::int AS arm, (i * 7919 % 1000)::float8 AS y, CASE WHEN i % 7 > 0 THEN (i * 104729 % 997)::float8 END AS x FROM generate_series(1::bigint, 200000) i;
ALTER TABLE metrics_rows SET (parallel_workers = 2);
ANALYZE metrics_rows;
CREATE TEMP TABLE serial AS SELECT arm, featbit.stats_agg(y, x) AS a, featbit.stats_agg(y, ARRAY[x, y]) AS b, featbit.ratio_agg(y, x) AS c, featbit.ratio_agg(y, x, x, y) AS d, featbit.shape_agg(y) AS e FROM metrics_rows GROUP BY arm;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_sort = off;
DO $$
DECLARE
	plan text := '';
	line text;
BEGIN
	FOR line IN EXPLAIN SELECT arm, featbit.stats_agg(y, x), featbit.shape_agg(y) FROM metrics_rows GROUP BY arm LOOP
		plan := plan || line;
	END LOOP;
	RAISE NOTICE 'partial aggregate: %', plan ~ 'Partial';
END
$$;
SELECT arm, pg_temp.distance(p.a, s.a) < 1e-12 AS a, pg_temp.distance(p.b, s.b) < 1e-12 AS b, pg_temp.distance(p.c, s.c) < 1e-12 AS c, pg_temp.distance(p.d, s.d) < 1e-12 AS d, pg_temp.distance(p.e, s.e) < 1e-12 AS e
FROM (SELECT arm, featbit.stats_agg(y, x) AS a, featbit.stats_agg(y, ARRAY[x, y]) AS b, featbit.ratio_agg(y, x) AS c, featbit.ratio_agg(y, x, x, y) AS d, featbit.shape_agg(y) AS e FROM metrics_rows GROUP BY arm) p
JOIN serial s USING (arm) ORDER BY arm;
RESET ALL;
DROP TABLE metrics_rows;

-- Values whose squares could overflow are counted, never an error.
SELECT featbit.stats_agg(y), featbit.n_bad(featbit.stats_agg(y)) FROM (VALUES (1e160::float8), (-1e160), (1e140), (2)) v(y);

SELECT pg_temp.complaint(command) FROM (VALUES
	(1, 'SELECT featbit.stats_agg(1, ARRAY[]::float8[])'),
	(2, 'SELECT featbit.stats_agg(1, array_fill(1::float8, ARRAY[16]))'),
	(3, 'SELECT featbit.stats_agg(1, ''{{1,2},{3,4}}''::float8[])'),
	(4, 'SELECT featbit.stats_agg(y, x) FROM (VALUES (1, ''{1}''::float8[]), (2, ''{1,2}'')) v(y, x)'),
	(5, 'SELECT featbit.stats_accum(NULL, 1, 2)'),
	(6, 'SELECT featbit.stats_accum(featbit.stats_agg(1), 1, 2)'),
	(7, 'SELECT featbit.stats_accum(featbit.stats_agg(1), 1, ''{2}''::float8[])'),
	(8, 'SELECT featbit.ratio_accum(featbit.stats_agg(1), 1, 2)'),
	(9, 'SELECT featbit.ratio_accum(NULL, 1, 2, 3, 4)'),
	(10, 'SELECT featbit.ratio_accum(featbit.stats_agg(1), 1, 2, 3, 4)'),
	(11, 'SELECT featbit.shape_accum(featbit.stats_agg(1), 1)'),
	(12, 'SELECT featbit.stats_replace(featbit.stats_agg(NULL::float8), 1, 2)'),
	(13, 'SELECT featbit.stats_replace(featbit.stats_agg(1), 1, ''Infinity'')'),
	(14, 'SELECT featbit.stats_replace(featbit.stats_agg(true), 1::float8, 2)'),
	(15, 'SELECT featbit.stats_replace(featbit.stats_agg(true), false, true)'),
	(16, 'SELECT featbit.stats_replace(featbit.shape_agg(1), 1, 2)'),
	(17, 'SELECT featbit.stats_replace(featbit.stats_agg(1, 2), ''{1}''::float8[], ''{1,2}'')'),
	(18, 'SELECT featbit.stats_replace(featbit.stats_agg(1, 2), ''{1,NULL}''::float8[], ''{1,2}'')'),
	(19, 'SELECT featbit.stats_merge(featbit.stats_agg(1, ''{1}''::float8[]), featbit.stats_agg(1, ''{1,2}''::float8[]))'),
	(20, 'SELECT featbit.stats_merge(featbit.stats_agg(1), featbit.shape_agg(1))'),
	(21, 'SELECT ''{"kind": "cuped", "n": 1, "missing": 1, "means": [1,0], "comoments": [0,0,0]}''::featbit.stats'),
	(22, 'SELECT ''{"kind": "ratio", "n": 1, "missing": true, "means": [1,0], "comoments": [0,0,0]}''::featbit.stats'),
	(23, 'SELECT ''{"kind": "shape", "n": 2, "means": [1], "comoments": [1,2]}''::featbit.stats'),
	(24, 'SELECT ''{"kind": "shape", "n": 2, "means": [1], "comoments": [1,9,2]}''::featbit.stats')) v(i, command)
ORDER BY i;
