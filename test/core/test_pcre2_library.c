/*
 * test_pcre2_library.c
 *		A process in which the library of PCRE2 cannot be loaded.
 */
#define FB_PCRE2_LIBRARY "libfeatbit-no-such-library.so"

/* a copy of its own, beside the one that the other tests use */
#define fb_regex_compile compile_without_library
#define fb_regex_free free_without_library
#define fb_regex_match match_without_library
#define fb_regex_delete delete_without_library
#include "../../src/core/fb_regex.c"

#include "tap.h"

int
main(void)
{
	char		message[FB_REGEX_MESSAGE_SIZE] = "";
	uint32_t	offset = 1;

	ok(fb_regex_compile(string_of("a"), 0, message, &offset) == NULL, "no pattern compiles without the library");
	ok(strstr(message, FB_PCRE2_LIBRARY) != NULL, "the message names the library");
	ok(offset == 0, "the fault is at no byte of the pattern");
	ok(fb_regex_compile(string_of("b"), 0, message, &offset) == NULL, "nor does the next one");
	fb_regex_free(NULL);
	printf("1..%d\n", tests);
	return failures > 0;
}
