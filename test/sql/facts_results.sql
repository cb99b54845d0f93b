-- results of a flag: every rule with numbers that can be checked by hand
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET featbit.environment = 'test_results';
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '-'
SELECT featbit.create_tracking('facts_results');
SET search_path = facts_results, public;
CREATE FUNCTION pg_temp.shown(flag_key text, event_name text, control text DEFAULT NULL)
	RETURNS TABLE (rule text, variation text, users bigint, converted bigint, mean numeric, effect numeric, low numeric, high numeric, p numeric, adjusted numeric, srm numeric, mixed bigint, status text, notes text[])
	LANGUAGE sql AS $$
	SELECT rule_id, variation, users, converted, round(mean::numeric, 4), round(effect::numeric, 4), round(ci_low::numeric, 4), round(ci_high::numeric, 4),
			round(p_value::numeric, 5), round(p_adjusted::numeric, 5), round(srm_p::numeric, 5), mixed_users, status, notes
		FROM featbit.flag_results($1, $2, $3) $$;

-- 1. who counts, and what counts: a conversion
SELECT featbit.create_flag('button', '[{"key": "off", "value": "o"}, {"key": "base", "value": "b"}, {"key": "tuned", "value": "t"}]') > 0 AS created;
SELECT featbit.set_rollout('button', '[{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]') AS rev \gset
INSERT INTO exposure
	SELECT 'test_results', 'button', 0, user_key, variation, '2026-01-01 12:00', :rev, CASE WHEN randomised THEN 'SPLIT' ELSE 'TARGETING_MATCH' END, NULL, user_key, randomised
		FROM (VALUES ('b1', 'base', true), ('b2', 'base', true), ('b3', 'base', true), ('b4', 'base', true), ('b5', 'base', true),
			('t1', 'tuned', true), ('t2', 'tuned', true), ('t3', 'tuned', true), ('t4', 'tuned', true), ('t5', 'tuned', true),
			-- saw both, by chance; saw the other one by a target; was never dealt
			('m1', 'base', true), ('m1', 'tuned', true), ('m2', 'base', true), ('m2', 'tuned', false), ('x1', 'tuned', false)) v (user_key, variation, randomised);
INSERT INTO exposure VALUES
	-- other iteration, other environment, other flag
	('test_results', 'button', 1, 'b1', 'tuned', '2026-01-01', :rev, 'SPLIT', NULL, 'b1', true),
	('test_results_2', 'button', 0, 'b1', 'tuned', '2026-01-01', :rev, 'SPLIT', NULL, 'b1', true),
	('test_results', 'button2', 0, 'b1', 'tuned', '2026-01-01', :rev, 'SPLIT', NULL, 'b1', true);
INSERT INTO event (environment, user_key, event_name, occurred_at) VALUES
	('test_results', 'b1', 'click', '2026-01-01 12:00'),	-- at the exposure: counts
	('test_results', 'b2', 'click', '2026-01-01 11:59:59'),	-- before it: does not
	('test_results', 'b3', 'other', '2026-01-02'), ('test_results_2', 'b4', 'click', '2026-01-02'),
	('test_results', 't1', 'click', '2026-01-02'), ('test_results', 't1', 'click', '2026-01-03'),
	('test_results', 't2', 'click', '2026-01-01 11:00'), ('test_results', 't2', 'click', '2026-01-01 13:00'),
	('test_results', 't3', 'click', '2026-06-01'),
	('test_results', 'm1', 'click', '2026-01-02'), ('test_results', 'm2', 'click', '2026-01-02'), ('test_results', 'x1', 'click', '2026-01-02'),
	('test_results', 'nobody', 'click', '2026-01-02');
-- base 1 of 5, tuned 3 of 5: 0.6 / 0.2 - 1 = 2
SELECT rule, variation, users, converted, mean, effect, p, srm, mixed, status, notes FROM pg_temp.shown('button', 'click');
-- an event nobody had, a flag nobody saw
SELECT rule, variation, users, converted, mean, effect, p, srm, status, notes FROM pg_temp.shown('button', 'never');
SELECT featbit.create_flag('unseen', '[{"key": "base", "value": "b"}]') > 0 AS created;
SELECT * FROM featbit.flag_results('unseen', 'click');

