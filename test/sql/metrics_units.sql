-- exposure_map, unit_agg, unit_stats, unit_values, first_exposure, funnel_depth: what they do at the edges, merging, forms, errors.
SET timezone = 'UTC';
CREATE TABLE units_exposure (user_key text, user_id bigint, variation text, country text, at timestamptz);
INSERT INTO units_exposure
SELECT 'user-' || u, u, (ARRAY['base', 'tuned'])[1 + u % 2], (ARRAY['de', 'fr', NULL])[1 + u % 3], timestamptz '2026-01-01' + u * interval '1 minute' FROM generate_series(1, 2000) u
UNION ALL SELECT 'user-' || u, u, (ARRAY['base', 'tuned'])[1 + (u + u / 75) % 2], 'us', timestamptz '2026-01-03' FROM generate_series(25, 2000, 25) u;
CREATE TABLE units_event AS
SELECT 'user-' || u AS user_key, u::bigint AS user_id, (ARRAY['view', 'buy', 'open'])[1 + e % 3] AS name, (e * 7919 % 64) / 4.0::float8 AS amount, timestamptz '2025-12-31' + e * 7919 % 5000 * interval '2 minutes' AS at
FROM generate_series(1, 30000) e, LATERAL (SELECT 1 + e * 31 % 2500 AS u) s;
ANALYZE units_exposure; ANALYZE units_event;

-- the whole way: map, events, moments
CREATE VIEW units_result AS
SELECT s.* FROM (SELECT featbit.exposure_map(user_key, at, variation) AS map FROM units_exposure) m
CROSS JOIN LATERAL (SELECT featbit.unit_agg(m.map, e.user_key, e.at, e.amount) AS state FROM units_event e WHERE e.name = 'buy') a
CROSS JOIN LATERAL featbit.unit_stats(m.map, a.state) s;
SELECT metric, variation, stratum, units, mixed_units, nonzero_units, featbit.n(stats), round(featbit.mean(stats)::numeric, 6) AS mean, round(featbit.stddev(stats)::numeric, 6) AS stddev FROM units_result ORDER BY variation;
-- the same in plain SQL
WITH first AS (
	SELECT user_key, min(at) AS at, min(variation) AS variation FROM units_exposure GROUP BY user_key HAVING count(DISTINCT variation) = 1),
per_user AS (
	SELECT f.variation, f.user_key, coalesce(sum(e.amount), 0) AS y
	FROM first f LEFT JOIN units_event e ON e.user_key = f.user_key AND e.at >= f.at AND e.name = 'buy' GROUP BY f.variation, f.user_key)
SELECT p.variation, count(*), count(*) FILTER (WHERE y <> 0) AS nonzero, round(avg(y)::numeric, 6) AS mean, round(stddev_samp(y)::numeric, 6) AS stddev
FROM per_user p GROUP BY p.variation ORDER BY p.variation;

