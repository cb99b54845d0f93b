-- flags as values: flag_definition and assign
SET featbit.environment = 'test_assign';
\set SHOW_CONTEXT never
INSERT INTO featbit.segment (key, included, excluded, condition) VALUES
    ('inner', '{ann}', '{mallory}', '{"attribute": "plan", "op": "eq", "value": "pro"}'),
    ('outer', '{}', '{}', '{"any": [{"segment": "inner"}, {"attribute": "age", "op": "ge", "value": 18}]}'),
    ('apart', '{zoe}', '{}', NULL);
INSERT INTO featbit.flag (key, variations, fallthrough) VALUES
    ('base', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', '{"split": [{"variation": "on", "weight": 50}, {"variation": "off", "weight": 50}]}'),
    ('apart', '[{"key": "on", "value": true}]', '{"variation": "on"}');
INSERT INTO featbit.flag (key, variations, prerequisites, rules, off_variation) VALUES
    ('middle', '[{"key": "yes", "value": 1}, {"key": "no", "value": 2.50}]', '[{"flag": "base", "variations": ["on"]}]', '[]', 'no'),
    ('top', '[{"key": "a", "value": {"x": [1, null]}}, {"key": "b", "value": "B"}]', '[]',
     '[{"id": "r", "when": {"all": [{"segment": "outer"}, {"flag": "middle", "variations": ["yes"]}]}, "serve": {"variation": "b"}, "percentage": 70}]', NULL);

-- the whole closure, each once, nothing else; columns that are NULL are left out
SELECT jsonb_pretty(featbit.flag_definition('top'));
-- the same text each time; of another environment; NULL where there is no such flag
SELECT featbit.flag_definition('top') = featbit.flag_definition('top', 'test_assign') AS same,
    featbit.flag_definition('top', 'elsewhere') AS elsewhere, featbit.flag_definition('none') AS none,
    featbit.flag_definition(repeat('x', 200)) AS long, featbit.flag_definition(NULL) AS nothing;

-- equal to stored evaluation, for each type of user key
CREATE TEMP TABLE v AS SELECT k, featbit.flag_definition(k) AS d FROM unnest(ARRAY['top', 'middle', 'base']) k;
SELECT k, count(*) AS cases, count(DISTINCT featbit.assign(d, u, c)) AS values,
    bool_and(featbit.assign(d, u, c) IS NOT DISTINCT FROM featbit.evaluate_flag(u, k, c) AND
             featbit.assign_variation(d, u, c) IS NOT DISTINCT FROM featbit.flag_variation(u, k, c)) AS equal
FROM v, (SELECT 'u' || n AS u, jsonb_build_object('age', n % 30) AS c FROM generate_series(1, 300) n) x GROUP BY k ORDER BY k;
SELECT k, bool_and(featbit.assign(d, n) = featbit.evaluate_flag(n, k) AND featbit.assign(d, n) = featbit.assign(d, n::text) AND
                   featbit.assign_variation(d, n) = featbit.assign_variation(d, n::text)) AS bigint,
    bool_and(featbit.assign(d, g) = featbit.evaluate_flag(g, k) AND featbit.assign(d, g) = featbit.assign(d, g::text) AND
             featbit.assign_variation(d, g) = featbit.assign_variation(d, g::text)) AS uuid
FROM v, (SELECT n::bigint AS n, md5(n::text)::uuid AS g FROM generate_series(1, 100) n) x GROUP BY k ORDER BY k;
SELECT u, featbit.assign_variation(d, u, '{"age": 3}') AS young, featbit.assign_variation(d, u, '{"plan": "pro"}') AS pro
FROM v, unnest(ARRAY['ann', 'mallory', 'u1']) u WHERE k = 'top' ORDER BY u;
-- a value outlives the definition it was made of, in one call site that sees more definitions than it keeps
SELECT count(*), count(DISTINCT a), min(a), max(a)
FROM (SELECT featbit.assign(jsonb_build_object('format', 1, 'flag', 'f', 'flags', jsonb_build_object('f',
        jsonb_build_object('type', 'number', 'variations', jsonb_build_array(jsonb_build_object('key', 'v', 'value', 1000 + n % 150)), 'fallthrough', '{"variation": "v"}'::jsonb))), 'u') AS a
      FROM generate_series(1, 600) n OFFSET 0) x;
-- a definition that is stored compressed or out of line
CREATE TEMP TABLE big AS SELECT jsonb_set(d, '{flags,base,targets}', jsonb_build_array(jsonb_build_object('variation', 'off', 'users',
    (SELECT jsonb_agg(CASE WHEN compressed THEN 'user ' || n ELSE md5(n::text) END) FROM generate_series(1, 2000) n)))) AS d, compressed
FROM v, unnest(ARRAY[true, false]) compressed WHERE k = 'base';
SELECT compressed, pg_column_size(d) < octet_length(d::text) AS stored_smaller, count(*) AS cases,
    count(*) FILTER (WHERE featbit.assign(d, CASE WHEN compressed THEN 'user ' || n ELSE md5(n::text) END) = 'false') AS targets
FROM big, generate_series(1, 300) n GROUP BY d, compressed ORDER BY compressed;

-- it is immutable: an index and a generated column can use it
CREATE TEMP TABLE people (id bigint PRIMARY KEY, arm text GENERATED ALWAYS AS
    (featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": "string", "variations": [{"key": "a", "value": "A"}, {"key": "b", "value": "B"}], "fallthrough": {"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}}}}', id)) STORED);
