-- effect(): contract, arguments, and properties over random inputs.
SELECT setseed(0.5) IS NOT NULL AS seeded;
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.mean(n bigint, mean float8, m2 float8) RETURNS featbit.stats LANGUAGE sql AS $$
	SELECT format('{"kind": "mean", "n": %s, "means": [%s], "comoments": [%s]}', n, mean, m2)::featbit.stats
$$;
CREATE FUNCTION pg_temp.show(v float8) RETURNS numeric LANGUAGE sql AS $$ SELECT round(v::numeric, 6) $$;

-- The row of an analyst
SELECT pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high,
	pg_temp.show(statistic) AS statistic, pg_temp.show(df) AS df, pg_temp.show(p_value) AS p_value, pg_temp.show(log10_p) AS log10_p,
	log_e, n_c, n_t, mean_c, mean_t, status, notes
FROM featbit.effect(featbit.stats_from_counts(1000, 20), featbit.stats_from_counts(1000, 33));

-- Methods and scales on the same data
SELECT method, scale, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high,
	pg_temp.show(statistic) AS statistic, pg_temp.show(df) AS df, pg_temp.show(p_value) AS p_value, status
FROM (VALUES (1, 'absolute', 'auto'), (2, 'absolute', 'welch'), (3, 'absolute', 'student'), (4, 'absolute', 'z'),
	(5, 'relative', 'auto'), (6, 'relative', 'fieller'), (7, 'relative', 'student'), (8, 'relative', 'z'), (9, 'Relative', 'DELTA')) v(i, scale, method),
	LATERAL featbit.effect(pg_temp.mean(40, 10, 800), pg_temp.mean(30, 12, 900), scale => scale, method => method) ORDER BY i;

-- Directions: the open side is NULL, and |mean of control| keeps the sign of the change.
SELECT alternative, m, pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value
FROM (VALUES (1, 'two-sided'), (2, 'greater'), (3, 'less')) v(i, alternative), (VALUES (10), (-10)) w(m),
	LATERAL featbit.effect(pg_temp.mean(40, m, 800), pg_temp.mean(30, m + 2, 900), alternative => alternative) ORDER BY m DESC, i;

-- Non-inferiority: the null value is minus the margin.
SELECT scale, pg_temp.show(statistic) AS statistic, pg_temp.show(p_value) AS p_value, pg_temp.show(ci_low) AS ci_low, p_value < 0.05 AS shown, ci_low > null_value AS excluded
FROM (VALUES ('absolute', -0.5), ('relative', -0.05), ('relative', -0.2)) v(scale, null_value),
	LATERAL featbit.effect(pg_temp.mean(400, 10, 8000), pg_temp.mean(300, 9.9, 9000), scale, 'greater', null_value => null_value);

-- Status: every rule, in the order of precedence
SELECT what, pg_temp.show(effect) AS effect, se IS NOT NULL AS se, pg_temp.show(statistic) AS statistic, pg_temp.show(p_value) AS p_value, ci_low IS NOT NULL OR ci_high IS NOT NULL AS ci, n_c, n_t, mean_c, mean_t, status, notes
FROM (VALUES
	(1, 'no control', NULL::featbit.stats, pg_temp.mean(3, 1, 2), 'relative', 'auto'),
	(2, 'no treatment', pg_temp.mean(3, 1, 2), NULL, 'relative', 'auto'),
	(3, 'neither', NULL, NULL, 'relative', 'auto'),
	(4, 'empty control', pg_temp.mean(0, 0, 0), pg_temp.mean(3, 1, 2), 'absolute', 'auto'),
	(5, 'one unit', pg_temp.mean(1, 1, 0), pg_temp.mean(3, 1, 2), 'relative', 'auto'),
	(6, 'both constant', pg_temp.mean(5, 2, 0), pg_temp.mean(5, 3, 0), 'relative', 'auto'),
	(7, 'both constant, absolute', pg_temp.mean(5, 2, 0), pg_temp.mean(5, 3, 0), 'absolute', 'student'),
	(8, 'both zero', pg_temp.mean(5, 0, 0), pg_temp.mean(5, 0, 0), 'relative', 'auto'),
	(9, 'control constant', pg_temp.mean(5, 2, 0), pg_temp.mean(5, 3, 4), 'relative', 'auto'),
	(10, 'control zero', featbit.stats_from_counts(100, 0), featbit.stats_from_counts(100, 20), 'relative', 'auto'),
	(11, 'control zero, delta', featbit.stats_from_counts(100, 0), featbit.stats_from_counts(100, 20), 'relative', 'delta'),
	(12, 'control zero, absolute', featbit.stats_from_counts(100, 0), featbit.stats_from_counts(100, 20), 'absolute', 'auto'),
	(13, 'control close to zero', pg_temp.mean(50, 0.05, 196), pg_temp.mean(50, 0.3, 196), 'relative', 'z'),
	(14, 'treatment zero, delta', featbit.stats_from_counts(100, 20), featbit.stats_from_counts(100, 0), 'relative', 'delta'),
	(15, 'ignored values', '{"kind": "mean", "n": 5, "n_bad": 1, "means": [2], "comoments": [3]}', pg_temp.mean(5, 3, 4), 'absolute', 'auto'),
	(16, 'huge', pg_temp.mean(5, 1e308, 4), pg_temp.mean(5, -1e308, 4), 'absolute', 'auto'),
	(17, 'tiny control', pg_temp.mean(5, 5e-324, 4), pg_temp.mean(5, 3, 4), 'relative', 'auto')) v(i, what, c, t, scale, method),
	LATERAL featbit.effect(c, t, scale => scale, method => method) ORDER BY i;

