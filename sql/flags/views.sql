-- views: the configuration and its history to read and to evaluate, differences in words, and what is wrong or suspicious

-- evaluation of the past: with the configuration as history has it

CREATE FUNCTION featbit.evaluate_flag_at(user_key text, flag_key text, at timestamptz, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_evaluate_flag_at_text' LANGUAGE C STABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION featbit.evaluate_flag_at(text, text, timestamptz, jsonb, text) IS 'value of the variation that the flag served this user at a moment: with the newest recorded versions of the flag, and of the segments and flags it refers to, that were made at or before that moment, and with the moment as the clock of ramps and time windows. A change counts from when it was made, others saw it at its commit. A stored row whose version is not recorded, as one restored without its history, counts from its updated_at until it is changed; before its first recorded version a flag does not exist. A moment that is NULL gives NULL. Arguments and result otherwise as evaluate_flag, which answers for now. Raises nothing.';
CREATE FUNCTION featbit.evaluate_flag_at(user_key bigint, flag_key text, at timestamptz, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_evaluate_flag_at_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION featbit.evaluate_flag_at(bigint, text, timestamptz, jsonb, text) IS 'value of the variation that the flag served this user at a moment: with the newest recorded versions of the flag, and of the segments and flags it refers to, that were made at or before that moment, and with the moment as the clock of ramps and time windows. A change counts from when it was made, others saw it at its commit. A stored row whose version is not recorded, as one restored without its history, counts from its updated_at until it is changed; before its first recorded version a flag does not exist. A moment that is NULL gives NULL. Arguments and result otherwise as evaluate_flag, which answers for now. Raises nothing.';
CREATE FUNCTION featbit.evaluate_flag_at(user_key uuid, flag_key text, at timestamptz, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_evaluate_flag_at_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION featbit.evaluate_flag_at(uuid, text, timestamptz, jsonb, text) IS 'value of the variation that the flag served this user at a moment: with the newest recorded versions of the flag, and of the segments and flags it refers to, that were made at or before that moment, and with the moment as the clock of ramps and time windows. A change counts from when it was made, others saw it at its commit. A stored row whose version is not recorded, as one restored without its history, counts from its updated_at until it is changed; before its first recorded version a flag does not exist. A moment that is NULL gives NULL. Arguments and result otherwise as evaluate_flag, which answers for now. Raises nothing.';
CREATE FUNCTION featbit.flag_variation_at(user_key text, flag_key text, at timestamptz, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_variation_at_text' LANGUAGE C STABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION featbit.flag_variation_at(text, text, timestamptz, jsonb, text) IS 'key of the variation that the flag served this user at a moment: with the newest recorded versions of the flag, and of the segments and flags it refers to, that were made at or before that moment, and with the moment as the clock of ramps and time windows. A change counts from when it was made, others saw it at its commit. A stored row whose version is not recorded, as one restored without its history, counts from its updated_at until it is changed; before its first recorded version a flag does not exist. A moment that is NULL gives NULL. Arguments and result otherwise as flag_variation, which answers for now. Raises nothing.';
CREATE FUNCTION featbit.flag_variation_at(user_key bigint, flag_key text, at timestamptz, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_variation_at_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION featbit.flag_variation_at(bigint, text, timestamptz, jsonb, text) IS 'key of the variation that the flag served this user at a moment: with the newest recorded versions of the flag, and of the segments and flags it refers to, that were made at or before that moment, and with the moment as the clock of ramps and time windows. A change counts from when it was made, others saw it at its commit. A stored row whose version is not recorded, as one restored without its history, counts from its updated_at until it is changed; before its first recorded version a flag does not exist. A moment that is NULL gives NULL. Arguments and result otherwise as flag_variation, which answers for now. Raises nothing.';
CREATE FUNCTION featbit.flag_variation_at(user_key uuid, flag_key text, at timestamptz, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_variation_at_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION featbit.flag_variation_at(uuid, text, timestamptz, jsonb, text) IS 'key of the variation that the flag served this user at a moment: with the newest recorded versions of the flag, and of the segments and flags it refers to, that were made at or before that moment, and with the moment as the clock of ramps and time windows. A change counts from when it was made, others saw it at its commit. A stored row whose version is not recorded, as one restored without its history, counts from its updated_at until it is changed; before its first recorded version a flag does not exist. A moment that is NULL gives NULL. Arguments and result otherwise as flag_variation, which answers for now. Raises nothing.';

CREATE FUNCTION featbit.resolve_at(flag_key text, at timestamptz, context jsonb DEFAULT '{}', environment text DEFAULT NULL,
    OUT value jsonb, OUT variant text, OUT reason text, OUT error_code text, OUT error_message text, OUT metadata jsonb)
    RETURNS record AS 'MODULE_PATHNAME', 'fb_resolve_at' LANGUAGE C STABLE PARALLEL SAFE COST 60;
COMMENT ON FUNCTION featbit.resolve_at(text, timestamptz, jsonb, text) IS 'evaluation at a moment, as evaluate_flag_at, in the columns of resolve. error_code is FLAG_NOT_FOUND before the first version, after a deletion and while the flag was archived, PROVIDER_NOT_READY when the environment has neither a row nor a history, GENERAL when the moment is NULL. Raises nothing.';

-- definitions in words

CREATE FUNCTION featbit.definition_time(value text)
    RETURNS timestamptz AS 'MODULE_PATHNAME', 'fb_definition_time' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION featbit.definition_time(text) IS 'time of a timestamp as definitions write it (ISO 8601, without an offset UTC); NULL when it is none. Raises nothing.';

CREATE FUNCTION featbit.split_text(split jsonb)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN bool_and(coalesce(total > 0 AND weight IS NOT NULL, false)) THEN
        string_agg(format('%s%% %s', trim_scale(round(100 * weight / nullif(total, 0), 3)), variation), ', ' ORDER BY n) END
    FROM (SELECT arms.*, sum(weight) OVER () AS total
          -- an aggregate is computed whatever CASE is around it: what is no number must not get there
          FROM (SELECT arm ->> 'variation' AS variation, n,
                       CASE WHEN jsonb_typeof(arm -> 'weight') = 'number' THEN (arm ->> 'weight')::numeric END AS weight
                FROM jsonb_array_elements(CASE WHEN jsonb_typeof(split) = 'array' THEN split ELSE '[]' END) WITH ORDINALITY AS t (arm, n)) AS arms) AS shares $$;
COMMENT ON FUNCTION featbit.split_text(jsonb) IS 'a split in words: the share of each variation in percent, such as 90% base, 10% tuned; NULL when it is no split. Raises nothing.';

CREATE FUNCTION featbit.ranges_text(entries jsonb)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT string_agg(concat(CASE WHEN jsonb_typeof(start) = 'number' AND jsonb_typeof(stop) = 'number'
                                  THEN trim_scale(round(((stop #>> '{}')::numeric - (start #>> '{}')::numeric) * 100, 5))::text
                                  ELSE '?' END, '% ', coalesce(entry ->> 'id', entry ->> 'variation', '?')), ', ' ORDER BY n)
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof(entries) = 'array' THEN entries ELSE '[]' END) WITH ORDINALITY AS t (entry, n),
         LATERAL (SELECT coalesce(entry #> '{rollout,0}', entry -> 'from'), coalesce(entry #> '{rollout,1}', entry -> 'to')) AS ends (start, stop) $$;
COMMENT ON FUNCTION featbit.ranges_text(jsonb) IS 'the entries of one of FeatBit''s rollouts, or of ranges, in words: the width of each range in percent, and the id of its variation; NULL when they are none. Raises nothing.';

CREATE FUNCTION featbit.serve_text(serve jsonb)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(
        CASE WHEN jsonb_typeof(serve -> 'variation') = 'string' THEN serve ->> 'variation'
             ELSE coalesce(
                 featbit.split_text(serve -> 'split'), featbit.ranges_text(coalesce(serve -> 'ranges', serve -> 'variations')),
                 (SELECT string_agg(coalesce(featbit.split_text(stage -> 'split'), '?') || ' from ' || coalesce(stage ->> 'at', '?'), '; ' ORDER BY n)
                  FROM jsonb_array_elements(CASE WHEN jsonb_typeof(serve -> 'ramp') = 'array' THEN serve -> 'ramp' ELSE '[]' END)
                      WITH ORDINALITY AS t (stage, n)))
                 || coalesce(' by ' || coalesce(serve ->> 'by', nullif(serve ->> 'dispatchKey', '')), '')
        END, serve::text) $$;
COMMENT ON FUNCTION featbit.serve_text(jsonb) IS 'what a serve of a definition gives, in words: a variation, or the share of each in percent, with times for a ramp and the attribute that is hashed; the JSON itself when it is no serve. Raises nothing.';

-- the version of the configuration, and its notifications

CREATE FUNCTION featbit.config_version(environment text DEFAULT NULL)
    RETURNS bigint AS 'MODULE_PATHNAME', 'fb_config_version' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.config_version(text) IS 'number of the newest configuration of an environment (default: the setting featbit.environment), which grows with every change; NULL when there is no environment. Needs no right on tables. Raises nothing.';

CREATE FUNCTION featbit.notify_configuration() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_notify_configuration' LANGUAGE C;
COMMENT ON FUNCTION featbit.notify_configuration() IS 'trigger of featbit.environment: when a transaction that changed the configuration commits, notifies channel featbit once for each environment with {"environment", "version"}; version is null when the environment was deleted. A transaction that is prepared (two-phase commit) notifies nobody. Switched off by featbit.notify = off.';

CREATE CONSTRAINT TRIGGER notify_configuration AFTER INSERT OR UPDATE OR DELETE ON featbit.environment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION featbit.notify_configuration();
COMMENT ON TRIGGER notify_configuration ON featbit.environment IS 'notifies listeners at commit';

-- differences in words

CREATE FUNCTION featbit.count_text(sign text, number bigint)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT CASE WHEN number > 0 THEN format('%s%s user%s', sign, number, CASE WHEN number = 1 THEN '' ELSE 's' END) END $$;
COMMENT ON FUNCTION featbit.count_text(text, bigint) IS 'a number of users that came (sign +) or went (sign -) in words, NULL for none. Raises nothing.';

CREATE FUNCTION featbit.list_difference(old_list jsonb, new_list jsonb)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    WITH old_users AS (SELECT jsonb_array_elements(CASE WHEN jsonb_typeof(old_list) = 'array' THEN old_list ELSE '[]' END) AS listed),
         new_users AS (SELECT jsonb_array_elements(CASE WHEN jsonb_typeof(new_list) = 'array' THEN new_list ELSE '[]' END) AS listed)
    SELECT nullif(concat_ws(', ',
        featbit.count_text('+', (SELECT count(*) FROM (SELECT listed FROM new_users EXCEPT SELECT listed FROM old_users) AS came)),
        featbit.count_text('-', (SELECT count(*) FROM (SELECT listed FROM old_users EXCEPT SELECT listed FROM new_users) AS went))), '') $$;
COMMENT ON FUNCTION featbit.list_difference(jsonb, jsonb) IS 'how two lists of users differ, such as +3 users, -1 user; NULL when they have the same users. Raises nothing.';

CREATE FUNCTION featbit.serve_differences(place text, old_serve jsonb, new_serve jsonb)
    RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    WITH old_arms AS (SELECT arm ->> 'variation' AS variation, sum(CASE WHEN jsonb_typeof(arm -> 'weight') = 'number' THEN (arm ->> 'weight')::numeric END) AS weight, min(n) AS n
                      FROM jsonb_array_elements(CASE WHEN jsonb_typeof(old_serve -> 'split') = 'array' THEN old_serve -> 'split' ELSE '[]' END) WITH ORDINALITY AS t (arm, n) GROUP BY 1),
         new_arms AS (SELECT arm ->> 'variation' AS variation, sum(CASE WHEN jsonb_typeof(arm -> 'weight') = 'number' THEN (arm ->> 'weight')::numeric END) AS weight, min(n) AS n
                      FROM jsonb_array_elements(CASE WHEN jsonb_typeof(new_serve -> 'split') = 'array' THEN new_serve -> 'split' ELSE '[]' END) WITH ORDINALITY AS t (arm, n) GROUP BY 1),
         arms AS (SELECT variation, coalesce(o.weight, 0) AS old_weight, coalesce(w.weight, 0) AS new_weight, coalesce(w.n, o.n) AS n
                  FROM old_arms AS o FULL JOIN new_arms AS w USING (variation)
                  WHERE coalesce(o.weight, 0) <> coalesce(w.weight, 0)),
         -- two splits that differ in nothing but weights
         weights AS (SELECT CASE WHEN jsonb_typeof(old_serve) = 'object' AND jsonb_typeof(new_serve) = 'object'
                                 THEN old_serve ? 'split' AND new_serve ? 'split' AND old_serve - 'split' = new_serve - 'split'
                                      AND EXISTS (SELECT FROM arms) ELSE false END AS are_all)
    SELECT format('weight of %s in %s: %s -> %s', variation, place, old_weight, new_weight)
    FROM (SELECT * FROM arms ORDER BY n, variation) AS ordered
    WHERE (SELECT are_all FROM weights)
    UNION ALL
    SELECT format('%s: %s -> %s', place, featbit.serve_text(old_serve), featbit.serve_text(new_serve))
        || CASE WHEN old_serve -> 'salt' IS DISTINCT FROM new_serve -> 'salt'
                THEN format(', salt %s -> %s', coalesce(old_serve ->> 'salt', 'of the flag'), coalesce(new_serve ->> 'salt', 'of the flag')) ELSE '' END
    WHERE old_serve IS DISTINCT FROM new_serve AND NOT (SELECT are_all FROM weights) $$;
COMMENT ON FUNCTION featbit.serve_differences(text, jsonb, jsonb) IS 'how two serves differ, in words that name their place: weights one by one where both are splits. Raises nothing.';

CREATE FUNCTION featbit.shown_definition(definition jsonb)
    RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN definition ->> 'semantics' = 'featbit' AND definition ? 'variations' THEN definition || jsonb_build_object(
        'variations', (SELECT coalesce(jsonb_agg(CASE WHEN jsonb_typeof(v) = 'object' THEN v || jsonb_build_object('key', v -> 'id') ELSE v END ORDER BY n), '[]')
                       FROM jsonb_path_query(definition, '$.variations[*]') WITH ORDINALITY AS e (v, n)),
        'targets', (SELECT coalesce(jsonb_agg(CASE WHEN jsonb_typeof(t) = 'object' THEN jsonb_build_object('variation', t -> 'variationId', 'users', t -> 'keyIds') ELSE t END ORDER BY n), '[]')
                    FROM jsonb_path_query(definition, '$.targets[*]') WITH ORDINALITY AS e (t, n)),
        'rules', (SELECT coalesce(jsonb_agg(CASE WHEN jsonb_typeof(r) = 'object' THEN (r - '{conditions,variations,dispatchKey,includedInExpt}'::text[])
                                                 || jsonb_build_object('when', r -> 'conditions', 'serve', r - '{id,name,conditions}'::text[]) ELSE r END ORDER BY n), '[]')
                  FROM jsonb_path_query(definition, '$.rules[*]') WITH ORDINALITY AS e (r, n)))
        ELSE definition END $$;
COMMENT ON FUNCTION featbit.shown_definition(jsonb) IS 'a definition as history records it, with the parts of FeatBit''s flags under the names that native parts have, so that they can be compared and shown. Raises nothing.';

CREATE FUNCTION featbit.shown_differences(old_definition jsonb, new_definition jsonb)
    RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    -- columns that are one value
    (SELECT CASE column_name
        WHEN 'enabled' THEN CASE WHEN new_definition ->> 'enabled' = 'true' THEN 'enabled' ELSE 'disabled' END
        WHEN 'archived' THEN CASE WHEN new_definition ->> 'archived' = 'true' THEN 'archived' ELSE 'taken out of the archive' END
        ELSE format('%s: %s -> %s', replace(column_name, '_', ' '),
                    coalesce(nullif(old_definition ->> column_name, ''), 'none'), coalesce(nullif(new_definition ->> column_name, ''), 'none')) END
    FROM unnest(ARRAY['enabled', 'archived', 'name', 'description', 'type', 'semantics', 'off_variation', 'salt', 'iteration', 'source'])
        WITH ORDINALITY AS t (column_name, n)
    WHERE nullif(old_definition -> column_name, 'null') IS DISTINCT FROM nullif(new_definition -> column_name, 'null')
    ORDER BY n)
    UNION ALL
    (SELECT 'tags: ' || string_agg(sign || tag, ', ' ORDER BY sign COLLATE "C", tag COLLATE "C")
    FROM (SELECT '+' AS sign, tag FROM (SELECT jsonb_array_elements_text(new_definition -> 'tags') EXCEPT SELECT jsonb_array_elements_text(old_definition -> 'tags')) AS t (tag)
          UNION ALL
          SELECT '-', tag FROM (SELECT jsonb_array_elements_text(old_definition -> 'tags') EXCEPT SELECT jsonb_array_elements_text(new_definition -> 'tags')) AS t (tag)) AS tags
    HAVING count(*) > 0)
    UNION ALL
    -- variations
    (SELECT difference
    FROM (SELECT coalesce(o.v ->> 'key', w.v ->> 'key') AS key, o.v AS old, w.v AS new, coalesce(w.n, o.n) AS n
          FROM jsonb_path_query(old_definition, '$.variations[*]') WITH ORDINALITY AS o (v, n)
          FULL JOIN jsonb_path_query(new_definition, '$.variations[*]') WITH ORDINALITY AS w (v, n) ON o.v ->> 'key' = w.v ->> 'key') AS both_sides,
         LATERAL (VALUES
            (1, CASE WHEN old IS NULL THEN format('variation %s added: %s', key, new -> 'value') END),
            (2, CASE WHEN new IS NULL THEN format('variation %s removed, it was %s', key, old -> 'value') END),
            (3, CASE WHEN old -> 'value' <> new -> 'value' THEN format('value of variation %s: %s -> %s', key, old -> 'value', new -> 'value') END),
            (4, CASE WHEN old IS NOT NULL AND new IS NOT NULL AND old ->> 'name' IS DISTINCT FROM new ->> 'name'
                THEN format('name of variation %s: %s -> %s', key, coalesce(old ->> 'name', 'none'), coalesce(new ->> 'name', 'none')) END)) AS d (part, difference)
    WHERE difference IS NOT NULL
    ORDER BY n, part)
    UNION ALL
    -- prerequisites
    (SELECT CASE WHEN old IS NULL THEN format('prerequisite added: %s must serve %s', flag, new)
                WHEN new IS NULL THEN format('prerequisite removed: %s must serve %s', flag, old)
                ELSE format('prerequisite %s: %s -> %s', flag, old, new) END
    FROM (SELECT flag, o.variations AS old, w.variations AS new, coalesce(w.n, o.n) AS n
          FROM (SELECT p ->> 'flag' AS flag, string_agg(v #>> '{}', ' or ') AS variations, min(n) AS n
                FROM jsonb_path_query(old_definition, '$.prerequisites[*]') WITH ORDINALITY AS t (p, n), LATERAL jsonb_path_query(p, '$.variations[*]') AS v GROUP BY 1) AS o
          FULL JOIN (SELECT p ->> 'flag' AS flag, string_agg(v #>> '{}', ' or ') AS variations, min(n) AS n
                FROM jsonb_path_query(new_definition, '$.prerequisites[*]') WITH ORDINALITY AS t (p, n), LATERAL jsonb_path_query(p, '$.variations[*]') AS v GROUP BY 1) AS w
          USING (flag)) AS both_sides
    WHERE old IS DISTINCT FROM new
    ORDER BY n, flag)
    UNION ALL
    -- targets
    (SELECT format('targets of %s: %s', variation, difference)
    FROM (SELECT variation, featbit.list_difference(o.users, w.users) AS difference, coalesce(w.n, o.n) AS n
          FROM (SELECT t ->> 'variation' AS variation, t -> 'users' AS users, n FROM jsonb_path_query(old_definition, '$.targets[*]') WITH ORDINALITY AS e (t, n)) AS o
          FULL JOIN (SELECT t ->> 'variation' AS variation, t -> 'users' AS users, n FROM jsonb_path_query(new_definition, '$.targets[*]') WITH ORDINALITY AS e (t, n)) AS w
          USING (variation)) AS both_sides
    WHERE difference IS NOT NULL
    ORDER BY n, variation)
    UNION ALL
    -- rules
    (WITH old_rules AS (SELECT r ->> 'id' AS id, r AS rule, n FROM jsonb_path_query(old_definition, '$.rules[*]') WITH ORDINALITY AS e (r, n)),
          new_rules AS (SELECT r ->> 'id' AS id, r AS rule, n FROM jsonb_path_query(new_definition, '$.rules[*]') WITH ORDINALITY AS e (r, n)),
          kept AS (SELECT id, o.rule AS old, w.rule AS new, w.n,
                          row_number() OVER (ORDER BY o.n) AS old_rank, row_number() OVER (ORDER BY w.n) AS new_rank, o.n AS old_n
                   FROM old_rules AS o JOIN new_rules AS w USING (id))
    SELECT difference FROM (
        SELECT n, 0 AS part, format('rule %s removed from position %s', id, n) AS difference FROM old_rules AS o WHERE NOT EXISTS (SELECT FROM new_rules AS w WHERE w.id = o.id)
        UNION ALL
        SELECT n, 1, format('rule %s added at position %s: %s', id, n, featbit.serve_text(rule -> 'serve')) FROM new_rules AS w WHERE NOT EXISTS (SELECT FROM old_rules AS o WHERE o.id = w.id)
        UNION ALL
        SELECT 0, 2, format('order of rules: %s -> %s', string_agg(id, ', ' ORDER BY old_n), string_agg(id, ', ' ORDER BY n)) FROM kept HAVING bool_or(old_rank <> new_rank)
        UNION ALL
        SELECT n, 3, format('%s of rule %s: %s -> %s', word, id, coalesce(old ->> member, 'none'), coalesce(new ->> member, 'none'))
        FROM kept, (VALUES ('name', 'name'), ('percentage', 'percentage'), ('from', 'start'), ('until', 'end')) AS m (member, word)
        WHERE old -> member IS DISTINCT FROM new -> member
        UNION ALL
        SELECT n, 4, format('condition of rule %s: %s -> %s', id, old -> 'when', new -> 'when') FROM kept WHERE old -> 'when' IS DISTINCT FROM new -> 'when'
        UNION ALL
        SELECT n, 5, difference FROM kept, LATERAL featbit.serve_differences('rule ' || id, old -> 'serve', new -> 'serve') AS difference) AS rules
    ORDER BY n, part, difference)
    UNION ALL
    SELECT difference FROM featbit.serve_differences('fallthrough', old_definition -> 'fallthrough', new_definition -> 'fallthrough') AS difference
    UNION ALL
    -- segments
    (SELECT format('%s: %s', column_name, difference)
    FROM unnest(ARRAY['included', 'excluded']) AS column_name,
         LATERAL featbit.list_difference(old_definition -> column_name, new_definition -> column_name) AS difference
    WHERE difference IS NOT NULL)
    UNION ALL
    SELECT format('condition: %s -> %s', coalesce(nullif(old_definition -> 'condition', 'null')::text, 'none'), coalesce(nullif(new_definition -> 'condition', 'null')::text, 'none'))
    WHERE nullif(old_definition -> 'condition', 'null') IS DISTINCT FROM nullif(new_definition -> 'condition', 'null') $$;
COMMENT ON FUNCTION featbit.shown_differences(jsonb, jsonb) IS 'as definition_differences, of definitions that shown_definition gave. Raises nothing.';

CREATE FUNCTION featbit.definition_differences(old_definition jsonb, new_definition jsonb)
    RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.shown_differences(featbit.shown_definition(old_definition), featbit.shown_definition(new_definition)) $$;
COMMENT ON FUNCTION featbit.definition_differences(jsonb, jsonb) IS 'how two definitions of a flag or segment, as history records them, differ: each row one difference in words. Raises nothing.';

CREATE FUNCTION featbit.recorded_differences(kind text, key text, from_revision bigint, to_revision bigint, environment text)
    RETURNS SETOF text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT d FROM featbit.definition_differences(
        featbit.recorded_definition(kind, key, from_revision, environment),
        featbit.recorded_definition(kind, key, coalesce(to_revision,
            (SELECT max(r.revision) FROM featbit.flag_revision AS r
             WHERE r.environment = coalesce(recorded_differences.environment, current_setting('featbit.environment', true), 'default')
               AND r.kind = recorded_differences.kind AND r.key = recorded_differences.key)), environment)) AS d $$;
COMMENT ON FUNCTION featbit.recorded_differences(text, text, bigint, bigint, text) IS 'differences between two revisions of a flag or segment (kind), for diff_flag and diff_segment, with their arguments, result and errors.';

CREATE FUNCTION featbit.diff_flag(flag_key text, from_revision bigint, to_revision bigint DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS TABLE (difference text) LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT d FROM featbit.recorded_differences('flag', flag_key, from_revision, to_revision, environment) AS d $$;
COMMENT ON FUNCTION featbit.diff_flag(text, bigint, bigint, text) IS 'how a flag changed between two revisions: each row one difference in words. to_revision: NULL is the newest; environment: NULL is the setting featbit.environment. Errors: 42704 for an unknown environment or flag and when a revision is not recorded, 22004 for a NULL flag_key or from_revision, 42501 for a role that may not read the environment.';

CREATE FUNCTION featbit.diff_segment(segment_key text, from_revision bigint, to_revision bigint DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS TABLE (difference text) LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT d FROM featbit.recorded_differences('segment', segment_key, from_revision, to_revision, environment) AS d $$;
COMMENT ON FUNCTION featbit.diff_segment(text, bigint, bigint, text) IS 'how a segment changed between two revisions: each row one difference in words. Arguments and errors as diff_flag.';

CREATE FUNCTION featbit.compare_environments(environment_a text, environment_b text)
    RETURNS TABLE (kind text, key text, difference text) LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    in_a text := featbit.known_environment(environment_a);
    in_b text := featbit.known_environment(environment_b);
BEGIN
    RETURN QUERY
    SELECT c.kind, c.key, d
    FROM (SELECT 'flag' AS kind, key, to_jsonb(a) AS old, to_jsonb(b) AS new
          FROM (SELECT * FROM featbit.flag WHERE environment = in_a) AS a
          FULL JOIN (SELECT * FROM featbit.flag WHERE environment = in_b) AS b USING (key)
          UNION ALL
          SELECT 'segment', key, to_jsonb(a), to_jsonb(b)
          FROM (SELECT * FROM featbit.segment WHERE environment = in_a) AS a
          FULL JOIN (SELECT * FROM featbit.segment WHERE environment = in_b) AS b USING (key)) AS c,
         LATERAL (SELECT format('only in %s', in_a) WHERE c.new IS NULL
                  UNION ALL SELECT format('only in %s', in_b) WHERE c.old IS NULL
                  UNION ALL SELECT e FROM featbit.definition_differences(c.old, c.new) AS e WHERE c.old IS NOT NULL AND c.new IS NOT NULL) AS d (d)
    WHERE c.old - '{environment,revision,updated_at,updated_by}'::text[] IS DISTINCT FROM c.new - '{environment,revision,updated_at,updated_by}'::text[]
    ORDER BY c.kind, c.key;
END $$;
COMMENT ON FUNCTION featbit.compare_environments(text, text) IS 'how the flags and segments of two environments differ: each row one difference in words, from a to b; none when they are the same. NULL is the setting featbit.environment. Errors: 42704 for an unknown environment, 42501 for one that the caller may not read.';

CREATE FUNCTION featbit.compare_flag(flag_key text, environment_a text, environment_b text)
    RETURNS TABLE (difference text) LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    sides jsonb[];
    in_environment text;
    stored jsonb;
BEGIN
    FOREACH in_environment IN ARRAY ARRAY[environment_a, environment_b] LOOP
        in_environment := featbit.known_environment(in_environment);
        SELECT to_jsonb(f) INTO stored FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key;
        sides := sides || coalesce(stored, to_jsonb(featbit.refuse_unknown('flag', flag_key, in_environment)));
    END LOOP;
    RETURN QUERY SELECT d FROM featbit.definition_differences(sides[1], sides[2]) AS d;
END $$;
COMMENT ON FUNCTION featbit.compare_flag(text, text, text) IS 'how a flag differs between two environments: each row one difference in words, from a to b; none when they are the same. NULL is the setting featbit.environment. Errors: 42704 for an unknown environment and when one does not have the flag, 22004 for a NULL flag_key, 42501 for an environment that the caller may not read.';

-- views; access.sql makes them read the tables with the rights of whoever asks, where PostgreSQL can (15 and newer)

CREATE VIEW featbit.flags AS
SELECT f.environment, f.key, f.name, f.type, f.enabled, f.archived,
       CASE WHEN pg_catalog.jsonb_typeof(f.rules) OPERATOR(pg_catalog.=) 'array' THEN pg_catalog.jsonb_array_length(f.rules) END AS rules,
       (SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_path_query(f.targets, CASE WHEN f.semantics OPERATOR(pg_catalog.=) 'featbit' THEN '$[*].keyIds[*]' ELSE '$[*].users[*]' END::pg_catalog.jsonpath))::integer AS targets,
       CASE WHEN f.archived THEN 'nothing: archived'
            WHEN NOT f.enabled THEN pg_catalog.concat('off: ', coalesce(f.off_variation, 'the default of the code'))
            ELSE featbit.serve_text(f.fallthrough) END AS served,
       f.tags, f.revision, f.updated_at, f.updated_by
FROM featbit.flag AS f;
COMMENT ON VIEW featbit.flags IS 'flags to read: one row each, with the number of rules and target users, and what is served to whom no target and no rule applies';
COMMENT ON COLUMN featbit.flags.environment IS 'environment of the flag';
COMMENT ON COLUMN featbit.flags.key IS 'key of the flag';
COMMENT ON COLUMN featbit.flags.name IS 'name for people';
COMMENT ON COLUMN featbit.flags.type IS 'boolean, string, number or json';
COMMENT ON COLUMN featbit.flags.enabled IS 'false: everyone gets the off variation';
COMMENT ON COLUMN featbit.flags.archived IS 'true: evaluation answers FLAG_NOT_FOUND';
COMMENT ON COLUMN featbit.flags.rules IS 'number of rules, NULL when they are malformed';
COMMENT ON COLUMN featbit.flags.targets IS 'number of users in target lists';
COMMENT ON COLUMN featbit.flags.served IS 'what everyone else gets, such as 90% base, 10% tuned';
COMMENT ON COLUMN featbit.flags.tags IS 'labels';
COMMENT ON COLUMN featbit.flags.revision IS 'number of the version';
COMMENT ON COLUMN featbit.flags.updated_at IS 'when this version was written';
COMMENT ON COLUMN featbit.flags.updated_by IS 'session user who wrote it';

CREATE VIEW featbit.flag_rules AS
SELECT f.environment, f.key AS flag_key, r.n::integer AS "position",
       r.rule OPERATOR(pg_catalog.->>) 'id' AS id,
       r.rule OPERATOR(pg_catalog.->>) 'name' AS name,
       r.rule OPERATOR(pg_catalog.->) 'when' AS condition,
       r.rule OPERATOR(pg_catalog.->) 'serve' AS serve,
       featbit.serve_text(r.rule OPERATOR(pg_catalog.->) 'serve') AS served,
       CASE WHEN pg_catalog.jsonb_typeof(r.rule OPERATOR(pg_catalog.->) 'percentage') OPERATOR(pg_catalog.=) 'number'
            THEN (r.rule OPERATOR(pg_catalog.->>) 'percentage')::pg_catalog.numeric END AS percentage,
       featbit.definition_time(r.rule OPERATOR(pg_catalog.->>) 'from') AS "from",
       featbit.definition_time(r.rule OPERATOR(pg_catalog.->>) 'until') AS until
FROM featbit.flag AS f,
     LATERAL pg_catalog.jsonb_array_elements(CASE WHEN pg_catalog.jsonb_typeof(f.rules) OPERATOR(pg_catalog.=) 'array'
         THEN CASE WHEN f.semantics OPERATOR(pg_catalog.=) 'featbit'
                   THEN featbit.shown_definition(pg_catalog.jsonb_build_object('semantics', 'featbit', 'variations', '[]', 'rules', f.rules)) OPERATOR(pg_catalog.->) 'rules'
                   ELSE f.rules END ELSE '[]' END)
         WITH ORDINALITY AS r (rule, n);
COMMENT ON VIEW featbit.flag_rules IS 'rules of the flags: one row each';
COMMENT ON COLUMN featbit.flag_rules.environment IS 'environment of the flag';
COMMENT ON COLUMN featbit.flag_rules.flag_key IS 'key of the flag';
COMMENT ON COLUMN featbit.flag_rules."position" IS 'place of the rule, 1 is tested first';
COMMENT ON COLUMN featbit.flag_rules.id IS 'id of the rule';
COMMENT ON COLUMN featbit.flag_rules.name IS 'name for people';
COMMENT ON COLUMN featbit.flag_rules.condition IS 'condition that must be met';
COMMENT ON COLUMN featbit.flag_rules.serve IS 'what it serves, as it is written';
COMMENT ON COLUMN featbit.flag_rules.served IS 'what it serves, in words';
COMMENT ON COLUMN featbit.flag_rules.percentage IS 'share of those who meet the condition, in percent; NULL is all';
COMMENT ON COLUMN featbit.flag_rules."from" IS 'not before; NULL is always';
COMMENT ON COLUMN featbit.flag_rules.until IS 'only before; NULL is for ever';

CREATE VIEW featbit.flag_audit AS
SELECT r.changed_at AS "time", r.changed_by AS who, r.environment, r.kind, r.key, r.revision, r.change, r.changed,
       CASE r.change WHEN 'insert' THEN NULL WHEN 'delete' THEN r.definition
           ELSE (SELECT pg_catalog.jsonb_object_agg(c, p.definition OPERATOR(pg_catalog.->) c) FROM pg_catalog.unnest(r.changed) AS c) END AS old,
       CASE r.change WHEN 'insert' THEN r.definition WHEN 'delete' THEN NULL
           ELSE (SELECT pg_catalog.jsonb_object_agg(c, r.definition OPERATOR(pg_catalog.->) c) FROM pg_catalog.unnest(r.changed) AS c) END AS new,
       r.comment, r.transaction_id
FROM featbit.flag_revision AS r
LEFT JOIN LATERAL (SELECT e.definition FROM featbit.flag_revision AS e
                   WHERE e.environment OPERATOR(pg_catalog.=) r.environment AND e.kind OPERATOR(pg_catalog.=) r.kind
                     AND e.key OPERATOR(pg_catalog.=) r.key AND e.revision OPERATOR(pg_catalog.<) r.revision
                     AND r.change OPERATOR(pg_catalog.=) 'update'
                   ORDER BY e.revision DESC LIMIT 1) AS p ON true;
COMMENT ON VIEW featbit.flag_audit IS 'history to read: who changed which flag or segment when, and what was there before';
COMMENT ON COLUMN featbit.flag_audit."time" IS 'when the change was made';
COMMENT ON COLUMN featbit.flag_audit.who IS 'session user who made it';
COMMENT ON COLUMN featbit.flag_audit.environment IS 'environment of the flag or segment';
COMMENT ON COLUMN featbit.flag_audit.kind IS 'flag or segment';
COMMENT ON COLUMN featbit.flag_audit.key IS 'key of the flag or segment';
COMMENT ON COLUMN featbit.flag_audit.revision IS 'number of the version';
COMMENT ON COLUMN featbit.flag_audit.change IS 'insert, update or delete';
COMMENT ON COLUMN featbit.flag_audit.changed IS 'names of the columns that an update changed';
COMMENT ON COLUMN featbit.flag_audit.old IS 'object of the columns that changed with their values before; the whole row of a deletion';
COMMENT ON COLUMN featbit.flag_audit.new IS 'object of the columns that changed with their values after; the whole row of an insertion';
COMMENT ON COLUMN featbit.flag_audit.comment IS 'why';
COMMENT ON COLUMN featbit.flag_audit.transaction_id IS 'transaction that made the change';

CREATE VIEW featbit.flag_change_annotations AS
SELECT r.changed_at AS "time",
       pg_catalog.concat(r.kind, ' ', r.key, ' in ', r.environment,
           CASE r.change WHEN 'insert' THEN ' created' WHEN 'delete' THEN ' deleted'
               ELSE pg_catalog.concat(': ', coalesce(nullif(pg_catalog.array_to_string(r.changed, ', '), ''), 'nothing'), ' changed') END,
           ' by ', r.changed_by, ': ' OPERATOR(pg_catalog.||) r.comment) AS text,
       pg_catalog.concat_ws(',', r.environment, r.kind, r.key, r.change,
           (SELECT pg_catalog.string_agg(t, ',') FROM pg_catalog.jsonb_path_query(r.definition, '$.tags[*]') AS j,
                   LATERAL (SELECT j OPERATOR(pg_catalog.#>>) '{}') AS s (t) WHERE t OPERATOR(pg_catalog.!~~) '%,%')) AS tags
FROM featbit.flag_revision AS r;
COMMENT ON VIEW featbit.flag_change_annotations IS 'changes of the configuration as annotations of charts: columns as Grafana reads them';
COMMENT ON COLUMN featbit.flag_change_annotations."time" IS 'when the change was made';
COMMENT ON COLUMN featbit.flag_change_annotations.text IS 'what was changed, by whom and why';
COMMENT ON COLUMN featbit.flag_change_annotations.tags IS 'environment, kind, key, kind of change and tags of the flag, separated by commas';

-- problems

CREATE FUNCTION featbit.flag_problems(INOUT environment text DEFAULT NULL,
    OUT kind text, OUT key text, OUT path text, OUT problem text, OUT severity text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'fb_flag_problems' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 100;
COMMENT ON FUNCTION featbit.flag_problems(text) IS 'what is wrong or suspicious in the stored configuration. environment: NULL is every environment that the caller may read. Returns for each problem the environment (NULL for one of this session), the kind (flag, segment, environment, session) and key of the row, the path within it, what is the matter, and a severity. error: a malformed part, a reference to what does not exist, a cycle, an environment without row: whatever came past the validation, by replication or from a dump, and evaluates to an error. warning: legal but suspicious, as rules that are never reached or apply to nobody, ended time windows, variations of weight 0, prerequisites that are disabled or archived, a tracking schema that does not exist, limits that regular expressions met in this session. Needs the right to read the tables. Errors: 42704 for an unknown environment, 42501 for one that the caller may not read.';
