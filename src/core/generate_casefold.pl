# generate_casefold.pl - print fb_casefold_table.h: simple case folding of Unicode (CaseFolding.txt, status C and S).
# Usage: perl src/core/generate_casefold.pl >src/core/fb_casefold_table.h
#
# The data are those that come with perl, so that nothing is fetched. A newer Unicode only adds letters; whether they
# fold changes what flags answer, so the table changes with a release of the extension and never otherwise.
use strict;
use warnings;
use Unicode::UCD qw(prop_invmap);

my ($starts, $maps, $format) = prop_invmap('Simple_Case_Folding');
die "unexpected format $format\n" unless $format eq 'a';
my %fold;
for my $i (0 .. $#$starts - 1)
{
	next if $maps->[$i] == 0;
	$fold{$_} = $maps->[$i] + $_ - $starts->[$i] for $starts->[$i] .. $starts->[ $i + 1 ] - 1;
}

# Ranges of letters, each or every second of which folds by the same distance.
my @ranges;
for my $code (sort { $a <=> $b } keys %fold)
{
	next if $code < 0x80;
	my $delta = $fold{$code} - $code;
	my $range = $ranges[-1];
	my $step = $range ? $code - $range->{last} : 0;
	if ($range && $range->{delta} == $delta && ($step == 1 || $step == 2) && ($range->{first} == $range->{last} || $range->{step} == $step))
	{
		$range->{step} = $step;
		$range->{last} = $code;
	}
	else
	{
		push @ranges, { first => $code, last => $code, step => 1, delta => $delta };
	}
}

my $version = Unicode::UCD::UnicodeVersion();
print <<"END";
/*
 * fb_casefold_table.h
 *		Simple case folding beyond ASCII, Unicode $version.  Made by generate_casefold.pl: do not edit.
 *
 * Derived from the Unicode Character Database, Copyright (c) 1991-2021
 * Unicode, Inc. All rights reserved; see LICENSE.unicode.
 */
#define FB_CASEFOLD_UNICODE "$version"

static const FbCaseRange case_ranges[] = {
END
printf "\t{0x%04X, 0x%04X, %d, %d},\n", @$_{qw(first last step delta)} for @ranges;
print "};\n";
