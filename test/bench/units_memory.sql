-- Peak memory of one call in a new backend, beyond what it had before: the high-water mark without shared memory. psql variables: users, col, metrics.
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1GB';
CREATE TEMP TABLE bench_memory AS SELECT 'before' AS moment, 0::bigint AS bytes WHERE false;
CREATE FUNCTION pg_temp.private_peak() RETURNS bigint LANGUAGE sql AS $$
    SELECT 1024 * (substring(s FROM 'VmHWM:\s*(\d+)')::bigint - substring(s FROM 'RssShmem:\s*(\d+)')::bigint) FROM pg_read_file('/proc/self/status') s
$$;
-- first touches of shared memory and of the code are no part of it
SELECT count(*) FROM bench_event \g /dev/null
SELECT count(s.*) FROM (SELECT featbit.exposure_map(:col, at, variation) AS map FROM bench_exposure LIMIT 1) m, LATERAL featbit.unit_stats(m.map, NULL) s WHERE false \g /dev/null
SELECT pg_temp.private_peak() AS before \gset
SELECT s.* FROM (SELECT featbit.exposure_map(:col, at, variation) AS map FROM bench_exposure) m
CROSS JOIN LATERAL (SELECT featbit.unit_agg(m.map, e.:col, e.occurred_at, e.event_name, e.value, :'metrics') AS state FROM bench_event e) a
CROSS JOIN LATERAL featbit.unit_stats(m.map, a.state) s \g /dev/null
SELECT :'col' AS key, jsonb_array_length(:'metrics') AS metrics, round((pg_temp.private_peak() - :before)::numeric / :users, 1) AS bytes_per_user;