-- what a map knows
SELECT * FROM featbit.exposures((SELECT featbit.exposure_map(user_key, at, variation) FROM units_exposure));
SELECT * FROM featbit.exposures((SELECT featbit.exposure_map(user_id, at, variation, country) FROM units_exposure));
SELECT * FROM featbit.exposed_units((SELECT featbit.exposure_map(u, at, v) FROM (VALUES (7::bigint, timestamptz '2026-01-02', 'b'), (7, '2026-01-01', 'a'), (-1, '2026-01-03', 'a')) x (u, at, v))) ORDER BY unit;
SELECT * FROM featbit.exposed_units((SELECT featbit.exposure_map(u, at, v) FROM (VALUES ('00000000-0000-0000-0000-000000000000'::uuid, timestamptz '2026-01-02', 'b'), ('f81d4fae-7dec-11d0-a765-00a0c91e6bf6', '2026-01-01', 'a')) x (u, at, v))) ORDER BY unit;
SELECT unit, at, variation FROM featbit.exposed_units((SELECT featbit.exposure_map('user-1'::text, now() - now() + timestamptz '2026-01-01', 'a')));
-- at the same moment the variation that sorts first by bytes; a stratum does not mix
SELECT variation, stratum, mixed FROM featbit.exposed_units((SELECT featbit.exposure_map(1::bigint, '2026-01-01', v, s) FROM (VALUES ('b', 'x'), ('B', 'y'), ('B', NULL)) x (v, s)));
SELECT variation, stratum, mixed FROM featbit.exposed_units((SELECT featbit.exposure_map(1::bigint, at, 'a', s) FROM (VALUES (timestamptz '2026-01-02', 'x'), ('2026-01-01', 'y')) x (at, s)));
-- nothing, and rows that say nothing
SELECT count(*) FROM units_exposure e, LATERAL featbit.exposures((SELECT featbit.exposure_map(user_id, at, variation) FROM units_exposure WHERE false)) x;
SELECT count(*) FROM featbit.exposed_units((SELECT featbit.exposure_map(u, at, v) FROM (VALUES (NULL::bigint, timestamptz '2026-01-02', 'b'), (1, NULL, 'a'), (2, '2026-01-03', NULL)) x (u, at, v)));
SELECT count(*) FROM featbit.exposures(NULL);
SELECT count(*) FROM featbit.exposed_units(NULL);

-- no event at all: everybody did nothing
WITH m AS (SELECT featbit.exposure_map(user_id, at, variation) AS map FROM units_exposure)
SELECT s.variation, s.units, s.nonzero_units, s.stats FROM m, LATERAL featbit.unit_stats(map, (SELECT featbit.unit_agg(map, user_id, at, amount) FROM units_event WHERE false)) s;
WITH m AS (SELECT featbit.exposure_map(user_id, at, variation) AS map FROM units_exposure)
SELECT s.metric, s.variation, featbit.n(s.stats), s.stats::text::jsonb ->> 'kind' AS kind
FROM m, LATERAL featbit.unit_stats(map, NULL, '[{"aggregate": "conversion"}, {"aggregate": "mean"}, {"aggregate": "ratio", "value": 1, "denominator": 2, "lookback": "1 day"}, {"aggregate": "time", "event": "x"}]') s;
SELECT count(*) FROM featbit.unit_stats(NULL, NULL);
SELECT count(*) FROM featbit.unit_values((SELECT featbit.exposure_map(user_id, at, variation) FROM units_exposure), NULL);

-- numbers that are none are counted with the arm, and NULLs are not there
WITH m AS (SELECT featbit.exposure_map(u, '2026-01-01', CASE u WHEN 1 THEN 'a' ELSE 'b' END) AS map FROM generate_series(1::bigint, 2) u)
SELECT s.variation, s.stats FROM m, LATERAL (SELECT featbit.unit_agg(map, u, at, v) AS state FROM (VALUES
	(1::bigint, timestamptz '2026-01-02', 'NaN'::float8), (1, '2026-01-02', 'infinity'), (1, '2025-01-02', 'NaN'), (1, '2026-01-02', NULL), (1, NULL, 1), (NULL, '2026-01-02', 1), (1, '2026-01-02', 1e141), (1, '2026-01-02', 3)) x (u, at, v)) a, LATERAL featbit.unit_stats(map, state) s;
-- endless times: an exposure at -infinity is before all events and its windows are over, one at infinity is not before any but endless ones
WITH m AS (SELECT featbit.exposure_map(u, at, 'a') AS map FROM (VALUES (1::bigint, timestamptz '-infinity'), (2, '2026-01-01'), (3, 'infinity')) x (u, at))
SELECT v.unit, v.value AS all_time, w.value AS one_day, w.covariate FROM m,
	LATERAL (SELECT featbit.unit_agg(map, u, at, 1, '[{}, {"window": "1 day", "lookback": "1 day"}]') AS state FROM generate_series(1::bigint, 3) u, (VALUES (timestamptz '-infinity'), ('2026-01-01 12:00'), ('2025-12-31 12:00'), ('infinity')) x (at)) a,
	LATERAL featbit.unit_values(map, state, 1) v JOIN LATERAL featbit.unit_values(map, state, 2) w USING (unit) ORDER BY unit;

