-- Means with intervals, probabilities beside outcomes, samples: values, what does not count, errors.
\set VERBOSITY default
CREATE FUNCTION pg_temp.show(e featbit.estimate) RETURNS text LANGUAGE sql AS $$
	SELECT format('n=%s value=%s se=%s lo=%s hi=%s p=%s', (e).n, round((e).value::numeric, 6), round((e).se::numeric, 6),
	              round((e).lo::numeric, 6), round((e).hi::numeric, 6), round((e).p::numeric, 6))
$$;
CREATE TEMP TABLE score AS
SELECT i, 'unit ' || i % 40 AS unit, (i * 7919 % 1000) / 1000.0::float8 AS a, (i * 7907 % 1000) / 1000.0::float8 + 0.03 AS b, i * 31 % 3 = 0 AS label FROM generate_series(1, 300) i;

-- means: against plain SQL, with and without units
SELECT pg_temp.show(featbit.mean_ci(a)) AS mean, abs((featbit.mean_ci(a)).se - stddev_samp(a) / sqrt(count(*))) < 1e-15 AS same_se FROM score;
WITH m AS (SELECT avg(a) AS m FROM score), c AS (SELECT sum(a - m) AS d FROM score, m GROUP BY unit)
SELECT pg_temp.show((SELECT featbit.mean_ci(a, unit) FROM score)) AS mean, abs((SELECT (featbit.mean_ci(a, unit)).se FROM score) - sqrt(40.0 / 39 * sum(d * d)) / 300) < 1e-15 AS same_se FROM c;
SELECT pg_temp.show(featbit.mean_ci(a, unit, 0.9)) AS ninety, pg_temp.show(featbit.metric('mean', a::text, NULL, unit, '{"level": 0.9}')) AS by_name FROM score;
SELECT pg_temp.show(featbit.paired_ci(a, b)) AS paired, pg_temp.show(featbit.paired_ci(a, b, unit)) AS clustered, pg_temp.show(featbit.metric_diff('mean', a::text, b::text, NULL, unit)) AS by_name FROM score;
SELECT pg_temp.show(featbit.paired_ci(a, a, unit)) AS same, pg_temp.show(featbit.paired_ci(i, i + 1, unit)) AS shifted FROM score;
-- what was not scored does not count
SELECT pg_temp.show(featbit.mean_ci(x)) AS mean, pg_temp.show(featbit.paired_ci(x, y)) AS pair FROM (VALUES (1::float8, 2::float8), (NULL, 3), ('NaN', 3), (3, NULL), (5, 7)) v(x, y);
SELECT pg_temp.show(featbit.mean_ci(x)) AS none FROM (VALUES (NULL::float8)) v(x);
SELECT pg_temp.show(featbit.mean_ci(1, 'u')) AS one_unit, pg_temp.show(featbit.mean_ci(1)) AS one_row;
-- far from zero nothing is lost
SELECT pg_temp.show(featbit.mean_ci(1e12 + i % 2)) FROM generate_series(1, 1000) i;

-- outcomes: against definitions in SQL
SELECT round(featbit.roc_auc(label, a)::numeric, 9) AS auc,
       (SELECT round(avg(CASE WHEN p.a > n.a THEN 1 WHEN p.a = n.a THEN 0.5 ELSE 0 END)::numeric, 9) FROM score p, score n WHERE p.label AND NOT n.label) AS by_pairs,
       round(featbit.brier(label, a)::numeric, 9) = round(avg((a - label::int) ^ 2)::numeric, 9) AS brier,
       round(featbit.log_loss(CASE WHEN label THEN a ELSE 1 - a END)::numeric, 9) = round((featbit.metric('log_loss', a::text, ARRAY[label::text])).value::numeric, 9) AS log_loss
FROM score;
SELECT round(featbit.average_precision(label, a)::numeric, 9) AS ap,
       (SELECT round((sum(hits::float8 / rows) FILTER (WHERE label) / count(*) FILTER (WHERE label))::numeric, 9)
        FROM (SELECT label, sum(label::int) OVER w AS hits, count(*) OVER w AS rows FROM score WINDOW w AS (ORDER BY a DESC)) s) AS by_rank
