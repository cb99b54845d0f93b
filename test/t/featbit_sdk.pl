# FeatBit's Node SDK reads an export as its bootstrap and serves what evaluate_flag serves; skipped where it cannot be had.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use Test::More;

my $node = new_node('featbit');
$node->safe_psql('postgres', 'CREATE EXTENSION featbit_pg');
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
local $ENV{PGDATABASE} = 'postgres';
my $said = `sh $FindBin::Bin/../featbit/sdk_comparison/run.sh 2>&1`;
my $status = $? >> 8;
chomp $said;

SKIP:
{
	skip $said, 1 if $status == 77;
	is($status, 0, 'the SDK agrees') or diag($said);
	note($said);
}
healthy($node);
$node->stop;
done_testing();
