/*
 * test_units.c
 *		Keys and tables of units, exposure maps, what units did, funnels.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fb_funnel.h"
#include "core/fb_outcomes.h"
#include "core/fb_unit_sums.h"
#include "tap.h"

static uint64_t seed = 1;

/* Returns the next number of a fixed sequence. */
static uint64_t
next_random(void)
{
	seed += UINT64_C(0x9e3779b97f4a7c15);
	return fb_mix64(seed);
}

/* Returns the key of a user by number. */
static FbUnitKey
user(const char *prefix, unsigned number)
{
	char		name[40];
	FbString	unit;

	snprintf(name, sizeof(name), "%s-%u", prefix, number);
	unit = string_of(name);
	return fb_unit_from_text(unit.data, unit.length);
}

/* Gives memory another size and fills what is new, so that nothing relies on zeros. */
static void *
resize(void *context, void *memory, size_t old_size, size_t size)
{
	char	   *result = realloc(memory, size);

	(void) context;
	if (size > old_size)
		memset(result + old_size, 0xa5, size - old_size);
	return result;
}

/* Adds to the payload of a unit. */
static void
count_unit(FbUnitTable *table, FbUnitKey key)
{
	bool		found;
	char	   *entry;

	if (!fb_unit_table_reserve(table, 1))
		abort();
	while ((entry = fb_unit_table_place(table, key, &found)) == NULL)
		fb_unit_table_extend(table);
	fb_unit_set_payload(entry, table->words, found ? fb_unit_payload(entry, table->words) + 1 : 1);
	fb_unit_set_tag(entry, table->words, 1);
}

/* Counts random units, packing now and then; returns whether all counts are right. */
static bool
table_counts(int kind, uint32_t units, uint32_t events, uint64_t mask)
{
	FbUnitTable table;
	uint64_t   *counts = calloc(units, sizeof(uint64_t));
	uint32_t	different = 0;
	uint64_t	total = 0;
	bool		good;

	fb_unit_table_init(&table, kind, resize, NULL);
	for (uint32_t i = 0; i < events; i++)
	{
		uint32_t	unit = (uint32_t) (next_random() % units);
		FbUnitKey	key = fb_unit_from_bigint(unit);

		/* A mask makes hashes collide. */
		key.hash |= mask;
		if (kind != FB_UNITS_BIGINT)
			key.rest = unit;
		if (counts[unit]++ == 0)
			different++;
		count_unit(&table, key);
		if (i % 5000 == 77)
			fb_unit_table_pack(&table);
	}
	fb_unit_table_pack(&table);
	good = table.count == different && fb_units_sorted(table.slots, table.count, table.words);
	for (uint32_t i = 0; i < table.count; i++)
	{
		const char *entry = table.slots + (size_t) i * table.stride;

		total += fb_unit_payload(entry, table.words);
		if (kind != FB_UNITS_BIGINT)
			good = good && fb_unit_payload(entry, table.words) == counts[fb_unit_key(entry, table.words).rest];
		else if (mask == 0)
			good = good && fb_unit_payload(entry, 1) == counts[fb_unit_to_bigint(fb_unit_key(entry, 1))];
	}
	free(table.slots);
	free(counts);
	return good && total == events;
}

/* Tests that keys are exact and can be turned back. */
static void
test_keys(void)
{
	bool		bigint = true;
	bool		uuid = true;
	int64_t		numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 42};

	for (int i = 0; i < 1000; i++)
	{
		int64_t		number = i < 6 ? numbers[i] : (int64_t) next_random();
		unsigned char in[16],
					out[16];

		bigint = bigint && fb_unit_to_bigint(fb_unit_from_bigint(number)) == number;
		for (int j = 0; j < 16; j++)
			in[j] = i == 0 ? 0 : (unsigned char) next_random();
		fb_unit_to_uuid(fb_unit_from_uuid(in), out);
		uuid = uuid && memcmp(in, out, 16) == 0;
	}
	ok(bigint, "bigint units come back");
	ok(uuid, "uuid units come back");
	ok(fb_unit_from_text("user-1", 6).hash == XXH3_128bits("user-1", 6).high64, "a text unit is its XXH3-128");
}

