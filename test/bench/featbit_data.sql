-- The flags of evaluation_data.sql as FeatBit has them: the split f, the rules r, and a list of 10,000 individual targets.
INSERT INTO featbit.flag (environment, semantics, key, type, variations, rules, targets, fallthrough, off_variation, source)
SELECT 'default', 'featbit', key, 'string', '[{"id": "base", "value": "base"}, {"id": "tuned", "value": "tuned"}]', rules::jsonb, targets, fallthrough::jsonb, 'base',
    '{"exptIncludeAllTargets": false}'
FROM (
    VALUES ('featbit-f', '[]', '[]'::jsonb,
        '{"dispatchKey": null, "includedInExpt": true, "variations": [{"id": "base", "rollout": [0, 0.5], "exptRollout": 0.5}, {"id": "tuned", "rollout": [0.5, 1], "exptRollout": 0.5}]}'),
    ('featbit-r', '[
      {"id": "one", "name": "one", "conditions": [{"property": "country", "op": "IsOneOf", "value": "[\"jp\",\"br\"]"}, {"property": "age", "op": "BiggerThan", "value": "70"}],
       "variations": [{"id": "base", "rollout": [0, 1]}]},
      {"id": "two", "name": "two", "conditions": [{"property": "plan", "op": "Equal", "value": "team"}, {"property": "age", "op": "BiggerThan", "value": "60"}],
       "variations": [{"id": "base", "rollout": [0, 0.3]}, {"id": "tuned", "rollout": [0.3, 1]}]},
      {"id": "three", "name": "three", "conditions": [{"property": "country", "op": "Equal", "value": "de"}, {"property": "beta", "op": "IsTrue", "value": "IsTrue"}],
       "variations": [{"id": "tuned", "rollout": [0, 1]}]}]', '[]'::jsonb,
      '{"variations": [{"id": "base", "rollout": [0, 0.9]}, {"id": "tuned", "rollout": [0.9, 1]}]}'),
    ('featbit-targets', '[]', (SELECT jsonb_build_array(jsonb_build_object('variationId', 'tuned', 'keyIds', jsonb_agg('user-' || 7 * i))) FROM generate_series(1, 10000) i),
      '{"variations": [{"id": "base", "rollout": [0, 1]}]}')) AS v (key, rules, targets, fallthrough);
INSERT INTO featbit.flag (environment, key, type, variations, targets, fallthrough)
SELECT 'default', 'native-targets', 'string', '[{"key": "base", "value": "base"}, {"key": "tuned", "value": "tuned"}]',
    (SELECT jsonb_build_array(jsonb_build_object('variation', 'tuned', 'users', jsonb_agg('user-' || 7 * i))) FROM generate_series(1, 10000) i),
    '{"variation": "base"}';
