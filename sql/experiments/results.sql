-- experiments: results, tidy

CREATE TYPE featbit.experiment_result AS (experiment text, iteration integer, metric text, role text, kind text, variation text, is_control boolean, slice text, users bigint,
	mean double precision, effect double precision, ci_low double precision, ci_high double precision, p_value double precision, p_adjusted double precision, log_e double precision,
	p_better double precision, verdict text, reason text, status text, notes text[], as_of timestamptz, revision bigint);

COMMENT ON TYPE featbit.experiment_result IS 'a row of experiment_results';

CREATE FUNCTION featbit.sample_ratio(experiment featbit.experiment, epochs jsonb[], states featbit.experiment_state[], ended boolean,
		OUT counts bigint[], OUT weights double precision[], OUT chisq double precision, OUT df integer, OUT p_value double precision, OUT p_sequential double precision, OUT p_decisive double precision)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	test record;
BEGIN
	SELECT array_agg(e.counts ORDER BY e.n), array_agg(e.weights ORDER BY e.n) INTO counts, weights
		FROM (SELECT n.n, (SELECT array_agg(coalesce((SELECT sum(s.units) FROM unnest(states) s WHERE s.place = 0 AND s.epoch = n.n AND s.variation = v.v), 0)::bigint ORDER BY v.ordinality)
								FROM unnest(experiment.variations) WITH ORDINALITY v (v)) AS counts,
						(SELECT array_agg(coalesce((epochs[n.n] ->> v.v)::double precision, 0) ORDER BY v.ordinality) FROM unnest(experiment.variations) WITH ORDINALITY v (v)) AS weights
				FROM generate_subscripts(epochs, 1) n (n)) e;
	-- an epoch that expected nobody and got nobody says nothing
	SELECT array_agg(c.c ORDER BY c.n), array_agg(c.w ORDER BY c.n) INTO counts, weights
		FROM (SELECT n.n, (SELECT array_agg(counts[n.n][i]) FROM generate_subscripts(counts, 2) i) AS c, (SELECT array_agg(weights[n.n][i]) FROM generate_subscripts(counts, 2) i) AS w FROM generate_subscripts(counts, 1) n (n)) c
		WHERE (SELECT sum(x) FROM unnest(c.c) x) > 0;
	IF counts IS NULL OR EXISTS (SELECT FROM generate_subscripts(counts, 1) n WHERE NOT EXISTS (SELECT FROM generate_subscripts(counts, 2) i WHERE weights[n][i] > 0)) THEN
		RETURN;
	END IF;
	SELECT t.* INTO test
		FROM featbit.srm_test(CASE cardinality(counts[1:1]) WHEN cardinality(counts) THEN ARRAY(SELECT unnest(counts)) ELSE counts END,
			CASE cardinality(weights[1:1]) WHEN cardinality(weights) THEN ARRAY(SELECT unnest(weights)) ELSE weights END, 'chisq') t;
	chisq := test.chisq;
	df := test.df;
	p_value := test.p_value;
	p_sequential := test.p_sequential;
	p_decisive := CASE WHEN ended THEN test.p_value ELSE test.p_sequential END;
END
$$;

COMMENT ON FUNCTION featbit.sample_ratio(featbit.experiment, jsonb[], featbit.experiment_state[], boolean) IS
'internal: the sample-ratio check of an experiment, epoch by epoch of its planned weights: counts and weights by epoch and variation, the tests of srm_test, and p_decisive, the sequential one while it runs and the chi-square when it ended; NULL where nobody was counted or the weights are unknown';

