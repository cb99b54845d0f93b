# What sessions see of each other's changes, where an isolation spec cannot say it: cold loads under old snapshots, a build that
# a change overtakes, prepared transactions, DROP EXTENSION, parallel workers, a pooler, memory, and many backends at once.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('sessions', conf => [ 'max_prepared_transactions = 5', 'max_connections = 40' ]);
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION featbit_pg;
SELECT featbit.create_flag('f', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]');
SELECT featbit.create_segment('s', '{member}');
SELECT featbit.create_flag('uses-s', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}]');
SELECT featbit.add_rule('uses-s', '{"id": "r", "when": {"segment": "s"}, "serve": {"variation": "b"}}');
-- 3 MB of targets, far out of line
SELECT featbit.create_flag('large', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]');
SELECT featbit.set_targets('large', 'c', (SELECT array_agg(md5(n::text)) FROM generate_series(1, 60000) n));
SQL

my $reader = session($node);
my $writer = session($node);

# A statement that makes a flag serve a variation.
sub serve
{
	my ($flag, $variation) = @_;
	return qq(UPDATE featbit.flag SET fallthrough = '{"variation": "$variation"}' WHERE environment = 'default' AND key = '$flag');
}

# Waits until a session waits for a lock.
sub blocked
{
	my ($session, $name) = @_;
	ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $session->{pid} AND wait_event_type = 'Lock'"), $name);
}

# A first load under an old snapshot: the cache must hold the newest configuration, then and afterwards.
for my $cold ([ 'f', 'REPEATABLE READ' ], [ 'large', 'SERIALIZABLE' ])
{
	my ($flag, $level) = @$cold;
	my $late = session($node);

	$late->query("BEGIN ISOLATION LEVEL $level");
	my $frozen = $late->query('SELECT count(*) FROM featbit.flag');
	$writer->query(serve($flag, 'b'));
	is($late->query(served($flag)), 'b', "$level: the first evaluation ignores the transaction's snapshot");
	is($late->query(qq(SELECT fallthrough ->> 'variation' FROM featbit.flag WHERE key = '$flag')), 'a', "$level: which is an old one");
	$writer->query(serve($flag, 'c'));
	is($late->query(served($flag)), 'c', "$level: a later change is seen, too");
	$late->query('COMMIT');
	is($late->query(served($flag)), 'c', "$level: nothing stale is left after COMMIT");
	$writer->query(serve($flag, 'a'));
	is($late->query(served($flag)), 'a', "$level: and the next change is seen");
	$late->quit;
}
{
	# one long statement that evaluates for the first time after another session's commit
	my $late = session($node);

	$writer->query('SELECT pg_advisory_lock(1)');
	$late->send(q(SELECT (SELECT '' FROM pg_advisory_lock(1), pg_advisory_unlock(1)) || featbit.flag_variation('u', 'f')));
	blocked($late, 'a statement waits before its first evaluation');
	$writer->query(serve('f', 'b'));
	$writer->query('SELECT pg_advisory_unlock(1)');
	is($late->wait, 'b', 'a statement older than the change loads the changed flag');
	is($late->query(served('f')), 'b', 'and leaves nothing stale');
	$writer->query(serve('f', 'a'));
	is($late->query(served('f')), 'a', 'and the next change is seen');
	$late->quit;
}

# A change that commits while another session is in the middle of compiling: it waits for the index of segments, after it has
# read the flag. Nothing after the build tells it again of the change.
is($reader->query(served('f')), 'a', 'a session that has compiled a flag');
$writer->query('BEGIN');
$writer->query('REINDEX INDEX featbit.segment_pkey');
$reader->send(served('uses-s'));
blocked($reader, 'it compiles another one and waits in the middle');
my $other = session($node);
$other->query('SET session_replication_role = replica');
$other->query(q(UPDATE featbit.flag SET fallthrough = '{"variation": "b"}' WHERE key = 'uses-s'));
$writer->query('ROLLBACK');
is($reader->wait, 'b', 'a flag that changed while it was compiled is compiled again');
is($reader->query(served('uses-s')), 'b', 'so that nothing stale is left');
$other->quit;

# The same by chance, with definitions that take long to fetch
{
	my $runs = 40;
	my $watcher = session($node);

	$watcher->send(q(DO $$ BEGIN WHILE featbit.flag_variation('u', 'f') <> 'c' LOOP PERFORM featbit.flag_variation('u', 'large'); END LOOP; END $$));
	$writer->query(serve('large', $_ % 2 ? 'b' : 'a')) for 1 .. $runs + 1;
	my $last = $reader->query(served('large'));
	$writer->query(serve('f', 'c'));
	$watcher->wait;
	is($watcher->{messages}, '', 'a session that evaluates a large flag while it changes');
	is($watcher->query(served('large')) . $last, 'bb', 'ends with the last version');
	$watcher->quit;
	$writer->query(serve('f', 'a'));
}

