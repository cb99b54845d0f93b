-- Differences of two systems over the same rows, parameters of label metrics, reports.
\set VERBOSITY default
CREATE FUNCTION pg_temp.show(e featbit.estimate) RETURNS text LANGUAGE sql AS $$
	SELECT format('n=%s value=%s se=%s lo=%s hi=%s p=%s', (e).n, round((e).value::numeric, 6), round((e).se::numeric, 6),
	              round((e).lo::numeric, 6), round((e).hi::numeric, 6), round((e).p::numeric, 6))
$$;
CREATE TEMP TABLE answer AS
SELECT i, 'unit ' || i % 60 AS unit, ARRAY['label ' || i * 7 % 5] AS refs,
       CASE WHEN i * 31 % 23 = 0 THEN NULL WHEN i * 37 % 4 = 0 THEN 'label ' || i % 6 ELSE 'label ' || i * 7 % 5 END AS a,
       CASE WHEN i * 29 % 5 = 0 THEN 'label ' || i % 6 ELSE 'label ' || i * 7 % 5 END AS b
FROM generate_series(1, 300) i;
CREATE TEMP TABLE line AS
SELECT i, 'unit ' || i % 60 AS unit, ARRAY[format('the %s cat sat on the %s mat', i % 7, i % 5), format('a cat sat on mat %s', i % 5)] AS refs,
       format('the %s cat is on the %s mat', i % 7, i % 4) AS a, CASE WHEN i % 50 = 0 THEN NULL ELSE format('the %s cat sat on a %s mat', i % 6, i % 5) END AS b
FROM generate_series(1, 200) i;
CREATE TEMP TABLE row_pair AS
SELECT name, unit, a, b, refs FROM answer, unnest(ARRAY['accuracy', 'balanced_accuracy', 'f1_macro', 'precision_micro', 'recall_weighted', 'mcc', 'cohen_kappa']) name
UNION ALL
SELECT name, unit, a, b, refs FROM line, unnest(ARRAY['exact_match', 'squad_f1', 'bleu', 'chrf', 'chrf++', 'rouge_1', 'rouge_2', 'rouge_l', 'wer', 'cer', 'levenshtein_similarity']) name;
SELECT name, pg_temp.show(featbit.metric(name, a, refs)) AS a, pg_temp.show(featbit.metric_diff(name, a, b, refs)) AS rows, pg_temp.show(featbit.metric_diff(name, a, b, refs, unit)) AS units FROM row_pair GROUP BY name ORDER BY name COLLATE "C";
-- the value is the difference of the values; turned round it changes its sign and nothing else; no system differs from itself
SELECT count(*) AS names, bool_and(abs((d).value - ((y).value - (x).value)) < 1e-9) AS difference, bool_and(abs((d).value + (r).value) < 1e-9 AND abs((d).se - (r).se) < 1e-9 AND abs((d).p - (r).p) < 1e-9 AND abs((d).lo + (r).hi) < 1e-9) AS turned,
       bool_and((s).value = 0 AND (s).se < 1e-12 AND (s).p = 1) AS itself
FROM (SELECT name, k, featbit.metric(name, a, refs, u, '{}') AS x, featbit.metric(name, b, refs, u, '{}') AS y, featbit.metric_diff(name, a, b, refs, u, '{}') AS d, featbit.metric_diff(name, b, a, refs, u, '{}') AS r, featbit.metric_diff(name, a, a, refs, u, '{}') AS s
      FROM (SELECT *, CASE k WHEN 1 THEN unit END AS u FROM row_pair, generate_series(1, 2) k) p GROUP BY name, k) t;
-- the order of rows does not matter, nor does the plan
SELECT count(*) AS names, bool_and(abs((x).se - (y).se) < 1e-9 AND abs((x).value - (y).value) < 1e-9) AS same
FROM (SELECT name, featbit.metric_diff(name, a, b, refs, unit ORDER BY unit, a) AS x, featbit.metric_diff(name, a, b, refs, unit ORDER BY b DESC) AS y FROM row_pair GROUP BY name) s;
-- rows that stand several times in their units change nothing
SELECT count(*) AS names, bool_and(abs((x).se - (y).se) < 1e-9 AND abs((x).value - (y).value) < 1e-9) AS same
FROM (SELECT name, featbit.metric(name, a, refs, unit) AS x FROM row_pair GROUP BY name) s
JOIN (SELECT name, featbit.metric(name, a, refs, unit) AS y FROM row_pair, generate_series(1, 3) GROUP BY name) t USING (name);
-- without units: what leaving out one row at a time gives (the text metrics to first order)
WITH small AS (SELECT * FROM line WHERE i <= 120 AND b IS NOT NULL), n AS (SELECT count(*)::float8 AS n FROM small), name AS (SELECT unnest(ARRAY['bleu', 'chrf', 'chrf++', 'wer', 'cer']) AS name),
left_out AS (
	SELECT name, o.i, (featbit.metric_diff(name, s.a, s.b, s.refs)).value FROM name, small o JOIN small s ON s.i <> o.i GROUP BY name, o.i
)
SELECT name, round((x).se::numeric, 5) AS se, abs((x).se / j.se - 1) < 0.02 AS near
FROM (SELECT name, featbit.metric_diff(name, a, b, refs) AS x FROM small, name GROUP BY name) s
JOIN (SELECT name, sqrt((n - 1) * var_pop(value)) AS se FROM left_out, n GROUP BY name, n) j USING (name) ORDER BY name;

