SET max_parallel_workers_per_gather = 0;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('scan', 'SELECT count(pred), count(ref) FROM bench_pair'),
    ('metric(bleu), 13a', 'SELECT featbit.metric(''bleu'', pred, ARRAY[ref]) FROM bench_pair'),
    ('metric(rouge_l)', 'SELECT featbit.metric(''rouge_l'', pred, ARRAY[ref]) FROM bench_pair'),
    ('metric(chrf)', 'SELECT featbit.metric(''chrf'', pred, ARRAY[ref]) FROM bench_pair'),
    ('metric(cer)', 'SELECT featbit.metric(''cer'', pred, ARRAY[ref]) FROM bench_pair');
CALL bench.run(5);
SELECT label, median_ms, quartiles_ms FROM bench.report('scan');
SELECT round((featbit.metric('bleu', pred, ARRAY[ref], NULL, '{"smooth": "none"}')).value::numeric, 6) AS bleu,
    round((featbit.metric('rouge_l', pred, ARRAY[ref])).value::numeric, 9) AS rouge_l
FROM bench_pair;