-- A p-value below the range of float8 keeps its logarithm.
SELECT p_value, pg_temp.show(log10_p) AS log10_p FROM featbit.effect(pg_temp.mean(1000000, 10, 1e6), pg_temp.mean(1000000, 10.1, 1e6));

SELECT pg_temp.complaint(format('SELECT featbit.effect(featbit.stats_from_counts(9, 3), %s)', rest)) FROM (VALUES
	(1, 'featbit.stats_from_counts(9, 3), ''percent'''),
	(2, 'featbit.stats_from_counts(9, 3), alternative => ''two sided'''),
	(3, 'featbit.stats_from_counts(9, 3), method => ''wald'''),
	(4, 'featbit.stats_from_counts(9, 3), alpha => 0'),
	(5, 'featbit.stats_from_counts(9, 3), alpha => 1'),
	(6, 'featbit.stats_from_counts(9, 3), alpha => ''NaN'''),
	(7, 'featbit.stats_from_counts(9, 3), null_value => ''Infinity'''),
	(8, 'featbit.stats_from_counts(9, 3), ''absolute'', method => ''delta'''),
	(9, 'featbit.stats_from_counts(9, 3), ''absolute'', method => ''fieller'''),
	(10, 'featbit.stats_from_counts(9, 3), NULL'),
	(11, 'featbit.stats_from_counts(9, 3), alternative => NULL'),
	(12, 'featbit.stats_from_counts(9, 3), alpha => NULL'),
	(13, 'featbit.stats_from_counts(9, 3), method => NULL'),
	(14, 'featbit.stats_from_counts(9, 3), null_value => NULL'),
	(15, '''{"kind": "mean", "n": 2, "means": [1], "comoments": [1]}'''),
	(16, '''{"kind": "ratio", "n": 2, "means": [1, 1], "comoments": [1, 0, 1]}''')) v(i, rest)
ORDER BY i;

-- Properties over random pairs: counts from small to large, effects from none to strong, means of both signs.
CREATE TEMP TABLE pair AS
SELECT i, CASE WHEN i % 2 = 0 THEN featbit.stats_from_counts(n, floor(n * p)::bigint) ELSE pg_temp.mean(n, sign * 10 * p, n * v) END AS c,
	CASE WHEN i % 2 = 0 THEN featbit.stats_from_counts(k, floor(k * least(p * lift, 1))::bigint) ELSE pg_temp.mean(k, sign * 10 * p * lift, k * v * 2) END AS t
FROM (SELECT i, floor(2 + 10 ^ (1 + 4 * random()))::bigint AS n, floor(2 + 10 ^ (1 + 4 * random()))::bigint AS k, 0.02 + 0.9 * random() AS p,
	exp((random() - 0.5) * CASE i % 3 WHEN 0 THEN 0.02 WHEN 1 THEN 0.4 ELSE 2 END) AS lift, 10 * random() AS v, CASE WHEN i % 5 = 0 THEN -1 ELSE 1 END AS sign
	FROM generate_series(1, 3000) i) r;
