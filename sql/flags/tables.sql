-- configuration tables

CREATE TABLE featbit.environment (
    key text COLLATE "C" PRIMARY KEY,
    name text,
    config_version bigint NOT NULL,
    tracking_schema text COLLATE "C",
    protected boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE featbit.environment IS 'environments; a row is made by the first write into the environment and is locked by every change of its configuration';
COMMENT ON COLUMN featbit.environment.key IS 'name used in the environment argument and in the setting featbit.environment';
COMMENT ON COLUMN featbit.environment.name IS 'name for people';
COMMENT ON COLUMN featbit.environment.config_version IS 'number that grows with every change of the configuration; an INSERT that gives it restores a dumped row (owner only)';
COMMENT ON COLUMN featbit.environment.tracking_schema IS 'schema of the tables exposure, event, llm_call and feedback; set by create_tracking';
COMMENT ON COLUMN featbit.environment.protected IS 'a change needs a comment and the environment cannot be deleted';

CREATE TABLE featbit.flag (
    environment text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    name text,
    description text,
    type text NOT NULL,
    variations jsonb NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    off_variation text COLLATE "C",
    prerequisites jsonb NOT NULL DEFAULT '[]',
    targets jsonb NOT NULL DEFAULT '[]',
    rules jsonb NOT NULL DEFAULT '[]',
    fallthrough jsonb NOT NULL,
    salt text COLLATE "C" NOT NULL,
    semantics text NOT NULL DEFAULT 'native',
    tags text[] NOT NULL DEFAULT '{}',
    archived boolean NOT NULL DEFAULT false,
    source jsonb,
    revision bigint NOT NULL,
    iteration integer NOT NULL DEFAULT 0 CHECK (iteration OPERATOR(pg_catalog.>=) 0),
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (environment, key)
);

COMMENT ON TABLE featbit.flag IS 'feature flags; INSERT, UPDATE and DELETE are validated, versioned and seen by every backend at its next statement';
COMMENT ON COLUMN featbit.flag.environment IS 'environment of the flag; an INSERT without it takes the setting featbit.environment';
COMMENT ON COLUMN featbit.flag.key IS 'name of the flag in code: letters, digits, dot, underscore and hyphen, at most 128 bytes';
COMMENT ON COLUMN featbit.flag.name IS 'name for people';
COMMENT ON COLUMN featbit.flag.description IS 'what the flag is for';
COMMENT ON COLUMN featbit.flag.type IS 'type of every variation value: boolean, string, number or json; an INSERT without it infers it';
COMMENT ON COLUMN featbit.flag.variations IS 'array of {"key", "value", "name"}';
COMMENT ON COLUMN featbit.flag.enabled IS 'false serves off_variation to everyone';
COMMENT ON COLUMN featbit.flag.off_variation IS 'variation served while disabled or while a prerequisite is not met; NULL leaves the value to the code';
COMMENT ON COLUMN featbit.flag.prerequisites IS 'array of {"flag", "variations"}: flags that must serve this user one of the variations';
COMMENT ON COLUMN featbit.flag.targets IS 'array of {"variation", "users"}: users that always get the variation';
COMMENT ON COLUMN featbit.flag.rules IS 'array of {"id", "name", "when", "serve", "percentage", "from", "until"}; the first rule that is met decides';
COMMENT ON COLUMN featbit.flag.fallthrough IS 'what everyone else gets: {"variation"}, {"split", "by", "salt"} or {"ramp", "by", "salt"}; an INSERT without it serves the first variation';
COMMENT ON COLUMN featbit.flag.salt IS 'seed of the bucketing, the key by default; changing it deals the users anew';
COMMENT ON COLUMN featbit.flag.semantics IS 'dialect of the definition: native, or featbit: variations, targets, rules and fallthrough are FeatBit''s own variations, targetUsers, rules and fallthrough, and are evaluated as FeatBit evaluates them';
COMMENT ON COLUMN featbit.flag.tags IS 'labels for finding flags';
COMMENT ON COLUMN featbit.flag.archived IS 'true: evaluation answers FLAG_NOT_FOUND';
COMMENT ON COLUMN featbit.flag.source IS 'of a flag with featbit semantics: its other members as FeatBit has them, such as {"id", "envId", "exptIncludeAllTargets", "updatedAt"}, and the option {"missingAttribute": "empty" | "no_match"}: what a missing attribute is, the empty string (default) or no match for any operator; NULL for native flags';
COMMENT ON COLUMN featbit.flag.revision IS 'number of this version, set by the extension; an UPDATE that sets it must set the value it read; an INSERT that gives it restores a dumped row (owner only)';
COMMENT ON COLUMN featbit.flag.iteration IS 'number of the randomisation; part of the seed when greater than 0';
COMMENT ON COLUMN featbit.flag.updated_at IS 'when this version was written';
COMMENT ON COLUMN featbit.flag.updated_by IS 'session user who wrote this version';

CREATE TABLE featbit.segment (
    environment text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    name text,
    description text,
    included text[] NOT NULL DEFAULT '{}',
    excluded text[] NOT NULL DEFAULT '{}',
    condition jsonb,
    semantics text NOT NULL DEFAULT 'native',
    archived boolean NOT NULL DEFAULT false,
    source jsonb,
    revision bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (environment, key)
);

COMMENT ON TABLE featbit.segment IS 'groups of users that rules refer to; a user belongs to it when not excluded and either included or meeting the condition';
COMMENT ON COLUMN featbit.segment.environment IS 'environment of the segment; an INSERT without it takes the setting featbit.environment';
COMMENT ON COLUMN featbit.segment.key IS 'name used in {"segment": key}';
COMMENT ON COLUMN featbit.segment.name IS 'name for people';
COMMENT ON COLUMN featbit.segment.description IS 'who belongs to it';
COMMENT ON COLUMN featbit.segment.included IS 'user keys that belong to it';
COMMENT ON COLUMN featbit.segment.excluded IS 'user keys that never belong to it; wins over included and condition';
COMMENT ON COLUMN featbit.segment.condition IS 'condition on the attributes of a user; may name other segments, never flags; NULL is met by nobody; with featbit semantics an array of rules';
COMMENT ON COLUMN featbit.segment.semantics IS 'dialect of the condition: native, or featbit: key is FeatBit''s id of the segment and condition its array of rules, which are evaluated as FeatBit evaluates them';
COMMENT ON COLUMN featbit.segment.archived IS 'true: nobody is in the segment, nor counts as outside of it, for rules of featbit flags; only with featbit semantics';
COMMENT ON COLUMN featbit.segment.source IS 'of a segment with featbit semantics: its other members as FeatBit has them, such as {"id", "key", "type", "scopes", "tags", "updatedAt"}, and the option {"missingAttribute"} as in featbit.flag; NULL for native segments';
COMMENT ON COLUMN featbit.segment.revision IS 'number of this version, as in featbit.flag';
COMMENT ON COLUMN featbit.segment.updated_at IS 'when this version was written';
COMMENT ON COLUMN featbit.segment.updated_by IS 'session user who wrote this version';

CREATE TABLE featbit.flag_revision (
    environment text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind OPERATOR(pg_catalog.=) ANY (ARRAY['flag', 'segment'])),
    key text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    change text COLLATE "C" NOT NULL CHECK (change OPERATOR(pg_catalog.=) ANY (ARRAY['insert', 'update', 'delete'])),
    definition jsonb NOT NULL,
    changed text[] NOT NULL,
    comment text,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    transaction_id xid8 NOT NULL,
    PRIMARY KEY (environment, kind, key, revision)
);

