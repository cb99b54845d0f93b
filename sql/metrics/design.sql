
-- Size of experiments ------------------------------------------------------------------------------

CREATE FUNCTION featbit.check_design(mean float8, sd float8, alpha float8, power float8, sides int, ratio float8) RETURNS float8
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF alpha IS NULL OR NOT (alpha > 0 AND alpha < 1) THEN
		RAISE EXCEPTION 'alpha must be between 0 and 1, both excluded, not %', alpha USING ERRCODE = 'invalid_parameter_value';
	ELSIF power IS NULL OR NOT (power > 0 AND power < 1) THEN
		RAISE EXCEPTION 'power must be between 0 and 1, both excluded, not %', power USING ERRCODE = 'invalid_parameter_value';
	ELSIF sides IS NULL OR sides NOT IN (1, 2) THEN
		RAISE EXCEPTION 'sides must be 1 or 2, not %', sides USING ERRCODE = 'invalid_parameter_value';
	ELSIF ratio IS NULL OR NOT (ratio >= 1e-6 AND ratio <= 1e6) THEN
		RAISE EXCEPTION 'ratio must be between 1e-6 and 1e6, not %', ratio USING ERRCODE = 'invalid_parameter_value';
	ELSIF NOT (abs(mean) <= 1e140) OR NOT (sd >= 0 AND sd <= 1e140) THEN
		RAISE EXCEPTION 'mean and sd must be finite, and sd not negative, not % and %', mean, sd USING ERRCODE = 'invalid_parameter_value';
	ELSIF sd IS NULL AND NOT (mean > 0 AND mean < 1) THEN
		RAISE EXCEPTION 'a proportion must be between 0 and 1, both excluded, not %', mean
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give sd for the mean of a number.';
	END IF;
	RETURN featbit.norm_quantile(1 - alpha / sides) + featbit.norm_quantile(power);
END
$$;

COMMENT ON FUNCTION featbit.check_design(float8, float8, float8, float8, int, float8) IS
'Internal: checks the arguments that sample_size, power_of and mde share and returns z(1 - alpha / sides) + z(power). Errors: 22023 for an argument out of range.';

CREATE FUNCTION featbit.design_spread(
	mean float8,
	sd float8,
	effect float8,
	ratio float8,
	method text,
	OUT delta float8,
	OUT spread_null float8,
	OUT spread_effect float8)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	p_t float8 := mean * (1 + effect);
	v_c float8 := coalesce(sd ^ 2, mean * (1 - mean));
	v_t float8 := coalesce(sd ^ 2, p_t * (1 - p_t));
	pooled float8;
BEGIN
	IF method IS NULL OR method NOT IN ('relative', 't', 'pooled', 'baseline', 'odds-ratio') THEN
		RAISE EXCEPTION 'unrecognized method "%"', method
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Legal values are "relative", "t", "pooled", "baseline", "odds-ratio".';
	ELSIF method IN ('pooled', 'baseline', 'odds-ratio') AND sd IS NOT NULL THEN
		RAISE EXCEPTION 'method "%" is for proportions', method USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave sd NULL.';
	END IF;
	delta := abs(mean * effect);
	spread_effect := sqrt(v_c + v_t / ratio);
	CASE method
		WHEN 'relative' THEN
			spread_effect := sqrt(v_c * (1 + effect) ^ 2 + v_t / ratio);
			spread_null := spread_effect;
		WHEN 't' THEN
			spread_effect := sqrt((v_c + ratio * v_t) / (1 + ratio) * (1 + 1 / ratio));
			spread_null := spread_effect;
		WHEN 'pooled' THEN
			pooled := (mean + ratio * p_t) / (1 + ratio);
			spread_null := sqrt(pooled * (1 - pooled) * (1 + 1 / ratio));
		WHEN 'baseline' THEN
			spread_null := sqrt(v_c * (1 + 1 / ratio));
		ELSE
			pooled := (mean + ratio * p_t) / (1 + ratio);
			delta := abs(ln(p_t / (1 - p_t) / mean * (1 - mean)));
			spread_null := sqrt((1 + 1 / ratio) / (pooled * (1 - pooled)));
			spread_effect := sqrt(1 / v_c + 1 / v_t / ratio);
	END CASE;
