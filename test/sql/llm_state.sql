-- The type featbit.metric_state: text, binary and stored form, merging, bad input.
\set VERBOSITY default
CREATE TABLE llm_state (id int, state featbit.metric_state);
-- states of every kind; the last one is large enough to be stored out of line
INSERT INTO llm_state
SELECT n.id, featbit.metric_agg(n.name, CASE WHEN i % 7 = 0 THEN NULL ELSE 'label ' || i * 3 % n.labels END, ARRAY['label ' || i % n.labels], 'unit ' || i % 90)
FROM (VALUES (1, 'accuracy', 5), (2, 'f1_macro', 5), (3, 'mcc', 400)) n(id, name, labels), generate_series(1, 3000) i
GROUP BY n.id, n.name;
INSERT INTO llm_state
SELECT 3 + n.id, featbit.metric_agg(n.name, 'a "quoted" \ label' || chr(9) || i % 3, ARRAY['ünïcode 日本 ' || i % 2])
FROM (VALUES (1, 'accuracy'), (2, 'precision_weighted')) n(id, name), generate_series(1, 10) i
GROUP BY n.id, n.name;
-- every family of metrics, one system and two, with units, without, and not yet known
CREATE TABLE llm_family (metric text, paired boolean, unit boolean, state featbit.metric_state);
INSERT INTO llm_family
SELECT metric, false, false, featbit.metric_agg(metric, pred, ARRAY[ref]) FROM (SELECT m.metric, m.p[1 + i % 3] AS pred, m.r[1 + i % 2] AS ref, 'unit ' || i % 50 AS unit, m.p[1 + i % 2] AS pred_b FROM generate_series(1, 200) i,
	(VALUES ('accuracy', ARRAY['a', 'b', NULL], ARRAY['a', 'b']), ('mcc', '{a,b,c}', '{a,b}'), ('rouge_l', '{the cat,a dog sat,x}', '{the cat sat,a dog}'),
	        ('chrf++', '{the cat,a dog sat,x}', '{the cat sat,a dog}'), ('bleu', '{the cat sat on,a dog sat,x}', '{the cat sat on it,a dog}'), ('wer', '{a b,b c d,c}', '{a b c,b}'),
	        ('roc_auc', '{0.1,Infinity,-Infinity}', '{t,f}'), ('ece', '{0.1,0.25,1}', '{t,f}'), ('brier', '{0.1,0.25,1}', '{t,f}'), ('perplexity', '{-1.5,-2.25,-0.1}', '{3,7}'), ('mean', '{1e10,-3.5,0.1}', '{x,y}')) m(metric, p, r)) s
GROUP BY metric;
INSERT INTO llm_family
SELECT metric, false, true, featbit.metric_agg(metric, pred, ARRAY[ref], unit, '{"level": 0.9}') FROM (SELECT m.metric, m.p[1 + i % 3] AS pred, m.r[1 + i % 2] AS ref, 'unit ' || i % 50 AS unit FROM generate_series(1, 200) i,
	(VALUES ('accuracy', ARRAY['a', 'b', NULL], ARRAY['a', 'b']), ('mcc', '{a,b,c}', '{a,b}'), ('rouge_l', '{the cat,a dog sat,x}', '{the cat sat,a dog}'), ('wer', '{a b,b c d,c}', '{a b c,b}'),
	        ('roc_auc', '{0.1,Infinity,-Infinity}', '{t,f}'), ('log_loss', '{0.1,0.25,1}', '{t,f}'), ('pass_at_k', '{a,b,a}', '{a,b}')) m(metric, p, r)) s
GROUP BY metric;
INSERT INTO llm_family
SELECT metric, true, u, featbit.metric_diff_agg(metric, pred, pred_b, ARRAY[ref], CASE WHEN u THEN unit END, '{}') FROM (SELECT m.metric, m.p[1 + i % 3] AS pred, m.r[1 + i % 2] AS ref, 'unit ' || i % 50 AS unit, m.p[1 + i % 2] AS pred_b FROM generate_series(1, 200) i,
	(VALUES ('accuracy', ARRAY['a', 'b', NULL], ARRAY['a', 'b']), ('mcc', '{a,b,c}', '{a,b}'), ('rouge_l', '{the cat,a dog sat,x}', '{the cat sat,a dog}'), ('wer', '{a b,b c d,c}', '{a b c,b}'),
	        ('average_precision', '{0.1,0.7,0.3}', '{t,f}'), ('brier', '{0.1,0.25,1}', '{t,f}'), ('pass_pow_k', '{a,b,a}', '{a,b}')) m(metric, p, r)) s, unnest(ARRAY[true, false]) u
