/*
 * fb_time.h
 *		ISO 8601 timestamps, independent of any session setting.
 */
#ifndef FB_TIME_H
#define FB_TIME_H

#include "core/fb_evaluate.h"

extern bool fb_parse_time(FbString text, int64_t *time);

#endif							/* FB_TIME_H */
