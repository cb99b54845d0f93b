-- experiments: over time, and whether they can be trusted

CREATE FUNCTION featbit.experiment_timeseries(experiment_key text, step interval DEFAULT '1 day', until timestamptz DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS TABLE ("time" timestamptz, metric text, role text, variation text, users bigint, mean double precision, effect double precision, ci_low double precision, ci_high double precision,
		p_value double precision, log_e double precision, verdict text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_column
DECLARE
	experiment constant featbit.experiment := featbit.stored_experiment(experiment_timeseries.experiment_key, experiment_timeseries.environment);
	last constant timestamptz := coalesce(experiment_timeseries.until, statement_timestamp());
	iteration constant featbit.experiment_iteration := featbit.iteration_at(experiment, last);
	ending constant timestamptz := least(last, iteration.stopped_at);
BEGIN
	IF experiment_timeseries.step IS NULL OR NOT experiment_timeseries.step > interval '0' THEN
		RAISE EXCEPTION 'step must be more than 0, not %', experiment_timeseries.step USING ERRCODE = 'invalid_parameter_value', HINT = 'For example interval ''1 day''.';
	END IF;
	IF (ending - iteration.started_at) > 1000 * experiment_timeseries.step THEN
		RAISE EXCEPTION 'experiment "%" has more than 1000 steps of %', experiment.key, experiment_timeseries.step
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Each step is an analysis of its own. Give a longer step.';
	END IF;
	RETURN QUERY
		SELECT t.at, r.metric, r.role, r.variation, r.users, r.mean, r.effect, r.ci_low, r.ci_high, r.p_value, r.log_e, r.verdict
			FROM (SELECT g AS at FROM generate_series(iteration.started_at + experiment_timeseries.step, ending, experiment_timeseries.step) g WHERE g < ending UNION ALL SELECT ending) t
			CROSS JOIN LATERAL featbit.experiment_results(experiment.key, t.at, NULL, experiment.environment) WITH ORDINALITY r
			ORDER BY t.at, r.ordinality;
END
$$;

COMMENT ON FUNCTION featbit.experiment_timeseries(text, interval, timestamptz, text) IS
'the results of an experiment as they would have been at each step (default: every day) from its start to its end, or until: one row per moment, metric and variation, ascending, the moment in the column "time".
experiment_key: required. step: at least a thousandth of the duration; every step is an analysis of its own. Returns the columns of experiment_results.
Errors: those of experiment_results, a step that is none (22023) or too short (54000)';

CREATE FUNCTION featbit.experiment_health(experiment_key text, as_of timestamptz DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS TABLE (check_name text, metric text, variation text, day integer, users bigint, value double precision, expected double precision, p_value double precision, status text, detail text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET enable_nestloop = off SET jit = off SET extra_float_digits = 1
	AS $$
#variable_conflict use_column
DECLARE
	experiment constant featbit.experiment := featbit.stored_experiment(experiment_health.experiment_key, experiment_health.environment);
	until constant timestamptz := coalesce(experiment_health.as_of, statement_timestamp());
	iteration constant featbit.experiment_iteration := featbit.iteration_at(experiment, until);
	ended constant boolean := coalesce(iteration.stopped_at <= until, false);
	epochs constant jsonb[] := ARRAY(SELECT e.weights FROM featbit.experiment_epochs(experiment, iteration, until) e ORDER BY e.started_at);
	states featbit.experiment_state[];
	metrics featbit.metric_definition[];
	metric featbit.metric_definition;
	aged featbit.metric_definition[] := '{}';
	ages integer[] := '{}';
	keys text[] := '{}';
	ratio record;
	mixed record;
	late record;
	days integer;
	whole featbit.experiment;
BEGIN
	SELECT array_agg(s) INTO states FROM featbit.experiment_states(experiment.key, until, NULL, experiment.environment) s;
	SELECT r.* INTO ratio FROM featbit.sample_ratio(experiment, epochs, states, ended) r;
	RETURN QUERY
		SELECT 'sample_ratio'::text, NULL::text, v.v, NULL::integer, c.observed, c.observed / nullif(sum(c.observed) OVER (), 0)::double precision, c.expected / nullif(sum(c.observed) OVER (), 0), ratio.p_decisive,
				CASE WHEN ratio.p_decisive IS NULL THEN 'unknown' WHEN ratio.p_decisive < 0.001 THEN 'failed' ELSE 'ok' END,
				format('share of the users; %s', CASE WHEN ratio.p_decisive IS NULL THEN 'the planned weights are unknown, or nobody came' WHEN ended THEN 'chi-square' ELSE 'sequential test' END)
			FROM unnest(experiment.variations) WITH ORDINALITY v (v, n)
			CROSS JOIN LATERAL (SELECT coalesce((SELECT sum(s.units) FROM unnest(states) s WHERE s.place = 0 AND s.variation = v.v), 0)::bigint AS observed,
				(SELECT sum(e.total * ratio.weights[e.n][v.n] / e.weight)
					FROM (SELECT n.n, (SELECT sum(ratio.counts[n.n][i]) FROM generate_subscripts(ratio.counts, 2) i) AS total, (SELECT sum(ratio.weights[n.n][i]) FROM generate_subscripts(ratio.counts, 2) i) AS weight
							FROM generate_subscripts(ratio.counts, 1) n (n)) e WHERE e.weight > 0) AS expected) c
			ORDER BY v.n;
	SELECT x.* INTO mixed FROM featbit.mixed_exposure(states) x;
	RETURN QUERY
		SELECT 'mixed_exposure'::text, NULL::text, v.v, NULL::integer, s.units, s.units / nullif(s.units + s.ignored, 0)::double precision, mixed.share, mixed.p_value,
				CASE WHEN mixed.share > 0.05 OR mixed.p_value < 0.001 THEN 'failed' WHEN mixed.mixed > 0 THEN 'warning' ELSE 'ok' END, 'share of the users, by their first variation, who saw several; they are left out'::text
			FROM unnest(experiment.variations) WITH ORDINALITY v (v, n) JOIN unnest(states) s ON s.place = -1 AND s.variation = v.v ORDER BY v.n;
	IF experiment.activation IS NOT NULL THEN
		RETURN QUERY
			WITH arm AS (
				SELECT v.n, v.v, e.ignored::double precision AS exposed, coalesce((SELECT sum(s.units) FROM unnest(states) s WHERE s.place = 0 AND s.variation = v.v), 0)::double precision AS active
					FROM unnest(experiment.variations) WITH ORDINALITY v (v, n) JOIN unnest(states) e ON e.place = -1 AND e.variation = v.v WHERE e.ignored > 0),
			total AS (SELECT sum(a.active) / sum(a.exposed) AS rate, count(*) AS arms FROM arm a),
			test AS (SELECT CASE WHEN t.rate > 0 AND t.rate < 1 AND t.arms > 1 THEN
						featbit.chi2_sf(sum((a.active - a.exposed * t.rate) ^ 2 / nullif(a.exposed * t.rate, 0) + (a.exposed - a.active - a.exposed * (1 - t.rate)) ^ 2 / nullif(a.exposed * (1 - t.rate), 0)), (t.arms - 1)::integer) END AS p
					FROM arm a, total t GROUP BY t.rate, t.arms)
			SELECT 'drop_out'::text, experiment.activation::text, a.v, NULL::integer, a.exposed::bigint, 1 - a.active / a.exposed, 1 - t.rate, q.p, CASE WHEN q.p < 0.001 THEN 'failed' ELSE 'ok' END,
					'share of the exposed users without the activating event'::text
				FROM arm a, total t, test q ORDER BY a.n;
	END IF;
	metrics := featbit.metrics_of(experiment);
	-- how fresh each source is
	FOREACH metric IN ARRAY metrics LOOP
		EXECUTE format('SELECT max(s.%1$s) AS at, count(*) AS n FROM %2$s s WHERE s.%1$s >= $1 AND s.%1$s < $2 AND %3$s', metric.compiled ->> 'time', metric.compiled ->> 'source', featbit.events_sql(metric, 1, 'filter'))
			INTO late USING iteration.started_at, until;
		RETURN QUERY SELECT 'event_lag'::text, metric.key::text, NULL::text, NULL::integer, late.n, extract(epoch FROM until - late.at)::double precision, NULL::double precision, NULL::double precision,
			CASE WHEN late.n = 0 THEN 'failed' ELSE 'ok' END, CASE WHEN late.n = 0 THEN 'no event since the start' ELSE 'seconds since the last event; users: events since the start' END;
	END LOOP;
	-- is the effect one of novelty? the same metrics day by day since the exposure, for those who are that far
	days := least(greatest(floor(extract(epoch FROM until - iteration.started_at) / 86400)::integer, 0), 7);
	FOREACH metric IN ARRAY metrics LOOP
		IF metric.kind IN ('conversion', 'count', 'sum', 'mean', 'ratio') THEN
			FOR day IN 0 .. days - 1 LOOP
				metric.delay := make_interval(days => day);
				metric.attribution_window := interval '1 day';
				metric.mature_only := true;
				metric.lookback := NULL;
				aged := aged || metric;
				ages := ages || day;
				keys := keys || metric.key::text;
			END LOOP;
		END IF;
	END LOOP;
	IF cardinality(aged) > 0 THEN
		whole := experiment;
		whole.lookback := NULL;
		RETURN QUERY EXECUTE format(
			'WITH state AS MATERIALIZED (SELECT q.metric, q.variation::text, q.units, q.stats FROM (%s) q WHERE q.metric > 0),
			compared AS (
				SELECT ($2)[t.metric] AS key, ($3)[t.metric] AS day, t.variation, t.units, e.effect, e.se, e.p_value
					FROM state t JOIN state c ON c.metric = t.metric AND c.variation = $1 AND t.variation <> $1 CROSS JOIN LATERAL featbit.effect(c.stats, t.stats) e WHERE t.units > 1),
			trend AS (
				SELECT g.key, g.variation, h.p_value
					FROM (SELECT c.key, c.variation, array_agg(c.effect) AS effects, array_agg(c.se) AS ses FROM compared c WHERE c.se > 0 AND abs(c.effect) < 1e100 GROUP BY 1, 2) g CROSS JOIN LATERAL featbit.heterogeneity(g.effects, g.ses) h)
			SELECT ''effect_by_day'', c.key, c.variation, c.day, c.units, c.effect, NULL::double precision, t.p_value, CASE WHEN t.p_value < 0.01 THEN ''warning'' ELSE ''ok'' END,
					''relative effect on that day after the exposure; p: whether the days differ''
				FROM compared c LEFT JOIN trend t USING (key, variation) ORDER BY array_position($2, c.key), c.variation, c.day',
			featbit.experiment_sql(whole, iteration, aged, until, NULL))
			USING experiment.control::text, keys, ages;
	END IF;
END
$$;

COMMENT ON FUNCTION featbit.experiment_health(text, timestamptz, text) IS
'whether an experiment can be trusted: one row per check, and variation or metric.
check_name: sample_ratio (value: share of the users; expected: the planned share; p_value: sequential while it runs, chi-square when it ended), mixed_exposure (value: share of the users who saw several variations, by their first; p_value: whether the shares differ), drop_out (with an activation metric: share of the exposed who were not activated), event_lag (value: seconds between as_of and the newest event of the metric; users: number of events), effect_by_day (value: relative effect on the first, second ... day after the exposure, for users whose day is over, up to a week; p_value: whether the days differ, as with novelty). status: ok, warning, failed or unknown; detail: what the numbers are.
experiment_key: required. as_of: default now. environment: default the setting featbit.environment. Errors: those of experiment_results';

CREATE FUNCTION featbit.experiment_history(experiment featbit.experiment, population jsonb, history interval, as_of timestamptz, salt text, OUT rehearsal featbit.experiment, OUT iteration featbit.experiment_iteration)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_variable
DECLARE
	tracking text;
	compiled jsonb;
BEGIN
	IF history IS NULL OR NOT history > interval '0' THEN
		RAISE EXCEPTION 'history must be more than 0, not %', history USING ERRCODE = 'invalid_parameter_value', HINT = 'For example interval ''28 days''.';
	END IF;
	IF population IS NOT NULL THEN
		IF jsonb_typeof(population) <> 'object' OR NOT population ?& ARRAY['source', 'unit_column', 'time_column'] THEN
			RAISE EXCEPTION 'population must be an object of source, unit_column and time_column'
				USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', population), HINT = 'Name the relation of visits that would have been exposures.';
		END IF;
		compiled := jsonb_build_object('source', CASE WHEN population ->> 'source' ~* '^\s*(select|with|values|table)\M' THEN '(' || (population ->> 'source') || ')' ELSE population ->> 'source' END,
			'unit', quote_ident(population ->> 'unit_column'), 'time', quote_ident(population ->> 'time_column'), 'unit_type', 'text');
	ELSIF experiment.assignment ->> 'kind' = 'tracking' THEN
		SELECT e.tracking_schema INTO tracking FROM featbit.environment e WHERE e.key = experiment.environment;
		IF tracking IS NULL THEN
			RAISE EXCEPTION 'environment "%" has no tracking tables', experiment.environment
				USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give population, the relation of visits that would have been exposures.';
		END IF;
		compiled := jsonb_build_object('source', format('(SELECT v.user_key, v.occurred_at FROM %I.event v WHERE v.environment = %L)', tracking, experiment.environment), 'unit', 'user_key', 'time', 'occurred_at', 'unit_type', 'text');
	ELSE
		compiled := experiment.assignment -> 'compiled';
	END IF;
	rehearsal := experiment;
	rehearsal.assignment := jsonb_build_object('kind', 'relation', 'compiled', compiled || jsonb_build_object('variation',
		CASE WHEN salt IS NULL THEN quote_literal('everyone')
			ELSE format('CASE WHEN hashtextextended(%L || s.%s::text, 0) & 1 = 0 THEN ''control'' ELSE ''treatment'' END', salt, compiled ->> 'unit') END));
	rehearsal.variations := CASE WHEN salt IS NULL THEN ARRAY['everyone'] ELSE ARRAY['control', 'treatment'] END;
	rehearsal.control := rehearsal.variations[1];
	rehearsal.flag_key := NULL;
	iteration.environment := experiment.environment;
	iteration.experiment_key := experiment.key;
	iteration.iteration := 0;
	iteration.started_at := as_of - history;
END
$$;

COMMENT ON FUNCTION featbit.experiment_history(featbit.experiment, jsonb, interval, timestamptz, text) IS
'internal: an experiment and iteration that were never run: those who came in a stretch of history, all in one variation, or dealt by a salt into control and treatment';

CREATE FUNCTION featbit.experiment_power(experiment_key text, population jsonb DEFAULT NULL, history interval DEFAULT '28 days', power double precision DEFAULT 0.8, as_of timestamptz DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS TABLE (metric text, role text, users bigint, daily_users double precision, mean double precision, stddev double precision, target double precision,
		n_per_variation bigint, n_total bigint, days integer, detectable double precision, status text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET enable_nestloop = off SET jit = off SET extra_float_digits = 1
	AS $$
#variable_conflict use_column
DECLARE
	experiment constant featbit.experiment := featbit.stored_experiment(experiment_power.experiment_key, experiment_power.environment);
	until constant timestamptz := coalesce(experiment_power.as_of, statement_timestamp());
	past record;
	metrics featbit.metric_definition[];
	arms constant integer := cardinality(experiment.variations);
	sequential constant boolean := experiment.method IN ('sequential', 'group_sequential');
BEGIN
	SELECT h.* INTO past FROM featbit.experiment_history(experiment, experiment_power.population, experiment_power.history, until, NULL) h;
	metrics := featbit.metrics_of(experiment);
	RETURN QUERY EXECUTE format(
		'WITH state AS MATERIALIZED (SELECT q.metric, q.units, q.stats FROM (%s) q),
		came AS (SELECT coalesce(sum(s.units), 0)::bigint AS users FROM state s WHERE s.metric = 0),
		base AS (
			SELECT x.metric_key::text AS key, x.role::text AS role, x.place, s.units, abs(e.mean_c) AS mean, e.se * sqrt(s.units / 2.0) AS sd, coalesce(x.margin, d.minimum_effect) AS target, x.role = ''guardrail'' AS one_sided
				FROM featbit.experiment_metric x JOIN featbit.metric_definition d ON d.environment = x.environment AND d.key = x.metric_key
				LEFT JOIN state s ON s.metric = (SELECT count(*) FROM featbit.experiment_metric y WHERE y.environment = x.environment AND y.experiment_key = x.experiment_key AND y.place <= x.place)
				LEFT JOIN LATERAL featbit.effect(s.stats, s.stats, ''absolute'') e ON true
				WHERE x.environment = $1 AND x.experiment_key = $2),
		sized AS (
			SELECT b.*, featbit.needed_units(b.mean, b.sd, b.target, $3, $4, CASE WHEN b.one_sided THEN 1 ELSE 2 END, $5, $6) AS n FROM base b)
		SELECT s.key, s.role, c.users, c.users / (extract(epoch FROM $7::interval) / 86400)::float8, s.mean, s.sd, s.target, s.n, s.n * $8,
				CASE WHEN c.users > 0 AND s.n * $8 / (c.users / (extract(epoch FROM $7::interval) / 86400)) < 1e9 THEN ceil(s.n * $8 / (c.users / (extract(epoch FROM $7::interval) / 86400)))::integer END,
				CASE WHEN s.mean > 0 AND s.sd > 0 AND coalesce($9, c.users) / $8 > 1 THEN featbit.mde(s.mean, s.sd, coalesce($9, c.users)::float8 / $8, $3, $4, CASE WHEN s.one_sided THEN 1 ELSE 2 END) END,
				CASE WHEN coalesce(s.units, 0) = 0 THEN ''no_data'' WHEN s.mean = 0 OR s.mean IS NULL THEN ''zero_control_mean'' WHEN NOT s.sd > 0 OR s.sd IS NULL THEN ''zero_variance'' WHEN s.target IS NULL THEN ''no_target'' ELSE ''ok'' END
			FROM sized s, came c ORDER BY s.place',
		featbit.experiment_sql(past.rehearsal, past.iteration, metrics, until, NULL))
		USING experiment.environment, experiment.key, experiment.alpha, experiment_power.power, sequential, experiment.planned_n, experiment_power.history, arms, experiment.planned_n;
END
$$;

COMMENT ON FUNCTION featbit.experiment_power(text, jsonb, interval, double precision, timestamptz, text) IS
'how many users an experiment needs, from those who came in the past: one row per metric.
experiment_key: required; it need not have been started. population: {"source", "unit_column", "time_column"}, the visits that would have been exposures; default the relation of the assignment, or the events that track recorded. history: how far back from as_of (default now). power: probability to find the target.
Returns users who came in that time, per day; mean and stddev of the metric, after adjustment by the covariate; target: minimum_effect of the metric, of a guardrail its margin; n_per_variation, n_total and days until then, by the method of the experiment (sequential ones need more); detectable: relative effect that planned_n users, or those who came, would find with a fixed test; status: ok, no_data, zero_control_mean, zero_variance, no_target. Windows that were still open count as they are.
Errors: unknown experiment (42704), a population that is none (22023), and what reading the sources raises';

CREATE FUNCTION featbit.needed_units(mean double precision, stddev double precision, target double precision, alpha double precision, power double precision, sides integer, sequential boolean, planned_n bigint) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	fixed double precision;
	n double precision;
	low double precision;
	high double precision;
	rho double precision;
	level constant double precision := alpha * 2 / sides;
	z constant double precision := featbit.norm_quantile(power);
BEGIN
	IF NOT mean > 0 OR NOT stddev > 0 OR NOT target > 0 OR mean IS NULL OR stddev IS NULL OR target IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT s.n_control INTO fixed FROM featbit.sample_size(mean, stddev, target, alpha, power, sides) s;
	IF fixed IS NULL OR NOT sequential THEN
		RETURN fixed;
	END IF;
	-- the least n at which effect / se(n) reaches the boundary of the mixture at n plus z(power)
	low := fixed;
	high := fixed * 20;
	FOR i IN 1 .. 60 LOOP
		n := (low + high) / 2;
		rho := coalesce(planned_n, 10000) / (ln(1 - 2 * ln(level)) - 2 * ln(level));
		IF mean * target / sqrt(stddev ^ 2 * ((1 + target) ^ 2 + 1) / n) >= sqrt((2 * n + rho) / (2 * n) * ln((2 * n + rho) / (rho * level ^ 2))) + z THEN
			high := n;
		ELSE
			low := n;
		END IF;
	END LOOP;
	RETURN ceil(high);
END
$$;

COMMENT ON FUNCTION featbit.needed_units(double precision, double precision, double precision, double precision, double precision, integer, boolean, bigint) IS
'internal: units per variation that find a relative effect, as of sample_size; sequential: those at which the mixture boundary of effect_sequential is crossed with the given probability. NULL where none suffices or is known';

CREATE FUNCTION featbit.simulate_experiment(experiment_key text, lift double precision DEFAULT 0, repetitions integer DEFAULT 20, population jsonb DEFAULT NULL, history interval DEFAULT '28 days',
		as_of timestamptz DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS TABLE (metric text, analysed integer, significant double precision, covered double precision, mean_effect double precision)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET enable_nestloop = off SET jit = off SET extra_float_digits = 1
	AS $$
#variable_conflict use_column
DECLARE
	experiment constant featbit.experiment := featbit.stored_experiment(simulate_experiment.experiment_key, simulate_experiment.environment);
	until constant timestamptz := coalesce(simulate_experiment.as_of, statement_timestamp());
	wanted constant double precision := simulate_experiment.lift;
	times constant integer := simulate_experiment.repetitions;
	past record;
	metrics featbit.metric_definition[];
	found jsonb := '[]';
	outcome jsonb;
BEGIN
	IF times IS NULL OR times NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION 'repetitions must be between 1 and 1000, not %', times USING ERRCODE = 'invalid_parameter_value', HINT = 'Each repetition is an analysis of its own.';
	END IF;
	IF wanted IS NULL OR NOT (wanted > -1 AND wanted < 1000) THEN
		RAISE EXCEPTION 'lift must be more than -1, not %', wanted USING ERRCODE = 'invalid_parameter_value', HINT = 'The lift is relative: 0.02 is two percent more.';
	END IF;
	metrics := featbit.metrics_of(experiment);
	FOR i IN 1 .. times LOOP
		SELECT h.* INTO past FROM featbit.experiment_history(experiment, simulate_experiment.population, simulate_experiment.history, until, 'rehearsal ' || i || ' ') h;
		EXECUTE format(
			'WITH state AS MATERIALIZED (SELECT q.metric, q.variation::text, q.stats FROM (%s) q WHERE q.metric > 0)
			SELECT jsonb_agg(jsonb_build_object(''n'', t.metric, ''effect'', r.effect, ''low'', r.ci_low, ''high'', r.ci_high))
				FROM state t JOIN state c ON c.metric = t.metric AND c.variation = ''control'' AND t.variation = ''treatment''
				CROSS JOIN LATERAL featbit.compare_variation(c.stats, featbit.lifted(t.stats, $1), $2, true, NULL, ''increase'', NULL, 0) r',
			featbit.experiment_sql(past.rehearsal, past.iteration, metrics, until, NULL))
			INTO outcome USING wanted, experiment;
		found := found || coalesce(outcome, '[]');
	END LOOP;
	RETURN QUERY
		SELECT metrics[n.n].key::text, count(f.*)::integer, avg((f.low > 0 OR f.high < 0)::integer)::double precision,
				avg((f.low <= wanted AND f.high >= wanted)::integer)::double precision, avg(f.effect)::double precision
			FROM generate_subscripts(metrics, 1) n
			LEFT JOIN jsonb_to_recordset(found) f (n integer, effect double precision, low double precision, high double precision) ON f.n = n.n
			GROUP BY n.n, metrics[n.n].key ORDER BY n.n;
END
$$;

COMMENT ON FUNCTION featbit.simulate_experiment(text, double precision, integer, jsonb, interval, timestamptz, text) IS
'rehearses an experiment on those who came in the past: deals them by chance into two halves, makes the values of one larger by a lift, and analyses as the experiment would, again and again; the same every time.
experiment_key: required; it need not have been started. lift: relative, 0 shows false alarms, other values the power. repetitions: 1 to 1000, each an analysis of its own. population, history, as_of: as of experiment_power.
Returns per metric analysed, how many repetitions there were something to compare in, the share of them that were significant (before adjustment for several metrics), the share whose interval covers the lift, and the mean effect.
Errors: unknown experiment (42704), arguments out of range (22023), and what reading the sources raises';

CREATE FUNCTION featbit.lifted(state featbit.stats, lift double precision) RETURNS featbit.stats
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
	AS $$
	SELECT CASE WHEN lift = 0 THEN state
		WHEN t.j ->> 'kind' = 'proportion' THEN featbit.stats_from_counts(n, least(round(s * (1 + lift)), n)::bigint)
		ELSE jsonb_set(jsonb_set(t.j, '{means,0}', to_jsonb((t.j #>> '{means,0}')::double precision * (1 + lift))), '{comoments}',
			-- the lower triangle by rows: row i starts at i (i - 1) / 2, and its first column is with y
			(SELECT jsonb_agg((c.value #>> '{}')::double precision * CASE WHEN c.n = 1 THEN (1 + lift) ^ 2 WHEN EXISTS (SELECT FROM generate_series(1, 16) i WHERE i * (i - 1) / 2 + 1 = c.n) THEN 1 + lift ELSE 1 END ORDER BY c.n)
				FROM jsonb_array_elements(t.j -> 'comoments') WITH ORDINALITY c (value, n)))::text::featbit.stats END
		FROM (SELECT state::text::jsonb AS j, featbit.n(state) AS n, featbit.total(state) AS s) t
	$$;

COMMENT ON FUNCTION featbit.lifted(featbit.stats, double precision) IS
'internal: a state of which the first variate of every unit is larger by a relative lift; of a proportion that many more have converted';
