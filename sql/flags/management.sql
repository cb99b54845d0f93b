-- management: thin writers of the configuration tables, one statement and one revision each

CREATE FUNCTION featbit.lock_environment(environment text)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_lock_environment' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION featbit.lock_environment(text) IS 'locks the row of an environment (default: the setting featbit.environment) until the transaction ends, so that a change reads what it changes after all earlier changes are committed. Returns false when the environment does not exist. Error 42501 for a role that may not write flags or segments of the environment.';

CREATE FUNCTION featbit.nearest_key(kind text, key text, environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_nearest_key' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION featbit.nearest_key(text, text, text) IS 'key of the flag or segment (kind) that is spelled most like the given key, NULL when none is near or the role may not read that environment; environment defaults to the setting featbit.environment. Error 22023 for another kind.';

CREATE FUNCTION featbit.nearest_name(name text, candidates text[])
    RETURNS text AS 'MODULE_PATHNAME', 'fb_nearest_name' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION featbit.nearest_name(text, text[]) IS 'candidate that is spelled most like a name, for suggestions in messages; NULL when none is near. Raises nothing.';

CREATE FUNCTION featbit.known_environment(environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_known_environment' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION featbit.known_environment(text) IS 'the environment, NULL is the setting featbit.environment, after making sure that there is one and that the caller may read its flags. Errors: 42501 for a role that may not, else 42704 for an unknown environment.';

CREATE FUNCTION featbit.refuse_unknown(kind text, key text, environment text DEFAULT NULL)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_refuse_unknown' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION featbit.refuse_unknown(text, text, text) IS 'tells of a flag or segment (kind) that the caller did not find, with the key that is spelled most like it; environment defaults to the setting featbit.environment. Always raises: 22004 when the key is NULL, 42501 for a role that may not read the environment, 42704 otherwise; 22023 for another kind.';

CREATE FUNCTION featbit.begin_change(environment text, comment text, flag_key text DEFAULT NULL)
    RETURNS text LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := coalesce(current_setting('featbit.change_comment', true), '');
    in_environment text := coalesce(begin_change.environment, current_setting('featbit.environment', true), 'default');
    is_locked boolean := false;
BEGIN
    IF comment IS NOT NULL THEN
        PERFORM set_config('featbit.change_comment', comment, true);
    END IF;
    IF flag_key IS NULL THEN
        PERFORM featbit.lock_environment(environment);
        RETURN previous;
    END IF;
    -- a plain UPDATE locks its row before the environment: where one is under way, it is let through first
    BEGIN
        PERFORM featbit.lock_environment(environment);
        is_locked := true;
        PERFORM FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key FOR NO KEY UPDATE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        -- lock_timeout, while waiting for the environment: who set it does not want to wait twice
        IF NOT is_locked THEN
            RAISE;
        END IF;
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
    found_it boolean;
BEGIN
    SELECT f.* INTO stored FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = flag_key;
    found_it := FOUND OR featbit.refuse_unknown('flag', flag_key, in_environment);
    RETURN stored;
END $$;
COMMENT ON FUNCTION featbit.stored_flag(text, text) IS 'row of a flag as it is stored now; environment NULL is the setting featbit.environment. Errors: 42704 unknown flag, 22004 flag_key is NULL.';

CREATE FUNCTION featbit.locked_flag(flag_key text, environment text)
    RETURNS featbit.flag LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    comment_of_caller text := featbit.begin_change(environment, NULL, flag_key);
BEGIN
    RETURN featbit.stored_flag(flag_key, environment);
END $$;
COMMENT ON FUNCTION featbit.locked_flag(text, text) IS 'row of a flag that no other transaction can change before this one ends, for a management function that makes the new version of it. Errors as stored_flag, and 42501 for a role that may not change the environment.';

CREATE FUNCTION featbit.native_flag(what text, flag_key text, environment text)
    RETURNS featbit.flag LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.locked_flag(flag_key, environment);
BEGIN
    IF stored.semantics <> 'native' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000',
            MESSAGE = format('%s cannot change flag "%s": it has %s semantics', what, stored.key, stored.semantics),
            HINT = format('Convert it with featbit.to_native(%L), or change it in its own terms with featbit.update_flag.', stored.key);
    END IF;
    RETURN stored;
END $$;
COMMENT ON FUNCTION featbit.native_flag(text, text, text) IS 'row of a flag as locked_flag returns it, for a function (what) that knows native definitions only. Errors: as locked_flag, and 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.known_variation(stored featbit.flag, variation text)
    RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    keys text[] := ARRAY(SELECT v ->> 'key' FROM jsonb_array_elements(stored.variations) WITH ORDINALITY AS t (v, n) ORDER BY n);
    nearest text;
BEGIN
    IF variation IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'variation is null',
            HINT = format('Variations of flag "%s" are "%s".', stored.key, array_to_string(keys[:20], '", "'));
    END IF;
    IF variation <> ALL (keys) THEN
        nearest := featbit.nearest_name(variation, keys);
        RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = format('unknown variation "%s" of flag "%s"', variation, stored.key),
            HINT = concat('Did you mean "' || nearest || '"? ', format('Variations are "%s".', array_to_string(keys[:20], '", "')));
    END IF;
    RETURN variation;
END $$;
COMMENT ON FUNCTION featbit.known_variation(featbit.flag, text) IS 'the key of a variation, after making sure that the flag has it. Errors: 22004 for NULL, 23503 for an unknown variation.';

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

CREATE FUNCTION featbit.check_changes(kind text, changes jsonb)
    RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    legal text[];
    wrong record;
BEGIN
    IF jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('changes of a %s must be a JSON object', kind),
            HINT = format('Give the columns to change, such as %s.', CASE kind WHEN 'flag' THEN '{"enabled": false}' ELSE '{"included": ["alice"]}' END);
    END IF;
    legal := CASE kind WHEN 'flag' THEN ARRAY['name', 'description', 'type', 'variations', 'enabled', 'off_variation', 'prerequisites', 'targets',
                                              'rules', 'fallthrough', 'salt', 'semantics', 'tags', 'archived', 'source', 'iteration']
                       ELSE ARRAY['name', 'description', 'included', 'excluded', 'condition', 'semantics', 'archived', 'source'] END;
    SELECT name INTO wrong FROM jsonb_object_keys(changes) AS name WHERE name <> ALL (legal) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('column "%s" of a %s cannot be changed', wrong.name, kind),
            HINT = concat('Did you mean "' || featbit.nearest_name(wrong.name, legal) || '"? ',
                          format('Legal are %s and %s.', array_to_string(legal[:cardinality(legal) - 1], ', '), legal[cardinality(legal)]));
    END IF;
    -- what is not null of a JSON definition is checked when it is stored
    SELECT c.name, c.value, rule.expected INTO wrong
    FROM jsonb_each(changes) AS c (name, value),
         LATERAL (SELECT jsonb_typeof(c.value) AS type) AS t,
         LATERAL (SELECT CASE
            WHEN c.name IN ('enabled', 'archived') THEN CASE WHEN t.type <> 'boolean' THEN 'true or false' END
            WHEN c.name IN ('name', 'description', 'off_variation') THEN CASE WHEN t.type NOT IN ('string', 'null') THEN 'a string or null' END
            WHEN c.name IN ('type', 'salt', 'semantics') THEN CASE WHEN t.type <> 'string' THEN 'a string' END
            WHEN c.name IN ('tags', 'included', 'excluded') THEN
                CASE WHEN t.type <> 'array' OR jsonb_path_exists(c.value, 'strict $[*] ? (@.type() != "string")') THEN 'an array of strings' END
            WHEN c.name = 'iteration' THEN
                CASE WHEN t.type <> 'number' OR c.value::text !~ '^\d{1,10}$' OR (c.value #>> '{}')::numeric > 2147483647 THEN 'a whole number from 0 to 2147483647' END
            WHEN c.name IN ('variations', 'prerequisites', 'targets', 'rules') THEN CASE WHEN t.type = 'null' THEN 'an array' END
            WHEN c.name = 'fallthrough' THEN CASE WHEN t.type = 'null' THEN 'an object' END END) AS rule (expected)
    WHERE rule.expected IS NOT NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s must be %s, not %s', wrong.name, wrong.expected,
            CASE WHEN length(wrong.value::text) > 80 THEN left(wrong.value::text, 77) || '...' ELSE wrong.value::text END);
    END IF;
    RETURN changes;
END $$;
COMMENT ON FUNCTION featbit.check_changes(text, jsonb) IS 'the changes that update_flag or update_segment (kind: flag or segment) was given, after making sure that they are an object of columns that can be changed, each with a value of its type. Error 22023 names the column, the value and what is legal.';

CREATE FUNCTION featbit.changed_row(stored featbit.flag, changes jsonb)
    RETURNS featbit.flag LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT jsonb_populate_record(stored, featbit.check_changes('flag', changes)) $$;
COMMENT ON FUNCTION featbit.changed_row(featbit.flag, jsonb) IS 'row of a flag with the columns of an object in place of its own, as update_flag writes it. Error 22023 as check_changes.';

CREATE FUNCTION featbit.write_flag(new_row featbit.flag, expected_revision bigint)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE featbit.flag AS f
    SET name = new_row.name, description = new_row.description, type = new_row.type, variations = new_row.variations,
        enabled = new_row.enabled, off_variation = new_row.off_variation, prerequisites = new_row.prerequisites,
        targets = new_row.targets, rules = new_row.rules, fallthrough = new_row.fallthrough, salt = new_row.salt,
        semantics = new_row.semantics, tags = new_row.tags, archived = new_row.archived, source = nullif(new_row.source, 'null'),
        iteration = new_row.iteration, revision = coalesce(expected_revision, f.revision)
    WHERE f.environment = new_row.environment AND f.key = new_row.key
    RETURNING f.revision $$;
COMMENT ON FUNCTION featbit.write_flag(featbit.flag, bigint) IS 'writes the new version of a flag; expected_revision: the revision that was read, NULL for last writer wins. Returns the revision. Errors as of an UPDATE.';

CREATE FUNCTION featbit.update_flag(flag_key text, changes jsonb, expected_revision bigint DEFAULT NULL,
    comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(update_flag.environment, update_flag.comment, flag_key);
    stored featbit.flag := featbit.stored_flag(flag_key, update_flag.environment);
    new_revision bigint := featbit.write_flag(featbit.changed_row(stored, changes), expected_revision);
BEGIN
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.update_flag(text, jsonb, bigint, text, text) IS 'changes columns of a flag. changes: object with new values, such as {"archived": true}; expected_revision: the revision that was read, NULL for last writer wins; comment: why; environment: NULL is the setting featbit.environment. Returns the new revision; changes that leave the flag as it is make none, and return the one that is stored. Errors: 42704 unknown flag, 40001 another revision is stored, 22023 and 23503 for illegal changes, 42501 for a role that may not change the environment.';

CREATE FUNCTION featbit.switch_flag(flag_key text, enabled boolean, expected_revision bigint, comment text, environment text)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.locked_flag(flag_key, environment);
BEGIN
    IF stored.archived THEN
        RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format('flag "%s" is archived in environment "%s"', stored.key, stored.environment),
            DETAIL = 'An archived flag is not evaluated, enabled or not.',
            HINT = 'Take it out of the archive first, with featbit.unarchive_flag.';
    END IF;
    RETURN featbit.update_flag(flag_key, jsonb_build_object('enabled', enabled), expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.switch_flag(text, boolean, bigint, text, text) IS 'enables or disables a flag, for enable_flag and disable_flag. Arguments, result and errors as update_flag, and 55000 for an archived flag.';

CREATE FUNCTION featbit.enable_flag(flag_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.switch_flag(flag_key, true, expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.enable_flag(text, bigint, text, text) IS 'enables a flag. Arguments, result and errors as update_flag, and 55000 for an archived flag.';

CREATE FUNCTION featbit.disable_flag(flag_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.switch_flag(flag_key, false, expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.disable_flag(text, bigint, text, text) IS 'disables a flag: everyone gets off_variation from the next statement after commit on. Arguments, result and errors as update_flag, and 55000 for an archived flag.';

CREATE FUNCTION featbit.set_rollout(flag_key text, split jsonb, "by" text DEFAULT NULL, salt text DEFAULT NULL,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('set_rollout', flag_key, environment);
BEGIN
    RETURN featbit.update_flag(stored.key, jsonb_build_object('fallthrough', jsonb_strip_nulls(jsonb_build_object('by', "by", 'salt', salt)) || jsonb_build_object('split', split)),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.set_rollout(text, jsonb, text, text, bigint, text, text) IS 'replaces the fallthrough of a flag by a split. split: array of {"variation", "weight"}, weights are whole numbers of which only the ratio counts; by: attribute that is hashed instead of the user key; salt: seed of this split instead of the flag''s. Other arguments, result and errors as update_flag. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.add_rule(flag_key text, rule jsonb, "position" integer DEFAULT NULL,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('add_rule', flag_key, environment);
    rules integer := jsonb_array_length(stored.rules);
    place integer := coalesce("position", rules + 1);
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
        rule := jsonb_build_object('id', 'rule-' || stored.revision + 1) || rule;
    END IF;
    RETURN featbit.update_flag(flag_key, jsonb_build_object('rules', jsonb_insert(stored.rules, ARRAY[(place - 1)::text], rule)),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.add_rule(text, jsonb, integer, bigint, text, text) IS 'adds a rule to a flag. rule: {"id", "name", "when": condition, "serve": {"variation"} or {"split", "by", "salt"}, "percentage", "from", "until"}, an id is made when it has none; position: 1 is the first, NULL the last. Other arguments and result as update_flag. Errors: as update_flag, and 23505 for a rule id that the flag has used before. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.set_targets(flag_key text, variation text, users text[],
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('set_targets', flag_key, environment);
    entry jsonb := jsonb_build_object('variation', featbit.known_variation(stored, variation), 'users', to_jsonb(users));
    is_empty boolean := coalesce(cardinality(users), 0) = 0;
    changed jsonb;
BEGIN
    SELECT coalesce(jsonb_agg(CASE WHEN target ->> 'variation' = variation THEN entry ELSE target END ORDER BY n), '[]')
    INTO changed
    FROM jsonb_array_elements(stored.targets) WITH ORDINALITY AS t (target, n)
    WHERE target ->> 'variation' <> variation OR NOT is_empty;
    IF NOT is_empty AND NOT changed @> jsonb_build_array(jsonb_build_object('variation', variation)) THEN
        changed := changed || jsonb_build_array(entry);
    END IF;
    RETURN featbit.update_flag(flag_key, jsonb_build_object('targets', changed), expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.set_targets(text, text, text[], bigint, text, text) IS 'replaces the list of users that always get a variation; an empty list or NULL removes it. users: user keys as text. Other arguments and result as update_flag. Errors: as update_flag, 23503 for an unknown variation, 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.set_variation(flag_key text, variation text, value jsonb,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('set_variation', flag_key, environment);
    changed jsonb;
BEGIN
    SELECT jsonb_agg(CASE WHEN v ->> 'key' = variation THEN v || jsonb_build_object('value', value) ELSE v END ORDER BY n)
    INTO changed
    FROM jsonb_array_elements(stored.variations) WITH ORDINALITY AS t (v, n);
    IF NOT changed @> jsonb_build_array(jsonb_build_object('key', variation)) THEN
        changed := changed || jsonb_build_array(jsonb_build_object('key', variation, 'value', value));
    END IF;
    RETURN featbit.update_flag(flag_key, jsonb_build_object('variations', changed), expected_revision, comment, environment);
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

