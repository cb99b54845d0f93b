-- Robust standard errors, ridge, analysis of variance, power of further designs, sequences for one proportion.
SELECT setseed(0.5) IS NOT NULL AS seeded;
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.show(v float8) RETURNS numeric LANGUAGE sql AS $$ SELECT round(v::numeric, 6) $$;

-- Without covariates HC2 is Welch's variance (population form times n / (n - 1)); effects are those of effect().
CREATE TEMP TABLE unit AS
SELECT i, trial, i % 3 = 0 AS treated, x, 2 * x[1] - x[2] + (1 + x[1]) * (random() - 0.5) + CASE WHEN i % 3 = 0 THEN 0.2 ELSE 0 END AS y
FROM (SELECT i, trial, ARRAY[random(), random() * (trial % 7), 5 + random()] AS x FROM generate_series(1, 200) trial, generate_series(1, 30 + trial % 20) i OFFSET 0) r;
CREATE TEMP TABLE arms AS SELECT trial, featbit.stats_agg(y, x) FILTER (WHERE NOT treated) AS c, featbit.stats_agg(y, x) FILTER (WHERE treated) AS t FROM unit GROUP BY trial;
CREATE TEMP TABLE robust AS
SELECT a.*, model, variance, f.i
FROM arms a, (VALUES ('none'), ('ancova'), ('lin')) m(model), (VALUES ('HC0'), ('HC1'), ('HC2'), ('HC3')) v(variance), LATERAL (SELECT featbit.stats_agg(featbit.influence(y, treated, x, c, t, model, variance)) AS i FROM unit u WHERE u.trial = a.trial) f;
SELECT model, count(*) AS trials, count(*) FILTER (WHERE abs(r.effect - e.effect) > 1e-10) AS effect, count(*) FILTER (WHERE model = 'none' AND abs(r.se - e.se) > 1e-12) AS welch, bool_or(r.status <> 'ok') AS not_ok
FROM robust, LATERAL featbit.effect_robust(c, t, i, model) r, LATERAL featbit.effect(c, t, 'absolute', adjustment => model) e WHERE variance = 'HC2' GROUP BY model ORDER BY model;
SELECT model, count(*) AS trials, count(*) FILTER (WHERE NOT (s[1] < s[3] AND s[3] < s[4] AND s[1] < s[2])) AS disorder, count(*) FILTER (WHERE abs(s[2] / s[1] - sqrt(n / df)) > 1e-10) AS hc1
FROM (SELECT trial, model, array_agg(se ORDER BY variance) AS s, max(n_c + n_t)::float8 AS n, max(df) AS df FROM robust, LATERAL featbit.effect_robust(c, t, i, model) GROUP BY trial, model) r GROUP BY model ORDER BY model;
-- Clusters: rows in twos weigh as one; doubled rows have the variance of the single ones.
SELECT count(*) AS trials, count(*) FILTER (WHERE abs(d.effect - s.effect) > 1e-10 OR abs(d.se - s.se * sqrt(g.n / (g.n - 1))) > 1e-10 * s.se) AS wrong
FROM (SELECT trial, featbit.stats_agg(y, x) FILTER (WHERE NOT treated) AS dc, featbit.stats_agg(y, x) FILTER (WHERE treated) AS dt FROM unit, generate_series(1, 2) GROUP BY trial) a JOIN arms USING (trial),
	LATERAL (SELECT featbit.stats_agg(f) AS f, count(*)::float8 AS n FROM (SELECT sum(featbit.influence(y, treated, x, dc, dt, 'ancova', 'HC0')) AS f FROM unit u, generate_series(1, 2) WHERE u.trial = a.trial GROUP BY u.i) q) g,
	LATERAL (SELECT featbit.stats_agg(featbit.influence(y, treated, x, c, t, 'ancova', 'HC0')) AS f FROM unit u WHERE u.trial = a.trial) h, LATERAL featbit.effect_robust(dc, dt, g.f) d, LATERAL featbit.effect_robust(c, t, h.f) s;
