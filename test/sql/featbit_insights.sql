-- what FeatBit's SDKs send, recorded as exposures and events; assignments of another system compared
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET featbit.environment = 'test_insights';
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '(null)'

SELECT featbit.track_featbit('[]');
SELECT featbit.create_tracking('insights_facts');
SELECT * FROM featbit.track_featbit(NULL);
SELECT * FROM featbit.track_featbit('"x"');
SELECT * FROM featbit.track_featbit('[]');

INSERT INTO featbit.flag (key, type, semantics, variations, targets, rules, fallthrough, off_variation, source)
	VALUES ('checkout', 'string', 'featbit', '[{"id": "v-control", "name": "control", "value": "control"}, {"id": "v-blue", "name": "blue", "value": "blue"}]',
		'[{"keyIds": ["vip"], "variationId": "v-blue"}]',
		'[{"id": "r1", "name": "adults", "dispatchKey": null, "includedInExpt": true, "conditions": [{"property": "age", "op": "BiggerThan", "value": "17"}],
			"variations": [{"id": "v-control", "rollout": [0, 0.5], "exptRollout": 0.5}, {"id": "v-blue", "rollout": [0.5, 1], "exptRollout": 0.5}]}]',
		'{"dispatchKey": null, "includedInExpt": true, "variations": [{"id": "v-control", "rollout": [0, 1], "exptRollout": 1}]}', 'v-control', '{"exptIncludeAllTargets": false}');

-- a user's context: the first of equal names counts
SELECT featbit.featbit_user_context('{"keyId": "u", "name": "Ann", "customizedProperties": [{"name": "age", "value": "23"}, {"name": "age", "value": "5"}, {"name": "city", "value": null}, 7, {"value": "x"}, {"name": "name", "value": "Bob"}]}');
SELECT featbit.featbit_user_context(u) FROM unnest(ARRAY['{"keyId": "u"}', '7', 'null', '{"name": 3, "customizedProperties": {}}', NULL]::jsonb[]) u;

-- what the application served: as the flag says, otherwise, by a target, outside of experiments
SELECT u, (featbit.resolve('checkout', jsonb_build_object('targetingKey', u, 'age', '23'))).variant FROM unnest('{u-1,u-2,u-3,vip}'::text[]) u;
\set payload '[{"user": {"keyId": "u-1", "name": "Ann", "customizedProperties": [{"name": "age", "value": "23"}]}, "variations": [{"featureFlagKey": "checkout", "variation": {"id": "v-control", "value": "control"}, "timestamp": 1767323045678, "sendToExperiment": true}], "metrics": [{"appType": "dotnet-server-side", "route": "index/metric", "type": "CustomEvent", "eventName": "purchase", "numericValue": 42.5, "timestamp": 1767323047000}, {"appType": "dotnet-server-side", "route": "index/metric", "type": "CustomEvent", "eventName": "purchase", "numericValue": 42.5, "timestamp": 1767323047000}]}, {"user": {"keyId": "u-2", "customizedProperties": [{"name": "age", "value": "23"}]}, "variations": [{"featureFlagKey": "checkout", "variation": {"id": "v-control"}, "timestamp": 1767323045000, "sendToExperiment": false}, {"featureFlagKey": "checkout", "variation": {"id": "v-blue"}, "timestamp": 1767323046000, "sendToExperiment": true}]}, {"user": {"keyId": "vip"}, "variations": [{"featureFlagKey": "checkout", "variation": {"id": "v-blue"}, "timestamp": 1767323045000, "sendToExperiment": true}], "metrics": [{"eventName": "signup", "timestamp": 1767323045001}]}]'
SELECT * FROM featbit.track_featbit(:'payload');
SELECT * FROM featbit.track_featbit(:'payload');
SELECT flag_key, user_key, variation, exposed_at, reason, rule_id, unit_key, randomised FROM insights_facts.exposure ORDER BY user_key, variation;
SELECT user_key, event_name, value, occurred_at, attributes FROM insights_facts.event ORDER BY user_key, event_name;

-- one user alone; neither time nor value; the earliest of one payload counts
SELECT exposures, events, repeated, skipped, problems FROM featbit.track_featbit('{"user": {"keyId": "u-9"}, "variations": [{"featureFlagKey": "checkout", "variation": {"id": "v-control"}, "timestamp": 1767323045000}, {"featureFlagKey": "checkout", "variation": {"id": "v-control"}, "timestamp": 1767323044000}], "metrics": [{"eventName": "signup"}, {"eventName": "signup"}]}');
SELECT exposed_at, reason, randomised FROM insights_facts.exposure WHERE user_key = 'u-9';
SELECT count(*), min(value), max(value), bool_and(occurred_at > now() - interval '1 hour') FROM insights_facts.event WHERE user_key = 'u-9';

