/*
 * simulate.h
 *		What the simulations share: random numbers of a fixed sequence, and the
 *		table of results.
 */
#ifndef SIMULATE_H
#define SIMULATE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/fb_effect.h"

#define ANY NAN					/* no target */

extern double uniform(void);
extern double normal(void);
extern int	binomial(int n, double p);
extern int	poisson(double mean);
extern void reseed(uint64_t seed);

extern void section(const char *title, const char *explanation);
extern void report(const char *what, double hits, double trials, double low, double high);
extern void report_number(const char *what, double value, double error, double low, double high);

extern void set_options(FbEffectOptions *options, FbScale scale, FbTest test, FbInterval interval, FbAdjustment adjustment);
extern void proportion(FbStatsBuffer *buffer, int n, double p);
extern void compare(const FbStatsBuffer *c, const FbStatsBuffer *t, const FbEffectOptions *options, FbEffect *result);

extern void false_alarms(double replications);
extern void ranked_false_alarms(double replications);
extern void coverage(double replications);
extern void peeking(double replications);
extern void families(double replications);
extern void resampling(double replications);
extern void metrics(double replications);

#endif							/* SIMULATE_H */
