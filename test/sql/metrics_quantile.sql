-- Sketches: quantiles within their accuracy, merging to the bit, forms, intervals, comparisons, capping, errors.
SELECT setseed(0.5) IS NOT NULL AS seeded;
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.show(v float8) RETURNS numeric LANGUAGE sql AS $$ SELECT round(v::numeric, 6) $$;

-- Few different numbers stay exact: percentile_cont and percentile_disc to the bit.
SELECT featbit.quantile_agg(y) FROM (VALUES (1::float8), (2), (NULL), (-0.5), (0), (2), ('NaN'), ('Infinity'), (1e141)) v(y);
SELECT featbit.quantile_agg(y) AS empty, featbit.quantile(featbit.quantile_agg(y), 0.5) AS median, featbit.n(featbit.quantile_agg(y)), featbit.quantile_agg(y, 0.01) AS no_row FROM (SELECT 1::float8 WHERE false) v(y);
WITH v AS MATERIALIZED (SELECT trial, CASE WHEN trial % 3 = 0 THEN floor(20 * random() - 10) ELSE (random() - 0.3) * 10 ^ (trial % 7) END AS y FROM generate_series(1, 200) trial, generate_series(1, 1 + trial % 50) OFFSET 0),
	s AS (SELECT trial, featbit.quantile_agg(y) AS s, array_agg(y) AS y FROM v GROUP BY trial)
SELECT count(*) AS compared, count(*) FILTER (WHERE abs(featbit.quantile(s, p, true) - c) > 1e-14 * greatest(abs(c), (SELECT max(abs(x)) FROM unnest(y) x)) OR featbit.quantile(s, p, true) <> d) AS wrong
FROM s, (VALUES (0::float8), (0.001), (0.1), (0.25), (0.5), (0.77), (0.999), (1)) q(p),
	LATERAL (SELECT percentile_cont(p) WITHIN GROUP (ORDER BY x) AS c, percentile_disc(p) WITHIN GROUP (ORDER BY x) AS d FROM unnest(y) x) e;

-- Many numbers: within the accuracy, whatever their distribution.
CREATE TEMP TABLE many AS
SELECT i, exp(3 * (random() + random() + random() - 1.5)) AS y, (random() - 0.5) * 1000 AS mixed, round(exp(8 * random())) AS rounded, CASE WHEN random() < 0.7 THEN 0 ELSE random() * 100 END AS zeros, exp(600 * (random() - 0.5)) AS wide, (i * 7919 % 997)::bigint AS unit
FROM generate_series(1, 60000) i;
CREATE TEMP TABLE sketch AS
SELECT what, featbit.quantile_agg(y) AS s, featbit.quantile_agg(y, 0.01) AS rough, array_agg(y) AS y
FROM (SELECT what, v.y FROM many, LATERAL (VALUES ('y', y), ('mixed', mixed), ('rounded', rounded), ('zeros', zeros), ('wide', wide)) v(what, y)) m GROUP BY what;
SELECT what, featbit.sketch_accuracy(s) AS accuracy, featbit.sketch_accuracy(rough) AS rough, pg_column_size(s) < 300000 AS small, count(*) AS compared,
	count(*) FILTER (WHERE abs(featbit.quantile(s, p, true) - c) > featbit.sketch_accuracy(s) * abs(c) + 1e-12) AS wrong, count(*) FILTER (WHERE abs(featbit.quantile(rough, p, true) - c) > featbit.sketch_accuracy(rough) * abs(c) + 1e-12) AS wrong_rough
FROM sketch, (VALUES (0::float8), (0.001), (0.1), (0.25), (0.5), (0.77), (0.999), (1)) q(p), LATERAL (SELECT percentile_disc(p) WITHIN GROUP (ORDER BY x) AS c FROM unnest(y) x) e
GROUP BY 1, 2, 3, 4 ORDER BY what;
SELECT what, pg_temp.show(max(abs(featbit.share_below(s, at) - exact))) < 0.001 AS close FROM sketch, LATERAL (SELECT y[1 + i * 997] AS at FROM generate_series(0, 20) i OFFSET 0) a, LATERAL (SELECT avg((x <= at)::int) AS exact FROM unnest(y) x) e GROUP BY what ORDER BY what;
SELECT (SELECT array_agg(pg_temp.show(q)) FROM unnest(featbit.quantiles(s, '{0.5,NULL,0.9}')) q) AS some, featbit.quantiles(s, '{}') AS none FROM sketch WHERE what = 'zeros';

