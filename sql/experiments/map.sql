-- experiments: the fast way: an exposure map and unit_agg over it, where they can say what a metric asks for
--
-- Joining events with exposures and grouping them by unit is nearly all the time that a result takes. unit_agg does both in one pass over the
-- events, in memory of its own. It knows sums, counts, conversions and ratios with windows and look-backs; experiments that ask for more go
-- the way of states.sql. The tests compare both with plain SQL.

CREATE FUNCTION featbit.map_parts(experiment featbit.experiment, iteration featbit.experiment_iteration, metrics featbit.metric_definition[], as_of timestamptz, slice text, exposed_before timestamptz) RETURNS integer
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_variable
DECLARE
	memory constant double precision := pg_size_bytes(current_setting('work_mem')) * current_setting('hash_mem_multiplier')::double precision;
	exposed record;
	parts double precision;
	accumulators integer;
	type constant text := featbit.unit_type(experiment, ARRAY(SELECT metrics[n].compiled FROM generate_subscripts(metrics, 1) n));
BEGIN
	IF experiment.assignment ->> 'kind' = 'replay' OR experiment.identity IS NOT NULL OR experiment.clusters IS NOT NULL OR experiment.activation IS NOT NULL OR slice IS NOT NULL
		OR EXISTS (SELECT FROM generate_subscripts(metrics, 1) n
					CROSS JOIN LATERAL (VALUES (metrics[n].delay), (metrics[n].attribution_window), (coalesce(experiment.lookback, metrics[n].lookback))) i (i)
					WHERE metrics[n].kind NOT IN ('conversion', 'count', 'sum', 'mean', 'ratio', 'retention') OR metrics[n].cap_quantile IS NOT NULL
						OR extract(year FROM i.i) <> 0 OR extract(month FROM i.i) <> 0) THEN
		RETURN NULL;
	END IF;
	EXECUTE format('WITH %s SELECT count(*) AS n, coalesce(bool_and(r.randomised), true) AS randomised, min(r.at) AS first_at FROM raw r WHERE r.unit IS NOT NULL AND r.variation IS NOT NULL',
			featbit.exposures_sql(experiment, iteration, as_of, type, exposed_before))
		INTO exposed;
	-- a map does not tell who was dealt from who was targeted, nor forgets who came before the start
	IF NOT exposed.randomised OR exposed.first_at < iteration.started_at THEN
		RETURN NULL;
	END IF;
	SELECT sum(CASE WHEN metrics[n].kind IN ('mean', 'ratio') THEN 2 ELSE 1 END * CASE WHEN coalesce(experiment.lookback, metrics[n].lookback) IS NULL THEN 1 ELSE 2 END) INTO accumulators FROM generate_subscripts(metrics, 1) n;
	-- a map that has just grown takes up to 115 bytes per text unit, 80 per number; sums take 8, and twice that with a look-back
	parts := ceil(exposed.n * greatest(CASE type WHEN 'bigint' THEN 120 ELSE 160 END, 16 + 12 * accumulators) / memory);
	RETURN CASE WHEN parts <= 16 THEN greatest(parts, 1) END;
END
$$;

COMMENT ON FUNCTION featbit.map_parts(featbit.experiment, featbit.experiment_iteration, featbit.metric_definition[], timestamptz, text, timestamptz) IS
'internal: in how many parts of the units, each within work_mem * hash_mem_multiplier, map_sql is to answer; NULL where it cannot, or only in more than 16, each of which reads all events';

CREATE FUNCTION featbit.map_sql(experiment featbit.experiment, iteration featbit.experiment_iteration, metrics featbit.metric_definition[], as_of timestamptz, exposed_before timestamptz, parts integer, part integer) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_variable
DECLARE
	stopped_at constant timestamptz := CASE WHEN iteration.stopped_at <= as_of THEN iteration.stopped_at END;
	type constant text := featbit.unit_type(experiment, ARRAY(SELECT metrics[n].compiled FROM generate_subscripts(metrics, 1) n));
	epochs timestamptz[];
	ctes text;
	final text[];
	source record;
	call record;
	columns text;
	aggregates text;
	calls integer := 0;