CREATE FUNCTION featbit.mixed_exposure(states featbit.experiment_state[], OUT users bigint, OUT mixed bigint, OUT share double precision, OUT p_value double precision)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT t.users::bigint, t.mixed::bigint, t.mixed / nullif(t.users, 0)::double precision,
			CASE WHEN t.mixed > 0 AND t.mixed < t.users AND t.arms > 1 THEN
				(SELECT featbit.chi2_sf(sum((s.units - s.total * t.mixed / t.users) ^ 2 / (s.total * t.mixed / t.users) + (s.ignored - s.total * (1 - t.mixed / t.users)) ^ 2 / (s.total * (1 - t.mixed / t.users))), (t.arms - 1)::integer)
					FROM (SELECT u.units::double precision, u.ignored::double precision, (u.units + u.ignored)::double precision AS total FROM unnest(states) u WHERE u.place = -1 AND u.units + u.ignored > 0) s) END
		FROM (SELECT sum(s.units)::double precision AS mixed, sum(s.units + s.ignored)::double precision AS users, count(*) FILTER (WHERE s.units + s.ignored > 0) AS arms FROM unnest(states) s WHERE s.place = -1) t
	$$;

COMMENT ON FUNCTION featbit.mixed_exposure(featbit.experiment_state[]) IS
'internal: users of an experiment, those seen in several variations, their share, and the chi-square test of whether it differs by variation';

