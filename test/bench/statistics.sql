-- Moments by variation against PostgreSQL's own aggregates over the same rows.
\echo
\echo Statistics: :rows rows, two variations, one backend
CREATE TABLE bench_value AS
SELECT (hashint8(n) & 1)::int AS variation, ((hashint8extended(n, 7) & 65535)::float8 / 64.0) AS y
FROM generate_series(1::bigint, :rows) n;
VACUUM ANALYZE bench_value;
SET max_parallel_workers_per_gather = 0;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(*), avg(y), stddev_samp(y)', 'SELECT variation, count(*), avg(y), stddev_samp(y) FROM bench_value GROUP BY variation'),
    ('stats_agg(y)', 'SELECT variation, featbit.stats_agg(y) FROM bench_value GROUP BY variation');
CALL bench.run(9);
SELECT * FROM bench.report('count(*), avg(y), stddev_samp(y)');
-- both say the same
SELECT bool_and(abs(featbit.mean(s.state) - p.mean) < 1e-9 * p.mean AND abs(featbit.stddev(s.state) - p.stddev) < 1e-9 * p.stddev
    AND featbit.n(s.state) = p.n) AS same_answer
FROM (SELECT variation, featbit.stats_agg(y) AS state FROM bench_value GROUP BY variation) s
JOIN (SELECT variation, count(*) AS n, avg(y) AS mean, stddev_samp(y) AS stddev FROM bench_value GROUP BY variation) p USING (variation);

-- All variations in one state, against the groups.
\echo
\echo One state for all variations: :rows rows, two variations with names, one backend
CREATE TABLE bench_variation AS SELECT CASE variation WHEN 0 THEN 'control' ELSE 'treatment' END AS variation, y FROM bench_value;
VACUUM ANALYZE bench_variation;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('stats_agg(y) GROUP BY variation', 'SELECT variation, featbit.stats_agg(y) FROM bench_variation GROUP BY variation'),
    ('count(*), avg(y), stddev_samp(y) GROUP BY variation', 'SELECT variation, count(*), avg(y), stddev_samp(y) FROM bench_variation GROUP BY variation'),
    ('stats_by_variation(variation, y)', 'SELECT v.* FROM (SELECT featbit.stats_by_variation(variation, y) AS s FROM bench_variation) a, featbit.variations(s) v');
CALL bench.run(9);
SELECT * FROM bench.report('stats_agg(y) GROUP BY variation');
