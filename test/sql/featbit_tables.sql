-- import from FeatBit's own tables, of both layouts
\set ECHO none
\set generator `echo "$PG_ABS_SRCDIR/featbit/generator.sql"`
\set tables `echo "$PG_ABS_SRCDIR/featbit/tables.sql"`
\set fb 'fb "tables"'
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i :generator
\i :tables
\set ECHO all
SET TimeZone = 'Asia/Tokyo';
-- an environment of generated flags, as FeatBit would have stored it
CREATE TEMPORARY TABLE message AS SELECT fb_data.environment('tables', 40, 6) AS m;
INSERT INTO :"fb".organizations (id, workspace_id, name, key) VALUES (md5('o')::uuid, md5('w')::uuid, 'acme', 'acme');
INSERT INTO :"fb".projects (id, organization_id, name, key) VALUES (md5('p')::uuid, md5('o')::uuid, 'shop', 'shop');
INSERT INTO :"fb".environments (id, project_id, name, key) VALUES (fb_data.id('environment')::uuid, md5('p')::uuid, 'Production', 'prod'), (md5('dev')::uuid, md5('p')::uuid, 'Development', 'dev');
INSERT INTO :"fb".feature_flags (id, env_id, revision, name, description, key, variation_type, variations, target_users, rules, is_enabled, disabled_variation_id, fallthrough,
    expt_include_all_targets, tags, is_archived, created_at, updated_at)
SELECT (f ->> 'id')::uuid, (f ->> 'envId')::uuid, md5(f ->> 'id')::uuid, f ->> 'name', f ->> 'description', f ->> 'key', f ->> 'variationType', f -> 'variations', f -> 'targetUsers', f -> 'rules',
    (f ->> 'isEnabled')::boolean, f ->> 'disabledVariationId', f -> 'fallthrough', (f ->> 'exptIncludeAllTargets')::boolean, ARRAY(SELECT jsonb_array_elements_text(f -> 'tags')),
    (f ->> 'isArchived')::boolean, '2025-12-01', (f ->> 'updatedAt')::timestamptz
