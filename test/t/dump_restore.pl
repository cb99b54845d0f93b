# Dump and restore: the configuration comes back row for row, evaluates as before and goes on from where it was.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', 'CREATE DATABASE source; CREATE ROLE analyst; CREATE ROLE app LOGIN');
$node->safe_psql('source', <<'SQL');
CREATE EXTENSION featbit_pg;
SET featbit.environment = 'production';
-- names are chosen so that whatever order the rows are restored in, some reference points forward
SELECT featbit.create_segment('m-inner', '{insider}', condition => '{"attribute": "plan", "op": "one_of", "value": ["team", "firm"]}');
SELECT featbit.create_segment('z-middle', '{}', '{outsider}', '{"any": [{"segment": "m-inner"}, {"attribute": "country", "op": "eq", "value": "DE"}]}');
SELECT featbit.create_segment('a-outer', '{vip}', '{}', '{"all": [{"segment": "z-middle"}, {"not": {"attribute": "blocked", "op": "exists"}}]}');
SELECT featbit.create_flag('m-gate', '[{"key": "on", "value": true}, {"key": "off", "value": false}]', off_variation => 'off', comment => 'the first');
SELECT featbit.set_rollout('m-gate', '[{"variation": "on", "weight": 70}, {"variation": "off", "weight": 30}]', salt => 'of its own');
SELECT featbit.create_flag('z-needs', '[{"key": "a", "value": {"temperature": 0.1}}, {"key": "b", "value": {"temperature": 1e-9}}]', off_variation => 'a',
	description => E'a backslash \\, a tab \t, a quote '' and "two"', tags => '{"x,y","{}",""}');
SELECT featbit.update_flag('z-needs', '{"prerequisites": [{"flag": "m-gate", "variations": ["on"]}], "iteration": 3}', comment => 'needs the gate');
SELECT featbit.add_rule('z-needs', '{"id": "outer", "name": "the outer ones", "when": {"segment": "a-outer"}, "serve": {"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 3}], "by": "account"}}');
SELECT featbit.create_flag('a-asks', '[{"key": "x", "value": "déjà vu"}, {"key": "y", "value": "\u00fc"}, {"key": "z", "value": "z"}]');
SELECT featbit.add_rule('a-asks', '{"id": "half", "when": {"flag": "z-needs", "variations": ["b"]}, "serve": {"variation": "y"}, "percentage": 50.125}');
SELECT featbit.add_rule('a-asks', '{"id": "members", "when": {"any": [{"segment": "z-middle"}, {"attribute": "mail", "op": "matches", "value": "@example\\.org$"}]}, "serve": {"variation": "z"}}', "position" => 1);
SELECT featbit.set_targets('a-asks', 'x', '{user-1,user-2,"with, comma"}');
SELECT featbit.set_rollout('a-asks', '[{"variation": "x", "weight": 1}, {"variation": "y", "weight": 1}, {"variation": "z", "weight": 0}]');
INSERT INTO featbit.segment (semantics, key, included, condition, archived, source) VALUES ('featbit', '0779d76b-afc6-4886-ab65-af8c004273ad', '{vip}', '[{"conditions": [{"property": "plan", "op": "Equal", "value": "team"}]}]', false, '{"type": "shared", "x": null}'),
	('featbit', '_archived', '{}', '[]', true, NULL);
INSERT INTO featbit.flag (semantics, key, type, off_variation, variations, targets, rules, fallthrough, source) VALUES ('featbit', '_featbit', 'number', 'one', '[{"id": "one", "name": "1", "value": " 1"}, {"id": "two", "value": "2e0"}]', '[{"keyIds": ["user-1"], "variationId": "two"}, 7]',
	'[{"id": "r", "name": "seg", "dispatchKey": "account", "includedInExpt": true, "conditions": [{"property": "User is in segment", "op": null, "value": "[\"0779d76b-afc6-4886-ab65-af8c004273ad\", \"dangling\"]"}], "variations": [{"id": "one", "rollout": [0, 0.34], "exptRollout": 0.1}, {"id": "two", "rollout": [0.34, 1], "exptRollout": 0.1}]}]',
	'{"variations": [{"id": "two", "rollout": [0.2, 1]}]}', '{"id": 7, "exptIncludeAllTargets": false, "missingAttribute": "no_match"}');