INSERT INTO people SELECT generate_series(1, 1000);
SELECT arm, count(*) BETWEEN 400 AND 600 AS about_half FROM people GROUP BY arm ORDER BY arm;

-- time: the definition's windows and stages, at the time that is given
UPDATE featbit.flag SET rules = '[{"id": "w", "when": {"all": []}, "serve": {"variation": "off"}, "from": "2026-01-01", "until": "2026-02-01"}]',
    fallthrough = '{"ramp": [{"at": "2026-03-01", "split": [{"variation": "on", "weight": 1}]}, {"at": "2026-04-01", "split": [{"variation": "off", "weight": 1}]}]}' WHERE environment = 'test_assign' AND key = 'base';
SELECT at, featbit.assign_variation(featbit.flag_definition('base'), 'u', '{}', at::timestamptz) AS variation
FROM unnest(ARRAY['-infinity', '2025-12-31 23:59:59.999999Z', '2026-01-01 00:00Z', '2026-01-31 23:59:59.999999Z', '2026-02-01 00:00Z', '2026-03-31Z', '2026-04-01 00:00Z', 'infinity']) at;
-- what depends on the time, here by way of a prerequisite, needs one
SELECT featbit.assign(featbit.flag_definition('middle'), 'u');
SELECT featbit.assign(featbit.flag_definition('middle'), 'u', '{}', '2026-03-05Z');
-- so does a relative time in a condition, here of a segment; an absolute one does not
UPDATE featbit.segment SET condition = '{"attribute": "seen", "op": "after", "value": "-7d"}' WHERE environment = 'test_assign' AND key = 'apart';
UPDATE featbit.flag SET rules = '[{"id": "s", "when": {"segment": "apart"}, "serve": {"variation": "off"}}]', fallthrough = '{"variation": "on"}' WHERE environment = 'test_assign' AND key = 'base';
SELECT featbit.assign(featbit.flag_definition('base'), 'u', '{"seen": "2026-03-01"}');
SELECT at, featbit.assign(featbit.flag_definition('base'), 'u', '{"seen": "2026-03-01"}', at::timestamptz) FROM unnest(ARRAY['2026-03-07Z', '2026-03-09Z']) at;
UPDATE featbit.segment SET condition = '{"attribute": "seen", "op": "after", "value": "2026-02-01"}' WHERE environment = 'test_assign' AND key = 'apart';
SELECT featbit.assign(featbit.flag_definition('base'), 'u', '{"seen": "2026-03-01"}');

-- evaluation errors are NULL: no user key, no object, archived, disabled without a value, a broken part, a missing segment
UPDATE featbit.flag SET rules = '[]', fallthrough = '{"variation": "on"}' WHERE environment = 'test_assign' AND key = 'base';
UPDATE featbit.flag SET archived = true WHERE environment = 'test_assign' AND key = 'apart';
SELECT featbit.assign(d, NULL::text) AS no_user, featbit.assign(d, 'u', '[]') AS no_object, featbit.assign(d, 'u', NULL) AS no_context,
    featbit.assign(NULL, 'u') AS no_definition, featbit.assign(featbit.flag_definition('apart'), 'u') AS archived,
    featbit.assign(jsonb_set(d, '{flags,base,enabled}', 'false'), 'u') AS disabled,
    featbit.assign(jsonb_set(d, '{flags,base,fallthrough}', '{"variation": "of"}'), 'u') AS broken,
    featbit.assign(jsonb_set(d, '{flags,base,rules}', '[{"id": "r", "when": {"segment": "s"}, "serve": {"variation": "on"}}]'), 'u') AS dangling,
    featbit.assign(jsonb_set(d, '{flags,base,semantics}', '"other"'), 'u') AS semantics
