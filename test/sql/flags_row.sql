-- The columns of a row are attributes: in each of the forms a row can have, and for each type, as to_jsonb would give them.
SET featbit.environment = 'test_row';
CREATE TYPE row_mood AS ENUM ('happy', 'sad');
CREATE DOMAIN row_country AS text CHECK (length(VALUE) = 2);
CREATE TYPE row_pair AS (a int, b text);
CREATE TABLE row_user (key text, id bigint, token uuid, dropped int, country row_country, plan varchar(10), code char(4), nick name, small int2,
    age int, big bigint, spend numeric, ratio float8, share float4, beta boolean, born date, seen timestamptz, mood row_mood,
    tags text[], scores int[], doc jsonb, old json, pair row_pair, "Odd Name" text, twice int GENERATED ALWAYS AS (age * 2) STORED);
ALTER TABLE row_user DROP COLUMN dropped;
INSERT INTO row_user
SELECT 'user-' || n, n, md5(n::text)::uuid, (ARRAY['de','fr','us'])[1 + n % 3], (ARRAY['free','pro'])[1 + n % 2], 'c' || n % 3, 'nick-' || n % 5, n % 7,
    CASE WHEN n % 11 > 0 THEN n % 80 END, (n - 150) * 9007199254740993,
    (ARRAY[0, -1.50, 0.1, 12345678901234567890.5, 'NaN', 99999999, 1e20, 10000]::numeric[])[1 + n % 8], (ARRAY[0.1, 1e300, -3, 1/3.0, 'NaN', 'Infinity', 9007199254740993]::float8[])[1 + n % 7],
    (ARRAY[0.1, 16777217, 123456789, -2.5, 'NaN']::float4[])[1 + n % 5], CASE n % 3 WHEN 0 THEN true WHEN 1 THEN false END, date '2000-01-01' + n, timestamptz '2026-01-01 00:00+00' + n * interval '7 hours',
    (ARRAY['happy','sad']::row_mood[])[1 + n % 2], CASE WHEN n % 4 > 0 THEN ARRAY['tag-' || n % 3, 'all'] END, ARRAY[n % 5, n % 7],
    jsonb_build_object('plan', jsonb_build_object('tier', n % 4), 'list', jsonb_build_array('x' || n % 3), 'none', NULL), json_build_object('k', n % 2),
    CASE WHEN n % 5 > 0 THEN ROW(n % 6, 'b')::row_pair END, 'odd-' || n % 2
FROM generate_series(1, 300) n;

-- one flag for each condition
CREATE TEMPORARY TABLE row_condition AS
SELECT 'c' || row_number() OVER () AS flag, condition::jsonb FROM (VALUES
    ('{"attribute": "country", "op": "one_of", "value": ["de", "fr"]}'), ('{"attribute": "country", "op": "not_one_of", "value": ["de"]}'),
    ('{"attribute": "plan", "op": "eq", "value": "pro"}'), ('{"attribute": "code", "op": "eq", "value": "c1  "}'), ('{"attribute": "code", "op": "starts_with", "value": "c1"}'),
    ('{"attribute": "nick", "op": "ends_with", "value": "-3"}'), ('{"attribute": "small", "op": "between", "value": [2, 4]}'),
    ('{"attribute": "age", "op": "gt", "value": 40}'), ('{"attribute": "age", "op": "le", "value": 40.5}'), ('{"attribute": "age", "op": "exists"}'),
    ('{"attribute": "age", "op": "is_null"}'), ('{"not": {"attribute": "age", "op": "exists"}}'), ('{"attribute": "age", "op": "one_of", "value": [1, 2, 33.0, "44"]}'),
    ('{"attribute": "big", "op": "gt", "value": 90071992547409930}'), ('{"attribute": "big", "op": "eq", "value": 450359962737049650}'), ('{"attribute": "big", "op": "lt", "value": -9007199254740993}'),
    ('{"attribute": "spend", "op": "eq", "value": -1.5}'), ('{"attribute": "spend", "op": "ge", "value": 12345678901234567890.4}'), ('{"attribute": "spend", "op": "eq", "value": 99999999}'),
    ('{"attribute": "spend", "op": "one_of", "value": [0, 0.1, 100000000000000000000]}'), ('{"attribute": "spend", "op": "eq", "value": "NaN"}'), ('{"attribute": "spend", "op": "gt", "value": 9999}'),
    ('{"attribute": "ratio", "op": "eq", "value": 0.1}'), ('{"attribute": "ratio", "op": "eq", "value": "Infinity"}'), ('{"attribute": "ratio", "op": "gt", "value": 0.3333333333333333}'),
    ('{"attribute": "ratio", "op": "lt", "value": -2}'), ('{"attribute": "ratio", "op": "ge", "value": 9007199254740992}'), ('{"attribute": "share", "op": "eq", "value": 0.1}'),
    ('{"attribute": "share", "op": "eq", "value": 123456790}'), ('{"attribute": "share", "op": "gt", "value": 16777215}'), ('{"attribute": "share", "op": "lt", "value": 0}'),
    ('{"attribute": "beta", "op": "is_true"}'), ('{"attribute": "beta", "op": "ne", "value": true}'), ('{"attribute": "born", "op": "eq", "value": "2000-01-31"}'),
    ('{"attribute": "seen", "op": "starts_with", "value": "2026-01-1"}'), ('{"attribute": "mood", "op": "eq", "value": "sad"}'), ('{"attribute": "tags", "op": "one_of", "value": ["tag-1"]}'),
    ('{"attribute": "tags", "op": "exists"}'), ('{"attribute": "scores", "op": "one_of", "value": [4, 6]}'), ('{"attribute": "doc.plan.tier", "op": "ge", "value": 2}'),
    ('{"attribute": "doc.list", "op": "one_of", "value": ["x1"]}'), ('{"attribute": "doc.none", "op": "exists"}'), ('{"attribute": "doc.none", "op": "is_null"}'),
    ('{"attribute": "old.k", "op": "eq", "value": 1}'), ('{"attribute": "pair.a", "op": "gt", "value": 3}'), ('{"attribute": "pair", "op": "exists"}'), ('{"attribute": ["Odd Name"], "op": "eq", "value": "odd-1"}'),
    ('{"attribute": "twice", "op": "gt", "value": 100}'), ('{"attribute": "dropped", "op": "exists"}'), ('{"attribute": "country.x", "op": "exists"}'), ('{"attribute": "unknown", "op": "exists"}'),
    ('{"attribute": "token", "op": "starts_with", "value": ["1", "2", "a"]}'), ('{"attribute": "key", "op": "matches", "value": "7$"}'), ('{"attribute": "id", "op": "lt", "value": 100}')) c(condition);
