-- bucketing agrees with the vectors that an independent program made
SET featbit.environment = 'test_bucketing';
\set content `cat "$PG_ABS_SRCDIR/cases/bucketing.json"`
CREATE TEMP TABLE vector AS
SELECT n, v ->> 'key' AS user_key, v ->> 'salt' AS salt, (v ->> 'iteration')::int AS iteration, v -> 'weights' AS weights,
    (v ->> 'bucket')::bigint AS bucket, (v ->> 'arm')::int AS arm, v ->> 'rule' AS rule, (v ->> 'slot')::int AS slot
FROM jsonb_array_elements(:'content') WITH ORDINALITY AS e (v, n);

-- splits: one flag per vector
INSERT INTO featbit.flag (key, salt, iteration, variations, fallthrough)
SELECT 'split-' || n, salt, iteration,
    (SELECT jsonb_agg(jsonb_build_object('key', 'v' || i - 1, 'value', i)) FROM generate_series(1, jsonb_array_length(weights)) i),
    jsonb_build_object('split', (SELECT jsonb_agg(jsonb_build_object('variation', 'v' || i - 1, 'weight', w) ORDER BY i)
                                 FROM jsonb_array_elements(weights) WITH ORDINALITY AS e (w, i)))
FROM vector WHERE arm IS NOT NULL;
SELECT count(*), count(*) FILTER (WHERE r.variant = 'v' || arm AND (r.metadata ->> 'bucket')::bigint = bucket AND r.reason = 'SPLIT') AS agree
FROM vector, featbit.resolve('split-' || n, jsonb_build_object('targetingKey', user_key)) AS r WHERE arm IS NOT NULL;

-- the salt of a split replaces the flag's, and an attribute the user key
INSERT INTO featbit.flag (key, salt, iteration, variations, fallthrough)
SELECT 'by-' || n, 'another', iteration, variations, fallthrough || jsonb_build_object('salt', vector.salt, 'by', 'unit')
FROM vector JOIN featbit.flag USING (iteration) WHERE environment = 'test_bucketing' AND key = 'split-' || n;
SELECT count(*), count(*) FILTER (WHERE featbit.flag_variation('somebody', 'by-' || n, jsonb_build_object('unit', user_key)) = 'v' || arm) AS agree
FROM vector WHERE arm IS NOT NULL;

-- gates: closed at the user's slot, open just above it
INSERT INTO featbit.flag (key, salt, iteration, variations, fallthrough, rules)
SELECT 'gate-' || n || '-' || above, salt, 5, '[{"key": "in", "value": true}, {"key": "out", "value": false}]', '{"variation": "out"}',
    jsonb_build_array(jsonb_build_object('id', rule, 'when', '{"all": []}'::jsonb, 'serve', '{"variation": "in"}'::jsonb,
                                         'percentage', (slot + above) / 1000.0))
FROM vector, (VALUES (0), (1)) AS a (above) WHERE rule IS NOT NULL;
SELECT above, featbit.flag_variation(user_key, 'gate-' || n || '-' || above), count(*)
FROM vector, (VALUES (0), (1)) AS a (above) WHERE rule IS NOT NULL GROUP BY 1, 2 ORDER BY 1;

-- text, bigint and uuid keys hash the canonical text, and so does a number, a boolean or a string in an attribute
SELECT featbit.create_flag('thousand', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]',
    fallthrough => '{"split": [{"variation": "a", "weight": 999}, {"variation": "b", "weight": 1}]}');
SELECT featbit.create_flag('thousand-by', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]',
    fallthrough => '{"split": [{"variation": "a", "weight": 999}, {"variation": "b", "weight": 1}], "by": "id", "salt": "thousand"}');
SELECT name, (featbit.resolve('thousand', jsonb_build_object('targetingKey', key))).metadata ->> 'bucket' AS user_key,
    (featbit.resolve('thousand-by', jsonb_build_object('targetingKey', 'x', 'id', attribute))).metadata ->> 'bucket' AS by_attribute
FROM (VALUES ('integer', '-42', '-42'::jsonb), ('trailing zeros', '1.5', '1.500'), ('whole', '100', '100.00'), ('exponent', '1000', '1e3'),
             ('tiny', '0.0001', '1e-4'), ('minus zero', '0', '-0.0'), ('boolean', 'true', 'true'), ('string', 'zoë', '"zoë"'),
             ('uuid', '9f1b2c3d-0000-4000-8000-00000000abcd', '"9f1b2c3d-0000-4000-8000-00000000abcd"')) AS v (name, key, attribute);
SELECT featbit.create_flag('half', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]',
    fallthrough => '{"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}');
SELECT count(*) FILTER (WHERE featbit.flag_variation(n::bigint, 'half') = featbit.flag_variation(n::text, 'half')) AS bigint_agrees,
    count(*) FILTER (WHERE featbit.flag_variation(u, 'half') = featbit.flag_variation(u::text, 'half')) AS uuid_agrees
FROM (SELECT n, md5(n::text)::uuid AS u FROM generate_series(-500, 500) n) s;

-- an attribute that is null, an array, an object or not there is no key
SELECT attributes, r.variant, r.error_code, r.error_message
FROM (VALUES ('{"id": null}'::jsonb), ('{"id": [1]}'), ('{"id": {}}'), ('{}')) AS v (attributes),
    featbit.resolve('thousand-by', attributes || '{"targetingKey": "x"}') AS r;
