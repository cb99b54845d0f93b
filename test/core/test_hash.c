/*
 * test_hash.c
 *		Bucketing against its vectors, an independent implementation, and chance.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/fb_evaluate.h"
#include "core/fb_hash.h"
#include "independent_bucketing.h"

#define KEYS 1000000
#define MAX_ARMS 16

static int	tests = 0;
static int	failures = 0;

/* Prints the TAP line of one check. */
static void
ok(bool passed, const char *name)
{
	tests++;
	if (!passed)
		failures++;
	printf("%sok %d - %s\n", passed ? "" : "not ", tests, name);
}

/* Finds the value of a name in a line of the vectors; NULL when it is not there. */
static const char *
field(const char *line, const char *name)
{
	char		wanted[32];
	const char *found;

	snprintf(wanted, sizeof(wanted), "\"%s\":", name);
	found = strstr(line, wanted);
	return found == NULL ? NULL : found + strlen(wanted);
}

/* Copies a string out of a line of the vectors, which has no escapes. */
static void
string_field(const char *line, const char *name, char *text, size_t size)
{
	const char *begin = field(line, name) + 1;
	size_t		length = strcspn(begin, "\"");

	if (length >= size)
		exit(2);
	memcpy(text, begin, length);
	text[length] = '\0';
}

/* Checks one split of the vectors. */
static bool
check_split(const char *line, const char *key, const char *salt, uint64_t hash)
{
	int			iteration = atoi(field(line, "iteration"));
	const char *at = field(line, "weights");
	uint64_t	seed = fb_split_seed(salt, strlen(salt), iteration);
	uint32_t	cumulative[MAX_ARMS];
	uint32_t	total = 0;
	uint32_t	bucket;
	int			count = 0;
	int			arm = 0;

	do
	{
		total += (uint32_t) strtoul(at + 1, (char **) &at, 10);
		cumulative[count++] = total;
	} while (*at == ',');
	bucket = fb_mulhi(fb_hash_key(key, strlen(key), seed), total);
	while (cumulative[arm] <= bucket)
		arm++;
	return fb_hash_key(key, strlen(key), seed) == hash && bucket == strtoul(field(line, "bucket"), NULL, 10) &&
		arm == atoi(field(line, "arm"));
}

/* Checks one gate of the vectors. */
static bool
check_gate(const char *line, const char *key, const char *salt, uint64_t hash)
{
	char		rule[256];
	uint64_t	h;

	string_field(line, "rule", rule, sizeof(rule));
	h = fb_hash_key(key, strlen(key), fb_gate_seed(salt, strlen(salt), rule, strlen(rule)));
	return h == hash && fb_mulhi(h, FB_GATE_SLOTS) == strtoul(field(line, "slot"), NULL, 10);
}

/* Checks the vectors in test/cases. */
static void
test_vectors(void)
{
	FILE	   *file = fopen("test/cases/bucketing.json", "r");
	char		line[8192];
	char		key[4096];
	char		salt[256];
	char		hash[32];
	bool		classes[7] = {false};
	int			splits = 0;
	int			gates = 0;
	int			wrong = 0;

	if (file == NULL)
	{
		ok(false, "test/cases/bucketing.json can be read");
		return;
	}
	while (fgets(line, sizeof(line), file) != NULL)
	{
		size_t		length;
		uint64_t	h;

		if (line[0] != '{')
			continue;
		string_field(line, "key", key, sizeof(key));
		string_field(line, "salt", salt, sizeof(salt));
		string_field(line, "hash", hash, sizeof(hash));
		h = strtoull(hash, NULL, 16);
		length = strlen(key);
		classes[length == 0 ? 0 : length <= 3 ? 1 : length <= 8 ? 2 : length <= 16 ? 3 : length <= 128 ? 4 : length <= 240 ? 5 : 6] = true;
		if (field(line, "rule") != NULL)
		{
			gates++;
			wrong += !check_gate(line, key, salt, h);
		}
		else
		{
			splits++;
			wrong += !check_split(line, key, salt, h);
		}
	}
	fclose(file);
	ok(splits == 149 && gates == 83, "the vectors are complete");
	ok(classes[0] && classes[1] && classes[2] && classes[3] && classes[4] && classes[5] && classes[6],
	   "the vectors cover every length class of XXH3");
	ok(wrong == 0, "hash, bucket, arm and slot agree with the vectors");
}