-- as_of leaves out whose window is still open; mixed units count for their first variation on request
CREATE TABLE units_state AS
SELECT m.map, a.state, a.conversions FROM (SELECT featbit.exposure_map(user_id, at, variation) AS map FROM units_exposure) m,
	LATERAL (SELECT featbit.unit_agg(m.map, user_id, at, amount, '[{"window": "12 hours", "lookback": "1 day", "cap": 20}, {"aggregate": "max"}]') AS state,
		featbit.unit_agg(m.map, user_id, at, name, amount, '[{"aggregate": "conversion", "event": "buy", "from": "1 day", "window": "1 day"}, {"aggregate": "count"}]') AS conversions FROM units_event) a;
SELECT s.metric, s.variation, s.units, s.mixed_units, s.immature_units, s.nonzero_units, s.cap, s.capped_units, round(s.removed::numeric, 3) AS removed, featbit.n(s.stats), round(featbit.mean(s.stats)::numeric, 4) AS mean
FROM units_state, LATERAL featbit.unit_stats(map, state, as_of => '2026-01-02 00:00') s;
SELECT s.metric, s.variation, s.units, s.mixed_units, featbit.n(s.stats), round(featbit.mean(s.stats)::numeric, 4) AS mean FROM units_state, LATERAL featbit.unit_stats(map, state, mixed => 'first') s;
SELECT s.metric, s.variation, s.units, s.nonzero_units, s.stats::text::jsonb ->> 'kind' AS kind, round(featbit.mean(s.stats)::numeric, 4) AS mean FROM units_state, LATERAL featbit.unit_stats(map, conversions) s;

-- text and binary forms lose nothing; stored maps work like those just made
CREATE TEMP TABLE units_copy (LIKE units_state);
\copy units_state to program 'cat > "$PG_ABS_BUILDDIR/results/units.bin"' (format binary)
\copy units_copy from program 'cat "$PG_ABS_BUILDDIR/results/units.bin"' (format binary)
SELECT c.map::text = s.map::text AND c.state::text = s.state::text AS same_binary, s.map::text::featbit.exposure_map::text = s.map::text AND s.state::text::featbit.unit_outcomes::text = s.state::text AS same_text,
	(SELECT array_agg(x ORDER BY metric, variation) FROM featbit.unit_stats(c.map, c.state) x)::text = (SELECT array_agg(x ORDER BY metric, variation) FROM featbit.unit_stats(s.map, s.state) x)::text AS same_stats,
	md5(s.map::text) = md5((SELECT featbit.exposure_map(user_id, at, variation) FROM (SELECT * FROM units_exposure ORDER BY at DESC, user_key) x)::text) AS order_does_not_matter
FROM units_copy c, units_state s;
SELECT (SELECT array_agg(x ORDER BY variation) FROM featbit.unit_stats(s.map, a.state) x)::text = (SELECT array_agg(x ORDER BY variation) FROM featbit.unit_stats(s.map, b.state) x)::text AS same
FROM units_state s, LATERAL (SELECT featbit.unit_agg(s.map, user_id, at, amount) AS state FROM units_event) a,
	(SELECT featbit.unit_agg(t.map, user_id, at, amount) AS state FROM units_event, units_state t) b;
-- a map of one unit is stored short, one that compresses stays usable
CREATE TEMP TABLE units_small AS SELECT featbit.exposure_map(1::bigint, '2026-01-01', 'a') AS map;
ALTER TABLE units_small ALTER map SET STORAGE extended;
INSERT INTO units_small SELECT featbit.exposure_map(u, '2026-01-01', repeat('a', 3000)) FROM generate_series(1::bigint, 3) u;
SELECT featbit.total(x.stats), length(x.variation) FROM units_small s, LATERAL (SELECT featbit.unit_agg(t.map, u, '2026-01-02', u) AS state FROM generate_series(1::bigint, 100) g, generate_series(1::bigint, 3) u, units_small t WHERE pg_column_size(t.map) = pg_column_size(s.map)) a, LATERAL featbit.unit_stats(s.map, a.state) x;

