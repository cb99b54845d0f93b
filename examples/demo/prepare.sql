\pset footer off
\pset null '-'
\timing off

--? A place of its own for the tables of the demonstration.
DROP SCHEMA IF EXISTS demo CASCADE;
--?
CREATE SCHEMA demo;
--?
SET search_path = demo, pg_catalog;

--? Ends the demonstration with an error where a number is not the expected one.
CREATE FUNCTION demo.expect(what text, actual anyelement, expected anyelement) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF actual IS DISTINCT FROM expected THEN
		RAISE EXCEPTION 'the demonstration is wrong: % is %, expected %', what, actual, expected;
	END IF;
END
$$;

--? Draws an interval as text: from lo to hi with the value between, on an axis from left_end to right_end.
CREATE FUNCTION demo.bar(lo float8, value float8, hi float8, left_end float8, right_end float8, width int) RETURNS text
IMMUTABLE LANGUAGE sql AS $$
	SELECT string_agg(CASE
		WHEN i = round(at(value)) THEN '●'
		WHEN i = width AND hi > right_end THEN '►'
		WHEN i = round(at(lo)) THEN '├'
		WHEN i = round(at(hi)) THEN '┤'
		WHEN i BETWEEN round(at(lo)) AND round(at(hi)) THEN '─'
		WHEN i = round(at(0)) THEN '│'
		ELSE ' '
	END, '' ORDER BY i)
	FROM generate_series(0, width) AS i
$$;
