-- experiments: what time asks for, what is wrong, and what is to be forgotten

CREATE TABLE featbit.retention (
	environment text COLLATE "C" NOT NULL,
	table_name text COLLATE "C" NOT NULL CHECK (table_name OPERATOR(pg_catalog.=) ANY (ARRAY['exposure', 'event', 'llm_call', 'feedback'])),
	keep interval NOT NULL,
	PRIMARY KEY (environment, table_name)
);

COMMENT ON TABLE featbit.retention IS 'how long rows of the tracking tables are kept, written by set_retention and applied by tick';
COMMENT ON COLUMN featbit.retention.environment IS 'environment of the rows';
COMMENT ON COLUMN featbit.retention.table_name IS 'exposure, event, llm_call or feedback';
COMMENT ON COLUMN featbit.retention.keep IS 'age at which a row is deleted';

CREATE TABLE featbit.heartbeat (
	environment text COLLATE "C" NOT NULL PRIMARY KEY,
	ticked_at timestamptz NOT NULL,
	deleted bigint NOT NULL,
	problems text[] NOT NULL
);

COMMENT ON TABLE featbit.heartbeat IS 'the last tick of each environment';
COMMENT ON COLUMN featbit.heartbeat.environment IS 'the environment';
COMMENT ON COLUMN featbit.heartbeat.ticked_at IS 'when tick was last called';
COMMENT ON COLUMN featbit.heartbeat.deleted IS 'rows that it deleted by age';
COMMENT ON COLUMN featbit.heartbeat.problems IS 'what it could not do';

CREATE TABLE featbit.experiment_verdict (
	environment text COLLATE "C" NOT NULL,
	experiment_key text COLLATE "C" NOT NULL,
	iteration integer NOT NULL,
	variation text COLLATE "C" NOT NULL,
	verdict text NOT NULL,
	reason text NOT NULL,
	since timestamptz NOT NULL,
	PRIMARY KEY (environment, experiment_key, iteration, variation)
);

COMMENT ON TABLE featbit.experiment_verdict IS 'the verdicts on running experiments that tick last found';
COMMENT ON COLUMN featbit.experiment_verdict.environment IS 'environment of the experiment';
COMMENT ON COLUMN featbit.experiment_verdict.experiment_key IS 'the experiment';
COMMENT ON COLUMN featbit.experiment_verdict.iteration IS 'its iteration';
COMMENT ON COLUMN featbit.experiment_verdict.variation IS 'the variation';
COMMENT ON COLUMN featbit.experiment_verdict.verdict IS 'the verdict, as of decide';
COMMENT ON COLUMN featbit.experiment_verdict.reason IS 'the reason in words';
COMMENT ON COLUMN featbit.experiment_verdict.since IS 'when tick first found this verdict';

