/*
 * callsite.h
 *		What one call in one statement remembers: the flag it evaluates, pinned.
 */
#ifndef FB_CALLSITE_H
#define FB_CALLSITE_H

#include "fmgr.h"
#include "funcapi.h"

#include "utils/snapmgr.h"

#include "core/fb_value.h"
#include "flags/cache.h"
#include "pg_compat.h"
#include "settings.h"

/* Tells one statement (or one iteration of a PL/pgSQL loop) from the next. */
typedef struct FbStatement
{
	uint32		snapshot;		/* mark of the active snapshot, unique in the session; 0: none */
	CommandId	curcid;
	uint64		settings;
} FbStatement;

struct fb_pins_hash;
struct FbRowShape;

typedef struct FbCallSite
{
	FbStatement statement;
	FbCompiled *compiled;		/* the flag asked for last; pinned */
	bool		default_environment;	/* it was asked for without an environment */
	char	   *override;		/* variation that featbit.override gives it; NULL: none */
	struct fb_pins_hash *pins;	/* every flag of this statement, once there are several */
	MemoryContext context;
	MemoryContextCallback callback;
	TupleDesc	tupdesc;		/* of a composite result */
	struct FbRowShape *row;		/* columns of a row that is the context */
} FbCallSite;

extern FbCallSite *fb_new_call_site(FunctionCallInfo fcinfo);
extern bool fb_next_statement(FbStatement *statement);
extern FbCompiled *fb_find_call_site_flag(FbCallSite *site, const text *environment,
										  const text *flag_key);

/* Returns what this call remembers, making it in the first call. */
static inline FbCallSite *
fb_call_site(FunctionCallInfo fcinfo)
{
	FbCallSite *site = (FbCallSite *) fcinfo->flinfo->fn_extra;

	return likely(site != NULL) ? site : fb_new_call_site(fcinfo);
}

/* Returns a text that may have a short header; only one that is compressed or out of line is copied. */
static inline text *
fb_text(Datum datum)
{
	struct varlena *bytes = (struct varlena *) DatumGetPointer(datum);

	if (unlikely(VARATT_IS_COMPRESSED(bytes) || VARATT_IS_EXTERNAL(bytes)))
		bytes = pg_detoast_datum_packed(bytes);
	return (text *) bytes;
}

/* Tells whether the call site was last used in the statement that is running now. */
static inline bool
fb_same_statement(const FbStatement *statement)
{
	Snapshot	snapshot;

	if (!ActiveSnapshotSet())
		return false;
	snapshot = GetActiveSnapshot();
	return statement->snapshot == snapshot->speculativeToken &&
		statement->snapshot != 0 &&
		statement->curcid == snapshot->curcid &&
		statement->settings == fb_settings_counter;
}

/* Tells whether the flag asked for last is the one asked for now. */
static inline bool
fb_is_last_flag(const FbCallSite *site, const text *environment, const text *flag_key)
{
	const FbCompiled *compiled = site->compiled;

	if (compiled->key_length != VARSIZE_ANY_EXHDR(flag_key) ||
		!fb_bytes_equal(compiled->key, VARDATA_ANY(flag_key), compiled->key_length))
		return false;
	if (environment == NULL)
		return site->default_environment;
	return strlen(compiled->environment) == VARSIZE_ANY_EXHDR(environment) &&
		memcmp(compiled->environment, VARDATA_ANY(environment), VARSIZE_ANY_EXHDR(environment)) == 0;
}

/* Returns the compiled flag that this call site sees in this statement, see callsite.c. */
static inline const FbCompiled *
fb_call_site_flag(FbCallSite *site, const text *environment, const text *flag_key)
{
	if (likely(site->compiled != NULL && fb_same_statement(&site->statement) &&
			   fb_is_last_flag(site, environment, flag_key)))
		return site->compiled;
	return fb_find_call_site_flag(site, environment, flag_key);
}

#endif							/* FB_CALLSITE_H */
