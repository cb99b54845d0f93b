/*
 * sketch.h
 *		Sketches as expanded objects, and what aggregates over named units
 *		share.
 */
#ifndef FB_METRICS_SKETCH_H
#define FB_METRICS_SKETCH_H

#include "postgres.h"

#include "fmgr.h"

#include "core/fb_sketch.h"

extern const FbSketchMemory fb_palloc_memory;

extern void fb_sketch_memory(MemoryContext context, FbSketchMemory *memory);
extern double fb_get_accuracy(FunctionCallInfo fcinfo, int argument);
extern bool fb_sketch_datum(Datum datum);
extern Datum fb_sketch_merge_datum(FunctionCallInfo fcinfo);
extern Datum fb_sketch_with_zeros(FbStats *state, int64 zeros);
extern uint64 fb_unit_hash_text(Datum unit);
extern uint64 fb_unit_hash_int8(Datum unit);
extern uint64 fb_unit_hash_uuid(Datum unit);

#endif							/* FB_METRICS_SKETCH_H */
