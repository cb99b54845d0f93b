#!/bin/sh
# The same flags in featbit_pg and in the Node SDKs: newest versions, installed into a temporary directory; skipped with a line when
# that fails.  For featbit_pg the time is that of the whole statement, the reading of the users included; the SDKs are given them.
set -e
here=$(cd "$(dirname "$0")" && pwd)
packages="@featbit/node-server-sdk @growthbook/growthbook unleash-client @openfeature/flagd-core @openfeature/core"
echo
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "SDKs: skipped, node or npm is not installed"
	exit 0
fi
psql -XqAt -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
TRUNCATE bench.statement;
INSERT INTO bench.statement (label, sql) VALUES
    ('split', 'SELECT count(featbit.flag_variation(key, ''f'')) FROM bench_user'),
    ('rules', 'SELECT count(featbit.flag_variation(key, ''r'', attributes)) FROM bench_user');
CALL bench.run(7);
SQL
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$here/bench.mjs" "$scratch/"
cd "$scratch"
printf '{"private": true, "type": "module"}\n' >package.json
if ! npm install --no-audit --no-fund --loglevel=error $packages >npm.log 2>&1; then
	echo "SDKs: skipped, npm cannot install them: $(tail -1 npm.log)"
	exit 0
fi
echo "SDKs: node $(node --version), one process, ${BENCH_SDK_USERS:-1000000} distinct users after a warm-up of ${BENCH_SDK_WARMUP:-200000}"
for label in split rules; do
	psql -XqAt -F ' ' -c "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) * 1e6 / (SELECT count(*) FROM bench_user),
		(SELECT 100.0 * avg((featbit.flag_variation(key, CASE '$label' WHEN 'split' THEN 'f' ELSE 'r' END, attributes) = 'tuned')::int) FROM bench_user)
		FROM bench.sample WHERE label = '$label'" |
		awk -v label=$label '{ printf "%-36s %-6s %6.0f ns %10.0f/s tuned %.1f %%\n", "featbit_pg", label, $1, 1e9 / $1, $2 }'
done
node bench.mjs
