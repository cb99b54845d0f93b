-- import: FeatBit's flags and segments, from its payloads and from rows of its tables, into an environment, member for member

CREATE FUNCTION featbit.featbit_version(updated_at jsonb)
    RETURNS bigint AS 'MODULE_PATHNAME', 'fb_featbit_version' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION featbit.featbit_version(jsonb) IS 'version of a FeatBit flag or segment by its member updatedAt: milliseconds since 1970-01-01 UTC, rounded down as FeatBit''s SDKs do. updated_at: an ISO 8601 string (without an offset it is UTC) or milliseconds as a number. NULL for anything else.';

CREATE FUNCTION featbit.featbit_time(moment text)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_featbit_time' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION featbit.featbit_time(text) IS 'a timestamp as FeatBit''s server writes it, such as 2026-01-02T03:04:05.678Z: in UTC, to the microsecond, without closing zeros. moment: an ISO 8601 timestamp, without an offset UTC. What is none is returned as it is.';

CREATE FUNCTION featbit.featbit_entity("row" jsonb)
    RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(jsonb_object_agg(
        CASE WHEN strpos(e.key, '_') < 2 THEN e.key
             ELSE left(e.key, 1) || substr(replace(initcap(replace(e.key, '_', ' ')), ' ', ''), 2) END,
        CASE WHEN e.key IN ('created_at', 'updated_at') AND jsonb_typeof(e.value) = 'string' THEN to_jsonb(featbit.featbit_time(e.value #>> '{}'))
             ELSE e.value END), '{}')
    FROM jsonb_each("row") AS e
    WHERE e.key NOT IN ('committed_version', 'pending') $$;
COMMENT ON FUNCTION featbit.featbit_entity(jsonb) IS 'a row of FeatBit''s table feature_flags or segments, as to_jsonb makes it, in the form of FeatBit''s JSON: names in camelCase, times in UTC, without committed_version and pending, which FeatBit''s data centres use among themselves.';

CREATE FUNCTION featbit.featbit_kind(entity jsonb)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN entity ?| ARRAY['variations', 'variationType', 'variation_type', 'isEnabled', 'is_enabled', 'targetUsers', 'target_users'] THEN 'flag'
                WHEN entity ?| ARRAY['included', 'excluded'] THEN 'segment' END $$;
COMMENT ON FUNCTION featbit.featbit_kind(jsonb) IS 'flag or segment: what an object of FeatBit''s JSON, or a row of its tables, is by its members; NULL for neither.';

CREATE FUNCTION featbit.check_featbit_elements(list jsonb, place text, is_mixed boolean)
    RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    environments text[];
    wrong record;
BEGIN
    IF jsonb_path_exists(list, '$[*] ? (@.type() <> "object")') THEN
        SELECT e.n - 1 AS n, jsonb_typeof(e.element) AS type INTO wrong
        FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, n) WHERE jsonb_typeof(e.element) <> 'object' ORDER BY e.n LIMIT 1;
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s[%s] must be an object, not %s', place, wrong.n, wrong.type);
    END IF;
    IF is_mixed THEN
        SELECT e.n - 1 AS n INTO wrong
        FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, n) WHERE featbit.featbit_kind(e.element) IS NULL ORDER BY e.n LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s[%s] is neither a flag nor a segment', place, wrong.n),
                DETAIL = 'A flag has variations, a segment has users that are included and excluded.';
        END IF;
    END IF;
    SELECT array_agg(DISTINCT e.id #>> '{}') INTO environments
    FROM jsonb_path_query(list, '$[*] ? (!exists(@.included)).keyvalue() ? (@.key == "envId" || @.key == "env_id").value') AS e (id) WHERE jsonb_typeof(e.id) = 'string';
    IF cardinality(environments) > 1 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s holds flags of %s environments of FeatBit', place, cardinality(environments)),
            DETAIL = format('Their ids are %s.', array_to_string(environments, ', ')), HINT = 'Import each of them into an environment of its own.';
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION featbit.check_featbit_elements(jsonb, text, boolean) IS 'internal: raises 22023, with the place, unless the elements of an array of a payload are objects of one FeatBit environment, and each a flag or a segment where they are mixed. place: where the array stands. Returns true.';

CREATE FUNCTION featbit.featbit_payload(payload jsonb, OUT flag_path text[], OUT segment_path text[], OUT is_mixed boolean, OUT is_single boolean, OUT is_full boolean)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
    AS $$
DECLARE
    node jsonb := payload #> '{}';      -- unpacked once
    path text[] := '{}';
    place text := 'payload';
    name text;
    event text;
    hint constant text := 'Accepted are the data-sync message of FeatBit''s server SDKs (also as a bootstrap file), answers of its API, and arrays of flags, segments, or rows of its tables.';
BEGIN
    is_full := false;
    is_mixed := false;
    is_single := false;
    IF payload IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'payload is null', HINT = hint;
    END IF;
    IF jsonb_typeof(node) = 'object' THEN
        IF node ? 'messageType' AND node ->> 'messageType' IS DISTINCT FROM 'data-sync' THEN
            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('payload.messageType is %s, not "data-sync"', node -> 'messageType'), HINT = hint;
        END IF;
        IF node -> 'success' = 'false' THEN
            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('payload is an answer without success: %s', coalesce(node -> 'errors', 'null')), HINT = hint;
        END IF;
        IF node ?| ARRAY['messageType', 'success', 'data'] THEN
            IF jsonb_typeof(node -> 'data') IN ('object', 'array') IS NOT TRUE THEN
                RAISE EXCEPTION USING ERRCODE = '22023',
                    MESSAGE = 'payload.data ' || coalesce('must be an object or array, not ' || jsonb_typeof(node -> 'data'), 'is missing'), HINT = hint;
            END IF;
            node := node -> 'data';
            path := '{data}';
            place := 'payload.data';
        END IF;
    END IF;
    IF jsonb_typeof(node) = 'object' AND node ? 'eventType' THEN
        event := node ->> 'eventType';
        IF node ? 'userKeyId' THEN
            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s is what a client SDK gets: variations of one user, not definitions', place),
                HINT = 'Take what a server SDK gets: GET /api/public/sdk/server/latest-all with a server secret.';
        END IF;
        IF event IN ('full', 'patch', 'rp_full', 'rp_patch') IS NOT TRUE THEN
            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s.eventType is %s, not "full" or "patch"', place, node -> 'eventType'), HINT = hint;
        END IF;
        is_full := event IN ('full', 'rp_full');
        IF event LIKE 'rp%' THEN
            IF jsonb_typeof(node -> 'items') IS DISTINCT FROM 'array' OR jsonb_array_length(node -> 'items') <> 1 THEN
                RAISE EXCEPTION USING ERRCODE = '22023',
                    MESSAGE = format('%s.items holds %s environments of a relay proxy, not 1', place,
                        CASE jsonb_typeof(node -> 'items') WHEN 'array' THEN jsonb_array_length(node -> 'items')::text ELSE 'no' END),
                    HINT = 'Import them one by one: each item with "eventType": "full" added, into an environment of its own.';
            END IF;
            node := node #> '{items,0}';
            path := path || '{items,0}';
            place := place || '.items[0]';
        END IF;
        IF is_full AND NOT node ? 'featureFlags' THEN
            RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s.featureFlags is missing', place),
                DETAIL = 'A full message is all that an environment has.', HINT = 'Give an empty array if there are no flags.';
        END IF;
    END IF;

    IF jsonb_typeof(node) NOT IN ('array', 'object') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s must be an object or array, not %s', place, jsonb_typeof(node)), HINT = hint;
    ELSIF jsonb_typeof(node) = 'array' THEN
        is_mixed := true;
    ELSIF node ?| ARRAY['featureFlags', 'feature_flags', 'segments'] THEN
        FOREACH name IN ARRAY ARRAY['featureFlags', 'feature_flags', 'segments'] LOOP
            CONTINUE WHEN coalesce(jsonb_typeof(node -> name), 'null') = 'null';
            IF jsonb_typeof(node -> name) <> 'array' THEN
                RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s.%s must be an array, not %s', place, name, jsonb_typeof(node -> name)), HINT = hint;
            END IF;
            PERFORM featbit.check_featbit_elements(node -> name, format('%s.%s', place, name), false);
            IF name = 'segments' THEN
                segment_path := path || name;
            ELSE
                flag_path := path || name;
            END IF;
        END LOOP;
    ELSIF jsonb_typeof(node -> 'items') = 'array' THEN
        is_mixed := true;
        node := node -> 'items';
        path := path || '{items}'::text[];
        place := place || '.items';
    ELSIF featbit.featbit_kind(node) IS NOT NULL THEN
        is_single := true;
        is_mixed := true;
        node := jsonb_build_array(node);
    ELSE
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('%s holds no flags and no segments', place), HINT = hint;
    END IF;
    IF is_mixed THEN
        PERFORM featbit.check_featbit_elements(node, place, true);
        flag_path := path;
        segment_path := path;
    END IF;
END $$;
COMMENT ON FUNCTION featbit.featbit_payload(jsonb) IS 'where the flags and segments of a payload of FeatBit are: paths of arrays, NULL where there is none; is_mixed: both are in one array; is_single: there is one flag or segment instead of an array; is_full: it is the whole of an environment. payload: as import_featbit takes it. Errors: 22023 for what is no such payload, with the place; 22004 for NULL.';

CREATE FUNCTION featbit.source_difference(old_source jsonb, new_source jsonb)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT 'other members: ' || string_agg(c.key, ', ' ORDER BY c.key)
    FROM (SELECT key FROM jsonb_each(coalesce(old_source, '{}')) AS o FULL JOIN jsonb_each(new_source) AS w USING (key)
          WHERE o.value IS DISTINCT FROM w.value AND key NOT IN ('updatedAt', 'revision')) AS c $$;
COMMENT ON FUNCTION featbit.source_difference(jsonb, jsonb) IS 'internal: names the members that differ between two values of the column source of a flag or segment, apart from updatedAt and revision; NULL when none does. Raises nothing.';

CREATE FUNCTION featbit.write_featbit_flags(environment text, list jsonb, place text, is_mixed boolean, known_keys text[], by_version boolean,
    missing_attribute text, vanished text, replace_native boolean)
    RETURNS jsonb LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '64MB'
    AS $$
    WITH incoming AS MATERIALIZED (
        -- of several with one key the newest counts, as in FeatBit's SDKs; of equals the first
        SELECT i.n, i.key, i.version, row_number() OVER (PARTITION BY i.key ORDER BY i.version DESC NULLS LAST, i.n) AS rank
        FROM (SELECT e.n, CASE WHEN jsonb_typeof(e.element -> 'key') = 'string' THEN e.element ->> 'key' END AS key,
                     featbit.featbit_version(coalesce(e.element -> 'updatedAt', e.element -> 'updated_at')) AS version
              FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, n)
              WHERE is_mixed IS NOT TRUE OR featbit.featbit_kind(e.element) = 'flag') AS i
    ), step AS (
        SELECT r.n, i.place, r.key, r.version, f.revision IS NOT NULL AS is_stored, f.semantics AS stored_semantics,
               featbit.featbit_version(f.source -> 'updatedAt') AS stored_version, f.source ->> 'envId' AS stored_environment,
               CASE WHEN r.key IS NULL THEN i.place || ' has no key'
                    WHEN r.key = '' OR octet_length(r.key) > 128 OR r.key ~ '[\u0001-\u001f\u007f]'
                        THEN format('the key of %s cannot be stored: a key has 1 to 128 bytes and no control characters', i.place)
                    WHEN f.semantics <> 'featbit' AND replace_native IS NOT TRUE
                        THEN format('a flag with %s semantics has this key', f.semantics) END AS refusal,
               CASE WHEN r.rank > 1 THEN format('%s has the key of another flag, which is newer or comes first', i.place)
                    WHEN NOT i.entity ?| ARRAY['variations', 'rules', 'targetUsers', 'fallthrough']
                        THEN format('%s is a summary without a definition: fetch the flag itself', i.place) END AS skipped,
               m.*
        FROM (SELECT e.n, format(write_featbit_flags.place, e.n - 1, e.element ->> 'id') AS place,
                     CASE WHEN e.element ?| ARRAY['env_id', 'variation_type', 'is_enabled', 'is_archived', 'target_users', 'updated_at']
                          THEN featbit.featbit_entity(e.element) ELSE e.element END AS entity
              FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, n)
              OFFSET 0) AS i
        JOIN incoming AS r USING (n)
        LEFT JOIN featbit.flag AS f ON f.environment = write_featbit_flags.environment AND f.key = r.key,
        LATERAL (SELECT CASE jsonb_typeof(i.entity -> 'name') WHEN 'string' THEN i.entity ->> 'name' END AS name,
                        CASE jsonb_typeof(i.entity -> 'description') WHEN 'string' THEN i.entity ->> 'description' END AS description,
                        CASE jsonb_typeof(i.entity -> 'variationType') WHEN 'string' THEN i.entity ->> 'variationType' ELSE 'string' END AS type,
                        coalesce(i.entity -> 'variations', 'null') AS variations,
                        i.entity -> 'isEnabled' IS NOT DISTINCT FROM 'true' AS enabled,
                        CASE jsonb_typeof(i.entity -> 'disabledVariationId') WHEN 'string' THEN i.entity ->> 'disabledVariationId' END AS off_variation,
                        coalesce(i.entity -> 'targetUsers', 'null') AS targets,
                        coalesce(i.entity -> 'rules', 'null') AS rules,
                        coalesce(i.entity -> 'fallthrough', 'null') AS fallthrough,
                        CASE jsonb_typeof(i.entity -> 'tags') WHEN 'array'
                            THEN ARRAY(SELECT t.tag #>> '{}' FROM jsonb_array_elements(i.entity -> 'tags') WITH ORDINALITY AS t (tag, n)
                                       WHERE jsonb_typeof(t.tag) = 'string' ORDER BY t.n)
                            ELSE '{}' END AS tags,
                        i.entity -> 'isArchived' IS NOT DISTINCT FROM 'true' AS archived,
                        -- what a column cannot give back stays here as it is; what is not there at all is listed
                        (i.entity - ARRAY['missingAttribute', 'missingMembers', 'key', 'variations', 'targetUsers', 'rules', 'fallthrough',
                            CASE WHEN jsonb_typeof(i.entity -> 'name') IN ('string', 'null') THEN 'name' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'description') IN ('string', 'null') THEN 'description' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'variationType') = 'string' THEN 'variationType' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'isEnabled') = 'boolean' THEN 'isEnabled' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'disabledVariationId') IN ('string', 'null') THEN 'disabledVariationId' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'tags') = 'array' AND NOT i.entity -> 'tags' @? '$[*] ? (@.type() != "string")' THEN 'tags' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'isArchived') = 'boolean' THEN 'isArchived' END])
                        || CASE WHEN i.entity ?& ARRAY['name', 'description', 'variationType', 'variations', 'isEnabled', 'disabledVariationId', 'targetUsers', 'rules',
                                                       'fallthrough', 'tags', 'isArchived'] THEN '{}'
                                ELSE jsonb_build_object('missingMembers', (SELECT jsonb_agg(w.member ORDER BY w.member)
                                    FROM unnest(ARRAY['name', 'description', 'variationType', 'variations', 'isEnabled', 'disabledVariationId', 'targetUsers', 'rules',
                                                      'fallthrough', 'tags', 'isArchived']) AS w (member) WHERE NOT i.entity ? w.member)) END
                        || CASE WHEN coalesce(missing_attribute, f.source ->> 'missingAttribute') IS NULL THEN '{}'
                                ELSE jsonb_build_object('missingAttribute', coalesce(missing_attribute, f.source ->> 'missingAttribute')) END AS source) AS m
    ), planned AS MATERIALIZED (
        SELECT s.*,
               CASE WHEN s.refusal IS NOT NULL THEN 'refused'
                    WHEN s.skipped IS NOT NULL THEN 'skipped'
                    WHEN NOT s.is_stored THEN 'inserted'
                    WHEN s.stored_semantics = 'featbit'
                         AND (f.name, f.description, f.type, f.variations, f.enabled, f.off_variation, f.targets, f.rules, f.fallthrough, f.tags, f.archived, f.source)
                             IS NOT DISTINCT FROM
                             (s.name, s.description, s.type, s.variations, s.enabled, s.off_variation, s.targets, s.rules, s.fallthrough, s.tags, s.archived, s.source)
                        THEN 'unchanged'
                    WHEN by_version AND s.stored_semantics = 'featbit' AND s.version > s.stored_version IS NOT TRUE AND s.stored_version IS NOT NULL THEN 'ignored'
                    ELSE 'updated' END AS action
        FROM (SELECT * FROM step OFFSET 0) AS s
        LEFT JOIN featbit.flag AS f ON f.environment = write_featbit_flags.environment AND f.key = s.key
    ), many AS (
        -- words for each of thousands would take longer than writing them
        SELECT count(*) > 200 AS are FROM planned AS p WHERE p.action = 'updated'
    ), gone AS MATERIALIZED (
        SELECT f.key, f.archived,
               CASE WHEN vanished = 'delete' THEN 'deleted' WHEN f.archived THEN 'unchanged' WHEN vanished = 'archive' THEN 'archived' ELSE 'kept' END AS action
        FROM featbit.flag AS f
        WHERE f.environment = write_featbit_flags.environment AND f.semantics = 'featbit'
          AND (known_keys IS NULL OR f.key = ANY (known_keys))
          AND NOT EXISTS (SELECT FROM incoming AS i WHERE i.key = f.key)
    ), inserted AS (
        INSERT INTO featbit.flag (environment, key, name, description, type, variations, enabled, off_variation, targets, rules, fallthrough, salt, semantics, tags, archived, source)
        SELECT write_featbit_flags.environment, p.key, p.name, p.description, p.type, p.variations, p.enabled, p.off_variation, p.targets, p.rules, p.fallthrough, p.key, 'featbit',
               p.tags, p.archived, p.source
        FROM planned AS p WHERE p.action = 'inserted'
    ), updated AS (
        UPDATE featbit.flag AS f
        SET name = p.name, description = p.description, type = p.type, variations = p.variations, enabled = p.enabled, off_variation = p.off_variation,
            prerequisites = '[]', targets = p.targets, rules = p.rules, fallthrough = p.fallthrough, salt = p.key, semantics = 'featbit', tags = p.tags,
            archived = p.archived, source = p.source
        FROM planned AS p
        WHERE f.environment = write_featbit_flags.environment AND f.key = p.key AND p.action = 'updated'
    ), archived AS (
        UPDATE featbit.flag AS f SET archived = true
        FROM gone AS g WHERE f.environment = write_featbit_flags.environment AND f.key = g.key AND g.action = 'archived'
    ), deleted AS (
        DELETE FROM featbit.flag AS f
        USING gone AS g WHERE f.environment = write_featbit_flags.environment AND f.key = g.key AND g.action = 'deleted'
    )
    SELECT coalesce(jsonb_agg(r.report ORDER BY r.n), '[]')
    FROM (SELECT p.n, jsonb_build_object('kind', 'flag', 'key', p.key, 'action', p.action, 'problem', coalesce(p.refusal, p.skipped),
                     'notes', to_jsonb(nullif(concat_ws('; ',
                         CASE WHEN p.action = 'refused' AND p.stored_semantics IS NOT NULL THEN 'say replace_native to replace it' END,
                         CASE WHEN p.action = 'ignored' AND p.version IS NULL THEN 'no updatedAt that can be read: the stored flag counts as newer'
                              WHEN p.action = 'ignored' AND p.version = p.stored_version THEN 'the stored flag has the same updatedAt'
                              WHEN p.action = 'ignored' THEN 'the stored flag is newer'
                              WHEN p.action = 'updated' AND p.version < p.stored_version THEN 'the stored flag was newer' END,
                         CASE WHEN p.action = 'updated' AND p.stored_semantics <> 'featbit' THEN format('replaces a flag with %s semantics', p.stored_semantics) END,
                         CASE WHEN p.action = 'updated' AND p.stored_environment <> p.source ->> 'envId'
                              THEN format('replaces a flag of FeatBit environment %s', p.stored_environment) END,
                         CASE WHEN p.action IN ('inserted', 'updated') AND p.version IS NULL THEN 'no updatedAt that can be read' END,
                         (SELECT CASE WHEN (SELECT are FROM many)
                                      THEN 'changed: ' || concat_ws(', ', CASE WHEN f.enabled <> p.enabled THEN 'enabled' END, CASE WHEN f.archived <> p.archived THEN 'archived' END,
                                          CASE WHEN (f.name, f.description, f.tags) IS DISTINCT FROM (p.name, p.description, p.tags) THEN 'description' END,
                                          CASE WHEN (f.type, f.variations) IS DISTINCT FROM (p.type, p.variations) THEN 'variations' END,
                                          CASE WHEN f.off_variation IS DISTINCT FROM p.off_variation THEN 'off variation' END, CASE WHEN f.targets <> p.targets THEN 'targets' END,
                                          CASE WHEN f.rules <> p.rules THEN 'rules' END, CASE WHEN f.fallthrough <> p.fallthrough THEN 'fallthrough' END,
                                          CASE WHEN f.source IS DISTINCT FROM p.source THEN 'source' END)
                                      ELSE concat_ws('; ', (SELECT string_agg(d, '; ')
                                            FROM featbit.definition_differences(to_jsonb(f), to_jsonb(f) || jsonb_build_object('name', p.name, 'description', p.description,
                                                'type', p.type, 'variations', p.variations, 'enabled', p.enabled, 'off_variation', p.off_variation, 'targets', p.targets,
                                                'rules', p.rules, 'fallthrough', p.fallthrough, 'tags', p.tags, 'archived', p.archived)) AS d),
                                          featbit.source_difference(f.source, p.source)) END
                          FROM featbit.flag AS f
                          WHERE f.environment = write_featbit_flags.environment AND f.key = p.key AND f.semantics = 'featbit' AND p.action = 'updated')), ''))) AS report
          FROM planned AS p
          UNION ALL
          SELECT 1000000000 + row_number() OVER (ORDER BY g.key),
                 jsonb_build_object('kind', 'flag', 'key', g.key, 'action', g.action, 'problem', NULL,
                     'notes', CASE WHEN g.action = 'unchanged' THEN 'no longer in FeatBit; archived here before' ELSE 'no longer in FeatBit' END)
          FROM gone AS g) AS r $$;
