-- Values that other implementations published: test/cases/llm_cases.json. Weights are whole multiples of a tenth, so a
-- row of weight w stands ten times w times.
\set cases `cat "$PG_ABS_SRCDIR/cases/llm_cases.json"`
CREATE TEMP TABLE one_case AS
SELECT c->>'id' AS id, c->>'metric' AS metric, c->'input' AS input, c->'params' AS params,
       c->'expected' AS expected, (c->>'tol')::float8 AS tol
FROM jsonb_array_elements(:'cases'::jsonb->'cases') c;
-- what is computed: one row for each expected number, part NULL where there is but one
CREATE TEMP TABLE computed (id text, part text, value float8);

CREATE FUNCTION pg_temp.texts(list jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT array_agg(x ORDER BY i) FROM jsonb_array_elements_text(list) WITH ORDINALITY e(x, i) $$;

-- labels
CREATE TEMP TABLE label_row AS
SELECT c.id, g.label #>> '{}' AS gold, p.label #>> '{}' AS pred
FROM one_case c
CROSS JOIN LATERAL jsonb_array_elements(c.input->'gold') WITH ORDINALITY g(label, i)
JOIN LATERAL jsonb_array_elements(c.input->'pred') WITH ORDINALITY p(label, i) USING (i)
LEFT JOIN LATERAL jsonb_array_elements(c.input->'weight') WITH ORDINALITY w(weight, i) USING (i)
CROSS JOIN LATERAL generate_series(1, round(coalesce(w.weight::numeric, 0.1) * 10)::int)
WHERE c.input ? 'gold';
INSERT INTO computed
SELECT id, part, (featbit.metric(name, pred, ARRAY[gold], NULL, params)).value
FROM (
	SELECT id, part.key AS part,
	       CASE part.key WHEN 'fbeta' THEN 'f1' ELSE part.key END || '_' || (params->>'average') AS name,
	       params - 'average' - CASE part.key WHEN 'fbeta' THEN '' ELSE 'beta' END AS params
	FROM one_case, jsonb_each(expected) part
	WHERE metric IN ('prf', 'fbeta', 'precision', 'recall')
	UNION ALL
	SELECT id, NULL, metric, params FROM one_case WHERE metric IN ('accuracy', 'balanced_accuracy', 'mcc', 'cohen_kappa')
) s JOIN label_row USING (id)
GROUP BY id, part, name, params;
-- with units the value is the same
SELECT count(*) AS differ
FROM (
	SELECT (featbit.metric(metric, pred, ARRAY[gold], NULL, params)).value AS one, (featbit.metric(metric, pred, ARRAY[gold], gold || pred, params)).value AS two
	FROM one_case JOIN label_row USING (id)
	WHERE metric IN ('accuracy', 'balanced_accuracy', 'mcc', 'cohen_kappa') GROUP BY id, metric, params
) s WHERE one IS DISTINCT FROM two;

-- outcomes and scores
CREATE TEMP TABLE outcome_row AS
SELECT c.id, coalesce(l.label, l.label) #>> '{}' = '1' AS label, (s.score #>> '{}')::float8 AS score
FROM one_case c
CROSS JOIN LATERAL jsonb_array_elements(coalesce(c.input->'label', c.input->'correct')) WITH ORDINALITY l(label, i)
JOIN LATERAL jsonb_array_elements(coalesce(c.input->'score', c.input->'p', c.input->'confidence')) WITH ORDINALITY s(score, i) USING (i)
WHERE c.metric IN ('roc_auc', 'average_precision', 'brier', 'ece');
INSERT INTO computed
SELECT id, NULL, (featbit.metric(metric, score::text, ARRAY[label::text], NULL, params)).value
FROM one_case JOIN outcome_row USING (id) GROUP BY id, metric, params;
SELECT count(*) AS cases, count(*) FILTER (WHERE value IS DISTINCT FROM CASE metric WHEN 'roc_auc' THEN auc WHEN 'average_precision' THEN ap WHEN 'brier' THEN b ELSE value END) AS differ
FROM (SELECT id, featbit.roc_auc(label, score) AS auc, featbit.average_precision(label, score) AS ap,
             featbit.brier(label, CASE WHEN score BETWEEN 0 AND 1 THEN score END) AS b FROM outcome_row GROUP BY id) s
JOIN computed USING (id) JOIN one_case USING (id);
INSERT INTO computed
SELECT id, NULL, featbit.log_loss(p::float8) FROM one_case, jsonb_array_elements_text(input->'p_truth') p WHERE metric = 'log_loss' GROUP BY id
UNION ALL
SELECT id, NULL, featbit.perplexity(s::float8, t::bigint)
FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'sum_logprob'), jsonb_array_elements_text(input->'tokens')) r(s, t)
WHERE metric = 'perplexity' GROUP BY id
UNION ALL
SELECT id, NULL, avg(auc)
FROM (
	SELECT id, class, featbit.roc_auc(label::int = class, (probs->class)::float8) AS auc
	FROM one_case CROSS JOIN generate_series(0, 2) class, ROWS FROM (jsonb_array_elements_text(input->'label'), jsonb_array_elements(input->'probs')) r(label, probs)
	WHERE metric = 'roc_auc_ovr_macro' GROUP BY id, class
) s GROUP BY id
UNION ALL
SELECT id, NULL, avg(s)
FROM (
	SELECT id, i, sum((p::float8 - (k - 1 = index::int)::int) ^ 2) AS s
	FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'index'), jsonb_array_elements(input->'probs')) WITH ORDINALITY r(index, probs, i),
	     jsonb_array_elements_text(probs) WITH ORDINALITY e(p, k)
	WHERE metric = 'brier_multi' GROUP BY id, i
) s GROUP BY id
UNION ALL
SELECT id, NULL, avg((label::int = ANY (ranked[1:(params->>'k')::int]))::int)
FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'label'), jsonb_array_elements(input->'scores')) r(label, scores),
     LATERAL (SELECT array_agg(k - 1 ORDER BY s::float8 DESC) AS ranked FROM jsonb_array_elements_text(scores) WITH ORDINALITY e(s, k)) o
