# harness.pl - run programs that print TAP, show what failed, and add up their assertions.
# Usage: perl harness.pl TOTALS [-o] [-I DIRECTORY] [-x "COMMAND ARGUMENT ..."] PROGRAM ...
# Appends "passed failed" to the file TOTALS; with -o a program counts as one, not each of its assertions. With -x each
# program is run by that command, else .pl files by this Perl and others by themselves. A program that stops early or
# exits non-zero counts as one more failure.
use strict;
use warnings;
use TAP::Harness;

my $totals = shift;
my (@lib, @command, $whole);
while (@ARGV && $ARGV[0] =~ /^-([oIx])$/)
{
	shift;
	if ($1 eq 'o') { $whole = 1; }
	elsif ($1 eq 'I') { push @lib, shift; }
	else { @command = split ' ', shift; }
}
my @programs = @ARGV;

my $harness = TAP::Harness->new(
	{
		verbosity => 0,
		failures => 1,
		comments => 1,
		color => 0,
		errors => 1,
		merge => 1,
		lib => \@lib,
		exec => sub {
			my ($self, $program) = @_;
			return [ @command, $program ] if @command;
			return [ $^X, (map { "-I$_" } @lib), $program ] if $program =~ /\.pl$/;
			return [$program];
		},
	});
my $result = $harness->runtests(@programs);

my ($passed, $failed) = (0, 0);
for my $parser ($result->parsers)
{
	my $bad = $parser->failed;
	if ($whole)
	{
		if ($bad || $parser->has_problems || !$parser->tests_run) { $failed++; }
		else { $passed++; }
		next;
	}
	$passed += $parser->passed;
	$failed += $bad;
	$failed++ if !$bad && ($parser->has_problems || !$parser->tests_run);
}
open(my $fh, '>>', $totals) or die "$totals: $!\n";
print $fh "$passed $failed\n";
close($fh);
exit($failed ? 1 : 0);
