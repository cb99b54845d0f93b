-- shadow comparison: prove a migration before the switch

CREATE FUNCTION featbit.compared_assignments(flag_key text, assignments regclass, environment text, only_different boolean,
	OUT user_key text, OUT expected text, OUT actual text, OUT agrees boolean, OUT reason text, OUT error_code text, OUT error_message text, OUT metadata jsonb)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	in_environment constant text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	names text[];
	by_value boolean;
	problem text;
BEGIN
	IF flag_key IS NULL OR assignments IS NULL THEN
		RAISE EXCEPTION '% must not be null', CASE WHEN flag_key IS NULL THEN 'flag_key' ELSE 'assignments' END
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT r.error_message INTO problem FROM featbit.resolve(flag_key, '{"targetingKey": ""}', in_environment) r
		WHERE r.error_code IN ('FLAG_NOT_FOUND', 'PROVIDER_NOT_READY');
	IF FOUND THEN
		RAISE EXCEPTION 'flag "%" cannot be compared in environment "%"', flag_key, in_environment
			USING ERRCODE = 'undefined_object', DETAIL = 'Its evaluation says: ' || problem || '.',
				HINT = 'Name a flag that exists and is not archived; its environment is an argument, or the setting featbit.environment.';
	END IF;
	SELECT array_agg(a.attname::text) INTO names
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.oid = assignments AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped;
	IF names IS NULL OR NOT 'user_key' = ANY (names) OR NOT names && ARRAY['variation', 'value'] THEN
		RAISE EXCEPTION 'relation % does not have the columns of assignments', assignments
			USING ERRCODE = 'undefined_column',
				DETAIL = format('It has %s.', coalesce('the columns ' || array_to_string(names, ', '), 'no rows to read')),
				HINT = 'It needs user_key, and variation (key of the expected variation) or value (its value); context (a JSON object of attributes) is optional. A temporary view can rename columns.';
	END IF;
	by_value := NOT 'variation' = ANY (names);
	RETURN QUERY EXECUTE format($compare$
		SELECT a.user_key, a.expected, r.actual, r.agrees, r.reason, r.error_code, r.error_message, r.metadata
			FROM (SELECT t.user_key::text, t.%1$I::text AS expected, %2$s AS context FROM %3$s t) a
			CROSS JOIN LATERAL (
				SELECT s.actual, s.actual IS NOT DISTINCT FROM a.expected, s.reason, s.error_code, s.error_message, s.metadata
					FROM (SELECT %4$s AS actual, r.reason, r.error_code, r.error_message, r.metadata
							FROM featbit.resolve($1, CASE WHEN jsonb_typeof(a.context) = 'object' THEN a.context ELSE '{}' END
								|| jsonb_build_object('targetingKey', a.user_key), $2) r) s
				) r (actual, agrees, reason, error_code, error_message, metadata)
			WHERE NOT $3 OR NOT r.agrees
		$compare$,
		CASE WHEN by_value THEN 'value' ELSE 'variation' END,
		CASE WHEN 'context' = ANY (names) THEN 't.context::jsonb' ELSE '''{}''::jsonb' END,
		assignments,
		CASE WHEN by_value THEN 'featbit.variation_value($1, r.variant, $2)' ELSE 'r.variant' END)
		USING flag_key, in_environment, only_different;
END
$$;

COMMENT ON FUNCTION featbit.compared_assignments(text, regclass, text, boolean) IS
'internal: what compare_assignments and assignment_agreement read: every row of assignments beside what the flag serves now, only those that differ on demand. Errors as compare_assignments.';

CREATE FUNCTION featbit.compare_assignments(flag_key text, assignments regclass, environment text DEFAULT NULL,
	OUT user_key text, OUT expected text, OUT actual text, OUT reason text, OUT error_code text, OUT error_message text, OUT metadata jsonb)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT c.user_key, c.expected, c.actual, c.reason, c.error_code, c.error_message, c.metadata
		FROM featbit.compared_assignments(flag_key, assignments, environment, true) c
	$$;

COMMENT ON FUNCTION featbit.compare_assignments(text, regclass, text) IS
'the users whom a flag would give something else than another system gave them: none is the proof that a migration moves nobody.
assignments: a table or view that the caller may read, with columns user_key and variation (key of the expected variation; NULL: none), or value (its value, as evaluate_flag returns it) in place of variation, and optionally context (JSON object of attributes).
Returns a row for each disagreement: expected and actual variation (or value), and reason, error and metadata of the evaluation, as resolve gives them. assignment_agreement counts.
Errors: unknown or archived flag (42704), columns missing (42703), NULL arguments (22004), a relation that the caller may not read (42501)';

CREATE FUNCTION featbit.assignment_agreement(flag_key text, assignments regclass, environment text DEFAULT NULL,
	OUT compared bigint, OUT agreed bigint, OUT differed bigint, OUT agreement double precision)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT count(*), count(*) FILTER (WHERE c.agrees), count(*) FILTER (WHERE NOT c.agrees),
			count(*) FILTER (WHERE c.agrees)::float8 / nullif(count(*), 0)
		FROM featbit.compared_assignments(flag_key, assignments, environment, false) c
	$$;

COMMENT ON FUNCTION featbit.assignment_agreement(text, regclass, text) IS
'how many assignments of another system were compared with a flag, how many agreed and how many differed, and the share that agreed (0 to 1, NULL for an empty relation). Arguments and errors as compare_assignments.';
