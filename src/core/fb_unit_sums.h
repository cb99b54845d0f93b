/*
 * fb_unit_sums.h
 *		The binary form of sums per unit.
 */
#ifndef FB_UNIT_SUMS_H
#define FB_UNIT_SUMS_H

#include "core/fb_units.h"

#define FB_UNIT_SUMS_VERSION 1

/* What comes before the entries. */
typedef struct FbUnitSums
{
	int			kind;			/* FbUnitKind */
	uint32_t	units;
	int64_t		n_bad;
	bool		has_cap;
	double		cap;
} FbUnitSums;

extern size_t fb_sums_bytes(int kind, uint32_t units);
extern void fb_sums_write(const FbUnitSums *sums, const char *entries, unsigned char *to);
extern bool fb_sums_measure(const unsigned char *bytes, size_t length, FbUnitSums *sums, const char **detail);
extern bool fb_sums_receive(const unsigned char *bytes, const FbUnitSums *sums, char *entries, const char **detail);

#endif							/* FB_UNIT_SUMS_H */
