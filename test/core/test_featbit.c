/*
 * test_featbit.c
 *		MD5, FeatBit's buckets, ranges, experiment sampling and operators, without
 *		a server.
 */
#include <math.h>

#include "core/fb_featbit.h"
#include "core/fb_md5.h"
#include "plain_context.h"

/* Writes a digest in hexadecimal. */
static void
digest_of(FbString text, uint32_t piece, char hex[2 * FB_MD5_SIZE + 1])
{
	FbMd5		md5;
	uint8_t		digest[FB_MD5_SIZE];

	fb_md5_init(&md5);
	for (uint32_t at = 0; at < text.length; at += piece)
	{
		FbString	part = {text.data + at, text.length - at < piece ? text.length - at : piece};

		fb_md5_update(&md5, part);
	}
	fb_md5_final(&md5, digest);
	for (int i = 0; i < FB_MD5_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

/* Checks the suite of RFC 1321, A.5, whole and in pieces. */
static void
test_md5(void)
{
	static const char *const vectors[][2] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
		{"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		"57edf4a22be3c955ac49da2e2107b67a"}
	};
	bool		right = true;

	for (int i = 0; i < 7; i++)
		for (uint32_t piece = 1; piece < 90; piece += i == 6 ? 1 : 13)
		{
			char		hex[2 * FB_MD5_SIZE + 1];

			digest_of(string_of(vectors[i][0]), piece, hex);
			right = right && strcmp(hex, vectors[i][1]) == 0;
		}
	ok(right, "the test suite of RFC 1321, in pieces of any length");
}

/* Compares the short way with the long one for every length around the block's, cut anywhere. */
static void
test_two_strings(void)
{
	char		text[200];
	bool		right = true;

	for (int i = 0; i < (int) sizeof(text); i++)
		text[i] = (char) (i * 7);
	for (uint32_t length = 0; length < sizeof(text); length++)
		for (uint32_t cut = 0; cut <= length; cut += 1 + length / 9)
		{
			FbString	first = {text, cut};
			FbString	second = {text + cut, length - cut};
			FbString	whole = {text, length};
			char		hex[2 * FB_MD5_SIZE + 1];
			char		word[9];
			uint32_t	value = fb_md5_word(first, second);

			digest_of(whole, 64, hex);
			sprintf(word, "%02x%02x%02x%02x", value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >> 24);
			right = right && strncmp(hex, word, 8) == 0;
		}
	ok(right, "two strings have the digest of both together");
}

/* Checks buckets, also of what no text of the server can hold. */
static void
test_bucket(void)
{
	static const struct
	{
		const char *key;
		uint32_t	length;
		double		bucket;
	}			vectors[] = {
		{"test-value", 10, 0.14653629204258323},
		{"qKPKh1S3FolC", 12, 0.9105919692665339},
		{"3eacb184-2d79-49df-9ea7-edd4f10e4c6f", 36, 0.08994403155520558},
		{"test-user-default", 17, 0.5078448159620166},
		{"", 0, 0.3004114832729101},
		{"boundary-flaguser-878695304", 27, 1.0},
		{"boundary-flaguser-3115503254", 28, 0.0},
		{"boundary-flaguser-2591757523", 28, 0.5},
		{"boundary-flaguser-3824209216", 28, 0.75}
	};
	bool		right = true;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		for (uint32_t cut = 0; cut <= vectors[i].length; cut++)
		{
			FbString	first = {vectors[i].key, cut};
			FbString	second = {vectors[i].key + cut, vectors[i].length - cut};

			right = right && fb_bucket_value(fb_featbit_bucket(first, second)) == vectors[i].bucket;
		}
	ok(right, "published and boundary buckets, to the bit");
	ok(fb_bucket_value(fb_featbit_bucket((FbString) {"nul\0key", 7}, (FbString) {"", 0})) == 0.22916283272206783,
	   "a key with a NUL byte");
}

/* Compares ranges with FeatBit's own comparison of doubles. */
static void
test_range(void)
{
	static const double ends[] = {-INFINITY, -1, -1e-300, -0.0, 0, 5e-324, 1e-10, 0.1, 0.25, 0.30000000000000004, 0.34, 0.5,
		0.5000000002, 0.75, 0.9, 0.99998, 0.99999, 0.999991, 1, 1.0000000001, 1.5, 1e300, INFINITY, NAN};
	static const uint32_t buckets[] = {0, 1, 2, 214748364, 214748365, 536870911, 536870912, 536870913, 730144440,
		1073741823, 1073741824, 1073741825, 1610612736, 2147462173, 2147483647, UINT32_C(2147483648)};
	const int	n = sizeof(ends) / sizeof(ends[0]);
	bool		right = true;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			FbRange		range = fb_featbit_range(ends[i], ends[j]);
			bool		everyone = ends[i] == 0 && 1 - ends[j] < 1e-5;

			if (fb_range_is_everyone(range) != everyone)
				right = false;
			for (size_t k = 0; k < sizeof(buckets) / sizeof(buckets[0]); k++)
			{
				double		bucket = buckets[k] / 2147483648.0;
				bool		has = everyone || (!(ends[i] == 0 && ends[j] == 0) && ends[i] <= bucket && bucket <= ends[j]);

				if (fb_range_has(range, buckets[k]) != has)
				{
					printf("# [%g, %g] has %.17g: %d\n", ends[i], ends[j], bucket, !has);
					right = false;
				}
			}
		}
	ok(right, "ranges of any two doubles have what comparing doubles says");
}

/* Checks the upper end of experiment sampling. */
static void
test_upper(void)
{
	double		upper = -1;

	ok(fb_featbit_upper(0, 0.5, 0.25, &upper) && upper == 0.5, "the share of all traffic over the width");
	ok(fb_featbit_upper(0, 0.5, 0.9, &upper) && upper == 1, "at most 1");
	ok(!fb_featbit_upper(0.2, 0.2, 0.5, &upper) && !fb_featbit_upper(0, 1, 0, &upper), "nobody of no width or no share");
	ok(fb_featbit_upper(0.5, 0.2, 0.3, &upper) && upper == 0.3 / (0.2 - 0.5), "a range that is the wrong way round");
}

/* What an operator says, with the value read as the compiler reads it. */
static bool
says(FbFeatbitOp op, const char *text, const FbFeatbitOperand *operand)
{
	PlainContext context = plain_context(NULL, 0);

	return fb_featbit_test(&context.base, op, string_of(text), operand);
}

/* Checks operators on text. */
static void
test_text(void)
{
	FbFeatbitOperand empty = {.text = {"", 0}};
	FbFeatbitOperand ab = {.text = {"ab", 2}};
	FbFeatbitOperand ten = {.number = 10};
	FbFeatbitOperand none = {.number = 0};

	ok(says(FB_FEATBIT_EQUAL, "ab", &ab) && !says(FB_FEATBIT_EQUAL, "AB", &ab) && says(FB_FEATBIT_NOT_EQUAL, "AB", &ab),
	   "equality is of bytes");
	ok(says(FB_FEATBIT_CONTAINS, "xaab", &ab) && !says(FB_FEATBIT_CONTAINS, "axb", &ab) && says(FB_FEATBIT_CONTAINS, "", &empty) &&
	   says(FB_FEATBIT_NOT_CONTAIN, "", &ab), "contains");
	ok(says(FB_FEATBIT_STARTS, "abc", &ab) && !says(FB_FEATBIT_STARTS, "a", &ab) && says(FB_FEATBIT_STARTS, "", &empty),
	   "starts with");
	ok(says(FB_FEATBIT_ENDS, "cab", &ab) && !says(FB_FEATBIT_ENDS, "b", &ab) && says(FB_FEATBIT_ENDS, "", &empty), "ends with");
	ok(says(FB_FEATBIT_BIGGER, "10.5", &ten) && !says(FB_FEATBIT_BIGGER, "10", &ten) && says(FB_FEATBIT_BIGGER_EQUAL, " 1e1 ", &ten) &&
	   says(FB_FEATBIT_LESS, "-Infinity", &ten) && says(FB_FEATBIT_LESS_EQUAL, "-0", &none) && !says(FB_FEATBIT_LESS, "NaN", &ten) &&
	   !says(FB_FEATBIT_LESS, "", &ten), "numbers");
	ok(says(FB_FEATBIT_TRUE, "tRUe", &none) && !says(FB_FEATBIT_TRUE, " true", &none) && !says(FB_FEATBIT_TRUE, "", &none) &&
	   says(FB_FEATBIT_FALSE, "FALSE", &none) && !says(FB_FEATBIT_FALSE, "f", &none), "booleans, without trimming");
}

/* Checks the names of operators. */
static void
test_names(void)
{
	bool		right = fb_featbit_op_find(string_of("equal")) < 0 && fb_featbit_op_find(string_of("")) < 0 &&
		fb_featbit_op_find(string_of("EqualX")) < 0 && fb_featbit_op_find(string_of("NotContains")) < 0;

	for (int op = 0; op < FB_FEATBIT_OPERATORS; op++)
		right = right && fb_featbit_op_find(string_of(fb_featbit_op_name(op))) == op;
	ok(right, "operators are found by their exact names");
}

int
main(void)
{
	test_md5();
	test_two_strings();
	test_bucket();
	test_range();
	test_upper();
	test_text();
	test_names();
	printf("1..%d\n", tests);
	return failures > 0;
}
