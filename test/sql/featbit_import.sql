-- import and export of FeatBit's payloads
\set ECHO none
\set generator `echo "$PG_ABS_SRCDIR/featbit/generator.sql"`
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i :generator
\set ECHO all
SET featbit.environment = 'test_import';

-- versions: whole milliseconds, rounded down; times in UTC
SELECT u AS updated_at, featbit.featbit_version(to_jsonb(u)), featbit.featbit_time(u)
FROM unnest('{2026-01-02T03:04:05.9999999Z,2026-01-02T03:04:05.678Z,2026-01-02T03:04:05Z,2026-01-02 03:04:05.678901+02,2026-01-02T03:04:05.5,1969-12-31T23:59:59.9995Z,2026-01-02,yesterday,""}'::text[]) AS u;
SELECT j, featbit.featbit_version(j) FROM unnest('{1767323045678,1767323045678.9,-0.5,1e15,true,null,"[]","{\"a\": 1}"}'::jsonb[]) AS j;
SELECT featbit.featbit_version(NULL), featbit.featbit_time(NULL);

-- a message, and the columns it becomes
CREATE TEMPORARY TABLE message AS SELECT '{"messageType": "data-sync", "data": {"eventType": "full",
 "featureFlags": [{"id": "f1", "envId": "e1", "name": "checkout redesign", "description": null, "key": ".checkout", "variationType": "string",
   "variations": [{"id": "v1", "name": "control", "value": "control"}, {"id": "v2", "name": "blue", "value": "blue"}],
   "targetUsers": [{"keyIds": ["vip-1", "vip-2"], "variationId": "v2"}],
   "rules": [{"id": "r1", "name": "EU accounts", "dispatchKey": "accountId", "includedInExpt": true,
     "conditions": [{"id": "c1", "property": "region", "op": "IsOneOf", "value": "[\"eu\",\"uk\"]"}, {"id": "c2", "property": "User is in segment", "op": null, "value": "[\"s1\"]"}],
     "variations": [{"id": "v1", "rollout": [0, 0.30000000000000004], "exptRollout": 0.25}, {"id": "v2", "rollout": [0.30000000000000004, 1], "exptRollout": 0.25}]}],
   "isEnabled": true, "disabledVariationId": "v1",
   "fallthrough": {"dispatchKey": null, "includedInExpt": true, "variations": [{"id": "v1", "rollout": [0, 1], "exptRollout": 1}]},
   "exptIncludeAllTargets": false, "tags": ["checkout"], "updatedAt": "2026-01-02T03:04:05.678Z", "isArchived": false, "insightsEnabled": true}],
 "segments": [{"id": "s1", "envId": "e1", "name": "beta", "description": "", "included": ["beta-1"], "excluded": ["beta-2"],
   "rules": [{"id": "sr1", "name": "rule 1", "conditions": [{"id": "sc1", "property": "age", "op": "BiggerThan", "value": "20"}]}],
   "updatedAt": "2026-01-02T03:04:05.678Z", "isArchived": false}]}}'::jsonb AS m;
SELECT kind, key, action, problem, notes FROM message, featbit.import_featbit(m, dry_run => true);
SELECT count(*) FROM featbit.environment WHERE key = 'test_import';
SELECT kind, key, action, problem, notes FROM message, featbit.import_featbit(m, comment => 'first import');
SELECT environment, key, name, description, type, enabled, off_variation, prerequisites, salt, semantics, tags, archived, source, revision FROM featbit.flag WHERE environment = 'test_import';
SELECT variations, targets, rules, fallthrough FROM featbit.flag WHERE environment = 'test_import';
SELECT environment, key, name, description, included, excluded, condition, semantics, archived, source FROM featbit.segment WHERE environment = 'test_import';
SELECT kind, key, change, comment FROM featbit.flag_revision WHERE environment = 'test_import' ORDER BY kind;
-- evaluated as FeatBit does
SELECT u.user_key, featbit.evaluate_flag(u.user_key, '.checkout', u.context)
FROM (VALUES ('vip-1', '{}'::jsonb), ('beta-1', '{"region": "eu", "accountId": "acct-1"}'), ('x', '{"region": "eu", "age": "21", "accountId": "acct-2"}'), ('beta-2', '{"region": "eu", "age": "21", "accountId": "acct-2"}')) AS u (user_key, context);
-- again: nothing happens. Out again: what came in.
SELECT kind, key, action, problem, notes FROM message, featbit.import_featbit(m);
SELECT count(*) FROM featbit.flag_revision WHERE environment = 'test_import';
SELECT featbit.export_featbit() = m AS same FROM message;

