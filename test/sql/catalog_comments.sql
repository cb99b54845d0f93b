-- Every object of the extension has a comment.
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'featbit_pg')
  AND d.deptype = 'e'
  AND coalesce(obj_description(d.objid, d.classid::regclass::text), '') !~ '\S'
ORDER BY 1;

-- The extension itself.
SELECT obj_description(oid, 'pg_extension') AS extension
FROM pg_extension
WHERE extname = 'featbit_pg';