-- The state is the same to the bit for any order, split and merging, serial or parallel, and through both forms.
CREATE TEMP TABLE part AS
SELECT what, featbit.quantile_agg(v.y ORDER BY random()) AS s, featbit.cluster_quantile_agg(unit, v.y) AS c FROM many, LATERAL (VALUES ('y', y), ('mixed', mixed), ('rounded', rounded), ('zeros', zeros), ('wide', wide)) v(what, y) GROUP BY what, i % 13, i % 3 = 0;
SELECT count(*) AS kinds, count(*) FILTER (WHERE a::text = s::text) AS same FROM (SELECT what, featbit.rollup(s ORDER BY random()) AS a FROM part GROUP BY what) r JOIN sketch USING (what);
SELECT count(*) AS kinds, count(*) FILTER (WHERE a::text = s::text) AS same FROM (SELECT what, featbit.rollup(s) AS a FROM (SELECT what, featbit.rollup(s) AS s FROM part GROUP BY what, random() < 0.5) p GROUP BY what) r JOIN sketch USING (what);
SELECT count(*) AS states, count(*) FILTER (WHERE s::text::featbit.stats::text = s::text AND featbit.stats_send(s::text::featbit.stats) = featbit.stats_send(s) AND c::text::featbit.stats::text = c::text) AS same FROM part;
CREATE TABLE many_parallel AS SELECT * FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT featbit.quantile_agg(wide), featbit.cluster_quantile_agg(unit, y) FROM many_parallel;
SELECT md5(featbit.quantile_agg(wide)::text) AS wide, md5(featbit.cluster_quantile_agg(unit, y)::text) AS units FROM many_parallel \gset p_
SET max_parallel_workers_per_gather = 0;
SELECT md5(featbit.quantile_agg(wide)::text) = :'p_wide' AS same, md5(featbit.cluster_quantile_agg(unit, y)::text) = :'p_units' AS same_units, md5(featbit.cluster_quantile_agg(unit::text, y)::text) = :'p_units' AS same_text FROM many_parallel;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE many_parallel;
-- Units that did nothing: the state of all of them, in one step.
SELECT featbit.with_zeros(featbit.quantile_agg(y) FILTER (WHERE y <> 0), count(*))::text = featbit.quantile_agg(y)::text AS same FROM (SELECT zeros AS y FROM many) z;
-- As a window, and with a transition by hand, which leaves its argument alone.
SELECT array_agg(pg_temp.show(featbit.quantile(s, 0.5)) ORDER BY y) AS running FROM (SELECT y, featbit.quantile_agg(y) OVER (ORDER BY y ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM generate_series(1, 5) y) w;
SELECT featbit.n(featbit.quantile_accum(s, 7)) AS after, featbit.n(s) AS before FROM sketch WHERE what = 'y';
SELECT featbit.cluster_quantile_agg('11111111-2222-3333-4444-55555555aaaa'::uuid, 1)::text = featbit.cluster_quantile_agg('11111111-2222-3333-4444-55555555aaaa'::text, 1)::text AS uuid_is_text;
-- Accuracies merge to the coarser one, in any order.
SELECT featbit.sketch_accuracy(featbit.stats_merge(s, rough)) AS one, featbit.stats_merge(s, rough)::text = featbit.stats_merge(rough, s)::text AS same FROM sketch WHERE what = 'y';

-- Intervals: order statistics; too few values; constant, coarse and clustered ones
SELECT what, pg_temp.show(value) AS value, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(rank_low) AS rank_low, pg_temp.show(rank_high) AS rank_high, inflation, n, status
FROM (SELECT 1, 'hundred', featbit.quantile_agg(i) FROM generate_series(1, 100) i
	UNION ALL SELECT 2, 'four', featbit.quantile_agg(i) FROM generate_series(1, 4) i
	UNION ALL SELECT 3, 'one', featbit.quantile_agg(i) FROM generate_series(1, 1) i
	UNION ALL SELECT 4, 'none', featbit.quantile_agg(i) FROM generate_series(1, 0) i
	UNION ALL SELECT 5, 'constant', featbit.quantile_agg(7) FROM generate_series(1, 100) i
	UNION ALL SELECT 6, 'ties', featbit.quantile_agg(i % 3) FROM generate_series(1, 300) i
	UNION ALL SELECT 7, 'coarse', featbit.quantile_agg(1000 + i / 1000.0, 0.01) FROM generate_series(1, 10000) i) v(i, what, s), LATERAL featbit.quantile_interval(s, 0.5) ORDER BY i;
-- Intervals cover the true median in 95 percent of samples, of rows and of units with rows that go together.
SELECT kind, count(*) AS samples, count(*) FILTER (WHERE ci_low <= 0 AND ci_high >= 0) / count(*)::float8 BETWEEN 0.93 AND 0.985 AS covered, pg_temp.show(avg(inflation)) BETWEEN 5 AND 30 AS inflated
FROM (SELECT sample, featbit.quantile_agg(y) AS rows, featbit.cluster_quantile_agg(unit, own + 0.3 * y) AS units
	FROM (SELECT sample, unit, own, random() - 0.5 AS y FROM (SELECT sample, unit, random() - 0.5 AS own FROM generate_series(1, 400) sample, generate_series(1::bigint, 150) unit OFFSET 0) u, generate_series(1, 12) OFFSET 0) r GROUP BY sample) s,
	LATERAL (VALUES ('rows', rows), ('units', units)) k(kind, s), LATERAL featbit.quantile_interval(k.s, 0.5) i GROUP BY kind ORDER BY kind;
SELECT n, p, method, pg_temp.show(rank_low) AS rank_low, pg_temp.show(rank_high) AS rank_high, lower_index, upper_index
FROM (VALUES (100, 0.5), (10, 0.5), (5, 0.5), (400, 0.99)) v(n, p), (VALUES ('normal'), ('exact')) m(method), LATERAL featbit.quantile_ranks(n, p, method => method) ORDER BY n, method;

-- Comparisons: of any quantile, by every test; intervals and p-values agree; exchange of the arms
CREATE TEMP TABLE pair AS
SELECT trial, featbit.quantile_agg(y) FILTER (WHERE NOT treated) AS c, featbit.quantile_agg(y) FILTER (WHERE treated) AS t,
	featbit.cluster_quantile_agg(unit, y) FILTER (WHERE NOT treated) AS cu, featbit.cluster_quantile_agg(unit, y) FILTER (WHERE treated) AS tu
FROM (SELECT trial, unit, unit % 2 = 1 AS treated, exp(random() + random()) + CASE WHEN unit % 2 = 1 THEN (trial % 5) * 0.06 ELSE 0 END AS y FROM generate_series(1, 1000) trial, generate_series(1::bigint, 300) unit OFFSET 0) r GROUP BY trial;
SELECT what, scale, method, count(*) AS pairs, count(*) FILTER (WHERE p_value < 0.05) BETWEEN 100 AND 950 AS some, count(*) FILTER (WHERE status <> 'ok') AS not_ok,
	count(*) FILTER (WHERE (ci_low > 0 OR ci_high < 0) <> (p_value < 0.05)) AS contradiction
FROM pair, LATERAL (VALUES ('rows', c, t), ('units', cu, tu)) k(what, a, b), (VALUES ('absolute', 'welch'), ('relative', 'welch'), ('absolute', 'student'), ('relative', 'z')) m(scale, method),
	LATERAL featbit.effect(a, b, scale, method => method, quantile => 0.4) e GROUP BY what, scale, method ORDER BY what, scale, method;
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(e.effect + x.effect) > 1e-12 OR abs(e.se - x.se) > 1e-12 OR abs(e.effect - (featbit.quantile(t, 0.9) - featbit.quantile(c, 0.9))) > 1e-12) AS exchange,
	count(*) FILTER (WHERE abs(e.se - sqrt(i.se ^ 2 + j.se ^ 2)) > 1e-12) AS standard_error