SELECT featbit.add_rule('m-gate', '{"id": "mixed", "when": {"all": [{"segment": "0779d76b-afc6-4886-ab65-af8c004273ad"}, {"flag": "_featbit", "variations": ["two"]}]}, "serve": {"variation": "off"}}');
SELECT featbit.create_flag('limit', '[{"key": "low", "value": 10}, {"key": "high", "value": 12345678901234567890.123}]');
SELECT featbit.disable_flag('limit');
SELECT featbit.create_flag('gone', '[{"key": "a", "value": 1}]');
SELECT featbit.disable_flag('gone'), featbit.enable_flag('gone');
DELETE FROM featbit.flag WHERE key = 'gone';
SELECT featbit.create_flag('old', '[{"key": "a", "value": 1}]'), featbit.update_flag('old', '{"archived": true}');
SELECT featbit.create_flag('a-asks', '[{"key": "only", "value": "staging"}]', environment => 'staging');
SELECT featbit.create_flag('locked', '[{"key": "a", "value": 1}]', environment => 'protected');
UPDATE featbit.environment SET protected = true, name = 'hands off' WHERE key = 'protected';
INSERT INTO featbit.environment (key, name) VALUES ('empty', 'without flags');
SELECT featbit.create_tracking('facts', 'production');
SELECT count(featbit.expose('user-' || n, 'a-asks')), count(featbit.track('user-' || n, 'bought', n)) FROM generate_series(1, 500) n;
SELECT featbit.create_metric('bought', 'conversion', event_name => 'bought', lookback => '7 days'), featbit.create_metric('spent', 'sum', 'facts.event', 'user_key', 'occurred_at', value => 'value');
SELECT featbit.create_experiment('asks', 'a-asks', '{bought}', '{"spent": 0.1}', dimensions => '{"first": {"source": "SELECT user_key, left(user_key, 6) AS first FROM facts.event", "unit_column": "user_key", "value": "first"}}'),
	featbit.start_experiment('asks', now() - interval '1 hour'), featbit.set_experiment_weights('asks', '{"x": 1, "y": 1}'), featbit.set_retention('event', '90 days');
SELECT * FROM featbit.tick();
-- what depends on the extension in a user's database
CREATE VIEW public.models AS SELECT n, featbit.evaluate_flag('user-' || n, 'a-asks', '{}', 'production') AS model FROM generate_series(1, 100) n;
CREATE TABLE public.orders (n int PRIMARY KEY, greeting text DEFAULT featbit.evaluate_flag('user-7', 'a-asks', '{}', 'production'), summary featbit.stats);
INSERT INTO public.orders SELECT 1, 'set', featbit.stats_agg(x) FROM generate_series(1, 10) x;
CREATE POLICY beta ON public.orders USING (featbit.flag_bool('u', 'm-gate', false, '{}', 'production'));
CREATE FUNCTION public.rate(text) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM featbit.flag WHERE key = $1; END;
GRANT SELECT ON featbit.flag_revision TO analyst;
SELECT featbit.grant_access('app', 'evaluate'), featbit.grant_access('app', 'manage', 'staging'), featbit.grant_access('analyst', 'manage', 'staging'), featbit.grant_access('analyst', 'analyse');
INSERT INTO featbit.follow (environment, schema, env_id, mode, vanished, followed_at, followed_by) VALUES ('staging', 'fb', '226b9bf8-4af3-4ffa-9b01-162270e4cd40', 'poll', 'keep', now(), 'somebody');
SQL

