/*
 * restored.c
 *		Remembers within a transaction which rows were restored from a dump.
 *
 * The BEFORE trigger knows that a row came with its revision; the AFTER trigger,
 * which must not write history for it, sees a row like any other.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "flags/catalog.h"
#include "flags/restored.h"

typedef struct RestoredKey
{
	Oid			relation;
	int64		revision;
	char		environment[FB_MAX_KEY + 1];
	char		key[FB_MAX_KEY + 1];
} RestoredKey;

static HTAB *restored_rows = NULL;
static MemoryContextCallback forget_callback;

/* Forgets all rows when the transaction's memory goes. */
static void
forget_restored_rows(void *arg)
{
	restored_rows = NULL;
}

/* Fills a hash key; false when a name is too long to be one of ours. */
static bool
make_key(RestoredKey *hash_key, Oid relation, const char *environment, const char *key,
		 int64 revision)
{
	if (strlen(environment) > FB_MAX_KEY || strlen(key) > FB_MAX_KEY)
		return false;
	memset(hash_key, 0, sizeof(*hash_key));
	hash_key->relation = relation;
	hash_key->revision = revision;
	strcpy(hash_key->environment, environment);
	strcpy(hash_key->key, key);
	return true;
}

/* Notes that a row is restored, or that a later row of the same name is not. */
void
fb_mark_restored(Oid relation, const char *environment, const char *key, int64 revision,
				 bool restored)
{
	RestoredKey hash_key;

	if (!make_key(&hash_key, relation, environment, key, revision))
		return;
	if (!restored)
	{
		if (restored_rows != NULL)
			hash_search(restored_rows, &hash_key, HASH_REMOVE, NULL);
		return;
	}
	if (restored_rows == NULL)
	{
		HASHCTL		control;

		memset(&control, 0, sizeof(control));
		control.keysize = sizeof(RestoredKey);
		control.entrysize = sizeof(RestoredKey);
		control.hcxt = TopTransactionContext;
		restored_rows = hash_create("featbit restored rows", 64, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		forget_callback.func = forget_restored_rows;
		MemoryContextRegisterResetCallback(TopTransactionContext, &forget_callback);
	}
	hash_search(restored_rows, &hash_key, HASH_ENTER, NULL);
}

/* Tells whether a row was restored in this transaction. */
bool
fb_is_restored(Oid relation, const char *environment, const char *key, int64 revision)
{
	RestoredKey hash_key;

	return restored_rows != NULL && make_key(&hash_key, relation, environment, key, revision) &&
		hash_search(restored_rows, &hash_key, HASH_FIND, NULL) != NULL;
}
