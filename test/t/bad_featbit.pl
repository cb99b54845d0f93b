# FeatBit's flags and segments, changed at random: whatever is in them is stored as it is, evaluates, is explained and listed,
# and never raises.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('bad_featbit', conf => [ 'log_min_messages = warning', 'log_min_error_statement = panic' ]);
my $session = session($node);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $json = JSON::PP->new->canonical->allow_nonref;

my %definitions = (
	variations => [ q([{"id": "a", "name": "A", "value": "true"}, {"id": "b", "name": "B", "value": "{\"x\": [1, null]}"}, {"id": "c", "value": "12.5"}]) ],
	targets => [ q([{"keyIds": ["u", "zoe"], "variationId": "b"}, {"keyIds": [], "variationId": "a"}, {"keyIds": ["zoe"], "variationId": "c"}]) ],
	rules => [ q([{"id": "r1", "name": "one", "dispatchKey": "plan", "includedInExpt": true, "conditions": [{"id": "c", "property": "plan", "op": "IsOneOf", "value": "[\"team\",\"pro\"]"}, {"property": "n", "op": "BiggerThan", "value": "1,0e0"}],
			"variations": [{"id": "a", "rollout": [0, 0.5], "exptRollout": 0.25}, {"id": "b", "rollout": [0.5, 1], "exptRollout": 0.25}]},
		{"id": "r2", "name": "two", "conditions": [{"property": "User is not in segment", "op": null, "value": "[\"s\",\"t\"]"}], "variations": [{"id": "c", "rollout": [0, 1]}]}]),
		q([{"name": "m", "conditions": [{"property": "plan", "op": "MatchRegex", "value": "^[\\\\w-[\\\\d]]+$"}, {"property": "name", "op": "NotMatchRegex", "value": "(?<x>a)\\\\k<x>"}, {"property": "", "op": "IsTrue", "value": "IsTrue"}, {"property": "keyId", "op": "NotOneOf", "value": "[]"}], "variations": []}]) ],
	fallthrough => [ q({"dispatchKey": null, "includedInExpt": true, "variations": [{"id": "a", "rollout": [0, 0.1], "exptRollout": 1}, {"id": "b", "rollout": [0.1, 0.30000000000000004], "exptRollout": 0}, {"id": "c", "rollout": [0.3, 1]}]}) ],
	condition => [ q([{"id": "s", "name": "r", "conditions": [{"property": "plan", "op": "StartsWith", "value": "t"}, {"property": "n", "op": "LessEqualThan", "value": " +Infinity "}]}, {"conditions": []}]) ],
	source => [ q({"id": "0c1f", "exptIncludeAllTargets": false, "missingAttribute": "no_match", "updatedAt": "2026-01-02T03:04:05.678Z"}), q({"missingAttribute": "empty"}) ],
	context => [ q({"targetingKey": "u", "plan": "team", "n": 7, "name": null, "list": [1], "a.b": {"c": true}}) ]);
my @words = (qw{a b c u zoe s t id name value keyIds variationId dispatchKey includedInExpt conditions variations property op rollout exptRollout plan n keyId exptIncludeAllTargets missingAttribute empty no_match
	LessThan LessEqualThan BiggerThan BiggerEqualThan Equal NotEqual Contains NotContain StartsWith EndsWith MatchRegex NotMatchRegex IsOneOf NotOneOf IsTrue IsFalse targetingKey},
	'User is in segment', 'User is not in segment', '["s"]', '["s","gone",null]', '[', '[1]', 'null', '["\\u00e9\\ud83d\\ude80"]', '["\\u0000"]', '1,000', '-.5e1', '1e400', 'NaN', 'Infinity', '\\p{IsGreek}', '(a+)+$', '(', '(?i)\\bTEAM\\b', '[[:alpha:]-[t]]', '(?(x)a|b)',
	'a{2,1}', '\\ud800');

