-- plain INSERT, UPDATE and DELETE: revisions, references, restored rows, protection
SET featbit.environment = 'test_history';
\set SHOW_CONTEXT never
\set ECHO all
INSERT INTO featbit.flag (key, variations) VALUES ('a', '[{"key": "on", "value": true}, {"key": "off", "value": false}]'), ('b', '[{"key": "x", "value": 1}]');
SELECT environment, key, type, salt, revision FROM featbit.flag WHERE environment = 'test_history' ORDER BY key;
SELECT key, config_version > 0 AS counted, protected FROM featbit.environment WHERE key = 'test_history';

-- revision: set it to what was read, or do not name it
UPDATE featbit.flag SET enabled = false, revision = 1 WHERE environment = 'test_history' AND key = 'a' RETURNING revision;
UPDATE featbit.flag SET enabled = true, revision = 1 WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET enabled = true, revision = NULL WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET enabled = true WHERE environment = 'test_history' AND key = 'a' RETURNING revision;

-- keys stay
UPDATE featbit.flag SET key = 'c' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET environment = 'other' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.environment SET key = 'other' WHERE key = 'test_history';

-- references
INSERT INTO featbit.segment (key, included) VALUES ('s', '{u}'), ('t', '{}');
UPDATE featbit.segment SET condition = '{"segment": "s"}' WHERE environment = 'test_history' AND key = 't';
UPDATE featbit.flag SET prerequisites = '[{"flag": "a", "variations": ["on"]}]', rules = '[{"id": "r", "when": {"segment": "t"}, "serve": {"variation": "x"}}]'
WHERE environment = 'test_history' AND key = 'b';
DELETE FROM featbit.flag WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET archived = true WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET variations = '[{"key": "off", "value": false}]', fallthrough = '{"variation": "off"}' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET variations = variations || '[{"key": "third", "value": true}]' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET prerequisites = '[{"flag": "b", "variations": ["x"]}]' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET rules = '[{"id": "r", "when": {"flag": "b", "variations": ["x"]}, "serve": {"variation": "on"}}]' WHERE environment = 'test_history' AND key = 'a';
DELETE FROM featbit.segment WHERE environment = 'test_history' AND key = 's';
DELETE FROM featbit.segment WHERE environment = 'test_history' AND key = 't';
DELETE FROM featbit.environment WHERE key = 'test_history';
TRUNCATE featbit.flag;
TRUNCATE featbit.environment, featbit.segment, featbit.flag, featbit.flag_revision;

-- two rows in one statement cannot close a cycle either
INSERT INTO featbit.flag (key, variations, prerequisites) VALUES
    ('m', '[{"key": "on", "value": true}]', '[{"flag": "n", "variations": ["on"]}]'),
    ('n', '[{"key": "on", "value": true}]', '[{"flag": "m", "variations": ["on"]}]');
INSERT INTO featbit.flag (key, variations) VALUES ('m', '[{"key": "on", "value": true}]'), ('n', '[{"key": "on", "value": true}]');
UPDATE featbit.flag SET prerequisites = jsonb_build_array(jsonb_build_object('flag', CASE key WHEN 'm' THEN 'n' ELSE 'm' END, 'variations', '["on"]'::jsonb))
WHERE environment = 'test_history' AND key IN ('m', 'n');
DELETE FROM featbit.flag WHERE environment = 'test_history' AND key IN ('m', 'n');

-- a new row continues the numbers of its key, and a deletion has one
UPDATE featbit.flag SET prerequisites = '[]' WHERE environment = 'test_history' AND key = 'b';
DELETE FROM featbit.flag WHERE environment = 'test_history' AND key = 'a';
INSERT INTO featbit.flag (key, variations) VALUES ('a', '[{"key": "on", "value": true}]') RETURNING revision;
SELECT key, revision, change, changed FROM featbit.flag_revision WHERE environment = 'test_history' AND kind = 'flag' AND key IN ('a', 'b') ORDER BY key, revision;

-- ON CONFLICT
INSERT INTO featbit.flag (key, variations) VALUES ('a', '[{"key": "on", "value": true}]') ON CONFLICT DO NOTHING;
INSERT INTO featbit.flag (key, variations) VALUES ('a', '[{"key": "on", "value": true}]')
    ON CONFLICT (environment, key) DO UPDATE SET description = 'again' RETURNING revision;

