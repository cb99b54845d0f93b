-- prop_effect(), prop_interval(), equivalence(), compare_variants().
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

SELECT method, alternative, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(statistic) AS statistic, pg_temp.show(p_value) AS p_value, pg_temp.show(log10_p) AS log10_p, p_c, p_t, status, notes
FROM (VALUES (1, 'mn'), (2, 'newcombe'), (3, 'wald'), (4, 'pooled'), (5, 'katz'), (6, 'fisher')) m(i, method), (VALUES (1, 'two-sided'), (2, 'greater'), (3, 'less')) a(j, alternative),
	LATERAL featbit.prop_effect(4, 50, 11, 40, method, alternative) ORDER BY i, j;
SELECT method, x_c, n_c, x_t, n_t, pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, status
FROM (VALUES (1, 0::bigint, 10::bigint, 0::bigint, 20::bigint), (2, 10, 10, 0, 10), (3, 0, 10, 5, 10), (4, 10, 10, 10, 10), (5, 0, 0, 5, 10), (6, NULL, 10, 5, 10)) v(i, x_c, n_c, x_t, n_t),
	(VALUES (1, 'mn'), (2, 'newcombe'), (3, 'wald'), (5, 'katz'), (6, 'fisher')) m(j, method), LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, method) ORDER BY i, j;
-- Large tables: a tail far out, and one that is too long to enumerate.
SELECT pg_temp.show(log10_p) AS log10_p, status FROM featbit.prop_effect(1000, 1000000, 1500, 1000000, 'fisher');
SELECT p_value, status FROM featbit.prop_effect(1000000000, 3000000000, 1100000000, 3000000000, 'fisher');
SELECT method, x, n, pg_temp.show(estimate) AS estimate, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high
FROM (VALUES (1, 'wilson'), (2, 'exact'), (3, 'agresti-coull')) m(i, method), (VALUES (0::bigint, 20::bigint), (1, 29), (81, 263), (20, 20), (0, 0)) v(x, n), LATERAL featbit.prop_interval(x, n, method) ORDER BY i, n, x;

-- 2,000 random tables: an interval excludes zero exactly when its test rejects, exchanging the arms turns the effect around, the intervals hold the estimate.
CREATE TEMP TABLE pair AS
SELECT i, floor(random() * (n_c + 1))::bigint AS x_c, n_c, floor(random() * (n_t + 1))::bigint AS x_t, n_t
FROM (SELECT i, 1 + floor(10 ^ (3 * random()))::bigint AS n_c, 1 + floor(10 ^ (3 * random()))::bigint AS n_t FROM generate_series(1, 2000) i) r;
SELECT method, alternative, count(*) AS pairs,
	count(*) FILTER (WHERE e.status = 'ok' AND method <> 'newcombe' AND abs(e.p_value - 0.05) > 1e-9 AND (coalesce(e.ci_low > 0, false) OR coalesce(e.ci_high < 0, false)) <> (e.p_value < 0.05)) AS contradiction,
	count(*) FILTER (WHERE NOT e.p_value BETWEEN 0 AND 1 OR e.effect < e.ci_low - 1e-12 OR e.effect > e.ci_high + 1e-12) AS range,
	count(*) FILTER (WHERE method <> 'katz' AND (e.effect <> -x.effect OR abs(e.ci_low + x.ci_high) > 1e-11 OR abs(e.p_value - x.p_value) > 1e-10)) AS exchange
FROM pair, (VALUES ('mn'), ('newcombe'), ('wald'), ('katz')) m(method), (VALUES ('two-sided', 'two-sided'), ('greater', 'less'), ('less', 'greater')) a(alternative, opposite),
	LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, method, alternative) e, LATERAL featbit.prop_effect(x_t, n_t, x_c, n_c, method, opposite) x
GROUP BY method, alternative ORDER BY method, alternative;
-- The bounds of Miettinen and Nurminen are the differences that their test rejects at exactly alpha; Fisher's tails add up; the exact interval holds what the binomial test does not reject.
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE e.ci_low > -1 + 1e-9 AND abs(l.p_value - 0.05) > 1e-6) + count(*) FILTER (WHERE e.ci_high < 1 - 1e-9 AND abs(h.p_value - 0.05) > 1e-6) AS bounds,
	count(*) FILTER (WHERE f.p_value < least(g.p_value, s.p_value) - 1e-12 OR g.p_value + s.p_value < 1 - 1e-12) AS tails,
	count(*) FILTER (WHERE x_t > 0 AND abs(featbit.beta_inc(x_t, n_t - x_t + 1, i.ci_low) - 0.025) > 1e-9) AS exact
