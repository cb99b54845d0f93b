-- access: who may evaluate, record, analyse and manage. Keep this fragment last: it takes the rights of PUBLIC on all that is above.
--
-- * Nothing is PUBLIC's. After CREATE EXTENSION its owner (the role that ran it) and superusers work at once; every other
--   role needs grant_access, or GRANTs by hand. EXECUTE on an evaluating function is the right to evaluate: the functions
--   read the configuration in C, and evaluators need no right on a table.
-- * All functions run with the rights of their caller. The triggers of the configuration tables lock the environment and
--   write the history as the owner, but only for a row that the caller may write.
-- * A task of one environment takes two things: the GRANTs, and the row in featbit.access that the row-level security
--   policies below look for. The row names the role by its number, so that it follows a renamed role and never
--   falls to a new role of an old name; dumps carry it as a name, and pg_upgrade keeps the numbers. A row alone gives nothing:
--   what DROP OWNED takes away stays away.
-- * The owner passes the policies, also while pg_dump runs. A dump by another role that is limited by them ends in an
--   error and is not partial, as pg_dump sets row_security off. Policies of an extension's tables are not dumped: those
--   below come with CREATE EXTENSION, and those that somebody adds are lost.
-- * What is evaluated knows no environment: evaluation cannot be granted for one. A policy, view or trigger that
--   must not follow the setting featbit.environment names its environment in the call.

CREATE TABLE featbit.access (
	role regrole NOT NULL,
	task text COLLATE "C" NOT NULL CHECK (task OPERATOR(pg_catalog.=) ANY (ARRAY['evaluate', 'record', 'analyse', 'manage'])),
	environment text COLLATE "C" NOT NULL,
	PRIMARY KEY (role, task, environment)
);

COMMENT ON TABLE featbit.access IS 'which role has been given which task, written by grant_access and revoke_access; the owner and superusers need nothing and are not listed';
COMMENT ON COLUMN featbit.access.role IS 'the role; - is public, every role';
COMMENT ON COLUMN featbit.access.task IS 'evaluate, record, analyse or manage';
COMMENT ON COLUMN featbit.access.environment IS 'environment of the task, * for all';

-- a dropped role would be dumped as a number, which is another role elsewhere
SELECT pg_catalog.pg_extension_config_dump('featbit.access', 'WHERE role OPERATOR(pg_catalog.=) 0 OR role OPERATOR(pg_catalog.=) ANY (SELECT r.oid FROM pg_catalog.pg_roles r)');

