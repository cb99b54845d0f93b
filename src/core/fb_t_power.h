/*
 * fb_t_power.h
 *		Power and size of Student's two-sided test of two arms.
 */
#ifndef FB_T_POWER_H
#define FB_T_POWER_H

extern double fb_t_power(double effect_size, double n_c, double ratio, double alpha);
extern double fb_t_size(double effect_size, double ratio, double alpha, double power);

#endif							/* FB_T_POWER_H */
