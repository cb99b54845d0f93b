-- The tables of FeatBit that hold what is evaluated, as version 5 has them, in the schema :fb; version 6 adds columns.
CREATE SCHEMA :"fb";
CREATE TABLE :"fb".organizations (id uuid CONSTRAINT pk_organizations PRIMARY KEY, workspace_id uuid NOT NULL, name varchar(128) NOT NULL, key varchar(128) NOT NULL,
	initialized boolean NOT NULL DEFAULT true, license text, default_permissions jsonb, settings jsonb, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE :"fb".projects (id uuid CONSTRAINT pk_projects PRIMARY KEY, organization_id uuid NOT NULL, name varchar(128) NOT NULL, key varchar(128) NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE :"fb".environments (id uuid CONSTRAINT pk_environments PRIMARY KEY, project_id uuid NOT NULL, name varchar(128) NOT NULL, key varchar(128) NOT NULL, description text,
	secrets jsonb NOT NULL DEFAULT '[]', settings jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE :"fb".feature_flags (id uuid CONSTRAINT pk_feature_flags PRIMARY KEY, env_id uuid NOT NULL, revision uuid NOT NULL DEFAULT gen_random_uuid(), name varchar(128) NOT NULL,
	description text, key varchar(128) NOT NULL, variation_type varchar(64) NOT NULL, variations jsonb NOT NULL, target_users jsonb NOT NULL DEFAULT '[]', rules jsonb NOT NULL DEFAULT '[]',
	is_enabled boolean NOT NULL, disabled_variation_id varchar(128), fallthrough jsonb NOT NULL, expt_include_all_targets boolean NOT NULL DEFAULT true, tags text[],
	is_archived boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), creator_id uuid, updator_id uuid);
CREATE INDEX ON :"fb".feature_flags (env_id, updated_at);
CREATE TABLE :"fb".segments (id uuid CONSTRAINT pk_segments PRIMARY KEY, workspace_id uuid, env_id uuid, name varchar(128) NOT NULL, type varchar(64) NOT NULL DEFAULT 'environment-specific',
	scopes text[], description varchar(512), included text[] NOT NULL DEFAULT '{}', excluded text[] NOT NULL DEFAULT '{}', rules jsonb NOT NULL DEFAULT '[]', is_archived boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), tags text[] DEFAULT '{}', key varchar(128) NOT NULL);
CREATE INDEX ON :"fb".segments (workspace_id, updated_at);
