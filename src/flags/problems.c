/*
 * problems.c
 *		Lists what is wrong, or legal but suspicious, in the stored configuration: flag_problems.
 *
 * Rows that came past the validation, by replication or from a dump, may be malformed, refer
 * to what does not exist, or close a cycle.  Each row is read as the compiler reads
 * it, with every defect kept; what it refers to is kept as a graph, which is
 * looked at when the whole environment has been read.  The tables are read with the rights of the caller.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/fb_hash.h"
#include "flags/access.h"
#include "flags/catalog.h"
#include "flags/context.h"
#include "flags/featbit.h"
#include "fb_rows.h"
#include "pg_compat.h"

PG_FUNCTION_INFO_V1(fb_flag_problems);

#define ROWS_AT_ONCE 64
#define PROBLEM_COLUMNS 6

/* Identity of a flag or segment; zeroed before it is filled, for hashing. */
typedef struct MemberKey
{
	bool		is_segment;
	char		name[FB_MAX_NAME + 1];
} MemberKey;

/* A flag or segment of the environment. */
typedef struct Member
{
	MemberKey		key;
	bool		exists;			/* else something refers to it in vain */
	bool		archived;
	bool		disabled;
	bool		broken;			/* its variations cannot be read */
	List	   *variations;		/* char * */
	List	   *references;		/* FbReference * */
	enum
	{
		NODE_NEW,
		NODE_ON_PATH,
		NODE_DONE
	}			state;
	int			next;			/* reference to follow next */
	int			height;			/* levels below and including it */
} Member;

/* Where problems go, and the row that is looked at. */
typedef struct Report
{
	FbRows		rows;
	const char *environment;	/* NULL: of this session */
	const char *kind;
	const char *key;
	int64		now;
	HTAB	   *nodes;
	List	   *order;			/* Member *, as they were read */
	MemoryContext context;		/* of the graph */
} Report;