-- the control: given, or the first in the flag's order that is served
SELECT rule, variation, mean, effect, status, notes FROM pg_temp.shown('button', 'click', 'tuned');
SELECT rule, variation, mean, effect, p, status, notes FROM pg_temp.shown('button', 'click', 'off');

-- with a value the metric is the mean over users of the sum; without one an event adds nothing, and is noted
INSERT INTO event (environment, user_key, event_name, value, occurred_at) VALUES
	('test_results', 'b1', 'pay', 10, '2026-01-02'), ('test_results', 'b2', 'pay', 99, '2026-01-01 11:59:59'),
	('test_results', 't1', 'pay', 5, '2026-01-02'), ('test_results', 't1', 'pay', 7, '2026-01-03'), ('test_results', 't2', 'pay', 3, '2026-01-03');
-- base 10 / 5, tuned 15 / 5
SELECT rule, variation, users, converted, mean, effect, status, notes FROM pg_temp.shown('button', 'pay');
INSERT INTO event (environment, user_key, event_name, value, occurred_at) VALUES ('test_results', 't4', 'pay', NULL, '2026-01-02');
SELECT rule, variation, users, converted, mean, effect, status, notes FROM pg_temp.shown('button', 'pay');

-- 2. the same as two levels of plain SQL: 3,000 users, three variations, up to three events each, some before the exposure
SELECT featbit.create_flag('price', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}, {"key": "c", "value": 3}]') > 0 AS created;
SELECT featbit.set_rollout('price', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}, {"variation": "c", "weight": 1}]') AS rev \gset
INSERT INTO exposure
	SELECT 'test_results', 'price', 0, 'p' || i, (ARRAY['a', 'b', 'c'])[1 + i % 3], timestamptz '2026-02-01' + i * interval '1 minute', :rev, 'SPLIT', NULL, 'p' || i, true
		FROM generate_series(1, 3000) i;
INSERT INTO exposure SELECT 'test_results', 'price', 0, 'p' || i, 'c', '2026-02-02', :rev, 'OVERRIDDEN', NULL, 'p' || i, false
	FROM generate_series(1, 100) i WHERE i % 3 <> 2;
INSERT INTO event (environment, user_key, event_name, value, occurred_at)
	SELECT 'test_results', 'p' || i, 'order', ((i * 7919 + k * 104729) % 1000) / 10.0 + CASE WHEN i % 3 = 1 THEN 12 ELSE 0 END,
			timestamptz '2026-02-01' + i * interval '1 minute' + (k - 1) * interval '1 hour'
		FROM generate_series(1, 3000) i, generate_series(0, 3) k WHERE (i * 31 + k * 17) % 11 < 2;
-- flag_results does without ANALYZE, this does not
ANALYZE exposure, event;
CREATE TEMP TABLE unit AS
	SELECT x.user_key, x.variation, coalesce(sum(e.value), 0) AS total, count(e.user_key) > 0 AS converted
		FROM exposure x
		LEFT JOIN event e ON e.environment = x.environment AND e.user_key = x.user_key AND e.event_name = 'order' AND e.occurred_at >= x.exposed_at
		WHERE x.environment = 'test_results' AND x.flag_key = 'price' AND x.randomised AND x.user_key NOT IN (
			SELECT o.user_key FROM exposure o WHERE o.environment = 'test_results' AND o.flag_key = 'price' GROUP BY o.user_key HAVING count(DISTINCT o.variation) > 1)
		GROUP BY x.user_key, x.variation;
WITH plain AS (
	SELECT variation, count(*) AS users, count(*) FILTER (WHERE converted) AS converted, avg(total) AS mean, var_samp(total) / count(*) AS v, var_samp(total) AS s2 FROM unit GROUP BY variation),
