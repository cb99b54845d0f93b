/*
 * featbit.h
 *		Reads rows that are written in FeatBit's own terms.
 */
#ifndef FB_FEATBIT_ROWS_H
#define FB_FEATBIT_ROWS_H

#include "flags/definition.h"

/* featbit_flag.c */
extern void fb_read_featbit_flag(FbReader *reader, const FbFlagRow *row, FbDefinition *definition);
extern bool fb_read_featbit_source(FbReader *reader, Jsonb *source, bool *missing_is_empty);

/* featbit_segment.c */
extern void fb_read_featbit_segment(FbReader *reader, const FbSegmentRow *row, FbDefinition *definition);

#endif							/* FB_FEATBIT_ROWS_H */