-- states of any disjoint parts merge to the state of the whole, in any order and with empty parts
WITH whole AS (SELECT map, (SELECT array_agg(x::text ORDER BY x.metric, x.variation) FROM featbit.unit_stats(map, state) x) AS stats FROM units_state),
part AS (
	SELECT extract(epoch FROM e.at)::int / 60 % 17 AS part, featbit.unit_agg(s.map, user_id, at, amount, '[{"window": "12 hours", "lookback": "1 day", "cap": 20}, {"aggregate": "max"}]') AS state FROM units_event e, units_state s GROUP BY 1
	UNION ALL SELECT 99, NULL
	UNION ALL SELECT 98, featbit.unit_agg(s.map, NULL::bigint, at, amount, '[{"window": "12 hours", "lookback": "1 day", "cap": 20}, {"aggregate": "max"}]') FROM units_event e, units_state s),
merged AS (SELECT featbit.rollup(state ORDER BY part) AS up, featbit.rollup(state ORDER BY part DESC) AS down, featbit.rollup(state::text::featbit.unit_outcomes ORDER BY md5(part::text)) AS shuffled FROM part)
SELECT (SELECT array_agg(x::text ORDER BY x.metric, x.variation) FROM featbit.unit_stats(w.map, up) x) = w.stats AS up, (SELECT array_agg(x::text ORDER BY x.metric, x.variation) FROM featbit.unit_stats(w.map, down) x) = w.stats AS down,
	(SELECT array_agg(x::text ORDER BY x.metric, x.variation) FROM featbit.unit_stats(w.map, shuffled) x) = w.stats AS shuffled
FROM whole w, merged;
WITH part AS (SELECT ntile, featbit.exposure_map(user_id, at, variation, country) AS map FROM (SELECT *, ntile(7) OVER (ORDER BY md5(at::text || user_key)) FROM units_exposure) x GROUP BY ntile)
SELECT featbit.rollup(p.map ORDER BY ntile)::text = w.map AS up, featbit.rollup(p.map::text::featbit.exposure_map ORDER BY ntile DESC)::text = w.map AS down
FROM part p, (SELECT featbit.exposure_map(user_id, at, variation, country)::text AS map FROM units_exposure) w GROUP BY w.map;
SELECT featbit.rollup(map) IS NULL AS none FROM units_state WHERE false;
SELECT featbit.rollup(state) IS NULL AS none FROM units_state WHERE false;
SELECT featbit.rollup(map)::text = min(map::text) AS itself FROM (SELECT map FROM units_state UNION ALL SELECT NULL UNION ALL SELECT map FROM units_state) x;
-- merging leaves what is stored alone
SELECT c.map::text = s.map::text AND c.state::text = s.state::text AS unchanged FROM units_copy c, units_state s;

-- workers give what one process gives
CREATE VIEW units_parallel AS
WITH m AS MATERIALIZED (SELECT featbit.exposure_map(user_key, at, variation) AS map FROM units_exposure),
a AS MATERIALIZED (SELECT featbit.unit_agg((SELECT map FROM m), user_key, at, amount, '[{}, {"aggregate": "last"}, {"aggregate": "mean", "lookback": "1 day"}]') AS state, featbit.unit_agg(user_key, amount) AS plain,
	featbit.unit_agg(user_id, amount, 100) AS capped FROM units_event)
SELECT s.metric, s.variation, s.units, round(featbit.mean(s.stats)::numeric, 9) AS mean, round(featbit.variance(s.stats)::numeric, 6) AS variance, round(featbit.mean(a.plain)::numeric, 9) AS plain, round(featbit.mean(a.capped)::numeric, 9) AS capped
FROM a, LATERAL featbit.unit_stats((SELECT map FROM m), a.state) s;
CREATE TEMP TABLE units_serial AS SELECT * FROM units_parallel;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3;
ALTER TABLE units_event SET (parallel_workers = 3);
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT count(*) FILTER (WHERE line ~ 'Partial Aggregate') > 0 AS by_workers FROM pg_temp.plan_of('SELECT * FROM units_parallel') line;
SELECT count(*), bool_and(p = s) AS same FROM units_parallel p JOIN units_serial s USING (metric, variation);
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SET max_parallel_workers_per_gather = 0;

