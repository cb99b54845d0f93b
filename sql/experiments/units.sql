-- experiments: who counts, and since when: the exposures as SQL
--
-- The engine writes one query per result. Its parts are CTEs: raw (exposures as they were recorded), grouped (one row per unit),
-- mixed (units seen in several variations), unit (those that count, with the moment their clock starts).

CREATE FUNCTION featbit.unit_type(experiment featbit.experiment, sources jsonb[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN experiment.assignment ->> 'kind' = 'tracking' THEN 'text'
				WHEN bool_and(t.type IN ('smallint', 'integer', 'bigint')) THEN 'bigint'
				WHEN bool_and(t.type = 'uuid') THEN 'uuid'
				ELSE 'text' END
		FROM (SELECT s ->> 'unit_type' FROM unnest(sources || ARRAY[experiment.assignment -> 'compiled', experiment.identity -> 'compiled', experiment.clusters -> 'compiled']) s WHERE s IS NOT NULL
			UNION ALL SELECT experiment.identity #>> '{compiled,anonymous_type}' WHERE experiment.identity IS NOT NULL) t (type)
	$$;

COMMENT ON FUNCTION featbit.unit_type(featbit.experiment, jsonb[]) IS
'internal: the type in which units are compared: bigint or uuid where all sources (compiled) have it, else text';

CREATE FUNCTION featbit.unit_sql(expression text, type text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$ SELECT format('(%s)::%s%s', expression, type, CASE type WHEN 'text' THEN ' COLLATE "C"' ELSE '' END) $$;

COMMENT ON FUNCTION featbit.unit_sql(text, text) IS
'internal: a unit''s expression in the type in which units are compared';

CREATE FUNCTION featbit.events_sql(metric featbit.metric_definition, place integer, part text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE part
		WHEN 'filter' THEN
			(SELECT coalesce(string_agg(c, ' AND '), 'true')
				FROM (VALUES ('(' || (metric.compiled ->> 'filter') || ')'),
					(CASE WHEN metric.kind IN ('conversion', 'count') AND metric.value IS NOT NULL THEN
						format(CASE metric.compiled ->> 'value_type' WHEN 'boolean' THEN '(%s)' ELSE '(%s) IS NOT NULL' END, metric.compiled ->> 'value') END)) f (c)
				WHERE c IS NOT NULL)
		WHEN 'value' THEN
			format('(%s)%s::double precision', metric.compiled ->> 'value', CASE metric.compiled ->> 'value_type' WHEN 'boolean' THEN '::integer' ELSE '' END)
		WHEN 'denominator' THEN
			format('(%s)%s::double precision', metric.compiled ->> 'denominator', CASE metric.compiled ->> 'denominator_type' WHEN 'boolean' THEN '::integer' ELSE '' END)
		WHEN 'step' THEN
			'CASE ' || (SELECT string_agg(format('WHEN (%s) THEN %s', metric.compiled ->> ('step ' || n), n), ' ' ORDER BY n) FROM generate_series(1, cardinality(metric.steps)) n) || ' END'
		END
	$$;

COMMENT ON FUNCTION featbit.events_sql(featbit.metric_definition, integer, text) IS
'internal: an expression over one row of a metric''s source: whether it is an event (filter), its value or denominator, or which step of a funnel it is';

CREATE FUNCTION featbit.exposures_sql(experiment featbit.experiment, iteration featbit.experiment_iteration, as_of timestamptz, type text, exposed_before timestamptz) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_variable
DECLARE
	env constant text := experiment.environment;
	compiled constant jsonb := experiment.assignment -> 'compiled';
	until constant timestamptz := least(as_of, iteration.stopped_at, exposed_before);
	tracking text;
	first_revision bigint;
BEGIN
	CASE experiment.assignment ->> 'kind'
		WHEN 'tracking' THEN
			SELECT e.tracking_schema INTO tracking FROM featbit.environment e WHERE e.key = env;
			IF tracking IS NULL OR to_regclass(format('%I.exposure', tracking)) IS NULL THEN
				RAISE EXCEPTION 'environment "%" has no tracking tables', env
					USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Run SELECT featbit.create_tracking(''tracking'', %L), then record with expose and track.', env);
			END IF;
			-- exposures of a deleted flag of the same key are no evidence for this one
			SELECT coalesce(max(r.revision), 0) INTO first_revision FROM featbit.flag_revision r
				WHERE r.environment = env AND r.kind = 'flag' AND r.key = experiment.flag_key AND r.change = 'insert' AND r.changed_at < as_of;
			RETURN format('raw AS (SELECT x.user_key AS unit, x.variation, x.exposed_at AS at, x.randomised AND x.rule_id IS NOT DISTINCT FROM %L AS randomised FROM %I.exposure x WHERE x.environment = %L AND x.flag_key = %L AND x.iteration = %s AND x.revision >= %s AND x.exposed_at < %L)',
				experiment.rule_id, tracking, env, experiment.flag_key, iteration.flag_iteration, first_revision, until);
		WHEN 'relation' THEN
			RETURN format('raw AS (SELECT %s AS unit, (%s)::text COLLATE "C" AS variation, s.%s AS at, true AS randomised FROM %s s WHERE s.%s >= %L AND s.%s < %L)',
				featbit.unit_sql('s.' || (compiled ->> 'unit'), type), compiled ->> 'variation', compiled ->> 'time', compiled ->> 'source', compiled ->> 'time', iteration.started_at, compiled ->> 'time', until);
		ELSE
			RETURN format('raw AS (SELECT v.unit, r.variant COLLATE "C" AS variation, v.at, (r.metadata ->> ''randomised'')::boolean AND (r.metadata ->> ''rule_id'') IS NOT DISTINCT FROM %L AS randomised FROM (SELECT %s AS unit, s.%s AS at, %s AS context FROM %s s WHERE s.%s >= %L AND s.%s < %L) v CROSS JOIN LATERAL featbit.resolve_at(%L, v.at, coalesce(v.context, ''{}'') || jsonb_build_object(''targetingKey'', v.unit::text), %L) r WHERE v.unit IS NOT NULL AND r.error_code IS NULL AND r.variant IS NOT NULL)',
				experiment.rule_id, featbit.unit_sql('s.' || (compiled ->> 'unit'), type), compiled ->> 'time', coalesce('(' || (compiled ->> 'context') || ')', 'NULL::jsonb'), compiled ->> 'source',
				compiled ->> 'time', iteration.started_at, compiled ->> 'time', until, experiment.flag_key, env);
	END CASE;
END
$$;

COMMENT ON FUNCTION featbit.exposures_sql(featbit.experiment, featbit.experiment_iteration, timestamptz, text, timestamptz) IS
'internal: the CTE raw, exposures as they were recorded: unit, variation, at, randomised. Errors: no tracking tables (55000)';

CREATE FUNCTION featbit.units_sql(experiment featbit.experiment, iteration featbit.experiment_iteration, as_of timestamptz, slice text, type text, exposed_before timestamptz DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
	AS $$
#variable_conflict use_variable
DECLARE
	env constant text := experiment.environment;
	activation featbit.metric_definition;
	dimension jsonb;
	near text;
	ctes text[];
	columns text := 'NULL::text AS slice';
	joins text := '';
BEGIN
	IF slice IS NOT NULL AND NOT experiment.dimensions ? slice THEN
		near := featbit.nearest_name(slice, ARRAY(SELECT d FROM jsonb_object_keys(experiment.dimensions) d));
		RAISE EXCEPTION 'experiment "%" has no dimension "%"', experiment.key, slice
			USING ERRCODE = 'undefined_object', HINT = coalesce('Did you mean "' || near || '"?', 'Dimensions are given to create_experiment or update_experiment.');
	END IF;

	IF experiment.identity IS NOT NULL THEN
		-- an anonymous key that belongs to several units tells nothing
		ctes := ctes || format('identity AS MATERIALIZED (SELECT i.anonymous, min(i.unit::text)::%1$s AS unit, min(i.unit::text) <> max(i.unit::text) AS ambiguous FROM (SELECT %2$s AS anonymous, %3$s AS unit FROM %4$s s) i WHERE i.anonymous IS NOT NULL AND i.unit IS NOT NULL GROUP BY 1)',
			type, featbit.unit_sql(experiment.identity #>> '{compiled,anonymous}', type), featbit.unit_sql(experiment.identity #>> '{compiled,unit}', type), experiment.identity #>> '{compiled,source}');
	END IF;

	ctes := ctes || featbit.exposures_sql(experiment, iteration, as_of, type, exposed_before);

	ctes := ctes || format('known AS (SELECT %s AS unit, r.variation, r.at, r.randomised FROM raw r%s WHERE r.unit IS NOT NULL AND r.variation IS NOT NULL AND isfinite(r.at)%s)',
		CASE WHEN experiment.identity IS NULL THEN 'r.unit' ELSE 'coalesce(i.unit, r.unit)' END,
		CASE WHEN experiment.identity IS NULL THEN '' ELSE ' LEFT JOIN identity i ON i.anonymous = r.unit' END,
		CASE WHEN experiment.identity IS NULL THEN '' ELSE ' AND i.ambiguous IS NOT TRUE' END);
	ctes := ctes || 'grouped AS MATERIALIZED (SELECT k.unit, min(k.at) FILTER (WHERE k.randomised) AS at, min(k.at) AS first_at, min(k.variation) AS low, max(k.variation) AS high FROM known k GROUP BY k.unit)'::text;
	ctes := ctes || format('mixed AS (SELECT DISTINCT ON (k.unit) k.unit, k.variation FROM grouped g JOIN known k ON k.unit = g.unit WHERE g.low <> g.high AND g.at IS NOT NULL AND g.first_at >= %L ORDER BY k.unit, k.at, k.variation)', iteration.started_at);

	IF slice IS NOT NULL THEN
		dimension := experiment.dimensions -> slice -> 'compiled';
		ctes := ctes || format('dimension AS MATERIALIZED (SELECT d.unit, min(d.value) AS value FROM (SELECT %s AS unit, (%s)::text COLLATE "C" AS value FROM %s s) d WHERE d.unit IS NOT NULL GROUP BY 1)',
			featbit.unit_sql('s.' || (dimension ->> 'unit'), type), dimension ->> 'value', dimension ->> 'source');
		ctes := ctes || 'popular AS MATERIALIZED (SELECT coalesce(d.value, ''(none)'') AS value FROM grouped g LEFT JOIN dimension d ON d.unit = g.unit GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 20)'::text;
		columns := 'CASE WHEN coalesce(d.value, ''(none)'') IN (SELECT p.value FROM popular p) THEN coalesce(d.value, ''(none)'') ELSE ''(other)'' END AS slice';
		joins := ' LEFT JOIN dimension d ON d.unit = g.unit';
	END IF;
	IF experiment.clusters IS NOT NULL THEN
		ctes := ctes || format('cluster AS MATERIALIZED (SELECT c.unit, min(c.cluster) AS cluster FROM (SELECT %s AS unit, (%s)::text COLLATE "C" AS cluster FROM %s s) c WHERE c.unit IS NOT NULL GROUP BY 1)',
			featbit.unit_sql('s.' || (experiment.clusters #>> '{compiled,unit}'), type), experiment.clusters #>> '{compiled,cluster}', experiment.clusters #>> '{compiled,source}');
		-- who belongs to no cluster is one
		columns := columns || ', coalesce(c.cluster, ''/'' || g.unit::text) AS cluster';
		joins := joins || ' LEFT JOIN cluster c ON c.unit = g.unit';
	END IF;
	ctes := ctes || format('%s AS MATERIALIZED (SELECT g.unit, g.low AS variation, g.at, g.at AS exposed_at, %s FROM grouped g%s WHERE g.low = g.high AND g.low = ANY (%L::text[]) AND g.at IS NOT NULL AND g.first_at >= %L)',
		CASE WHEN experiment.activation IS NULL THEN 'unit' ELSE 'exposed' END, columns, joins, experiment.variations, iteration.started_at);
	IF experiment.activation IS NOT NULL THEN
		activation := featbit.stored_metric(experiment.activation, env);
		ctes := ctes || format('unit AS MATERIALIZED (SELECT x.unit, x.variation, min(e.at) AS at, x.exposed_at, x.slice%1$s FROM exposed x JOIN (%10$sSELECT %2$s AS unit, s.%3$s AS at FROM %4$s s WHERE s.%3$s >= %5$L AND s.%3$s < %6$L AND %7$s%11$s) e ON e.unit = x.unit AND e.at >= x.at + %8$L::interval%9$s GROUP BY x.unit, x.variation, x.exposed_at, x.slice%1$s)',
			CASE WHEN experiment.clusters IS NULL THEN '' ELSE ', x.cluster' END, featbit.unit_sql('s.' || (activation.compiled ->> 'unit'), type), activation.compiled ->> 'time', activation.compiled ->> 'source',
			iteration.started_at, as_of, featbit.events_sql(activation, 1, 'filter'), activation.delay,
			CASE WHEN activation.attribution_window IS NULL THEN '' ELSE format(' AND e.at < x.at + %L::interval', activation.delay + activation.attribution_window) END,
			CASE WHEN experiment.identity IS NULL THEN '' ELSE 'SELECT coalesce(i.unit, o.unit) AS unit, o.at FROM (' END,
			CASE WHEN experiment.identity IS NULL THEN '' ELSE ') o LEFT JOIN identity i ON i.anonymous = o.unit WHERE i.ambiguous IS NOT TRUE' END);
	END IF;
	RETURN array_to_string(ctes, E',\n');
END
$$;

COMMENT ON FUNCTION featbit.units_sql(featbit.experiment, featbit.experiment_iteration, timestamptz, text, text, timestamptz) IS
'internal: the CTEs of an experiment up to unit, for what was known before as_of; slice: dimension, or NULL; type: that of unit_type; exposed_before: end of the exposures, where it is earlier. Errors: unknown dimension (42704), no tracking tables (55000)';

CREATE FUNCTION featbit.iteration_at(experiment featbit.experiment, as_of timestamptz) RETURNS featbit.experiment_iteration
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	iteration featbit.experiment_iteration;
BEGIN
	SELECT i.* INTO iteration FROM featbit.experiment_iteration i
		WHERE i.environment = experiment.environment AND i.experiment_key = experiment.key AND i.started_at <= as_of ORDER BY i.iteration DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'experiment "%" had not been started', experiment.key
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Start it with start_experiment; experiment_power plans it.';
	END IF;
	RETURN iteration;
END
$$;

COMMENT ON FUNCTION featbit.iteration_at(featbit.experiment, timestamptz) IS
'internal: the last iteration of an experiment that had been started at a moment. Errors: 55000 when there is none';
