-- == 2. Release ==
-- An application asks for the value of the flag, in the same database, in any statement:

SELECT user_key, featbit.flag_json(user_key, 'ticket-model', '{}')->>'prompt' AS prompt, reason
FROM (VALUES ('ana'), ('user-1'), ('user-2'), ('user-14')) AS u(user_key)
CROSS JOIN LATERAL featbit.resolve('ticket-model', jsonb_build_object('targetingKey', user_key));

-- A million users in one statement:

\timing on
SELECT featbit.flag_variation('user-' || i, 'ticket-model') AS variation, count(*) AS users
FROM generate_series(1, 1000000) AS i
GROUP BY variation
ORDER BY users DESC;
\timing off

-- The database records who saw what, and what came of it. These users are simulated: 20,000 of them open
-- a ticket, and it is solved at once as often as the prompt was right above.

SELECT featbit.create_tracking('demo');

SELECT served, count(*) AS users
FROM generate_series(1, 20000) AS i, featbit.expose('user-' || i, 'ticket-model') AS served
GROUP BY served
ORDER BY users DESC;

SELECT count(featbit.track(user_key, 'solved', 1)) AS solved
FROM (
    SELECT user_key, variation, ('x' || left(md5('simulated ' || user_key), 8))::bit(32)::bigint / 4294967296.0 AS luck
    FROM exposure
) AS simulated
WHERE luck < CASE variation WHEN 'simple' THEN 48.0 / 68 ELSE 65.0 / 68 END;

-- Something looks odd? One statement in another connection turns the new prompt off,

\set other `psql -X -q -At -c "SELECT 'revision ' || featbit.disable_flag('ticket-model', comment => 'odd answers')"`

-- and this connection, open since the beginning, sees it at its next statement:

SELECT user_key, variant, reason
FROM (VALUES ('ana'), ('user-1'), ('user-14')) AS u(user_key)
CROSS JOIN LATERAL featbit.resolve('ticket-model', jsonb_build_object('targetingKey', user_key));

-- What was recorded stays. Did the new prompt help? (The support team was not randomised and does not
-- count as evidence.)

SELECT variation, users, converted, round(mean::numeric, 4) AS mean, round(effect::numeric, 4) AS lift,
       round(ci_low::numeric, 4) AS ci_low, round(ci_high::numeric, 4) AS ci_high,
       p_value::numeric(9, 7) AS p, round(srm_p::numeric, 3) AS srm_p, status
FROM featbit.flag_results('ticket-model', 'solved', 'simple')
ORDER BY users DESC;
