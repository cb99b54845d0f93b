-- what a definition may be: every message of the validation, and every operator on every type of attribute
SET featbit.environment = 'test_definitions';
\set SHOW_CONTEXT never
\pset format unaligned
\pset fieldsep '  '

-- what happens when a flag with these changes is stored; nothing stays
CREATE FUNCTION pg_temp.try_flag(changes jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    definition jsonb := '{"key": "tried", "type": "string", "prerequisites": [], "targets": [], "rules": [], "enabled": true, "semantics": "native",
        "salt": "tried", "tags": [], "archived": false, "iteration": 0, "fallthrough": {"variation": "red"},
        "variations": [{"key": "red", "value": "R"}, {"key": "blue", "value": "B"}]}'::jsonb || changes;
    message text;
    detail text;
    hint text;
BEGIN
    INSERT INTO featbit.flag SELECT * FROM jsonb_populate_record(NULL::featbit.flag, definition || '{"environment": "test_definitions"}');
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN CASE SQLSTATE WHEN 'ZZ999' THEN message ELSE SQLSTATE || ' ' || left(message, 200) END
        || coalesce(E'\n    DETAIL: ' || nullif(detail, ''), '') || coalesce(E'\n    HINT: ' || nullif(hint, ''), '');
END $$;

-- the same for a rule with this condition, and for a segment
CREATE FUNCTION pg_temp.try_when(condition jsonb) RETURNS text LANGUAGE sql AS
$$ SELECT pg_temp.try_flag(jsonb_build_object('rules', jsonb_build_array(jsonb_build_object('id', 'r', 'when', condition, 'serve', '{"variation": "red"}'::jsonb)))) $$;
CREATE FUNCTION pg_temp.try_segment(segment_key text, included text[], excluded text[], condition jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    INSERT INTO featbit.segment (key, included, excluded, condition) VALUES (segment_key, included, excluded, condition);
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN CASE SQLSTATE WHEN 'ZZ999' THEN message ELSE SQLSTATE || ' ' || left(message, 200) END
        || coalesce(E'\n    DETAIL: ' || nullif(detail, ''), '') || coalesce(E'\n    HINT: ' || nullif(hint, ''), '');
END $$;

SELECT featbit.create_segment('beta', '{alice}') AS beta, featbit.create_segment('nested', condition => '{"segment": "beta"}') AS nested,
    featbit.create_flag('base', '[{"key": "on", "value": true}, {"key": "off", "value": false}]') AS base,
    featbit.create_flag('retired', '[{"key": "on", "value": true}]') AS retired;
UPDATE featbit.flag SET archived = true WHERE environment = 'test_definitions' AND key = 'retired';

\echo == identity
SELECT left(changes::text, 120) AS changes, pg_temp.try_flag(changes) FROM (VALUES
    ('{}'::jsonb), ('{"key": ""}'), ('{"key": "-x"}'), ('{"key": "a b"}'), ('{"key": "é"}'),
    (jsonb_build_object('key', repeat('k', 129))), ('{"type": "text"}'), ('{"semantics": "unleash"}'), ('{"salt": "a\u001fb"}'), ('{"iteration": -1}'),
    ('{"off_variation": "blu"}'), ('{"off_variation": "blue"}'), ('{"off_variation": null}')) AS v (changes);

\echo == variations
SELECT left(variations::text, 120) AS variations, pg_temp.try_flag(jsonb_build_object('variations', variations) || more) FROM (VALUES
    ('{}'::jsonb, '{}'::jsonb), ('"red"', '{}'), ('[]', '{}'), ('[1]', '{}'), ('[{"key": "red"}]', '{}'), ('[{"value": "R"}]', '{}'),
    ('[{"key": "red", "value": "R", "vale": 1}]', '{}'), ('[{"key": "", "value": "R"}]', '{}'), ('[{"key": 1, "value": "R"}]', '{}'),
    (jsonb_build_array(jsonb_build_object('key', repeat('v', 129), 'value', 'R')), '{}'),
    ('[{"key": "a\tb", "value": "R"}]', '{}'), ('[{"key": "red", "value": "R"}, {"key": "red", "value": "S"}]', '{}'),
    ('[{"key": "red", "value": "R", "name": 5}]', '{}'), ('[{"key": "red", "value": "R", "name": "the red one"}]', '{}'),
    ('[{"key": "red", "value": 1}]', '{}'), ('[{"key": "red", "value": null}]', '{}'),
    ('[{"key": "red", "value": true}, {"key": "blue", "value": "true"}]', '{"type": "boolean"}'),
    ('[{"key": "red", "value": 1}, {"key": "blue", "value": "1"}]', '{"type": "number"}'),
    ('[{"key": "red", "value": {}}, {"key": "blue", "value": [1]}, {"key": "green", "value": 3}]', '{"type": "json"}'),
    ('[{"key": "red", "value": {"a": null}}, {"key": "blue", "value": null}]', '{"type": "json"}')) AS v (variations, more);
SELECT pg_temp.try_flag(jsonb_build_object('variations', (SELECT jsonb_agg(jsonb_build_object('key', 'v' || n, 'value', 'x')) FROM generate_series(1, 1001) n)));

\echo == serve
SELECT left(serve::text, 120) AS serve, pg_temp.try_flag(jsonb_build_object('fallthrough', serve)) FROM (VALUES
    ('[]'::jsonb), ('"red"'), ('{}'), ('{"variation": "rde"}'), ('{"variation": 1}'), ('{"serve": "red"}'), ('{"variation": "red", "split": []}'),
    ('{"variation": "red", "by": "org"}'), ('{"variation": "red", "salt": "s"}'),
    ('{"split": {"red": 1}}'), ('{"split": []}'), ('{"split": [1]}'), ('{"split": [{"variation": "red"}]}'), ('{"split": [{"weight": 1}]}'),
    ('{"split": [{"variation": "red", "weight": 0}]}'), ('{"split": [{"variation": "red", "weight": -1}]}'),
    ('{"split": [{"variation": "red", "weight": 1.5}]}'), ('{"split": [{"variation": "red", "weight": "1"}]}'),
    ('{"split": [{"variation": "red", "weight": 2147483649}]}'), ('{"split": [{"variation": "red", "weight": 1e30}]}'),
    ('{"split": [{"variation": "red", "weight": 2147483648}]}'), ('{"split": [{"variation": "red", "weight": 2147483648}, {"variation": "blue", "weight": 1}]}'),
    ('{"split": [{"variation": "red", "weight": 1.0}, {"variation": "green", "weight": 1}]}'),
    ('{"split": [{"variation": "red", "weight": 1, "wight": 2}]}'),
    ('{"split": [{"variation": "red", "weight": 1}], "by": ""}'), ('{"split": [{"variation": "red", "weight": 1}], "by": "a..b"}'),
    ('{"split": [{"variation": "red", "weight": 1}], "by": 5}'), ('{"split": [{"variation": "red", "weight": 1}], "by": []}'),
    ('{"split": [{"variation": "red", "weight": 1}], "by": ["a.b", 1]}'), ('{"split": [{"variation": "red", "weight": 1}], "by": ["a.b"], "salt": "2026"}'),
    ('{"split": [{"variation": "red", "weight": 1}], "salt": 5}'), ('{"split": [{"variation": "red", "weight": 1}], "salt": "a\nb"}'),
    ('{"ramp": []}'), ('{"ramp": [{"at": "2026-01-01"}]}'), ('{"ramp": [{"at": "tomorrow", "split": [{"variation": "red", "weight": 1}]}]}'),
    ('{"ramp": [{"at": 5, "split": [{"variation": "red", "weight": 1}]}]}'),
    ('{"ramp": [{"at": "2026-01-02", "split": [{"variation": "red", "weight": 1}]}, {"at": "2026-01-02T01:00+01:00", "split": [{"variation": "red", "weight": 1}]}]}'),
    ('{"ramp": [{"at": "2026-01-02", "split": [{"variation": "red", "weight": 1}]}, {"at": "2026-01-02T00:00:01Z", "split": [{"variation": "reed", "weight": 1}]}]}'),
    ('{"ramp": [{"at": "2026-01-02", "split": [{"variation": "red", "weight": 1}]}, {"at": "2026-01-03", "split": [{"variation": "blue", "weight": 1}]}]}')) AS v (serve);

\echo == targets and prerequisites
SELECT left(changes::text, 120) AS changes, pg_temp.try_flag(changes) FROM (VALUES
    ('{"targets": {}}'::jsonb), ('{"targets": [{}]}'), ('{"targets": [{"variation": "rd", "users": []}]}'), ('{"targets": [{"variation": "red", "users": "bob"}]}'),
    ('{"targets": [{"variation": "red", "users": ["bob", 7]}]}'), ('{"targets": [{"variation": "red", "users": ["a"]}, {"variation": "red", "users": ["b"]}]}'),
    ('{"targets": [{"variation": "red", "users": ["ann", "bob"]}, {"variation": "blue", "users": ["cid", "bob"]}]}'),
    ('{"targets": [{"variation": "red", "users": ["ann", "ann", ""]}, {"variation": "blue", "users": []}]}'),
    ('{"prerequisites": {}}'), ('{"prerequisites": ["base"]}'), ('{"prerequisites": [{"flag": "base"}]}'), ('{"prerequisites": [{"flag": "base", "variations": []}]}'),
    ('{"prerequisites": [{"flag": "base", "variations": "on"}]}'), ('{"prerequisites": [{"flag": "bse", "variations": ["on"]}]}'),
    ('{"prerequisites": [{"flag": "base", "variations": ["on", "of"]}]}'), ('{"prerequisites": [{"flag": "retired", "variations": ["on"]}]}'),
    ('{"prerequisites": [{"flag": "tried", "variations": ["red"]}]}'), ('{"prerequisites": [{"flag": "base", "variations": ["on", "off"]}]}')) AS v (changes);
SELECT pg_temp.try_flag(jsonb_build_object('targets', jsonb_build_array(jsonb_build_object('variation', 'red', 'users',
    (SELECT jsonb_agg(n::text) FROM generate_series(1, size) n))))) FROM (VALUES (100000), (100001)) AS v (size);

\echo == rules
SELECT left(rule::text, 120) AS rule, pg_temp.try_flag(jsonb_build_object('rules', CASE jsonb_typeof(rule) WHEN 'array' THEN rule ELSE jsonb_build_array(rule) END)) FROM (VALUES
    ('5'::jsonb), ('{}'), ('{"id": "r", "when": {"all": []}}'), ('{"id": "r", "serve": {"variation": "red"}}'), ('{"when": {"all": []}, "serve": {"variation": "red"}}'),
    ('{"id": "", "when": {"all": []}, "serve": {"variation": "red"}}'), ('{"id": 1, "when": {"all": []}, "serve": {"variation": "red"}}'),
    ('{"id": "a\u001cb", "when": {"all": []}, "serve": {"variation": "red"}}'),
    (jsonb_build_object('id', repeat('r', 129), 'when', '{"all": []}'::jsonb, 'serve', '{"variation": "red"}'::jsonb)),
    ('[{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}}, {"id": "r", "when": {"all": []}, "serve": {"variation": "red"}}]'),
    ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "name": false}'), ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "percent": 5}'),
    ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "percentage": 100.5}'), ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "percentage": -1}'),
    ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "percentage": 12.3456}'), ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "percentage": "10"}'),
    ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "percentage": 12.3450}'), ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "percentage": 100.000}'),
    ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "from": "yesterday"}'), ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "until": "2026-02-30"}'),
    ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "from": "2026-01-01T00:00:00+01:00", "until": "2025-12-31T23:00:00Z"}'),
    ('{"id": "r", "when": {"all": []}, "serve": {"variation": "red"}, "from": "2026-01-01", "until": "2026-01-02"}'),
    ('{"id": "r", "when": {"all": []}, "serve": {"split": [{"variation": "gren", "weight": 1}]}}')) AS v (rule);

