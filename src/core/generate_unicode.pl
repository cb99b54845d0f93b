# generate_unicode.pl - print fb_unicode_table.h: the properties of characters that text metrics ask for, and lower case.
# Usage: perl src/core/generate_unicode.pl >src/core/fb_unicode_table.h
#
# The data are those that come with perl, so that nothing is fetched. The table changes with a release of the extension
# and never otherwise: it decides what metrics answer.
use strict;
use warnings;
use Unicode::UCD qw(prop_invmap prop_invlist);

my %bit = (LETTER => 1, NUMBER => 2, PUNCTUATION => 4, SYMBOL => 8, CASED => 16, CASE_IGNORABLE => 32);
my %property = (LETTER => 'L', NUMBER => 'N', PUNCTUATION => 'P', SYMBOL => 'S', CASED => 'Cased', CASE_IGNORABLE => 'Case_Ignorable');

# Where the properties change, and to what.
my %change;
for my $name (keys %property)
{
	my @list = prop_invlist($property{$name});
	die "no property $name\n" unless @list;
	for my $i (0 .. $#list)
	{
		$change{ $list[$i] } = ($change{ $list[$i] } // 0) ^ $bit{$name};
	}
}
my (@ranges, $flags, $start);
($flags, $start) = (0, 0);
for my $code (sort { $a <=> $b } keys %change)
{
	next if $change{$code} == 0;
	push @ranges, [ $start, $code - 1, $flags ] if $flags && $code > 0x80;
	($flags, $start) = ($flags ^ $change{$code}, $code);
}
push @ranges, [ $start, 0x10FFFF, $flags ] if $flags;
for my $range (@ranges)
{
	$range->[0] = 0x80 if $range->[0] < 0x80;
}

# Ranges of letters, each or every second of which is lowered by the same distance.
my ($starts, $maps, $format) = prop_invmap('Simple_Lowercase_Mapping');
die "unexpected format $format\n" unless $format eq 'a';
my %lower;
for my $i (0 .. $#$starts - 1)
{
	next if $maps->[$i] == 0;
	$lower{$_} = $maps->[$i] + $_ - $starts->[$i] for $starts->[$i] .. $starts->[ $i + 1 ] - 1;
}
my @lower;
for my $code (sort { $a <=> $b } keys %lower)
{
	next if $code < 0x80;
	my $delta = $lower{$code} - $code;
	my $range = $lower[-1];
	my $step = $range ? $code - $range->{last} : 0;
	if ($range && $range->{delta} == $delta && ($step == 1 || $step == 2) && ($range->{first} == $range->{last} || $range->{step} == $step))
	{
		$range->{step} = $step;
		$range->{last} = $code;
	}
	else
	{
		push @lower, { first => $code, last => $code, step => 1, delta => $delta };
	}
}

my $version = Unicode::UCD::UnicodeVersion();
print <<"END";
/*
 * fb_unicode_table.h
 *		Properties of characters beyond ASCII, Unicode $version.  Made by generate_unicode.pl: do not edit.
 *
 * Derived from the Unicode Character Database, Copyright (c) 1991-2021
 * Unicode, Inc. All rights reserved; see LICENSE.unicode.
 */
#define FB_UNICODE_VERSION "$version"

static const FbLowerRange lower_ranges[] = {
END
printf "\t{0x%04X, 0x%04X, %d, %d},\n", @$_{qw(first last step delta)} for @lower;
print "};\n\nstatic const FbPropertyRange property_ranges[] = {\n";
my @cells = map { sprintf '{0x%04X, 0x%04X, %d},', @$_ } @ranges;
while (@cells)
{
	print "\t", join(' ', splice @cells, 0, 4), "\n";
}
print "};\n";
