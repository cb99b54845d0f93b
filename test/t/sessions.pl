# What sessions see of each other's changes, where an isolation spec cannot say it: cold loads under old snapshots, a build that
# a change overtakes, prepared transactions, DROP EXTENSION, parallel workers, a pooler, memory, and many backends at once.
#
# The load of many backends is 8 of them for 4 seconds. FEATBIT_LOAD_BACKENDS and FEATBIT_LOAD_SECONDS set other numbers, as in
#   make check TESTS_ONLY=tap TAP=test/t/sessions.pl FEATBIT_LOAD_BACKENDS=64 FEATBIT_LOAD_SECONDS=60
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $backends = $ENV{FEATBIT_LOAD_BACKENDS} || 8;
my $seconds = $ENV{FEATBIT_LOAD_SECONDS} || 4;
my $node = new_node('sessions', conf => [ 'max_prepared_transactions = 5', 'max_connections = ' . ($backends + 32) ]);
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

# TRUNCATE, which only a session that plays a replica may do: undone, twice in one transaction, and committed
$writer->query('CREATE TABLE public.kept AS SELECT * FROM featbit.flag');
$writer->query($_) for 'SET session_replication_role = replica', 'BEGIN', 'TRUNCATE featbit.flag';
is($writer->query(resolved('f')), '|ERROR|FLAG_NOT_FOUND', 'a session sees that it truncated the flags');
$writer->query('INSERT INTO featbit.flag SELECT * FROM public.kept');
is($writer->query(served('f')), 'b', 'and what it put there');
$writer->query($_) for 'SAVEPOINT s', 'TRUNCATE featbit.flag';
is($writer->query(resolved('f')), '|ERROR|FLAG_NOT_FOUND', 'and that it truncated them again');
$writer->query('ROLLBACK TO s');
is($writer->query(served('f')), 'b', 'and that it undid this');
$writer->query('ROLLBACK');
is($writer->query(served('f')) . $reader->query(served('f')), 'bb', 'TRUNCATE that is rolled back changes nothing');
$writer->query($_) for 'BEGIN', ('TRUNCATE featbit.flag') x 2, 'COMMIT';
is($reader->query(resolved('f')), '|ERROR|FLAG_NOT_FOUND', 'TRUNCATE is seen by a session that had the flag');
$writer->query($_) for 'INSERT INTO featbit.flag SELECT * FROM public.kept', 'DROP TABLE public.kept';
is($reader->query(served('f')), 'b', 'and so is what is loaded afterwards');
$writer->query('RESET session_replication_role');

# DISABLE TRIGGER USER takes the invalidation, too: what is then written is seen when the triggers are back, which is DDL.
$writer->query($_) for 'BEGIN', 'ALTER TABLE featbit.flag DISABLE TRIGGER USER', serve('f', 'c'), 'ALTER TABLE featbit.flag ENABLE TRIGGER USER', 'ROLLBACK';
is($reader->query(served('f')), 'b', 'a write without triggers, rolled back');
my @always = split /\n/, $writer->query(q(SELECT tgname FROM pg_trigger WHERE tgrelid = 'featbit.flag'::regclass AND tgenabled = 'A'));
cmp_ok(scalar @always, '>', 0, 'the table has triggers that fire always');
$writer->query($_) for 'ALTER TABLE featbit.flag DISABLE TRIGGER USER';
is($reader->query(served('f')), 'b', 'a session that evaluates before the write');
$writer->query($_) for serve('f', 'a'), 'ALTER TABLE featbit.flag ENABLE TRIGGER USER', map { qq(ALTER TABLE featbit.flag ENABLE ALWAYS TRIGGER "$_") } @always;
is($reader->query(served('f')), 'a', 'a write without triggers is seen when they are enabled again');
$writer->query(serve('f', 'b'));
is($reader->query(served('f')), 'b', 'and so is the next change');

