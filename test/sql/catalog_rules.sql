-- Rules that every object of the extension keeps. Each query lists what breaks one.
CREATE TEMPORARY VIEW member_function AS
SELECT p.*
FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'featbit_pg';

-- Everything lives in the schema of the extension.
SELECT oid::regprocedure AS outside FROM member_function WHERE pronamespace <> 'featbit'::regnamespace ORDER BY oid::regprocedure::text;

-- What reads is parallel safe, what writes is parallel unsafe, what reads a relation that the caller names (a temporary one, perhaps) is restricted.
SELECT oid::regprocedure AS parallel, provolatile, proparallel
FROM member_function
WHERE (provolatile = 'v') <> (proparallel = 'u') OR (proparallel = 'r') <> (provolatile <> 'v' AND 'regclass'::regtype = ANY (proargtypes))
ORDER BY oid::regprocedure::text;

-- Aggregates merge, and their states are real types that travel as text and in binary form.
SELECT p.oid::regprocedure AS aggregate, a.aggcombinefn, a.aggtranstype::regtype, t.typinput, t.typoutput, t.typreceive, t.typsend
FROM member_function p
JOIN pg_aggregate a ON a.aggfnoid = p.oid
JOIN pg_type t ON t.oid = a.aggtranstype
WHERE a.aggcombinefn = 0 OR t.typtype = 'p' OR t.typinput = 0 OR t.typoutput = 0 OR t.typreceive = 0 OR t.typsend = 0
ORDER BY p.oid::regprocedure::text;

-- A type of the extension has all four functions of input and output.
SELECT t.oid::regtype AS type, t.typinput, t.typoutput, t.typreceive, t.typsend
FROM pg_type t
JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'featbit_pg'
WHERE t.typinput = 0 OR t.typoutput = 0 OR t.typreceive = 0 OR t.typsend = 0
ORDER BY t.oid::regtype::text;

-- No argument or result that a driver cannot name.
SELECT oid::regprocedure AS pseudo, prorettype::regtype
FROM member_function
WHERE prorettype IN ('void'::regtype, 'anyelement'::regtype, 'anyarray'::regtype, '"any"'::regtype)
   OR proargtypes::oid[] && ARRAY['anyelement', 'anyarray', '"any"', 'anynonarray', 'anyenum', 'anycompatible']::regtype[]::oid[]
ORDER BY oid::regprocedure::text;

-- Nothing runs with its owner's rights, and what is written in SQL is safe against a hostile search path.
SELECT oid::regprocedure AS definer FROM member_function WHERE prosecdef ORDER BY oid::regprocedure::text;
SELECT oid::regprocedure AS search_path, proconfig
FROM member_function
WHERE prolang IN (SELECT oid FROM pg_language WHERE lanname IN ('sql', 'plpgsql'))
  AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
ORDER BY oid::regprocedure::text;

-- Symbols in C carry the prefix of the extension.
SELECT oid::regprocedure AS symbol, prosrc
FROM member_function
WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') AND prosrc !~ '^fb_'
ORDER BY oid::regprocedure::text;

-- Names of arguments are part of the interface: every argument of a plain function has one.
SELECT oid::regprocedure AS unnamed
FROM member_function p
WHERE prokind IN ('f', 'p') AND pronargs > 0 AND prorettype <> 'trigger'::regtype
  AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout))
  AND NOT EXISTS (SELECT FROM pg_aggregate a WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn))
  AND NOT EXISTS (SELECT FROM pg_operator o WHERE p.oid IN (o.oprcode, o.oprrest, o.oprjoin))
  AND NOT EXISTS (SELECT FROM pg_amproc m WHERE p.oid = m.amproc)
  AND NOT EXISTS (SELECT FROM pg_cast c WHERE p.oid = c.castfunc)
  AND (proargnames IS NULL OR '' = ANY (proargnames[1:pronargs]))
ORDER BY oid::regprocedure::text;

-- Keys of configuration sort by bytes, whatever the collation of the database.
SELECT a.attrelid::regclass AS collated, a.attname
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND c.relnamespace = 'featbit'::regnamespace
WHERE a.attname IN ('environment', 'key', 'flag_key') AND a.atttypid = 'text'::regtype
  AND a.attcollation <> '"C"'::regcollation
ORDER BY a.attrelid::regclass::text, 2;

-- Every table of configuration is dumped.
SELECT c.oid::regclass AS not_dumped
FROM pg_class c
JOIN pg_extension e ON e.extname = 'featbit_pg'
WHERE c.relkind IN ('r', 'p', 'S') AND c.relnamespace = 'featbit'::regnamespace AND NOT c.oid = ANY (coalesce(e.extconfig, '{}'))
ORDER BY c.oid::regclass::text;
