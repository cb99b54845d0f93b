-- Size of experiments; strata and slices.
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

SELECT v.*, n_control, n_treatment, n_total, pg_temp.show(n_exact) AS n_exact FROM (VALUES (1, 10::float8, 20::float8, 0.02::float8, 1::float8), (2, 0.05, NULL, 0.1, 1), (3, 0.05, NULL, -0.1, 0.25), (4, 0, 1, 0.1, 1), (5, NULL, 1, 0.1, 1), (6, -10, 20, 0.02, 1)) v(i, mean, sd, mde, ratio), LATERAL featbit.sample_size(mean, sd, mde, ratio => ratio) ORDER BY i;
SELECT featbit.days_needed(1000, 10, 20, 0.02) AS days, pg_temp.show(featbit.mde(10, 20, 158000)) AS mde, pg_temp.show(featbit.power_of(10, 20, 0.02, 160143)) AS power, featbit.mde(0.05, 2, 1000) AS none, pg_temp.show(featbit.mde(0.05, NULL, 30000)) AS proportion;
-- The planned size finds the planned effect with the planned power, and its mde is the planned one.
SELECT count(*) AS designs, count(*) FILTER (WHERE found < power - 1e-6 OR (n_control > 1000 AND found > power + 0.003)) AS power,
	count(*) FILTER (WHERE n_control > 1000 AND abs(featbit.mde(mean, sd, n_control, alpha, power, sides, n_treatment / n_control::float8) - effect) > 0.01 * effect) AS mde,
	count(*) FILTER (WHERE (SELECT s.n_total FROM featbit.sample_size(mean, sd, effect, alpha, least(power + 0.05, 0.99), sides, ratio) s) < n_total) AS monotone
FROM (SELECT 1 + 9 * random() AS mean, 1 + 9 * random() AS sd, 0.01 + 0.1 * random() AS effect, 0.01 + 0.1 * random() AS alpha, 0.6 + 0.35 * random() AS power, 1 + i % 2 AS sides, 0.2 + 2 * random() AS ratio FROM generate_series(1, 1000) i OFFSET 0) d,
	LATERAL featbit.sample_size(mean, sd, effect, alpha, power, sides, ratio), LATERAL (SELECT featbit.power_of(mean, sd, effect, n_control, alpha, sides, n_treatment / n_control::float8) AS found) f;

SELECT pg_temp.show(least(q, 1e6)) AS q, df, pg_temp.show(p_value) AS p_value, pg_temp.show(i2) AS i2, pg_temp.show(pooled) AS pooled, pg_temp.show(pooled_se) AS pooled_se, status
FROM (VALUES (1, '{0.1,0.3,NULL}'::float8[], '{0.1,0.1,0.2}'::float8[]), (2, '{0.1}', '{0.1}'), (3, '{}', '{}'), (4, NULL, NULL), (5, '{1,1}', '{0,1}'), (6, '{1,1}', '{1,1}'), (7, '{1e130,0}', '{1e-130,1}')) v(i, e, s), LATERAL featbit.heterogeneity(e, s) ORDER BY i;
-- Two slices: Q is the squared z of their difference; slices in any order, on any scale.
SELECT count(*) AS trials, count(*) FILTER (WHERE abs(h.q - (a - b) ^ 2 / (s ^ 2 + t ^ 2)) > 1e-9 * (1 + h.q)) AS two, count(*) FILTER (WHERE abs(k.q - x.q) > 1e-9 * (1 + k.q) OR abs(k.pooled * 1000 - x.pooled) > 1e-8 * abs(x.pooled)) AS invariant
FROM (SELECT random() AS a, random() AS b, random() AS c, 0.01 + random() AS s, 0.01 + random() AS t, 0.01 + random() AS u FROM generate_series(1, 1000)) r, LATERAL featbit.heterogeneity(ARRAY[a, b], ARRAY[s, t]) h,
	LATERAL featbit.heterogeneity(ARRAY[a, b, c], ARRAY[s, t, u]) k, LATERAL featbit.heterogeneity(ARRAY[c * 1000, a * 1000, b * 1000], ARRAY[u * 1000, s * 1000, t * 1000]) x;

SELECT pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, status
FROM (VALUES (1, featbit.stats_from_counts(1000, 100), featbit.stats_from_counts(1000, 120), featbit.stats_from_counts(1000, 100), featbit.stats_from_counts(1000, 170)), (2, NULL, NULL, NULL, NULL), (3, featbit.stats_from_counts(9, 9), featbit.stats_from_counts(9, 9), featbit.stats_from_counts(9, 9), featbit.stats_from_counts(9, 9))) v(i, cc, ct, tc, tt), LATERAL featbit.interaction(cc, ct, tc, tt) ORDER BY i;

