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

/* featbit.override: "flag=variation, …" that evaluation answers while featbit.allow_override is on */
extern char *fb_override_setting;
extern bool fb_allow_override_setting;

/* featbit.notify: changes of the configuration notify listeners */
extern bool fb_notify_setting;

/* Counts assignments of settings that evaluation depends on. */
extern uint64 fb_settings_counter;

extern void fb_define_settings(void);
extern char *fb_overriding_variation(const char *flag_key);

#endif							/* FB_SETTINGS_H */
