/*
 * fb_funnel.c
 *		How far a unit came in a funnel of ordered steps.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "core/fb_funnel.h"

/* Orders events by time, those of one moment by step. */
static int
compare_events(const void *left, const void *right)
{
	const FbFunnelEvent *a = left;
	const FbFunnelEvent *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return (a->step > b->step) - (a->step < b->step);
}

/* Tells whether an event is within the window that opened at some time. */
static bool
within(int64_t at, int64_t opened, int64_t window)
{
	int64_t		elapsed;

	if (window == FB_FUNNEL_NO_END)
		return true;
	return !__builtin_sub_overflow(at, opened, &elapsed) && elapsed < window;
}

/*
 * Returns the largest n such that steps 1 to n happened in that order, all of
 * them less than window after step 1. For each step it is enough to know the
 * latest step 1 from which it was reached: a window that opened later closes
 * later. Sorts the events.
 */
int
fb_funnel_depth(FbFunnelEvent *events, size_t count, int64_t window)
{
	int64_t		opened[FB_FUNNEL_MAX_STEP + 1] = {0};
	bool		reached[FB_FUNNEL_MAX_STEP + 1] = {false};
	int			depth = 0;

	qsort(events, count, sizeof(FbFunnelEvent), compare_events);
	for (size_t i = 0; i < count; i++)
	{
		int64_t		step = events[i].step;

		if (step == 1)
			opened[1] = events[i].at;
		else if (reached[step - 1] && within(events[i].at, opened[step - 1], window))
			opened[step] = opened[step - 1];
		else
			continue;
		reached[step] = true;
		if (step > depth)
			depth = (int) step;
	}
	return depth;
}
