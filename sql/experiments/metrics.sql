-- experiments: metrics over any relation of the user's
--
-- A metric is stored as it was written and as it was compiled: with every name qualified, as PostgreSQL prints it. It therefore means
-- the same whatever the search path of who reads it, and it runs with his rights, not with those of who defined it.

CREATE TABLE featbit.metric_definition (
	environment text COLLATE "C" NOT NULL,
	key text COLLATE "C" NOT NULL,
	name text,
	description text,
	kind text COLLATE "C" NOT NULL CHECK (kind OPERATOR(pg_catalog.=) ANY (ARRAY['conversion', 'count', 'sum', 'mean', 'ratio', 'quantile', 'retention', 'funnel', 'time_to_event'])),
	source text NOT NULL,
	unit_column text NOT NULL,
	time_column text NOT NULL,
	value text,
	denominator text,
	filter text,
	steps text[],
	quantile double precision CHECK (quantile OPERATOR(pg_catalog.>) 0 AND quantile OPERATOR(pg_catalog.<) 1),
	delay interval NOT NULL DEFAULT '0',
	attribution_window interval,
	lookback interval,
	cap double precision,
	cap_quantile double precision CHECK (cap_quantile OPERATOR(pg_catalog.>) 0 AND cap_quantile OPERATOR(pg_catalog.<) 1),
	direction text COLLATE "C" NOT NULL DEFAULT 'increase' CHECK (direction OPERATOR(pg_catalog.=) ANY (ARRAY['increase', 'decrease'])),
	minimum_effect double precision,
	mature_only boolean NOT NULL DEFAULT false,
	search_path text NOT NULL,
	compiled jsonb NOT NULL,
	revision bigint NOT NULL,
	updated_at timestamptz NOT NULL,
	updated_by text NOT NULL,
	PRIMARY KEY (environment, key)
);

COMMENT ON TABLE featbit.metric_definition IS 'metrics of experiments: how events in any relation become one value per unit; written by create_metric, update_metric and delete_metric';
COMMENT ON COLUMN featbit.metric_definition.environment IS 'environment of the metric';
COMMENT ON COLUMN featbit.metric_definition.key IS 'name of the metric: letters, digits, dot, underscore and hyphen, at most 128 bytes';
COMMENT ON COLUMN featbit.metric_definition.name IS 'name for people';
COMMENT ON COLUMN featbit.metric_definition.description IS 'what the metric measures';
COMMENT ON COLUMN featbit.metric_definition.kind IS 'conversion, count, sum, mean, ratio, quantile, retention, funnel or time_to_event';
COMMENT ON COLUMN featbit.metric_definition.source IS 'table, view or query, as it was written';
COMMENT ON COLUMN featbit.metric_definition.unit_column IS 'column of the source that says whose event it is';
COMMENT ON COLUMN featbit.metric_definition.time_column IS 'column of the source, of type timestamptz, that says when it happened';
COMMENT ON COLUMN featbit.metric_definition.value IS 'expression over the columns of the source: what is summed, counted or compared; of kind ratio the numerator';
COMMENT ON COLUMN featbit.metric_definition.denominator IS 'expression over the columns of the source: the denominator of kind ratio';
COMMENT ON COLUMN featbit.metric_definition.filter IS 'condition on the columns of the source: which rows are events of the metric; NULL: all';
COMMENT ON COLUMN featbit.metric_definition.steps IS 'conditions on the columns of the source, the steps of kind funnel in their order';
COMMENT ON COLUMN featbit.metric_definition.quantile IS 'which quantile of the values kind quantile compares, 0.5 the median';
COMMENT ON COLUMN featbit.metric_definition.delay IS 'time between the exposure and the first moment at which events count';
COMMENT ON COLUMN featbit.metric_definition.attribution_window IS 'how long events count from then on, the end excluded; NULL: until the result is asked for, or the experiment was stopped';
COMMENT ON COLUMN featbit.metric_definition.lookback IS 'time before the exposure in which the same is measured as a covariate (CUPED); NULL: none';
COMMENT ON COLUMN featbit.metric_definition.cap IS 'largest value that a unit can have; NULL: none';
COMMENT ON COLUMN featbit.metric_definition.cap_quantile IS 'the largest value that a unit can have is this quantile of the values that are not 0, over all variations; NULL: none';
COMMENT ON COLUMN featbit.metric_definition.direction IS 'increase: more is better; decrease: less is better';
COMMENT ON COLUMN featbit.metric_definition.minimum_effect IS 'the smallest relative effect worth having, 0.02 is two percent; NULL: not said';
COMMENT ON COLUMN featbit.metric_definition.mature_only IS 'whether only units whose attribution window is over are counted';
COMMENT ON COLUMN featbit.metric_definition.search_path IS 'search path in which source and expressions were read';
COMMENT ON COLUMN featbit.metric_definition.compiled IS 'source and expressions with qualified names, and their types';
COMMENT ON COLUMN featbit.metric_definition.revision IS 'number of this version';
COMMENT ON COLUMN featbit.metric_definition.updated_at IS 'when this version was written';
COMMENT ON COLUMN featbit.metric_definition.updated_by IS 'session user who wrote this version';