WHERE u OR metric <> 'pass_pow_k'
GROUP BY metric, u;
INSERT INTO llm_family SELECT metric, false, NULL, featbit.metric_agg(metric, NULL, NULL, NULL, '{}') FROM unnest(ARRAY['accuracy', 'mcc', 'wer', 'roc_auc', 'pass_at_k', 'mean']) metric GROUP BY metric;
SELECT metric, paired, unit, length(state::text) AS length, left(state::text, 150) AS state FROM llm_family ORDER BY metric COLLATE "C", paired, unit;
SELECT count(*), bool_and(state::text::featbit.metric_state::text = state::text) AS same_text,
       bool_and(featbit.metric_state_send(state::text::featbit.metric_state) = featbit.metric_state_send(state)) AS same_binary,
       bool_and(featbit.estimate(state::text::featbit.metric_state) = featbit.estimate(state)) AS same_estimate
FROM llm_family;
CREATE TEMP TABLE family_copy (LIKE llm_family);
\copy llm_family to program 'cat > "$PG_ABS_BUILDDIR/results/llm_family.bin"' (format binary)
\copy family_copy from program 'cat "$PG_ABS_BUILDDIR/results/llm_family.bin"' (format binary)
SELECT count(*), bool_and(c.state::text = s.state::text) AS same FROM family_copy c JOIN llm_family s ON (c.metric, c.paired) = (s.metric, s.paired) AND c.unit IS NOT DISTINCT FROM s.unit;
-- merging a state with one of no rows, or of unknown units, changes nothing
SELECT count(*), bool_and(featbit.estimate(m) = featbit.estimate(state) AND m::text = state::text) AS same
FROM (SELECT f.metric, f.paired, f.unit, f.state, (SELECT featbit.rollup(x) FROM unnest(ARRAY[f.state, e.state]) x) AS m
      FROM llm_family f JOIN llm_family e ON e.metric = f.metric AND e.unit IS NULL AND NOT f.paired AND NOT f.state::text LIKE '%level%') s;
DROP TABLE llm_family;
INSERT INTO llm_state SELECT 6, featbit.metric_agg('f1_micro', 'a', NULL) FROM generate_series(1, 2);
INSERT INTO llm_state SELECT 7, featbit.metric_agg('accuracy', 'a', '{}', 'u') FROM generate_series(1, 2);
SELECT id, left(state::text, 180) AS state FROM llm_state ORDER BY id;
SELECT pg_column_size(state) > 2000 AS is_large FROM llm_state WHERE id = 3;

-- text and binary forms lose nothing
SELECT bool_and(state::text::featbit.metric_state::text = state::text) AS same_text,
       bool_and(featbit.metric_state_send(state::text::featbit.metric_state) = featbit.metric_state_send(state)) AS same_binary,
       bool_and(featbit.estimate(state::text::featbit.metric_state) = featbit.estimate(state)) AS same_estimate
FROM llm_state;
CREATE TEMP TABLE copy_of (LIKE llm_state);
\copy llm_state to program 'cat > "$PG_ABS_BUILDDIR/results/llm_state.bin"' (format binary)
\copy copy_of from program 'cat "$PG_ABS_BUILDDIR/results/llm_state.bin"' (format binary)
SELECT count(*), bool_and(c.state::text = s.state::text) AS same FROM copy_of c JOIN llm_state s USING (id);
-- members may come in any order and layout
SELECT '{"cells":[[0,0,0,2],[0,0,1,3]],"labels":["a","b"],"unit":false,
         "metric":"f1_macro","version":1}'::featbit.metric_state;

-- a stored state of version 1 reads for ever
SELECT round((featbit.estimate('{"version": 1, "metric": "f1_macro", "unit": true, "labels": ["a", "b"], "cells": [[0, 0, 0, 3], [0, 1, null, 1], [5, 1, 1, 2], [63, 0, 1, 1]]}')).se::numeric, 9) AS se;