/* Adds a row: environment, kind, key, path, problem, severity. */
static void
report(Report *to, const char *path, const char *problem, const char *severity)
{
	const char *columns[PROBLEM_COLUMNS] = {to->environment, to->kind, to->key, path, problem, severity};
	Datum		values[PROBLEM_COLUMNS];
	bool		nulls[PROBLEM_COLUMNS];

	for (int i = 0; i < PROBLEM_COLUMNS; i++)
	{
		nulls[i] = columns[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(columns[i]);
	}
	fb_rows_put(&to->rows, values, nulls);
}

/* Adds an error, unless there is none. */
static void
report_error(Report *to, const char *path, const char *problem)
{
	if (problem != NULL)
		report(to, path, problem, "error");
}

/* Adds a warning. */
static void
warn(Report *to, const char *path, const char *problem)
{
	report(to, path, problem, "warning");
}

/* Returns a place within a column that holds an array; the column itself when it holds none. */
static FbPlace
element_of(const FbPlace *column, Jsonb *array, int position)
{
	if (array == NULL || !JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		return *column;
	return (FbPlace) {column, NULL, position};
}

/* Finds or makes the node of a flag or segment. */
static Member *
get_node(Report *to, bool is_segment, const char *name)
{
	MemberKey		key;
	Member	   *node;
	bool		found;

	memset(&key, 0, sizeof(key));
	key.is_segment = is_segment;
	strlcpy(key.name, name, sizeof(key.name));
	node = hash_search(to->nodes, &key, HASH_ENTER, &found);
	if (!found)
		memset((char *) node + sizeof(MemberKey), 0, sizeof(Member) - sizeof(MemberKey));
	return node;
}

/* Reports the broken parts of a condition, each at its place. */
static void
report_condition(Report *to, const FbTree *tree, const FbPlace *place)
{
	static const char *const names[] = {"all", "any", "not"};

	check_stack_depth();
	if (tree->kind == FB_TREE_LEAF)
	{
		if (tree->leaf.kind == FB_CONDITION_ERROR)
			report_error(to, fb_place_text(place), tree->leaf.error);
		return;
	}
	for (int i = 0; i < tree->child_count; i++)
	{
		FbPlace		group = {place, names[tree->kind], 0};
		FbPlace		element = {&group, NULL, i};

		report_condition(to, tree->children[i], tree->kind == FB_TREE_NOT ? &group : &element);
	}
}

/* What a condition gives whoever is asked for. */
typedef enum Constant
{
	NEVER_MET,
	ALWAYS_MET,
	DEPENDS
} Constant;

/* Tells whether a condition is met by everyone or by nobody, as far as its form shows. */
static Constant
constant_condition(const FbTree *tree)
{
	Constant	decides = tree->kind == FB_TREE_ANY ? ALWAYS_MET : NEVER_MET;
	Constant	result = tree->kind == FB_TREE_ANY ? NEVER_MET : ALWAYS_MET;

	check_stack_depth();
	if (tree->kind == FB_TREE_LEAF)
		return tree->leaf.kind == FB_CONDITION_NEVER && tree->leaf.op == 0 ? NEVER_MET : DEPENDS;
	if (tree->kind == FB_TREE_NOT)
	{
		result = constant_condition(tree->children[0]);
		return result == DEPENDS ? DEPENDS : result == ALWAYS_MET ? NEVER_MET : ALWAYS_MET;
	}
	for (int i = 0; i < tree->child_count; i++)
	{
		Constant	child = constant_condition(tree->children[i]);

		if (child == decides)
			return decides;
		if (child == DEPENDS)
			result = DEPENDS;
	}
	return result;
}

/* Warns of variations that a serve names but gives to nobody. */
static void
check_weights(Report *to, const FbFlag *flag, const FbServe *serve, const char *path)
{
	bool	   *named;
	bool	   *served;

	if (serve->kind != FB_SERVE_SPLIT)
		return;
	named = palloc0(flag->variation_count);
	served = palloc0(flag->variation_count);
	for (uint32 i = 0; i < serve->stage_count; i++)
	{
		const FbSplit *split = &serve->stages[i].split;

		for (uint32 arm = 0; arm < split->arm_count; arm++)
		{
			uint32		position = split->arms[arm].variation - flag->variations;

			named[position] = true;
			if (split->arms[arm].upper > (arm == 0 ? 0 : split->arms[arm - 1].upper))
				served[position] = true;
		}
	}
	for (uint32 i = 0; i < flag->variation_count; i++)
		if (named[i] && !served[i])
			warn(to, path, psprintf("variation \"%s\" has weight 0: nobody gets it here",
									fb_cstring(flag->variations[i].key)));
}

/* Reports what is wrong with the rules of a flag, and what they cannot do. */
static void
check_rules(Report *to, const FbFlagRow *row, const FbDefinition *definition)
{
	const FbFlag *flag = definition->flag;
	FbPlace		column = {NULL, "rules", 0};
	const FbRule *catch_all = NULL;

	for (uint32 i = 0; i < flag->rule_count; i++)
	{
		const FbRule *rule = &flag->rules[i];
		FbPlace		place = element_of(&column, row->rules, i);
		FbPlace		when = {&place, "when", 0};
		FbPlace		serve = {&place, "serve", 0};
		FbPlace		percentage = {&place, "percentage", 0};
		FbPlace		until = {&place, "until", 0};
		Constant	constant;

		CHECK_FOR_INTERRUPTS();
		if (rule->error != NULL)
		{
			report_error(to, fb_place_text(&place), rule->error);
			continue;
		}
		report_condition(to, definition->conditions[i], &when);
		if (rule->serve.kind == FB_SERVE_ERROR)
			report_error(to, fb_place_text(&serve), rule->serve.error);
		constant = constant_condition(definition->conditions[i]);
		if (catch_all != NULL)
			warn(to, fb_place_text(&place), psprintf("never reached: rule \"%s\" before it applies to everyone",
													 fb_cstring(catch_all->id)));
		if (constant == NEVER_MET)
			warn(to, fb_place_text(&when), "nobody can meet the condition");
		if (rule->gate == 0)
			warn(to, fb_place_text(&percentage), "percentage is 0: the rule applies to nobody");
		if (rule->until <= to->now)
			warn(to, fb_place_text(&until), psprintf("the time of the rule ended at %s",
													 timestamptz_to_str(rule->until)));
		check_weights(to, flag, &rule->serve, fb_place_text(&serve));
		if (catch_all == NULL && constant == ALWAYS_MET && rule->gate == FB_GATE_SLOTS && rule->from <= to->now &&
			rule->until == PG_INT64_MAX)
			catch_all = rule;
	}
}

/* Reports what a reader has noted. */
static void
report_notes(Report *to, List *notes)
{
	ListCell   *cell;

	foreach(cell, notes)
	{
		const FbNote *note = lfirst(cell);

		report(to, note->path, note->text, note->warning ? "warning" : "error");
	}
}

/* Warns of rules of FeatBit's that are never reached or met; what is malformed in them has been noted. */
static void
check_featbit_rules(Report *to, const FbFlagRow *row, const FbDefinition *definition)
{
	const FbFlag *flag = definition->flag;
	FbPlace		column = {NULL, "rules", 0};
	const FbRule *catch_all = NULL;

	for (uint32 i = 0; i < flag->rule_count; i++)
	{
		FbPlace		place = element_of(&column, row->rules, i);
		FbPlace		conditions = {&place, "conditions", 0};
		Constant	constant;

		CHECK_FOR_INTERRUPTS();
		if (definition->conditions[i] == NULL)
			continue;
		constant = constant_condition(definition->conditions[i]);
		if (catch_all != NULL)
			warn(to, fb_place_text(&place),
				 psprintf("never reached: rule \"%s\" before it applies to everyone",
						  catch_all->name.data != NULL ? catch_all->name.data : ""));
		if (constant == NEVER_MET)
			warn(to, fb_place_text(&conditions), "nobody can meet the conditions");
		if (catch_all == NULL && constant == ALWAYS_MET)
			catch_all = &flag->rules[i];
	}
}

/* Copies what a row refers to into the graph. */
static void
keep_references(Report *to, Member *node, List *references)
{
	MemoryContext old_context = MemoryContextSwitchTo(to->context);

	node->references = list_concat(node->references, fb_copy_references(references));
	node->exists = true;
	to->order = lappend(to->order, node);
	MemoryContextSwitchTo(old_context);
}

/* Looks at a flag by itself, and keeps what the graph needs of it. */
static void
check_flag_row(Report *to, const FbFlagRow *row)
{
	FbArena		arena = {CurrentMemoryContext};
	FbReader	reader = {.thorough = true,.arena = &arena};
	FbDefinition *definition = fb_read_flag(&reader, row);
	const FbFlag *flag = definition->flag;
	FbPlace		targets = {NULL, "targets", 0};
	FbPlace		prerequisites = {NULL, "prerequisites", 0};
	Member	   *node;
	ListCell   *cell;

	to->kind = "flag";
	to->key = row->key;
	node = get_node(to, false, row->key);
	node->archived = row->archived;
	node->disabled = !row->enabled;
	node->broken = flag->error != NULL;
	keep_references(to, node, definition->references);
	report_error(to, NULL, flag->error);
	if (flag->error != NULL)
	{
		report_notes(to, reader.notes);
		return;
	}
	for (uint32 i = 0; i < flag->variation_count; i++)
	{
		MemoryContext old_context = MemoryContextSwitchTo(to->context);

		node->variations = lappend(node->variations, fb_cstring(flag->variations[i].key));
		MemoryContextSwitchTo(old_context);
	}
	if (fb_is_featbit(row->semantics))
	{
		report_notes(to, reader.notes);
		check_featbit_rules(to, row, definition);
		return;
	}
	report_error(to, "off_variation", flag->off_error);
	foreach(cell, definition->prerequisites)
	{
		FbPlace		place = element_of(&prerequisites, row->prerequisites, foreach_current_index(cell));

		if (lfirst(cell) == NULL)
			report_error(to, fb_place_text(&place), definition->prerequisite_defects[foreach_current_index(cell)]);
	}
	for (uint32 i = 0; i < flag->target_count; i++)
	{
		FbPlace		place = element_of(&targets, row->targets, i);

		report_error(to, fb_place_text(&place), flag->targets[i].error);
	}
	check_rules(to, row, definition);
	if (flag->fallthrough.kind == FB_SERVE_ERROR)
		report_error(to, "fallthrough", flag->fallthrough.error);
	check_weights(to, flag, &flag->fallthrough, "fallthrough");
}

/* Looks at a segment by itself, and keeps what it refers to. */
static void
check_segment_row(Report *to, const FbSegmentRow *row)
{
	FbArena		arena = {CurrentMemoryContext};
	FbReader	reader = {.thorough = true,.arena = &arena};
	FbDefinition *definition = fb_read_segment(&reader, row);
	FbPlace		place = {NULL, "condition", 0};

	to->kind = "segment";
	to->key = row->key;
	keep_references(to, get_node(to, true, row->key), definition->references);
	get_node(to, true, row->key)->archived = row->archived;
	report_error(to, NULL, definition->segment->error);
	report_notes(to, reader.notes);
	if (definition->condition_count > 0)
		report_condition(to, definition->conditions[0], &place);
}

/* Reads the rows of a query one after the other, each in memory of its own. */
static void
each_row(Report *to, const char *query, void (*visit) (Report *to, HeapTuple tuple, TupleDesc desc))
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(to->environment)};
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "featbit problems row",
													  ALLOCSET_DEFAULT_SIZES);
	Portal		portal = SPI_cursor_open_with_args(NULL, query, 1, types, values, NULL, true, 0);

	for (;;)
	{
		SPITupleTable *table;

		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		table = SPI_tuptable;
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			MemoryContext old_context = MemoryContextSwitchTo(row_context);

			CHECK_FOR_INTERRUPTS();
			visit(to, table->vals[i], table->tupdesc);
			MemoryContextSwitchTo(old_context);
			MemoryContextReset(row_context);
		}
		SPI_freetuptable(table);
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(row_context);
}