CREATE TEMP TABLE compared AS
SELECT p.i, p.c, p.t, s.*, a.*, e.*
FROM pair p, (VALUES ('two-sided'), ('greater'), ('less')) s(alternative),
	(VALUES ('absolute', 'welch', 0.05), ('relative', 'welch', 0.05), ('relative', 'z', 0.01), ('relative', 'student', 0.2), ('relative', 'delta', 0.05), ('relative', 'fieller', 0.7)) a(scale, method, alpha),
	LATERAL featbit.effect(p.c, p.t, a.scale, s.alternative, a.alpha, a.method) e;
ANALYZE compared;
-- 0 is outside the interval exactly when p < alpha; p is a probability; its logarithm agrees; the estimate lies inside.
SELECT scale, method, count(*) > 8000 AS enough,
	count(*) FILTER (WHERE status = 'ok' AND (coalesce(ci_low > 0, false) OR coalesce(ci_high < 0, false)) <> (p_value < alpha)) AS contradiction,
	count(*) FILTER (WHERE NOT p_value BETWEEN 0 AND 1) AS range,
	count(*) FILTER (WHERE p_value > 1e-300 AND abs(log10_p - log(p_value::numeric)::float8) > 1e-9 * greatest(1, abs(log10_p))) AS logarithm,
	count(*) FILTER (WHERE alpha < 0.5 AND (ci_low > effect OR ci_high < effect)) AS outside,
	count(*) FILTER (WHERE status = 'ok' AND ((ci_low IS NULL) <> (alternative = 'less') OR (ci_high IS NULL) <> (alternative = 'greater'))) AS open_side
FROM compared GROUP BY scale, method ORDER BY scale, method;
-- Two-sided p is twice the smaller one-sided one, and one-sided ones are complementary.
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(b.p_value - 2 * least(g.p_value, l.p_value)) > 1e-12 * greatest(b.p_value, 1e-290)) AS twice,
	count(*) FILTER (WHERE abs(g.p_value + l.p_value - 1) > 1e-12) AS complementary
FROM compared b JOIN compared g USING (i, scale, method) JOIN compared l USING (i, scale, method)
WHERE b.alternative = 'two-sided' AND g.alternative = 'greater' AND l.alternative = 'less';
-- Exchanging the arms turns the absolute effect around; every test agrees with its tail function.
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE e.effect <> -x.effect OR abs(e.p_value - x.p_value) > 1e-9 * greatest(x.p_value, 1e-290) OR abs(e.ci_low + x.ci_high) > 1e-12 * abs(e.ci_low)) AS exchange,
	count(*) FILTER (WHERE abs(e.p_value - 2 * featbit.t_sf(abs(e.statistic), e.df)) > 1e-14) AS tail
FROM compared e, LATERAL featbit.effect(e.t, e.c, e.scale) x WHERE e.scale = 'absolute' AND e.alternative = 'two-sided';
-- The relative test of no difference is the absolute one, and Fieller's interval is wider upwards than the delta method's.
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(a.statistic - r.statistic) > 1e-9 * abs(a.statistic) OR a.df <> r.df) AS test,
	count(*) FILTER (WHERE r.status = 'ok' AND featbit.mean(a.c) > 0 AND r.ci_high < d.ci_high * (1 - 1e-12) - 1e-12) AS narrower
FROM compared a JOIN compared r USING (i, alternative) JOIN compared d USING (i, alternative)
WHERE a.scale = 'absolute' AND r.scale = 'relative' AND r.method = 'welch' AND d.method = 'delta' AND alternative = 'two-sided' AND featbit.mean(a.t) >= 0;
-- Fieller's bounds are the effects that the same test does not reject at exactly alpha.
SELECT count(*) > 2000 AS enough, count(*) FILTER (WHERE abs(low.p_value - alpha) > 1e-7 OR abs(high.p_value - alpha) > 1e-7) AS violations
FROM compared c, LATERAL featbit.effect(c.c, c.t, c.scale, alpha => c.alpha, method => c.method, null_value => c.ci_low) low,
	LATERAL featbit.effect(c.c, c.t, c.scale, alpha => c.alpha, method => c.method, null_value => c.ci_high) high
