-- effect() on covariates and ratios: statuses, notes, and properties over random inputs.
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

CREATE TEMP TABLE unit AS
SELECT i % 2 = 1 AS treated, (i * 7919 % 100)::float8 / 10 + (i % 2) * 0.5 + (i * 104729 % 97)::float8 / 20 AS y, (i * 7919 % 100)::float8 / 10 AS x, (i * 31 % 11)::float8 AS z, 1 + (i * 17 % 5)::float8 AS d
FROM generate_series(1, 400) i;
CREATE TEMP TABLE side AS
SELECT featbit.stats_agg(y, x) FILTER (WHERE NOT treated) AS c1, featbit.stats_agg(y, x) FILTER (WHERE treated) AS t1,
	featbit.stats_agg(y, ARRAY[x, z, x + 2 * z]) FILTER (WHERE NOT treated) AS c3, featbit.stats_agg(y, ARRAY[x, z, x + 2 * z]) FILTER (WHERE treated) AS t3,
	featbit.stats_agg(y, 7) FILTER (WHERE NOT treated) AS c0, featbit.stats_agg(y, 7) FILTER (WHERE treated) AS t0,
	featbit.stats_agg(y, CASE WHEN z > 2 THEN x END) FILTER (WHERE NOT treated) AS cm, featbit.stats_agg(y, x) FILTER (WHERE treated) AS tm,
	featbit.ratio_agg(y, d) FILTER (WHERE NOT treated) AS cr, featbit.ratio_agg(y, d) FILTER (WHERE treated) AS tr,
	featbit.ratio_agg(y, d, x, d) FILTER (WHERE NOT treated) AS cq, featbit.ratio_agg(y, d, x, d) FILTER (WHERE treated) AS tq
FROM unit;
SELECT what, adjustment, scale, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(df) AS df, pg_temp.show(p_value) AS p_value, status, notes
FROM side, LATERAL (VALUES (1, 'one covariate', c1, t1), (2, 'dependent', c3, t3), (3, 'constant', c0, t0), (4, 'missing', cm, tm), (5, 'ratio', cr, tr), (6, 'ratio before', cq, tq)) v(i, what, c, t),
	(VALUES (1, 'none'), (2, 'within'), (3, 'pooled'), (4, 'ancova'), (5, 'lin')) a(j, adjustment), (VALUES ('absolute'), ('relative')) s(scale),
	LATERAL featbit.effect(c, t, scale, adjustment => adjustment) e
WHERE (i = 1 OR scale = 'absolute') AND (i < 5 OR j <= 3) ORDER BY i, j, scale;
SELECT what, (SELECT array_agg(pg_temp.show(x)) FROM unnest(theta_c) x) AS theta_c, (SELECT array_agg(pg_temp.show(x)) FROM unnest(theta_t) x) AS theta_t, pg_temp.show(variance_c) AS variance_c, pg_temp.show(variance_t) AS variance_t, pg_temp.show(difference) AS difference, pg_temp.show(variance_reduction) AS variance_reduction, pg_temp.show(sample_factor) AS sample_factor, status, notes
FROM side, LATERAL (VALUES (1, 'one covariate', c1, t1, 'auto'), (2, 'dependent', c3, t3, 'lin'), (3, 'constant', c0, t0, 'auto'), (6, 'ratio before', cq, tq, 'auto')) v(i, what, c, t, a), LATERAL featbit.adjustment(c, t, a) ORDER BY i;

-- Status
SELECT what, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(p_value) AS p_value, n_c, n_t, mean_c, mean_t, status, notes
FROM (VALUES
	(1, 'empty', '{"kind": "ratio", "n": 0, "means": [0,0], "comoments": [0,0,0]}'::featbit.stats, '{"kind": "ratio", "n": 2, "means": [1,2], "comoments": [1,0,1]}'::featbit.stats, 'auto'),
	(2, 'nobody', NULL, '{"kind": "cuped", "n": 2, "means": [1,2], "comoments": [1,0,1]}', 'auto'),
	(3, 'one unit', '{"kind": "ratio", "n": 1, "means": [1,2], "comoments": [0,0,0]}', '{"kind": "ratio", "n": 2, "means": [1,2], "comoments": [1,0,1]}', 'auto'),
	(4, 'zero denominator', '{"kind": "ratio", "n": 9, "means": [1,0], "comoments": [1,0,1]}', '{"kind": "ratio", "n": 2, "means": [1,2], "comoments": [1,0,1]}', 'auto'),
	(5, 'constant ratio', '{"kind": "ratio", "n": 9, "means": [1,2], "comoments": [1,2,4]}', '{"kind": "ratio", "n": 2, "means": [1,1], "comoments": [1,1,1]}', 'auto'),
	(6, 'zero ratio', '{"kind": "ratio", "n": 9, "means": [0,2], "comoments": [1,0,4]}', '{"kind": "ratio", "n": 9, "means": [1,1], "comoments": [1,0,1]}', 'auto'),
	(7, 'none before', '{"kind": "ratio_cuped", "n": 9, "means": [1,2,0,0], "comoments": [1,0,4,0,0,0,0,0,0,0]}', '{"kind": "ratio_cuped", "n": 9, "means": [1,1,0,0], "comoments": [1,0,4,0,0,0,0,0,0,0]}', 'auto'),
	(8, 'too few for lin', '{"kind": "cuped", "n": 2, "means": [1,2], "comoments": [1,0,1]}', '{"kind": "cuped", "n": 9, "means": [1,2], "comoments": [1,0,1]}', 'lin'),
	(9, 'too few for ancova', '{"kind": "cuped", "n": 2, "means": [1,2,3], "comoments": [1,0,1,0,0,1]}', '{"kind": "cuped", "n": 2, "means": [1,2,5], "comoments": [1,0,1,0,0,1]}', 'ancova'),
	(10, 'perfect covariate', '{"kind": "cuped", "n": 5, "means": [1,2], "comoments": [1,1,1]}', '{"kind": "cuped", "n": 9, "means": [1,2], "comoments": [4,4,4]}', 'auto'),
	(11, 'skewed', '{"kind": "shape", "n": 20, "means": [1], "comoments": [19,60,300]}', '{"kind": "shape", "n": 20, "means": [2], "comoments": [19,0,57]}', 'auto')) v(i, what, c, t, a),
	LATERAL featbit.effect(c, t, adjustment => a) ORDER BY i;