-- groups, windows and variables of plpgsql keep states apart
SELECT name, (SELECT round(sum(featbit.total(x.stats))::numeric, 2) FROM featbit.unit_stats(map, state) x) AS total
FROM (SELECT e.name, s.map::text::featbit.exposure_map AS map, featbit.unit_agg(s.map, e.user_id, e.at, e.amount) AS state FROM units_event e, units_state s GROUP BY e.name, s.map::text) g ORDER BY name;
SELECT i, (SELECT sum(units) FROM featbit.exposures(map) x) AS units, featbit.n(sums) FROM (SELECT i, featbit.exposure_map(i, '2026-01-01', 'a') OVER w AS map, featbit.unit_agg(i, 1) OVER w AS sums FROM generate_series(1::bigint, 5) i WINDOW w AS (ORDER BY i)) x ORDER BY i;
DO $$
DECLARE one featbit.exposure_map; two featbit.exposure_map; state featbit.unit_outcomes; again featbit.unit_outcomes;
BEGIN
	SELECT featbit.exposure_map(u, '2026-01-01', 'a') INTO one FROM generate_series(1::bigint, 3) u;
	two := one;
	SELECT featbit.rollup(m) INTO one FROM unnest(ARRAY[one, two]) m;
	SELECT featbit.unit_agg(two, u, '2026-01-02', u) INTO state FROM generate_series(1::bigint, 3) u;
	again := state;
	SELECT featbit.rollup(s) INTO again FROM unnest(ARRAY[again, state]) s;
	RAISE NOTICE '%, %, %', (SELECT units FROM featbit.exposures(one)), (SELECT featbit.total(stats) FROM featbit.unit_stats(one, state)), (SELECT featbit.total(stats) FROM featbit.unit_stats(two, again));
END $$;

-- memory ends where work_mem does, and parts of the units keep within it
SET work_mem = '64kB';
SELECT count(*) FROM featbit.exposures((SELECT featbit.exposure_map(u, now(), 'a') FROM generate_series(1::bigint, 100000) u));
SELECT featbit.unit_agg(u, 1) FROM generate_series(1::bigint, 100000) u;
SET work_mem = '5MB';
SELECT featbit.unit_agg(map, 1::bigint, now(), 1, metrics) FROM (SELECT featbit.exposure_map(u, now(), 'a') AS map FROM generate_series(1::bigint, 100000) u) m, (SELECT jsonb_agg('{"aggregate": "mean"}'::jsonb) AS metrics FROM generate_series(1, 20)) p;
RESET work_mem;
SET work_mem = '64kB';
WITH part AS (
	SELECT s.* FROM generate_series(0, 3) p
	CROSS JOIN LATERAL (SELECT featbit.exposure_map(user_key, at, variation) AS map FROM units_exposure WHERE featbit.unit_partition(user_key, 4) = p) m
	CROSS JOIN LATERAL (SELECT featbit.unit_agg(m.map, e.user_key, e.at, e.amount) AS state FROM units_event e WHERE e.name = 'buy') a
	CROSS JOIN LATERAL featbit.unit_stats(m.map, a.state) s)
SELECT p.variation, sum(p.units) AS units, min(p.units) > 150 AS even, round(featbit.mean(featbit.rollup(p.stats))::numeric, 6) AS mean, round(featbit.stddev(featbit.rollup(p.stats))::numeric, 6) AS stddev FROM part p GROUP BY p.variation ORDER BY 1;
RESET work_mem;
SELECT count(DISTINCT featbit.unit_partition(u, 8)), min(featbit.unit_partition(md5(u::text)::uuid, 8)), max(featbit.unit_partition(u::text, 8)) FROM generate_series(1::bigint, 200) u;
SELECT featbit.unit_partition(1::bigint, 0);

