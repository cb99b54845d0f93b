#!/bin/sh
# BLEU and ROUGE-L of segment pairs beside other implementations: those of npm and of Debian that are there, newest versions.
# Texts are words of a to z and blanks, on which all tokenisers agree, so that the answers are compared too.
set -e
here=$(cd "$(dirname "$0")" && pwd)
pairs=${BENCH_PAIRS:-100000}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo
echo "BLEU and ROUGE-L of $pairs pairs of about 25 words, milliseconds of CPU time"
psql -XqAt -v ON_ERROR_STOP=1 -v pairs="$pairs" -f "$here/pairs.sql"
psql -XqAt -v ON_ERROR_STOP=1 -c "\\copy (SELECT pred, ref FROM bench_pair ORDER BY i) TO '$scratch/pairs.tsv'"
psql -Xq -v ON_ERROR_STOP=1 -P footer=off -f "$here/ours.sql"
if /usr/bin/python3 -c 'import nltk' 2>/dev/null; then
	/usr/bin/python3 "$here/peer.py" "$scratch/pairs.tsv"
else
	echo "Debian: skipped, python3-nltk is not installed"
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	echo "npm: skipped, node or npm is not installed"
	exit 0
fi
cp "$here/peer.mjs" "$scratch/"
cd "$scratch"
printf '{"private": true, "type": "module"}\n' >package.json
if ! npm install --no-audit --no-fund --loglevel=error bleu-score js-rouge >npm.log 2>&1; then
	echo "npm: skipped, cannot install bleu-score and js-rouge: $(tail -1 npm.log)"
	exit 0
fi
node peer.mjs pairs.tsv
