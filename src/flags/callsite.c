/*
 * callsite.c
 *		What one call in one statement remembers: the flag it evaluates, pinned.
 *
 * Within a statement a call site sees one configuration of each flag: it pins
 * the compiled flag and does not look again until the active snapshot or a setting
 * has changed.  The arguments are compared by their bytes in
 * every call: PL/pgSQL keeps the call site while the flag key changes.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/fb_value.h"
#include "flags/callsite.h"
#include "flags/catalog.h"
#include "pg_compat.h"
#include "settings.h"

/* Names one flag of one environment. */
typedef struct FlagName
{
	const char *environment;
	const char *key;
	uint32		environment_length;
	uint32		key_length;
} FlagName;

/* A flag pinned by a call site that asks for several. */
typedef struct PinnedFlag
{
	FlagName	name;			/* points into compiled */
	FbCompiled *compiled;
	uint32		hash;
	char		status;
} PinnedFlag;

/* Tells whether two names are the same. */
static inline bool
same_name(FlagName a, FlagName b)
{
	return a.key_length == b.key_length && a.environment_length == b.environment_length &&
		memcmp(a.key, b.key, a.key_length) == 0 &&
		memcmp(a.environment, b.environment, a.environment_length) == 0;
}

/* Hashes a name. */
static inline uint32
hash_name(FlagName name)
{
	return hash_combine(hash_bytes((const unsigned char *) name.key, name.key_length),
						hash_bytes((const unsigned char *) name.environment, name.environment_length));
}

#define SH_PREFIX fb_pins
#define SH_ELEMENT_TYPE PinnedFlag
#define SH_KEY_TYPE FlagName
#define SH_KEY name
#define SH_HASH_KEY(tb, key) hash_name(key)
#define SH_EQUAL(tb, a, b) same_name(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * Returns the mark of a snapshot, giving it one in the first call.
 *
 * A statement is known by its snapshot, but not by what the snapshot holds: between the moment
 * when a commit becomes visible to snapshots and the arrival of its invalidation message, a
 * PL/pgSQL loop may evaluate once, and on a quiet server every later iteration takes a snapshot
 * of the same content. So each active snapshot, which is a copy of its own, is marked in the
 * field that only speculative insertion reads, and then of dirty snapshots only.
 */
static inline uint32
snapshot_mark(Snapshot snapshot)
{
	static uint32 last_mark = 0;

	if (snapshot->speculativeToken == 0 && snapshot->copied)
	{
		if (++last_mark == 0)
			last_mark = 1;
		snapshot->speculativeToken = last_mark;
	}
	return snapshot->speculativeToken;
}

/* Identifies the statement that is running now. */
static void
current_statement(FbStatement *statement)
{
	memset(statement, 0, sizeof(*statement));
	statement->settings = fb_settings_counter;
	if (ActiveSnapshotSet())
	{
		Snapshot	snapshot = GetActiveSnapshot();

		statement->snapshot = snapshot_mark(snapshot);
		statement->curcid = snapshot->curcid;
	}
}

/* Tells whether another statement is running than the one noted, and notes it. */
bool
fb_next_statement(FbStatement *statement)
{
	if (fb_same_statement(statement))
		return false;
	current_statement(statement);
	return true;
}

/* Gives all pins back. */
static void
unpin_all(FbCallSite *site)
{
	if (site->pins != NULL)
	{
		fb_pins_iterator scan;
		PinnedFlag *pin;

		fb_pins_start_iterate(site->pins, &scan);
		while ((pin = fb_pins_iterate(site->pins, &scan)) != NULL)
			fb_cache_unpin(pin->compiled);
		fb_pins_destroy(site->pins);
		site->pins = NULL;
	}
	else if (site->compiled != NULL)
		fb_cache_unpin(site->compiled);
	site->compiled = NULL;
}

/* Gives all pins back when the memory of the call site goes. */
static void
forget_call_site(void *arg)
{
	unpin_all((FbCallSite *) arg);
}

/* Makes what a call remembers. */
FbCallSite *
fb_new_call_site(FunctionCallInfo fcinfo)
{
	FbCallSite *site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(FbCallSite));

	site->context = fcinfo->flinfo->fn_mcxt;
	site->callback.func = forget_call_site;
	site->callback.arg = site;
	MemoryContextRegisterResetCallback(site->context, &site->callback);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/* Returns the name of a compiled flag. */
static FlagName
compiled_name(const FbCompiled *compiled)
{
	FlagName	name = {
		compiled->environment, compiled->key,
		strlen(compiled->environment), strlen(compiled->key)
	};

	return name;
}

/* Remembers that the site has a flag pinned, beside those it already has. */
static void
add_pin(FbCallSite *site, FbCompiled *compiled)
{
	PinnedFlag *pin;
	bool		found;

	if (site->compiled == NULL)
		return;
	if (site->pins == NULL)
	{
		struct fb_pins_hash *pins = fb_pins_create(site->context, 16, NULL);

		pin = fb_pins_insert(pins, compiled_name(site->compiled), &found);
		pin->compiled = site->compiled;
		site->pins = pins;
	}
	pin = fb_pins_insert(site->pins, compiled_name(compiled), &found);
	Assert(!found);
	pin->compiled = compiled;
}

/* Looks up what featbit.override says about the flag asked for last. */
static void
set_override(FbCallSite *site)
{
	MemoryContext old_context;

	if (site->override != NULL)
		pfree(site->override);
	site->override = NULL;
	if (likely(!fb_allow_override_setting))
		return;
	old_context = MemoryContextSwitchTo(site->context);
	site->override = fb_overriding_variation(site->compiled->key);
	MemoryContextSwitchTo(old_context);
}

/*
 * Returns the compiled flag that this call site sees in this statement.  It
 * stays pinned until the site is used in another statement or goes away.
 */
FbCompiled *
fb_find_call_site_flag(FbCallSite *site, const text *environment, const text *flag_key)
{
	FbCompiled *compiled = site->compiled;
	FlagName	name;
	PinnedFlag *pin;

	if (compiled == NULL || !fb_same_statement(&site->statement))
	{
		AcceptInvalidationMessages();
		if (compiled != NULL && site->pins == NULL && fb_cache_is_current(compiled) &&
			site->statement.settings == fb_settings_counter &&
			fb_is_last_flag(site, environment, flag_key))
		{
			current_statement(&site->statement);
			return compiled;
		}
		unpin_all(site);
		current_statement(&site->statement);
	}

	name.key = VARDATA_ANY(flag_key);
	name.key_length = VARSIZE_ANY_EXHDR(flag_key);
	name.environment = environment ? VARDATA_ANY(environment) : fb_environment_setting;
	name.environment_length = environment ? VARSIZE_ANY_EXHDR(environment) :
		strlen(fb_environment_setting);
	if (site->pins != NULL && (pin = fb_pins_lookup(site->pins, name)) != NULL)
		compiled = pin->compiled;
	else if (site->compiled != NULL && same_name(name, compiled_name(site->compiled)))
		compiled = site->compiled;
	else
	{
		compiled = fb_cache_pin(pnstrdup(name.environment, name.environment_length),
								pnstrdup(name.key, name.key_length));
		add_pin(site, compiled);
	}
	site->compiled = compiled;
	site->default_environment = environment == NULL;
	set_override(site);
	return compiled;
}
