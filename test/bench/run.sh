#!/bin/sh
# Runs comparisons in one server and prints medians, quartiles and ratios.  Arguments are the sections to run, all without any:
#   evaluation  rules  featbit  many  cold  socket  sdk  statistics  import  units  units_scale  metric  text
# Sizes can be given in the environment: BENCH_USERS, BENCH_ROWS, BENCH_ROUNDS, BENCH_PREDICTIONS, BENCH_EVENTS and
# BENCH_UNIT_ROUNDS for units, and what cold.sh, socket.sh, sdk/run.sh, units_scale.sh and text/run.sh name.
set -e
users=${BENCH_USERS:-1000000}
rows=${BENCH_ROWS:-10000000}
rounds=${BENCH_ROUNDS:-15}
here=test/bench
[ $# -gt 0 ] || set -- evaluation rules featbit many cold socket sdk statistics import units units_scale metric text
PGOPTIONS='-c jit=off -c max_parallel_workers_per_gather=0 -c client_min_messages=warning'
export PGOPTIONS
sql()
{
	psql -Xq -v ON_ERROR_STOP=1 -P footer=off -v users="$users" -v events=1000 -v rows="$rows" -v rounds="$rounds" -v predictions="${BENCH_PREDICTIONS:-1000000}" "$@"
}
psql -XqAt -v ON_ERROR_STOP=1 -c "SELECT version()" -c "SELECT 'featbit_pg ' || extversion FROM pg_extension WHERE extname = 'featbit_pg'"
echo "load: $(cut -d ' ' -f 1-3 /proc/loadavg 2>/dev/null || uptime)"
sql -f $here/measure.sql -f $here/data.sql -f $here/plpgsql_lookup.sql -f $here/plpgsql_rules.sql -f $here/evaluation_data.sql
sql -At -c "SELECT 'milliseconds are ' || bench.clock()"
for section; do
	case $section in
	evaluation) sql -f $here/evaluation.sql ;;
	rules) sql -f $here/evaluation_rules.sql ;;
	featbit) sql -f $here/featbit_data.sql -f $here/featbit.sql ;;
	many) sql -f $here/evaluation_many.sql ;;
	cold) sh $here/cold.sh ;;
	socket) sh $here/socket.sh ;;
	sdk) sh $here/sdk/run.sh ;;
	statistics) sql -f $here/statistics.sql ;;
	import) sql -f $here/import.sql ;;
	units)
		sql -c 'DROP TABLE bench_user, bench_exposure, bench_event'
		sql -v events="${BENCH_EVENTS:-20000000}" -f $here/data.sql
		sql -v events="${BENCH_EVENTS:-20000000}" -v rounds="${BENCH_UNIT_ROUNDS:-5}" -f $here/units.sql
		sql -v col=user_key -v metrics='[{}]' -f $here/units_memory.sql
		sql -v col=user_id -v metrics='[{}]' -f $here/units_memory.sql
		sql -v col=user_key -v metrics='[{"lookback": "7 days"}, {"aggregate": "count", "lookback": "7 days"}, {"aggregate": "mean"}]' -f $here/units_memory.sql
		BENCH_ROUNDS=${BENCH_UNIT_ROUNDS:-5} sh $here/duckdb/run.sh ;;
	units_scale) sh $here/units_scale.sh ;;
	metric) sql -f $here/metric.sql ;;
	text) sh $here/text/run.sh ;;
	*) echo "no section \"$section\": evaluation rules featbit many cold socket sdk statistics import units units_scale metric text" >&2; exit 1 ;;
	esac
done
