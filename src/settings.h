/*
 * settings.h
 *		The featbit.* settings.
 */
#ifndef FB_SETTINGS_H
#define FB_SETTINGS_H

/* featbit.environment: environment of a call that names none */
extern char *fb_environment_setting;

/* featbit.change_comment: why the configuration is changed; empty for no comment */
extern char *fb_change_comment_setting;

/* Counts assignments of settings that evaluation depends on. */
extern uint64 fb_settings_counter;

extern void fb_define_settings(void);

#endif							/* FB_SETTINGS_H */
