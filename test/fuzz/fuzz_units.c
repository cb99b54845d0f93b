/*
 * fuzz_units.c
 *		Feeds arbitrary bytes to the readers of exposure maps, of what exposed
 *		units did and of sums per unit: each must refuse them with a reason, or
 *		make a value that can be used and whose binary form is the same bytes.
 *
 * The first byte chooses the reader.
 *
 * clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -Isrc test/fuzz/fuzz_units.c \
 *		src/core/fb_units.c src/core/fb_exposures.c src/core/fb_outcomes.c src/core/fb_outcomes_wire.c \
 *		src/core/fb_unit_sums.c src/core/fb_moments.c -lm
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fb_outcomes.h"
#include "core/fb_unit_sums.h"

/* What no input of a fuzzer should make it allocate. */
#define MAX_SIZE ((size_t) 64 << 20)

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads an exposure map, looks units up, and writes it. */
static void
read_map(const uint8_t *data, size_t size)
{
	const char *detail;
	size_t		length = fb_exposures_measure(data, size, &detail);
	FbExposures *map;
	FbExposureView view;

	if (length == 0)
	{
		if (detail == NULL)
			abort();
		return;
	}
	if (length > MAX_SIZE)
		return;
	map = calloc(1, length);
	if (fb_exposures_receive(data, map, &detail))
	{
		uint8_t    *again;

		if (!fb_exposures_view(map, length, &view) || fb_exposures_bytes(&view) != size)
			abort();
		for (uint32_t i = 0; i < view.units; i++)
			if (fb_exposure_lookup(&view, fb_unit_key(fb_exposure_entry(&view, i), view.words)) != i)
				abort();
		(void) fb_exposure_lookup(&view, fb_unit_from_bigint((int64_t) size));
		again = malloc(size);
		fb_exposures_send(&view, again);
		if (memcmp(again, data, size) != 0)
			abort();
		free(again);
	}
	else if (detail == NULL)
		abort();
	free(map);
}

/* Reads what units did, merges it with itself, and writes it. */
static void
read_outcomes(const uint8_t *data, size_t size)
{
	FbOutcomes	state;
	FbOutcomeMetric metric[FB_MAX_METRICS];
	const char *detail;

	if (!fb_outcomes_measure(data, size, &state, &detail))
	{
		if (detail == NULL)
			abort();
		return;
	}
	state.metric = metric;
	state.rows = calloc((size_t) state.units * state.width + 1, sizeof(double));
	state.bad = calloc((size_t) state.metrics * state.arms + 1, sizeof(uint64_t));
	state.key = calloc((size_t) state.waiting + 1, sizeof(FbUnitKey));
	state.at = calloc((size_t) state.waiting + 1, sizeof(int64_t));
	state.value = calloc((size_t) state.waiting * state.values + 1, sizeof(double));
	state.event = calloc((size_t) state.waiting + 1, 1);
	if (fb_outcomes_receive(data, &state, &detail))
	{
		uint8_t    *again = malloc(size);

		if (fb_outcomes_bytes(&state) != size)
			abort();
		fb_outcomes_send(&state, again);
		for (uint32_t i = 0; i < state.names; i++)
			if (fb_outcomes_event(&state, state.name[i], state.name_length[i]) == 0)
				abort();
		fb_outcomes_merge(&state, &state, 0, state.units);
		free(again);
	}
	else if (detail == NULL)
		abort();
	free(state.rows);
	free(state.bad);
	free(state.key);
	free(state.at);
	free(state.value);
	free(state.event);
}

/* Reads sums per unit and writes them. */
static void
read_sums(const uint8_t *data, size_t size)
{
	FbUnitSums	sums;
	const char *detail;
	char	   *entries;

	if (!fb_sums_measure(data, size, &sums, &detail))
	{
		if (detail == NULL)
			abort();
		return;
	}
	entries = malloc((size_t) sums.units * FB_UNIT_STRIDE(sums.kind) + 1);
	if (fb_sums_receive(data, &sums, entries, &detail))
	{
		uint8_t    *again = malloc(size);

		fb_sums_write(&sums, entries, again);
		if (memcmp(again, data, size) != 0)
			abort();
		free(again);
	}
	else if (detail == NULL)
		abort();
	free(entries);
}

/* Reads one input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] % 3 == 0)
		read_map(data + 1, size - 1);
	else if (data[0] % 3 == 1)
		read_outcomes(data + 1, size - 1);
	else
		read_sums(data + 1, size - 1);
	return 0;
}
