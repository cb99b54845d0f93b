/*
 * fb_normal.c
 *		The standard normal distribution: tails exact to the last digits also
 *		where they are small, logarithms beyond underflow, quantiles.
 */
#include <math.h>

#include "core/fb_normal.h"

#define INV_SQRT_2PI 0.39894228040143267794
#define LOG_SQRT_2PI 0.91893853320467274178
#define TWO_OVER_SQRT_PI 1.12837916709551257390
#define SQRT_HALF 0.70710678118654752440	/* 1/sqrt(2), rounded */
#define SQRT_HALF_REST (-4.8336466567264565e-17)	/* 1/sqrt(2) minus the above */

/* Returns the standard normal density at z. */
double
fb_norm_pdf(double z)
{
	return INV_SQRT_2PI * exp(-0.5 * z * z);
}

/*
 * Returns P(Z > z) = erfc(z / sqrt 2) / 2. The argument of erfc is rounded,
 * which alone costs 1.5e-13 at z = 34; the first-order term of the rounding
 * error, known exactly by fma, restores it.
 */
double
fb_norm_sf(double z)
{
	double		x,
				rest;

	if (isinf(z))
		return z > 0 ? 0.0 : 1.0;
	x = z * SQRT_HALF;
	rest = fma(z, SQRT_HALF, -x) + z * SQRT_HALF_REST;
	return 0.5 * (erfc(x) - rest * TWO_OVER_SQRT_PI * exp(-x * x));
}

/* Returns P(Z <= z). */
double
fb_norm_cdf(double z)
{
	return fb_norm_sf(-z);
}

/*
 * Returns the natural logarithm of P(Z > z). Far out it is that of the
 * density times Mills' ratio, by Laplace's continued fraction
 * 1/(z + 1/(z + 2/(z + 3/(z + ...)))).
 */
double
fb_norm_log_sf(double z)
{
	double		fraction;

	if (isinf(z))
		return z > 0 ? -HUGE_VAL : 0.0;
	if (z < 0.0)
		return log1p(-fb_norm_sf(-z));
	if (z < 12.0)
		return log(fb_norm_sf(z));
	fraction = z;
	for (int k = 40; k > 0; k--)
		fraction = z + k / fraction;
	return -0.5 * z * z - LOG_SQRT_2PI - log(fraction);
}

/*
 * Returns the z with P(Z <= z) = p, 0 < p < 1: algorithm AS 241, PPND16
 * (Wichura 1988), rational approximations with a relative error of 1e-16.
 */
double
fb_norm_quantile(double p)
{
	static const double centre_num[8] = {
		3.3871328727963666080e+0, 1.3314166789178437745e+2,
		1.9715909503065514427e+3, 1.3731693765509461125e+4,
		4.5921953931549871457e+4, 6.7265770927008700853e+4,
		3.3430575583588128105e+4, 2.5090809287301226727e+3
	};
	static const double centre_den[8] = {
		1.0, 4.2313330701600911252e+1,
		6.8718700749205790830e+2, 5.3941960214247511077e+3,
		2.1213794301586595867e+4, 3.9307895800092710610e+4,
		2.8729085735721942674e+4, 5.2264952788528545610e+3
	};
	static const double near_num[8] = {
		1.42343711074968357734e+0, 4.63033784615654529590e+0,
		5.76949722146069140550e+0, 3.64784832476320460504e+0,
		1.27045825245236838258e+0, 2.41780725177450611770e-1,
		2.27238449892691845833e-2, 7.74545014278341407640e-4
	};
	static const double near_den[8] = {
		1.0, 2.05319162663775882187e+0,
		1.67638483018380384940e+0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2,
		5.47593808499534494600e-4, 1.05075007164441684324e-9
	};
	static const double far_num[8] = {
		6.65790464350110377720e+0, 5.46378491116411436990e+0,
		1.78482653991729133580e+0, 2.96560571828504891230e-1,
		2.65321895265761230930e-2, 1.24266094738807843860e-3,
		2.71155556874348757815e-5, 2.01033439929228813265e-7
	};
	static const double far_den[8] = {
		1.0, 5.99832206555887937690e-1,
		1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5,
		1.42151175831644588870e-7, 2.04426310338993978564e-15
	};
	const double *num,
			   *den;
	double		q = p - 0.5;
	double		r,
				top,
				bottom;

	if (fabs(q) <= 0.425)
	{
		r = 0.180625 - q * q;
		num = centre_num;
		den = centre_den;
	}
	else
	{
		r = sqrt(-log(q < 0.0 ? p : 1.0 - p));
		if (r <= 5.0)
		{
			r -= 1.6;
			num = near_num;
			den = near_den;
		}
		else
		{
			r -= 5.0;
			num = far_num;
			den = far_den;
		}
	}
	top = num[7];
	bottom = den[7];
	for (int i = 6; i >= 0; i--)
	{
		top = top * r + num[i];
		bottom = bottom * r + den[i];
	}
	if (num == centre_num)
		return q * top / bottom;
	return q < 0.0 ? -top / bottom : top / bottom;
}
