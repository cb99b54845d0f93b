-- facts: tables in the user's schema, and the functions that record into them

CREATE FUNCTION featbit.create_tracking(schema text, environment text DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	recorded text;
	problem text;
	foreign_table record;
BEGIN
	IF schema IS NULL OR schema = '' THEN
		RAISE EXCEPTION 'tracking needs the name of a schema'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'For example: SELECT featbit.create_tracking(''tracking'').';
	END IF;
	IF octet_length(schema) > 63 THEN
		RAISE EXCEPTION 'schema name "%" is longer than 63 bytes', schema
			USING ERRCODE = 'name_too_long',
				HINT = 'Choose a shorter name for the schema.';
	END IF;
	IF schema = 'featbit' OR schema = 'information_schema' OR starts_with(schema, 'pg_') THEN
		RAISE EXCEPTION 'schema "%" cannot hold the tracking tables', schema
			USING ERRCODE = 'invalid_schema_name',
				DETAIL = 'The facts belong to you and outlive the extension, so they are kept in a schema of yours.',
				HINT = 'Name another schema; it is created when it is missing.';
	END IF;

	-- the row lock makes concurrent calls for one environment wait for each other, the advisory lock those for one schema
	IF NOT EXISTS (SELECT FROM featbit.environment e WHERE e.key = env) THEN
		INSERT INTO featbit.environment (key) VALUES (env) ON CONFLICT DO NOTHING;
	END IF;
	SELECT e.tracking_schema INTO recorded FROM featbit.environment e WHERE e.key = env FOR NO KEY UPDATE;
	IF recorded <> schema THEN
		RAISE EXCEPTION 'environment "%" already tracks into schema "%"', env, recorded
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'An environment has exactly one tracking schema.',
				HINT = format('Use schema %I, or give another environment. To start afresh, first run UPDATE featbit.environment SET tracking_schema = NULL WHERE key = %L; the old tables stay as they are.', recorded, env);
	END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('featbit.create_tracking ' || schema, 0));

	IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema) THEN
		EXECUTE format('CREATE SCHEMA %I', schema);
		EXECUTE format('COMMENT ON SCHEMA %I IS %L', schema, 'facts recorded by featbit_pg: exposures, events, LLM calls and feedback');
	END IF;

	-- what lies there may have triggers of its owner, which run with the rights of everyone who records
	IF NOT EXISTS (SELECT FROM featbit.environment e WHERE e.tracking_schema = schema) THEN
		SELECT c.oid::regclass AS name, pg_get_userbyid(c.relowner) AS owner INTO foreign_table
			FROM pg_class c
			WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = schema)
				AND c.relname IN ('exposure', 'event', 'llm_call', 'feedback', 'llm_metric')
				AND pg_get_userbyid(c.relowner) <> current_user
				AND c.relowner <> (SELECT f.relowner FROM pg_class f WHERE f.oid = 'featbit.flag'::regclass)
				AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.relowner AND r.rolsuper)
			ORDER BY c.relname LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'table % belongs to role "%"', foreign_table.name, foreign_table.owner
				USING ERRCODE = 'insufficient_privilege',
					DETAIL = 'Its owner can have a trigger run with the rights of everyone who records into it.',
					HINT = format('Name another schema, or, if you trust what is there, first ALTER TABLE %s OWNER TO %I.', foreign_table.name, current_user);
		END IF;
	END IF;

	IF to_regclass(format('%I.exposure', schema)) IS NULL THEN
		EXECUTE format($ddl$
			CREATE TABLE %1$I.exposure (
				environment text COLLATE "C" NOT NULL,
				flag_key text COLLATE "C" NOT NULL,
				iteration integer NOT NULL,
				user_key text COLLATE "C" NOT NULL,
				variation text COLLATE "C" NOT NULL,
				exposed_at timestamptz NOT NULL,
				revision bigint NOT NULL,
				reason text COLLATE "C" NOT NULL,
				rule_id text COLLATE "C",
				unit_key text COLLATE "C",
				randomised boolean NOT NULL,
				PRIMARY KEY (environment, flag_key, iteration, user_key, variation)
			);
			COMMENT ON TABLE %1$I.exposure IS 'which user has seen which variation of a flag, first time only; written by featbit.expose';
			COMMENT ON COLUMN %1$I.exposure.environment IS 'environment of the flag';
			COMMENT ON COLUMN %1$I.exposure.flag_key IS 'key of the flag';
			COMMENT ON COLUMN %1$I.exposure.iteration IS 'iteration of the flag; a new one re-randomises';
			COMMENT ON COLUMN %1$I.exposure.user_key IS 'who saw the variation';
			COMMENT ON COLUMN %1$I.exposure.variation IS 'key of the variation that was served';
			COMMENT ON COLUMN %1$I.exposure.exposed_at IS 'first time in this iteration that the user saw this variation';
			COMMENT ON COLUMN %1$I.exposure.revision IS 'revision of the flag that decided, see featbit.flag_revision';
			COMMENT ON COLUMN %1$I.exposure.reason IS 'why: SPLIT, TARGETING_MATCH, DEFAULT, STATIC, DISABLED, PREREQUISITE_FAILED or OVERRIDDEN';
			COMMENT ON COLUMN %1$I.exposure.rule_id IS 'rule that decided; NULL when no rule did';
			COMMENT ON COLUMN %1$I.exposure.unit_key IS 'value that was hashed: the user key, or the attribute that the split goes by; the user key where nothing was hashed';
			COMMENT ON COLUMN %1$I.exposure.randomised IS 'whether a split with at least two positive weights chose the variation; only these exposures are evidence'
			$ddl$, schema);
	END IF;

	IF to_regclass(format('%I.event', schema)) IS NULL THEN
		EXECUTE format($ddl$
			CREATE TABLE %1$I.event (
				environment text COLLATE "C" NOT NULL,
				user_key text COLLATE "C" NOT NULL,
				event_name text COLLATE "C" NOT NULL,
				value double precision CHECK (value BETWEEN -1e100 AND 1e100),
				attributes jsonb NOT NULL DEFAULT '{}',
				occurred_at timestamptz NOT NULL,
				idempotency_key text COLLATE "C"
			);
			CREATE UNIQUE INDEX ON %1$I.event (environment, user_key, idempotency_key, occurred_at);
			CREATE INDEX ON %1$I.event (environment, event_name, occurred_at) INCLUDE (user_key, value);
			COMMENT ON TABLE %1$I.event IS 'what users did; written by featbit.track';
			COMMENT ON COLUMN %1$I.event.environment IS 'environment in which it happened';
			COMMENT ON COLUMN %1$I.event.user_key IS 'who did it';
			COMMENT ON COLUMN %1$I.event.event_name IS 'what happened, for example purchase';
			COMMENT ON COLUMN %1$I.event.value IS 'its measure (amount, duration, score …), a finite number; NULL for a plain conversion';
			COMMENT ON COLUMN %1$I.event.attributes IS 'anything else about it';
			COMMENT ON COLUMN %1$I.event.occurred_at IS 'when it happened';
			COMMENT ON COLUMN %1$I.event.idempotency_key IS 'key of the sender that makes a repeated delivery harmless; NULL when none was given'
			$ddl$, schema);
	END IF;

	IF to_regclass(format('%I.llm_call', schema)) IS NULL THEN
		EXECUTE format($ddl$
			CREATE TABLE %1$I.llm_call (
				environment text COLLATE "C" NOT NULL,
				user_key text COLLATE "C" NOT NULL,
				call_id text COLLATE "C" NOT NULL,
				flag_key text COLLATE "C",
				variation text COLLATE "C",
				model text,
				latency_ms double precision CHECK (latency_ms >= 0 AND latency_ms < 'Infinity'),
				first_token_ms double precision CHECK (first_token_ms >= 0 AND first_token_ms < 'Infinity'),
				input_tokens bigint CHECK (input_tokens >= 0),
				output_tokens bigint CHECK (output_tokens >= 0),
				cost numeric CHECK (cost >= 0 AND cost <> 'NaN' AND cost < 1e15),
				error text,
				attributes jsonb NOT NULL DEFAULT '{}',
				called_at timestamptz NOT NULL,
				PRIMARY KEY (environment, user_key, call_id, called_at)
			);
			CREATE INDEX ON %1$I.llm_call (environment, called_at);
			CREATE INDEX ON %1$I.llm_call (call_id);
			COMMENT ON TABLE %1$I.llm_call IS 'one call of a language model in production';
			COMMENT ON COLUMN %1$I.llm_call.environment IS 'environment in which the call was made';
			COMMENT ON COLUMN %1$I.llm_call.user_key IS 'user for whom the call was made';
			COMMENT ON COLUMN %1$I.llm_call.call_id IS 'identity of the call, given by the application';
			COMMENT ON COLUMN %1$I.llm_call.flag_key IS 'flag that chose prompt or model; NULL when none did';
			COMMENT ON COLUMN %1$I.llm_call.variation IS 'variation of that flag that was served';
			COMMENT ON COLUMN %1$I.llm_call.model IS 'name of the model';
			COMMENT ON COLUMN %1$I.llm_call.latency_ms IS 'milliseconds until the answer was complete';
			COMMENT ON COLUMN %1$I.llm_call.first_token_ms IS 'milliseconds until the first token of the answer';
			COMMENT ON COLUMN %1$I.llm_call.input_tokens IS 'tokens sent';
			COMMENT ON COLUMN %1$I.llm_call.output_tokens IS 'tokens received';
			COMMENT ON COLUMN %1$I.llm_call.cost IS 'price of the call, in the currency you keep books in';
			COMMENT ON COLUMN %1$I.llm_call.error IS 'what went wrong; NULL for a call that succeeded';
			COMMENT ON COLUMN %1$I.llm_call.attributes IS 'anything else about the call';
			COMMENT ON COLUMN %1$I.llm_call.called_at IS 'when the call was made'
			$ddl$, schema);
	END IF;

	IF to_regclass(format('%I.feedback', schema)) IS NULL THEN
		EXECUTE format($ddl$
			CREATE TABLE %1$I.feedback (
				environment text COLLATE "C" NOT NULL,
				user_key text COLLATE "C" NOT NULL,
				call_id text COLLATE "C" NOT NULL,
				kind text COLLATE "C" NOT NULL,
				score double precision CHECK (score BETWEEN -1e100 AND 1e100),
				comment text,
				given_at timestamptz NOT NULL,
				PRIMARY KEY (environment, user_key, call_id, kind, given_at)
			);
			CREATE INDEX ON %1$I.feedback (environment, kind, given_at);
			COMMENT ON TABLE %1$I.feedback IS 'judgement of one call of a language model, by its user, a reviewer or a model';
			COMMENT ON COLUMN %1$I.feedback.environment IS 'environment of the call';
			COMMENT ON COLUMN %1$I.feedback.user_key IS 'user for whom the call was made';
			COMMENT ON COLUMN %1$I.feedback.call_id IS 'the call, see llm_call.call_id; it may be recorded later than its feedback';
			COMMENT ON COLUMN %1$I.feedback.kind IS 'what is judged, for example thumbs or helpfulness';
			COMMENT ON COLUMN %1$I.feedback.score IS 'the judgement as a finite number; NULL for a comment alone';
			COMMENT ON COLUMN %1$I.feedback.comment IS 'free text';
			COMMENT ON COLUMN %1$I.feedback.given_at IS 'when it was given'
			$ddl$, schema);
	END IF;

	-- everything below relies on these columns and keys, also where the tables were there before
	SELECT string_agg(format('%s.%s %s', w.tab, w.col, w.type), ', ' ORDER BY w.tab, w.col) INTO problem
		FROM (VALUES
			('exposure', 'environment', 'text'), ('exposure', 'flag_key', 'text'), ('exposure', 'iteration', 'integer'),
			('exposure', 'user_key', 'text'), ('exposure', 'variation', 'text'), ('exposure', 'exposed_at', 'timestamp with time zone'),
			('exposure', 'revision', 'bigint'), ('exposure', 'reason', 'text'), ('exposure', 'rule_id', 'text'),
			('exposure', 'unit_key', 'text'), ('exposure', 'randomised', 'boolean'),
			('event', 'environment', 'text'), ('event', 'user_key', 'text'), ('event', 'event_name', 'text'),
			('event', 'value', 'double precision'), ('event', 'attributes', 'jsonb'), ('event', 'occurred_at', 'timestamp with time zone'),
			('event', 'idempotency_key', 'text'),
			('llm_call', 'environment', 'text'), ('llm_call', 'user_key', 'text'), ('llm_call', 'call_id', 'text'),
			('llm_call', 'flag_key', 'text'), ('llm_call', 'variation', 'text'), ('llm_call', 'model', 'text'),
			('llm_call', 'latency_ms', 'double precision'), ('llm_call', 'first_token_ms', 'double precision'),
			('llm_call', 'input_tokens', 'bigint'), ('llm_call', 'output_tokens', 'bigint'), ('llm_call', 'cost', 'numeric'),
			('llm_call', 'error', 'text'), ('llm_call', 'attributes', 'jsonb'), ('llm_call', 'called_at', 'timestamp with time zone'),
			('feedback', 'environment', 'text'), ('feedback', 'user_key', 'text'), ('feedback', 'call_id', 'text'),
			('feedback', 'kind', 'text'), ('feedback', 'score', 'double precision'), ('feedback', 'comment', 'text'),
			('feedback', 'given_at', 'timestamp with time zone')) w (tab, col, type)
		WHERE NOT EXISTS (SELECT FROM pg_attribute a
							WHERE a.attrelid = to_regclass(format('%I.%I', schema, w.tab)) AND a.attname = w.col
								AND NOT a.attisdropped AND format_type(a.atttypid, NULL) = w.type);
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'schema "%" already holds other tables of the names needed for tracking', schema
			USING ERRCODE = 'duplicate_table',
				DETAIL = 'Missing columns: ' || problem || '.',
				HINT = 'Name another schema; it is created when it is missing.';
	END IF;
	SELECT string_agg(format('%s (%s)', w.tab, array_to_string(w.cols, ', ')), '; ' ORDER BY w.tab) INTO problem
		FROM (VALUES
			('exposure', ARRAY['environment', 'flag_key', 'iteration', 'user_key', 'variation']),
			('event', ARRAY['environment', 'user_key', 'idempotency_key', 'occurred_at'])) w (tab, cols)
		WHERE NOT EXISTS (SELECT FROM pg_index i
							WHERE i.indrelid = to_regclass(format('%I.%I', schema, w.tab)) AND i.indisunique AND i.indisvalid
								AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
								AND (SELECT array_agg(a.attname::text ORDER BY a.attname)
										FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
										JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
										WHERE k.n <= i.indnkeyatts)
									= (SELECT array_agg(c ORDER BY c COLLATE "C") FROM unnest(w.cols) c));
	IF problem IS NOT NULL THEN
		RAISE EXCEPTION 'tables in schema "%" lack the unique keys that tracking needs', schema
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = 'Missing: ' || problem || '.',
				HINT = 'Create these unique indexes, or name another schema.';
	END IF;

	IF to_regclass(format('%I.llm_metric', schema)) IS NULL THEN
		EXECUTE format($ddl$
			CREATE VIEW %1$I.llm_metric AS
				SELECT c.environment, c.user_key, m.event_name COLLATE "C" AS event_name, m.value, c.called_at AS occurred_at, c.call_id
					FROM %1$I.llm_call c
					CROSS JOIN LATERAL (VALUES
						('llm_call', 1::double precision),
						('llm_latency_ms', c.latency_ms),
						('llm_first_token_ms', c.first_token_ms),
						('llm_input_tokens', c.input_tokens::double precision),
						('llm_output_tokens', c.output_tokens::double precision),
						('llm_cost', c.cost::double precision),
						('llm_error', (c.error IS NOT NULL)::integer::double precision)) m (event_name, value)
					WHERE m.value IS NOT NULL
				UNION ALL
				SELECT f.environment, f.user_key, ('feedback_' || f.kind) COLLATE "C", f.score, f.given_at, f.call_id
					FROM %1$I.feedback f
					WHERE f.score IS NOT NULL;
			COMMENT ON VIEW %1$I.llm_metric IS 'calls and feedback in the shape of events, one row per measure: llm_call (1 per call), llm_latency_ms, llm_first_token_ms, llm_input_tokens, llm_output_tokens, llm_cost, llm_error (1 or 0), and feedback_ followed by its kind';
			COMMENT ON COLUMN %1$I.llm_metric.environment IS 'environment of the call';
			COMMENT ON COLUMN %1$I.llm_metric.user_key IS 'user for whom the call was made';
			COMMENT ON COLUMN %1$I.llm_metric.event_name IS 'name of the measure';
			COMMENT ON COLUMN %1$I.llm_metric.value IS 'its value';
			COMMENT ON COLUMN %1$I.llm_metric.occurred_at IS 'when the call was made or the feedback given';
			COMMENT ON COLUMN %1$I.llm_metric.call_id IS 'the call'
			$ddl$, schema);
	END IF;

	IF recorded IS NULL THEN
		UPDATE featbit.environment e SET tracking_schema = schema WHERE e.key = env;
	END IF;
	PERFORM featbit.grant_access(coalesce(r.rolname::text, 'public'), a.task, nullif(a.environment, '*'))
		FROM featbit.access a LEFT JOIN pg_roles r ON r.oid = a.role
		WHERE a.task IN ('record', 'analyse') AND a.environment IN ('*', env) AND (a.role = 0 OR r.oid IS NOT NULL);
	RETURN schema;