BEGIN
	SELECT array_agg(e.started_at ORDER BY e.started_at) INTO epochs FROM featbit.experiment_epochs(experiment, iteration, as_of) e;
	ctes := 'WITH ' || featbit.exposures_sql(experiment, iteration, as_of, type, exposed_before)
		|| format(E',\nmap AS MATERIALIZED (SELECT featbit.exposure_map(r.unit, r.at, r.variation%s) AS map FROM raw r WHERE isfinite(r.at)%s)',
			CASE WHEN cardinality(epochs) > 1 THEN format(', greatest(width_bucket(r.at, %L::timestamptz[]), 1)::text', epochs) ELSE '' END,
			CASE WHEN parts > 1 THEN format(' AND featbit.unit_partition(r.unit, %s) = %s', parts, part) ELSE '' END);
	final := ARRAY[
		format('SELECT 0 AS metric, x.variation, NULL::text AS slice, coalesce(x.stratum, ''1'')::integer AS epoch, x.units - x.mixed_units AS units, NULL::featbit.stats AS stats, 0::bigint AS ignored, NULL::float8 AS cap FROM map m CROSS JOIN LATERAL featbit.exposures(m.map) x WHERE x.variation = ANY (%L::text[]) AND x.units > x.mixed_units', experiment.variations),
		format('SELECT -1, x.variation, NULL::text, NULL::integer, sum(x.mixed_units)::bigint, NULL::featbit.stats, sum(x.units - x.mixed_units)::bigint, NULL::float8 FROM map m CROSS JOIN LATERAL featbit.exposures(m.map) x WHERE x.variation = ANY (%L::text[]) AND x.units > 0 GROUP BY 2', experiment.variations)];

	FOR source IN
		SELECT row_number() OVER (ORDER BY min(p)) AS n, metrics[p].compiled ->> 'source' AS body, metrics[p].compiled ->> 'unit' AS unit, metrics[p].compiled ->> 'time' AS time,
				array_agg(p ORDER BY p) AS places, max(coalesce(experiment.lookback, metrics[p].lookback)) FILTER (WHERE metrics[p].kind <> 'retention') AS earliest,
				CASE WHEN bool_and(metrics[p].filter IS NOT NULL) THEN ' AND (' || string_agg(DISTINCT format('(%s)', metrics[p].compiled ->> 'filter'), ' OR ') || ')' ELSE '' END AS filter
			FROM generate_subscripts(metrics, 1) p GROUP BY 2, 3, 4
	LOOP
		aggregates := NULL;
		columns := '';
		-- metrics of the same events share a call, each call reads only its events
		FOR call IN
			WITH metric AS (
				SELECT p, metrics[p].kind, featbit.events_sql(metrics[p], p, 'filter') AS filter, metrics[p].attribution_window IS NULL AND stopped_at IS NOT NULL AS cut,
						CASE WHEN metrics[p].kind IN ('sum', 'mean', 'ratio') THEN featbit.events_sql(metrics[p], p, 'value') ELSE '1::double precision' END AS value,
						CASE metrics[p].kind WHEN 'ratio' THEN featbit.events_sql(metrics[p], p, 'denominator')
							WHEN 'mean' THEN format('CASE WHEN abs(%1$s) <= 1e140 THEN 1::double precision END', featbit.events_sql(metrics[p], p, 'value')) END AS denominator
					FROM unnest(source.places) p),
			listed AS (
				SELECT m.filter, m.cut, array_agg(DISTINCT v.v) AS expressions FROM metric m CROSS JOIN LATERAL (VALUES (m.value), (m.denominator)) v (v) WHERE v.v IS NOT NULL GROUP BY 1, 2)
			SELECT l.filter, l.cut, l.expressions, array_agg(m.p ORDER BY m.p) AS places,
					jsonb_agg(jsonb_strip_nulls(jsonb_build_object('aggregate', CASE m.kind WHEN 'mean' THEN 'ratio' WHEN 'retention' THEN 'conversion' ELSE m.kind END,
						'value', array_position(l.expressions, m.value), 'denominator', array_position(l.expressions, m.denominator),
						'from', CASE WHEN metrics[m.p].delay <> interval '0' THEN metrics[m.p].delay::text END, 'window', metrics[m.p].attribution_window::text,
						'lookback', CASE WHEN m.kind <> 'retention' THEN coalesce(experiment.lookback, metrics[m.p].lookback)::text END, 'cap', metrics[m.p].cap)) ORDER BY m.p) AS wanted
				FROM metric m JOIN listed l ON l.filter = m.filter AND l.cut = m.cut GROUP BY l.filter, l.cut, l.expressions ORDER BY min(m.p)
		LOOP
			calls := calls + 1;
			columns := columns || format(', %s AS f%s', call.filter, calls) || (SELECT string_agg(format(', %s AS v%s_%s', call.expressions[n], calls, n), '' ORDER BY n) FROM generate_subscripts(call.expressions, 1) n);
			aggregates := concat_ws(', ', aggregates, format('featbit.unit_agg((SELECT m.map FROM map m), e.unit, e.at, %s, %L::jsonb)%s AS a%s',
				CASE WHEN cardinality(call.expressions) = 1 THEN format('e.v%s_1', calls)
					ELSE format('ARRAY[%s]', (SELECT string_agg(format('e.v%s_%s', calls, n), ', ' ORDER BY n) FROM generate_subscripts(call.expressions, 1) n)) END,
				call.wanted, CASE WHEN call.filter = 'true' AND NOT call.cut THEN '' ELSE format(' FILTER (WHERE e.f%s%s)', calls, CASE WHEN call.cut THEN format(' AND e.at < %L', stopped_at) ELSE '' END) END, calls));
			final := final || ARRAY(
				SELECT format('SELECT %s, u.variation, NULL::text, NULL::integer, sum(u.units)::bigint, featbit.rollup(u.stats), sum(featbit.n_bad(u.stats))::bigint, max(u.cap) FROM map m CROSS JOIN g%s g CROSS JOIN LATERAL featbit.unit_stats(m.map, g.a%s, %L::jsonb, %L::timestamptz) u WHERE u.metric = %s AND u.variation = ANY (%L::text[]) GROUP BY 2',
						c.p, source.n, calls, call.wanted, CASE WHEN metrics[c.p].mature_only THEN as_of END, c.n, experiment.variations)
					FROM unnest(call.places) WITH ORDINALITY c (p, n));
		END LOOP;
		ctes := ctes || format(E',\ne%1$s AS (SELECT %2$s AS unit, s.%3$s AS at%4$s FROM %5$s s WHERE s.%3$s >= %6$L AND s.%3$s < %7$L%8$s)',
				source.n, featbit.unit_sql('s.' || source.unit, type), source.time, columns, source.body, iteration.started_at - coalesce(source.earliest, '0'), as_of, source.filter)
			|| format(E',\ng%1$s AS MATERIALIZED (SELECT %2$s FROM e%1$s e)', source.n, aggregates);
	END LOOP;
	RETURN ctes || E'\n' || array_to_string(final, E'\nUNION ALL\n');
END
$$;

COMMENT ON FUNCTION featbit.map_sql(featbit.experiment, featbit.experiment_iteration, featbit.metric_definition[], timestamptz, timestamptz, integer, integer) IS
'internal: the query that experiment_states runs where map_parts allows it, for one of so many parts of the units; columns as of experiment_sql';