FROM pair, LATERAL featbit.effect(c, t, 'absolute', quantile => 0.9) e, LATERAL featbit.effect(t, c, 'absolute', quantile => 0.9) x, LATERAL featbit.quantile_interval(c, 0.9) i, LATERAL featbit.quantile_interval(t, 0.9) j;
SELECT pg_temp.show(e.effect) AS effect, pg_temp.show(e.log_e) AS log_e, pg_temp.show(b.mean) AS posterior, pg_temp.show(v.effect) AS compared, v.variant
FROM pair, LATERAL featbit.effect_sequential(c, t, 300, quantile => 0.9) e, LATERAL featbit.effect_bayes(c, t, quantile => 0.9) b, LATERAL featbit.compare_variants('{c,t}', ARRAY[c, t], 'c', quantile => 0.9) v WHERE trial = 4;
SELECT what, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(p_value) AS p_value, n_c, n_t, pg_temp.show(mean_c) AS mean_c, pg_temp.show(mean_t) AS mean_t, status
FROM (VALUES (1, 'none', 0, 100), (2, 'one', 1, 100), (3, 'few', 3, 100), (4, 'constant', -50, 100), (5, 'both constant', -50, -60)) v(i, what, a, b),
	LATERAL (SELECT featbit.quantile_agg(CASE WHEN a < 0 THEN 7 ELSE i END) AS c FROM generate_series(1, abs(a)) i) c, LATERAL (SELECT featbit.quantile_agg(CASE WHEN b < 0 THEN 8 ELSE i END) AS t FROM generate_series(1, abs(b)) i) t,
	LATERAL featbit.effect(c, t, 'absolute') ORDER BY v.i;
