#!/bin/sh
# Shows that FeatBit's Node SDK reads what export_featbit gives, and that both serve the same variations: 57 generated flags,
# 50 of them not archived, with segments, for 10,000 users. The database of PGDATABASE must have the extension. Ends with 77,
# and a line that says why, where node, npm or the package cannot be had.
#
# The Node SDK differs from FeatBit's server, which evaluate_flag follows, in some points. The flags keep out of them:
# * MatchRegex and NotMatchRegex take the attribute for the pattern and the condition for the text: there are none.
# * Numbers are read by parseFloat, which takes "12abc" for 12: attributes that are compared as numbers are numbers or missing.
# * A dispatch key that a user does not have is hashed as "undefined": every user has the attribute "account".
# * A missing attribute is undefined, on which Contains and the like throw: the SDK is given the empty string, which is what the
#   server reads. A name that is not there is null to the server, and the empty string to the SDK: everyone has a name.
# * Archived flags are served as if they were not archived: they stay in the export, and are not compared.
# * includedInExpt of the default decides for rules, too: sending to experiments is not compared, only the variation.
set -e
here=$(cd "$(dirname "$0")" && pwd)
flags=${FEATBIT_SDK_FLAGS:-57} users=${FEATBIT_SDK_USERS:-10000} seed=${FEATBIT_SDK_SEED:-sdk}
skip()
{
	echo "comparison with FeatBit's Node SDK skipped: $1"
	exit 77
}
command -v node >/dev/null && command -v npm >/dev/null || skip "node or npm is not installed"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$here/compare.mjs" "$scratch"
cd "$scratch"
printf '{"private": true, "type": "module"}\n' >package.json
HOME=$scratch npm install --no-audit --no-fund --no-update-notifier --loglevel=error @featbit/node-server-sdk >npm.log 2>&1 ||
	skip "npm cannot install @featbit/node-server-sdk: $(tail -n 1 npm.log)"
PGOPTIONS='-c jit=off' psql -Xq -v ON_ERROR_STOP=1 -v flags="$flags" -v users="$users" -v seed="$seed" -f "$here/../generator.sql" -f - <<'SQL'
SELECT count(*) AS imported FROM featbit.import_featbit(fb_data.environment(:'seed', :flags, :flags / 5, 'sdk'), 'compare_sdk') \g /dev/null
\pset tuples_only
\pset format unaligned
SELECT featbit.export_featbit('compare_sdk') \g export.json
SELECT jsonb_build_object('user_key', u.user_key, 'context', u.context, 'values',
		(SELECT jsonb_object_agg(f.key, featbit.evaluate_flag(u.user_key, f.key, u.context, 'compare_sdk')) FROM featbit.flag AS f WHERE f.environment = 'compare_sdk' AND NOT f.archived))
	FROM (SELECT user_key, '{"name": "Ann"}' || context AS context FROM fb_data.users(:'seed', :users)) AS u \g expected.jsonl
SET client_min_messages = warning;
DROP SCHEMA fb_data CASCADE;
DELETE FROM featbit.flag WHERE environment = 'compare_sdk';
DELETE FROM featbit.segment WHERE environment = 'compare_sdk';
DELETE FROM featbit.environment WHERE key = 'compare_sdk';
SQL
node compare.mjs
