-- tables in the user's schema, expose and track
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET featbit.environment = 'test_tracking';
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '(null)'

-- before create_tracking
SELECT featbit.expose('alice', 'no-such-flag');
SELECT featbit.track('alice', 'purchase');
SELECT featbit.expose_batch('{alice}', 'no-such-flag');

-- a hostile name of a schema; the same again changes nothing
SELECT featbit.create_tracking('My "facts" %s; here');
SELECT featbit.create_tracking('My "facts" %s; here', 'test_tracking');
SELECT key, tracking_schema FROM featbit.environment WHERE key = 'test_tracking';
SELECT c.relname, c.relkind, obj_description(c.oid) IS NOT NULL AS commented,
		(SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL) AS uncommented_columns
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'My "facts" %s; here' AND c.relkind IN ('r', 'v') ORDER BY c.relname;
SELECT a.attrelid::regclass, a.attname FROM pg_attribute a
	WHERE a.attrelid IN ('"My ""facts"" %s; here".exposure'::regclass, '"My ""facts"" %s; here".event'::regclass)
		AND a.atttypid = 'text'::regtype AND a.attcollation <> '"C"'::regcollation;
SET search_path = 'My "facts" %s; here', public;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'My "facts" %s; here' AND tablename IN ('exposure', 'event') ORDER BY indexdef;

-- exactly one schema for an environment, one schema for many environments
SELECT featbit.create_tracking('elsewhere');
SELECT featbit.create_tracking('My "facts" %s; here', 'test_tracking_2');
SELECT featbit.create_tracking(NULL);
SELECT featbit.create_tracking('', 'test_tracking_3');
SELECT featbit.create_tracking('featbit', 'test_tracking_3');
SELECT featbit.create_tracking('pg_mine', 'test_tracking_3');
SELECT featbit.create_tracking(repeat('x', 64), 'test_tracking_3');
CREATE SCHEMA facts_taken;
CREATE TABLE facts_taken.event (id bigint, value float8);
SELECT featbit.create_tracking('facts_taken', 'test_tracking_3');
DROP TABLE facts_taken.event;
CREATE TABLE facts_taken.event (LIKE event);
SELECT featbit.create_tracking('facts_taken', 'test_tracking_3');
SELECT count(*) FROM featbit.environment WHERE key = 'test_tracking_3';
-- tables made beforehand may be partitioned
DROP TABLE facts_taken.event;
CREATE TABLE facts_taken.exposure (LIKE exposure INCLUDING INDEXES) PARTITION BY HASH (user_key);
CREATE TABLE facts_taken.exposure_0 PARTITION OF facts_taken.exposure FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE facts_taken.exposure_1 PARTITION OF facts_taken.exposure FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE facts_taken.event (LIKE event INCLUDING INDEXES INCLUDING DEFAULTS) PARTITION BY RANGE (occurred_at);
CREATE TABLE facts_taken.event_2026 PARTITION OF facts_taken.event FOR VALUES FROM ('2026-01-01 UTC') TO ('2027-01-01 UTC');
SELECT featbit.create_tracking('facts_taken', 'test_tracking_3');
-- tables of somebody else are not recorded into, unless they have been before
CREATE ROLE fb_tracking_stranger;
CREATE SCHEMA facts_strange AUTHORIZATION fb_tracking_stranger;
CREATE TABLE facts_strange.event (LIKE event INCLUDING INDEXES INCLUDING DEFAULTS);
ALTER TABLE facts_strange.event OWNER TO fb_tracking_stranger;
SELECT featbit.create_tracking('facts_strange', 'test_tracking_4');
SELECT count(*) FROM pg_class WHERE relnamespace = 'facts_strange'::regnamespace AND relkind = 'r';
ALTER TABLE facts_strange.event OWNER TO CURRENT_USER;
SELECT featbit.create_tracking('facts_strange', 'test_tracking_4');
ALTER TABLE facts_strange.event OWNER TO fb_tracking_stranger;
SELECT featbit.create_tracking('facts_strange', 'test_tracking_5');
DROP SCHEMA facts_strange CASCADE;
DROP ROLE fb_tracking_stranger;
DELETE FROM featbit.environment WHERE key IN ('test_tracking_4', 'test_tracking_5');

