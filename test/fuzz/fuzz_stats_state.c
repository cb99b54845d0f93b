/*
 * fuzz_stats_state.c
 *		Feeds arbitrary bytes to the readers of all states: the text of a sketch
 *		or bootstrap, and the flat form that the binary input fills in. What a
 *		checker lets through must survive being read, merged and flattened.
 */
#include "use_state.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the form: text of a large state, or the flat form of one kind. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] % 4 == 0)
	{
		FbLargeText found;
		const char *detail;
		char	   *text = allocate(NULL, size);

		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		if (fb_large_parse(text, &found, &detail))
		{
			FbStats    *state = allocate(NULL, found.size);

			memset(state, 0, found.size);
			if (detail != NULL)
				abort();
			if (fb_large_fill(&found, state) == NULL)
				use(state, found.size);
			release(NULL, state);
		}
		else if (detail == NULL)
			abort();
		free(text);
	}
	else
	{
		/* The header word is the server's; the rest is what a binary input or a damaged page may hold. */
		size_t		bytes = size - 1 + sizeof(uint32_t);
		FbStats    *state = allocate(NULL, bytes < sizeof(FbStatsBuffer) ? sizeof(FbStatsBuffer) : bytes);

		memset(state, 0, bytes < sizeof(FbStatsBuffer) ? sizeof(FbStatsBuffer) : bytes);
		memcpy((char *) state + sizeof(uint32_t), data + 1, size - 1);
		if (data[0] % 4 == 1)
			state->kind = FB_STATS_QUANTILE;
		else if (data[0] % 4 == 2)
			state->kind = FB_STATS_BOOTSTRAP;
		if (state->kind == FB_STATS_QUANTILE)
		{
			if (fb_sketch_check((FbSketchFlat *) state, bytes) == NULL)
				use(state, bytes);
		}
		else if (state->kind == FB_STATS_BOOTSTRAP)
		{
			if (fb_bootstrap_check(state, bytes) == NULL)
				use(state, bytes);
		}
		else if (bytes >= FB_STATS_SIZE(1) && fb_stats_shape_ok(state->kind, state->k) &&
				 bytes == FB_STATS_SIZE(fb_stats_values(state->kind, state->k)) && fb_stats_check(state) == NULL)
			use(state, bytes);
		free(state);
	}
	return 0;
}
