-- Random flags, contexts and times, all derived from a number, and what must hold for each of them.
--
-- property.check_batch(seed, count) makes count flags in an environment of its own, evaluates them in every way there is,
-- and returns a row for each disagreement. The same seed gives the same flags: to look into a disagreement, run its batch again.
--
-- To extend: add values to property.operand and property.attribute. Which operand goes with which operator is found out by
-- trying, so that a new operator takes part by itself; one that no operand fits makes property.prepare() fail. "@past",
-- "@recent", "@soon" and "@late" stand for times around the time of the case.
CREATE SCHEMA property;
SET search_path = property, pg_catalog;

-- Values of conditions; NULL is none at all.
CREATE TABLE operand (value jsonb);
INSERT INTO operand VALUES
	(NULL), ('"pro"'), ('"Pro"'), ('"free"'), ('""'), ('"ö"'), ('"a"'), ('7'), ('18'), ('18.5'), ('-1'), ('1e3'), ('true'), ('false'),
	('["pro", "de"]'), ('["PRO", "x"]'), ('[7, 18, 2.5]'), ('[true, "a", 1]'), ('[]'), ('[10, 20]'), ('[17.5, 18]'), ('[3, 1]'), ('[2, 0]'),
	('"^p.*o$"'), ('"\\bx|e$"'), ('"@past"'), ('"@recent"'), ('"@soon"'), ('"@late"'), ('"-7d"'), ('"-1h"'), ('"+7d"'), ('["@past", "@soon"]'),
	('"1.2.3"'), ('"2.0.0-rc.1"'), ('"1.2"'), ('"^1.2.0"'), ('"~1.2.0"'), ('"10.0.0.0/8"'), ('["192.168.0.0/16", "2001:db8::/32"]'),
	('{"divisor": 3, "remainders": [0, 1]}'), ('{"divisor": 2, "remainders": [1]}');

-- Values of attributes; a context has each attribute in most cases.
CREATE TABLE attribute (name text, value jsonb);
INSERT INTO attribute VALUES
	('plan', '"pro"'), ('plan', '"free"'), ('plan', '"PRO"'), ('plan', '"prologue"'), ('plan', 'null'), ('plan', '""'), ('plan', '7'),
	('age', '17'), ('age', '18'), ('age', '18.0'), ('age', '18.25'), ('age', '-1'), ('age', '1000'), ('age', '"18"'), ('age', '12345678901234567890.5'),
	('beta', 'true'), ('beta', 'false'), ('beta', '"true"'), ('beta', 'null'),
	('tags', '["pro", "x"]'), ('tags', '[7, true]'), ('tags', '[]'), ('tags', '"x"'), ('tags', '["ö", ["de"]]'),
	('user', '{"country": "de", "id": 7}'), ('user', '{"country": "fr"}'), ('user', '{"country": null}'), ('user', '"de"'),
	('version', '"1.2.3"'), ('version', '"1.2.3-rc.1"'), ('version', '"1.10.0"'), ('version', '"2.0.0"'), ('version', '"one"'), ('version', '1.2'),
	('ip', '"10.1.2.3"'), ('ip', '"192.168.7.7"'), ('ip', '"2001:db8::1"'), ('ip', '"::ffff:10.1.2.3"'), ('ip', '"10.1.2"'),
	('seen', '"@past"'), ('seen', '"@recent"'), ('seen', '"@soon"'), ('seen', '"@late"'), ('seen', '"yesterday"'),
	('org', '7'), ('org', '-7'), ('org', '"acme"'), ('org', '7.00'), ('org', 'true'), ('org', '{"id": 1}'), ('org', 'null'),
	('a.b', '"pro"'), ('a.b', '18');