welch AS (
	SELECT t.*, t.mean / c.mean - 1 AS effect, abs(t.mean - c.mean) / sqrt(t.v + c.v) AS statistic,
			(t.v + c.v) ^ 2 / (t.v ^ 2 / (t.users - 1) + c.v ^ 2 / (c.users - 1)) AS df
		FROM plain t, plain c WHERE c.variation = 'a')
SELECT r.variation, r.users, r.converted, r.users = w.users AND r.converted = w.converted AS same_counts, abs(r.mean - w.mean) < 1e-9 AS same_mean,
		CASE WHEN r.variation <> 'a' THEN abs(r.effect - w.effect) < 1e-9 END AS same_effect,
		CASE WHEN r.variation <> 'a' THEN abs(r.p_value - 2 * featbit.t_sf(w.statistic, w.df)) < 1e-9 END AS same_p, r.mixed_users
	FROM featbit.flag_results('price', 'order') r JOIN welch w USING (variation) ORDER BY r.variation;
SELECT * FROM pg_temp.shown('price', 'order');
-- and exactly what the statistics say, intervals and Holm included
WITH s AS (SELECT variation, featbit.stats_agg(total) AS stats FROM unit GROUP BY variation),
e AS (SELECT t.variation, x.* FROM s t, s c, featbit.effect(c.stats, t.stats) x WHERE c.variation = 'a' AND t.variation <> 'a')
SELECT count(*) AS rows, bool_and(abs(r.ci_low - e.ci_low) < 1e-9 AND abs(r.ci_high - e.ci_high) < 1e-9 AND abs(r.p_value - e.p_value) < 1e-9 AND r.status = e.status) AS same,
		bool_and(abs(r.p_adjusted - (SELECT least(1, max(h.p * h.m)) FROM (SELECT o.p_value AS p, 3 - row_number() OVER (ORDER BY o.p_value) AS m FROM e o) h WHERE h.p <= e.p_value)) < 1e-9) AS holm
	FROM featbit.flag_results('price', 'order') r JOIN e USING (variation);
-- the same users as a conversion
INSERT INTO event (environment, user_key, event_name, occurred_at)
	SELECT environment, user_key, 'ordered', occurred_at FROM event WHERE event_name = 'order' AND environment = 'test_results';
WITH s AS (SELECT variation, featbit.stats_agg(converted) AS stats FROM unit GROUP BY variation),
e AS (SELECT t.variation, x.* FROM s t, s c, featbit.effect(c.stats, t.stats) x WHERE c.variation = 'a' AND t.variation <> 'a')
SELECT count(*) AS rows, bool_and(abs(r.ci_low - e.ci_low) < 1e-9 AND abs(r.ci_high - e.ci_high) < 1e-9 AND abs(r.p_value - e.p_value) < 1e-9) AS same
	FROM featbit.flag_results('price', 'ordered') r JOIN e USING (variation);

-- 3. the sample-ratio check follows the rollout: 1,000 users dealt 90/10, then 1,000 dealt 50/50
SELECT featbit.create_flag('rollout', '[{"key": "base", "value": "b"}, {"key": "tuned", "value": "t"}]') > 0 AS created;
SELECT featbit.set_rollout('rollout', '[{"variation": "base", "weight": 90}, {"variation": "tuned", "weight": 10}]') AS rev1 \gset
SELECT featbit.set_rollout('rollout', '[{"variation": "base", "weight": 500}, {"variation": "tuned", "weight": 500}]') AS rev2 \gset
INSERT INTO exposure SELECT 'test_results', 'rollout', 0, 'r' || i, CASE WHEN i <= 900 OR i > 1500 THEN 'base' ELSE 'tuned' END,
		'2026-01-01', CASE WHEN i <= 1000 THEN :rev1 ELSE :rev2 END, 'SPLIT', NULL, 'r' || i, true
	FROM generate_series(1, 2000) i;