/* Looks at a row of featbit.flag. */
static void
visit_flag(Report *to, HeapTuple tuple, TupleDesc desc)
{
	FbFlagRow	row;

	fb_flag_row_from_tuple(tuple, desc, &row);
	check_flag_row(to, &row);
}

/* Looks at a row of featbit.segment. */
static void
visit_segment(Report *to, HeapTuple tuple, TupleDesc desc)
{
	FbSegmentRow row;

	fb_segment_row_from_tuple(tuple, desc, &row);
	check_segment_row(to, &row);
}

/* Makes a node the one whose problems are reported. */
static void
report_on(Report *to, const Member *node)
{
	to->kind = node->key.is_segment ? "segment" : "flag";
	to->key = node->key.name;
}

/* Reports references to what is not there, and warns of those that are never met. */
static void
check_references(Report *to, const Member *node)
{
	ListCell   *cell;
	ListCell   *name;

	report_on(to, node);
	foreach(cell, node->references)
	{
		const FbReference *reference = lfirst(cell);
		const Member *other = get_node(to, reference->to_segment, reference->key);

		CHECK_FOR_INTERRUPTS();
		if (!other->exists)
		{
			report_error(to, reference->path, psprintf("unknown %s \"%s\"", reference->to_segment ? "segment" : "flag",
													   reference->key));
			continue;
		}
		if (other->archived && reference->to_segment)
		{
			if (reference->lenient)
				warn(to, reference->path, psprintf("segment \"%s\" is archived: this is never met", reference->key));
			else
				report_error(to, reference->path, psprintf("segment \"%s\" is archived", reference->key));
		}
		else if (other->archived)
			warn(to, reference->path, psprintf("flag \"%s\" is archived: this is never met", reference->key));
		else if (other->disabled)
			warn(to, reference->path, psprintf("flag \"%s\" is disabled: this is not met", reference->key));
		if (other->broken)
			continue;
		foreach(name, reference->variations)
		{
			ListCell   *own;
			bool		found = false;

			foreach(own, other->variations)
				found = found || strcmp(lfirst(own), lfirst(name)) == 0;
			if (!found)
				report_error(to, reference->path, psprintf("unknown variation \"%s\" of flag \"%s\"",
														   (char *) lfirst(name), reference->key));
		}
	}
}

