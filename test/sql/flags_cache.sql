-- what a session sees of its own changes: savepoints, exceptions, loops, prepared statements, settings
SET featbit.environment = 'test_cache';
\set SHOW_CONTEXT never
\set ECHO all
SELECT featbit.create_flag('f', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]');
SELECT featbit.create_flag('g', '[{"key": "x", "value": "X"}, {"key": "y", "value": "Y"}]');
CREATE FUNCTION pg_temp.serve(variation text) RETURNS void LANGUAGE sql AS
$$ UPDATE featbit.flag SET fallthrough = jsonb_build_object('variation', variation) WHERE environment = 'test_cache' AND key = 'f' $$;
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $$ SELECT featbit.flag_variation('u', 'f') $$;

-- a transaction sees its own changes at once, and their undoing
BEGIN;
SELECT pg_temp.seen();
SELECT pg_temp.serve('b');
SELECT pg_temp.seen();
SAVEPOINT one;
SELECT pg_temp.serve('c');
SELECT pg_temp.seen();
SAVEPOINT two;
SELECT pg_temp.serve('a');
RELEASE two;
SELECT pg_temp.seen();
ROLLBACK TO one;
SELECT pg_temp.seen();
ROLLBACK;
SELECT pg_temp.seen();
BEGIN;
DELETE FROM featbit.flag WHERE environment = 'test_cache' AND key = 'f';
SELECT pg_temp.seen() IS NULL AS gone;
ROLLBACK;
SELECT pg_temp.seen();

-- UPDATE ... RETURNING and a data-modifying WITH see the configuration before the command
UPDATE featbit.flag SET fallthrough = '{"variation": "b"}' WHERE environment = 'test_cache' AND key = 'f' RETURNING featbit.flag_variation('u', 'f') AS within;
SELECT pg_temp.seen();
WITH change AS (UPDATE featbit.flag SET fallthrough = '{"variation": "c"}' WHERE environment = 'test_cache' AND key = 'f' RETURNING 1)
SELECT featbit.flag_variation('u', 'f') AS within FROM change;
SELECT pg_temp.seen();

-- one call site in a PL/pgSQL loop: its own changes, changes undone by an exception, changing keys and environments
DO $$
DECLARE
    seen text := '';
    variation text;
BEGIN
    FOREACH variation IN ARRAY ARRAY['a', 'b', 'c', 'a'] LOOP
        UPDATE featbit.flag SET fallthrough = jsonb_build_object('variation', variation) WHERE environment = 'test_cache' AND key = 'f';
        seen := seen || featbit.flag_variation('u', 'f');
    END LOOP;
    RAISE NOTICE 'own changes: %', seen;
END $$;
DO $$
DECLARE
    seen text := '';
BEGIN
    FOR i IN 1 .. 4 LOOP
        BEGIN
            IF i IN (2, 3) THEN
                UPDATE featbit.flag SET fallthrough = CASE i WHEN 2 THEN '{"variation": "b"}'::jsonb ELSE '{"variation": "c"}' END
                WHERE environment = 'test_cache' AND key = 'f';
            END IF;
            seen := seen || featbit.flag_variation('u', 'f');
            IF i IN (2, 3) THEN
                RAISE EXCEPTION 'undo';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
        seen := seen || featbit.flag_variation('u', 'f') || ' ';
    END LOOP;
    RAISE NOTICE 'inside and after: %', seen;
END $$;
DO $$
DECLARE
    seen text := '';
    k text;
BEGIN
    FOREACH k IN ARRAY ARRAY['f', 'g', 'f', 'none', 'g'] LOOP
        seen := seen || coalesce(featbit.flag_variation('u', k), '-');
    END LOOP;
    RAISE NOTICE 'changing keys: %', seen;
END $$;
SELECT featbit.create_flag('f', '[{"key": "other", "value": "O"}]', environment => 'test_cache_2');
DO $$
DECLARE
    seen text := '';
    e text;
