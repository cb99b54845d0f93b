/*
 * featbit_pg.c
 *		Module magic and initialisation.
 */
#include "postgres.h"

#include "pg_compat.h"

FB_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* Registers settings and the one invalidation callback when the library is loaded. */
void
_PG_init(void)
{
}