END
$$;

COMMENT ON FUNCTION featbit.design_spread(float8, float8, float8, float8, text) IS
'Internal: what a design has to find and how much it varies, for sample_size, power_of and mde: delta, and the standard deviations of its estimate times sqrt(n_control) without an effect and with it. Errors: 22023 for an unknown method, or an sd for a method of proportions.';

CREATE FUNCTION featbit.sample_size(
	mean float8,
	sd float8,
	mde float8,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	sides int DEFAULT 2,
	ratio float8 DEFAULT 1,
	method text DEFAULT 'relative',
	OUT n_control bigint,
	OUT n_treatment bigint,
	OUT n_total bigint,
	OUT n_exact float8)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	kappa float8 := featbit.check_design(mean, sd, alpha, power, sides, ratio);
	p_t float8 := mean * (1 + mde);
	spread record;
	n float8;
	low float8;
	high float8;
BEGIN
	IF NOT (abs(mde) >= 1e-9 AND abs(mde) <= 1e9) OR (sd IS NULL AND NOT (p_t > 0 AND p_t < 1)) THEN
		RAISE EXCEPTION 'mde must be a relative effect other than 0 that a unit can have, not %', mde USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO spread FROM featbit.design_spread(mean, sd, mde, ratio, method);
	IF mean = 0 OR mean IS NULL THEN
		RETURN;
	END IF;
	n := greatest((featbit.norm_quantile(1 - alpha / sides) * spread.spread_null + featbit.norm_quantile(power) * spread.spread_effect) / spread.delta, 0) ^ 2;
	IF method = 't' AND n < 1e8 THEN
		-- The t test needs a little more, found by halving.
		low := 2 / (1 + ratio) + 1e-6;
		high := greatest(2 * n, low) + 10;
		WHILE featbit.power_of(mean, sd, mde, high, alpha, sides, ratio, method) < power AND high < 1e15 LOOP
			high := 2 * high;
		END LOOP;
		FOR i IN 1 .. 100 LOOP
			n := (low + high) / 2;
			EXIT WHEN high - low <= 1e-12 * high;
			IF featbit.power_of(mean, sd, mde, n, alpha, sides, ratio, method) < power THEN
				low := n;
			ELSE
				high := n;
			END IF;
		END LOOP;
	END IF;
	IF n < 4e15 THEN
		n_exact := n;
		n_control := greatest(ceil(n), 2);
		n_treatment := greatest(ceil(n * ratio), 2);
		n_total := n_control + n_treatment;
	END IF;
END
$$;

COMMENT ON FUNCTION featbit.sample_size(float8, float8, float8, float8, float8, int, float8, text) IS
'Units that a fixed test needs to find an effect: n_c = ((z(1 - alpha / sides) s_0 + z(power) s_1) / delta)^2.
Arguments: mean and sd of a unit in control (the sd after adjustment, if covariates will be used; sd NULL: mean is a proportion and both arms have the variance p (1 - p)); mde: the smallest relative effect worth finding (0.02: two percent); alpha; power; sides 1 or 2; ratio: units of treatment per unit of control; method: "relative", the test of the relative effect with its variance by the delta method, s_0^2 = s_1^2 = v_c (1 + mde)^2 + v_t / ratio, so that mde() of the answer is mde; "t", the t test of the difference by the noncentral t distribution, as R''s power.t.test; and of proportions "pooled", the difference with the pooled variance under no effect, as R''s power.prop.test; "baseline", with that of control, as Evan Miller''s calculator; "odds-ratio", the logarithm of the odds ratio (Miettinen and Nurminen 1985).
Returns n_control, n_treatment, n_total, rounded up, and n_exact: n_control before rounding; NULL for mean 0 or beyond 4e15 units. Never plan with the effect that was observed.
Errors: 22023 for an argument out of range, an unknown method, or an sd for a method of proportions.';

CREATE FUNCTION featbit.mde(
	mean float8,
	sd float8,
	n_control float8,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	sides int DEFAULT 2,
	ratio float8 DEFAULT 1,
	method text DEFAULT 'relative')
	RETURNS float8
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	kappa float8 := featbit.check_design(mean, sd, alpha, power, sides, ratio);
	c float8;
	low float8 := 0;
	high float8;
	middle float8;
	largest float8;
