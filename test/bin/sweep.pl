# sweep.pl - end every process of one run of make check, demo or bench.
# Usage: perl sweep.pl DIRECTORY [PID-TO-SPARE ...]
# A process belongs to the run if its environment names the directory as FEATBIT_RUN or its working directory lies in
# it, as a PostgreSQL server's does. Servers get SIGQUIT (an immediate shutdown), others SIGTERM, and after a while SIGKILL.
use strict;
use warnings;

my ($work, @spare) = @ARGV;
my %spare = map { $_ => 1 } @spare, $$, getppid();

sub of_this_run
{
	my @found;
	for my $proc (glob '/proc/[0-9]*')
	{
		my ($pid) = $proc =~ /(\d+)$/;
		next if $spare{$pid};
		my $cwd = readlink("$proc/cwd") // '';
		my $mine = index("$cwd/", "$work/") == 0;
		if (!$mine && open(my $fh, '<', "$proc/environ"))
		{
			local $/;
			$mine = index("\0" . (<$fh> // ''), "\0FEATBIT_RUN=$work\0") >= 0;
		}
		next unless $mine;
		# What has ended and only waits for its parent to notice cannot be ended again.
		open(my $stat, '<', "$proc/stat") or next;
		my ($state) = (<$stat> // '') =~ /\) (\S)/;
		push @found, $pid if ($state // 'Z') ne 'Z';
	}
	return @found;
}

sub is_server
{
	open(my $fh, '<', "/proc/$_[0]/comm") or return 0;
	return (<$fh> // '') =~ /^postgres/;
}

for my $round (1 .. 100)
{
	my @pids = of_this_run() or last;
	for my $pid (@pids)
	{
		if ($round > 50) { kill 'KILL', $pid; }
		elsif ($round % 10 == 1) { kill is_server($pid) ? 'QUIT' : 'TERM', $pid; }
	}
	select(undef, undef, undef, 0.1);
}
