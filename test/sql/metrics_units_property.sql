-- exposure_map and unit_agg against plain SQL written out longhand, on 210 random data sets: late events, events of users who
-- were never exposed, duplicates, users in two arms, NULLs, numbers that are none, endless times, and days on which clocks change.
CREATE SCHEMA unit_property;
SET search_path = unit_property;
CREATE TABLE exposure (unit bigint, at timestamptz, variation text, stratum text);
CREATE TABLE event (unit bigint, at timestamptz, name text, value float8, other float8);

-- a moment in the night of 25 to 26 October 2025, or of 8 to 9 March 2026, or near; hours repeat, so that moments coincide
CREATE FUNCTION moment() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.01 THEN 'infinity'::timestamptz WHEN random() < 0.01 THEN '-infinity'
		ELSE CASE WHEN random() < 0.5 THEN timestamptz '2025-10-24 12:00:00+00' ELSE timestamptz '2025-10-30 12:00:00+00' END
			+ make_interval(hours => (random() * 100)::int, mins => 20 * (random() * 3)::int) END
$$;
CREATE FUNCTION number() RETURNS float8 LANGUAGE sql VOLATILE AS $$
	SELECT CASE (random() * 40)::int WHEN 0 THEN NULL WHEN 1 THEN 'NaN'::float8 WHEN 2 THEN 'infinity'::float8 WHEN 3 THEN '-infinity'::float8 WHEN 4 THEN 1e150 WHEN 5 THEN 0
		ELSE (random() * 64 - 20)::int / 4.0 END