FROM message, jsonb_array_elements(m #> '{data,featureFlags}') AS f;
INSERT INTO :"fb".segments (id, workspace_id, env_id, name, scopes, description, included, excluded, rules, is_archived, updated_at, key)
SELECT (s ->> 'id')::uuid, md5('w')::uuid, (s ->> 'envId')::uuid, s ->> 'name', '{organization/acme:project/shop:env/prod}', s ->> 'description',
    ARRAY(SELECT jsonb_array_elements_text(s -> 'included')), ARRAY(SELECT jsonb_array_elements_text(s -> 'excluded')), s -> 'rules', false, (s ->> 'updatedAt')::timestamptz, replace(s ->> 'name', ' ', '-')
FROM message, jsonb_array_elements(m #> '{data,segments}') AS s;

SELECT featbit.featbit_layout('fb "tables"');
SELECT env_id = fb_data.id('environment')::uuid AS generated, project, environment, name, flags, updated_at FROM featbit.featbit_environments('fb "tables"');
SELECT kind, action, count(*) FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables', dry_run => true) GROUP BY kind, action ORDER BY kind;
SELECT kind, action, count(*) FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables') GROUP BY kind, action ORDER BY kind;
-- again, in another time zone
SET TimeZone = 'America/New_York';
SELECT kind, action, count(*) FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables') GROUP BY kind, action ORDER BY kind;
SELECT DISTINCT s AS "member" FROM featbit.flag, jsonb_object_keys(source) AS s WHERE environment = 'test_tables' ORDER BY s;
SELECT DISTINCT s AS "member" FROM featbit.segment, jsonb_object_keys(source) AS s WHERE environment = 'test_tables' ORDER BY s;
-- the same as through the message, but for members that FeatBit's server does not send
SELECT count(*) AS flags, count(*) FILTER (WHERE a.e IS DISTINCT FROM b.e - '{revision,createdAt,creatorId,updatorId}'::text[]) AS differ
FROM message, jsonb_array_elements(m #> '{data,featureFlags}') AS a (e)
FULL JOIN jsonb_array_elements(featbit.export_featbit('test_tables') #> '{data,featureFlags}') AS b (e) ON a.e ->> 'key' = b.e ->> 'key';
SELECT count(*) AS segments, count(*) FILTER (WHERE a.e IS DISTINCT FROM b.e - '{key,tags,type,scopes,workspaceId,createdAt}'::text[]) AS differ
FROM message, jsonb_array_elements(m #> '{data,segments}') AS a (e)
FULL JOIN jsonb_array_elements(featbit.export_featbit('test_tables') #> '{data,segments}') AS b (e) ON a.e ->> 'id' = b.e ->> 'id';

-- version 6: more columns; what FeatBit's data centres use among themselves stays there
ALTER TABLE :"fb".feature_flags ADD committed_version bigint NOT NULL DEFAULT 0, ADD pending jsonb, ADD insights_enabled boolean NOT NULL DEFAULT true;
ALTER TABLE :"fb".segments ADD committed_version bigint NOT NULL DEFAULT 0, ADD pending jsonb;
SELECT featbit.featbit_layout('fb "tables"');
SELECT kind, action, min(notes) AS notes, count(*) FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables') GROUP BY kind, action ORDER BY kind;
UPDATE :"fb".feature_flags SET committed_version = 7, pending = '{}';
SELECT kind, action, count(*) FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables') GROUP BY kind, action ORDER BY kind;

-- null tags; two rows of one key: the newer counts; a row that goes
INSERT INTO :"fb".feature_flags (id, env_id, name, key, variation_type, variations, is_enabled, fallthrough, tags, updated_at)
SELECT md5(v)::uuid, fb_data.id('environment')::uuid, v, 'twice', 'string', '[]', true, '{}', NULL, v::timestamptz FROM unnest('{2026-01-01,2026-03-01,2026-02-01}'::text[]) AS v;
DELETE FROM :"fb".feature_flags WHERE key = 'flag.1';
SELECT kind, key, action, regexp_replace(problem, '[0-9a-f-]{36}', '…') AS problem, notes FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables', vanished => 'delete') WHERE action NOT IN ('unchanged', 'inserted');
SELECT name, tags, source -> 'tags' AS source FROM featbit.flag WHERE environment = 'test_tables' AND key = 'twice';
SELECT featbit.export_featbit('test_tables') @? '$.data.featureFlags[*] ? (@.key == "twice" && @.tags == null)' AS null_tags;

-- without the tables of the hierarchy there are the environment's own segments
CREATE TEMPORARY TABLE before AS SELECT featbit.export_featbit('test_tables') AS e;
INSERT INTO :"fb".segments (id, workspace_id, env_id, name, type, scopes, key) VALUES (md5('shared')::uuid, md5('w')::uuid, md5('dev')::uuid, 'shared', 'shared', '{organization/acme}', 'shared');
SELECT kind, key = md5('shared')::uuid::text AS shared, action FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables') WHERE action <> 'unchanged';
SELECT source ->> 'envId' = fb_data.id('environment') AS here FROM featbit.segment WHERE environment = 'test_tables' AND name = 'shared';
ALTER TABLE :"fb".organizations RENAME TO org;
SELECT kind, key = md5('shared')::uuid::text AS shared, action FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables', vanished => 'delete') WHERE action <> 'unchanged';
SELECT featbit.export_featbit('test_tables') = e AS same FROM before;
ALTER TABLE :"fb".org RENAME TO organizations;

-- what cannot be read
SELECT * FROM featbit.import_featbit_tables('fb tables', fb_data.id('environment')::uuid);
SELECT * FROM featbit.import_featbit_tables('fb "tables"', NULL);
SELECT * FROM featbit.import_featbit_tables('fb "tables"', md5('no such')::uuid);
SELECT * FROM featbit.import_featbit_tables('pg_catalog', md5('no such')::uuid);
ALTER TABLE :"fb".feature_flags RENAME COLUMN target_users TO targets;
SELECT * FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid);
ALTER TABLE :"fb".feature_flags RENAME COLUMN targets TO target_users;
CREATE DOMAIN fb_data.evil AS text;
ALTER TABLE :"fb".segments ADD trap fb_data.evil;
SELECT * FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid);
ALTER TABLE :"fb".segments DROP trap;
ALTER TABLE :"fb".projects RENAME TO projects_of_old;
CREATE VIEW :"fb".projects AS SELECT * FROM :"fb".projects_of_old;
SELECT * FROM featbit.featbit_environments('fb "tables"');
DROP VIEW :"fb".projects;
ALTER TABLE :"fb".projects_of_old RENAME TO projects;
-- with the rights of the caller
CREATE ROLE regress_featbit_reader;
SELECT featbit.grant_access('regress_featbit_reader', 'manage', 'test_tables');
GRANT USAGE ON SCHEMA :"fb", fb_data TO regress_featbit_reader;
SET SESSION AUTHORIZATION regress_featbit_reader;
SELECT * FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables');
RESET SESSION AUTHORIZATION;
GRANT SELECT ON ALL TABLES IN SCHEMA :"fb" TO regress_featbit_reader;
SET SESSION AUTHORIZATION regress_featbit_reader;
SELECT kind, action, count(*) FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables') WHERE action <> 'skipped' GROUP BY kind, action ORDER BY kind;
SELECT * FROM featbit.import_featbit_tables('fb "tables"', fb_data.id('environment')::uuid, 'test_tables_2');
RESET SESSION AUTHORIZATION;
SELECT featbit.revoke_access('regress_featbit_reader', 'manage', 'test_tables');
DROP OWNED BY regress_featbit_reader;
DROP ROLE regress_featbit_reader;
DROP SCHEMA :"fb" CASCADE;
DROP SCHEMA fb_data CASCADE;