-- parallel plans give what serial ones give
CREATE TABLE llm_pair AS SELECT * FROM row_pair CROSS JOIN generate_series(1, 5);
ANALYZE llm_pair;
\set query 'SELECT name, featbit.metric(name, a, refs, unit) AS m, featbit.metric(name, a, refs) AS r, featbit.metric_diff(name, a, b, refs, unit) AS d, featbit.metric_diff(name, a, b, refs) AS e FROM llm_pair GROUP BY name'
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS :query;
SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TEMP TABLE parallel AS :query;
CREATE FUNCTION pg_temp.near(x featbit.estimate, y featbit.estimate) RETURNS boolean LANGUAGE sql AS $$
	SELECT (x).n = (y).n AND abs((x).value - (y).value) < 1e-12 * greatest(1, abs((x).value)) AND abs((x).se - (y).se) <= 1e-9 * (x).se AND abs((x).lo - (y).lo) < 1e-9 * greatest(1, abs((x).lo))
$$;
SELECT count(*), bool_and(pg_temp.near(s.m, p.m) AND pg_temp.near(s.r, p.r) AND pg_temp.near(s.d, p.d) AND pg_temp.near(s.e, p.e)) AS same FROM serial s JOIN parallel p USING (name);
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE llm_pair;

-- units of the form with params: all rows or none
SELECT pg_temp.show(featbit.metric('accuracy', a, refs, NULL, NULL)) AS none, pg_temp.show(featbit.metric('accuracy', a, refs, unit, NULL)) AS given FROM answer;
SELECT featbit.metric('accuracy', a, refs, CASE WHEN i > 1 THEN unit END, NULL) FROM answer;
SELECT featbit.metric_diff('mcc', a, b, refs, CASE WHEN i = 1 THEN unit END, '{}') FROM (SELECT * FROM answer ORDER BY i) s;

-- the labels that averages run over, 0/0, beta, the level of the interval
SELECT name, params, pg_temp.show(featbit.metric(name, p, ARRAY[g], NULL, params)) AS estimate
FROM (VALUES ('yes', 'yes'), ('yes', 'yes'), ('yes', 'yes'), ('no', 'yes'), ('yes', 'no'), ('no', 'no'), ('no', 'never'), ('yes', NULL)) v(g, p),
     (VALUES (1, 'f1_macro', '{}'::jsonb), (2, 'f1_macro', '{"labels": "union"}'), (3, 'f1_macro', '{"labels": ["yes"]}'), (4, 'f1_macro', '{"labels": ["yes", "perhaps"]}'), (5, 'f1_macro', '{"labels": ["yes", "perhaps"], "zero_division": 1}'),
             (6, 'f1_macro', '{"labels": ["yes", "perhaps"], "zero_division": null}'), (7, 'f1_macro', '{"labels": ["perhaps"], "zero_division": null}'), (8, 'f1_macro', '{"beta": 2}'), (9, 'f1_macro', '{"level": 0.8}'),
             (10, 'precision_micro', '{"labels": "union"}'), (11, 'precision_binary', '{"pos": "yes"}'), (12, 'recall_binary', '{"pos": "perhaps", "zero_division": 1}'), (13, 'f1_binary', '{"pos": "no", "beta": 0.5}'), (14, 'accuracy', '{"level": 0.5}'),
             (15, 'balanced_accuracy', '{"adjusted": true}')) w(k, name, params)
GROUP BY k, name, params ORDER BY k;
-- agreement with weights over the order of labels: numbers, or as given; an abstention disagrees most
SELECT weights, pg_temp.show(featbit.metric('cohen_kappa', p::text, ARRAY[g::text], NULL, jsonb_build_object('weights', weights))) AS by_number,
       pg_temp.show(featbit.metric('cohen_kappa', 'grade ' || p, ARRAY['grade ' || g], NULL, jsonb_build_object('weights', weights, 'labels', ARRAY['grade 8', 'grade 9', 'grade 10', 'grade 11']))) AS as_given,
       pg_temp.show(featbit.metric('cohen_kappa', CASE WHEN i % 10 > 0 THEN p::text END, ARRAY[g::text], i::text, jsonb_build_object('weights', weights))) AS abstaining
