-- experiments over time: series, health, power, rehearsals, reports; and what operation asks for: retention, tick, health, forgetting
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET featbit.environment = 'test_monitoring';
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '-'
CREATE SCHEMA monitoring;
SET search_path = monitoring, public;
CREATE TABLE visit (user_id bigint, exposed_at timestamptz, variation text);
CREATE TABLE orders (user_id bigint, occurred_at timestamptz, amount float8);
INSERT INTO visit SELECT i, timestamptz '2026-01-01' + i * interval '10 minutes', CASE i % 2 WHEN 0 THEN 'base' ELSE 'tuned' END FROM generate_series(1, 1000) i;
INSERT INTO visit SELECT i, '2026-01-07', 'tuned' FROM generate_series(2, 20, 2) i;
INSERT INTO orders SELECT i, timestamptz '2026-01-01' + i * interval '10 minutes' + k * interval '11 hours', 20 + (i * 7919 + k * 31) % 17 + CASE WHEN i % 2 = 1 AND k >= 0 THEN 3 ELSE 0 END
	FROM generate_series(1, 1000) i, generate_series(-3, 3) k WHERE (i * 31 + k * 17) % 7 < 3;
SELECT featbit.create_metric('revenue', 'sum', 'orders', value => 'amount', minimum_effect => 0.05, lookback => '3 days'), featbit.create_metric('buys', 'conversion', 'orders', attribution_window => '1 day', minimum_effect => 0.05),
	featbit.create_metric('average', 'mean', 'orders', value => 'amount'), featbit.create_metric('refunds', 'count', 'orders', filter => 'amount < 0', direction => 'decrease');
SELECT featbit.create_experiment('checkout', NULL, '{revenue,buys}', '{"average": 0.1}', control => 'base', variations => '{base,tuned}', assignment => '{"source": "visit"}', planned_n => 2000);
SELECT featbit.create_experiment('late', NULL, '{refunds}', control => 'base', variations => '{base,tuned}', activation => 'buys', assignment => '{"source": "visit"}');

-- before the start: how many users it needs
SELECT metric, role, users, round(daily_users::numeric, 1) AS daily, round(mean::numeric, 4) AS mean, round(stddev::numeric, 4) AS stddev, target, n_per_variation, n_total, days, round(detectable::numeric, 4) AS detectable, status
	FROM featbit.experiment_power('checkout', history => '7 days', as_of => '2026-01-08');
-- mean and deviation are those of everyone who came, in the first seven days with what they did until then; an adjusted deviation is smaller
WITH w AS (SELECT user_id, min(exposed_at) AS at FROM visit WHERE exposed_at >= '2026-01-01' AND exposed_at < '2026-01-08' GROUP BY 1),
u AS (SELECT w.user_id, (SELECT coalesce(sum(amount), 0) FROM orders o WHERE o.user_id = w.user_id AND o.occurred_at >= w.at AND o.occurred_at < '2026-01-08') AS y,
	(SELECT coalesce(sum(amount), 0) FROM orders o WHERE o.user_id = w.user_id AND o.occurred_at >= w.at - interval '3 days' AND o.occurred_at < w.at) AS x FROM w)
