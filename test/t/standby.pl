# Flags on a streaming hot standby: a session that is already open there sees each change at its next statement after replay.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use PostgreSQL::Test::Cluster;
use Test::More;

my $primary = new_node('primary', streaming => 1, conf => [ 'max_prepared_transactions = 5' ]);
$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION featbit_pg;
SELECT featbit.create_flag('f', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]', off_variation => 'c');
SELECT featbit.create_tracking('facts');
SQL

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
$standby->start;

my $reader = session($standby);
my $writer = session($primary);

# Runs statements on the primary and waits until the standby has replayed them.
sub change
{
	$writer->query($_) for @_;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
}

# A statement that makes the flag serve a variation.
sub serve
{
	return qq(UPDATE featbit.flag SET fallthrough = '{"variation": "$_[0]"}' WHERE key = 'f');
}

$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
is($reader->query('SELECT pg_is_in_recovery()'), 't', 'the reader is on a standby');
is($reader->query(served('f')), 'a', 'a flag is evaluated on the standby');
is($reader->query(resolved('f')), 'a|STATIC|', 'resolve works on the standby');
is($reader->query("SELECT featbit.evaluate_flag(7, 'f'), featbit.flag_text('u', 'f', 'x')"), 'A|A', 'values are served on the standby');

change(serve('b'));
is($reader->query(served('f')), 'b', 'a committed change is seen');

$reader->query(q(PREPARE prepared AS SELECT featbit.flag_variation('u', 'f')));
$reader->query('SET plan_cache_mode = force_generic_plan');
is($reader->query('EXECUTE prepared'), 'b', 'a prepared statement evaluates');
change('BEGIN', serve('c'), 'ROLLBACK');
is($reader->query(served('f')), 'b', 'a change that was rolled back is not seen');
change('BEGIN', serve('a'), 'SAVEPOINT s', serve('c'), 'ROLLBACK TO s', 'COMMIT');
is($reader->query(served('f')), 'a', 'of a transaction with a savepoint, what was committed is seen');
is($reader->query('EXECUTE prepared'), 'a', 'a prepared statement sees the change');

for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	$reader->query("BEGIN ISOLATION LEVEL $level");
	is($reader->query(served('f')), 'a', "in an open transaction ($level): before");
	my $frozen = $reader->query(q(SELECT fallthrough ->> 'variation' FROM featbit.flag WHERE key = 'f'));
	is($frozen, 'a', "in an open transaction ($level): the table before");
	change(serve('b'));
	is($reader->query(served('f')), 'b', "in an open transaction ($level): a change is seen at the next statement");
	is($reader->query(q(SELECT fallthrough ->> 'variation' FROM featbit.flag WHERE key = 'f')),
		$level eq 'REPEATABLE READ' ? 'a' : 'b', "in an open transaction ($level): the table follows its isolation level");
	$reader->query('COMMIT');
	is($reader->query(served('f')), 'b', "after the transaction ($level): nothing stale is left");
	change(serve('a'));
}
is($reader->query(served('f')), 'a', 'and the next change is seen');

change('BEGIN', serve('b'), q(PREPARE TRANSACTION 'one'));
is($reader->query(served('f')), 'a', 'a prepared transaction is not seen');
change(q(COMMIT PREPARED 'one'));
is($reader->query(served('f')), 'b', 'COMMIT PREPARED is seen');
change('BEGIN', serve('c'), q(PREPARE TRANSACTION 'two'));
change(q(ROLLBACK PREPARED 'two'));
is($reader->query(served('f')), 'b', 'ROLLBACK PREPARED leaves the flag as it was');

# TRUNCATE, undone and committed
change('CREATE TABLE public.kept AS SELECT * FROM featbit.flag', 'SET session_replication_role = replica', 'BEGIN', 'TRUNCATE featbit.flag', 'ROLLBACK');
is($reader->query(served('f')), 'b', 'TRUNCATE that is rolled back leaves the flag as it was');
change('TRUNCATE featbit.flag');
is($reader->query(resolved('f')), '|ERROR|FLAG_NOT_FOUND', 'TRUNCATE is seen');
change('INSERT INTO featbit.flag SELECT * FROM public.kept', 'RESET session_replication_role', 'DROP TABLE public.kept');
is($reader->query(served('f')), 'b', 'and so is what is loaded afterwards');