SELECT featbit.stats_from_quantile(1000, 10, 9, 12), featbit.stats_from_quantile(1000, 10, 9, 12, 0.05, 500);

-- Capping: a percentile of all arms together; sparse metrics have none; what the cap removes
SELECT pg_temp.show(featbit.cap_value(s, 0.9)) AS cap, pg_temp.show(featbit.cap_value(s, 0.9, true)) AS of_positive, pg_temp.show(featbit.cap_value(s, 0.6)) AS sparse, featbit.cap_value((SELECT featbit.quantile_agg(0))) AS zero FROM sketch WHERE what = 'zeros';
SELECT count(*) AS trials, count(*) FILTER (WHERE abs(featbit.cap_value(s, 0.8, true) - exact) > 1e-12 * abs(exact)) AS wrong
FROM (SELECT featbit.quantile_agg(y) AS s, percentile_cont(0.8) WITHIN GROUP (ORDER BY y) FILTER (WHERE y <> 0) AS exact FROM (SELECT trial, greatest(floor(random() * 30) - 15 + trial % 9, CASE WHEN trial % 2 = 0 THEN 0 ELSE -99 END) AS y FROM generate_series(1, 1000) trial, generate_series(1, 40) OFFSET 0) r GROUP BY trial) q WHERE exact > 0;
SELECT featbit.winsorize(5, 3), featbit.winsorize(5, NULL), featbit.winsorize(NULL, 3), featbit.winsorize(-5, 3, -1), featbit.winsorize(2, 3, -1);
SELECT (featbit.capping(y, 10)).*, (featbit.capping(y, NULL)).share_capped AS not_capped FROM (VALUES (1::float8), (25), (NULL), (4)) v(y);