-- 900 + 500 and 100 + 500: exactly as expected, although 1400 : 600 is neither 90 : 10 nor 50 : 50
SELECT variation, users, srm, notes FROM pg_temp.shown('rollout', 'click');
-- ten users of the first revision on the other side: chi-square 100 / 1400 + 100 / 600 = 0.2381
UPDATE exposure SET variation = 'base' WHERE flag_key = 'rollout' AND user_key IN (SELECT 'r' || i FROM generate_series(901, 910) i);
SELECT variation, users, srm, srm = round(featbit.chi2_sf(100 / 1400.0 + 100 / 600.0, 1)::numeric, 5) AS as_computed FROM pg_temp.shown('rollout', 'click');
-- a hundred of them: 10000 / 1400 + 10000 / 600
UPDATE exposure SET variation = 'base' WHERE flag_key = 'rollout' AND user_key IN (SELECT 'r' || i FROM generate_series(901, 1000) i);
SELECT variation, users, abs(srm_p / featbit.chi2_sf(10000 / 1400.0 + 10000 / 600.0, 1) - 1) < 1e-9 AS as_computed, notes FROM featbit.flag_results('rollout', 'click');
-- a variation that no split deals
SELECT featbit.set_variation('rollout', 'extra', '"e"') > 0 AS added;
INSERT INTO exposure VALUES ('test_results', 'rollout', 0, 'stray', 'extra', '2026-01-01', :rev1, 'SPLIT', NULL, 'stray', true);
SELECT variation, users, srm, notes FROM pg_temp.shown('rollout', 'click');
-- a revision that is not in the history
UPDATE exposure SET revision = 1000000 WHERE flag_key = 'rollout' AND user_key = 'stray';
SELECT variation, users, srm, notes FROM pg_temp.shown('rollout', 'click');

-- a ramp deals by the stage in force, and before the first stage like the first
SELECT featbit.create_flag('ramp', '[{"key": "base", "value": "b"}, {"key": "tuned", "value": "t"}]',
	fallthrough => '{"ramp": [{"at": "2026-01-10T00:00:00Z", "split": [{"variation": "base", "weight": 90}, {"variation": "tuned", "weight": 10}]},
		{"at": "2026-01-20T00:00:00Z", "split": [{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]},
		{"at": "2026-01-30T00:00:00Z", "split": [{"variation": "base", "weight": 0}, {"variation": "tuned", "weight": 100}]}]}') AS rev \gset
INSERT INTO exposure SELECT 'test_results', 'ramp', 0, 'r' || i, CASE WHEN i % 10 = 0 OR i > 1000 AND i % 2 = 0 THEN 'tuned' ELSE 'base' END,
		CASE WHEN i <= 500 THEN timestamptz '2026-01-01' WHEN i <= 1000 THEN '2026-01-19 23:59:59' WHEN i <= 1500 THEN '2026-01-20' ELSE '2026-01-29 23:59:59' END,
		:rev, 'SPLIT', NULL, 'r' || i, true
	FROM generate_series(1, 2000) i;
-- 900 + 500 and 100 + 500
SELECT variation, users, srm FROM pg_temp.shown('ramp', 'click');
UPDATE exposure SET exposed_at = '2026-01-20' WHERE flag_key = 'ramp';
-- all of them in the stage 50 : 50, which would deal 1000 : 1000
SELECT variation, users, srm_p < 1e-60 AS far_off, notes FROM featbit.flag_results('ramp', 'click');

-- 4. a split by something else than the user: users are not independent
SELECT featbit.create_flag('org', '[{"key": "base", "value": "b"}, {"key": "tuned", "value": "t"}]') > 0 AS created;
SELECT featbit.set_rollout('org', '[{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]', 'org') AS rev \gset
INSERT INTO exposure SELECT 'test_results', 'org', 0, 'o' || i, CASE WHEN i % 4 < 2 THEN 'base' ELSE 'tuned' END, '2026-01-01', :rev, 'SPLIT', NULL, 'org' || i % 4, true
	FROM generate_series(1, 40) i;
