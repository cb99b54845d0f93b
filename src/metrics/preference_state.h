/*
 * preference_state.h
 *		The type featbit.preference: scores of items against each other.
 */
#ifndef FB_METRICS_PREFERENCE_STATE_H
#define FB_METRICS_PREFERENCE_STATE_H

#include "postgres.h"

#include "fmgr.h"

#include "core/fb_stats_wire.h"

#define FB_PREFERENCE_MAX_NAME	1000

/*
 * Behind the header, each with room to grow: the scores, room_items^2
 * doubles, row i what i scored against the others; for each item the hash
 * of its name and where the name begins and how long it is; the names.
 */
typedef struct FbPreference
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	uint8		version;
	uint8		unused[3];		/* always zero */
	int64		n_bad;
	uint32		n_items;
	uint32		room_items;
	uint32		name_bytes;
	uint32		room_bytes;
} FbPreference;

typedef struct FbPreferenceItem
{
	uint32		hash;
	uint32		offset;
	uint32		length;
} FbPreferenceItem;

#define FB_PREFERENCE_SCORES(p) ((double *) ((FbPreference *) (p) + 1))
#define FB_PREFERENCE_ITEMS(p) \
	((FbPreferenceItem *) (FB_PREFERENCE_SCORES(p) + (Size) (p)->room_items * (p)->room_items))
#define FB_PREFERENCE_NAMES(p) ((char *) (FB_PREFERENCE_ITEMS(p) + (p)->room_items))

extern FbPreference *fb_preference_from_datum(Datum datum);
extern FbPreference *fb_preference_sorted(const FbPreference *state);

#endif							/* FB_METRICS_PREFERENCE_STATE_H */