WHERE metric = 'top_k_accuracy' GROUP BY id, params
UNION ALL
SELECT id, NULL, CASE metric WHEN 'r2' THEN 1 - sum((gold::float8 - pred::float8) ^ 2) / var_pop(gold::float8) / count(*) ELSE (featbit.metric('mean', abs(gold::float8 - pred::float8)::text, NULL)).value END
FROM one_case JOIN label_row USING (id) WHERE metric IN ('mean_absolute_error', 'r2') GROUP BY id, metric;

-- short answers
INSERT INTO computed
SELECT id, NULL, (featbit.metric('exact_match', p, ARRAY[r], NULL,
	CASE WHEN params ? 'ignore_punct' THEN params - 'ignore_punct' || jsonb_build_object('ignore_punctuation', params->'ignore_punct') ELSE params END)).value
FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'pred'), jsonb_array_elements_text(input->'ref')) e(p, r)
WHERE metric = 'exact_match' GROUP BY id, params
UNION ALL
SELECT id, 'em', featbit.squad_em(input->>'pred', pg_temp.texts(input->'refs'))::int FROM one_case WHERE metric = 'squad'
UNION ALL
SELECT id, 'f1', featbit.token_f1(input->>'pred', pg_temp.texts(input->'refs'), jsonb_build_object('empty_is_right', params->>'empty' = 'v2'))
FROM one_case WHERE metric = 'squad';
SELECT count(*) AS cases, count(*) FILTER (WHERE e.value <> em.value OR f.value <> f1.value) AS differ
FROM (
	SELECT id, (featbit.metric('squad_em', input->>'pred', pg_temp.texts(input->'refs'))).value AS value,
	       (featbit.metric('squad_f1', input->>'pred', pg_temp.texts(input->'refs'), 'u', jsonb_build_object('empty_is_right', params->>'empty' = 'v2'))).value AS f
	FROM one_case WHERE metric = 'squad' GROUP BY id, params
) e CROSS JOIN LATERAL (SELECT e.f AS value) f
JOIN computed em ON em.id = e.id AND em.part = 'em' JOIN computed f1 ON f1.id = e.id AND f1.part = 'f1';