/* Makes a map of n random units in three arms; the memory is the caller's. */
static FbExposures *
make_map(uint32_t units, FbUnitTable *table, size_t *size)
{
	FbArm		arms[3] = {{"a", NULL, 1, 0}, {"a", "de", 1, 2}, {"b", "", 1, 0}};
	FbExposures *map;
	size_t		head;

	fb_unit_table_init(table, FB_UNITS_TEXT, resize, NULL);
	for (uint32_t i = 0; i < units; i++)
		count_unit(table, user("user", i));
	fb_unit_table_pack(table);
	for (uint32_t i = 0; i < table->count; i++)
	{
		char	   *entry = table->slots + (size_t) i * table->stride;

		fb_unit_set_payload(entry, 2, i * 1000);
		fb_unit_set_tag(entry, 2, (uint16_t) ((1 + i % 3) | (i % 10 == 0 ? FB_TAG_MIXED : 0)));
	}
	head = fb_exposures_head_size(arms, 3, units);
	*size = head + (size_t) units * table->stride;
	map = calloc(1, *size);
	fb_exposures_write_head(map, FB_UNITS_TEXT, arms, 3, table->slots, units);
	if (units > 0)
		memcpy((char *) map + head, table->slots, (size_t) units * table->stride);
	return map;
}

/* Tests look-ups in a map and its binary form. */
static void
test_map(uint32_t units)
{
	FbUnitTable table;
	size_t		size;
	FbExposures *map = make_map(units, &table, &size);
	FbExposureView view;
	bool		found = true;
	bool		missed = true;
	unsigned char *bytes;
	size_t		length;
	const char *detail;
	FbExposures *again;
	FbArm		arms[3];

	ok(fb_exposures_view(map, size, &view), "a map is a map");
	ok(!fb_exposures_view(map, size - 1, &view), "cut it is none");
	if (!fb_exposures_view(map, size, &view))
		return;
	for (uint32_t i = 0; i < units; i++)
	{
		found = found && fb_exposure_lookup(&view, user("user", i)) >= 0;
		missed = missed && fb_exposure_lookup(&view, user("other", i)) < 0;
	}
	ok(found, "all units are found");
	ok(missed, "others are not");
	ok(fb_exposures_arms(&view, arms) == 3 && arms[0].stratum == NULL && arms[2].stratum != NULL && arms[2].stratum_length == 0,
	   "arms have strata, empty ones and none");
	length = fb_exposures_bytes(&view);
	bytes = malloc(length);
	fb_exposures_send(&view, bytes);
	ok(fb_exposures_measure(bytes, length, &detail) == size, "the binary form is as long as it should be");
	again = calloc(1, size);
	ok(fb_exposures_receive(bytes, again, &detail) && memcmp(again, map, size) == 0, "and makes the same map");
	for (size_t cut = 0; cut < length && cut < 40; cut++)
		if (fb_exposures_measure(bytes, cut, &detail) != 0)
			ok(false, "a beginning of it is refused");
	if (units > 1)
	{
		unsigned char last[26];

		memcpy(last, bytes + length - 26, 26);
		memcpy(bytes + length - 26, bytes + length - 52, 26);
		memset(again, 0, size);
		ok(!fb_exposures_receive(bytes, again, &detail) && strcmp(detail, "The units must be different and in the order of their keys.") == 0,
		   "a unit that occurs twice is refused");
		memcpy(bytes + length - 26, last, 26);
		bytes[length - 1] = 9;
		memset(again, 0, size);
		ok(!fb_exposures_receive(bytes, again, &detail) && strcmp(detail, "A unit refers to an arm that does not exist.") == 0,
		   "an arm that is not there is refused");
	}
	free(bytes);
	free(again);
	free(map);
	free(table.slots);
}

/* Tests that exposures join alike in any order. */
static void
test_join(void)
{
	FbArm		arms[3] = {{"b", NULL, 1, 0}, {"a", NULL, 1, 0}, {"a", "x", 1, 1}};
	bool		same = true;

	for (int trial = 0; trial < 2000; trial++)
	{
		int64_t		at[4];
		uint16_t	tag[4];
		int64_t		forward,
					backward;
		uint16_t	forward_tag,
					backward_tag;

		for (int i = 0; i < 4; i++)
		{
			at[i] = (int64_t) (next_random() % 3);
			tag[i] = (uint16_t) (1 + next_random() % 3);
		}
		forward = at[0];
		forward_tag = tag[0];
		backward = at[3];
		backward_tag = tag[3];
		for (int i = 1; i < 4; i++)
			forward_tag = fb_exposure_join(arms, &forward, forward_tag, at[i], tag[i]);
		for (int i = 2; i >= 0; i--)
			backward_tag = fb_exposure_join(arms, &backward, backward_tag, at[i], tag[i]);
		same = same && forward == backward && forward_tag == backward_tag;
	}
	ok(same, "exposures join alike in any order");
}

/* Gives a state its arrays. */
static void
allocate(FbOutcomes *state)
{
	state->rows = calloc((size_t) state->units * state->width + 1, sizeof(double));
	state->bad = calloc((size_t) state->metrics * state->arms + 1, sizeof(uint64_t));
	state->space = state->waiting > 200 ? state->waiting : 200;
	state->key = calloc(state->space, sizeof(FbUnitKey));
	state->at = calloc(state->space, sizeof(int64_t));
	state->value = calloc((size_t) state->space * state->values + 1, sizeof(double));
	state->event = calloc(state->space, 1);
}

