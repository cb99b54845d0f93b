/*
 * fb_md5.h
 *		MD5 (RFC 1321), for dialects that deal users by it.
 *
 * A library's MD5 costs several times as much for keys of a few bytes, which
 * fit into one block.
 */
#ifndef FB_MD5_H
#define FB_MD5_H

#include "core/fb_evaluate.h"

#define FB_MD5_SIZE 16

typedef struct FbMd5
{
	uint32_t	state[4];
	uint64_t	length;			/* bytes taken so far */
	uint8_t		block[64];		/* those of the block that is not full */
} FbMd5;

extern void fb_md5_init(FbMd5 *md5);
extern void fb_md5_update(FbMd5 *md5, FbString bytes);
extern void fb_md5_final(FbMd5 *md5, uint8_t digest[FB_MD5_SIZE]);
extern uint32_t fb_md5_word(FbString first, FbString second);

#endif							/* FB_MD5_H */
