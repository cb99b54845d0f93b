-- Paired answers, rank tests, pairwise preferences.
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.show(v float8) RETURNS numeric LANGUAGE sql AS $$ SELECT round(v::numeric, 6) $$;

-- McNemar: small and large counts, all methods, one-sided, nothing to test.
SELECT b, c, pg_temp.show(share) AS share, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(chisq) AS chisq, pg_temp.show(chisq_corrected) AS corrected, pg_temp.show(p_exact) AS p_exact,
	pg_temp.show(p_midp) AS p_midp, pg_temp.show(p_chisq) AS p_chisq, pg_temp.show(p_corrected) AS p_corrected, pg_temp.show(log10_p) AS log10_p, method_used, status
FROM (VALUES (1, 10::bigint, 25::bigint), (2, 25, 10), (3, 5, 5), (4, 0, 0), (5, 0, 1), (6, 600, 700), (7, 400000, 600000), (8, NULL, 3), (9, 499, 500)) v(i, b, c), LATERAL featbit.mcnemar_test(b, c) ORDER BY i;
SELECT method, alternative, pg_temp.show(p_value) AS p_value, pg_temp.show(log10_p) AS log10_p, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, method_used
FROM unnest('{exact,midp,chisq,corrected}'::text[]) WITH ORDINALITY m(method, i), unnest('{two-sided,greater,less}'::text[]) WITH ORDINALITY a(alternative, j), LATERAL featbit.mcnemar_test(10, 25, method, alternative) ORDER BY i, j;

-- Win rates and interleaving.
SELECT wins, ties, losses, pg_temp.show(win_rate) AS win_rate, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, n, status
FROM (VALUES (1, 132::bigint, 40::bigint, 88::bigint), (2, 10, 0, 0), (3, 0, 10, 0), (4, 1, 0, 0), (5, 0, 0, 0), (6, NULL, 1, 1), (7, 60, 0, 40), (8, 5000000, 0, 4000000)) v(i, wins, ties, losses), LATERAL featbit.win_rate(wins, ties, losses) ORDER BY i;
SELECT pg_temp.show(delta) AS delta, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, n, status FROM featbit.interleaving_test(541, 462, 2103);
-- Without ties the interval is Wilson's on n - 1; the share's standard error is that of stats_agg.
SELECT count(*) > 900 AS many, count(*) FILTER (WHERE abs(w.se - featbit.stddev(s) / sqrt(n)) > 1e-12) AS se, count(*) FILTER (WHERE abs(w.win_rate - featbit.mean(s)) > 1e-12) AS mean
FROM (SELECT i, floor(random() * 20)::bigint AS a, floor(random() * 20)::bigint AS b, 1 + floor(random() * 20)::bigint AS c FROM generate_series(1, 1000) i) r,
	LATERAL featbit.win_rate(a, b, c) w, LATERAL (SELECT featbit.stats_agg(v) AS s FROM (SELECT 1.0::float8 AS v FROM generate_series(1, a) UNION ALL SELECT 0.5 FROM generate_series(1, b) UNION ALL SELECT 0 FROM generate_series(1, c)) x) y
WHERE w.status = 'ok';

-- The paired t test.
SELECT pg_temp.show(effect) AS effect, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(statistic) AS statistic, df, pg_temp.show(p_value) AS p_value, n, status
FROM (VALUES (1, '{1,2,3,5}'::float8[]), (2, '{1,1}'), (3, '{1}'), (4, '{}')) v(i, d), LATERAL (SELECT featbit.stats_agg(x) AS s FROM unnest(d) x) a, LATERAL featbit.paired_effect(s) ORDER BY i;

-- Signed ranks: depression scores of Hollander and Wolfe, zeros and ties in both ways.
CREATE TEMP TABLE score AS SELECT * FROM unnest('{1.83,0.5,1.62,2.48,1.68,1.88,1.55,3.06,1.3}'::float8[], '{0.878,0.647,0.598,2.05,1.06,1.29,1.06,3.14,1.29}'::float8[]) u(x, y);
SELECT n, n_zero, statistic, pg_temp.show(effect) AS effect, pg_temp.show(shift) AS shift, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, method_used, status, notes
FROM (SELECT (featbit.wilcoxon(x, y)).* FROM score) r;
SELECT method, kept, alternative, r.n, r.n_zero, r.statistic, pg_temp.show(r.effect) AS effect, pg_temp.show(r.z) AS score, pg_temp.show(p_value) AS p_value, method_used, status, notes
FROM (SELECT featbit.wilcoxon_agg(d, 0) AS s FROM unnest('{0,0,1,-1,2,2,-3,4,5,6,7,NULL,NaN}'::float8[]) d) a, unnest('{auto,exact,normal,corrected}'::text[]) WITH ORDINALITY m(method, i), unnest('{wilcox,pratt}'::text[]) WITH ORDINALITY w(kept, k),
	unnest('{two-sided,greater,less}'::text[]) WITH ORDINALITY b(alternative, j), LATERAL featbit.wilcoxon(s, method, kept, alternative) r ORDER BY i, k, j;