CREATE FUNCTION featbit.has_access(task text, environment text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'fb_has_access' LANGUAGE C STABLE PARALLEL SAFE COST 100;

COMMENT ON FUNCTION featbit.has_access(text, text) IS
'whether the current role, a role that it is a member of, or public has been given the task for the environment or for all; NULL for a NULL argument. The policies of the configuration tables ask it; owner and superusers pass them without';

ALTER TABLE featbit.access ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.environment ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.flag ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.segment ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.flag_revision ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.metric_definition ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.experiment ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.experiment_metric ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.experiment_iteration ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.experiment_epoch ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.heartbeat ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.experiment_verdict ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.follow ENABLE ROW LEVEL SECURITY;

CREATE POLICY "analyse" ON featbit.environment FOR SELECT USING (featbit.has_access('analyse', key));
CREATE POLICY "analyse" ON featbit.flag FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "analyse" ON featbit.segment FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "analyse" ON featbit.flag_revision FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.environment USING (featbit.has_access('manage', key));
CREATE POLICY "manage" ON featbit.flag USING (featbit.has_access('manage', environment));
CREATE POLICY "manage" ON featbit.segment USING (featbit.has_access('manage', environment));
CREATE POLICY "manage" ON featbit.flag_revision FOR SELECT USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.metric_definition FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.metric_definition USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.experiment FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.experiment USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.experiment_metric FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.experiment_metric USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.experiment_iteration FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.experiment_iteration USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.experiment_epoch FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.experiment_epoch USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.retention FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.retention USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.heartbeat FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.heartbeat USING (featbit.has_access('manage', environment));
CREATE POLICY "analyse" ON featbit.experiment_verdict FOR SELECT USING (featbit.has_access('analyse', environment));
CREATE POLICY "manage" ON featbit.experiment_verdict USING (featbit.has_access('manage', environment));
-- written by the owner alone: it names tables that are read with the rights of whoever synchronises
CREATE POLICY "manage" ON featbit.follow FOR SELECT USING (featbit.has_access('manage', environment));

COMMENT ON POLICY "analyse" ON featbit.environment IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.environment IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.flag IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.flag IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.segment IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.segment IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.flag_revision IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.flag_revision IS 'roles with task manage read the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.metric_definition IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.metric_definition IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.experiment IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.experiment IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.experiment_metric IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.experiment_metric IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.experiment_iteration IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.experiment_iteration IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.experiment_epoch IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.experiment_epoch IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.retention IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.retention IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.heartbeat IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.heartbeat IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "analyse" ON featbit.experiment_verdict IS 'roles with task analyse read the environments they were given';
COMMENT ON POLICY "manage" ON featbit.experiment_verdict IS 'roles with task manage read and write the environments they were given';
COMMENT ON POLICY "manage" ON featbit.follow IS 'roles with task manage see what the environments they were given follow';

CREATE FUNCTION featbit.task_functions(task text) RETURNS SETOF regprocedure
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT p.oid::regprocedure
		FROM pg_extension e
		JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
		JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
		WHERE e.extname = 'featbit_pg' AND p.prorettype <> 'trigger'::regtype
			AND p.proname <> ALL (ARRAY['grant_access', 'revoke_access', 'task_functions', 'create_tracking', 'follow_featbit', 'unfollow_featbit', 'sync_featbit', 'sync_follow', 'follow_change', 'drop_follow_triggers'])
			AND CASE
				WHEN p.provolatile = 'i' THEN task IN ('evaluate', 'record', 'analyse', 'manage')
				WHEN p.proname = 'variation_value' THEN task IN ('evaluate', 'record')
				WHEN p.proname ~ '^(evaluate_exposure|tracking_schema|recording_schema|expose|track)' THEN task = 'record'
				-- experiments replay what was served: who may read the history may do so
				WHEN p.proname = 'resolve_at' THEN task IN ('evaluate', 'analyse', 'manage')
				WHEN p.provolatile = 's' AND p.proname ~ '^(evaluate_|resolve|compare_assignments|compared_assignments|assignment_agreement|flag_(variation|bool|text|int|number|json)|config_version)' THEN task = 'evaluate'
				WHEN p.provolatile = 's' THEN task IN ('analyse', 'manage')
				ELSE task = 'manage'
				END
		ORDER BY p.oid
	$$;

COMMENT ON FUNCTION featbit.task_functions(text) IS
'internal: the functions that grant_access lets a role execute for a task. What computes without reading (IMMUTABLE) is part of every task; what reads (STABLE) is part of evaluate, or else of analyse and manage; what writes is part of record or manage; grant_access, revoke_access, create_tracking, following FeatBit and the trigger functions are the owner''s alone';

CREATE FUNCTION featbit.grant_access(role text, task text, environment text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	tasks constant text[] := ARRAY['evaluate', 'record', 'analyse', 'manage'];
	grantee text;
	role_id oid := 0;
	granted boolean;
	target record;
	fact record;
	found_tables boolean := false;
BEGIN
	IF role IS NULL OR task IS NULL THEN
		RAISE EXCEPTION 'grant_access needs a role and a task' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF task <> ALL (tasks) THEN
		RAISE EXCEPTION 'unknown task "%"', task
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'Tasks are evaluate, record, analyse and manage.',
				HINT = coalesce('Did you mean "' || featbit.nearest_name(task, tasks) || '"?', 'Name one of them.');
	END IF;
	IF role = 'public' THEN
		grantee := 'PUBLIC';
	ELSE
		SELECT r.oid, format('%I', r.rolname) INTO role_id, grantee FROM pg_roles r WHERE r.rolname = role;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'role "%" does not exist', role
				USING ERRCODE = 'undefined_object',
					HINT = 'Make it with CREATE ROLE: the extension makes no roles.';
		END IF;
	END IF;
	IF NOT pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = 'featbit.flag'::regclass), 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of extension featbit_pg to grant access'
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF environment IS NOT NULL THEN
		IF task = 'evaluate' THEN
			RAISE EXCEPTION 'evaluation cannot be granted for one environment'
				USING ERRCODE = 'feature_not_supported',
					DETAIL = 'The right to evaluate is EXECUTE on the functions, which answer for every environment.',
					HINT = 'Leave the environment out, or keep environments that must not see each other in databases of their own.';
		END IF;
		IF environment !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' OR octet_length(environment) > 128 THEN
			RAISE EXCEPTION 'invalid environment key "%"', environment
				USING ERRCODE = 'invalid_parameter_value',
					DETAIL = 'A key has 1 to 128 letters, digits, dots, underscores and hyphens and starts with a letter or digit.';
		END IF;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('featbit.access', 0));
	-- rows of dropped roles, and of this one when DROP OWNED has taken its grants away
	DELETE FROM featbit.access a
		WHERE a.role <> 0 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = a.role)
			OR a.role = role_id AND NOT EXISTS (SELECT FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
												WHERE n.nspname = 'featbit' AND x.grantee = role_id AND x.privilege_type = 'USAGE');
	INSERT INTO featbit.access (role, task, environment) VALUES (role_id, task, coalesce(environment, '*')) ON CONFLICT DO NOTHING;
	granted := FOUND;

	EXECUTE format('GRANT USAGE ON SCHEMA featbit TO %s', grantee);
	EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', (SELECT string_agg(f::text, ', ') FROM featbit.task_functions(task) f), grantee);

	IF task IN ('record', 'analyse') THEN
		FOR target IN SELECT DISTINCT e.tracking_schema AS schema FROM featbit.environment e
						WHERE to_regnamespace(quote_ident(e.tracking_schema)) IS NOT NULL AND (environment IS NULL OR e.key = environment) ORDER BY 1
		LOOP
			EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', target.schema, grantee);
			FOR fact IN SELECT t.name, t.key
						FROM (VALUES ('exposure', 'environment, flag_key, iteration, user_key, variation'), ('event', 'environment, user_key, idempotency_key, occurred_at'),
								('llm_call', 'environment, user_key, call_id, called_at'), ('feedback', 'environment, user_key, call_id, kind, given_at'),
								('llm_metric', NULL)) t (name, key)
						WHERE to_regclass(format('%I.%I', target.schema, t.name)) IS NOT NULL AND (t.key IS NOT NULL OR task = 'analyse')
			LOOP
				-- reading the columns of the key is what ON CONFLICT asks of who records
				EXECUTE format('GRANT %s ON %I.%I TO %s', CASE task WHEN 'analyse' THEN 'SELECT' ELSE format('INSERT, SELECT (%s)', fact.key) END,
					target.schema, fact.name, grantee);
				found_tables := true;
			END LOOP;
		END LOOP;
		IF NOT found_tables AND task = 'record' AND environment IS NOT NULL THEN
			RAISE EXCEPTION 'environment "%" has no tracking tables', environment
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = format('Run SELECT featbit.create_tracking(''tracking'', %L) first, with any schema name you like.', environment);
		END IF;
	END IF;

	IF task IN ('analyse', 'manage') THEN
		FOR target IN
			SELECT c.relname AS name, c.relkind IN ('r', 'p') AND c.relname NOT IN ('environment', 'flag_revision', 'follow') AS is_writable
				FROM pg_class c
				WHERE c.relnamespace = 'featbit'::regnamespace AND c.relname <> 'access'
					AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
					AND (c.relkind IN ('r', 'p') AND c.relrowsecurity
						-- a view that runs as its owner sees every environment
						OR c.relkind = 'v' AND (environment IS NULL OR 'security_invoker=true' = ANY (c.reloptions)))
				ORDER BY c.relname
		LOOP
			EXECUTE format('GRANT SELECT ON featbit.%I TO %s', target.name, grantee);
			IF task = 'manage' AND target.is_writable THEN
				EXECUTE format('GRANT INSERT, UPDATE, DELETE ON featbit.%I TO %s', target.name, grantee);
			ELSIF task = 'manage' AND target.name = 'environment' THEN
				-- not tracking_schema, into which others write with their own rights, and not protected, which keeps no history
				EXECUTE format('GRANT UPDATE (name) ON featbit.environment TO %s', grantee);
			END IF;
		END LOOP;
	END IF;
	RETURN granted;