-- Covariates that are constant, depend on others or are missing
SELECT what, pg_temp.show(r.effect) AS effect, pg_temp.show(r.se) AS se, r.df, r.status, abs(r.effect - e.effect) < 1e-9 AS same
FROM (SELECT 1, 'constant', ARRAY[4::float8] UNION ALL SELECT 2, 'dependent', NULL UNION ALL SELECT 3, 'missing', NULL) k(k, what, z),
	LATERAL (SELECT array_agg(i ORDER BY i) AS i, array_agg(y ORDER BY i) AS y, array_agg(treated ORDER BY i) AS d FROM unit WHERE trial = 7) u,
	LATERAL (SELECT featbit.stats_agg(v.y, CASE k WHEN 1 THEN z WHEN 2 THEN ARRAY[w.x[1], 2 * w.x[1] + 1] ELSE ARRAY[CASE WHEN v.i % 4 > 0 THEN w.x[1] END] END) FILTER (WHERE NOT d) AS c, featbit.stats_agg(v.y, CASE k WHEN 1 THEN z WHEN 2 THEN ARRAY[w.x[1], 2 * w.x[1] + 1] ELSE ARRAY[CASE WHEN v.i % 4 > 0 THEN w.x[1] END] END) FILTER (WHERE d) AS t FROM unnest(u.i, u.y, u.d) v(i, y, d) JOIN unit w ON w.trial = 7 AND w.i = v.i) s,
	LATERAL (SELECT featbit.stats_agg(featbit.influence(v.y, d, CASE k WHEN 1 THEN z WHEN 2 THEN ARRAY[w.x[1], 2 * w.x[1] + 1] ELSE ARRAY[CASE WHEN v.i % 4 > 0 THEN w.x[1] END] END, c, t)) AS f FROM unnest(u.i, u.y, u.d) v(i, y, d) JOIN unit w ON w.trial = 7 AND w.i = v.i) g,
	LATERAL featbit.effect_robust(c, t, f) r, LATERAL featbit.effect(c, t, 'absolute', adjustment => 'ancova') e ORDER BY k;
SELECT what, n_c, n_t, effect, se, status FROM (VALUES (1, 'empty', 0, 5), (2, 'one', 1, 5), (3, 'as many parameters as units', 2, 2)) v(i, what, a, b),
	LATERAL (SELECT coalesce(featbit.stats_agg(i, ARRAY[i * i, i ^ 3]), '{"kind": "cuped", "n": 0, "means": [0,0,0], "comoments": [0,0,0,0,0,0]}') AS c FROM generate_series(1, a) i) c, LATERAL (SELECT featbit.stats_agg(i, ARRAY[i * i, i ^ 3]) AS t FROM generate_series(1, b) i) t,
	LATERAL featbit.effect_robust(c, t, '{"kind": "mean", "n": 1, "means": [0], "comoments": [0]}') ORDER BY v.i;
-- Ridge: the normal equations with more on the diagonal; a huge penalty is no adjustment.
SELECT count(*) AS trials, count(*) FILTER (WHERE abs(a.theta_c[1] - b) > 1e-9 * abs(b)) AS slope, count(*) FILTER (WHERE abs(h.effect - e.effect) > 1e-4 OR abs(h.se / e.se - 1) > 1e-4) AS huge, count(*) FILTER (WHERE l.status <> 'ok') AS not_ok
FROM (SELECT trial, featbit.stats_agg(y, x[1]) FILTER (WHERE NOT treated) AS c, featbit.stats_agg(y, x[1]) FILTER (WHERE treated) AS t FROM unit GROUP BY trial) s, LATERAL featbit.adjustment(c, t, ridge => 0.1) a,
	LATERAL (SELECT (featbit.covariance(c, 1, 2) * (featbit.n(c) - 1) + featbit.covariance(t, 1, 2) * (featbit.n(t) - 1)) / (1.1 * (featbit.variance(c, 2) * (featbit.n(c) - 1) + featbit.variance(t, 2) * (featbit.n(t) - 1))) AS b) n,
	LATERAL featbit.effect(c, t, 'absolute', ridge => 1e6) h, LATERAL featbit.effect(c, t, 'absolute', adjustment => 'none') e, LATERAL featbit.effect(c, t, 'absolute', adjustment => 'lin', ridge => 0.1) l;