FROM score;
SELECT bins, round((featbit.metric('ece', a::text, ARRAY[label::text], NULL, jsonb_build_object('bins', bins))).value::numeric, 9) AS ece,
       (SELECT round((sum(abs(gap)) / 300)::numeric, 9) FROM (SELECT sum(a - label::int) AS gap FROM score GROUP BY (SELECT count(*) FROM generate_series(1, bins - 1) edge WHERE edge::float8 / bins <= a)) g) AS by_bins,
       round((featbit.metric('ece', a::text, ARRAY[label::text], NULL, jsonb_build_object('bins', bins, 'strategy', 'mass'))).value::numeric, 9) AS mass,
       (SELECT round((sum(abs(gap)) / 300)::numeric, 9) FROM (SELECT sum(a - label::int) AS gap FROM (SELECT *, ntile(bins) OVER (ORDER BY a) AS bin FROM score) t GROUP BY bin) g) AS by_ntile,
       round((featbit.metric('ece', a::text, ARRAY[label::text], NULL, jsonb_build_object('bins', bins, 'norm', 'l2'))).value::numeric, 9) AS l2, round((featbit.metric('ece', a::text, ARRAY[label::text], NULL, jsonb_build_object('bins', bins, 'norm', 'max'))).value::numeric, 9) AS worst
FROM score, unnest(ARRAY[1, 2, 10, 15, 100]) bins GROUP BY bins ORDER BY bins;
-- confidences on edges, and of exactly 1
SELECT featbit.ece(c, p, 4) FROM (VALUES (true, 1.0::float8), (false, 1.0), (true, 0.75), (true, 0.5), (false, 0.25), (false, 0.0)) v(c, p);
-- intervals of all of them, with and without units
SELECT name, pg_temp.show(featbit.metric(name, a::text, ARRAY[label::text])) AS rows, pg_temp.show(featbit.metric(name, a::text, ARRAY[label::text], unit)) AS units
FROM score, unnest(ARRAY['roc_auc', 'average_precision', 'ece', 'brier', 'log_loss']) name GROUP BY name ORDER BY name;
SELECT name, pg_temp.show(featbit.metric_diff(name, a::text, least(b, 1)::text, ARRAY[label::text])) AS rows, pg_temp.show(featbit.metric_diff(name, a::text, least(b, 1)::text, ARRAY[label::text], unit)) AS units
FROM score, unnest(ARRAY['roc_auc', 'average_precision', 'ece', 'brier', 'log_loss']) name GROUP BY name ORDER BY name;
-- DeLong's error of the area under the curve (1988): that of the jackknife is near
WITH v AS (
	SELECT p.label, avg(CASE WHEN (p.a > n.a) = p.label AND p.a <> n.a THEN 1 WHEN p.a = n.a THEN 0.5 ELSE 0 END) AS place FROM score p JOIN score n ON n.label <> p.label GROUP BY p.i, p.label
)
SELECT abs((SELECT (featbit.metric('roc_auc', a::text, ARRAY[label::text])).se FROM score) / sqrt(sum(var) ) - 1) < 0.15 AS near
FROM (SELECT var_samp(place) / count(*) AS var FROM v GROUP BY label) s;
-- one class, infinities, order of rows
SELECT featbit.roc_auc(true, 1) IS NULL AS one_class, featbit.average_precision(false, 1) AS no_positive, featbit.roc_auc(l, s) AS infinite FROM (VALUES (true, 'Infinity'::float8), (false, '-Infinity'), (NULL, 1), (true, NULL)) v(l, s);
SELECT count(DISTINCT e::text) AS one FROM (SELECT featbit.metric('roc_auc', round(a::numeric, 1)::text, ARRAY[label::text] ORDER BY i * k % 307) AS e FROM score, generate_series(1, 5) k GROUP BY k) s;