\echo == conditions
SELECT left(condition::text, 120) AS condition, pg_temp.try_when(condition) FROM (VALUES
    ('[]'::jsonb), ('{}'), ('{"all": [], "any": []}'), ('{"al": []}'), ('{"all": {}}'), ('{"not": []}'), ('{"all": [{"not": {"any": [{}]}}]}'),
    ('{"attribute": "plan"}'), ('{"attribute": "plan", "value": 1}'), ('{"attribute": "plan", "op": "eq"}'), ('{"op": "eq", "value": 1}'),
    ('{"attribute": "plan", "op": "eq", "value": 1, "variations": []}'), ('{"segment": "beta", "value": 1}'), ('{"all": [], "op": "eq"}'),
    ('{"attribute": "", "op": "exists"}'), ('{"attribute": ".a", "op": "exists"}'), ('{"attribute": [], "op": "exists"}'), ('{"attribute": {}, "op": "exists"}'),
    ('{"attribute": ["a.b", ""], "op": "exists"}'), ('{"attribute": "plan", "op": 5}'),
    ('{"attribute": "plan", "op": "equals", "value": 1}'), ('{"attribute": "plan", "op": "starts_wit", "value": "a"}'), ('{"attribute": "plan", "op": "frobnicate", "value": "a"}'),
    ('{"attribute": "plan", "op": "exists", "value": true}'), ('{"attribute": "plan", "op": "eq", "value": null}'), ('{"attribute": "plan", "op": "eq", "value": ["a"]}'),
    ('{"attribute": "plan", "op": "one_of", "value": "a"}'), ('{"attribute": "plan", "op": "one_of", "value": ["a", null]}'), ('{"attribute": "plan", "op": "one_of", "value": []}'),
    ('{"attribute": "plan", "op": "contains", "value": 5}'), ('{"attribute": "plan", "op": "contains", "value": ["a", 5]}'),
    (jsonb_build_object('attribute', 'plan', 'op', 'contains', 'value', repeat('x', 1025))), ('{"attribute": "age", "op": "lt", "value": "18"}'),
    ('{"attribute": "age", "op": "between", "value": [1]}'), ('{"attribute": "age", "op": "between", "value": [1, "2"]}'), ('{"attribute": "age", "op": "between", "value": [2, 1]}'),
    ('{"attribute": "mail", "op": "matches", "value": 5}'), ('{"attribute": "mail", "op": "matches", "value": "a("}'), ('{"attribute": "mail", "op": "matches", "value": "\\C"}'),
    ('{"attribute": "mail", "op": "matches", "value": "x\\Gy"}'), (jsonb_build_object('attribute', 'plan', 'op', 'matches', 'value', repeat('x', 8193))),
    ('{"segment": "bta"}'), ('{"segment": "nothing-like-it"}'), ('{"segment": 5}'), ('{"segment": ""}'),
    ('{"flag": "base"}'), ('{"flag": "base", "variations": []}'), ('{"flag": "base", "variations": ["onn"]}'), ('{"flag": "nope", "variations": ["on"]}'),
    ('{"flag": "tried", "variations": ["red"]}'), ('{"flag": "retired", "variations": ["on"]}'),
    ('{"all": [{"segment": "nested"}, {"flag": "base", "variations": ["on"]}, {"attribute": ["a.b"], "op": "one_of", "value": ["x", 1, true]}]}')) AS v (condition);