BEGIN
    FOREACH e IN ARRAY ARRAY['test_cache', 'test_cache_2', NULL, 'none', 'test_cache'] LOOP
        seen := seen || coalesce(featbit.flag_variation('u', 'f', '{}', e), '-') || ' ';
    END LOOP;
    PERFORM set_config('featbit.environment', 'test_cache_2', true);
    seen := seen || featbit.flag_variation('u', 'f');
    RAISE NOTICE 'changing environments: %', seen;
END $$;
-- one call site, the setting changes between its calls
DO $$
DECLARE
    seen text := '';
    e text;
BEGIN
    FOREACH e IN ARRAY ARRAY['test_cache', 'test_cache_2', 'test_cache'] LOOP
        PERFORM set_config('featbit.environment', e, true);
        seen := seen || featbit.flag_variation('u', 'f') || ' ';
    END LOOP;
    RAISE NOTICE 'changing setting: %', seen;
END $$;
SHOW featbit.environment;

-- keys from a table, several in one call site
SELECT k, featbit.flag_variation('u', k), featbit.evaluate_flag('u', k) FROM unnest(ARRAY['f', 'g', 'none', 'f', 'g']) k;
SELECT string_agg(featbit.flag_variation('u', k), '' ORDER BY n) FROM generate_series(1, 6) n, LATERAL (SELECT CASE n % 2 WHEN 0 THEN 'f' ELSE 'g' END AS k) s;
-- values outlive the flag that made them
CREATE TEMP TABLE kept AS SELECT n, featbit.evaluate_flag('u', CASE n % 2 WHEN 0 THEN 'f' ELSE 'g' END) AS value FROM generate_series(1, 4) n;
SELECT * FROM kept ORDER BY n;

-- prepared statements
PREPARE evaluate(text) AS SELECT featbit.flag_variation($1, 'f');
SET plan_cache_mode = force_generic_plan;
EXECUTE evaluate('u');
SELECT pg_temp.serve('b');
EXECUTE evaluate('u');
BEGIN;
SELECT pg_temp.serve('c');
EXECUTE evaluate('u');
ROLLBACK;
EXECUTE evaluate('u');
RESET plan_cache_mode;

-- a cursor keeps its configuration
BEGIN;
DECLARE c CURSOR FOR SELECT featbit.flag_variation('u', 'f') FROM generate_series(1, 4);
FETCH 1 FROM c;
SELECT pg_temp.serve('a');
FETCH 1 FROM c;
SELECT pg_temp.seen();
COMMIT;

-- segments and prerequisites reach the flags that use them
SELECT featbit.create_segment('s', '{u}');
SELECT featbit.add_rule('f', '{"id": "s", "when": {"segment": "s"}, "serve": {"variation": "c"}}');
SELECT pg_temp.seen();
UPDATE featbit.segment SET included = '{}' WHERE environment = 'test_cache';
SELECT pg_temp.seen();
UPDATE featbit.segment SET included = '{u}' WHERE environment = 'test_cache';
SELECT featbit.update_flag('f', '{"prerequisites": [{"flag": "g", "variations": ["x"]}]}');
SELECT pg_temp.seen();
SELECT featbit.disable_flag('g');
SELECT pg_temp.seen() IS NULL AS prerequisite_failed;

-- writes of a session that plays a replica, where only the invalidation fires
SET session_replication_role = replica;
UPDATE featbit.flag SET enabled = true WHERE environment = 'test_cache' AND key = 'g';
RESET session_replication_role;
SELECT pg_temp.seen();
SELECT revision FROM featbit.flag WHERE environment = 'test_cache' AND key = 'g';
-- COPY
COPY featbit.flag (environment, key, variations) FROM STDIN;
test_cache	copied	[{"key": "a", "value": 1}]
\.
SELECT featbit.flag_variation('u', 'copied');

