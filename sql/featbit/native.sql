-- to_native: flags of FeatBit as native flags that serve everyone what they served

CREATE FUNCTION featbit.native_any(conditions jsonb[], word text DEFAULT 'any')
    RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE count(*) WHEN 1 THEN min(c.condition::text)::jsonb ELSE jsonb_build_object(word, coalesce(jsonb_agg(c.condition ORDER BY c.n), '[]')) END
    FROM unnest(conditions) WITH ORDINALITY AS c (condition, n) WHERE c.condition IS NOT NULL $$;
COMMENT ON FUNCTION featbit.native_any(jsonb[], text) IS 'internal: native conditions of which any (word any) or all (word all) must be met; NULLs are left out, and one alone stays as it is.';

CREATE FUNCTION featbit.native_condition(condition jsonb, place text, missing_is_empty boolean, numbers text, environment text,
    OUT native jsonb, OUT problem text, OUT note text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
DECLARE
    property text := coalesce(condition ->> 'property', '');
    op text := condition ->> 'op';
    value text := condition ->> 'value';
    attribute jsonb;
    is_negative boolean;
    list text[];
    empty boolean;              -- what the empty string says
    on_missing boolean;
    on_null boolean;
    positive jsonb;
BEGIN
    IF jsonb_typeof(condition -> 'value') IS DISTINCT FROM 'string' THEN
        problem := place || ' has no value, and is never met';
        RETURN;
    END IF;
    IF property IN ('User is in segment', 'User is not in segment') THEN
        IF jsonb_typeof(condition -> 'value') = 'string' AND value ~ '^\s*\[\s*("[^"\\]*"\s*(,\s*"[^"\\]*"\s*)*)?\]\s*$' THEN
            SELECT array_agg(e.id ORDER BY e.n) INTO list FROM jsonb_array_elements_text(value::jsonb) WITH ORDINALITY AS e (id, n);
        ELSE
            problem := place || ' has no list of segments, and is never met';
            RETURN;
        END IF;
        SELECT string_agg(format('%s: segment "%s" is %s, so that FeatBit meets neither in nor not in', place, l.id, CASE WHEN s.key IS NULL THEN 'unknown' ELSE 'archived' END), '; ')
        INTO problem
        FROM unnest(list) AS l (id) LEFT JOIN featbit.segment AS s ON s.environment = native_condition.environment AND s.key = l.id
        WHERE s.key IS NULL OR s.archived;
        native := featbit.native_any(ARRAY(SELECT jsonb_build_object('segment', l.id) FROM unnest(list) WITH ORDINALITY AS l (id, n) ORDER BY l.n));
        IF property = 'User is not in segment' THEN
            native := jsonb_build_object('not', native);
        END IF;
        RETURN;
    END IF;

    IF op IN ('IsOneOf', 'NotOneOf') THEN
        IF value !~ '^\s*\[\s*("([^"\\[:cntrl:]]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"\s*(,\s*"([^"\\[:cntrl:]]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"\s*)*)?\]\s*$' OR value ~ '\\u0000' THEN
            problem := place || ' has no list of texts, and is never met';
            RETURN;
        END IF;
        SELECT coalesce(array_agg(e.text ORDER BY e.n), '{}') INTO list FROM jsonb_array_elements_text(value::jsonb) WITH ORDINALITY AS e (text, n);
    ELSE
        list := ARRAY[value];
    END IF;
    is_negative := op IN ('NotEqual', 'NotContain', 'NotMatchRegex', 'NotOneOf');
    empty := featbit.featbit_condition('', op, value);
    IF btrim(property, E' \t\n\r\v\f') = '' THEN
        native := jsonb_build_object(CASE WHEN empty AND missing_is_empty THEN 'all' ELSE 'any' END, '[]'::jsonb);
        RETURN;
    ELSIF property = 'targetingKey' THEN
        problem := place || ': the attribute targetingKey is the user key in native conditions';
        RETURN;
    END IF;
    attribute := CASE WHEN property = 'keyId' THEN '"targetingKey"' WHEN property ~ '\.' THEN jsonb_build_array(property) ELSE to_jsonb(property) END;

    IF op IN ('Equal', 'NotEqual', 'IsOneOf', 'NotOneOf') THEN
        -- FeatBit compares texts: a number or truth value of the context is meant, too
        positive := (SELECT CASE count(*) WHEN 1 THEN jsonb_build_object('attribute', attribute, 'op', 'eq', 'value', min(v.value::text)::jsonb)
                                 WHEN 0 THEN '{"any": []}' ELSE jsonb_build_object('attribute', attribute, 'op', 'one_of', 'value', jsonb_agg(v.value ORDER BY v.n, v.m)) END
                     FROM (SELECT to_jsonb(l.text) AS value, l.n, 1 AS m FROM unnest(list) WITH ORDINALITY AS l (text, n)
                           UNION ALL
                           SELECT l.text::jsonb, l.n, 2 FROM unnest(list) WITH ORDINALITY AS l (text, n)
                           WHERE (l.text IN ('true', 'false') OR l.text ~ '^-?(0|[1-9][0-9]{0,15})([.][0-9]{0,15}[1-9])?$') AND l.text <> '-0' AND property <> 'keyId') AS v);
    ELSIF op IN ('Contains', 'NotContain', 'StartsWith', 'EndsWith') THEN
        positive := CASE WHEN value = '' THEN jsonb_build_object('attribute', attribute, 'op', 'exists')
                         ELSE jsonb_build_object('attribute', attribute, 'op', CASE op WHEN 'StartsWith' THEN 'starts_with' WHEN 'EndsWith' THEN 'ends_with' ELSE 'contains' END, 'value', value) END;
        note := CASE WHEN property <> 'keyId' THEN format('%s: attribute "%s" must be text; FeatBit also reads numbers as text', place, property) END;
    ELSIF op IN ('MatchRegex', 'NotMatchRegex') THEN
        IF featbit.featbit_pattern_problem(value) IS NOT NULL THEN
            problem := format('%s: %s', place, featbit.featbit_pattern_problem(value));
            RETURN;
        ELSIF value !~ '^([][A-Za-z0-9 _@:/,;=<>~#%&"''!^$.*+?()|-]|\\[.\\/+*?()|^$-])*$' OR value ~ '[(][?*]|[*+?][+]|\[\[|-\[|\[\^?\]' THEN
            problem := format('%s: the regular expression has parts that need not mean the same natively', place);
            RETURN;
        END IF;
        positive := jsonb_build_object('attribute', attribute, 'op', 'matches', 'value', value);
        note := CASE WHEN property <> 'keyId' THEN format('%s: attribute "%s" must be text; FeatBit also reads numbers as text', place, property) END;
    ELSIF op IN ('IsTrue', 'IsFalse') THEN
        positive := featbit.native_any(ARRAY[jsonb_build_object('attribute', attribute, 'op', 'eq', 'value', op = 'IsTrue'),
            jsonb_build_object('attribute', attribute, 'op', 'matches', 'value', CASE op WHEN 'IsTrue' THEN '^[Tt][Rr][Uu][Ee]\z' ELSE '^[Ff][Aa][Ll][Ss][Ee]\z' END)]);
    ELSIF op IN ('LessThan', 'LessEqualThan', 'BiggerThan', 'BiggerEqualThan') THEN
        IF value !~ '^[ \t]*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?[ \t]*$' THEN
            problem := format('%s: %s is no plain decimal number', place, to_jsonb(value));
        ELSIF property IN ('keyId', 'name') OR numbers IS DISTINCT FROM 'json' THEN
            problem := format('%s: %s reads numbers in text, too, which no native operator does%s', place, op,
                CASE WHEN property IN ('keyId', 'name') THEN '' ELSE format('; say numbers => ''json'' if attribute "%s" is a JSON number in every context', property) END);
        ELSE
            note := format('%s: attribute "%s" must be a JSON number', place, property);
            native := jsonb_build_object('attribute', attribute, 'op', CASE op WHEN 'LessThan' THEN 'lt' WHEN 'LessEqualThan' THEN 'le' WHEN 'BiggerThan' THEN 'gt' ELSE 'ge' END,
                'value', btrim(value, E' \t')::numeric);
        END IF;
        RETURN;
    ELSE
        problem := format('%s: unknown operator %s is never met', place, coalesce(to_jsonb(op), 'null'));
        RETURN;
    END IF;

    -- a native condition on an attribute that is missing or null is not met; FeatBit compares the empty string, but for the name
    on_missing := empty AND missing_is_empty AND property NOT IN ('name', 'keyId');
    on_null := empty AND property NOT IN ('name', 'keyId');
    IF property = 'keyId' THEN
        native := CASE WHEN is_negative THEN jsonb_build_object('not', positive) ELSE positive END;
    ELSIF is_negative THEN
        native := featbit.native_any(ARRAY[jsonb_build_object('not', positive),
            CASE WHEN NOT on_missing THEN jsonb_build_object('attribute', attribute, 'op', 'exists') END,
            CASE WHEN NOT on_null THEN jsonb_build_object('not', jsonb_build_object('attribute', attribute, 'op', 'is_null')) END], 'all');
    ELSE
        native := featbit.native_any(ARRAY[positive,
            CASE WHEN on_missing THEN jsonb_build_object('not', jsonb_build_object('attribute', attribute, 'op', 'exists')) END,
            CASE WHEN on_null THEN jsonb_build_object('attribute', attribute, 'op', 'is_null') END]);
        -- exists is met by null, too
        IF positive ->> 'op' = 'exists' AND NOT on_null THEN
            native := featbit.native_any(ARRAY[native, jsonb_build_object('not', jsonb_build_object('attribute', attribute, 'op', 'is_null'))], 'all');
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION featbit.native_condition(jsonb, text, boolean, text, text) IS 'internal: one of FeatBit''s conditions in native terms (native), or why it has none (problem), and what must hold for it to mean the same (note). place: where it stands, for messages; missing_is_empty: the option of its flag; numbers: as to_native.';

CREATE FUNCTION featbit.native_serve(serve jsonb, place text, variations jsonb, OUT native jsonb, OUT problem text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    ranges jsonb;
    dispatch_key text := serve ->> 'dispatchKey';
BEGIN
    IF jsonb_typeof(serve -> 'variations') IS DISTINCT FROM 'array' OR serve @? '$.variations[*] ? (@.rollout.size() != 2 || @.rollout[*].type() != "number")' THEN
        problem := place || ' is malformed';
        RETURN;
    END IF;
    SELECT string_agg(format('%s.variations[%s]: unknown variation %s', place, e.n - 1, coalesce(e.entry -> 'id', 'null')), '; ')
    INTO problem
    FROM jsonb_array_elements(serve -> 'variations') WITH ORDINALITY AS e (entry, n)
    WHERE NOT variations @> jsonb_build_array(jsonb_build_object('id', e.entry -> 'id'));
    IF problem IS NOT NULL THEN
        RETURN;
    END IF;
    IF jsonb_typeof(serve #> '{variations,0}') = 'object' AND (serve #> '{variations,0,rollout,0}')::numeric = 0 AND 1 - (serve #> '{variations,0,rollout,1}')::float8 < 1e-5 THEN
        -- everyone, without a hash
        native := jsonb_build_object('variation', serve #> '{variations,0,id}');
        RETURN;
    END IF;
    IF serve @? '$.variations[*].rollout[0] ? (@ < 0)' THEN
        problem := place || ' has a range that begins below 0';
        RETURN;
    END IF;
    -- no bucket is above 1
    SELECT jsonb_agg(jsonb_build_object('variation', e.entry -> 'id', 'from', e.entry #> '{rollout,0}',
               'to', CASE WHEN (e.entry #>> '{rollout,1}')::float8 > 1 THEN '1' ELSE e.entry #> '{rollout,1}' END) ORDER BY e.n)
    INTO ranges
    FROM jsonb_array_elements(serve -> 'variations') WITH ORDINALITY AS e (entry, n)
    WHERE (e.entry #>> '{rollout,0}')::numeric <= least((e.entry #>> '{rollout,1}')::numeric, 1);
    native := jsonb_build_object('ranges', coalesce(ranges, '[]'), 'hash', 'featbit-md5')
        || CASE WHEN btrim(coalesce(dispatch_key, ''), E' \t\n\r\v\f') IN ('', 'keyId') THEN '{}'
                ELSE jsonb_build_object('by', CASE WHEN dispatch_key ~ '\.' THEN jsonb_build_array(dispatch_key) ELSE to_jsonb(dispatch_key) END) END;
    IF dispatch_key = 'targetingKey' THEN
        problem := place || '.dispatchKey: the attribute targetingKey is the user key in native definitions';
    END IF;
END $$;
COMMENT ON FUNCTION featbit.native_serve(jsonb, text, jsonb) IS 'internal: what a rule or the default of FeatBit serves in native terms, with FeatBit''s ranges, or why it has none (problem).';

CREATE FUNCTION featbit.native_value(value jsonb, type text)
    RETURNS jsonb LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    text_value text := value #>> '{}';
BEGIN
    IF jsonb_typeof(value) IS DISTINCT FROM 'string' THEN
        RETURN NULL;
    END IF;
    RETURN CASE type
        WHEN 'string' THEN value
        WHEN 'boolean' THEN CASE WHEN lower(btrim(text_value)) IN ('true', 'false') THEN lower(btrim(text_value))::jsonb END
        WHEN 'number' THEN CASE WHEN text_value ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]{1,3})?$' THEN text_value::jsonb END
        WHEN 'json' THEN nullif(text_value::jsonb, 'null') END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION featbit.native_value(jsonb, text) IS 'internal: the text value of a variation of FeatBit as a value of a native flag of the type; NULL where it is none.';

CREATE FUNCTION featbit.native_form(flag featbit.flag, numbers text DEFAULT NULL, OUT definition jsonb, OUT problems text[], OUT notes text[])
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS $$
#variable_conflict use_variable
DECLARE
    missing_is_empty boolean := coalesce(flag.source ->> 'missingAttribute', 'empty') <> 'no_match';
    rule record;
    condition record;
    part record;
    conditions jsonb[];
    ids text[] := '{}';
    id text;
    rules jsonb := '[]';
    variations jsonb;
    targets jsonb;
    fallthrough jsonb;
BEGIN
    -- what flag_problems calls an error has no native form
    SELECT coalesce(array_agg(concat_ws(': ', p.path, p.problem)), '{}') INTO problems
    FROM featbit.flag_problems(flag.environment) AS p WHERE p.kind = 'flag' AND p.key = flag.key AND p.severity = 'error';
    notes := '{}';
    IF flag.key !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' THEN
        problems := problems || format('the key "%s" is none of a native flag: it starts with a letter or digit, and letters, digits, ".", "_" and "-" follow', flag.key);
    END IF;
    IF problems <> '{}' THEN
        RETURN;
    END IF;

    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', v.variation -> 'id', 'name', v.variation -> 'name')) || jsonb_build_object('value', v.value) ORDER BY v.n),
           problems || coalesce(array_agg(format('variations[%s]: %s is no value of type %s', v.n - 1, v.variation -> 'value', flag.type)) FILTER (WHERE v.value IS NULL), '{}'),
           notes || coalesce(array_agg(format('variations[%s]: the text of the value becomes %s', v.n - 1, v.value #>> '{}'))
                             FILTER (WHERE v.value #>> '{}' <> v.variation ->> 'value'), '{}')
    INTO variations, problems, notes
    FROM (SELECT e.variation, e.n, featbit.native_value(e.variation -> 'value', flag.type) AS value FROM jsonb_array_elements(flag.variations) WITH ORDINALITY AS e (variation, n)) AS v;

    -- the first list that has a user counts
    SELECT coalesce(jsonb_agg(jsonb_build_object('variation', t.variation, 'users', t.users) ORDER BY t.n), '[]') INTO targets
    FROM (SELECT f.variation, min(f.n) AS n, jsonb_agg(f.user_key ORDER BY f.n, f.m) AS users
          FROM (SELECT DISTINCT ON (u.user_key) u.user_key, e.target ->> 'variationId' AS variation, e.n, u.m
                FROM jsonb_array_elements(flag.targets) WITH ORDINALITY AS e (target, n), jsonb_array_elements_text(e.target -> 'keyIds') WITH ORDINALITY AS u (user_key, m)
                ORDER BY u.user_key, e.n, u.m) AS f
          GROUP BY f.variation) AS t;

    FOR rule IN SELECT e.rule, e.n - 1 AS n, format('rules[%s]', e.n - 1) AS place FROM jsonb_array_elements(flag.rules) WITH ORDINALITY AS e (rule, n) ORDER BY e.n LOOP
        conditions := '{}';
        FOR condition IN SELECT c.condition, format('%s.conditions[%s]', rule.place, c.n - 1) AS place
                         FROM jsonb_array_elements(rule.rule -> 'conditions') WITH ORDINALITY AS c (condition, n) ORDER BY c.n LOOP
            part := featbit.native_condition(condition.condition, condition.place, missing_is_empty, numbers, flag.environment);
            conditions := conditions || part.native;
            problems := problems || CASE WHEN part.problem IS NULL THEN '{}' ELSE ARRAY[part.problem] END;
            notes := notes || CASE WHEN part.note IS NULL THEN '{}' ELSE ARRAY[part.note] END;
        END LOOP;
        part := featbit.native_serve(rule.rule, rule.place, flag.variations);
        problems := problems || CASE WHEN part.problem IS NULL THEN '{}' ELSE ARRAY[part.problem] END;
        id := rule.rule ->> 'id';
        IF id IS NULL OR id = '' OR octet_length(id) > 128 OR id ~ '[\u0001-\u001f\u007f]' OR id = ANY (ids) THEN
            id := 'rule-' || rule.n + 1;
            notes := notes || format('%s: its id becomes %s', rule.place, id);
        END IF;
        ids := ids || id;
        rules := rules || jsonb_build_array(jsonb_build_object('id', id, 'when', featbit.native_any(conditions, 'all'), 'serve', part.native)
            || CASE WHEN jsonb_typeof(rule.rule -> 'name') = 'string' THEN jsonb_build_object('name', rule.rule -> 'name') ELSE '{}' END);
    END LOOP;
    part := featbit.native_serve(flag.fallthrough, 'fallthrough', flag.variations);
    problems := problems || CASE WHEN part.problem IS NULL THEN '{}' ELSE ARRAY[part.problem] END;
    IF flag.rules @? '$[*] ? (@.includedInExpt == true)' OR flag.fallthrough @? '$ ? (@.includedInExpt == true)' THEN
        notes := notes || 'which part of the users FeatBit sends to experiments is not kept'::text;
    END IF;
    definition := jsonb_build_object('semantics', 'native', 'type', flag.type, 'variations', variations, 'targets', targets, 'rules', rules, 'fallthrough', part.native,
        'off_variation', flag.off_variation, 'enabled', flag.enabled, 'salt', flag.key, 'prerequisites', '[]'::jsonb);
END $$;
COMMENT ON FUNCTION featbit.native_form(featbit.flag, text) IS 'how to_native would write a flag with featbit semantics: the columns of its definition, problems (why it cannot be written natively; empty when it can) and notes (what must hold for it to mean the same, and what is not kept). Changes nothing. flag: a row of featbit.flag; numbers: as to_native.';

CREATE FUNCTION featbit.to_native(flag_key text, environment text DEFAULT NULL, numbers text DEFAULT NULL,
    expected_revision bigint DEFAULT NULL, comment text DEFAULT NULL)
    RETURNS TABLE (revision bigint, notes text[])
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off
    AS $$
#variable_conflict use_variable
DECLARE
    previous text;
    stored featbit.flag;
    form record;
    new_row featbit.flag;
BEGIN
    IF numbers <> 'json' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('unknown word "%s" for numbers', numbers),
            HINT = 'Say json when attributes that are compared as numbers are JSON numbers in every context.';
    END IF;
    previous := featbit.begin_change(environment, comment, flag_key);
    stored := featbit.stored_flag(flag_key, environment);
    PERFORM featbit.refuse_other_revision('flag', stored.key, expected_revision, stored.revision);
    IF stored.semantics <> 'featbit' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('flag "%s" has %s semantics', stored.key, stored.semantics),
            HINT = 'Only flags that were imported from FeatBit can be made native.';
    END IF;
    form := featbit.native_form(stored, numbers);
    IF form.problems <> '{}' THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', MESSAGE = format('flag "%s" cannot be written natively without moving users', stored.key),
            DETAIL = array_to_string(form.problems, E'\n'),
            HINT = 'Keep it with featbit semantics, or change what is named here first.';
    END IF;
    new_row := jsonb_populate_record(stored, form.definition);
    UPDATE featbit.flag AS f
    SET semantics = new_row.semantics, type = new_row.type, variations = new_row.variations, targets = new_row.targets, rules = new_row.rules,
        fallthrough = new_row.fallthrough, off_variation = new_row.off_variation, salt = new_row.salt, prerequisites = new_row.prerequisites, source = NULL
    WHERE f.environment = stored.environment AND f.key = stored.key
    RETURNING f.revision INTO revision;
    PERFORM set_config('featbit.change_comment', previous, true);
    notes := form.notes;
    RETURN NEXT;
END $$;
COMMENT ON FUNCTION featbit.to_native(text, text, text, bigint, text) IS
'makes a flag that came from FeatBit native, so that everyone keeps the variation: conditions become native ones that also say what a missing attribute is, and percentages become ranges of FeatBit''s own buckets ({"ranges": [{"variation", "from", "to"}], "hash": "featbit-md5", "by"}). From then on imports leave it alone, and it can be changed like any native flag; export_featbit cannot give it back.
environment: default the setting featbit.environment. numbers: json when attributes that are compared as numbers are JSON numbers in every context, which native comparisons need; without it such a flag is refused. expected_revision, comment: as update_flag.
Returns the new revision and notes: what must hold of the contexts for it to mean the same, and what is not kept.
Errors: 0A000 with the reasons when it cannot be written natively without moving users (see native_form, which changes nothing); 22023 the flag is not FeatBit''s; 42704 unknown flag; 40001 another revision is stored';
