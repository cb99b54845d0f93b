/*
 * settings.c
 *		The featbit.* settings.
 */
#include "postgres.h"

#include "parser/scansup.h"

#include "pg_compat.h"
#include "settings.h"

char	   *fb_environment_setting = NULL;
char	   *fb_change_comment_setting = NULL;
char	   *fb_override_setting = NULL;
bool		fb_allow_override_setting = false;
bool		fb_notify_setting = true;
uint64		fb_settings_counter = 1;

/* Makes call sites look their flag up again after a setting was changed. */
static void
assign_string(const char *newval, void *extra)
{
	fb_settings_counter++;
}

/* Makes call sites look their flag up again after a setting was changed. */
static void
assign_bool(bool newval, void *extra)
{
	fb_settings_counter++;
}

/* Refuses an empty environment: no key is empty. */
static bool
check_environment(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] != '\0')
		return true;
	GUC_check_errdetail("It must be the key of an environment, such as \"default\".");
	return false;
}

/* Returns the start of a text without white space at its beginning. */
static const char *
skip_space(const char *text)
{
	while (scanner_isspace(*text))
		text++;
	return text;
}

/*
 * Reads one "flag=variation" of a list with commas and moves on to the next; false when there
 * is none.  The parts lie in the list itself.
 */
static bool
next_override(const char **list, const char **flag, int *flag_length, const char **variation,
			  int *variation_length)
{
	const char *end;
	const char *equals;

	*list = skip_space(*list);
	if (**list == '\0')
		return false;
	end = *list + strcspn(*list, ",");
	equals = memchr(*list, '=', end - *list);
	*flag = *list;
	*flag_length = (equals ? equals : end) - *list;
	*variation = equals ? skip_space(equals + 1) : end;
	*variation_length = Max(end - *variation, 0);
	while (*flag_length > 0 && scanner_isspace((*flag)[*flag_length - 1]))
		(*flag_length)--;
	while (*variation_length > 0 && scanner_isspace((*variation)[*variation_length - 1]))
		(*variation_length)--;
	*list = *end == ',' ? end + 1 : end;
	return true;
}

/* Refuses a value of featbit.override that is no list of "flag=variation". */
static bool
check_override(char **newval, void **extra, GucSource source)
{
	const char *list = *newval;
	const char *flag;
	const char *variation;
	int			flag_length;
	int			variation_length;

	while (next_override(&list, &flag, &flag_length, &variation, &variation_length))
		if (flag_length == 0 || variation_length == 0)
		{
			GUC_check_errdetail("It must be a list of flag=variation with commas, such as \"answer-model=tuned, dark-mode=on\".");
			return false;
		}
	return true;
}

/* Returns the variation that featbit.override gives a flag, NULL for none; a superuser must have allowed it. */
char *
fb_overriding_variation(const char *flag_key)
{
	const char *list = fb_override_setting;
	const char *flag;
	const char *variation;
	int			flag_length;
	int			variation_length;

	if (!fb_allow_override_setting)
		return NULL;
	while (next_override(&list, &flag, &flag_length, &variation, &variation_length))
		if (strlen(flag_key) == flag_length && memcmp(flag, flag_key, flag_length) == 0)
			return pnstrdup(variation, variation_length);
	return NULL;
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
							   check_environment, assign_string, NULL);
	DefineCustomStringVariable("featbit.override",
							   "Variations that flags serve to everyone, for tests: flag=variation, …",
							   "Has an effect only while featbit.allow_override is on.",
							   &fb_override_setting,
							   "",
							   PGC_USERSET, 0,
							   check_override, assign_string, NULL);
	DefineCustomBoolVariable("featbit.allow_override",
							 "Lets featbit.override have an effect.",
							 NULL,
							 &fb_allow_override_setting,
							 false,
							 PGC_SUSET, 0,
							 NULL, assign_bool, NULL);
	DefineCustomStringVariable("featbit.change_comment",
							   "Why the configuration is changed, recorded in featbit.flag_revision.",
							   "Management functions set it from their comment argument.",
							   &fb_change_comment_setting,
							   "",
							   PGC_USERSET, 0,
							   NULL, NULL, NULL);
	DefineCustomBoolVariable("featbit.notify",
							 "Notifies the channel \"featbit\" when the configuration changes.",
							 "A transaction that is prepared for two-phase commit notifies nobody.",
							 &fb_notify_setting,
							 true,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);
	MarkGUCPrefixReserved("featbit");
}
