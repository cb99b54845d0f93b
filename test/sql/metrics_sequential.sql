-- effect_sequential(), sequential_test(), group sequential designs.
SELECT setseed(0.5) IS NOT NULL AS seeded;
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
CREATE FUNCTION pg_temp.mean(n bigint, mean float8, m2 float8) RETURNS featbit.stats LANGUAGE sql AS $$
	SELECT format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', n, mean, m2)::featbit.stats
$$;

SELECT scale, alternative, method, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(statistic) AS statistic, df, pg_temp.show(p_value) AS p_value, pg_temp.show(log10_p) AS log10_p, pg_temp.show(log_e) AS log_e, n_c, n_t, status, notes
FROM (VALUES (1, 'two-sided'), (2, 'greater'), (3, 'less')) a(i, alternative), (VALUES (1, 'absolute', 'auto'), (2, 'relative', 'auto'), (3, 'relative', 'delta')) s(j, scale, method),
	LATERAL featbit.effect_sequential(featbit.stats_from_counts(10000, 1000), featbit.stats_from_counts(10000, 1150), 20000, scale, alternative, method => method) ORDER BY i, j;
SELECT what, pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, round(log_e::numeric, 3) AS log_e, pg_temp.show(p_value) AS p_value, status, notes
FROM (VALUES (1, 'nobody', NULL, featbit.stats_from_counts(9, 1)), (2, 'one', featbit.stats_from_counts(1, 1), featbit.stats_from_counts(9, 1)), (3, 'constant', featbit.stats_from_counts(5, 5), featbit.stats_from_counts(9, 9)),
	(4, 'zero control', featbit.stats_from_counts(50, 0), featbit.stats_from_counts(90, 20)), (5, 'unbounded', featbit.stats_from_counts(50, 2), featbit.stats_from_counts(90, 20)), (6, 'far out', pg_temp.mean(1000000, 1, 1), pg_temp.mean(1000000, 2, 1))) v(i, what, c, t),
	LATERAL featbit.effect_sequential(c, t, 5000) ORDER BY i;

-- Properties over 2,000 random pairs: the interval excludes zero exactly when the evidence suffices, is wider than the fixed one, and narrowest close to planned_n.
CREATE TEMP TABLE pair AS
SELECT i, n, CASE WHEN i % 2 = 0 THEN featbit.stats_from_counts(n, floor(n * p)::bigint) ELSE pg_temp.mean(n, sign * 10 * p, n * v) END AS c,
	CASE WHEN i % 2 = 0 THEN featbit.stats_from_counts(n, floor(n * least(p * lift, 1))::bigint) ELSE pg_temp.mean(n, sign * 10 * p * lift, n * v * 2) END AS t
FROM (SELECT i, floor(20 + 10 ^ (1 + 4 * random()))::bigint AS n, 0.02 + 0.9 * random() AS p, exp((random() - 0.5) * CASE i % 3 WHEN 0 THEN 0.02 WHEN 1 THEN 0.4 ELSE 2 END) AS lift, 10 * random() AS v, CASE WHEN i % 5 = 0 THEN -1 ELSE 1 END AS sign
	FROM generate_series(1, 2000) i) r;
SELECT scale, alternative, count(*) FILTER (WHERE e.status = 'ok') > 1000 AS enough,
	count(*) FILTER (WHERE e.status = 'ok' AND (coalesce(e.ci_low > 0, false) OR coalesce(e.ci_high < 0, false)) <> (e.p_value < 0.05)) AS contradiction,
	count(*) FILTER (WHERE e.log_e IS NOT NULL AND abs(e.p_value - least(1, exp(greatest(-e.log_e, -700)))) > 1e-14) AS p,
	count(*) FILTER (WHERE e.status = 'ok' AND f.status = 'ok' AND (e.ci_low > f.ci_low OR e.ci_high < f.ci_high)) AS narrower
