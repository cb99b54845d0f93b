/*
 * unit_plan.c
 *		Reading what unit_agg is to compute: a jsonb array of metrics.
 */
#include "postgres.h"

#include <math.h>

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "fb_suggest.h"
#include "metrics/unit_outcomes.h"
#include "pg_compat.h"

static const char *const members[] = {
	"aggregate", "event", "value", "denominator", "from", "window", "lookback", "cap", "cap_quantile", NULL
};

/* Raises the error for a metric that cannot be computed. */
static void
plan_error(int metric, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid metrics"),
			 metric >= 0 ? errdetail("metrics[%d]: %s", metric, detail) : errdetail("%s", detail),
			 hint ? errhint("%s", hint) : 0));
}

/* Returns a string as C has them. */
static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Refuses a member that no metric has. */
static void
unknown_member(int metric, const char *name)
{
	FbSuggestion suggestion;

	fb_suggest_start(&suggestion, name);
	for (int i = 0; members[i]; i++)
		fb_suggest_offer(&suggestion, members[i]);
	plan_error(metric, psprintf("\"%s\" is unknown.", name),
			   fb_suggest_hint(&suggestion, "A metric has aggregate, event, value, denominator, from, window, lookback, cap and cap_quantile."));
}

/* Reads the aggregation per unit. */
static int
read_aggregate(int metric, const JsonbValue *value)
{
	FbSuggestion suggestion;
	char	   *name;
	int			id;

	if (value->type != jbvString)
		plan_error(metric, "\"aggregate\" must be a string.", NULL);
	id = fb_per_unit_from_name(value->val.string.val, value->val.string.len);
	if (id != 0)
		return id;
	name = string_of(value);
	fb_suggest_start(&suggestion, name);
	for (int i = 1; fb_per_unit_name(i); i++)
		fb_suggest_offer(&suggestion, fb_per_unit_name(i));
	plan_error(metric, psprintf("\"%s\" is no aggregation per unit.", name),
			   fb_suggest_hint(&suggestion, "There are sum, count, conversion, mean, min, max, last, ratio and time."));
	return 0;
}

/* Reads a number. */
static double
read_number(int metric, const char *name, const JsonbValue *value)
{
	if (value->type != jbvNumeric)
		plan_error(metric, psprintf("\"%s\" must be a number.", name), NULL);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
}

/* Reads which of the values a metric uses. */
static uint8
read_place(int metric, const char *name, const JsonbValue *value, uint32 values)
{
	double		place = read_number(metric, name, value);

	if (!(place >= 1 && place <= values && place == floor(place)))
		plan_error(metric, psprintf("\"%s\" must be a whole number between 1 and %u, the number of values.", name, values), NULL);
	return (uint8) (place - 1);
}

/*
 * Reads a length of time in microseconds. A day is 24 hours, whatever the time
 * zone of the session; months have no length.
 */
static int64
read_interval(int metric, const char *name, const JsonbValue *value)
{
	Interval   *interval;
	int64		length;

	if (value->type != jbvString)
		plan_error(metric, psprintf("\"%s\" must be a string with an interval, such as \"14 days\".", name), NULL);
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(string_of(value)),
													 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	if (interval->month != 0)
		plan_error(metric, psprintf("\"%s\" has months or years, whose length differs.", name), "Give days; a day is 24 hours.");
	if (pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &length) ||
		pg_add_s64_overflow(length, interval->time, &length) ||
		length > FB_MAX_WINDOW || length < -FB_MAX_WINDOW)
		plan_error(metric, psprintf("\"%s\" is too long.", name), NULL);
	return length;
}

/* Returns the number of the name of an event, which is added to the plan if it is new. */
static uint8
event_number(FbUnitPlan *plan, const JsonbValue *name)
{
	FbOutcomes *o = &plan->outcomes;
	uint8		number = fb_outcomes_event(o, name->val.string.val, name->val.string.len);

	if (number == 0)
	{
		o->name[o->names] = string_of(name);
		o->name_length[o->names] = name->val.string.len;
		number = ++o->names;
	}
	return number;
}