-- Hostile numbers of findings: a huge null value excludes what the interval excludes; no ok without an interval.
SELECT null_value::text, p_value < 0.05 AS shown, ci_high < null_value OR ci_low > null_value AS excluded, status
FROM (VALUES (1e300::float8), (-1e300), (1e160), (1.5)) v(null_value), LATERAL featbit.effect(featbit.stats_from_counts(1000, 200), featbit.stats_from_counts(1000, 250), null_value => null_value);
SELECT count(*) AS pairs, count(*) FILTER (WHERE status = 'ok' AND (effect IS NULL OR se IS NULL OR ci_low IS NULL OR ci_high IS NULL OR p_value IS NULL)) AS incomplete
FROM (SELECT format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', 2 + floor(10 * random())::int, (random() - 0.5) * 10 ^ (e1 + 0.0)::float8, random() * 10 ^ (e2 + 0.0)::float8)::featbit.stats AS c,
		format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', 2 + floor(10 * random())::int, (random() - 0.5) * 10 ^ (e3 + 0.0)::float8, random() * 10 ^ (e2 + 0.0)::float8)::featbit.stats AS t
	FROM generate_series(-300, 300, 50) e1, generate_series(-300, 300, 50) e2, generate_series(-300, 300, 50) e3) s,
	(VALUES ('absolute', 'welch'), ('relative', 'fieller'), ('relative', 'delta'), ('relative', 'z')) m(scale, method), LATERAL featbit.effect(c, t, scale, method => method);

-- Properties over 2,000 random pairs of arms with three covariates each
CREATE TEMP TABLE pair AS
SELECT trial, featbit.stats_agg(y, x) FILTER (WHERE NOT treated) AS c, featbit.stats_agg(y, x) FILTER (WHERE treated) AS t,
	featbit.stats_agg(y, x[1]) FILTER (WHERE NOT treated) AS c1, featbit.stats_agg(y, x[1]) FILTER (WHERE treated) AS t1,
	featbit.stats_agg(y) FILTER (WHERE NOT treated) AS cy, featbit.stats_agg(y) FILTER (WHERE treated) AS ty,
	featbit.stats_agg(y, 3) FILTER (WHERE NOT treated) AS cc, featbit.stats_agg(y, 3) FILTER (WHERE treated) AS tc,
	featbit.ratio_agg(y, 1) FILTER (WHERE NOT treated) AS c_one, featbit.ratio_agg(y, 1) FILTER (WHERE treated) AS t_one,
	featbit.ratio_agg(y, x[1], x[2], x[3]) FILTER (WHERE NOT treated) AS cr, featbit.ratio_agg(y, x[1], x[2], x[3]) FILTER (WHERE treated) AS tr,
	featbit.ratio_agg(1000 * y, x[1], 7 * x[2], x[3]) FILTER (WHERE NOT treated) AS cs, featbit.ratio_agg(1000 * y, x[1], 7 * x[2], x[3]) FILTER (WHERE treated) AS ts,
	featbit.ratio_agg(1024 * y, x[1], 8 * x[2], x[3]) FILTER (WHERE NOT treated) AS c2, featbit.ratio_agg(1024 * y, x[1], 8 * x[2], x[3]) FILTER (WHERE treated) AS t2
FROM (SELECT trial, random() < 0.5 AS treated, 5 * (random() - 0.2) + x[1] - 2 * x[2] + (trial % 4) AS y, x
	FROM (SELECT trial, ARRAY[1 + random(), 2 + random() + random() * (trial % 3), 3 + random() ^ 3] AS x FROM generate_series(1, 2000) trial, generate_series(1, 20 + trial % 200) OFFSET 0) r) u