SELECT pg_catalog.pg_extension_config_dump('featbit.retention', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.heartbeat', '');
SELECT pg_catalog.pg_extension_config_dump('featbit.experiment_verdict', '');

CREATE FUNCTION featbit.set_retention(table_name text, keep interval, environment text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	tables constant text[] := ARRAY['exposure', 'event', 'llm_call', 'feedback'];
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	changed boolean;
BEGIN
	IF table_name IS NULL OR table_name <> ALL (tables) THEN
		RAISE EXCEPTION 'unknown tracking table "%"', table_name
			USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Tracking tables are exposure, event, llm_call and feedback.',
				HINT = coalesce('Did you mean "' || featbit.nearest_name(table_name, tables) || '"?', 'Name one of them.');
	END IF;
	IF NOT keep >= interval '1 day' OR NOT isfinite(now() + keep) THEN
		RAISE EXCEPTION 'rows must be kept for at least a day, not %', keep USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL keeps them for ever.';
	END IF;
	PERFORM featbit.lock_environment(featbit.known_environment(env));
	IF keep IS NULL THEN
		DELETE FROM featbit.retention r WHERE r.environment = env AND r.table_name = table_name;
	ELSE
		INSERT INTO featbit.retention VALUES (env, table_name, keep)
			ON CONFLICT ON CONSTRAINT retention_pkey DO UPDATE SET keep = excluded.keep WHERE retention.keep <> excluded.keep;
	END IF;
	changed := FOUND;
	RETURN changed;
END
$$;

COMMENT ON FUNCTION featbit.set_retention(text, interval, text) IS
'how long tick keeps the rows of a tracking table of an environment; returns whether that is a change. table_name: exposure, event, llm_call or feedback; keep: at least a day, NULL for ever.
What a running experiment may read stays whatever its age: exposures of its flag since its start, events since its start less the longest lookback. Results of stopped experiments change when their facts go: store them before.
Errors: unknown table or a shorter time (22023), unknown environment (42704)';

CREATE FUNCTION featbit.tick(environment text DEFAULT NULL) RETURNS TABLE (task text, subject text, outcome text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_column
DECLARE
	env constant text := featbit.known_environment(coalesce(tick.environment, nullif(current_setting('featbit.environment', true), ''), 'default'));
	tracking text;
	rule record;
	running record;
	found record;
	problem text;
	count bigint;
	total bigint := 0;
	problems text[] := '{}';
	cutoff timestamptz;
BEGIN
	-- one at a time: who comes second has nothing to do
	IF NOT pg_try_advisory_xact_lock(hashtextextended('featbit.tick ' || env, 0)) THEN
		RETURN QUERY SELECT 'tick'::text, env, 'another tick is at work'::text;
		RETURN;
	END IF;
	SELECT e.tracking_schema INTO tracking FROM featbit.environment e WHERE e.key = env;

	FOR rule IN SELECT r.table_name, r.keep, c.time_column
					FROM featbit.retention r JOIN (VALUES ('exposure', 'exposed_at'), ('event', 'occurred_at'), ('llm_call', 'called_at'), ('feedback', 'given_at')) c (table_name, time_column) USING (table_name)
					WHERE r.environment = env ORDER BY r.table_name
	LOOP
		BEGIN
			-- what a running experiment may read is not too old
			SELECT least(statement_timestamp() - rule.keep, min(i.started_at - CASE rule.table_name WHEN 'exposure' THEN interval '0' ELSE
						greatest(coalesce(x.lookback, '0'), coalesce((SELECT max(m.lookback) FROM featbit.metric_definition m WHERE m.environment = env), '0')) END)) INTO cutoff
				FROM featbit.experiment_iteration i JOIN featbit.experiment x ON x.environment = i.environment AND x.key = i.experiment_key
				WHERE i.environment = env AND i.stopped_at IS NULL AND NOT x.archived;
			EXECUTE format('DELETE FROM %I.%I t WHERE t.environment = $1 AND t.%I < $2', tracking, rule.table_name, rule.time_column) USING env, cutoff;
			GET DIAGNOSTICS count = ROW_COUNT;
			total := total + count;
			RETURN QUERY SELECT 'retention'::text, rule.table_name::text, format('%s rows deleted', count);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
			problems := problems || format('retention of %s: %s', rule.table_name, problem);
			RETURN QUERY SELECT 'retention'::text, rule.table_name::text, problem;
		END;
	END LOOP;

	FOR running IN SELECT i.experiment_key, i.iteration FROM featbit.experiment_iteration i WHERE i.environment = env AND i.stopped_at IS NULL AND i.started_at <= statement_timestamp() ORDER BY 1 LOOP
		BEGIN
			FOR found IN SELECT DISTINCT r.variation, r.verdict, r.reason FROM featbit.experiment_results(running.experiment_key, NULL, NULL, env) r WHERE r.verdict IS NOT NULL ORDER BY 1 LOOP
				INSERT INTO featbit.experiment_verdict AS v VALUES (env, running.experiment_key, running.iteration, found.variation, found.verdict, found.reason, statement_timestamp())
					ON CONFLICT ON CONSTRAINT experiment_verdict_pkey DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, since = CASE WHEN v.verdict = excluded.verdict THEN v.since ELSE excluded.since END
						WHERE (v.verdict, v.reason) IS DISTINCT FROM (excluded.verdict, excluded.reason);
				RETURN QUERY SELECT 'verdict'::text, format('%s/%s', running.experiment_key, found.variation), found.verdict;
			END LOOP;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
			problems := problems || format('experiment %s: %s', running.experiment_key, problem);
			RETURN QUERY SELECT 'verdict'::text, running.experiment_key::text, problem;
		END;
	END LOOP;

	INSERT INTO featbit.heartbeat VALUES (env, statement_timestamp(), total, problems)
		ON CONFLICT ON CONSTRAINT heartbeat_pkey DO UPDATE SET ticked_at = excluded.ticked_at, deleted = excluded.deleted, problems = excluded.problems;
END
$$;

COMMENT ON FUNCTION featbit.tick(text) IS
'does what time asks for in an environment: deletes rows of tracking tables by set_retention, judges running experiments (featbit.experiment_verdict) and leaves a heartbeat; to be called now and then, by pg_cron or any scheduler. It may be repeated and catches up after gaps; a call while another is at work does nothing.
Runs with the rights of the caller, who needs DELETE on the tracking tables and SELECT on the sources of the metrics. What fails is told in the outcome and the heartbeat, and does not keep the rest from being done.
Returns a row per task: retention or verdict, its subject and the outcome. Errors: unknown environment (42704)';

CREATE FUNCTION featbit.health(environment text DEFAULT NULL) RETURNS TABLE (check_name text, subject text, status text, detail text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_column
DECLARE
	env constant text := featbit.known_environment(coalesce(health.environment, nullif(current_setting('featbit.environment', true), ''), 'default'));
	tracking text;
	metric featbit.metric_definition;
	problem text;
BEGIN
	SELECT e.tracking_schema INTO tracking FROM featbit.environment e WHERE e.key = env;
	RETURN QUERY SELECT 'tracking'::text, t.name, 'failed'::text, format('table %I.%I does not exist', tracking, t.name)
		FROM unnest(ARRAY['exposure', 'event', 'llm_call', 'feedback']) t (name) WHERE tracking IS NOT NULL AND to_regclass(format('%I.%I', tracking, t.name)) IS NULL;
	RETURN QUERY SELECT 'flags'::text, format('%s %s', p.kind, p.key), 'failed'::text, p.problem FROM featbit.flag_problems(env) p;
	FOR metric IN SELECT m.* FROM featbit.metric_definition m WHERE m.environment = env ORDER BY m.key LOOP
		BEGIN
			EXECUTE format('SELECT %s FROM %s s LIMIT 0', (SELECT string_agg(e.value, ', ') FROM jsonb_each_text(metric.compiled) e WHERE e.key <> 'source' AND e.key NOT LIKE '%\_type'), metric.compiled ->> 'source');
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
			RETURN QUERY SELECT 'metric'::text, metric.key::text, 'failed'::text, problem;
		END;
	END LOOP;
	RETURN QUERY SELECT 'experiment'::text, format('%s/%s', v.experiment_key, v.variation), CASE WHEN v.verdict IN ('roll back', 'no data') OR v.verdict LIKE 'invalid%' THEN 'failed' ELSE 'ok' END, v.verdict || ': ' || v.reason
		FROM featbit.experiment_verdict v JOIN featbit.experiment_iteration i USING (environment, experiment_key, iteration)
		WHERE v.environment = env AND i.stopped_at IS NULL ORDER BY 2;
	IF EXISTS (SELECT FROM featbit.retention r WHERE r.environment = env) OR EXISTS (SELECT FROM featbit.experiment_iteration i WHERE i.environment = env AND i.stopped_at IS NULL) THEN
		RETURN QUERY SELECT 'heartbeat'::text, env, CASE WHEN h.ticked_at IS NULL OR h.ticked_at < statement_timestamp() - interval '1 day' THEN 'failed' WHEN cardinality(h.problems) > 0 THEN 'warning' ELSE 'ok' END,
				CASE WHEN h.ticked_at IS NULL THEN 'tick has never been called' WHEN cardinality(h.problems) > 0 THEN array_to_string(h.problems, '; ')
					WHEN h.ticked_at < statement_timestamp() - interval '1 day' THEN 'tick has not been called for a day' ELSE 'tick was called within a day' END
			FROM (SELECT 1) one LEFT JOIN featbit.heartbeat h ON h.environment = env;
	END IF;
END
$$;

COMMENT ON FUNCTION featbit.health(text) IS
'what is wrong in an environment: one row per tracking table that is missing, problem of a flag, metric whose source can no longer be read by the caller, verdict on a running experiment, and the heartbeat of tick where something depends on it.
Returns check_name, subject, status (ok, warning, failed) and detail. Errors: unknown environment (42704)';

CREATE FUNCTION featbit.forget_user(user_key text, environment text DEFAULT NULL) RETURNS TABLE (place text, rows bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	person constant text := forget_user.user_key;
	env constant text := featbit.known_environment(coalesce(forget_user.environment, nullif(current_setting('featbit.environment', true), ''), 'default'));
	tracking text;
	target text;
	written bigint;
BEGIN
	IF person IS NULL THEN
		RAISE EXCEPTION 'forget_user needs a user key' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM featbit.lock_environment(env);
	SELECT e.tracking_schema INTO tracking FROM featbit.environment e WHERE e.key = env;
	FOREACH target IN ARRAY ARRAY['exposure', 'event', 'llm_call', 'feedback'] LOOP
		IF tracking IS NOT NULL AND to_regclass(format('%I.%I', tracking, target)) IS NOT NULL THEN
			EXECUTE format('DELETE FROM %I.%I t WHERE t.environment = $1 AND t.user_key = $2', tracking, target) USING env, person;
			GET DIAGNOSTICS written = ROW_COUNT;
			RETURN QUERY SELECT format('%I.%I', tracking, target), written;
		END IF;
	END LOOP;
	UPDATE featbit.flag f SET targets = (SELECT coalesce(jsonb_agg(CASE WHEN t.value ? 'users' THEN jsonb_set(t.value, '{users}', (t.value -> 'users') - person) ELSE t.value END ORDER BY t.ordinality), '[]') FROM jsonb_array_elements(f.targets) WITH ORDINALITY t)
		WHERE f.environment = env AND f.semantics = 'native' AND EXISTS (SELECT FROM jsonb_array_elements(f.targets) t WHERE t -> 'users' ? person);
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN QUERY SELECT 'featbit.flag'::text, written;
	UPDATE featbit.segment s SET included = array_remove(s.included, person), excluded = array_remove(s.excluded, person)
		WHERE s.environment = env AND (person = ANY (s.included) OR person = ANY (s.excluded));
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN QUERY SELECT 'featbit.segment'::text, written;
END
$$;

COMMENT ON FUNCTION featbit.forget_user(text, text) IS
'erases a person from an environment: the rows of its tracking tables, and its lists of targets and segments; returns what was changed. Tables of your own are yours to clean.
The history of flags and segments (featbit.flag_revision) keeps the lists as they were, since evaluate_flag_at and restore_flag read them; only the owner may change it. Running results then are those of the others: the person leaves numerator and denominator together, and who was erased after the start no longer counts as exposed. With a target list the person loses the variation it gave.
Needs DELETE on the tracking tables and the task manage. Errors: no user key (22004), unknown environment (42704)';
