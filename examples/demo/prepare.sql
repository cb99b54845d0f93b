\pset footer off
\pset null '-'
\timing off

-- A place of its own for the tables of the demonstration.
DROP SCHEMA IF EXISTS demo CASCADE;
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

-- Draws an interval as text: from lo to hi with the value between, on an axis from left_end to right_end.
CREATE FUNCTION demo.bar(lo float8, value float8, hi float8, left_end float8, right_end float8, width int) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
	SELECT string_agg(CASE
		WHEN x = p[2] THEN '●'
		WHEN x = width AND p[3] > width THEN '►'
		WHEN x = p[1] THEN '├'
		WHEN x = p[3] THEN '┤'
		WHEN x > p[1] AND x < p[3] THEN '─'
		WHEN x = p[4] THEN '│'
		ELSE ' '
	END, '' ORDER BY x)
	FROM generate_series(0, width) AS x,
	     (SELECT array_agg(round((v - left_end) / (right_end - left_end) * width) ORDER BY i) AS p
	      FROM unnest(ARRAY[lo, value, hi, 0]) WITH ORDINALITY AS u(v, i)) AS position
$$;
