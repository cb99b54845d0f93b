/*
 * featbit_pg.c
 *		Module magic and initialisation.
 */
#include "postgres.h"

#include "flags/cache.h"
#include "pg_compat.h"
#include "settings.h"

FB_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* Defines settings and registers the one invalidation callback when the library is loaded. */
void
_PG_init(void)
{
	fb_define_settings();
	fb_cache_init();
}