/* Frees them. */
static void
release(FbOutcomes *state)
{
	free(state->rows);
	free(state->bad);
	free(state->key);
	free(state->at);
	free(state->value);
	free(state->event);
}

/* Tests that events count the same in whatever batches they come, and the binary form of a state. */
static void
test_outcomes(void)
{
	enum
	{
		EVENTS = 5000
	};
	FbUnitTable table;
	size_t		size;
	FbExposures *map = make_map(300, &table, &size);
	FbExposureView view;
	FbOutcomeMetric metric[4];
	FbOutcomeMetric copied[4];
	FbOutcomes	one = {.metrics = 4, .values = 1, .units = 300, .arms = 3, .metric = metric, .names = 1, .name = {"buy"}, .name_length = {3}};
	FbOutcomes	many,
				again;
	unsigned char *bytes;
	size_t		length;
	const char *detail;

	memset(metric, 0, sizeof(metric));
	for (int i = 0; i < 4; i++)
	{
		metric[i].per_unit = (uint8_t) (i == 0 ? FB_PER_UNIT_SUM : i == 1 ? FB_PER_UNIT_LAST : i == 2 ? FB_PER_UNIT_CONVERSION : FB_PER_UNIT_MEAN);
		metric[i].until = i == 0 ? FB_NO_END : 200000;
		metric[i].lookback = i == 2 ? 0 : 50000;
		metric[i].event = i == 3;
		metric[i].cap = metric[i].cap_quantile = NAN;
	}
	ok(fb_exposures_view(map, size, &view), "there is a map");
	ok(fb_outcomes_plan(metric, 4, 1, 1, &one.width) == NULL && one.width == 11, "a row has eleven numbers");
	allocate(&one);
	fb_outcomes_blank(&one, 0, 300);
	many = one;
	allocate(&many);
	fb_outcomes_blank(&many, 0, 300);
	for (int i = 0; i < EVENTS; i++)
	{
		FbOutcomes *each[2] = {&one, &many};
		uint64_t	value = next_random();

		for (int j = 0; j < 2; j++)
		{
			FbOutcomes *state = each[j];

			state->key[state->waiting] = user("user", value % 400);
			state->at[state->waiting] = (int64_t) (value >> 20) % 400000;
			state->event[state->waiting] = (value >> 13) % 2;
			state->value[state->waiting] = value % 50 == 0 ? fb_double_of(FB_VALUE_BAD) : (double) (value >> 40 & 255);
			fb_outcomes_prefetch(state, &view, state->waiting);
			state->waiting++;
			if (state->waiting >= (j == 0 ? 1 : 1 + next_random() % 190))
			{
				fb_outcomes_apply(state, &view, 0, state->waiting);
				state->waiting = 0;
			}
		}
	}
	fb_outcomes_apply(&many, &view, 0, many.waiting);
	many.waiting = 0;
	ok(memcmp(one.rows, many.rows, sizeof(double) * 300 * 11) == 0, "batches of any length give the same");
	ok(memcmp(one.bad, many.bad, sizeof(uint64_t) * 12) == 0 && one.bad[0] > 0, "and count the same unusable values");

	many.waiting = 3;
	length = fb_outcomes_bytes(&many);
	bytes = malloc(length);
	fb_outcomes_send(&many, bytes);
	ok(fb_outcomes_measure(bytes, length, &again, &detail), "the binary form is one");
	again.metric = copied;
	allocate(&again);
	ok(fb_outcomes_receive(bytes, &again, &detail) && memcmp(again.rows, many.rows, sizeof(double) * 300 * 11) == 0 &&
	   again.waiting == 3 && memcmp(again.metric, metric, sizeof(metric)) == 0, "and makes the same state");
	fb_outcomes_merge(&again, &one, 0, 300);
	ok(again.rows[0] == 2 * one.rows[0], "states add");
	bytes[length - 1] ^= 1;
	bytes[length - 8] = 0x7f;
	bytes[length - 7] = 0xff;
	ok(!fb_outcomes_receive(bytes, &again, &detail), "infinities are refused");
	release(&again);
	release(&one);
	release(&many);
	free(bytes);
	free(map);
	free(table.slots);
}

/* Tests what metrics are refused. */
static void
test_plan(void)
{
	FbOutcomeMetric good = {.per_unit = FB_PER_UNIT_SUM, .until = FB_NO_END, .cap = NAN, .cap_quantile = NAN};
	FbOutcomeMetric bad[] = {good, good, good, good, good, good, good, good, good, good};
	uint32_t	width;

	bad[0].per_unit = 10;
	bad[1].value = 1;
	bad[2].denominator = 1;
	bad[3].until = 0;
	bad[4].lookback = INT64_MAX;
	bad[5].from = INT64_MIN;
	bad[6].cap = INFINITY;
	bad[7].cap_quantile = 1;
	bad[8].cap = bad[8].cap_quantile = 0.5;
	bad[9].event = 1;
	ok(fb_outcomes_plan(&good, 1, 1, 0, &width) == NULL, "a sum is a metric");
	for (int i = 0; i < 10; i++)
		ok(fb_outcomes_plan(&bad[i], 1, 1, 0, &width) != NULL, "what cannot be computed is none");
}