SELECT n, n_zero, statistic, effect, shift, ci_low, ci_high, p_value, method_used, status, notes
FROM (VALUES (1, '{}'::float8[]), (2, '{0,0}'), (3, '{1}'), (4, NULL), (5, '{NaN,Infinity}'), (6, '{1,2,3,4,5,6}')) v(i, d), LATERAL (SELECT featbit.wilcoxon_agg(x, 0) AS s FROM unnest(d) x) a, LATERAL featbit.wilcoxon(s) r ORDER BY i;
SELECT n, status FROM featbit.wilcoxon(NULL::featbit.rank_sample);

-- Two samples: permeability of Hollander and Wolfe, ties, empty arms.
SELECT n_c, n_t, statistic, pg_temp.show(effect) AS effect, pg_temp.show(shift) AS shift, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_value) AS p_value, method_used, status, notes
FROM (SELECT (featbit.mann_whitney(y, t)).* FROM (SELECT unnest('{0.8,0.83,1.89,1.04,1.45,1.38,1.91,1.64,0.73,1.46}'::float8[]), true UNION ALL SELECT unnest('{1.15,0.88,0.9,0.74,1.21}'::float8[]), false) q(y, t)) r;
SELECT method, alternative, r.statistic, pg_temp.show(r.effect) AS effect, pg_temp.show(r.z) AS score, pg_temp.show(p_value) AS p_value, pg_temp.show(r.shift) AS shift, r.ci_low, r.ci_high, method_used, notes
FROM (SELECT featbit.mann_whitney_agg(y, t) AS s FROM (SELECT unnest('{1,1,2,3,3,4,9}'::float8[]), false UNION ALL SELECT unnest('{2,3,5,5,6,7,8,9}'::float8[]), true) q(y, t)) a, unnest('{auto,exact,normal,corrected}'::text[]) WITH ORDINALITY m(method, i),
	unnest('{two-sided,greater,less}'::text[]) WITH ORDINALITY b(alternative, j), LATERAL featbit.mann_whitney(s, method, alternative) r ORDER BY i, j;
SELECT n_c, n_t, statistic, effect, shift, ci_low, ci_high, p_value, method_used, status
FROM (VALUES (1, '{}'::float8[], '{1}'::float8[]), (2, '{1}', '{}'), (3, '{1,1}', '{1}'), (4, '{1}', '{2}'), (5, '{1,2,3}', '{4,5,6,7}')) v(i, c, t),
	LATERAL (SELECT featbit.mann_whitney_agg(y, arm) AS s FROM (SELECT unnest(c), false UNION ALL SELECT unnest(t), true) q(y, arm)) a, LATERAL featbit.mann_whitney(s) r ORDER BY i;

-- Scale, shift and order change nothing; the area of a random arm against itself is one half; a state merges to what it is as a whole.
SELECT setseed(0.5);
CREATE TEMP TABLE value AS SELECT i, i % 40 AS part, random() < 0.4 AS treated, floor(20 * random()) / 4 AS y FROM generate_series(1, 4000) i;
SELECT whole.statistic = scaled.statistic AND whole.p_value = scaled.p_value AND abs(whole.shift * 8 - scaled.shift) < 1e-12 AS scaled, abs(whole.effect + swapped.effect - 1) < 1e-12 AND abs(whole.p_value - swapped.p_value) < 1e-12 AND whole.shift = -swapped.shift AS swapped
FROM (SELECT (featbit.mann_whitney(y, treated)).* FROM value) whole, (SELECT (featbit.mann_whitney(y * 8 - 3, treated ORDER BY y)).* FROM value) scaled, (SELECT (featbit.mann_whitney(y, NOT treated)).* FROM value) swapped;
CREATE TEMP TABLE part AS SELECT part, featbit.mann_whitney_agg(y, treated) AS two, featbit.wilcoxon_agg(y, 2.5) AS paired, featbit.preference_agg('m' || (i % 7), 'm' || (i % 5), floor(3 * random()) / 2) AS preference FROM value GROUP BY part;
SELECT (SELECT featbit.mann_whitney_agg(y, treated)::text FROM value) = (SELECT featbit.rollup(two ORDER BY random())::text FROM part) AS two_samples, (SELECT featbit.wilcoxon_agg(y, 2.5)::text FROM value) = (SELECT featbit.rollup(paired ORDER BY random())::text FROM part) AS paired,
	(SELECT featbit.rollup(preference)::text FROM part) = (SELECT featbit.rollup(preference ORDER BY part DESC)::text FROM part) AS preference;