COMMENT ON FUNCTION featbit.write_featbit_flags(text, jsonb, text, boolean, text[], boolean, text, text, boolean) IS 'internal: writes flags as FeatBit has them into an environment, in one statement. list: array of the flags; place: where they stand, for messages, a format with their position and id; is_mixed: segments are among them; known_keys: keys that FeatBit no longer has unless they are among the entities, NULL is every flag that came from FeatBit; by_version: a stored flag is replaced only by a newer one; the other arguments are those of import_featbit. Returns the rows of the report as a JSON array.';

CREATE FUNCTION featbit.write_featbit_segments(environment text, list jsonb, place text, is_mixed boolean, known_keys text[], by_version boolean,
    missing_attribute text, vanished text, replace_native boolean)
    RETURNS jsonb LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off SET work_mem = '64MB'
    AS $$
    WITH incoming AS MATERIALIZED (
        SELECT i.n, i.key, i.version, row_number() OVER (PARTITION BY i.key ORDER BY i.version DESC NULLS LAST, i.n) AS rank
        FROM (SELECT e.n, CASE WHEN jsonb_typeof(e.element -> 'id') = 'string' THEN e.element ->> 'id' END AS key,
                     featbit.featbit_version(coalesce(e.element -> 'updatedAt', e.element -> 'updated_at')) AS version
              FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, n)
              WHERE is_mixed IS NOT TRUE OR featbit.featbit_kind(e.element) = 'segment') AS i
    ), step AS (
        SELECT r.n, i.place, r.key, r.version, s.revision IS NOT NULL AS is_stored, s.semantics AS stored_semantics,
               featbit.featbit_version(s.source -> 'updatedAt') AS stored_version,
               CASE WHEN r.key IS NULL THEN i.place || ' has no id'
                    WHEN r.key = '' OR octet_length(r.key) > 128 OR r.key ~ '[\u0001-\u001f\u007f]'
                        THEN format('the id of %s cannot be stored: it needs 1 to 128 bytes and no control characters', i.place)
                    WHEN s.semantics <> 'featbit' AND replace_native IS NOT TRUE
                        THEN format('a segment with %s semantics has this key', s.semantics) END AS refusal,
               CASE WHEN r.rank > 1 THEN format('%s has the id of another segment, which is newer or comes first', i.place)
                    WHEN NOT i.entity ?| ARRAY['included', 'excluded', 'rules']
                        THEN format('%s is a summary without a definition: fetch the segment itself', i.place) END AS skipped,
               m.*
        FROM (SELECT e.n, format(write_featbit_segments.place, e.n - 1, e.element ->> 'id') AS place,
                     CASE WHEN e.element ?| ARRAY['env_id', 'variation_type', 'is_enabled', 'is_archived', 'target_users', 'updated_at']
                          THEN featbit.featbit_entity(e.element) ELSE e.element END AS entity
              FROM jsonb_array_elements(list) WITH ORDINALITY AS e (element, n)
              OFFSET 0) AS i
        JOIN incoming AS r USING (n)
        LEFT JOIN featbit.segment AS s ON s.environment = write_featbit_segments.environment AND s.key = r.key,
        LATERAL (SELECT CASE jsonb_typeof(i.entity -> 'name') WHEN 'string' THEN i.entity ->> 'name' END AS name,
                        CASE jsonb_typeof(i.entity -> 'description') WHEN 'string' THEN i.entity ->> 'description' END AS description,
                        CASE jsonb_typeof(i.entity -> 'included') WHEN 'array'
                            THEN ARRAY(SELECT t.u #>> '{}' FROM jsonb_array_elements(i.entity -> 'included') WITH ORDINALITY AS t (u, n)
                                       WHERE jsonb_typeof(t.u) = 'string' ORDER BY t.n)
                            ELSE '{}' END AS included,
                        CASE jsonb_typeof(i.entity -> 'excluded') WHEN 'array'
                            THEN ARRAY(SELECT t.u #>> '{}' FROM jsonb_array_elements(i.entity -> 'excluded') WITH ORDINALITY AS t (u, n)
                                       WHERE jsonb_typeof(t.u) = 'string' ORDER BY t.n)
                            ELSE '{}' END AS excluded,
                        i.entity -> 'rules' AS condition,
                        i.entity -> 'isArchived' IS NOT DISTINCT FROM 'true' AS archived,
                        (i.entity - ARRAY['missingAttribute', 'missingMembers', 'rules',
                            CASE WHEN jsonb_typeof(i.entity -> 'name') IN ('string', 'null') THEN 'name' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'description') IN ('string', 'null') THEN 'description' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'included') = 'array' AND NOT i.entity -> 'included' @? '$[*] ? (@.type() != "string")' THEN 'included' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'excluded') = 'array' AND NOT i.entity -> 'excluded' @? '$[*] ? (@.type() != "string")' THEN 'excluded' END,
                            CASE WHEN jsonb_typeof(i.entity -> 'isArchived') = 'boolean' THEN 'isArchived' END])
                        || CASE WHEN i.entity ?& ARRAY['name', 'description', 'included', 'excluded', 'isArchived'] THEN '{}'
                                ELSE jsonb_build_object('missingMembers', (SELECT jsonb_agg(w.member ORDER BY w.member)
                                    FROM unnest(ARRAY['name', 'description', 'included', 'excluded', 'isArchived']) AS w (member) WHERE NOT i.entity ? w.member)) END
                        || CASE WHEN coalesce(missing_attribute, s.source ->> 'missingAttribute') IS NULL THEN '{}'
                                ELSE jsonb_build_object('missingAttribute', coalesce(missing_attribute, s.source ->> 'missingAttribute')) END AS source) AS m
    ), planned AS MATERIALIZED (
        SELECT p.*,
               CASE WHEN p.refusal IS NOT NULL THEN 'refused'
                    WHEN p.skipped IS NOT NULL THEN 'skipped'
                    WHEN NOT p.is_stored THEN 'inserted'
                    WHEN p.stored_semantics = 'featbit'
                         AND (s.name, s.description, s.included, s.excluded, s.condition, s.archived, s.source)
                             IS NOT DISTINCT FROM (p.name, p.description, p.included, p.excluded, p.condition, p.archived, p.source)
                        THEN 'unchanged'
                    WHEN by_version AND p.stored_semantics = 'featbit' AND p.version > p.stored_version IS NOT TRUE AND p.stored_version IS NOT NULL THEN 'ignored'
                    ELSE 'updated' END AS action
        FROM (SELECT * FROM step OFFSET 0) AS p
        LEFT JOIN featbit.segment AS s ON s.environment = write_featbit_segments.environment AND s.key = p.key
    ), many AS (
        SELECT count(*) > 200 AS are FROM planned AS p WHERE p.action = 'updated'
    ), gone AS MATERIALIZED (
        SELECT s.key, s.archived,
               CASE WHEN vanished = 'delete' THEN 'deleted' WHEN s.archived THEN 'unchanged' WHEN vanished = 'archive' THEN 'archived' ELSE 'kept' END AS action
        FROM featbit.segment AS s
        WHERE s.environment = write_featbit_segments.environment AND s.semantics = 'featbit'
          AND (known_keys IS NULL OR s.key = ANY (known_keys))
          AND NOT EXISTS (SELECT FROM incoming AS i WHERE i.key = s.key)
    ), inserted AS (
        INSERT INTO featbit.segment (environment, key, name, description, included, excluded, condition, semantics, archived, source)
        SELECT write_featbit_segments.environment, p.key, p.name, p.description, p.included, p.excluded, p.condition, 'featbit', p.archived, p.source
        FROM planned AS p WHERE p.action = 'inserted'
    ), updated AS (
        UPDATE featbit.segment AS s
        SET name = p.name, description = p.description, included = p.included, excluded = p.excluded, condition = p.condition, semantics = 'featbit',
            archived = p.archived, source = p.source
        FROM planned AS p
        WHERE s.environment = write_featbit_segments.environment AND s.key = p.key AND p.action = 'updated'
    ), archived AS (
        UPDATE featbit.segment AS s SET archived = true
        FROM gone AS g WHERE s.environment = write_featbit_segments.environment AND s.key = g.key AND g.action = 'archived'
    ), deleted AS (
        DELETE FROM featbit.segment AS s
        USING gone AS g WHERE s.environment = write_featbit_segments.environment AND s.key = g.key AND g.action = 'deleted'
    )
    SELECT coalesce(jsonb_agg(r.report ORDER BY r.n), '[]')
    FROM (SELECT p.n, jsonb_build_object('kind', 'segment', 'key', p.key, 'action', p.action, 'problem', coalesce(p.refusal, p.skipped),
                     'notes', to_jsonb(nullif(concat_ws('; ',
                         CASE WHEN p.action = 'refused' AND p.stored_semantics IS NOT NULL THEN 'say replace_native to replace it' END,
                         CASE WHEN p.action = 'ignored' AND p.version IS NULL THEN 'no updatedAt that can be read: the stored segment counts as newer'
                              WHEN p.action = 'ignored' AND p.version = p.stored_version THEN 'the stored segment has the same updatedAt'
                              WHEN p.action = 'ignored' THEN 'the stored segment is newer'
                              WHEN p.action = 'updated' AND p.version < p.stored_version THEN 'the stored segment was newer' END,
                         CASE WHEN p.action = 'updated' AND p.stored_semantics <> 'featbit' THEN format('replaces a segment with %s semantics', p.stored_semantics) END,
                         CASE WHEN p.action IN ('inserted', 'updated') AND p.version IS NULL THEN 'no updatedAt that can be read' END,
                         (SELECT CASE WHEN (SELECT are FROM many)
                                      THEN 'changed: ' || concat_ws(', ', CASE WHEN s.archived <> p.archived THEN 'archived' END,
                                          CASE WHEN (s.name, s.description) IS DISTINCT FROM (p.name, p.description) THEN 'description' END,
                                          CASE WHEN (s.included, s.excluded) IS DISTINCT FROM (p.included, p.excluded) THEN 'users' END,
                                          CASE WHEN s.condition IS DISTINCT FROM p.condition THEN 'rules' END, CASE WHEN s.source IS DISTINCT FROM p.source THEN 'source' END)
                                      ELSE concat_ws('; ', (SELECT string_agg(d, '; ')
                                            FROM featbit.definition_differences(to_jsonb(s), to_jsonb(s) || jsonb_build_object('name', p.name, 'description', p.description,
                                                'included', p.included, 'excluded', p.excluded, 'condition', p.condition, 'archived', p.archived)) AS d),
                                          featbit.source_difference(s.source, p.source)) END
                          FROM featbit.segment AS s
                          WHERE s.environment = write_featbit_segments.environment AND s.key = p.key AND s.semantics = 'featbit' AND p.action = 'updated')), ''))) AS report
          FROM planned AS p
          UNION ALL
          SELECT 1000000000 + row_number() OVER (ORDER BY g.key),
                 jsonb_build_object('kind', 'segment', 'key', g.key, 'action', g.action, 'problem', NULL,
                     'notes', CASE WHEN g.action = 'unchanged' THEN 'no longer in FeatBit; archived here before' ELSE 'no longer in FeatBit' END)
          FROM gone AS g) AS r $$;
