# Databases with an ICU collation, in LATIN1 and in SQL_ASCII find every key and serve every user as a database in UTF8 with collation C.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Featbit;
use PostgreSQL::Test::Cluster;
use Test::More;

my $node = new_node('encodings');
my %create = (
	plain => q(ENCODING 'UTF8' LOCALE 'C'),
	latin1 => q(ENCODING 'LATIN1' LOCALE 'C'),
	bytes => q(ENCODING 'SQL_ASCII' LOCALE 'C'));

if ($node->safe_psql('postgres', q(SELECT count(*) FROM pg_collation WHERE collprovider = 'i')) > 0)
{
	# Before version 15 a database cannot have an ICU collation.
	$create{icu} = q(ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US-u-kn-true' LOCALE 'C') if $node->pg_version >= 15;
}
else
{
	diag('this server is built without ICU: its collations are not tried');
}

# Keys that a natural collation orders, or equates, differently from their bytes
my (%seen, @keys);
srand(1);
my @alphabet = ('a' .. 'f', 'A' .. 'F', 0 .. 3, '-', '_', '.');
while (@keys < 700)
{
	my $key = join '', ('a' .. 'f', 'A' .. 'F', 0 .. 3)[ rand 16 ], map { $alphabet[ rand @alphabet ] } 1 .. rand 5;
	push @keys, $key unless $seen{$key}++;
}
push @keys, grep { !$seen{$_}++ } 'new-model', 'new_model', 'New-Model', 'newmodel', 'NEW-MODEL', 'new.model', 'new--model', 'n10', 'n9', 'n010', 'ae', 'co-op', 'coop', 'a.b', 'ab';

my $flags = join "\n", map {
	qq(SELECT featbit.create_flag('$_', '[{"key": "on", "value": "value of $_"}, {"key": "off", "value": "off"}]', environment => 'keys'););
} @keys;
my $segments = join "\n", map { qq(SELECT featbit.create_segment('$_', '{"member of $_"}', environment => 'keys');) } @keys[ 0 .. 199 ];
my $rules = join "\n", map {
	qq(SELECT featbit.add_rule('$_', '{"id": "r", "when": {"segment": "$_"}, "serve": {"variation": "off"}}', environment => 'keys'););
} @keys[ 0 .. 199 ];

# Everything that LATIN1 can write, in keys, values, names, segments, contexts and patterns
my $words = <<'SQL';
SET featbit.environment = 'words';
SELECT featbit.create_segment('friends', '{"Zoë","naïve user",plain}', '{"Ægir"}', '{"attribute": "ciudad", "op": "one_of", "value": ["Málaga", "Köln", "Århus"]}');
SELECT featbit.create_flag('greeting', '[{"key": "größe", "value": "Grüß Gott"}, {"key": "a", "value": "plain"}, {"key": "ß", "value": "¡Olé!"}]', off_variation => 'größe');
SELECT featbit.set_targets('greeting', 'ß', '{"José","Müller"}');
SELECT featbit.add_rule('greeting', '{"id": "freunde-é", "name": "Freunde (ü)", "when": {"segment": "friends"}, "serve": {"variation": "größe"}}');
SELECT featbit.add_rule('greeting', '{"id": "muster", "when": {"any": [{"attribute": "stadt", "op": "matches", "value": "^M.nchen$"}, {"attribute": "stadt", "op": "contains", "value": "ö"},
	{"attribute": "straße", "op": "starts_with", "value": "Ü"}, {"attribute": "stadt", "op": "ends_with", "value": "ñ"},
	{"attribute": "gruß", "op": "eq_ci", "value": "GRÜß Dich, ÉCOLE µÿ"}, {"attribute": "gruß", "op": "one_of_ci", "value": ["ÀÉÎ", "ØÞ"]}, {"attribute": "gruß", "op": "contains_ci", "value": "ÇA VA"}]}, "serve": {"variation": "ß"}}');