BEGIN
	IF NOT (n_control > 0 AND n_control <= 1e16) THEN
		RAISE EXCEPTION 'n_control must be positive, not %', n_control USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF mean = 0 OR mean IS NULL OR abs(coalesce(sd, 0.5) / mean) > 1e100 THEN
		RETURN NULL;
	END IF;
	IF method <> 'relative' THEN
		PERFORM featbit.design_spread(mean, sd, 1e-6, ratio, method);
		largest := CASE WHEN sd IS NULL THEN (1 - 1e-9) / mean - 1 ELSE 1e9 END;
		high := least(1e-6, largest);
		WHILE NOT coalesce(featbit.power_of(mean, sd, high, n_control, alpha, sides, ratio, method), 0) >= power LOOP
			IF high >= largest THEN
				RETURN NULL;
			END IF;
			low := high;
			high := least(1.5 * high, largest);
		END LOOP;
		FOR i IN 1 .. 100 LOOP
			middle := (low + high) / 2;
			EXIT WHEN high - low <= 1e-14 * high;
			IF featbit.power_of(mean, sd, middle, n_control, alpha, sides, ratio, method) < power THEN
				low := middle;
			ELSE
				high := middle;
			END IF;
		END LOOP;
		RETURN high;
	END IF;

	-- mde^2 = c ((1 + mde)^2 + 1 / ratio)
	c := kappa ^ 2 * (coalesce(sd, sqrt(mean * (1 - mean))) / mean) ^ 2 / n_control;
	IF c >= 1 OR kappa <= 0 THEN
		RETURN NULL;
	END IF;
	RETURN (c + sqrt(c * (1 + (1 - c) / ratio))) / (1 - c);
END
$$;

COMMENT ON FUNCTION featbit.mde(float8, float8, float8, float8, float8, int, float8, text) IS
'Smallest positive relative effect that a fixed test finds with the given power: with method "relative" the positive root of mde^2 = c ((1 + mde)^2 + 1 / ratio), c = (z(1 - alpha / sides) + z(power))^2 v / (n_control mean^2), else by halving power_of.
Arguments: mean, sd, alpha, power, sides, ratio, method: as of sample_size (with "relative" a proportion has the variance of control in both arms here); n_control: units of control.
Returns NULL where no effect is large enough (c >= 1) and for mean 0. Errors: those of sample_size.';

CREATE FUNCTION featbit.power_of(
	mean float8,
	sd float8,
	effect float8,
	n_control float8,
	alpha float8 DEFAULT 0.05,
	sides int DEFAULT 2,
	ratio float8 DEFAULT 1,
	method text DEFAULT 'relative')
	RETURNS float8
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	z float8;
	p_t float8 := mean * (1 + effect);
	spread record;
	critical float8;
	df float8;
BEGIN
	PERFORM featbit.check_design(mean, sd, alpha, 0.5, sides, ratio);
	IF NOT (n_control > 0 AND n_control <= 1e16) THEN
		RAISE EXCEPTION 'n_control must be positive, not %', n_control USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF NOT abs(effect) <= 1e9 OR (sd IS NULL AND NOT (p_t > 0 AND p_t < 1)) THEN
		RAISE EXCEPTION 'effect must be a relative effect that a unit can have, not %', effect USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT * INTO spread FROM featbit.design_spread(mean, sd, effect, ratio, method);
	IF mean = 0 OR NOT spread.spread_effect > 0 THEN
		RETURN NULL;
	END IF;
	z := spread.delta * sign(mean * effect) * sign(mean) * sqrt(n_control);
	IF method = 't' THEN
		df := n_control * (1 + ratio) - 2;
		IF NOT df > 0 THEN
			RETURN NULL;
		END IF;
		z := CASE WHEN sides = 2 THEN abs(z) ELSE z END / spread.spread_effect;
		RETURN featbit.noncentral_t_sf(-featbit.t_quantile(alpha / sides, df), df, z);
	END IF;
	critical := featbit.norm_quantile(1 - alpha / sides) * spread.spread_null;
	RETURN featbit.norm_cdf((z - critical) / spread.spread_effect) +
		CASE WHEN sides = 2 THEN featbit.norm_cdf((-z - critical) / spread.spread_effect) ELSE 0 END;
