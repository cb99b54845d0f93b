-- srm_test() and adjust_p().
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
	(1, '''{1,-2}'''), (2, '''{1,NULL}'''), (3, '''{{1,2},{3,4}}'''), (4, '''{1,2}'', ''{1,-1}'''), (5, '''{1,2}'', ''{1,Infinity}'''),
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
