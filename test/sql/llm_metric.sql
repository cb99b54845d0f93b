-- The aggregate featbit.metric: rows that count, properties of its answers, errors.
\set VERBOSITY default
CREATE FUNCTION pg_temp.show(e featbit.estimate) RETURNS text LANGUAGE sql AS $$
	SELECT format('n=%s value=%s se=%s lo=%s hi=%s p=%s', (e).n, round((e).value::numeric, 6), round((e).se::numeric, 6),
	              round((e).lo::numeric, 6), round((e).hi::numeric, 6), (e).p)
$$;

-- one row per answer of three imaginary models to 400 questions in 150 conversations
CREATE TEMP TABLE answer AS
SELECT m AS model, i AS question, format('conversation %s', i % 150) AS conversation,
       (ARRAY['billing', 'claims', 'quotes', 'other', 'other'])[1 + i * 7 % 5] AS gold,
       CASE
           WHEN (i * 31 + m * 17) % 23 = 0 THEN NULL
           WHEN (i * 29 + m * 11) % 19 = 0 THEN 'I cannot tell'
           WHEN (i * 37 + m * 5) % (4 + m) = 0 THEN 'other'
           ELSE (ARRAY['billing', 'claims', 'quotes', 'other', 'other'])[1 + i * 7 % 5]
       END AS pred
FROM generate_series(1, 3) m, generate_series(1, 400) i;
CREATE TEMP TABLE name AS
SELECT unnest(ARRAY['accuracy', 'precision_macro', 'precision_micro', 'precision_weighted', 'recall_macro', 'recall_micro',
                    'recall_weighted', 'f1_macro', 'f1_micro', 'f1_weighted', 'mcc']) AS name;

-- values against plain SQL over the confusion matrix
CREATE TEMP VIEW label_count AS
SELECT model, label, count(*) FILTER (WHERE gold = label) AS gold, count(*) FILTER (WHERE pred = label) AS pred,
       count(*) FILTER (WHERE gold = label AND pred = label) AS hit
FROM answer, (SELECT DISTINCT gold AS label FROM answer) l
GROUP BY model, label;
CREATE TEMP VIEW expected AS
SELECT model, name, value
FROM (
	SELECT model, avg(coalesce(hit::float8 / nullif(pred, 0), 0)) AS precision_macro, sum(hit)::float8 / sum(pred) AS precision_micro,
	       sum(gold * coalesce(hit::float8 / nullif(pred, 0), 0)) / sum(gold) AS precision_weighted, avg(hit::float8 / gold) AS recall_macro,
	       sum(hit)::float8 / sum(gold) AS recall_micro, sum(gold * (hit::float8 / gold)) / sum(gold) AS recall_weighted,
	       avg(2.0 * hit / (gold + pred)) AS f1_macro, 2.0 * sum(hit) / sum(gold + pred) AS f1_micro,
	       sum(gold * (2.0 * hit / (gold + pred))) / sum(gold) AS f1_weighted, sum(hit)::float8 / sum(gold) AS accuracy
	FROM label_count GROUP BY model
) s
CROSS JOIN LATERAL (VALUES
	('accuracy', accuracy), ('precision_macro', precision_macro), ('precision_micro', precision_micro),
	('precision_weighted', precision_weighted), ('recall_macro', recall_macro), ('recall_micro', recall_micro),
	('recall_weighted', recall_weighted), ('f1_macro', f1_macro), ('f1_micro', f1_micro), ('f1_weighted', f1_weighted)
) v(name, value)
UNION ALL
-- the correlation of indicator vectors; an abstention is one more predicted class
SELECT model, 'mcc', cov / sqrt(var_gold * var_pred)
FROM (
	SELECT model, sum(coalesce(hit, 0) - ng * np / 400.0) AS cov, sum(ng - ng * ng / 400.0) AS var_gold, sum(np - np * np / 400.0) AS var_pred
	FROM (
		SELECT model, label, sum((gold = label AND pred = label)::int) AS hit,
		       sum((gold = label)::int)::float8 AS ng, sum((coalesce(pred, '') = label)::int)::float8 AS np
		FROM answer, (SELECT DISTINCT unnest(ARRAY[gold, coalesce(pred, '')]) AS label FROM answer) l
		GROUP BY model, label
	) c GROUP BY model
) s;
SELECT model, name, pg_temp.show(e) AS estimate, abs((e).value - x.value) < 1e-12 AS ok
FROM (
	SELECT model, name, featbit.metric(name, pred, ARRAY[gold], conversation) AS e
	FROM answer, name GROUP BY model, name
) s JOIN expected x USING (model, name)
ORDER BY name, model;