FROM (SELECT featbit.flag_definition('base') AS d) x;
-- what is no definition is an error
SELECT featbit.assign('[]', 'u');
SELECT featbit.assign('{"flag": "f", "flags": {}}', 'u');
SELECT featbit.assign('{"format": 2, "flag": "f", "flags": {}}', 'u');
SELECT featbit.assign('{"format": "1", "flag": "f", "flags": {}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": 7, "flags": {}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": []}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"fo": {}}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {}, "segment": {}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": 1}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": "string", "variations": []}}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": "string", "variations": [], "fallthrough": {}, "enabled": "yes"}}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": "string", "variations": [], "fallthrough": {}, "iteration": 1.5}}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": true, "variations": [], "fallthrough": {}}}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": "boolean", "variations": [{"key": "a", "value": true}], "fallthrough": {"variation": "a"}, "rules": [{"id": "r", "when": {"segment": "s"}, "serve": {"variation": "a"}}]}}, "segments": {"s": {"included": "ann"}}}', 'u');
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": "boolean", "variations": [{"key": "a", "value": true}], "fallthrough": {"variation": "a"}, "rules": [{"id": "r", "when": {"segment": "s"}, "serve": {"variation": "a"}}]}}, "segments": []}', 'u');
-- a cycle, which only a value can have, ends
SELECT featbit.assign('{"format": 1, "flag": "f", "flags": {"f": {"type": "boolean", "variations": [{"key": "a", "value": true}], "fallthrough": {"variation": "a"}, "prerequisites": [{"flag": "f", "variations": ["a"]}]}}}', 'u') AS cycle;
-- rows past the validation: the value agrees with what is stored
SET session_replication_role = replica;
INSERT INTO featbit.segment (environment, key, included, excluded, revision, updated_at, updated_by) VALUES
    ('test_assign', 'deep', '{{ann,bob},{eve,dan}}', '{}', 1, now(), ''), ('test_assign', 'hole', '{ann,NULL}', '{}', 1, now(), '');
INSERT INTO featbit.flag (environment, key, type, variations, fallthrough, rules, salt, revision, updated_at, updated_by)
SELECT 'test_assign', 'past-' || s, 'boolean', '[{"key": "a", "value": true}]', '{"variation": "a"}',
    jsonb_build_array(jsonb_build_object('id', 'r', 'when', jsonb_build_object('segment', s), 'serve', '{"variation": "a"}'::jsonb)), 's', 1, now(), ''
FROM unnest(ARRAY['deep', 'hole', 'gone', 'inner']) s;
RESET session_replication_role;
SELECT key, featbit.evaluate_flag('u', key) AS stored, featbit.assign(featbit.flag_definition(key), 'u') AS value,
    featbit.flag_definition(key) -> 'segments' AS segments
FROM featbit.flag WHERE environment = 'test_assign' AND key LIKE 'past-%' ORDER BY key;

-- who may not read the flags of an environment may not read them as values
CREATE ROLE assign_reader;
SELECT featbit.grant_access('assign_reader', 'analyse', 'test_assign');
SET ROLE assign_reader;
SELECT featbit.flag_definition('base') IS NOT NULL AS permitted;
SELECT featbit.flag_definition('base', 'elsewhere');
SELECT what FROM featbit.explain_flag('u', 'base', environment => 'elsewhere');
RESET ROLE;
SELECT featbit.revoke_access('assign_reader', 'analyse', 'test_assign');
DROP OWNED BY assign_reader;
DROP ROLE assign_reader;

-- resolve_all: one row for each flag that is not archived, in order; the columns of resolve
SELECT flag_key, value, variant, reason, error_code FROM featbit.resolve_all('{"targetingKey": "ann", "plan": "pro"}');
UPDATE featbit.flag SET tags = '{llm,beta}' WHERE environment = 'test_assign' AND key = 'top';
UPDATE featbit.flag SET tags = '{beta}' WHERE environment = 'test_assign' AND key = 'base';
SELECT tags, (SELECT string_agg(flag_key, ' ') FROM featbit.resolve_all('{"targetingKey": "u"}', NULL, tags)) AS flags
FROM (VALUES ('{llm}'::text[]), ('{llm,beta}'), ('{none,NULL,beta}'), ('{}'), (NULL)) t (tags);
SELECT flag_key, reason, error_code, error_message FROM featbit.resolve_all(NULL, tags => '{beta}');
SELECT flag_key, error_code FROM featbit.resolve_all('[]', tags => '{beta}');
SELECT count(*) FROM featbit.resolve_all('{"targetingKey": "u"}', 'no such environment');
-- changes show at once, also those of the own transaction
SELECT string_agg(flag_key || ' ' || reason, ', ') FROM featbit.resolve_all('{"targetingKey": "u"}', tags => '{beta}');
BEGIN;
UPDATE featbit.flag SET enabled = false WHERE environment = 'test_assign' AND key IN ('top', 'base');
SELECT string_agg(flag_key || ' ' || reason, ', ') FROM featbit.resolve_all('{"targetingKey": "u"}', tags => '{beta}');
ROLLBACK;
SELECT string_agg(flag_key || ' ' || reason, ', ') FROM featbit.resolve_all('{"targetingKey": "u"}', tags => '{beta}');
