-- experiments: what the numbers mean

CREATE FUNCTION featbit.names_are(names text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$ SELECT array_to_string(names, ', ') || CASE WHEN cardinality(names) > 1 THEN ' are' ELSE ' is' END $$;

COMMENT ON FUNCTION featbit.names_are(text[]) IS 'internal: names and the verb that goes with them';

CREATE FUNCTION featbit.mean_of(state featbit.stats) RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$ SELECT e.mean_c FROM featbit.effect(state, state) e $$;

COMMENT ON FUNCTION featbit.mean_of(featbit.stats) IS 'internal: what a state measures: its mean, or of a ratio the ratio; NULL for an empty state';

CREATE FUNCTION featbit.decide(ended boolean, method text, empty text[], srm_p double precision, mixed_share double precision, mixed_p double precision,
		harmed text[], plan_reached boolean, worse text[], better text[], undecided text[], within_minimum boolean,
		OUT rule integer, OUT verdict text, OUT reason text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT r.rule, r.verdict, r.reason FROM (VALUES
		(1, cardinality(empty) > 0, 'no data', format('nobody was dealt %s', array_to_string(empty, ', '))),
		(2, srm_p < 0.001, 'invalid: sample ratio',
			format('the users are not divided as planned (p = %s): find out why before you believe any number', btrim(to_char(srm_p, '9.9EEEE')))),
		(3, mixed_share > 0.05 OR mixed_p < 0.001, 'invalid: mixed exposure',
			CASE WHEN mixed_share > 0.05 THEN format('%s %% of the users saw several variations', round((100 * mixed_share)::numeric, 1))
				ELSE format('users who saw several variations are not spread evenly over the variations (p = %s)', btrim(to_char(mixed_p, '9.9EEEE'))) END),
		(4, cardinality(harmed) > 0, 'roll back', format('%s worse by more than the margin', featbit.names_are(harmed))),
		(5, method IN ('fixed', 'group_sequential') AND NOT plan_reached,
			CASE WHEN ended THEN 'inconclusive: stopped before the planned size' ELSE 'keep running' END,
			CASE WHEN ended THEN 'it was stopped before the size that was planned' ELSE 'the planned size is not reached' END),
		(6, cardinality(worse) > 0, 'roll back', format('%s significantly worse', featbit.names_are(worse))),
		(7, cardinality(better) > 0 AND coalesce(cardinality(undecided), 0) = 0, 'ship',
			format('%s significantly better, and no guardrail is worse than its margin', featbit.names_are(better))),
		(8, cardinality(better) > 0, CASE WHEN ended THEN 'inconclusive: guardrail' ELSE 'keep running' END,
			format('%s significantly better, but it is not yet shown that %s not worse than the margin', featbit.names_are(better), featbit.names_are(undecided))),
		(9, within_minimum, 'no effect of the size you care about', 'the effect on every goal is smaller than the smallest that is worth having'),
		(10, true, CASE WHEN ended THEN 'inconclusive' ELSE 'keep running' END,
			CASE WHEN ended THEN 'no goal is significantly better or worse' ELSE 'no goal is significantly better or worse yet' END)) r (rule, applies, verdict, reason)
		WHERE r.applies ORDER BY r.rule LIMIT 1
	$$;

COMMENT ON FUNCTION featbit.decide(boolean, text, text[], double precision, double precision, double precision, text[], boolean, text[], text[], text[], boolean) IS
'the verdict on a variation: the first of these rules that applies.
1 a variation of empty: no data. 2 srm_p < 0.001 (sequential while it runs, chi-square when it ended): invalid: sample ratio. 3 mixed_share > 0.05, the share of users seen in several variations, or mixed_p < 0.001, whether that share differs by variation: invalid: mixed exposure. 4 guardrails in harmed (a one-sided confidence sequence beyond the margin): roll back. 5 method fixed or group_sequential, and not plan_reached: keep running, or inconclusive: stopped before the planned size. 6 goals in worse: roll back. 7 goals in better and no guardrail in undecided: ship. 8 goals in better: keep running, or inconclusive: guardrail. 9 within_minimum, every goal''s interval within its minimum effect: no effect of the size you care about. 10 keep running, or inconclusive. The second of two is that of an experiment that has ended.
Returns the rule, the verdict and the reason in words. NULL arguments do not apply';

CREATE FUNCTION featbit.compare_variation(control featbit.stats, treatment featbit.stats, experiment featbit.experiment, plan_reached boolean, info double precision[],
		direction text, margin double precision, guardrails bigint,
		OUT effect double precision, OUT ci_low double precision, OUT ci_high double precision, OUT p_value double precision, OUT log_e double precision, OUT p_better double precision,
		OUT harmed boolean, OUT harmless boolean, OUT status text, OUT notes text[])
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	alpha constant double precision := experiment.alpha;
	planned constant bigint := coalesce(experiment.planned_n, 10000);
	sign constant integer := CASE direction WHEN 'decrease' THEN -1 ELSE 1 END;
	safe constant text := CASE direction WHEN 'decrease' THEN 'less' ELSE 'greater' END;
	harmful constant text := CASE direction WHEN 'decrease' THEN 'greater' ELSE 'less' END;
	used text := CASE WHEN experiment.method = 'fixed' AND NOT plan_reached OR experiment.method = 'group_sequential' AND info IS NULL THEN 'sequential' ELSE experiment.method END;
	p double precision;
	posterior record;
BEGIN
	IF used = 'fixed' THEN
		SELECT e.effect, e.ci_low, e.ci_high, e.p_value, e.log_e, e.status, e.notes INTO effect, ci_low, ci_high, p_value, log_e, status, notes
			FROM featbit.effect(control, treatment, alpha => alpha) e;
	ELSIF used = 'group_sequential' THEN
		SELECT e.effect, e.ci_low, e.ci_high, e.p_value, e.log_e, e.status, e.notes INTO effect, ci_low, ci_high, p_value, log_e, status, notes
			FROM featbit.effect_group_sequential(control, treatment, info, cardinality(info), experiment.spending, alpha => alpha) e;
	ELSE
		SELECT e.effect, e.ci_low, e.ci_high, e.p_value, e.log_e, e.status, e.notes INTO effect, ci_low, ci_high, p_value, log_e, status, notes
			FROM featbit.effect_sequential(control, treatment, planned, alpha => alpha) e;
	END IF;
	IF used = 'bayes' THEN
		SELECT b.* INTO posterior FROM featbit.effect_bayes(control, treatment, 0, experiment.prior_sd, 'relative', alpha) b;
		effect := posterior.mean;
		ci_low := posterior.ci_low;
		ci_high := posterior.ci_high;
		p_value := NULL;
		p_better := CASE direction WHEN 'decrease' THEN 1 - posterior.p_better ELSE posterior.p_better END;
		status := posterior.status;
		notes := posterior.notes;
	END IF;
	IF margin IS NOT NULL THEN
		SELECT e.p_value INTO p FROM featbit.effect_sequential(control, treatment, planned, 'relative', harmful, alpha / guardrails, -sign * margin) e;
		harmed := coalesce(p < alpha / guardrails, false);
		IF used = 'fixed' THEN
			SELECT e.p_value < alpha INTO harmless FROM featbit.effect(control, treatment, 'relative', safe, alpha, null_value => -sign * margin) e;
		ELSIF used = 'group_sequential' THEN
			SELECT e.p_value < alpha INTO harmless
				FROM featbit.effect_group_sequential(control, treatment, info, cardinality(info), experiment.spending, NULL, 'relative', safe, alpha, -sign * margin) e;
		ELSIF used = 'bayes' THEN
			harmless := featbit.norm_cdf((sign * posterior.mean + margin) / nullif(posterior.sd, 0)) >= 1 - alpha / 2;
		ELSE
			SELECT e.p_value < alpha INTO harmless FROM featbit.effect_sequential(control, treatment, planned, 'relative', safe, alpha, -sign * margin) e;
		END IF;
		harmless := coalesce(harmless, false);
	END IF;
END
$$;

COMMENT ON FUNCTION featbit.compare_variation(featbit.stats, featbit.stats, featbit.experiment, boolean, double precision[], text, double precision, bigint) IS
'internal: compares a variation with the control by the method of an experiment (sequential where a fixed or group sequential one has not reached its plan): relative effect, interval, p-value, evidence, probability to be better, and for a guardrail with a margin whether it is harmed (confidence sequence at alpha / guardrails) or shown harmless. planned_n is 10,000 where none was given';

CREATE FUNCTION featbit.look_times(experiment featbit.experiment, iteration featbit.experiment_iteration, as_of timestamptz, OUT exposed timestamptz[], OUT known timestamptz[])
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET enable_nestloop = off SET jit = off
	AS $$
#variable_conflict use_variable
DECLARE
	sources jsonb[] := '{}';
	horizon interval;
BEGIN
	IF experiment.activation IS NOT NULL THEN
		sources := sources || (featbit.stored_metric(experiment.activation, experiment.environment)).compiled;
	END IF;
	SELECT coalesce(max(m.delay + m.attribution_window), '0') INTO horizon
		FROM featbit.experiment_metric x JOIN featbit.metric_definition m ON m.environment = x.environment AND m.key = x.metric_key
		WHERE x.environment = experiment.environment AND x.experiment_key = experiment.key AND x.role = 'goal';
	EXECUTE format('WITH %s SELECT array_agg(u.at + ''1 microsecond''::interval ORDER BY u.n), array_agg(u.at + ''1 microsecond''::interval + $1 ORDER BY u.n)
			FROM (SELECT x.at, row_number() OVER (ORDER BY x.at) AS n FROM unit x) u WHERE u.n = ANY ($2) AND u.at + ''1 microsecond''::interval + $1 <= $3',
			featbit.units_sql(experiment, iteration, as_of, NULL, featbit.unit_type(experiment, sources)))
		INTO exposed, known
		USING horizon, (SELECT array_agg(DISTINCT ceil(l * experiment.planned_n)::bigint) FROM unnest(experiment.looks) l), as_of;
END
$$;

COMMENT ON FUNCTION featbit.look_times(featbit.experiment, featbit.experiment_iteration, timestamptz) IS
'internal: when a group sequential experiment had exposed as many units as each of its looks asks for, and when the attribution windows of their goals were over, up to as_of; NULL before the first look';
