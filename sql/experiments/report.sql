-- experiments: results for people

CREATE FUNCTION featbit.ci_bar(low double precision, mid double precision, high double precision, axis_min double precision, axis_max double precision, width integer DEFAULT 31, ascii boolean DEFAULT false) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	-- the signs are those of Unicode's boxes, or what stands for them: line, left end, right end, open ends, middle, zero
	signs constant text[] := CASE WHEN ascii THEN ARRAY['-', '[', ']', '<', '>', 'o', '|'] ELSE ARRAY['─', '├', '┤', '◀', '▶', '●', '│'] END;
	cell text[];
	place integer;
	first integer;
	last integer;
BEGIN
	IF width IS NULL OR width NOT BETWEEN 3 AND 1000 THEN
		RAISE EXCEPTION 'width must be between 3 and 1000, not %', width USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF NOT axis_max > axis_min OR axis_max - axis_min > 1e300 OR axis_min IS NULL OR axis_max IS NULL THEN
		RAISE EXCEPTION 'axis_max must be more than axis_min, not % and %', axis_max, axis_min USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF mid IS NULL OR mid = 'NaN' THEN
		RETURN NULL;
	END IF;
	cell := array_fill(' '::text, ARRAY[width]);
	IF axis_min <= 0 AND axis_max >= 0 THEN
		cell[1 + round((width - 1) * (0 - axis_min) / (axis_max - axis_min))::integer] := signs[7];
	END IF;
	first := CASE WHEN low IS NULL OR low < axis_min THEN 1 WHEN low > axis_max THEN width ELSE 1 + round((width - 1) * (low - axis_min) / (axis_max - axis_min)) END;
	last := CASE WHEN high IS NULL OR high > axis_max THEN width WHEN high < axis_min THEN 1 ELSE 1 + round((width - 1) * (high - axis_min) / (axis_max - axis_min)) END;
	FOR i IN first .. last LOOP
		IF cell[i] = ' ' OR i IN (first, last) THEN
			cell[i] := CASE WHEN i = first THEN CASE WHEN low IS NULL OR low < axis_min THEN signs[4] ELSE signs[2] END
				WHEN i = last THEN CASE WHEN high IS NULL OR high > axis_max THEN signs[5] ELSE signs[3] END ELSE signs[1] END;
		END IF;
	END LOOP;
	place := CASE WHEN mid < axis_min THEN 1 WHEN mid > axis_max THEN width ELSE 1 + round((width - 1) * (mid - axis_min) / (axis_max - axis_min)) END;
	cell[place] := signs[6];
	RETURN array_to_string(cell, '');
END
$$;

COMMENT ON FUNCTION featbit.ci_bar(double precision, double precision, double precision, double precision, double precision, integer, boolean) IS
'an interval as a row of signs, for a cell of a table: the ends, a dot at mid, and a stroke at zero. low, high: NULL is open; what lies beyond axis_min or axis_max ends in an arrow. width: signs, 3 to 1000. ascii: for terminals and server encodings without the signs of boxes. NULL for no mid. Errors: 22023 for a width or an axis that is none';

CREATE FUNCTION featbit.percent_text(value double precision) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN abs(value) < 1e12 THEN CASE WHEN value < 0 THEN '-' ELSE '+' END
		|| round(abs(100 * value)::numeric, CASE WHEN abs(value) >= 0.1 OR value = 0 THEN 1 WHEN abs(value) >= 0.001 THEN 2 ELSE 3 END) || ' %' ELSE CASE WHEN value < 0 THEN '-' ELSE '+' END || btrim(to_char(abs(100 * value), '9.9EEEE')) || ' %' END
	$$;

COMMENT ON FUNCTION featbit.percent_text(double precision) IS 'internal: a relative effect for people, such as +2.31 %';

CREATE FUNCTION featbit.number_text(value double precision) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN value = 0 THEN '0' WHEN abs(value) >= 1e15 OR abs(value) < 1e-6 THEN btrim(to_char(value, '9.999EEEE'))
		ELSE round(value::numeric, greatest(0, 3 - floor(log(abs(value)::numeric))::integer)) ::text END
	$$;

COMMENT ON FUNCTION featbit.number_text(double precision) IS 'internal: a number for people, in four digits';

CREATE FUNCTION featbit.report(experiment_key text, as_of timestamptz DEFAULT NULL, environment text DEFAULT NULL)
	RETURNS TABLE (metric text, variation text, users bigint, mean text, effect text, "interval" text, bar text, p text, verdict text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	experiment constant featbit.experiment := featbit.stored_experiment(report.experiment_key, report.environment);
	ascii constant boolean := current_setting('server_encoding') <> 'UTF8';
	results featbit.experiment_result[];
	reach double precision;
BEGIN
	SELECT array_agg(r) INTO results FROM featbit.experiment_results(experiment.key, report.as_of, NULL, experiment.environment) r;
	-- one axis for all, wide enough for the intervals that are not far wider than the others
	SELECT least(coalesce(max(greatest(abs(r.effect), abs(r.ci_low), abs(r.ci_high))), 0.1), 4 * coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(abs(r.effect), abs(r.ci_low), abs(r.ci_high))), 0.1)) INTO reach
		FROM unnest(results) r WHERE abs(r.effect) < 1e6;
	RETURN QUERY
		SELECT CASE WHEN r.is_control THEN r.metric || CASE r.role WHEN 'goal' THEN '' ELSE ' (' || r.role || ')' END ELSE '' END, r.variation, r.users, featbit.number_text(r.mean),
				CASE WHEN r.is_control THEN 'control' WHEN r.effect IS NULL THEN r.status ELSE featbit.percent_text(r.effect) END,
				CASE WHEN r.ci_low IS NOT NULL OR r.ci_high IS NOT NULL THEN coalesce(featbit.percent_text(r.ci_low), '...') || ' to ' || coalesce(featbit.percent_text(r.ci_high), '...') END,
				CASE WHEN NOT r.is_control THEN featbit.ci_bar(r.ci_low, CASE WHEN r.effect BETWEEN -1e300 AND 1e300 THEN r.effect END, r.ci_high, -greatest(reach, 1e-9), greatest(reach, 1e-9), 31, ascii) END,
				CASE WHEN r.p_better IS NOT NULL THEN format('%s better', round(r.p_better::numeric, 3))
					WHEN coalesce(r.p_adjusted, r.p_value) < 0.0001 THEN btrim(to_char(coalesce(r.p_adjusted, r.p_value), '9.9EEEE')) ELSE round(coalesce(r.p_adjusted, r.p_value)::numeric, 4)::text END,
				CASE WHEN NOT r.is_control AND row_number() OVER (PARTITION BY r.variation ORDER BY r.n) = 1 THEN r.verdict || ': ' || r.reason END
			FROM unnest(results) WITH ORDINALITY r (experiment, iteration, metric, role, kind, variation, is_control, slice, users, mean, effect, ci_low, ci_high, p_value, p_adjusted, log_e, p_better,
				verdict, reason, status, notes, as_of, revision, n)
			ORDER BY r.n;
END
$$;

COMMENT ON FUNCTION featbit.report(text, timestamptz, text) IS
'the results of an experiment for people, to be read in psql: one row per metric and variation, with a bar for the interval of the relative effect (the stroke is zero, all bars have one axis), p (of goals adjusted) and, once for each variation, the verdict with its reason. Arguments and errors as of experiment_results, which has the numbers';
