/*
 * fb_dotnet.h
 *		How .NET, in which FeatBit is written, reads numbers, booleans and lists
 *		in text.
 */
#ifndef FB_DOTNET_H
#define FB_DOTNET_H

#include "core/fb_evaluate.h"

extern bool fb_dotnet_double(FbString text, double *number);
extern bool fb_dotnet_int(FbString text, int32_t *number);
extern bool fb_dotnet_bool(FbString text, bool *value);
extern bool fb_dotnet_blank(FbString text);

/* A JSON array of strings, in text, that is being read. */
typedef struct FbJsonList
{
	FbString	text;
	uint32_t	position;
	bool		is_null;		/* the text is null, not an array */
	bool		started;		/* an element has been read */
} FbJsonList;

typedef enum FbJsonItem
{
	FB_JSON_STRING,
	FB_JSON_NULL,
	FB_JSON_END,
	FB_JSON_BROKEN
} FbJsonItem;

extern bool fb_json_list_open(FbJsonList *list, FbString text);
extern FbJsonItem fb_json_list_next(FbJsonList *list, char *buffer, FbString *item);

#endif							/* FB_DOTNET_H */
