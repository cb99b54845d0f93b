# Label and probability metrics are those of scikit-learn to 1e-12: over the support tickets, run by run, and over
# random data. Debian's python3-sklearn computes the other side; without it the test is skipped.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use File::Temp;
use PostgreSQL::Test::Cluster;
use Test::More;

my $python = '/usr/bin/python3';
my $version = -x $python ? `$python -c 'import sklearn; print(sklearn.__version__)' 2>/dev/null` : '';
chomp $version;
plan skip_all => "scikit-learn is not there: install Debian's python3-sklearn to compare with it" if $version eq '';
note("scikit-learn $version");

my $tickets = "$FindBin::Bin/../../examples/data/support_tickets";
my $scratch = File::Temp->newdir();

# Prints dataset, metric, parameters and value; writes the rows of the data sets: gold, predicted, score.
my $program = <<'PYTHON';
import csv, json, random, sys, warnings
import numpy as np
from sklearn import metrics as m
warnings.simplefilter('ignore')
tickets, rows = sys.argv[1], csv.writer(open(sys.argv[2], 'w'))

def emit(name, metric, value, **params):
    print('\t'.join([name, metric, json.dumps(params), repr(float(value))]))

def labels(name, gold, pred):
    own = sorted(set(gold))
    emit(name, 'accuracy', m.accuracy_score(gold, pred))
    emit(name, 'balanced_accuracy', m.balanced_accuracy_score(gold, pred))
    emit(name, 'mcc', m.matthews_corrcoef(gold, pred))
    emit(name, 'cohen_kappa', m.cohen_kappa_score(gold, pred))
    for average in ('macro', 'micro', 'weighted'):
        for zero in (0, 1):
            for given, params in ((own, {}), (sorted(set(gold) | set(pred)), {'labels': 'union'}), (own[:2], {'labels': own[:2]})):
                how = dict(labels=given, average=average, zero_division=zero)
                params = dict(params, zero_division=zero)
                emit(name, 'precision_' + average, m.precision_score(gold, pred, **how), **params)
                emit(name, 'recall_' + average, m.recall_score(gold, pred, **how), **params)
                emit(name, 'f1_' + average, m.f1_score(gold, pred, **how), **params)
    for label in own:
        binary = dict(labels=[label], average=None, zero_division=0)
        emit(name, 'precision_binary', m.precision_score(gold, pred, **binary)[0], pos=label)
        emit(name, 'f1_binary', m.fbeta_score(gold, pred, beta=0.5, **binary)[0], pos=label, beta=0.5)

gold = {r['key']: r['label'] for r in csv.DictReader(open(tickets + '/tickets.csv'))}
runs = {}
for r in csv.DictReader(open(tickets + '/predictions.csv')):
    runs.setdefault('%s at %s' % (r['prompt'], r['temperature']), []).append((gold[r['key']], r['predicted']))
for name, pairs in runs.items():
    labels(name, [g for g, p in pairs], [p for g, p in pairs])
    for g, p in pairs:
        rows.writerow([name, g, p, ''])

random.seed(7)
for i in range(40):
    name, k, n = 'random %d' % i, random.randint(2, 9), random.choice([5, 30, 400])
    noise = random.random()
    gold = [str(int(random.triangular(0, k))) for _ in range(n)]
    pred = [str(random.randint(0, k)) if random.random() < noise else g for g in gold]
    score = [round(random.random(), random.choice([1, 6])) for _ in range(n)]
    labels(name, gold, pred)
    order = sorted(set(gold) | set(pred), key=int)
    for weights in ('linear', 'quadratic'):
        emit(name, 'cohen_kappa', m.cohen_kappa_score(gold, pred, labels=order, weights=weights), weights=weights)
    truth = [g == gold[0] for g in gold]
    if len(set(truth)) == 2:
        emit(name, 'roc_auc', m.roc_auc_score(truth, score))
        emit(name, 'log_loss', m.log_loss(truth, score))
        emit(name, 'average_precision', m.average_precision_score(truth, score))
        emit(name, 'brier', m.brier_score_loss(truth, score))
    for g, p, s in zip(gold, pred, score):
        rows.writerow([name, g, p, s])
PYTHON
open(my $fh, '>', "$scratch/other.py") or die $!;
print $fh $program;
close $fh;
my $expected = `$python $scratch/other.py $tickets $scratch/rows.csv`;
is($?, 0, 'scikit-learn computes the other side');

my $node = new_node('sklearn');
$node->safe_psql('postgres', 'CREATE EXTENSION featbit_pg');
$node->safe_psql('postgres', qq(
	CREATE TABLE answer (i int GENERATED ALWAYS AS IDENTITY, name text, gold text, pred text, score text);
	COPY answer (name, gold, pred, score) FROM '$scratch/rows.csv' (FORMAT csv, FORCE_NOT_NULL (pred));
	CREATE TABLE expected (name text, metric text, params jsonb, value float8);));
$node->safe_psql('postgres', "COPY expected FROM STDIN;\n$expected\\.\n");

# Scores stand beside whether the row has the gold label of the first one.
my $compared = $node->safe_psql('postgres', q(
	WITH mine AS (
		SELECT e.name, e.metric, e.params, e.value,
			(featbit.metric(e.metric, CASE WHEN o.outcome THEN a.score ELSE a.pred END,
				ARRAY[CASE WHEN o.outcome THEN (a.gold = f.gold)::text ELSE a.gold END], NULL, e.params)).value AS mine
		FROM expected e JOIN answer a USING (name)
		CROSS JOIN LATERAL (SELECT e.metric IN ('roc_auc', 'log_loss', 'average_precision', 'brier') AS outcome) o
		CROSS JOIN LATERAL (SELECT g.gold FROM answer g WHERE g.name = e.name ORDER BY g.i LIMIT 1) f
		GROUP BY e.name, e.metric, e.params, e.value)
	SELECT name LIKE 'random%', metric, count(*), max(abs(mine - value)),
		count(*) FILTER (WHERE NOT coalesce(abs(mine - value) <= 1e-12, value = 'NaN' AND mine IS NULL))
	FROM mine GROUP BY 1, 2 ORDER BY 1, 2));
my %runs;
for my $line (split /\n/, $compared)
{
	my ($random, $metric, $count, $largest, $wrong) = split /\|/, $line;
	is($wrong, 0, ($random eq 't' ? 'random data' : 'support tickets') . ": $count values of $metric, the largest difference $largest");
	$runs{$metric} = $count if $random eq 'f';
}
is($runs{$_} // 0, 15, "$_ of all 15 runs") for qw(accuracy mcc);
ok(($runs{$_} // 0) >= 15, "$_ of all 15 runs") for qw(precision_macro recall_macro f1_macro);
healthy($node);
$node->stop;
done_testing();