WHERE c.alternative = 'two-sided' AND c.status = 'ok' AND c.scale = 'relative' AND c.method IN ('welch', 'z');
-- Scaling the values scales the absolute effect and leaves the relative one; p falls as the difference grows.
SELECT count(*) AS pairs,
	count(*) FILTER (WHERE abs(b.effect - 1000 * a.effect) > 1e-9 * abs(b.effect) OR abs(a.p_value - b.p_value) > 1e-9 * greatest(a.p_value, 1e-290)) AS absolute,
	count(*) FILTER (WHERE abs(x.effect - y.effect) > 1e-9 OR abs(x.ci_high - y.ci_high) > 1e-9 * abs(x.ci_high)) AS relative,
	count(*) FILTER (WHERE far.p_value > near.p_value) AS monotone
FROM (SELECT 2 + floor(1000 * random())::bigint AS n, random() AS m, random() AS d, random() AS v FROM generate_series(1, 1000)) r,
	LATERAL featbit.effect(pg_temp.mean(n, m, n * v), pg_temp.mean(n, m + d, n * v), 'absolute') a,
	LATERAL featbit.effect(pg_temp.mean(n, 1000 * m, n * v * 1e6), pg_temp.mean(n, 1000 * (m + d), n * v * 1e6), 'absolute') b,
	LATERAL featbit.effect(pg_temp.mean(n, m, n * v), pg_temp.mean(n, m + d, n * v)) x,
	LATERAL featbit.effect(pg_temp.mean(n, 1000 * m, n * v * 1e6), pg_temp.mean(n, 1000 * (m + d), n * v * 1e6)) y,
	LATERAL featbit.effect(pg_temp.mean(n, m, n * v), pg_temp.mean(n, m + d, n * v)) near,
	LATERAL featbit.effect(pg_temp.mean(n, m, n * v), pg_temp.mean(n, m + 2 * d, n * v)) far;

-- Arguments that are constants are read once per call site; those that are not are read at every call, in PL/pgSQL too.
CREATE FUNCTION p_of(c featbit.stats, t featbit.stats, named text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    RETURN round((featbit.effect(c, t, method => named)).p_value::numeric, 8);
END $$;
WITH arms AS (SELECT '{"kind": "mean", "n": 10, "means": [10], "comoments": [90]}'::featbit.stats AS c,
    '{"kind": "mean", "n": 20, "means": [12], "comoments": [400]}'::featbit.stats AS t)
SELECT m AS method, round((featbit.effect(c, t, method => m)).p_value::numeric, 8) AS by_column, p_of(c, t, m) AS by_parameter,
    CASE m WHEN 'welch' THEN round((featbit.effect(c, t, method => 'welch')).p_value::numeric, 8)
        WHEN 'student' THEN round((featbit.effect(c, t, method => 'student')).p_value::numeric, 8)
        ELSE round((featbit.effect(c, t, method => 'z')).p_value::numeric, 8) END AS by_constant
FROM arms, unnest(ARRAY['welch', 'student', 'z', 'student', 'welch']) WITH ORDINALITY u(m, i) ORDER BY i;
DROP FUNCTION p_of;

-- The row is formed like any other: it can be stored, compared and taken apart.
CREATE TEMP TABLE compared_row AS
SELECT e.* FROM (VALUES
    ('{"kind": "proportion", "n": 10, "successes": 3}'::featbit.stats, '{"kind": "proportion", "n": 10, "successes": 2}'::featbit.stats),
    ('{"kind": "mean", "n": 1000, "means": [10], "comoments": [9000]}', '{"kind": "mean", "n": 2000, "n_bad": 1, "means": [11], "comoments": [19000]}'),
    (NULL, '{"kind": "mean", "n": 2000, "n_bad": 1, "means": [11], "comoments": [19000]}')) s(c, t), featbit.effect(c, t) e;
SELECT count(*) AS rows, count(e.ci_low) AS intervals, sum(n_c) AS n_c, sum(n_t) AS n_t, array_agg(status ORDER BY status) AS status, array_agg(notes::text ORDER BY notes) AS notes
FROM compared_row e;
SELECT count(*) AS same FROM compared_row e WHERE e *= ROW(e.effect, e.se, e.ci_low, e.ci_high, e.statistic, e.df, e.p_value, e.log10_p, e.log_e,
    e.n_c, e.n_t, e.mean_c, e.mean_t, e.status, e.notes)::compared_row;
