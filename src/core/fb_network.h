/*
 * fb_network.h
 *		IP addresses and networks.
 */
#ifndef FB_NETWORK_H
#define FB_NETWORK_H

#include "core/fb_evaluate.h"

/* An address; the 4 bytes of IPv4 are followed by zeros. */
typedef struct FbAddress
{
	uint8_t		family;			/* 4 or 6 */
	uint8_t		bytes[16];
} FbAddress;

typedef struct FbNetwork
{
	FbAddress	address;
	uint8_t		prefix;			/* bits of the address that count */
} FbNetwork;

typedef enum FbNetworkFault
{
	FB_NETWORK_GOOD,
	FB_NETWORK_ADDRESS,			/* not an IPv4 or IPv6 address */
	FB_NETWORK_PREFIX,			/* not a number, or too long for the family */
	FB_NETWORK_HOST_BITS		/* bits after the prefix are set */
} FbNetworkFault;

extern bool fb_parse_address(FbString text, FbAddress *address);
extern FbNetworkFault fb_parse_network(FbString text, FbNetwork *network);
extern uint32_t fb_sort_networks(FbNetwork *networks, uint32_t count);
extern bool fb_networks_have(const FbNetwork *networks, uint32_t count, const FbAddress *address);

#endif							/* FB_NETWORK_H */