SELECT count(*) AS states, count(*) FILTER (WHERE two::text::featbit.rank_sample::text <> two::text OR paired::text::featbit.rank_sample::text <> paired::text OR preference::text::featbit.preference::text <> preference::text) AS text,
	count(*) FILTER (WHERE (two::text::featbit.rank_sample) IS NULL) AS nulls FROM part;
-- Lossless in binary; bytes that are no states are refused.
\set abs_builddir `echo "$PG_ABS_BUILDDIR"`
\set file :abs_builddir '/results/metrics_preference.copy'
CREATE TEMP TABLE copied (LIKE part);
\set command '\\copy part TO ' :'file' ' (FORMAT binary)'
:command
\set command '\\copy copied FROM ' :'file' ' (FORMAT binary)'
:command
SELECT count(*) AS states, count(*) FILTER (WHERE a.two::text = b.two::text AND a.paired::text = b.paired::text AND a.preference::text = b.preference::text) AS same FROM part a JOIN copied b USING (part);
SELECT encode(featbit.rank_sample_send(featbit.wilcoxon_agg(d, 0)), 'hex') FROM (VALUES (2), (-1)) v(d);
SELECT encode(featbit.preference_send(featbit.preference_agg('b', 'a', 1)), 'hex');
CREATE TEMP TABLE bad_binary (i int, what text, body bytea);
INSERT INTO bad_binary VALUES
	(1, 'two', '\x0201000000000000000000000000 00000000'), (2, 'two', '\x0103000000000000000000000000 00000000'), (3, 'two', '\x0101ffffffffffffffff00000000 00000000'),
	(4, 'two', '\x01010000000000000000ffffffff 00000000'), (5, 'two', '\x010100000000000000000000000100000000 7ff8000000000000'), (6, 'two', '\x010100000000000000000000000000000001 3ff0000000000000'),
	(7, 'preference', '\x02000000000000000000000000'), (8, 'preference', '\x010000000000000000ffffffff'), (9, 'preference', '\x01000000000000000000000001ffffffff61'), (10, 'preference', '\x0100000000000000000000000200000001610000000161 0000000000000000 0000000000000000 0000000000000000 0000000000000000'),
	(11, 'preference', '\x010000000000000000000000010000000161 3ff0000000000000'), (12, 'preference', '\x010000000000000000000000010000000161');
CREATE FUNCTION pg_temp.binary_file(number int) RETURNS oid LANGUAGE sql AS $$
	SELECT lo_from_bytea(0, '\x5047434f50590aff0d0a0000000000000000000001' || int4send(length(body)) || body || '\xffff') FROM bad_binary WHERE i = number
