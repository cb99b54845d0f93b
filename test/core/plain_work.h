/*
 * plain_work.h
 *		Memory and polls for tests of text metrics.
 */
#ifndef PLAIN_WORK_H
#define PLAIN_WORK_H

#include <stdlib.h>
#include <string.h>

#include "core/fb_text.h"

#define PLAIN_PIECES 65536

typedef struct PlainWork
{
	FbWork		work;
	void	   *pieces[PLAIN_PIECES];
	int			count;
	size_t		bytes;
	size_t		most;			/* bytes at once, of all rows */
	int			polls;
} PlainWork;

/* Gives memory. */
static void *
plain_work_allocate(FbWork *work, size_t size)
{
	PlainWork  *plain = (PlainWork *) work;
	void	   *piece = malloc(size);

	if (piece == NULL || plain->count == PLAIN_PIECES)
		abort();
	plain->pieces[plain->count++] = piece;
	plain->bytes += size;
	if (plain->bytes > plain->most)
		plain->most = plain->bytes;
	return piece;
}

/* Counts a poll. */
static void
plain_work_poll(FbWork *work)
{
	((PlainWork *) work)->polls++;
}

/* Takes all memory back. */
static void
plain_work_reset(PlainWork *plain)
{
	while (plain->count > 0)
		free(plain->pieces[--plain->count]);
	plain->bytes = 0;
	plain->work.allocate = plain_work_allocate;
	plain->work.poll = plain_work_poll;
}

/* Reads a terminated text. */
static FbCodes
plain_codes(PlainWork *plain, const char *text)
{
	return fb_text_decode(&plain->work, text, strlen(text));
}

#endif							/* PLAIN_WORK_H */