-- texts beside references
CREATE TEMP TABLE text_case AS
SELECT id, metric, input, expected,
       (SELECT coalesce(jsonb_object_agg(CASE key WHEN 'tok' THEN 'tokenize' WHEN 'effective' THEN 'effective_order' WHEN 'value' THEN 'smooth_value'
                                             WHEN 'nw' THEN 'word_order' WHEN 'nc' THEN 'char_order' WHEN 'eps' THEN 'eps_smoothing' ELSE key END, value)
                        FILTER (WHERE value <> 'null'), '{}') FROM jsonb_each(params)) AS params
FROM one_case WHERE metric IN ('bleu', 'bleu_stats', 'bleu_from_stats', 'chrf');
INSERT INTO computed
SELECT id, NULL, (featbit.metric(metric, p, pg_temp.texts(r), NULL, params)).value
FROM text_case, ROWS FROM (jsonb_array_elements_text(input->'pred'), jsonb_array_elements(input->'refs')) e(p, r)
WHERE metric IN ('bleu', 'chrf') GROUP BY id, metric, params
UNION ALL
SELECT id, NULL, featbit.bleu_from_stats(pg_temp.texts(input->'stats')::bigint[], params)
FROM text_case WHERE metric = 'bleu_from_stats'
UNION ALL
SELECT id, k::text, value
FROM text_case, unnest(featbit.bleu_stats(input->>'pred', pg_temp.texts(input->'refs'), params)) WITH ORDINALITY s(value, k)
WHERE metric = 'bleu_stats'
UNION ALL
SELECT id, part.key, part.value::float8
FROM one_case, LATERAL featbit.rouge(input->>'pred', input->>'target', metric, '{"unicode": false}') r, LATERAL jsonb_each_text(to_jsonb(r)) part
WHERE metric IN ('rouge_1', 'rouge_2', 'rouge_l')
UNION ALL
SELECT id, NULL, (featbit.metric(metric, h, ARRAY[r])).value
FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'hyp'), jsonb_array_elements_text(input->'ref')) e(h, r)
WHERE metric IN ('wer', 'cer') GROUP BY id, metric
UNION ALL
SELECT id, NULL, CASE metric WHEN 'levenshtein' THEN featbit.levenshtein(input->>'a', input->>'b') ELSE featbit.levenshtein_similarity(input->>'a', input->>'b') END
FROM one_case WHERE metric IN ('levenshtein', 'levenshtein_similarity');
-- single texts are corpora of one row
SELECT count(*) AS cases, count(*) FILTER (WHERE featbit.bleu(input->'pred'->>0, pg_temp.texts(input->'refs'->0), params || '{"effective_order": true}') IS DISTINCT FROM c.value) AS differ
FROM text_case JOIN computed c USING (id) WHERE metric = 'bleu' AND jsonb_array_length(input->'pred') = 1 AND (params->>'effective_order')::boolean;
SELECT count(*) AS cases, count(*) FILTER (WHERE featbit.chrf(input->'pred'->>0, pg_temp.texts(input->'refs'->0), params) IS DISTINCT FROM c.value) AS differ
FROM text_case JOIN computed c USING (id) WHERE metric = 'chrf' AND jsonb_array_length(input->'pred') = 1;
-- the reference tokeniser of ROUGE knows no Hindi, ours does
SELECT id, (featbit.rouge(input->>'pred', input->>'target', metric)).f1 FROM one_case WHERE id = 'L193';

