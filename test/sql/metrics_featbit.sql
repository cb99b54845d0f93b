-- What someone who comes from another platform sees: FeatBit's results of featbit_vectors.json, profiles.
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.show(v float8) RETURNS numeric LANGUAGE sql AS $$ SELECT round(v::numeric, 6) $$;
SET extra_float_digits = 1;
\set cases `cat "$PG_ABS_SRCDIR/cases/featbit_vectors.json"`

-- FeatBit 5: every arm of every case: order, numbers, reason, winner. Its p-values are 2 (1 - cdf), so small ones have lost digits.
CREATE TEMP TABLE v5 AS SELECT c->>'name' AS name, c FROM jsonb_array_elements(:'cases'::jsonb->'experiment_v5_ttest') c;
CREATE TEMP TABLE answer AS
SELECT name, r.ordinality AS place, r.*
FROM v5, LATERAL (
		SELECT array_agg(a->>'variationId' ORDER BY i) AS variations, array_agg(CASE
			WHEN c->>'kind' = 'binomial' THEN featbit.stats_from_counts((a->>'count')::bigint, (a->>'sum')::bigint)
			ELSE format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', a->>'count', coalesce(a->>'mean', '0'), coalesce((a->>'varSamp')::float8, 0) * greatest((a->>'count')::int - 1, 0))::featbit.stats
		END ORDER BY i) AS states
		FROM jsonb_array_elements(c->'input') WITH ORDINALITY e(a, i)) arms,
	LATERAL featbit.featbit_v5_result(variations, states, c->>'baseline', (c->>'alpha')::float8, (c->>'power')::float8, c->>'customEventSuccessCriteria' = '2') WITH ORDINALITY r;
CREATE FUNCTION pg_temp.near(got float8, wanted float8) RETURNS boolean LANGUAGE sql AS $$
	SELECT CASE WHEN wanted IS NULL OR got IS NULL THEN wanted IS NULL AND got IS NULL ELSE abs(got - wanted) <= 1e-9 * greatest(1, abs(wanted)) END
