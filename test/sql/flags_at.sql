-- evaluation of the past, from the history
SET featbit.environment = 'test_at';
SET timezone = 'UTC';
\set SHOW_CONTEXT never
\set ECHO all
SELECT error_code, error_message FROM featbit.resolve_at('model', '2026-01-01', '{"targetingKey": "u"}');
SELECT featbit.create_segment('beta', '{ann}') AS beta, featbit.create_flag('gate', '[{"key": "on", "value": true}, {"key": "off", "value": false}]') AS gate,
    featbit.create_flag('model', '[{"key": "base", "value": "gpt-a"}, {"key": "tuned", "value": "gpt-b"}, {"key": "off", "value": "none"}]', off_variation => 'off') AS model;
SELECT featbit.update_flag('model', '{"prerequisites": [{"flag": "gate", "variations": ["on"]}], "rules": [{"id": "r", "when": {"segment": "beta"}, "serve": {"variation": "tuned"}}]}') AS r2;
SELECT featbit.update_segment('beta', '{"included": ["bob"]}') AS s2;
SELECT featbit.set_rollout('gate', '[{"variation": "off", "weight": 1}]') AS g2;
SELECT featbit.set_rollout('gate', '[{"variation": "on", "weight": 1}]') AS g3;
SELECT featbit.update_flag('model', '{"fallthrough": {"split": [{"variation": "base", "weight": 1}, {"variation": "tuned", "weight": 1}]}}') AS r3;
SELECT featbit.archive_flag('model') AS r4;
SELECT featbit.unarchive_flag('model') AS r5;
SELECT featbit.delete_flag('model') AS r6;
SELECT featbit.restore_flag('model', 3) AS r7;
SELECT featbit.update_flag('model', '{"rules": [], "fallthrough": {"ramp": [{"at": "2026-02-10T00:00:00Z", "split": [{"variation": "base", "weight": 1}]}, {"at": "2026-02-12T00:00:00Z", "split": [{"variation": "tuned", "weight": 1}]}]}}') AS r8;

-- one change a day, from 2026-02-01 on
CREATE TEMP TABLE day AS SELECT kind, key, revision, row_number() OVER (ORDER BY changed_at) AS n FROM featbit.flag_revision WHERE environment = 'test_at';
UPDATE featbit.flag_revision AS r SET changed_at = '2026-02-01 00:00 UTC'::timestamptz + (d.n - 1) * interval '1 day'
FROM day AS d WHERE r.environment = 'test_at' AND r.kind = d.kind AND r.key = d.key AND r.revision = d.revision;
SELECT kind, key, revision, change, changed_at FROM featbit.flag_revision WHERE environment = 'test_at' ORDER BY changed_at;
SELECT at::date AS at, featbit.evaluate_flag_at('ann', 'model', at) AS ann, featbit.flag_variation_at('bob', 'model', at) AS bob, r.variant AS cid, r.reason, r.error_code, r.error_message, r.metadata ->> 'revision' AS revision
FROM generate_series('2026-01-31 12:00 UTC'::timestamptz, '2026-02-15 12:00 UTC', '1 day') AS at, featbit.resolve_at('model', at, '{"targetingKey": "cid"}') AS r;
-- a change counts from its very moment, the past and the future are open
SELECT featbit.flag_variation_at('ann', 'model', at) FROM (VALUES ('2026-02-05 00:00 UTC'::timestamptz), ('2026-02-05 00:00 UTC'::timestamptz - interval '1 microsecond'), ('-infinity'), ('infinity')) AS v (at);
-- all types of user keys; they get what they got
SELECT featbit.evaluate_flag_at(7::bigint, 'model', '2026-02-08 12:00 UTC') = featbit.evaluate_flag_at('7', 'model', '2026-02-08 12:00 UTC') AS bigint,
    featbit.evaluate_flag_at('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, 'model', '2026-02-08 12:00 UTC') = featbit.evaluate_flag_at('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'model', '2026-02-08 12:00 UTC') AS uuid,
    featbit.flag_variation_at(7::bigint, 'model', '2026-02-08 12:00 UTC') = featbit.flag_variation_at('7', 'model', '2026-02-08 12:00 UTC') AS bigint,
    featbit.flag_variation_at('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, 'model', '2026-02-08 12:00 UTC') = featbit.flag_variation_at('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'model', '2026-02-08 12:00 UTC') AS uuid;
