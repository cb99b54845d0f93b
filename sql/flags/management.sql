-- management: thin writers of the configuration tables, one statement and one revision each

CREATE FUNCTION featbit.lock_environment(environment text)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_lock_environment' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION featbit.lock_environment(text) IS 'locks the row of an environment (default: the setting featbit.environment) until the transaction ends, so that a change reads what it changes after all earlier changes are committed. Returns false when the environment does not exist. Error 42501 for a role that may not write flags or segments of the environment.';

CREATE FUNCTION featbit.nearest_key(kind text, key text, environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_nearest_key' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION featbit.nearest_key(text, text, text) IS 'key of the flag or segment (kind) that is spelled most like the given key, NULL when none is near or the role may not read that environment; environment defaults to the setting featbit.environment. Error 22023 for another kind.';

CREATE FUNCTION featbit.begin_change(environment text, comment text, flag_key text DEFAULT NULL)
    RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := coalesce(current_setting('featbit.change_comment', true), '');
    in_environment text := coalesce(begin_change.environment, current_setting('featbit.environment', true), 'default');
BEGIN
    IF comment IS NOT NULL THEN
        PERFORM set_config('featbit.change_comment', comment, true);
    END IF;
    -- a plain UPDATE locks its row before the environment: where one is under way, it is let through first
    BEGIN
        PERFORM featbit.lock_environment(environment);
        PERFORM FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key FOR NO KEY UPDATE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        PERFORM FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key FOR NO KEY UPDATE;
        PERFORM featbit.lock_environment(environment);
    END;
    RETURN previous;
END $$;
COMMENT ON FUNCTION featbit.begin_change(text, text, text) IS 'starts a change by a management function: puts its comment into featbit.change_comment, locks the environment, and the flag when one is given, without a deadlock with a plain UPDATE of that flag. Returns the previous comment, which the function puts back.';

CREATE FUNCTION featbit.stored_flag(flag_key text, environment text)
    RETURNS featbit.flag LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    in_environment text := coalesce(stored_flag.environment, current_setting('featbit.environment', true), 'default');
    stored featbit.flag;
    nearest text;
BEGIN
    IF flag_key IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'flag key is null';
    END IF;
    SELECT f.* INTO stored FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT FROM featbit.environment AS e WHERE e.key = in_environment) THEN
            SELECT featbit.nearest_name(in_environment, array_agg(e.key::text)) INTO nearest FROM featbit.environment AS e;
            RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('environment "%s" does not exist', in_environment),
                HINT = coalesce('Did you mean "' || nearest || '"?', 'An environment is made by the first flag that is created in it.');
        END IF;
        nearest := featbit.nearest_key('flag', flag_key, in_environment);
        RAISE EXCEPTION USING ERRCODE = '42704',
            MESSAGE = format('flag "%s" does not exist in environment "%s"', flag_key, in_environment),
            HINT = coalesce('Did you mean "' || nearest || '"?', 'Create it with featbit.create_flag, or name another environment.');
    END IF;
    RETURN stored;
END $$;
COMMENT ON FUNCTION featbit.stored_flag(text, text) IS 'row of a flag as it is stored now; environment NULL is the setting featbit.environment. Errors: 42704 unknown flag, 22004 flag_key is NULL.';

CREATE FUNCTION featbit.native_flag(what text, flag_key text, environment text)
    RETURNS featbit.flag LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.stored_flag(flag_key, native_flag.environment);
BEGIN
    IF stored.semantics <> 'native' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
            MESSAGE = format('%s cannot change flag "%s": it has %s semantics', what, stored.key, stored.semantics),
            HINT = format('Convert it with featbit.to_native(%L), or change it in its own terms with featbit.update_flag.', stored.key);
    END IF;
    RETURN stored;