-- Analysis of variance: of two arms it is Student's test squared; units do not matter.
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(a.f / e.statistic ^ 2 - 1) > 1e-9 OR abs(a.p_value - e.p_value) > 1e-9 OR abs(a.pooled_variance / (e.se ^ 2 / (1.0 / e.n_c + 1.0 / e.n_t)) - 1) > 1e-9) AS wrong
FROM (SELECT featbit.stats_agg(random() + s / 5.0) AS c, featbit.stats_agg(random() + 0.1) AS t FROM generate_series(1, 1000) trial, generate_series(1, 20) s GROUP BY trial) p, LATERAL featbit.anova(ARRAY[c, NULL, t]) a, LATERAL featbit.effect(c, t, 'absolute', method => 'student') e;
SELECT what, pg_temp.show(f) AS f, df_between, df_within, pg_temp.show(p_value) AS p_value, pg_temp.show(eta_squared) AS eta_squared, status
FROM (VALUES (1, 'none', '{}'::featbit.stats[]), (2, 'one', ARRAY[featbit.stats_from_counts(9, 3)]), (3, 'proportions', ARRAY[featbit.stats_from_counts(90, 30), featbit.stats_from_counts(90, 40), featbit.stats_from_counts(90, 55)]),
	(4, 'constant', ARRAY[featbit.stats_from_counts(9, 9), featbit.stats_from_counts(9, 9)])) v(i, what, s), LATERAL featbit.anova(s) ORDER BY i;
SELECT pg_temp.show(featbit.f_sf(4, 3, 16)) AS f_sf, featbit.f_sf(0, 1, 1) AS one, abs(featbit.f_sf(9, 1, 7) - 2 * featbit.t_sf(3, 7)) < 1e-15 AS is_t, pg_temp.show(featbit.noncentral_t_sf(2, 10, 1.5)) AS noncentral, pg_temp.show(featbit.noncentral_t_sf(-2, 10, -1.5)) AS lower,
	abs(featbit.noncentral_t_sf(2, 10, 0) - featbit.t_sf(2, 10)) < 1e-14 AS central, pg_temp.show(featbit.noncentral_t_sf(100, 1e6, 100)) AS large, featbit.noncentral_t_sf(0, 5, 2000) AS certain;

-- Designs: each method finds again what it was planned with.
SELECT method, round(n_exact::numeric, 4) AS n_exact, n_control, n_treatment, pg_temp.show(featbit.power_of(mean, sd, mde, n_exact, sides => sides, ratio => 2, method => m.method)) AS power, pg_temp.show(featbit.mde(mean, sd, n_exact, sides => sides, ratio => 2, method => m.method)) AS mde
FROM (VALUES ('relative', 10::float8, 3::float8), ('t', 10, 3), ('pooled', 0.2, NULL), ('baseline', 0.2, NULL), ('odds-ratio', 0.2, NULL)) m(method, mean, sd), (VALUES (0.1::float8, 1), (0.3, 2)) e(mde, sides), LATERAL featbit.sample_size(mean, sd, mde, sides => sides, ratio => 2, method => m.method) s ORDER BY m.method, mde;
SELECT featbit.mde(0.9, NULL, 5, method => 'pooled') AS none, featbit.power_of(10, 3, 0.1, 0.5, method => 't') AS too_few, featbit.sample_size(0.5, NULL, 0.5, power => 0.9, method => 'pooled') AS power_prop_test, featbit.days_needed(100, 0.2, NULL, 0.25, method => 'baseline') AS days;

