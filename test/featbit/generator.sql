-- Random environments of FeatBit and users for them: the same for the same seed, on every machine.
CREATE SCHEMA fb_data;

-- a number from 0 to n - 1 that the seed decides
CREATE FUNCTION fb_data.r(seed text, n int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
	SELECT (('x' || left(md5(seed), 7))::bit(28)::int % n)
$$;
CREATE FUNCTION fb_data.pick(seed text, choices text[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT choices[1 + fb_data.r(seed, cardinality(choices))]
$$;
CREATE FUNCTION fb_data.id(seed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT md5('id ' || seed)::uuid::text $$;

-- text attributes have words, two of them numbers; "account" is there for everyone
CREATE FUNCTION fb_data.words(property text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE property
		WHEN 'country' THEN '{de,us,cn,jp,br,"Côte d''Ivoire"}'
		WHEN 'plan' THEN '{free,pro,team,"pro plus",FREE}'
		WHEN 'beta' THEN '{true,false,TRUE,False,yes}'
		WHEN 'age' THEN '{17,18,25.5,30,64,-1,1e2}'
		WHEN 'seats' THEN '{0,1,10,100,1000}'
		WHEN 'keyId' THEN '{user-1,user-22,user-333}'
		WHEN 'name' THEN '{Ann,Bo,Zoë}'
		ELSE '{a,b}' END::text[]
$$;

-- forms: all there are, those that every SDK of FeatBit reads alike, those that native conditions have
CREATE FUNCTION fb_data.condition(seed text, forms text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('id', fb_data.id(seed || 'c'), 'property', p, 'op', op, 'value',
		CASE WHEN op IN ('IsOneOf', 'NotOneOf') THEN jsonb_build_array(fb_data.pick(seed || 'v1', w), fb_data.pick(seed || 'v2', w))::text
			WHEN op IN ('IsTrue', 'IsFalse') THEN op
			WHEN op IN ('Contains', 'NotContain') THEN substr(fb_data.pick(seed || 'v', w), 2, 2)
			WHEN op = 'StartsWith' THEN left(fb_data.pick(seed || 'v', w), 1)
			WHEN op = 'EndsWith' THEN right(fb_data.pick(seed || 'v', w), 1)
			WHEN op IN ('MatchRegex', 'NotMatchRegex') THEN '^' || left(fb_data.pick(seed || 'v', w), 1) || '.*[a-z0]$'
			ELSE fb_data.pick(seed || 'v', w) END)
	FROM (SELECT fb_data.pick(seed || 'op', CASE WHEN p IN ('age', 'seats') THEN '{LessThan,LessEqualThan,BiggerThan,BiggerEqualThan}'
				WHEN p = 'beta' AND fb_data.r(seed || 'b', 2) = 0 THEN '{IsTrue,IsFalse}'
				ELSE ('{Equal,NotEqual,Contains,NotContain,StartsWith,EndsWith,IsOneOf,NotOneOf'
					|| CASE WHEN forms = 'all' THEN ',MatchRegex,NotMatchRegex' ELSE '' END || '}') END::text[]) AS op, p
		FROM (SELECT fb_data.pick(seed || 'p', '{country,plan,beta,age,seats,keyId,name}') AS p) AS property) AS chosen,
		fb_data.words(p) AS w
$$;

CREATE FUNCTION fb_data.segment_condition(seed text, segments int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('id', fb_data.id(seed || 'sc'), 'op', NULL, 'property', fb_data.pick(seed || 'in', '{User is in segment,User is not in segment}'),
		'value', (SELECT jsonb_agg(DISTINCT fb_data.id('segment ' || fb_data.r(seed || i, segments)))::text FROM generate_series(1, 1 + fb_data.r(seed || 'n', 2)) AS i))
$$;

-- rollouts: everyone, percent with up to five decimals, sums such as 0.30000000000000004
CREATE FUNCTION fb_data.rollout(seed text, flag text, variations int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN fb_data.r(seed || 'all', 3) = 0
		THEN jsonb_build_array(jsonb_build_object('id', fb_data.id(flag || fb_data.r(seed || 'one', variations)), 'rollout', '[0, 1]'::jsonb, 'exptRollout', 1))
		ELSE (SELECT jsonb_agg(jsonb_build_object('id', fb_data.id(flag || v), 'rollout', jsonb_build_array(to_jsonb(low), to_jsonb(high)),
					'exptRollout', round((high - low)::numeric * fb_data.r(seed || 'x' || v, 5) / 4, 6)) ORDER BY v)
			FROM (SELECT v, CASE WHEN v = 0 THEN 0 ELSE b.bounds[v] END AS low, CASE WHEN v = variations - 1 THEN 1 ELSE b.bounds[v + 1] END AS high
				FROM (SELECT array_agg(x ORDER BY x) AS bounds
					FROM (SELECT CASE fb_data.r(seed || 'kind' || i, 3) WHEN 0 THEN 0.1::float8 + 0.2::float8 WHEN 1 THEN fb_data.r(seed || 'at' || i, 20) / 20.0::float8
								ELSE fb_data.r(seed || 'at' || i, 100000) / 100000.0::float8 END AS x
						FROM generate_series(1, variations - 1) AS i) AS at) AS b, generate_series(0, variations - 1) AS v) AS ranges) END
$$;

CREATE FUNCTION fb_data.flag(seed text, n int, segments int, forms text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('id', fb_data.id(s), 'envId', fb_data.id('environment'), 'name', 'flag ' || n,
		'description', CASE WHEN fb_data.r(s || 'd', 3) > 0 THEN 'what flag ' || n || ' is for' END,
		'key', 'flag.' || n, 'variationType', 'string',
		'variations', (SELECT jsonb_agg(jsonb_build_object('id', fb_data.id(s || v), 'name', 'v' || v, 'value', 'value ' || v) ORDER BY v) FROM generate_series(0, c - 1) AS v),
		'targetUsers', (SELECT coalesce(jsonb_agg(jsonb_build_object('keyIds', jsonb_build_array('user-' || fb_data.r(s || 't' || t, 400), 'user-7'), 'variationId', fb_data.id(s || fb_data.r(s || 'tv' || t, c))) ORDER BY t), '[]')
			FROM generate_series(1, fb_data.r(s || 'targets', 3)) AS t),
		'rules', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', fb_data.id(s || 'r' || r), 'name', 'rule ' || r,
				'dispatchKey', fb_data.pick(s || 'dk' || r, ARRAY[NULL, 'keyId', 'account', '']),
				'includedInExpt', fb_data.r(s || 'inc' || r, 2) = 0,
				'conditions', (SELECT jsonb_agg(CASE WHEN segments > 0 AND fb_data.r(s || r || 'sg' || k, 4) = 0 THEN fb_data.segment_condition(s || r || k, segments)
						ELSE fb_data.condition(s || r || k, forms) END ORDER BY k) FROM generate_series(1, 1 + fb_data.r(s || 'k' || r, 3)) AS k),
				'variations', fb_data.rollout(s || 'ro' || r, s, c)) ORDER BY r), '[]')
			FROM generate_series(1, fb_data.r(s || 'rules', 4)) AS r),
		'isEnabled', fb_data.r(s || 'on', 8) > 0, 'disabledVariationId', fb_data.id(s || fb_data.r(s || 'off', c)),
		'fallthrough', jsonb_build_object('dispatchKey', fb_data.pick(s || 'dk', ARRAY[NULL, 'account']), 'includedInExpt', fb_data.r(s || 'inc', 2) = 0,
			'variations', fb_data.rollout(s || 'ro', s, c)),
		'exptIncludeAllTargets', fb_data.r(s || 'eat', 2) = 0,
		'tags', (SELECT coalesce(jsonb_agg('tag ' || t), '[]') FROM generate_series(1, fb_data.r(s || 'tags', 3)) AS t),
		'updatedAt', '2026-01-0' || 1 + fb_data.r(s || 'day', 9) || 'T03:04:05.' || rtrim(right((1001 + fb_data.r(s || 'ms', 999))::text, 3), '0') || 'Z',
		'isArchived', fb_data.r(s || 'arch', 12) = 0)
	FROM (SELECT seed || '/' || n AS s) AS x, LATERAL (SELECT 2 + fb_data.r(s || 'variations', 3) AS c) AS y
$$;

CREATE FUNCTION fb_data.segment(seed text, n int, forms text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('id', fb_data.id('segment ' || n), 'envId', fb_data.id('environment'), 'name', 'segment ' || n, 'description', '',
		'included', (SELECT coalesce(jsonb_agg('user-' || fb_data.r(s || 'i' || i, 400)), '[]') FROM generate_series(1, fb_data.r(s || 'in', 5)) AS i),
		'excluded', (SELECT coalesce(jsonb_agg('user-' || fb_data.r(s || 'e' || i, 400)), '[]') FROM generate_series(1, fb_data.r(s || 'ex', 5)) AS i),
		'rules', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', fb_data.id(s || 'r' || r), 'name', 'rule ' || r,
				'conditions', (SELECT jsonb_agg(fb_data.condition(s || r || k, forms)) FROM generate_series(1, 1 + fb_data.r(s || 'k' || r, 2)) AS k))), '[]')
			FROM generate_series(1, fb_data.r(s || 'rules', 3)) AS r),
		'updatedAt', '2026-01-0' || 1 + fb_data.r(s || 'day', 9) || 'T03:04:05.' || rtrim(right((1001 + fb_data.r(s || 'ms', 999))::text, 3), '0') || 'Z', 'isArchived', false)
	FROM (SELECT seed || '/segment/' || n AS s) AS x
$$;

CREATE FUNCTION fb_data.environment(seed text, flags int, segments int, forms text DEFAULT 'all') RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('messageType', 'data-sync', 'data', jsonb_build_object('eventType', 'full',
		'featureFlags', (SELECT jsonb_agg(fb_data.flag(seed, n, segments, forms) ORDER BY n) FROM generate_series(1, flags) AS n),
		'segments', (SELECT coalesce(jsonb_agg(fb_data.segment(seed, n, forms) ORDER BY n), '[]') FROM generate_series(0, segments - 1) AS n)))
$$;

-- the same with members that nobody knows, missing, null and wrong ones
CREATE FUNCTION fb_data.disturbed(seed text, entity jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE fb_data.r(seed || 'how', 9)
		WHEN 0 THEN entity || jsonb_build_object('unknown', jsonb_build_object('deep', ARRAY[1, 2]), 'insightsEnabled', false, 'createdAt', '2025-01-01T00:00:00Z')
		WHEN 1 THEN entity - fb_data.pick(seed || 'gone', '{name,description,variationType,variations,targetUsers,rules,isEnabled,disabledVariationId,fallthrough,exptIncludeAllTargets,tags,updatedAt,isArchived,included,excluded,envId}')
		WHEN 2 THEN entity || jsonb_build_object(fb_data.pick(seed || 'null', '{name,description,variationType,targetUsers,rules,disabledVariationId,tags,updatedAt,included}'), NULL)
		WHEN 3 THEN entity || jsonb_build_object(fb_data.pick(seed || 'wrong', '{name,description,variationType,variations,targetUsers,rules,isEnabled,disabledVariationId,fallthrough,tags,updatedAt,isArchived,included,excluded}'), 7.50)
		WHEN 4 THEN entity || jsonb_build_object('tags', jsonb_build_array('a', NULL, 3), 'included', jsonb_build_array('u', NULL))
		WHEN 5 THEN entity || jsonb_build_object('updatedAt', fb_data.pick(seed || 'at', '{2026-01-02T03:04:05Z,2026-01-02T03:04:05.1234567+02:00,2026-01-02T03:04:05.6,yesterday}'))
		WHEN 6 THEN jsonb_set(entity, '{rules}', '[{"id": 7, "conditions": {}}, null, "x"]')
		ELSE entity END
$$;
CREATE FUNCTION fb_data.disturbed_environment(seed text, flags int, segments int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('messageType', 'data-sync', 'data', jsonb_build_object('eventType', 'full',
		'featureFlags', (SELECT jsonb_agg(fb_data.disturbed(seed || n, f) ORDER BY n) FROM jsonb_array_elements(e #> '{data,featureFlags}') WITH ORDINALITY AS t (f, n)),
		'segments', (SELECT jsonb_agg(fb_data.disturbed(seed || 's' || n, f) ORDER BY n) FROM jsonb_array_elements(e #> '{data,segments}') WITH ORDINALITY AS t (f, n))))
	FROM fb_data.environment(seed, flags, segments) AS e
$$;

-- users: keys, and contexts of which parts are missing; numbers as text or as JSON numbers
CREATE FUNCTION fb_data.context(seed text, json_numbers boolean DEFAULT false) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_object_agg(p, CASE WHEN json_numbers AND p IN ('age', 'seats') THEN to_jsonb(value::numeric) ELSE to_jsonb(value) END)
	FROM (SELECT p, fb_data.pick(seed || p, fb_data.words(p)) AS value FROM unnest('{country,plan,beta,age,seats,name}'::text[]) AS p
		WHERE fb_data.r(seed || 'has' || p, 4) > 0
		UNION ALL SELECT 'account', 'acct-' || fb_data.r(seed || 'account', 300)) AS attributes
$$;
CREATE FUNCTION fb_data.users(seed text, n int, json_numbers boolean DEFAULT false) RETURNS TABLE (user_key text, context jsonb) LANGUAGE sql IMMUTABLE AS $$
	SELECT 'user-' || i, fb_data.context(seed || i, json_numbers) FROM generate_series(1, n) AS i
$$;
