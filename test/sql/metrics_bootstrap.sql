-- The Poisson bootstrap: weights, replicates, merging, comparisons, errors.
SELECT setseed(0.5) IS NOT NULL AS seeded;
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION pg_temp.show(v float8) RETURNS numeric LANGUAGE sql AS $$ SELECT round(v::numeric, 6) $$;

-- Weights are Poisson variables of unit and replicate, the same for ever, and independent between replicates.
SELECT array_agg(featbit.bootstrap_weight('alice', r)) AS alice, array_agg(featbit.bootstrap_weight('42', r)) AS number FROM generate_series(1, 20) r;
SELECT least(w, 5) AS weight, pg_temp.show(abs(count(*) / 200000.0 - CASE WHEN w < 5 THEN exp(-1) / factorial(w)::float8 ELSE 0.00366 END) / sqrt(count(*)) * 200000) < 4 AS as_expected FROM (SELECT least(featbit.bootstrap_weight(u::text, r), 5) AS w FROM generate_series(1, 2000) u, generate_series(1, 100) r) x GROUP BY w ORDER BY w;
SELECT abs(corr(featbit.bootstrap_weight(u::text, 1), featbit.bootstrap_weight(u::text, 2))) < 0.02 AS independent, abs(corr(featbit.bootstrap_weight(u::text, 1), featbit.bootstrap_weight((u + 1)::text, 1))) < 0.02 AS independent_units FROM generate_series(1, 40000) u;

-- A state is the sums that the weights give; key types do not matter.
CREATE TEMP TABLE unit AS SELECT u, u % 2 = 0 AS treated, exp(random() * 3) + 1000 + CASE WHEN u % 2 = 0 THEN 0.4 ELSE 0 END AS y, 1 + random() AS d FROM generate_series(1::bigint, 4000) u;
SELECT count(*) AS replicates, max(abs(r - e)) < 1e-9 AS as_weighted
FROM (SELECT featbit.bootstrap_agg(u, y) AS s FROM unit) b, LATERAL unnest(featbit.replicates(s)) WITH ORDINALITY x(r, i),
	LATERAL (SELECT sum(y * featbit.bootstrap_weight(u::text, i::int)) / sum(featbit.bootstrap_weight(u::text, i::int)) AS e FROM unit) w;
SELECT featbit.bootstrap_agg(u, y)::text = featbit.bootstrap_agg(u::text, y)::text AS bigint_is_text, featbit.bootstrap_agg('00000000-0000-0000-0000-00000000abcd'::uuid, y)::text = featbit.bootstrap_agg('00000000-0000-0000-0000-00000000abcd'::text, y)::text AS uuid_is_text FROM unit WHERE u < 10;
SELECT featbit.bootstrap_agg(u, y, 20), featbit.bootstrap_ratio_agg(u, y, d, 20) FROM (VALUES (1::bigint, 2::float8, 3::float8), (2, 4, 5), (3, NULL, 1), (NULL, 1, 1), (4, 'NaN', 1)) v(u, y, d);
SELECT featbit.bootstrap_agg(u, y) AS no_row, featbit.bootstrap_agg('x', NULL::float8) IS NOT NULL AS one_null FROM (SELECT 1::bigint, 1::float8 WHERE false) v(u, y);

-- Any order and any merging, serial and parallel, agree to rounding; both forms restore the state.
CREATE TEMP TABLE whole AS SELECT featbit.bootstrap_agg(u, y) AS b, featbit.bootstrap_ratio_agg(u, y, d) AS q FROM unit;
CREATE TEMP TABLE part AS SELECT featbit.bootstrap_agg(u, y ORDER BY random()) AS b, featbit.bootstrap_ratio_agg(u, y, d) AS q FROM unit GROUP BY u % 17;
SELECT max(abs(x / y - 1)) < 1e-12 AS mean, max(abs(v / w - 1)) < 1e-12 AS ratio
FROM whole, (SELECT featbit.rollup(b ORDER BY random()) AS rb, featbit.rollup(q) AS rq FROM part) r, LATERAL unnest(featbit.replicates(rb), featbit.replicates(b), featbit.replicates(rq), featbit.replicates(q)) u(x, y, v, w);
SELECT count(*) AS states, count(*) FILTER (WHERE b::text::featbit.stats::text = b::text AND featbit.stats_send(q::text::featbit.stats) = featbit.stats_send(q)) AS same FROM part;
CREATE TABLE unit_parallel AS SELECT * FROM unit;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT featbit.bootstrap_agg(u, y) FROM unit_parallel;
SELECT max(abs(x / y - 1)) < 1e-12 AS parallel FROM whole, (SELECT featbit.bootstrap_agg(u, y) AS p FROM unit_parallel) r, LATERAL unnest(featbit.replicates(p), featbit.replicates(b)) u(x, y);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
DROP TABLE unit_parallel;

-- Its standard errors are those of closed forms within their own error; so with several rows for each unit.
CREATE TEMP TABLE arm AS
SELECT featbit.bootstrap_agg(u, y, 1000) FILTER (WHERE NOT treated) AS c, featbit.bootstrap_agg(u, y, 1000) FILTER (WHERE treated) AS t, featbit.stats_agg(y) FILTER (WHERE NOT treated) AS sc, featbit.stats_agg(y) FILTER (WHERE treated) AS st,
	featbit.bootstrap_ratio_agg(u, y, d, 1000) FILTER (WHERE NOT treated) AS qc, featbit.bootstrap_ratio_agg(u, y, d, 1000) FILTER (WHERE treated) AS qt, featbit.ratio_agg(y, d) FILTER (WHERE NOT treated) AS rc, featbit.ratio_agg(y, d) FILTER (WHERE treated) AS rt,
	featbit.bootstrap_agg(u, y, 50) FILTER (WHERE NOT treated) AS fc, featbit.bootstrap_agg(u, y, 50) FILTER (WHERE treated) AS ft
