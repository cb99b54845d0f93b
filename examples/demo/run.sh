#!/usr/bin/env bash
# run.sh - the demonstration: from the evaluation of prompts to a release and its result, on real data.
#
# Needs a database with the extension featbit_pg, given by PGHOST, PGPORT, PGUSER and PGDATABASE, and psql and gzip.
# "make demo" makes one and calls this script. It ends with an error when any number differs from the expected one.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
export PGCLIENTENCODING=UTF8 PGOPTIONS='-c client_min_messages=warning' PSQLRC=/dev/null PAGER=cat PSQL_PAGER=cat

start=$SECONDS
psql -XAtq -c "SELECT format('featbit_pg %s in PostgreSQL %s', extversion, current_setting('server_version')) FROM pg_extension WHERE extname = 'featbit_pg'"
printf 'From the evaluation of prompts to a release, its result, and the analysis of a whole archive.\n\n'
{
	cat examples/demo/prepare.sql
	awk -f examples/demo/narrate.awk examples/demo/tickets.sql examples/demo/release.sql examples/demo/headlines.sql
} | psql -X -q -v ON_ERROR_STOP=1 -f -
printf 'All numbers are as expected (%d s).\n' $((SECONDS - start))
