/*
 * at.c
 *		Evaluates flags as they were at a moment: evaluate_flag_at, flag_variation_at, resolve_at.
 *
 * The newest version of a flag, and of everything it refers to, that was written at or
 * before the moment is read from featbit.flag_revision and compiled like a stored row.
 * What was compiled is right for an period of time: from the latest change that it
 * contains to the earliest change that it does not.  A call site keeps the periods that it
 * used last, so that a table of visits compiles each version once; the cache of
 * flags never sees them.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "flags/catalog.h"
#include "flags/evaluation.h"
#include "flags/recorded.h"
#include "pg_compat.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(fb_resolve_at);

/* Periods that a call site keeps, as long as work_mem is enough for them. */
#define MAX_PERIODS 32

/* Attempts at building an period while the configuration keeps changing. */
#define BUILD_ATTEMPTS 16

/* A compiled flag and the times at which the configuration was this one. */
typedef struct Period
{
	FbCompiled	compiled;		/* not of the cache: neither pinned nor cached */
	MemoryContext context;		/* holds all of this */
	int64		from;			/* included */
	int64		until;			/* excluded; PG_INT64_MAX: for ever */
	Size		memory;			/* that it takes */
} Period;

/* What one call of these functions remembers; the common part is first, as fb_call_site returns it. */
typedef struct AtSite
{
	FbCallSite	site;
	uint64		generation;		/* of the configuration that the periods were read from */
	bool		behind;			/* the periods lack writes of this transaction: only for this statement */
	int			count;
	Size		memory;			/* of all periods */
	Period	   *periods[MAX_PERIODS];	/* the one used last is first */
} AtSite;

/* Finds versions in history. */
typedef struct AtLoader
{
	FbLoader	loader;			/* first: the compiler gets a pointer to it */
	FbCatalog	catalog;
	Relation	revisions;
	int64		at;
	int64		from;			/* the period of what was read so far */
	int64		until;
} AtLoader;

/* Returns what this call remembers, making it in the first call. */
static AtSite *
at_site(FunctionCallInfo fcinfo)
{
	AtSite	   *site = (AtSite *) fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(AtSite));
		site->site.context = fcinfo->flinfo->fn_mcxt;
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/* Forgets the period that was used least recently. */
static void
forget_last_period(AtSite *site)
{
	Period	   *period = site->periods[--site->count];

	site->memory -= period->memory;
	MemoryContextDelete(period->context);
}

/* Forgets all periods of a call site. */
static void
forget_periods(AtSite *site)
{
	while (site->count > 0)
		forget_last_period(site);
	site->behind = false;
}

/* Returns a column that is not null. */
static Datum
get_column(HeapTuple tuple, Relation relation, const char *name)
{
	TupleDesc	desc = RelationGetDescr(relation);
	bool		isnull;

	return heap_getattr(tuple, fb_column(desc, name), desc, &isnull);
}

/* Takes a version into account: true when it was written by the moment, else it limits the period. */
static bool
is_written(AtLoader *loader, int64 written)
{
	if (written <= loader->at)
	{
		loader->from = Max(loader->from, written);
		return true;
	}
	loader->until = Min(loader->until, written);
	return false;
}

/*
 * Reads the stored row of a key, in case its version is not in history: a row restored without
 * its history, or replicated without it.
 */
static HeapTuple
stored_row(AtLoader *loader, FbConfigTable table, const char *key, int64 *revision, int64 *written)
{
	Relation	relation = fb_catalog_relation(&loader->catalog, table);
	TupleDesc	desc = RelationGetDescr(relation);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], fb_column(desc, "environment"), BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(loader->catalog.environment));
	ScanKeyInit(&keys[1], fb_column(desc, "key"), BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
	scan = systable_beginscan(relation, RelationGetPrimaryKeyIndex_compat(relation), true,
							  loader->catalog.snapshot, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		tuple = heap_copytuple(tuple);
		*revision = DatumGetInt64(get_column(tuple, relation, "revision"));
		*written = DatumGetTimestampTz(get_column(tuple, relation, "updated_at"));
	}
	systable_endscan(scan);
	return tuple;
}

