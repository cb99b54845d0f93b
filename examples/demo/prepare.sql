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