SELECT featbit.create_flag('split', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]', fallthrough => '{"split": [{"variation": "a", "weight": 3}, {"variation": "b", "weight": 1}], "by": "org"}') AS split;
SELECT count(*) FILTER (WHERE featbit.flag_variation_at(n, 'split', 'infinity', jsonb_build_object('org', n / 3)) = featbit.flag_variation(n, 'split', jsonb_build_object('org', n / 3))) AS same,
       count(*) FILTER (WHERE featbit.evaluate_flag_at(n, 'split', clock_timestamp(), jsonb_build_object('org', n / 3)) = featbit.evaluate_flag(n, 'split', jsonb_build_object('org', n / 3))) AS same_value FROM generate_series(1, 2000) n;
-- a table of visits, in any order: more versions than a call site keeps
SELECT featbit.set_variation('split', 'a', to_jsonb(n)) > 0 AS changed FROM generate_series(101, 150) n GROUP BY 1;
UPDATE featbit.flag_revision SET changed_at = '2026-03-01 UTC'::timestamptz + revision * interval '1 hour' WHERE environment = 'test_at' AND key = 'split';
CREATE TEMP TABLE visit AS SELECT n AS id, '2026-03-01 00:30 UTC'::timestamptz + (n * 7919 % 51) * interval '1 hour' AS at FROM generate_series(1, 3000) n;
SELECT count(*) AS visits, count(*) FILTER (WHERE served.value IS NOT DISTINCT FROM expected.value) AS right
FROM (SELECT at, featbit.evaluate_flag_at(1, 'split', at, '{"org": "o1"}') AS value FROM visit) AS served,
LATERAL (SELECT (SELECT v ->> 'value' FROM featbit.flag_revision AS r, jsonb_array_elements(r.definition -> 'variations') AS v
                 WHERE r.environment = 'test_at' AND r.key = 'split' AND r.changed_at <= served.at AND v ->> 'key' = featbit.flag_variation(1, 'split', '{"org": "o1"}')
                 ORDER BY r.revision DESC LIMIT 1)) AS expected (value);

-- also where there is memory for few of them
SET work_mem = '64kB';
SELECT count(*) AS visits, count(*) FILTER (WHERE served.value IS NOT DISTINCT FROM expected.value) AS right
FROM (SELECT at, featbit.evaluate_flag_at(1, 'split', at, '{"org": "o1"}') AS value FROM visit) AS served,
LATERAL (SELECT (SELECT v ->> 'value' FROM featbit.flag_revision AS r, jsonb_array_elements(r.definition -> 'variations') AS v
                 WHERE r.environment = 'test_at' AND r.key = 'split' AND r.changed_at <= served.at AND v ->> 'key' = featbit.flag_variation(1, 'split', '{"org": "o1"}')
                 ORDER BY r.revision DESC LIMIT 1)) AS expected (value);
RESET work_mem;

-- history does not move under a statement, and what is written is seen by the next
CREATE FUNCTION pg_temp.changing() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    seen text := '';
BEGIN
    FOR i IN 1 .. 3 LOOP
        PERFORM featbit.set_variation('split', 'a', to_jsonb(i)), featbit.set_variation('split', 'b', to_jsonb(i));
        seen := seen || featbit.evaluate_flag_at('x', 'split', 'infinity', '{"org": 1}');
    END LOOP;
    RETURN seen;
END $$;
SELECT pg_temp.changing();

