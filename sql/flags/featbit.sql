-- FeatBit's arithmetic, for whoever compares or migrates

CREATE FUNCTION featbit.featbit_bucket(input text)
    RETURNS double precision AS 'MODULE_PATHNAME', 'fb_featbit_bucket_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION featbit.featbit_bucket(text) IS 'bucket that FeatBit gives an input, 0 to 1, both included: the first four bytes of its md5 as a signed number, lowest byte first, without sign, over 2^31. input: key of the flag and key of the user (or value of the dispatch key), one behind the other, nothing between. Raises nothing.';

CREATE FUNCTION featbit.featbit_in_rollout(input text, min double precision, max double precision)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_featbit_in_rollout' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION featbit.featbit_in_rollout(text, double precision, double precision) IS 'true when FeatBit''s range [min, max] has the bucket of an input, both ends included. A range from 0 that ends closer to 1 than 0.00001 has everyone, [0, 0] nobody. input: as of featbit_bucket. Raises nothing.';

CREATE FUNCTION featbit.featbit_send_to_experiment(input text, min double precision, max double precision,
    expt_rollout double precision, expt_include_all boolean, included_in_expt boolean)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_featbit_send_to_experiment' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION featbit.featbit_send_to_experiment(text, double precision, double precision, double precision, boolean, boolean) IS 'true when FeatBit sends a user whom the range [min, max] has to experiments. input: as of featbit_bucket; expt_rollout: share of all traffic that this variation sends there, 0 to 1; expt_include_all: exptIncludeAllTargets of the flag; included_in_expt: includedInExpt of the rule or default. Raises nothing.';

CREATE FUNCTION featbit.featbit_condition(user_value text, op text, condition_value text)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_featbit_condition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.featbit_condition(text, text, text) IS 'what one of FeatBit''s sixteen operators (LessThan, LessEqualThan, BiggerThan, BiggerEqualThan, Equal, NotEqual, Contains, NotContain, StartsWith, EndsWith, MatchRegex, NotMatchRegex, IsOneOf, NotOneOf, IsTrue, IsFalse) says of a property of a user and the value of a condition. False for NULL, an unknown operator, and a value that is no number, list or pattern where one is needed. Raises nothing.';

CREATE FUNCTION featbit.featbit_pattern_problem(pattern text)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_featbit_pattern_problem' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.featbit_pattern_problem(text) IS 'why a regular expression of FeatBit''s (.NET) cannot be matched here, or how its meaning may differ; NULL when it means the same. Raises nothing.';
