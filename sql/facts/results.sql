-- facts: results of a flag, without ceremony
--
-- enable_nestloop is off because facts are often asked about right after they were loaded, before they were analysed:
-- the planner then takes them for a few rows, and a loop over users through an index of events becomes quadratic.
-- Hash and merge joins stay linear whatever it believes. What the setting adds to the estimates would call for JIT; it is off too.

CREATE FUNCTION featbit.flag_results(flag_key text, event_name text, control text DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS TABLE (rule_id text, variation text, users bigint, converted bigint, mean double precision,
		effect double precision, ci_low double precision, ci_high double precision, p_value double precision, p_adjusted double precision,
		srm_p double precision, mixed_users bigint, status text, notes text[])
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET TimeZone = 'UTC'
	SET enable_nestloop = off SET jit = off
	SET jit = off
	AS $$
#variable_conflict use_column
DECLARE
	env constant text := coalesce(flag_results.environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	max_mixed constant integer := 10000;
	tracking text;
	near text;
	flag record;
	legal text[];
	boundaries timestamptz[];
	mixed text[];
	mixed_source text;
	cells jsonb;
	first_exposed timestamptz;
	first_revision bigint;
BEGIN
	IF flag_results.flag_key IS NULL OR flag_results.event_name IS NULL THEN
		RAISE EXCEPTION 'flag_results needs a flag and the name of an event'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT e.tracking_schema INTO tracking FROM featbit.environment e WHERE e.key = env;
	IF NOT FOUND THEN
		SELECT featbit.nearest_name(env, array_agg(e.key::text)) INTO near FROM featbit.environment e;
		RAISE EXCEPTION 'environment "%" does not exist', env
			USING ERRCODE = 'undefined_object',
				HINT = coalesce('Did you mean "' || near || '"?', 'The table featbit.environment lists the environments.');
	END IF;
	SELECT f.variations, f.rules, f.iteration INTO flag FROM featbit.flag f WHERE f.environment = env AND f.key = flag_results.flag_key;
	IF NOT FOUND THEN
		SELECT featbit.nearest_name(flag_results.flag_key, array_agg(f.key::text)) INTO near FROM featbit.flag f WHERE f.environment = env;
		RAISE EXCEPTION 'flag "%" does not exist in environment "%"', flag_results.flag_key, env
			USING ERRCODE = 'undefined_object',
				HINT = coalesce('Did you mean "' || near || '"?', 'The table featbit.flag lists the flags.');
	END IF;
	SELECT array_agg(v.value ->> 'key' ORDER BY v.ordinality) INTO legal
		FROM jsonb_array_elements(flag.variations) WITH ORDINALITY v;
	IF NOT flag_results.control = ANY (legal) THEN
		near := featbit.nearest_name(flag_results.control, legal);
		RAISE EXCEPTION 'flag "%" has no variation "%" to take as control', flag_results.flag_key, flag_results.control
			USING ERRCODE = 'undefined_object',
				DETAIL = format('Its variations are %s.', (SELECT string_agg(format('"%s"', l), ', ') FROM unnest(legal) l)),
				HINT = coalesce('Did you mean "' || near || '"?', 'Name one of them.');
	END IF;
	IF tracking IS NULL OR to_regclass(format('%I.exposure', tracking)) IS NULL OR to_regclass(format('%I.event', tracking)) IS NULL THEN
		RAISE EXCEPTION 'environment "%" has no tracking tables', env
			USING ERRCODE = 'object_not_in_prerequisite_state',
				DETAIL = coalesce('Its tracking schema "' || tracking || '" lacks the tables exposure and event.', 'It has no tracking schema.'),
				HINT = format('Run SELECT featbit.create_tracking(%s, %L), then record with expose and track.',
					coalesce(quote_literal(tracking), '''tracking'''), env);
	END IF;

	-- exposures of a deleted flag of the same key are no evidence for this one
	SELECT coalesce(max(r.revision), 0) INTO first_revision FROM featbit.flag_revision r
		WHERE r.environment = env AND r.kind = 'flag' AND r.key = flag_results.flag_key AND r.change = 'insert';

	-- between two of these moments every ramp of every revision stands still
	SELECT coalesce(array_agg(DISTINCT (stage ->> 'at')::timestamptz ORDER BY (stage ->> 'at')::timestamptz), '{}') INTO boundaries
		FROM featbit.flag_revision r
		CROSS JOIN LATERAL (SELECT jsonb_path_query(r.definition, 'lax $.fallthrough.ramp[*]')
							UNION ALL SELECT jsonb_path_query(r.definition, 'lax $.rules[*].serve.ramp[*]')) p (stage)
		WHERE r.environment = env AND r.kind = 'flag' AND r.key = flag_results.flag_key;

	-- users with exposures to several variations, however they came by them; the key of exposure makes each row another variation
	mixed_source := format(
		'(SELECT x.user_key FROM %I.exposure x WHERE x.environment = $1 AND x.flag_key = $2 AND x.iteration = $3 AND x.revision >= %s
			GROUP BY x.user_key HAVING count(*) > 1)', tracking, first_revision);
	EXECUTE format('SELECT coalesce(array_agg(m.user_key::text), ''{}'') FROM (SELECT * FROM %s s LIMIT $4) m', mixed_source)
		INTO mixed USING env, flag_results.flag_key, flag.iteration, max_mixed + 1;
	IF cardinality(mixed) <= max_mixed THEN
		-- DISTINCT tells the planner what it cannot know of an array, so that it hashes the list and not the exposures
		mixed_source := '(SELECT DISTINCT u.user_key FROM unnest($4) u (user_key))';
	END IF;

	-- how many users each split has dealt: one cell per rule, variation, revision and stretch of time between the boundaries
	EXECUTE format(
		'SELECT jsonb_agg(to_jsonb(c)), min(c.first_exposed)
			FROM (SELECT x.rule_id, x.variation, x.revision, %s AS epoch,
						count(*) FILTER (WHERE m.user_key IS NULL) AS users, count(m.user_key) AS mixed,
						coalesce(bool_or(x.unit_key <> x.user_key), false) AS mismatch, min(x.exposed_at) AS first_exposed
					FROM %I.exposure x LEFT JOIN %s m (user_key) ON m.user_key = x.user_key
					WHERE x.environment = $1 AND x.flag_key = $2 AND x.iteration = $3 AND x.randomised AND x.revision >= %s
					GROUP BY 1, 2, 3, 4) c',
			CASE WHEN boundaries = '{}' THEN '0' ELSE 'width_bucket(x.exposed_at, $5)' END, tracking, mixed_source, first_revision)
		INTO cells, first_exposed
		USING env, flag_results.flag_key, flag.iteration, mixed, boundaries;
	IF cells IS NULL THEN
		RETURN;
	END IF;

	-- the label makes one column of rule and variation, whose few values the planner then sees as few
	RETURN QUERY EXECUTE format(
		'WITH outcome AS MATERIALIZED (
			SELECT y.label, count(*) AS converted, sum(y.valued) AS valued, sum(y.events - y.valued) AS unvalued,
					featbit.stats_agg(coalesce(y.total, 0)) AS totals
				FROM (SELECT octet_length(x.variation) || '':'' || x.variation || coalesce(''/'' || x.rule_id, '''') AS label, count(*) AS events, count(e.value) AS valued, sum(e.value) AS total
						FROM %1$I.exposure x
						JOIN %1$I.event e ON e.user_key = x.user_key AND e.occurred_at >= x.exposed_at
						WHERE x.environment = $1 AND x.flag_key = $2 AND x.iteration = $3 AND x.randomised AND x.revision >= %3$s
							AND e.environment = $1 AND e.event_name = $5 AND e.occurred_at >= $6
							AND NOT EXISTS (SELECT FROM %2$s m (user_key) WHERE m.user_key = x.user_key)
						GROUP BY x.user_key, x.rule_id, x.variation) y
				GROUP BY y.label),
		cell AS (
			SELECT * FROM jsonb_to_recordset($7) c (rule_id text, variation text, revision bigint, epoch integer, users bigint, mixed bigint, mismatch boolean)),
		draw AS (
			SELECT c.rule_id, c.revision, c.epoch, sum(c.users) AS users
				FROM cell c GROUP BY 1, 2, 3 HAVING sum(c.users) > 0),
		split AS (
			SELECT d.*, CASE WHEN s.serve ? ''ramp'' THEN
						coalesce((SELECT t.stage -> ''split'' FROM jsonb_array_elements(s.serve -> ''ramp'') WITH ORDINALITY t (stage, n)
									WHERE (t.stage ->> ''at'')::timestamptz <= ($8)[d.epoch]
									ORDER BY (t.stage ->> ''at'')::timestamptz DESC, t.n DESC LIMIT 1),
								s.serve -> ''ramp'' -> 0 -> ''split'')
						ELSE s.serve -> ''split'' END AS weights
				FROM draw d
				LEFT JOIN featbit.flag_revision r ON r.environment = $1 AND r.kind = ''flag'' AND r.key = $2 AND r.revision = d.revision
				LEFT JOIN LATERAL (
					SELECT CASE WHEN d.rule_id IS NULL THEN r.definition -> ''fallthrough''
							ELSE (SELECT u.value -> ''serve'' FROM jsonb_array_elements(r.definition -> ''rules'') u WHERE u.value ->> ''id'' = d.rule_id LIMIT 1)
							END OFFSET 0) s (serve) ON true),
		expectation AS (
			SELECT p.rule_id, w.value ->> ''variation'' AS variation,
					(p.users * (w.value ->> ''weight'')::numeric / sum((w.value ->> ''weight'')::numeric) OVER (PARTITION BY p.rule_id, p.revision, p.epoch))::float8 AS expected
				FROM split p CROSS JOIN LATERAL jsonb_array_elements(p.weights) w),
		arm AS (
			SELECT a.rule_id, a.variation, sum(a.users)::bigint AS users, sum(a.expected) AS expected, sum(a.mixed)::bigint AS mixed,
					octet_length(a.variation) || '':'' || a.variation || coalesce(''/'' || a.rule_id, '''') AS label, array_position($9, a.variation) AS place
				FROM (SELECT c.rule_id, c.variation, c.users, 0::float8 AS expected, c.mixed FROM cell c
						UNION ALL SELECT x.rule_id, x.variation, 0, x.expected, 0 FROM expectation x) a
				GROUP BY a.rule_id, a.variation
				HAVING sum(a.users) > 0 OR sum(a.expected) > 0 OR sum(a.mixed) > 0),
		stratum AS (
			SELECT a.rule_id, (SELECT bool_or(c.mismatch) FROM cell c WHERE c.rule_id IS NOT DISTINCT FROM a.rule_id) AS mismatch,
					(SELECT bool_or(p.weights IS NULL) FROM split p WHERE p.rule_id IS NOT DISTINCT FROM a.rule_id) AS unknown,
					(SELECT count(DISTINCT p.weights) > 1 FROM split p WHERE p.rule_id IS NOT DISTINCT FROM a.rule_id) AS changed,
					array_agg(a.users ORDER BY a.place, a.variation) AS counts,
					array_agg(a.expected ORDER BY a.place, a.variation) AS weights,
					coalesce($10, (array_agg(a.variation ORDER BY (a.users > 0 OR a.expected > 0) DESC, a.place, a.variation))[1]) AS control
				FROM arm a GROUP BY a.rule_id),
		metric AS (
			SELECT coalesce(sum(o.valued), 0) = 0 AS is_proportion, sum(o.valued) > 0 AND sum(o.unvalued) > 0 AS is_partial,
					featbit.stats_agg(NULL::float8) AS nothing FROM outcome o),
		state AS (
			SELECT a.*, coalesce(o.converted, 0) AS converted, m.is_partial,
					CASE WHEN m.is_proportion THEN featbit.stats_from_counts(a.users, coalesce(o.converted, 0))
						ELSE featbit.with_zeros(coalesce(o.totals, m.nothing), a.users) END AS stats
				FROM arm a
				LEFT JOIN outcome o ON o.label = a.label
				CROSS JOIN metric m),
		compared AS (
			SELECT t.rule_id, t.variation, t.users, t.converted, featbit.mean(t.stats) AS mean, t.place, t.mixed, t.is_partial, s.mismatch, s.unknown, s.changed, s.control, c.variation IS NOT NULL AS has_control,
					d.effect, d.ci_low, d.ci_high, d.p_value, d.status, d.notes,
					CASE WHEN NOT s.mismatch AND NOT coalesce(s.unknown, true) THEN (SELECT q.p_value FROM featbit.srm_test(s.counts, s.weights) q) END AS srm_p
				FROM state t
				JOIN stratum s ON s.rule_id IS NOT DISTINCT FROM t.rule_id
				LEFT JOIN state c ON c.rule_id IS NOT DISTINCT FROM t.rule_id AND c.variation = s.control AND t.variation <> s.control
				LEFT JOIN LATERAL featbit.effect(c.stats, t.stats) d ON c.variation IS NOT NULL),
		numbered AS (
			SELECT *, row_number() OVER (ORDER BY c.rule_id IS NULL, array_position($11, c.rule_id), c.rule_id, c.place, c.variation) AS n FROM compared c)
		SELECT f.rule_id, f.variation, f.users, f.converted, f.mean, f.effect,
				CASE WHEN NOT f.mismatch THEN f.ci_low END, CASE WHEN NOT f.mismatch THEN f.ci_high END, CASE WHEN NOT f.mismatch THEN f.p_value END,
				a.p_adjusted, f.srm_p, f.mixed,
				CASE WHEN f.mismatch THEN ''unit_mismatch'' WHEN f.variation <> f.control THEN coalesce(f.status, ''no_data'')
					WHEN f.users = 0 THEN ''no_data'' ELSE ''ok'' END,
				array_remove(ARRAY[CASE WHEN f.variation = f.control THEN ''control'' END,
					CASE WHEN f.srm_p < 0.001 THEN ''sample_ratio_mismatch'' END,
					CASE WHEN f.variation <> f.control AND NOT f.has_control THEN ''control_not_served'' END,
					CASE WHEN f.changed THEN ''weights_changed'' END,
					CASE WHEN f.unknown THEN ''unknown_weights'' END,
					CASE WHEN f.is_partial THEN ''events_without_value'' END], NULL) || coalesce(f.notes, ''{}'')
			FROM numbered f
			JOIN (SELECT u.p_adjusted, u.n
					FROM unnest(featbit.adjust_p((SELECT array_agg(CASE WHEN NOT g.mismatch THEN g.p_value END ORDER BY g.n) FROM numbered g), ''holm''))
						WITH ORDINALITY u (p_adjusted, n)) a USING (n)
			ORDER BY n', tracking, mixed_source, first_revision)
		USING env, flag_results.flag_key, flag.iteration, mixed, flag_results.event_name, first_exposed, cells, boundaries, legal, flag_results.control,
			(SELECT array_agg(r.value ->> 'id' ORDER BY r.ordinality) FROM jsonb_array_elements(flag.rules) WITH ORDINALITY r);
END
$$;

COMMENT ON FUNCTION featbit.flag_results(text, text, text, text) IS
'how the variations of a flag differ in an event, one row per rule that splits (rule_id NULL: the fallthrough) and variation.
Counted are the randomised exposures of the flag''s current iteration: every exposed user is in the denominator, from the first exposure; events count from that moment on. Users with exposures to several variations in the iteration, randomised or not, are left out. Exposures of a deleted flag of the same key do not count.
The metric: when none of these events carries a value, the proportion of users with at least one event; otherwise the mean over users of the sum of their values, an event without value adding nothing (note events_without_value).
flag_key, event_name: required. control: variation to compare with in every rule; default: of each rule, the first in the flag''s order that it serves. environment: default the setting featbit.environment.
Returns users; converted: users with at least one event; mean: the metric; effect: its difference from the control relative to the control''s mean (0.1 = 10 % more), with 95 % interval (Fieller), two-sided p_value (Welch) and p_adjusted (Holm, over all rows returned); srm_p: sample-ratio check of the rule against the weights of the revisions (and stages of a ramp) that dealt its users; mixed_users: users of this row left out for having seen several variations; status: as of effect(), or unit_mismatch when the split goes by something else than the user key, so that users are not independent: then interval, p_value, p_adjusted and srm_p are NULL; notes: control, sample_ratio_mismatch (srm_p < 0.001), control_not_served (the rule does not serve the control: no comparison), weights_changed (the users were dealt by more than one set of weights; those who moved are left out, which can by itself upset the sample-ratio check: raise the flag''s iteration when weights change), unknown_weights (a revision is not in the history: no srm_p), events_without_value, and those of effect().
Errors: unknown environment, flag or control (42704), no tracking tables (55000), no flag or event given (22004)';
