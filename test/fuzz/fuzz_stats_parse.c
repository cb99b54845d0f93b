/*
 * fuzz_stats_parse.c
 *		Feeds arbitrary text to the parser of moment states: it must refuse it
 *		with a reason or return a state that passes the checker.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_moments.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses one input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FbStatsBuffer buffer;
	const char *detail;
	char	   *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	if (fb_stats_parse(text, &buffer.state, &detail))
	{
		if (detail != NULL || !fb_stats_shape_ok(buffer.state.kind, buffer.state.k) ||
			fb_stats_check(&buffer.state) != NULL)
			abort();
	}
	else if (detail == NULL)
		abort();
	free(text);
	return 0;
}