# Maintenance gives the tables new files and statistics, and leaves every answer as it was.
for my $maintenance ('VACUUM', 'ANALYZE', 'VACUUM FULL', 'REINDEX TABLE')
{
	$writer->query("$maintenance featbit.$_") for 'flag', 'segment', 'environment';
	is($reader->query(served('f')) . $reader->query(served('uses-s', 'member')), 'bb', "the answers after $maintenance");
	$writer->query(serve('f', 'c'));
	is($reader->query(served('f')), 'c', "and a change after $maintenance");
	$writer->query(serve('f', 'b'));
}

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
# states, none goes back to an earlier one, each is of a state that was committed, and no backend grows. Every fourth change is
# preceded by one that is undone by a savepoint, every fourth by one whose transaction is rolled back. Half of the backends evaluate
# in one long statement, the others commit every 50 evaluations. All but one rest now and then, or a machine with few cores leaves
# the writer no time.
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
CREATE TABLE public.committed (state int PRIMARY KEY);
CREATE PROCEDURE public.steps(length interval, INOUT changes int DEFAULT 0, INOUT undone int DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE stop timestamptz := clock_timestamp() + length;
BEGIN
	WHILE clock_timestamp() < stop LOOP
		changes := changes + 1;
		IF changes % 4 = 1 THEN
			BEGIN
				CALL public.step(2000000 + changes);
				RAISE EXCEPTION 'undo';
			EXCEPTION WHEN raise_exception THEN
				undone := undone + 1;
			END;
		ELSIF changes % 4 = 3 THEN
			CALL public.step(2000000 + changes);
			ROLLBACK;
			undone := undone + 1;
		END IF;
		CALL public.step(changes);
		INSERT INTO public.committed VALUES (changes);
		COMMIT;
	END LOOP;
	changes := changes + 1;
	CALL public.step(1000000);
	INSERT INTO public.committed VALUES (1000000);
	COMMIT;
END $$;
-- answers: evaluations, each of which is checked; grown: bytes from the hundredth evaluation to the last
CREATE PROCEDURE public.observe(context jsonb, last int, length interval, committing boolean, resting boolean, INOUT answers bigint DEFAULT 0, INOUT seen int DEFAULT 0,
	INOUT torn int DEFAULT 0, INOUT back int DEFAULT 0, INOUT foreigners int DEFAULT 0, INOUT latest int DEFAULT 0, INOUT grown bigint DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE value int; states int[] := '{}'; stop timestamptz := clock_timestamp() + length;
BEGIN
	latest := -1;
	WHILE latest < last AND clock_timestamp() < stop LOOP
		value := featbit.flag_int('u', 'state', -2, context);
		answers := answers + 1;
		IF value < 0 THEN torn := torn + 1; ELSIF value < latest THEN back := back + 1; END IF;
		IF value > latest THEN seen := seen + 1; states := states || value; latest := value; END IF;
		IF answers = 100 THEN SELECT sum(total_bytes) INTO grown FROM pg_backend_memory_contexts; END IF;
		IF committing AND answers % 50 = 0 THEN COMMIT; END IF;
		IF resting AND (committing AND answers % 50 = 0 OR answers % 1000 = 0) THEN PERFORM pg_sleep(0.02); END IF;
	END LOOP;
	grown := (SELECT sum(total_bytes) FROM pg_backend_memory_contexts) - grown;
	foreigners := (SELECT count(*) FROM unnest(states) s WHERE s NOT IN (SELECT state FROM public.committed));
END $$;
CALL public.step(0);
INSERT INTO public.committed VALUES (0);
SQL

# Bytes of a process that are its own, not the server's shared memory; of a machine without /proc, nothing.
sub own_memory
{
	my ($session) = @_;
	open(my $status, '<', "/proc/$session->{pid}/status") or return;
	return (map { /^RssAnon:\s+(\d+) kB/ ? $1 * 1024 : () } <$status>)[0];
}
my $contexts = q(SELECT sum(total_bytes) FROM pg_backend_memory_contexts);
my @observers = map { session($node) } 1 .. $backends;
my $observe = sub { sprintf q(CALL public.observe('{"even": %s}', %d, '%d s', %s, %s)), (map { $_ ? 'true' : 'false' } $_[0] % 2), $_[1], $_[2], (map { $_ ? 'true' : 'false' } $_[0] % 4 < 2, $_[0] != 2) };
# two rounds, after which a backend has everything that it needs
for (1 .. 2)
{
	$observers[$_]->query($observe->($_, 0, 10)) for 0 .. $#observers;
	$writer->query('CALL public.step(0)');
}
$_->query($contexts) for @observers;
my @at_first = map { [ $_->query($contexts), own_memory($_) ] } @observers;
$observers[$_]->send($observe->($_, 1000000, $seconds + 120)) for 0 .. $#observers;
my ($changes, $undone) = split /\|/, $writer->query("CALL public.steps('$seconds s')");
my @seen = map { [ split /\|/, $_->wait ] } @observers;
my @at_last = map { [ $_->query($contexts), own_memory($_) ] } @observers;
my $failures = join '', map { $_->{messages} } @observers;
my $answers = 0;
$answers += $_->[0] for @seen;
is($failures, '', 'no evaluation met an error');
is_deeply([ map { [ @$_[ 2 .. 5 ] ] } @seen ], [ ([ 0, 0, 0, 1000000 ]) x $backends ], 'every answer is of one committed state, none of an earlier one, and the last is the last');
cmp_ok($changes, '>', $seconds, 'the writer changed the configuration often');
cmp_ok((sort { $a <=> $b } map { $_->[1] } @seen)[0], '>', $changes / 10, 'and every backend saw many of the states');
is($writer->query('SELECT count(*) FROM public.committed'), $changes + 1, 'every change was committed');
my @largest = map { my $i = $_; (sort { $b <=> $a } map { $at_last[$_][$i] - $at_first[$_][$i] } 0 .. $#observers)[0] } 0 .. (defined $at_first[0][1] ? 1 : 0);
cmp_ok($largest[0], '<', 400_000, 'no backend has larger memory contexts than before');
cmp_ok((sort { $b <=> $a } map { $_->[6] } @seen)[0], '<', 400_000, 'nor have they grown within the statement');
SKIP:
{
	skip 'no /proc', 1 unless defined $largest[1];
	cmp_ok($largest[1], '<', 3_000_000, 'no process is larger than before');
}
my $span = sub { my @sorted = sort { $a <=> $b } @_; "$sorted[0] to $sorted[-1]" };
note("$backends backends, $seconds s: $answers answers, all checked; $changes changes committed, $undone undone; states seen by one: ", $span->(map { $_->[1] } @seen));
note('bytes of memory contexts: before ', $span->(map { $_->[0] } @at_first), ', after ', $span->(map { $_->[0] } @at_last), ', largest growth ', $largest[0], ', within the statement ', $span->(map { $_->[6] } @seen));
note('bytes of private memory: before ', $span->(map { $_->[1] } @at_first), ', after ', $span->(map { $_->[1] } @at_last), ', largest growth ', $largest[1]) if defined $largest[1];
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
