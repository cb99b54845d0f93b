-- the order of evaluation, its reasons, and the functions that return a value
SET featbit.environment = 'test_evaluation';
\set ECHO all
SELECT reason, error_code, error_message FROM featbit.resolve('anything', '{"targetingKey": "alice"}');

SELECT featbit.create_flag('model', '[{"key": "base", "value": {"model": "small"}}, {"key": "tuned", "value": {"model": "large"}}]',
    off_variation => 'base');
SELECT featbit.create_flag('dark-mode', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', off_variation => 'off');
SELECT featbit.create_flag('greeting', '[{"key": "formal", "value": "Good day"}, {"key": "short", "value": "Hi"}]');
SELECT featbit.create_flag('limit', '[{"key": "low", "value": 10}, {"key": "high", "value": 2.5}, {"key": "huge", "value": 1e400}]');
SELECT key, type, salt, fallthrough, revision FROM featbit.flag WHERE environment = 'test_evaluation' ORDER BY key;

-- errors come before everything
SELECT value, variant, reason, error_code, error_message, metadata FROM featbit.resolve('modle', '{"targetingKey": "alice"}');
SELECT value, variant, reason, error_code, error_message FROM featbit.resolve('model', '{}');
SELECT value, variant, reason, error_code, error_message FROM featbit.resolve('model', '{"targetingKey": 7}');
SELECT value, variant, reason, error_code, error_message FROM featbit.resolve('model', '[1]');
SELECT value, variant, reason, error_code, error_message FROM featbit.resolve('model', NULL);
SELECT value, variant, reason, error_code, error_message FROM featbit.resolve(NULL, '{"targetingKey": "alice"}');
SELECT reason, error_code, error_message FROM featbit.resolve('model', '{"targetingKey": "alice"}', 'elsewhere');
SELECT featbit.evaluate_flag(NULL::text, 'model') IS NULL AS null_key, featbit.evaluate_flag('', 'model') AS empty_key,
    featbit.evaluate_flag('alice', NULL) IS NULL AS null_flag, featbit.evaluate_flag('alice', 'model', '"x"') IS NULL AS scalar_context,
    featbit.evaluate_flag('alice', 'model', NULL) AS null_context;

-- STATIC: nothing in the flag depends on the user
SELECT value, variant, reason, metadata FROM featbit.resolve('model', '{"targetingKey": "alice"}');

-- disabled
SELECT featbit.disable_flag('model'), featbit.disable_flag('greeting');
SELECT value, variant, reason, error_code FROM featbit.resolve('model', '{"targetingKey": "alice"}');
SELECT value, variant, reason, error_code FROM featbit.resolve('greeting', '{"targetingKey": "alice"}');
SELECT featbit.enable_flag('model'), featbit.enable_flag('greeting');

-- targets, rules in their order, fallthrough
SELECT featbit.set_targets('model', 'tuned', '{bob,carol}');
SELECT featbit.create_segment('beta', included => '{dave}', excluded => '{erin}', condition => '{"attribute": "beta", "op": "eq", "value": true}');
SELECT featbit.add_rule('model', '{"id": "beta", "name": "beta users", "when": {"segment": "beta"}, "serve": {"variation": "tuned"}}');
SELECT featbit.add_rule('model', '{"id": "team", "when": {"attribute": "plan", "op": "eq", "value": "team"},
    "serve": {"split": [{"variation": "base", "weight": 1}, {"variation": "tuned", "weight": 1}]}}');
SELECT u, r.variant, r.reason, r.metadata - 'revision' AS metadata
FROM (VALUES ('alice', '{}'::jsonb), ('bob', '{}'), ('dave', '{}'), ('erin', '{"beta": true}'), ('frank', '{"beta": true, "plan": "team"}'),
             ('grace', '{"plan": "team"}'), ('heidi', '{"plan": "team"}')) AS v (u, context),
    featbit.resolve('model', context || jsonb_build_object('targetingKey', u)) AS r;
SELECT featbit.set_rollout('model', '[{"variation": "base", "weight": 90}, {"variation": "tuned", "weight": 10}]');
SELECT variant, reason, metadata - 'revision' AS metadata FROM featbit.resolve('model', '{"targetingKey": "alice"}');
SELECT featbit.flag_variation('user-' || n, 'model') AS variation, count(*) FROM generate_series(1, 100000) n GROUP BY 1 ORDER BY 1;

-- a split with one positive weight is a split, but not randomised
SELECT featbit.set_rollout('greeting', '[{"variation": "formal", "weight": 5}, {"variation": "short", "weight": 0}]');
SELECT variant, reason, metadata - 'revision' AS metadata FROM featbit.resolve('greeting', '{"targetingKey": "alice"}');

-- prerequisites
SELECT featbit.update_flag('model', '{"prerequisites": [{"flag": "dark-mode", "variations": ["on"]}]}');
SELECT variant, reason, metadata ->> 'prerequisite' AS prerequisite FROM featbit.resolve('model', '{"targetingKey": "alice"}');
SELECT featbit.disable_flag('dark-mode');
SELECT variant, reason, metadata ->> 'prerequisite' AS prerequisite FROM featbit.resolve('model', '{"targetingKey": "alice"}');
SELECT featbit.enable_flag('dark-mode'), featbit.update_flag('dark-mode', '{"fallthrough": {"variation": "off"}}');
SELECT variant, reason, metadata ->> 'prerequisite' AS prerequisite FROM featbit.resolve('model', '{"targetingKey": "bob"}');
SELECT featbit.update_flag('model', '{"prerequisites": []}');

-- typed values, and the default of the code for another type, an unknown flag and a number that does not fit
SELECT featbit.flag_bool('alice', 'dark-mode', true) AS bool, featbit.flag_text('alice', 'greeting', '?') AS text,
    featbit.flag_int('alice', 'limit', 3) AS int, featbit.flag_number('alice', 'limit', 0.5) AS number, featbit.flag_json('alice', 'model', '{}') AS json;
SELECT featbit.flag_bool('alice', 'greeting', true) AS bool, featbit.flag_text('alice', 'dark-mode', '?') AS text,
    featbit.flag_int('alice', 'dark-mode', 3) AS int, featbit.flag_number('alice', 'greeting', 0.5) AS number, featbit.flag_json('alice', 'limit', '[1]') AS json;
SELECT featbit.flag_bool('alice', 'none', true) AS bool, featbit.flag_text('alice', 'none', '?') AS text,
    featbit.flag_int('alice', 'none', 3) AS int, featbit.flag_number('alice', 'none', 0.5) AS number, featbit.flag_json('alice', 'none', NULL) AS json;
SELECT featbit.update_flag('limit', '{"fallthrough": {"variation": "high"}}');
SELECT featbit.flag_int('alice', 'limit', 3) AS not_whole, featbit.flag_number('alice', 'limit', 0.5) AS number;
SELECT featbit.update_flag('limit', '{"fallthrough": {"variation": "huge"}}');
SELECT featbit.flag_int('alice', 'limit', 3) AS too_big, featbit.flag_number('alice', 'limit', 0.5) AS beyond_float, length(featbit.evaluate_flag('alice', 'limit'));
SELECT featbit.flag_text('alice', 'greeting', NULL, '{}', NULL) AS text, pg_typeof(featbit.flag_int(1, 'limit', 3)), pg_typeof(featbit.flag_number(1, 'limit', 3));

-- bigint and uuid keys are hashed as their text
SELECT bool_and(featbit.flag_variation(n, 'model') = featbit.flag_variation(n::text, 'model')) AS bigint_as_text
FROM generate_series(-500::bigint, 500) n;
SELECT bool_and(featbit.flag_variation(u, 'model') = featbit.flag_variation(u::text, 'model')) AS uuid_as_text
FROM (SELECT md5(n::text)::uuid AS u FROM generate_series(1, 1000) n) s;
SELECT featbit.flag_variation(9223372036854775807, 'model') = featbit.flag_variation('9223372036854775807', 'model') AS largest,
    featbit.flag_variation((-9223372036854775808)::bigint, 'model') = featbit.flag_variation('-9223372036854775808', 'model') AS smallest;

-- archived
SELECT featbit.update_flag('limit', '{"archived": true}');
SELECT reason, error_code, error_message FROM featbit.resolve('limit', '{"targetingKey": "alice"}');

-- what an exposure needs
SELECT resolved_environment, value, variation, reason, error_code, rule_id, iteration, unit_key, randomised, tracking_schema
FROM featbit.evaluate_exposure('alice', 'model');
SELECT variation, reason, unit_key, randomised FROM featbit.evaluate_exposure('bob', 'model');
SELECT value, reason, error_code, unit_key, randomised FROM featbit.evaluate_exposure('bob', 'none');
SELECT featbit.variation_value('model', 'tuned') AS tuned, featbit.variation_value('model', 'x') IS NULL AS unknown, featbit.variation_value('none', 'x') IS NULL AS no_flag;

-- contexts of a megabyte, with many keys, deeply nested
SELECT featbit.evaluate_flag('alice', 'model', jsonb_build_object('pad', repeat('x', 1000000), 'plan', 'team')) IS NOT NULL AS large_context;
SELECT featbit.evaluate_flag('alice', 'model', (SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 10000) n)) IS NOT NULL AS many_keys;
SELECT featbit.evaluate_flag('alice', 'model', (repeat('{"a":', 5000) || '1' || repeat('}', 5000))::jsonb) IS NOT NULL AS deep;
SELECT featbit.evaluate_flag(repeat('k', 1000000), 'model') IS NOT NULL AS large_key, featbit.evaluate_flag('alice', repeat('f', 1000000)) IS NULL AS large_flag_key;