my @tables = (
	'featbit.environment ORDER BY key', 'featbit.flag ORDER BY environment, key', 'featbit.segment ORDER BY environment, key',
	'featbit.flag_revision ORDER BY environment, kind, key, revision', 'featbit.metric_definition ORDER BY key', 'featbit.experiment ORDER BY key', 'featbit.experiment_metric ORDER BY metric_key',
	'featbit.experiment_iteration ORDER BY iteration', 'featbit.experiment_epoch ORDER BY started_at', 'featbit.retention ORDER BY table_name', 'featbit.heartbeat ORDER BY environment',
	'featbit.experiment_verdict ORDER BY variation');
my @facts = ("featbit.experiment_states('asks', now() + interval '1 second', NULL, 'production') ORDER BY place, metric, variation", 'facts.exposure ORDER BY flag_key, user_key', 'facts.event ORDER BY user_key', 'public.orders ORDER BY n', 'featbit.access ORDER BY role, task, environment', 'featbit.follow ORDER BY environment',
	"(SELECT polrelid::regclass::text, polname, polcmd, polroles, pg_get_expr(polqual, polrelid) FROM pg_policy) p ORDER BY 1, 2",
	"(SELECT relname, relacl::text, relrowsecurity FROM pg_class WHERE relnamespace = 'featbit'::regnamespace AND relkind IN ('r', 'v')) c ORDER BY 1",
	"(SELECT oid::regprocedure::text, proacl::text FROM pg_proc WHERE pronamespace = 'featbit'::regnamespace) p ORDER BY 1");

my $evaluations = <<'SQL';
SELECT u, f.environment, f.key, r.value, r.variant, r.reason, r.error_code, r.metadata
FROM generate_series(1, 400) u, (VALUES ('production', 'a-asks'), ('production', 'z-needs'), ('production', 'm-gate'), ('production', 'limit'),
	('production', 'old'), ('production', '_featbit'), ('production', 'gone'), ('staging', 'a-asks'), ('protected', 'locked'), ('empty', 'none'), ('absent', 'none')) f (environment, key),
	featbit.resolve(f.key, jsonb_strip_nulls(jsonb_build_object('targetingKey', CASE u WHEN 3 THEN 'vip' WHEN 4 THEN 'outsider' WHEN 5 THEN 'insider' WHEN 6 THEN 'with, comma' ELSE 'user-' || u END,
		'account', CASE WHEN u % 5 > 0 THEN u / 3 END, 'plan', CASE u % 4 WHEN 0 THEN 'team' WHEN 1 THEN 'firm' END, 'country', CASE u % 3 WHEN 0 THEN 'DE' END,
		'blocked', CASE u % 7 WHEN 0 THEN true END, 'mail', 'u' || u || CASE u % 2 WHEN 0 THEN '@example.org' ELSE '@example.com' END)), f.environment) r
ORDER BY 1, 2, 3
SQL

# Returns everything that must come back.
sub content
{
	my ($database, @tables) = @_;
	return { map { $_ => $node->safe_psql($database, "SELECT * FROM $_") } @tables };
}

# Runs a client program against a database.
sub run_ok
{
	my ($name, @command) = @_;
	$command[0] = $node->installed_command($command[0]);
	$node->command_ok(\@command, $name);
}

my $before = content('source', @tables, @facts);
my $served = $node->safe_psql('source', $evaluations);
my %seen = map { $_ => 1 } $served =~ /\|(TARGETING_MATCH|SPLIT|DEFAULT|STATIC|DISABLED|PREREQUISITE_FAILED|FLAG_NOT_FOUND|PROVIDER_NOT_READY|TARGETING_KEY_MISSING)\|/g;
is(join(' ', sort keys %seen), 'DEFAULT DISABLED FLAG_NOT_FOUND PREREQUISITE_FAILED PROVIDER_NOT_READY SPLIT STATIC TARGETING_KEY_MISSING TARGETING_MATCH',
	'the evaluations that are compared have every outcome');