COMMENT ON FUNCTION featbit.write_featbit_segments(text, jsonb, text, boolean, text[], boolean, text, text, boolean) IS 'internal: writes segments as FeatBit has them into an environment, in one statement; arguments and result as write_featbit_flags.';

CREATE FUNCTION featbit.apply_featbit(environment text, flags jsonb, flag_place text, known_flags text[], segments jsonb, segment_place text, known_segments text[],
    is_mixed boolean, by_version boolean, dry_run boolean, missing_attribute text, comment text, vanished text, replace_native boolean, with_problems boolean DEFAULT true)
    RETURNS TABLE (kind text, key text, action text, problem text, notes text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
#variable_conflict use_column
DECLARE
    in_environment text := coalesce(apply_featbit.environment, current_setting('featbit.environment', true), 'default');
    previous text;
    report jsonb;
    problems jsonb;
BEGIN
    IF missing_attribute NOT IN ('empty', 'no_match') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown missing_attribute "%s"', missing_attribute),
            DETAIL = 'To FeatBit''s server an attribute that a user does not have is the empty string (empty); its written specification lets no operator match (no_match).',
            HINT = 'Say empty or no_match, or nothing to keep what is stored.';
    END IF;
    IF vanished IS NULL OR vanished NOT IN ('archive', 'delete', 'keep') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown vanished "%s"', coalesce(vanished, 'NULL')),
            DETAIL = 'It says what becomes of flags and segments that came from FeatBit and are no longer there.',
            HINT = 'Say archive, delete or keep.';
    END IF;
    BEGIN
        previous := featbit.begin_change(in_environment, comment);
        report := featbit.write_featbit_segments(in_environment, segments, segment_place, is_mixed, known_segments, by_version, missing_attribute, vanished, replace_native)
            || featbit.write_featbit_flags(in_environment, flags, flag_place, is_mixed, known_flags, by_version, missing_attribute, vanished, replace_native);
        IF with_problems AND EXISTS (SELECT FROM featbit.environment AS e WHERE e.key = in_environment) THEN
            SELECT jsonb_object_agg(p.name, p.said) INTO problems
            FROM (SELECT f.kind || ' ' || f.key AS name,
                         jsonb_build_object('problem', string_agg(concat_ws(': ', f.path, f.problem), '; ') FILTER (WHERE f.severity = 'error'),
                                            'notes', string_agg(concat_ws(': ', f.path, f.problem), '; ') FILTER (WHERE f.severity <> 'error')) AS said
                  FROM featbit.flag_problems(in_environment) AS f
                  WHERE f.kind IN ('flag', 'segment')
                  GROUP BY f.kind, f.key) AS p;
        END IF;
        IF dry_run THEN
            RAISE EXCEPTION USING ERRCODE = 'FBDRY', MESSAGE = 'dry run';
        END IF;
        PERFORM set_config('featbit.change_comment', previous, true);
    EXCEPTION WHEN SQLSTATE 'FBDRY' THEN
        NULL;
    END;
    RETURN QUERY
        SELECT r.kind, r.key, r.action,
               nullif(concat_ws('; ', r.problem, CASE WHEN r.action NOT IN ('refused', 'skipped', 'deleted') THEN problems -> (r.kind || ' ' || r.key) ->> 'problem' END), ''),
               nullif(concat_ws('; ', r.notes, CASE WHEN r.action NOT IN ('refused', 'skipped', 'deleted') THEN problems -> (r.kind || ' ' || r.key) ->> 'notes' END), '')
        FROM ROWS FROM (jsonb_to_recordset(report) AS (kind text, key text, action text, problem text, notes text)) WITH ORDINALITY
            AS r (kind, key, action, problem, notes, n)
        ORDER BY r.n;
END $$;
COMMENT ON FUNCTION featbit.apply_featbit(text, jsonb, text, text[], jsonb, text, text[], boolean, boolean, boolean, text, text, text, boolean, boolean) IS 'internal: what every import does with the flags and segments that it has found; a dry run does it too and undoes it. Arguments as write_featbit_flags and import_featbit; known_flags and known_segments NULL: all that came from FeatBit; with_problems: what flag_problems finds is part of the report. Returns the report of import_featbit.';

CREATE FUNCTION featbit.import_featbit(payload jsonb, environment text DEFAULT NULL, dry_run boolean DEFAULT false, missing_attribute text DEFAULT NULL,
    comment text DEFAULT NULL, vanished text DEFAULT 'archive', replace_native boolean DEFAULT false)
    RETURNS TABLE (kind text, key text, action text, problem text, notes text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
    AS $$
#variable_conflict use_variable
DECLARE
    place text;
    found record;
BEGIN
    found := featbit.featbit_payload(payload);
    place := regexp_replace(array_to_string('payload'::text || coalesce(found.flag_path, found.segment_path), '.'), '\.(\d+)', '[\1]', 'g') || CASE WHEN found.is_single THEN '' ELSE '[%s]' END;
    RETURN QUERY SELECT a.* FROM featbit.apply_featbit(environment,
        CASE WHEN found.is_single THEN jsonb_build_array(payload #> found.flag_path) ELSE coalesce(payload #> found.flag_path, '[]') END, place,
        CASE WHEN found.is_full THEN NULL ELSE '{}'::text[] END,
        CASE WHEN found.is_single THEN jsonb_build_array(payload #> found.segment_path) ELSE coalesce(payload #> found.segment_path, '[]') END,
        CASE WHEN found.is_mixed THEN place ELSE regexp_replace(array_to_string('payload'::text || found.segment_path, '.'), '\.(\d+)', '[\1]', 'g') || '[%s]' END,
        CASE WHEN found.is_full THEN NULL ELSE '{}'::text[] END,
        found.is_mixed, NOT found.is_full, coalesce(dry_run, false), missing_attribute, comment, vanished, replace_native) AS a;
END $$;
COMMENT ON FUNCTION featbit.import_featbit(jsonb, text, boolean, text, text, text, boolean) IS
'takes flags and segments of FeatBit into an environment, as they are, with featbit semantics: they are evaluated as FeatBit evaluates them. A second import of the same changes nothing.
payload: the data-sync message of FeatBit''s server SDKs, also as a bootstrap file (GET /api/public/sdk/server/latest-all), an answer of its API, one flag or segment, or an array of them or of rows of its tables. A full message is the whole of an environment: it replaces what came from FeatBit, whatever the versions. Everything else adds, and replaces a stored flag or segment only by a newer one (updatedAt, to the millisecond).
environment: default the setting featbit.environment. dry_run: true tells what would happen, and changes nothing. missing_attribute: what a condition finds where a user has no such attribute: empty (the empty string, as FeatBit''s server does) or no_match (no operator is met, as its written specification says); NULL keeps what is stored, which is empty at first. comment: why, for the history. vanished: what becomes of a flag or segment that came from FeatBit and is not in a full message: archive (it is not found any more, as in FeatBit''s SDKs), delete or keep. replace_native: true replaces native flags and segments with the same key, too.
Returns a row for each flag (by its key) and segment (by its id) with the action: inserted, updated, unchanged, ignored (the stored one is as new or newer), archived, deleted, kept, skipped (not the one that counts, or a summary) or refused; the problem: what is wrong with it, as flag_problems tells; and notes: what changed, in words, and warnings.
Errors: 22023 for what is no such payload, with the place in it, and for unknown words; 22004 payload is NULL; 23503 when a native flag needs what would go away; 55000 the environment is protected and there is no comment; 42501 without the right to change the environment';
