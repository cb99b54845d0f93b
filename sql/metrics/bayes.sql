
-- Bayesian comparisons and bandits ----------------------------------------------------------------

CREATE FUNCTION featbit.effect_bayes(
	control featbit.stats,
	treatment featbit.stats,
	prior_mean float8 DEFAULT 0,
	prior_sd float8 DEFAULT NULL,
	scale text DEFAULT 'relative',
	alpha float8 DEFAULT 0.05,
	rope float8[] DEFAULT NULL,
	quantile float8 DEFAULT 0.5,
	OUT mean float8,
	OUT sd float8,
	OUT ci_low float8,
	OUT ci_high float8,
	OUT p_better float8,
	OUT loss_treatment float8,
	OUT loss_control float8,
	OUT p_rope float8,
	OUT n_c bigint,
	OUT n_t bigint,
	OUT mean_c float8,
	OUT mean_t float8,
	OUT status text,
	OUT notes text[])
	AS 'MODULE_PATHNAME', 'fb_effect_bayes_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.effect_bayes(featbit.stats, featbit.stats, float8, float8, text, float8, float8[], float8) IS
'Posterior of the effect: a normal prior updated by the estimate of effect and its standard error (delta method on the relative scale), in closed form.
Arguments: prior_mean and prior_sd of the effect on the scale, prior_sd NULL for a flat prior; scale "relative" or "absolute"; alpha; rope: {low, high}, effects too small to matter; quantile: of states of kind quantile, as of effect.
Returns one row: mean and sd of the posterior; ci_low, ci_high: its central 1 - alpha; p_better = P(effect > 0); loss_treatment = E max(0, -effect), what choosing treatment is expected to cost, loss_control the same for control; p_rope = P(low < effect < high); n_c, n_t, mean_c, mean_t, status and notes as of effect. Stopping once p_better exceeds a limit has the false alarms of a fixed test under peeking (about half with daily looks for half a year): effect_sequential has not.
Errors: 22023 for prior_sd not positive, rope not increasing and those of effect; 2202E for a rope without two elements; 22004 for other NULLs.';

CREATE FUNCTION featbit.beta_prob_greater(x_c bigint, n_c bigint, x_t bigint, n_t bigint, a float8 DEFAULT 1, b float8 DEFAULT 1) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_beta_prob_greater_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.beta_prob_greater(bigint, bigint, bigint, bigint, float8, float8) IS
'Probability that the proportion of treatment exceeds that of control, with posteriors Beta(a + x, b + n - x): by quadrature to 1e-12, the same at any size. x_c, n_c, x_t, n_t: successes and units; a, b: prior, 1e-6 to 1e15. Errors: 22023 for successes outside 0 to n, n beyond 1e15, or a prior out of range. NULL gives NULL.';

CREATE FUNCTION featbit.prop_bayes(
	x_c bigint,
	n_c bigint,
	x_t bigint,
	n_t bigint,
	a float8 DEFAULT 1,
	b float8 DEFAULT 1,
	OUT p_better float8,
	OUT loss_treatment float8,
	OUT loss_control float8,
	OUT mean_c float8,
	OUT mean_t float8)
	AS 'MODULE_PATHNAME', 'fb_prop_bayes_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.prop_bayes(bigint, bigint, bigint, bigint, float8, float8) IS
'Beta-binomial comparison of two proportions. Arguments and errors as of beta_prob_greater. Returns one row: p_better = beta_prob_greater; loss_treatment = E max(0, p_c - p_t) and loss_control = E max(0, p_t - p_c), what a wrong choice is expected to cost; mean_c, mean_t of the posteriors. NULL gives NULLs.';

CREATE FUNCTION featbit.gamma_prob_greater(shape_c float8, rate_c float8, shape_t float8, rate_t float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_gamma_prob_greater_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.gamma_prob_greater(float8, float8, float8, float8) IS
'Probability that the event rate of treatment exceeds that of control, with gamma posteriors: shape = prior shape + events, rate = prior rate + exposure. Closed form I_(rate_c / (rate_c + rate_t))(shape_c, shape_t). Errors: 22023 for a parameter outside 1e-6 to 1e15. NULL gives NULL.';

CREATE FUNCTION featbit.prob_best(means float8[], sds float8[]) RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_prob_best_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.prob_best(float8[], float8[]) IS
'Probability of each arm to have the largest mean, for independent normal posteriors: quadrature, deterministic, and the elements sum to 1. For smaller is better negate the means. means, sds: 1 to 100 arms. Errors: 2202E for arrays of different length, NULLs or more arms; 22023 for means that are not finite or sds that are not positive. NULL gives NULL.';

CREATE FUNCTION featbit.bandit_weights(means float8[], sds float8[], floor float8 DEFAULT 0.01, algorithm text DEFAULT 'thompson') RETURNS float8[]
	AS 'MODULE_PATHNAME', 'fb_bandit_weights_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.bandit_weights(float8[], float8[], float8, text) IS
'Traffic shares of a bandit. means, sds: posteriors of the arms as of prob_best; floor: least share of every arm, 0 to 1 / arms (share = floor + (1 - arms floor) weight); algorithm "thompson" (weight = prob_best, shifts traffic to the best arm) or "top-two" (Russo 2020, to identify the best arm: no arm gets more than half). Returns shares that sum to 1. Errors: those of prob_best, 22023 for a floor out of range or an unknown algorithm. NULL gives NULL.';