# Prepared transactions
$writer->query($_) for 'BEGIN', serve('f', 'b'), q(PREPARE TRANSACTION 'one');
is($reader->query(served('f')), 'a', 'a prepared transaction is not seen');
is($writer->query(served('f')), 'a', 'by the session that prepared it neither');
$writer->query(q(COMMIT PREPARED 'one'));
is($reader->query(served('f')) . $writer->query(served('f')), 'bb', 'COMMIT PREPARED is seen by both');
$writer->query($_) for 'BEGIN', serve('f', 'c'), q(PREPARE TRANSACTION 'two'), q(ROLLBACK PREPARED 'two');
is($reader->query(served('f')) . $writer->query(served('f')), 'bb', 'ROLLBACK PREPARED changes nothing');

# A write that ends in an error
$writer->error(serve('f', 'c') . ' AND 1 / (revision - revision) = 1');
$writer->query('BEGIN');
$writer->query(serve('f', 'c'));
is($writer->query(served('f')), 'c', 'a transaction sees its own change');
like($writer->error('SELECT 1 / 0'), qr/^22012: /, 'and fails');
$writer->query('ROLLBACK');
is($writer->query(served('f')) . $reader->query(served('f')), 'bb', 'the change is gone with it');

# DROP EXTENSION and CREATE EXTENSION, with sessions that know the old tables
$reader->query(q(PREPARE prepared AS SELECT featbit.flag_variation('u', 'f')));
is($reader->query('EXECUTE prepared'), 'b', 'a prepared statement');
$reader->query(q(CREATE FUNCTION public.ask(flag text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN featbit.flag_variation(''u'', flag); END'));
is($reader->query(q(SELECT public.ask('f'))), 'b', 'a function that evaluates');
$writer->query('BEGIN');
$writer->query('DROP EXTENSION featbit_pg');
like($writer->error(served('f')), qr/^(3F000|42883): /, 'the session that dropped the extension has no function');
$writer->query('ROLLBACK');
is($writer->query(served('f')), 'b', 'until it rolls back');
$writer->query('BEGIN');
$writer->query('DROP EXTENSION featbit_pg');
$writer->query('CREATE EXTENSION featbit_pg');
is($writer->query(resolved('f')), '|ERROR|PROVIDER_NOT_READY', 'a new extension inside the transaction has no configuration');
$writer->query(q(SELECT featbit.create_flag('f', '[{"key": "new", "value": 1}, {"key": "newer", "value": 2}]')));
is($writer->query(served('f')), 'new', 'but what is put there');
$writer->query('ROLLBACK');
is($writer->query(served('f')) . $reader->query(served('f')), 'bb', 'all of which a rollback undoes');
$writer->query('DROP EXTENSION featbit_pg');
like($reader->error(served('f')), qr/^(3F000|42883): /, 'other sessions have no function after the commit');
like($reader->error('EXECUTE prepared'), qr/^(3F000|42883): /, 'nor has a prepared statement');
$writer->query('CREATE EXTENSION featbit_pg');
is($reader->query(resolved('f')), '|ERROR|PROVIDER_NOT_READY', 'a new extension is seen by a session that knew the old one');
$writer->query(q(SELECT featbit.create_flag('f', '[{"key": "new", "value": 1}, {"key": "newer", "value": 2}]')));
is($reader->query(served('f')) . $writer->query(served('f')), 'newnew', 'and so is its flag');
is($reader->query('EXECUTE prepared'), 'new', 'by the prepared statement');
is($reader->query(q(SELECT public.ask('f'))), 'new', 'and by the function');
$writer->query(q(UPDATE featbit.flag SET fallthrough = '{"variation": "newer"}'));
is($reader->query(served('f')), 'newer', 'whose changes are seen');
$writer->query('DROP EXTENSION featbit_pg; CREATE EXTENSION featbit_pg');
$writer->query(q(SELECT featbit.create_flag('f', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]')));
is($reader->query(served('f')), 'a', 'twice over');

# Parallel workers start with nothing cached and must answer as the leader does.
my $forced = $node->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
$writer->query(q(SELECT featbit.create_segment('s', '{u3}'), featbit.set_rollout('f', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 2}]')));
$writer->query(q(SELECT featbit.add_rule('f', '{"id": "r", "when": {"segment": "s"}, "serve": {"variation": "c"}}')));
my @questions = (
	q(SELECT string_agg(featbit.flag_variation('u' || n, 'f'), '' ORDER BY n) FROM generate_series(1, 200) n),
	q(SELECT featbit.evaluate_flag('u3', 'f'), featbit.flag_text('u4', 'f', 'x'), featbit.flag_int('u4', 'f', 7), featbit.flag_json('u4', 'none', '[]')),
	q(SELECT * FROM featbit.resolve('f', '{"targetingKey": "u5"}')),
	q(SELECT * FROM featbit.evaluate_exposure('u6', 'f')),
	q(SELECT featbit.variation_value('f', 'b'), featbit.tracking_schema()));
my @alone = map { $reader->query($_) } @questions;
$reader->query("SET $forced = on");
like($reader->query("EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) $questions[2]"), qr/Workers Launched: 1/, 'a worker evaluates');
is($reader->query($questions[$_]), $alone[$_], "a worker answers as the leader does: question $_") for 0 .. $#questions;
$reader->query("SET featbit.environment = 'elsewhere'");
is($reader->query(resolved('f')), '|ERROR|PROVIDER_NOT_READY', 'a worker has the environment of its leader');
$reader->query('RESET featbit.environment');
$reader->query('BEGIN');
$reader->query('SAVEPOINT s');
$reader->query(q(UPDATE featbit.flag SET rules = '[]', fallthrough = '{"variation": "b"}'));
is($reader->query(resolved('f')), 'b|STATIC|', 'a worker sees the uncommitted change of its leader');
$reader->query('ROLLBACK TO s');
is($reader->query(resolved('f', 'u3')), 'c|TARGETING_MATCH|', 'and its undoing');
$reader->query('ROLLBACK');
$reader->query("RESET $forced");

# Many backends while a writer changes a flag, its segment and its prerequisite in one transaction: no answer mixes two of its
# states, and none goes back to an earlier one.
$writer->query(<<'SQL');
DELETE FROM featbit.flag;
SELECT featbit.create_flag('gate', '[{"key": "even", "value": 0}, {"key": "odd", "value": 1}]');
SELECT featbit.create_segment('generation', '{}', '{}', '{"attribute": "even", "op": "eq", "value": true}');
SELECT featbit.create_flag('state', '[{"key": "v", "value": 0}, {"key": "torn", "value": -1}]', off_variation => 'torn');
CREATE PROCEDURE public.step(n int) LANGUAGE plpgsql AS $$
DECLARE even boolean := n % 2 = 0;
BEGIN
	UPDATE featbit.flag SET prerequisites = '[]' WHERE key = 'state';
	UPDATE featbit.flag SET fallthrough = jsonb_build_object('variation', CASE WHEN even THEN 'even' ELSE 'odd' END) WHERE key = 'gate';
	UPDATE featbit.segment SET condition = jsonb_build_object('attribute', 'even', 'op', 'eq', 'value', even) WHERE key = 'generation';
	-- the segment holds users whose context says "even" as this state does; the rule takes those for whom it does not
	UPDATE featbit.flag SET variations = jsonb_build_array(jsonb_build_object('key', 'v', 'value', n), '{"key": "torn", "value": -1}'::jsonb),
		prerequisites = jsonb_build_array(jsonb_build_object('flag', 'gate', 'variations', jsonb_build_array(CASE WHEN even THEN 'even' ELSE 'odd' END))),
		rules = jsonb_build_array(jsonb_build_object('id', 'r', 'serve', '{"variation": "torn"}'::jsonb, 'when',
			jsonb_build_object('all', jsonb_build_array(jsonb_build_object('attribute', 'even', 'op', 'eq', 'value', even), '{"not": {"segment": "generation"}}'::jsonb))))
	WHERE key = 'state';
END $$;
CREATE PROCEDURE public.steps() LANGUAGE plpgsql AS $$
DECLARE n int := 0; stop timestamptz := clock_timestamp() + interval '4 s';
BEGIN
	WHILE clock_timestamp() < stop LOOP n := n + 1; CALL public.step(n); COMMIT; END LOOP;
	CALL public.step(1000000); COMMIT;
END $$;
CREATE FUNCTION public.observe(context jsonb, OUT seen int, OUT torn int, OUT back int, OUT latest int) LANGUAGE plpgsql AS $$
DECLARE value int; stop timestamptz := clock_timestamp() + interval '30 s';
BEGIN
	seen := 0; torn := 0; back := 0; latest := 0;
	WHILE latest < 1000000 AND clock_timestamp() < stop LOOP
		value := featbit.flag_int('u', 'state', -2, context);
		IF value < 0 THEN torn := torn + 1; ELSIF value < latest THEN back := back + 1; END IF;
		IF value > latest THEN seen := seen + 1; latest := value; END IF;
	END LOOP;
END $$;
CALL public.step(0);
SQL
my @observers = map { session($node) } 1 .. 8;
$observers[$_]->send(sprintf(q(SELECT * FROM public.observe('{"even": %s}')), $_ % 2 ? 'true' : 'false')) for 0 .. $#observers;
$writer->query('CALL public.steps()');
my @seen = map { [ split /\|/, $_->wait ] } @observers;
is_deeply([ map { [ @$_[ 1 .. 3 ] ] } @seen ], [ ([ 0, 0, 1000000 ]) x 8 ], 'no answer is of no state or of an earlier one, and the last is the last');
cmp_ok($_->[0], '>', 20, "a backend saw $_->[0] states") for @seen;
$_->quit for @observers;

# A loop on a quiet server, where nothing but the change itself makes one iteration different from the next. A commit becomes
# visible a moment before its message is sent; an iteration within that moment must not keep the old flag for good.
$writer->query(<<'SQL');
SELECT featbit.create_flag('ping', '[{"key": "v", "value": 0}]');
CREATE FUNCTION public.follow(last int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE value int := 0; shown int := 0;
BEGIN
	WHILE value < last LOOP
		value := featbit.flag_int('u', 'ping', -1);
		IF value <> shown THEN PERFORM set_config('application_name', 'saw ' || value, false); shown := value; END IF;
	END LOOP;
	RETURN value;
END $$;
CREATE PROCEDURE public.lead(last int, INOUT missed int DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE deadline timestamptz;
BEGIN
	FOR n IN 1 .. last LOOP
		UPDATE featbit.flag SET variations = jsonb_build_array(jsonb_build_object('key', 'v', 'value', n)) WHERE environment = 'default' AND key = 'ping';
		COMMIT;
		deadline := clock_timestamp() + interval '3 s';
		LOOP
			PERFORM pg_stat_clear_snapshot();
			EXIT WHEN (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'saw ' || n) = 2;
			IF clock_timestamp() > deadline THEN missed := missed + 1; EXIT; END IF;
		END LOOP;
		EXIT WHEN missed = 3;
	END LOOP;
END $$;
SQL
my @followers = map { session($node) } 1 .. 2;
$_->send('SELECT public.follow(400)') for @followers;
is($writer->query('CALL public.lead(400)'), 0, 'loops in two other backends see each of 400 changes');
# whatever is missed, the next transaction frees them
$writer->query(q(UPDATE featbit.flag SET variations = '[{"key": "v", "value": 400}]' WHERE key = 'ping'));
$writer->query('SELECT txid_current()');
is($_->wait, 400, 'and come to their end') for @followers;
$_->quit for @followers;

# Memory: a backend that evaluates through 20,000 changes
$writer->query(<<'SQL');
SELECT featbit.create_segment('pool', (SELECT array_agg('user ' || n) FROM generate_series(1, 50) n));
SELECT featbit.create_flag('m', '[{"key": "a", "value": {"x": [1, 2, 3]}}, {"key": "b", "value": {"x": "y"}}]');
SELECT featbit.add_rule('m', '{"id": "r", "when": {"any": [{"segment": "pool"}, {"attribute": "mail", "op": "matches", "value": "^[a-z]+@example\\.(org|com)$"}]}, "serve": {"variation": "b"}}');
SELECT featbit.add_rule('m', '{"id": "q", "when": {"flag": "gate", "variations": ["odd"]}, "serve": {"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}}');
CREATE PROCEDURE public.changes(n int, replica boolean) LANGUAGE plpgsql AS $$
DECLARE answers int := 0;
BEGIN
	FOR i IN 1 .. n LOOP
		IF replica THEN SET LOCAL session_replication_role = replica; END IF;
		UPDATE featbit.flag SET description = 'change ' || i WHERE environment = 'default' AND key = 'm';
		answers := answers + (featbit.flag_json('u' || i, 'm', NULL, '{"mail": "someone@example.org"}') = '{"x": "y"}')::int
			+ (featbit.flag_variation('u' || i, 'm') IS NOT NULL)::int + (featbit.flag_variation('u' || i, 'unknown ' || i) IS NULL)::int;
		IF i % 10 = 0 THEN
			BEGIN
				UPDATE featbit.segment SET description = 'undone ' || i WHERE key = 'pool';
				answers := answers + (featbit.flag_variation('user 7', 'm') = 'b')::int;
				RAISE EXCEPTION 'undo';
			EXCEPTION WHEN raise_exception THEN
				NULL;
			END;
		END IF;
		COMMIT;
	END LOOP;
	IF answers <> 3 * n + n / 10 THEN RAISE EXCEPTION '% answers of % are wrong', 3 * n + n / 10 - answers, 3 * n; END IF;
END $$;
SQL
my $total = q(SELECT sum(total_bytes) FROM pg_backend_memory_contexts);
my $worker = session($node);
$worker->query($_) for 'CALL public.changes(200, false)', 'CALL public.changes(1000, true)', $total;
my $before = $worker->query($total);
$worker->query($_) for 'CALL public.changes(1000, false)', 'CALL public.changes(19000, true)';
my $after = $worker->query($total);
cmp_ok($after - $before, '<', 400_000, "memory after 20,000 changes: $before bytes before, $after bytes after");
$worker->quit;

# A pooler that gives a server connection to another client after each transaction
SKIP:
{
	my ($bouncer) = grep { -x } '/usr/sbin/pgbouncer', map { "$_/pgbouncer" } split /:/, $ENV{PATH};
	skip 'pgbouncer is not installed', 9 unless $bouncer;

	my $dir = PostgreSQL::Test::Utils::tempdir_short();
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my ($host, $server_port, $user) = ($node->host, $node->port, scalar getpwuid($<));
	append_to_file("$dir/users", qq("$user" ""\n"app" ""\n));
	append_to_file("$dir/ini", <<"INI");
[databases]
postgres = host=$host port=$server_port dbname=postgres
[pgbouncer]
unix_socket_dir = $dir
listen_port = $port
auth_type = trust
auth_file = $dir/users
pool_mode = transaction
default_pool_size = 1
logfile = $dir/log
INI
	my $run = IPC::Run::start([ $bouncer, '-q', "$dir/ini" ], '<', \undef, '>', "$dir/out", '2>', "$dir/err");
	$writer->query(q(CREATE ROLE app LOGIN; SELECT featbit.grant_access('app', 'evaluate'); ALTER ROLE app SET featbit.environment = 'pooled'));
	$writer->query(q(SELECT featbit.create_flag('p', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]', environment => e) FROM unnest('{default,pooled,other}'::text[]) e));
	$writer->query(q(UPDATE featbit.flag SET fallthrough = '{"variation": "b"}' WHERE environment = 'other' AND key = 'p'));
	my $client = "host=$dir port=$port dbname=postgres user=app";
	my $up = 0;
	for (1 .. 100)
	{
		last if $up = -S "$dir/.s.PGSQL.$port";
		select(undef, undef, undef, 0.1);
	}
	ok($up, 'the pooler listens') or skip('the pooler does not start: ' . slurp_file("$dir/err"), 8);
	my ($one, $two) = map { Featbit::Session->new('pgbouncer', $node->installed_command('psql'), '-XAtq', '-d', $client) } 1 .. 2;
	is($one->{pid}, $two->{pid}, 'two clients share a server connection');
	is($one->query(served('p')), 'a', 'the environment is the one of the role');
	$one->query(q(PREPARE ask AS SELECT featbit.flag_variation($1, 'p')));
	is($one->query(q(EXECUTE ask('u'))) . $two->query(q(EXECUTE ask('v'))), 'aa', 'a prepared statement of the shared connection');
	$writer->query(q(UPDATE featbit.flag SET fallthrough = '{"variation": "b"}' WHERE environment = 'pooled' AND key = 'p'));
	is($one->query(q(EXECUTE ask('u'))) . $two->query(q(EXECUTE ask('v'))), 'bb', 'sees a change');
	is($two->query(served('p')), 'b', 'as do plain statements');
	$one->query('BEGIN');
	$one->query(q(SET LOCAL featbit.environment = 'default'));
	is($one->query(q(EXECUTE ask('u'))), 'a', 'an environment set for a transaction is used in it');
	$one->query('COMMIT');
	is($two->query(q(EXECUTE ask('u'))), 'b', 'and does not reach the next client');
	is($two->query(q(SELECT featbit.flag_variation('u', 'p', '{}', 'other'))), 'b', 'nor does an environment that is an argument');
	$_->quit for $one, $two;
	$run->kill_kill;
}

$_->quit for $reader, $writer;
healthy($node);
done_testing();
