-- scores of single rows: texts beside references, samples of a task

CREATE FUNCTION featbit.exact_match(pred text, refs text[], params jsonb DEFAULT '{}') RETURNS boolean
	AS 'MODULE_PATHNAME', 'fb_exact_match' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION featbit.squad_em(pred text, refs text[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'fb_squad_em' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION featbit.token_f1(pred text, refs text[], params jsonb DEFAULT '{}') RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_token_f1' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
CREATE FUNCTION featbit.bleu(pred text, refs text[], params jsonb DEFAULT '{}') RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_bleu' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION featbit.bleu_stats(pred text, refs text[], params jsonb DEFAULT '{}') RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'fb_bleu_stats' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION featbit.bleu_from_stats(stats bigint[], params jsonb DEFAULT '{}') RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_bleu_from_stats' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.chrf(pred text, refs text[], params jsonb DEFAULT '{}') RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_chrf' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION featbit.rouge(pred text, ref text, kind text DEFAULT 'rouge_l', params jsonb DEFAULT '{}', OUT "precision" float8, OUT recall float8, OUT f1 float8)
	AS 'MODULE_PATHNAME', 'fb_rouge_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
CREATE FUNCTION featbit.wer(pred text, ref text) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_wer' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION featbit.cer(pred text, ref text, params jsonb DEFAULT '{}') RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_cer' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION featbit.levenshtein(a text, b text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'fb_levenshtein' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION featbit.levenshtein_similarity(a text, b text) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_levenshtein_similarity_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
CREATE FUNCTION featbit.pass_at_k(n integer, c integer, k integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_pass_at_k_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.pass_pow_k(n integer, c integer, k integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_pass_pow_k_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.exact_match(text, text[], jsonb) IS 'whether a text equals one of the references, character by character; NULL without a reference, as for a NULL argument. params: regexes (patterns of PCRE2 whose matches are deleted first), ignore_case, ignore_punctuation (the 32 marks of ASCII), ignore_numbers (0 to 9), applied in this order to both sides. Errors: 22023 for unknown parameters, 2201B for a pattern that does not compile, 54000 for one that needs too much work';
COMMENT ON FUNCTION featbit.squad_em(text, text[]) IS 'whether an answer equals one of the references after the normalisation of SQuAD: lower case, the marks of ASCII deleted, the words a, an and the left out, white space collapsed; NULL without a reference';
COMMENT ON FUNCTION featbit.token_f1(text, text[], jsonb) IS 'F1 of the words that an answer shares with the best reference after the normalisation of SQuAD, each word as often as it occurs; NULL without a reference. params: empty_is_right (default true: two empty answers are 1, as in version 2 of SQuAD; false: 0, as in version 1)';
COMMENT ON FUNCTION featbit.bleu(text, text[], jsonb) IS 'BLEU of one text, 0 to 100, as sacreBLEU has it for sentences; NULL without a reference. params: tokenize (13a, none, char, intl), smooth (exp, floor, add-k, none), smooth_value (0.1 for floor, 1 for add-k), effective_order (default true here), lowercase, max_order (4). The BLEU of a corpus is not the mean of these: use metric(''bleu'', …)';
COMMENT ON FUNCTION featbit.bleu_stats(text, text[], jsonb) IS 'statistics of BLEU of one text, which add up over a corpus: length in tokens, length of the closest reference, hits of each order, n-grams of each order; params as for bleu';
COMMENT ON FUNCTION featbit.bleu_from_stats(bigint[], jsonb) IS 'BLEU from summed statistics of bleu_stats; params as for bleu, with effective_order false by default. Error 2202E for an array of the wrong length';
COMMENT ON FUNCTION featbit.chrf(text, text[], jsonb) IS 'chrF of one text, 0 to 100, as sacreBLEU has it; NULL without a reference. params: char_order (6), word_order (0; 2 is chrF++), beta (2), lowercase, whitespace, eps_smoothing';
COMMENT ON FUNCTION featbit.rouge(text, text, text, jsonb) IS 'precision, recall and F1 of ROUGE without stemming. kind: rouge_1, rouge_2 or rouge_l (longest common subsequence). params: unicode (default true: words are runs of letters and numbers of any script; false: of a to z and 0 to 9, as Google''s rouge_score has it)';
COMMENT ON FUNCTION featbit.wer(text, text) IS 'word error rate of one text: edits between words, split at white space, over words of the reference; without words in it, the number of edits';
COMMENT ON FUNCTION featbit.cer(text, text, jsonb) IS 'character error rate of one text: edits between characters, without white space at the ends, over characters of the reference; without characters in it, the number of edits. params: collapse_ws (runs of white space are one blank)';
COMMENT ON FUNCTION featbit.levenshtein(text, text) IS 'number of characters to insert, delete or substitute to make one text of the other; of any length, in linear memory. Two texts of a million characters with nothing in common take about a minute and can be cancelled';
COMMENT ON FUNCTION featbit.levenshtein_similarity(text, text) IS '1 - levenshtein / length of the longer text in characters; 1 for two empty texts';
COMMENT ON FUNCTION featbit.pass_at_k(integer, integer, integer) IS 'pass@k: the probability that at least one of k samples is right, estimated from n samples of which c are (Chen et al. 2021); NULL for k > n. Errors: 22023 for c outside 0 to n or k below 1';
COMMENT ON FUNCTION featbit.pass_pow_k(integer, integer, integer) IS 'pass^k: the probability that all of k samples are right, estimated from n samples of which c are; NULL for k > n. Errors: 22023 for c outside 0 to n or k below 1';