END $$;
COMMENT ON FUNCTION featbit.native_flag(text, text, text) IS 'row of a flag as stored_flag returns it, for a function (what) that knows native definitions only. Errors: as stored_flag, and 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.create_flag(flag_key text, variations jsonb, type text DEFAULT NULL, fallthrough jsonb DEFAULT NULL,
    off_variation text DEFAULT NULL, enabled boolean DEFAULT true, description text DEFAULT NULL, tags text[] DEFAULT '{}',
    comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(create_flag.environment, create_flag.comment);
    in_environment text := coalesce(create_flag.environment, current_setting('featbit.environment', true), 'default');
    new_revision bigint;
BEGIN
    IF EXISTS (SELECT FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key) THEN
        RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = format('flag "%s" already exists in environment "%s"', flag_key, in_environment),
            HINT = 'Change it with featbit.update_flag, or choose another key.';
    END IF;
    INSERT INTO featbit.flag (environment, key, description, type, variations, enabled, off_variation, fallthrough, tags)
    VALUES (in_environment, flag_key, create_flag.description, create_flag.type, create_flag.variations,
            coalesce(create_flag.enabled, true), create_flag.off_variation, create_flag.fallthrough,
            coalesce(create_flag.tags, '{}'))
    RETURNING revision INTO new_revision;
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.create_flag(text, jsonb, text, jsonb, text, boolean, text, text[], text, text) IS 'creates a flag. variations: array of {"key", "value", "name"}; type: boolean, string, number or json, inferred from the values when NULL; fallthrough: what is served to everyone, {"variation": key} or {"split": [{"variation", "weight"}, …], "by", "salt"}, the first variation when NULL; off_variation: served while disabled, NULL leaves the value to the code; environment: default the setting featbit.environment, made when missing. Returns the revision. Errors: 23505 when the key exists, 22023 for an illegal definition, 23503 for an unknown reference.';

CREATE FUNCTION featbit.changed_row(stored featbit.flag, changes jsonb)
    RETURNS featbit.flag LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    unknown text;
BEGIN
    IF jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'changes of a flag must be a JSON object',
            HINT = 'Give the columns to change, such as {"enabled": false}.';
    END IF;
    SELECT key INTO unknown FROM jsonb_object_keys(changes) AS key
    WHERE key <> ALL (ARRAY['name', 'description', 'type', 'variations', 'enabled', 'off_variation', 'prerequisites', 'targets',
                            'rules', 'fallthrough', 'salt', 'semantics', 'tags', 'archived', 'source', 'iteration'])
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('column "%s" of a flag cannot be changed', unknown),
            HINT = 'Legal are name, description, type, variations, enabled, off_variation, prerequisites, targets, rules, fallthrough, salt, semantics, tags, archived, source and iteration.';
    END IF;
    stored := jsonb_populate_record(stored, changes);
    stored.source := nullif(stored.source, 'null');
    RETURN stored;
END $$;
COMMENT ON FUNCTION featbit.changed_row(featbit.flag, jsonb) IS 'row of a flag with the columns of an object in place of its own, as update_flag writes it. Error 22023 for what is no object and for columns that cannot be changed.';

