-- FeatBit semantics: what a missing property meets, what is malformed, and how values are given
SET featbit.environment = 'test_featbit_rules';
CREATE FUNCTION pg_temp.condition(property text, op text, value text, source jsonb DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO featbit.flag (semantics, key, variations, rules, fallthrough, source) VALUES ('featbit', 'one',
        '[{"id": "met", "value": "met"}, {"id": "not", "value": "not"}]',
        jsonb_build_array(jsonb_build_object('id', 'r', 'name', 'r', 'conditions', jsonb_build_array(jsonb_build_object('property', $1, 'op', $2, 'value', $3)),
            'variations', '[{"id": "met", "rollout": [0, 1]}]'::jsonb)),
        '{"variations": [{"id": "not", "rollout": [0, 1]}]}', $4)
    ON CONFLICT (environment, key) DO UPDATE SET rules = EXCLUDED.rules, source = EXCLUDED.source $$;
CREATE FUNCTION pg_temp.met(property text, op text, value text, context jsonb, source jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.condition(property, op, value, source);
    RETURN left(featbit.evaluate_flag('u', 'one', context), 1);
END $$;

-- the sixteen operators and an unknown one on a property that is missing, null, empty, given; on a name that is missing or null; on a blank property
CREATE TEMP TABLE tried (n serial, op text, value text);
INSERT INTO tried (op, value) VALUES ('Equal', 'x'), ('NotEqual', 'x'), ('Equal', ''), ('NotEqual', ''), ('Contains', 'x'), ('NotContain', 'x'), ('Contains', ''),
    ('StartsWith', 'x'), ('EndsWith', 'x'), ('StartsWith', ''), ('EndsWith', ''), ('MatchRegex', 'x'), ('NotMatchRegex', 'x'), ('MatchRegex', '^$'), ('NotMatchRegex', '^$'),
    ('IsOneOf', '["x"]'), ('NotOneOf', '["x"]'), ('IsOneOf', '[""]'), ('NotOneOf', '[""]'), ('IsOneOf', '[]'), ('NotOneOf', '[]'), ('IsOneOf', 'null'), ('NotOneOf', 'null'), ('IsOneOf', '[null]'),
    ('LessThan', '1'), ('LessEqualThan', '1'), ('BiggerThan', '-1'), ('BiggerEqualThan', '-1'), ('IsTrue', 'IsTrue'), ('IsFalse', 'IsFalse'), ('IsTrue', ''),
    ('Equals', 'x'), ('equal', 'x'), ('', ''), (NULL, ''), ('Equal', NULL), ('NotEqual', NULL), ('NotOneOf', NULL), ('IsTrue', NULL);
SELECT op, value, pg_temp.met('p', op, value, '{}') AS missing, pg_temp.met('p', op, value, '{"p": null}') AS "null", pg_temp.met('p', op, value, '{"p": ""}') AS empty,
    pg_temp.met('p', op, value, '{"p": "x"}') AS x, pg_temp.met('name', op, value, '{}') AS no_name, pg_temp.met('name', op, value, '{"name": null}') AS null_name,
    pg_temp.met('name', op, value, '{"name": "x"}') AS name_x, pg_temp.met(' ', op, value, '{"": "x", " ": "x"}') AS blank, pg_temp.met(NULL, op, value, '{}') AS no_property,
    pg_temp.met('p', op, value, '{}', '{"missingAttribute": "no_match"}') AS no_match, pg_temp.met('p', op, value, '{"p": null}', '{"missingAttribute": "no_match"}') AS no_match_null,
    pg_temp.met(NULL, op, value, '{}', '{"missingAttribute": "no_match"}') AS no_match_blank
FROM tried ORDER BY n;
-- numbers and booleans have their canonical text; arrays and objects count as missing; keyId is the user key whatever the context says
SELECT op, value, context, pg_temp.met('p', op, value, jsonb_build_object('p', context)) AS met
FROM (VALUES ('Equal', '7', '7'::jsonb), ('Equal', '7', '7.00'), ('Equal', '0.5', '0.50'), ('Equal', 'true', 'true'), ('IsTrue', '', 'true'), ('IsFalse', '', 'false'), ('BiggerThan', '1e2', '100.5'),
    ('Contains', '.', '12345678901234567890.5'), ('NotEqual', 'x', '["x"]'), ('Equal', '', '{"x": 1}'), ('IsOneOf', '["7"]', '7'), ('MatchRegex', '^\d+$', '7')) AS v (op, value, context);
SELECT pg_temp.met('keyId', 'Equal', 'u', '{"keyId": "x"}') AS key_id, pg_temp.met('keyid', 'Equal', 'x', '{"keyid": "x"}') AS other_case, pg_temp.met('a.b', 'Equal', 'x', '{"a.b": "x", "a": {"b": "y"}}') AS literal,
    pg_temp.met('targetingKey', 'Equal', '', '{}') AS targeting_key;

-- numbers and patterns as .NET has them
SELECT u, op, c, featbit.featbit_condition(u, op, c)
FROM (VALUES ('1,234.5', 'BiggerThan', '1234'), ('0x10', 'BiggerThan', '0'), ('+Infinity', 'BiggerThan', '1e308'), ('1e400', 'BiggerEqualThan', 'Infinity'), ('NaN', 'LessThan', '1'), ('-0', 'BiggerEqualThan', '0'),
    ('١', 'MatchRegex', '^\d$'), (E'a\n', 'MatchRegex', 'a$'), (E'a\n\n', 'MatchRegex', 'a$'), ('xyz', 'MatchRegex', '^[a-z-[aeiou]]+$'), ('aXa', 'MatchRegex', '(?<q>a)X\k<q>'), ('a', 'NotMatchRegex', '['),
    ('a', 'MatchRegex', 'a*+'), ('ÀÉ', 'MatchRegex', '(?i)^àé$'), ('TRUE', 'IsTrue', 'x'), ('true ', 'IsTrue', 'x'), (NULL, 'NotEqual', 'x'), ('x', NULL, 'x')) AS v (u, op, c);
SELECT pattern, featbit.featbit_pattern_problem(pattern) FROM (VALUES ('^a+$'), ('['), ('(?<a-b>x)'), ('[[:alpha:]]'), ('(?<=a+)b'), ('\p{Greek}'), ('😀')) AS v (pattern);
SELECT featbit.featbit_bucket(''), featbit.featbit_bucket(NULL), featbit.featbit_in_rollout('qKPKh1S3FolC', 0, 0.99999), featbit.featbit_in_rollout('qKPKh1S3FolC', 'NaN', 1), featbit.featbit_in_rollout('x', 'Infinity', '-Infinity');

-- typed access converts the text, whatever the type of the flag
INSERT INTO featbit.flag (semantics, key, type, off_variation, variations, fallthrough)
SELECT 'featbit', 'value-' || n, type, 'v', jsonb_build_array(jsonb_build_object('id', 'v', 'value', value)), '{"variations": [{"id": "v", "rollout": [0, 1]}]}'
FROM (VALUES (1, 'boolean', ' TRUE '), (2, 'boolean', 'false'), (3, 'boolean', 'yes'), (4, 'number', '12'), (5, 'number', '12.50'), (6, 'number', '1,000'), (7, 'number', 'Infinity'), (8, 'number', 'ten'), (9, 'string', '12'),
    (10, 'string', ''), (11, 'json', '{"a": [1, null]}'), (12, 'json', '{"a": '), (13, 'json', '"\u0000"'), (14, 'json', 'null'), (15, 'json', '1e5000'), (16, 'colour', 'red'), (17, 'string', '{"a":1}'), (18, 'number', '2147483648')) AS v (n, type, value);
SELECT replace(f.key, 'value-', '') AS n, f.type, '"' || featbit.evaluate_flag('u', f.key) || '"' AS evaluate_flag, featbit.flag_bool('u', f.key, NULL) AS bool, '"' || featbit.flag_text('u', f.key, NULL) || '"' AS text,
    featbit.flag_int('u', f.key, NULL) AS int, featbit.flag_number('u', f.key, NULL) AS number, featbit.flag_json('u', f.key, NULL) AS json, r.value AS resolved
FROM featbit.flag AS f, LATERAL featbit.resolve(f.key, '{"targetingKey": "u"}') AS r WHERE f.environment = 'test_featbit_rules' AND f.key LIKE 'value-%' ORDER BY substr(f.key, 7)::int;
SELECT featbit.flag_bool_row('u', 'value-1', NULL, r), featbit.flag_bool_row('u', 'value-3', true, r) FROM (SELECT 1 AS x) AS r;

-- segments: any of the list; those that are missing or archived meet neither
INSERT INTO featbit.segment (semantics, key, included, excluded, condition, archived) VALUES
    ('featbit', 'aaaa', '{a, both}', '{out}', '[]', false), ('featbit', 'bbbb', '{b, both}', '{}', '[{"conditions": [{"property": "p", "op": "Equal", "value": "x"}, {"property": "q", "op": "NotEqual", "value": "y"}]}, {"conditions": []}]', false),
    ('featbit', 'gone', '{a}', '{}', '[]', true), ('featbit', 'nest', '{}', '{}', '[{"conditions": [{"property": "User is in segment", "op": null, "value": "[\"aaaa\"]"}]}]', false);
UPDATE featbit.segment SET condition = condition #- '{1}' WHERE environment = 'test_featbit_rules' AND key = 'bbbb';
CREATE FUNCTION pg_temp.segments(list text, negated boolean, who text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.condition(CASE WHEN negated THEN 'User is not in segment' ELSE 'User is in segment' END, NULL, list);
    RETURN left(featbit.evaluate_flag(who, 'one', '{"p": "x"}'), 1);
END $$;
SELECT list, pg_temp.segments(list, false, 'a') AS a_in, pg_temp.segments(list, true, 'a') AS a_not, pg_temp.segments(list, false, 'zz') AS zz_in, pg_temp.segments(list, true, 'zz') AS zz_not, pg_temp.segments(list, false, 'out') AS out_in
FROM (VALUES ('["aaaa"]'), ('["bbbb"]'), ('["aaaa","bbbb"]'), ('[]'), ('null'), ('["gone"]'), ('["missing"]'), ('["missing","aaaa"]'), ('["aaaa","missing"]'), ('["aaaa",null]'), ('["nest"]'), ('[""]'), ('["\u0000"]'), ('aaaa'), (NULL)) AS v (list);

-- malformed: kept, evaluated, and listed
INSERT INTO featbit.flag (semantics, key, enabled, off_variation, variations, targets, rules, fallthrough, source)
SELECT 'featbit', 'bad-' || n, coalesce((part ->> 'enabled')::boolean, true), CASE WHEN part ? 'off' THEN part ->> 'off' ELSE 'a' END, coalesce(part -> 'variations', '[{"id": "a", "value": "A"}, {"id": "b", "value": "B"}]'),
    coalesce(part -> 'targets', '[]'), coalesce(part -> 'rules', '[]'), coalesce(part -> 'fallthrough', '{"variations": [{"id": "a", "rollout": [0, 1]}]}'), part -> 'source'
FROM (VALUES
    (1, '{"variations": {}}'::jsonb), (2, '{"variations": [7, {"id": 7, "value": "x"}, {"id": "a"}, {"id": "a", "value": 7}, {"id": "a", "value": "A"}, {"id": "a", "value": "second"}]}'), (3, '{"enabled": false, "off": null}'), (4, '{"enabled": false, "off": "z"}'),
    (5, '{"targets": {}}'), (6, '{"targets": [7, {"keyIds": "u", "variationId": "b"}, {"keyIds": [7, "u"], "variationId": "b"}]}'), (7, '{"targets": [{"keyIds": ["x"], "variationId": "z"}, {"keyIds": ["u"], "variationId": "z"}]}'),
    (8, '{"rules": {}}'), (9, '{"rules": [7, {"name": "n"}, {"name": "n", "conditions": {}, "variations": []}]}'), (10, '{"rules": [{"name": "n", "conditions": [7], "variations": []}]}'),
    (11, '{"rules": [{"name": "n", "conditions": [], "variations": {}}]}'), (12, '{"rules": [{"name": "everyone", "conditions": [], "variations": []}, {"name": "late", "conditions": [], "variations": []}]}'),
    (13, '{"fallthrough": null}'), (14, '{"fallthrough": {"variations": [7]}}'), (15, '{"fallthrough": {"variations": [{"id": "a", "rollout": [0]}]}}'), (16, '{"fallthrough": {"variations": [{"id": "a", "rollout": ["0", 1]}]}}'),
    (17, '{"fallthrough": {"variations": [{"id": "a", "rollout": [0, 1, 7], "exptRollout": "x"}], "includedInExpt": 1}}'), (18, '{"fallthrough": {"variations": [{"id": "z", "rollout": [0, 0.0001]}, {"id": "a", "rollout": [0.0001, 1]}]}}'), (19, '{"fallthrough": {"variations": [{"id": "z", "rollout": [0, 1]}]}}'),
    (20, '{"fallthrough": {"dispatchKey": 7, "variations": [{"id": "a", "rollout": [1e400, 1e400]}, {"id": "b", "rollout": [-1e400, 1e400]}]}}'), (21, '{"fallthrough": {"variations": [{"id": "a", "rollout": [0.5, 0.2]}, {"id": "b", "rollout": [0.6, 1]}, {"id": "b", "rollout": [0, 0.6]}]}}'),
    (22, '{"source": {"exptIncludeAllTargets": "yes"}}'), (23, '{"rules": [{"name": "n", "conditions": [{"property": "p", "op": "MatchRegex", "value": "[[:alpha:]]"}, {"property": "p", "op": "IsOneOf", "value": "x"}, {"property": "p", "op": "LessThan", "value": "x"}, {"property": "p", "op": "Like", "value": "x"}, {"property": "p", "op": "NotMatchRegex", "value": "("}], "variations": []}]}'),
    (24, '{"rules": [{"conditions": [], "variations": [{"id": "a", "rollout": [0, 0]}]}]}'), (25, '{"rules": [{"name": "n", "conditions": [{"property": "User is in segment", "op": "", "value": "[\"missing\", \"gone\"]"}], "variations": []}]}')) AS v (n, part);
SELECT substr(f.key, 5)::int AS n, r.variant, r.reason, r.error_message, r.metadata #>> '{featbit,kind}' AS kind, r.metadata #>> '{featbit,matchReason}' AS match_reason, r.metadata ->> 'randomised' AS randomised
FROM featbit.flag AS f, LATERAL featbit.resolve(f.key, '{"targetingKey": "u", "p": ""}') AS r WHERE f.environment = 'test_featbit_rules' AND f.key LIKE 'bad-%' ORDER BY 1;
SELECT count(*) AS evaluate_flag_differs FROM featbit.flag AS f, LATERAL featbit.resolve(f.key, '{"targetingKey": "u", "p": ""}') AS r
WHERE f.environment = 'test_featbit_rules' AND featbit.flag_variation('u', f.key, '{"p": ""}') IS DISTINCT FROM r.variant;
SELECT key, path, problem, severity FROM featbit.flag_problems('test_featbit_rules') WHERE key <> 'one' ORDER BY length(key), key, path, problem;
-- a value of any size is named by its beginning
INSERT INTO featbit.flag (semantics, key, type, off_variation, variations, fallthrough)
VALUES ('featbit', 'deep', 'json', 'a', jsonb_build_array(jsonb_build_object('id', 'a', 'value', repeat('[', 100000))), '{"variations": [{"id": "a", "rollout": [0, 1]}]}');
SELECT path, problem FROM featbit.flag_problems('test_featbit_rules') WHERE key = 'deep';
-- a trace of what cannot be met
SELECT what, path, description, expected, outcome, reason FROM featbit.explain_flag('u', 'bad-23', '{"p": "x"}') WHERE what = 'condition';
SELECT what, path, description, expected, actual, outcome, reason FROM featbit.explain_flag('u', 'bad-25') WHERE path LIKE 'rules%' OR what = 'result';

-- dispatch keys: a property, name, blank; missing is nothing
INSERT INTO featbit.flag (semantics, key, off_variation, variations, fallthrough)
SELECT 'featbit', 'by-' || n, 'a', '[{"id": "a", "value": "A"}, {"id": "b", "value": "B"}]', jsonb_build_object('dispatchKey', by, 'variations', '[{"id": "a", "rollout": [0, 0.5]}, {"id": "b", "rollout": [0.5, 1]}]'::jsonb)
FROM (VALUES (1, NULL), (2, ''), (3, ' '), (4, 'keyId'), (5, 'org'), (6, 'name'), (7, 'nowhere')) AS v (n, by);
SELECT f.key, (r.metadata ->> 'bucket')::float8 = featbit.featbit_bucket(f.key || input) AS agrees, r.metadata ->> 'randomised' AS randomised
FROM (VALUES ('by-1', 'u'), ('by-2', 'u'), ('by-3', 'u'), ('by-4', 'u'), ('by-5', '7'), ('by-6', 'Ann'), ('by-7', '')) AS f (key, input), featbit.resolve(f.key, '{"targetingKey": "u", "org": 7.0, "name": "Ann"}') AS r;
