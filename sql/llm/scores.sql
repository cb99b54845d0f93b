-- metrics of numbers: means with clustered intervals, probabilities beside outcomes

CREATE FUNCTION featbit.mean_accum(featbit.metric_state, score float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_mean_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.mean_accum(featbit.metric_state, score float8, unit text) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_mean_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.mean_accum(featbit.metric_state, score float8, unit text, level float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_mean_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.paired_accum(featbit.metric_state, a float8, b float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_paired_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.paired_accum(featbit.metric_state, a float8, b float8, unit text) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_paired_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.paired_accum(featbit.metric_state, a float8, b float8, unit text, level float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_paired_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.roc_auc_accum(featbit.metric_state, label boolean, score float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_roc_auc_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.average_precision_accum(featbit.metric_state, label boolean, score float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_average_precision_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.ece_accum(featbit.metric_state, correct boolean, confidence float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_ece_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.ece_accum(featbit.metric_state, correct boolean, confidence float8, bins integer) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_ece_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.brier_accum(featbit.metric_state, label boolean, p float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_brier_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.log_loss_accum(featbit.metric_state, p_truth float8) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_log_loss_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.perplexity_accum(featbit.metric_state, logprob float8, tokens bigint) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_perplexity_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.mean_accum(featbit.metric_state, float8) IS 'transition function of mean_ci; an error outside an aggregate';
COMMENT ON FUNCTION featbit.mean_accum(featbit.metric_state, float8, text) IS 'transition function of mean_ci; an error outside an aggregate';
COMMENT ON FUNCTION featbit.mean_accum(featbit.metric_state, float8, text, float8) IS 'transition function of mean_ci; an error outside an aggregate';
COMMENT ON FUNCTION featbit.paired_accum(featbit.metric_state, float8, float8) IS 'transition function of paired_ci; an error outside an aggregate';
COMMENT ON FUNCTION featbit.paired_accum(featbit.metric_state, float8, float8, text) IS 'transition function of paired_ci; an error outside an aggregate';
COMMENT ON FUNCTION featbit.paired_accum(featbit.metric_state, float8, float8, text, float8) IS 'transition function of paired_ci; an error outside an aggregate';
COMMENT ON FUNCTION featbit.roc_auc_accum(featbit.metric_state, boolean, float8) IS 'transition function of roc_auc; an error outside an aggregate';
COMMENT ON FUNCTION featbit.average_precision_accum(featbit.metric_state, boolean, float8) IS 'transition function of average_precision; an error outside an aggregate';
COMMENT ON FUNCTION featbit.ece_accum(featbit.metric_state, boolean, float8) IS 'transition function of ece; an error outside an aggregate';
COMMENT ON FUNCTION featbit.ece_accum(featbit.metric_state, boolean, float8, integer) IS 'transition function of ece; an error outside an aggregate';
COMMENT ON FUNCTION featbit.brier_accum(featbit.metric_state, boolean, float8) IS 'transition function of brier; an error outside an aggregate';
COMMENT ON FUNCTION featbit.log_loss_accum(featbit.metric_state, float8) IS 'transition function of log_loss; an error outside an aggregate';
COMMENT ON FUNCTION featbit.perplexity_accum(featbit.metric_state, float8, bigint) IS 'transition function of perplexity; an error outside an aggregate';

CREATE AGGREGATE featbit.mean_ci(score float8) (
	SFUNC = featbit.mean_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.mean_ci(score float8, unit text) (
	SFUNC = featbit.mean_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.mean_ci(score float8, unit text, level float8) (
	SFUNC = featbit.mean_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.paired_ci(a float8, b float8) (
	SFUNC = featbit.paired_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.paired_ci(a float8, b float8, unit text) (
	SFUNC = featbit.paired_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.paired_ci(a float8, b float8, unit text, level float8) (
	SFUNC = featbit.paired_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.roc_auc(label boolean, score float8) (
	SFUNC = featbit.roc_auc_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate_value,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.average_precision(label boolean, score float8) (
	SFUNC = featbit.average_precision_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate_value,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.ece(correct boolean, confidence float8) (
	SFUNC = featbit.ece_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate_value,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.ece(correct boolean, confidence float8, bins integer) (
	SFUNC = featbit.ece_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate_value,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.brier(label boolean, p float8) (
	SFUNC = featbit.brier_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate_value,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.log_loss(p_truth float8) (
	SFUNC = featbit.log_loss_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate_value,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.perplexity(logprob float8, tokens bigint) (
	SFUNC = featbit.perplexity_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate_value,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.mean_ci(float8) IS 'mean of scores with standard error and 95 % interval (Student''s t), every row a unit of its own; NULL and NaN are not scored and ignored, infinities are error 22003';
COMMENT ON AGGREGATE featbit.mean_ci(float8, text) IS 'mean of scores with the cluster-robust standard error and Student''s t of the number of units minus 1 (Miller 2024, arXiv:2411.00640, with the finite factor); unit: what was sampled, NULL is error 22004; with one unit se, lo and hi are NULL';
COMMENT ON AGGREGATE featbit.mean_ci(float8, text, float8) IS 'mean of scores of units as mean_ci(score, unit), with an interval of that level, between 0 and 1 and constant within a group (else error 22023)';
COMMENT ON AGGREGATE featbit.paired_ci(float8, float8) IS 'mean of b - a over rows, with standard error, 95 % interval and two-sided p-value of Student''s t; rows where either is NULL or NaN are ignored';
COMMENT ON AGGREGATE featbit.paired_ci(float8, float8, text) IS 'mean of b - a over rows of units, with the cluster-robust standard error, 95 % interval and two-sided p-value; unit as in mean_ci';
COMMENT ON AGGREGATE featbit.paired_ci(float8, float8, text, float8) IS 'mean of b - a as paired_ci(a, b, unit), with an interval of that level';
COMMENT ON AGGREGATE featbit.roc_auc(boolean, float8) IS 'area under the ROC curve: the probability that a row with label true has the higher score, ties counting half; NULL with one class; NULLs are ignored, NaN is error 22003. For an interval use metric(''roc_auc'', …)';
COMMENT ON AGGREGATE featbit.average_precision(boolean, float8) IS 'average precision: the sum over distinct scores from the highest of (recall gained) * (precision there), without interpolation; 0 without a row of label true; NULLs are ignored, NaN is error 22003';
COMMENT ON AGGREGATE featbit.ece(boolean, float8) IS 'expected calibration error with 15 bins of the same width: the mean distance of accuracy and confidence, weighted by rows; confidence from 0 to 1 (else error 22003), NULL and NaN are ignored. For an interval, other norms or bins of as many rows use metric(''ece'', …)';
COMMENT ON AGGREGATE featbit.ece(boolean, float8, integer) IS 'expected calibration error with that number of bins, from 1 to 1000 and constant within a group (else error 22023); otherwise as ece(correct, confidence)';
COMMENT ON AGGREGATE featbit.brier(boolean, float8) IS 'Brier score: mean of (p - label)^2, from 0 to 1; p from 0 to 1 (else error 22003), NULL and NaN are ignored';
COMMENT ON AGGREGATE featbit.log_loss(float8) IS 'mean of -ln(p_truth), the probability given to what happened, cut to 2.2e-16 from 0 and 1; p_truth from 0 to 1 (else error 22003), NULL and NaN are ignored';
COMMENT ON AGGREGATE featbit.perplexity(float8, bigint) IS 'exp(-sum(logprob) / sum(tokens)), natural logarithms, weighted by tokens; NULL and NaN are ignored, NULL without tokens. bits per byte is metric(''bits_per_byte'', …)';