/* Reports a cycle, with the way around; the last of the path closes it. */
static void
report_cycle(Report *to, List *path, const Member *again, const FbReference *reference)
{
	StringInfoData way;
	ListCell   *cell;
	bool		inside = false;

	initStringInfo(&way);
	foreach(cell, path)
	{
		const Member *node = lfirst(cell);

		inside = inside || node == again;
		if (inside)
			appendStringInfo(&way, "%s \"%s\" -> ", node->key.is_segment ? "segment" : "flag", node->key.name);
	}
	report_on(to, llast(path));
	report_error(to, reference->path, psprintf("closes a cycle: %s%s \"%s\"", way.data,
											   again->key.is_segment ? "segment" : "flag", again->key.name));
}

/* Walks the graph from a node, without recursion, and reports cycles and what is too deep. */
static void
walk(Report *to, Member *start)
{
	List	   *path = list_make1(start);

	start->state = NODE_ON_PATH;
	while (path != NIL)
	{
		Member	   *node = llast(path);

		CHECK_FOR_INTERRUPTS();
		if (node->next < list_length(node->references))
		{
			const FbReference *reference = list_nth(node->references, node->next);
			Member	   *other = get_node(to, reference->to_segment, reference->key);

			if (other->exists && other->state == NODE_NEW)
			{
				/* it is looked at again when the other is done, for its height */
				other->state = NODE_ON_PATH;
				path = lappend(path, other);
				continue;
			}
			if (other->exists && other->state == NODE_ON_PATH)
				report_cycle(to, path, other, reference);
			node->height = Max(node->height, other->height);
			node->next++;
			continue;
		}
		node->state = NODE_DONE;
		node->height++;
		if (node->height > FB_MAX_DEPTH)
		{
			report_on(to, node);
			report_error(to, NULL, psprintf("refers to flags and segments more than %d levels deep", FB_MAX_DEPTH));
		}
		path = list_delete_last(path);
	}
}

