-- FeatBit semantics: what is stored as it is, what is refused, and how such rows live with native ones
SET featbit.environment = 'test_featbit_storage';
INSERT INTO featbit.segment (semantics, key, name, included, condition, source) VALUES
    ('featbit', '0779d76b-afc6-4886-ab65-af8c004273ad', 'beta', '{beta}', '[{"id": "s", "name": "r", "conditions": [{"id": "c", "property": "age", "op": "BiggerThan", "value": "20"}]}]', '{"id": "0779d76b-afc6-4886-ab65-af8c004273ad", "type": "shared", "more": [1]}');
INSERT INTO featbit.flag (semantics, key, name, type, variations, targets, rules, fallthrough, off_variation, source) VALUES
    ('featbit', '_checkout', 'checkout', 'boolean', '[{"id": "t", "name": "yes", "value": "true", "more": 1}, {"id": "f", "name": "no", "value": "false"}]', '[{"keyIds": ["vip"], "variationId": "t"}]',
     '[{"id": "r1", "name": "beta", "dispatchKey": null, "includedInExpt": true, "conditions": [{"id": "c", "property": "User is in segment", "op": null, "value": "[\"0779d76b-afc6-4886-ab65-af8c004273ad\", \"dddddddd-0000-0000-0000-000000000000\"]"}], "variations": [{"id": "t", "rollout": [0, 1], "exptRollout": 1}]}]',
     '{"dispatchKey": "org", "includedInExpt": false, "variations": [{"id": "f", "rollout": [0, 0.5], "exptRollout": 1}, {"id": "t", "rollout": [0.5, 1], "exptRollout": 1}]}', 'f',
     '{"id": "0c1f0a52", "envId": "226b9bf8", "exptIncludeAllTargets": false, "missingAttribute": "empty", "unknown": {"x": null}}');
SELECT key, semantics, salt, prerequisites, iteration, source, variations #> '{0,more}' AS more FROM featbit.flag WHERE environment = 'test_featbit_storage';
SELECT u, featbit.flag_bool(u, '_checkout', NULL), featbit.flag_variation(u, '_checkout', '{"age": 21}') FROM unnest('{vip,beta,else}'::text[]) AS u;

-- refused, whatever the dialect allows otherwise
CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || SQLERRM || coalesce(E'\n    ' || nullif(hint, ''), '');
END $$;
SELECT pg_temp.refused(statement) AS result FROM (VALUES
    (1, $$UPDATE featbit.flag SET prerequisites = '[{"flag": "x", "variations": ["y"]}]' WHERE environment = 'test_featbit_storage'$$),
    (2, $$UPDATE featbit.flag SET iteration = 1 WHERE environment = 'test_featbit_storage'$$),
    (3, $$UPDATE featbit.flag SET source = '[]' WHERE environment = 'test_featbit_storage'$$),
    (4, $$UPDATE featbit.flag SET source = '{"missingAttribute": "null"}' WHERE environment = 'test_featbit_storage'$$),
    (5, $$UPDATE featbit.flag SET source = '{"missingAttribute": 1}' WHERE environment = 'test_featbit_storage'$$),
    (6, $$UPDATE featbit.flag SET semantics = 'native' WHERE environment = 'test_featbit_storage'$$),
    (7, $$UPDATE featbit.flag SET semantics = 'unleash' WHERE environment = 'test_featbit_storage'$$),
    (8, $$INSERT INTO featbit.flag (semantics, key, variations, fallthrough) VALUES ('featbit', '', '[]', '{}')$$),
    (9, $$INSERT INTO featbit.flag (semantics, key, variations, fallthrough) VALUES ('featbit', repeat('x', 129), '[]', '{}')$$),
    (10, $$INSERT INTO featbit.flag (semantics, key, variations, fallthrough) VALUES ('featbit', E'a\tb', '[]', '{}')$$),
    (11, $$INSERT INTO featbit.flag (key, variations, source) VALUES ('native', '[{"key": "a", "value": 1}]', '{}')$$),
    (12, $$INSERT INTO featbit.segment (key, archived) VALUES ('native', true)$$),
    (13, $$INSERT INTO featbit.segment (key, source) VALUES ('native', '{}')$$),
    (14, $$INSERT INTO featbit.segment (key, semantics) VALUES ('native', 'other')$$),
    (15, $$INSERT INTO featbit.segment (key, semantics, source) VALUES ('s', 'featbit', '{"missingAttribute": "x"}')$$),
    (16, $$INSERT INTO featbit.segment (key, semantics, included) VALUES ('s', 'featbit', '{a,NULL}')$$)) AS v (n, statement) ORDER BY n;

