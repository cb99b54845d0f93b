#!/bin/sh
# Runs every comparison in one server and prints medians, quartiles and ratios.
# Sizes can be given in the environment: BENCH_USERS, BENCH_ROWS.
set -e
users=${BENCH_USERS:-1000000}
rows=${BENCH_ROWS:-10000000}
here=test/bench
PGOPTIONS='-c jit=off -c max_parallel_workers_per_gather=0 -c client_min_messages=warning'
export PGOPTIONS
psql -XqAt -v ON_ERROR_STOP=1 -c "SELECT version()" -c "SELECT 'featbit_pg ' || extversion FROM pg_extension WHERE extname = 'featbit_pg'"
psql -Xq -v ON_ERROR_STOP=1 -P footer=off -v users="$users" -v events=1000 -v rows="$rows" \
	-f $here/measure.sql -f $here/data.sql -f $here/plpgsql_lookup.sql -f $here/evaluation.sql -f $here/statistics.sql