-- one bad entry does not lose the others
SELECT exposures, events, repeated, skipped, unnest(problems) AS problem FROM featbit.track_featbit(jsonb_build_array('7'::jsonb, '{}'::jsonb, '{"user": {"keyId": "  "}}'::jsonb, '{"user": {"keyId": 5}}'::jsonb,
	jsonb_build_object('user', jsonb_build_object('keyId', repeat('x', 1025))),
	'{"user": {"keyId": "u-10"}, "variations": [{"featureFlagKey": "chekout", "variation": {"id": "v-blue"}}, {"featureFlagKey": "checkout", "variation": {"id": "v-bleu"}}, {"featureFlagKey": "checkout", "variation": null}, {"variation": {"id": "v-blue"}}, 5,
		{"featureFlagKey": "checkout", "variation": {"id": "v-blue"}, "timestamp": "yesterday"}, {"featureFlagKey": "checkout", "variation": {"id": "v-blue"}, "timestamp": 1e300}, {"featureFlagKey": "checkout", "variation": {"id": "v-control"}}],
	  "metrics": [{"numericValue": 1}, {"eventName": ""}, {"eventName": 5}, {"eventName": "a", "numericValue": 1e400}, {"eventName": "a", "numericValue": "1"}, {"eventName": "a", "timestamp": -1}, {"eventName": "fine", "numericValue": -1e-400}, "x"]}'::jsonb,
	jsonb_build_object('user', '{"keyId": "u-11"}'::jsonb, 'metrics', jsonb_build_array(jsonb_build_object('eventName', repeat('e', 1025)))),
	'{"user": {"keyId": "u-12"}, "variations": 5, "metrics": {}}'::jsonb));

-- assignments of another system
SELECT * FROM featbit.compare_assignments(NULL, 'pg_class');
SELECT * FROM featbit.compare_assignments('checkout', NULL);
SELECT * FROM featbit.compare_assignments('chekout', 'pg_class');
SELECT * FROM featbit.compare_assignments('checkout', 'pg_class', 'test_insights_2');
SELECT * FROM featbit.compare_assignments('checkout', 'insights_facts.exposure_pkey');
SELECT * FROM featbit.compare_assignments('checkout', 'featbit.environment');
SELECT * FROM featbit.compare_assignments('checkout', 'no_such_table');
CREATE TEMP TABLE assigned (user_key text, variation text, context jsonb);
INSERT INTO assigned SELECT 'user-' || n, featbit.flag_variation('user-' || n, 'checkout', '{"age": "30"}'), '{"age": "30"}' FROM generate_series(1, 1000) n;
SELECT * FROM featbit.compare_assignments('checkout', 'assigned');
SELECT * FROM featbit.assignment_agreement('checkout', 'assigned');
UPDATE assigned SET variation = 'v-blue' WHERE user_key = 'user-1';
UPDATE assigned SET variation = NULL WHERE user_key = 'user-2';
INSERT INTO assigned VALUES (NULL, 'v-blue', '5');
SELECT user_key, expected, actual, reason, error_code, metadata -> 'featbit' ->> 'matchReason' AS match_reason FROM featbit.compare_assignments('checkout', 'assigned') ORDER BY user_key;
SELECT compared, agreed, differed, round(agreement::numeric, 6) AS agreement FROM featbit.assignment_agreement('checkout', 'assigned');
-- by value, keys of another type, no context
CREATE TEMP VIEW assigned_values AS SELECT n AS user_key, 'control' AS value FROM generate_series(1, 10) n;
SELECT * FROM featbit.compare_assignments('checkout', 'assigned_values');
SELECT * FROM featbit.assignment_agreement('checkout', 'assigned_values');
CREATE TEMP VIEW assigned_nobody AS SELECT * FROM assigned_values WHERE false;
SELECT * FROM featbit.assignment_agreement('checkout', 'assigned_nobody');

-- by task: evaluate compares what the role may read, record takes insights
CREATE ROLE regress_insights;
SELECT featbit.grant_access('regress_insights', 'evaluate'), featbit.grant_access('regress_insights', 'record', 'test_insights');
CREATE TABLE insights_facts.assigned AS SELECT * FROM assigned LIMIT 5;
SET ROLE regress_insights;
SELECT * FROM featbit.assignment_agreement('checkout', 'insights_facts.assigned');
SELECT exposures, events, skipped FROM featbit.track_featbit('{"user": {"keyId": "u-20"}, "variations": [{"featureFlagKey": "checkout", "variation": {"id": "v-control"}}], "metrics": [{"eventName": "signup"}]}');
RESET ROLE;
GRANT SELECT ON insights_facts.assigned TO regress_insights;
SET ROLE regress_insights;
SELECT compared, agreed FROM featbit.assignment_agreement('checkout', 'insights_facts.assigned');
RESET ROLE;
SELECT featbit.revoke_access('regress_insights', 'evaluate'), featbit.revoke_access('regress_insights', 'record', 'test_insights');
DROP SCHEMA insights_facts CASCADE;
DROP ROLE regress_insights;
DELETE FROM featbit.flag WHERE environment = 'test_insights';
