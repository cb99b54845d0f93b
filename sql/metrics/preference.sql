
-- Paired and ranked data ---------------------------------------------------------------------------

CREATE FUNCTION featbit.mcnemar_test(
	b bigint,
	c bigint,
	method text DEFAULT 'auto',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	OUT share float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT chisq float8,
	OUT chisq_corrected float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT p_exact float8,
	OUT p_midp float8,
	OUT p_chisq float8,
	OUT p_corrected float8,
	OUT method_used text,
	OUT status text)
	AS 'MODULE_PATHNAME', 'fb_mcnemar_test_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.mcnemar_test(bigint, bigint, text, text, float8) IS
'McNemar''s test (1947) of paired yes/no answers: did both arms, or both models on the same examples, do equally well? Use it in FROM or LATERAL.
Arguments: b: pairs with yes in control and no in treatment; c: pairs with no in control and yes in treatment (pairs that agree say nothing); method "exact" (binomial; two-sided twice the smaller tail), "midp" (Lancaster 1961: outcomes as extreme as the observed one count half), "chisq" ((b - c)^2 / (b + c)), "corrected" (Edwards 1948: (|b - c| - 1)^2 / (b + c)), "auto": exact for fewer than 1000 pairs that differ, else corrected; alternative "two-sided", "greater" (treatment is better) or "less"; alpha.
Returns one row: share = c / (b + c) with its exact interval ci_low to ci_high (Clopper and Pearson 1934; it excludes 1/2 when p_exact < alpha), chisq, chisq_corrected, p_value and log10_p by the method used, the p-values of all four methods, method_used, and status: no_data (a count is NULL), zero_variance (no pair differs: the exact p_value is 1, the others NULL), ok.
Errors: 22023 for counts outside 0 to 2^53, an unknown method or alternative, or alpha outside (0,1); 22004 for a NULL argument behind the counts.';

CREATE FUNCTION featbit.win_rate(
	wins bigint,
	ties bigint,
	losses bigint,
	alpha float8 DEFAULT 0.05,
	OUT win_rate float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT n bigint,
	OUT status text)
	AS 'MODULE_PATHNAME', 'fb_win_rate_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.win_rate(bigint, bigint, bigint, float8) IS
'Share of wins in independent pairwise comparisons, a tie counting half.
Arguments: wins, ties, losses; alpha.
Returns one row: win_rate s = (wins + ties / 2) / n; se^2 = (wins (1 - s)^2 + ties (1/2 - s)^2 + losses s^2) / (n - 1) / n; ci_low, ci_high: Wilson''s interval on the s (1 - s) / se^2 comparisons that the variance stands for; p_value and log10_p of the exact two-sided sign test, which leaves out the ties; n; status: no_data (a count is NULL, or all are 0), insufficient_n (one comparison), zero_variance (all alike: no se), ok. Comparisons of the same pair in both orders, or of one user, are not independent: give stats_agg their mean instead.
Errors: 22023 for counts outside 0 to 2^53 or alpha outside (0,1); 22004 for a NULL alpha.';

CREATE FUNCTION featbit.interleaving_test(
	wins_a bigint,
	wins_b bigint,
	ties bigint DEFAULT 0,
	alpha float8 DEFAULT 0.05,
	OUT delta float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT n bigint,
	OUT status text)
	AS 'MODULE_PATHNAME', 'fb_interleaving_test_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.interleaving_test(bigint, bigint, bigint, float8) IS
'Interleaved rankings: do sessions prefer ranking A (Chapelle, Joachims, Radlinski and Yue 2012)?
Arguments: wins_a, wins_b: sessions with more clicks on results of A, of B; ties: sessions with as many; alpha.
Returns one row: delta = (wins_a + ties / 2) / n - 1/2; se, ci_low, ci_high, p_value (sign test without the ties), log10_p, n and status as of win_rate. For many looks keep each session''s preference (1, 0.5 or 0) in stats_agg and compare with effect_sequential.
Errors: those of win_rate.';

