-- the verdict: every row of the table, by itself and from facts
CREATE EXTENSION IF NOT EXISTS featbit_pg;
SET featbit.environment = 'test_verdict';
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '-'

-- 1. the first row that applies wins, for a running experiment and one that ended
CREATE TEMP TABLE facts (n int, method text, empty text[], srm_p float8, mixed_share float8, mixed_p float8, harmed text[], plan_reached boolean, worse text[], better text[], undecided text[], within_minimum boolean);
INSERT INTO facts VALUES
	-- each row with everything below it true as well
	(1, 'fixed', '{b}', 1e-9, 0.5, 1e-9, '{g}', false, '{m}', '{n}', '{g}', true),
	(2, 'fixed', '{}', 1e-9, 0.5, 1e-9, '{g}', false, '{m}', '{n}', '{g}', true),
	(3, 'fixed', '{}', 0.5, 0.06, 0.5, '{g}', false, '{m}', '{n}', '{g}', true),
	(3, 'fixed', '{}', NULL, 0.01, 1e-4, '{g}', false, '{m}', '{n}', '{g}', true),
	(4, 'fixed', '{}', 0.001, 0.05, 0.001, '{g,h}', false, '{m}', '{n}', '{g}', true),
	(5, 'fixed', '{}', 0.5, 0, NULL, '{}', false, '{m}', '{n}', '{g}', true),
	(5, 'group_sequential', '{}', 0.5, 0, NULL, NULL, false, '{m}', '{n}', '{g}', true),
	(6, 'sequential', '{}', 0.5, 0, NULL, NULL, false, '{m}', '{n}', '{g}', true),
	(6, 'fixed', '{}', 0.5, 0, NULL, NULL, true, '{m}', '{n}', '{g}', true),
	(7, 'bayes', '{}', 0.5, 0, NULL, NULL, false, '{}', '{n,o}', '{}', true),
	(7, 'fixed', '{}', 0.5, 0, NULL, NULL, true, NULL, '{n}', NULL, true),
	(8, 'sequential', '{}', 0.5, 0, NULL, NULL, false, '{}', '{n}', '{g,h}', true),
	(9, 'sequential', '{}', 0.5, 0, NULL, NULL, false, '{}', '{}', '{g}', true),
	(10, 'sequential', '{}', 0.5, 0, NULL, NULL, false, '{}', '{}', '{g}', false),
	(10, 'sequential', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT f.n AS row, f.method, ended, d.rule = f.n AS as_expected, d.verdict, d.reason
	FROM facts f CROSS JOIN (VALUES (false), (true)) e (ended)
	CROSS JOIN LATERAL featbit.decide(ended, f.method, f.empty, f.srm_p, f.mixed_share, f.mixed_p, f.harmed, f.plan_reached, f.worse, f.better, f.undecided, f.within_minimum) d
	ORDER BY f.n, f.method, f.srm_p, ended;

-- 2. from facts: users, conversions and errors of two arms
CREATE SCHEMA verdict;
SET search_path = verdict, public;
CREATE TABLE visit (user_id bigint, exposed_at timestamptz, variation text);
CREATE TABLE event (user_id bigint, occurred_at timestamptz, name text);
CREATE FUNCTION scene(n_c int, n_t int, bought_c int, bought_t int, errors_c int, errors_t int, mixed_c int DEFAULT 0, mixed_t int DEFAULT 0) RETURNS void LANGUAGE sql AS $$
	TRUNCATE visit, event;
	INSERT INTO visit SELECT i, timestamptz '2026-01-02' + i % 28 * interval '1 hour', 'base' FROM generate_series(1, n_c) i
		UNION ALL SELECT 1000000 + i, timestamptz '2026-01-02' + i % 28 * interval '1 hour', 'tuned' FROM generate_series(1, n_t) i;
	INSERT INTO visit SELECT i, timestamptz '2026-01-20', 'tuned' FROM generate_series(n_c - mixed_c + 1, n_c) i UNION ALL SELECT 1000000 + i, timestamptz '2026-01-20', 'base' FROM generate_series(n_t - mixed_t + 1, n_t) i;
	INSERT INTO event SELECT i, timestamptz '2026-01-10', 'buy' FROM generate_series(1, bought_c) i UNION ALL SELECT 1000000 + i, timestamptz '2026-01-10', 'buy' FROM generate_series(1, bought_t) i;
	INSERT INTO event SELECT 3 * i, timestamptz '2026-01-10', 'error' FROM generate_series(1, errors_c) i UNION ALL SELECT 1000000 + 3 * i, timestamptz '2026-01-10', 'error' FROM generate_series(1, errors_t) i
$$;
SELECT featbit.create_metric('buys', 'conversion', 'event', filter => $$name = 'buy'$$, minimum_effect => 0.1, attribution_window => '20 days'),
	featbit.create_metric('no-minimum', 'conversion', 'event', filter => $$name = 'buy'$$),
	featbit.create_metric('errors', 'conversion', 'event', filter => $$name = 'error'$$, direction => 'decrease');
SELECT featbit.create_experiment(k, NULL, ARRAY[CASE k WHEN 'no-minimum' THEN 'no-minimum' ELSE 'buys' END], '{"errors": 0.1}', control => 'base', variations => '{base,tuned}', assignment => '{"source": "visit"}',
		method => CASE k WHEN 'no-minimum' THEN 'sequential' ELSE k END, planned_n => 10000, looks => CASE k WHEN 'group_sequential' THEN '{0.5,1}'::float8[] END)
	FROM unnest('{fixed,sequential,group_sequential,bayes,no-minimum}'::text[]) k;
SELECT featbit.start_experiment(k, '2026-01-01'), featbit.stop_experiment(k, '2026-02-01') FROM unnest('{fixed,sequential,group_sequential,bayes,no-minimum}'::text[]) k;
-- every arm's verdict is the same on all metrics of the arm, and the control has none
CREATE FUNCTION verdicts(methods text[] DEFAULT '{fixed,sequential,group_sequential,bayes}') RETURNS TABLE (method text, running text, ended text, reason text) LANGUAGE sql AS $$
	SELECT m, string_agg(DISTINCT r.verdict, '!') FILTER (WHERE NOT r.is_control), string_agg(DISTINCT e.verdict, '!') FILTER (WHERE NOT e.is_control), string_agg(DISTINCT e.reason, '!')
		FROM unnest(methods) WITH ORDINALITY u (m, n), featbit.experiment_results(m, '2026-01-31') r, featbit.experiment_results(m, '2026-02-02') e GROUP BY m, n ORDER BY n $$;
-- row 1
SELECT scene(100, 0, 10, 0, 0, 0); SELECT * FROM verdicts();
-- row 2: 52 to 48 of 10,000: chi-square sees it, the sequential test needs more
SELECT scene(5200, 4800, 500, 500, 300, 300); SELECT * FROM verdicts();
SELECT scene(5600, 4400, 500, 500, 300, 300); SELECT * FROM verdicts('{sequential}');
-- row 3: more than five percent; fewer, but not alike
SELECT scene(1000, 1000, 100, 100, 30, 30, 60, 60); SELECT * FROM verdicts('{sequential}');
SELECT scene(1000, 1000, 100, 100, 30, 30, 30, 4); SELECT * FROM verdicts('{sequential}');
SELECT scene(1000, 1000, 100, 100, 30, 30, 30, 28); SELECT * FROM verdicts('{sequential}');
-- row 4: twice the errors, although more buy
SELECT scene(5000, 5000, 500, 900, 400, 800); SELECT * FROM verdicts();
-- row 5: a plan that is not reached, and what others say of the same
SELECT scene(2000, 2000, 200, 400, 100, 40); SELECT * FROM verdicts();
-- a group sequential design decides at a look, before the end
SELECT scene(2500, 2500, 250, 450, 150, 40); SELECT * FROM verdicts('{fixed,group_sequential}');
-- row 6
SELECT scene(5000, 5000, 900, 500, 400, 400); SELECT * FROM verdicts();
-- row 7
SELECT scene(5000, 5000, 500, 900, 400, 200); SELECT * FROM verdicts();
-- row 8: more buy, but the errors are too rare to tell
SELECT scene(5000, 5000, 500, 900, 10, 10); SELECT * FROM verdicts();
-- row 9: within ten percent, where a minimum effect was said
SELECT scene(8000, 8000, 4000, 4020, 400, 400); SELECT * FROM verdicts('{fixed,sequential,bayes,no-minimum}');
-- row 10
SELECT scene(5000, 5000, 500, 510, 400, 400); SELECT * FROM verdicts();
-- as of before the start, nothing can be said
SELECT * FROM featbit.experiment_results('fixed', '2025-12-31');
-- the other side of row 5: nobody asks a sequential experiment for its size
SELECT scene(300, 300, 10, 100, 100, 10); SELECT * FROM verdicts();
-- several goals: adjusted over all of them
SELECT r.metric, r.variation, r.p_value IS NOT NULL AS p, r.p_adjusted IS NOT NULL AS adjusted, r.log_e IS NOT NULL AS e, r.p_better IS NOT NULL AS better, r.status, r.notes
	FROM unnest('{fixed,sequential,bayes}'::text[]) k, featbit.experiment_results(k, '2026-02-02') r WHERE NOT r.is_control;