change(q(SELECT featbit.create_segment('s', '{u}')),
	q(SELECT featbit.add_rule('f', '{"id": "r", "when": {"segment": "s"}, "serve": {"variation": "c"}}')));
is($reader->query(resolved('f')), 'c|TARGETING_MATCH|', 'a new rule on a segment is seen');
change(q(UPDATE featbit.segment SET included = '{}'));
is($reader->query(resolved('f')), 'b|DEFAULT|', 'a change of the segment reaches the flag');
change(q(SELECT featbit.disable_flag('f')));
is($reader->query(resolved('f')), 'c|DISABLED|', 'a disabled flag is seen');
change(q(SELECT featbit.enable_flag('f')));

like($reader->error(q(SELECT featbit.expose('u', 'f'))), qr/^25006: /, 'expose is refused on a standby');
like($reader->{messages}, qr/HINT:.*queue/i, 'with a hint that tells what to do');
like($reader->error(q(SELECT featbit.track('u', 'bought'))), qr/^25006: /, 'track is refused on a standby');
like($reader->error(q(SELECT featbit.expose_batch('{u}', 'f'))), qr/^25006: /, 'expose_batch is refused on a standby');
like($reader->error(q(SELECT featbit.disable_flag('f'))), qr/^25006: /, 'a change of a flag is refused on a standby');
is($reader->query(served('f')), 'b', 'the session evaluates on after the refusals');

change(q(DELETE FROM featbit.flag));
is($reader->query(resolved('f')), '|ERROR|FLAG_NOT_FOUND', 'a deleted flag is not found');
change(q(DELETE FROM featbit.segment), q(DELETE FROM featbit.environment));
is($reader->query(resolved('f')), '|ERROR|PROVIDER_NOT_READY', 'without its environment nothing is ready');
change(q(SELECT featbit.create_flag('f', '[{"key": "x", "value": 1}]')));
is($reader->query(resolved('f')), 'x|STATIC|', 'a flag that is made anew is seen');

change('DROP EXTENSION featbit_pg CASCADE');
like($reader->error(served('f')), qr/^(3F000|42883): /, 'without the extension there is no function');
change('CREATE EXTENSION featbit_pg');
is($reader->query(resolved('f')), '|ERROR|PROVIDER_NOT_READY', 'a new extension has no configuration yet');
change(q(SELECT featbit.create_flag('f', '[{"key": "y", "value": 1}, {"key": "z", "value": 2}]')));
is($reader->query(resolved('f')), 'y|STATIC|', 'the flag of the new extension is seen');
is($reader->query('EXECUTE prepared'), 'y', 'by a prepared statement, too');
change(q(UPDATE featbit.flag SET fallthrough = '{"variation": "z"}'));
is($reader->query(resolved('f')), 'z|STATIC|', 'and its changes');

# The whole extension and its configuration in one transaction, with a session that is inside a transaction of its own
$reader->query('BEGIN');
is($reader->query(served('f')), 'z', 'before the extension is replaced');
change('BEGIN', 'DROP EXTENSION featbit_pg', 'CREATE EXTENSION featbit_pg', q(SELECT featbit.create_flag('f', '[{"key": "new", "value": 1}]')), 'COMMIT');
is($reader->query(served('f')), 'new', 'a replaced extension is seen inside an open transaction');
$reader->query('COMMIT');

change(q(SELECT featbit.create_tracking('facts')));
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'the standby was not promoted';
is($reader->query(served('f')), 'new', 'after promotion the session evaluates on');
is($reader->query(q(SELECT featbit.expose('u', 'f'), count(*) FROM facts.exposure)), '1|0', 'and may record exposures');
is($reader->query(q(SELECT user_key, variation FROM facts.exposure)), 'u|new', 'which are recorded');
is($reader->query(q(SELECT featbit.set_variation('f', 'new', '2') = revision FROM featbit.flag)), 'f', 'and may change the flag');
is($reader->query(q(SELECT featbit.evaluate_flag('u', 'f'))), '2', 'whose change it sees');

$_->quit for $reader, $writer;
healthy($primary);
healthy($standby);
done_testing();
