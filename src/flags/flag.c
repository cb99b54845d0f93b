/*
 * flag.c
 *		Reads a flag row: identity, targets, prerequisites, rules, fallthrough.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "core/fb_hash.h"
#include "flags/featbit.h"

#define PERCENTAGE_DECIMALS 3

enum
{
	RULE_ID,
	RULE_NAME,
	RULE_WHEN,
	RULE_SERVE,
	RULE_PERCENTAGE,
	RULE_FROM,
	RULE_UNTIL,
	RULE_FIELDS
};

/* Checks the key of a flag or segment. */
bool
fb_check_key(FbReader *reader, const char *key)
{
	const char *c;

	if (key == NULL)
		return fb_defect(reader, ERRCODE_NOT_NULL_VIOLATION, NULL, "key must not be null");
	if (strlen(key) > FB_MAX_NAME)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "key has %d bytes, at most %d are allowed",
						 (int) strlen(key), FB_MAX_NAME);
	for (c = key; *c != '\0'; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
			  (c > key && (*c == '.' || *c == '_' || *c == '-'))))
			break;
	if (c == key || *c != '\0')
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
						 "A key starts with a letter or digit; letters, digits, \".\", \"_\" and \"-\" follow.",
						 "invalid key \"%s\"", key);
	return true;
}

/* Checks a key of another dialect, which has rules of its own. */
bool
fb_check_foreign_key(FbReader *reader, const char *key)
{
	FbPlace		place = {NULL, "key", 0};

	if (key == NULL)
		return fb_defect(reader, ERRCODE_NOT_NULL_VIOLATION, NULL, "key must not be null");
	if (key[0] == '\0' || strlen(key) > FB_MAX_NAME)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "key has %d bytes, 1 to %d are allowed",
						 (int) strlen(key), FB_MAX_NAME);
	return fb_check_printable(reader, &place, fb_string_of(key));
}

/* Reads what identifies a flag. */
static bool
read_identity(FbReader *reader, const FbFlagRow *row, FbFlag *flag)
{
	FbPlace		salt_place = {NULL, "salt", 0};
	bool		is_featbit = fb_is_featbit(row->semantics);

	if (!(is_featbit ? fb_check_foreign_key(reader, row->key) : fb_check_key(reader, row->key)))
		return false;
	flag->info.key = fb_arena_string(reader->arena, fb_string_of(row->key));
	flag->info.revision = row->revision;
	flag->info.iteration = row->iteration;
	flag->enabled = row->enabled;
	flag->archived = row->archived;
	if (is_featbit)
		return true;
	if (row->semantics == NULL || strcmp(row->semantics, "native") != 0)
		return fb_defect(reader, ERRCODE_FEATURE_NOT_SUPPORTED, "Semantics are \"native\" and \"featbit\".",
						 "unsupported semantics \"%s\"", row->semantics == NULL ? "" : row->semantics);
	if (row->source != NULL)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, "Set it to NULL, or semantics to \"featbit\".",
						 "a native flag must not have a source");
	if (row->iteration < 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
						 "iteration must not be negative, but is %d", row->iteration);
	return row->salt == NULL || fb_check_printable(reader, &salt_place, fb_string_of(row->salt));
}

/* Opens a column that holds an array; a NULL column is an empty one. */
static bool
open_column(FbReader *reader, const FbPlace *place, Jsonb *column, FbElements *elements)
{
	JsonbValue	root;

	elements->count = 0;
	if (column == NULL)
		return true;
	fb_json_root(column, &root);
	return fb_open_array(reader, place, &root, elements);
}

/* Collects the users of a target; they are compared in UTF-8. */
static bool
read_users(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbSet *set, FbString **users,
		   int *count)
{
	FbElements	elements;
	JsonbValue	item;
	Size		total = 0;
	int			i;

	if (!fb_open_array(reader, place, value, &elements))
		return false;
	*users = palloc(sizeof(FbString) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {place, NULL, elements.position};
		FbString	user;

		if (!fb_read_string(reader, &element, &item, &user))
			return false;
		user = fb_utf8(user);
		(*users)[elements.position] = user;
		total += user.length;
	}
	*count = elements.count;
	if (*count == 0)
		return true;
	fb_set_init(set, fb_arena_alloc(reader->arena, fb_set_size(*count, total)), *count);
	for (i = 0; i < *count; i++)
		(void) fb_set_add(set, (*users)[i]);
	return true;
}

