-- random flags agree with themselves however they are evaluated; "make property" does this for 100,000 of them
\set generator `echo "$PG_ABS_SRCDIR/property/generator.sql"`
SET client_min_messages = warning;
\set QUIET on
\set ECHO none
\i :generator
\set ECHO all
\set QUIET off
SELECT property.prepare();
-- every operator takes part
SELECT count(DISTINCT op) >= 38 AS operators FROM property.legal;

BEGIN;
SELECT d.* FROM generate_series(1, 6) seed, property.check_batch(seed, 250) d LIMIT 20;
-- the flags are not all alike: every reason occurs, and few cases end in errors
SELECT reason, count(*) > 20 AS some FROM outcome GROUP BY reason ORDER BY reason;
SELECT count(*) AS flags, count(*) FILTER (WHERE reason = 'ERROR') < 300 AS few_errors FROM outcome;
SELECT regexp_replace(explained, '(attribute|flag) .*', '\1 …') AS error FROM outcome WHERE reason = 'ERROR' GROUP BY 1 ORDER BY 1;
-- FeatBit's flags are among them, and are referred to by native ones
SELECT count(*) > 150 AS some, count(*) FILTER (WHERE EXISTS (SELECT FROM featbit.flag AS n, featbit.definition_references(to_jsonb(n)) AS r WHERE n.environment = f.environment AND n.semantics = 'native' AND r.kind = 'flag' AND r.key = f.key)) > 5 AS referred
FROM featbit.flag AS f WHERE environment LIKE 'property\_%' AND semantics = 'featbit';
-- the definition as a value is really read: what is changed in it shows
SELECT count(*) FILTER (WHERE stored IS DISTINCT FROM changed) > 100 AS found
FROM (SELECT featbit.flag_variation(b.u, b.key, b.c, 'property_1') AS stored,
        featbit.assign_variation(replace(featbit.flag_definition(b.key, 'property_1')::text, '"enabled": true', '"enabled": false')::jsonb, b.u, b.c, statement_timestamp()) AS changed
      FROM (SELECT 'f' || i AS key, property.user_key('1/u' || i) AS u, property.context('1/c' || i, pool, now()) AS c
            FROM property.pool, generate_series(1, 250) i) b) x;
ROLLBACK;
DROP SCHEMA property CASCADE;
