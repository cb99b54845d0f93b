-- archiving, restoring, copying, deleting, and the parts of a flag: each one statement, one revision, with who, when and why
SET featbit.environment = 'test_lifecycle';
\set SHOW_CONTEXT never
\set ECHO all
SELECT featbit.create_segment('inner', '{ann}'), featbit.create_segment('beta', '{bob}', condition => '{"segment": "inner"}');
SELECT featbit.create_flag('base', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', tags => '{old}');
SELECT featbit.create_flag('top', '[{"key": "on", "value": true}, {"key": "off", "value": false}]');
SELECT featbit.set_prerequisites('top', '[{"flag": "base", "variations": ["on"]}]', comment => 'needs base');
SELECT featbit.add_rule('top', '{"id": "r1", "when": {"all": [{"segment": "beta"}]}, "serve": {"variation": "off"}}');
SELECT featbit.add_rule('top', '{"id": "r2", "when": {"attribute": "x", "op": "exists"}, "serve": {"variation": "off"}}');
SELECT featbit.add_rule('top', '{"id": "r3", "when": {"attribute": "y", "op": "exists"}, "serve": {"variation": "on"}}');

-- archive and delete only what nothing refers to
SELECT featbit.archive_flag('base');
SELECT featbit.delete_flag('base');
SELECT featbit.delete_segment('inner');
SELECT featbit.archive_flag('top', expected_revision => 5, comment => 'retired');
SELECT reason, error_code FROM featbit.resolve('top', '{"targetingKey": "u"}');
SELECT featbit.archive_flag('top', expected_revision => 5);
SELECT featbit.unarchive_flag('top', comment => 'needed again');
SELECT reason, variant FROM featbit.resolve('top', '{"targetingKey": "u"}');

-- rules
SELECT featbit.move_rule('top', 'r3', 1);
SELECT id FROM featbit.flag_rules WHERE environment = 'test_lifecycle' ORDER BY "position";
SELECT featbit.move_rule('top', 'r3', 2);
SELECT id FROM featbit.flag_rules WHERE environment = 'test_lifecycle' ORDER BY "position";
SELECT featbit.move_rule('top', 'r1', NULL);
SELECT id FROM featbit.flag_rules WHERE environment = 'test_lifecycle' ORDER BY "position";
SELECT featbit.move_rule('top', 'r1', 4);
SELECT featbit.move_rule('top', 'r4', 1);
SELECT featbit.remove_rule('top', 'r2', comment => 'never met');
SELECT featbit.remove_rule('top', 'r2');
SELECT featbit.remove_rule('top', NULL);
SELECT featbit.remove_rule('base', 'r2');
SELECT id FROM featbit.flag_rules WHERE environment = 'test_lifecycle' ORDER BY "position";

-- targets
SELECT featbit.add_targets('base', 'off', '{zoe,ann,NULL,zoe}');
SELECT featbit.add_targets('base', 'on', '{bob}');
SELECT featbit.add_targets('base', 'off', '{dan,zoe}');
SELECT targets FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.add_targets('base', 'on', '{ann,zoe}', comment => 'they moved');
SELECT targets FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.add_targets('base', 'maybe', '{ann}');
SELECT featbit.add_targets('base', 'onn', '{}');
SELECT featbit.remove_targets('base', '{ann}', variation => 'onn');
SELECT featbit.remove_targets('base', '{dan,nobody}');
SELECT targets FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.remove_targets('base', '{bob,ann}', variation => 'off');
SELECT featbit.remove_targets('base', '{bob,ann}', variation => 'on');
SELECT targets FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.add_targets('base', 'on', ARRAY(SELECT 'user-' || n FROM generate_series(1, 50000) n)) AS bulk;
SELECT targets FROM featbit.flags WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.remove_targets('base', ARRAY(SELECT 'user-' || n FROM generate_series(1, 50000) n)) AS bulk;

-- tags
SELECT featbit.add_tags('base', '{new,old,NULL}');
SELECT tags FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.remove_tags('base', '{old,unknown}');
SELECT tags FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.set_tags('base', '{a,b}');
SELECT featbit.set_tags('base', NULL, expected_revision => 1);
SELECT featbit.set_tags('base', NULL);
SELECT tags FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';

-- off variation and prerequisites
SELECT featbit.set_off_variation('base', 'off');
SELECT featbit.set_off_variation('base', 'of');
SELECT off_variation FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'base';
SELECT featbit.set_off_variation('base', NULL);
SELECT featbit.set_prerequisites('top', NULL);
SELECT featbit.set_prerequisites('top', '[{"flag": "bace", "variations": ["on"]}]');

-- segments
SELECT featbit.update_segment('beta', '{"included": ["bob", "dan"], "description": "first users"}', comment => 'one more');
SELECT featbit.update_segment('beta', '{"condition": null}', expected_revision => 2);
SELECT included, condition, description FROM featbit.segment WHERE environment = 'test_lifecycle' AND key = 'beta';
SELECT featbit.update_segment('beta', '{"condition": null}', expected_revision => 2);
SELECT featbit.update_segment('beta', '{"users": []}');
SELECT featbit.update_segment('beta', '[]');
SELECT featbit.update_segment('bta', '{}');
SELECT featbit.update_segment('nothing-like-it', '{}');
SELECT featbit.update_segment(NULL, '{}');
SELECT featbit.update_segment('beta', '{"condition": {"segment": "beta"}}');
SELECT featbit.delete_segment('inner', expected_revision => 7);
SELECT featbit.delete_segment('inner', expected_revision => 1, comment => 'unused');
SELECT featbit.delete_segment('inner');
SELECT featbit.restore_segment('beta', 1);
SELECT featbit.restore_segment('inner', 1, expected_revision => 1);
SELECT featbit.restore_segment('inner', 1, expected_revision => 2, comment => 'used after all');
SELECT featbit.restore_segment('beta', 1, comment => 'as it was');
SELECT featbit.restore_segment('beta', 99);
SELECT included, condition FROM featbit.segment WHERE environment = 'test_lifecycle' AND key = 'beta';

-- restore a flag: earlier, and deleted
SELECT featbit.restore_flag('top', 3, comment => 'as in revision 3');
SELECT revision, enabled, archived, jsonb_array_length(rules) AS rules FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'top';
SELECT featbit.delete_flag('top', expected_revision => 1);
SELECT featbit.delete_flag('top', comment => 'gone');
SELECT featbit.delete_flag('top');
SELECT count(*) AS flags FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'top';
SELECT featbit.restore_flag('top', 5, expected_revision => 13);
SELECT featbit.restore_flag('top', 5, comment => 'back');
SELECT revision, enabled, archived, prerequisites, jsonb_array_length(rules) AS rules FROM featbit.flag WHERE environment = 'test_lifecycle' AND key = 'top';
SELECT featbit.restore_flag('top', 77);
SELECT featbit.restore_flag('top', NULL);
SELECT featbit.restore_flag('never-there', 1);
SELECT featbit.restore_flag('topp', 1);
SELECT featbit.restore_flag(NULL, 1);
SELECT featbit.restore_flag('top', 1, environment => 'test_lifecycl');
SELECT featbit.restore_segment('no-such', 1);
SELECT featbit.restore_segment('beta', NULL);
SELECT kind, key, revision, change, comment FROM featbit.flag_audit
WHERE environment = 'test_lifecycle' AND comment IS NOT NULL ORDER BY kind, key, revision;

-- copy
SELECT featbit.copy_flag('top', 'test_lifecycle_b');
SELECT featbit.copy_flag('top', 'test_lifecycle_b', with_references => true, comment => 'with all');
SELECT key, revision FROM featbit.flag WHERE environment = 'test_lifecycle_b' ORDER BY key;
SELECT key, revision FROM featbit.segment WHERE environment = 'test_lifecycle_b' ORDER BY key;
SELECT comment FROM featbit.flag_revision WHERE environment = 'test_lifecycle_b' ORDER BY kind, key;
SELECT featbit.copy_flag('top', 'test_lifecycle_b', with_references => true);
SELECT featbit.copy_flag('base', NULL, new_key => 'base-2');
SELECT key, salt, iteration FROM featbit.flag WHERE environment = 'test_lifecycle' AND key LIKE 'base%' ORDER BY key;
SELECT featbit.copy_flag('base-3', 'test_lifecycle_b');
-- the same users get the same in the copy, under another key they are dealt anew
SELECT featbit.set_rollout('base', '[{"variation": "on", "weight": 1}, {"variation": "off", "weight": 1}]'), featbit.copy_flag('base', 'test_lifecycle_c'), featbit.copy_flag('base', 'test_lifecycle_c', 'base-4');
SELECT count(*) FILTER (WHERE featbit.flag_variation(n, 'base') = featbit.flag_variation(n, 'base', environment => 'test_lifecycle_c')) AS same,
       count(*) FILTER (WHERE featbit.flag_variation(n, 'base') = featbit.flag_variation(n, 'base-4', environment => 'test_lifecycle_c')) BETWEEN 400 AND 600 AS anew
FROM generate_series(1, 1000) n;

-- clone
SELECT * FROM featbit.clone_environment('test_lifecycle', 'test_lifecycle_d', comment => 'a copy to try things');
SELECT * FROM featbit.compare_environments('test_lifecycle', 'test_lifecycle_d');
SELECT DISTINCT comment FROM featbit.flag_revision WHERE environment = 'test_lifecycle_d';
SELECT * FROM featbit.clone_environment('test_lifecycle', 'test_lifecycle_d');
SELECT * FROM featbit.clone_environment('test_lifecycle_x', 'test_lifecycle_e');
SELECT * FROM featbit.clone_environment(NULL, 'test_lifecycle_e');
SET session_replication_role = replica;
INSERT INTO featbit.flag (environment, key, type, variations, fallthrough, salt, prerequisites, revision, updated_at, updated_by)
VALUES ('test_lifecycle_b', 'broken', 'boolean', '[{"key": "on", "value": true}]', '{"variation": "on"}', 'r', '[{"flag": "missing", "variations": ["on"]}]', 1, '2020-01-01 00:00+00', 'someone');
RESET session_replication_role;
SELECT * FROM featbit.clone_environment('test_lifecycle_b', 'test_lifecycle_e');
SHOW featbit.change_comment;

-- differences in words
SELECT * FROM featbit.diff_flag('top', 1, 5);
SELECT featbit.update_flag('top', '{"name": "Top", "enabled": false, "off_variation": "off", "tags": ["x"], "variations": [{"key": "on", "value": true, "name": "On"}, {"key": "off", "value": false}, {"key": "other", "value": true}],
    "targets": [{"variation": "on", "users": ["a", "b", "c"]}], "fallthrough": {"split": [{"variation": "on", "weight": 10}, {"variation": "off", "weight": 90}]}}') AS one,
    featbit.update_flag('top', '{"name": null, "enabled": true, "archived": true, "tags": ["y"], "salt": "pepper", "variations": [{"key": "on", "value": false}, {"key": "off", "value": false}],
    "targets": [{"variation": "on", "users": ["a", "d"]}, {"variation": "off", "users": ["e"]}], "prerequisites": [],
    "rules": [{"id": "r4", "when": {"all": []}, "serve": {"variation": "on"}}, {"id": "r2", "when": {"attribute": "z", "op": "exists"}, "percentage": 20, "serve": {"split": [{"variation": "on", "weight": 1}, {"variation": "off", "weight": 1}], "by": "org"}}, {"id": "r1", "when": {"all": [{"segment": "beta"}]}, "from": "2026-01-01T00:00:00Z", "serve": {"variation": "off"}}],
    "fallthrough": {"split": [{"variation": "on", "weight": 25}, {"variation": "off", "weight": 90}]}}') AS two;
SELECT * FROM featbit.diff_flag('top', 14, 15);
SELECT * FROM featbit.diff_flag('top', 15);
SELECT featbit.update_flag('top', '{"prerequisites": [{"flag": "base", "variations": ["on"]}], "fallthrough": {"ramp": [{"at": "2026-01-01T00:00:00Z", "split": [{"variation": "on", "weight": 1}, {"variation": "off", "weight": 99}]}, {"at": "2026-02-01T00:00:00Z", "split": [{"variation": "on", "weight": 1}]}], "salt": "s"}}') AS ramp;
SELECT featbit.update_flag('top', '{"prerequisites": [{"flag": "base", "variations": ["on", "off"]}]}') AS both;
SELECT * FROM featbit.diff_flag('top', 16, 17);
SELECT * FROM featbit.diff_flag('top', 17, 18);
SELECT * FROM featbit.diff_flag('top', 17, 17);
SELECT * FROM featbit.diff_flag('top', 17, 99);
SELECT * FROM featbit.diff_segment('beta', 1, 3);
SELECT * FROM featbit.compare_flag('top', 'test_lifecycle', 'test_lifecycle_b');
SELECT * FROM featbit.compare_flag('base', 'test_lifecycle', 'test_lifecycle_e');
SELECT * FROM featbit.compare_flag('bas', 'test_lifecycle', 'test_lifecycle_b');
SELECT * FROM featbit.compare_flag(NULL, 'test_lifecycle', 'test_lifecycle_b');
SELECT * FROM featbit.compare_environments('test_lifecycl', 'test_lifecycle_b');
SELECT * FROM featbit.compare_environments('test_lifecycle', 'nothing-like-it');
SELECT count(*) > 0 AS of_the_setting FROM featbit.compare_environments(NULL, 'test_lifecycle_b');
SELECT * FROM featbit.diff_flag('topp', 1);
SELECT * FROM featbit.diff_flag('top', NULL);
SELECT * FROM featbit.diff_flag('top', 1, 99);
SELECT * FROM featbit.diff_flag('top', 1, environment => 'nothing-like-it');
SELECT * FROM featbit.diff_segment('betta', 1);
SELECT * FROM featbit.compare_environments('test_lifecycle_b', 'test_lifecycle_c');
SELECT * FROM featbit.definition_differences('{"key": "x", "fallthrough": 7, "rules": [5, {"id": 7, "serve": [1]}], "targets": {"variation": "a", "users": 5}, "variations": 5, "prerequisites": [5, {"flag": "f", "variations": 7}], "tags": []}',
    '{"key": "x", "fallthrough": {"split": [{"variation": "a", "weight": "x"}, 5]}, "rules": {"id": 7}, "targets": [{"variation": "a", "users": ["b"]}], "variations": [{"key": "a"}], "prerequisites": {}, "tags": []}');
SELECT count(*) AS differences FROM featbit.definition_differences(NULL, NULL);
SELECT * FROM featbit.serve_differences('fallthrough', '{"split": [{"variation": "a", "weight": 1}]}', '{"split": [{"variation": "a", "weight": 1}], "by": "org"}');
