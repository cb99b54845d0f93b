-- flags of FeatBit made native: nobody moves
\set ECHO none
\set generator `echo "$PG_ABS_SRCDIR/featbit/generator.sql"`
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i :generator
\set ECHO all
SET featbit.environment = 'test_native';
SELECT count(*) FROM featbit.import_featbit(fb_data.environment('native', 25, 6), 'test_native');
UPDATE featbit.flag SET source = source || '{"missingAttribute": "no_match"}' WHERE environment = 'test_native' AND key < 'flag.2';

-- 10,000 users, before and after
CREATE TABLE fb_data.person AS SELECT * FROM fb_data.users('native', 10000, json_numbers => true);
INSERT INTO fb_data.person VALUES ('null', '{"country": null, "plan": null, "beta": null, "age": null, "seats": null, "name": null, "account": null}'), ('', '{}'), ('nothing', '{}'),
    ('empty', '{"country": "", "plan": "", "beta": "", "name": "", "account": ""}'), ('true', '{"beta": true, "country": 1, "plan": 2.50, "account": 7, "age": 30, "seats": 1e2}');
CREATE TABLE fb_data.before AS
SELECT f.key, p.user_key, featbit.evaluate_flag(p.user_key, f.key, p.context) AS value, featbit.flag_variation(p.user_key, f.key, p.context) AS variation
FROM featbit.flag AS f, fb_data.person AS p WHERE f.environment = 'test_native';
SELECT count(*) AS flags, bool_and(n.revision = 2 OR n.revision = 3) AS changed FROM featbit.flag AS f, featbit.to_native(f.key, numbers => 'json', comment => 'leaving') AS n WHERE f.environment = 'test_native';
SELECT count(*) AS evaluations, count(DISTINCT b.variation) > 40 AS variations,
    count(*) FILTER (WHERE b.value IS DISTINCT FROM featbit.evaluate_flag(p.user_key, b.key, p.context) OR b.variation IS DISTINCT FROM featbit.flag_variation(p.user_key, b.key, p.context)) AS moved
FROM fb_data.before AS b JOIN fb_data.person AS p USING (user_key);
SELECT DISTINCT semantics, source, salt = key AS salt, prerequisites FROM featbit.flag WHERE environment = 'test_native';
SELECT count(*) AS problems FROM featbit.flag_problems('test_native') WHERE severity = 'error';
-- a definition that travels keeps them, too
SELECT count(*) FILTER (WHERE b.variation IS DISTINCT FROM featbit.assign_variation(d.definition, p.user_key, p.context, statement_timestamp())) AS moved
FROM (SELECT f.key, featbit.flag_definition(f.key) AS definition FROM featbit.flag AS f WHERE f.environment = 'test_native' AND f.key LIKE 'flag.1_' AND NOT f.archived) AS d
JOIN fb_data.before AS b USING (key) JOIN fb_data.person AS p USING (user_key) WHERE p.user_key LIKE 'user-1__';
-- imports leave them alone from now on; FeatBit cannot have them back
SELECT kind, action, count(*) FROM featbit.import_featbit(fb_data.environment('native', 25, 6), 'test_native') GROUP BY kind, action ORDER BY kind;
SELECT featbit.export_featbit() IS NULL;

-- each operator, on what is there, missing and null, with both options
CREATE FUNCTION pg_temp.flag(key text, condition jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', key, 'envId', 'e', 'key', key, 'name', key, 'variationType', 'boolean', 'variations', '[{"id": "t", "name": "on", "value": "True"}, {"id": "f", "name": "off", "value": "false"}]'::jsonb,
        'targetUsers', '[{"keyIds": ["x", "y"], "variationId": "t"}, {"keyIds": ["y", "z"], "variationId": "f"}, {"keyIds": ["w", "x"], "variationId": "t"}]'::jsonb,
        'rules', jsonb_build_array(jsonb_build_object('name', 'r', 'conditions', jsonb_build_array(condition), 'variations', '[{"id": "t", "rollout": [0, 1]}]'::jsonb)),
        'isEnabled', true, 'disabledVariationId', 'f', 'fallthrough', '{"variations": [{"id": "f", "rollout": [0, 1]}]}'::jsonb, 'tags', '[]'::jsonb, 'isArchived', false)
