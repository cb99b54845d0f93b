/*
 * fb_semver.h
 *		Versions after Semantic Versioning 2.0.0, and ranges of them.
 */
#ifndef FB_SEMVER_H
#define FB_SEMVER_H

#include "core/fb_evaluate.h"

/*
 * A version; the strings point into the text that was read.  Numbers stay
 * decimal, however long they are.
 */
typedef struct FbVersion
{
	FbString	numbers[3];		/* major, minor, patch */
	FbString	prerelease;		/* length 0: none */
} FbVersion;

/*
 * One end of a range.  It compares the first parts numbers of a version,
 * with four parts the pre-release, too: 1.2 as a bound of two parts stands
 * for all versions that begin with 1.2.
 */
typedef struct FbVersionBound
{
	FbVersion	version;
	uint8_t		parts;
	bool		upper;
	bool		inclusive;
	bool		last;			/* of its alternative */
} FbVersionBound;

typedef enum FbRangeFault
{
	FB_RANGE_GOOD,
	FB_RANGE_SYNTAX,
	FB_RANGE_TOO_LONG,			/* more bounds than there is room for */
	FB_RANGE_EMPTY				/* an alternative that no version meets */
} FbRangeFault;

extern bool fb_parse_version(FbString text, FbVersion *version);
extern int	fb_compare_versions(const FbVersion *a, const FbVersion *b);
extern FbRangeFault fb_parse_version_range(FbString text, FbVersionBound *bounds, uint32_t room, uint32_t *count);
extern bool fb_version_in_range(const FbVersion *version, const FbVersionBound *bounds, uint32_t count);

#endif							/* FB_SEMVER_H */
