/*
 * fb_value.c
 *		Remainder and canonical text of values.
 */
#include <math.h>

#include "core/fb_value.h"

/*
 * Gives the remainder of a whole number, from 0 to the divisor - 1 (that of
 * -1 by 10 is 9); false for a number with a fraction.
 */
bool
fb_number_modulo(const FbContext *context, const FbValue *number, uint32_t divisor, uint32_t *remainder)
{
	FbString	digits;
	uint64_t	rest = 0;
	bool		negative;
	uint32_t	i;

	if (number->exact == NULL)
	{
		double		value = fmod(number->number, divisor);

		if (number->number != floor(number->number) || !isfinite(number->number))
			return false;
		*remainder = (uint32_t) (value < 0 ? value + divisor : value);
		return true;
	}
	if (!context->methods->number_text(context, number, &digits))
		return false;
	negative = digits.length > 0 && digits.data[0] == '-';
	for (i = negative; i < digits.length; i++)
	{
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
		rest = (rest * 10 + (uint64_t) (digits.data[i] - '0')) % divisor;
	}
	*remainder = (uint32_t) (negative && rest > 0 ? divisor - rest : rest);
	return true;
}

/* Gives the text of a scalar as it is hashed, in UTF-8; false when it has none. */
bool
fb_canonical_text(const FbContext *context, const FbValue *value, FbString *text)
{
	switch (value->kind)
	{
		case FB_VALUE_STRING:
			if (context->methods->to_utf8 != NULL)
				return context->methods->to_utf8(context, value->string, text);
			*text = value->string;
			return true;
		case FB_VALUE_NUMBER:
			return context->methods->number_text(context, value, text);
		case FB_VALUE_BOOLEAN:
			text->data = value->boolean ? "true" : "false";
			text->length = value->boolean ? 4 : 5;
			return true;
		default:
			return false;
	}
}