/* Returns a string that was made UTF-8 in the server encoding again. */
static char *
server_text(FbString utf8)
{
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return fb_cstring(utf8);
	return pg_any_to_server(utf8.data, utf8.length, PG_UTF8);
}

/* Refuses a user who is listed in an earlier target: only the first would count. */
static bool
check_user_once(FbReader *reader, const FbPlace *place, const FbTarget *targets, int target,
				const FbString *users, int count)
{
	int			i;
	int			earlier;

	for (i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (earlier = 0; earlier < target; earlier++)
			if (fb_set_has(&targets[earlier].users, users[i]))
			{
				FbPlace		element = {place, NULL, i};

				return fb_defect(reader, ERRCODE_UNIQUE_VIOLATION, "Remove the user from one of the two lists.",
								 "user \"%s\" in %s is already in targets[%d]",
								 server_text(users[i]), fb_place_text(&element), earlier);
			}
	}
	return true;
}

/* Reads one target. */
static bool
read_target(FbReader *reader, const FbPlace *place, const JsonbValue *value, const FbFlag *flag,
			FbTarget *targets, int position)
{
	FbField		fields[] = {{"variation", true}, {"users", true}};
	FbPlace		variation_place = {place, "variation", 0};
	FbPlace		users_place = {place, "users", 0};
	FbTarget   *target = &targets[position];
	FbString   *users = NULL;
	int			count = 0;
	int			i;

	if (!fb_read_object(reader, place, value, fields, lengthof(fields)))
		return false;
	target->variation = fb_read_variation(reader, &variation_place, &fields[0].value, flag);
	if (target->variation == NULL)
		return false;
	for (i = 0; (reader->strict || reader->thorough) && i < position; i++)
		if (targets[i].variation == target->variation)
			return fb_defect(reader, ERRCODE_UNIQUE_VIOLATION, "Put all users of a variation into one list.",
							 "variation \"%s\" in %s is already in targets[%d]", target->variation->key.data,
							 fb_place_text(&variation_place), i);
	if (!read_users(reader, &users_place, &fields[1].value, &target->users, &users, &count))
		return false;
	return !(reader->strict || reader->thorough) ||
		check_user_once(reader, &users_place, targets, position, users, count);
}

/* Reads the targets; a broken one evaluates to an error. */
static void
read_targets(FbReader *reader, const FbFlagRow *row, FbFlag *flag)
{
	FbPlace		place = {NULL, "targets", 0};
	FbElements	elements;
	FbTarget   *targets;
	JsonbValue	item;

	if (!open_column(reader, &place, row->targets, &elements))
	{
		targets = fb_arena_alloc(reader->arena, sizeof(FbTarget));
		memset(targets, 0, sizeof(FbTarget));
		targets->error = fb_take_defect(reader);
		flag->targets = targets;
		flag->target_count = 1;
		return;
	}
	if (elements.count == 0)
		return;
	targets = fb_arena_alloc(reader->arena, sizeof(FbTarget) * elements.count);
	memset(targets, 0, sizeof(FbTarget) * elements.count);
	flag->targets = targets;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};

		if (!read_target(reader, &element, &item, flag, targets, elements.position))
			targets[elements.position].error = fb_take_defect(reader);
		flag->target_count++;
	}
}

