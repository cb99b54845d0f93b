-- environments that follow FeatBit's own tables
\set ECHO none
\set generator `echo "$PG_ABS_SRCDIR/featbit/generator.sql"`
\set tables `echo "$PG_ABS_SRCDIR/featbit/tables.sql"`
\set fb 'fb follow'
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i :generator
\i :tables
\set ECHO all
INSERT INTO "fb follow".organizations (id, workspace_id, name, key) VALUES ('00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000b1', 'acme', 'acme');
INSERT INTO "fb follow".projects (id, organization_id, name, key) VALUES ('00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-0000000000a1', 'shop', 'shop');
INSERT INTO "fb follow".environments (id, project_id, name, key) VALUES
    ('00000000-0000-0000-0000-0000000000e1', '00000000-0000-0000-0000-0000000000c1', 'prod', 'prod'),
    ('00000000-0000-0000-0000-0000000000e2', '00000000-0000-0000-0000-0000000000c1', 'dev', 'dev');
-- FeatBit's own role: it knows nothing of the extension
CREATE ROLE regress_featbit_app;
GRANT USAGE ON SCHEMA "fb follow" TO regress_featbit_app;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA "fb follow" TO regress_featbit_app;
CREATE FUNCTION pg_temp.on_off(key text, env text DEFAULT '00000000-0000-0000-0000-0000000000e1') RETURNS void LANGUAGE sql AS $$
    INSERT INTO "fb follow".feature_flags (id, env_id, name, key, variation_type, variations, is_enabled, disabled_variation_id, fallthrough, updated_at)
    VALUES (md5(key || env)::uuid, env::uuid, key, key, 'string', '[{"id": "on", "name": "on", "value": "on"}, {"id": "off", "name": "off", "value": "off"}]', true, 'off',
        '{"dispatchKey": null, "includedInExpt": true, "variations": [{"id": "on", "rollout": [0, 1], "exptRollout": 1}]}', '2026-01-02 03:04:05.678+00')
$$;
SELECT pg_temp.on_off('checkout'), pg_temp.on_off('search'), pg_temp.on_off('checkout', '00000000-0000-0000-0000-0000000000e2');

-- what cannot be followed
SELECT * FROM featbit.follow_featbit('fb follow', '00000000-0000-0000-0000-0000000000e1', 'test_follow', 'listen');
SELECT * FROM featbit.follow_featbit('no such schema', '00000000-0000-0000-0000-0000000000e1', 'test_follow');
SELECT * FROM featbit.follow_featbit('fb follow', '00000000-0000-0000-0000-0000000000e3', 'test_follow');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgfoid = 'featbit.follow_featbit_table()'::regprocedure;

SELECT kind, key, action FROM featbit.follow_featbit('fb follow', '00000000-0000-0000-0000-0000000000e1', 'test_follow');
SELECT * FROM featbit.follow_featbit('fb follow', '00000000-0000-0000-0000-0000000000e1', 'test_follow');
SELECT environment, schema, env_id, mode, newest, behind, lag, error FROM featbit.followed_featbit();
SELECT featbit.evaluate_flag('u', 'checkout', '{}', 'test_follow');

-- a change of FeatBit is seen in its own transaction, and gone when that is undone
SET SESSION AUTHORIZATION regress_featbit_app;
BEGIN;
UPDATE "fb follow".feature_flags SET is_enabled = false, updated_at = updated_at + interval '1 s' WHERE key = 'checkout';
RESET SESSION AUTHORIZATION;
SELECT featbit.evaluate_flag('u', 'checkout', '{}', 'test_follow');
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT featbit.evaluate_flag('u', 'checkout', '{}', 'test_follow'), changed_at > followed_at AS changed FROM featbit.followed_featbit();
SET SESSION AUTHORIZATION regress_featbit_app;
UPDATE "fb follow".feature_flags SET is_enabled = false, updated_at = updated_at + interval '1 s' WHERE key = 'checkout' AND env_id = '00000000-0000-0000-0000-0000000000e1';
INSERT INTO "fb follow".feature_flags (id, env_id, name, key, variation_type, variations, is_enabled, disabled_variation_id, fallthrough)
SELECT gen_random_uuid(), env_id, name, k, variation_type, variations, true, disabled_variation_id, fallthrough FROM "fb follow".feature_flags, unnest('{one,two,three}'::text[]) AS k WHERE key = 'search';
RESET SESSION AUTHORIZATION;
SELECT key, featbit.evaluate_flag('u', key, '{}', 'test_follow'), (SELECT count(*) FROM featbit.flag_revision AS r WHERE r.environment = 'test_follow' AND r.key = f.key) AS revisions, updated_by
FROM featbit.flag AS f WHERE environment = 'test_follow' ORDER BY key;
SELECT DISTINCT comment FROM featbit.flag_revision WHERE environment = 'test_follow';