$$;
CREATE TEMPORARY TABLE operator AS
SELECT n, jsonb_build_object('property', property, 'op', op, 'value', value) AS condition
FROM (SELECT row_number() OVER () AS n, p.property, o.op, o.value
      FROM unnest('{a,a.b,name,keyId,"  "}'::text[]) AS p (property),
           (VALUES ('Equal', 'x'), ('Equal', ''), ('Equal', '5'), ('NotEqual', 'x'), ('NotEqual', ''), ('NotEqual', 'true'), ('Contains', 'x'), ('Contains', ''), ('NotContain', 'x'), ('NotContain', ''),
               ('StartsWith', 'x'), ('StartsWith', ''), ('EndsWith', 'x'), ('EndsWith', ''), ('MatchRegex', '^x|y$'), ('MatchRegex', '^$'), ('NotMatchRegex', '^x'), ('NotMatchRegex', '^.?$'),
               ('IsOneOf', '["x", "5"]'), ('IsOneOf', '["", "\u0078"]'), ('IsOneOf', '[]'), ('NotOneOf', '["x"]'), ('NotOneOf', '[""]'), ('NotOneOf', '[]'), ('IsTrue', 'IsTrue'), ('IsFalse', 'IsFalse')) AS o (op, value)) AS c;
SELECT action, count(*) FROM featbit.import_featbit((SELECT jsonb_agg(pg_temp.flag('op-' || n, condition)) FROM operator), 'test_native_ops') GROUP BY action;
SELECT action, count(*) FROM featbit.import_featbit((SELECT jsonb_agg(pg_temp.flag('op-' || n, condition)) FROM operator), 'test_native_ops_2', missing_attribute => 'no_match') GROUP BY action;
CREATE TEMPORARY TABLE context AS SELECT e.environment, u.user_key, c.context
FROM unnest('{test_native_ops,test_native_ops_2}'::text[]) AS e (environment), unnest('{u,x,"",xy,y,z,w}'::text[]) AS u (user_key),
    unnest(ARRAY['{}', '{"a": null, "a.b": null, "name": null}', '{"a": "", "a.b": "", "name": ""}', '{"a": "x", "a.b": "x", "name": "x"}', '{"a": "zxy", "a.b": "xyz", "name": "TRUE"}',
        '{"a": "y\n", "a.b": "true", "name": "fAlse"}', '{"a": "5", "a.b": "5.0", "name": "5"}', '{"a": {"b": "x"}, "name": "a.b"}']::jsonb[]) AS c (context);
-- numbers and truth values: for what compares whole values
INSERT INTO context SELECT 'test_native_ops', 'u', c FROM unnest(ARRAY['{"a": 5, "a.b": 5.0}', '{"a": true, "a.b": false}']::jsonb[]) AS c;
CREATE TEMPORARY TABLE answer AS
SELECT c.environment, f.key, c.user_key, c.context, featbit.flag_variation(c.user_key, f.key, c.context, c.environment) AS variation
FROM context AS c JOIN featbit.flag AS f USING (environment) JOIN operator AS o ON f.key = 'op-' || o.n
WHERE NOT (c.context @> '{"a": 5}' OR c.context @> '{"a": true}') OR o.condition ->> 'op' IN ('Equal', 'NotEqual', 'IsOneOf', 'NotOneOf', 'IsTrue', 'IsFalse');
-- an object is no text to FeatBit, and no text natively
DELETE FROM answer WHERE context @> '{"a": {}}' AND key IN (SELECT 'op-' || n FROM operator WHERE condition ->> 'property' = 'a');
SELECT environment, count(*) AS flags FROM featbit.flag AS f, featbit.to_native(f.key, f.environment) WHERE environment LIKE 'test\_native\_ops%' GROUP BY environment ORDER BY environment;
SELECT count(*) AS answers, count(*) FILTER (WHERE variation = 't') > 1000 AND count(*) FILTER (WHERE variation = 'f') > 1000 AS both,
    count(*) FILTER (WHERE variation IS DISTINCT FROM featbit.flag_variation(user_key, key, context, environment)) AS moved FROM answer;
