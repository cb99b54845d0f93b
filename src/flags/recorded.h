/*
 * recorded.h
 *		Rows of the configuration tables as jsonb, as history records them.
 */
#ifndef FB_RECORDED_H
#define FB_RECORDED_H

#include "flags/compile.h"

extern void fb_flag_row_from_definition(Jsonb *definition, FbFlagRow *row);
extern void fb_segment_row_from_definition(Jsonb *definition, FbSegmentRow *row);

#endif							/* FB_RECORDED_H */
