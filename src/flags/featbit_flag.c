/*
 * featbit_flag.c
 *		Reads a flag row with featbit semantics.
 */
#include "postgres.h"

#include "flags/featbit.h"

/* Checks what a flag has that FeatBit does not know. */
static bool
check_native_columns(FbReader *reader, const FbFlagRow *row)
{
	if (row->prerequisites != NULL && (!JB_ROOT_IS_ARRAY(row->prerequisites) || JB_ROOT_COUNT(row->prerequisites) > 0))
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
						 "FeatBit knows no prerequisites; convert the flag with featbit.to_native first.",
						 "a flag with featbit semantics must not have prerequisites");
	if (row->iteration != 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
						 "FeatBit deals users by the key of the flag alone; convert the flag with featbit.to_native first.",
						 "a flag with featbit semantics must have iteration 0, not %d", row->iteration);
	return true;
}

/* Opens a column that holds an array; what is none has no elements. */
static void
open_column(FbReader *reader, const FbPlace *place, Jsonb *column, FbElements *elements)
{
	JsonbValue	root = {.type = jbvNull};

	if (column != NULL)
		fb_json_root(column, &root);
	(void) fb_json_array(reader, place, &root, elements);
}

/* Reads the users of a target; false when there is no array of them. */
static bool
read_users(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbSet *set)
{
	FbElements	elements;
	JsonbValue	item;
	FbString   *users;
	Size		total = 0;
	int			count = 0;

	if (!fb_json_array(reader, place, value, &elements))
		return false;
	users = palloc(sizeof(FbString) * (elements.count + 1));
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {place, NULL, elements.position};

		if (!fb_json_string(&item, &users[count]))
		{
			fb_note(reader, &element, "%s must be a string, not %s", fb_place_text(&element), fb_json_text(&item));
			continue;
		}
		users[count] = fb_utf8(users[count]);
		total += users[count++].length;
	}
	if (count > 0)
		fb_set_init(set, fb_arena_alloc(reader->arena, fb_set_size(count, total)), count);
	for (int i = 0; i < count; i++)
		(void) fb_set_add(set, users[i]);
	return true;
}

/* Reads the individual targets; the first that has a user decides. */
static void
read_targets(FbReader *reader, const FbFlagRow *row, FbFlag *flag)
{
	FbPlace		place = {NULL, "targets", 0};
	FbElements	elements;
	FbTarget   *targets;
	JsonbValue	item;

	open_column(reader, &place, row->targets, &elements);
	if (elements.count == 0)
		return;
	targets = fb_arena_alloc(reader->arena, sizeof(FbTarget) * elements.count);
	memset(targets, 0, sizeof(FbTarget) * elements.count);
	flag->targets = targets;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};
		FbPlace		users_place = {&element, "keyIds", 0};
		FbPlace		variation_place = {&element, "variationId", 0};
		FbTarget   *target = &targets[elements.position];
		JsonbValue	member;
		FbString	id = {"", 0};

		/* every entry has its place, also one that nobody is in: positions are shown to people */
		flag->target_count++;
		if (!fb_json_is_object(&item))
		{
			fb_note(reader, &element, "%s must be an object, not %s", fb_place_text(&element), fb_json_text(&item));
			continue;
		}
		if (!read_users(reader, &users_place, fb_json_find(&item, "keyIds", &member), &target->users))
			continue;
		if (fb_json_string(fb_json_find(&item, "variationId", &member), &id))
			target->variation = fb_flag_variation(flag, id);
		if (target->variation == NULL)
			fb_note(reader, &variation_place, "unknown variation \"%s\"", fb_cstring(id));
	}
}

