-- metrics of predictions: state type, aggregates, estimate, reports

CREATE TYPE featbit.estimate AS (n bigint, value float8, se float8, lo float8, hi float8, p float8);

COMMENT ON TYPE featbit.estimate IS 'a value with its uncertainty: n rows, value, standard error se, interval lo to hi (95 % unless the parameter level says otherwise), and p, the two-sided p-value where the value is a difference, otherwise NULL';
COMMENT ON COLUMN featbit.estimate.n IS 'number of rows that counted';
COMMENT ON COLUMN featbit.estimate.value IS 'the value, NULL where it is undefined, as without rows';
COMMENT ON COLUMN featbit.estimate.se IS 'standard error, NULL with fewer than two units';
COMMENT ON COLUMN featbit.estimate.lo IS 'lower end of the interval';
COMMENT ON COLUMN featbit.estimate.hi IS 'upper end of the interval';
COMMENT ON COLUMN featbit.estimate.p IS 'two-sided p-value of a difference; NULL for a value, and where all units differ by the same amount';

CREATE TYPE featbit.metric_state;

CREATE FUNCTION featbit.metric_state_in(cstring) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.metric_state_out(featbit.metric_state) RETURNS cstring
	AS 'MODULE_PATHNAME', 'fb_metric_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.metric_state_recv(internal) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION featbit.metric_state_send(featbit.metric_state) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fb_metric_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION featbit.metric_state_in(cstring) IS 'reads the text form of a metric state; anything that no set of rows could have made is error 22P02';
COMMENT ON FUNCTION featbit.metric_state_out(featbit.metric_state) IS 'writes the text form of a metric state, a JSON object in canonical order: equal states print equally';
COMMENT ON FUNCTION featbit.metric_state_recv(internal) IS 'reads the binary form of a metric state; anything that no set of rows could have made is error 22P03';
COMMENT ON FUNCTION featbit.metric_state_send(featbit.metric_state) IS 'writes the binary form of a metric state';

CREATE TYPE featbit.metric_state (
	INPUT = featbit.metric_state_in,
	OUTPUT = featbit.metric_state_out,
	RECEIVE = featbit.metric_state_recv,
	SEND = featbit.metric_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);

COMMENT ON TYPE featbit.metric_state IS 'what a metric needs of its rows: counts of labels, sums per unit or group of units, or the rows themselves; states of disjoint rows merge with featbit.rollup and are read with featbit.estimate';

CREATE FUNCTION featbit.metric_accum(featbit.metric_state, name text, pred text, refs text[]) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_accum(featbit.metric_state, name text, pred text, refs text[], unit text) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_accum(featbit.metric_state, name text, pred text, refs text[], unit text, params jsonb) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_diff_accum(featbit.metric_state, name text, pred_a text, pred_b text, refs text[]) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_diff_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_diff_accum(featbit.metric_state, name text, pred_a text, pred_b text, refs text[], unit text) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_diff_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_diff_accum(featbit.metric_state, name text, pred_a text, pred_b text, refs text[], unit text, params jsonb) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_diff_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_combine(featbit.metric_state, featbit.metric_state) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_rollup(featbit.metric_state, featbit.metric_state) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.estimate(state featbit.metric_state) RETURNS featbit.estimate
	AS 'MODULE_PATHNAME', 'fb_metric_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.estimate_value(state featbit.metric_state) RETURNS float8
	AS 'MODULE_PATHNAME', 'fb_metric_final_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.metric_accum(featbit.metric_state, text, text, text[]) IS 'transition function of metric; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_accum(featbit.metric_state, text, text, text[], text) IS 'transition function of metric; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_accum(featbit.metric_state, text, text, text[], text, jsonb) IS 'transition function of metric; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_diff_accum(featbit.metric_state, text, text, text, text[]) IS 'transition function of metric_diff; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_diff_accum(featbit.metric_state, text, text, text, text[], text) IS 'transition function of metric_diff; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_diff_accum(featbit.metric_state, text, text, text, text[], text, jsonb) IS 'transition function of metric_diff; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_combine(featbit.metric_state, featbit.metric_state) IS 'combine function of the metric aggregates; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_rollup(featbit.metric_state, featbit.metric_state) IS 'transition function of rollup(metric_state); an error outside an aggregate';