FROM pair, (VALUES ('absolute'), ('relative')) s(scale), (VALUES ('two-sided'), ('greater'), ('less')) a(alternative), LATERAL featbit.effect_sequential(c, t, 3000, scale, alternative) e, LATERAL featbit.effect(c, t, scale, alternative, method => 'z') f
GROUP BY scale, alternative ORDER BY scale, alternative;
SELECT count(*) AS pairs, count(*) FILTER (WHERE planned.ci_high - planned.ci_low > least(less.ci_high - less.ci_low, more.ci_high - more.ci_low)) AS not_narrowest
FROM pair, LATERAL featbit.effect_sequential(c, t, 2 * n, 'absolute') planned, LATERAL featbit.effect_sequential(c, t, n, 'absolute') less, LATERAL featbit.effect_sequential(c, t, 4 * n, 'absolute') more WHERE planned.status = 'ok';
-- The evidence is an e-value: its mean over z under the null value is 1, one-sided and with few degrees of freedom too.
SELECT round(sum(featbit.norm_cdf(z + 0.005) - featbit.norm_cdf(z - 0.005))::numeric, 6) AS mass,
	round(sum((featbit.norm_cdf(z + 0.005) - featbit.norm_cdf(z - 0.005)) * exp(e.log_e))::numeric, 4) AS two_sided, round(sum((featbit.norm_cdf(z + 0.005) - featbit.norm_cdf(z - 0.005)) * exp(g.log_e))::numeric, 4) AS greater
FROM (SELECT i / 100.0::float8 AS z FROM generate_series(-1500, 1500) i) x, LATERAL featbit.effect_sequential(pg_temp.mean(501, 0, 500), pg_temp.mean(501, z * sqrt(2.0 / 501), 500), 2000, 'absolute') e,
	LATERAL featbit.effect_sequential(pg_temp.mean(501, 0, 500), pg_temp.mean(501, z * sqrt(2.0 / 501), 500), 2000, 'absolute', 'greater') g;
SELECT count(*) AS pairs, count(*) FILTER (WHERE s.multiplier IS NOT NULL AND abs(at.log_e - ln(20.0)) > 1e-9) AS bound, count(*) FILTER (WHERE s.multiplier IS NULL AND far.log_e > ln(20.0)) AS unbounded
FROM (SELECT 3 + 300 * random() AS n, 1 + 100 * random() AS rho, CASE WHEN i % 2 = 0 THEN 1 + 200 * random() END AS df FROM generate_series(1, 1000) i) r, LATERAL featbit.sequential_test(0, 1, n, rho => rho, df => df) s,
	LATERAL featbit.sequential_test(s.multiplier, 1, n, rho => rho, df => df) at, LATERAL featbit.sequential_test(1e100, 1, n, rho => rho, df => df) far;
SELECT * FROM featbit.sequential_test(NULL, 1, 10, 100) UNION ALL SELECT * FROM featbit.sequential_test(1, 0, 10, 100);

-- Designs: bounds, spending, over-running, a look that spends nothing
SELECT spending, param, sides, (SELECT array_agg(pg_temp.show(b)) FROM unnest(featbit.group_bounds(info, 0.05, sides, spending, param)) b) AS bounds, (SELECT array_agg(pg_temp.show(b)) FROM unnest(featbit.alpha_spent(info, 0.05, sides, spending, param)) b) AS spent
FROM (VALUES (1, 'of', NULL::float8, 2), (2, 'pocock', NULL, 2), (3, 'power', 3, 1), (4, 'hsd', NULL, 1), (5, 'hsd', 0, 2), (6, 'classic-of', NULL, 2), (7, 'classic-pocock', NULL, 1)) v(i, spending, param, sides), (VALUES ('{0.01,0.5,0.8,1.1}'::float8[])) w(info) ORDER BY i;
-- What a design spends is what it crosses under the null value; more information and drift cross more.
SELECT count(*) AS designs, count(*) FILTER (WHERE EXISTS (SELECT FROM unnest(spent, crossed) u(s, c) WHERE abs(s - c) > 1e-7)) AS differ, count(*) FILTER (WHERE power[k] <= crossed[k] OR power[k] > 1) AS power
FROM (SELECT k, featbit.alpha_spent(info, alpha, sides, spending) AS spent, featbit.group_crossing(info, ARRAY(SELECT coalesce(b, 'Infinity') FROM unnest(bounds) b), sides) AS crossed, featbit.group_crossing(info, ARRAY(SELECT coalesce(b, 'Infinity') FROM unnest(bounds) b), sides, 2) AS power
	FROM (SELECT *, featbit.group_bounds(info, alpha, sides, spending) AS bounds FROM (SELECT 1 + i % 8 AS k, ARRAY(SELECT (j + 0.5 * random() * (i > 0)::int) / (1 + i % 8) FROM generate_series(1, 1 + i % 8) j) AS info, 0.001 + 0.1 * random() AS alpha, 1 + i % 2 AS sides,
		(ARRAY['of', 'pocock', 'power', 'hsd'])[1 + i % 4] AS spending FROM generate_series(1, 100) i OFFSET 0) r OFFSET 0) d) q;