-- the first exposure of one unit, and funnels
SELECT (featbit.first_exposure(v, at)).* FROM (VALUES ('b', timestamptz '2026-01-02'), ('a', '2026-01-03'), ('b', '2026-01-04'), (NULL, '2025-01-01'), ('c', NULL)) x (v, at);
SELECT (featbit.first_exposure(v, at)).* FROM (VALUES ('b', timestamptz '2026-01-02'), ('a', '2026-01-02'), ('B', '2026-01-02')) x (v, at);
SELECT (featbit.first_exposure(v, at)).* FROM (VALUES ('b', timestamptz '2026-01-02')) x (v, at) WHERE false;
SELECT (featbit.first_exposure(v, at)).* FROM (VALUES ('b', timestamptz 'infinity'), ('a', 'infinity'), ('c', '-infinity')) x (v, at);
SELECT featbit.funnel_depth(step, at, '1 hour') FROM (VALUES (1, timestamptz '2026-01-01 10:00'), (2, '2026-01-01 10:30'), (3, '2026-01-01 11:00'), (NULL, '2026-01-01 10:40'), (3, NULL)) x (step, at);
SELECT featbit.funnel_depth(step, at, '61 minutes') FROM (VALUES (3, timestamptz '2026-01-01 11:00'), (2, '2026-01-01 10:30'), (1, '2026-01-01 10:00')) x (step, at);
SELECT featbit.funnel_depth(step, at, NULL) FROM (VALUES (3, timestamptz '2026-02-01'), (2, '2026-01-01 10:30'), (1, '2026-01-01 10:00')) x (step, at);
SELECT featbit.funnel_depth(step, at, NULL) FROM (VALUES (3, timestamptz '2026-02-01')) x (step, at) WHERE false;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 3; SET enable_hashagg = off;
CREATE TEMP TABLE units_unit AS SELECT user_id, (featbit.first_exposure(name, at)).*, featbit.funnel_depth(CASE name WHEN 'view' THEN 1 WHEN 'open' THEN 2 WHEN 'buy' THEN 3 END, at, '3 days') AS depth FROM units_event GROUP BY user_id;
SET max_parallel_workers_per_gather = 0;
SELECT count(*), bool_and((u.variation, u.at, u.n_variations, u.depth) = (s.variation, s.at, s.n_variations, s.depth)) AS same
FROM units_unit u JOIN (SELECT user_id, (featbit.first_exposure(name, at ORDER BY at DESC)).*, featbit.funnel_depth(CASE name WHEN 'view' THEN 1 WHEN 'open' THEN 2 WHEN 'buy' THEN 3 END, at, '3 days' ORDER BY amount) AS depth FROM units_event GROUP BY user_id) s USING (user_id);
RESET ALL;
SET timezone = 'UTC';
SET max_parallel_workers_per_gather = 0;