/* Reads the prerequisites; linking makes them of the flag. */
static void
read_prerequisites(FbReader *reader, const FbFlagRow *row, FbDefinition *definition)
{
	FbPlace		place = {NULL, "prerequisites", 0};
	FbElements	elements;
	JsonbValue	item;

	if (!open_column(reader, &place, row->prerequisites, &elements))
	{
		definition->prerequisites = list_make1(NULL);
		definition->prerequisite_defects = palloc(sizeof(char *));
		definition->prerequisite_defects[0] = fb_take_defect(reader);
		return;
	}
	if (elements.count == 0)
		return;
	definition->prerequisite_defects = palloc0(sizeof(char *) * elements.count);
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};
		FbField		fields[] = {{"flag", true}, {"variations", true}};
		FbReference *reference = NULL;

		if (fb_read_object(reader, &element, &item, fields, lengthof(fields)))
			reference = fb_read_flag_reference(reader, &element, &fields[0], &fields[1]);
		if (reference != NULL)
			definition->references = lappend(definition->references, reference);
		else
			definition->prerequisite_defects[elements.position] = fb_take_defect(reader);
		definition->prerequisites = lappend(definition->prerequisites, reference);
	}
}

/* Reads id, name, window and percentage of a rule. */
static bool
read_rule_head(FbReader *reader, const FbPlace *place, FbField *fields, FbString salt, FbSet *ids, FbRule *rule)
{
	FbPlace		id_place = {place, "id", 0};
	FbPlace		name_place = {place, "name", 0};
	FbPlace		percentage_place = {place, "percentage", 0};
	FbPlace		from_place = {place, "from", 0};
	FbPlace		until_place = {place, "until", 0};
	FbString	id;
	FbString	name;
	FbString	utf8;
	int64		gate;

	if (!fb_read_name(reader, &id_place, &fields[RULE_ID].value, &id))
		return false;
	if (!fb_set_add(ids, id))
		return fb_defect(reader, ERRCODE_UNIQUE_VIOLATION, NULL, "duplicate rule id \"%s\" in %s",
						 fb_cstring(id), fb_place_text(&id_place));
	rule->id = fb_arena_string(reader->arena, id);
	if (fields[RULE_NAME].present)
	{
		if (!fb_read_string(reader, &name_place, &fields[RULE_NAME].value, &name))
			return false;
		rule->name = fb_arena_string(reader->arena, name);
	}
	if (fields[RULE_PERCENTAGE].present)
	{
		if (!fb_read_decimal(reader, &percentage_place, &fields[RULE_PERCENTAGE].value, PERCENTAGE_DECIMALS,
							 FB_GATE_SLOTS, "a number from 0 to 100 with at most 3 decimals", &gate))
			return false;
		rule->gate = (uint32) gate;
		salt = fb_utf8(salt);
		utf8 = fb_utf8(id);
		rule->gate_seed = fb_gate_seed(salt.data, salt.length, utf8.data, utf8.length);
	}
	if (fields[RULE_FROM].present &&
		!fb_read_timestamp(reader, &from_place, &fields[RULE_FROM].value, &rule->from))
		return false;
	if (fields[RULE_UNTIL].present &&
		!fb_read_timestamp(reader, &until_place, &fields[RULE_UNTIL].value, &rule->until))
		return false;
	reader->uses_time = reader->uses_time || fields[RULE_FROM].present || fields[RULE_UNTIL].present;
	if (rule->from >= rule->until)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "%s must be later than %s",
						 fb_place_text(&until_place), fb_place_text(&from_place));
	return true;
}

/* Reads one rule. */
static bool
read_rule(FbReader *reader, FbDefinition *definition, const FbPlace *place, const JsonbValue *value,
		  FbString salt, FbSet *ids, int position)
{
	FbField		fields[RULE_FIELDS] = {
		[RULE_ID] = {"id", true},
		[RULE_NAME] = {"name"},
		[RULE_WHEN] = {"when", true},
		[RULE_SERVE] = {"serve", true},
		[RULE_PERCENTAGE] = {"percentage"},
		[RULE_FROM] = {"from"},
		[RULE_UNTIL] = {"until"}
	};
	FbPlace		when_place = {place, "when", 0};
	FbPlace		serve_place = {place, "serve", 0};
	FbRule	   *rule = &definition->rules[position];

	rule->gate = FB_GATE_SLOTS;
	rule->from = PG_INT64_MIN;
	rule->until = PG_INT64_MAX;
	if (!fb_read_object(reader, place, value, fields, RULE_FIELDS) ||
		!read_rule_head(reader, place, fields, salt, ids, rule))
		return false;
	definition->conditions[position] =
		fb_read_condition(reader, definition, &when_place, &fields[RULE_WHEN].value);
	fb_read_serve(reader, &serve_place, &fields[RULE_SERVE].value, definition->flag, salt, &rule->serve);
	return true;
}

