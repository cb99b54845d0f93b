-- access: who may evaluate, record, analyse and manage. Keep this fragment last: it takes the rights of PUBLIC on all that is above.
--
-- * Nothing is PUBLIC's. After CREATE EXTENSION its owner (the role that ran it) and superusers work at once; every other
--   role needs grant_access, or GRANTs by hand. EXECUTE on an evaluating function is the right to evaluate: the functions
--   read the configuration in C, and evaluators need no right on a table.
-- * All functions run with the rights of their caller. The triggers of the configuration tables lock the environment and
--   write the history as the owner, but only for a row that the caller may write.
-- * analyse and manage of one environment are row-level security policies, one per task and environment, made by
--   grant_access and not by this script: pg_dump dumps the policies of an extension's tables but does not know which of them
--   the extension made, so that a restore would make those twice. Policies name roles by reference: they follow
--   a renamed role, go with DROP OWNED, keep DROP ROLE from leaving anything behind, and are dumped like the GRANTs.
-- * The owner passes the policies, also while pg_dump runs. A dump by another role that is limited by them ends in an
--   error and is not partial, as pg_dump sets row_security off.
-- * What is evaluated knows no environment: evaluation cannot be granted for one. A policy, view or trigger that
--   must not follow the setting featbit.environment names its environment in the call.

ALTER TABLE featbit.environment ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.flag ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.segment ENABLE ROW LEVEL SECURITY;
ALTER TABLE featbit.flag_revision ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION featbit.task_functions(task text) RETURNS SETOF regprocedure
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT p.oid::regprocedure
		FROM pg_extension e
		JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
		JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
		WHERE e.extname = 'featbit_pg' AND p.prorettype <> 'trigger'::regtype
			AND p.proname <> ALL (ARRAY['grant_access', 'revoke_access', 'task_functions', 'create_tracking'])
			AND CASE
				WHEN p.provolatile = 'i' THEN task IN ('evaluate', 'record', 'analyse', 'manage')
				WHEN p.proname ~ '^(evaluate_exposure|variation_value|tracking_schema|recording_schema|expose|track)' THEN task = 'record'
				WHEN p.provolatile = 's' AND p.proname ~ '^(evaluate_|resolve|flag_(variation|bool|text|int|number|json)|config_version)' THEN task = 'evaluate'
				WHEN p.provolatile = 's' THEN task IN ('analyse', 'manage')
				ELSE task = 'manage'
				END
		ORDER BY p.oid
	$$;

COMMENT ON FUNCTION featbit.task_functions(text) IS
'internal: the functions that grant_access lets a role execute for a task. What computes without reading (IMMUTABLE) is part of every task; what reads (STABLE) is part of evaluate, or else of analyse and manage; what writes is part of record or manage; grant_access, revoke_access, create_tracking and the trigger functions are the owner''s alone';

CREATE VIEW featbit.access AS
	SELECT a.role, a.task, a.environment
		FROM (
			SELECT DISTINCT x.grantee, 'evaluate' AS task, NULL::text AS environment
				FROM pg_catalog.pg_proc p CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) x
				WHERE p.oid OPERATOR(pg_catalog.=) 'featbit.evaluate_flag(text,text,jsonb,text)'::pg_catalog.regprocedure
					AND x.grantee OPERATOR(pg_catalog.<>) p.proowner
			UNION ALL
			SELECT DISTINCT x.grantee, 'record', t.key::text
				FROM pg_catalog.pg_proc p CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) x
				LEFT JOIN LATERAL (
					SELECT e.key
						FROM featbit.environment e
						JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) e.tracking_schema
						JOIN pg_catalog.pg_class c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid AND c.relname OPERATOR(pg_catalog.=) 'exposure'
						CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) y
						WHERE y.grantee OPERATOR(pg_catalog.=) x.grantee AND y.privilege_type OPERATOR(pg_catalog.=) 'INSERT') t ON true
				WHERE p.oid OPERATOR(pg_catalog.=) 'featbit.expose(text,text,jsonb,text,text)'::pg_catalog.regprocedure
					AND x.grantee OPERATOR(pg_catalog.<>) p.proowner
			UNION ALL
			SELECT r.oid, pg_catalog.split_part(p.polname, ' ', 1),
					pg_catalog.substring(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '''(.*)''')
				FROM pg_catalog.pg_policy p CROSS JOIN LATERAL pg_catalog.unnest(p.polroles) r (oid)
				WHERE p.polrelid OPERATOR(pg_catalog.=) 'featbit.flag'::pg_catalog.regclass
					AND p.polname OPERATOR(pg_catalog.~) '^(analyse|manage) ') g
		CROSS JOIN LATERAL (
			SELECT CASE WHEN g.grantee OPERATOR(pg_catalog.=) 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(g.grantee)::text END AS role, g.task, g.environment) a;

