-- the configuration and its history to read, its version, notifications, and arguments in the wrong order
SET featbit.environment = 'test_views';
\set SHOW_CONTEXT never
\set ECHO all
SELECT featbit.config_version() IS NULL AS none_yet, featbit.config_version('no-such-environment') IS NULL AS none;
SELECT featbit.create_segment('beta', '{ann}', comment => 'first users') AS beta, featbit.create_flag('switch', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', tags => '{ops,"a,b"}', comment => 'a switch') AS switch,
    featbit.create_flag('answer-model', '[{"key": "base", "value": "a"}, {"key": "tuned", "value": "b"}]', fallthrough => '{"split": [{"variation": "base", "weight": 90}, {"variation": "tuned", "weight": 10}]}') AS split;
SELECT featbit.config_version() AS version, featbit.config_version('test_views') AS by_name;
SELECT featbit.disable_flag('switch', comment => 'incident'), featbit.add_targets('answer-model', 'tuned', '{ann,bob}'),
    featbit.add_rule('answer-model', '{"id": "r", "name": "beta users", "when": {"segment": "beta"}, "serve": {"ramp": [{"at": "2026-01-01T00:00:00Z", "split": [{"variation": "tuned", "weight": 1}, {"variation": "base", "weight": 2}]}], "by": "org"}, "percentage": 12.5, "from": "2026-01-01T00:00:00+02:00", "until": "2027-01-01"}');
SELECT featbit.config_version() AS version;

-- views
SELECT environment, key, type, enabled, archived, rules, targets, served, tags, revision, updated_at <= clock_timestamp() AS past, updated_by = session_user AS by_me
FROM featbit.flags WHERE environment = 'test_views' ORDER BY key;
SELECT environment, flag_key, "position", id, name, condition, served, percentage, "from" AT TIME ZONE 'UTC' AS "from", until AT TIME ZONE 'UTC' AS until FROM featbit.flag_rules WHERE environment = 'test_views';
SELECT serve FROM featbit.flag_rules WHERE environment = 'test_views';
SELECT kind, key, revision, change, changed, old, CASE WHEN change = 'update' THEN new END AS new, new ->> 'key' AS new_key, comment, who = session_user AS by_me
FROM featbit.flag_audit WHERE environment = 'test_views' ORDER BY kind, key, revision;
SELECT replace(text, session_user, 'me') AS text, tags FROM featbit.flag_change_annotations WHERE tags LIKE 'test_views,%' ORDER BY text COLLATE "C";
SELECT featbit.set_off_variation('switch', 'off'), featbit.archive_flag('answer-model');
SELECT key, served FROM featbit.flags WHERE environment = 'test_views' ORDER BY key;
SELECT featbit.delete_flag('answer-model', comment => 'gone');
SELECT change, old ->> 'key' AS old_key, new FROM featbit.flag_audit WHERE environment = 'test_views' AND key = 'answer-model' ORDER BY revision DESC LIMIT 1;
SELECT featbit.restore_flag('answer-model', 1);

-- malformed rows do not break the views
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO featbit.flag (environment, key, type, variations, targets, rules, fallthrough, salt, revision, updated_at, updated_by) VALUES
    ('test_views', 'bad-1', 'x', '5', '[5, {"users": 7}]', '{"a": 1}', '{"split": [{"variation": 5, "weight": "x"}, {"weight": 1}]}', '', 1, '2026-01-01', 'x'),
    ('test_views', 'bad-2', 'x', '5', '{}', '[5, {"id": {}, "serve": [1], "percentage": "x", "from": "soon", "until": 5}]', '7', '', 1, '2026-01-01', 'x');
SELECT key, rules, targets, served FROM featbit.flags WHERE environment = 'test_views' AND key LIKE 'bad%' ORDER BY key;
SELECT id, served, percentage, "from", until FROM featbit.flag_rules WHERE environment = 'test_views' AND flag_key LIKE 'bad%';
ROLLBACK;
SELECT featbit.split_text('[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 2}, {"variation": "c", "weight": 0}]') AS thirds, featbit.split_text('[{"variation": "a", "weight": 0}]') AS nothing,
    featbit.serve_text('{"variation": "a"}') AS plain, featbit.serve_text('{"x": 1}') AS other, featbit.serve_text(NULL) AS none,
    featbit.definition_time('2026-05-01T09:00:00') = '2026-05-01 09:00:00+00' AS utc, featbit.definition_time('soon') AS no_time;

-- a view shows what the tables show to whoever asks
CREATE ROLE fb_views_reader;
GRANT USAGE ON SCHEMA featbit TO fb_views_reader;
GRANT EXECUTE ON FUNCTION featbit.config_version(text) TO fb_views_reader;
GRANT SELECT ON featbit.flags, featbit.flag_rules, featbit.flag_audit, featbit.flag_change_annotations TO fb_views_reader;
SET ROLE fb_views_reader;
SELECT count(*) FROM featbit.flags;
SELECT count(*) FROM featbit.flag_rules;
SELECT count(*) FROM featbit.flag_audit;
SELECT count(*) FROM featbit.flag_change_annotations;
SELECT featbit.config_version() > 0 AS version_needs_no_right;
RESET ROLE;
DROP OWNED BY fb_views_reader;
DROP ROLE fb_views_reader;

-- the function that notifies serves only its table; see the isolation spec flag_notifications for what it does
CREATE TEMP TABLE fb_other (key text);
CREATE TRIGGER t AFTER INSERT ON fb_other FOR EACH ROW EXECUTE FUNCTION featbit.notify_configuration();
INSERT INTO fb_other VALUES ('a');
DROP TRIGGER t ON fb_other;
CREATE TRIGGER t BEFORE INSERT ON fb_other FOR EACH ROW EXECUTE FUNCTION featbit.notify_configuration();
INSERT INTO fb_other VALUES ('a');

-- arguments in the wrong order
SELECT error_code, error_message FROM featbit.resolve('alice', '{"targetingKey": "answer-model"}');
SELECT error_code, error_message FROM featbit.resolve('alice', '{"targetingKey": "bob"}');
SELECT error_code, error_message FROM featbit.resolve('alice');
SELECT error_code, error_message FROM featbit.resolve('alice', '{"targetingKey": "alice"}');
SELECT error_code, error_message FROM featbit.evaluate_exposure('answer-model', 'alice');
SELECT error_code, error_message FROM featbit.evaluate_exposure(repeat('x', 1000), 'alice');
SELECT error_code, error_message FROM featbit.evaluate_exposure(NULL, 'alice');
SELECT error_code, error_message FROM featbit.evaluate_exposure('answer-model', 'alice', environment => 'test_views_none');