INSERT INTO featbit.flag (environment, key, type, variations, rules, fallthrough)
SELECT 'test_row', flag, 'boolean', '[{"key": "yes", "value": true}, {"key": "no", "value": false}]',
    jsonb_build_array(jsonb_build_object('id', 'r', 'when', condition, 'serve', '{"variation": "yes"}'::jsonb)), '{"variation": "no"}'
FROM row_condition;
-- the unit of a split: each column in turn
INSERT INTO featbit.flag (environment, key, type, variations, rules, fallthrough)
SELECT 'test_row', 'by-' || by, 'string', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]', '[]',
    format('{"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}, {"variation": "c", "weight": 1}], "by": "%s"}', by)::jsonb
FROM unnest('{id,token,country,code,nick,small,age,big,spend,ratio,share,beta,born,seen,mood}'::text[]) by;

-- The same rows as jsonb, without the columns that are NULL.
CREATE FUNCTION row_as_jsonb(row_user) RETURNS jsonb LANGUAGE sql STABLE AS
    $$ SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb($1)) WHERE value <> 'null' $$;
-- One value each, formed before it is passed.
CREATE FUNCTION row_in_plpgsql(u row_user, flag text) RETURNS text LANGUAGE plpgsql STABLE AS
    $$ DECLARE r record := u; BEGIN RETURN featbit.flag_variation_row(u.key, flag, r); END $$;
CREATE TEMPORARY TABLE row_answer AS
WITH formed AS MATERIALIZED (SELECT u.* FROM row_user u), as_jsonb AS MATERIALIZED (SELECT u.key, row_as_jsonb(u) AS j FROM row_user u)
SELECT f.key AS flag, u.key, featbit.flag_variation(u.key, f.key, j.j) AS by_jsonb,
    featbit.flag_variation_row(u.key, f.key, u) AS by_table,
    featbit.flag_variation_row(u.key, f.key, c) AS by_subquery,
    featbit.flag_variation_row(u.key, f.key, m) AS by_record,
    featbit.flag_variation_row(u.key, f.key, w.whole) AS by_composite
FROM row_user u
JOIN formed m ON m.key = u.key
JOIN as_jsonb j ON j.key = u.key
CROSS JOIN LATERAL (SELECT u.*) c
CROSS JOIN LATERAL (SELECT u AS whole OFFSET 0) w
CROSS JOIN featbit.flag f WHERE f.environment = 'test_row';
SELECT count(*) AS evaluations, count(DISTINCT flag) AS flags FROM row_answer;
SELECT flag, condition, count(*) FILTER (WHERE by_table IS DISTINCT FROM by_jsonb) AS by_table,
    count(*) FILTER (WHERE by_subquery IS DISTINCT FROM by_jsonb) AS by_subquery,
    count(*) FILTER (WHERE by_record IS DISTINCT FROM by_jsonb) AS by_record,
    count(*) FILTER (WHERE by_composite IS DISTINCT FROM by_jsonb) AS by_composite