-- States from outside: what must hold
SELECT state, pg_temp.complaint(format('SELECT %L::featbit.stats', state)) FROM (VALUES
	('{"kind": "quantile", "n": 2, "bits": 52, "wanted": 11, "min": 1, "max": 2, "buckets": [4607182418800017408, 1, 4611686018427387904, 1]}'),
	('{"kind": "quantile", "n": 2, "bits": 11, "wanted": 11, "min": 1, "max": 2, "buckets": [2095104, 1, 2097152, 1]}'),
	('{"kind": "quantile", "n": 3, "bits": 11, "wanted": 11, "min": 1, "max": 2, "buckets": [2095104, 1, 2097152, 1]}'),
	('{"kind": "quantile", "n": 2, "bits": 11, "wanted": 11, "min": 1, "max": 3, "buckets": [2095104, 1, 2097152, 1]}'),
	('{"kind": "quantile", "n": 2, "bits": 11, "wanted": 11, "min": 1, "max": 2, "buckets": [2097152, 1, 2095104, 1]}'),
	('{"kind": "quantile", "n": 0, "bits": 11, "wanted": 11, "min": 1, "max": 2, "buckets": []}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1, "buckets": [2095104, 0]}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1, "buckets": [2095104]}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1, "buckets": [99999999999999999999, 1]}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1, "buckets": [7, 1]}'),
	('{"kind": "quantile", "n": 1, "bits": 30, "wanted": 11, "min": 1, "max": 1, "buckets": [2095104, 1]}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 99, "min": 1, "max": 1, "buckets": [2095104, 1]}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1, "groups": [[2095104, 1]]}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1, "buckets": [2095104, 1], "groups": []}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1e141, "buckets": [2095104, 1]}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "wanted": 11, "min": 1, "max": 1}'),
	('{"kind": "quantile", "n": 1, "bits": 11, "n": 1}'),
	('{"kind": "quantile", "n": 1, "sum": 3}'),
	('{"kind": "quantile", "n": 0, "version": 2, "bits": 11, "wanted": 11, "min": 0, "max": 0, "buckets": []}'),
	('{"kind": "quantile", "n": 0, "bits": 11, "wanted": 11, "min": 0, "max": 0, "buckets": []} x')) v(state);

-- Errors
SELECT command, pg_temp.complaint('SELECT ' || command) FROM (VALUES
	('featbit.quantile_agg(1, 0)'), ('featbit.quantile_agg(1, NULL)'), ('featbit.quantile_agg(y, y / 100.0) FROM generate_series(1, 2) y'),
	('featbit.quantile(featbit.quantile_agg(1), 1.5)'), ('featbit.quantiles(featbit.quantile_agg(1), ''{{0.5}}'')'), ('featbit.quantile(featbit.stats_agg(1::float8), 0.5)'),
	('featbit.quantile_interval(featbit.quantile_agg(1), 0)'), ('featbit.quantile_interval(featbit.quantile_agg(1), 0.5, 1)'), ('featbit.quantile_ranks(0, 0.5)'), ('featbit.quantile_ranks(9, 0.5, 0.05, ''best'')'),
	('featbit.cap_value(featbit.quantile_agg(1), 1)'), ('featbit.share_below(featbit.stats_agg(1::float8), 1)'), ('featbit.mean(featbit.quantile_agg(1))'), ('featbit.with_zeros(featbit.cluster_quantile_agg(1::bigint, 1), 10)'), ('featbit.with_zeros(featbit.quantile_agg(1), 0)'),
	('featbit.stats_merge(featbit.quantile_agg(1), featbit.stats_agg(1::float8))'), ('featbit.stats_merge(featbit.stats_agg(1::float8), featbit.quantile_agg(1))'), ('featbit.stats_merge(featbit.quantile_agg(1), featbit.cluster_quantile_agg(1::bigint, 1))'),
	('featbit.quantile_accum(featbit.stats_agg(1::float8), 1)'), ('featbit.quantile_accum(featbit.cluster_quantile_agg(1::bigint, 1), 1)'), ('featbit.cluster_quantile_accum(featbit.quantile_agg(1), ''u'', 1)'),
	('featbit.effect(featbit.quantile_agg(1), featbit.stats_agg(1::float8))'), ('featbit.effect(featbit.quantile_agg(1), featbit.cluster_quantile_agg(1::bigint, 1))'), ('featbit.effect(featbit.quantile_agg(1), featbit.quantile_agg(1), quantile => 1)'), ('featbit.effect(featbit.quantile_agg(1), featbit.quantile_agg(1), method => ''percentile'')'),
	('featbit.stats_from_quantile(1, 1, 0, 2)'), ('featbit.stats_from_quantile(9, 3, 0, 2)'), ('featbit.capping_accum(featbit.stats_agg(1::float8), 1, 1)'), ('featbit.capping_accum(NULL, 1, 1)')) v(command);

-- Zeros of either sign are one number, in any order.
SELECT featbit.quantile_agg(y)::text = featbit.quantile_agg(-y)::text AS same, featbit.quantile_agg(y) FROM unnest('{0,-0}'::float8[]) y;
SELECT '{"kind": "quantile", "n": 1, "bits": 52, "wanted": 11, "min": -0, "max": -0, "buckets": [0, 1]}'::featbit.stats;