/* Starts a scan of the history of an environment and, when given, of a key, which can be read backwards. */
static SysScanDesc
begin_history(AtLoader *loader, Relation index, const char *kind, const char *key)
{
	TupleDesc	desc = RelationGetDescr(loader->revisions);
	ScanKeyData keys[3];

	ScanKeyInit(&keys[0], fb_column(desc, "environment"), BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(loader->catalog.environment));
	if (key != NULL)
	{
		ScanKeyInit(&keys[1], fb_column(desc, "kind"), BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(kind));
		ScanKeyInit(&keys[2], fb_column(desc, "key"), BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
	}
	return systable_beginscan_ordered(loader->revisions, index, loader->catalog.snapshot, key != NULL ? 3 : 1, keys);
}

/*
 * Finds the version of a flag or segment at the moment: its recorded definition, or the stored
 * row when history lacks its version.  Returns false when there was none.
 */
static bool
find_version(AtLoader *loader, FbConfigTable table, const char *key, Jsonb **definition, HeapTuple *stored)
{
	Relation	index;
	SysScanDesc scan;
	HeapTuple	tuple;
	HeapTuple	row;
	int64		revision = 0;
	int64		written = 0;
	bool		found = false;
	bool		first = true;

	*definition = NULL;
	*stored = NULL;
	if (strlen(key) > FB_MAX_KEY)
		return false;
	row = stored_row(loader, table, key, &revision, &written);
	index = index_open(RelationGetPrimaryKeyIndex_compat(loader->revisions), AccessShareLock);
	scan = begin_history(loader, index, table == FB_TABLE_FLAG ? "flag" : "segment", key);
	while (!found)
	{
		CHECK_FOR_INTERRUPTS();
		tuple = systable_getnext_ordered(scan, BackwardScanDirection);
		if (first && HeapTupleIsValid(row) &&
			(!HeapTupleIsValid(tuple) ||
			 DatumGetInt64(get_column(tuple, loader->revisions, "revision")) < revision) &&
			is_written(loader, written))
		{
			*stored = row;
			found = true;
			break;
		}
		first = false;
		if (!HeapTupleIsValid(tuple))
			break;
		if (is_written(loader, DatumGetTimestampTz(get_column(tuple, loader->revisions, "changed_at"))))
		{
			char	   *change = TextDatumGetCString(get_column(tuple, loader->revisions, "change"));

			if (strcmp(change, "delete") == 0)
				break;
			*definition = DatumGetJsonbPCopy(get_column(tuple, loader->revisions, "definition"));
			found = true;
		}
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	return found;
}

/* FbLoader: reads a flag as it was. */
static bool
load_flag(FbLoader *loader, const char *key, FbFlagRow *row)
{
	AtLoader   *at = (AtLoader *) loader;
	Jsonb	   *definition;
	HeapTuple	stored;

	if (!find_version(at, FB_TABLE_FLAG, key, &definition, &stored))
		return false;
	if (definition != NULL)
		fb_flag_row_from_definition(definition, row);
	else
		fb_flag_row_from_tuple(stored, RelationGetDescr(fb_catalog_relation(&at->catalog, FB_TABLE_FLAG)), row);
	return true;
}

/* FbLoader: reads a segment as it was. */
static bool
load_segment(FbLoader *loader, const char *key, FbSegmentRow *row)
{
	AtLoader   *at = (AtLoader *) loader;
	Jsonb	   *definition;
	HeapTuple	stored;

	if (!find_version(at, FB_TABLE_SEGMENT, key, &definition, &stored))
		return false;
	if (definition != NULL)
		fb_segment_row_from_definition(definition, row);
	else
		fb_segment_row_from_tuple(stored, RelationGetDescr(fb_catalog_relation(&at->catalog, FB_TABLE_SEGMENT)), row);
	return true;
}

/* Tells whether anything was ever recorded in the environment, or it is there now. */
static bool
is_known_environment(AtLoader *loader)
{
	FbEnvironmentRow row;
	Relation	index;
	SysScanDesc scan;
	bool		found;

	if (fb_catalog_environment(&loader->catalog, &row))
		return true;
	index = index_open(RelationGetPrimaryKeyIndex_compat(loader->revisions), AccessShareLock);
	scan = begin_history(loader, index, NULL, NULL);
	found = HeapTupleIsValid(systable_getnext_ordered(scan, ForwardScanDirection));
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	return found;
}

/* Reads and compiles a flag as it was; returns false when the tables could not be opened. */
static bool
load(AtSite *site, Period *period, int64 at)
{
	AtLoader	loader;
	FbConfigOids oids;
	FbFlagRow	row;
	FbCompiled *compiled = &period->compiled;

	memset(&loader, 0, sizeof(loader));
	loader.loader.load_flag = load_flag;
	loader.loader.load_segment = load_segment;
	loader.at = at;
	loader.from = PG_INT64_MIN;
	loader.until = PG_INT64_MAX;
	if (!fb_resolve_config_oids(&oids))
		return false;
	compiled->generation = fb_cache_watch(&oids);
	if (!fb_catalog_open(&loader.catalog, &oids, compiled->environment, false))
		return false;
	loader.revisions = try_relation_open(oids.relation[FB_TABLE_REVISION], AccessShareLock);
	if (loader.revisions == NULL)
	{
		fb_catalog_close(&loader.catalog);
		return false;
	}
	memset(&row, 0, sizeof(row));
	if (!load_flag(&loader.loader, compiled->key, &row))
		compiled->error = is_known_environment(&loader) ? FB_ERROR_FLAG_NOT_FOUND : FB_ERROR_PROVIDER_NOT_READY;
	else if (row.archived)
		compiled->error = FB_ERROR_FLAG_NOT_FOUND;
	else
	{
		MemoryContext old_context = MemoryContextSwitchTo(period->context);

		compiled->flag = fb_compile_flag(&row, &loader.loader);
		MemoryContextSwitchTo(old_context);
	}
	period->from = loader.from;
	period->until = loader.until;
	site->behind = site->behind || loader.catalog.behind;
	relation_close(loader.revisions, AccessShareLock);
	fb_catalog_close(&loader.catalog);
	return true;
}

/* Makes an period that holds a moment, in a context that an error takes away. */
static Period *
build(AtSite *site, const char *environment, const char *key, int64 at)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "featbit history scratch",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(scratch);
	Period	   *period = NULL;

	for (int attempt = 0; attempt < BUILD_ATTEMPTS; attempt++)
	{
		MemoryContext context;

		CHECK_FOR_INTERRUPTS();
		if (period != NULL)
			MemoryContextDelete(period->context);
		context = AllocSetContextCreate(scratch, "featbit flag in history", ALLOCSET_SMALL_SIZES);
		period = MemoryContextAllocZero(context, sizeof(Period));
		period->context = context;
		period->compiled.environment = MemoryContextStrdup(context, environment);
		period->compiled.key = MemoryContextStrdup(context, key);
		period->compiled.key_length = strlen(key);
		if (!load(site, period, at))
		{
			period->compiled.error = FB_ERROR_PROVIDER_NOT_READY;
			period->from = period->until = at;
		}
		else if (period->compiled.generation == fb_cache_generation())
			break;
	}
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(period->context, site->site.context);
	MemoryContextDelete(scratch);
	return period;
}

/* Tells whether an period is of a flag and holds a moment. */
static inline bool
holds(const Period *period, FbString environment, FbString key, int64 at)
{
	return period->from <= at && (at < period->until || period->until == PG_INT64_MAX) &&
		period->compiled.key_length == key.length &&
		memcmp(period->compiled.key, key.data, key.length) == 0 &&
		strlen(period->compiled.environment) == environment.length &&
		memcmp(period->compiled.environment, environment.data, environment.length) == 0;
}

/* Returns a flag as it was at a moment; it is valid until the next call. */
static const FbCompiled *
flag_at(AtSite *site, FbString environment, FbString key, int64 at)
{
	Period	   *period;
	int			i;

	if (fb_next_statement(&site->site.statement))
	{
		AcceptInvalidationMessages();
		if (site->behind || site->generation != fb_cache_generation())
			forget_periods(site);
		site->generation = fb_cache_generation();
	}
	for (i = 0; i < site->count; i++)
		if (holds(site->periods[i], environment, key, at))
			break;
	if (i < site->count)
		period = site->periods[i];
	else
	{
		period = build(site, pnstrdup(environment.data, environment.length), pnstrdup(key.data, key.length), at);
		period->memory = MemoryContextMemAllocated(period->context, true);
		site->memory += period->memory;
		while (site->count > 0 && (site->count == MAX_PERIODS || site->memory > work_mem * (Size) 1024))
			forget_last_period(site);
		i = site->count++;
	}
	for (; i > 0; i--)
		site->periods[i] = site->periods[i - 1];
	site->periods[0] = period;
	return &period->compiled;
}

/* Returns an argument's bytes; those of the setting featbit.environment for NULL. */
static FbString
bytes_of(const text *argument)
{
	if (argument == NULL)
		return (FbString) {fb_environment_setting, strlen(fb_environment_setting)};
	return (FbString) {VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument)};
}