-- other environments of FeatBit do not matter, and an update of nothing neither
UPDATE "fb follow".feature_flags SET name = 'x' WHERE env_id = '00000000-0000-0000-0000-0000000000e2' OR false;
UPDATE "fb follow".feature_flags SET name = 'x' WHERE false;
SELECT count(*) FROM featbit.flag_revision WHERE environment = 'test_follow';

-- another key: the flag is a new one, the old one is gone; deleted and moved away
UPDATE "fb follow".feature_flags SET key = 'uno' WHERE key = 'one';
DELETE FROM "fb follow".feature_flags WHERE key = 'two';
UPDATE "fb follow".feature_flags SET env_id = '00000000-0000-0000-0000-0000000000e2' WHERE key = 'three';
SELECT key, archived, featbit.evaluate_flag('u', key, '{}', 'test_follow') FROM featbit.flag WHERE environment = 'test_follow' ORDER BY key;

-- segments, also those that are shared with the environment
INSERT INTO "fb follow".segments (id, workspace_id, env_id, name, type, scopes, included, key) VALUES
    ('00000000-0000-0000-0000-0000000000f1', '00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-0000000000e1', 'own', 'environment-specific', '{organization/acme:project/shop:env/prod}', '{u}', 'own'),
    ('00000000-0000-0000-0000-0000000000f2', '00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-0000000000e2', 'other', 'environment-specific', '{organization/acme:project/shop:env/dev}', '{u}', 'other'),
    ('00000000-0000-0000-0000-0000000000f3', '00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-000000000000', 'project', 'shared', '{organization/acme:project/shop}', '{}', 'project'),
    ('00000000-0000-0000-0000-0000000000f4', '00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-000000000000', 'organization', 'shared', '{organization/other,organization/acme}', '{}', 'organization'),
    ('00000000-0000-0000-0000-0000000000f5', '00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-000000000000', 'elsewhere', 'shared', '{organization/acme:project/sho,organization/acme:project/shop:env/pro}', '{}', 'elsewhere'),
    ('00000000-0000-0000-0000-0000000000f6', '00000000-0000-0000-0000-0000000000b2', '00000000-0000-0000-0000-000000000000', 'workspace', 'shared', '{organization/acme}', '{}', 'workspace');
SELECT name, source ->> 'envId' AS env_id, source ->> 'key' AS key, source ->> 'type' AS type FROM featbit.segment WHERE environment = 'test_follow' ORDER BY name;
UPDATE "fb follow".segments SET included = '{v}', updated_at = '2026-02-01' WHERE name = 'own';
DELETE FROM "fb follow".segments WHERE name = 'organization';
SELECT name, included, archived FROM featbit.segment WHERE environment = 'test_follow' ORDER BY name;

-- an error does not reach FeatBit; it is shown, and mended later
SELECT featbit.create_flag('mine', '[{"key": "a", "value": 1}]', environment => 'test_follow');
UPDATE featbit.environment SET protected = true WHERE key = 'test_follow';
SET SESSION AUTHORIZATION regress_featbit_app;
SELECT pg_temp.on_off('mine');
INSERT INTO "fb follow".feature_flags (id, env_id, name, key, variation_type, variations, is_enabled, fallthrough) VALUES ('00000000-0000-0000-0000-0000000000bd', '00000000-0000-0000-0000-0000000000e1', 'bad', E'bad\tkey', 'string', '{}', true, '[]');
RESET SESSION AUTHORIZATION;
SELECT error, error_at IS NOT NULL AS at, behind FROM featbit.followed_featbit();
SELECT semantics, featbit.evaluate_flag('u', 'mine', '{}', 'test_follow') FROM featbit.flag WHERE environment = 'test_follow' AND key = 'mine';
DELETE FROM "fb follow".feature_flags WHERE key = E'bad\tkey';
SELECT * FROM featbit.sync_featbit();
SELECT error, error_at, behind, lag FROM featbit.followed_featbit();