COMMENT ON FUNCTION featbit.estimate(featbit.metric_state) IS 'reads a metric state: the estimate that featbit.metric or featbit.metric_diff returns for the same rows; without rows n is 0 and the rest NULL';
COMMENT ON FUNCTION featbit.estimate_value(featbit.metric_state) IS 'the value of a metric state alone; NULL where it is undefined';

CREATE AGGREGATE featbit.metric(name text, pred text, refs text[]) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric(name text, pred text, refs text[], unit text) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric(name text, pred text, refs text[], unit text, params jsonb) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_agg(name text, pred text, refs text[]) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_agg(name text, pred text, refs text[], unit text) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_agg(name text, pred text, refs text[], unit text, params jsonb) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_diff(name text, pred_a text, pred_b text, refs text[]) (
	SFUNC = featbit.metric_diff_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_diff(name text, pred_a text, pred_b text, refs text[], unit text) (
	SFUNC = featbit.metric_diff_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_diff(name text, pred_a text, pred_b text, refs text[], unit text, params jsonb) (
	SFUNC = featbit.metric_diff_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_diff_agg(name text, pred_a text, pred_b text, refs text[]) (
	SFUNC = featbit.metric_diff_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_diff_agg(name text, pred_a text, pred_b text, refs text[], unit text) (
	SFUNC = featbit.metric_diff_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.metric_diff_agg(name text, pred_a text, pred_b text, refs text[], unit text, params jsonb) (
	SFUNC = featbit.metric_diff_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);
CREATE AGGREGATE featbit.rollup(state featbit.metric_state) (
	SFUNC = featbit.metric_rollup,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.metric(text, text, text[], text, jsonb) IS 'value of a metric with its uncertainty; read it with (featbit.metric(…)).*

name: one of featbit.metrics(); constant within a group.
pred: what the model gave, as text: a label, a text, or a number. NULL is an abstention: a miss, and no label''s false positive, an empty text to metrics that count words or characters; where a number is wanted the row was not scored and is ignored.
refs: for label metrics refs[1] is the gold label; for text metrics every element is a reference and the best one counts; for metrics of probabilities refs[1] is a boolean; for perplexity a number of tokens, for bits_per_byte of bytes; mean does not look at it. A row without a reference is ignored.
unit: what was sampled (an example, a conversation, a user); rows of one unit need not be independent. Either all rows have one or none has; mixed rows are error 22004. pass_at_k and pass_pow_k need it: it is the task.
params: a JSON object of options, constant within a group; featbit.metrics() lists what each metric takes.

Averages run over the labels that occur as gold labels unless the parameter labels says otherwise; an answer outside them is a miss and makes no class of its own. Labels are compared byte by byte. Text metrics work on Unicode characters and depend on no locale.
Means of rows have the cluster-robust standard error, shares Wilson''s interval on the effective number of rows; all others have the jackknife over 64 groups of units (XXH3 of the unit, modulo 64), without units the jackknife over rows, with t quantiles, cut to the range of the metric. With one unit, or one group, se, lo and hi are NULL.
Errors: 22023 for an unknown name or parameter or one that changes, 22P02 and 22003 for what is no number or out of range, 22021 for bytes that are no text, 53200 when the counts of a group outgrow work_mem * hash_mem_multiplier.';
COMMENT ON AGGREGATE featbit.metric(text, text, text[], text) IS 'value of a metric with its uncertainty, without params; arguments, values and errors as those of metric(name, pred, refs, unit, params), but a NULL unit is error 22004';
COMMENT ON AGGREGATE featbit.metric(text, text, text[]) IS 'value of a metric with its uncertainty, every row a unit of its own; arguments, values and errors as those of metric(name, pred, refs, unit, params)

Means have the standard error of a mean, shares Wilson''s interval on the number of rows; the others have the jackknife that leaves out one row at a time, or what it comes to, which depends on nothing but the rows.';
COMMENT ON AGGREGATE featbit.metric_agg(text, text, text[], text, jsonb) IS 'state of a metric, to be stored, merged with featbit.rollup and read with featbit.estimate; arguments and errors as those of metric(name, pred, refs, unit, params); NULL without rows';
COMMENT ON AGGREGATE featbit.metric_agg(text, text, text[], text) IS 'state of a metric without params; arguments and errors as those of metric(name, pred, refs, unit); NULL without rows';
COMMENT ON AGGREGATE featbit.metric_agg(text, text, text[]) IS 'state of a metric, every row a unit of its own; arguments and errors as those of metric(name, pred, refs); NULL without rows';
COMMENT ON AGGREGATE featbit.metric_diff(text, text, text, text[], text, jsonb) IS 'difference of two systems in a metric over the same rows, b minus a, with its uncertainty; read it with (featbit.metric_diff(…)).*

pred_a, pred_b: what the two systems gave for the row; where a number is wanted a row that either lacks is ignored. Other arguments and errors as those of metric(name, pred, refs, unit, params).
Both systems share the groups of the jackknife, so that what makes rows hard for both cancels. p is two-sided: Student''s t of value / se, or McNemar''s exact test for a difference of shares without units. It is 1 where no row differs, NULL where all differ by the same amount.';
COMMENT ON AGGREGATE featbit.metric_diff(text, text, text, text[], text) IS 'difference of two systems in a metric, b minus a, without params; as metric_diff(name, pred_a, pred_b, refs, unit, params), but a NULL unit is error 22004';
COMMENT ON AGGREGATE featbit.metric_diff(text, text, text, text[]) IS 'difference of two systems in a metric, b minus a, every row a unit of its own; as metric_diff(name, pred_a, pred_b, refs, unit, params)';
COMMENT ON AGGREGATE featbit.metric_diff_agg(text, text, text, text[], text, jsonb) IS 'state of a difference in a metric, to be stored, merged with featbit.rollup and read with featbit.estimate; arguments and errors as those of metric_diff; NULL without rows';
COMMENT ON AGGREGATE featbit.metric_diff_agg(text, text, text, text[], text) IS 'state of a difference in a metric without params; as metric_diff_agg(name, pred_a, pred_b, refs, unit, params)';
COMMENT ON AGGREGATE featbit.metric_diff_agg(text, text, text, text[]) IS 'state of a difference in a metric, every row a unit of its own; as metric_diff_agg(name, pred_a, pred_b, refs, unit, params)';
COMMENT ON AGGREGATE featbit.rollup(featbit.metric_state) IS 'merges metric states of disjoint rows; NULLs are ignored; states of different metrics or parameters, or with and without units, are error 22023';

CREATE FUNCTION featbit.metrics(OUT name text, OUT summary text, OUT higher_is_better boolean, OUT lowest float8, OUT highest float8, OUT params text[]) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fb_metrics' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 40;
CREATE FUNCTION featbit.metric_signature(name text, params jsonb DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'fb_metric_signature' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.confusion_matrix(state featbit.metric_state, OUT gold text, OUT pred text, OUT count bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fb_confusion_matrix' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 25;
CREATE FUNCTION featbit.classification_report(state featbit.metric_state, OUT label text, OUT metric text, OUT support bigint, OUT value float8, OUT se float8, OUT lo float8, OUT hi float8) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fb_classification_report' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 25;

COMMENT ON FUNCTION featbit.metrics() IS 'the metrics that featbit.metric and featbit.metric_diff know: name, summary, whether higher is better, range (NULL: unbounded) and the parameters each takes';
COMMENT ON FUNCTION featbit.metric_signature(text, jsonb) IS 'what must be told beside a number so that it means something: the metric with its options, the version of Unicode and of the rules; for bleu and chrf in the manner of sacreBLEU. name: one of featbit.metrics(); params: as for featbit.metric. Error 22023 for an unknown name or parameter';
COMMENT ON FUNCTION featbit.confusion_matrix(featbit.metric_state) IS 'how often each pair of gold and predicted label occurs, from a state of a label metric (metric_agg(''f1_macro'', …)); pred NULL is an abstention. Error 22023 for a state that counts no pairs of labels, as of accuracy or of metric_diff';
COMMENT ON FUNCTION featbit.classification_report(featbit.metric_state) IS 'precision, recall and F of every label with support (its gold rows), standard error and interval, then the macro, micro and weighted averages with label NULL, from a state of a label metric (metric_agg(''f1_macro'', …)) with its parameters labels, zero_division, beta and level. Error 22023 for a state that counts no pairs of labels';
