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
BEGIN
    SELECT f.* INTO stored FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '42704',
            MESSAGE = format('flag "%s" does not exist in environment "%s"', coalesce(flag_key, 'NULL'), in_environment),
            HINT = coalesce('Did you mean "' || featbit.nearest_key('flag', flag_key, in_environment) || '"?', 'Name another flag or environment.');
    END IF;
    RETURN featbit.draft_definition(to_jsonb(featbit.changed_row(stored, changes)), in_environment);
END $$;
COMMENT ON FUNCTION featbit.preview_definition(text, jsonb, text) IS 'flag_definition of a flag as update_flag(flag_key, changes) would make it, without storing it: a value for assign and assign_variation, to see what a change does to the users of any table. Errors as update_flag.';

CREATE FUNCTION featbit.preview_change(flag_key text, changes jsonb, user_keys text[], contexts jsonb[] DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS TABLE (from_variation text, to_variation text, users bigint, percentage numeric)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT moved.from_variation, moved.to_variation, count(*), round(100 * count(*) / sum(count(*)) OVER (), 3)
    FROM (SELECT featbit.assign_variation((SELECT featbit.flag_definition(preview_change.flag_key, preview_change.environment)),
                     u.user_key, u.context, statement_timestamp()) AS from_variation,
                 featbit.assign_variation((SELECT featbit.preview_definition(preview_change.flag_key, preview_change.changes, preview_change.environment)),
                     u.user_key, u.context, statement_timestamp()) AS to_variation
          FROM unnest(user_keys, contexts) AS u (user_key, context)
          WHERE u.user_key IS NOT NULL) AS moved
    GROUP BY 1, 2
    ORDER BY moved.from_variation IS NOT DISTINCT FROM moved.to_variation, 3 DESC, 1, 2 $$;
COMMENT ON FUNCTION featbit.preview_change(text, jsonb, text[], jsonb[], text) IS 'how many of these users a change of a flag would move from which variation to which, without making it. changes: as in update_flag; user_keys: the users, such as ARRAY(SELECT id::text FROM users); contexts: their attributes in the same order, NULL for none. Returns a row for each pair of variations (NULL: the default of the code) with the number of users and its share in percent, those that move first. Errors as update_flag.';