FROM unit;
SELECT what, scale, abs(b.se / s.se - 1) < 0.08 AS same_se, abs(b.effect - s.effect) < 1e-9 * abs(s.effect) + 1e-13 AS same_effect, abs(q.ci_low - s.ci_low) < 0.25 * s.se AND abs(q.ci_high - s.ci_high) < 0.25 * s.se AS same_interval, q.p_value = b.p_value AS same_p, b.status, q.status
FROM arm, LATERAL (VALUES ('mean', c, t, sc, st), ('ratio', qc, qt, rc, rt)) v(what, bc, bt, oc, ot), (VALUES ('absolute'), ('relative')) m(scale), LATERAL featbit.effect(bc, bt, scale) b, LATERAL featbit.effect(oc, ot, scale) s, LATERAL featbit.effect(bc, bt, scale, method => 'percentile') q ORDER BY what, scale;
SELECT abs(b.se / s.se - 1) < 0.12 AS clusters
FROM (SELECT featbit.bootstrap_agg(u, y + r, 1000) FILTER (WHERE NOT treated) AS c, featbit.bootstrap_agg(u, y + r, 1000) FILTER (WHERE treated) AS t FROM unit, generate_series(1, 3) r) x, LATERAL featbit.effect(c, t, 'absolute') b,
	(SELECT featbit.ratio_agg(y, n) FILTER (WHERE NOT treated) AS c, featbit.ratio_agg(y, n) FILTER (WHERE treated) AS t FROM (SELECT u, treated, sum(y + r) AS y, count(*) AS n FROM unit, generate_series(1, 3) r GROUP BY u, treated) g) y, LATERAL featbit.effect(y.c, y.t, 'absolute') s;
SELECT method, alternative, pg_temp.show(effect) AS effect, ci_low IS NULL AS low_open, ci_high IS NULL AS high_open, status FROM arm, (VALUES ('auto'), ('percentile')) m(method), (VALUES ('two-sided'), ('greater'), ('less')) a(alternative), LATERAL featbit.effect(fc, ft, method => method, alternative => alternative) ORDER BY method, alternative;
SELECT what, pg_temp.show(effect) AS effect, pg_temp.show(se) AS se, pg_temp.show(p_value) AS p_value, n_c, n_t, status
FROM (VALUES (1, 'none', 0, 9, 1::float8), (2, 'one', 1, 9, 1), (3, 'constant', 9, 8, 0), (4, 'some', 20, 20, 1)) v(i, what, a, b, slope),
	LATERAL (SELECT featbit.bootstrap_agg(i, 5 + slope * i) AS c FROM generate_series(1::bigint, a) i) c, LATERAL (SELECT featbit.bootstrap_agg(i, 6 + slope * i) AS t FROM generate_series(1::bigint, b) i) t, LATERAL featbit.effect(c, t, 'absolute') ORDER BY v.i;
SELECT effect, status FROM (SELECT featbit.bootstrap_ratio_agg(i, 1, 0) AS z FROM generate_series(1::bigint, 9) i) z, LATERAL featbit.effect(z, z);

-- States from outside, errors
SELECT state, pg_temp.complaint(format('SELECT %L::featbit.stats', replace(replace(state, 'W', '[1' || repeat(', 1', 20) || ']'), 'S', '[0' || repeat(', 0', 20) || ']'))) FROM (VALUES
	('{"kind": "bootstrap", "n": 1, "shift": 3, "weights": W, "sums": S}'), ('{"kind": "bootstrap", "n": 2, "shift": 3, "weights": W, "sums": S}'), ('{"kind": "bootstrap", "n": 1, "shift": 3, "weights": W}'), ('{"kind": "bootstrap", "n": 1, "weights": W, "sums": S}'),
	('{"kind": "bootstrap", "n": 1, "shift": 3, "weights": W, "sums": S, "denominators": S}'), ('{"kind": "bootstrap", "n": 1, "shift": 3, "weights": W, "sums": [1]}'), ('{"kind": "bootstrap", "n": 1, "shift": 3, "weights": [1], "sums": [1]}'),
	('{"kind": "bootstrap", "n": 1, "shift": 1e200, "weights": W, "sums": S}'), ('{"kind": "bootstrap", "n": 0, "shift": 0, "weights": S, "sums": W}'), ('{"kind": "bootstrap", "n": 1, "shift": 0, "weights": W, "sums": S')) v(state);
SELECT command, pg_temp.complaint('SELECT ' || command) FROM (VALUES
	('featbit.bootstrap_agg(1::bigint, 1, 5)'), ('featbit.bootstrap_agg(1::bigint, 1, NULL)'), ('featbit.bootstrap_agg(r::bigint, 1, r) FROM generate_series(20, 21) r'), ('featbit.bootstrap_weight(''u'', 0)'),
	('featbit.replicates(featbit.stats_agg(1::float8))'), ('featbit.mean(featbit.bootstrap_agg(1::bigint, 1))'), ('featbit.stats_merge(featbit.bootstrap_agg(1::bigint, 1), featbit.bootstrap_agg(1::bigint, 1, 20))'),
	('featbit.stats_merge(featbit.bootstrap_agg(1::bigint, 1), featbit.bootstrap_ratio_agg(1::bigint, 1, 1))'), ('featbit.stats_merge(featbit.bootstrap_agg(1::bigint, 1), featbit.stats_agg(1::float8))'),
	('featbit.bootstrap_accum(featbit.stats_agg(1::float8), 1::bigint, 1)'), ('featbit.effect(featbit.bootstrap_agg(1::bigint, 1), featbit.bootstrap_agg(1::bigint, 1, 20))')) v(command);
