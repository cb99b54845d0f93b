-- States by variation against PostgreSQL's own aggregates over the same rows.
\echo
\echo Statistics: :rows rows, two variations, one backend
CREATE TABLE bench_value AS
SELECT (hashint8(n) & 1)::int AS variation, ((hashint8extended(n, 7) & 65535)::float8 / 64.0) AS y, ((hashint8extended(n, 8) & 65535)::float8 / 64.0) AS x
FROM generate_series(1::bigint, :rows) n;
VACUUM ANALYZE bench_value;
SET max_parallel_workers_per_gather = 0;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(*), avg(y), stddev_samp(y)', 'SELECT variation, count(*), avg(y), stddev_samp(y) FROM bench_value GROUP BY variation'),
    ('stats_agg(y)', 'SELECT variation, featbit.stats_agg(y) FROM bench_value GROUP BY variation'),
    ('quantile_agg(y)', 'SELECT variation, featbit.quantile_agg(y) FROM bench_value GROUP BY variation'),
    ('quantile_agg(y, 0.005)', 'SELECT variation, featbit.quantile_agg(y, 0.005) FROM bench_value GROUP BY variation');
CALL bench.run(9);
SELECT * FROM bench.report('count(*), avg(y), stddev_samp(y)');
-- both say the same
SELECT bool_and(abs(featbit.mean(s.state) - p.mean) < 1e-9 * p.mean AND abs(featbit.stddev(s.state) - p.stddev) < 1e-9 * p.stddev
    AND featbit.n(s.state) = p.n) AS same_answer
FROM (SELECT variation, featbit.stats_agg(y) AS state FROM bench_value GROUP BY variation) s
JOIN (SELECT variation, count(*) AS n, avg(y) AS mean, stddev_samp(y) AS stddev FROM bench_value GROUP BY variation) p USING (variation);
SELECT bool_and(abs(featbit.quantile(s, 0.9) / q - 1) < 0.0005) AS same_quantiles
FROM (SELECT variation, featbit.quantile_agg(y) AS s, percentile_cont(0.9) WITHIN GROUP (ORDER BY y) AS q FROM bench_value GROUP BY variation) v;

\echo
\echo A value and a covariate
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('regr_sxx, sxy, syy, avgx, avgy', 'SELECT variation, regr_sxx(y, x), regr_sxy(y, x), regr_syy(y, x), regr_avgx(y, x), regr_avgy(y, x) FROM bench_value GROUP BY variation'),
    ('stats_agg(y, x)', 'SELECT variation, featbit.stats_agg(y, x) FROM bench_value GROUP BY variation');
CALL bench.run(9);
SELECT * FROM bench.report('regr_sxx, sxy, syy, avgx, avgy');

\echo
\echo Two workers and the leader, wall time: the ratio is to one process
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('stats_agg(y, x) alone', 'SET LOCAL max_parallel_workers_per_gather = 0; SELECT variation, featbit.stats_agg(y, x) FROM bench_value GROUP BY variation'),
    ('stats_agg(y, x)', 'SET LOCAL max_parallel_workers_per_gather = 2; SELECT variation, featbit.stats_agg(y, x) FROM bench_value GROUP BY variation');
CALL bench.run(9, wall => true);
SELECT * FROM bench.report('stats_agg(y, x) alone');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('quantile_agg(y) alone', 'SET LOCAL max_parallel_workers_per_gather = 0; SELECT variation, featbit.quantile_agg(y) FROM bench_value GROUP BY variation'),
    ('quantile_agg(y)', 'SET LOCAL max_parallel_workers_per_gather = 2; SELECT variation, featbit.quantile_agg(y) FROM bench_value GROUP BY variation');
CALL bench.run(9, wall => true);
SELECT * FROM bench.report('quantile_agg(y) alone');

\echo
\echo 25,000 comparisons of stored states; a column of a composite value is read where the call stands, without a scan of its row
CREATE TABLE bench_state AS
SELECT i, featbit.stats_from_counts(1000 + i % 97, 100 + i % 50) AS bought_c, featbit.stats_from_counts(1000 + i % 89, 110 + i % 47) AS bought_t,
    format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', 1000 + i % 97, 10 + i % 7 / 7.0, 10000 + i % 1103)::featbit.stats AS spent_c,
    format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', 1000 + i % 89, 10 + i % 11 / 8.0, 11000 + i % 1001)::featbit.stats AS spent_t
