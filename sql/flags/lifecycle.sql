-- lifecycle: what is kept over the life of a flag or segment: archiving, restoring, copying, deleting, and the parts of a definition

-- segments: as they are stored, changed

CREATE FUNCTION featbit.stored_segment(segment_key text, environment text)
    RETURNS featbit.segment LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    in_environment text := coalesce(stored_segment.environment, current_setting('featbit.environment', true), 'default');
    stored featbit.segment;
    found_it boolean;
BEGIN
    SELECT s.* INTO stored FROM featbit.segment AS s WHERE s.environment = in_environment AND s.key = segment_key;
    found_it := FOUND OR featbit.refuse_unknown('segment', segment_key, in_environment);
    RETURN stored;
END $$;
COMMENT ON FUNCTION featbit.stored_segment(text, text) IS 'row of a segment as it is stored now; environment NULL is the setting featbit.environment. Errors: 42704 unknown segment, 22004 segment_key is NULL.';

CREATE FUNCTION featbit.write_segment(stored featbit.segment, changes jsonb, expected_revision bigint)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE featbit.segment AS s
    SET name = n.name, description = n.description, included = n.included, excluded = n.excluded,
        condition = nullif(n.condition, 'null'), semantics = n.semantics, archived = n.archived, source = nullif(n.source, 'null'),
        revision = coalesce(expected_revision, s.revision)
    FROM jsonb_populate_record(stored, featbit.check_changes('segment', changes)) AS n
    WHERE s.environment = stored.environment AND s.key = stored.key
    RETURNING s.revision $$;
COMMENT ON FUNCTION featbit.write_segment(featbit.segment, jsonb, bigint) IS 'writes the new version of a segment: its row with the columns of an object in place of its own; expected_revision: the revision that was read, NULL for last writer wins. Returns the revision. Errors as check_changes and as of an UPDATE.';