/* Evaluates with the arguments (flag_key, at, context, environment), of which flag_argument is the first. */
static void
evaluate_at(FunctionCallInfo fcinfo, const FbString *user_key, int flag_argument, NullableDatum context,
			FbEvaluation *evaluation)
{
	AtSite	   *site = at_site(fcinfo);
	FbOutcome  *outcome = &evaluation->outcome;
	int64		at;

	evaluation->site = &site->site;
	evaluation->compiled = NULL;
	if (PG_ARGISNULL(flag_argument))
	{
		fb_set_error(outcome, FB_ERROR_FLAG_NOT_FOUND, "flag key is null");
		return;
	}
	if (PG_ARGISNULL(flag_argument + 1))
	{
		fb_set_error(outcome, FB_ERROR_GENERAL, "time is null");
		return;
	}
	at = PG_GETARG_TIMESTAMPTZ(flag_argument + 1);
	evaluation->compiled = flag_at(site, bytes_of(FB_TEXT_ARGUMENT(flag_argument + 3)),
								   bytes_of(PG_GETARG_TEXT_PP(flag_argument)), at);
	fb_evaluate_compiled(evaluation->compiled, NULL, user_key, context, at, NULL, outcome);
	if (outcome->error == FB_ERROR_FLAG_NOT_FOUND)
		outcome->error_message = psprintf("flag \"%s\" did not exist in environment \"%s\" at %s",
										  evaluation->compiled->key, evaluation->compiled->environment,
										  timestamptz_to_str(at));
}