/* Reads one metric. */
static void
read_metric(int number, JsonbContainer *object, uint32 values, bool has_event, FbUnitPlan *plan)
{
	FbOutcomeMetric *metric = &plan->metric[number];
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;
	int64		window = 0;
	bool		has_window = false;
	bool		has_denominator = false;

	memset(metric, 0, sizeof(*metric));
	metric->per_unit = FB_PER_UNIT_SUM;
	metric->cap = metric->cap_quantile = fb_double_of(FB_VALUE_NONE);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = string_of(&key);
		(void) JsonbIteratorNext(&iterator, &value, true);
		if (strcmp(name, "aggregate") == 0)
			metric->per_unit = read_aggregate(number, &value);
		else if (strcmp(name, "event") == 0)
		{
			if (!has_event)
				plan_error(number, "\"event\" needs the names of events.", "Give unit_agg the name of each event after its time, or filter events where they are read.");
			if (value.type != jbvString)
				plan_error(number, "\"event\" must be a string.", NULL);
			metric->event = event_number(plan, &value);
		}
		else if (strcmp(name, "value") == 0)
			metric->value = read_place(number, name, &value, values);
		else if (strcmp(name, "denominator") == 0)
		{
			metric->denominator = read_place(number, name, &value, values);
			has_denominator = true;
		}
		else if (strcmp(name, "from") == 0)
			metric->from = read_interval(number, name, &value);
		else if (strcmp(name, "window") == 0)
		{
			window = read_interval(number, name, &value);
			has_window = true;
		}
		else if (strcmp(name, "lookback") == 0)
		{
			metric->lookback = read_interval(number, name, &value);
			if (metric->lookback <= 0)
				plan_error(number, "\"lookback\" must be longer than zero.", NULL);
		}
		else if (strcmp(name, "cap") == 0)
			metric->cap = read_number(number, name, &value);
		else if (strcmp(name, "cap_quantile") == 0)
			metric->cap_quantile = read_number(number, name, &value);
		else
			unknown_member(number, name);
	}
	metric->until = FB_NO_END;
	if (has_window && window <= 0)
		plan_error(number, "\"window\" must be longer than zero.", NULL);
	if (has_window)
		metric->until = metric->from + window;
	if (metric->per_unit == FB_PER_UNIT_RATIO && !has_denominator)
		plan_error(number, "A ratio needs \"denominator\".", "Name the value whose sum divides that of \"value\"; 1::float8 counts events.");
	if (metric->per_unit != FB_PER_UNIT_RATIO && has_denominator)
		plan_error(number, "Only a ratio has \"denominator\".", NULL);
}

/* Reads metrics over so many values; NULL is the sum of each. has_event: events have names. */
void
fb_unit_plan(Jsonb *metrics, uint32 values, bool has_event, FbUnitPlan *plan)
{
	FbOutcomes *o = &plan->outcomes;
	const char *detail;

	if (values < 1 || values > FB_MAX_VALUES)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("values must have 1 to %d elements, not %u", FB_MAX_VALUES, values)));
	memset(plan, 0, sizeof(*plan));
	o->metric = plan->metric;
	o->values = values;
	if (metrics == NULL)
	{
		o->metrics = values;
		for (uint32 i = 0; i < values; i++)
		{
			plan->metric[i].per_unit = FB_PER_UNIT_SUM;
			plan->metric[i].value = i;
			plan->metric[i].until = FB_NO_END;
			plan->metric[i].cap = plan->metric[i].cap_quantile = fb_double_of(FB_VALUE_NONE);
		}
	}
	else
	{
		if (!JB_ROOT_IS_ARRAY(metrics) || JB_ROOT_IS_SCALAR(metrics) || JB_ROOT_COUNT(metrics) < 1 || JB_ROOT_COUNT(metrics) > FB_MAX_METRICS)
			plan_error(-1, psprintf("It must be an array of 1 to %d metrics.", FB_MAX_METRICS),
					   "For example [{\"aggregate\": \"sum\", \"window\": \"14 days\"}].");
		o->metrics = JB_ROOT_COUNT(metrics);
		for (uint32 i = 0; i < o->metrics; i++)
		{
			JsonbValue *element = getIthJsonbValueFromContainer(&metrics->root, i);

			if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
				plan_error(i, "A metric must be an object.", NULL);
			read_metric(i, element->val.binary.data, values, has_event, plan);
		}
	}
	detail = fb_outcomes_plan(plan->metric, o->metrics, values, o->names, &o->width);
	if (detail)
		plan_error(-1, detail, NULL);
}