-- states of any partition merge to the state of the whole, in any order, also with empty parts and NULLs
CREATE TEMP TABLE answer AS
SELECT i, name, 'label ' || i % 4 AS gold, CASE WHEN i % 9 > 0 THEN 'label ' || i * i % 5 END AS pred, 'unit ' || i % 70 AS unit
FROM generate_series(1, 1000) i, unnest(ARRAY['accuracy', 'f1_macro', 'mcc']) name;
WITH whole AS (
	SELECT name, featbit.metric_agg(name, pred, ARRAY[gold], unit) AS state, featbit.metric_agg(name, pred, ARRAY[gold]) AS bare FROM answer GROUP BY name
), part AS (
	SELECT name, i * 7919 % 13 AS part, featbit.metric_agg(name, pred, ARRAY[gold], unit) AS state, featbit.metric_agg(name, pred, ARRAY[gold]) AS bare
	FROM answer GROUP BY 1, 2
	UNION ALL
	SELECT name, 99, featbit.metric_agg(name, pred, NULL, unit), NULL FROM answer GROUP BY name
), merged AS (
	SELECT name, featbit.rollup(state ORDER BY part) AS up, featbit.rollup(state ORDER BY part DESC) AS down, featbit.rollup(bare) AS bare
	FROM part GROUP BY name
)
SELECT count(*), bool_and(up::text = w.state::text AND down::text = w.state::text AND m.bare::text = w.bare::text) AS same
FROM whole w JOIN merged m USING (name);
SELECT featbit.rollup(state) IS NULL AS none FROM llm_state WHERE false;
SELECT featbit.rollup(NULL::featbit.metric_state) IS NULL AS only_null;
SELECT featbit.estimate(NULL);
-- merging leaves what is stored alone
SELECT featbit.rollup(state) IS NOT NULL AS merged FROM (SELECT state FROM llm_state WHERE id = 2 UNION ALL SELECT state FROM llm_state WHERE id = 2) s;
SELECT c.state::text = s.state::text AS unchanged FROM copy_of c JOIN llm_state s USING (id) WHERE id = 2;
-- plpgsql keeps states in variables
DO $$
DECLARE one featbit.metric_state; two featbit.metric_state;
BEGIN
	SELECT state INTO one FROM llm_state WHERE id = 2;
	two := one;
	SELECT featbit.rollup(s) INTO one FROM unnest(ARRAY[one, two]) s;
	RAISE NOTICE 'n = %, %', (featbit.estimate(one)).n, (featbit.estimate(two)).n;
END $$;

SELECT featbit.rollup(state) FROM llm_state WHERE id IN (1, 2);
SELECT featbit.rollup(state) FROM llm_state WHERE id IN (1, 4);