COMMENT ON VIEW featbit.access IS 'which role has been given which task by grant_access, directly and not through membership in another role; the owner and superusers need nothing and are not listed';
COMMENT ON COLUMN featbit.access.role IS 'name of the role; public is every role';
COMMENT ON COLUMN featbit.access.task IS 'evaluate, record, analyse or manage';
COMMENT ON COLUMN featbit.access.environment IS 'environment of the task; NULL is every environment, for record none that has tracking tables';

CREATE FUNCTION featbit.grant_access(role text, task text, environment text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	tasks constant text[] := ARRAY['evaluate', 'record', 'analyse', 'manage'];
	grantee text;
	role_id oid := 0;
	policy text;
	condition text;
	granted boolean;
	target record;
	fact record;
	found_tables boolean := false;
	roles oid[];
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
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'access can be granted only in a transaction with isolation level READ COMMITTED'
			USING ERRCODE = 'active_sql_transaction',
				DETAIL = 'An older snapshot would write roles back into a policy that others have taken out in the meantime.';
	END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('featbit.access', 0));
	granted := NOT EXISTS (SELECT FROM featbit.access a
							WHERE a.role = role AND a.task = task AND a.environment IS NOT DISTINCT FROM environment);

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
		policy := task || ' ' || coalesce(environment, '*');
		IF octet_length(policy) > 63 THEN
			policy := left(policy, 30) || ' ' || md5(environment);
		END IF;
		FOR target IN
			SELECT c.oid, c.relname AS name, c.relkind IN ('r', 'p') AND c.relname NOT IN ('environment', 'flag_revision') AS is_writable
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
			CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = target.oid AND c.relrowsecurity);
			condition := CASE WHEN environment IS NULL THEN 'true'
				ELSE format('%I = %L', CASE target.name WHEN 'environment' THEN 'key' ELSE 'environment' END, environment) END;
			SELECT p.polroles INTO roles FROM pg_policy p WHERE p.polrelid = target.oid AND p.polname = policy;
			IF NOT FOUND THEN
				EXECUTE format('CREATE POLICY %I ON featbit.%I FOR %s TO %s USING (%s)', policy, target.name,
					CASE WHEN task = 'manage' AND target.name <> 'flag_revision' THEN 'ALL' ELSE 'SELECT' END, grantee, condition);
			ELSIF NOT role_id = ANY (roles) THEN
				EXECUTE format('ALTER POLICY %I ON featbit.%I TO %s', policy, target.name,
					(SELECT string_agg(CASE m.oid WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(m.oid)) END, ', ' ORDER BY m.oid)
						FROM unnest(roles || role_id) m (oid)));
			END IF;
		END LOOP;
	END IF;
	RETURN granted;
END
$$;

