-- Every object of the extension has a comment. From PostgreSQL 17 on the row types of relations and the array types are
-- members too, but they are made with another object and come with its comment.
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'featbit_pg')
  AND d.deptype = 'e'
  AND NOT (d.classid = 'pg_type'::regclass AND EXISTS (
    SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.oid = d.objid AND (c.relkind <> 'c' OR EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid))))
  AND coalesce(obj_description(d.objid, d.classid::regclass::text), '') !~ '\S'
ORDER BY 1;

-- So has what lies in its tables: triggers, policies and columns.
SELECT c.relname, t.tgname AS trigger_without_comment
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'featbit'::regnamespace AND NOT t.tgisinternal AND coalesce(obj_description(t.oid, 'pg_trigger'), '') !~ '\S'
ORDER BY 1, 2;
SELECT c.relname, p.polname AS policy_without_comment
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'featbit'::regnamespace AND coalesce(obj_description(p.oid, 'pg_policy'), '') !~ '\S'
ORDER BY 1, 2;
SELECT c.relname, a.attname AS column_without_comment
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'featbit'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
  AND coalesce(col_description(c.oid, a.attnum), '') !~ '\S'
ORDER BY 1, 2;

-- The extension itself.
SELECT obj_description(oid, 'pg_extension') AS extension
FROM pg_extension
WHERE extname = 'featbit_pg';
