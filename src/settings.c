/*
 * settings.c
 *		The featbit.* settings.
 */
#include "postgres.h"

#include "pg_compat.h"
#include "settings.h"

char	   *fb_environment_setting = NULL;
char	   *fb_change_comment_setting = NULL;
uint64		fb_settings_counter = 1;

/* Makes call sites look their flag up again after featbit.environment was set. */
static void
assign_environment(const char *newval, void *extra)
{
	fb_settings_counter++;
}

/* Defines the settings and reserves their prefix. */
void
fb_define_settings(void)
{
	DefineCustomStringVariable("featbit.environment",
							   "Environment of calls that name none.",
							   "Meant for ALTER DATABASE and ALTER ROLE.",
							   &fb_environment_setting,
							   "default",
							   PGC_USERSET, 0,
							   NULL, assign_environment, NULL);
	DefineCustomStringVariable("featbit.change_comment",
							   "Why the configuration is changed, recorded in featbit.flag_revision.",
							   "Management functions set it from their comment argument.",
							   &fb_change_comment_setting,
							   "",
							   PGC_USERSET, 0,
							   NULL, NULL, NULL);
	MarkGUCPrefixReserved("featbit");
}
