-- Reference values of stats_cases.json, recomputed to 40 digits and more: every case whose function exists.
-- A case passes if |got - expected| <= max(abs, rel * |expected|), and NULL if NULL is expected.
SET extra_float_digits = 1;
\set cases `cat "$PG_ABS_SRCDIR/cases/stats_cases.json"`
CREATE TEMP TABLE one_case AS
SELECT c->>'id' AS id, c->>'group' AS area, c->>'method' AS method, c->'params' AS params, c->'input' AS input,
       c->'expected' AS expected, (c#>>'{tol,rel}')::float8 AS rel, (c#>>'{tol,abs}')::float8 AS abs
FROM jsonb_array_elements(:'cases'::jsonb->'cases') c;
CREATE TEMP TABLE got (id text, member text, value float8);

-- The state of an arm as a case gives it: raw values, n with mean and m2 or variance, or sums (made exact by numeric).
CREATE FUNCTION pg_temp.arm(arm jsonb, kind text) RETURNS featbit.stats LANGUAGE sql AS $$
	SELECT CASE
		WHEN jsonb_typeof(arm) = 'array'
			THEN (SELECT featbit.stats_agg(x::float8) FROM jsonb_array_elements_text(arm) x)
		WHEN kind = 'proportion'
			THEN featbit.stats_from_counts((arm->>'n')::bigint, (arm->>'sum')::bigint)
		ELSE format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', arm->>'n',
					coalesce(arm->>'mean', ((arm->>'sum')::numeric(60, 30) / (arm->>'n')::numeric)::float8::text),
					coalesce(arm->>'m2', ((arm->>'var')::numeric * ((arm->>'n')::numeric - 1))::float8::text,
							 ((arm->>'sumsq')::numeric
							  - (arm->>'sum')::numeric(60, 30) * (arm->>'sum')::numeric / (arm->>'n')::numeric)::float8::text)
			)::featbit.stats
	END
$$;

-- special functions
INSERT INTO got
SELECT id, key, CASE method
	WHEN 'norm_cdf' THEN featbit.norm_cdf((input->>'z')::float8)
	WHEN 'norm_quantile' THEN featbit.norm_quantile((input->>'p')::float8)
	WHEN 't_two_sided_p' THEN 2 * featbit.t_sf(abs((input->>'t')::float8), (input->>'df')::float8)
	WHEN 't_quantile' THEN -featbit.t_quantile((input->>'upper_p')::float8, (input->>'df')::float8)
	WHEN 'chi2_sf' THEN featbit.chi2_sf((input->>'x')::float8, (input->>'df')::float8)
	WHEN 'igamma_q' THEN featbit.chi2_sf(2 * (input->>'x')::float8, 2 * (input->>'a')::float8)
	END
FROM one_case, jsonb_object_keys(expected) key
WHERE area = 'special';

-- moments
INSERT INTO got
SELECT id, key, CASE key WHEN 'n' THEN featbit.n(s) WHEN 'mean' THEN featbit.mean(s)
	WHEN 'sd' THEN featbit.stddev(s) WHEN 'var' THEN featbit.variance(s) END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT featbit.stats_agg(x) AS s FROM (
		SELECT x::float8 FROM jsonb_array_elements_text(input->'x') x
		UNION ALL SELECT 1000000.2 WHERE id = 'nist_univ_numacc3'
		UNION ALL SELECT 1000000.2 + 0.1 * v FROM generate_series(1, 500), (VALUES (-1), (1)) w(v) WHERE id = 'nist_univ_numacc3') y) agg
WHERE method = 'moments';

INSERT INTO got
SELECT id, key, CASE key WHEN 'n' THEN featbit.n(s) WHEN 'mean' THEN featbit.mean(s)
	WHEN 'm2' THEN featbit.variance(s) * (featbit.n(s) - 1) END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT featbit.rollup(pg_temp.arm(side, 'mean')) AS s FROM (VALUES (input->'left'), (input->'right')) v(side)) agg
WHERE method = 'moments.merge';

-- the capped values of a winsorised metric
INSERT INTO got
SELECT id, key, CASE key WHEN 'mean' THEN featbit.mean(s) WHEN 'var' THEN featbit.variance(s) END
FROM one_case, (VALUES ('mean'), ('var')) k(key), LATERAL (
	SELECT featbit.stats_agg(least(x::float8, (expected->>'cap')::float8)) AS s FROM jsonb_array_elements_text(input->'x') x) agg
WHERE method = 'winsorize';

