/*
 * server_work.h
 *		What text metrics work with inside the server: memory that is taken back
 *		row by row, and cancelling.
 */
#ifndef FB_SERVER_WORK_H
#define FB_SERVER_WORK_H

#include "core/fb_text.h"

typedef struct FbServerWork
{
	FbWork		work;
	MemoryContext context;		/* for what does not fit into the block */
	size_t		used;			/* of the block */
} FbServerWork;

extern void fb_server_work_begin(FbServerWork *server);
extern FbCodes fb_server_codes(FbServerWork *server, const char *data, int len);
extern void fb_server_poll(void);

#endif							/* FB_SERVER_WORK_H */
