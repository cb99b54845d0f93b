/*
 * fb_wire.h
 *		Numbers in network byte order.
 */
#ifndef FB_WIRE_H
#define FB_WIRE_H

#include <stdint.h>
#include <string.h>

/* Writes the low bytes of a number and returns what follows. */
static inline unsigned char *
fb_put(unsigned char *to, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*to++ = (unsigned char) (value >> (8 * i));
	return to;
}

/* Reads a number of so many bytes. */
static inline uint64_t
fb_get(const unsigned char *from, int bytes)
{
	uint64_t	value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | from[i];
	return value;
}

/* Writes a double and returns what follows. */
static inline unsigned char *
fb_put_double(unsigned char *to, double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return fb_put(to, bits, 8);
}

/* Reads a double. */
static inline double
fb_get_double(const unsigned char *from)
{
	uint64_t	bits = fb_get(from, 8);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

#endif							/* FB_WIRE_H */