-- expose: returns what evaluate_flag returns, keeps the first time
SELECT featbit.create_flag('colour', '[{"key": "base", "value": "grey"}, {"key": "tuned", "value": "green"}, {"key": "bold", "value": "red"}]') > 0 AS created;
SELECT featbit.set_rollout('colour', '[{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]') > 0 AS rolled_out;
SELECT featbit.set_targets('colour', 'bold', '{carol}') > 0 AS targeted;
SELECT featbit.add_rule('colour', '{"id": "orgs", "when": {"attribute": "plan", "op": "eq", "value": "team"}, "serve": {"split": [{"variation": "base", "weight": 1}, {"variation": "tuned", "weight": 1}], "by": "org"}}') > 0 AS ruled;
SELECT count(*) AS users, count(*) FILTER (WHERE featbit.expose('user-' || i, 'colour') = featbit.evaluate_flag('user-' || i, 'colour')) AS same
	FROM generate_series(1, 100) i;
SELECT featbit.expose('carol', 'colour');
SELECT featbit.expose('dave', 'colour', '{"plan": "team", "org": 7}') IN ('grey', 'green') AS served;
SELECT count(*) AS rows, count(DISTINCT variation) AS variations, count(*) FILTER (WHERE variation = featbit.flag_variation(user_key, flag_key)) AS as_evaluated,
		count(*) FILTER (WHERE unit_key = user_key AND randomised AND rule_id IS NULL AND reason = 'SPLIT' AND iteration = 0) AS randomised,
		count(DISTINCT revision) AS revisions
	FROM exposure WHERE environment = 'test_tracking' AND user_key LIKE 'user-%';
SELECT user_key, CASE WHEN NOT randomised THEN variation END AS variation, reason, rule_id, unit_key, randomised FROM exposure WHERE user_key IN ('carol', 'dave') ORDER BY user_key;

-- a repeated exposure writes nothing, in later transactions and in the same statement
CREATE TEMP TABLE before AS SELECT *, ctid AS place, xmin AS writer FROM exposure;
SELECT count(featbit.expose('user-' || i, 'colour')) FROM generate_series(1, 100) i, generate_series(1, 2);
BEGIN;
SELECT featbit.expose('user-1', 'colour') IS NOT NULL AS exposed;
SELECT pg_current_xact_id_if_assigned() AS transaction_id;
COMMIT;
SELECT count(*) AS kept FROM exposure e JOIN before b ON e.user_key = b.user_key AND e.ctid = b.place AND e.xmin = b.writer AND e.exposed_at = b.exposed_at;
SELECT count(*) = (SELECT count(*) FROM before) AS nothing_new FROM exposure;

-- keys of type bigint and uuid are recorded as canonical text
SELECT featbit.expose(42::bigint, 'colour') = featbit.evaluate_flag('42', 'colour') AS same,
	featbit.expose('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, 'colour') = featbit.evaluate_flag('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'colour') AS same_uuid;