-- the attribute targetingKey is the user key, for every function and whatever the context says
SELECT featbit.create_flag('by-key', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]');
SELECT featbit.add_rule('by-key', '{"id": "staff", "when": {"attribute": "targetingKey", "op": "ends_with", "value": "@example.com"}, "serve": {"variation": "b"}}');
SELECT featbit.flag_variation('boss@example.com', 'by-key') AS plain, featbit.flag_variation('boss@example.com', 'by-key', '{"targetingKey": "x"}') AS contradicted,
    featbit.flag_variation('x', 'by-key', '{"targetingKey": "boss@example.com"}') AS claimed,
    (SELECT variant FROM featbit.resolve('by-key', '{"targetingKey": "boss@example.com"}')) AS resolved;
SELECT featbit.set_rollout('by-key', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]', "by" => 'targetingKey');
SELECT count(*) AS users, bool_and(featbit.flag_variation('u' || n, 'by-key') = (SELECT variant FROM featbit.resolve('by-key', jsonb_build_object('targetingKey', 'u' || n)))) AS same,
    bool_and((SELECT unit_key FROM featbit.evaluate_exposure('u' || n, 'by-key')) = 'u' || n) AS unit_is_user
FROM generate_series(1, 200) n;
-- an archived flag says so
SELECT error_code, error_message FROM featbit.resolve('limit', '{"targetingKey": "alice"}');
