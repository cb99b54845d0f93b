-- Scores of single texts: rules at their edges, references, parameters, errors.
\set VERBOSITY default
-- tokenisers and smoothing
SELECT p, r, round(featbit.bleu(p, ARRAY[r])::numeric, 4) AS bleu, round(featbit.chrf(p, ARRAY[r])::numeric, 4) AS chrf,
       round(featbit.chrf(p, ARRAY[r], '{"word_order": 2}')::numeric, 4) AS "chrf++"
FROM (VALUES ('the cat sat on the mat', 'the cat sat on the mat'), ('the cat sat', 'the cat sat on the mat'), ('', 'a'), ('a', ''), ('', ''), ('日本語', '日本'), ('x', 'y')) v(p, r);
SELECT t, round(featbit.bleu('你好，世界！今天', ARRAY['你好，世界。今天'], jsonb_build_object('tokenize', t))::numeric, 4) AS bleu FROM unnest(ARRAY['13a', 'none', 'char', 'intl']) t;
SELECT s, round(featbit.bleu('a b c x', ARRAY['a b c d'], jsonb_build_object('smooth', s))::numeric, 4) AS bleu,
       round(featbit.bleu('a b c x', ARRAY['a b c d'], jsonb_build_object('smooth', s, 'smooth_value', 0.5))::numeric, 4) AS half FROM unnest(ARRAY['exp', 'floor', 'add-k', 'none']) s;
-- the closest reference, the shorter of two as close; NULLs among references are left out
SELECT featbit.bleu_stats('a b c', ARRAY['a', 'a b', 'a b c d']), featbit.bleu_stats('a b c', ARRAY['x', NULL, 'a b']), featbit.bleu_stats('a b c', '{x}', '{"max_order": 2}');
SELECT featbit.bleu('a', '{}') IS NULL AS none, featbit.bleu('a', ARRAY[NULL]::text[]) IS NULL AS only_null, featbit.bleu('a', NULL) IS NULL AS null_refs, featbit.chrf(NULL, '{a}') IS NULL AS null_pred;
SELECT round(featbit.bleu_from_stats(ARRAY[0, 5, 0, 0, 0, 0, 0, 0, 0, 0])::numeric, 4) AS empty, round(featbit.bleu_from_stats(ARRAY[10, 12, 8, 6, 4, 2, 10, 9, 8, 7])::numeric, 4) AS some;
-- the BLEU of a corpus is not the mean of BLEUs, but that of summed statistics
SELECT round((featbit.metric('bleu', p, ARRAY[r])).value::numeric, 6) AS corpus, round(avg(featbit.bleu(p, ARRAY[r]))::numeric, 6) AS mean,
       round(featbit.bleu_from_stats((SELECT array_agg(s ORDER BY i) FROM (SELECT i, sum(s)::bigint AS s FROM (VALUES ('the cat sat on the mat', 'the cat sat on a mat'), ('a dog', 'the dog barks')) w(p, r), unnest(featbit.bleu_stats(p, ARRAY[r])) WITH ORDINALITY u(s, i) GROUP BY i) t))::numeric, 6) AS summed
FROM (VALUES ('the cat sat on the mat', 'the cat sat on a mat'), ('a dog', 'the dog barks')) v(p, r);

-- ROUGE
SELECT k, r.* FROM unnest(ARRAY['rouge_1', 'rouge_2', 'rouge_l']) k, featbit.rouge('police kill the gunman', 'police killed the gunman', k) r;
SELECT featbit.rouge('', 'a'), featbit.rouge('a', ''), featbit.rouge('', ''), featbit.rouge('École', 'ÉCOLE'), featbit.rouge('École', 'ÉCOLE', params => '{"unicode": false}'), featbit.rouge('a_b', 'a b', 'rouge_2');
SELECT s, round((featbit.metric('rouge_l', p, r, NULL, jsonb_build_object('score', s))).value::numeric, 6) AS value
FROM unnest(ARRAY['f1', 'precision', 'recall']) s, (VALUES ('a b c', ARRAY['a x c d', 'z']), (NULL, ARRAY['a']), ('a', NULL)) v(p, r) GROUP BY s ORDER BY s;

-- exact match: regular expressions, case, marks, numbers in this order
SELECT p, r, featbit.exact_match(p, ARRAY[r]) AS exact, featbit.exact_match(p, ARRAY[r], '{"ignore_case": true}') AS "case", featbit.exact_match(p, ARRAY[r], '{"ignore_punctuation": true}') AS marks,
       featbit.exact_match(p, ARRAY[r], '{"ignore_numbers": true}') AS numbers, featbit.exact_match(p, ARRAY[r], '{"regexes": ["^the\\s+", "[.!]+$"]}') AS regexes
FROM (VALUES ('a', 'a'), ('A', 'a'), ('a!', 'a'), ('a1', 'a2'), ('the cat', 'cat.'), ('ΣΑΣ', 'σας'), ('a“', 'a'), ('٣', '')) v(p, r);
-- matches do not overlap; an empty one deletes nothing, a longer one after it is found
SELECT featbit.exact_match('aaa', '{""}', '{"regexes": ["aa"]}') AS pairs, featbit.exact_match('baab', '{"bb"}', '{"regexes": ["a??"]}') AS lazy, featbit.exact_match('ab', '{"ab"}', '{"regexes": ["x*"]}') AS empty,
       featbit.exact_match('日x本', '{"日本"}', '{"regexes": ["[a-z]"]}') AS unicode, featbit.exact_match('abc', '{"c"}', '{"regexes": ["a", "^b"]}') AS one_by_one,
       featbit.exact_match(repeat('äb', 100000), ARRAY[repeat('ä', 100000)], '{"regexes": ["b"]}') AS long;