SELECT levels, pg_temp.try_when((repeat('{"not":', levels) || '{"all":[]}' || repeat('}', levels))::jsonb) FROM (VALUES (63), (64)) AS v (levels);
SELECT pg_temp.try_when(jsonb_build_object('attribute', 'plan', 'op', 'one_of', 'value', (SELECT jsonb_agg(n) FROM generate_series(1, 100001) n)));

\echo == segments
SELECT pg_temp.try_segment('s p', '{}', '{}', NULL), pg_temp.try_segment('s', ARRAY['a', NULL], '{}', NULL), pg_temp.try_segment('s', '{{a},{b}}', '{}', NULL),
    pg_temp.try_segment('s', '{}', '{}', '{"flag": "base", "variations": ["on"]}'), pg_temp.try_segment('s', '{}', '{}', '{"segment": "s"}'),
    pg_temp.try_segment('s', '{}', '{}', '{"not": {"segment": "bota"}}'), pg_temp.try_segment('s', '{a}', '{a}', '{"all": [{"segment": "nested"}]}'),
    pg_temp.try_segment('s', ARRAY(SELECT n::text FROM generate_series(1, 100001) n), '{}', NULL)
\gx
-- a cycle cannot be closed, neither of segments nor of flags
UPDATE featbit.segment SET condition = '{"any": [{"segment": "nested"}]}' WHERE environment = 'test_definitions' AND key = 'beta';
SELECT featbit.create_flag('one', '[{"key": "on", "value": true}]'), featbit.create_flag('two', '[{"key": "on", "value": true}]');
SELECT featbit.update_flag('one', '{"prerequisites": [{"flag": "two", "variations": ["on"]}]}');
SELECT featbit.add_rule('two', '{"id": "r", "when": {"not": {"flag": "one", "variations": ["on"]}}, "serve": {"variation": "on"}}');
-- 32 levels of references are allowed
DO $$
BEGIN
    PERFORM featbit.create_segment('level-1');
    FOR i IN 2 .. 40 LOOP
        PERFORM featbit.create_segment('level-' || i, condition => jsonb_build_object('segment', 'level-' || i - 1));
    END LOOP;
