-- The flags of the comparisons: 50/50 splits, the rules of plpgsql_rules.sql, lists of 3 and of 10,000 values; and the
-- attributes of the users as columns.
INSERT INTO featbit.flag (environment, key, type, variations, rules, fallthrough)
SELECT 'default', key, 'string', '[{"key": "base", "value": "base"}, {"key": "tuned", "value": "tuned"}]', rules::jsonb, fallthrough::jsonb
FROM (
    SELECT 'f' || n AS key, '[]' AS rules,
        '{"split": [{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]}' AS fallthrough
    FROM unnest(ARRAY['', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10']) n
    UNION ALL
    SELECT 'r', '[
      {"id": "one", "when": {"all": [{"attribute": "country", "op": "one_of", "value": ["jp", "br"]}, {"attribute": "age", "op": "gt", "value": 70}]},
       "serve": {"variation": "base"}},
      {"id": "two", "when": {"all": [{"attribute": "plan", "op": "eq", "value": "team"}, {"attribute": "age", "op": "gt", "value": 60}]},
       "serve": {"split": [{"variation": "base", "weight": 30}, {"variation": "tuned", "weight": 70}]}},
      {"id": "three", "when": {"all": [{"attribute": "country", "op": "one_of", "value": ["de"]}, {"attribute": "beta", "op": "eq", "value": true}]},
       "serve": {"variation": "tuned"}}]',
      '{"split": [{"variation": "base", "weight": 90}, {"variation": "tuned", "weight": 10}]}'
    UNION ALL
    SELECT 'list-' || n, jsonb_build_array(jsonb_build_object('id', 'listed', 'when', jsonb_build_object('attribute', 'city', 'op', 'one_of',
        'value', (SELECT jsonb_agg('city-' || 7 * i) FROM generate_series(1, n) i)), 'serve', '{"variation": "tuned"}'::jsonb))::text,
        '{"variation": "base"}'
    FROM unnest(ARRAY[3, 10000]) n) flags;
CREATE TABLE bench_column AS
SELECT key, id, attributes ->> 'country' AS country, (attributes ->> 'age')::int AS age, attributes ->> 'plan' AS plan,
    (attributes ->> 'beta')::boolean AS beta, attributes ->> 'version' AS version, attributes ->> 'city' AS city,
    attributes ->> 'device' AS device, (attributes ->> 'spend')::numeric AS spend, attributes
FROM bench_user;
VACUUM (FREEZE, ANALYZE) bench_column;
