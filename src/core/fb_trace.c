/*
 * fb_trace.c
 *		The evaluator once more, compiled to note each step.
 *
 * There is one source: this is fb_evaluate.c with the notes that it has in
 * every place, which would cost unwatched evaluations some percent.
 */
#define FB_TRACED
#include "core/fb_evaluate.c"
