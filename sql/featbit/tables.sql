-- FeatBit's own tables, where they are: in this database, or foreign tables of another one

CREATE FUNCTION featbit.featbit_table(schema text, "table" text, columns text[] DEFAULT '{}')
    RETURNS regclass LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
DECLARE
    relation record;
    wrong record;
    missing text;
BEGIN
    IF to_regnamespace(quote_ident(schema)) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '3F000', MESSAGE = format('schema "%s" does not exist', coalesce(schema, 'NULL')),
            HINT = 'FeatBit''s tables are in schema public of its database; for another database make foreign tables with IMPORT FOREIGN SCHEMA.';
    END IF;
    SELECT c.oid, c.relkind INTO relation
    FROM pg_class AS c WHERE c.relnamespace = to_regnamespace(quote_ident(schema)) AND c.relname = "table";
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '42P01', MESSAGE = format('FeatBit''s table "%s" is not in schema "%s"', "table", schema),
            HINT = 'Name the schema that holds feature_flags and segments.';
    END IF;
    -- a view, or a type with casts of its own, would run what its owner wrote with the rights of whoever reads
    IF relation.relkind NOT IN ('r', 'p', 'f') THEN
        RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('"%s.%s" is no table', schema, "table"),
            DETAIL = 'Only tables, partitioned tables and foreign tables are read.';
    END IF;
    SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type INTO wrong
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = relation.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace <> 'pg_catalog'::regnamespace
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '42804', MESSAGE = format('column "%s" of "%s.%s" has type %s', wrong.attname, schema, "table", wrong.type),
            DETAIL = 'FeatBit''s tables have built-in types only.';
    END IF;
    SELECT string_agg(c.name, ', ' ORDER BY c.n) INTO missing
    FROM unnest(columns) WITH ORDINALITY AS c (name, n)
    WHERE NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation.oid AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '42703', MESSAGE = format('table "%s.%s" has no column %s', schema, "table", missing),
            DETAIL = 'It is not FeatBit''s table of version 5 or 6.';
    END IF;
    RETURN relation.oid::regclass;
END $$;
COMMENT ON FUNCTION featbit.featbit_table(text, text, text[]) IS 'a table of FeatBit in a schema that it is safe to read; columns: those that it must have. Errors: 3F000 no such schema, 42P01 no such table, 42809 it is a view, 42804 a column has a type that is not built in, 42703 a column is missing.';

CREATE FUNCTION featbit.featbit_layout(schema text)
    RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
DECLARE
    flags regclass := featbit.featbit_table(schema, 'feature_flags', ARRAY['id', 'env_id', 'key', 'variation_type', 'variations', 'target_users', 'rules', 'is_enabled',
        'disabled_variation_id', 'fallthrough', 'is_archived', 'updated_at']);
    segments regclass := featbit.featbit_table(schema, 'segments', ARRAY['id', 'env_id', 'included', 'excluded', 'rules', 'is_archived', 'updated_at']);
BEGIN
    RETURN CASE WHEN EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = flags AND a.attname IN ('committed_version', 'insights_enabled') AND NOT a.attisdropped)
                     OR to_regclass(format('%I.experiment_exposure_events', schema)) IS NOT NULL THEN 'v6' ELSE 'v5' END;
END $$;
COMMENT ON FUNCTION featbit.featbit_layout(text) IS 'layout of FeatBit''s tables in a schema: v5, or v6 where feature_flags has committed_version or insights_enabled, or the tables of its experiments are there. Errors as featbit_table.';

