-- Three rules with six conditions over attributes in a jsonb and in columns, against the hash, the same rules written by hand,
-- and an interpreter in PL/pgSQL; lists of 3 and of 10,000 values.
\echo
\echo Rules on a jsonb of eight keys: :users users, one backend
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(hashtextextended(key, 0))', 'SELECT count(hashtextextended(key, 0)) FROM bench_user'),
    ('count(attributes)', 'SELECT count(attributes) FROM bench_user'),
    ('count(flag_variation(key, ''r'', attributes))', 'SELECT count(featbit.flag_variation(key, ''r'', attributes)) FROM bench_user'),
    ('a list of 3', 'SELECT count(featbit.flag_variation(key, ''list-3'', attributes)) FROM bench_user'),
    ('a list of 10,000', 'SELECT count(featbit.flag_variation(key, ''list-10000'', attributes)) FROM bench_user');
CALL bench.run(:rounds, 'count(hashtextextended(key, 0))');
SELECT * FROM bench.report('count(hashtextextended(key, 0))');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('by hand with ->>, no bucketing', $$SELECT count(CASE
        WHEN attributes ->> 'country' IN ('jp', 'br') AND (attributes ->> 'age')::int > 70 THEN 'base'
        WHEN attributes ->> 'plan' = 'team' AND (attributes ->> 'age')::int > 60 THEN 'tuned'
        WHEN attributes ->> 'country' = 'de' AND (attributes ->> 'beta')::boolean THEN 'tuned' ELSE 'base' END) FROM bench_user$$),
    ('count(flag_variation(key, ''r'', attributes))', 'SELECT count(featbit.flag_variation(key, ''r'', attributes)) FROM bench_user');
CALL bench.run(:rounds, 'by hand with ->>, no bucketing');
SELECT * FROM bench.report('by hand with ->>, no bucketing');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('a list of 3', 'SELECT count(featbit.flag_variation(key, ''list-3'', attributes)) FROM bench_user'),
    ('a list of 10,000', 'SELECT count(featbit.flag_variation(key, ''list-10000'', attributes)) FROM bench_user');
CALL bench.run(:rounds, 'a list of 3');
SELECT * FROM bench.report('a list of 3');
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(flag_variation(key, ''r'', attributes)), 50,000 users', 'SELECT count(featbit.flag_variation(key, ''r'', attributes)) FROM (SELECT * FROM bench_user LIMIT 50000) u'),
    ('count(bench_rules(key, ''r'', attributes)), 50,000 users', 'SELECT count(bench_rules(key, ''r'', attributes)) FROM (SELECT * FROM bench_user LIMIT 50000) u');
CALL bench.run(5);
SELECT * FROM bench.report('count(flag_variation(key, ''r'', attributes)), 50,000 users');

\echo
\echo The same rules on columns of a table that is as wide
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('count(hashtextextended(key, 0))', 'SELECT count(hashtextextended(key, 0)) FROM bench_column'),
    ('flag_variation_row, four columns', 'SELECT count(featbit.flag_variation_row(u.key, ''r'', c)) FROM bench_column u, LATERAL (SELECT u.country, u.age, u.plan, u.beta) c'),
    ('flag_variation_row, the table', 'SELECT count(featbit.flag_variation_row(u.key, ''r'', u)) FROM bench_column u'),
    ('flag_variation, jsonb_build_object', 'SELECT count(featbit.flag_variation(key, ''r'', jsonb_build_object(''country'', country, ''age'', age, ''plan'', plan, ''beta'', beta))) FROM bench_column'),
    ('by hand, no bucketing', $$SELECT count(CASE WHEN country IN ('jp', 'br') AND age > 70 THEN 'base' WHEN plan = 'team' AND age > 60 THEN 'tuned'
        WHEN country = 'de' AND beta THEN 'tuned' ELSE 'base' END) FROM bench_column$$);
CALL bench.run(:rounds, 'count(hashtextextended(key, 0))');
SELECT * FROM bench.report('count(hashtextextended(key, 0))');
-- all forms say the same
SELECT bool_and(featbit.flag_variation_row(u.key, 'r', u) = featbit.flag_variation(u.key, 'r', u.attributes)) AS same_answer FROM bench_column u;