# Tests that a database holds what the source held.
sub same_as_source
{
	my ($database, $name, @tables) = @_;
	my $after = content($database, @tables);

	is($after->{$_}, $before->{$_}, "$name: rows of " . (split / /)[0]) for @tables;
	is($node->safe_psql($database, $evaluations), $served, "$name: 400 users are served as before");
}

# Tests that the restored configuration is the old one's continuation.
sub continues
{
	my ($database, $name) = @_;
	my $query = sub { $node->safe_psql($database, "SET featbit.environment = 'production'; $_[0]") };
	my $revision = $query->(q(SELECT revision FROM featbit.flag WHERE environment = 'production' AND key = 'a-asks'));
	my $version = $query->(q(SELECT config_version FROM featbit.environment WHERE key = 'production'));

	is($query->(q(SELECT featbit.set_variation('a-asks', 'z', '"new"'))), $revision + 1, "$name: the next revision follows");
	is($query->(q(SELECT config_version FROM featbit.environment WHERE key = 'production')), $version + 1, "$name: the next configuration version follows");
	is($query->(q(SELECT featbit.create_flag('gone', '[{"key": "a", "value": 1}]'))), 5, "$name: a deleted flag comes back after its last revision");
	is($query->(q(SELECT string_agg(revision || ' ' || change, ', ' ORDER BY revision) FROM featbit.flag_revision WHERE key = 'gone')),
		'1 insert, 2 update, 3 update, 4 delete, 5 insert', "$name: its history goes on");
	is($node->safe_psql($database, q(SET ROLE app; SELECT string_agg(DISTINCT environment, ' ') FROM featbit.flag; SELECT featbit.disable_flag('a-asks', environment => 'staging') > 1)),
		"staging\nt", "$name: a manager has the old environment");
	my ($status, undef, $error) = $node->psql($database, q(SET ROLE app; SELECT featbit.disable_flag('a-asks', environment => 'production')));
	like($error, qr/permission denied to change environment "production"/, "$name: and no other");
	($status, undef, $error) = $node->psql($database, q(DELETE FROM featbit.segment WHERE key = 'm-inner'));
	like($error, qr/segment "m-inner" is in use/, "$name: references are guarded");
	($status, undef, $error) = $node->psql($database, q(SELECT featbit.disable_flag('locked', environment => 'protected')));
	like($error, qr/is protected/, "$name: a protected environment is protected");
	is($query->(q(SELECT count(featbit.expose('user-' || n, 'a-asks')) FROM generate_series(1, 501) n)), 501, "$name: exposures are recorded");
	is($node->safe_psql($database, 'SELECT count(*) > 500 FROM facts.exposure'), 't', "$name: beside those that were there");
}

