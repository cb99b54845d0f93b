-- experiments: defining, starting and stopping them

CREATE FUNCTION featbit.stored_experiment(experiment_key text, environment text) RETURNS featbit.experiment
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	experiment featbit.experiment;
	near text;
BEGIN
	IF experiment_key IS NULL THEN
		RAISE EXCEPTION 'experiment key is null' USING ERRCODE = 'null_value_not_allowed', HINT = 'The table featbit.experiment lists the experiments.';
	END IF;
	SELECT x.* INTO experiment FROM featbit.experiment x WHERE x.environment = env AND x.key = experiment_key;
	IF NOT FOUND THEN
		SELECT featbit.nearest_name(experiment_key, array_agg(x.key::text)) INTO near FROM featbit.experiment x WHERE x.environment = env;
		RAISE EXCEPTION 'experiment "%" does not exist in environment "%"', experiment_key, env
			USING ERRCODE = 'undefined_object', HINT = coalesce('Did you mean "' || near || '"?', 'The table featbit.experiment lists the experiments.');
	END IF;
	RETURN experiment;
END
$$;

COMMENT ON FUNCTION featbit.stored_experiment(text, text) IS
'internal: the row of an experiment; environment NULL is the setting featbit.environment. Errors: 22004 for NULL, 42704 unknown experiment';

CREATE FUNCTION featbit.compile_relation(definition jsonb, labels text[], what text, search_path text) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	legal text[] := ARRAY['source', 'unit_column', 'time_column'] || labels;
	wrong text;
BEGIN
	IF jsonb_typeof(definition) <> 'object' OR NOT definition ? 'source' THEN
		RAISE EXCEPTION '% must be an object with a source', what
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', definition),
				HINT = format('For example {"source": "my_table", "unit_column": "user_id"%s}.', (SELECT string_agg(format(', "%s": "..."', l), '') FROM unnest(labels) l));
	END IF;
	SELECT k INTO wrong FROM jsonb_object_keys(definition) k WHERE k <> ALL (legal || ARRAY['kind', 'compiled']) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '% has the unknown member "%"', what, wrong
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Its members are %s.', array_to_string(legal, ', ')),
				HINT = coalesce('Did you mean "' || featbit.nearest_name(wrong, legal) || '"?', 'Leave it out.');
	END IF;
	RETURN definition || jsonb_build_object('compiled', featbit.compile_source(definition ->> 'source', coalesce(definition ->> 'unit_column', 'user_id'),
		CASE WHEN definition ? 'time_column' OR what = 'assignment' THEN coalesce(definition ->> 'time_column', 'exposed_at') END,
		(SELECT coalesce(jsonb_object_agg(l, definition ->> l), '{}') FROM unnest(labels) l), search_path, what));
END
$$;

COMMENT ON FUNCTION featbit.compile_relation(jsonb, text[], text, text) IS
'internal: an object that names a relation of the user''s (source, unit_column, time_column and expressions, the labels) with its compiled form. Errors: 22023 for another shape, and those of compile_source';

CREATE FUNCTION featbit.check_experiment(experiment featbit.experiment) RETURNS featbit.experiment
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	methods constant text[] := ARRAY['fixed', 'sequential', 'group_sequential', 'bayes'];
	flag featbit.flag;
	served text[];
	wrong text;
	hint text;
	dimension record;