END $$;
DO $$
BEGIN
    PERFORM featbit.create_segment('level-1');
    FOR i IN 2 .. 31 LOOP
        PERFORM featbit.create_segment('level-' || i, condition => jsonb_build_object('segment', 'level-' || i - 1));
    END LOOP;
END $$;
SELECT pg_temp.try_when('{"segment": "level-31"}'), pg_temp.try_segment('level-32', '{}', '{}', '{"segment": "level-31"}');
SELECT featbit.create_segment('level-32', condition => '{"segment": "level-31"}');
SELECT pg_temp.try_when('{"segment": "level-32"}');

\echo == operators
CREATE TEMP TABLE tested (n int, op text, value jsonb, flag text GENERATED ALWAYS AS ('op-' || n) STORED);
INSERT INTO tested SELECT row_number() OVER (), op, value FROM (VALUES
    ('eq', '5'::jsonb), ('eq', '"5"'), ('eq', 'true'), ('eq', '""'), ('ne', '5'), ('ne', '"abc"'), ('one_of', '[5, "abc", false]'), ('one_of', '[]'),
    ('not_one_of', '[5, "abc", false]'), ('not_one_of', '[]'), ('contains', '"b"'), ('contains', '["x", "5"]'), ('contains', '""'), ('starts_with', '"ab"'), ('starts_with', '["b", "5"]'),
    ('ends_with', '"bc"'), ('ends_with', '["b", "5"]'), ('matches', '"^[a-c]+$"'), ('matches', '""'), ('lt', '5'), ('lt', '5.0001'), ('le', '5'), ('gt', '5'),
    ('ge', '5.00'), ('between', '[5, 7]'), ('exists', NULL), ('is_null', NULL), ('is_true', NULL), ('is_false', NULL)) AS v (op, value);
