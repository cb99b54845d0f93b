-- evaluation: STABLE, writes nothing, works on a hot standby; whatever is wrong with a flag is a reason, never an error

CREATE FUNCTION featbit.evaluate_flag(user_key text, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_evaluate_flag_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.evaluate_flag(text, text, jsonb, text) IS 'value of the variation that the flag serves this user, as text; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. NULL means: use the default of the code (unknown flag, error, or a disabled flag without off_variation). Raises nothing.';
CREATE FUNCTION featbit.evaluate_flag(user_key bigint, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_evaluate_flag_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.evaluate_flag(bigint, text, jsonb, text) IS 'value of the variation that the flag serves this user, as text; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. NULL means: use the default of the code (unknown flag, error, or a disabled flag without off_variation). Raises nothing.';
CREATE FUNCTION featbit.evaluate_flag(user_key uuid, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_evaluate_flag_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.evaluate_flag(uuid, text, jsonb, text) IS 'value of the variation that the flag serves this user, as text; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. NULL means: use the default of the code (unknown flag, error, or a disabled flag without off_variation). Raises nothing.';

CREATE FUNCTION featbit.flag_variation(user_key text, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_variation_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_variation(text, text, jsonb, text) IS 'key of the variation that the flag serves this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. NULL means: use the default of the code. Raises nothing.';
CREATE FUNCTION featbit.flag_variation(user_key bigint, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_variation_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_variation(bigint, text, jsonb, text) IS 'key of the variation that the flag serves this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. NULL means: use the default of the code. Raises nothing.';
CREATE FUNCTION featbit.flag_variation(user_key uuid, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_variation_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_variation(uuid, text, jsonb, text) IS 'key of the variation that the flag serves this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. NULL means: use the default of the code. Raises nothing.';

CREATE FUNCTION featbit.flag_bool(user_key text, flag_key text, default_value boolean, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_flag_bool_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_bool(text, text, boolean, jsonb, text) IS 'value of a boolean flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not boolean, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_bool(user_key bigint, flag_key text, default_value boolean, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_flag_bool_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_bool(bigint, text, boolean, jsonb, text) IS 'value of a boolean flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not boolean, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_bool(user_key uuid, flag_key text, default_value boolean, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS boolean AS 'MODULE_PATHNAME', 'fb_flag_bool_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_bool(uuid, text, boolean, jsonb, text) IS 'value of a boolean flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not boolean, in error, or leaves the value to the code. Raises nothing.';

CREATE FUNCTION featbit.flag_text(user_key text, flag_key text, default_value text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_text_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_text(text, text, text, jsonb, text) IS 'value of a string flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type string, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_text(user_key bigint, flag_key text, default_value text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_text_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_text(bigint, text, text, jsonb, text) IS 'value of a string flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type string, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_text(user_key uuid, flag_key text, default_value text, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_flag_text_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_text(uuid, text, text, jsonb, text) IS 'value of a string flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type string, in error, or leaves the value to the code. Raises nothing.';

CREATE FUNCTION featbit.flag_int(user_key text, flag_key text, default_value integer, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS integer AS 'MODULE_PATHNAME', 'fb_flag_int_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_int(text, text, integer, jsonb, text) IS 'value of a number flag for this user, as integer; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type number, not a whole number within integer, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_int(user_key bigint, flag_key text, default_value integer, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS integer AS 'MODULE_PATHNAME', 'fb_flag_int_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_int(bigint, text, integer, jsonb, text) IS 'value of a number flag for this user, as integer; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type number, not a whole number within integer, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_int(user_key uuid, flag_key text, default_value integer, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS integer AS 'MODULE_PATHNAME', 'fb_flag_int_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_int(uuid, text, integer, jsonb, text) IS 'value of a number flag for this user, as integer; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type number, not a whole number within integer, in error, or leaves the value to the code. Raises nothing.';

CREATE FUNCTION featbit.flag_number(user_key text, flag_key text, default_value double precision, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS double precision AS 'MODULE_PATHNAME', 'fb_flag_number_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_number(text, text, double precision, jsonb, text) IS 'value of a number flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type number, beyond double precision, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_number(user_key bigint, flag_key text, default_value double precision, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS double precision AS 'MODULE_PATHNAME', 'fb_flag_number_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_number(bigint, text, double precision, jsonb, text) IS 'value of a number flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type number, beyond double precision, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_number(user_key uuid, flag_key text, default_value double precision, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS double precision AS 'MODULE_PATHNAME', 'fb_flag_number_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_number(uuid, text, double precision, jsonb, text) IS 'value of a number flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type number, beyond double precision, in error, or leaves the value to the code. Raises nothing.';

CREATE FUNCTION featbit.flag_json(user_key text, flag_key text, default_value jsonb, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS jsonb AS 'MODULE_PATHNAME', 'fb_flag_json_text' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_json(text, text, jsonb, jsonb, text) IS 'value of a json flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type json, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_json(user_key bigint, flag_key text, default_value jsonb, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS jsonb AS 'MODULE_PATHNAME', 'fb_flag_json_bigint' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_json(bigint, text, jsonb, jsonb, text) IS 'value of a json flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type json, in error, or leaves the value to the code. Raises nothing.';
CREATE FUNCTION featbit.flag_json(user_key uuid, flag_key text, default_value jsonb, context jsonb DEFAULT '{}', environment text DEFAULT NULL)
    RETURNS jsonb AS 'MODULE_PATHNAME', 'fb_flag_json_uuid' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.flag_json(uuid, text, jsonb, jsonb, text) IS 'value of a json flag for this user; user_key identifies the user (text, bigint or uuid; hashed as text), context holds attributes as a JSON object (NULL is {}), environment defaults to the setting featbit.environment. Returns default_value when the flag is unknown, not of type json, in error, or leaves the value to the code. Raises nothing.';

CREATE FUNCTION featbit.resolve(flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL,
    OUT value jsonb, OUT variant text, OUT reason text, OUT error_code text, OUT error_message text, OUT metadata jsonb)
    RETURNS record AS 'MODULE_PATHNAME', 'fb_resolve' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION featbit.resolve(text, jsonb, text) IS 'evaluation in the shape of OpenFeature; the user key is the string targetingKey of the context, environment defaults to the setting featbit.environment. Returns value and variant (NULL: use the default of the code), reason (STATIC, DEFAULT, TARGETING_MATCH, SPLIT, DISABLED, PREREQUISITE_FAILED, ERROR), error_code (PROVIDER_NOT_READY, FLAG_NOT_FOUND, TARGETING_KEY_MISSING, INVALID_CONTEXT, GENERAL) and error_message, and metadata with revision, rule, bucket. Raises nothing.';

CREATE FUNCTION featbit.evaluate_exposure(user_key text, flag_key text, context jsonb DEFAULT '{}', environment text DEFAULT NULL,
    OUT resolved_environment text, OUT value text, OUT variation text, OUT reason text, OUT error_code text, OUT error_message text,
    OUT rule_id text, OUT revision bigint, OUT iteration integer, OUT unit_key text, OUT randomised boolean, OUT tracking_schema text)
    RETURNS record AS 'MODULE_PATHNAME', 'fb_evaluate_exposure' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION featbit.evaluate_exposure(text, text, jsonb, text) IS 'evaluation with everything that an exposure records: the environment, value and key of the variation, reason, deciding rule, revision and iteration of the flag, unit_key (the text that was hashed, else the user key), randomised (a split with at least two positive weights picked the variation) and the tracking schema of the environment. Arguments as evaluate_flag. Raises nothing.';

CREATE FUNCTION featbit.variation_value(flag_key text, variation text, environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_variation_value' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.variation_value(text, text, text) IS 'value of a variation by its key, as evaluate_flag returns it; environment defaults to the setting featbit.environment. Returns NULL when there is no such flag or variation. Raises nothing.';

CREATE FUNCTION featbit.tracking_schema(environment text DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'fb_tracking_schema' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION featbit.tracking_schema(text) IS 'schema of the fact tables of an environment (default: the setting featbit.environment), NULL before create_tracking. Raises nothing.';

