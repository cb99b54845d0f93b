-- srm_test() and adjust_p().
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

SELECT counts, weights, round(chisq::numeric, 6) AS chisq, df, p_value::numeric(12, 10) AS p_value, round(max_deviation::numeric, 6) AS max_deviation, status
FROM (VALUES
	(1, '{821588,815482}'::bigint[], NULL::float8[]), (2, '{4600,5400}', '{50,50}'), (3, '{90321,9679}', '{90000,10000}'),
	(4, '{5050,4950,0}', '{1,1,0}'), (5, '{5050,4950,1}', '{1,1,0}'), (6, '{0,0}', '{1,1}'), (7, '{}', '{}'), (8, NULL, '{1}'),
	(9, '{10}', '{1}'), (10, '{10,0}', '{1,0}'), (11, '{0,10}', '{1,1}'), (12, '{9223372036854775807,9223372036854775807}', NULL),
	(13, '{100,100}', '{1e308,1e308}'), (14, '{100,100}', '{5e-324,5e-324}')) v(i, counts, weights),
	LATERAL featbit.srm_test(counts, weights) ORDER BY i;

SELECT pg_temp.complaint(format('SELECT featbit.srm_test(%s)', arguments)) FROM (VALUES
	(1, '''{1,-2}'''), (2, '''{1,NULL}'''), (3, '''{{1,2},{3,4}}'', ''{{1,1}}'', ''chi'''), (4, '''{1,2}'', ''{1,-1}'''), (5, '''{1,2}'', ''{1,Infinity}'''),
	(6, '''{1,2}'', ''{1,NaN}'''), (7, '''{1,2}'', ''{1,NULL}'''), (8, '''{1,2}'', ''{1}'''), (9, '''{1,2}'', ''{0,0}'''),
	(10, '''{1,2}'', ''{{1,2}}''')) v(i, arguments)
ORDER BY i;

-- Neither the order of the arms nor the scale of the weights nor an unused arm matters.
SELECT count(*) AS trials,
	count(*) FILTER (WHERE abs(a.chisq - b.chisq) > 1e-9 * greatest(1, a.chisq) OR a.df <> b.df) AS "order",
	count(*) FILTER (WHERE abs(a.chisq - c.chisq) > 1e-9 * greatest(1, a.chisq) OR abs(a.p_value - c.p_value) > 1e-9) AS scale,
	count(*) FILTER (WHERE abs(a.chisq - d.chisq) > 1e-9 * greatest(1, a.chisq) OR a.df <> d.df) AS unused,
	count(*) FILTER (WHERE abs(a.p_value - featbit.chi2_sf(a.chisq, a.df)) > 1e-12) AS tail
FROM (SELECT floor(1e6 * random())::bigint AS x, floor(1e6 * random())::bigint AS y, floor(1e6 * random())::bigint AS z,
		0.01 + random() AS u, 0.01 + random() AS v, 0.01 + random() AS w FROM generate_series(1, 1000)) r,
	LATERAL featbit.srm_test(ARRAY[x, y, z], ARRAY[u, v, w]) a,
	LATERAL featbit.srm_test(ARRAY[z, x, y], ARRAY[w, u, v]) b,
	LATERAL featbit.srm_test(ARRAY[x, y, z], ARRAY[1000 * u, 1000 * v, 1000 * w]) c,
	LATERAL featbit.srm_test(ARRAY[x, 0, y, z], ARRAY[u, 0, v, w]) d;

-- Adjusted p-values keep the order and the holes of the array.
SELECT method, featbit.adjust_p('{0.04,NULL,0.01,0.03,1,0.01,0}', method) FROM (VALUES
	(1, 'none'), (2, 'bonferroni'), (3, 'holm'), (4, 'hochberg'), (5, 'hommel'), (6, 'bh'), (7, 'BY')) v(i, method) ORDER BY i;
SELECT method, array_agg(round(p::numeric, 10) ORDER BY o) FROM (VALUES (1, 'sidak'), (2, 'holm-sidak')) v(i, method),
	LATERAL unnest(featbit.adjust_p('{0.04,NULL,0.01,0.03,1,1e-20}', method)) WITH ORDINALITY a(p, o) GROUP BY i, method ORDER BY i;
SELECT featbit.adjust_p('{}'), featbit.adjust_p('{NULL}'), featbit.adjust_p(NULL), featbit.adjust_p('[3:4]={0.5,0.01}', 'BH'), featbit.adjust_p('{0.3}', 'hommel');

SELECT pg_temp.complaint(format('SELECT featbit.adjust_p(%s)', arguments)) FROM (VALUES
	(1, '''{0.1}'', ''fdr'''), (2, '''{0.1,1.5}'''), (3, '''{-0.1}'''), (4, '''{NaN}'''), (5, '''{{0.1},{0.2}}''')) v(i, arguments)
ORDER BY i;