INSERT INTO event (environment, user_key, event_name, occurred_at) SELECT 'test_results', 'o' || i, 'click', '2026-01-02' FROM generate_series(1, 40, 3) i;
SELECT rule, variation, users, converted, mean, effect, low, high, p, adjusted, srm, status FROM pg_temp.shown('org', 'click');
-- an attribute that happens to be the user key is fine
UPDATE exposure SET unit_key = user_key WHERE flag_key = 'org';
SELECT rule, variation, users, p IS NOT NULL AS has_p, srm, status FROM pg_temp.shown('org', 'click');

-- 5. one stratum for each rule that splits, each with its own weights and control
SELECT featbit.create_flag('strata', '[{"key": "off", "value": 0}, {"key": "base", "value": 1}, {"key": "tuned", "value": 2}]') > 0 AS created;
SELECT featbit.add_rule('strata', '{"id": "z-beta", "when": {"attribute": "beta", "op": "eq", "value": "y"}, "serve": {"split": [{"variation": "base", "weight": 25}, {"variation": "tuned", "weight": 75}]}}') > 0 AS ruled;
SELECT featbit.add_rule('strata', '{"id": "a-staff", "when": {"attribute": "staff", "op": "eq", "value": "y"}, "serve": {"variation": "tuned"}}') > 0 AS ruled;
SELECT featbit.add_rule('strata', '{"id": "m-new", "when": {"attribute": "new", "op": "eq", "value": "y"}, "serve": {"split": [{"variation": "off", "weight": 50}, {"variation": "tuned", "weight": 50}]}}') > 0 AS ruled;
SELECT featbit.set_rollout('strata', '[{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]') AS rev \gset
INSERT INTO exposure SELECT 'test_results', 'strata', 0, 's' || i, v.variation, '2026-01-01', :rev, v.reason, v.rule_id, 's' || i, v.reason = 'SPLIT'
	FROM (VALUES (1, 50, 'base', 'SPLIT', 'z-beta'), (51, 200, 'tuned', 'SPLIT', 'z-beta'), (201, 300, 'tuned', 'TARGETING_MATCH', 'a-staff'),
		(301, 400, 'off', 'SPLIT', 'm-new'), (401, 500, 'tuned', 'SPLIT', 'm-new'),
		(501, 600, 'base', 'SPLIT', NULL), (601, 700, 'tuned', 'SPLIT', NULL)) v (low, high, variation, reason, rule_id), generate_series(v.low, v.high) i;
INSERT INTO event (environment, user_key, event_name, occurred_at)
	SELECT 'test_results', 's' || i, 'click', '2026-01-02' FROM generate_series(1, 700) i
		WHERE i % 5 = 0 OR i BETWEEN 501 AND 520 OR i BETWEEN 51 AND 110 OR i BETWEEN 401 AND 430;
SELECT rule, variation, users, converted, mean, effect, p, adjusted, srm, status, notes FROM pg_temp.shown('strata', 'click');
SELECT bool_and(round(adjusted, 9) = round(r.p_adjusted::numeric, 9)) AS holm_over_all_rows FROM featbit.flag_results('strata', 'click') r JOIN (
	SELECT p_value, least(1, max(p_value * (4 - n)) OVER (ORDER BY n))::numeric AS adjusted FROM (
		SELECT p_value, row_number() OVER (ORDER BY p_value) AS n FROM featbit.flag_results('strata', 'click') WHERE p_value IS NOT NULL) o) h USING (p_value);
-- with a control that one rule does not deal
SELECT rule, variation, users, mean, effect, p, status, notes FROM pg_temp.shown('strata', 'click', 'base');

-- 6. more mixed users than are kept as a list
SELECT featbit.create_flag('crowd', '[{"key": "base", "value": "b"}, {"key": "tuned", "value": "t"}]') > 0 AS created;
SELECT featbit.set_rollout('crowd', '[{"variation": "base", "weight": 1}, {"variation": "tuned", "weight": 1}]') AS rev \gset
INSERT INTO exposure SELECT 'test_results', 'crowd', 0, 'c' || i, v, '2026-01-01', :rev, 'SPLIT', NULL, 'c' || i, true
	FROM generate_series(1, 10040) i, unnest(ARRAY['base', 'tuned']) v WHERE i <= 10001 OR (i % 2 = 0) = (v = 'base');
