-- what a change would do to whom, without making it
SET featbit.environment = 'test_preview';
\set SHOW_CONTEXT never
\set ECHO all
SELECT featbit.create_segment('beta', '{u1,u2,u3}') > 0 AS beta,
    featbit.create_flag('model', '[{"key": "base", "value": "a"}, {"key": "tuned", "value": "b"}]', fallthrough => '{"split": [{"variation": "base", "weight": 90}, {"variation": "tuned", "weight": 10}]}') > 0 AS model;
CREATE TEMP TABLE person AS SELECT 'u' || n AS id, jsonb_build_object('plan', CASE WHEN n % 4 = 0 THEN 'pro' ELSE 'free' END) AS context FROM generate_series(1, 10000) n;
SELECT from_variation, to_variation, users BETWEEN 1400 AND 1600 AS about_15, users < 1100 AS about_10, users > 7000 AS most, percentage = round(users / 100.0, 3) AS share
FROM featbit.preview_change('model', '{"fallthrough": {"split": [{"variation": "base", "weight": 75}, {"variation": "tuned", "weight": 25}]}}', ARRAY(SELECT id FROM person));
-- attributes, segments, targets and the default of the code
SELECT to_variation, sum(users) AS users, sum(percentage) AS percentage FROM featbit.preview_change('model', '{"fallthrough": {"variation": "base"}, "rules": [{"id": "pro", "when": {"attribute": "plan", "op": "eq", "value": "pro"}, "serve": {"variation": "tuned"}}, {"id": "beta", "when": {"segment": "beta"}, "serve": {"variation": "tuned"}}]}',
    ARRAY(SELECT id FROM person ORDER BY id), ARRAY(SELECT context FROM person ORDER BY id)) GROUP BY 1 ORDER BY 1;
SELECT to_variation, sum(users) AS users FROM featbit.preview_change('model', '{"enabled": false}', ARRAY(SELECT id FROM person)) GROUP BY 1;
SELECT * FROM featbit.preview_change('model', '{"targets": [{"variation": "tuned", "users": ["x"]}]}', '{x,NULL,x}');
SELECT * FROM featbit.preview_change('model', '{}', '{}');
-- what was previewed is what happens
CREATE TEMP TABLE preview AS SELECT p.id, featbit.assign_variation((SELECT featbit.preview_definition('model', '{"salt": "anew"}')), p.id, p.context, now()) AS variation FROM person AS p;
SELECT revision, salt FROM featbit.flag WHERE environment = 'test_preview';
SELECT featbit.update_flag('model', '{"salt": "anew"}') > 0 AS changed;
SELECT count(*) AS users, count(*) FILTER (WHERE featbit.flag_variation(id, 'model') = variation) AS same FROM preview;
-- what could not be stored cannot be previewed
SELECT * FROM featbit.preview_change('modle', '{}', '{u}');
SELECT * FROM featbit.preview_change('quite-other', '{}', '{u}');
SELECT * FROM featbit.preview_change(NULL, '{}', '{u}');
SELECT * FROM featbit.preview_change('model', '{"enabeld": true}', '{u}');
SELECT * FROM featbit.preview_change('model', '5', '{u}');
SELECT * FROM featbit.preview_change('model', '{}', '{u,v}', ARRAY['{}'::jsonb]);
SELECT * FROM featbit.preview_change('model', '{}', '{u}', ARRAY['{}'::jsonb, '{}']);
SELECT * FROM featbit.preview_change('model', '{}', NULL, ARRAY['{}'::jsonb]);
SELECT count(*) AS nobody FROM featbit.preview_change('model', '{}', '{}', '{}');
SELECT sum(users) AS one FROM featbit.preview_change('model', '{}', '{u,NULL}', ARRAY[NULL::jsonb, NULL]);
SELECT * FROM featbit.preview_change('model', '{"fallthrough": {"variation": "x"}}', '{u}');
SELECT * FROM featbit.preview_change('model', '{"prerequisites": [{"flag": "model", "variations": ["base"]}]}', '{u}');
SELECT * FROM featbit.preview_change('model', '{"rules": [{"id": "r", "when": {"segment": "bta"}, "serve": {"variation": "base"}}]}', '{u}');
SELECT featbit.draft_definition(NULL) IS NULL AS nothing;
SELECT featbit.draft_definition('{}');
SELECT featbit.draft_definition('[]');