SELECT count(*) AS users, round(avg(y)::numeric, 4) AS mean, round(sqrt(var_samp(y) - covar_samp(y, x) ^ 2 / var_samp(x))::numeric, 4) AS adjusted, (SELECT n_control FROM featbit.sample_size(avg(y), stddev_samp(y), 0.05)) > 0 AS sized FROM u;
SELECT featbit.update_experiment('checkout', '{"method": "fixed", "multiplicity": "holm"}');
SELECT n_per_variation = (SELECT n_control FROM featbit.sample_size(p.mean, p.stddev, 0.05)) AS as_sample_size FROM featbit.experiment_power('checkout', history => '7 days', as_of => '2026-01-08') p WHERE metric = 'revenue';
SELECT featbit.update_experiment('checkout', '{"method": "sequential", "multiplicity": "e-BH"}');
SELECT metric, users, status FROM featbit.experiment_power('checkout', '{"source": "monitoring.orders", "unit_column": "user_id", "time_column": "occurred_at"}', '7 days', as_of => '2026-01-08');
SELECT metric, users, status FROM featbit.experiment_power('checkout', history => '1 day', as_of => '2025-01-08');
SELECT * FROM featbit.experiment_power('checkout', '{"source": "monitoring.orders"}');
SELECT * FROM featbit.experiment_power('checkout', history => '-1 day');
SELECT metric, status FROM featbit.experiment_power('late', history => '7 days', as_of => '2026-01-08');
-- and how it would go: without an effect seldom significant, with a large one always, and the effect is found
SELECT metric, analysed, significant <= 0.2 AS seldom, covered >= 0.8 AS covered, abs(mean_effect) < 0.05 AS none FROM featbit.simulate_experiment('checkout', 0, 20, history => '7 days', as_of => '2026-01-08');
SELECT metric, significant, covered >= 0.8 AS covered, abs(mean_effect - 1) < 0.1 AS found FROM featbit.simulate_experiment('checkout', 1, 10, history => '7 days', as_of => '2026-01-08') WHERE metric = 'revenue';
SELECT count(*) AS different FROM (SELECT * FROM featbit.simulate_experiment('checkout', 0.2, 3, history => '7 days', as_of => '2026-01-08') EXCEPT SELECT * FROM featbit.simulate_experiment('checkout', 0.2, 3, history => '7 days', as_of => '2026-01-08')) d;
SELECT * FROM featbit.simulate_experiment('checkout', -1);
SELECT * FROM featbit.simulate_experiment('checkout', 0, 0);

-- the series is that of the results
SELECT featbit.start_experiment('checkout', '2026-01-01'), featbit.start_experiment('late', '2026-01-01');
SELECT "time", metric, variation, users, round(mean::numeric, 3) AS mean, round(effect::numeric, 3) AS effect, verdict FROM featbit.experiment_timeseries('checkout', '3 days', '2026-01-08') WHERE metric = 'revenue';
SELECT count(*) AS rows, bool_and((t.users, t.mean, t.effect, t.ci_low, t.log_e) IS NOT DISTINCT FROM (r.users, r.mean, r.effect, r.ci_low, r.log_e)) AS same
	FROM featbit.experiment_timeseries('checkout', '2 days', '2026-01-08') t JOIN LATERAL featbit.experiment_results('checkout', t."time") r USING (metric, variation);
SELECT * FROM featbit.experiment_timeseries('checkout', '0');
SELECT * FROM featbit.experiment_timeseries('checkout', '1 second');

-- health
SELECT check_name, metric, variation, day, users, round(value::numeric, 4) AS value, round(expected::numeric, 4) AS expected, round(p_value::numeric, 4) AS p, status FROM featbit.experiment_health('checkout', '2026-01-04') WHERE check_name <> 'effect_by_day';
SELECT metric, day, users, round(value::numeric, 3) AS value, status FROM featbit.experiment_health('checkout', '2026-01-04') WHERE check_name = 'effect_by_day';
-- the effect of a day is that of the orders of a day, of those for whom it is over
SELECT round((avg(y) FILTER (WHERE variation = 'tuned') / avg(y) FILTER (WHERE variation = 'base') - 1)::numeric, 3) AS second_day, count(*) FILTER (WHERE variation = 'tuned') AS users
	FROM (SELECT v.variation, (SELECT coalesce(sum(amount), 0) FROM orders o WHERE o.user_id = v.user_id AND o.occurred_at >= v.exposed_at + interval '24 hours' AND o.occurred_at < v.exposed_at + interval '48 hours') AS y
			FROM visit v WHERE exposed_at + interval '48 hours' <= '2026-01-04') u;
SELECT check_name, metric, variation, users, round(value::numeric, 4) AS value, round(p_value::numeric, 4) AS p, status FROM featbit.experiment_health('late', '2026-01-09') WHERE check_name IN ('drop_out', 'mixed_exposure', 'event_lag');
SELECT detail FROM featbit.experiment_health('late', '2026-01-09') WHERE status = 'failed';