srand(21);
my $counts = { context => 400, variations => 300, targets => 250, rules => 900, fallthrough => 450, condition => 250, source => 150 };
my $file = "$dir/mutations";
open(my $out, '>:encoding(UTF-8)', $file) or die "$file: $!";
for my $target (sort keys %$counts)
{
	for (1 .. $counts->{$target})
	{
		my $value = $json->decode($definitions{$target}[ rand @{ $definitions{$target} } ]);
		$value = mutate($value, \@words) for 1 .. 1 + rand 3;
		print $out "$target\t", mutation_text($value), "\n";
	}
}
close($out);
$session->query(<<'SQL');
CREATE EXTENSION featbit_pg;
SET featbit.environment = 'mutations';
CREATE TABLE mutation (n serial, target text, value jsonb);
CREATE TABLE outcome (n int, outcome text, listed boolean, same boolean);
INSERT INTO featbit.segment (semantics, key, included, condition) VALUES ('featbit', 's', '{zoe}', '[]'), ('featbit', 't', '{}', '[{"conditions": [{"property": "plan", "op": "Equal", "value": "team"}]}]');
INSERT INTO featbit.flag (semantics, key, off_variation, variations, rules, fallthrough) VALUES ('featbit', 'm', 'a', '[{"id": "a", "value": "true"}, {"id": "b", "value": "x"}, {"id": "c", "value": "12.5"}]',
	'[{"name": "in", "conditions": [{"property": "User is in segment", "value": "[\"s\", \"t\"]"}], "variations": [{"id": "a", "rollout": [0, 0.5]}, {"id": "b", "rollout": [0.5, 1]}]}]', '{"variations": [{"id": "c", "rollout": [0, 1]}]}');