-- On random families: adjusted values are not below p, monotone in p, at most 1, independent of the order, and the methods
-- are ordered by power. Hommel's equals the closed test over all intersections by Simes' test.
CREATE TEMP TABLE family AS
SELECT i, array_agg(CASE WHEN random() < 0.1 THEN 0 WHEN random() < 0.1 THEN 0.05 ELSE random() ^ (1 + i % 4) END) AS p
FROM generate_series(1, 1000) i, generate_series(1, 8) j WHERE j <= 1 + i % 8 GROUP BY i;
CREATE TEMP TABLE element AS
SELECT i, o, p[o] AS p, method, a[o] AS a, b[cardinality(p) + 1 - o] AS of_reversed
FROM (VALUES ('bonferroni'), ('holm'), ('hochberg'), ('hommel'), ('sidak'), ('holm-sidak'), ('BH'), ('BY')) m(method), family,
	LATERAL featbit.adjust_p(p, method) a,
	LATERAL featbit.adjust_p(ARRAY(SELECT v FROM unnest(p) WITH ORDINALITY u(v, place) ORDER BY place DESC), method) b,
	generate_subscripts(p, 1) o;
ANALYZE element;
SELECT method, count(DISTINCT i) AS families, count(*) FILTER (WHERE a < p * (1 - 1e-15) OR a > 1) AS range,
	count(*) FILTER (WHERE a < smaller) AS monotone, count(*) FILTER (WHERE a <> of_reversed) AS "order"
FROM (SELECT *, max(a) OVER (PARTITION BY i, method ORDER BY p RANGE UNBOUNDED PRECEDING EXCLUDE GROUP) AS smaller FROM element) e
GROUP BY method ORDER BY method;
SELECT count(*) > 4000 AS enough, count(*) FILTER (WHERE holm > bonferroni + 1e-15) AS holm, count(*) FILTER (WHERE hochberg > holm + 1e-15) AS hochberg,
	count(*) FILTER (WHERE hommel > hochberg + 1e-15) AS hommel, count(*) FILTER (WHERE bh > hommel + 1e-15) AS bh
FROM (SELECT i, o, max(a) FILTER (WHERE method = 'bonferroni') AS bonferroni, max(a) FILTER (WHERE method = 'holm') AS holm,
	max(a) FILTER (WHERE method = 'hochberg') AS hochberg, max(a) FILTER (WHERE method = 'hommel') AS hommel, max(a) FILTER (WHERE method = 'BH') AS bh
	FROM element GROUP BY i, o) w;
SELECT count(*) > 1000 AS enough, count(*) FILTER (WHERE abs(h.a - closed.a) > 1e-12) AS violations
FROM element h JOIN family f USING (i), LATERAL (
	SELECT max(simes) AS a FROM (
		SELECT s, min(p * size / rank) AS simes FROM (
			SELECT s, f.p[o] AS p, count(*) OVER (PARTITION BY s) AS size, row_number() OVER (PARTITION BY s ORDER BY f.p[o]) AS rank
			FROM generate_series(1, (1 << cardinality(f.p)) - 1) s, generate_subscripts(f.p, 1) o
			WHERE s & (1 << (o - 1)) <> 0 AND s & (1 << (h.o - 1)) <> 0) members
		GROUP BY s) sets) closed
WHERE h.method = 'hommel' AND h.i <= 250;

-- A large family costs no more than sorting it.
SELECT method, cardinality(featbit.adjust_p(p, method)) FROM (SELECT array_agg(random()) AS p FROM generate_series(1, 200000)) f,
	(VALUES (1, 'holm'), (2, 'hommel'), (3, 'BH')) m(i, method) ORDER BY i;

-- The exact test for small samples, the sequential test beside it, and epochs of different plans
SELECT counts, weights, method, round(chisq::numeric, 6) AS chisq, df, p_value::numeric(12, 10) AS p_value, round(log_e::numeric, 6) AS log_e, p_sequential::numeric(12, 10) AS p_sequential, round(max_deviation::numeric, 6) AS max_deviation, method_used, status
FROM (VALUES
	(1, '{290,230}'::bigint[], NULL::float8[], 'auto'), (2, '{290,230}', NULL, 'chisq'), (3, '{2900,2300}', '{1,1}', 'exact'), (4, '{290,230,200}', NULL, 'exact'), (5, '{290,230,0}', '{1,1,0}', 'auto'),
	(6, '{{5000,5000},{9000,1100}}', '{{1,1},{9,1}}', 'auto'), (7, '{{5000,5000},{9000,1100}}', NULL, 'auto'), (8, '{{5000,5000},{0,0}}', '{1,1}', 'auto'), (9, '{{0,0},{0,0}}', NULL, 'auto'), (10, '{{5,5},{1,1}}', '{{1,1},{1,0}}', 'auto')) v(i, counts, weights, method),
	LATERAL featbit.srm_test(counts, weights, method) ORDER BY i;
