-- effect_bayes(), beta and gamma posteriors, prob_best(), bandit_weights().
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.show(v float8) RETURNS numeric LANGUAGE sql AS $$ SELECT round(v::numeric, 6) $$;

SELECT scale, prior_sd, pg_temp.show(mean) AS mean, pg_temp.show(sd) AS sd, pg_temp.show(ci_low) AS ci_low, pg_temp.show(ci_high) AS ci_high, pg_temp.show(p_better) AS p_better, pg_temp.show(loss_treatment) AS loss_treatment, pg_temp.show(loss_control) AS loss_control, pg_temp.show(p_rope) AS p_rope, n_c, n_t, mean_c, mean_t, status, notes
FROM (VALUES (1, 'relative', NULL::float8), (2, 'relative', 0.3), (3, 'absolute', NULL), (4, 'absolute', 1e-9), (5, 'relative', 'Infinity')) v(i, scale, prior_sd), LATERAL featbit.effect_bayes(featbit.stats_from_counts(1000, 100), featbit.stats_from_counts(1000, 115), prior_sd => prior_sd, scale => scale, rope => '{-0.01,0.01}') ORDER BY i;
SELECT status, mean, p_better, n_c, n_t FROM (VALUES (1, NULL, featbit.stats_from_counts(9, 1)), (2, featbit.stats_from_counts(9, 0), featbit.stats_from_counts(9, 1)), (3, featbit.stats_from_counts(9, 9), featbit.stats_from_counts(9, 9))) v(i, c, t), LATERAL featbit.effect_bayes(c, t) ORDER BY i;
SELECT pg_temp.show(featbit.beta_prob_greater(0, 0, 0, 0)) AS equal, pg_temp.show(featbit.beta_prob_greater(14, 28, 16, 30)) AS small, pg_temp.show(featbit.beta_prob_greater(1, 5, 2, 5, 0.01, 0.01)) AS tiny_prior, pg_temp.show(featbit.beta_prob_greater(100000000, 1000000000, 100020000, 1000000000)) AS large, pg_temp.show(featbit.gamma_prob_greater(8, 5, 11, 5)) AS gamma;
SELECT (SELECT array_agg(pg_temp.show(p)) FROM unnest(featbit.prob_best('{0,0.1,0.2}', '{0.1,0.1,0.1}')) p) AS prob_best, (SELECT array_agg(pg_temp.show(p)) FROM unnest(featbit.bandit_weights('{0,0.1,0.2}', '{0.1,0.1,0.1}')) p) AS thompson,
	(SELECT array_agg(pg_temp.show(p)) FROM unnest(featbit.bandit_weights('{0,0.1,0.2}', '{0.1,0.1,0.1}', 0.05, 'top-two')) p) AS top_two, featbit.prob_best('{5}', '{1}') AS one, (SELECT array_agg(pg_temp.show(p)) FROM unnest(featbit.bandit_weights('{0,1,2}', '{1e-9,1e-9,1e-9}', 0, 'top-two')) p) AS certain;

-- Properties. Normal: the posterior is the precision-weighted mean; losses differ by the mean; exchanging arms turns the absolute effect around.
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(b.mean - (m / s ^ 2 + e.effect / e.se ^ 2) / (1 / s ^ 2 + 1 / e.se ^ 2)) > 1e-12 OR abs(b.sd - 1 / sqrt(1 / s ^ 2 + 1 / e.se ^ 2)) > 1e-12) AS posterior,
	count(*) FILTER (WHERE abs(b.loss_control - b.loss_treatment - b.mean) > 1e-14) AS losses, count(*) FILTER (WHERE abs(b.p_better + x.p_better - 1) > 1e-12 OR abs(b.loss_control - x.loss_treatment) > 1e-14) AS exchange,
	count(*) FILTER (WHERE abs(b.p_rope - (featbit.norm_cdf((0.01 - b.mean) / b.sd) - featbit.norm_cdf((-0.02 - b.mean) / b.sd))) > 1e-13) AS rope
FROM (SELECT floor(100 + 900 * random())::bigint AS n, floor(20 + 60 * random())::bigint AS x, floor(20 + 60 * random())::bigint AS y, 0.1 * random() AS m, 0.001 + random() AS s FROM generate_series(1, 1000)) r,
	LATERAL featbit.effect(featbit.stats_from_counts(n, x), featbit.stats_from_counts(n, y), 'absolute') e, LATERAL featbit.effect_bayes(featbit.stats_from_counts(n, x), featbit.stats_from_counts(n, y), m, s, 'absolute', rope => '{-0.02,0.01}') b,
	LATERAL featbit.effect_bayes(featbit.stats_from_counts(n, y), featbit.stats_from_counts(n, x), -m, s, 'absolute') x;
