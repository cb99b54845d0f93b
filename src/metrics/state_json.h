/*
 * state_json.h
 *		Reading states of rank tests and preferences from JSON, and sending names.
 */
#ifndef FB_METRICS_STATE_JSON_H
#define FB_METRICS_STATE_JSON_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/* What is being read, for error messages. */
typedef struct FbStateJson
{
	const char *type;			/* qualified name of the type */
	const char *text;			/* its input */
	JsonbContainer *object;
	int			members;		/* taken so far */
} FbStateJson;

extern void fb_state_json_open(FbStateJson *json, const char *type, const char *text);
extern void fb_state_json_fail(const FbStateJson *json, const char *detail) pg_attribute_noreturn();
extern JsonbValue *fb_state_json_member(FbStateJson *json, const char *key, enum jbvType type, bool required);
extern int64 fb_state_json_count(FbStateJson *json, const char *key, int64 absent);
extern double fb_state_json_number(const FbStateJson *json, const JsonbValue *value);
extern uint32 fb_state_json_array(const FbStateJson *json, const JsonbValue *value, JsonbContainer **array);
extern void fb_state_json_close(const FbStateJson *json);
extern void fb_state_send_name(StringInfo out, const char *name, int length);

#endif							/* FB_METRICS_STATE_JSON_H */