END
$$;

COMMENT ON FUNCTION featbit.power_of(float8, float8, float8, float8, float8, int, float8, text) IS
'Probability that a fixed test finds a relative effect, for the designs of sample_size; two-sided it counts both directions, but with method "t" the right one only, as R''s power.t.test.
Arguments: mean, sd, alpha, sides (one-sided: for a positive effect), ratio, method: as of sample_size; effect: the true relative effect; n_control: units of control.
Returns NULL for mean 0, no variance, or with "t" fewer than three units. Errors: 22023 for an argument out of range, and those of sample_size.';

CREATE FUNCTION featbit.days_needed(
	daily_units float8,
	mean float8,
	sd float8,
	mde float8,
	alpha float8 DEFAULT 0.05,
	power float8 DEFAULT 0.8,
	sides int DEFAULT 2,
	ratio float8 DEFAULT 1,
	method text DEFAULT 'relative')
	RETURNS int
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	units float8 := (SELECT s.n_total FROM featbit.sample_size(mean, sd, mde, alpha, power, sides, ratio, method) s);
BEGIN
	IF NOT (daily_units > 0 AND daily_units <= 1e16) THEN
		RAISE EXCEPTION 'daily_units must be positive, not %', daily_units USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN CASE WHEN units / daily_units < 1e9 THEN ceil(units / daily_units) END;
END
$$;

COMMENT ON FUNCTION featbit.days_needed(float8, float8, float8, float8, float8, float8, int, float8, text) IS
'Days until sample_size is reached. daily_units: new units of both arms per day; the other arguments as of sample_size. Returns NULL where sample_size does, or beyond 1e9 days. Errors: those of sample_size, 22023 for daily_units not positive.';

-- Strata and slices ---------------------------------------------------------------------------------