-- a broken table: an error that is shown, or a warning
SET client_min_messages = warning;
ALTER TABLE "fb follow".feature_flags RENAME COLUMN fallthrough TO fallen;
UPDATE "fb follow".feature_flags SET is_enabled = true, updated_at = '2026-03-01' WHERE key = 'checkout';
ALTER TABLE "fb follow".feature_flags RENAME COLUMN fallen TO fallthrough;
ALTER TABLE "fb follow".feature_flags RENAME COLUMN key TO name_of_key;
UPDATE "fb follow".feature_flags SET is_enabled = true, updated_at = '2026-03-01' WHERE name_of_key = 'search';
ALTER TABLE "fb follow".feature_flags RENAME COLUMN name_of_key TO key;
SELECT error, behind, lag > '1 day' AS late FROM featbit.followed_featbit();
SELECT * FROM featbit.sync_featbit('test_follow');
SELECT error, behind, featbit.evaluate_flag('u', 'checkout', '{}', 'test_follow') FROM featbit.followed_featbit();

-- a change by hand that left updated_at alone, while no trigger fired
SET session_replication_role = replica;
UPDATE "fb follow".feature_flags SET is_enabled = false WHERE key = 'checkout';
RESET session_replication_role;
SELECT * FROM featbit.sync_featbit('test_follow');
SELECT * FROM featbit.sync_featbit('test_follow', everything => true);
SELECT featbit.evaluate_flag('u', 'checkout', '{}', 'test_follow');
-- a flag made native is left alone from then on
UPDATE "fb follow".feature_flags SET name = 'mine again', updated_at = '2026-04-01' WHERE key = 'mine';
SELECT error, behind FROM featbit.followed_featbit();
TRUNCATE "fb follow".feature_flags;
SELECT count(*) FILTER (WHERE NOT archived) AS left FROM featbit.flag WHERE environment = 'test_follow';

-- polling: nothing happens until the scheduler comes
SELECT pg_temp.on_off('polled', '00000000-0000-0000-0000-0000000000e2');
SELECT kind, key, action FROM featbit.follow_featbit('fb follow', '00000000-0000-0000-0000-0000000000e2', 'test_follow_dev', 'poll', vanished => 'delete');
SELECT featbit.unfollow_featbit('test_follow'), featbit.unfollow_featbit('test_follow');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgfoid = 'featbit.follow_featbit_table()'::regprocedure;
UPDATE "fb follow".feature_flags SET is_enabled = false, updated_at = '2026-03-01' WHERE key = 'polled';
SELECT pg_temp.on_off('late', '00000000-0000-0000-0000-0000000000e2');
SELECT featbit.evaluate_flag('u', 'polled', '{}', 'test_follow_dev') AS before, behind FROM featbit.followed_featbit();
SELECT * FROM featbit.sync_featbit();
SELECT * FROM featbit.sync_featbit();
SELECT key, featbit.evaluate_flag('u', key, '{}', 'test_follow_dev') FROM featbit.flag WHERE environment = 'test_follow_dev' ORDER BY key;
DELETE FROM "fb follow".feature_flags WHERE key = 'late';
DELETE FROM "fb follow".segments;
SELECT * FROM featbit.sync_featbit();
SELECT kind, key, change FROM featbit.flag_revision WHERE environment = 'test_follow_dev' ORDER BY changed_at, kind, key;
-- the error of one environment does not stop the others
INSERT INTO featbit.follow (environment, schema, env_id, mode, vanished, followed_at, followed_by) VALUES ('test_follow_gone', 'gone', '00000000-0000-0000-0000-0000000000e2', 'poll', 'keep', now(), 'x');
UPDATE "fb follow".feature_flags SET is_enabled = true, updated_at = '2026-05-01' WHERE key = 'polled';
SELECT * FROM featbit.sync_featbit();
SELECT environment, behind, error FROM featbit.followed_featbit();
SELECT * FROM featbit.sync_featbit('test_follow_typo');

-- only the owner of the extension
CREATE ROLE regress_featbit_manager;
SELECT featbit.grant_access('regress_featbit_manager', 'manage');
SET SESSION AUTHORIZATION regress_featbit_manager;
SELECT count(*) FROM featbit.follow;
INSERT INTO featbit.follow (environment, schema, env_id, mode, vanished, followed_at, followed_by) VALUES ('x', 'y', '00000000-0000-0000-0000-0000000000e2', 'poll', 'keep', now(), 'x');
SELECT * FROM featbit.follow_featbit('fb follow', '00000000-0000-0000-0000-0000000000e1', 'test_follow');
SELECT * FROM featbit.sync_featbit();
RESET SESSION AUTHORIZATION;
SELECT featbit.unfollow_featbit('test_follow_dev'), featbit.unfollow_featbit('test_follow_gone');
-- the tables of FeatBit are as they were
DROP SCHEMA "fb follow" CASCADE;
DROP SCHEMA fb_data CASCADE;
SELECT featbit.revoke_access('regress_featbit_manager', 'manage');
DROP ROLE regress_featbit_manager, regress_featbit_app;
