/*
 * featbit_segment.c
 *		Reads a segment row with featbit semantics.
 */
#include "postgres.h"

#include "flags/featbit.h"

/* Reads what of a segment is FeatBit's. */
void
fb_read_featbit_segment(FbReader *reader, const FbSegmentRow *row, FbDefinition *definition)
{
	bool		missing_is_empty;

	if (!fb_read_featbit_source(reader, row->source, &missing_is_empty))
		definition->segment->error = fb_take_defect(reader);
}