CREATE FUNCTION featbit.update_segment(segment_key text, changes jsonb, expected_revision bigint DEFAULT NULL,
    comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(update_segment.environment, update_segment.comment);
    stored featbit.segment := featbit.stored_segment(segment_key, update_segment.environment);
    new_revision bigint := featbit.write_segment(stored, changes, expected_revision);
BEGIN
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.update_segment(text, jsonb, bigint, text, text) IS 'changes columns of a segment. changes: object with new values of name, description, included, excluded, condition (null: met by nobody), semantics, archived, source; expected_revision: the revision that was read, NULL for last writer wins; comment: why. Returns the new revision; changes that leave the segment as it is make none, and return the one that is stored. Errors: 42704 unknown segment, 40001 another revision is stored, 22023 and 23503 for illegal changes.';

-- archiving and deleting

CREATE FUNCTION featbit.archive_flag(flag_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.update_flag(flag_key, '{"archived": true}', expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.archive_flag(text, bigint, text, text) IS 'archives a flag: evaluation answers FLAG_NOT_FOUND, so that code gets its default; definition and history stay. Arguments and result as update_flag. Errors: as update_flag, and 23503 when another flag refers to it.';

CREATE FUNCTION featbit.unarchive_flag(flag_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.update_flag(flag_key, '{"archived": false}', expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.unarchive_flag(text, bigint, text, text) IS 'takes a flag out of the archive: it is evaluated again as it is defined. Arguments, result and errors as update_flag.';

CREATE FUNCTION featbit.refuse_other_revision(kind text, key text, expected_revision bigint, revision bigint)
    RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF expected_revision <> revision THEN
        RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = format('%s "%s" was changed in the meantime', kind, key),
            DETAIL = format('Expected revision %s, found %s.', expected_revision, revision),
            HINT = format('Read the %s again and repeat the change.', kind);
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION featbit.refuse_other_revision(text, text, bigint, bigint) IS 'raises 40001 when a flag or segment (kind) has another revision than the expected one; NULL expects nothing. Returns true.';

CREATE FUNCTION featbit.delete_flag(flag_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(delete_flag.environment, delete_flag.comment, flag_key);
    stored featbit.flag := featbit.stored_flag(flag_key, delete_flag.environment);
BEGIN
    PERFORM featbit.refuse_other_revision('flag', stored.key, expected_revision, stored.revision);
    DELETE FROM featbit.flag AS f WHERE f.environment = stored.environment AND f.key = stored.key;
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN stored.revision + 1;
END $$;
COMMENT ON FUNCTION featbit.delete_flag(text, bigint, text, text) IS 'deletes a flag that nothing refers to; its history stays, and restore_flag brings it back. Returns the revision of the deletion. Arguments as update_flag. Errors: 42704 unknown flag, 40001 another revision is stored, 23503 another flag refers to it.';

CREATE FUNCTION featbit.delete_segment(segment_key text, expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(delete_segment.environment, delete_segment.comment);
    stored featbit.segment := featbit.stored_segment(segment_key, delete_segment.environment);
BEGIN
    PERFORM featbit.refuse_other_revision('segment', stored.key, expected_revision, stored.revision);
    DELETE FROM featbit.segment AS s WHERE s.environment = stored.environment AND s.key = stored.key;
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN stored.revision + 1;
END $$;
COMMENT ON FUNCTION featbit.delete_segment(text, bigint, text, text) IS 'deletes a segment that nothing refers to; its history stays, and restore_segment brings it back. Returns the revision of the deletion. Errors: 42704 unknown segment, 40001 another revision is stored, 23503 a flag or segment refers to it.';

-- restoring

CREATE FUNCTION featbit.recorded_definition(kind text, key text, revision bigint, environment text)
    RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    in_environment text := coalesce(recorded_definition.environment, current_setting('featbit.environment', true), 'default');
    recorded jsonb;
    lowest bigint;
    highest bigint;
BEGIN
    IF key IS NULL OR revision IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = CASE WHEN key IS NULL THEN kind || ' key is null' ELSE 'revision is null' END,
            HINT = 'The view featbit.flag_audit shows every revision.';
    END IF;
    SELECT r.definition INTO recorded FROM featbit.flag_revision AS r
    WHERE r.environment = in_environment AND r.kind = recorded_definition.kind AND r.key = recorded_definition.key
      AND r.revision = recorded_definition.revision;
    IF FOUND THEN
        RETURN recorded;
    END IF;
    in_environment := featbit.known_environment(in_environment);
    SELECT min(r.revision), max(r.revision) INTO lowest, highest FROM featbit.flag_revision AS r
    WHERE r.environment = in_environment AND r.kind = recorded_definition.kind AND r.key = recorded_definition.key;
    IF lowest IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('%s "%s" has no history in environment "%s"', kind, key, in_environment),
            HINT = coalesce('Did you mean "' || featbit.nearest_name(key, ARRAY(SELECT DISTINCT r.key::text FROM featbit.flag_revision AS r
                                WHERE r.environment = in_environment AND r.kind = recorded_definition.kind)) || '"?',
                            format('Name another %s or environment.', kind));
    END IF;
    RAISE EXCEPTION USING ERRCODE = '42704',
        MESSAGE = format('revision %s of %s "%s" is not recorded in environment "%s"', revision, kind, key, in_environment),
        HINT = format('Recorded are revisions %s to %s: see featbit.flag_audit.', lowest, highest);
END $$;
COMMENT ON FUNCTION featbit.recorded_definition(text, text, bigint, text) IS 'definition of a flag or segment (kind) as a revision recorded it; of a deletion, what was deleted. environment NULL is the setting featbit.environment. Errors: 22004 for a NULL key or revision, 42704 when the environment or key is unknown or the revision is not recorded, 42501 for a role that may not read the environment.';

CREATE FUNCTION featbit.insert_flag(definition jsonb)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    INSERT INTO featbit.flag (environment, key, name, description, type, variations, enabled, off_variation, prerequisites,
                              targets, rules, fallthrough, salt, semantics, tags, archived, source, iteration)
    SELECT r.environment, r.key, r.name, r.description, r.type, r.variations, r.enabled, r.off_variation, r.prerequisites,
           r.targets, r.rules, r.fallthrough, r.salt, r.semantics, r.tags, r.archived, nullif(r.source, 'null'), r.iteration
    FROM jsonb_populate_record(NULL::featbit.flag,
        '{"enabled": true, "prerequisites": [], "targets": [], "rules": [], "semantics": "native", "tags": [], "archived": false, "iteration": 0}'
        || definition) AS r
    RETURNING revision $$;
COMMENT ON FUNCTION featbit.insert_flag(jsonb) IS 'inserts a flag with the columns of a definition, as history records it; revision and updated_* are set anew. Returns the revision. Errors as of an INSERT.';

CREATE FUNCTION featbit.insert_segment(definition jsonb)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    INSERT INTO featbit.segment (environment, key, name, description, included, excluded, condition, semantics, archived, source)
    SELECT r.environment, r.key, r.name, r.description, r.included, r.excluded, nullif(r.condition, 'null'), r.semantics, r.archived,
           nullif(r.source, 'null')
    FROM jsonb_populate_record(NULL::featbit.segment,
        '{"included": [], "excluded": [], "semantics": "native", "archived": false}' || definition) AS r
    RETURNING revision $$;
COMMENT ON FUNCTION featbit.insert_segment(jsonb) IS 'inserts a segment with the columns of a definition, as history records it; revision and updated_* are set anew. Returns the revision. Errors as of an INSERT.';

CREATE FUNCTION featbit.restore_revision(kind text, key text, revision bigint, expected_revision bigint, comment text, environment text)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    in_environment text := coalesce(restore_revision.environment, current_setting('featbit.environment', true), 'default');
    previous text := featbit.begin_change(in_environment, restore_revision.comment, CASE WHEN kind = 'flag' THEN key END);
    recorded jsonb := featbit.recorded_definition(kind, key, restore_revision.revision, in_environment);
    columns jsonb := recorded - '{environment,key,revision,updated_at,updated_by}'::text[];
    is_deleted boolean := CASE kind
        WHEN 'flag' THEN NOT EXISTS (SELECT FROM featbit.flag AS f WHERE f.environment = in_environment AND f.key = restore_revision.key)
        ELSE NOT EXISTS (SELECT FROM featbit.segment AS s WHERE s.environment = in_environment AND s.key = restore_revision.key) END;
    last_revision bigint;
    new_revision bigint;
BEGIN
    IF is_deleted THEN
        SELECT max(r.revision) INTO last_revision FROM featbit.flag_revision AS r
        WHERE r.environment = in_environment AND r.kind = restore_revision.kind AND r.key = restore_revision.key;
        PERFORM featbit.refuse_other_revision(kind, key, expected_revision, last_revision);
        new_revision := CASE kind WHEN 'flag' THEN featbit.insert_flag(recorded) ELSE featbit.insert_segment(recorded) END;
    ELSIF kind = 'flag' THEN
        new_revision := featbit.update_flag(key, columns, expected_revision, comment, in_environment);
    ELSE
        new_revision := featbit.update_segment(key, columns, expected_revision, comment, in_environment);
    END IF;
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.restore_revision(text, text, bigint, bigint, text, text) IS 'restores a flag or segment (kind), for restore_flag and restore_segment, with their arguments, result and errors.';

CREATE FUNCTION featbit.restore_flag(flag_key text, revision bigint, expected_revision bigint DEFAULT NULL,
    comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.restore_revision('flag', flag_key, revision, expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.restore_flag(text, bigint, bigint, text, text) IS 'makes the definition of an earlier revision the newest one, as a new revision; also of a deleted flag. Everything comes back: variations, rules, salt and iteration, so that users get what they got then. Returns the new revision, or the stored one when it is the same definition. Arguments as update_flag. Errors: as update_flag, and 42704 for a revision that is not recorded, 22004 for a NULL one, 23503 when the definition refers to what is no longer there.';

CREATE FUNCTION featbit.restore_segment(segment_key text, revision bigint, expected_revision bigint DEFAULT NULL,
    comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.restore_revision('segment', segment_key, revision, expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.restore_segment(text, bigint, bigint, text, text) IS 'makes the definition of an earlier revision of a segment the newest one, as a new revision; also of a deleted segment. Returns the new revision, or the stored one when it is the same definition. Errors as restore_flag.';

-- parts of a flag

CREATE FUNCTION featbit.add_targets(flag_key text, variation text, users text[],
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('add_targets', flag_key, environment);
    into_variation text := featbit.known_variation(stored, variation);
    changed jsonb;
BEGIN
    -- a user has one place: first in the order of the lists, then of the arguments; the new variation wins
    SELECT coalesce(jsonb_agg(jsonb_build_object('variation', one.variation, 'users', one.users) ORDER BY one.n), '[]')
    INTO changed
    FROM (SELECT l.variation, min(l.n) AS n, jsonb_agg(l.listed ORDER BY l.n, l.place) AS users
          FROM (SELECT DISTINCT ON (u.listed) u.*
                FROM (SELECT t.target ->> 'variation' AS variation, t.n, e.listed, e.place
                      FROM jsonb_array_elements(stored.targets) WITH ORDINALITY AS t (target, n),
                           jsonb_array_elements_text(t.target -> 'users') WITH ORDINALITY AS e (listed, place)
                      WHERE t.target ->> 'variation' = into_variation OR NOT e.listed = ANY (coalesce(add_targets.users, '{}'))
                      UNION ALL
                      SELECT into_variation,
                             coalesce((SELECT min(t.n) FROM jsonb_array_elements(stored.targets) WITH ORDINALITY AS t (target, n)
                                       WHERE t.target ->> 'variation' = into_variation), jsonb_array_length(stored.targets) + 1),
                             e.listed, 1000000 + e.place
                      FROM unnest(add_targets.users) WITH ORDINALITY AS e (listed, place)
                      WHERE e.listed IS NOT NULL) AS u
                ORDER BY u.listed, u.n, u.place) AS l
          GROUP BY l.variation) AS one;
    RETURN featbit.update_flag(flag_key, jsonb_build_object('targets', changed),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.add_targets(text, text, text[], bigint, text, text) IS 'adds users to those that always get a variation; users listed for another variation move. users: user keys as text, NULLs are left out. Other arguments and result as update_flag. Errors: as update_flag, 23503 for an unknown variation, 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.remove_targets(flag_key text, users text[], variation text DEFAULT NULL,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('remove_targets', flag_key, environment);
    from_variation text := CASE WHEN variation IS NOT NULL THEN featbit.known_variation(stored, variation) END;
    changed jsonb;
BEGIN
    SELECT coalesce(jsonb_agg(jsonb_build_object('variation', one.variation, 'users', one.users) ORDER BY one.n), '[]')
    INTO changed
    FROM (SELECT t.target ->> 'variation' AS variation, t.n, jsonb_agg(e.listed ORDER BY e.place) AS users
          FROM jsonb_array_elements(stored.targets) WITH ORDINALITY AS t (target, n),
               jsonb_array_elements_text(t.target -> 'users') WITH ORDINALITY AS e (listed, place)
          WHERE NOT (e.listed = ANY (coalesce(remove_targets.users, '{}'))
                     AND (from_variation IS NULL OR t.target ->> 'variation' = from_variation))
          GROUP BY 1, 2) AS one;
    RETURN featbit.update_flag(flag_key, jsonb_build_object('targets', changed),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.remove_targets(text, text[], text, bigint, text, text) IS 'takes users off the target lists of a flag. users: user keys as text, those that are not listed do not matter; variation: only its list, NULL for every list. Other arguments and result as update_flag. Errors: as update_flag, 23503 for an unknown variation, 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.set_tags(flag_key text, tags text[],
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT featbit.update_flag(flag_key, jsonb_build_object('tags', coalesce(tags, '{}')), expected_revision, comment, environment) $$;
COMMENT ON FUNCTION featbit.set_tags(text, text[], bigint, text, text) IS 'replaces the tags of a flag; NULL removes all. Other arguments, result and errors as update_flag.';

CREATE FUNCTION featbit.add_tags(flag_key text, tags text[],
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.locked_flag(flag_key, environment);
BEGIN
    tags := ARRAY(SELECT t.tag FROM unnest(stored.tags || add_tags.tags) WITH ORDINALITY AS t (tag, n)
                  WHERE t.tag IS NOT NULL GROUP BY t.tag ORDER BY min(t.n));
    RETURN featbit.set_tags(flag_key, tags, expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.add_tags(text, text[], bigint, text, text) IS 'adds tags to a flag; tags that it has already stay once. Other arguments, result and errors as update_flag.';

CREATE FUNCTION featbit.remove_tags(flag_key text, tags text[],
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.locked_flag(flag_key, environment);
BEGIN
    tags := ARRAY(SELECT t.tag FROM unnest(stored.tags) WITH ORDINALITY AS t (tag, n)
                  WHERE NOT t.tag = ANY (coalesce(remove_tags.tags, '{}')) ORDER BY t.n);
    RETURN featbit.set_tags(flag_key, tags, expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.remove_tags(text, text[], bigint, text, text) IS 'takes tags off a flag; those that it does not have do not matter. Other arguments, result and errors as update_flag.';

CREATE FUNCTION featbit.set_prerequisites(flag_key text, prerequisites jsonb,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('set_prerequisites', flag_key, environment);
BEGIN
    RETURN featbit.update_flag(stored.key, jsonb_build_object('prerequisites', coalesce(prerequisites, '[]')),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.set_prerequisites(text, jsonb, bigint, text, text) IS 'replaces the prerequisites of a flag. prerequisites: array of {"flag", "variations"}, NULL for none. Other arguments, result and errors as update_flag. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.set_off_variation(flag_key text, off_variation text,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('set_off_variation', flag_key, environment);
BEGIN
    RETURN featbit.update_flag(stored.key, jsonb_build_object('off_variation', off_variation),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.set_off_variation(text, text, bigint, text, text) IS 'sets the variation that is served while a flag is disabled or a prerequisite is not met; NULL leaves the value to the code. Other arguments, result and errors as update_flag. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.rule_position(stored featbit.flag, rule_id text)
    RETURNS integer LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_at integer;
BEGIN
    IF rule_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'rule id is null';
    END IF;
    SELECT r.n INTO found_at FROM jsonb_array_elements(stored.rules) WITH ORDINALITY AS r (rule, n) WHERE r.rule ->> 'id' = rule_id;
    IF found_at IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('flag "%s" has no rule "%s"', stored.key, rule_id),
            HINT = concat('Did you mean "' || featbit.nearest_name(rule_id, ARRAY(SELECT r ->> 'id' FROM jsonb_array_elements(stored.rules) AS r)) || '"? ',
                          coalesce('Its rules are ' || (SELECT string_agg('"' || (r.rule ->> 'id') || '"', ', ' ORDER BY r.n)
                                                        FROM jsonb_array_elements(stored.rules) WITH ORDINALITY AS r (rule, n) WHERE r.n <= 20) || '.',
                                   'It has no rules.'));
    END IF;
    RETURN found_at;
END $$;
COMMENT ON FUNCTION featbit.rule_position(featbit.flag, text) IS 'position of a rule in a flag, 1 is the first. Errors: 22004 for NULL, 42704 when the flag has no rule of this id.';

CREATE FUNCTION featbit.remove_rule(flag_key text, rule_id text,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('remove_rule', flag_key, environment);
    place integer := featbit.rule_position(stored, rule_id);
BEGIN
    RETURN featbit.update_flag(flag_key, jsonb_build_object('rules', stored.rules - (place - 1)),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.remove_rule(text, text, bigint, text, text) IS 'removes a rule, named by its id, from a flag. Other arguments and result as update_flag. Errors: as update_flag, and 42704 for an unknown rule. Error 0A000 for a flag of another dialect.';

CREATE FUNCTION featbit.move_rule(flag_key text, rule_id text, "position" integer,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    stored featbit.flag := featbit.native_flag('move_rule', flag_key, environment);
    rules integer := jsonb_array_length(stored.rules);
    place integer := featbit.rule_position(stored, rule_id);
    target integer := coalesce("position", rules);
BEGIN
    IF target NOT BETWEEN 1 AND rules THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('position %s is outside the rules of flag "%s"', target, flag_key),
            HINT = format('Legal are 1 to %s, or NULL for the last place.', rules);
    END IF;
    RETURN featbit.update_flag(flag_key, jsonb_build_object('rules',
            jsonb_insert(stored.rules - (place - 1), ARRAY[(target - 1)::text], stored.rules -> (place - 1))),
        expected_revision, comment, environment);
END $$;
COMMENT ON FUNCTION featbit.move_rule(text, text, integer, bigint, text, text) IS 'moves a rule, named by its id, to another position: 1 is the first, NULL the last. Other arguments and result as update_flag. Errors: as update_flag, 42704 for an unknown rule, 22023 for a position outside the rules. Error 0A000 for a flag of another dialect.';

-- copying

CREATE FUNCTION featbit.definition_references(definition jsonb, OUT kind text, OUT key text)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'fb_definition_references' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 10;
COMMENT ON FUNCTION featbit.definition_references(jsonb) IS 'what a definition of a flag or segment, as history records it, refers to: kind (flag or segment) and key, each once. Raises nothing.';

CREATE FUNCTION featbit.definition_closure(kind text, key text, environment text)
    RETURNS TABLE (member_kind text, member_key text, level integer, definition jsonb)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    WITH RECURSIVE closure AS (
        SELECT definition_closure.kind AS kind, definition_closure.key AS key, 1 AS level
        UNION
        SELECT r.kind, r.key, c.level + 1
        FROM closure AS c
        LEFT JOIN featbit.flag AS f ON c.kind = 'flag' AND f.environment = definition_closure.environment AND f.key = c.key
        LEFT JOIN featbit.segment AS s ON c.kind = 'segment' AND s.environment = definition_closure.environment AND s.key = c.key,
        LATERAL featbit.definition_references(CASE WHEN c.kind = 'flag' THEN to_jsonb(f) ELSE to_jsonb(s) END) AS r
        WHERE c.level <= 32
    )
    SELECT c.kind, c.key, max(c.level),
           CASE WHEN c.kind = 'flag' THEN (SELECT to_jsonb(f) FROM featbit.flag AS f WHERE f.environment = definition_closure.environment AND f.key = c.key)
                ELSE (SELECT to_jsonb(s) FROM featbit.segment AS s WHERE s.environment = definition_closure.environment AND s.key = c.key) END
    FROM closure AS c
    GROUP BY c.kind, c.key $$;
COMMENT ON FUNCTION featbit.definition_closure(text, text, text) IS 'a flag or segment (kind) of an environment with everything it refers to: kind and key of each, its distance from the first, and its definition, NULL where it does not exist. Raises nothing.';

CREATE FUNCTION featbit.copy_flag(flag_key text, to_environment text, new_key text DEFAULT NULL, with_references boolean DEFAULT false,
    comment text DEFAULT NULL, environment text DEFAULT NULL)
    RETURNS bigint LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    from_environment text := coalesce(copy_flag.environment, current_setting('featbit.environment', true), 'default');
    into_environment text := coalesce(copy_flag.to_environment, current_setting('featbit.environment', true), 'default');
    into_key text := coalesce(copy_flag.new_key, flag_key);
    previous text := featbit.begin_change(into_environment, copy_flag.comment);
    source featbit.flag := featbit.stored_flag(flag_key, from_environment);
    copied jsonb := to_jsonb(source) || jsonb_build_object('environment', into_environment, 'key', into_key);
    member record;
    missing text;
    new_revision bigint;
BEGIN
    IF EXISTS (SELECT FROM featbit.flag AS f WHERE f.environment = into_environment AND f.key = into_key) THEN
        RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = format('flag "%s" already exists in environment "%s"', into_key, into_environment),
            HINT = 'Look at featbit.compare_flag, then change it with featbit.update_flag, or give new_key.';
    END IF;
    IF into_key <> flag_key THEN
        -- a flag of its own: users are dealt anew unless the salt was chosen
        copied := copied || jsonb_build_object('iteration', 0) ||
            CASE WHEN source.salt = source.key THEN jsonb_build_object('salt', into_key) ELSE '{}' END;
    END IF;
    IF source.source IS NOT NULL THEN
        -- FeatBit's identity of the flag and of its environment stays with the original
        copied := jsonb_set(copied, '{source}', source.source
            - CASE WHEN into_key <> flag_key THEN '{id}'::text[] ELSE '{}' END
            - CASE WHEN into_environment <> from_environment THEN '{envId}'::text[] ELSE '{}' END);
    END IF;
    IF into_environment <> from_environment THEN
        IF coalesce(with_references, false) THEN
            FOR member IN
                SELECT c.* FROM featbit.definition_closure('flag', flag_key, from_environment) AS c
                WHERE c.level > 1 AND c.definition IS NOT NULL
                ORDER BY c.level DESC, c.member_kind DESC, c.member_key
            LOOP
                IF member.member_kind = 'flag' THEN
                    CONTINUE WHEN EXISTS (SELECT FROM featbit.flag AS f WHERE f.environment = into_environment AND f.key = member.member_key);
                    PERFORM featbit.insert_flag(member.definition || jsonb_build_object('environment', into_environment));
                ELSE
                    CONTINUE WHEN EXISTS (SELECT FROM featbit.segment AS s WHERE s.environment = into_environment AND s.key = member.member_key);
                    PERFORM featbit.insert_segment(member.definition || jsonb_build_object('environment', into_environment));
                END IF;
            END LOOP;
        ELSE
            SELECT string_agg(r.kind || ' "' || r.key || '"', ', ' ORDER BY r.kind, r.key) INTO missing
            FROM featbit.definition_references(copied) AS r
            WHERE NOT EXISTS (SELECT FROM featbit.flag AS f WHERE r.kind = 'flag' AND f.environment = into_environment AND f.key = r.key)
              AND NOT EXISTS (SELECT FROM featbit.segment AS s WHERE r.kind = 'segment' AND s.environment = into_environment AND s.key = r.key);
            IF missing IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = '23503',
                    MESSAGE = format('flag "%s" refers to what environment "%s" does not have', flag_key, into_environment),
                    DETAIL = format('Missing are %s.', missing),
                    HINT = 'Copy them first, or give with_references => true.';
            END IF;
        END IF;
    END IF;
    new_revision := featbit.insert_flag(copied);
    PERFORM set_config('featbit.change_comment', previous, true);
    RETURN new_revision;
END $$;
COMMENT ON FUNCTION featbit.copy_flag(text, text, text, boolean, text, text) IS 'copies a flag to another environment, or under another key. to_environment: where to, made when missing, NULL is the setting; new_key: key of the copy, NULL for the same; with_references: also copies segments and flags that it refers to and that are missing there, those that exist stay as they are; environment: where from, NULL is the setting. A copy under the same key buckets users as the original does; under another key it deals them anew, unless the salt is not the key. Returns the revision of the copy. Errors: 42704 unknown flag, 23505 when the key exists there, 23503 when something it refers to is missing there.';

CREATE FUNCTION featbit.clone_environment(from_environment text, to_environment text, comment text DEFAULT NULL, OUT flags integer, OUT segments integer)
    RETURNS record LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    previous text := featbit.begin_change(to_environment, clone_environment.comment);
    left_flags featbit.flag[];
    left_segments featbit.segment[];
    copied bigint;
    stuck boolean;
BEGIN
    IF from_environment IS NULL OR to_environment IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'environment to clone from or to is null';
    END IF;
    from_environment := featbit.known_environment(from_environment);
    IF EXISTS (SELECT FROM featbit.flag AS f WHERE f.environment = to_environment)
       OR EXISTS (SELECT FROM featbit.segment AS s WHERE s.environment = to_environment) THEN
        RAISE EXCEPTION USING ERRCODE = '23505', MESSAGE = format('environment "%s" already has flags or segments', to_environment),
            HINT = 'Clone into an environment without any, or copy single flags with featbit.copy_flag.';
    END IF;
    -- one statement reads all, so that it is one state of the environment
    SELECT (SELECT array_agg(s ORDER BY s.key) FROM featbit.segment AS s WHERE s.environment = from_environment),
           (SELECT array_agg(f ORDER BY f.key) FROM featbit.flag AS f WHERE f.environment = from_environment)
    INTO left_segments, left_flags;
    -- what refers to something comes after it; where nothing can go first, the INSERT of all that is left says
    -- what is wrong, unless a trigger of the user's kept rows out
    copied := 1;
    stuck := false;
    WHILE cardinality(left_segments) > 0 LOOP
        INSERT INTO featbit.segment (environment, key, name, description, included, excluded, condition, semantics, archived, source)
        SELECT to_environment, s.key, s.name, s.description, s.included, s.excluded, s.condition, s.semantics, s.archived, s.source
        FROM unnest(left_segments) AS s
        WHERE copied = 0 OR s.semantics = 'featbit' OR NOT EXISTS (
            SELECT FROM jsonb_path_query(s.condition, '$.**.segment') AS r
            WHERE NOT EXISTS (SELECT FROM featbit.segment AS t WHERE t.environment = to_environment AND t.key = r #>> '{}'));
        GET DIAGNOSTICS copied = ROW_COUNT;
        EXIT WHEN copied = 0 AND stuck;
        stuck := copied = 0;
        SELECT array_agg(s ORDER BY s.key) INTO left_segments FROM unnest(left_segments) AS s
        WHERE NOT EXISTS (SELECT FROM featbit.segment AS t WHERE t.environment = to_environment AND t.key = s.key);
    END LOOP;
    copied := 1;
    stuck := false;
    WHILE cardinality(left_flags) > 0 LOOP
        INSERT INTO featbit.flag (environment, key, name, description, type, variations, enabled, off_variation, prerequisites,
                                  targets, rules, fallthrough, salt, semantics, tags, archived, source, iteration)
        SELECT to_environment, f.key, f.name, f.description, f.type, f.variations, f.enabled, f.off_variation, f.prerequisites,
               f.targets, f.rules, f.fallthrough, f.salt, f.semantics, f.tags, f.archived, f.source, f.iteration
        FROM unnest(left_flags) AS f
        WHERE copied = 0 OR f.semantics = 'featbit' OR NOT EXISTS (
            SELECT FROM (SELECT jsonb_path_query(f.prerequisites, '$[*].flag') UNION ALL SELECT jsonb_path_query(f.rules, '$[*].when.**.flag')) AS r (name)
            WHERE NOT EXISTS (SELECT FROM featbit.flag AS t WHERE t.environment = to_environment AND t.key = r.name #>> '{}'));
        GET DIAGNOSTICS copied = ROW_COUNT;
        EXIT WHEN copied = 0 AND stuck;
        stuck := copied = 0;
        SELECT array_agg(f ORDER BY f.key) INTO left_flags FROM unnest(left_flags) AS f
        WHERE NOT EXISTS (SELECT FROM featbit.flag AS t WHERE t.environment = to_environment AND t.key = f.key);
    END LOOP;
    flags := (SELECT count(*) FROM featbit.flag AS f WHERE f.environment = to_environment);
    segments := (SELECT count(*) FROM featbit.segment AS s WHERE s.environment = to_environment);
    PERFORM set_config('featbit.change_comment', previous, true);
END $$;
COMMENT ON FUNCTION featbit.clone_environment(text, text, text) IS 'copies all segments and flags of one environment, as one state, into another one that has none yet; name, protection and tracking schema are not copied. Users are bucketed as in the original. Returns the numbers of flags and segments. Errors: 42704 unknown environment, 23505 when the other environment has flags or segments, 22004 an environment is NULL, 23503 for a reference that dangles in the original.';
