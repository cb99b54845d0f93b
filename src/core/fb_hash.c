/*
 * fb_hash.c
 *		Seeds of splits and gates.  They are computed when a flag is compiled.
 */
#include <stdio.h>
#include <string.h>

#include "core/fb_hash.h"

/* Hashes two strings joined by one separator byte. */
static uint64_t
hash_joined(const char *first, size_t first_length, char separator, const char *second, size_t second_length)
{
	XXH3_state_t state;

	(void) XXH3_64bits_reset(&state);
	(void) XXH3_64bits_update(&state, first, first_length);
	(void) XXH3_64bits_update(&state, &separator, 1);
	(void) XXH3_64bits_update(&state, second, second_length);
	return XXH3_64bits_digest(&state);
}

/* Returns the seed of a split; iteration 0 is the bare salt. */
uint64_t
fb_split_seed(const char *salt, size_t length, int32_t iteration)
{
	char		digits[16];
	int			digit_count;

	if (iteration <= 0)
		return XXH3_64bits(salt, length);
	digit_count = snprintf(digits, sizeof(digits), "%d", (int) iteration);
	return hash_joined(salt, length, FB_SALT_ITERATION, digits, (size_t) digit_count);
}

/* Returns the seed of a rule's percentage gate. */
uint64_t
fb_gate_seed(const char *salt, size_t salt_length, const char *rule_id, size_t rule_id_length)
{
	return hash_joined(salt, salt_length, FB_SALT_GATE, rule_id, rule_id_length);
}