/* Looks at the row of an environment. */
static void
check_environment_row(Report *to)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {CStringGetTextDatum(to->environment)};
	char	   *schema;

	to->kind = "environment";
	to->key = to->environment;
	if (SPI_execute_with_args("SELECT tracking_schema FROM featbit.environment WHERE key OPERATOR(pg_catalog.=) $1",
							  1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read environment \"%s\"", to->environment);
	if (SPI_processed == 0)
	{
		report_error(to, NULL, "has flags or segments but no row in featbit.environment: "
					 "evaluation answers PROVIDER_NOT_READY");
		return;
	}
	schema = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (schema != NULL && !OidIsValid(get_namespace_oid(schema, true)))
		warn(to, "tracking_schema", psprintf("schema \"%s\" does not exist: nothing can be recorded", schema));
}

/* Lists the problems of one environment. */
static void
check_environment(Report *to)
{
	MemoryContext old_context = CurrentMemoryContext;
	HASHCTL		control;
	ListCell   *cell;

	to->context = AllocSetContextCreate(CurrentMemoryContext, "featbit problems", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(to->context);
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(MemberKey);
	control.entrysize = sizeof(Member);
	control.hcxt = to->context;
	to->nodes = hash_create("featbit configuration graph", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	to->order = NIL;

	check_environment_row(to);
	each_row(to, "SELECT * FROM featbit.segment WHERE environment OPERATOR(pg_catalog.=) $1 ORDER BY key", visit_segment);
	each_row(to, "SELECT * FROM featbit.flag WHERE environment OPERATOR(pg_catalog.=) $1 ORDER BY key", visit_flag);
	foreach(cell, to->order)
		check_references(to, lfirst(cell));
	foreach(cell, to->order)
		if (((Member *) lfirst(cell))->state == NODE_NEW)
			walk(to, lfirst(cell));
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(to->context);
}

/* Reports what evaluations of this session met. */
static void
check_session(Report *to)
{
	to->environment = NULL;
	to->kind = "session";
	to->key = NULL;
	if (fb_problem_counts[FB_PROBLEM_REGEX_LIMIT] > 0)
		warn(to, NULL, psprintf("regular expressions ran into their limits and were not met, %llu times in this session",
								(unsigned long long) fb_problem_counts[FB_PROBLEM_REGEX_LIMIT]));
	if (fb_problem_counts[FB_PROBLEM_REGEX_ENCODING] > 0)
		warn(to, NULL, psprintf("regular expressions met attributes that are not UTF-8 and were not met, %llu times in this session",
								(unsigned long long) fb_problem_counts[FB_PROBLEM_REGEX_ENCODING]));
}

/* flag_problems(environment) → rows (environment, kind, key, path, problem, severity) */
Datum
fb_flag_problems(PG_FUNCTION_ARGS)
{
	Report		to;
	Oid			types[1] = {TEXTOID};
	Datum		values[1] = {PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0)};
	char		nulls[1] = {PG_ARGISNULL(0) ? 'n' : ' '};
	List	   *environments = NIL;
	ListCell   *cell;

	memset(&to, 0, sizeof(to));
	to.now = GetCurrentTimestamp();
	fb_rows_begin(&to.rows, fcinfo);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT e FROM (SELECT key FROM featbit.environment UNION SELECT environment FROM featbit.flag "
							  "UNION SELECT environment FROM featbit.segment) AS s (e) "
							  "WHERE $1 IS NULL OR e OPERATOR(pg_catalog.=) $1 ORDER BY e",
							  1, types, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list the environments");
	for (uint64 i = 0; i < SPI_processed; i++)
		environments = lappend(environments, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	if (environments == NIL && !PG_ARGISNULL(0))
		fb_require_environment(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	foreach(cell, environments)
	{
		to.environment = lfirst(cell);
		check_environment(&to);
	}
	check_session(&to);
	SPI_finish();
	return (Datum) 0;
}