-- every row its own unit: the same values; the jackknife over rows against its definition
SELECT name, pg_temp.show(e) AS estimate, (e).value = (featbit.metric(name, pred, ARRAY[gold], conversation)).value AS same_value
FROM answer CROSS JOIN name JOIN (
	SELECT name, featbit.metric(name, pred, ARRAY[gold]) AS e FROM answer, name WHERE model = 1 GROUP BY name
) s USING (name)
WHERE model = 1 GROUP BY name, e ORDER BY name;
WITH small AS (
	SELECT * FROM answer WHERE model = 1 AND question <= 60
), left_out AS (
	SELECT name, o.question, (featbit.metric(name, a.pred, ARRAY[a.gold])).value AS value
	FROM name, small o JOIN small a ON a.question <> o.question
	GROUP BY name, o.question
), jackknife AS (
	SELECT name, sqrt(59.0 * var_pop(value)) AS se FROM left_out GROUP BY name
)
SELECT bool_and(abs(j.se - (e).se) < 1e-9) AS jackknife_over_rows, count(*)
FROM jackknife j JOIN (
	SELECT name, featbit.metric(name, pred, ARRAY[gold]) AS e FROM small, name GROUP BY name
) s USING (name);

-- the jackknife over groups of units against its definition; a state of one row tells its unit's bucket
WITH bucket AS (
	SELECT conversation, (featbit.metric_agg('mcc', 'a', ARRAY['a'], conversation)::text::jsonb #>> '{cells,0,0}')::int AS bucket
	FROM answer GROUP BY conversation
), left_out AS (
	SELECT name, b.bucket, (featbit.metric(name, a.pred, ARRAY[a.gold])).value AS value
	FROM name, (SELECT DISTINCT bucket FROM bucket) b, answer a JOIN bucket u USING (conversation)
	WHERE u.bucket <> b.bucket AND name <> 'accuracy' AND model = 1
	GROUP BY name, b.bucket
), jackknife AS (
	SELECT name, count(*) AS groups, sqrt((count(*) - 1) * var_pop(value)) AS se FROM left_out GROUP BY name
)
SELECT bool_and(abs(j.se - (e).se) < 1e-12) AS jackknife_over_groups, min(groups) AS groups, count(*),
       round(min(((e).hi - (e).value) / (e).se)::numeric, 9) AS t_quantile
FROM jackknife j JOIN (
	SELECT name, featbit.metric(name, pred, ARRAY[gold], conversation) AS e FROM answer, name WHERE model = 1 GROUP BY name
) s USING (name);

-- clustered accuracy against its definition
WITH score AS (
	SELECT conversation, coalesce(pred = gold, false)::int AS s, avg(coalesce(pred = gold, false)::int) OVER () AS m FROM answer WHERE model = 1
), cluster AS (
	SELECT sum(s - m) AS residual, min(m)::float8 AS m, count(*) AS rows FROM score GROUP BY conversation
), total AS (
	SELECT min(m) AS m, sqrt(count(*) / (count(*) - 1.0) * sum(residual ^ 2)) / sum(rows) AS se FROM cluster
), wilson AS (
	SELECT t.*, m * (1 - m) / se ^ 2 AS n, 1.959963984540054 AS z FROM total t
), bound AS (
	SELECT w.*, (m + z ^ 2 / (2 * n)) / (1 + z ^ 2 / n) AS centre, z * sqrt(m * (1 - m) / n + (z / (2 * n)) ^ 2) / (1 + z ^ 2 / n) AS half FROM wilson w
)
SELECT abs((e).se - se) < 1e-12 AND abs((e).lo - (centre - half)) < 1e-12 AND abs((e).hi - (centre + half)) < 1e-12 AS clustered
FROM bound, (SELECT featbit.metric('accuracy', pred, ARRAY[gold], conversation) AS e FROM answer WHERE model = 1) s;

-- the order of rows does not matter, to the last bit
SELECT bool_and(a.e::text = b.e::text AND a.e::text = c.e::text) AS order_free, count(*)
FROM (SELECT name, featbit.metric(name, pred, ARRAY[gold], conversation ORDER BY question, model) AS e FROM answer, name GROUP BY name) a
JOIN (SELECT name, featbit.metric(name, pred, ARRAY[gold], conversation ORDER BY question DESC, model) AS e FROM answer, name GROUP BY name) b USING (name)
JOIN (SELECT name, featbit.metric(name, pred, ARRAY[gold], conversation ORDER BY md5(question::text || model)) AS e FROM answer, name GROUP BY name) c USING (name);

-- the data three times with the same units: same value, same error
SELECT bool_and(abs((a.e).value - (b.e).value) < 1e-12 AND abs((a.e).se - (b.e).se) < 1e-12) AS same, count(*)
FROM (SELECT name, featbit.metric(name, pred, ARRAY[gold], conversation) AS e FROM answer, name GROUP BY name) a
JOIN (SELECT name, featbit.metric(name, pred, ARRAY[gold], conversation) AS e FROM answer, name, generate_series(1, 3) GROUP BY name) b USING (name);

-- units that have one row each are no clusters
SELECT (featbit.metric('accuracy', pred, ARRAY[gold])) = (featbit.metric('accuracy', pred, ARRAY[gold], model || ' ' || question)) AS same
FROM answer;

-- all right, all wrong, nothing to vary
SELECT name, pg_temp.show(featbit.metric(name, 'a', ARRAY['a'], i::text)) AS all_right,
       pg_temp.show(featbit.metric(name, 'b', ARRAY['a'], i::text)) AS all_wrong
FROM name, generate_series(1, 100) i GROUP BY name ORDER BY name;

-- rows that count: no gold label ignores the row, no prediction is a miss and nobody's false positive
SELECT name, pg_temp.show(featbit.metric(name, pred, refs))
FROM name, (VALUES
	('a', ARRAY['a', 'ignored']), ('a', ARRAY['b']), (NULL, ARRAY['b']), ('c', ARRAY['b']),
	('a', NULL), ('a', '{}'), ('a', ARRAY[NULL, 'a']), ('a', '[2:2]={a}'::text[])
) v(pred, refs)
GROUP BY name ORDER BY name;
SELECT pg_temp.show(featbit.metric('f1_macro', NULL, ARRAY['a'], i::text)) AS abstained FROM generate_series(1, 3) i;
SELECT pg_temp.show(featbit.metric('accuracy', 'a', ARRAY['a'])) AS no_rows FROM generate_series(1, 0);
SELECT pg_temp.show(featbit.metric('accuracy', 'a', NULL)) AS none_counts FROM generate_series(1, 3);
SELECT pg_temp.show(featbit.metric('accuracy', 'a', ARRAY['a'])) AS one_row,
       pg_temp.show(featbit.metric('f1_macro', 'a', ARRAY['a'])) AS one_row_f1,
       pg_temp.show(featbit.metric('f1_macro', 'a', ARRAY['a'], 'x')) AS one_unit_f1;
-- the unit of an ignored row may be NULL; the empty string is a label and a unit
SELECT pg_temp.show(featbit.metric('f1_macro', p, r, u)) FROM (VALUES ('', ARRAY[''], ''), ('a', ARRAY[''], 'x'), ('a', NULL, NULL)) v(p, r, u);
-- labels differ when their bytes differ
SELECT pg_temp.show(featbit.metric('accuracy', p, ARRAY[g])) FROM (VALUES ('a', 'A'), ('é', U&'e\0301'), ('ß', 'ß')) v(p, g);

-- buckets are fixed by XXH3 of the unit: the state shows them
SELECT featbit.metric_agg('mcc', p, ARRAY[g], u)
FROM (VALUES ('a', 'a', ''), ('a', 'b', 'test-001'), (NULL, 'b', 'alice'), ('b', 'b', 'zoë'), ('b', 'b', repeat('long ', 60))) v(p, g, u);

-- parallel and serial plans agree to the last bit
CREATE TABLE llm_answer AS SELECT * FROM answer CROSS JOIN generate_series(1, 20);
ANALYZE llm_answer;
CREATE FUNCTION pg_temp.plan_has(query text, word text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line LIKE '%' || word || '%' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
\set query 'SELECT model, featbit.metric(''f1_macro'', pred, ARRAY[gold], conversation) AS f1, featbit.metric(''accuracy'', pred, ARRAY[gold], conversation) AS accuracy, featbit.metric(''mcc'', pred, ARRAY[gold]) AS mcc FROM llm_answer GROUP BY model'
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS :query;
SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.plan_has(:'query', 'Partial') AS is_parallel;
CREATE TEMP TABLE parallel AS :query;
SELECT count(*), bool_and(s::text = p::text) AS same FROM serial s JOIN parallel p USING (model);
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE llm_answer;

-- a running window, and two aggregates that share a state
SELECT question, pg_temp.show(featbit.metric('f1_macro', pred, ARRAY[gold], conversation) OVER (ORDER BY question)) AS so_far
FROM answer WHERE model = 2 AND question <= 5 ORDER BY question;
SELECT (featbit.metric('mcc', pred, ARRAY[gold], conversation)) = featbit.estimate(featbit.metric_agg('mcc', pred, ARRAY[gold], conversation)) AS same FROM answer;

-- errors
SELECT featbit.metric('f1_makro', pred, ARRAY[gold]) FROM answer;
SELECT featbit.metric('Accuracy', pred, ARRAY[gold]) FROM answer;
SELECT featbit.metric('blue', pred, ARRAY[gold]) FROM answer;
SELECT featbit.metric('', pred, ARRAY[gold]) FROM answer;
SELECT featbit.metric(repeat('f1_macro', 100), pred, ARRAY[gold]) FROM (SELECT * FROM answer LIMIT 1) a;
SELECT featbit.metric(NULL, pred, ARRAY[gold]) FROM answer;
SELECT featbit.metric(CASE WHEN question = 3 THEN 'mcc' ELSE 'accuracy' END, pred, ARRAY[gold]) FROM (SELECT * FROM answer WHERE model = 1 ORDER BY question) a;
SELECT featbit.metric('mcc', pred, ARRAY[gold], NULL) FROM answer;
SELECT featbit.metric('mcc', pred, ARRAY[[gold, gold]]) FROM answer;
SELECT featbit.metric_accum(NULL, 'mcc', 'a', ARRAY['a']);
SELECT featbit.metric_combine(NULL, NULL);

-- memory is bounded
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT featbit.metric('f1_macro', i::text, ARRAY['a']) FROM generate_series(1, 100000) i;
SELECT featbit.metric('accuracy', 'a', ARRAY['a'], i::text) FROM generate_series(1, 100000) i;
RESET work_mem;
RESET hash_mem_multiplier;