-- The Bayes factor is an e-value: under the plan its expectation is exactly 1, for any share, prior and sample size. The exact p-value adds up what is at most as probable.
CREATE TEMP TABLE outcome AS
SELECT n, share, concentration, k, exp(sum(CASE WHEN k = 0 THEN n * ln(1 - share) ELSE ln((n - k + 1) * share / (k * (1 - share))) END) OVER (PARTITION BY n, share ORDER BY k)) AS pmf
FROM (VALUES (7, 0.5::float8, 10000::float8), (40, 0.3, 5), (200, 0.9, 100)) v(n, share, concentration), LATERAL generate_series(0, n) k;
SELECT n, share, concentration, abs(sum(pmf * exp(s.log_e)) - 1) < 1e-10 AS e_value,
	count(*) FILTER (WHERE abs(s.p_value - (SELECT sum(p.pmf) FROM outcome p WHERE p.n = o.n AND p.pmf <= o.pmf * (1 + 1e-7))) > 1e-10) AS p_values
FROM outcome o, LATERAL featbit.srm_test(ARRAY[k, n - k]::bigint[], ARRAY[share, 1 - share], 'exact', concentration) s
GROUP BY n, share, concentration ORDER BY n;
-- Epochs add up: statistics, degrees of freedom, evidence; the order of arms and epochs does not matter.
SELECT count(*) AS trials, count(*) FILTER (WHERE abs(b.chisq - a1.chisq - a2.chisq) > 1e-9 * b.chisq OR b.df <> a1.df + a2.df OR abs(b.log_e - a1.log_e - a2.log_e) > 1e-9 * (1 + abs(b.log_e))) AS sums,
	count(*) FILTER (WHERE abs(b.log_e - c.log_e) > 1e-9 * (1 + abs(b.log_e)) OR abs(b.p_value - c.p_value) > 1e-9) AS "order",
	count(*) FILTER (WHERE abs(b.p_sequential - least(1, exp(greatest(-b.log_e, -700)))) > 1e-12 OR b.log_e IS NULL) AS p
FROM (SELECT floor(1e5 * random())::bigint AS x, floor(1e5 * random())::bigint AS y, floor(1e5 * random())::bigint AS z, floor(1e5 * random())::bigint + 1000 AS w, 0.1 + random() AS u, 0.1 + random() AS v FROM generate_series(1, 1000)) r,
	LATERAL featbit.srm_test(ARRAY[[x, y], [z, w]], ARRAY[[u, v], [v, u]]) b, LATERAL featbit.srm_test(ARRAY[x, y], ARRAY[u, v], 'chisq') a1, LATERAL featbit.srm_test(ARRAY[z, w], ARRAY[v, u], 'chisq') a2,
	LATERAL featbit.srm_test(ARRAY[[w, z], [y, x]], ARRAY[[u, v], [v, u]]) c;
SELECT pg_temp.complaint(format('SELECT featbit.srm_test(%s)', arguments)) FROM (VALUES
	(1, '''{{1,2},{3,4}}'', ''{{1,1},{1,1},{1,1}}'''), (2, '''{{1,2},{3,4}}'', ''{1,1,1}'''), (3, '''{{{1}}}'''), (4, '''{{1,2},{3,4}}'', ''{{1,1},{0,0}}'''), (5, '''{1,2}'', NULL, NULL'),
	(6, '''{1,2}'', concentration => 0'), (7, '''{1,2}'', concentration => ''NaN''')) v(i, arguments) ORDER BY i;

-- e-values: e-BH, NULLs outside the family, infinite evidence; permutations do not matter.
SELECT featbit.adjust_e('{200,90,NULL,30,12,3}'), featbit.adjust_e('{Infinity,0,1}'), featbit.adjust_e('{}'), featbit.adjust_e('{NULL}'), featbit.adjust_e(NULL) IS NULL AS nothing, featbit.adjust_e('[3:4]={40,20}');
SELECT count(*) AS trials, count(*) FILTER (WHERE adjusted <> ARRAY(SELECT (featbit.adjust_e(ARRAY(SELECT e[i] FROM generate_series(n, 1, -1) i)))[i] FROM generate_series(n, 1, -1) i)) AS "order",
	count(*) FILTER (WHERE EXISTS (SELECT FROM generate_series(1, n) i WHERE adjusted[i] < least(1, 1 / e[i]) - 1e-12 OR adjusted[i] > least(1, n / e[i]) + 1e-12)) AS range
FROM (SELECT t, n, e, featbit.adjust_e(e) AS adjusted FROM (SELECT t, 1 + t % 20 AS n, ARRAY(SELECT exp(5 * random() + 0 * t) FROM generate_series(1, 1 + t % 20)) AS e FROM generate_series(1, 1000) t OFFSET 0) r) q;
SELECT pg_temp.complaint(format('SELECT featbit.adjust_e(%s)', arguments)) FROM (VALUES (1, '''{1,-1}'''), (2, '''{NaN}'''), (3, '''{{1}}''')) v(i, arguments) ORDER BY i;