END
$$;

COMMENT ON FUNCTION featbit.grant_access(text, text, text) IS
'gives a role the rights that a task needs, as plain GRANTs and a row of featbit.access, both of which pg_dump dumps. Returns false when the role had them before; it may be repeated, and must be after ALTER EXTENSION UPDATE, to give what is new.
role: an existing role, or public. environment: default all, also those to come.
evaluate: EXECUTE on the evaluating functions, for all environments; no table can be read.
record: expose, track and their batch forms, with INSERT on the tracking tables of the environment, and SELECT on the columns of their keys; environments that share a schema share this right. create_tracking gives it on tables made later.
analyse: SELECT on flags, segments, their history, metrics and experiments in the environment and on its tracking tables, and the functions that report; other sources of metrics need GRANTs of their own.
manage: the management functions, and SELECT, INSERT, UPDATE and DELETE on flags, segments, metrics and experiments of the environment, which may not exist yet; the history can be read; of the environment itself only the name can be changed. Other environments can neither be read nor locked nor written.
Errors: unknown role (42704) or task (22023), evaluate with an environment (0A000), record for an environment without tracking tables (55000), caller does not own the extension (42501)';

CREATE FUNCTION featbit.revoke_access(role text, task text, environment text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	tasks constant text[] := ARRAY['evaluate', 'record', 'analyse', 'manage'];
	grantee text;
	role_id oid := 0;
	target record;
	fact record;
	held boolean;
BEGIN
	IF role IS NULL OR task IS NULL THEN
		RAISE EXCEPTION 'revoke_access needs a role and a task' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF task <> ALL (tasks) THEN
		RAISE EXCEPTION 'unknown task "%"', task
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'Tasks are evaluate, record, analyse and manage.',
				HINT = coalesce('Did you mean "' || featbit.nearest_name(task, tasks) || '"?', 'Name one of them.');
	END IF;
	IF role = 'public' THEN
		grantee := 'PUBLIC';
	ELSE
		SELECT r.oid, format('%I', r.rolname) INTO role_id, grantee FROM pg_roles r WHERE r.rolname = role;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
		END IF;
	END IF;
	IF NOT pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = 'featbit.flag'::regclass), 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of extension featbit_pg to revoke access'
			USING ERRCODE = 'insufficient_privilege';
	END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('featbit.access', 0));

	IF environment IS NOT NULL AND EXISTS (SELECT FROM featbit.access a WHERE a.role = role_id AND a.task = task AND a.environment = '*') THEN
		RAISE EXCEPTION 'role "%" has task "%" for all environments', role, task
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = format('Run SELECT featbit.revoke_access(%L, %L), then grant the environments that it is to keep.', role, task);
	END IF;
	DELETE FROM featbit.access a WHERE a.role = role_id AND a.task = task AND (environment IS NULL OR a.environment = environment);
	held := FOUND;

	EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM %s', (SELECT string_agg(f::text, ', ') FROM featbit.task_functions(task) f), grantee);
	EXECUTE format('REVOKE USAGE ON SCHEMA featbit FROM %s', grantee);
	IF task IN ('record', 'analyse') THEN
		FOR target IN SELECT DISTINCT e.tracking_schema AS schema FROM featbit.environment e
						WHERE to_regnamespace(quote_ident(e.tracking_schema)) IS NOT NULL AND (environment IS NULL OR e.key = environment) ORDER BY 1
		LOOP
			FOR fact IN SELECT t.name FROM unnest(ARRAY['exposure', 'event', 'llm_call', 'feedback', 'llm_metric']) t (name)
						WHERE to_regclass(format('%I.%I', target.schema, t.name)) IS NOT NULL
			LOOP
				EXECUTE format('REVOKE %s ON %I.%I FROM %s', CASE task WHEN 'record' THEN 'INSERT, SELECT' ELSE 'SELECT' END, target.schema, fact.name, grantee);
			END LOOP;
			EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM %s', target.schema, grantee);
		END LOOP;
	END IF;
	IF task IN ('analyse', 'manage') THEN
		FOR target IN SELECT c.relname AS name FROM pg_class c
						WHERE c.relnamespace = 'featbit'::regnamespace AND c.relname <> 'access' AND c.relkind IN ('r', 'p', 'v')
		LOOP
			EXECUTE format('REVOKE %s ON featbit.%I FROM %s',
				CASE task WHEN 'manage' THEN 'SELECT, INSERT, UPDATE, DELETE' ELSE 'SELECT' END, target.name, grantee);
		END LOOP;
	END IF;
	-- tasks overlap: what the role is to keep is given anew
	IF EXISTS (SELECT FROM featbit.access a WHERE a.role = role_id) THEN
		EXECUTE format('GRANT USAGE ON SCHEMA featbit TO %s', grantee);
	END IF;
	PERFORM featbit.grant_access(role, a.task, nullif(a.environment, '*'))
		FROM featbit.access a WHERE a.role = role_id;
	RETURN held;
