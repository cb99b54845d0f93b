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

-- expected_revision
SELECT featbit.disable_flag('a', expected_revision => 1, comment => 'incident 7');
SELECT featbit.enable_flag('a', expected_revision => 1);
SELECT featbit.enable_flag('a', 2);
SELECT featbit.disable_flag('aa');
SELECT featbit.disable_flag('nothing-like-it');
SELECT featbit.disable_flag(NULL);
SELECT featbit.disable_flag('a', environment => 'elsewhere');

-- rollout
SELECT featbit.set_rollout('a', '[{"variation": "on", "weight": 1}, {"variation": "off", "weight": 3}]', "by" => 'org', salt => 's', comment => 'a quarter');
SELECT fallthrough FROM featbit.flag WHERE environment = 'test_management' AND key = 'a';
SELECT featbit.set_rollout('a', '[{"variation": "on", "weight": -1}]');
SELECT featbit.set_rollout('a', '[{"variation": "onn", "weight": 1}]');
SELECT featbit.set_rollout('a', NULL);

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

-- variations
SELECT featbit.set_variation('b', 'two', '{"deep": [1]}');
SELECT featbit.set_variation('b', 'three', '3');
SELECT variations FROM featbit.flag WHERE environment = 'test_management' AND key = 'b';
SELECT featbit.set_variation('b', 'three', 'null');
SELECT featbit.set_variation('b', 'three', NULL);
SELECT featbit.set_variation('a', 'on', '"yes"');

-- update_flag
SELECT featbit.update_flag('a', '{"enabeld": false}');
SELECT featbit.update_flag('a', '[]');
\set VERBOSITY terse
SELECT featbit.update_flag('a', '{"enabled": null}');
\set VERBOSITY default
SELECT featbit.update_flag('a', '{"enabled": "maybe"}');

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
SELECT featbit.enable_flag('b', comment => 'given');
SELECT featbit.enable_flag('b');
SELECT comment FROM featbit.flag_revision WHERE environment = 'test_management' AND key = 'b' ORDER BY revision DESC LIMIT 3;
RESET featbit.change_comment;