SELECT featbit.set_rollout('greeting', '[{"variation": "größe", "weight": 1}, {"variation": "a", "weight": 1}, {"variation": "ß", "weight": 1}]', salt => 'Salz für alle');
SELECT featbit.create_flag('by-team', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}, {"key": "c", "value": 3}]');
SELECT featbit.set_rollout('by-team', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}, {"variation": "c", "weight": 1}]', "by" => 'équipe');
SELECT featbit.create_flag('plain', '[{"key": "a", "value": 1}, {"key": "b", "value": 2}]');
SELECT featbit.set_rollout('plain', '[{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]');
INSERT INTO featbit.segment (semantics, key, name, included, condition) VALUES ('featbit', '0779d76b', 'Freunde', '{"Zoë"}', '[{"conditions": [{"property": "stadt", "op": "StartsWith", "value": "Mün"}]}]');
INSERT INTO featbit.flag (semantics, key, off_variation, variations, targets, rules, fallthrough) VALUES ('featbit', 'prüfung', 'größe', '[{"id": "größe", "name": "für alle", "value": "Grüß Gott"}, {"id": "b", "value": "¡Olé!"}, {"id": "c", "value": "c"}]',
	'[{"keyIds": ["José", "Müller"], "variationId": "b"}]',
	'[{"id": "é", "name": "Größe", "dispatchKey": "équipe", "conditions": [{"property": "stadt", "op": "MatchRegex", "value": "^M.nchen$|ñ\\b"}, {"property": "straße", "op": "NotContain", "value": "ü"}], "variations": [{"id": "b", "rollout": [0, 0.5]}, {"id": "c", "rollout": [0.5, 1]}]},
	{"name": "list", "conditions": [{"property": "ciudad", "op": "IsOneOf", "value": "[\"M\\u00e1laga\", \"Köln\"]"}], "variations": [{"id": "größe", "rollout": [0, 1]}]},
	{"name": "segment", "conditions": [{"property": "User is in segment", "op": null, "value": "[\"0779d76b\", \"größe\"]"}], "variations": [{"id": "größe", "rollout": [0, 1]}]}]',
	'{"variations": [{"id": "größe", "rollout": [0, 0.3]}, {"id": "b", "rollout": [0.3, 0.6]}, {"id": "c", "rollout": [0.6, 1]}]}');
SELECT featbit.create_tracking('facts');
SQL

my $users = <<'SQL';
(VALUES ('José'), ('Müller'), ('Zoë'), ('naïve user'), ('Ægir'), ('plain'), ('Jose'), (''), ('user-1'), ('user-é'), ('©®¿÷ÿ'), ('a longer key, as a mail address has: françois.müller@example.org')) u (u)
SQL
my %questions = (
	'served variations' => qq(SELECT u, c, f, r.value, r.variant, r.reason, r.error_code, r.error_message, r.metadata FROM $users,
		(VALUES ('{}'), ('{"ciudad": "Málaga"}'), ('{"ciudad": "Malaga", "stadt": "München"}'), ('{"stadt": "Munchen"}'), ('{"stadt": "Köln"}'), ('{"straße": "Überweg"}'), ('{"stadt": "Ñuñoñ"}'), ('{"équipe": "façade"}'), ('{"équipe": "façades", "ciudad": "Århus"}'), ('{"equipe": "x"}'),
		('{"gruß": "grüß DICH, école µÿ"}'), ('{"gruß": "øþ"}'), ('{"gruß": "Comment ça va?"}'), ('{"gruß": "oth"}')) c (c),
		(VALUES ('greeting'), ('by-team'), ('plain'), ('größer'), ('prüfung')) f (f), featbit.resolve(f, jsonb_build_object('targetingKey', u) || c::jsonb) r ORDER BY f, c, u COLLATE "C"),
	'300 users with accents' => q(SELECT string_agg(featbit.flag_variation('bénéficiaire-' || n, 'greeting'), ',' ORDER BY n), string_agg(featbit.flag_variation(n, 'plain'), ',' ORDER BY n) FROM generate_series(1, 300) n),
	'values' => qq(SELECT u, featbit.evaluate_flag(u, 'greeting'), featbit.flag_text(u, 'greeting', 'défaut'), featbit.flag_text(u, 'nada', 'défaut') FROM $users ORDER BY u COLLATE "C"),
	'as FeatBit' => qq(SELECT u, featbit.featbit_bucket('prüfung' || u), featbit.assign(featbit.flag_definition('prüfung'), u, '{"stadt": "ñ"}'), (SELECT string_agg(concat_ws(' ', path, expected, actual, outcome, hash_input, bucket, range, reason), '; ' ORDER BY step) FROM featbit.explain_flag(u, 'prüfung', '{"stadt": "München", "équipe": "façade"}')) FROM $users ORDER BY u COLLATE "C"),
	'recorded exposures' => qq(SELECT featbit.expose(u, 'greeting'), featbit.expose(u, 'by-team', jsonb_build_object('équipe', u)) FROM $users ORDER BY u COLLATE "C";
		SELECT flag_key, user_key, variation, rule_id, unit_key, randomised FROM facts.exposure ORDER BY flag_key COLLATE "C", user_key COLLATE "C"),
	'history' => q(SELECT key, revision, changed, definition - 'updated_at' FROM featbit.flag_revision ORDER BY kind, key, revision),
);