END
$$;

COMMENT ON FUNCTION featbit.revoke_access(text, text, text) IS
'takes from a role the rights that grant_access gave for a task, and leaves those that its other tasks need. Returns false when it had none.
environment: default all. A role that has the task for all environments cannot lose it for one (55000): revoke it, then grant those that it is to keep. Rights that come from another role, or from GRANTs to public, stay.
Errors: unknown role (42704) or task (22023), caller does not own the extension (42501)';

-- A view runs as its owner unless told otherwise, and the owner passes the policies. PostgreSQL 14 knows no other way: there grant_access
-- gives the views only to roles that may see every environment.
DO $$
DECLARE
	target record;
BEGIN
	IF pg_catalog.current_setting('server_version_num')::integer OPERATOR(pg_catalog.>=) 150000 THEN
		FOR target IN SELECT c.relname FROM pg_catalog.pg_class c
						WHERE c.relnamespace OPERATOR(pg_catalog.=) 'featbit'::pg_catalog.regnamespace AND c.relkind OPERATOR(pg_catalog.=) 'v'
		LOOP
			EXECUTE pg_catalog.format('ALTER VIEW featbit.%I SET (security_invoker = true)', target.relname);
		END LOOP;
	END IF;
END
$$;

REVOKE ALL ON SCHEMA featbit FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA featbit FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA featbit FROM PUBLIC;
