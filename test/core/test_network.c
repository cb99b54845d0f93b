/*
 * test_network.c
 *		Addresses and networks, without a server.
 */
#include <stdlib.h>

#include "core/fb_network.h"
#include "tap.h"

/* Tells whether two texts are the same address. */
static bool
same(const char *a, const char *b)
{
	FbAddress	left;
	FbAddress	right;

	return fb_parse_address(string_of(a), &left) && fb_parse_address(string_of(b), &right) &&
		memcmp(&left, &right, sizeof(left)) == 0;
}

/* Checks the forms of addresses. */
static void
test_addresses(void)
{
	static const char *const pairs[][2] = {
		{"0.0.0.0", "0.0.0.0"}, {"255.255.255.255", "255.255.255.255"},
		{"::", "0:0:0:0:0:0:0:0"}, {"::1", "0:0:0:0:0:0:0:1"}, {"1::", "1:0:0:0:0:0:0:0"}, {"2001:db8::1", "2001:0DB8:0000:0000:0000:0000:0000:0001"},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"}, {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"}, {"1::8", "1:0:0:0:0:0:0:8"}, {"1:2::7:8", "1:2:0:0:0:0:7:8"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"}, {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}, {"::1.2.3.4", "::102:304"},
		{"::ffff:192.0.2.1", "192.0.2.1"}, {"::FFFF:c000:201", "192.0.2.1"}, {"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"}
	};
	static const char *const bad[] = {"", ".", ":", ":::", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.1000", "01.2.3.4", "1.2.3.04", "1..3.4", "1.2.3.", ".1.2.3", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-4",
		"+1.2.3.4", "0x1.2.3.4", "1.2.3.4:80", "[::1]", "fe80::1%eth0", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "12345::", "::g", ":1::", "::1:", "1:", "1:2",
		"1.2.3.4::", "::1.2.3.4:5", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.256", "localhost", "10.0.0.0/8", "1::2:", ":1", "0:0:0:0:0:0:0:0:", "\n", "1.2.3.4\n"};
	FbAddress	address;
	bool		right = true;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!same(pairs[i][0], pairs[i][1]))
		{
			printf("# %s\n", pairs[i][0]);
			right = false;
		}
	ok(right, "forms of the same address");
	ok(!same("::1.2.3.4", "1.2.3.4") && !same("::2", "::1") && !same("0.0.0.0", "::"), "other addresses are others");
	right = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (fb_parse_address(string_of(bad[i]), &address))
		{
			printf("# %s\n", bad[i]);
			right = false;
		}
	ok(right, "what is no address is refused");
	ok(!fb_parse_address((FbString) {"1.2.3.4\0", 8}, &address), "a zero byte ends nothing");
}

/* Checks the forms of networks. */
static void
test_networks(void)
{
	static const struct
	{
		const char *text;
		FbNetworkFault fault;
		int			prefix;
	}			cases[] = {
		{"10.0.0.0/8", FB_NETWORK_GOOD, 8}, {"0.0.0.0/0", FB_NETWORK_GOOD, 0}, {"1.2.3.4/32", FB_NETWORK_GOOD, 32}, {"1.2.3.4", FB_NETWORK_GOOD, 32}, {"128.0.0.0/1", FB_NETWORK_GOOD, 1},
		{"::/0", FB_NETWORK_GOOD, 0}, {"2001:db8::/32", FB_NETWORK_GOOD, 32}, {"::1", FB_NETWORK_GOOD, 128}, {"::1/128", FB_NETWORK_GOOD, 128}, {"fe80::/10", FB_NETWORK_GOOD, 10},
		{"::ffff:10.0.0.0/104", FB_NETWORK_GOOD, 8}, {"::ffff:0:0/96", FB_NETWORK_GOOD, 0}, {"::ffff:1.2.3.4", FB_NETWORK_GOOD, 32},
		{"", FB_NETWORK_ADDRESS, 0}, {"/8", FB_NETWORK_ADDRESS, 0}, {"10/8", FB_NETWORK_ADDRESS, 0}, {"example.org", FB_NETWORK_ADDRESS, 0}, {"10.0.0.0 /8", FB_NETWORK_ADDRESS, 0},
		{"10.0.0.0/", FB_NETWORK_PREFIX, 0}, {"10.0.0.0/33", FB_NETWORK_PREFIX, 0}, {"::/129", FB_NETWORK_PREFIX, 0}, {"10.0.0.0/08", FB_NETWORK_PREFIX, 0}, {"10.0.0.0/-1", FB_NETWORK_PREFIX, 0},
		{"10.0.0.0/255.0.0.0", FB_NETWORK_PREFIX, 0}, {"10.0.0.0/8/8", FB_NETWORK_PREFIX, 0}, {"10.0.0.0/1000", FB_NETWORK_PREFIX, 0}, {"10.0.0.0/8 ", FB_NETWORK_PREFIX, 0},
		{"10.0.0.1/8", FB_NETWORK_HOST_BITS, 0}, {"10.0.0.0/6", FB_NETWORK_HOST_BITS, 0}, {"0.0.0.1/0", FB_NETWORK_HOST_BITS, 0}, {"2001:db8::1/64", FB_NETWORK_HOST_BITS, 0}, {"fec0::/9", FB_NETWORK_HOST_BITS, 0},
		{"1.2.3.5/31", FB_NETWORK_HOST_BITS, 0}
	};
	bool		right = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		FbNetwork	network;
		FbNetworkFault fault = fb_parse_network(string_of(cases[i].text), &network);

		if (fault != cases[i].fault || (fault == FB_NETWORK_GOOD && network.prefix != cases[i].prefix))
		{
			printf("# %s: %d\n", cases[i].text, fault);
			right = false;
		}
	}
	ok(right, "networks, and what is wrong with others");
}

