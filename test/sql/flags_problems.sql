-- what is wrong or suspicious in the stored configuration
SET featbit.environment = 'test_problems';
SET timezone = 'UTC';
\set SHOW_CONTEXT never
\set ECHO all
SELECT * FROM featbit.flag_problems('test_problems');
SELECT featbit.create_segment('inner', '{ann}') AS "inner", featbit.create_segment('beta', condition => '{"segment": "inner"}') AS beta,
    featbit.create_flag('gate', '[{"key": "on", "value": true}, {"key": "off", "value": false}]') AS gate,
    featbit.create_flag('good', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}]', fallthrough => '{"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}') AS good;
SELECT featbit.set_prerequisites('good', '[{"flag": "gate", "variations": ["on"]}]') > 0 AS prerequisite,
    featbit.add_rule('good', '{"id": "r", "when": {"all": [{"segment": "beta"}, {"attribute": "x", "op": "matches", "value": "^(a+)+$"}]}, "serve": {"variation": "a"}, "percentage": 50, "until": "9999-01-01"}') > 0 AS rule;
SELECT * FROM featbit.flag_problems('test_problems');

-- legal but suspicious
SELECT featbit.create_flag('odd', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]', fallthrough => '{"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 0}]}') > 0 AS odd;
SELECT featbit.update_flag('odd', '{"prerequisites": [{"flag": "gate", "variations": ["on"]}], "rules": [
    {"id": "none", "when": {"any": []}, "serve": {"variation": "a"}},
    {"id": "zero", "when": {"attribute": "x", "op": "exists"}, "serve": {"variation": "a"}, "percentage": 0},
    {"id": "ended", "when": {"attribute": "x", "op": "exists"}, "serve": {"variation": "a"}, "until": "2020-05-01T00:00:00Z"},
    {"id": "some", "when": {"all": []}, "serve": {"variation": "a"}, "percentage": 99.999},
    {"id": "later", "when": {"all": []}, "serve": {"variation": "a"}, "from": "9999-01-01"},
    {"id": "ramp", "when": {"flag": "gate", "variations": ["on"]}, "serve": {"ramp": [{"at": "2026-01-01T00:00:00Z", "split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 0}, {"variation": "c", "weight": 0}]},
        {"at": "2026-02-01T00:00:00Z", "split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}, {"variation": "c", "weight": 0}]}]}},
    {"id": "all", "when": {"not": {"all": [{"any": []}, {"attribute": "x", "op": "exists"}]}}, "serve": {"variation": "a"}},
    {"id": "behind", "when": {"attribute": "y", "op": "exists"}, "serve": {"variation": "b"}},
    {"id": "last", "when": {"all": []}, "serve": {"variation": "b"}}]}') > 0 AS odd;
SELECT * FROM featbit.flag_problems('test_problems');
SELECT featbit.disable_flag('gate') > 0 AS disabled;
UPDATE featbit.environment SET tracking_schema = 'fb_no_such_schema' WHERE key = 'test_problems';
SELECT * FROM featbit.flag_problems('test_problems') WHERE key <> 'odd' OR path LIKE 'prereq%' OR path LIKE '%ramp%' OR path LIKE 'rules[5]%';

-- what came past the validation
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE featbit.flag SET archived = true WHERE environment = 'test_problems' AND key = 'gate';
DELETE FROM featbit.flag WHERE environment = 'test_problems' AND key = 'odd';
INSERT INTO featbit.segment (environment, key, included, condition, revision, updated_at, updated_by) VALUES
    ('test_problems', 'null-user', '{bob,NULL}', NULL, 1, '2026-01-01', 'x'), ('test_problems', 'cond', '{}', '{"any": [{"attribute": "a"}, {"not": {"segment": "gone"}}, {"all": 5}]}', 1, '2026-01-01', 'x'),
    ('test_problems', 'c1', '{}', '{"segment": "c2"}', 1, '2026-01-01', 'x'), ('test_problems', 'c2', '{}', '{"any": [{"segment": "c3"}, {"segment": "c2"}]}', 1, '2026-01-01', 'x'),
    ('test_problems', 'c3', '{}', '{"all": [{"segment": "inner"}, {"segment": "c1"}]}', 1, '2026-01-01', 'x'), ('test_problems', 'bad key', '{}', NULL, 1, '2026-01-01', 'x');
INSERT INTO featbit.flag SELECT * FROM jsonb_populate_recordset(NULL::featbit.flag, (SELECT jsonb_agg('{"environment": "test_problems", "type": "string", "prerequisites": [], "targets": [], "rules": [], "enabled": true,
        "semantics": "native", "salt": "s", "tags": [], "archived": false, "iteration": 0, "fallthrough": {"variation": "red"}, "revision": 1,
        "updated_at": "2026-01-01", "updated_by": "x", "variations": [{"key": "red", "value": "R"}, {"key": "blue", "value": "B"}]}'::jsonb || v.changes)
    FROM (VALUES ('{"key": "f-type", "type": "text"}'::jsonb), ('{"key": "f-off", "off_variation": "rde"}'), ('{"key": "f-fallthrough", "fallthrough": {"split": []}}'), ('{"key": "f-variations", "variations": {}}'),
        ('{"key": "f-targets", "targets": [{"variation": "red", "users": ["ann", "bob"]}, {"variation": "blue", "users": ["bob"]}, {"variation": "red", "users": []}, 5]}'), ('{"key": "f-targets-2", "targets": {}}'),
        ('{"key": "f-prereq", "prerequisites": [5, {"flag": "gone", "variations": ["on"]}, {"flag": "good", "variations": ["a", "x"]}, {"flag": "f-type", "variations": ["x"]}]}'), ('{"key": "f-prereq-2", "prerequisites": 5}'),
        ('{"key": "f-rules", "rules": [5, {"id": "a", "when": {"any": [{"segment": "gone"}, {"all": [{"attribute": "x", "op": "like", "value": 1}]}, {"not": 7}]}, "serve": {"variation": "gone"}}, {"id": "a", "when": {"all": []}, "serve": {"variation": "red"}}]}'),
        ('{"key": "f-rules-2", "rules": {}}'), ('{"key": "p1", "prerequisites": [{"flag": "p2", "variations": ["red"]}]}'), ('{"key": "p2", "rules": [{"id": "r", "when": {"flag": "p1", "variations": ["red"]}, "serve": {"variation": "red"}}]}'),
        ('{"key": "self", "prerequisites": [{"flag": "self", "variations": ["red"]}]}')) AS v (changes)));
INSERT INTO featbit.flag (environment, key, type, variations, prerequisites, fallthrough, salt, revision, updated_at, updated_by)
SELECT 'test_problems_deep', 'chain-' || to_char(n, 'FM00'), 'boolean', '[{"key": "on", "value": true}]', CASE WHEN n < 34 THEN jsonb_build_array(jsonb_build_object('flag', 'chain-' || to_char(n + 1, 'FM00'), 'variations', '["on"]'::jsonb)) ELSE '[]' END,
    '{"variation": "on"}', 'x', 1, '2026-01-01', 'x' FROM generate_series(1, 34) n;
COMMIT;
SELECT kind, key, path, problem, severity FROM featbit.flag_problems('test_problems');
SELECT * FROM featbit.flag_problems('test_problems_deep');
SELECT environment, count(*) > 0 AS some FROM featbit.flag_problems() WHERE environment LIKE 'test_problems%' GROUP BY 1 ORDER BY 1;
SELECT * FROM featbit.flag_problems('test_problems_none');
SELECT * FROM featbit.flag_problems('test_problem');
-- what evaluates to an error is reported, at least in the cycle that it is part of
SELECT f.key, r.error_code FROM featbit.flag AS f, featbit.resolve(f.key, '{"targetingKey": "zoe"}') AS r
WHERE f.environment = 'test_problems' AND r.reason = 'ERROR' AND NOT EXISTS (SELECT FROM featbit.flag_problems('test_problems') AS p WHERE (p.key = f.key OR p.problem LIKE '%cycle%"' || f.key || '"%') AND p.severity = 'error')
  AND NOT f.archived;

-- limits of regular expressions that this session met
SELECT featbit.create_flag('pattern', '[{"key": "on", "value": true}]', environment => 'test_problems_pattern') > 0 AS created,
    featbit.add_rule('pattern', '{"id": "r", "when": {"attribute": "x", "op": "matches", "value": "^(a+)+(a+)+(a+)+$"}, "serve": {"variation": "on"}}', environment => 'test_problems_pattern') > 0 AS rule;
SELECT reason FROM featbit.resolve('pattern', jsonb_build_object('targetingKey', 'u', 'x', repeat('a', 1000) || 'b'), 'test_problems_pattern');
SELECT kind, key, severity, regexp_replace(problem, '\d+', 'N') AS problem FROM featbit.flag_problems('test_problems_pattern');

-- with the rights of the caller
CREATE ROLE fb_problems_reader;
SELECT featbit.grant_access('fb_problems_reader', 'analyse', 'test_problems_deep');
SET ROLE fb_problems_reader;
SELECT DISTINCT environment FROM featbit.flag_problems() WHERE environment IS NOT NULL;
RESET ROLE;
SELECT featbit.revoke_access('fb_problems_reader', 'analyse');
GRANT USAGE ON SCHEMA featbit TO fb_problems_reader;
GRANT EXECUTE ON FUNCTION featbit.flag_problems(text) TO fb_problems_reader;
SET ROLE fb_problems_reader;
SELECT * FROM featbit.flag_problems();
RESET ROLE;
DROP OWNED BY fb_problems_reader;
DROP ROLE fb_problems_reader;
