/*
 * featbit_segment.c
 *		Reads a segment row with featbit semantics.
 */
#include "postgres.h"

#include "flags/featbit.h"

/* Reads what of a segment is FeatBit's: any of its rules must have all its conditions met. */
void
fb_read_featbit_segment(FbReader *reader, const FbSegmentRow *row, FbDefinition *definition)
{
	FbFeatbitReader featbit = {reader, definition};
	FbPlace		place = {NULL, "condition", 0};
	FbTree	   *any;
	FbElements	elements;
	JsonbValue	root;
	JsonbValue	rule;
	bool		ignored;

	definition->segment->archived = row->archived;
	if (!fb_read_featbit_source(reader, row->source, &featbit.missing_is_empty, &ignored))
	{
		definition->segment->error = fb_take_defect(reader);
		return;
	}
	/* nothing below is refused */
	if (row->condition == NULL || reader->strict)
		return;
	fb_json_root(row->condition, &root);
	if (!fb_json_array(reader, &place, &root, &elements))
		return;
	any = fb_featbit_group(reader, &place, &root, FB_TREE_ANY, elements.count);
	while (fb_next_element(&elements, &rule))
	{
		FbPlace		rule_place = {&place, NULL, elements.position};
		FbPlace		conditions_place = {&rule_place, "conditions", 0};
		JsonbValue	conditions;

		if (!fb_json_is_object(&rule))
			fb_note(reader, &rule_place, "%s must be an object, not %s", fb_place_text(&rule_place), fb_json_text(&rule));
		else
			fb_featbit_add(any, fb_read_featbit_conditions(&featbit, &conditions_place,
														   fb_json_find(&rule, "conditions", &conditions)));
	}
	definition->conditions = palloc(sizeof(FbTree *));
	definition->conditions[0] = any;
	definition->condition_count = 1;
}
