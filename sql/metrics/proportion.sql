
-- Proportions, equivalence, several variants ------------------------------------------------------

CREATE FUNCTION featbit.prop_effect(
	x_c bigint,
	n_c bigint,
	x_t bigint,
	n_t bigint,
	method text DEFAULT 'mn',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	null_value float8 DEFAULT 0,
	OUT effect float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT statistic float8,
	OUT p_value float8,
	OUT log10_p float8,
	OUT p_c float8,
	OUT p_t float8,
	OUT status text,
	OUT notes text[])
	AS 'MODULE_PATHNAME', 'fb_prop_effect_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.prop_effect(bigint, bigint, bigint, bigint, text, text, float8, float8) IS
'Compares two proportions by methods that hold with few successes; use it in FROM or LATERAL.
Arguments: x_c successes of n_c units in control, x_t of n_t in treatment; method "mn" (Miettinen and Nurminen 1985: score test and interval, which agree), "newcombe" (1998, method 10: difference of Wilson intervals; p_value of the pooled test), "wald" (unpooled variance), "pooled" (z test with pooled variance, Wald interval), "katz" (1978: logarithm of the ratio), "fisher" (exact conditional test, no interval; two-sided it adds all tables that are at most as probable); alternative "two-sided", "greater" or "less"; alpha; null_value: difference under the null hypothesis (for "katz" relative: -0.1 is ten percent less).
Returns one row: effect = p_t - p_c, for "katz" p_t / p_c - 1; se (Wald; for "katz" by the delta method); ci_low, ci_high of level 1 - alpha (open side NULL); statistic; p_value, log10_p; p_c, p_t; status: no_data, zero_variance, zero_control_mean ("katz"), resolution ("fisher" with more than a million possible tables: use "mn"), ok; notes: small_counts.
Errors: 22023 for successes outside 0 to n, an unknown method or alternative, alpha outside (0,1), or null_value outside (-1,1); 22004 for a NULL argument behind the counts.';

CREATE FUNCTION featbit.prop_interval(
	x bigint,
	n bigint,
	method text DEFAULT 'wilson',
	alpha float8 DEFAULT 0.05,
	OUT estimate float8,
	OUT ci_low float8,
	OUT ci_high float8)
	AS 'MODULE_PATHNAME', 'fb_prop_interval_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.prop_interval(bigint, bigint, text, float8) IS
'Interval of level 1 - alpha for the proportion of x successes in n units. method: "wilson" (1927), "exact" (Clopper and Pearson 1934) or "agresti-coull" (1998). Returns estimate = x / n, ci_low, ci_high; NULLs for n = 0. Errors: 22023 for x outside 0 to n, an unknown method, or alpha outside (0,1). NULL gives NULL.';

CREATE FUNCTION featbit.equivalence(
	control featbit.stats,
	treatment featbit.stats,
	lower float8,
	upper float8,
	scale text DEFAULT 'relative',
	alpha float8 DEFAULT 0.05,
	method text DEFAULT 'auto',
	adjustment text DEFAULT 'auto',
	OUT effect float8,
	OUT se float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT p_value float8,
	OUT p_lower float8,
	OUT p_upper float8,
	OUT n_c bigint,
	OUT n_t bigint,
	OUT status text,
	OUT notes text[])
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT g.effect, g.se, g.ci_low, l.ci_high, greatest(g.p_value, l.p_value), g.p_value, l.p_value, g.n_c, g.n_t, g.status, g.notes
		FROM featbit.effect(control, treatment, scale, 'greater', alpha, method, lower, adjustment) g,
			featbit.effect(control, treatment, scale, 'less', alpha, method, upper, adjustment) l
$$;