SELECT featbit.track(42::bigint, 'login'), featbit.track('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid, 'login');
SELECT user_key FROM exposure WHERE user_key IN ('42', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11') ORDER BY user_key;
SELECT user_key FROM event WHERE event_name = 'login' ORDER BY user_key;

-- what the application really served
SELECT featbit.expose('erin', 'colour', variation => featbit.flag_variation('erin', 'colour')) = featbit.evaluate_flag('erin', 'colour') AS agrees;
SELECT featbit.expose('erin', 'colour', variation => 'bold');
SELECT featbit.expose('frank', 'colour', '{"plan": "team", "org": 7}', variation => 'bold');
SELECT user_key, CASE WHEN NOT randomised THEN variation END AS variation, reason, rule_id, unit_key, randomised FROM exposure WHERE user_key IN ('erin', 'frank') ORDER BY user_key, randomised DESC;
SELECT featbit.expose('carol', 'colour', variation => 'bald');
SELECT featbit.expose('carol', 'no-such-flag', variation => 'bold');

-- errors and missing variations record nothing and raise nothing
SELECT featbit.expose('grace', 'no-such-flag'), featbit.expose(NULL::text, 'colour'), featbit.expose('grace', NULL), featbit.expose(NULL::text, 'colour', variation => 'bold');
SELECT featbit.expose('grace', 'colour', '{"plan": "team"}') AS no_unit;
SELECT featbit.disable_flag('colour') > 0 AS disabled;
SELECT featbit.expose('grace', 'colour') AS code_default;
SELECT count(*) FROM exposure WHERE user_key = 'grace';
SELECT featbit.expose('grace', 'colour', variation => 'base') AS served_all_the_same;
SELECT variation, reason, randomised FROM exposure WHERE user_key = 'grace';
SELECT featbit.enable_flag('colour') > 0 AS enabled;

-- in the caller's transaction
BEGIN;
SELECT featbit.expose('henry', 'colour') IS NOT NULL AS exposed, featbit.track('henry', 'purchase', 1);
SELECT count(*) FROM exposure WHERE user_key = 'henry';
ROLLBACK;
SELECT count(*) FROM exposure WHERE user_key = 'henry';
SELECT featbit.expose('ivan', 'colour') IS NOT NULL AS exposed, featbit.track('ivan', 'signup');
SELECT e.exposed_at = v.occurred_at AS same_clock FROM exposure e JOIN event v USING (user_key) WHERE user_key = 'ivan';
BEGIN READ ONLY;
SELECT featbit.expose('alice', 'colour');
ROLLBACK;
BEGIN READ ONLY;
SELECT featbit.expose('alice', 'no-such-flag');
ROLLBACK;
BEGIN READ ONLY;
SELECT featbit.track('alice', 'purchase');
ROLLBACK;
BEGIN READ ONLY;
SELECT featbit.track_batch('{alice}', 'purchase');
ROLLBACK;

-- track
SELECT featbit.track('alice', 'purchase', 12.5, '{"sku": "a"}', '2026-01-02 UTC', idempotency_key => 'k1') AS first,
	featbit.track('alice', 'purchase', 12.5, '{"sku": "a"}', '2026-01-02 UTC', idempotency_key => 'k1') AS again,
	featbit.track('alice', 'purchase', 12.5, '{}', '2026-01-03 UTC', idempotency_key => 'k1') AS other_time,
	featbit.track('bob', 'purchase', NULL, NULL, '2026-01-02 UTC', idempotency_key => 'k1') AS other_user,
	featbit.track('alice', 'purchase', 12.5, '{}', '2026-01-02 UTC', 'test_tracking_2', 'k1') AS other_environment;
SELECT environment, user_key, value, attributes, occurred_at AT TIME ZONE 'UTC' AS occurred_at, idempotency_key FROM event WHERE event_name = 'purchase' ORDER BY 1, 2, 5;
SELECT featbit.track('alice', 'purchase', 1, idempotency_key => 'k1');
SELECT featbit.track('alice', 'purchase', 'NaN');
SELECT featbit.track('alice', 'purchase', '-Infinity');
SELECT featbit.track('alice', 'purchase', 1, '[1]');
SELECT featbit.track('alice', 'purchase', 1, '{}', 'infinity');
SELECT featbit.track('alice', NULL);
SELECT featbit.track('alice', '');
SELECT featbit.track(NULL::text, 'purchase');
SELECT featbit.track('alice', 'purchase', environment => 'test_nowhere');
INSERT INTO event VALUES ('test_tracking', 'alice', 'purchase', 'Infinity', '{}', '2026-01-01 UTC');
INSERT INTO event VALUES ('test_tracking', 'alice', 'purchase', 'NaN', '{}', '2026-01-01 UTC');

-- batches
SELECT featbit.expose_batch(ARRAY['b1', 'b2', NULL, 'b2', 'carol', 'user-1'], 'colour') AS written;
SELECT featbit.expose_batch(ARRAY['b1', 'b3', 'b4'], 'colour', ARRAY['{}', '{"plan": "team", "org": "x"}', NULL]::jsonb[]) AS written;
SELECT featbit.expose_batch(ARRAY['b5'], 'no-such-flag') AS none, featbit.expose_batch('{}', 'colour') AS empty, featbit.expose_batch(NULL, 'colour') AS nothing;
SELECT user_key, rule_id, unit_key, randomised, variation = featbit.flag_variation(user_key, flag_key, CASE user_key WHEN 'b3' THEN '{"plan": "team", "org": "x"}'::jsonb ELSE '{}' END) AS as_evaluated
	FROM exposure WHERE user_key LIKE 'b_' ORDER BY user_key;
SELECT featbit.expose_batch(ARRAY['b1', 'b2'], 'colour', ARRAY['{}']::jsonb[]);
SELECT featbit.track_batch(ARRAY['b1', 'b2', 'b2'], 'batch', ARRAY[1, 2, NULL], ARRAY['2026-02-01 UTC', NULL, '2026-02-03 UTC']::timestamptz[]) AS written,
	featbit.track_batch(ARRAY['b1', 'b2'], 'batch') AS plain, featbit.track_batch('{}', 'batch') AS empty;
SELECT user_key, value, CASE WHEN occurred_at < '2026-03-01 UTC' THEN occurred_at AT TIME ZONE 'UTC' END AS given, attributes FROM event WHERE event_name = 'batch' ORDER BY 1, 2, 3;
SELECT featbit.track_batch(ARRAY['b1', 'b2'], 'batch', ARRAY[1]);
SELECT featbit.track_batch(ARRAY['b1', 'b2'], 'batch', ARRAY[1, 'Infinity']::float8[]);
SELECT featbit.track_batch(ARRAY['b1', 'b2'], 'batch', ARRAY[1, 2], ARRAY['infinity', NULL]::timestamptz[]);
SELECT featbit.track_batch(ARRAY['b1', NULL], 'batch');
SELECT featbit.track_batch(ARRAY['b1'], '');
SELECT featbit.track_batch(ARRAY['b1'], NULL);
SELECT count(*) FROM event WHERE event_name = 'batch';

-- partitioned tables
SELECT featbit.create_flag('colour', '[{"key": "base", "value": "grey"}]', environment => 'test_tracking_3') > 0 AS created;
SELECT featbit.expose('alice', 'colour', environment => 'test_tracking_3'), featbit.expose('bob', 'colour', environment => 'test_tracking_3'), featbit.expose('bob', 'colour', environment => 'test_tracking_3');
SELECT featbit.track('alice', 'x', 1, '{}', '2026-05-01', 'test_tracking_3', 'k'), featbit.track('alice', 'x', 1, '{}', '2026-05-01', 'test_tracking_3', 'k');
SELECT (SELECT count(*) FROM facts_taken.exposure) AS exposures, (SELECT count(*) FROM facts_taken.event) AS events;

-- a role that records needs rights on its own tables, none on the configuration
CREATE ROLE facts_recorder;
GRANT USAGE ON SCHEMA featbit, "My ""facts"" %s; here" TO facts_recorder;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA featbit TO facts_recorder;
GRANT SELECT, INSERT ON exposure TO facts_recorder;
SET ROLE facts_recorder;
SELECT featbit.expose('recorder', 'colour') IS NOT NULL AS exposed;
SELECT featbit.expose_batch('{recorder, recorder-2}', 'colour');
SELECT featbit.track('recorder', 'purchase');
SELECT count(*) FROM featbit.flag;
RESET ROLE;
DROP OWNED BY facts_recorder;
DROP ROLE facts_recorder;

-- calls of language models in the shape of events
INSERT INTO llm_call (environment, user_key, call_id, flag_key, variation, model, latency_ms, first_token_ms, input_tokens, output_tokens, cost, error, called_at)
	VALUES ('test_tracking', 'alice', 'c1', 'colour', 'base', 'm', 800, 120.5, 1000, 200, 0.0042, NULL, '2026-03-01 UTC'),
		('test_tracking', 'bob', 'c2', 'colour', 'tuned', 'm', 30000, NULL, 900, NULL, NULL, 'timeout', '2026-03-02 UTC');
INSERT INTO feedback VALUES ('test_tracking', 'alice', 'c1', 'thumbs', 1, NULL, '2026-03-01 00:01 UTC'), ('test_tracking', 'alice', 'c1', 'note', NULL, 'nice', '2026-03-01 00:02 UTC');
SELECT user_key, event_name, value, occurred_at AT TIME ZONE 'UTC' AS occurred_at, call_id FROM llm_metric WHERE environment = 'test_tracking' ORDER BY call_id, event_name;
INSERT INTO llm_call (environment, user_key, call_id, latency_ms, called_at) VALUES ('test_tracking', 'alice', 'c3', -1, '2026-01-01 UTC');
INSERT INTO llm_call (environment, user_key, call_id, cost, called_at) VALUES ('test_tracking', 'alice', 'c3', 'NaN', '2026-01-01 UTC');

-- the tables use nothing of the extension: it can go, they stay
SELECT count(*) AS dependencies FROM pg_depend d
	JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('My "facts" %s; here', 'facts_taken') AND (d.refclassid = 'pg_extension'::regclass
		OR d.refclassid = 'pg_namespace'::regclass AND d.refobjid = 'featbit'::regnamespace);
CREATE DATABASE facts_drop;
\set back :DBNAME
\c facts_drop
SET client_min_messages = warning;
CREATE EXTENSION featbit_pg;
SELECT featbit.create_tracking('t');
SELECT featbit.track('alice', 'purchase', 1);
DROP EXTENSION featbit_pg;
SELECT (SELECT count(*) FROM t.exposure) AS exposures, (SELECT count(*) FROM t.event) AS events, (SELECT count(*) FROM t.llm_call) AS calls,
	(SELECT count(*) FROM t.feedback) AS feedback, (SELECT count(*) FROM t.llm_metric) AS metrics;
CREATE EXTENSION featbit_pg;
SELECT featbit.create_tracking('t');
SELECT featbit.track('alice', 'purchase', 2);
SELECT user_key, value FROM t.event ORDER BY value;
\c :back
SET client_min_messages = warning;
DROP DATABASE facts_drop;
DROP SCHEMA "My ""facts"" %s; here", facts_taken CASCADE;
SET featbit.environment = 'test_tracking';
-- the schema is gone, a plan for it may be left
SELECT featbit.track('alice', 'purchase');