-- errors
\set VERBOSITY default
SELECT featbit.unit_agg(s.map, e.user_id::text, e.at, e.amount) FROM units_state s, units_event e;
SELECT featbit.unit_agg(m.map, e.user_id, e.at, e.amount) FROM units_event e, (SELECT map FROM units_state UNION ALL SELECT featbit.exposure_map(user_id, at, variation) FROM units_exposure WHERE user_id < 9) m;
SELECT featbit.unit_stats(m.map, s.state) FROM units_state s, (SELECT featbit.exposure_map(user_id, at, variation) AS map FROM units_exposure WHERE user_id < 9) m;
SELECT featbit.rollup(state) FROM (SELECT state FROM units_state UNION ALL SELECT conversions FROM units_state) x;
SELECT featbit.rollup(x.state) FROM (SELECT state FROM units_state UNION ALL SELECT featbit.unit_agg(m.map, 1::bigint, now(), 1, '[{"window": "12 hours", "lookback": "1 day", "cap": 20}, {"aggregate": "max"}]') FROM (SELECT featbit.exposure_map(1::bigint, now(), 'a') AS map) m) x;
SELECT featbit.rollup(map) FROM (SELECT map FROM units_state UNION ALL SELECT featbit.exposure_map(user_key, at, variation) FROM units_exposure) x;
SELECT featbit.unit_agg(s.map, e.user_id, e.at, e.amount, CASE WHEN e.amount > 3 THEN '[{}]'::jsonb ELSE '[{"window": "1 day"}]' END) FROM units_state s, units_event e;
SELECT featbit.unit_agg(s.map, e.user_id, e.at, CASE WHEN e.amount > 3 THEN ARRAY[1, 2]::float8[] ELSE '{1}' END, '[{}]') FROM units_state s, units_event e;
SELECT featbit.unit_agg(s.map, 1::bigint, now(), '{}'::float8[], '[{}]') FROM units_state s;
SELECT featbit.unit_agg(s.map, 1::bigint, now(), '{{1},{2}}'::float8[], '[{}]') FROM units_state s;
SELECT featbit.unit_agg(user_id, amount, amount) FROM units_event;
SELECT featbit.unit_agg(user_id, amount, 'infinity') FROM units_event;
SELECT featbit.unit_values(map, state, 3) FROM units_state;
SELECT featbit.unit_stats(map, state, mixed => 'last') FROM units_state;
SELECT featbit.funnel_depth(0, now(), NULL);
SELECT featbit.funnel_depth(1, now(), '1 month');
SELECT featbit.funnel_depth(1, now(), '0');
SELECT featbit.funnel_depth(1, now(), i * interval '1 hour') FROM generate_series(1, 2) i;
SELECT featbit.exposure_accum(NULL, 1::bigint, now(), 'a');
SELECT featbit.unit_accum(NULL, NULL, 1::bigint, now(), 1);
SELECT featbit.unit_sum(NULL, 1::bigint, 1);
SELECT featbit.first_exposure_accum(NULL, 'a', now());
SELECT featbit.funnel_final('\x00');
CREATE AGGREGATE pg_temp.forged_funnel(int, timestamptz, interval) (SFUNC = featbit.funnel_accum, STYPE = bytea, INITCOND = '\x0000000001');
SELECT pg_temp.forged_funnel(1, now(), '1 day');
CREATE AGGREGATE pg_temp.forged_first(text, timestamptz) (SFUNC = featbit.first_exposure_accum, STYPE = bytea, INITCOND = '\x0000000000000000ff00000041');
SELECT pg_temp.forged_first('a', now());
-- metrics that cannot be computed: each has its own reason
CREATE FUNCTION pg_temp.refused(metrics text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
	PERFORM featbit.unit_agg(map, 1::bigint, now(), ARRAY[1, 2]::float8[], metrics::jsonb) FROM units_state;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT i, pg_temp.refused(m) FROM unnest(ARRAY['7', '{}', '[]', '[1]', '[{}, {"agregate": "sum"}]', '[{"aggregate": "summ"}]', '[{"aggregate": "median"}]', '[{"aggregate": 1}]', '[{"value": 3}]', '[{"value": 0}]', '[{"value": "1"}]', '[{"value": 1.5}]',
	'[{"window": "1 month"}]', '[{"window": "0"}]', '[{"window": "-1 day"}]', '[{"window": 3}]', '[{"window": "soon"}]', '[{"window": "90000000 days"}]', '[{"from": "1000000000 days"}]', '[{"lookback": "0"}]', '[{"aggregate": "ratio"}]', '[{"denominator": 2}]',
	'[{"aggregate": "time", "lookback": "1 day"}]', '[{"aggregate": "conversion", "cap": 1}]', '[{"cap": 1, "cap_quantile": 0.5}]', '[{"cap_quantile": 1}]', '[{"cap": "1"}]', '[{"event": "buy"}]']) WITH ORDINALITY u (m, i);
SELECT featbit.unit_agg(map, 1::bigint, now(), 'buy', 1, '[{"event": 1}]') FROM units_state;
-- forms that nothing could have made: each has its own reason
CREATE FUNCTION pg_temp.unread(type text, input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE format('SELECT %L::featbit.%I', input, type);
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN format('%s %s: %s', SQLSTATE, SQLERRM, detail);
END $$;
SELECT i, pg_temp.unread('exposure_map', m) FROM unnest(ARRAY['', '{}', '\x0', '\x0g', '\x', '\x0201000000000000', '\x0104000000000000', '\x0101800000000000', '\x010100000000000000', '\x0101000100000000' || '00000002000000006162', '\x0101000200000000' || '000000010000000061' || '000000010000000061',
	'\x0101000100000001' || '000000010000000061' || '0000000000000001' || '0000000000000000' || '0000', '\x0101000100000001' || '000000010000000061' || '0000000000000001' || '0000000000000000' || '8002',
	'\x0101000100000002' || '000000010000000061' || '0000000000000001' || '0000000000000000' || '0001' || '0000000000000001' || '0000000000000000' || '0001', '\x0101000100000000' || '0000000100000000ff']) WITH ORDINALITY u (m, i);
SELECT i, pg_temp.unread('unit_sums', m) FROM unnest(ARRAY['1', '\x01', '\x020100000000000000000000000000000000000000000000', '\x010400000000000000000000000000000000000000000000', '\x010100000000000100000000000000000000000000000000',
	'\x010101000000000000000000000000007ff0000000000000', '\x010100000000000100000000000000000000000000000000' || '0000000000000001' || '7ff0000000000000',
	'\x010100000000000200000000000000000000000000000000' || '0000000000000001' || '0000000000000000' || '0000000000000001' || '0000000000000000']) WITH ORDINALITY u (m, i);
WITH good AS (SELECT featbit.unit_agg(m.map, 1::bigint, '2026-01-02', 1, '[{"aggregate": "count"}]')::text AS t FROM (SELECT featbit.exposure_map(1::bigint, '2026-01-01', 'a') AS map) m)
SELECT i, pg_temp.unread('unit_outcomes', m) FROM good, LATERAL unnest(ARRAY[t, t || '00', left(t, -2), '\x', '\x02' || substr(t, 5), overlay(t placing '41' from 5 for 2), overlay(t placing '00' from 5 for 2), overlay(t placing '63' from 67 for 2), left(t, -16) || '3fe0000000000000', left(t, -16) || 'bff0000000000000']) WITH ORDINALITY u (m, i);
\copy units_copy (map) from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\3\\1\\1\\0\\377\\377"' (format binary)
\copy units_copy (state) from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\3\\1\\1\\0\\377\\377"' (format binary)
CREATE TEMP TABLE units_sums (s featbit.unit_sums);
\copy units_sums from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\3\\1\\1\\0\\377\\377"' (format binary)
DROP VIEW units_result, units_parallel;
DROP TABLE units_exposure, units_event, units_state;
-- analysts may use all of it, others nothing
CREATE ROLE regress_units_analyst;
SET ROLE regress_units_analyst;
SELECT featbit.unit_partition(1::bigint, 1);
RESET ROLE;
SELECT featbit.grant_access('regress_units_analyst', 'analyse');
SET ROLE regress_units_analyst;
SELECT s.variation, featbit.total(s.stats), featbit.n(a.plain), (a.first).n_variations, a.depth
FROM (SELECT featbit.rollup(m) AS map FROM (SELECT featbit.exposure_map(u, '2026-01-01', 'a') AS m FROM generate_series(1::bigint, 3) u) x) m,
	LATERAL (SELECT featbit.unit_agg(m.map, u, '2026-01-02', u) AS state, featbit.unit_agg(u, 1) AS plain, featbit.first_exposure('a', now()) AS first, featbit.funnel_depth(1, now(), NULL) AS depth FROM generate_series(1::bigint, 3) u) a,
	LATERAL featbit.unit_stats(m.map, a.state) s;
RESET ROLE;
SELECT featbit.revoke_access('regress_units_analyst', 'analyse');
DROP ROLE regress_units_analyst;
