-- One two-way split for every key of a table, against the cheapest hash of PostgreSQL and against a row look-up in PL/pgSQL.
\echo
\echo Evaluation: :users keys, 50/50 split, one backend
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(hashtextextended(key, 0))', 'SELECT count(hashtextextended(key, 0)) FROM bench_user'),
    ('count(flag_variation(key, ''f''))', 'SELECT count(featbit.flag_variation(key, ''f'')) FROM bench_user'),
    ('count(evaluate_flag(key, ''f''))', 'SELECT count(featbit.evaluate_flag(key, ''f'')) FROM bench_user');
CALL bench.run(:rounds, 'count(hashtextextended(key, 0))');
SELECT * FROM bench.report('count(hashtextextended(key, 0))');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(flag_variation(key, ''f'')), 100,000 users', 'SELECT count(featbit.flag_variation(key, ''f'')) FROM (SELECT * FROM bench_user LIMIT 100000) u'),
    ('count(bench_lookup(key, ''f'')), 100,000 users', 'SELECT count(bench_lookup(key, ''f'')) FROM (SELECT * FROM bench_user LIMIT 100000) u');
CALL bench.run(5);
SELECT * FROM bench.report('count(flag_variation(key, ''f'')), 100,000 users');
