/* gamma.c - log-gamma and its differences by Stirling's series.
 *
 * log Gamma(y) = (y - 1/2) log y - y + log(2 pi) / 2 + tail(y), Abramowitz & Stegun 6.1.41; from y = 10 on
 * seven terms of the tail leave less than 4e-17. What is below is moved up by ten, Gamma(x) =
 * Gamma(x + 10) / (x (x + 1) ... (x + 9)).
 * SPDX-License-Identifier: MIT */
#include "learn/gamma.h"
#include "rondo/pointmath.h"

enum { SHIFT = 10 };
#define HALF_LOG_2PI 0x1.d67f1c864beb5p-1

/* 1/(12 y) - 1/(360 y^3) + 1/(1260 y^5) - ... */
static double tail(double y)
{
    const double z = 1 / (y * y);
    double s = 1 / 156.0;
    s = rd_fma_d(s, z, -691 / 360360.0);
    s = rd_fma_d(s, z, 1 / 1188.0);
    s = rd_fma_d(s, z, -1 / 1680.0);
    s = rd_fma_d(s, z, 1 / 1260.0);
    s = rd_fma_d(s, z, -1 / 360.0);
    s = rd_fma_d(s, z, 1 / 12.0);
    return s / y;
}

/* -tail'(y) - the 1/(2 y) of psi: 1/(12 y^2) - 1/(120 y^4) + ... (A&S 6.3.18) */
static double psi_tail(double y)
{
    const double z = 1 / (y * y);
    double s = 1 / 12.0;
    s = rd_fma_d(s, z, -691 / 32760.0);
    s = rd_fma_d(s, z, 1 / 132.0);
    s = rd_fma_d(s, z, -1 / 240.0);
    s = rd_fma_d(s, z, 1 / 252.0);
    s = rd_fma_d(s, z, -1 / 120.0);
    s = rd_fma_d(s, z, 1 / 12.0);
    return s * z;
}

double rdc_lgamma(double x)
{
    double product = 1, y = x;
    if (x < SHIFT) {
        for (int i = 0; i < SHIFT; i++) product *= x + i;
        y = x + SHIFT;
    }
    return rd_fma_d(y - 0.5, rd_log_d(y), HALF_LOG_2PI - y) + tail(y) - rd_log_d(product);
}

/* With y = x + d: (x - 1/2) log(1 + d/x) + d (log y - 1) + tail(y) - tail(x) */
double rdc_lgamma_rise(double x, double d)
{
    double moved = 0, from = x;
    if (x < SHIFT) {
        /* each factor is (x + d + i) / (x + i), as 1 + d / (x + i) where that is small */
        for (int i = 0; i < SHIFT; i++) moved += rd_log1p_d(d / (x + i));
        from = x + SHIFT;
    }
    const double y = from + d;
    const double whole = rd_fma_d(from - 0.5, rd_log1p_d(d / from), d * (rd_log_d(y) - 1));
    return whole + (tail(y) - tail(from)) - moved;
}

double rdc_digamma_rise(double x, double d)
{
    double moved = 0, from = x;
    if (x < SHIFT) {
        for (int i = 0; i < SHIFT; i++) moved += d / ((x + i) * (x + d + i));
        from = x + SHIFT;
    }
    const double y = from + d;
    return rd_log1p_d(d / from) + d / (2 * from * y) + (psi_tail(from) - psi_tail(y)) + moved;
}
