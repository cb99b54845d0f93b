-- definitions that arrive past the validation, as by replication: each part that is broken is an error when it is reached
SET featbit.environment = 'test_broken';
\set SHOW_CONTEXT never
\set ECHO all
SELECT featbit.create_segment('good', '{ann}') AS good, featbit.create_flag('other', '[{"key": "on", "value": true}]') AS other;

-- an evaluation of a flag with these changes
CREATE FUNCTION pg_temp.broken(changes jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    definition jsonb := '{"environment": "test_broken", "key": "broken", "type": "string", "prerequisites": [], "targets": [], "rules": [], "enabled": true,
        "semantics": "native", "salt": "s", "tags": [], "archived": false, "iteration": 0, "fallthrough": {"variation": "red"}, "revision": 1,
        "updated_at": "2026-01-01", "updated_by": "x", "variations": [{"key": "red", "value": "R"}, {"key": "blue", "value": "B"}]}'::jsonb || changes;
    answer text;
BEGIN
    SET LOCAL session_replication_role = replica;
    DELETE FROM featbit.flag WHERE environment = 'test_broken' AND key = 'broken';
    INSERT INTO featbit.flag SELECT * FROM jsonb_populate_record(NULL::featbit.flag, definition);
    SELECT concat_ws(' ', reason, variant, error_code, error_message) INTO answer FROM featbit.resolve('broken', '{"targetingKey": "ann"}');
    RETURN answer;
END $$;

SELECT changes, pg_temp.broken(changes) FROM (VALUES
    ('{}'::jsonb),
    ('{"type": "text"}'), ('{"semantics": "unleash"}'), ('{"variations": {}}'), ('{"variations": [{"key": "red", "value": 5}]}'), ('{"variations": []}'),
    ('{"salt": "a\u001fb"}'), ('{"iteration": 7, "fallthrough": {"split": [{"variation": "red", "weight": 1}]}}'),
    ('{"enabled": false}'), ('{"enabled": false, "off_variation": "rde"}'), ('{"off_variation": "rde"}'),
    ('{"fallthrough": {"variation": "rde"}}'), ('{"fallthrough": {"split": []}}'), ('{"fallthrough": 5}'),
    ('{"targets": 5}'), ('{"targets": [{"variation": "rde", "users": ["bob"]}]}'), ('{"targets": [{"variation": "blue", "users": ["ann"]}, {"variation": "red", "users": ["ann", 5]}]}'),
    ('{"targets": [{"variation": "blue", "users": ["ann"]}, {"variation": "red", "users": ["ann"]}, {"variation": "red", "users": []}]}'),
    ('{"prerequisites": 5}'), ('{"prerequisites": [5]}'), ('{"prerequisites": [{"flag": "gone", "variations": ["on"]}]}'),
    ('{"prerequisites": [{"flag": "other", "variations": ["on", "gone"]}]}'), ('{"prerequisites": [{"flag": "other", "variations": ["on"]}]}'),
    ('{"prerequisites": [{"flag": "broken", "variations": ["red"]}]}'),
    ('{"rules": {}}'), ('{"rules": [5]}'), ('{"rules": [{"id": "a", "when": {"all": []}, "serve": {"variation": "blue"}}, 5]}'),
    ('{"rules": [{"id": "a", "when": {"any": []}, "serve": {"variation": "gone"}}]}'), ('{"rules": [{"id": "a", "when": {"all": []}, "serve": {"variation": "gone"}}]}'),
    ('{"rules": [{"id": "a", "when": {"all": []}, "serve": {"variation": "gone"}, "percentage": 0}]}'),
    ('{"rules": [{"id": "a", "when": {"any": []}, "serve": {"variation": "red"}}, {"id": "a", "when": {"all": []}, "serve": {"variation": "red"}}]}'),
    ('{"rules": [{"id": "a", "when": {"any": [{"segment": "good"}, {"segment": "gone"}]}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"all": [{"segment": "good"}, {"segment": "gone"}]}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"not": {"segment": "gone"}}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"flag": "gone", "variations": ["on"]}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"not": {"flag": "gone", "variations": ["on"]}}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"flag": "other", "variations": ["gone"]}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"not": {"attribute": "x", "op": "equals", "value": 1}}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"any": [{"all": []}, {"attribute": "x", "op": "matches", "value": "("}]}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"any": [{"attribute": "x", "op": "matches", "value": "("}]}, "serve": {"variation": "blue"}}]}'),
    ('{"rules": [{"id": "a", "when": {"all": []}, "serve": {"variation": "blue"}, "from": "soon"}]}')) AS v (changes);

