/*
 * server_work.c
 *		Memory and cancelling for text metrics.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "llm/server_work.h"

/* What most rows fit into; kept for the life of the backend. */
#define BLOCK_SIZE (128 * 1024)

static char *block = NULL;

/* Gives memory; larger pieces come from the context. */
static void *
server_allocate(FbWork *work, size_t size)
{
	FbServerWork *server = (FbServerWork *) work;
	size_t		aligned = MAXALIGN(size);

	if (aligned <= BLOCK_SIZE - server->used)
	{
		void	   *result = block + server->used;

		server->used += aligned;
		return result;
	}
	return MemoryContextAllocHuge(server->context, size);
}

/* Lets the statement be cancelled. */
void
fb_server_poll(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* The same, for text metrics. */
static void
server_poll(FbWork *work)
{
	CHECK_FOR_INTERRUPTS();
}

/*
 * Begins the work on a row. Its memory lasts until the next row begins; what
 * is large lies in the current memory context, which callers reset row by row.
 */
void
fb_server_work_begin(FbServerWork *server)
{
	if (block == NULL)
		block = MemoryContextAlloc(TopMemoryContext, BLOCK_SIZE);
	server->work.allocate = server_allocate;
	server->work.poll = server_poll;
	server->context = CurrentMemoryContext;
	server->used = 0;
}

/*
 * Reads text in the server's encoding. In a database without an encoding
 * (SQL_ASCII) the bytes must be UTF-8; others are error 22021.
 */
FbCodes
fb_server_codes(FbServerWork *server, const char *data, int len)
{
	const char *utf8 = data;

	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		pg_verify_mbstr(PG_UTF8, data, len, false);
	else if (GetDatabaseEncoding() != PG_UTF8)
	{
		utf8 = pg_server_to_any(data, len, PG_UTF8);
		if (utf8 != data)
			len = strlen(utf8);
	}
	return fb_text_decode(&server->work, utf8, len);
}