-- A comparison at a look: rejected exactly when the bound is crossed, the interval excludes and the p-value is below alpha.
SELECT look, alternative, pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(statistic) AS statistic, pg_temp.show(bound) AS bound, pg_temp.show(p_value) AS p_value, status
FROM generate_series(1, 3) look, (VALUES ('two-sided'), ('greater')) a(alternative), LATERAL featbit.effect_group_sequential(featbit.stats_from_counts(4000 * look, 400 * look), featbit.stats_from_counts(4000 * look, 460 * look), '{0.33,0.67,1}', look, alternative => alternative) ORDER BY alternative DESC, look;
SELECT spending, count(*) > 50 AS enough, count(*) FILTER (WHERE (coalesce(ci_low > 0, false) OR coalesce(ci_high < 0, false)) <> (p_value < 0.05) OR (p_value < 0.05) <> (abs(statistic) > bound)) AS contradiction, count(*) FILTER (WHERE p_value < 0.05) BETWEEN 5 AND 55 AS some
FROM (SELECT * FROM pair WHERE i <= 60) p, (VALUES ('of'), ('classic-pocock')) s(spending), LATERAL featbit.effect_group_sequential(c, t, '{0.4,0.7,1}', 1 + i % 3, spending, scale => 'absolute') e GROUP BY spending ORDER BY spending;

SELECT pg_temp.complaint('SELECT featbit.' || command) FROM (VALUES
	(1, 'effect_sequential(NULL, NULL, 0)'), (2, 'effect_sequential(NULL, NULL, NULL)'), (3, 'effect_sequential(NULL, NULL, 5, method => ''welch'')'), (4, 'effect_sequential(NULL, NULL, 5, profile => ''x'')'),
	(5, 'sequential_test(1, 1, 1)'), (6, 'sequential_test(1, 1, 1, 10, rho => 2)'), (7, 'sequential_test(1, 1, 1, 10, df => 0)'),
	(8, 'group_bounds(''{0.5,0.5}'')'), (9, 'group_bounds(''{0.5,NULL}'')'), (10, 'group_bounds(''{}'')'), (11, 'group_bounds(''{1}'', sides => 3)'), (12, 'group_bounds(''{1}'', spending => ''x'')'), (13, 'group_bounds(''{1}'', spending => ''power'', param => 0)'), (14, 'group_bounds(NULL)'),
	(15, 'group_bounds(array_fill(1::float8, ARRAY[51]))'), (16, 'group_bounds(''{0,1}'')'), (17, 'group_crossing(''{0.5,1}'', ''{1}'')'), (18, 'group_crossing(''{0.5,1}'', ''{1,-1}'')'), (19, 'effect_group_sequential(NULL, NULL, ''{0.5,1}'', 3)'), (20, 'effect_group_sequential(NULL, NULL, ''{0.5,1}'', NULL)')) v(i, command)
ORDER BY i;