-- samples, means and intervals
INSERT INTO computed
SELECT id, NULL, CASE metric WHEN 'pass_at_k' THEN featbit.pass_at_k(n, c, k) ELSE featbit.pass_pow_k(n, c, k) END
FROM one_case, jsonb_to_record(input) AS r(n int, c int, k int) WHERE metric IN ('pass_at_k', 'pass_pow_k')
UNION ALL
SELECT id, part, CASE part WHEN 'mean' THEN (e).value ELSE (e).se END
FROM (
	SELECT id, featbit.mean_ci(s::float8, u) AS e
	FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'score'), jsonb_array_elements_text(input->'cluster')) r(s, u)
	WHERE metric = 'mean_ci' GROUP BY id
) s, unnest(ARRAY['mean', 'se']) part
UNION ALL
SELECT id, part, CASE part WHEN 'mean' THEN (e).value WHEN 'se' THEN (e).se ELSE (e).p END
FROM (
	SELECT id, featbit.paired_ci(a::float8, b::float8) AS e
	FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'a'), jsonb_array_elements_text(input->'b')) r(a, b)
	WHERE metric = 'paired' AND NOT input ? 'cluster' GROUP BY id
	UNION ALL
	SELECT id, featbit.paired_ci(a::float8, b::float8, u)
	FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'a'), jsonb_array_elements_text(input->'b'), jsonb_array_elements_text(input->'cluster')) r(a, b, u)
	WHERE metric = 'paired' AND input ? 'cluster' GROUP BY id
) s, unnest(ARRAY['mean', 'se', 'p']) part
UNION ALL
SELECT id, part, CASE part WHEN 'lo' THEN ci_low ELSE ci_high END
FROM one_case, featbit.prop_interval((input->>'successes')::bigint, (input->>'n')::bigint, 'wilson', 1 - (params->>'level')::float8), unnest(ARRAY['lo', 'hi']) part
WHERE metric = 'wilson_ci'
UNION ALL
-- accuracy has the same interval
SELECT id, part, CASE part WHEN 'lo' THEN (e).lo ELSE (e).hi END
FROM (
	SELECT id, featbit.metric('accuracy', CASE WHEN i <= (input->>'successes')::int THEN 'yes' ELSE 'no' END, ARRAY['yes'], NULL, params) AS e
	FROM one_case, generate_series(1, (input->>'n')::int) i WHERE metric = 'wilson_ci' GROUP BY id, params
) s, unnest(ARRAY['lo', 'hi']) part
UNION ALL
-- in SQL: the standard error of groups that are pooled
SELECT id, NULL, sqrt(sum((n::float8 - 1) * n::float8 * se::float8 ^ 2) / (sum(n::float8) - count(*)) / sum(n::float8))
FROM one_case, ROWS FROM (jsonb_array_elements_text(input->'se'), jsonb_array_elements_text(input->'n')) r(se, n)
WHERE metric = 'pooled_se' GROUP BY id;

-- each number against what is expected
CREATE TEMP TABLE compared AS
SELECT c.id, c.metric, part, value,
       CASE WHEN jsonb_typeof(expected) = 'null' OR wanted = 'null' THEN value IS NULL ELSE abs(value - wanted::float8) <= tol END AS ok
FROM one_case c JOIN computed USING (id)
CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(expected) WHEN 'object' THEN expected->part WHEN 'array' THEN expected->(part::int - 1) ELSE expected END) w(wanted)
WHERE jsonb_typeof(expected) <> 'object' OR expected ? part;
SELECT metric, count(DISTINCT id) AS cases, count(*) AS numbers, count(*) FILTER (WHERE ok) AS ok FROM compared GROUP BY metric ORDER BY metric COLLATE "C";
SELECT id, metric, part, value, c.expected FROM compared JOIN one_case c USING (id, metric) WHERE ok IS NOT TRUE ORDER BY id, part;
-- every expected number has been compared
SELECT id, key FROM one_case, jsonb_object_keys(CASE jsonb_typeof(expected) WHEN 'object' THEN expected ELSE '{}' END) key
WHERE id IN (SELECT id FROM computed) AND NOT EXISTS (SELECT FROM computed c WHERE c.id = one_case.id AND c.part = key);
-- cases of other parts of the extension
SELECT metric, count(*) FROM one_case WHERE id NOT IN (SELECT id FROM computed) GROUP BY metric ORDER BY metric COLLATE "C";
