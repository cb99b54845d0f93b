/*
 * fb_value.c
 *		Comparison and canonical text of values.
 */
#include "core/fb_value.h"

/* Compares two numbers: negative, zero or positive. */
int
fb_compare_numbers(const FbContext *context, const FbValue *a, const FbValue *b)
{
	if (context->methods->compare_numbers != NULL)
		return context->methods->compare_numbers(context, a, b);
	return (a->number > b->number) - (a->number < b->number);
}

/* Tells whether two values are equal scalars of the same type. */
bool
fb_scalar_equal(const FbContext *context, const FbValue *a, const FbValue *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind)
	{
		case FB_VALUE_STRING:
			return fb_string_equal(a->string, b->string);
		case FB_VALUE_NUMBER:
			return fb_compare_numbers(context, a, b) == 0;
		case FB_VALUE_BOOLEAN:
			return a->boolean == b->boolean;
		default:
			return false;
	}
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