-- bad text: each has its own reason
CREATE FUNCTION pg_temp.refused(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	RETURN 'accepted: ' || input::featbit.metric_state::text;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN format('%s %s: %s', SQLSTATE, SQLERRM, detail);
END $$;
SELECT i, pg_temp.refused(input)
FROM (VALUES
	(1, ''), (2, 'null'), (3, '[]'), (4, '{}'), (5, '{"version": 1'),
	(6, '{"version": 2, "metric": "mcc", "unit": true, "labels": [], "cells": []}'),
	(7, '{"version": "1", "metric": "mcc", "unit": true, "labels": [], "cells": []}'),
	(8, '{"version": 1, "metric": "auc", "unit": true, "labels": [], "cells": []}'),
	(9, '{"version": 1, "metric": "mcc", "unit": 1, "labels": [], "cells": []}'),
	(10, '{"version": 1, "metric": "mcc", "unit": true, "labels": {}, "cells": []}'),
	(11, '{"version": 1, "metric": "mcc", "unit": true, "labels": []}'),
	(12, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": []}'),
	(13, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a", "a"], "cells": [[0, 0, 1, 1]]}'),
	(14, '{"version": 1, "metric": "mcc", "unit": true, "labels": [1], "cells": [[0, 0, 0, 1]]}'),
	(15, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[64, 0, 0, 1]]}'),
	(16, '{"version": 1, "metric": "mcc", "unit": false, "labels": ["a"], "cells": [[1, 0, 0, 1]]}'),
	(17, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 1, 0, 1]]}'),
	(18, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 1, 1]]}'),
	(19, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, null, 0, 1]]}'),
	(20, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0, 0]]}'),
	(21, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0, -1]]}'),
	(22, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0, 1.5]]}'),
	(23, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0, 9999999999999999999]]}'),
	(24, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0, 9223372036854775807], [1, 0, 0, 1]]}'),
	(25, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0, 1], [0, 0, 0, 1]]}'),
	(26, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0]]}'),
	(27, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [{"a": 1}]}'),
	(28, '{"version": 1, "metric": "mcc", "unit": true, "labels": ["a"], "cells": [[0, 0, 0, 1]], "rows": 1}'),
	(29, '{"version": 1, "metric": "accuracy", "unit": false, "rows": 1, "correct": 2}'),
	(30, '{"version": 1, "metric": "accuracy", "unit": false, "rows": -1, "correct": -2}'),
	(31, '{"version": 1, "metric": "accuracy", "unit": false, "rows": 1}'),
	(32, '{"version": 1, "metric": "accuracy", "unit": true, "rows": 1, "correct": 1}'),
	(33, '{"version": 1, "metric": "accuracy", "unit": true, "units": [["00000000000000000000000000000000", 0, 0]]}'),
	(34, '{"version": 1, "metric": "accuracy", "unit": true, "units": [["00000000000000000000000000000000", 1, 2]]}'),
	(35, '{"version": 1, "metric": "accuracy", "unit": true, "units": [["0000000000000000000000000000000G", 1, 1]]}'),
	(36, '{"version": 1, "metric": "accuracy", "unit": true, "units": [["", 1, 1]]}'),
	(38, '{"version": 1, "metric": "wer", "unit": false, "rows": 1, "sums": [1, 2], "means": [1, 2], "products": [0, 0]}'),
	(39, '{"version": 1, "metric": "wer", "unit": false, "rows": 1, "sums": [1, 2], "means": [1, 2], "products": [-1, 0, 0]}'),
	(40, '{"version": 1, "metric": "wer", "unit": true, "buckets": [[64, 1, 1, 2]]}'),
	(41, '{"version": 1, "metric": "wer", "unit": true, "buckets": [[1, 0, 1, 2]]}'),
	(42, '{"version": 1, "metric": "wer", "unit": true, "buckets": [[1, 1, 1, 2], [1, 1, 1, 2]]}'),
	(43, '{"version": 1, "metric": "wer", "unit": true, "buckets": [[1, 1, 1, "Infinity"]]}'),
	(44, '{"version": 1, "metric": "ece", "unit": false, "rows": [[0, 1, 2]]}'),
	(45, '{"version": 1, "metric": "roc_auc", "unit": false, "rows": [[0, 2, 2]]}'),
	(46, '{"version": 1, "metric": "roc_auc", "unit": false, "rows": [[0, 1, "x"]]}'),
	(47, '{"version": 1, "metric": "roc_auc", "unit": null, "rows": [[0, 1, 1]]}'),
	(48, '{"version": 1, "metric": "mean", "unit": false, "rows": 1, "mean": 1, "m2": 1}'),
	(49, '{"version": 1, "metric": "pass_at_k", "unit": false, "rows": 1, "correct": 1}'),
	(50, '{"version": 1, "metric": "accuracy", "paired": true, "unit": false, "rows": 2, "wins": 2, "losses": 1}'),
	(51, '{"version": 1, "metric": "accuracy", "paired": 1, "unit": false, "rows": 2, "wins": 2, "losses": 1}'),
	(52, '{"version": 1, "metric": "accuracy", "params": {"k": 1}, "unit": false, "rows": 1, "correct": 1}'),
	(37, '{"version": 1, "metric": "accuracy", "unit": true, "units": [["00000000000000000000000000000000", 1, 1], ["00000000000000000000000000000000", 1, 1]]}')
) v(i, input) ORDER BY i;

-- bad binary input: version, metric, flag, parameters, label, cell, end
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\4\\2\\13\\0\\2\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\4\\1\\143\\0\\2\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\4\\1\\13\\2\\0\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\4\\1\\13\\0\\3\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\10\\1\\46\\0\\1\\0\\0\\0\\0\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\10\\1\\13\\0\\2\\377\\377\\377\\377\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\20\\1\\13\\0\\2\\0\\0\\0\\0\\0\\0\\0\\1\\377\\377\\377\\377\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\21\\1\\13\\0\\2\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\7\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\4\\1\\13\\0\\2\\377\\377"' (format binary)
DROP TABLE llm_state;