SELECT pg_temp.show(chisq) AS chisq, pg_temp.show(p_value) AS p_value, pg_temp.show(p_corrected) AS p_corrected, pg_temp.show(odds_ratio) AS odds_ratio, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, status
FROM (VALUES (1, '{10,20}'::bigint[], '{100,50}'::bigint[], '{20,25}'::bigint[], '{100,50}'::bigint[]), (2, '{10,0}', '{100,0}', '{20,0}', '{100,0}'), (3, '{}', '{}', '{}', '{}'), (4, '{0}', '{10}', '{0}', '{10}'), (5, '{0}', '{10}', '{5}', '{10}')) v(i, a, b, c, d), LATERAL featbit.mantel_haenszel(a, b, c, d) ORDER BY i;
-- One stratum: the statistic is the pooled z test squared, times (N - 1) / N; the odds ratio is the table's.
SELECT count(*) AS trials, count(*) FILTER (WHERE h.status = 'ok' AND abs(h.chisq - z.statistic ^ 2 * (n + m - 1) / (n + m)) > 1e-8 * (1 + h.chisq)) AS chisq, count(*) FILTER (WHERE x > 0 AND y < m AND abs(h.odds_ratio - y::float8 * (n - x) / (x * (m - y))) > 1e-9 * h.odds_ratio) AS odds_ratio
FROM (SELECT floor(random() * (n + 1))::bigint AS x, n, floor(random() * (m + 1))::bigint AS y, m FROM (SELECT 2 + floor(500 * random())::bigint AS n, 2 + floor(500 * random())::bigint AS m FROM generate_series(1, 1000)) r) t, LATERAL featbit.mantel_haenszel(ARRAY[x], ARRAY[n], ARRAY[y], ARRAY[m]) h, LATERAL featbit.prop_effect(x, n, y, m, 'pooled') z;

-- Strata that explain the outcome narrow the interval; a single stratum is the comparison itself; an interval excludes zero exactly when p < alpha.
CREATE TEMP TABLE trial AS
SELECT t, array_agg(c ORDER BY h) AS c, array_agg(r ORDER BY h) AS r, featbit.rollup(c) AS c_all, featbit.rollup(r) AS r_all
FROM (SELECT t, h, featbit.stats_agg(10 * h + random() + 0.05) FILTER (WHERE treated) AS r, featbit.stats_agg(10 * h + random()) FILTER (WHERE NOT treated) AS c
	FROM (SELECT t, u % 3 AS h, random() < 0.5 AS treated FROM generate_series(1, 1000) t, generate_series(1, 120) u) x GROUP BY t, h) s GROUP BY t;
SELECT count(*) AS trials, count(*) FILTER (WHERE p.se > 0.5 * e.se) AS wider, count(*) FILTER (WHERE abs(o.effect - z.effect) > 1e-11 OR abs(o.se - z.se) > 1e-11 OR abs(o.p_value - z.p_value) > 1e-10) AS one,
	count(*) FILTER (WHERE (q.ci_low > 0 OR q.ci_high < 0) <> (q.p_value < 0.05)) AS contradiction
FROM trial, LATERAL featbit.post_stratified(c, r, 'absolute') p, LATERAL featbit.effect(c_all, r_all, 'absolute') e, LATERAL featbit.post_stratified(ARRAY[c_all], ARRAY[r_all]) o, LATERAL featbit.effect(c_all, r_all, method => 'z') z, LATERAL featbit.post_stratified(c, r) q;
SELECT status, notes, effect, n_c, n_t FROM (VALUES (1, ARRAY[NULL, featbit.stats_from_counts(9, 3)], ARRAY[featbit.stats_from_counts(9, 2), featbit.stats_from_counts(9, 3)]), (2, ARRAY[NULL::featbit.stats], ARRAY[NULL::featbit.stats]), (3, '{}', '{}'), (4, ARRAY[featbit.stats_from_counts(1, 0)], ARRAY[featbit.stats_from_counts(9, 2)])) v(i, c, t), LATERAL featbit.post_stratified(c, t) ORDER BY i;

SELECT pg_temp.complaint('SELECT featbit.' || command) FROM (VALUES
	(1, 'sample_size(1, 1, 0)'), (2, 'sample_size(1, 1, 0.1, alpha => 0)'), (3, 'sample_size(1, 1, 0.1, power => 1)'), (4, 'sample_size(1, 1, 0.1, sides => 3)'), (5, 'sample_size(1, 1, 0.1, ratio => 0)'), (6, 'sample_size(1, -1, 0.1)'), (7, 'sample_size(2, NULL, 0.1)'), (8, 'sample_size(0.9, NULL, 0.2)'), (9, 'sample_size(''NaN'', 1, 0.1)'),
	(10, 'mde(1, 1, 0)'), (11, 'power_of(1, 1, 0.1, -1)'), (12, 'days_needed(0, 1, 1, 0.1)'), (13, 'heterogeneity(''{1}'', ''{1,2}'')'), (14, 'heterogeneity(''{1,Infinity}'', ''{1,2}'')'), (15, 'heterogeneity(''{1,2}'', ''{1,-2}'')'),
	(16, 'mantel_haenszel(''{1}'', ''{1}'', ''{1}'', ''{1,2}'')'), (17, 'mantel_haenszel(''{2}'', ''{1}'', ''{1}'', ''{1}'')'), (18, 'mantel_haenszel(''{1}'', ''{1}'', ''{1}'', ''{1}'', 2)'),
	(19, 'post_stratified(ARRAY[NULL::featbit.stats], ''{}'')'), (20, 'post_stratified(ARRAY[featbit.stats_agg(1, 2)], ARRAY[featbit.stats_agg(1, 2)])')) v(i, command) ORDER BY i;
