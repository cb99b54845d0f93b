-- FeatBit's published and derived vectors: buckets to the bit, ranges, experiment sampling, operators, whole evaluations
\set content `cat "$PG_ABS_SRCDIR/cases/featbit_vectors.json"`
CREATE TEMP TABLE section AS SELECT key AS name, value FROM json_each(:'content'::json);
-- a key with a NUL byte is for programs in other languages: no text can hold it
CREATE TEMP TABLE vector AS
SELECT name AS section, n, v::jsonb FROM section, json_array_elements(CASE WHEN json_typeof(value) = 'array' THEN value ELSE '[]' END) WITH ORDINALITY AS e (v, n)
WHERE v::text NOT LIKE '%\\u0000%';
CREATE TEMP TABLE one_case AS
SELECT n, v ->> 'flag' AS flag, v #>> '{user,keyId}' AS user_key, v -> 'expected' AS expected,
    jsonb_build_object('targetingKey', v #> '{user,keyId}', 'name', v #> '{user,name}')
    || coalesce((SELECT jsonb_object_agg(p ->> 'name', p -> 'value' ORDER BY i DESC)
                 FROM jsonb_array_elements(v #> '{user,customizedProperties}') WITH ORDINALITY AS e (p, i)), '{}') AS context
FROM section, jsonb_array_elements(value::jsonb -> 'cases') WITH ORDINALITY AS c (v, n) WHERE name = 'evaluation';

SELECT count(*) > 25 AS enough, count(*) FILTER (WHERE encode(float8send(featbit.featbit_bucket(v ->> 'key')), 'hex') <> substr(v ->> 'bucket_ieee754_be', 3)) AS differ
FROM vector WHERE section = 'rollout_of_key';
SELECT count(*) > 25 AS enough, count(*) FILTER (WHERE featbit.featbit_in_rollout(v ->> 'key', (v #>> '{rollout,0}')::float8, (v #>> '{rollout,1}')::float8)
                                  <> (v ->> 'expected')::boolean) AS differ
FROM vector WHERE section = 'is_in_rollout';
SELECT count(*) > 8 AS enough, count(*) FILTER (WHERE featbit.featbit_send_to_experiment(v ->> 'dispatchKeyInput', (v #>> '{rollout,0}')::float8,
    (v #>> '{rollout,1}')::float8, (v ->> 'exptRollout')::float8, (v ->> 'exptIncludeAllTargets')::boolean, (v ->> 'includedInExpt')::boolean)
    <> (v ->> 'expected')::boolean) AS differ
FROM vector WHERE section = 'send_to_experiment';
-- what raises in FeatBit is not met
SELECT count(*) > 40 AS enough, count(*) FILTER (WHERE featbit.featbit_condition(v ->> 'userValue', v ->> 'op', v ->> 'conditionValue')
                                  <> (v -> 'expected' = 'true')) AS differ
FROM vector WHERE section = 'operators';

-- every flag in an environment of its own: they share one key
INSERT INTO featbit.segment (environment, semantics, key, name, description, included, excluded, condition, archived, source)
SELECT 'test_featbit_' || f.name, 'featbit', s ->> 'id', s ->> 'name', s ->> 'description',
    ARRAY(SELECT jsonb_array_elements_text(s -> 'included')), ARRAY(SELECT jsonb_array_elements_text(s -> 'excluded')),
    s -> 'rules', (s ->> 'isArchived')::boolean, s - '{name,description,included,excluded,rules,isArchived}'::text[]
FROM section, jsonb_each(value::jsonb -> 'flags') AS f (name, flag), jsonb_array_elements(value::jsonb -> 'segments') AS s
WHERE section.name = 'evaluation';
INSERT INTO featbit.flag (environment, semantics, key, name, description, type, variations, targets, rules, fallthrough, enabled, off_variation, archived, source)
SELECT 'test_featbit_' || f.name, 'featbit', flag ->> 'key', flag ->> 'name', flag ->> 'description', flag ->> 'variationType',
    flag -> 'variations', flag -> 'targetUsers', flag -> 'rules', flag -> 'fallthrough', (flag ->> 'isEnabled')::boolean,
    flag ->> 'disabledVariationId', (flag ->> 'isArchived')::boolean,
    flag - '{key,name,description,variationType,variations,targetUsers,rules,fallthrough,isEnabled,disabledVariationId,isArchived}'::text[]
FROM section, jsonb_each(value::jsonb -> 'flags') AS f (name, flag) WHERE section.name = 'evaluation';

CREATE TEMP TABLE answer AS
SELECT c.*, r.variant, r.value, r.reason, r.error_code, r.metadata
FROM one_case AS c, featbit.resolve('checkout-redesign', c.context, 'test_featbit_' || c.flag) AS r;
SELECT flag, count(*) AS cases,
    count(*) FILTER (WHERE variant IS DISTINCT FROM expected ->> 'variationId') AS variation,
    count(*) FILTER (WHERE value #>> '{}' IS DISTINCT FROM expected ->> 'value') AS value,
    count(*) FILTER (WHERE metadata #>> '{featbit,variationId}' IS DISTINCT FROM expected ->> 'variationId') AS id,
    count(*) FILTER (WHERE metadata #> '{featbit,matchReason}' IS DISTINCT FROM expected -> 'elsReason') AS match_reason,
    count(*) FILTER (WHERE metadata #> '{featbit,kind}' IS DISTINCT FROM expected -> 'sdkKind') AS kind,
    count(*) FILTER (WHERE metadata #> '{featbit,reason}' IS DISTINCT FROM expected -> 'sdkReason') AS reason,
    count(*) FILTER (WHERE metadata #> '{featbit,sendToExperiment}' IS DISTINCT FROM expected -> 'sendToExperiment') AS send,
    count(*) FILTER (WHERE (metadata ->> 'bucket')::float8 IS DISTINCT FROM (expected ->> 'bucket')::float8) AS bucket,
    count(*) FILTER (WHERE variant IS NULL AND error_code IS NULL) AS without_error
FROM answer GROUP BY 1 ORDER BY 1;
SELECT flag, reason, error_code, count(*) FROM answer GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- every way to evaluate gives the same
SELECT count(*) FILTER (WHERE featbit.evaluate_flag(user_key, 'checkout-redesign', context, 'test_featbit_' || flag) IS DISTINCT FROM value #>> '{}') AS evaluate_flag,
    count(*) FILTER (WHERE featbit.flag_variation(user_key, 'checkout-redesign', context, 'test_featbit_' || flag) IS DISTINCT FROM variant) AS flag_variation,
    count(*) FILTER (WHERE featbit.assign(featbit.flag_definition('checkout-redesign', 'test_featbit_' || flag), user_key, context) IS DISTINCT FROM value #>> '{}') AS assign,
    count(*) FILTER (WHERE featbit.evaluate_flag_at(user_key, 'checkout-redesign', clock_timestamp(), context, 'test_featbit_' || flag) IS DISTINCT FROM value #>> '{}') AS at
FROM answer;
SELECT count(*) FILTER (WHERE featbit.evaluate_flag_row(user_key, 'checkout-redesign', r, 'test_featbit_' || flag) IS DISTINCT FROM value #>> '{}') AS evaluate_flag_row
FROM answer, jsonb_to_record(context) AS r (name text, region text, seats text, "accountId" text, email text, plan text, beta text, age text);
SELECT flag, resolved.variant = answer.variant AS same, resolved.metadata = answer.metadata AS same_metadata
FROM answer, featbit.resolve_all(context, environment => 'test_featbit_' || flag) AS resolved WHERE user_key = 'u-1' AND flag <> 'archived' AND answer.variant IS NOT NULL ORDER BY 1;

-- a trace
\x
SELECT step, what, path, description, expected, actual, outcome, hash_input, bucket, range, reason
FROM featbit.explain_flag('beta-4', 'checkout-redesign', '{"beta": true, "age": 20, "accountId": null}', 'test_featbit_main');
\x
SELECT environment, kind, path, problem, severity FROM featbit.flag_problems() WHERE environment LIKE 'test\_featbit\_%' ORDER BY 1, 2, 3;