-- Welch's test; relative cases by the delta method, those of Fieller by the default
CREATE TEMP TABLE compared AS
SELECT id, expected, e.*
FROM one_case, LATERAL featbit.effect(
	pg_temp.arm(input->'control', params->>'kind'), pg_temp.arm(input->'treatment', params->>'kind'),
	scale => CASE WHEN method IN ('relative_fieller', 'fieller_ci') THEN 'relative' ELSE coalesce(params->>'effect', 'absolute') END,
	method => CASE WHEN method = 'fieller_ci' THEN 'z' WHEN params->>'effect' = 'relative' THEN 'delta' ELSE 'auto' END,
	alpha => coalesce((params->>'alpha')::float8, 0.05)) e
WHERE method IN ('welch', 'welch.raw', 'welch.log_p', 'relative_fieller', 'fieller_ci') AND input->'control' IS NOT NULL;

INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect WHEN 'se' THEN se WHEN 't' THEN statistic WHEN 'df' THEN df
	WHEN 'p' THEN p_value WHEN 'ci_low' THEN ci_low WHEN 'ci_high' THEN ci_high WHEN 'ln_p' THEN log10_p * ln(10::float8)
	WHEN 'log10_p' THEN log10_p END
FROM compared, jsonb_object_keys(expected) key
WHERE key NOT IN ('status', 'g', 'bounded');

SELECT id, status, expected->'status' AS expected, expected->'bounded' AS bounded, ci_low, ci_high
FROM compared
WHERE expected->>'status' <> status OR ((expected->>'bounded')::boolean IS FALSE) <> (status = 'unbounded');

-- proportions
INSERT INTO got
SELECT id, key, CASE key WHEN 'diff' THEN e.effect WHEN 'z' THEN e.statistic WHEN 'p' THEN e.p_value WHEN 'ci_low' THEN e.ci_low + ratio WHEN 'ci_high' THEN e.ci_high + ratio
	WHEN 'ratio' THEN e.effect + ratio WHEN 'p_two_sided' THEN e.p_value WHEN 'p_greater' THEN g.p_value END