/* A simple generator of 64-bit numbers (splitmix64). */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* Checks the share of a hash at the edges and at random. */
static void
test_mulhi(void)
{
	static const uint64_t hashes[] = {0, 1, UINT64_C(0xffffffff), UINT64_C(0x100000000), UINT64_C(0x7fffffffffffffff),
	UINT64_C(0x8000000000000000), UINT64_C(0xfffffffeffffffff), UINT64_C(0xffffffff00000000), UINT64_MAX};
	static const uint32_t weights[] = {1, 2, 3, 100, 99999, 100000, 0x7fffffffu, 0x80000000u};
	uint64_t	state = 1;
	int			wrong = 0;

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		for (size_t j = 0; j < sizeof(weights) / sizeof(weights[0]); j++)
			wrong += fb_mulhi(hashes[i], weights[j]) != independent_share(hashes[i], weights[j]);
	for (int i = 0; i < 200000; i++)
	{
		uint64_t	hash = next_random(&state);
		uint32_t	weight = (uint32_t) (next_random(&state) >> 33) + 1;

		wrong += fb_mulhi(hash, weight) != independent_share(hash, weight);
	}
	ok(wrong == 0, "the share of a hash is exact up to a weight of 2^31");
	ok(fb_mulhi(UINT64_MAX, 0x80000000u) == 0x7fffffffu, "the highest hash stays below the weight");
}

/* Checks seeds and hashes against the independent implementation on many keys. */
static void
test_independent(void)
{
	static const char *const salts[] = {"", "x", "new-checkout", "a much longer salt that does not fit into sixteen bytes"};
	int			wrong = 0;
	char		key[400];

	for (int i = 0; i < 20000; i++)
	{
		const char *salt = salts[i % 4];
		int			iteration = i % 7 == 0 ? i : i % 3;
		int			length = snprintf(key, sizeof(key), "%*d", i % 300, i);

		wrong += fb_hash_key(key, (size_t) length, fb_split_seed(salt, strlen(salt), iteration)) !=
			independent_hash(key, salt, iteration, NULL);
		wrong += fb_hash_key(key, (size_t) length, fb_gate_seed(salt, strlen(salt), "rule-7", 6)) !=
			independent_hash(key, salt, 0, "rule-7");
	}
	ok(wrong == 0, "20,000 keys hash as in the independent implementation");
}

/* Returns the upper tail of chi-square as a normal deviate (Wilson and Hilferty 1931). */
static double
chi_square_deviate(double chi_square, double df)
{
	return (cbrt(chi_square / df) - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df));
}

/* Checks that buckets under a seed are uniform. */
static void
check_uniform(const char *name, uint64_t seed, const char *format)
{
	static uint32_t counts[1000];
	double		expected = KEYS / 1000.0;
	double		chi_square = 0;
	char		key[64];

	memset(counts, 0, sizeof(counts));
	for (int i = 0; i < KEYS; i++)
	{
		int			length = snprintf(key, sizeof(key), format, i);

		counts[fb_mulhi(fb_hash_key(key, (size_t) length, seed), 1000)]++;
	}
	for (int i = 0; i < 1000; i++)
		chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
	ok(fabs(chi_square_deviate(chi_square, 999)) < 4.5, name);
}

/* Checks that buckets under two seeds have nothing to do with each other. */
static void
check_independent(const char *name, uint64_t first, uint64_t second)
{
	static uint32_t counts[20][20];
	double		expected = KEYS / 400.0;
	double		chi_square = 0;
	char		key[64];

	memset(counts, 0, sizeof(counts));
	for (int i = 0; i < KEYS; i++)
	{
		int			length = snprintf(key, sizeof(key), "user-%d", i);

		counts[fb_mulhi(fb_hash_key(key, (size_t) length, first), 20)][fb_mulhi(fb_hash_key(key, (size_t) length, second), 20)]++;
	}
	for (int i = 0; i < 400; i++)
		chi_square += (counts[i / 20][i % 20] - expected) * (counts[i / 20][i % 20] - expected) / expected;
	ok(fabs(chi_square_deviate(chi_square, 399)) < 4.5, name);
}

int
main(void)
{
	uint64_t	flag = fb_split_seed("checkout", 8, 0);

	test_vectors();
	test_mulhi();
	test_independent();
	check_uniform("a split is uniform over 1,000,000 text keys", flag, "user-%d");
	check_uniform("a split is uniform over 1,000,000 consecutive numbers", flag, "%d");
	check_uniform("a split is uniform over long keys", flag, "a-tenant-with-a-rather-long-name/users/%08d");
	check_uniform("a gate is uniform", fb_gate_seed("checkout", 8, "r1", 2), "user-%d");
	check_uniform("the empty salt is uniform", fb_split_seed("", 0, 0), "user-%d");
	check_independent("two flags are independent", flag, fb_split_seed("checkouu", 8, 0));
	check_independent("flags with salts of different length are independent", flag, fb_split_seed("checkout2", 9, 0));
	check_independent("two iterations are independent", fb_split_seed("checkout", 8, 1), fb_split_seed("checkout", 8, 2));
	check_independent("the first iteration is independent of none", flag, fb_split_seed("checkout", 8, 1));
	check_independent("a gate is independent of the split behind it", flag, fb_gate_seed("checkout", 8, "r1", 2));
	check_independent("two gates are independent", fb_gate_seed("checkout", 8, "r1", 2), fb_gate_seed("checkout", 8, "r2", 2));
	check_independent("the gates of two flags are independent", fb_gate_seed("checkout", 8, "r1", 2), fb_gate_seed("search", 6, "r1", 2));
	printf("1..%d\n", tests);
	return failures > 0;
}