SELECT a.environment, o.condition, a.user_key, a.context, a.variation, featbit.flag_variation(a.user_key, a.key, a.context, a.environment) AS now
FROM answer AS a JOIN operator AS o ON a.key = 'op-' || o.n WHERE a.variation IS DISTINCT FROM featbit.flag_variation(user_key, key, context, environment) LIMIT 5;
SELECT o.condition, f.rules #> '{0,when}' AS "when" FROM operator AS o JOIN featbit.flag AS f ON f.key = 'op-' || o.n WHERE f.environment = 'test_native_ops' AND o.condition ->> 'property' IN ('a', 'name') AND o.n % 5 = 1 ORDER BY o.n;
SELECT variations, targets, rules #> '{0,id}' AS rule_id FROM featbit.flag WHERE environment = 'test_native_ops' AND key = 'op-1';

-- what is refused, with the reasons
SELECT count(*) FROM featbit.import_featbit(jsonb_build_array(
    pg_temp.flag('number', '{"property": "age", "op": "BiggerThan", "value": "1e1"}'),
    pg_temp.flag('regex', '{"property": "age", "op": "MatchRegex", "value": "\\d{2}"}'),
    pg_temp.flag('segment', '{"property": "User is in segment", "value": "[\"gone\", \"also gone\"]"}'),
    pg_temp.flag('operator', '{"property": "age", "op": "Like", "value": "x"}'),
    pg_temp.flag('list', '{"property": "age", "op": "IsOneOf", "value": "x"}'),
    pg_temp.flag('key', '{"property": "targetingKey", "op": "Equal", "value": "x"}'),
    pg_temp.flag('gap', '{"property": "a", "op": "Equal", "value": "x"}') || '{"fallthrough": {"variations": [{"id": "t", "rollout": [0.1, 0.5]}, {"id": "f", "rollout": [0.5, 1]}]}}',
    pg_temp.flag('value', '{"property": "a", "op": "Equal", "value": "x"}') || '{"variations": [{"id": "t", "value": "yes"}, {"id": "f", "value": "false"}]}',
    pg_temp.flag('wide', '{"property": "a", "op": "Equal", "value": "x"}') || '{"fallthrough": {"variations": [{"id": "t", "rollout": [0, 0.5]}, {"id": "f", "rollout": [0.7, 0.6]}, {"id": "f", "rollout": [0.5, 1.5]}]}}',
    pg_temp.flag('low', '{"property": "a", "op": "Equal", "value": "x"}') || '{"fallthrough": {"variations": [{"id": "t", "rollout": [-0.1, 0.5]}, {"id": "f", "rollout": [0.5, 1]}]}}',
    pg_temp.flag('no-off', '{"property": "a", "op": "Equal", "value": "x"}') - 'disabledVariationId',
    pg_temp.flag('.dot', '{"property": "a", "op": "Equal", "value": "x"}'),
    pg_temp.flag('two words', '{"property": "a", "op": "Equal", "value": "x"}'),
    pg_temp.flag('off', '{"property": "a", "op": "Equal", "value": "x"}') || '{"disabledVariationId": "v"}'), 'test_native_refused');
SELECT featbit.to_native('number', 'test_native_refused');
SELECT featbit.to_native('number', 'test_native_refused', numbers => 'text');
SELECT f.key, n.problems, n.notes FROM featbit.flag AS f, featbit.native_form(f) AS n WHERE environment = 'test_native_refused' ORDER BY f.key;
SELECT definition -> 'fallthrough' AS fallthrough FROM featbit.flag AS f, featbit.native_form(f) AS n WHERE environment = 'test_native_refused' AND f.key = 'wide';
SELECT notes FROM featbit.to_native('number', 'test_native_refused', numbers => 'json');
SELECT featbit.to_native('number', 'test_native_refused');
SELECT featbit.to_native('numbr', 'test_native_refused');
SELECT featbit.to_native('list', 'test_native_refused', expected_revision => 7);

