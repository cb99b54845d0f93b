/*
 * compile.c
 *		Compiles a flag with everything it reaches.
 *
 * First every row of the closure is read, breadth first and without
 * recursion; then each is linked to the others.  A node exists once, however
 * often it is referred to.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "flags/definition.h"

/* Identity of a flag or segment; zeroed before it is filled, for hashing. */
typedef struct MemberKey
{
	bool		is_segment;
	char		name[FB_MAX_NAME + 1];
} MemberKey;

/* A flag or segment of the closure. */
typedef struct Member
{
	MemberKey		key;
	int			level;			/* references from the root */
	FbDefinition *definition;	/* NULL: there is no such row */
} Member;

typedef struct Closure
{
	FbReader	reader;
	FbArena    *arena;
	FbLoader   *loader;
	HTAB	   *nodes;			/* NULL: there is the root alone */
	List	   *queue;			/* Member *, in order of discovery */
} Closure;

/* Fills the identity of a node. */
static void
set_key(MemberKey *key, bool is_segment, const char *name)
{
	memset(key, 0, sizeof(*key));
	key->is_segment = is_segment;
	strlcpy(key->name, name, sizeof(key->name));
}

/* Makes the table of nodes, which a flag that refers to nothing can do without. */
static void
start_nodes(Closure *closure)
{
	HASHCTL		control;
	const Member *root = linitial(closure->queue);
	bool		found;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(MemberKey);
	control.entrysize = sizeof(Member);
	control.hcxt = CurrentMemoryContext;
	closure->nodes = hash_create("featbit flag closure", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	*(Member *) hash_search(closure->nodes, &root->key, HASH_ENTER, &found) = *root;
}

/* Returns the node of a reference, made if it is new. */
static Member *
get_node(Closure *closure, bool is_segment, const char *name, bool *found)
{
	MemberKey	key;

	if (closure->nodes == NULL)
		start_nodes(closure);
	set_key(&key, is_segment, name);
	return hash_search(closure->nodes, &key, HASH_ENTER, found);
}

/*
 * Makes a definition without content for a node beyond the depth limit: it is
 * never entered, because evaluation stops at that depth.
 */
static FbDefinition *
unread_definition(Closure *closure, bool is_segment)
{
	FbDefinition *definition = palloc0(sizeof(FbDefinition));

	if (is_segment)
	{
		definition->segment = fb_arena_alloc(closure->arena, sizeof(FbSegment));
		memset(definition->segment, 0, sizeof(FbSegment));
	}
	else
	{
		definition->flag = fb_arena_alloc(closure->arena, sizeof(FbFlag));
		memset(definition->flag, 0, sizeof(FbFlag));
	}
	return definition;
}

/* Names a node in messages; the root needs no name. */
static char *
subject_of(const Member *node)
{
	if (node->level == 0)
		return NULL;
	return psprintf("%s \"%s\"", node->key.is_segment ? "segment" : "flag", node->key.name);
}

/* Loads and reads the row of a node. */
static FbDefinition *
read_node(Closure *closure, const Member *node)
{
	FbFlagRow  *flag;
	FbSegmentRow *segment;

	if (node->level >= FB_MAX_DEPTH)
		return unread_definition(closure, node->key.is_segment);
	closure->reader.subject = subject_of(node);
	if (node->key.is_segment)
	{
		segment = palloc0(sizeof(FbSegmentRow));
		if (closure->loader == NULL || !closure->loader->load_segment(closure->loader, node->key.name, segment))
			return NULL;
		return fb_read_segment(&closure->reader, segment);
	}
	flag = palloc0(sizeof(FbFlagRow));
	if (closure->loader == NULL || !closure->loader->load_flag(closure->loader, node->key.name, flag))
		return NULL;
	return fb_read_flag(&closure->reader, flag);
}

/* Reads what a node refers to, as far as it is new. */
static void
expand_node(Closure *closure, const Member *node)
{
	ListCell   *cell;

	foreach(cell, node->definition->references)
	{
		FbReference *reference = lfirst(cell);
		bool		found;
		Member	   *other = get_node(closure, reference->to_segment, reference->key, &found);

		CHECK_FOR_INTERRUPTS();
		if (found)
			continue;
		other->level = node->level + 1;
		other->definition = read_node(closure, other);
		if (other->definition != NULL)
			closure->queue = lappend(closure->queue, other);
	}
}

/* Keeps a message about a reference, in the words of the validation. */
static const char *
reference_error(Closure *closure, const char *what, const FbReference *reference)
{
	const char *subject = closure->reader.subject;
	char	   *text = psprintf("%s%s%s in %s", subject == NULL ? "" : subject, subject == NULL ? "" : ": ",
								what, reference->path);

	return fb_arena_string(closure->arena, fb_string_of(text)).data;
}

/* Fills a reference to another flag. */
static void
link_flag_reference(Closure *closure, const FbReference *reference, FbFlagReference *linked)
{
	bool		found;
	Member	   *node = get_node(closure, false, reference->key, &found);
	const FbVariation **variations;
	ListCell   *cell;

	memset(linked, 0, sizeof(*linked));
	linked->key = fb_arena_string(closure->arena, fb_string_of(reference->key));
	if (node->definition == NULL)
		return;
	linked->flag = node->definition->flag;
	if (node->level >= FB_MAX_DEPTH || linked->flag->error != NULL)
		return;
	variations = fb_arena_alloc(closure->arena, sizeof(FbVariation *) * list_length(reference->variations));
	foreach(cell, reference->variations)
	{
		const FbVariation *variation = fb_flag_variation(linked->flag, fb_string_of(lfirst(cell)));

		if (variation == NULL)
			linked->error = reference_error(closure, psprintf("unknown variation \"%s\" of flag \"%s\"",
																	 (char *) lfirst(cell), reference->key), reference);
		else
			variations[linked->variation_count++] = variation;
	}
	linked->variations = variations;
}

/* Completes a leaf by what it refers to. */
static void
link_leaf(Closure *closure, const FbTree *tree, FbCondition *condition)
{
	const FbReference *reference = tree->reference;
	bool		found;

	if (reference == NULL)
		return;
	if (reference->to_segment)
	{
		Member	   *node = get_node(closure, true, reference->key, &found);
		FbSegment  *segment = node->definition == NULL ? NULL : node->definition->segment;

		if (segment != NULL && !segment->archived)
			condition->segment = segment;
		else if (reference->lenient)
		{
			condition->kind = FB_CONDITION_NEVER;
			condition->error = segment == NULL ? "there is no such segment" : "the segment is archived";
		}
		else if (segment != NULL)
		{
			condition->kind = FB_CONDITION_ERROR;
			condition->error = reference_error(closure, psprintf("archived segment \"%s\"", reference->key), reference);
		}
		else
		{
			condition->kind = FB_CONDITION_ERROR;
			condition->error = reference_error(closure, psprintf("unknown segment \"%s\"", reference->key), reference);
		}
	}
	else
	{
		FbFlagReference *linked = fb_arena_alloc(closure->arena, sizeof(FbFlagReference));

		link_flag_reference(closure, reference, linked);
		condition->reference = linked;
	}
}

/*
 * Emits a tree as conditions, from the last to the first, so that the targets
 * of the jumps exist already.  Returns where it starts.
 */
static uint32
emit(Closure *closure, FbDefinition *definition, const FbTree *tree, FbCondition *conditions, uint32 *next,
	 uint32 if_met, uint32 if_not)
{
	int			i;

	switch (tree->kind)
	{
		case FB_TREE_ALL:
			for (i = tree->child_count - 1; i >= 0; i--)
				if_met = emit(closure, definition, tree->children[i], conditions, next, if_met, if_not);
			return if_met;
		case FB_TREE_ANY:
			for (i = tree->child_count - 1; i >= 0; i--)
				if_not = emit(closure, definition, tree->children[i], conditions, next, if_met, if_not);
			return if_not;
		case FB_TREE_NOT:
			return emit(closure, definition, tree->children[0], conditions, next, if_not, if_met);
		case FB_TREE_LEAF:
			break;
	}
	CHECK_FOR_INTERRUPTS();
	--*next;
	conditions[*next] = tree->leaf;
	conditions[*next].if_met = if_met;
	conditions[*next].if_not = if_not;
	link_leaf(closure, tree, &conditions[*next]);
	/* FeatBit's "is not in" a segment that is not there is not met either: the whole rule is not */
	if (conditions[*next].kind == FB_CONDITION_NEVER && conditions[*next].op != 0)
		conditions[*next].if_met = conditions[*next].if_not = FB_NOT_MET;
	if (definition->leaves != NULL)
		definition->leaves[*next] = tree;
	return *next;
}

/* Links the conditions of a definition. */
static void
link_conditions(Closure *closure, FbDefinition *definition)
{
	FbCondition *conditions = NULL;
	uint32		next = definition->leaf_count;
	int			i;

	if (definition->leaf_count > 0)
	{
		conditions = fb_arena_alloc(closure->arena, sizeof(FbCondition) * definition->leaf_count);
		memset(conditions, 0, sizeof(FbCondition) * definition->leaf_count);
		if (closure->reader.keep_sources)
			definition->leaves = palloc0(sizeof(FbTree *) * definition->leaf_count);
	}
	for (i = definition->condition_count - 1; i >= 0; i--)
	{
		uint32		start;

		if (definition->conditions[i] == NULL)
			continue;
		start = emit(closure, definition, definition->conditions[i], conditions, &next, FB_MET, FB_NOT_MET);
		if (definition->segment != NULL)
			definition->segment->start = start;
		else
			definition->rules[i].start = start;
	}
	if (definition->segment != NULL)
		definition->segment->conditions = conditions;
	else
		definition->flag->conditions = conditions;
}

/* Links the prerequisites of a flag. */
static void
link_prerequisites(Closure *closure, FbDefinition *definition)
{
	FbFlagReference *linked;
	ListCell   *cell;
	int			i = 0;

	if (definition->prerequisites == NIL)
		return;
	linked = fb_arena_alloc(closure->arena, sizeof(FbFlagReference) * list_length(definition->prerequisites));
	foreach(cell, definition->prerequisites)
	{
		if (lfirst(cell) != NULL)
			link_flag_reference(closure, lfirst(cell), &linked[i]);
		else
		{
			memset(&linked[i], 0, sizeof(FbFlagReference));
			linked[i].error = definition->prerequisite_defects[i];
		}
		i++;
	}
	definition->flag->prerequisites = linked;
	definition->flag->prerequisite_count = i;
}

/* Compiles a flag with its closure; with sources, what was read stays in the current memory context as well. */
FbFlag *
fb_compile_flag_into(FbArena *arena, const FbFlagRow *row, FbLoader *loader, FbSources *sources)
{
	Closure		closure;
	Member	   *root = palloc(sizeof(Member));
	FbFlag	   *flag;
	int			i;

	memset(&closure, 0, sizeof(closure));
	closure.arena = arena;
	closure.reader.arena = arena;
	closure.reader.keep_sources = sources != NULL;
	closure.loader = loader;
	set_key(&root->key, false, row->key == NULL ? "" : row->key);
	root->level = 0;
	root->definition = fb_read_flag(&closure.reader, row);
	closure.queue = list_make1(root);
	for (i = 0; i < list_length(closure.queue); i++)
		expand_node(&closure, list_nth(closure.queue, i));
	for (i = 0; i < list_length(closure.queue); i++)
	{
		const Member *node = list_nth(closure.queue, i);
		FbDefinition *definition = node->definition;

		closure.reader.subject = subject_of(node);
		link_conditions(&closure, definition);
		if (definition->flag != NULL)
			link_prerequisites(&closure, definition);
		if (sources != NULL)
			sources->definitions = lappend(sources->definitions, definition);
	}
	flag = root->definition->flag;
	flag->uses_time = closure.reader.uses_time;
	return flag;
}

/* Compiles a flag with its closure into the current memory context. */
FbFlag *
fb_compile_flag(const FbFlagRow *row, FbLoader *loader)
{
	FbArena		arena = {CurrentMemoryContext};
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext, "featbit flag compilation",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext keep = MemoryContextSwitchTo(work);
	FbFlag	   *flag = fb_compile_flag_into(&arena, row, loader, NULL);

	MemoryContextSwitchTo(keep);
	MemoryContextDelete(work);
	return flag;
}