CREATE FUNCTION featbit.elo_expected(rating_a float8, rating_b float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_elo_expected_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.elo_expected(float8, float8) IS
'Score that Elo''s rating system expects of a against b: 1 / (1 + 10^((rating_b - rating_a) / 400)). Errors: 22023 for ratings that are not finite. NULL gives NULL.';

CREATE FUNCTION featbit.paired_effect(
	differences featbit.stats,
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	null_value float8 DEFAULT 0,
	OUT effect float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT statistic float8,
	OUT df float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT n bigint,
	OUT status text,
	OUT notes text[])
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT e.effect, e.se, e.ci_low, e.ci_high, e.statistic, e.df, e.p_value, e.log10_p, e.n_t, e.status, e.notes
		FROM featbit.effect('{"kind": "mean", "n": 2, "means": [0], "comoments": [0]}', differences, 'absolute', alternative, alpha, 'welch', null_value) e
$$;

COMMENT ON FUNCTION featbit.paired_effect(featbit.stats, text, float8, float8) IS
'Paired t test: the mean of the differences of pairs against null_value. It is Welch''s test against a constant.
Arguments: differences: stats_agg(treatment - control), one row for each pair; alternative, alpha, null_value: as of effect.
Returns one row: effect, the mean difference, with se, ci_low, ci_high, statistic, df = n - 1, p_value, log10_p, n; status and notes as of effect.
Errors: 22023 for a state that is not of kind mean, and those of effect.';

-- States of rank tests -----------------------------------------------------------------------------

CREATE TYPE featbit.rank_sample;

CREATE FUNCTION featbit.rank_sample_in(cstring) RETURNS featbit.rank_sample
	AS 'MODULE_PATHNAME', 'fb_rank_sample_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.rank_sample_out(featbit.rank_sample) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_rank_sample_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.rank_sample_recv(internal) RETURNS featbit.rank_sample
	AS 'MODULE_PATHNAME', 'fb_rank_sample_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.rank_sample_send(featbit.rank_sample) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_rank_sample_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.rank_sample_in(cstring) IS
'Input function of type featbit.rank_sample. Errors: 22P02 for text that is not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.rank_sample_out(featbit.rank_sample) IS
'Output function of type featbit.rank_sample: a JSON object that restores the state to the bit; equal samples print equally.';
COMMENT ON FUNCTION featbit.rank_sample_recv(internal) IS
'Binary input function of type featbit.rank_sample. Errors: 22P03 for bytes that are not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.rank_sample_send(featbit.rank_sample) IS
'Binary output function of type featbit.rank_sample, in network byte order: version, kind (1 paired, 2 two_samples), one byte each, n_bad (8 bytes), the number of differences or of values of control and that of treatment (4 bytes each), then the values in ascending order as float8.';

CREATE TYPE featbit.rank_sample (
	INPUT = featbit.rank_sample_in,
	OUTPUT = featbit.rank_sample_out,
	RECEIVE = featbit.rank_sample_recv,
	SEND = featbit.rank_sample_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.rank_sample IS
'Mergeable state of a rank test: the values themselves, 8 bytes each. Text form: a JSON object with version, kind, n_bad and differences (kind paired) or control and treatment (kind two_samples), arrays of numbers. Made by wilcoxon_agg and mann_whitney_agg, merged by rollup over disjoint units, read by wilcoxon and mann_whitney.';

CREATE FUNCTION featbit.rank_sample_accum(state featbit.rank_sample, x float8, y float8) RETURNS featbit.rank_sample
	AS 'MODULE_PATHNAME', 'fb_rank_sample_accum_pair' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.rank_sample_accum(state featbit.rank_sample, y float8, is_treatment boolean) RETURNS featbit.rank_sample
	AS 'MODULE_PATHNAME', 'fb_rank_sample_accum_arm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.rank_sample_merge(featbit.rank_sample, featbit.rank_sample) RETURNS featbit.rank_sample
	AS 'MODULE_PATHNAME', 'fb_rank_sample_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.rank_sample_final(featbit.rank_sample) RETURNS featbit.rank_sample
	AS 'MODULE_PATHNAME', 'fb_rank_sample_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.rank_sample_accum(featbit.rank_sample, float8, float8) IS
'Transition function of wilcoxon_agg and wilcoxon: the state with the difference x - y. Errors: 22023 for a state of kind two_samples, 53200 when the values outgrow work_mem * hash_mem_multiplier.';
COMMENT ON FUNCTION featbit.rank_sample_accum(featbit.rank_sample, float8, boolean) IS
'Transition function of mann_whitney_agg and mann_whitney: the state with one value more. Errors: 22023 for a state of kind paired, 53200 when the values outgrow work_mem * hash_mem_multiplier.';
COMMENT ON FUNCTION featbit.rank_sample_merge(featbit.rank_sample, featbit.rank_sample) IS
'The state of the union of two disjoint sets of units: combine function of the rank tests and rollup. Errors: 22023 for states of different kinds, 53200 when the values outgrow work_mem * hash_mem_multiplier.';
COMMENT ON FUNCTION featbit.rank_sample_final(featbit.rank_sample) IS
'Final function of wilcoxon_agg, mann_whitney_agg and rollup: the state in ascending order, without room to grow.';

CREATE TYPE featbit.wilcoxon_result AS (n bigint, n_zero bigint, statistic float8, effect float8, shift float8, ci_low float8, ci_high float8,
	z float8, p_value float8, log10_p float8, method_used text, status text, notes text[]);

COMMENT ON TYPE featbit.wilcoxon_result IS 'Result of Wilcoxon''s signed-rank test.';
COMMENT ON COLUMN featbit.wilcoxon_result.n IS 'pairs, differences of zero included';
COMMENT ON COLUMN featbit.wilcoxon_result.n_zero IS 'pairs without a difference';
COMMENT ON COLUMN featbit.wilcoxon_result.statistic IS 'V, the sum of the ranks of the positive differences';
COMMENT ON COLUMN featbit.wilcoxon_result.effect IS 'rank-biserial correlation: (sum of positive - sum of negative ranks) / sum of both, from -1 to 1';
COMMENT ON COLUMN featbit.wilcoxon_result.shift IS 'Hodges-Lehmann estimate of the difference: median of the means of any two differences';
COMMENT ON COLUMN featbit.wilcoxon_result.ci_low IS 'lower bound of shift; NULL where there are too few pairs for the level';
COMMENT ON COLUMN featbit.wilcoxon_result.ci_high IS 'upper bound of shift';
COMMENT ON COLUMN featbit.wilcoxon_result.z IS 'standardised statistic of the normal approximation, otherwise NULL';
COMMENT ON COLUMN featbit.wilcoxon_result.p_value IS 'p-value';
COMMENT ON COLUMN featbit.wilcoxon_result.log10_p IS 'decimal logarithm of the p-value';
COMMENT ON COLUMN featbit.wilcoxon_result.method_used IS 'exact, normal or corrected';
COMMENT ON COLUMN featbit.wilcoxon_result.status IS 'no_data, zero_variance (all differences are zero), resolution (too many pairs for method exact), ok';
COMMENT ON COLUMN featbit.wilcoxon_result.notes IS 'ties, ignored_values';

CREATE TYPE featbit.mann_whitney_result AS (n_c bigint, n_t bigint, statistic float8, effect float8, shift float8, ci_low float8, ci_high float8,
	z float8, p_value float8, log10_p float8, method_used text, status text, notes text[]);

COMMENT ON TYPE featbit.mann_whitney_result IS 'Result of the Mann-Whitney test.';
COMMENT ON COLUMN featbit.mann_whitney_result.n_c IS 'units of control';
COMMENT ON COLUMN featbit.mann_whitney_result.n_t IS 'units of treatment';
COMMENT ON COLUMN featbit.mann_whitney_result.statistic IS 'U, the number of pairs in which treatment exceeds control, ties counting half';
COMMENT ON COLUMN featbit.mann_whitney_result.effect IS 'U / (n_c n_t) = P(T > C) + P(T = C) / 2, the area under the ROC curve';
COMMENT ON COLUMN featbit.mann_whitney_result.shift IS 'Hodges-Lehmann estimate of the shift: median of all differences treatment - control';
COMMENT ON COLUMN featbit.mann_whitney_result.ci_low IS 'lower bound of shift; NULL where there are too few units for the level';
COMMENT ON COLUMN featbit.mann_whitney_result.ci_high IS 'upper bound of shift';
COMMENT ON COLUMN featbit.mann_whitney_result.z IS 'standardised statistic of the normal approximation, otherwise NULL';
COMMENT ON COLUMN featbit.mann_whitney_result.p_value IS 'p-value';
COMMENT ON COLUMN featbit.mann_whitney_result.log10_p IS 'decimal logarithm of the p-value';
COMMENT ON COLUMN featbit.mann_whitney_result.method_used IS 'exact, normal or corrected';
COMMENT ON COLUMN featbit.mann_whitney_result.status IS 'no_data (an arm is empty), zero_variance (all values are equal), resolution (too many units for method exact), ok';
COMMENT ON COLUMN featbit.mann_whitney_result.notes IS 'ties, ignored_values';

CREATE FUNCTION featbit.wilcoxon(
	state featbit.rank_sample,
	method text DEFAULT 'auto',
	zeros text DEFAULT 'wilcox',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05)
	RETURNS featbit.wilcoxon_result
	AS 'MODULE_PATHNAME', 'fb_wilcoxon_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.wilcoxon(featbit.rank_sample, text, text, text, float8) IS
'Wilcoxon''s signed-rank test (1945) on a state of wilcoxon_agg: are the differences x - y symmetric about zero? Use it in FROM or LATERAL.
Arguments: state: of kind paired; method "exact" (permutation distribution by counting, with mid-ranks where there are ties; up to 1000 pairs), "normal" (variance corrected for ties), "corrected" (and for continuity), "auto": exact up to 50 pairs without ties and zeros, else corrected; zeros "wilcox" (left out before ranking) or "pratt" (Pratt 1959: ranked, and their ranks left out); alternative "two-sided", "greater" (x exceeds y) or "less"; alpha.
Returns one row, see type wilcoxon_result; two-sided p-values are twice the smaller tail. The interval holds all pairs, is exact up to 50 of them, otherwise by the normal approximation, and supposes differences without ties.
Errors: 22023 for a state of another kind, an unknown method, zeros or alternative, or alpha outside (0,1); 22004 for a NULL argument behind the state.';

CREATE FUNCTION featbit.wilcoxon_final(featbit.rank_sample) RETURNS featbit.wilcoxon_result
	AS 'MODULE_PATHNAME', 'fb_wilcoxon_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.wilcoxon_final(featbit.rank_sample) IS
'Final function of the aggregate wilcoxon: wilcoxon(state) with its defaults.';

CREATE FUNCTION featbit.mann_whitney(
	state featbit.rank_sample,
	method text DEFAULT 'auto',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05)
	RETURNS featbit.mann_whitney_result
	AS 'MODULE_PATHNAME', 'fb_mann_whitney_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.mann_whitney(featbit.rank_sample, text, text, float8) IS
'Mann and Whitney''s test (1947), also called Wilcoxon''s rank-sum test, on a state of mann_whitney_agg: do the values of treatment tend to be larger? Use it in FROM or LATERAL.
Arguments: state: of kind two_samples; method "exact" (permutation distribution by counting, with mid-ranks where there are ties; n_c + n_t up to 1000 as far as it fits into 32 MB: 125 units in each arm), "normal" (variance corrected for ties), "corrected" (and for continuity), "auto": exact for n_c n_t up to 400 without ties, else corrected; alternative "two-sided", "greater" (treatment is larger) or "less"; alpha.
Returns one row, see type mann_whitney_result; two-sided p-values are twice the smaller tail. The interval is exact for n_c n_t up to 400, otherwise by the normal approximation, and supposes values without ties.
Errors: 22023 for a state of another kind, an unknown method or alternative, or alpha outside (0,1); 22004 for a NULL argument behind the state.';

CREATE FUNCTION featbit.mann_whitney_final(featbit.rank_sample) RETURNS featbit.mann_whitney_result
	AS 'MODULE_PATHNAME', 'fb_mann_whitney_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.mann_whitney_final(featbit.rank_sample) IS
'Final function of the aggregate mann_whitney: mann_whitney(state) with its defaults.';

CREATE AGGREGATE featbit.wilcoxon_agg(x float8, y float8) (
	SFUNC = featbit.rank_sample_accum,
	STYPE = featbit.rank_sample,
	SSPACE = 8192,
	FINALFUNC = featbit.rank_sample_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.rank_sample_merge,
	INITCOND = '{"kind": "paired", "differences": []}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.wilcoxon_agg(float8, float8) IS
'State of kind paired over one pair of values per unit, for wilcoxon(state, …). x, y: the values, of which x - y is kept; a pair with a NULL is ignored, a difference that is NaN or beyond 1e140 is ignored and counted. Errors: 53200 when the values outgrow work_mem * hash_mem_multiplier.';

CREATE AGGREGATE featbit.mann_whitney_agg(y float8, is_treatment boolean) (
	SFUNC = featbit.rank_sample_accum,
	STYPE = featbit.rank_sample,
	SSPACE = 8192,
	FINALFUNC = featbit.rank_sample_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.rank_sample_merge,
	INITCOND = '{"kind": "two_samples", "control": [], "treatment": []}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.mann_whitney_agg(float8, boolean) IS
'State of kind two_samples over one value per unit, for mann_whitney(state, …). y: the value; is_treatment: its arm; rows with a NULL are ignored, values that are NaN or beyond 1e140 are ignored and counted. Errors: 53200 when the values outgrow work_mem * hash_mem_multiplier.';

CREATE AGGREGATE featbit.rollup(featbit.rank_sample) (
	SFUNC = featbit.rank_sample_merge,
	STYPE = featbit.rank_sample,
	SSPACE = 8192,
	FINALFUNC = featbit.rank_sample_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.rank_sample_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.rank_sample) IS
'Merges states of rank tests over disjoint units. NULL states are ignored; NULL when there is none. Errors: 22023 for states of different kinds, 53200 when the values outgrow work_mem * hash_mem_multiplier.';

CREATE AGGREGATE featbit.wilcoxon(x float8, y float8) (
	SFUNC = featbit.rank_sample_accum,
	STYPE = featbit.rank_sample,
	SSPACE = 8192,
	FINALFUNC = featbit.wilcoxon_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.rank_sample_merge,
	INITCOND = '{"kind": "paired", "differences": []}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.wilcoxon(float8, float8) IS
'Wilcoxon''s signed-rank test of x - y over pairs, two-sided, with the defaults of wilcoxon(state); read it with (featbit.wilcoxon(x, y)).*. Arguments and errors as of wilcoxon_agg.';

CREATE AGGREGATE featbit.mann_whitney(y float8, is_treatment boolean) (
	SFUNC = featbit.rank_sample_accum,
	STYPE = featbit.rank_sample,
	SSPACE = 8192,
	FINALFUNC = featbit.mann_whitney_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.rank_sample_merge,
	INITCOND = '{"kind": "two_samples", "control": [], "treatment": []}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.mann_whitney(float8, boolean) IS
'Mann and Whitney''s test of treatment against control, two-sided, with the defaults of mann_whitney(state); read it with (featbit.mann_whitney(y, is_treatment)).*. Arguments and errors as of mann_whitney_agg.';

-- Pairwise preferences -----------------------------------------------------------------------------

CREATE TYPE featbit.preference;

CREATE FUNCTION featbit.preference_in(cstring) RETURNS featbit.preference
	AS 'MODULE_PATHNAME', 'fb_preference_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.preference_out(featbit.preference) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_preference_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.preference_recv(internal) RETURNS featbit.preference
	AS 'MODULE_PATHNAME', 'fb_preference_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.preference_send(featbit.preference) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_preference_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.preference_in(cstring) IS
'Input function of type featbit.preference. Errors: 22P02 for text that is not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.preference_out(featbit.preference) IS
'Output function of type featbit.preference: a JSON object that restores the state to the bit, its items in the order of their bytes.';
COMMENT ON FUNCTION featbit.preference_recv(internal) IS
'Binary input function of type featbit.preference. Errors: 22P03 for bytes that are not a valid state; the detail says why.';
COMMENT ON FUNCTION featbit.preference_send(featbit.preference) IS
'Binary output function of type featbit.preference, in network byte order: version (1 byte), n_bad (8 bytes), the number of items (4 bytes), for each item its length (4 bytes) and text, then the scores by rows as float8.';

CREATE TYPE featbit.preference (
	INPUT = featbit.preference_in,
	OUTPUT = featbit.preference_out,
	RECEIVE = featbit.preference_recv,
	SEND = featbit.preference_send,
	INTERNALLENGTH = variable,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.preference IS
'Mergeable state of pairwise comparisons: what each item scored against each other. Text form: a JSON object with version, n_bad, items (names) and scores (a row for each item: its wins against each item, ties counting half). Made by preference_agg, merged by rollup, read by bradley_terry.';

CREATE TYPE featbit.strength AS (item text, strength float8, log_strength float8, se float8, ci_low float8, ci_high float8, rating float8, rank int,
	games float8, wins float8, status text, notes text[]);

COMMENT ON TYPE featbit.strength IS 'Strength of an item in the model of Bradley and Terry.';
COMMENT ON COLUMN featbit.strength.item IS 'the item';
COMMENT ON COLUMN featbit.strength.strength IS 'strength; i beats j with probability s_i / (s_i + s_j); the geometric mean is 1, or the reference has 1';
COMMENT ON COLUMN featbit.strength.log_strength IS 'natural logarithm of strength';
COMMENT ON COLUMN featbit.strength.se IS 'standard error of log_strength, 0 of the reference';
COMMENT ON COLUMN featbit.strength.ci_low IS 'lower bound of log_strength';
COMMENT ON COLUMN featbit.strength.ci_high IS 'upper bound of log_strength';
COMMENT ON COLUMN featbit.strength.rating IS '400 / ln 10 log_strength: add a base, such as 1000, to get ratings on the scale of Elo''s';
COMMENT ON COLUMN featbit.strength.rank IS '1 + number of items whose interval lies above this one''s';
COMMENT ON COLUMN featbit.strength.games IS 'comparisons';
COMMENT ON COLUMN featbit.strength.wins IS 'wins among them, ties counting half';
COMMENT ON COLUMN featbit.strength.status IS 'insufficient_n (one item), disconnected (some items never scored against the others: no finite strengths), resolution, ok';
COMMENT ON COLUMN featbit.strength.notes IS 'ignored_values: comparisons of an item with itself or with an outcome outside 0 to 1 were left out';

CREATE FUNCTION featbit.preference_accum(state featbit.preference, a text, b text, outcome float8) RETURNS featbit.preference
	AS 'MODULE_PATHNAME', 'fb_preference_accum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.preference_merge(featbit.preference, featbit.preference) RETURNS featbit.preference
	AS 'MODULE_PATHNAME', 'fb_preference_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.preference_final(featbit.preference) RETURNS featbit.preference
	AS 'MODULE_PATHNAME', 'fb_preference_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.strengths(state featbit.preference, alpha float8, reference text, virtual_ties float8) RETURNS featbit.strength[]
	AS 'MODULE_PATHNAME', 'fb_bradley_terry_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.strengths(state featbit.preference) RETURNS featbit.strength[]
	AS 'MODULE_PATHNAME', 'fb_bradley_terry_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.preference_accum(featbit.preference, text, text, float8) IS
'Transition function of preference_agg and bradley_terry: the state with one comparison more. Errors: 54000 for more than 1000 items or a name longer than 1000 bytes.';
COMMENT ON FUNCTION featbit.preference_merge(featbit.preference, featbit.preference) IS
'The state of both sets of comparisons: combine function of preference_agg, bradley_terry and rollup. Errors: 54000 for more than 1000 items.';
COMMENT ON FUNCTION featbit.preference_final(featbit.preference) IS
'Final function of preference_agg and rollup: the state with its items in order, without room to grow.';
COMMENT ON FUNCTION featbit.strengths(featbit.preference, float8, text, float8) IS
'The rows of bradley_terry(state, alpha, reference, virtual_ties) as an array, in the order of the items'' bytes. Errors: those of bradley_terry.';
COMMENT ON FUNCTION featbit.strengths(featbit.preference) IS
'Final function of the aggregate bradley_terry: strengths with alpha 0.05, no reference and no virtual ties.';

CREATE AGGREGATE featbit.preference_agg(a text, b text, outcome float8) (
	SFUNC = featbit.preference_accum,
	STYPE = featbit.preference,
	SSPACE = 1024,
	FINALFUNC = featbit.preference_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.preference_merge,
	INITCOND = '{"items": [], "scores": []}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.preference_agg(text, text, float8) IS
'State of pairwise comparisons, for bradley_terry(state, …). a, b: the items compared, told apart by their bytes; outcome: 1 if a won, 0 if b did, 0.5 for a tie; rows with a NULL are ignored, comparisons of an item with itself and outcomes outside 0 to 1 are ignored and counted. Errors: 54000 for more than 1000 items or a name longer than 1000 bytes.';

CREATE AGGREGATE featbit.rollup(featbit.preference) (
	SFUNC = featbit.preference_merge,
	STYPE = featbit.preference,
	SSPACE = 1024,
	FINALFUNC = featbit.preference_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.preference_merge,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.preference) IS
'Merges states of disjoint sets of comparisons. NULL states are ignored; NULL when there is none. Errors: 54000 for more than 1000 items.';

CREATE AGGREGATE featbit.bradley_terry(a text, b text, outcome float8) (
	SFUNC = featbit.preference_accum,
	STYPE = featbit.preference,
	SSPACE = 1024,
	FINALFUNC = featbit.strengths,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.preference_merge,
	INITCOND = '{"items": [], "scores": []}',
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.bradley_terry(text, text, float8) IS
'Strengths of items from pairwise comparisons, centred, as an array with an element for each item: SELECT s.* FROM (SELECT featbit.bradley_terry(a, b, outcome) AS r FROM …) t, unnest(t.r) s. Arguments and errors as of preference_agg.';

CREATE FUNCTION featbit.bradley_terry(
	state featbit.preference,
	alpha float8 DEFAULT 0.05,
	reference text DEFAULT NULL,
	virtual_ties float8 DEFAULT 0)
	RETURNS SETOF featbit.strength
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT s.item, s.strength, s.log_strength, s.se, s.ci_low, s.ci_high, s.rating, s.rank, s.games, s.wins, s.status, s.notes
		FROM unnest(featbit.strengths(state, alpha, reference, virtual_ties)) WITH ORDINALITY
			s(item, strength, log_strength, se, ci_low, ci_high, rating, rank, games, wins, status, notes, place)
		ORDER BY s.log_strength DESC NULLS LAST, s.place
$$;

COMMENT ON FUNCTION featbit.bradley_terry(featbit.preference, float8, text, float8) IS
'Strengths of items from pairwise comparisons (Bradley and Terry 1952): P(i beats j) = s_i / (s_i + s_j), by maximum likelihood, a tie counting as half a win of each.
Arguments: state: of preference_agg; alpha: intervals have the level 1 - alpha; reference: the item that has strength 1 and that the standard errors relate to, NULL to centre the logarithms; virtual_ties: comparisons of every item with an average one that are added as ties, such as 0.5, to get finite strengths where somebody won or lost always.
Returns a row for each item, the strongest first, see type strength; standard errors are from the inverse of the information matrix, with one reference, or for centred logarithms. Comparisons must be independent: a judge who sees each pair in both orders gives one outcome, not two.
Errors: 22023 for an unknown reference, alpha outside (0,1) or virtual_ties outside 0 to 1000000; 22004 for a NULL alpha or virtual_ties.';