SELECT count(featbit.create_flag(flag, '[{"key": "met", "value": true}, {"key": "not", "value": false}]', fallthrough => '{"variation": "not"}'))
FROM tested;
SELECT count(featbit.add_rule(flag, jsonb_build_object('id', 'r', 'serve', '{"variation": "met"}'::jsonb, 'when',
    jsonb_build_object('attribute', 'a', 'op', op) || CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END))) FROM tested;
\pset format aligned
\pset fieldsep '|'
SELECT op, value, max(met) FILTER (WHERE attribute IS NULL) AS missing, max(met) FILTER (WHERE attribute = 'null') AS "null",
    max(met) FILTER (WHERE attribute = 'true') AS "true", max(met) FILTER (WHERE attribute = 'false') AS "false",
    max(met) FILTER (WHERE attribute = '5.0') AS "5.0", max(met) FILTER (WHERE attribute = '7.5') AS "7.5",
    max(met) FILTER (WHERE attribute = '"abc"') AS "abc", max(met) FILTER (WHERE attribute = '"5"') AS "'5'", max(met) FILTER (WHERE attribute = '""') AS "''",
    max(met) FILTER (WHERE attribute = '["x", 5]') AS "[x, 5]", max(met) FILTER (WHERE attribute = '[]') AS "[]", max(met) FILTER (WHERE attribute = '{"a": 5}') AS "{a: 5}"
