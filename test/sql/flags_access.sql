-- who may evaluate, record, analyse and manage; attacks
\set SHOW_CONTEXT never
SET featbit.environment = 'test_access';
\set ECHO all
SELECT featbit.create_flag('door', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', fallthrough => '{"variation": "off"}', environment => e) > 0 AS created
FROM unnest(ARRAY['test_access', 'test_access_b']) AS e;
SELECT featbit.set_targets('door', 'on', '{fb_alice}', environment => 'test_access') > 0 AS targeted;
SELECT featbit.create_segment('secret-segment', '{victim}', environment => 'test_access_b') > 0 AS created;
SELECT featbit.update_flag('door', '{"description": "the secret", "rules": [{"id": "secret-rule", "when": {"segment": "secret-segment"}, "serve": {"variation": "off"}}]}', environment => 'test_access_b') > 0 AS changed;
SELECT featbit.create_tracking('fb_facts', 'test_access'), featbit.create_tracking('fb_facts_b', 'test_access_b');
CREATE ROLE fb_alice;
CREATE ROLE fb_bob;
CREATE ROLE fb_analyst;
CREATE ROLE fb_manager;
CREATE ROLE "fb_o'dd""role; --%s";

-- nothing is PUBLIC's, nothing is unlimited, and every function belongs to a task or to the owner alone
SELECT p.oid::regprocedure AS executable_by_public
FROM pg_proc AS p WHERE p.pronamespace = 'featbit'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE');
SELECT c.oid::regclass AS readable_by_public
FROM pg_class AS c WHERE c.relnamespace = 'featbit'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND has_table_privilege('public', c.oid, 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER,REFERENCES');
SELECT has_schema_privilege('public', 'featbit', 'USAGE') AS schema_used_by_public;
SELECT c.oid::regclass AS without_row_security
FROM pg_class AS c
WHERE c.relnamespace = 'featbit'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
  AND (c.relname = 'environment' OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'environment' AND NOT a.attisdropped));
SELECT c.oid::regclass AS runs_as_owner
FROM pg_class AS c
WHERE c.relnamespace = 'featbit'::regnamespace AND c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
  AND current_setting('server_version_num')::integer >= 150000;
SELECT p.oid::regprocedure AS owner_only
FROM pg_proc AS p
WHERE p.pronamespace = 'featbit'::regnamespace AND p.prorettype <> 'trigger'::regtype
  AND NOT EXISTS (SELECT FROM unnest(ARRAY['evaluate', 'record', 'analyse', 'manage']) AS t, featbit.task_functions(t) AS f WHERE f = p.oid)
ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT p.oid::regprocedure AS writes_for_evaluate_or_analyse
FROM unnest(ARRAY['evaluate', 'analyse']) AS t, featbit.task_functions(t) AS f JOIN pg_proc AS p ON p.oid = f WHERE p.provolatile = 'v';

-- without a grant nothing works
SET ROLE fb_bob;
SELECT featbit.evaluate_flag('u', 'door');
SELECT * FROM featbit.flag;
RESET ROLE;
GRANT USAGE ON SCHEMA featbit TO fb_bob;
SET ROLE fb_bob;
SELECT featbit.evaluate_flag('u', 'door');
SELECT featbit.grant_access('fb_bob', 'manage');
SELECT featbit.lock_environment('test_access');
SELECT * FROM featbit.flag;
CREATE TEMP TABLE fb_mine (environment text, key text, revision bigint);
CREATE TRIGGER t BEFORE INSERT ON fb_mine FOR EACH ROW EXECUTE FUNCTION featbit.flag_before_write();
CREATE TRIGGER t AFTER INSERT ON fb_mine FOR EACH ROW EXECUTE FUNCTION featbit.record_revision();
CREATE TRIGGER t AFTER INSERT ON fb_mine FOR EACH ROW EXECUTE FUNCTION featbit.invalidate_configuration();
RESET ROLE;
REVOKE USAGE ON SCHEMA featbit FROM fb_bob;
DROP TABLE fb_mine;

-- bad arguments
SELECT featbit.grant_access('fb_nobody', 'evaluate');
SELECT featbit.grant_access('fb_alice', 'manages');
SELECT featbit.grant_access(NULL, 'evaluate');
SELECT featbit.grant_access('fb_alice', NULL);
SELECT featbit.grant_access('fb_alice', 'evaluate', 'test_access');
SELECT featbit.grant_access('fb_alice', 'manage', 'x'' OR true --');
SELECT featbit.grant_access('fb_alice', 'record', 'test_access_none');
SELECT featbit.grant_access('fb_alice; DROP TABLE featbit.flag', 'evaluate');
SELECT featbit.revoke_access('fb_alice', 'evaluates');
SELECT featbit.revoke_access('fb_nobody', 'evaluate');

-- evaluate: one call, no right on tables
SELECT featbit.grant_access('fb_alice', 'evaluate') AS granted, featbit.grant_access('fb_alice', 'evaluate') AS again;
SELECT featbit.grant_access('fb_o''dd"role; --%s', 'evaluate') AS odd;
SET ROLE "fb_o'dd""role; --%s";
SELECT featbit.evaluate_flag('u', 'door');
SET ROLE fb_alice;
SELECT featbit.evaluate_flag('u', 'door'), featbit.flag_bool('u', 'door', true, environment => 'test_access_b'), (featbit.resolve('door', '{"targetingKey": "u"}')).reason;
SELECT * FROM featbit.flag;
SELECT featbit.expose('u', 'door');
SELECT featbit.disable_flag('door');
RESET ROLE;

-- record: INSERT on the tables of the environment
SELECT featbit.grant_access('fb_bob', 'record', 'test_access');
SET ROLE fb_bob;
SELECT featbit.expose('u', 'door'), featbit.expose('u', 'door');
SELECT featbit.expose_batch('{u, v}', 'door');
SELECT featbit.track('u', 'bought', 1), featbit.track('u', 'bought', 1, '{}', '2026-01-01 00:00+00', NULL, 'k'), featbit.track('u', 'bought', 1, '{}', '2026-01-01 00:00+00', NULL, 'k');
SELECT featbit.track_batch('{u, v}', 'bought');
SELECT featbit.track('u', 'bought', environment => 'test_access_b');
SELECT featbit.expose('u', 'door', environment => 'test_access_b');
SELECT value FROM fb_facts.event;
DELETE FROM fb_facts.exposure;
SELECT featbit.evaluate_flag('u', 'door');
RESET ROLE;

-- analyse: facts, history and results of the environment
SELECT featbit.grant_access('fb_analyst', 'analyse', 'test_access');
SET ROLE fb_analyst;
SELECT variation, users FROM featbit.flag_results('door', 'bought');
SELECT environment, key FROM featbit.flag;
SELECT DISTINCT environment FROM featbit.flag_revision;
SELECT key FROM featbit.environment;
SELECT count(*) FROM featbit.segment;
SELECT * FROM featbit.flag_results('door', 'bought', environment => 'test_access_b');
SELECT count(*) FROM fb_facts_b.event;
UPDATE featbit.flag SET enabled = false;
INSERT INTO fb_facts.event SELECT * FROM fb_facts.event;
SELECT featbit.lock_environment('test_access');
RESET ROLE;

-- manage: one environment
SELECT featbit.grant_access('fb_manager', 'manage', 'test_access');
SET ROLE fb_manager;
SELECT featbit.disable_flag('door', comment => 'by the manager') > 0 AS disabled, featbit.enable_flag('door') > 0 AS enabled;
SELECT featbit.create_flag('window', '[{"key": "on", "value": true}]') > 0 AS created;
SELECT featbit.add_rule('window', '{"when": {"attribute": "a", "op": "eq", "value": 1}, "serve": {"variation": "on"}}') > 0 AS added;
UPDATE featbit.flag SET description = 'mine' WHERE key = 'window' RETURNING environment, updated_by = session_user AS stamped;
SELECT environment, key FROM featbit.flag ORDER BY key;
SELECT DISTINCT environment FROM featbit.flag_revision;
UPDATE featbit.environment SET name = 'A' RETURNING key;
-- not its history, protection, version and tracking schema, nor its existence
INSERT INTO featbit.flag_revision SELECT * FROM featbit.flag_revision LIMIT 1;
UPDATE featbit.flag_revision SET comment = 'another';
DELETE FROM featbit.flag_revision;
TRUNCATE featbit.flag_revision;
UPDATE featbit.environment SET protected = false;
UPDATE featbit.environment SET tracking_schema = 'pg_temp';
UPDATE featbit.environment SET config_version = 1;
INSERT INTO featbit.environment (key) VALUES ('test_access_c');
DELETE FROM featbit.environment;
INSERT INTO featbit.flag (key, variations, revision) VALUES ('forged', '[{"key": "on", "value": true}]', 1);
SELECT featbit.create_tracking('fb_manager_facts');
ALTER TABLE featbit.flag DISABLE TRIGGER record_revision;
ALTER TABLE featbit.flag DISABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON featbit.flag USING (true);
SET session_replication_role = replica;
-- another environment can neither be read nor written nor locked
SELECT count(*) FROM featbit.flag WHERE environment = 'test_access_b';
SELECT count(*) FROM featbit.segment WHERE environment = 'test_access_b';
SELECT count(*) FROM featbit.flag_revision WHERE environment = 'test_access_b';
SELECT count(*) FROM featbit.environment WHERE key = 'test_access_b';
UPDATE featbit.flag SET enabled = false WHERE environment = 'test_access_b';
UPDATE featbit.flag SET environment = 'test_access_b' WHERE key = 'window';
DELETE FROM featbit.flag WHERE environment = 'test_access_b';
DELETE FROM featbit.segment WHERE environment = 'test_access_b';
UPDATE featbit.environment SET name = 'mine' WHERE key = 'test_access_b';
INSERT INTO featbit.flag (environment, key, variations) VALUES ('test_access_b', 'x', '[{"key": "on", "value": true}]');
-- neither does a message of the validation show what is there
INSERT INTO featbit.flag (environment, key, variations, rules)
VALUES ('test_access_b', 'x', '[{"key": "on", "value": true}]', '[{"id": "r", "when": {"segment": "secret-segmen"}, "serve": {"variation": "on"}}]');
INSERT INTO featbit.flag (environment, key, variations) VALUES ('test_access_b', 'door', '[{"key": "on", "value": true}]') ON CONFLICT DO NOTHING;
INSERT INTO featbit.flag (environment, key, variations) VALUES ('test_access_b', 'door', '[{"key": "on", "value": true}]')
    ON CONFLICT (environment, key) DO UPDATE SET enabled = false;
INSERT INTO featbit.segment (environment, key) VALUES ('test_access_b', 'x');
INSERT INTO featbit.flag (environment, key, variations) VALUES ('test_access_new', 'x', '[{"key": "on", "value": true}]');
SELECT featbit.create_flag('x', '[{"key": "on", "value": true}]', environment => 'test_access_b');
SELECT featbit.update_flag('door', '{"enabled": false}', environment => 'test_access_b');
SELECT featbit.disable_flag('door', environment => 'test_access_b');
SELECT featbit.set_rollout('door', '[{"variation": "on", "weight": 1}]', environment => 'test_access_b');
SELECT featbit.add_rule('door', '{"when": {"attribute": "a", "op": "exists"}, "serve": {"variation": "on"}}', environment => 'test_access_b');
SELECT featbit.set_targets('door', 'on', '{u}', environment => 'test_access_b');
SELECT featbit.set_variation('door', 'on', 'false', environment => 'test_access_b');
SELECT featbit.create_segment('x', environment => 'test_access_b');
SELECT featbit.lock_environment('test_access_b');
SELECT featbit.begin_change('test_access_b', 'x');
SELECT featbit.stored_flag('door', 'test_access_b');
SELECT featbit.nearest_key('flag', 'dor', 'test_access_b') AS flag, featbit.nearest_key('segment', 'secret-segmen', 'test_access_b') AS segment, featbit.nearest_key('flag', 'dor') AS own;
SELECT featbit.copy_flag('door', 'test_access_b');
SELECT featbit.copy_flag('door', 'test_access', 'stolen', environment => 'test_access_b');
SELECT * FROM featbit.clone_environment('test_access_b', 'test_access_c');
SELECT * FROM featbit.clone_environment('test_access', 'test_access_c');
SELECT featbit.restore_flag('door', 1, environment => 'test_access_b');
SELECT featbit.delete_flag('door', environment => 'test_access_b');
SELECT featbit.insert_flag('{"environment": "test_access_b", "key": "x", "variations": [{"key": "on", "value": true}]}');
SELECT featbit.flag_definition('door', 'test_access_b');
SELECT count(*) FROM featbit.compare_environments('test_access_b', 'test_access_b');
SELECT count(*) FROM featbit.flag_problems('test_access_b');
SELECT count(*) FROM featbit.explain_flag('u', 'door', environment => 'test_access_b');
SELECT count(*) FROM featbit.diff_flag('door', 1, environment => 'test_access_b');
DO $$
DECLARE
    v name;
    others bigint;
BEGIN
    -- PostgreSQL 14 runs a view as its owner, so that only a manager of all environments may read it
    FOR v IN SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'featbit'::regnamespace AND c.relkind = 'v' LOOP
        BEGIN
            EXECUTE format('SELECT count(*) FROM featbit.%I AS v WHERE to_jsonb(v)::text LIKE ''%%test_access_b%%''', v) INTO others;
            IF others > 0 THEN
                RAISE NOTICE 'view % shows % rows of another environment', v, others;
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN
            IF current_setting('server_version_num')::integer >= 150000 THEN
                RAISE NOTICE 'view %: %', v, SQLERRM;
            END IF;
        END;
    END LOOP;
END $$;
SET featbit.environment = 'test_access_b';
SELECT featbit.disable_flag('door');
INSERT INTO featbit.flag (key, variations) VALUES ('x', '[{"key": "on", "value": true}]');
SET featbit.environment = 'test_access';
-- evaluation does not come with managing
SELECT featbit.evaluate_flag('u', 'door', environment => 'test_access_b');
RESET ROLE;
-- every function that takes an environment refuses or shows nothing: none of them changes the other environment
CREATE TEMP TABLE fb_before AS SELECT key, config_version FROM featbit.environment WHERE key = 'test_access_b';
CREATE FUNCTION fb_try_all(environment text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    f record;
    called bigint := 0;
    answer text;
BEGIN
    FOR f IN SELECT p.oid, p.oid::regproc AS name, p.proargnames, p.proargtypes::oid[] AS types, p.pronargs FROM pg_proc AS p
             WHERE p.pronamespace = 'featbit'::regnamespace AND p.prokind = 'f' AND 'environment' = ANY (p.proargnames[1:p.pronargs])
    LOOP
        BEGIN
            EXECUTE format('SELECT string_agg(r::text, '' '') FROM %s(%s) AS r', f.name, (
                SELECT string_agg(format('%I => %s::%s', f.proargnames[i], CASE
                    WHEN f.proargnames[i] = 'environment' THEN quote_literal(environment)
                    WHEN f.proargnames[i] LIKE '%\_key' THEN quote_literal('door')
                    WHEN f.proargnames[i] = 'variation' THEN quote_literal('on')
                    ELSE 'NULL' END, f.types[i - 1]::regtype), ', ')
                FROM generate_series(1, f.pronargs) AS i)) INTO answer;
            called := called + 1;
            IF environment = 'test_access_b' AND answer ~ 'secret|victim' THEN
                RAISE WARNING '% answers %', f.oid::regprocedure, answer;
            END IF;
            IF environment = 'test_access' THEN
                RAISE EXCEPTION 'undo what was allowed';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            IF environment = 'test_access_b' AND SQLERRM ~ 'secret|victim' THEN
                RAISE WARNING '% says %', f.oid::regprocedure, SQLERRM;
            END IF;
        END;
    END LOOP;
    RETURN called;
END $$;
SET ROLE fb_manager;
SELECT fb_try_all('test_access') > fb_try_all('test_access_b') AS tried;
RESET ROLE;
SELECT count(*) AS untouched FROM featbit.environment NATURAL JOIN fb_before;
DROP FUNCTION fb_try_all;
DROP TABLE fb_before;
SELECT enabled, description FROM featbit.flag WHERE environment = 'test_access_b';

-- policies of one's own count as well; a restrictive one takes away
CREATE POLICY own ON featbit.flag TO fb_manager USING (environment LIKE 'test\_access\_own%' AND 'mine' = ANY (tags));
SET ROLE fb_manager;
SELECT featbit.create_flag('x', '[{"key": "on", "value": true}]', tags => '{mine}', environment => 'test_access_own') > 0 AS created;
SELECT featbit.create_flag('y', '[{"key": "on", "value": true}]', environment => 'test_access_own');
SELECT featbit.create_flag('y', '[{"key": "on", "value": true}]', tags => '{mine}', environment => 'test_access_b');
RESET ROLE;
CREATE POLICY less ON featbit.flag AS RESTRICTIVE FOR INSERT TO fb_manager WITH CHECK (environment <> 'test_access');
SET ROLE fb_manager;
SELECT featbit.create_flag('z', '[{"key": "on", "value": true}]');
RESET ROLE;
-- which task an environment is asked for
SET ROLE fb_manager;
SELECT featbit.has_access('manage', 'test_access') AS manages, featbit.has_access('manage', 'test_access_b') AS manages_b, featbit.has_access('analyse', 'test_access') AS analyses, featbit.has_access('manage', NULL) AS unknown;
SELECT * FROM featbit.access;
RESET ROLE;
DROP POLICY own ON featbit.flag;
DROP POLICY less ON featbit.flag;

-- a protected environment asks managers for a comment
UPDATE featbit.environment SET protected = true WHERE key = 'test_access';
SET ROLE fb_manager;
SELECT featbit.disable_flag('door');
RESET ROLE;
UPDATE featbit.environment SET protected = false WHERE key = 'test_access';

-- what is granted is listed; tasks overlap and leave each other what they need
SELECT featbit.grant_access('fb_manager', 'analyse', 'test_access'), featbit.grant_access('fb_manager', 'record', 'test_access'), featbit.grant_access('fb_manager', 'manage', 'test_access_new');
SELECT * FROM featbit.access ORDER BY role::text COLLATE "C", task, environment;
SELECT featbit.revoke_access('fb_manager', 'analyse', 'test_access'), featbit.revoke_access('fb_manager', 'analyse', 'test_access');
SET ROLE fb_manager;
SELECT featbit.enable_flag('door') > 0 AS still_manages, featbit.expose('w', 'door') AS still_records;
SELECT count(value) FROM fb_facts.event;
RESET ROLE;
SELECT featbit.revoke_access('fb_manager', 'manage', 'test_access');
SET ROLE fb_manager;
SELECT featbit.enable_flag('door');
SELECT count(*) FROM featbit.flag;
INSERT INTO featbit.flag (environment, key, variations) VALUES ('test_access_new', 'x', '[{"key": "on", "value": true}]') RETURNING revision;
RESET ROLE;
SELECT featbit.grant_access('fb_manager', 'manage');
SELECT featbit.revoke_access('fb_manager', 'manage', 'test_access');
SET ROLE fb_manager;
SELECT count(*) >= 3 AS sees_all FROM featbit.flag;
SELECT featbit.enable_flag('door', environment => 'test_access_b') > 0 AS enabled;
RESET ROLE;
SELECT featbit.revoke_access('fb_manager', 'manage'), featbit.revoke_access('fb_manager', 'record');
SET ROLE fb_manager;
SELECT count(*) FROM featbit.flag;
SELECT featbit.expose('w', 'door');
RESET ROLE;
SELECT * FROM featbit.access WHERE role = 'fb_manager'::regrole;
-- a revoke of what was never given, for an environment that does not exist, takes nothing else
SELECT featbit.revoke_access('fb_bob', 'record', 'test_access_none');
SELECT * FROM featbit.access WHERE role = 'fb_bob'::regrole;

-- a role keeps its access under a new name, and gives it back with DROP OWNED
SELECT featbit.grant_access('fb_manager', 'manage', 'test_access'), featbit.grant_access('fb_analyst', 'manage', 'test_access');
ALTER ROLE fb_manager RENAME TO fb_boss;
SET ROLE fb_boss;
SELECT featbit.enable_flag('door') > 0 AS enabled;
RESET ROLE;
SELECT * FROM featbit.access WHERE task = 'manage' AND environment = 'test_access' ORDER BY role::text;
\set VERBOSITY terse
DROP ROLE fb_boss;
\set VERBOSITY default
DROP OWNED BY fb_boss;
DROP ROLE fb_boss;
SELECT count(*) FROM featbit.access WHERE task = 'manage' AND environment = 'test_access';
-- a dropped role is not dumped, and a new role of an old name has nothing
DO $$
DECLARE
    condition text := (SELECT extcondition[array_position(extconfig, 'featbit.access'::regclass)] FROM pg_extension WHERE extname = 'featbit_pg');
    dumped bigint;
BEGIN
    EXECUTE 'SELECT count(*) FROM featbit.access ' || condition INTO dumped;
    RAISE NOTICE 'dumped %, not dumped %', dumped, (SELECT count(*) FROM featbit.access) - dumped;
END $$;
CREATE ROLE fb_boss;
SELECT featbit.grant_access('fb_boss', 'manage', 'test_access_new');
SET ROLE fb_boss;
SELECT featbit.enable_flag('door');
RESET ROLE;
SELECT featbit.revoke_access('fb_boss', 'manage');
DROP ROLE fb_boss;
-- nor does what DROP OWNED took away come back with another grant
SELECT count(*) FROM featbit.access AS a WHERE a.role = 'fb_alice'::regrole;
DROP OWNED BY fb_alice;
SELECT featbit.grant_access('fb_alice', 'manage', 'test_access_new');
SELECT * FROM featbit.access WHERE role = 'fb_alice'::regrole OR task = 'manage' ORDER BY role::text;
SELECT featbit.revoke_access('fb_alice', 'manage');
-- members of a role have what it has, and so has everyone what public has
CREATE ROLE fb_member IN ROLE fb_analyst;
SET ROLE fb_member;
SELECT featbit.enable_flag('door') > 0 AS enabled;
RESET ROLE;
BEGIN;
SELECT featbit.grant_access('public', 'evaluate'), featbit.grant_access('public', 'manage', repeat('long-', 20));
SELECT * FROM featbit.access WHERE role = '-'::regrole ORDER BY task;
SET LOCAL ROLE fb_bob;
SELECT featbit.evaluate_flag('u', 'door'), featbit.create_flag('x', '[{"key": "on", "value": true}]', environment => repeat('long-', 20)) AS created;
RESET ROLE;
SELECT featbit.revoke_access('public', 'evaluate'), featbit.revoke_access('public', 'manage');
SELECT count(*) FROM featbit.access WHERE role = '-'::regrole;
ROLLBACK;
\set VERBOSITY terse
SET client_min_messages = warning;
-- tracking tables that are made later
SELECT featbit.revoke_access('fb_bob', 'record'), featbit.grant_access('fb_bob', 'record');
SELECT featbit.create_tracking('fb_facts_c', 'test_access_c');
SET ROLE fb_bob;
SELECT featbit.track('u', 'bought', environment => 'test_access_c') AS later, featbit.track('u', 'bought') AS before;
RESET ROLE;
DROP SCHEMA fb_facts, fb_facts_c, fb_facts_b CASCADE;
-- tests that follow need these roles no more
DROP OWNED BY fb_alice, fb_bob, fb_analyst, fb_member, "fb_o'dd""role; --%s";
DROP ROLE fb_alice, fb_bob, fb_member, fb_analyst, "fb_o'dd""role; --%s";
DELETE FROM featbit.access;
