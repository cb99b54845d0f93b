-- Special functions: values at the edges, errors, identities over random arguments. Reference values: metrics_cases.
SELECT setseed(0.5) IS NOT NULL AS seeded;
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT featbit.norm_cdf('-Infinity') AS a, featbit.norm_cdf('Infinity') AS b, featbit.norm_cdf(0) AS c, featbit.norm_cdf(-40) AS d,
	featbit.norm_quantile(0.5) AS e, featbit.t_sf('Infinity', 3) AS f, featbit.t_sf('-Infinity', 3) AS g, featbit.t_sf(0, 3) AS h,
	featbit.t_quantile(0.5, 3) AS i, featbit.chi2_sf(0, 3) AS j, featbit.chi2_sf('Infinity', 3) AS k,
	featbit.beta_inc(2, 3, 0) AS l, featbit.beta_inc(2, 3, 1) AS m, featbit.gamma_inc(2, 0) AS n, featbit.gamma_inc(2, 'Infinity') AS o;
SELECT featbit.norm_cdf(NULL), featbit.norm_quantile(NULL), featbit.t_sf(1, NULL), featbit.t_quantile(NULL, 1), featbit.chi2_sf(NULL, 1),
	featbit.beta_inc(1, 1, NULL), featbit.gamma_inc(NULL, 1);
SELECT call, pg_temp.complaint('SELECT featbit.' || call) FROM (VALUES
	(1, 'norm_cdf(''NaN'')'), (2, 'norm_quantile(0)'), (3, 'norm_quantile(1)'), (4, 'norm_quantile(''NaN'')'), (5, 't_sf(''NaN'', 3)'),
	(6, 't_sf(1, 0)'), (7, 't_sf(1, ''Infinity'')'), (8, 't_quantile(-0.5, 3)'), (9, 't_quantile(0.5, -1)'), (10, 't_quantile(1e-300, 0.01)'),
	(11, 'chi2_sf(-1, 3)'), (12, 'chi2_sf(1, ''NaN'')'), (13, 'beta_inc(0, 1, 0.5)'), (14, 'beta_inc(1, -1, 0.5)'), (15, 'beta_inc(1, 1, 1.5)'),
	(16, 'gamma_inc(0, 1)'), (17, 'gamma_inc(1, -1)')) v(i, call) ORDER BY i;
-- Quantiles invert, tails add up, and special cases have closed forms.
SELECT count(*) AS trials,
	count(*) FILTER (WHERE abs(featbit.norm_cdf(featbit.norm_quantile(p)) - p) > 1e-11 * p) AS norm,
	count(*) FILTER (WHERE abs(featbit.t_sf(-featbit.t_quantile(p, df), df) - p) > 1e-11 * p) AS t,
	count(*) FILTER (WHERE abs(featbit.t_sf(z, df) + featbit.t_sf(-z, df) - 1) > 1e-15) AS t_tails,
	count(*) FILTER (WHERE abs(featbit.t_sf(z, 1) - (0.5 - atan(z) / pi())) > 1e-14) AS cauchy,
	count(*) FILTER (WHERE abs(featbit.chi2_sf(z * z, 1) - 2 * featbit.norm_cdf(-abs(z))) > 1e-12 * featbit.chi2_sf(z * z, 1)) AS chi2_1,
	count(*) FILTER (WHERE abs(featbit.chi2_sf(x, 2) - exp(-x / 2)) > 1e-12 * exp(-x / 2)) AS chi2_2,
	count(*) FILTER (WHERE abs(featbit.gamma_inc(df, x) + featbit.chi2_sf(2 * x, 2 * df) - 1) > 1e-15) AS gamma_tails,
	count(*) FILTER (WHERE abs(featbit.beta_inc(df, x, u) + featbit.beta_inc(x, df, 1 - u) - 1) > 1e-13) AS beta_tails,
	count(*) FILTER (WHERE abs(featbit.beta_inc(least(df, 40), 1, u) - u ^ least(df, 40)) > 1e-12 * u ^ least(df, 40)) AS beta_power
FROM (SELECT 10 ^ (-300 * random() ^ 3) * (0.001 + 0.99 * random()) AS p, 10 ^ (6 * random()) AS df, 20 * (random() - 0.5) AS z, 0.001 + 100 * random() AS x,
	(1 + floor(1023 * random())) / 1024 AS u FROM generate_series(1, 2000)) r;
