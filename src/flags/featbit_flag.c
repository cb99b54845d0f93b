/*
 * featbit_flag.c
 *		Reads a flag row with featbit semantics.
 */
#include "postgres.h"

#include "flags/featbit.h"

/* Reads our own option in source: what a missing attribute is. */
bool
fb_read_featbit_source(FbReader *reader, Jsonb *source, bool *missing_is_empty)
{
	FbPlace		place = {NULL, "source", 0};
	FbPlace		option_place = {&place, "missingAttribute", 0};
	JsonbValue	root;
	JsonbValue *option;
	FbString	name;

	*missing_is_empty = true;
	if (source == NULL)
		return true;
	fb_json_root(source, &root);
	if (!JB_ROOT_IS_OBJECT(source))
		return fb_wrong_type(reader, &place, "an object", &root);
	option = getKeyJsonValueFromContainer(&source->root, "missingAttribute", strlen("missingAttribute"), NULL);
	if (option == NULL)
		return true;
	if (!fb_read_string(reader, &option_place, option, &name))
		return false;
	*missing_is_empty = !fb_string_equal(name, fb_string_of("no_match"));
	return !*missing_is_empty || fb_string_equal(name, fb_string_of("empty")) ||
		fb_wrong_type(reader, &option_place, "\"empty\" or \"no_match\"", option);
}

/* Checks what a flag has that FeatBit does not know. */
static bool
check_native_columns(FbReader *reader, const FbFlagRow *row)
{
	if (row->prerequisites != NULL && (!JB_ROOT_IS_ARRAY(row->prerequisites) || JB_ROOT_COUNT(row->prerequisites) > 0))
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
						 "FeatBit knows no prerequisites; convert the flag with featbit.to_native first.",
						 "a flag with featbit semantics must not have prerequisites");
	if (row->iteration != 0)
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
						 "FeatBit deals users by the key of the flag alone; convert the flag with featbit.to_native first.",
						 "a flag with featbit semantics must have iteration 0, not %d", row->iteration);
	return true;
}

/* Reads what of a flag is FeatBit's. */
void
fb_read_featbit_flag(FbReader *reader, const FbFlagRow *row, FbDefinition *definition)
{
	FbFlag	   *flag = definition->flag;
	bool		missing_is_empty;

	if (!check_native_columns(reader, row) || !fb_read_featbit_source(reader, row->source, &missing_is_empty))
		flag->error = fb_take_defect(reader);
	else
		flag->error = "flags with featbit semantics are not evaluated yet";
}