-- perplexity is weighted by tokens
SELECT round(featbit.perplexity(lp, n)::numeric, 6) AS perplexity, pg_temp.show(featbit.metric('perplexity', lp::text, ARRAY[n::text])) AS rows, pg_temp.show(featbit.metric('bits_per_byte', lp::text, ARRAY[(n * 4)::text], u)) AS bits
FROM (SELECT -(i % 7 + 1)::float8 AS lp, i % 5 + 1 AS n, (i % 9)::text AS u FROM generate_series(1, 60) i) s;
SELECT featbit.perplexity(-1, 0) IS NULL AS no_tokens;

-- samples of tasks: mean over tasks, those of fewer than k samples do not count
CREATE TEMP TABLE sample AS SELECT 'task ' || t AS task, s, CASE WHEN (t * 7 + s * 3) % 4 = 0 THEN 'pass' WHEN s = 9 THEN NULL ELSE 'fail' END AS outcome, CASE WHEN (t + s) % 3 = 0 THEN 'pass' ELSE 'fail' END AS other
FROM generate_series(1, 20) t, generate_series(1, 10) s WHERE s <= t;
SELECT k, pg_temp.show(featbit.metric('pass_at_k', outcome, ARRAY['pass'], task, jsonb_build_object('k', k))) AS at, pg_temp.show(featbit.metric('pass_pow_k', outcome, ARRAY['pass'], task, jsonb_build_object('k', k))) AS pow,
       (SELECT round(avg(featbit.pass_at_k(n::int, c::int, k))::numeric, 6) FROM (SELECT count(*) AS n, count(*) FILTER (WHERE outcome = 'pass') AS c FROM sample GROUP BY task) t) AS by_task
FROM sample, unnest(ARRAY[1, 3, 10]) k GROUP BY k ORDER BY k;
SELECT pg_temp.show(featbit.metric_diff('pass_at_k', outcome, other, ARRAY['pass'], task, '{"k": 2}')) FROM sample;

-- labels given, abstentions
SELECT pg_temp.show(featbit.metric('invalid_rate', p, ARRAY['yes'], NULL, '{"labels": ["yes", "no"]}')) AS invalid, pg_temp.show(featbit.metric('abstain_rate', p, ARRAY['yes'])) AS abstained
FROM unnest(ARRAY['yes', 'no', 'maybe', NULL, 'Yes']) p;

-- errors
SELECT featbit.mean_ci('Infinity'::float8);
SELECT featbit.mean_ci(1, NULL);
SELECT featbit.mean_ci(1, 'u', 1);
SELECT featbit.mean_ci(1, 'u', NULL);
SELECT featbit.mean_ci(1, 'u', 0.5 + i / 10.0) FROM generate_series(1, 2) i;
SELECT featbit.roc_auc(true, 'NaN');
SELECT featbit.brier(true, 1.5);
SELECT featbit.ece(true, -0.1);
SELECT featbit.ece(true, 0.1, 0);
SELECT featbit.ece(true, 0.1, NULL);
SELECT featbit.ece(true, 0.1, i) FROM generate_series(2, 3) i;
SELECT featbit.log_loss('Infinity'::float8);
SELECT featbit.perplexity(-1, -1);
SELECT featbit.metric('mean', 'one', NULL);
SELECT featbit.metric('mean', '1e999', NULL);
SELECT featbit.metric('brier', '0.5', '{perhaps}');
SELECT featbit.metric('perplexity', '-1', '{-1}');
SELECT featbit.metric('perplexity', '-1', '{x}');
SELECT featbit.metric('pass_at_k', 'a', '{a}');
SELECT featbit.metric('pass_at_k', 'a', '{a}', 'u', '{"k": 0}');
SELECT featbit.metric('invalid_rate', 'a', '{a}');
SELECT featbit.mean_accum(NULL, 1);
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT featbit.roc_auc(i % 2 = 0, i) FROM generate_series(1, 100000) i;
RESET work_mem;
RESET hash_mem_multiplier;
