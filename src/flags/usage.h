/*
 * usage.h
 *		Finds what refers to a flag or segment before it goes away.
 */
#ifndef FB_USAGE_H
#define FB_USAGE_H

#include "flags/catalog.h"

extern void fb_refuse_used_flag(FbCatalog *catalog, const FbFlagRow *old, const FbFlagRow *new);
extern void fb_refuse_used_segment(FbCatalog *catalog, const char *key);
extern int	fb_count_rows(FbCatalog *catalog);
extern const char *fb_infer_type(Jsonb *variations);
extern Jsonb *fb_serve_first(Jsonb *variations);

#endif							/* FB_USAGE_H */
