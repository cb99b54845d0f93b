/*
 * fb_json.h
 *		Tells whether text is JSON that the server can take, without raising.
 */
#ifndef FB_JSON_H
#define FB_JSON_H

#include "core/fb_evaluate.h"

/* Nesting and exponents beyond these are legal JSON, but refused here. */
#define FB_JSON_MAX_DEPTH	512
#define FB_JSON_MAX_NUMBER	1000	/* characters, and value of the exponent */

extern bool fb_json_valid(FbString text, bool ascii_escapes);

#endif							/* FB_JSON_H */