FROM pair, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t) e, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, null_value => greatest(e.ci_low, -1 + 1e-12)) l, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, null_value => least(e.ci_high, 1 - 1e-12)) h,
	LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, 'fisher') f, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, 'fisher', 'greater') g, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, 'fisher', 'less') s,
	LATERAL featbit.prop_interval(x_t, n_t, 'exact') i;
-- Fisher's test equals the sum over all tables in exact arithmetic.
SELECT count(*) > 20 AS enough, count(*) FILTER (WHERE abs(g.p_value - exact) > 1e-12) AS differ
FROM pair, LATERAL (SELECT (sum(pmf) FILTER (WHERE x >= x_t) / sum(pmf))::float8 AS exact FROM (
		SELECT x, exp(sum(ln(((n_t - k + 1)::numeric / k) * ((x_c + x_t - k + 1)::numeric / (n_c - x_c - x_t + k)))) OVER (ORDER BY k)) AS pmf, k
		FROM generate_series(greatest(0, x_c + x_t - n_c) + 1, least(x_c + x_t, n_t)) k, LATERAL (SELECT k AS x) q
		UNION ALL SELECT greatest(0, x_c + x_t - n_c), 1, 0) w) t, LATERAL featbit.prop_effect(x_c, n_c, x_t, n_t, 'fisher', 'greater') g
WHERE i <= 200 AND n_c < 100 AND n_t < 100;

-- Equivalence: both one-sided tests, the interval of level 1 - 2 alpha.
SELECT lower, upper, pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_lower) AS p_lower, pg_temp.show(p_upper) AS p_upper, pg_temp.show(p_value) AS p_value, ci_low > lower AND ci_high < upper AS inside, p_value < 0.05 AS shown, status
FROM (VALUES (-0.1, 0.1), (-0.02, 0.02), (0.05, 0.5)) m(lower, upper), LATERAL featbit.equivalence(featbit.stats_from_counts(20000, 4000), featbit.stats_from_counts(20000, 4030), lower, upper);
SELECT count(*) AS pairs, count(*) FILTER (WHERE status = 'ok' AND (ci_low > -0.1 AND ci_high < 0.1) <> (p_value < 0.05)) AS contradiction, count(*) FILTER (WHERE p_value < 0.05) > 10 AS some
FROM pair, LATERAL featbit.equivalence(featbit.stats_from_counts(100 * n_c, 30 * n_c + x_c), featbit.stats_from_counts(100 * n_t, 30 * n_t + x_t), -0.1, 0.1);

-- All variants at once
SELECT variant, pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, pg_temp.show(p_adjusted) AS p_adjusted, n_c, n_t, status, notes
FROM featbit.compare_variants('{a,b,c,d}', ARRAY[featbit.stats_from_counts(1000, 100), featbit.stats_from_counts(1000, 130), NULL, featbit.stats_from_counts(1000, 145)], 'a');
SELECT variant, pg_temp.show(p_value) AS p_value, pg_temp.show(p_adjusted) AS p_adjusted
FROM featbit.compare_variants('[0:2]={a,b,c}', ARRAY[featbit.stats_from_counts(1000, 100), featbit.stats_from_counts(1000, 130), featbit.stats_from_counts(1000, 145)], 'c', 'absolute', correction => 'bonferroni');
SELECT * FROM featbit.compare_variants('{a}', ARRAY[featbit.stats_from_counts(1000, 100)], 'a');

SELECT pg_temp.complaint('SELECT * FROM featbit.' || command) FROM (VALUES
	(1, 'prop_effect(11, 10, 1, 10)'), (2, 'prop_effect(1, 10, -1, 10)'), (3, 'prop_effect(1, 9007199254740993, 1, 10)'), (4, 'prop_effect(1, 10, 1, 10, ''barnard'')'),
	(5, 'prop_effect(1, 10, 1, 10, alpha => 1)'), (6, 'prop_effect(1, 10, 1, 10, null_value => 1)'), (7, 'prop_effect(1, 10, 1, 10, ''fisher'', null_value => 0.1)'), (8, 'prop_effect(1, 10, 1, 10, NULL)'),
	(9, 'prop_interval(2, 1)'), (10, 'prop_interval(1, 1, ''normal'')'), (11, 'equivalence(NULL, NULL, NULL, 1)'),
	(12, 'compare_variants(''{a,b}'', ARRAY[featbit.stats_from_counts(1, 1)], ''a'')'), (13, 'compare_variants(''{a}'', ARRAY[featbit.stats_from_counts(1, 1)], ''b'')'),
	(14, 'compare_variants(''{a,a}'', ARRAY[featbit.stats_from_counts(1, 1), NULL], ''a'')'), (15, 'compare_variants(''{a,b}'', ARRAY[featbit.stats_from_counts(1, 1), NULL], ''a'', correction => ''luck'')')) v(i, command)
ORDER BY i;