CREATE FUNCTION featbit.heterogeneity(
	effects float8[],
	ses float8[],
	OUT q float8,
	OUT df int,
	OUT p_value float8,
	OUT i2 float8,
	OUT pooled float8,
	OUT pooled_se float8,
	OUT status text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	smallest float8;
	weights float8;
BEGIN
	IF cardinality(effects) IS DISTINCT FROM cardinality(ses) THEN
		RAISE EXCEPTION 'effects and ses must have the same length, not % and %', cardinality(effects), cardinality(ses) USING ERRCODE = 'array_subscript_error';
	END IF;
	IF EXISTS (SELECT FROM unnest(ses) s WHERE NOT (s >= 0 AND s <= 1e140)) OR EXISTS (SELECT FROM unnest(effects) e WHERE NOT abs(e) <= 1e140) THEN
		RAISE EXCEPTION 'effects and ses must be finite, and ses not negative' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT min(s), count(*) - 1 INTO smallest, df FROM unnest(effects, ses) u(e, s) WHERE e IS NOT NULL AND s IS NOT NULL;
	IF df < 1 THEN
		status := CASE df WHEN 0 THEN 'insufficient_n' ELSE 'no_data' END;
		df := NULL;
		RETURN;
	END IF;
	IF smallest < 1e-140 THEN
		status := 'zero_variance';
		RETURN;
	END IF;

	-- Weights relative to the largest one stay within float8.
	SELECT sum((smallest / s) ^ 2), sum(e * (smallest / s) ^ 2) / sum((smallest / s) ^ 2) INTO weights, pooled
		FROM unnest(effects, ses) u(e, s) WHERE e IS NOT NULL AND s IS NOT NULL;
	pooled_se := smallest / sqrt(weights);
	SELECT sum(least(abs((e - pooled) / s), 1e150) ^ 2) INTO q FROM unnest(effects, ses) u(e, s) WHERE e IS NOT NULL AND s IS NOT NULL;
	p_value := featbit.chi2_sf(q, df);
	i2 := CASE WHEN q > 0 THEN greatest(1 - df / q, 0) ELSE 0 END;
	status := 'ok';
EXCEPTION WHEN numeric_value_out_of_range THEN
	SELECT NULL, NULL, NULL, NULL, NULL, NULL, 'resolution' INTO q, df, p_value, i2, pooled, pooled_se, status;
END
$$;

COMMENT ON FUNCTION featbit.heterogeneity(float8[], float8[]) IS
'Do the effects of several slices or strata differ? Cochran''s Q (Biometrics 10, 1954).
Arguments: effects and their standard errors, of disjoint units; elements with a NULL are left out.
Returns one row: q = sum((effect - pooled)^2 / se^2), df = slices - 1, p_value; i2: share of the variation beyond chance (Higgins and Thompson 2002); pooled: mean weighted by 1 / se^2, and its pooled_se; status: no_data, insufficient_n (one slice), zero_variance (a standard error of 0), resolution (beyond double precision), ok.
Errors: 2202E for arrays of different length; 22023 for infinite effects or negative standard errors.';

CREATE FUNCTION featbit.interaction(
	control_control featbit.stats,
	control_treatment featbit.stats,
	treatment_control featbit.stats,
	treatment_treatment featbit.stats,
	alpha float8 DEFAULT 0.05,
	OUT effect float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT statistic float8,
	OUT p_value float8,
	OUT status text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	first record;
	second record;
BEGIN
	SELECT * INTO first FROM featbit.effect(control_control, control_treatment, 'absolute', alpha => alpha, method => 'z');
	SELECT * INTO second FROM featbit.effect(treatment_control, treatment_treatment, 'absolute', alpha => alpha, method => 'z');
	effect := second.effect - first.effect;
	IF first.se IS NULL OR second.se IS NULL THEN
		status := CASE WHEN first.se IS NULL THEN first.status ELSE second.status END;
		RETURN;
	END IF;
	se := sqrt(first.se ^ 2 + second.se ^ 2);
	IF se = 0 THEN
		status := 'zero_variance';
		RETURN;
	END IF;
	statistic := effect / se;
	p_value := least(2 * featbit.norm_cdf(-abs(statistic)), 1);
	ci_low := effect + featbit.norm_quantile(alpha / 2) * se;
	ci_high := effect - featbit.norm_quantile(alpha / 2) * se;
	status := 'ok';
EXCEPTION WHEN numeric_value_out_of_range THEN
	SELECT NULL, NULL, NULL, NULL, NULL, NULL, 'resolution' INTO effect, se, ci_low, ci_high, statistic, p_value, status;
END
$$;

COMMENT ON FUNCTION featbit.interaction(featbit.stats, featbit.stats, featbit.stats, featbit.stats, float8) IS
'Does the effect of one experiment depend on the arm of another?
Arguments: states of the four cells, the arm of the first experiment in front; alpha. Any kind that effect compares.
Returns one row: effect = (tt - tc) - (ct - cc) on the absolute scale, se, ci_low, ci_high of level 1 - alpha, statistic and p_value of the normal test, status as of effect.
Errors: those of effect.';

CREATE FUNCTION featbit.mantel_haenszel(
	x_c bigint[],
	n_c bigint[],
	x_t bigint[],
	n_t bigint[],
	alpha float8 DEFAULT 0.05,
	OUT chisq float8,
	OUT p_value float8,
	OUT chisq_corrected float8,
	OUT p_corrected float8,
	OUT odds_ratio float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT status text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	s record;
	spread float8;
BEGIN
	IF alpha IS NULL OR NOT (alpha > 0 AND alpha < 1) THEN
		RAISE EXCEPTION 'alpha must be between 0 and 1, both excluded, not %', alpha USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF cardinality(x_c) IS DISTINCT FROM cardinality(n_c) OR cardinality(x_c) IS DISTINCT FROM cardinality(x_t) OR cardinality(x_c) IS DISTINCT FROM cardinality(n_t) THEN
		RAISE EXCEPTION 'x_c, n_c, x_t and n_t must have the same length' USING ERRCODE = 'array_subscript_error';
	END IF;
	IF EXISTS (SELECT FROM unnest(x_c, n_c, x_t, n_t) u(x, n, y, m) WHERE NOT (x BETWEEN 0 AND n AND y BETWEEN 0 AND m AND n <= 9007199254740992 AND m <= 9007199254740992)) THEN
		RAISE EXCEPTION 'successes must be between 0 and n, and n at most 2^53, in every stratum' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT sum(y - m * (x + y) / (n + m)) AS excess, sum(n * m * (x + y) * ((n - x) + (m - y)) / ((n + m) ^ 2 * (n + m - 1))) AS v,
			sum(y * (n - x) / (n + m)) AS r, sum(x * (m - y) / (n + m)) AS s,
			sum((y + n - x) / (n + m) * (y * (n - x) / (n + m))) AS pr,
			sum((y + n - x) / (n + m) * (x * (m - y) / (n + m)) + (x + m - y) / (n + m) * (y * (n - x) / (n + m))) AS ps_qr,
			sum((x + m - y) / (n + m) * (x * (m - y) / (n + m))) AS qs
		INTO s
		FROM (SELECT x::float8, n::float8, y::float8, m::float8 FROM unnest(x_c, n_c, x_t, n_t) u(x, n, y, m) WHERE n > 0 AND m > 0) t;
	status := CASE WHEN s.v IS NULL THEN 'no_data' WHEN s.v > 0 THEN 'ok' ELSE 'zero_variance' END;
	IF status <> 'ok' THEN
		RETURN;
	END IF;
	chisq := s.excess ^ 2 / s.v;
	p_value := featbit.chi2_sf(chisq, 1);
	chisq_corrected := greatest(abs(s.excess) - 0.5, 0) ^ 2 / s.v;
	p_corrected := featbit.chi2_sf(chisq_corrected, 1);
	IF s.s > 0 THEN
		odds_ratio := s.r / s.s;
	END IF;
	IF s.r > 0 AND s.s > 0 THEN
		spread := -featbit.norm_quantile(alpha / 2) * sqrt(s.pr / (2 * s.r ^ 2) + s.ps_qr / (2 * s.r * s.s) + s.qs / (2 * s.s ^ 2));
		ci_low := odds_ratio * exp(-spread);
		ci_high := odds_ratio * exp(least(spread, 300));
	END IF;
END
$$;

COMMENT ON FUNCTION featbit.mantel_haenszel(bigint[], bigint[], bigint[], bigint[], float8) IS
'Compares two proportions over strata without mixing them (Mantel and Haenszel 1959), so that unequal shares of the strata do not mislead (Simpson).
Arguments: successes and units of control and treatment by stratum; strata with an empty arm or a NULL are left out; alpha.
Returns one row: chisq with one degree of freedom and p_value, and both with continuity correction; odds_ratio of treatment over control (NULL where control never fails or treatment never succeeds everywhere), with the interval of Robins, Breslow and Greenland (1986); status: no_data, zero_variance, ok.
Errors: 2202E for arrays of different length; 22023 for successes outside 0 to n or alpha outside (0,1).';

CREATE FUNCTION featbit.post_stratified(
	control featbit.stats[],
	treatment featbit.stats[],
	scale text DEFAULT 'relative',
	alpha float8 DEFAULT 0.05,
	OUT effect float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT statistic float8,
	OUT df float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT log_e float8,
	OUT n_c bigint,
	OUT n_t bigint,
	OUT mean_c float8,
	OUT mean_t float8,
	OUT status text,
	OUT notes text[])
	AS 'MODULE_PATHNAME', 'fb_post_stratified_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.post_stratified(featbit.stats[], featbit.stats[], text, float8) IS
'Compares two arms over strata that were known before the exposure: the effect is the mean of the strata''s differences, weighted by their shares of all units (Xie and Aurisset 2016). Removes the variation between strata.
Arguments: control and treatment: states of kind mean or proportion by stratum, in the same order, NULL where an arm has nobody; scale; alpha.
Returns the row of effect with the normal test and on the relative scale Fieller''s interval; mean_c and mean_t are weighted by strata; note skipped_strata: a stratum with fewer than two units in an arm was left out.
Errors: 2202E for arrays of different length or more than one dimension; 22023 for other kinds, an unknown scale or alpha outside (0,1). NULL gives NULL.';