COMMENT ON TABLE featbit.flag_revision IS 'every version of every flag and segment, written by the extension in the transaction of the change';
COMMENT ON COLUMN featbit.flag_revision.environment IS 'environment of the flag or segment';
COMMENT ON COLUMN featbit.flag_revision.kind IS 'flag or segment';
COMMENT ON COLUMN featbit.flag_revision.key IS 'key of the flag or segment';
COMMENT ON COLUMN featbit.flag_revision.revision IS 'number of the version; a deletion has a number of its own';
COMMENT ON COLUMN featbit.flag_revision.change IS 'insert, update or delete';
COMMENT ON COLUMN featbit.flag_revision.definition IS 'the whole row after the change, before it for a deletion';
COMMENT ON COLUMN featbit.flag_revision.changed IS 'names of the columns that changed';
COMMENT ON COLUMN featbit.flag_revision.comment IS 'why: the comment argument of the management function or the setting featbit.change_comment';
COMMENT ON COLUMN featbit.flag_revision.changed_at IS 'when';
COMMENT ON COLUMN featbit.flag_revision.changed_by IS 'session user who made the change';
COMMENT ON COLUMN featbit.flag_revision.transaction_id IS 'transaction that made the change';

SELECT pg_catalog.pg_extension_config_dump('featbit.environment', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.flag', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.segment', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.flag_revision', '');

-- triggers: validation, revision and history fire on the origin only; the invalidation fires always, also while logical replication applies a change

CREATE FUNCTION featbit.environment_before_write() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_environment_before_write' LANGUAGE C;
CREATE FUNCTION featbit.flag_before_write() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_flag_before_write' LANGUAGE C;
CREATE FUNCTION featbit.segment_before_write() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_segment_before_write' LANGUAGE C;
CREATE FUNCTION featbit.record_revision() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_record_revision' LANGUAGE C;
CREATE FUNCTION featbit.invalidate_configuration() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_invalidate_configuration' LANGUAGE C;
CREATE FUNCTION featbit.refuse_truncate() RETURNS trigger
    AS 'MODULE_PATHNAME', 'fb_refuse_truncate' LANGUAGE C;

COMMENT ON FUNCTION featbit.environment_before_write() IS 'trigger of featbit.environment: checks the key, counts config_version, refuses to delete an environment in use (23503) or protected (55000)';
COMMENT ON FUNCTION featbit.flag_before_write() IS 'trigger of featbit.flag: locks the environment, validates the row and its references, sets revision and updated_*; errors 22023 (definition), 23503 (reference), 40001 (revision conflict)';
COMMENT ON FUNCTION featbit.segment_before_write() IS 'trigger of featbit.segment: locks the environment, validates the row and its references, sets revision and updated_*; errors 22023 (definition), 23503 (reference), 40001 (revision conflict)';
COMMENT ON FUNCTION featbit.record_revision() IS 'trigger of featbit.flag and featbit.segment: writes the new version into featbit.flag_revision as the owner of the table';
COMMENT ON FUNCTION featbit.invalidate_configuration() IS 'trigger of every configuration table: makes all backends compile the configuration anew; never raises';
COMMENT ON FUNCTION featbit.refuse_truncate() IS 'trigger of every configuration table: refuses TRUNCATE (0A000), which would leave no history';

CREATE TRIGGER environment_before_write BEFORE INSERT OR UPDATE OR DELETE ON featbit.environment
    FOR EACH ROW EXECUTE FUNCTION featbit.environment_before_write();
CREATE TRIGGER flag_before_write BEFORE INSERT OR UPDATE OR DELETE ON featbit.flag
    FOR EACH ROW EXECUTE FUNCTION featbit.flag_before_write();
CREATE TRIGGER segment_before_write BEFORE INSERT OR UPDATE OR DELETE ON featbit.segment
    FOR EACH ROW EXECUTE FUNCTION featbit.segment_before_write();

CREATE TRIGGER record_revision AFTER INSERT OR UPDATE OR DELETE ON featbit.flag
    FOR EACH ROW EXECUTE FUNCTION featbit.record_revision();
CREATE TRIGGER record_revision AFTER INSERT OR UPDATE OR DELETE ON featbit.segment
    FOR EACH ROW EXECUTE FUNCTION featbit.record_revision();

CREATE TRIGGER invalidate_configuration AFTER INSERT OR UPDATE OR DELETE ON featbit.environment
    FOR EACH ROW EXECUTE FUNCTION featbit.invalidate_configuration();
CREATE TRIGGER invalidate_configuration AFTER INSERT OR UPDATE OR DELETE ON featbit.flag
    FOR EACH ROW EXECUTE FUNCTION featbit.invalidate_configuration();
CREATE TRIGGER invalidate_configuration AFTER INSERT OR UPDATE OR DELETE ON featbit.segment
    FOR EACH ROW EXECUTE FUNCTION featbit.invalidate_configuration();
CREATE TRIGGER invalidate_configuration AFTER INSERT OR UPDATE OR DELETE ON featbit.flag_revision
    FOR EACH ROW EXECUTE FUNCTION featbit.invalidate_configuration();
ALTER TABLE featbit.environment ENABLE ALWAYS TRIGGER invalidate_configuration;
ALTER TABLE featbit.flag ENABLE ALWAYS TRIGGER invalidate_configuration;
ALTER TABLE featbit.segment ENABLE ALWAYS TRIGGER invalidate_configuration;
ALTER TABLE featbit.flag_revision ENABLE ALWAYS TRIGGER invalidate_configuration;

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON featbit.environment
    FOR EACH STATEMENT EXECUTE FUNCTION featbit.refuse_truncate();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON featbit.flag
    FOR EACH STATEMENT EXECUTE FUNCTION featbit.refuse_truncate();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON featbit.segment
    FOR EACH STATEMENT EXECUTE FUNCTION featbit.refuse_truncate();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON featbit.flag_revision
    FOR EACH STATEMENT EXECUTE FUNCTION featbit.refuse_truncate();

COMMENT ON TRIGGER environment_before_write ON featbit.environment IS 'checks the key and counts config_version';
COMMENT ON TRIGGER flag_before_write ON featbit.flag IS 'validates the row, locks the environment and sets the revision';
COMMENT ON TRIGGER segment_before_write ON featbit.segment IS 'validates the row, locks the environment and sets the revision';
COMMENT ON TRIGGER record_revision ON featbit.flag IS 'records the version in featbit.flag_revision';
COMMENT ON TRIGGER record_revision ON featbit.segment IS 'records the version in featbit.flag_revision';
COMMENT ON TRIGGER invalidate_configuration ON featbit.environment IS 'makes every backend compile the configuration anew; fires on subscribers too';
COMMENT ON TRIGGER invalidate_configuration ON featbit.flag IS 'makes every backend compile the configuration anew; fires on subscribers too';
COMMENT ON TRIGGER invalidate_configuration ON featbit.segment IS 'makes every backend compile the configuration anew; fires on subscribers too';
COMMENT ON TRIGGER invalidate_configuration ON featbit.flag_revision IS 'makes every backend compile the configuration anew; fires on subscribers too';
COMMENT ON TRIGGER refuse_truncate ON featbit.environment IS 'refuses TRUNCATE, which would leave no history';
COMMENT ON TRIGGER refuse_truncate ON featbit.flag IS 'refuses TRUNCATE, which would leave no history';
COMMENT ON TRIGGER refuse_truncate ON featbit.segment IS 'refuses TRUNCATE, which would leave no history';
COMMENT ON TRIGGER refuse_truncate ON featbit.flag_revision IS 'refuses TRUNCATE, which would leave no history';