-- ranges as a native definition has them
SELECT featbit.create_flag('ranges', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]', fallthrough => '{"ranges": [{"variation": "a", "from": 0, "to": 0.3}, {"variation": "b", "from": 0.3, "to": 1}], "hash": "featbit-md5", "by": "org"}');
SELECT served FROM featbit.flags WHERE environment = 'test_native' AND key = 'ranges';
SELECT step, path, description, hash_input, range, outcome FROM featbit.explain_flag('u', 'ranges', '{"org": "acme"}') WHERE hash_input IS NOT NULL;
SELECT variant, reason, metadata FROM featbit.resolve('ranges', '{"targetingKey": "u", "org": "acme"}');
SELECT featbit.flag_variation('u', 'ranges', '{"org": "acme"}') = CASE WHEN featbit.featbit_in_rollout('rangesacme', 0, 0.3) THEN 'a' ELSE 'b' END AS own_salt,
    featbit.flag_variation('u', 'ranges') = CASE WHEN featbit.featbit_in_rollout('ranges', 0, 0.3) THEN 'a' ELSE 'b' END AS missing;
SELECT featbit.update_flag('ranges', '{"fallthrough": {"ranges": [{"variation": "a", "from": 0, "to": 0.3}, {"variation": "b", "from": 0.3, "to": 1}], "hash": "featbit-md5", "salt": "other"}}') > 1 AS changed;
SELECT count(*) FILTER (WHERE featbit.flag_variation('u' || i, 'ranges') <> CASE WHEN featbit.featbit_in_rollout('otheru' || i, 0, 0.3) THEN 'a' ELSE 'b' END) AS differ FROM generate_series(1, 1000) AS i;
SELECT featbit.update_flag('ranges', '{"iteration": 3}') > 1 AS dealt_anew;
SELECT count(*) FILTER (WHERE featbit.flag_variation('u' || i, 'ranges') <> CASE WHEN featbit.featbit_in_rollout(E'other\x1F3u' || i, 0, 0.3) THEN 'a' ELSE 'b' END) AS differ FROM generate_series(1, 1000) AS i;
CREATE FUNCTION pg_temp.try(fallthrough text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM featbit.update_flag('ranges', jsonb_build_object('fallthrough', fallthrough::jsonb));
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT pg_temp.try(f) FROM unnest(ARRAY[
    '{"ranges": [{"variation": "a", "from": 0, "to": 1}]}',
    '{"ranges": [{"variation": "a", "from": 0, "to": 1}], "hash": "xxh3"}',
    '{"ranges": [{"variation": "a", "from": 0, "to": 1}], "hash": 5}',
    '{"ranges": [], "hash": "featbit-md5"}',
    '{"ranges": {}, "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "a", "from": 0, "to": 0.4}, {"variation": "b", "from": 0.5, "to": 1}], "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "a", "from": 0, "to": 1.1}], "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "a", "from": "0", "to": 1}], "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "a", "from": 0.5, "to": 0.4}], "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "c", "from": 0, "to": 1}], "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "a", "to": 1}], "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "a", "from": 0, "to": 1}], "split": [], "hash": "featbit-md5"}',
    '{"split": [{"variation": "a", "weight": 1}], "hash": "featbit-md5"}',
    '{"variation": "a", "hash": "featbit-md5"}',
    '{"ranges": [{"variation": "b", "from": 0, "to": 1}, {"variation": "a", "from": 0, "to": 1}], "hash": "featbit-md5"}']) AS f;
SELECT variant, reason FROM featbit.resolve('ranges', '{"targetingKey": "u"}');
DROP SCHEMA fb_data CASCADE;