$$;
CREATE FUNCTION pg_temp.words(reason text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(reason, '[0-9]\.[0-9]+(e-[0-9]+)?', '#', 'g') $$;
SELECT count(DISTINCT name) AS cases, count(*) AS arms, count(*) FILTER (WHERE o->>'variationId' <> variation) AS misplaced,
	count(*) FILTER (WHERE NOT (pg_temp.near(effect, (w->>'delta')::float8) AND pg_temp.near(ci_low, (w#>>'{ci,0}')::float8) AND pg_temp.near(ci_high, (w#>>'{ci,1}')::float8) AND pg_temp.near(p_value, (w->>'pValue')::float8))) AS numbers,
	count(*) FILTER (WHERE pg_temp.words(reason) <> pg_temp.words(o->>'reason')) AS reasons,
	count(*) FILTER (WHERE is_baseline <> (o->>'isBaseline')::boolean OR is_winner <> (o->>'isWinner')::boolean OR is_invalid <> (o->>'isInvalid')::boolean) AS verdicts
FROM v5 JOIN answer USING (name), LATERAL (SELECT c->'output'->(place::int - 1) AS o, c->'raw'->(place::int - 1) AS w) x;
SELECT name, variation, n, pg_temp.show(mean) AS mean, pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, n_required, is_winner AS winner, is_invalid AS invalid, pg_temp.words(reason) AS reason
FROM answer ORDER BY name COLLATE "C", place;
-- Its gates: few units, unequal arms against the wrong arm's size, and the largest wins where smaller is better but nothing is smaller.
SELECT variation, n, pg_temp.show(p_value) AS p_value, n_required, is_winner AS winner, reason FROM featbit.featbit_v5_result('{A,B}', ARRAY[featbit.stats_from_counts(9000, 900), featbit.stats_from_counts(1000, 130)], 'A');
SELECT variation, reason FROM featbit.featbit_v5_result('{A,B,C,D}', ARRAY[featbit.stats_from_counts(29, 10), featbit.stats_from_counts(1000, 1000), NULL, featbit.stats_from_counts(100, 30)], 'D');
SELECT variation, is_winner AS winner, reason FROM featbit.featbit_v5_result('{A,B}', ARRAY[featbit.stats_from_counts(5000, 500), featbit.stats_from_counts(5000, 600)], 'A', lower_is_better => true);

-- FeatBit 6 and its agent. The agent's normal distribution is an approximation good to 1.5e-7.
CREATE TEMP TABLE agent AS SELECT c->>'name' AS name, c, c->'expected' AS e FROM jsonb_array_elements(:'cases'::jsonb#>'{experiment_bayesian,bayesianResult}') c;
SELECT count(*) AS cases, count(*) FILTER (WHERE NOT (e->>'error' IS NOT DISTINCT FROM r.error
	AND coalesce(abs(chance_to_win - (e->>'chance_to_win')::float8) < 1e-6 AND abs(relative_change - (e->>'relative_change')::float8) < 1e-12 AND abs(absolute_change - (e->>'absolute_change')::float8) < 1e-12
		AND abs(ci_low - (e->>'ci_rel_lower')::float8) < 1e-9 AND abs(ci_high - (e->>'ci_rel_upper')::float8) < 1e-9 AND abs(risk_control - (e->>'risk_ctrl')::float8) < 1e-6 AND abs(risk_treatment - (e->>'risk_trt')::float8) < 1e-6, r.error IS NOT NULL))) AS wrong
FROM agent, LATERAL featbit.featbit_v6_result(featbit.stats_from_counts((c#>>'{control,n}')::bigint, (c#>>'{control,k}')::bigint), featbit.stats_from_counts((c#>>'{treatment,n}')::bigint, (c#>>'{treatment,k}')::bigint),
	coalesce((c#>>'{prior,mean}')::float8, 0), sqrt((c#>>'{prior,variance}')::float8), (c->>'inverse')::boolean, edition => 'agent') r;
SELECT name, pg_temp.show(chance_to_win) AS chance, pg_temp.show(relative_change) AS change, pg_temp.show(risk_control) AS risk_control, pg_temp.show(risk_treatment) AS risk_treatment, verdict, error
FROM agent, LATERAL featbit.featbit_v6_result(featbit.stats_from_counts((c#>>'{control,n}')::bigint, (c#>>'{control,k}')::bigint), featbit.stats_from_counts((c#>>'{treatment,n}')::bigint, (c#>>'{treatment,k}')::bigint), inverse => (c->>'inverse')::boolean) r ORDER BY name COLLATE "C";
SELECT count(*) AS checks, count(*) FILTER (WHERE abs(s.p_value - (c->>'p')::float8) > 1e-9) AS wrong
FROM jsonb_array_elements(:'cases'::jsonb#>'{experiment_bayesian,srmCheck}') c, LATERAL featbit.srm_test(ARRAY(SELECT v::bigint FROM jsonb_array_elements_text(c->'observed') v), method => 'chisq') s;
-- The whole analysis of a run, as rows.
CREATE TEMP TABLE run AS SELECT :'cases'::jsonb#>'{experiment_bayesian,runAnalysis}' AS a;
SELECT a#>>'{primary_metric,verdict}' = p.verdict AS primary_verdict, a#>>'{guardrails,0,verdict}' = g.verdict AS guardrail_verdict, round(s.p_value::numeric, 4) = (a#>>'{srm,chi2_p_value}')::numeric AS srm,
	(SELECT bool_and(round(v.got::numeric, digits) = (a#>>v.path)::numeric) FROM (VALUES ('{primary_metric,rows,1,rel_delta}'::text[], p.relative_change, 6), ('{primary_metric,rows,1,ci_lower}', p.ci_low, 6), ('{primary_metric,rows,1,ci_upper}', p.ci_high, 6),
		('{primary_metric,rows,1,p_win}', p.chance_to_win, 4), ('{primary_metric,rows,1,risk_ctrl}', p.risk_control, 6), ('{primary_metric,rows,1,risk_trt}', p.risk_treatment, 6), ('{guardrails,0,rows,1,rel_delta}', g.relative_change, 6),
		('{guardrails,0,rows,1,p_harm}', g.p_harm, 4), ('{guardrails,0,rows,1,risk_ctrl}', g.risk_control, 6), ('{guardrails,0,rows,1,risk_trt}', g.risk_treatment, 6)) v(path, got, digits)) AS numbers
FROM run, LATERAL featbit.featbit_v6_result(featbit.stats_from_counts(1000, 100), featbit.stats_from_counts(1010, 130), edition => 'agent') p,
	LATERAL featbit.featbit_v6_result('{"kind": "mean", "n": 1000, "means": [200], "comoments": [899100]}', '{"kind": "mean", "n": 1010, "means": [210], "comoments": [1009000]}', 0, 0.3, true, true, 'agent') g, LATERAL featbit.srm_test('{1000,1010}', method => 'chisq') s;
-- Verdicts by how sure it is, in both editions; nothing varies; a negative mean of control turns the sign, as FeatBit's division does.
SELECT k, pg_temp.show(v.chance_to_win) AS chance, v.verdict, a.verdict AS agent, g.verdict AS guardrail, ga.verdict AS agent_guardrail
FROM unnest('{60,85,92,100,108,118,140}'::bigint[]) k, LATERAL (SELECT featbit.stats_from_counts(1000, 100) AS c, featbit.stats_from_counts(1000, k) AS t) s, LATERAL featbit.featbit_v6_result(c, t) v, LATERAL featbit.featbit_v6_result(c, t, edition => 'agent') a,
	LATERAL featbit.featbit_v6_result(c, t, guardrail => true) g, LATERAL featbit.featbit_v6_result(c, t, guardrail => true, edition => 'agent') ga ORDER BY k;
SELECT i, r.chance_to_win AS chance, pg_temp.show(relative_change) AS change, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(risk_control) AS risk_control, pg_temp.show(risk_treatment) AS risk_treatment, verdict, error
FROM (VALUES (1, '{"kind": "mean", "n": 10, "means": [2], "comoments": [0]}'::featbit.stats, '{"kind": "mean", "n": 10, "means": [3], "comoments": [0]}'::featbit.stats, 'v6'), (2, '{"kind": "mean", "n": 10, "means": [3], "comoments": [0]}', '{"kind": "mean", "n": 10, "means": [3], "comoments": [0]}', 'v6'),
	(3, '{"kind": "mean", "n": 10, "means": [4], "comoments": [0]}', '{"kind": "mean", "n": 10, "means": [3], "comoments": [0]}', 'agent'), (4, '{"kind": "mean", "n": 10, "means": [0], "comoments": [1]}', '{"kind": "mean", "n": 10, "means": [3], "comoments": [0]}', 'v6'), (5, NULL, NULL, 'v6'),
	(6, '{"kind": "mean", "n": 100, "means": [-2], "comoments": [99]}', '{"kind": "mean", "n": 100, "means": [-3], "comoments": [99]}', 'v6')) v(i, c, t, edition), LATERAL featbit.featbit_v6_result(c, t, edition => edition) r ORDER BY i;

-- Profiles: the same states as each platform shows them. Spotify divides the absolute interval by the mean of control.
SELECT profile, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(statistic) AS statistic, pg_temp.show(df) AS df, pg_temp.show(p_value) AS p_value
FROM unnest('{default,growthbook,featbit,posthog,eppo,spotify}'::text[]) WITH ORDINALITY p(profile, i), LATERAL featbit.effect(featbit.stats_from_counts(1000, 40), featbit.stats_from_counts(1000, 59), profile => profile) ORDER BY i;
SELECT count(*) AS trials, count(*) FILTER (WHERE abs(r.effect * abs(a.mean_c) - a.effect) > 1e-12 OR abs(r.ci_low * abs(a.mean_c) - a.ci_low) > 1e-12 OR abs(r.ci_high * abs(a.mean_c) - a.ci_high) > 1e-12 OR r.p_value <> a.p_value AND abs(r.p_value / a.p_value - 1) > 1e-9 OR a.df IS NOT NULL) AS wrong
FROM (SELECT featbit.stats_agg(random() - 0.9) AS c, featbit.stats_agg(random() - 0.8) AS t FROM generate_series(1, 500) i, generate_series(1, 30) GROUP BY i) s, LATERAL featbit.effect(c, t, profile => 'spotify') r, LATERAL featbit.effect(c, t, 'absolute', profile => 'spotify') a;
SELECT alternative, pg_temp.show(e.effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value FROM unnest('{two-sided,greater}'::text[]) alternative, LATERAL featbit.effect(featbit.stats_from_counts(1000, 400), featbit.stats_from_counts(1000, 395), alternative => alternative, null_value => -0.05, profile => 'spotify') e ORDER BY 1 DESC;
SELECT pg_temp.show(effect) AS effect, pg_temp.show(p_value) AS p_value, status FROM featbit.effect(featbit.stats_from_counts(100, 0), featbit.stats_from_counts(100, 5), method => 'scaled');

-- Errors
SELECT pg_temp.complaint(command) FROM unnest(ARRAY[
	'SELECT featbit.featbit_v5_result(''{A,B}'', ''{}'', ''A'')',
	'SELECT featbit.featbit_v5_result(''{A}'', ARRAY[featbit.stats_from_counts(1, 1)], ''C'')',
	'SELECT featbit.featbit_v5_result(''{A}'', ARRAY[featbit.stats_from_counts(1, 1)], ''A'', lower_is_better => NULL)',
	'SELECT featbit.featbit_v5_result(''{A}'', ARRAY[featbit.stats_from_counts(1, 1)], ''A'', 2)',
	'SELECT featbit.featbit_v5_result(''{A,B}'', ARRAY[featbit.stats_from_counts(100, 20), featbit.stats_from_counts(100, 30)], ''A'', power => 2)',
	'SELECT featbit.featbit_v6_result(NULL, NULL, edition => ''v7'')',
	'SELECT featbit.featbit_v6_result(NULL, NULL, inverse => NULL)',
	'SELECT featbit.effect(NULL, NULL, ''absolute'', method => ''scaled'')',
	'SELECT featbit.effect(NULL, NULL, profile => ''optimizely'')']) WITH ORDINALITY c(command, i) ORDER BY i;
