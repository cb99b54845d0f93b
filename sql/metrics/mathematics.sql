
-- Special functions ------------------------------------------------------------------------------

CREATE FUNCTION featbit.norm_cdf(z float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sql_norm_cdf' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.norm_cdf(float8) IS
'Standard normal distribution function P(Z <= z) = erfc(-z/sqrt 2)/2, relative error below 1e-15 also in the lower tail (take norm_cdf(-z) for the upper one). z: any number, also infinite. Errors: 22023 for NaN. NULL gives NULL.';

CREATE FUNCTION featbit.norm_quantile(p float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sql_norm_quantile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.norm_quantile(float8) IS
'Standard normal quantile: the z with P(Z <= z) = p (Wichura 1988, algorithm AS 241), relative error below 1e-15. p: probability, 0 < p < 1. Errors: 22023 for p outside (0,1). NULL gives NULL.';

CREATE FUNCTION featbit.t_sf(t float8, df float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sql_t_sf' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.t_sf(float8, float8) IS
'Upper tail P(T > t) of Student''s t distribution; a two-sided p-value is 2 * t_sf(abs(t), df), for t > 0 half of I_x(df/2, 1/2) with x = df/(df + t^2) (DLMF 8.17). Relative error below 1e-12 down to 1e-290. t: any number, also infinite; df: degrees of freedom from 1e-300 to 1e300, need not be whole. Errors: 22023 for NaN or df out of range. NULL gives NULL.';

CREATE FUNCTION featbit.t_quantile(p float8, df float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sql_t_quantile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.t_quantile(float8, float8) IS
'Quantile of Student''s t distribution: the t with P(T <= t) = p, by Newton''s method on the logarithm of the tail; the critical value of a two-sided test is -t_quantile(alpha/2, df). p: probability, 0 < p < 1; df: degrees of freedom > 0. Errors: 22023 for p outside (0,1) or df out of range, 22003 if the quantile exceeds double precision. NULL gives NULL.';

CREATE FUNCTION featbit.chi2_sf(x float8, df float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sql_chi2_sf' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.chi2_sf(float8, float8) IS
'Upper tail P(X > x) of the chi-squared distribution, Q(df/2, x/2) (DLMF 8.2), relative error below 1e-12 down to 1e-290. x: statistic >= 0, also infinite; df: degrees of freedom > 0. Errors: 22023 for arguments out of range. NULL gives NULL.';

CREATE FUNCTION featbit.beta_inc(a float8, b float8, x float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sql_beta_inc' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.beta_inc(float8, float8, float8) IS
'Regularised incomplete beta function I_x(a, b) (DLMF 8.17): P(X <= x) for X ~ Beta(a, b); continued fraction of DiDonato and Morris (1992) with Loader''s saddle point prefactor. a, b: shapes from 1e-300 to 1e300 (relative accuracy 1e-12 from 0.01); x: from 0 to 1. The upper tail is beta_inc(b, a, 1 - x). Errors: 22023 for arguments out of range. NULL gives NULL.';

CREATE FUNCTION featbit.gamma_inc(a float8, x float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_sql_gamma_inc' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.gamma_inc(float8, float8) IS
'Regularised lower incomplete gamma function P(a, x) (DLMF 8.2): P(X <= x) for X ~ Gamma(a, 1). The upper tail Q(a, x) is chi2_sf(2 * x, 2 * a). a: shape from 1e-300 to 1e300 (relative accuracy 1e-12 from 0.01); x: >= 0, also infinite. Errors: 22023 for arguments out of range. NULL gives NULL.';

CREATE FUNCTION featbit.noncentral_t_sf(t float8, df float8, delta float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_noncentral_t_sf_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.noncentral_t_sf(float8, float8, float8) IS
'Upper tail P(T > t) of the noncentral t distribution, by the mixture of incomplete beta functions of AS 243 (Lenth 1989), to 1e-11: the power of a t test is noncentral_t_sf(-t_quantile(alpha/2, df), df, effect/se). t: any number; df: degrees of freedom, 1e-100 to 1e100; delta: noncentrality (beyond 1000 the tail is 0 or 1). Errors: 22023 for arguments out of range. NULL gives NULL.';

CREATE FUNCTION featbit.f_sf(f float8, df_between float8, df_within float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_f_sf_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.f_sf(float8, float8, float8) IS
'Upper tail P(F > f) of Snedecor''s F distribution, I_y(df_within/2, df_between/2) with y = df_within/(df_within + df_between f). Errors: 22023 for degrees of freedom outside 1e-100 to 1e100. NULL and NaN give NULL.';