CREATE FUNCTION featbit.update_flag(flag_key text, changes jsonb, expected_revision bigint DEFAULT NULL,
    comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(update_flag.environment, update_flag.comment, flag_key);
    old_row featbit.flag := featbit.stored_flag(flag_key, update_flag.environment);
    new_row featbit.flag := featbit.changed_row(old_row, changes);
    new_revision bigint;
BEGIN
    UPDATE featbit.flag AS f
    SET name = new_row.name, description = new_row.description, type = new_row.type, variations = new_row.variations,
        enabled = new_row.enabled, off_variation = new_row.off_variation, prerequisites = new_row.prerequisites,
        targets = new_row.targets, rules = new_row.rules, fallthrough = new_row.fallthrough, salt = new_row.salt,
        semantics = new_row.semantics, tags = new_row.tags, archived = new_row.archived, source = new_row.source, iteration = new_row.iteration,
        revision = coalesce(expected_revision, f.revision)
    WHERE f.environment = old_row.environment AND f.key = old_row.key
    RETURNING f.revision INTO new_revision;
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.update_flag(text, jsonb, bigint, text, text) IS 'changes columns of a flag. changes: object with new values, such as {"archived": true}; expected_revision: the revision that was read, NULL for last writer wins; comment: why. Returns the new revision. Errors: 42704 unknown flag, 40001 another revision is stored, 22023 and 23503 for an illegal definition.';

CREATE FUNCTION featbit.enable_flag(flag_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.update_flag(flag_key, '{"enabled": true}', expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.enable_flag(text, bigint, text, text) IS 'enables a flag. Arguments, result and errors as update_flag.';

CREATE FUNCTION featbit.disable_flag(flag_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.update_flag(flag_key, '{"enabled": false}', expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.disable_flag(text, bigint, text, text) IS 'disables a flag: everyone gets off_variation from the next statement after commit on. Arguments, result and errors as update_flag.';

CREATE FUNCTION featbit.set_rollout(flag_key text, split jsonb, "by" text DEFAULT NULL, salt text DEFAULT NULL,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(set_rollout.environment, set_rollout.comment, flag_key);
    stored featbit.flag := featbit.native_flag('set_rollout', flag_key, set_rollout.environment);
    new_revision bigint;
BEGIN
    new_revision := featbit.update_flag(stored.key, jsonb_build_object('fallthrough', jsonb_strip_nulls(jsonb_build_object('by', "by", 'salt', salt)) || jsonb_build_object('split', split)),
        expected_revision, set_rollout.comment, set_rollout.environment);
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.set_rollout(text, jsonb, text, text, bigint, text, text) IS 'replaces the fallthrough of a flag by a split. split: array of {"variation", "weight"}, weights are whole numbers of which only the ratio counts; by: attribute that is hashed instead of the user key; salt: seed of this split instead of the flag''s. Other arguments, result and errors as update_flag. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.add_rule(flag_key text, rule jsonb, "position" integer DEFAULT NULL,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(add_rule.environment, add_rule.comment, flag_key);
    stored featbit.flag := featbit.native_flag('add_rule', flag_key, add_rule.environment);
    rules integer := jsonb_array_length(stored.rules);
    place integer := coalesce("position", rules + 1);
    new_rule jsonb := rule;
    new_revision bigint;
BEGIN
    IF jsonb_typeof(rule) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'a rule must be a JSON object',
            HINT = 'For example {"when": {"attribute": "country", "op": "eq", "value": "de"}, "serve": {"variation": "on"}}.';
    END IF;
    IF place NOT BETWEEN 1 AND rules + 1 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('position %s is outside the rules of flag "%s"', place, flag_key),
            HINT = format('Legal are 1 to %s, or NULL for the last place.', rules + 1);
    END IF;
    IF NOT rule ? 'id' THEN
        new_rule := jsonb_build_object('id', 'rule-' || stored.revision + 1) || rule;
    END IF;
    new_revision := featbit.update_flag(flag_key, jsonb_build_object('rules',
        (SELECT coalesce(jsonb_agg(one.rule ORDER BY one.place), '[]')
         FROM (SELECT r.rule, r.n + CASE WHEN r.n < place THEN 0 ELSE 1 END AS place
               FROM jsonb_array_elements(stored.rules) WITH ORDINALITY AS r (rule, n)
               UNION ALL SELECT new_rule, place) AS one)),
        expected_revision, add_rule.comment, add_rule.environment);
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.add_rule(text, jsonb, integer, bigint, text, text) IS 'adds a rule to a flag. rule: {"id", "name", "when": condition, "serve": {"variation"} or {"split", "by", "salt"}, "percentage", "from", "until"}, an id is made when it has none; position: 1 is the first, NULL the last. Other arguments and result as update_flag. Errors: as update_flag, and 23505 for a rule id that the flag has used before. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.set_targets(flag_key text, variation text, users text[],
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(set_targets.environment, set_targets.comment, flag_key);
    stored featbit.flag := featbit.native_flag('set_targets', flag_key, set_targets.environment);
    entry jsonb := jsonb_build_object('variation', variation, 'users', to_jsonb(users));
    kept jsonb;
    new_revision bigint;
BEGIN
    SELECT coalesce(jsonb_agg(CASE WHEN target ->> 'variation' = variation THEN entry ELSE target END ORDER BY n), '[]')
    INTO kept
    FROM jsonb_array_elements(stored.targets) WITH ORDINALITY AS t (target, n)
    WHERE target ->> 'variation' <> variation OR coalesce(cardinality(users), 0) > 0;
    IF coalesce(cardinality(users), 0) > 0
       AND NOT EXISTS (SELECT FROM jsonb_array_elements(stored.targets) AS target WHERE target ->> 'variation' = variation) THEN
        kept := kept || jsonb_build_array(entry);
    END IF;
    new_revision := featbit.update_flag(flag_key, jsonb_build_object('targets', kept),
        expected_revision, set_targets.comment, set_targets.environment);
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.set_targets(text, text, text[], bigint, text, text) IS 'replaces the list of users that always get a variation; an empty list or NULL removes it. users: user keys as text. Other arguments, result and errors as update_flag. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.set_variation(flag_key text, variation text, value jsonb,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(set_variation.environment, set_variation.comment, flag_key);
    stored featbit.flag := featbit.native_flag('set_variation', flag_key, set_variation.environment);
    variations jsonb;
    new_revision bigint;
BEGIN
    SELECT jsonb_agg(CASE WHEN v ->> 'key' = variation THEN v || jsonb_build_object('value', value) ELSE v END ORDER BY n)
    INTO variations
    FROM jsonb_array_elements(stored.variations) WITH ORDINALITY AS t (v, n);
    IF NOT EXISTS (SELECT FROM jsonb_array_elements(stored.variations) AS v WHERE v ->> 'key' = variation) THEN
        variations := variations || jsonb_build_array(jsonb_build_object('key', variation, 'value', value));
    END IF;
    new_revision := featbit.update_flag(flag_key, jsonb_build_object('variations', variations),
        expected_revision, set_variation.comment, set_variation.environment);
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.set_variation(text, text, jsonb, bigint, text, text) IS 'sets the value of a variation, or adds the variation. value: of the flag''s type; JSON null is illegal. Other arguments, result and errors as update_flag. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.create_segment(segment_key text, included text[] DEFAULT '{}', excluded text[] DEFAULT '{}',
    condition jsonb DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(create_segment.environment, create_segment.comment);
    in_environment text := coalesce(create_segment.environment, current_setting('featbit.environment', true), 'default');
    new_revision bigint;
BEGIN
    IF EXISTS (SELECT FROM featbit.segment AS s WHERE s.environment = in_environment AND s.key = segment_key) THEN
        RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = format('segment "%s" already exists in environment "%s"', segment_key, in_environment),
            HINT = 'Change it with UPDATE featbit.segment, or choose another key.';
    END IF;
    INSERT INTO featbit.segment (environment, key, included, excluded, condition)
    VALUES (in_environment, segment_key, coalesce(create_segment.included, '{}'),
            coalesce(create_segment.excluded, '{}'), create_segment.condition)
    RETURNING revision INTO new_revision;
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.create_segment(text, text[], text[], jsonb, text, text) IS 'creates a segment. included and excluded: user keys, excluded wins; condition: condition on attributes, may name other segments, NULL is met by nobody; environment: default the setting featbit.environment, made when missing. Returns the revision. Errors: 23505 when the key exists, 22023 for an illegal condition, 23503 for an unknown segment.';

