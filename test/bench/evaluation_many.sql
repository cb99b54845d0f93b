-- Ten flags per row against ten hashes, without the scan that both need; two workers; a split against the best that SQL can do inline.
\echo
\echo Ten flags per row: the time beyond count(*)
CREATE TABLE bench_key AS SELECT key FROM bench_user ORDER BY id LIMIT 100000;
VACUUM (FREEZE, ANALYZE) bench_key;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql)
SELECT 'count(*)', 'SELECT count(*) FROM bench_key'
UNION ALL SELECT 'ten hashes', 'SELECT ' || string_agg(format('count(hashtextextended(key, %s))', n), ', ') || ' FROM bench_key' FROM generate_series(1, 10) n
UNION ALL SELECT 'ten flags', 'SELECT ' || string_agg(format('count(featbit.flag_variation(key, ''f%s''))', n), ', ') || ' FROM bench_key' FROM generate_series(1, 10) n;
CALL bench.run(:rounds, 'ten hashes');
SELECT * FROM bench.report('ten hashes', 'count(*)');

\echo
\echo Two workers, wall time
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(hashtextextended(key, 0))', 'SELECT count(hashtextextended(key, 0)) FROM bench_user'),
    ('count(flag_variation(key, ''f''))', 'SELECT count(featbit.flag_variation(key, ''f'')) FROM bench_user'),
    ('count(flag_variation(key, ''r'', attributes))', 'SELECT count(featbit.flag_variation(key, ''r'', attributes)) FROM bench_user');
CALL bench.run(:rounds, 'count(hashtextextended(key, 0))', wall => true);
SELECT * FROM bench.report('count(hashtextextended(key, 0))');
SET max_parallel_workers_per_gather = 0; RESET parallel_setup_cost; RESET parallel_tuple_cost;

\echo
\echo A split against SQL that is inlined, its salt and weight constants
CREATE FUNCTION bench_inline(p_user text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (hashtextextended(p_user, 4711) & 1048575) < 524288 THEN 'base' ELSE 'tuned' END;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('inlined SQL', 'SELECT count(bench_inline(key)) FROM bench_user'),
    ('count(flag_variation(key, ''f''))', 'SELECT count(featbit.flag_variation(key, ''f'')) FROM bench_user');
CALL bench.run(:rounds, 'inlined SQL');
SELECT * FROM bench.report('inlined SQL');