-- functions that know native definitions only refuse; what is a column of both works
SELECT pg_temp.refused(statement) AS result FROM (VALUES
    (1, $$SELECT featbit.set_rollout('_checkout', '[]')$$), (2, $$SELECT featbit.add_rule('_checkout', '{}')$$), (3, $$SELECT featbit.set_targets('_checkout', 't', '{x}')$$), (4, $$SELECT featbit.add_targets('_checkout', 't', '{x}')$$),
    (5, $$SELECT featbit.remove_targets('_checkout', '{x}')$$), (6, $$SELECT featbit.set_variation('_checkout', 't', '1')$$), (7, $$SELECT featbit.set_prerequisites('_checkout', '[]')$$), (8, $$SELECT featbit.set_off_variation('_checkout', 't')$$),
    (9, $$SELECT featbit.remove_rule('_checkout', 'r1')$$), (10, $$SELECT featbit.move_rule('_checkout', 'r1', 1)$$)) AS v (n, statement) ORDER BY n;
SELECT featbit.disable_flag('_checkout'), featbit.enable_flag('_checkout'), featbit.add_tags('_checkout', '{x}'), featbit.update_flag('_checkout', '{"name": "Checkout"}'), featbit.archive_flag('_checkout'), featbit.unarchive_flag('_checkout');
SELECT featbit.update_flag('_checkout', '{"off_variation": "t"}') > 0 AS own_terms, featbit.update_flag('_checkout', '{"source": null}') > 0 AS no_source;
SELECT source IS NULL AS no_source FROM featbit.flag WHERE environment = 'test_featbit_storage' AND key = '_checkout';
SELECT featbit.restore_flag('_checkout', 1) > 0 AS restored;
SELECT revision, changed FROM featbit.flag_revision WHERE environment = 'test_featbit_storage' AND kind = 'flag' ORDER BY revision;
SELECT * FROM featbit.diff_flag('_checkout', 1, 9);
-- a rule keeps its id while FeatBit edits it, or comes back otherwise
UPDATE featbit.flag SET rules = '[]' WHERE environment = 'test_featbit_storage' AND key = '_checkout';
UPDATE featbit.flag SET rules = '[{"id": "r1", "name": "other", "conditions": [], "variations": [{"id": "t", "rollout": [0, 1]}]}]' WHERE environment = 'test_featbit_storage' AND key = '_checkout';
SELECT featbit.restore_flag('_checkout', 1) > 0 AS restored;

