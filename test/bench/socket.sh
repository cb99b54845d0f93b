#!/bin/sh
# One prepared call over the socket against SELECT $1::text: transactions per second and CPU of the server per transaction, at
# several numbers of clients; then ten flag changes a second.  The CPU is what the postmaster has reaped of its children.
set -e
seconds=${BENCH_SECONDS:-3}
runs=${BENCH_RUNS:-15}
clients=${BENCH_CLIENTS:-"2 4 16 64"}
scratch=$(mktemp -d)
writer=
trap 'rm -rf "$scratch"; [ -z "$writer" ] || kill "$writer" 2>/dev/null || true' EXIT
printf '\\set u random(1, 1000000)\nSELECT (:u)::text;\n' >"$scratch/text.sql"
printf "\\\\set u random(1, 1000000)\nSELECT featbit.flag_variation((:u)::text, 'f');\n" >"$scratch/flag.sql"
printf "UPDATE featbit.flag SET description = clock_timestamp()::text WHERE environment = 'default' AND key = 'f'\\n\\\\watch 0.1\\n" >"$scratch/change.sql"
postmaster=$(psql -XqAt -c "SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)")
tick=$(getconf CLK_TCK)
# the jiffies of all children that have ended, in microseconds
reaped()
{
	psql -XqAt -c "SELECT (split_part(s, ' ', 14)::bigint + split_part(s, ' ', 15)::bigint) * 1000000 / $tick
		FROM (SELECT regexp_replace(pg_read_file('/proc/$postmaster/stat'), '^.*\) ', '') AS s) p"
}
once()
{
	before=$(reaped)
	pgbench -n -M prepared -c "$2" -j 1 -T "$seconds" -f "$scratch/$1.sql" >"$scratch/out" 2>&1 || { cat "$scratch/out" >&2; exit 1; }
	sleep 0.2
	after=$(reaped)
	tps=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$scratch/out" | tail -1)
	count=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$scratch/out")
	psql -Xq -c "INSERT INTO bench_socket VALUES ($3, $2, '$4', $tps, ($after - $before)::float8 / $count)"
}
psql -Xq -c "CREATE TABLE IF NOT EXISTS bench_socket (run int, clients int, label text, tps float8, cpu_us float8)" -c "TRUNCATE bench_socket"
for c in $clients; do
	run=0
	while [ "$run" -lt "$runs" ]; do
		run=$((run + 1))
		if [ $((run % 2)) = 0 ]; then
			once text "$c" $run 'SELECT $1::text'; once flag "$c" $run flag_variation
		else
			once flag "$c" $run flag_variation; once text "$c" $run 'SELECT $1::text'
		fi
	done
done
echo
echo "Over the socket, prepared, $runs alternated runs of $seconds s"
report="SELECT s.clients, s.label, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.tps)::numeric) AS tps,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.tps / r.tps)::numeric, 3) AS tps_ratio,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.cpu_us)::numeric, 2) AS cpu_us,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s.cpu_us / r.cpu_us)::numeric, 3) AS cpu_ratio
	FROM bench_socket s JOIN bench_socket r ON r.run = s.run AND r.clients = s.clients AND r.label = "
psql -Xq -P footer=off -c "$report 'SELECT \$1::text' GROUP BY 1, 2 ORDER BY 1, 2"

psql -Xq -c "TRUNCATE bench_socket"
run=0
while [ "$run" -lt "$runs" ]; do
	run=$((run + 1))
	once flag 4 $run 'no changes'
	psql -Xq -f "$scratch/change.sql" >/dev/null 2>&1 &
	writer=$!
	once flag 4 $run 'ten changes a second'
	kill "$writer" 2>/dev/null || true
	wait "$writer" 2>/dev/null || true
	writer=
done
echo "Ten flag changes a second, 4 clients"
psql -Xq -P footer=off -c "$report 'no changes' GROUP BY 1, 2 ORDER BY 1, 2"
