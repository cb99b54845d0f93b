-- experiments: from events to one state per metric, variation and slice

CREATE FUNCTION featbit.metric_sql(metric featbit.metric_definition, place integer, experiment featbit.experiment, stopped_at timestamptz, as_of timestamptz)
	RETURNS TABLE (event_columns text, unit_columns text, group_columns text, caps text, ctes text, states text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_variable
DECLARE
	k constant integer := place;
	clustered constant boolean := experiment.clusters IS NOT NULL;
	lookback constant interval := CASE WHEN metric.kind IN ('conversion', 'count', 'sum', 'mean', 'ratio') THEN coalesce(experiment.lookback, metric.lookback) END;
	has_value constant boolean := metric.kind IN ('sum', 'mean', 'ratio', 'quantile');
	after constant text := format('e.at >= x.at%s', CASE WHEN metric.delay <> interval '0' THEN format(' + %L::interval', metric.delay) ELSE '' END);
	within constant text := after
		|| CASE WHEN metric.attribution_window IS NOT NULL THEN format(' AND e.at < x.at + %L::interval', metric.delay + metric.attribution_window)
			WHEN stopped_at IS NOT NULL THEN format(' AND e.at < %L', stopped_at) ELSE '' END;
	during constant text := format('e.f%s AND %s', k, within);
	before constant text := format('e.f%s AND e.at >= x.at - %L::interval AND e.at < x.at', k, lookback);
	mature constant text := CASE WHEN metric.mature_only THEN format('x.at + %L::interval <= %L', metric.delay + metric.attribution_window, as_of) ELSE 'true' END;
	filter constant text := CASE WHEN metric.mature_only THEN format(' FILTER (WHERE u.r%s)', k) ELSE '' END;
	all_units constant text := CASE WHEN metric.mature_only THEN format('z.n%s', k) ELSE 'z.units' END;
	nothing text;
	y text;
	x text;
	d text;
	dx text;
	agg text;
	cap text := coalesce(metric.cap::text, 'NULL');
	x_cap text := coalesce(metric.cap::text, 'NULL');
	n integer;
	z constant double precision := featbit.norm_quantile(1 - experiment.alpha / 2);
BEGIN
	-- one row of the source
	event_columns := format('%s AS f%s', featbit.events_sql(metric, k, 'filter'), k);
	IF has_value THEN
		event_columns := event_columns || format(', %s AS v%s', featbit.events_sql(metric, k, 'value'), k);
	END IF;
	IF metric.kind = 'ratio' THEN
		event_columns := event_columns || format(', %s AS d%s', featbit.events_sql(metric, k, 'denominator'), k);
	ELSIF metric.kind = 'funnel' THEN
		event_columns := event_columns || format(', %s AS s%s', featbit.events_sql(metric, k, 'step'), k);
	END IF;
	caps := '';
	ctes := '';

	-- one unit: y and, before the exposure, x; of a ratio also d and dx
	unit_columns := CASE WHEN metric.mature_only THEN format('bool_and(%s) AS r%s', mature, k) END;
	IF metric.kind IN ('conversion', 'count', 'retention') THEN
		unit_columns := concat_ws(', ', unit_columns, format('count(*) FILTER (WHERE %s) AS y%s', during, k),
			CASE WHEN lookback IS NOT NULL THEN format('count(*) FILTER (WHERE %s) AS x%s', before, k) END);
	ELSIF metric.kind IN ('sum', 'mean', 'ratio') THEN
		unit_columns := concat_ws(', ', unit_columns,
			format('sum(e.v%1$s) FILTER (WHERE %2$s AND abs(e.v%1$s) <= 1e140) AS y%1$s', k, during),
			format('count(*) FILTER (WHERE %2$s AND NOT abs(e.v%1$s) <= 1e140) AS b%1$s', k, during),
			CASE WHEN lookback IS NOT NULL THEN format('sum(e.v%1$s) FILTER (WHERE %2$s AND abs(e.v%1$s) <= 1e140) AS x%1$s', k, before) END,
			CASE metric.kind WHEN 'mean' THEN format('count(*) FILTER (WHERE %2$s AND abs(e.v%1$s) <= 1e140) AS d%1$s', k, during)
				WHEN 'ratio' THEN format('sum(e.d%1$s) FILTER (WHERE %2$s AND abs(e.d%1$s) <= 1e140) AS d%1$s', k, during) END,
			CASE WHEN lookback IS NULL THEN NULL
				WHEN metric.kind = 'mean' THEN format('count(*) FILTER (WHERE %2$s AND abs(e.v%1$s) <= 1e140) AS dx%1$s', k, before)
				WHEN metric.kind = 'ratio' THEN format('sum(e.d%1$s) FILTER (WHERE %2$s AND abs(e.d%1$s) <= 1e140) AS dx%1$s', k, before) END);
	ELSIF metric.kind = 'time_to_event' THEN
		unit_columns := concat_ws(', ', unit_columns, format('min(e.at) FILTER (WHERE %s) AS y%s', during, k));
	END IF;

	IF metric.cap_quantile IS NOT NULL THEN
		caps := format(E',\ncap%1$s AS MATERIALIZED (SELECT nullif(greatest((percentile_cont(%2$L::float8) WITHIN GROUP (ORDER BY u.y%1$s::float8) FILTER (WHERE u.y%1$s <> 0%3$s)), 0), 0) AS y%4$s FROM s{group} u)',
			k, metric.cap_quantile, CASE WHEN metric.mature_only THEN format(' AND u.r%s', k) ELSE '' END,
			CASE WHEN lookback IS NULL THEN '' ELSE format(', nullif(greatest((percentile_cont(%2$L::float8) WITHIN GROUP (ORDER BY u.x%1$s::float8) FILTER (WHERE u.x%1$s <> 0%3$s)), 0), 0) AS x',
				k, metric.cap_quantile, CASE WHEN metric.mature_only THEN format(' AND u.r%s', k) ELSE '' END) END);
		cap := format('(SELECT c.y FROM cap%s c)', k);
		x_cap := format('(SELECT c.x FROM cap%s c)', k);
	END IF;
	y := format(CASE WHEN metric.kind IN ('conversion', 'retention') THEN '(u.y%s > 0)::integer::float8' ELSE 'coalesce(u.y%s, 0)::float8' END, k);
	x := format(CASE WHEN metric.kind IN ('conversion', 'retention') THEN '(u.x%s > 0)::integer::float8' ELSE 'coalesce(u.x%s, 0)::float8' END, k);
	IF coalesce(metric.cap, metric.cap_quantile) IS NOT NULL THEN
		y := format('least(%s, %s)', y, cap);
		x := format('least(%s, %s)', x, x_cap);
	END IF;
	d := format('coalesce(u.d%s, 0)::float8', k);
	dx := format('coalesce(u.dx%s, 0)::float8', k);

	IF metric.kind IN ('conversion', 'count', 'sum', 'mean', 'ratio', 'retention') AND NOT clustered THEN
		IF metric.kind IN ('conversion', 'retention') AND lookback IS NULL THEN
			agg := format('count(*) FILTER (WHERE u.y%1$s > 0%2$s) AS t%1$s', k, CASE WHEN metric.mature_only THEN format(' AND u.r%s', k) ELSE '' END);
		ELSIF metric.kind IN ('mean', 'ratio') THEN
			agg := format('featbit.ratio_agg(%s, %s%s)%s AS t%s', y, d, CASE WHEN lookback IS NULL THEN '' ELSE format(', %s, %s', x, dx) END, filter, k);
			nothing := format('(SELECT featbit.ratio_agg(NULL::float8, NULL::float8%s))', CASE WHEN lookback IS NULL THEN '' ELSE ', NULL::float8, NULL::float8' END);
		ELSE
			agg := format('featbit.stats_agg(%s%s)%s AS t%s', y, CASE WHEN lookback IS NULL THEN '' ELSE ', ' || x END, filter, k);
			nothing := format('(SELECT featbit.stats_agg(NULL::float8%s))', CASE WHEN lookback IS NULL THEN '' ELSE ', NULL::float8' END);
		END IF;
		agg := agg || CASE WHEN has_value THEN format(', sum(u.b%1$s) AS b%1$s', k) ELSE '' END;
		states := format('SELECT %1$s AS metric, z.variation, z.slice, NULL::integer AS epoch, %2$s AS units, %3$s AS stats, %4$s AS ignored, %5$s AS cap FROM size z LEFT JOIN a{group} a ON a.variation = z.variation AND a.slice IS NOT DISTINCT FROM z.slice',
			k, all_units, CASE WHEN nothing IS NULL THEN format('featbit.stats_from_counts(%s, coalesce(a.t%s, 0))', all_units, k)
				ELSE format('featbit.with_zeros(coalesce(a.t%1$s, %2$s), %3$s)', k, nothing, all_units) END,
			CASE WHEN has_value THEN format('coalesce(a.b%s, 0)::bigint', k) ELSE '0::bigint' END, cap || '::float8');
	ELSIF metric.kind IN ('conversion', 'count', 'sum', 'mean', 'ratio', 'retention') THEN
		-- the sum over a cluster over the units, or the denominators, in it
		agg := format('sum(%s)%s AS y%s', y, filter, k) || CASE WHEN lookback IS NULL THEN '' ELSE format(', sum(%s)%s AS x%s', x, filter, k) END
			|| CASE WHEN metric.kind NOT IN ('mean', 'ratio') THEN '' ELSE format(', sum(%s) AS d%s', d, k) || CASE WHEN lookback IS NULL THEN '' ELSE format(', sum(%s) AS dx%s', dx, k) END END
			|| CASE WHEN has_value THEN format(', sum(u.b%1$s) AS b%1$s', k) ELSE '' END;
		states := format('SELECT %1$s AS metric, z.variation, z.slice, NULL::integer AS epoch, sum(%2$s)::bigint AS units, featbit.ratio_agg(%3$s, %4$s%5$s)%6$s AS stats, %7$s AS ignored, %8$s::float8 AS cap FROM clusters z LEFT JOIN a{group} a ON a.cluster = z.cluster AND a.variation = z.variation AND a.slice IS NOT DISTINCT FROM z.slice GROUP BY z.variation, z.slice',
			k, all_units, format('coalesce(a.y%s, 0)', k), CASE WHEN metric.kind IN ('mean', 'ratio') THEN format('coalesce(a.d%s, 0)', k) ELSE all_units END,
			CASE WHEN lookback IS NULL THEN '' ELSE format(', coalesce(a.x%s, 0), %s', k, CASE WHEN metric.kind IN ('mean', 'ratio') THEN format('coalesce(a.dx%s, 0)', k) ELSE all_units END) END,
			CASE WHEN metric.mature_only THEN format(' FILTER (WHERE %s > 0)', all_units) ELSE '' END,
			CASE WHEN has_value THEN format('coalesce(sum(a.b%s), 0)::bigint', k) ELSE '0::bigint' END, cap);
	ELSIF metric.kind = 'time_to_event' THEN
		ctes := ctes || format(E',\nt%1$s AS (SELECT x.variation, x.slice%2$s, extract(epoch FROM coalesce(u.y%1$s, x.at + %3$L::interval) - (x.at + %4$L::interval))::float8 AS y FROM unit x LEFT JOIN s{group} u ON u.unit = x.unit WHERE %5$s)',
			k, CASE WHEN clustered THEN ', x.cluster' ELSE '' END, metric.delay + metric.attribution_window, metric.delay, mature);
		states := CASE WHEN clustered
			THEN format('SELECT %1$s, t.variation, t.slice, NULL::integer, sum(t.n)::bigint, featbit.ratio_agg(t.y, t.n), 0::bigint, NULL::float8 FROM (SELECT t.variation, t.slice, t.cluster, sum(t.y) AS y, count(*) AS n FROM t%1$s t GROUP BY 1, 2, 3) t GROUP BY 2, 3', k)
			ELSE format('SELECT %1$s, t.variation, t.slice, NULL::integer, count(*), featbit.stats_agg(t.y), 0::bigint, NULL::float8 FROM t%1$s t GROUP BY 2, 3', k) END;
	ELSIF metric.kind = 'funnel' THEN
		ctes := ctes || format(E',\nw%1$s_1 AS (SELECT x.unit, x.variation, x.slice%2$s, x.at, min(e.at) AS done FROM unit x JOIN e{group} e ON e.unit = x.unit AND e.s%1$s = 1 AND %3$s%4$s GROUP BY x.unit, x.variation, x.slice%2$s, x.at)',
			k, CASE WHEN clustered THEN ', x.cluster' ELSE '' END, during, CASE WHEN metric.mature_only THEN ' AND ' || mature ELSE '' END);
		FOR n IN 2 .. cardinality(metric.steps) LOOP
			ctes := ctes || format(E',\nw%1$s_%2$s AS (SELECT x.unit, x.variation, x.slice%3$s, x.at, min(e.at) AS done FROM w%1$s_%4$s x JOIN e{group} e ON e.unit = x.unit AND e.s%1$s = %2$s AND e.at >= x.done AND %5$s GROUP BY x.unit, x.variation, x.slice%3$s, x.at)',
				k, n, CASE WHEN clustered THEN ', x.cluster' ELSE '' END, n - 1, during);
		END LOOP;
		n := cardinality(metric.steps);
		states := CASE WHEN clustered
			THEN format('SELECT %1$s, z.variation, z.slice, NULL::integer, sum(%3$s)::bigint, featbit.ratio_agg(coalesce(w.n, 0), %3$s)%4$s, 0::bigint, NULL::float8 FROM clusters z LEFT JOIN (SELECT w.variation, w.slice, w.cluster, count(*) AS n FROM w%1$s_%2$s w GROUP BY 1, 2, 3) w ON w.cluster = z.cluster AND w.variation = z.variation AND w.slice IS NOT DISTINCT FROM z.slice GROUP BY z.variation, z.slice',
				k, n, all_units, CASE WHEN metric.mature_only THEN format(' FILTER (WHERE %s > 0)', all_units) ELSE '' END)
			ELSE format('SELECT %1$s, z.variation, z.slice, NULL::integer, %3$s, featbit.stats_from_counts(%3$s, coalesce(w.n, 0)), 0::bigint, NULL::float8 FROM size z LEFT JOIN (SELECT w.variation, w.slice, count(*) AS n FROM w%1$s_%2$s w GROUP BY 1, 2) w ON w.variation = z.variation AND w.slice IS NOT DISTINCT FROM z.slice', k, n, all_units) END;
	ELSE
		-- a quantile over events that come in units: ranks with the variance of the units (Deng, Knoblich and Lu 2018, section 4), as a state whose
		-- variance over n is the square of the standard error
		ctes := ctes || format(E',\nv%1$s AS MATERIALIZED (SELECT %2$s AS unit, x.variation, x.slice, e.v%1$s AS v FROM unit x JOIN e{group} e ON e.unit = x.unit AND %3$s AND abs(e.v%1$s) <= 1e140%4$s)'
			',\nq%1$s AS MATERIALIZED (SELECT v.variation, v.slice, percentile_disc(%5$L::float8) WITHIN GROUP (ORDER BY v.v) AS q FROM v%1$s v GROUP BY 1, 2)'
			',\nh%1$s AS MATERIALIZED (SELECT p.variation, p.slice, p.q, count(*) AS units, %6$L::float8 * sqrt(greatest(featbit.variance(featbit.ratio_agg(p.n, p.d), 1) - 2 * sum(p.n) / sum(p.d) * featbit.covariance(featbit.ratio_agg(p.n, p.d), 1, 2) + (sum(p.n) / sum(p.d)) ^ 2 * featbit.variance(featbit.ratio_agg(p.n, p.d), 2), 0) / count(*)) / avg(p.d) AS half'
				' FROM (SELECT v.variation, v.slice, q.q, v.unit, count(*) FILTER (WHERE v.v <= q.q)::float8 AS n, count(*)::float8 AS d FROM v%1$s v JOIN q%1$s q ON q.variation = v.variation AND q.slice IS NOT DISTINCT FROM v.slice GROUP BY 1, 2, 3, 4) p GROUP BY 1, 2, 3)'
			',\nl%1$s AS MATERIALIZED (SELECT v.variation, v.slice, h.q, h.units, percentile_disc(ARRAY[greatest(%5$L::float8 - h.half, 0), least(%5$L::float8 + h.half, 1)]) WITHIN GROUP (ORDER BY v.v) AS bounds FROM v%1$s v JOIN h%1$s h ON h.variation = v.variation AND h.slice IS NOT DISTINCT FROM v.slice GROUP BY 1, 2, 3, 4, h.half)',
			k, CASE WHEN clustered THEN 'x.cluster' ELSE 'x.unit' END, during, CASE WHEN metric.mature_only THEN ' AND ' || mature ELSE '' END, metric.quantile, z);
		states := format('SELECT %1$s, l.variation, l.slice, NULL::integer, l.units, format(''{"version": 1, "kind": "mean", "n": %%s, "n_bad": 0, "means": [%%s], "comoments": [%%s]}'', l.units, l.q, coalesce(((l.bounds[2] - l.bounds[1]) / (2 * %2$L::float8)) ^ 2 * l.units * (l.units - 1), 0))::featbit.stats, 0::bigint, NULL::float8 FROM l%1$s l', k, z);
	END IF;
	group_columns := agg;
	RETURN NEXT;
END
$$;

COMMENT ON FUNCTION featbit.metric_sql(featbit.metric_definition, integer, featbit.experiment, timestamptz, timestamptz) IS
'internal: the SQL of one metric: columns over a row of its source, aggregates over the events of a unit, aggregates over units (or the units of a cluster), CTEs of its own, and the query for its states; {group} stands for the number of its source';

CREATE FUNCTION featbit.experiment_sql(experiment featbit.experiment, iteration featbit.experiment_iteration, metrics featbit.metric_definition[], as_of timestamptz, slice text, exposed_before timestamptz DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_variable
DECLARE
	stopped_at constant timestamptz := CASE WHEN iteration.stopped_at <= as_of THEN iteration.stopped_at END;
	clustered constant boolean := experiment.clusters IS NOT NULL;
	sources jsonb[] := ARRAY(SELECT metrics[p].compiled FROM generate_subscripts(metrics, 1) p);
	type text;
	ctes text;
	final text[];
	epochs timestamptz[];
	source record;
	parts record;
	longest interval;
	earliest interval;
	events text;
	matures text;
BEGIN
	IF experiment.activation IS NOT NULL THEN
		sources := sources || (featbit.stored_metric(experiment.activation, experiment.environment)).compiled;
	END IF;
	IF slice IS NOT NULL THEN
		sources := sources || (experiment.dimensions -> slice -> 'compiled');
	END IF;
	type := featbit.unit_type(experiment, sources);
	ctes := 'WITH ' || featbit.units_sql(experiment, iteration, as_of, slice, type, exposed_before);
	SELECT array_agg(e.started_at ORDER BY e.started_at) INTO epochs FROM featbit.experiment_epochs(experiment, iteration, as_of) e;

	-- units by epoch of the planned weights, and those that were seen in several variations
	final := ARRAY[format('SELECT 0 AS metric, x.variation, x.slice, %s AS epoch, %s AS units, NULL::featbit.stats AS stats, 0::bigint AS ignored, NULL::float8 AS cap FROM unit x GROUP BY 2, 3, 4',
			CASE WHEN cardinality(epochs) > 1 THEN format('greatest(width_bucket(x.exposed_at, %L::timestamptz[]), 1)', epochs) ELSE '1' END, CASE WHEN clustered THEN 'count(DISTINCT x.cluster)' ELSE 'count(*)' END),
		format('SELECT -1, m.variation, NULL::text, NULL::integer, sum(m.mixed)::bigint, NULL::featbit.stats, sum(m.kept)::bigint, NULL::float8 FROM (SELECT m.variation, count(*) AS mixed, 0 AS kept FROM mixed m WHERE m.variation = ANY (%L::text[]) GROUP BY 1 UNION ALL SELECT x.variation, 0, count(*) FROM %s x GROUP BY 1) m GROUP BY 2',
			experiment.variations, CASE WHEN experiment.activation IS NULL THEN 'unit' ELSE 'exposed' END)];

	SELECT coalesce(string_agg(format(', count(*) FILTER (WHERE x.at + %L::interval <= %L) AS n%s', metrics[p].delay + metrics[p].attribution_window, as_of, p), ''), '') INTO matures
		FROM generate_subscripts(metrics, 1) p WHERE metrics[p].mature_only;
	ctes := ctes || E',\n' || CASE WHEN clustered
		THEN format('clusters AS MATERIALIZED (SELECT x.variation, x.slice, x.cluster, count(*) AS units%s FROM unit x GROUP BY 1, 2, 3)', matures)
		ELSE format('size AS MATERIALIZED (SELECT x.variation, x.slice, count(*) AS units%s FROM unit x GROUP BY 1, 2)', matures) END;

	-- each source is read once, however many metrics it has
	FOR source IN
		SELECT row_number() OVER (ORDER BY min(p)) AS n, metrics[p].compiled ->> 'source' AS body, metrics[p].compiled ->> 'unit' AS unit, metrics[p].compiled ->> 'time' AS time,
				array_agg(p ORDER BY p) AS places,
				CASE WHEN bool_and(metrics[p].filter IS NOT NULL) THEN ' AND (' || string_agg(format('(%s)', metrics[p].compiled ->> 'filter'), ' OR ' ORDER BY p) || ')' ELSE '' END AS filter
			FROM generate_subscripts(metrics, 1) p
			GROUP BY 2, 3, 4
	LOOP
		SELECT max(CASE WHEN metrics[p].kind IN ('conversion', 'count', 'sum', 'mean', 'ratio') THEN coalesce(experiment.lookback, metrics[p].lookback) END),
				CASE WHEN bool_and(metrics[p].attribution_window IS NOT NULL) THEN max(metrics[p].delay + metrics[p].attribution_window) END
			INTO earliest, longest FROM unnest(source.places) p;
		SELECT string_agg(q.event_columns, ', ' ORDER BY p) AS event_columns, string_agg(q.unit_columns, ', ' ORDER BY p) AS unit_columns,
				string_agg(q.group_columns, ', ' ORDER BY p) AS group_columns, string_agg(q.caps, '' ORDER BY p) AS caps, string_agg(q.ctes, '' ORDER BY p) AS ctes,
				array_agg(q.states ORDER BY p) AS states INTO parts
			FROM unnest(source.places) p CROSS JOIN LATERAL featbit.metric_sql(metrics[p], p, experiment, stopped_at, as_of) q;
		events := format('SELECT %s AS %s, s.%s AS at, %s FROM %s s WHERE s.%s >= %L AND s.%s < %L%s',
			featbit.unit_sql('s.' || source.unit, type), CASE WHEN experiment.identity IS NULL THEN 'unit' ELSE 'named' END, source.time, parts.event_columns, source.body,
			source.time, iteration.started_at - coalesce(earliest, '0'), source.time, as_of, source.filter);
		IF experiment.identity IS NOT NULL THEN
			events := format('SELECT coalesce(i.unit, o.named) AS unit, o.* FROM (%s) o LEFT JOIN identity i ON i.anonymous = o.named WHERE i.ambiguous IS NOT TRUE', events);
		END IF;
		ctes := ctes || format(E',\ne%s AS (%s)', source.n, events);
		IF parts.unit_columns IS NOT NULL THEN
			ctes := ctes || format(E',\ns%1$s AS (SELECT x.unit, x.variation, x.slice%2$s, %3$s FROM unit x JOIN e%1$s e ON e.unit = x.unit AND e.at >= x.at%4$s%5$s GROUP BY x.unit, x.variation, x.slice%2$s)',
				source.n, CASE WHEN clustered THEN ', x.cluster' ELSE '' END, parts.unit_columns, CASE WHEN earliest IS NULL THEN '' ELSE format(' - %L::interval', earliest) END, CASE WHEN longest IS NULL THEN '' ELSE format(' AND e.at < x.at + %L::interval', longest) END);
		END IF;
		ctes := ctes || replace(parts.caps, '{group}', source.n::text);
		IF parts.group_columns IS NOT NULL THEN
			ctes := ctes || format(E',\na%1$s AS (SELECT %2$su.variation, u.slice, %3$s FROM s%1$s u GROUP BY %2$su.variation, u.slice)', source.n, CASE WHEN clustered THEN 'u.cluster, ' ELSE '' END, parts.group_columns);
		END IF;
		ctes := ctes || replace(parts.ctes, '{group}', source.n::text);
		final := final || ARRAY(SELECT replace(s, '{group}', source.n::text) FROM unnest(parts.states) s);
	END LOOP;
	RETURN ctes || E'\n' || array_to_string(final, E'\nUNION ALL\n');
END
$$;

COMMENT ON FUNCTION featbit.experiment_sql(featbit.experiment, featbit.experiment_iteration, featbit.metric_definition[], timestamptz, text, timestamptz) IS
'internal: the query that experiment_states runs: one state per metric (by its place), variation and slice; metric 0: units by epoch of the planned weights; metric -1: units that were seen in several variations, by the first';

CREATE TYPE featbit.experiment_state AS (place integer, metric text, variation text, slice_value text, epoch integer, units bigint, stats featbit.stats, ignored bigint, cap double precision);

COMMENT ON TYPE featbit.experiment_state IS 'a row of experiment_states';

CREATE FUNCTION featbit.states_of(experiment featbit.experiment, iteration featbit.experiment_iteration, as_of timestamptz, slice text, exposed_before timestamptz DEFAULT NULL)
	RETURNS SETOF featbit.experiment_state
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET enable_nestloop = off SET jit = off SET extra_float_digits = 1
	AS $$
#variable_conflict use_variable
DECLARE
	metrics constant featbit.metric_definition[] := featbit.metrics_of(experiment);
	keys constant text[] := ARRAY(SELECT metrics[n].key::text FROM generate_subscripts(metrics, 1) n ORDER BY n);
	columns constant text := 'SELECT q.metric, ($1)[q.metric], q.variation::text, q.slice, q.epoch, q.units, q.stats, q.ignored, q.cap FROM (%s) q';
	parts constant integer := featbit.map_parts(experiment, iteration, metrics, as_of, slice, exposed_before);
	part featbit.experiment_state[];
	states featbit.experiment_state[] := '{}';
BEGIN
	IF parts IS NULL THEN
		RETURN QUERY EXECUTE format(columns, featbit.experiment_sql(experiment, iteration, metrics, as_of, slice, exposed_before)) USING keys;
	ELSIF parts = 1 THEN
		RETURN QUERY EXECUTE format(columns, featbit.map_sql(experiment, iteration, metrics, as_of, exposed_before, 1, 0)) USING keys;
	ELSE
		-- one part of the units at a time, so that each fits into memory
		FOR n IN 0 .. parts - 1 LOOP
			EXECUTE format('SELECT array_agg(s) FROM (' || columns || ') s', featbit.map_sql(experiment, iteration, metrics, as_of, exposed_before, parts, n)) INTO part USING keys;
			states := states || part;
		END LOOP;
		RETURN QUERY SELECT s.place, s.metric, s.variation, s.slice_value, s.epoch, sum(s.units)::bigint, featbit.rollup(s.stats), sum(s.ignored)::bigint, max(s.cap) FROM unnest(states) s GROUP BY 1, 2, 3, 4, 5;
	END IF;
END
$$;

COMMENT ON FUNCTION featbit.states_of(featbit.experiment, featbit.experiment_iteration, timestamptz, text, timestamptz) IS
'internal: experiment_states of a given iteration';

CREATE FUNCTION featbit.metrics_of(experiment featbit.experiment) RETURNS featbit.metric_definition[]
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT array_agg(m ORDER BY x.place)
		FROM featbit.experiment_metric x JOIN featbit.metric_definition m ON m.environment = x.environment AND m.key = x.metric_key
		WHERE x.environment = experiment.environment AND x.experiment_key = experiment.key
	$$;

COMMENT ON FUNCTION featbit.metrics_of(featbit.experiment) IS
'internal: the metrics of an experiment in their order';

CREATE FUNCTION featbit.experiment_states(experiment_key text, as_of timestamptz DEFAULT NULL, slice text DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS SETOF featbit.experiment_state
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	experiment constant featbit.experiment := featbit.stored_experiment(experiment_key, environment);
	until constant timestamptz := coalesce(as_of, statement_timestamp());
BEGIN
	RETURN QUERY SELECT s.* FROM featbit.states_of(experiment, featbit.iteration_at(experiment, until), until, slice) s;
END
$$;

COMMENT ON FUNCTION featbit.experiment_states(text, timestamptz, text, text) IS
'the states of an experiment: one row per metric, variation and value of a slice, from which every comparison follows. Each source is read once, with the rights of the caller.
experiment_key: required. as_of: what was known before that moment (default now). slice: a dimension of the experiment, its 20 most frequent values and (other), or NULL. environment: default the setting featbit.environment.
Returns place and metric; variation; slice_value; epoch (rows of place 0: units by epoch of the planned weights; rows of place -1: units that were seen in several variations and are left out, by the first, and as ignored those that were seen in one); units: those in the denominator; stats: a state as of stats_agg, ratio_agg and so on; ignored: values left out because they were NaN, infinite or beyond 1e140; cap: the largest value of a unit that was allowed.
Units count from their first exposure in the iteration on; all exposed units are in the denominator; intervals are half-open. Statistics of disjoint units merge with rollup.
Errors: unknown experiment or dimension (42704), not started (55000), and what reading the sources raises (42501 for rights that lack)';
