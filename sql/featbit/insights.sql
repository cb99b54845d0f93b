-- FeatBit's insights: what its SDKs send to a server, recorded as exposures and events

CREATE FUNCTION featbit.insight_time(value jsonb) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN jsonb_typeof(value) = 'number' THEN
		CASE WHEN value::numeric BETWEEN 0 AND 253402300799999 THEN to_timestamp((value::numeric / 1000)::float8) END END
	$$;

COMMENT ON FUNCTION featbit.insight_time(jsonb) IS
'internal: the time of a JSON number of milliseconds since 1970-01-01 UTC; NULL for anything else and for times outside of the years 1970 to 9999. Raises nothing.';

CREATE FUNCTION featbit.featbit_user_context(featbit_user jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT coalesce(jsonb_object_agg(a.name, a.value), '{}')
		FROM (
			SELECT DISTINCT ON (u.name) u.name, u.value
				FROM (
					SELECT 0, 'name', featbit_user -> 'name' WHERE jsonb_typeof(featbit_user -> 'name') = 'string'
					UNION ALL
					SELECT p.n, p.property ->> 'name', p.property -> 'value'
						FROM jsonb_array_elements(CASE WHEN jsonb_typeof(featbit_user -> 'customizedProperties') = 'array'
							THEN featbit_user -> 'customizedProperties' ELSE '[]' END) WITH ORDINALITY p (property, n)
						WHERE jsonb_typeof(p.property) = 'object' AND p.property ->> 'name' IS NOT NULL) u (n, name, value)
				ORDER BY u.name, u.n) a
	$$;

COMMENT ON FUNCTION featbit.featbit_user_context(jsonb) IS
'the context of a user as FeatBit''s SDKs send one: {"keyId", "name", "customizedProperties": [{"name", "value"}]} becomes {"name": …, property: value …}. Of properties with the same name the first counts; what is no such object is left out. The keyId is not part of the context, pass it as user_key. Raises nothing.';

CREATE FUNCTION featbit.track_featbit(payload jsonb, environment text DEFAULT NULL,
	OUT exposures bigint, OUT events bigint, OUT repeated bigint, OUT skipped bigint, OUT problems text[])
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	in_environment constant text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	target text;
BEGIN
	IF payload IS NULL THEN
		RAISE EXCEPTION 'insights must not be null'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Pass the array that the SDK sends: [{"user": {"keyId": "alice"}, "variations": [...], "metrics": [...]}].';
	END IF;
	IF jsonb_typeof(payload) NOT IN ('array', 'object') THEN
		RAISE EXCEPTION 'insights must be an array of objects, not %', left(payload::text, 100)
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Pass the array that the SDK sends: [{"user": {"keyId": "alice"}, "variations": [...], "metrics": [...]}].';
	END IF;
	target := featbit.recording_schema(in_environment, 'insights');
	EXECUTE format($record$
		WITH item AS MATERIALIZED (
			SELECT i.n - 1 AS n, i.insight, u.user_key, u.problem
				FROM jsonb_array_elements(CASE jsonb_typeof($1) WHEN 'array' THEN $1 ELSE jsonb_build_array($1) END) WITH ORDINALITY i (insight, n)
				CROSS JOIN LATERAL (
					SELECT CASE WHEN jsonb_typeof(i.insight #> '{user,keyId}') = 'string' THEN i.insight #>> '{user,keyId}' END) k (user_key)
				CROSS JOIN LATERAL (
					SELECT k.user_key, CASE
						WHEN jsonb_typeof(i.insight) <> 'object' THEN 'is no object'
						WHEN k.user_key IS NULL OR btrim(k.user_key, E' \t\n\r\f\v') = '' THEN 'has no user with a keyId'
						WHEN octet_length(k.user_key) > 1024 THEN 'has a keyId of more than 1024 bytes'
						END) u (user_key, problem)),
		seen AS MATERIALIZED (
			SELECT i.n, v.n - 1 AS place, i.user_key, v.insight ->> 'featureFlagKey' AS flag_key, v.insight #>> '{variation,id}' AS variation,
					v.insight -> 'sendToExperiment' AS send_to_experiment,
					CASE WHEN coalesce(v.insight -> 'timestamp', 'null') = 'null' THEN statement_timestamp() ELSE featbit.insight_time(v.insight -> 'timestamp') END AS at,
					featbit.featbit_user_context(i.insight -> 'user') AS context
				FROM item i
				CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(i.insight -> 'variations') = 'array' THEN i.insight -> 'variations' ELSE '[]' END)
					WITH ORDINALITY v (insight, n)
				WHERE i.problem IS NULL),
		exposure AS MATERIALIZED (
			SELECT s.n, s.place, s.user_key, s.flag_key, s.variation, s.at, e.resolved_environment, e.iteration, e.revision, e.unit_key,
					agreed.yes AS agreed, e.reason, e.rule_id, e.randomised AND s.send_to_experiment IS DISTINCT FROM 'false' AS randomised,
					CASE
						WHEN s.flag_key IS NULL THEN 'names no flag'
						WHEN s.variation IS NULL THEN 'names no variation'
						WHEN s.at IS NULL THEN 'has a timestamp that is no number of milliseconds since 1970'
						WHEN e.error_code IN ('FLAG_NOT_FOUND', 'PROVIDER_NOT_READY') THEN format('unknown flag "%%s"', left(s.flag_key, 128))
						WHEN featbit.variation_value(s.flag_key, s.variation, $2) IS NULL THEN format('flag "%%s" has no variation "%%s"', s.flag_key, left(s.variation, 128))
						END AS problem
				FROM seen s
				LEFT JOIN LATERAL featbit.evaluate_exposure(s.user_key, s.flag_key, s.context, $2) e ON true
				CROSS JOIN LATERAL (SELECT e.error_code IS NULL AND e.variation IS NOT DISTINCT FROM s.variation) agreed (yes)),
		metric AS MATERIALIZED (
			SELECT i.n, m.n - 1 AS place, i.user_key, m.insight ->> 'eventName' AS event_name, value.number,
					CASE WHEN value.stamped THEN featbit.insight_time(m.insight -> 'timestamp') ELSE statement_timestamp() END AS at,
					jsonb_strip_nulls(jsonb_build_object('type', m.insight -> 'type', 'route', m.insight -> 'route', 'appType', m.insight -> 'appType')) AS attributes,
					CASE WHEN value.stamped THEN format('featbit:%%s:%%s', md5(m.insight::text), row_number() OVER (PARTITION BY i.user_key, m.insight ORDER BY i.n, m.n)) END AS idempotency_key,
					CASE
						WHEN jsonb_typeof(m.insight -> 'eventName') IS DISTINCT FROM 'string' OR m.insight ->> 'eventName' = '' THEN 'names no event'
						WHEN octet_length(m.insight ->> 'eventName') > 1024 THEN 'has an eventName of more than 1024 bytes'
						WHEN value.number IS NULL THEN format('has a numericValue that is no number between -1e100 and 1e100: %%s', left((m.insight -> 'numericValue')::text, 40))
						WHEN value.stamped AND featbit.insight_time(m.insight -> 'timestamp') IS NULL THEN 'has a timestamp that is no number of milliseconds since 1970'
						END AS problem
				FROM item i
				CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(i.insight -> 'metrics') = 'array' THEN i.insight -> 'metrics' ELSE '[]' END)
					WITH ORDINALITY m (insight, n)
				CROSS JOIN LATERAL (
					SELECT coalesce(m.insight -> 'timestamp', 'null') <> 'null',
						CASE WHEN coalesce(m.insight -> 'numericValue', 'null') = 'null' THEN 1
							WHEN jsonb_typeof(m.insight -> 'numericValue') = 'number' THEN
								CASE WHEN abs((m.insight -> 'numericValue')::numeric) < 1e-300 THEN 0
									WHEN abs((m.insight -> 'numericValue')::numeric) <= 1e100 THEN (m.insight -> 'numericValue')::float8 END
							END) value (stamped, number)
				WHERE i.problem IS NULL),
		new_exposure AS (
			INSERT INTO %1$I.exposure (environment, flag_key, iteration, user_key, variation, exposed_at, revision, reason, rule_id, unit_key, randomised)
				SELECT DISTINCT ON (e.flag_key, e.user_key, e.variation) e.resolved_environment, e.flag_key, e.iteration, e.user_key, e.variation, e.at, e.revision,
						CASE WHEN e.agreed THEN e.reason ELSE 'OVERRIDDEN' END, CASE WHEN e.agreed THEN e.rule_id END, e.unit_key, e.agreed AND e.randomised
					FROM exposure e
					WHERE e.problem IS NULL
					ORDER BY e.flag_key, e.user_key, e.variation, e.at, e.n, e.place
				ON CONFLICT (environment, flag_key, iteration, user_key, variation) DO NOTHING
				RETURNING 1),
		new_event AS (
			INSERT INTO %1$I.event (environment, user_key, event_name, value, attributes, occurred_at, idempotency_key)
				SELECT $2, m.user_key, m.event_name, m.number, m.attributes, m.at, m.idempotency_key
					FROM metric m
					WHERE m.problem IS NULL
				ON CONFLICT (environment, user_key, idempotency_key, occurred_at) DO NOTHING
				RETURNING 1),
		refused AS (
			SELECT i.n, '' AS member, 0 AS place, i.problem FROM item i WHERE i.problem IS NOT NULL
			UNION ALL
			SELECT e.n, '.variations', e.place, e.problem FROM exposure e WHERE e.problem IS NOT NULL
			UNION ALL
			SELECT m.n, '.metrics', m.place, m.problem FROM metric m WHERE m.problem IS NOT NULL)
		SELECT (SELECT count(*) FROM new_exposure), (SELECT count(*) FROM new_event),
			(SELECT count(*) FROM exposure e WHERE e.problem IS NULL) + (SELECT count(*) FROM metric m WHERE m.problem IS NULL)
				- (SELECT count(*) FROM new_exposure) - (SELECT count(*) FROM new_event),
			(SELECT count(*) FROM refused),
			ARRAY(SELECT format('[%%s]%%s %%s', r.n, CASE WHEN r.member <> '' THEN format('%%s[%%s]', r.member, r.place) END, r.problem)
				FROM refused r ORDER BY r.n, r.member, r.place LIMIT 20)
		$record$, target)
		INTO exposures, events, repeated, skipped, problems
		USING payload, in_environment;
END
$$;

COMMENT ON FUNCTION featbit.track_featbit(jsonb, text) IS
'records what FeatBit''s SDKs send to POST /api/public/insight/track: an array of {"user", "variations": [{"featureFlagKey", "variation": {"id"}, "timestamp", "sendToExperiment"}], "metrics": [{"eventName", "numericValue", "type", "route", "appType", "timestamp"}]}, times in milliseconds since 1970.
A variation becomes an exposure: rule, reason and randomised are those of the flag''s evaluation when that agrees, otherwise OVERRIDDEN, as with expose; one that was not sent to experiments is not randomised. A metric becomes an event of its eventName with its numericValue (1 where there is none). A payload that is delivered twice records nothing the second time; equal metrics within one payload all count.
Returns how many exposures and events were written, how many were known already (repeated) or skipped, and the first 20 reasons for skipping: no user, an unknown flag or variation, a value or time that is none. One bad entry does not lose the others.
Errors: payload that is no array or object (22023) or NULL (22004), no tracking schema (55000), read-only transaction or standby (25006)';
