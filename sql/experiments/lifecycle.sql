-- experiments: starting, stopping and running them again; changing and deleting metrics

CREATE FUNCTION featbit.check_weights(experiment featbit.experiment, weights jsonb) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	wrong text;
	given jsonb;
BEGIN
	IF jsonb_typeof(weights) <> 'object' THEN
		RAISE EXCEPTION 'weights must be an object of variations and numbers' USING ERRCODE = 'invalid_parameter_value',
			DETAIL = format('They are %s.', weights), HINT = format('For example %s.', (SELECT jsonb_object_agg(v, 1) FROM unnest(experiment.variations) v));
	END IF;
	SELECT w.key, w.value INTO wrong, given FROM jsonb_each(weights) w
		WHERE w.key <> ALL (experiment.variations) OR jsonb_typeof(w.value) <> 'number' OR NOT (w.value::text::numeric BETWEEN 0 AND 1e12) LIMIT 1;
	IF FOUND AND wrong <> ALL (experiment.variations) THEN
		RAISE EXCEPTION 'experiment "%" has no variation "%"', experiment.key, wrong
			USING ERRCODE = 'undefined_object', DETAIL = format('Its variations are %s.', array_to_string(experiment.variations, ', ')),
				HINT = coalesce('Did you mean "' || featbit.nearest_name(wrong, experiment.variations) || '"?', 'Name one of them.');
	ELSIF FOUND THEN
		RAISE EXCEPTION 'weight % of variation "%" is no number of 0 or more', given, wrong USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF NOT EXISTS (SELECT FROM jsonb_each_text(weights) w WHERE w.value::numeric > 0) THEN
		RAISE EXCEPTION 'no variation has a positive weight' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the planned shares on any scale.';
	END IF;
	RETURN weights;
END
$$;

COMMENT ON FUNCTION featbit.check_weights(featbit.experiment, jsonb) IS
'internal: planned weights after making sure that they are some. Errors: 22023 for numbers that are none, 42704 for an unknown variation';

CREATE FUNCTION featbit.start_experiment(experiment_key text, started_at timestamptz DEFAULT NULL, weights jsonb DEFAULT NULL, environment text DEFAULT NULL) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	experiment featbit.experiment := featbit.stored_experiment(experiment_key, env);
	since timestamptz := coalesce(started_at, statement_timestamp());
	last record;
	flag_iteration integer;
BEGIN
	IF experiment.archived THEN
		RAISE EXCEPTION 'experiment "%" is archived', experiment_key USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Define a new one.';
	END IF;
	IF NOT isfinite(since) THEN
		RAISE EXCEPTION 'the start of an experiment must be finite' USING ERRCODE = 'datetime_field_overflow';
	END IF;
	SELECT i.iteration, i.stopped_at INTO last FROM featbit.experiment_iteration i
		WHERE i.environment = env AND i.experiment_key = experiment_key ORDER BY i.iteration DESC LIMIT 1;
	IF FOUND AND last.stopped_at IS NULL THEN
		RAISE EXCEPTION 'experiment "%" is already running', experiment_key
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Use new_iteration to deal the users anew.';
	END IF;
	IF last.stopped_at > since THEN
		RAISE EXCEPTION 'experiment "%" still ran at %', experiment_key, since AT TIME ZONE 'UTC'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It was stopped at %s UTC.', last.stopped_at AT TIME ZONE 'UTC');
	END IF;
	IF experiment.flag_key IS NOT NULL THEN
		flag_iteration := (featbit.stored_flag(experiment.flag_key, env)).iteration;
	END IF;
	INSERT INTO featbit.experiment_iteration VALUES (env, experiment_key, coalesce(last.iteration, 0) + 1, flag_iteration, since, NULL);
	IF weights IS NOT NULL THEN
		INSERT INTO featbit.experiment_epoch VALUES (env, experiment_key, coalesce(last.iteration, 0) + 1, since, featbit.check_weights(experiment, weights));
	END IF;
	RETURN coalesce(last.iteration, 0) + 1;
END
$$;

COMMENT ON FUNCTION featbit.start_experiment(text, timestamptz, jsonb, text) IS
'starts an experiment; returns the number of the iteration. Units count whose first exposure in it is not before the start.
started_at: default now; give a moment in the past to read facts that are there already. weights: planned shares of the variations, such as {"base": 50, "tuned": 50}; default those of the flag''s history, and equal ones without a flag. environment: default the setting featbit.environment.
Errors: unknown experiment (42704), already running or archived (55000), a start within the iteration before, weights that are none (22023)';

