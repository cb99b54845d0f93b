/*
 * usage.c
 *		Finds what refers to a flag or segment before it goes away.
 */
#include "postgres.h"

#include "flags/usage.h"
#include "pg_compat.h"

/* The flag or segment that is about to go away, and what looks for it. */
typedef struct Usage
{
	bool		segment;
	const char *key;
	Jsonb	   *variations;		/* when given, only uses of a variation that is not in here count */
	const char *name;			/* member of a variation that names it */
	const char *user_kind;
} Usage;

/* Returns the member of the i-th variation, or NULL. */
static JsonbValue *
variation_member(Jsonb *variations, uint32 i, const char *name)
{
	JsonbValue *element = getIthJsonbValueFromContainer(&variations->root, i);

	if (element == NULL || element->type != jbvBinary ||
		!JsonContainerIsObject(element->val.binary.data))
		return NULL;
	return getKeyJsonValueFromContainer(element->val.binary.data, name, strlen(name), NULL);
}

/* Tells whether an array of variations has one with this key, which is the member name. */
static bool
has_variation(Jsonb *variations, const char *name, const char *key)
{
	uint32		n = JB_ROOT_IS_ARRAY(variations) ? JB_ROOT_COUNT(variations) : 0;

	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *value = variation_member(variations, i, name);

		if (value != NULL && value->type == jbvString &&
			value->val.string.len == (int) strlen(key) &&
			memcmp(value->val.string.val, key, value->val.string.len) == 0)
			return true;
	}
	return false;
}

/* Raises when one of the references is to what goes away. */
static void
refuse_references(Usage *usage, List *references, const char *user_key)
{
	ListCell   *lc;

	foreach(lc, references)
	{
		FbReference *reference = (FbReference *) lfirst(lc);
		ListCell   *lv;

		if (reference->lenient || reference->to_segment != usage->segment || strcmp(reference->key, usage->key) != 0)
			continue;
		if (usage->variations == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("%s \"%s\" is in use", usage->segment ? "segment" : "flag", usage->key),
					 errdetail("It is used by %s \"%s\" at %s.", usage->user_kind, user_key, reference->path),
					 errhint("Change \"%s\" first.", user_key)));
		foreach(lv, reference->variations)
		{
			char	   *variation = (char *) lfirst(lv);

			if (!has_variation(usage->variations, usage->name, variation))
				ereport(ERROR,
						(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
						 errmsg("variation \"%s\" of flag \"%s\" is in use", variation, usage->key),
						 errdetail("It is used by %s \"%s\" at %s.", usage->user_kind, user_key, reference->path),
						 errhint("Change \"%s\" first.", user_key)));
		}
	}
}

/* FbVisitFlag: raises when the flag refers to what goes away. */
static void
visit_flag(void *arg, const FbFlagRow *row)
{
	Usage	   *usage = (Usage *) arg;

	if (usage->segment || strcmp(row->key, usage->key) != 0)
		refuse_references(usage, fb_flag_references(row), row->key);
}

/* FbVisitSegment: raises when the segment refers to what goes away. */
static void
visit_segment(void *arg, const FbSegmentRow *row)
{
	Usage	   *usage = (Usage *) arg;

	if (!usage->segment || strcmp(row->key, usage->key) != 0)
		refuse_references(usage, fb_segment_references(row), row->key);
}

/* Returns the member that names a variation. */
static const char *
variation_name(const FbFlagRow *row)
{
	return fb_is_featbit(row->semantics) ? "id" : "key";
}

/* Tells whether the new version still has every variation of the old one. */
static bool
keeps_variations(const FbFlagRow *old, const FbFlagRow *new)
{
	uint32		n = JB_ROOT_IS_ARRAY(old->variations) ? JB_ROOT_COUNT(old->variations) : 0;

	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *key = variation_member(old->variations, i, variation_name(old));

		if (key != NULL && key->type == jbvString &&
			!has_variation(new->variations, variation_name(new), pnstrdup(key->val.string.val, key->val.string.len)))
			return false;
	}
	return true;
}

/*
 * Raises when another flag refers to one that is deleted or archived (new is NULL), or to one
 * of its variations that the new version no longer has.
 */
void
fb_refuse_used_flag(FbCatalog *catalog, const FbFlagRow *old, const FbFlagRow *new)
{
	Usage		usage = {false, old->key, new ? new->variations : NULL, new ? variation_name(new) : NULL, "flag"};

	if (new == NULL || !keeps_variations(old, new))
		fb_catalog_each_flag_naming(catalog, usage.key, visit_flag, &usage);
}

/* Raises when a flag or another segment refers to a segment that is deleted or archived. */
void
fb_refuse_used_segment(FbCatalog *catalog, const char *key)
{
	Usage		usage = {true, key, NULL, NULL, "flag"};

	fb_catalog_each_flag_naming(catalog, usage.key, visit_flag, &usage);
	usage.user_kind = "segment";
	fb_catalog_each_segment_naming(catalog, usage.key, visit_segment, &usage);
}

/* FbVisitFlag: counts a row. */
static void
count_flag(void *arg, const FbFlagRow *row)
{
	(*(int *) arg)++;
}

/* FbVisitSegment: counts a row. */
static void
count_segment(void *arg, const FbSegmentRow *row)
{
	(*(int *) arg)++;
}

/* Counts the flags and segments of the environment. */
int
fb_count_rows(FbCatalog *catalog)
{
	int			count = 0;

	fb_catalog_each_flag(catalog, count_flag, &count);
	fb_catalog_each_segment(catalog, count_segment, &count);
	return count;
}

/* Returns the flag type that all variation values have, json when they differ or there is none. */
const char *
fb_infer_type(Jsonb *variations)
{
	const char *type = NULL;
	uint32		n = JB_ROOT_IS_ARRAY(variations) ? JB_ROOT_COUNT(variations) : 0;

	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *value = variation_member(variations, i, "value");
		const char *own;

		if (value == NULL)
			continue;
		own = value->type == jbvBool ? "boolean" : value->type == jbvString ? "string" :
			value->type == jbvNumeric ? "number" : "json";
		if (type != NULL && strcmp(type, own) != 0)
			return "json";
		type = own;
	}
	return type ? type : "json";
}

/* Returns {"variation": key of the first variation}, or NULL when there is none. */
Jsonb *
fb_serve_first(Jsonb *variations)
{
	JsonbParseState *state = NULL;
	JsonbValue *key;
	JsonbValue	name;

	if (!JB_ROOT_IS_ARRAY(variations) || JB_ROOT_COUNT(variations) == 0)
		return NULL;
	key = variation_member(variations, 0, "key");
	if (key == NULL || key->type != jbvString)
		return NULL;
	name.type = jbvString;
	name.val.string.val = "variation";
	name.val.string.len = strlen("variation");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(&state, WJB_KEY, &name);
	pushJsonbValue(&state, WJB_VALUE, key);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