FROM row_answer LEFT JOIN row_condition USING (flag)
WHERE (by_table, by_subquery, by_record, by_composite) IS DISTINCT FROM (by_jsonb, by_jsonb, by_jsonb, by_jsonb)
GROUP BY flag, condition ORDER BY flag;
SELECT count(*) AS differ FROM row_user u, featbit.flag f WHERE f.environment = 'test_row' AND f.key IN ('c1', 'c8', 'c40', 'by-age')
    AND row_in_plpgsql(u, f.key) IS DISTINCT FROM featbit.flag_variation(u.key, f.key, row_as_jsonb(u));
-- each condition is met by some and not by all, but for the columns that are not there
SELECT condition, count(*) FILTER (WHERE by_table = 'yes') AS met FROM row_answer JOIN row_condition USING (flag)
GROUP BY condition HAVING count(DISTINCT by_table) < 2 ORDER BY condition::text;

-- the table itself, directly, so that its columns are seen
SELECT count(*) FILTER (WHERE featbit.flag_bool_row(u.id, 'c8', false, u)) AS flag_bool_row,
    count(*) FILTER (WHERE featbit.evaluate_flag_row(u.token, 'c8', u) = 'true') AS evaluate_flag_row,
    count(*) FILTER (WHERE u.age > 40) AS expected
FROM row_user u;
-- rows that an outer join leaves out have no attributes, rows in groups and in WHERE, ORDER BY, aggregates are the same as elsewhere
SELECT featbit.flag_variation_row('x', 'c8', u) AS absent FROM (VALUES (1)) v(n) LEFT JOIN row_user u ON u.id = -1;
SELECT featbit.flag_variation_row('x', 'c8', c) AS variation, count(*) FROM row_user u, LATERAL (SELECT u.age) c GROUP BY 1 ORDER BY 1;
SELECT sum(n) AS users, count(*) FILTER (WHERE met = 'yes') AS groups_met
FROM (SELECT featbit.flag_variation_row('x', 'c8', c) AS met, count(*) AS n FROM row_user u, LATERAL (SELECT u.age % 50 AS age) c GROUP BY c) g;
SELECT featbit.flag_variation_row('x', 'c8', c) AS met, count(*) FROM row_user u, LATERAL (SELECT u.age / 41 * 41 AS age) c
GROUP BY GROUPING SETS ((c), ()) ORDER BY 1, 2;
SELECT count(*) FROM row_user u WHERE featbit.flag_bool_row(u.key, 'c8', NULL, u) AND u.id < 100;
SELECT u.key FROM row_user u ORDER BY featbit.flag_variation_row(u.key, 'c8', u) DESC, u.id LIMIT 2;
-- of two columns of one name the last counts
SELECT featbit.flag_variation_row('x', 'c8', c) AS last, featbit.flag_variation('x', 'c8', to_jsonb(c)) AS as_jsonb
FROM (SELECT 1 AS n OFFSET 0) o, LATERAL (SELECT 41 * n AS age, 3 * n AS age) c;
-- no row, no names, no user, no flag, no environment
SELECT featbit.flag_variation_row('x', 'c8', NULL) AS no_row, featbit.flag_variation_row('x', 'c8', ROW(41)) AS no_names,
    featbit.flag_variation_row(NULL::text, 'c8', ROW(41)) AS no_user, featbit.flag_variation_row('x', NULL, ROW(41)) AS no_flag,
    featbit.flag_bool_row('x', 'unknown', true, ROW(41)) AS unknown_flag, featbit.flag_variation_row('x', 'c8', ROW(41), 'nowhere') AS no_environment,
    featbit.flag_variation_row('x', 'c45', ROW(ROW(5, 'b')::row_pair)) AS unnamed;
