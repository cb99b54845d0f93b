-- experiments: definition, start, stop, iterations; the ways of assignment and their options
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET featbit.environment = 'test_experiments';
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '-'
CREATE SCHEMA lifecycle;
SET search_path = lifecycle, public;
SELECT featbit.create_tracking('lifecycle');
CREATE TABLE visit (user_id uuid, exposed_at timestamptz, variation text, country text);
CREATE TABLE orders (user_id text, occurred_at timestamptz, amount float8);
SELECT featbit.create_metric('buys', 'conversion', 'orders'), featbit.create_metric('revenue', 'sum', 'orders', value => 'amount'), featbit.create_metric('average', 'mean', 'orders', value => 'amount'),
	featbit.create_metric('opens', 'conversion', event_name => 'open'), featbit.create_metric('middle', 'quantile', 'orders', value => 'amount', quantile => 0.5);
SELECT featbit.create_flag('prompt', '[{"key": "base", "value": "b"}, {"key": "tuned", "value": "t"}, {"key": "off", "value": "o"}]') > 0 AS created;
SELECT featbit.set_rollout('prompt', '[{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]') AS rev \gset

-- what is refused
SELECT featbit.create_experiment('e', 'promt', '{buys}');
SELECT featbit.create_experiment('e', 'prompt', '{bys}');
SELECT featbit.create_experiment('e', 'prompt', '{}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', control => 'bas');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', rule_id => 'beta');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', '{"revenue": -1}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', '{"revenue": "1"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', '["revenue"]');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', '{"buys": 0.1}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', method => 'fixt');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', method => 'fixed');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', method => 'group_sequential', planned_n => 10);
SELECT featbit.create_experiment('e', 'prompt', '{buys}', method => 'group_sequential', looks => '{0.5,1}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', method => 'group_sequential', planned_n => 10, looks => '{0.5,0.5}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', method => 'fixed', planned_n => 10, looks => '{0.5,1}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', alpha => 1);
SELECT featbit.create_experiment('e', 'prompt', '{buys}', planned_n => 0);
SELECT featbit.create_experiment('e', 'prompt', '{buys}', multiplicity => 'holms');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', method => 'bayes', multiplicity => 'e-BH');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', activation => 'opns');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', variations => '{base}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', variations => '{base,tuned,tuned}');
SELECT featbit.create_experiment('e', NULL, '{buys}', variations => '{base,tuned}');
SELECT featbit.create_experiment('e', NULL, '{buys}', control => 'base', variations => '{base,tuned}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', assignment => '{"kind": "guess"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', assignment => '"tracking"');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', assignment => '{"source": "visits"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', assignment => '{"source": "visit", "variation": "varation"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', assignment => '{"source": "visit", "time": "exposed_at"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', assignment => '{"kind": "replay", "source": "visit", "context": "country"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', dimensions => '{"country": {"source": "visit"}}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', dimensions => '{"country": "visit"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', identity => '{"source": "visit"}');
SELECT featbit.create_experiment('e', 'prompt', '{buys}', clusters => '{"source": "visit"}');
SELECT featbit.start_experiment('e');
SELECT count(*) FROM featbit.experiment WHERE environment = 'test_experiments';
SELECT count(*) FROM featbit.experiment_metric WHERE environment = 'test_experiments';

-- 1. exposures that expose recorded
SELECT featbit.create_experiment('prompts', 'prompt', '{buys,revenue}', '{"average": 0.5}', '{opens}', name => 'Tuned prompt');
SELECT featbit.create_experiment('prompts', 'prompt', '{buys}');
SELECT * FROM featbit.experiment_results('prompts');
SELECT * FROM featbit.experiment_results('promtps');
SELECT featbit.stop_experiment('prompts'), featbit.set_experiment_weights('prompts', '{}');
SELECT featbit.start_experiment('prompts', '2026-01-01 12:00', '{"base": 1, "tuend": 1}');
SELECT featbit.start_experiment('prompts', '2026-01-01 12:00', '{"base": 1, "tuned": -1}');
SELECT featbit.start_experiment('prompts', '2026-01-01 12:00', '{"base": 0}');
SELECT featbit.start_experiment('prompts', '2026-01-01 12:00', '[1]');
SELECT featbit.start_experiment('prompts', 'infinity');
SELECT featbit.start_experiment('prompts', '2026-01-01 12:00', '{"base": 50, "tuned": 50}');
SELECT featbit.start_experiment('prompts');
SELECT featbit.archive_experiment('prompts');
INSERT INTO exposure SELECT 'test_experiments', 'prompt', 0, u, v, t::timestamptz, :rev, CASE WHEN r THEN 'SPLIT' ELSE 'TARGETING_MATCH' END, rule, u, r FROM (VALUES
	('b1', 'base', '2026-01-01 12:00', true, NULL), ('b2', 'base', '2026-01-01 13:00', true, NULL), ('b3', 'base', '2026-01-02', true, NULL), ('b4', 'base', '2026-01-02', true, NULL),
	('t1', 'tuned', '2026-01-01 12:00', true, NULL), ('t2', 'tuned', '2026-01-01 13:00', true, NULL), ('t3', 'tuned', '2026-01-02', true, NULL), ('t4', 'tuned', '2026-01-02', true, NULL),
	('early', 'tuned', '2026-01-01 11:59', true, NULL), ('late', 'tuned', '2026-01-10', true, NULL), ('target', 'tuned', '2026-01-02', false, NULL), ('rule', 'tuned', '2026-01-02', true, 'beta'),
	('off', 'off', '2026-01-02', true, NULL), ('mixed', 'base', '2026-01-02', true, NULL), ('mixed', 'tuned', '2026-01-03', true, NULL), ('mixed2', 'tuned', '2026-01-02', false, NULL), ('mixed2', 'base', '2026-01-03', true, NULL)) x (u, v, t, r, rule);
INSERT INTO orders VALUES ('b1', '2026-01-01 12:00', 1), ('b2', '2026-01-01 12:59', 2), ('b3', '2026-01-03', 3), ('b3', '2026-01-03', 3), ('t1', '2026-01-01 12:00', 4), ('t2', '2026-01-02', 5), ('t3', '2026-01-04', NULL),
	('early', '2026-01-02', 9), ('late', '2026-01-11', 9), ('target', '2026-01-03', 9), ('rule', '2026-01-03', 9), ('mixed', '2026-01-04', 9), ('off', '2026-01-04', 9), (NULL, '2026-01-04', 9), ('t4', '2026-01-09 00:00', 6);
SELECT featbit.track('t4', 'open', occurred_at => '2026-01-05'), featbit.track('t1', 'close', occurred_at => '2026-01-05');
CREATE FUNCTION shown(key text, at timestamptz, slice text DEFAULT NULL) RETURNS TABLE (metric text, variation text, slice_value text, users bigint, mean numeric, effect numeric, verdict text, status text, notes text[]) LANGUAGE sql AS
	'SELECT r.metric, r.variation, r.slice, r.users, round(r.mean::numeric, 4), round(r.effect::numeric, 4), r.verdict, r.status, r.notes FROM featbit.experiment_results(key, at, slice) r';
-- b1 to b4 and t1 to t4, with events from the exposure on and before the moment asked for; off is none of the planned
SELECT * FROM shown('prompts', '2026-01-09');
SELECT place, metric, variation, epoch, units, ignored FROM featbit.experiment_states('prompts', '2026-01-09') WHERE place <= 0 ORDER BY place, variation;
-- the past does not change: what was known at a moment is the same whenever it is asked for
SELECT * FROM shown('prompts', '2026-01-02 00:00:00');
-- a metric without window ends with the experiment
SELECT featbit.stop_experiment('prompts', '2025-01-01');
SELECT featbit.stop_experiment('prompts', '2026-01-08');
SELECT * FROM shown('prompts', '2026-02-01') WHERE metric = 'revenue';
SELECT * FROM shown('prompts', '2026-01-09') WHERE metric = 'revenue';
-- re-randomised
SELECT featbit.new_iteration('prompts');
SELECT iteration FROM featbit.flag WHERE environment = 'test_experiments' AND key = 'prompt';
SELECT iteration, flag_iteration, stopped_at IS NULL AS runs FROM featbit.experiment_iteration WHERE environment = 'test_experiments' AND experiment_key = 'prompts' ORDER BY 1;
SELECT metric, variation, users, verdict, iteration FROM featbit.experiment_results('prompts') LIMIT 2;
SELECT DISTINCT iteration FROM featbit.experiment_results('prompts', '2026-01-09');
SELECT featbit.update_experiment('prompts', '{"planned_n": 100}');
SELECT featbit.update_experiment('prompts', '{"plannedn": 100}');
SELECT featbit.update_experiment('prompts', '{"description": "tuned prompts sell more", "dimensions": {"country": {"source": "lifecycle.visit", "value": "country"}}}', 1);
SELECT featbit.update_experiment('prompts', '{"description": "other"}', 1);
SELECT featbit.update_experiment('prompts', '"x"');
SELECT featbit.stop_experiment('prompts') IS NOT NULL AS stopped;
SELECT featbit.update_experiment('prompts', '{"goals": ["revenue"], "guardrails": {}, "secondary": ["buys"], "method": "fixed", "planned_n": 8, "multiplicity": "holm"}');
SELECT metric_key, role, margin FROM featbit.experiment_metric WHERE environment = 'test_experiments' AND experiment_key = 'prompts' ORDER BY place;
SELECT * FROM shown('prompts', '2026-01-09');
SELECT featbit.archive_experiment('prompts'), featbit.start_experiment('prompts');
SELECT featbit.archive_experiment('prompts');
SELECT featbit.start_experiment('prompts');
SELECT featbit.new_iteration('prompts');

-- 2. the same exposures as a relation, in slices, with weights that change, an activating event, identities and clusters
SELECT featbit.create_experiment('own', NULL, '{revenue}', control => 'base', variations => '{base,tuned}', assignment => '{"source": "SELECT user_key, exposed_at AS at, variation FROM exposure", "unit_column": "user_key", "time_column": "at"}',
	dimensions => '{"country": {"source": "(VALUES (''b1'', ''DE''), (''t1'', ''DE''), (''b2'', ''FR''), (''t2'', ''FR''), (''t3'', ''FR'')) v (user_id, country)", "value": "country"}}');
SELECT featbit.create_experiment('own', NULL, '{revenue}', control => 'base', variations => '{base,tuned}', assignment => '{"source": "SELECT user_key, exposed_at AS at, variation FROM exposure", "unit_column": "user_key", "time_column": "at"}',
	dimensions => '{"country": {"source": "SELECT * FROM (VALUES (''b1'', ''DE''), (''t1'', ''DE''), (''b2'', ''FR''), (''t2'', ''FR''), (''t3'', ''FR'')) v (user_id, country)", "value": "country"}}');
SELECT featbit.start_experiment('own', '2026-01-01 12:00', '{"base": 1, "tuned": 1}');
SELECT featbit.new_iteration('own');
SELECT * FROM shown('own', '2026-01-09');
SELECT * FROM shown('own', '2026-01-09', 'country');
SELECT * FROM shown('own', '2026-01-09', 'countries');
SELECT featbit.set_experiment_weights('own', '{"base": 1, "tuned": 3}', '2026-01-02');
SELECT featbit.set_experiment_weights('own', '{"base": 1, "tuned": 3}', '2025-01-02');
SELECT variation, epoch, units FROM featbit.experiment_states('own', '2026-01-09') WHERE place = 0 ORDER BY epoch, variation;
SELECT DISTINCT notes FROM featbit.experiment_results('own', '2026-01-09');
SELECT featbit.create_experiment('activated', NULL, '{revenue}', control => 'base', variations => '{base,tuned}', activation => 'buys', assignment => '{"source": "SELECT user_key, exposed_at AS at, variation FROM exposure", "unit_column": "user_key", "time_column": "at"}'),
	featbit.start_experiment('activated', '2026-01-01 12:00');
-- t2 counts from its first order on
SELECT * FROM shown('activated', '2026-01-09 12:00');
SELECT featbit.create_experiment('known', NULL, '{revenue}', control => 'base', variations => '{base,tuned}', assignment => '{"source": "SELECT user_key, exposed_at AS at, variation FROM exposure", "unit_column": "user_key", "time_column": "at"}',
	identity => '{"source": "SELECT * FROM (VALUES (''b1'', ''person''), (''t1'', ''person''), (''t2'', ''someone''), (''b3'', ''x''), (''b3'', ''y'')) v (anonymous, user_id)", "anonymous": "anonymous"}'), featbit.start_experiment('known', '2026-01-01 12:00');
-- b1 and t1 are one person in two variations, t2 has another name, b3 could be anyone
INSERT INTO orders VALUES ('someone', '2026-01-05', 100);
SELECT * FROM shown('known', '2026-01-09');
SELECT place, variation, units, ignored FROM featbit.experiment_states('known', '2026-01-09') WHERE place <= 0 ORDER BY place, variation;
SELECT featbit.create_experiment('teams', NULL, '{revenue,buys,average}', control => 'base', variations => '{base,tuned}', assignment => '{"source": "SELECT user_key, exposed_at AS at, variation FROM exposure", "unit_column": "user_key", "time_column": "at"}',
	clusters => '{"source": "SELECT * FROM (VALUES (''b1'', ''u''), (''b2'', ''u''), (''b3'', ''v''), (''t1'', ''w''), (''t2'', ''x''), (''t3'', ''x'')) v (user_id, team)", "cluster": "team"}'), featbit.start_experiment('teams', '2026-01-01 12:00');
-- revenue per user, of base (1 + 0 + 6 + 0) / 4 in teams u, v and b4 alone
SELECT * FROM shown('teams', '2026-01-09');
SELECT place, metric, variation, units, featbit.n(stats) AS clusters, round(featbit.mean(stats, 1)::numeric, 4) AS per_cluster, round(featbit.mean(stats, 2)::numeric, 4) AS size FROM featbit.experiment_states('teams', '2026-01-09') WHERE place >= 0 ORDER BY place, variation;

-- 3. replayed: visits, and what the flag's history says they saw
CREATE TABLE hit (user_id text, at timestamptz, country text);
SELECT featbit.create_flag('replayed', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]', environment => 'test_experiments') > 0 AS created;
SELECT featbit.add_rule('replayed', '{"id": "inside", "when": {"attribute": "country", "op": "eq", "value": "DE"}, "serve": {"variation": "b"}}') > 0 AS ruled;
SELECT featbit.set_rollout('replayed', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]') > 0 AS split;
SELECT clock_timestamp() AS since \gset
INSERT INTO hit SELECT 'h' || i, :'since'::timestamptz + i * interval '1 second', CASE WHEN i % 5 = 0 THEN 'DE' END FROM generate_series(1, 200) i, generate_series(1, 2);
INSERT INTO hit SELECT 'h' || i, :'since'::timestamptz + 300 * interval '1 second', 'DE' FROM generate_series(1, 20) i;
SELECT featbit.create_experiment('replay', 'replayed', '{revenue}', assignment => '{"kind": "replay", "source": "hit", "time_column": "at", "context": "jsonb_build_object(''country'', country)"}'), featbit.start_experiment('replay', :'since');
INSERT INTO orders SELECT user_id, at + interval '1 second', 1 FROM hit WHERE country IS NULL;
WITH dealt AS (
	SELECT user_id, featbit.flag_variation(user_id, 'replayed') AS variation, min(at) FILTER (WHERE country IS NULL) AS at,
			bool_or(country = 'DE') FILTER (WHERE true) AND featbit.flag_variation(user_id, 'replayed') = 'a' AS mixed FROM hit GROUP BY user_id HAVING bool_or(country IS NULL))
SELECT r.variation, r.users = d.users AS same_users, r.users > 50 AS many, r.mean AS mean, r.notes
	FROM featbit.experiment_results('replay', :'since'::timestamptz + interval '1 day') r
	JOIN (SELECT variation, count(*) FILTER (WHERE NOT coalesce(mixed, false)) AS users FROM dealt GROUP BY variation) d USING (variation) ORDER BY 1;
SELECT place, variation, units > 0 AS some FROM featbit.experiment_states('replay', :'since'::timestamptz + interval '1 day') WHERE place = -1 AND units > 0;

-- 4. weights from the flag's history, stage by stage
SELECT featbit.create_flag('ramped', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]') > 0 AS created;
SELECT featbit.create_experiment('ramp', 'ramped', '{revenue}'), featbit.start_experiment('ramp');
SELECT featbit.update_flag('ramped', '{"fallthrough": {"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 3}]}}') > 0 AS split;
SELECT featbit.update_flag('ramped', '{"fallthrough": {"ramp": [{"at": "2000-01-01T00:00:00Z", "split": [{"variation": "a", "weight": 9}, {"variation": "b", "weight": 1}]}, {"at": "2000-01-02T00:00:00Z", "split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}, {"at": "2100-01-02T00:00:00Z", "split": [{"variation": "a", "weight": 0}, {"variation": "b", "weight": 1}]}]}}') > 0 AS ramp;
SELECT e.weights FROM featbit.experiment x, featbit.experiment_iteration i, featbit.experiment_epochs(x, i, '2101-01-01') e
	WHERE x.environment = 'test_experiments' AND x.key = 'ramp' AND i.environment = x.environment AND i.experiment_key = x.key ORDER BY e.started_at;
SELECT DISTINCT notes FROM featbit.experiment_results('ramp', now() + interval '1 second');

-- 5. who did not get as far as the activating event, by variation
SELECT check_name, variation, users, round(value::numeric, 4) AS value, round(expected::numeric, 4) AS expected, round(p_value::numeric, 4) AS p, status FROM featbit.experiment_health('activated', '2026-01-09 12:00') WHERE check_name IN ('drop_out', 'sample_ratio', 'mixed_exposure');

-- 6. an analyst may replay what he may read
CREATE ROLE regress_lifecycle_analyst;
SELECT featbit.grant_access('regress_lifecycle_analyst', 'analyse', 'test_experiments');
GRANT SELECT ON orders TO regress_lifecycle_analyst;
SET ROLE regress_lifecycle_analyst;
SELECT variation FROM featbit.experiment_results('replay', :'since'::timestamptz + interval '1 day');
RESET ROLE;
GRANT SELECT ON hit TO regress_lifecycle_analyst;
SET ROLE regress_lifecycle_analyst;
SELECT variation, mean FROM featbit.experiment_results('replay', :'since'::timestamptz + interval '1 day');
SELECT verdict FROM featbit.report('prompts', '2026-01-09') WHERE verdict IS NOT NULL;
RESET ROLE;
DROP OWNED BY regress_lifecycle_analyst;
DROP ROLE regress_lifecycle_analyst;