CREATE FUNCTION featbit.featbit_environments(schema text)
    RETURNS TABLE (env_id uuid, project text, environment text, name text, flags bigint, updated_at timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
BEGIN
    PERFORM featbit.featbit_layout(schema), featbit.featbit_table(schema, 'environments', ARRAY['id', 'project_id', 'key', 'name']),
            featbit.featbit_table(schema, 'projects', ARRAY['id', 'key']);
    RETURN QUERY EXECUTE format($query$
        SELECT e.id, p.key::text, e.key::text, e.name::text, count(f.id), max(f.updated_at)
        FROM %1$I.environments AS e
        LEFT JOIN %1$I.projects AS p ON p.id = e.project_id
        LEFT JOIN %1$I.feature_flags AS f ON f.env_id = e.id
        GROUP BY e.id, p.key, e.key, e.name
        ORDER BY p.key, e.key, e.id $query$, schema);
END $$;
COMMENT ON FUNCTION featbit.featbit_environments(text) IS 'environments of a FeatBit installation whose tables are in a schema: env_id as import_featbit_tables wants it, keys of project and environment, name, number of flags, and when one of them was changed last. The tables are read with the rights of the caller. Errors as featbit_table.';

CREATE FUNCTION featbit.read_featbit(schema text, env_id uuid, flag_keys text[], with_segments boolean,
    OUT flags jsonb, OUT segments jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
DECLARE
    layout text := featbit.featbit_layout(schema);
    workspace uuid;
    resource text;
    known boolean := true;
    with_scopes boolean;
BEGIN
    IF env_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'env_id is null', HINT = 'Find it with featbit.featbit_environments.';
    END IF;
    IF to_regclass(format('%I.environments', schema)) IS NOT NULL AND to_regclass(format('%I.projects', schema)) IS NOT NULL
       AND to_regclass(format('%I.organizations', schema)) IS NOT NULL THEN
        PERFORM featbit.featbit_table(schema, 'environments', ARRAY['id', 'project_id', 'key']),
                featbit.featbit_table(schema, 'projects', ARRAY['id', 'organization_id', 'key']),
                featbit.featbit_table(schema, 'organizations', ARRAY['id', 'workspace_id', 'key']);
        EXECUTE format($query$
            SELECT true, o.workspace_id, format('organization/%%s:project/%%s:env/%%s:', o.key, p.key, e.key)
            FROM %1$I.environments AS e
            LEFT JOIN %1$I.projects AS p ON p.id = e.project_id
            LEFT JOIN %1$I.organizations AS o ON o.id = p.organization_id
            WHERE e.id = $1 $query$, schema)
        INTO known, workspace, resource USING env_id;
        IF known IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('FeatBit in schema "%s" has no environment %s', schema, env_id),
                HINT = format('Find it with SELECT * FROM featbit.featbit_environments(%L).', schema);
        END IF;
    END IF;
    -- the newest first: where a key is there twice, it counts
    EXECUTE format($query$
        SELECT coalesce(jsonb_agg(r.entity), '[]')
        FROM (SELECT featbit.featbit_entity(to_jsonb(f)) AS entity
              FROM %1$I.feature_flags AS f
              WHERE f.env_id = $1 AND ($2 IS NULL OR f.key = ANY ($2))
              ORDER BY f.updated_at DESC, f.id) AS r $query$, schema)
    INTO flags USING env_id, flag_keys;
    segments := '[]';
    IF with_segments THEN
        SELECT count(*) = 3 INTO with_scopes
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass(format('%I.segments', schema)) AND a.attname IN ('workspace_id', 'type', 'scopes') AND NOT a.attisdropped;
        EXECUTE format($query$
            SELECT coalesce(jsonb_agg(r.entity), '[]')
            FROM (SELECT featbit.featbit_entity(to_jsonb(s)) || jsonb_build_object('envId', $1) AS entity
                  FROM %1$I.segments AS s
                  WHERE %2$s
                  ORDER BY s.updated_at DESC, s.id) AS r $query$, schema,
            CASE WHEN with_scopes THEN
                's.env_id = $1 AND s.type <> ''shared'' OR s.workspace_id = $2 AND EXISTS (SELECT FROM unnest(s.scopes) AS u (scope) WHERE starts_with($3, u.scope || '':''))'
            ELSE 's.env_id = $1' END)
        INTO segments USING env_id, workspace, resource;
    END IF;
END $$;
COMMENT ON FUNCTION featbit.read_featbit(text, uuid, text[], boolean) IS 'internal: flags of a FeatBit environment, and its segments with those that are shared with it by their scope, from FeatBit''s tables, as arrays of FeatBit''s JSON. flag_keys: only these flags, NULL for all. Errors as featbit_table; 42704 no such environment; 22004 env_id is NULL.';

CREATE FUNCTION featbit.import_featbit_tables(schema text, env_id uuid, environment text DEFAULT NULL, dry_run boolean DEFAULT false,
    missing_attribute text DEFAULT NULL, comment text DEFAULT NULL, vanished text DEFAULT 'archive', replace_native boolean DEFAULT false)
    RETURNS TABLE (kind text, key text, action text, problem text, notes text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS $$
#variable_conflict use_variable
DECLARE
    found record;
BEGIN
    found := featbit.read_featbit(schema, env_id, NULL, true);
    RETURN QUERY SELECT a.* FROM featbit.apply_featbit(environment, found.flags, replace(schema, '%', '%%') || '.feature_flags %2$s', NULL,
        found.segments, replace(schema, '%', '%%') || '.segments %2$s', NULL, false, false, coalesce(dry_run, false), missing_attribute, comment, vanished, replace_native) AS a;
END $$;
COMMENT ON FUNCTION featbit.import_featbit_tables(text, uuid, text, boolean, text, text, text, boolean) IS
'takes all flags and segments of a FeatBit environment into an environment from FeatBit''s own tables, as import_featbit does with a full message; segments that are shared with the environment by their scope, too.
schema: where FeatBit''s tables are, of version 5 or 6: in this database, or foreign tables (postgres_fdw). They are read with the rights of the caller. Without the tables environments, projects and organizations shared segments are not found. env_id: id of FeatBit''s environment, see featbit_environments. The other arguments, the result and errors as import_featbit; errors of the tables as featbit_table; 42704 FeatBit has no such environment';
