/*
 * operand_formats.c
 *		Reads operands that are text of a format: timestamps, versions, networks.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/inet.h"

#include "flags/definition.h"

#define MAX_RANGE_BOUNDS	64	/* of one version range */

static const char moment_hint[] =
	"Write it like \"2026-05-01T09:00:00Z\" (without an offset it is UTC), "
	"or relative to the time of the evaluation like \"-7d\" or \"+2h\" (units are s, m, h, d and w).";
static const char version_hint[] =
	"Write it like \"1.2.3\" or \"1.2.3-beta.1\" (semver.org, 2.0.0); "
	"a leading v is ignored, a missing minor or patch number is 0.";
static const char range_hint[] =
	"Write it like \"^1.2.3\", \"~1.2\", \"1.x\", "
	"\">=1.0.0 <2.0.0\" or \"1.2.3 - 1.4\", with \"||\" between alternatives.";
static const char network_hint[] =
	"Write it like \"10.1.0.0/16\", \"2001:db8::/32\" or, for one address, "
	"\"192.0.2.7\"; host names are not looked up.";

/* Reads a timestamp, or a time relative to that of the evaluation. */
bool
fb_read_moment(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbMoment *moment)
{
	FbString	text;

	if (!fb_read_string(reader, place, value, &text))
		return false;
	if (!fb_parse_moment(text, moment))
		return fb_defect(reader, ERRCODE_INVALID_DATETIME_FORMAT, moment_hint, "invalid timestamp %s in %s",
						 fb_json_text(value), fb_place_text(place));
	reader->uses_time = reader->uses_time || moment->relative;
	return true;
}

/* Reads a version. */
bool
fb_read_version(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbVersion *version)
{
	FbString	text;

	if (!fb_read_string(reader, place, value, &text))
		return false;
	text = fb_arena_string(reader->arena, text);
	if (!fb_parse_version(text, version))
		return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, version_hint, "invalid version %s in %s",
						 fb_json_text(value), fb_place_text(place));
	return true;
}

/* Reports what is wrong with a version range. */
static bool
bad_range(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbRangeFault fault)
{
	switch (fault)
	{
		case FB_RANGE_EMPTY:
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, NULL,
							 "no version can be in the range %s in %s", fb_json_text(value), fb_place_text(place));
		case FB_RANGE_TOO_LONG:
			return fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
							 "Write an array of ranges; a version has to be in any of them.",
							 "version range in %s has more than %d bounds", fb_place_text(place), MAX_RANGE_BOUNDS);
		default:
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, range_hint, "invalid version range %s in %s",
							 fb_json_text(value), fb_place_text(place));
	}
}

/* Reads version ranges, of which any may be met. */
bool
fb_read_version_range(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbOperand *operand)
{
	FbTexts		texts;
	JsonbValue	item;
	FbString	text;
	FbVersionBound *bounds;
	uint32		room = MAX_RANGE_BOUNDS;
	uint32		total = 0;

	if (!fb_open_texts(reader, place, value, &texts))
		return false;
	if (texts.count > FB_SHORT_LIST)
		return fb_defect(reader, ERRCODE_PROGRAM_LIMIT_EXCEEDED, NULL, "%s has %d elements, at most %d are allowed",
						 fb_place_text(place), texts.count, FB_SHORT_LIST);
	bounds = palloc(sizeof(FbVersionBound) * room);
	while (fb_next_text(reader, &texts, &item, &text))
	{
		FbRangeFault fault;
		uint32		count;

		if (room - total < MAX_RANGE_BOUNDS)
		{
			room *= 2;
			bounds = repalloc_huge(bounds, sizeof(FbVersionBound) * room);
		}
		text = fb_arena_string(reader->arena, text);
		fault = fb_parse_version_range(text, bounds + total, MAX_RANGE_BOUNDS, &count);
		if (fault != FB_RANGE_GOOD)
			return bad_range(reader, &texts.place, &item, fault);
		total += count;
	}
	operand->version_bounds = fb_arena_alloc(reader->arena, sizeof(FbVersionBound) * total);
	memcpy((void *) operand->version_bounds, bounds, sizeof(FbVersionBound) * total);
	operand->version_bound_count = total;
	pfree(bounds);
	return !texts.broken;
}

/* Suggests the network that a text with bits after the prefix may mean. */
static char *
suggest_network(FbReader *reader, FbString text)
{
	Datum		inet;

	if (!reader->strict)
		return NULL;
	inet = DirectFunctionCall1(network_network, DirectFunctionCall1(inet_in, CStringGetDatum(fb_cstring(text))));
	return psprintf("Write the network as \"%s\", or an address without a prefix.",
					DatumGetCString(DirectFunctionCall1(inet_out, inet)));
}

/* Reports what is wrong with a network. */
static bool
bad_network(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbString text, FbNetworkFault fault)
{
	switch (fault)
	{
		case FB_NETWORK_PREFIX:
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE,
							 "A prefix is a number of bits, up to 32 for IPv4 and 128 for IPv6.",
							 "invalid prefix of network %s in %s", fb_json_text(value), fb_place_text(place));
		case FB_NETWORK_HOST_BITS:
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, suggest_network(reader, text),
							 "network %s in %s has bits set to the right of its prefix", fb_json_text(value),
							 fb_place_text(place));
		default:
			return fb_defect(reader, ERRCODE_INVALID_PARAMETER_VALUE, network_hint,
							 "invalid IP address or network %s in %s", fb_json_text(value), fb_place_text(place));
	}
}

/* Reads networks. */
bool
fb_read_networks(FbReader *reader, const FbPlace *place, const JsonbValue *value, FbOperand *operand)
{
	FbTexts		texts;
	JsonbValue	item;
	FbString	text;
	FbNetwork  *networks;
	uint32		count = 0;

	if (!fb_open_texts(reader, place, value, &texts))
		return false;
	networks = fb_arena_alloc(reader->arena, sizeof(FbNetwork) * (texts.count + 1));
	while (fb_next_text(reader, &texts, &item, &text))
	{
		FbNetworkFault fault = fb_parse_network(text, &networks[count++]);

		if (fault != FB_NETWORK_GOOD)
			return bad_network(reader, &texts.place, &item, text, fault);
	}
	operand->network_count = fb_sort_networks(networks, count);
	operand->networks = networks;
	return !texts.broken;
}