FROM (SELECT i, 8 + i % 4 AS g, 8 + (i + (i % 3) / 2 * (i % 5) / 2) % 4 AS p FROM generate_series(1, 80) i) s, unnest(ARRAY['none', 'linear', 'quadratic']) weights GROUP BY weights;
-- its jackknife against the definition
WITH s AS (SELECT i, (i % 4)::text AS g, CASE WHEN i % 11 > 0 THEN ((i + i % 3) % 4)::text END AS p FROM generate_series(1, 44) i), w AS (SELECT unnest(ARRAY['none', 'linear', 'quadratic']) AS w)
SELECT w, abs((x).se - se) < 1e-12 AS same
FROM (SELECT w, featbit.metric('cohen_kappa', p, ARRAY[g], NULL, jsonb_build_object('weights', w)) AS x FROM s, w GROUP BY w) a
JOIN (SELECT w, sqrt(43 * var_pop(k)) AS se FROM (SELECT w, o.i, (featbit.metric('cohen_kappa', s.p, ARRAY[s.g], NULL, jsonb_build_object('weights', w))).value AS k FROM w, s o JOIN s ON s.i <> o.i GROUP BY w, o.i) t GROUP BY w) b USING (w) ORDER BY w;

-- reports from a state
CREATE TEMP TABLE state AS SELECT featbit.metric_agg('f1_macro', a, refs, unit) AS state FROM answer;
SELECT c.* FROM state, featbit.confusion_matrix(state) c;
SELECT label, metric, support, round(value::numeric, 6) AS value, round(se::numeric, 6) AS se, round(lo::numeric, 6) AS lo, round(hi::numeric, 6) AS hi FROM state, featbit.classification_report(state) r;
-- its averages and labels are what the metrics give
SELECT bool_and(abs(r.value - (m).value) < 1e-15 AND abs(r.se - (m).se) < 1e-15) AS same, count(*)
FROM (SELECT r.* FROM state, featbit.classification_report(state) r) r
JOIN LATERAL (SELECT featbit.metric(r.metric || CASE WHEN label IS NULL THEN '' ELSE '_binary' END, a, refs, unit, CASE WHEN label IS NULL THEN '{}' ELSE jsonb_build_object('pos', r.label) END) AS m FROM answer) s ON true;
SELECT label, metric, support, round(value::numeric, 4) AS value FROM featbit.classification_report((SELECT featbit.metric_agg('f1_micro', p, ARRAY[g], NULL, '{"labels": ["b", "z"], "zero_division": null}') FROM (VALUES ('a', 'a'), ('b', 'a'), ('b', 'b')) v(g, p)));
SELECT count(*) FROM featbit.confusion_matrix(NULL);
SELECT count(*) FROM featbit.confusion_matrix((SELECT featbit.metric_agg('mcc', 'a', NULL)));

-- errors
SELECT featbit.metric_diff('f1_makro', a, b, refs) FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"averge": "macro"}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"bata": 2}') FROM answer;
SELECT featbit.metric('mcc', a, refs, unit, '{"beta": 2}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"labels": "all"}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"labels": []}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"labels": ["a", {"b": 1}]}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"labels": [1, "1"]}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"zero_division": 2}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"beta": "2"}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '{"level": 1}') FROM answer;
SELECT featbit.metric('f1_binary', a, refs, unit, '{}') FROM answer;
SELECT featbit.metric('f1_binary', a, refs, unit, '{"pos": null}') FROM answer;
SELECT featbit.metric('cohen_kappa', a, refs, unit, '{"weights": "cubic"}') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, '"level"') FROM answer;
SELECT featbit.metric('f1_macro', a, refs, unit, jsonb_build_object('beta', i)) FROM answer;
SELECT featbit.metric_diff(CASE WHEN i > 1 THEN 'mcc' ELSE 'accuracy' END, a, b, refs) FROM (SELECT * FROM answer ORDER BY i) s;
SELECT featbit.rollup(s) FROM (SELECT featbit.metric_agg('mcc', a, refs) AS s FROM answer UNION ALL SELECT featbit.metric_diff_agg('mcc', a, b, refs) FROM answer) t;
SELECT featbit.rollup(s) FROM (SELECT featbit.metric_agg('f1_macro', a, refs, unit, '{"beta": 2}') AS s FROM answer UNION ALL SELECT featbit.metric_agg('f1_macro', a, refs, unit) FROM answer) t;
SELECT featbit.confusion_matrix((SELECT featbit.metric_agg('accuracy', a, refs) FROM answer));
SELECT featbit.classification_report((SELECT featbit.metric_diff_agg('mcc', a, b, refs) FROM answer));
SELECT featbit.metric_diff_accum(NULL, 'mcc', 'a', 'b', '{a}');
