-- flags in policies, constraints, views and triggers, and attempts to get around them and around the extension's rights
\set SHOW_CONTEXT never
SET featbit.environment = 'test_attacks';
\set ECHO all
SELECT featbit.create_flag('vault', '[{"key": "open", "value": true}, {"key": "closed", "value": false}]', fallthrough => '{"variation": "closed"}') > 0 AS created;
SELECT featbit.set_targets('vault', 'open', '{fb_insider}') > 0 AS targeted;
CREATE ROLE fb_insider;
CREATE ROLE fb_outsider;
SELECT featbit.grant_access('fb_insider', 'evaluate'), featbit.grant_access('fb_outsider', 'evaluate');

-- a policy, a view, a function, a trigger, a CHECK constraint, a default and a report call evaluation; each names its environment
CREATE SCHEMA fb_bank;
GRANT USAGE ON SCHEMA fb_bank TO fb_insider, fb_outsider;
CREATE TABLE fb_bank.gold (id integer PRIMARY KEY, bars integer);
INSERT INTO fb_bank.gold SELECT n, n * 10 FROM generate_series(1, 3) AS n;
ALTER TABLE fb_bank.gold ENABLE ROW LEVEL SECURITY;
CREATE POLICY vault ON fb_bank.gold USING (featbit.flag_bool(current_user::text, 'vault', false, environment => 'test_attacks'));
GRANT SELECT, UPDATE ON fb_bank.gold TO fb_insider, fb_outsider;
CREATE VIEW fb_bank.open_doors AS SELECT u, featbit.flag_variation(u, 'vault', environment => 'test_attacks') AS door FROM unnest(ARRAY['fb_insider', 'fb_outsider']) AS u;
GRANT SELECT ON fb_bank.open_doors TO fb_insider;
CREATE MATERIALIZED VIEW fb_bank.report AS SELECT door, count(*) AS users FROM fb_bank.open_doors GROUP BY door;
CREATE TABLE fb_bank.ledger (who text, opened boolean DEFAULT featbit.flag_bool(current_user::text, 'vault', false, environment => 'test_attacks'), stamp text,
    CONSTRAINT known CHECK (featbit.flag_variation(who, 'vault', environment => 'test_attacks') IS NOT NULL));
CREATE FUNCTION fb_bank.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.stamp := featbit.evaluate_flag(NEW.who, 'vault', environment => 'test_attacks');
    RETURN NEW;
END $$;
CREATE TRIGGER stamp BEFORE INSERT ON fb_bank.ledger FOR EACH ROW EXECUTE FUNCTION fb_bank.stamp();
GRANT INSERT ON fb_bank.ledger TO fb_insider, fb_outsider;
SET ROLE fb_insider;
SELECT sum(bars) FROM fb_bank.gold;
SELECT * FROM fb_bank.open_doors ORDER BY u;
INSERT INTO fb_bank.ledger (who) VALUES ('fb_insider'), ('someone');
SET ROLE fb_outsider;
SELECT count(*) FROM fb_bank.gold;
INSERT INTO fb_bank.ledger (who) VALUES ('fb_outsider');
INSERT INTO fb_bank.ledger (who) VALUES (NULL);
RESET ROLE;
SELECT * FROM fb_bank.ledger ORDER BY who;
SELECT * FROM fb_bank.report ORDER BY door;
-- a change is seen by the next statement; what is stored is refreshed as its owner
SELECT featbit.set_targets('vault', 'open', '{fb_insider, fb_outsider}') > 0 AS opened;
SET ROLE fb_outsider;
SELECT count(*) FROM fb_bank.gold;
RESET ROLE;
REFRESH MATERIALIZED VIEW fb_bank.report;
SELECT * FROM fb_bank.report ORDER BY door;
SELECT featbit.set_targets('vault', 'open', '{fb_insider}') > 0 AS closed;
-- what must not change by itself cannot be made of a flag
ALTER TABLE fb_bank.gold ADD COLUMN generated boolean GENERATED ALWAYS AS (featbit.flag_bool(id::text, 'vault', false, environment => 'test_attacks')) STORED;
CREATE INDEX ON fb_bank.gold (featbit.flag_bool(id::text, 'vault', false, environment => 'test_attacks'));
CREATE INDEX ON fb_bank.gold (id) WHERE featbit.flag_bool(id::text, 'vault', false, environment => 'test_attacks');
-- evaluation in a policy needs the right to evaluate
CREATE ROLE fb_stranger;
GRANT USAGE ON SCHEMA fb_bank TO fb_stranger;
GRANT SELECT ON fb_bank.gold TO fb_stranger;
SET ROLE fb_stranger;
SELECT count(*) FROM fb_bank.gold;
RESET ROLE;