$$;
SELECT pg_temp.binary_file(1) AS large, what AS column FROM bad_binary WHERE i = 1 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(2) AS large, what AS column FROM bad_binary WHERE i = 2 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(3) AS large, what AS column FROM bad_binary WHERE i = 3 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(4) AS large, what AS column FROM bad_binary WHERE i = 4 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(5) AS large, what AS column FROM bad_binary WHERE i = 5 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(6) AS large, what AS column FROM bad_binary WHERE i = 6 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(7) AS large, what AS column FROM bad_binary WHERE i = 7 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(8) AS large, what AS column FROM bad_binary WHERE i = 8 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(9) AS large, what AS column FROM bad_binary WHERE i = 9 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(10) AS large, what AS column FROM bad_binary WHERE i = 10 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(11) AS large, what AS column FROM bad_binary WHERE i = 11 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT pg_temp.binary_file(12) AS large, what AS column FROM bad_binary WHERE i = 12 \gset
\lo_export :large :file
\set receive '\\copy copied (' :column ') FROM ' :'file' ' (FORMAT binary)'
:receive
SELECT count(lo_unlink(oid)) AS files FROM pg_largeobject_metadata;
-- A parallel plan says what a serial one says.
CREATE TABLE many AS SELECT i, (i * 7919 % 1009)::float8 AS y, i * 31 % 97 < 40 AS treated, 'item ' || i % 13 AS a, 'item ' || i * 17 % 11 AS b FROM generate_series(1::bigint, 30000) i;
ANALYZE many;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT featbit.mann_whitney(y, treated) AS two, featbit.wilcoxon(y, 500) AS paired, featbit.bradley_terry(a, b, (y::int % 3) / 2.0) AS strengths FROM many;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT p.two = s.two AS two, p.paired = s.paired AS paired, (SELECT bool_and(abs(x.strength - y.strength) < 1e-9 AND abs(x.se - y.se) < 1e-9) FROM unnest(p.strengths) x JOIN unnest(s.strengths) y USING (item)) AS strengths
FROM (SELECT featbit.mann_whitney(y, treated) AS two, featbit.wilcoxon(y, 500) AS paired, featbit.bradley_terry(a, b, (y::int % 3) / 2.0) AS strengths FROM many) p, serial s;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
-- In a window with a moving frame the same.
SELECT i, (featbit.mann_whitney(y, treated) OVER w).statistic, (featbit.wilcoxon(y, 500) OVER w).statistic AS signed FROM many WHERE i <= 6 WINDOW w AS (ORDER BY i) ORDER BY i;
DROP TABLE many;

-- Strengths: Wikipedia's example, against a reference, ties, nobody to compare.
SELECT item, pg_temp.show(strength) AS strength, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(rating) AS rating, rank, games, wins, status
FROM featbit.bradley_terry('{"items": ["A", "B", "C", "D"], "scores": [[0,2,0,1],[3,0,5,0],[0,3,0,1],[4,0,3,0]]}');
SELECT item, pg_temp.show(strength) AS strength, pg_temp.show(se) AS se, pg_temp.show(ci_low) AS ci_low, rank
FROM featbit.bradley_terry('{"items": ["A", "B", "C", "D"], "scores": [[0,2,0,1],[3,0,5,0],[0,3,0,1],[4,0,3,0]]}', 0.1, 'B');
SELECT i, s.item, pg_temp.show(s.strength) AS strength, pg_temp.show(s.se) AS se, s.rank, s.games, s.wins, s.status
FROM (VALUES (1, '{x,y,y,z}'::text[], '{y,z,x,y}'::text[], '{1,1,0.5,0.5}'::float8[]), (2, '{x,y}', '{y,z}', '{1,1}'), (3, '{x}', '{x}', '{1}'), (4, '{x,x}', '{y,y}', '{1,0}'), (5, '{x,x}', '{y,y}', '{2,NaN}'), (6, '{}', '{}', '{}')) v(i, a, b, o),
	LATERAL (SELECT featbit.preference_agg(x, y, w) AS p FROM unnest(a, b, o) u(x, y, w)) g, LATERAL featbit.bradley_terry(p) WITH ORDINALITY s ORDER BY i, s.ordinality;
SELECT item, pg_temp.show(strength) AS strength, pg_temp.show(se) AS se FROM featbit.bradley_terry('{"items": ["x", "y", "z"], "scores": [[0,1,0],[0,0,1],[0,0,0]]}', virtual_ties => 0.5);
SELECT count(*) FROM featbit.bradley_terry(NULL::featbit.preference);
SELECT item, games, wins, status, notes FROM (SELECT featbit.bradley_terry(a, b, o) AS r FROM (VALUES ('x', 'y', 1::float8), ('y', 'x', 1), ('x', 'x', 1), ('x', 'y', 2), ('x', 'y', NULL)) v(a, b, o)) t, unnest(t.r) s;
SELECT item, notes FROM featbit.bradley_terry('{"items": ["x", "y"], "scores": [[0, 1], [2, 0]]}');
SELECT featbit.preference_agg(a, b, o) FROM (VALUES ('ä', 'b"', 1), ('b"', 'ä', 0.25), ('b"', 'b"', 1), ('', 'b"', 0)) v(a, b, o);
SELECT pg_temp.show(featbit.elo_expected(1613, 1609)) AS expected, featbit.elo_expected(0, 1e9) AS hopeless, featbit.elo_expected(NULL, 1) AS nobody;
-- Two hundred items around a ring.
SELECT count(*) AS items, count(*) FILTER (WHERE status = 'ok') AS ok, max(abs(log_strength)) < 0.01 AS equal FROM (SELECT featbit.preference_agg('i' || i % 200, 'i' || (i + 1) % 200, i / 200 % 2) AS p FROM generate_series(0, 799) i) g, LATERAL featbit.bradley_terry(p);

