#!/bin/sh
# The same analysis in DuckDB, on the data that units.sql reads: installed into a temporary directory; skipped with a line when that fails.
set -e
here=$(cd "$(dirname "$0")" && pwd)
echo
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "DuckDB: skipped, node or npm is not installed"
	exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$here/bench.mjs" "$scratch/"
cd "$scratch"
printf '{"private": true, "type": "module"}\n' >package.json
if ! npm install --no-audit --no-fund --loglevel=error @duckdb/node-api >npm.log 2>&1; then
	echo "DuckDB: skipped, npm cannot install it: $(tail -1 npm.log)"
	exit 0
fi
mkfifo exposure.csv event.csv
node bench.mjs