CREATE FUNCTION featbit.experiment_results(experiment_key text, as_of timestamptz DEFAULT NULL, slice text DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS SETOF featbit.experiment_result
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_column
DECLARE
	experiment constant featbit.experiment := featbit.stored_experiment(experiment_results.experiment_key, experiment_results.environment);
	until timestamptz := coalesce(experiment_results.as_of, statement_timestamp());
	iteration constant featbit.experiment_iteration := featbit.iteration_at(experiment, until);
	ended constant boolean := coalesce(iteration.stopped_at <= until, false);
	sliced constant boolean := experiment_results.slice IS NOT NULL;
	epochs constant jsonb[] := ARRAY(SELECT e.weights FROM featbit.experiment_epochs(experiment, iteration, until) e ORDER BY e.started_at);
	looks record;
	exposed_before timestamptz;
	info double precision[];
	states featbit.experiment_state[];
	served text[];
	total bigint;
	plan_reached boolean;
	ratio record;
	mixed record;
	general text[];
BEGIN
	IF experiment.method = 'group_sequential' THEN
		SELECT t.* INTO looks FROM featbit.look_times(experiment, iteration, until) t;
		IF looks.known IS NOT NULL THEN
			-- the analysis is that of the look, whenever it is asked for
			info := experiment.looks[1:cardinality(looks.known)];
			until := looks.known[cardinality(looks.known)];
			exposed_before := looks.exposed[cardinality(looks.known)];
		END IF;
	END IF;
	SELECT array_agg(s) INTO states FROM featbit.states_of(experiment, iteration, until, experiment_results.slice, exposed_before) s;
	SELECT coalesce(sum(s.units), 0) INTO total FROM unnest(states) s WHERE s.place = 0;
	plan_reached := CASE experiment.method WHEN 'group_sequential' THEN info IS NOT NULL
		ELSE coalesce(total >= experiment.planned_n, true) AND coalesce(until >= experiment.planned_end, true) END;
	SELECT r.* INTO ratio FROM featbit.sample_ratio(experiment, epochs, states, ended) r;
	SELECT x.* INTO mixed FROM featbit.mixed_exposure(states) x;
	-- a variation that was never to be dealt, nor was, is none of the experiment's
	served := ARRAY(SELECT v.v FROM unnest(experiment.variations) WITH ORDINALITY v (v, n)
		WHERE v.v = experiment.control OR NOT EXISTS (SELECT FROM unnest(epochs) e WHERE e IS NOT NULL) OR EXISTS (SELECT FROM unnest(epochs) e WHERE (e ->> v.v)::double precision > 0)
			OR EXISTS (SELECT FROM unnest(states) s WHERE s.place <= 0 AND s.variation = v.v AND s.units > 0) ORDER BY v.n);
	general := array_remove(ARRAY[CASE WHEN ratio.p_decisive < 0.001 THEN 'sample_ratio_mismatch' END,
		CASE WHEN mixed.share > 0.05 OR mixed.p_value < 0.001 THEN 'mixed_exposure' END,
		CASE WHEN (SELECT count(DISTINCT s.epoch) > 1 FROM unnest(states) s WHERE s.place = 0 AND s.units > 0) THEN 'weights_changed' END,
		CASE WHEN EXISTS (SELECT FROM unnest(states) s WHERE s.place = 0 AND s.units > 0 AND epochs[s.epoch] IS NULL) THEN 'unknown_weights' END,
		CASE WHEN experiment.method IN ('fixed', 'group_sequential') AND NOT plan_reached THEN 'planned_size_not_reached' END], NULL);

	RETURN QUERY
		WITH metric AS (
			SELECT x.place, x.metric_key, x.role, x.margin, d.kind, d.direction, d.minimum_effect, d.mature_only, count(*) FILTER (WHERE x.role = 'guardrail') OVER () AS guardrails,
					(row_number() OVER (ORDER BY x.place))::integer AS n
				FROM featbit.experiment_metric x JOIN featbit.metric_definition d ON d.environment = x.environment AND d.key = x.metric_key
				WHERE x.environment = experiment.environment AND x.experiment_key = experiment.key),
		state AS (SELECT s.* FROM unnest(states) s),
		part AS (SELECT DISTINCT s.slice_value FROM state s WHERE s.place = 0 UNION SELECT NULL WHERE NOT sliced),
		cell AS (
			SELECT m.*, v.variation, v.place AS arm, p.slice_value, coalesce(s.units, 0) AS units, s.stats, s.ignored, c.stats AS control_stats,
					m.mature_only AND s.units < (SELECT sum(z.units) FROM state z WHERE z.place = 0 AND z.variation = v.variation AND z.slice_value IS NOT DISTINCT FROM p.slice_value) AS immature
				FROM metric m CROSS JOIN unnest(served) WITH ORDINALITY v (variation, place) CROSS JOIN part p
				LEFT JOIN state s ON s.place = m.n AND s.variation = v.variation AND s.slice_value IS NOT DISTINCT FROM p.slice_value
				LEFT JOIN state c ON c.place = m.n AND c.variation = experiment.control AND c.slice_value IS NOT DISTINCT FROM p.slice_value AND v.variation <> experiment.control),
		compared AS (
			SELECT c.*, r.effect, r.ci_low, r.ci_high, r.p_value, r.log_e, r.p_better, r.harmed, r.harmless, r.status, r.notes,
					row_number() OVER (ORDER BY c.place, c.slice_value, c.arm) AS row
				FROM cell c LEFT JOIN LATERAL featbit.compare_variation(c.control_stats, c.stats, experiment, plan_reached, info, c.direction, c.margin, c.guardrails) r ON c.variation <> experiment.control),
		adjusted AS (
			SELECT u.p, g.rows[u.n] AS row
				FROM (SELECT array_agg(c.row ORDER BY c.row) AS rows,
							CASE experiment.multiplicity WHEN 'e-BH' THEN featbit.adjust_e(array_agg(CASE WHEN c.log_e IS NOT NULL THEN exp(least(c.log_e, 700)) END ORDER BY c.row))
								ELSE featbit.adjust_p(array_agg(c.p_value ORDER BY c.row), experiment.multiplicity) END AS p
						FROM compared c WHERE c.role = 'goal' AND c.variation <> experiment.control) g
				CROSS JOIN LATERAL unnest(g.p) WITH ORDINALITY u (p, n)),
		judged AS (
			SELECT c.*, a.p AS p_adjusted,
					CASE WHEN c.role = 'goal' THEN
						CASE WHEN experiment.method = 'bayes' THEN CASE WHEN c.p_better >= 1 - experiment.alpha / 2 THEN 1 WHEN c.p_better <= experiment.alpha / 2 THEN -1 ELSE 0 END
							WHEN a.p < experiment.alpha THEN (sign(c.effect) * CASE c.direction WHEN 'decrease' THEN -1 ELSE 1 END)::integer ELSE 0 END END AS outcome
				FROM compared c LEFT JOIN adjusted a ON a.row = c.row),
		decision AS (
			SELECT j.variation, d.verdict, d.reason
				FROM (SELECT j.variation,
							array_agg(j.metric_key::text ORDER BY j.place) FILTER (WHERE j.harmed) AS harmed,
							array_agg(j.metric_key::text ORDER BY j.place) FILTER (WHERE j.outcome < 0) AS worse,
							array_agg(j.metric_key::text ORDER BY j.place) FILTER (WHERE j.outcome > 0) AS better,
							array_agg(j.metric_key::text ORDER BY j.place) FILTER (WHERE j.role = 'guardrail' AND NOT coalesce(j.harmless, false)) AS undecided,
							bool_and(coalesce(j.ci_low >= -j.minimum_effect AND j.ci_high <= j.minimum_effect, false)) FILTER (WHERE j.role = 'goal') AS within_minimum
						FROM judged j WHERE j.variation <> experiment.control GROUP BY j.variation) j
				CROSS JOIN LATERAL featbit.decide(ended, experiment.method,
					ARRAY(SELECT v.v FROM unnest(served) v (v) WHERE NOT EXISTS (SELECT FROM state s WHERE s.variation = v.v AND (s.place = 0 OR s.place = -1) AND s.units > 0)),
					ratio.p_decisive, mixed.share, mixed.p_value, j.harmed, plan_reached, j.worse, j.better, j.undecided, j.within_minimum) d
				WHERE NOT sliced)
		SELECT experiment.key::text, iteration.iteration, j.metric_key::text, j.role::text, j.kind::text, j.variation, j.variation = experiment.control, j.slice_value, j.units,
				featbit.mean_of(j.stats), j.effect, j.ci_low, j.ci_high, j.p_value, j.p_adjusted, j.log_e, j.p_better, d.verdict, d.reason,
				CASE WHEN j.variation <> experiment.control THEN coalesce(j.status, 'no_data') WHEN j.units = 0 OR j.stats IS NULL THEN 'no_data' ELSE 'ok' END,
				ARRAY(SELECT DISTINCT n FROM unnest(general || coalesce(j.notes, '{}') || CASE WHEN j.ignored > 0 THEN '{ignored_values}'::text[] ELSE '{}' END
					|| CASE WHEN j.immature THEN '{immature_units}'::text[] ELSE '{}' END || CASE WHEN sliced THEN '{slice}'::text[] ELSE '{}' END) n ORDER BY n),
				until, experiment.revision
			FROM judged j LEFT JOIN decision d ON d.variation = j.variation
			ORDER BY j.place, j.slice_value, j.arm;
END
$$;

COMMENT ON FUNCTION featbit.experiment_results(text, timestamptz, text, text) IS
'the results of an experiment: one row per metric and variation, and with a slice per value of it.
experiment_key: required. as_of: what was known before that moment (default now); the iteration is the last one that had been started then. slice: a dimension of the experiment. environment: default the setting featbit.environment.
Returns the experiment and its iteration; metric, its role and kind; variation, is_control; slice: the value; users: units in the denominator; mean (of a ratio the ratio, of a quantile the quantile, not adjusted); effect: relative to |mean of control|, 0.1 is ten percent more, with its interval of level 1 - alpha; p_value, of goals also p_adjusted over all goals, variations and slices; log_e: evidence (sequential); p_better (bayes): probability that the variation is better, in the metric''s direction; verdict on the variation, and the reason in words, as of decide; status and notes as of effect, and the notes sample_ratio_mismatch, mixed_exposure, weights_changed, unknown_weights, planned_size_not_reached (the numbers are sequential until it is), ignored_values, immature_units (units whose window is still open are left out), slice (a slice decides nothing); as_of: the moment, of a group sequential design that of the last look; revision: of the experiment''s configuration.
Randomised units count from their first exposure in the iteration on, all of them; those seen in several variations are left out. The sources are read with the rights of the caller.
Errors: unknown experiment or dimension (42704), not started (55000), and what reading the sources raises (42501 for rights that lack)';