/* Reads the rules; a broken one evaluates to an error. */
static void
read_rules(FbReader *reader, const FbFlagRow *row, FbDefinition *definition, FbString salt)
{
	FbPlace		place = {NULL, "rules", 0};
	FbFlag	   *flag = definition->flag;
	FbSet		ids;
	FbElements	elements;
	JsonbValue	item;
	bool		readable = open_column(reader, &place, row->rules, &elements);
	int			count = readable ? elements.count : 1;

	if (count == 0)
		return;
	definition->rules = fb_arena_alloc(reader->arena, sizeof(FbRule) * count);
	memset(definition->rules, 0, sizeof(FbRule) * count);
	definition->conditions = palloc0(sizeof(FbTree *) * count);
	definition->condition_count = count;
	flag->rules = definition->rules;
	if (!readable)
	{
		definition->rules[0].error = fb_take_defect(reader);
		flag->rule_count = 1;
		return;
	}
	fb_set_init(&ids, palloc(fb_set_size(count, (Size) count * FB_MAX_NAME)), count);
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};

		if (!read_rule(reader, definition, &element, &item, salt, &ids, elements.position))
			definition->rules[elements.position].error = fb_take_defect(reader);
		flag->rule_count++;
	}
}

/* Reads off_variation and fallthrough. */
static void
read_defaults(FbReader *reader, const FbFlagRow *row, FbFlag *flag, FbString salt)
{
	FbPlace		place = {NULL, "fallthrough", 0};
	JsonbValue	root;

	if (row->off_variation != NULL)
	{
		flag->off_variation = fb_flag_variation(flag, fb_string_of(row->off_variation));
		if (flag->off_variation == NULL)
		{
			(void) fb_unknown_variation(reader, "off_variation", row->off_variation, flag, NULL);
			flag->off_error = fb_take_defect(reader);
		}
	}
	if (row->fallthrough == NULL)
	{
		(void) fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL, "fallthrough must not be null");
		flag->fallthrough.kind = FB_SERVE_ERROR;
		flag->fallthrough.error = fb_take_defect(reader);
		return;
	}
	fb_json_root(row->fallthrough, &root);
	fb_read_serve(reader, &place, &root, flag, salt, &flag->fallthrough);
}

/* Reads a flag; what it refers to is not looked at. */
FbDefinition *
fb_read_flag(FbReader *reader, const FbFlagRow *row)
{
	FbDefinition *definition = palloc0(sizeof(FbDefinition));
	FbFlag	   *flag = fb_arena_alloc(reader->arena, sizeof(FbFlag));
	FbString	salt;

	memset(flag, 0, sizeof(FbFlag));
	definition->flag = flag;
	definition->flag_row = row;
	if (read_identity(reader, row, flag) && fb_is_featbit(row->semantics))
	{
		fb_read_featbit_flag(reader, row, definition);
		return definition;
	}
	if (reader->defect != NULL || !fb_read_variations(reader, row, flag))
	{
		flag->error = fb_take_defect(reader);
		return definition;
	}
	salt = fb_string_of(row->salt != NULL ? row->salt : row->key);
	read_defaults(reader, row, flag, salt);
	read_prerequisites(reader, row, definition);
	if (!reader->references_only)
		read_targets(reader, row, flag);
	read_rules(reader, row, definition, salt);
	flag->is_static = definition->prerequisites == NIL && flag->target_count == 0 && flag->rule_count == 0 &&
		flag->fallthrough.kind == FB_SERVE_VARIATION;
	if (flag->enabled && definition->prerequisites == NIL && flag->target_count == 0 &&
		flag->rule_count == 0 && flag->fallthrough.kind == FB_SERVE_SPLIT &&
		flag->fallthrough.stage_count == 1 && flag->fallthrough.by == NULL)
		flag->plain_split = &flag->fallthrough.stages[0].split;
	return definition;
}
