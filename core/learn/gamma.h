/* gamma.h - log-gamma and what likelihoods of counts need of it, in double.
 *
 * Fixed sequences of pointmath.h's operations (bit contract, rule 2). Absolute errors stay under 1e-14 of
 * max(1, |value|); differences are formed as such, so that a large x costs no digits.
 * SPDX-License-Identifier: MIT */
#ifndef RD_GAMMA_H
#define RD_GAMMA_H

double rdc_lgamma(double x); /* log Gamma(x), x > 0 */
/* log Gamma(x + d) - log Gamma(x) and psi(x + d) - psi(x), psi = (log Gamma)'; x > 0, d >= 0 */
double rdc_lgamma_rise(double x, double d);
double rdc_digamma_rise(double x, double d);
#endif
