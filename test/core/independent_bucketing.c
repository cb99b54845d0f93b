/*
 * independent_bucketing.c
 *		Writes test/cases/bucketing.json.
 *
 *		cc -std=c11 -o vectors test/core/independent_bucketing.c -lxxhash && ./vectors > test/cases/bucketing.json
 */
#include <inttypes.h>

#include "independent_bucketing.h"

/* Every length class of XXH3: 0, 1-3, 4-8, 9-16, 17-128, 129-240 and more bytes. */
static const int lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 31, 32, 33, 64, 65, 96, 97, 127, 128, 129, 160, 239, 240,
241, 256, 512, 513, 1000, 1024, 1025, 2049};

static const char *const words[] = {"alice", "user-1", "42", "-7", "1.5", "true",
"9f1b2c3d-0000-4000-8000-00000000abcd", "zo\303\253", "\346\227\245\346\234\254", "\360\237\220\230"};

static const char *const salts[] = {"checkout", "a", "", "a salt of more than sixteen bytes", "s\303\244lz"};

static const uint32_t weights[][4] = {{50, 50}, {90, 10}, {1, 0, 1}, {1}, {2147483647, 1}, {33333, 33333, 33334}, {0, 5, 0, 7}};
static const int weight_counts[] = {2, 2, 3, 1, 2, 3, 4};

static int	lines = 0;

/* Finds the arm whose range holds a bucket. */
static int
independent_arm(uint64_t bucket, const uint32_t *weights, int count)
{
	uint64_t	begin = 0;
	int			arm;

	for (arm = 0; arm < count; arm++)
	{
		if (bucket >= begin && bucket < begin + weights[arm])
			return arm;
		begin += weights[arm];
	}
	return -1;
}

/* Prints what vectors of both kinds share. */
static void
begin(const char *key, const char *salt)
{
	printf("%s{\"key\":\"%s\",\"salt\":\"%s\"", lines++ == 0 ? "[\n" : ",\n", key, salt);
}

/* Prints the vector of a split. */
static void
print_split(const char *key, const char *salt, int iteration, int choice)
{
	uint64_t	hash = independent_hash(key, salt, iteration, NULL);
	uint64_t	total = 0;
	uint64_t	bucket;
	int			i;

	for (i = 0; i < weight_counts[choice]; i++)
		total += weights[choice][i];
	bucket = independent_share(hash, total);
	begin(key, salt);
	printf(",\"iteration\":%d,\"weights\":[", iteration);
	for (i = 0; i < weight_counts[choice]; i++)
		printf("%s%u", i == 0 ? "" : ",", (unsigned) weights[choice][i]);
	printf("],\"hash\":\"%016" PRIx64 "\",\"bucket\":%" PRIu64 ",\"arm\":%d}", hash, bucket,
		   independent_arm(bucket, weights[choice], weight_counts[choice]));
}

/* Prints the vector of a percentage gate. */
static void
print_gate(const char *key, const char *salt, const char *rule)
{
	uint64_t	hash = independent_hash(key, salt, 0, rule);

	begin(key, salt);
	printf(",\"rule\":\"%s\",\"hash\":\"%016" PRIx64 "\",\"slot\":%" PRIu64 "}", rule, hash, independent_share(hash, 100000));
}

int
main(void)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char		key[4096];
	int			n = 0;
	size_t		i;
	size_t		j;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		for (j = 0; j < (size_t) lengths[i]; j++)
			key[j] = alphabet[(j * 7 + i * 5 + j / 36) % 36];
		key[lengths[i]] = '\0';
		for (j = 0; j < 3; j++, n++)
			print_split(key, salts[n % 5], n % 4 == 3 ? n * 37 : n % 4, n % 7);
		print_gate(key, salts[n % 5], "r1");
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		for (j = 0; j < 5; j++, n++)
		{
			print_split(words[i], salts[j], (int) (i % 3), n % 7);
			print_gate(words[i], salts[j], j % 2 ? "beta-testers" : "r\303\251gle 2");
		}
	printf("\n]\n");
	return 0;
}