SELECT featbit.exact_match('a', '{b,a}') AS second, featbit.exact_match('a', '{}') IS NULL AS none;

-- SQuAD
SELECT p, r, featbit.squad_em(p, r) AS em, round(featbit.token_f1(p, r)::numeric, 4) AS f1
FROM (VALUES ('The a an', ARRAY['']), ('a the', ARRAY['x']), ('to be or not to be', ARRAY['to be']), ('it''s', ARRAY['its', 'x']), ('the-cat', ARRAY['thecat']), ('a_b', ARRAY['ab']), ('New  York', ARRAY['york new', 'york'])) v(p, r);

-- error rates and distances
SELECT left(p, 8) AS p, left(r, 8) AS r, featbit.wer(p, r) AS wer, featbit.cer(p, r) AS cer, featbit.cer(p, r, '{"collapse_ws": true}') AS collapsed, featbit.levenshtein(p, r) AS distance, round(featbit.levenshtein_similarity(p, r)::numeric, 4) AS similarity
FROM (VALUES ('kitten', 'sitting'), ('a  b', 'a b'), (' a ', 'a'), ('', ''), ('x y', ''), ('', 'x y'), (U&'e\0301', 'é'), ('🎉', '🎊'), (repeat('ab', 200), repeat('ba', 200))) v(p, r);
-- of several references the one with the lowest rate counts
SELECT (featbit.metric('wer', 'a b c', ARRAY['a b c d e f', 'a b x'])).value, (featbit.metric('cer', 'abc', ARRAY['x', 'abd'])).value;
-- long texts in linear memory; the distance of like ones takes no time
SELECT featbit.levenshtein(repeat('abcdefgh', 30000), repeat('abcdefgh', 10000) || 'x' || repeat('abcdefgh', 20000)) AS distance,
       (featbit.rouge(repeat('a b c ', 20000), repeat('a b d ', 20000))).f1 AS rouge, round(featbit.bleu(repeat('a b c ', 50000), ARRAY[repeat('a b d ', 50000)])::numeric, 6) AS bleu;
SET statement_timeout = '300ms';
SELECT featbit.levenshtein(string_agg(chr((97 + i::bigint * i % 26)::int), ''), string_agg(chr((97 + i::bigint * i * 7 % 25)::int), '')) FROM generate_series(1, 400000) i;
RESET statement_timeout;

-- samples
SELECT featbit.pass_at_k(10, 3, 5), featbit.pass_pow_k(10, 8, 4), featbit.pass_at_k(0, 0, 1) IS NULL AS none, featbit.pass_at_k(2147483647, 1000000000, 1000000000) AS many;

-- they can be indexed
CREATE TEMP TABLE answer (pred text, ref text);
CREATE INDEX ON answer (featbit.levenshtein_similarity(pred, ref));
CREATE INDEX ON answer (((featbit.rouge(pred, ref)).f1)) WHERE featbit.exact_match(pred, ARRAY[ref]);
CREATE INDEX ON answer (featbit.bleu(pred, ARRAY[ref]), featbit.token_f1(pred, ARRAY[ref]));
INSERT INTO answer SELECT 'answer ' || i, 'answer ' || i % 3 FROM generate_series(1, 100) i;
SET enable_seqscan = off;
SELECT count(*) FROM answer WHERE featbit.levenshtein_similarity(pred, ref) = 1;
RESET enable_seqscan;

-- what a metric takes, and how it is told
SELECT featbit.metric_signature('bleu'), featbit.metric_signature('bleu', '{"tokenize": "intl", "smooth": "floor", "lowercase": true}');
SELECT featbit.metric_signature('chrf++'), featbit.metric_signature('f1_macro', '{"labels": "union"}');

-- errors
SELECT featbit.bleu('a', '{a}', '{"tokenise": "13a"}');
SELECT featbit.bleu('a', '{a}', '{"tokenize": "zh"}');
SELECT featbit.bleu('a', '{a}', '{"tokenize": 1}');
SELECT featbit.bleu('a', '{a}', '{"max_order": 9}');
SELECT featbit.bleu('a', '{a}', '{"max_order": 1.5}');
SELECT featbit.bleu('a', '{a}', '{"smooth_value": -1}');
SELECT featbit.bleu('a', '{a}', '{"smooth": "floor", "smooth_value": 2}');
SELECT featbit.bleu('a', '{a}', '{"lowercase": "yes"}');
SELECT featbit.bleu('a', '{a}', '[1]');
SELECT featbit.chrf('a', '{a}', '{"beta": 0}');
SELECT featbit.bleu('a', '{{a,b},{c,d}}');
SELECT featbit.bleu_from_stats('{1,2}');
SELECT featbit.bleu_from_stats('{1,2,3,4,5,6,7,8,9,-1}');
SELECT featbit.rouge('a', 'b', 'bleu');
SELECT featbit.rouge('a', 'b', 'rouge_3');
SELECT featbit.exact_match('a', '{a}', '{"regexes": ["("]}');
SELECT featbit.exact_match('a', '{a}', '{"regexes": []}');
SELECT featbit.exact_match('a', '{a}', '{"regexes": [1]}');
SELECT featbit.exact_match(repeat('a', 40) || 'b', '{a}', '{"regexes": ["(a+)+$"]}');
SELECT featbit.pass_at_k(1, 2, 1);
SELECT featbit.pass_pow_k(1, 1, 0);
SELECT featbit.metric_signature('blue');
