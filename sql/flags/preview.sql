-- preview: what a change of a flag would do to whom, without making it

CREATE FUNCTION featbit.draft_definition(draft jsonb, environment text DEFAULT NULL)
    RETURNS jsonb AS 'MODULE_PATHNAME', 'fb_draft_definition' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION featbit.draft_definition(jsonb, text) IS 'flag_definition of a flag whose row is given as jsonb (draft, as to_jsonb makes it of a row) instead of stored; what it refers to is read from the environment, by default the setting featbit.environment. Errors as of storing the row: 22023, 23503, 23514 and others; 42501 for a role that may not read the flags of the environment.';

CREATE FUNCTION featbit.preview_definition(flag_key text, changes jsonb, environment text DEFAULT NULL)
    RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    in_environment text := coalesce(preview_definition.environment, current_setting('featbit.environment', true), 'default');
    stored featbit.flag;
    found_it boolean;
BEGIN
    SELECT f.* INTO stored FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key;
    found_it := FOUND OR featbit.refuse_unknown('flag', flag_key, in_environment);
    RETURN featbit.draft_definition(to_jsonb(featbit.changed_row(stored, changes)), in_environment);
END $$;
COMMENT ON FUNCTION featbit.preview_definition(text, jsonb, text) IS 'flag_definition of a flag as update_flag(flag_key, changes) would make it, without storing it: a value for assign and assign_variation, to see what a change does to the users of any table. Errors as update_flag.';

CREATE FUNCTION featbit.preview_change(flag_key text, changes jsonb, user_keys text[], contexts jsonb[] DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS TABLE (from_variation text, to_variation text, users bigint, percentage numeric)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    new_definition jsonb := featbit.preview_definition(flag_key, changes, environment);
    old_definition jsonb := featbit.flag_definition(flag_key, environment);
BEGIN
    IF cardinality(contexts) <> coalesce(cardinality(user_keys), 0) THEN
        RAISE EXCEPTION USING ERRCODE = '2202E',
            MESSAGE = format('preview_change got %s user keys, but %s contexts', coalesce(cardinality(user_keys), 0), cardinality(contexts)),
            HINT = 'Give one context for each user key, or NULL for none at all.';
    END IF;
    RETURN QUERY
    SELECT moved.old_variation, moved.new_variation, count(*), round(100 * count(*) / sum(count(*)) OVER (), 3)
    FROM (SELECT featbit.assign_variation(old_definition, u.user_key, u.context, statement_timestamp()) AS old_variation,
                 featbit.assign_variation(new_definition, u.user_key, u.context, statement_timestamp()) AS new_variation
          FROM unnest(user_keys, contexts) AS u (user_key, context)
          WHERE u.user_key IS NOT NULL) AS moved
    GROUP BY 1, 2
    ORDER BY moved.old_variation IS NOT DISTINCT FROM moved.new_variation, 3 DESC, 1, 2;
END $$;
COMMENT ON FUNCTION featbit.preview_change(text, jsonb, text[], jsonb[], text) IS 'how many of these users a change of a flag would move from which variation to which, without making it. changes: as in update_flag; user_keys: the users, such as ARRAY(SELECT id::text FROM users); contexts: their attributes in the same order, NULL for none; environment: NULL is the setting featbit.environment. Returns a row for each pair of variations (NULL: the default of the code) with the number of users and its share in percent, those that move first. Errors: as update_flag, and 2202E when there are not as many contexts as user keys.';