-- a restored row: owner only, no references checked, no history, no environment
INSERT INTO featbit.flag (environment, key, type, variations, fallthrough, salt, prerequisites, revision, updated_at, updated_by)
VALUES ('test_restored', 'r', 'boolean', '[{"key": "on", "value": true}]', '{"variation": "on"}', 'r', '[{"flag": "missing", "variations": ["on"]}]', 41, '2020-01-01 00:00+00', 'someone');
SELECT key, revision, updated_at = '2020-01-01 00:00+00' AS kept_time, updated_by FROM featbit.flag WHERE environment = 'test_restored';
SELECT count(*) AS environments FROM featbit.environment WHERE key = 'test_restored';
SELECT count(*) AS history FROM featbit.flag_revision WHERE environment = 'test_restored';
SELECT reason, error_code FROM featbit.resolve('r', '{"targetingKey": "u"}', 'test_restored');
INSERT INTO featbit.environment (key, config_version) VALUES ('test_restored', 99);
SELECT config_version FROM featbit.environment WHERE key = 'test_restored';
SELECT variant, reason, error_code, metadata FROM featbit.resolve('r', '{"targetingKey": "u"}', 'test_restored');
-- its shape is checked
INSERT INTO featbit.flag (environment, key, type, variations, fallthrough, salt, revision, updated_at, updated_by)
VALUES ('test_restored', 'q', 'boolean', '[{"key": "on", "value": 1}]', '{"variation": "on"}', 'q', 1, now(), 'someone');
-- in the same transaction a later ordinary row of the key is recorded again
BEGIN;
DELETE FROM featbit.flag WHERE environment = 'test_restored';
INSERT INTO featbit.flag (environment, key, variations) VALUES ('test_restored', 'r', '[{"key": "on", "value": true}]') RETURNING revision;
SELECT revision, change FROM featbit.flag_revision WHERE environment = 'test_restored' ORDER BY revision;
ROLLBACK;

-- a row brought back from a copy continues the numbers of its history
CREATE TEMP TABLE copied_flag AS TABLE featbit.flag;
CREATE TEMP TABLE copied_segment AS TABLE featbit.segment;
UPDATE featbit.flag SET description = 'newer' WHERE environment = 'test_history' AND key = 'a';
DELETE FROM featbit.flag WHERE environment = 'test_history' AND key = 'a';
INSERT INTO featbit.flag SELECT * FROM copied_flag WHERE environment = 'test_history' AND key = 'a' RETURNING revision;
SELECT featbit.disable_flag('a') AS revision;
SELECT featbit.enable_flag('a') AS revision;
INSERT INTO featbit.segment (key) VALUES ('free');
INSERT INTO copied_segment SELECT * FROM featbit.segment WHERE environment = 'test_history' AND key = 'free';
DELETE FROM featbit.segment WHERE environment = 'test_history' AND key = 'free';
INSERT INTO featbit.segment SELECT * FROM copied_segment WHERE environment = 'test_history' AND key = 'free' RETURNING revision;
DELETE FROM featbit.segment WHERE environment = 'test_history' AND key = 'free';
INSERT INTO featbit.segment SELECT * FROM copied_segment WHERE environment = 'test_history' AND key = 'free' RETURNING revision;
UPDATE featbit.segment SET name = 'again' WHERE environment = 'test_history' AND key = 'free' RETURNING revision;

-- a rule's id is never given to another rule of the flag
UPDATE featbit.flag SET rules = '[{"id": "one", "when": {"all": []}, "serve": {"variation": "on"}}]' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET rules = '[]' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET rules = '[{"id": "one", "when": {"segment": "t"}, "serve": {"variation": "on"}}]' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET rules = '[{"id": "one", "name": "back again", "when": {"all": []}, "serve": {"variation": "on"}}]' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET rules = '[{"id": "one", "when": {"segment": "t"}, "serve": {"variation": "on"}}]' WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET rules = '[]', tags = ARRAY[NULL] WHERE environment = 'test_history' AND key = 'a';
UPDATE featbit.flag SET rules = '[]' WHERE environment = 'test_history' AND key = 'a';

-- not for others
CREATE ROLE fb_history_manager;
SELECT featbit.grant_access('fb_history_manager', 'manage');
GRANT INSERT ON featbit.environment TO fb_history_manager;
SET ROLE fb_history_manager;
INSERT INTO featbit.flag (key, variations, revision) VALUES ('z', '[{"key": "on", "value": true}]', 1);
INSERT INTO featbit.environment (key, config_version) VALUES ('z', 1);
INSERT INTO featbit.flag_revision SELECT * FROM featbit.flag_revision LIMIT 1;
DELETE FROM featbit.flag_revision;
-- but a manager needs no right on the history or on the environment to change a flag
SELECT featbit.disable_flag('a', comment => 'by the manager');
INSERT INTO featbit.flag (environment, key, variations) VALUES ('test_history_new', 'z', '[{"key": "on", "value": true}]');
RESET ROLE;
SELECT revision, change, comment FROM featbit.flag_revision WHERE environment = 'test_history' AND key = 'a' ORDER BY revision DESC LIMIT 1;
CREATE ROLE fb_history_reader;
GRANT USAGE ON SCHEMA featbit TO fb_history_reader;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA featbit TO fb_history_reader;
SELECT featbit.enable_flag('a') > 0 AS enabled;
SET ROLE fb_history_reader;
SELECT featbit.flag_variation('u', 'a') AS evaluates_without_table_rights;
SELECT featbit.disable_flag('a');
SELECT featbit.lock_environment('test_history');
RESET ROLE;
DROP OWNED BY fb_history_manager, fb_history_reader;
DROP ROLE fb_history_manager, fb_history_reader;

