#!/bin/sh
# CPU per event at several sizes, users = events / 20. Sizes in the environment: BENCH_SCALE, millions of events.
set -e
for millions in ${BENCH_SCALE:-1 5 20 30}; do
	psql -Xq -v ON_ERROR_STOP=1 -v events=$((millions * 1000000)) -v users=$((millions * 50000)) -P footer=off <<'SQL'
SET client_min_messages = warning;
DROP TABLE IF EXISTS bench_user, bench_exposure, bench_event;
\i test/bench/data.sql
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1GB';
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES ('all events', $$
    SELECT s.* FROM (SELECT featbit.exposure_map(user_key, at, variation) AS map FROM bench_exposure) m
    CROSS JOIN LATERAL (SELECT featbit.unit_agg(m.map, e.user_key, e.occurred_at, e.value) AS state FROM bench_event e) a
    CROSS JOIN LATERAL featbit.unit_stats(m.map, a.state) s$$);
CALL bench.run(3);
SELECT :events / 1000000 AS million_events, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric * 1e6 / :events, 1) AS ns_per_event FROM bench.sample;
SQL
done
