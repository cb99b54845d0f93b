
-- What FeatBit's own analysis says, for those who migrate --------------------------------------------

CREATE FUNCTION featbit.featbit_v5_result(
	variations text[],
	states featbit.stats[],
	baseline text,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	lower_is_better boolean DEFAULT false)
	RETURNS TABLE (variation text, n bigint, mean float8, effect float8, ci_low float8, ci_high float8, p_value float8, n_required bigint,
		is_baseline boolean, is_winner boolean, is_invalid boolean, reason text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	place int := array_position(featbit_v5_result.variations, featbit_v5_result.baseline);
BEGIN
	IF cardinality(featbit_v5_result.variations) IS DISTINCT FROM cardinality(featbit_v5_result.states) THEN
		RAISE EXCEPTION 'variations and states must have the same length, not % and %', cardinality(featbit_v5_result.variations), cardinality(featbit_v5_result.states)
			USING ERRCODE = 'array_subscript_error';
	END IF;
	IF place IS NULL THEN
		RAISE EXCEPTION 'baseline "%" is not one of the variations', featbit_v5_result.baseline
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Variations are ' || coalesce(nullif(array_to_string(featbit_v5_result.variations, ', '), ''), 'none') || '.';
	END IF;
	IF featbit_v5_result.lower_is_better IS NULL THEN
		RAISE EXCEPTION 'lower_is_better must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	RETURN QUERY
		WITH arm AS (
			SELECT u.i, u.v, u.s, featbit.n(u.s) AS n, featbit.mean(u.s) AS mean, featbit.variance(u.s) AS variance, u.v = featbit_v5_result.baseline AS is_baseline
				FROM unnest(featbit_v5_result.variations, featbit_v5_result.states) WITH ORDINALITY u(v, s, i)),
		compared AS (
			SELECT t.*, e.effect, e.ci_low, e.ci_high, e.p_value, c.n AS n_c,
				CASE WHEN least(coalesce(c.n, 0), coalesce(t.n, 0)) < 30 THEN 'quantity of control or traitement is too small'
					WHEN c.variance = 0 THEN 'control is empty'
					WHEN t.variance = 0 THEN 'traitement is empty'
					WHEN t.is_baseline THEN 'is baseline'
					WHEN e.p_value >= featbit_v5_result.alpha THEN 'p_value >= alpha (' || e.p_value || ' >= ' || featbit_v5_result.alpha || ')'
					WHEN e.p_value IS NULL THEN 'control is empty'
				END AS reason,
				(t.mean - c.mean) / nullif(sqrt(((t.n - 1) * t.variance + (c.n - 1) * c.variance) / nullif(t.n + c.n - 2, 0)), 0) AS size
				FROM arm t, (SELECT * FROM arm b WHERE b.is_baseline LIMIT 1) c, LATERAL featbit.effect(c.s, t.s, 'relative', alpha => featbit_v5_result.alpha, profile => 'featbit') e),
		sized AS (
			SELECT d.*, CASE WHEN least(d.n, d.n_c) >= 30 AND abs(d.size) BETWEEN 1e-9 AND 1e9
					THEN (SELECT z.n_control FROM featbit.sample_size(1, 1, d.size, featbit_v5_result.alpha, featbit_v5_result.power, 2, d.n / d.n_c::float8, 't') z) END AS n_required
				FROM compared d),
		judged AS (
			SELECT d.*, coalesce(d.reason, CASE WHEN d.n < d.n_required THEN 'sample size is too small (' || d.n || ' < ' || d.n_required || '.0)' ELSE '' END) AS said
				FROM sized d),
		best AS (
			SELECT CASE WHEN featbit_v5_result.lower_is_better AND min(j.effect) < 0 THEN min(j.effect) WHEN max(j.effect) > 0 THEN max(j.effect) END AS effect
				FROM judged j WHERE j.said = '')
		SELECT j.v, j.n, j.mean,
			CASE WHEN j.said = 'is baseline' THEN 0 WHEN j.said !~ 'empty|too small$' THEN j.effect END,
			CASE WHEN j.said = 'is baseline' THEN 0 WHEN j.said !~ 'empty|too small$' THEN j.ci_low END,
			CASE WHEN j.said = 'is baseline' THEN 0 WHEN j.said !~ 'empty|too small$' THEN j.ci_high END,
			CASE WHEN j.said = 'is baseline' THEN 1 WHEN j.said !~ 'empty|too small$' THEN j.p_value END,
			CASE WHEN j.is_baseline THEN NULL ELSE j.n_required END,
			j.is_baseline, j.said = '' AND j.effect IS NOT DISTINCT FROM b.effect, j.said <> '', j.said
			FROM judged j, best b
			ORDER BY j.said <> '', CASE WHEN j.said = '' THEN j.effect END, j.v COLLATE "C";
END
$$;

COMMENT ON FUNCTION featbit.featbit_v5_result(text[], featbit.stats[], text, float8, float8, boolean) IS
'The result page of FeatBit 1 to 5: Welch''s test with the delta method, its ladder of reasons, and its winner, with exact tails. For comparison while migrating; decide by effect or effect_sequential instead, because this page tests at every look, corrects for no number of variations, requires a sample size that is computed from the observed effect, and has no result where an arm did not convert or converted always.
Arguments: variations and states, one state of kind proportion or mean for each variation; baseline: one of the variations; alpha; power of the required size; lower_is_better.
Returns one row for each variation, the valid ones by effect, then the others: n, mean, effect = (mean - mean of baseline) / mean of baseline, ci_low, ci_high, p_value; n_required: units of the baseline for that power; is_baseline, is_winner, is_invalid; reason in FeatBit''s words, empty if valid.
Errors: 2202E for arrays of different length; 22023 for an unknown baseline; 22004 for a NULL lower_is_better; those of effect and sample_size.';

CREATE FUNCTION featbit.featbit_v6_result(
	control featbit.stats,
	treatment featbit.stats,
	prior_mean float8 DEFAULT 0,
	prior_sd float8 DEFAULT NULL,
	inverse boolean DEFAULT false,
	guardrail boolean DEFAULT false,
	edition text DEFAULT 'v6',
	OUT chance_to_win float8,
	OUT relative_change float8,
	OUT absolute_change float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT risk_control float8,
	OUT risk_treatment float8,
	OUT p_harm float8,
	OUT verdict text,
	OUT error text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v6 boolean := edition = 'v6';
	dash text := CASE WHEN edition = 'v6' THEN '-' ELSE '—' END;
	arrow text := CASE WHEN edition = 'v6' THEN '->' ELSE '→' END;
	posterior record;
	loss float8;
	mean_c float8 := featbit.mean(control);
	mean_t float8 := featbit.mean(treatment);
BEGIN
	IF edition IS NULL OR edition NOT IN ('v6', 'agent') THEN
		RAISE EXCEPTION 'unrecognized edition "%"', edition USING ERRCODE = 'invalid_parameter_value', HINT = 'Legal values are "v6", "agent".';
	END IF;
	IF inverse IS NULL OR guardrail IS NULL THEN
		RAISE EXCEPTION 'inverse and guardrail must not be null' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF coalesce(featbit.n(control), 0) = 0 OR coalesce(featbit.n(treatment), 0) = 0 THEN
		error := 'zero sample size';
		RETURN;
	END IF;
	IF mean_c = 0 THEN
		error := 'control mean is zero ' || dash || ' cannot compute relative effect';
		RETURN;
	END IF;
	-- FeatBit divides by the mean, not by its absolute value.
	absolute_change := mean_t - mean_c;
	SELECT b.* INTO posterior
		FROM featbit.effect_bayes(control, treatment, CASE WHEN guardrail THEN 0 ELSE prior_mean * sign(mean_c) END, CASE WHEN NOT guardrail THEN prior_sd END) b;
	IF posterior.sd > 0 THEN
		chance_to_win := CASE WHEN mean_c > 0 THEN posterior.p_better ELSE 1 - posterior.p_better END;
		relative_change := posterior.mean * sign(mean_c);
		ci_low := CASE WHEN mean_c > 0 THEN posterior.ci_low ELSE -posterior.ci_high END;
		ci_high := CASE WHEN mean_c > 0 THEN posterior.ci_high ELSE -posterior.ci_low END;
		risk_control := CASE WHEN mean_c > 0 THEN posterior.loss_control ELSE posterior.loss_treatment END;
		risk_treatment := CASE WHEN mean_c > 0 THEN posterior.loss_treatment ELSE posterior.loss_control END;
	ELSIF v6 THEN
		-- Nothing varies: FeatBit 6 compares the means.
		relative_change := absolute_change / mean_c;
		chance_to_win := CASE sign(relative_change) WHEN 1 THEN 1 WHEN 0 THEN 0.5 ELSE 0 END;
		ci_low := relative_change;
		ci_high := relative_change;
		risk_control := greatest(relative_change, 0);
		risk_treatment := greatest(-relative_change, 0);
	ELSE
		absolute_change := NULL;
		error := 'zero standard error (no variance in data)';
		RETURN;
	END IF;
	IF inverse THEN
		chance_to_win := 1 - chance_to_win;
		loss := risk_control;
		risk_control := risk_treatment;
		risk_treatment := loss;
	END IF;
	p_harm := 1 - chance_to_win;
	verdict := CASE
		WHEN guardrail AND v6 THEN
			CASE WHEN p_harm <= 0.01 THEN 'guardrail clear' WHEN p_harm >= 0.95 THEN 'guardrail ALARM - likely regression' ELSE 'guardrail inconclusive - monitor' END
		WHEN guardrail THEN
			CASE WHEN p_harm < 0.1 THEN 'guardrail healthy' WHEN p_harm < 0.3 THEN 'guardrail borderline — monitor' ELSE 'guardrail ALARM — possible regression' END
		WHEN chance_to_win >= 0.95 THEN 'strong signal ' || arrow || ' adopt treatment'
		WHEN chance_to_win >= 0.8 THEN 'leaning treatment'
		WHEN chance_to_win <= 0.05 THEN 'treatment appears harmful'
		WHEN chance_to_win <= 0.2 THEN 'leaning control'
		ELSE 'inconclusive'
	END;
END
$$;

COMMENT ON FUNCTION featbit.featbit_v6_result(featbit.stats, featbit.stats, float8, float8, boolean, boolean, text) IS
'The Bayesian result of FeatBit 6 and of its release decision agent: a normal posterior of the relative effect, in closed form and with exact tails, and their verdicts. For comparison while migrating: under repeated looks the verdicts have the false alarms of a fixed test, they count each of several treatments and guardrails as if it were alone, and divide by the mean of control whatever its sign.
Arguments: control, treatment: states of kind proportion or mean; prior_mean, prior_sd: of the relative effect, prior_sd NULL for a flat prior (FeatBit''s proper prior is 0 and 0.3); inverse: smaller is better; guardrail: judge as a guardrail, which has no prior; edition "v6", or "agent" for the release decision agent, whose guardrail limits and wording differ.
Returns one row: chance_to_win, relative_change and absolute_change (mean_t - mean_c), ci_low and ci_high of 95 percent; risk_control: expected loss of staying, risk_treatment: of changing; p_harm = 1 - chance_to_win; verdict; or error alone, in FeatBit''s words, where it has no result.
Errors: 22023 for an unknown edition; 22004 for a NULL flag; those of effect_bayes.';
