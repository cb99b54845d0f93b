#!/bin/sh
# What the first evaluation in a new backend costs, compiling, and memory.
# Each backend reads its own CPU time (nanoseconds) from the system before and after one statement.
set -e
psql="psql -XqAt -v ON_ERROR_STOP=1"
connections=${BENCH_CONNECTIONS:-25}

echo
echo "Cold: first statement of a new backend, $connections backends each, microseconds of CPU"
$psql -c "CREATE TABLE IF NOT EXISTS bench_cold (round int, label text, us float8)" -c "TRUNCATE bench_cold" \
	-c "INSERT INTO featbit.flag (environment, key, type, variations, fallthrough) SELECT 'default', 'cold', 'string', variations, fallthrough FROM featbit.flag WHERE environment = 'default' AND key = 'f' ON CONFLICT DO NOTHING"
# the process is warmed by a statement that touches no table but reads the clock in the same way
first()
{
	$psql <<SQL
$4
SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS warm \gset
SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS before \gset
$2
SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint AS after \gset
INSERT INTO bench_cold VALUES ($3, '$1', (:after - :before) / 1000.0);
SQL
}
round=0
while [ "$round" -lt "$connections" ]; do
	round=$((round + 1))
	first 'SELECT of one flag row' "SELECT variations FROM featbit.flag WHERE environment = 'default' AND key = 'cold';" $round >/dev/null
	first 'evaluate_flag' "SELECT featbit.evaluate_flag('user-1', 'cold');" $round >/dev/null
	first 'evaluate_flag, library loaded before' "SELECT featbit.evaluate_flag('user-1', 'cold');" $round "LOAD 'featbit_pg';" >/dev/null
done
cold_report()
{
	psql -Xq -P footer=off -v reference="$1" <<'SQL'
SELECT c.label, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY c.us)::numeric) AS median_us,
    format('%s-%s', round(percentile_cont(0.25) WITHIN GROUP (ORDER BY c.us)::numeric), round(percentile_cont(0.75) WITHIN GROUP (ORDER BY c.us)::numeric)) AS quartiles_us,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY c.us / r.us)::numeric, 2) AS ratio
FROM bench_cold c JOIN bench_cold r ON r.round = c.round AND r.label = :'reference' GROUP BY c.label ORDER BY c.label;
SQL
}
cold_report 'SELECT of one flag row'

echo
echo "Compiling 1,000 flags of about 1 kB, and their memory"
psql -Xq -P footer=off -v ON_ERROR_STOP=1 <<'SQL'
INSERT INTO featbit.flag (environment, key, type, variations, rules, fallthrough)
SELECT 'bench_cold', 'flag-' || n, 'string', '[{"key": "base", "value": "base"}, {"key": "tuned", "value": "tuned"}]',
    jsonb_build_array(
        jsonb_build_object('id', 'countries', 'when', jsonb_build_object('all', jsonb_build_array(
            jsonb_build_object('attribute', 'country', 'op', 'one_of', 'value', (SELECT jsonb_agg('country-' || n || '-' || i) FROM generate_series(1, 10) i)),
            '{"attribute": "age", "op": "gt", "value": 30}'::jsonb)), 'serve', '{"variation": "tuned"}'::jsonb),
        jsonb_build_object('id', 'plans', 'when', jsonb_build_object('attribute', 'plan', 'op', 'one_of', 'value', (SELECT jsonb_agg('plan-' || n || '-' || i) FROM generate_series(1, 10) i)),
            'serve', '{"split": [{"variation": "base", "weight": 30}, {"variation": "tuned", "weight": 70}]}'::jsonb),
        '{"id": "beta", "when": {"attribute": "beta", "op": "eq", "value": true}, "serve": {"variation": "tuned"}}'::jsonb),
    '{"split": [{"variation": "base", "weight": 90}, {"variation": "tuned", "weight": 10}]}'
FROM generate_series(1, 1000) n;
CREATE TABLE bench_definition AS
SELECT key, jsonb_build_object('key', key, 'variations', variations, 'rules', rules, 'fallthrough', fallthrough)::text AS definition
FROM featbit.flag WHERE environment = 'bench_cold';
CREATE TABLE bench_definitions AS SELECT d.* FROM bench_definition d, generate_series(1, 200);
VACUUM ANALYZE bench_definition; VACUUM ANALYZE bench_definitions; VACUUM ANALYZE featbit.flag;
TRUNCATE bench.statement;
-- a change of any flag makes every compiled flag stale, so that each run compiles all of them
INSERT INTO bench.statement (label, sql) VALUES
    ('count(definition), 200 times the rows', 'SELECT count(definition) FROM bench_definitions'),
    ('first evaluation of 1,000 flags', 'SELECT count(featbit.flag_variation(''u'', key, ''{}'', ''bench_cold'')) FROM bench_definition');
CREATE PROCEDURE bench_compile(rounds int) LANGUAGE plpgsql AS $$
DECLARE
    s record; ms float8;
BEGIN
    DELETE FROM bench.sample;
    FOR r IN 0 .. rounds LOOP
        FOR s IN SELECT * FROM bench.statement ORDER BY position LOOP
            UPDATE featbit.flag SET description = r::text WHERE environment = 'default' AND key = 'cold';
            COMMIT;
            ms := bench.time(s.sql, false);
            INSERT INTO bench.sample SELECT r, s.label, ms WHERE r > 0;
            COMMIT;
        END LOOP;
    END LOOP;
END $$;
CALL bench_compile(9);
-- the clock of the system moves in steps of some milliseconds, hence 200 times the rows
WITH ms AS (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE label LIKE 'first%') AS compile,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE label LIKE 'count%') / 200 AS scan FROM bench.sample)
SELECT round(compile::numeric, 1) AS compile_ms, round(scan::numeric, 3) AS count_definition_ms, round((compile / scan)::numeric, 1) AS ratio FROM ms;
-- all that the cache has, its table of entries and what its blocks have left included
SELECT round(avg(length(definition))) AS json_bytes,
    round((SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'featbit%') / 1000) AS compiled_bytes,
    round((SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'featbit%') / sum(length(definition)), 2) AS ratio
FROM (SELECT featbit.flag_variation('u', key, '{}', 'bench_cold'), definition FROM bench_definition OFFSET 0) d;
SQL

echo
echo "The same in new backends, $connections each, microseconds of CPU of the first statement"
$psql -c "TRUNCATE bench_cold"
round=0
while [ "$round" -lt "$connections" ]; do
	round=$((round + 1))
	first 'count(definition) of 1,000 rows' "SELECT count(definition) FROM bench_definition;" $round >/dev/null
	first 'first evaluation of 1,000 flags' "SELECT count(featbit.flag_variation('u', key, '{}', 'bench_cold')) FROM bench_definition;" $round >/dev/null
done
cold_report 'count(definition) of 1,000 rows'