-- 5,000 undefined keys, and a full cache emptied by a change
SELECT count(featbit.flag_variation('u', 'undefined-' || n)) FROM generate_series(1, 5000) n;
SELECT featbit.enable_flag('g') > 0 AS changed;
SELECT pg_temp.seen();
-- prepared transactions are tried by the TAP tests; parallel plans here
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
CREATE TABLE fb_parallel AS SELECT n FROM generate_series(1, 50000) n;
ANALYZE fb_parallel;
SELECT featbit.set_rollout('g', '[{"variation": "x", "weight": 1}, {"variation": "y", "weight": 1}]') > 0 AS changed;
CREATE TEMP TABLE answers AS SELECT featbit.flag_variation('user-' || n, 'g') AS variation, count(*) FROM fb_parallel GROUP BY 1;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) AS same FROM answers JOIN (SELECT featbit.flag_variation('user-' || n, 'g') AS variation, count(*) FROM fb_parallel GROUP BY 1) s USING (variation, count);
-- an uncommitted change of the leader is seen by its workers
SET max_parallel_workers_per_gather = 2;
BEGIN;
SELECT featbit.set_rollout('g', '[{"variation": "y", "weight": 1}]') > 0 AS changed;
SELECT featbit.flag_variation('user-' || n, 'g') AS variation, count(*) FROM fb_parallel GROUP BY 1;
ROLLBACK;
DROP TABLE fb_parallel;

-- the environment may be asked for before its flags and after them, and no key is not a flag
BEGIN;
SELECT featbit.enable_flag('g') > 0 AS changed;
SELECT featbit.config_version() > 0 AS known, pg_temp.seen() AS f, featbit.evaluate_flag('u', '') IS NULL AS nothing;
SELECT featbit.enable_flag('g') > 0 AS changed;
SELECT pg_temp.seen() AS f, featbit.evaluate_flag('u', '') IS NULL AS nothing, featbit.config_version() > 0 AS known;
ROLLBACK;

-- flags lie one behind the other: a big one, with patterns, between small ones, all compiled anew after each change while one
-- of another configuration is still pinned
SELECT featbit.create_flag('big', '[{"key": "a", "value": "a"}, {"key": "b", "value": "b"}]') > 0 AS created;
SELECT featbit.set_targets('big', 'b', (SELECT array_agg('user-' || n) FROM generate_series(1, 20000) n)) > 0 AS changed;
SELECT featbit.add_rule('big', jsonb_build_object('id', 'p-' || n, 'when', jsonb_build_object('attribute', 'a', 'op', 'matches', 'value', '^x{' || n || '}$'),
    'serve', '{"variation": "b"}'::jsonb)) > 0 AS changed FROM generate_series(1, 3) n;
CREATE FUNCTION pg_temp.flags_memory() RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'featbit%'
$$;
BEGIN;
DECLARE pinned CURSOR FOR SELECT featbit.flag_variation('u', 'f') FROM generate_series(1, 1000);
FETCH 1 FROM pinned;
DO $$
DECLARE
    early bigint;
    wrong int := 0;
BEGIN
    FOR i IN 1 .. 40 LOOP
        UPDATE featbit.flag SET description = i::text WHERE environment = 'test_cache' AND key = 'f';
        wrong := wrong + (SELECT count(*) FROM (VALUES ('f', '{}'::jsonb), ('big', '{"a": "xx"}'), ('g', '{}'), ('no-such', '{}'), ('big', '{"a": "xxxx"}'))
            AS q (flag, context) WHERE featbit.flag_variation('u', flag, context) IS DISTINCT FROM
            CASE flag WHEN 'f' THEN pg_temp.seen() WHEN 'g' THEN 'x' WHEN 'big' THEN CASE context ->> 'a' WHEN 'xx' THEN 'b' ELSE 'a' END END);
        BEGIN
            PERFORM featbit.flag_variation('u', 'big', '{"a": "xx"}'), 1 / (i % 2);
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
        early := CASE WHEN i = 10 THEN pg_temp.flags_memory() ELSE early END;
    END LOOP;
    RAISE NOTICE 'wrong: %, grown: %', wrong, pg_temp.flags_memory() > early * 1.1;
END $$;
FETCH 1 FROM pinned;
ROLLBACK;