-- broken segments, and cycles of segments and flags
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO featbit.segment (environment, key, included, excluded, condition, revision, updated_at, updated_by)
SELECT 'test_broken', key, included, '{}', condition, 1, '2026-01-01', 'x'
FROM (VALUES ('null-user', ARRAY['bob', NULL], NULL::jsonb), ('odd', '{bob}', '{"attribute": "a"}'), ('listed', '{ann}', '{"attribute": "a"}'), ('to-flag', '{}', '{"flag": "other", "variations": ["on"]}'),
             ('dangling', '{}', '{"not": {"segment": "gone"}}'), ('a', '{}', '{"segment": "b"}'), ('b', '{}', '{"any": [{"segment": "good"}, {"segment": "a"}]}'),
             ('c', '{}', '{"segment": "c"}'), ('bad key', '{}', NULL)) AS v (key, included, condition);
INSERT INTO featbit.flag (environment, key, type, variations, prerequisites, fallthrough, salt, revision, updated_at, updated_by)
SELECT 'test_broken', key, 'boolean', '[{"key": "on", "value": true}]', jsonb_build_array(jsonb_build_object('flag', other, 'variations', '["on"]'::jsonb)),
    '{"variation": "on"}', key, 1, '2026-01-01', 'x'
FROM (SELECT 'chain-' || n AS key, 'chain-' || n + 1 AS other FROM generate_series(1, 40) n) s;
COMMIT;
SELECT segment, pg_temp.broken(jsonb_build_object('rules', jsonb_build_array(jsonb_build_object('id', 'a', 'when', jsonb_build_object('segment', segment), 'serve', '{"variation": "blue"}'::jsonb))))
FROM (VALUES ('null-user'), ('odd'), ('listed'), ('to-flag'), ('dangling'), ('a'), ('b'), ('c'), ('bad key')) AS v (segment);
SELECT flag, reason, error_code, error_message, metadata ->> 'prerequisite' AS prerequisite
FROM (VALUES ('chain-1'), ('chain-9'), ('chain-10'), ('chain-40')) AS v (flag), featbit.resolve(flag, '{"targetingKey": "ann"}');
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE featbit.flag SET prerequisites = '[{"flag": "chain-35", "variations": ["on"]}]' WHERE environment = 'test_broken' AND key = 'chain-40';
COMMIT;
SELECT flag, reason, error_code, error_message
FROM (VALUES ('chain-1'), ('chain-30'), ('chain-40')) AS v (flag), featbit.resolve(flag, '{"targetingKey": "ann"}');

-- 2^30 ways through a lattice of references are one evaluation of each
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO featbit.segment (environment, key, condition, revision, updated_at, updated_by)
SELECT 'test_broken', 'lattice-' || level || '-' || side,
    CASE WHEN level < 15 THEN jsonb_build_object('any', jsonb_build_array(jsonb_build_object('all', jsonb_build_array(jsonb_build_object('segment', 'lattice-' || level + 1 || '-0'),
        jsonb_build_object('segment', 'lattice-' || level + 1 || '-1'))), jsonb_build_object('segment', 'lattice-' || level + 1 || '-1'), jsonb_build_object('segment', 'lattice-' || level + 1 || '-0')))
    ELSE '{"attribute": "a", "op": "exists"}' END, 1, '2026-01-01', 'x'
FROM generate_series(1, 15) level, generate_series(0, 1) side;
COMMIT;
SELECT pg_temp.broken('{"rules": [{"id": "a", "when": {"segment": "lattice-1-0"}, "serve": {"variation": "blue"}}]}');

-- a reference that dangles behind another one is found when it is written directly
SELECT featbit.create_flag('direct', '[{"key": "on", "value": true}]');
SELECT featbit.add_rule('direct', '{"id": "a", "when": {"all": [{"segment": "dangling"}]}, "serve": {"variation": "on"}}');
SELECT featbit.add_rule('direct', '{"id": "b", "when": {"all": [{"segment": "dangling"}, {"segment": "gone"}]}, "serve": {"variation": "on"}}');
