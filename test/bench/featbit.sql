-- The same flags natively and as FeatBit evaluates them: a two-way split, three rules with six conditions on a jsonb, 10,000 targets.
\echo
\echo FeatBit semantics: :users users, one backend
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('split, native', 'SELECT count(featbit.flag_variation(key, ''f'')) FROM bench_user'),
    ('split, featbit', 'SELECT count(featbit.flag_variation(key, ''featbit-f'')) FROM bench_user'),
    ('split, by md5 of PostgreSQL', $$SELECT count(CASE WHEN abs(('x' || substr(m, 7, 2) || substr(m, 5, 2) || substr(m, 3, 2) || substr(m, 1, 2))::bit(32)::int::float8 / -2147483648.0) <= 0.5
        THEN 'base' ELSE 'tuned' END) FROM (SELECT md5('featbit-f' || key) AS m FROM bench_user OFFSET 0) u$$);
CALL bench.run(:rounds, 'split, native');
SELECT * FROM bench.report('split, native');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('rules on jsonb, native', 'SELECT count(featbit.flag_variation(key, ''r'', attributes)) FROM bench_user'),
    ('rules on jsonb, featbit', 'SELECT count(featbit.flag_variation(key, ''featbit-r'', attributes)) FROM bench_user');
CALL bench.run(:rounds, 'rules on jsonb, native');
SELECT * FROM bench.report('rules on jsonb, native');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('10,000 targets, native', 'SELECT count(featbit.flag_variation(key, ''native-targets'')) FROM bench_user'),
    ('10,000 targets, featbit', 'SELECT count(featbit.flag_variation(key, ''featbit-targets'')) FROM bench_user');
CALL bench.run(:rounds, '10,000 targets, native');
SELECT * FROM bench.report('10,000 targets, native');
-- and the answers are those of the other side: md5 in SQL, rules whose conditions are the same
SELECT count(*) FILTER (WHERE featbit.flag_variation(key, 'featbit-f') <> CASE WHEN featbit.featbit_bucket('featbit-f' || key) <= 0.5 THEN 'base' ELSE 'tuned' END) AS split_differs,
    count(*) FILTER (WHERE featbit.flag_variation(key, 'featbit-targets') <> featbit.flag_variation(key, 'native-targets')) AS targets_differ,
    count(*) FILTER (WHERE (r.metadata ->> 'rule_id') IS DISTINCT FROM (n.metadata ->> 'rule_id')) AS rules_differ
FROM (SELECT * FROM bench_user LIMIT 100000) u, featbit.resolve('featbit-r', attributes || jsonb_build_object('targetingKey', key)) r,
    featbit.resolve('r', attributes || jsonb_build_object('targetingKey', key)) n;