END
$$;

COMMENT ON FUNCTION featbit.create_tracking(text, text) IS
'makes the tables exposure, event, llm_call and feedback and the view llm_metric in a schema of yours (created when missing), and has the environment (default: setting featbit.environment; its row is made when missing) record into it; returns the schema''s name.
Roles that were given access to record or analyse there get it on the new tables.
What exists already is kept, so that it can be repeated, shared by environments and called over partitioned tables made beforehand (exposure by hash of user_key, the others by range of time). The tables use nothing of the extension: DROP EXTENSION leaves them.
Errors: tables in the way that belong to another role (42501), the environment already tracks into another schema (55000), tables of other shape in the way (42P07), their unique keys missing (55000), a schema name of the system or of the extension (3F000)';

CREATE FUNCTION featbit.expose(user_key text, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL, variation text DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'fb_expose' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION featbit.expose(user_key bigint, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL, variation text DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'fb_expose_bigint' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION featbit.expose(user_key uuid, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL, variation text DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'fb_expose_uuid' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION featbit.expose(text, text, jsonb, text, text) IS
'evaluates a flag for a user, records in the caller''s transaction that the user saw the variation, and returns what evaluate_flag returns.
The first exposure of a user to a variation in an iteration is kept, at statement_timestamp(); a repeated one writes nothing, and neither does an evaluation that ends in an error or without a variation.
variation: what the application really served. When the evaluation agrees it changes nothing; otherwise that variation''s value is returned and the exposure is recorded with reason OVERRIDDEN, no rule and randomised false. Nothing is recorded of an unknown flag, nor of no user.
Under REPEATABLE READ, an exposure that another transaction has recorded since the snapshot raises 40001, as other writes do.
Errors: no tracking schema (55000), read-only transaction or standby (25006), a variation that the flag does not have (22023)';
COMMENT ON FUNCTION featbit.expose(bigint, text, jsonb, text, text) IS
'evaluates a flag for a user with a bigint key (recorded in decimal) and records the exposure; see expose(text, text, jsonb, text, text)';
COMMENT ON FUNCTION featbit.expose(uuid, text, jsonb, text, text) IS
'evaluates a flag for a user with a uuid key (recorded in lower case with hyphens) and records the exposure; see expose(text, text, jsonb, text, text)';

CREATE FUNCTION featbit.track(user_key text, event_name text, value double precision DEFAULT NULL, attributes jsonb DEFAULT '{}', occurred_at timestamptz DEFAULT NULL, environment text DEFAULT NULL, idempotency_key text DEFAULT NULL)
	RETURNS boolean
	AS 'MODULE_PATHNAME', 'fb_track' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION featbit.track(user_key bigint, event_name text, value double precision DEFAULT NULL, attributes jsonb DEFAULT '{}', occurred_at timestamptz DEFAULT NULL, environment text DEFAULT NULL, idempotency_key text DEFAULT NULL)
	RETURNS boolean
	AS 'MODULE_PATHNAME', 'fb_track_bigint' LANGUAGE C VOLATILE PARALLEL UNSAFE;

CREATE FUNCTION featbit.track(user_key uuid, event_name text, value double precision DEFAULT NULL, attributes jsonb DEFAULT '{}', occurred_at timestamptz DEFAULT NULL, environment text DEFAULT NULL, idempotency_key text DEFAULT NULL)
	RETURNS boolean
	AS 'MODULE_PATHNAME', 'fb_track_uuid' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION featbit.track(text, text, double precision, jsonb, timestamptz, text, text) IS
'records an event of a user in the caller''s transaction; returns true, or false when an event with this idempotency key, user and time is already there.
value: number between -1e100 and 1e100, NULL for a plain conversion; attributes: JSON object; occurred_at: default statement_timestamp(), the same clock as exposures, so that an event of the same statement counts.
Errors: no user key or event name, or an idempotency key without occurred_at (22004), a value that is NaN or out of range (22003) or time (22008), attributes that are no object or an empty event name (22023), no tracking schema (55000), read-only transaction or standby (25006)';
COMMENT ON FUNCTION featbit.track(bigint, text, double precision, jsonb, timestamptz, text, text) IS
'records an event of a user with a bigint key (recorded in decimal); see track(text, text, double precision, jsonb, timestamptz, text, text)';
COMMENT ON FUNCTION featbit.track(uuid, text, double precision, jsonb, timestamptz, text, text) IS
'records an event of a user with a uuid key (recorded in lower case with hyphens); see track(text, text, double precision, jsonb, timestamptz, text, text)';

CREATE FUNCTION featbit.recording_schema(environment text, what text) RETURNS text
	AS 'MODULE_PATHNAME', 'fb_recording_schema' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION featbit.recording_schema(text, text) IS
'internal: the tracking schema of an environment (NULL: setting featbit.environment), after the checks that expose and track make; what names in messages what is to be recorded. Errors: 55000 without one, 25006 where nothing can be written';

CREATE FUNCTION featbit.expose_batch(user_keys text[], flag_key text, contexts jsonb[] DEFAULT NULL, environment text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	target text := featbit.recording_schema(environment, 'exposures');
	written bigint;
BEGIN
	IF cardinality(contexts) <> cardinality(user_keys) THEN
		RAISE EXCEPTION 'expose_batch got % user keys, but % contexts', cardinality(user_keys), cardinality(contexts)
			USING ERRCODE = 'array_subscript_error',
				HINT = 'Give one context for each user key, or NULL for none at all.';
	END IF;
	EXECUTE format(
		'INSERT INTO %I.exposure (environment, flag_key, iteration, user_key, variation, exposed_at, revision, reason, rule_id, unit_key, randomised)
		 SELECT e.resolved_environment, $2, e.iteration, u.user_key, e.variation, statement_timestamp(), e.revision, e.reason, e.rule_id, e.unit_key, e.randomised
			FROM unnest($1, $3) u (user_key, context)
			CROSS JOIN LATERAL featbit.evaluate_exposure(u.user_key, $2, coalesce(u.context, ''{}''), $4) e
			WHERE u.user_key IS NOT NULL AND e.variation IS NOT NULL AND e.error_code IS NULL
			ON CONFLICT (environment, flag_key, iteration, user_key, variation) DO NOTHING', target)
		USING user_keys, flag_key, contexts, environment;
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN written;
END
$$;

COMMENT ON FUNCTION featbit.expose_batch(text[], text, jsonb[], text) IS
'evaluates a flag for many users and records their exposures in one statement; returns how many rows were written (exposures known already, errors and NULL user keys write none).
contexts: one for each user key, or NULL. Errors: arrays of different length (2202E), no tracking schema (55000), read-only transaction or standby (25006)';

CREATE FUNCTION featbit.track_batch(user_keys text[], event_name text, "values" double precision[] DEFAULT NULL, occurred_at timestamptz[] DEFAULT NULL, environment text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	target text := featbit.recording_schema(environment, 'events');
	bad record;
	written bigint;
BEGIN
	IF event_name IS NULL THEN
		RAISE EXCEPTION 'an event needs a name' USING ERRCODE = 'null_value_not_allowed';
	ELSIF event_name = '' THEN
		RAISE EXCEPTION 'the name of an event must not be empty' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF cardinality("values") <> cardinality(user_keys) OR cardinality(occurred_at) <> cardinality(user_keys) THEN
		RAISE EXCEPTION 'track_batch got % user keys, % values and % times', cardinality(user_keys),
				coalesce(cardinality("values")::text, 'no'), coalesce(cardinality(occurred_at)::text, 'no')
			USING ERRCODE = 'array_subscript_error',
				HINT = 'Give one value and one time for each user key, or NULL for none at all.';
	END IF;
	SELECT b.n, b.user_key, b.value, b.at INTO bad
		FROM unnest(user_keys, "values", occurred_at) WITH ORDINALITY b (user_key, value, at, n)
		WHERE b.user_key IS NULL OR NOT b.value BETWEEN -1e100 AND 1e100 OR NOT isfinite(b.at) LIMIT 1;
	IF FOUND THEN
		IF bad.user_key IS NULL THEN
			RAISE EXCEPTION 'user key % of the batch is null', bad.n USING ERRCODE = 'null_value_not_allowed';
		ELSIF NOT isfinite(bad.at) THEN
			RAISE EXCEPTION 'time % of the batch is not finite', bad.n USING ERRCODE = 'datetime_field_overflow';
		END IF;
		RAISE EXCEPTION 'value % of the batch is out of range: %', bad.n, bad.value
			USING ERRCODE = 'numeric_value_out_of_range',
				HINT = 'Values lie between -1e100 and 1e100. Record NULL for an event without a measure.';
	END IF;
	EXECUTE format(
		'INSERT INTO %I.event (environment, user_key, event_name, value, occurred_at)
		 SELECT $5, b.user_key, $2, b.value, coalesce(b.at, statement_timestamp())
			FROM unnest($1, $3, $4) b (user_key, value, at)', target)
		USING user_keys, event_name, "values", occurred_at,
			coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN written;
END
$$;

COMMENT ON FUNCTION featbit.track_batch(text[], text, double precision[], timestamptz[], text) IS
'records one event of each given user in one statement; returns how many rows were written.
"values" and occurred_at: one for each user key, or NULL for none (time: statement_timestamp(), also where an element is NULL). Nothing is recorded when an element is refused.
Errors: a NULL user key or event name (22004), an empty name (22023), values that are NaN or out of range (22003) or times (22008), arrays of different length (2202E), no tracking schema (55000), read-only transaction or standby (25006)';
