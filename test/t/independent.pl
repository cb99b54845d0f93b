# The 4,873 headline tests, and rank tests of random samples, recomputed by SciPy: another tool, other formulas.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Debian's own Python has the packages of the distribution; another one may come first in the path.
my ($python) = grep { -x $_ && system("$_ -c 'import numpy, scipy.stats' >/dev/null 2>&1") == 0 } '/usr/bin/python3',
	map { "$_/python3" } split /:/, $ENV{PATH} // '';
plan skip_all => 'SciPy is not installed (on Debian: python3-scipy), so nothing recomputes the headline tests' unless $python;

my $data = "$FindBin::Bin/../../examples/data/headline_tests/headline_tests.csv.gz";
my $rows = PostgreSQL::Test::Utils::tempdir() . '/rows';
my $node = new_node('independent');

$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION featbit_pg;
CREATE TABLE headline (test_id text, test_week int, arm int, impressions bigint, clicks bigint, headline text, image_id text);
SQL
IPC::Run::run([ 'gzip', '-dc', $data ], '|', [ $node->installed_command('psql'), '-Xq', '-d', $node->connstr('postgres'), '-c', '\\copy headline from pstdin csv header' ])
	or BAIL_OUT("cannot load $data");
is($node->safe_psql('postgres', 'SELECT count(DISTINCT test_id) || \' \' || count(*) FILTER (WHERE arm > 1) FROM headline'), '4873 17793', 'all tests and arms are there');

# One line for each question: what was asked, the input, and the answer
my $questions = <<'SQL';
SET extra_float_digits = 1;
\pset null null
SELECT 'headline', scale, base.clicks, base.impressions, arm.clicks, arm.impressions, e.effect, e.se, e.ci_low, e.ci_high, e.statistic, e.df, e.p_value, e.log10_p, e.mean_c, e.mean_t, e.status
FROM headline arm JOIN headline base ON base.test_id = arm.test_id AND base.arm = 1 AND arm.arm > 1, unnest('{absolute,relative}'::text[]) scale,
	LATERAL featbit.effect(featbit.stats_from_counts(base.impressions, base.clicks), featbit.stats_from_counts(arm.impressions, arm.clicks), scale) e;
SELECT setseed(0.25);
CREATE TEMP TABLE sample AS
SELECT trial, array_agg(CASE WHEN levels = 0 THEN random() ELSE floor(levels * random()) END - 0.4 * greatest(levels, 1)::int) AS x
FROM (SELECT trial, CASE trial % 3 WHEN 0 THEN 0 ELSE 5 + trial % 11 END AS levels, 6 + trial % 23 AS n FROM generate_series(1, 120) trial) t, LATERAL generate_series(1, n) GROUP BY trial;
SELECT 'mann_whitney', method, alternative, array_to_string(c.x, ','), array_to_string(t.x, ','), r.statistic, r.effect, r.p_value
FROM sample c JOIN sample t ON t.trial = c.trial + 3, unnest('{exact,normal,corrected}'::text[]) method, unnest('{two-sided,greater,less}'::text[]) alternative,
	LATERAL (SELECT featbit.mann_whitney_agg(y, false) AS s FROM unnest(c.x) y) a, LATERAL (SELECT featbit.mann_whitney_agg(y, true) AS s FROM unnest(t.x) y) b,
	LATERAL (SELECT featbit.rollup(s) AS s FROM (VALUES (a.s), (b.s)) v(s)) m, LATERAL featbit.mann_whitney(m.s, method, alternative) r;
SELECT 'wilcoxon', method, zeros, alternative, array_to_string(x, ','), r.statistic, r.p_value
FROM sample, unnest('{exact,normal,corrected}'::text[]) method, unnest('{wilcox,pratt}'::text[]) zeros, unnest('{two-sided,greater,less}'::text[]) alternative,
	LATERAL (SELECT featbit.wilcoxon_agg(y, 0) AS s FROM unnest(x) y) a, LATERAL featbit.wilcoxon(s, method, zeros, alternative) r;
SELECT 'mcnemar', b, c, m.p_exact, m.p_chisq, m.p_corrected FROM generate_series(0, 60, 3) b, generate_series(1, 1500, 77) c, LATERAL featbit.mcnemar_test(b, c) m;
SQL
IPC::Run::run([ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-F', "\t", '-d', $node->connstr('postgres') ], '<', \$questions, '>', $rows)
	or BAIL_OUT('the questions fail');
$node->stop;

my ($out, $err);
IPC::Run::run([ $python, "$FindBin::Bin/independent.py", $rows ], '>', \$out, '2>', \$err);
diag($err) if $err ne '';
my %expected = (headline => 35586, mann_whitney => 1053, wilcoxon => 2160, mcnemar => 420);
my %seen;

# Each line: what was asked, how often it was compared, how often it disagreed, the largest error
foreach my $line (split /\n/, $out)
{
	my ($what, $compared, $wrong, $largest) = split /\t/, $line;

	$seen{$what} = $compared;
	is($wrong, 0, "$what: $compared answers agree to 1e-9 (largest difference $largest)") or diag($line);
}
is($seen{$_}, $expected{$_}, "$_: every answer was recomputed") foreach sort keys %expected;

done_testing();