INSERT INTO event (environment, user_key, event_name, occurred_at) SELECT 'test_results', 'c' || i, 'click', '2026-01-02' FROM generate_series(9990, 10010) i;
SELECT rule, variation, users, converted, srm, mixed FROM pg_temp.shown('crowd', 'click');
DELETE FROM exposure WHERE flag_key = 'crowd' AND user_key IN ('c1', 'c2');
SELECT rule, variation, users, converted, srm, mixed FROM pg_temp.shown('crowd', 'click');

-- the current iteration alone
UPDATE featbit.flag SET iteration = 1 WHERE environment = 'test_results' AND key = 'button';
SELECT rule, variation, users, converted, mixed, status, notes FROM pg_temp.shown('button', 'click');

-- from end to end, as an application would
SELECT featbit.create_flag('loop', '[{"key": "base", "value": "b"}, {"key": "tuned", "value": "t"}]') > 0 AS created;
SELECT featbit.set_rollout('loop', '[{"variation": "base", "weight": 50}, {"variation": "tuned", "weight": 50}]') > 0 AS rolled_out;
SELECT featbit.set_targets('loop', 'tuned', '{target}') > 0 AS targeted;
SELECT count(featbit.expose('user-' || i, 'loop')) FROM generate_series(1, 1000) i;
SELECT featbit.expose('target', 'loop');
SELECT count(*) FROM generate_series(1, 1000, 3) i WHERE featbit.track('user-' || i, 'done');
SELECT sum(r.users) AS users, sum(r.converted) AS converted, bool_and(r.users = (SELECT count(*) FROM generate_series(1, 1000) i WHERE featbit.flag_variation('user-' || i, 'loop') = r.variation)) AS as_evaluated,
		bool_and(r.converted = (SELECT count(*) FROM generate_series(1, 1000, 3) i WHERE featbit.flag_variation('user-' || i, 'loop') = r.variation)) AS as_tracked, min(r.srm_p) > 0.001 AS fair
	FROM featbit.flag_results('loop', 'done') r;

-- errors
SELECT * FROM featbit.flag_results('buton', 'click');
SELECT * FROM featbit.flag_results('something else', 'click');
SELECT * FROM featbit.flag_results('button', 'click', 'tunde');
SELECT * FROM featbit.flag_results('button', 'click', 'x');
SELECT * FROM featbit.flag_results('button', 'click', environment => 'test_result');
SELECT * FROM featbit.flag_results(NULL, 'click');
SELECT * FROM featbit.flag_results('button', NULL);
SELECT featbit.create_flag('button', '[{"key": "base", "value": "b"}]', environment => 'test_results_untracked') > 0 AS created;
SELECT * FROM featbit.flag_results('button', 'click', environment => 'test_results_untracked');
DROP SCHEMA facts_results CASCADE;
SELECT * FROM featbit.flag_results('button', 'click');

-- exposures of a deleted flag are no evidence for the next flag of the same key
SELECT featbit.create_tracking('fb_facts_again', 'test_results_again');
SELECT featbit.create_flag('again', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]',
	fallthrough => '{"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}', environment => 'test_results_again');
SELECT featbit.expose_batch((SELECT array_agg('old-' || n) FROM generate_series(1, 100) n), 'again', NULL, 'test_results_again');
SELECT featbit.delete_flag('again', environment => 'test_results_again');
SELECT featbit.create_flag('again', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]',
	fallthrough => '{"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 9}]}', environment => 'test_results_again');
SELECT featbit.expose_batch((SELECT array_agg('new-' || n) FROM generate_series(1, 1000) n), 'again', NULL, 'test_results_again');
SELECT sum(users) AS users, min(srm_p) > 0.01 AS as_planned FROM featbit.flag_results('again', 'buy', environment => 'test_results_again');
DROP SCHEMA fb_facts_again CASCADE;
