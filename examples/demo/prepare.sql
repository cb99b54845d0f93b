\pset footer off
\pset null '-'
\timing off

-- The story starts from nothing; rule ids, for one, are never given twice.
DO $$
BEGIN
	IF EXISTS (SELECT FROM featbit.flag WHERE key = 'ticket-model') OR to_regnamespace('demo') IS NOT NULL THEN
		RAISE EXCEPTION 'the demonstration has already run in this database'
			USING HINT = 'Run it in a new database: make demo makes one.';
	END IF;
END
$$;

-- A place of its own for the tables of the demonstration.
CREATE SCHEMA demo;
SET search_path = demo, pg_catalog;

-- Ends the demonstration with an error where a number is not the expected one.
CREATE FUNCTION demo.expect(what text, actual anyelement, expected anyelement) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF actual IS DISTINCT FROM expected THEN
		RAISE EXCEPTION 'the demonstration is wrong: % is %, expected %', what, actual, expected;
	END IF;
END
$$;

-- Draws the interval of a lift on a logarithmic axis from a quarter (lift -0.75) to sixteen times (lift 15), seven
-- characters to a doubling; the line is the lift of 0.
CREATE FUNCTION demo.bar(lo float8, value float8, hi float8) RETURNS text IMMUTABLE LANGUAGE sql AS $$
	SELECT string_agg(CASE
		WHEN x = p[2] THEN '●'
		WHEN x = 0 AND p[1] < 0 THEN '◄'
		WHEN x = 42 AND p[3] > 42 THEN '►'
		WHEN x = p[1] THEN '├'
		WHEN x = p[3] THEN '┤'
		WHEN x > p[1] AND x < p[3] THEN '─'
		WHEN x = 14 THEN '│'
		ELSE ' '
	END, '' ORDER BY x)
	FROM generate_series(0, 42) AS x,
	     (SELECT array_agg(round(14 + 7 * ln(greatest(1 + lift, 1e-6)) / ln(2::float8)) ORDER BY i) AS p
	      FROM unnest(ARRAY[lo, value, hi]) WITH ORDINALITY AS u(lift, i)) AS position
$$;
