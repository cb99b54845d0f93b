-- Label metrics with intervals beside the bare counting of pairs.
\echo
\echo metrics of predictions: :predictions rows
CREATE TABLE IF NOT EXISTS bench_prediction AS
SELECT n, 'label ' || n * 7919 % 10 AS gold, 'label ' || CASE WHEN n * 31 % 100 < 15 THEN n * 17 % 11 ELSE n * 7919 % 10 END AS pred
FROM generate_series(1::bigint, :predictions) n;
VACUUM ANALYZE bench_prediction;
SET max_parallel_workers_per_gather = 0;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('gold, pred, count(*)', 'SELECT gold, pred, count(*) FROM bench_prediction GROUP BY 1, 2'),
    ('accuracy', 'SELECT featbit.metric(''accuracy'', pred, ARRAY[gold]) FROM bench_prediction'),
    ('f1_macro', 'SELECT featbit.metric(''f1_macro'', pred, ARRAY[gold]) FROM bench_prediction'),
    ('accuracy and f1_macro', 'SELECT featbit.metric(''accuracy'', pred, ARRAY[gold]), featbit.metric(''f1_macro'', pred, ARRAY[gold]) FROM bench_prediction'),
    ('f1_macro, a unit each', 'SELECT featbit.metric(''f1_macro'', pred, ARRAY[gold], n::text) FROM bench_prediction');
CALL bench.run(7, 'gold, pred, count(*)');
SELECT * FROM bench.report('gold, pred, count(*)');
-- both say the same
SELECT abs((SELECT (featbit.metric('accuracy', pred, ARRAY[gold])).value FROM bench_prediction) - sum(count) FILTER (WHERE gold = pred) / sum(count)) < 1e-12 AS same_answer
FROM (SELECT gold, pred, count(*) FROM bench_prediction GROUP BY 1, 2) c;