-- reports
SELECT metric, variation, users, mean, effect, "interval", bar, p FROM featbit.report('checkout', '2026-01-08');
SELECT verdict FROM featbit.report('checkout', '2026-01-08') WHERE verdict IS NOT NULL;
SELECT '>' || featbit.ci_bar(l, m, h, -1, 1, 21, a) || '<' AS bar FROM (VALUES (-0.5, 0.1, 0.6, false), (0.2, 0.4, 0.6, false), (-3, 0.4, 0.6, false), (NULL, 0.4, NULL, false), (2, 3, 4, false), (-0.5, 0.1, 0.6, true), (-4, -3, -2, true), (0, 0, 0, true)) v (l, m, h, a);
SELECT featbit.ci_bar(0, NULL, 1, -1, 1);
SELECT featbit.ci_bar(0, 0, 1, 1, 1);
SELECT featbit.ci_bar(0, 0, 1, 0, 1, 2);
SELECT featbit.number_text(v), featbit.percent_text(v) FROM unnest('{0,1234567.891,12.3456,0.00123456,-0.5,1e20,1e-9,NULL}'::float8[]) v;

-- operation
SELECT featbit.create_tracking('monitoring_facts');
SELECT featbit.create_flag('f', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]') > 0 AS flag;
SELECT featbit.set_rollout('f', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]') > 0 AS split;
SELECT featbit.create_experiment('tracked', 'f', '{buys}'), featbit.start_experiment('tracked', now() - interval '10 days');
INSERT INTO monitoring_facts.exposure SELECT 'test_monitoring', 'f', 0, 'u' || i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, now() - i * interval '1 day', 1000, 'SPLIT', NULL, 'u' || i, true FROM generate_series(1, 20) i;
SELECT count(featbit.track('u' || i, 'e', occurred_at => now() - i * interval '1 day')) FROM generate_series(1, 20) i;
SELECT featbit.set_retention('events', '2 days');
SELECT featbit.set_retention('event', '2 hours');
SELECT featbit.set_retention('event', '5 days'), featbit.set_retention('event', '5 days'), featbit.set_retention('exposure', '5 days'), featbit.set_retention('feedback', '5 days'), featbit.set_retention('feedback', NULL);
SELECT check_name, status, detail FROM featbit.health() WHERE check_name = 'heartbeat';
-- what a running experiment may read stays
SELECT * FROM featbit.tick();
SELECT (SELECT count(*) FROM monitoring_facts.exposure) AS exposures, (SELECT count(*) FROM monitoring_facts.event) AS events;
SELECT * FROM featbit.tick();
SELECT experiment_key, variation, verdict FROM featbit.experiment_verdict WHERE environment = 'test_monitoring' ORDER BY 1, 2;
SELECT featbit.stop_experiment('tracked') IS NOT NULL AS stopped, featbit.stop_experiment('checkout') IS NOT NULL, featbit.stop_experiment('late') IS NOT NULL;
SELECT * FROM featbit.tick();
SELECT (SELECT count(*) FROM monitoring_facts.exposure) AS exposures, (SELECT count(*) FROM monitoring_facts.event) AS events;
SELECT check_name, status, detail FROM featbit.health();
ALTER TABLE orders RENAME TO purchases;
SELECT * FROM featbit.health();
SELECT featbit.new_iteration('tracked');
SELECT * FROM featbit.tick();
SELECT check_name, subject, status, detail FROM featbit.health() WHERE check_name = 'heartbeat';
ALTER TABLE purchases RENAME TO orders;
SELECT featbit.tick('test_nowhere');
-- erasing a person
SELECT featbit.set_targets('f', 'a', '{u1,u2}') > 0 AS targets, featbit.create_segment('s', '{u1,x}', '{u2,u1}') > 0 AS segment;
SELECT featbit.track('u1', 'e') AS tracked;
SELECT * FROM featbit.forget_user('u1');
SELECT * FROM featbit.forget_user('u1');
SELECT * FROM featbit.forget_user(NULL);
SELECT targets FROM featbit.flag WHERE environment = 'test_monitoring';
SELECT included, excluded FROM featbit.segment WHERE environment = 'test_monitoring';
SELECT count(*) FROM monitoring_facts.event WHERE user_key = 'u1';
