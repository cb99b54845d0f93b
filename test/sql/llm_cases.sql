-- Values that other implementations published: those cases of llm_cases.json that the label metrics cover.
-- Weights are whole multiples of a tenth, so a row of weight w stands ten times w times.
\set cases `cat "$PG_ABS_SRCDIR/cases/llm_cases.json"`
CREATE TEMP TABLE one_case AS
SELECT c->>'id' AS id, c->>'metric' AS metric, c->'input' AS input, c->'params' AS params,
       c->'expected' AS expected, (c->>'tol')::float8 AS tol
FROM jsonb_array_elements(:'cases'::jsonb->'cases') c;

CREATE TEMP TABLE label_row AS
SELECT c.id, g.label #>> '{}' AS gold, p.label #>> '{}' AS pred
FROM one_case c
CROSS JOIN LATERAL jsonb_array_elements(c.input->'gold') WITH ORDINALITY g(label, i)
JOIN LATERAL jsonb_array_elements(c.input->'pred') WITH ORDINALITY p(label, i) USING (i)
LEFT JOIN LATERAL jsonb_array_elements(c.input->'weight') WITH ORDINALITY w(weight, i) USING (i)
CROSS JOIN LATERAL generate_series(1, round(coalesce(w.weight::numeric, 0.1) * 10)::int)
WHERE c.input ? 'gold';

-- label metrics: averages over the gold labels, F with beta = 1, 0/0 = 0
WITH wanted AS (
	SELECT id, tol, coalesce(part.key, metric) AS part,
	       coalesce(part.value, expected)::float8 AS expected,
	       CASE
	           WHEN metric IN ('accuracy', 'mcc') THEN metric
	           ELSE CASE part.key WHEN 'fbeta' THEN 'f1' ELSE part.key END || '_' || (params->>'average')
	       END AS name
	FROM one_case c
	LEFT JOIN LATERAL jsonb_each(CASE jsonb_typeof(expected) WHEN 'object' THEN expected ELSE '{}' END) part ON true
	WHERE metric IN ('accuracy', 'mcc')
	   OR (metric IN ('prf', 'fbeta', 'precision', 'recall')
	       AND params->>'average' IN ('macro', 'micro', 'weighted')
	       AND NOT params ?| ARRAY['beta', 'zero_division'])
)
SELECT w.id, w.name, count(*) AS rows, round((featbit.metric(w.name, r.pred, ARRAY[r.gold])).value::numeric, 6) AS value,
       abs((featbit.metric(w.name, r.pred, ARRAY[r.gold])).value - w.expected) <= w.tol AS ok
FROM wanted w JOIN label_row r USING (id)
GROUP BY w.id, w.name, w.expected, w.tol
ORDER BY w.id, w.name;

-- the interval of a share
SELECT id, s.n, round((e).lo::numeric, 6) AS lo, round((e).hi::numeric, 6) AS hi,
       abs((e).lo - (expected->>'lo')::float8) <= tol AND abs((e).hi - (expected->>'hi')::float8) <= tol AS ok
FROM (
	SELECT id, expected, tol, count(*) AS n,
	       featbit.metric('accuracy', CASE WHEN i <= (input->>'successes')::int THEN 'yes' ELSE 'no' END, ARRAY['yes']) AS e
	FROM one_case, generate_series(1, (input->>'n')::int) i
	WHERE metric = 'wilson_ci' AND params->>'level' = '0.95'
	GROUP BY id, expected, tol
) s
ORDER BY id;

-- the standard error of clustered 0/1 scores
SELECT id, s.n, round((e).value::numeric, 6) AS mean, round((e).se::numeric, 6) AS se,
       abs((e).value - (expected->>'mean')::float8) <= tol AND
       ((e).se IS NULL AND expected->>'se' IS NULL OR abs((e).se - (expected->>'se')::float8) <= tol) AS ok
FROM (
	SELECT c.id, c.expected, c.tol, count(*) AS n,
	       featbit.metric('accuracy', s.score::float8::text, ARRAY['1'], u.cluster #>> '{}') AS e
	FROM one_case c
	CROSS JOIN LATERAL jsonb_array_elements(c.input->'score') WITH ORDINALITY s(score, i)
	JOIN LATERAL jsonb_array_elements(c.input->'cluster') WITH ORDINALITY u(cluster, i) USING (i)
	WHERE c.metric = 'mean_ci'
	GROUP BY c.id, c.expected, c.tol
	HAVING bool_and(s.score IN ('0', '1'))
) s
ORDER BY id;