-- what would change, in words
SELECT action, notes FROM message, featbit.import_featbit(jsonb_set(jsonb_set(jsonb_set(m, '{data,featureFlags,0,isEnabled}', 'false'), '{data,featureFlags,0,rules,0,conditions,0,value}', '"[\"us\"]"'),
    '{data,featureFlags,0,fallthrough,variations}', '[{"id": "v1", "rollout": [0, 0.2], "exptRollout": 0.2}, {"id": "v2", "rollout": [0.2, 1], "exptRollout": 0.8}]'), dry_run => true) WHERE kind = 'flag';
SELECT enabled FROM featbit.flag WHERE environment = 'test_import';

-- patches: the newer wins, to the millisecond
CREATE FUNCTION pg_temp.patch(updated_at text, enabled boolean) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('messageType', 'data-sync', 'data', jsonb_build_object('eventType', 'patch', 'segments', '[]'::jsonb, 'featureFlags', jsonb_build_array(
        m #> '{data,featureFlags,0}' || jsonb_build_object('updatedAt', updated_at, 'isEnabled', enabled)))) FROM message
$$;
SELECT action, notes FROM featbit.import_featbit(pg_temp.patch('2026-01-02T03:04:05.677Z', false));
SELECT action, notes FROM featbit.import_featbit(pg_temp.patch('2026-01-02T03:04:05.6789Z', false));
SELECT action, notes FROM featbit.import_featbit(pg_temp.patch('2026-01-02T05:04:05.679+02:00', false));
SELECT action, notes FROM featbit.import_featbit(pg_temp.patch('some day', true));
SELECT enabled, source -> 'updatedAt' AS updated_at FROM featbit.flag WHERE environment = 'test_import';
-- a full message mirrors, also what is older
SELECT kind, action, notes FROM message, featbit.import_featbit(m);

-- what is no longer there: archived, deleted or kept; a segment in use too, as FeatBit's flags may refer to what is gone
CREATE TEMPORARY TABLE empty AS SELECT '{"eventType": "full", "featureFlags": [], "segments": []}'::jsonb AS m;
SELECT kind, key, action, problem, notes FROM empty, featbit.import_featbit(m, vanished => 'keep', dry_run => true);
SELECT kind, key, action, problem, notes FROM empty, featbit.import_featbit(m, vanished => 'delete', dry_run => true);
SELECT kind, key, action, notes FROM empty, featbit.import_featbit(m);
SELECT kind, key, action, notes FROM empty, featbit.import_featbit(m);
SELECT key, archived, featbit.evaluate_flag('vip-1', key) FROM featbit.flag WHERE environment = 'test_import';
SELECT kind, action, notes FROM message, featbit.import_featbit(m);
SELECT kind, action FROM empty, featbit.import_featbit(m, vanished => 'delete');
SELECT count(*) FROM featbit.flag WHERE environment = 'test_import';
SELECT featbit.export_featbit();
SELECT kind, action FROM message, featbit.import_featbit(m);

-- native flags are left alone, unless told otherwise
SELECT featbit.create_flag('native', '[{"key": "a", "value": 1}]');
INSERT INTO featbit.segment (key, included) VALUES ('native', '{u}');
CREATE TEMPORARY TABLE native AS SELECT jsonb_build_array(m #> '{data,featureFlags,0}' || '{"key": "native"}', m #> '{data,segments,0}' || '{"id": "native"}') AS m FROM message;
SELECT kind, key, action, problem, notes FROM native, featbit.import_featbit(m);
SELECT semantics, featbit.evaluate_flag('u', 'native') FROM featbit.flag WHERE environment = 'test_import' AND key = 'native';
SELECT featbit.export_featbit();
SELECT featbit.export_featbit(native => 'convert');
SELECT featbit.export_featbit(native => 'skip') = m AS same FROM message;
SELECT kind, key, action, notes FROM native, featbit.import_featbit(m, replace_native => true);
SELECT semantics, featbit.evaluate_flag('u', 'native') FROM featbit.flag WHERE environment = 'test_import' AND key = 'native';
-- an empty full message does not touch native ones
SELECT featbit.create_flag('native-2', '[{"key": "a", "value": 1}]');
SELECT kind, key, action FROM empty, featbit.import_featbit(m, vanished => 'delete') ORDER BY kind, key;
SELECT featbit.delete_flag('native-2');

-- all forms of payloads; places count from 0
CREATE FUNCTION pg_temp.try(payload jsonb) RETURNS TABLE (kind text, key text, action text, problem text) LANGUAGE sql AS $$
    SELECT i.kind, i.key, i.action, i.problem FROM featbit.import_featbit(payload, 'test_import_forms', dry_run => true) AS i
$$;
CREATE TEMPORARY TABLE part AS SELECT m #> '{data,featureFlags,0}' AS f, m #> '{data,segments,0}' AS s FROM message;
SELECT t.* FROM part, pg_temp.try(f) AS t;
SELECT t.* FROM part, pg_temp.try(s) AS t;
SELECT t.* FROM part, pg_temp.try(jsonb_build_array(s, f)) AS t;
SELECT t.* FROM part, pg_temp.try(jsonb_build_object('success', true, 'errors', '[]'::jsonb, 'data', f || '{"revision": "r", "createdAt": "2026-01-01T00:00:00Z", "creatorId": "c"}')) AS t;
SELECT t.* FROM part, pg_temp.try(jsonb_build_object('success', true, 'data', jsonb_build_object('totalCount', 2, 'items', jsonb_build_array(f, '{"id": "x", "key": "x", "isEnabled": true, "variationType": "boolean", "serves": {}}'::jsonb)))) AS t;
SELECT t.* FROM part, pg_temp.try(jsonb_build_object('featureFlags', jsonb_build_array(f, f || '{"updatedAt": "2027-01-01T00:00:00Z"}', f))) AS t;
SELECT t.* FROM part, pg_temp.try(jsonb_build_object('messageType', 'data-sync', 'data', jsonb_build_object('eventType', 'rp_full', 'items', jsonb_build_array(jsonb_build_object('envId', 'e1', 'secrets', '[]'::jsonb, 'featureFlags', jsonb_build_array(f), 'segments', jsonb_build_array(s)))))) AS t;
SELECT t.* FROM pg_temp.try('{"eventType": "patch", "segments": null}') AS t;
SELECT t.* FROM part, pg_temp.try(jsonb_build_array(f - 'key', f || '{"key": 7}', f || '{"key": ""}', jsonb_set(f, '{key}', to_jsonb(repeat('k', 129))), f || '{"key": "a\u0009b"}', f || '{"key": "ключ"}', s - 'id')) AS t;
-- problems and patterns that may mean something else are told
SELECT i.action, i.problem, i.notes FROM part, featbit.import_featbit(jsonb_set(jsonb_set(f, '{rules,0,conditions}', '[{"property": "a", "op": "MatchRegex", "value": "[[:alpha:]]+"}, {"property": "b", "op": "MatchRegex", "value": "("}, {"property": "c", "op": "Like", "value": ""}]'),
    '{fallthrough,variations,0,rollout}', '[0, 0.5]'), 'test_import_forms', dry_run => true) AS i;
-- rows of tables
SELECT featbit.featbit_entity('{"id": 1, "env_id": 2, "expt_include_all_targets": true, "updated_at": "2026-01-02T04:04:05.678+01:00", "created_at": null, "committed_version": 3, "pending": {}, "x": {"not_this": 1}, "_a": 1}');
SELECT t.* FROM pg_temp.try('[{"id": "f1", "env_id": "e1", "key": "row", "name": "r", "variation_type": "boolean", "variations": [{"id": "v", "name": "v", "value": "true"}], "target_users": [], "rules": [], "is_enabled": true,
    "disabled_variation_id": "v", "fallthrough": {"variations": [{"id": "v", "rollout": [0, 1]}]}, "tags": null, "is_archived": false, "updated_at": "2026-01-02T03:04:05.678+00:00"},
    {"id": "s9", "env_id": "e1", "workspace_id": "w", "included": [], "excluded": [], "rules": []}]') AS t;

-- what is no payload
SELECT * FROM pg_temp.try(NULL);
SELECT * FROM pg_temp.try('7');
SELECT * FROM pg_temp.try('{}');
SELECT * FROM pg_temp.try('{"messageType": "pong", "data": {}}');
SELECT * FROM pg_temp.try('{"messageType": "data-sync"}');
SELECT * FROM pg_temp.try('{"messageType": "data-sync", "data": "x"}');
SELECT * FROM pg_temp.try('{"success": false, "errors": ["Unauthorized"], "data": null}');
SELECT * FROM pg_temp.try('{"data": {"eventType": "full"}}');
SELECT * FROM pg_temp.try('{"data": {"eventType": "delta", "featureFlags": []}}');
SELECT * FROM pg_temp.try('{"data": {"eventType": "full", "userKeyId": "u", "featureFlags": []}}');
SELECT * FROM pg_temp.try('{"data": {"eventType": "full", "featureFlags": {"a": 1}}}');
SELECT * FROM pg_temp.try('{"data": {"eventType": "full", "featureFlags": [{"key": "a"}, 7]}}');
SELECT * FROM pg_temp.try('{"data": {"eventType": "rp_full", "items": [{}, {}]}}');
SELECT * FROM pg_temp.try('{"success": true, "data": {"items": [{"variations": []}, {"name": "x"}]}}');
SELECT * FROM pg_temp.try('{"featureFlags": [{"key": "a", "envId": "e1", "variations": []}, {"key": "b", "envId": "e2", "variations": []}]}');
SELECT * FROM featbit.import_featbit('[]', missing_attribute => 'null');
SELECT * FROM featbit.import_featbit('[]', vanished => 'drop');
SELECT i.* FROM part, featbit.import_featbit(f, 'bad environment!') AS i;
SELECT featbit.export_featbit('test_imprt');
UPDATE featbit.environment SET protected = true WHERE key = 'test_import';
SELECT action FROM native, featbit.import_featbit(m);
SELECT action FROM native, featbit.import_featbit(m, comment => 'said why');
UPDATE featbit.environment SET protected = false WHERE key = 'test_import';

-- the option stays with a flag until another is given, and is never exported
SELECT action FROM message, featbit.import_featbit(m, 'test_import_option', missing_attribute => 'no_match');
SELECT DISTINCT action FROM message, featbit.import_featbit(m, 'test_import_option');
SELECT source -> 'missingAttribute' AS option FROM featbit.flag WHERE environment = 'test_import_option' UNION ALL SELECT source -> 'missingAttribute' FROM featbit.segment WHERE environment = 'test_import_option';
SELECT featbit.export_featbit('test_import_option') = m AS same FROM message;
SELECT DISTINCT action FROM message, featbit.import_featbit(m, 'test_import_option', missing_attribute => 'empty');

-- a change made here is newer than FeatBit's
SELECT featbit.disable_flag('.checkout', environment => 'test_import_option') > 1 AS disabled;
SELECT featbit.featbit_version(e #> '{data,featureFlags,0,updatedAt}') > featbit.featbit_version('"2026-01-02T03:04:05.678Z"') AS newer, e #> '{data,featureFlags,0,isEnabled}' AS enabled,
    e #> '{data,segments,0,updatedAt}' AS segment FROM featbit.export_featbit('test_import_option') AS e;

-- import, export, import: the identity, whatever the data look like
CREATE TEMPORARY TABLE disturbed AS SELECT fb_data.disturbed_environment('a', 210, 30) AS e;
SELECT kind, action, count(*) FROM disturbed, featbit.import_featbit(e, 'test_import_any') GROUP BY kind, action ORDER BY kind;
SELECT count(*) AS flags, count(*) FILTER (WHERE a.e IS DISTINCT FROM b.e) AS differ
FROM (SELECT jsonb_array_elements(e #> '{data,featureFlags}') FROM disturbed) AS a (e)
FULL JOIN jsonb_array_elements(featbit.export_featbit('test_import_any') #> '{data,featureFlags}') AS b (e) ON a.e ->> 'key' = b.e ->> 'key';
SELECT count(*) AS segments, count(*) FILTER (WHERE a.e IS DISTINCT FROM b.e) AS differ
FROM (SELECT jsonb_array_elements(e #> '{data,segments}') FROM disturbed) AS a (e)
FULL JOIN jsonb_array_elements(featbit.export_featbit('test_import_any') #> '{data,segments}') AS b (e) ON a.e ->> 'id' = b.e ->> 'id';
SELECT kind, action, count(*) FROM featbit.import_featbit(featbit.export_featbit('test_import_any'), 'test_import_any') GROUP BY kind, action ORDER BY kind;
SELECT kind, action, count(*) FROM featbit.import_featbit(featbit.export_featbit('test_import_any'), 'test_import_copy') GROUP BY kind, action ORDER BY kind;
SELECT featbit.export_featbit('test_import_copy') = featbit.export_featbit('test_import_any') AS same;
-- every one of them can be evaluated
SELECT count(*) > 0 AS evaluated, count(*) FILTER (WHERE r.error_code = 'GENERAL') > 0 AS malformed, count(DISTINCT r.reason) AS reasons FROM featbit.flag AS f, fb_data.users('u', 5) AS u, featbit.resolve(f.key, u.context || jsonb_build_object('targetingKey', u.user_key), 'test_import_any') AS r WHERE f.environment = 'test_import_any';

-- thousands of changes are told by their parts
SELECT min(notes), max(notes), count(*) FROM featbit.export_featbit('test_import_copy') AS e, featbit.import_featbit(jsonb_set(e, '{data,featureFlags}',
    (SELECT jsonb_agg(f || '{"fallthrough": {"variations": []}}') FROM jsonb_array_elements(e #> '{data,featureFlags}') AS f)), 'test_import_copy', dry_run => true) WHERE action = 'updated' AND kind = 'flag';

-- importing is a matter of managers, in their environments
CREATE ROLE regress_featbit_importer;
GRANT SELECT ON native TO regress_featbit_importer;
SELECT featbit.grant_access('regress_featbit_importer', 'manage', 'test_import');
SET SESSION AUTHORIZATION regress_featbit_importer;
SELECT action, notes FROM native, featbit.import_featbit(m, 'test_import', missing_attribute => 'no_match', dry_run => true);
SELECT jsonb_array_length(featbit.export_featbit('test_import') #> '{data,featureFlags}') AS flags;
SELECT action FROM featbit.import_featbit('[{"key": "a", "variations": []}]', 'test_import_forms');
SELECT featbit.export_featbit('test_import_any');
RESET SESSION AUTHORIZATION;
SELECT featbit.revoke_access('regress_featbit_importer', 'manage', 'test_import');
DROP OWNED BY regress_featbit_importer;
DROP ROLE regress_featbit_importer;
DROP SCHEMA fb_data CASCADE;