-- One proportion at any look: inside exactly where the evidence stays below 1 / alpha; no false alarms beyond alpha.
SELECT count(*) AS tested, count(*) FILTER (WHERE (p BETWEEN ci_low AND ci_high) <> (log_e < ln(20))) AS contradiction, count(*) FILTER (WHERE log_e > ln(20)) > 100 AS some
FROM (SELECT n, floor(random() * (n + 1))::bigint AS x, 0.02 + 0.96 * random() AS p, 1 + floor(random() * 500)::bigint AS planned FROM generate_series(1, 1000) n) v, LATERAL featbit.prop_sequential(x, n, planned, null_value => p) s;
SELECT x, n, pg_temp.show(estimate) AS estimate, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(log_e) AS log_e, pg_temp.show(p_value) AS p_value
FROM (VALUES (0::bigint, 0::bigint), (0, 50), (50, 50), (1, 1), (500000000, 1000000000), (NULL, 4)) v(x, n), LATERAL featbit.prop_sequential(x, n, 100, null_value => 0.5);
SELECT count(*) AS runs, count(*) FILTER (WHERE alarm) < 100 AS few_alarms, count(*) FILTER (WHERE alarm) > 0 AS some
FROM (SELECT run, bool_or(log_e > ln(20)) AS alarm FROM (SELECT run, n, sum((random() < 0.1)::int) OVER (PARTITION BY run ORDER BY n) AS x FROM generate_series(1, 1000) run, generate_series(1::bigint, 100) n) w, LATERAL featbit.prop_sequential(x, n, 50, null_value => 0.1) GROUP BY run) r;
SELECT pg_temp.show(log_e) AS log_e, pg_temp.show(p_value) AS p_value, pg_temp.show(bound) AS bound FROM (VALUES (0::float8, 1::float8), (25, 100), (-25, 100)) v(s, v), LATERAL featbit.beta_binomial_test(s, v, 100, 0.2, 0.8);
SELECT pg_temp.show(featbit.poly_stitching_bound(100, 10)) AS normal, pg_temp.show(featbit.poly_stitching_bound(1, 10)) = pg_temp.show(featbit.poly_stitching_bound(10, 10)) AS flat_before, (featbit.sprt(3, 5000, 5000, 0.05)).decision, (featbit.sprt(1.5, 5000, 5000, 0.05)).decision AS open, (featbit.flat_sequential_z(0, 0, 1, 1)).z_star AS no_variance;

-- Errors
SELECT command, pg_temp.complaint('SELECT ' || command) FROM (VALUES
	('featbit.influence(1, true, ''{1}'', featbit.stats_agg(1::float8), featbit.stats_agg(1::float8))'), ('featbit.influence(1, true, ''{1,2}'', c, t) FROM arms'), ('featbit.influence(1, true, ''{1,2,NULL}'', c, t) FROM arms'), ('featbit.influence(1, true, NULL, c, t, model => ''ridge'') FROM arms'), ('featbit.influence(1, true, ''{1,2,3}'', c, t, variance => ''HC9'') FROM arms'),
	('featbit.influence(1, true, NULL, featbit.stats_agg(1::float8), featbit.quantile_agg(1), ''none'')'), ('featbit.effect_robust(c, t, NULL) FROM arms'), ('featbit.effect_robust(c, t, c) FROM arms'), ('featbit.effect_robust(c, t, (SELECT featbit.stats_agg(i::float8) FROM generate_series(1, 100) i)) FROM arms'),
	('featbit.effect(c, t, ridge => -1) FROM arms'), ('featbit.effect(c, t, adjustment => ''ancova'', ridge => 0.1) FROM arms'), ('featbit.anova(ARRAY[featbit.quantile_agg(1)])'), ('featbit.anova(ARRAY[[featbit.stats_agg(1::float8)]])'), ('featbit.anova(ARRAY[featbit.ratio_agg(1, 1)])'),
	('featbit.f_sf(1, 0, 1)'), ('featbit.noncentral_t_sf(1, -1, 1)'), ('featbit.sample_size(10, 3, 0.1, method => ''z'')'), ('featbit.sample_size(0.1, 3, 0.1, method => ''pooled'')'),
	('featbit.prop_sequential(3, 2, 10)'), ('featbit.prop_sequential(1, 2, 0)'), ('featbit.prop_sequential(1, 2, 9, null_value => 1)'), ('featbit.beta_binomial_test(600, 100, 100, 0.2, 0.8)'), ('featbit.beta_binomial_test(1, 0, 100, 0.2, 0.8)'), ('featbit.poly_stitching_bound(1, 1, s => 1)'),
	('featbit.sprt(1, 1, 1, 0.1, 0.6, 0.6)'), ('featbit.sprt(1, 1, 1, 0)'), ('featbit.flat_sequential_z(1, 1, 0, 1)'), ('featbit.flat_sequential_z(1, 1, 1, 1, 2)')) v(command);