SELECT featbit.create_flag('native', '[{"key": "on", "value": true}]');
UPDATE featbit.flag SET rules = '[{"id": "r", "when": {"any": [{"segment": "s"}, {"flag": "m", "variations": ["a", "b"]}]}, "serve": {"variation": "on"}}]' WHERE environment = 'mutations' AND key = 'native';
CREATE PROCEDURE mutate_all() LANGUAGE plpgsql AS $$
DECLARE m record; r record; got text; contexts jsonb[]; was_listed boolean; is_same boolean; definition jsonb; u text;
BEGIN
	FOR m IN SELECT * FROM mutation ORDER BY n LOOP
		BEGIN
			IF m.target = 'condition' THEN
				UPDATE featbit.segment SET condition = m.value WHERE environment = 'mutations' AND key = 's';
			ELSIF m.target <> 'context' THEN
				-- native flags name variations: a flag of its own has no such bonds
				INSERT INTO featbit.flag (semantics, key, off_variation, variations, targets, rules, fallthrough, source)
				SELECT 'featbit', 'n', 'a', CASE m.target WHEN 'variations' THEN m.value ELSE f.variations END, CASE m.target WHEN 'targets' THEN m.value ELSE f.targets END,
					CASE m.target WHEN 'rules' THEN m.value ELSE f.rules END, CASE m.target WHEN 'fallthrough' THEN m.value ELSE f.fallthrough END, CASE m.target WHEN 'source' THEN m.value END
				FROM featbit.flag f WHERE f.environment = 'mutations' AND f.key = 'm';
			END IF;
			contexts := CASE m.target WHEN 'context' THEN ARRAY[m.value] ELSE ARRAY['{"targetingKey": "u", "plan": "team", "n": 7}', '{"targetingKey": "zoe", "name": "aa", "plan": null}', '{"targetingKey": "yan"}']::jsonb[] END;
			got := '';
			is_same := true;
			FOR r IN SELECT x.*, c, k FROM unnest(contexts) c, unnest(CASE WHEN m.target IN ('context', 'condition') THEN '{m,native}'::text[] ELSE '{n,native}' END) k, LATERAL featbit.resolve(k, c) x LOOP
				got := got || r.reason || coalesce(':' || r.error_code, '') || ' ';
				IF (r.error_code IS NULL) <> (r.variant IS NOT NULL) OR (r.error_code IS NOT NULL AND coalesce(r.error_message, '') = '') THEN got := got || 'INCONSISTENT '; END IF;
				IF r.k <> 'native' AND r.reason <> 'ERROR' AND (r.metadata #>> '{featbit,variationId}') IS DISTINCT FROM r.variant THEN got := got || 'METADATA '; END IF;
				definition := featbit.flag_definition(r.k);
				u := CASE WHEN jsonb_typeof(r.c -> 'targetingKey') = 'string' THEN r.c ->> 'targetingKey' END;
				is_same := is_same AND featbit.flag_variation(u, r.k, r.c) IS NOT DISTINCT FROM r.variant AND featbit.assign_variation(definition, u, r.c) IS NOT DISTINCT FROM r.variant;
				PERFORM featbit.flag_text('u', r.k, 'x', r.c), featbit.flag_number('u', r.k, 1, r.c), featbit.flag_int('u', r.k, 1, r.c), featbit.flag_json('u', r.k, '{}', r.c), featbit.flag_bool('u', r.k, true, r.c);
				PERFORM count(*) FROM featbit.explain_flag(u, r.k, r.c);
			END LOOP;
			PERFORM * FROM featbit.flags WHERE environment = 'mutations';
			PERFORM * FROM featbit.flag_rules WHERE environment = 'mutations';
			SELECT count(*) > 0 INTO was_listed FROM featbit.flag_problems('mutations') WHERE severity = 'error';
			RAISE EXCEPTION USING ERRCODE = 'FB000', MESSAGE = got;
		EXCEPTION
			WHEN SQLSTATE 'FB000' THEN INSERT INTO outcome VALUES (m.n, rtrim(SQLERRM), was_listed, is_same);
			WHEN OTHERS THEN INSERT INTO outcome VALUES (m.n, SQLSTATE || ' ' || SQLERRM);
		END;
	END LOOP;
END $$;
SQL
$session->query("\\copy mutation (target, value) FROM '$file'");
is($session->query('SELECT count(*) FROM mutation'), 2700, 'mutations are loaded');
$session->query('CALL mutate_all()');
my $show = q(SELECT m.target, left(o.outcome, 200), left(m.value::text, 300) FROM outcome o JOIN mutation m USING (n));
is($session->query("$show WHERE m.target <> 'source' AND o.outcome !~ '^((DEFAULT|TARGETING_MATCH|SPLIT|STATIC|ERROR:(GENERAL|TARGETING_KEY_MISSING|INVALID_CONTEXT)) ?)+\$' ORDER BY n LIMIT 5"), '', 'every mutation is stored and evaluates');
is($session->query("$show WHERE m.target = 'source' AND o.outcome !~ '^(22023 source|DEFAULT|SPLIT|TARGETING_MATCH)' ORDER BY n LIMIT 5"), '', 'only our own option can be refused');
is($session->query("$show WHERE NOT o.same ORDER BY n LIMIT 5"), '', 'every way to evaluate gives the same');
is($session->query("$show WHERE o.outcome ~ 'ERROR:GENERAL' AND NOT o.listed AND m.target <> 'context' ORDER BY n LIMIT 5"), '', 'what evaluates to an error is listed');
is($session->query('SELECT count(*) FROM outcome'), 2700, 'each has an outcome');
cmp_ok($session->query("SELECT count(*) FROM outcome WHERE outcome ~ 'GENERAL'"), '>', 150, 'many are malformed where it matters');
cmp_ok($session->query("SELECT count(*) FROM outcome WHERE listed AND outcome !~ 'GENERAL'"), '>', 250, 'more are malformed and evaluate');
cmp_ok($session->query("SELECT count(DISTINCT outcome) FROM outcome"), '>', 20, 'outcomes are of many kinds');
is($session->query(q(SELECT featbit.flag_variation('zoe', 'native'))), 'on', 'the session has survived all of it');
$session->quit;
healthy($node);
done_testing();