/* Orders numbers. */
static int
compare_numbers(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Tests quantiles against sorting. */
static void
test_quantile(void)
{
	bool		good = true;

	for (int trial = 0; trial < 500; trial++)
	{
		size_t		count = 1 + next_random() % 60;
		double		p = (double) (next_random() % 1000) / 1000;
		double		values[60],
					sorted[60];
		double		position = p * (double) (count - 1);
		size_t		rank = (size_t) floor(position);
		double		expected;

		for (size_t i = 0; i < count; i++)
			sorted[i] = values[i] = (double) (next_random() % 20);
		qsort(sorted, count, sizeof(double), compare_numbers);
		expected = sorted[rank] + (rank + 1 < count ? sorted[rank + 1] - sorted[rank] : 0) * (position - (double) rank);
		good = good && fabs(fb_quantile(values, count, p) - expected) < 1e-12;
	}
	ok(good, "quantiles are those of sorted values");
}

/* Tests the binary form of sums. */
static void
test_sums(void)
{
	FbUnitTable table;
	FbUnitSums	sums = {.kind = FB_UNITS_BIGINT, .n_bad = 7, .has_cap = true, .cap = 2.5};
	FbUnitSums	again;
	unsigned char bytes[2000];
	char		entries[2000];
	const char *detail;
	size_t		length;

	fb_unit_table_init(&table, FB_UNITS_BIGINT, resize, NULL);
	for (int i = 0; i < 100; i++)
		count_unit(&table, fb_unit_from_bigint(i));
	fb_unit_table_pack(&table);
	sums.units = table.count;
	length = fb_sums_bytes(sums.kind, sums.units);
	fb_sums_write(&sums, table.slots, bytes);
	ok(fb_sums_measure(bytes, length, &again, &detail) && again.units == 100 && again.n_bad == 7 && again.cap == 2.5, "sums have a binary form");
	ok(fb_sums_receive(bytes, &again, entries, &detail) && memcmp(entries, table.slots, 1800) == 0, "which comes back");
	bytes[30] ^= 0xff;
	ok(!fb_sums_receive(bytes, &again, entries, &detail) || memcmp(entries, table.slots, 1800) != 0, "a change is no longer the same");
	free(table.slots);
}

/* Returns the depth of a funnel over events that are given as time and step. */
static int
depth(const char *events, int64_t window)
{
	FbFunnelEvent list[20];
	size_t		count = 0;

	for (; events[0]; events += 2)
		list[count++] = (FbFunnelEvent) {events[0] - '0', events[1] - '0'};
	return fb_funnel_depth(list, count, window);
}

/* Tests funnels. */
static void
test_funnel(void)
{
	ok(depth("", 5) == 0, "nothing is depth 0");
	ok(depth("122334", FB_FUNNEL_NO_END) == 0, "without step 1 there is no depth");
	ok(depth("112233", 5) == 3, "three steps in order");
	ok(depth("332211", 5) == 3, "in whatever order they come");
	ok(depth("131221", 5) == 1, "not in order");
	ok(depth("1161", 5) == 1, "step 1 twice");
	ok(depth("1162", 5) == 1, "step 2 at the end of the window is late");
	ok(depth("1152", 5) == 2, "and before it is not");
	ok(depth("113162", 5) == 2, "a later step 1 opens a later window");
	ok(depth("11224183", 5) == 2, "which does not help a chain that began before");
	ok(depth("1124415283", 5) == 3, "but one that began with it");
	ok(depth("121113", FB_FUNNEL_NO_END) == 3, "steps of one moment count in order");
}

int
main(void)
{
	test_keys();
	ok(table_counts(FB_UNITS_BIGINT, 20000, 100000, 0), "bigint units are counted");
	ok(table_counts(FB_UNITS_UUID, 20000, 100000, 0), "units of two words are counted");
	ok(table_counts(FB_UNITS_UUID, 300, 5000, UINT64_C(0xffffffff00000000)), "also where all have the last home");
	ok(table_counts(FB_UNITS_UUID, 300, 5000, UINT64_MAX), "or one hash");
	test_map(0);
	test_map(1);
	test_map(5000);
	test_join();
	test_outcomes();
	test_plan();
	test_quantile();
	test_sums();
	test_funnel();
	printf("1..%d\n", tests);
	return failures != 0;
}
