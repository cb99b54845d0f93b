/*
 * resolve_all.c
 *		Evaluates every flag of an environment for one context.
 *
 * All flags come from one configuration: they are pinned before the first is
 * evaluated, and pinned anew when the configuration has changed meanwhile.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "core/fb_flag.h"
#include "flags/catalog.h"
#include "flags/evaluation.h"
#include "fb_rows.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_resolve_all);

/* Attempts at pinning all flags while the configuration keeps changing. */
#define PIN_ATTEMPTS 16

/* The flags of one environment, pinned. */
typedef struct PinnedFlags
{
	const char *environment;
	MemoryContext context;		/* gives the pins back when it goes */
	const ArrayType *tags;		/* NULL: whatever their tags */
	List	   *keys;			/* char * */
	List	   *pinned;			/* FbCompiled * */
} PinnedFlags;

/* Gives all pins back. */
static void
unpin_flags(void *arg)
{
	ListCell   *cell;

	foreach(cell, ((PinnedFlags *) arg)->pinned)
		if (lfirst(cell) != NULL)
			fb_cache_unpin(lfirst(cell));
	((PinnedFlags *) arg)->pinned = NIL;
}

/* Tells whether two arrays of text have an element in common. */
static bool
have_common_tag(const ArrayType *wanted, Datum tags)
{
	return tags != (Datum) 0 &&
		DatumGetBool(OidFunctionCall2Coll(F_ARRAYOVERLAP, C_COLLATION_OID, PointerGetDatum(wanted), tags));
}

/* FbVisitName: notes the key of a flag that is wanted. */
static void
note_flag(void *arg, const char *key, bool archived, Datum tags)
{
	PinnedFlags *flags = (PinnedFlags *) arg;
	MemoryContext old_context;

	if (archived || (flags->tags != NULL && !have_common_tag(flags->tags, tags)))
		return;
	old_context = MemoryContextSwitchTo(flags->context);
	flags->keys = lappend(flags->keys, pstrdup(key));
	MemoryContextSwitchTo(old_context);
}

/* Orders keys by their bytes. */
static int
compare_keys(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* Lists the keys of the wanted flags in order. */
static void
list_flags(PinnedFlags *flags)
{
	FbConfigOids oids;
	FbCatalog	catalog;

	if (!fb_resolve_config_oids(&oids) || !fb_catalog_open(&catalog, &oids, flags->environment, false))
		return;
	fb_catalog_each_name(&catalog, note_flag, flags);
	fb_catalog_close(&catalog);
	list_sort(flags->keys, compare_keys);
}

/* Pins the listed flags; returns whether all are of the given generation of the configuration. */
static bool
pin_listed(PinnedFlags *flags, uint64 generation)
{
	MemoryContext old_context = MemoryContextSwitchTo(flags->context);
	bool		same = true;
	ListCell   *cell;

	foreach(cell, flags->keys)
	{
		FbCompiled *compiled;

		/* room first: no pin is lost when the memory runs out */
		flags->pinned = lappend(flags->pinned, NULL);
		compiled = fb_cache_pin(flags->environment, lfirst(cell));
		llast(flags->pinned) = compiled;
		same = same && compiled->generation == generation;
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old_context);
	return same;
}

/* Pins all wanted flags, of one configuration unless it never stands still. */
static void
pin_flags(PinnedFlags *flags)
{
	flags->context = AllocSetContextCreate(CurrentMemoryContext, "featbit pinned flags", ALLOCSET_DEFAULT_SIZES);
	for (int attempt = 0; attempt < PIN_ATTEMPTS; attempt++)
	{
		MemoryContextCallback *callback;
		uint64		generation;

		/* gives the pins of the attempt before back */
		MemoryContextReset(flags->context);
		flags->keys = NIL;
		flags->pinned = NIL;
		callback = MemoryContextAlloc(flags->context, sizeof(MemoryContextCallback));
		callback->func = unpin_flags;
		callback->arg = flags;
		MemoryContextRegisterResetCallback(flags->context, callback);
		AcceptInvalidationMessages();
		generation = fb_cache_generation();
		list_flags(flags);
		if (pin_listed(flags, generation) && generation == fb_cache_generation())
			break;
	}
}

/* resolve_all(context, environment, tags) → (flag_key, value, variant, reason, error_code, error_message, metadata)* */
Datum
fb_resolve_all(PG_FUNCTION_ARGS)
{
	PinnedFlags *flags = palloc0(sizeof(PinnedFlags));
	FbEvaluation evaluation;
	FbRows		rows;
	Jsonb	   *context = PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0);
	NullableDatum context_datum = {JsonbPGetDatum(context), context == NULL};
	FbString	user_key;
	bool		has_key = fb_targeting_key(context, &user_key, evaluation.key_buffer);
	int64		now = GetCurrentStatementStartTimestamp();
	ListCell   *cell;

	fb_rows_begin(&rows, fcinfo);
	flags->environment = PG_ARGISNULL(1) ? fb_environment_setting : text_to_cstring(PG_GETARG_TEXT_PP(1));
	flags->tags = PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2);
	pin_flags(flags);
	foreach(cell, flags->pinned)
	{
		MemoryContext old_context = MemoryContextSwitchTo(rows.row_context);
		const FbCompiled *compiled = lfirst(cell);
		Datum		values[1 + FB_RESOLUTION_COLUMNS] = {0};
		bool		nulls[1 + FB_RESOLUTION_COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		/* one that was deleted meanwhile, in a configuration that never stood still */
		if (compiled->flag != NULL)
		{
			evaluation.compiled = compiled;
			fb_evaluate_compiled(compiled, fb_overriding_variation(compiled->key), has_key ? &user_key : NULL,
								 context_datum, now, NULL, &evaluation.outcome);
			values[0] = CStringGetTextDatum(compiled->key);
			fb_resolution(&evaluation, has_key ? &user_key : NULL, FB_KEY_IN_CONTEXT, &values[1], &nulls[1]);
			fb_rows_put(&rows, values, nulls);
		}
		MemoryContextSwitchTo(old_context);
	}
	MemoryContextDelete(flags->context);
	return (Datum) 0;
}
