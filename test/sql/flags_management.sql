-- the management functions, their revisions and their errors
SET featbit.environment = 'test_management';
\set SHOW_CONTEXT never
\set ECHO all
SELECT featbit.create_flag('a', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', comment => 'first flag', tags => '{x,y}', description => 'about a');
SELECT featbit.create_flag('a', '[{"key": "on", "value": true}]');
SELECT featbit.create_flag('b', '[{"key": "one", "value": 1}, {"key": "two", "value": "2"}]', enabled => false, off_variation => 'two', fallthrough => '{"variation": "two"}');
SELECT featbit.create_flag('c', '[{"key": "one", "value": 1}]', type => 'string');
SELECT featbit.create_flag('d', '[]');
SELECT featbit.create_flag('d', NULL);
SELECT featbit.create_flag('d', '{"on": true}');
SELECT featbit.create_flag('-d', '[{"key": "one", "value": 1}]');
SELECT featbit.create_flag(NULL, '[{"key": "one", "value": 1}]');
SELECT featbit.create_flag(repeat('d', 129), '[{"key": "one", "value": 1}]');
SELECT featbit.create_flag('d', '[{"key": "one", "value": 1}]', environment => 'no spaces');
SELECT key, type, enabled, off_variation, fallthrough, tags, description, revision, updated_by = session_user AS by_me FROM featbit.flag
WHERE environment = 'test_management' ORDER BY key;

CREATE FUNCTION pg_temp.refused(function text, key text, changes jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF function = 'update_segment' THEN
        PERFORM featbit.create_segment(key);
    END IF;
    EXECUTE format('SELECT featbit.%I($1, $2)', function) USING key, changes;
    RAISE assert_failure;
EXCEPTION WHEN invalid_parameter_value OR assert_failure THEN
    RETURN SQLERRM;
END $$;

-- expected_revision
SELECT featbit.disable_flag('a', expected_revision => 1, comment => 'incident 7');
SELECT featbit.enable_flag('a', expected_revision => 1);
SELECT featbit.enable_flag('a', 2);
SELECT featbit.disable_flag('aa');
SELECT featbit.disable_flag('nothing-like-it');
SELECT featbit.disable_flag('A');
SELECT featbit.disable_flag(NULL);
SELECT featbit.disable_flag('a', environment => 'elsewhere');

-- rollout
SELECT featbit.set_rollout('a', '[{"variation": "on", "weight": 1}, {"variation": "off", "weight": 3}]', "by" => 'org', salt => 's', comment => 'a quarter');
SELECT fallthrough FROM featbit.flag WHERE environment = 'test_management' AND key = 'a';
SELECT featbit.set_rollout('a', '[{"variation": "on", "weight": -1}]');
SELECT featbit.set_rollout('a', '[{"variation": "onn", "weight": 1}]');
SELECT featbit.set_rollout('a', NULL);
SELECT featbit.set_rollout('a', '[]');

-- rules
SELECT featbit.add_rule('a', '{"when": {"all": []}, "serve": {"variation": "on"}}');
SELECT featbit.add_rule('a', '{"id": "first", "when": {"attribute": "x", "op": "exists"}, "serve": {"variation": "off"}}', 1);
SELECT featbit.add_rule('a', '{"id": "middle", "when": {"attribute": "x", "op": "exists"}, "serve": {"variation": "off"}}', "position" => 2);
SELECT r ->> 'id' AS id FROM featbit.flag, jsonb_array_elements(rules) r WHERE environment = 'test_management' AND key = 'a';
SELECT featbit.add_rule('a', '{"id": "middle", "when": {"all": []}, "serve": {"variation": "off"}}');
SELECT featbit.update_flag('a', '{"rules": []}');
SELECT featbit.add_rule('a', '{"id": "middle", "when": {"all": []}, "serve": {"variation": "off"}}');
SELECT featbit.add_rule('a', '{"when": {"all": []}, "serve": {"variation": "off"}}', 3);
SELECT featbit.add_rule('a', '[]');
SELECT featbit.add_rule('a', NULL);

-- targets
SELECT featbit.set_targets('a', 'on', '{alice,bob}');
SELECT featbit.set_targets('a', 'off', '{carol}');
SELECT featbit.set_targets('a', 'on', '{dave}');
SELECT targets FROM featbit.flag WHERE environment = 'test_management' AND key = 'a';
SELECT featbit.set_targets('a', 'on', '{}');
SELECT targets FROM featbit.flag WHERE environment = 'test_management' AND key = 'a';
SELECT featbit.set_targets('a', 'onn', '{alice}');
SELECT featbit.set_targets('a', 'off', NULL);
SELECT featbit.set_targets('a', 'onn', NULL);
SELECT featbit.set_targets('a', NULL, NULL);

-- variations
SELECT featbit.set_variation('b', 'two', '{"deep": [1]}');
SELECT featbit.set_variation('b', 'three', '3');
SELECT variations FROM featbit.flag WHERE environment = 'test_management' AND key = 'b';
SELECT featbit.set_variation('b', 'three', 'null');
SELECT featbit.set_variation('b', 'three', NULL);
SELECT featbit.set_variation('a', 'on', '"yes"');

-- update_flag
SELECT featbit.update_flag('a', '{"enabeld": false}');
SELECT featbit.update_flag('a', '{"updated_by": "me"}');
SELECT featbit.update_flag('a', '[]');
SELECT featbit.update_flag('a', NULL);
-- each value is of the type of its column; what JSON definitions are made of is told when they are stored
SELECT v.changes, m.message FROM (VALUES ('{"enabled": null}'::jsonb), ('{"enabled": "yes"}'), ('{"enabled": "maybe"}'), ('{"archived": 1}'), ('{"tags": "a"}'), ('{"tags": null}'),
    ('{"tags": ["a", 1]}'), ('{"tags": [["a"]]}'), ('{"name": 5}'), ('{"description": ["x"]}'), ('{"off_variation": false}'), ('{"type": null}'), ('{"type": "int"}'), ('{"salt": null}'), ('{"salt": 7}'), ('{"semantics": {}}'),
    ('{"iteration": -1}'), ('{"iteration": 1.5}'), ('{"iteration": "1"}'), ('{"iteration": 2147483648}'), ('{"iteration": null}'), ('{"variations": null}'), ('{"variations": {}}'),
    ('{"prerequisites": null}'), ('{"targets": null}'), ('{"targets": "alice"}'), ('{"rules": null}'), ('{"fallthrough": null}'), ('{"fallthrough": "on"}'), (jsonb_build_object('enabled', repeat('x', 200)))) AS v (changes),
    LATERAL pg_temp.refused('update_flag', 'a', v.changes) AS m (message);
SELECT v.changes, m.message FROM (VALUES ('{"included": "alice"}'::jsonb), ('{"included": [1]}'), ('{"excluded": null}'), ('{"name": 1}'), ('{"condition": "x"}'), ('{"condition": []}'), ('{"includd": []}'), ('[]')) AS v (changes),
    LATERAL pg_temp.refused('update_segment', 'none', v.changes) AS m (message);

-- segments
SELECT featbit.create_segment('s', '{alice}', '{bob}', '{"attribute": "x", "op": "exists"}', comment => 'why');
SELECT featbit.create_segment('s');
SELECT featbit.create_segment('t', condition => '{"segment": "ss"}');
SELECT featbit.create_segment('t', condition => '{"segment": "t"}');
SELECT featbit.create_segment('t', condition => '{"segment": "s"}');
UPDATE featbit.segment SET condition = '{"segment": "t"}' WHERE environment = 'test_management' AND key = 's';

-- every change left who, when and why; the comment is put back
SELECT kind, key, revision, change, changed, comment, changed_by = session_user AS by_me, transaction_id IS NOT NULL AS xid
FROM featbit.flag_revision WHERE environment = 'test_management' AND (key = 'a' OR kind = 'segment') ORDER BY kind, key, revision;
SELECT definition - '{updated_at,updated_by}'::text[] AS definition FROM featbit.flag_revision WHERE environment = 'test_management' AND key = 'a' AND revision = 2;
SHOW featbit.change_comment;
SET featbit.change_comment = 'set by hand';
SELECT featbit.enable_flag('b');
SELECT featbit.disable_flag('b', comment => 'given');
SELECT featbit.enable_flag('b');
SELECT comment FROM featbit.flag_revision WHERE environment = 'test_management' AND key = 'b' ORDER BY revision DESC LIMIT 3;
RESET featbit.change_comment;

-- what changes nothing makes no revision, and answers with the one that is stored
SELECT featbit.create_flag('same', '[{"key": "on", "value": 1}, {"key": "off", "value": 2}]', tags => '{x,y}', off_variation => 'off', environment => 'test_management_same') AS created,
    featbit.add_rule('same', '{"id": "r", "when": {"attribute": "x", "op": "eq", "value": 1.0}, "serve": {"variation": "on"}}', environment => 'test_management_same') AS rule,
    featbit.set_targets('same', 'on', '{alice,bob}', environment => 'test_management_same') AS targets,
    featbit.create_segment('same', '{alice}', condition => '{"attribute": "x", "op": "exists"}', environment => 'test_management_same') AS segment;
SET featbit.environment = 'test_management_same';
CREATE TEMP TABLE same_before AS SELECT f.*, (SELECT config_version FROM featbit.environment WHERE key = 'test_management_same') AS version FROM featbit.flag AS f WHERE environment = 'test_management_same';
UPDATE featbit.environment SET protected = true WHERE key = 'test_management_same';
UPDATE same_before SET version = (SELECT config_version FROM featbit.environment WHERE key = 'test_management_same');
SELECT featbit.enable_flag('same') AS enable, featbit.set_tags('same', '{x,y}') AS set_tags, featbit.add_tags('same', '{y}') AS add_tags, featbit.remove_tags('same', '{z}') AS remove_tags,
    featbit.add_targets('same', 'on', '{bob}') AS add_targets, featbit.remove_targets('same', '{carol}') AS remove_targets, featbit.remove_targets('same', '{alice}', 'off') AS off_only,
    featbit.set_targets('same', 'on', '{alice,bob}') AS set_targets, featbit.set_targets('same', 'off', NULL) AS no_targets, featbit.update_flag('same', '{}') AS update_flag,
    featbit.unarchive_flag('same', comment => 'again') AS unarchive, featbit.move_rule('same', 'r', 1) AS move_rule, featbit.set_variation('same', 'on', '1') AS set_variation,
    featbit.set_off_variation('same', 'off') AS off_variation, featbit.set_prerequisites('same', NULL) AS prerequisites, featbit.restore_flag('same', 3) AS restore,
    featbit.update_segment('same', '{"included": ["alice"]}') AS segment, featbit.restore_segment('same', 1) AS restore_segment;
UPDATE featbit.flag SET enabled = enabled WHERE environment = 'test_management_same' RETURNING revision;
UPDATE featbit.flag SET updated_by = 'mallory', updated_at = '2000-01-01' WHERE environment = 'test_management_same' RETURNING revision, updated_by = session_user AS by_me;
UPDATE featbit.flag SET rules = rules || '[]', revision = 3 WHERE environment = 'test_management_same' RETURNING revision;
UPDATE featbit.segment SET condition = condition WHERE environment = 'test_management_same' RETURNING revision;
SELECT to_jsonb(f) = to_jsonb(b) - 'version' AS same,
    e.config_version = b.version AS same_version, (SELECT count(*) FROM featbit.flag_revision AS r WHERE r.environment = f.environment) AS revisions
FROM featbit.flag AS f, same_before AS b, featbit.environment AS e WHERE f.environment = 'test_management_same' AND e.key = f.environment;
-- a conflict is one all the same
SELECT featbit.enable_flag('same', 2);
UPDATE featbit.flag SET revision = 2 WHERE environment = 'test_management_same';
UPDATE featbit.segment SET revision = 2 WHERE environment = 'test_management_same';
-- a number that is written otherwise is a change: it is shown as it is written
UPDATE featbit.environment SET protected = false WHERE key = 'test_management_same';
SELECT featbit.set_variation('same', 'on', '1.0');
SELECT featbit.evaluate_flag('alice', 'same');
SELECT revision, changed FROM featbit.flag_revision WHERE environment = 'test_management_same' AND kind = 'flag' ORDER BY revision DESC LIMIT 1;
-- in the same transaction as a change, before and after it
BEGIN;
SELECT featbit.set_tags('same', '{x,y}'), featbit.set_tags('same', '{z}'), featbit.set_tags('same', '{z}');
COMMIT;
SELECT count(*) AS revisions, (SELECT config_version FROM featbit.environment WHERE key = 'test_management_same') - min(b.version) AS versions
FROM featbit.flag_revision AS r, same_before AS b WHERE r.environment = 'test_management_same' AND kind = 'flag';

-- an archived flag is neither enabled nor disabled
SELECT featbit.archive_flag('same'), featbit.archive_flag('same');
SELECT featbit.enable_flag('same');
SELECT featbit.disable_flag('same');
SELECT featbit.unarchive_flag('same'), featbit.disable_flag('same');
SET featbit.environment = 'test_management';

-- the context of an error names functions, and neither statements nor expressions of theirs
CREATE FUNCTION pg_temp.context(statement text) RETURNS TABLE (message text, lines bigint, statements bigint) LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN QUERY SELECT SQLERRM, count(*) - 2, count(*) FILTER (WHERE line !~ '^(PL/pgSQL|SQL) function "?[a-z0-9_.]+["(]') - 1 FROM string_to_table(context, E'\n') AS line;
END $$;
SELECT * FROM pg_temp.context($$SELECT featbit.add_rule('a', '{"id": "z", "when": {"attribute": "x", "op": "equals", "value": 1}, "serve": {"variation": "on"}}')$$);
SELECT * FROM pg_temp.context($$SELECT featbit.enable_flag('aa')$$);
SELECT * FROM pg_temp.context($$SELECT featbit.update_segment('s', '{"condition": {"segment": "u"}}')$$);
SELECT * FROM pg_temp.context($$SELECT featbit.set_tags('a', NULL, 1)$$);