BEGIN
	PERFORM featbit.check_key('experiment', experiment.key);
	IF experiment.method IS NULL OR experiment.method <> ALL (methods) THEN
		RAISE EXCEPTION 'unknown method "%" of experiment', experiment.method
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Methods are %s.', array_to_string(methods, ', ')),
				HINT = coalesce('Did you mean "' || featbit.nearest_name(experiment.method, methods) || '"?', 'Name one of them.');
	END IF;
	IF experiment.flag_key IS NOT NULL THEN
		flag := featbit.stored_flag(experiment.flag_key, experiment.environment);
		SELECT array_agg(v.value ->> CASE flag.semantics WHEN 'featbit' THEN 'id' ELSE 'key' END ORDER BY v.ordinality) INTO served FROM jsonb_array_elements(flag.variations) WITH ORDINALITY v;
		experiment.variations := coalesce(experiment.variations, served);
		experiment.control := coalesce(experiment.control, experiment.variations[1]);
		SELECT v INTO wrong FROM unnest(experiment.variations || experiment.control) v WHERE v <> ALL (served) LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'flag "%" has no variation "%"', experiment.flag_key, wrong
				USING ERRCODE = 'undefined_object', DETAIL = format('Its variations are %s.', array_to_string(served, ', ')),
					HINT = coalesce('Did you mean "' || featbit.nearest_name(wrong, served) || '"?', 'Name one of them.');
		END IF;
		IF experiment.rule_id IS NOT NULL AND NOT EXISTS (SELECT FROM jsonb_array_elements(flag.rules) r WHERE r ->> 'id' = experiment.rule_id) THEN
			RAISE EXCEPTION 'flag "%" has no rule "%"', experiment.flag_key, experiment.rule_id
				USING ERRCODE = 'undefined_object',
					HINT = coalesce('Did you mean "' || featbit.nearest_name(experiment.rule_id, (SELECT array_agg(r ->> 'id') FROM jsonb_array_elements(flag.rules) r)) || '"?', 'Leave it out for the users that the fallthrough dealt.');
		END IF;
	END IF;
	SELECT c.wrong, c.hint INTO wrong, hint FROM (VALUES
		(experiment.control IS NULL, 'needs a control', 'Name the variation that the others are compared with.'),
		(coalesce(cardinality(experiment.variations), 0) < 2, 'needs at least two variations', 'Give a flag, or the variations that the assignment tells apart.'),
		(experiment.control <> ALL (experiment.variations), 'has a control that is not among its variations', NULL),
		((SELECT count(DISTINCT v) < count(*) OR count(v) < count(*) FROM unnest(experiment.variations) v), 'has a variation twice, or one that is NULL', NULL),
		(experiment.assignment ->> 'kind' <> 'relation' AND experiment.flag_key IS NULL, 'needs a flag', 'Only an assignment from a relation of yours goes without: give its source, unit_column, time_column and variation_column.'),
		(experiment.rule_id IS NOT NULL AND experiment.assignment ->> 'kind' = 'relation', 'has a rule, but takes its assignment from a relation', NULL),
		(NOT coalesce(experiment.alpha > 0 AND experiment.alpha < 1, false), 'needs an alpha between 0 and 1, both excluded', NULL),
		(NOT experiment.planned_n > 0, 'needs a planned_n of at least 1', NULL),
		(NOT isfinite(experiment.planned_end), 'needs a finite planned_end', NULL),
		(experiment.method = 'fixed' AND experiment.planned_n IS NULL AND experiment.planned_end IS NULL, 'has a fixed end, but neither planned_n nor planned_end', 'Only a size or an end that was fixed beforehand makes a fixed test valid. The function experiment_power tells how many units are needed; method sequential needs no plan.'),
		((experiment.method = 'group_sequential') <> (experiment.looks IS NOT NULL), CASE experiment.method WHEN 'group_sequential' THEN 'needs looks' ELSE 'has looks' END, 'Looks are shares of planned_n such as {0.5,1}; only method group_sequential has them.'),
		(experiment.method = 'group_sequential' AND experiment.planned_n IS NULL, 'needs a planned_n', NULL),
		((SELECT bool_or(l.look IS NULL OR NOT l.look > l.before OR NOT l.look <= 1) FROM (SELECT u.look, coalesce(lag(u.look) OVER (ORDER BY u.n), 0) AS before FROM unnest(experiment.looks) WITH ORDINALITY u (look, n)) l)
			OR cardinality(experiment.looks) NOT BETWEEN 1 AND 50, 'needs 1 to 50 looks that increase up to 1', NULL),
		(NOT (experiment.prior_sd > 0 AND experiment.prior_sd < 1e6), 'needs a prior_sd of more than 0', NULL),
		(NOT experiment.lookback > interval '0', 'needs a lookback of more than 0', NULL),
		(experiment.multiplicity <> 'e-BH' AND experiment.multiplicity <> ALL (ARRAY['none', 'bonferroni', 'holm', 'hochberg', 'hommel', 'sidak', 'holm-sidak', 'BH', 'BY']),
			format('has the unknown multiplicity "%s"', experiment.multiplicity), 'It is e-BH, or one of none, bonferroni, holm, hochberg, hommel, sidak, holm-sidak, BH and BY.'),
		(experiment.multiplicity = 'e-BH' AND experiment.method <> 'sequential', 'has multiplicity e-BH, but no e-values', 'Only method sequential has them; holm is the default of the others.')) c (is_wrong, wrong, hint)
		WHERE c.is_wrong LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'experiment "%" %', experiment.key, wrong
			USING ERRCODE = 'invalid_parameter_value', HINT = coalesce(hint, 'Plans are checked when the experiment is defined.');
	END IF;
	IF experiment.looks IS NOT NULL THEN
		PERFORM featbit.group_bounds(experiment.looks, experiment.alpha, 2, experiment.spending);
	END IF;
	experiment.variations := experiment.control || array_remove(experiment.variations, experiment.control);

	IF experiment.assignment ->> 'kind' = 'relation' THEN
		experiment.assignment := featbit.compile_relation(jsonb_build_object('variation', 'variation') || experiment.assignment, ARRAY['variation'], 'assignment', experiment.search_path);
		IF experiment.assignment #>> '{compiled,variation_type}' NOT IN ('text', 'character varying') THEN
			experiment.assignment := jsonb_set(experiment.assignment, '{compiled,variation}', to_jsonb(format('(%s)::text', experiment.assignment #>> '{compiled,variation}')));
		END IF;
	ELSIF experiment.assignment ->> 'kind' = 'replay' THEN
		experiment.assignment := featbit.compile_relation(experiment.assignment, ARRAY['context'], 'assignment', experiment.search_path);
		IF experiment.assignment #>> '{compiled,context_type}' <> 'jsonb' THEN
			RAISE EXCEPTION 'the context of the assignment has type %, not jsonb', experiment.assignment #>> '{compiled,context_type}'
				USING ERRCODE = 'datatype_mismatch', HINT = 'Write an expression such as jsonb_build_object(''country'', country).';
		END IF;
	ELSIF experiment.assignment <> '{"kind": "tracking"}' THEN
		RAISE EXCEPTION 'unknown assignment %', experiment.assignment
			USING ERRCODE = 'invalid_parameter_value', HINT = 'It is {"kind": "tracking"}, or of kind relation or replay with a source.';
	END IF;
	IF experiment.identity IS NOT NULL THEN
		experiment.identity := featbit.compile_relation(experiment.identity, ARRAY['anonymous'], 'identity', experiment.search_path);
	END IF;
	IF experiment.clusters IS NOT NULL THEN
		experiment.clusters := featbit.compile_relation(experiment.clusters, ARRAY['cluster'], 'clusters', experiment.search_path);
	END IF;
	SELECT c.wrong INTO wrong FROM (VALUES (experiment.identity IS NOT NULL AND NOT experiment.identity -> 'compiled' ? 'anonymous', 'identity needs the expression "anonymous"'),
		(experiment.clusters IS NOT NULL AND NOT experiment.clusters -> 'compiled' ? 'cluster', 'clusters need the expression "cluster"')) c (is_wrong, wrong) WHERE c.is_wrong LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '%', wrong USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the column of the source that holds it.';
	END IF;
	FOR dimension IN SELECT d.key, d.value FROM jsonb_each(experiment.dimensions) d LOOP
		experiment.dimensions := experiment.dimensions || jsonb_build_object(dimension.key,
			featbit.compile_relation(dimension.value, ARRAY['value'], format('dimension "%s"', dimension.key), experiment.search_path));
		IF NOT experiment.dimensions -> dimension.key -> 'compiled' ? 'value' THEN
			RAISE EXCEPTION 'dimension "%" needs the expression "value"', dimension.key
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the column of the source that holds it.';
		END IF;
	END LOOP;
	experiment.updated_at := statement_timestamp();
	experiment.updated_by := session_user;
	RETURN experiment;
END
$$;

COMMENT ON FUNCTION featbit.check_experiment(featbit.experiment) IS
'internal: an experiment after its parts were checked against each other and the flag, and its relations were compiled. Errors: 22023 for parts that do not fit, 42704 for an unknown flag, variation or rule, and those of compile_source';

CREATE FUNCTION featbit.set_experiment_metrics(experiment featbit.experiment, goals text[], guardrails jsonb, secondary text[]) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	listed text[];
	margin record;
	written bigint;
BEGIN
	IF coalesce(cardinality(goals), 0) = 0 THEN
		RAISE EXCEPTION 'experiment "%" needs a goal', experiment.key
			USING ERRCODE = 'null_value_not_allowed', HINT = 'Name at least one metric that the decision rests on, such as ARRAY[''purchase''].';
	END IF;
	IF jsonb_typeof(guardrails) <> 'object' THEN
		RAISE EXCEPTION 'guardrails must be an object of metrics and their margins'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', guardrails), HINT = 'For example {"latency": 0.05}: at most five percent worse.';
	END IF;
	FOR margin IN SELECT g.key, g.value FROM jsonb_each(guardrails) g WHERE jsonb_typeof(g.value) <> 'number' OR (g.value::numeric < 0 OR g.value::numeric >= 1000) LOOP
		RAISE EXCEPTION 'guardrail "%" needs a margin of 0 or more, not %', margin.key, margin.value
			USING ERRCODE = 'invalid_parameter_value', HINT = 'The margin is relative: 0.05 tolerates five percent worse.';
	END LOOP;
	listed := goals || ARRAY(SELECT g FROM jsonb_object_keys(guardrails) g) || coalesce(secondary, '{}');
	IF (SELECT count(DISTINCT l) < count(*) FROM unnest(listed) l) THEN
		RAISE EXCEPTION 'a metric of experiment "%" has two roles', experiment.key
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Each metric is a goal, a guardrail or secondary.';
	END IF;
	PERFORM featbit.stored_metric(l, experiment.environment) FROM unnest(listed) l;
	DELETE FROM featbit.experiment_metric m WHERE m.environment = experiment.environment AND m.experiment_key = experiment.key;
	INSERT INTO featbit.experiment_metric (environment, experiment_key, metric_key, role, margin, place)
		SELECT experiment.environment, experiment.key, l.key,
				CASE WHEN l.n <= cardinality(goals) THEN 'goal' WHEN guardrails ? l.key THEN 'guardrail' ELSE 'secondary' END,
				(guardrails ->> l.key)::double precision, l.n
			FROM unnest(listed) WITH ORDINALITY l (key, n);
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN written;
END
$$;

COMMENT ON FUNCTION featbit.set_experiment_metrics(featbit.experiment, text[], jsonb, text[]) IS
'internal: writes the metrics of an experiment and their roles; returns how many. Errors: 22004 without a goal, 42704 unknown metric, 22023 for margins or roles that do not fit';

CREATE FUNCTION featbit.create_experiment(experiment_key text, flag_key text, goals text[], guardrails jsonb DEFAULT '{}', secondary text[] DEFAULT NULL,
		control text DEFAULT NULL, variations text[] DEFAULT NULL, assignment jsonb DEFAULT NULL, rule_id text DEFAULT NULL, activation text DEFAULT NULL,
		dimensions jsonb DEFAULT '{}', identity jsonb DEFAULT NULL, clusters jsonb DEFAULT NULL, lookback interval DEFAULT NULL,
		method text DEFAULT 'sequential', alpha double precision DEFAULT 0.05, planned_n bigint DEFAULT NULL, planned_end timestamptz DEFAULT NULL,
		looks double precision[] DEFAULT NULL, spending text DEFAULT 'of', prior_sd double precision DEFAULT NULL, multiplicity text DEFAULT NULL,
		name text DEFAULT NULL, description text DEFAULT NULL, environment text DEFAULT NULL,
		search_path text DEFAULT pg_catalog.current_setting('search_path'))
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	experiment featbit.experiment;
BEGIN
	IF NOT featbit.lock_environment(env) THEN
		INSERT INTO featbit.environment (key) VALUES (env) ON CONFLICT DO NOTHING;
		PERFORM featbit.lock_environment(env);
	END IF;
	IF EXISTS (SELECT FROM featbit.experiment x WHERE x.environment = env AND x.key = experiment_key) THEN
		RAISE EXCEPTION 'experiment "%" already exists in environment "%"', experiment_key, env
			USING ERRCODE = 'unique_violation', HINT = 'Choose another key, or run it again with new_iteration.';
	END IF;
	IF activation IS NOT NULL THEN
		PERFORM featbit.stored_metric(activation, env);
	END IF;
	assignment := CASE WHEN assignment IS NULL THEN '{"kind": "tracking"}' WHEN jsonb_typeof(assignment) = 'object' AND NOT assignment ? 'kind' THEN '{"kind": "relation"}' || assignment ELSE assignment END;
	experiment := ROW(env, experiment_key, name, description, flag_key, rule_id, control, variations, assignment, activation, coalesce(dimensions, '{}'), identity, clusters, lookback,
		method, alpha, planned_n, planned_end, looks, coalesce(spending, 'of'), prior_sd, coalesce(multiplicity, CASE method WHEN 'sequential' THEN 'e-BH' ELSE 'holm' END), search_path, false, 1, NULL, NULL);
	experiment := featbit.check_experiment(experiment);
	INSERT INTO featbit.experiment SELECT experiment.*;
	PERFORM featbit.set_experiment_metrics(experiment, goals, coalesce(guardrails, '{}'), secondary);
	RETURN 1;
END
$$;

COMMENT ON FUNCTION featbit.create_experiment(text, text, text[], jsonb, text[], text, text[], jsonb, text, text, jsonb, jsonb, jsonb, interval, text, double precision, bigint, timestamptz, double precision[], text, double precision, text, text, text, text, text) IS
'defines an experiment; returns its revision, 1. It runs from start_experiment on.
experiment_key: its name. flag_key: the flag whose variations are compared, NULL when the assignment is not a flag''s. goals: metrics that the decision rests on; guardrails: metrics that must not get worse by more than a relative margin, such as {"latency": 0.05}; secondary: metrics that are shown. control: default the flag''s first variation; variations: default all of the flag.
assignment: default {"kind": "tracking"}, the exposures that expose recorded; {"source": ..., "unit_column": ..., "time_column": ..., "variation": ...}: a relation of yours with a row per exposure (columns default user_id, exposed_at, variation); {"kind": "replay", "source": ..., "unit_column": ..., "time_column": ..., "context": ...}: a relation of visits, for each of which the flag''s history tells what was served.
rule_id: the rule of the flag whose users are compared, default those that the fallthrough dealt. activation: a metric; only units with an event of it after their exposure count, from that event on. dimensions: what results can be sliced by, such as {"country": {"source": "users", "unit_column": "id", "value": "country"}}; use only what was known before the exposure. identity: {"source": ..., "unit_column": ..., "anonymous": ...}: which anonymous key is whose. clusters: {"source": ..., "unit_column": ..., "cluster": ...}: units that were randomised together. lookback: covariate window of all metrics that can have one.
method: sequential (valid at every look), fixed (one look, at planned_n units or at planned_end), group_sequential (looks: shares of planned_n; spending: as of group_bounds), bayes (prior_sd: of the relative effect, default flat). alpha: probability of a false alarm. multiplicity: over goals and variations, default e-BH for method sequential, else holm.
Errors: an experiment of this key (23505), unknown flags, variations, rules or metrics (42704), parts that do not fit (22023), and those of create_metric for the relations';

CREATE FUNCTION featbit.update_experiment(experiment_key text, changes jsonb, expected_revision bigint DEFAULT NULL, environment text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	free constant text[] := ARRAY['name', 'description', 'dimensions'];
	planned constant text[] := ARRAY['rule_id', 'control', 'variations', 'assignment', 'activation', 'identity', 'clusters', 'lookback', 'method', 'alpha', 'planned_n', 'planned_end',
		'looks', 'spending', 'prior_sd', 'multiplicity', 'search_path', 'goals', 'guardrails', 'secondary'];
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	locked boolean := featbit.lock_environment(env);
	experiment featbit.experiment := featbit.stored_experiment(experiment_key, env);
	wrong text;
BEGIN
	PERFORM featbit.refuse_other_revision('experiment', experiment.key, expected_revision, experiment.revision);
	IF jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'changes must be an object of columns and their new values' USING ERRCODE = 'invalid_parameter_value', HINT = 'For example {"planned_n": 20000}.';
	END IF;
	SELECT c INTO wrong FROM jsonb_object_keys(changes) c WHERE c <> ALL (free || planned) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '"%" of an experiment cannot be changed', wrong
			USING ERRCODE = 'invalid_parameter_value', HINT = coalesce('Did you mean "' || featbit.nearest_name(wrong, free || planned) || '"?', format('What can be is %s.', array_to_string(free || planned, ', ')));
	END IF;
	SELECT c INTO wrong FROM jsonb_object_keys(changes) c WHERE c = ANY (planned) LIMIT 1;
	IF FOUND AND EXISTS (SELECT FROM featbit.experiment_iteration i WHERE i.environment = env AND i.experiment_key = experiment_key AND i.stopped_at IS NULL) THEN
		RAISE EXCEPTION 'experiment "%" is running', experiment_key
			USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Changing "%s" now would change the plan after the data were seen.', wrong),
				HINT = 'Stop it first, then start a new iteration.';
	END IF;
	experiment := jsonb_populate_record(experiment, changes - ARRAY['goals', 'guardrails', 'secondary']);
	experiment := featbit.check_experiment(experiment);
	experiment.revision := experiment.revision + 1;
	IF changes ?| ARRAY['goals', 'guardrails', 'secondary'] THEN
		PERFORM featbit.set_experiment_metrics(experiment,
			CASE WHEN changes ? 'goals' THEN ARRAY(SELECT jsonb_array_elements_text(changes -> 'goals'))
				ELSE ARRAY(SELECT m.metric_key FROM featbit.experiment_metric m WHERE m.environment = env AND m.experiment_key = experiment_key AND m.role = 'goal' ORDER BY m.place) END,
			CASE WHEN changes ? 'guardrails' THEN changes -> 'guardrails'
				ELSE (SELECT coalesce(jsonb_object_agg(m.metric_key, m.margin), '{}') FROM featbit.experiment_metric m WHERE m.environment = env AND m.experiment_key = experiment_key AND m.role = 'guardrail') END,
			CASE WHEN changes ? 'secondary' THEN ARRAY(SELECT jsonb_array_elements_text(changes -> 'secondary'))
				ELSE ARRAY(SELECT m.metric_key FROM featbit.experiment_metric m WHERE m.environment = env AND m.experiment_key = experiment_key AND m.role = 'secondary' ORDER BY m.place) END);
	END IF;
	DELETE FROM featbit.experiment x WHERE x.environment = env AND x.key = experiment_key;
	INSERT INTO featbit.experiment SELECT experiment.*;
	RETURN experiment.revision;
END
$$;

COMMENT ON FUNCTION featbit.update_experiment(text, jsonb, bigint, text) IS
'changes an experiment; returns its new revision. changes: object with new values of columns of featbit.experiment and of goals, guardrails and secondary, as of create_experiment. While it runs only name, description and dimensions can be changed: a plan that follows the data is none. expected_revision: the revision that was read, NULL for last writer wins.
Errors: unknown experiment (42704), another revision is stored (40001), it is running (55000), and those of create_experiment';
