-- Experiments against plain SQL written out longhand, for every kind of metric, on random data sets: late events, duplicates, units in two
-- variations, NULLs, numbers that are none, endless times, and days on which clocks change. The number of data sets: PGOPTIONS="-c featbit_test.sets=200".
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET jit = off; -- the longhand is compiled longer than it runs
SET featbit.environment = 'test_longhand';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA longhand;
SET search_path = longhand, public;
-- the answers do not depend on it
SET timezone = 'America/New_York';
CREATE TABLE visit (user_id text, seen_at timestamptz, variation text);
CREATE TABLE event (who bigint, at timestamptz, name text, value float8, other numeric);
CREATE TABLE param (start_at timestamptz, stop_at timestamptz, as_of timestamptz);

CREATE FUNCTION moment() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.01 THEN 'infinity'::timestamptz WHEN random() < 0.01 THEN '-infinity'
		ELSE CASE WHEN random() < 0.5 THEN timestamptz '2025-10-31 12:00:00+00' ELSE timestamptz '2025-11-02 00:00:00+00' END
			+ make_interval(hours => (random() * 100)::int, mins => 20 * (random() * 3)::int) END
$$;
CREATE FUNCTION fill(seed int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE users int;
BEGIN
	PERFORM setseed(seed / 1000.0);
	TRUNCATE visit, event, param;
	users := 2 + (random() * 60)::int;
	INSERT INTO visit SELECT CASE WHEN random() < 0.97 THEN u END, CASE WHEN random() < 0.97 THEN moment() END,
			CASE WHEN random() < 0.03 THEN NULL WHEN random() < 0.02 THEN 'stranger' WHEN u % 7 = 0 THEN (ARRAY['a', 'b', 'c'])[1 + (random() * 2)::int] ELSE (ARRAY['a', 'b', 'c'])[1 + u % 3] END
		FROM generate_series(1, 2 * users) n, LATERAL (SELECT n * 0 + (random() * users)::int AS u) s;
	INSERT INTO event SELECT CASE WHEN random() < 0.97 THEN (random() * users * 1.2)::int END, CASE WHEN random() < 0.97 THEN moment() END,
			(ARRAY['buy', 'view', NULL, 'cart'])[1 + (random() * 3)::int],
			CASE (random() * 40)::int WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'infinity' WHEN 3 THEN '-infinity' WHEN 4 THEN 1e150 WHEN 5 THEN 0 ELSE (random() * 64 - 20)::int / 4.0 END,
			CASE WHEN random() < 0.9 THEN (random() * 5)::int END
		FROM generate_series(1, 12 * users);
	INSERT INTO event SELECT * FROM event LIMIT 5;
	INSERT INTO param SELECT '2025-10-31 20:00:00+00', CASE WHEN seed % 2 = 0 THEN timestamptz '2025-11-04 00:00:00+00' END, timestamptz '2025-11-04 12:00:00+00' + make_interval(hours => (random() * 48)::int);
END $$;

-- the metrics, and the same for the engine
SELECT featbit.create_metric('converted', 'conversion', 'event', 'who', 'at', filter => $$name = 'buy'$$),
	featbit.create_metric('converted_soon', 'conversion', 'SELECT * FROM event WHERE name <> ''view''', 'who', 'at', value => 'value', delay => '6 hours', attribution_window => '36 hours', lookback => '1 day'),
	featbit.create_metric('views', 'count', 'event', 'who', 'at', filter => $$name = 'view'$$, attribution_window => '2 days', lookback => '30 hours'),
	featbit.create_metric('total', 'sum', 'event', 'who', 'at', value => 'value'),
	featbit.create_metric('total_before', 'sum', 'event', 'who', 'at', value => 'value', lookback => '2 days'),
	featbit.create_metric('total_capped', 'sum', 'event', 'who', 'at', value => 'other', cap => 3.5, lookback => '2 days'),
	featbit.create_metric('total_winsorised', 'sum', 'event', 'who', 'at', value => 'other', cap_quantile => 0.8),
	featbit.create_metric('average', 'mean', 'event', 'who', 'at', value => 'value', filter => $$name = 'buy'$$),
	featbit.create_metric('rate', 'ratio', 'event', 'who', 'at', value => 'value', denominator => 'other', lookback => '3 days'),
	featbit.create_metric('middle', 'quantile', 'event', 'who', 'at', value => 'value', quantile => 0.5),
	featbit.create_metric('returned', 'retention', 'event', 'who', 'at', delay => '1 day', attribution_window => '1 day'),
	featbit.create_metric('bought_last', 'funnel', 'event', 'who', 'at', steps => ARRAY[$$name = 'view'$$, $$name = 'cart'$$, $$name = 'buy'$$]),
	featbit.create_metric('until_bought', 'time_to_event', 'event', 'who', 'at', filter => $$name = 'buy'$$, attribution_window => '2 days'),
	featbit.create_metric('total_mature', 'sum', 'event', 'who', 'at', value => 'value', attribution_window => '2 days', mature_only => true) AS total_mature;
SELECT featbit.create_experiment('longhand', NULL, '{converted,converted_soon,views,total,total_before,total_capped,total_winsorised,average,rate,middle,returned,bought_last,until_bought,total_mature}',
	control => 'a', variations => '{a,b,c}', assignment => '{"source": "visit", "time_column": "seen_at"}', method => 'fixed', planned_n => 1, multiplicity => 'none');
SELECT featbit.start_experiment('longhand', '2025-10-31 20:00:00+00');
-- and those that go by exposure map, once in one part and once in several
SELECT featbit.create_experiment('mapped', NULL, '{converted,converted_soon,views,total,total_before,total_capped,average,rate,returned,total_mature}',
	control => 'a', variations => '{a,b,c}', assignment => '{"source": "visit", "time_column": "seen_at"}', method => 'fixed', planned_n => 1, multiplicity => 'none');
SELECT featbit.start_experiment('mapped', '2025-10-31 20:00:00+00');

CREATE FUNCTION usable(v float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT v IS NOT NULL AND v <> 'NaN' AND abs(v) <= 1e140 $$;
CREATE VIEW who AS
	SELECT user_id::bigint AS who, min(seen_at) AS at, min(variation) AS variation
		FROM visit, param WHERE user_id IS NOT NULL AND variation IS NOT NULL AND seen_at >= start_at AND seen_at < as_of AND (stop_at IS NULL OR seen_at < stop_at)
		GROUP BY 1 HAVING count(DISTINCT variation) = 1 AND min(variation) <> 'stranger';
-- events that a metric without window counts, those that one with a window counts, those before the exposure
CREATE VIEW after AS SELECT w.who AS unit, w.at AS since, e.* FROM who w JOIN event e USING (who), param WHERE e.at >= w.at AND e.at < as_of;
CREATE VIEW before AS SELECT w.who AS unit, w.at AS since, e.* FROM who w JOIN event e USING (who), param WHERE e.at < w.at AND e.at < as_of;
CREATE VIEW open AS SELECT a.* FROM after a, param WHERE a.at < coalesce(stop_at, 'infinity');
CREATE VIEW unit_value AS
	SELECT 'converted' AS metric, variation, EXISTS (SELECT FROM open o WHERE o.unit = w.who AND o.name = 'buy')::int::float8 AS y, NULL::float8 AS d, NULL::float8 AS x, NULL::float8 AS dx FROM who w
	UNION ALL SELECT 'converted_soon', variation,
			EXISTS (SELECT FROM after a WHERE a.unit = w.who AND a.name <> 'view' AND a.value IS NOT NULL AND a.at >= w.at + interval '6 hours' AND a.at < w.at + interval '42 hours')::int, NULL,
			EXISTS (SELECT FROM before b WHERE b.unit = w.who AND b.name <> 'view' AND b.value IS NOT NULL AND b.at >= w.at - interval '24 hours')::int, NULL FROM who w
	UNION ALL SELECT 'views', variation, (SELECT count(*) FROM after a WHERE a.unit = w.who AND a.name = 'view' AND a.at < w.at + interval '48 hours'), NULL,
			(SELECT count(*) FROM before b WHERE b.unit = w.who AND b.name = 'view' AND b.at >= w.at - interval '30 hours'), NULL FROM who w
	UNION ALL SELECT 'total', variation, (SELECT coalesce(sum(value), 0) FROM open o WHERE o.unit = w.who AND usable(value)), NULL, NULL, NULL FROM who w
	UNION ALL SELECT 'total_before', variation, (SELECT coalesce(sum(value), 0) FROM open o WHERE o.unit = w.who AND usable(value)), NULL,
			(SELECT coalesce(sum(value), 0) FROM before b WHERE b.unit = w.who AND usable(value) AND b.at >= w.at - interval '48 hours'), NULL FROM who w
	UNION ALL SELECT 'total_capped', variation, least((SELECT coalesce(sum(other), 0) FROM open o WHERE o.unit = w.who), 3.5), NULL,
			least((SELECT coalesce(sum(other), 0) FROM before b WHERE b.unit = w.who AND b.at >= w.at - interval '48 hours'), 3.5), NULL FROM who w
	UNION ALL SELECT 'total_winsorised', variation, least(s.total, (SELECT nullif(percentile_cont(0.8) WITHIN GROUP (ORDER BY z.total), 0)
				FROM (SELECT (SELECT coalesce(sum(other), 0) FROM open o WHERE o.unit = v.who)::float8 AS total FROM who v) z WHERE z.total <> 0)), NULL, NULL, NULL
			FROM who w, LATERAL (SELECT coalesce(sum(other), 0)::float8 AS total FROM open o WHERE o.unit = w.who) s
	UNION ALL SELECT 'average', variation, (SELECT coalesce(sum(value), 0) FROM open o WHERE o.unit = w.who AND o.name = 'buy' AND usable(value)),
			(SELECT count(*) FROM open o WHERE o.unit = w.who AND o.name = 'buy' AND usable(value)), NULL, NULL FROM who w
	UNION ALL SELECT 'rate', variation, (SELECT coalesce(sum(value), 0) FROM open o WHERE o.unit = w.who AND usable(value)), (SELECT coalesce(sum(other), 0) FROM open o WHERE o.unit = w.who),
			(SELECT coalesce(sum(value), 0) FROM before b WHERE b.unit = w.who AND usable(value) AND b.at >= w.at - interval '72 hours'),
			(SELECT coalesce(sum(other), 0) FROM before b WHERE b.unit = w.who AND b.at >= w.at - interval '72 hours') FROM who w
	UNION ALL SELECT 'returned', variation, EXISTS (SELECT FROM after a WHERE a.unit = w.who AND a.at >= w.at + interval '24 hours' AND a.at < w.at + interval '48 hours')::int, NULL, NULL, NULL
			FROM who w, param WHERE w.at + interval '48 hours' <= as_of
	UNION ALL SELECT 'bought_last', variation, EXISTS (SELECT FROM open a, open b, open c WHERE a.unit = w.who AND b.unit = w.who AND c.unit = w.who AND a.name = 'view' AND b.name = 'cart' AND c.name = 'buy'
			AND a.at <= b.at AND b.at <= c.at)::int, NULL, NULL, NULL FROM who w
	UNION ALL SELECT 'until_bought', variation, coalesce((SELECT extract(epoch FROM min(a.at) - w.at) FROM after a WHERE a.unit = w.who AND a.name = 'buy' AND a.at < w.at + interval '48 hours'), 172800), NULL, NULL, NULL
			FROM who w, param WHERE w.at + interval '48 hours' <= as_of
	UNION ALL SELECT 'total_mature', variation, (SELECT coalesce(sum(value), 0) FROM after a WHERE a.unit = w.who AND usable(value) AND a.at < w.at + interval '48 hours'), NULL, NULL, NULL
			FROM who w, param WHERE w.at + interval '48 hours' <= as_of;
-- the ranks of a quantile come from residuals: of the events of a unit, how many more lie below than should
CREATE VIEW quantile_value AS
	WITH v AS (SELECT w.variation, o.unit, o.value FROM open o JOIN who w ON w.who = o.unit WHERE usable(o.value)),
	s AS (SELECT variation, count(*) AS events, count(DISTINCT unit) AS units, array_agg(value ORDER BY value) AS sorted FROM v GROUP BY variation),
	q AS (SELECT s.*, sorted[ceil(0.5 * events)] AS q FROM s),
	p AS (SELECT q.variation, v.unit, count(*) FILTER (WHERE v.value <= q.q) AS n, count(*) AS d, (SELECT avg((o.value <= q.q)::int) FROM v o WHERE o.variation = q.variation) AS r
			FROM q JOIN v USING (variation) GROUP BY q.variation, v.unit, q.q),
	h AS (SELECT variation, 1.959963984540054 * sqrt(sum((n - r * d) ^ 2) / (count(*) - 1) / count(*)) / avg(d) AS half FROM p GROUP BY variation HAVING count(*) > 1)
	SELECT variation, units, q, (sorted[greatest(ceil(least(0.5 + half, 1) * events), 1)] - sorted[greatest(ceil(greatest(0.5 - half, 0) * events), 1)]) / (2 * 1.959963984540054) AS se
		FROM q JOIN h USING (variation);
CREATE FUNCTION expected() RETURNS TABLE (metric text, variation text, n bigint, moments float8[]) LANGUAGE sql AS $$
	SELECT u.metric, u.variation, count(*), CASE
			WHEN u.metric IN ('converted', 'returned', 'bought_last') THEN ARRAY[avg(y), avg(y) * (1 - avg(y))]
			WHEN u.metric IN ('average') THEN ARRAY[avg(y), var_samp(y), avg(d), var_samp(d), covar_samp(y, d)]
			WHEN u.metric IN ('rate') THEN ARRAY[avg(y), var_samp(y), avg(d), var_samp(d), covar_samp(y, d), avg(x), var_samp(x), avg(dx), var_samp(dx), covar_samp(y, x), covar_samp(d, dx)]
			WHEN count(x) > 0 THEN ARRAY[avg(y), var_samp(y), avg(x), var_samp(x), covar_samp(y, x)]
			ELSE ARRAY[avg(y), var_samp(y)] END
		FROM unit_value u GROUP BY 1, 2
	UNION ALL SELECT 'middle', q.variation, q.units, ARRAY[q.q, q.se ^ 2 * q.units] FROM quantile_value q $$;
CREATE FUNCTION actual(key text) RETURNS TABLE (metric text, variation text, n bigint, moments float8[]) LANGUAGE sql AS $$
	SELECT s.metric, s.variation, s.units, ARRAY[featbit.mean(s.stats), featbit.variance(s.stats)]
			|| CASE WHEN k > 1 THEN ARRAY[featbit.mean(s.stats, 2), featbit.variance(s.stats, 2), featbit.covariance(s.stats, 1, 2)] ELSE '{}' END
			|| CASE WHEN k > 3 THEN ARRAY[featbit.mean(s.stats, 3), featbit.variance(s.stats, 3), featbit.mean(s.stats, 4), featbit.variance(s.stats, 4), featbit.covariance(s.stats, 1, 3), featbit.covariance(s.stats, 2, 4)] ELSE '{}' END
		FROM param, featbit.experiment_states(key, as_of) s, LATERAL (SELECT jsonb_array_length(s.stats::text::jsonb -> 'means') AS k) m WHERE s.place > 0 AND s.units > 0 $$;

-- what differs, by more than rounding; and how much was compared
CREATE TABLE difference (seed int, metric text, variation text, engine float8[], longhand float8[], n_engine bigint, n_longhand bigint);
CREATE TABLE compared (seed int, metric text, cells bigint, with_variance bigint);
CREATE TABLE other (seed int, what text, engine text, longhand text);
DO $$
DECLARE
	s int;
BEGIN
	FOR s IN 1 .. coalesce(nullif(current_setting('featbit_test.sets', true), ''), '40')::int LOOP
		PERFORM longhand.fill(s);
		UPDATE featbit.experiment_iteration SET stopped_at = (SELECT stop_at FROM longhand.param) WHERE environment = 'test_longhand';
		CREATE TEMP TABLE e AS SELECT * FROM longhand.expected();
		CREATE TEMP TABLE a AS SELECT * FROM longhand.actual('longhand');
		INSERT INTO longhand.difference
			SELECT s, metric, variation, a.moments, e.moments, a.n, e.n FROM e FULL JOIN a USING (metric, variation)
				WHERE NOT (metric = 'middle' AND e.n IS NULL AND a.n = 1)
					AND (a.n IS DISTINCT FROM e.n OR cardinality(a.moments) IS DISTINCT FROM cardinality(e.moments)
						OR EXISTS (SELECT FROM unnest(a.moments, e.moments) m (x, y) WHERE (x IS NULL) <> (y IS NULL) AND a.n > 1 OR abs(x - y) > 1e-9 * greatest(abs(x), abs(y), 1)));
		INSERT INTO longhand.difference
			SELECT s, 'mapped ' || metric, variation, a.moments, e.moments, a.n, e.n
				FROM (SELECT * FROM e WHERE metric IN (SELECT metric_key FROM featbit.experiment_metric WHERE environment = 'test_longhand' AND experiment_key = 'mapped')) e FULL JOIN longhand.actual('mapped') a USING (metric, variation)
				WHERE a.n IS DISTINCT FROM e.n OR cardinality(a.moments) IS DISTINCT FROM cardinality(e.moments)
					OR EXISTS (SELECT FROM unnest(a.moments, e.moments) m (x, y) WHERE (x IS NULL) <> (y IS NULL) AND a.n > 1 OR abs(x - y) > 1e-9 * greatest(abs(x), abs(y), 1));
		INSERT INTO longhand.other
			SELECT s, 'mapped ' || (x).place || ' ' || (x).variation, (x).units || ' ' || (x).ignored, (y).units || ' ' || (y).ignored
				FROM (SELECT x FROM longhand.param, featbit.experiment_states('mapped', as_of) x WHERE x.place <= 0 AND x.units + x.ignored > 0) x
				FULL JOIN (SELECT y FROM longhand.param, featbit.experiment_states('longhand', as_of) y WHERE y.place <= 0 AND y.units + y.ignored > 0) y
					ON (x).place = (y).place AND (x).variation = (y).variation AND (x).epoch IS NOT DISTINCT FROM (y).epoch
				WHERE ((x).units, (x).ignored) IS DISTINCT FROM ((y).units, (y).ignored);
		INSERT INTO longhand.compared SELECT s, metric, count(*), count(*) FILTER (WHERE moments[2] > 0) FROM e GROUP BY metric;
		-- users in two variations, by the first
		INSERT INTO longhand.other
			SELECT s, 'mixed', x.engine, y.longhand
				FROM (SELECT jsonb_object_agg(t.variation, t.units) FILTER (WHERE t.units > 0)::text AS engine FROM longhand.param, featbit.experiment_states('longhand', as_of) t WHERE t.place = -1) x,
					(SELECT jsonb_object_agg(variation, n)::text AS longhand FROM (
						SELECT variation, count(*) AS n FROM (
							SELECT DISTINCT ON (user_id) user_id, variation FROM longhand.visit, longhand.param
								WHERE seen_at >= start_at AND seen_at < as_of AND (stop_at IS NULL OR seen_at < stop_at) AND variation IS NOT NULL
									AND user_id IN (SELECT user_id FROM longhand.visit v, longhand.param q WHERE seen_at >= start_at AND seen_at < as_of AND (stop_at IS NULL OR seen_at < stop_at) GROUP BY user_id HAVING count(DISTINCT variation) > 1)
								ORDER BY user_id, seen_at, variation COLLATE "C") f WHERE variation <> 'stranger' GROUP BY 1) g) y
				WHERE x.engine IS DISTINCT FROM y.longhand;
		-- effect and p-value of one metric, by Welch
		INSERT INTO longhand.other
			SELECT s, 'welch ' || t.variation, r.effect || ' ' || r.p_value, w.effect || ' ' || w.p
				FROM (SELECT variation, count(*) AS n, avg(y) AS m, var_samp(y) AS v FROM longhand.unit_value WHERE metric = 'total' GROUP BY 1) t
				JOIN (SELECT count(*) AS n, avg(y) AS m, var_samp(y) AS v FROM longhand.unit_value WHERE metric = 'total' AND variation = 'a') c ON t.variation <> 'a' AND c.n > 1 AND t.n > 1 AND c.v + t.v > 0 AND abs(c.m) > 1e-9
				CROSS JOIN LATERAL (SELECT (t.m - c.m) / abs(c.m) AS effect,
					2 * featbit.t_sf(abs(t.m - c.m) / sqrt(t.v / t.n + c.v / c.n), (t.v / t.n + c.v / c.n) ^ 2 / ((t.v / t.n) ^ 2 / (t.n - 1) + (c.v / c.n) ^ 2 / (c.n - 1))) AS p) w
				CROSS JOIN longhand.param q
				JOIN LATERAL (SELECT * FROM featbit.experiment_results('longhand', q.as_of) r WHERE r.metric = 'total') r ON r.variation = t.variation
				WHERE abs(r.effect - w.effect) > 1e-9 * greatest(1, abs(w.effect)) OR abs(r.p_value - w.p) > 1e-9 OR r.p_value IS NULL;
		DROP TABLE e, a;
	END LOOP;
END $$;
SELECT * FROM difference ORDER BY seed, metric, variation LIMIT 20;
SELECT * FROM other ORDER BY seed, what LIMIT 20;
SELECT metric, sum(cells) >= count(DISTINCT seed) * 2 AS compared, sum(with_variance) > 0 AS with_variance FROM compared GROUP BY metric ORDER BY metric;
-- the map is taken for the experiment that was meant to have it, and not for the other
SELECT x.key, featbit.map_parts(x, i, featbit.metrics_of(x), as_of, NULL, NULL) AS parts
	FROM param, featbit.experiment x JOIN featbit.experiment_iteration i ON i.environment = x.environment AND i.experiment_key = x.key WHERE x.environment = 'test_longhand' ORDER BY 1;
-- in parts, when memory is short: 5,000 units in 64 kB
TRUNCATE visit, event;
INSERT INTO visit SELECT u, timestamptz '2025-11-01 00:00+00' + u * interval '10 seconds', (ARRAY['a', 'b', 'c'])[1 + u % 3] FROM generate_series(1, 5000) u;
INSERT INTO visit SELECT u, '2025-11-02 00:00+00', 'a' FROM generate_series(1, 100) u;
INSERT INTO event SELECT u % 5500, timestamptz '2025-10-31 00:00+00' + u * interval '13 seconds', (ARRAY['buy', 'view', 'cart'])[1 + u % 3], u % 17, u % 5 FROM generate_series(1, 20000) u;
CREATE TABLE whole AS SELECT x.place, x.variation, x.units, x.ignored, featbit.mean(x.stats) AS mean, featbit.variance(x.stats) AS variance FROM param, featbit.experiment_states('mapped', as_of) x;
SET work_mem = '64kB';
SET hash_mem_multiplier = 2;
SELECT featbit.map_parts(x, i, featbit.metrics_of(x), as_of, NULL, NULL) > 5 AS in_parts FROM param, featbit.experiment x JOIN featbit.experiment_iteration i ON i.environment = x.environment AND i.experiment_key = x.key
	WHERE x.environment = 'test_longhand' AND x.key = 'mapped';
SELECT count(*) AS rows, bool_and(x.units = w.units AND x.ignored = w.ignored AND abs(featbit.mean(x.stats) - w.mean) <= 1e-9 AND abs(featbit.variance(x.stats) - w.variance) <= 1e-9 * w.variance OR x.place <= 0 AND x.units = w.units AND x.ignored = w.ignored) AS same
	FROM param, featbit.experiment_states('mapped', as_of) x FULL JOIN whole w USING (place, variation);