$node->safe_psql('postgres', 'CREATE DATABASE plain TEMPLATE template0');
run_ok('pg_dump writes a plain script', 'pg_dump', '-d', $node->connstr('source'), '-f', "$dir/plain.sql");
run_ok('psql restores the plain script', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'), '-f', "$dir/plain.sql");
same_as_source('plain', 'plain', @tables, @facts);
is($node->safe_psql('plain', 'SELECT * FROM public.models'), $node->safe_psql('source', 'SELECT * FROM public.models'), 'plain: a view over a flag');
is($node->safe_psql('plain', q(SELECT has_table_privilege('analyst', 'featbit.flag_revision', 'SELECT'))), 't', 'plain: a grant on a table of the extension');

$node->safe_psql('postgres', 'CREATE DATABASE parallel TEMPLATE template0');
run_ok('pg_dump -Fd -j4', 'pg_dump', '-Fd', '-j4', '-d', $node->connstr('source'), '-f', "$dir/directory");
run_ok('pg_restore -j4', 'pg_restore', '-j4', '--exit-on-error', '-d', $node->connstr('parallel'), "$dir/directory");
same_as_source('parallel', 'parallel', @tables, @facts);

# Whatever order the tables come in, by hand
my $list = $node->installed_command('pg_restore');
my @entries = grep { / TABLE DATA featbit / } split /\n/, `'$list' -l '$dir/directory'`;
is(scalar @entries, $node->safe_psql('source', q(SELECT cardinality(extconfig) FROM pg_extension WHERE extname = 'featbit_pg')),
	'the archive holds the data of every table of the extension');
for my $order ([ 0 .. $#entries ], [ reverse 0 .. $#entries ])
{
	my $name = $order->[0] ? 'backward' : 'forward';

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	$node->safe_psql($name, 'CREATE EXTENSION featbit_pg');
	append_to_file("$dir/$name.list", join("\n", (sort @entries)[@$order]) . "\n");
	run_ok("$name order of tables", 'pg_restore', '--data-only', '--exit-on-error', '-L', "$dir/$name.list", '-d', $node->connstr($name), "$dir/directory");
	same_as_source($name, "$name order", @tables);
}

$node->safe_psql('postgres', 'CREATE DATABASE data_only TEMPLATE template0');
$node->safe_psql('data_only', 'CREATE EXTENSION featbit_pg');
run_ok('pg_dump --data-only', 'pg_dump', '--data-only', '--exclude-schema=facts', '--exclude-schema=public', '-d', $node->connstr('source'), '-f', "$dir/data.sql");
run_ok('psql restores --data-only in one transaction', 'psql', '-Xq', '-1', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('data_only'), '-f', "$dir/data.sql");
same_as_source('data_only', 'data only', @tables);

run_ok('pg_dump --data-only --inserts', 'pg_dump', '--data-only', '--inserts', '--exclude-schema=facts', '--exclude-schema=public', '-d', $node->connstr('source'), '-f', "$dir/inserts.sql");
$node->safe_psql('postgres', 'CREATE ROLE steward LOGIN; CREATE ROLE guest LOGIN; CREATE DATABASE owned TEMPLATE template0');
$node->safe_psql('owned', <<'SQL');
CREATE EXTENSION featbit_pg;
SELECT featbit.grant_access('guest', 'manage');
DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'featbit'::regnamespace AND relkind = 'r' LOOP EXECUTE format('ALTER TABLE %s OWNER TO steward', t); END LOOP; END $$;
GRANT USAGE ON SCHEMA featbit TO steward;
SQL
# A manager, whose rows are kept apart by row-level security, may write flags, but not with revisions of his own.
my $inserts = slurp_file("$dir/inserts.sql") =~ s/^SET row_security = off;$//mr;
for my $table ('environment', 'flag')
{
	my ($insert) = $inserts =~ /^(INSERT INTO featbit\.$table VALUES .*?\);)$/ms;
	my (undef, undef, $error) = $node->psql('owned', $insert, extra_params => [ '-U', 'guest' ]);
	like($error, qr/must be owner of table "featbit\.$table"|permission denied for table $table/, "a manager cannot restore rows of $table");
}
is($node->safe_psql('owned', 'SELECT count(*) FROM featbit.flag'), 0, 'and nothing is restored');
run_ok('the owner of the tables, no superuser, restores INSERTs', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-U', 'steward', '-d', $node->connstr('owned'), '-f', "$dir/inserts.sql");
same_as_source('owned', 'restored by the owner', @tables);

# Over itself, with everything that depends on the extension
run_ok('pg_dump --clean', 'pg_dump', '--clean', '--if-exists', '-d', $node->connstr('source'), '-f', "$dir/clean.sql");
run_ok('psql restores --clean over the same database', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('parallel'), '-f', "$dir/clean.sql");
same_as_source('parallel', 'clean', @tables, @facts);
run_ok('and in one transaction', 'psql', '-Xq', '-1', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('parallel'), '-f', "$dir/clean.sql");
same_as_source('parallel', 'clean in one transaction', @tables, @facts);

continues('plain', 'plain');
continues('parallel', 'parallel');
is_deeply(content('source', @tables, @facts), $before, 'dumping changed nothing');

# A database made from a template is a copy, too
$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE source');
same_as_source('copied', 'CREATE DATABASE TEMPLATE', @tables, @facts);

healthy($node);
done_testing();