FROM generate_series(1, 25000) i;
VACUUM ANALYZE bench_state;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('sum(mean(state))', 'SELECT sum(featbit.mean(spent_t)) FROM bench_state'),
    ('(effect(c, t)).p_value', 'SELECT sum((featbit.effect(spent_c, spent_t)).p_value) FROM bench_state'),
    ('(effect(c, t, method => ''z'')).p_value', 'SELECT sum((featbit.effect(spent_c, spent_t, method => ''z'')).p_value) FROM bench_state'),
    ('(effect of proportions).p_value', 'SELECT sum((featbit.effect(bought_c, bought_t)).p_value) FROM bench_state'),
    ('(e).p_value, (e).ci_low, (e).ci_high of a subquery', 'SELECT sum((e).p_value), min((e).ci_low), max((e).ci_high) FROM (SELECT featbit.effect(spent_c, spent_t) AS e FROM bench_state OFFSET 0) s'),
    ('LATERAL effect(c, t)', 'SELECT sum(e.p_value) FROM bench_state, LATERAL featbit.effect(spent_c, spent_t) e');
-- each twenty times: some systems count CPU time in ticks of 4 ms
UPDATE bench.statement SET sql = format('DO $do$ BEGIN FOR i IN 1..20 LOOP PERFORM %s; END LOOP; END $do$', substr(sql, 8));
CALL bench.run(15);
SELECT * FROM bench.report('sum(mean(state))');

-- All variations in one state, against the groups.
\echo
\echo One state for all variations: :rows rows, two variations with names, one backend
CREATE TABLE bench_variation AS SELECT CASE variation WHEN 0 THEN 'control' ELSE 'treatment' END AS variation, y, x FROM bench_value;
VACUUM ANALYZE bench_variation;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(*), avg(y), stddev_samp(y) GROUP BY variation', 'SELECT variation, count(*), avg(y), stddev_samp(y) FROM bench_variation GROUP BY variation'),
    ('stats_agg(y) GROUP BY variation', 'SELECT variation, featbit.stats_agg(y) FROM bench_variation GROUP BY variation'),
    ('stats_by_variation(variation, y)', 'SELECT v.* FROM (SELECT featbit.stats_by_variation(variation, y) AS s FROM bench_variation) a, featbit.variations(s) v'),
    ('stats_by_variation(variation, y, x)', 'SELECT v.* FROM (SELECT featbit.stats_by_variation(variation, y, x) AS s FROM bench_variation) a, featbit.variations(s) v'),
    ('quantiles_by_variation(variation, y, 0.005)', 'SELECT v.* FROM (SELECT featbit.quantiles_by_variation(variation, y, 0.005) AS s FROM bench_variation) a, featbit.variations(s) v'),
    ('quantiles_by_variation(variation, y)', 'SELECT v.* FROM (SELECT featbit.quantiles_by_variation(variation, y) AS s FROM bench_variation) a, featbit.variations(s) v');
CALL bench.run(9);
SELECT * FROM bench.report('count(*), avg(y), stddev_samp(y) GROUP BY variation');
\echo
\echo The same with two workers and the leader, wall time: the ratio is to one process
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('stats_by_variation(variation, y) alone', 'SET LOCAL max_parallel_workers_per_gather = 0; SELECT featbit.stats_by_variation(variation, y) FROM bench_variation'),
    ('stats_by_variation(variation, y)', 'SET LOCAL max_parallel_workers_per_gather = 2; SELECT featbit.stats_by_variation(variation, y) FROM bench_variation');
CALL bench.run(9, wall => true);
SELECT * FROM bench.report('stats_by_variation(variation, y) alone');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('quantiles_by_variation(variation, y, 0.005) alone', 'SET LOCAL max_parallel_workers_per_gather = 0; SELECT featbit.quantiles_by_variation(variation, y, 0.005) FROM bench_variation'),
    ('quantiles_by_variation(variation, y, 0.005)', 'SET LOCAL max_parallel_workers_per_gather = 2; SELECT featbit.quantiles_by_variation(variation, y, 0.005) FROM bench_variation');
CALL bench.run(9, wall => true);
SELECT * FROM bench.report('quantiles_by_variation(variation, y, 0.005) alone');
