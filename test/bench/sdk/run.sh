#!/bin/sh
# The same flags in the Node SDKs: newest versions, installed into a temporary directory; skipped with a line when that fails.
set -e
here=$(cd "$(dirname "$0")" && pwd)
packages="@featbit/node-server-sdk @growthbook/growthbook unleash-client @openfeature/flagd-core @openfeature/core"
echo
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "SDKs: skipped, node or npm is not installed"
	exit 0
fi
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
node bench.mjs
