/*
 * featbit_source.c
 *		What the readers of FeatBit's rows need everywhere, and the column source.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "core/fb_dotnet.h"
#include "flags/featbit.h"

/* Keeps what is malformed, or may mean something else than in FeatBit, when somebody wants to know. */
void
fb_note(FbReader *reader, const FbPlace *place, const char *format,...)
{
	StringInfoData message;
	FbNote	   *note;

	if (!reader->thorough)
		return;
	initStringInfo(&message);
	for (;;)
	{
		va_list		arguments;
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	note = palloc(sizeof(FbNote));
	note->path = fb_place_text(place);
	note->text = message.data;
	note->warning = false;
	reader->notes = lappend(reader->notes, note);
}

/* Tells whether a value is an object. */
bool
fb_json_is_object(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* Returns a member of an object; NULL when it is missing, null, or there is no object. */
const JsonbValue *
fb_json_find(const JsonbValue *object, const char *name, JsonbValue *value)
{
	JsonbValue *found;

	if (!fb_json_is_object(object))
		return NULL;
	found = getKeyJsonValueFromContainer(object->val.binary.data, name, strlen(name), value);
	return found == NULL || found->type == jbvNull ? NULL : found;
}

/* Reads a string; false when it is none. */
bool
fb_json_string(const JsonbValue *value, FbString *string)
{
	if (value == NULL || value->type != jbvString)
		return false;
	string->data = value->val.string.val;
	string->length = value->val.string.len;
	return true;
}

/* Opens an array; what is none is noted, and has no elements. */
bool
fb_json_array(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbElements *elements)
{
	elements->count = 0;
	if (value != NULL && value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data))
	{
		FbReader	lenient = {.arena = reader->arena,.subject = reader->subject};

		if (fb_open_array(&lenient, place, value, elements))
			return true;
		fb_note(reader, place, "%s", lenient.defect);
		return false;
	}
	fb_note(reader, place, "%s must be an array, not %s", fb_place_text(place),
			value == NULL ? "null" : fb_json_text(value));
	return false;
}

/* Reads the name of a property of a user. */
void
fb_read_property(FbReader *reader, FbString property, FbProperty *kind, const FbPath **path)
{
	FbPath	   *one_step;

	*path = NULL;
	if (fb_dotnet_blank(fb_utf8(property)))
	{
		*kind = FB_PROPERTY_BLANK;
		return;
	}
	if (fb_string_equal(property, fb_string_of("keyId")))
	{
		*kind = FB_PROPERTY_KEY_ID;
		return;
	}
	*kind = fb_string_equal(property, fb_string_of("name")) ? FB_PROPERTY_NAME : FB_PROPERTY_OTHER;
	one_step = fb_arena_alloc(reader->arena, offsetof(FbPath, steps) + sizeof(FbString));
	memset(one_step, 0, offsetof(FbPath, steps));
	one_step->count = 1;
	one_step->steps[0] = fb_arena_string(reader->arena, property);
	*path = one_step;
}

/* Reads what evaluation needs of the column source: an option of ours, and whether everyone takes part in experiments. */
bool
fb_read_featbit_source(FbReader *reader, Jsonb *source, bool *missing_is_empty, bool *expt_include_all)
{
	FbPlace		place = {NULL, "source", 0};
	FbPlace		option_place = {&place, "missingAttribute", 0};
	FbPlace		all_place = {&place, "exptIncludeAllTargets", 0};
	JsonbValue	root;
	JsonbValue *member;
	FbString	name;

	*missing_is_empty = true;
	*expt_include_all = true;
	if (source == NULL)
		return true;
	fb_json_root(source, &root);
	if (!JB_ROOT_IS_OBJECT(source))
		return fb_wrong_type(reader, &place, "an object", &root);
	member = getKeyJsonValueFromContainer(&source->root, "exptIncludeAllTargets", strlen("exptIncludeAllTargets"), NULL);
	if (member != NULL && member->type == jbvBool)
		*expt_include_all = member->val.boolean;
	else if (member != NULL)
		fb_note(reader, &all_place, "%s must be true or false, not %s", fb_place_text(&all_place), fb_json_text(member));
	member = getKeyJsonValueFromContainer(&source->root, "missingAttribute", strlen("missingAttribute"), NULL);
	if (member == NULL)
		return true;
	if (!fb_read_string(reader, &option_place, member, &name))
		return false;
	*missing_is_empty = !fb_string_equal(name, fb_string_of("no_match"));
	return !*missing_is_empty || fb_string_equal(name, fb_string_of("empty")) ||
		fb_wrong_type(reader, &option_place, "\"empty\" or \"no_match\"", member);
}