-- what was served at each moment of a long series of changes is what the replay of that moment serves
SET featbit.environment = 'test_at_replay';
CREATE TEMP TABLE served (at timestamptz, user_key text, variation text, reason text);
DO $$
BEGIN
    PERFORM featbit.create_segment('vip', '{u1}'), featbit.create_segment('nested', condition => '{"any": [{"segment": "vip"}, {"attribute": "plan", "op": "eq", "value": "pro"}]}'),
        featbit.create_flag('gate', '[{"key": "on", "value": true}, {"key": "off", "value": false}]'),
        featbit.create_flag('replayed', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]', off_variation => 'c');
    FOR i IN 1 .. 120 LOOP
        CASE (i * 7919 / 3) % 11
            WHEN 0 THEN PERFORM featbit.set_rollout('replayed', format('[{"variation": "a", "weight": %s}, {"variation": "b", "weight": %s}]', 1 + i % 5, 1 + i % 7)::jsonb);
            WHEN 1 THEN PERFORM featbit.set_targets('replayed', 'b', ARRAY['u' || i % 9]);
            WHEN 2 THEN PERFORM featbit.update_segment('vip', jsonb_build_object('included', jsonb_build_array('u' || i % 9, 'u' || i % 5)));
            WHEN 3 THEN PERFORM featbit.set_rollout('gate', format('[{"variation": "on", "weight": %s}, {"variation": "off", "weight": 1}]', i % 4)::jsonb);
            WHEN 4 THEN PERFORM featbit.add_rule('replayed', jsonb_build_object('id', 'r' || i, 'when', '{"segment": "nested"}'::jsonb, 'serve', '{"variation": "c"}'::jsonb, 'percentage', i % 100), 1);
            WHEN 5 THEN PERFORM featbit.set_prerequisites('replayed', CASE WHEN i % 2 = 0 THEN '[{"flag": "gate", "variations": ["on"]}]'::jsonb END);
            WHEN 6 THEN PERFORM featbit.update_flag('replayed', jsonb_build_object('enabled', i % 3 > 0));
            WHEN 7 THEN PERFORM featbit.update_flag('replayed', jsonb_build_object('salt', 's' || i));
            WHEN 8 THEN PERFORM featbit.delete_flag('replayed'), featbit.restore_flag('replayed', greatest(1, i / 3));
            WHEN 9 THEN PERFORM featbit.update_flag('replayed', jsonb_build_object('archived', i % 2 = 0));
            ELSE PERFORM featbit.update_flag('replayed', '{"rules": [], "archived": false}');
        END CASE;
        INSERT INTO served SELECT clock_timestamp(), 'u' || n, r.variant, r.reason
        FROM generate_series(1, 9) n, featbit.resolve('replayed', jsonb_build_object('targetingKey', 'u' || n, 'plan', CASE WHEN n % 4 = 0 THEN 'pro' END)) AS r;
    END LOOP;
END $$;
SELECT count(*) AS served, count(DISTINCT coalesce(variation, '')) AS variations, count(DISTINCT s.reason) AS reasons,
    count(*) FILTER (WHERE r.variant IS NOT DISTINCT FROM s.variation AND r.reason = s.reason) AS replayed,
    count(*) FILTER (WHERE featbit.flag_variation_at(s.user_key, 'replayed', s.at, jsonb_build_object('plan', CASE WHEN s.user_key IN ('u4', 'u8') THEN 'pro' END)) IS NOT DISTINCT FROM s.variation) AS again
FROM served AS s, featbit.resolve_at('replayed', s.at, jsonb_build_object('targetingKey', s.user_key, 'plan', CASE WHEN s.user_key IN ('u4', 'u8') THEN 'pro' END)) AS r;
SET featbit.environment = 'test_at';