FROM (SELECT n, op, value, attribute, CASE featbit.flag_variation('u', flag, CASE WHEN attribute IS NULL THEN '{"b": 1}' ELSE jsonb_build_object('a', attribute) END) WHEN 'met' THEN 'met' ELSE '' END AS met
      FROM tested, (VALUES (NULL::jsonb), ('null'), ('true'), ('false'), ('5.0'), ('7.5'), ('"abc"'), ('"5"'), ('""'), ('["x", 5]'), ('[]'), ('{"a": 5}')) AS a (attribute)) AS s
GROUP BY n, op, value ORDER BY n;

-- numbers are compared exactly, whatever a double can hold
SELECT featbit.create_flag('exact', '[{"key": "met", "value": true}, {"key": "not", "value": false}]', fallthrough => '{"variation": "not"}');
SELECT featbit.add_rule('exact', '{"id": "r", "when": {"any": [{"attribute": "big", "op": "gt", "value": 9007199254740992.5}, {"attribute": "huge", "op": "lt", "value": 1e400},
    {"attribute": "id", "op": "one_of", "value": [12345678901234567891, 12345678901234567893, 1e-400]}]}, "serve": {"variation": "met"}}');
SELECT left(context::text, 40) AS context, featbit.flag_bool('u', 'exact', NULL, context) FROM (VALUES ('{"big": 9007199254740992.4}'::jsonb), ('{"big": 9007199254740992.6}'), ('{"huge": 1e399}'), ('{"huge": 1e400}'),
    ('{"id": 12345678901234567891}'), ('{"id": 12345678901234567892}'), ('{"id": 12345678901234567893.0}'), ('{"id": 0}')) AS v (context);

-- a dotted string is a path, an array holds literal keys
SELECT featbit.create_flag('paths', '[{"key": "met", "value": true}, {"key": "not", "value": false}]', fallthrough => '{"variation": "not"}');
SELECT featbit.add_rule('paths', '{"id": "r", "when": {"any": [{"attribute": "a.b.c", "op": "eq", "value": 1}, {"attribute": ["x.y"], "op": "eq", "value": 1}, {"attribute": ["x.y", "z"], "op": "exists"}]}, "serve": {"variation": "met"}}');
SELECT context, featbit.flag_bool('u', 'paths', NULL, context) FROM (VALUES ('{"a": {"b": {"c": 1}}}'::jsonb), ('{"a.b.c": 1}'), ('{"a": {"b.c": 1}}'), ('{"a": [{"b": {"c": 1}}]}'), ('{"a": 1}'),
    ('{"x": {"y": 1}}'), ('{"x.y": 1}'), ('{"x.y": {"z": null}}'), ('{"x.y": {}}')) AS v (context);
-- an object of many keys is searched in another way
SELECT count(*) FILTER (WHERE featbit.flag_bool('u', 'paths', NULL, jsonb_build_object('a', jsonb_build_object('b', filler || '{"c": 1}'))) ) AS found,
    count(*) FILTER (WHERE featbit.flag_bool('u', 'paths', NULL, jsonb_build_object('a', jsonb_build_object('b', filler)))) AS found_without
FROM generate_series(1, 300, 7) AS size, LATERAL (SELECT jsonb_object_agg('c' || n, n) AS filler FROM generate_series(1, size) n) AS f;

-- patterns: PCRE2, bounded
SELECT featbit.create_flag('patterns', '[{"key": "met", "value": true}, {"key": "not", "value": false}]', fallthrough => '{"variation": "not"}');
SELECT featbit.add_rule('patterns', '{"id": "r", "when": {"attribute": "a", "op": "matches", "value": "^(a+)+$|\\bcat\\b|^.é$"}, "serve": {"variation": "met"}}');
SELECT length(text), left(text, 12) AS text, featbit.flag_bool('u', 'patterns', NULL, jsonb_build_object('a', text)) FROM (VALUES ('a cat!'), ('concatenate'), ('Aé'), ('éé'), ('aé '), ('aaaa'),
    (repeat('a', 60) || '!'), (repeat('a', 60000)), (repeat('a', 60000) || ' cat'), (repeat('a', 70000))) AS v (text);
