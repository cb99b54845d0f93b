-- export: an environment in the form that FeatBit's SDKs read

CREATE FUNCTION featbit.featbit_updated_at(source jsonb, updated_at timestamptz, kind text, environment text, key text, revision bigint)
    RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM featbit.flag_revision AS r
                             WHERE r.environment = featbit_updated_at.environment AND r.kind = featbit_updated_at.kind AND r.key = featbit_updated_at.key
                               AND r.revision = featbit_updated_at.revision AND r.change = 'update' AND NOT 'source' = ANY (r.changed))
                     AND floor(1000 * extract(epoch FROM updated_at)) > coalesce(featbit.featbit_version(source -> 'updatedAt'), 0)
                THEN to_jsonb(featbit.featbit_time(to_jsonb(updated_at) #>> '{}'))
                ELSE source -> 'updatedAt' END $$;
COMMENT ON FUNCTION featbit.featbit_updated_at(jsonb, timestamptz, text, text, text, bigint) IS 'internal: the member updatedAt of an exported flag or segment: FeatBit''s own, or the time of its row when it was changed here since, so that SDKs take the change for newer.';

CREATE FUNCTION featbit.export_flag(flag featbit.flag)
    RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT (jsonb_build_object('key', flag.key, 'name', flag.name, 'description', flag.description, 'variationType', flag.type, 'variations', flag.variations,
                'targetUsers', flag.targets, 'rules', flag.rules, 'isEnabled', flag.enabled, 'disabledVariationId', flag.off_variation, 'fallthrough', flag.fallthrough,
                'tags', to_jsonb(flag.tags), 'isArchived', flag.archived)
            - ARRAY(SELECT jsonb_array_elements_text(coalesce(flag.source -> 'missingMembers', '[]'))))
           || (coalesce(flag.source, '{}') - '{missingAttribute,missingMembers,updatedAt}'::text[])
           || CASE WHEN u.updated_at IS NULL THEN '{}' ELSE jsonb_build_object('updatedAt', u.updated_at) END
    FROM featbit.featbit_updated_at(flag.source, flag.updated_at, 'flag', flag.environment, flag.key, flag.revision) AS u (updated_at) $$;
COMMENT ON FUNCTION featbit.export_flag(featbit.flag) IS 'internal: a flag with featbit semantics as FeatBit''s JSON has it, with every member that the import found.';

CREATE FUNCTION featbit.export_segment(segment featbit.segment)
    RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT (jsonb_build_object('id', segment.key, 'name', segment.name, 'description', segment.description, 'included', to_jsonb(segment.included),
                'excluded', to_jsonb(segment.excluded), 'isArchived', segment.archived)
            - ARRAY(SELECT jsonb_array_elements_text(coalesce(segment.source -> 'missingMembers', '[]'))))
           || CASE WHEN segment.condition IS NULL THEN '{}' ELSE jsonb_build_object('rules', segment.condition) END
           || (coalesce(segment.source, '{}') - '{missingAttribute,missingMembers,updatedAt}'::text[])
           || CASE WHEN u.updated_at IS NULL THEN '{}' ELSE jsonb_build_object('updatedAt', u.updated_at) END
    FROM featbit.featbit_updated_at(segment.source, segment.updated_at, 'segment', segment.environment, segment.key, segment.revision) AS u (updated_at) $$;
COMMENT ON FUNCTION featbit.export_segment(featbit.segment) IS 'internal: a segment with featbit semantics as FeatBit''s JSON has it, with every member that the import found.';

CREATE FUNCTION featbit.export_featbit(environment text DEFAULT NULL, native text DEFAULT 'error')
    RETURNS jsonb LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS $$
DECLARE
    in_environment text := coalesce(export_featbit.environment, current_setting('featbit.environment', true), 'default');
    natives text;
    amount bigint;
BEGIN
    IF native IN ('error', 'skip') IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown word "%s" for native flags', coalesce(native, 'NULL')),
            HINT = 'Say error to be told of them, or skip to leave them out.';
    END IF;
    IF NOT EXISTS (SELECT FROM featbit.environment AS e WHERE e.key = in_environment) THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('environment "%s" does not exist', in_environment),
            HINT = coalesce('Did you mean "' || (SELECT featbit.nearest_name(in_environment, array_agg(e.key::text)) FROM featbit.environment AS e) || '"?',
                            'An environment is made by the first flag that is created in it.');
    END IF;
    IF native = 'error' THEN
        SELECT count(*), string_agg(n.name, ', ' ORDER BY n.place) FILTER (WHERE n.place <= 10) INTO amount, natives
        FROM (SELECT m.name, row_number() OVER (ORDER BY m.name) AS place
              FROM (SELECT format('flag %s', f.key) AS name FROM featbit.flag AS f WHERE f.environment = in_environment AND f.semantics <> 'featbit'
                    UNION ALL
                    SELECT format('segment %s', s.key) FROM featbit.segment AS s WHERE s.environment = in_environment AND s.semantics <> 'featbit') AS m) AS n;
        IF amount > 0 THEN
            RAISE EXCEPTION USING ERRCODE = '0A000',
                MESSAGE = format('environment "%s" has flags or segments that FeatBit cannot have', in_environment),
                DETAIL = format('They are %s%s (%s in all): buckets, conditions and values of native semantics are not those of FeatBit.', natives,
                    CASE WHEN amount > 10 THEN ' and more' ELSE '' END, amount),
                HINT = 'Say native => ''skip'' to leave them out.';
        END IF;
    END IF;
    RETURN jsonb_build_object('messageType', 'data-sync', 'data', jsonb_build_object('eventType', 'full',
        'featureFlags', (SELECT coalesce(jsonb_agg(featbit.export_flag(f) ORDER BY f.key), '[]') FROM featbit.flag AS f
                         WHERE f.environment = in_environment AND f.semantics = 'featbit'),
        'segments', (SELECT coalesce(jsonb_agg(featbit.export_segment(s) ORDER BY s.key), '[]') FROM featbit.segment AS s
                     WHERE s.environment = in_environment AND s.semantics = 'featbit')));
END $$;
COMMENT ON FUNCTION featbit.export_featbit(text, text) IS
'an environment as the full data-sync message of FeatBit''s server: what its server SDKs read over HTTP or as a bootstrap file, archived flags included. Every member that an import found is given back as it was; a flag that was changed here since has the time of the change as its updatedAt. How a missing attribute counts is an option of this extension, which FeatBit''s SDKs do not know: they evaluate with the empty string.
environment: default the setting featbit.environment. native: what to do about native flags and segments, which FeatBit cannot have and which are never converted: error, or skip.
Errors: 0A000 there are native ones; 42704 no such environment; 22023 unknown word';