# Returns the lines that one of two answers has and the other has not; their order depends on the collation.
sub differences
{
	my ($one, $other) = @_;
	my %balance;

	$balance{$_}++ for split /\n/, $one;
	$balance{$_}-- for split /\n/, $other;
	return join "\n", map { ($balance{$_} > 0 ? '+' : '-') . $_ } grep { $balance{$_} } sort keys %balance;
}

my %answers;
for my $database (sort keys %create)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 $create{$database}");
	# In SQL_ASCII the client's bytes, UTF-8 here, are stored as they are.
	$node->safe_psql('postgres', "ALTER DATABASE $database SET featbit.environment = 'words'");
	$node->safe_psql($database, 'CREATE EXTENSION featbit_pg');
	local $ENV{PGCLIENTENCODING} = $database eq 'bytes' ? 'SQL_ASCII' : 'UTF8';
	$node->safe_psql($database, "BEGIN;\n$flags\n$segments\n$rules\nCOMMIT;");
	$node->safe_psql($database, $words);
	$answers{$database}{$_} = $node->safe_psql($database, $questions{$_}) for sort keys %questions;

	my $found = q(SELECT count(*), count(*) FILTER (WHERE featbit.evaluate_flag('u', key, '{}', 'keys') = 'value of ' || key) FROM featbit.flag WHERE environment = 'keys');
	is($node->safe_psql($database, $found), @keys . '|' . @keys, "$database: every key is found");
	is($node->safe_psql($database, q(SELECT count(*) FROM featbit.segment WHERE environment = 'keys' AND featbit.flag_variation('member of ' || key, key, '{}', 'keys') = 'off')), 200,
		"$database: every segment is found");
	is($node->safe_psql($database, q(SELECT count(*) FROM featbit.segment s JOIN featbit.segment o ON o.environment = 'keys' AND o.key <> s.key
		WHERE s.environment = 'keys' AND featbit.flag_variation('member of ' || o.key, s.key, '{}', 'keys') <> 'on')), 0, "$database: and no other");
	my @unknown = grep { !$seen{$_} } map { (uc, lc, "$_-", "${_}0") } @keys;
	my $list = join ',', map { "('$_')" } @unknown;
	is($node->safe_psql($database, "SELECT count(featbit.flag_variation('u', k, '{}', 'keys')) FROM (VALUES $list) k (k)"), 0, "$database: a key that differs in case or punctuation is another key");
}