-- columns of ROW(...) are named f1, f2 and so on, whichever way the row comes
INSERT INTO featbit.flag (environment, key, type, variations, rules, fallthrough)
VALUES ('test_row', 'second', 'boolean', '[{"key": "yes", "value": true}, {"key": "no", "value": false}]', '[{"id": "r", "when": {"attribute": "f2", "op": "eq", "value": 41}, "serve": {"variation": "yes"}}]', '{"variation": "no"}');
SELECT featbit.flag_variation_row('x', 'second', ROW(0, 41)) AS constant, featbit.flag_variation_row('x', 'second', ROW(n, n + 40)) AS columns, featbit.flag_variation_row('x', 'second', r) AS formed
FROM (SELECT n, ROW(0, 41) AS r FROM generate_series(1, 1) n OFFSET 0) s;
-- NULL is a missing attribute, to is_null too; a JSON null in a jsonb is one
SELECT featbit.flag_variation_row('x', 'c11', c) AS null_column FROM (SELECT NULL::int AS age) c;
-- resolve_row is resolve, whichever way the row comes, in FROM, in the list and by each type of key
CREATE TEMP TABLE row_resolved AS
SELECT f.key AS flag, u.key, to_jsonb(featbit.resolve(f.key, row_as_jsonb(u) || jsonb_build_object('targetingKey', u.key))) AS by_jsonb, to_jsonb(r) AS by_table, to_jsonb(featbit.resolve_row(u.key, f.key, u)) AS in_list, to_jsonb(featbit.resolve_row(u.key, f.key, c)) AS by_subquery
FROM row_user u CROSS JOIN featbit.flag f CROSS JOIN LATERAL featbit.resolve_row(u.key, f.key, u) r CROSS JOIN LATERAL (SELECT u.* OFFSET 0) c
WHERE f.environment = 'test_row' AND u.id % 10 = 0;
SELECT count(*) AS answers, count(DISTINCT by_jsonb ->> 'reason') AS reasons, count(DISTINCT by_jsonb ->> 'error_code') AS errors,
    count(*) FILTER (WHERE by_table IS DISTINCT FROM by_jsonb) AS other_by_table, count(*) FILTER (WHERE in_list IS DISTINCT FROM by_jsonb) AS other_in_list, count(*) FILTER (WHERE by_subquery IS DISTINCT FROM by_jsonb) AS other_by_subquery
FROM row_resolved;
SELECT (featbit.resolve_row(u.id, 'c8', u)).variant, (featbit.resolve_row(u.token, 'c8', u)).metadata FROM row_user u WHERE id = 50;
SELECT r.* FROM featbit.resolve_row(NULL::text, 'c8', ROW(1)) r UNION ALL SELECT r.* FROM featbit.resolve_row('c8', 'x', NULL) r
UNION ALL SELECT r.* FROM featbit.resolve_row('x', NULL, ROW(1)) r UNION ALL SELECT r.* FROM featbit.resolve_row('x', 'c8', NULL, 'nowhere') r;
SELECT e.what, e.path, e.description, e.expected, e.actual, e.outcome, e.reason FROM row_user u, featbit.explain_flag_row(u.key, 'c9', u) e WHERE u.id = 50 AND e.step > 1;
SELECT count(*) AS steps, count(*) FILTER (WHERE r IS DISTINCT FROM j) AS other
FROM (SELECT u.key, f.key AS flag, e AS r, e.step FROM row_user u CROSS JOIN featbit.flag f CROSS JOIN LATERAL featbit.explain_flag_row(u.key, f.key, u) e WHERE f.environment = 'test_row' AND u.id IN (7, 60, 61)) r
FULL JOIN (SELECT u.key, f.key AS flag, e AS j, e.step FROM row_user u CROSS JOIN featbit.flag f CROSS JOIN LATERAL featbit.explain_flag(u.key, f.key, row_as_jsonb(u)) e WHERE f.environment = 'test_row' AND u.id IN (7, 60, 61)) j USING (key, flag, step);
SELECT e.description, e.outcome FROM featbit.explain_flag_row(7::bigint, 'c8', ROW(1)) e WHERE what = 'result' UNION ALL SELECT e.description, e.outcome FROM featbit.explain_flag_row('c8', 'x', NULL) e WHERE what = 'result'
UNION ALL SELECT e.description, e.outcome FROM featbit.explain_flag_row('7c9e6679-7425-40de-944b-e07fc1f90ae7'::uuid, NULL, ROW(1)) e;
-- a type that changes between two calls of one prepared statement
PREPARE changing AS SELECT DISTINCT featbit.flag_variation_row('x', 'c8', p) AS met FROM (SELECT p FROM unnest(ARRAY[ROW(50, 'b')::row_pair]) p OFFSET 0) s;
EXECUTE changing;
ALTER TYPE row_pair RENAME ATTRIBUTE a TO age;
EXECUTE changing;
-- views, workers and a wide row
CREATE VIEW row_view AS SELECT u.key, featbit.flag_variation_row(u.key, 'c8', c) AS met FROM row_user u, LATERAL (SELECT u.age) c;
SELECT met, count(*) FROM row_view GROUP BY met ORDER BY met;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT met, count(*) FROM row_view GROUP BY met ORDER BY met;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT format('CREATE TABLE row_wide (%s, age int)', string_agg('c' || n || ' int', ', ')) FROM generate_series(1, 150) n \gexec
INSERT INTO row_wide (c150, age) VALUES (1, 41), (1, 40);
SELECT w.age, featbit.flag_variation_row('x', 'c8', w) AS met FROM row_wide w ORDER BY 1;
DROP TABLE row_wide; DROP VIEW row_view; DROP FUNCTION row_in_plpgsql; DROP FUNCTION row_as_jsonb; DROP TABLE row_user; DROP TYPE row_pair; DROP DOMAIN row_country; DROP TYPE row_mood;