-- settings do not open the vault: an environment of one's own, overrides, the name of the user, the path
SELECT featbit.create_flag('vault', '[{"key": "open", "value": true}]', environment => 'test_attacks_forged') > 0 AS created;
SET ROLE fb_outsider;
SET featbit.environment = 'test_attacks_forged';
SELECT featbit.flag_bool('u', 'vault', false) AS the_setting_counts_where_no_environment_is_named;
SELECT count(*) FROM fb_bank.gold;
SET featbit.override = 'vault=open';
SELECT count(*) FROM fb_bank.gold;
SET featbit.allow_override = on;
SELECT set_config('featbit.allow_override', 'on', true);
ALTER ROLE fb_outsider SET featbit.allow_override = on;
CREATE FUNCTION pg_temp.allowing() RETURNS bigint LANGUAGE sql SET featbit.allow_override = on AS 'SELECT count(*) FROM fb_bank.gold';
SELECT count(*) FROM fb_bank.gold;
SET SESSION AUTHORIZATION fb_insider;
SET row_security = off;
SELECT count(*) FROM fb_bank.gold;
RESET row_security;
RESET ROLE;
RESET SESSION AUTHORIZATION;
SET ROLE fb_outsider;
-- a cheap function with a side effect sees nothing before the policy does
CREATE FUNCTION pg_temp.peek(integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
SELECT count(*) FROM fb_bank.gold WHERE pg_temp.peek(bars);
-- neither does the call site that was used with another environment
PREPARE asked(text) AS SELECT featbit.flag_bool('u', 'vault', false, environment => $1);
EXECUTE asked('test_attacks_forged');
EXECUTE asked('test_attacks');
SET plan_cache_mode = force_generic_plan;
EXECUTE asked('test_attacks_forged');
EXECUTE asked('test_attacks');
DEALLOCATE asked;
RESET plan_cache_mode;
RESET ROLE;
-- also when the setting was made before the library that owns it was loaded
\c -
\set SHOW_CONTEXT never
SET ROLE fb_outsider;
SET featbit.allow_override = on;
SET featbit.override = 'vault=open';
SET featbit.environment = 'test_attacks_forged';
SELECT count(*) FROM fb_bank.gold;
SHOW featbit.allow_override;
RESET ROLE;
DROP SCHEMA fb_bank CASCADE;
RESET ALL;
SET featbit.environment = 'test_attacks';

-- hostile names: whatever a role puts before pg_catalog and into pg_temp, functions of the extension do not pick it up
CREATE SCHEMA fb_evil;
CREATE FUNCTION fb_evil.hijack() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
DO $$
DECLARE
    o record;
BEGIN
    -- every operator of pg_catalog on common types
    FOR o IN SELECT DISTINCT oprname, oprleft::regtype AS l, oprright::regtype AS r FROM pg_operator
             WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft <> 0
               AND oprleft IN ('text'::regtype, 'bigint'::regtype, 'integer'::regtype, 'jsonb'::regtype, 'text[]'::regtype, 'anycompatiblearray'::regtype, 'name'::regtype, 'oid'::regtype, 'float8'::regtype, 'boolean'::regtype, 'timestamptz'::regtype)
               AND oprright NOT IN (SELECT oid FROM pg_type WHERE typtype = 'p') AND oprleft NOT IN (SELECT oid FROM pg_type WHERE typtype = 'p')
    LOOP
        EXECUTE format('CREATE FUNCTION fb_evil.f(%s, %s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''hijacked''; END $f$', o.l, o.r);
        EXECUTE format('CREATE OPERATOR fb_evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = fb_evil.f)', o.oprname, o.l, o.r);
        EXECUTE format('ALTER FUNCTION fb_evil.f(%s, %s) RENAME TO %I', o.l, o.r, 'f' || hashtext(o::text));
    END LOOP;
    -- every function of pg_catalog that the extension's functions name
    FOR o IN SELECT DISTINCT c.proname, pg_get_function_identity_arguments(c.oid) AS args
             FROM pg_proc AS c
             WHERE c.proname IN (SELECT m[1] FROM pg_proc AS f, regexp_matches(f.prosrc, '([a-z_0-9]+)\(', 'g') AS m WHERE f.pronamespace = 'featbit'::regnamespace)
               AND c.pronamespace = 'pg_catalog'::regnamespace AND c.prokind = 'f' AND c.proname ~ '^[a-z_0-9]+$'
               AND NOT EXISTS (SELECT FROM unnest(c.proargtypes) AS t JOIN pg_type ON pg_type.oid = t WHERE typtype = 'p' OR typname = 'internal')
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION fb_evil.%I(%s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''hijacked''; END $f$', o.proname, o.args);
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END $$;
SELECT count(*) > 100 AS many FROM pg_operator WHERE oprnamespace = 'fb_evil'::regnamespace;
SELECT count(*) > 20 AS many FROM pg_proc WHERE pronamespace = 'fb_evil'::regnamespace AND proname !~ '^f-?[0-9]+$' AND proname <> 'f';
DO $$
DECLARE
    t text;
BEGIN
    -- temporary tables and functions named like ours and like the catalog's
    FOREACH t IN ARRAY ARRAY['environment', 'flag', 'segment', 'flag_revision', 'exposure', 'event', 'llm_call', 'feedback', 'pg_class', 'pg_namespace', 'pg_attribute', 'pg_index', 'pg_policy', 'pg_roles', 'pg_proc', 'pg_depend', 'pg_extension'] LOOP
        EXECUTE format('CREATE TEMP TABLE %I (environment text, key text, oid oid, tracking_schema text)', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['lock_environment', 'begin_change', 'stored_flag', 'update_flag', 'nearest_key', 'recording_schema', 'grant_access'] LOOP
        EXECUTE format('CREATE FUNCTION pg_temp.%I(text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''hijacked''; END $f$', t);
        EXECUTE format('CREATE FUNCTION pg_temp.%I(text, text) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION ''hijacked''; END $f$', t);
    END LOOP;
END $$;
CREATE DOMAIN pg_temp.jsonb AS boolean;
CREATE DOMAIN pg_temp.text AS boolean;
SET search_path = fb_evil, pg_temp, pg_catalog;
-- the trap works
SELECT 1 + 1;
SELECT featbit.create_flag('path', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]', comment => 'why');
SELECT featbit.update_flag('path', '{"description": "new"}');
SELECT featbit.disable_flag('path');
SELECT featbit.enable_flag('path');
SELECT featbit.set_rollout('path', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]', 'org', 'salt');
SELECT featbit.set_rollout('path', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]');
SELECT featbit.add_rule('path', '{"when": {"attribute": "x", "op": "exists"}, "serve": {"variation": "a"}}');
SELECT featbit.add_rule('path', '{"when": {"attribute": "y", "op": "exists"}, "serve": {"variation": "a"}}', 1);
SELECT featbit.set_targets('path', 'a', '{u}');
SELECT featbit.set_variation('path', 'c', '3');
SELECT featbit.create_segment('path', '{u}');
SELECT featbit.update_flag('pth', '{}');
SELECT featbit.add_rule('path', '{"id": "rule-7", "when": {"attribute": "y", "op": "exists"}, "serve": {"variation": "a"}}');
SELECT featbit.create_tracking('fb_path_facts');
SELECT featbit.create_tracking('fb_path_facts');
SELECT featbit.expose('u', 'path'), featbit.expose_batch('{u, v, w}', 'path'), featbit.track('u', 'bought', 1, '{}', '2100-01-01', NULL, 'k'), featbit.track_batch('{u, v}', 'bought');
SELECT users OPERATOR(pg_catalog.>=) 0 AS users FROM featbit.flag_results('path', 'bought');
SELECT featbit.grant_access('fb_outsider', 'manage', 'test_attacks'), featbit.grant_access('fb_outsider', 'record', 'test_attacks'), featbit.grant_access('fb_outsider', 'analyse', 'test_attacks');
SELECT featbit.revoke_access('fb_outsider', 'record', 'test_attacks'), featbit.revoke_access('fb_outsider', 'analyse'), featbit.revoke_access('fb_outsider', 'manage');
SELECT featbit.add_targets('path', 'a', '{v, w}'), featbit.remove_targets('path', '{w}'), featbit.set_tags('path', '{x}'), featbit.add_tags('path', '{y}'), featbit.remove_tags('path', '{x}');
SELECT featbit.move_rule('path', 'rule-7', 1), featbit.remove_rule('path', 'rule-7'), featbit.set_prerequisites('path', '[]'), featbit.set_off_variation('path', 'a');
SELECT featbit.update_segment('path', '{"excluded": ["x"]}'), featbit.restore_segment('path', 1);
SELECT featbit.restore_flag('path', 10);
SELECT featbit.copy_flag('path', 'test_attacks', 'copied', true), featbit.archive_flag('copied'), featbit.unarchive_flag('copied'), featbit.delete_flag('copied');
SELECT * FROM featbit.clone_environment('test_attacks', 'test_attacks_cloned');
SELECT * FROM featbit.compare_environments('test_attacks', 'test_attacks_cloned');
SELECT * FROM featbit.diff_flag('path', 1, 3);
SELECT * FROM featbit.compare_flag('path', 'test_attacks', 'test_attacks_cloned');
SELECT * FROM featbit.diff_segment('path', 1);
SELECT count(*) OPERATOR(pg_catalog.>) 3 AS explained FROM featbit.explain_flag('u', 'path');
SELECT count(*) AS problems FROM featbit.flag_problems('test_attacks_cloned');
SELECT featbit.flag_definition('path') IS NOT NULL AS defined, featbit.evaluate_flag_at('u', 'path', pg_catalog.now()) IS NOT NULL AS evaluated;
SELECT flag_key, value FROM featbit.resolve_all('{"targetingKey": "u"}') ORDER BY flag_key;
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS shown FROM featbit.flags;
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS shown FROM featbit.flag_rules;
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS shown FROM featbit.flag_audit;
SELECT count(*) OPERATOR(pg_catalog.>) 0 AS shown FROM featbit.flag_change_annotations;
UPDATE featbit.flag SET description = NULL WHERE environment OPERATOR(pg_catalog.=) 'test_attacks' AND key OPERATOR(pg_catalog.=) 'path';
SELECT role, task FROM featbit.access WHERE role OPERATOR(pg_catalog.=) 'fb_outsider'::pg_catalog.regrole;
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA fb_evil CASCADE;
DROP SCHEMA fb_path_facts CASCADE;
DISCARD TEMP;
RESET client_min_messages;
UPDATE featbit.environment SET tracking_schema = NULL WHERE key = 'test_attacks';

-- injection through every text argument: names that end statements, close quotes, and are formats
CREATE TABLE fb_canary AS SELECT 1 AS alive;
CREATE TEMP TABLE fb_strings AS SELECT s FROM unnest(ARRAY[
    $s$' OR true; DROP TABLE fb_canary; --$s$, '"; DROP TABLE fb_canary; --', '%s%I%L%1$s $1 $$; DROP TABLE fb_canary; $$', E'\\''; DROP TABLE fb_canary; --\n', repeat('x', 3000)]) AS s;
CREATE FUNCTION fb_inject() RETURNS TABLE (calls bigint, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    f record;
    s record;
    position integer;
    outcomes text[] := '{}';
BEGIN
    FOR f IN SELECT p.oid, p.oid::regproc AS name, p.proargtypes::oid[] AS types, p.pronargs FROM pg_proc AS p
             WHERE p.pronamespace = 'featbit'::regnamespace AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
               -- these run SQL that is given, with the rights of whoever gives it
               AND p.proname <> ALL (ARRAY['execute_in_path', 'states_of'])
               AND ('text'::regtype = ANY (p.proargtypes) OR 'text[]'::regtype = ANY (p.proargtypes) OR 'jsonb'::regtype = ANY (p.proargtypes))
    LOOP
        FOR s IN SELECT * FROM fb_strings LOOP
            FOR position IN 1 .. f.pronargs LOOP
                CONTINUE WHEN f.types[position - 1] NOT IN ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype);
                BEGIN
                    EXECUTE format('SELECT count(*) FROM %s(%s) AS r', f.name, (
                        SELECT string_agg(CASE
                            WHEN f.types[i - 1] = 'text'::regtype THEN quote_literal(CASE WHEN i = position THEN s.s ELSE (ARRAY['u', 'path', 'a', 'x', 'test_attacks', 'x', 'x', 'x', 'x', 'x'])[i] END) || '::text'
                            WHEN f.types[i - 1] = 'text[]'::regtype THEN format('ARRAY[%L]', CASE WHEN i = position THEN s.s ELSE 'u' END)
                            WHEN f.types[i - 1] = 'jsonb'::regtype THEN format('jsonb_build_object(%L, %1$L)', CASE WHEN i = position THEN s.s ELSE 'key' END)
                            ELSE 'NULL::' || f.types[i - 1]::regtype END, ', ' ORDER BY i)
                        FROM generate_series(1, f.pronargs) AS i));
                    outcomes := outcomes || 'answered'::text;
                EXCEPTION
                    WHEN syntax_error OR internal_error OR data_corrupted THEN
                        outcomes := outcomes || format('%s: %s', f.name, SQLERRM);
                    WHEN OTHERS THEN
                        outcomes := outcomes || 'refused'::text;
                END;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT count(*), o FROM unnest(outcomes) AS o GROUP BY o;
END $$;
BEGIN;
SELECT outcome, calls > 50 AS many FROM fb_inject() ORDER BY outcome;
ROLLBACK;
SELECT * FROM fb_canary;
DROP FUNCTION fb_inject;

-- forged arguments: every function called by hand, with NULLs, and internal ones with values, answers or refuses
CREATE FUNCTION fb_forge() RETURNS TABLE (calls bigint, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    f record;
    variant integer;
    outcomes text[] := '{}';
BEGIN
    FOR f IN SELECT p.oid, p.oid::regproc AS name, p.proargtypes::oid[] AS types, p.pronargs FROM pg_proc AS p
             WHERE p.pronamespace = 'featbit'::regnamespace AND p.prokind <> 'p' AND p.proname <> 'execute_in_path' -- runs what it is given
    LOOP
        FOR variant IN 1 .. 5 LOOP
            BEGIN
                EXECUTE format('SELECT %s(%s)', f.name, (
                    SELECT string_agg(CASE
                        WHEN variant = 1 OR f.types[i - 1] = 'internal'::regtype THEN 'NULL'
                        WHEN variant = 2 THEN format('%L', (ARRAY['', '{}', '0'])[1 + i % 3])
                        WHEN variant = 3 THEN CASE t.typcategory WHEN 'N' THEN '-1' WHEN 'A' THEN '''{NULL}''' WHEN 'B' THEN 'true' WHEN 'D' THEN '''infinity''' ELSE '''null''' END
                        WHEN variant = 4 THEN CASE t.typcategory WHEN 'N' THEN CASE t.typname WHEN 'int8' THEN '9223372036854775807' WHEN 'int4' THEN '2147483647' ELSE '''NaN''' END
                            WHEN 'A' THEN '''[-2147483648:-2147483647]={1,2}''' WHEN 'S' THEN 'repeat(''x'', 1000)' ELSE '''{}''' END
                        ELSE CASE t.typcategory WHEN 'N' THEN '1' WHEN 'A' THEN '''{{1,2},{3,4}}''' WHEN 'S' THEN '''accuracy''' ELSE '''[]''' END
                        END || '::' || f.types[i - 1]::regtype, ', ' ORDER BY i)
                    FROM generate_series(1, f.pronargs) AS i JOIN pg_type AS t ON t.oid = f.types[i - 1]));
                outcomes := outcomes || 'answered'::text;
            EXCEPTION
                WHEN internal_error OR data_corrupted THEN
                    outcomes := outcomes || format('%s: %s', f.oid::regprocedure, SQLERRM);
                WHEN OTHERS THEN
                    outcomes := outcomes || 'refused'::text;
            END;
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT count(*), o FROM unnest(outcomes) AS o GROUP BY o;
END $$;
BEGIN;
SELECT outcome, calls > 20 AS many FROM fb_forge() ORDER BY outcome;
ROLLBACK;
DROP FUNCTION fb_forge;
-- the steps of aggregates refuse to be called by hand
SELECT featbit.stats_accum(NULL, 1::float8);
SELECT featbit.metric_accum(NULL, 'accuracy', 'a', '{a}');
SELECT featbit.metric_combine(NULL, NULL);
-- trigger functions refuse to be called
SELECT featbit.record_revision();
SELECT featbit.flag_before_write();
SELECT featbit.invalidate_configuration();

DROP OWNED BY fb_insider, fb_outsider, fb_stranger;
DROP ROLE fb_insider, fb_outsider, fb_stranger;
DROP TABLE fb_canary;
DELETE FROM featbit.access;
