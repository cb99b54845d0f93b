# documentation.pl - execute the SQL of a document and compare what it shows; prints TAP, one test for each SQL block.
# Usage: perl documentation.pl DOCUMENT ...  (psql and a running server come from the environment)
#
# Each document runs in a database of its own, its ```sql blocks in their order in one session. The extension is there
# unless the document itself creates it.
# - A fence without a language, or ```text, that is the next fence after an SQL block, with no heading between, is that
#   block's output as psql prints it (without command tags). Blank lines and spaces at line ends do not count. "..."
#   or an ellipsis stands for any text within a line, alone on its line for any number of lines.
# - An SQL block without such a fence must run without an error.
# - ```sql no-run is not executed.
use strict;
use warnings;

my $number = 0;
my $failures = 0;

# Reads a document into blocks: { line, sql, output (or undef) }.
sub blocks_of
{
	my ($file) = @_;
	open(my $fh, '<', $file) or die "$file: $!\n";
	my (@blocks, $open, $fence);
	while (my $line = <$fh>)
	{
		chomp $line;
		if (!defined $fence)
		{
			if ($line =~ /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/)
			{
				my ($indent, $info) = ($1, lc $3);
				$fence = { mark => $2, indent => length $indent, info => $info, text => [], line => $. };
			}
			elsif ($line =~ /^#{1,6}\s/)
			{
				undef $open;
			}
			next;
		}
		if ($line =~ /^\s*\Q$fence->{mark}\E\s*$/)
		{
			my ($info, @text) = ($fence->{info}, @{ $fence->{text} });
			if ($info eq 'sql')
			{
				$open = { line => $fence->{line}, sql => join("\n", @text) };
				push @blocks, $open;
			}
			else
			{
				$open->{output} = \@text if $open && $info =~ /^(text|output|)$/;
				undef $open;
			}
			undef $fence;
			next;
		}
		$line =~ s/^ {0,$fence->{indent}}// if $fence->{indent};
		push @{ $fence->{text} }, $line;
	}
	die "$file: the block that begins in line $fence->{line} does not end\n" if defined $fence;
	return @blocks;
}

# Lines that count: without trailing spaces and without blank lines.
sub lines_that_count
{
	return grep { length } map { s/\s+$//r } @_;
}

# Tells whether the lines shown match the lines expected.
sub matches
{
	my ($expected, $shown) = @_;
	my $pattern = '';
	for my $line (@$expected)
	{
		if ($line =~ /^\s*(\.\.\.|\xe2\x80\xa6)$/) { $pattern .= '(?:[^\n]*\n)*?'; next; }
		$pattern .= join('[^\n]*', map { quotemeta } split(/\.\.\.|\xe2\x80\xa6/, $line, -1)) . '\n';
	}
	return join('', map { "$_\n" } @$shown) =~ /\A$pattern\z/;
}

# Prints what differs as TAP diagnostics, by diff where it is at hand.
sub explain
{
	my ($expected, $shown) = @_;
	my $dir = $ENV{TMPDIR} || '/tmp';
	my @files = map { "$dir/documentation.$$.$_" } 'expected', 'shown';
	for my $i (0, 1)
	{
		open(my $fh, '>', $files[$i]) or die "$files[$i]: $!\n";
		print $fh map { "$_\n" } @{ $i ? $shown : $expected };
		close($fh);
	}
	print map { "# $_" } `diff -U3 --label documented --label shown $files[0] $files[1]`;
	unlink @files;
}

sub report
{
	my ($ok, $name) = @_;
	$number++;
	$failures++ unless $ok;
	print($ok ? "ok" : "not ok", " $number - $name\n");
}

sub run_document
{
	my ($file, $database) = @_;
	my @blocks = blocks_of($file) or return;
	system('createdb', '--template=template0', $database) == 0 or die "cannot create database $database\n";

	my $mark = "-- end of block $$";
	my $script = "\\set ON_ERROR_STOP off\n\\set VERBOSITY default\n";
	$script .= "CREATE EXTENSION featbit_pg;\n" unless grep { $_->{sql} =~ /\bCREATE\s+EXTENSION\s+(IF\s+NOT\s+EXISTS\s+)?featbit_pg\b/i } @blocks;
	$script .= "\\echo '$mark'\n";
	# A block that lacks its last semicolon is not to run together with the next.
	$script .= "$_->{sql}\n\\echo '$mark'\n\\r\n" for @blocks;
	my $input = ($ENV{TMPDIR} || '/tmp') . "/documentation.$$.sql";
	open(my $fh, '>', $input) or die "$input: $!\n";
	print $fh $script;
	close($fh);
	local $ENV{PGTZ} = 'UTC';
	local $ENV{PGDATESTYLE} = 'ISO, YMD';
	my $shown = `psql -X -q -d $database < $input 2>&1`;
	unlink $input;

	my @parts = split /^\Q$mark\E\n/m, $shown, -1;
	my $before = shift(@parts) // '';
	print map { "# $_\n" } "$file: before the first block:", split(/\n/, $before) if $before =~ /\S/;
	for my $i (0 .. $#blocks)
	{
		my ($block, $name) = ($blocks[$i], "$file:$blocks[$i]{line}");
		if ($i >= $#parts)
		{
			report(0, $name);
			print "# the session ended in or before this block\n";
			print map { "# $_\n" } split(/\n/, $parts[$i] // '') if $i == $#parts;
			next;
		}
		my @shown = lines_that_count(split /\n/, $parts[$i]);
		if ($block->{sql} !~ /(;|\\[a-z.].*)\s*(--.*\s*)*\z/)
		{
			report(0, $name);
			print "# the block does not end its last statement\n";
		}
		elsif (defined $block->{output})
		{
			my @expected = lines_that_count(@{ $block->{output} });
			my $ok = matches(\@expected, \@shown);
			report($ok, $name);
			explain(\@expected, \@shown) unless $ok;
		}
		else
		{
			my @errors = grep { /^(ERROR|FATAL|PANIC):|^psql: error|^invalid command/ } @shown;
			report(!@errors, $name);
			print map { "# $_\n" } @shown if @errors;
		}
	}
}

$| = 1;
my $database = 0;
run_document($_, 'document_' . $$ . '_' . ++$database) for @ARGV;
print "1..$number", $number ? '' : ' # SKIP no SQL', "\n";
exit($failures ? 1 : 0);
