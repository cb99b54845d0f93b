-- following: an environment that keeps in step with FeatBit's own tables

CREATE TABLE featbit.follow (
    environment text COLLATE "C" PRIMARY KEY,
    schema text COLLATE "C" NOT NULL,
    env_id uuid NOT NULL,
    mode text NOT NULL CHECK (mode OPERATOR(pg_catalog.=) ANY (ARRAY['trigger', 'poll'])),
    vanished text NOT NULL,
    followed_at timestamptz NOT NULL,
    followed_by text NOT NULL,
    checked_at timestamptz,
    changed_at timestamptz,
    error text,
    error_at timestamptz
);
COMMENT ON TABLE featbit.follow IS 'environments that keep in step with FeatBit''s tables; written by follow_featbit and by what it sets up, by the owner only';
COMMENT ON COLUMN featbit.follow.environment IS 'environment that follows';
COMMENT ON COLUMN featbit.follow.schema IS 'schema of FeatBit''s tables';
COMMENT ON COLUMN featbit.follow.env_id IS 'id of FeatBit''s environment';
COMMENT ON COLUMN featbit.follow.mode IS 'trigger: in the transaction of FeatBit''s write; poll: when sync_featbit is called';
COMMENT ON COLUMN featbit.follow.vanished IS 'what becomes of what FeatBit no longer has, as in import_featbit';
COMMENT ON COLUMN featbit.follow.followed_at IS 'since when';
COMMENT ON COLUMN featbit.follow.followed_by IS 'session user who called follow_featbit';
COMMENT ON COLUMN featbit.follow.checked_at IS 'when FeatBit''s tables were compared last, or a trigger fired last';
COMMENT ON COLUMN featbit.follow.changed_at IS 'when a change was taken over last';
COMMENT ON COLUMN featbit.follow.error IS 'what went wrong last time; NULL when nothing did';
COMMENT ON COLUMN featbit.follow.error_at IS 'when it went wrong';
SELECT pg_catalog.pg_extension_config_dump('featbit.follow', '');