$$;
CREATE FUNCTION fill(seed int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE users int;
BEGIN
	PERFORM setseed(seed / 1000.0);
	TRUNCATE exposure, event;
	users := 1 + (random() * 20)::int;
	INSERT INTO exposure SELECT CASE WHEN random() < 0.97 THEN (random() * users)::int - 3 END, CASE WHEN random() < 0.97 THEN moment() END,
			CASE WHEN random() < 0.03 THEN NULL WHEN u % 5 = 0 THEN (ARRAY['b', 'B', 'ä'])[1 + (random() * 2)::int] ELSE (ARRAY['b', 'B', 'ä'])[1 + u % 3] END,
			(ARRAY['x', NULL, 'y'])[1 + (random() * 2)::int]
		FROM generate_series(1, (random() * 2 * users)::int) n, LATERAL (SELECT n + (random() * users)::int AS u) s;
	-- the same variation for most of a user's exposures
	UPDATE exposure SET variation = (ARRAY['b', 'B', 'ä'])[1 + abs(unit) % 3] WHERE unit % 4 <> 0 AND variation IS NOT NULL;
	INSERT INTO event SELECT CASE WHEN random() < 0.97 THEN (random() * users * 1.2)::int - 3 END, CASE WHEN random() < 0.97 THEN moment() END,
			(ARRAY['buy', 'view', NULL, 'other'])[1 + (random() * 3)::int], number(), number()
		FROM generate_series(1, (random() * 14 * users)::int);
	INSERT INTO event SELECT * FROM event LIMIT 5;
END $$;

CREATE FUNCTION usable(v float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT v IS NOT NULL AND v <> 'NaN' AND abs(v) <= 1e140 $$;

-- every metric of the test, with the same written for unit_agg
CREATE TABLE metric (id int, definition jsonb);
INSERT INTO metric SELECT ordinality, value FROM jsonb_array_elements('[
	{}, {"window": "3 days", "lookback": "2 days"}, {"aggregate": "count", "value": 2}, {"aggregate": "conversion", "from": "1 day", "window": "36:00"},
	{"aggregate": "mean", "value": 2, "lookback": "60:00"}, {"aggregate": "min"}, {"aggregate": "max", "lookback": "5 days"}, {"aggregate": "last"},
	{"aggregate": "ratio", "value": 1, "denominator": 2, "lookback": "3 days"}, {"aggregate": "time", "value": 2, "window": "2 days"},
	{"cap": 3.5, "lookback": "2 days"}, {"cap_quantile": 0.8, "lookback": "2 days"}, {"aggregate": "conversion", "from": "-6 hours", "lookback": "1 day"}]') WITH ORDINALITY;

CREATE VIEW first_exposure AS
SELECT unit, min(at) AS at, (array_agg(variation ORDER BY at, variation COLLATE "C", stratum COLLATE "C" NULLS FIRST))[1] AS variation,
	(array_agg(stratum ORDER BY at, variation COLLATE "C", stratum COLLATE "C" NULLS FIRST))[1] AS stratum, count(DISTINCT variation COLLATE "C") > 1 AS mixed
FROM exposure WHERE unit IS NOT NULL AND at IS NOT NULL AND variation IS NOT NULL GROUP BY unit;

-- hours, not days: a day is 24 hours whatever the clocks do
CREATE VIEW longhand AS
SELECT f.*, m.id AS metric, y.*, x.*
FROM first_exposure f
CROSS JOIN (VALUES (1, interval '0', NULL::interval, NULL::interval), (2, '0', '72 hours', '48 hours'), (3, '0', NULL, NULL), (4, '24 hours', '36 hours', NULL), (5, '0', NULL, '60 hours'),
	(6, '0', NULL, NULL), (7, '0', NULL, '120 hours'), (8, '0', NULL, NULL), (9, '0', NULL, '72 hours'), (10, '0', '48 hours', NULL), (11, '0', NULL, '48 hours'), (12, '0', NULL, '48 hours'),
	(13, '-6 hours', NULL, '24 hours')) m (id, start, length, lookback)
CROSS JOIN LATERAL (
	SELECT CASE m.id WHEN 1 THEN coalesce(sum(e.value) FILTER (WHERE usable(e.value)), 0) WHEN 2 THEN coalesce(sum(e.value) FILTER (WHERE usable(e.value)), 0)
			WHEN 3 THEN count(*) FILTER (WHERE usable(e.other)) WHEN 4 THEN (count(*) FILTER (WHERE usable(e.value)) > 0)::int WHEN 5 THEN avg(e.other) FILTER (WHERE usable(e.other))
			WHEN 6 THEN min(e.value) FILTER (WHERE usable(e.value)) WHEN 7 THEN max(e.value) FILTER (WHERE usable(e.value))
			WHEN 8 THEN (array_agg(e.value ORDER BY e.at DESC, e.value DESC) FILTER (WHERE usable(e.value)))[1]
			WHEN 9 THEN coalesce(sum(e.value) FILTER (WHERE usable(e.value)), 0)
			WHEN 10 THEN extract(epoch FROM min(e.at) FILTER (WHERE usable(e.other)) - f.at)
			WHEN 13 THEN (count(*) FILTER (WHERE usable(e.value)) > 0)::int
			ELSE coalesce(sum(e.value) FILTER (WHERE usable(e.value)), 0) END AS value,
		CASE WHEN m.id = 9 THEN coalesce(sum(e.other) FILTER (WHERE usable(e.other)), 0) END AS denominator,
		count(*) FILTER (WHERE e.value IS NOT NULL AND NOT usable(e.value)) AS bad_value, count(*) FILTER (WHERE e.other IS NOT NULL AND NOT usable(e.other)) AS bad_other
	FROM event e WHERE e.unit = f.unit AND e.at >= f.at + m.start AND (m.length IS NULL OR e.at < f.at + m.start + m.length)) y
CROSS JOIN LATERAL (
	SELECT CASE m.id WHEN 5 THEN avg(e.other) FILTER (WHERE usable(e.other)) WHEN 7 THEN max(e.value) FILTER (WHERE usable(e.value))
			WHEN 13 THEN (count(*) FILTER (WHERE usable(e.value)) > 0)::int
			ELSE CASE WHEN m.lookback IS NOT NULL THEN coalesce(sum(e.value) FILTER (WHERE usable(e.value)), 0) END END AS covariate,
		CASE WHEN m.id = 9 THEN coalesce(sum(e.other) FILTER (WHERE usable(e.other)), 0) END AS covariate_denominator
	FROM event e WHERE e.unit = f.unit AND e.at >= f.at - m.lookback AND e.at < f.at AND NOT e.at >= f.at + m.start) x;

-- caps, per metric and over all units that count
CREATE FUNCTION capped(with_mixed boolean) RETURNS TABLE (unit bigint, variation text, stratum text, mixed boolean, at timestamptz, metric int, value float8, denominator float8, covariate float8, covariate_denominator float8)
LANGUAGE sql AS $$
	WITH l AS (SELECT * FROM longhand WHERE with_mixed OR NOT mixed),
	cap AS (SELECT 11 AS metric, 3.5::float8 AS y, 3.5::float8 AS x
		UNION ALL SELECT 12, max(q.y) FILTER (WHERE q.y > 0), max(q.x) FILTER (WHERE q.x > 0)
			FROM (SELECT percentile_cont(0.8) WITHIN GROUP (ORDER BY value) AS y, percentile_cont(0.8) WITHIN GROUP (ORDER BY covariate) AS x FROM l WHERE metric = 12) q)
	SELECT l.unit, l.variation, l.stratum, l.mixed, l.at, l.metric, least(l.value, cap.y), l.denominator, least(l.covariate, cap.x), l.covariate_denominator
	FROM l LEFT JOIN cap USING (metric)
$$;

-- rows that the two sides do not share; numbers are halves of quarters, so that sums are exact, but means are rounded
CREATE FUNCTION differences(seed int) RETURNS TABLE (what text, rows bigint, differing bigint) LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb := (SELECT jsonb_agg(m.definition ORDER BY m.id) FROM metric m);
	with_mixed boolean := seed % 3 = 0;
	map featbit.exposure_map;
	state featbit.unit_outcomes;
BEGIN
	PERFORM fill(seed);
	PERFORM set_config('TimeZone', (ARRAY['Europe/Berlin', 'America/New_York', 'UTC', 'Asia/Kolkata'])[1 + seed % 4], true);
	CREATE TEMP TABLE expected AS SELECT * FROM capped(with_mixed);
	-- a third of the data sets goes through text, a third through uuid units
	IF seed % 3 = 0 THEN
		SELECT featbit.exposure_map(e.unit, e.at, e.variation, e.stratum) INTO map FROM exposure e;
		SELECT featbit.unit_agg(map, e.unit, e.at, ARRAY[e.value, e.other], plan) INTO state FROM event e;
	ELSIF seed % 3 = 1 THEN
		SELECT featbit.exposure_map(e.unit::text, e.at, e.variation, e.stratum) INTO map FROM exposure e;
		SELECT featbit.unit_agg(map, e.unit::text, e.at, ARRAY[e.value, e.other], plan) INTO state FROM event e;
		map := map::text::featbit.exposure_map;
		state := state::text::featbit.unit_outcomes;
	ELSE
		SELECT featbit.exposure_map(md5(e.unit::text)::uuid, e.at, e.variation, e.stratum) INTO map FROM exposure e;
		SELECT featbit.unit_agg(map, md5(e.unit::text)::uuid, e.at, ARRAY[e.value, e.other], plan) INTO state FROM event e;
	END IF;
	CREATE TEMP TABLE got AS SELECT m.id AS metric, v.* FROM metric m, LATERAL featbit.unit_values(map, state, m.id, plan, mixed => CASE WHEN with_mixed THEN 'first' ELSE 'exclude' END) v;
	RETURN QUERY
		WITH e AS (SELECT CASE seed % 3 WHEN 0 THEN x.unit::text WHEN 2 THEN md5(x.unit::text)::uuid::text END, x.metric, x.variation, x.stratum, x.mixed, x.at,
				round(x.value::numeric, 9), round(x.denominator::numeric, 9), round(x.covariate::numeric, 9), round(x.covariate_denominator::numeric, 9) FROM expected x),
		g AS (SELECT CASE WHEN seed % 3 <> 1 THEN x.unit END, x.metric, x.variation, x.stratum, x.is_mixed, x.exposed_at,
				round(x.value::numeric, 9), round(x.denominator::numeric, 9), round(x.covariate::numeric, 9), round(x.covariate_denominator::numeric, 9) FROM got x)
		SELECT 'units', (SELECT count(*) FROM e), (SELECT count(*) FROM (SELECT * FROM e EXCEPT ALL SELECT * FROM g) d) + (SELECT count(*) FROM (SELECT * FROM g EXCEPT ALL SELECT * FROM e) d);
	-- moments per arm
	RETURN QUERY
		WITH e AS (
			SELECT f.variation, f.stratum, m.id AS metric, count(x.unit) AS units, count(*) FILTER (WHERE f.mixed) AS mixed,
				count(*) FILTER (WHERE x.value <> 0) AS nonzero,
				CASE WHEN m.id IN (4) THEN featbit.stats_agg(x.value > 0) FILTER (WHERE x.unit IS NOT NULL)
					WHEN m.id = 9 THEN featbit.ratio_agg(x.value, x.denominator, x.covariate, x.covariate_denominator)
					WHEN m.id IN (2, 5, 7, 11, 12, 13) THEN featbit.stats_agg(x.value, x.covariate) ELSE featbit.stats_agg(x.value) END AS stats
			FROM first_exposure f CROSS JOIN metric m LEFT JOIN expected x ON x.unit = f.unit AND x.metric = m.id GROUP BY 1, 2, 3),
		g AS (SELECT * FROM featbit.unit_stats(map, state, plan, mixed => CASE WHEN with_mixed THEN 'first' ELSE 'exclude' END) s WHERE s.units + s.mixed_units > 0)
		SELECT 'arms', count(*), count(*) FILTER (WHERE coalesce(
			e.units <> g.units OR e.mixed <> g.mixed_units OR e.nonzero <> g.nonzero_units OR featbit.n(e.stats) <> featbit.n(g.stats), true)
			OR featbit.n(e.stats) > 0 AND coalesce(abs(featbit.mean(e.stats) - featbit.mean(g.stats)) > 1e-9, true)
			OR featbit.n(e.stats) > 1 AND coalesce(abs(featbit.variance(e.stats) - featbit.variance(g.stats)) > 1e-9 * (1 + featbit.variance(e.stats)), true)
			OR featbit.n(e.stats) > 1 AND g.metric IN (2, 5, 7, 9, 11, 12, 13)
				AND coalesce(abs(featbit.covariance(e.stats, 1, 2) - featbit.covariance(g.stats, 1, 2)) > 1e-9 * (1 + abs(featbit.covariance(e.stats, 1, 2))), true))
		FROM e FULL JOIN g ON g.variation = e.variation AND g.stratum IS NOT DISTINCT FROM e.stratum AND g.metric = e.metric;
	-- events by name, one of the metrics reading all of them
	plan := '[{"event": "buy"}, {"event": "view", "aggregate": "count"}, {}]';
	SELECT CASE seed % 3 WHEN 0 THEN featbit.unit_agg(map, e.unit, e.at, e.name, e.value, plan) WHEN 1 THEN featbit.unit_agg(map, e.unit::text, e.at, e.name, e.value, plan)
		ELSE featbit.unit_agg(map, md5(e.unit::text)::uuid, e.at, e.name, e.value, plan) END INTO state FROM event e WHERE seed % 3 = 0;
	IF seed % 3 = 0 THEN
		RETURN QUERY
			WITH e AS (SELECT f.variation, f.stratum, coalesce(sum(v.value) FILTER (WHERE v.name = 'buy'), 0) AS buy, count(v.unit) FILTER (WHERE v.name = 'view') AS view, coalesce(sum(v.value), 0) AS all_of_them
				FROM first_exposure f LEFT JOIN event v ON v.unit = f.unit AND v.at >= f.at AND usable(v.value) GROUP BY f.variation, f.stratum),
			g AS (SELECT s.variation, s.stratum, array_agg(featbit.total(s.stats) ORDER BY s.metric) AS totals FROM featbit.unit_stats(map, state, plan, mixed => 'first') s WHERE s.units > 0 GROUP BY 1, 2)
			SELECT 'names', count(*), count(*) FILTER (WHERE coalesce(abs(totals[1] - buy) > 1e-6 OR abs(totals[2] - view) > 1e-6 OR abs(totals[3] - all_of_them) > 1e-6, true))
			FROM e FULL JOIN g ON g.variation = e.variation AND g.stratum IS NOT DISTINCT FROM e.stratum;
		-- sums without exposures, with and without a cap
		RETURN QUERY
			WITH e AS (SELECT featbit.stats_agg(y) AS plain, featbit.stats_agg(least(y, 2.5)) AS capped FROM (SELECT sum(v.value) AS y FROM event v WHERE usable(v.value) AND v.unit IS NOT NULL GROUP BY v.unit) s),
			g AS (SELECT featbit.unit_agg(v.unit, v.value) AS plain, featbit.unit_agg(v.unit::text, v.value, 2.5) AS capped FROM event v)
			SELECT 'sums', featbit.n(e.plain), (coalesce(featbit.n(e.plain) <> featbit.n(g.plain) OR featbit.n(e.capped) <> featbit.n(g.capped) OR abs(featbit.mean(e.plain) - featbit.mean(g.plain)) > 1e-9
				OR abs(featbit.mean(e.capped) - featbit.mean(g.capped)) > 1e-9 OR abs(featbit.variance(e.plain) - featbit.variance(g.plain)) > 1e-6 * (1 + featbit.variance(e.plain)), featbit.n(e.plain) > 1))::int::bigint FROM e, g;
	END IF;
	-- one unit at a time
	RETURN QUERY
		WITH e AS (SELECT * FROM first_exposure f),
		g AS (SELECT x.unit, (featbit.first_exposure(x.variation, x.at)).* FROM exposure x GROUP BY x.unit)
		SELECT 'first', count(*), count(*) FILTER (WHERE coalesce(e.at <> g.at OR e.variation <> g.variation OR e.mixed <> (g.n_variations > 1), true)) FROM e LEFT JOIN g ON g.unit = e.unit;
	DROP TABLE expected, got;
END $$;

SELECT d.what, count(*) AS data_sets, sum(d.rows) > 10 * count(*) AS many_rows, sum(d.differing) AS differing FROM generate_series(1, 210) seed, LATERAL differences(seed) d GROUP BY d.what ORDER BY d.what;

SET client_min_messages = warning;
DROP SCHEMA unit_property CASCADE;
