-- From exposures and events to moments per variation: unit_agg over an exposure map against the plain SQL of two_level.sql.
-- psql variables: users, events (as data.sql was loaded), rounds.
\echo
\echo Units: :users users, :events events, one sum metric, first exposure, events at or after it
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1GB';
\set two_level `cat test/bench/two_level.sql`
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('plain SQL, text', regexp_replace(:'two_level', '^(--[^\n]*\n)+', '')),
    ('plain SQL, bigint', regexp_replace(replace(:'two_level', 'user_key', 'user_id'), '^(--[^\n]*\n)+', '')),
    ('scan and filter', $$SELECT count(*) FROM bench_event WHERE event_name = 'buy'$$),
    ('exposure_map, text', $$SELECT featbit.exposure_map(user_key, at, variation) IS NULL FROM bench_exposure$$);
INSERT INTO bench.statement (label, sql)
SELECT 'unit_agg, ' || kind, format($$
    SELECT s.variation, featbit.n(s.stats) AS users, featbit.mean(s.stats) AS mean, featbit.stddev(s.stats) AS stddev
    FROM (SELECT featbit.exposure_map(%1$s, at, variation) AS map FROM bench_exposure) m
    CROSS JOIN LATERAL (SELECT featbit.unit_agg(m.map, e.%1$s, e.occurred_at, e.value) AS state FROM bench_event e WHERE e.event_name = 'buy') a
    CROSS JOIN LATERAL featbit.unit_stats(m.map, a.state) s ORDER BY s.variation$$, col)
FROM (VALUES ('text', 'user_key'), ('bigint', 'user_id')) k (kind, col);
INSERT INTO bench.statement (label, sql) VALUES
    ('five metrics with CUPED, text', $$
    SELECT s.* FROM (SELECT featbit.exposure_map(user_key, at, variation) AS map FROM bench_exposure) m
    CROSS JOIN LATERAL (SELECT featbit.unit_agg(m.map, e.user_key, e.occurred_at, e.event_name, e.value, '[{"event": "buy", "lookback": "7 days"}, {"event": "view", "lookback": "7 days"},
        {"event": "click", "lookback": "7 days"}, {"event": "error", "lookback": "7 days"}, {"event": "thumb", "lookback": "7 days"}]') AS state FROM bench_event e) a
    CROSS JOIN LATERAL featbit.unit_stats(m.map, a.state) s$$);
-- answers first
CREATE TEMP TABLE bench_answer (label text, variation text, users bigint, mean float8, stddev float8);
DO $$
DECLARE s record;
BEGIN
    FOR s IN SELECT * FROM bench.statement WHERE label LIKE 'plain%' OR label LIKE 'unit_agg%' LOOP
        EXECUTE format('INSERT INTO bench_answer SELECT %L, x.* FROM (%s) x', s.label, rtrim(s.sql, E'; \n'));
    END LOOP;
END $$;
SELECT count(DISTINCT a.label) AS statements, count(*) AS rows, bool_and(a.users = b.users AND abs(a.mean - b.mean) < 1e-9 * b.mean AND abs(a.stddev - b.stddev) < 1e-9 * b.stddev) AS same_answer
FROM bench_answer a JOIN (SELECT * FROM bench_answer WHERE label = 'plain SQL, text') b USING (variation);
CALL bench.run(:rounds);
SELECT * FROM bench.report('plain SQL, text');
SELECT * FROM bench.report('unit_agg, text') WHERE label LIKE '%text';
DROP TABLE bench_answer;
