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
	(37, '{"version": 1, "metric": "accuracy", "unit": true, "units": [["00000000000000000000000000000000", 1, 1], ["00000000000000000000000000000000", 1, 1]]}')
) v(i, input) ORDER BY i;

-- bad binary input
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\3\\2\\13\\1\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\3\\1\\143\\1\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\3\\1\\13\\2\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\7\\1\\13\\1\\377\\377\\377\\377\\377\\377"' (format binary)
\copy copy_of from program 'printf "PGCOPY\\n\\377\\r\\n\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\2\\0\\0\\0\\4\\0\\0\\0\\1\\0\\0\\0\\13\\1\\13\\1\\0\\0\\0\\1\\377\\377\\377\\377\\377\\377"' (format binary)
DROP TABLE llm_state;