-- a hostile search_path does not reach what runs as the owner
CREATE SCHEMA fb_evil;
CREATE FUNCTION fb_evil.plus(bigint, integer) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE OPERATOR fb_evil.+ (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = fb_evil.plus);
SET search_path = fb_evil, pg_catalog;
UPDATE featbit.flag SET description = 'safe' WHERE environment = 'test_history' AND key = 'a';
SELECT featbit.enable_flag('a') > 0 AS enabled;
RESET search_path;
DROP SCHEMA fb_evil CASCADE;

-- protected environments
UPDATE featbit.environment SET protected = true WHERE key = 'test_history';
UPDATE featbit.flag SET description = 'x' WHERE environment = 'test_history' AND key = 'a';
SELECT featbit.disable_flag('a', comment => 'needed') > 0 AS disabled;
DELETE FROM featbit.environment WHERE key = 'test_history';
UPDATE featbit.environment SET protected = false WHERE key = 'test_history';
DELETE FROM featbit.flag WHERE environment IN ('test_history', 'test_history_new', 'test_restored');
DELETE FROM featbit.segment WHERE environment = 'test_history' AND key = 't';
DELETE FROM featbit.segment WHERE environment = 'test_history';
DELETE FROM featbit.environment WHERE key IN ('test_history', 'test_history_new', 'test_restored');
SELECT count(*) FROM featbit.environment WHERE key LIKE 'test\_history%' OR key = 'test_restored';
-- keys of environments
INSERT INTO featbit.environment (key) VALUES ('');
INSERT INTO featbit.environment (name) VALUES ('x');
-- trigger functions serve only their tables
CREATE TEMP TABLE fb_other (key text, environment text);
CREATE TRIGGER t BEFORE INSERT ON fb_other FOR EACH ROW EXECUTE FUNCTION featbit.flag_before_write();
INSERT INTO fb_other VALUES ('a', 'b');
DROP TRIGGER t ON fb_other;
CREATE TRIGGER t AFTER INSERT ON fb_other FOR EACH ROW EXECUTE FUNCTION featbit.segment_before_write();
INSERT INTO fb_other VALUES ('a', 'b');
DROP TRIGGER t ON fb_other;
CREATE TRIGGER t BEFORE INSERT ON fb_other FOR EACH STATEMENT EXECUTE FUNCTION featbit.record_revision();
INSERT INTO fb_other VALUES ('a', 'b');
DROP TRIGGER t ON fb_other;
CREATE TRIGGER t BEFORE INSERT ON fb_other FOR EACH ROW EXECUTE FUNCTION featbit.refuse_truncate();
INSERT INTO fb_other VALUES ('a', 'b');
DROP TRIGGER t ON fb_other;
CREATE TRIGGER t AFTER INSERT ON fb_other FOR EACH ROW EXECUTE FUNCTION featbit.record_revision();
INSERT INTO fb_other VALUES ('a', 'b');
-- no change escapes the history: neither past a disabled check nor by a trigger that comes after it; one that comes before it is checked
SET featbit.environment = 'test_history';
SELECT featbit.create_flag('escaping', '[{"key": "on", "value": true}]');
BEGIN;
ALTER TABLE featbit.flag DISABLE TRIGGER flag_before_write;
UPDATE featbit.flag SET description = 'unchecked' WHERE environment = 'test_history' AND key = 'escaping';
ROLLBACK;
CREATE FUNCTION pg_temp.describe() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.description := 'described'; RETURN NEW; END $$;
BEGIN;
CREATE TRIGGER later BEFORE UPDATE ON featbit.flag FOR EACH ROW EXECUTE FUNCTION pg_temp.describe();
UPDATE featbit.flag SET enabled = enabled WHERE environment = 'test_history' AND key = 'escaping';
ROLLBACK;
BEGIN;
CREATE TRIGGER a BEFORE UPDATE ON featbit.flag FOR EACH ROW EXECUTE FUNCTION pg_temp.describe();
UPDATE featbit.flag SET enabled = enabled WHERE environment = 'test_history' AND key = 'escaping' RETURNING revision, description;
UPDATE featbit.flag SET enabled = enabled WHERE environment = 'test_history' AND key = 'escaping' RETURNING revision, description;
SELECT revision, changed FROM featbit.flag_revision WHERE environment = 'test_history' AND key = 'escaping' ORDER BY revision;
ROLLBACK;
