/*
 * units.h
 *		What the aggregates over units share: memory, keys, expanded results.
 */
#ifndef FB_METRICS_UNITS_H
#define FB_METRICS_UNITS_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/expandeddatum.h"
#include "utils/uuid.h"

#include "core/fb_exposures.h"
#include "pg_compat.h"

/* Memory that grows up to a limit. */
typedef struct FbUnitMemory
{
	MemoryContext context;
	Size		used;
	Size		limit;
	const char *what;			/* that needs it, for the error */
} FbUnitMemory;

/* An exposure map while it is made; a complete one has a head. */
typedef struct FbExposureState
{
	ExpandedObjectHeader hdr;
	int			magic;
	FbUnitMemory memory;
	FbUnitTable table;
	FbArm	   *arms;			/* names are allocated beside */
	uint32		narms;
	uint32		arm_space;
	uint32		last_arm;		/* of the exposure before */
	uint16	   *arm_index;		/* open addressing over the names; NULL: to be made */
	uint32		arm_slots;
	int			waiting;		/* exposures that are not in the table yet */
	FbUnitKey	key[FB_UNIT_BATCH];
	int64		at[FB_UNIT_BATCH];
	uint16		tag[FB_UNIT_BATCH];
	FbExposures *head;
	FbExposureView view;		/* of a complete map */
} FbExposureState;

/* units.c */
extern void fb_unit_memory_init(FbUnitMemory *memory, MemoryContext context, const char *what, bool limited);
extern Size fb_unit_limit(void);
extern void *fb_unit_resize(void *memory, void *block, size_t old_size, size_t size);
extern FbUnitKey fb_unit_from_foreign_text(const char *unit, uint32 length);
extern char *fb_unit_text(FbUnitKey key, int kind);
extern text *fb_unit_name_text(const char *name, uint32 length);
extern char *fb_unit_utf8(const char *name, uint32 *length);
extern MemoryContext fb_aggregate_context(FunctionCallInfo fcinfo, const char *function);
extern Datum fb_expanded_result(FunctionCallInfo fcinfo, ExpandedObjectHeader *header);
extern unsigned char *fb_unhex(FunctionCallInfo fcinfo, const char *text, const char *type, Size *length);
extern char *fb_hex(const unsigned char *bytes, Size length, const char *type);

/* exposure_map.c */
extern FbExposureState *fb_exposure_state_new(int kind, MemoryContext parent, bool limited);
extern void fb_exposure_state_load(FbExposureState *state, const FbExposureView *view);
extern void fb_exposure_state_complete(FbExposureState *state);
extern FbExposureState *fb_exposure_state_expanded(Datum map);
extern void fb_exposure_flat_view(const void *flat, FbExposureView *view);
extern void fb_exposure_datum_view(Datum map, FbExposureView *view);

#define FB_EXPOSURE_MAGIC 0x6662454d	/* "fbEM" */

/* Whether text is hashed and stored as it is: the database is in UTF-8, or knows no encoding. -1: not looked yet. */
extern int	fb_text_is_utf8;
extern int	fb_look_at_encoding(void);

/* Returns a text that is neither compressed nor elsewhere, most often the datum itself. */
static inline text *
fb_text_in_line(Datum value)
{
	struct varlena *text = (struct varlena *) DatumGetPointer(value);

	if (likely((VARATT_IS_1B(text) && !VARATT_IS_1B_E(text)) || VARATT_IS_4B_U(text)))
		return text;
	return pg_detoast_datum_packed(text);
}

/* Returns the key of a unit. */
static inline FbUnitKey
fb_unit_from_datum(Datum unit, int kind)
{
	if (kind == FB_UNITS_BIGINT)
		return fb_unit_from_bigint(DatumGetInt64(unit));
	if (kind == FB_UNITS_UUID)
		return fb_unit_from_uuid(DatumGetUUIDP(unit)->data);
	else
	{
		text	   *name = fb_text_in_line(unit);

		if (likely((fb_text_is_utf8 >= 0 ? fb_text_is_utf8 : fb_look_at_encoding()) != 0))
			return fb_unit_from_text(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
		return fb_unit_from_foreign_text(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	}
}

#endif							/* FB_METRICS_UNITS_H */