FROM (SELECT c.*, m.name, (m.name = 'katz')::int AS ratio,
		coalesce((input#>>'{control,x}')::bigint, (input#>>'{table,1,0}')::bigint) AS x_c, coalesce((input#>>'{control,n}')::bigint, (input#>>'{table,1,0}')::bigint + (input#>>'{table,1,1}')::bigint) AS n_c,
		coalesce((input#>>'{treatment,x}')::bigint, (input#>>'{table,0,0}')::bigint) AS x_t, coalesce((input#>>'{treatment,n}')::bigint, (input#>>'{table,0,0}')::bigint + (input#>>'{table,0,1}')::bigint) AS n_t
	FROM one_case c JOIN (VALUES ('proportion_ztest', 'pooled'), ('newcombe_ci', 'newcombe'), ('relative_risk_ci_log', 'katz'), ('proportion_diff_ci_mn', 'mn'), ('fisher_exact', 'fisher')) m(method, name) USING (method)) c,
	jsonb_object_keys(expected) key, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, name) e, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, name, 'greater') g;
INSERT INTO got
SELECT id, key, CASE key WHEN 'ci_low' THEN ci_low WHEN 'ci_high' THEN ci_high END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.prop_interval((input->>'x')::bigint, (input->>'n')::bigint)
WHERE method = 'wilson_ci';

-- covariates: one state of each arm from sums or from rows, delta method and pooled slope as the sources do
CREATE FUNCTION pg_temp.sums(arm jsonb, kind text, v text[], pairs text[]) RETURNS featbit.stats LANGUAGE sql AS $$
	SELECT format('{"kind": "%s", "n": %s, "means": [%s], "comoments": [%s]}', kind, arm->>'n',
		(SELECT string_agg(((arm->>m)::numeric(60, 30) / (arm->>'n')::numeric)::float8::text, ', ' ORDER BY i) FROM unnest(v) WITH ORDINALITY u(m, i)),
		(SELECT string_agg(((arm->>pairs[i * (i - 1) / 2 + j])::numeric(60, 30) - (arm->>v[i])::numeric(60, 30) * (arm->>v[j])::numeric / (arm->>'n')::numeric)::float8::text, ', ' ORDER BY i, j)
			FROM generate_subscripts(v, 1) i, LATERAL generate_series(1, i) j))::featbit.stats
$$;
CREATE FUNCTION pg_temp.column_of(t jsonb) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(x::float8 ORDER BY i) FROM jsonb_array_elements_text(t) WITH ORDINALITY e(x, i)
$$;
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect WHEN 'se' THEN se WHEN 't' THEN statistic WHEN 'df' THEN df WHEN 'p' THEN p_value
	WHEN 'theta' THEN theta_c[1] WHEN 'var_control_adj' THEN variance_c WHEN 'var_treatment_adj' THEN variance_t END
FROM (SELECT *, pg_temp.sums(input->'control', 'cuped', '{y,x}', '{yy,xy,xx}') AS c, pg_temp.sums(input->'treatment', 'cuped', '{y,x}', '{yy,xy,xx}') AS t
	FROM one_case WHERE method = 'cuped') s, jsonb_object_keys(expected) key,
	LATERAL featbit.effect(c, t, profile => 'growthbook') e, LATERAL featbit.adjustment(c, t, 'pooled') a;

CREATE TEMP TABLE mtcars AS
SELECT CASE WHEN (pg_temp.column_of(input->'treatment'))[i] = 1 THEN 't' ELSE 'c' END AS arm, (pg_temp.column_of(input->'y'))[i] AS y,
	ARRAY[(pg_temp.column_of(input#>'{covariates,wt}'))[i], (pg_temp.column_of(input#>'{covariates,hp}'))[i]] AS x
FROM one_case, generate_series(1, 32) i WHERE id = 'ols_ancova_mtcars';
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect WHEN 'se' THEN se WHEN 't' THEN statistic WHEN 'df' THEN df WHEN 'p' THEN p_value END
FROM one_case, jsonb_object_keys(expected) key,
	(SELECT featbit.stats_agg(y, x) FILTER (WHERE arm = 'c') AS c, featbit.stats_agg(y, x) FILTER (WHERE arm = 't') AS t FROM mtcars) s,
	LATERAL featbit.effect(c, t, 'absolute', adjustment => CASE method WHEN 'ols_lin' THEN 'lin' WHEN 'ols_adjusted' THEN 'ancova' ELSE 'within' END) e
WHERE id IN ('ols_ancova_mtcars', 'lin_interacted_mtcars', 'cuped_within_mtcars') AND key IN ('effect', 'se', 't', 'df', 'p') AND (key = 'effect' OR id = 'ols_ancova_mtcars');

-- ratios
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect WHEN 'se' THEN se WHEN 'df' THEN df WHEN 'p' THEN p_value WHEN 'ci_low' THEN ci_low WHEN 'ci_high' THEN ci_high
	WHEN 'ratio_control' THEN mean_c WHEN 'ratio_treatment' THEN mean_t END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.effect(
	pg_temp.sums(input->'control', 'ratio', '{m,d}', '{mm,md,dd}'), pg_temp.sums(input->'treatment', 'ratio', '{m,d}', '{mm,md,dd}'), profile => 'posthog') e
WHERE method = 'ratio_delta';
INSERT INTO got
SELECT id, key, CASE key WHEN 'ratio' THEN e.mean_c WHEN 'se' THEN e.se / sqrt(2.0) END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT featbit.ratio_agg(n, d) AS s FROM unnest(pg_temp.column_of(input->'numerator'), pg_temp.column_of(input->'denominator')) u(n, d)) agg,
	LATERAL featbit.effect(s, s, 'absolute') e
WHERE method = 'ratio_var';
CREATE FUNCTION pg_temp.ratio_rows(a jsonb) RETURNS featbit.stats LANGUAGE sql AS $$
	SELECT featbit.ratio_agg(n, d, np, dp)
	FROM unnest(pg_temp.column_of(a->'num'), pg_temp.column_of(a->'den'), pg_temp.column_of(a->'num_pre'), pg_temp.column_of(a->'den_pre')) u(n, d, np, dp)
$$;
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect WHEN 'se' THEN se WHEN 'p' THEN p_value WHEN 'ci_low' THEN ci_low WHEN 'ci_high' THEN ci_high WHEN 'theta' THEN theta_c[1] END
FROM (SELECT *, params->>'theta' AS theta,
		CASE WHEN input->'control' ? 'num' THEN pg_temp.ratio_rows(input->'control') ELSE pg_temp.sums(input->'control', 'ratio_cuped', '{m,d,x,w}', '{mm,md,dd,mx,dx,xx,mw,dw,xw,ww}') END AS c,
		CASE WHEN input->'control' ? 'num' THEN pg_temp.ratio_rows(input->'treatment') ELSE pg_temp.sums(input->'treatment', 'ratio_cuped', '{m,d,x,w}', '{mm,md,dd,mx,dx,xx,mw,dw,xw,ww}') END AS t
	FROM one_case WHERE method = 'ratio_cuped') s, jsonb_object_keys(expected) key,
	LATERAL featbit.effect(c, t, profile => 'growthbook', theta => CASE WHEN theta <> 'pooled' THEN ARRAY[theta::float8] END) e,
	LATERAL featbit.adjustment(c, t, 'pooled') a;

-- sequential tests
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect WHEN 'se' THEN se WHEN 'ci_low' THEN ci_low WHEN 'ci_high' THEN ci_high WHEN 'log_e' THEN log_e WHEN 'p' THEN p_value
	WHEN 'half_width' THEN coalesce((ci_high - ci_low) / 2, effect - ci_low) WHEN 'multiplier' THEN (SELECT multiplier FROM featbit.sequential_test(0, 1, n_c + n_t, (params->>'n_tune')::bigint)) END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.effect_sequential(
	pg_temp.arm(input->'control', params->>'kind'), pg_temp.arm(input->'treatment', params->>'kind'), (params->>'n_tune')::bigint,
	coalesce(params->>'effect', 'relative'), coalesce(params->>'alternative', 'two-sided'), (params->>'alpha')::float8,
	profile => CASE WHEN method = 'relative_fieller_sequential' THEN 'default' ELSE 'growthbook' END) e
WHERE method IN ('asymptotic_cs', 'asymptotic_cs_one_sided', 'relative_fieller_sequential') AND key <> 'g' AND expected->>key <> 'Infinity';
INSERT INTO got
SELECT id, key, CASE key WHEN 'log_e' THEN log_e WHEN 'p' THEN p_value WHEN 'half_width' THEN multiplier * se WHEN 't_radius' THEN multiplier WHEN 'bound' THEN multiplier * 10 END
FROM (SELECT *, coalesce((input->>'se')::float8, 1) AS se, coalesce((input->>'n')::float8, 100) AS n FROM one_case WHERE method IN ('msprt', 'avt', 'normal_mixture_bound')) c, jsonb_object_keys(expected) key,
	LATERAL featbit.sequential_test(coalesce((input->>'effect')::float8, (input->>'t')::float8, 0), se, n, NULL, (params->>'alpha')::float8,
		coalesce((params->>'g')::float8, (params->>'rho')::float8, n * se ^ 2 / (params->>'tau2')::float8), (input->>'df')::float8);

-- group sequential designs
CREATE TEMP TABLE design AS
SELECT c.*, coalesce(pg_temp.column_of(input->'information'), ARRAY(SELECT k::float8 / (input->>'looks')::int FROM generate_series(1, (input->>'looks')::int) k)) AS info,
	coalesce((params->>'alpha')::float8, 0.05) AS alpha, coalesce((params->>'sides')::int, 2) AS sides,
	CASE method WHEN 'group_sequential.pocock' THEN 'classic-pocock' WHEN 'group_sequential.obrien_fleming' THEN 'classic-of' ELSE CASE params->>'spending' WHEN 'asOF' THEN 'of' WHEN 'asP' THEN 'pocock' WHEN 'HSD-4' THEN 'hsd' ELSE 'power' END END AS spending,
	CASE params->>'spending' WHEN 'KD1' THEN 1 WHEN 'KD2' THEN 2 WHEN 'HSD-4' THEN -4 END AS param
FROM one_case c WHERE area = 'group_sequential';
INSERT INTO got SELECT id, 'constant', (featbit.group_bounds(info, alpha, sides, spending))[cardinality(info)] FROM design WHERE expected ? 'constant';
INSERT INTO got
SELECT id, key, CASE key WHEN 'two_sided' THEN p ELSE p / 2 END
FROM (SELECT id, expected, (featbit.group_crossing(info, array_fill((input->>'bound')::float8, ARRAY[cardinality(info)])))[cardinality(info)] AS p FROM design WHERE method = 'group_sequential.crossing_prob') d, jsonb_object_keys(expected) key;
CREATE TEMP TABLE looks AS
SELECT id, what, k, w.expected, CASE what WHEN 'bounds' THEN b[k] ELSE s[k] END AS got, rel, abs
FROM (SELECT *, featbit.group_bounds(info, alpha, sides, spending, param) AS b, featbit.alpha_spent(info, alpha, sides, spending, param) AS s FROM design) d, (VALUES ('bounds'), ('spent')) v(what),
	LATERAL jsonb_array_elements_text(d.expected->what) WITH ORDINALITY w(expected, k);
SELECT count(DISTINCT id) AS cases, count(*) AS compared FROM looks;
SELECT id, what, k, expected, got FROM looks WHERE got IS NULL OR abs(got - expected::float8) > greatest(abs, rel * abs(expected::float8)) ORDER BY id, what, k;

-- Bayesian comparisons and bandits
INSERT INTO got
SELECT id, key, CASE key WHEN 'post_mean' THEN e.mean WHEN 'post_sd' THEN e.sd WHEN 'chance_to_win' THEN p_better WHEN 'ci_low' THEN ci_low WHEN 'ci_high' THEN ci_high WHEN 'loss_control' THEN loss_control WHEN 'loss_treatment' THEN loss_treatment END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.effect_bayes(
	CASE WHEN input ? 'control' THEN pg_temp.arm(input->'control', params->>'kind') ELSE '{"kind": "mean", "n": 2, "means": [0], "comoments": [0]}' END,
	CASE WHEN input ? 'control' THEN pg_temp.arm(input->'treatment', params->>'kind') ELSE format('{"kind": "mean", "n": 2, "means": [%s], "comoments": [%s]}', input->>'post_mean', 2 * (input->>'post_sd')::float8 ^ 2)::featbit.stats END,
	coalesce((params#>>'{prior,mean}')::float8, 0), sqrt((params#>>'{prior,variance}')::float8), coalesce(params->>'effect', 'absolute')) e
WHERE method IN ('bayes_normal', 'bayes_normal.expected_loss');
INSERT INTO got
SELECT id, key, CASE key WHEN 'p_b_gt_a' THEN p_better WHEN 'loss_control' THEN loss_control WHEN 'loss_treatment' THEN loss_treatment END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.prop_bayes(
	coalesce((input#>>'{control,x}')::bigint, (input#>>'{alpha_beta_control,0}')::bigint - 1), coalesce((input#>>'{control,n}')::bigint, (input#>>'{alpha_beta_control,0}')::bigint + (input#>>'{alpha_beta_control,1}')::bigint - 2),
	coalesce((input#>>'{treatment,x}')::bigint, (input#>>'{alpha_beta_treatment,0}')::bigint - 1), coalesce((input#>>'{treatment,n}')::bigint, (input#>>'{alpha_beta_treatment,0}')::bigint + (input#>>'{alpha_beta_treatment,1}')::bigint - 2)) e
WHERE method = 'bayes_beta';
INSERT INTO got
SELECT id, 'p_b_gt_a', featbit.gamma_prob_greater((input#>>'{control,shape}')::float8, (input#>>'{control,rate}')::float8, (input#>>'{treatment,shape}')::float8, (input#>>'{treatment,rate}')::float8)
FROM one_case WHERE method = 'bayes_gamma';
SELECT count(*) AS compared, count(*) FILTER (WHERE abs(p[k] - w::float8) > greatest(abs, rel * w::float8)) AS wrong
FROM one_case, LATERAL (SELECT featbit.prob_best(pg_temp.column_of(input->'mean'), pg_temp.column_of(input->'sd')) AS p) b, jsonb_array_elements_text(expected->'prob') WITH ORDINALITY e(w, k) WHERE method = 'prob_best';

-- strata, slices, size
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect WHEN 'se' THEN se END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT array_agg(pg_temp.arm(s->'control', 'mean') ORDER BY i) AS c, array_agg(pg_temp.arm(s->'treatment', 'mean') ORDER BY i) AS t FROM jsonb_array_elements(input->'strata') WITH ORDINALITY e(s, i)) a,
	LATERAL featbit.post_stratified(c, t, params->>'effect')
WHERE method = 'post_stratified';
INSERT INTO got
SELECT id, key, CASE key WHEN 'q' THEN q WHEN 'df' THEN df WHEN 'p' THEN p_value WHEN 'pooled' THEN pooled WHEN 'pooled_se' THEN pooled_se WHEN 'i2' THEN i2 END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.heterogeneity(pg_temp.column_of(input->'effect'), pg_temp.column_of(input->'se')) WHERE method = 'heterogeneity_q';
CREATE FUNCTION pg_temp.cell(c jsonb) RETURNS featbit.stats LANGUAGE sql AS $$ SELECT pg_temp.arm(jsonb_build_object('n', c->0, 'mean', c->1, 'var', c->2), 'mean') $$;
INSERT INTO got
SELECT id, key, CASE key WHEN 'interaction' THEN effect WHEN 'se' THEN se WHEN 'z' THEN statistic WHEN 'p' THEN p_value END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.interaction(pg_temp.cell(input->'control_control'), pg_temp.cell(input->'control_test'), pg_temp.cell(input->'test_control'), pg_temp.cell(input->'test_test')) WHERE method = 'interaction_2x2';
INSERT INTO got
SELECT id, key, CASE key WHEN 'chisq' THEN chisq WHEN 'p' THEN p_value WHEN 'chisq_cc' THEN chisq_corrected WHEN 'odds_ratio' THEN odds_ratio END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT array_agg((s#>>'{control,x}')::bigint ORDER BY i) AS x_c, array_agg((s#>>'{control,n}')::bigint ORDER BY i) AS n_c, array_agg((s#>>'{treatment,x}')::bigint ORDER BY i) AS x_t, array_agg((s#>>'{treatment,n}')::bigint ORDER BY i) AS n_t
	FROM jsonb_array_elements(input->'strata') WITH ORDINALITY e(s, i)) a, LATERAL featbit.mantel_haenszel(x_c, n_c, x_t, n_t) WHERE method = 'mantel_haenszel';
INSERT INTO got
SELECT id, 'mde', featbit.mde((input->>'mean')::float8, sqrt((input->>'var')::float8), (input->>'n_per_arm')::float8, (params->>'alpha')::float8, (params->>'power')::float8) FROM one_case WHERE method = 'power.mde_relative';

-- paired data and preferences
INSERT INTO got
SELECT id, key, CASE key WHEN 't' THEN statistic WHEN 'df' THEN df WHEN 'p' THEN p_value END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT featbit.stats_agg(x - y) AS s FROM unnest(pg_temp.column_of(input->'x'), pg_temp.column_of(input->'y')) u(x, y)) a, LATERAL featbit.paired_effect(s)
WHERE method = 'paired_t';
INSERT INTO got
SELECT id, key, CASE key WHEN 'v' THEN n.statistic WHEN 'p_two_sided' THEN n.p_value WHEN 'p_two_sided_cc' THEN c.p_value WHEN 'p_greater' THEN g.p_value END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT featbit.wilcoxon_agg(x, y) AS s FROM unnest(pg_temp.column_of(input->'x'), pg_temp.column_of(input->'y')) u(x, y)) a,
	LATERAL featbit.wilcoxon(s, params->>'method') n, LATERAL featbit.wilcoxon(s, 'corrected') c, LATERAL featbit.wilcoxon(s, params->>'method', alternative => 'greater') g
WHERE method = 'wilcoxon_signed_rank';
INSERT INTO got
SELECT id, key, CASE key WHEN 'u' THEN b.statistic WHEN 'auc' THEN b.effect WHEN 'p_two_sided' THEN b.p_value WHEN 'p_greater' THEN g.p_value END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT featbit.mann_whitney_agg(v, arm = 'x') AS s FROM (VALUES ('x'), ('y')) w(arm), unnest(pg_temp.column_of(input->arm)) v) a,
	LATERAL featbit.mann_whitney(s, params->>'method') b, LATERAL featbit.mann_whitney(s, params->>'method', 'greater') g
WHERE method = 'mann_whitney';
INSERT INTO got
SELECT id, key, CASE key WHEN 'win_rate' THEN win_rate WHEN 'se' THEN se WHEN 'p_sign' THEN p_value END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.win_rate((input->>'wins')::bigint, (input->>'ties')::bigint, (input->>'losses')::bigint) WHERE method = 'win_rate';
INSERT INTO got
SELECT id, key, CASE key WHEN 'delta' THEN delta WHEN 'p' THEN p_value END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.interleaving_test((input->>'sessions_a_wins')::bigint, (input->>'sessions_b_wins')::bigint, (input->>'ties')::bigint) WHERE method = 'interleaving';
INSERT INTO got SELECT id, 'expected', featbit.elo_expected((input->>'rating_a')::float8, (input->>'rating_b')::float8) FROM one_case WHERE method = 'elo_expected';
SELECT count(*) AS compared, count(*) FILTER (WHERE NOT abs(s.strength - w::float8) <= greatest(abs, rel * w::float8)) AS wrong
FROM one_case, jsonb_array_elements_text(input->'items') WITH ORDINALITY i(name, k) JOIN LATERAL jsonb_array_elements_text(expected->'strength') WITH ORDINALITY e(w, k2) ON k2 = k,
	LATERAL featbit.bradley_terry(jsonb_build_object('items', input->'items', 'scores', input->'wins')::text::featbit.preference) s
WHERE method = 'bradley_terry' AND s.item = name;

-- quantiles: percentiles and ranks; quantiles that came with their order statistics, compared with a normal prior
INSERT INTO got
SELECT id, key, featbit.quantile(s, (params->>'p')::float8, key = 'disc')
FROM (SELECT *, (SELECT featbit.quantile_agg(x::float8) FROM jsonb_array_elements_text(input->'x') x) AS s FROM one_case WHERE method = 'quantile') c, jsonb_object_keys(expected) key;
INSERT INTO got
SELECT id, key, CASE key WHEN 'lower_rank_real' THEN rank_low WHEN 'upper_rank_real' THEN rank_high END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.quantile_ranks((input->>'n')::bigint, (params->>'p')::float8, (params->>'alpha')::float8) WHERE method = 'quantile.ci_ranks';
CREATE FUNCTION pg_temp.known_quantile(q jsonb) RETURNS featbit.stats LANGUAGE sql AS $$
	SELECT featbit.stats_from_quantile((q->>'n')::bigint, (q->>'q')::float8, (q->>'lo')::float8, (q->>'hi')::float8)
$$;
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN b.mean WHEN 'se' THEN e.se WHEN 'ci_low' THEN b.ci_low WHEN 'ci_high' THEN b.ci_high END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (SELECT pg_temp.known_quantile(input->'control') AS c, pg_temp.known_quantile(input->'treatment') AS t) s,
	LATERAL featbit.effect(c, t, params->>'effect', method => 'z') e,
	LATERAL featbit.effect_bayes(c, t, coalesce((params#>>'{prior,mean}')::float8, 0), sqrt((params#>>'{prior,variance}')::float8), params->>'effect') b
WHERE method = 'quantile_test';
SELECT id, featbit.poisson_thresholds() = ARRAY(SELECT t::bigint FROM jsonb_array_elements_text(expected->'threshold') WITH ORDINALITY e(t, i) ORDER BY i) AS same FROM one_case WHERE method = 'poisson_bootstrap.thresholds';
INSERT INTO got
SELECT id, 'cap', featbit.cap_value(s, (params->>'upper_p')::float8, (params->>'ignore_zeros')::boolean)
FROM one_case, LATERAL (SELECT featbit.quantile_agg(x::float8) AS s FROM jsonb_array_elements_text(input->'x') x) agg WHERE method = 'winsorize';

-- robust standard errors, by a second look at the units; cases without data of their own have those of mtcars
CREATE TEMP TABLE arms AS SELECT featbit.stats_agg(y, x) FILTER (WHERE arm = 'c') AS c, featbit.stats_agg(y, x) FILTER (WHERE arm = 't') AS t FROM mtcars;
INSERT INTO got
SELECT id, key, CASE key WHEN 'effect' THEN effect ELSE se END
FROM (SELECT id, expected, lower(params->>'se') AS hc, 'ancova' AS model FROM one_case WHERE method = 'ols_adjusted' AND params->>'se' LIKE 'HC%'
		UNION ALL SELECT id, expected - 'effect', NULL, 'lin' FROM one_case WHERE method = 'ols_lin') m,
	jsonb_object_keys(expected) key, arms, LATERAL (SELECT featbit.stats_agg(featbit.influence(y, arm = 't', x, c, t, model, coalesce(hc, split_part(key, '_', 2)))) AS i FROM mtcars) agg,
	LATERAL featbit.effect_robust(c, t, i, model);

-- analysis of variance: NIST's SmLs data, nine treatments of 21 values
INSERT INTO got
SELECT id, key, CASE key WHEN 'f' THEN f WHEN 'pooled_var' THEN pooled_variance END
FROM one_case, jsonb_object_keys(expected) key, LATERAL (
	SELECT array_agg(s) AS states FROM (
		SELECT featbit.stats_agg(((input->>'leading_value')::numeric + (t - 4) / 10.0 + CASE WHEN i = 0 THEN 0 WHEN i % 2 = 1 THEN -0.1 ELSE 0.1 END)::float8) AS s
		FROM unnest('{4,3,5,3,5,3,5,3,5}'::int[]) WITH ORDINALITY v(t, treatment), generate_series(0, 20) i GROUP BY treatment) g) a,
	LATERAL featbit.anova(states) WHERE method = 'anova_oneway';

-- confidence sequences and sequential tests of others
INSERT INTO got
SELECT id, key, CASE key WHEN 'ci_low' THEN ci_low WHEN 'ci_high' THEN ci_high END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.prop_sequential((input->>'x')::bigint, (input->>'n')::bigint, (params->>'t_opt')::bigint, (params->>'alpha')::float8) WHERE method = 'bernoulli_conf_seq';
INSERT INTO got
SELECT id, key, CASE key WHEN 'log_e' THEN log_e WHEN 'bound' THEN bound END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.beta_binomial_test(coalesce((input->>'s')::float8, 0), (input->>'v')::float8, (params->>'v_opt')::float8, (params->>'g')::float8, (params->>'h')::float8,
	coalesce((params->>'alpha_opt')::float8, (params->>'alpha')::float8)) WHERE method LIKE 'beta\_binomial\_%';
INSERT INTO got
SELECT id, 'bound', featbit.poly_stitching_bound((input->>'v')::float8, (params->>'v_min')::float8, (params->>'alpha')::float8, (params->>'c')::float8, (params->>'s')::float8, (params->>'eta')::float8)
FROM one_case WHERE method = 'poly_stitching_bound';
INSERT INTO got
SELECT id, key, CASE key WHEN 'z_star' THEN z_star WHEN 'tau' THEN tau WHEN 'sigma' THEN sigma END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.flat_sequential_z((input->>'var_c')::float8, (input->>'var_t')::float8, (input->>'n_c')::bigint, (input->>'n_t')::bigint, (params->>'alpha')::float8) WHERE method = 'statsig_sequential_z';
INSERT INTO got
SELECT id, key, CASE key WHEN 'llr' THEN log_lr WHEN 'upper' THEN upper_bound WHEN 'lower' THEN lower_bound END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.sprt((input->>'z')::float8, (input->>'n_a')::bigint, (input->>'n_b')::bigint, (params->>'cohens_d')::float8, (params->>'alpha')::float8, (params->>'beta')::float8) WHERE method = 'sprt';

-- power of the t test and of the odds ratio
INSERT INTO got
SELECT id, 'power', featbit.power_of(1, (input->>'sd')::float8, (input->>'delta')::float8, (input->>'n_per_arm')::float8, (params->>'alpha')::float8, method => 't') FROM one_case WHERE method = 'power.power_mean_t';
INSERT INTO got
SELECT id, 'n_per_arm', n_exact FROM one_case, LATERAL featbit.sample_size(1, (input->>'sd')::float8, (input->>'delta')::float8, (params->>'alpha')::float8, (params->>'power')::float8, method => 't') WHERE one_case.method = 'power.sample_size_mean_t';
INSERT INTO got
SELECT id, 'n_total', 2 * n_exact
FROM one_case, LATERAL featbit.sample_size((input->>'p1')::float8, NULL, (input->>'p2')::float8 / (input->>'p1')::float8 - 1, (params->>'alpha')::float8, (params->>'power')::float8, (params->>'sides')::int, method => 'odds-ratio') WHERE one_case.method = 'power.sample_size_odds_ratio';

-- sample ratio
INSERT INTO got
SELECT id, key, CASE key WHEN 'chisq' THEN s.chisq WHEN 'df' THEN s.df WHEN 'p' THEN s.p_value END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.srm_test(
	ARRAY(SELECT o::bigint FROM jsonb_array_elements_text(input->'observed') o),
	ARRAY(SELECT w::float8 FROM jsonb_array_elements_text(input->'weights') w)) s
WHERE method = 'srm_chisq';
INSERT INTO got
SELECT id, key, CASE key WHEN 'log_bf' THEN s.log_e WHEN 'p' THEN s.p_sequential END
FROM one_case, jsonb_object_keys(expected) key, LATERAL featbit.srm_test(
	ARRAY(SELECT o::bigint FROM jsonb_array_elements_text(input->'observed') o), ARRAY(SELECT w::float8 FROM jsonb_array_elements_text(input->'weights') w),
	concentration => (params->>'concentration')::float8) s
WHERE method = 'srm_sequential';

-- multiplicity: one row for each element, in order
CREATE TEMP TABLE adjusted AS
SELECT id, i, w.value AS expected, featbit.adjust_p(p, params->>'method') AS got, p, rel, abs
FROM one_case, jsonb_array_elements(expected->'p_adjusted') WITH ORDINALITY w(value, i),
	LATERAL (SELECT array_agg(v::float8 ORDER BY o) AS p FROM jsonb_array_elements_text(input->'p') WITH ORDINALITY e(v, o)) x
WHERE method = 'adjust_p';
SELECT count(DISTINCT id) AS cases, count(*) AS compared FROM adjusted;
SELECT id, i, expected, got[i]
FROM adjusted
WHERE (expected = 'null') <> (got[i] IS NULL)
   OR NOT (expected = 'null' OR abs(got[i] - expected::float8) <= greatest(abs, rel * abs(expected::float8)));

INSERT INTO got
SELECT id, key, (SELECT count(*) FROM unnest(featbit.adjust_p(p, key)) a WHERE a <= (input->>'alpha')::float8)
FROM one_case, jsonb_object_keys(expected) key,
	LATERAL (SELECT array_agg(v::float8) AS p FROM jsonb_array_elements_text(input->'p') v) x
WHERE method = 'adjust_p.reject';

INSERT INTO got
SELECT id, 'rejected', (SELECT count(*) FROM unnest(featbit.adjust_e(pg_temp.column_of(input->'e'))) a WHERE a <= (params->>'alpha')::float8) FROM one_case WHERE method = 'adjust_e.bh';
SELECT id, i, expected, got FROM (SELECT id, i, expected, got[i] AS got
	FROM one_case, LATERAL (SELECT featbit.adjust_e(pg_temp.column_of(input->'e')) AS got) g, jsonb_array_elements_text(expected->'adjusted_p') WITH ORDINALITY w(expected, i) WHERE method = 'adjust_e.bh') e
WHERE abs(got - expected::float8) > 1e-12;

-- everything else as one list: what was compared, and what failed
SELECT area, method, count(DISTINCT id) AS cases, count(*) AS compared
FROM got JOIN one_case USING (id) GROUP BY area, method ORDER BY area, method;
SELECT id, member, expected->member AS expected, value AS got
FROM got JOIN one_case USING (id)
WHERE NOT expected ? member
   OR (expected->member = 'null') <> (value IS NULL)
   OR NOT (expected->member = 'null' OR abs(value - (expected->>member)::float8) <= greatest(abs, rel * abs((expected->>member)::float8)))
ORDER BY id, member;