GROUP BY trial;
-- Zero is outside the interval exactly when p < alpha, for every adjustment and scale.
SELECT scale, method, adjustment, count(*) > 1900 AS enough, count(*) FILTER (WHERE p_value < 0.05) BETWEEN 20 AND 600 AS some,
	count(*) FILTER (WHERE status = 'ok' AND (ci_low > 0 OR ci_high < 0) <> (p_value < 0.05)) AS contradiction
FROM pair, (VALUES ('absolute', 'welch'), ('relative', 'welch'), ('relative', 'student'), ('absolute', 'z')) m(scale, method), (VALUES ('within'), ('pooled'), ('ancova'), ('lin')) a(adjustment),
	LATERAL featbit.effect(c, t, scale, method => method, adjustment => adjustment) GROUP BY scale, method, adjustment ORDER BY scale, method, adjustment;
-- Absolute effects turn around with the arms; within-arm slopes give the coefficient of ANCOVA; one slope only, CUPED is y - theta x.
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE abs(e.effect + x.effect) > 1e-11 OR abs(e.se - x.se) > 1e-11 OR abs(e.p_value - x.p_value) > 1e-9) AS exchange,
	count(*) FILTER (WHERE abs(e.effect - a.effect) > 1e-12 * greatest(abs(a.effect), 1)) AS ancova,
	count(*) FILTER (WHERE abs(s.effect - (featbit.mean(ty) - featbit.mean(cy) - (featbit.mean(t1, 2) - featbit.mean(c1, 2)) *
		(featbit.covariance(c1, 1, 2) * (featbit.n(c1) - 1) + featbit.covariance(t1, 1, 2) * (featbit.n(t1) - 1)) / (featbit.variance(c1, 2) * (featbit.n(c1) - 1) + featbit.variance(t1, 2) * (featbit.n(t1) - 1)))) > 1e-11) AS slope,
	count(*) FILTER (WHERE abs(g.effect - s.effect) > 1e-12) AS given
FROM pair, LATERAL featbit.effect(c, t, 'absolute') e, LATERAL featbit.effect(t, c, 'absolute') x, LATERAL featbit.effect(c, t, 'absolute', adjustment => 'ancova') a,
	LATERAL featbit.effect(c1, t1, 'absolute') s, LATERAL featbit.adjustment(c1, t1) q, LATERAL featbit.effect(c1, t1, 'absolute', theta => q.theta_c) g;
-- A constant covariate and a denominator of one change nothing; scaling leaves relative effects of ratios alone: by powers of two to the bit, else to the rounding that a control mean near zero multiplies.
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE k.status <> CASE w.status WHEN 'ok' THEN 'covariate_constant' ELSE w.status END OR abs(k.effect - w.effect) > 1e-11 * abs(w.effect) OR abs(k.p_value - w.p_value) > 1e-11) AS constant,
	count(*) FILTER (WHERE o.status <> w.status OR abs(o.effect - w.effect) > 1e-11 * abs(w.effect) OR abs(o.ci_high - w.ci_high) > 1e-9 * abs(w.ci_high) OR abs(o.df - w.df) > 1e-8 * w.df) AS one,
	count(*) FILTER (WHERE (b.effect, b.p_value) <> (r.effect, r.p_value) OR (b.ci_low, b.ci_high) IS DISTINCT FROM (r.ci_low, r.ci_high)) AS doubled,
	count(*) FILTER (WHERE abs(r.effect - z.effect) > 1e-11 * (1 + r.effect ^ 2) OR abs(r.p_value - z.p_value) > 1e-9 OR abs(r.ci_low - z.ci_low) > 1e-8 * (1 + z.ci_low ^ 2)) AS scaled
FROM pair, LATERAL featbit.effect(cy, ty) w, LATERAL featbit.effect(cc, tc) k, LATERAL featbit.effect(c_one, t_one) o, LATERAL featbit.effect(cr, tr) r, LATERAL featbit.effect(cs, ts) z, LATERAL featbit.effect(c2, t2) b;
-- Fieller's bounds with covariates and ratios are the effects that the same test does not reject at exactly alpha.
SELECT count(*) > 1500 AS enough, count(*) FILTER (WHERE abs(low.p_value - 0.05) > 1e-7 OR abs(high.p_value - 0.05) > 1e-7) AS violations
FROM pair, LATERAL (VALUES (c, t), (cr, tr)) v(a, b), LATERAL featbit.effect(a, b) e, LATERAL featbit.effect(a, b, null_value => e.ci_low) low, LATERAL featbit.effect(a, b, null_value => e.ci_high) high
WHERE e.status = 'ok';

SELECT pg_temp.complaint(format('SELECT featbit.effect(%s)', rest)) FROM (VALUES
	(1, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, ''{1,2}''::float8[])'),
	(2, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, 2), adjustment => ''regression'''),
	(3, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, 2), theta => ''{1,2}'''),
	(4, 'featbit.stats_agg(1), featbit.stats_agg(1), theta => ''{1}'''),
	(5, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, 2), theta => ''{NULL}'''),
	(6, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, 2), theta => ''{NaN}'''),
	(7, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, 2), profile => ''excel'''),
	(8, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, 2), profile => NULL'),
	(9, 'featbit.stats_agg(1, 2), featbit.stats_agg(1, 2), adjustment => NULL')) v(i, rest)
ORDER BY i;