CREATE FUNCTION featbit.follow_differences(schema text, env_id uuid, environment text)
    RETURNS TABLE (kind text, key text, updated_at timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off
    AS $$
#variable_conflict use_variable
DECLARE
    found record;
BEGIN
    found := featbit.read_featbit(schema, env_id, '{}', true);
    RETURN QUERY EXECUTE format($query$
        SELECT 'flag', coalesce(t.key, f.key), t.updated_at
        FROM (SELECT i.key::text COLLATE "C" AS key, max(i.updated_at) AS updated_at FROM %I.feature_flags AS i WHERE i.env_id = $1 GROUP BY i.key) AS t
        FULL JOIN (SELECT s.key, s.source ->> 'updatedAt' AS updated_at, s.archived FROM featbit.flag AS s WHERE s.environment = $2 AND s.semantics = 'featbit') AS f
            ON f.key = t.key
        WHERE NOT EXISTS (SELECT FROM featbit.flag AS n WHERE n.environment = $2 AND n.key = t.key AND n.semantics <> 'featbit')
          AND CASE WHEN t.key IS NULL THEN NOT f.archived
                   ELSE featbit.featbit_time(to_jsonb(t.updated_at) #>> '{}') IS DISTINCT FROM f.updated_at END $query$, schema)
    USING env_id, environment;
    RETURN QUERY
        SELECT 'segment', coalesce(t.key, s.key), t.updated_at
        FROM (SELECT e.entity ->> 'id' COLLATE "C" AS key, e.entity ->> 'updatedAt' AS version, (e.entity ->> 'updatedAt')::timestamptz AS updated_at
              FROM jsonb_array_elements(found.segments) AS e (entity)) AS t
        FULL JOIN (SELECT s.key, s.source ->> 'updatedAt' AS version, s.archived FROM featbit.segment AS s
                   WHERE s.environment = follow_differences.environment AND s.semantics = 'featbit') AS s
            ON s.key = t.key
        WHERE NOT EXISTS (SELECT FROM featbit.segment AS n WHERE n.environment = follow_differences.environment AND n.key = t.key AND n.semantics <> 'featbit')
          AND CASE WHEN t.key IS NULL THEN NOT s.archived ELSE t.version IS DISTINCT FROM s.version END;
END $$;
COMMENT ON FUNCTION featbit.follow_differences(text, uuid, text) IS 'flags (by key) and segments (by id) that FeatBit''s tables have in another version than an environment, or that only one of them has; updated_at: when FeatBit changed it, NULL where it is gone there. All versions are compared, so that neither the order of commits nor a clock matters. Arguments and errors as import_featbit_tables.';

CREATE FUNCTION featbit.sync_follow(environment text, flag_keys text[], with_segments boolean)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off SET lock_timeout = '2s'
    AS $$
#variable_conflict use_variable
DECLARE
    followed featbit.follow;
    found record;
    changes bigint;
    refused text;
BEGIN
    SELECT f.* INTO STRICT followed FROM featbit.follow AS f WHERE f.environment = sync_follow.environment;
    found := featbit.read_featbit(followed.schema, followed.env_id, flag_keys, with_segments);
    SELECT count(*) FILTER (WHERE a.action IN ('inserted', 'updated', 'archived', 'deleted')),
           string_agg(format('%s %s %s: %s', a.kind, a.key, a.action, a.problem), '; ')
               -- native flags are meant to be left alone
               FILTER (WHERE a.action = 'skipped' OR a.action = 'refused' AND a.notes IS DISTINCT FROM 'say replace_native to replace it')
    INTO changes, refused
    FROM featbit.apply_featbit(environment, found.flags, replace(followed.schema, '%', '%%') || '.feature_flags %2$s', flag_keys,
        found.segments, replace(followed.schema, '%', '%%') || '.segments %2$s',
        CASE WHEN with_segments THEN NULL ELSE '{}'::text[] END, false, false, false, NULL, 'follows FeatBit', followed.vanished, false, false) AS a;
    UPDATE featbit.follow AS f
    SET checked_at = clock_timestamp(), changed_at = CASE WHEN changes > 0 THEN clock_timestamp() ELSE f.changed_at END,
        error = refused, error_at = CASE WHEN refused IS NULL THEN NULL ELSE clock_timestamp() END
    WHERE f.environment = sync_follow.environment;
    RETURN changes;
END $$;
COMMENT ON FUNCTION featbit.sync_follow(text, text[], boolean) IS 'internal: takes flags (flag_keys, NULL for all) and segments of an environment that follows FeatBit over from FeatBit''s tables, and notes it in featbit.follow. Returns the number of changes. It waits 2 seconds at most for another writer of the environment (55P03).';

CREATE FUNCTION featbit.follow_change(relation regclass, env_ids text[], flag_keys text[])
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off SET lock_timeout = '2s'
    AS $$
DECLARE
    followed record;
    is_flag boolean;
    keys text[];
    changes bigint := 0;
    reason text;
BEGIN
    FOR followed IN
        SELECT f.environment, f.env_id, c.relname = 'feature_flags' AS of_flags
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN featbit.follow AS f ON f.schema = n.nspname AND f.mode = 'trigger'
        WHERE c.oid = relation
        ORDER BY f.environment
    LOOP
        keys := '{}';
        IF followed.of_flags THEN
            keys := CASE WHEN flag_keys IS NOT NULL THEN
                ARRAY(SELECT DISTINCT k.key FROM unnest(env_ids, flag_keys) AS k (env_id, key) WHERE k.env_id = followed.env_id::text) END;
            CONTINUE WHEN keys = '{}';
        END IF;
        BEGIN
            changes := changes + featbit.sync_follow(followed.environment, keys, NOT followed.of_flags);
        EXCEPTION WHEN OTHERS THEN
            reason := SQLERRM;
            -- not another wait for the writer that may have been waited for already
            UPDATE featbit.follow AS f SET checked_at = clock_timestamp(), error = reason, error_at = clock_timestamp()
            WHERE f.environment = (SELECT l.environment FROM featbit.follow AS l WHERE l.environment = followed.environment FOR NO KEY UPDATE SKIP LOCKED);
            IF NOT FOUND THEN
                RAISE WARNING USING MESSAGE = format('environment "%s" did not get the changes of FeatBit: %s', followed.environment, reason),
                    HINT = format('Run SELECT * FROM featbit.sync_featbit(%L).', followed.environment);
            END IF;
        END;
    END LOOP;
    RETURN changes;
END $$;
COMMENT ON FUNCTION featbit.follow_change(regclass, text[], text[]) IS 'internal: what the triggers of followed tables do, as the owner of the extension. relation: FeatBit''s feature_flags or segments; env_ids and flag_keys: of the rows that changed, NULL when all may have. Whatever goes wrong is noted in featbit.follow, or is a warning where another writer holds the row of the environment there, and does not reach FeatBit. Returns the number of changes.';

CREATE FUNCTION featbit.follow_featbit_table() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_follow_featbit_table' LANGUAGE C;
COMMENT ON FUNCTION featbit.follow_featbit_table() IS 'trigger of FeatBit''s tables feature_flags and segments, for each statement: takes the changes over into the environments that follow them, as the owner of the extension. An error is noted in featbit.follow, or becomes a warning; FeatBit''s statement goes on.';

CREATE FUNCTION featbit.drop_follow_triggers(schema text)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    target record;
    dropped bigint := 0;
BEGIN
    FOR target IN
        SELECT t.tgname, c.relname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        WHERE c.relnamespace = to_regnamespace(quote_ident(drop_follow_triggers.schema)) AND t.tgfoid = 'featbit.follow_featbit_table()'::regprocedure
        ORDER BY c.relname, t.tgname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %I.%I', target.tgname, schema, target.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION featbit.drop_follow_triggers(text) IS 'internal: removes the triggers of follow_featbit from the tables of a schema. Returns their number.';

CREATE FUNCTION featbit.require_follower()
    RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = 'featbit.follow'::regclass), 'USAGE') THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'must be owner of extension featbit_pg to follow FeatBit',
            DETAIL = 'The triggers, and whoever calls sync_featbit, change the configuration for everyone who writes into FeatBit''s tables.';
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION featbit.require_follower() IS 'internal: raises 42501 unless the caller has the rights of the owner of the extension.';

CREATE FUNCTION featbit.follow_featbit(schema text, env_id uuid, environment text DEFAULT NULL, mode text DEFAULT 'trigger',
    missing_attribute text DEFAULT NULL, vanished text DEFAULT 'archive')
    RETURNS TABLE (kind text, key text, action text, problem text, notes text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS $$
#variable_conflict use_variable
DECLARE
    in_environment text := coalesce(environment, current_setting('featbit.environment', true), 'default');
    report jsonb;
    target text;
    event text;
    kind_of_table "char";
BEGIN
    PERFORM featbit.require_follower();
    IF mode IN ('trigger', 'poll') IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown mode "%s"', coalesce(mode, 'NULL')),
            HINT = 'Say trigger to follow in the same transaction, or poll to follow whenever sync_featbit is called.';
    END IF;
    IF EXISTS (SELECT FROM featbit.follow AS f WHERE f.environment = in_environment) THEN
        RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = format('environment "%s" follows FeatBit already', in_environment),
            HINT = format('Run SELECT featbit.unfollow_featbit(%L) first.', in_environment);
    END IF;
    PERFORM featbit.featbit_layout(schema);
    IF mode = 'trigger' THEN
        FOREACH target IN ARRAY ARRAY['feature_flags', 'segments'] LOOP
            SELECT c.relkind INTO kind_of_table FROM pg_class AS c WHERE c.oid = to_regclass(format('%I.%I', schema, target));
            IF kind_of_table = 'f' THEN
                RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('"%s.%s" is a foreign table, whose changes no trigger sees', schema, target),
                    HINT = 'Say mode => ''poll'', and call featbit.sync_featbit() from a scheduler.';
            END IF;
            IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = to_regclass(format('%I.%I', schema, target))
                                                     AND t.tgfoid = 'featbit.follow_featbit_table()'::regprocedure) THEN
                CONTINUE;
            END IF;
            EXECUTE format('CREATE TRIGGER featbit_follow_insert AFTER INSERT ON %I.%I REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION featbit.follow_featbit_table()', schema, target);
            EXECUTE format('CREATE TRIGGER featbit_follow_update AFTER UPDATE ON %I.%I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION featbit.follow_featbit_table()', schema, target);
            EXECUTE format('CREATE TRIGGER featbit_follow_delete AFTER DELETE ON %I.%I REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION featbit.follow_featbit_table()', schema, target);
            EXECUTE format('CREATE TRIGGER featbit_follow_truncate AFTER TRUNCATE ON %I.%I FOR EACH STATEMENT EXECUTE FUNCTION featbit.follow_featbit_table()', schema, target);
        END LOOP;
    END IF;
    -- after the triggers, which wait for writers and hold off new ones: nothing happens in between
    SELECT jsonb_agg(to_jsonb(a)) INTO report
    FROM featbit.import_featbit_tables(schema, env_id, in_environment, false, missing_attribute, 'follows FeatBit', vanished, false) AS a;
    INSERT INTO featbit.follow (environment, schema, env_id, mode, vanished, followed_at, followed_by, checked_at, changed_at)
    VALUES (in_environment, schema, env_id, mode, vanished, now(), session_user, clock_timestamp(),
            CASE WHEN report @? '$[*] ? (@.action == "inserted" || @.action == "updated" || @.action == "archived" || @.action == "deleted")' THEN clock_timestamp() END);
    RETURN QUERY SELECT r.* FROM jsonb_to_recordset(report) AS r (kind text, key text, action text, problem text, notes text);
END $$;
COMMENT ON FUNCTION featbit.follow_featbit(text, uuid, text, text, text, text) IS
'imports a FeatBit environment from FeatBit''s own tables and keeps in step with it from then on.
schema, env_id, environment, missing_attribute and vanished: as import_featbit_tables. mode: trigger (changes are taken over by triggers on feature_flags and segments, in the transaction that makes them, whoever makes them; an error does not reach FeatBit, it is shown by followed_featbit) or poll (changes are taken over when sync_featbit is called; the way for foreign tables).
Returns the report of the import, as import_featbit. Flags with native semantics, such as those that to_native made, are left alone.
Errors: 42501 the caller does not own the extension, or may not make triggers on FeatBit''s tables; 22023 unknown mode; 23505 the environment follows already; 42809 triggers on foreign tables; others as import_featbit_tables';

CREATE FUNCTION featbit.unfollow_featbit(environment text DEFAULT NULL)
    RETURNS boolean LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
DECLARE
    in_environment text := coalesce(environment, current_setting('featbit.environment', true), 'default');
    followed featbit.follow;
BEGIN
    PERFORM featbit.require_follower();
    DELETE FROM featbit.follow AS f WHERE f.environment = in_environment RETURNING f.* INTO followed;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF NOT EXISTS (SELECT FROM featbit.follow AS f WHERE f.schema = followed.schema AND f.mode = 'trigger') THEN
        PERFORM featbit.drop_follow_triggers(followed.schema);
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION featbit.unfollow_featbit(text) IS 'ends what follow_featbit began: flags and segments of the environment stay as they are, and the triggers on FeatBit''s tables go when no other environment needs them. environment: default the setting featbit.environment. Returns false when it did not follow. Errors: 42501 the caller does not own the extension or FeatBit''s tables.';

CREATE FUNCTION featbit.sync_featbit(environment text DEFAULT NULL, everything boolean DEFAULT false)
    RETURNS TABLE (follower text, changes bigint, error text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
DECLARE
    followed featbit.follow;
    flag_keys text[];
    with_segments boolean;
BEGIN
    PERFORM featbit.require_follower();
    IF environment IS NOT NULL AND NOT EXISTS (SELECT FROM featbit.follow AS f WHERE f.environment = sync_featbit.environment) THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('environment "%s" does not follow FeatBit', environment),
            HINT = 'See SELECT * FROM featbit.followed_featbit().';
    END IF;
    FOR followed IN SELECT f.* FROM featbit.follow AS f WHERE sync_featbit.environment IS NULL OR f.environment = sync_featbit.environment ORDER BY f.environment LOOP
        follower := followed.environment;
        changes := 0;
        BEGIN
            IF coalesce(everything, false) THEN
                changes := featbit.sync_follow(follower, NULL, true);
            ELSE
                SELECT coalesce(array_agg(d.key) FILTER (WHERE d.kind = 'flag'), '{}'), coalesce(bool_or(d.kind = 'segment'), false)
                INTO flag_keys, with_segments
                FROM featbit.follow_differences(followed.schema, followed.env_id, follower) AS d;
                IF flag_keys <> '{}' OR with_segments THEN
                    changes := featbit.sync_follow(follower, flag_keys, with_segments);
                ELSE
                    UPDATE featbit.follow AS f SET checked_at = clock_timestamp(), error = NULL, error_at = NULL WHERE f.environment = follower;
                END IF;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            UPDATE featbit.follow AS f SET checked_at = clock_timestamp(), error = SQLERRM, error_at = clock_timestamp() WHERE f.environment = follower;
        END;
        SELECT f.error INTO error FROM featbit.follow AS f WHERE f.environment = follower;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION featbit.sync_featbit(text, boolean) IS
'takes over what FeatBit''s tables have in other versions than the environments that follow them: for a scheduler, with mode poll, and after errors with mode trigger. All versions (updated_at) and keys are compared, not only those since a watermark, so that changes that were committed late, and deletions, are seen; definitions are read only where they differ.
environment: default all that follow. everything: true compares the definitions, too, for changes by hand that left updated_at as it was.
Returns for each environment the number of changes, and the error, which is also shown by followed_featbit; one environment''s error does not stop the others. Errors: 42501 the caller does not own the extension; 42704 the environment does not follow';

CREATE FUNCTION featbit.followed_featbit()
    RETURNS TABLE (environment text, schema text, env_id uuid, mode text, followed_at timestamptz, checked_at timestamptz, changed_at timestamptz,
        newest timestamptz, behind bigint, lag interval, error text, error_at timestamptz)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    followed featbit.follow;
BEGIN
    FOR followed IN SELECT f.* FROM featbit.follow AS f ORDER BY f.environment LOOP
        environment := followed.environment;
        schema := followed.schema;
        env_id := followed.env_id;
        mode := followed.mode;
        followed_at := followed.followed_at;
        checked_at := followed.checked_at;
        changed_at := followed.changed_at;
        error := followed.error;
        error_at := followed.error_at;
        newest := NULL;
        behind := NULL;
        lag := NULL;
        BEGIN
            EXECUTE format('SELECT max(f.updated_at) FROM %I.feature_flags AS f WHERE f.env_id = $1', followed.schema) INTO newest USING followed.env_id;
            SELECT count(*), coalesce(clock_timestamp() - min(d.updated_at), '0') INTO behind, lag
            FROM featbit.follow_differences(followed.schema, followed.env_id, followed.environment) AS d;
        EXCEPTION WHEN OTHERS THEN
            error := coalesce(followed.error, SQLERRM);
        END;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION featbit.followed_featbit() IS
'environments that follow FeatBit, a row each: schema, env_id and mode as follow_featbit got them; followed_at since when, checked_at when FeatBit''s tables were looked at last, changed_at when a change was taken over last; newest when FeatBit changed a flag last; behind how many flags and segments differ now, lag how long the oldest of these changes has waited (0 when nothing differs); error and error_at what went wrong last time. FeatBit''s tables are read with the rights of the caller: without them newest, behind and lag are NULL.';