-- Properties that FeatBit's conditions ask for, and values of its conditions, whatever the operator needs.
CREATE TABLE featbit_property (name text);
INSERT INTO featbit_property VALUES ('plan'), ('plan'), ('age'), ('age'), ('beta'), ('tags'), ('user'), ('version'), ('org'), ('a.b'), ('keyId'), ('name'), ('nowhere'), (''), (NULL);
CREATE TABLE featbit_value (value text);
INSERT INTO featbit_value VALUES ('pro'), ('Pro'), ('p'), (''), ('18'), ('17.5'), ('1,000'), ('-1e0'), ('Infinity'), ('NaN'), ('true'), ('["pro", "18", "true"]'), ('["x", null]'), ('[]'), ('null'), ('[1]'),
	('^p.*o$'), ('^\d+$'), ('[a-z-[p]]'), ('('), ('(?i)PRO'), ('\bpro\b'), ('["s1"]'), ('["s2", "s5"]'), ('["s6", "nobody"]'), (NULL);
CREATE TABLE featbit_op (op text);
INSERT INTO featbit_op VALUES ('LessThan'), ('LessEqualThan'), ('BiggerThan'), ('BiggerEqualThan'), ('Equal'), ('NotEqual'), ('Contains'), ('NotContain'), ('StartsWith'), ('EndsWith'), ('MatchRegex'), ('NotMatchRegex'),
	('IsOneOf'), ('NotOneOf'), ('IsTrue'), ('IsFalse'), ('Like'), (NULL);

-- Attributes that conditions ask for; some lie deeper, some are never there.
CREATE TABLE path (path jsonb);
INSERT INTO path SELECT DISTINCT to_jsonb(name) FROM attribute WHERE name !~ '\.';
INSERT INTO path VALUES ('"user.country"'), ('["user", "id"]'), ('["a.b"]'), ('"user.country.name"'), ('"nowhere"');

-- Filled by prepare: what property.operand gives each operator, and lists that the functions draw from.
CREATE TABLE legal (op text, value jsonb);
CREATE TABLE pool (legal jsonb, paths jsonb, attributes jsonb, featbit jsonb);

