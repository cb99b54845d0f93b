-- featbit.override pins flags in tests, where a superuser allows it
SET featbit.environment = 'test_override';
\set SHOW_CONTEXT never
\set ECHO all
SELECT featbit.create_flag('f', '[{"key": "a", "value": "A"}, {"key": "b", "value": "B"}]',
    fallthrough => '{"split": [{"variation": "a", "weight": 1}, {"variation": "b", "weight": 1}]}');
SELECT featbit.create_flag('g', '[{"key": "x", "value": 1}, {"key": "y", "value": 2}]');
SET featbit.override = 'f=b, g = y';
-- without permission it has no effect
SELECT count(*) FILTER (WHERE featbit.flag_variation('u' || n, 'f') = 'a') > 0 AS still_random FROM generate_series(1, 100) n;
SET featbit.allow_override = on;
SELECT featbit.flag_variation('u' || n, 'f') AS variation, featbit.evaluate_flag('u' || n, 'f') AS value, count(*) FROM generate_series(1, 100) n GROUP BY 1, 2;
SELECT featbit.flag_int('u', 'g', 0);
SELECT value, variant, reason, metadata FROM featbit.resolve('f', '{"targetingKey": "u"}');
SELECT variation, reason, randomised, rule_id FROM featbit.evaluate_exposure('u', 'f');
-- within one call site, several flags and changing settings
SELECT k, featbit.flag_variation('u1', k) FROM unnest(ARRAY['f', 'g', 'f', 'none']) k;
DO $$
DECLARE
    seen text := '';
    o text;
BEGIN
    FOREACH o IN ARRAY ARRAY['f=a', 'f=b', 'g=y,f=a'] LOOP
        PERFORM set_config('featbit.override', o, true);
        seen := seen || featbit.flag_variation('u', 'f');
    END LOOP;
    RAISE NOTICE '%', seen;
END $$;
-- an unknown variation is an answer, not an error
SET featbit.override = 'f=c';
SELECT value, reason, error_code, error_message FROM featbit.resolve('f', '{"targetingKey": "u"}');
SELECT featbit.flag_text('u', 'f', 'code default');
-- syntax
SET featbit.override = 'f';
SET featbit.override = 'f=';
SET featbit.override = '=a';
SET featbit.override = 'f=a,,g=x';
SET featbit.override = ' f=a , ';
SELECT featbit.flag_variation('u', 'f');
-- a near miss is named
SELECT featbit.create_flag('shades', '[{"key": "darker", "value": 1}, {"key": "lighter", "value": 2}]');
SET featbit.override = 'shades=lightr';
SELECT value, reason, error_code, error_message FROM featbit.resolve('shades', '{"targetingKey": "u"}');
SELECT what, description, outcome FROM featbit.explain_flag('u', 'shades') WHERE step > 2;
-- for the transaction only
BEGIN;
SET LOCAL featbit.override = 'f=b';
SELECT featbit.flag_variation('u', 'f');
ROLLBACK;
SELECT featbit.flag_variation('u', 'f');
-- others may set it, but not allow it
RESET featbit.override;
RESET featbit.allow_override;
CREATE ROLE fb_override_user;
GRANT USAGE ON SCHEMA featbit TO fb_override_user;
SET ROLE fb_override_user;
SET featbit.override = 'f=b';
SET featbit.allow_override = on;
RESET ROLE;
DROP OWNED BY fb_override_user;
DROP ROLE fb_override_user;
