-- explain_flag: each step of an evaluation, noted by the evaluation itself
SET featbit.environment = 'test_explain';
\set SHOW_CONTEXT never
\pset null ''
INSERT INTO featbit.segment (key, included, excluded, condition) VALUES
    ('beta', '{ann,bob}', '{mallory,u5}', '{"any": [{"attribute": "plan", "op": "eq", "value": "pro"}, {"attribute": "age", "op": "ge", "value": 18}]}'),
    ('all-beta', '{}', '{}', '{"not": {"not": {"segment": "beta"}}}');
SELECT featbit.create_flag('base', '[{"key": "on", "value": true}, {"key": "off", "value": false}]',
    fallthrough => '{"split": [{"variation": "on", "weight": 90}, {"variation": "off", "weight": 10}]}');
INSERT INTO featbit.flag (key, variations, prerequisites, targets, rules, fallthrough, off_variation) VALUES
    ('top', '[{"key": "a", "value": "A"}, {"key": "b", "value": {"model": "small"}}]',
     '[{"flag": "base", "variations": ["on"]}]',
     '[{"variation": "b", "users": ["zoe", "yan"]}, {"variation": "a", "users": ["xia"]}]',
     '[{"id": "old", "when": {"all": []}, "serve": {"variation": "b"}, "until": "2020-01-01"},
       {"id": "beta", "name": "Beta users", "when": {"all": [{"attribute": "country", "op": "one_of", "value": ["de", "fr"]},
            {"any": [{"segment": "all-beta"}, {"not": {"attribute": ["a.b"], "op": "gt", "value": 3}}, {"attribute": "x", "op": "exists"}]}]}, "serve": {"variation": "b"}, "percentage": 50},
       {"id": "ramp", "when": {"all": [{"segment": "all-beta"}, {"flag": "base", "variations": ["on", "off"]}]},
        "serve": {"ramp": [{"at": "2020-01-01", "split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 3}]}, {"at": "2100-01-01", "split": [{"variation": "b", "weight": 1}]}], "by": "org", "salt": "s2"}},
       {"id": "everyone", "when": {"all": []}, "serve": {"variation": "b"}}]',
     '{"variation": "a"}', 'a');
UPDATE featbit.flag SET iteration = 2 WHERE environment = 'test_explain' AND key = 'top';

-- a split, alone: hash input, seed, bucket and range; the three types of user keys
SELECT step, depth, what, path, description, actual, outcome, hash_input, seed, bucket, range, reason FROM featbit.explain_flag('u1', 'base');
SELECT hash_input, seed, bucket, range FROM featbit.explain_flag(42, 'base') WHERE what = 'split'
UNION ALL SELECT hash_input, seed, bucket, range FROM featbit.explain_flag('00000000-0000-0000-0000-00000000002a'::uuid, 'base') WHERE what = 'split';
-- everything: a prerequisite, targets, a window, conditions within conditions, segments within segments, a percentage, a ramp by an attribute
CREATE FUNCTION pg_temp.shown(u text, f text, c jsonb, OUT step int, OUT what text, OUT path text, OUT description text, OUT expected text, OUT actual text,
    OUT outcome text, OUT hash text, OUT reason text) RETURNS SETOF record LANGUAGE sql AS $$
    SELECT step, repeat('  ', depth) || what, path, description, expected,
        -- not the clock, and not the version of the configuration
        CASE WHEN what IN ('window', 'stage') THEN 'now' WHEN what = 'environment' THEN regexp_replace(actual, '\d+', 'N') ELSE actual END,
        outcome, bucket || ' in ' || range, reason
    FROM featbit.explain_flag(u, f, c) ORDER BY step $$;
SELECT * FROM pg_temp.shown('u1', 'top', '{"country": "de", "age": 20, "org": "acme", "a.b": 2}');
-- a condition decides early: the others are skipped, with the reason
SELECT * FROM pg_temp.shown('u2', 'top', '{"country": ["us"], "plan": null, "a.b": 7}');
-- within the percentage, and in no list
SELECT * FROM pg_temp.shown('u3', 'top', '{"country": "fr"}') WHERE step > 9;
-- lists of users: a target, a segment's included and excluded
SELECT * FROM pg_temp.shown('yan', 'top', '{}') WHERE step > 6;
SELECT * FROM pg_temp.shown('ann', 'top', '{"country": "de"}') WHERE what ~ 'segment|cluded|condition';
SELECT * FROM pg_temp.shown('u5', 'top', '{"country": "de", "plan": "pro"}') WHERE what ~ 'segment|cluded|condition';
-- the attribute to hash by is missing
SELECT * FROM pg_temp.shown('bob', 'top', '{}') WHERE what ~ 'stage|split|result' AND step > 6;
-- a prerequisite that is not met; a flag that is disabled; archived
UPDATE featbit.flag SET enabled = false WHERE environment = 'test_explain' AND key = 'base';
SELECT * FROM pg_temp.shown('u1', 'top', '{}');
UPDATE featbit.flag SET enabled = false WHERE environment = 'test_explain' AND key = 'top';
SELECT * FROM pg_temp.shown('u1', 'top', '{}');
UPDATE featbit.flag SET archived = true WHERE environment = 'test_explain' AND key = 'top';
SELECT * FROM pg_temp.shown('u1', 'top', '{}');
UPDATE featbit.flag SET enabled = true, archived = false WHERE environment = 'test_explain' AND key = 'top';
UPDATE featbit.flag SET enabled = true WHERE environment = 'test_explain' AND key = 'base';
-- errors are a result: no flag, swapped arguments, no environment, no user, no object, no flag key
SELECT * FROM pg_temp.shown('u1', 'tpo', '{}');
SELECT what, description, reason FROM featbit.explain_flag('top', 'u1') WHERE what = 'result';
SELECT what, description, actual, outcome FROM featbit.explain_flag('u1', 'top', '{}', 'no-such-environment');
SELECT what, description, outcome FROM featbit.explain_flag(NULL::text, 'top');
SELECT what, description, outcome FROM featbit.explain_flag('u1', 'top', '[1]');
SELECT what, description, outcome FROM featbit.explain_flag('u1', NULL);
SELECT count(*) > 5 AS no_context FROM featbit.explain_flag('u1', 'top', NULL, NULL);
-- an override
SET featbit.allow_override = on;
SET featbit.override = 'top=b';
SELECT * FROM pg_temp.shown('u1', 'top', '{}');
RESET featbit.override;
RESET featbit.allow_override;
-- what arrived past the validation: broken parts, references to nothing, cycles
SET session_replication_role = replica;
INSERT INTO featbit.segment (environment, key, condition, revision, updated_at, updated_by) VALUES ('test_explain', 'loop', '{"any": [{"segment": "loop"}, {"attribute": "x", "op": "exists"}]}', 1, now(), '');
INSERT INTO featbit.flag (environment, key, type, variations, prerequisites, targets, rules, fallthrough, off_variation, salt, revision, updated_at, updated_by)
SELECT 'test_explain', key, 'boolean', '[{"key": "a", "value": true}]', prerequisites::jsonb, targets::jsonb, rules::jsonb, fallthrough::jsonb, off, 's', 1, now(), '' FROM (VALUES
    ('bad-prerequisite', '[{"flag": "base"}]', '[]', '[]', '{"variation": "a"}', 'a'),
    ('no-prerequisite', '[{"flag": "gone", "variations": ["a"]}]', '[]', '[]', '{"variation": "a"}', 'gone'),
    ('bad-target', '[]', '[{"variation": "gone", "users": []}]', '[]', '{"variation": "a"}', 'a'),
    ('bad-rules', '[]', '[]', '{"id": 1}', '{"variation": "a"}', 'a'),
    ('bad-condition', '[]', '[]', '[{"id": "r", "when": {"any": [{"attribute": "x", "op": "exists"}, {"attribute": "x", "op": "like", "value": 1}, {"segment": "beta"}]}, "serve": {"variation": "a"}}]', '{"variation": "a"}', 'a'),
    ('no-segment', '[]', '[]', '[{"id": "r", "when": {"segment": "gone"}, "serve": {"variation": "a"}}]', '{"variation": "a"}', 'a'),
    ('bad-serve', '[]', '[]', '[{"id": "r", "when": {"any": []}, "serve": {"variation": "a"}}, {"id": "q", "when": {"all": []}, "serve": {"variation": "gone"}, "percentage": 10}]', '{"variation": "a"}', 'a'),
    ('bad-fallthrough', '[]', '[]', '[]', '[]', 'a'),
    ('loop', '[]', '[]', '[{"id": "r", "when": {"segment": "loop"}, "serve": {"variation": "a"}}]', '{"variation": "a"}', 'a'),
    ('loop-flag', '[{"flag": "loop-flag", "variations": ["a"]}]', '[]', '[]', '{"variation": "a"}', 'a')) v (key, prerequisites, targets, rules, fallthrough, off);
RESET session_replication_role;
SELECT key, s.* FROM featbit.flag CROSS JOIN LATERAL (SELECT * FROM pg_temp.shown('u1', key, '{}') WHERE step > 2) s
WHERE environment = 'test_explain' AND key ~ '^(bad|no|loop)-?' ORDER BY key, step;
-- long values are cut, many steps are no problem
SELECT featbit.create_flag('long', '[{"key": "a", "value": true}]');
UPDATE featbit.flag SET rules = (SELECT jsonb_agg(jsonb_build_object('id', 'r' || n, 'when', jsonb_build_object('attribute', 'x', 'op', 'one_of', 'value', (SELECT jsonb_agg(repeat('ö', 30) || g) FROM generate_series(1, 50) g)), 'serve', '{"variation": "a"}'::jsonb)) FROM generate_series(1, 500) n) WHERE environment = 'test_explain' AND key = 'long';
SELECT count(*), max(octet_length(expected)) <= 80 AS cut, max(octet_length(actual)) <= 80 AS also FROM featbit.explain_flag(repeat('u', 500), 'long', jsonb_build_object('x', repeat('ä', 400)));