COMMENT ON FUNCTION featbit.grant_access(text, text, text) IS
'gives a role the rights that a task needs, as plain GRANTs and row-level security policies that pg_dump dumps. Returns false when the role had them before; it may be repeated, and must be after ALTER EXTENSION UPDATE, to give what is new.
role: an existing role, or public. environment: default all, also those to come.
evaluate: EXECUTE on the evaluating functions, for all environments; no table can be read.
record: expose, track and their batch forms, with INSERT on the tracking tables of the environment, and SELECT on the columns of their keys; environments that share a schema share this right. Tracking tables made later need another call.
analyse: SELECT on flags, segments and their history in the environment and on its tracking tables (of those made later by another call), and the functions that report.
manage: the management functions, and SELECT, INSERT, UPDATE and DELETE on flags and segments of the environment, which may not exist yet; the history can be read; of the environment itself only the name can be changed. Other environments can neither be read nor locked nor written.
Errors: unknown role (42704) or task (22023), evaluate with an environment (0A000), record for an environment without tracking tables (55000), caller does not own the extension (42501), isolation level above READ COMMITTED (25001)';

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
	kept text[][];
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
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'access can be revoked only in a transaction with isolation level READ COMMITTED'
			USING ERRCODE = 'active_sql_transaction',
				DETAIL = 'An older snapshot would write roles back into a policy that others have taken out in the meantime.';
	END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('featbit.access', 0));

	IF environment IS NOT NULL AND EXISTS (SELECT FROM featbit.access a WHERE a.role = role AND a.task = task AND a.environment IS NULL)
		AND task <> 'record' THEN
		RAISE EXCEPTION 'role "%" has task "%" for all environments', role, task
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = format('Run SELECT featbit.revoke_access(%L, %L), then grant the environments that it is to keep.', role, task);
	END IF;
	held := EXISTS (SELECT FROM featbit.access a
					WHERE a.role = role AND a.task = task AND (environment IS NULL OR a.environment = environment));
	-- what the role is to keep is given anew at the end: tasks overlap
	SELECT array_agg(ARRAY[a.task, a.environment]) INTO kept
		FROM featbit.access a
		WHERE a.role = role
			AND (a.task <> task
				OR a.environment <> environment
					AND (task <> 'record'
						OR (SELECT e.tracking_schema FROM featbit.environment e WHERE e.key = a.environment)
							IS DISTINCT FROM (SELECT e.tracking_schema FROM featbit.environment e WHERE e.key = environment)));

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
		FOR target IN
			SELECT p.polname AS name, c.relname, (SELECT array_agg(m.oid ORDER BY m.oid) FROM unnest(p.polroles) m (oid) WHERE m.oid <> role_id) AS others
				FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
				WHERE c.relnamespace = 'featbit'::regnamespace AND role_id = ANY (p.polroles)
					AND starts_with(p.polname, task || ' ')
					AND (environment IS NULL OR substring(pg_get_expr(p.polqual, p.polrelid) from '''(.*)''') = environment)
		LOOP
			IF target.others IS NULL THEN
				EXECUTE format('DROP POLICY %I ON featbit.%I', target.name, target.relname);
			ELSE
				EXECUTE format('ALTER POLICY %I ON featbit.%I TO %s', target.name, target.relname,
					(SELECT string_agg(CASE m.oid WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(m.oid)) END, ', ') FROM unnest(target.others) m (oid)));
			END IF;
		END LOOP;
		FOR target IN SELECT c.relname AS name FROM pg_class c
						WHERE c.relnamespace = 'featbit'::regnamespace AND c.relname <> 'access' AND c.relkind IN ('r', 'p', 'v')
		LOOP
			EXECUTE format('REVOKE %s ON featbit.%I FROM %s',
				CASE task WHEN 'manage' THEN 'SELECT, INSERT, UPDATE, DELETE' ELSE 'SELECT' END, target.name, grantee);
		END LOOP;
	END IF;
	FOR i IN 1 .. coalesce(array_length(kept, 1), 0) LOOP
		PERFORM featbit.grant_access(role, kept[i][1], kept[i][2]);
	END LOOP;
	RETURN held;
END
$$;

COMMENT ON FUNCTION featbit.revoke_access(text, text, text) IS
'takes from a role the rights that grant_access gave for a task, and leaves those that its other tasks need. Returns false when it had none.
environment: default all. A role that has the task for all environments cannot lose it for one (55000): revoke it, then grant those that it is to keep. Rights that come from another role, or from GRANTs to public, stay.
Errors: unknown role (42704) or task (22023), caller does not own the extension (42501), isolation level above READ COMMITTED (25001)';

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
