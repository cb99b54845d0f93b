-- metrics of predictions: state type, aggregates, estimate

CREATE TYPE featbit.estimate AS (n bigint, value float8, se float8, lo float8, hi float8, p float8);

COMMENT ON TYPE featbit.estimate IS 'a value with its uncertainty: n rows, value, standard error se, 95 % interval lo to hi, and p, the two-sided p-value where the value is a difference, otherwise NULL';
COMMENT ON COLUMN featbit.estimate.n IS 'number of rows that counted';
COMMENT ON COLUMN featbit.estimate.value IS 'the value, NULL without rows';
COMMENT ON COLUMN featbit.estimate.se IS 'standard error, NULL with fewer than two units';
COMMENT ON COLUMN featbit.estimate.lo IS 'lower end of the 95 % interval';
COMMENT ON COLUMN featbit.estimate.hi IS 'upper end of the 95 % interval';
COMMENT ON COLUMN featbit.estimate.p IS 'two-sided p-value of a difference, otherwise NULL';

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

COMMENT ON TYPE featbit.metric_state IS 'counts of (gold, predicted) labels, or of right answers per unit, from which a metric is computed; states of disjoint rows merge with featbit.rollup';

CREATE FUNCTION featbit.metric_accum(featbit.metric_state, name text, pred text, refs text[]) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_accum' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_accum(featbit.metric_state, name text, pred text, refs text[], unit text) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_accum_unit' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_combine(featbit.metric_state, featbit.metric_state) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.metric_rollup(featbit.metric_state, featbit.metric_state) RETURNS featbit.metric_state
	AS 'MODULE_PATHNAME', 'fb_metric_rollup' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION featbit.estimate(state featbit.metric_state) RETURNS featbit.estimate
	AS 'MODULE_PATHNAME', 'fb_metric_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION featbit.metric_accum(featbit.metric_state, text, text, text[]) IS 'transition function of metric(name, pred, refs); an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_accum(featbit.metric_state, text, text, text[], text) IS 'transition function of metric(name, pred, refs, unit); an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_combine(featbit.metric_state, featbit.metric_state) IS 'combine function of the metric aggregates; an error outside an aggregate';
COMMENT ON FUNCTION featbit.metric_rollup(featbit.metric_state, featbit.metric_state) IS 'transition function of rollup(metric_state); an error outside an aggregate';
COMMENT ON FUNCTION featbit.estimate(featbit.metric_state) IS 'reads a metric state: the estimate that featbit.metric returns for the same rows; without rows n is 0 and the rest NULL';

CREATE AGGREGATE featbit.metric(name text, pred text, refs text[], unit text) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.metric(text, text, text[], text) IS 'value of a metric with its uncertainty; read it with (featbit.metric(…)).*

name: accuracy, precision_macro, precision_micro, precision_weighted, recall_*, f1_* (the same three), or mcc; constant within a group.
pred: predicted label; NULL is an abstention: a miss, and no label''s false positive.
refs: the gold label is refs[1]; a row without one is ignored.
unit: what was sampled (an example, a conversation, a user); rows of one unit need not be independent. NULL is error 22004.

Averages run over the labels that occur as gold labels; an answer outside them is a miss and makes no class of its own. 0/0 is 0, as is mcc where nothing varies. Labels are compared byte by byte.
Accuracy has the cluster-robust standard error and Wilson''s interval on the effective number of rows; the others have the jackknife over 64 groups of units (XXH3 of the unit, modulo 64) with t quantiles, cut to the range of the metric. With one unit, or one group, se, lo and hi are NULL.
Errors: 22023 for an unknown name or one that changes, 53200 when the counts of a group outgrow work_mem * hash_mem_multiplier.';

CREATE AGGREGATE featbit.metric(name text, pred text, refs text[]) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	FINALFUNC = featbit.estimate,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.metric(text, text, text[]) IS 'value of a metric with its uncertainty, every row a unit of its own; arguments, values and errors as those of metric(name, pred, refs, unit)

Accuracy has the standard error of a mean and Wilson''s interval on the number of rows; the others have the jackknife that leaves out one row at a time, which depends on nothing but the rows.';

CREATE AGGREGATE featbit.metric_agg(name text, pred text, refs text[], unit text) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.metric_agg(text, text, text[], text) IS 'state of a metric, to be stored, merged with featbit.rollup and read with featbit.estimate; arguments and errors as those of metric(name, pred, refs, unit); NULL without rows';

CREATE AGGREGATE featbit.metric_agg(name text, pred text, refs text[]) (
	SFUNC = featbit.metric_accum,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.metric_agg(text, text, text[]) IS 'state of a metric, every row a unit of its own; arguments and errors as those of metric(name, pred, refs); NULL without rows';

CREATE AGGREGATE featbit.rollup(state featbit.metric_state) (
	SFUNC = featbit.metric_rollup,
	STYPE = featbit.metric_state,
	SSPACE = 4096,
	COMBINEFUNC = featbit.metric_combine,
	PARALLEL = SAFE
);

COMMENT ON AGGREGATE featbit.rollup(featbit.metric_state) IS 'merges metric states of disjoint rows; NULLs are ignored; states of different metrics, or with and without units, are error 22023';