-- A number from 0 to below - 1 that depends on the seed alone.
CREATE FUNCTION draw(seed text, below int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (hashtextextended(seed, 0) & 2147483647) % below;

-- Puts times around base into JSON.
CREATE FUNCTION around(value jsonb, base timestamptz) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	text text := value::text;
BEGIN
	IF strpos(text, '@') = 0 THEN
		RETURN value;
	END IF;
	RETURN replace(replace(replace(replace(text, '@past', property.moment(base, -30)), '@recent', property.moment(base, -3)),
		'@soon', property.moment(base, 3)), '@late', property.moment(base, 30))::jsonb;
END $$;

CREATE FUNCTION moment(base timestamptz, days int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN to_char((base AT TIME ZONE 'UTC') + make_interval(days => days), 'YYYY-MM-DD"T"HH24:MI:SS"Z"');

-- Condition on an attribute.
CREATE FUNCTION leaf(seed text, pool property.pool, base timestamptz) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	operator jsonb := (pool).legal -> property.draw(seed || 'o', jsonb_array_length((pool).legal));
	operands jsonb := operator -> 'values';
	operand jsonb := operands -> property.draw(seed || 'v', jsonb_array_length(operands));
	path jsonb := (pool).paths -> property.draw(seed || 'p', jsonb_array_length((pool).paths));
BEGIN
	RETURN jsonb_build_object('attribute', path, 'op', operator -> 'op') ||
		CASE WHEN operand = '{}' THEN '{}' ELSE property.around(operand, base) END;
END $$;

-- Condition of any kind: up to four levels, on segments s1 … and on flags f1 … below the given numbers.
CREATE FUNCTION condition(seed text, level int, segments int, flags int, pool property.pool, base timestamptz) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	kind int := property.draw(seed || 'k', 100);
	parts jsonb := '[]';
BEGIN
	IF level < 4 AND kind < 36 THEN
		FOR i IN 1 .. property.draw(seed || 'n', 9 - level) / 2 LOOP
			parts := parts || jsonb_build_array(property.condition(seed || i, level + 1, segments, flags, pool, base));
		END LOOP;
		RETURN jsonb_build_object(CASE WHEN kind < 18 THEN 'all' ELSE 'any' END, parts);
	ELSIF level < 4 AND kind < 46 THEN
		RETURN jsonb_build_object('not', property.condition(seed || '!', level + 1, segments, flags, pool, base));
	ELSIF kind < 56 AND segments > 1 THEN
		RETURN jsonb_build_object('segment', 's' || 1 + property.draw(seed || 's', segments - 1));
	ELSIF kind < 62 AND flags > 1 THEN
		RETURN jsonb_build_object('flag', 'f' || 1 + property.draw(seed || 'f', flags - 1),
			'variations', CASE WHEN kind % 2 = 0 THEN '["v0"]' ELSE '["v1", "v0"]' END::jsonb);
	END IF;
	RETURN property.leaf(seed, pool, base);
END $$;

-- Split over some of the variations v0 …; the weights differ by orders of magnitude and may be 0.
CREATE FUNCTION split(seed text, variations int) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (SELECT jsonb_agg(jsonb_build_object('variation', 'v' || property.draw(seed || 'v' || i, variations),
			'weight', CASE WHEN i = 1 THEN 1 ELSE 0 END + (ARRAY[0, 1, 9, 90, 1000000])[1 + property.draw(seed || 'w' || i, 5)]))
		FROM generate_series(1, 1 + property.draw(seed || 'n', 4)) i);

-- What a rule or the fallthrough serves.
CREATE FUNCTION serve(seed text, variations int, base timestamptz) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	kind int := property.draw(seed || 'k', 100);
	result jsonb;
	first int := property.draw(seed || 'f', 4);
BEGIN
	IF kind < 45 THEN
		RETURN jsonb_build_object('variation', 'v' || property.draw(seed || 'v', variations));
	ELSIF kind < 80 THEN
		result := jsonb_build_object('split', property.split(seed, variations));
	ELSE
		result := jsonb_build_object('ramp', (SELECT jsonb_agg(jsonb_build_object(
				'at', property.moment(base, (ARRAY[-30, -3, 3, 30])[1 + stage]), 'split', property.split(seed || stage, variations)) ORDER BY stage)
			FROM generate_series(first, 3) stage));
	END IF;
	IF property.draw(seed || 'b', 100) < 30 THEN
		result := result || jsonb_build_object('by', (ARRAY['"org"', '"user.country"', '["a.b"]', '"age"', '"tags"']::jsonb[])[1 + property.draw(seed || 'a', 5)]);
	END IF;
	IF property.draw(seed || 's', 100) < 30 THEN
		result := result || jsonb_build_object('salt', 'salt ' || property.draw(seed || 't', 5));
	END IF;
	RETURN result;
END $$;

-- Rule: id, condition, serve, and in some cases percentage, from and until.
CREATE FUNCTION rule(seed text, number int, variations int, segments int, flags int, pool property.pool, base timestamptz) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	result jsonb := jsonb_build_object('id', 'r' || number, 'when', property.condition(seed || 'c', 1, segments, flags, pool, base),
		'serve', property.serve(seed || 'v', variations, base));
	window_kind int := property.draw(seed || 'w', 100);
BEGIN
	IF property.draw(seed || 'p', 100) < 30 THEN
		result := result || jsonb_build_object('percentage', (ARRAY[0, 0.001, 20, 33.333, 75, 100])[1 + property.draw(seed || 'q', 6)]);
	END IF;
	IF window_kind < 10 THEN
		result := result || jsonb_build_object('from', property.moment(base, CASE WHEN window_kind < 7 THEN -3 ELSE 3 END));
	END IF;
	IF window_kind BETWEEN 5 AND 14 THEN
		result := result || jsonb_build_object('until', property.moment(base, CASE WHEN window_kind < 12 THEN 30 ELSE -30 END));
	END IF;
	RETURN result;
END $$;

-- An element of a list.
CREATE FUNCTION one_of(seed text, list jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN list -> property.draw(seed, jsonb_array_length(list));

-- Conditions of FeatBit's, up to three; one in four asks for segments.
CREATE FUNCTION featbit_conditions(seed text, pool property.pool) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN coalesce((SELECT jsonb_agg(CASE WHEN property.draw(seed || 's' || i, 4) = 0
			THEN jsonb_build_object('property', CASE WHEN i % 2 = 0 THEN 'User is in segment' ELSE 'User is not in segment' END, 'op', NULL, 'value', property.one_of(seed || 'v' || i, (pool).featbit -> 'values'))
			ELSE jsonb_build_object('property', property.one_of(seed || 'p' || i, (pool).featbit -> 'properties'), 'op', property.one_of(seed || 'o' || i, (pool).featbit -> 'ops'),
				'value', property.one_of(seed || 'v' || i, (pool).featbit -> 'values')) END)
		FROM generate_series(1, property.draw(seed || 'n', 4)) i), '[]');

-- A rollout of FeatBit's: everyone, ranges that touch, in another order, overlap or leave a gap; some by a property.
CREATE FUNCTION featbit_serve(seed text, variations int) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN jsonb_build_object('includedInExpt', property.draw(seed || 'i', 2) = 0,
		'dispatchKey', (ARRAY[NULL, NULL, NULL, 'keyId', '', 'org', 'plan', 'name', 'nowhere'])[1 + property.draw(seed || 'd', 9)],
		'variations', (SELECT jsonb_agg(jsonb_build_object('id', 'v' || property.draw(seed || 'v' || i, variations + CASE WHEN property.draw(seed || 'z', 40) = 0 THEN 1 ELSE 0 END), 'rollout', r, 'exptRollout', 0.1 * i) ORDER BY i)
			FROM jsonb_array_elements((ARRAY['[[0, 1]]', '[[0, 1]]', '[[0, 0.5], [0.5, 1]]', '[[0, 0.1], [0.1, 0.34], [0.34, 1]]', '[[0, 0], [0, 1]]', '[[0.5, 1], [0, 0.5]]', '[[0, 0.9], [0.2, 1]]', '[[0, 0.99999], [0.99999, 1]]',
				'[[0, 0.3], [0.30000000000000004, 1]]', '[[0, 0.97]]']::jsonb[])[1 + property.draw(seed || 'r', 10)]) WITH ORDINALITY AS e (r, i)));

-- Prepares the tables that the functions draw from; fails when an operator has no operand.
CREATE FUNCTION prepare() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	operator text;
	candidate record;
	missing text;
BEGIN
	BEGIN
		INSERT INTO featbit.segment (environment, key, condition) VALUES ('property', 'operators', '{"attribute": "a", "op": "no such operator at all"}');
	EXCEPTION WHEN invalid_parameter_value THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	END;
	hint := substring(hint from 'Operators are (.*)\.');
	IF hint IS NULL THEN
		RAISE EXCEPTION 'the validation does not list the operators';
	END IF;
	FOR operator IN SELECT regexp_split_to_table(hint, ', | and ') LOOP
		FOR candidate IN SELECT value, property.around(value, now()) AS shown FROM property.operand LOOP
			BEGIN
				INSERT INTO featbit.segment (environment, key, condition) VALUES ('property', 'operators',
					jsonb_strip_nulls(jsonb_build_object('attribute', 'a', 'op', operator, 'value', candidate.shown)));
				RAISE EXCEPTION USING ERRCODE = 'FBTRY';
			EXCEPTION
				WHEN SQLSTATE 'FBTRY' THEN
					INSERT INTO property.legal VALUES (operator, candidate.value);
				WHEN data_exception OR program_limit_exceeded THEN
					NULL;
			END;
		END LOOP;
	END LOOP;
	SELECT string_agg(o, ', ') INTO missing FROM regexp_split_to_table(hint, ', | and ') o WHERE NOT EXISTS (SELECT FROM property.legal WHERE op = o);
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION 'property.operand has nothing that fits the operators %', missing;
	END IF;
	INSERT INTO property.pool VALUES (
		(SELECT jsonb_agg(o) FROM (SELECT jsonb_build_object('op', op, 'values', jsonb_agg(CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END)) o
			FROM property.legal GROUP BY op) x),
		(SELECT jsonb_agg(path) FROM property.path),
		(SELECT jsonb_object_agg(name, vs) FROM (SELECT name, jsonb_agg(value) vs FROM property.attribute GROUP BY name) x),
		jsonb_build_object('properties', (SELECT jsonb_agg(name) FROM property.featbit_property), 'ops', (SELECT jsonb_agg(op) FROM property.featbit_op),
			'values', (SELECT jsonb_agg(value) FROM property.featbit_value)));
END $$;

-- Context: each attribute in seven of ten cases.
CREATE FUNCTION context(seed text, pool property.pool, base timestamptz) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN property.around((SELECT coalesce(jsonb_object_agg(name, vs -> property.draw(seed || name, jsonb_array_length(vs))), '{}')
		FROM jsonb_each((pool).attributes) AS a (name, vs) WHERE property.draw(seed || name || '?', 10) < 7), base);

-- User keys of every length class; few enough to be met in lists.
CREATE FUNCTION user_key(seed text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (ARRAY['', 'ü', repeat('long-', 60), repeat('x', 150), repeat('y', 100), 'medium-length-user-key'] || ARRAY(SELECT 'u' || g FROM generate_series(1, 14) g))[1 + property.draw(seed, 20)];

CREATE FUNCTION users(seed text, class int) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ARRAY(SELECT u FROM (SELECT DISTINCT property.user_key(seed || g) u FROM generate_series(1, property.draw(seed || 'n', 4)) g) x
		WHERE (hashtext(u) & 1) = class);

-- Makes five segments and count flags in an environment. Segments refer to lower ones; flags to segments and to the ten lowest flags.
CREATE FUNCTION make(target text, seed text, count int, base timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	pool property.pool;
	s text;
BEGIN
	SELECT * INTO pool FROM property.pool;
	INSERT INTO featbit.segment (environment, semantics, key, included, excluded, condition, archived, source)
		VALUES (target, 'featbit', 's6', property.users(seed || 's6i', 0), '{}', '[]', property.draw(seed || 's6a', 2) = 0, NULL);
	FOR i IN 1 .. 5 LOOP
		s := seed || '/s' || i;
		-- one in the middle is FeatBit's
		IF i = 3 THEN
			INSERT INTO featbit.segment (environment, semantics, key, included, excluded, condition, source)
				VALUES (target, 'featbit', 's3', property.users(s || 'i', 0), property.users(s || 'e', 0),
					(SELECT jsonb_agg(jsonb_build_object('conditions', property.featbit_conditions(s || r, pool))) FROM generate_series(1, 2) r),
					CASE WHEN property.draw(s || 'm', 2) = 0 THEN '{"missingAttribute": "no_match"}'::jsonb END);
			CONTINUE;
		END IF;
		INSERT INTO featbit.segment (environment, key, included, excluded, condition)
			VALUES (target, 's' || i, property.users(s || 'i', 0), property.users(s || 'e', 0),
				CASE WHEN i > 1 THEN property.condition(s || 'c', 1, i, 1, pool, base) END);
	END LOOP;
	-- one statement: each row is validated against those before it
	INSERT INTO featbit.flag (environment, key, type, variations, enabled, archived, off_variation, iteration, salt, prerequisites, targets, rules, fallthrough)
		SELECT target, 'f' || i, t,
			(SELECT jsonb_agg(jsonb_build_object('key', 'v' || v, 'value', CASE t
					WHEN 'boolean' THEN to_jsonb(v % 2 = 0) WHEN 'string' THEN to_jsonb('value ' || v) WHEN 'number' THEN to_jsonb(v * 1.5)
					ELSE jsonb_build_object('v', v, 'list', jsonb_build_array(v, null)) END)) FROM generate_series(0, n - 1) v),
			property.draw(f || 'e', 100) < 92,
			i > 10 AND property.draw(f || 'a', 100) < 2,
			CASE WHEN property.draw(f || 'o', 2) = 0 THEN 'v1' END,
			CASE WHEN property.draw(f || 'i', 4) = 0 THEN property.draw(f || 'j', 20) ELSE 0 END,
			CASE WHEN property.draw(f || 'l', 3) = 0 THEN 'salt ' || property.draw(f || 'm', 9) END,
			CASE WHEN referable > 1 AND property.draw(f || 'p', 5) = 0 THEN
				jsonb_build_array(jsonb_build_object('flag', 'f' || 1 + property.draw(f || 'q', referable - 1), 'variations', '["v0", "v1"]'::jsonb)) ELSE '[]' END,
			CASE property.draw(f || 'g', 4)
				WHEN 0 THEN jsonb_build_array(jsonb_build_object('variation', 'v1', 'users', property.users(f || 'u', 0)),
					jsonb_build_object('variation', 'v0', 'users', property.users(f || 'w', 1)))
				WHEN 1 THEN jsonb_build_array(jsonb_build_object('variation', 'v0', 'users', property.users(f || 'u', 1))) ELSE '[]' END,
			coalesce((SELECT jsonb_agg(property.rule(f || 'r' || r, r, n, 6, referable, pool, base)) FROM generate_series(1, property.draw(f || 'k', 4)) r), '[]'),
			property.serve(f || 'x', n, base)
		FROM (SELECT i, f, 2 + property.draw(f || 'n', 3) AS n, least(i, 11) AS referable,
				(ARRAY['boolean', 'string', 'number', 'json'])[1 + property.draw(f || 't', 4)] AS t
			FROM (SELECT i, seed || '/f' || i AS f FROM generate_series(1, count) i) x OFFSET 0) y
		ORDER BY i;
	-- one in six becomes FeatBit's; native flags go on referring to it
	UPDATE featbit.flag AS f
		SET semantics = 'featbit', iteration = 0, prerequisites = '[]',
			variations = (SELECT jsonb_agg(jsonb_build_object('id', v -> 'key', 'value', CASE WHEN property.draw(d || 'x', 9) = 0 THEN ' TRUE' ELSE v ->> 'value' END)) FROM jsonb_array_elements(f.variations) v),
			targets = coalesce((SELECT jsonb_agg(jsonb_build_object('keyIds', t -> 'users', 'variationId', t -> 'variation')) FROM jsonb_array_elements(f.targets) t), '[]'),
			rules = coalesce((SELECT jsonb_agg(property.featbit_serve(d || 'r' || r, n) || jsonb_build_object('id', 'r' || r, 'name', 'rule ' || r, 'conditions', property.featbit_conditions(d || 'c' || r, pool)) ORDER BY r)
				FROM generate_series(1, property.draw(d || 'k', 5)) r), '[]'),
			fallthrough = property.featbit_serve(d || 'f', n),
			source = (ARRAY[NULL, '{"exptIncludeAllTargets": false}', '{"missingAttribute": "no_match", "id": 7}']::jsonb[])[1 + property.draw(d || 's', 3)]
		FROM (SELECT 'f' || i AS key, seed || '/x' || i AS d FROM generate_series(1, count) i WHERE property.draw(seed || '/y' || i, 6) = 0) x,
			LATERAL (SELECT jsonb_array_length(y.variations) AS n FROM featbit.flag AS y WHERE y.environment = target AND y.key = x.key) z
		WHERE f.environment = target AND f.key = x.key;
END $$;

-- Makes a batch and evaluates it in every way; returns what disagrees.
CREATE FUNCTION check_batch(seed int, count int)
	RETURNS TABLE (environment text, flag_key text, user_key text, context jsonb, what text, one text, other text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	target text := 'property_' || seed;
	-- half of the batches live now, the others at a time to come
	base timestamptz := CASE WHEN seed % 2 = 0 THEN date_trunc('day', now()) ELSE '2031-01-01 00:00:30Z'::timestamptz + make_interval(hours => property.draw('base' || seed, 300000)) END;
	pool property.pool;
BEGIN
	SELECT * INTO pool FROM property.pool;
	PERFORM property.make(target, seed::text, count, base);
	CREATE TEMPORARY TABLE IF NOT EXISTS outcome (reason text, explained text);
	CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
		SELECT 'f' || i AS key, property.user_key(seed || '/u' || i) AS u, property.context(seed || '/c' || i, pool, base) AS c,
			base + make_interval(secs => property.draw(seed || '/t' || i, 20000000) - 10000000) AS at
		FROM generate_series(1, count) i;
	UPDATE batch SET at = greatest(at, now() + interval '1 day');
	-- stored evaluation is that of the definition as a value, now and at another time
	RETURN QUERY
		SELECT target, b.key, b.u, b.c, d.what, d.one, d.other
		FROM (SELECT *, featbit.flag_definition(key, target) AS definition FROM batch OFFSET 0) b
		CROSS JOIN LATERAL (VALUES
			('value now', featbit.evaluate_flag(b.u, b.key, b.c, target), featbit.assign(b.definition, b.u, b.c, statement_timestamp())),
			('variation now', featbit.flag_variation(b.u, b.key, b.c, target), featbit.assign_variation(b.definition, b.u, b.c, statement_timestamp())),
			('value at ' || b.at, featbit.evaluate_flag_at(b.u, b.key, b.at, b.c, target), featbit.assign(b.definition, b.u, b.c, b.at))) d (what, one, other)
		WHERE d.one IS DISTINCT FROM d.other;
	-- the last step of the explanation is what resolve answers
	RETURN QUERY
		WITH both_ways AS MATERIALIZED (
			SELECT b.key, b.u, b.c, r.reason,
				concat_ws(' ', r.variant, r.reason, r.error_code, r.error_message) AS resolved,
				(SELECT concat_ws(' ', e.actual, e.reason, replace(e.description, ': ', ' ')) FROM featbit.explain_flag(b.u, b.key, b.c, target) e ORDER BY step DESC LIMIT 1) AS explained
			FROM batch b CROSS JOIN LATERAL featbit.resolve(b.key, b.c || jsonb_build_object('targetingKey', b.u), target) r),
		counted AS (INSERT INTO outcome SELECT reason, explained FROM both_ways)
		SELECT target, w.key, w.u, w.c, 'explanation', w.resolved, w.explained
		FROM both_ways w
		WHERE CASE WHEN w.reason = 'ERROR' THEN w.explained IS DISTINCT FROM replace(w.resolved, ': ', ' ')
			ELSE w.explained NOT LIKE w.resolved || ' value %' AND w.explained IS DISTINCT FROM w.resolved END;
	-- all flags at once
	RETURN QUERY
		SELECT target, coalesce(a.flag_key, b.key), x.u, x.c, 'resolve_all', r::text, a::text
		FROM (SELECT u, c || jsonb_build_object('targetingKey', u) AS c FROM batch LIMIT 1) x
		CROSS JOIN LATERAL (SELECT * FROM batch) b
		CROSS JOIN LATERAL featbit.resolve(b.key, x.c, target) r
		FULL JOIN (SELECT a.* FROM (SELECT c || jsonb_build_object('targetingKey', u) AS c FROM batch LIMIT 1) x CROSS JOIN LATERAL featbit.resolve_all(x.c, target) a) a
			ON a.flag_key = b.key
		WHERE NOT (a.flag_key IS NULL AND r.error_code = 'FLAG_NOT_FOUND')
			AND (r.value, r.variant, r.reason, r.error_code, r.error_message, r.metadata) IS DISTINCT FROM
				(a.value, a.variant, a.reason, a.error_code, a.error_message, a.metadata);
	DROP TABLE batch;
END $$;
RESET search_path;
