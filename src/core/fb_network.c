/*
 * fb_network.c
 *		Reads addresses and networks, and searches sorted networks.
 *
 * IPv4 is four decimal numbers without leading zeros; IPv6 is as in RFC 4291,
 * without zone.  An IPv6 address that maps an IPv4 one (::ffff:0:0/96) is that
 * IPv4 address, so that it does not matter how a proxy writes it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/fb_network.h"

/* Reads four decimal numbers with dots between them, and nothing else. */
static bool
read_ipv4(const char *at, const char *end, uint8_t *bytes)
{
	int			i;

	for (i = 0; i < 4; i++)
	{
		const char *start;
		int			number = 0;

		if (i > 0 && (at == end || *at++ != '.'))
			return false;
		for (start = at; at < end && *at >= '0' && *at <= '9' && at - start < 3; at++)
			number = number * 10 + (*at - '0');
		if (at == start || number > 255 || (*start == '0' && at - start > 1))
			return false;
		bytes[i] = (uint8_t) number;
	}
	return at == end;
}

/* Returns the value of a hexadecimal digit, or -1. */
static int
hexadecimal(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads one to four hexadecimal digits; false leaves the place as it was. */
static bool
read_group(const char **at, const char *end, uint8_t *bytes)
{
	const char *next = *at;
	int			number = 0;

	while (next < end && next - *at < 4 && hexadecimal(*next) >= 0)
		number = number * 16 + hexadecimal(*next++);
	if (next == *at || (next < end && *next != ':'))
		return false;
	bytes[0] = (uint8_t) (number >> 8);
	bytes[1] = (uint8_t) number;
	*at = next;
	return true;
}

/* Reads groups with colons between them, :: for one or more groups of zeros, and IPv4 as the last two groups. */
static bool
read_ipv6(const char *at, const char *end, uint8_t *bytes)
{
	int			used = 0;		/* bytes read */
	int			gap = -1;		/* where :: stands */

	if (end - at >= 2 && at[0] == ':' && at[1] == ':')
	{
		gap = 0;
		at += 2;
	}
	while (at < end)
	{
		if (used <= 14 && read_group(&at, end, bytes + used))
			used += 2;
		else if (used <= 12 && read_ipv4(at, end, bytes + used))
		{
			used += 4;
			break;
		}
		else
			return false;
		if (at == end)
			break;
		at++;					/* the colon after a group */
		if (at < end && *at == ':')
		{
			if (gap >= 0)
				return false;
			gap = used;
			at++;
		}
		else if (at == end)
			return false;
	}
	if (gap < 0)
		return used == 16;
	if (used > 14)
		return false;
	memmove(bytes + 16 - (used - gap), bytes + gap, (size_t) (used - gap));
	memset(bytes + gap, 0, (size_t) (16 - used));
	return true;
}

/* Tells whether bytes are of an IPv6 address that maps an IPv4 one. */
static bool
is_mapped(const uint8_t *bytes)
{
	static const uint8_t prefix[12] = {[10] = 0xFF, [11] = 0xFF};

	return memcmp(bytes, prefix, sizeof(prefix)) == 0;
}

/* Turns a mapped address into the one that it maps. */
static void
unmap(FbAddress *address)
{
	address->family = 4;
	memmove(address->bytes, address->bytes + 12, 4);
	memset(address->bytes + 4, 0, 12);
}

/* Reads an address as it is written. */
static bool
read_address(FbString text, FbAddress *address)
{
	const char *end = text.data + text.length;

	memset(address, 0, sizeof(*address));
	if (text.length == 0 || text.length > 45)
		return false;
	address->family = memchr(text.data, ':', text.length) != NULL ? 6 : 4;
	if (address->family == 6)
		return read_ipv6(text.data, end, address->bytes);
	return read_ipv4(text.data, end, address->bytes);
}

/* Reads an address; one that is mapped becomes IPv4. */
bool
fb_parse_address(FbString text, FbAddress *address)
{
	if (!read_address(text, address))
		return false;
	if (address->family == 6 && is_mapped(address->bytes))
		unmap(address);
	return true;
}

/* Clears the bits after a prefix; tells whether one was set. */
static bool
clear_host_bits(uint8_t *bytes, int prefix)
{
	bool		was_set = false;
	int			i;

	for (i = prefix / 8; i < 16; i++)
	{
		uint8_t		keep = i > prefix / 8 ? 0 : (uint8_t) (0xFF00 >> prefix % 8);

		was_set = was_set || (bytes[i] & ~keep) != 0;
		bytes[i] &= keep;
	}
	return was_set;
}

/* Reads ADDRESS/PREFIX, or an address alone. */
FbNetworkFault
fb_parse_network(FbString text, FbNetwork *network)
{
	const char *slash = text.length > 0 ? memchr(text.data, '/', text.length) : NULL;
	FbString	address = text;
	int			bits;
	int			prefix = 0;

	if (slash != NULL)
		address.length = (uint32_t) (slash - text.data);
	if (!read_address(address, &network->address))
		return FB_NETWORK_ADDRESS;
	bits = network->address.family == 4 ? 32 : 128;
	if (slash == NULL)
		prefix = bits;
	else
	{
		const char *digit = slash + 1;
		const char *end = text.data + text.length;

		if (digit == end || end - digit > 3 || (*digit == '0' && end - digit > 1))
			return FB_NETWORK_PREFIX;
		for (; digit < end; digit++)
		{
			if (*digit < '0' || *digit > '9')
				return FB_NETWORK_PREFIX;
			prefix = prefix * 10 + (*digit - '0');
		}
		if (prefix > bits)
			return FB_NETWORK_PREFIX;
	}
	if (clear_host_bits(network->address.bytes, prefix))
		return FB_NETWORK_HOST_BITS;
	if (network->address.family == 6 && prefix >= 96 && is_mapped(network->address.bytes))
	{
		unmap(&network->address);
		prefix -= 96;
	}
	network->prefix = (uint8_t) prefix;
	return FB_NETWORK_GOOD;
}

/* Tells whether an address belongs to a network. */
static bool
contains(const FbNetwork *network, const FbAddress *address)
{
	int			whole = network->prefix / 8;
	int			rest = network->prefix % 8;

	if (network->address.family != address->family || memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & (0xFF00 >> rest & 0xFF)) == 0;
}

/* Orders networks by address, the wider one first. */
static int
compare_networks(const void *a, const void *b)
{
	const FbNetwork *left = a;
	const FbNetwork *right = b;
	int			order = memcmp(&left->address, &right->address, sizeof(FbAddress));

	return order != 0 ? order : left->prefix - right->prefix;
}

/* Sorts networks and drops those within another; returns how many are left. */
uint32_t
fb_sort_networks(FbNetwork *networks, uint32_t count)
{
	uint32_t	kept = 0;
	uint32_t	i;

	if (count == 0)
		return 0;
	qsort(networks, count, sizeof(FbNetwork), compare_networks);
	for (i = 1; i < count; i++)
		if (!contains(&networks[kept], &networks[i].address))
			networks[++kept] = networks[i];
	return kept + 1;
}

/* Tells whether an address belongs to any of sorted networks, none of which contains another. */
bool
fb_networks_have(const FbNetwork *networks, uint32_t count, const FbAddress *address)
{
	uint32_t	low = 0;
	uint32_t	high = count;

	/* Only the last network that begins at or before the address can hold it. */
	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (memcmp(&networks[middle].address, address, sizeof(FbAddress)) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && contains(&networks[low - 1], address);
}
