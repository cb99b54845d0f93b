# Bad input of every kind: the documented answer or a clear error, never an internal error, a crash or an endless loop.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('bad_input', conf => [ 'log_min_messages = warning', 'log_min_error_statement = panic' ]);
my $session = session($node);
my $dir = PostgreSQL::Test::Utils::tempdir();

$session->query(<<'SQL');
CREATE EXTENSION featbit_pg;
SELECT featbit.create_segment('s', '{member}', '{stranger}', '{"attribute": "plan", "op": "eq", "value": "team"}');
SELECT featbit.create_flag('p', '[{"key": "on", "value": true}, {"key": "off", "value": false}]');
SELECT featbit.create_flag('f', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}]', off_variation => 'a');
SELECT featbit.create_tracking('facts');
SQL

# Tests that a statement is refused with an SQLSTATE and a message.
sub refused
{
	my ($name, $sql, $expected) = @_;
	like($session->error($sql), $expected, $name);
}

# Tests that a statement answers within some seconds.
sub answers
{
	my ($name, $sql, $expected, $seconds) = @_;
	my $start = time;

	is($session->query($sql), $expected, $name);
	cmp_ok(time - $start, '<', $seconds // 20, "$name: soon");
}

# NULL and nonsense for every argument of evaluation: an answer, no error
for my $function ('evaluate_flag', 'flag_variation')
{
	for my $arguments ("NULL::text, 'f'", "'u', NULL", "NULL::bigint, NULL, NULL, NULL", "NULL::uuid, 'f'", "'u', 'unknown'", "'u', ''", "'u', 'f', '[]'", "'u', 'f', '7'", "'u', 'f', 'null'", "'u', 'f', '{}', ''",
		"'u', 'f', '{}', 'unknown'", "'u', repeat('x', 1000000)", "'u', 'f', '{}', repeat('x', 1000000)", "'u', E'f\\u00e9'", "'u', ' f'")
	{
		is($session->query("SELECT featbit.$function($arguments) IS NULL"), 't', "$function($arguments) leaves the value to the code");
	}
	isnt($session->query("SELECT featbit.$function('u', 'f', NULL, NULL)"), '', "$function takes NULL for no context and the default environment");
	isnt($session->query("SELECT featbit.$function(repeat('x', 1000000), 'f')"), '', "$function takes a user key of 1 MB");
}
for my $typed ([ 'bool', 'true', 't' ], [ 'text', "'d'", 'd' ], [ 'int', '7', '7' ], [ 'number', '0.5', '0.5' ], [ 'json', q('[1]'), '[1]' ])
{
	my ($type, $default, $shown) = @$typed;

	is($session->query("SELECT featbit.flag_$type('u', 'unknown', $default)"), $shown, "flag_$type of an unknown flag is the default");
	is($session->query("SELECT featbit.flag_$type(NULL::text, NULL, $default, NULL, NULL)"), $shown, "flag_$type of NULLs is the default");
	is($session->query("SELECT featbit.flag_$type('u', 'unknown', NULL) IS NULL"), 't', "flag_$type with a NULL default is NULL");
}
is($session->query('SELECT reason, error_code FROM featbit.resolve(NULL, NULL, NULL)'), 'ERROR|FLAG_NOT_FOUND', 'resolve takes NULLs');
is($session->query(q(SELECT reason, error_code FROM featbit.resolve('f', '{"targetingKey": {}}'))), 'ERROR|TARGETING_KEY_MISSING', 'a targetingKey that is no string is none');
is($session->query(q(SELECT reason, error_code FROM featbit.resolve('f', '[{"targetingKey": "u"}]'))), 'ERROR|INVALID_CONTEXT', 'an array is no context');

# Management functions and rows
my $v = q('[{"key": "a", "value": 1}]');
refused('an unknown flag', q(SELECT featbit.disable_flag('g')), qr/^42704: flag "g" does not exist/);
refused('a NULL flag', q(SELECT featbit.disable_flag(NULL)), qr/^(42704|22004|23502): /);
refused('a key with a space', "SELECT featbit.create_flag('a b', $v)", qr/^22023: .*"a b"/);
refused('an empty key', "SELECT featbit.create_flag('', $v)", qr/^22023: /);
refused('a key of 129 bytes', "SELECT featbit.create_flag(repeat('x', 129), $v)", qr/^22023: /);
refused('a NULL key', "SELECT featbit.create_flag(NULL, $v)", qr/^(23502|22004): /);
refused('an illegal environment', "SELECT featbit.create_flag('x', $v, environment => 'no/slash')", qr/^22023: .*"no\/slash"/);
refused('NULL variations', q(SELECT featbit.create_flag('x', NULL)), qr/^(23502|22004|22023): /);
for my $bad ('[]', '{}', '7', 'null', '[1]', '[{}]', '[{"key": "a"}]', '[{"value": 1}]', '[{"key": "a", "value": null}]', '[{"key": "", "value": 1}]', '[{"key": 7, "value": 1}]',
	'[{"key": "a", "value": 1}, {"key": "a", "value": 2}]', '[{"key": "a", "value": 1, "weight": 3}]')
{
	refused("variations $bad", "SELECT featbit.create_flag('x', '$bad')", qr/^(22023|22004|23505): .*\w/);
}
refused('values of another type', q(SELECT featbit.create_flag('x', '[{"key": "a", "value": 1}, {"key": "b", "value": "x"}]', 'number')), qr/^22023: .*variations\[1\]/);
refused('an unknown type', "SELECT featbit.create_flag('x', $v, 'integer')", qr/^22023: .*"integer"/);
refused('a second flag of the key', "SELECT featbit.create_flag('f', $v)", qr/^23505: /);
for my $weights ('-1, 1', '0, 0', '2147483648, 1', '1.5, 1', '1e400, 1', '"1", 1', 'null, 1', '99999999999999999999, 1')
{
	my ($one, $two) = split /, /, $weights;
	refused("weights $weights", qq(SELECT featbit.set_rollout('f', '[{"variation": "a", "weight": $one}, {"variation": "b", "weight": $two}]')), qr/^(22023|22003|22004): .*(split|weight)/);
}
is($session->query(q(SELECT featbit.set_rollout('f', '[{"variation": "a", "weight": 2147483647}, {"variation": "b", "weight": 1}]') > 0)), 't', 'weights of 2^31 together are the most');
is($session->query(q(SELECT count(*) FILTER (WHERE featbit.flag_variation('u' || n, 'f') = 'a') FROM generate_series(1, 1000) n)), '1000', 'and are dealt');
for my $percentage ('-1', '100.001', '0.0001', '1e400', '"50"', '{}')
{
	refused("a percentage of $percentage", qq(SELECT featbit.add_rule('f', '{"id": "x", "when": {"all": []}, "serve": {"variation": "a"}, "percentage": $percentage}')), qr/^22023: .*percentage/);
}
for my $when ('7', '[]', '{}', 'null', '{"all": {}}', '{"any": 1}', '{"not": []}', '{"all": [], "any": []}', '{"attribute": "x"}', '{"attribute": "x", "op": "like", "value": "y"}', '{"attribute": 7, "op": "eq", "value": 1}',
	'{"attribute": "x", "op": "matches", "value": "("}', '{"attribute": "x", "op": "matches", "value": "\\\\C"}', '{"attribute": "x", "op": "lt", "value": "y"}', '{"attribute": "x", "op": "one_of", "value": "y"}', '{"segment": 7}', '{"flag": "p"}', '{"flag": "p", "variations": []}')
{
	refused("the condition $when", qq(SELECT featbit.add_rule('f', '{"id": "x", "when": $when, "serve": {"variation": "a"}}')), qr/^(22023|2201B|22004|0A000): .*rules\[0\]/);
}
refused('an unknown segment', q(SELECT featbit.add_rule('f', '{"when": {"segment": "S"}, "serve": {"variation": "a"}}')), qr/^23503: unknown segment "S" in rules\[0\]/);
refused('an unknown flag in a condition', q(SELECT featbit.add_rule('f', '{"when": {"flag": "q", "variations": ["on"]}, "serve": {"variation": "a"}}')), qr/^23503: unknown flag "q" in rules\[0\]/);
refused('an unknown variation', q(SELECT featbit.set_rollout('f', '[{"variation": "A", "weight": 1}]')), qr/^23503: unknown variation "A" in fallthrough/);
refused('a cycle of one', q(SELECT featbit.update_flag('f', '{"prerequisites": [{"flag": "f", "variations": ["a"]}]}')), qr/^23514: .*cycle/);
$session->query(q(SELECT featbit.update_flag('f', '{"prerequisites": [{"flag": "p", "variations": ["on"]}]}')));
refused('a cycle of two', q(SELECT featbit.add_rule('p', '{"when": {"not": {"flag": "f", "variations": ["a"]}}, "serve": {"variation": "on"}}')), qr/^23514: .*cycle/);
refused('a cycle of segments', q(UPDATE featbit.segment SET condition = '{"any": [{"segment": "s"}]}' WHERE key = 's'), qr/^23514: .*cycle/);
refused('a flag in a segment', q(SELECT featbit.create_segment('t', condition => '{"flag": "p", "variations": ["on"]}')), qr/^22023: /);
$session->query(q(SELECT featbit.update_flag('f', '{"prerequisites": []}')));

# Depth: 30,000 levels of JSON are refused, wherever they are
refused('a condition 3,000 levels deep', q(SELECT featbit.create_segment('deep', condition => (repeat('{"not": ', 3000) || '{"all": []}' || repeat('}', 3000))::jsonb)), qr/^(54000|54001|22023): /);
$session->error('SET max_stack_depth = 200');
refused('and with a small stack', q(SELECT featbit.create_segment('deep', condition => (repeat('{"all": [', 1000) || '{"all": []}' || repeat(']}', 1000))::jsonb)), qr/^(54000|54001|22023): /);
$session->query('RESET max_stack_depth');
is($session->query(q(SELECT reason FROM featbit.resolve('f', jsonb_build_object('targetingKey', 'u', 'x', (repeat('[', 3000) || repeat(']', 3000))::jsonb)))), 'SPLIT', 'a deep context does no harm');
$session->query(q(DO $$ BEGIN
	PERFORM featbit.create_segment('d0', '{u}');
	FOR i IN 1 .. 200 LOOP PERFORM featbit.create_segment('d' || i, condition => jsonb_build_object('segment', 'd' || i - 1)); END LOOP;
EXCEPTION WHEN program_limit_exceeded THEN NULL; END $$));
like($session->query(q(SELECT count(*) FROM featbit.segment WHERE key = 'd200')), qr/^0$/, 'segments may not nest 200 levels deep');

# Size
answers('a flag with 10,000 rules', q(SELECT featbit.create_flag('rules', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]') > 0;
	UPDATE featbit.flag SET rules = (SELECT jsonb_agg(jsonb_build_object('id', 'r' || n, 'when', jsonb_build_object('attribute', 'n', 'op', 'eq', 'value', n), 'serve', '{"variation": "b"}'::jsonb)) FROM generate_series(1, 10000) n) WHERE key = 'rules';
	SELECT variant, metadata ->> 'rule_id' FROM featbit.resolve('rules', '{"targetingKey": "u", "n": 10000}');
	SELECT count(*) FILTER (WHERE featbit.flag_variation('u', 'rules', jsonb_build_object('n', n)) = 'b') FROM generate_series(9901, 10100) n), "t\nb|r10000\n100");
answers('and one rule more by add_rule', q(SELECT featbit.add_rule('rules', '{"when": {"all": []}, "serve": {"variation": "b"}}', "position" => 1) > 0; SELECT featbit.flag_variation('u', 'rules')), "t\nb");
answers('100,000 targets', q(SELECT featbit.create_flag('targets', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]') > 0;
	SELECT featbit.set_targets('targets', 'b', (SELECT array_agg('user ' || n) FROM generate_series(1, 100000) n)) > 0;
	SELECT count(*) FILTER (WHERE featbit.flag_variation('user ' || n, 'targets') = 'b') FROM generate_series(90001, 110000) n), "t\nt\n10000");
refused('100,001 targets', q(SELECT featbit.set_targets('targets', 'b', (SELECT array_agg('user ' || n) FROM generate_series(1, 100001) n))), qr/^54000: .*targets/);
refused('a segment of 100,001 users', q(SELECT featbit.create_segment('crowd', (SELECT array_agg('user ' || n) FROM generate_series(1, 100001) n))), qr/^54000: /);
answers('a context of 1 MB', q(SELECT featbit.add_rule('f', '{"id": "big", "when": {"any": [{"attribute": "k9999", "op": "eq", "value": "v9999"}, {"attribute": "text", "op": "contains", "value": "needle"}, {"attribute": "list", "op": "one_of", "value": [99999]}]}, "serve": {"variation": "b"}}') > 0;
	SELECT count(*) FILTER (WHERE featbit.flag_variation('u', 'f', c) = 'b') FROM generate_series(1, 50),
		(SELECT jsonb_object_agg('k' || n, repeat('v', 100)) || '{"k9999": "v9999"}' AS c FROM generate_series(1, 9999) n OFFSET 0) o;
	SELECT featbit.flag_variation('u', 'f', jsonb_build_object('text', repeat('x', 1000000) || 'needle')), featbit.flag_variation('u', 'f', jsonb_build_object('list', (SELECT jsonb_agg(n) FROM generate_series(1, 99999) n)))), "t\n50\nb|b");

# Time: patterns that backtrack without end are cut off, and a long evaluation ends when it must
$session->query(q(SELECT featbit.create_flag('slow', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]')));
$session->query(q(UPDATE featbit.flag SET rules = (SELECT jsonb_agg(jsonb_build_object('id', 'r' || n, 'when', jsonb_build_object('attribute', 'x', 'op', 'matches', 'value', '^(a+)+(b|c|' || n || ')+$'), 'serve', '{"variation": "b"}'::jsonb)) FROM generate_series(1, 1000) n) WHERE key = 'slow'));
my $long = q(featbit.flag_variation('u', 'slow', jsonb_build_object('x', repeat('a', 40))));
answers('one hopeless pattern', q(SELECT featbit.add_rule('f', '{"id": "slow", "when": {"attribute": "x", "op": "matches", "value": "^(a+)+$"}, "serve": {"variation": "b"}}') > 0;
	SELECT featbit.flag_variation('u', 'f', jsonb_build_object('x', repeat('a', 40) || '!'))), "t\na", 3);
for my $statement ("SELECT $long", "SELECT count($long) FROM generate_series(1, 100000)",
	q(SELECT count(featbit.flag_variation('u' || n, 'rules', '{"n": -1}')) FROM generate_series(1, 100000000) n),
	q(UPDATE featbit.flag SET rules = (SELECT jsonb_agg(jsonb_build_object('id', 'r' || n, 'when', jsonb_build_object('attribute', 'x', 'op', 'matches', 'value', repeat('(a|b)*', 100) || n), 'serve', '{"variation": "b"}'::jsonb)) FROM generate_series(1, 30000) n) WHERE key = 'slow'))
{
	my $start = time;

	$session->query("SET statement_timeout = '300ms'");
	my $error = $session->error($statement);
	$session->query('RESET statement_timeout');
	cmp_ok(time - $start, '<', 4, 'statement_timeout of 300 ms ends: ' . substr($statement, 0, 60));
	like($error, $statement eq "SELECT $long" ? qr/^57014: |^$/ : qr/^57014: /, 'as it should');
	is($session->query(served('p')), 'on', 'and the session goes on');
}
$session->query(q(UPDATE featbit.flag SET rules = '[]' WHERE key = 'f'));

# Recording
refused('a variation the flag does not have', q(SELECT featbit.expose('u', 'f', variation => 'z')), qr/^22023: .*"z"/);
refused('a value that is no number', q(SELECT featbit.track('u', 'e', 'NaN')), qr/^22003: /);
refused('attributes that are no object', q(SELECT featbit.track('u', 'e', attributes => '[]')), qr/^22023: /);
refused('an event without a name', q(SELECT featbit.track('u', NULL)), qr/^22004: /);
is($session->query(q(SELECT featbit.expose(NULL::text, 'f') IS NULL, featbit.expose('u', NULL) IS NULL, featbit.expose('u', 'unknown') IS NULL, count(*) FROM facts.exposure)), 't|t|t|0', 'what cannot be evaluated is not recorded');

# Random mutations. Definitions go through UPDATE and INSERT of the tables, where they are refused or stored, and past validation
# as replication brings them, where they must evaluate; contexts go through evaluation.
my $json = JSON::PP->new->canonical->allow_nonref;
my %definitions = (
	variations => [ q([{"key": "a", "value": "A", "name": "first"}, {"key": "b", "value": "B"}]), q([{"key": "a", "value": 1.5}, {"key": "b", "value": 2}, {"key": "c", "value": 3}]), q([{"key": "a", "value": {"x": [1, {"y": null}]}}, {"key": "b", "value": []}]) ],
	prerequisites => [ q([{"flag": "p", "variations": ["on", "off"]}]) ],
	targets => [ q([{"variation": "a", "users": ["alice", "bob"]}, {"variation": "b", "users": ["u"]}]) ],
	fallthrough => [ q({"variation": "b"}), q({"split": [{"variation": "a", "weight": 90}, {"variation": "b", "weight": 10}], "by": "plan", "salt": "x"}), q({"ramp": [{"at": "2020-01-01T00:00:00Z", "split": [{"variation": "a", "weight": 1}]}, {"at": "2021-01-01T00:00:00Z", "split": [{"variation": "b", "weight": 1}]}]}) ],
	rules => [ q([{"id": "r", "name": "n", "when": {"all": [{"segment": "s"}, {"not": {"attribute": "plan", "op": "eq", "value": "team"}}, {"any": [{"attribute": "n", "op": "lt", "value": 3}, {"attribute": ["a.b"], "op": "exists"}]}]}, "serve": {"variation": "a"}, "percentage": 12.5, "from": "2020-01-01T00:00:00Z", "until": "2120-01-01T00:00:00Z"},
		{"id": "q", "when": {"attribute": "a.b.c", "op": "matches", "value": "^a|b$"}, "serve": {"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 2}]}}, {"id": "o", "when": {"flag": "p", "variations": ["on"]}, "serve": {"variation": "b"}}]),
		q([{"id": "r", "when": {"attribute": "plan", "op": "one_of", "value": ["team", 7, true]}, "serve": {"variation": "a"}}, {"id": "q", "when": {"any": [{"attribute": "plan", "op": "contains", "value": "ea"}, {"attribute": "plan", "op": "starts_with", "value": "t"}, {"attribute": "n", "op": "ge", "value": 1e10}]}, "serve": {"variation": "b"}}]) ],
	condition => [ q({"all": [{"segment": "s"}, {"any": [{"attribute": "plan", "op": "ends_with", "value": "m"}, {"not": {"attribute": "n", "op": "ne", "value": 7}}]}]}) ],
	context => [ q({"targetingKey": "u", "plan": "team", "n": 7, "a": {"b": {"c": "ab"}}, "a.b": null, "list": ["team", 7, null, {}]}) ]);
my @words = qw{a b c p s f m r on off key value name variation variations split weight by salt ramp at flag users segment attribute op when serve percentage from until id all any not eq ne lt le gt ge
	one_of contains starts_with ends_with matches exists plan team n targetingKey 2020-01-01T00:00:00Z infinity ( [a-z]+ (?<x>.)\\k<x> .*};

srand(20);
my $counts = { context => 6000, variations => 900, prerequisites => 800, targets => 800, fallthrough => 1200, rules => 2500, condition => 800 };
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
CREATE TABLE mutation (n serial, target text, value jsonb);
CREATE TABLE outcome (n int, way text, outcome text);
CREATE PROCEDURE mutate_all(way text) LANGUAGE plpgsql AS $$
DECLARE m record; r record; got text; k text;
BEGIN
	FOR m IN SELECT * FROM mutation WHERE way = 'stored' OR target <> 'context' ORDER BY n LOOP
		k := 'm';
		BEGIN
			IF m.target = 'context' THEN
				NULL;
			ELSIF m.target = 'condition' THEN
				IF m.n % 2 = 0 AND way = 'stored' THEN
					INSERT INTO featbit.segment (key, condition) VALUES ('n' || m.n, m.value);
				ELSE
					UPDATE featbit.segment SET condition = m.value WHERE environment = 'mutations' AND key = 'm';
				END IF;
			ELSIF m.n % 2 = 0 AND way = 'stored' THEN
				INSERT INTO featbit.flag (key, off_variation, variations, fallthrough, rules, targets, prerequisites)
				SELECT 'n' || m.n, 'a', CASE m.target WHEN 'variations' THEN m.value ELSE f.variations END, CASE m.target WHEN 'fallthrough' THEN m.value ELSE f.fallthrough END,
					CASE m.target WHEN 'rules' THEN m.value ELSE f.rules END, CASE m.target WHEN 'targets' THEN m.value ELSE f.targets END, CASE m.target WHEN 'prerequisites' THEN m.value ELSE f.prerequisites END
				FROM featbit.flag f WHERE f.environment = 'mutations' AND f.key = 'm';
				k := 'n' || m.n;
			ELSE
				EXECUTE format('UPDATE featbit.flag SET %I = $1 WHERE environment = ''mutations'' AND key = ''m''', m.target) USING m.value;
			END IF;
			got := '';
			FOR r IN SELECT x.* FROM unnest(CASE m.target WHEN 'context' THEN ARRAY[m.value] ELSE ARRAY['{"targetingKey": "u", "plan": "team", "n": 7, "a": {"b": {"c": "ab"}}}', '{"targetingKey": "zoe"}', '{"targetingKey": "yan"}']::jsonb[] END) c, LATERAL featbit.resolve(k, c) x LOOP
				got := got || r.reason || coalesce(':' || r.error_code, '') || ' ';
				IF r.error_code IS NOT NULL AND (r.variant IS NOT NULL OR r.value IS NOT NULL OR coalesce(r.error_message, '') = '') THEN got := got || 'INCONSISTENT '; END IF;
			END LOOP;
			PERFORM featbit.flag_variation('u', k, m.value), featbit.flag_text('u', k, 'x'), featbit.flag_number('u', k, 1), featbit.flag_int('u', k, 1), featbit.flag_json('u', k, '{}'), featbit.flag_bool('u', k, true);
			RAISE EXCEPTION USING ERRCODE = 'FB000', MESSAGE = got;
		EXCEPTION
			WHEN SQLSTATE 'FB000' THEN INSERT INTO outcome VALUES (m.n, way, rtrim(SQLERRM));
			WHEN OTHERS THEN INSERT INTO outcome VALUES (m.n, way, SQLSTATE);
		END;
	END LOOP;
END $$;
SET featbit.environment = 'mutations';
SELECT featbit.create_segment('s', '{member}');
SELECT featbit.create_flag('p', '[{"key": "on", "value": true}, {"key": "off", "value": false}]');
SELECT featbit.create_segment('m', '{zoe}');
SELECT featbit.create_flag('m', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}, {"key": "c", "value": "C"}]', off_variation => 'a');
SELECT featbit.add_rule('m', '{"id": "r", "when": {"any": [{"segment": "m"}, {"attribute": "plan", "op": "eq", "value": "team"}, {"attribute": "a.b.c", "op": "matches", "value": "^a"}, {"attribute": "n", "op": "lt", "value": 100}]}, "serve": {"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}}');
SQL
# Texts with NUL or a lone surrogate never become jsonb, so that each line that is loaded is a mutation.
$session->query("\\copy mutation (target, value) FROM '$file'");
is($session->query('SELECT count(*) FROM mutation'), 13000, 'mutations are loaded');
$session->query("CALL mutate_all('stored')");
$session->query(q(SET session_replication_role = replica));
$session->query("CALL mutate_all('replicated')");
$session->query('RESET session_replication_role');
my $documented = q(outcome !~ '^(22023|22004|22003|22007|22008|2201B|23502|23503|23505|23514|0A000|54000|54001)$');
my $reasons = q(outcome !~ '^((STATIC|DEFAULT|TARGETING_MATCH|SPLIT|DISABLED|PREREQUISITE_FAILED|ERROR:(GENERAL|TARGETING_KEY_MISSING|INVALID_CONTEXT)) ?)+$');
my $show = q(SELECT o.way, m.target, o.outcome, left(m.value::text, 300) FROM outcome o JOIN mutation m USING (n));
is($session->query("$show WHERE o.way = 'stored' AND $documented AND $reasons ORDER BY n LIMIT 5"), '', 'every mutation is stored and evaluates, or is refused with a documented SQLSTATE');
is($session->query("$show WHERE o.way = 'replicated' AND $reasons ORDER BY n LIMIT 5"), '', 'every mutation that arrives past validation evaluates');
is($session->query(q(SELECT count(DISTINCT n) || ' ' || count(*) FROM outcome)), '13000 20000', 'each context has an outcome, each definition one in both ways');
cmp_ok($session->query("SELECT count(*) FROM outcome JOIN mutation USING (n) WHERE target <> 'context' AND way = 'stored' AND outcome ~ '^[A-Z_]{3}'"), '>', 500, 'many definitions are legal');
cmp_ok($session->query("SELECT count(*) FROM outcome JOIN mutation USING (n) WHERE target <> 'context' AND way = 'stored' AND outcome ~ '^[0-9]'"), '>', 3000, 'many more are refused');
cmp_ok($session->query("SELECT count(DISTINCT outcome) FROM outcome"), '>', 12, 'outcomes are of many kinds');
# What is stored must evaluate without ERROR, except that a "by" attribute may be missing.
is($session->query("$show WHERE o.way = 'stored' AND m.target <> 'context' AND o.outcome ~ 'GENERAL' ORDER BY n LIMIT 5"), '', 'what is stored is never broken');

$session->query('RESET featbit.environment');
is($session->query(served('p')), 'on', 'the session has survived all of it');
$session->quit;
is($node->safe_psql('postgres', served('p')), 'on', 'and so has the server');
healthy($node);
done_testing();