-- Beta: complementary, monotone, equal to the exact sum for whole shapes (Miller); losses differ by the means. Gamma: complementary, the scale of the rates does not matter.
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(p + featbit.beta_prob_greater(y, m, x, n, a, b) - 1) > 1e-11) AS complementary, count(*) FILTER (WHERE featbit.beta_prob_greater(x, n, y + 1, m + 1, a, b) < p - 1e-12) AS monotone,
	count(*) FILTER (WHERE abs(l.loss_control - l.loss_treatment - l.mean_t + l.mean_c) > 1e-11 OR l.p_better <> p) AS losses,
	count(*) FILTER (WHERE abs(featbit.gamma_prob_greater(x + a, n + b, y + a, m + b) + featbit.gamma_prob_greater(y + a, m + b, x + a, n + b) - 1) > 1e-11 OR abs(featbit.gamma_prob_greater(x + a, n + b, y + a, m + b) - featbit.gamma_prob_greater(x + a, 1000 * (n + b), y + a, 1000 * (m + b))) > 1e-11) AS gamma
FROM (SELECT floor(random() * (n + 1))::bigint AS x, n, floor(random() * (m + 1))::bigint AS y, m, a, b, i FROM (SELECT i, floor(10 ^ (5 * random()))::bigint AS n, floor(10 ^ (5 * random()))::bigint AS m, 0.05 + 2 * random() AS a, 0.05 + 2 * random() AS b FROM generate_series(1, 1000) i OFFSET 0) r OFFSET 0) q,
	LATERAL (SELECT featbit.beta_prob_greater(x, n, y, m, a, b) AS p) s, LATERAL featbit.prop_bayes(x, n, y, m, a, b) l;
CREATE FUNCTION pg_temp.lbeta(a int, b int) RETURNS float8 LANGUAGE sql AS $$ SELECT coalesce(sum(ln(i)) FILTER (WHERE i < a), 0) + coalesce(sum(ln(i)) FILTER (WHERE i < b), 0) - sum(ln(i)) FROM generate_series(1, a + b - 1) i $$;
SELECT count(*) AS pairs, count(*) FILTER (WHERE abs(featbit.beta_prob_greater(ac - 1, ac + bc - 2, at - 1, at + bt - 2) - miller) > 1e-11) AS differ
FROM (SELECT ac, bc, at, bt, (SELECT sum(exp(pg_temp.lbeta(ac + i, bc + bt) - ln((bt + i)::float8) - pg_temp.lbeta(1 + i, bt) - pg_temp.lbeta(ac, bc))) FROM generate_series(0, at - 1) i) AS miller
	FROM (SELECT 1 + i % 13 AS ac, 1 + i % 7 AS bc, 1 + i % 11 AS at, 1 + i % 5 AS bt FROM generate_series(1, 1000, 5) i) s) m;
-- P(best) sums to one, of two arms it is the normal probability (also of very different widths), and the order of arms does not matter.
SELECT count(*) AS trials, count(*) FILTER (WHERE abs((SELECT sum(x) FROM unnest(p) x) - 1) > 1e-12) AS sums,
	count(*) FILTER (WHERE abs(two[2] - featbit.norm_cdf((m[2] - m[1]) / sqrt(s[1] ^ 2 + s[2] ^ 2))) > 1e-8) AS two,
	count(*) FILTER (WHERE abs(p[1] - turned[3]) > 1e-12 OR abs(p[2] - turned[2]) > 1e-12) AS "order", count(*) FILTER (WHERE (SELECT bool_or(x > 0.5 + 1e-12) FROM unnest(featbit.bandit_weights(m, s, 0, 'top-two')) x)) AS half
FROM (SELECT m, s, featbit.prob_best(m, s) AS p, featbit.prob_best(m[1:2], s[1:2]) AS two, featbit.prob_best(ARRAY[m[3], m[2], m[1]], ARRAY[s[3], s[2], s[1]]) AS turned
	FROM (SELECT ARRAY(SELECT random() + 0 * i FROM generate_series(1, 3)) AS m, ARRAY(SELECT 10 ^ (-2 * random()) + 0 * i FROM generate_series(1, 3)) AS s FROM generate_series(1, 1000) i OFFSET 0) r OFFSET 0) q;

SELECT pg_temp.complaint('SELECT featbit.' || command) FROM (VALUES
	(1, 'effect_bayes(NULL, NULL, prior_sd => 0)'), (2, 'effect_bayes(NULL, NULL, prior_mean => NULL)'), (3, 'effect_bayes(NULL, NULL, rope => ''{1}'')'), (4, 'effect_bayes(NULL, NULL, rope => ''{1,0}'')'),
	(5, 'beta_prob_greater(3, 2, 1, 1)'), (6, 'beta_prob_greater(1, 2, 1, 1, 0)'), (7, 'gamma_prob_greater(0, 1, 1, 1)'), (8, 'prob_best(''{1,2}'', ''{1}'')'), (9, 'prob_best(''{1,2}'', ''{1,0}'')'), (10, 'prob_best(''{1,NULL}'', ''{1,1}'')'), (11, 'prob_best(''{}'', ''{}'')'),
	(12, 'bandit_weights(''{1,2}'', ''{1,1}'', 0.6)'), (13, 'bandit_weights(''{1,2}'', ''{1,1}'', 0, ''ucb'')')) v(i, command) ORDER BY i;