-- rows restored without their history count from their updated_at, until history goes on
INSERT INTO featbit.segment (environment, key, included, revision, updated_at, updated_by) VALUES ('test_at_restored', 'beta', '{ann,NULL}', 12, '2026-01-10 UTC', 'someone');
INSERT INTO featbit.segment (environment, key, included, revision, updated_at, updated_by) VALUES ('test_at_restored', 'beta', '{ann}', 12, '2026-01-10 UTC', 'someone');
INSERT INTO featbit.flag (environment, key, type, variations, rules, fallthrough, salt, revision, updated_at, updated_by)
VALUES ('test_at_restored', 'old', 'boolean', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', '[{"id": "r", "when": {"segment": "beta"}, "serve": {"variation": "on"}}]', '{"variation": "off"}', 'old', 41, '2026-01-01 UTC', 'someone');
SELECT variant, reason, error_code, error_message FROM featbit.resolve_at('old', '2026-02-01', '{"targetingKey": "ann"}', 'test_at_restored');
INSERT INTO featbit.environment (key, config_version) VALUES ('test_at_restored', 9);
SELECT at, variant, reason, error_code, error_message, metadata ->> 'revision' AS revision
FROM (VALUES ('2025-12-31 UTC'::timestamptz), ('2026-01-05 UTC'), ('2026-01-11 UTC')) AS v (at), featbit.resolve_at('old', at, '{"targetingKey": "ann"}', 'test_at_restored');
SELECT featbit.disable_flag('old', environment => 'test_at_restored');
SELECT variant, reason FROM featbit.resolve_at('old', 'infinity', '{"targetingKey": "ann"}', 'test_at_restored');
SELECT error_code FROM featbit.resolve_at('old', '2026-01-11 UTC', '{"targetingKey": "ann"}', 'test_at_restored');

-- history that is odd: malformed, of a time before columns existed, with clocks that went back
INSERT INTO featbit.flag_revision SELECT 'test_at_odd', 'flag', 'odd', v.revision, 'update', v.definition, '{}', NULL, v.changed_at, 'x', pg_current_xact_id()
FROM (VALUES (1, '{"key": "odd", "type": "boolean", "variations": [{"key": "on", "value": true}], "fallthrough": {"variation": "on"}, "semantics": "native"}'::jsonb, '2026-01-01 UTC'::timestamptz),
             (2, '5', '2026-01-02 UTC'), (3, '{}', '2026-01-03 UTC'), (4, '{"key": "odd", "type": "boolean", "semantics": "native", "revision": "x", "enabled": 7, "variations": [{"key": "on", "value": false}], "fallthrough": null, "iteration": 1e30}', '2026-01-04 UTC'),
             (5, '{"key": "odd", "type": "boolean", "semantics": "native", "variations": [{"key": "on", "value": true}], "fallthrough": {"variation": "on"}, "rules": [{"id": "r", "when": {"segment": "s"}, "serve": {"variation": "on"}}]}', '2026-01-03 12:00 UTC')) AS v (revision, definition, changed_at);
INSERT INTO featbit.flag_revision VALUES ('test_at_odd', 'segment', 's', 1, 'insert', '{"key": "s", "included": ["a", null]}', '{}', NULL, '2026-01-01', 'x', '1'), ('test_at_odd', 'segment', 's', 2, 'insert', '{"key": "s", "included": ["a"], "excluded": []}', '{}', NULL, '2026-01-06', 'x', '1');
SELECT at, variant, reason, error_code, error_message FROM generate_series('2025-12-31 13:00 UTC'::timestamptz, '2026-01-06 13:00 UTC', '1 day') AS at, featbit.resolve_at('odd', at, '{"targetingKey": "a"}', 'test_at_odd');
DELETE FROM featbit.flag_revision WHERE environment = 'test_at_odd';

-- arguments
SELECT reason, error_code, error_message, metadata FROM featbit.resolve_at('model', NULL, '{"targetingKey": "ann"}');
SELECT error_code, error_message FROM featbit.resolve_at(NULL, '2026-02-08', '{"targetingKey": "ann"}');
SELECT error_code, error_message FROM featbit.resolve_at('model', '2026-02-08', '{}');
SELECT error_code, error_message FROM featbit.resolve_at('model', '2026-02-08', '[]');
SELECT error_code FROM featbit.resolve_at(repeat('x', 200), '2026-02-08', '{}');
SELECT error_code, error_message FROM featbit.resolve_at('model', '2026-02-08', environment => 'test_at_none');
SELECT featbit.evaluate_flag_at(NULL::text, 'model', '2026-02-08') IS NULL AS no_user, featbit.evaluate_flag_at('ann', 'model', NULL) IS NULL AS no_time, featbit.flag_variation_at('ann', NULL, '2026-02-08') IS NULL AS no_flag,
    featbit.flag_variation_at(NULL::bigint, 'model', '2026-02-08') IS NULL AS no_bigint, featbit.flag_variation_at(NULL::uuid, 'model', '2026-02-08') IS NULL AS no_uuid;

-- in parallel workers
CREATE TABLE fb_visit AS SELECT * FROM visit;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT count(*) FILTER (WHERE featbit.evaluate_flag_at(id, 'split', at, jsonb_build_object('org', id)) IS NOT NULL) AS served,
    sum(featbit.evaluate_flag_at(id, 'split', at, jsonb_build_object('org', id))::integer) = (SELECT sum(value) FROM (SELECT featbit.evaluate_flag_at(id, 'split', at, jsonb_build_object('org', id))::integer AS value FROM visit) AS serial) AS same
FROM fb_visit;
DROP TABLE fb_visit;