/* Checks membership at the borders. */
static void
test_membership(void)
{
	static const char *const texts[] = {"10.0.0.0/8", "10.1.0.0/16", "192.168.1.128/25", "203.0.113.7", "2001:db8::/33", "::ffff:198.51.100.0/120", "fe80::/10", "10.1.2.3"};
	static const char *const in[] = {"10.0.0.0", "10.1.2.3", "10.255.255.255", "192.168.1.128", "192.168.1.255", "203.0.113.7", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff",
	"198.51.100.9", "::ffff:10.9.9.9", "fe80::1", "febf::1"};
	static const char *const out[] = {"9.255.255.255", "11.0.0.0", "192.168.1.127", "192.168.2.0", "203.0.113.6", "203.0.113.8", "2001:db8:8000::", "2001:db7:ffff::", "::10.1.2.3", "198.51.101.0", "fec0::", "::", "0.0.0.0",
	"255.255.255.255", "a00::"};
	FbNetwork	networks[8];
	FbAddress	address;
	uint32_t	count;
	bool		right = true;

	for (int i = 0; i < 8; i++)
		right = fb_parse_network(string_of(texts[i]), &networks[i]) == FB_NETWORK_GOOD && right;
	count = fb_sort_networks(networks, 8);
	ok(right && count == 6, "networks within others are dropped");
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		right = fb_parse_address(string_of(in[i]), &address) && fb_networks_have(networks, count, &address) && right;
	ok(right, "addresses within");
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (!fb_parse_address(string_of(out[i]), &address) || fb_networks_have(networks, count, &address))
		{
			printf("# %s\n", out[i]);
			right = false;
		}
	ok(right, "addresses outside");
	ok(!fb_networks_have(networks, 0, &address) && fb_sort_networks(networks, 0) == 0, "no networks");
	(void) fb_parse_network(string_of("::/0"), &networks[0]);
	ok(fb_parse_address(string_of("1.2.3.4"), &address) && !fb_networks_have(networks, 1, &address) &&
	   fb_parse_address(string_of("ffff::"), &address) && fb_networks_have(networks, 1, &address), "::/0 is all of IPv6 and nothing of IPv4");
}

/* Compares the search in sorted networks with trying one after the other. */
static void
test_search(void)
{
	static FbNetwork networks[10000];
	static FbNetwork sorted[10000];
	uint32_t	state = 1;
	uint32_t	count;
	bool		right = true;
	int			hits = 0;

	for (int i = 0; i < 10000; i++)
	{
		char		text[32];
		int			prefix;

		state = state * 1664525 + 1013904223;
		prefix = 16 + (int) (state >> 28);
		snprintf(text, sizeof(text), "%u.%u.%u.%u/%d", state >> 8 & 31, state >> 16 & 255, prefix > 16 ? state >> 12 & 255 & (0xFF00 >> (prefix < 24 ? prefix - 16 : 8)) : 0,
				 prefix > 24 ? state >> 20 & 255 & (0xFF00 >> (prefix - 24)) : 0, prefix);
		if (fb_parse_network(string_of(text), &networks[i]) != FB_NETWORK_GOOD)
			right = false;
	}
	ok(right, "10,000 networks are read");
	memcpy(sorted, networks, sizeof(sorted));
	count = fb_sort_networks(sorted, 10000);
	for (int i = 0; i < 2000; i++)
	{
		char		text[32];
		FbAddress	address;
		bool		found = false;

		state = state * 1664525 + 1013904223;
		snprintf(text, sizeof(text), "%u.%u.%u.%u", state >> 8 & 31, state >> 16 & 255, state >> 12 & 255, state >> 20 & 255);
		(void) fb_parse_address(string_of(text), &address);
		for (int j = 0; j < 10000 && !found; j++)
			found = fb_networks_have(&networks[j], 1, &address);
		right = right && found == fb_networks_have(sorted, count, &address);
		hits += found;
	}
	ok(right && hits > 100 && hits < 1900, "the search finds what trying one after the other finds");
}

int
main(void)
{
	test_addresses();
	test_networks();
	test_membership();
	test_search();
	printf("1..%d\n", tests);
	return failures > 0;
}
