# tree.pl - check the checkout itself; prints TAP. Runs at its top.
use strict;
use warnings;
use File::Find;
use JSON::PP;
use Test::More;

sub content
{
	my ($file) = @_;
	open(my $fh, '<:raw', $file) or return '';
	local $/;
	return scalar <$fh> // '';
}

sub names
{
	my ($pattern, $match) = @_;
	return sort map { /$match/ ? $1 : () } glob $pattern;
}

# The version stands in three places.
my ($version) = content('featbit_pg.control') =~ /^default_version = '([^']+)'/m;
my $meta = eval { decode_json(content('META.json')) } || {};
ok($version, 'the control file names a version');
is($@, '', 'META.json is JSON');
for my $stated ($meta->{version}, $meta->{provides}{featbit_pg}{version})
{
	is($stated // '', "$version.0", 'META.json names the version of the control file');
}
like(content('CHANGELOG.md'), qr/^## \Q$version\E\b/m, 'the changelog has a section for the version');

# Every test has an expected output and every expected output a test.
my %inputs = map { $_ => 1 } names('test/sql/*.sql', qr{([^/]+)\.sql$}), names('test/specs/*.spec', qr{([^/]+)\.spec$});
my %outputs = map { $_ => 1 } names('expected/*.out', qr{([^/]+?)(?:_\d)?\.out$});
is_deeply([ grep { !$outputs{$_} } sort keys %inputs ], [], 'every test has an output in expected/');
is_deeply([ grep { !$inputs{$_} && !$inputs{ s/_\d$//r } } sort keys %outputs ], [], 'every output in expected/ belongs to a test');

# pg_regress would take a script of sql/ for the test of the same name.
is_deeply([ grep { $inputs{$_} } names('sql/*.sql', qr{([^/]+)\.sql$}) ], [], 'no test is named like a file in sql/');

my @sources;
find({ no_chdir => 1, wanted => sub { push @sources, $File::Find::name if -f && /\.(c|h|sql|pl|sh)$/ } }, grep { -d } 'src', 'sql', 'test', 'examples');
@sources = sort grep { !m{^sql/featbit_pg--} } @sources;

# The core knows nothing of the server, the rest nothing of a server's version.
is_deeply([ grep { m{^src/core/} && content($_) =~ /postgres\.h|ereport|__int128|palloc/ } @sources ], [], 'src/core is plain C');
is_deeply([ grep { m{^src/} && $_ ne 'src/pg_compat.h' && content($_) =~ /^\s*#.*PG_VERSION_NUM/m } @sources ],
	[], 'PG_VERSION_NUM is tested in src/pg_compat.h alone');

# Dependencies point downward only.
my %may = (core => 'core', flags => 'flags|core', metrics => 'metrics|core', llm => 'llm|metrics|core');
my @upward;
for my $file (grep { m{^src/\w+/} } @sources)
{
	my ($room) = $file =~ m{^src/(\w+)/};
	my $allowed = $may{$room} // '\w+';
	push @upward, map { "$file includes $_" } grep { !m{^(?:$allowed)/} && -e "src/$_" && m{/} } content($file) =~ /^\s*#\s*include\s+"([^"]+)"/mg;
}
is_deeply(\@upward, [], 'includes point from llm to metrics to core, and from flags to core');

# The tables of characters are those of the Unicode they name; a perl that has the same can tell.
for my $what (qw(casefold unicode))
{
	SKIP:
	{
		require Unicode::UCD;
		my $table = content("src/core/fb_${what}_table.h");
		skip 'perl has another version of Unicode', 1 unless $table =~ /Unicode \Q@{[Unicode::UCD::UnicodeVersion()]}\E\./;
		ok(scalar(`$^X src/core/generate_$what.pl`) eq $table, "the table fb_${what}_table.h is what its generator prints");
	}
}

is_deeply([ grep { content($_) =~ /[ \t]+$/m } grep { !m{^test/(sql|specs|cases)/} } @sources ], [], 'no line ends in blanks');
is_deeply([ grep { my $text = content($_); length $text && $text !~ /\n\z/ } @sources ], [], 'every file ends with a newline');
# Bodies of functions are set aside: what they create belongs to the user.
sub script { my $text = content($_[0]); $text =~ s/(\$\w*\$).*?\1//gs; return $text; }
is_deeply([ grep { m{^sql/.*\.sql$} && script($_) =~ /\bCREATE\s+OR\s+REPLACE\b|\bIF\s+NOT\s+EXISTS\b|\bSECURITY\s+DEFINER\b/i } @sources ],
	[], 'the install script never replaces, skips or runs as its owner');
is_deeply([ grep { my $text = content($_); ($text =~ tr/\n//) > 1000 } @sources ], [], 'no file is longer than 1000 lines');

done_testing();
