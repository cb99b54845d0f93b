/*
 * fb_md5.c
 *		MD5 after RFC 1321.
 */
#include <string.h>

#include "core/fb_md5.h"

#define PADDED_KEY 55			/* bytes that fit into one block with their padding */

/*
 * The functions of the four rounds (RFC 1321, 3.4): F with one operation less, G as the sum of two parts that have no
 * bit in common, of which only one waits for the step before.
 */
#define F(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define G(x, y, z) (((y) & ~(z)) + ((x) & (z)))
#define H(x, y, z) ((x) ^ (y) ^ (z))
#define I(x, y, z) ((y) ^ ((x) | ~(z)))

#define STEP(function, a, b, c, d, k, s, t) \
	do { \
		(a) += word[k] + (t); \
		(a) += function(b, c, d); \
		(a) = (((a) << (s)) | ((a) >> (32 - (s)))) + (b); \
	} while (0)

static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/* Reads a word of four bytes, the lowest first; compilers make one load of it. */
static inline uint32_t
read_word(const uint8_t *bytes)
{
	return (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 | (uint32_t) bytes[3] << 24;
}

/* Writes a word as four bytes, the lowest first. */
static inline void
write_word(uint8_t *bytes, uint32_t word)
{
	bytes[0] = (uint8_t) word;
	bytes[1] = (uint8_t) (word >> 8);
	bytes[2] = (uint8_t) (word >> 16);
	bytes[3] = (uint8_t) (word >> 24);
}

/* Takes one block into the state. */
static void
take_block(uint32_t state[4], const uint8_t *block)
{
	uint32_t	word[16];
	uint32_t	a = state[0];
	uint32_t	b = state[1];
	uint32_t	c = state[2];
	uint32_t	d = state[3];

	for (int i = 0; i < 16; i++)
		word[i] = read_word(block + 4 * i);

	STEP(F, a, b, c, d, 0, 7, 0xd76aa478);
	STEP(F, d, a, b, c, 1, 12, 0xe8c7b756);
	STEP(F, c, d, a, b, 2, 17, 0x242070db);
	STEP(F, b, c, d, a, 3, 22, 0xc1bdceee);
	STEP(F, a, b, c, d, 4, 7, 0xf57c0faf);
	STEP(F, d, a, b, c, 5, 12, 0x4787c62a);
	STEP(F, c, d, a, b, 6, 17, 0xa8304613);
	STEP(F, b, c, d, a, 7, 22, 0xfd469501);
	STEP(F, a, b, c, d, 8, 7, 0x698098d8);
	STEP(F, d, a, b, c, 9, 12, 0x8b44f7af);
	STEP(F, c, d, a, b, 10, 17, 0xffff5bb1);
	STEP(F, b, c, d, a, 11, 22, 0x895cd7be);
	STEP(F, a, b, c, d, 12, 7, 0x6b901122);
	STEP(F, d, a, b, c, 13, 12, 0xfd987193);
	STEP(F, c, d, a, b, 14, 17, 0xa679438e);
	STEP(F, b, c, d, a, 15, 22, 0x49b40821);

	STEP(G, a, b, c, d, 1, 5, 0xf61e2562);
	STEP(G, d, a, b, c, 6, 9, 0xc040b340);
	STEP(G, c, d, a, b, 11, 14, 0x265e5a51);
	STEP(G, b, c, d, a, 0, 20, 0xe9b6c7aa);
	STEP(G, a, b, c, d, 5, 5, 0xd62f105d);
	STEP(G, d, a, b, c, 10, 9, 0x02441453);
	STEP(G, c, d, a, b, 15, 14, 0xd8a1e681);
	STEP(G, b, c, d, a, 4, 20, 0xe7d3fbc8);
	STEP(G, a, b, c, d, 9, 5, 0x21e1cde6);
	STEP(G, d, a, b, c, 14, 9, 0xc33707d6);
	STEP(G, c, d, a, b, 3, 14, 0xf4d50d87);
	STEP(G, b, c, d, a, 8, 20, 0x455a14ed);
	STEP(G, a, b, c, d, 13, 5, 0xa9e3e905);
	STEP(G, d, a, b, c, 2, 9, 0xfcefa3f8);
	STEP(G, c, d, a, b, 7, 14, 0x676f02d9);
	STEP(G, b, c, d, a, 12, 20, 0x8d2a4c8a);

	STEP(H, a, b, c, d, 5, 4, 0xfffa3942);
	STEP(H, d, a, b, c, 8, 11, 0x8771f681);
	STEP(H, c, d, a, b, 11, 16, 0x6d9d6122);
	STEP(H, b, c, d, a, 14, 23, 0xfde5380c);
	STEP(H, a, b, c, d, 1, 4, 0xa4beea44);
	STEP(H, d, a, b, c, 4, 11, 0x4bdecfa9);
	STEP(H, c, d, a, b, 7, 16, 0xf6bb4b60);
	STEP(H, b, c, d, a, 10, 23, 0xbebfbc70);
	STEP(H, a, b, c, d, 13, 4, 0x289b7ec6);
	STEP(H, d, a, b, c, 0, 11, 0xeaa127fa);
	STEP(H, c, d, a, b, 3, 16, 0xd4ef3085);
	STEP(H, b, c, d, a, 6, 23, 0x04881d05);
	STEP(H, a, b, c, d, 9, 4, 0xd9d4d039);
	STEP(H, d, a, b, c, 12, 11, 0xe6db99e5);
	STEP(H, c, d, a, b, 15, 16, 0x1fa27cf8);
	STEP(H, b, c, d, a, 2, 23, 0xc4ac5665);

	STEP(I, a, b, c, d, 0, 6, 0xf4292244);
	STEP(I, d, a, b, c, 7, 10, 0x432aff97);
	STEP(I, c, d, a, b, 14, 15, 0xab9423a7);
	STEP(I, b, c, d, a, 5, 21, 0xfc93a039);
	STEP(I, a, b, c, d, 12, 6, 0x655b59c3);
	STEP(I, d, a, b, c, 3, 10, 0x8f0ccc92);
	STEP(I, c, d, a, b, 10, 15, 0xffeff47d);
	STEP(I, b, c, d, a, 1, 21, 0x85845dd1);
	STEP(I, a, b, c, d, 8, 6, 0x6fa87e4f);
	STEP(I, d, a, b, c, 15, 10, 0xfe2ce6e0);
	STEP(I, c, d, a, b, 6, 15, 0xa3014314);
	STEP(I, b, c, d, a, 13, 21, 0x4e0811a1);
	STEP(I, a, b, c, d, 4, 6, 0xf7537e82);
	STEP(I, d, a, b, c, 11, 10, 0xbd3af235);
	STEP(I, c, d, a, b, 2, 15, 0x2ad7d2bb);
	STEP(I, b, c, d, a, 9, 21, 0xeb86d391);

	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

/* Starts a digest. */
void
fb_md5_init(FbMd5 *md5)
{
	memcpy(md5->state, start, sizeof(start));
	md5->length = 0;
}

/* Takes more bytes. */
void
fb_md5_update(FbMd5 *md5, FbString bytes)
{
	uint32_t	used = md5->length % sizeof(md5->block);

	md5->length += bytes.length;
	if (used > 0)
	{
		uint32_t	free = sizeof(md5->block) - used;

		if (bytes.length < free)
		{
			if (bytes.length > 0)
				memcpy(md5->block + used, bytes.data, bytes.length);
			return;
		}
		memcpy(md5->block + used, bytes.data, free);
		take_block(md5->state, md5->block);
		bytes.data += free;
		bytes.length -= free;
	}
	for (; bytes.length >= sizeof(md5->block); bytes.data += sizeof(md5->block), bytes.length -= sizeof(md5->block))
		take_block(md5->state, (const uint8_t *) bytes.data);
	if (bytes.length > 0)
		memcpy(md5->block, bytes.data, bytes.length);
}

/* Takes the padding: a bit, zeros, and the length in bits. */
static void
finish(FbMd5 *md5)
{
	uint32_t	used = md5->length % sizeof(md5->block);

	md5->block[used++] = 0x80;
	if (used > sizeof(md5->block) - 8)
	{
		memset(md5->block + used, 0, sizeof(md5->block) - used);
		take_block(md5->state, md5->block);
		used = 0;
	}
	memset(md5->block + used, 0, sizeof(md5->block) - 8 - used);
	write_word(md5->block + 56, (uint32_t) (md5->length << 3));
	write_word(md5->block + 60, (uint32_t) (md5->length >> 29));
	take_block(md5->state, md5->block);
}

/* Gives the digest; the state is used up. */
void
fb_md5_final(FbMd5 *md5, uint8_t digest[FB_MD5_SIZE])
{
	finish(md5);
	for (int i = 0; i < 4; i++)
		write_word(digest + 4 * i, md5->state[i]);
}

/* Returns the first four bytes of the digest of two strings together as a word, the lowest first. */
uint32_t
fb_md5_word(FbString first, FbString second)
{
	FbMd5		md5;

	fb_md5_init(&md5);
	if (first.length <= PADDED_KEY && second.length <= PADDED_KEY - first.length)
	{
		uint32_t	length = first.length + second.length;

		memset(md5.block, 0, sizeof(md5.block));
		if (first.length > 0)
			memcpy(md5.block, first.data, first.length);
		if (second.length > 0)
			memcpy(md5.block + first.length, second.data, second.length);
		md5.block[length] = 0x80;
		write_word(md5.block + 56, length << 3);
		take_block(md5.state, md5.block);
	}
	else
	{
		fb_md5_update(&md5, first);
		fb_md5_update(&md5, second);
		finish(&md5);
	}
	return md5.state[0];
}
