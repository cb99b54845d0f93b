-- A message of FeatBit with 3,000 flags of ten rules each, imported, against the same flags written into a table of the same
-- columns and key without triggers: from the message, and from a table that has them as rows of jsonb already.
\echo
\echo Import of 3,000 flags with ten rules each, one backend
CREATE TABLE bench.message AS
SELECT jsonb_build_object('messageType', 'data-sync', 'data', jsonb_build_object('eventType', 'full', 'segments', '[]'::jsonb, 'featureFlags', jsonb_agg(
    jsonb_build_object('id', md5('f' || f)::uuid, 'envId', md5('e')::uuid, 'name', 'flag ' || f, 'description', 'what flag ' || f || ' is for', 'key', 'flag-' || f, 'variationType', 'string',
        'variations', jsonb_build_array(jsonb_build_object('id', md5('v1' || f)::uuid, 'name', 'control', 'value', 'control'), jsonb_build_object('id', md5('v2' || f)::uuid, 'name', 'blue', 'value', 'blue')),
        'targetUsers', jsonb_build_array(jsonb_build_object('keyIds', jsonb_build_array('vip-1', 'vip-2'), 'variationId', md5('v2' || f)::uuid)),
        'rules', (SELECT jsonb_agg(jsonb_build_object('id', md5(f || 'r' || r)::uuid, 'name', 'rule ' || r, 'dispatchKey', NULL, 'includedInExpt', true,
            'conditions', jsonb_build_array(
                jsonb_build_object('id', md5(f || 'c' || r)::uuid, 'property', 'country', 'op', 'IsOneOf', 'value', jsonb_build_array('c' || r, 'd' || r)::text),
                jsonb_build_object('id', md5(f || 'd' || r)::uuid, 'property', 'age', 'op', 'BiggerThan', 'value', r::text)),
            'variations', jsonb_build_array(jsonb_build_object('id', md5('v1' || f)::uuid, 'rollout', '[0, 0.5]'::jsonb, 'exptRollout', 0.25),
                jsonb_build_object('id', md5('v2' || f)::uuid, 'rollout', '[0.5, 1]'::jsonb, 'exptRollout', 0.25))) ORDER BY r) FROM generate_series(1, 10) AS r),
        'isEnabled', true, 'disabledVariationId', md5('v1' || f)::uuid,
        'fallthrough', jsonb_build_object('dispatchKey', NULL, 'includedInExpt', true, 'variations', jsonb_build_array(jsonb_build_object('id', md5('v1' || f)::uuid, 'rollout', '[0, 1]'::jsonb, 'exptRollout', 1))),
        'exptIncludeAllTargets', true, 'tags', '["a", "b"]'::jsonb, 'updatedAt', '2026-01-02T03:04:05.678Z', 'isArchived', false) ORDER BY f))) AS m
FROM generate_series(1, 3000) AS f;
CREATE SEQUENCE bench.environment;
CREATE TABLE bench.plain (environment text COLLATE "C", key text COLLATE "C", name text, description text, type text, variations jsonb, enabled boolean, off_variation text,
    targets jsonb, rules jsonb, fallthrough jsonb, tags text[], archived boolean, source jsonb, PRIMARY KEY (environment, key));
CREATE VIEW bench.element AS
SELECT f ->> 'key' AS key, f ->> 'name' AS name, f ->> 'description' AS description, f ->> 'variationType' AS type, f -> 'variations' AS variations,
    (f ->> 'isEnabled')::boolean AS enabled, f ->> 'disabledVariationId' AS off_variation, f -> 'targetUsers' AS targets, f -> 'rules' AS rules, f -> 'fallthrough' AS fallthrough,
    ARRAY(SELECT jsonb_array_elements_text(f -> 'tags')) AS tags, (f ->> 'isArchived')::boolean AS archived,
    f - '{key,name,description,variationType,variations,isEnabled,disabledVariationId,targetUsers,rules,fallthrough,tags,isArchived}'::text[] AS source
FROM bench.message, jsonb_array_elements(m #> '{data,featureFlags}') AS f;
CREATE TABLE bench.flag_row AS SELECT * FROM bench.element;
ANALYZE;
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('INSERT … SELECT from the message', $$INSERT INTO bench.plain SELECT 'bench-' || nextval('bench.environment'), e.* FROM (SELECT * FROM bench.element OFFSET 0) AS e$$),
    ('INSERT … SELECT from a table', $$INSERT INTO bench.plain SELECT 'bench-' || nextval('bench.environment'), e.* FROM bench.flag_row AS e$$),
    ('import_featbit', $$SELECT count(*) FROM bench.message, featbit.import_featbit(m, 'bench-' || nextval('bench.environment'))$$),
    ('import_featbit, dry run', $$SELECT count(*) FROM bench.message, featbit.import_featbit(m, 'bench-' || nextval('bench.environment'), dry_run => true)$$),
    ('import_featbit, again', $$SELECT count(*) FROM bench.message, featbit.import_featbit(m, 'bench-again')$$);
CALL bench.run(least(:rounds, 7), 'INSERT … SELECT from the message');
SELECT * FROM bench.report('INSERT … SELECT from the message');
SELECT count(*) = 3000 * count(DISTINCT environment) AS complete FROM featbit.flag WHERE environment LIKE 'bench-%';