for my $question (sort keys %questions)
{
	cmp_ok(length($answers{plain}{$question}), '>', 400, "$question: there are answers");
	for my $database (grep { $_ ne 'plain' } sort keys %create)
	{
		is(differences($answers{$database}{$question}, $answers{plain}{$question}), '', "$question: $database as UTF8");
	}
}
like($answers{plain}{'served variations'}, qr/\|größe\|TARGETING_MATCH\|/, 'a condition on a name with an accent is met');
like($answers{plain}{'served variations'}, qr/\|¡Olé!"\|ß\|TARGETING_MATCH\||"¡Olé!"\|ß\|TARGETING_MATCH/, 'a target with an accent is met');
like($answers{plain}{'served variations'}, qr/München.*"muster"/, 'a pattern takes an accented letter for one character');
like($answers{plain}{'served variations'}, qr/prüfung\|"Grüß Gott"\|größe.*"kind": "RuleMatch"/, 'a list of FeatBit\'s with an escape is met');

for my $text ('grüß DICH, école µÿ', 'øþ', 'Comment ça va\?')
{
	like($answers{plain}{'served variations'}, qr/"gruß": "$text"\}.*"muster"/, "\"$text\" is found without its case");
}
unlike($answers{plain}{'served variations'}, qr/"gruß": "oth"\}.*"muster"/, 'another text is not');

# Bytes that are no UTF-8, which only SQL_ASCII admits
{
	local $ENV{PGCLIENTENCODING} = 'SQL_ASCII';
	my @served = map { $node->safe_psql('bytes', sprintf(q(SELECT string_agg(featbit.flag_variation(E'%s' || n, 'plain'), '' ORDER BY n) FROM generate_series(1, 64) n), $_)) } '\\xC3\\xA9', '\\xE9', '\\xE8';
	my $latin = $node->safe_psql('latin1', q(SELECT string_agg(featbit.flag_variation(E'\\xE9' || n, 'plain'), '' ORDER BY n) FROM generate_series(1, 64) n));
	is($served[0], $latin, 'the byte of LATIN1 is hashed as UTF-8');
	isnt($served[0], $served[1], 'in SQL_ASCII it is hashed as it is');
	isnt($served[1], $served[2], 'and differs from another byte');
	is($node->safe_psql('bytes', q(SELECT featbit.set_targets('plain', 'b', ARRAY[E'\\xff\\xfe']) > 0, featbit.add_rule('plain', '{"id": "r", "when": {"attribute": "x", "op": "matches", "value": "^.$"}, "serve": {"variation": "b"}}') > 0)),
		't|t', 'such bytes may be targets');
	is($node->safe_psql('bytes', q(SELECT reason FROM featbit.resolve('plain', jsonb_build_object('targetingKey', E'\\xff\\xfe')))), 'TARGETING_MATCH', 'that are met');
	is($node->safe_psql('bytes', q(SELECT reason FROM featbit.resolve('plain', jsonb_build_object('targetingKey', 'x', 'x', E'\\xe9')))), 'SPLIT', 'a pattern is not met by what is no text');
	$node->safe_psql('bytes', q(SELECT featbit.add_rule('plain', jsonb_build_object('id', 'c', 'when', jsonb_build_object('attribute', 'y', 'op', 'eq_ci', 'value', E'A\\xe9B\\xc3\\xa9'), 'serve', '{"variation": "b"}'::jsonb))));
	is($node->safe_psql('bytes', q(SELECT string_agg(reason, ' ' ORDER BY n) FROM unnest(ARRAY[E'a\\xe9b\\xc3\\x89', E'a\\xc9b\\xc3\\x89']) WITH ORDINALITY v (y, n), featbit.resolve('plain', jsonb_build_object('targetingKey', 'x', 'y', y)))),
		'TARGETING_MATCH SPLIT', 'case is taken out of what is text, other bytes stay');
}

healthy($node);
done_testing();
