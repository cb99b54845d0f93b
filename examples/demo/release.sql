-- == 2. Release ==
-- Any statement in the database can now ask which prompt a user gets:

SELECT user_key, featbit.flag_json(user_key, 'ticket-model', '{}')->>'prompt' AS prompt,
       featbit.flag_variation(user_key, 'ticket-model') AS variation
FROM (VALUES ('ana'), ('user-1'), ('user-2'), ('user-14')) AS u(user_key);

-- A million users in one statement:

\timing on
SELECT featbit.flag_variation('user-' || i, 'ticket-model') AS variation, count(*) AS users
FROM generate_series(1, 1000000) AS i
GROUP BY variation
ORDER BY users DESC;
\timing off

--?
SELECT demo.expect('the split of a million users', string_agg(format('%s %s', variation, users), ', ' ORDER BY variation),
    'rag-cot 100259, simple 899741')
FROM (
    SELECT featbit.flag_variation('user-' || i, 'ticket-model') AS variation, count(*) AS users
    FROM generate_series(1, 1000000) AS i GROUP BY variation
) AS split
\g /dev/null

-- The database also records who saw what, and what came of it. The users below are simulated: 2,000 of
-- them open a ticket, which is solved at once as often as their prompt was right above.

--.
SELECT featbit.create_tracking('demo');

SELECT featbit.expose('user-' || i, 'ticket-model')::jsonb->>'prompt' AS prompt,
       count(*) AS users
FROM generate_series(1, 2000) AS i
GROUP BY prompt
ORDER BY users DESC;

--.
SELECT featbit.expose(user_key, 'ticket-model')
FROM unnest(ARRAY['ana', 'ben', 'chloe']) AS user_key;

SELECT count(*) FILTER (WHERE featbit.track(user_key, 'solved', 1)) AS solved
FROM (
    SELECT user_key, variation,
           ('x' || left(md5('luck of ' || user_key), 8))::bit(32)::bigint / 2.0 ^ 32 AS luck
    FROM exposure
) AS simulated
WHERE luck < CASE variation WHEN 'simple' THEN 48.0 / 68 ELSE 65.0 / 68 END;

-- Something looks odd? Another connection turns the new prompt off,

\set other `psql -qXAt -c "SELECT 'revision ' || featbit.disable_flag('ticket-model', comment => 'odd')"`

-- and this one, open since the beginning, sees it at its next statement:

SELECT user_key, r.variant, r.reason
FROM (VALUES ('ana'), ('user-1'), ('user-14')) AS u(user_key),
     featbit.resolve('ticket-model', jsonb_build_object('targetingKey', user_key)) AS r;

--?
SELECT demo.expect('the disabled flag', string_agg(r.variant || ' ' || r.reason, ', '), 'simple DISABLED, simple DISABLED')
FROM (VALUES ('ana'), ('user-14')) AS u(user_key),
     featbit.resolve('ticket-model', jsonb_build_object('targetingKey', user_key)) AS r
\g /dev/null

-- What was recorded stays. Did the new prompt help its users? Lift is relative to the baseline; the
-- sample-ratio check compares the users of each variation with the weights of the rollout. The support
-- team was not assigned at random and is no evidence.

SELECT variation, users, converted, round(mean::numeric, 4) AS mean,
       round(effect::numeric, 3) AS lift, round(ci_low::numeric, 3) AS ci_low,
       round(ci_high::numeric, 3) AS ci_high, to_char(p_adjusted, '9.9EEEE') AS p,
       round(srm_p::numeric, 3) AS srm_p, status
FROM featbit.flag_results('ticket-model', 'solved', 'simple')
ORDER BY users DESC;

--?
SELECT demo.expect('the result of the release',
    string_agg(format('%s %s %s %s %s', variation, users, converted, round(effect::numeric, 3), status), ', ' ORDER BY users DESC),
    'simple 1812 1299  ok, rag-cot 188 183 0.358 ok')
FROM featbit.flag_results('ticket-model', 'solved', 'simple')
WHERE effect IS NULL OR (ci_low > 0 AND p_adjusted < 0.001 AND srm_p > 0.001)
\g /dev/null