/* Reads one rule. */
static void
read_rule(FbFeatbitReader *featbit, const FbPlace *place, const JsonbValue *value, FbRule *rule, FbTree **condition)
{
	FbReader   *reader = featbit->reader;
	FbPlace		conditions_place = {place, "conditions", 0};
	JsonbValue	member;
	FbString	text;

	rule->gate = FB_GATE_SLOTS;
	rule->from = PG_INT64_MIN;
	rule->until = PG_INT64_MAX;
	rule->start = FB_NOT_MET;
	if (!fb_json_is_object(value))
	{
		fb_note(reader, place, "%s must be an object, not %s", fb_place_text(place), fb_json_text(value));
		return;
	}
	if (fb_json_string(fb_json_find(value, "id", &member), &text))
		rule->id = fb_arena_string(reader->arena, text);
	if (fb_json_string(fb_json_find(value, "name", &member), &text))
		rule->name = fb_arena_string(reader->arena, text);
	*condition = fb_read_featbit_conditions(featbit, &conditions_place, fb_json_find(value, "conditions", &member));
	fb_read_featbit_serve(featbit, place, value, rule, &rule->serve);
}

/* Reads the rules. */
static void
read_rules(FbFeatbitReader *featbit, const FbFlagRow *row)
{
	FbDefinition *definition = featbit->definition;
	FbPlace		place = {NULL, "rules", 0};
	FbElements	elements;
	JsonbValue	item;

	open_column(featbit->reader, &place, row->rules, &elements);
	if (elements.count == 0)
		return;
	definition->rules = fb_arena_alloc(featbit->reader->arena, sizeof(FbRule) * elements.count);
	memset(definition->rules, 0, sizeof(FbRule) * elements.count);
	definition->conditions = palloc0(sizeof(FbTree *) * elements.count);
	definition->condition_count = elements.count;
	definition->flag->rules = definition->rules;
	definition->flag->rule_count = elements.count;
	while (fb_next_element(&elements, &item))
	{
		FbPlace		element = {&place, NULL, elements.position};

		read_rule(featbit, &element, &item, &definition->rules[elements.position],
				  &definition->conditions[elements.position]);
	}
}

/* Reads what is served while the flag is disabled, and what the default is. */
static void
read_defaults(FbFeatbitReader *featbit, const FbFlagRow *row)
{
	FbReader   *reader = featbit->reader;
	FbFlag	   *flag = featbit->definition->flag;
	FbPlace		off_place = {NULL, "off_variation", 0};
	FbPlace		place = {NULL, "fallthrough", 0};
	JsonbValue	root = {.type = jbvNull};
	const char *off = row->off_variation == NULL ? "" : row->off_variation;

	flag->off_variation = fb_flag_variation(flag, fb_string_of(off));
	if (flag->off_variation == NULL)
	{
		fb_note(reader, &off_place, "unknown variation \"%s\"", off);
		flag->off_error = fb_arena_string(reader->arena, fb_string_of(
			psprintf("%s%smalformed flag: unknown variation \"%s\" in off_variation",
					 reader->subject == NULL ? "" : reader->subject, reader->subject == NULL ? "" : ": ", off))).data;
	}
	if (row->fallthrough != NULL)
		fb_json_root(row->fallthrough, &root);
	fb_read_featbit_serve(featbit, &place, &root, NULL, &flag->fallthrough);
}

/* Reads what of a flag is FeatBit's; its identity has been read. */
void
fb_read_featbit_flag(FbReader *reader, const FbFlagRow *row, FbDefinition *definition)
{
	FbFeatbitReader featbit = {reader, definition};
	FbFlag	   *flag = definition->flag;

	if (!check_native_columns(reader, row) ||
		!fb_read_featbit_source(reader, row->source, &featbit.missing_is_empty, &flag->info.expt_include_all))
	{
		flag->error = fb_take_defect(reader);
		return;
	}
	/* nothing below is refused, so that whoever stores the row need not read it */
	if (reader->strict)
		return;
	if (!fb_read_featbit_variations(reader, row, flag))
	{
		flag->error = "malformed flag: variations are no array";
		return;
	}
	read_defaults(&featbit, row);
	if (!reader->references_only)
		read_targets(reader, row, flag);
	read_rules(&featbit, row);
	if (flag->enabled && flag->target_count == 0 && flag->rule_count == 0 &&
		flag->fallthrough.kind == FB_SERVE_RANGES && flag->fallthrough.by == NULL)
		flag->plain_split = &fb_plain_ranges;
}
