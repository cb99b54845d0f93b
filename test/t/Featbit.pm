# Featbit.pm - what the TAP tests share: servers with the extension, and sessions that stay open.
package Featbit;

use strict;
use warnings;
use Exporter 'import';
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Cluster;
use Test::More;

our @EXPORT = qw(new_node session healthy served resolved mutate mutation_text);

my $json = JSON::PP->new->canonical->allow_nonref;

# Makes and starts a server whose log shows SQLSTATEs. Options: conf (lines of configuration), streaming (for
# init), extra (for initdb), start => 0.
sub new_node
{
	my ($name, %option) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(
		allows_streaming => $option{streaming} // 0,
		extra => $option{extra} // [ '-E', 'UTF8', '--locale=C' ]);
	$node->append_conf('postgresql.conf', join "\n",
		"log_line_prefix = '%m [%p] %e %q%a '",
		'log_statement = none',
		'log_replication_commands = off',
		'jit = off',
		'autovacuum = off',
		@{ $option{conf} // [] }, '');
	$node->start if $option{start} // 1;
	return $node;
}

# Tests that no process of the server crashed and no statement met an internal error.
sub healthy
{
	my ($node, $name) = @_;
	my @bad;

	open(my $log, '<', $node->logfile) or die $node->logfile . ": $!";
	while (my $line = <$log>)
	{
		push @bad, $line if $line =~ /PANIC|TRAP:|was terminated by|terminating connection because of crash|\] XX\d\d\d /;
	}
	close($log);
	is(join('', @bad), '', $name // 'no crash and no internal error in the log of ' . $node->name);
}

# Opens a session that stays open.
sub session
{
	my ($node, $database, @arguments) = @_;
	return Featbit::Session->new($node->name, $node->installed_command('psql'), '-XAtq', '-d', $node->connstr($database // 'postgres'), @arguments);
}

# SQL that tells which variation of a flag a user is served.
sub served
{
	my ($flag, $user, $context) = @_;
	return sprintf("SELECT featbit.flag_variation('%s', '%s', '%s')", $user // 'u', $flag, $context // '{}');
}

# SQL that tells variation, reason and error code, as in "b|SPLIT|".
sub resolved
{
	my ($flag, $user) = @_;
	return sprintf(q(SELECT variant, reason, error_code FROM featbit.resolve('%s', '{"targetingKey": "%s"}')), $flag, $user // 'u');
}

# A random value, seldom large; words are strings it may consist of.
sub random_value
{
	my ($depth, $words) = @_;
	my $kind = int rand($depth > 2 ? 9 : 12);

	return undef if $kind == 0;
	return rand(2) < 1 ? JSON::PP::true : JSON::PP::false if $kind == 1;
	return (0, 1, -1, 7, 3, 1000000, -0.5, 1.25, 'NUMBER:1e300', 'NUMBER:1e-400', 'NUMBER:1e4000', 'NUMBER:99999999999999999999', 'NUMBER:2147483648')[ rand 13 ] if $kind < 4;
	return $words->[ rand @$words ] if $kind < 7;
	return ('', ' ', "\x{e9}\x{1f600}", "\n\t\x{1}", "\x{1c}", 'x' x 200, '$', 'a.b', '.', '..', 'a..b')[ rand 11 ] if $kind < 9;
	return [ map { random_value($depth + 1, $words) } 1 .. rand 4 ] if $kind < 11;
	return { map { $words->[ rand @$words ] => random_value($depth + 1, $words) } 1 .. rand 4 };
}

# Changes one place of a value at random; NUMBER:... stands for a number that Perl cannot hold, until mutation_text.
sub mutate
{
	my ($value, $words) = @_;

	return random_value(0, $words) if !ref $value || JSON::PP::is_bool($value) || rand(12) < 1;
	if (ref $value eq 'ARRAY')
	{
		my $i = int rand(@$value + 1);
		my $kind = rand 5;
		if ($i == @$value) { push @$value, @$value && $kind < 2 ? $json->decode($json->encode($value->[ rand @$value ])) : random_value(1, $words); }
		elsif ($kind < 1) { splice @$value, $i, 1; }
		elsif ($kind < 1.5) { @$value = reverse @$value; }
		else { $value->[$i] = mutate($value->[$i], $words); }
		return $value;
	}
	my @names = sort keys %$value;
	my $name = @names ? $names[ rand @names ] : 'x';
	my $kind = rand 6;
	if ($kind < 1) { delete $value->{$name}; }
	elsif ($kind < 2) { $value->{ $words->[ rand @$words ] } = delete $value->{$name}; }
	elsif ($kind < 3) { $value->{ $words->[ rand @$words ] } = random_value(1, $words); }
	else { $value->{$name} = mutate($value->{$name}, $words); }
	return $value;
}


# A value as a line for COPY: JSON, with its backslashes doubled.
sub mutation_text
{
	my ($value) = @_;

	(my $text = $json->encode($value)) =~ s/"NUMBER:([^"]*)"/$1/g;
	$text =~ s/\\/\\\\/g;
	return $text;
}

package Featbit::Session;

# Starts psql, whose backend is {pid}.
sub new
{
	my ($class, $name, @command) = @_;
	my $self = bless { name => $name, in => '', out => '', err => '', count => 0 }, $class;

	$self->{timer} = IPC::Run::timer(180);
	$self->{run} = IPC::Run::start(\@command, '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, $self->{timer});
	$self->query('\set VERBOSITY verbose');
	$self->{pid} = $self->query('SELECT pg_backend_pid()');
	return $self;
}

# Sends a statement and does not wait for its result.
sub send
{
	my ($self, $sql) = @_;
	my $mark = 'done ' . ++$self->{count};

	$sql .= ';' unless $sql =~ /^\\|;\s*$/;
	$self->{out} = $self->{err} = '';
	$self->{in} .= "$sql\n\\echo $mark\n\\warn $mark\n";
	$self->{timer}->start(180);
	$self->{run}->pump_nb;
}

# Waits for the end of what was sent; returns its output, its messages are in {messages}.
sub wait
{
	my ($self) = @_;
	my $mark = "done $self->{count}\n";

	while ($self->{out} !~ /\Q$mark\E\z/ || $self->{err} !~ /\Q$mark\E\z/)
	{
		die "psql of $self->{name} ended: $self->{err}" unless $self->{run}->pumpable;
		$self->{run}->pump;
	}
	($self->{messages} = $self->{err}) =~ s/\Q$mark\E\z//;
	(my $out = $self->{out}) =~ s/\n?\Q$mark\E\z//;
	return $out;
}

# Tells whether what was sent has come to its end.
sub finished
{
	my ($self) = @_;

	$self->{run}->pump_nb;
	return $self->{err} =~ /done $self->{count}\n\z/ ? 1 : 0;
}

# Runs a statement that must succeed and returns its output.
sub query
{
	my ($self, $sql) = @_;

	$self->send($sql);
	my $out = $self->wait;
	die "$sql\n$self->{messages}" if $self->{messages} =~ /^(?:psql:.*?)?(?:ERROR|FATAL):/m;
	return $out;
}

# Runs a statement and returns its error as "SQLSTATE: message", or '' if it has none.
sub error
{
	my ($self, $sql) = @_;

	$self->send($sql);
	$self->wait;
	return $self->{messages} =~ /(?:ERROR|FATAL):\s+(.*)/ ? $1 : '';
}

# Ends the session.
sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	$self->{run}->finish;
}

1;