CREATE FUNCTION featbit.running_iteration(experiment_key text, environment text) RETURNS featbit.experiment_iteration
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	iteration featbit.experiment_iteration;
BEGIN
	SELECT i.* INTO iteration FROM featbit.experiment_iteration i
		WHERE i.environment = environment AND i.experiment_key = experiment_key AND i.stopped_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'experiment "%" is not running', experiment_key
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Start it with start_experiment.';
	END IF;
	RETURN iteration;
END
$$;

COMMENT ON FUNCTION featbit.running_iteration(text, text) IS
'internal: the iteration of an experiment that is running. Errors: 55000 when none is';

CREATE FUNCTION featbit.stop_experiment(experiment_key text, stopped_at timestamptz DEFAULT NULL, environment text DEFAULT NULL) RETURNS timestamptz
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	experiment featbit.experiment := featbit.stored_experiment(experiment_key, env);
	iteration featbit.experiment_iteration := featbit.running_iteration(experiment_key, env);
	until timestamptz := coalesce(stopped_at, statement_timestamp());
BEGIN
	IF until < iteration.started_at OR NOT isfinite(until) THEN
		RAISE EXCEPTION 'experiment "%" cannot end before it started', experiment_key
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It was started at %s UTC.', iteration.started_at AT TIME ZONE 'UTC');
	END IF;
	UPDATE featbit.experiment_iteration i SET stopped_at = until
		WHERE i.environment = env AND i.experiment_key = experiment_key AND i.iteration = iteration.iteration;
	RETURN until;
END
$$;

COMMENT ON FUNCTION featbit.stop_experiment(text, timestamptz, text) IS
'stops an experiment; returns since when. Exposures from then on do not count; events still count within the attribution windows of those that do, but those of a metric without window do not. The flag goes on as it is.
stopped_at: default now. Errors: unknown experiment (42704), not running (55000), an end before the start (22023)';

CREATE FUNCTION featbit.new_iteration(experiment_key text, weights jsonb DEFAULT NULL, comment text DEFAULT NULL, environment text DEFAULT NULL) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	experiment featbit.experiment := featbit.stored_experiment(experiment_key, env);
	flag featbit.flag;
BEGIN
	IF experiment.archived THEN
		RAISE EXCEPTION 'experiment "%" is archived', experiment_key USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Define a new one.';
	END IF;
	IF experiment.flag_key IS NULL THEN
		RAISE EXCEPTION 'experiment "%" has no flag that could deal the users anew', experiment_key
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Have your own assignment re-randomise, then stop the experiment and start it again.';
	END IF;
	UPDATE featbit.experiment_iteration i SET stopped_at = greatest(statement_timestamp(), i.started_at)
		WHERE i.environment = env AND i.experiment_key = experiment_key AND i.stopped_at IS NULL;
	flag := featbit.stored_flag(experiment.flag_key, env);
	PERFORM featbit.update_flag(flag.key, jsonb_build_object('iteration', flag.iteration + 1), NULL, coalesce(comment, format('new iteration of experiment %s', experiment_key)), env);
	RETURN featbit.start_experiment(experiment_key, greatest(statement_timestamp(), (SELECT max(i.stopped_at) FROM featbit.experiment_iteration i WHERE i.environment = env AND i.experiment_key = experiment_key)), weights, env);
END
$$;

COMMENT ON FUNCTION featbit.new_iteration(text, jsonb, text, text) IS
'deals the users of an experiment anew: stops it where it is running, raises the iteration of its flag, which is part of the seed of its splits, and starts it again; returns the number of the iteration. Use it after a fault or a change of weights. weights: as of start_experiment; comment: for the flag''s history.
Errors: unknown experiment (42704), archived, or without a flag (55000)';

CREATE FUNCTION featbit.set_experiment_weights(experiment_key text, weights jsonb, since timestamptz DEFAULT NULL, environment text DEFAULT NULL) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	experiment featbit.experiment := featbit.stored_experiment(experiment_key, env);
	iteration featbit.experiment_iteration := featbit.running_iteration(experiment_key, env);
	written integer;
BEGIN
	since := coalesce(since, statement_timestamp());
	IF since < iteration.started_at OR NOT isfinite(since) THEN
		RAISE EXCEPTION 'weights of experiment "%" cannot hold before it started', experiment_key
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It was started at %s UTC.', iteration.started_at AT TIME ZONE 'UTC');
	END IF;
	INSERT INTO featbit.experiment_epoch VALUES (env, experiment_key, iteration.iteration, since, featbit.check_weights(experiment, weights))
		ON CONFLICT ON CONSTRAINT experiment_epoch_pkey DO UPDATE SET weights = excluded.weights;
	SELECT count(*) INTO written FROM featbit.experiment_epoch e WHERE e.environment = env AND e.experiment_key = experiment_key AND e.iteration = iteration.iteration;
	RETURN written;