SELECT pg_catalog.pg_extension_config_dump('featbit.metric_definition', '');

CREATE FUNCTION featbit.check_key(what text, key text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF key IS NULL THEN
		RAISE EXCEPTION '% key is null', what USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF key !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' OR octet_length(key) > 128 THEN
		RAISE EXCEPTION 'invalid % key "%"', what, key
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = 'A key has 1 to 128 letters, digits, dots, underscores and hyphens and starts with a letter or digit.';
	END IF;
	RETURN key;
END
$$;

COMMENT ON FUNCTION featbit.check_key(text, text) IS
'internal: the key of a metric or experiment (what) after making sure that it is one. Errors: 22004 for NULL, 22023 for other characters or more than 128 bytes';

CREATE FUNCTION featbit.execute_in_path(search_path text, statement text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM set_config('search_path', search_path, true);
	EXECUTE statement;
	RETURN true;
END
$$;

COMMENT ON FUNCTION featbit.execute_in_path(text, text) IS
'internal: executes a statement, the names of which are looked up in a search path, with the caller''s rights. Errors: those of the statement';

CREATE FUNCTION featbit.relation_in_path(search_path text, name text) RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM set_config('search_path', search_path, true);
	RETURN pg_catalog.to_regclass(name);
END
$$;

COMMENT ON FUNCTION featbit.relation_in_path(text, text) IS
'internal: the relation that a search path finds under a name, NULL for none. Errors: 42602 and 42601 for what is no name';

CREATE FUNCTION featbit.compile_source(source text, unit_column text, time_column text, expressions jsonb, search_path text, what text DEFAULT 'metric')
	RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	is_query constant boolean := source ~* '^\s*(\(|(select|with|values|table)\M)';
	relation regclass;
	body text;
	near text;
	legal text[];
	broken text;
	label text;
	expression text;
	kind text;
	printed text;
	compiled jsonb := '{}';
	message text;
	state text;
BEGIN
	IF coalesce(btrim(source), '') = '' THEN
		RAISE EXCEPTION '% needs a source', what
			USING ERRCODE = 'null_value_not_allowed', HINT = 'Name a table or view, or write a query.';
	END IF;
	IF to_regclass('pg_temp.featbit_source') IS NOT NULL THEN
		DROP VIEW pg_temp.featbit_source CASCADE;
	END IF;
	IF is_query THEN
		body := rtrim(source, E' \t\r\n;');
		BEGIN
			PERFORM featbit.execute_in_path(search_path, format(E'CREATE TEMPORARY VIEW pg_temp.featbit_source AS SELECT * FROM (%s\n) s', body));
		EXCEPTION WHEN syntax_error_or_access_rule_violation OR feature_not_supported THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
			IF state = '42501' THEN
				RAISE;
			END IF;
			RAISE EXCEPTION 'the query of the % cannot be used: %', what, message
				USING ERRCODE = state, DETAIL = format('The query is: %s', source),
					HINT = 'Write one SELECT, every column with a name of its own, and no data-modifying statements. Names are looked up in the search path of the session that defines it.';
		END;
	ELSE
		BEGIN
			relation := featbit.relation_in_path(search_path, source);
		EXCEPTION WHEN OTHERS THEN
			relation := NULL;
		END;
		IF relation IS NULL OR (SELECT c.relkind NOT IN ('r', 'v', 'm', 'p', 'f') FROM pg_class c WHERE c.oid = relation) THEN
			SELECT array_agg(n) INTO legal
				FROM (SELECT CASE WHEN strpos(source, '.') > 0 THEN s.nspname || '.' ELSE '' END || c.relname AS n
						FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
						WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND s.nspname NOT IN ('pg_catalog', 'information_schema') AND s.nspname !~ '^pg_'
							AND has_schema_privilege(s.oid, 'USAGE')) t;
			near := featbit.nearest_name(source, legal);
			RAISE EXCEPTION 'relation "%" does not exist', source
				USING ERRCODE = 'undefined_table',
					HINT = coalesce('Did you mean "' || near || '"?', 'Name a table or view that the search path finds, or with its schema, or write a query that starts with SELECT.');
		END IF;
		EXECUTE format('CREATE TEMPORARY VIEW pg_temp.featbit_source AS SELECT * FROM %s', relation);
	END IF;
	IF EXISTS (SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
				JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
				WHERE r.ev_class = 'pg_temp.featbit_source'::regclass AND c.oid <> r.ev_class AND c.relpersistence = 't') THEN
		RAISE EXCEPTION 'the source of the % is temporary', what
			USING ERRCODE = 'invalid_table_definition', HINT = 'Other sessions do not see temporary tables: use a table or view that stays.';
	END IF;
	SELECT array_agg(a.attname::text ORDER BY a.attnum) INTO legal
		FROM pg_attribute a WHERE a.attrelid = 'pg_temp.featbit_source'::regclass AND a.attnum > 0;

	FOR label, expression IN SELECT 'unit', unit_column UNION ALL SELECT 'time', time_column WHERE time_column IS NOT NULL LOOP
		IF expression IS NULL OR expression <> ALL (legal) THEN
			RAISE EXCEPTION 'the source of the % has no column "%"', what, expression
				USING ERRCODE = 'undefined_column',
					DETAIL = format('Its columns are %s.', (SELECT string_agg(format('"%s"', l), ', ') FROM unnest(legal) l)),
					HINT = coalesce('Did you mean "' || featbit.nearest_name(expression, legal) || '"?', format('Give the name of the column as %s_column.', label));
		END IF;
		SELECT format_type(a.atttypid, NULL) INTO kind
			FROM pg_attribute a WHERE a.attrelid = 'pg_temp.featbit_source'::regclass AND a.attname = expression;
		IF label = 'time' AND kind <> 'timestamp with time zone' THEN
			RAISE EXCEPTION 'column "%" has type %, not timestamp with time zone', expression, kind
				USING ERRCODE = 'datatype_mismatch',
					DETAIL = 'Without a time zone it is not known whether an event came before or after an exposure.',
					HINT = format('Write the source as a query that says which zone it is, such as SELECT *, %I AT TIME ZONE ''UTC'' AS at FROM ...', expression);
		ELSIF label = 'unit' AND kind NOT IN ('text', 'character varying', 'smallint', 'integer', 'bigint', 'uuid') THEN
			RAISE EXCEPTION 'column "%" has type %, which cannot name units', expression, kind
				USING ERRCODE = 'datatype_mismatch', HINT = 'Units are text, integers or uuid. Write the source as a query that casts the column.';
		END IF;
		compiled := compiled || jsonb_build_object(label, quote_ident(expression), label || '_type', kind);
	END LOOP;

	FOR label, expression IN SELECT e.key, e.value FROM jsonb_each_text(expressions) e WHERE e.value IS NOT NULL LOOP
		BEGIN
			-- where a condition stands there can be no aggregate, no window function and no set
			PERFORM featbit.execute_in_path(search_path, format(E'CREATE TEMPORARY VIEW pg_temp.featbit_expression AS SELECT 1 AS one FROM pg_temp.featbit_source s WHERE ((%s\n)) IS NULL', expression));
			DROP VIEW pg_temp.featbit_expression;
			PERFORM featbit.execute_in_path(search_path, format(E'CREATE TEMPORARY VIEW pg_temp.featbit_expression AS SELECT (%s\n) AS featbit_value FROM pg_temp.featbit_source s', expression));
		EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
			IF state = '42501' THEN
				RAISE;
			END IF;
			broken := CASE WHEN state = '42703' THEN regexp_replace((regexp_match(message, '^column "?([^" ]+)'))[1], '^s\.', '') END;
			RAISE EXCEPTION '% "%" of the % cannot be used: %', label, expression, what, message
				USING ERRCODE = state,
					DETAIL = format('Columns of the source are %s.', (SELECT string_agg(format('"%s"', l), ', ') FROM unnest(legal) l)),
					HINT = coalesce('Did you mean "' || featbit.nearest_name(broken, legal) || '"?',
						'Write an expression over one row of the source; summing and counting is done for you.');
		END;
		SELECT format_type(a.atttypid, NULL) INTO kind
			FROM pg_attribute a WHERE a.attrelid = 'pg_temp.featbit_expression'::regclass AND a.attname = 'featbit_value';
		printed := pg_get_viewdef('pg_temp.featbit_expression'::regclass);
		printed := substring(printed FROM E'^ SELECT (.*) AS featbit_value\n   FROM featbit_source s;$');
		DROP VIEW pg_temp.featbit_expression;
		IF printed IS NULL THEN
			RAISE EXCEPTION '% "%" of the % is no expression over one row', label, expression, what
				USING ERRCODE = 'syntax_error', HINT = 'Write an expression over one row of the source; summing and counting is done for you.';
		END IF;
		compiled := compiled || jsonb_build_object(label, printed, label || '_type', kind);
	END LOOP;

	IF is_query THEN
		printed := rtrim(pg_get_viewdef('pg_temp.featbit_source'::regclass), ';');
		compiled := compiled || jsonb_build_object('source', '(' || printed || ')');
	ELSE
		compiled := compiled || jsonb_build_object('source', (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation));
	END IF;
	DROP VIEW pg_temp.featbit_source;
	-- under the rights of who defines it: what he may not read he cannot measure
	EXECUTE format('SELECT %s FROM %s s LIMIT 0',
		(SELECT string_agg(e.value, ', ') FROM jsonb_each_text(compiled) e WHERE e.key <> 'source' AND e.key NOT LIKE '%\_type'), compiled ->> 'source');
	RETURN compiled;
END
$$;

COMMENT ON FUNCTION featbit.compile_source(text, text, text, jsonb, text, text) IS
'internal: reads a source (relation or query) and expressions over its columns in a search path, with the caller''s rights, and returns them with qualified names and their types, as an object of source, unit, unit_type, time, time_type and the labels of expressions. what: metric, exposures and so on, for messages.
Needs the right to make temporary tables in the database. Errors: unknown relation (42P01) or column (42703), each with the nearest name, a time without time zone or units of another type (42804), a temporary source (42P16), what the parser says of a query or expression, and 42501 for what the caller may not read';

CREATE FUNCTION featbit.check_metric(metric featbit.metric_definition) RETURNS featbit.metric_definition
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	kinds constant text[] := ARRAY['conversion', 'count', 'sum', 'mean', 'ratio', 'quantile', 'retention', 'funnel', 'time_to_event'];
	numeric_types constant text[] := ARRAY['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision'];
	expressions jsonb;
	step record;
	compiled jsonb;
	wrong text;
	hint text;
BEGIN
	PERFORM featbit.check_key('metric', metric.key);
	IF metric.kind IS NULL OR metric.kind <> ALL (kinds) THEN
		RAISE EXCEPTION 'unknown kind "%" of metric', metric.kind
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('Kinds are %s.', array_to_string(kinds, ', ')),
				HINT = coalesce('Did you mean "' || featbit.nearest_name(metric.kind, kinds) || '"?', 'Name one of them.');
	END IF;
	SELECT c.wrong, c.hint INTO wrong, hint FROM (VALUES
		(metric.kind IN ('sum', 'mean', 'ratio', 'quantile') AND metric.value IS NULL, 'needs a value', 'Give the column or expression that is measured as value.'),
		(metric.kind IN ('retention', 'funnel', 'time_to_event') AND metric.value IS NOT NULL, 'has no value', 'Use filter to choose events.'),
		((metric.kind = 'ratio') <> (metric.denominator IS NOT NULL), CASE metric.kind WHEN 'ratio' THEN 'needs a denominator' ELSE 'has no denominator' END, 'A ratio is the sum of value over the sum of denominator.'),
		((metric.kind = 'quantile') <> (metric.quantile IS NOT NULL), CASE metric.kind WHEN 'quantile' THEN 'needs a quantile' ELSE 'has no quantile' END, 'A quantile lies between 0 and 1; 0.5 is the median.'),
		(NOT (metric.quantile > 0 AND metric.quantile < 1), 'needs a quantile between 0 and 1, both excluded', '0.5 is the median.'),
		((metric.kind = 'funnel') <> (coalesce(cardinality(metric.steps), 0) > 0), CASE metric.kind WHEN 'funnel' THEN 'needs steps' ELSE 'has no steps' END, 'Steps are conditions on the rows of the source, in their order.'),
		(cardinality(metric.steps) NOT BETWEEN 2 AND 16 OR array_position(metric.steps, NULL) IS NOT NULL, 'needs 2 to 16 steps', 'Steps are conditions on the rows of the source, in their order.'),
		(metric.kind IN ('retention', 'time_to_event') AND metric.attribution_window IS NULL, 'needs an attribution_window', 'How long after the exposure, and its delay, do events count?'),
		(NOT coalesce(metric.delay >= interval '0', false) OR NOT isfinite(now() + metric.delay), 'needs a delay of 0 or more', NULL),
		(NOT metric.attribution_window > interval '0', 'needs an attribution_window of more than 0', NULL),
		(NOT metric.lookback > interval '0', 'needs a lookback of more than 0', NULL),
		(metric.lookback IS NOT NULL AND metric.kind NOT IN ('conversion', 'count', 'sum', 'mean', 'ratio'), 'has no lookback', 'Only conversions, counts, sums, means and ratios can be compared with what was before the exposure.'),
		(NOT metric.cap > 0 OR metric.cap = 'NaN' OR metric.cap = 'infinity', 'needs a finite cap of more than 0', NULL),
		(NOT (metric.cap_quantile > 0 AND metric.cap_quantile < 1), 'needs a cap_quantile between 0 and 1, both excluded', '0.999 leaves out the largest thousandth.'),
		(coalesce(metric.cap, metric.cap_quantile) IS NOT NULL AND metric.kind NOT IN ('count', 'sum'), 'has no cap', 'Only counts and sums can be capped. Cap other values in the expression, with least().'),
		(metric.cap IS NOT NULL AND metric.cap_quantile IS NOT NULL, 'has cap and cap_quantile', 'Give one of them.'),
		(metric.direction IS NULL OR metric.direction NOT IN ('increase', 'decrease'), format('has the unknown direction "%s"', metric.direction), 'The direction is increase (more is better) or decrease.'),
		(NOT (metric.minimum_effect > 0 AND metric.minimum_effect < 1000), 'needs a minimum_effect of more than 0', 'The effect is relative: 0.02 is two percent.'),
		(metric.mature_only AND metric.attribution_window IS NULL, 'needs an attribution_window to be mature', NULL)) c (is_wrong, wrong, hint)
		WHERE c.is_wrong LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'metric "%" of kind % %', metric.key, metric.kind, wrong
			USING ERRCODE = 'invalid_parameter_value', HINT = coalesce(hint, 'Intervals, quantiles and caps are checked when the metric is defined.');
	END IF;
	metric.mature_only := coalesce(metric.mature_only, false) OR metric.kind IN ('retention', 'time_to_event');

	expressions := jsonb_build_object('value', metric.value, 'denominator', metric.denominator, 'filter', metric.filter);
	FOR step IN SELECT s.step, s.n FROM unnest(metric.steps) WITH ORDINALITY s (step, n) LOOP
		expressions := expressions || jsonb_build_object('step ' || step.n, step.step);
	END LOOP;
	compiled := featbit.compile_source(metric.source, metric.unit_column, metric.time_column, expressions, metric.search_path, format('metric "%s"', metric.key));
	SELECT e.key INTO wrong FROM jsonb_object_keys(expressions) e (key)
		WHERE compiled ? e.key AND (e.key = 'filter' OR e.key LIKE 'step %') AND compiled ->> (e.key || '_type') <> 'boolean'
		ORDER BY e.key LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '% "%" of the metric "%" has type %, not boolean', wrong, expressions ->> wrong, metric.key, compiled ->> (wrong || '_type')
			USING ERRCODE = 'datatype_mismatch', HINT = 'A condition says of a row whether it is meant, such as status = ''paid''.';
	END IF;
	SELECT e.key INTO wrong FROM unnest(ARRAY['value', 'denominator']) e (key)
		WHERE compiled ? e.key AND compiled ->> (e.key || '_type') <> ALL (numeric_types)
			AND NOT (compiled ->> (e.key || '_type') = 'boolean') AND NOT metric.kind IN ('conversion', 'count')
		LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '% "%" of the metric "%" has type %, not a number', wrong, expressions ->> wrong, metric.key, compiled ->> (wrong || '_type')
			USING ERRCODE = 'datatype_mismatch', HINT = 'Write an expression that gives a number, for an interval extract(epoch FROM ...).';
	END IF;
	metric.compiled := compiled;
	metric.updated_at := statement_timestamp();
	metric.updated_by := session_user;
	RETURN metric;
END
$$;

COMMENT ON FUNCTION featbit.check_metric(featbit.metric_definition) IS
'internal: a metric after its parts were checked against each other and its source and expressions were compiled. Errors: 22023 for parts that do not fit the kind, and those of compile_source';

CREATE FUNCTION featbit.create_metric(metric_key text, kind text, source text DEFAULT NULL, unit_column text DEFAULT NULL, time_column text DEFAULT NULL,
		value text DEFAULT NULL, denominator text DEFAULT NULL, filter text DEFAULT NULL, event_name text DEFAULT NULL, steps text[] DEFAULT NULL,
		quantile double precision DEFAULT NULL, delay interval DEFAULT '0', attribution_window interval DEFAULT NULL, lookback interval DEFAULT NULL,
		cap double precision DEFAULT NULL, cap_quantile double precision DEFAULT NULL, direction text DEFAULT 'increase', minimum_effect double precision DEFAULT NULL,
		mature_only boolean DEFAULT false, name text DEFAULT NULL, description text DEFAULT NULL, environment text DEFAULT NULL,
		search_path text DEFAULT pg_catalog.current_setting('search_path'))
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	metric featbit.metric_definition;
	tracking text;
BEGIN
	IF NOT featbit.lock_environment(env) THEN
		INSERT INTO featbit.environment (key) VALUES (env) ON CONFLICT DO NOTHING;
		PERFORM featbit.lock_environment(env);
	END IF;
	IF EXISTS (SELECT FROM featbit.metric_definition m WHERE m.environment = env AND m.key = metric_key) THEN
		RAISE EXCEPTION 'metric "%" already exists in environment "%"', metric_key, env
			USING ERRCODE = 'unique_violation', HINT = 'Change it with update_metric, or choose another key.';
	END IF;
	IF source IS NULL THEN
		SELECT e.tracking_schema INTO tracking FROM featbit.environment e WHERE e.key = env;
		IF tracking IS NULL THEN
			RAISE EXCEPTION 'environment "%" has no tracking tables', env
				USING ERRCODE = 'object_not_in_prerequisite_state',
					HINT = 'Give the table, view or query that holds the events as source, or run create_tracking first.';
		END IF;
		IF event_name IS NULL AND steps IS NULL AND filter IS NULL THEN
			RAISE EXCEPTION 'metric "%" needs a source or an event_name', metric_key
				USING ERRCODE = 'null_value_not_allowed', HINT = 'Give a table, view or query of yours, or the name of an event that track records.';
		END IF;
		source := format('%I.event', tracking);
		unit_column := coalesce(unit_column, 'user_key');
		time_column := coalesce(time_column, 'occurred_at');
		filter := format('environment = %L', env) || coalesce(' AND event_name = ' || quote_literal(event_name), '') || coalesce(' AND (' || filter || ')', '');
	ELSIF event_name IS NOT NULL THEN
		RAISE EXCEPTION 'metric "%" has both a source and an event_name', metric_key
			USING ERRCODE = 'invalid_parameter_value', HINT = 'An event_name is looked up in the events that track records. Choose rows of a source of yours with filter.';
	END IF;
	metric := ROW(env, metric_key, name, description, kind, source, coalesce(unit_column, 'user_id'), coalesce(time_column, 'occurred_at'), value, denominator, filter, steps, quantile, delay,
		attribution_window, lookback, cap, cap_quantile, direction, minimum_effect, mature_only, search_path, NULL, 1, NULL, NULL);
	metric := featbit.check_metric(metric);
	INSERT INTO featbit.metric_definition SELECT metric.*;
	RETURN 1;
END
$$;

COMMENT ON FUNCTION featbit.create_metric(text, text, text, text, text, text, text, text, text, text[], double precision, interval, interval, interval, double precision, double precision, text, double precision, boolean, text, text, text, text) IS
'defines a metric over any relation; returns its revision, 1.
metric_key: its name. kind, of the events of a unit within the window: conversion (was there one), count (how many), sum (of value, 0 without events), mean (of value over events, the units being clusters), ratio (sum of value over sum of denominator), quantile (of value over events), retention (was there one between delay and delay + attribution_window), funnel (were all steps done in order), time_to_event (seconds until the first, at most the window).
source: table, view or query that starts with SELECT, WITH, VALUES or TABLE; default: the events that track records, of the name event_name. unit_column (default user_id), time_column (timestamptz; default occurred_at): columns of the source. value, denominator, filter, steps: SQL expressions over one row of the source; of conversion and count value says which rows count (those that are true or not NULL); a row of a funnel counts for the first step that it meets.
delay: events count from this time after the exposure on; attribution_window: and this long, half-open; default without end. lookback: the same is measured in this time before the exposure, as covariate (CUPED). cap: largest value of a unit; cap_quantile: the same as a quantile of the values other than 0. direction: increase or decrease is better. minimum_effect: the smallest relative effect worth having. mature_only: count only units whose window is over; retention and time_to_event always do.
environment: default the setting featbit.environment. search_path: where names are looked up, default that of the caller.
The source is read with the rights of whoever asks for a result. Values that are NULL, NaN, infinite or beyond 1e140 are no values. Days have 24 hours (the time zone is UTC).
Errors: a metric of this key (23505), kinds and parts that do not fit (22023), unknown relations (42P01) or columns (42703) and expressions that the parser refuses, each with the nearest name, types that do not fit (42804), no tracking tables (55000), rights that lack (42501)';

CREATE FUNCTION featbit.stored_metric(metric_key text, environment text) RETURNS featbit.metric_definition
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	env text := coalesce(environment, nullif(current_setting('featbit.environment', true), ''), 'default');
	metric featbit.metric_definition;
	near text;
BEGIN
	SELECT m.* INTO metric FROM featbit.metric_definition m WHERE m.environment = env AND m.key = metric_key;
	IF NOT FOUND THEN
		SELECT featbit.nearest_name(metric_key, array_agg(m.key::text)) INTO near FROM featbit.metric_definition m WHERE m.environment = env;
		RAISE EXCEPTION 'metric "%" does not exist in environment "%"', metric_key, env
			USING ERRCODE = 'undefined_object', HINT = coalesce('Did you mean "' || near || '"?', 'The table featbit.metric_definition lists the metrics.');
	END IF;
	RETURN metric;
END
$$;

COMMENT ON FUNCTION featbit.stored_metric(text, text) IS
'internal: the row of a metric; environment NULL is the setting featbit.environment. Errors: 42704 unknown metric';