/* Evaluates with the arguments (user_key, flag_key, at, context, environment). */
static const FbVariation *
evaluate_key_at(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	FbEvaluation evaluation;
	FbString	user_key = {NULL, 0};

	if (!PG_ARGISNULL(0))
		user_key = fb_user_key(PG_GETARG_DATUM(0), key_type, evaluation.key_buffer);
	evaluate_at(fcinfo, PG_ARGISNULL(0) ? NULL : &user_key, 1, fcinfo->args[3], &evaluation);
	return evaluation.outcome.variation;
}

/* Returns a copy of a text: the next call may drop what was compiled. */
static Datum
copy_text(const void *value)
{
	void	   *copy = palloc(VARSIZE_ANY(value));

	memcpy(copy, value, VARSIZE_ANY(value));
	return PointerGetDatum(copy);
}

/* Returns the value of the variation as text. */
static Datum
evaluate_flag_at(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbVariation *variation = evaluate_key_at(fcinfo, key_type);

	if (variation == NULL)
		PG_RETURN_NULL();
	return copy_text(variation->value_text);
}

/* Returns the key of the variation. */
static Datum
flag_variation_at(FunctionCallInfo fcinfo, FbKeyType key_type)
{
	const FbVariation *variation = evaluate_key_at(fcinfo, key_type);

	if (variation == NULL)
		PG_RETURN_NULL();
	return copy_text(variation->key_datum);
}

/* resolve_at(flag_key, at, context, environment) → (value, variant, reason, error_code, error_message, metadata) */
Datum
fb_resolve_at(PG_FUNCTION_ARGS)
{
	FbEvaluation evaluation;
	FbString	user_key;
	Jsonb	   *context = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	NullableDatum context_datum = {JsonbPGetDatum(context), context == NULL};
	bool		has_key = fb_targeting_key(context, &user_key, evaluation.key_buffer);

	evaluate_at(fcinfo, has_key ? &user_key : NULL, 0, context_datum, &evaluation);
	return fb_resolved(fcinfo, &evaluation, has_key ? &user_key : NULL, FB_KEY_IN_CONTEXT);
}

FB_USER_KEY_FUNCTIONS(evaluate_flag_at)
FB_USER_KEY_FUNCTIONS(flag_variation_at)
