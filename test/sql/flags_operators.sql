-- what every operator answers for every JSON type of the attribute, at the edges of its format, and what it refuses
SET featbit.environment = 'test_operators';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset format unaligned
\pset fieldsep '  '

-- whether a user with this attribute (NULL: without it) meets a condition on 2026-05-03
CREATE FUNCTION pg_temp.meets(attribute jsonb, op text, value jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT featbit.assign(jsonb_build_object('format', 1, 'flag', 'f', 'segments', '{}'::jsonb, 'flags', jsonb_build_object('f', jsonb_build_object(
            'salt', 'f', 'type', 'boolean', 'enabled', true, 'targets', '[]'::jsonb, 'archived', false, 'revision', 1, 'iteration', 0, 'semantics', 'native',
            'prerequisites', '[]'::jsonb, 'variations', '[{"key": "met", "value": true}, {"key": "not", "value": false}]'::jsonb,
            'fallthrough', '{"variation": "not"}'::jsonb, 'rules', jsonb_build_array(jsonb_build_object('id', 'r', 'serve', '{"variation": "met"}'::jsonb,
                'when', jsonb_build_object('attribute', 'a', 'op', op) || CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END))))),
        'u', CASE WHEN attribute IS NULL THEN '{}' ELSE jsonb_build_object('a', attribute) END, '2026-05-03 00:00:00+00')::boolean
$$;
-- what the validation says to a condition
CREATE FUNCTION pg_temp.refused(op text, value jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    hint text;
BEGIN
    INSERT INTO featbit.segment (key, condition) VALUES ('s', jsonb_build_object('attribute', 'a', 'op', op) || CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END);
    RAISE EXCEPTION USING ERRCODE = 'ZZ999', MESSAGE = 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN CASE SQLSTATE WHEN 'ZZ999' THEN message ELSE SQLSTATE || ' ' || message END || coalesce(E'\n    HINT: ' || nullif(hint, ''), '');
END $$;
-- the attributes and conditions of the table
CREATE TEMP TABLE attribute (n int GENERATED ALWAYS AS IDENTITY, type text, value jsonb);
INSERT INTO attribute (type, value) VALUES ('string', '"Pro"'), ('string', '"pro plan"'), ('string', '"7"'), ('string', '""'), ('string', '"2.1.0"'), ('string', '"2026-05-01T09:00:00Z"'), ('string', '"10.1.2.3"'),
    ('number', '7'), ('number', '7.5'), ('number', '12'), ('boolean', 'true'), ('boolean', 'false'), ('null', 'null'), ('array', '["pro", 7, true, null]'), ('array', '["Pro"]'), ('array', '[]'), ('array', '[["pro"]]'), ('object', '{"plan": "pro"}'), ('object', '{}'), ('missing', NULL);
CREATE TEMP TABLE condition (n int GENERATED ALWAYS AS IDENTITY, op text, value jsonb);
INSERT INTO condition (op, value) VALUES
    ('eq', '"pro"'), ('eq', '7'), ('eq', '"7"'), ('eq', 'true'), ('ne', '"pro"'), ('ne', '7'), ('eq_ci', '"PRO"'), ('eq_ci', '7'), ('ne_ci', '"PRO"'),
    ('one_of', '["pro", 7]'), ('one_of', '["7", true]'), ('one_of', '[]'), ('not_one_of', '["pro", 7]'), ('not_one_of', '[]'), ('one_of_ci', '["PRO", 12]'), ('not_one_of_ci', '["PRO", 12]'),
    ('contains', '"ro"'), ('contains', '["x", "7"]'), ('contains_ci', '"RO"'), ('starts_with', '"pro"'), ('starts_with', '["7", "10."]'), ('starts_with_ci', '"PRO"'), ('ends_with', '"plan"'), ('ends_with', '["o", "7"]'), ('ends_with_ci', '"PRO"'),
    ('matches', '"^[a-z ]+$"'), ('matches', '"(?i)^pro$"'),
    ('lt', '7.5'), ('le', '7.5'), ('gt', '7'), ('ge', '7'), ('between', '[7, 7.5]'), ('modulo', '{"divisor": 5, "remainders": [2]}'),
    ('before', '"2026-05-02"'), ('before', '"-1d"'), ('after', '"2026-05-01"'), ('after', '"-1d"'),
    ('semver_eq', '"2.1"'), ('semver_ne', '"2.1"'), ('semver_lt', '"2.2"'), ('semver_le', '"2.1.0"'), ('semver_gt', '"2.0.9"'), ('semver_ge', '"2.2"'), ('semver_in', '"^2.0.5"'), ('semver_in', '["7.x", "<1"]'),
    ('in_cidr', '"10.0.0.0/8"'), ('in_cidr', '["192.168.0.0/16", "::/0"]'),
    ('array_contains_any', '["pro", 12]'), ('array_contains_any', '[]'), ('array_contains_all', '["pro", 7]'), ('array_contains_all', '["pro", 12]'), ('array_contains_all', '[]'), ('array_contains_none', '["pro", 12]'), ('array_contains_none', '[]'),
    ('exists', NULL), ('is_null', NULL), ('is_true', NULL), ('is_false', NULL);

\echo == the table: m where the condition is met
\pset fieldsep ' '
SELECT string_agg(rpad(coalesce(value::text, '(missing)'), 24) || type, E'\n' ORDER BY n) AS columns FROM attribute;
SELECT rpad(c.op || ' ' || coalesce(c.value::text, ''), 42) AS "condition                                 ",
    (SELECT string_agg(CASE WHEN pg_temp.meets(a.value, c.op, c.value) THEN 'm' ELSE '.' END, '' ORDER BY a.n) FROM attribute a) AS "SSSSSSSNNNBB0AAAAOO-"
FROM condition c ORDER BY n;
-- every operator is in the table
SELECT regexp_split_to_table(substring(pg_temp.refused('no such operator at all', '1') from 'Operators are (.*)\.'), ', | and ') EXCEPT SELECT op FROM condition;
\pset fieldsep '  '

\echo == text without case
SELECT left(attribute, 20) AS attribute, left(value, 20) AS value, pg_temp.meets(to_jsonb(attribute), 'eq_ci', to_jsonb(value)) AS eq_ci, pg_temp.meets(to_jsonb(attribute), 'one_of_ci', jsonb_build_array(value)) AS one_of_ci, pg_temp.meets(to_jsonb('<' || attribute || '>'), 'contains_ci', to_jsonb(value)) AS contains_ci
FROM (VALUES ('STRASSE', 'straße'), ('GROẞ', 'groß'), ('ÉCOLE', 'école'), ('ЖЕЛАНИЕ', 'желание'), ('ΣΊΣΥΦΟΣ', 'σίσυφος'), ('I', 'i'), ('İ', 'i'), ('I', 'ı'), ('K', 'k'), ('日本', '日本'), (E'e\u0301', E'\u00C9'),
    (repeat('Ö', 500), repeat('ö', 500)), (repeat('Ö', 501), repeat('ö', 500))) AS v (attribute, value);

\echo == timestamps
-- never the session's time zone, never its date style
SET TimeZone = 'America/New_York'; SET DateStyle = 'German, DMY';
SELECT attribute, pg_temp.meets(to_jsonb(attribute), 'before', '"2026-03-29T01:00:00Z"') AS before, pg_temp.meets(to_jsonb(attribute), 'after', '"2026-03-29T01:00:00Z"') AS after
FROM (VALUES ('2026-03-29T01:00:00Z'), ('2026-03-29 01:00'), ('2026-03-29T03:00:00+02:00'), ('2026-03-29T00:59:59.999999Z'), ('2026-03-29T01:00:00.000001Z'), ('2026-03-29T00:59:60Z'), ('2026-03-29'), ('2026-03-30'),
    ('29.03.2026'), ('now'), ('tomorrow'), ('infinity'), ('1774746000'), ('2026-03-29T01:00:00 Europe/Berlin'), ('2026-02-29')) AS v (attribute);
RESET TimeZone; RESET DateStyle;
-- relative to the time of the evaluation, 2026-05-03 00:00 UTC
SELECT value, pg_temp.meets('"2026-05-01T12:00:00Z"', 'before', value) AS before, pg_temp.meets('"2026-05-01T12:00:00Z"', 'after', value) AS after
FROM (VALUES ('"-1d"'::jsonb), ('"-2d"'), ('"-36h"'), ('"-2160m"'), ('"-129600s"'), ('"-129601s"'), ('"-1w"'), ('"+0s"'), ('"+9999999w"'), ('"-9999999w"')) AS v (value);
-- at stored evaluation it is the time of the statement
SELECT featbit.create_flag('recent', '[{"key": "met", "value": true}, {"key": "not", "value": false}]', fallthrough => '{"variation": "not"}'),
    featbit.add_rule('recent', '{"id": "r", "when": {"attribute": "seen", "op": "after", "value": "-7d"}, "serve": {"variation": "met"}}');
SELECT days, featbit.flag_bool('u', 'recent', NULL, jsonb_build_object('seen', to_char((now() - days) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SSZ'))) FROM (VALUES (interval '6 days 23 hours'), ('7 days 1 hour'), ('-1 hour')) AS v (days);
SELECT featbit.assign(featbit.flag_definition('recent'), 'u', '{"seen": "2026-05-01"}', NULL);

\echo == versions
SELECT attribute, pg_temp.meets(to_jsonb(attribute), 'semver_lt', '"1.10.0"') AS lt, pg_temp.meets(to_jsonb(attribute), 'semver_eq', '"1.10.0"') AS eq, pg_temp.meets(to_jsonb(attribute), 'semver_gt', '"1.10.0"') AS gt
FROM (VALUES ('1.9.9'), ('1.10.0'), ('v1.10'), ('1.10.0+build.7'), ('1.10.0-rc.1'), ('1.10.1-rc.1'), ('1.11'), ('18446744073709551616.0.0'), ('1.10.0.0'), ('01.10.0'), ('1.10.0-01'), ('one'), ('')) AS v (attribute);
SELECT value, (SELECT string_agg(version, ' ' ORDER BY n) FILTER (WHERE pg_temp.meets(to_jsonb(version), 'semver_in', value))
    FROM unnest('{0.9.0,1.2.2,1.2.3-beta,1.2.3,1.2.9,1.3.0-rc,1.3.0,1.9.9,2.0.0-rc,2.0.0,2.1.0}'::text[]) WITH ORDINALITY AS v (version, n)) AS versions
FROM (VALUES ('"1.2.3"'::jsonb), ('"1.2"'), ('"1.x"'), ('"*"'), ('"~1.2.3"'), ('"~1.2"'), ('"^1.2.3"'), ('"^1.2.3-beta"'), ('"^0.9"'), ('">=1.2.3 <2.0.0"'), ('">=1.2.3 <2.0.0-0"'), ('">1.2"'), ('"1.2.3 - 1.3"'), ('"~1.2 || >=2.0"'), ('["1.2.2", "2.1"]'), ('[]')) AS v (value);

\echo == addresses
SELECT attribute, (SELECT string_agg(network, ' ' ORDER BY n) FILTER (WHERE pg_temp.meets(to_jsonb(attribute), 'in_cidr', to_jsonb(network)))
    FROM unnest('{0.0.0.0/0,10.0.0.0/8,10.1.2.3,::/0,::ffff:10.0.0.0/104,2001:db8::/32,::1}'::text[]) WITH ORDINALITY AS v (network, n)) AS networks
FROM (VALUES ('10.1.2.3'), ('10.1.2.4'), ('11.0.0.0'), ('::ffff:10.1.2.3'), ('::FFFF:0a01:0203'), ('2001:db8::1'), ('2001:DB8:0:0:0:0:0:1'), ('::1'), ('::10.1.2.3'), ('010.1.2.3'), ('10.1.2'), ('10.1.2.3:80'), ('[::1]'), ('fe80::1%eth0'), ('localhost'), ('')) AS v (attribute);

\echo == long lists
SELECT op, min(n) FILTER (WHERE met), max(n) FILTER (WHERE met), count(*) FILTER (WHERE met) FROM (
    SELECT op, n, pg_temp.meets(CASE WHEN op = 'in_cidr' THEN to_jsonb('10.0.' || n / 256 || '.' || n % 256) WHEN op LIKE 'array%' THEN jsonb_build_array('x', 'Item ' || n) ELSE to_jsonb('Item ' || n) END, op, value) AS met
    FROM (VALUES ('one_of', (SELECT jsonb_agg('Item ' || i * 3) FROM generate_series(0, 9999) i)), ('one_of_ci', (SELECT jsonb_agg('ITEM ' || i * 3) FROM generate_series(0, 9999) i)),
        ('array_contains_any', (SELECT jsonb_agg('Item ' || i * 3) FROM generate_series(0, 9999) i)), ('ends_with_ci', (SELECT jsonb_agg('M ' || i * 3) FROM generate_series(0, 9999) i)),
        ('in_cidr', (SELECT jsonb_agg('10.0.' || i * 3 / 256 || '.' || i * 3 % 256) FROM generate_series(0, 9999) i))) AS v (op, value), (VALUES (0), (1), (14997), (14998), (29997), (29999), (30000)) AS w (n)) AS s GROUP BY op ORDER BY op;

\echo == modulo
SELECT value, pg_temp.meets(value, 'modulo', '{"divisor": 10, "remainders": [9, 0]}') FROM (VALUES ('0'::jsonb), ('9'), ('10'), ('-1'), ('-10'), ('-9'), ('19.0'), ('19.5'), ('123456789012345678901234567890'), ('123456789012345678901234567889'), ('-123456789012345678901234567881'), ('1e30'), ('"9"')) AS v (value);

\echo == what is refused
SELECT op, left(value::text, 60) AS value, pg_temp.refused(op, value) FROM (VALUES
    ('eq_ci', NULL::jsonb), ('eq_ci', 'null'), ('one_of_ci', '"a"'), ('contains_ci', '7'), ('contains_ci', '["a", 7]'), ('starts_with_ci', to_jsonb(repeat('x', 1025))),
    ('before', '5'), ('before', '"7d"'), ('before', '"-7y"'), ('before', '"-12345678d"'), ('after', '"tomorrow"'), ('after', '"2026-02-30"'), ('after', '["-7d"]'), ('after', '"-7d"'),
    ('semver_eq', '1.2'), ('semver_eq', '"1.2.3.4"'), ('semver_ge', '"^1.2"'), ('semver_lt', '"01.2.3"'), ('semver_lt', '"v1.2"'),
    ('semver_in', '1'), ('semver_in', '""'), ('semver_in', '"1.2.3.4"'), ('semver_in', '">=1.0, <2.0"'), ('semver_in', '">2 <1"'), ('semver_in', '["^1", "!=2"]'), ('semver_in', '["^1", 2]'), ('semver_in', to_jsonb(repeat('1 || ', 32) || '2')),
    ('semver_in', (SELECT jsonb_agg('1'::text) FROM generate_series(1, 1001))), ('semver_in', to_jsonb(repeat('1 || ', 31) || '2')),
    ('in_cidr', '7'), ('in_cidr', '"example.org"'), ('in_cidr', '["10.0.0.0/8", "10.0.0.0/33"]'), ('in_cidr', '"10.1.2.3/8"'), ('in_cidr', '"2001:db8::1/64"'), ('in_cidr', '"10/8"'), ('in_cidr', '["10.0.0.0/8", null]'), ('in_cidr', '{}'), ('in_cidr', '[]'),
    ('array_contains_any', '"a"'), ('array_contains_all', '[["a"]]'), ('array_contains_all', (SELECT jsonb_agg(n) FROM generate_series(1, 1001) n)), ('array_contains_all', (SELECT jsonb_agg(n) FROM generate_series(1, 1000) n)),
    ('modulo', '10'), ('modulo', '{}'), ('modulo', '{"divisor": 10}'), ('modulo', '{"divisor": 0, "remainders": []}'), ('modulo', '{"divisor": 2.5, "remainders": []}'), ('modulo', '{"divisor": 2147483648, "remainders": []}'),
    ('modulo', '{"divisor": 10, "remainders": [10]}'), ('modulo', '{"divisor": 10, "remainders": [-1]}'), ('modulo', '{"divisor": 10, "remainders": 1}'), ('modulo', '{"divisor": 10, "remainder": [1]}'), ('modulo', '{"divisor": 2147483647, "remainders": []}')) AS v (op, value);
-- what other systems call them, and what is nearly right
SELECT op, substring(pg_temp.refused(op, '1') from 'Did you mean "(\w+)"') FROM unnest('{icontains,EQ_CI,contain_ci,semver_gte,semver_neq,semver_tilde,^,cidr,incidr,is_date_before,bfore,array_contains,arraycontainsall,mod,%,xyz}'::text[]) op;