COMMENT ON FUNCTION featbit.equivalence(featbit.stats, featbit.stats, float8, float8, text, float8, text, text) IS
'Two one-sided tests (Schuirmann 1987): is the effect between two margins?
Arguments: control, treatment, scale, alpha, method, adjustment: as of effect; lower and upper: the margins, on the scale.
Returns one row: effect and se; ci_low, ci_high: interval of level 1 - 2 alpha, which lies between the margins exactly when p_value < alpha; p_lower of the effect exceeding lower, p_upper of it staying below upper, p_value: the larger of both, NULL where a test has none; n_c, n_t, status and notes as of effect.
Errors: those of effect; 22004 for a NULL margin.';

CREATE FUNCTION featbit.compare_variants(
	variants text[],
	states featbit.stats[],
	control text,
	scale text DEFAULT 'relative',
	alternative text DEFAULT 'two-sided',
	alpha float8 DEFAULT 0.05,
	method text DEFAULT 'auto',
	null_value float8 DEFAULT 0,
	adjustment text DEFAULT 'auto',
	correction text DEFAULT 'holm',
	profile text DEFAULT 'default',
	quantile float8 DEFAULT 0.5)
	RETURNS TABLE (variant text, effect float8, se float8, ci_low float8, ci_high float8, statistic float8, df float8,
		p_value float8, log10_p float8, n_c bigint, n_t bigint, mean_c float8, mean_t float8, p_adjusted float8, status text, notes text[])
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	place int := array_position(compare_variants.variants, compare_variants.control);
BEGIN
	IF cardinality(compare_variants.variants) IS DISTINCT FROM cardinality(compare_variants.states) THEN
		RAISE EXCEPTION 'variants and states must have the same length, not % and %', cardinality(compare_variants.variants), cardinality(compare_variants.states)
			USING ERRCODE = 'array_subscript_error';
	END IF;
	IF place IS NULL THEN
		RAISE EXCEPTION 'control "%" is not one of the variants', compare_variants.control
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Variants are ' || coalesce(nullif(array_to_string(compare_variants.variants, ', '), ''), 'none') || '.';
	END IF;
	IF (SELECT count(DISTINCT v) <> count(*) FROM unnest(compare_variants.variants) v) THEN
		RAISE EXCEPTION 'variants must be distinct and not null' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY
		WITH compared AS MATERIALIZED (
			SELECT row_number() OVER (ORDER BY u.i) AS place, u.v, e.*
				FROM unnest(compare_variants.variants, compare_variants.states) WITH ORDINALITY u(v, s, i),
					LATERAL featbit.effect(compare_variants.states[array_lower(compare_variants.states, 1) + place - array_lower(compare_variants.variants, 1)],
						u.s, compare_variants.scale, compare_variants.alternative, compare_variants.alpha, compare_variants.method,
						compare_variants.null_value, compare_variants.adjustment, NULL, compare_variants.profile, compare_variants.quantile) e
				WHERE u.v <> compare_variants.control),
		adjusted AS (SELECT featbit.adjust_p(array_agg(c.p_value ORDER BY c.place), compare_variants.correction) AS p FROM compared c)
		SELECT c.v, c.effect, c.se, c.ci_low, c.ci_high, c.statistic, c.df, c.p_value, c.log10_p, c.n_c, c.n_t, c.mean_c, c.mean_t, a.p[c.place], c.status, c.notes
			FROM compared c, adjusted a
			ORDER BY c.place;
END
$$;

COMMENT ON FUNCTION featbit.compare_variants(text[], featbit.stats[], text, text, text, float8, text, float8, text, text, text, float8) IS
'Compares every variant with the control, with p-values adjusted for the number of comparisons.
Arguments: variants and states, one state for each variant (array_agg both in one query); control: one of the variants; scale, alternative, alpha, method, null_value, adjustment, profile, quantile: as of effect; correction: method of adjust_p.
Returns one row for each other variant, in their order: the columns of effect and p_adjusted.
Errors: 2202E for arrays of different length; 22023 for an unknown control or variants that are not distinct; those of effect and adjust_p.';