-- Errors
SELECT pg_temp.complaint(command) FROM unnest(ARRAY[
	'SELECT featbit.mcnemar_test(-1, 2)',
	'SELECT featbit.mcnemar_test(1, 2, ''fisher'')',
	'SELECT featbit.mcnemar_test(1, 2, alternative => ''more'')',
	'SELECT featbit.mcnemar_test(1, 2, alpha => 1)',
	'SELECT featbit.mcnemar_test(1, 2, NULL)',
	'SELECT featbit.win_rate(1, 9007199254740993, 2)',
	'SELECT featbit.interleaving_test(1, -2)',
	'SELECT featbit.interleaving_test(1, 2, 3, NULL)',
	'SELECT featbit.elo_expected(''Infinity'', 1)',
	'SELECT featbit.wilcoxon((SELECT two FROM part LIMIT 1))',
	'SELECT featbit.mann_whitney((SELECT paired FROM part LIMIT 1))',
	'SELECT featbit.wilcoxon((SELECT paired FROM part LIMIT 1), ''fast'')',
	'SELECT featbit.wilcoxon((SELECT paired FROM part LIMIT 1), zeros => ''keep'')',
	'SELECT featbit.wilcoxon((SELECT paired FROM part LIMIT 1), alpha => NULL)',
	'SELECT featbit.mann_whitney((SELECT two FROM part LIMIT 1), alternative => NULL)',
	'SELECT featbit.rollup(s) FROM (SELECT two AS s FROM part UNION ALL SELECT paired FROM part) u',
	'SELECT featbit.rank_sample_accum((SELECT two FROM part LIMIT 1), 1, 2::float8)',
	'SELECT featbit.rank_sample_accum((SELECT paired FROM part LIMIT 1), 1, true)',
	'SELECT ''{"kind": "paired"}''::featbit.rank_sample',
	'SELECT ''{"kind": "three", "differences": []}''::featbit.rank_sample',
	'SELECT ''{"kind": "paired", "differences": [1, "2"]}''::featbit.rank_sample',
	'SELECT ''{"kind": "paired", "differences": [[1]]}''::featbit.rank_sample',
	'SELECT ''{"kind": "paired", "differences": [1e200]}''::featbit.rank_sample',
	'SELECT ''{"kind": "paired", "differences": [], "control": []}''::featbit.rank_sample',
	'SELECT ''{"kind": "two_samples", "control": [1], "treatment": 2}''::featbit.rank_sample',
	'SELECT ''{"kind": "paired", "differences": [], "n_bad": -1}''::featbit.rank_sample',
	'SELECT ''{"version": 2, "kind": "paired", "differences": []}''::featbit.rank_sample',
	'SELECT ''[1]''::featbit.rank_sample',
	'SELECT ''{"items": ["a"], "scores": [[1]]}''::featbit.preference',
	'SELECT ''{"items": ["a", "b"], "scores": [[0, 1]]}''::featbit.preference',
	'SELECT ''{"items": ["a", "b"], "scores": [[0, 1], [1]]}''::featbit.preference',
	'SELECT ''{"items": ["a", "a"], "scores": [[0, 1], [1, 0]]}''::featbit.preference',
	'SELECT ''{"items": ["a", 1], "scores": [[0, 1], [1, 0]]}''::featbit.preference',
	'SELECT ''{"items": ["a", "b"], "scores": [[0, -1], [1, 0]]}''::featbit.preference',
	'SELECT * FROM featbit.bradley_terry((SELECT preference FROM part LIMIT 1), reference => ''nobody'')',
	'SELECT * FROM featbit.bradley_terry((SELECT preference FROM part LIMIT 1), virtual_ties => -1)',
	'SELECT featbit.preference_agg(i::text, ''x'', 1) FROM generate_series(1, 1000) i',
	'SELECT featbit.preference_agg(repeat(''x'', 1001), ''x'', 1)',
	'SELECT featbit.mann_whitney_agg(i, true) FROM generate_series(1, 100000) i']) WITH ORDINALITY c(command, i), (SELECT set_config('work_mem', '64', false), set_config('hash_mem_multiplier', '1', false)) m ORDER BY i;