END
$$;

COMMENT ON FUNCTION featbit.set_experiment_weights(text, jsonb, timestamptz, text) IS
'notes that the planned weights of a running experiment are others from a moment on (default now), where the assignment is not a flag''s; returns the number of epochs. The sample-ratio check then goes epoch by epoch. A flag''s own changes need no note.
Errors: unknown experiment or variation (42704), not running (55000), weights that are none, a moment before the start (22023)';

CREATE FUNCTION featbit.archive_experiment(experiment_key text, environment text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	experiment featbit.experiment := featbit.stored_experiment(experiment_key, env);
BEGIN
	IF EXISTS (SELECT FROM featbit.experiment_iteration i WHERE i.environment = env AND i.experiment_key = experiment_key AND i.stopped_at IS NULL) THEN
		RAISE EXCEPTION 'experiment "%" is running', experiment_key USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Stop it first with stop_experiment.';
	END IF;
	UPDATE featbit.experiment x SET archived = true, revision = x.revision + 1, updated_at = statement_timestamp(), updated_by = session_user
		WHERE x.environment = env AND x.key = experiment_key;
	RETURN experiment.revision + 1;
END
$$;

COMMENT ON FUNCTION featbit.archive_experiment(text, text) IS
'archives an experiment that is not running: it can still be read, but not started; returns its new revision. Errors: unknown experiment (42704), it is running (55000)';

CREATE FUNCTION featbit.update_metric(metric_key text, changes jsonb, expected_revision bigint DEFAULT NULL, environment text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	legal constant text[] := ARRAY['name', 'description', 'kind', 'source', 'unit_column', 'time_column', 'value', 'denominator', 'filter', 'steps', 'quantile', 'delay',
		'attribution_window', 'lookback', 'cap', 'cap_quantile', 'direction', 'minimum_effect', 'mature_only', 'search_path'];
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	metric featbit.metric_definition := featbit.stored_metric(metric_key, env);
	wrong text;
BEGIN
	PERFORM featbit.refuse_other_revision('metric', metric.key, expected_revision, metric.revision);
	IF jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'changes must be an object of columns and their new values' USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"minimum_effect": 0.02}.';
	END IF;
	SELECT c INTO wrong FROM jsonb_object_keys(changes) c WHERE c <> ALL (legal) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '"%" of a metric cannot be changed', wrong
			USING ERRCODE = 'invalid_parameter_value', HINT = coalesce('Did you mean "' || featbit.nearest_name(wrong, legal) || '"?', format('What can be is %s.', array_to_string(legal, ', ')));
	END IF;
	metric := featbit.check_metric(jsonb_populate_record(metric, changes));
	metric.revision := metric.revision + 1;
	DELETE FROM featbit.metric_definition m WHERE m.environment = env AND m.key = metric_key;
	INSERT INTO featbit.metric_definition SELECT metric.*;
	UPDATE featbit.experiment x SET revision = x.revision + 1, updated_at = statement_timestamp(), updated_by = session_user
		WHERE x.environment = env AND (x.activation = metric_key OR EXISTS (SELECT FROM featbit.experiment_metric m WHERE m.environment = env AND m.experiment_key = x.key AND m.metric_key = metric_key));
	RETURN metric.revision;
END
$$;

COMMENT ON FUNCTION featbit.update_metric(text, jsonb, bigint, text) IS
'changes a metric; returns its new revision, and raises that of the experiments that it is part of. changes: object with new values of columns of featbit.metric_definition, null for none; names are looked up in the search path of the definition unless search_path is changed too. expected_revision: the revision that was read, NULL for last writer wins.
Errors: unknown metric (42704), another revision is stored (40001), and those of create_metric';

CREATE FUNCTION featbit.delete_metric(metric_key text, environment text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	metric featbit.metric_definition := featbit.stored_metric(metric_key, env);
	used text;
BEGIN
	SELECT string_agg(format('"%s"', x.key), ', ' ORDER BY x.key) INTO used FROM featbit.experiment x
		WHERE x.environment = env AND NOT x.archived
			AND (x.activation = metric_key OR EXISTS (SELECT FROM featbit.experiment_metric m WHERE m.environment = env AND m.experiment_key = x.key AND m.metric_key = metric_key));
	IF used IS NOT NULL THEN
		RAISE EXCEPTION 'metric "%" is in use', metric_key
			USING ERRCODE = 'foreign_key_violation', DETAIL = format('It is part of the experiments %s.', used), HINT = 'Archive them first, or take it out of them with update_experiment.';
	END IF;
	DELETE FROM featbit.experiment_metric m WHERE m.environment = env AND m.metric_key = metric_key;
	DELETE FROM featbit.metric_definition m WHERE m.environment = env AND m.key = metric_key;
	RETURN true;
END
$$;

COMMENT ON FUNCTION featbit.delete_metric(text, text) IS
'deletes a metric that no experiment needs, and takes it out of archived ones; returns true. Errors: unknown metric (42704), in use (23503)';

CREATE FUNCTION featbit.experiment_epochs(experiment featbit.experiment, iteration featbit.experiment_iteration, as_of timestamptz)
	RETURNS TABLE (started_at timestamptz, weights jsonb)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	env constant text := experiment.environment;
	experiment_key constant text := experiment.key;
	flag_key constant text := experiment.flag_key;
	rule constant text := experiment.rule_id;
	number constant integer := iteration.iteration;
	since constant timestamptz := iteration.started_at;
BEGIN
	IF EXISTS (SELECT FROM featbit.experiment_epoch e WHERE e.environment = env AND e.experiment_key = experiment_epochs.experiment.key AND e.iteration = number) THEN
		RETURN QUERY SELECT e.started_at, e.weights FROM featbit.experiment_epoch e
			WHERE e.environment = env AND e.experiment_key = experiment_epochs.experiment.key AND e.iteration = number AND e.started_at < as_of ORDER BY 1;
		RETURN;
	END IF;
	IF flag_key IS NULL THEN
		RETURN QUERY SELECT since, (SELECT jsonb_object_agg(v, 1) FROM unnest(experiment_epochs.experiment.variations) v);
		RETURN;
	END IF;
	-- what the split said, revision by revision, and stage by stage of a ramp
	RETURN QUERY
		WITH revision AS (
			SELECT r.changed_at, lead(r.changed_at) OVER (ORDER BY r.revision) AS until,
					CASE WHEN rule IS NULL THEN r.definition -> 'fallthrough'
						ELSE (SELECT u.value -> 'serve' FROM jsonb_array_elements(r.definition -> 'rules') u WHERE u.value ->> 'id' = rule LIMIT 1) END AS serve
				FROM featbit.flag_revision r WHERE r.environment = env AND r.kind = 'flag' AND r.key = flag_key),
		stage AS (
			SELECT DISTINCT ON (s.since) s.since, s.split
				FROM (SELECT r.changed_at AS since, '-infinity'::timestamptz AS at, 0 AS n, coalesce(r.serve -> 'split', r.serve -> 'ramp' -> 0 -> 'split') AS split FROM revision r
					UNION ALL
					SELECT greatest((t.value ->> 'at')::timestamptz, r.changed_at), (t.value ->> 'at')::timestamptz, t.ordinality, t.value -> 'split'
						FROM revision r CROSS JOIN LATERAL jsonb_array_elements(r.serve -> 'ramp') WITH ORDINALITY t
						WHERE greatest((t.value ->> 'at')::timestamptz, r.changed_at) < coalesce(r.until, 'infinity')) s
				ORDER BY s.since, s.at DESC, s.n DESC),
		dealt AS (
			SELECT s.since, lead(s.since) OVER (ORDER BY s.since) AS until,
					(SELECT jsonb_object_agg(w.value ->> 'variation', w.value -> 'weight') FROM jsonb_array_elements(s.split) w) AS weights
				FROM stage s),
		changed AS (
			SELECT greatest(d.since, experiment_epochs.iteration.started_at) AS since, d.weights, lag(d.weights, 1, 'null') OVER (ORDER BY d.since) AS before
				FROM dealt d WHERE d.since < as_of AND coalesce(d.until, 'infinity') > experiment_epochs.iteration.started_at)
		SELECT c.since, c.weights FROM changed c WHERE c.weights IS DISTINCT FROM c.before ORDER BY c.since;
END
$$;

COMMENT ON FUNCTION featbit.experiment_epochs(featbit.experiment, featbit.experiment_iteration, timestamptz) IS
'internal: the planned weights of an iteration over time, as they were given, else as the flag''s history has them, else equal; weights NULL where the flag served no split';