-- native flags and FeatBit's: prerequisites, conditions, segments
SELECT featbit.create_flag('native', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', off_variation => 'off') > 0 AS created;
SELECT featbit.update_flag('native', '{"prerequisites": [{"flag": "_checkout", "variations": ["t"]}],
    "rules": [{"id": "seg", "when": {"not": {"segment": "0779d76b-afc6-4886-ab65-af8c004273ad"}}, "serve": {"variation": "off"}}, {"id": "flag", "when": {"flag": "_checkout", "variations": ["f"]}, "serve": {"variation": "off"}}]}') > 0 AS updated;
SELECT u, r.variant, r.reason, r.metadata ->> 'prerequisite' AS prerequisite, r.metadata ->> 'rule_id' AS rule FROM unnest('{vip,beta,else}'::text[]) AS u, featbit.resolve('native', jsonb_build_object('targetingKey', u)) AS r;
SELECT pg_temp.refused(statement) AS result FROM (VALUES
    (1, $$SELECT featbit.update_flag('native', '{"prerequisites": [{"flag": "_checkout", "variations": ["x"]}]}')$$),
    (2, $$SELECT featbit.archive_flag('_checkout')$$), (3, $$DELETE FROM featbit.flag WHERE environment = 'test_featbit_storage' AND key = '_checkout'$$),
    (4, $$UPDATE featbit.flag SET variations = '[{"id": "f", "value": "false"}]' WHERE environment = 'test_featbit_storage' AND key = '_checkout'$$),
    (5, $$SELECT featbit.update_segment('0779d76b-afc6-4886-ab65-af8c004273ad', '{"archived": true}')$$), (6, $$SELECT featbit.delete_segment('0779d76b-afc6-4886-ab65-af8c004273ad')$$)) AS v (n, statement) ORDER BY n;
SELECT path, problem, severity FROM featbit.flag_problems('test_featbit_storage') WHERE key = 'native' OR severity = 'error';
-- where only FeatBit's flags refer to a segment it may go: their rules are not met
SELECT featbit.delete_flag('native') > 0 AS deleted;
SELECT featbit.update_segment('0779d76b-afc6-4886-ab65-af8c004273ad', '{"archived": true}') > 0 AS archived, featbit.flag_variation('beta', '_checkout', '{"org": 1}') AS variation;
SELECT featbit.delete_segment('0779d76b-afc6-4886-ab65-af8c004273ad') > 0 AS deleted, featbit.restore_segment('0779d76b-afc6-4886-ab65-af8c004273ad', 1) > 0 AS restored;
SELECT semantics, archived, source FROM featbit.segment WHERE environment = 'test_featbit_storage';
-- an archived segment that a native flag refers to came past the validation
SELECT featbit.create_flag('native', '[{"key": "on", "value": true}]') > 0 AS created;
SELECT featbit.add_rule('native', '{"id": "seg", "when": {"not": {"segment": "0779d76b-afc6-4886-ab65-af8c004273ad"}}, "serve": {"variation": "on"}}') > 0 AS added;
SET session_replication_role = replica;
UPDATE featbit.segment SET archived = true WHERE environment = 'test_featbit_storage';
RESET session_replication_role;
SELECT reason, error_message FROM featbit.resolve('native', '{"targetingKey": "u"}');
SELECT key, path, problem, severity FROM featbit.flag_problems('test_featbit_storage');
SELECT featbit.delete_flag('native') > 0 AS deleted;
SELECT featbit.update_segment('0779d76b-afc6-4886-ab65-af8c004273ad', '{"archived": false}') > 0 AS unarchived;

SELECT * FROM featbit.diff_flag('_checkout', 1, 12);

-- copies
SELECT r.kind, r.key FROM featbit.flag AS f, featbit.definition_references(to_jsonb(f)) AS r WHERE environment = 'test_featbit_storage' ORDER BY 1, 2;
SELECT pg_temp.refused($$SELECT featbit.copy_flag('_checkout', 'test_featbit_storage_b')$$);
SELECT featbit.copy_flag('_checkout', 'test_featbit_storage_b', with_references => true) > 0 AS copied;
SELECT featbit.copy_flag('_checkout', 'test_featbit_storage', 'again') > 0 AS copied;
SELECT * FROM featbit.clone_environment('test_featbit_storage', 'test_featbit_storage_c');
SELECT f.environment, f.key, f.salt, f.source, featbit.flag_variation('beta', f.key, '{}', f.environment), (SELECT count(*) FROM featbit.segment AS s WHERE s.environment = f.environment AND s.semantics = 'featbit') AS segments
FROM featbit.flag AS f WHERE environment LIKE 'test\_featbit\_storage%' ORDER BY 1, 2;
-- views name what they can
SELECT key, type, rules, targets, served FROM featbit.flags WHERE environment = 'test_featbit_storage' ORDER BY key;
SELECT environment, flag_key, position, id, name, condition, serve, served FROM featbit.flag_rules WHERE environment = 'test_featbit_storage';
-- exposures know the unit that was dealt, and that a part is dealt at random
SELECT variation, reason, unit_key, randomised FROM featbit.evaluate_exposure('u', '_checkout', '{"org": "acme"}');
SELECT variation, reason, unit_key, randomised FROM featbit.evaluate_exposure('beta', '_checkout', '{"org": "acme"}');
